//! Phone numbers, from every way an Indonesian office writes them to E.164.
//!
//! Tells mobile numbers, which can receive messages, from landlines and foreign ones, and refuses
//! whatever could be read as two different numbers: a message to a stranger is worse than none.
//! Never shows a number; what officers may see of it is [`PhoneNumber::masked`].

use std::fmt;

/// A phone number in E.164, like `+6281234567890`. Masks itself wholly in `Debug`; has no
/// `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

/// Why a text is no number that messages could go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PhoneError {
    /// Nothing was given, or a word or dash that says so.
    #[error("no phone number is given")]
    Empty,
    /// A fixed line or service number of Indonesia.
    #[error("this is a landline, which cannot receive messages; ask for a mobile number")]
    Landline,
    /// A number of another country.
    #[error("this is a number of another country; ask for an Indonesian mobile number")]
    Foreign,
    /// Digits were lost or hidden.
    #[error("digits of the phone number are lost or hidden; fill it in again as text")]
    Damaged,
    /// A mobile number with digits missing.
    #[error("the phone number has too few digits; ask for it again")]
    TooShort,
    /// A number with digits too many.
    #[error("the phone number has too many digits; ask for it again")]
    TooLong,
    /// Nothing like a phone number.
    #[error("this is not a phone number; ask for one like 0812-3456-7890")]
    NotANumber,
}

impl PhoneError {
    /// The reason in one word, as it is stored and shown in the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Landline => "landline",
            Self::Foreign => "foreign",
            Self::Damaged => "damaged",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::NotANumber => "not_a_number",
        }
    }
}

impl PhoneNumber {
    /// Reads the Indonesian mobile number out of a cell or field, in whatever way it is written;
    /// of several numbers the first usable one. The first foreign number a process meets costs
    /// some 50 ms, in which the numbering plans of the world are loaded.
    ///
    /// # Errors
    /// [`PhoneError`] with what the text seems to be instead.
    pub fn parse(raw: &str) -> Result<Self, PhoneError> {
        // No cell holds more than a handful of numbers.
        let raw: String = raw.chars().take(200).collect();
        let raw = raw.trim().trim_start_matches(['\'', '’', '`']);
        if says_none(raw) {
            return Err(PhoneError::Empty);
        }
        if is_scientific(raw) {
            return Err(PhoneError::Damaged);
        }
        let mut first_error = PhoneError::NotANumber;
        for piece in pieces(without_decimals(raw)) {
            match read_piece(&piece) {
                Ok(found) => return Ok(found),
                Err(error) if first_error == PhoneError::NotANumber => first_error = error,
                Err(_) => {}
            }
        }
        Err(first_error)
    }

    /// Takes a number as a provider names the writer of a message: `6281234567890`, `+1555…`. Any
    /// country is kept, for a citizen abroad may write too.
    ///
    /// # Errors
    /// [`PhoneError`] when it has not 8 to 15 digits, or anything else between them.
    pub fn parse_international(raw: &str) -> Result<Self, PhoneError> {
        let digits = digits_of(raw);
        if raw.contains(char::is_alphabetic) {
            return Err(PhoneError::NotANumber);
        }
        if digits.starts_with('0') {
            // Some gateways pass on what the network gave them: 0812…, or 0062812….
            return Self::parse(raw);
        }
        match digits.len() {
            0 if raw.trim().is_empty() => Err(PhoneError::Empty),
            0 => Err(PhoneError::NotANumber),
            1..8 => Err(PhoneError::TooShort),
            8..=15 => Ok(Self(format!("+{digits}"))),
            16.. => Err(PhoneError::TooLong),
        }
    }

