//! Table `audit`: who did and saw what. Lines are added and read, never changed or deleted.

use std::fmt::Write as _;

use sqlx::{AnyConnection, Row as _};

use super::db::sql;
use super::row::{area_range, parse};
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::id::AuditId;
use crate::domain::officer::{Actor, OfficerRole};

/// A line of the log.
#[derive(Clone, Debug)]
pub struct Line {
    /// Row id, the cursor.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// `off_…`, `tok_…` or `cli`.
    pub who: String,
    /// Role of who did it.
    pub role: OfficerRole,
    /// What.
    pub action: Action,
    /// To what.
    pub object: String,
    /// What changed.
    pub detail: Option<String>,
}

/// Adds a line. `object` is an id and `detail` words without citizens' data.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_line(
    tx: &mut AnyConnection,
    id: AuditId,
    actor: &Actor,
    action: Action,
    object: &str,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (id, at, who, role, area, action, object, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.to_string())
    .bind(now.as_ms())
    .bind(actor.id.clone())
    .bind(actor.role.as_str())
    .bind(actor.area.plain().to_owned())
    .bind(action.as_str())
    .bind(object.to_owned())
    .bind(detail.map(str::to_owned))
    .execute(tx)
    .await?;
    Ok(())
}

/// Which lines are asked for; every part that is given must fit.
#[derive(Clone, Debug, Default)]
pub struct LineFilter {
    /// Of those who worked in that area; of everybody without one.
    pub within: Option<AreaCode>,
    /// Of that officer or token.
    pub who: Option<String>,
    /// About that.
    pub object: Option<String>,
    /// Older than that one: the cursor of the page before.
    pub before: Option<AuditId>,
}

/// The newest lines before a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_lines(db: &Db, filter: &LineFilter, limit: i64) -> Result<Vec<Line>, StoreError> {
    let mut statement =
        "SELECT id, at, who, role, action, object, detail FROM audit WHERE id < $1".to_owned();
    let mut values = vec![filter.before.map_or_else(|| "aud_Z".to_owned(), |id| id.to_string())];
    if let Some(area) = &filter.within {
        values.extend(area_range(area));
        statement.push_str(" AND area >= $2 AND area < $3");
    }
    for (column, value) in [("who", &filter.who), ("object", &filter.object)] {
        if let Some(value) = value {
            values.push(value.clone());
            let _ = write!(statement, " AND {column} = ${}", values.len());
        }
    }
    let _ = write!(statement, " ORDER BY id DESC LIMIT ${}", values.len() + 1);
    let mut query = sqlx::query(sql(statement));
    for value in values {
        query = query.bind(value);
    }
    let rows = query.bind(limit).fetch_all(db.reader()).await?;
    rows.iter().map(read).collect()
}

fn read(row: &sqlx::any::AnyRow) -> Result<Line, StoreError> {
    let id: String = row.try_get("id")?;
    let word = |column: &'static str| row.try_get::<String, _>(column);
    Ok(Line {
        at: Timestamp::from_ms(row.try_get("at")?),
        who: row.try_get("who")?,
        role: parse("audit", "role", &id, &word("role")?)?,
        action: parse("audit", "action", &id, &word("action")?)?,
        id: parse("audit", "id", &id, &id)?,
        object: row.try_get("object")?,
        detail: row.try_get("detail")?,
    })
}

/// The newest lines about one object.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_of_object(db: &Db, object: &str, limit: i64) -> Result<Vec<Line>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, at, who, role, action, object, detail FROM audit WHERE object = $1 \
         ORDER BY id DESC LIMIT $2",
    )
    .bind(object.to_owned())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// Whether somebody did that to an object since then.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn has_line(
    db: &Db,
    who: &str,
    (action, object): (Action, &str),
    since: Timestamp,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT at FROM audit WHERE object = $1 AND who = $2 AND action = $3 AND at > $4 \
         ORDER BY id DESC LIMIT 1",
    )
    .bind(object.to_owned())
    .bind(who.to_owned())
    .bind(action.as_str())
    .bind(since.as_ms())
    .fetch_optional(db.reader())
    .await?;
    Ok(found.is_some())
}

/// How often somebody did something that ended with those words, since then.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn count_of(
    conn: &mut AnyConnection,
    who: &str,
    (action, detail): (Action, &str),
    since: Timestamp,
) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar(
        "SELECT COUNT(*) FROM audit WHERE who = $1 AND action = $2 AND detail = $3 AND at > $4 \
         AND id >= $5",
    )
    .bind(who.to_owned())
    .bind(action.as_str())
    .bind(detail.to_owned())
    .bind(since.as_ms())
    .bind(AuditId::floor(since).to_string())
    .fetch_one(conn)
    .await?;
    Ok(count)
}
