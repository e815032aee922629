//! What holds a broadcast by itself: complaints, a template that may not be used, the provider's day.

use std::time::Duration;

use kabar::domain::broadcast::{Alarm, BroadcastState};
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::broadcast;
use serde_json::json;

use super::{
    assert_once_each, desa, everything_arrives, last_run, people, register, sent, state, times,
};
use crate::support::console::Browser;
use crate::support::{Answer, Start, TestApp, citizen, on_both_engines};

async fn alarm(
    app: &TestApp,
    id: kabar::domain::id::BroadcastId,
) -> (Option<Alarm>, Option<String>) {
    let found = broadcast::show(&app.app, &Actor::cli(), id).await.unwrap();
    (found.alarm, found.alarm_code)
}

on_both_engines! {
    async fn complaints_hold_a_broadcast_and_not_the_answers(app: TestApp) {
        register(&app, &people(150)).await;
        app.whatsapp.next(Answer::code(131_048));
        let id = sent(&app, json!({})).await;
        app.run_until_idle().await;
        assert_eq!(state(&app, id).await, BroadcastState::Stopped);
        assert_eq!(alarm(&app, id).await, (Some(Alarm::Quality), Some("131048".to_owned())));
        let before = times(&app).len();
        assert!(before < 150, "what was not in Meta's hand stays");
        let words = app.app.templates.broadcast().alarm(Alarm::Quality);
        assert!(words.what.contains("WhatsApp") && !words.next.is_empty());

        // The account tries again by itself with other things; the broadcast does not.
        app.advance(Duration::from_secs(3600)).await;
        assert_eq!(times(&app).len(), before);
        assert!(!app.asks(&citizen(9000).e164, "halo").await.text().is_empty());

        broadcast::resume(&app.app, &desa(), id).await.unwrap();
        app.advance(Duration::from_secs(600)).await;
        assert_once_each(&app, 151);
        everything_arrives(&app).await;
        assert_eq!(state(&app, id).await, BroadcastState::Finished);
        assert_eq!(alarm(&app, id).await, (None, None));
    }

    async fn a_paused_template_holds_a_broadcast_also_when_it_is_told_later(app: TestApp) {
        for (code, alarm_expected) in
            [(132_015, Alarm::TemplatePaused), (132_016, Alarm::TemplateDisabled)]
        {
            if app.whatsapp.sent().is_empty() {
                register(&app, &people(3)).await;
            }
            let id = sent(&app, json!({})).await;
            app.run_until_idle().await;
            assert_eq!(state(&app, id).await, BroadcastState::Sending);
            app.failed_receipt(app.whatsapp.sent().last().unwrap(), code).await;
            app.run_until_idle().await;
            assert_eq!(state(&app, id).await, BroadcastState::Stopped);
            assert_eq!(alarm(&app, id).await.0, Some(alarm_expected));
            broadcast::cancel(&app.app, &desa(), id).await.unwrap();
        }
    }

    async fn the_providers_day_is_kept_and_the_rest_goes_out_the_next(start: Start) {
        let mut start = start;
        start.daily_limit = Some(4);
        let app = start.open().await;
        register(&app, &people(10)).await;
        let id = sent(&app, json!({})).await;
        let preview = broadcast::preview(&app.app, &desa(), id).await.unwrap();
        assert_eq!(preview.ways[0].days, Some(3));
        assert!(preview.takes >= Duration::from_secs(2 * 24 * 3600));
        for expected in [4, 8, 10] {
            app.run_until_idle().await;
            assert_eq!(app.whatsapp.sent().len(), expected);
            assert_eq!(last_run(&app, id).await.run.recipients, expected as u64);
            app.advance(Duration::from_secs(24 * 3600 - 1)).await;
            assert_eq!(app.whatsapp.sent().len(), expected, "a whole day");
            app.advance(Duration::from_secs(2)).await;
        }
        assert_once_each(&app, 10);
    }

    async fn a_broadcast_says_that_it_waits_for_metas_day_and_goes_on_by_itself(app: TestApp) {
        let all = people(12);
        register(&app, &all[..10]).await;
        told_limit(&app, "business_capability_update", json!({"max_daily_conversations_per_business": 6})).await;
        // Two who hear of their card count as well; who writes first does not.
        app.card(&all[10], "CARD_PRINTED").await;
        app.card(&all[11], "CARD_PRINTED").await;
        app.asks(&citizen(9000).e164, "halo").await;
        let before = app.whatsapp.sent().len();
        let id = sent(&app, json!({})).await;
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), before + 4);
        assert_eq!(state(&app, id).await, BroadcastState::Sending, "nobody has to resume it");
        assert_eq!(alarm(&app, id).await, (Some(Alarm::TierReached), None));
        let browser = Browser::login(&app, OfficerRole::Desa, super::JABON).await;
        let page = browser.get(&format!("/console/siaran/{id}")).await;
        assert!(page.says("berlanjut sendiri"), "{}", page.text);

        // News and answers go out all the same.
        app.card(&all[10], "READY_TO_COLLECT").await;
        assert!(!app.asks(&citizen(9000).e164, "halo").await.text().is_empty());
        assert_eq!(app.whatsapp.sent().len(), before + 6);

        told_limit(&app, "phone_number_quality_update", json!({"event": "UPGRADE", "current_limit": "TIER_2K"})).await;
        app.run_until_idle().await;
        assert_eq!(alarm(&app, id).await, (None, None));
        assert_eq!(last_run(&app, id).await.run.recipients, 12);
    }
}

/// Meta says how many people may be written to within a day.
async fn told_limit(app: &TestApp, field: &str, value: serde_json::Value) {
    let body = json!({"object": "whatsapp_business_account", "entry": [
        {"id": "9", "time": app.now_s(), "changes": [{"field": field, "value": value}]}
    ]});
    assert_eq!(app.hook(&body).await, reqwest::StatusCode::OK);
    app.run_until_idle().await;
}
