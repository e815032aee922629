//! Rounds when things do not go as planned: days that pass, codes that were not told, sources that
//! speak in between, reports that come late; and what an office is warned of.

use std::time::Duration;

use chrono::Days;
use kabar::domain::custody::Holder;
use kabar::domain::id::ItemId;
use kabar::domain::language::Language;
use kabar::domain::officer::OfficerRole;
use kabar::service::custody;
use kabar::service::round::{self, Found, Report, RightHome, RoundError, Wish};
use kabar::store::round_plan::{Alarms, count_alarms};
use serde_json::json;

use crate::round::{
    Ground, actor, announced, at, code, holder, of_what_waits, print, rows_of, told, tomorrow, wish,
};
use crate::support::console::Browser;
use crate::support::{Start, TestApp, citizen, on_both_engines};

const POINT: (&str, &str) = ("service_point", "kec-jombang");

/// A source says something of the card of citizen `n`.
async fn source_says(app: &TestApp, n: usize, status: &str) {
    // The office's own word was a moment ago; what a source says now comes after it.
    app.advance(Duration::from_secs(60)).await;
    app.card_with(&citizen(n), status, &[(POINT.0, json!(POINT.1))]).await;
    app.run_until_idle().await;
}

async fn alarms(app: &TestApp, ground: &Ground) -> Alarms {
    let area = ground.office.area.clone();
    let today = tomorrow(app) - Days::new(1);
    let mut reading = app.app.db.reading().await.unwrap();
    count_alarms(&mut reading, &area, today).await.unwrap()
}

fn by_word(item: String) -> Report {
    Report {
        item,
        outcome: "received".into(),
        by: "override".into(),
        receiver: "Siti Aminah".into(),
        reason: "dikenal".into(),
        ..Report::default()
    }
}

fn came(reported: &round::Reported) -> (&str, &str) {
    (reported.result.as_str(), reported.why.as_str())
}

async fn states(app: &TestApp) -> Vec<Vec<String>> {
    app.query("SELECT state, COALESCE(next, ''), COALESCE(outcome, '') FROM round_item ORDER BY id")
        .await
}

