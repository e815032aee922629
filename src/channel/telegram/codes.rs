//! The Bot API's refusals in our words.
//!
//! Telegram has no codes beyond HTTP statuses: what a refusal means stands in its English
//! description, behind the name of the status (`Forbidden: bot was blocked by the user`). One row
//! per description; the rest is decided by the status. Sources: tdlib/telegram-bot-api
//! `Client.cpp`, the error names of `MTProto` that it passes on, and the Bot API manual of 2026.

use std::time::Duration;

use super::Failure;
use crate::channel::http_call::{cut, unreadable};
use crate::channel::{FILE_LOST, Fault, Scope, SendError};
use crate::domain::consent::Lesson;
use crate::domain::redact::redact_digits;

/// The longest wait that is believed where one chat is too fast.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// The longest wait that is believed where the whole bot is: nobody would hear anything.
const LONGEST_WAIT_OF_ALL: Duration = Duration::from_secs(600);

/// What a description asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The reader shut us out.
    Blocked,
    /// Nobody to be reached there.
    Gone,
    /// Will never be taken as it is.
    Rejected,
    /// The file is to be brought anew.
    FileLost,
    /// Somebody must mend the account.
    Misconfigured,
    /// Another process asks for the same updates.
    Conflict,
}

use Meaning as M;

/// How a description begins behind the name of its status, what it asks, what it means.
pub const ROWS: &[(&str, Meaning, &str)] = &[
    ("bot was blocked by the user", M::Blocked, "the reader blocked the bot"),
    ("bot was kicked from", M::Blocked, "the bot was put out of the chat"),
    ("USER_IS_BLOCKED", M::Blocked, "the reader blocked the bot"),
    ("user is deactivated", M::Gone, "the reader's account was deleted"),
    ("INPUT_USER_DEACTIVATED", M::Gone, "the reader's account was deleted"),
    ("bot can't initiate conversation with a user", M::Gone, "the reader never started the bot"),
    ("bot can't send messages to bots", M::Gone, "the reader is a bot"),
    ("USER_IS_BOT", M::Gone, "the reader is a bot"),
    ("bot is not a member of", M::Gone, "the bot is not in the chat"),
    ("the group chat was deleted", M::Gone, "the chat was deleted"),
    ("chat not found", M::Gone, "the reader never started the bot, or the chat does not exist"),
    ("private chat not found", M::Gone, "there is no such chat"),
    ("user not found", M::Gone, "there is no such reader"),
    ("have no access to the user", M::Gone, "the reader never started the bot"),
    ("PEER_ID_INVALID", M::Gone, "the reader never started the bot, or the chat does not exist"),
    ("group chat was upgraded to a supergroup", M::Rejected, "the chat is a group that moved"),
    ("message is too long", M::Rejected, "text longer than 4,096 characters"),
    ("MESSAGE_TOO_LONG", M::Rejected, "text longer than 4,096 characters"),
    ("message text is empty", M::Rejected, "text empty"),
    ("wrong file identifier", M::FileLost, "Telegram does not know the file"),
    ("IMAGE_PROCESS_FAILED", M::Rejected, "Telegram cannot read the picture"),
    ("PHOTO_INVALID_DIMENSIONS", M::Rejected, "the picture is too wide or too high"),
    ("message caption is too long", M::Rejected, "words longer than 1,024 characters"),
    ("BUTTON_DATA_INVALID", M::Rejected, "the id of a choice is empty or longer than 64 bytes"),
    ("can't parse", M::Rejected, "a parameter could not be read"),
    ("method not found", M::Misconfigured, "api_url does not lead to a Bot API"),
    ("invalid api-id", M::Misconfigured, "the Bot API server has no valid api-id"),
    ("bad webhook", M::Misconfigured, "Telegram does not accept the webhook's address"),
    ("invalid webhook URL", M::Misconfigured, "Telegram does not accept the webhook's address"),
    ("secret token", M::Misconfigured, "Telegram does not accept webhook_secret"),
    ("can't use getUpdates", M::Conflict, "a webhook is set while we ask for updates"),
    ("terminated by", M::Conflict, "another process asks for the same bot's updates"),
];

