//! `Hari ini`: what needs a hand this morning, each with how much there is, since when, why and what to do; an empty
//! morning says so.
//!
//! Only what lies in the officer's area is counted, or belongs to a source or account of it; all else is the whole
//! office's.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::appointment::{SessionsToday, look_at_sessions};
use super::desk::Desk;
use super::label;
use super::page::{Page, show as shown};
use super::{Need, Rooms, failed, mend};
use crate::domain::clock::Timestamp;
use crate::domain::message::ChannelKind;
use crate::domain::officer::Right;
use crate::domain::service_point::BlankoStock;
use crate::service::home_visit::{answer_before, settle_before};
use crate::service::source_trouble;
use crate::store::collection_list::count_untaken;
use crate::store::home_visit::{count_unanswered, count_unsettled};
use crate::store::notice::NoticeKind;
use crate::store::outage::list_running;
use crate::store::round_plan::{Alarms, count_alarms};
use crate::store::service_point::list_within;
use crate::store::trouble::{self, COUNTED, Pile, Within};
use crate::web::Web;
use crate::web::error::Error;

/// Where the page is.
pub(super) const HERE: &str = "/console/hari-ini";
/// Older failures are history: nobody goes after them in the morning.
const RECENT: Duration = Duration::from_secs(30 * 24 * 3600);
/// A card that lies so long is one to do something about.
const LONG_LAIN: Duration = Duration::from_secs(30 * 24 * 3600);
/// A list that no desa has taken for so long is one to ask about.
const LONG_UNDERWAY: Duration = Duration::from_secs(3 * 24 * 3600);
/// Points looked at for their stock.
const POINTS: i64 = 500;

/// The page's rooms, and those of its lists.
pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let see = Need::Right(Right::SeeWork);
    let mend = Need::Right(Right::Mend);
    rooms
        .get(HERE, see, show)
        .get("/console/hari-ini/gagal", see, failed::list)
        .post("/console/hari-ini/gagal/{id}/lagi", mend, failed::send_again)
        .post("/console/hari-ini/gagal/{id}/selesai", mend, failed::set_aside)
        .get("/console/hari-ini/kunjungan", see, failed::list_visits)
        .post(
            "/console/hari-ini/kunjungan/{id}/sudah",
            Need::Right(Right::CarryCards),
            failed::told,
        )
        .get("/console/hari-ini/ditolak", see, mend::list_rejections)
        .get("/console/hari-ini/ditolak/{id}", mend, mend::show_rejection)
        .post("/console/hari-ini/ditolak/{id}/selesai", mend, mend::resolve)
        .get("/console/hari-ini/tertahan", see, mend::list_holds)
        .post("/console/hari-ini/tertahan/{id}/umumkan", mend, mend::announce)
        .post("/console/hari-ini/tertahan/{id}/diamkan", mend, mend::silence)
        .get("/console/hari-ini/sistem", see, mend::list_system)
}

/// Failures of one kind.
struct FailureKind {
    channel: ChannelKind,
    code: String,
    pile: Pile,
    /// There may be more of them, and older ones.
    is_cut: bool,
    reason: label::Reason,
}

#[derive(Template)]
#[template(path = "today.html", config = "src/web/console/askama.toml")]
struct TodayPage {
    page: Page,
    failures: Vec<FailureKind>,
    visits: Pile,
    waiting: Pile,
    overdue: Pile,
    questions: Pile,
    rejections: Pile,
    holds: Pile,
    held: i64,
    sources: Pile,
    accounts: Pile,
    rounds: Alarms,
    unclaimed: Pile,
    said: Pile,
    lists: Pile,
    outages: Pile,
    stocks: Pile,
    home_visits: Pile,
    unsettled: Pile,
    sessions: SessionsToday,
}

impl TodayPage {
    fn is_quiet(&self) -> bool {
        let piles = [
            self.visits,
            self.waiting,
            self.overdue,
            self.questions,
            self.rejections,
            self.holds,
            self.sources,
            self.accounts,
            self.unclaimed,
            self.said,
            self.lists,
            self.outages,
            self.stocks,
            self.home_visits,
            self.unsettled,
        ];
        self.rounds.total() == 0
            && self.sessions.is_quiet()
            && self.failures.is_empty()
            && piles.iter().all(|pile| pile.count == 0)
    }

    fn many(&self, pile: &Pile) -> String {
        many(&self.page, pile.count)
    }

    fn failed(&self, kind: &FailureKind) -> String {
        format!("{}{}", self.page.number(&kind.pile.count), if kind.is_cut { "+" } else { "" })
    }

    /// Of the rounds, one part of which is counted to a bound.
    fn many_of_rounds(&self) -> String {
        many(&self.page, self.rounds.total())
    }

    fn since(&self, pile: &Pile) -> String {
        pile.oldest.as_ref().map(|at| self.page.ago(at)).unwrap_or_default()
    }

    fn channel(&self, kind: &FailureKind) -> &'static str {
        let _ = self;
        label::channel(kind.channel)
    }
}

/// A count that ends at its bound.
pub(super) fn many(page: &Page, count: i64) -> String {
    if count >= COUNTED { format!("{}+", page.number(&COUNTED)) } else { page.number(&count) }
}

/// Whose failures somebody sees.
pub(super) fn within<'a>(web: &Web, desk: &'a Desk) -> Within<'a> {
    Within {
        area: desk.area(),
        with_unknown: desk.sees_all(web),
        since: web.app.now().before(RECENT),
    }
}

