//! Copies a whole database into another of either engine, row by row as it stands: sealed values
//! are bound to table, column and row, so they open there as here.
//!
//! The copy keeps its place in table `meta` of the target, in the transaction that brings the rows,
//! so that a copy that was cut off goes on where it was. It never changes what it copies from.

use std::collections::{BTreeMap, HashMap};

use futures_util::TryStreamExt as _;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::StoreError;
use super::db::{Column, Conn, Db, Tx, sql};
use super::shape::{Table, count_anew, keep_still, list_tables};
use crate::domain::clock::Timestamp;

/// Bytes after which a batch is full, however few its rows: attachments are large.
const BATCH_BYTES: usize = 8 << 20;
/// Parts in which a table is compared to find where it differs.
const PARTS: u128 = 4096;

const SET_META: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) \
     ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// How much is copied in one go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Rows of one statement and one transaction.
    pub rows: usize,
    /// Transactions after which the copy stops; none for as many as it takes.
    pub batches: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 2000, batches: None }
    }
}

/// What a copy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Rows come in.
    Copying,
    /// Rows are read back.
    Comparing,
}

/// A word of the copy while it runs.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What it does.
    pub doing: Doing,
    /// Which table.
    pub table: &'a str,
    /// Rows that this step brought it forward; 0 at the beginning of a table.
    pub rows: u64,
    /// Rows of all tables, known from the first step on.
    pub of: u64,
}

/// A table, compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub table: String,
    /// Rows that were to be copied.
    pub there: u64,
    /// Rows of the copy.
    pub here: u64,
    /// The key of a row that differs; none when all are equal.
    pub differs_at: Option<String>,
}

/// How a copy ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its limit was reached; the same again goes on.
    Stopped,
    /// All is there.
    Done {
        /// Every table.
        tables: Vec<Compared>,
        /// It was done before, and was only compared.
        was_done: bool,
    },
}

/// Why a database cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Somebody writes into what is to be copied.
    #[error("the database to copy from is in use")]
    InUse,
    /// The target has rows of its own.
    #[error("the database to copy to is not empty: table {0} has rows")]
    NotEmpty(String),
    /// The target is the copy of another database.
    #[error("the database to copy to is a copy of another database")]
    OtherSource,
    /// The two have different tables.
    #[error("the two databases have different tables")]
    Shape,
    /// A value that cannot be copied.
    #[error("table {table}, row {key}: {reason}")]
    Row {
        /// The table.
        table: String,
        /// The row's primary key.
        key: String,
        /// What is wrong, without the value.
        reason: String,
    },
    /// The target takes some of these rows not.
    #[error("table {table}, rows {first} to {last} are refused")]
    Refused {
        /// The table.
        table: String,
        /// Key of the first.
        first: String,
        /// Key of the last.
        last: String,
        /// Why.
        source: Box<StoreError>,
    },
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Rows, and the sum of what is in them, whatever their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    total: u128,
}

impl Sum {
    const fn add(&mut self, hash: u128) {
        self.rows += 1;
        self.total = self.total.wrapping_add(hash);
    }
}

/// A row, read.
struct Line {
    key: Vec<Value>,
    values: Map<String, Value>,
    bytes: usize,
    hash: u128,
}

