//! Receipts: what a centre says about one of our messages, in words that every centre writes a
//! little differently (SMPP 3.4, appendix B), or in the parameters made for it, which win.
//!
//! Dates are not believed: no centre says in which zone it writes them, so the moment at which a
//! receipt came stands for the moment it tells of. The words of our own message that a receipt
//! repeats are not read at all.

use serde::Deserialize;

use super::codes;
use super::pdu::{Deliver, c_string};

/// How the id in a receipt's words relates to the one in the answer to `submit_sm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptId {
    /// The same, letter by letter.
    #[default]
    Same,
    /// The same but for case and leading zeros.
    Loose,
    /// The answer gives a decimal number, the receipt the same in hexadecimal digits.
    Hex,
    /// The answer gives hexadecimal digits, the receipt the same number in decimal ones.
    Decimal,
}

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The id of the message, in the form of the answer to `submit_sm`.
    pub(super) id: String,
    /// `DELIVRD` and the like.
    pub(super) state: String,
    /// The operator's own code.
    pub(super) error: String,
}

/// An id as it is written, without what no id has in it.
fn written(id: &str) -> String {
    id.chars().filter(char::is_ascii_graphic).take(64).collect()
}

/// The one form of an id whose case and leading zeros do not count.
fn plain(id: &str) -> String {
    let id = written(id).to_ascii_lowercase();
    match id.trim_start_matches('0') {
        "" => id,
        rest => rest.to_owned(),
    }
}

impl ReceiptId {
    /// The id of an answer to `submit_sm` in the form in which it is kept.
    pub(super) fn of_answer(self, id: &str) -> String {
        match self {
            Self::Same => written(id),
            Self::Loose | Self::Hex | Self::Decimal => plain(id),
        }
    }

    /// The id of a receipt's words in that form.
    fn of_words(self, id: &str) -> String {
        let id = self.of_answer(id);
        let converted = match self {
            Self::Same | Self::Loose => None,
            Self::Hex => u128::from_str_radix(&id, 16).ok().map(|id| id.to_string()),
            Self::Decimal => id.parse().ok().map(|id: u128| format!("{id:x}")),
        };
        converted.unwrap_or(id)
    }
}

/// Whether a delivery is a receipt. Only the centre sets these; words alone do not make one, for
/// anybody can type them.
pub(super) fn is_receipt(deliver: &Deliver) -> bool {
    // Bits 5 to 2 of esm_class: 0001 is a receipt. Some centres set nothing but the parameters.
    deliver.esm_class & 0x3c == 0x04 || (deliver.receipted_id.is_some() && deliver.state.is_some())
}

/// Reads a receipt; `None` when it does not say which message, or nothing of it.
pub(super) fn read(deliver: &Deliver, ids: ReceiptId) -> Option<Said> {
    let words = c_string(&deliver.message);
    // By specification (5.3.2.12) this is the id as it was in the answer.
    let given = deliver.receipted_id.as_deref().map(|id| ids.of_answer(id));
    let given = given.filter(|id| !id.is_empty());
    let id = given.or_else(|| field(&words, "id").map(|id| ids.of_words(id)))?;
    let state = match deliver.state {
        Some(number) => codes::state(number).to_owned(),
        None => field(&words, "stat")?.to_ascii_uppercase(),
    };
    let error = field(&words, "err").unwrap_or_default().to_owned();
    let short = |text: String| text.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    (!id.is_empty()).then(|| Said { id, state: short(state), error: short(error) })
}

