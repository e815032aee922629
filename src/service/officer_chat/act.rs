//! What is pressed under a broadcast in an officer's chat: test, send or ask, withdraw, agree, send back.
//!
//! Each goes to the broadcasts' own service, which judges the right, the area, the moment and the second person;
//! here its word is only said again.

use super::{Answer, Next, PRESS, Seat, Steps, compose};
use crate::domain::area::AreaCode;
use crate::domain::broadcast::BroadcastState;
use crate::domain::clock::Timestamp;
use crate::domain::id::BroadcastId;
use crate::domain::officer::Right;
use crate::domain::outbound::{Choice, Recipient};
use crate::service::broadcast::{self, BroadcastError, Seen};
use crate::service::officer::name_of;
use crate::service::{App, ServiceError};
use crate::template::{OfficerButton, OfficerLine as Line};

/// A button under a broadcast that was changed last at that moment: under an older one it does nothing any more.
pub(super) fn choice(app: &App, button: OfficerButton, id: BroadcastId, at: Timestamp) -> Choice {
    let title = app.templates.officer_chat().button(button);
    Choice { id: format!("{PRESS}{button}:{id}:{:x}", at.as_ms()), title }
}

/// Which broadcast a button is under, as it was then.
fn seen(which: &str) -> Option<Seen> {
    let (id, at) = which.split_once(':')?;
    let at = i64::from_str_radix(at, 16).ok()?;
    Some(Seen { id: id.parse().ok()?, changed_at: Some(Timestamp::from_ms(at)) })
}

fn say(app: &App, line: Line, next: Next) -> Answer {
    Answer::new(app.templates.officer_chat().say(line, &[]), next)
}

/// Whatever was pressed.
pub(super) async fn press(
    app: &App,
    seat: &Seat<'_>,
    pressed: &str,
) -> Result<Answer, ServiceError> {
    let over = || say(app, Line::Over, Next::Keep);
    let Some((what, which)) = pressed.split_once(':') else { return Ok(over()) };
    match what {
        "area" => match AreaCode::parse(which) {
            Ok(code) => return compose::choose_area(app, seat, code).await,
            Err(_) => return Ok(over()),
        },
        "card" => match which.parse() {
            Ok(kind) => return compose::choose_card(app, seat, kind).await,
            Err(_) => return Ok(over()),
        },
        _ => {}
    }
    let (Ok(button), Some(seen)) = (what.parse(), seen(which)) else {
        return Ok(over());
    };
    match button {
        OfficerButton::Test => test(app, seat, seen.id).await,
        OfficerButton::Send | OfficerButton::Ask => go(app, seat, seen).await,
        OfficerButton::Cancel => withdraw(app, seat, seen.id).await,
        OfficerButton::Approve => agree(app, seat, seen).await,
        OfficerButton::Return => why(app, seat, seen).await,
    }
}

/// Ends the steps that are about this broadcast, and no others.
fn end(seat: &Seat<'_>, id: BroadcastId) -> Next {
    match &seat.steps {
        Some(Steps::Preview { id: open } | Steps::Reason { id: open, .. })
            if *open == id.to_string() =>
        {
            Next::End
        }
        _ => Next::Keep,
    }
}

async fn test(app: &App, seat: &Seat<'_>, id: BroadcastId) -> Result<Answer, ServiceError> {
    let to = Recipient { chat: Some(seat.chat), ..Recipient::default() };
    match broadcast::test_in_chat(app, &seat.actor, id, seat.account, to).await {
        Ok(_) => Ok(say(app, Line::Tested, Next::Keep)),
        Err(error) => of_error(app, seat, error),
    }
}

/// Sends it where nobody else has to agree, and asks somebody where they have to.
async fn go(app: &App, seat: &Seat<'_>, seen: Seen) -> Result<Answer, ServiceError> {
    if !seat.may(Right::Broadcast) {
        return Ok(seat.refused(app));
    }
    let id = seen.id;
    let gone = async {
        if broadcast::show(app, &seat.actor, id).await?.state == BroadcastState::Approved {
            return broadcast::send(app, &seat.actor, seen).await;
        }
        let state = broadcast::submit(app, &seat.actor, seen).await?;
        if state == BroadcastState::Approved {
            return broadcast::send(app, &seat.actor, id).await;
        }
        Ok(state)
    };
    match gone.await {
        Ok(state) => {
            let line = match state {
                BroadcastState::Submitted => Line::Submitted,
                BroadcastState::Scheduled => Line::Scheduled,
                _ => Line::Sent,
            };
            Ok(say(app, line, end(seat, id)))
        }
        Err(error) => of_error(app, seat, error),
    }
}

