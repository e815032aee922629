//! Faults at random under load, with real processes: the service is killed, its provider refuses, keeps silent, hangs up
//! or is gone, the network to its database is cut, the database is killed and started again, and a replica takes over.
//! In the end everybody who was taken down has heard, and nobody twice.
//!
//! `cargo bench --bench chaos` does the same for longer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::store::Engine;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use crate::support::clock::MockClock;
use crate::support::line::Line;
use crate::support::lives::{Address, post_until, receipts, states};
use crate::support::meta::FakeMeta;
use crate::support::postgres::Postgres;
use crate::support::{Answer, Office, Running, TestApp, citizen, on_both_engines};

/// People whose cards are printed between two blows.
const PEOPLE: usize = 100;
/// Updates in one request of the source.
const BATCH: usize = 10;
/// How far the source runs ahead of what is sent.
const AHEAD: usize = 60;
/// Of a hundred calls, so many go wrong at the provider.
const FAULTS: usize = 12;
/// The last message has arrived by then: after the longest wait of an unknown outcome, and some attempts.
const SETTLED: Duration = Duration::from_secs(120);
/// A message whose outcome is unknown waits longer for its receipt than any blow lasts.
const SEND: &str = "\n[send]\ntimeout = \"3s\"\nmax_attempts = 100\nunknown_reply = \"20s\"\n\
                    unknown_announcement = \"20s\"\nunknown_broadcast = \"20s\"\n";

/// What goes wrong.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Blow {
    /// A process of the service is killed.
    Kill,
    /// The provider takes messages and says nothing for a while.
    Silence,
    /// Nobody listens at the provider's address for a while.
    ProviderGone,
    /// The network between the service and its database is cut for a while.
    Cut,
    /// The database is killed and started again.
    DatabaseKilled,
    /// The database is killed for good, and its replica takes its place.
    Failover,
}

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Storm {
    /// Where the rows live.
    pub engine: Engine,
    /// Processes of the service at once; SQLite takes one.
    pub processes: usize,
    /// What goes wrong, one after the other.
    pub blows: Vec<Blow>,
    /// Longest time between two blows, and longest time that one lasts.
    pub longest: Duration,
    /// Whether the provider's receipts name our id of a message, as Meta's do.
    pub echoes: bool,
    /// Makes the same choices again, though not the same order of events.
    pub seed: u64,
}

impl Storm {
    /// One process on SQLite.
    pub fn sqlite(blows: Vec<Blow>, seed: u64) -> Self {
        let longest = Duration::from_secs(6);
        Self { engine: Engine::Sqlite, processes: 1, blows, longest, echoes: true, seed }
    }

    /// Two processes on a PostgreSQL of their own.
    pub fn postgres(blows: Vec<Blow>, seed: u64) -> Self {
        let longest = Duration::from_secs(4);
        Self { engine: Engine::Postgres, processes: 2, blows, longest, echoes: true, seed }
    }
}

/// What came of a run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// People whose card's update the service has confirmed.
    pub accepted: usize,
    /// Those of them who have at least one message.
    pub told: usize,
    /// Messages that somebody got beyond the first.
    pub doubled: usize,
    /// Those who have none, of whom the office's list does not say so.
    pub lost: usize,
    /// Those who have none, and the office's list says so: calls that nobody can judge are not repeated for ever.
    pub failed: usize,
    /// Calls that the provider got.
    pub calls: usize,
    /// How the messages stand in the office's list.
    pub states: BTreeMap<String, usize>,
    /// What went wrong, and how often.
    pub blows: BTreeMap<Blow, usize>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, told, doubled, lost, failed, calls, states, blows } = self;
        write!(f, "accepted {accepted}, told {told}, doubled {doubled}, lost {lost}, ")?;
        write!(f, "reported as failed {failed}, calls {calls}")?;
        write!(f, ", states {states:?}, blows {blows:?}")
    }
}

impl Tally {
    /// Nobody was missed, nobody heard twice, and the office's list says so.
    pub fn is_whole(&self) -> bool {
        let delivered = self.states.get("delivered") == Some(&self.told);
        self.lost == 0 && self.doubled == 0 && delivered && self.is_settled()
    }

