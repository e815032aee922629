//! At the inbox: whether a message is an officer's command, and that of what they look for no NIK is kept.

use super::{Command, PRESS, STEPS_LAST, Steps, parse, stored, tie};
use crate::channel::{Event, Inbound, InboundBody};
use crate::domain::message::ChannelKind;
use crate::domain::nik::Nik;
use crate::domain::outbound::ChatId;
use crate::service::{Account, App, ServiceError};
use crate::store::inbox::{self, EventKind};
use crate::store::officer::find_officer;
use crate::store::officer_chat as rows;
use crate::store::person::nik_hash;
use crate::store::{Tx, contact};

/// Under what the hash of a NIK stands beside an event.
const SOUGHT: &str = "sought";

/// What becomes of a message at the inbox.
pub(in crate::service) enum Taken {
    /// It is no officer's: a citizen is answered.
    No,
    /// It is an officer's, and waits for its turn.
    Later,
    /// It tied a chat, or would have: done.
    Done,
    /// It tried a code that nobody was given, and is answered like any other unknown word, without the code.
    Unknown(Inbound),
}

/// Decides whether a message is an officer's command.
///
/// # Errors
/// When the database fails.
pub(in crate::service) async fn take(
    app: &App,
    tx: &mut Tx,
    event: &inbox::Event,
    inbound: &Inbound,
) -> Result<Taken, ServiceError> {
    let Some((account, chat)) = place_of(app, event, inbound) else { return Ok(Taken::No) };
    let hash = contact::chat_hash(&app.db, &account.portfolio, chat);
    let text = match &inbound.body {
        InboundBody::Text(text) => text.expose(),
        _ => "",
    };
    if let Some(code) = tie::code_in(text) {
        return tie::take_code(app, tx, (event, inbound), (account, chat, &hash), &code).await;
    }
    let Some(mine) = rows::find_by_chat(tx, &app.db, &hash).await? else { return Ok(Taken::No) };
    let officer = find_officer(&app.db, mine.officer).await?;
    if officer.is_none_or(|officer| officer.disabled_at.is_some()) {
        return Ok(Taken::No);
    }
    let now = app.now();
    let is_open = mine.steps_until.is_some_and(|until| until > now);
    let is_theirs = match &inbound.body {
        InboundBody::Choice { id, .. } => id.starts_with(PRESS),
        InboundBody::Text(_) => match parse(text) {
            Some(Command::Cancel) => is_open,
            Some(_) => true,
            None => is_open && !text.trim_start().starts_with('/'),
        },
        InboundBody::Unreadable | InboundBody::Silent => false,
    };
    if !is_theirs {
        return Ok(Taken::No);
    }
    if parse(text) == Some(Command::Broadcast) {
        // What they write next is the title, also before this was worked off.
        let steps = stored(&Steps::Title)?;
        rows::set_steps(tx, &app.db, mine.officer, Some((&steps, now.after(STEPS_LAST)))).await?;
    }
    inbox::set_kind(tx, event.id, EventKind::Officer).await?;
    Ok(Taken::Later)
}

/// The bot and the private chat it came from. Groups never get so far: the adapter reads nothing that is said there.
pub(super) fn place_of<'a>(
    app: &'a App,
    event: &inbox::Event,
    inbound: &Inbound,
) -> Option<(&'a Account, ChatId)> {
    let account =
        app.account(&event.account).filter(|account| account.channel == ChannelKind::Telegram)?;
    Some((account, inbound.from.chat?))
}

/// The event with the hash of the NIK that an officer looks for; of anybody else's not even that is kept.
pub(in crate::service) async fn with_sought(
    app: &App,
    account: &Account,
    payload: String,
    nik: &Nik,
) -> String {
    let Event::Message(inbound) = account.adapter.read(&payload) else { return payload };
    let Some(chat) = inbound.from.chat else { return payload };
    let hash = contact::chat_hash(&app.db, &account.portfolio, chat);
    let known = async { rows::find_by_chat(&mut *app.db.reading().await?, &app.db, &hash).await };
    if !matches!(known.await, Ok(Some(_))) {
        return payload;
    }
    match serde_json::from_str::<serde_json::Value>(&payload) {
        Ok(mut value) if value.is_object() => {
            value[SOUGHT] = nik_hash(&app.db, nik).into();
            value.to_string()
        }
        _ => payload,
    }
}

/// That hash.
pub(super) fn sought(payload: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(payload).ok()?;
    value[SOUGHT].as_str().map(str::to_owned)
}
