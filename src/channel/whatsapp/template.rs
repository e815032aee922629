//! What Meta posts of the templates that are registered there: approved, refused, paused, moved to another category.
//!
//! Reads an event and nothing else. Such an event names neither a number nor a person.

use serde_json::Value;

use super::webhook::moment;
use crate::channel::Event;
use crate::domain::redact::redact_digits;
use crate::domain::template_state::{TemplateNews, TemplateState};

/// Fields of Meta's webhooks that are about templates.
pub(super) const FIELDS: [&str; 3] = [
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
];
/// Longest advice that is kept, in characters.
const MAX_DETAIL: usize = 500;

/// Reads a change of one of [`FIELDS`].
pub(super) fn read(change: &Value) -> Option<Event> {
    let value = &change["value"];
    let word = |value: &Value| {
        value
            .as_str()
            .map(str::trim)
            .filter(|word| !word.is_empty() && *word != "NONE")
            .map(str::to_owned)
    };
    let small = |value: &Value| word(value).map(|word| word.to_lowercase());
    let mut news = TemplateNews {
        name: word(&value["message_template_name"])?,
        language: word(&value["message_template_language"])?,
        category: small(&value["message_template_category"]),
        happened_at: moment(&change["time"]),
        ..TemplateNews::default()
    };
    match change["field"].as_str()? {
        "message_template_status_update" => {
            let event = value["event"].as_str()?;
            let other = &value["other_info"];
            let rejection = &value["rejection_info"];
            news.state = Some(state(event));
            news.reason = word(&value["reason"])
                .or_else(|| word(&rejection["reason"]))
                .or_else(|| word(&other["title"]))
                .or_else(|| (state(event) == TemplateState::Other).then(|| event.to_owned()));
            let advice = word(&rejection["recommendation"]).or_else(|| word(&other["description"]));
            news.detail =
                advice.map(|words| redact_digits(&words).chars().take(MAX_DETAIL).collect());
        }
        "message_template_quality_update" => news.quality = small(&value["new_quality_score"]),
        "template_category_update" => news.category = small(&value["new_category"]),
        _ => return None,
    }
    Some(Event::Template(news))
}

fn state(event: &str) -> TemplateState {
    match event {
        "APPROVED" | "REINSTATED" | "UNARCHIVED" => TemplateState::Approved,
        "PENDING" => TemplateState::Pending,
        "REJECTED" => TemplateState::Rejected,
        "PAUSED" => TemplateState::Paused,
        "DISABLED" => TemplateState::Disabled,
        "FLAGGED" => TemplateState::Flagged,
        "IN_APPEAL" => TemplateState::InAppeal,
        "DELETED" | "PENDING_DELETION" => TemplateState::Deleted,
        "ARCHIVED" => TemplateState::Archived,
        // LIMIT_EXCEEDED, LOCKED, and whatever Meta thinks of next.
        _ => TemplateState::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn news(field: &str, mut value: Value) -> TemplateNews {
        value["message_template_name"] = json!("kabar_card_printed_v1");
        value["message_template_language"] = json!("id");
        let change = json!({"field": field, "value": value});
        let Some(Event::Template(news)) = read(&change) else { panic!("{change}") };
        news
    }

    #[test]
    fn a_refusal_says_why_and_what_meta_advises() {
        let news = news(
            "message_template_status_update",
            json!({"event": "REJECTED", "reason": "INVALID_FORMAT", "message_template_category": "UTILITY",
                   "rejection_info": {"reason": "x", "recommendation": "Call 6281234567890."}}),
        );
        assert_eq!(news.state, Some(TemplateState::Rejected));
        assert_eq!(news.reason.as_deref(), Some("INVALID_FORMAT"));
        assert_eq!(news.category.as_deref(), Some("utility"));
        assert!(!news.detail.unwrap().contains("6281234567890"));
    }

    #[test]
    fn a_pause_names_itself_and_a_word_nobody_knows_is_kept() {
        let field = "message_template_status_update";
        let pause =
            json!({"event": "PAUSED", "reason": "NONE", "other_info": {"title": "FIRST_PAUSE"}});
        assert_eq!(news(field, pause).reason.as_deref(), Some("FIRST_PAUSE"));
        let odd = news(field, json!({"event": "LOCKED", "reason": null}));
        assert_eq!(
            (odd.state, odd.reason.as_deref()),
            (Some(TemplateState::Other), Some("LOCKED"))
        );
        assert_eq!(
            news(field, json!({"event": "REINSTATED"})).state,
            Some(TemplateState::Approved)
        );
    }

    #[test]
    fn another_category_and_another_quality_leave_the_state_alone() {
        let moved = news("template_category_update", json!({"new_category": "MARKETING"}));
        assert_eq!((moved.state, moved.category.as_deref()), (None, Some("marketing")));
        let quality = json!({"previous_quality_score": "GREEN", "new_quality_score": "RED"});
        assert_eq!(
            news("message_template_quality_update", quality).quality.as_deref(),
            Some("red")
        );
    }

    #[test]
    fn what_names_no_template_is_none() {
        for value in [json!({}), json!(null), json!({"message_template_name": "x"})] {
            for field in FIELDS {
                assert_eq!(read(&json!({"field": field, "value": value})), None, "{value}");
            }
        }
    }
}
