//! The reports: counted beforehand and piece by piece, told by area, never so that somebody could be found out.

use std::time::Duration;

use kabar::domain::officer::OfficerRole;
use kabar::service::report::{Told, read, step};
use reqwest::StatusCode;

use crate::support::console::Browser;
use crate::support::{TestApp, citizen, on_both_engines};

/// Counts everything that is due.
async fn count(app: &TestApp) {
    for _ in 0..500 {
        if !step(&app.app).await.unwrap() {
            return;
        }
    }
    panic!("counting never comes to an end");
}

/// So many cards are printed in an area, and their holders read of it.
async fn printed(app: &TestApp, from: usize, how_many: usize, area: &str) {
    for n in from..from + how_many {
        app.card(&citizen(n).of_area(area), "CARD_PRINTED").await;
    }
    app.run_until_idle().await;
}

async fn arrive(app: &TestApp) {
    for sent in app.whatsapp.sent() {
        app.receipt(&sent, "delivered").await;
        app.receipt(&sent, "read").await;
    }
    app.run_until_idle().await;
}

fn sum(report: &kabar::service::report::Report) -> i64 {
    report.days.iter().flat_map(|day| day.messages.values()).map(|count| count.size()).sum()
}

on_both_engines! {
    async fn messages_cards_and_questions_are_counted_where_they_belong(app: TestApp) {
        printed(&app, 1, 6, "35.17.09.2018").await;
        printed(&app, 7, 2, "35.17.10.2001").await;
        app.clock.advance(Duration::from_secs(600));
        arrive(&app).await;
        app.asks(&citizen(1).e164, "syarat ktp hilang apa saja").await;
        app.asks("+6281299990000", "resep soto ayam lamongan").await;
        app.run_until_idle().await;
        count(&app).await;
        let all = read(&app.app, "", true).await.unwrap();
        let today = all.days.last().unwrap();
        assert_eq!(today.date, app.clock.wib().date_naive());
        let announced: i64 = today
            .messages
            .iter()
            .filter(|((_, status), _)| status.as_str() == "read")
            .map(|(_, count)| count.size())
            .sum();
        assert_eq!(announced, 8, "{today:?}");
        let week = all.weeks.last().unwrap();
        assert_eq!(week.delivered.count, Told::Exactly(8));
        let (half, most) = week.delivered.times.unwrap();
        assert!((600..=900).contains(&half) && half <= most, "{half} {most}");
        assert_eq!(week.questions, [Told::Exactly(1), Told::Exactly(0), Told::Exactly(1)]);
        assert_eq!(all.cards.iter().map(|(_, count)| count.size()).sum::<i64>(), 8);

        let own = read(&app.app, "351709", false).await.unwrap();
        assert_eq!(own.weeks.last().unwrap().delivered.count, Told::Exactly(6));
        assert_eq!(own.weeks.last().unwrap().questions, [Told::Few, Told::Exactly(0), Told::Exactly(0)]);
        let other = read(&app.app, "351710", false).await.unwrap();
        assert_eq!(other.weeks.last().unwrap().delivered.count, Told::Few);
        assert_eq!(other.weeks.last().unwrap().delivered.times, None, "nor how long two people took");
        assert!(other.cards.iter().all(|(_, count)| *count == Told::Few), "{:?}", other.cards);
        assert_eq!(sum(&read(&app.app, "351711", false).await.unwrap()), 0);
    }

    async fn counting_again_replaces_and_never_adds(app: TestApp) {
        printed(&app, 1, 5, "35.17.09.2018").await;
        count(&app).await;
        assert!(!step(&app.app).await.unwrap(), "nothing is due so soon");
        let before = read(&app.app, "", true).await.unwrap();
        arrive(&app).await;
        app.clock.advance(Duration::from_secs(5 * 60));
        count(&app).await;
        let after = read(&app.app, "", true).await.unwrap();
        assert_eq!((sum(&before), sum(&after)), (5, 5));
        assert!(after.counted_at > before.counted_at);
        assert_ne!(before.days, after.days, "they were read since");
        app.clock.advance(Duration::from_secs(3 * 86_400));
        count(&app).await;
        let later = read(&app.app, "", true).await.unwrap();
        assert_eq!(sum(&later), 5);
        assert_eq!(later.days.iter().filter(|day| !day.messages.is_empty()).count(), 1);
        let runs = app.query("SELECT COUNT(DISTINCT run) FROM report_figure WHERE what = 'card'").await;
        assert_eq!(runs, [["1"]], "what was counted before is gone");
    }

    async fn two_processes_count_nothing_twice(app: TestApp) {
        printed(&app, 1, 9, "35.17.09.2018").await;
        for _ in 0..40 {
            let (one, other) = tokio::join!(step(&app.app), step(&app.app));
            // Whoever came second may be told so; what was counted stays counted once.
            if !one.unwrap_or(true) && !other.unwrap_or(true) {
                break;
            }
        }
        count(&app).await;
        assert_eq!(sum(&read(&app.app, "", true).await.unwrap()), 9);
    }

    async fn a_run_that_broke_off_goes_on_where_it_stood(app: TestApp) {
        printed(&app, 1, 4, "35.17.09.2018").await;
        count(&app).await;
        // As if the process had died after it counted the first two of a new run.
        let first = app.query("SELECT id FROM message ORDER BY id LIMIT 2").await.concat();
        let today = app.clock.wib().date_naive();
        app.query(&format!(
            "UPDATE report_count SET run = run + 1, begun_at = 1, cursor = '{}' WHERE what = 'message' AND day = '{today}'",
            first[1]
        )).await;
        app.query(&format!(
            "INSERT INTO report_figure (what, area, day, run, name, count) SELECT 'message', '', '{today}', run, 'whatsapp sent', 2 \
             FROM report_count WHERE what = 'message' AND day = '{today}'"
        )).await;
        assert_eq!(sum(&read(&app.app, "", true).await.unwrap()), 4, "the run before is shown meanwhile");
        count(&app).await;
        assert_eq!(sum(&read(&app.app, "", true).await.unwrap()), 4);
    }

    async fn the_page_shows_charts_tables_and_files_of_ones_own_area(app: TestApp) {
        printed(&app, 1, 6, "35.17.09.2018").await;
        printed(&app, 7, 3, "35.17.10.2001").await;
        arrive(&app).await;
        let browser = Browser::login(&app, OfficerRole::Desa, "35.17.09.2018").await;
        let page = browser.get("/console/laporan").await;
        assert!(page.says("sedang dihitung") && page.says("Belum ada angka"), "{}", page.text);
        count(&app).await;
        let page = browser.get("/console/laporan").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.matches("<svg class=\"chart\"").count() >= 4, "{}", page.text);
        assert!(page.says("<5") || page.says("&#60;5") || page.says("&lt;5"), "the hint about few");
        for way in ["/console/laporan?wilayah=35.17.10", "/console/laporan.csv?wilayah=35.17",
                    "/console/laporan.xlsx?wilayah=35.17.10.2001"] {
            assert_eq!(browser.get(way).await.status, StatusCode::NOT_FOUND, "{way}");
        }
        let page = browser.get("/console/laporan?wilayah=jombang").await;
        assert!(page.says("tidak terbaca"), "{}", page.text);
        let file = browser.get("/console/laporan.csv").await;
        assert!(file.kind.starts_with("text/csv"));
        assert!(file.says("WhatsApp,dibaca,6"), "{}", file.text);
        let dinas = Browser::login(&app, OfficerRole::Dinas, "35.17").await;
        assert!(dinas.get("/console/laporan.csv").await.says("WhatsApp,dibaca,9"));
        let part = dinas.get("/console/laporan.csv?wilayah=35.17.10").await;
        assert!(part.says("WhatsApp,dibaca,<5"), "{}", part.text);
        let book = dinas.get("/console/laporan.xlsx").await;
        assert_eq!(book.bytes.get(..2), Some(&b"PK"[..]));
        let taken = app.query("SELECT COUNT(*) FROM audit WHERE action = 'exported'").await;
        assert_eq!(taken, [["4"]]);
        let courier = Browser::login(&app, OfficerRole::Courier, "35.17.09").await;
        assert_eq!(courier.get("/console/laporan").await.status, StatusCode::FORBIDDEN);
    }
}