    /// The whole number in E.164, where it is really needed.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What an officer may see of it: `+62 812-****-**90`.
    #[must_use]
    pub fn masked(&self) -> String {
        let last = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default();
        match self.0.strip_prefix("+62").and_then(|national| national.get(..3)) {
            Some(operator) => format!("+62 {operator}-****-**{last}"),
            None => format!("{} ****-**{last}", self.0.get(..3).unwrap_or_default()),
        }
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

/// Whether the text says that there is no phone: a dash, a zero, or a word.
fn says_none(raw: &str) -> bool {
    const WORDS: [&str; 12] = [
        "",
        "tidakada",
        "tdkada",
        "takada",
        "gakada",
        "tidakpunya",
        "belumada",
        "kosong",
        "nihil",
        "na",
        "null",
        "none",
    ];
    let digits = digits_of(raw);
    if !digits.is_empty() {
        return raw.chars().all(|c| !c.is_alphanumeric() || c == '0');
    }
    let word: String = raw.chars().filter(|c| c.is_alphanumeric()).collect();
    WORDS.contains(&word.to_lowercase().as_str())
}

/// `8.12E+10`, `6,28123E+12`: what a spreadsheet shows of a number too wide for its column.
fn is_scientific(raw: &str) -> bool {
    raw.split_once(['e', 'E']).is_some_and(|(mantissa, exponent)| {
        mantissa.starts_with(|c: char| c.is_ascii_digit())
            && mantissa.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
            && exponent.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'))
    })
}

/// Drops the `.0` that a number gets on its way through a floating point column. Up to 15 digits
/// survive that way unharmed, and no mobile number has more.
fn without_decimals(raw: &str) -> &str {
    match raw.split_once(['.', ',']) {
        Some((whole, decimals))
            if matches!(decimals, "0" | "00")
                && whole.len() > 8
                && whole.bytes().all(|b| b.is_ascii_digit()) =>
        {
            whole
        }
        _ => raw,
    }
}

/// Cuts at words and at signs that no number has in it: `HP: 0812… (ibu), WA 0857…` has two pieces
/// with digits in them. A digit that is hidden or misread leaves a `*` in its piece.
fn pieces(raw: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut previous = ' ';
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        // A bracket behind a whole number is a remark: `081234567890 (2)`.
        let is_remark = matches!(c, '(' | '[') && digits_of(&piece).len() >= 9;
        if previous.is_ascii_digit() && is_lost_digit(c, rest.peek().copied()) {
            piece.push('*');
        } else if is_within_number(c) && !is_remark {
            piece.push(c);
        } else {
            pieces.push(std::mem::take(&mut piece));
        }
        previous = c;
    }
    pieces.push(piece);
    pieces.retain(|piece| piece.contains(|c: char| c.is_ascii_digit()));
    pieces
}

/// Whether what follows a digit stands for another one, as in `0812-3456-78xx` and `0812o456`.
fn is_lost_digit(c: char, next: Option<char>) -> bool {
    matches!(c, '*' | '?' | 'x' | 'X' | 'o' | 'O' | 'l' | 'I')
        || (c.is_numeric() && !c.is_ascii_digit())
        || (c.is_alphabetic() && next.is_some_and(|next| next.is_ascii_digit()))
}

/// Whether a character may stand in a number or between two numbers: digits, white space, usual
/// punctuation, all sorts of dashes, and marks without a shape.
const fn is_within_number(c: char) -> bool {
    c.is_ascii_digit()
        || c.is_whitespace()
        || matches!(c, '+' | '.' | ',' | '-' | '_' | '(' | ')' | '/' | '\\' | ';' | '|' | '&')
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{AD}' | '\u{FEFF}')
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}')
}

/// Reads a piece without words: as one number if it can be one, otherwise number by number.
fn read_piece(piece: &str) -> Result<PhoneNumber, PhoneError> {
    if piece.contains('*') {
        return Err(PhoneError::Damaged);
    }
    let parts: Vec<&str> = piece
        .split(['/', '\\', ';', '|', ',', '&', '\n', '\r'])
        .filter(|part| part.contains(|c: char| c.is_ascii_digit()))
        .collect();
    // `0812/3456/7890` is one number; `0812345678/9` means that one or the other digit is last.
    let is_joinable = parts.iter().skip(1).all(|part| digits_of(part).len() >= 3);
    let mut first_error = PhoneError::NotANumber;
    if is_joinable || parts.len() == 1 {
        match read_number(piece) {
            Ok(found) => return Ok(found),
            Err(error) if parts.len() == 1 && error != PhoneError::TooLong => return Err(error),
            Err(error) => first_error = error,
        }
    }
    for part in &parts {
        match read_number(part).or_else(|error| first_of_run(part).ok_or(error)) {
            Ok(found) => return Ok(found),
            Err(error) if first_error != PhoneError::Landline => first_error = error,
            Err(_) => {}
        }
    }
    Err(first_error)
}

