//! The morning page, with something in each of its sections, and the way from each to where it is mended.

use kabar::store::Engine;

use super::busy::office;
use super::{log_in, log_out};
use crate::support::chrome::{Chrome, Screen};
use crate::support::{Start, run};

/// What stands on the page, the button of its section, and what is read behind it.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("Akun pengirim bermasalah", "/console/hari-ini/sistem", "kunci, pulsa, atau pembayaran"),
    ("Laporan lewat batas waktu", "/console/percakapan", "lewat:"),
    ("Warga menunggu petugas", "/console/percakapan", "Minta petugas"),
    ("Perubahan yang ditahan", "/console/hari-ini/tertahan", "Ini kabar: beri tahu warga"),
    ("Pesan gagal lewat WhatsApp", "/console/hari-ini/gagal?alasan=", "Kirim lagi"),
    ("Perlu diberi tahu langsung", "/console/hari-ini/kunjungan", "Sudah disampaikan"),
    ("Data yang ditolak", "/console/hari-ini/ditolak", "NIK salah tulis"),
    ("Sumber data bermasalah", "/console/hari-ini/sistem", "desa-jabon"),
    ("Pertanyaan yang belum dikenal", "/console/jawaban", "qwrtzp"),
];

#[tokio::test]
async fn a_morning_shows_everything_that_needs_a_hand_and_leads_to_where_it_is_mended() {
    Box::pin(run(Engine::Sqlite, morning)).await;
}

async fn morning(start: Start) {
    let app = Box::pin(office(start)).await;
    let mut chrome = Chrome::open(&app.url).await;
    for screen in Screen::BOTH {
        chrome.sit_before(screen).await;
        log_in(&chrome, "rahma").await;
        assert_eq!(chrome.path().await, "/console/hari-ini", "the first page of the day");
        chrome.look("morning").await;
        for (section, path, behind) in SECTIONS {
            chrome.goto("/console/hari-ini").await;
            chrome.sees(section).await;
            chrome.click(&format!("main section a[href^='{path}']")).await;
            chrome.sees(behind).await;
        }
        // One thing is mended from here: who was visited is told.
        chrome.goto("/console/hari-ini").await;
        chrome.click("main a[href='/console/hari-ini/kunjungan']").await;
        chrome.press("Sudah disampaikan").await;
        chrome.sees("Terima kasih sudah menyampaikan").await;
        chrome.look("morning_told").await;
        log_out(&chrome).await;
    }
    assert_eq!(app.query("SELECT id FROM visit WHERE outcome = 'told'").await.len(), 2);
    chrome.close().await;
}
