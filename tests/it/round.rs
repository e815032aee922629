//! Cards brought home: planned, announced, answered, carried, reported; and what follows when it
//! does not go as planned.

use std::time::Duration;

use axum::http::StatusCode;
use chrono::{Days, NaiveDate, NaiveTime};
use kabar::domain::area::AreaCode;
use kabar::domain::card::AnnouncementKind;
use kabar::domain::document::Document;
use kabar::domain::id::{OfficerId, RoundId};
use kabar::domain::language::Language;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::round::{
    self, CourierItem, Found, Report, Reported, RightHome, RoundError, Wish, for_courier,
};
use kabar::store::officer::find_by_login;
use kabar::store::service_point::{Detail, ServicePoint, upsert_point};
use serde_json::json;

use crate::support::console::add_officer;
use crate::support::webhook::{body, quick_reply};
use crate::support::{Start, TestApp, citizen, on_both_engines};

pub const DESA: &str = "35.17.09.2018";

/// The office, a courier, and cards that lie at the kecamatan.
pub struct Ground {
    pub courier: Actor,
    pub office: Actor,
    pub round: RoundId,
}

pub fn tomorrow(app: &TestApp) -> NaiveDate {
    app.app.now().in_zone(app.app.zone(None).offset()).date_naive() + Days::new(1)
}

pub fn at(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap()
}

pub async fn actor(app: &TestApp, login: &str, role: OfficerRole, area: &str) -> Actor {
    add_officer(app, login, login, role, area).await;
    find_by_login(&app.app.db, login).await.unwrap().unwrap().actor()
}

pub fn wish(app: &TestApp, courier: &Actor, days_ahead: u64) -> Wish {
    let courier: OfficerId = courier.id.parse().unwrap();
    Wish {
        area: AreaCode::parse(DESA).unwrap(),
        from: at(9),
        to: at(12),
        capacity: 20,
        slots: vec![(tomorrow(app) + Days::new(days_ahead), courier)],
        point: None,
    }
}

/// Cards of `count` citizens, printed and at the kecamatan.
pub async fn print(app: &TestApp, count: usize) {
    let point = ServicePoint {
        code: "kec-jombang".into(),
        name: "Kantor Kecamatan Jombang".into(),
        short_name: "Kec. Jombang".into(),
        area: AreaCode::parse("35.17.09").unwrap(),
        address: None,
        hours: "Senin–Kamis 08.00–15.00".into(),
        hours_short: "Sen-Kam 08-15".into(),
        detail: Detail::default(),
    };
    let mut tx = app.app.db.begin().await.unwrap();
    upsert_point(&mut tx, &point, app.app.now()).await.unwrap();
    tx.commit().await.unwrap();
    for n in 1..=count {
        let rt = format!("{:03}", 9 - n);
        let parts = [
            ("service_point", json!("kec-jombang")),
            ("rt", json!(rt)),
            ("rw", json!("002")),
            ("address", json!(format!("Jalan Melati {n}"))),
        ];
        app.card_with(&citizen(n), "CARD_PRINTED", &parts).await;
    }
    app.run_until_idle().await;
}

/// A round of tomorrow, announced.
pub async fn announced(app: &TestApp, count: usize) -> Ground {
    print(app, count).await;
    let ground = of_what_waits(app).await;
    assert_eq!(ground.items(app).await.len(), count);
    ground
}

pub async fn of_what_waits(app: &TestApp) -> Ground {
    let courier = actor(app, "kurir", OfficerRole::Courier, "35.17.09").await;
    let office = actor(app, "kecamatan", OfficerRole::Kecamatan, "35.17.09").await;
    let rounds = round::plan(&app.app, &office, &wish(app, &courier, 0)).await.unwrap();
    let [round] = rounds.as_slice() else { panic!("{rounds:?}") };
    let (_, left) = round::announce(&app.app, &office, *round).await.unwrap();
    assert_eq!(left, 0);
    app.run_until_idle().await;
    Ground { courier, office, round: *round }
}

impl Ground {
    pub async fn items(&self, app: &TestApp) -> Vec<CourierItem> {
        for_courier(&app.app, &self.courier, self.round).await.unwrap().items
    }

