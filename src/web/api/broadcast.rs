//! Broadcasts: written, previewed, approved, sent and told of, as far as the token's area goes.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Params, known_only, listed, page, param, row_id, shown_opt};
use crate::domain::audience::Audience;
use crate::domain::broadcast::{Notice, Schedule};
use crate::domain::id::{BroadcastId, RunId};
use crate::domain::message::ChannelKind;
use crate::domain::phone::PhoneNumber;
use crate::domain::reference::Reference;
use crate::domain::timetable::Timetable;
use crate::service::broadcast::{self, BroadcastError, Draft, view, view_preview, view_run};
use crate::store::audience::ListEntry;
use crate::web::Web;
use crate::web::auth::Caller;
use crate::web::error::Error;

type Body<T> = Result<Json<T>, JsonRejection>;

/// A broadcast as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Written {
    title: String,
    text: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    audience: Value,
    /// A moment, once.
    at: Option<String>,
    /// Five fields, again and again.
    cron: Option<String>,
}

impl Written {
    fn check(self) -> Result<Draft, Error> {
        let bad = |error: &dyn std::fmt::Display| Error::BadBody(error.to_string());
        let notice = Notice::parse(&self.title, &self.text, &self.place, &self.time)
            .map_err(|error| bad(&error))?;
        let audience = match &self.audience {
            Value::Null => Audience::default(),
            value => Audience::parse(value).map_err(|error| bad(&error))?,
        };
        let schedule = match (self.at, self.cron) {
            (None, None) => Schedule::Now,
            (Some(at), None) => chrono::DateTime::parse_from_rfc3339(&at)
                .map(|at| Schedule::At(at.into()))
                .map_err(|_| bad(&"at is written like 2026-11-24T08:00:00+07:00"))?,
            (None, Some(line)) => {
                Timetable::parse(&line).map(Schedule::Timetable).map_err(|error| bad(&error))?
            }
            (Some(_), Some(_)) => return Err(bad(&"give at or cron, not both")),
        };
        Ok(Draft { notice, audience, schedule })
    }
}

fn read<T>(body: Body<T>) -> Result<T, Error> {
    body.map(|Json(value)| value).map_err(|error| Error::BadBody(error.body_text()))
}

/// `GET /v1/broadcasts`
pub(in crate::web) async fn list(
    State(web): State<Web>,
    caller: Caller,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    known_only(&params, &["cursor", "limit"])?;
    let limit = page(&params)?;
    let before = param(&params, "cursor")?;
    let rows = broadcast::list(&web.app, &caller.actor(), before, limit).await?;
    Ok(listed("broadcasts", &rows, limit, |row| row.id.to_string(), |row| view(&web.app, row)))
}

/// `POST /v1/broadcasts`
pub(in crate::web) async fn create(
    State(web): State<Web>,
    caller: Caller,
    body: Body<Written>,
) -> Result<(StatusCode, Json<Value>), Error> {
    let actor = caller.actor();
    let made = broadcast::create(&web.app, &actor, &read(body)?.check()?).await?;
    let one = broadcast::show(&web.app, &actor, made).await?;
    Ok((StatusCode::CREATED, Json(view(&web.app, &one))))
}

/// `GET /v1/broadcasts/{id}`: with what became of every run.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
) -> Result<Json<Value>, Error> {
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    let mut body = view(&web.app, &broadcast::show(&web.app, &actor, id).await?);
    let runs = broadcast::report(&web.app, &actor, id).await?;
    body["runs"] = runs.iter().map(|run| view_run(&web.app, run)).collect();
    Ok(Json(body))
}

/// `PUT /v1/broadcasts/{id}`: an approval is withdrawn.
pub(in crate::web) async fn change(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
    body: Body<Written>,
) -> Result<Json<Value>, Error> {
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    broadcast::change(&web.app, &actor, id, &read(body)?.check()?).await?;
    Ok(Json(view(&web.app, &broadcast::show(&web.app, &actor, id).await?)))
}

/// Whom a list names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Entries {
    #[serde(default)]
    phones: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
}

/// `PUT /v1/broadcasts/{id}/list`
pub(in crate::web) async fn set_list(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
    body: Body<Entries>,
) -> Result<Json<Value>, Error> {
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    let given = read(body)?;
    let mut entries = Vec::new();
    let at = |what: &str, n: usize, why: &dyn std::fmt::Display| {
        Error::BadBody(format!("{what}[{n}]: {why}"))
    };
    for (n, phone) in given.phones.iter().enumerate() {
        let phone = PhoneNumber::parse(phone).map_err(|error| at("phones", n, &error))?;
        entries.push(ListEntry::Phone(phone));
    }
    for (n, reference) in given.references.iter().enumerate() {
        let reference = Reference::parse(reference).map_err(|error| at("references", n, &error))?;
        entries.push(ListEntry::Reference(reference));
    }
    let taken = broadcast::set_list(&web.app, &actor, id, &entries).await?;
    Ok(Json(json!({"taken": taken})))
}

