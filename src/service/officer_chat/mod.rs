//! Officers at work in their chat with the bot: who they are is looked up anew with every command, and what they
//! do goes through the very services of the console, with the same rights, areas, approvals and audit log.
//!
//! At the inbox it is only decided whether a message is an officer's command; it is worked off in a loop of its own,
//! in which no transaction is open while a broadcast is counted. To everybody else none of this exists: their
//! messages go on to the conversation, and nothing tells them that there are such words.

mod act;
mod compose;
mod door;
mod look;
mod tell;
mod tie;
mod words;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use tie::{ChatCode, is_offered, make_code, untie};

pub(super) use door::{Taken, take, with_sought};
pub(super) use tell::{ask_approvers, tell_maker};

use super::outbox::{self, Draft};
use super::{Account, App, ServiceError, inbox as events, route};
use crate::channel::{Event, InboundBody};
use crate::domain::clock::Timestamp;
use crate::domain::message::{MessageClass, MessageText};
use crate::domain::officer::{Actor, OfficerRole, Right};
use crate::domain::outbound::{ChatId, Choice, Content, Recipient};
use crate::store::inbox::{self, EventKind, EventState};
use crate::store::officer::{Officer, find_officer};
use crate::store::officer_chat::{self as rows, OfficerChat};
use crate::store::{StoreError, Tx, consent, contact};
use crate::template::OfficerLine as Line;

/// Commands worked off in one round.
const MOST: usize = 20;
/// Another process takes a command up again after so long: the one that had it has died.
const LEASE: Duration = Duration::from_secs(5 * 60);
/// Steps that nobody went on with are forgotten.
const STEPS_LAST: Duration = Duration::from_secs(30 * 60);
/// How the ids of our buttons begin.
const PRESS: &str = "petugas:";

/// What an officer asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command<'a> {
    /// About the chat itself.
    Account(&'a str),
    /// Look for a card.
    Card(&'a str),
    /// Write a broadcast.
    Broadcast,
    /// Leave what is going on.
    Cancel,
}

/// `/kartu Siti`, `/kartu@kabar_bot Siti`.
fn parse(text: &str) -> Option<Command<'_>> {
    let text = text.trim().strip_prefix('/')?;
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let word = word.split('@').next()?.to_lowercase();
    match word.as_str() {
        "petugas" => Some(Command::Account(rest.trim())),
        "kartu" => Some(Command::Card(rest.trim())),
        "siarkan" => Some(Command::Broadcast),
        "batal" => Some(Command::Cancel),
        _ => None,
    }
}

/// What somebody is in the middle of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum Steps {
    /// The title is to come.
    Title,
    /// The text is.
    Text { title: String },
    /// For which area?
    Area { title: String, text: String },
    /// For whom there?
    Card { title: String, text: String, area: String },
    /// A draft is looked at.
    Preview { id: String },
    /// Why is it sent back? `seen`: when it had been changed last, in ms.
    Reason { id: String, seen: Option<i64> },
}

/// What becomes of the steps.
#[derive(Debug)]
enum Next {
    /// They stay as they are.
    Keep,
    /// They are over.
    End,
    /// They are here now.
    Go(Steps),
}

/// Words with buttons below.
#[derive(Debug)]
struct Reply {
    text: String,
    choices: Vec<Choice>,
}

/// What an officer hears, and where they are then.
#[derive(Debug)]
struct Answer {
    replies: Vec<Reply>,
    next: Next,
}

impl Answer {
    fn new(text: String, next: Next) -> Self {
        Self { replies: vec![Reply { text, choices: Vec::new() }], next }
    }

    fn with(mut self, choices: Vec<Choice>) -> Self {
        if let Some(reply) = self.replies.last_mut() {
            reply.choices = choices;
        }
        self
    }
}

fn button(id: &str, title: String) -> Choice {
    Choice { id: format!("{PRESS}{id}"), title }
}

/// An officer in their chat.
struct Seat<'a> {
    account: &'a Account,
    officer: Officer,
    actor: Actor,
    chat: ChatId,
    steps: Option<Steps>,
}

impl Seat<'_> {
    /// Says that their role does not let them; what they are in the middle of, they may have been let begin.
    fn refused(&self, app: &App) -> Answer {
        let words = app.templates.officer_chat();
        let role = words.role(self.officer.role);
        Answer::new(words.say(Line::Refused, &[("role", &role)]), Next::Keep)
    }

    fn may(&self, right: Right) -> bool {
        self.actor.may(right)
    }
}

fn stored(steps: &Steps) -> Result<String, ServiceError> {
    serde_json::to_string(steps).map_err(|error| ServiceError::Text(error.to_string()))
}

/// Works off commands that wait; returns how many.
///
/// # Errors
/// When the database fails; then they wait for the next round.
pub async fn step(app: &App) -> Result<usize, ServiceError> {
    let mut count = 0;
    while count < MOST && step_one(app).await? {
        count += 1;
    }
    Ok(count)
}

async fn step_one(app: &App) -> Result<bool, ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let mut found = inbox::claim_events(&mut tx, &app.db, EventKind::Officer, 1, now).await?;
    let Some(event) = found.pop() else { return Ok(false) };
    inbox::postpone_event(&mut tx, event.id, now.after(LEASE), "taken up").await?;
    tx.commit().await.map_err(StoreError::from)?;
    let done = match work(app, &event).await {
        Ok(done) => settle(app, &event, done).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(true),
        Err(error) => events::put_back(app, &event, &error).await.map(|()| true),
    }
}

