//! A desa's OpenSID, watched: its application changes a card and a phone hears of it, whatever the
//! clocks, the release and the reader's rights.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::service::intake::Tally;
use kabar::service::watch::{self, Step, Watched};
use kabar::source::SourceError;
use kabar::source::opensid::{COLUMNS, OpenSid as Source, OpenSidSettings};
use kabar::store::Engine;
use kabar::store::token::Role;
use reqwest::Method;
use serde_json::Value;

use crate::support::mariadb::MariaDb;
use crate::support::opensid::{OpenSid, Resident, Schema};
use crate::support::{Start, TestApp, list, on_both_engines, word};

const JABON: &str = "3517092018";
const NGUDIREJO: &str = "3517082014";
const MINUTE: Duration = Duration::from_secs(60);

/// A village whose OpenSID is watched.
struct Village {
    opensid: OpenSid,
    desa: i32,
    _server: MariaDb,
}

impl Village {
    async fn of(schema: Schema) -> Self {
        let server = MariaDb::shared();
        let opensid = OpenSid::create(&server, schema).await;
        let desa = opensid.add_desa(JABON, "Jabon").await;
        Self { opensid, desa, _server: server }
    }

    async fn resident(&self, change: impl FnOnce(&mut Resident)) -> i32 {
        let mut resident = Resident { config: self.desa, ..Resident::default() };
        change(&mut resident);
        self.opensid.add_resident(resident).await
    }

    /// A reader who may select the columns we name, as far as this release has them.
    async fn reader_url(&self) -> String {
        let query = "SELECT CAST(COLUMN_NAME AS CHAR) FROM INFORMATION_SCHEMA.COLUMNS \
                     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";
        let mut granted: Vec<(&str, Vec<&str>)> = Vec::new();
        for (table, columns) in COLUMNS {
            let query = sqlx::query_scalar(query).bind(*table);
            let there: Vec<String> = query.fetch_all(&self.opensid.pool).await.unwrap();
            let is_there = |column: &&&str| there.iter().any(|name| name == **column);
            granted.push((*table, columns.iter().filter(is_there).copied().collect()));
        }
        let granted: Vec<(&str, &[&str])> =
            granted.iter().map(|(table, columns)| (*table, columns.as_slice())).collect();
        self.opensid.reader_url(&granted).await
    }

    /// The office that watches it, with a reader's rights.
    async fn watched_by(&self, mut start: Start) -> TestApp {
        let url = self.reader_url().await;
        start.sources = vec![watched(&url, "35.17", |_| {})];
        start.open().await
    }
}

fn watched(url: &str, area: &str, change: impl FnOnce(&mut OpenSidSettings)) -> Watched {
    let mut settings = OpenSidSettings {
        url: url.into(),
        password: None,
        config_id: None,
        overlap: Duration::from_secs(12 * 3600),
    };
    change(&mut settings);
    Watched {
        id: "opensid-jabon".to_owned(),
        area: AreaCode::parse(area).unwrap(),
        every: MINUTE,
        scan_at: chrono::NaiveTime::from_hms_opt(2, 0, 0),
        hold_over: 50,
        source: Arc::new(Source::new(settings, AreaCode::parse(area).unwrap())),
    }
}

fn tally(step: &Step) -> Tally {
    match step {
        Step::Read(tally) => *tally,
        other => panic!("not read: {other:?}"),
    }
}

async fn look(app: &TestApp) -> Tally {
    tally(&app.look_and_tell().await[0])
}

fn told(app: &TestApp) -> Vec<String> {
    app.whatsapp.sent().iter().map(|sent| sent.template().to_owned()).collect()
}

async fn notices(app: &TestApp) -> Vec<String> {
    let answer: Value = app.get("/v1/notices").await;
    list(&answer["notices"]).iter().map(|notice| word(&notice["kind"])).collect()
}

async fn decide(app: &TestApp, path: &str) -> u16 {
    app.call(Method::POST, Role::Office, path).await.0.as_u16()
}