/// Copies all rows of `from` that `to` does not have yet and compares the two.
///
/// # Errors
/// [`CopyError`]; what is committed by then stays, and the same again goes on behind it.
pub async fn copy(
    from: &Db,
    to: &Db,
    now: Timestamp,
    limits: Limits,
    tell: &mut (dyn FnMut(Step<'_>) + Send),
) -> Result<Outcome, CopyError> {
    let mut held = hold(from, now).await?;
    let tables = list_tables(from, &mut held).await?;
    keep_still(from, &mut held, &tables).await.map_err(in_use)?;
    if list_tables(to, &mut *to.reading().await?).await? != tables {
        return Err(CopyError::Shape);
    }
    let was_done = prepare(&mut held, to, &tables).await?;
    let mut of = 0;
    for table in &tables {
        of += count(&mut held, table).await?;
    }
    let mut run = Run { held, to, limits, tell, of, known: HashMap::new() };
    if !was_done {
        for table in &tables {
            if !run.copy_table(table).await? {
                return Ok(Outcome::Stopped);
            }
        }
        count_anew(to).await?;
    }
    let mut compared = Vec::with_capacity(tables.len());
    for table in &tables {
        compared.push(run.compare(table).await?);
    }
    if !was_done && compared.iter().all(|table| table.differs_at.is_none()) {
        finish(to).await?;
    }
    Ok(Outcome::Done { tables: compared, was_done })
}

/// Keeps others from writing into the source. A process that sends shows by its leases, even when
/// it is not writing just now.
async fn hold(from: &Db, now: Timestamp) -> Result<Tx, CopyError> {
    let mut held = from.begin().await.map_err(in_use)?;
    let (alive,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM account WHERE lease_until > $1")
        .bind(now.as_ms())
        .fetch_one(&mut *held)
        .await?;
    if alive > 0 { Err(CopyError::InUse) } else { Ok(held) }
}

fn in_use(error: StoreError) -> CopyError {
    match error {
        StoreError::Unavailable(sqlx::Error::Database(_)) => CopyError::InUse,
        other => other.into(),
    }
}

/// Whether the target is a finished copy of this source. An empty one is marked as a copy begun.
async fn prepare(held: &mut Conn, to: &Db, tables: &[Table]) -> Result<bool, CopyError> {
    // Sealed with a nonce of its own at first start: no other database has the same.
    let (identity,): (String,) =
        sqlx::query_as("SELECT value FROM meta WHERE name = 'key_check'").fetch_one(held).await?;
    let mut tx = to.begin().await?;
    let marks: Vec<(String, String)> =
        sqlx::query_as("SELECT name, value FROM meta WHERE name IN ('copy_of', 'copy_done')")
            .fetch_all(&mut *tx)
            .await?;
    let marks: BTreeMap<String, String> = marks.into_iter().collect();
    if let Some(of) = marks.get("copy_of") {
        let is_ours = *of == identity;
        return if is_ours {
            Ok(marks.contains_key("copy_done"))
        } else {
            Err(CopyError::OtherSource)
        };
    }
    for table in tables.iter().filter(|table| table.name != "meta") {
        if count(&mut tx, table).await? > 0 {
            return Err(CopyError::NotEmpty(table.name.clone()));
        }
    }
    sqlx::query(SET_META).bind("copy_of").bind(identity).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(false)
}

async fn finish(to: &Db) -> Result<(), StoreError> {
    let mut tx = to.begin().await?;
    sqlx::query("DELETE FROM meta WHERE substr(name, 1, 8) = 'copy_at_'").execute(&mut *tx).await?;
    sqlx::query(SET_META).bind("copy_done").bind("yes").execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// One copy under way.
struct Run<'a> {
    held: Tx,
    to: &'a Db,
    limits: Limits,
    tell: &'a mut (dyn FnMut(Step<'_>) + Send),
    of: u64,
    /// Sums of tables that were read whole while they were copied, with the source kept still.
    known: HashMap<String, Sum>,
}

impl Run<'_> {
    fn say(&mut self, doing: Doing, table: &Table, rows: u64) {
        (self.tell)(Step { doing, table: &table.name, rows, of: self.of });
    }

    /// Brings what is missing of a table; `false` when the limit stopped it.
    async fn copy_table(&mut self, table: &Table) -> Result<bool, CopyError> {
        self.say(Doing::Copying, table, 0);
        let mark = format!("copy_at_{}", table.name);
        let place: Option<(String,)> = sqlx::query_as("SELECT value FROM meta WHERE name = $1")
            .bind(mark.clone())
            .fetch_optional(self.to.writer())
            .await?;
        let mut after: Option<Vec<Value>> =
            place.and_then(|(key,)| serde_json::from_str(&key).ok());
        let is_whole = after.is_none();
        if !is_whole {
            let there = count(&mut *self.to.reading().await?, table).await?;
            self.say(Doing::Copying, table, there);
        }
        let mut sum = Sum::default();
        loop {
            let lines = self.read(table, after.as_deref()).await?;
            let Some(last) = lines.last() else { break };
            if self.limits.batches.is_some_and(|left| left == 0) {
                return Ok(false);
            }
            let last = last.key.clone();
            for line in &lines {
                sum.add(line.hash);
            }
            let rows = lines.len() as u64;
            self.write(table, lines, &mark, &last).await?;
            self.limits.batches = self.limits.batches.map(|left| left - 1);
            self.say(Doing::Copying, table, rows);
            after = Some(last);
        }
        if is_whole {
            self.known.insert(table.name.clone(), sum);
        }
        Ok(true)
    }

    /// The next rows behind a key.
    async fn read(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
    ) -> Result<Vec<Line>, CopyError> {
        let text = following(table, after.is_some(), &list(table.columns.iter().map(|c| &c.name)));
        let mut query = sqlx::query(sql(text));
        for value in after.unwrap_or_default() {
            query = match value {
                Value::Number(number) => query.bind(number.as_i64()),
                other => query.bind(other.as_str().map(str::to_owned)),
            };
        }
        query = query.bind(i64::try_from(self.limits.rows).unwrap_or(i64::MAX));
        let mut lines: Vec<Line> = Vec::new();
        let mut bytes = 0;
        let mut rows = query.fetch(&mut *self.held);
        let failed = loop {
            match rows.try_next().await {
                Ok(Some(row)) => {
                    let line = line(table, &row)?;
                    bytes += line.bytes;
                    lines.push(line);
                    if bytes >= BATCH_BYTES {
                        break None;
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        drop(rows);
        match failed {
            None => Ok(lines),
            // What came before it is brought first; then it stands at the beginning.
            Some(_) if !lines.is_empty() => Ok(lines),
            Some(error @ (sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. })) => {
                drop(error);
                Err(self.unreadable(table, after).await?)
            }
            Some(error) => Err(error.into()),
        }
    }

    /// Names the row behind that key, which holds text that is none.
    async fn unreadable(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
    ) -> Result<CopyError, CopyError> {
        let keys = table.key.iter().map(|at| &table.columns[*at].name);
        let text = following(table, after.is_some(), &list(keys));
        let mut query = sqlx::query(sql(text));
        for value in after.unwrap_or_default() {
            query = match value {
                Value::Number(number) => query.bind(number.as_i64()),
                other => query.bind(other.as_str().map(str::to_owned)),
            };
        }
        let row = query.bind(1_i64).fetch_optional(&mut *self.held).await.ok().flatten();
        let key: Vec<String> = row.map_or_else(Vec::new, |row| {
            let one = |at: usize| {
                row.try_get::<String, _>(at)
                    .or_else(|_| row.try_get::<i64, _>(at).map(|n| n.to_string()))
            };
            (0..table.key.len()).map(|at| one(at).unwrap_or_else(|_| "?".to_owned())).collect()
        });
        Ok(CopyError::Row {
            table: table.name.clone(),
            key: key.join("/"),
            reason: "a text is not UTF-8".to_owned(),
        })
    }

    /// Rows and the place behind them, in one transaction.
    async fn write(
        &self,
        table: &Table,
        lines: Vec<Line>,
        mark: &str,
        last: &[Value],
    ) -> Result<(), CopyError> {
        let first = lines.first().map_or_else(String::new, |line| shown(&line.key));
        let columns: Vec<Column<'_>> = table
            .columns
            .iter()
            .map(|c| if c.is_int { Column::Int(&c.name) } else { Column::Text(&c.name) })
            .collect();
        let rows = self.to.rows(1, "r", &columns);
        let names = list(table.columns.iter().map(|c| &c.name));
        // A fresh target has made its own proof of the keys.
        let conflict = if table.name == "meta" {
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        } else {
            ""
        };
        let text = format!(
            "INSERT INTO \"{}\" ({names}) SELECT {names} FROM {rows} WHERE TRUE{conflict}",
            table.name
        );
        let json = Value::Array(lines.into_iter().map(|line| Value::Object(line.values)).collect());
        let mut tx = self.to.begin().await?;
        sqlx::query(sql(text)).bind(json.to_string()).execute(&mut *tx).await.map_err(|error| {
            CopyError::Refused {
                table: table.name.clone(),
                first,
                last: shown(last),
                source: Box::new(error.into()),
            }
        })?;
        let place = Value::Array(last.to_vec()).to_string();
        sqlx::query(SET_META).bind(mark.to_owned()).bind(place).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn compare(&mut self, table: &Table) -> Result<Compared, CopyError> {
        self.say(Doing::Comparing, table, 0);
        let mut here = Sum::default();
        each(&mut *self.to.reading().await?, table, |line| here.add(line.hash)).await?;
        let there = if let Some(sum) = self.known.get(&table.name) {
            *sum
        } else {
            // Copied in part by an earlier run: since then the source may have changed.
            let mut sum = Sum::default();
            each(&mut self.held, table, |line| sum.add(line.hash)).await?;
            sum
        };
        self.say(Doing::Comparing, table, here.rows);
        // Rows with an empty key, which SQLite takes, are found by counting only.
        let counted = count(&mut self.held, table).await?;
        let differs_at = if there == here && counted == here.rows {
            None
        } else {
            Some(self.difference(table).await?)
        };
        Ok(Compared { table: table.name.clone(), there: counted, here: here.rows, differs_at })
    }

    /// The key of one row that differs. Two passes, so that no table need fit into memory.
    async fn difference(&mut self, table: &Table) -> Result<String, CopyError> {
        let mut parts: HashMap<u128, u128> = HashMap::new();
        each(&mut self.held, table, |line| {
            let sum = parts.entry(part(&line.key)).or_default();
            *sum = sum.wrapping_add(line.hash);
        })
        .await?;
        let mut copy = self.to.reading().await?;
        each(&mut copy, table, |line| {
            let sum = parts.entry(part(&line.key)).or_default();
            *sum = sum.wrapping_sub(line.hash);
        })
        .await?;
        let Some(odd) = parts.into_iter().find(|(_, sum)| *sum != 0).map(|(part, _)| part) else {
            return Ok("the row has no key".to_owned());
        };
        let mut rows: BTreeMap<String, u128> = BTreeMap::new();
        let is_odd = |line: &Line| part(&line.key) == odd;
        each(&mut self.held, table, |line| {
            if is_odd(&line) {
                rows.insert(shown(&line.key), line.hash);
            }
        })
        .await?;
        each(&mut copy, table, |line| {
            if is_odd(&line) {
                let sum = rows.entry(shown(&line.key)).or_default();
                *sum = sum.wrapping_sub(line.hash);
            }
        })
        .await?;
        let odd = rows.into_iter().find(|(_, sum)| *sum != 0);
        Ok(odd.map_or_else(|| "unknown".to_owned(), |(key, _)| key))
    }
}

/// The statement for rows in the order of their key, with its parameters: a key, where they begin
/// behind one, and how many.
fn following(table: &Table, is_behind: bool, columns: &str) -> String {
    let key = list(table.key.iter().map(|at| &table.columns[*at].name));
    let n = if is_behind { table.key.len() } else { 0 };
    let holes: Vec<String> = (1..=n).map(|n| format!("${n}")).collect();
    let behind =
        if is_behind { format!("({key}) > ({})", holes.join(", ")) } else { "1 = 1".to_owned() };
    format!(
        "SELECT {columns} FROM \"{}\" WHERE {} AND {behind} ORDER BY {key} LIMIT ${}",
        table.name,
        belongs(table),
        n + 1
    )
}

/// What a copy notes of itself is no part of it.
fn belongs(table: &Table) -> &'static str {
    if table.name == "meta" { "substr(name, 1, 5) <> 'copy_'" } else { "1 = 1" }
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

async fn count(conn: &mut Conn, table: &Table) -> Result<u64, StoreError> {
    let text = format!("SELECT COUNT(*) FROM \"{}\" WHERE {}", table.name, belongs(table));
    let (rows,): (i64,) = sqlx::query_as(sql(text)).fetch_one(conn).await?;
    Ok(rows.unsigned_abs())
}

/// Every row, in no order.
async fn each(
    conn: &mut Conn,
    table: &Table,
    mut look: impl FnMut(Line) + Send,
) -> Result<(), CopyError> {
    let names = list(table.columns.iter().map(|c| &c.name));
    let text = format!("SELECT {names} FROM \"{}\" WHERE {}", table.name, belongs(table));
    let mut rows = sqlx::query(sql(text)).fetch(conn);
    while let Some(row) = rows.try_next().await? {
        look(line(table, &row)?);
    }
    Ok(())
}

/// Reads a row and hashes it: NULL, an empty text and every number are told apart.
fn line(table: &Table, row: &AnyRow) -> Result<Line, CopyError> {
    let mut values = Vec::with_capacity(table.columns.len());
    let mut wrong = None;
    for (at, column) in table.columns.iter().enumerate() {
        let value = if column.is_int {
            row.try_get::<Option<i64>, _>(at)
                .map(|number| number.map_or(Value::Null, Value::from))
                .map_err(|_| "is not a whole number")
        } else {
            match row.try_get::<Option<String>, _>(at) {
                Ok(Some(text)) if text.contains('\0') => Err("contains a NUL character"),
                Ok(text) => Ok(text.map_or(Value::Null, Value::from)),
                Err(_) => Err("is not a text"),
            }
        };
        values.push(value.unwrap_or_else(|why| {
            wrong = Some(format!("{} {why}", column.name));
            Value::Null
        }));
    }
    let key: Vec<Value> = table.key.iter().map(|at| values[*at].clone()).collect();
    if let Some(reason) = wrong {
        return Err(CopyError::Row { table: table.name.clone(), key: shown(&key), reason });
    }
    let mut hash = Sha256::new();
    let mut bytes = 0;
    for value in &values {
        match value {
            Value::String(text) => {
                hash.update([2]);
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
                bytes += text.len();
            }
            Value::Number(number) => {
                hash.update([1]);
                hash.update(number.as_i64().unwrap_or_default().to_le_bytes());
            }
            _ => hash.update([0]),
        }
    }
    let names = table.columns.iter().map(|column| column.name.clone());
    let hash = start(&hash.finalize());
    Ok(Line { key, values: names.zip(values).collect(), bytes, hash })
}

/// The first 128 bits of a hash.
fn start(hash: &[u8]) -> u128 {
    hash.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

fn part(key: &[Value]) -> u128 {
    start(&Sha256::digest(shown(key))) % PARTS
}

/// A key as it is told: ids, codes and hashes, never a citizen's data.
fn shown(key: &[Value]) -> String {
    let parts = key.iter().map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    parts.collect::<Vec<_>>().join("/")
}
