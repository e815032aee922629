//! What is usual for a watched source, and who hears when it is not so: nothing comes any more, it
//! cannot be read, too much of it is rejected. The source is a shelf in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kabar::domain::raw_update::RawUpdate;
use kabar::service::watch::{self, Step, Watched};
use kabar::source::{Reading, Record, Records, Source, SourceError};
use serde_json::Value;

use crate::support::citizen::Citizen;
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
        for record in all {
            records.send(record).await.map_err(|_| SourceError::Stopped)?;
        }
        match self.broken.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(Reading { position: Some("here".to_owned()), ..Reading::default() }),
        }
    }

    async fn probe(&self) -> Result<String, SourceError> {
        Ok("a shelf".to_owned())
    }
}

async fn open(mut start: Start) -> (TestApp, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    start.sources = vec![shelf.watched()];
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
