//! The words by which sources name where a card is and which paper it is.
//!
//! One vocabulary for SIAK, OpenSID (names and numbers) and what offices write by hand; case,
//! spaces, dashes, underscores and line breaks make no difference. Never guesses: a word that is
//! not listed is refused with the nearest ones that are. Never repeats the word it was given,
//! which may be a name that slipped into the wrong column.

use std::fmt;

use super::card::CardStatus;
use super::document::Document;

use CardStatus as S;
use Document as D;

/// Longest text compared, in letters; nothing known comes near it.
const MAX_LETTERS: usize = 80;

/// A value and its words, with `, ` between them.
type Rows<T> = [(T, &'static str)];

/// Every known word of every status. Of equals the first in its row is named.
const STATUS_WORDS: &Rows<S> = &[
    (S::NotRequired, "BELUM WAJIB, BELUM WAJIB KTP, BELUM WAJIB KTP EL, NOT REQUIRED"),
    (
        S::Unregistered,
        "UNREGISTERED, BELUM REKAM, BELUM REKAM KTP, BELUM PEREKAMAN, \
         BELUM MELAKUKAN PEREKAMAN, BELUM DIREKAM",
    ),
    (
        S::Recorded,
        "BIO_CAPTURED, BC, BIOMETRIC CAPTURED, BIOMETRICS CAPTURED, SUDAH REKAM, \
         SUDAH REKAM KTP, SUDAH PEREKAMAN, SUDAH MELAKUKAN PEREKAMAN, SUDAH DIREKAM, \
         SELESAI REKAM, PEREKAMAN DITERIMA, TEREKAM, RECORDED",
    ),
    (
        S::Processing,
        "PROCESSING, SENT_FOR_ENROLLMENT, SENT FOR ENROLMENT, SFE, RECEIVED_AT_CENTRAL, \
         PROSES, DIPROSES, SEDANG DIPROSES, DALAM PROSES, PROSES PUSAT, DIKIRIM KE PUSAT, \
         TERKIRIM KE PUSAT, DITERIMA PUSAT",
    ),
    (
        S::EnrollmentFailed,
        "ENROLL_FAILURE_AT_CENTRAL, ENROLL_FAILURE_AT_REGIONAL, ENROLL FAILURE, \
         ENROLLMENT_FAILURE_AT_CENTRAL, ENROLLMENT_FAILURE_AT_REGIONAL, ENROLLMENT FAILURE, \
         ENROLLMENT_FAILED, ENROLMENT FAILED, GAGAL REKAM, GAGAL PEREKAMAN, PEREKAMAN GAGAL, \
         REKAM ULANG, PERLU REKAM ULANG, HARUS REKAM ULANG, PEREKAMAN ULANG",
    ),
    (
        S::NeedsOperator,
        "REQUEST_VALIDATION, SEARCH_FAILURE_AT_CENTRAL, SEARCH FAILURE, NEEDS OPERATOR, \
         PERLU VALIDASI, MENUNGGU VALIDASI, PERLU VERIFIKASI",
    ),
    (
        S::Adjudicated,
        "ADJUDICATE_RECORD, ADJUDICATE, ADJUDICATED, ADJUDICATED RECORD, ADJUDICATION, \
         ADJUDIKASI, AJUDIKASI",
    ),
    (
        S::Duplicate,
        "DUPLICATE_RECORD, DUPLICATE, DUPLICATE_RECORD_ONE_TO_ONE, \
         DUPLICATE_RECORD_ONE_TO_MANY, DUPLICATE ONE TO ONE, DUPLICATE ONE TO MANY, \
         DUPLICATE_RECORD_1_TO_1, DUPLICATE_RECORD_1_TO_N, DUPLICATE_RECORD_1_TO_MANY, \
         DUPLICATE RECORD 1:1, DUPLICATE RECORD 1:N, GANDA, DATA GANDA, REKAM GANDA, \
         PEREKAMAN GANDA, DUPLIKAT, DATA DUPLIKAT, DUPLIKASI",
    ),
    (
        S::ReadyToPrint,
        "PRINT_READY_RECORD, PRR, PRINT READY, READY_TO_PRINT, SIAP CETAK, SIAP DICETAK, \
         TUNGGU CETAK, MENUNGGU CETAK, MENUNGGU DICETAK, MENUNGGU GILIRAN CETAK, \
         ANTRE CETAK, ANTRI CETAK, ANTREAN CETAK, ANTRIAN CETAK, BELUM CETAK, BELUM DICETAK",
    ),
    (
        S::WaitingForBlank,
        "TERTAHAN BLANKO, BLANKO KOSONG, BLANKO HABIS, BLANKO TIDAK ADA, \
         BLANKO TIDAK TERSEDIA, KEHABISAN BLANKO, MENUNGGU BLANKO, TUNGGU BLANKO, \
         WAITING_FOR_BLANK",
    ),
    (
        S::SentForPrinting,
        "SENT_FOR_CARD_PRINTING, SENT_FOR_PRINTING, SEDANG DICETAK, SEDANG CETAK, \
         PROSES CETAK, DALAM PROSES CETAK, PROSES PENCETAKAN, DIKIRIM UNTUK DICETAK",
    ),
    (
        S::Printed,
        "CARD_PRINTED, PRINTED, DICETAK, TERCETAK, SUDAH DICETAK, SUDAH CETAK, \
         SUDAH TERCETAK, SUDAH JADI, JADI, SELESAI CETAK, SELESAI DICETAK",
    ),
    (
        S::Shipped,
        "CARD_SHIPPED, SHIPPED, DIKIRIM, SUDAH DIKIRIM, SEDANG DIKIRIM, TERKIRIM, \
         DALAM PENGIRIMAN, DALAM PERJALANAN, DIKIRIM KE KECAMATAN, DIKIRIM KE DESA, \
         DIKIRIM KE KELURAHAN, SEDANG DIANTAR",
    ),
    (
        S::HomeDeliveryScheduled,
        "HOME_DELIVERY_SCHEDULED, HOME DELIVERY, SCHEDULED FOR HOME DELIVERY, \
         DIJADWALKAN ANTAR, DIJADWALKAN DIANTAR, TERJADWAL ANTAR, JADWAL ANTAR, SIAP ANTAR, \
         SIAP DIANTAR, AKAN DIANTAR, MENUNGGU ANTAR, MENUNGGU DIANTAR, ANTAR KE RUMAH, \
         DIANTAR KE RUMAH, SIAP DIANTAR KE RUMAH",
    ),
    (
        S::ReadyToCollect,
        "READY_TO_COLLECT, READY FOR COLLECTION, READY FOR PICKUP, READY TO PICK UP, \
         SIAP AMBIL, SIAP DIAMBIL, BISA DIAMBIL, SUDAH BISA DIAMBIL, DAPAT DIAMBIL, \
         SUDAH DAPAT DIAMBIL, TUNGGU AMBIL, MENUNGGU DIAMBIL, MENUNGGU PENGAMBILAN, \
         BELUM DIAMBIL",
    ),
    (
        S::Issued,
        "CARD_ISSUED, ISSUED, DIAMBIL, SUDAH DIAMBIL, TERAMBIL, DISERAHKAN, \
         SUDAH DISERAHKAN, SUDAH DITERIMA WARGA, SUDAH DITERIMA PEMOHON, COLLECTED, \
         HANDED OVER",
    ),
];

/// Every known word of every document. Of equals the first in its row is named.
const DOCUMENT_WORDS: &Rows<D> = &[
    (
        D::KtpEl,
        "KTP-el, KTP, e-KTP, KTP elektronik, Kartu Tanda Penduduk, \
         Kartu Tanda Penduduk Elektronik",
    ),
    (D::Kia, "KIA, Kartu Identitas Anak"),
    (D::Kk, "KK, Kartu Keluarga"),
    (D::AktaLahir, "akta lahir, akta kelahiran, kutipan akta lahir, kutipan akta kelahiran"),
    (D::AktaKematian, "akta kematian, kutipan akta kematian, akta mati"),
    (D::AktaKawin, "akta kawin, akta perkawinan, kutipan akta perkawinan, akta nikah"),
    (D::AktaCerai, "akta cerai, akta perceraian, kutipan akta perceraian"),
    (
        D::Skpwni,
        "SKPWNI, SKP, surat pindah, surat keterangan pindah, surat keterangan pindah WNI, \
         surat keterangan pindah datang",
    ),
    (D::Biodata, "biodata, biodata WNI, biodata penduduk, biodata sementara, biodata penduduk WNI"),
    (D::Suket, "suket, surat keterangan, surat keterangan pengganti KTP, suket pengganti KTP"),
];

/// A status that is not in the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownStatus {
    /// Up to three known words that come nearest; none when nothing was given.
    pub nearest: Vec<&'static str>,
}

/// A document that is not in the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDocument {
    /// Up to three known words that come nearest; none when nothing was given.
    pub nearest: Vec<&'static str>,
}

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unknown(f, "status", &self.nearest)
    }
}