    /// Nothing is under way any more.
    fn is_settled(&self) -> bool {
        let ended = ["delivered", "failed"].iter().filter_map(|state| self.states.get(*state));
        ended.sum::<usize>() == self.accepted
    }
}

/// A seed that no other run has.
pub fn any_seed() -> u64 {
    getrandom::u64().unwrap()
}

/// Blows in any order, one of each kind at least if there are so many.
pub fn any_blows(kinds: &[Blow], count: usize, seed: u64) -> Vec<Blow> {
    let mut rng = Rng::with_seed(seed);
    let mut blows: Vec<Blow> = kinds.iter().copied().cycle().take(count).collect();
    rng.shuffle(&mut blows);
    blows
}

fn fault(rng: &mut Rng) -> Answer {
    match rng.usize(..9) {
        0 | 1 => Answer::AcceptAndHangUp,
        2 => Answer::HangUp,
        3 => Answer::Raw(500, ""),
        4 => Answer::Raw(503, "<html>later</html>"),
        5 => Answer::Raw(200, "{\"messages\":["),
        6 => Answer::code(131_000),
        7 => Answer::code(131_056),
        _ => Answer::Error { code: 130_429, subcode: None, retry_after: Some(1) },
    }
}

/// A source that brings people, as many as may come by now, and all of them in the end.
async fn source(
    meta: Arc<FakeMeta>,
    service: Address,
    token: String,
    (mut may_come, all): (watch::Receiver<usize>, usize),
) {
    let http = reqwest::Client::new();
    for from in (0..all).step_by(BATCH) {
        may_come.wait_for(|may_come| *may_come > from).await.unwrap();
        meta.wait_for_requests(from.saturating_sub(AHEAD)).await;
        let now = SystemClock.now().utc().to_rfc3339();
        let updates: Vec<Value> = (from + 1..=from + BATCH)
            .map(|n| citizen(n).update(&format!("u-{n}"), &now, "CARD_PRINTED"))
            .collect();
        let updates = Value::from(updates);
        post_until(service.clone(), StatusCode::ACCEPTED, |url| {
            http.post(format!("{url}/v1/card-updates")).bearer_auth(&token).json(&updates)
        })
        .await;
    }
}

/// The processes of the service.
struct Crowd<'a> {
    office: &'a Office,
    alive: Vec<(Running, String)>,
    service: watch::Sender<String>,
}

impl Crowd<'_> {
    async fn start(&mut self) {
        let mut running = self.office.serve();
        let url = running.address().await;
        self.alive.push((running, url));
        self.show();
    }

    async fn kill(&mut self, which: usize) {
        let (running, _) = self.alive.swap_remove(which);
        self.show();
        running.signal("KILL");
        assert_eq!(running.end().await.code, None, "it had not ended by itself");
    }

    /// The world outside knows one that lives.
    fn show(&self) {
        let url = self.alive.first().map(|(_, url)| url.clone()).unwrap_or_default();
        self.service.send_replace(url);
    }
}

/// What the database stands on.
struct Ground {
    line: Line,
    leader: Postgres,
    replica: Option<Postgres>,
}

impl Ground {
    async fn make(with_replica: bool) -> Self {
        let leader = Postgres::private().await;
        let replica = if with_replica { Some(leader.replica().await) } else { None };
        let line = Line::to(&leader.address()).await;
        Self { line, leader, replica }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.line.address())
    }
}

/// Goes on until something has happened, some time at most.
async fn go_on(meta: &FakeMeta, rng: &mut Rng, longest: Duration) {
    let more = meta.asked() + rng.usize(1..PEOPLE);
    let _ = timeout(longest.mul_f64(rng.f64()), meta.wait_for_requests(more)).await;
}

