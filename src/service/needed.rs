//! Facts that only some answers need, fetched when a step of the conversation turns out to need them.

use super::{App, ServiceError, point, survey};
use crate::dialogue::{Input, KeptFact, Need};
use crate::domain::clock::Timestamp;
use crate::domain::id::ContactId;
use crate::domain::ticket::ComplaintNumber;
use crate::store::{StoreError, Tx, contact, ticket};

/// A day as citizens read it, by the office's clock.
pub(super) fn day_in_words(app: &App, at: Timestamp) -> String {
    let zone = app.zone(None).offset();
    app.templates.vocabulary().day_and_year(at.in_zone(zone).date_naive())
}

/// Adds what an answer turned out to need.
pub(super) async fn add_needed(
    app: &App,
    tx: &mut Tx,
    whose: Option<(ContactId, &[String])>,
    needs: &[Need],
    input: &mut Input,
) -> Result<(), ServiceError> {
    for need in needs {
        match need {
            Need::Number => input.number = Some(free_number(tx).await?.to_string()),
            Need::Queue => {
                input.waiting = Some(ticket::count_waiting(tx).await?);
                input.office_opens = point::office_opens(app, tx, &input.area, input.now).await?;
            }
            Need::Kept => {
                let kept = match whose {
                    Some((contact, hashes)) => contact::find_kept(tx, contact, hashes).await?,
                    None => None,
                };
                let words = |(since, received, sent)| KeptFact {
                    since: day_in_words(app, since),
                    received,
                    sent,
                };
                input.kept = Some(kept.map(words).unwrap_or_default());
            }
            Need::Points => {
                input.points = Some(point::facts(app, tx, &input.area, input.now).await?);
                input.areas = point::areas(app, tx, &input.area).await?;
            }
            Need::Survey => input.survey = Some(survey::list_order(tx).await?),
        }
    }
    Ok(())
}

/// The same for a conversation in a terminal. Changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn add_needed_facts(
    app: &App,
    needs: &[Need],
    input: &mut Input,
) -> Result<(), ServiceError> {
    let mut tx = app.db.begin().await?;
    add_needed(app, &mut tx, None, needs, input).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    Ok(())
}

/// A number no complaint has yet.
async fn free_number(tx: &mut Tx) -> Result<ComplaintNumber, ServiceError> {
    const DRAWS: usize = 8;
    let draw = || getrandom::u64().map_err(|_| ServiceError::Text("no randomness".to_owned()));
    let mut number = ComplaintNumber::from_random(draw()?);
    for _ in 0..DRAWS {
        if !ticket::is_number_taken(tx, &number).await? {
            break;
        }
        number = ComplaintNumber::from_random(draw()?);
    }
    Ok(number)
}
