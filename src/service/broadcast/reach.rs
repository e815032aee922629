//! Who of a page of people gets a broadcast, where, and why not: everything is read once for the whole page.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::dialogue::State;
use crate::domain::area::AreaCode;
use crate::domain::audience::{Audience, Home, is_minor};
use crate::domain::broadcast::LeftOut;
use crate::domain::consent::Refusal;
use crate::domain::id::ContactId;
use crate::domain::language::Language;
use crate::domain::message::{ChannelKind, MessageClass};
use crate::domain::officer::Actor;
use crate::domain::outbound::Recipient;
use crate::service::{Account, App, ServiceError, route};
use crate::store::audience::{self as rows, Candidate, Reachable};
use crate::store::consent::address_hashes;

/// What holds for all of them.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    audience: &'a Audience,
    area: AreaCode,
    /// Whoever writes to the whole office also reaches those of whom nobody knows where they live.
    is_office_wide: bool,
    /// They were found to be meant before.
    is_again: bool,
    today: NaiveDate,
    channels: Vec<ChannelKind>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(app: &App, actor: &Actor, audience: &'a Audience) -> Self {
        let office = &app.settings.office_area;
        Self {
            audience,
            area: actor.area.clone(),
            is_again: false,
            is_office_wide: actor.covers(None, office),
            today: app.now().in_zone(office.zone().offset()).date_naive(),
            channels: app.settings.channels.clone(),
        }
    }

    /// The same for those who were meant before: who has turned 17 since is meant still.
    pub(super) fn again(self) -> Self {
        Self { is_again: true, ..self }
    }

    /// The same on one channel alone.
    pub(super) fn on(self, channel: ChannelKind) -> Self {
        Self { channels: vec![channel], is_office_wide: true, is_again: true, ..self }
    }
}

/// What becomes of somebody.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// The audience asks for others.
    NotMeant,
    /// Is meant and does not get it.
    LeftOut(LeftOut),
    /// Gets it.
    Way(Way<'a>),
}

/// Through which account, to which address.
#[derive(Clone, Debug)]
pub(super) struct Way<'a> {
    pub(super) account: &'a Account,
    pub(super) to: Recipient,
    pub(super) hash: String,
    pub(super) contact: Option<ContactId>,
    /// By what it is told whether two get it at one phone: the number, wherever it is written to.
    pub(super) key: String,
    hashes: Vec<String>,
}

impl<'a> Way<'a> {
    /// The way into a chat that is known to be open.
    pub(super) fn to(account: &'a Account, to: Recipient, hash: String) -> Self {
        Self { account, to, key: hash.clone(), hashes: vec![hash.clone()], hash, contact: None }
    }
}

/// Decides about a page, in its order.
pub(super) async fn decide<'a>(
    app: &'a App,
    rules: &Rules<'_>,
    page: &[Candidate],
) -> Result<Vec<Verdict<'a>>, ServiceError> {
    let chats = rows::find_chats(&app.db, page).await?;
    let dialogues = match rules.audience.language {
        Some(_) => rows::find_dialogues(&app.db, page).await?,
        None => BTreeMap::new(),
    };
    let children = children_alone(app, rules, page).await?;
    let none = Vec::new();
    let ways: Vec<Vec<Way<'a>>> = page
        .iter()
        .enumerate()
        .map(|(n, one)| list_ways(app, rules, one, chats.get(&n).unwrap_or(&none)))
        .collect();
    let hashes: BTreeSet<&str> =
        ways.iter().flatten().flat_map(|way| &way.hashes).map(String::as_str).collect();
    let consents = rows::find_consents(&app.db, &hashes).await?;
    let verdicts = page
        .iter()
        .zip(ways)
        .enumerate()
        .map(|(n, (one, ways))| {
            if let Some(verdict) = before_ways(rules, one, dialogues.get(&n), children.contains(&n))
            {
                return verdict;
            }
            let has_ways = !ways.is_empty();
            let mut refused = None;
            for way in ways {
                match consents.of(&way.hashes, way.account.channel).allows(MessageClass::Broadcast)
                {
                    Ok(()) => return Verdict::Way(way),
                    Err(refusal) => {
                        refused.get_or_insert(refusal);
                    }
                }
            }
            let has_account =
                |channel: &ChannelKind| app.account_for(*channel, one.area.as_ref()).is_some();
            Verdict::LeftOut(match refused {
                Some(Refusal::OptedOut) => LeftOut::OptedOut,
                Some(Refusal::NoMarketing) => LeftOut::NoMarketing,
                Some(_) => LeftOut::Suppressed,
                None if !has_ways && !rules.channels.iter().any(has_account) => LeftOut::NoAccount,
                None => LeftOut::NoPhone,
            })
        })
        .collect();
    Ok(verdicts)
}

