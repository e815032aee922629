//! Questions that were not understood become a list for the office: noted in the conversation they
//! were asked in, then brought together with the same question of others.
//!
//! A question counts for a person once a day. What is asked back counts only if the citizen takes
//! none of the answers offered. Nothing here answers anybody, and the list never grows without end.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Value, json};

use super::by::By;
use super::{App, ServiceError};
use crate::dialogue::{Input, State, Step, Understood, judge};
use crate::domain::area::{AreaCode, Zone};
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ContactId, QuestionGroupId};
use crate::domain::message::MessageText;
use crate::store::question::{
    Question, forget_asked_back, has_due, insert_question, put_off, release_asked_back, take_due,
};
use crate::store::question_group::{
    Asking, GroupState, NewGroup, count_asked, drop_oldest, find_by_stems, insert_group,
    insert_text, list_recent, mark_decided, mark_open, note_asked,
};
use crate::store::question_list::Group;
use crate::store::{StoreError, Tx, taught};
use crate::understand::Gist;

/// Longest part of a question kept, in characters.
const MAX_TEXT: usize = 300;
/// How long an answer may be taken up after it was offered.
const OFFER_LASTS: Duration = Duration::from_secs(24 * 3600);
/// Groups that a new question is compared with, and how long ago they were asked, at most.
const COMPARED: i64 = 300;
const COMPARED_SINCE: Duration = Duration::from_secs(28 * 24 * 3600);
/// Wordings kept of a group beside its first.
const WORDINGS: i64 = 4;
/// Open groups, at most.
const MAX_OPEN: i64 = 10_000;
/// An address that asked so many different questions on a day begins no other: who writes nonsense
/// all day long shall not push out what others asked.
const MAX_A_DAY: i64 = 20;
/// A question that was taught longer ago than every process needs to learn it, and is not understood
/// all the same.
const LEARNT_AFTER: Duration = Duration::from_secs(3600);
/// A question that cannot be read is looked at again after that.
const AGAIN_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Questions put into their groups in one go, at most.
const CHUNK: u64 = 200;

/// Who asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    /// In which conversation.
    pub contact: ContactId,
    /// Hash of the address.
    pub address_hash: &'a str,
    /// Where they live, or the office they write to.
    pub area: Option<&'a AreaCode>,
}

/// Notes what one turn of a conversation says of a question: the one just asked, or the one before.
///
/// # Errors
/// When the database fails.
pub(super) async fn note(
    app: &App,
    tx: &mut Tx,
    (state, input, step): (&State, &Input, &Step),
    asker: &Asker<'_>,
) -> Result<(), ServiceError> {
    let understood = judge(state, input, step);
    // Without an offer nothing can have been asked back.
    if !state.offered.is_empty() {
        match understood {
            Understood::TakenUp => forget_asked_back(tx, asker.contact).await?,
            _ => release_asked_back(tx, asker.contact).await?,
        }
    }
    let now = app.now();
    let due_at = match understood {
        Understood::Yes | Understood::TakenUp => return Ok(()),
        Understood::No => now,
        Understood::AskedBack => now.after(OFFER_LASTS),
    };
    let text: String = input.text.chars().take(MAX_TEXT).collect();
    if Gist::of(app.knowledge.primer().spelling(), &text).is_none() {
        return Ok(());
    }
    let question = Question {
        id: app.ids.next(now),
        contact: asker.contact,
        address_hash: asker.address_hash.to_owned(),
        text: MessageText::new(text),
        near: input.meaning.alternatives.clone(),
        area: asker.area.cloned(),
        asked_at: now,
        due_at,
    };
    insert_question(tx, &app.db, &question).await?;
    Ok(())
}

/// Puts what is due into its groups; returns how many questions that were.
///
/// # Errors
/// When the database fails.
pub(super) async fn step(app: &App) -> Result<u64, ServiceError> {
    let mut count = 0;
    while count < CHUNK && has_due(&app.db, app.now()).await? {
        // One transaction each: two processes that hold several groups could wait for each other.
        let mut tx = app.db.begin().await?;
        let Some((id, question)) = take_due(&mut tx, &app.db, app.now()).await? else { break };
        let grouped = match question {
            Ok(question) => group(app, &mut tx, &question).await,
            Err(error) => Err(error.into()),
        };
        match grouped {
            Ok(()) => tx.commit().await.map_err(StoreError::from)?,
            // One that cannot be read must not hold up those behind it.
            Err(ServiceError::Store(error @ StoreError::Corrupt { .. })) => {
                tx.rollback().await.map_err(StoreError::from)?;
                tracing::error!(question = %id, "cannot find a question's group: {error}");
                put_off(&app.db, &id, app.now().after(AGAIN_AFTER)).await?;
            }
            Err(error) => return Err(error),
        }
        count += 1;
    }
    Ok(count)
}

