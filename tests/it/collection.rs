//! The card that nobody collects: reminded on three rungs, handed to the desa with a list, and into the hand at last;
//! who is dead, has stopped or has their card hears nothing.

use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::calendar::Week;
use kabar::domain::collection::Ladder;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::collection::{CollectionError, Refusal, hand_out};
use kabar::store::collection::{Reached, list_unclaimed};
use kabar::store::holiday::{Holiday, upsert_holiday};
use kabar::store::service_point::{Detail, ServicePoint, upsert_point};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::citizen::Citizen;
use crate::support::console::Browser;
use crate::support::{Start, TestApp, citizen, on_both_engines};

const DAY: Duration = Duration::from_secs(24 * 3600);
const REMINDER: &str = "kabar_collection_reminder_v1";
const JABON: &str = "35.17.09.2018";

fn count(app: &TestApp, citizen: &Citizen, template: &str) -> usize {
    app.whatsapp.sent_to(&citizen.e164).iter().filter(|sent| sent.template() == template).count()
}

fn reminders(app: &TestApp, citizen: &Citizen) -> usize {
    count(app, citizen, REMINDER)
}

pub async fn place(app: &TestApp) {
    let week = Week::parse("08.00-15.00|08.00-15.00|08.00-15.00|08.00-15.00|08.00-11.00||");
    let point = ServicePoint {
        code: "kec-jombang".to_owned(),
        name: "Kantor Kecamatan Jombang".to_owned(),
        short_name: "Kec. Jombang".to_owned(),
        area: AreaCode::parse("35.17.09").unwrap(),
        address: None,
        hours: "Senin–Kamis 08.00–15.00".to_owned(),
        hours_short: "Sen-Kam 08-15".to_owned(),
        detail: Detail { week, ..Detail::default() },
    };
    let mut tx = app.app.db.begin().await.unwrap();
    upsert_point(&mut tx, &point, app.app.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn ready(app: &TestApp, citizen: &Citizen) {
    app.card_with(citizen, "READY_TO_COLLECT", &[("service_point", json!("kec-jombang"))]).await;
    app.run_until_idle().await;
}

/// A register says of everybody on file that they died.
async fn all_died(app: &TestApp) {
    app.query(
        "INSERT INTO source_row (source, key_hash, state_hash, content_hash, version, occurred_at, seen_at, \
         nik_hash, absence) SELECT 'register', nik_hash, 's', 'c', 1, 1, 1, nik_hash, 'died' FROM person",
    )
    .await;
}

async fn pass(app: &TestApp, days: u32) {
    for _ in 0..days {
        app.advance(DAY).await;
    }
}

on_both_engines! {
    async fn a_card_that_nobody_collects_goes_up_the_ladder_to_the_desa_and_into_the_hand(app: TestApp) {
        place(&app).await;
        let siti = citizen(6);
        ready(&app, &siti).await;
        pass(&app, 6).await;
        assert_eq!(reminders(&app, &siti), 0);
        pass(&app, 2).await;
        assert_eq!(reminders(&app, &siti), 1);
        let reminder = app.whatsapp.sent_to(&siti.e164).pop().unwrap();
        // Its hour is the card's own: it left on the seventh day, or was seen on the morning after.
        assert!(["7", "8"].contains(&reminder.param("days").as_str()));
        assert_eq!(reminder.param("place"), "Kantor Kecamatan Jombang");
        let app = app.restart().await;
        pass(&app, 60).await;
        assert_eq!(reminders(&app, &siti), 2, "once on each rung, whatever was restarted");
        pass(&app, 40).await;
        assert_eq!(reminders(&app, &siti), 3);
        pass(&app, 100).await;
        assert_eq!(reminders(&app, &siti), 3, "the ladder is over");
        let visits = app.query("SELECT id FROM visit WHERE template = 'collection_reminder'").await;
        assert!(visits.is_empty(), "nobody goes to the door for it");

        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = office.get("/console/ambil").await;
        assert!(page.says(JABON), "{}", page.text);
        let card = app.query("SELECT id FROM card").await.concat().concat();
        let here = format!("/console/ambil/desa/{JABON}");
        let page = office.get(&format!("{here}?umur=90")).await;
        assert!(page.says("Siti A.") && !page.says("Aminah"), "{}", page.text);
        let looks = "SELECT COUNT(*) FROM audit WHERE action = 'looked_at_unclaimed'";
        assert_eq!(app.query(looks).await, [["1"]]);
        let file = office.get(&format!("{here}/unduh/csv")).await;
        assert!(file.says(&card) && !file.says("Aminah"), "{}", file.text);
        assert!(file.says(JABON), "which desa: {}", file.text);
        let reference = app.query("SELECT reference FROM message WHERE reference IS NOT NULL ORDER BY id DESC").await;
        let tail = reference.concat().first().and_then(|text| text.rsplit('-').next().map(str::to_owned)).unwrap();
        assert!(file.says(&format!(",{tail}")), "{tail}: {}", file.text);
        assert_eq!(office.get(&format!("{here}/unduh/xlsx")).await.status, StatusCode::OK);
        let list = office.post_and_follow(&here, &[("kartu", &card)]).await;
        assert!(list.says("BA-3517092018-") && list.says("Siti A."), "{}", list.text);
        app.run_until_idle().await;
        let held = "SELECT holder FROM custody WHERE until_at IS NULL";
        assert_eq!(app.query(held).await, [["point kec-jombang"]], "it is still on its way");
        let told = app.whatsapp.sent_to(&siti.e164).pop().unwrap();
        assert!(!told.param("place").starts_with("Kantor Desa"), "nobody is sent where the card is not yet");
        let twice = office.post(&here, &[("kartu", &card)]).await;
        assert!(twice.says("sudah tertulis di daftar lain"), "{}", twice.text);

        let desa = Browser::login(&app, OfficerRole::Desa, JABON).await;
        let id = app.query("SELECT id FROM collection_list").await.concat().concat();
        let early = desa.post_and_follow(&format!("/console/ambil/kartu/{card}/diserahkan"), &[("daftar", &id)]).await;
        assert!(early.says("belum ada di desa"), "{}", early.text);
        assert_eq!(app.query("SELECT status FROM card").await, [["ready_to_collect"]], "it lies at the kecamatan still");
        let taken = desa.post_and_follow(&format!("/console/ambil/daftar/{id}/terima"), &[]).await;
        assert!(!taken.says("Desa sudah menerima semua"), "{}", taken.text);
        app.run_until_idle().await;
        let told = app.whatsapp.sent_to(&siti.e164).pop().unwrap();
        assert_eq!(told.template(), "kabar_ready_to_collect_v2");
        assert!(told.param("place").starts_with("Kantor Desa"), "{}", told.param("place"));
        assert_eq!(app.query(held).await, [["desa 3517092018"]]);
        desa.post(&format!("/console/ambil/kartu/{card}/diserahkan"), &[("daftar", &id)]).await;
        app.run_until_idle().await;
        assert_eq!(app.query("SELECT status FROM card").await, [["issued"]]);
        assert_eq!(app.query(held).await, [["citizen"]]);
        assert_eq!(count(&app, &siti, "kabar_card_issued_v1"), 1);
        assert_eq!(app.query("SELECT id FROM card WHERE collect_since IS NOT NULL").await.len(), 0);
    }

    async fn what_a_desa_has_stays_there_whatever_the_source_says_again(app: TestApp) {
        place(&app).await;
        let siti = citizen(6);
        ready(&app, &siti).await;
        let card = app.query("SELECT id FROM card").await.concat().concat();
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let here = format!("/console/ambil/desa/{JABON}");
        office.post(&here, &[("kartu", &card)]).await;
        let id = app.query("SELECT id FROM collection_list").await.concat().concat();
        let desa = Browser::login(&app, OfficerRole::Desa, JABON).await;
        desa.post(&format!("/console/ambil/daftar/{id}/terima"), &[]).await;
        app.run_until_idle().await;
        let told = app.whatsapp.sent_to(&siti.e164).len();
        app.advance(DAY).await;
        ready(&app, &siti).await;
        assert_eq!(app.query("SELECT service_point FROM card").await, [["desa-35.17.09.2018"]]);
        assert_eq!(app.whatsapp.sent_to(&siti.e164).len(), told, "nobody is sent back to the kecamatan");
        assert_eq!(app.query("SELECT holder FROM custody WHERE until_at IS NULL").await, [["desa 3517092018"]]);
    }

    async fn a_desa_hands_out_what_lies_at_its_own_point_and_not_what_lies_at_the_kecamatan(app: TestApp) {
        place(&app).await;
        ready(&app, &citizen(6)).await;
        assert_eq!(app.query("SELECT holder FROM custody WHERE until_at IS NULL").await, [["point kec-jombang"]]);
        let card = app.query("SELECT id FROM card").await.concat().concat().parse().unwrap();
        let area = AreaCode::parse(JABON).unwrap();
        let desa = Actor { id: "off_01JD0000000000000000000000".to_owned(), role: OfficerRole::Desa, area };
        let refused = hand_out(&app.app, &desa, card).await;
        assert!(matches!(refused, Err(CollectionError::Refused(Refusal::NotInDesa))), "{refused:?}");
        app.query(&format!("UPDATE service_point SET area = '{JABON}'")).await;
        hand_out(&app.app, &desa, card).await.unwrap();
        assert_eq!(app.query("SELECT status FROM card").await, [["issued"]]);
    }

    async fn a_list_that_no_desa_takes_is_asked_about_and_can_be_cancelled(app: TestApp) {
        place(&app).await;
        let siti = citizen(6);
        ready(&app, &siti).await;
        let card = app.query("SELECT id FROM card").await.concat().concat();
        let here = format!("/console/ambil/desa/{JABON}");
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        office.post(&here, &[("kartu", &card)]).await;
        assert!(!office.get("/console/hari-ini").await.says("belum diterima desa"), "it was made today");
        pass(&app, 4).await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(office.get("/console/hari-ini").await.says("belum diterima desa"));
        let id = app.query("SELECT id FROM collection_list").await.concat().concat();
        let way = format!("/console/ambil/daftar/{id}/batal");
        let desa = Browser::login(&app, OfficerRole::Desa, JABON).await;
        assert_eq!(desa.post(&way, &[]).await.status, StatusCode::FORBIDDEN);
        let foreign = Browser::login(&app, OfficerRole::Kecamatan, "35.17.08").await;
        assert_eq!(foreign.post(&way, &[]).await.status, StatusCode::NOT_FOUND);
        let told = app.whatsapp.sent_to(&siti.e164).len();
        let page = office.post_and_follow(&way, &[]).await;
        assert!(page.says("dibatalkan") && !page.says("Batalkan daftar"), "{}", page.text);
        assert!(!office.get("/console/hari-ini").await.says("belum diterima desa"));
        desa.post(&format!("/console/ambil/daftar/{id}/terima"), &[]).await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to(&siti.e164).len(), told, "nobody is told of it");
        assert_eq!(app.query("SELECT holder FROM custody WHERE until_at IS NULL").await, [["point kec-jombang"]]);
        let again = office.post_and_follow(&here, &[("kartu", &card)]).await;
        assert!(again.says("BA-3517092018-"), "the card is free for another list: {}", again.text);
    }

    async fn who_died_or_stopped_or_has_their_card_hears_nothing(app: TestApp) {
        let (dead, stopped, has) = (citizen(1), citizen(2), citizen(3));
        for who in [&stopped, &has] {
            ready(&app, who).await;
        }
        app.asks(&stopped.e164, "BERHENTI").await;
        app.card(&has, "CARD_ISSUED").await;
        pass(&app, 9).await;
        assert_eq!(reminders(&app, &stopped) + reminders(&app, &has), 0);
        ready(&app, &dead).await;
        all_died(&app).await;
        pass(&app, 9).await;
        assert_eq!(reminders(&app, &dead), 0);
    }

    async fn an_empty_ladder_reminds_nobody_and_a_late_rung_is_left_out(start: Start) {
        let mut start = start;
        start.settings.ladder = Ladder::new(vec![]).unwrap();
        let app = start.open().await;
        ready(&app, &citizen(1)).await;
        pass(&app, 10).await;
        assert_eq!(reminders(&app, &citizen(1)), 0);
        assert!(app.query("SELECT id FROM card WHERE collect_due_at IS NOT NULL").await.is_empty());
    }

    async fn who_says_that_they_have_their_card_is_reminded_no_more_and_the_office_confirms(app: TestApp) {
        let siti = citizen(6);
        ready(&app, &siti).await;
        let answer = app.asks(&siti.e164, "sudah saya ambil").await;
        assert!(answer.text().contains("kami catat"), "{}", answer.text());
        pass(&app, 9).await;
        assert_eq!(reminders(&app, &siti), 0);
        assert_eq!(app.query("SELECT status FROM card").await, [["ready_to_collect"]], "the source's word stays");
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = office.get("/console/ambil").await;
        assert!(page.says("Warga bilang sudah diambil"), "{}", page.text);
        assert!(office.get("/console/hari-ini").await.says("Warga bilang sudah diambil"));
        let card = app.query("SELECT id FROM card").await.concat().concat();
        let elsewhere = Browser::login(&app, OfficerRole::Kecamatan, "35.17.08").await;
        let foreign = elsewhere.post(&format!("/console/ambil/kartu/{card}/diserahkan"), &[]).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        office.post(&format!("/console/ambil/kartu/{card}/belum"), &[]).await;
        assert_eq!(app.query("SELECT id FROM card WHERE taken_said_at IS NOT NULL").await.len(), 0);
        // The rung of the seventh day is taken up at once; a day later it may be too late for it.
        app.advance(Duration::from_secs(60)).await;
        pass(&app, 23).await;
        assert_eq!(reminders(&app, &siti), 2, "it lies on, and the ladder goes on");
        app.asks(&siti.e164, "DIAMBIL").await;
        // Their session has ended meanwhile.
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        office.post(&format!("/console/ambil/kartu/{card}/diserahkan"), &[]).await;
        assert_eq!(app.query("SELECT status FROM card").await, [["issued"]]);
        let audit = "SELECT action FROM audit WHERE action IN ('handed_out_card', 'denied_collection') ORDER BY id";
        assert_eq!(app.query(audit).await, [["denied_collection"], ["handed_out_card"]]);
    }

    async fn of_several_cards_the_one_that_was_collected_is_asked_for(app: TestApp) {
        let siti = citizen(6);
        let budi = Citizen { phone: siti.phone.clone(), e164: siti.e164.clone(), ..citizen(7) };
        ready(&app, &siti).await;
        ready(&app, &budi).await;
        let question = app.asks(&siti.e164, "sudah diambil").await;
        let choices = question.choices();
        assert_eq!(choices.len(), 2, "{}", question.text());
        app.presses(&siti.e164, &choices[0]).await;
        assert_eq!(app.query("SELECT id FROM card WHERE taken_said_at IS NOT NULL").await.len(), 1);
    }

    async fn whoever_has_no_card_that_lies_ready_is_not_believed_to_have_taken_one(app: TestApp) {
        let answer = app.asks("+6281299990000", "sudah diambil").await;
        assert!(!answer.text().contains("kami catat"), "{}", answer.text());
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        app.asks(&citizen(1).e164, "sudah diambil").await;
        assert!(app.query("SELECT id FROM card WHERE taken_said_at IS NOT NULL").await.is_empty());
    }

    async fn an_announcement_on_a_day_off_names_the_next_open_day(app: TestApp) {
        place(&app).await;
        let date = "2026-11-23".parse().unwrap();
        let holiday = Holiday { date, area: None, name: "Hari jadi".to_owned(), hours: None };
        let mut tx = app.app.db.begin().await.unwrap();
        upsert_holiday(&mut tx, &holiday, app.app.now()).await.unwrap();
        tx.commit().await.unwrap();
        ready(&app, &citizen(1)).await;
        let sent = app.whatsapp.sent_to(&citizen(1).e164).pop().unwrap();
        assert!(sent.param("hours").contains("buka lagi Selasa, 24 November"), "{}", sent.param("hours"));
    }

    async fn only_those_who_may_hand_cards_over_and_only_in_their_area(app: TestApp) {
        ready(&app, &citizen(6)).await;
        let card = app.query("SELECT id FROM card").await.concat().concat();
        let here = format!("/console/ambil/desa/{JABON}");
        let desa = Browser::login(&app, OfficerRole::Desa, JABON).await;
        assert_eq!(desa.post(&here, &[("kartu", &card)]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(desa.get(&format!("{here}/unduh/csv")).await.status, StatusCode::FORBIDDEN);
        let neighbour = Browser::login(&app, OfficerRole::Kecamatan, "35.17.08").await;
        assert_eq!(neighbour.get(&here).await.status, StatusCode::NOT_FOUND);
        assert_eq!(neighbour.post(&here, &[("kartu", &card)]).await.status, StatusCode::NOT_FOUND);
        assert!(app.query("SELECT id FROM collection_list").await.is_empty());
    }

    async fn a_list_goes_on_where_it_was_when_the_card_it_stood_on_is_collected(app: TestApp) {
        place(&app).await;
        for n in 1..=3 {
            ready(&app, &citizen(n)).await;
            app.advance(Duration::from_secs(60)).await;
        }
        let (db, area) = (&app.app.db, AreaCode::parse("35").unwrap());
        let all = list_unclaimed(db, &area, app.app.now(), None, 10).await.unwrap();
        assert_eq!(all.len(), 3);
        let reached: Reached = all[1].reached().to_string().parse().unwrap();
        assert_eq!(reached, all[1].reached());
        hand_out(&app.app, &Actor::cli(), all[1].id).await.unwrap();
        let rest = list_unclaimed(db, &area, app.app.now(), Some(reached), 10).await.unwrap();
        assert_eq!(rest.iter().map(|card| card.id).collect::<Vec<_>>(), [all[2].id]);
    }
}