on_both_engines! {
    async fn a_card_printed_in_the_desa_is_told_and_what_was_there_before_is_not(start: Start) {
        let village = Village::of(Schema::Umum).await;
        let rt = village.opensid.add_cluster(village.desa, "Krajan", "004", "003").await;
        let siti = village.resident(|r| { r.status_rekam = Some(5); r.cluster = Some(rt); }).await;
        let old = village.resident(|r| r.status_rekam = Some(4)).await;
        let app = village.watched_by(start).await;

        let first = look(&app).await;
        assert_eq!((first.seen, first.changed, first.announced), (2, 2, 0));
        assert_eq!(told(&app), [""; 0], "the first reading is silent");

        village.opensid.as_sql().set_status(siti, 4).await;
        village.opensid.as_sql().edit_phone(old, "0812-9999-0000").await;
        app.clock.advance(MINUTE);
        assert_eq!(look(&app).await.announced, 1);
        assert_eq!(told(&app), ["kabar_card_printed_v1"]);
        assert_eq!(look(&app).await.changed, 0, "seen again, it says nothing new");
        assert_eq!(told(&app).len(), 1);
    }

    async fn codes_are_understood_in_the_order_of_the_process(start: Start) {
        let village = Village::of(Schema::Newer).await;
        let siti = village.resident(|r| r.status_rekam = Some(3)).await;
        let app = village.watched_by(start).await;
        look(&app).await;
        for code in [5, 7, 4, 6, 8] {
            village.opensid.as_sql().set_status(siti, code).await;
            app.clock.advance(MINUTE);
            look(&app).await;
        }
        let expected = ["kabar_card_printed_v1", "kabar_card_shipped_v1", "kabar_card_issued_v1"];
        assert_eq!(told(&app), expected);
    }

    async fn a_status_that_jumps_back_is_recorded_and_nobody_is_told_again(start: Start) {
        let village = Village::of(Schema::Umum).await;
        let siti = village.resident(|r| r.status_rekam = Some(5)).await;
        let owner = village.resident(|r| r.status_rekam = Some(8)).await;
        let app = village.watched_by(start).await;
        look(&app).await;
        for code in [4, 5, 4] {
            village.opensid.as_sql().set_status(siti, code).await;
            app.clock.advance(MINUTE);
            assert_eq!(look(&app).await.changed, 1, "code {code}");
        }
        assert_eq!(told(&app), ["kabar_card_printed_v1"]);
        for code in [4, 8, 6, 8] {
            village.opensid.as_sql().set_status(owner, code).await;
            app.clock.advance(MINUTE);
            look(&app).await;
        }
        assert_eq!(told(&app).len(), 1, "a slip after the hand-over is no reprint");
        village.opensid.as_sql().set_status(owner, 5).await;
        app.clock.advance(MINUTE);
        look(&app).await;
        village.opensid.as_sql().set_status(owner, 4).await;
        app.clock.advance(MINUTE);
        look(&app).await;
        assert_eq!(told(&app).len(), 2, "one that is made again is");
        let outcomes = "SELECT outcome FROM card_update WHERE card_id = \
                        (SELECT MIN(card_id) FROM card_update) ORDER BY id";
        let outcomes = app.query(outcomes).await.concat();
        assert_eq!(outcomes, ["silent", "announced", "step_back", "unchanged"]);
    }

    async fn clocks_of_another_zone_hide_no_change(start: Start) {
        let village = Village::of(Schema::Umum).await;
        let mut people = Vec::new();
        for _ in 0..3 {
            people.push(village.resident(|r| r.status_rekam = Some(5)).await);
        }
        let app = village.watched_by(start).await;
        look(&app).await;
        // Written by a database in UTC and an application in Jakarta, and the other way round.
        for (siti, ahead) in people.iter().zip([7, -7, 0]) {
            village.opensid.as_php(ahead).set_status(*siti, 4).await;
            app.clock.advance(MINUTE);
            assert_eq!(look(&app).await.announced, 1, "{ahead} hours ahead");
        }
    }

    async fn what_no_stamp_shows_is_found_at_night(start: Start) {
        let village = Village::of(Schema::Old).await;
        let siti = village.resident(|r| r.status_rekam = Some(5)).await;
        let app = village.watched_by(start.time("18:00 WIB")).await;
        look(&app).await;
        village.opensid.pass_hours(48).await;
        // This release leaves the stamp alone when somebody changes a row by hand.
        village.opensid.as_sql().set_status(siti, 4).await;
        app.clock.advance(MINUTE);
        assert_eq!(look(&app).await.changed, 0);
        app.advance_to("02:01 WIB").await;
        assert_eq!(look(&app).await.announced, 1);
        assert_eq!(told(&app), [""; 0], "it is night");
        app.advance_to("07:00 WIB").await;
        assert_eq!(told(&app), ["kabar_card_printed_v1"]);
    }

    async fn of_a_database_with_many_desa_only_ours_are_read(start: Start) {
        let village = Village::of(Schema::Umum).await;
        let other = village.opensid.add_desa(NGUDIREJO, "Ngudirejo").await;
        let far = village.opensid.add_desa("3201012001", "Jauh").await;
        let ours = village.resident(|r| r.status_rekam = Some(5)).await;
        let theirs = village.resident(|r| { r.config = other; r.status_rekam = Some(5); }).await;
        village.resident(|r| { r.config = far; r.status_rekam = Some(5); }).await;
        let mut start = start;
        let url = village.opensid.reader_url(COLUMNS).await;
        start.sources = vec![watched(&url, "35.17.09", |_| {})];
        let app = start.open().await;
        assert_eq!(look(&app).await.seen, 1);
        village.opensid.as_sql().set_status(ours, 4).await;
        village.opensid.as_sql().set_status(theirs, 4).await;
        app.clock.advance(MINUTE);
        let again = look(&app).await;
        assert_eq!((again.seen, again.announced), (1, 1));
        let areas = app.query("SELECT DISTINCT area FROM person").await.concat();
        assert_eq!(areas, ["35.17.09.2018"]);
    }

    async fn who_died_or_moved_is_not_told_and_what_waits_for_them_is_withdrawn(start: Start) {
        let village = Village::of(Schema::Umum).await;
        let siti = village.resident(|r| r.status_rekam = Some(5)).await;
        let budi = village.resident(|r| r.status_rekam = Some(5)).await;
        let app = village.watched_by(start.time("21:00 WIB")).await;
        look(&app).await;
        for id in [siti, budi] {
            village.opensid.as_sql().set_status(id, 4).await;
        }
        app.clock.advance(MINUTE);
        assert_eq!(look(&app).await.announced, 2, "they wait for the morning");
        village.opensid.as_sql().set_status_dasar(siti, 2).await;
        app.clock.advance(MINUTE);
        look(&app).await;
        app.advance_to("07:00 WIB").await;
        assert_eq!(told(&app).len(), 1, "the family of who died is left in peace");
        village.opensid.as_sql().set_status(siti, 6).await;
        app.clock.advance(MINUTE);
        look(&app).await;
        village.opensid.as_sql().set_status_dasar(budi, 3).await;
        village.opensid.as_sql().set_status(budi, 6).await;
        app.clock.advance(MINUTE);
        look(&app).await;
        assert_eq!(told(&app).len(), 1);
        village.opensid.as_sql().set_status_dasar(budi, 1).await;
        app.clock.advance(MINUTE);
        look(&app).await;
        village.opensid.as_sql().set_status(budi, 8).await;
        app.clock.advance(MINUTE);
        look(&app).await;
        let back = ["kabar_card_printed_v1", "kabar_card_shipped_v1", "kabar_card_issued_v1"];
        assert_eq!(told(&app), back, "who is back hears what was not told meanwhile");
    }

    async fn people_without_a_nik_of_their_own_are_passed_over_and_a_damaged_one_is_kept(start: Start) {
        let village = Village::of(Schema::Umum).await;
        village.resident(|r| { r.nik = Some("0351709201800001".to_owned()); r.status_rekam = Some(4); }).await;
        village.resident(|r| { r.nik = None; r.status_rekam = Some(4); }).await;
        let damaged = village.resident(|r| { r.nik = Some("351709270980000".to_owned()); r.status_rekam = Some(5); }).await;
        let app = village.watched_by(start).await;
        let first = look(&app).await;
        assert_eq!((first.seen, first.rejected), (1, 1));
        let rejections: Value = app.get("/v1/rejections").await;
        assert_eq!(rejections["rejections"][0]["code"], "invalid_nik");
        app.clock.advance(MINUTE);
        assert_eq!(look(&app).await.rejected, 0, "once is enough");
        let mend = "UPDATE tweb_penduduk SET nik = '3517092709800001', status_rekam = 4 WHERE id = ?";
        sqlx::query(mend).bind(damaged).execute(&village.opensid.pool).await.unwrap();
        app.clock.advance(MINUTE);
        assert_eq!(look(&app).await.announced, 1);
        let rejections: Value = app.get("/v1/rejections").await;
        assert_eq!(list(&rejections["rejections"]).len(), 0, "mended, it is settled");
    }

    async fn thousands_at_once_are_held_until_the_office_says_that_they_are_news(start: Start) {
        let village = Village::of(Schema::Umum).await;
        for _ in 0..120 {
            village.resident(|r| r.status_rekam = Some(5)).await;
        }
        let app = village.watched_by(start).await;
        look(&app).await;
        village.opensid.as_sql().bulk_status(village.desa, 8).await;
        app.clock.advance(MINUTE);
        let bulk = look(&app).await;
        assert_eq!((bulk.held, bulk.announced), (120, 0));
        assert_eq!(told(&app), [""; 0]);
        assert_eq!(notices(&app).await, ["held"]);
        let holds: Value = app.get("/v1/holds").await;
        assert_eq!(holds["holds"][0]["waiting"], 120);
        assert_eq!(holds["holds"][0]["status"], "issued");
        let id = word(&holds["holds"][0]["id"]);

        assert_eq!(decide(&app, &format!("/v1/holds/{id}/announce")).await, 202);
        app.run_until_idle().await;
        assert_eq!(told(&app).len(), 120);
        assert_eq!(decide(&app, &format!("/v1/holds/{id}/silence")).await, 404, "decided already");
        assert_eq!(notices(&app).await, [""; 0]);
    }

    async fn what_was_held_and_is_no_news_is_never_told(start: Start) {
        let village = Village::of(Schema::Umum).await;
        for _ in 0..60 {
            village.resident(|r| r.status_rekam = Some(5)).await;
        }
        let app = village.watched_by(start).await;
        look(&app).await;
        village.opensid.as_sql().bulk_status(village.desa, 4).await;
        app.clock.advance(MINUTE);
        assert_eq!(look(&app).await.held, 60);
        let late = village.resident(|r| r.status_rekam = Some(5)).await;
        app.clock.advance(MINUTE);
        look(&app).await;
        village.opensid.as_sql().set_status(late, 4).await;
        app.clock.advance(MINUTE);
        assert_eq!(look(&app).await.held, 1, "the same work goes on");
        let holds: Value = app.get("/v1/holds").await;
        let id = word(&holds["holds"][0]["id"]);
        decide(&app, &format!("/v1/holds/{id}/silence")).await;
        app.advance(Duration::from_secs(7200)).await;
        assert_eq!(told(&app), [""; 0]);
        village.opensid.as_sql().set_status(late, 6).await;
        look(&app).await;
        app.run_until_idle().await;
        assert_eq!(told(&app), ["kabar_card_shipped_v1"], "what comes after is news again");
    }
}

