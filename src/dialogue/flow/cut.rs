//! Cuts a long text into messages, at the end of a line or a sentence where that is possible.

use crate::dialogue::line::{MAX_CHARS, MAX_SMS_UNITS, sms_units};

/// Messages that one answer may take.
pub(in crate::dialogue) const MOST: usize = 3;

/// The messages that a text takes; an empty text takes none.
pub(in crate::dialogue) fn messages(text: &str, is_sms: bool) -> Vec<String> {
    let fits = |text: &str| {
        if is_sms { sms_units(text) <= MAX_SMS_UNITS } else { text.chars().count() <= MAX_CHARS }
    };
    if text.trim().is_empty() {
        return Vec::new();
    }
    if fits(text) {
        return vec![text.to_owned()];
    }
    let mut packed = Vec::new();
    let mut last = String::new();
    for line in text.split_inclusive('\n') {
        let pieces =
            if fits(line.trim_end()) { vec![line.to_owned()] } else { sentences(line, &fits) };
        for piece in pieces {
            let joined = format!("{last}{piece}");
            if fits(joined.trim_end()) {
                last = joined;
            } else {
                packed.push(std::mem::replace(&mut last, piece));
            }
        }
    }
    packed.push(last);
    packed.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// The sentences of a line; one that is too long by itself, word by word.
fn sentences(line: &str, fits: &impl Fn(&str) -> bool) -> Vec<String> {
    let mut pieces = Vec::new();
    for sentence in line.split_inclusive(". ") {
        if fits(sentence.trim_end()) {
            pieces.push(sentence.to_owned());
        } else {
            pieces.extend(sentence.split_inclusive(' ').map(str::to_owned));
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_whole_and_nothing_is_no_message() {
        assert_eq!(messages("Gratis.", true), ["Gratis."]);
        assert!(messages(" \n", true).is_empty());
    }

    #[test]
    fn a_long_text_is_cut_between_lines_or_sentences_and_loses_no_word() {
        let sentence = "Bawa surat kehilangan dari kepolisian dan kartu keluarga ke kecamatan. ";
        for text in [sentence.repeat(15), format!("{}\n", sentence.trim()).repeat(15)] {
            let cut = messages(&text, true);
            assert_eq!(cut.len(), 3);
            assert!(cut.iter().all(|text| sms_units(text) <= MAX_SMS_UNITS && text.ends_with('.')));
            let words = |text: &str| text.split_whitespace().count();
            assert_eq!(cut.iter().map(|text| words(text)).sum::<usize>(), words(&text));
        }
    }

    #[test]
    fn one_endless_sentence_is_cut_between_words() {
        let cut = messages(&"kata ".repeat(300), true);
        assert!(cut.len() > 1 && cut.iter().all(|text| sms_units(text) <= MAX_SMS_UNITS));
    }
}
