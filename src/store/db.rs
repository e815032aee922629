//! The engine seam: opening, migrating, transactions, and the few bits of SQL that differ.
//!
//! SQLite: WAL, `synchronous=FULL`, one writing connection and a pool that can only read.
//! PostgreSQL: one pool for both. Everything else in `store` is written once, but for what the copy of a whole database
//! has to know of its tables (`shape`).

use std::borrow::Cow;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{
    AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Connection as _, SqlSafeStr as _,
};

use super::StoreError;
use super::seal::{Place, Sealer};
use crate::domain::clock::Timestamp;

/// A transaction on the writing side.
pub type Tx = sqlx::Transaction<'static, sqlx::Any>;

/// What both of the others are: for whoever reads within a transaction, or without one.
pub type Conn = AnyConnection;

/// A connection of the reading side.
pub type Reading = sqlx::pool::PoolConnection<sqlx::Any>;

/// Which database this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file of our own.
    Sqlite,
    /// A server.
    Postgres,
}

/// How many connections to PostgreSQL one process opens at most.
const POSTGRES_CONNECTIONS: u32 = 10;

/// Where the value stands that proves the keys, and what it says.
const KEY_CHECK: Place = Place { table: "meta", column: "value" };
const KEY_WORD: &str = "kabar";

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first", include_str!("../../migrations/0001_first.sql")),
    (2, "channels", include_str!("../../migrations/0002_channels.sql")),
    (3, "sources", include_str!("../../migrations/0003_sources.sql")),
    (4, "areas", include_str!("../../migrations/0004_areas.sql")),
    (5, "conversation", include_str!("../../migrations/0005_conversation.sql")),
    (6, "service_point", include_str!("../../migrations/0006_service_point.sql")),
    (7, "question", include_str!("../../migrations/0007_question.sql")),
    (8, "mending", include_str!("../../migrations/0008_mending.sql")),
    (9, "officer", include_str!("../../migrations/0009_officer.sql")),
    (10, "broadcast", include_str!("../../migrations/0010_broadcast.sql")),
    (11, "search", include_str!("../../migrations/0011_search.sql")),
    (12, "answer", include_str!("../../migrations/0012_answer.sql")),
    (13, "report", include_str!("../../migrations/0013_report.sql")),
    (14, "officer_chat", include_str!("../../migrations/0014_officer_chat.sql")),
    (15, "attachment", include_str!("../../migrations/0015_attachment.sql")),
    (16, "day_limit", include_str!("../../migrations/0016_day_limit.sql")),
    (17, "message_area", include_str!("../../migrations/0017_message_area.sql")),
    (18, "round", include_str!("../../migrations/0018_round.sql")),
    (19, "collection", include_str!("../../migrations/0019_collection.sql")),
    (20, "appointment", include_str!("../../migrations/0020_appointment.sql")),
    (21, "message_ended", include_str!("../../migrations/0021_message_ended.sql")),
    (22, "round_mend", include_str!("../../migrations/0022_round_mend.sql")),
    (23, "point_staff", include_str!("../../migrations/0023_point_staff.sql")),
    (24, "home_visit", include_str!("../../migrations/0024_home_visit.sql")),
    (25, "plan_held", include_str!("../../migrations/0025_plan_held.sql")),
    (26, "list_cancelled", include_str!("../../migrations/0026_list_cancelled.sql")),
    (27, "session_closing", include_str!("../../migrations/0027_session_closing.sql")),
    (28, "outage_once", include_str!("../../migrations/0028_outage_once.sql")),
    (29, "home_mended", include_str!("../../migrations/0029_home_mended.sql")),
    (30, "visit_whom", include_str!("../../migrations/0030_visit_whom.sql")),
    (31, "card_held", include_str!("../../migrations/0031_card_held.sql")),
    (32, "morning_index", include_str!("../../migrations/0032_morning_index.sql")),
    (33, "area_list", include_str!("../../migrations/0033_area_list.sql")),
];

/// The database, open and migrated. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    engine: Engine,
    writer: AnyPool,
    reader: AnyPool,
    pub(super) sealer: Arc<Sealer>,
}