#[tokio::test]
async fn a_reader_who_may_only_select_the_named_columns_is_enough_and_can_write_nothing() {
    for schema in [Schema::Old, Schema::Umum, Schema::Newer] {
        let village = Village::of(schema).await;
        let url = village.reader_url().await;
        assert_eq!(village.opensid.reader_can_write(&url).await, [""; 0], "{schema:?}");
        let words = watched(&url, "35.17", |_| {}).source.probe().await.unwrap();
        assert!(words.contains("1 desa"), "{schema:?}: {words}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_source_is_said_with_what_to_do_and_without_its_password() {
    let village = Village::of(Schema::Umum).await;
    let few = &[("config", &["id", "kode_desa"][..]), ("tweb_penduduk", &["id", "nama"][..])];
    let url = village.opensid.reader_url(few).await;
    let error = watched(&url, "35.17", |_| {}).source.probe().await.unwrap_err();
    assert!(error.to_string().contains("tweb_penduduk.nik"), "{error}");
    assert!(error.hint().contains("kabar source grants"), "{error}");

    let elsewhere = watched(&village.opensid.url(), "32.01", |_| {});
    let error = elsewhere.source.probe().await.unwrap_err();
    assert!(error.to_string().contains("32.01"), "{error}");

    let wrong = village.opensid.url().replace("root@", "root:salah-sandi@");
    let error = watched(&wrong, "35.17", |_| {}).source.probe().await.unwrap_err();
    assert!(matches!(error, SourceError::Misconfigured { .. }), "{error:?}");
    assert!(!format!("{error:?}{}", error.hint()).contains("salah-sandi"), "{error:?}");
}

/// The engine makes no difference to what a server of somebody else does.
async fn on_sqlite(test: impl AsyncFnOnce(Start)) {
    crate::support::run(Engine::Sqlite, test).await;
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_costs_nothing_and_repeats_nothing() {
    on_sqlite(async |mut start: Start| {
        let mut server = MariaDb::private().await;
        let opensid = OpenSid::create(&server, Schema::Umum).await;
        let desa = opensid.add_desa(JABON, "Jabon").await;
        let crowd = Crowd::of(&opensid, desa, 900).await;
        start.sources = vec![watched(&opensid.url(), "35.17", |_| {})];
        start.sources[0].hold_over = 100_000;
        let app = start.open().await;
        look(&app).await;
        for (round, code) in [4, 6, 8].into_iter().enumerate() {
            crowd.set_status(&opensid, code).await;
            app.clock.advance(MINUTE);
            // Killed while it is connected to, while it is read, and after that.
            let watched = &app.app.sources[0];
            let mut step = Box::pin(watch::step(&app.app, watched, "process"));
            poll_times(&mut step, [3, 30, 300][round]).await;
            server.kill().await;
            let _ = step.await.unwrap();
            app.clock.advance(MINUTE);
            assert!(matches!(app.look().await[0], Step::Failed(_)), "nobody answers");
            server.start().await;
            app.clock.advance(MINUTE);
            look(&app).await;
        }
        crowd.assert_told_once(&app, 3).await;
    })
    .await;
}

on_both_engines! {
    async fn a_process_that_dies_anywhere_costs_nothing_and_repeats_nothing(start: Start) {
        let village = Village::of(Schema::Umum).await;
        let crowd = Crowd::of(&village.opensid, village.desa, 900).await;
        let mut start = start;
        let url = village.opensid.url();
        start.sources = vec![watched(&url, "35.17", |_| {})];
        start.sources[0].hold_over = 100_000;
        let mut app = start.open().await;
        look(&app).await;
        for (code, polls) in [(4, [2, 11, 23, 37]), (6, [5, 17, 31, 53]), (8, [7, 13, 29, 71])] {
            crowd.set_status(&village.opensid, code).await;
            for polls in polls {
                app.clock.advance(MINUTE);
                {
                    let watched = app.app.sources[0].clone();
                    let mut step = Box::pin(watch::step(&app.app, &watched, "process"));
                    poll_times(&mut step, polls).await;
                }
                // A transaction that was dropped is rolled back by then.
                app = app.restart().await;
            }
            app.clock.advance(MINUTE);
            look(&app).await;
        }
        crowd.assert_told_once(&app, 3).await;
    }
}

/// Lets a future go on so many times, and no further.
async fn poll_times<F: Future + Unpin>(future: &mut F, times: usize) {
    for _ in 0..times {
        let is_done =
            poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context).is_ready()));
        if is_done.await {
            break;
        }
        // What it waits for needs somebody else to move.
        tokio::task::yield_now().await;
    }
}

