//! How was it? Asked once, a day after a card was handed over, and counted without anybody's name.

use std::time::Duration;

use kabar::store::survey::set_due;
use serde_json::json;

use crate::support::{Start, TestApp, citizen, on_both_engines};

const DAY: Duration = Duration::from_secs(24 * 3600);
const INVITATION: &str = "kabar_survey_invitation_v1";

fn invitations(app: &TestApp, number: &str) -> usize {
    let sent = app.whatsapp.sent_to(number);
    sent.iter()
        .filter(|sent| sent.template() == INVITATION || sent.text().contains("NILAI"))
        .count()
}

on_both_engines! {
    async fn a_day_after_the_hand_over_its_holder_is_asked_once_and_may_answer(app: TestApp) {
        let siti = citizen(6);
        app.card(&siti, "CARD_ISSUED").await;
        app.run_until_idle().await;
        app.advance(Duration::from_secs(24 * 3600 - 60)).await;
        assert_eq!(invitations(&app, &siti.e164), 0);
        app.advance(Duration::from_secs(60)).await;
        assert_eq!(invitations(&app, &siti.e164), 1);
        let invitation = app.whatsapp.sent_to(&siti.e164).pop().unwrap();
        assert_eq!(invitation.template(), INVITATION);
        app.advance(10 * DAY).await;
        assert_eq!(invitations(&app, &siti.e164), 1, "once for each card");
        let visits = app.query("SELECT id FROM visit WHERE template = 'survey_invitation'").await;
        assert!(visits.is_empty(), "nobody goes to the door for it");

        let real = app.asks(&siti.e164, &format!("Ref {} asli?", invitation.param("ref"))).await;
        assert!(real.text().contains("ajakan menilai pelayanan"), "{}", real.text());
        let mut question = app.asks(&siti.e164, "NILAI").await;
        for score in [4, 3, 2] {
            let choices = question.choices();
            assert_eq!(choices.len(), 4, "a list: three are the most that buttons hold");
            question = app.presses(&siti.e164, &choices[score - 1]).await;
        }
        let enough = app.asks(&siti.e164, "1").await;
        assert!(enough.text().contains("Cukup, terima kasih"), "{}", enough.text());
        let rows = app
            .query("SELECT element, score, document, area, day, answers FROM survey_answer ORDER BY score DESC")
            .await;
        let expected: [(&str, &str); 4] =
            [("persyaratan", "4"), ("prosedur", "3"), ("waktu", "2"), ("biaya", "1")];
        assert_eq!(rows.len(), 4);
        for (row, (element, score)) in rows.iter().zip(expected) {
            assert_eq!((row[0].as_str(), row[1].as_str()), (element, score));
            assert_eq!(row[2..], ["ktp-el", "35.17.09.2018", "2026-12-04", "1"]);
        }
        // The next one is asked what was answered least.
        let other = app.asks("+6281299990000", "nilai").await;
        assert!(other.text().contains("dokumennya benar"), "{}", other.text());
    }

    async fn what_was_rated_long_ago_does_not_say_what_is_asked_now(app: TestApp) {
        let first = app.asks("+6281299990000", "nilai").await.text().to_owned();
        assert!(first.contains("syarat"), "{first}");
        app.asks("+6281299990000", "1").await;
        let other = app.asks("+6281299990001", "nilai").await.text().to_owned();
        assert_ne!(other, first);
        app.advance(91 * DAY).await;
        assert_eq!(app.asks("+6281299990002", "nilai").await.text(), first);
    }

    async fn who_hears_daily_that_a_card_was_handed_over_is_asked_a_day_after_the_first_word(start: Start) {
        let mut start = start;
        start.settings.policy.enabled.retain(|kind| kind.as_str() != "card_issued");
        let app = start.open().await;
        app.card(&citizen(1), "CARD_ISSUED").await;
        for _ in 0..2 {
            app.advance(Duration::from_secs(12 * 3600)).await;
            app.card(&citizen(1), "CARD_ISSUED").await;
            app.run_until_idle().await;
        }
        assert_eq!(invitations(&app, &citizen(1).e164), 1);
        app.advance(10 * DAY).await;
        assert_eq!(invitations(&app, &citizen(1).e164), 1);
    }

    async fn a_card_that_nobody_is_to_be_asked_about_is_not_written_for_it(app: TestApp) {
        app.card(&citizen(1), "CARD_PRINTED").await;
        app.run_until_idle().await;
        let card = app.query("SELECT id FROM card").await[0][0].parse().unwrap();
        let mut tx = app.app.db.begin().await.unwrap();
        assert!(!set_due(&mut tx, card, None).await.unwrap());
        assert!(set_due(&mut tx, card, Some(app.app.now())).await.unwrap());
        assert!(set_due(&mut tx, card, None).await.unwrap());
        assert!(!set_due(&mut tx, card, None).await.unwrap());
        tx.commit().await.unwrap();
    }

    async fn an_invitation_that_cannot_be_made_holds_up_no_other_and_is_tried_again(app: TestApp) {
        for n in [1, 2] {
            app.card(&citizen(n), "CARD_ISSUED").await;
            app.run_until_idle().await;
        }
        let first = "(SELECT person_id FROM card ORDER BY survey_due_at, id LIMIT 1)";
        app.query(&format!("UPDATE person SET phone_sealed = 'x' || phone_sealed WHERE id = {first}")).await;
        app.advance(DAY).await;
        assert_eq!(invitations(&app, &citizen(1).e164), 0);
        assert_eq!(invitations(&app, &citizen(2).e164), 1);
        app.query("UPDATE person SET phone_sealed = substr(phone_sealed, 2) WHERE phone_sealed LIKE 'x%'").await;
        app.advance(DAY).await;
        assert_eq!(invitations(&app, &citizen(1).e164), 1);
    }

    async fn nobody_is_asked_at_night_nor_who_stopped_nor_about_a_card_that_is_made_anew(start: Start) {
        let app = start.at("22:30 WIB").await;
        let (night, stopped, again) = (citizen(1), citizen(2), citizen(3));
        for who in [&night, &stopped, &again] {
            app.card(who, "CARD_ISSUED").await;
        }
        app.advance_to("07:00 WIB").await;
        app.asks(&stopped.e164, "BERHENTI").await;
        app.card(&again, "PRINT_READY_RECORD").await;
        app.card(&again, "CARD_PRINTED").await;
        app.advance_to("23:00 WIB").await;
        assert_eq!(invitations(&app, &night.e164), 0);
        app.advance_to("07:00 WIB").await;
        assert_eq!(invitations(&app, &night.e164), 1);
        assert_eq!(invitations(&app, &stopped.e164), 0);
        assert_eq!(invitations(&app, &again.e164), 0);
    }

    async fn an_invitation_that_waits_for_the_morning_is_withdrawn_by_newer_news(start: Start) {
        let app = start.at("22:30 WIB").await;
        app.card(&citizen(1), "CARD_ISSUED").await;
        app.advance_to("22:31 WIB").await;
        app.advance(DAY).await;
        let waiting = "SELECT status FROM message WHERE template = 'survey_invitation'";
        assert_eq!(app.query(waiting).await, [["queued"]]);
        app.card(&citizen(1), "PRINT_READY_RECORD").await;
        app.advance_to("07:00 WIB").await;
        assert_eq!(app.query(waiting).await, [["cancelled"]]);
        assert_eq!(invitations(&app, &citizen(1).e164), 0);
    }

    async fn an_office_may_switch_it_off_and_old_hand_overs_are_no_occasion(start: Start) {
        let mut start = start;
        start.settings.policy.enabled.retain(|kind| kind.as_str() != "survey_invitation");
        let app = start.open().await;
        app.card(&citizen(1), "CARD_ISSUED").await;
        app.advance(2 * DAY).await;
        assert_eq!(invitations(&app, &citizen(1).e164), 0);
    }

    async fn what_is_recorded_in_silence_or_long_after_invites_nobody(app: TestApp) {
        app.card_with(&citizen(1), "CARD_ISSUED", &[("silent", json!(true))]).await;
        let long_ago = json!("2026-11-01T09:00:00+07:00");
        app.card_with(&citizen(2), "CARD_ISSUED", &[("occurred_at", long_ago)]).await;
        app.advance(2 * DAY).await;
        assert_eq!(invitations(&app, &citizen(1).e164) + invitations(&app, &citizen(2).e164), 0);
    }
}