impl fmt::Display for UnknownDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unknown(f, "document", &self.nearest)
    }
}

impl std::error::Error for UnknownStatus {}

impl std::error::Error for UnknownDocument {}

fn write_unknown(f: &mut fmt::Formatter<'_>, kind: &str, nearest: &[&str]) -> fmt::Result {
    if nearest.is_empty() {
        return write!(f, "the {kind} is empty");
    }
    write!(f, "unknown {kind}; the nearest known: {}", nearest.join(", "))
}

/// Reads a card's status in whatever words a source has for it.
///
/// # Errors
/// [`UnknownStatus`] with the nearest known words.
pub fn parse_status(raw: &str) -> Result<CardStatus, UnknownStatus> {
    let known = |text: &str| {
        opensid_number(text)
            .or_else(|| listed(&letters(text), STATUS_WORDS))
            .or_else(|| listed(without_subject(&letters(text)), STATUS_WORDS))
    };
    known(raw)
        .or_else(|| agreed(raw, known))
        .ok_or_else(|| UnknownStatus { nearest: nearest(raw, STATUS_WORDS) })
}

/// Whether each word of a text is one of which known words of status are made, so that it can be
/// shown although it is no status: nobody's name is.
#[must_use]
pub fn is_of_status_words(raw: &str) -> bool {
    let is_break = |c: char| !c.is_alphanumeric();
    let is_known = |word: &str| {
        let mut known = STATUS_WORDS.iter().flat_map(|(_, words)| words.split(is_break));
        known.any(|known| known.eq_ignore_ascii_case(word))
    };
    let mut words = raw.split(is_break).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(is_known)
}

