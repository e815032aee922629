//! The list of broadcasts, newest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{HERE, PAGE, state_words};
use crate::domain::id::BroadcastId;
use crate::domain::officer::Right;
use crate::service::broadcast as service;
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::console::listing::last_of_full;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

/// A broadcast in a list.
struct Row {
    id: String,
    title: String,
    state: &'static str,
    state_words: String,
    area: String,
    when: String,
    updated: String,
    recipients: Option<i64>,
}

#[derive(Template)]
#[template(path = "broadcast_list.html", config = "src/web/console/askama.toml")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    next: Option<String>,
    may_write: bool,
}

#[derive(Deserialize)]
pub(super) struct Cursor {
    #[serde(default)]
    pub(super) before: String,
    #[serde(default)]
    pub(super) done: String,
    #[serde(default)]
    pub(super) problem: String,
    /// What became of a list: rows that are taken, that name nobody on file, and that cannot be read.
    pub(super) kept: Option<u64>,
    pub(super) unknown: Option<u64>,
    pub(super) unreadable: Option<u64>,
}

pub(super) async fn list(
    State(web): State<Web>,
    desk: Desk,
    Query(cursor): Query<Cursor>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let before: Option<BroadcastId> = cursor.before.parse().ok();
    let found = service::list(&web.app, &desk.actor, before, PAGE).await?;
    let next = last_of_full(&found, PAGE).map(|row| row.id.to_string());
    let rows = found
        .iter()
        .map(|one| Row {
            id: one.id.to_string(),
            title: one.notice.title.clone(),
            state: one.state.as_str(),
            state_words: state_words(&web, &page, one.state),
            area: one.area.to_string(),
            when: service::schedule_words(&web.app, &one.schedule),
            updated: page.time(&one.updated_at),
            recipients: one.recipients.and_then(|count| i64::try_from(count).ok()),
        })
        .collect();
    let may_write = desk.may(Right::Broadcast);
    shown(&ListPage { page, rows, next, may_write })
}
