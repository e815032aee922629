//! Through which channel somebody is told: their own choice first, then the office's order, each as
//! far as there is an account, an address and no word against it.

use super::{Account, App, ServiceError};
use crate::domain::area::AreaCode;
use crate::domain::consent::Refusal;
use crate::domain::message::{ChannelKind, MessageClass};
use crate::domain::outbound::Recipient;
use crate::store::person::Person;
use crate::store::{Tx, consent, contact};

/// A way to somebody.
#[derive(Clone, Debug)]
pub struct Route<'a> {
    /// Through which account.
    pub account: &'a Account,
    /// To which address.
    pub to: Recipient,
    /// Its hash.
    pub hash: String,
    /// Why it must not be used.
    pub refusal: Option<Refusal>,
}

/// All ways to a person in their order, those that must not be used included.
///
/// # Errors
/// When the database fails.
pub async fn list_routes<'a>(
    app: &'a App,
    tx: &mut Tx,
    person: &Person,
) -> Result<Vec<Route<'a>>, ServiceError> {
    let mut routes = Vec::new();
    for channel in order(person.channel, &app.settings.channels) {
        let Some(account) = app.account_for(channel, person.area.as_ref()) else { continue };
        for to in addresses(app, tx, person, account).await? {
            let hashes = consent::address_hashes(&app.db, &account.portfolio, &to);
            let known = consent::find_consent(tx, &hashes, Some(channel)).await?;
            let refusal = known.allows(MessageClass::Announcement).err();
            let hash = own_hash(channel, hashes);
            routes.push(Route { account, to, hash, refusal });
        }
    }
    Ok(routes)
}

/// Whether there is still a way besides these channels.
#[must_use]
pub fn has_next(routes: &[Route<'_>], but: &[ChannelKind]) -> bool {
    routes.iter().any(|route| route.refusal.is_none() && !but.contains(&route.account.channel))
}

/// Why nobody can be told: what speaks against the first way there is, or that there is none.
#[must_use]
pub fn no_way(
    app: &App,
    person: &Person,
    routes: &[Route<'_>],
    area: Option<&AreaCode>,
) -> Refusal {
    let has_account =
        app.settings.channels.iter().any(|&channel| app.account_for(channel, area).is_some());
    match routes.first() {
        Some(route) => route.refusal.unwrap_or(Refusal::NoAccount),
        None if person.phone.is_none() => Refusal::NoPhone,
        None if has_account => Refusal::NoPhone,
        None => Refusal::NoAccount,
    }
}

/// The person's own choice, then the office's order.
pub(super) fn order(own: Option<ChannelKind>, office: &[ChannelKind]) -> Vec<ChannelKind> {
    let own = own.filter(|channel| office.contains(channel));
    own.into_iter().chain(office.iter().copied().filter(|channel| own != Some(*channel))).collect()
}

/// Where somebody is on a channel: where they tied a chat to themselves, then their number.
async fn addresses(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    account: &Account,
) -> Result<Vec<Recipient>, ServiceError> {
    let key = (account.channel, account.portfolio.as_str());
    let phone = person.phone.as_ref();
    let tied = contact::list_of_person(tx, &app.db, key, person.id, phone).await?;
    let mut addresses: Vec<Recipient> = tied.into_iter().map(|contact| contact.address).collect();
    if account.channel != ChannelKind::Telegram
        && let Some(phone) = phone
        && addresses.iter().all(|address| address.phone.as_ref() != Some(phone))
    {
        addresses.push(Recipient::of_phone(phone.clone()));
    }
    Ok(addresses)
}

/// The hash of the part of an address that the channel writes to; the order of messages, limits and
/// lessons go by it.
#[must_use]
pub fn own_hash(channel: ChannelKind, hashes: Vec<String>) -> String {
    let mut hashes = hashes.into_iter();
    match channel {
        // A phone comes first, a chat last; WhatsApp may know no more than a user id.
        ChannelKind::Whatsapp | ChannelKind::Sms => hashes.next(),
        ChannelKind::Telegram => hashes.next_back(),
    }
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChannelKind::{Sms, Telegram, Whatsapp};

    #[test]
    fn the_persons_own_choice_comes_before_the_offices_order() {
        let office = [Whatsapp, Telegram, Sms];
        assert_eq!(order(None, &office), office);
        assert_eq!(order(Some(Sms), &office), [Sms, Whatsapp, Telegram]);
        assert_eq!(order(Some(Sms), &[Whatsapp]), [Whatsapp], "the office has no SMS");
    }
}
