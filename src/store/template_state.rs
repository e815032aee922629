//! Table `template_state`: what a provider last said of the templates that are registered there.

use sqlx::{AnyConnection, Row as _};

use super::row::parse_opt;
use super::{Db, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::template_state::{TemplateNews, TemplateState};

/// A template as the provider has it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Which of our accounts was told.
    pub account: String,
    /// All that was said of it so far.
    pub news: TemplateNews,
    /// When something was said last.
    pub changed_at: Timestamp,
}

/// Keeps what a provider says. A new state brings its own reason; what is not said stays as it was.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn upsert_news(
    conn: &mut AnyConnection,
    account: &str,
    news: &TemplateNews,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO template_state (account, name, language, state, reason, detail, category, quality, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account, name, language) DO UPDATE SET \
         state = COALESCE(excluded.state, template_state.state), \
         reason = CASE WHEN excluded.state IS NULL THEN template_state.reason ELSE excluded.reason END, \
         detail = CASE WHEN excluded.state IS NULL THEN template_state.detail ELSE excluded.detail END, \
         category = COALESCE(excluded.category, template_state.category), \
         quality = COALESCE(excluded.quality, template_state.quality), changed_at = excluded.changed_at \
         WHERE template_state.changed_at <= excluded.changed_at",
    )
    .bind(account.to_owned())
    .bind(news.name.clone())
    .bind(news.language.clone())
    .bind(news.state.map(TemplateState::as_str))
    .bind(news.reason.clone())
    .bind(news.detail.clone())
    .bind(news.category.clone())
    .bind(news.quality.clone())
    .bind(at.as_ms())
    .execute(conn)
    .await?;
    Ok(())
}

/// All that is known; an office has some dozens of templates.
///
/// # Errors
/// As every statement: [`StoreError`].
pub async fn list_known(db: &Db) -> Result<Vec<Known>, StoreError> {
    let rows = sqlx::query(
        "SELECT account, name, language, state, reason, detail, category, quality, changed_at \
         FROM template_state ORDER BY name, language, account LIMIT 2000",
    )
    .fetch_all(db.reader())
    .await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(1)?;
            let state: Option<String> = row.try_get(3)?;
            Ok(Known {
                account: row.try_get(0)?,
                news: TemplateNews {
                    language: row.try_get(2)?,
                    state: parse_opt("template_state", "state", &name, state.as_deref())?,
                    reason: row.try_get(4)?,
                    detail: row.try_get(5)?,
                    category: row.try_get(6)?,
                    quality: row.try_get(7)?,
                    happened_at: None,
                    name,
                },
                changed_at: Timestamp::from_ms(row.try_get(8)?),
            })
        })
        .collect()
}
