//! The report that lies beside a file which a watched folder brought, for the officer who put it
//! there.
//!
//! Its words stand in `pages/file_report.txt` and `pages/reasons.toml`, the office's own or the
//! built-in ones. It is filled with samples when it is loaded, so that a report that loads can be
//! written. It names rows and reasons, and never what stands in a row.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

use super::folder::{normalised, own, own_or};
use super::problem::Problem;

const FILE: &str = "pages/file_report.txt";
const REASONS: &str = "pages/reasons.toml";
const BUILT_IN: &str = include_str!("../../message_templates/pages/file_report.txt");
const BUILT_IN_REASONS: &str = include_str!("../../message_templates/pages/reasons.toml");

/// What stands in a report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FileReport {
    /// Name of the file.
    pub file: String,
    /// The office's name.
    pub office: String,
    /// When it was taken, in words.
    pub at: String,
    /// Code of what kept it from being read to its end.
    #[serde(skip)]
    pub fault: Option<String>,
    /// The row at which reading ended.
    pub row: Option<u64>,
    /// Columns that are not there.
    pub missing: Vec<String>,
    /// When the same content was taken before, in words.
    pub taken_before: Option<String>,
    /// It was there when the folder was watched for the first time.
    pub is_first: bool,
    /// Reading it was broken off before.
    pub is_resumed: bool,
    /// Rows with something in them.
    pub seen: u64,
    /// Of those, the first word of a card.
    pub new: u64,
    /// Of those, another word of a card.
    pub changed: u64,
    /// Of those, nothing new.
    pub unchanged: u64,
    /// Of those, not taken.
    pub rejected: u64,
    /// Messages that were planned.
    pub announced: u64,
    /// Messages that wait for a word of the office.
    pub held: u64,
    /// Sheets without headings.
    pub ignored_sheets: Vec<String>,
    /// Rows to be looked at.
    pub rows: Vec<ReportRow>,
    /// So many more of them.
    pub more: u64,
}

/// A row to be looked at.
#[derive(Clone, Debug, Serialize)]
pub struct ReportRow {
    /// Its sheet, in a workbook.
    pub sheet: Option<String>,
    /// Its number.
    pub row: u64,
    /// It was taken all the same.
    pub is_taken: bool,
    /// Why, in words.
    pub reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reasons {
    #[serde(default)]
    rows: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, FileReason>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FileReason {
    what: String,
    what_to_do: String,
}

#[derive(Serialize)]
struct Filled<'a> {
    #[serde(flatten)]
    report: &'a FileReport,
    fault: Option<FileReason>,
}

/// The report, ready to be filled.
#[derive(Debug)]
pub struct FileReportPage {
    engine: Environment<'static>,
    reasons: Reasons,
}

impl FileReportPage {
    /// Reads the report's files of that folder, each the built-in one where the folder has none.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn load(dir: Option<&Path>) -> Result<Self, Problem> {
        let mut reasons = parse(&normalised(BUILT_IN_REASONS))?;
        // The office's own sentences stand above the built-in ones, so that none is ever missing.
        if let Some(own) = own(dir, REASONS)? {
            let own = parse(&own)?;
            reasons.rows.extend(own.rows);
            reasons.files.extend(own.files);
        }
        let source = own_or(dir, FILE, BUILT_IN)?;
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        engine.add_template_owned(FILE, source).map_err(|error| problem(&error))?;
        let page = Self { engine, reasons };
        for sample in samples() {
            page.fill(&sample)?;
        }
        Ok(page)
    }

    /// The report with what stands in it, as Windows writes lines.
    ///
    /// # Errors
    /// What is wrong with the report.
    pub fn fill(&self, report: &FileReport) -> Result<String, Problem> {
        let fault = report.fault.as_ref().map(|code| self.file_reason(code));
        let report = FileReport {
            file: one_line(&report.file),
            ignored_sheets: report.ignored_sheets.iter().map(|name| one_line(name)).collect(),
            ..report.clone()
        };
        let filled = Filled { report: &report, fault };
        let text = self.engine.get_template(FILE).and_then(|page| page.render(Serde(filled)));
        Ok(text.map_err(|error| problem(&error))?.replace('\n', "\r\n") + "\r\n")
    }

    /// Why a row is to be looked at, in words; `message` where there is no sentence for the code.
    #[must_use]
    pub fn row_reason(&self, code: &str, message: &str) -> String {
        self.reasons.rows.get(code).cloned().unwrap_or_else(|| message.to_owned())
    }

    /// Whether there is a sentence of its own for the code of a row's or a file's reason.
    #[must_use]
    pub fn knows(&self, code: &str) -> bool {
        self.reasons.rows.contains_key(code) || self.reasons.files.contains_key(code)
    }

