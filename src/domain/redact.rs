//! Takes out of a text what must never be stored: NIK, phone numbers, one-time codes.
//!
//! Stands between what citizens and providers write and everything that keeps it. When in doubt
//! it takes out too much: a lost price is an annoyance, a kept NIK is a breach. It never tells
//! what it took out.

use std::fmt;
use std::ops::Range;

const NIK: &str = "[NIK]";
const PHONE: &str = "[nomor]";
const CODE: &str = "[kode]";
const DIGITS: &str = "[…]";

/// Longest text kept, in characters; WhatsApp allows 4,096 in one message.
const MAX_CHARS: usize = 4096;
/// Digits of a NIK and of a family card's number.
const NIK_DIGITS: usize = 16;
/// How many groups of digits ahead a NIK may begin and still come first.
const LOOK_AHEAD: usize = 16;
/// How far from a code, in characters, the word stands that says it is one.
const NEAR: usize = 40;

/// A citizen's text that may be stored. Still their words: masks itself in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text, with `[NIK]`, `[nomor]` and `[kode]` where something was taken out.
    pub text: String,
    /// Whether something like a NIK or a family card's number was among it, now or at an earlier
    /// redaction.
    pub had_nik: bool,
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let characters = self.text.chars().count();
        write!(f, "Redacted({characters} characters, had_nik: {})", self.had_nik)
    }
}

/// Whether something was taken out of a text that was redacted.
#[must_use]
pub fn is_marked(text: &str) -> bool {
    [NIK, PHONE, CODE, DIGITS].iter().any(|mark| text.contains(mark))
}

/// Takes numbers that name or open something out of a citizen's text, however they are spaced and
/// in whatever digits they are written. Control characters go as well, line breaks stay.
#[must_use]
pub fn redact(text: &str) -> Redacted {
    // A number across the end is seen whole before the text is cut.
    let chars: Vec<char> = text.chars().filter_map(kept).take(MAX_CHARS + 256).collect();
    let mut out = String::with_capacity(chars.len());
    let mut had_nik = false;
    let mut written = 0;
    let joins = |between: &[char]| between.len() <= 3 && !between.iter().any(|c| c.is_alphabetic());
    for run in runs(&chars, joins) {
        let mut at = 0;
        while at < run.len() {
            let (count, mark) = judge(&chars, &run, at);
            if let Some(mark) = mark {
                out.extend(&chars[written..run[at].place.start]);
                out.push_str(mark);
                written = run[at + count - 1].place.end;
                had_nik |= mark == NIK;
            }
            at += count;
        }
    }
    out.extend(&chars[written..]);
    let end = out.char_indices().nth(MAX_CHARS).map_or(out.len(), |(end, _)| end);
    out.truncate(end);
    // Redacted at the door already, it must still be known here.
    had_nik |= out.contains(NIK);
    Redacted { text: out, had_nik }
}

/// Takes every run of eight or more digits out of a provider's error text, which likes to repeat
/// the number it could not reach, and keeps codes, dotted addresses and ports.
#[must_use]
pub fn redact_digits(text: &str) -> String {
    let chars: Vec<char> = text.chars().filter_map(kept).collect();
    let mut out = String::with_capacity(text.len());
    let mut written = 0;
    let joins =
        |between: &[char]| between.len() <= 2 && between.iter().all(|c| " -()\u{a0}".contains(*c));
    for run in runs(&chars, joins) {
        let Some((first, last)) = run.first().zip(run.last()) else { continue };
        if digits_in(&run).len() >= 8 {
            out.extend(&chars[written..first.place.start]);
            out.push_str(DIGITS);
            written = last.place.end;
        }
    }
    out.extend(&chars[written..]);
    out
}

/// Digits side by side.
struct Group {
    place: Range<usize>,
    /// The digits as `0` to `9`.
    digits: String,
}

/// What a text keeps of a character: nothing of invisible and control characters, which can hide
/// a number or break what reads the text later.
fn kept(c: char) -> Option<char> {
    match c {
        '\n' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\t' => Some(' '),
        c if c.is_control() || is_invisible(c) => None,
        c => Some(c),
    }
}

/// Marks without a shape, except the ZERO WIDTH JOINER, which holds emoji together.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}')
}

