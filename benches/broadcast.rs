//! What a broadcast to very many costs: counting it beforehand, how soon its first message leaves, and putting all
//! of it into the outbox.
//!
//! `cargo bench --bench broadcast -- [--json] [--messages N]`, N people on file in the largest round, with two
//! smaller ones before it of a tenth and a hundredth: their ratio shows whether the time per recipient grows. Each
//! round makes its database in one process and is measured in another, whose memory holds nothing else. What
//! waits in the outbox is marked as brought from beside, as fast as it comes: the provider is not measured.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to its terminal")]
#![expect(clippy::cast_precision_loss, reason = "counts of people are small")]

#[allow(dead_code, reason = "each bench uses its own part")]
mod support;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use kabar::channel::{
    Accepted, Channel, Event, HookAnswer, HookRefusal, HookRequest, Offer, Outbound, SendError,
};
use kabar::domain::area::AreaCode;
use kabar::domain::audience::Audience;
use kabar::domain::broadcast::{Notice, RunState, Schedule};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::BroadcastId;
use kabar::domain::message::ChannelKind;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::broadcast::{self, Draft};
use kabar::service::{Account, App, Rate};
use kabar::store::person::upsert_person;
use kabar::worker::Workers;
use serde_json::{Value, json};
use support::office::{AREA, Keys, person};
use support::{Args, measure_part, part_name, peak_kib, rounded};

