//! An office that cannot work: those who wait hear it once, and once more when it is over, whatever breaks off between.

use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::domain::outage::OutageKind;
use kabar::service::outage::{OutageRefusal, declare, lift, step};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::citizen::Citizen;
use crate::support::console::Browser;
use crate::support::{LEASE_OVER, Start, TestApp, citizen, on_both_engines};

const BEGUN: &str = "kabar_outage_begun_v1";
const OVER: &str = "kabar_outage_over_v1";

/// As a template, or in free words to who has written within a day.
fn count(app: &TestApp, citizen: &Citizen, template: &str) -> usize {
    let words = if template == BEGUN { "tertunda karena" } else { "Layanan sudah pulih" };
    let sent = app.whatsapp.sent_to(&citizen.e164);
    sent.iter().filter(|sent| sent.template() == template || sent.text().contains(words)).count()
}

async fn waits(app: &TestApp, n: usize) -> Citizen {
    let who = citizen(n);
    app.card(&who, "PRINT_READY_RECORD").await;
    who
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

on_both_engines! {
    async fn an_outage_is_told_once_to_those_who_wait_and_lifted_to_those_who_heard(app: TestApp) {
        let siti = waits(&app, 6).await;
        let printed = citizen(1);
        app.card(&printed, "CARD_PRINTED").await;
        let elsewhere = citizen(2).of_area("35.17.08.2014");
        app.card(&elsewhere, "PRINT_READY_RECORD").await;
        app.run_until_idle().await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let form = [("kind", "printer"), ("area", "35.17.09"), ("reason", "printer sedang diperbaiki"), ("since", "")];
        let page = office.post_and_follow("/console/gangguan", &form).await;
        assert!(page.says("Gangguan diumumkan"), "{}", page.text);
        app.run_until_idle().await;
        assert_eq!(count(&app, &siti, BEGUN), 1);
        let told = app.whatsapp.sent_to(&siti.e164).pop().unwrap();
        assert_eq!(told.param("reason"), "printer sedang diperbaiki");
        assert_eq!(count(&app, &printed, BEGUN) + count(&app, &elsewhere, BEGUN), 0);
        let status = app.asks(&siti.e164, "STATUS").await.text().to_owned();
        assert!(status.contains("pencetakan terhenti: printer sedang diperbaiki"), "{status}");
        let other = app.asks(&elsewhere.e164, "STATUS").await.text().to_owned();
        assert!(!other.contains("pencetakan terhenti"), "{other}");
        assert!(office.get("/console/hari-ini").await.says("Gangguan layanan"));
        let twice = office.post("/console/gangguan", &form).await;
        assert!(twice.says("sudah diumumkan"), "{}", twice.text);

        let late = waits(&app, 3).await;
        let id = app.query("SELECT id FROM outage").await.concat().concat();
        let page = office.post_and_follow(&format!("/console/gangguan/{id}/selesai"), &[]).await;
        assert!(page.says("Gangguan dinyatakan selesai"), "{}", page.text);
        app.run_until_idle().await;
        assert_eq!((count(&app, &siti, OVER), count(&app, &late, OVER)), (1, 0));
        app.advance(Duration::from_secs(5 * 24 * 3600)).await;
        assert_eq!((count(&app, &siti, BEGUN), count(&app, &siti, OVER)), (1, 1));
        let after = app.asks(&siti.e164, "STATUS").await.text().to_owned();
        assert!(!after.contains("pencetakan terhenti"), "{after}");
        let audit = app.query("SELECT action FROM audit WHERE action LIKE '%outage' ORDER BY id").await;
        assert_eq!(audit, [["declared_outage"], ["lifted_outage"]]);
    }

    async fn telling_goes_on_after_a_restart_and_nobody_hears_it_twice(app: TestApp) {
        for n in 1..=230 {
            waits(&app, n).await;
        }
        app.run_until_idle().await;
        let actor = Actor::cli();
        let id = declare(&app.app, &actor, (OutageKind::NoBlanko, &area("35.17")), "kiriman terlambat", None)
            .await
            .unwrap();
        // A page is told and committed; then the process dies, and dies again in the middle of lifting.
        step_once(&app).await;
        let app = app.restart().await;
        app.advance(LEASE_OVER).await;
        let all = |app: &TestApp, template: &str| (1..=230).map(|n| count(app, &citizen(n), template)).max();
        assert_eq!(all(&app, BEGUN), Some(1));
        assert_eq!(app.query("SELECT person_id FROM outage_told").await.len(), 230);
        app.query("UPDATE outage SET work = 'begin', reached = ''").await;
        app.run_until_idle().await;
        assert_eq!(all(&app, BEGUN), Some(1), "even where the work is done anew");
        lift(&app.app, &actor, id).await.unwrap();
        step_once(&app).await;
        let app = app.restart().await;
        app.advance(Duration::from_secs(60)).await;
        assert_eq!(all(&app, OVER), Some(1));
        let messages = app.query("SELECT id FROM message WHERE template = 'outage_over'").await;
        assert_eq!(messages.len(), 230);
    }

    async fn two_outages_at_once_are_one_message_a_day_for_everybody(app: TestApp) {
        let siti = waits(&app, 6).await;
        app.run_until_idle().await;
        let actor = Actor::cli();
        let mut declared = Vec::new();
        for (kind, where_, why) in [
            (OutageKind::NoBlanko, "35.17", "kiriman terlambat"),
            (OutageKind::Printer, "35.17.09", "printer rusak"),
        ] {
            declared.push(declare(&app.app, &actor, (kind, &area(where_)), why, None).await.unwrap());
            app.run_until_idle().await;
        }
        assert_eq!(count(&app, &siti, BEGUN), 1);
        lift(&app.app, &actor, declared[0]).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(count(&app, &siti, OVER), 0, "the printer still keeps the card");
        lift(&app.app, &actor, declared[1]).await.unwrap();
        app.run_until_idle().await;
        assert_eq!((count(&app, &siti, BEGUN), count(&app, &siti, OVER)), (1, 1));
    }

    async fn what_was_declared_wrongly_and_withdrawn_at_night_hides_no_other_outage(start: Start) {
        let app = start.at("22:30 WIB").await;
        let siti = waits(&app, 6).await;
        app.run_until_idle().await;
        let actor = Actor::cli();
        let wrong = declare(&app.app, &actor, (OutageKind::Printer, &area("35.17")), "printer rusak", None).await;
        app.run_until_idle().await;
        lift(&app.app, &actor, wrong.unwrap()).await.unwrap();
        app.run_until_idle().await;
        declare(&app.app, &actor, (OutageKind::NoBlanko, &area("35.17")), "kiriman terlambat", None).await.unwrap();
        app.run_until_idle().await;
        app.advance_to("07:00 WIB").await;
        assert_eq!((count(&app, &siti, BEGUN), count(&app, &siti, OVER)), (1, 0));
    }

    async fn blank_cards_concern_nobody_who_waits_for_another_paper(app: TestApp) {
        let siti = citizen(3);
        app.card_with(&siti, "siap cetak", &[("document", json!("kk"))]).await;
        app.run_until_idle().await;
        declare(&app.app, &Actor::cli(), (OutageKind::NoBlanko, &area("35.17")), "kiriman terlambat", None)
            .await
            .unwrap();
        app.run_until_idle().await;
        assert_eq!(count(&app, &siti, BEGUN), 0);
    }

    async fn an_outage_that_ends_before_morning_is_told_to_nobody(start: Start) {
        let app = start.at("22:30 WIB").await;
        let siti = waits(&app, 6).await;
        app.run_until_idle().await;
        let actor = Actor::cli();
        let id = declare(&app.app, &actor, (OutageKind::Printer, &area("35.17.09")), "printer rusak", None)
            .await
            .unwrap();
        app.run_until_idle().await;
        lift(&app.app, &actor, id).await.unwrap();
        app.run_until_idle().await;
        app.advance_to("07:00 WIB").await;
        app.advance(Duration::from_secs(3600)).await;
        assert_eq!(count(&app, &siti, BEGUN) + count(&app, &siti, OVER), 0);
    }

    async fn a_server_that_fails_concerns_those_who_were_recorded(app: TestApp) {
        let recorded = citizen(1);
        app.card(&recorded, "BIO_CAPTURED").await;
        let waiting = waits(&app, 2).await;
        app.run_until_idle().await;
        declare(&app.app, &Actor::cli(), (OutageKind::Server, &area("35.17")), "jaringan pusat putus", None)
            .await
            .unwrap();
        app.run_until_idle().await;
        assert_eq!((count(&app, &recorded, BEGUN), count(&app, &waiting, BEGUN)), (1, 0));
    }

    async fn the_same_outage_declared_in_one_moment_by_two_officers_is_one(app: TestApp) {
        let actor = Actor::cli();
        for round in 0..5 {
            let here = area("35.17.09");
            let one = || declare(&app.app, &actor, (OutageKind::Printer, &here), "printer rusak", None);
            let (first, second, third) = tokio::join!(one(), one(), one());
            let all = [first, second, third];
            assert_eq!(all.iter().filter(|done| done.is_ok()).count(), 1, "round {round}: {all:?}");
            let is_refused = |done: &Result<_, OutageRefusal>| matches!(done, Err(OutageRefusal::Refused(_)));
            assert_eq!(all.iter().filter(|done| is_refused(done)).count(), 2, "{all:?}");
            for done in all.into_iter().flatten() {
                lift(&app.app, &actor, done).await.unwrap();
            }
        }
    }

    async fn a_third_kind_of_outage_is_told_to_whom_it_keeps_waiting(app: TestApp) {
        let siti = waits(&app, 6).await;
        let actor = Actor::cli();
        for (kind, at) in [(OutageKind::Server, "35.17"), (OutageKind::Server, "35.17.09"), (OutageKind::Printer, "35.17.09")] {
            declare(&app.app, &actor, (kind, &area(at)), "sedang diperbaiki", None).await.unwrap();
        }
        app.run_until_idle().await;
        let status = app.asks(&siti.e164, "STATUS").await.text().to_owned();
        assert!(status.contains("pencetakan terhenti: sedang diperbaiki"), "{status}");
    }

    async fn nobody_declares_or_lifts_an_outage_beyond_their_area_or_role(app: TestApp) {
        let form = [("kind", "printer"), ("area", "35.17"), ("reason", "printer rusak")];
        let kecamatan = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let refused = kecamatan.post("/console/gangguan", &form).await;
        assert!(refused.says("di luar wilayah Anda"), "{}", refused.text);
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        assert_eq!(desa.post("/console/gangguan", &form).await.status, StatusCode::FORBIDDEN);
        for (name, value, words) in [
            ("reason", " ", "Tulis sebabnya"),
            ("reason", "lihat http://contoh.test", "Tulis sebabnya"),
            ("since", "2030-01-01T08:00", "belum tiba"),
            ("since", "kemarin", "tidak terbaca"),
        ] {
            let mut fields = vec![("kind", "printer"), ("area", "35.17.09"), ("reason", "rusak")];
            fields.retain(|(key, _)| *key != name);
            fields.push((name, value));
            let page = kecamatan.post("/console/gangguan", &fields).await;
            assert!(page.says(words), "{name} {value}: {}", page.text);
        }
        assert!(app.query("SELECT id FROM outage").await.is_empty());
        let id = declare(&app.app, &Actor::cli(), (OutageKind::Printer, &area("35.17")), "rusak", None)
            .await
            .unwrap();
        let lifted = kecamatan.post(&format!("/console/gangguan/{id}/selesai"), &[]).await;
        assert_eq!(lifted.status, StatusCode::NOT_FOUND);
        assert!(app.query("SELECT id FROM outage WHERE lifted_at IS NOT NULL").await.is_empty());
    }
}

/// Some pages are told, as far as one round goes.
async fn step_once(app: &TestApp) {
    step(&app.app).await.unwrap();
}
