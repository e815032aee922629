//! How many parts an SMS has: the alphabet it needs, its length in that alphabet, and the splits.
//!
//! Nothing is sent or cut here; gateways do the splitting, this only foretells it.

use crate::domain::gsm7::septets;

/// The alphabet in which a text travels. One character outside GSM-7 turns the whole text to UCS-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The default alphabet of GSM 03.38: 160 septets in one part, 153 in each of several.
    Gsm7,
    /// UTF-16: 70 units in one part, 67 in each of several.
    Ucs2,
}

/// What a text costs as an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The alphabet.
    pub encoding: Encoding,
    /// Septets or UTF-16 units of the whole text.
    pub units: usize,
    /// Messages that will be charged. An empty text is still one.
    pub parts: usize,
}

/// Counts a text as an SMS. An escape pair or a surrogate pair never straddles two parts, so a
/// part may end one unit early.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let gsm: Option<Vec<usize>> = text.chars().map(septets).collect();
    let (encoding, costs, single, each) = match gsm {
        Some(costs) => (Encoding::Gsm7, costs, 160, 153),
        None => (Encoding::Ucs2, text.chars().map(char::len_utf16).collect(), 70, 67),
    };
    let units = costs.iter().sum();
    let mut parts = 1;
    if units > single {
        let mut used = 0;
        for cost in costs {
            if used + cost > each {
                parts += 1;
                used = 0;
            }
            used += cost;
        }
    }
    Segments { encoding, units, parts }
}

/// Replaces what word processors and keyboards put in for plain signs, so that one curly quote
/// does not more than double the price of an SMS. What has no plain form is left as it is.
#[must_use]
pub fn to_gsm(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if septets(c).is_some() {
            plain.push(c);
            continue;
        }
        match c {
            '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' | 'ʼ' | 'ʻ' | 'ʿ' | 'ʾ' => {
                plain.push('\'');
            }
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' => plain.push('"'),
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '•' | '·' => plain.push('-'),
            '…' => plain.push_str("..."),
            '×' => plain.push('x'),
            'á' | 'â' | 'ã' => plain.push('a'),
            'ê' | 'ë' => plain.push('e'),
            'í' | 'î' | 'ï' => plain.push('i'),
            'ó' | 'ô' | 'õ' => plain.push('o'),
            'ú' | 'û' => plain.push('u'),
            'ç' => plain.push('c'),
            // Shown as nothing, and yet each would force UCS-2.
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe0f}' | '\u{ad}' => {}
            _ if c.is_whitespace() => plain.push(' '),
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(text: &str) -> (Encoding, usize, usize) {
        let found = segments(text);
        (found.encoding, found.units, found.parts)
    }

    #[test]
    fn the_limits_of_one_and_of_several_parts_are_met_exactly() {
        use Encoding::{Gsm7, Ucs2};
        assert_eq!(counted(""), (Gsm7, 0, 1));
        assert_eq!(counted(&"a".repeat(160)), (Gsm7, 160, 1));
        assert_eq!(counted(&"a".repeat(161)), (Gsm7, 161, 2));
        assert_eq!(counted(&"a".repeat(306)), (Gsm7, 306, 2));
        assert_eq!(counted(&"a".repeat(307)), (Gsm7, 307, 3));
        assert_eq!(counted(&"Ж".repeat(70)), (Ucs2, 70, 1));
        assert_eq!(counted(&"Ж".repeat(71)), (Ucs2, 71, 2));
        assert_eq!(counted(&"Ж".repeat(135)), (Ucs2, 135, 3));
    }

    #[test]
    fn an_extension_character_costs_two_and_does_not_straddle_parts() {
        assert_eq!(counted(&"€".repeat(80)), (Encoding::Gsm7, 160, 1));
        // 76 pairs fill 152 of 153 septets; the 77th moves on as a whole.
        assert_eq!(counted(&"€".repeat(152)), (Encoding::Gsm7, 304, 2));
        assert_eq!(counted(&"€".repeat(153)), (Encoding::Gsm7, 306, 3));
    }

    #[test]
    fn a_surrogate_pair_costs_two_and_does_not_straddle_parts() {
        assert_eq!(counted(&"😀".repeat(35)), (Encoding::Ucs2, 70, 1));
        // 33 pairs fill 66 of 67 units.
        assert_eq!(counted(&"😀".repeat(66)), (Encoding::Ucs2, 132, 2));
        assert_eq!(counted(&"😀".repeat(67)), (Encoding::Ucs2, 134, 3));
    }

    #[test]
    fn typographic_signs_become_plain_ones() {
        let text = "‘Nur’aini’ – “siap”…\u{a0}08.00–15.00\u{200b} • José Ngurah";
        let plain = to_gsm(text);
        assert_eq!(plain, "'Nur'aini' - \"siap\"... 08.00-15.00 - José Ngurah");
        assert_eq!(segments(&plain).encoding, Encoding::Gsm7);
        assert_eq!(to_gsm("Ж😀"), "Ж😀");
    }

    proptest! {
        #[test]
        fn parts_always_hold_the_units_and_are_never_one_too_many(text in ".{0,400}") {
            let found = segments(&text);
            let (single, each) = match found.encoding {
                Encoding::Gsm7 => (160, 153),
                Encoding::Ucs2 => (70, 67),
            };
            prop_assert_eq!(found.parts == 1, found.units <= single);
            prop_assert!(found.units <= single || found.units <= found.parts * each);
            // A part ends at most one unit early.
            prop_assert!(found.parts == 1 || found.units > (found.parts - 1) * (each - 1));
        }

        #[test]
        fn making_a_text_plain_twice_changes_nothing_more(text in ".{0,200}") {
            let once = to_gsm(&text);
            prop_assert_eq!(to_gsm(&once), once.clone());
        }
    }
}
