//! Broadcasts that go out by themselves: once, and again and again.

use kabar::domain::broadcast::{BroadcastState, Schedule};
use kabar::domain::timetable::Timetable;
use kabar::service::broadcast::{self, BroadcastError, Draft};
use serde_json::json;

use super::{desa, draft, everything_arrives, people, register, state, times};
use crate::support::{Start, TestApp, on_both_engines};

async fn scheduled(app: &TestApp, schedule: Schedule) -> kabar::domain::id::BroadcastId {
    let draft = Draft { schedule, ..draft(json!({})) };
    let id = broadcast::create(&app.app, &desa(), &draft).await.unwrap();
    broadcast::submit(&app.app, &desa(), id).await.unwrap();
    let state = broadcast::send(&app.app, &desa(), id).await.unwrap();
    assert_eq!(state, BroadcastState::Scheduled);
    id
}

on_both_engines! {
    async fn a_timetable_sends_it_again_on_every_date(start: Start) {
        let app = start.at("08:00 WIB").await;
        register(&app, &people(3)).await;
        let every_day = Schedule::Timetable(Timetable::parse("0 9 * * *").unwrap());
        let dates = broadcast::next_dates(&app.app, &every_day, 5);
        assert_eq!(dates.len(), 5);
        assert_eq!(
            broadcast::schedule_words(&app.app, &every_day),
            "setiap hari pukul 09.00 WIB"
        );
        let id = scheduled(&app, every_day).await;
        app.run_until_idle().await;
        assert!(app.whatsapp.requests().is_empty());
        for day in 1..=2_usize {
            app.advance_to("09:00 WIB").await;
            assert!(times(&app).values().all(|times| *times == day), "{:?}", times(&app));
            assert_eq!(times(&app).len(), 3);
            everything_arrives(&app).await;
            assert_eq!(state(&app, id).await, BroadcastState::Scheduled);
        }
        let runs = broadcast::report(&app.app, &desa(), id).await.unwrap();
        let dues: Vec<_> = runs.iter().map(|report| report.run.due_at).collect();
        assert_eq!(dues, [dates[1], dates[0]]);
        broadcast::cancel(&app.app, &desa(), id).await.unwrap();
        app.advance_to("09:00 WIB").await;
        assert_eq!(app.whatsapp.sent().len(), 6);
    }

    async fn dates_that_pass_while_it_is_paused_stay_passed(start: Start) {
        let app = start.at("08:00 WIB").await;
        register(&app, &people(1)).await;
        let id = scheduled(&app, Schedule::Timetable(Timetable::parse("0 9 * * *").unwrap())).await;
        broadcast::pause(&app.app, &desa(), id).await.unwrap();
        app.advance_to("09:00 WIB").await;
        app.advance_to("12:00 WIB").await;
        broadcast::resume(&app.app, &desa(), id).await.unwrap();
        app.run_until_idle().await;
        assert!(app.whatsapp.requests().is_empty());
        assert_eq!(state(&app, id).await, BroadcastState::Scheduled);
        app.advance_to("09:00 WIB").await;
        assert_eq!(app.whatsapp.sent().len(), 1);
    }

    async fn a_moment_is_kept_once(start: Start) {
        let app = start.at("08:00 WIB").await;
        register(&app, &people(2)).await;
        let at = app.app.now().after(std::time::Duration::from_secs(3600));
        let id = scheduled(&app, Schedule::At(at)).await;
        let past = Draft { schedule: Schedule::At(app.app.now()), ..draft(json!({})) };
        assert!(matches!(
            broadcast::create(&app.app, &desa(), &past).await,
            Err(BroadcastError::Invalid { .. })
        ));
        app.advance_to("08:59 WIB").await;
        assert!(app.whatsapp.requests().is_empty());
        app.advance_to("09:00 WIB").await;
        assert_eq!(app.whatsapp.sent().len(), 2);
        everything_arrives(&app).await;
        app.advance_to("09:00 WIB").await;
        assert_eq!(app.whatsapp.sent().len(), 2);
        assert_eq!(state(&app, id).await, BroadcastState::Finished);
    }
}
