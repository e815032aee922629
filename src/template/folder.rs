//! The files of `message_templates` that announcements are made of: read from a folder, or the
//! copies inside the binary.
//!
//! Whatever is found is handed on as text; what it means is not known here.

use std::collections::BTreeMap;
use std::path::Path;

use super::problem::Problem;

/// Contents by path relative to `message_templates`, with `/` between the parts.
pub(super) type Files = BTreeMap<String, String>;

macro_rules! files {
    ($($path:literal,)+) => {
        &[$(($path, include_str!(concat!("../../message_templates/", $path))),)+]
    };
}

/// A test compares this list with the folder.
const EMBEDDED: &[(&str, &str)] = files![
    "vocabulary.toml",
    "broadcasts/sosialisasi/id.sms.txt",
    "broadcasts/sosialisasi/id.txt",
    "broadcasts/sosialisasi/meta.toml",
    "broadcasts/words.toml",
    "announcements/appointment_cancelled/id.sms.txt",
    "announcements/appointment_cancelled/id.txt",
    "announcements/appointment_cancelled/meta.toml",
    "announcements/appointment_moved_up/id.sms.txt",
    "announcements/appointment_moved_up/id.txt",
    "announcements/appointment_moved_up/meta.toml",
    "announcements/appointment_reminder/id.sms.txt",
    "announcements/appointment_reminder/id.txt",
    "announcements/appointment_reminder/meta.toml",
    "announcements/appointment_resumed/id.sms.txt",
    "announcements/appointment_resumed/id.txt",
    "announcements/appointment_resumed/meta.toml",
    "announcements/card_issued/id.sms.txt",
    "announcements/card_issued/id.txt",
    "announcements/card_issued/meta.toml",
    "announcements/card_printed/id.akta-cerai.txt",
    "announcements/card_printed/id.akta-kematian.txt",
    "announcements/card_printed/id.sms.txt",
    "announcements/card_printed/id.txt",
    "announcements/card_printed/meta.toml",
    "announcements/card_shipped/id.sms.txt",
    "announcements/card_shipped/id.txt",
    "announcements/card_shipped/meta.toml",
    "announcements/collection_reminder/id.sms.txt",
    "announcements/collection_reminder/id.txt",
    "announcements/collection_reminder/meta.toml",
    "announcements/contact_office/id.sms.txt",
    "announcements/contact_office/id.txt",
    "announcements/contact_office/meta.toml",
    "announcements/enrollment_failed/id.sms.txt",
    "announcements/enrollment_failed/id.txt",
    "announcements/enrollment_failed/meta.toml",
    "announcements/home_delivery_cancelled/id.sms.txt",
    "announcements/home_delivery_cancelled/id.txt",
    "announcements/home_delivery_cancelled/meta.toml",
    "announcements/home_delivery_code/id.sms.txt",
    "announcements/home_delivery_code/id.txt",
    "announcements/home_delivery_code/meta.toml",
    "announcements/home_delivery_missed/id.sms.txt",
    "announcements/home_delivery_missed/id.txt",
    "announcements/home_delivery_missed/meta.toml",
    "announcements/home_delivery_moved/id.answer.sms.txt",
    "announcements/home_delivery_moved/id.answer.txt",
    "announcements/home_delivery_moved/id.sms.txt",
    "announcements/home_delivery_moved/id.txt",
    "announcements/home_delivery_moved/meta.toml",
    "announcements/home_delivery_scheduled/id.answer.sms.txt",
    "announcements/home_delivery_scheduled/id.answer.txt",
    "announcements/home_delivery_scheduled/id.sms.txt",
    "announcements/home_delivery_scheduled/id.txt",
    "announcements/home_delivery_scheduled/meta.toml",
    "announcements/home_visit_declined/id.sms.txt",
    "announcements/home_visit_declined/id.txt",
    "announcements/home_visit_declined/meta.toml",
    "announcements/home_visit_moved/id.sms.txt",
    "announcements/home_visit_moved/id.txt",
    "announcements/home_visit_moved/meta.toml",
    "announcements/home_visit_reminder/id.sms.txt",
    "announcements/home_visit_reminder/id.txt",
    "announcements/home_visit_reminder/meta.toml",
    "announcements/home_visit_scheduled/id.sms.txt",
    "announcements/home_visit_scheduled/id.txt",
    "announcements/home_visit_scheduled/meta.toml",
    "announcements/outage_begun/id.sms.txt",
    "announcements/outage_begun/id.txt",
    "announcements/outage_begun/meta.toml",
    "announcements/outage_over/id.sms.txt",
    "announcements/outage_over/id.txt",
    "announcements/outage_over/meta.toml",
    "announcements/ready_to_collect/id.sms.txt",
    "announcements/ready_to_collect/id.txt",
    "announcements/ready_to_collect/meta.toml",
    "announcements/ready_to_print/id.sms.txt",
    "announcements/ready_to_print/id.txt",
    "announcements/ready_to_print/meta.toml",
    "announcements/recording_received/id.sms.txt",
    "announcements/recording_received/id.txt",
    "announcements/recording_received/meta.toml",
    "announcements/survey_invitation/id.sms.txt",
    "announcements/survey_invitation/id.txt",
    "announcements/survey_invitation/meta.toml",
    "announcements/waiting_for_blank/id.sms.txt",
    "announcements/waiting_for_blank/id.txt",
    "announcements/waiting_for_blank/meta.toml",
];

