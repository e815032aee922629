//! Databases that break off, and errors in words: with a hint, and without a password or a row.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kabar::service::watch::{self, Step};
use kabar::source::{Reading, Records, Source, SourceError};
use kabar::store::Engine;
use tokio::sync::mpsc;

use super::{CARDS, MINUTE, on_every_kind, read, settings, source, try_read, watched};
use crate::support::foreign::{Foreign, Kind};
use crate::support::meta::Request;
use crate::support::{Start, citizen};

impl Foreign {
    /// Ends every session in it but the one that does so.
    async fn end_sessions(&self) {
        match self.kind {
            Kind::Postgres => {
                let end = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";
                self.texts(end).await;
            }
            Kind::Mariadb => {
                let ids = format!(
                    "SELECT CAST(ID AS CHAR) FROM INFORMATION_SCHEMA.PROCESSLIST \
                     WHERE DB = '{}' AND ID <> CONNECTION_ID()",
                    self.name()
                );
                for id in self.texts(&ids).await {
                    self.run(&format!("KILL {id}")).await;
                }
            }
            Kind::Sqlite => panic!("SQLite has no sessions"),
        }
    }

    /// How many sessions are in it besides ours.
    async fn sessions(&self) -> usize {
        let query = match self.kind {
            Kind::Postgres => "SELECT state FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()"
                .to_owned(),
            _ => format!(
                "SELECT COMMAND FROM INFORMATION_SCHEMA.PROCESSLIST \
                 WHERE DB = '{}' AND ID <> CONNECTION_ID()",
                self.name()
            ),
        };
        self.texts(&query).await.len()
    }

    /// A table of so many rows, made by the server.
    async fn with_crowd(self, count: usize) -> Self {
        let this = self.with_cards(0).await;
        let numbers = match this.kind {
            Kind::Postgres => format!("generate_series(1, {count}) AS n(n)"),
            Kind::Mariadb => format!("(SELECT seq AS n FROM seq_1_to_{count}) n"),
            Kind::Sqlite => format!(
                "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) \
                 SELECT n FROM s) n"
            ),
        };
        let nik = if this.kind == Kind::Mariadb { "CONCAT(" } else { "(" };
        let (join, end) = if this.kind == Kind::Mariadb { (", ", ")") } else { (" || ", ")") };
        this.run(&format!(
            "INSERT INTO kartu SELECT n, {nik}'3517091204'{join}(100000 + n % 900000){end}, 'RECORDED', \
             'Siti Aminah', '0812-3456-7890', 'Jl. Mawar', '2025-06-01 08:00:00' FROM {numbers}"
        ))
        .await;
        this
    }
}

/// A source whose server ends the session once, in the middle of the rows.
struct Breaking {
    source: Arc<dyn Source>,
    foreign: Arc<Foreign>,
    breaks_off: AtomicBool,
}

impl std::fmt::Debug for Breaking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Breaking(…)")
    }
}

#[async_trait::async_trait]
impl Source for Breaking {
    async fn read(&self, from: Option<&str>, records: Records) -> Result<Reading, SourceError> {
        // So few on the way that the server cannot be done.
        let (give, mut take) = mpsc::channel(1);
        let pass_on = async {
            let mut count = 0;
            while let Some(record) = take.recv().await {
                count += 1;
                if count == 300 && self.breaks_off.swap(false, Ordering::SeqCst) {
                    self.foreign.end_sessions().await;
                }
                records.send(record).await.unwrap();
            }
        };
        tokio::join!(self.source.read(from, give), pass_on).0
    }

    async fn probe(&self) -> Result<String, SourceError> {
        self.source.probe().await
    }
}

async fn broken_off_in_the_middle(foreign: Foreign) {
    let count = 1500;
    let foreign = foreign.with_cards(count).await;
    foreign.run("CREATE TABLE isi (teks TEXT); INSERT INTO isi VALUES ('')").await;
    let query = "SELECT nik, status, telepon AS phone, diubah AS at, teks AS area, \
                 teks AS document, teks AS name FROM kartu, isi";
    let mut watched = watched(settings(&foreign.url(), query));
    watched.hold_over = 100_000;
    let foreign = Arc::new(foreign);
    let server = Arc::new(Breaking {
        source: Arc::clone(&watched.source),
        foreign: Arc::clone(&foreign),
        breaks_off: AtomicBool::new(false),
    });
    watched.source = server.clone();
    crate::support::run(Engine::Sqlite, async |mut start: Start| {
        start.sources = vec![watched];
        let app = start.open().await;
        assert!(matches!(app.look().await[0], Step::Read(_)));
        foreign
            .run(
                "UPDATE kartu SET status = 'CARD_PRINTED', diubah = '2025-06-01 09:00:00' \
                 WHERE no % 10 = 0",
            )
            .await;
        // So much that the server cannot have sent all of it at once, and says nothing.
        foreign.run(&format!("UPDATE isi SET teks = '{}'", "\u{3000}".repeat(2000))).await;
        app.clock.advance(MINUTE);
        server.breaks_off.store(true, Ordering::SeqCst);
        let step = watch::step(&app.app, &app.app.sources[0], "process").await.unwrap();
        assert!(matches!(step, Step::Failed(SourceError::Unreachable(_))), "{step:?}");
        foreign.run("UPDATE isi SET teks = ''").await;
        app.clock.advance(MINUTE);
        assert!(matches!(app.look().await[0], Step::Read(_)));
        app.run_until_idle().await;
        let mut told: Vec<String> =
            app.whatsapp.sent().iter().map(|sent| sent.to().to_owned()).collect();
        assert_eq!(told.len(), count / 10, "nothing is missed");
        told.sort();
        told.dedup();
        assert_eq!(told.len(), count / 10, "nothing is doubled");
    })
    .await;
}