/// The first of several numbers set apart by nothing but white space: the shortest beginning that
/// is a mobile number, provided that what follows looks like the beginning of the next.
fn first_of_run(part: &str) -> Option<PhoneNumber> {
    let groups: Vec<&str> = part.split_whitespace().collect();
    (1..groups.len())
        .filter(|&at| {
            let next = groups[at].trim_start_matches('(');
            ["0", "62", "+62", "8"].iter().any(|start| next.starts_with(start))
        })
        .find_map(|at| read_number(&groups[..at].join(" ")).ok())
}

/// Reads digits with any punctuation between them as exactly one number.
fn read_number(text: &str) -> Result<PhoneNumber, PhoneError> {
    let mut digits = digits_of(text);
    let mut is_international =
        text.split(|c: char| c.is_ascii_digit()).next().is_some_and(|before| before.contains('+'));
    if text.matches('+').count() > 1 {
        return Err(PhoneError::TooLong);
    }
    if let Some(rest) = digits.strip_prefix("00") {
        digits = rest.to_owned();
        is_international = true;
    }
    if let Some(national) = digits.strip_prefix("62") {
        return national_number(national.trim_start_matches('0'));
    }
    if let Some(national) = digits.strip_prefix('0') {
        return national_number(national);
    }
    if is_international {
        return Err(if is_foreign(&digits) { PhoneError::Foreign } else { PhoneError::NotANumber });
    }
    if digits.starts_with('8') {
        return national_number(&digits);
    }
    let could_be_foreign = (10..=15).contains(&digits.len());
    Err(if could_be_foreign && is_foreign(&digits) {
        PhoneError::Foreign
    } else {
        PhoneError::NotANumber
    })
}

/// Sorts a number of Indonesia, given without its leading zero. Mobile numbers begin with 811 to
/// 899 and have 9 to 12 digits.
fn national_number(digits: &str) -> Result<PhoneNumber, PhoneError> {
    let mut leading = digits.bytes();
    match (leading.next(), leading.next()) {
        (Some(b'8'), None) => Err(PhoneError::TooShort),
        (Some(b'8'), Some(b'1'..=b'9')) if !digits.starts_with("810") => match digits.len() {
            ..9 => Err(PhoneError::TooShort),
            9..=12 => Ok(PhoneNumber(format!("+62{digits}"))),
            13.. => Err(PhoneError::TooLong),
        },
        // 0800, 0804 and 0809 are service numbers, 02 to 07 and 09 areas of the fixed network.
        (Some(b'2'..=b'9'), _) => match digits.len() {
            ..7 => Err(PhoneError::TooShort),
            7..=11 => Err(PhoneError::Landline),
            12.. => Err(PhoneError::TooLong),
        },
        _ => Err(PhoneError::NotANumber),
    }
}