/// A column of a row set handed to a statement as one JSON parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column<'a> {
    /// TEXT
    Text(&'a str),
    /// BIGINT
    Int(&'a str),
}

impl Db {
    /// Opens the database at `url` (`sqlite://file` or `postgres://…`), creating an SQLite file
    /// that is not there, brings its tables up to date and checks that the keys fit.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for an address of another kind, a database of a newer program or
    /// one sealed with other keys, or a copy that is not finished; [`StoreError::Unavailable`] when
    /// it cannot be reached.
    pub async fn open(url: &str, sealer: Arc<Sealer>) -> Result<Self, StoreError> {
        let db = Self::open_unfinished(url, sealer).await?;
        let marks: Vec<(String,)> =
            sqlx::query_as("SELECT name FROM meta WHERE name IN ('copy_of', 'copy_done')")
                .fetch_all(db.writer())
                .await?;
        // Begun, and never said to be done.
        if marks.len() == 1 {
            db.close().await;
            return Err(StoreError::Unusable(
                "this database is a copy that is not finished: run `kabar database copy` again"
                    .to_owned(),
            ));
        }
        Ok(db)
    }

    /// Opens a database as [`Self::open`] does, also one that is a copy not finished yet.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_unfinished(url: &str, sealer: Arc<Sealer>) -> Result<Self, StoreError> {
        let db = Self::connect(url, sealer).await?;
        db.migrate().await?;
        db.make_key_check().await?;
        db.check_key().await?;
        Ok(db)
    }

    /// Opens a database that is there and has the tables of this program, and changes nothing in it.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] also when it is not there or has the tables of another version.
    pub async fn open_as_it_is(url: &str, sealer: Arc<Sealer>) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.trim_start_matches("//").split('?').next().unwrap_or_default();
            if !std::path::Path::new(path).is_file() {
                return Err(StoreError::Unusable("there is no such SQLite file".to_owned()));
            }
        }
        let db = Self::connect(url, sealer).await?;
        let newest = MIGRATIONS.last().map_or(0, |(version, _, _)| *version);
        let (version,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(version) FROM _sqlx_migrations")
                .fetch_one(db.writer())
                .await
                .map_err(|error| match error {
                    sqlx::Error::Database(_) => {
                        StoreError::Unusable("it has no tables of Kabar".to_owned())
                    }
                    other => other.into(),
                })?;
        if version != Some(newest) {
            return Err(StoreError::Unusable(
                "its tables are those of another version: run `kabar check` of this one on it once"
                    .to_owned(),
            ));
        }
        db.check_key().await?;
        Ok(db)
    }

    async fn connect(url: &str, sealer: Arc<Sealer>) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        if let Some(path) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(path.trim_start_matches("//"), sealer).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url, sealer).await
        } else {
            Err(StoreError::Unusable(
                "database.url must begin with sqlite:// or postgres://".to_owned(),
            ))
        }
    }

    async fn open_sqlite(path: &str, sealer: Arc<Sealer>) -> Result<Self, StoreError> {
        let path = path.split('?').next().unwrap_or_default();
        if path.is_empty() || path == ":memory:" {
            return Err(StoreError::Unusable(
                "database.url names no file; write sqlite://kabar.db".to_owned(),
            ));
        }
        let options =
            |mode: &str| AnyConnectOptions::from_str(&format!("sqlite://{path}?mode={mode}"));
        let pragmas = |write: bool| {
            if write {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                 PRAGMA busy_timeout = 10000; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536;"
            } else {
                "PRAGMA busy_timeout = 10000;"
            }
        };
        let pool = |size: u32, write: bool| {
            AnyPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(Duration::from_secs(30))
                .idle_timeout(None)
                .max_lifetime(None)
                // After a full disk SQLite has rolled back by itself while the driver still counts
                // a transaction; such a connection would refuse every later one.
                .before_acquire(|connection, _| {
                    Box::pin(async move { Ok(!connection.is_in_transaction()) })
                })
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        sqlx::raw_sql(pragmas(write)).execute(&mut *connection).await?;
                        Ok(())
                    })
                })
        };
        try_file(path, &options("rwc")?).await?;
        let writer =
            pool(1, true).connect_with(options("rwc")?).await.map_err(|error| match error {
                sqlx::Error::Database(inner) => StoreError::Unusable(format!(
                    "the SQLite file of database.url cannot be opened: {inner}"
                )),
                other => other.into(),
            })?;
        let reader = pool(4, false).connect_lazy_with(options("ro")?);
        Ok(Self { engine: Engine::Sqlite, writer, reader, sealer })
    }

    /// Writes a word and reads it back: whether the database can do its work, a full disk included.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot.
    pub async fn try_write(&self, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES ('last_check', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(now_ms.to_string())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn open_postgres(url: &str, sealer: Arc<Sealer>) -> Result<Self, StoreError> {
        let options = AnyConnectOptions::from_str(url).map_err(|_| {
            StoreError::Unusable("database.url is not a valid postgres:// address".to_owned())
        })?;
        let writer = AnyPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await?;
        Ok(Self { engine: Engine::Postgres, reader: writer.clone(), writer, sealer })
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let migrations = MIGRATIONS
            .iter()
            .map(|(version, name, sql)| {
                Migration::new(
                    *version,
                    Cow::Borrowed(name),
                    MigrationType::Simple,
                    (*sql).into_sql_str(),
                    false,
                )
            })
            .collect();
        Migrator::with_migrations(migrations).run(&self.writer).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(inner) => inner.into(),
            other => {
                StoreError::Unusable(format!("the tables cannot be brought up to date: {other}"))
            }
        })
    }

    /// A value sealed at first start proves at every later one that the keys are the same.
    async fn make_key_check(&self) -> Result<(), StoreError> {
        let sealed = self.sealer.seal(KEY_CHECK, "key_check", KEY_WORD)?;
        let index = self.sealer.index("key_check", KEY_WORD);
        let mut tx = self.begin().await?;
        for (name, value) in [("key_check", &sealed), ("index_check", &index)] {
            sqlx::query(
                "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            )
            .bind(name)
            .bind(value)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn check_key(&self) -> Result<(), StoreError> {
        let index = self.sealer.index("key_check", KEY_WORD);
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT name, value FROM meta WHERE name IN ('key_check', 'index_check')",
        )
        .fetch_all(self.writer())
        .await?;
        let fits = rows.iter().all(|(name, value)| match name.as_str() {
            "key_check" => self.sealer.open(KEY_CHECK, "key_check", value).is_ok(),
            _ => *value == index,
        });
        if fits {
            Ok(())
        } else {
            Err(StoreError::Unusable(
                "this database was sealed with other keys than those in [keys]; use the keys it \
                 was made with, without them its personal data cannot be read"
                    .to_owned(),
            ))
        }
    }

    /// Which engine this is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Hashes an address, so that whoever holds one can compare it with stored hashes.
    #[must_use]
    pub fn index(&self, kind: &str, value: &str) -> String {
        self.sealer.index(kind, value)
    }

    /// Begins a transaction that writes. On SQLite it takes the write lock at once: a lock taken
    /// half-way could fail.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self.engine {
            Engine::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.writer.begin().await?,
        })
    }

    /// A connection for whoever only reads, and keeps nobody from writing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database cannot be reached.
    pub async fn reading(&self) -> Result<Reading, StoreError> {
        Ok(self.reader.acquire().await?)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(self.reader()).await?;
        Ok(())
    }

    /// Closes all connections; what is committed stays.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    pub(super) const fn reader(&self) -> &AnyPool {
        &self.reader
    }

    pub(super) const fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// What a `SELECT` adds that picks rows for this process alone. SQLite has one writer anyway.
    pub(super) const fn skip_locked(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// What a `SELECT` adds that holds rows until the end of the transaction.
    pub(super) const fn for_update(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE",
        }
    }

    /// A table expression `alias` made of the JSON array in parameter `$n`, so that one statement
    /// and one parameter carry any number of rows on both engines.
    pub(super) fn rows(&self, n: usize, alias: &str, columns: &[Column<'_>]) -> String {
        let list = |each: &dyn Fn(&Column<'_>) -> String| {
            columns.iter().map(each).collect::<Vec<_>>().join(", ")
        };
        match self.engine {
            Engine::Sqlite => {
                let picked = list(&|c| match c {
                    Column::Text(name) | Column::Int(name) => {
                        format!("json_extract(value, '$.{name}') AS {name}")
                    }
                });
                format!("(SELECT {picked} FROM json_each(${n})) AS {alias}")
            }
            Engine::Postgres => {
                let typed = list(&|c| match c {
                    Column::Text(name) => format!("{name} TEXT"),
                    Column::Int(name) => format!("{name} BIGINT"),
                });
                format!("json_to_recordset(CAST(${n} AS JSON)) AS {alias} ({typed})")
            }
        }
    }
}

/// Opens the file once without a pool, which would try again and again what cannot succeed, and
/// makes a new file readable by its owner alone.
async fn try_file(path: &str, options: &AnyConnectOptions) -> Result<(), StoreError> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let unusable = |why: &dyn std::fmt::Display| {
        StoreError::Unusable(format!("the SQLite file of database.url cannot be opened: {why}"))
    };
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| unusable(&error))?;
    let mut connection = options.connect().await.map_err(|error| unusable(&error))?;
    sqlx::raw_sql("PRAGMA busy_timeout = 10000; SELECT COUNT(*) FROM sqlite_schema;")
        .execute(&mut connection)
        .await
        .map_err(|error| unusable(&error))?;
    connection.close().await.map_err(|error| unusable(&error))
}

/// Runs a guarded statement that moves the row `$1`, as done by `$2` at `$3`; `false` when the row is
/// not where the statement says it has to be.
pub(super) async fn mark(
    conn: &mut AnyConnection,
    statement: &'static str,
    id: String,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query(statement).bind(id).bind(by.to_owned()).bind(now.as_ms()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Marks a statement put together from literals and the seam's own snippets as safe: no value
/// ever becomes part of a statement's text.
pub(super) fn sql(text: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(text)
}
