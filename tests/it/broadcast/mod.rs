//! Broadcasts of sosialisasi: written, approved, sent, held, stopped and told of, and never twice to anybody.

mod api;
mod attachment;
mod audience;
mod quality;
mod rights;
mod run;
mod timetable;

use std::collections::BTreeMap;
use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::audience::Audience;
use kabar::domain::broadcast::{BroadcastState, Notice, Schedule};
use kabar::domain::id::BroadcastId;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::broadcast::{self, Draft, RunReport};
use serde_json::{Value, json};

use crate::support::citizen::Citizen;
use crate::support::webhook::status;
use crate::support::{TestApp, citizen};

const JABON: &str = "35.17.09.2018";
const SECOND: Duration = Duration::from_secs(1);

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

/// Somebody of that role in that area.
fn actor(role: OfficerRole, code: &str) -> Actor {
    Actor { id: format!("tok_{role}"), role, area: area(code) }
}

fn desa() -> Actor {
    actor(OfficerRole::Desa, JABON)
}

fn kecamatan() -> Actor {
    actor(OfficerRole::Kecamatan, "35.17.09")
}

fn notice() -> Notice {
    let text = "Warga yang belum merekam data silakan datang membawa fotokopi KK.";
    Notice::parse("perekaman KTP-el", text, "Balai Desa Jabon", "Selasa, pukul 08.00 WIB").unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "a test writes it where it stands")]
fn draft(audience: Value) -> Draft {
    let audience = Audience::parse(&audience).unwrap();
    Draft { notice: notice(), audience, schedule: Schedule::Now }
}

/// People on file of whom nobody was told anything.
async fn register(app: &TestApp, people: &[Citizen]) {
    register_as(app, people, "CARD_PRINTED").await;
}

async fn register_as(app: &TestApp, people: &[Citizen], status: &str) {
    for chunk in people.chunks(500) {
        let updates: Vec<Value> = chunk
            .iter()
            .map(|one| {
                let mut update = app.update(one, status);
                update["silent"] = json!(true);
                update
            })
            .collect();
        let answer = app.post(&updates.into()).await;
        assert_eq!(answer["accepted"], chunk.len(), "{answer}");
    }
}

/// So many people of Jabon.
fn people(count: usize) -> Vec<Citizen> {
    (1..=count).map(citizen).collect()
}

/// Written and let go by an officer of the desa, whom nobody needs to agree with.
async fn sent(app: &TestApp, audience: Value) -> BroadcastId {
    let id = broadcast::create(&app.app, &desa(), &draft(audience)).await.unwrap();
    let state = broadcast::submit(&app.app, &desa(), id).await.unwrap();
    assert_eq!(state, BroadcastState::Approved);
    broadcast::send(&app.app, &desa(), id).await.unwrap();
    id
}

async fn state(app: &TestApp, id: BroadcastId) -> BroadcastState {
    broadcast::show(&app.app, &Actor::cli(), id).await.unwrap().state
}

/// What became of its last run.
async fn last_run(app: &TestApp, id: BroadcastId) -> RunReport {
    let runs = broadcast::report(&app.app, &Actor::cli(), id).await.unwrap();
    runs.into_iter().next().expect("a run")
}

/// Meta tells that it brought everything it took.
async fn everything_arrives(app: &TestApp) {
    let at = app.now_s();
    let words: Vec<Value> =
        app.whatsapp.sent().iter().map(|sent| status(sent, "delivered", at)).collect();
    for chunk in words.chunks(200) {
        app.receipts(chunk).await;
    }
    app.run_until_idle().await;
}

/// How often each number got something.
fn times(app: &TestApp) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for sent in app.whatsapp.sent() {
        *times.entry(sent.to().to_owned()).or_default() += 1;
    }
    times
}

#[track_caller]
fn assert_once_each(app: &TestApp, count: usize) {
    let times = times(app);
    assert_eq!(times.len(), count, "nobody is missed, and nobody else hears");
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
