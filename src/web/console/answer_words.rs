//! Words about answers for officers: what a label is called, on what an answer rests, and what is wrong with a draft.

use super::page::Page;
use crate::web::Web;

/// What a label is called: the title of its answer, or what the conversation does by itself.
pub(super) fn title(web: &Web, page: &Page, label: &str) -> String {
    if let Some(answer) = web.app.script().answer(label) {
        return answer.title.clone();
    }
    let words = match label {
        "status_card" => page.t("Status kartu", "Status of a card"),
        "subscribe" => page.t("Ingin dikabari", "Wants to be told"),
        "stop" => page.t("Ingin berhenti dikabari", "Wants to stop"),
        "greeting" => page.t("Salam", "Greeting"),
        "thanks" => page.t("Terima kasih", "Thanks"),
        "ack" => page.t("Ya, tidak, atau baik", "Yes, no or all right"),
        "help_capabilities" => page.t("Apa yang bisa ditanyakan", "What can be asked"),
        "clarify_topic" => page.t("Hanya menyebut topik", "Names a topic only"),
        "out_of_scope" => page.t("Di luar urusan kami", "Not our business"),
        _ => label,
    };
    words.to_owned()
}

/// On what an answer rests.
pub(super) fn standing(page: &Page, word: &str) -> &'static str {
    match word {
        "national" => page.t("aturan nasional", "national rule"),
        "practice" => page.t("kebiasaan beberapa daerah", "practice of several offices"),
        "own" => page.t("tentang layanan ini", "about this service"),
        _ => page.t("belum dipastikan", "not verified"),
    }
}

/// What is wrong with a draft, as whoever edits it reads it. The rules say it in English.
pub(super) fn fault(page: &Page, fault: &str) -> String {
    if page.is_english() {
        return fault.to_owned();
    }
    let (form, what) = match fault.strip_prefix("the ").and_then(|rest| rest.split_once(") ")) {
        Some((form, what)) => (form_name(form), what),
        None => (String::new(), fault),
    };
    let words = SAID.iter().find(|(begin, _)| what.contains(begin)).map(|(_, words)| *words);
    let numbers: Vec<&str> =
        what.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() > 1).collect();
    let text = match (words, numbers.as_slice()) {
        (Some(words), [length, limit, ..]) if words.contains("{}") => {
            words.replacen("{}", length, 1).replacen("{}", limit, 1)
        }
        (Some(words), _) => words.to_owned(),
        (None, _) => what.to_owned(),
    };
    if form.is_empty() { text } else { format!("{form}: {text}") }
}

/// `short form for SMS (id` as somebody reads it.
fn form_name(form: &str) -> String {
    let size = if form.starts_with("full") { "Bentuk lengkap" } else { "Bentuk pendek" };
    let channel = if form.contains("SMS") { "SMS" } else { "WhatsApp dan Telegram" };
    let language = if form.ends_with("en") { "bahasa Inggris" } else { "bahasa Indonesia" };
    format!("{size} untuk {channel} ({language})")
}

/// What a rule says, by words that stand in it.
const SAID: &[(&str, &str)] = &[
    ("needs `lead`", "Isi pembuka beserta bagian-bagiannya, atau isi teks utuh saja; salah satu."),
    (
        "`text` stands beside",
        "Teks utuh tidak boleh bersama daftar bawaan atau formulir. Pakai pembuka.",
    ),
    ("`cost` must say", "Biaya harus memuat kata Gratis dan dasar hukumnya."),
    ("`source` must say", "Sumber harus diisi: siapa yang mengatakan ini."),
    ("`english` is missing", "Teks bahasa Inggris harus diisi."),
    ("`checked_on`", "Tanggal diperiksa harus diisi."),
    ("exclamation mark", "ada tanda seru. Akhiri kalimat dengan titik."),
    ("has a link", "ada tautan. Warga diberi tahu bahwa kami tidak mengirim tautan."),
    ("phones make a link", "ada alamat yang menjadi tautan di HP. Sebut nama penerbitnya saja."),
    ("the word OTP", "ada kata OTP. Tulis: kode."),
    (
        "letters that SMS does not know",
        "ada huruf yang tidak dikenal SMS. Pakai tanda hubung dan kutip biasa.",
    ),
    (
        "makes an SMS cost double",
        "ada huruf yang membuat SMS dua kali lebih mahal. Isi teks SMS sendiri.",
    ),
    (
        "letters as SMS",
        "perlu {} huruf sebagai SMS, paling banyak {}. Isi teks SMS yang lebih pendek.",
    ),
    ("letters of", "panjangnya {} huruf, paling banyak {}. Ringkas, atau isi teks SMS sendiri."),
    ("is longer than", "terlalu panjang. Ringkas."),
    ("is empty", "kosong."),
    ("cannot be rendered", "ada kurung kurawal yang salah. Yang dikenal hanya {{ office }}."),
    ("far too long", "Terlalu panjang."),
];

#[cfg(test)]
mod tests;