async fn strike(
    blow: Blow,
    (crowd, ground, meta): (&mut Crowd<'_>, Option<&mut Ground>, &FakeMeta),
    (rng, longest): (&mut Rng, Duration),
) {
    match (blow, ground) {
        (Blow::Kill, _) => {
            crowd.kill(rng.usize(..crowd.alive.len())).await;
            crowd.start().await;
        }
        (Blow::Silence, _) => {
            meta.hold();
            go_on(meta, rng, longest).await;
            meta.release();
        }
        (Blow::ProviderGone, _) => {
            meta.go_down().await;
            go_on(meta, rng, longest).await;
            meta.come_back().await;
        }
        (Blow::Cut, Some(ground)) => {
            ground.line.cut();
            go_on(meta, rng, longest).await;
            ground.line.mend();
        }
        (Blow::DatabaseKilled, Some(ground)) => {
            ground.leader.kill().await;
            ground.leader.start().await;
        }
        (Blow::Failover, Some(ground)) => {
            let replica = ground.replica.take().expect("there is one replica, for one failover");
            ground.leader.kill().await;
            replica.promote().await;
            ground.line.cut();
            ground.line.lead_to(&replica.address());
            ground.leader = replica;
            ground.line.mend();
        }
        (Blow::Cut | Blow::DatabaseKilled | Blow::Failover, None) => {
            panic!("SQLite has no server that could be gone")
        }
    }
}

/// One run, from the first update to the last receipt.
pub async fn weather(storm: &Storm) -> Tally {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut rng = Rng::with_seed(storm.seed);
    let meta = Arc::new(FakeMeta::start().await);
    let all = storm.blows.len() * PEOPLE;
    for _ in 0..all {
        let goes_wrong = rng.usize(..100) < FAULTS;
        meta.next(if goes_wrong { fault(&mut rng) } else { Answer::Accept });
    }
    let office = Office::with_account(&meta).await;
    office.change("\n[announce]", &format!("{SEND}\n[announce]"));
    let mut ground = match storm.engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(Ground::make(storm.blows.contains(&Blow::Failover)).await),
    };
    if let Some(ground) = &ground {
        office.use_database(&ground.url());
    }
    let (source_token, auditor) = (office.token("source").await, office.token("auditor").await);

    let service = watch::Sender::new(String::new());
    let mut crowd = Crowd { office: &office, alive: Vec::new(), service };
    for _ in 0..storm.processes {
        crowd.start().await;
    }
    let may_come = watch::Sender::new(0);
    let (world, coming) = (crowd.service.subscribe(), (may_come.subscribe(), all));
    let posting = tokio::spawn(source(Arc::clone(&meta), world.clone(), source_token, coming));
    let telling = tokio::spawn(receipts(Arc::clone(&meta), world, storm.echoes));

    let mut tally = Tally { accepted: all, ..Tally::default() };
    for blow in &storm.blows {
        may_come.send_modify(|may_come| *may_come += PEOPLE);
        go_on(&meta, &mut rng, storm.longest).await;
        let place = (&mut crowd, ground.as_mut(), meta.as_ref());
        strike(*blow, place, (&mut rng, storm.longest)).await;
        *tally.blows.entry(*blow).or_default() += 1;
    }
    timeout(SETTLED, posting).await.expect("the last updates are taken").unwrap();

    let url = crowd.alive[0].1.clone();
    let settled = async {
        let mut looks = interval(Duration::from_secs(1));
        loop {
            looks.tick().await;
            tally.states = states(&url, &auditor).await;
            if tally.is_settled() {
                return;
            }
        }
    };
    // What did not settle stands in the tally.
    let _ = timeout(SETTLED, settled).await;
    telling.abort();
    while !crowd.alive.is_empty() {
        crowd.kill(0).await;
    }

    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for sent in meta.sent() {
        *times.entry(sent.to().to_owned()).or_default() += 1;
    }
    tally.calls = meta.asked();
    tally.told = times.len();
    tally.doubled = times.values().map(|times| times - 1).sum();
    tally.failed = tally.states.get("failed").copied().unwrap_or(0);
    tally.lost = (tally.accepted - tally.told).saturating_sub(tally.failed);
    tally
}