/// `PUT /v1/broadcasts/{id}/attachment?name=`: the bytes of a picture or a PDF, whatever they are called.
pub(in crate::web) async fn attach(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
    Query(params): Query<Params>,
    body: Result<bytes::Bytes, BytesRejection>,
) -> Result<Json<Value>, Error> {
    let body = body.map_err(|_| {
        Error::TooLarge("a picture has at most 5 MB, a PDF at most 10 MB".to_owned())
    })?;
    known_only(&params, &["name"])?;
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    let name: Option<String> = param(&params, "name")?;
    broadcast::attach(&web.app, &actor, id, name.as_deref().unwrap_or_default(), &body).await?;
    Ok(Json(view(&web.app, &broadcast::show(&web.app, &actor, id).await?)))
}

/// `POST /v1/broadcasts/{id}/attachment/remove`
pub(in crate::web) async fn detach(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
) -> Result<Json<Value>, Error> {
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    broadcast::detach(&web.app, &actor, id).await?;
    Ok(Json(view(&web.app, &broadcast::show(&web.app, &actor, id).await?)))
}

/// `GET /v1/broadcasts/{id}/preview`
pub(in crate::web) async fn preview(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
) -> Result<Json<Value>, Error> {
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    let one = broadcast::show(&web.app, &actor, id).await?;
    let preview = broadcast::preview(&web.app, &actor, id).await?;
    Ok(Json(view_preview(&web.app, &preview, &one)?))
}

/// `GET /v1/broadcasts/{id}/failures?run=`: of its last run unless another is named.
pub(in crate::web) async fn failures(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Error> {
    known_only(&params, &["run", "cursor", "limit"])?;
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    let limit = page(&params)?;
    let runs = broadcast::report(&web.app, &actor, id).await?;
    let asked: Option<RunId> = param(&params, "run")?;
    let run = runs.iter().map(|report| report.run.id).find(|run| asked.is_none_or(|id| id == *run));
    let run = run.ok_or(Error::NotFound)?;
    let after = param(&params, "cursor")?;
    let rows = broadcast::failures(&web.app, &actor, run, after, limit).await?;
    let Json(mut page) = listed(
        "failures",
        &rows,
        limit,
        |row| row.id.to_string(),
        |row| {
            json!({"message": row.id.to_string(), "channel": row.channel.as_str(),
               "recipient": row.recipient, "code": row.code, "reason": row.reason,
               "failed_at": shown_opt(row.failed_at)})
        },
    );
    if let Some(page) = page.as_object_mut() {
        page.insert("run".to_owned(), json!(run.to_string()));
    }
    Ok(Json(page))
}

/// Where a test goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Test {
    channel: String,
    phone: String,
}

/// `POST /v1/broadcasts/{id}/test`
pub(in crate::web) async fn test(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
    body: Body<Test>,
) -> Result<(StatusCode, Json<Value>), Error> {
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    let given = read(body)?;
    let channel: ChannelKind = given
        .channel
        .parse()
        .map_err(|_| Error::BadBody("channel is whatsapp, telegram or sms".to_owned()))?;
    let phone = PhoneNumber::parse(&given.phone)
        .map_err(|error| Error::BadBody(format!("phone: {error}")))?;
    let message = broadcast::test(&web.app, &actor, id, channel, &phone).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"message": message.to_string()}))))
}

/// Why it is sent back.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

/// What can be done with a broadcast.
pub(super) const ACTS: [&str; 8] =
    ["submit", "approve", "reject", "send", "pause", "resume", "cancel", "retry"];

/// `POST /v1/broadcasts/{id}/{act}`, one of them.
pub(in crate::web) async fn act(
    State(web): State<Web>,
    caller: Caller,
    Path(text): Path<String>,
    act: &'static str,
    body: bytes::Bytes,
) -> Result<Json<Value>, Error> {
    let (actor, id) = (caller.actor(), row_id::<BroadcastId>(&text)?);
    let app = &web.app;
    match act {
        "submit" => broadcast::submit(app, &actor, id).await.map(|_| ())?,
        "approve" => broadcast::approve(app, &actor, id).await?,
        "reject" => {
            let given: Reason = serde_json::from_slice(&body)
                .map_err(|_| Error::BadBody("send {\"reason\": \"…\"}".to_owned()))?;
            broadcast::reject(app, &actor, id, &given.reason).await?;
        }
        "send" => broadcast::send(app, &actor, id).await.map(|_| ())?,
        "pause" => broadcast::pause(app, &actor, id).await?,
        "resume" => broadcast::resume(app, &actor, id).await?,
        "cancel" => broadcast::cancel(app, &actor, id).await?,
        "retry" => broadcast::retry(app, &actor, id).await?,
        _ => return Err(Error::NotFound),
    }
    Ok(Json(view(app, &broadcast::show(app, &actor, id).await?)))
}

impl From<BroadcastError> for Error {
    fn from(error: BroadcastError) -> Self {
        match error {
            BroadcastError::NotFound => Self::NotFound,
            BroadcastError::Forbidden => Self::Forbidden("office or admin"),
            BroadcastError::Maker
            | BroadcastError::OutsideArea
            | BroadcastError::Changed
            | BroadcastError::State { .. }
            | BroadcastError::Empty
            | BroadcastError::NoWay
            | BroadcastError::NoFailures => Self::Conflict(error.to_string()),
            BroadcastError::Invalid { .. } => Self::BadBody(error.to_string()),
            BroadcastError::Service(error) => error.into(),
        }
    }
}
