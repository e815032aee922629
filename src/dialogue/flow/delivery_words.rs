//! What citizens' words say about an announced home delivery.
//!
//! A whole short message counts, never a part of one: `di rumah` is an answer, `di rumah sakit` is none, and whoever
//! says thanks names nobody. What is not clearly an answer is answered as ever.

use chrono::Weekday;

use crate::domain::round::Answer;

/// What says more is a story, and no answer.
const MOST_WORDS: usize = 12;
/// Words of a name, at most.
const NAME_WORDS: usize = 5;

const ASKING: &[&str] = &[
    "apakah",
    "apa",
    "bisa",
    "bisakah",
    "boleh",
    "bolehkah",
    "bagaimana",
    "gimana",
    "kapan",
    "siapa",
    "mana",
    "dimana",
    "kenapa",
    "berapa",
    "kalau",
    "kalo",
];
const NOT: &[&str] = &[
    "tidak", "gak", "ga", "nggak", "enggak", "ngga", "gk", "tak", "bukan", "belum", "tdk",
    "jangan", "ndak",
];
const FAMILY: &[&str] = &[
    "istri",
    "suami",
    "anak",
    "ibu",
    "bapak",
    "ayah",
    "mama",
    "papa",
    "kakak",
    "adik",
    "mertua",
    "keluarga",
    "nenek",
    "kakek",
    "orangtua",
    "om",
    "tante",
    "paman",
    "bibi",
    "menantu",
    "keponakan",
];
const RECEIVE: &[&str] = &[
    "diterima",
    "terima",
    "menerima",
    "nerima",
    "diwakili",
    "mewakili",
    "diwakilkan",
    "titip",
    "dititipkan",
];
/// Words that a relative's are joined with, before or behind.
const JOINTS: &[&str] =
    &["saya", "aku", "ku", "kami", "yang", "bernama", "nama", "namanya", "oleh", "ke", "kepada"];
const THANKS: &[&str] =
    &["terimakasih", "makasih", "makasi", "mksh", "trims", "thanks", "suwun", "nuhun", "hatur"];
/// Whom somebody speaks to, behind thanks or a greeting.
const ADDRESS: &[&str] = &[
    "bapak",
    "ibu",
    "pak",
    "bu",
    "bpk",
    "min",
    "admin",
    "kak",
    "kakak",
    "mas",
    "mbak",
    "bang",
    "banyak",
    "ya",
    "semua",
    "sebelumnya",
    "atas",
];
/// What may stand around an answer and changes nothing.
const POLITE: &[&str] = &[
    "ya",
    "iya",
    "y",
    "ok",
    "oke",
    "baik",
    "baiklah",
    "siap",
    "sip",
    "pak",
    "bu",
    "bpk",
    "min",
    "admin",
    "kak",
    "mas",
    "mbak",
    "maaf",
    "mohon",
    "tolong",
    "dong",
    "deh",
    "insyaallah",
    "insya",
    "allah",
    "saya",
    "sy",
    "aku",
    "kami",
    "mau",
    "minta",
    "ingin",
    "biar",
    "akan",
    "selalu",
    "lagi",
    "sedang",
    "halo",
    "assalamualaikum",
];
/// When; it changes nothing about who is home.
const TIMES: &[&str] = &[
    "besok", "lusa", "nanti", "hari", "itu", "ini", "pagi", "siang", "jam", "segitu", "saja",
    "aja", "kok",
];
/// No name begins or goes on with one of these.
const NO_NAME: &[&str] = &[
    "sudah", "udah", "sdh", "tadi", "kemarin", "uang", "ktp", "kartu", "kk", "surat", "petugas",
    "kurir", "dari", "untuk", "dan", "tapi", "karena", "jadi", "ganti", "hari", "ambil", "alamat",
    "salah", "batal", "antar", "status", "rumah", "kantor", "desa", "besok", "lusa", "lupa",
    "tunda", "telepon", "pesan", "kode", "menu", "bantuan", "tetangga", "kasih",
];

