//! What a broadcast would come to before it goes out: how many on each channel, who is left out and why, what it
//! costs, and how long it takes. Nothing is written.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::day::{DAY, Limits};
use super::letter::Letters;
use super::reach::{Rules, Verdict, decide};
use super::{BroadcastError, attach, find};
use crate::domain::area::AreaCode;
use crate::domain::attachment::FileRefusal;
use crate::domain::broadcast::{LeftOut, needs_second};
use crate::domain::id::BroadcastId;
use crate::domain::message::ChannelKind;
use crate::domain::officer::{Actor, Right};
use crate::service::{Account, App, ServiceError};
use crate::store::audience::{self as rows, Candidate};
use crate::store::broadcast::Broadcast;

/// People read at once.
const PAGE: usize = 1_000;

/// What a broadcast would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Who is meant.
    pub people: u64,
    /// Who would get it.
    pub recipients: u64,
    /// The same by account.
    pub ways: Vec<Way>,
    /// Who is meant and would not get it, by reason.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// What it costs; none where a price is not known.
    pub rupiah: Option<u64>,
    /// How long it takes from its beginning, quiet hours not counted.
    pub takes: Duration,
    /// The smallest area that holds all who would get it; none where somebody's is not known.
    pub area: Option<AreaCode>,
    /// A second person must agree.
    pub needs_second: bool,
    /// Why its file cannot be sent: it cannot be submitted like this.
    pub file: Option<FileRefusal>,
}

/// What one account would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The account.
    pub account: String,
    /// Its channel.
    pub channel: ChannelKind,
    /// To how many.
    pub recipients: u64,
    /// Segments of SMS, all together.
    pub parts: Option<u64>,
    /// What it costs; none where nobody told us the price.
    pub rupiah: Option<u64>,
    /// How long it takes.
    pub takes: Duration,
    /// On how many days, where the provider limits a day.
    pub days: Option<u64>,
}

/// Counts what a broadcast would come to.
///
/// # Errors
/// [`BroadcastError::NotFound`], or when the database fails.
pub async fn preview(app: &App, actor: &Actor, id: BroadcastId) -> Result<Preview, BroadcastError> {
    let broadcast = find(app, actor, Right::SeeBroadcasts, id).await?;
    Ok(count(app, &broadcast, &AtomicU64::new(0)).await?)
}

/// The same for one that was found, telling how many people were looked at.
pub(super) async fn count(
    app: &App,
    broadcast: &Broadcast,
    seen_so_far: &AtomicU64,
) -> Result<Preview, ServiceError> {
    let rules = Rules::new(app, &broadcast.maker, &broadcast.audience);
    let mut preview = Preview::default();
    let mut by_account: BTreeMap<&str, (&Account, u64)> = BTreeMap::new();
    let mut reach = Reach::default();
    // A hash of the hash: a million of them stay small.
    let mut seen: HashSet<u64> = HashSet::new();
    let mut after: Option<String> = None;
    loop {
        let page = page(app, broadcast, after.as_deref(), PAGE).await?;
        for (one, verdict) in page.iter().zip(decide(app, &rules, &page).await?) {
            match verdict {
                Verdict::NotMeant => continue,
                Verdict::LeftOut(reason) => *preview.left_out.entry(reason).or_default() += 1,
                Verdict::Way(way) if !seen.insert(small(&way.key)) => {
                    *preview.left_out.entry(LeftOut::Shared).or_default() += 1;
                }
                Verdict::Way(way) => {
                    preview.recipients += 1;
                    by_account.entry(&way.account.id).or_insert((way.account, 0)).1 += 1;
                    reach.add(one.area.as_ref());
                }
            }
            preview.people += 1;
        }
        seen_so_far.store(preview.people, Ordering::Relaxed);
        after = page.last().map(|one| one.position.clone());
        if page.len() < PAGE {
            break;
        }
    }
    preview.file = attach::refusal(app, broadcast).await?;
    let limits = Limits::load(app).await?;
    let mut letters = Letters::default();
    for (account, recipients) in by_account.into_values() {
        let letter = letters.of(app, broadcast, account)?;
        let times = |each: i64| u64::try_from(each).unwrap_or(0).saturating_mul(recipients);
        let (takes, days) = duration(account, limits.of(account), recipients);
        preview.ways.push(Way {
            account: account.id.clone(),
            channel: account.channel,
            recipients,
            parts: letter.parts.map(times),
            rupiah: letter.rupiah.map(times),
            takes,
            days,
        });
    }
    preview.rupiah = preview.ways.iter().map(|way| way.rupiah).sum();
    preview.takes = preview.ways.iter().map(|way| way.takes).max().unwrap_or_default();
    preview.area = reach.common();
    let asked = broadcast.audience.reach();
    // Whom a list names may live close together; an area asked for may fill up until it goes out.
    let reach = if broadcast.audience.is_list { preview.area.as_ref() } else { Some(&asked) };
    let over = app.settings.broadcast.approve_over;
    preview.needs_second = needs_second(broadcast.maker.role, preview.recipients, reach, over);
    Ok(preview)
}

/// The next people of a broadcast's audience. Fewer than `limit` are the last.
pub(super) async fn page(
    app: &App,
    broadcast: &Broadcast,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Candidate>, ServiceError> {
    let Broadcast { id, audience, maker, .. } = broadcast;
    Ok(if audience.is_list {
        rows::list_entries(&app.db, *id, audience, &maker.area, after, limit).await?
    } else {
        rows::list_people(&app.db, audience, after, app.now(), limit).await?
    })
}

/// How long an account takes for so many, and on how many days.
fn duration(account: &Account, limit: Option<u64>, recipients: u64) -> (Duration, Option<u64>) {
    let at_rate = |count: u64| {
        let per = account.rate.per.as_secs_f64() / f64::from(account.rate.messages.get());
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = count as f64 * per;
        Duration::from_secs_f64(seconds.min(1e9))
    };
    match limit.filter(|limit| *limit > 0) {
        Some(limit) => {
            let days = recipients.div_ceil(limit);
            let whole = days.saturating_sub(1);
            let last = at_rate(recipients - whole * limit);
            (DAY.saturating_mul(u32::try_from(whole).unwrap_or(u32::MAX)) + last, Some(days))
        }
        None => (at_rate(recipients), None),
    }
}

fn small(key: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The smallest area that holds all that were added.
#[derive(Default)]
struct Reach {
    common: Option<AreaCode>,
    is_unknown: bool,
}

impl Reach {
    fn add(&mut self, area: Option<&AreaCode>) {
        let Some(area) = area else {
            self.is_unknown = true;
            return;
        };
        let common = match &self.common {
            Some(common) if area.is_within(common) => return,
            Some(common) => common.common(area).unwrap_or_else(AreaCode::nationwide),
            None => area.clone(),
        };
        self.common = Some(common);
    }

    fn common(self) -> Option<AreaCode> {
        self.common.filter(|_| !self.is_unknown)
    }
}