/// The digit a character stands for: in Latin, full-width, Arabic, Persian, Javanese, Balinese,
/// Sundanese and mathematical writing. Any other numeral counts as a digit of no known value.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 8] = [0x30, 0xFF10, 0x660, 0x6F0, 0xA9D0, 0x1B50, 0x1BB0, 0x966];
    let code = u32::from(c);
    let value = ZEROS
        .into_iter()
        .find_map(|zero| code.checked_sub(zero).filter(|value| *value < 10))
        .or_else(|| (0x1D7CE..=0x1D7FF).contains(&code).then(|| (code - 0x1D7CE) % 10));
    match value.and_then(|value| char::from_digit(value, 10)) {
        None if c.is_numeric() => Some('0'),
        found => found,
    }
}

/// Groups of digits in runs; `joins` says whether what stands between two groups is little enough.
fn runs(chars: &[char], joins: impl Fn(&[char]) -> bool) -> Vec<Vec<Group>> {
    let mut runs: Vec<Vec<Group>> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let digits: String = chars[at..].iter().map_while(|&c| digit(c)).collect();
        if digits.is_empty() {
            at += 1;
            continue;
        }
        let group = Group { place: at..at + digits.len(), digits };
        at = group.place.end;
        match runs.last_mut() {
            Some(run)
                if run
                    .last()
                    .is_some_and(|last| joins(&chars[last.place.end..group.place.start])) =>
            {
                run.push(group);
            }
            _ => runs.push(vec![group]),
        }
    }
    runs
}

/// How many groups from `at` on belong together, and the mark that takes their place, if any.
fn judge(chars: &[char], run: &[Group], at: usize) -> (usize, Option<&'static str>) {
    let groups = &run[at..];
    if is_date(chars, groups) && stands_alone(chars, groups) {
        return (3, None);
    }
    if let Some(count) = phone(chars, groups) {
        return (count, Some(PHONE));
    }
    let begins_known = |at: usize| nik(&run[at..]).filter(|_| has_province(&run[at..]));
    if let Some(count) = begins_known(at) {
        return (count, Some(NIK));
    }
    // A better beginning ahead keeps `RT 2/3, 3517 0912 …` from being cut at the wrong place.
    let ahead = (at + 1..run.len()).take(LOOK_AHEAD).any(|later| begins_known(later).is_some());
    if let Some(count) = nik(groups).filter(|_| !ahead) {
        return (count, Some(NIK));
    }
    if let Some(count) = one_time_code(chars, groups) {
        return (count, Some(CODE));
    }
    match groups[0].digits.len() {
        15.. => (1, Some(NIK)),
        9..=14 => (1, Some(PHONE)),
        // A NIK with a digit lost or doubled, in groups.
        _ if (15..=17).contains(&digits_in(groups).len()) && !ahead => (groups.len(), Some(NIK)),
        _ => (1, None),
    }
}

fn digits_in(groups: &[Group]) -> String {
    groups.iter().map(|group| group.digits.as_str()).collect()
}

/// How many groups make exactly the digits of a NIK.
fn nik(groups: &[Group]) -> Option<usize> {
    let mut digits = 0;
    for (index, group) in groups.iter().enumerate() {
        digits += group.digits.len();
        if digits >= NIK_DIGITS {
            return (digits == NIK_DIGITS).then_some(index + 1);
        }
    }
    None
}

fn has_province(groups: &[Group]) -> bool {
    let first = digits_in(&groups[..groups.len().min(2)]);
    let first: String = first.chars().take(2).collect();
    super::area::AreaCode::parse(&first).is_ok_and(|area| area.has_known_province())
}

/// Whether this begins with a date like `21-11-2026` or `2026-11-21`.
fn is_date(chars: &[char], groups: &[Group]) -> bool {
    let [a, b, c, ..] = groups else { return false };
    let is_year = |g: &Group| {
        g.digits.len() == 4 && (g.digits.starts_with("19") || g.digits.starts_with("20"))
    };
    let is_up_to = |g: &Group, max: u8| {
        g.digits.len() <= 2 && g.digits.parse::<u8>().is_ok_and(|n| (1..=max).contains(&n))
    };
    let mark = mark_between(chars, a, b);
    matches!(mark, Some('-' | '/' | '.'))
        && mark == mark_between(chars, b, c)
        && is_up_to(b, 12)
        && ((is_up_to(a, 31) && is_year(c)) || (is_year(a) && is_up_to(c, 31)))
}

