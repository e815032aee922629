//! An office in the middle of its work: on every page of the console something stands.

use std::sync::Arc;
use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::audience::Audience;
use kabar::domain::broadcast::{Notice, Schedule};
use kabar::domain::calendar::Week;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::broadcast::{self, Draft};
use kabar::service::report;
use kabar::service::watch::Watched;
use kabar::store::service_point::{Detail, ServicePoint, upsert_point};
use serde_json::json;

use crate::support::console::add_officer;
use crate::support::{Answer, Start, TestApp, citizen};
use crate::watch::Shelf;

const STRANGER: &str = "+6281299990000";
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Words no example has.
const STRANGE: &str = "qwrtzp xkcd blorf";

/// What stands in a table, newest first.
pub async fn newest(app: &TestApp, table: &str) -> String {
    let found = app.query(&format!("SELECT id FROM {table} ORDER BY id DESC LIMIT 1")).await;
    found.concat().concat()
}

/// A morning after which much went wrong, and `rahma` of the Dinas, who has to see to it.
pub async fn office(start: Start) -> TestApp {
    let (village, register) = (Arc::new(Shelf::default()), Arc::new(Shelf::default()));
    let mut start = start.time("08:00 WIB");
    start.sources = vec![
        Watched { id: "desa-jabon".to_owned(), ..village.watched() },
        Watched { id: "siak".to_owned(), hold_over: 5, ..register.watched() },
    ];
    for n in 21..=30 {
        register.put(&citizen(n), "PRINT_READY_RECORD", |_| {});
    }
    let app = start.open().await;
    app.look().await;
    add_officer(&app, "rahma", "Rahma Hidayati", OfficerRole::Dinas, "35.17").await;
    place(&app).await;
    app.card(&citizen(6), "CARD_PRINTED").await;
    app.run_until_idle().await;
    app.asks(&citizen(6).e164, "hapus data").await;
    app.asks(&citizen(6).e164, "1").await;
    source_falls_silent(&app, &village).await;
    what_goes_wrong(&app).await;
    what_citizens_ask(&app).await;
    a_broadcast(&app).await;
    for n in 21..=30 {
        register.put(&citizen(n), "CARD_PRINTED", |_| {});
    }
    app.clock.advance(Duration::from_secs(3600));
    app.look_and_tell().await;
    while report::step(&app.app).await.unwrap() {}
    app.is_not_paid().await;
    app
}

async fn place(app: &TestApp) {
    let week = Week::parse(&format!("{}||", ["08.00-15.00"; 5].join("|")));
    let point = ServicePoint {
        code: "kec-jabon".to_owned(),
        name: "Kantor Kecamatan Jabon".to_owned(),
        short_name: "Kec. Jabon".to_owned(),
        area: AreaCode::parse("35.17.09").unwrap(),
        address: Some("Jalan Raya Jabon 1".to_owned()),
        hours: "Senin-Jumat 08.00-15.00".to_owned(),
        hours_short: "Sn-Jm 08-15".to_owned(),
        detail: Detail { week, ..Detail::default() },
    };
    let mut tx = app.app.db.begin().await.unwrap();
    upsert_point(&mut tx, &point, app.app.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// It says something every hour of a day, and then nothing for four days.
async fn source_falls_silent(app: &TestApp, village: &Shelf) {
    for n in 11..=17 {
        village.put(&citizen(n), "CARD_PRINTED", |_| {});
        app.look_and_tell().await;
        for sent in app.whatsapp.sent_to(&citizen(n).e164) {
            app.clock.advance(Duration::from_secs(120));
            app.receipt(&sent, "delivered").await;
            app.receipt(&sent, "read").await;
        }
        app.advance(Duration::from_secs(3600)).await;
    }
    app.advance(4 * DAY).await;
    app.advance_to("08:00 WIB").await;
}

async fn what_goes_wrong(app: &TestApp) {
    for (n, code) in [(1, 132_001), (2, 131_026), (3, 131_026)] {
        app.whatsapp.next(Answer::code(code));
        app.card(&citizen(n), "CARD_PRINTED").await;
        app.run_until_idle().await;
    }
    let mut update = app.update(&citizen(4), "CARD_PRINTED");
    update["nik"] = json!("12345");
    app.post(&update).await;
    let at = [("service_point", json!("kec-jabon"))];
    app.card_with(&citizen(5), "siap ambil", &at).await;
    app.run_until_idle().await;
}

async fn what_citizens_ask(app: &TestApp) {
    for number in ["+6281299990001", "+6281299990002"] {
        app.writes(number, STRANGE).await;
        app.run_until_idle().await;
    }
    app.asks(STRANGER, "syarat ktp hilang apa aja?").await;
    app.asks(STRANGER, "mau bicara dengan petugas").await;
}

async fn a_broadcast(app: &TestApp) {
    let text = "Warga yang belum merekam data silakan datang membawa fotokopi KK.";
    let draft = Draft {
        notice: Notice::parse("Perekaman KTP-el", text, "Balai Desa Jabon", "Selasa, pukul 08.00")
            .unwrap(),
        audience: Audience::parse(&json!({"areas": ["35.17.09"]})).unwrap(),
        schedule: Schedule::Now,
    };
    let area = AreaCode::parse("35.17").unwrap();
    let maker = Actor { id: "tok_dinas".to_owned(), role: OfficerRole::Dinas, area };
    app.whatsapp.always_to(&citizen(13).e164, Answer::code(130_472));
    let id = broadcast::create(&app.app, &maker, &draft).await.unwrap();
    broadcast::submit(&app.app, &maker, id).await.unwrap();
    broadcast::send(&app.app, &maker, id).await.unwrap();
    app.run_until_idle().await;
}
