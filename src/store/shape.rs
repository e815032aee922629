//! Which tables, columns, keys and foreign keys a database has, as it says itself.
//!
//! Read from the database, never from a list of ours: a list would forget the next table. Tables of
//! the engine and of the migrations are no part of it.

use std::collections::{BTreeMap, BTreeSet};

use super::db::{Conn, Db, Engine};
use super::{StoreError, db};

const SQLITE_COLUMNS: &str = "SELECT m.name AS owner, p.name AS part, UPPER(p.type) AS kind, p.pk AS place \
     FROM sqlite_schema m, pragma_table_info(m.name) p \
     WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' AND m.name <> '_sqlx_migrations'";
const SQLITE_PARENTS: &str = "SELECT m.name AS owner, f.\"table\" AS parent \
     FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
const POSTGRES_COLUMNS: &str = "SELECT CAST(c.relname AS TEXT) AS owner, CAST(a.attname AS TEXT) AS part, \
     UPPER(CAST(CAST(a.atttypid AS regtype) AS TEXT)) AS kind, \
     CAST(COALESCE(array_position(CAST(i.indkey AS int2[]), a.attnum) + 1, 0) AS BIGINT) AS place \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
     WHERE c.relkind = 'r' AND n.nspname = current_schema() AND c.relname <> '_sqlx_migrations'";
const POSTGRES_PARENTS: &str = "SELECT CAST(c.relname AS TEXT) AS owner, CAST(p.relname AS TEXT) AS parent \
     FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE f.contype = 'f' AND n.nspname = current_schema()";

/// A table, its columns by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    /// Its columns, in the order of their names: engines keep added ones in orders of their own.
    pub(super) columns: Vec<Field>,
    /// Where in `columns` those of the primary key are, in the order of the key.
    pub(super) key: Vec<usize>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    /// BIGINT; TEXT otherwise.
    pub(super) is_int: bool,
}

/// All tables, each behind those that its rows refer to.
///
/// # Errors
/// [`StoreError::Unusable`] for a table without a primary key, a column that is neither TEXT nor
/// BIGINT, and tables that refer to each other in a circle; and as every statement.
pub(super) async fn list_tables(db: &Db, conn: &mut Conn) -> Result<Vec<Table>, StoreError> {
    let (columns, parents) = match db.engine() {
        Engine::Sqlite => (SQLITE_COLUMNS, SQLITE_PARENTS),
        Engine::Postgres => (POSTGRES_COLUMNS, POSTGRES_PARENTS),
    };
    let rows: Vec<(String, String, String, i64)> =
        sqlx::query_as(columns).fetch_all(&mut *conn).await?;
    let links: Vec<(String, String)> = sqlx::query_as(parents).fetch_all(conn).await?;
    let mut found: BTreeMap<String, Vec<(String, String, i64)>> = BTreeMap::new();
    for (table, column, kind, place) in rows {
        found.entry(table).or_default().push((column, kind, place));
    }
    let tables = found.into_iter().map(|(name, parts)| table(name, parts));
    in_order(tables.collect::<Result<_, _>>()?, &links)
}

fn table(name: String, mut parts: Vec<(String, String, i64)>) -> Result<Table, StoreError> {
    parts.sort();
    let mut key: Vec<(i64, usize)> = parts
        .iter()
        .enumerate()
        .filter(|(_, (_, _, place))| *place > 0)
        .map(|(at, (_, _, place))| (*place, at))
        .collect();
    key.sort_unstable();
    if key.is_empty() {
        return Err(StoreError::Unusable(format!("table {name} has no primary key")));
    }
    let columns = parts
        .into_iter()
        .map(|(column, kind, _)| match kind.as_str() {
            "TEXT" | "BIGINT" => Ok(Field { name: column, is_int: kind == "BIGINT" }),
            _ => Err(StoreError::Unusable(format!("{name}.{column} is neither TEXT nor BIGINT"))),
        })
        .collect::<Result<_, _>>()?;
    Ok(Table { name, columns, key: key.into_iter().map(|(_, at)| at).collect() })
}

fn in_order(mut waiting: Vec<Table>, links: &[(String, String)]) -> Result<Vec<Table>, StoreError> {
    let mut placed = BTreeSet::new();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |table: &Table| {
            let mut parents = links.iter().filter(|(owner, _)| *owner == table.name);
            parents.all(|(owner, parent)| owner == parent || placed.contains(parent))
        };
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
        if ready.is_empty() {
            return Err(StoreError::Unusable("tables refer to each other in a circle".to_owned()));
        }
        placed.extend(ready.iter().map(|table| table.name.clone()));
        ordered.extend(ready);
        waiting = rest;
    }
    Ok(ordered)
}

/// Keeps every other process from writing into these tables until the transaction ends, and lets
/// what is read in it stay as it is. Opened by [`Db::begin`], on SQLite it does so already.
///
/// # Errors
/// [`StoreError::Unavailable`] when somebody is writing just now.
pub(super) async fn keep_still(
    db: &Db,
    conn: &mut Conn,
    tables: &[Table],
) -> Result<(), StoreError> {
    if db.engine() == Engine::Sqlite {
        return Ok(());
    }
    let names: Vec<String> = tables.iter().map(|table| format!("\"{}\"", table.name)).collect();
    let text = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE NOWAIT", names.join(", "));
    sqlx::query(db::sql(text)).execute(conn).await.map_err(|error| match &error {
        // lock_not_available
        sqlx::Error::Database(inner) if inner.code().as_deref() == Some("55P03") => {
            StoreError::Unavailable(error)
        }
        _ => error.into(),
    })?;
    Ok(())
}

/// Lets the planner see at once what has come in; SQLite's plans do without.
///
/// # Errors
/// As every statement: [`StoreError`].
pub(super) async fn count_anew(db: &Db) -> Result<(), StoreError> {
    if db.engine() == Engine::Postgres {
        sqlx::query("ANALYZE").execute(db.writer()).await?;
    }
    Ok(())
}