/// A village of which every ninth resident's card moves.
struct Crowd {
    moving: Vec<i32>,
}

impl Crowd {
    async fn of(opensid: &OpenSid, desa: i32, count: u32) -> Self {
        opensid.bulk_residents(desa, count).await;
        let reached = "SELECT id FROM tweb_penduduk WHERE nik LIKE '35%' AND telepon LIKE '%8%' \
                       AND id % 9 = 0";
        let moving: Vec<i32> = sqlx::query_scalar(reached).fetch_all(&opensid.pool).await.unwrap();
        assert!(moving.len() > 50, "{}", moving.len());
        let begin = "UPDATE tweb_penduduk SET status_rekam = 5, status_dasar = 1 WHERE id % 9 = 0";
        sqlx::query(begin).execute(&opensid.pool).await.unwrap();
        Self { moving }
    }

    async fn set_status(&self, opensid: &OpenSid, code: i8) {
        for id in &self.moving {
            opensid.as_sql().set_status(*id, code).await;
        }
    }

    /// Every step of every card was told, and none twice.
    async fn assert_told_once(&self, app: &TestApp, steps: usize) {
        app.run_until_idle().await;
        let mut told: Vec<(String, String)> = app
            .whatsapp
            .sent()
            .iter()
            .map(|sent| (sent.to().to_owned(), sent.template().to_owned()))
            .collect();
        let all = told.len();
        told.sort();
        told.dedup();
        assert_eq!((told.len(), all), (self.moving.len() * steps, self.moving.len() * steps));
    }
}