/// Reads which paper is meant.
///
/// # Errors
/// [`UnknownDocument`] with the nearest known words.
pub fn parse_document(raw: &str) -> Result<Document, UnknownDocument> {
    let known = |text: &str| listed(&letters(text), DOCUMENT_WORDS);
    known(raw)
        .or_else(|| agreed(raw, known))
        .ok_or_else(|| UnknownDocument { nearest: nearest(raw, DOCUMENT_WORDS) })
}

/// OpenSID's `status_rekam`, also as a spreadsheet prints it (`5.0`). The numbers do not follow
/// the process, and are not the ids of the table that lists their names.
fn opensid_number(text: &str) -> Option<CardStatus> {
    let text = text.trim();
    match text.strip_suffix(".0").unwrap_or(text) {
        "1" => Some(S::NotRequired),
        "2" => Some(S::Unregistered),
        "3" => Some(S::Recorded),
        "4" => Some(S::Printed),
        "5" => Some(S::ReadyToPrint),
        "6" => Some(S::Shipped),
        "7" => Some(S::SentForPrinting),
        "8" => Some(S::Issued),
        _ => None,
    }
}

/// What is said of the card in a text like `KTP sudah jadi`.
fn without_subject(letters: &str) -> &str {
    ["ktpel", "ektp", "ktp", "kartu"]
        .into_iter()
        .find_map(|subject| letters.strip_prefix(subject))
        .unwrap_or(letters)
}

