//! What watching costs: a desa's OpenSID of N residents, looked at when nothing has changed; and what a
//! workbook of the whole kabupaten costs.
//!
//! `cargo bench --bench sources -- [--json] [--messages N] [--rounds N]`, N residents, and 50/3 times as
//! many rows in the workbook, which is imported once. Each side runs in a process of its own, against
//! one MariaDB that this bench starts and ends. The bare side reads the same columns of the same rows
//! with the same driver, or all cells of the same workbook with calamine, and keeps nothing.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to its terminal")]

#[allow(dead_code, reason = "each bench uses its own part")]
mod support;

#[path = "support/bip.rs"]
#[allow(dead_code, reason = "a test writes the other form as well")]
mod bip;

// The tests' own village.
#[path = "../tests/it/support/mariadb.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "of the tests"
)]
mod mariadb;
#[path = "../tests/it/support/opensid/mod.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "of the tests"
)]
mod opensid;
#[path = "../tests/it/support/server.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "of the tests")]
mod server;

use std::io::Read as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use calamine::{Reader as _, Xlsx, open_workbook};
use chrono::NaiveTime;
use futures_util::TryStreamExt as _;
use kabar::domain::area::AreaCode;
use kabar::domain::clock::{Clock, SystemClock, Timestamp};
use kabar::service::App;
use kabar::service::intake::Tally;
use kabar::service::watch::{Step, Watched, step};
use kabar::source::opensid::{COLUMNS, OpenSid as Register, OpenSidSettings};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};
use support::office::AREA;
use support::{Args, cpu_seconds, measure_part, median, part_name, peak_kib, peak_kib_of, rounded};

use crate::bip::{Texts, write_bip};
use crate::mariadb::MariaDb;
use crate::opensid::{OpenSid, Schema};

const SOURCE: &str = "KABAR_BENCH_SOURCE";
const RESIDENTS: &str = "KABAR_BENCH_RESIDENTS";
/// Looks at the source in one round; the first is thrown away.
const LOOKS: u32 = 10;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// A look a minute.
const EVERY_S: f64 = 60.0;

