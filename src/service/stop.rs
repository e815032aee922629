//! Whoever asks to stop hears nothing more: at the address they wrote from, and, where that address is
//! one person's alone, at all their others. An address that a family shares speaks for itself only.

use super::{App, ServiceError, route};
use crate::domain::clock::Timestamp;
use crate::domain::outbound::Recipient;
use crate::domain::phone::PhoneNumber;
use crate::store::consent::{self, ConsentChange};
use crate::store::message::cancel_waiting_of_address;
use crate::store::person::{self, Person};
use crate::store::{StoreError, Tx};

/// Writes nothing unasked to these any more, and withdraws what waits.
///
/// # Errors
/// When the database fails.
pub async fn opt_out(
    app: &App,
    tx: &mut Tx,
    hashes: &[String],
    people: &[Person],
    now: Timestamp,
) -> Result<(), ServiceError> {
    let all = all_hashes(app, tx, hashes, people).await?;
    consent::apply(tx, &all, ConsentChange::OptOut, now).await?;
    cancel_waiting_of_address(tx, &all, "opted_out", now).await?;
    Ok(())
}

/// Messages are welcome again at the same addresses.
///
/// # Errors
/// When the database fails.
pub async fn opt_in(
    app: &App,
    tx: &mut Tx,
    hashes: &[String],
    people: &[Person],
    now: Timestamp,
) -> Result<(), ServiceError> {
    let all = all_hashes(app, tx, hashes, people).await?;
    consent::apply(tx, &all, ConsentChange::OptIn, now).await?;
    Ok(())
}

/// The same for somebody who asked at the counter because a sender by name takes no answers.
///
/// # Errors
/// When the database fails.
pub async fn opt_out_phone(app: &App, phone: &PhoneNumber) -> Result<(), ServiceError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let to = Recipient::of_phone(phone.clone());
    let hashes = consent::address_hashes(&app.db, "", &to);
    let people = person::list_by_phone(&mut tx, &app.db, phone).await?;
    opt_out(app, &mut tx, &hashes, &people, now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

async fn all_hashes(
    app: &App,
    tx: &mut Tx,
    hashes: &[String],
    people: &[Person],
) -> Result<Vec<String>, ServiceError> {
    let mut all = hashes.to_vec();
    if let [person] = people {
        for route in route::list_routes(app, tx, person).await? {
            let portfolio = &route.account.portfolio;
            all.extend(consent::address_hashes(&app.db, portfolio, &route.to));
        }
        all.sort_unstable();
        all.dedup();
    }
    Ok(all)
}