/// Looks a description up.
#[must_use]
pub fn meaning(description: &str) -> Option<(Meaning, &'static str)> {
    // The name of the status is not always the same for one reason: teloxide expects
    // "Unauthorized: bot can't initiate …" where the server says "Forbidden: …".
    let reason = description.split_once(": ").map_or(description, |(_, reason)| reason);
    let begins = |row: &&(&str, Meaning, &str)| {
        reason.get(..row.0.len()).is_some_and(|start| start.eq_ignore_ascii_case(row.0))
    };
    ROWS.iter().find(begins).map(|row| (row.1, row.2))
}

/// The caller's decision.
#[must_use]
pub fn classify(failure: &Failure) -> SendError {
    match failure {
        Failure::Refused { status, description, after } => refused(*status, description, *after),
        Failure::Unreadable(status) => without_description(*status),
        Failure::ServerError(status) => SendError::Unknown(Fault::new(
            format!("http_{status}"),
            "Telegram's server failed while it had the request",
        )),
        Failure::NotConnected => SendError::Retry {
            after: None,
            scope: Scope::Account,
            fault: Fault::new("not_connected", "Telegram could not be reached"),
        },
        Failure::TimedOut => {
            SendError::Unknown(Fault::new("timeout", "Telegram did not answer in time"))
        }
        Failure::CutOff => SendError::Unknown(Fault::new(
            "no_answer",
            "the connection ended before Telegram answered",
        )),
    }
}

/// The same when chats are refused one after the other, and so the whole bot is too fast.
#[must_use]
pub fn of_the_whole_bot(error: SendError) -> SendError {
    match error {
        SendError::Retry { after, scope: Scope::Recipient, fault } => SendError::Retry {
            after: after.map(|after| after.min(LONGEST_WAIT_OF_ALL)),
            scope: Scope::Account,
            fault,
        },
        other => other,
    }
}

fn refused(status: u16, description: &str, after: Option<Duration>) -> SendError {
    let details = redact_digits(cut(description, 300));
    let fault = |words: &str| Fault::new(status.to_string(), format!("{words}: {details}"));
    match meaning(description) {
        Some((M::Blocked, words)) => {
            SendError::RecipientGone(fault(words).teaching(Lesson::OptedOut))
        }
        Some((M::Gone, words)) => {
            SendError::RecipientGone(fault(words).teaching(Lesson::NotReachable))
        }
        Some((M::Rejected, words)) => SendError::Rejected(fault(words)),
        Some((M::FileLost, words)) => {
            SendError::Rejected(Fault { code: FILE_LOST.to_owned(), ..fault(words) })
        }
        Some((M::Misconfigured, words)) => SendError::Misconfigured(fault(words)),
        Some((M::Conflict, words)) => {
            SendError::Retry { after, scope: Scope::Account, fault: fault(words) }
        }
        None => by_status(status, after, &fault),
    }
}

fn by_status(status: u16, after: Option<Duration>, fault: &dyn Fn(&str) -> Fault) -> SendError {
    match status {
        400 | 413 => SendError::Rejected(fault("request refused")),
        401 | 404 => SendError::Misconfigured(fault("bot_token is not valid, or was revoked")),
        403 => SendError::RecipientGone(fault("the bot may not write there")),
        // Telegram does not say whether one chat or the whole bot is too fast.
        429 => SendError::Retry {
            after: after.map(|after| after.min(LONGEST_WAIT)),
            scope: Scope::Recipient,
            fault: fault("too many messages"),
        },
        500..=599 => SendError::Unknown(fault("Telegram's server failed")),
        _ => {
            tracing::warn!(status, "Telegram refused with a status that is not in our table");
            SendError::Retry { after, scope: Scope::Message, fault: fault("unlisted status") }
        }
    }
}