fn is_foreign(digits: &str) -> bool {
    phonenumber::parse(None, format!("+{digits}"))
        .is_ok_and(|number| number.code().value() != 62 && number.is_valid())
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PhoneError as E;
    use super::*;

    fn read(raw: &str) -> Result<String, PhoneError> {
        PhoneNumber::parse(raw).map(|phone| phone.0)
    }

    fn read_wa(raw: &str) -> Result<String, PhoneError> {
        PhoneNumber::parse_international(raw).map(|phone| phone.0)
    }

    #[test]
    fn every_indonesian_way_of_writing_gives_one_number() {
        let ways = "081234567890 | 0812-3456-7890 | 0812 3456 7890 | 0812.3456.7890 | \
            0812/3456/7890 | (0812) 3456-7890 | 0812\u{a0}3456\u{2011}7890 | 6281234567890 | \
            +6281234567890 | +62 812-3456-7890 | +62 (0)812 3456 7890 | (+62) 812 3456 7890 | \
            62-0812-3456-7890 | 006281234567890 | 81234567890 | 812-3456-7890 | \
            '081234567890 | 81234567890.0 | 6281234567890,0 | 81,234,567,890 | \
            WA: 0812-3456-7890 | wa 0812-3456-7890. | HP. 081234567890 | No.HP 081234567890 | \
            WA081234567890 | 081234567890 (ibu) | 081234567890 a.n. Siti anak ke-2 | \
            \u{202a}+62 812-3456-7890\u{202c} | tel:+62-812-3456-7890";
        for raw in ways.split(" | ") {
            assert_eq!(read(raw).as_deref(), Ok("+6281234567890"), "{raw}");
        }
    }

    #[test]
    fn of_two_numbers_in_one_cell_the_first_usable_is_taken() {
        let ways = "081234567890/085712345678 | 081234567890 / 085712345678 | \
            081234567890, 085712345678 | 081234567890;085712345678 | \
            081234567890 085712345678 | 0812 3456 7890 0857 1234 5678 | \
            081234567890\n085712345678 | 081234567890 atau 085712345678 | \
            HP 081234567890 WA 085712345678 | +6281234567890 +6285712345678 | \
            +6281234567890+6285712345678 / 081234567890 | 021-5551234 / 081234567890 | \
            (0321) 861234, 081234567890 | 0812345 / 081234567890 | \
            08123456xxxx / 081234567890 | 081234567890/91 | \
            081234567890 (2) | 081234567890 [1] | 081234567890#2 | 081234567890(085712345678)";
        for raw in ways.split(" | ") {
            assert_eq!(read(raw).as_deref(), Ok("+6281234567890"), "{raw}");
        }
        assert_eq!(read("0812 345 678 0857 123 456").as_deref(), Ok("+62812345678"));
        assert_eq!(read("0812345678/9").as_deref(), Ok("+62812345678"));
    }

    #[test]
    fn landlines_and_service_numbers_are_told_apart() {
        for raw in
            ["021-5551234", "(0321) 861234", "+62 21 555 1234", "622155512345", "0800-1234567"]
        {
            assert_eq!(read(raw), Err(E::Landline), "{raw}");
        }
        assert_eq!(read("rumah 0321-861234 / 0321-861235"), Err(E::Landline));
        assert_eq!(E::Landline.as_str(), "landline");
    }

    #[test]
    fn foreign_numbers_are_told_apart() {
        for raw in
            ["+60 12-345 6789", "0060123456789", "60123456789", "+966 50 123 4567", "+886912345678"]
        {
            assert_eq!(read(raw), Err(E::Foreign), "{raw}");
        }
        assert_eq!(E::Foreign.as_str(), "foreign");
    }

    #[test]
    fn damage_is_recognised_before_anything_is_guessed() {
        for raw in [
            "8.12346E+10",
            "6,28123E+12",
            "8,1E10",
            "0812-3456-78xx",
            "0812345678*",
            "08123o456789",
            "0812????7890",
            "0812345678A90",
            "0812345678９0",
        ] {
            assert_eq!(read(raw), Err(E::Damaged), "{raw}");
        }
    }

    #[test]
    fn numbers_of_a_wrong_length_say_so() {
        for raw in ["08123456", "0812 3456 7", "+62 812", "8"] {
            assert_eq!(read(raw), Err(E::TooShort), "{raw}");
        }
        for raw in ["08123456789012", "+62 812 3456 7890 123"] {
            assert_eq!(read(raw), Err(E::TooLong), "{raw}");
        }
        assert_eq!(read("081234567").as_deref(), Err(&E::TooShort));
        assert_eq!(read("0812345678").as_deref(), Ok("+62812345678"));
        assert_eq!(read("0812345678901").as_deref(), Ok("+62812345678901"));
    }

    #[test]
    fn no_phone_is_something_else_than_a_wrong_one() {
        for raw in
            ["", "  ", "-", "--", "'", "0", "000", "tidak ada", "Tdk. ada", "N/A", "null", "kosong"]
        {
            assert_eq!(read(raw), Err(E::Empty), "{raw:?}");
        }
        for raw in [
            "Siti Aminah",
            "RT 02 RW 03",
            "3517091208560001",
            "1500537",
            "+",
            "ada",
            "0810123456789",
        ] {
            assert!(
                matches!(read(raw), Err(E::NotANumber | E::Empty | E::TooLong | E::TooShort)),
                "{raw}"
            );
        }
        assert_eq!(read("3517091208560001"), Err(E::NotANumber));
        assert_eq!(read("ada"), Err(E::NotANumber));
    }

    #[test]
    fn mobile_prefixes_run_from_0811_to_0899() {
        for prefix in 811..=899 {
            assert!(read(&format!("0{prefix}1234567")).is_ok(), "{prefix}");
        }
        assert!(read("08101234567").is_err());
        assert!(read("08001234567").is_err());
    }

    #[test]
    fn who_writes_to_us_may_be_anywhere() {
        assert_eq!(read_wa("6281234567890").as_deref(), Ok("+6281234567890"));
        assert_eq!(read_wa("+6281234567890").as_deref(), Ok("+6281234567890"));
        assert_eq!(read_wa("15550783881").as_deref(), Ok("+15550783881"));
        assert_eq!(read_wa("+1 555-078-3881").as_deref(), Ok("+15550783881"));
        assert_eq!(read_wa("081234567890").as_deref(), Ok("+6281234567890"));
        assert_eq!(read_wa("62215551234").as_deref(), Ok("+62215551234"));
        assert_eq!(read_wa(""), Err(E::Empty));
        assert_eq!(read_wa("TELKOMSEL"), Err(E::NotANumber));
        assert_eq!(read_wa("ID.1234567890"), Err(E::NotANumber));
        assert_eq!(read_wa("3636"), Err(E::TooShort));
        assert_eq!(read_wa("1234567890123456"), Err(E::TooLong));
    }

    #[test]
    fn the_same_phone_is_the_same_number_from_a_list_and_from_whatsapp() {
        assert_eq!(
            PhoneNumber::parse("0812-3456-7890"),
            PhoneNumber::parse_international("6281234567890")
        );
    }

    #[test]
    fn only_the_operator_and_two_digits_are_shown() {
        let phone = PhoneNumber::parse("0812-3456-7890").unwrap();
        assert_eq!(phone.masked(), "+62 812-****-**90");
        assert_eq!(format!("{phone:?}"), "PhoneNumber(…)");
        let foreign = PhoneNumber::parse_international("15550783881").unwrap();
        assert_eq!(foreign.masked(), "+15 ****-**81");
    }

    proptest! {
        #[test]
        fn any_punctuation_between_the_digits_gives_the_same_number(
            rest in "[1-9][0-9]{7,10}",
            gaps in prop::collection::vec(prop::sample::select(vec!["", "", "", " ", "-", ".", "\u{a0}", ") "]), 16),
            start in prop::sample::select(vec!["0", "+62", "62", "0062", "+62 (0)", ""]),
        ) {
            prop_assume!(!rest.starts_with("10"));
            let mut raw = format!("{start}8");
            for (digit, gap) in rest.chars().zip(&gaps) {
                raw.push_str(gap);
                raw.push(digit);
            }
            // Zeros behind one point are the decimals of a cell, not the end of the number.
            let is_decimal = |(_, end): (&str, &str)| end.chars().all(|c| c == '0');
            prop_assume!(!raw.rsplit_once('.').is_some_and(is_decimal));
            prop_assert_eq!(read(&raw), Ok(format!("+628{rest}")));
        }

        #[test]
        fn what_is_taken_reads_back_as_itself(raw in "[0-9+()/ .xEea,;-]{0,40}|.{0,40}") {
            if let Ok(phone) = PhoneNumber::parse(&raw) {
                prop_assert!(phone.expose().starts_with("+628"));
                prop_assert_eq!(PhoneNumber::parse(phone.expose()), Ok(phone.clone()));
                prop_assert_eq!(PhoneNumber::parse_international(phone.expose()), Ok(phone));
            }
        }
    }
}
