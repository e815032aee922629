//! `/console/blanko`: the ledger of blank cards, point by point: what is left and for how many days, what is to come, and
//! how many cards wait.
//!
//! What is entered here changes what citizens are told of a point's stock.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::NaiveDate;
use serde::Deserialize;

use super::area::Names;
use super::desk::Desk;
use super::form::Filled;
use super::page::{Page, show as shown};
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::blanko::{EntryKind, MOST_COUNTED, UsedBy};
use crate::domain::officer::Right;
use crate::domain::service_point::{BlankoStock, PointService};
use crate::service::blanko::{BlankoError, enter, find_ledger};
use crate::store::blanko::list_ledgers;
use crate::store::collection::count_queue;
use crate::store::service_point::list_within;
use crate::web::Web;
use crate::web::error::Error;

/// The page's way.
pub(super) const HERE: &str = "/console/blanko";
/// Points looked at.
const POINTS: i64 = 500;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (see, change) = (Need::Right(Right::SeePoints), Need::Right(Right::ChangePoints));
    rooms.get("/console/blanko", see, show).post("/console/blanko/titik/{code}", change, add)
}

struct Entry {
    day: String,
    kind: &'static str,
    cards: i64,
    note: String,
}

struct Ledger {
    code: String,
    name: String,
    area: String,
    blanko: BlankoStock,
    is_kept: bool,
    left: i64,
    used: i64,
    days: Option<i64>,
    expected: Vec<(String, i64)>,
    queue: i64,
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "blanko.html", config = "src/web/console/askama.toml")]
struct BlankoPage {
    page: Page,
    points: Vec<Ledger>,
    kinds: Vec<(&'static str, &'static str)>,
    most: i64,
    may_change: bool,
    is_saved: bool,
    refused: String,
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
}

#[derive(Deserialize)]
pub(super) struct EntryForm {
    kind: String,
    cards: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    note: String,
}

fn kind_name(page: &Page, kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Delivered => page.t("Diterima", "Delivered"),
        EntryKind::Expected => page.t("Akan datang", "Expected"),
        EntryKind::Used => page.t("Terpakai", "Used"),
        EntryKind::Spoiled => page.t("Rusak", "Spoiled"),
        EntryKind::Counted => page.t("Hasil hitung ulang", "Counted"),
    }
}

async fn page_of(
    web: &Web,
    desk: &Desk,
    (is_saved, refused): (bool, String),
) -> Result<Response, Error> {
    let mut reading = web.app.db.reading().await?;
    let found = list_within(&mut reading, desk.area(), "", POINTS).await?;
    drop(reading);
    let ledgers = list_ledgers(&web.app.db, desk.area()).await?;
    let codes: Vec<AreaCode> = found.iter().map(|(point, _)| point.area.clone()).collect();
    let names = Names::of(web, &codes).await?;
    let page = Page::new(web, desk, HERE);
    let mut points = Vec::new();
    for (point, condition) in found {
        let is_kept = ledgers.contains(&point.code);
        if !is_kept && !point.detail.services.contains(&PointService::Printing) {
            continue;
        }
        let ledger = find_ledger(&web.app, &point.code).await?;
        let entry = |entry: &crate::store::blanko::Entry| Entry {
            day: page.date(entry.day),
            kind: kind_name(&page, entry.kind),
            cards: entry.cards,
            note: entry.note.clone().unwrap_or_default(),
        };
        points.push(Ledger {
            area: names.show(&page, &point.area),
            blanko: condition.blanko,
            is_kept,
            left: ledger.left,
            used: ledger.used,
            days: ledger.days,
            expected: ledger.expected.iter().map(|(day, n)| (page.date(*day), *n)).collect(),
            queue: count_queue(&web.app.db, &point.area).await?,
            entries: ledger.entries.iter().take(10).map(entry).collect(),
            code: point.code,
            name: point.name,
        });
    }
    let by_hand = web.app.settings.blanko.used_by == UsedBy::Entry;
    let kinds = EntryKind::ALL
        .iter()
        .filter(|kind| by_hand || **kind != EntryKind::Used)
        .map(|kind| (kind.as_str(), kind_name(&page, *kind)))
        .collect();
    let may_change = desk.may(Right::ChangePoints);
    shown(&BlankoPage { page, points, kinds, most: MOST_COUNTED, may_change, is_saved, refused })
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    page_of(&web, &desk, (done.selesai == "ya", String::new())).await
}

async fn add(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Filled(form): Filled<EntryForm>,
) -> Result<Response, Error> {
    let kind: EntryKind = form.kind.parse().map_err(|_| Error::BadParameter("kind".to_owned()))?;
    let page = Page::new(&web, &desk, HERE);
    let unreadable =
        page.t("Jumlah atau tanggalnya tidak terbaca.", "The number or the day cannot be read.");
    let cards = form.cards.trim().replace(['.', ' '], "").parse::<i64>().ok();
    let day = match form.day.trim() {
        "" => Some(None),
        text => text.parse::<NaiveDate>().ok().map(Some),
    };
    let (Some(cards), Some(day)) = (cards, day) else {
        return page_of(&web, &desk, (false, unreadable.to_owned())).await;
    };
    // Only what is expected has a day of its own; the others' field may stand filled.
    let day = day.filter(|_| kind == EntryKind::Expected);
    match enter(&web.app, &desk.actor, &code, (kind, cards), (day, Some(&form.note))).await {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}?selesai=ya")).into_response()),
        Err(BlankoError::Service(error)) => Err(error.into()),
        Err(BlankoError::NotFound) => Err(Error::NotFound),
        Err(BlankoError::Forbidden) => Err(Error::Forbidden("keep the ledger")),
        Err(BlankoError::Refused(_)) => {
            let words = page.t(
                "Tidak dicatat: jumlah 1 sampai 1.000.000; tanggal hanya untuk yang akan datang, dan harus sesudah hari ini.",
                "Not entered: 1 to 1,000,000 cards; a day only for what is expected, and after today.",
            );
            page_of(&web, &desk, (false, words.to_owned())).await
        }
    }
}
