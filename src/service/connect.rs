//! Ties a chat to somebody: by a code issued at the counter, or by the number its owner hands over.

use std::time::Duration;

use super::{App, ServiceError};
use crate::dialogue::{CODE_UNKNOWN, Connection};
use crate::domain::binding_code::BindingCode;
use crate::domain::clock::Timestamp;
use crate::domain::id::{BindingCodeId, ContactId};
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::nik::Nik;
use crate::domain::outbound::Recipient;
use crate::domain::person::PersonName;
use crate::source::VerifiedChat;
use crate::store::contact::{self, count_intent};
use crate::store::{StoreError, Tx, binding, consent, person};

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

pub(super) fn draw() -> Result<BindingCode, ServiceError> {
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
    (contact, language): (ContactId, Language),
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
    let words = app.templates.vocabulary().speaking(language);
    let who = person
        .and_then(|person| person.name)
        .as_ref()
        .map_or_else(|| words.addressee(None, ChannelKind::Whatsapp), PersonName::masked);
    Ok(Some(Connection::Code { who }))
}

/// Ties a person to the chat that a watched register has of them, and takes over that they want to be
/// told there; or lets go of it when the register has none any more. What citizens told us
/// themselves stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn take_over(
    app: &App,
    tx: &mut Tx,
    source: &str,
    nik: &Nik,
    verified: Option<VerifiedChat>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    const TELEGRAM: ChannelKind = ChannelKind::Telegram;
    if !app.accounts.iter().any(|account| account.channel == TELEGRAM) {
        return Ok(());
    }
    let Some(person) = person::find_by_nik(tx, &app.db, nik).await? else { return Ok(()) };
    let account = app.account_for(TELEGRAM, person.area.as_ref());
    let (Some(verified), Some(account)) = (verified, account) else {
        return Ok(binding::replace_of_source(tx, source, person.id, None, now).await?);
    };
    let to = Recipient { chat: Some(verified.chat), ..Recipient::default() };
    let hashes = consent::address_hashes(&app.db, &account.portfolio, &to);
    if consent::find_consent(tx, &hashes, None).await?.is_suppressed {
        // Whoever has this chat said that they are somebody else.
        return Ok(());
    }
    let key = (TELEGRAM, account.portfolio.as_str());
    let id = app.ids.next(now);
    let contact = contact::upsert_chat(tx, &app.db, key, verified.chat, id, now).await?;
    binding::replace_of_source(tx, source, person.id, Some(contact), now).await?;
    if verified.is_preferred && person.channel.is_none() {
        person::set_channel(tx, &[person.id], Some(TELEGRAM), now).await?;
    }
    Ok(())
}
