//! How fast messages leave: N messages accepted durably on SQLite, each one HTTP call to a sink.
//!
//! `cargo bench --bench send -- [--json] [--messages N] [--rounds N]`. Sink, service and the bare
//! loop it is held against run in processes of their own, so that each one's CPU time and memory
//! are its own. Nothing but loopback is spoken to, and every part ends by itself.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to its terminal")]

#[allow(dead_code, reason = "each bench uses its own part")]
mod support;

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use axum::Json;
use axum::extract::State;
use axum::routing::{get, post};
use kabar::channel::Shared;
use kabar::channel::whatsapp::{WhatsappClient, WhatsappSettings};
use kabar::domain::clock::SystemClock;
use kabar::domain::message::{ChannelKind, MessageStatus};
use kabar::domain::raw_update::RawUpdate;
use kabar::service::card::{self, Item};
use kabar::service::{Account, App, Rate};
use kabar::store::message_list::{MessageFilter, list_messages};
use kabar::worker::Workers;
use serde_json::{Value, json};
use support::office::AREA;
use support::{Args, again, cpu_seconds, measure_part, part_name, peak_kib, report};

const SINK: &str = "KABAR_BENCH_SINK";
const MESSAGES: &str = "KABAR_BENCH_MESSAGES";
const IN_FLIGHT: usize = 128;
/// The bare loop is over so soon that it needs more messages to be measured well.
const BARE_TIMES: usize = 4;
/// A part that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let done = match part_name().as_deref() {
        Some("sink") => sink(),
        Some("bare") => part(bare),
        Some("service") => part(service),
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
    let args = Args::read(5000)?;
    let mut sink = again("sink")?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    let out = sink.stdout.take().context("the sink has no output")?;
    BufReader::new(out).read_line(&mut address)?;
    let measured = measure(&args, address.trim());
    // The sink ends when its input does.
    drop(sink.stdin.take());
    sink.wait()?;
    let (service, bare) = measured?;
    report(&args, "send", "send", &service, &bare);
    report(&args, "accept_and_send", "all", &service, &bare);
    Ok(())
}

fn measure(args: &Args, sink: &str) -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
    let task = |count: usize| [(SINK, sink.to_owned()), (MESSAGES, count.to_string())];
    let (mut service, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        bare.push(measure_part("bare", task(args.messages * BARE_TIMES))?);
        service.push(measure_part("service", task(args.messages))?);
    }
    Ok((service, bare))
}

// The sink: takes every message the way Meta would, and counts.

#[derive(Default)]
struct Taken {
    calls: usize,
    ids: HashSet<String>,
}

type Counted = Arc<Mutex<Taken>>;

fn sink() -> anyhow::Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    // One thread: it must leave the other core to the side that is measured.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        let router = axum::Router::new()
            .route("/v25.0/{number}/messages", post(take))
            .route("/taken", get(taken))
            .with_state(Counted::default());
        Ok(axum::serve(listener, router).await?)
    })
}

async fn take(State(counted): State<Counted>, body: String) -> Json<Value> {
    const ECHO: &str = "\"biz_opaque_callback_data\":\"";
    let id = body.split_once(ECHO).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    counted.calls += 1;
    counted.ids.insert(id.to_owned());
    let id = format!("wamid.{}", counted.calls);
    Json(json!({"messaging_product": "whatsapp", "contacts": [{"input": "+62", "wa_id": "62"}],
                "messages": [{"id": id, "message_status": "accepted"}]}))
}

/// What was taken since somebody last asked.
async fn taken(State(counted): State<Counted>) -> Json<Value> {
    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = std::mem::take(&mut *counted);
    Json(json!({"calls": taken.calls, "messages": taken.ids.len()}))
}

// The measured parts.

struct Task {
    sink: String,
    messages: usize,
    http: reqwest::Client,
}

fn part<F>(work: fn(Task) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<Value>>,
{
    let _ = rustls::crypto::ring::default_provider().install_default();
    let task = Task {
        sink: std::env::var(SINK)?,
        messages: std::env::var(MESSAGES)?.parse()?,
        http: reqwest::Client::builder().pool_max_idle_per_host(IN_FLIGHT).build()?,
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let (http, sink, messages) = (task.http.clone(), task.sink.clone(), task.messages);
    let measured: anyhow::Result<Value> = runtime.block_on(async move {
        let mut measured =
            tokio::time::timeout(LONGEST, work(task)).await.context("too slow")??;
        measured["peak_kib"] = peak_kib()?.into();
        measured["messages"] = messages.into();
        let taken: Value = http.get(format!("{sink}/taken")).send().await?.json().await?;
        let wanted = json!({"calls": messages, "messages": messages});
        ensure!(taken == wanted, "the sink took {taken} instead of {wanted}");
        Ok(measured)
    });
    println!("{}", measured?);
    Ok(())
}

/// The least a program can do: the same requests, as many at a time, and nothing kept.
async fn bare(task: Task) -> anyhow::Result<Value> {
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    let next = Arc::new(AtomicUsize::new(0));
    let mut loops = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (http, next, messages) = (task.http.clone(), Arc::clone(&next), task.messages);
        let url = format!("{}/v25.0/1000000001/messages", task.sink);
        loops.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= messages {
                    return anyhow::Ok(());
                }
                let request = http.post(&url).bearer_auth("token").json(&bare_message(number));
                let answer: Value = request.send().await?.error_for_status()?.json().await?;
                ensure!(answer["messages"][0]["id"].is_string(), "an answer without an id");
            }
        });
    }
    while let Some(ended) = loops.join_next().await {
        ended??;
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    Ok(json!({"send_seconds": seconds, "send_cpu": cpu, "all_seconds": seconds, "all_cpu": cpu}))
}

