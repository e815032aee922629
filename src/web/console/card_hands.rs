//! Into whose hands a card came, for its timeline. Shows what `custody` keeps and decides nothing.

use super::card_story::{Event, officer_name};
use super::page::Page;
use crate::domain::custody::Holder;
use crate::domain::id::CardId;
use crate::store::area::find_names;
use crate::store::custody::list_of_card;
use crate::store::service_point::find_point;
use crate::web::Web;
use crate::web::error::Error;

/// Every hand-over of a card.
pub(super) async fn hands(web: &Web, page: &Page, card: CardId) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    for held in list_of_card(&web.app.db, card).await? {
        let with = page.t("Kartu sekarang di tangan:", "The card is now with:");
        let title = format!("{with} {}", holder(web, page, &held.holder).await?);
        let mut event = Event::new(page, held.from, title);
        if !held.by.starts_with("src_") && held.why != "source" {
            let by = page.t("Dicatat oleh", "Noted by");
            event = event.line(format!("{by} {}", officer_name(web, page, &held.by).await?));
        }
        events.push(event);
    }
    Ok(events)
}

async fn holder(web: &Web, page: &Page, holder: &Holder) -> Result<String, Error> {
    let mut reading = web.app.db.reading().await?;
    Ok(match holder {
        Holder::Point(code) => {
            let point = find_point(&mut reading, code).await?;
            point.map_or_else(|| code.clone(), |point| point.name)
        }
        Holder::Courier(id) => {
            drop(reading);
            let name = officer_name(web, page, &id.to_string()).await?;
            format!("{} {name}", page.t("kurir", "courier"))
        }
        Holder::Desa(area) => {
            let names = find_names(&mut reading, &web.app.db, std::slice::from_ref(area)).await?;
            let name = names.into_values().next().unwrap_or_else(|| area.to_string());
            format!("{} {name}", page.t("kantor desa", "the office of"))
        }
        Holder::Citizen => page.t("warga", "the citizen").to_owned(),
    })
}