/// The files inside the binary.
pub(super) fn embedded() -> Files {
    EMBEDDED.iter().map(|(path, content)| ((*path).to_owned(), normalised(content))).collect()
}

/// Reads `vocabulary.toml` and everything in the folders of `announcements`.
pub(super) fn read(dir: &Path, problems: &mut Vec<Problem>) -> Files {
    let mut files = Files::new();
    read_file(dir, "vocabulary.toml", &mut files, problems);
    for folder in ["announcements", "broadcasts"] {
        for kind in entries(dir, folder, problems) {
            if kind == "broadcasts/words.toml" {
                read_file(dir, &kind, &mut files, problems);
                continue;
            }
            for name in entries(dir, &kind, problems) {
                read_file(dir, &name, &mut files, problems);
            }
        }
    }
    files
}

/// What stands in a folder, as paths relative to `dir`. Hidden files are left out: file managers
/// and editors leave them everywhere.
fn entries(dir: &Path, folder: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let listed = std::fs::read_dir(dir.join(folder))
        .and_then(|found| found.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>, _>>());
    match listed {
        Ok(names) => names
            .iter()
            .map(|name| name.to_string_lossy())
            .filter(|name| !name.starts_with('.'))
            .map(|name| format!("{folder}/{name}"))
            .collect(),
        Err(error) => {
            let what = format!("the folder cannot be read: {error}");
            problems.push(Problem::new(folder, what, "check its path and permissions"));
            Vec::new()
        }
    }
}

fn read_file(dir: &Path, path: &str, files: &mut Files, problems: &mut Vec<Problem>) {
    match std::fs::read_to_string(dir.join(path)) {
        Ok(content) => {
            files.insert(path.to_owned(), normalised(&content));
        }
        Err(error) => problems.push(unreadable(path, &error)),
    }
}

/// A file of an office's own; none where the folder has none.
pub(super) fn own(dir: Option<&Path>, path: &str) -> Result<Option<String>, Problem> {
    let Some(dir) = dir else { return Ok(None) };
    match std::fs::read_to_string(dir.join(path)) {
        Ok(content) => Ok(Some(normalised(&content))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// A file of an office's own; the built-in one where the folder has none.
pub(super) fn own_or(dir: Option<&Path>, path: &str, built_in: &str) -> Result<String, Problem> {
    Ok(own(dir, path)?.unwrap_or_else(|| normalised(built_in)))
}

fn unreadable(path: &str, error: &std::io::Error) -> Problem {
    let what = format!("the file cannot be read: {error}");
    Problem::new(path, what, "it must be a text file in UTF-8")
}

/// Without the byte order mark and the carriage returns that Windows editors add.
pub(super) fn normalised(content: &str) -> String {
    content.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_holds_the_same_files_as_the_folder() {
        let mut problems = Vec::new();
        let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/message_templates"));
        assert_eq!(read(dir, &mut problems), embedded());
        assert_eq!(problems, []);
    }

    #[test]
    fn what_cannot_be_read_is_a_problem_and_what_is_hidden_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let mut problems = Vec::new();
        assert_eq!(read(&dir.path().join("none"), &mut problems), Files::new());
        assert_eq!(problems.len(), 3, "vocabulary, announcements, broadcasts: {problems:?}");

        let kind = dir.path().join("announcements/card_printed");
        std::fs::create_dir_all(&kind).unwrap();
        std::fs::create_dir_all(dir.path().join("broadcasts")).unwrap();
        std::fs::write(dir.path().join("vocabulary.toml"), "").unwrap();
        std::fs::write(dir.path().join("announcements/.hidden"), "").unwrap();
        std::fs::write(kind.join(".id.txt.swp"), "").unwrap();
        std::fs::write(kind.join("id.txt"), b"Jum\xe9t").unwrap();
        std::fs::write(kind.join("meta.toml"), "x").unwrap();
        let mut problems = Vec::new();
        let files = read(dir.path(), &mut problems);
        assert_eq!(
            files.keys().collect::<Vec<_>>(),
            ["announcements/card_printed/meta.toml", "vocabulary.toml",]
        );
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].file, "announcements/card_printed/id.txt");
    }

    #[test]
    fn a_file_saved_by_a_windows_editor_reads_the_same() {
        assert_eq!(normalised("\u{feff}satu\r\ndua\r\n"), "satu\ndua\n");
    }
}