fn bare_message(number: usize) -> Value {
    let parameter =
        |name: &str, text: &str| json!({"type": "text", "parameter_name": name, "text": text});
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual",
        "biz_opaque_callback_data": format!("msg_{number:026}"), "to": format!("+62812{number:08}"),
        "type": "template", "template": {
            "name": "kabar_card_printed_v1", "language": {"code": "id"},
            "components": [{"type": "body", "parameters": [
                parameter("addressee", "Bapak/Ibu Warga C."), parameter("document", "KTP-el"),
                parameter("ref", "K7QX-3M"),
            ]}],
        },
    })
}

/// The service's own path: card updates recorded, and its workers send what they cause.
async fn service(task: Task) -> anyhow::Result<Value> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    let app = Arc::new(open(&task, &url).await?);
    let updates: Vec<Item> = (0..task.messages).map(update).collect();

    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    for chunk in updates.chunks(card::CHUNK) {
        card::record(&app, "bench", chunk).await?;
    }
    let (accepted, accepted_cpu) = (Instant::now(), cpu_seconds()?);
    let workers = Workers::start(&app, "bench");
    // One row of those that wait: counting all of them, time and again, took a quarter of the CPU that was measured.
    let queued = MessageFilter { status: Some(MessageStatus::Queued), ..MessageFilter::default() };
    while !list_messages(&app.db, &queued, 1).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Returns when what is in flight is recorded as well.
    workers.stop().await;
    let (ended, ended_cpu) = (Instant::now(), cpu_seconds()?);

    let sent = count_sent(&app).await?;
    ensure!(sent == task.messages, "{sent} of {} messages are sent", task.messages);
    app.db.close().await;
    Ok(json!({
        "send_seconds": (ended - accepted).as_secs_f64(), "send_cpu": ended_cpu - accepted_cpu,
        "all_seconds": (ended - started).as_secs_f64(), "all_cpu": ended_cpu - cpu,
    }))
}

async fn open(task: &Task, url: &str) -> anyhow::Result<App> {
    let whatsapp = WhatsappSettings {
        api_url: format!("{}/v25.0", task.sink),
        phone_number_id: "1000000001".to_owned(),
        waba_id: String::new(),
        portfolio: String::new(),
        access_token: "token".to_owned().into(),
        app_secret: "secret".to_owned().into(),
        verify_token: "verify".to_owned().into(),
    };
    let shared = Shared {
        http: task.http.clone(),
        timeout: Duration::from_secs(15),
        list_button: "Pilih".to_owned(),
        hook_url: String::new(),
        clock: Arc::new(SystemClock),
    };
    let account = Account {
        id: "wa-bench".to_owned(),
        channel: ChannelKind::Whatsapp,
        area: None,
        portfolio: "bench".to_owned(),
        provider_id: whatsapp.phone_number_id.clone(),
        rate: Rate::per_second(1_000_000),
        in_flight: IN_FLIGHT,
        rupiah_per_segment: None,
        rupiah_per_message: None,
        daily_limit: None,
        adapter: Arc::new(WhatsappClient::new(&shared, whatsapp)),
    };
    support::office::open(url, vec![account], Vec::new(), Arc::new(SystemClock)).await
}

/// A card of somebody else each time, so that no limit per person is met.
fn update(number: usize) -> Item {
    let (day, serial) = (number / 9999, number % 9999 + 1);
    let update = RawUpdate {
        id: format!("bench-{number}"),
        occurred_at: "2026-11-21T08:00:00+07:00".to_owned(),
        nik: format!("351709{:02}{:02}{:02}{serial:04}", day % 28 + 1, day / 28 % 12 + 1, 70),
        status: "CARD_PRINTED".to_owned(),
        name: "Warga Contoh".to_owned(),
        phone: format!("0812{number:08}"),
        area: AREA.to_owned(),
        ..RawUpdate::default()
    };
    Item { raw: String::new(), update: Ok(update) }
}

async fn count_sent(app: &App) -> anyhow::Result<usize> {
    let mut filter =
        MessageFilter { status: Some(MessageStatus::Sent), ..MessageFilter::default() };
    let mut count = 0;
    loop {
        let page = list_messages(&app.db, &filter, 500).await?;
        count += page.len();
        match page.last() {
            Some(last) => filter.before = Some(last.id),
            None => return Ok(count),
        }
    }
}
