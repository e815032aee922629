//! How fast printed cards become rounds: 5,000 cards that lie at a counter, onto the rounds of ten couriers.
//!
//! `cargo bench --bench rounds -- [--json] [--messages CARDS] [--rounds N]` plans as an officer does, on SQLite: looks
//! for the cards, opens where their holders live, sorts them by desa, RW and RT, writes rounds, items and into whose
//! hands each card came. The baseline writes as many bare rows in one transaction of the same database. The way of a
//! card onto a round alone, without the database, stands beside it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to its terminal")]

#[allow(dead_code, reason = "each bench uses its own part")]
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use chrono::{Days, NaiveDate, NaiveTime};
use kabar::domain::area::AreaCode;
use kabar::domain::clock::{Clock as _, SystemClock, Timestamp};
use kabar::domain::id::OfficerId;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::domain::round::{self as rules, Slot, ToBring};
use kabar::service::App;
use kabar::service::officer::add;
use kabar::service::round::{Wish, plan};
use kabar::store::person::upsert_person;
use kabar::store::service_point::{Detail, ServicePoint, upsert_point};
use serde_json::json;
use support::office::{AREA, Keys, person};
use support::{Args, rounded};

const CAPACITY: usize = 40;
const COURIERS: usize = 10;
const POINT: &str = "dinas";

fn main() -> ExitCode {
    let done =
        Args::read(5_000).and_then(|args| tokio::runtime::Runtime::new()?.block_on(measure(&args)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(args: &Args) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for _ in 0..args.rounds.max(1) {
        times.push(plan_once(args.messages).await?);
    }
    let median = |part: fn(&Times) -> f64| {
        let mut all: Vec<f64> = times.iter().map(part).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let (planned, bare, rules) = (median(|t| t.planned), median(|t| t.bare), median(|t| t.rules));
    let ratio = rounded(planned / bare, 2);
    if args.json {
        let line = json!({"name": "rounds", "cards": args.messages, "planned_ms": rounded(planned, 1),
            "bare_writes_ms": rounded(bare, 1), "ratio": ratio, "rules_ms": rounded(rules, 2)});
        println!("{line}");
    } else {
        println!("{} cards planned into rounds: {planned:.1} ms", args.messages);
        println!("as many bare rows written: {bare:.1} ms; ratio {ratio}");
        println!("the rules alone, without the database: {rules:.2} ms");
    }
    Ok(())
}

/// Milliseconds of one planning, of its baseline, and of its rules alone.
struct Times {
    planned: f64,
    bare: f64,
    rules: f64,
}

async fn plan_once(cards: usize) -> anyhow::Result<Times> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}/bench.db", folder.path().display());
    let keys = Keys::generate()?;
    let clock = Arc::new(SystemClock);
    let app = support::office::open_with(&url, &keys, Vec::new(), Vec::new(), clock).await?;
    fill(&app, cards).await?;
    let wish = wish(&app, cards).await?;
    let begun = Instant::now();
    let made = plan(&app, &Actor::cli(), &wish).await?;
    let planned = ms(begun);
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM round_item")
        .fetch_one(&mut *app.db.reading().await?)
        .await?;
    ensure!(
        usize::try_from(count)? == cards,
        "{count} of {cards} cards are on {} rounds",
        made.len()
    );
    let bare = write_bare(&app, cards).await?;
    app.db.close().await;
    Ok(Times { planned, bare, rules: rules_alone(cards, &wish) })
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

/// People of many desa whose cards are printed and lie at one counter.
async fn fill(app: &App, cards: usize) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut tx = app.db.begin().await?;
    for number in 0..cards {
        let mut update = person(number, now)?;
        update.rw = Some(format!("{:03}", number % 12 + 1));
        update.rt = Some(format!("{:03}", number % 9 + 1));
        upsert_person(&mut tx, &app.db, None, app.ids.next(now), &update, now).await?;
    }
    let point = ServicePoint {
        code: POINT.to_owned(),
        name: "Dinas".to_owned(),
        short_name: "Dinas".to_owned(),
        area: AreaCode::parse(AREA)?,
        address: None,
        hours: "Senin-Jumat 08.00-15.00".to_owned(),
        hours_short: "Sen-Jum 08-15".to_owned(),
        detail: Detail::default(),
    };
    upsert_point(&mut tx, &point, now).await?;
    sqlx::query(
        "INSERT INTO card (id, person_id, document, serial, status, status_at, created_at, updated_at, area) \
         SELECT 'crd_' || substr(id, 5), id, 'ktp-el', 1, 'printed', $1, $1, $1, replace(area, '.', '') FROM person",
    )
    .bind(now.as_ms())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

async fn wish(app: &App, cards: usize) -> anyhow::Result<Wish> {
    let area = AreaCode::parse(AREA)?;
    let mut couriers = Vec::with_capacity(COURIERS);
    for number in 0..COURIERS {
        let login = format!("kurir{number}");
        let courier = OfficerRole::Courier;
        let (id, _) = add(app, &Actor::cli(), &login, &login, courier, &area).await?;
        couriers.push(id);
    }
    let first = tomorrow(app.now(), app)?;
    let days = u64::try_from(cards.div_ceil(CAPACITY * COURIERS))?;
    let days = (0..days).filter_map(|ahead| first.checked_add_days(Days::new(ahead)));
    let slots: Vec<(NaiveDate, OfficerId)> =
        days.flat_map(|day| couriers.iter().map(move |courier| (day, *courier))).collect();
    let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).context("an hour");
    Ok(Wish {
        area,
        from: hour(9)?,
        to: hour(12)?,
        capacity: i64::try_from(CAPACITY)?,
        slots,
        point: Some(POINT.to_owned()),
    })
}

fn tomorrow(now: Timestamp, app: &App) -> anyhow::Result<NaiveDate> {
    let today = now.in_zone(app.zone(None).offset()).date_naive();
    today.checked_add_days(Days::new(1)).context("a day")
}

/// An item, a change of hands and the close of the last for each card, as bare rows.
async fn write_bare(app: &App, cards: usize) -> anyhow::Result<f64> {
    let mut tx = app.db.begin().await?;
    sqlx::query("CREATE TABLE bare (id TEXT PRIMARY KEY, a TEXT, b TEXT, c BIGINT)")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    let begun = Instant::now();
    let mut tx = app.db.begin().await?;
    for number in 0..cards * 2 {
        sqlx::query("INSERT INTO bare (id, a, b, c) VALUES ($1, $2, $3, $4)")
            .bind(format!("bar_{:026}", number.wrapping_mul(2_654_435_761) % (cards * 2)))
            .bind("crd_01K0000000000000000000000")
            .bind("planned")
            .bind(i64::try_from(number)?)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(ms(begun))
}

/// The same cards onto the same rounds, in memory.
fn rules_alone(cards: usize, wish: &Wish) -> f64 {
    let to_bring: Vec<ToBring<usize>> = (0..cards)
        .map(|id| ToBring {
            id,
            desa: format!("3517{:02}{:04}", id % 21 + 1, id % 300 + 2_001),
            rw: format!("{:03}", id % 12 + 1),
            rt: format!("{:03}", id % 9 + 1),
            since: i64::try_from(id).unwrap_or(0),
            wish: None,
        })
        .collect();
    let slot =
        |(day, courier): &(NaiveDate, OfficerId)| Slot { day: *day, courier: *courier, taken: 0 };
    let slots: Vec<_> = wish.slots.iter().map(slot).collect();
    let begun = Instant::now();
    std::hint::black_box(rules::plan(&to_bring, CAPACITY, &slots));
    ms(begun)
}