/// The value in whose row these letters stand.
fn listed<T: Copy>(letters: &str, rows: &Rows<T>) -> Option<T> {
    let is_listed = |words: &str| words.split(", ").any(|word| plain(word).eq(letters.chars()));
    rows.iter().find(|(_, words)| is_listed(words)).map(|(value, _)| *value)
}

/// Reads what says the same thing twice: `PRINT READY RECORD (PRR)`, `PRR - siap cetak`,
/// `5 PRINT READY RECORD`. A part that is unknown or says something else makes all of it unknown.
fn agreed<T: PartialEq>(raw: &str, known: impl Fn(&str) -> Option<T>) -> Option<T> {
    let is_break = |c: char| matches!(c, '(' | ')' | '[' | ']' | '-' | '–' | '/' | ':' | '=' | '.');
    let words = raw.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    let number = raw[..raw.len() - words.len()].trim();
    let parts: Vec<&str> = std::iter::once(number)
        .chain(words.split(is_break).map(str::trim))
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() < 2 {
        return None;
    }
    let mut found = None;
    for part in &parts {
        match (known(part), &found) {
            (Some(value), None) => found = Some(value),
            (Some(value), Some(earlier)) if value == *earlier => {}
            (None, _) if parts.iter().any(|whole| whole != part && is_initials(part, whole)) => {}
            _ => return None,
        }
    }
    found
}

/// Whether `short` is made of the first letters of the words of `long`.
fn is_initials(short: &str, long: &str) -> bool {
    let initials = long
        .split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| word.chars().next())
        .flat_map(char::to_lowercase);
    initials.eq(short.chars().flat_map(char::to_lowercase))
}

/// The letters and digits of a text in lower case, short forms of chat and list written out.
fn letters(raw: &str) -> String {
    let mut joined = String::new();
    for word in raw.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        joined.push_str(match word.as_str() {
            "sdh" | "udh" | "udah" | "telah" => "sudah",
            "blm" | "blum" | "belom" => "belum",
            "blangko" => "blanko",
            "akte" => "akta",
            other => other,
        });
        if joined.len() > 4 * MAX_LETTERS {
            break;
        }
    }
    joined.chars().take(MAX_LETTERS).collect()
}

/// The letters and digits of a listed word.
fn plain(word: &str) -> impl Iterator<Item = char> + '_ {
    word.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase())
}

/// Up to three listed words that look most like this text, each of another value.
fn nearest<T>(raw: &str, rows: &Rows<T>) -> Vec<&'static str> {
    let letters = letters(raw);
    if letters.is_empty() {
        return Vec::new();
    }
    let mut best: Vec<(f64, &'static str)> = rows
        .iter()
        .filter_map(|(_, words)| {
            words
                .split(", ")
                .map(|word| (likeness(&letters, &plain(word).collect::<String>()), word))
                .reduce(|best, next| if next.0 > best.0 { next } else { best })
        })
        .collect();
    best.sort_by(|a, b| b.0.total_cmp(&a.0));
    best.into_iter().take(3).map(|(_, word)| word).collect()
}

