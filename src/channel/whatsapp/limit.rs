//! What Meta posts of how many people a business may begin to write to within 24 hours: its messaging limit.
//!
//! The limit is the portfolio's, and comes under two names. Reads an event and nothing else.

use serde_json::Value;

use super::webhook::moment;
use crate::channel::Event;
use crate::channel::event::DayLimit;

/// Fields of Meta's webhooks that tell it.
pub(super) const FIELDS: [&str; 2] = ["business_capability_update", "phone_number_quality_update"];

/// Reads a change of one of [`FIELDS`]; none where it says nothing of the limit.
pub(super) fn read(change: &Value) -> Option<Event> {
    let value = &change["value"];
    // It names a tier too, of messages a second ("current_limit": "TIER_UNLIMITED").
    if value["event"] == "THROUGHPUT_UPGRADE" {
        return None;
    }
    // Until 2026 the limit had these other names.
    let names = [
        "max_daily_conversations_per_business",
        "max_daily_conversation_per_phone",
        "current_limit",
    ];
    let people = names.iter().find_map(|name| people(&value[*name]))?;
    let people = u32::try_from(people).ok();
    Some(Event::DayLimit(DayLimit { people, happened_at: moment(&change["time"]) }))
}

/// A limit as a number, a number in words, or a tier; -1 for no limit, as Meta has it.
fn people(value: &Value) -> Option<i64> {
    const NO_LIMIT: i64 = -1;
    let word = match value {
        Value::Number(number) => number.to_string(),
        Value::String(word) => word.trim().to_ascii_uppercase(),
        _ => return None,
    };
    let word = word.strip_prefix("TIER_").unwrap_or(&word);
    if word == "UNLIMITED" {
        return Some(NO_LIMIT);
    }
    let (digits, times) = word.strip_suffix('K').map_or((word, 1), |digits| (digits, 1_000));
    let number: i64 = digits.parse().ok()?;
    Some(number.saturating_mul(times)).filter(|limit| *limit > 0 || *limit == NO_LIMIT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_limit_is_read_in_all_its_writings_and_throughput_is_none() {
        for (value, expected) in [
            (json!({"max_daily_conversations_per_business": 2000}), Some(Some(2_000))),
            (json!({"max_daily_conversations_per_business": -1}), Some(None)),
            (json!({"max_daily_conversations_per_business": "TIER_UNLIMITED"}), Some(None)),
            (json!({"current_limit": "TIER_10K", "event": "UPGRADE"}), Some(Some(10_000))),
            (json!({"max_daily_conversation_per_phone": "250"}), Some(Some(250))),
            (json!({"current_limit": "TIER_NOT_SET"}), None),
            (json!({"event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"}), None),
            (json!(null), None),
        ] {
            let found = match read(&json!({"value": value})) {
                Some(Event::DayLimit(limit)) => Some(limit.people),
                None => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{value}");
        }
    }
}
