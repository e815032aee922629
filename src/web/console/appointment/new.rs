//! One session put down by hand: a recording day, a stop of the van, or a counter's day besides its plan.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::NaiveDate;

use super::{
    Fields, HERE, Notice, Tick, field, kind_name, refused, services_of, terms_of, ticks, today,
};
use crate::domain::area::AreaCode;
use crate::domain::service_session::{LONGEST_WORDS, SessionError, SessionKind};
use crate::service::appointment::{AppointmentError, NewSession, add_session};
use crate::store::service_point::list_within;
use crate::web::Web;
use crate::web::console::area::{Offer, offers};
use crate::web::console::desk::Desk;
use crate::web::console::form::Filled;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

/// Points that the form offers, at most.
const POINTS: i64 = 500;
/// What goes out, in the order in which it is offered.
const KINDS: [SessionKind; 3] =
    [SessionKind::RecordingDay, SessionKind::Mobile, SessionKind::Counter];

#[derive(Template)]
#[template(path = "session_new.html", config = "src/web/console/askama.toml")]
struct NewPage {
    page: Page,
    notice: Option<Notice>,
    /// Word, name, whether it is chosen.
    kinds: Vec<(&'static str, &'static str, bool)>,
    /// Code, name, whether it is chosen.
    points: Vec<(String, String, bool)>,
    areas: Vec<Offer>,
    services: Vec<Tick>,
    today: NaiveDate,
    share: i64,
    longest: usize,
    fields: Fields,
}

impl NewPage {
    fn value(&self, name: &str) -> &str {
        field(&self.fields, name)
    }
}

async fn new_page(
    web: &Web,
    desk: &Desk,
    fields: Fields,
    notice: Option<Notice>,
) -> Result<Response, Error> {
    let page = Page::new(web, desk, HERE);
    let mut reading = web.app.db.reading().await?;
    let points = list_within(&mut reading, desk.area(), "", POINTS).await?;
    drop(reading);
    let chosen = field(&fields, "point");
    let points = points.into_iter().map(|(point, _)| {
        let is_chosen = point.code == chosen;
        (point.code, point.name, is_chosen)
    });
    let points = points.collect();
    let kinds = KINDS.map(|kind| {
        (kind.as_str(), kind_name(&page, kind), field(&fields, "kind") == kind.as_str())
    });
    shown(&NewPage {
        notice,
        kinds: kinds.to_vec(),
        points,
        areas: offers(web, desk).await?,
        services: ticks(&page, &fields),
        today: today(web),
        share: web.app.settings.appointment.held_percent,
        longest: LONGEST_WORDS,
        fields,
        page,
    })
}

pub(super) async fn show(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let recording = vec![("service".to_owned(), "recording".to_owned())];
    new_page(&web, &desk, recording, None).await
}

/// The session of a form, or what is wrong with it.
fn session_of(fields: &Fields) -> Result<NewSession, AppointmentError> {
    let text = |name: &str| Some(field(fields, name)).filter(|text| !text.is_empty());
    let (window, quota, held) = terms_of(fields)?;
    let area = text("area").map(|area| AreaCode::parse(area).map_err(|_| SessionError::Place));
    Ok(NewSession {
        kind: field(fields, "kind").parse().map_err(|_| AppointmentError::Service)?,
        point: text("point").map(str::to_owned),
        place: text("place")
            .map(|place| (place.to_owned(), text("place_short").map(str::to_owned))),
        area: area.transpose()?,
        map: None,
        day: field(fields, "day").parse().map_err(|_| SessionError::Day)?,
        window,
        services: services_of(fields),
        quota,
        held,
    })
}

pub(super) async fn add(
    State(web): State<Web>,
    desk: Desk,
    Filled(form): Filled<Fields>,
) -> Result<Response, Error> {
    let result = match session_of(&form) {
        Ok(new) => {
            let day = new.day;
            add_session(&web.app, &desk.actor, new).await.map(|_| day)
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(day) => Ok(Redirect::to(&format!("{HERE}?hari={day}&selesai=ditambah")).into_response()),
        Err(AppointmentError::NotFound) => {
            let page = Page::new(&web, &desk, HERE);
            let words = page
                .t("Kode wilayah itu di luar wilayah Anda.", "That area code is not in your area.");
            let notice = Notice::bad(words);
            new_page(&web, &desk, form, Some(notice)).await
        }
        Err(error) => {
            let notice = refused(&Page::new(&web, &desk, HERE), error)?;
            new_page(&web, &desk, form, Some(notice)).await
        }
    }
}