on_both_engines! {
    async fn a_clock_set_back_by_an_hour_keeps_nobody_waiting(app: TestApp) {
        jump(app, |clock| clock.set_back(HOUR)).await;
    }

    async fn a_clock_set_forward_by_an_hour_makes_nobody_hear_twice(app: TestApp) {
        jump(app, |clock| clock.advance(HOUR)).await;
    }
}

const HOUR: Duration = Duration::from_secs(3600);

/// One message is in flight, others wait, somebody writes; the clock jumps; a minute later everybody has heard once. Then
/// the process dies, and its successor takes over as if nothing had been.
async fn jump(app: TestApp, clock_jumps: impl Fn(&MockClock)) {
    // It has been sending for a while: its limits count from then.
    app.advance(2 * HOUR).await;
    app.card(&citizen(6), "CARD_PRINTED").await;
    app.run_until_idle().await;

    app.whatsapp.hold();
    app.card(&citizen(1), "CARD_PRINTED").await;
    app.send_step().await;
    app.whatsapp.wait_for_requests(1).await;
    app.card(&citizen(2), "CARD_PRINTED").await;
    app.writes(&citizen(3).e164, "halo").await;
    clock_jumps(&app.clock);
    app.card(&citizen(4), "CARD_PRINTED").await;
    app.whatsapp.release();
    for _ in 0..60 {
        app.advance(Duration::from_secs(1)).await;
    }
    let told = |app: &TestApp| {
        let mut told: Vec<_> =
            app.whatsapp.sent().iter().map(|sent| sent.to().to_owned()).collect();
        told.sort();
        told
    };
    let everybody = [1, 2, 3, 4, 6].map(|n| citizen(n).e164);
    assert_eq!(told(&app), everybody);

    // Receipts of what was sent before and after, then the process dies while the clock jumps.
    for sent in app.whatsapp.sent() {
        app.receipt(&sent, "delivered").await;
    }
    app.run_until_idle().await;
    clock_jumps(&app.clock);
    app.crash().await;
    app.new_sender("its successor").await;
    app.card(&citizen(5), "CARD_PRINTED").await;
    for _ in 0..10 {
        app.advance(Duration::from_secs(1)).await;
    }
    let everybody = [1, 2, 3, 4, 5, 6].map(|n| citizen(n).e164);
    assert_eq!(told(&app), everybody);
    app.advance(HOUR).await;
    assert_eq!(app.whatsapp.requests().len(), 6, "nothing is sent again");
}

/// Nobody was missed, nobody heard twice.
async fn assert_weathered(storm: Storm) {
    let tally = weather(&storm).await;
    assert!(tally.is_whole(), "{tally}\n{storm:?}");
}

#[tokio::test]
async fn sqlite_loses_and_doubles_nothing_while_its_process_is_killed_and_its_provider_fails() {
    let seed = any_seed();
    let blows = any_blows(&[Blow::Kill, Blow::Silence, Blow::ProviderGone], 6, seed);
    assert_weathered(Storm::sqlite(blows, seed)).await;
}

#[tokio::test]
async fn postgres_loses_and_doubles_nothing_while_processes_network_and_database_fail() {
    let seed = any_seed();
    let kinds = [Blow::Kill, Blow::Cut, Blow::DatabaseKilled, Blow::Silence, Blow::ProviderGone];
    assert_weathered(Storm::postgres(any_blows(&kinds, 10, seed), seed)).await;
}

#[tokio::test]
async fn a_replica_takes_over_from_a_killed_database_and_nothing_is_lost_or_doubled() {
    let blows = vec![Blow::Kill, Blow::Failover, Blow::Kill, Blow::DatabaseKilled];
    assert_weathered(Storm::postgres(blows, any_seed())).await;
}

/// The measure itself: where a provider does not echo our id, what it took without a word is sent again.
#[tokio::test]
async fn without_an_echo_nobody_is_lost_and_the_doubles_are_counted() {
    let mut storm = Storm::sqlite(vec![Blow::ProviderGone, Blow::Silence], any_seed());
    storm.echoes = false;
    let tally = weather(&storm).await;
    assert_eq!(tally.lost, 0, "{tally}\n{storm:?}");
    assert!(tally.doubled > 0, "{tally}\n{storm:?}");
}
