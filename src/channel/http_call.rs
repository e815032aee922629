//! What every provider spoken to over HTTP has in common: bounded answers, and what it means when
//! there is none.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::{Fault, Scope, SendError};

/// Longest answer that is read; providers' are a few hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Longest wait that is believed.
const LONGEST_WAIT: u64 = 86_400;

/// Reads an answer, but no more of it than any provider has to say.
///
/// # Errors
/// When the connection ends first.
pub(super) async fn read_bounded(
    mut response: reqwest::Response,
) -> Result<Vec<u8>, reqwest::Error> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        answer.extend_from_slice(&chunk);
        if answer.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok(answer)
}

/// A request that never left is certainly not taken; anything later may have been.
pub(super) fn no_answer(error: &reqwest::Error) -> SendError {
    if error.is_connect() || error.is_builder() {
        let fault = Fault::new("not_connected", "the provider could not be reached");
        return SendError::Retry { after: None, scope: Scope::Account, fault };
    }
    let (code, detail) = if error.is_timeout() {
        ("timeout", "the provider did not answer in time")
    } else {
        ("no_answer", "the connection ended before the provider answered")
    };
    SendError::Unknown(Fault::new(code, detail))
}

/// The fault of an answer that gives no code.
pub(super) fn unreadable(status: u16) -> Fault {
    Fault::new(format!("http_{status}"), "the provider's answer could not be read")
}

/// The first so many characters of a text.
pub(super) fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

/// The seconds of `Retry-After`, a day at most.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST_WAIT)))
}
