//! A broadcast on its way: held and let go, through crashes and restarts, to its end.

use std::time::Duration;

use kabar::domain::broadcast::{BroadcastState, LeftOut, RunState};
use kabar::domain::message::MessageStatus;
use kabar::domain::officer::Actor;
use kabar::service::broadcast::{self, BroadcastError};
use serde_json::json;

use super::{
    SECOND, assert_once_each, desa, draft, everything_arrives, kecamatan, last_run, people,
    register, sent, state,
};
use crate::support::{Answer, LEASE_OVER, Start, TestApp, citizen, on_both_engines, word};

on_both_engines! {
    async fn a_broadcast_is_written_approved_sent_paused_resumed_and_finished(app: TestApp) {
        register(&app, &people(300)).await;
        let id = broadcast::create(&app.app, &desa(), &draft(json!({}))).await.unwrap();
        let preview = broadcast::preview(&app.app, &desa(), id).await.unwrap();
        assert_eq!((preview.people, preview.recipients, preview.rupiah), (300, 300, None));
        assert!(preview.needs_second, "300 are more than 200");
        let waits = broadcast::submit(&app.app, &desa(), id).await.unwrap();
        assert_eq!(waits, BroadcastState::Submitted);
        assert!(matches!(
            broadcast::send(&app.app, &desa(), id).await,
            Err(BroadcastError::State { .. })
        ));
        broadcast::approve(&app.app, &kecamatan(), id).await.unwrap();
        broadcast::send(&app.app, &desa(), id).await.unwrap();
        broadcast::step(&app.app).await.unwrap();
        app.send_round().await;
        let before = app.whatsapp.sent().len();
        assert!((1..300).contains(&before), "{before}");

        broadcast::pause(&app.app, &desa(), id).await.unwrap();
        app.advance(Duration::from_secs(60)).await;
        assert_eq!(app.whatsapp.sent().len(), before, "nothing leaves while it is held");
        broadcast::resume(&app.app, &desa(), id).await.unwrap();
        app.run_until_idle().await;
        assert_once_each(&app, 300);
        assert_eq!(state(&app, id).await, BroadcastState::Sending, "no word of the arrival yet");
        let first = &app.whatsapp.sent()[0];
        assert_eq!(first.template(), "kabar_sosialisasi_v1");
        assert_eq!(first.param("title"), "perekaman KTP-el");

        everything_arrives(&app).await;
        assert_eq!(state(&app, id).await, BroadcastState::Finished);
        let report = last_run(&app, id).await;
        assert_eq!(report.run.state, RunState::Finished);
        assert_eq!((report.run.recipients, report.settled), (300, 300));
        assert_eq!(report.states.get(&MessageStatus::Delivered), Some(&300));
        let ledger = app.query("SELECT action, who FROM audit ORDER BY id").await;
        let acts: Vec<(&str, &str)> = ledger.iter().map(|row| (&*row[0], &*row[1])).collect();
        assert_eq!(acts, [
            ("wrote_broadcast", "tok_desa"), ("submitted_broadcast", "tok_desa"),
            ("approved_broadcast", "tok_kecamatan"), ("sent_broadcast", "tok_desa"),
            ("paused_broadcast", "tok_desa"), ("resumed_broadcast", "tok_desa"),
        ]);
    }

    async fn what_nobody_hears_more_of_is_finished_after_a_day(app: TestApp) {
        register(&app, &people(2)).await;
        let id = sent(&app, json!({})).await;
        app.run_until_idle().await;
        app.advance(Duration::from_secs(24 * 3600 - 1)).await;
        assert_eq!(state(&app, id).await, BroadcastState::Sending);
        app.advance(SECOND).await;
        assert_eq!(state(&app, id).await, BroadcastState::Finished);
        assert_eq!(last_run(&app, id).await.settled, 2);
    }

    async fn a_crash_while_recipients_are_put_into_the_outbox_repeats_and_misses_nobody(
        start: Start,
    ) {
        let mut start = start;
        start.messages_per_second = 60;
        start.settings.broadcast.approve_over = 1000;
        let mut app = start.open().await;
        register(&app, &people(400)).await;
        let id = sent(&app, json!({})).await;
        broadcast::step(&app.app).await.unwrap();
        let so_far = last_run(&app, id).await;
        assert!((1..400).contains(&so_far.run.recipients), "only as far ahead as needed");
        app.send_round().await;
        app = app.restart().await;
        app.advance(LEASE_OVER).await;
        for round in 0..150 {
            if round == 5 {
                // Two processes look at the same moment.
                let (one, other) =
                    tokio::join!(broadcast::step(&app.app), broadcast::step(&app.app));
                one.and(other).unwrap();
            }
            app.advance(Duration::from_millis(60)).await;
        }
        assert_once_each(&app, 400);
        everything_arrives(&app).await;
        assert_eq!(state(&app, id).await, BroadcastState::Finished);
        assert_eq!(last_run(&app, id).await.run.recipients, 400);
    }

    async fn the_outbox_holds_no_more_than_the_account_needs(start: Start) {
        let mut start = start;
        start.messages_per_second = 1;
        start.settings.broadcast.approve_over = 10_000;
        let app = start.open().await;
        register(&app, &people(500)).await;
        sent(&app, json!({})).await;
        for _ in 0..20 {
            broadcast::step(&app.app).await.unwrap();
            app.send_round().await;
            app.clock.advance(SECOND);
        }
        let waiting = app.query("SELECT COUNT(*) FROM message WHERE status = 'queued'").await;
        assert!(waiting[0][0].parse::<u64>().unwrap() <= 300, "{waiting:?}");
    }

    async fn an_announcement_and_a_reply_overtake_a_broadcast(start: Start) {
        let mut start = start;
        start.messages_per_second = 20;
        let app = start.open().await;
        register(&app, &people(200)).await;
        sent(&app, json!({})).await;
        broadcast::step(&app.app).await.unwrap();
        app.send_round().await;
        let before = app.whatsapp.sent().len();
        let (other, asker) = (citizen(5000), citizen(5001));
        app.card(&other, "CARD_PRINTED").await;
        app.writes(&asker.e164, "halo").await;
        // One leaves a second, as the clock moves here.
        app.advance(SECOND).await;
        app.advance(SECOND).await;
        let next: Vec<String> =
            app.whatsapp.sent()[before..].iter().take(2).map(|sent| sent.to().to_owned()).collect();
        assert!(next.contains(&other.e164) && next.contains(&asker.e164), "{next:?}");
    }

    async fn what_still_waits_of_a_cancelled_broadcast_never_leaves(app: TestApp) {
        register(&app, &people(150)).await;
        let id = sent(&app, json!({})).await;
        broadcast::step(&app.app).await.unwrap();
        app.send_round().await;
        let before = app.whatsapp.sent().len();
        broadcast::cancel(&app.app, &desa(), id).await.unwrap();
        app.advance(Duration::from_secs(60)).await;
        assert_eq!(app.whatsapp.sent().len(), before);
        let report = last_run(&app, id).await;
        assert_eq!(report.run.state, RunState::Cancelled);
        let withdrawn = report.states.get(&MessageStatus::Cancelled).copied().unwrap_or(0);
        assert_eq!(usize::try_from(withdrawn).unwrap() + before, 150);
        assert!(broadcast::resume(&app.app, &desa(), id).await.is_err());
    }

    async fn failures_are_told_with_their_reasons_and_tried_again_alone(app: TestApp) {
        let all = people(10);
        register(&app, &all).await;
        for (n, code) in [(2, 130_472), (5, 131_009), (7, 131_026)] {
            app.whatsapp.always_to(&all[n].e164, Answer::code(code));
        }
        app.whatsapp.always_to(&all[8].e164, Answer::HangUp);
        let id = sent(&app, json!({})).await;
        app.run_until_idle().await;
        assert!(broadcast::retry(&app.app, &desa(), id).await.is_err(), "it is not over yet");
        app.advance(Duration::from_secs(600)).await;
        everything_arrives(&app).await;
        assert_eq!(state(&app, id).await, BroadcastState::Finished);
        let report = last_run(&app, id).await;
        let codes: Vec<(&str, u64)> =
            report.failures.iter().map(|kind| (&*kind.code, kind.count)).collect();
        assert_eq!(
            codes,
            [("130472", 1), ("131009", 1), ("131026", 1), ("unknown_outcome", 1)]
        );
        assert!(report.failures.iter().all(|kind| !kind.reason.is_empty()));
        let run = report.run.id;
        let listed = broadcast::failures(&app.app, &desa(), run, None, 10).await.unwrap();
        assert_eq!(listed.len(), 4);
        assert!(listed.iter().all(|one| !one.recipient.as_ref().unwrap().contains("3456")));

        for n in [2, 5, 7, 8] {
            app.whatsapp.always_to(&all[n].e164, Answer::Accept);
        }
        broadcast::retry(&app.app, &desa(), id).await.unwrap();
        app.run_until_idle().await;
        everything_arrives(&app).await;
        let tried: Vec<usize> =
            (0..10).filter(|n| app.whatsapp.requests().iter().filter(|r| r.to() == all[*n].e164).count() > 1).collect();
        assert_eq!(tried, [2, 5], "who is on no WhatsApp, or may have got it, is left in peace");
        let report = last_run(&app, id).await;
        assert_eq!((report.run.recipients, report.run.retry_of), (2, Some(run)));
        assert_eq!(report.run.left_out.get(&LeftOut::Suppressed), Some(&1));
        assert_eq!(state(&app, id).await, BroadcastState::Finished);
        assert!(matches!(
            broadcast::retry(&app.app, &desa(), id).await,
            Err(BroadcastError::NoFailures)
        ));
    }

    async fn who_stops_hears_no_more_of_it_at_once_and_of_none_later(app: TestApp) {
        let all = people(3);
        register(&app, &all).await;
        app.asks(&all[0].e164, "BERHENTI").await;
        let id = sent(&app, json!({})).await;
        broadcast::step(&app.app).await.unwrap();
        app.asks(&all[1].e164, "STOP").await;
        app.run_until_idle().await;
        let of = |n: usize| app.whatsapp.sent_to(&all[n].e164);
        assert_eq!((of(0).len(), of(2).len()), (1, 1), "the answer to one, the notice to the other");
        let to_second = of(1);
        assert!(to_second.iter().all(|sent| sent.template() != "kabar_sosialisasi_v1"));
        let report = last_run(&app, id).await;
        assert_eq!(report.run.left_out.get(&LeftOut::OptedOut), Some(&1));
        assert_eq!(report.states.get(&MessageStatus::Cancelled), Some(&1));
        let preview = broadcast::preview(&app.app, &Actor::cli(), id).await.unwrap();
        assert_eq!(preview.recipients, 1);
    }

    async fn a_family_with_one_phone_gets_it_once(app: TestApp) {
        let mother = citizen(1);
        let family: Vec<_> = (1..=4).map(|n| citizen(n).with_phone(&mother.phone)).collect();
        register(&app, &family).await;
        let id = sent(&app, json!({})).await;
        let preview = broadcast::preview(&app.app, &desa(), id).await.unwrap();
        assert_eq!((preview.people, preview.recipients), (4, 1));
        assert_eq!(preview.left_out.get(&LeftOut::Shared), Some(&3));
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent().len(), 1);
        assert_eq!(last_run(&app, id).await.run.left_out.get(&LeftOut::Shared), Some(&3));
    }

    async fn it_waits_for_the_morning_in_the_quiet_hours(start: Start) {
        let app = start.at("21:00 WIB").await;
        register(&app, &people(3)).await;
        sent(&app, json!({})).await;
        app.run_until_idle().await;
        assert!(app.whatsapp.requests().is_empty());
        app.advance_to("07:00 WIB").await;
        assert_once_each(&app, 3);
    }

    async fn a_test_goes_to_one_phone_and_counts_for_nothing(app: TestApp) {
        use kabar::domain::message::ChannelKind;
        use kabar::domain::phone::PhoneNumber;
        register(&app, &people(2)).await;
        let id = broadcast::create(&app.app, &desa(), &draft(json!({}))).await.unwrap();
        let own = PhoneNumber::parse("0812-9999-0000").unwrap();
        let officer = desa();
        let test = |channel| broadcast::test(&app.app, &officer, id, channel, &own);
        test(ChannelKind::Whatsapp).await.unwrap();
        assert!(matches!(test(ChannelKind::Telegram).await, Err(BroadcastError::NoWay)));
        app.run_until_idle().await;
        assert_eq!(app.whatsapp.sent_to("+6281299990000").len(), 1);
        assert_eq!(app.whatsapp.sent().len(), 1);
        assert_eq!(state(&app, id).await, BroadcastState::Draft);
        assert_eq!(word(&app.message().await["why"]), "broadcast_test");
    }
}