/// What can be said before anybody looks for a way.
fn before_ways<'a>(
    rules: &Rules<'_>,
    one: &Candidate,
    dialogues: Option<&Vec<String>>,
    is_child_alone: bool,
) -> Option<Verdict<'a>> {
    let [dusun, rw, rt] = one.home.each_ref().map(Option::as_deref);
    let birthday = one.nik.as_ref().and_then(|nik| nik.birthday(rules.today));
    let is_meant = rules.audience.has_home(&Home { dusun, rw, rt })
        && rules.audience.has_age(birthday, rules.today)
        && rules.audience.language.is_none_or(|wanted| wanted == language(dialogues));
    if !is_meant && !rules.is_again {
        return Some(Verdict::NotMeant);
    }
    let is_inside = match &one.area {
        Some(area) if rules.is_again => area.is_within(&rules.area),
        Some(area) => {
            area.is_within(&rules.area)
                && rules.audience.areas.iter().any(|asked| area.is_within(asked))
        }
        None => rules.is_office_wide,
    };
    if !is_inside {
        return Some(Verdict::LeftOut(LeftOut::OutsideArea));
    }
    is_child_alone.then_some(Verdict::LeftOut(LeftOut::Minor))
}

/// In which language somebody is answered: who never wrote, in Indonesian.
fn language(dialogues: Option<&Vec<String>>) -> Language {
    let stored = dialogues.into_iter().flatten();
    stored
        .filter_map(|json| serde_json::from_str::<State>(json).ok())
        .map(|state| state.language)
        .find(|language| *language != Language::Indonesian)
        .unwrap_or_default()
}

/// The places in the page of those under age at whose number no grown-up is on file.
async fn children_alone(
    app: &App,
    rules: &Rules<'_>,
    page: &[Candidate],
) -> Result<BTreeSet<usize>, ServiceError> {
    let is_child = |one: &Candidate| one.nik.as_ref().is_some_and(|nik| is_minor(nik, rules.today));
    let mut children: BTreeSet<usize> =
        page.iter().enumerate().filter(|(_, one)| is_child(one)).map(|(n, _)| n).collect();
    if children.is_empty() {
        return Ok(children);
    }
    let hash = |n: &usize| page.get(*n).and_then(|one| one.phone_hash.as_deref());
    let hashes: BTreeSet<&str> = children.iter().filter_map(hash).collect();
    let families = rows::find_niks(&app.db, &hashes).await?;
    children.retain(|n| {
        let family = hash(n).and_then(|hash| families.get(hash));
        !family.is_some_and(|niks| niks.iter().any(|nik| !is_minor(nik, rules.today)))
    });
    Ok(children)
}

/// All ways to somebody in their order: their own choice of a channel, then the office's.
fn list_ways<'a>(
    app: &'a App,
    rules: &Rules<'_>,
    one: &Candidate,
    chats: &[Reachable],
) -> Vec<Way<'a>> {
    let mut ways = Vec::new();
    for channel in route::order(one.channel, &rules.channels) {
        let Some(account) = app.account_for(channel, one.area.as_ref()) else { continue };
        let is_here =
            |chat: &&Reachable| chat.channel == channel && chat.portfolio == account.portfolio;
        let here: Vec<&Reachable> = chats.iter().filter(is_here).collect();
        let mut add = |to: Recipient, contact: Option<ContactId>, number: Option<&String>| {
            let hashes = address_hashes(&app.db, &account.portfolio, &to);
            let hash = route::own_hash(channel, hashes.clone());
            let key = number.unwrap_or(&hash).clone();
            ways.push(Way { account, to, hash, contact, key, hashes });
        };
        for chat in &here {
            add(chat.address.clone(), Some(chat.contact), chat.phone_hash.as_ref());
        }
        if channel != ChannelKind::Telegram
            && let Some(phone) = &one.phone
            && here.iter().all(|chat| chat.address.phone.as_ref() != Some(phone))
        {
            add(Recipient::of_phone(phone.clone()), None, one.phone_hash.as_ref());
        }
    }
    ways
}
