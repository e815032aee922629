//! What people do with a broadcast: try it out, submit it, agree to it, let it go, hold it, take it back.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{HERE, id};
use crate::domain::id::BroadcastId;
use crate::domain::message::ChannelKind;
use crate::domain::phone::PhoneNumber;
use crate::service::broadcast as service;
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
    let phone =
        PhoneNumber::parse(&form.phone).map_err(|error| Error::BadParameter(error.to_string()))?;
    let id = id(&text)?;
    service::test(&web.app, &desk.actor, id, channel, &phone).await?;
    Ok(back(id, "uji"))
}

pub(super) fn back(id: BroadcastId, done: &str) -> Response {
    Redirect::to(&format!("{HERE}/{id}?done={done}")).into_response()
}

#[derive(Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    reason: String,
}

pub(super) async fn reject(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Filled(form): Filled<Reason>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    service::reject(&web.app, &desk.actor, id, &form.reason).await?;
    Ok(back(id, "tolak"))
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
            service::$name(&web.app, &desk.actor, id).await?;
            Ok(back(id, $done))
        }
    )+};
}

act! {
    submit => "ajukan",
    approve => "setujui",
    send => "kirim",
    pause => "jeda",
    resume => "lanjut",
    cancel => "batal",
    retry => "ulang",
}
