//! How every sentence is written, whatever it says: calm, plain, and never like a scam.
//!
//! These rules only look and report; nothing is put right in silence.

use std::collections::BTreeSet;

use super::problem::Problem;
use super::segment::{Encoding, segments, to_gsm};
use super::text::Text;

/// Words that only a scammer uses, or that would tell a neighbour what is wrong with the data.
const FORBIDDEN: &[&str] = &["otp", "pin", "transfer", "ganda", "duplikat"];

/// How every sentence is written, whatever it says.
pub(super) fn check(text: &Text, capitals: Option<&BTreeSet<String>>, problems: &mut Vec<Problem>) {
    let mut report = |offset: usize, what: String, hint: &str| {
        problems.push(Problem::new(text.file(), what, hint).at(text.source(), offset));
    };
    for (start, piece) in text.pieces() {
        if let Some(found) = piece.find('!') {
            report(start + found, "an exclamation mark".into(), "calm sentences end with a dot");
        }
        if let Some((found, c)) = piece.char_indices().find(|(_, c)| c.is_control() && *c != '\n') {
            report(start + found, format!("the character {c:?}"), "use plain spaces");
        }
        for (found, word) in words(piece, char::is_alphabetic) {
            let lower = word.to_lowercase();
            if FORBIDDEN.contains(&lower.as_str()) {
                report(start + found, format!("the word {word}"), "say it without that word");
            }
            let is_shouted = word.chars().count() > 1 && word.chars().all(char::is_uppercase);
            if is_shouted && capitals.is_some_and(|known| !known.contains(word)) {
                let hint = "write it small, or add an abbreviation to capitals in vocabulary.toml";
                report(start + found, format!("{word} in capitals"), hint);
            }
        }
        for (found, word) in words(piece, |c| !c.is_whitespace()) {
            if looks_like_link(word) {
                let hint = "no links; write a space after a dot";
                report(start + found, format!("{word} looks like a link"), hint);
            }
        }
    }
    let emoji = text.source().chars().filter(|c| is_emoji(*c)).count();
    if emoji > 1 {
        report(0, format!("{emoji} emoji"), "one at most");
    }
}

/// Runs of characters of one sort, with where each begins.
pub(super) fn words(piece: &str, is_part: impl Fn(char) -> bool) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = 0;
    for chunk in piece.split_inclusive(|c| !is_part(c)) {
        let word = chunk.trim_end_matches(|c| !is_part(c));
        if !word.is_empty() {
            found.push((start, word));
        }
        start += chunk.len();
    }
    found
}

/// Phones make a link of whatever has a dot between letters, so that is what counts.
fn looks_like_link(word: &str) -> bool {
    let lower = word.to_lowercase();
    if lower.contains("://") || lower.starts_with("www") || lower.starts_with("http") {
        return true;
    }
    let labels: Vec<&str> = lower.split('.').collect();
    labels.windows(2).any(|pair| {
        pair[0].ends_with(char::is_alphanumeric)
            && pair[1].chars().take_while(|c| c.is_alphabetic()).count() >= 2
    })
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}')
}

/// That an SMS text needs no alphabet with only 70 characters.
pub(super) fn check_gsm(file: &str, words: &str, problems: &mut Vec<Problem>) {
    let plain = to_gsm(words);
    if segments(&plain).encoding == Encoding::Ucs2 {
        let odd = plain.chars().find(|c| segments(&c.to_string()).encoding == Encoding::Ucs2);
        let what = format!("the character {:?} makes an SMS short and dear", odd.unwrap_or(' '));
        problems.push(Problem::new(file, what, "use letters, digits and plain punctuation"));
    }
}