/// The value behind `name:`. Read up to where the words of our message begin, so that these
/// cannot pass for fields.
fn field<'a>(words: &'a str, name: &str) -> Option<&'a str> {
    let lower = words.to_ascii_lowercase();
    let end = lower.find("text:").unwrap_or(words.len());
    let head = &lower[..end];
    let at = head.match_indices(name).map(|(at, _)| at).find(|at| {
        let is_start = head[..*at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        is_start && head[at + name.len()..].starts_with(':')
    })?;
    let value = words[at + name.len() + 1..end].trim_start();
    value.split_whitespace().next().filter(|value| !value.contains(':'))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn said(words: &[u8]) -> Option<(String, String, String)> {
        let deliver =
            Deliver { esm_class: 4, message: Bytes::copy_from_slice(words), ..Deliver::default() };
        read(&deliver, ReceiptId::Same).map(|said| (said.id, said.state, said.error))
    }

    #[test]
    fn every_way_of_writing_a_receipt_is_read() {
        for (words, expected) in [
            // As the specification has it.
            (
                "id:4A01 sub:001 dlvrd:001 submit date:2611220800 done date:2611220801 \
                 stat:DELIVRD err:000 text:halo warga",
                ("4A01", "DELIVRD", "000"),
            ),
            // Seconds in the dates, and nothing after text.
            (
                "id:77 sub:001 dlvrd:001 submit date:261122080015 done date:261122080019 \
                 stat:EXPIRED err:027 text:",
                ("77", "EXPIRED", "027"),
            ),
            // Years of four digits, no counts, no text, a UUID.
            (
                "id:0f8e2c1a-77aa-4d52-9c3e-5b1d2f3a4c5d submit date:202611220800 \
                 done date:202611220801 stat:UNDELIV err:011",
                ("0f8e2c1a-77aa-4d52-9c3e-5b1d2f3a4c5d", "UNDELIV", "011"),
            ),
            // A capital, and short numbers.
            (
                "id:00123 sub:1 dlvrd:13 submit date:2611221545 done date:2611221545 \
                 stat:REJECTD err:0 Text:\u{4}\u{1a}",
                ("00123", "REJECTD", "0"),
            ),
            // Blanks behind the colons, capital names.
            ("ID: 12 STAT: delivrd ERR: 0", ("12", "DELIVRD", "0")),
            ("id:1 stat:ACCEPTD", ("1", "ACCEPTD", "")),
            ("id:000 stat:DELIVRD", ("000", "DELIVRD", "")),
        ] {
            let (id, state, error) = said(words.as_bytes()).unwrap();
            assert_eq!((id.as_str(), state.as_str(), error.as_str()), expected, "{words}");
        }
        assert_eq!(
            said(b"id:9 stat:DELIVRD err:000 text:\xff\xfe\x00 stat:UNDELIV"),
            Some(("9".into(), "DELIVRD".into(), "000".into()))
        );
    }

    #[test]
    fn words_that_name_no_message_or_no_state_are_no_receipt() {
        for words in [
            "",
            "halo",
            "id: stat:DELIVRD",
            "id:5 err:000",
            "sid:5 stat:DELIVRD",
            "text:id:1 stat:DELIVRD",
        ] {
            assert_eq!(said(words.as_bytes()), None, "{words}");
        }
    }

    #[test]
    fn parameters_win_over_words() {
        let deliver = |words: &str, id: Option<&str>, state| Deliver {
            esm_class: 0,
            message: Bytes::copy_from_slice(words.as_bytes()),
            receipted_id: id.map(str::to_owned),
            state,
            ..Deliver::default()
        };
        let both = deliver("id:5000 stat:DELIVRD err:000", Some("6000"), Some(6));
        assert!(is_receipt(&both));
        let said = read(&both, ReceiptId::Same).unwrap();
        assert_eq!((said.id.as_str(), said.state.as_str()), ("6000", "ACCEPTD"));
        for words in ["", "362d9701 2"] {
            let said = read(&deliver(words, Some("362d9701"), Some(2)), ReceiptId::Hex).unwrap();
            assert_eq!((said.id.as_str(), said.state.as_str()), ("362d9701", "DELIVRD"));
        }
    }

    #[test]
    fn what_a_citizen_types_is_no_receipt_however_it_looks() {
        let words = Bytes::from_static(b"id:5000 stat:DELIVRD err:000");
        assert!(!is_receipt(&Deliver { message: words, ..Deliver::default() }));
        // Reply path, header bit and messaging mode do not matter; other message types do.
        for (esm_class, is) in
            [(0x04, true), (0xc7, true), (0x00, false), (0x08, false), (0x20, false)]
        {
            assert_eq!(is_receipt(&Deliver { esm_class, ..Deliver::default() }), is, "{esm_class}");
        }
    }

    #[test]
    fn an_id_is_the_same_in_answer_and_receipt_whatever_its_form() {
        for (ids, answer, receipt) in [
            (ReceiptId::Same, "000000A1", "000000A1"),
            (ReceiptId::Loose, "000000A1", "a1"),
            (ReceiptId::Loose, "161", "00161"),
            (ReceiptId::Hex, "161", "000000A1"),
            (ReceiptId::Decimal, "000000A1", "0000000161"),
            (ReceiptId::Decimal, "a-b", "A-B"),
            (ReceiptId::Hex, "xyz", "XYZ"),
        ] {
            assert_eq!(ids.of_words(receipt), ids.of_answer(answer), "{ids:?} {answer}");
        }
        assert_eq!(ReceiptId::Same.of_answer("000000A1"), "000000A1");
        assert_ne!(ReceiptId::Same.of_words("a1"), "000000A1");
        assert_eq!(plain("0"), "0");
        assert_eq!(plain(&"9".repeat(200)).len(), 64);
    }

    proptest! {
        #[test]
        fn any_words_are_read_without_complaint(words in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = said(&words);
        }

        #[test]
        fn any_text_with_fields_in_it_is_read_without_complaint(words in "(id:|stat:|text:|İ|ß|[ -~]){0,20}") {
            let _ = said(words.as_bytes());
        }
    }
}