fn main() -> ExitCode {
    let done = match part_name().as_deref() {
        Some("bare") => part(bare),
        Some("watching") => part(watching),
        Some("bare_workbook") => part(bare_workbook),
        _ => compare(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the parts in turn and compares them.
fn compare() -> anyhow::Result<()> {
    let args = Args::read(30_000)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let (server, village) = runtime.block_on(village(args.messages))?;
    let url = village.url();
    let task = || [(SOURCE, url.clone()), (RESIDENTS, args.messages.to_string())];
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        bare.push(measure_part("bare", task())?);
        ours.push(measure_part("watching", task())?);
    }
    drop((village, server));
    for name in ["opensid_poll", "opensid_poll_after_import", "opensid_full_scan"] {
        report(&args, name, &ours, &bare);
    }
    first(&args, &ours, &bare);
    workbook(&args)
}

/// Imports a workbook into a fresh office with the program itself.
fn workbook(args: &Args) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bip.xlsx");
    let rows = u32::try_from(args.messages * 50 / 3)?;
    write_bip(&path, rows, 1, Texts::Shared)?;
    let file = path.to_str().context("a path")?.to_owned();
    let bare = measure_part("bare_workbook", [(SOURCE, file.clone())])?;
    let office = folder.path().join("office");
    let office = office.to_str().context("a path")?;
    let kabar = || Command::new(env!("CARGO_BIN_EXE_kabar"));
    let made = kabar().args(["init", office, "--yes"]).stdout(Stdio::null()).status()?;
    ensure!(made.success(), "kabar init failed");
    let config = format!("{office}/kabar.toml");
    let started = Instant::now();
    let mut import = kabar()
        .args(["import", "cards", &file, "--silent", "--json", "-c", &config])
        .stdout(Stdio::piped())
        .spawn()?;
    // Read on the side, for the list of rejected rows is longer than a pipe holds.
    let mut out = import.stdout.take().context("no output")?;
    let words = std::thread::spawn(move || {
        let mut words = String::new();
        out.read_to_string(&mut words).map(|_| words)
    });
    let process = import.id().to_string();
    let mut peak = 0;
    let (ended, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || ended.send(import.wait()));
    while wait.recv_timeout(Duration::from_millis(50)).is_err() {
        peak = peak_kib_of(&process).unwrap_or(peak).max(peak);
    }
    let seconds = started.elapsed().as_secs_f64();
    let words = words.join().map_err(|_| anyhow::anyhow!("its output was not read"))??;
    let counted: Value = serde_json::from_str(&words).context("what the import said")?;
    let taken = counted["new"].as_u64().unwrap_or_default();
    ensure!(taken > u64::from(rows) / 2, "only {taken} rows are new");
    let (peak, bare_seconds) =
        (f64::from(u32::try_from(peak)?) / 1024.0, median(&[bare], "seconds"));
    if args.json {
        println!(
            "{}",
            json!({"name": "bip_import", "rows": rows, "new": taken, "rejected": counted["rejected"],
                   "seconds": rounded(seconds, 1), "rows_per_second": rounded(f64::from(rows) / seconds, 0),
                   "peak_memory_mib": rounded(peak, 1),
                   "baseline": {"name": "calamine, all cells", "seconds": rounded(bare_seconds, 1)},
                   "ratio": rounded(seconds / bare_seconds, 2)})
        );
    } else {
        println!("bip_import: {rows} rows, {taken} new, in {seconds:.0} s, {peak:.0} MiB at most");
        println!(
            "  calamine, all cells {bare_seconds:>6.1} s; ratio {:.1}",
            seconds / bare_seconds
        );
    }
    Ok(())
}

/// The least a program can do with a workbook.
async fn bare_workbook(path: String) -> anyhow::Result<Value> {
    let started = Instant::now();
    let mut book: Xlsx<_> = open_workbook(path)?;
    let sheet = book.sheet_names().first().context("a sheet")?.clone();
    let mut cells = book.worksheet_cells_reader(&sheet)?;
    let mut count = 0_u64;
    while cells.next_cell()?.is_some() {
        count += 1;
    }
    Ok(json!({"seconds": started.elapsed().as_secs_f64(), "cells": count}))
}

/// A desa as it is on an ordinary day: nobody was edited for long.
async fn village(residents: usize) -> anyhow::Result<(MariaDb, OpenSid)> {
    let server = MariaDb::private().await;
    let village = OpenSid::create(&server, Schema::Umum).await;
    let desa = village.add_desa("3517092018", "Contoh").await;
    let count = u32::try_from(residents).context("so many residents has no desa")?;
    village.bulk_residents(desa, count).await;
    Ok((server, village))
}

fn report(args: &Args, name: &str, ours: &[Value], bare: &[Value]) {
    let of = |rounds: &[Value], what: &str| median(rounds, &format!("{name}_{what}"));
    let (seconds, cpu) = (of(ours, "seconds"), of(ours, "cpu"));
    let (bare_seconds, bare_cpu) = (of(bare, "seconds"), of(bare, "cpu"));
    let share = cpu / EVERY_S * 100.0;
    if args.json {
        println!(
            "{}",
            json!({"name": name, "residents": args.messages, "rounds": args.rounds,
                   "seconds": rounded(seconds, 4), "cpu_seconds": rounded(cpu, 4),
                   "core_percent_each_minute": rounded(share, 4),
                   "peak_memory_mib": rounded(median(ours, "peak_kib") / 1024.0, 1),
                   "baseline": {"name": "bare select", "seconds": rounded(bare_seconds, 4),
                                "cpu_seconds": rounded(bare_cpu, 4)},
                   "ratio": rounded(seconds / bare_seconds, 3)})
        );
        return;
    }
    println!("{name}: {} residents, median of {} rounds", args.messages, args.rounds);
    println!(
        "  kabar        {seconds:>8.4} s{cpu:>9.4} CPU s   {share:.3} % of a core at one a minute"
    );
    println!("  bare select  {bare_seconds:>8.4} s{bare_cpu:>9.4} CPU s");
    println!("  ratio        {:>8.2}", seconds / bare_seconds);
}

fn first(args: &Args, ours: &[Value], bare: &[Value]) {
    let seconds = median(ours, "first_seconds");
    let bare_seconds = median(bare, "opensid_full_scan_seconds");
    let per_second = median(ours, "recorded") / seconds;
    let peak = median(ours, "peak_kib") / 1024.0;
    if args.json {
        println!(
            "{}",
            json!({"name": "opensid_first_reading", "residents": args.messages,
                   "seconds": rounded(seconds, 2), "cards_per_second": rounded(per_second, 0),
                   "peak_memory_mib": rounded(peak, 1),
                   "baseline": {"name": "bare select", "seconds": rounded(bare_seconds, 4)},
                   "ratio": rounded(seconds / bare_seconds, 1)})
        );
    } else {
        println!(
            "opensid_first_reading: {seconds:.1} s, {per_second:.0} cards/s, {peak:.0} MiB at most; \
             ratio {:.0}",
            seconds / bare_seconds
        );
    }
}

// The measured parts.

fn part<F>(work: fn(String) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<Value>>,
{
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()?;
    let mut measured = runtime.block_on(work(std::env::var(SOURCE)?))?;
    measured["peak_kib"] = peak_kib()?.into();
    println!("{measured}");
    Ok(())
}

/// Time and CPU time of one look among several.
async fn timed(
    measured: &mut Value,
    name: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    look().await?;
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    for _ in 0..LOOKS {
        look().await?;
    }
    let looks = f64::from(LOOKS);
    measured[format!("{name}_seconds")] = (started.elapsed().as_secs_f64() / looks).into();
    measured[format!("{name}_cpu")] = ((cpu_seconds()? - cpu) / looks).into();
    Ok(())
}

/// Makes every row so many hours old; on the day of an import none is.
async fn age(url: &str, hours: u32) -> anyhow::Result<()> {
    let mut connection = MySqlConnection::connect(url).await?;
    let update = "UPDATE tweb_penduduk SET updated_at = CURRENT_TIMESTAMP - INTERVAL ? HOUR";
    sqlx::query(update).bind(hours).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// The least a program can do: the same columns of the same rows, and nothing kept.
async fn bare(url: String) -> anyhow::Result<Value> {
    let columns = COLUMNS.iter().find(|(table, _)| *table == "tweb_penduduk");
    let (table, columns) = columns.context("the columns of residents")?;
    let as_text = |column: &&str| format!("CAST({column} AS CHAR)");
    let columns = columns.iter().map(as_text).collect::<Vec<_>>().join(", ");
    let all = format!("SELECT {columns} FROM {table} WHERE config_id = 1");
    let recent = format!("{all} AND updated_at >= CURRENT_TIMESTAMP - INTERVAL 12 HOUR");
    let read = async |query: &str| {
        let mut connection = MySqlConnection::connect(&url).await?;
        let mut rows = sqlx::query(AssertSqlSafe(query.to_owned())).fetch(&mut connection);
        while rows.try_next().await?.is_some() {}
        drop(rows);
        Ok(connection.close().await?)
    };
    let mut measured = json!({});
    age(&url, 48).await?;
    timed(&mut measured, "opensid_poll", async || read(&recent).await).await?;
    timed(&mut measured, "opensid_full_scan", async || read(&all).await).await?;
    age(&url, 0).await?;
    timed(&mut measured, "opensid_poll_after_import", async || read(&recent).await).await?;
    Ok(measured)
}

/// A clock that can be moved to the next night.
#[derive(Debug, Default)]
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(SystemClock.now().as_ms() + self.0.load(Ordering::Relaxed))
    }
}

/// The service's own way.
async fn watching(url: String) -> anyhow::Result<Value> {
    let residents: u64 = std::env::var(RESIDENTS)?.parse()?;
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite://{}", folder.path().join("bench.db").display());
    let settings = OpenSidSettings {
        url: url.as_str().into(),
        password: None,
        config_id: None,
        overlap: Duration::from_secs(12 * 3600),
    };
    let watched = Watched {
        id: "opensid".to_owned(),
        area: AreaCode::parse(AREA)?,
        every: Duration::from_secs(60),
        scan_at: NaiveTime::from_hms_opt(2, 0, 0),
        hold_over: 500,
        source: Arc::new(Register::new(settings, AreaCode::parse(AREA)?)),
    };
    let clock = Arc::new(Moved::default());
    let sources = vec![watched.clone()];
    let app = support::office::open(&database, Vec::new(), sources, clock.clone()).await?;

    let started = Instant::now();
    let first = look(&app, &watched).await?;
    let mut measured =
        json!({"first_seconds": started.elapsed().as_secs_f64(), "recorded": first.changed});
    ensure!(first.seen > residents / 2, "only {} were seen", first.seen);
    age(&url, 48).await?;
    look(&app, &watched).await?;
    let quiet = async |seen: u64| {
        let tally = look(&app, &watched).await?;
        ensure!(tally.seen == seen && tally.unchanged == seen, "{tally:?}");
        Ok(())
    };
    timed(&mut measured, "opensid_poll", async || quiet(0).await).await?;
    timed(&mut measured, "opensid_full_scan", async || {
        clock.0.fetch_add(DAY_MS, Ordering::Relaxed);
        quiet(first.seen).await
    })
    .await?;
    age(&url, 0).await?;
    timed(&mut measured, "opensid_poll_after_import", async || quiet(first.seen).await).await?;
    app.db.close().await;
    Ok(measured)
}

async fn look(app: &App, watched: &Watched) -> anyhow::Result<Tally> {
    match step(app, watched, "bench").await? {
        Step::Read(tally) => Ok(tally),
        other => bail!("not read: {other:?}"),
    }
}