    /// The item of citizen `n`.
    pub async fn item(&self, app: &TestApp, n: usize) -> CourierItem {
        let address = format!("Jalan Melati {n}");
        self.items(app).await.into_iter().find(|item| item.address == address).unwrap()
    }

    pub async fn report(&self, app: &TestApp, key: u32, report: Report) -> Reported {
        let report = Report { key: format!("{key:08}-test"), at: 5, ..report };
        let mut all =
            round::report(&app.app, &self.courier, self.round, vec![report]).await.unwrap();
        app.run_until_idle().await;
        all.pop().unwrap()
    }

    pub async fn outcome(&self, app: &TestApp, key: u32, n: usize, outcome: &str) -> Reported {
        let item = self.item(app, n).await;
        let report = Report {
            item: item.id,
            outcome: outcome.into(),
            version: item.version,
            ..Report::default()
        };
        self.report(app, key, report).await
    }

    pub async fn receive(&self, app: &TestApp, key: u32, n: usize, code: &str) -> Reported {
        let item = self.item(app, n).await;
        let report = Report {
            item: item.id,
            outcome: "received".into(),
            by: "self".into(),
            code: code.into(),
            version: item.version,
            ..Report::default()
        };
        self.report(app, key, report).await
    }

    /// The morning of the round: codes are told, the courier takes the cards.
    pub async fn morning(&self, app: &TestApp) {
        app.advance_to("07:30 WIB").await;
        round::start(&app.app, &self.courier, self.round).await.unwrap();
    }
}

/// The code that citizen `n` was told last.
pub fn code(app: &TestApp, n: usize) -> String {
    told_code(app, n).expect("a code")
}

/// The same, where one was told.
pub fn told_code(app: &TestApp, n: usize) -> Option<String> {
    let sent = app.whatsapp.sent_to(&citizen(n).e164);
    sent.iter().rev().find_map(|sent| {
        let text = format!("{} {}", sent.param("code"), sent.text());
        let is_code =
            sent.template() == "kabar_home_delivery_code_v1" || text.contains("empat angka");
        let code = text.split(|c: char| !c.is_ascii_digit()).find(|part| part.len() == 4);
        code.filter(|_| is_code).map(str::to_owned)
    })
}

pub async fn rows_of(app: &TestApp, n: usize, what: &str) -> Vec<String> {
    let nik = app.app.db.index("nik", &citizen(n).nik);
    let person = format!("(SELECT id FROM person WHERE nik_hash = '{nik}')");
    let rows = app.query(&what.replace("$person", &person)).await;
    rows.into_iter().filter_map(|row| row.into_iter().next()).collect()
}

/// What citizen `n` was told of their card, as kinds of announcements.
pub async fn told(app: &TestApp, n: usize) -> Vec<String> {
    let sent = "SELECT template FROM message WHERE person_id = $person AND class = 'announcement' \
                AND status NOT IN ('queued', 'cancelled', 'failed') ORDER BY id";
    rows_of(app, n, sent).await
}

pub async fn holder(app: &TestApp, n: usize) -> String {
    let held = "SELECT holder FROM custody WHERE until_at IS NULL \
                AND card_id IN (SELECT id FROM card WHERE person_id = $person)";
    rows_of(app, n, held).await.pop().unwrap_or_default()
}

