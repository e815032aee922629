//! What rounds, answers, outcomes and refusals are called on the pages.

use super::super::page::Page;
use crate::domain::round::{
    Answer, CodeWord, ItemState, MAX_WRONG_CODES, Next, OldCard, Outcome, RoundState,
};
use crate::service::ServiceError;
use crate::service::round::{Report, RoundError};
use crate::store::round_item::Item;
use crate::web::error::Error;

pub(super) fn round_state(page: &Page, state: RoundState) -> &'static str {
    match state {
        RoundState::Planned => page.t("direncanakan", "planned"),
        RoundState::Announced => page.t("sudah dikabarkan", "announced"),
        RoundState::Out => page.t("sedang diantar", "on its way"),
        RoundState::Closed => page.t("selesai", "closed"),
        RoundState::Cancelled => page.t("dibatalkan", "cancelled"),
    }
}

pub(super) fn item_state(page: &Page, state: ItemState) -> &'static str {
    match state {
        ItemState::Planned => page.t("belum dikabarkan", "not announced"),
        ItemState::Announced => page.t("menunggu diantar", "to be brought"),
        ItemState::Done => page.t("diterima", "received"),
        ItemState::Failed => page.t("belum berhasil", "in vain"),
        ItemState::Left => page.t("keluar dari putaran", "left the round"),
    }
}

pub(super) fn answer(page: &Page, answer: Answer) -> &'static str {
    match answer {
        Answer::Home => page.t("ada di rumah", "will be home"),
        Answer::AnotherDay => page.t("minta hari lain", "wants another day"),
        Answer::Family => page.t("diterima keluarga", "family receives it"),
        Answer::WrongAddress => page.t("alamat salah", "address is wrong"),
        Answer::WillCollect => page.t("diambil sendiri", "collects it"),
        Answer::NotMe => page.t("bukan orangnya", "somebody else"),
    }
}

pub(super) fn outcome(page: &Page, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Received => page.t("diterima", "received"),
        Outcome::NobodyHome => page.t("rumah kosong", "nobody home"),
        Outcome::Moved => page.t("sudah pindah", "moved"),
        Outcome::Died => page.t("meninggal", "died"),
        Outcome::UnclearAddress => page.t("alamat tidak jelas", "unclear address"),
        Outcome::Refused => page.t("menolak", "refused"),
        Outcome::OldCardMissing => page.t("KTP lama tidak ada", "old card missing"),
    }
}

pub(super) fn next(page: &Page, next: Next) -> &'static str {
    match next {
        Next::Again => page.t("masuk putaran berikutnya", "onto another round"),
        Next::Day => page.t("menunggu putaran hari itu", "waits for a round of that day"),
        Next::Collect => page.t("diambil di tempat layanan", "to be collected"),
        Next::AskDesa => page.t("ditanyakan ke desa", "the desa is asked"),
        Next::Absent => page.t("tidak dikabari lagi", "told nothing more"),
        Next::NotReached => page.t("nomor bukan miliknya", "the number is somebody else's"),
    }
}

pub(super) fn conflict(page: &Page, why: &str) -> &'static str {
    match why {
        "already_received" => page.t("sudah tercatat diterima", "received already"),
        "round_cancelled" => page.t("putarannya dibatalkan", "the round was cancelled"),
        "left_round" => page.t("warga sudah keluar dari putaran", "it had left the round"),
        "round_closed" => page.t("putarannya sudah ditutup", "the round was closed"),
        _ => page.t("kartu tidak tercatat di kurir", "the courier did not have it"),
    }
}

/// Whether the code of a contradicting hand-over was right; empty where none belongs to it.
pub(super) fn code(page: &Page, code: Option<&str>) -> &'static str {
    match code.and_then(|code| code.parse().ok()) {
        Some(CodeWord::Right) => page.t("kodenya benar", "the code was right"),
        Some(CodeWord::Wrong) => page.t("kodenya salah", "the code was wrong"),
        Some(CodeWord::None) => page.t("tanpa kode", "without a code"),
        None => "",
    }
}

/// What of a card needs a hand.
pub(super) fn marks(page: &Page, item: &Item) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if item.wrong_codes >= MAX_WRONG_CODES && item.state != ItemState::Done {
        marks.push(page.t("terkunci", "locked"));
    }
    if item.missing_at.is_some() && item.next_done_at.is_none() {
        marks.push(page.t("tidak ada di tempatnya", "not in its place"));
    }
    marks
}

/// What became of the old card.
pub(super) fn old_card(page: &Page, old: OldCard) -> &'static str {
    match old {
        OldCard::Yes => page.t("KTP lama diserahkan", "old card given back"),
        OldCard::No => page.t("KTP lama tidak ada", "no old card"),
        OldCard::PoliceLetter => page.t("surat polisi", "police letter"),
    }
}

/// What a kept report says.
pub(super) fn said(page: &Page, json: &str) -> String {
    let report: Report = serde_json::from_str(json).unwrap_or_default();
    let what = report.outcome.parse().map_or("", |one| outcome(page, one));
    said_in_one(&[what, &report.receiver, &report.note, &report.reason], ", ")
}

