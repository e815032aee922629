//! A round that a courier is on: its cards are in their hands, and every citizen was told a code.

use kabar::domain::area::AreaCode;
use kabar::domain::custody::Holder;
use kabar::domain::id::{CardId, ItemId, RoundId};
use kabar::domain::round::{Answer, ItemState, RoundState};
use kabar::service::{custody, round};
use kabar::store::officer::find_by_login;
use kabar::store::round::{Round, insert_round, save_round};
use kabar::store::round_item::{Item, save_item};
use kabar::store::round_plan::insert_items;
use serde_json::json;

use super::{TestApp, citizen};
use kabar::domain::card::CardStatus;

/// The code that every citizen was told.
pub const CODE: &str = "4711";

/// A round under way.
#[derive(Debug)]
pub struct Carried {
    /// `rnd_…`.
    pub id: RoundId,
    /// `itm_…` in the order of the way.
    pub items: Vec<String>,
}

impl Carried {
    /// Path of its page.
    pub fn path(&self) -> String {
        format!("/kurir/putaran/{}", self.id)
    }

    /// The round of `courier` today, in Jabon, with the cards of that many citizens. The second's family receives it.
    pub async fn begin(app: &TestApp, courier: &str, cards: usize) -> Self {
        for n in 1..=cards {
            let home = [
                ("rt", json!(format!("0{n}"))),
                ("rw", json!("05")),
                ("dusun", json!("Krajan")),
                ("address", json!(format!("Jalan Kenanga {n}"))),
            ];
            app.card_with(&citizen(n), "CARD_PRINTED", &home).await;
        }
        app.run_until_idle().await;
        let courier = find_by_login(&app.app.db, courier).await.unwrap().unwrap();
        let now = app.app.now();
        let area = AreaCode::parse("35.17.09.2018").unwrap();
        let clock = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let mut round = Round {
            id: app.app.ids.next(now),
            area,
            day: app.clock.wib().date_naive(),
            from: clock(9),
            to: clock(12),
            courier: courier.id,
            capacity: 30,
            state: RoundState::Planned,
            made_by: "test".to_owned(),
            made_at: now,
            announced_at: None,
            started_at: None,
            ended_at: None,
        };
        let found = app.query("SELECT id, person_id FROM card ORDER BY id").await;
        let mut tx = app.app.db.begin().await.unwrap();
        insert_round(&mut tx, &round).await.unwrap();
        let mut items = Vec::new();
        for (position, row) in (1..).zip(&found) {
            let card: CardId = row[0].parse().unwrap();
            let origin = Holder::Point("kec-jabon".to_owned());
            let to = origin.clone();
            custody::hand_over(&mut tx, &app.app, "test", card, None, to, "test").await.unwrap();
            let id: ItemId = app.app.ids.next(now);
            let mut item = Item {
                id,
                round: round.id,
                card,
                person: row[1].parse().unwrap(),
                position,
                attempt: 1,
                state: ItemState::Planned,
                answer: None,
                outcome: None,
                next: None,
                next_done_at: None,
                next_done_by: None,
                wish: None,
                origin,
                before: CardStatus::Printed,
                reference: None,
                receiver: None,
                note: None,
                received_by: None,
                old_card: None,
                code_hash: None,
                code_at: None,
                wrong_codes: 0,
                version: 1,
                reported_at: None,
                said_at: None,
                reported_by: None,
                waits_since: Some(now),
                heard_day: None,
                moved_at: None,
                missing_at: None,
            };
            let put = insert_items(&mut tx, &app.app.db, std::slice::from_ref(&item), now).await;
            assert_eq!(put.unwrap(), 1);
            item.state = ItemState::Announced;
            item.reference = Some(format!("K7Q{position}-3M"));
            item.code_at = Some(now);
            item.code_hash = Some(app.app.db.index("hand_over_code", &format!("{id}:{CODE}")));
            if position == 2 {
                item.answer = Some(Answer::Family);
                item.receiver = Some("Wati, istri".to_owned());
            }
            save_item(&mut tx, &app.app.db, &mut item, now).await.unwrap();
            items.push(id.to_string());
        }
        round.state = RoundState::Announced;
        round.announced_at = Some(now);
        save_round(&mut tx, &round).await.unwrap();
        tx.commit().await.unwrap();
        round::start(&app.app, &courier.actor(), round.id).await.unwrap();
        Self { id: round.id, items }
    }

    /// The reports that the office has, in their order: item by its place on the way, result, and one word more.
    pub async fn reports(&self, app: &TestApp) -> Vec<(usize, String, String)> {
        let rows = app
            .query("SELECT item_id, result, why FROM round_report ORDER BY received_at, report_key")
            .await;
        let place = |id: &String| self.items.iter().position(|item| item == id).unwrap() + 1;
        let mut found: Vec<_> =
            rows.into_iter().map(|row| (place(&row[0]), row[1].clone(), row[2].clone())).collect();
        found.sort();
        found
    }
}