async fn settle(
    app: &App,
    event: &inbox::Event,
    done: Option<(Seat<'_>, Answer)>,
) -> Result<(), ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    if let Some((seat, Answer { replies, next })) = done {
        let (officer, db) = (seat.officer.id, &app.db);
        match next {
            Next::Keep => {}
            Next::End => rows::set_steps(&mut tx, db, officer, None).await?,
            Next::Go(steps) => {
                let steps = stored(&steps)?;
                let until = now.after(STEPS_LAST);
                rows::set_steps(&mut tx, db, officer, Some((&steps, until))).await?;
            }
        }
        let to = (seat.account, seat.chat);
        plan(app, &mut tx, to, &event.id.to_string(), replies, now).await?;
    }
    let settled = [(event.id, EventState::Done)];
    inbox::mark_events(&mut tx, &app.db, &settled, None, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    app.signals.wake_outbox();
    Ok(())
}

/// Plans what is said in an officer's chat.
async fn plan(
    app: &App,
    tx: &mut Tx,
    (account, chat): (&Account, ChatId),
    key: &str,
    replies: Vec<Reply>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let to = Recipient { chat: Some(chat), ..Recipient::default() };
    let hashes = consent::address_hashes(&app.db, &account.portfolio, &to);
    let hash = route::own_hash(account.channel, hashes);
    for (n, reply) in replies.into_iter().enumerate() {
        let draft = Draft {
            idem_key: format!("officer:{key}:{n}"),
            class: MessageClass::Reply,
            account: Some(account),
            channel: account.channel,
            why: outbox::TO_OFFICER,
            refusal: None,
            template: "officer".to_owned(),
            reference: None,
            to: Some((to.clone(), hash.clone())),
            contact_id: None,
            person_id: None,
            card_id: None,
            first_id: None,
            content: Content {
                attachment: None,
                template: None,
                text: MessageText::new(reply.text),
                sms: None,
                list_button: None,
                choices: reply.choices,
                pin: None,
            },
            zone: app.zone(None),
            expires_at: None,
            has_next: false,
        };
        outbox::enqueue(app, tx, draft, now).await?;
    }
    Ok(())
}

async fn work<'a>(
    app: &'a App,
    event: &inbox::Event,
) -> Result<Option<(Seat<'a>, Answer)>, ServiceError> {
    let Event::Message(inbound) = events::read(app, event) else { return Ok(None) };
    let Some((account, chat)) = door::place_of(app, event, &inbound) else { return Ok(None) };
    let hash = contact::chat_hash(&app.db, &account.portfolio, chat);
    let found = rows::find_by_chat(&mut *app.db.reading().await?, &app.db, &hash).await?;
    let Some(OfficerChat { officer, steps, steps_until, .. }) = found else { return Ok(None) };
    let officer = find_officer(&app.db, officer).await?;
    let Some(officer) = officer.filter(|officer| officer.disabled_at.is_none()) else {
        return Ok(None);
    };
    let is_open = steps_until.is_some_and(|until| until > app.now());
    let steps = steps.filter(|_| is_open).and_then(|json| serde_json::from_str(&json).ok());
    let seat = Seat { account, actor: officer.actor(), officer, chat, steps };
    let answer = answer(app, &seat, &inbound.body, door::sought(&event.payload).as_deref()).await?;
    Ok(Some((seat, answer)))
}

async fn answer(
    app: &App,
    seat: &Seat<'_>,
    body: &InboundBody,
    sought: Option<&str>,
) -> Result<Answer, ServiceError> {
    let text = match body {
        InboundBody::Text(text) => text.expose(),
        _ => "",
    };
    let command = parse(text);
    if let Some(Command::Account(rest)) = command {
        return tie::about(app, seat, rest).await;
    }
    if let Some(line) = at_the_door(app, &seat.officer) {
        return Ok(Answer::new(app.templates.officer_chat().say(line, &[]), Next::End));
    }
    match (body, command) {
        (InboundBody::Choice { id, .. }, _) => {
            act::press(app, seat, id.strip_prefix(PRESS).unwrap_or_default()).await
        }
        (_, Some(Command::Card(typed))) => look::look(app, seat, typed, sought).await,
        (_, Some(Command::Broadcast)) => Ok(compose::begin(app, seat)),
        (_, Some(Command::Cancel)) => compose::stop(app, seat).await,
        _ => compose::hear(app, seat, text).await,
    }
}

/// What keeps somebody out of the console keeps them out of here.
fn at_the_door(app: &App, officer: &Officer) -> Option<Line> {
    let is_helper = matches!(officer.role, OfficerRole::Courier | OfficerRole::Partner);
    if officer.must_change {
        Some(Line::MustChange)
    } else if app.settings.needs_second_factor && !officer.has_totp && !is_helper {
        Some(Line::SecondFactor)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_with_the_bots_name_and_in_any_case() {
        assert_eq!(parse("/kartu Siti Aminah"), Some(Command::Card("Siti Aminah")));
        assert_eq!(parse(" /Kartu@kabar_bot  K7QX-3M "), Some(Command::Card("K7QX-3M")));
        assert_eq!(parse("/petugas"), Some(Command::Account("")));
        assert_eq!(parse("/SIARKAN"), Some(Command::Broadcast));
        assert_eq!(parse("/batal"), Some(Command::Cancel));
        for text in ["kartu saya?", "/kartuku", "/status", "siarkan", ""] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
