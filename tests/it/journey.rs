//! Journeys as the phones show them, each held to a file of `tests/journeys`: from printed to in the hand, with every
//! answer, every outcome, a courier without network, a round that is moved, an outage, and a card that lies two months.

use std::time::Duration;

use chrono::Days;
use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::domain::outage::OutageKind;
use kabar::service::outage::{declare, lift};
use kabar::service::round::{self, Report};
use kabar::store::Engine;
use serde_json::json;

use crate::collection::place;
use crate::round::{announced, at, code, tomorrow};
use crate::support::console::Browser;
use crate::support::journey::Journey;
use crate::support::{TestApp, citizen, run};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn playing(journey: impl AsyncFnOnce(TestApp)) {
    Box::pin(run(Engine::Sqlite, journey)).await;
}

#[tokio::test]
async fn each_answer_to_the_day_of_a_round() {
    playing(async |app| {
        let mut journey =
            Journey::begin(&app, "Each answer to the day of a round, and what follows it", 6);
        let ground = announced(&app, 6).await;
        journey.then("six cards are printed, and a round of the next day is announced").await;
        journey.says(1, "ada di rumah").await;
        journey.says(2, "ganti hari").await;
        journey.says(2, "kamis").await;
        journey.says(3, "diterima istri saya Wati").await;
        journey.says(4, "alamat salah").await;
        journey.says(5, "saya ambil sendiri").await;
        journey.says(6, "bukan saya").await;
        ground.morning(&app).await;
        journey
            .then("the morning of the round: the courier has the cards of those who are visited")
            .await;
        journey.hold_to("round_answers");
    })
    .await;
}

#[tokio::test]
async fn each_outcome_of_a_visit() {
    playing(async |app| {
        let ground = announced(&app, 7).await;
        ground.morning(&app).await;
        app.run_until_idle().await;
        let mut journey =
            Journey::begin(&app, "Each outcome of a visit, until the round is closed", 7);
        let told = code(&app, 1);
        ground.receive(&app, 1, 1, &told).await;
        journey.then("Budi receives the card with the code").await;
        let outcomes =
            ["nobody_home", "moved", "died", "unclear_address", "refused", "old_card_missing"];
        for (n, outcome) in (2..).zip(outcomes) {
            let said = ground.outcome(&app, n.try_into().unwrap(), n, outcome).await;
            assert_eq!(said.result, "done", "{outcome}");
            journey.then(&format!("the courier reports of {}: {outcome}", citizen(n).name)).await;
        }
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        journey.then("the office closes the round").await;
        let next =
            round::plan(&app.app, &ground.office, &crate::round::wish(&app, &ground.courier, 0))
                .await
                .unwrap()[0];
        round::announce(&app.app, &ground.office, next).await.unwrap();
        journey.then("a second round is announced").await;
        app.advance(DAY).await;
        round::start(&app.app, &ground.courier, next).await.unwrap();
        let ground = crate::round::Ground { round: next, ..ground };
        for n in [2, 7] {
            let said = ground.outcome(&app, 20 + u32::try_from(n).unwrap(), n, "nobody_home").await;
            assert_eq!(said.result, "done");
        }
        journey.then("nobody is home a second time").await;
        round::close(&app.app, &ground.office, next).await.unwrap();
        journey.then("the office closes the round: two visits in vain make it collection").await;
        journey.hold_to("round_outcomes");
    })
    .await;
}

