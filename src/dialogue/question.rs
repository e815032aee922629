//! Example questions: one file a label in `message_templates/dialogue/questions`, one question a line.
//!
//! An officer improves what is understood by adding a line. What an answer's own file lists under
//! `examples` counts as well. Learning from them is not this file's business.

/// The folder below `message_templates`.
pub(super) const FOLDER: &str = "dialogue/questions";
/// The label whose lines say what to offer: `ktp => status_card, req_ktp_new`.
const TOPIC: &str = "clarify_topic";
/// Between a topic and what it offers.
const OFFERS: &str = "=>";
/// Longest question in characters; longer ones are a paste gone wrong.
const MAX_CHARS: usize = 1_000;

macro_rules! files {
    ($($label:literal,)+) => {
        &[$((
            concat!("dialogue/questions/", $label, ".txt"),
            include_str!(concat!("../../message_templates/dialogue/questions/", $label, ".txt")),
        ),)+]
    };
}

/// The files that are compiled in; a folder's file of the same name takes the place of one.
pub(super) const FILES: &[(&str, &str)] = files![
    "ack",
    "blanko_out",
    "civil_other",
    "clarify_topic",
    "collection_representative",
    "complaint",
    "contact_info",
    "data_deletion",
    "doc_print_self",
    "duration",
    "fee",
    "found_card",
    "glossary",
    "greeting",
    "help_capabilities",
    "home_delivery_address",
    "home_delivery_receiver",
    "home_delivery_when",
    "home_home_delivery_reschedule",
    "home_visit_elderly",
    "human",
    "ikd_problem",
    "ktp_out_of_domicile",
    "language",
    "location_service_points",
    "mobile_service",
    "name_wrong",
    "nik_not_found",
    "online_registration",
    "opening_hours",
    "out_of_scope",
    "photo_change",
    "privacy",
    "redirect_bpjs",
    "redirect_employment",
    "redirect_immigration",
    "redirect_other_agency",
    "redirect_police",
    "redirect_social",
    "redirect_tax",
    "redirect_village",
    "req_birth_certificate",
    "req_death_certificate",
    "req_divorce_certificate",
    "req_ikd",
    "req_kia",
    "req_kk_change",
    "req_kk_lost",
    "req_kk_new",
    "req_ktp_change",
    "req_ktp_damaged",
    "req_ktp_foreigner",
    "req_ktp_lost",
    "req_ktp_move",
    "req_ktp_new",
    "req_marriage_certificate",
    "req_move_in",
    "req_move_out",
    "req_recording",
    "rt_letter",
    "scam_check",
    "status_card",
    "stop",
    "subscribe",
    "suket_temporary",
    "survey",
    "thanks",
    "validity",
];

/// The label whose questions a file holds, if it is such a file.
pub(super) fn label_of(file: &str) -> Option<&str> {
    file.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(".txt")
}

/// The (label, question) pairs of a file. The label of a topic carries after slashes what to offer.
///
/// # Errors
/// Every line that cannot be read: its number, and what is wrong with it.
pub(super) fn parse(
    label: &str,
    text: &str,
    labels: &[&str],
) -> Result<Vec<(String, String)>, Vec<String>> {
    if !labels.contains(&label) {
        return Err(vec![format!("`{label}` is no label: name the file after one")]);
    }
    let mut pairs = Vec::new();
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fault = |what: String| faults.push(format!("line {}: {what}", number + 1));
        if line.chars().count() > MAX_CHARS {
            fault(format!("is longer than {MAX_CHARS} characters: shorten it"));
        } else if label != TOPIC {
            pairs.push((label.to_owned(), line.to_owned()));
        } else if let Some((question, offers)) = line.split_once(OFFERS) {
            let offers: Vec<&str> = offers.split(',').map(str::trim).collect();
            if let Some(word) = offers.iter().find(|word| !labels.contains(word)) {
                fault(format!("`{word}` is no label"));
            } else if (2..=3).contains(&offers.len()) {
                let label = format!("{TOPIC}/{}", offers.join("/"));
                pairs.push((label, question.trim().to_owned()));
            } else {
                fault("must offer two or three labels".to_owned());
            }
        } else {
            fault(format!("write behind {OFFERS} what to offer, two or three labels"));
        }
    }
    if faults.is_empty() { Ok(pairs) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: &[&str] = &["fee", "duration", "clarify_topic"];

    #[test]
    fn a_line_is_a_question_and_notes_and_empty_lines_are_none() {
        let pairs = parse("fee", "# note\n\nbayar gak\n  berapa biayanya \n", LABELS).unwrap();
        let questions: Vec<&str> = pairs.iter().map(|(_, question)| question.as_str()).collect();
        assert_eq!(questions, ["bayar gak", "berapa biayanya"]);
    }

    #[test]
    fn a_topic_says_what_it_offers() {
        let pairs = parse("clarify_topic", "uang => fee, duration", LABELS).unwrap();
        assert_eq!(pairs, [("clarify_topic/fee/duration".to_owned(), "uang".to_owned())]);
        for line in ["uang", "uang => fee", "uang => fee, fees"] {
            let faults = parse("clarify_topic", line, LABELS).unwrap_err();
            assert!(faults[0].starts_with("line 1: "), "{faults:?}");
        }
    }

    #[test]
    fn a_file_that_is_named_after_no_label_is_refused() {
        assert_eq!(label_of("dialogue/questions/fees.txt"), Some("fees"));
        assert!(parse("fees", "bayar gak", LABELS).unwrap_err()[0].contains("no label"));
        assert_eq!(label_of("answers/fee.toml"), None);
    }

    #[test]
    fn every_file_of_the_folder_is_compiled_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/message_templates/dialogue/questions");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("{FOLDER}/{}", entry.unwrap().file_name().to_string_lossy()))
            .collect();
        there.sort();
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(there, listed);
    }
}
