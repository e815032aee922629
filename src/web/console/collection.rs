//! `/console/ambil`: cards that lie ready and nobody collects, desa by desa and by age; handing them to a desa with a
//! list to sign; and what citizens say they have collected.
//!
//! Names are masked, as in every list.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::area::Names;
use super::card_export::{Line as Cells, csv_bytes, harmless, write_workbook};
use super::desk::Desk;
use super::form::Filled;
use super::listing::{cursor, last_of_full};
use super::page::{Page, show as shown};
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::audit::Action;
use crate::domain::clock::Timestamp;
use crate::domain::collection::days_lain;
use crate::domain::id::{CardId, CollectionId};
use crate::domain::message::ChannelKind;
use crate::domain::officer::Right;
use crate::domain::person::PersonName;
use crate::service::collection::{
    CollectionError, MOST_CARDS, Refusal, cancel_list, deny_taken, hand_out, hand_to_desa,
    take_list,
};
use crate::service::officer::note_look;
use crate::store::collection::{
    DesaCount, Reached, Unclaimed, count_unclaimed, list_taken_said, list_unclaimed,
};
use crate::store::collection_list::{find_list, list_items, list_lists};
use crate::web::Web;
use crate::web::error::Error;

/// The page's way.
pub(super) const HERE: &str = "/console/ambil";
/// Ages by which unclaimed cards are counted, in days.
const AGES: [u64; 3] = [7, 30, 90];
/// Cards of a page.
const PAGE: i64 = 100;
/// Cards read at once for a file, and most of them.
const CHUNK: i64 = 500;
const MOST_ROWS: usize = 50_000;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let see = Need::Right(Right::SeeCards);
    let (carry, hand) = (Need::Right(Right::CarryCards), Need::Right(Right::ChangePoints));
    rooms
        .get("/console/ambil", see, show)
        .get("/console/ambil/desa/{area}", see, show_desa)
        .post("/console/ambil/desa/{area}", hand, hand_over)
        .get("/console/ambil/desa/{area}/unduh/{form}", Need::Right(Right::Export), export)
        .post("/console/ambil/kartu/{id}/diserahkan", carry, handed)
        .post("/console/ambil/kartu/{id}/belum", carry, denied)
        .get("/console/ambil/daftar/{id}", see, show_list)
        .post("/console/ambil/daftar/{id}/terima", carry, take)
        .post("/console/ambil/daftar/{id}/batal", hand, cancel)
}

struct Desa {
    code: String,
    name: String,
    cards: [i64; 4],
    days: i64,
}

struct Row {
    id: String,
    name: String,
    place: String,
    document: String,
    since: String,
    days: i64,
    step: i64,
    point: String,
    reference: String,
    has_said: bool,
}

struct Item {
    position: i64,
    row: Row,
    handed: Option<Timestamp>,
}

struct ListLine {
    id: String,
    number: String,
    area: String,
    made_at: Timestamp,
    taken_at: Option<Timestamp>,
    is_cancelled: bool,
}

#[derive(Template)]
#[template(path = "collection.html", config = "src/web/console/askama.toml")]
struct CollectionPage {
    page: Page,
    desa: Vec<Desa>,
    said: Vec<Row>,
    lists: Vec<ListLine>,
    may_carry: bool,
    refused: Option<&'static str>,
    is_done: bool,
}

#[derive(Template)]
#[template(path = "collection_desa.html", config = "src/web/console/askama.toml")]
struct DesaPage {
    page: Page,
    code: String,
    name: String,
    age: u64,
    ages: [u64; 3],
    rows: Vec<Row>,
    next: Option<String>,
    may_hand: bool,
    may_export: bool,
    refused: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "collection_list.html", config = "src/web/console/askama.toml")]
struct ListPage {
    page: Page,
    id: String,
    number: String,
    area: String,
    place: String,
    made_at: Timestamp,
    taken_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    items: Vec<Item>,
    may_carry: bool,
    may_hand: bool,
}

#[derive(Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    selesai: String,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    umur: Option<u64>,
    #[serde(default)]
    sesudah: String,
}

fn row(web: &Web, page: &Page, card: &Unclaimed) -> Row {
    let now = web.app.now();
    let zone = web.app.zone(card.area.as_ref()).offset();
    let words = web.app.templates.vocabulary();
    let (rw, rt) = &card.place;
    let part = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("{name} {value}")).unwrap_or_default()
    };
    Row {
        id: card.id.to_string(),
        name: card.name.as_ref().map(PersonName::masked).unwrap_or_default(),
        place: format!("{} {}", part("RT", rt), part("RW", rw)).trim().to_owned(),
        document: words.document(card.document, ChannelKind::Sms),
        since: page.date(card.since.in_zone(zone).date_naive()),
        days: days_lain(card.since, now, zone),
        step: card.step,
        point: card.service_point.clone().unwrap_or_default(),
        reference: card.reference.as_deref().map(tail).unwrap_or_default(),
        has_said: card.taken_said_at.is_some(),
    }
}

