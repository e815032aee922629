//! Broadcasts of sosialisasi: written with a preview of every phone, agreed to by a second person, sent, held,
//! and followed live.
//!
//! Every rule about them is the service's; here forms are read and what it says is shown.

mod act;
mod attach;
mod audience;
mod list;
mod preview;
mod run;
mod words;
mod write;

use super::page::Page;
use super::{Need, Rooms};
use crate::domain::broadcast::BroadcastState;
use crate::domain::id::BroadcastId;
use crate::domain::officer::Right;
use crate::web::Web;
use crate::web::error::Error;

/// Rows of a page.
const PAGE: i64 = 50;
/// Dates of a timetable that are shown.
const DATES: usize = 5;
const HERE: &str = "/console/siaran";

/// The routes.
pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let see = Need::Right(Right::SeeBroadcasts);
    let write = Need::Right(Right::Broadcast);
    rooms
        .get("/console/siaran", see, list::list)
        .get("/console/siaran/baru", write, write::new)
        .post("/console/siaran/baru", write, write::create)
        .get("/console/siaran/{id}", see, preview::show)
        .get("/console/siaran/{id}/ubah", write, write::edit)
        .post("/console/siaran/{id}/ubah", write, write::change)
        .get("/console/siaran/{id}/lampiran", see, attach::show)
        .post("/console/siaran/{id}/lampiran/hapus", write, attach::remove)
        .get("/console/siaran/{id}/gagal", see, run::failures)
        .get("/console/siaran/{id}/langsung", see, run::follow)
        .get("/console/siaran/{id}/hitung", see, run::follow_count)
        .post("/console/siaran/{id}/uji", write, act::test)
        .post("/console/siaran/{id}/ajukan", write, act::submit)
        .post("/console/siaran/{id}/setujui", Need::Right(Right::Approve), act::approve)
        .post("/console/siaran/{id}/tolak", Need::Right(Right::Approve), act::reject)
        .post("/console/siaran/{id}/kirim", write, act::send)
        .post("/console/siaran/{id}/jeda", write, act::pause)
        .post("/console/siaran/{id}/lanjut", write, act::resume)
        .post("/console/siaran/{id}/batal", write, act::cancel)
        .post("/console/siaran/{id}/ulang", write, act::retry)
}

fn state_words(web: &Web, page: &Page, state: BroadcastState) -> String {
    if page.is_english() {
        state.as_str().replace('_', " ")
    } else {
        web.app.templates.broadcast().state(state).to_owned()
    }
}

fn id(text: &str) -> Result<BroadcastId, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// Whether the form that goes to that path may bring files.
pub(super) fn takes_files(path: &str) -> bool {
    path == "/console/siaran/baru"
        || path.strip_prefix(HERE).is_some_and(|rest| rest.ends_with("/ubah"))
}

/// A number as the page writes it.
fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
