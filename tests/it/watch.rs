//! What is usual for a watched source, and who hears when it is not so: nothing comes any more, it
//! cannot be read, too much of it is rejected. The source is a shelf in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kabar::domain::absence::Absence;
use kabar::domain::area::AreaCode;
use kabar::domain::officer::OfficerRole;
use kabar::domain::raw_update::RawUpdate;
use kabar::service::watch::{self, Step, Watched};
use kabar::source::{Reading, Record, Records, Source, SourceError};
use kabar::store::source::{self, SourceState};
use kabar::store::token::Role;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::citizen::Citizen;
use crate::support::console::Browser;
use crate::support::{Start, TestApp, citizen, list, on_both_engines, word};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A source that says whatever a test puts on it.
#[derive(Debug, Default)]
pub struct Shelf {
    records: Mutex<Vec<Record>>,
    broken: Mutex<Option<SourceError>>,
}

impl Shelf {
    /// Puts a card on it, or another word about the same one.
    pub fn put(&self, citizen: &Citizen, status: &str, change: impl FnOnce(&mut Record)) {
        let mut record = Record {
            key: citizen.nik.clone(),
            update: RawUpdate {
                nik: citizen.nik.clone(),
                name: citizen.name.clone(),
                phone: citizen.e164.clone(),
                area: "35.17.09.2018".to_owned(),
                status: status.to_owned(),
                is_undated: true,
                ..RawUpdate::default()
            },
            ..Record::default()
        };
        change(&mut record);
        let mut records = self.records.lock().unwrap();
        records.retain(|other| other.key != record.key);
        records.push(record);
    }

    fn breaks(&self, error: Option<SourceError>) {
        *self.broken.lock().unwrap() = error;
    }

    /// The source as the configuration would have it.
    pub fn watched(self: &Arc<Self>) -> Watched {
        Watched {
            id: "rak".to_owned(),
            area: AreaCode::parse("35.17").unwrap(),
            every: MINUTE,
            scan_at: chrono::NaiveTime::from_hms_opt(2, 0, 0),
            hold_over: 500,
            source: Arc::clone(self) as Arc<dyn Source>,
        }
    }
}

#[async_trait]
impl Source for Shelf {
    async fn read(&self, _from: Option<&str>, records: Records) -> Result<Reading, SourceError> {
        let all = self.records.lock().unwrap().clone();
        let parts = all.iter().filter_map(|record| record.part.clone()).collect();
        for record in all {
            records.send(record).await.map_err(|_| SourceError::Stopped)?;
        }
        match self.broken.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(Reading { position: Some("here".to_owned()), parts, ..Reading::default() }),
        }
    }

    async fn probe(&self) -> Result<String, SourceError> {
        Ok("a shelf".to_owned())
    }
}

async fn open(start: Start) -> (TestApp, Arc<Shelf>) {
    open_with(start, 500).await
}

async fn open_with(mut start: Start, hold_over: u64) -> (TestApp, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    start.sources = vec![Watched { hold_over, ..shelf.watched() }];
    let app = start.open().await;
    app.look().await;
    (app, shelf)
}

async fn notices(app: &TestApp) -> Vec<String> {
    let answer: Value = app.get("/v1/notices").await;
    list(&answer["notices"]).iter().map(|notice| word(&notice["kind"])).collect()
}

async fn metrics(app: &TestApp) -> String {
    app.http.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap()
}

