//! Writing a broadcast and changing it: the form and what is said when it cannot be kept.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::audience::Written;
use super::{HERE, id};
use crate::service::broadcast::{self as service, BroadcastError};
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::console::form::Filled;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

#[derive(Template)]
#[template(path = "broadcast_form.html", config = "src/web/console/askama.toml")]
struct FormPage {
    page: Page,
    form: Written,
    action: String,
    problem: Option<String>,
    weekdays: [(&'static str, &'static str); 7],
}

fn form(
    web: &Web,
    desk: &Desk,
    form: Written,
    action: String,
    problem: Option<String>,
) -> Result<Response, Error> {
    let page = Page::new(web, desk, HERE);
    let weekdays = [
        ("MON", page.t("Senin", "Monday")),
        ("TUE", page.t("Selasa", "Tuesday")),
        ("WED", page.t("Rabu", "Wednesday")),
        ("THU", page.t("Kamis", "Thursday")),
        ("FRI", page.t("Jumat", "Friday")),
        ("SAT", page.t("Sabtu", "Saturday")),
        ("SUN", page.t("Minggu", "Sunday")),
    ];
    shown(&FormPage { page, form, action, problem, weekdays })
}

pub(super) async fn new(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let area = desk.area().to_string();
    let office = web.app.settings.office_area.to_string();
    let areas = if area.is_empty() { office } else { area };
    let written = Written { areas, when: "now".to_owned(), ..Written::default() };
    form(&web, &desk, written, format!("{HERE}/baru"), None)
}

pub(super) async fn create(
    State(web): State<Web>,
    desk: Desk,
    Filled(written): Filled<Written>,
) -> Result<Response, Error> {
    let action = format!("{HERE}/baru");
    let draft = match written.check(&web) {
        Ok(draft) => draft,
        Err(problem) => return form(&web, &desk, written, action, Some(problem)),
    };
    match service::create(&web.app, &desk.actor, &draft).await {
        Ok(id) => Ok(Redirect::to(&format!("{HERE}/{id}")).into_response()),
        Err(BroadcastError::Service(error)) => Err(error.into()),
        Err(error) => form(&web, &desk, written, action, Some(error.to_string())),
    }
}

pub(super) async fn edit(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
) -> Result<Response, Error> {
    let one = service::show(&web.app, &desk.actor, id(&text)?).await?;
    form(&web, &desk, Written::of(&web, &one), format!("{HERE}/{}/ubah", one.id), None)
}

pub(super) async fn change(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
    Filled(written): Filled<Written>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    let action = format!("{HERE}/{id}/ubah");
    let draft = match written.check(&web) {
        Ok(draft) => draft,
        Err(problem) => return form(&web, &desk, written, action, Some(problem)),
    };
    match service::change(&web.app, &desk.actor, id, &draft).await {
        Ok(()) => Ok(Redirect::to(&format!("{HERE}/{id}")).into_response()),
        Err(error @ (BroadcastError::NotFound | BroadcastError::Service(_))) => Err(error.into()),
        Err(error) => form(&web, &desk, written, action, Some(error.to_string())),
    }
}