async fn group(app: &App, tx: &mut Tx, question: &Question) -> Result<(), ServiceError> {
    let text = &question.text;
    let Some(gist) = Gist::of(app.knowledge.primer().spelling(), text.expose()) else {
        return Ok(());
    };
    let zone = app.zone(None).offset();
    let day = question.asked_at.in_zone(zone).date_naive().to_string();
    let Some(group) = find_or_make(app, tx, question, (&gist, &day)).await? else { return Ok(()) };
    let asking = Asking {
        group,
        address_hash: &question.address_hash,
        day: &day,
        near: &question.near,
        area: question.area.as_ref(),
        at: question.asked_at,
        taught_before: question.asked_at.before(LEARNT_AFTER),
    };
    note_asked(tx, &app.db, &asking).await?;
    drop_oldest(tx, MAX_OPEN).await?;
    Ok(())
}

/// The group a question belongs to: of the same words, nearly the same, or a new one. None when
/// whoever asks has asked too much that day to begin another.
async fn find_or_make(
    app: &App,
    tx: &mut Tx,
    question: &Question,
    (gist, day): (&Gist, &str),
) -> Result<Option<QuestionGroupId>, ServiceError> {
    let stems = gist.words();
    if let Some(group) = find_by_stems(tx, &app.db, &stems).await? {
        return Ok(Some(group));
    }
    if count_asked(tx, &app.db, &question.address_hash, day).await? >= MAX_A_DAY {
        return Ok(None);
    }
    let since = question.asked_at.before(COMPARED_SINCE);
    let recent = list_recent(tx, &app.db, since, COMPARED).await?;
    let recent: Vec<_> = recent.iter().map(|(id, stems)| (*id, Gist::parse(stems))).collect();
    if let Some(group) = gist.nearest(recent.iter().map(|(id, gist)| (*id, gist))) {
        let wording = (stems.as_str(), &question.text);
        insert_text(tx, &app.db, group, wording, WORDINGS, question.asked_at).await?;
        return Ok(Some(group));
    }
    let new = NewGroup {
        id: app.ids.next(app.now()),
        stems: &stems,
        sample: &question.text,
        asked_at: question.asked_at,
    };
    insert_group(tx, &app.db, &new).await?;
    // Another process may have been first.
    Ok(find_by_stems(tx, &app.db, &stems).await?)
}

/// A group as the API and the command line have it, with the words of a citizen.
#[must_use]
pub fn described(group: &Group) -> Value {
    json!({"id": group.id.to_string(), "times": group.times, "shared": group.is_shared,
           "sample": group.sample.expose(), "near": group.near,
           "area": group.area.as_ref().map(ToString::to_string),
           "first_at": group.first_at.rfc3339(), "last_at": group.last_at.rfc3339(),
           "state": group.state.as_str(), "label": group.label,
           "decided_by": group.decided_by, "decided_at": group.decided_at.map(Timestamp::rfc3339)})
}

/// When a day begins in a zone.
#[must_use]
pub fn day_begins(zone: Zone, day: NaiveDate) -> Timestamp {
    let midnight = day.and_time(NaiveTime::MIN).and_local_timezone(zone.offset());
    midnight.single().map_or(Timestamp::from_ms(0), Timestamp::from)
}

/// Sets a group aside: it needs no answer, and its texts are no examples. `false` when there is no such group that is open.
///
/// # Errors
/// When the database fails.
pub async fn ignore(app: &App, id: QuestionGroupId, by: &By) -> Result<bool, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let is_done = mark_decided(&mut tx, id, (GroupState::Ignored, None), &by.name, now).await?;
    if is_done {
        // What it was taught before it opened again by itself.
        taught::withdraw_group(&mut tx, id, &by.name, now).await?;
        by.note(app, &mut tx, Action::SetAside, &id.to_string(), None).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    super::knowledge::refresh_soon(app).await;
    Ok(is_done)
}

/// Takes back what was decided about a group: it is open again, and its texts are no examples any
/// more. `false` when there is no such group that was decided.
///
/// # Errors
/// When the database fails.
pub async fn reopen(app: &App, id: QuestionGroupId, by: &By) -> Result<bool, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let is_done = mark_open(&mut tx, id, &by.name, now).await?;
    if is_done {
        taught::withdraw_group(&mut tx, id, &by.name, now).await?;
        by.note(app, &mut tx, Action::Taught, &id.to_string(), Some("reopened")).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    super::knowledge::refresh_soon(app).await;
    Ok(is_done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_earlier_in_the_east() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let begins = |zone| day_begins(zone, day).utc().to_rfc3339();
        assert_eq!(begins(Zone::Wib), "2026-11-21T17:00:00+00:00");
        assert_eq!(begins(Zone::Wit), "2026-11-21T15:00:00+00:00");
        for day in [NaiveDate::MIN, NaiveDate::MAX] {
            let _ = day_begins(Zone::Wib, day);
        }
    }
}
