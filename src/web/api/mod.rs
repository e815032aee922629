//! `/v1`: card updates in; messages, cards and rejections out.

mod binding_code;
mod broadcast;
mod card;
mod card_update;
mod hold;
mod message;
mod opt_out;
mod person;
mod question;
mod rejection;
mod service_point;
mod source;
mod suppression;
mod ticket;
mod visit;

use std::collections::HashMap;
use std::str::FromStr;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, patch, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Web;
use super::error::Error;
use crate::domain::attachment::MOST_BYTES;
use crate::domain::clock::Timestamp;

/// Routes being collected, each with its name: what is served is what is told.
#[derive(Default)]
struct Doors {
    router: Router<Web>,
    names: Vec<String>,
}

impl Doors {
    fn add(mut self, method: &str, path: &str, handler: MethodRouter<Web>) -> Self {
        self.names.push(format!("{method} {path}"));
        self.router = self.router.route(path, handler);
        self
    }

    fn get<H: Handler<T, Web>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.add("GET", path, get(handler))
    }

    fn post<H: Handler<T, Web>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.add("POST", path, post(handler))
    }

    fn put<H: Handler<T, Web>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.add("PUT", path, put(handler))
    }
}

fn doors() -> Doors {
    let doors = Doors::default()
        .get("/v1/messages", message::list)
        .get("/v1/messages/{id}", message::show)
        .get("/v1/cards/{id}", card::show)
        .get("/v1/rejections", rejection::list)
        .get("/v1/rejections/{id}", rejection::show)
        .post("/v1/rejections/{id}/resolve", rejection::resolve)
        .get("/v1/unreachable", person::list_unreachable)
        .get("/v1/visits", visit::list)
        .post("/v1/visits/{id}/told", visit::told)
        .get("/v1/suppressions", suppression::list)
        .post("/v1/suppressions/{id}/release", suppression::release_one)
        .post("/v1/binding-codes", binding_code::issue)
        .post("/v1/opt-outs", opt_out::post)
        .get("/v1/sources", source::list)
        .get("/v1/notices", source::list_notices)
        .get("/v1/holds", hold::list)
        .post("/v1/holds/{id}/announce", hold::announce)
        .post("/v1/holds/{id}/silence", hold::silence)
        .get("/v1/questions", question::list)
        .get("/v1/questions/{id}", question::show)
        .post("/v1/questions/{id}/teach", question::teach_one)
        .post("/v1/questions/{id}/ignore", question::ignore_one)
        .post("/v1/questions/{id}/reopen", question::reopen_one)
        .get("/v1/tickets", ticket::list)
        .get("/v1/tickets/{id}", ticket::show)
        .post("/v1/tickets/{id}/take", ticket::take)
        .post("/v1/tickets/{id}/reply", ticket::reply)
        .post("/v1/tickets/{id}/close", ticket::close)
        .get("/v1/broadcasts", broadcast::list)
        .post("/v1/broadcasts", broadcast::create)
        .get("/v1/broadcasts/{id}", broadcast::show)
        .put("/v1/broadcasts/{id}", broadcast::change)
        .put("/v1/broadcasts/{id}/list", broadcast::set_list)
        .add(
            "PUT",
            "/v1/broadcasts/{id}/attachment",
            put(broadcast::attach).layer(DefaultBodyLimit::max(MOST_BYTES + 1)),
        )
        .post("/v1/broadcasts/{id}/attachment/remove", broadcast::detach)
        .get("/v1/broadcasts/{id}/preview", broadcast::preview)
        .get("/v1/broadcasts/{id}/failures", broadcast::failures)
        .post("/v1/broadcasts/{id}/test", broadcast::test)
        .get("/v1/service-points", service_point::list)
        .add("PATCH", "/v1/service-points/{code}", patch(service_point::patch));
    broadcast::ACTS.iter().fold(doors, |doors, &act| {
        let path = format!("/v1/broadcasts/{{id}}/{act}");
        doors.post(&path, move |web, caller, id, body| broadcast::act(web, caller, id, act, body))
    })
}

/// Streams may be of any length and take any time.
fn streams() -> Doors {
    Doors::default().post("/v1/card-updates", card_update::post)
}

/// All of it but streams.
pub(super) fn router() -> Router<Web> {
    doors().router.route("/v1", get(index))
}

/// What comes as a stream.
pub(super) fn stream_router() -> Router<Web> {
    streams().router.layer(DefaultBodyLimit::disable())
}

/// Method and path of everything there is.
pub(super) fn names() -> Vec<String> {
    [streams().names, doors().names].concat()
}

/// `GET /v1`: what there is.
async fn index() -> Json<Value> {
    Json(json!({"name": "kabar", "version": env!("CARGO_PKG_VERSION"), "endpoints": names()}))
}

/// Rows of a page unless asked otherwise, and at most.
const PAGE: i64 = 50;
const LONGEST_PAGE: i64 = 500;

type Params = HashMap<String, String>;

/// A query parameter of a kind, if given.
fn param<T: FromStr>(params: &Params, name: &str) -> Result<Option<T>, Error> {
    match params.get(name).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) if value.chars().any(char::is_control) => {
            Err(Error::BadParameter(format!("{name} has control characters")))
        }
        Some(value) => value.parse().map(Some).map_err(|_| {
            Error::BadParameter(format!("{name} has a value that is none of its kind"))
        }),
    }
}

/// Refuses parameters nobody knows: a misspelt filter would otherwise show everything.
fn known_only(params: &Params, known: &[&str]) -> Result<(), Error> {
    match params.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(_) => Err(Error::BadParameter(format!("known parameters: {}", known.join(", ")))),
    }
}

fn page(params: &Params) -> Result<i64, Error> {
    let limit: i64 = param(params, "limit")?.unwrap_or(PAGE);
    if (1..=LONGEST_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Error::BadParameter(format!("limit is 1 to {LONGEST_PAGE}")))
    }
}

fn shown(at: Timestamp) -> String {
    at.rfc3339()
}

fn shown_opt(at: Option<Timestamp>) -> Option<String> {
    at.map(shown)
}

/// A page of rows under their name, with what gets the next one.
fn listed<T>(
    name: &str,
    rows: &[T],
    limit: i64,
    id: impl Fn(&T) -> String,
    view: impl Fn(&T) -> Value,
) -> Json<Value> {
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let cursor = rows.last().filter(|_| is_full).map(id);
    let rows: Vec<Value> = rows.iter().map(view).collect();
    Json(json!({ name: rows, "next_cursor": cursor }))
}

/// The row that a path names; what is no id names none.
fn row_id<T: FromStr>(raw: &str) -> Result<T, Error> {
    raw.parse().map_err(|_| Error::NotFound)
}

/// The answer to who did something to a row, or found none to do it to.
fn done(is_done: bool) -> Result<StatusCode, Error> {
    if is_done { Ok(StatusCode::NO_CONTENT) } else { Err(Error::NotFound) }
}
