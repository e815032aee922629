//! Siaran: what keeps a broadcast from being kept or sent is said in the officer's own words.

use kabar::domain::officer::OfficerRole;
use reqwest::StatusCode;

use crate::support::console::{Answer, Browser};
use crate::support::{TestApp, citizen, on_both_engines};

const NEW: &str = "/console/siaran/baru";
const JABON: &str = "35.17.09.2018";

/// Writes a broadcast with those fields in place of usual ones.
async fn write(browser: &Browser, area: &str, changed: &[(&str, &str)]) -> Answer {
    let usual = [
        ("title", "Perekaman KTP-el"),
        ("text", "Silakan datang membawa fotokopi KK."),
        ("areas", area),
        ("when", "now"),
        ("clock", "09:00"),
    ];
    let kept = usual.iter().filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
    let fields: Vec<(&str, &str)> = kept.chain(changed).copied().collect();
    browser.post(NEW, &fields).await
}

on_both_engines! {
    async fn what_is_wrong_with_a_draft_is_said_in_words_and_nothing_typed_is_lost(app: TestApp) {
        let desa = Browser::login(&app, OfficerRole::Desa, JABON).await;
        let long = "a".repeat(501);
        let many = "35.17.09.2018 ".repeat(101);
        for (changed, said) in [
            (vec![("title", " ")], "Judul masih kosong."),
            (vec![("text", long.as_str())], "Pengumuman terlalu panjang: 501 dari paling banyak 500 huruf."),
            (vec![("place", "Rumah 3517091204560001")], "Tempat memuat angka seperti NIK"),
            (vec![("areas", "jombang")], "Kode wilayah tidak terbaca"),
            (vec![("areas", "35.17.10")], "di luar wilayah Anda"),
            (vec![("card", "turning_17")], "Tulis jumlah bulannya"),
            (vec![("card", "turning_17"), ("months", "36")], "1 sampai 24"),
            (vec![("card", "uncollected"), ("days", "0")], "1 sampai 3650"),
            (vec![("areas", many.as_str())], "Paling banyak 100 wilayah"),
            (vec![("list", "1"), ("card", "not_recorded")], "Kosongkan salah satunya"),
            (vec![("when", "at"), ("at", "2020-01-01T08:00")], "Waktu itu sudah lewat"),
            (vec![("when", "monthly"), ("monthday", "akhir")], "1 sampai 28"),
            (vec![("when", "cron"), ("cron", "* * * * *")], "lebih dari sekali sehari"),
        ] {
            let page = write(&desa, JABON, &changed).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.says(said), "{said}: {}", page.text);
        }
        let page = write(&desa, JABON, &[("title", ""), ("when", "weekly"), ("weekday", "WED")]).await;
        assert!(page.says("value=\"weekly\" checked") && page.says("value=\"WED\" selected"), "{}", page.text);
        assert!(app.query("SELECT id FROM broadcast").await.is_empty());
    }

    async fn what_cannot_be_done_now_is_said_where_it_was_pressed(app: TestApp) {
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        let path = write(&dinas, "35.17", &[]).await.to;
        let press = async |act: &str, fields: &[(&str, &str)]| {
            dinas.post_and_follow(&format!("{path}/{act}"), fields).await
        };
        assert!(press("ajukan", &[]).await.says("Tidak ada warga yang akan menerima"));
        app.card(&citizen(1), "PRINT_READY_RECORD").await;
        assert!(press("jeda", &[]).await.says("Belum dilakukan"), "it is not on its way");
        assert!(press("uji", &[("channel", "whatsapp"), ("phone", "12")]).await.says("Nomor ini tidak dapat dikirimi"));
        assert!(press("ajukan", &[]).await.says("Siaran diajukan"));
        assert!(press("setujui", &[]).await.says("harus disetujui orang lain"));
        assert!(press("tolak", &[("reason", " ")]).await.says("Tulis alasannya"));

        let stale = dinas.post_raw(&format!("{path}/tolak"), &[("csrf", "of another session")]).await;
        assert_eq!(stale.status, StatusCode::FORBIDDEN);
        assert!(stale.says("Belum tersimpan") && !stale.says("peran Anda"), "{}", stale.text);
    }
}