/// Whether a date is no part of something longer. A second date or hours behind it make as many
/// digits as a NIK has, and are none; anything else that makes as many may well be one.
fn stands_alone(chars: &[char], groups: &[Group]) -> bool {
    let (_, rest) = groups.split_at(3);
    let has_hours = matches!(rest, [hour, minute, ..]
        if hour.digits.len() <= 2
            && minute.digits.len() == 2
            && matches!(mark_between(chars, hour, minute), Some('.' | ':')));
    nik(groups).is_none()
        || digits_in(rest).len() + 1 >= NIK_DIGITS
        || has_hours
        || is_date(chars, rest)
}

/// The one character between two groups.
fn mark_between(chars: &[char], left: &Group, right: &Group) -> Option<char> {
    match chars[left.place.end..right.place.start] {
        [mark] => Some(mark),
        _ => None,
    }
}

/// How many groups make a phone number, the longest first.
fn phone(chars: &[char], groups: &[Group]) -> Option<usize> {
    let before = groups[0].place.start;
    let has_plus = chars[before.saturating_sub(2)..before].contains(&'+');
    (1..=groups.len().min(16)).rev().find(|&count| is_phone(&groups[..count], has_plus))
}

fn is_phone(groups: &[Group], has_plus: bool) -> bool {
    let digits = digits_in(groups);
    let sizes: Vec<usize> = groups.iter().map(|group| group.digits.len()).collect();
    let (local, is_international) = match digits.strip_prefix("00") {
        Some(rest) => (rest, true),
        None => (digits.as_str(), has_plus),
    };
    let national = local.strip_prefix("62").map(|rest| rest.trim_start_matches('0'));
    if national.is_some_and(is_mobile) {
        return true;
    }
    if is_international {
        return (9..=15).contains(&local.len());
    }
    // Prices and hours also consist of small groups, but theirs begin otherwise.
    let is_spelled_out = sizes.iter().all(|&size| size == 1);
    match digits.strip_prefix('0') {
        Some(national) if sizes[0] >= 3 || is_spelled_out => {
            is_mobile(national)
                || (national.starts_with(|c| matches!(c, '2'..='7' | '9'))
                    && sizes.len() <= 3
                    && (8..=11).contains(&national.len()))
        }
        Some(_) => false,
        None => sizes[0] == 3 && sizes.get(1) >= Some(&4) && is_mobile(&digits),
    }
}

/// Whether these are a mobile number's digits without the leading zero, give or take one.
fn is_mobile(national: &str) -> bool {
    let mut leading = national.bytes();
    leading.next() == Some(b'8')
        && leading.next().is_some_and(|second| second != b'0')
        && (8..=13).contains(&national.len())
}