on_both_engines! {
    async fn a_card_whose_wished_day_passed_without_a_round_goes_onto_the_next(app: TestApp) {
        let ground = announced(&app, 1).await;
        let asked = app.asks(&citizen(1).e164, "besok saja").await;
        app.presses(&citizen(1).e164, &asked.choices()[0]).await;
        assert_eq!(states(&app).await, [["left", "day", ""]]);
        let later = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 20)).await;
        assert!(matches!(later, Err(RoundError::Empty)), "it waits for its day: {later:?}");
        app.advance(Duration::from_secs(8 * 24 * 3600)).await;
        assert_eq!(alarms(&app, &ground).await.wishes, 1);
        let made = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await;
        assert_eq!(made.unwrap().len(), 1);
        assert_eq!(alarms(&app, &ground).await.wishes, 0);
    }

    async fn a_courier_who_falls_ill_gives_the_round_to_another_and_nobody_is_told_twice(app: TestApp) {
        let ground = announced(&app, 2).await;
        let messages = app.whatsapp.sent().len();
        let other = actor(&app, "kurir2", OfficerRole::Courier, "35.17.09").await;
        let far = actor(&app, "kurir3", OfficerRole::Courier, "35.17.08").await;
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let here = format!("/console/antar/putaran/{}", ground.round);
        let refused = browser.post_and_follow(&format!("{here}/kurir"), &[("kurir", &far.id)]).await;
        assert!(refused.says("boleh mengantar di wilayah itu"), "{}", refused.text);
        let page = browser.post_and_follow(&format!("{here}/kurir"), &[("kurir", &other.id)]).await;
        assert!(page.says("Kurir diganti"), "{}", page.text);
        assert_eq!(app.query("SELECT courier_id FROM delivery_round").await, [[other.id.clone()]]);
        let old = round::for_courier(&app.app, &ground.courier, ground.round).await;
        assert!(matches!(old, Err(RoundError::NotFound)), "it is off the old phone");
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), messages, "citizens were told of a day and not of a person");
        let ground = Ground { courier: other, ..ground };
        ground.morning(&app).await;
        assert!(holder(&app, 1).await.starts_with("courier"));
        let late = round::reassign(&app.app, &ground.office, ground.round, ground.courier.id.parse().unwrap()).await;
        assert!(matches!(late, Err(RoundError::State(_))), "who has the cards in the bag keeps the round");
    }

    async fn before_the_code_was_told_no_courier_does_without_it(app: TestApp) {
        let ground = announced(&app, 1).await;
        app.advance_to("05:00 WIB").await;
        round::start(&app.app, &ground.courier, ground.round).await.unwrap();
        let item = ground.item(&app, 1).await.id;
        let early = ground.report(&app, 1, by_word(item.clone())).await;
        assert_eq!(came(&early), ("refused", "code_to_come"));
        app.advance_to("07:30 WIB").await;
        let told_now = ground.report(&app, 2, by_word(item.clone())).await;
        assert_eq!(came(&told_now), ("refused", "needs_officer"));
        let done = round::hand_over_by_word(
            &app.app, &ground.office, (ground.round, item.parse().unwrap()), ("Siti", "dikenal RT"),
        ).await;
        assert_eq!(done.unwrap(), "done");
    }

    async fn a_round_that_nobody_was_told_of_hands_nothing_over(app: TestApp) {
        let ground = announced(&app, 2).await;
        round::cancel(&app.app, &ground.office, ground.round).await.unwrap();
        let untold = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await.unwrap()[0];
        let ground = Ground { round: untold, ..ground };
        app.advance_to("07:30 WIB").await;
        let item = ground.item(&app, 1).await.id;
        let refused = ground.report(&app, 1, by_word(item)).await;
        assert_eq!(came(&refused), ("refused", "not_announced"));
        assert_eq!(app.query("SELECT state FROM delivery_round ORDER BY id").await, [["cancelled"], ["planned"]]);
        assert_eq!(holder(&app, 1).await, "point kec-jombang");
    }

    async fn an_announcement_goes_on_by_its_button_and_what_was_not_told_is_not_carried(app: TestApp) {
        let ground = announced(&app, 3).await;
        let [one, two] = [ground.item(&app, 1).await.id, ground.item(&app, 2).await.id];
        app.query(&format!("UPDATE round_item SET state = 'planned' WHERE id IN ('{one}', '{two}')")).await;
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let here = format!("/console/antar/putaran/{}", ground.round);
        assert!(browser.get(&here).await.says("/kabarkan"), "the button is there again");
        assert_eq!(round::announce(&app.app, &ground.office, ground.round).await.unwrap(), (2, 0));
        assert!(!browser.get(&here).await.says("/kabarkan"));
        app.query(&format!("UPDATE round_item SET state = 'planned' WHERE id = '{one}'")).await;
        app.advance_to("07:30 WIB").await;
        assert_eq!(round::start(&app.app, &ground.courier, ground.round).await.unwrap(), (2, 0));
        assert_eq!(ground.item(&app, 1).await.state, "left");
        assert_eq!(holder(&app, 1).await, "point kec-jombang");
    }

    async fn what_a_source_says_takes_a_card_off_its_round_or_leaves_it_there(app: TestApp) {
        let ground = announced(&app, 4).await;
        source_says(&app, 1, "siap ambil").await;
        source_says(&app, 2, "CARD_ISSUED").await;
        source_says(&app, 3, "CARD_PRINTED").await;
        assert_eq!(told(&app, 1).await.last().unwrap(), "ready_to_collect");
        let state = async |n: usize| ground.item(&app, n).await.state;
        assert_eq!([state(1).await, state(2).await, state(3).await], ["left", "left", "announced"]);
        assert_eq!(holder(&app, 2).await, "citizen");
        ground.morning(&app).await;
        let codes = async |n: usize| {
            told(&app, n).await.iter().filter(|kind| *kind == "home_delivery_code").count()
        };
        assert_eq!([codes(1).await, codes(2).await, codes(3).await], [0, 0, 1]);
        let days = told(&app, 3).await.iter().filter(|kind| *kind == "home_delivery_scheduled").count();
        assert_eq!(days, 1, "the day is told once");
        // The source does not know that the card is in the bag.
        source_says(&app, 3, "siap ambil").await;
        assert!(!told(&app, 3).await.contains(&"ready_to_collect".to_owned()));
        assert_eq!(ground.receive(&app, 1, 3, &code(&app, 3)).await.result, "done");
        // Who answered that they collect it hears where once it is back.
        app.asks(&citizen(4).e164, "ganti hari").await;
        app.writes(&citizen(4).e164, "1").await;
        app.run_until_idle().await;
        source_says(&app, 4, "siap ambil").await;
        assert!(!told(&app, 4).await.contains(&"ready_to_collect".to_owned()), "still in the bag");
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(told(&app, 4).await.last().unwrap(), "ready_to_collect");
    }

    async fn a_visit_in_vain_is_reported_again_and_a_mistaken_tap_undone(app: TestApp) {
        let ground = announced(&app, 2).await;
        ground.morning(&app).await;
        assert_eq!(ground.outcome(&app, 1, 1, "nobody_home").await.result, "done");
        assert_eq!(ground.outcome(&app, 2, 2, "died").await.result, "done");
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let here = format!("/console/antar/putaran/{}", ground.round);
        let page = browser.get(&here).await.text;
        assert_eq!(page.matches("/serahkan").count(), 2, "an officer may still note it: {page}");
        assert!(app.query("SELECT absence FROM source_row").await.is_empty(), "not before the round is closed");
        for n in [1, 2] {
            let came = ground.receive(&app, 10 + n, n as usize, &code(&app, n as usize)).await;
            assert_eq!(came.result, "done");
        }
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        assert!(app.query("SELECT absence FROM source_row").await.is_empty());
        assert_eq!(app.query("SELECT COUNT(*) FROM card WHERE status = 'issued'").await, [["2"]]);
    }

    async fn who_was_said_to_have_died_is_told_again_once_an_officer_takes_it_back(app: TestApp) {
        let ground = announced(&app, 1).await;
        ground.morning(&app).await;
        ground.outcome(&app, 1, 1, "died").await;
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        assert_eq!(app.query("SELECT absence FROM source_row").await, [["died"]]);
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let item = ground.item(&app, 1).await.id;
        let to = format!("/console/antar/putaran/{}", ground.round);
        assert!(browser.get(&to).await.says("Ternyata masih ada"));
        browser.post(&format!("{to}/masih-ada"), &[("kartu", &item)]).await;
        assert!(app.query("SELECT absence FROM source_row").await.is_empty());
        let next = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await.unwrap()[0];
        assert_eq!(round::announce(&app.app, &ground.office, next).await.unwrap(), (1, 0));
    }

    async fn what_a_courier_reports_after_the_round_was_closed_counts_once_the_office_says_so(app: TestApp) {
        let ground = announced(&app, 2).await;
        ground.morning(&app).await;
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        let next = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await.unwrap()[0];
        for (key, n, outcome) in [(1, 1, "nobody_home"), (2, 2, "died")] {
            let late = ground.outcome(&app, key, n, outcome).await;
            assert_eq!(late.result, "conflict", "{}", late.why);
            let which = format!("{key:08}-test");
            round::settle_conflict(&app.app, &ground.office, (ground.round, &which), true).await.unwrap();
        }
        let sql = format!("SELECT attempt, state FROM round_item WHERE round_id = '{next}' ORDER BY state");
        assert_eq!(app.query(&sql).await, [["1", "left"], ["2", "planned"]], "the second visit, and none to the dead");
        assert_eq!(app.query("SELECT absence FROM source_row").await, [["died"]]);
    }

    async fn who_was_told_and_is_not_visited_hears_that_too(app: TestApp) {
        let ground = announced(&app, 3).await;
        app.advance_to("07:30 WIB").await;
        // The card of the first was taken elsewhere and nobody knows where it lies.
        let card = rows_of(&app, 1, "SELECT id FROM card WHERE person_id = $person").await[0].parse().unwrap();
        let mut tx = app.app.db.begin().await.unwrap();
        let to = Holder::Point("lain".into());
        custody::hand_over(&mut tx, &app.app, "test", card, None, to, "test").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(round::start(&app.app, &ground.courier, ground.round).await.unwrap(), (2, 1));
        app.run_until_idle().await;
        assert_eq!(told(&app, 1).await.last().unwrap(), "home_delivery_cancelled");
        assert_eq!(alarms(&app, &ground).await.missing, 1);
        assert_eq!(ground.receive(&app, 1, 2, &code(&app, 2)).await.result, "done");
        // The courier did not get to the third; in the evening they hear it.
        app.advance_to("17:00 WIB").await;
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(told(&app, 3).await.last().unwrap(), "home_delivery_cancelled");
        assert_ne!(told(&app, 2).await.last().unwrap(), "home_delivery_cancelled");
    }

    async fn yesterdays_round_closed_late_takes_no_card_out_of_todays_bag(app: TestApp) {
        let ground = announced(&app, 1).await;
        app.card_with(&citizen(2), "CARD_PRINTED", &[(POINT.0, json!(POINT.1))]).await;
        let other = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 1)).await.unwrap()[0];
        round::announce(&app.app, &ground.office, other).await.unwrap();
        ground.morning(&app).await;
        app.asks(&citizen(1).e164, "ganti hari").await;
        app.writes(&citizen(1).e164, "1").await;
        app.run_until_idle().await;
        let today = Ground { round: other, ..ground };
        today.morning(&app).await;
        round::close(&app.app, &today.office, ground.round).await.unwrap();
        assert!(holder(&app, 1).await.starts_with("courier"), "{}", holder(&app, 1).await);
        let item = today.item(&app, 1).await;
        assert_eq!(item.state, "announced");
        assert_eq!(today.receive(&app, 1, 1, &code(&app, 1)).await.result, "done");
    }

    async fn every_alarm_rings_for_its_own_matter_and_for_no_other(app: TestApp) {
        let ground = announced(&app, 2).await;
        assert_eq!(alarms(&app, &ground).await, Alarms::default());
        app.card_with(&citizen(3), "CARD_PRINTED", &[]).await;
        assert_eq!(alarms(&app, &ground).await, Alarms { nobodys: 1, ..Alarms::default() });
        app.advance(Duration::from_secs(60)).await;
        app.card_with(&citizen(3), "siap ambil", &[]).await;
        app.run_until_idle().await;
        let lost = Alarms { nobodys: 1, ..Alarms::default() };
        assert_eq!(alarms(&app, &ground).await, lost, "ready, and nobody knows where");
        source_says(&app, 3, "siap ambil").await;
        ground.morning(&app).await;
        for n in 1..=5 {
            ground.receive(&app, n, 1, "abcd").await;
        }
        assert_eq!(alarms(&app, &ground).await, Alarms { locked: 1, ..Alarms::default() });
        ground.outcome(&app, 6, 1, "unclear_address").await;
        let asked = Alarms { locked: 1, questions: 1, ..Alarms::default() };
        assert_eq!(alarms(&app, &ground).await, asked);
        app.advance(Duration::from_secs(24 * 3600)).await;
        let over = Alarms { kept: 2, stale: 1, ..asked };
        assert_eq!(alarms(&app, &ground).await, over);
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(browser.get("/console/antar").await.text.matches(&ground.round.to_string()).count() > 1, "a way to it");
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        assert_eq!(alarms(&app, &ground).await, Alarms { questions: 1, ..Alarms::default() });
        ground.outcome(&app, 7, 2, "nobody_home").await;
        assert_eq!(alarms(&app, &ground).await.conflicts, 1);
        // A second visit, today, is no card that was kept.
        let next = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await.unwrap()[0];
        round::announce(&app.app, &ground.office, next).await.unwrap();
        Ground { round: next, ..ground }.morning(&app).await;
        let office = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert!(office.get("/console/hari-ini").await.says("Antar ke rumah perlu diperiksa"));
        assert_eq!(app.query("SELECT COUNT(*) FROM custody WHERE until_at IS NULL AND holder LIKE 'courier %'").await, [["1"]]);
    }

    async fn whose_number_was_a_strangers_is_asked_of_the_desa_and_brought_again(app: TestApp) {
        let ground = announced(&app, 2).await;
        for n in [1, 2] {
            app.asks(&citizen(n).e164, "bukan saya").await;
        }
        assert_eq!(states(&app).await, [["left", "not_reached", ""], ["left", "not_reached", ""]]);
        let days = "SELECT template FROM visit WHERE closed_at IS NULL AND template LIKE 'home_delivery%'";
        assert!(app.query(days).await.is_empty(), "nobody is to tell a day that no longer holds");
        assert_eq!(alarms(&app, &ground).await.questions, 2);
        let again = async || round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await;
        assert!(matches!(again().await, Err(RoundError::Empty)));
        app.advance(Duration::from_secs(60)).await;
        let mended = citizen(1).with_phone("0812-9999-0001");
        app.card_with(&mended, "CARD_PRINTED", &[(POINT.0, json!(POINT.1))]).await;
        assert_eq!(again().await.unwrap().len(), 1, "there is a number now");
        let item: ItemId = app
            .query("SELECT id FROM round_item WHERE next = 'not_reached' AND next_done_at IS NULL")
            .await[0][0]
            .parse()
            .unwrap();
        round::settle_question(&app.app, &ground.office, item, Found::Again, &RightHome::default()).await.unwrap();
        assert_eq!(again().await.unwrap().len(), 1, "the desa knows the house");
    }

    async fn whoever_waited_longest_keeps_the_place_when_a_round_is_cancelled(app: TestApp) {
        let ground = announced(&app, 1).await;
        round::cancel(&app.app, &ground.office, ground.round).await.unwrap();
        app.advance(Duration::from_secs(3600)).await;
        app.card_with(&citizen(2), "CARD_PRINTED", &[(POINT.0, json!(POINT.1))]).await;
        app.query("UPDATE card SET status_at = status_at - 1 WHERE status = 'printed'").await;
        let one = Wish { capacity: 1, ..wish(&app, &ground.courier, 0) };
        let next = round::plan(&app.app, &ground.office, &one).await.unwrap()[0];
        let ground = Ground { round: next, ..ground };
        assert_eq!(ground.items(&app).await.len(), 1);
        assert_eq!(ground.item(&app, 1).await.position, 1, "the card that waits longest");
        // The courier's hands are full that morning.
        let full = round::plan(&app.app, &ground.office, &one).await;
        assert!(matches!(full, Err(RoundError::Empty)), "{full:?}");
        let afternoon = Wish { from: at(13), to: at(15), ..one };
        assert_eq!(round::plan(&app.app, &ground.office, &afternoon).await.unwrap().len(), 1);
    }

    async fn a_report_that_contradicts_remembers_whether_its_code_was_right(app: TestApp) {
        let ground = announced(&app, 1).await;
        ground.morning(&app).await;
        let right = code(&app, 1);
        app.asks(&citizen(1).e164, "saya ambil sendiri").await;
        ground.receive(&app, 1, 1, &right).await;
        ground.receive(&app, 2, 1, "abcd").await;
        assert_eq!(app.query("SELECT code FROM round_report ORDER BY report_key").await, [["right"], ["wrong"]]);
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let page = browser.get(&format!("/console/antar/putaran/{}", ground.round)).await;
        assert!(page.says("kodenya benar") && page.says("kodenya salah"), "{}", page.text);
        let item = ground.item(&app, 1).await.id.parse().unwrap();
        let kept = round::hand_over_by_word(&app.app, &ground.office, (ground.round, item), ("Siti", "RT")).await;
        assert_eq!(kept.unwrap(), "conflict");
    }

    async fn a_round_moved_at_night_and_cancelled_names_the_day_that_was_heard(start: Start) {
        let app = start.at("10:00 WIB").await;
        let ground = announced(&app, 1).await;
        let heard = tomorrow(&app);
        let same = (heard, at(9), at(12));
        app.asks(&citizen(1).e164, "saya di rumah").await;
        assert_eq!(round::move_to(&app.app, &ground.office, ground.round, same).await.unwrap(), 1);
        assert_eq!(ground.item(&app, 1).await.answer, "home", "nothing moved");
        app.advance_to("21:00 WIB").await;
        let later = (heard + Days::new(3), at(9), at(12));
        round::move_to(&app.app, &ground.office, ground.round, later).await.unwrap();
        app.advance_to("22:00 WIB").await;
        assert_eq!(round::cancel(&app.app, &ground.office, ground.round).await.unwrap(), 1);
        app.advance_to("07:30 WIB").await;
        assert_eq!(told(&app, 1).await.last().unwrap(), "home_delivery_cancelled");
        let sent = app.whatsapp.sent_to(&citizen(1).e164).pop().unwrap();
        let words = app.app.templates.vocabulary().date(heard);
        let said = format!("{} {}", sent.param("date"), sent.text());
        assert!(said.contains(&words), "{words}: {said}");
    }

    async fn who_wants_to_collect_while_the_courier_may_be_out_hears_where_when_it_is_back(app: TestApp) {
        let ground = announced(&app, 2).await;
        app.advance_to("07:30 WIB").await;
        app.advance_to("10:00 WIB").await;
        app.asks(&citizen(1).e164, "saya ambil sendiri").await;
        assert!(!told(&app, 1).await.contains(&"ready_to_collect".to_owned()), "it may be in the bag");
        let done = ground.receive(&app, 1, 2, &code(&app, 2)).await;
        assert_eq!(done.result, "done");
        assert!(holder(&app, 1).await.starts_with("courier"), "it was in the bag");
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(told(&app, 1).await.last().unwrap(), "ready_to_collect");
    }

    async fn a_button_answers_the_visit_it_stands_below(app: TestApp) {
        let ground = announced(&app, 1).await;
        let sibling = citizen(2).with_phone(&citizen(1).phone);
        app.card_with(&sibling, "CARD_PRINTED", &[(POINT.0, json!(POINT.1)), ("address", json!("Jalan Melati 2"))]).await;
        let later = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 2)).await.unwrap()[0];
        round::announce(&app.app, &ground.office, later).await.unwrap();
        app.run_until_idle().await;
        let there = Ground { round: later, courier: ground.courier.clone(), office: ground.office.clone() };
        let item = there.item(&app, 2).await.id;
        let choices = app.app.script().delivery_choices_of(&item, Language::Indonesian);
        let press = async |n: usize| {
            let choice = (choices[n].id.clone(), choices[n].title.clone());
            app.presses(&citizen(1).e164, &choice).await
        };
        press(0).await;
        assert_eq!([ground.item(&app, 1).await.answer, there.item(&app, 2).await.answer], ["", "home"]);
        // What is asked back is about the same visit.
        press(2).await;
        app.asks(&citizen(1).e164, "Rini").await;
        assert_eq!([ground.item(&app, 1).await.answer, there.item(&app, 2).await.receiver], ["", "Rini"]);
    }

    async fn a_stale_round_swallows_no_answer_and_stays_in_sight(app: TestApp) {
        let ground = announced(&app, 1).await;
        app.advance(Duration::from_secs(20 * 24 * 3600)).await;
        let answer = app.asks(&citizen(1).e164, "saya di rumah").await;
        assert!(!answer.text().contains("kami catat ada orang di rumah"), "{}", answer.text());
        assert_eq!(ground.item(&app, 1).await.answer, "");
        assert_eq!(alarms(&app, &ground).await.stale, 1);
        let browser = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        assert!(browser.get("/console/antar").await.says(&ground.round.to_string()));
    }

    async fn rounds_that_are_over_push_none_to_come_off_the_page(app: TestApp) {
        let ground = announced(&app, 1).await;
        let round = "INSERT INTO delivery_round (id, area, day, time_from, time_to, courier_id, capacity, state, \
                     made_by, made_at, ended_at) SELECT";
        for n in 0..110 {
            let id = format!("rnd_01ARZ3NDEKTSV4RRFFQ69G5{n:03}");
            app.query(&format!("{round} '{id}', area, '2026-11-01', time_from, time_to, courier_id, capacity, \
                'closed', made_by, made_at, 1000 + {n} FROM delivery_round WHERE id = '{}'", ground.round)).await;
        }
        let office = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let live = office.get("/console/antar").await;
        assert!(live.says(&ground.round.to_string()) && !live.says("rnd_01ARZ3NDEKTSV4RRFFQ69G5109"));
        let over = office.get("/console/antar?lihat=lewat").await;
        assert!(over.says("rnd_01ARZ3NDEKTSV4RRFFQ69G5109") && !over.says("rnd_01ARZ3NDEKTSV4RRFFQ69G5009"));
        let next = over.text.split("href=\"/console/antar?").find(|part| part.starts_with("lihat=lewat&")).unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        let rest = office.get(&format!("/console/antar?{next}")).await;
        assert!(rest.says("rnd_01ARZ3NDEKTSV4RRFFQ69G5009") && !rest.says("rnd_01ARZ3NDEKTSV4RRFFQ69G5010"), "{next}");
    }
}

on_both_engines! {
    async fn printed_cards_without_a_number_of_theirs_are_handed_over_by_name(app: TestApp) {
        print(&app, 0).await;
        let parts = [(POINT.0, json!(POINT.1)), ("address", json!("Jalan Melati 1"))];
        app.card_with(&citizen(1).with_phone(""), "CARD_PRINTED", &parts).await;
        let ground = of_what_waits(&app).await;
        app.advance_to("05:00 WIB").await;
        round::start(&app.app, &ground.courier, ground.round).await.unwrap();
        let item = ground.item(&app, 1).await.id;
        assert_eq!(ground.report(&app, 1, by_word(item)).await.result, "done");
    }
}