    fn file_reason(&self, code: &str) -> FileReason {
        self.reasons.files.get(code).or_else(|| self.reasons.files.get("unreadable")).map_or_else(
            || FileReason { what: code.to_owned(), what_to_do: String::new() },
            Clone::clone,
        )
    }
}

fn parse(content: &str) -> Result<Reasons, Problem> {
    toml::from_str(content).map_err(|error| Problem::of_toml(REASONS, content, &error))
}

fn problem(error: &minijinja::Error) -> Problem {
    let hint = "compare it with the built-in report; what can stand in it stands there";
    let mut problem = Problem::new(FILE, error.to_string(), hint);
    problem.line = error.line();
    problem
}

/// A name is one line, whatever somebody called a file or a sheet.
fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Everything that can stand in a report, and everything that can be missing.
fn samples() -> [FileReport; 3] {
    let row = |sheet: Option<&str>, is_taken| ReportRow {
        sheet: sheet.map(str::to_owned),
        row: 12,
        is_taken,
        reason: "statusnya tidak dikenal".to_owned(),
    };
    let full = FileReport {
        file: "kartu.xlsx".to_owned(),
        office: "Disdukcapil Kabupaten Jombang".to_owned(),
        at: "24 November 2026, 09.00 WIB".to_owned(),
        is_first: true,
        is_resumed: true,
        seen: 120,
        held: 3,
        ignored_sheets: vec!["Catatan".to_owned(), "Rekap".to_owned()],
        rows: vec![row(Some("Data"), false), row(None, true)],
        more: 5,
        ..FileReport::default()
    };
    let failed = FileReport {
        fault: Some("missing_columns".to_owned()),
        row: Some(12),
        missing: vec!["NIK".to_owned(), "status".to_owned()],
        ..full.clone()
    };
    let known = FileReport {
        file: full.file.clone(),
        office: full.office.clone(),
        at: full.at.clone(),
        taken_before: Some("23 November 2026, 08.00 WIB".to_owned()),
        ..FileReport::default()
    };
    [full, failed, known]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> FileReportPage {
        FileReportPage::load(None).unwrap()
    }

    fn folder(file: &str, content: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("pages")).unwrap();
        std::fs::write(dir.path().join(file), content).unwrap();
        dir
    }

    #[test]
    fn a_report_is_lines_of_an_officers_language_without_gaps() {
        for sample in samples() {
            let report = page().fill(&sample).unwrap();
            assert!(report.starts_with("LAPORAN KABAR\r\n"), "{report}");
            assert!(!report.contains("\r\n\r\n\r\n"), "{report}");
            assert!(!report.contains("None") && !report.contains("none"), "{report}");
            assert!(report.lines().all(|line| line.trim_end() == line), "{report:?}");
        }
    }

    #[test]
    fn a_failed_file_says_what_where_and_what_to_do() {
        let [_, failed, _] = samples();
        let report = page().fill(&failed).unwrap();
        assert!(report.contains("TIDAK terbaca sampai selesai; pembacaan berhenti di baris 12"));
        assert!(report.contains("Kolom yang tidak ditemukan: NIK, status."), "{report}");
        assert!(report.contains("Lakukan: Tulis judul"), "{report}");
        assert!(report.contains("- lembar Data, baris 12: statusnya tidak dikenal"), "{report}");
        assert!(report.contains("- baris 12: dicatat, tetapi"), "{report}");
    }

    #[test]
    fn a_name_cannot_forge_a_line_of_the_report() {
        let file = "a\r\nBaris data: 9".to_owned();
        let report = page().fill(&FileReport { file, ..FileReport::default() }).unwrap();
        assert!(report.contains("Berkas : a??Baris data: 9\r\n"), "{report}");
    }

    #[test]
    fn a_reason_without_a_sentence_is_shown_as_it_is_worded() {
        assert!(page().row_reason("invalid_nik", "x").contains("16 angka"));
        assert_eq!(page().row_reason("new_code", "the row is odd"), "the row is odd");
    }

    #[test]
    fn the_offices_own_words_are_taken_and_what_they_leave_out_is_built_in() {
        let own = folder(REASONS, "[rows]\nunknown_status = \"status asing\"\n");
        let page = FileReportPage::load(Some(own.path())).unwrap();
        assert_eq!(page.row_reason("unknown_status", ""), "status asing");
        assert!(page.knows("invalid_nik") && page.knows("open_quote"));
    }

    #[test]
    fn a_fault_of_the_offices_own_files_is_found_when_they_are_loaded() {
        for (file, content) in [(FILE, "a\n{{ berkas }}"), (REASONS, "[rows]\nx = 5")] {
            let Err(problem) = FileReportPage::load(Some(folder(file, content).path())) else {
                panic!("{file} was taken")
            };
            assert_eq!((problem.file.as_str(), problem.line), (file, Some(2)), "{problem}");
        }
    }
}