#[tokio::test]
async fn a_courier_without_network() {
    playing(async |app| {
        let ground = announced(&app, 2).await;
        let mut journey = Journey::begin(&app, "A courier without network: what happened at the door is heard when it arrives", 2);
        ground.morning(&app).await;
        journey.then("the morning of the round").await;
        let items = [ground.item(&app, 1).await, ground.item(&app, 2).await];
        let told = code(&app, 1);
        let report = |n: usize, report: Report| Report {
            key: format!("offline-{n}"),
            item: items[n - 1].id.clone(),
            at: app.now_s() * 1000,
            version: items[n - 1].version,
            ..report
        };
        let received = Report { outcome: "received".into(), by: "self".into(), code: told, ..Report::default() };
        let kept = vec![
            report(1, received),
            report(2, Report { outcome: "nobody_home".into(), ..Report::default() }),
        ];
        journey.then("Budi has the card in the hand, at Sri's nobody opened; the phone keeps both").await;
        journey.says(2, "saya ambil sendiri saja").await;
        app.advance(Duration::from_secs(4 * 3600)).await;
        let came = round::report(&app.app, &ground.courier, ground.round, kept.clone()).await.unwrap();
        assert_eq!(came.iter().map(|one| one.result.as_str()).collect::<Vec<_>>(), ["done", "conflict"]);
        journey.then("four hours later there is network: one report counts, the other is for the office to decide").await;
        let again = round::report(&app.app, &ground.courier, ground.round, kept).await.unwrap();
        assert!(again.iter().all(|one| one.result == "repeated"));
        journey.then("the phone sends both once more, as it got no answer: nothing happens twice").await;
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        journey.then("the office closes the round").await;
        journey.hold_to("round_offline");
    })
    .await;
}

#[tokio::test]
async fn a_round_that_is_moved_and_then_cancelled() {
    playing(async |app| {
        let mut journey = Journey::begin(&app, "A round that is moved, and cancelled after all", 2);
        let ground = announced(&app, 2).await;
        journey.then("two cards are printed, and a round of the next day is announced").await;
        journey.says(1, "ada di rumah").await;
        let day = (tomorrow(&app) + Days::new(1), at(13), at(15));
        round::move_to(&app.app, &ground.office, ground.round, day).await.unwrap();
        journey.then("the office moves the round").await;
        journey.says(1, "kapan ktp saya diantar?").await;
        journey.says(2, "ada di rumah").await;
        round::cancel(&app.app, &ground.office, ground.round).await.unwrap();
        journey.then("the office cancels the round").await;
        journey.says(1, "kapan ktp saya diantar?").await;
        journey.hold_to("round_moved");
    })
    .await;
}

#[tokio::test]
async fn an_outage_from_its_beginning_to_its_end() {
    playing(async |app| {
        app.card(&citizen(1), "PRINT_READY_RECORD").await;
        app.run_until_idle().await;
        let mut journey = Journey::begin(
            &app,
            "An outage: whoever waits hears of it once, and once that it is over",
            2,
        );
        let area = AreaCode::parse("35.17").unwrap();
        let what = (OutageKind::Printer, &area);
        let id = declare(&app.app, &Actor::cli(), what, "printer sedang diperbaiki", None)
            .await
            .unwrap();
        journey.then("the office says that its printer is being repaired").await;
        journey.says(1, "ktp saya sudah jadi?").await;
        app.advance(DAY).await;
        journey.then("a day later").await;
        lift(&app.app, &Actor::cli(), id).await.unwrap();
        journey.then("the printer works again").await;
        journey.says(1, "ktp saya sudah jadi?").await;
        journey.hold_to("outage");
    })
    .await;
}

#[tokio::test]
async fn a_card_that_lies_for_two_months() {
    playing(async |app| {
        place(&app).await;
        let mut journey = Journey::begin(
            &app,
            "A card that nobody collects for two months, until the desa has it",
            1,
        );
        app.card_with(&citizen(1), "READY_TO_COLLECT", &[("service_point", json!("kec-jombang"))])
            .await;
        journey.then("the card lies at the kecamatan").await;
        // The hour of a reminder is the card's own: whole days later it has come for every card.
        for (days, since) in [(9, 9), (23, 32), (30, 62)] {
            app.advance(DAY * days).await;
            journey.then(&format!("after {since} days")).await;
        }
        journey.says(1, "ktp saya di mana?").await;
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let card = app.query("SELECT id FROM card").await.concat().concat();
        office.post("/console/ambil/desa/35.17.09.2018", &[("kartu", &card)]).await;
        journey.then("the kecamatan hands it to the desa with a list").await;
        let id = app.query("SELECT id FROM collection_list").await.concat().concat();
        let desa = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        desa.post(&format!("/console/ambil/daftar/{id}/terima"), &[]).await;
        journey.then("the desa has taken it over").await;
        journey.says(1, "sudah saya ambil").await;
        desa.post(&format!("/console/ambil/kartu/{card}/diserahkan"), &[("daftar", &id)]).await;
        journey.then("the desa ticks it off").await;
        journey.hold_to("collection_two_months");
    })
    .await;
}
