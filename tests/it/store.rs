//! The tables where the journeys do not reach, on both engines: leases, consent, the inbox and
//! its order, groups, keys, tokens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::domain::clock::Timestamp;
use kabar::domain::id::IdSource;
use kabar::domain::outbound::{Bsuid, Recipient};
use kabar::domain::phone::PhoneNumber;
use kabar::store::account::{self, Lease, Stop, StopScope};
use kabar::store::area::{find_names, upsert_areas};
use kabar::store::consent::{self, ConsentChange};
use kabar::store::group::Group;
use kabar::store::inbox::{self, EventKind, EventState, NewEvent};
use kabar::store::suppression::{NewSuppression, SuppressionReason, insert_suppression};
use kabar::store::{Db, Engine, Key, Sealer, StoreError};

use crate::support::{TestApp, on_both_engines};

const NOW: Timestamp = Timestamp::from_ms(1_795_400_000_000);

fn later(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

async fn lease(app: &TestApp, owner: &str, at: u64) -> Lease {
    let until = later(at + 8);
    account::claim_lease(&app.app.db, "acc", owner, later(at), until).await.unwrap()
}

fn event(ids: &IdSource, key: &str, kind: EventKind) -> NewEvent {
    NewEvent {
        id: ids.next(NOW),
        key: key.to_owned(),
        account: "wa".to_owned(),
        kind,
        payload: format!("payload of {key}"),
    }
}

async fn insert(db: &Db, events: &[NewEvent]) -> u64 {
    let mut tx = db.begin().await.unwrap();
    let new = inbox::insert_events(&mut tx, db, events, NOW).await.unwrap();
    tx.commit().await.unwrap();
    new
}

on_both_engines! {
    async fn what_is_listed_and_counted_again_and_again_has_its_index(app: TestApp) {
        let plan = async |statement: &str| match app.engine() {
            Engine::Sqlite => app.query(&format!("EXPLAIN QUERY PLAN {statement}")).await.concat().join(" "),
            // Of tables so small PostgreSQL reads the whole, whatever there is.
            Engine::Postgres => app.query("SELECT CAST(indexname AS TEXT) FROM pg_indexes").await.concat().join(" "),
        };
        for (index, statement) in [
            ("ticket_waiting", "SELECT id FROM ticket WHERE closed_at IS NULL AND id > '' ORDER BY id"),
            ("ticket_untouched", "SELECT id FROM ticket WHERE closed_at IS NULL AND kind = 'human' AND touched_at <= 1"),
            ("ticket_entry_look", "SELECT id FROM ticket_entry WHERE ticket_id = '' AND what = 'looked' AND at > 1"),
            ("inbound_intent", "SELECT intent, COUNT(*) FROM inbound WHERE received_at >= 1 GROUP BY intent"),
            ("message_contact", "SELECT id FROM message WHERE contact_id = 'con' AND created_at < 1 ORDER BY created_at DESC, id DESC LIMIT 9"),
            ("ticket_closed", "SELECT id FROM ticket WHERE closed_at IS NOT NULL AND id < 'tkt' AND replace(area, '.', '') >= '3' ORDER BY id DESC LIMIT 9"),
            ("message_ended_area", "SELECT id FROM message m WHERE m.area >= '1' AND m.area < '2' AND m.id || '' < 'z' AND m.status || '' = 'failed' AND m.status NOT IN ('queued', 'sending', 'sent', 'delivered', 'read') ORDER BY m.id || '' DESC LIMIT 9"),
            ("survey_answer_day", "SELECT element, SUM(answers) FROM survey_answer WHERE day >= '2' GROUP BY element"),
        ] {
            let plan = plan(statement).await;
            assert!(plan.contains(index), "{statement}: {plan}");
        }
    }

    async fn names_of_areas_are_written_anew_and_found_by_their_codes(app: TestApp) {
        let db = &app.app.db;
        let area = |code: &str| AreaCode::parse(code).unwrap();
        let names = |names: &[(&str, &str)]| -> BTreeMap<AreaCode, String> {
            names.iter().map(|(code, name)| (area(code), (*name).to_owned())).collect()
        };
        let mut tx = db.begin().await.unwrap();
        let first = names(&[("35", "Jawa Timur"), ("35.17", "Jombang \"'; --")]);
        upsert_areas(&mut tx, db, &first, NOW).await.unwrap();
        let later_names = names(&[("35", "Djawa Timoer"), ("35.17.09", "Jombang")]);
        upsert_areas(&mut tx, db, &later_names, later(1)).await.unwrap();
        upsert_areas(&mut tx, db, &names(&[]), later(2)).await.unwrap();
        let codes = ["35", "35.17", "36"].map(area);
        let found = find_names(&mut tx, db, &codes).await.unwrap();
        assert_eq!(found, names(&[("35", "Djawa Timoer"), ("35.17", "Jombang \"'; --")]));
        tx.commit().await.unwrap();
    }

    async fn an_account_has_one_owner_until_the_lease_ends_or_is_given_back(app: TestApp) {
        assert_eq!(lease(&app, "a", 0).await, Lease::Taken);
        assert_eq!(lease(&app, "b", 7).await, Lease::Held);
        assert_eq!(lease(&app, "a", 7).await, Lease::Renewed);
        assert_eq!(lease(&app, "b", 14).await, Lease::Held);
        assert_eq!(lease(&app, "b", 15).await, Lease::Taken, "the moment it ends");
        assert_eq!(lease(&app, "a", 16).await, Lease::Held, "who lost it does not renew it");
        account::release_lease(&app.app.db, "acc", "a").await.unwrap();
        assert_eq!(lease(&app, "a", 17).await, Lease::Held, "only the owner gives it back");
        account::release_lease(&app.app.db, "acc", "b").await.unwrap();
        assert_eq!(lease(&app, "a", 18).await, Lease::Taken);
    }

    async fn of_many_that_reach_for_an_account_one_gets_it(app: TestApp) {
        let owners: Vec<String> = (0..12).map(|n| format!("owner {n}")).collect();
        let tries = owners.iter().map(|owner| lease(&app, owner, 0));
        let answers = futures_util::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|answer| **answer == Lease::Taken).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Lease::Held).count(), 11);
    }

    async fn a_stop_is_listed_until_it_is_lifted_or_the_account_changes_hands(app: TestApp) {
        let db = &app.app.db;
        let stop = Stop {
            at: NOW,
            code: "190".to_owned(),
            reason: "token expired".to_owned(),
            scope: StopScope::All,
            retry_at: later(60),
        };
        let set = async |stop: Option<&Stop>| {
            let mut tx = db.begin().await.unwrap();
            account::set_stop(&mut tx, "acc", stop).await.unwrap();
            tx.commit().await.unwrap();
        };
        lease(&app, "a", 0).await;
        set(Some(&stop)).await;
        assert_eq!(account::list_stopped(db).await.unwrap(), [("acc".to_owned(), stop.clone())]);
        assert_eq!(lease(&app, "a", 1).await, Lease::Renewed);
        assert_eq!(account::list_stopped(db).await.unwrap().len(), 1);
        set(None).await;
        assert!(account::list_stopped(db).await.unwrap().is_empty());
        set(Some(&stop)).await;
        assert_eq!(lease(&app, "b", 100).await, Lease::Taken);
        assert!(account::list_stopped(db).await.unwrap().is_empty());
    }

    async fn consent_of_either_part_of_an_address_counts_for_the_whole(app: TestApp) {
        let db = &app.app.db;
        let phone = PhoneNumber::parse("0812-3456-7890").ok();
        let bsuid = Bsuid::parse("ID.13491208655302741918");
        let whole = Recipient { phone: phone.clone(), bsuid: bsuid.clone(), chat: None };
        let by_phone = Recipient { phone, ..Recipient::default() };
        let by_id = Recipient { bsuid, ..Recipient::default() };
        let hashes = |to: &Recipient| consent::address_hashes(db, "portfolio", to);
        let mut tx = db.begin().await.unwrap();
        let change = ConsentChange::OptOut;
        consent::apply(&mut tx, &hashes(&by_id), change, NOW).await.unwrap();
        let known = consent::find_consent(&mut tx, &hashes(&whole), None).await.unwrap();
        assert!(known.is_opted_out && !known.is_suppressed);
        let known = consent::find_consent(&mut tx, &hashes(&by_phone), None).await.unwrap();
        assert!(!known.is_opted_out, "nothing ties the two together yet");
        let elsewhere = consent::address_hashes(db, "another portfolio", &by_id);
        let known = consent::find_consent(&mut tx, &elsewhere, None).await.unwrap();
        assert!(!known.is_opted_out, "user ids belong to one portfolio");

        for hash in hashes(&whole) {
            let new = NewSuppression {
                id: IdSource::default().next(NOW),
                address_hash: &hash,
                address: None,
                channel: None,
                reason: SuppressionReason::WrongPerson,
                code: None,
            };
            insert_suppression(&mut tx, db, &new, NOW).await.unwrap();
        }
        consent::apply(&mut tx, &hashes(&whole), ConsentChange::OptIn, NOW).await.unwrap();
        let known = consent::find_consent(&mut tx, &hashes(&whole), None).await.unwrap();
        assert!(!known.is_opted_out && known.is_suppressed, "MULAI does not undo BUKAN SAYA");
    }

    async fn events_are_stored_once_and_come_out_in_the_order_they_went_in(app: TestApp) {
        let db = &app.app.db;
        let ids = IdSource::default();
        let keys: Vec<String> = (0..50).map(|n| format!("m:{}", (n * 37) % 50)).collect();
        let events: Vec<_> = keys.iter().map(|key| event(&ids, key, EventKind::Message)).collect();
        assert_eq!(insert(db, &events[..30]).await, 30);
        assert_eq!(insert(db, &events).await, 20, "repeats are passed over");
        let again = event(&ids, &keys[0], EventKind::Message);
        let other = event(&ids, "s:1:sent", EventKind::Receipt);
        assert_eq!(insert(db, &[again.clone(), again, other]).await, 1);
        let elsewhere =
            NewEvent { account: "wa-2".to_owned(), ..event(&ids, &keys[0], EventKind::Other) };
        assert_eq!(insert(db, &[elsewhere]).await, 1, "another account's ids are its own");

        let mut out = Vec::new();
        loop {
            let mut tx = db.begin().await.unwrap();
            let claimed =
                inbox::claim_events(&mut tx, db, EventKind::Message, 7, later(1)).await.unwrap();
            if claimed.is_empty() {
                break;
            }
            let done: Vec<_> = claimed.iter().map(|event| (event.id, EventState::Done)).collect();
            inbox::mark_events(&mut tx, db, &done, None, later(1)).await.unwrap();
            out.extend(claimed.into_iter().map(|event| event.payload));
            tx.commit().await.unwrap();
        }
        let expected: Vec<_> = keys.iter().map(|key| format!("payload of {key}")).collect();
        assert_eq!(out, expected);
        assert_eq!(inbox::waiting(db).await.unwrap(), (2, Some(NOW)));
    }

    async fn an_event_put_back_waits_and_lets_others_pass(app: TestApp) {
        let db = &app.app.db;
        let ids = IdSource::default();
        insert(
            db,
            &[event(&ids, "m:1", EventKind::Message), event(&ids, "m:2", EventKind::Message)],
        )
        .await;
        let first = async |at| {
            let mut tx = db.begin().await.unwrap();
            let mut found =
                inbox::claim_events(&mut tx, db, EventKind::Message, 1, at).await.unwrap();
            (tx, found.pop().unwrap())
        };
        let (mut tx, event) = first(NOW).await;
        assert_eq!((event.payload.as_str(), event.attempts), ("payload of m:1", 0));
        inbox::postpone_event(&mut tx, event.id, later(60), "not yet").await.unwrap();
        tx.commit().await.unwrap();
        let (mut tx, event) = first(later(59)).await;
        assert_eq!(event.payload, "payload of m:2");
        inbox::mark_events(&mut tx, db, &[(event.id, EventState::Done)], None, NOW).await.unwrap();
        tx.commit().await.unwrap();
        let (_, event) = first(later(60)).await;
        assert_eq!((event.payload.as_str(), event.attempts), ("payload of m:1", 1));
    }

    async fn many_webhooks_at_once_share_commits_and_none_is_lost(app: TestApp) {
        let ids = Arc::new(IdSource::default());
        let db = app.app.db.clone();
        let commits = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&commits);
        let group = Group::start(1000, 1000, move |events: Vec<NewEvent>| {
            let db = db.clone();
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            async move {
                let mut tx = db.begin().await?;
                inbox::insert_events(&mut tx, &db, &events, NOW).await?;
                Ok(tx.commit().await?)
            }
        });
        let posts = (0..200)
            .map(|n| group.submit(vec![event(&ids, &format!("m:{n}"), EventKind::Message)]));
        let answers = futures_util::future::join_all(posts).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(inbox::waiting(&app.app.db).await.unwrap().0, 200);
        let commits = commits.load(std::sync::atomic::Ordering::SeqCst);
        assert!(commits < 20, "{commits} commits for 200 webhooks");
    }

    async fn a_group_whose_commit_fails_tells_everybody_who_waits(app: TestApp) {
        let ids = IdSource::default();
        app.app.db.close().await;
        let events = vec![event(&ids, "m:1", EventKind::Message)];
        let error = app.app.events.submit(events).await.unwrap_err();
        assert!(matches!(*error.0, StoreError::Unavailable(_)), "{error:?}");
    }

    async fn a_database_does_not_open_with_other_keys(app: TestApp) {
        let key = || Key::generate().unwrap();
        let wrong = Arc::new(Sealer::new((1, &key()), &[], &key()).unwrap());
        let error = Db::open(&app.database.url, wrong).await.unwrap_err();
        assert!(error.to_string().contains("other keys"), "{error}");
        assert!(Db::open(&app.database.url, Arc::clone(&app.database.sealer)).await.is_ok());
    }

    async fn what_is_given_back_in_a_rolled_back_transaction_never_happened(app: TestApp) {
        let db = &app.app.db;
        let ids = IdSource::default();
        let mut tx = db.begin().await.unwrap();
        inbox::insert_events(&mut tx, db, &[event(&ids, "m:1", EventKind::Message)], NOW)
            .await
            .unwrap();
        drop(tx);
        assert_eq!(inbox::waiting(db).await.unwrap(), (0, None));
    }
}

#[tokio::test]
async fn an_address_that_names_no_database_is_refused_in_words() {
    let sealer = || {
        let key = || Key::generate().unwrap();
        Arc::new(Sealer::new((1, &key()), &[], &key()).unwrap())
    };
    for url in ["mysql://localhost/kabar", "sqlite://", "sqlite::memory:", "postgres://:::"] {
        let error = Db::open(url, sealer()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable(_)), "{url}: {error:?}");
        assert!(error.to_string().contains("database.url"), "{url}: {error}");
    }
}
