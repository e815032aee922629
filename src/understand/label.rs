//! The labels: one word for everything a citizen may mean.
//!
//! The list is part of the interface (`kabar ask --jsonl` prints these words), so a label is added
//! or renamed here and nowhere else. What is answered to a label is not this file's business.

/// Not a label but an outcome: the bot asks back, offering two or three labels.
pub const CLARIFY: &str = "clarify";
/// What the bot has no answer to.
pub const OUT_OF_SCOPE: &str = "out_of_scope";
/// A topic without a question. Examples of it may carry what to offer, after slashes:
/// `clarify_topic/status_card/req_ktp_new`.
pub const CLARIFY_TOPIC: &str = "clarify_topic";

/// Every label.
pub const LABELS: &[&str] = &[
    "status_card",
    "clarify_topic",
    "req_ktp_new",
    "req_ktp_lost",
    "req_ktp_damaged",
    "req_ktp_change",
    "req_ktp_move",
    "req_ktp_foreigner",
    "ktp_out_of_domicile",
    "req_recording",
    "photo_change",
    "name_wrong",
    "validity",
    "blanko_out",
    "suket_temporary",
    "nik_not_found",
    "found_card",
    "req_kk_new",
    "req_kk_lost",
    "req_kk_change",
    "req_kia",
    "req_ikd",
    "ikd_problem",
    "req_birth_certificate",
    "req_death_certificate",
    "req_marriage_certificate",
    "req_divorce_certificate",
    "civil_other",
    "req_move_out",
    "req_move_in",
    "rt_letter",
    "online_registration",
    "doc_print_self",
    "fee",
    "duration",
    "opening_hours",
    "location_service_points",
    "contact_info",
    "mobile_service",
    "home_visit_elderly",
    "home_delivery_when",
    "home_delivery_receiver",
    "home_home_delivery_reschedule",
    "home_delivery_address",
    "collection_representative",
    "complaint",
    "scam_check",
    "survey",
    "privacy",
    "data_deletion",
    "stop",
    "subscribe",
    "language",
    "human",
    "greeting",
    "thanks",
    "help_capabilities",
    "ack",
    "glossary",
    "out_of_scope",
    "redirect_police",
    "redirect_bpjs",
    "redirect_immigration",
    "redirect_social",
    "redirect_tax",
    "redirect_employment",
    "redirect_village",
    "redirect_other_agency",
];

/// Whether the word is a label.
#[must_use]
pub fn is_label(word: &str) -> bool {
    LABELS.contains(&word)
}

/// Whether asking "did you mean …?" with this label makes sense to a citizen. Small talk and the
/// outside are answered or not, but never offered.
#[must_use]
pub fn is_offerable(label: &str) -> bool {
    is_label(label)
        && !matches!(
            label,
            "clarify_topic" | "out_of_scope" | "greeting" | "thanks" | "ack" | "stop" | "language"
        )
}

/// Whether it is what can be asked of any service, in a word or two behind another question: "and what does it cost?"
pub(crate) fn is_aspect(label: &str) -> bool {
    matches!(
        label,
        "collection_representative"
            | "duration"
            | "fee"
            | "location_service_points"
            | "online_registration"
            | "opening_hours"
            | "rt_letter"
    )
}

/// Whether a label is none of the office's business: not answered, or only by naming who does.
#[must_use]
pub fn is_outside(label: &str) -> bool {
    label == OUT_OF_SCOPE || label.starts_with("redirect_")
}
