//! Table `visit`: news that no channel brought, for somebody to tell in person.

use sqlx::{AnyConnection, Row as _};

use super::row::parse;
use super::seal::Place;
use super::{Db, StoreError};
use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{CardId, MessageId, PersonId, VisitId};
use crate::domain::person::PersonName;

/// News about to be put on the list.
#[derive(Clone, Debug)]
pub struct NewVisit<'a> {
    /// Row id.
    pub id: VisitId,
    /// The first message of the news.
    pub message: MessageId,
    /// Whom it concerns.
    pub person: PersonId,
    /// Which card.
    pub card: CardId,
    /// Announcement kind.
    pub template: &'a str,
    /// Why no channel brought it, one word or a provider's code.
    pub reason: &'a str,
    /// Where they live.
    pub area: Option<&'a AreaCode>,
}

/// Puts news on the list; what stands there already stays as it is, but for what seemed to have
/// arrived.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_visit(
    conn: &mut AnyConnection,
    new: &NewVisit<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO visit (id, message_id, person_id, card_id, template, reason, area, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (message_id) DO UPDATE SET closed_at = NULL, \
         outcome = NULL, reason = excluded.reason WHERE visit.outcome = 'reached'",
    )
    .bind(new.id.to_string())
    .bind(new.message.to_string())
    .bind(new.person.to_string())
    .bind(new.card.to_string())
    .bind(new.template.to_owned())
    .bind(new.reason.to_owned())
    .bind(new.area.map(ToString::to_string))
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes older news of a card off the list, because something newer is known.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn close_superseded(
    conn: &mut AnyConnection,
    card: CardId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE visit SET closed_at = $2, outcome = 'superseded' \
         WHERE card_id = $1 AND closed_at IS NULL",
    )
    .bind(card.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes news off the list that arrived after all.
pub(super) async fn close_reached(
    conn: &mut AnyConnection,
    first_message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE visit SET closed_at = $2, outcome = 'reached' \
         WHERE message_id = $1 AND closed_at IS NULL",
    )
    .bind(first_message.to_owned())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that somebody told it in person; what still waits of it is withdrawn. `false` when it does
/// not stand on the list (any more).
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn mark_told(db: &Db, id: VisitId, by: &str, now: Timestamp) -> Result<bool, StoreError> {
    let mut tx = db.begin().await?;
    let told: Option<(String,)> = sqlx::query_as(
        "UPDATE visit SET closed_at = $3, outcome = 'told', closed_by = $2 \
         WHERE id = $1 AND closed_at IS NULL RETURNING message_id",
    )
    .bind(id.to_string())
    .bind(by.to_owned())
    .bind(now.as_ms())
    .fetch_optional(&mut *tx)
    .await?;
    if let Some((message,)) = &told {
        super::follow::withdraw_chain(&mut tx, db, message, "told", now).await?;
    }
    tx.commit().await?;
    Ok(told.is_some())
}

/// Where somebody lives who is to be told; nothing where that is not known.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_area(db: &Db, id: VisitId) -> Result<Option<AreaCode>, StoreError> {
    let id = id.to_string();
    let area: Option<Option<String>> = sqlx::query_scalar("SELECT area FROM visit WHERE id = $1")
        .bind(id.clone())
        .fetch_optional(db.reader())
        .await?;
    super::row::parse_opt("visit", "area", &id, area.flatten().as_deref())
}

/// News to be told in person.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Row id, the cursor.
    pub id: VisitId,
    /// The first message of the news.
    pub message: MessageId,
    /// Announcement kind.
    pub template: String,
    /// Why no channel brought it.
    pub reason: String,
    /// Since when it stands here.
    pub created_at: Timestamp,
    /// The person's name.
    pub name: Option<PersonName>,
    /// Where they live.
    pub area: Option<AreaCode>,
    /// What that area is called, if its name was imported.
    pub area_name: Option<String>,
    /// RT.
    pub rt: Option<String>,
    /// RW.
    pub rw: Option<String>,
    /// What there is to tell.
    pub words: Option<String>,
}

/// What stands on the list in an area (all of it for none), after a cursor.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_open(
    db: &Db,
    area: Option<&AreaCode>,
    after: Option<VisitId>,
    limit: i64,
) -> Result<Vec<Visit>, StoreError> {
    let rows = sqlx::query(
        "SELECT v.id, v.message_id, v.template, v.reason, v.created_at, p.id, p.name_sealed, p.area, \
         p.rt_sealed, p.rw_sealed, m.content_sealed, a.name FROM visit v \
         JOIN person p ON p.id = v.person_id LEFT JOIN message m ON m.id = v.message_id \
         LEFT JOIN area a ON a.code = p.area \
         WHERE v.closed_at IS NULL AND v.id > $1 AND ($2 = '' OR v.area = $2 OR v.area LIKE $2 || '.%') \
         ORDER BY v.id LIMIT $3",
    )
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(area.map(ToString::to_string).unwrap_or_default())
    .bind(limit)
    .fetch_all(db.reader())
    .await?;
    rows.iter().map(|row| read(db, row)).collect()
}

fn read(db: &Db, row: &sqlx::any::AnyRow) -> Result<Visit, StoreError> {
    let id: String = row.try_get(0)?;
    let message: String = row.try_get(1)?;
    let person: String = row.try_get(5)?;
    let open = |column, index: usize| -> Result<Option<String>, StoreError> {
        let sealed: Option<String> = row.try_get(index)?;
        let place = Place { table: "person", column };
        sealed.map(|sealed| db.sealer.open(place, &person, &sealed)).transpose()
    };
    let content: Option<String> = row.try_get(10)?;
    let content = content
        .map(|sealed| {
            let place = Place { table: "message", column: "content_sealed" };
            db.sealer.open(place, &message, &sealed)
        })
        .transpose()?;
    let area: Option<String> = row.try_get(7)?;
    Ok(Visit {
        message: parse("visit", "message_id", &id, &message)?,
        template: row.try_get(2)?,
        reason: row.try_get(3)?,
        created_at: Timestamp::from_ms(row.try_get(4)?),
        name: open("name_sealed", 6)?.as_deref().and_then(PersonName::parse),
        area: super::row::parse_opt("person", "area", &person, area.as_deref())?,
        area_name: row.try_get(11)?,
        rt: open("rt_sealed", 8)?,
        rw: open("rw_sealed", 9)?,
        words: content
            .and_then(|json| super::content::parse_content(&json))
            .map(|content| content.text.expose().to_owned()),
        id: parse("visit", "id", &id, &id)?,
    })
}