/// The last part of a reference: enough to find a card among those of a desa.
fn tail(reference: &str) -> String {
    reference.rsplit('-').next().unwrap_or_default().to_owned()
}

fn ago(web: &Web, days: u64) -> Timestamp {
    web.app.now().before(std::time::Duration::from_secs(days * 24 * 3600))
}

fn failed(error: CollectionError) -> Error {
    match error {
        CollectionError::Service(error) => error.into(),
        CollectionError::NotFound => Error::NotFound,
        CollectionError::Forbidden => Error::Forbidden("hand cards over"),
        CollectionError::Refused(what) => Error::Conflict(what.to_string()),
    }
}

/// Why no list was made, in words.
fn why(page: &Page, refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotReady | Refusal::Followed | Refusal::Elsewhere => page.t(
            "Ada kartu yang sudah tidak siap diambil di sini. Muat ulang halaman ini, lalu pilih lagi.",
            "One of the cards does not lie ready here any more. Load this page again and pick anew.",
        ),
        Refusal::Courier => page.t(
            "Ada kartu yang sedang dibawa kurir. Keluarkan dari pilihan.",
            "A courier has one of the cards. Leave it out.",
        ),
        Refusal::NotInDesa => page.t(
            "Kartu ini belum ada di desa. Terima dulu daftarnya dari kecamatan.",
            "This card is not in the desa yet. Take the list over from the kecamatan first.",
        ),
        Refusal::Count => page.t("Pilih 1 sampai 500 kartu.", "Pick 1 to 500 cards."),
        Refusal::OtherDesa => page.t(
            "Ada kartu warga desa lain. Satu daftar untuk satu desa.",
            "One of the cards is of another desa. A list is for one desa.",
        ),
        Refusal::Listed => page.t(
            "Ada kartu yang sudah tertulis di daftar lain.",
            "One of the cards stands on another list.",
        ),
        Refusal::Said => page.t(
            "Ada warga yang bilang kartunya sudah diambil. Pastikan dulu di halaman Pengambilan.",
            "Somebody says that they have their card. Settle that on the page Collection first.",
        ),
        Refusal::Taken | Refusal::Cancelled => page.t("Daftar ini sudah selesai.", "This list is done with."),
    }
}

async fn show(
    State(web): State<Web>,
    desk: Desk,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    let (db, within) = (&web.app.db, (desk.area(), desk.sees_all(&web)));
    let counts = count_unclaimed(db, within, AGES.map(|days| ago(&web, days))).await?;
    let said = list_taken_said(db, within, PAGE).await?;
    let lists = list_lists(db, desk.area(), 50).await?;
    let mut codes: Vec<AreaCode> = counts.iter().filter_map(|count| count.area.clone()).collect();
    codes.extend(lists.iter().map(|list| list.area.clone()));
    let names = Names::of(&web, &codes).await?;
    let page = Page::new(&web, &desk, HERE);
    let counted = counts.iter().map(|count| desa(&web, (&page, &names), count)).collect();
    let lists = lists
        .into_iter()
        .map(|list| ListLine {
            id: list.id.to_string(),
            number: list.number,
            area: names.show(&page, &list.area),
            made_at: list.made_at,
            taken_at: list.taken_at,
            is_cancelled: list.cancelled_at.is_some(),
        })
        .collect();
    shown(&CollectionPage {
        desa: counted,
        said: said.iter().map(|card| row(&web, &page, card)).collect(),
        lists,
        may_carry: desk.may(Right::CarryCards),
        refused: (done.selesai == AWAY).then(|| why(&page, Refusal::NotInDesa)),
        is_done: !done.selesai.is_empty() && done.selesai != AWAY,
        page,
    })
}

fn desa(web: &Web, (page, names): (&Page, &Names), count: &DesaCount) -> Desa {
    let zone = web.app.zone(count.area.as_ref()).offset();
    Desa {
        code: count.area.as_ref().map(ToString::to_string).unwrap_or_default(),
        name: count.area.as_ref().map_or_else(
            || page.t("wilayah tidak diketahui", "area not known").to_owned(),
            |area| names.show(page, area),
        ),
        cards: count.cards,
        days: days_lain(count.oldest, web.app.now(), zone),
    }
}