const HOME: &[&str] = &[
    "ada",
    "di rumah",
    "dirumah",
    "ada di rumah",
    "ada dirumah",
    "ada orang",
    "ada orang di rumah",
    "ada orang dirumah",
    "ada yang di rumah",
    "orang di rumah",
    "orang ada",
    "orang ada di rumah",
    "di rumah ada",
    "di rumah ada orang",
    "rumah ada orang",
];
const AWAY: &[&str] = &[
    "tidak bisa",
    "kosong",
    "rumah kosong",
    "rumahnya kosong",
    "di rumah kosong",
    "luar kota",
    "di luar kota",
    "keluar kota",
];
const ANOTHER_DAY: &[&str] = &[
    "hari lain",
    "di hari lain",
    "ganti hari",
    "ganti hari lain",
    "ganti harinya",
    "ganti jadwal",
    "jadwal lain",
    "besok saja",
    "besok aja",
    "lusa saja",
    "lusa aja",
    "tunda",
    "tunda dulu",
    "ditunda",
    "ditunda dulu",
    "diundur",
];
const WRONG_ADDRESS: &[&str] = &[
    "alamat salah",
    "salah alamat",
    "alamatnya salah",
    "alamat keliru",
    "alamatnya keliru",
    "alamat beda",
    "alamatnya beda",
    "bukan alamat",
    "itu bukan alamat",
    "pindah alamat",
    "sudah pindah alamat",
    "sudah pindah rumah",
];
const COLLECT: &[&str] = &[
    "ambil",
    "ambil sendiri",
    "diambil sendiri",
    "yang ambil",
    "ambil ke kantor",
    "ambil di kantor",
    "ambil sendiri ke kantor",
    "ambil sendiri di kantor",
    "ambil di kecamatan",
    "ambil ke kecamatan",
    "ambil sendiri di kecamatan",
];
const FAMILY_ALONE: &[&str] = &["keluarga", "diwakili", "diwakilkan"];

/// A word of a message, as it was written and in small letters.
struct Word<'a> {
    raw: &'a str,
    low: String,
}

impl Word<'_> {
    fn is_in(&self, set: &[&str]) -> bool {
        set.contains(&self.low.as_str())
    }
}

fn split(text: &str) -> Vec<Word<'_>> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '!' | ':' | '/'))
        .map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|part| !part.is_empty())
        .map(|raw| Word { raw, low: raw.to_lowercase() })
        .collect()
}

/// The words without thanks and whom they go to: `terima kasih Bapak` says nothing about a father.
fn without_thanks<'a>(words: Vec<Word<'a>>) -> Vec<Word<'a>> {
    let mut kept: Vec<Word<'a>> = Vec::with_capacity(words.len());
    let mut is_thanking = false;
    for word in words {
        if word.is_in(&["kasih"])
            && kept.last().is_some_and(|last| last.is_in(&["terima", "trima"]))
        {
            kept.pop();
            is_thanking = true;
        } else if word.is_in(THANKS) {
            is_thanking = true;
        } else if !(is_thanking && word.is_in(ADDRESS)) {
            is_thanking = false;
            kept.push(word);
        }
    }
    kept
}

fn joined<'a>(words: impl Iterator<Item = &'a Word<'a>>, without: &[&str]) -> String {
    let kept: Vec<&str> =
        words.filter(|word| !word.is_in(without)).map(|word| word.low.as_str()).collect();
    kept.join(" ")
}