/// Counts both a slip of the hand and the same words in another order.
fn likeness(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(a, b) + strsim::sorensen_dice(a, b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status(raw: &str) -> Option<CardStatus> {
        parse_status(raw).ok()
    }

    #[test]
    fn every_word_of_siak_is_known() {
        for (raw, expected) in [
            ("UNREGISTERED", S::Unregistered),
            ("BIO_CAPTURED", S::Recorded),
            ("PROCESSING", S::Processing),
            ("SENT_FOR_ENROLLMENT", S::Processing),
            ("RECEIVED_AT_CENTRAL", S::Processing),
            ("ENROLL_FAILURE_AT_REGIONAL", S::EnrollmentFailed),
            ("ENROLL_FAILURE_AT_CENTRAL", S::EnrollmentFailed),
            ("SEARCH_FAILURE_AT_CENTRAL", S::NeedsOperator),
            ("REQUEST_VALIDATION", S::NeedsOperator),
            ("ADJUDICATE_RECORD", S::Adjudicated),
            ("DUPLICATE_RECORD", S::Duplicate),
            ("DUPLICATE_RECORD (one-to-one)", S::Duplicate),
            ("DUPLICATE_RECORD (one-to-many)", S::Duplicate),
            ("PRINT_READY_RECORD", S::ReadyToPrint),
            ("SENT_FOR_CARD_PRINTING", S::SentForPrinting),
            ("CARD_PRINTED", S::Printed),
            ("CARD_SHIPPED", S::Shipped),
            ("CARD_ISSUED", S::Issued),
        ] {
            assert_eq!(status(raw), Some(expected), "{raw}");
        }
    }

    #[test]
    fn opensid_numbers_have_their_fixed_meaning_and_not_the_order_of_the_process() {
        for (number, name, expected) in [
            ("1", "BELUM WAJIB", S::NotRequired),
            ("2", "BELUM REKAM", S::Unregistered),
            ("3", "SUDAH REKAM", S::Recorded),
            ("4", "CARD PRINTED", S::Printed),
            ("5", "PRINT READY RECORD", S::ReadyToPrint),
            ("6", "CARD SHIPPED", S::Shipped),
            ("7", "SENT FOR CARD PRINTING", S::SentForPrinting),
            ("8", "CARD ISSUED", S::Issued),
        ] {
            for raw in [number, name, &format!("{number}.0"), &format!("{number} {name}")] {
                assert_eq!(status(raw), Some(expected), "{raw}");
            }
        }
        for raw in ["0", "9", "10", "-1", "15", "5 CARD PRINTED"] {
            assert_eq!(status(raw), None, "{raw}");
        }
    }

    #[test]
    fn what_offices_write_is_known() {
        for (raw, expected) in [
            ("tunggu cetak", S::ReadyToPrint),
            ("Siap Cetak", S::ReadyToPrint),
            ("siap ambil", S::ReadyToCollect),
            ("sudah diambil", S::Issued),
            ("sdh diambil", S::Issued),
            ("Telah diambil", S::Issued),
            ("blm diambil", S::ReadyToCollect),
            ("diambil", S::Issued),
            ("sudah jadi", S::Printed),
            ("udah jadi", S::Printed),
            ("e-KTP sudah jadi", S::Printed),
            ("KTP siap diambil", S::ReadyToCollect),
            ("tercetak", S::Printed),
            ("PRR", S::ReadyToPrint),
            ("sfe", S::Processing),
            ("BC", S::Recorded),
            ("tertahan blanko", S::WaitingForBlank),
            ("Blangko habis", S::WaitingForBlank),
            ("blanko kosong", S::WaitingForBlank),
            ("dikirim", S::Shipped),
            ("dijadwalkan antar", S::HomeDeliveryScheduled),
            ("siap antar", S::HomeDeliveryScheduled),
            ("diserahkan", S::Issued),
            ("gagal rekam", S::EnrollmentFailed),
            ("Ganda", S::Duplicate),
            ("ready-to-collect", S::ReadyToCollect),
        ] {
            assert_eq!(status(raw), Some(expected), "{raw}");
        }
    }

    #[test]
    fn case_spacing_and_line_breaks_make_no_difference() {
        for raw in [
            "print_ready_record",
            "Print-Ready Record",
            " PRINT  READY\nRECORD ",
            "PRINT READY REC\r\nORD",
        ] {
            assert_eq!(status(raw), Some(S::ReadyToPrint), "{raw:?}");
        }
    }

    #[test]
    fn a_text_that_says_it_twice_must_say_the_same_twice() {
        for raw in
            ["PRINT READY RECORD (PRR)", "PRR (siap cetak)", "PRR - Print Ready Record", "[PRR]"]
        {
            assert_eq!(status(raw), Some(S::ReadyToPrint), "{raw}");
        }
        assert_eq!(status("Card Printed (CP)"), Some(S::Printed));
        for raw in
            ["dicetak (belum diambil)", "CARD PRINTED (BC)", "sudah diambil (batal)", "PRR / SFE"]
        {
            assert_eq!(status(raw), None, "{raw}");
        }
    }

    #[test]
    fn no_word_stands_for_two_things() {
        for (expected, words) in STATUS_WORDS {
            for word in words.split(", ") {
                assert_eq!(parse_status(word).as_ref(), Ok(expected), "{word}");
            }
        }
        for (expected, words) in DOCUMENT_WORDS {
            for word in words.split(", ") {
                assert_eq!(parse_document(word).as_ref(), Ok(expected), "{word}");
            }
        }
    }

    #[test]
    fn our_own_words_read_back_as_themselves() {
        for &value in CardStatus::ALL {
            assert_eq!(parse_status(value.as_str()), Ok(value));
        }
        for &value in Document::ALL {
            assert_eq!(parse_document(value.as_str()), Ok(value));
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_nearest_known_ones() {
        for (raw, near) in [
            ("CARD_PRINTD", "CARD_PRINTED"),
            ("PRINTED_CARD", "PRINTED"),
            ("CARD_LAMINATED", "CARD_PRINTED"),
            ("siap di ambill", "SIAP DIAMBIL"),
            ("tertahan blank", "TERTAHAN BLANKO"),
            ("DUPLICATED", "DUPLICATE"),
        ] {
            let unknown = parse_status(raw).unwrap_err();
            assert!(unknown.nearest.contains(&near), "{raw}: {:?}", unknown.nearest);
            assert!(unknown.to_string().contains(near));
        }
        let first = parse_status("CARD_PRINTD").unwrap_err().nearest[0];
        assert_eq!(first, "CARD_PRINTED");
        assert_eq!(parse_document("kartu kluarga").unwrap_err().nearest[0], "Kartu Keluarga");
    }

    #[test]
    fn a_refusal_never_repeats_what_was_given() {
        let message = parse_status("Siti Aminah 3517091208560001").unwrap_err().to_string();
        assert!(!message.contains("Siti") && !message.contains("3517"), "{message}");
        assert_eq!(parse_status(" - ").unwrap_err().to_string(), "the status is empty");
        assert_eq!(parse_document("").unwrap_err().to_string(), "the document is empty");
    }

    #[test]
    fn only_words_of_the_vocabulary_are_known_for_none_of_a_person() {
        for raw in ["CARD RECORD", "siap siap cetak", "Dikirim (pusat)", "ready-record"] {
            assert!(is_of_status_words(raw) && status(raw).is_none(), "{raw}");
        }
        for raw in ["SITI", "SITI CETAK", "3517091204560001", "card 3517", "", " - ", "cétak"] {
            assert!(!is_of_status_words(raw), "{raw}");
        }
    }

    #[test]
    fn documents_are_known_under_the_names_people_use() {
        for (raw, expected) in [
            ("KTP", D::KtpEl),
            ("e-KTP", D::KtpEl),
            ("E KTP", D::KtpEl),
            ("KTP-el", D::KtpEl),
            ("ktp_elektronik", D::KtpEl),
            ("kartu keluarga", D::Kk),
            ("Kartu Keluarga (KK)", D::Kk),
            ("akte lahir", D::AktaLahir),
            ("Akta Kelahiran", D::AktaLahir),
            ("akte kematian", D::AktaKematian),
            ("kia", D::Kia),
            ("SKPWNI", D::Skpwni),
        ] {
            assert_eq!(parse_document(raw), Ok(expected), "{raw}");
        }
        assert!(parse_document("paspor").is_err());
        assert!(parse_document("SIM").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble_and_at_most_three_words_are_named(raw in ".{0,60}") {
            if let Err(unknown) = parse_status(&raw) {
                prop_assert!(unknown.nearest.len() <= 3);
            }
        }
    }
}
