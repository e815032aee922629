//! Ties a chat to an officer's account by a one-time code from their own page in the console, and lets go of it.
//!
//! A code is kept as a keyed hash, good for ten minutes and once. Whoever tries codes is told nothing, not even that
//! there is something to try, and after a few tries none of theirs is looked at for an hour.

use std::time::Duration;

use super::super::officer::note;
use super::{Answer, Next, Reply, Seat, Taken, plan, words};
use crate::channel::{Inbound, InboundBody};
use crate::domain::audit::Action;
use crate::domain::binding_code::BindingCode;
use crate::domain::message::{ChannelKind, MessageText};
use crate::domain::outbound::ChatId;
use crate::service::{Account, App, ServiceError, connect};
use crate::store::inbox;
use crate::store::officer::{Officer, find_officer};
use crate::store::officer_chat as rows;
use crate::store::{StoreError, Tx};
use crate::template::OfficerLine as Line;

/// How long a code is good: until it is typed from one screen to the other.
pub(super) const LASTS: Duration = Duration::from_secs(10 * 60);
/// So many codes that nobody was given may come from one chat in that time.
const GUESSES: i64 = 5;
const GUESSING: Duration = Duration::from_secs(3600);
/// How the payload of a link begins that carries a code.
const IN_LINK: &str = "petugas_";
/// What lets go of the chat.
const LEAVE: &str = "keluar";

/// A code as its officer reads it.
#[derive(Clone, Debug)]
pub struct ChatCode {
    /// The code as it is typed.
    pub code: String,
    /// Addresses that carry it.
    pub links: Vec<String>,
}

/// Whether the office has a bot that officers can write to.
#[must_use]
pub fn is_offered(app: &App) -> bool {
    app.accounts.iter().any(|account| account.channel == ChannelKind::Telegram)
}

/// Makes a code for an officer; an earlier one is void.
///
/// # Errors
/// When the database fails.
pub async fn make_code(app: &App, officer: &Officer) -> Result<ChatCode, ServiceError> {
    let code = connect::draw()?;
    let mut tx = app.db.begin().await?;
    let until = app.now().after(LASTS);
    rows::upsert_code(&mut tx, &app.db, officer.id, code.expose(), until).await?;
    note(app, &mut tx, &officer.actor(), Action::MadeChatCode, &officer.id.to_string(), None)
        .await?;
    tx.commit().await.map_err(StoreError::from)?;
    let links = app
        .accounts
        .iter()
        .filter(|account| account.channel == ChannelKind::Telegram)
        .filter_map(|account| account.adapter.invitation(&format!("{IN_LINK}{}", code.expose())))
        .collect();
    Ok(ChatCode { code: code.printed(), links })
}

/// Lets go of an officer's chat.
///
/// # Errors
/// When the database fails.
pub async fn untie(app: &App, officer: &Officer) -> Result<(), ServiceError> {
    let mut tx = app.db.begin().await?;
    if rows::untie(&mut tx, officer.id).await? {
        let id = officer.id.to_string();
        note(app, &mut tx, &officer.actor(), Action::UntiedChat, &id, None).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// The code that a message brings: `/petugas K7QX-3M9P`, or behind a link.
pub(super) fn code_in(text: &str) -> Option<String> {
    if let Some(super::Command::Account(rest)) = super::parse(text) {
        return (!rest.is_empty() && !rest.eq_ignore_ascii_case(LEAVE)).then(|| rest.to_owned());
    }
    let rest = text.trim().strip_prefix("/start")?.trim_start();
    rest.strip_prefix(IN_LINK).map(str::to_owned)
}

/// Takes a code.
pub(super) async fn take_code(
    app: &App,
    tx: &mut Tx,
    (event, inbound): (&inbox::Event, &Inbound),
    (account, chat, hash): (&Account, ChatId, &str),
    code: &str,
) -> Result<Taken, ServiceError> {
    let now = app.now();
    let unknown = || {
        let body = InboundBody::Text(MessageText::new("/petugas".to_owned()));
        Taken::Unknown(Inbound { body, ..inbound.clone() })
    };
    let Some(code) = BindingCode::parse(code) else { return Ok(unknown()) };
    let since = now.before(GUESSING);
    if rows::count_guesses(tx, hash, since).await? >= GUESSES {
        // Not even looked up: nobody shall find a code by trying.
        return Ok(unknown());
    }
    let Some((id, until)) = rows::claim_code(tx, &app.db, code.expose()).await? else {
        rows::mark_guess(tx, hash, since, now).await?;
        tracing::warn!(account = %account.id, "a chat tried an officer's code that nobody was given");
        return Ok(unknown());
    };
    let officer = find_officer(&app.db, id).await?;
    let Some(officer) = officer.filter(|officer| officer.disabled_at.is_none()) else {
        return Ok(unknown());
    };
    let words = app.templates.officer_chat();
    let text = if until <= now {
        // Whoever has it was given it: that much may be said.
        words.say(Line::CodeExpired, &[])
    } else {
        let other = rows::tie(tx, &app.db, id, (&account.id, chat, hash), now).await?;
        let actor = officer.actor();
        if let Some(other) = other {
            note(app, tx, &actor, Action::UntiedChat, &other.to_string(), None).await?;
        }
        note(app, tx, &actor, Action::TiedChat, &id.to_string(), Some(&account.id)).await?;
        welcome(app, &officer).await?
    };
    let reply = Reply { text, choices: Vec::new() };
    plan(app, tx, (account, chat), &event.id.to_string(), vec![reply], now).await?;
    Ok(Taken::Done)
}

async fn welcome(app: &App, officer: &Officer) -> Result<String, ServiceError> {
    let words = app.templates.officer_chat();
    let area = words::area_name(app, &officer.area).await?;
    let role = words.role(officer.role);
    Ok(words.say(Line::Tied, &[("name", &officer.name), ("role", &role), ("area", &area)]))
}

/// What an officer asks about the chat itself.
pub(super) async fn about(app: &App, seat: &Seat<'_>, rest: &str) -> Result<Answer, ServiceError> {
    if rest.eq_ignore_ascii_case(LEAVE) {
        untie(app, &seat.officer).await?;
        let words = app.templates.officer_chat();
        return Ok(Answer::new(words.say(Line::Untied, &[]), Next::End));
    }
    let text = welcome(app, &seat.officer).await?;
    Ok(Answer::new(text, Next::Keep))
}

#[cfg(test)]
mod tests {
    use super::code_in;

    #[test]
    fn a_code_is_found_behind_the_word_and_in_a_link_and_nowhere_else() {
        assert_eq!(code_in("/petugas K7QX-3M9P").as_deref(), Some("K7QX-3M9P"));
        assert_eq!(code_in("/start petugas_K7QX3M9P").as_deref(), Some("K7QX3M9P"));
        for text in ["/petugas", "/petugas keluar", "/start K7QX3M9P", "K7QX-3M9P", "petugas K7QX"]
        {
            assert_eq!(code_in(text), None, "{text}");
        }
    }
}