/// An area of a path, if it is theirs.
fn area_of(web: &Web, desk: &Desk, code: &str) -> Result<AreaCode, Error> {
    let area = AreaCode::parse(code).map_err(|_| Error::NotFound)?;
    if area.plain().len() < 4 {
        return Err(Error::NotFound);
    }
    desk.covers(web, Some(&area))?;
    Ok(area)
}

async fn page_of_desa(
    web: &Web,
    desk: &Desk,
    area: &AreaCode,
    asked: &Asked,
    refused: Option<Refusal>,
) -> Result<Response, Error> {
    let after: Option<Reached> = cursor(&asked.sesudah)?;
    let age = asked.umur.filter(|age| AGES.contains(age)).unwrap_or(0);
    let cards = list_unclaimed(&web.app.db, area, ago(web, age), after, PAGE).await?;
    let names = Names::of(web, std::slice::from_ref(area)).await?;
    let page = Page::new(web, desk, HERE);
    shown(&DesaPage {
        code: area.to_string(),
        name: names.show(&page, area),
        age,
        ages: AGES,
        rows: cards.iter().map(|card| row(web, &page, card)).collect(),
        next: last_of_full(&cards, PAGE).map(|card| card.reached().to_string()),
        may_hand: desk.may(Right::ChangePoints) && area.plain().len() == 10,
        may_export: desk.may(Right::Export),
        refused: refused.map(|refusal| why(&page, refusal)),
        page,
    })
}

async fn show_desa(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let area = area_of(&web, &desk, &code)?;
    note_look(&web.app, &desk.actor, Action::LookedAtUnclaimed, &area.to_string()).await?;
    page_of_desa(&web, &desk, &area, &asked, None).await
}

async fn hand_over(
    State(web): State<Web>,
    desk: Desk,
    Path(code): Path<String>,
    Filled(fields): Filled<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let area = area_of(&web, &desk, &code)?;
    let cards: Vec<CardId> = fields
        .iter()
        .filter(|(name, _)| name == "kartu")
        .filter_map(|(_, id)| id.parse().ok())
        .take(MOST_CARDS + 1)
        .collect();
    match hand_to_desa(&web.app, &desk.actor, &area, &cards).await {
        Ok(id) => Ok(Redirect::to(&format!("{HERE}/daftar/{id}")).into_response()),
        Err(CollectionError::Refused(refusal)) => {
            let asked = Asked { umur: None, sesudah: String::new() };
            page_of_desa(&web, &desk, &area, &asked, Some(refusal)).await
        }
        Err(error) => Err(failed(error)),
    }
}

fn card_id(id: &str) -> Result<CardId, Error> {
    id.parse().map_err(|_| Error::NotFound)
}

/// A card was to be handed out that is not in the desa.
const AWAY: &str = "belum-di-desa";

/// Where a form came from: the list it stands on, else the first page.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    daftar: String,
}

fn back(form: &Back) -> Response {
    match form.daftar.parse::<CollectionId>() {
        Ok(id) => Redirect::to(&format!("{HERE}/daftar/{id}")).into_response(),
        Err(_) => Redirect::to(&format!("{HERE}?selesai=ya")).into_response(),
    }
}

async fn handed(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Back>,
) -> Result<Response, Error> {
    match hand_out(&web.app, &desk.actor, card_id(&id)?).await {
        Err(CollectionError::Refused(Refusal::NotInDesa)) => {
            Ok(Redirect::to(&format!("{HERE}?selesai={AWAY}")).into_response())
        }
        // Pressed twice, or by two: the card is out either way.
        Ok(()) | Err(CollectionError::Refused(_)) => Ok(back(&form)),
        Err(error) => Err(failed(error)),
    }
}

async fn denied(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Filled(form): Filled<Back>,
) -> Result<Response, Error> {
    match deny_taken(&web.app, &desk.actor, card_id(&id)?).await {
        // Somebody else settled it: the list shows how.
        Ok(()) | Err(CollectionError::Refused(_)) => Ok(back(&form)),
        Err(error) => Err(failed(error)),
    }
}

