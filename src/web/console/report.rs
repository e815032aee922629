//! `/console/laporan`: counts without names, drawn and written; and the same as files.
//!
//! Every figure was counted beforehand; opening the page walks through nothing.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::area::{Names, Offer, offers};
use super::desk::Desk;
use super::page::{Page, show as shown};
use super::report_chart::{Drawn, draw};
use super::report_file::{csv, xlsx};
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::officer::Right;
use crate::service::officer::note_look;
use crate::service::report::{Report, read};
use crate::web::Web;
use crate::web::error::Error;

const HERE: &str = "/console/laporan";

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let need = Need::Right(Right::SeeReports);
    rooms.get("/console/laporan", need, show).get("/console/laporan.csv", need, export_csv).get(
        "/console/laporan.xlsx",
        need,
        export_xlsx,
    )
}

#[derive(Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    wilayah: String,
}

#[derive(Template)]
#[template(path = "report.html", config = "src/web/console/askama.toml")]
struct ReportPage {
    page: Page,
    area: String,
    area_code: String,
    areas: Vec<Offer>,
    is_whole: bool,
    is_bad_area: bool,
    counted_at: Option<Timestamp>,
    cards_at: Option<Timestamp>,
    drawn: Drawn,
}

/// Whose figures are asked for.
struct Scope {
    area: AreaCode,
    /// Digits under which they are kept.
    key: String,
    is_whole: bool,
}

/// The area asked for, if it is somebody's; their own where none was.
fn scope(web: &Web, desk: &Desk, asked: &str) -> Result<Scope, Error> {
    let asked = asked.trim();
    let area = match asked {
        "" => desk.area().clone(),
        code => AreaCode::parse(code)
            .map_err(|_| Error::BadParameter("wilayah is an area code like 35.17.09".to_owned()))?,
    };
    desk.covers(web, Some(&area))?;
    let is_whole = web.app.settings.office_area.is_within(&area);
    // What lies in no area belongs to the whole.
    let key = if is_whole { String::new() } else { area.plain().to_owned() };
    Ok(Scope { area, key, is_whole })
}

async fn figures(web: &Web, scope: &Scope) -> Result<Report, Error> {
    Ok(read(&web.app, &scope.key, scope.is_whole).await?)
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let (scope, is_bad_area) = match scope(&web, &desk, &asked.wilayah) {
        Ok(scope) => (scope, false),
        Err(Error::BadParameter(_)) => (self::scope(&web, &desk, "")?, true),
        Err(error) => return Err(error),
    };
    let report = figures(&web, &scope).await?;
    let names = Names::of(&web, std::slice::from_ref(&scope.area)).await?;
    let page = Page::new(&web, &desk, HERE);
    shown(&ReportPage {
        area: names.show(&page, &scope.area),
        area_code: scope.area.to_string(),
        areas: offers(&web, &desk).await?,
        is_whole: scope.is_whole,
        is_bad_area,
        counted_at: report.counted_at,
        cards_at: report.cards_at,
        drawn: draw(&page, &report),
        page,
    })
}

async fn taken(web: &Web, desk: &Desk, asked: &Asked) -> Result<(Report, Page), Error> {
    let scope = scope(web, desk, &asked.wilayah)?;
    let report = figures(web, &scope).await?;
    note_look(&web.app, &desk.actor, Action::Exported, "report").await?;
    Ok((report, Page::new(web, desk, HERE)))
}

fn file(kind: &'static str, name: &'static str, bytes: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    (headers, bytes).into_response()
}

async fn export_csv(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let (report, page) = taken(&web, &desk, &asked).await?;
    let name = "attachment; filename=\"laporan.csv\"";
    Ok(file("text/csv; charset=utf-8", name, csv(&page, &report)))
}

async fn export_xlsx(
    State(web): State<Web>,
    desk: Desk,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let (report, page) = taken(&web, &desk, &asked).await?;
    let bytes = xlsx(&page, &report).map_err(|error| {
        tracing::error!("a report cannot be written: {error}");
        Error::Internal
    })?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(file(kind, "attachment; filename=\"laporan.xlsx\"", bytes))
}
