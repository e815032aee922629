//! Table `outage_appointment`: whose appointment an outage concerns, and what they heard of it.

use sqlx::AnyConnection;

use super::StoreError;
use super::row::parse;
use crate::domain::clock::Timestamp;
use crate::domain::id::{AppointmentId, OutageId, ServiceSessionId};

const TABLE: &str = "outage_appointment";

/// Notes that an appointment was looked at for an outage: its holder heard of it now, or need not.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn insert_outage_told(
    conn: &mut AnyConnection,
    (outage, id): (OutageId, AppointmentId),
    has_heard: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO outage_appointment (outage_id, appointment_id, told_at, over_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (outage_id, appointment_id) DO NOTHING",
    )
    .bind(outage.to_string())
    .bind(id.to_string())
    .bind(has_heard.then(|| now.as_ms()))
    .bind((!has_heard).then(|| now.as_ms()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Who heard on account of an appointment of an outage that is over, and not yet that it is.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_outage_over(
    conn: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<(OutageId, AppointmentId)>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT o.outage_id, o.appointment_id FROM outage_appointment o JOIN outage g ON g.id = o.outage_id \
         WHERE o.over_at IS NULL AND g.lifted_at IS NOT NULL ORDER BY o.outage_id, o.appointment_id LIMIT $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|(outage, id)| {
            let outage = parse(TABLE, "outage_id", id, outage)?;
            Ok((outage, parse(TABLE, "appointment_id", id, id)?))
        })
        .collect()
}

/// They heard that it is over, or need not any more.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn set_outage_over(
    conn: &mut AnyConnection,
    (outage, id): (OutageId, AppointmentId),
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE outage_appointment SET over_at = $3 WHERE outage_id = $1 AND appointment_id = $2",
    )
    .bind(outage.to_string())
    .bind(id.to_string())
    .bind(now.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// Why somebody need not come whose session is held: the office called them off alone, or an outage kept them away.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn find_off_reason(
    conn: &mut AnyConnection,
    id: AppointmentId,
) -> Result<Option<String>, StoreError> {
    let found: Option<Option<String>> = sqlx::query_scalar(
        "SELECT COALESCE(a.off_because, (SELECT g.reason FROM outage_appointment o JOIN outage g ON g.id = o.outage_id \
         WHERE o.appointment_id = a.id AND o.told_at IS NOT NULL ORDER BY g.id DESC LIMIT 1)) \
         FROM appointment a WHERE a.id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(found.flatten())
}

/// Those of a session who were told by an outage that they need not come.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_kept_away(
    conn: &mut AnyConnection,
    session: ServiceSessionId,
) -> Result<Vec<AppointmentId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT a.id FROM appointment a JOIN outage_appointment o ON o.appointment_id = a.id \
         JOIN service_session s ON s.id = a.session_id WHERE a.session_id = $1 \
         AND o.told_at IS NOT NULL AND (o.over_at IS NULL OR o.over_at >= s.begins_at)",
    )
    .bind(session.to_string())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(id,)| parse("appointment", "id", id, id)).collect()
}
