//! Teaches what citizens meant: the texts of a group become examples of a label.
//!
//! What was understood before must not break: who teaches is told first how many known examples
//! would be understood in another way, and nothing is written unless they want that.

use std::sync::Arc;

use super::by::By;
use super::knowledge::{
    Present, Shift, beside, present, refresh_soon, take_over, take_turn, taught,
};
use super::{App, ServiceError};
use crate::domain::audit::Action;
use crate::domain::id::QuestionGroupId;
use crate::domain::message::MessageText;
use crate::store::question_group::{GroupState, mark_decided};
use crate::store::question_list::{find_group, list_texts};
use crate::store::taught::{NewExample, insert_example, withdraw_group};
use crate::store::{Db, StoreError};
use crate::understand::{CLARIFY_TOPIC, LABELS, OUT_OF_SCOPE, Understanding};

/// What teaching a group would do, or did.
#[derive(Clone, Debug)]
pub struct Trial {
    /// How many texts become examples.
    pub texts: usize,
    /// How many of them would be understood as the label afterwards.
    pub understood: usize,
    /// How many examples were known before.
    pub known: usize,
    /// Those of them that would be understood in another way.
    pub shifts: Vec<Shift>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// There is no such group that is open.
    NotOpen,
    /// Nothing was taught, because known examples would be understood in another way.
    WouldShift(Trial),
    /// It is taught.
    Taught(Trial),
}

/// The label of that name, if something can be taught to be it: a topic alone is asked back, and
/// what is nobody's business here is set aside, not taught.
#[must_use]
pub fn teachable(name: &str) -> Option<&'static str> {
    let label = LABELS.iter().copied().find(|label| *label == name)?;
    (label != CLARIFY_TOPIC && label != OUT_OF_SCOPE).then_some(label)
}

/// Labels that can be taught and that these words fit, the best first: by the answer's title, what stands on its
/// button, and how citizens ask for it.
#[must_use]
pub fn search(app: &App, words: &str, most: usize) -> Vec<&'static str> {
    let script = app.script();
    let wanted: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let weight = |label: &&'static str| {
        let answer = script.answer(label)?;
        let named = format!("{} {} {label}", answer.title, answer.button).to_lowercase();
        let asked = answer.examples.join(" ").to_lowercase();
        let of = |word: &String| match (named.contains(word), asked.contains(word)) {
            (true, _) => 10,
            (false, true) => 1,
            (false, false) => 0,
        };
        let weight: usize = wanted.iter().map(of).sum();
        (weight > 0).then_some((weight, *label))
    };
    let teachable = LABELS.iter().filter(|label| teachable(label).is_some());
    let mut found: Vec<(usize, &'static str)> = teachable.filter_map(weight).collect();
    found.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    found.into_iter().take(most).map(|(_, label)| label).collect()
}

/// Every label that can be taught.
pub fn all_teachable() -> impl Iterator<Item = &'static str> {
    LABELS.iter().filter_map(|label| teachable(label))
}

/// All wordings of a group, the first one first; empty when there is no such group.
///
/// # Errors
/// When the database fails.
pub async fn wordings(db: &Db, id: QuestionGroupId) -> Result<Vec<MessageText>, StoreError> {
    let Some(group) = find_group(db, id).await? else { return Ok(Vec::new()) };
    let mut texts = vec![group.sample];
    texts.extend(list_texts(db, id).await?);
    Ok(texts)
}

/// Makes a group's texts examples of a label. Unless `is_sure`, only if no known example is then
/// understood in another way.
///
/// # Errors
/// When the database fails.
pub async fn teach(
    app: &App,
    id: QuestionGroupId,
    label: &'static str,
    by: &By,
    is_sure: bool,
) -> Result<Outcome, ServiceError> {
    let is_open = find_group(&app.db, id).await?.is_some_and(|g| g.state == GroupState::Open);
    if !is_open {
        return Ok(Outcome::NotOpen);
    }
    let texts = wordings(&app.db, id).await?;
    let turn = take_turn(app).await;
    let before = present(app, &turn).await?;
    let (trial, after) = try_out(app, (id, &texts), label, &before).await?;
    if !trial.shifts.is_empty() && !is_sure {
        return Ok(Outcome::WouldShift(trial));
    }
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let decision = (GroupState::Taught, Some(label));
    if !mark_decided(&mut tx, id, decision, &by.name, now).await? {
        return Ok(Outcome::NotOpen);
    }
    // A group that opened again by itself still has what it taught before.
    let withdrawn = withdraw_group(&mut tx, id, &by.name, now).await?;
    for text in &texts {
        let new = NewExample { id: app.ids.next(now), label, text, group: id, by: &by.name };
        insert_example(&mut tx, &app.db, &new, now).await?;
    }
    by.note(app, &mut tx, Action::Taught, &id.to_string(), Some(label)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    let edition = before.edition.after(texts.len(), withdrawn);
    let is_learnt = take_over(app, &turn, (edition, after)).await;
    drop(turn);
    if !is_learnt.is_ok_and(|is_learnt| is_learnt) {
        refresh_soon(app).await;
    }
    Ok(Outcome::Taught(trial))
}

async fn try_out(
    app: &App,
    (id, texts): (QuestionGroupId, &[MessageText]),
    label: &'static str,
    before: &Present,
) -> Result<(Trial, Arc<Understanding>), ServiceError> {
    let taught = taught(app, Some(id)).await?;
    let new: Vec<_> = texts.iter().map(|text| (label.to_owned(), text.clone())).collect();
    let primer = Arc::clone(app.knowledge.primer());
    let before = Arc::clone(&before.understanding);
    let effects = beside(move || primer.try_out(&before, &taught, &new)).await?;
    let trial = Trial {
        texts: texts.len(),
        understood: effects.understood.iter().filter(|intent| *intent == label).count(),
        known: effects.known,
        shifts: effects.shifts,
    };
    Ok((trial, effects.after))
}
