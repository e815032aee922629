//! Who is answered in English reads English to the end: dates, hours, states, papers, sources and
//! buttons, in every journey. Names of places, laws and words to send back stay as they are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kabar::dialogue::Script;
use kabar::domain::area::AreaCode;
use kabar::domain::calendar::Week;
use kabar::domain::card::CardStatus;
use kabar::domain::document::Document;
use kabar::domain::language::Language;
use kabar::domain::message::ChannelKind;
use kabar::domain::service_point::{BlankoStock, PointService, PointState, PointStatus};
use kabar::store::holiday::{Holiday, upsert_holiday};
use kabar::store::service_point::{Change, Detail, ServicePoint, set_condition, upsert_point};
use kabar::understand::LABELS;
use serde_json::json;

use crate::support::meta::Request;
use crate::support::{TestApp, citizen, on_both_engines};

const STRANGER: &str = "+6281299990000";

/// Words that no English text has: what holds Indonesian sentences together, days and months.
const INDONESIAN: &[&str] = &[
    "dan",
    "yang",
    "di",
    "dari",
    "ke",
    "pada",
    "untuk",
    "dengan",
    "oleh",
    "atau",
    "ini",
    "itu",
    "tidak",
    "belum",
    "sudah",
    "sedang",
    "akan",
    "bila",
    "kalau",
    "agar",
    "juga",
    "lagi",
    "saja",
    "hanya",
    "harus",
    "bisa",
    "boleh",
    "ada",
    "tanpa",
    "sampai",
    "sejak",
    "menurut",
    "tentang",
    "karena",
    "kepada",
    "antara",
    "hari",
    "minggu",
    "bulan",
    "tahun",
    "tanggal",
    "jam",
    "pukul",
    "besok",
    "buka",
    "tutup",
    "mulai",
    "libur",
    "senin",
    "selasa",
    "rabu",
    "kamis",
    "jumat",
    "sabtu",
    "sen",
    "sel",
    "rab",
    "kam",
    "jum",
    "sab",
    "januari",
    "februari",
    "maret",
    "mei",
    "juni",
    "juli",
    "agustus",
    "agu",
    "okt",
    "oktober",
    "desember",
    "des",
    "bawa",
    "kirim",
    "balas",
    "pilih",
    "tulis",
    "silakan",
    "mohon",
    "maaf",
    "baik",
    "gratis",
    "kami",
    "anda",
    "saya",
    "bapak",
    "ibu",
    "kantor",
    "petugas",
    "layanan",
    "tempat",
    "alamat",
    "nomor",
    "surat",
    "kartu",
    "akta",
    "lama",
    "baru",
    "hilang",
    "rusak",
    "siap",
    "dicetak",
    "diambil",
    "diantar",
    "diproses",
    "menunggu",
    "jadwal",
    "antar",
    "pesan",
    "kabar",
    "perekaman",
    "cetak",
    "pindah",
    "pengambilan",
    "blangko",
    "keterangan",
    "pernyataan",
    "praktik",
    "imbauan",
    "aturan",
    "daerah",
    "dinas",
    "pasal",
    "ayat",
    "huruf",
    "syarat",
    "formulir",
    "sumber",
    "diperiksa",
    "selengkapnya",
    "tanyakan",
    "pengaduan",
    "urutan",
    "antrean",
    "status kartu",
];

/// What stays as it is: names of the people, places, laws and holidays of these tests, what an office
/// has written in its own words, and the English that looks alike.
const NAMES: &[&str] = &[
    "Kantor Kecamatan Jombang",
    "Kantor Kecamatan Diwek",
    "Jalan Contoh 1",
    "Bahasa Indonesia",
    "Libur bersama",
    "perbaikan gedung",
    "hari kerja pagi",
    "Senin Desa Contoh",
    "biodata sementara",
    "Dirjen Dukcapil",
];

/// The Indonesian words of a text; words in capitals are what can be sent back, and abbreviations.
fn indonesian(text: &str) -> Vec<String> {
    let text = NAMES.iter().fold(text.to_owned(), |text, name| text.replace(name, " "));
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().any(char::is_lowercase))
        .filter(|word| INDONESIAN.contains(&word.to_lowercase().as_str()))
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn is_english(text: &str, of: &str) {
    let found = indonesian(text);
    assert!(found.is_empty(), "{of}: {found:?} in\n{text}");
}

/// The texts of a table that are English by the name of their key or of the table.
fn english_of(value: &toml::Value, is_english: bool, found: &mut Vec<String>) {
    const KEYS: [&str; 6] = ["en", "en_sms", "english", "button_en", "source_en", "legal_basis_en"];
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                english_of(value, is_english || KEYS.contains(&key.as_str()), found);
            }
        }
        toml::Value::Array(list) => list.iter().for_each(|v| english_of(v, is_english, found)),
        toml::Value::String(text) if is_english => found.push(without_tags(text)),
        _ => {}
    }
}

