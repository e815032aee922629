//! Who reads may only read: a user with few rights is enough, and a query that would write cannot,
//! whoever sends it.

use sqlx::{Connection as _, Executor as _, SqliteConnection};

use super::{CARDS, EVENTS, on_every_kind, read, settings, source, try_read};
use crate::support::foreign::{Foreign, Kind};
use kabar::source::Source as _;

/// A query, and what it would do.
const WRITES: &[&str] = &[
    "DELETE FROM kartu RETURNING nik, status, diubah AS at",
    "INSERT INTO kartu (no, nik) VALUES (99, 'x')",
    "UPDATE kartu SET status = 'x'",
    "DROP TABLE kartu",
    "WITH h AS (DELETE FROM kartu RETURNING nik, status, diubah AS at) SELECT * FROM h",
    "WITH h AS (INSERT INTO kartu (no, nik) VALUES (99, 'x') RETURNING nik, status, diubah AS at) SELECT * FROM h",
    "SELECT nik, status, diubah AS at FROM kartu; DELETE FROM kartu",
    "SELECT nik, status, diubah AS at FROM kartu) AS q; DELETE FROM kartu; SELECT (1",
    "SELECT hapus() AS nik, status, diubah AS at FROM kartu",
    "SELECT nik, status, diubah AS at FROM kartu WHERE hapus() = 'x'",
    "SELECT nomor() AS nik, status, diubah AS at FROM kartu",
];

on_every_kind! {
    async fn a_query_that_writes_changes_nothing_even_for_one_who_may_do_everything(foreign: Foreign) {
        let foreign = foreign.with_cards(3).await;
        match foreign.kind {
            Kind::Postgres => foreign.run(
                "CREATE SEQUENCE nomor; \
                 CREATE FUNCTION nomor() RETURNS TEXT LANGUAGE sql AS $$ SELECT nextval('nomor')::text $$; \
                 CREATE FUNCTION hapus() RETURNS TEXT LANGUAGE plpgsql AS $$ BEGIN \
                 PERFORM set_config('transaction_read_only', 'off', false); \
                 DELETE FROM kartu; RETURN 'x'; END $$",
            ).await,
            Kind::Mariadb => foreign.run(
                "CREATE SEQUENCE nomor; \
                 CREATE FUNCTION nomor() RETURNS VARCHAR(20) RETURN NEXTVAL(nomor); \
                 CREATE FUNCTION hapus() RETURNS VARCHAR(20) BEGIN DELETE FROM kartu; RETURN 'x'; END",
            ).await,
            Kind::Sqlite => {}
        }
        for query in WRITES {
            let source = source(settings(&foreign.url(), query));
            let _ = source.probe().await;
            let error = try_read(&source, None).await.err();
            assert!(error.is_some(), "{query}");
            let rows = foreign.texts("SELECT status FROM kartu").await;
            assert_eq!(rows, ["RECORDED"; 3], "{query}");
        }
        if foreign.kind == Kind::Postgres {
            let said = "SELECT is_called::text FROM nomor";
            assert_eq!(foreign.texts(said).await, ["false"], "no number was taken");
        }
    }

    async fn a_user_who_may_select_the_named_columns_is_enough(foreign: Foreign) {
        let foreign = foreign.with_cards(3).await.with_events().await;
        foreign.event(1, 1, "CARD_PRINTED", 0).await;
        let columns = "no, nik, status, nama, telepon, diubah";
        let cards = format!("GRANT SELECT ({columns}) ON kartu TO {{}}");
        let url = match foreign.kind {
            Kind::Postgres => foreign.reader_url(&[&cards]).await,
            Kind::Mariadb => foreign.reader_url(&[&cards.replace("kartu", &format!("{}.kartu", foreign.name()))]).await,
            // A file that nobody may write.
            Kind::Sqlite => {
                let mut permissions = std::fs::metadata(foreign.path()).unwrap().permissions();
                permissions.set_readonly(true);
                std::fs::set_permissions(foreign.path(), permissions).unwrap();
                foreign.url()
            }
        };
        let (records, reading) = read(&source(settings(&url, CARDS)), None).await;
        assert_eq!(records.len(), 3);
        let (records, _) = read(&source(settings(&url, CARDS)), reading.position.as_deref()).await;
        assert_eq!(records.len(), 3);
        if foreign.kind == Kind::Sqlite {
            return;
        }
        for query in [
            "SELECT nik, status, alamat AS name, diubah AS at FROM kartu",
            "SELECT nik, status, diubah AS at FROM kartu WHERE alamat LIKE '%'",
            EVENTS,
        ] {
            let error = try_read(&source(settings(&url, query)), None).await.unwrap_err();
            assert!(error.to_string().contains("denied"), "{error}");
            assert!(error.hint().contains("what its user may read"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_missing_is_not_made_and_one_that_others_write_is_read() {
    let foreign = Foreign::create(Kind::Sqlite).await.with_cards(2).await;
    let missing = foreign.path().with_file_name("lain.db");
    for mode in ["", "?mode=rwc"] {
        let url = format!("sqlite://{}{mode}", missing.display());
        let error = try_read(&source(settings(&url, CARDS)), None).await.unwrap_err();
        assert!(error.to_string().contains("unable to open"), "{error}");
        assert!(error.hint().contains("file"), "{error:?}");
        assert!(!missing.exists());
    }

    // Another program has it open, keeps a log beside it, and is in the middle of writing.
    let mut other = SqliteConnection::connect(&foreign.url()).await.unwrap();
    other.execute("PRAGMA journal_mode = WAL").await.unwrap();
    other.execute("UPDATE kartu SET status = 'CARD_PRINTED' WHERE no = 1").await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    other.execute("UPDATE kartu SET status = 'CARD_PRINTED' WHERE no = 2").await.unwrap();
    for mode in ["", "?mode=rwc", "?mode=ro"] {
        let url = format!("{}{mode}", foreign.url());
        let (records, _) = read(&source(settings(&url, CARDS)), None).await;
        let printed = records.iter().filter(|record| record.update.status == "CARD_PRINTED");
        assert_eq!(printed.count(), 1, "what is committed, and no more");
    }
    other.execute("COMMIT").await.unwrap();
    other.close().await.unwrap();
    let (records, _) = read(&source(settings(&foreign.url(), CARDS)), None).await;
    assert_eq!(records.len(), 2, "and nobody has it open");
}
