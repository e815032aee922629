//! What areas are called on the pages: the code, and the name where it was imported.

use std::collections::BTreeMap;

use super::desk::Desk;
use super::page::Page;
use crate::domain::area::AreaCode;
use crate::store::area::{find_names, list_within};
use crate::web::Web;
use crate::web::error::Error;

/// Areas offered in a form, at most: the kecamatan of a kabupaten and the desa of one kecamatan.
const OFFERED: i64 = 400;

/// The names of areas, as far as they are known.
pub(super) struct Names(BTreeMap<AreaCode, String>);

impl Names {
    /// Of these areas.
    pub(super) async fn of(web: &Web, codes: &[AreaCode]) -> Result<Self, Error> {
        let mut reading = web.app.db.reading().await?;
        let names = find_names(&mut reading, &web.app.db, codes).await?;
        Ok(Self(names))
    }

    /// `35.17.09 Jombang`.
    pub(super) fn show(&self, page: &Page, area: &AreaCode) -> String {
        if area.plain().is_empty() {
            return page.t("seluruh Indonesia", "all of Indonesia").to_owned();
        }
        match self.0.get(area) {
            Some(name) => format!("{area} {name}"),
            None => area.to_string(),
        }
    }
}

/// An area that a form offers.
pub(super) struct Offer {
    pub(super) code: String,
    pub(super) name: String,
}

/// The areas with a name within that of somebody, for a form that asks for one.
pub(super) async fn offers(web: &Web, desk: &Desk) -> Result<Vec<Offer>, Error> {
    let areas = list_within(&web.app.db, desk.area(), OFFERED).await?;
    Ok(areas.into_iter().map(|(code, name)| Offer { code: code.to_string(), name }).collect())
}