on_both_engines! {
    async fn a_source_that_cannot_be_read_for_a_while_is_noticed_and_one_that_starts_anew_is_not(start: Start) {
        let (app, shelf) = open(start).await;
        shelf.breaks(Some(SourceError::Unreachable("the connection broke".to_owned())));
        app.clock.advance(MINUTE);
        assert!(matches!(app.look().await[0], Step::Failed(_)));
        assert_eq!(notices(&app).await, [""; 0]);
        app.clock.advance(15 * MINUTE);
        app.look().await;
        assert_eq!(notices(&app).await, ["source_failing"]);
        let text = metrics(&app).await;
        assert!(text.contains("kabar_source_lag_seconds{source=\"rak\"} 960"), "{text}");
        assert!(text.contains("kabar_source_failing{source=\"rak\"} 1"), "{text}");
        let sources: Value = app.get("/v1/sources").await;
        assert_eq!(sources["sources"][0]["failure"], "the connection broke");

        shelf.breaks(None);
        app.clock.advance(MINUTE);
        app.look().await;
        assert_eq!(notices(&app).await, [""; 0]);
        assert!(metrics(&app).await.contains("kabar_source_lag_seconds{source=\"rak\"} 0"));
    }

    async fn what_somebody_must_mend_is_noticed_at_once(start: Start) {
        let (app, shelf) = open(start).await;
        shelf.breaks(Some(SourceError::wrong("not to be seen: nik", "grant it")));
        app.clock.advance(MINUTE);
        app.look().await;
        let answer: Value = app.get("/v1/notices").await;
        assert_eq!(answer["notices"][0]["detail"], "it cannot be read: not to be seen: nik; grant it");
    }

    async fn a_source_that_falls_silent_for_longer_than_usual_is_noticed(start: Start) {
        let (app, shelf) = open(start).await;
        for n in 1..=7 {
            shelf.put(&citizen(n), "CARD_PRINTED", |_| {});
            app.look().await;
            app.clock.advance(DAY);
        }
        app.look().await;
        assert_eq!(notices(&app).await, [""; 0], "a day is usual");
        app.clock.advance(DAY + MINUTE);
        app.look().await;
        assert_eq!(notices(&app).await, ["source_silent"]);
        shelf.put(&citizen(9), "CARD_PRINTED", |_| {});
        app.look().await;
        assert_eq!(notices(&app).await, [""; 0]);
    }

    async fn a_source_of_which_more_is_rejected_than_usual_is_noticed(start: Start) {
        let (app, shelf) = open(start).await;
        for n in 1..=40 {
            shelf.put(&citizen(n), "CARD_PRINTED", |_| {});
        }
        app.look().await;
        assert_eq!(notices(&app).await, [""; 0]);
        for n in 1..=30 {
            let status = if n % 3 == 0 { "KARTU TERBANG" } else { "CARD_SHIPPED" };
            shelf.put(&citizen(n), status, |_| {});
        }
        app.clock.advance(MINUTE);
        app.look().await;
        assert_eq!(notices(&app).await, ["source_rejects"]);
        let rejections: Value = app.get("/v1/rejections").await;
        assert_eq!(list(&rejections["rejections"]).len(), 10);
    }

    async fn the_trouble_of_a_kecamatans_source_is_its_officers_to_mend_and_no_other_kecamatans(start: Start) {
        let shelf = Arc::new(Shelf::default());
        let mut start = start;
        let area = AreaCode::parse("35.17.09").unwrap();
        start.sources = vec![Watched { area, hold_over: 2, ..shelf.watched() }];
        let app = start.open().await;
        shelf.put(&citizen(1), "CARD_PRINTED", |_| {});
        app.look().await;
        for n in 1..=4 {
            shelf.put(&citizen(n), "CARD_SHIPPED", |_| {});
        }
        shelf.put(&citizen(5), "KARTU TERBANG", |_| {});
        app.clock.advance(MINUTE);
        app.look().await;
        let [waiting] = &app.query("SELECT id FROM hold").await[..] else { panic!("one hold") };
        let [rejected] = &app.query("SELECT id FROM rejection").await[..] else { panic!("one rejection") };
        let hold = format!("/console/hari-ini/tertahan/{}/diamkan", waiting[0]);
        let item = format!("/console/hari-ini/ditolak/{}", rejected[0]);
        let settle = format!("{item}/selesai");

        let stranger = Browser::login(&app, OfficerRole::Kecamatan, "35.17.10").await;
        assert!(stranger.get("/console/hari-ini").await.says("Semua beres"));
        assert_eq!(stranger.get(&item).await.status, StatusCode::NOT_FOUND);
        for act in [&hold, &settle] {
            assert_eq!(stranger.post(act, &[]).await.status, StatusCode::NOT_FOUND, "{act}");
        }

        let theirs = Browser::login(&app, OfficerRole::Kecamatan, "35.17.09").await;
        let today = theirs.get("/console/hari-ini").await;
        assert!(today.says("Data yang ditolak") && today.says("ditahan"), "{}", today.text);
        assert!(theirs.get("/console/hari-ini/sistem").await.says("rak"));
        assert_eq!(theirs.get(&item).await.status, StatusCode::OK);
        for act in [&hold, &settle] {
            assert_eq!(theirs.post(act, &[]).await.status, StatusCode::SEE_OTHER, "{act}");
        }
        let lines = app.query("SELECT action FROM audit WHERE action IN ('decided_hold', 'resolved')").await;
        assert_eq!(lines.len(), 2, "both are in the trail");
    }

    async fn what_a_source_held_before_it_was_watched_does_not_undo_what_others_said(start: Start) {
        let shelf = Arc::new(Shelf::default());
        let mut start = start;
        start.sources = vec![shelf.watched()];
        let app = start.open().await;
        let siti = citizen(1);
        app.card(&siti, "CARD_PRINTED").await;
        app.run_until_idle().await;
        // Somebody edited the record later, for another reason.
        let later = app.app.now().after(MINUTE);
        shelf.put(&siti, "PRINT_READY_RECORD", |record| record.changed_at = Some(later));
        app.clock.advance(2 * MINUTE);
        app.look_and_tell().await;
        assert_eq!(app.query("SELECT status FROM card").await.concat(), ["printed"]);
        shelf.put(&siti, "CARD_SHIPPED", |_| {});
        app.clock.advance(MINUTE);
        app.look_and_tell().await;
        assert_eq!(app.query("SELECT status FROM card").await.concat(), ["shipped"]);
        assert_eq!(app.whatsapp.sent().len(), 2);
    }

    async fn who_moved_away_by_a_registers_word_is_not_brought_back_by_a_mere_list(start: Start) {
        let (register, list) = (Arc::new(Shelf::default()), Arc::new(Shelf::default()));
        let mut start = start;
        start.sources =
            vec![register.watched(), Watched { id: "daftar".to_owned(), ..list.watched() }];
        let app = start.open().await;
        let budi = citizen(1);
        list.put(&budi, "PRINT_READY_RECORD", |_| {});
        app.look().await;
        let moved = |record: &mut Record| {
            record.is_register = true;
            record.absence = Some(Absence::Moved);
        };
        register.put(&budi, "PRINT_READY_RECORD", moved);
        app.look().await;
        list.put(&budi, "CARD_PRINTED", |_| {});
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 0);
        register.put(&budi, "CARD_SHIPPED", |record| record.is_register = true);
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 1, "back in the register");
    }

    async fn what_the_office_silenced_is_not_told_because_a_number_changes(start: Start) {
        let (app, shelf) = open_with(start, 5).await;
        for n in 1..=9 {
            shelf.put(&citizen(n), "CARD_PRINTED", |_| {});
        }
        app.look_and_tell().await;
        let holds: Value = app.get("/v1/holds").await;
        assert_eq!(holds["holds"][0]["waiting"], 9);
        // While nobody has decided, an edit does not slip past the office either.
        app.clock.advance(120 * MINUTE);
        shelf.put(&citizen(1).with_phone("081299990001"), "CARD_PRINTED", |_| {});
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 0);
        let id = word(&holds["holds"][0]["id"]);
        let path = format!("/v1/holds/{id}/silence");
        assert_eq!(app.call(Method::POST, Role::Office, &path).await.0, 202);
        app.run_until_idle().await;
        shelf.put(&citizen(2).with_phone("081299990002"), "CARD_PRINTED", |_| {});
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 0);
    }

    async fn a_hold_takes_no_news_of_later_hours_and_letting_it_go_opens_no_other(start: Start) {
        let (app, shelf) = open_with(start, 5).await;
        for n in 1..=9 {
            shelf.put(&citizen(n), "CARD_PRINTED", |_| {});
        }
        app.look_and_tell().await;
        app.clock.advance(61 * MINUTE);
        shelf.put(&citizen(20), "CARD_PRINTED", |_| {});
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 1, "an hour later it is news again");
        let holds: Value = app.get("/v1/holds").await;
        let path = format!("/v1/holds/{}/announce", word(&holds["holds"][0]["id"]));
        assert_eq!(app.call(Method::POST, Role::Office, &path).await.0, 202);
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 10);
        shelf.put(&citizen(21), "CARD_PRINTED", |_| {});
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 11);
    }

    async fn nothing_is_held_where_nothing_would_be_told(start: Start) {
        let (app, shelf) = open_with(start, 5).await;
        for n in 1..=9 {
            app.card(&citizen(n), "CARD_PRINTED").await;
        }
        app.run_until_idle().await;
        app.clock.advance(MINUTE);
        for n in 1..=9 {
            shelf.put(&citizen(n), "CARD_PRINTED", |_| {});
        }
        app.look_and_tell().await;
        assert_eq!(list(&app.get("/v1/holds").await["holds"]).len(), 0);
        assert_eq!(notices(&app).await, [""; 0]);
    }

    async fn a_record_that_stays_damaged_is_no_change_at_night(start: Start) {
        let (app, shelf) = open(start).await;
        shelf.put(&citizen(1), "KARTU TERBANG", |_| {});
        app.look().await;
        app.advance_to("02:01 WIB").await;
        let Step::Read(tally) = &app.look().await[0] else { panic!("not read") };
        assert_eq!((tally.unchanged, tally.rejected), (1, 0));
    }

    async fn whoever_had_a_nik_that_is_mended_keeps_neither_number_nor_news_of_it(start: Start) {
        let (app, shelf) = open(start).await;
        let (siti, stranger) = (citizen(1), citizen(2));
        shelf.put(&stranger, "PRINT_READY_RECORD", |record| {
            "siti".clone_into(&mut record.key);
            record.update.phone.clone_from(&siti.e164);
        });
        app.look().await;
        shelf.put(&siti, "PRINT_READY_RECORD", |record| "siti".clone_into(&mut record.key));
        app.look().await;
        let numbers = app.query("SELECT COUNT(*) FROM person WHERE phone_hash IS NOT NULL").await;
        assert_eq!(numbers.concat(), ["1"]);
    }

    async fn what_happened_later_in_one_reading_comes_later_though_nobody_is_told_of_it(start: Start) {
        let (app, shelf) = open(start).await;
        let siti = citizen(1);
        let event = |n: &'static str| {
            move |record: &mut Record| {
                n.clone_into(&mut record.key);
                record.update.is_undated = true;
            }
        };
        shelf.put(&siti, "CARD_PRINTED", event("1"));
        shelf.put(&siti, "REQUEST_VALIDATION", event("2"));
        app.look_and_tell().await;
        let history = app.query("SELECT status FROM card_update ORDER BY id").await.concat();
        assert_eq!(history, ["printed", "needs_operator"]);
    }

    async fn a_part_that_joins_later_is_first_read_in_silence(start: Start) {
        let shelf = Arc::new(Shelf::default());
        let mut start = start;
        start.sources = vec![shelf.watched()];
        let app = start.open().await;
        let in_desa = |code: &'static str| move |record: &mut Record| record.part = Some(code.into());
        shelf.put(&citizen(1), "PRINT_READY_RECORD", in_desa("jabon"));
        app.look().await;
        shelf.put(&citizen(2), "CARD_PRINTED", in_desa("ngudirejo"));
        app.look_and_tell().await;
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 0);
        shelf.put(&citizen(2), "CARD_SHIPPED", in_desa("ngudirejo"));
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 1);
    }

    async fn who_lost_a_source_writes_nothing_about_it(start: Start) {
        let (app, shelf) = open(start).await;
        let watched = shelf.watched();
        app.clock.advance(Duration::from_secs(9));
        watch::step(&app.app, &watched, "another").await.unwrap();
        let before = source::find_state(&app.app.db, "rak").await.unwrap();
        let mut tx = app.app.db.begin().await.unwrap();
        let now = app.app.now();
        let old = SourceState::default();
        let is_written = source::write_state(&mut tx, ("rak", "process"), &old, now).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!is_written);
        assert_eq!(source::find_state(&app.app.db, "rak").await.unwrap(), before);
    }

    async fn notices_of_a_source_that_is_no_longer_watched_are_closed(start: Start) {
        let (app, shelf) = open(start).await;
        shelf.breaks(Some(SourceError::wrong("not to be seen: nik", "grant it")));
        app.look().await;
        watch::forget_unwatched(&app.app).await.unwrap();
        assert_eq!(notices(&app).await, ["source_failing"], "it is still watched");
        let rename = "UPDATE notice SET subject = 'lama' RETURNING id";
        app.query(rename).await;
        watch::forget_unwatched(&app.app).await.unwrap();
        assert_eq!(notices(&app).await, [""; 0]);
    }

    async fn only_one_process_watches_and_the_next_takes_over_when_it_falls_silent(start: Start) {
        let (app, shelf) = open(start).await;
        let watched = shelf.watched();
        let step = async |owner: &str| watch::step(&app.app, &watched, owner).await.unwrap();
        assert_eq!(step("another").await, Step::NotOurs);
        app.clock.advance(Duration::from_secs(9));
        assert!(matches!(step("another").await, Step::Read(_)));
        assert_eq!(step("process").await, Step::NotOurs);
        watch::release(&app.app, &watched, "another").await.unwrap();
        assert!(matches!(step("process").await, Step::Read(_)), "handed over at once");
    }

    async fn what_was_read_before_a_reading_broke_off_counts_and_is_not_told_twice(start: Start) {
        let (app, shelf) = open(start).await;
        shelf.put(&citizen(1), "CARD_PRINTED", |_| {});
        shelf.breaks(Some(SourceError::Unreachable("the connection broke".to_owned())));
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 1);
        shelf.breaks(None);
        shelf.put(&citizen(2), "CARD_PRINTED", |_| {});
        app.look_and_tell().await;
        assert_eq!(app.whatsapp.sent().len(), 2);
    }
}
