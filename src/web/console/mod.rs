//! `/console` and `/kurir`: the officers' pages, made on the server; they work without JavaScript, and better with it.
//!
//! Here stand the routes, each with the right it needs, and what holds for all of them: who is at the desk, where
//! a form may come from, and what a browser may load. What a page shows is its own file's business; nothing here
//! reads a table.

mod account;
mod answer;
mod answer_words;
mod appointment;
mod area;
mod assets;
mod blanko;
mod broadcast;
mod calendar;
mod card;
mod card_export;
mod card_hands;
mod card_story;
mod chart;
mod collection;
mod consent;
mod courier;
mod delivery;
mod desk;
mod door;
mod failed;
mod form;
mod home_visit;
mod label;
mod listing;
mod mend;
mod officer;
mod outage;
mod page;
mod point;
mod question;
mod report;
mod report_chart;
mod report_file;
mod talk;
mod talk_words;
mod template;
mod today;
mod token;
mod trail;
mod trail_word;
mod upload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

use super::Web;
use crate::domain::attachment::MOST_BYTES;
use crate::domain::officer::Right;

/// Largest form that is read.
const FORM_BYTES: usize = 256 * 1024;
/// The same of a form with files: a file to be sent, a list, and what stands around them.
const FILE_BYTES: usize = MOST_BYTES + 4 * 1024 * 1024 + FORM_BYTES;

/// Who may come through a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Anybody, also before logging in.
    Nothing,
    /// Everybody who is logged in.
    Login,
    /// Whoever has this right.
    Right(Right),
}

/// One route of the console, for a test that walks them all.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path, with its parameters in braces.
    pub path: &'static str,
    /// Who may come through.
    pub need: Need,
}

/// Routes being collected: none can be added without saying who may come through it.
struct Rooms {
    router: Router<Web>,
    routes: Vec<Route>,
}

impl Rooms {
    fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        need: Need,
        handler: MethodRouter<Web>,
    ) -> Self {
        self.routes.push(Route { method, path, need });
        self.router = self.router.route(
            path,
            handler.layer(from_fn(move |request, next| desk::require(need, request, next))),
        );
        self
    }

    fn get<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        self.add("GET", path, need, get(handler))
    }

    fn post<H, T>(self, path: &'static str, need: Need, handler: H) -> Self
    where
        H: Handler<T, Web>,
        T: 'static,
    {
        self.add("POST", path, need, post(handler))
    }
}

fn rooms() -> Rooms {
    let rooms = Rooms { router: Router::new(), routes: Vec::new() };
    let rooms = courier::rooms(delivery::rooms(broadcast::rooms(rooms)));
    let rooms = consent::rooms(card::rooms(today::rooms(rooms)));
    let rooms = template::rooms(answer::rooms(question::rooms(talk::rooms(rooms))));
    let rooms = calendar::rooms(point::rooms(rooms));
    let rooms = collection::rooms(blanko::rooms(outage::rooms(rooms)));
    let rooms = appointment::rooms(home_visit::rooms(rooms));
    let rooms = trail::rooms(token::rooms(officer::rooms(report::rooms(rooms))));
    rooms
        .get("/console/masuk", Need::Nothing, door::show)
        .post("/console/masuk", Need::Nothing, door::sign_in)
        .get("/console/kode", Need::Nothing, door::show_code)
        .post("/console/kode", Need::Nothing, door::take_code)
        .get("/console/assets/{name}", Need::Nothing, assets::show)
        .post("/console/keluar", Need::Login, door::sign_out)
        .post("/console/bahasa", Need::Login, account::speak)
        .get("/console/akun", Need::Login, account::show)
        .post("/console/akun/sandi", Need::Login, account::change_password)
        .get("/console/akun/kode", Need::Login, account::show_totp)
        .post("/console/akun/kode", Need::Login, account::confirm_totp)
        .post("/console/akun/telegram", Need::Login, account::tie_chat)
        .post("/console/akun/telegram/lepas", Need::Login, account::untie_chat)
        .get("/console", Need::Login, account::first)
        .get("/console/{*rest}", Need::Login, page::not_found)
}

/// Every route of the console and who may come through it.
#[must_use]
pub fn routes() -> Vec<Route> {
    rooms().routes
}

/// The console.
pub(super) fn router(web: &Web) -> Router<Web> {
    rooms()
        .router
        .layer(from_fn_with_state(web.clone(), form::only_ours))
        .layer(from_fn_with_state(web.clone(), desk::find))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(from_fn(super::in_time))
        .layer(from_fn_with_state(web.clone(), page::as_page))
}
