//! Words about conversations for officers: what a ticket is about, where a message is, why an answer was not sent.

use std::collections::BTreeMap;

use super::page::Page;
use crate::domain::message::{ChannelKind, MessageStatus};
use crate::domain::ticket::{ComplaintCategory, TicketKind, TicketState};
use crate::service::ticket::TicketError;

/// What somebody is called who did something.
pub(super) fn person(page: &Page, names: &BTreeMap<String, String>, by: &str) -> String {
    let word = match by {
        "citizen" => page.t("warga", "the citizen"),
        "time" => page.t("otomatis", "by itself"),
        "merged" => page.t("digabung", "merged"),
        "cli" => page.t("administrator server", "server administrator"),
        _ if by.starts_with("tok_") => page.t("aplikasi lain (API)", "another program (API)"),
        _ => return names.get(by).cloned().unwrap_or_else(|| by.to_owned()),
    };
    word.to_owned()
}

pub(super) fn kind_name(page: &Page, kind: TicketKind) -> &'static str {
    match kind {
        TicketKind::Human => page.t("Minta petugas", "Wants an officer"),
        TicketKind::Complaint => page.t("Pengaduan", "Complaint"),
        TicketKind::Deletion => page.t("Minta data dihapus", "Data deletion"),
    }
}

pub(super) fn state_name(page: &Page, state: TicketState) -> &'static str {
    match state {
        TicketState::Open => page.t("Menunggu", "Waiting"),
        TicketState::Taken => page.t("Ditangani", "Taken"),
        TicketState::Closed => page.t("Selesai", "Closed"),
    }
}

pub(super) fn category_name(page: &Page, category: ComplaintCategory) -> &'static str {
    match category {
        ComplaintCategory::Delay => page.t("lama atau tertunda", "slow or delayed"),
        ComplaintCategory::Officer => page.t("sikap petugas", "how staff behave"),
        ComplaintCategory::Obstruction => page.t("syarat dipersulit", "too many demands"),
        ComplaintCategory::Pungli => page.t("diminta uang (pungli)", "asked for money (pungli)"),
        ComplaintCategory::Other => page.t("hal lain", "something else"),
    }
}

/// What a channel is called, in every language.
pub(super) fn channel_name(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Whatsapp => "WhatsApp",
        ChannelKind::Telegram => "Telegram",
        ChannelKind::Sms => "SMS",
    }
}

pub(super) fn status_name(page: &Page, status: MessageStatus) -> &'static str {
    match status {
        MessageStatus::Queued => page.t("menunggu dikirim", "waits to be sent"),
        MessageStatus::Sending => page.t("sedang dikirim", "being sent"),
        MessageStatus::Unknown => page.t("belum pasti terkirim", "not certain yet"),
        MessageStatus::Sent => page.t("terkirim", "sent"),
        MessageStatus::Delivered => page.t("sampai di HP", "on the phone"),
        MessageStatus::Read => page.t("dibaca", "read"),
        MessageStatus::Failed => page.t("gagal dikirim", "could not be sent"),
        MessageStatus::Expired => {
            page.t("tidak dikirim: sudah lewat waktunya", "not sent: too late")
        }
        MessageStatus::Cancelled => page.t("tidak dikirim", "not sent"),
    }
}

/// Why an answer was not sent, and what to do.
pub(super) fn refusal(page: &Page, error: &TicketError) -> &'static str {
    match error {
        TicketError::Length => page.t(
            "Jawaban kosong atau lebih dari 1000 huruf. Isi, atau bagi menjadi dua jawaban.",
            "The answer is empty or has more than 1000 characters.",
        ),
        TicketError::Personal => page.t(
            "Jawaban memuat sesuatu seperti NIK, nomor telepon, atau kode. Hapus bagian itu: siapa \
             pun yang memegang HP bisa membacanya.",
            "The answer holds something like a NIK, a phone number or a code. Take it out.",
        ),
        TicketError::WindowClosed => page.t(
            "Belum terkirim: warga terakhir menulis lebih dari 24 jam lalu, dan WhatsApp tidak \
             menerima jawaban bebas. Hubungi lewat telepon atau desa, atau tunggu warga menulis \
             lagi.",
            "Not sent: the citizen wrote more than 24 hours ago, and WhatsApp takes no free \
             answers. Call them, or wait until they write.",
        ),
        TicketError::Elsewhere => page.t(
            "Belum terkirim: petugas lain sedang menangani percakapan ini. Gantikan dulu bila \
             perlu.",
            "Not sent: another officer has this. Relieve them first.",
        ),
        TicketError::Closed => {
            page.t("Belum terkirim: percakapan ini sudah selesai.", "Not sent: this is closed.")
        }
        _ => page.t(
            "Belum terkirim. Muat ulang halaman dan coba lagi.",
            "Not sent. Reload the page and try again.",
        ),
    }
}

/// What came of the act before, by the word that the address of the page has for it.
pub(super) fn outcome(page: &Page, word: &str) -> Option<&'static str> {
    match word {
        "terkirim" => Some(page.t("Jawaban Anda sedang dikirim.", "Your answer is being sent.")),
        "diambil" => Some(page.t(
            "Percakapan ini sekarang Anda tangani. Jawaban otomatis diam.",
            "This is yours now. The automatic answers keep silent.",
        )),
        "ditutup" => Some(page.t(
            "Selesai. Warga diberi tahu, dan jawaban otomatis aktif lagi.",
            "Closed. The citizen is told; automatic answers are on again.",
        )),
        "diam" => Some(page.t(
            "Selesai. Warga tidak dikirimi apa-apa, dan jawaban otomatis aktif lagi.",
            "Closed. The citizen is sent nothing; automatic answers are on.",
        )),
        "berubah" => Some(page.t(
            "Keadaannya sudah berubah sejak halaman ini dibuka. Lihat dulu di bawah.",
            "Something changed since this page was opened. See below.",
        )),
        _ => None,
    }
}