const FOLDER: &str = "KABAR_BENCH_FOLDER";
const PEOPLE: &str = "KABAR_BENCH_PEOPLE";
const SEAL: &str = "KABAR_BENCH_SEAL";
const INDEX: &str = "KABAR_BENCH_INDEX";
/// People written in one transaction.
const CHUNK: usize = 2_000;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let done = match part_name().as_deref() {
        Some("prepare") => part(prepare),
        Some("measure") => part(measure),
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

fn compare() -> anyhow::Result<()> {
    let args = Args::read(1_000_000)?;
    let mut baseline: Option<f64> = None;
    for people in [args.messages / 100, args.messages / 10, args.messages] {
        if people == 0 {
            continue;
        }
        let folder = tempfile::tempdir()?;
        let keys = Keys::generate()?;
        let task = || {
            [
                (FOLDER, folder.path().display().to_string()),
                (PEOPLE, people.to_string()),
                (SEAL, keys.seal.clone()),
                (INDEX, keys.index.clone()),
            ]
        };
        measure_part("prepare", task())?;
        let found = measure_part("measure", task())?;
        let each = found["expand_seconds"].as_f64().context("no time")? / people as f64;
        let smallest = *baseline.get_or_insert(each);
        print(&args, people, &found, each / smallest);
    }
    Ok(())
}

fn print(args: &Args, people: usize, found: &Value, ratio: f64) {
    let of = |name: &str, places| rounded(found[name].as_f64().unwrap_or(f64::NAN), places);
    if args.json {
        let line = json!({
            "name": "broadcast", "recipients": people, "preview_seconds": of("preview_seconds", 2),
            "first_message_seconds": of("first_message_seconds", 3),
            "expand_seconds": of("expand_seconds", 2),
            "recipients_per_second": rounded(people as f64 / of("expand_seconds", 3), 0),
            "memory_growth_mib": of("memory_growth_mib", 1), "most_waiting": found["most_waiting"],
            "baseline": "time per recipient of the smallest round", "ratio": rounded(ratio, 3),
        });
        println!("{line}");
        return;
    }
    println!(
        "broadcast to {people}: counted in {} s, first message after {} s, in the outbox in {} s, {} MiB more \
         memory, at most {} waiting, {} times the time per recipient of the smallest round",
        of("preview_seconds", 2),
        of("first_message_seconds", 3),
        of("expand_seconds", 2),
        of("memory_growth_mib", 1),
        found["most_waiting"],
        rounded(ratio, 2)
    );
}

struct Task {
    url: String,
    people: usize,
    keys: Keys,
}

fn part<F>(work: fn(Task) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<Value>>,
{
    let folder = std::env::var(FOLDER)?;
    let task = Task {
        url: format!("sqlite://{folder}/bench.db"),
        people: std::env::var(PEOPLE)?.parse()?,
        keys: Keys { seal: std::env::var(SEAL)?, index: std::env::var(INDEX)? },
    };
    let found = tokio::runtime::Runtime::new()?.block_on(work(task))?;
    println!("{found}");
    Ok(())
}

/// Takes every message at once, and notes when the first one came.
#[derive(Debug, Default)]
struct Sink {
    first: Mutex<Option<Instant>>,
}

impl Sink {
    fn first(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Channel for Sink {
    fn offer(&self) -> Offer {
        Offer { has_receipts: true, is_two_way: true, pair_rate: None }
    }

    async fn send(&self, message: &Outbound) -> Result<Accepted, SendError> {
        self.first().get_or_insert_with(Instant::now);
        Ok(Accepted::of(message.id.to_string()))
    }

    async fn probe(&self) -> Result<String, SendError> {
        Ok("a sink".to_owned())
    }

    fn receive(&self, _request: &HookRequest<'_>) -> Result<HookAnswer, HookRefusal> {
        Ok(HookAnswer::default())
    }

    fn read(&self, _payload: &str) -> Event {
        Event::Other
    }
}

async fn open(task: &Task, sink: &Arc<Sink>) -> anyhow::Result<Arc<App>> {
    let account = Account {
        id: "wa-bench".to_owned(),
        channel: ChannelKind::Whatsapp,
        area: None,
        portfolio: "bench".to_owned(),
        provider_id: "1000000001".to_owned(),
        // The fastest number there is at Meta.
        rate: Rate::per_second(1_000),
        in_flight: 64,
        rupiah_per_segment: None,
        rupiah_per_message: Some(800),
        daily_limit: None,
        adapter: Arc::clone(sink) as Arc<dyn Channel>,
    };
    let clock = Arc::new(SystemClock);
    let app =
        support::office::open_with(&task.url, &task.keys, vec![account], Vec::new(), clock).await?;
    Ok(Arc::new(app))
}

/// People of all desa of a kabupaten, with a number each.
async fn prepare(task: Task) -> anyhow::Result<Value> {
    let app = open(&task, &Arc::default()).await?;
    let now = SystemClock.now();
    let mut number = 0;
    while number < task.people {
        let mut tx = app.db.begin().await?;
        for one in number..task.people.min(number + CHUNK) {
            let update = person(one, now)?;
            upsert_person(&mut tx, &app.db, None, app.ids.next(now), &update, now).await?;
        }
        tx.commit().await?;
        number += CHUNK;
    }
    app.db.close().await;
    Ok(json!({}))
}

async fn measure(task: Task) -> anyhow::Result<Value> {
    let sink = Arc::new(Sink::default());
    let app = open(&task, &sink).await?;
    let before = peak_kib()?;

    let id = approved(&app).await?;
    let started = Instant::now();
    let preview = broadcast::preview(&app, &Actor::cli(), id).await?;
    let preview_seconds = started.elapsed().as_secs_f64();
    ensure!(preview.recipients == task.people as u64, "{preview:?}");

    let first_message_seconds = first_message(&app, &sink, id).await?;
    let (expand_seconds, most_waiting) = expand(&app, &task).await?;
    let growth = peak_kib()? - before;
    app.db.close().await;
    Ok(json!({
        "preview_seconds": preview_seconds, "first_message_seconds": first_message_seconds,
        "expand_seconds": expand_seconds, "most_waiting": most_waiting,
        "memory_growth_mib": growth as f64 / 1024.0,
    }))
}

/// Written by one, approved by another.
async fn approved(app: &App) -> anyhow::Result<BroadcastId> {
    let notice = Notice::parse(
        "perekaman KTP-el",
        "Warga yang belum merekam data silakan datang membawa fotokopi KK.",
        "Balai Desa",
        "Selasa, pukul 08.00 WIB",
    )?;
    let audience = Audience::of_area(AreaCode::parse(AREA)?);
    let draft = Draft { notice, audience, schedule: Schedule::Now };
    let maker = Actor::cli();
    let id = broadcast::create(app, &maker, &draft).await?;
    broadcast::submit(app, &maker, id).await?;
    let checker = Actor {
        id: "tok_bench".to_owned(),
        role: OfficerRole::Dinas,
        area: AreaCode::parse(AREA)?,
    };
    broadcast::approve(app, &checker, id).await?;
    Ok(id)
}

/// How long after "send" the first message is in the provider's hand, with all workers running.
async fn first_message(app: &Arc<App>, sink: &Sink, id: BroadcastId) -> anyhow::Result<f64> {
    let workers = Workers::start(app, "bench");
    // The workers look at everything once and then rest, as they do in a service that runs for long.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let started = Instant::now();
    broadcast::send(app, &Actor::cli(), id).await?;
    let first = loop {
        if let Some(first) = *sink.first() {
            break first;
        }
        ensure!(started.elapsed() < LONGEST_WAIT, "no message left");
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    broadcast::cancel(app, &Actor::cli(), id).await?;
    workers.stop().await;
    Ok((first - started).as_secs_f64())
}

/// How long it takes to put everybody into the outbox, and how many ever waited there at once.
async fn expand(app: &App, task: &Task) -> anyhow::Result<(f64, i64)> {
    let id = approved(app).await?;
    broadcast::send(app, &Actor::cli(), id).await?;
    let beside = sqlx::AnyPool::connect(&task.url).await?;
    let (mut spent, mut most_waiting) = (Duration::ZERO, 0);
    loop {
        let started = Instant::now();
        broadcast::step(app).await?;
        spent += started.elapsed();
        let waiting: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM message WHERE status = 'queued'")
                .fetch_one(&beside)
                .await?;
        most_waiting = most_waiting.max(waiting);
        sqlx::query("UPDATE message SET status = 'delivered' WHERE status = 'queued'")
            .execute(&beside)
            .await?;
        let runs = broadcast::report(app, &Actor::cli(), id).await?;
        let run = &runs.first().context("no run")?.run;
        if run.state == RunState::Finished {
            ensure!(run.recipients == task.people as u64, "{} recipients", run.recipients);
            beside.close().await;
            return Ok((spent.as_secs_f64(), most_waiting));
        }
    }
}