/// What a text answers, and the name in it.
pub(super) fn answer_in(text: &str) -> Option<(Answer, Option<String>)> {
    let words = without_thanks(split(text));
    if words.is_empty() || words.len() > MOST_WORDS || text.contains('?') {
        return None;
    }
    let is_not = words.iter().any(|word| word.is_in(NOT));
    let core = joined(words.iter(), POLITE);
    let whole = |set: &[&str]| set.contains(&core.as_str());
    // Whoever cannot on that day says so with a word that else begins a question.
    let bare = core.split(' ').filter(|word| !TIMES.contains(word));
    let bare: Vec<&str> =
        bare.map(|word| if NOT.contains(&word) { "tidak" } else { word }).collect();
    let bare = bare.join(" ");
    if AWAY.contains(&bare.as_str()) {
        return Some((Answer::AnotherDay, None));
    }
    if words.iter().any(|word| word.is_in(ASKING)) {
        return None;
    }
    let without_only = core.trim_end_matches(" saja").trim_end_matches(" aja");
    if whole(ANOTHER_DAY) || ANOTHER_DAY.contains(&without_only) {
        return Some((Answer::AnotherDay, None));
    }
    if WRONG_ADDRESS.contains(&without_only) {
        return Some((Answer::WrongAddress, None));
    }
    if COLLECT.contains(&without_only) {
        return Some((Answer::WillCollect, None));
    }
    if FAMILY_ALONE.contains(&without_only) {
        return Some((Answer::Family, None));
    }
    if let Some(family) = received_by(&words) {
        return Some(family);
    }
    // Any relative who is home is somebody who is home.
    let home = bare.split(' ').map(|word| if FAMILY.contains(&word) { "orang" } else { word });
    let home: Vec<&str> = home.filter(|word| *word != "tidak").collect();
    let is_home = HOME.contains(&home.join(" ").as_str());
    match (is_home, is_not) {
        (true, true) => Some((Answer::AnotherDay, None)),
        (true, false) => Some((Answer::Home, None)),
        (false, _) => None,
    }
}