/// Withdraws it for good.
pub(super) async fn withdraw(
    app: &App,
    seat: &Seat<'_>,
    id: BroadcastId,
) -> Result<Answer, ServiceError> {
    match broadcast::cancel(app, &seat.actor, id).await {
        Ok(()) => Ok(say(app, Line::Cancelled, end(seat, id))),
        Err(error) => of_error(app, seat, error),
    }
}

async fn agree(app: &App, seat: &Seat<'_>, seen: Seen) -> Result<Answer, ServiceError> {
    match broadcast::approve(app, &seat.actor, seen).await {
        Ok(()) => told(app, seat, seen.id, Line::ApprovedByYou).await,
        Err(error) => of_error(app, seat, error),
    }
}

/// A reason is asked for before it is sent back.
async fn why(app: &App, seat: &Seat<'_>, seen: Seen) -> Result<Answer, ServiceError> {
    if !seat.may(Right::Approve) {
        return Ok(seat.refused(app));
    }
    match broadcast::show(app, &seat.actor, seen.id).await {
        Ok(one) if one.state == BroadcastState::Submitted => {
            let (id, seen) = (seen.id.to_string(), seen.changed_at.map(Timestamp::as_ms));
            Ok(say(app, Line::ReasonAsk, Next::Go(Steps::Reason { id, seen })))
        }
        Ok(one) => Ok(wrong_moment(app, seat, one.state)),
        Err(error) => of_error(app, seat, error),
    }
}

/// Sends it back with that reason.
pub(super) async fn send_back(
    app: &App,
    seat: &Seat<'_>,
    seen: Seen,
    reason: &str,
) -> Result<Answer, ServiceError> {
    match broadcast::reject(app, &seat.actor, seen, reason).await {
        Ok(()) => told(app, seat, seen.id, Line::ReturnedByYou).await,
        Err(error) => of_error(app, seat, error),
    }
}

/// What was done, with who wrote it.
async fn told(
    app: &App,
    seat: &Seat<'_>,
    id: BroadcastId,
    line: Line,
) -> Result<Answer, ServiceError> {
    let maker = match broadcast::show(app, &seat.actor, id).await {
        Ok(one) => name_of(app, &one.maker.id).await?,
        Err(error) => return of_error(app, seat, error),
    };
    let text = app.templates.officer_chat().say(line, &[("maker", &maker)]);
    Ok(Answer::new(text, end(seat, id)))
}

/// What somebody is in the middle of writing stays: an old button may be about another broadcast.
fn wrong_moment(app: &App, seat: &Seat<'_>, state: BroadcastState) -> Answer {
    let state = app.templates.broadcast().state(state);
    let words = app.templates.officer_chat();
    Answer::new(words.say(Line::WrongMoment, &[("state", state)]), unless_writing(seat))
}

fn unless_writing(seat: &Seat<'_>) -> Next {
    match &seat.steps {
        Some(Steps::Preview { .. } | Steps::Reason { .. }) => Next::End,
        _ => Next::Keep,
    }
}

/// Why something could not be done, in words.
///
/// # Errors
/// What lies below the service: that is tried again.
pub(super) fn of_error(
    app: &App,
    seat: &Seat<'_>,
    error: BroadcastError,
) -> Result<Answer, ServiceError> {
    Ok(match error {
        BroadcastError::Service(error) => return Err(error),
        BroadcastError::Forbidden => seat.refused(app),
        BroadcastError::State { state, .. } => wrong_moment(app, seat, state),
        BroadcastError::Changed => say(app, Line::Changed, unless_writing(seat)),
        BroadcastError::NotFound => say(app, Line::NotThere, unless_writing(seat)),
        BroadcastError::OutsideArea => say(app, Line::AreaOutside, Next::Keep),
        BroadcastError::Maker => say(app, Line::OwnWords, Next::Keep),
        BroadcastError::Empty => say(app, Line::Nobody, Next::Keep),
        BroadcastError::Invalid { .. } | BroadcastError::NoWay | BroadcastError::NoFailures => {
            say(app, Line::Cannot, Next::Keep)
        }
    })
}
