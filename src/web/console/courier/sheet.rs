//! The same round on paper, for a courier without a phone and for the file: plain HTML with a style for A4.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::words::word;
use super::{day_of, id_of, look, window_of};
use crate::service::round::{CourierItem, CourierRound};
use crate::store::officer::find_officer;
use crate::store::round::find_round;
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::console::page::{Page, show as shown};
use crate::web::error::Error;

/// What is ticked on paper, in the order of the boxes.
const BOXES: &[&str] =
    &["received", "nobody_home", "moved", "died", "unclear_address", "refused", "old_card_missing"];

#[derive(Template)]
#[template(path = "courier_sheet.html", config = "src/web/console/askama.toml")]
struct SheetPage {
    page: Page,
    round: CourierRound,
    day: String,
    window: String,
    courier: String,
    boxes: Vec<&'static str>,
    /// What became of the old card.
    old: Vec<&'static str>,
}

impl SheetPage {
    fn word(&self, group: &str, key: &str) -> &'static str {
        word(&self.page, group, key)
    }

    fn answer(&self, item: &CourierItem) -> String {
        let answer = self.word("answer", &item.answer);
        match (item.answer.as_str(), item.receiver.as_str()) {
            ("family", receiver) if !receiver.is_empty() => format!("{answer}: {receiver}"),
            _ => answer.to_owned(),
        }
    }
}

pub(super) async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = id_of(&id)?;
    let mut round = look(&web, &desk, id).await?;
    // Who is not visited today has no line to sign.
    round.items.retain(|item| matches!(item.state.as_str(), "planned" | "announced"));
    let mut reading = web.app.db.reading().await?;
    let courier = find_round(&mut reading, id).await?.ok_or(Error::NotFound)?.courier;
    drop(reading);
    let courier = find_officer(&web.app.db, courier).await?;
    let courier = courier.map(|officer| officer.name).unwrap_or_default();
    let page = Page::new(&web, &desk, "/kurir/");
    let day = day_of(&page, &round.date);
    let window = window_of(&round);
    let boxes = BOXES.iter().map(|key| word(&page, "out", key)).collect();
    let old = vec![
        page.t("KTP lama ditarik", "old card taken"),
        page.t("surat polisi", "police letter"),
        page.t("tidak ada", "neither"),
    ];
    shown(&SheetPage { page, round, day, window, courier, boxes, old })
}