/// How many groups make a one-time code: six digits, perhaps as `123-456`, with a word near that
/// says so; four to eight when that word is `otp`.
fn one_time_code(chars: &[char], groups: &[Group]) -> Option<usize> {
    const WORDS: [&str; 7] = ["otp", "kode", "code", "pin", "sandi", "verifikasi", "verification"];
    let halves = groups.len() > 1
        && groups[0].digits.len() == 3
        && groups[1].digits.len() == 3
        && groups[1].place.start - groups[0].place.end == 1;
    let (count, digits) = if halves { (2, 6) } else { (1, groups[0].digits.len()) };
    let end = groups[count - 1].place.end;
    let text = |range: Range<usize>| chars[range].iter().collect::<String>().to_lowercase();
    let around = text(groups[0].place.start.saturating_sub(NEAR)..groups[0].place.start)
        + " "
        + &text(end..chars.len().min(end + NEAR));
    let says = |starts: &[&str]| {
        around
            .split(|c: char| !c.is_alphabetic())
            .any(|word| starts.iter().any(|start| word.starts_with(start)))
    };
    let is_code = (digits == 6 && says(&WORDS)) || ((4..=8).contains(&digits) && says(&["otp"]));
    is_code.then_some(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(raw: &str) -> String {
        redact(raw).text
    }

    #[test]
    fn a_nik_is_taken_out_however_it_is_written() {
        for raw in [
            "3517091208560001",
            "3517 0912 0856 0001",
            "35.17.09.120856.0001",
            "3517-0912-0856-0001",
            "3 5 1 7 0 9 1 2 0 8 5 6 0 0 0 1",
            "351709 1208560001",
            "3517 0912\n0856 0001",
            "3517\u{200b}0912\u{200b}0856\u{0}0001",
            "3517091208 - 560001",
            "３５１７０９１２０８５６０００１",
            "٣٥١٧٠٩١٢٠٨٥٦٠٠٠١",
            "۳۵۱۷۰۹۱۲۰۸۵۶۰۰۰۱",
            "꧓꧕꧑꧗꧐꧙꧑꧒꧐꧘꧕꧖꧐꧐꧐꧑",
            "𝟑𝟓𝟏𝟕𝟎𝟗𝟏𝟐𝟎𝟖𝟓𝟔𝟎𝟎𝟎𝟏",
            "351709120856001",
            "35170912085600012",
            "3517 0912 0856 001",
            "9917091208560001",
            "99.17.09.120856.0001",
            "11.12.1990.4512.0001",
            "1.1.12.1990 45 12 00 01",
        ] {
            let redacted = redact(&format!("nik saya {raw} ya"));
            assert_eq!(redacted.text, "nik saya [NIK] ya", "{raw}");
            assert!(redacted.had_nik);
        }
    }

    #[test]
    fn the_old_habits_of_sms_services_are_recognised() {
        assert_eq!(text("CEK#KTP#3517091208560001"), "CEK#KTP#[NIK]");
        assert_eq!(text("Cek#KTP#3517091208560001#Siti"), "Cek#KTP#[NIK]#Siti");
        assert_eq!(
            text("#3517091208560001 #Siti #3517091208560002 #081234567890 #belum jadi"),
            "#[NIK] #Siti #[NIK] #[nomor] #belum jadi"
        );
        assert_eq!(text("#KTP#3517091208560001#3517091208560002#Siti"), "#KTP#[NIK]#[NIK]#Siti");
        assert_eq!(text("NIK3517091208560001KK3517091208560002"), "NIK[NIK]KK[NIK]");
    }

    #[test]
    fn a_nik_between_other_numbers_is_found_whole() {
        assert_eq!(text("0812 3456 7890 3517 0912 0856 0001 tolong"), "[nomor] [NIK] tolong");
        assert_eq!(text("RT 02/03 3517 0912 0856 0001"), "RT 02/03 [NIK]");
        assert_eq!(text("12-08-1956 3517 0912 0856 0001"), "12-08-1956 [NIK]");
        assert_eq!(text("35170912085600013517091208560002"), "[NIK]");
    }

    #[test]
    fn phone_numbers_are_taken_out_and_do_not_count_as_a_nik() {
        for raw in [
            "081234567890",
            "0812-3456-7890",
            "0812 3456 7890",
            "+62 812-3456-7890",
            "(+62) 812 3456 7890",
            "6281234567890",
            "006281234567890",
            "812-3456-7890",
            "81234567890",
            "0 8 1 2 3 4 5 6 7 8 9 0",
            "021-5551234",
            "(0321) 861234",
            "+60 12-345 6789",
            "٠٨١٢٣٤٥٦٧٨٩٠",
        ] {
            let redacted = redact(&format!("hp {raw} makasih"));
            let text = redacted.text.replace(['(', ')', '+'], "");
            assert_eq!(text, "hp [nomor] makasih", "{raw}");
            assert!(!redacted.had_nik, "{raw}");
        }
    }

    #[test]
    fn one_time_codes_go_when_a_word_near_them_says_so() {
        assert_eq!(text("kode OTP saya 123456"), "kode OTP saya [kode]");
        assert_eq!(text("123-456 itu kodenya"), "[kode] itu kodenya");
        assert_eq!(text("PIN: 123 456"), "PIN: [kode]");
        assert_eq!(text("otp 4821"), "otp [kode]");
        assert_eq!(text("kode pos 61419"), "kode pos 61419");
        assert_eq!(text("antrian 123456"), "antrian 123456");
    }

    #[test]
    fn dates_hours_prices_and_small_numbers_stay() {
        for raw in [
            "ktp sy udah jadi blm ya?",
            "saya datang 21-11-2026 08.00-15.00",
            "21/11/2026 - 24/11/2026",
            "2026-11-21 09:00-12:00",
            "jam 08.15 - 15.30 21 orang",
            "diminta Rp 150.000 - 300.000",
            "Rp850.000 - 900.000",
            "RT 003 RW 004, 3 orang, umur 17",
            "1. KTP\n2. KK\n3. Akta",
            "UU 24/2013 Pasal 79A",
            "Ref K7QX-3M",
            "Halo 1500-537",
            "2",
        ] {
            let redacted = redact(raw);
            assert_eq!(redacted.text, raw);
            assert!(!redacted.had_nik, "{raw}");
        }
    }

    #[test]
    fn control_characters_go_and_line_breaks_stay() {
        assert_eq!(text("a\u{0}b\u{7}\r\nc\td\u{202e}"), "ab\nc d");
        assert_eq!(text("👨‍👩‍👧 terima kasih 🙏"), "👨‍👩‍👧 terima kasih 🙏");
    }

    #[test]
    fn a_text_of_nothing_but_digits_is_no_burden() {
        for unit in ["1 ", "0 ", "12-", "3.5/", "08 "] {
            assert!(redact(&unit.repeat(1_000_000)).text.chars().count() <= MAX_CHARS);
        }
    }

    #[test]
    fn a_long_text_is_cut_after_it_was_redacted() {
        let long = format!("{}3517091208560001", "a".repeat(MAX_CHARS - 5));
        let redacted = redact(&long);
        assert_eq!(redacted.text.chars().count(), MAX_CHARS);
        assert!(redacted.text.ends_with("a[NIK]") && redacted.had_nik);
        assert_eq!(text(&"é".repeat(5000)).chars().count(), MAX_CHARS);
    }

    #[test]
    fn a_provider_error_keeps_its_codes_and_loses_its_numbers() {
        assert_eq!(
            redact_digits("(#131030) Recipient 6281234567890 not in allowed list"),
            "(#131030) Recipient […] not in allowed list"
        );
        assert_eq!(redact_digits("to +62 812-3456-7890: 470"), "to +[…]: 470");
        for raw in [
            "code 131047, subcode 2494010",
            "connect 192.168.100.200:8080 refused",
            "131047, 2494010",
        ] {
            assert_eq!(redact_digits(raw), raw);
        }
        assert_eq!(redact_digits("1234567"), "1234567");
        assert_eq!(redact_digits("12345678"), "[…]");
    }

    #[test]
    fn debug_shows_nothing_of_the_text() {
        let shown = format!("{:?}", redact("Siti 3517091208560001"));
        assert_eq!(shown, "Redacted(10 characters, had_nik: true)");
    }

    proptest! {
        #[test]
        fn no_nik_survives_whatever_stands_between_its_digits(
            // Nothing that dots could make look like a date and hours.
            nik in "(3[1-6]|6[1-5]|9[1-6])[3-9]{3}[0-9]{11}",
            gaps in prop::collection::vec(prop::sample::select(vec!["", "", "", " ", ".", "-", "  ", " - ", "/"]), 15),
            before in "[a-zA-Z#:, ]{0,12}", after in "[a-zA-Z#:, ]{0,12}",
        ) {
            let mut written = String::new();
            for (at, c) in nik.chars().enumerate() {
                if at > 0 {
                    written.push_str(gaps[at - 1]);
                }
                written.push(c);
            }
            let redacted = redact(&format!("{before}{written}{after}"));
            let left: String = redacted.text.chars().filter(char::is_ascii_digit).collect();
            prop_assert!(left.len() <= 8, "{}", redacted.text);
        }

        #[test]
        fn no_long_number_survives_in_any_text(raw in "[0-9 .,#+/a-z-]{0,120}|.{0,120}") {
            let longest = |text: &str| {
                text.split(|c: char| digit(c).is_none()).map(|part| part.chars().count()).max()
            };
            prop_assert!(longest(&text(&raw)) < Some(9));
            prop_assert!(longest(&redact_digits(&raw)) < Some(8));
        }
    }
}