async fn show(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let (db, now) = (&web.app.db, web.app.now());
    let area = (desk.area(), desk.sees_all(&web));
    let tickets = async {
        if !desk.may(Right::SeeConversations) {
            return Ok(Default::default());
        }
        let waiting = trouble::count_waiting_tickets(db, area).await?;
        Ok::<_, Error>((waiting, trouble::count_overdue_tickets(db, area, now).await?))
    };
    let questions = async {
        if !desk.may(Right::SeeAnswers) {
            return Ok(Pile::default());
        }
        Ok::<_, Error>(trouble::count_questions(db, area).await?)
    };
    let rounds = async {
        let today = now.in_zone(web.app.zone(None).offset()).date_naive();
        Ok::<_, Error>(count_alarms(&mut *db.reading().await?, desk.area(), today).await?)
    };
    let failures = async { Ok(trouble::count_failures(db, within(&web, &desk)).await?) };
    let visits = async { Ok(trouble::count_visits(db, area).await?) };
    // Each is a look of its own: what is not in the cache yet is fetched at the same time.
    let (failures, visits, (waiting, overdue), questions, office, rounds, waits, sessions) = tokio::try_join!(
        failures,
        visits,
        tickets,
        questions,
        look_at_office(&web, &desk),
        rounds,
        look_at_waiting(&web, &desk),
        look_at_sessions(&web, &desk),
    )?;
    let is_cut = failures.is_cut;
    let failures = failures
        .kinds
        .into_iter()
        .map(|(channel, code, pile)| FailureKind {
            is_cut,
            reason: label::reason(&page, Some(channel), &code),
            channel,
            code,
            pile,
        })
        .collect();
    shown(&TodayPage {
        page,
        failures,
        visits,
        waiting,
        overdue,
        questions,
        rejections: office.rejections,
        holds: office.holds,
        held: office.held,
        sources: office.sources,
        accounts: office.accounts,
        rounds,
        unclaimed: waits.unclaimed,
        said: waits.said,
        lists: waits.lists,
        outages: waits.outages,
        stocks: waits.stocks,
        home_visits: waits.home_visits,
        unsettled: waits.unsettled,
        sessions,
    })
}

/// Cards that lie or wait, and why.
struct Waits {
    unclaimed: Pile,
    said: Pile,
    lists: Pile,
    outages: Pile,
    stocks: Pile,
    home_visits: Pile,
    unsettled: Pile,
}

async fn look_at_waiting(web: &Web, desk: &Desk) -> Result<Waits, Error> {
    let db = &web.app.db;
    let mut reading = db.reading().await?;
    let mut outages = list_running(&mut reading).await?;
    outages.retain(|outage| super::outage::concerns(desk, outage));
    let points = list_within(&mut reading, desk.area(), "", POINTS).await?;
    drop(reading);
    let is_short = |stock| matches!(stock, BlankoStock::Low | BlankoStock::None);
    let short = points.iter().filter(|(_, condition)| is_short(condition.blanko));
    let stocks = pile(short.filter_map(|(_, condition)| condition.blanko_at));
    let within = (desk.area(), desk.sees_all(web));
    let unclaimed = trouble::count_unclaimed(db, within, web.app.now().before(LONG_LAIN)).await?;
    let said = trouble::count_taken_said(db, within).await?;
    let lists = count_untaken(db, desk.area(), web.app.now().before(LONG_UNDERWAY)).await?;
    let (mut home_visits, mut unsettled) = (Pile::default(), Pile::default());
    if desk.may(Right::RunCounter) {
        let before = answer_before(&web.app);
        home_visits = count_unanswered(db, desk.area(), before).await?;
        let (count, first) = count_unsettled(db, desk.area(), settle_before(&web.app)).await?;
        let day = first.map(|day| day.and_time(chrono::NaiveTime::MIN));
        let at = day.and_then(|day| day.and_local_timezone(web.app.zone(None).offset()).single());
        unsettled = Pile { count, oldest: at.map(Timestamp::from) };
    }
    Ok(Waits {
        home_visits,
        unsettled,
        unclaimed,
        said,
        lists,
        outages: pile(outages.iter().map(|outage| outage.since)),
        stocks,
    })
}

/// What belongs to sources and sending accounts.
struct Office {
    rejections: Pile,
    holds: Pile,
    held: i64,
    sources: Pile,
    accounts: Pile,
}

async fn look_at_office(web: &Web, desk: &Desk) -> Result<Office, Error> {
    let (app, actor) = (&web.app, &desk.actor);
    let holds = source_trouble::list_holds(app, actor).await?;
    let undecided: Vec<_> = holds.iter().filter(|hold| hold.decision.is_none()).collect();
    let notices = source_trouble::list_notices(app, actor).await?;
    let about_sources = notices.iter().filter(|notice| notice.kind != NoticeKind::Held);
    let stopped = source_trouble::list_stopped(app, actor).await?;
    Ok(Office {
        rejections: source_trouble::count_rejections(app, actor).await?,
        held: undecided.iter().map(|hold| hold.waiting).sum(),
        holds: pile(undecided.iter().map(|hold| hold.opened_at)),
        sources: pile(about_sources.map(|notice| notice.opened_at)),
        accounts: pile(stopped.iter().map(|(_, stop)| stop.at)),
    })
}

fn pile(times: impl Iterator<Item = Timestamp>) -> Pile {
    times.fold(Pile::default(), |pile, at| Pile {
        count: pile.count + 1,
        oldest: Some(pile.oldest.map_or(at, |oldest| oldest.min(at))),
    })
}