/// What there is of some words, in one line.
pub(super) fn said_in_one(parts: &[&str], between: &str) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// The word by which a page is told why something was not done.
pub(super) fn refused(error: RoundError) -> Result<&'static str, Error> {
    Ok(match error {
        RoundError::NotFound => return Err(Error::NotFound),
        RoundError::Forbidden => return Err(Error::Forbidden("your role or area")),
        RoundError::Service(ServiceError::Store(error)) => return Err(error.into()),
        RoundError::Service(_) => return Err(Error::Internal),
        RoundError::State(_) => "keadaan",
        RoundError::Courier => "kurir",
        RoundError::Day => "hari",
        RoundError::Window => "jam",
        RoundError::BeforeCodes(_) => "kode",
        RoundError::Capacity => "muat",
        RoundError::Empty => "kosong",
        RoundError::Point => "tempat",
    })
}

/// What is said above a page after something was done: the kind of note, and its words, which may
/// name a number of cards.
pub(super) fn done(page: &Page, word: &str, cards: &str) -> (&'static str, String) {
    let (kind, words) = said_of(page, word);
    let cards = cards.parse::<i64>().unwrap_or(0);
    (kind, words.replace("{n}", &page.number(&cards)))
}

fn said_of(page: &Page, word: &str) -> (&'static str, &'static str) {
    let good = |id, en| ("good", page.t(id, en));
    let bad = |id, en| ("bad", page.t(id, en));
    match word {
        "rencana" => good(
            "Putaran dibuat. Warga belum dikabari.",
            "The round is planned. Nobody was told yet.",
        ),
        "kabar" => good(
            "Warga dikabari hari dan jamnya: {n} kartu.",
            "The citizens are told day and hour: {n} cards.",
        ),
        "kabar_sisa" => bad(
            "{n} kartu keluar dari putaran karena warganya tidak bisa dikabari. Warga lain dikabari.",
            "{n} cards left the round because their holders cannot be told. All others are told.",
        ),
        "pindah" => good(
            "Putaran dipindah: {n} kartu. Yang sudah tahu hari lamanya dikabari.",
            "The round was moved: {n} cards. Those who knew of the former day are told.",
        ),
        "ganti" => good(
            "Kurir diganti. Warga tidak dikirimi pesan.",
            "The round has another courier. Nobody is told.",
        ),
        "batal" => good(
            "Putaran dibatalkan. Yang sudah tahu harinya dikabari: {n} orang.",
            "The round was cancelled. Those who knew of its day are told: {n} people.",
        ),
        "mulai" => {
            good("{n} kartu tercatat di tangan kurir.", "{n} cards are on file with the courier.")
        }
        "mulai_kurang" => bad(
            "{n} kartu tidak ada di tempatnya dan tidak ikut diantar. Cari kartu itu; warganya sudah dikabari.",
            "{n} cards were not in their place and stay off the round. Look for them; their holders are told.",
        ),
        "ada" => good(
            "Dicatat: orangnya masih ada. Kartu masuk putaran berikutnya.",
            "Noted: they still live there. The card goes onto another round.",
        ),
        "tentang" => bad(
            "Disimpan sebagai laporan yang bertentangan. Putuskan di bawah ini.",
            "Kept as a report that contradicts. Decide about it below.",
        ),
        "belum" => bad(
            "Belum bisa: warga belum dikabari, atau belum harinya.",
            "Not yet: the citizen was not told, or it is not the day.",
        ),
        "tutup" => good(
            "Putaran ditutup. Kartu yang belum diterima kembali ke tempatnya.",
            "The round is closed. What was not received is back.",
        ),
        "serah" => good(
            "Dicatat diterima, dengan nama dan alasan Anda.",
            "Noted as received, with your name and reason.",
        ),
        "konflik" => good("Laporan itu sudah diputuskan.", "The report is settled."),
        "jawab" => good("Jawaban desa dicatat.", "The desa's answer is noted."),
        "keadaan" => bad(
            "Tidak bisa: keadaan putaran sudah lain.",
            "Not possible: the round is elsewhere by now.",
        ),
        "kurir" => bad(
            "Pilih petugas yang boleh mengantar di wilayah itu.",
            "Choose an officer who may carry cards there.",
        ),
        "hari" => bad(
            "Pilih hari ini atau salah satu dari 60 hari ke depan.",
            "Choose today or one of the next 60 days.",
        ),
        "jam" => bad(
            "Jamnya tidak terbaca, atau selesai sebelum mulai.",
            "The hours cannot be read, or end before they begin.",
        ),
        "kode" => bad(
            "Putaran mulai sebelum warga menerima kodenya. Pilih jam mulai yang lebih siang.",
            "The round begins before citizens are told their codes. Choose a later hour.",
        ),
        "muat" => bad("Satu putaran memuat 1 sampai 500 kartu.", "A round takes 1 to 500 cards."),
        "kosong" => bad(
            "Tidak ada kartu tercetak yang menunggu di wilayah itu.",
            "No printed card waits in that area.",
        ),
        "tempat" => bad(
            "Kode tempat layanan tidak dikenal di wilayah itu.",
            "There is no service point of that code there.",
        ),
        "wilayah" => bad("Kode wilayah tidak terbaca.", "The area code cannot be read."),
        "bukan_sini" => bad(
            "Kartu itu tidak tercatat di kantor, atau sudah keluar dari putaran. Periksa dulu di mana kartunya.",
            "That card is not on file in the office, or has left the round. See first where it is.",
        ),
        "tolak" => bad(
            "Tidak dicatat: nama penerima dan alasan harus ada.",
            "Not noted: the receiver's name and a reason are needed.",
        ),
        _ => ("", ""),
    }
}
