//! Registers that a citizen agrees to be messaged at a number, on the word of somebody who stands before them: an
//! officer, or a partner such as an RT.
//!
//! The citizen shows what only they have: the one-time code of the counter, or the reference of a message. Whoever
//! registers learns nothing of the person, not even why it cannot be done: otherwise references could be tried out.

use std::time::Duration;

use super::officer::note;
use super::{App, ServiceError, stop};
use crate::domain::audit::Action;
use crate::domain::binding_code::BindingCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::PersonId;
use crate::domain::officer::Actor;
use crate::domain::outbound::Recipient;
use crate::domain::phone::PhoneNumber;
use crate::domain::reference::Reference;
use crate::store::person::{self, Person};
use crate::store::{StoreError, Tx, audit, binding, consent, search};

/// So many tries that fitted nothing may come from one officer in that time.
const TRIES: i64 = 10;
const TRYING: Duration = Duration::from_secs(3600);
/// How such a try stands in the audit log.
const REFUSED: &str = "refused";

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The number is the person's from now on, and they agree.
    Done,
    /// It fits nobody of this area, or the number may not be used for them.
    NoMatch,
    /// Too many that fitted nothing; none is looked at for a while.
    TooManyTries,
}

/// What a citizen showed.
enum Proof {
    Code(BindingCode),
    Reference(Reference),
}

fn read(text: &str) -> Option<Proof> {
    BindingCode::parse(text)
        .map(Proof::Code)
        .or_else(|| Reference::parse(text).ok().map(Proof::Reference))
}

/// Registers that whoever showed `proof` agrees to be messaged at `phone`.
///
/// # Errors
/// When the database fails.
pub async fn register(
    app: &App,
    actor: &Actor,
    phone: &PhoneNumber,
    proof: &str,
) -> Result<Registered, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let line = (Action::RegisteredConsent, REFUSED);
    if audit::count_of(&mut tx, &actor.id, line, now.before(TRYING)).await? >= TRIES {
        return Ok(Registered::TooManyTries);
    }
    if let Some((person, how)) = take_over(app, &mut tx, actor, phone, proof, now).await? {
        let object = person.to_string();
        note(app, &mut tx, actor, Action::RegisteredConsent, &object, Some(how)).await?;
        tx.commit().await.map_err(StoreError::from)?;
        return Ok(Registered::Done);
    }
    // A code that was looked at and fitted somebody elsewhere is not used up.
    tx.rollback().await.map_err(StoreError::from)?;
    let mut tx = app.db.begin().await?;
    note(app, &mut tx, actor, Action::RegisteredConsent, "consent", Some(REFUSED)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Registered::NoMatch)
}

async fn take_over(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    phone: &PhoneNumber,
    proof: &str,
    now: Timestamp,
) -> Result<Option<(PersonId, &'static str)>, ServiceError> {
    let (found, is_code) = match read(proof) {
        None => return Ok(None),
        Some(Proof::Code(code)) => {
            (binding::claim_code(tx, &app.db, code.expose(), now).await?, true)
        }
        Some(Proof::Reference(reference)) => {
            (search::find_by_reference(tx, &reference).await?, false)
        }
    };
    let Some(id) = found else { return Ok(None) };
    let Some(person) = person::find_person(tx, &app.db, id).await? else { return Ok(None) };
    if !actor.covers(person.area.as_ref(), &app.settings.office_area) {
        return Ok(None);
    }
    let hashes = consent::address_hashes(&app.db, "", &Recipient::of_phone(phone.clone()));
    // Whoever has this number said that they are a stranger: only the office takes that back.
    if consent::find_consent(tx, &hashes, None).await?.is_suppressed {
        return Ok(None);
    }
    if !may_take(&person, phone, is_code) {
        return Ok(None);
    }
    if person.phone.as_ref() != Some(phone) {
        person::set_phone(tx, &app.db, person.id, phone, now).await?;
    }
    stop::opt_in(app, tx, &hashes, &[], now).await?;
    Ok(Some((person.id, if is_code { "code" } else { "reference" })))
}

/// A reference has been read by whoever had the phone before: it gives a number to somebody who has none, and takes
/// none away. A code was handed over by the office, for this.
fn may_take(person: &Person, phone: &PhoneNumber, is_code: bool) -> bool {
    is_code || person.phone.as_ref().is_none_or(|known| known == phone)
}