/// The relative who receives the card, where a text says just that: before or behind the word for it.
fn received_by(words: &[Word<'_>]) -> Option<(Answer, Option<String>)> {
    let is_front = |word: &&Word<'_>| word.is_in(POLITE) || word.is_in(TIMES) || word.is_in(JOINTS);
    let front = words.iter().take_while(is_front).count();
    let rest = words.get(front..)?;
    let at = rest.iter().position(|word| word.is_in(RECEIVE))?;
    let (before, behind) = (rest.get(..at)?, rest.get(at + 1..)?);
    let who = if before.is_empty() {
        behind
    } else if behind.iter().all(|word| word.is_in(POLITE) || word.is_in(TIMES)) {
        before
    } else {
        return None;
    };
    let skipped = who.iter().take_while(|word| word.is_in(JOINTS)).count();
    let who = who.get(skipped..)?;
    if !who.first()?.is_in(FAMILY) || who.iter().any(|word| word.is_in(NOT) || word.is_in(NO_NAME))
    {
        return None;
    }
    (who.len() <= NAME_WORDS + 3).then(|| (Answer::Family, name_of(who)))
}

/// The name behind the word for a relative: `istri saya Siti Aminah`.
fn name_of(who: &[Word<'_>]) -> Option<String> {
    let is_more =
        |word: &&Word<'_>| !(word.is_in(JOINTS) || word.is_in(POLITE) || word.is_in(TIMES));
    let relative = who.iter().rposition(|word| word.is_in(FAMILY));
    let behind = relative.map_or(who, |at| who.get(at + 1..).unwrap_or_default());
    let names: Vec<&str> =
        behind.iter().filter(is_more).map(|word| word.raw).take(NAME_WORDS).collect();
    let is_name =
        !names.is_empty() && names.iter().all(|name| !name.chars().any(|c| c.is_ascii_digit()));
    let relative = relative.and_then(|at| who.get(at)).filter(|word| word.low != "keluarga");
    is_name.then(|| match relative {
        Some(relative) => format!("{} {}", relative.low, names.join(" ")),
        None => names.join(" "),
    })
}

/// The name that was asked for, where a text is one: a few words, and none that means something else.
pub(super) fn receiver_in(text: &str) -> Option<String> {
    let words = without_thanks(split(text));
    let is_other = |word: &Word<'_>| {
        word.is_in(NOT)
            || word.is_in(ASKING)
            || word.is_in(NO_NAME)
            || word.is_in(RECEIVE)
            || word.raw.chars().any(|c| c.is_ascii_digit())
    };
    if text.contains('?') || words.len() > NAME_WORDS + 3 || words.iter().any(is_other) {
        return None;
    }
    if let Some(name) = name_of(&words) {
        return Some(name);
    }
    // Only which relative: that is enough at the door.
    words.iter().find(|word| word.is_in(FAMILY)).map(|word| word.low.clone())
}

/// The day of the week that a text names.
pub(super) fn weekday_in(text: &str) -> Option<Weekday> {
    let words = split(text);
    if words.len() > MOST_WORDS {
        return None;
    }
    words.iter().find_map(|word| {
        Some(match word.low.as_str() {
            "senin" | "monday" => Weekday::Mon,
            "selasa" | "tuesday" => Weekday::Tue,
            "rabu" | "wednesday" => Weekday::Wed,
            "kamis" | "thursday" => Weekday::Thu,
            "jumat" | "jum'at" | "jum’at" | "friday" => Weekday::Fri,
            "sabtu" | "saturday" => Weekday::Sat,
            "minggu" | "ahad" | "sunday" => Weekday::Sun,
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_clearly_an_answer_is_one_and_a_question_is_not() {
        let family = |name: &str| Some((Answer::Family, Some(name.to_owned())));
        let cases = [
            ("saya di rumah", Some((Answer::Home, None))),
            ("Ada", Some((Answer::Home, None))),
            ("ya, ada orang di rumah", Some((Answer::Home, None))),
            ("besok saya di rumah, terima kasih pak", Some((Answer::Home, None))),
            ("istri saya di rumah", Some((Answer::Home, None))),
            ("besok saja", Some((Answer::AnotherDay, None))),
            ("maaf saya tidak di rumah", Some((Answer::AnotherDay, None))),
            ("ga ada orang di rumah", Some((Answer::AnotherDay, None))),
            ("tidak bisa hari itu", Some((Answer::AnotherDay, None))),
            ("saya lagi di luar kota", Some((Answer::AnotherDay, None))),
            ("GANTI HARI", Some((Answer::AnotherDay, None))),
            ("minta ganti hari saja bu", Some((Answer::AnotherDay, None))),
            ("diterima istri saya Siti", family("istri Siti")),
            ("nanti diterima istri saya Siti, terima kasih bapak", family("istri Siti")),
            ("istri saya Siti yang terima", family("istri Siti")),
            ("diterima ibu saya Rini", family("ibu Rini")),
            ("diterima keluarga Budi Santoso", family("Budi Santoso")),
            ("diwakili keluarga", Some((Answer::Family, None))),
            ("diterima keluarga", Some((Answer::Family, None))),
            ("diterima ibu saya", Some((Answer::Family, None))),
            ("alamat salah", Some((Answer::WrongAddress, None))),
            ("maaf, alamatnya salah", Some((Answer::WrongAddress, None))),
            ("saya ambil sendiri", Some((Answer::WillCollect, None))),
            ("mau ambil sendiri saja", Some((Answer::WillCollect, None))),
            ("boleh diterima istri saya", None),
            ("kalau saya tidak di rumah bagaimana", None),
            ("di rumah saya?", None),
            ("ktp saya hilang", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(answer_in(text), expected, "{text}");
        }
    }

    #[test]
    fn a_sentence_that_only_holds_such_words_answers_nothing() {
        for text in [
            "Terima kasih Bapak",
            "terima kasih ibu",
            "Baik bapak, terima kasih",
            "terima kasih bapak Andi",
            "saya lagi di rumah sakit",
            "ada orang mengaku petugas minta uang",
            "KTP saya tertinggal di rumah",
            "ktp yang lama sudah saya ambil",
            "saya ambil foto dulu",
            "jangan tunda lagi",
            "sudah diterima ibu saya",
            "belum diterima keluarga saya",
            "petugas terima uang dari ibu saya",
            "anak saya belum punya ktp",
        ] {
            assert_eq!(answer_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_that_was_asked_for_is_a_name_and_no_sentence() {
        let name = |text| receiver_in(text).unwrap_or_default();
        assert_eq!(name("Budi Santoso"), "Budi Santoso");
        assert_eq!(name("istri saya Siti Aminah, terima kasih"), "istri Siti Aminah");
        assert_eq!(name("ibu saya"), "ibu");
        assert_eq!(name("ok namanya Rini ya pak"), "Rini");
        for text in [
            "ganti hari",
            "ambil sendiri saja",
            "tidak jadi",
            "terima kasih",
            "ok siap",
            "siapa ya",
            "0812 345",
            "",
        ] {
            assert_eq!(receiver_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_of_the_week_is_found_among_a_few_words() {
        assert_eq!(weekday_in("hari Jumat saja"), Some(Weekday::Fri));
        assert_eq!(weekday_in("kami di rumah"), None);
    }
}
