//! Any SQL database, watched: whatever its kind, its types and its habits, what changes in it is
//! told once, and nothing in it is ever changed by us.

mod column;
mod ear;
mod failure;
mod journey;
mod reader;

use std::sync::Arc;
use std::time::Duration;

use chrono::FixedOffset;
use kabar::domain::area::AreaCode;
use kabar::service::watch::Watched;
use kabar::source::sql::{Sql, SqlSettings};
use kabar::source::{Reading, Record, Source as _, SourceError};
use tokio::sync::mpsc;

use crate::support::citizen;
use crate::support::foreign::{Foreign, Kind};

const MINUTE: Duration = Duration::from_secs(60);
const CARDS: &str = "SELECT nik, status, nama AS name, telepon AS phone, diubah AS at FROM kartu";
const EVENTS: &str = "SELECT no AS id, nik, status, telepon AS phone, waktu AS occurred_at, no AS at \
                      FROM peristiwa";

/// Makes a test of each kind of database: `name::postgres`, `name::mariadb`, `name::sqlite`.
macro_rules! on_every_kind {
    ($(async fn $name:ident($($arg:tt)+) $body:block)+) => {$(
        async fn $name($($arg)+) $body

        mod $name {
            use crate::support::foreign::{Foreign, Kind};

            #[tokio::test]
            async fn postgres() {
                super::$name(Foreign::create(Kind::Postgres).await).await;
            }

            #[tokio::test]
            async fn mariadb() {
                super::$name(Foreign::create(Kind::Mariadb).await).await;
            }

            #[tokio::test]
            async fn sqlite() {
                super::$name(Foreign::create(Kind::Sqlite).await).await;
            }
        }
    )+};
}
use on_every_kind;

fn settings(url: &str, query: &str) -> SqlSettings {
    SqlSettings {
        url: url.into(),
        password: None,
        query: query.to_owned(),
        cursor: "at".to_owned(),
        notify: None,
        overlap: Duration::from_secs(600),
    }
}

fn source(settings: SqlSettings) -> Sql {
    settings.check().unwrap();
    Sql::new(settings, FixedOffset::east_opt(7 * 3600).unwrap())
}

fn watched(settings: SqlSettings) -> Watched {
    Watched {
        id: "buku".to_owned(),
        area: AreaCode::parse("35.17").unwrap(),
        every: MINUTE,
        scan_at: chrono::NaiveTime::from_hms_opt(2, 0, 0),
        hold_over: 50,
        source: Arc::new(source(settings)),
    }
}

/// Everything that a source says from a place on.
async fn try_read(source: &Sql, from: Option<&str>) -> Result<(Vec<Record>, Reading), SourceError> {
    let (give, mut take) = mpsc::channel(10);
    let take_all = async {
        let mut records = Vec::new();
        while let Some(record) = take.recv().await {
            records.push(record);
        }
        records
    };
    let (reading, records) = tokio::join!(source.read(from, give), take_all);
    Ok((records, reading?))
}

async fn read(source: &Sql, from: Option<&str>) -> (Vec<Record>, Reading) {
    try_read(source, from).await.unwrap_or_else(|error| panic!("{error:?}"))
}

impl Foreign {
    /// A type and a literal for moments.
    fn timestamp(&self) -> &'static str {
        match self.kind {
            Kind::Postgres => "TIMESTAMP",
            Kind::Mariadb => "DATETIME(6)",
            Kind::Sqlite => "TEXT",
        }
    }

    /// A table with one row a card, of so many citizens, all `RECORDED` at the same time.
    async fn with_cards(self, count: usize) -> Self {
        self.run(&format!(
            "CREATE TABLE kartu (no BIGINT PRIMARY KEY, nik VARCHAR(20), status VARCHAR(30), \
             nama VARCHAR(60), telepon VARCHAR(20), alamat VARCHAR(60), diubah {})",
            self.timestamp()
        ))
        .await;
        let row = |n: usize| {
            let citizen = citizen(n);
            format!(
                "({n}, '{}', 'RECORDED', '{}', '{}', 'Jl. Mawar', '2025-06-01 08:00:00')",
                citizen.nik, citizen.name, citizen.phone
            )
        };
        let rows: Vec<String> = (1..=count).map(row).collect();
        if !rows.is_empty() {
            self.run(&format!("INSERT INTO kartu VALUES {}", rows.join(", "))).await;
        }
        self
    }

    /// Changes a card so many minutes after they were all written.
    async fn set(&self, no: usize, status: &str, minutes: i64) {
        let start = chrono::NaiveDate::from_ymd_opt(2025, 6, 1).unwrap().and_hms_opt(8, 0, 0);
        let at = start.unwrap() + chrono::Duration::minutes(minutes);
        self.run(&format!(
            "UPDATE kartu SET status = '{status}', diubah = '{}' WHERE no = {no}",
            at.format("%Y-%m-%d %H:%M:%S")
        ))
        .await;
    }

    /// A table with one row an event.
    async fn with_events(self) -> Self {
        self.run(&format!(
            "CREATE TABLE peristiwa (no BIGINT PRIMARY KEY, nik VARCHAR(20), status VARCHAR(30), \
             telepon VARCHAR(20), waktu {})",
            self.timestamp()
        ))
        .await;
        self
    }

    /// An event of a citizen so many minutes after eight on 23 November 2026, Jombang's time.
    async fn event(&self, no: i64, n: usize, status: &str, minutes: i64) {
        let start = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap().and_hms_opt(8, 0, 0);
        let at = start.unwrap() + chrono::Duration::minutes(minutes);
        let citizen = citizen(n);
        self.run(&format!(
            "INSERT INTO peristiwa VALUES ({no}, '{}', '{status}', '{}', '{}')",
            citizen.nik,
            citizen.phone,
            at.format("%Y-%m-%d %H:%M:%S")
        ))
        .await;
    }
}