/// An answer that is not the Bot API's: all there is to go by is the HTTP status.
fn without_description(status: u16) -> SendError {
    let fault = unreadable(status);
    match status {
        // The address is not that of the API.
        300..=399 | 401 | 404 => SendError::Misconfigured(fault),
        // Something between us and Telegram refused; the message itself was not looked at.
        400..=499 => SendError::Retry { after: None, scope: Scope::Account, fault },
        _ => SendError::Unknown(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, description: &str) -> SendError {
        let description = description.to_owned();
        classify(&Failure::Refused { status, description, after: None })
    }

    #[test]
    fn every_row_is_found_behind_any_name_of_a_status_and_by_no_row_before_it() {
        for (start, meaning_of_row, words) in ROWS {
            for name in ["Bad Request: ", "Forbidden: ", "Unauthorized: ", "Conflict: "] {
                let description = format!("{name}{start} and more");
                assert_eq!(meaning(&description), Some((*meaning_of_row, *words)), "{description}");
            }
        }
    }

    #[test]
    fn who_blocked_us_opted_out_and_who_is_not_there_is_not_reachable() {
        let lesson = |status, description: &str| match of(status, description) {
            SendError::RecipientGone(fault) => fault.lesson,
            other => panic!("{other}"),
        };
        for blocked in [
            "Forbidden: bot was blocked by the user",
            "Forbidden: bot was kicked from the group chat",
            "Forbidden: bot was kicked from the supergroup chat",
            "Forbidden: bot was kicked from the channel chat",
            "Unauthorized: bot was kicked from a chat",
        ] {
            assert_eq!(lesson(403, blocked), Some(Lesson::OptedOut), "{blocked}");
        }
        for gone in [
            "Forbidden: user is deactivated",
            "Forbidden: bot can't initiate conversation with a user",
            "Unauthorized: bot can't initiate conversation with a user",
            "Forbidden: bot is not a member of the channel chat",
        ] {
            assert_eq!(lesson(403, gone), Some(Lesson::NotReachable), "{gone}");
        }
        assert_eq!(lesson(400, "Bad Request: chat not found"), Some(Lesson::NotReachable));
        assert_eq!(lesson(400, "Bad Request: PEER_ID_INVALID"), Some(Lesson::NotReachable));
        assert_eq!(lesson(403, "Forbidden: something new"), None);
    }

    #[test]
    fn a_token_that_is_not_taken_stops_the_account() {
        for (status, description) in
            [(401, "Unauthorized"), (404, "Not Found"), (404, "Not Found: method not found")]
        {
            let found = of(status, description);
            assert!(matches!(found, SendError::Misconfigured(_)), "{found}");
        }
    }

    #[test]
    fn a_bad_request_is_never_sent_again_and_a_failed_server_may_have_taken_it() {
        assert!(matches!(of(400, "Bad Request: some new rule"), SendError::Rejected(_)));
        assert!(matches!(
            of(400, "Bad Request: group chat was upgraded to a supergroup chat"),
            SendError::Rejected(_)
        ));
        assert!(matches!(of(500, "Internal Server Error: restart"), SendError::Unknown(_)));
        for unclear in [
            Failure::ServerError(502),
            Failure::TimedOut,
            Failure::CutOff,
            Failure::Unreadable(200),
            Failure::Unreadable(0),
        ] {
            assert!(matches!(classify(&unclear), SendError::Unknown(_)), "{unclear:?}");
        }
    }

    #[test]
    fn too_fast_makes_a_chat_wait_an_hour_at_most_and_the_whole_bot_ten_minutes() {
        let waits = |seconds| {
            let after = Some(Duration::from_secs(seconds));
            let description = "Too Many Requests".to_owned();
            let error = classify(&Failure::Refused { status: 429, description, after });
            [error.clone(), of_the_whole_bot(error)].map(|error| match error {
                SendError::Retry { after, scope, .. } => (scope, after.unwrap().as_secs()),
                other => panic!("{other}"),
            })
        };
        assert_eq!(waits(35), [(Scope::Recipient, 35), (Scope::Account, 35)]);
        assert_eq!(waits(86_400), [(Scope::Recipient, 3_600), (Scope::Account, 600)]);
    }

    #[test]
    fn only_too_fast_can_be_the_whole_bots() {
        for status in [400, 401, 403, 409, 418, 500] {
            let error = of(status, "Some: words");
            assert_eq!(of_the_whole_bot(error.clone()), error, "{status}");
        }
    }

    #[test]
    fn what_never_left_or_was_stopped_on_the_way_may_be_sent_again() {
        for failure in [Failure::NotConnected, Failure::Unreadable(403), Failure::Unreadable(429)] {
            let found = classify(&failure);
            assert!(matches!(found, SendError::Retry { scope: Scope::Account, .. }), "{found}");
        }
        assert!(matches!(of(418, "I am a teapot"), SendError::Retry { .. }));
        assert!(matches!(classify(&Failure::Unreadable(302)), SendError::Misconfigured(_)));
    }

    #[test]
    fn ids_in_a_description_do_not_reach_the_story() {
        let found = of(400, "Bad Request: chat 6281234567890 has no room");
        assert!(!found.fault().detail.contains("6281234567890"), "{found}");
    }
}
