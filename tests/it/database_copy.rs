//! An office moves to another database: every table, every row, cut off anywhere.

use std::sync::Arc;

use kabar::domain::clock::Timestamp;
use kabar::store::copy::{CopyError, Limits, Outcome, copy};
use kabar::store::{Db, Engine, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use crate::support::database::Database;
use crate::support::{Office, Start, citizen};

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

/// The source with its tables, and an empty target that shares its keys.
async fn pair() -> (Database, Database) {
    let from = Database::create(Engine::Sqlite).await;
    let mut to = Database::create(Engine::Postgres).await;
    to.sealer = Arc::clone(&from.sealer);
    from.open().await.close().await;
    (from, to)
}

async fn run(from: &Database, to: &Database, limits: Limits) -> Result<Outcome, CopyError> {
    let there = Db::open_as_it_is(&from.url, Arc::clone(&from.sealer)).await.unwrap();
    let here = Db::open_unfinished(&to.url, Arc::clone(&to.sealer)).await.unwrap();
    let ended = copy(&there, &here, NOW, limits, &mut |_| {}).await;
    there.close().await;
    here.close().await;
    ended
}

fn is_equal(outcome: &Outcome) -> bool {
    let Outcome::Done { tables, .. } = outcome else { return false };
    !tables.is_empty() && tables.iter().all(|t| t.differs_at.is_none() && t.there == t.here)
}

async fn on_sqlite(database: &Database, statement: &str) {
    let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

async fn on_postgres(database: &Database, statement: &str) -> Vec<sqlx::postgres::PgRow> {
    let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
    connection.fetch_all(AssertSqlSafe(statement.to_owned())).await.unwrap()
}

/// Rows into every table there is: one full, and two with everything empty that may be.
async fn fill(database: &Database) -> Vec<String> {
    let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    connection.execute("PRAGMA foreign_keys = OFF").await.unwrap();
    let tables = connection
        .fetch_all(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name <> '_sqlx_migrations' \
             AND name NOT LIKE 'sqlite%'",
        )
        .await
        .unwrap();
    let mut names = Vec::new();
    for table in tables {
        let (name, made): (String, String) = (table.get(0), table.get(1));
        let made = made.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = format!("SELECT name, type, \"notnull\", pk FROM pragma_table_info('{name}')");
        let columns = connection.fetch_all(AssertSqlSafe(text)).await.unwrap();
        for n in 1..=3 {
            let values: Vec<String> = columns
                .iter()
                .map(|column| {
                    let (field, kind): (String, String) = (column.get(0), column.get(1));
                    let is_needed = column.get::<i64, _>(2) == 1 || column.get::<i64, _>(3) > 0;
                    let allowed = made.split_once(&format!("({field} IN ('"));
                    match allowed.and_then(|(_, rest)| rest.split('\'').next()) {
                        Some(word) => format!("'{word}'"),
                        None if n > 1 && !is_needed => "NULL".to_owned(),
                        None if kind == "TEXT" => format!("'x{n}'"),
                        None if n == 1 && !is_needed => "-9007199254740993".to_owned(),
                        None => n.to_string(),
                    }
                })
                .collect();
            let text = format!("INSERT INTO \"{name}\" VALUES ({})", values.join(", "));
            connection.execute(AssertSqlSafe(text)).await.unwrap();
        }
        names.push(name);
    }
    connection.close().await.unwrap();
    names
}

async fn rows_here(database: &Database, table: &str) -> i64 {
    on_postgres(database, &format!("SELECT COUNT(*) FROM \"{table}\"")).await[0].get(0)
}

#[tokio::test]
async fn every_table_comes_over_cut_off_again_and_again() {
    let (from, to) = pair().await;
    let names = fill(&from).await;
    assert!(names.len() > 50, "{names:?}");
    // Two batches a table: every other run ends between the two of one.
    let few = Limits { rows: 2, batches: Some(3) };
    let mut runs = 0;
    let ended = loop {
        runs += 1;
        match run(&from, &to, few).await.unwrap() {
            Outcome::Stopped => {
                let refused = Db::open(&to.url, Arc::clone(&to.sealer)).await;
                assert!(matches!(refused, Err(StoreError::Unusable(_))), "half an office opened");
            }
            done @ Outcome::Done { .. } => break done,
        }
    };
    assert!(is_equal(&ended), "{ended:?}");
    assert!(runs > names.len() / 2, "{runs} runs");
    for name in &names {
        let own = if name == "meta" { 4 } else { 0 };
        assert_eq!(rows_here(&to, name).await, 3 + own, "{name}");
    }
    to.open().await.close().await;
    to.remove().await;
}

#[tokio::test]
async fn a_finished_copy_is_only_compared_and_a_changed_row_is_named() {
    let (from, to) = pair().await;
    fill(&from).await;
    assert!(is_equal(&run(&from, &to, Limits::default()).await.unwrap()));
    let again = run(&from, &to, Limits::default()).await.unwrap();
    assert!(is_equal(&again) && matches!(again, Outcome::Done { was_done: true, .. }), "{again:?}");
    on_postgres(&to, "UPDATE person SET name_sealed = '' WHERE id = 'x2'").await;
    let Outcome::Done { tables, .. } = run(&from, &to, Limits::default()).await.unwrap() else {
        panic!("it stopped")
    };
    let odd: Vec<_> = tables.iter().filter(|table| table.differs_at.is_some()).collect();
    assert_eq!(odd.len(), 1, "{odd:?}");
    assert_eq!((odd[0].table.as_str(), odd[0].differs_at.as_deref()), ("person", Some("x2")));
    to.remove().await;
}

#[tokio::test]
async fn a_source_that_changed_between_two_runs_is_found() {
    let (from, to) = pair().await;
    fill(&from).await;
    for _ in 0..60 {
        let one = Limits { rows: 2, batches: Some(2) };
        assert_eq!(run(&from, &to, one).await.unwrap(), Outcome::Stopped);
        if rows_here(&to, "person").await == 3 {
            break;
        }
    }
    on_sqlite(&from, "UPDATE person SET updated_at = 77 WHERE id = 'x1'").await;
    let ended = run(&from, &to, Limits::default()).await.unwrap();
    assert!(!is_equal(&ended), "{ended:?}");
    assert!(Db::open(&to.url, Arc::clone(&to.sealer)).await.is_err(), "it is not finished");
    to.remove().await;
}

#[tokio::test]
async fn neither_a_filled_target_nor_a_source_in_use_is_taken() {
    let (from, to) = pair().await;
    fill(&from).await;
    on_sqlite(&from, "UPDATE account SET lease_until = 1800000000001 WHERE id = 'x1'").await;
    assert!(matches!(run(&from, &to, Limits::default()).await, Err(CopyError::InUse)));
    on_sqlite(&from, "UPDATE account SET lease_until = NULL").await;
    to.open().await.close().await;
    on_postgres(&to, "INSERT INTO area (code, name, updated_at) VALUES ('35', 'Jawa Timur', 1)")
        .await;
    let refused = run(&from, &to, Limits::default()).await;
    assert!(matches!(&refused, Err(CopyError::NotEmpty(table)) if table == "area"), "{refused:?}");
    on_postgres(&to, "DELETE FROM area").await;
    run(&from, &to, Limits { rows: 1, batches: Some(1) }).await.unwrap();
    let mut other = Database::create(Engine::Sqlite).await;
    other.sealer = Arc::clone(&from.sealer);
    other.open().await.close().await;
    assert!(matches!(run(&other, &to, Limits::default()).await, Err(CopyError::OtherSource)));
    to.remove().await;
}

#[tokio::test]
async fn what_the_target_cannot_hold_is_named_by_table_and_row() {
    let (from, to) = pair().await;
    fill(&from).await;
    for (value, reason) in [
        ("'a' || char(0) || 'rahasia'", "name_sealed contains a NUL character"),
        ("CAST(x'ff72616861736961' AS TEXT)", "a text is not UTF-8"),
    ] {
        on_sqlite(&from, &format!("UPDATE person SET name_sealed = {value} WHERE id = 'x2'")).await;
        let refused = run(&from, &to, Limits::default()).await.unwrap_err().to_string();
        assert_eq!(refused, format!("table person, row x2: {reason}"));
    }
    on_sqlite(&from, "UPDATE person SET name_sealed = NULL WHERE id = 'x2'").await;
    assert!(is_equal(&run(&from, &to, Limits::default()).await.unwrap()));
    to.remove().await;
}

#[tokio::test]
async fn a_moved_office_sends_what_waited_once_and_goes_on_in_the_middle_of_a_talk() {
    let (from, to) = pair().await;
    let (from, to) = (Arc::new(from), Arc::new(to));
    let old = Start::on(Arc::clone(&from)).at("19:30 WIB").await;
    let (phone, number) = (citizen(1).phone, citizen(1).e164);
    old.card(&citizen(1).with_phone(&phone).named("Siti Aminah"), "CARD_PRINTED").await;
    old.card(&citizen(2).with_phone(&phone).named("Budi Santoso"), "PRINT_READY_RECORD").await;
    old.run_until_idle().await;
    let question = old.asks(&number, "sudah jadi belum?").await;
    assert_eq!(question.choices().len(), 2);
    old.advance_to("22:30 WIB").await;
    old.card(&citizen(3), "CARD_PRINTED").await;
    old.run_until_idle().await;
    assert!(old.whatsapp.sent_to(&citizen(3).e164).is_empty());
    old.close_senders().await;
    old.app.db.close().await;
    let done = run(&from, &to, Limits::default()).await.unwrap();
    assert!(is_equal(&done), "{done:?}");
    // An office of the tests makes the same tokens at each start.
    on_postgres(&to, "DELETE FROM api_token").await;
    let new = Start::on(Arc::clone(&to)).at("22:40 WIB").await;
    new.counts_on(&old);
    let answer = new.asks(&number, "2").await;
    assert!(answer.text().contains("Budi S."), "{}", answer.text());
    new.advance_to("07:00 WIB").await;
    new.run_until_idle().await;
    assert_eq!(new.whatsapp.sent_to(&citizen(3).e164).len(), 1);
    assert_eq!(new.whatsapp.sent().len(), 2, "nothing is said again");
    to.remove().await;
}

#[tokio::test]
async fn one_command_moves_the_office_and_tells_every_table() {
    let office = Office::init().await;
    let to = Database::create(Engine::Postgres).await;
    let address = office.file("address", &to.url);
    let copy = ["database", "copy", "config", "--to-file", address.as_str()];
    let ended = office.run(&copy).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let officers = ended.stdout.lines().find(|line| line.starts_with("officer ")).unwrap();
    assert_eq!(officers.split_whitespace().collect::<Vec<_>>(), ["officer", "1", "1", "equal"]);
    assert!(ended.stdout.contains("copied, and equal: now set database.url"), "{ended:?}");
    let again = office.run(&copy).await;
    assert!(again.stdout.contains("was copied before, and is equal"), "{again:?}");
    on_postgres(&to, "UPDATE officer SET failures = -1").await;
    let differs = office.run(&copy).await;
    assert_eq!(differs.code, Some(1), "{differs:?}");
    assert!(differs.stderr.contains("table officer differs, for one in row off_"), "{differs:?}");
    let around = format!("sqlite://{}/./kabar.db", office.path("").display());
    let itself = office.run(&["database", "copy", "config", &around]).await;
    assert_eq!(itself.code, Some(1), "{itself:?}");
    assert!(itself.stderr.contains("one and the same database"), "{itself:?}");
    let nowhere = office.run(&["database", "copy", "sqlite:///nowhere/kabar.db", &to.url]).await;
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
    assert!(nowhere.stderr.contains("there is no such SQLite file"), "{nowhere:?}");
    to.remove().await;
}
