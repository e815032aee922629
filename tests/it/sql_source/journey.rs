//! From a row of somebody's table to a phone: told once, in order, and nothing missed, whatever
//! happens to the cursor.

use serde_json::Value;

use super::{CARDS, EVENTS, MINUTE, on_every_kind, settings, watched};
use crate::support::foreign::Foreign;
use crate::support::{Start, TestApp, list};
use kabar::service::intake::Tally;
use kabar::service::watch::Step;
use kabar::store::Engine;

/// An office that watches a query.
async fn office(foreign: &Foreign, query: &str, test: impl AsyncFnOnce(TestApp)) {
    let watched = watched(settings(&foreign.url(), query));
    crate::support::run(Engine::Sqlite, async |mut start: Start| {
        start.sources = vec![watched];
        test(start.open().await).await;
    })
    .await;
}

async fn look(app: &TestApp) -> Tally {
    app.clock.advance(MINUTE);
    match &app.look_and_tell().await[0] {
        Step::Read(tally) => *tally,
        other => panic!("not read: {other:?}"),
    }
}

fn told(app: &TestApp) -> Vec<String> {
    app.whatsapp.sent().iter().map(|sent| sent.template().to_owned()).collect()
}

const PRINTED: &str = "kabar_card_printed_v1";

on_every_kind! {
    async fn a_changed_row_is_told_and_what_was_there_before_is_not(foreign: Foreign) {
        let foreign = foreign.with_cards(3).await;
        office(&foreign, CARDS, async |app| {
            let first = look(&app).await;
            assert_eq!((first.seen, first.changed, first.announced), (3, 3, 0));
            assert_eq!(told(&app), [""; 0], "the first reading is silent");

            foreign.set(1, "CARD_PRINTED", 60).await;
            assert_eq!(look(&app).await.announced, 1);
            let again = look(&app).await;
            assert_eq!((again.seen, again.changed), (1, 0), "seen again, it says nothing new");

            foreign.set(1, "RECORDED", 120).await;
            look(&app).await;
            foreign.set(1, "CARD_PRINTED", 180).await;
            look(&app).await;
            assert_eq!(told(&app), [PRINTED], "there and back again is no news");

            // Laravel and others stamp in whole seconds: the next change may have the same one.
            foreign.set(2, "CARD_PRINTED", 180).await;
            assert_eq!(look(&app).await.announced, 1);
        })
        .await;
    }

    async fn what_cannot_be_taken_is_kept_until_it_is_mended(foreign: Foreign) {
        let foreign = foreign.with_cards(2).await;
        foreign.run("UPDATE kartu SET status = 'ENTAHLAH' WHERE no = 1").await;
        office(&foreign, CARDS, async |app| {
            assert_eq!(look(&app).await.rejected, 1);
            let rejections: Value = app.get("/v1/rejections").await;
            assert_eq!(rejections["rejections"][0]["code"], "unknown_status");
            foreign.set(1, "CARD_PRINTED", 60).await;
            assert_eq!(look(&app).await.announced, 1);
            let rejections: Value = app.get("/v1/rejections").await;
            assert_eq!(list(&rejections["rejections"]).len(), 0, "mended, it is settled");
        })
        .await;
    }

    async fn too_many_at_once_are_held(foreign: Foreign) {
        let foreign = foreign.with_cards(120).await;
        office(&foreign, CARDS, async |app| {
            look(&app).await;
            foreign.run(
                "UPDATE kartu SET status = 'CARD_PRINTED', diubah = '2025-06-01 09:00:00'",
            ).await;
            let bulk = look(&app).await;
            assert_eq!((bulk.held, bulk.announced), (120, 0));
            let holds: Value = app.get("/v1/holds").await;
            assert_eq!(holds["holds"][0]["waiting"], 120);
        })
        .await;
    }

    async fn three_thousand_rows_of_one_moment_are_all_read_and_one_more_is_found(foreign: Foreign) {
        let foreign = foreign.with_cards(3000).await;
        office(&foreign, CARDS, async |app| {
            assert_eq!(look(&app).await.seen, 3000);
            foreign.set(2718, "CARD_PRINTED", 0).await;
            let again = look(&app).await;
            assert_eq!((again.seen, again.announced), (3000, 1));
        })
        .await;
    }

    async fn a_row_that_became_visible_late_is_read_within_the_overlap_or_at_night(foreign: Foreign) {
        let foreign = foreign.with_cards(4).await;
        office(&foreign, CARDS, async |app| {
            look(&app).await;
            foreign.set(1, "CARD_PRINTED", 60).await;
            look(&app).await;
            foreign.set(2, "CARD_PRINTED", 55).await;
            assert_eq!(look(&app).await.announced, 1, "five minutes late");
            foreign.set(3, "CARD_PRINTED", 30).await;
            foreign.run(
                "UPDATE kartu SET status = 'CARD_PRINTED', diubah = NULL WHERE no = 4",
            ).await;
            assert_eq!(look(&app).await.announced, 0, "half an hour late, or of no time");
            app.advance_to("02:00 WIB").await;
            assert_eq!(look(&app).await.announced, 2, "all is read at night");
        })
        .await;
    }

    async fn an_older_copy_of_the_database_hides_nothing(foreign: Foreign) {
        let foreign = foreign.with_cards(3).await;
        office(&foreign, CARDS, async |app| {
            foreign.set(1, "CARD_PRINTED", 600).await;
            look(&app).await;
            // The copy of eight o'clock is brought back, and work goes on.
            foreign.set(1, "RECORDED", 0).await;
            foreign.set(2, "CARD_PRINTED", 5).await;
            assert_eq!(look(&app).await.announced, 1);
            foreign.set(3, "CARD_PRINTED", 8).await;
            let again = look(&app).await;
            assert_eq!((again.seen, again.announced), (3, 1), "it goes on from where the copy is");
            foreign.set(3, "CARD_SHIPPED", 30).await;
            look(&app).await;
            assert_eq!(look(&app).await.seen, 1, "and reads no more than it must");
        })
        .await;
    }

    async fn a_date_years_ahead_hides_nothing(foreign: Foreign) {
        let foreign = foreign.with_cards(4).await;
        foreign.run("UPDATE kartu SET diubah = '2099-01-01 00:00:00' WHERE no = 1").await;
        office(&foreign, CARDS, async |app| {
            look(&app).await;
            foreign.set(2, "CARD_PRINTED", 60).await;
            assert_eq!(look(&app).await.announced, 1);
            foreign.set(3, "CARD_PRINTED", 120).await;
            let again = look(&app).await;
            assert_eq!((again.seen, again.announced), (3, 1), "of four");
        })
        .await;
    }

    async fn of_several_rows_of_a_card_without_an_id_the_latest_counts(foreign: Foreign) {
        let foreign = foreign.with_cards(2).await;
        foreign.run("UPDATE kartu SET nik = (SELECT * FROM (SELECT nik FROM kartu WHERE no = 1) a)")
            .await;
        office(&foreign, CARDS, async |app| {
            look(&app).await;
            foreign.set(2, "CARD_PRINTED", 60).await;
            assert_eq!(look(&app).await.announced, 1);
            app.advance_to("02:00 WIB").await;
            assert_eq!(look(&app).await.changed, 0, "the older row says nothing any more");
            app.advance_to("08:00 WIB").await;
            assert_eq!(told(&app), [PRINTED]);
        })
        .await;
    }

    async fn events_are_told_in_their_order_and_a_late_one_once(foreign: Foreign) {
        let foreign = foreign.with_events().await;
        foreign.event(1000, 1, "RECORDED", 0).await;
        office(&foreign, EVENTS, async |app| {
            look(&app).await;
            foreign.event(1001, 1, "CARD_PRINTED", 10).await;
            foreign.event(1003, 1, "CARD_SHIPPED", 20).await;
            assert_eq!(look(&app).await.changed, 2);
            // Given out before, visible after.
            foreign.event(1002, 2, "CARD_PRINTED", 15).await;
            assert_eq!(look(&app).await.announced, 1);
            app.advance_to("02:00 WIB").await;
            let night = look(&app).await;
            assert_eq!((night.seen, night.changed), (4, 0), "all events, and none is new");
            let times = "SELECT occurred_at FROM card_update ORDER BY occurred_at LIMIT 2";
            let eight = 1_795_395_600_000_i64;
            let expected = [eight, eight + 600_000].map(|ms| ms.to_string());
            assert_eq!(app.query(times).await.concat(), expected, "by the office's clock");
        })
        .await;
    }
}