#[tokio::test]
async fn a_postgres_that_breaks_off_in_the_middle_costs_nothing_and_repeats_nothing() {
    broken_off_in_the_middle(Foreign::create(Kind::Postgres).await).await;
}

#[tokio::test]
async fn a_mariadb_that_breaks_off_in_the_middle_costs_nothing_and_repeats_nothing() {
    broken_off_in_the_middle(Foreign::create(Kind::Mariadb).await).await;
}

on_every_kind! {
    async fn a_process_that_dies_anywhere_costs_nothing_and_repeats_nothing(foreign: Foreign) {
        let count = 600;
        let foreign = foreign.with_cards(count).await;
        let mut watched = watched(settings(&foreign.url(), CARDS));
        watched.hold_over = 100_000;
        crate::support::run(Engine::Sqlite, async |mut start: Start| {
            start.sources = vec![watched];
            let mut app = start.open().await;
            assert!(matches!(app.look().await[0], Step::Read(_)));
            foreign
                .run(
                    "UPDATE kartu SET status = 'CARD_PRINTED', diubah = '2025-06-01 09:00:00' \
                     WHERE no % 6 = 0",
                )
                .await;
            for polls in [1, 4, 9, 16, 25, 36, 49, 64] {
                app.clock.advance(MINUTE);
                {
                    let watched = app.app.sources[0].clone();
                    let mut step = Box::pin(watch::step(&app.app, &watched, "process"));
                    for _ in 0..polls {
                        if futures_util::poll!(&mut step).is_ready() {
                            break;
                        }
                        tokio::task::yield_now().await;
                    }
                }
                app = app.restart().await;
            }
            app.clock.advance(MINUTE);
            assert!(matches!(app.look().await[0], Step::Read(_)));
            app.run_until_idle().await;
            let sent = app.whatsapp.sent();
            let told: BTreeSet<&str> = sent.iter().map(Request::to).collect();
            assert_eq!((told.len(), sent.len()), (count / 6, count / 6));
        })
        .await;
    }

    async fn a_reading_that_nobody_wants_to_the_end_leaves_nothing_running(foreign: Foreign) {
        let foreign = foreign.with_crowd(200_000).await;
        let source = source(settings(&foreign.url(), CARDS));
        let (give, mut take) = mpsc::channel(10);
        let reading = source.read(None, give);
        let first = async move {
            for _ in 0..1000 {
                take.recv().await.unwrap();
            }
        };
        let (reading, ()) = tokio::join!(reading, first);
        assert_eq!(reading, Err(SourceError::Stopped));
        if foreign.kind != Kind::Sqlite {
            // The server finds out when it wants to send the next rows.
            while foreign.sessions().await > 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn a_query_that_cannot_be_read_is_explained_with_a_hint_and_without_rows(foreign: Foreign) {
        let foreign = foreign.with_cards(2).await;
        let cases = [
            ("SELECT nik, status, salah AS at FROM kartu", "salah"),
            ("SELEC nik, status, diubah AS at FROM kartu", "syntax"),
            ("SELECT nik, status, diubah AS at FROM tiada", "tiada"),
            ("SELECT nik, status FROM kartu", "the query has no column at; it has nik, status"),
            ("SELECT no, diubah AS at FROM kartu", "the query has no column nik, status; it has no, at"),
        ];
        for (query, expected) in cases {
            let error = source(settings(&foreign.url(), query)).probe().await.unwrap_err();
            assert!(matches!(error, SourceError::Misconfigured { .. }), "{error:?}");
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().contains("query") || error.hint().contains("SELECT"), "{error:?}");
        }
        // The database's own words would quote the row.
        let query = match foreign.kind {
            Kind::Postgres => "SELECT nik, status, diubah AS at, CAST(nama AS BIGINT) AS name FROM kartu",
            Kind::Mariadb => {
                foreign.run("CREATE FUNCTION keluh(apa TEXT) RETURNS TEXT BEGIN \
                             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = apa; RETURN apa; END").await;
                "SELECT nik, status, diubah AS at, keluh(nama) AS name FROM kartu"
            }
            Kind::Sqlite => {
                "SELECT nik, status, diubah AS at, json_extract(nama, '$.a') AS name FROM kartu"
            }
        };
        let error = try_read(&source(settings(&foreign.url(), query)), None).await.unwrap_err();
        assert!(matches!(error, SourceError::Misconfigured { .. }), "{error:?}");
        let name = citizen(1).name;
        let first = name.split(' ').next().unwrap();
        assert!(!format!("{error:?}").contains(first), "{error:?}");
        assert!(!format!("{error:?}").contains("Siti"), "{error:?}");
    }
}

on_every_kind! {
    async fn of_a_value_of_megabytes_no_more_is_asked_for_than_a_part_may_have(foreign: Foreign) {
        let foreign = foreign.with_cards(2).await;
        let long = match foreign.kind {
            Kind::Sqlite => "hex(zeroblob(1500000))",
            _ => "REPEAT('é', 3000000)",
        };
        let query = format!("SELECT nik, status, diubah AS at, {long} AS name FROM kartu");
        let (records, _) = read(&source(settings(&foreign.url(), &query)), None).await;
        let lengths: Vec<usize> =
            records.iter().map(|record| record.update.name.chars().count()).collect();
        assert_eq!(lengths, [2000, 2000]);
    }
}

#[tokio::test]
async fn a_row_with_bytes_that_are_no_text_is_passed_over_and_counted() {
    let foreign = Foreign::create(Kind::Sqlite).await.with_cards(3).await;
    foreign
        .run(
            "UPDATE kartu SET nama = CAST(X'5369746920FF' AS TEXT), diubah = '2025-06-01 09:00:00' \
             WHERE no = 2",
        )
        .await;
    let (records, reading) = read(&source(settings(&foreign.url(), CARDS)), None).await;
    assert_eq!(records.len(), 2);
    assert_eq!(
        reading.skipped.into_iter().collect::<Vec<_>>(),
        [("they hold bytes that are no text", 1)]
    );
    assert_eq!(reading.position.as_deref(), Some("2025-06-01 09:00:00"), "it is not met again");
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_said_without_its_password() {
    let maria = Foreign::create(Kind::Mariadb).await.with_cards(1).await;
    let grant = format!("GRANT SELECT ON {}.kartu TO {{}}", maria.name());
    let wrong = maria.reader_url(&[&grant]).await.replace(":baca@", ":salah-sandi@");
    let postgres = Foreign::create(Kind::Postgres).await;
    let missing = postgres.url().replace(postgres.name(), "tiada").replace('@', ":salah-sandi@");
    let cases = [
        (wrong, "Access denied"),
        (missing, "does not exist"),
        ("postgres://kabar:salah-sandi@tiada.invalid/buku".to_owned(), "the connection broke"),
        ("mysql://kabar:salah-sandi@127.0.0.1:1/buku".to_owned(), "refused"),
        ("postgres://kabar:salah-sandi@127.0.0.1:1/buku".to_owned(), "refused"),
        ("postgres://kabar:salah-sandi@127.0.0.1:port/buku".to_owned(), "cannot be read"),
        ("mysql://kabar:salah-sandi@[::/buku".to_owned(), "cannot be read"),
    ];
    for (url, expected) in cases {
        let error = source(settings(&url, CARDS)).probe().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.hint().is_empty(), "{error}");
        assert!(!format!("{error:?}{}", error.hint()).contains("salah-sandi"), "{error:?}");
    }
    let mut beside = settings(&maria.url().replace("root@", "kabar@"), CARDS);
    beside.password = Some("salah-sandi".to_owned().into());
    let error = source(beside).probe().await.unwrap_err();
    assert!(!format!("{error:?}").contains("salah-sandi"), "{error:?}");

    for (url, key) in [("oracle://kabar:salah-sandi@h/d", "url"), ("", "url")] {
        assert_eq!(settings(url, CARDS).check().unwrap_err().0, key);
    }
    let mut deaf = settings(&maria.url(), CARDS);
    deaf.notify = Some("kartu".to_owned());
    assert_eq!(deaf.check().unwrap_err().0, "notify");
}

#[tokio::test]
async fn a_database_that_hides_a_password_in_its_settings_never_shows_it() {
    let settings = settings("postgres://kabar:salah-sandi@h/d", CARDS);
    assert!(!format!("{settings:?}{:?}", source(settings.clone())).contains("salah-sandi"));
}
