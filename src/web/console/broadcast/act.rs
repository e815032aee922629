//! What people do with a broadcast: try it out, submit it, agree to it, let it go, hold it, take it back.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{HERE, id, words};
use crate::domain::clock::Timestamp;
use crate::domain::id::BroadcastId;
use crate::domain::message::ChannelKind;
use crate::domain::phone::PhoneNumber;
use crate::service::broadcast::{self as service, BroadcastError, Seen};
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::console::form::Filled;
use crate::web::error::Error;

#[derive(Deserialize)]
pub(super) struct Test {
    channel: String,
    phone: String,
}

pub(super) async fn test(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Filled(form): Filled<Test>,
) -> Result<Response, Error> {
    let channel: ChannelKind =
        form.channel.parse().map_err(|_| Error::BadParameter("no such channel".to_owned()))?;
    let id = id(&text)?;
    let Ok(phone) = PhoneNumber::parse(&form.phone) else { return Ok(not_done(id, "nomor")) };
    after(id, "uji", service::test(&web.app, &desk.actor, id, channel, &phone).await)
}

fn not_done(id: BroadcastId, why: &str) -> Response {
    Redirect::to(&format!("{HERE}/{id}?problem={why}")).into_response()
}

/// Goes back to the broadcast, which says what was done, or why not.
pub(super) fn after<T>(
    id: BroadcastId,
    done: &str,
    outcome: Result<T, BroadcastError>,
) -> Result<Response, Error> {
    match outcome {
        Ok(_) => Ok(Redirect::to(&format!("{HERE}/{id}?done={done}")).into_response()),
        Err(error) => match words::refusal(&error) {
            Some(why) => Ok(not_done(id, why)),
            None => Err(error.into()),
        },
    }
}

#[derive(Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    seen: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Looked {
    #[serde(default)]
    seen: Option<i64>,
}

/// The broadcast as it stood on the page whose button was pressed.
fn as_seen(id: BroadcastId, at: Option<i64>) -> Seen {
    Seen { id, changed_at: at.map(Timestamp::from_ms) }
}

pub(super) async fn reject(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Filled(form): Filled<Reason>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    match service::reject(&web.app, &desk.actor, as_seen(id, form.seen), &form.reason).await {
        Err(BroadcastError::Invalid { .. }) => Ok(not_done(id, "alasan")),
        outcome => after(id, "tolak", outcome),
    }
}

/// Makes the handler of an act that needs nothing but the broadcast.
macro_rules! act {
    ($($name:ident => $done:literal),+ $(,)?) => {$(
        pub(super) async fn $name(
            State(web): State<Web>,
            desk: Desk,
            Path(text): Path<String>,
        ) -> Result<Response, Error> {
            let id = id(&text)?;
            after(id, $done, service::$name(&web.app, &desk.actor, id).await)
        }
    )+};
}

/// The same where somebody says yes to what they read.
macro_rules! agree {
    ($($name:ident => $done:literal),+ $(,)?) => {$(
        pub(super) async fn $name(
            State(web): State<Web>,
            desk: Desk,
            Path(text): Path<String>,
            Filled(form): Filled<Looked>,
        ) -> Result<Response, Error> {
            let id = id(&text)?;
            let seen = as_seen(id, form.seen);
            after(id, $done, service::$name(&web.app, &desk.actor, seen).await)
        }
    )+};
}

agree! {
    submit => "ajukan",
    approve => "setujui",
    send => "kirim",
}

act! {
    pause => "jeda",
    resume => "lanjut",
    cancel => "batal",
    retry => "ulang",
}
