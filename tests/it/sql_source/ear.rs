//! NOTIFY wakes at once, and nothing that is said goes by unheard.

use std::time::Duration;

use futures_util::FutureExt as _;
use kabar::source::Source as _;
use kabar::source::sql::Sql;
use tokio::time::timeout;

use super::{CARDS, read, settings, source};
use crate::support::foreign::{Foreign, Kind};

const PATIENCE: Duration = Duration::from_secs(30);

async fn listening() -> (Foreign, Sql) {
    let foreign = Foreign::create(Kind::Postgres).await.with_cards(3).await;
    foreign
        .run(
            "CREATE FUNCTION kabari() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_notify('kartu', ''); RETURN NULL; END $$; \
             CREATE TRIGGER kabari AFTER INSERT OR UPDATE ON kartu \
             FOR EACH STATEMENT EXECUTE FUNCTION kabari()",
        )
        .await;
    let mut settings = settings(&foreign.url(), CARDS);
    settings.notify = Some("kartu".to_owned());
    (foreign, source(settings))
}

async fn hear(source: &Sql) {
    timeout(PATIENCE, source.changed()).await.expect("it never heard");
}

/// Whether nothing more is to be heard: whatever was said before has come by the time that a session
/// of its own has answered.
async fn is_quiet(foreign: &Foreign, source: &Sql) -> bool {
    for _ in 0..3 {
        foreign.texts("SELECT 'x'").await;
        if source.changed().now_or_never().is_some() {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn what_is_said_wakes_at_once_and_once() {
    let (foreign, source) = listening().await;
    hear(&source).await;
    assert!(is_quiet(&foreign, &source).await, "what was said before is read by now");

    foreign.set(1, "CARD_PRINTED", 60).await;
    hear(&source).await;
    assert!(is_quiet(&foreign, &source).await);

    // Said while it was read, and many times.
    for n in 0..300 {
        foreign.run("SELECT pg_notify('kartu', '')").await;
        if n == 0 {
            read(&source, None).await;
        }
    }
    let mut woken = 0;
    while woken == 0 || !is_quiet(&foreign, &source).await {
        if woken == 0 {
            hear(&source).await;
        }
        woken += 1;
    }
    assert!(woken < 30, "many changes are few reasons to look: {woken}");
}

#[tokio::test]
async fn one_who_stops_listening_in_the_middle_loses_nothing() {
    let (foreign, source) = listening().await;
    hear(&source).await;
    for polls in 0..20 {
        // Waiting is given up again and again, as it is whenever a source is looked at by the clock.
        let mut waiting = Box::pin(source.changed());
        let mut is_heard = false;
        for _ in 0..polls {
            is_heard |= (&mut waiting).now_or_never().is_some();
            tokio::task::yield_now().await;
            if is_heard {
                break;
            }
        }
        assert!(!is_heard, "nothing was said");
        drop(waiting);
        foreign.run("SELECT pg_notify('kartu', '')").await;
        hear(&source).await;
    }
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_opened_again_and_what_it_missed_counts_as_said() {
    let (foreign, source) = listening().await;
    hear(&source).await;
    let end = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
               WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    for round in 0..5 {
        assert_eq!(foreign.texts(end).await, ["true"], "somebody listens");
        foreign.run("SELECT pg_notify('kartu', '')").await;
        if round > 2 {
            // Noticed, and given up in the middle of coming back.
            for _ in 0..round {
                let _ = source.changed().now_or_never();
                foreign.texts("SELECT 'x'").await;
            }
        }
        hear(&source).await;
        foreign.run("SELECT pg_notify('kartu', '')").await;
        hear(&source).await;
    }
}
