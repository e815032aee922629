//! `/console/jejak`: who did and saw what, newest first, in words; and the same as a file.
//!
//! Only reads. Somebody sees what those of their own area did, whoever sees the whole office everything.

use askama::Template;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Deserialize;

use super::desk::Desk;
use super::page::{Page, role_name, show as shown};
use super::trail_word::{action_name, object_name};
use super::{Need, Rooms};
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::officer::Right;
use crate::service::officer::note_look;
use crate::store::StoreError;
use crate::store::audit::{Line, LineFilter, list_lines};
use crate::store::officer::{find_officer, list_officers};
use crate::web::Web;
use crate::web::error::Error;

const HERE: &str = "/console/jejak";
/// Lines of a page, and of a piece of the file.
const PAGE: i64 = 50;
const PIECE: i64 = 1_000;
/// Officers that the form offers.
const OFFERED: i64 = 200;
/// Longest id that is looked for.
const LONGEST_ID: usize = 60;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let need = Need::Right(Right::SeeAudit);
    rooms.get("/console/jejak", need, show).get("/console/jejak.csv", need, export)
}

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    petugas: String,
    #[serde(default)]
    objek: String,
    #[serde(default)]
    sebelum: String,
}

struct Shown {
    at: Timestamp,
    who_id: String,
    who: String,
    role: &'static str,
    action: &'static str,
    object: String,
    /// The officer's name where it is one, else the same.
    object_name: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "trail.html", config = "src/web/console/askama.toml")]
struct TrailPage {
    page: Page,
    lines: Vec<Shown>,
    officers: Vec<(String, String, bool)>,
    /// Somebody who is not on that list, such as a token.
    other: Option<String>,
    asked: Asked,
    next: Option<String>,
}

fn filter(web: &Web, desk: &Desk, asked: &Asked) -> Result<LineFilter, Error> {
    let given = |text: &str| {
        let text = text.trim();
        let is_fit = text.len() <= LONGEST_ID && !text.chars().any(char::is_control);
        if is_fit {
            Ok((!text.is_empty()).then(|| text.to_owned()))
        } else {
            Err(Error::BadParameter("an id of at most 60 characters".to_owned()))
        }
    };
    Ok(LineFilter {
        within: (!desk.sees_all(web)).then(|| desk.area().clone()),
        who: given(&asked.petugas)?,
        object: given(&asked.objek)?,
        before: asked.sebelum.parse().ok(),
    })
}

/// Who somebody is in the log: the name of an officer, else what kind of caller it was.
pub(super) async fn who_name(web: &Web, page: &Page, who: &str) -> Result<String, Error> {
    if let Ok(id) = who.parse() {
        let officer = find_officer(&web.app.db, id).await?;
        return Ok(officer.map_or_else(|| who.to_owned(), |officer| officer.name));
    }
    Ok(match who {
        "cli" => page.t("Baris perintah", "Command line").to_owned(),
        token if token.starts_with("tok_") => {
            let end = token.len().saturating_sub(5);
            format!("{} …{}", page.t("Token", "Token"), token.get(end..).unwrap_or_default())
        }
        other => other.to_owned(),
    })
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let filter = filter(&web, &desk, &asked)?;
    let rows = list_lines(&web.app.db, &filter, PAGE + 1).await?;
    let limit = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let next = rows.get(limit).and_then(|_| rows.get(limit - 1)).map(|line| line.id.to_string());
    let page = Page::new(&web, &desk, HERE);
    let mut lines: Vec<Shown> = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit) {
        let known = lines.iter().find(|line| line.who_id == row.who).map(|line| line.who.clone());
        let who = match known {
            Some(who) => who,
            None => who_name(&web, &page, &row.who).await?,
        };
        let is_officer = row.object.starts_with("off_");
        let object_name = if is_officer {
            who_name(&web, &page, &row.object).await?
        } else {
            object_name(&page, &row.object)
        };
        lines.push(Shown {
            at: row.at,
            who_id: row.who.clone(),
            who,
            role: role_name(row.role, desk.language()),
            action: action_name(&page, row.action),
            object_name,
            object: row.object.clone(),
            detail: row.detail.clone().unwrap_or_default(),
        });
    }
    let officers: Vec<(String, String, bool)> =
        list_officers(&web.app.db, desk.area(), "", OFFERED)
            .await?
            .into_iter()
            .map(|officer| {
                let id = officer.id.to_string();
                let is_chosen = id == asked.petugas;
                (id, officer.name, is_chosen)
            })
            .collect();
    let is_listed = asked.petugas.is_empty() || officers.iter().any(|(.., is_chosen)| *is_chosen);
    let other = if is_listed { None } else { Some(who_name(&web, &page, &asked.petugas).await?) };
    shown(&TrailPage { page, lines, officers, other, asked, next })
}

/// The same as a file, piece by piece.
async fn export(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let filter = filter(&web, &desk, &asked)?;
    note_look(&web.app, &desk.actor, Action::Exported, "audit").await?;
    let head = "id,at,who,role,action,object,detail\r\n".to_owned();
    let first = stream::iter([Ok::<_, StoreError>(head)]);
    let pieces = stream::try_unfold(Some((web, filter)), |state| async move {
        let Some((web, mut filter)) = state else { return Ok::<_, StoreError>(None) };
        let rows = list_lines(&web.app.db, &filter, PIECE).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        filter.before = Some(last.id);
        let is_full = i64::try_from(rows.len()).is_ok_and(|length| length == PIECE);
        Ok(Some((csv(&rows), is_full.then_some((web, filter)))))
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(first, pieces));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"jejak-audit.csv\""),
    ];
    Ok((headers, body).into_response())
}

fn csv(rows: &[Line]) -> String {
    let mut file = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    for row in rows {
        let at = row.at.utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        // Writing to memory does not fail.
        let _ = file.write_record([
            row.id.to_string().as_str(),
            &at,
            &row.who,
            row.role.as_str(),
            row.action.as_str(),
            &plain(&row.object),
            &plain(row.detail.as_deref().unwrap_or_default()),
        ]);
    }
    let bytes = file.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