on_both_engines! {
    async fn a_card_goes_from_the_counter_by_the_courier_into_its_holders_hand(app: TestApp) {
        let ground = announced(&app, 3).await;
        assert_eq!(told(&app, 1).await, ["card_printed", "home_delivery_scheduled"]);
        let items = ground.items(&app).await;
        assert_eq!(items.iter().map(|item| item.rt.as_str()).collect::<Vec<_>>(), ["006", "007", "008"]);
        assert!(items.iter().all(|item| item.state == "announced" && item.phone && item.tail.len() == 2));
        ground.morning(&app).await;
        assert_eq!(told(&app, 1).await.last().unwrap(), "home_delivery_code");
        assert!(holder(&app, 1).await.starts_with("courier off_"));
        let wrong = ground.receive(&app, 1, 1, "xxxx").await;
        assert_eq!((wrong.result.as_str(), wrong.item.unwrap().attempts_left), ("wrong_code", 4));
        let done = ground.receive(&app, 2, 1, &code(&app, 1)).await;
        assert_eq!(done.result, "done", "{}", done.why);
        assert_eq!(done.item.unwrap().state, "done");
        let again = ground.receive(&app, 2, 1, "0000").await;
        assert_eq!((again.result.as_str(), again.why.as_str()), ("repeated", "done"));
        assert_eq!(app.query("SELECT COUNT(*) FROM card WHERE status = 'issued'").await, [["1"]]);
        assert_eq!(told(&app, 1).await.last().unwrap(), "card_issued");
        let back = round::close(&app.app, &ground.office, ground.round).await.unwrap();
        assert_eq!(back, 2);
        let held = app.query("SELECT holder FROM custody WHERE until_at IS NULL ORDER BY holder").await;
        assert_eq!(held, [["citizen"], ["point kec-jombang"], ["point kec-jombang"]]);
        // Who was told of a day that did not come waits for another round, and asks no card twice.
        assert_eq!(app.query("SELECT COUNT(*) FROM card WHERE status = 'printed'").await, [["2"]]);
    }

    async fn what_can_be_answered_stands_on_the_quick_replies_of_the_announcement(app: TestApp) {
        let ground = announced(&app, 1).await;
        let number = citizen(1).e164;
        let sent = app.whatsapp.sent_to(&number);
        let day = sent.iter().find(|one| one.template() == "kabar_home_delivery_answer_v1").expect("the day");
        let choices = app.app.script().delivery_choices(Language::Indonesian);
        let item = ground.item(&app, 1).await.id;
        let of_item = app.app.script().delivery_choices_of(&item, Language::Indonesian);
        let ids: Vec<&str> = of_item.iter().map(|choice| choice.id.as_str()).collect();
        assert_eq!(day.quick_replies(), ids);
        let registered = app.app.templates.announcement(AnnouncementKind::HomeDeliveryScheduled);
        assert_eq!(registered.answerable(Document::KtpEl).buttons, choices, "the office registers the same words");
        let pressed = quick_reply("wamid.PRESSED", &number, ids[0], &choices[0].title, app.now_s());
        assert_eq!(app.hook(&body(&[pressed], &[])).await, StatusCode::OK);
        app.run_until_idle().await;
        assert_eq!(ground.item(&app, 1).await.answer, "home");
    }

    async fn five_wrong_codes_lock_the_card_until_an_officer_answers_for_it(app: TestApp) {
        let ground = announced(&app, 1).await;
        ground.morning(&app).await;
        for n in 1..=5 {
            assert_eq!(ground.receive(&app, n, 1, "abcd").await.result, "wrong_code");
        }
        let locked = ground.receive(&app, 6, 1, &code(&app, 1)).await;
        assert_eq!(locked.result, "locked");
        let item = ground.item(&app, 1).await;
        let by_word = Report {
            item: item.id.clone(),
            outcome: "received".into(),
            by: "override".into(),
            receiver: "Siti Aminah".into(),
            reason: "kode hilang".into(),
            ..Report::default()
        };
        let refused = ground.report(&app, 7, by_word).await;
        assert_eq!((refused.result.as_str(), refused.why.as_str()), ("refused", "needs_officer"));
        let way = (ground.round, item.id.parse().unwrap());
        let done = round::hand_over_by_word(&app.app, &ground.office, way, ("Siti Aminah", "dikenal RT")).await;
        assert_eq!(done.unwrap(), "done");
        assert_eq!(app.query("SELECT COUNT(*) FROM audit WHERE action = 'overrode_code'").await, [["1"]]);
        assert_eq!(holder(&app, 1).await, "citizen");
    }

    async fn without_a_phone_the_courier_hands_over_by_name_and_reason(app: TestApp) {
        print(&app, 0).await;
        let parts = [("service_point", json!("kec-jombang")), ("address", json!("Jalan Melati 1"))];
        app.card_with(&citizen(1).with_phone(""), "CARD_PRINTED", &parts).await;
        let ground = of_what_waits(&app).await;
        ground.morning(&app).await;
        let item = ground.item(&app, 1).await;
        assert!(!item.phone);
        let report = Report {
            item: item.id,
            outcome: "received".into(),
            by: "override".into(),
            receiver: "Siti Aminah".into(),
            reason: "tidak punya telepon".into(),
            ..Report::default()
        };
        assert_eq!(ground.report(&app, 1, report).await.result, "done");
    }

    async fn two_visits_in_vain_make_it_collection_and_only_once_the_card_is_back(app: TestApp) {
        let mut ground = announced(&app, 1).await;
        for visit in 1..=2 {
            ground.morning(&app).await;
            assert_eq!(ground.outcome(&app, visit, 1, "nobody_home").await.result, "done");
            assert!(!told(&app, 1).await.contains(&"ready_to_collect".to_owned()), "still in the bag");
            round::close(&app.app, &ground.office, ground.round).await.unwrap();
            app.run_until_idle().await;
            if visit == 1 {
                let next = wish(&app, &ground.courier, 0);
                ground.round = round::plan(&app.app, &ground.office, &next).await.unwrap()[0];
                round::announce(&app.app, &ground.office, ground.round).await.unwrap();
                app.run_until_idle().await;
            }
        }
        assert_eq!(told(&app, 1).await.last().unwrap(), "ready_to_collect");
        assert_eq!(app.query("SELECT status, service_point FROM card").await, [["ready_to_collect", "kec-jombang"]]);
        let next = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await;
        assert!(matches!(next, Err(RoundError::Empty)), "{next:?}");
    }

    async fn each_outcome_goes_its_own_way(app: TestApp) {
        let ground = announced(&app, 5).await;
        ground.morning(&app).await;
        for (n, outcome) in (1..).zip(["moved", "died", "unclear_address", "refused", "old_card_missing"]) {
            assert_eq!(ground.outcome(&app, n, n as usize, outcome).await.result, "done");
        }
        round::close(&app.app, &ground.office, ground.round).await.unwrap();
        app.run_until_idle().await;
        let next = app.query("SELECT outcome, next FROM round_item ORDER BY outcome").await;
        assert_eq!(next, [
            ["died", "absent"], ["moved", "absent"], ["old_card_missing", "again"],
            ["refused", "collect"], ["unclear_address", "ask_desa"],
        ]);
        assert_eq!(told(&app, 4).await.last().unwrap(), "ready_to_collect");
        // Who died or moved hears nothing any more.
        let before = app.whatsapp.sent().len();
        for n in [1, 2] {
            app.card_with(&citizen(n), "siap ambil", &[("service_point", json!("kec-jombang"))]).await;
        }
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), before);
        // The desa finds the house: the card goes onto a round again.
        let item = app.query("SELECT id FROM round_item WHERE next = 'ask_desa'").await[0][0].parse().unwrap();
        let desa = actor(&app, "desa", OfficerRole::Desa, DESA).await;
        let other = actor(&app, "lain", OfficerRole::Desa, "35.17.08.2014").await;
        let denied = round::settle_question(&app.app, &other, item, Found::Again, &RightHome::default()).await;
        assert!(matches!(denied, Err(RoundError::NotFound)));
        round::settle_question(&app.app, &desa, item, Found::Again, &RightHome { address: "Gang Mawar 7", ..RightHome::default() }).await.unwrap();
        let again = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 0)).await.unwrap();
        let items = for_courier(&app.app, &ground.courier, again[0]).await.unwrap().items;
        assert_eq!(items.len(), 2, "the house that was found, and the old card that was missing");
        assert!(items.iter().any(|item| item.address == "Gang Mawar 7"));
    }

    async fn each_answer_changes_the_round_at_once(app: TestApp) {
        let ground = announced(&app, 6).await;
        let says = async |n: usize, words: &str| app.asks(&citizen(n).e164, words).await.text().to_owned();
        assert!(says(1, "saya di rumah").await.contains("kami catat ada orang di rumah"));
        assert_eq!(ground.item(&app, 1).await.answer, "home");
        assert!(says(2, "diterima istri saya Siti").await.contains("istri Siti"));
        assert_eq!(ground.item(&app, 2).await.receiver, "istri Siti");
        let asked = app.asks(&citizen(3).e164, "besok saja").await;
        assert_eq!(asked.choices().len(), 3);
        app.presses(&citizen(3).e164, &asked.choices()[0]).await;
        let item = ground.item(&app, 3).await;
        assert_eq!((item.answer.as_str(), item.state.as_str()), ("another_day", "left"));
        assert!(says(4, "alamat salah").await.contains("kantor desa"));
        assert_eq!(ground.item(&app, 4).await.state, "left");
        app.writes(&citizen(5).e164, "saya ambil sendiri").await;
        app.run_until_idle().await;
        assert_eq!(told(&app, 5).await.last().unwrap(), "ready_to_collect");
        says(6, "bukan saya").await;
        let item = ground.item(&app, 6).await;
        assert_eq!((item.answer.as_str(), item.state.as_str()), ("not_me", "left"));
        ground.morning(&app).await;
        for n in 3..=6 {
            assert!(!told(&app, n).await.contains(&"home_delivery_code".to_owned()), "{n}");
        }
        assert_eq!(app.query("SELECT COUNT(*) FROM custody WHERE until_at IS NULL AND holder LIKE 'courier%'").await, [["2"]]);
    }

    async fn who_wishes_for_the_day_of_another_round_goes_onto_it(app: TestApp) {
        let ground = announced(&app, 1).await;
        app.card_with(&citizen(2), "CARD_PRINTED", &[("service_point", json!("kec-jombang"))]).await;
        let other = round::plan(&app.app, &ground.office, &wish(&app, &ground.courier, 2)).await.unwrap()[0];
        round::announce(&app.app, &ground.office, other).await.unwrap();
        app.run_until_idle().await;
        let asked = app.asks(&citizen(1).e164, "ganti hari").await;
        assert_eq!(asked.choices().len(), 1, "the day of the other round");
        let (_, title) = &asked.choices()[0];
        app.writes(&citizen(1).e164, title).await;
        app.run_until_idle().await;
        let there = for_courier(&app.app, &ground.courier, other).await.unwrap().items;
        assert_eq!(there.iter().filter(|item| item.state == "announced").count(), 2);
        let told = told(&app, 1).await;
        assert_eq!(told, ["card_printed", "home_delivery_scheduled", "home_delivery_moved"], "the former day is void");
    }

    async fn a_round_is_moved_and_cancelled_as_a_whole(app: TestApp) {
        let ground = announced(&app, 2).await;
        app.asks(&citizen(1).e164, "saya di rumah").await;
        let day = (tomorrow(&app) + Days::new(1), at(13), at(15));
        assert_eq!(round::move_to(&app.app, &ground.office, ground.round, day).await.unwrap(), 2);
        app.run_until_idle().await;
        assert_eq!(told(&app, 2).await, ["card_printed", "home_delivery_scheduled", "home_delivery_moved"]);
        let sent = app.whatsapp.sent_to(&citizen(2).e164);
        let moved = sent.last().unwrap();
        assert_eq!(moved.template(), "kabar_home_delivery_moved_answer_v1");
        assert_eq!(moved.quick_replies().len(), 5, "it is answered like the first day");
        assert_eq!(ground.item(&app, 1).await.answer, "", "it was about the other day");
        assert_eq!(round::cancel(&app.app, &ground.office, ground.round).await.unwrap(), 2);
        app.run_until_idle().await;
        for n in [1, 2] {
            assert_eq!(told(&app, n).await.last().unwrap(), "home_delivery_cancelled");
        }
        let cards = app.query("SELECT DISTINCT status, home_date FROM card").await;
        assert_eq!(cards.len(), 1);
        assert_eq!(cards[0][0], "printed");
        let again = round::cancel(&app.app, &ground.office, ground.round).await;
        assert!(matches!(again, Err(RoundError::State(_))));
        // The same day again is news again.
        let wish = Wish { from: at(13), to: at(15), ..wish(&app, &ground.courier, 1) };
        let next = round::plan(&app.app, &ground.office, &wish).await.unwrap()[0];
        round::announce(&app.app, &ground.office, next).await.unwrap();
        app.run_until_idle().await;
        assert_eq!(told(&app, 2).await.last().unwrap(), "home_delivery_scheduled");
    }

    async fn what_the_citizen_changed_meanwhile_is_a_conflict_for_the_office(app: TestApp) {
        let ground = announced(&app, 1).await;
        ground.morning(&app).await;
        let (told_code, seen) = (code(&app, 1), ground.item(&app, 1).await);
        app.asks(&citizen(1).e164, "saya ambil sendiri").await;
        let report = Report {
            item: seen.id,
            outcome: "received".into(),
            by: "family".into(),
            receiver: "Budi".into(),
            code: told_code,
            version: seen.version,
            ..Report::default()
        };
        let said = ground.report(&app, 1, report).await;
        assert_eq!((said.result.as_str(), said.why.as_str()), ("conflict", "left_round"));
        assert!(holder(&app, 1).await.starts_with("courier"));
        let key = "00000001-test";
        let denied = round::settle_conflict(&app.app, &ground.courier, (ground.round, key), true).await;
        assert!(denied.is_err());
        round::settle_conflict(&app.app, &ground.office, (ground.round, key), true).await.unwrap();
        assert_eq!(holder(&app, 1).await, "citizen");
        assert_eq!(app.query("SELECT status FROM card").await, [["issued"]]);
    }

    async fn a_courier_sees_their_own_rounds_and_another_desa_nothing(app: TestApp) {
        let ground = announced(&app, 1).await;
        let other = actor(&app, "kurir2", OfficerRole::Courier, "35.17.09").await;
        let desa = actor(&app, "lain", OfficerRole::Desa, "35.17.08.2014").await;
        for stranger in [&other, &desa] {
            let seen = for_courier(&app.app, stranger, ground.round).await;
            assert!(matches!(seen, Err(RoundError::NotFound)));
            let said = round::report(&app.app, stranger, ground.round, vec![]).await;
            assert!(said.is_ok_and(|all| all.is_empty()), "nothing was said");
            assert!(round::cancel(&app.app, stranger, ground.round).await.is_err());
            assert!(round::announce(&app.app, stranger, ground.round).await.is_err());
        }
        assert!(round::cancel(&app.app, &ground.courier, ground.round).await.is_err());
        let early = ground.receive(&app, 1, 1, "0000").await;
        assert_eq!((early.result.as_str(), early.why.as_str()), ("refused", "not_today"));
    }

    async fn an_announcement_that_was_interrupted_goes_on_and_tells_nobody_twice(start: Start) {
        let app = start.at("21:00 WIB").await;
        let ground = announced(&app, 3).await;
        let waiting = "SELECT COUNT(*) FROM message WHERE template = 'home_delivery_scheduled' AND status = 'queued'";
        assert_eq!(app.query(waiting).await, [["3"]]);
        assert_eq!(round::announce(&app.app, &ground.office, ground.round).await.unwrap(), (0, 0));
        assert_eq!(app.query(waiting).await, [["3"]]);
        // Moved in the night: nobody had heard of the other day, so this one is the first.
        let day = (tomorrow(&app) + Days::new(1), at(13), at(15));
        round::move_to(&app.app, &ground.office, ground.round, day).await.unwrap();
        assert_eq!(app.query(waiting).await, [["3"]]);
        assert_eq!(app.query("SELECT COUNT(*) FROM message WHERE template = 'home_delivery_moved'").await, [["0"]]);
        // Cancelled in the night: nobody had heard of it, and nobody hears of that.
        assert_eq!(round::cancel(&app.app, &ground.office, ground.round).await.unwrap(), 0);
        app.advance(Duration::from_secs(12 * 3600)).await;
        assert!(!told(&app, 1).await.iter().any(|kind| kind.contains("home_delivery")));
    }
}

/// A round for whoever looks at the pages.
pub async fn with_a_round(app: &TestApp) {
    announced(app, 1).await;
}