fn without_tags(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        plain.push_str(&rest[..at]);
        plain.push(' ');
        let end = rest[at..].find("}}").into_iter().chain(rest[at..].find("%}")).min().unwrap();
        rest = &rest[at + end + 2..];
    }
    plain + rest
}

fn tomls(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tomls(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn no_english_text_of_the_templates_holds_an_indonesian_word() {
    let mut files = Vec::new();
    tomls(&Path::new(env!("CARGO_MANIFEST_DIR")).join("message_templates"), &mut files);
    let mut count = 0;
    for file in files {
        let table: toml::Value = toml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut texts = Vec::new();
        english_of(&table, false, &mut texts);
        count += texts.len();
        // Names of languages, in their own.
        for text in texts.iter().filter(|text| *text != "Bahasa Indonesia") {
            is_english(text, &file.display().to_string());
        }
    }
    assert!(count > 350, "the English texts are found: {count}");
}

#[test]
fn every_answer_is_english_in_every_form_with_its_source_and_its_day() {
    let script = Script::embedded(LABELS).unwrap();
    let mut count = 0;
    for label in LABELS {
        for area in ["", "35.17.09.2018"] {
            let area = AreaCode::parse(area).unwrap_or_else(|_| AreaCode::nationwide());
            for channel in [ChannelKind::Whatsapp, ChannelKind::Sms] {
                let english = Language::English;
                let short = script.answer_in(label, &area, channel, english, "Disdukcapil");
                let full = script.answer_full(label, &area, channel, english);
                for text in [short, full].into_iter().flatten() {
                    is_english(&text, label);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 400, "{count}");
}

fn point(code: &str, name: &str, at: &str, week: Option<&str>) -> ServicePoint {
    ServicePoint {
        code: code.to_owned(),
        name: name.to_owned(),
        short_name: name.replace("Kantor Kecamatan", "Kec."),
        area: AreaCode::parse(at).unwrap(),
        address: Some("Jalan Contoh 1".to_owned()),
        hours: "hari kerja pagi".to_owned(),
        hours_short: "hari kerja pagi".to_owned(),
        detail: Detail {
            week: week.and_then(Week::parse),
            services: PointService::ALL.to_vec(),
            ..Detail::default()
        },
    }
}

/// Points with hours and without, closed and mobile, their blank cards, and a holiday.
async fn places(app: &TestApp) {
    let week = "08.00-15.00|08.00-15.00|08.00-15.00|08.00-15.00|08.00-11.00||";
    let mut mobile = point("mobil", "Mobil Dukcapil", "35.17", None);
    mobile.detail.schedule = Some("Senin Desa Contoh".to_owned());
    let points = [
        point("kec-jombang", "Kantor Kecamatan Jombang", "35.17.09", Some(week)),
        point("kec-diwek", "Kantor Kecamatan Diwek", "35.17.08", None),
        point("dinas", "Disdukcapil", "35.17", Some(week)),
        mobile,
    ];
    let mut tx = app.app.db.begin().await.unwrap();
    let now = app.app.now();
    for point in &points {
        upsert_point(&mut tx, point, now).await.unwrap();
    }
    let until = app.clock.wib().date_naive().checked_add_days(chrono::Days::new(9));
    let because = Some("perbaikan gedung".to_owned());
    let closed = Change::State(PointState { status: PointStatus::Closed, until, because });
    set_condition(&mut tx, "dinas", &closed, "Budi", now).await.unwrap();
    for stock in ["kec-jombang", "kec-diwek"] {
        set_condition(&mut tx, stock, &Change::Blanko(BlankoStock::None), "Budi", now)
            .await
            .unwrap();
    }
    let date = app.clock.wib().date_naive().succ_opt().unwrap();
    let holiday = Holiday { date, area: None, name: "Libur bersama".to_owned(), hours: None };
    upsert_holiday(&mut tx, &holiday, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// What somebody reads in answer to some words, all of it English.
async fn reads(app: &TestApp, number: &str, words: &str) -> Vec<Request> {
    // Who writes faster than that for long is taken for a machine.
    app.advance(Duration::from_secs(180)).await;
    let before = app.whatsapp.sent_to(number).len();
    app.writes(number, words).await;
    app.run_until_idle().await;
    let sent = app.whatsapp.sent_to(number).split_off(before);
    for reply in &sent {
        is_english(reply.text(), words);
        for (_, title) in reply.choices().iter().filter(|(_, title)| title != "Bahasa Indonesia") {
            is_english(title, words);
        }
        let list = reply.body["interactive"]["action"]["button"].as_str().unwrap_or_default();
        is_english(list, words);
    }
    sent
}

on_both_engines! {
    async fn a_card_of_any_state_is_told_of_in_english(app: TestApp) {
        places(&app).await;
        for (n, status) in CardStatus::ALL.iter().enumerate() {
            let owner = citizen(n + 1);
            let document = Document::ALL[n % Document::ALL.len()];
            let home = json!({"date": "2026-12-01", "from": "09:00", "to": "12:00"});
            let mut parts = vec![("document", json!(document.as_str()))];
            match status {
                CardStatus::HomeDeliveryScheduled | CardStatus::Printed => parts.push(("home_delivery", home)),
                CardStatus::ReadyToCollect => parts.push(("service_point", json!("kec-jombang"))),
                _ => {}
            }
            app.card_with(&owner, status.as_str(), &parts).await;
            app.run_until_idle().await;
            reads(&app, &owner.e164, "english").await;
            for words in ["my status", "/status", "DATA SAYA", "LENGKAP"] {
                let told = reads(&app, &owner.e164, words).await;
                assert!(!told.is_empty(), "{words} of {status}");
            }
        }
        let collect = CardStatus::ALL.iter().position(|s| *s == CardStatus::ReadyToCollect).unwrap();
        let told = reads(&app, &citizen(collect + 1).e164, "/status").await;
        assert!(told[0].text().contains("Monday–Thursday 08.00–15.00"), "{}", told[0].text());
        let home = CardStatus::ALL.iter().position(|s| *s == CardStatus::Printed).unwrap();
        let told = reads(&app, &citizen(home + 1).e164, "/status").await;
        assert!(told[0].text().contains("Tuesday, 1 December, 09.00–12.00 WIB"), "{}", told[0].text());
        let written = citizen(200);
        app.card_with(&written, "ready_to_collect", &[("service_point", json!("kec-diwek"))]).await;
        app.run_until_idle().await;
        reads(&app, &written.e164, "english").await;
        let told = reads(&app, &written.e164, "/status").await;
        assert!(told[0].text().contains("hours as the office writes them: hari kerja pagi"), "{}", told[0].text());
        // Nowhere to go is known of this one.
        let nowhere = citizen(201);
        app.card_with(&nowhere, "ready_to_collect", &[]).await;
        app.run_until_idle().await;
        reads(&app, &nowhere.e164, "english").await;
        reads(&app, &nowhere.e164, "/status").await;
    }

    async fn every_question_is_answered_in_english_in_short_and_in_full(app: TestApp) {
        places(&app).await;
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        reads(&app, &siti.e164, "english").await;
        let script = Script::embedded(LABELS).unwrap();
        let mut count = 0;
        for label in LABELS {
            let Some((_, question)) = script.examples().find(|(of, _)| of == label) else { continue };
            let question = question.to_owned();
            count += reads(&app, &siti.e164, &question).await.len();
            count += reads(&app, &siti.e164, "LENGKAP").await.len();
            reads(&app, &siti.e164, "SELESAI").await;
            reads(&app, &siti.e164, "BATAL").await;
        }
        assert!(count > 2 * 50, "{count}");
        for place in ["kecamatan jombang buka jam berapa", "kecamatan diwek buka jam berapa", "alamat kantor kecamatan diwek"] {
            assert!(!reads(&app, &siti.e164, place).await.is_empty());
        }
    }

    async fn every_journey_is_english_to_its_end(app: TestApp) {
        places(&app).await;
        let siti = citizen(6);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        let reference = app.whatsapp.sent()[0].param("ref");
        for number in [siti.e164.as_str(), STRANGER] {
            reads(&app, number, "english").await;
            for words in [
                "menu", "halo", "terima kasih", "ok", "syarat", "/status", "sudah jadi belum?", "qwrtzp xkcd blorf",
                "bahasa jawa bisa?", "ganti bahasa", "mau komplain", "1", "sudah tiga bulan belum jadi", "P-AAAA",
                "petugas dimintai uang", "NILAI", "3", "3", "3", "3", "LANJUT", "cukup", "HAPUS DATA", "tidak",
                "DATA SAYA", "LENGKAP", "LENGKAP", "kabari saya", "jangan kirim lagi dong", "BATAL", "kirim lewat sms", "kirim lewat telegram",
                "3517091204560006", "K7QX3MNP",
            ] {
                reads(&app, number, words).await;
            }
            let real = reads(&app, number, &format!("pesan ini asli? Ref {reference}")).await;
            assert!(real[0].text().contains("sent on 23 November 2026"), "{}", real[0].text());
            let complaint = app.query("SELECT number FROM ticket WHERE kind = 'complaint'").await;
            for row in complaint {
                reads(&app, number, &row[0]).await;
            }
            app.advance_to("20:00 WIB").await;
            let queue = reads(&app, number, "mau bicara dengan petugas").await;
            assert!(queue[0].text().contains("opens again"), "{}", queue[0].text());
            assert!(queue[0].text().contains("from 08.00 WIB"), "{}", queue[0].text());
            for words in ["mau bicara dengan petugas", "DATA SAYA", "LENGKAP", "SELESAI", "mau komplain"] {
                reads(&app, number, words).await;
            }
            app.advance(Duration::from_secs(25 * 3600)).await;
            for words in ["1", "kecamatan jombang buka jam berapa", "HAPUS DATA", "ya", "BERHENTI", "MULAI", "kabari saya", "BUKAN SAYA", "DATA SAYA", "LENGKAP"] {
                reads(&app, number, words).await;
            }
        }
    }
}