async fn show_list(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id: CollectionId = id.parse().map_err(|_| Error::NotFound)?;
    let mut reading = web.app.db.reading().await?;
    let list = find_list(&mut reading, id).await?.ok_or(Error::NotFound)?;
    drop(reading);
    desk.covers(&web, Some(&list.area))?;
    let items = list_items(&web.app.db, id).await?;
    let names = Names::of(&web, std::slice::from_ref(&list.area)).await?;
    let page = Page::new(&web, &desk, HERE);
    let items = items
        .iter()
        .map(|item| Item {
            position: item.position,
            row: row(&web, &page, &item.card),
            handed: item.handed_at,
        })
        .collect();
    shown(&ListPage {
        id: id.to_string(),
        number: list.number,
        area: names.show(&page, &list.area),
        place: list.place,
        made_at: list.made_at,
        taken_at: list.taken_at,
        cancelled_at: list.cancelled_at,
        items,
        may_carry: desk.may(Right::CarryCards),
        may_hand: desk.may(Right::ChangePoints),
        page,
    })
}

async fn take(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id: CollectionId = id.parse().map_err(|_| Error::NotFound)?;
    to_list(id, take_list(&web.app, &desk.actor, id).await)
}

async fn cancel(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id: CollectionId = id.parse().map_err(|_| Error::NotFound)?;
    to_list(id, cancel_list(&web.app, &desk.actor, id).await)
}

/// The list as it is now, also for whoever came too late.
fn to_list(id: CollectionId, done: Result<(), CollectionError>) -> Result<Response, Error> {
    match done {
        Ok(()) | Err(CollectionError::Refused(_)) => {
            Ok(Redirect::to(&format!("{HERE}/daftar/{id}")).into_response())
        }
        Err(error) => Err(failed(error)),
    }
}

async fn export(
    State(web): State<Web>,
    desk: Desk,
    Path((code, form)): Path<(String, String)>,
) -> Result<Response, Error> {
    let area = area_of(&web, &desk, &code)?;
    if !matches!(form.as_str(), "csv" | "xlsx") {
        return Err(Error::NotFound);
    }
    // Before the first row leaves: a list that was broken off was taken out all the same.
    let object = format!("unclaimed:{area}:{form}");
    note_look(&web.app, &desk.actor, Action::Exported, &object).await?;
    let lines = all_lines(&web, &desk, &area).await?;
    let (kind, body) = if form == "csv" {
        let bytes = csv_bytes(&lines).map_err(|_| Error::Internal)?;
        let whole = ["\u{feff}".as_bytes(), &bytes].concat();
        ("text/csv; charset=utf-8", Body::from(whole))
    } else {
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        (kind, Body::from_stream(workbook(lines)))
    };
    let name = format!("attachment; filename=\"belum-diambil-{}.{form}\"", area.plain());
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

async fn all_lines(web: &Web, desk: &Desk, area: &AreaCode) -> Result<Vec<Cells>, Error> {
    let page = Page::new(web, desk, HERE);
    let heading = [
        ("Nomor kartu", "Card id"),
        ("Nama", "Name"),
        ("Desa", "Desa"),
        ("RT RW", "RT RW"),
        ("Dokumen", "Document"),
        ("Siap sejak", "Ready since"),
        ("Hari", "Days"),
        ("Pengingat", "Reminders"),
        ("Tempat", "Place"),
        ("Ref", "Ref"),
    ];
    let mut lines = vec![heading.map(|(id, en)| page.t(id, en).to_owned()).to_vec()];
    let mut after = None;
    loop {
        let cards = list_unclaimed(&web.app.db, area, web.app.now(), after, CHUNK).await?;
        let codes: Vec<AreaCode> = cards.iter().filter_map(|card| card.area.clone()).collect();
        let names = Names::of(web, &codes).await?;
        for card in &cards {
            let row = row(web, &page, card);
            let home = card.area.as_ref().map(|area| names.show(&page, area)).unwrap_or_default();
            let (days, step) = (row.days.to_string(), row.step.to_string());
            let (when, at) = ([row.since, days, step], [row.point, row.reference]);
            let who = [row.id, row.name, home, row.place, row.document];
            lines.push(who.iter().chain(&when).chain(&at).map(|cell| harmless(cell)).collect());
        }
        after = last_of_full(&cards, CHUNK).map(Unclaimed::reached);
        if after.is_none() || lines.len() > MOST_ROWS {
            return Ok(lines);
        }
    }
}

fn workbook(
    lines: Vec<Cells>,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    let (rows, mut taken) = mpsc::channel(1);
    let (pieces, received) = mpsc::channel(4);
    tokio::spawn(async move {
        let out = pieces.clone();
        let writing = tokio::task::spawn_blocking(move || write_workbook(&mut taken, &out));
        let _ = rows.send(lines).await;
        drop(rows);
        if let Ok(Err(error)) = writing.await {
            let _ = pieces.send(Err(error)).await;
        }
    });
    stream::unfold(received, |mut received| async move {
        received.recv().await.map(|piece| (piece, received))
    })
}
