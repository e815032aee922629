//! What the pages of broadcasts say: how far one is, what was just done, and why something was not done.
//!
//! Officers read this in their own language; the errors themselves are written for whoever calls the API.

use std::time::Duration;

use crate::domain::broadcast::NoticeError;
use crate::domain::clock::Takes;
use crate::domain::message::MessageStatus;
use crate::domain::timetable::TimetableError;
use crate::service::broadcast::BroadcastError;
use crate::web::console::page::Page;

pub(super) fn status(page: &Page, status: MessageStatus) -> String {
    let words = match status {
        MessageStatus::Queued => ("menunggu", "waiting"),
        MessageStatus::Sending => ("sedang dikirim", "being sent"),
        MessageStatus::Unknown => ("belum pasti", "not sure"),
        MessageStatus::Sent => ("terkirim", "sent"),
        MessageStatus::Delivered => ("sampai di HP", "on the phone"),
        MessageStatus::Read => ("dibaca", "read"),
        MessageStatus::Failed => ("gagal", "failed"),
        MessageStatus::Expired => ("kedaluwarsa", "expired"),
        MessageStatus::Cancelled => ("dibatalkan", "cancelled"),
    };
    page.t(words.0, words.1).to_owned()
}

/// How long something takes, in words.
pub(super) fn duration(page: &Page, takes: Duration) -> String {
    match Takes::of(takes) {
        Takes::AMinute => page.t("kurang dari semenit", "less than a minute").to_owned(),
        Takes::Minutes(count) => format!("{count} {}", page.t("menit", "minutes")),
        Takes::Hours(count) => format!("{count} {}", page.t("jam", "hours")),
        Takes::Days(count) => format!("{count} {}", page.t("hari", "days")),
    }
}

/// What was just done, said once.
pub(super) fn said(page: &Page, done: &str) -> &'static str {
    let words: (&'static str, &'static str) = match done {
        "uji" => ("Pesan uji sedang dikirim.", "The test message is on its way."),
        "ajukan" => ("Siaran diajukan.", "The broadcast is submitted."),
        "setujui" => ("Siaran disetujui.", "The broadcast is approved."),
        "tolak" => ("Siaran dikembalikan.", "The broadcast is sent back."),
        "kirim" => {
            ("Siaran mulai dikirim sesuai jadwalnya.", "The broadcast goes out as scheduled.")
        }
        "jeda" => ("Siaran dijeda.", "The broadcast is paused."),
        "lanjut" => ("Siaran dilanjutkan.", "The broadcast goes on."),
        "lampiran" => ("Lampiran dihapus.", "The attachment is gone."),
        "batal" => ("Siaran dibatalkan.", "The broadcast is cancelled."),
        "ulang" => ("Yang gagal sedang dikirim lagi.", "What failed is being sent again."),
        _ => ("", ""),
    };
    if page.is_english() { words.1 } else { words.0 }
}

/// The word under which [`problem`] tells why something was not done; none for what is an error of its own.
pub(super) fn refusal(error: &BroadcastError) -> Option<&'static str> {
    Some(match error {
        BroadcastError::Maker => "penulis",
        BroadcastError::OutsideArea => "wilayah",
        BroadcastError::State { .. } | BroadcastError::Changed | BroadcastError::Invalid { .. } => {
            "berubah"
        }
        BroadcastError::Empty => "kosong",
        BroadcastError::NoWay => "nomor",
        BroadcastError::NoFailures => "tuntas",
        BroadcastError::NotFound | BroadcastError::Forbidden | BroadcastError::Service(_) => {
            return None;
        }
    })
}

/// Why something was not done.
pub(super) fn problem(page: &Page, why: &str) -> &'static str {
    let words: (&'static str, &'static str) = match why {
        "penulis" => (
            "Siaran yang Anda tulis sendiri harus disetujui orang lain.",
            "Somebody else must approve what you wrote yourself.",
        ),
        "wilayah" => (
            "Siaran ini menjangkau warga di luar wilayah Anda.",
            "This reaches people outside your area.",
        ),
        "berubah" => (
            "Belum dilakukan: siaran ini sudah diubah atau keadaannya sudah lain. Lihat dulu, lalu coba lagi.",
            "Not done: somebody changed this broadcast, or its state. Look at it, then try again.",
        ),
        "kosong" => (
            "Tidak ada warga yang akan menerima siaran ini. Sebabnya ada di bagian Siapa yang menerima.",
            "Nobody would get this broadcast. See under Who gets it why.",
        ),
        "nomor" => (
            "Nomor ini tidak dapat dikirimi lewat saluran itu. Tulis seperti 0812-3456-7890.",
            "This number cannot be reached on that channel. Write it like 0812-3456-7890.",
        ),
        "tuntas" => (
            "Tidak ada kegagalan yang bisa dicoba lagi.",
            "There are no failures that can be tried again.",
        ),
        "alasan" => (
            "Tulis alasannya dalam satu kalimat, paling banyak 200 huruf.",
            "Say why in a sentence of at most 200 characters.",
        ),
        _ => ("", ""),
    };
    if page.is_english() { words.1 } else { words.0 }
}

/// Why a draft is not kept.
pub(super) fn draft(page: &Page, error: &BroadcastError) -> String {
    refusal(error).map_or_else(|| error.to_string(), |why| problem(page, why).to_owned())
}

/// What is wrong with the words of a notice.
pub(super) fn notice(page: &Page, error: NoticeError) -> String {
    let name = |part| match part {
        "title" => page.t("Judul", "The title"),
        "place" => page.t("Tempat", "The place"),
        "time" => page.t("Waktu", "The time"),
        _ => page.t("Pengumuman", "The text"),
    };
    match error {
        NoticeError::Length { part, chars: 0, .. } => {
            format!("{} {}", name(part), page.t("masih kosong.", "is empty."))
        }
        NoticeError::Length { part, chars, most } => {
            let (is, at_most) = (
                page.t("terlalu panjang:", "is too long:"),
                page.t("dari paling banyak", "of at most"),
            );
            format!(
                "{} {is} {chars} {at_most} {most} {}.",
                name(part),
                page.t("huruf", "characters")
            )
        }
        NoticeError::Personal { part } => {
            let words = page.t(
                "memuat angka seperti NIK. Hapus dulu: pengumuman dibaca banyak orang.",
                "holds what looks like somebody's NIK. Leave it out: many read this.",
            );
            format!("{} {words}", name(part))
        }
    }
}

/// What is wrong with a timetable.
pub(super) fn timetable(page: &Page, error: TimetableError) -> String {
    use TimetableError as E;
    let (id, en) = match error {
        E::Fields | E::Unreadable => (
            "Jadwal tidak terbaca. \"0 8 * * MON-FRI\" berarti pukul 08.00, Senin sampai Jumat.",
            "The timetable cannot be read. \"0 8 * * MON-FRI\" is 8 o'clock from Monday to Friday.",
        ),
        E::WeekdayNumber => (
            "Tulis hari dengan namanya, MON sampai SUN, bukan dengan angka.",
            "Write weekdays by name, MON to SUN, not as numbers.",
        ),
        E::TooOften => (
            "Jadwal ini lebih dari sekali sehari. Warga tidak perlu membaca hal yang sama sesering itu.",
            "This is more than once a day. Nobody should read the same notice so often.",
        ),
        E::Never => (
            "Tanggal pada jadwal ini tidak pernah ada.",
            "This timetable never comes, like the 31st of February.",
        ),
    };
    page.t(id, en).to_owned()
}
