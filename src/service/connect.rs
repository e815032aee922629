//! Ties a chat to somebody: by a code issued at the counter, or by the number its owner hands over.

use std::time::Duration;

use super::{App, ServiceError};
use crate::dialogue::{CODE_UNKNOWN, Connection};
use crate::domain::binding_code::BindingCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{BindingCodeId, ContactId};
use crate::domain::message::ChannelKind;
use crate::domain::nik::Nik;
use crate::domain::person::PersonName;
use crate::store::contact::count_intent;
use crate::store::{StoreError, Tx, binding, person};

/// How long a code is good: until somebody is home and has found their phone.
const LASTS: Duration = Duration::from_secs(7 * 24 * 3600);

/// So many codes that nobody issued may come from one contact in that time.
const GUESSES: i64 = 5;
const GUESSING: Duration = Duration::from_secs(3600);

/// A code as the officer hands it over.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The code as it is printed.
    pub code: String,
    /// Addresses that carry it: `https://t.me/…?start=…`.
    pub links: Vec<String>,
    /// Not taken from then on.
    pub expires_at: Timestamp,
}

/// Issues a code for the person with that NIK; none when nobody with it is on file. Earlier codes of
/// that person are void.
///
/// # Errors
/// When the database fails.
pub async fn issue_code(app: &App, nik: &Nik, by: &str) -> Result<Option<Issued>, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let Some(person) = person::find_by_nik(&mut tx, &app.db, nik).await? else { return Ok(None) };
    let code = draw()?;
    let expires_at = now.after(LASTS);
    let id: BindingCodeId = app.ids.next(now);
    let whose = (person.id, code.expose());
    binding::insert_code(&mut tx, &app.db, id, whose, by, (now, expires_at)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    let links = app
        .accounts
        .iter()
        .filter(|account| account.channel == ChannelKind::Telegram)
        .filter_map(|account| account.adapter.invitation(code.expose()))
        .collect();
    Ok(Some(Issued { code: code.printed(), links, expires_at }))
}

fn draw() -> Result<BindingCode, ServiceError> {
    // About four draws in five have digits enough.
    for _ in 0..64 {
        let random = getrandom::u64().map_err(|_| no_randomness())?;
        if let Some(code) = BindingCode::from_random(random) {
            return Ok(code);
        }
    }
    Err(no_randomness())
}

fn no_randomness() -> ServiceError {
    ServiceError::Text("no randomness".to_owned())
}

/// Looks for a code in what a contact wrote, and uses it up.
///
/// # Errors
/// When the database fails.
pub async fn take_code(
    app: &App,
    tx: &mut Tx,
    contact: ContactId,
    text: &str,
    now: Timestamp,
) -> Result<Option<Connection>, ServiceError> {
    let Some(code) = BindingCode::find_in(text) else { return Ok(None) };
    if count_intent(tx, contact, CODE_UNKNOWN, now.before(GUESSING)).await? >= GUESSES {
        // Not even looked up: nobody shall find a code by trying.
        return Ok(Some(Connection::UnknownCode));
    }
    let Some(owner) = binding::claim_code(tx, &app.db, code.expose(), now).await? else {
        return Ok(Some(Connection::UnknownCode));
    };
    binding::insert_binding(tx, owner, contact, now).await?;
    let person = person::find_person(tx, &app.db, owner).await?;
    let words = app.templates.vocabulary();
    let who = person
        .and_then(|person| person.name)
        .as_ref()
        .map_or_else(|| words.addressee(None, ChannelKind::Whatsapp), PersonName::masked);
    Ok(Some(Connection::Code { who }))
}
