//! Whatever citizens answer, couriers report and the office moves or cancels, in whatever order: a
//! card is in exactly one place, on at most one round, and never said to be in two.

use std::time::Duration;

use chrono::Days;
use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::collection;
use kabar::service::round::{self, Report};
use kabar::store::Engine;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::round::{DESA, Ground, actor, announced, told_code, tomorrow, wish};
use crate::support::{TestApp, citizen, run};

const CARDS: usize = 4;

/// Everybody who moves cards.
struct Many {
    ground: Ground,
    spare: Actor,
    desa: Actor,
}

impl std::ops::Deref for Many {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl std::ops::DerefMut for Many {
    fn deref_mut(&mut self) -> &mut Ground {
        &mut self.ground
    }
}

/// What one step draws from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

async fn none(app: &TestApp, what: &str, statement: &str, steps: &[String]) {
    let rows = app.query(statement).await;
    assert!(rows.is_empty(), "{what}: {rows:?} after {steps:?}");
}

async fn look(app: &TestApp, steps: &[String]) {
    let held = "SELECT c.id FROM card c WHERE (SELECT COUNT(*) FROM custody h WHERE h.card_id = c.id \
                AND h.until_at IS NULL) <> 1";
    none(app, "not in exactly one place", held, steps).await;
    let open = "SELECT card_id FROM round_item WHERE state IN ('planned', 'announced') \
                GROUP BY card_id HAVING COUNT(*) > 1";
    none(app, "on two rounds", open, steps).await;
    let collected = "SELECT c.id FROM card c WHERE c.status = 'ready_to_collect' AND (NOT EXISTS \
                     (SELECT 1 FROM custody h WHERE h.card_id = c.id AND h.until_at IS NULL \
                     AND (h.holder = 'point ' || c.service_point \
                     OR (h.holder LIKE 'desa %' AND c.service_point LIKE 'desa-%'))) \
                     OR EXISTS (SELECT 1 FROM round_item i WHERE i.card_id = c.id AND i.state IN ('planned', 'announced')))";
    none(app, "to be collected where it is not", collected, steps).await;
    let brought = "SELECT c.id FROM card c WHERE c.status = 'home_delivery_scheduled' AND NOT EXISTS \
                   (SELECT 1 FROM round_item i JOIN delivery_round r ON r.id = i.round_id WHERE i.card_id = c.id \
                   AND i.state IN ('announced', 'failed') AND r.ended_at IS NULL AND r.day = c.home_date)";
    none(app, "said to be brought on a day on which it is not", brought, steps).await;
    let issued = "SELECT c.id FROM card c WHERE c.status = 'issued' AND NOT EXISTS (SELECT 1 FROM custody h \
                  WHERE h.card_id = c.id AND h.until_at IS NULL AND h.holder = 'citizen')";
    none(app, "handed over and elsewhere", issued, steps).await;
    let code = "SELECT m.card_id FROM message m WHERE m.template = 'home_delivery_code' AND m.status = 'queued' \
                AND NOT EXISTS (SELECT 1 FROM round_item i WHERE i.card_id = m.card_id \
                AND i.state IN ('announced', 'failed') AND i.code_hash IS NOT NULL)";
    none(app, "a code about to be told of what is not brought", code, steps).await;
    let two = "SELECT card_id FROM message WHERE status = 'queued' AND template IN \
               ('home_delivery_scheduled', 'home_delivery_moved', 'ready_to_collect', 'home_delivery_cancelled') \
               GROUP BY card_id HAVING COUNT(DISTINCT template) > 1";
    none(app, "about to be said to be in two places", two, steps).await;
}

async fn step(app: &TestApp, ground: &mut Many, dice: &mut Dice, key: usize) -> String {
    let who = dice.roll(CARDS) + 1;
    let phone = citizen(who).e164;
    let words = [
        "saya di rumah",
        "besok saja",
        "1",
        "diterima ibu saya Rini",
        "alamat salah",
        "saya ambil sendiri",
    ];
    match dice.roll(19) {
        0..=3 => {
            let said = words[dice.roll(words.len())];
            app.writes(&phone, said).await;
            format!("{who} says {said}")
        }
        4 => {
            app.advance(Duration::from_secs(3600 * (1 + dice.roll(8) as u64))).await;
            "hours pass".into()
        }
        5 => {
            app.advance_to("07:30 WIB").await;
            let done = round::start(&app.app, &ground.courier, ground.round).await;
            format!("morning: {done:?}")
        }
        6 | 7 => {
            let outcomes = [
                "nobody_home",
                "received",
                "old_card_missing",
                "refused",
                "unclear_address",
                "moved",
            ];
            let outcome = outcomes[dice.roll(outcomes.len())];
            let Ok(shown) = round::for_courier(&app.app, &ground.courier, ground.round).await
            else {
                return "nothing to report".into();
            };
            let Some(item) = shown.items.get(dice.roll(shown.items.len().max(1))) else {
                return "nothing to report".into();
            };
            let report = Report {
                key: format!("{key:08}-dice"),
                item: item.id.clone(),
                outcome: outcome.into(),
                by: "override".into(),
                receiver: "Rini".into(),
                reason: "dikenal".into(),
                ..Report::default()
            };
            let all = round::report(&app.app, &ground.office, ground.round, vec![report]).await;
            let came = all.map(|all| all[0].result.clone());
            format!("{} is {outcome}: {came:?}", item.position)
        }
        8..=10 | 15 | 16 => by_office(app, ground, dice).await,
        11 => {
            app.advance(Duration::from_secs(60)).await;
            let status = ["siap ambil", "CARD_PRINTED", "CARD_ISSUED"][dice.roll(3)];
            let point = [("service_point", json!("kec-jombang"))];
            app.card_with(&citizen(who), status, &point).await;
            format!("a source says {status} of {who}")
        }
        12 => by_code(app, ground, dice, key).await,
        13 => {
            let open = "SELECT round_id, report_key FROM round_report WHERE result = 'conflict' \
                        AND settled_at IS NULL ORDER BY report_key LIMIT 1";
            let found = app.query(open).await;
            let Some([round, key]) = found.first().map(Vec::as_slice) else {
                return "nothing to settle".into();
            };
            let is_true = dice.roll(2) == 0;
            let which = (round.parse().unwrap(), key.as_str());
            let done = round::settle_conflict(&app.app, &ground.office, which, is_true).await;
            format!("{key} counts: {is_true}: {done:?}")
        }
        14 => by_desa(app, ground, dice).await,
        _ => {
            let next = wish(app, &ground.courier, dice.roll(3) as u64);
            match round::plan(&app.app, &ground.office, &next).await {
                Ok(made) => {
                    ground.round = made[0];
                    let done = round::announce(&app.app, &ground.office, ground.round).await;
                    format!("a new round: {done:?}")
                }
                Err(error) => format!("no round: {error}"),
            }
        }
    }
}

/// The office closes, cancels or moves the round, gives it to the other courier, or hands a card over at the counter.
async fn by_office(app: &TestApp, ground: &mut Many, dice: &mut Dice) -> String {
    match dice.roll(5) {
        0 => format!("close: {:?}", round::close(&app.app, &ground.office, ground.round).await),
        1 => format!("cancel: {:?}", round::cancel(&app.app, &ground.office, ground.round).await),
        2 => {
            let old = wish(app, &ground.courier, 0);
            let to = (tomorrow(app) + Days::new(dice.roll(3) as u64), old.from, old.to);
            let done = round::move_to(&app.app, &ground.office, ground.round, to).await;
            format!("move: {done:?}")
        }
        3 => {
            // The second courier carries from then on, as far as the round has not left.
            let to = ground.spare.id.parse().unwrap();
            let done = round::reassign(&app.app, &ground.office, ground.round, to).await;
            if done.is_ok() {
                std::mem::swap(&mut ground.ground.courier, &mut ground.spare);
            }
            format!("another courier: {done:?}")
        }
        _ => {
            let open = "SELECT i.round_id, i.id FROM round_item i JOIN person p ON p.id = i.person_id \
                        WHERE i.state IN ('planned', 'announced') ORDER BY i.id LIMIT 1";
            let found = app.query(open).await;
            let Some([round, item]) = found.first().map(Vec::as_slice) else {
                return "nothing on a round".into();
            };
            let which = (round.parse().unwrap(), item.parse().unwrap());
            let words = ("Rini", "datang ke loket");
            let done = round::hand_over_by_word(&app.app, &ground.office, which, words).await;
            format!("at the counter: {done:?}")
        }
    }
}

/// The kecamatan gives what lies ready to the desa, which takes it over and hands it out; or the list is cancelled.
async fn by_desa(app: &TestApp, ground: &Many, dice: &mut Dice) -> String {
    let area = AreaCode::parse(DESA).unwrap();
    let lists = "SELECT id FROM collection_list WHERE taken_at IS NULL AND cancelled_at IS NULL ORDER BY id LIMIT 1";
    let list = app.query(lists).await.concat().concat();
    match dice.roll(4) {
        0 => {
            let ready = "SELECT id FROM card WHERE status = 'ready_to_collect' ORDER BY id";
            let cards: Vec<_> =
                app.query(ready).await.concat().iter().map(|id| id.parse().unwrap()).collect();
            let done = collection::hand_to_desa(&app.app, &ground.office, &area, &cards).await;
            format!("{} on a list: {done:?}", cards.len())
        }
        1 if !list.is_empty() => {
            let done = collection::take_list(&app.app, &ground.desa, list.parse().unwrap()).await;
            format!("the desa takes a list: {done:?}")
        }
        2 if !list.is_empty() => {
            let done =
                collection::cancel_list(&app.app, &ground.office, list.parse().unwrap()).await;
            format!("a list is cancelled: {done:?}")
        }
        _ => {
            let held = "SELECT h.card_id FROM custody h WHERE h.until_at IS NULL AND h.holder LIKE 'desa%' \
                        ORDER BY h.card_id LIMIT 1";
            let card = app.query(held).await.concat().concat();
            if card.is_empty() {
                return "the desa has nothing".into();
            }
            let done = collection::hand_out(&app.app, &ground.desa, card.parse().unwrap()).await;
            format!("the desa hands out: {done:?}")
        }
    }
}

/// The courier reports a hand-over with the code that was told last, right or wrong.
async fn by_code(app: &TestApp, ground: &Ground, dice: &mut Dice, key: usize) -> String {
    let who = dice.roll(CARDS) + 1;
    let items = round::for_courier(&app.app, &ground.courier, ground.round).await;
    let address = format!("Jalan Melati {who}");
    let items = items.map(|round| round.items).unwrap_or_default();
    let Some(item) = items.into_iter().find(|item| item.address == address) else {
        return "nothing to hand over".into();
    };
    let code = if dice.roll(4) == 0 { None } else { told_code(app, who) };
    let report = Report {
        key: format!("{key:08}-code"),
        item: item.id,
        outcome: "received".into(),
        by: "self".into(),
        code: code.unwrap_or_else(|| "abcd".into()),
        ..Report::default()
    };
    let all = round::report(&app.app, &ground.courier, ground.round, vec![report]).await;
    let came = all.map(|all| (all[0].result.clone(), all[0].why.clone()));
    format!("{who} says a code: {came:?}")
}

async fn in_this_order(app: TestApp, seeds: Vec<u64>) {
    let ground = announced(&app, CARDS).await;
    let spare = actor(&app, "kurir2", OfficerRole::Courier, "35.17.09").await;
    let desa = actor(&app, "desa", OfficerRole::Desa, DESA).await;
    let mut ground = Many { ground, spare, desa };
    let mut steps = Vec::new();
    for (key, seed) in seeds.into_iter().enumerate() {
        steps.push(step(&app, &mut ground, &mut Dice(seed), key).await);
        look(&app, &steps).await;
        app.run_until_idle().await;
        look(&app, &steps).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn in_any_order_a_card_is_in_one_place_and_never_said_to_be_in_two(
        seeds in vec(1..u64::MAX, 1..50),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for engine in [Engine::Sqlite, Engine::Postgres] {
            runtime.block_on(run(engine, |app| in_this_order(app, seeds.clone())));
        }
    }
}
