//! Writing a broadcast and changing it: the form and what is said when it cannot be kept.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::act::after;
use super::attach::{self, Files, Kept};
use super::audience::Written;
use super::{HERE, id, words};
use crate::domain::id::BroadcastId;
use crate::service::broadcast::{self as service, BroadcastError, Draft};
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::console::page::{Page, show as shown};
use crate::web::console::upload::Upload;
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
    upload: Upload,
) -> Result<Response, Error> {
    let action = format!("{HERE}/baru");
    let (written, draft, files) = match read(&web, &desk, &upload).await? {
        Ok(read) => read,
        Err((written, problem)) => return form(&web, &desk, written, action, Some(problem)),
    };
    match service::create(&web.app, &desk.actor, &draft).await {
        Ok(id) => kept(id, files.keep(&web, &desk, id).await),
        Err(BroadcastError::Service(error)) => Err(error.into()),
        Err(error) => {
            let problem = words::draft(&Page::new(&web, &desk, HERE), &error);
            form(&web, &desk, written, action, Some(problem))
        }
    }
}

type Read = (Written, Draft, Files);

/// What the form says and brings, or what is wrong with it.
async fn read(
    web: &Web,
    desk: &Desk,
    upload: &Upload,
) -> Result<Result<Read, (Written, String)>, Error> {
    let written: Written = upload.filled()?;
    let page = Page::new(web, desk, HERE);
    let files = match attach::look(&page, upload).await? {
        Ok(files) => files,
        Err(problem) => return Ok(Err((written, problem))),
    };
    let list = if files.list.is_some() { "1".to_owned() } else { written.list.clone() };
    Ok(match (Written { list, ..written.clone() }).check(web, &page) {
        Ok(draft) => Ok((written, draft, files)),
        // A page cannot choose a file again for anybody.
        Err(problem) if files.are_chosen() => {
            let again = page.t("Pilih lagi berkasnya.", "Choose the file again.");
            Err((written, format!("{problem} {again}")))
        }
        Err(problem) => Err((written, problem)),
    })
}

/// To the broadcast, with what became of its list, or why its files were not kept: it is there all the same.
fn kept(id: BroadcastId, files: Result<Option<Kept>, BroadcastError>) -> Result<Response, Error> {
    let list = match files {
        Ok(list) => list,
        Err(error) => return after(id, "", Err::<(), _>(error)),
    };
    let counts = list.map_or_else(String::new, |Kept { taken, unreadable }| {
        format!("?kept={}&unknown={}&unreadable={unreadable}", taken.kept, taken.unknown)
    });
    Ok(Redirect::to(&format!("{HERE}/{id}{counts}")).into_response())
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
    upload: Upload,
) -> Result<Response, Error> {
    let id = id(&text)?;
    let action = format!("{HERE}/{id}/ubah");
    let (written, draft, files) = match read(&web, &desk, &upload).await? {
        Ok(read) => read,
        Err((written, problem)) => return form(&web, &desk, written, action, Some(problem)),
    };
    match service::change(&web.app, &desk.actor, id, &draft).await {
        Ok(()) => kept(id, files.keep(&web, &desk, id).await),
        Err(error @ (BroadcastError::NotFound | BroadcastError::Service(_))) => Err(error.into()),
        Err(error) => {
            let problem = words::draft(&Page::new(&web, &desk, HERE), &error);
            form(&web, &desk, written, action, Some(problem))
        }
    }
}
