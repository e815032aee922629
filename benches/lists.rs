//! How long the officers' pages and the API's lists take when there is very much to list.
//!
//! `cargo bench --bench lists -- [--json] [--messages N] [--rounds N] [--kept FOLDER]`, N messages on SQLite (10,000,000
//! unless told otherwise) about a fifth as many cards, with failures, visits, complaints and an audit trail in
//! proportion. Everything is asked for over HTTP, by an officer of one desa, one of a kecamatan and one of the whole
//! office. The baseline is a page of the same service that lists nothing. Besides the median of the rounds there is a
//! look with nothing of the file in the machine's memory, as on the morning after a backup. With `--kept` the filled
//! database stays in that folder and is measured again by the next run.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to its terminal")]

#[allow(dead_code, reason = "each bench uses its own part")]
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use kabar::domain::area::AreaCode;
use kabar::domain::card::PhoneGiven;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::MessageId;
use kabar::domain::officer::{Actor, OfficerRole};

use kabar::service::App;
use kabar::service::officer::{add, hash_password};
use kabar::service::token::{Mint, Order, make};
use kabar::store::officer::set_password;
use kabar::store::person::upsert_person;
use kabar::store::token::Role;
use kabar::web::Web;
use kabar::web::console::{Need, routes};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::json;
use sqlx::AnyPool;
use support::office::{AREA, Keys, person};
use support::{Args, rounded};

/// Messages about each card.
const EACH: usize = 5;
/// Days over which they were sent.
const DAYS: usize = 365;
/// People written in one transaction.
const CHUNK: usize = 2_000;
const PASSWORD: &str = "bench-bench-bench-bench";
const FORM: &str = "application/x-www-form-urlencoded";
const BASELINE: &str = "/console/akun";

fn main() -> ExitCode {
    let done = Args::read_keeping(10_000_000)
        .and_then(|args| tokio::runtime::Runtime::new()?.block_on(compare(&args)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(args: &Args) -> anyhow::Result<()> {
    // An error only says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let temporary = tempfile::tempdir()?;
    let folder = args.kept.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder)?;
    let file = folder.join("bench.db");
    let url = format!("sqlite://{}", file.display());
    let clock = Arc::new(SystemClock);
    let keys = Keys::kept(folder)?;
    let app = support::office::open_with(&url, &keys, Vec::new(), Vec::new(), clock).await?;
    let app = Arc::new(app);
    let cards = (args.messages / EACH).max(1);
    let filled = folder.join("filled.txt");
    let made = std::fs::read_to_string(&filled).ok();
    match made.as_deref().map(str::trim) {
        None => {
            fill(&app, &url, cards).await?;
            std::fs::write(&filled, cards.to_string())?;
        }
        Some(count) => ensure!(
            count == cards.to_string(),
            "what is kept there has {count} cards, not {cards}: another folder, or --messages {EACH} times as many"
        ),
    }
    let disk = Disk(std::fs::File::open(&file)?);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let home = format!("http://{}", listener.local_addr()?);
    let web = Web { app: Arc::clone(&app), public_url: home.as_str().into() };
    let server = tokio::spawn(async move { axum::serve(listener, kabar::web::router(web)).await });
    let mut slowest = [(0.0, String::new()), (0.0, String::new())];
    for (role, area) in [
        (OfficerRole::Desa, "35.17.09.2009"),
        (OfficerRole::Kecamatan, "35.17.09"),
        (OfficerRole::Admin, AREA),
    ] {
        let visitor = Visitor::come(&app, &home, role, area).await?;
        let base = visitor.time(&Wanted::get(BASELINE), &disk, args.rounds).await?;
        print(args, cards, role, BASELINE, base, base);
        for wanted in pages(role) {
            let took = visitor.time(&wanted, &disk, args.rounds).await?;
            print(args, cards, role, &wanted.path, took, base);
            for (worst, time) in slowest.iter_mut().zip([took.median, took.cold]) {
                if time > worst.0 {
                    *worst = (time, format!("{} as {role}", wanted.path));
                }
            }
        }
    }
    if !args.json {
        for (what, (time, page)) in ["median", "cold look"].iter().zip(&slowest) {
            println!("slowest {what} of all: {} ms, {page}", rounded(*time, 1));
        }
    }
    server.abort();
    app.db.close().await;
    Ok(())
}

/// Everything that lists, as this role may see it.
fn pages(role: OfficerRole) -> Vec<Wanted> {
    let mut pages: Vec<Wanted> = [
        "/console/hari-ini",
        "/console/hari-ini/gagal",
        "/console/hari-ini/gagal?alasan=whatsapp:131026",
        "/console/hari-ini/kunjungan",
        "/console/kartu",
        "/console/kartu?status=ready_to_collect",
        "/console/kartu?status=unregistered",
        "/console/percakapan",
        "/console/jawaban",
        "/console/siaran",
        "/console/laporan",
        "/console/tempat",
        "/console/antar",
        "/console/ambil",
        "/console/gangguan",
        "/console/kunjungan",
        "/console/kunjungan-rumah",
        "/console/blanko",
        "/v1/messages",
        "/v1/messages?status=failed",
        "/v1/messages?status=unknown",
        "/v1/messages?status=queued",
        "/v1/messages?class=broadcast",
        "/v1/unreachable",
        "/v1/visits",
        "/v1/tickets",
        "/v1/questions",
    ]
    .into_iter()
    .map(Wanted::get)
    .collect();
    for words in ["contoh", "contoh rarara", "081200000007"] {
        pages.push(Wanted { path: "/console/kartu/cari".to_owned(), words: Some(words) });
    }
    let actor = Actor { id: String::new(), role, area: AreaCode::nationwide() };
    let routes = routes();
    pages.retain(|page| {
        let path = page.path.split('?').next().unwrap_or_default();
        let route = routes.iter().find(|route| route.path == path);
        !matches!(route.map(|route| route.need), Some(Need::Right(right)) if !actor.may(right))
    });
    if role == OfficerRole::Admin {
        for path in
            ["/console/hari-ini/ditolak", "/console/jejak", "/console/petugas", "/v1/rejections"]
        {
            pages.push(Wanted::get(path));
        }
    }
    pages
}

/// A page, or what is searched for.
struct Wanted {
    path: String,
    words: Option<&'static str>,
}

impl Wanted {
    fn get(path: &str) -> Self {
        Self { path: path.to_owned(), words: None }
    }
}

#[derive(Clone, Copy)]
struct Took {
    median: f64,
    slowest: f64,
    /// With nothing of the file in the machine's memory.
    cold: f64,
}

/// The file of the database.
struct Disk(std::fs::File);

impl Disk {
    /// Lets the machine forget what it has read of it.
    fn forget(&self) -> anyhow::Result<()> {
        Ok(rustix::fs::fadvise(&self.0, 0, None, rustix::fs::Advice::DontNeed)?)
    }
}

fn print(args: &Args, cards: usize, role: OfficerRole, path: &str, took: Took, base: Took) {
    let ratio = rounded(took.median / base.median, 2);
    if args.json {
        let line = json!({
            "name": path, "role": role.as_str(), "cards": cards, "messages": cards * EACH,
            "median_ms": rounded(took.median, 2), "slowest_ms": rounded(took.slowest, 2),
            "cold_ms": rounded(took.cold, 2),
            "baseline": BASELINE, "ratio": ratio,
        });
        println!("{line}");
    } else {
        println!(
            "{:>8.1} ms (slowest {:>8.1}, cold {:>8.1}), {ratio:>7} times a page without a list: {path} as {role}",
            took.median, took.slowest, took.cold
        );
    }
}

/// An officer at a browser, who also has a token of the API for the same area.
struct Visitor {
    http: reqwest::Client,
    home: String,
    cookie: String,
    csrf: String,
    token: String,
    /// Whatever is searched for is there for them.
    sees_all: bool,
}

impl Visitor {
    async fn come(app: &App, home: &str, role: OfficerRole, area: &str) -> anyhow::Result<Self> {
        let sees_all = area == AREA;
        let area = AreaCode::parse(area)?;
        // A kept database knows those of the run before.
        let login = format!("bench-{role}-{}", app.now().as_ms());
        let (id, _) = add(app, &Actor::cli(), &login, &login, role, &area).await?;
        let hash = hash_password(PASSWORD.to_owned()).await?;
        let mut tx = app.db.begin().await?;
        set_password(&mut tx, id, &hash, false, app.now()).await?;
        tx.commit().await?;
        let mint =
            Mint { db: &app.db, ids: &app.ids, office: &app.settings.office_area, now: app.now() };
        let order = Order { name: login.clone(), role: Role::Office, area, expires_at: None };
        let (_, token) = make(mint, &Actor::cli(), &order).await?;
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let body =
            serde_urlencoded::to_string([("login", login.as_str()), ("password", PASSWORD)])?;
        let answer = http
            .post(format!("{home}/console/masuk"))
            .header(CONTENT_TYPE, FORM)
            .body(body)
            .send()
            .await?;
        let cookie = answer.headers().get(SET_COOKIE).context("no cookie")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let (home, csrf) = (home.to_owned(), String::new());
        let mut visitor = Self { http, home, cookie, csrf, token, sees_all };
        let text = visitor.ask(&Wanted::get(BASELINE)).await?;
        let csrf = text.split("name=\"csrf\" content=\"").nth(1).context("no token of forms")?;
        csrf.split('"').next().unwrap_or_default().clone_into(&mut visitor.csrf);
        Ok(visitor)
    }

    async fn ask(&self, wanted: &Wanted) -> anyhow::Result<String> {
        let url = format!("{}{}", self.home, wanted.path);
        let request = match wanted.words {
            Some(words) => {
                let fields = [("csrf", self.csrf.as_str()), ("q", words)];
                self.http
                    .post(url)
                    .header(CONTENT_TYPE, FORM)
                    .body(serde_urlencoded::to_string(fields)?)
            }
            None => self.http.get(url),
        };
        let request = if wanted.path.starts_with("/v1") {
            request.header(AUTHORIZATION, format!("Bearer {}", self.token))
        } else {
            request.header(COOKIE, &self.cookie)
        };
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{} answers {status}: {text}", wanted.path);
        let has_found = wanted.words.is_none() || text.contains("/console/kartu/crd_");
        ensure!(has_found || !self.sees_all, "{:?} is not found", wanted.words);
        Ok(text)
    }

    async fn time(&self, wanted: &Wanted, disk: &Disk, rounds: usize) -> anyhow::Result<Took> {
        let mut times = Vec::with_capacity(rounds);
        disk.forget()?;
        let started = Instant::now();
        self.ask(wanted).await?;
        let cold = started.elapsed().as_secs_f64() * 1000.0;
        for _ in 0..rounds {
            let started = Instant::now();
            self.ask(wanted).await?;
            times.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
        Ok(Took { median: at(rounds / 2), slowest: at(rounds - 1), cold })
    }
}

/// People through the service's own door, for their names are sealed and searched; the rest in bulk.
async fn fill(app: &App, url: &str, cards: usize) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let bar = ProgressBar::new((cards * (EACH + 1)) as u64);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {percent} % filled, {eta} left")?);
    let mut number = 0;
    while number < cards {
        let mut tx = app.db.begin().await?;
        for one in number..cards.min(number + CHUNK) {
            let mut update = person(one, now)?;
            if one % 100 == 99 {
                update.phone = PhoneGiven::NotGiven;
            }
            upsert_person(&mut tx, &app.db, None, app.ids.next(now), &update, now).await?;
        }
        tx.commit().await?;
        number += CHUNK;
        bar.set_position(number as u64);
    }
    let beside = AnyPool::connect(url).await?;
    run(&beside, CARDS, now.as_ms()).await?;
    for day in (0..DAYS).rev() {
        let at = now.before(Duration::from_secs(24 * 3600 * day as u64));
        let floor = MessageId::floor(at).to_string();
        let time = floor.get(4..14).context("the time of an id")?;
        let statement = MESSAGES
            .replace("{time}", time)
            .replace("{day}", &day.to_string())
            .replace("{share}", &(DAYS / EACH).to_string());
        run(&beside, &statement, at.as_ms()).await?;
        bar.inc((cards * EACH / DAYS) as u64);
    }
    for statement in REST {
        run(&beside, statement, now.as_ms()).await?;
    }
    // What is measured is reading: the disk must not be busy with what was filled in.
    run(&beside, "PRAGMA wal_checkpoint(TRUNCATE)", now.as_ms()).await?;
    beside.close().await;
    let file = std::fs::File::open(url.trim_start_matches("sqlite://"))?;
    file.sync_all()?;
    bar.finish_and_clear();
    Ok(())
}

async fn run(beside: &AnyPool, statement: &str, now: i64) -> anyhow::Result<()> {
    let statement = statement.replace("{now}", &now.to_string());
    let done = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(beside).await;
    done.map(|_| ()).with_context(|| statement)
}

/// One card each; most of them long in their holder's hand.
const CARDS: &str = "INSERT INTO card (id, person_id, document, serial, status, status_at, created_at, updated_at, held_at, area) \
    SELECT 'crd_' || substr(id, 5), id, 'ktp-el', 1, \
    CASE WHEN rowid % 10 < 7 THEN 'issued' WHEN rowid % 10 = 7 THEN 'ready_to_collect' \
    WHEN rowid % 10 = 8 THEN 'printed' ELSE 'recorded' END, {now}, {now}, {now}, {now}, replace(area, '.', '') FROM person";

/// One day's messages; three in a hundred failed, one in ten thousand has an unclear end.
const MESSAGES: &str = "INSERT INTO message (id, idem_key, account, channel, class, lane, status, why, template, \
    reference, recipient_hash, person_id, card_id, content_sealed, zone, due_at, attempts, failure_code, created_at, \
    sent_at, failed_at, updated_at, area) \
    SELECT 'msg_{time}' || printf('%016d', p.rowid), 'bench/{day}/' || p.rowid, 'wa-bench', 'whatsapp', \
    CASE WHEN p.rowid % 50 = 0 THEN 'reply' ELSE 'announcement' END, 1, \
    CASE WHEN abs(random() % 100) < 3 THEN 'failed' WHEN abs(random() % 10000) = 0 THEN 'unknown' ELSE 'delivered' END, \
    'first', 'card_printed', NULL, COALESCE(p.phone_hash, ''), p.id, 'crd_' || substr(p.id, 5), 'x', 7, {now}, 1, \
    CASE WHEN abs(random() % 2) = 0 THEN '131026' ELSE '131049' END, {now}, {now}, {now}, {now}, replace(p.area, '.', '') \
    FROM person p WHERE p.rowid % {share} = {day} % {share}";

/// What comes with so many cards.
const REST: &[&str] = &[
    "INSERT INTO custody (id, card_id, holder, from_at, by_whom, why) \
     SELECT 'cus_' || substr(id, 5), id, CASE WHEN status = 'issued' THEN 'citizen' ELSE 'point bench' END, {now}, 'cli', \
     'bench' FROM card",
    "INSERT INTO officer (id, login, password_hash, name, role, area, created_at) \
     VALUES ('off_00000000000000000000000001', 'bench', 'x', 'bench', 'courier', '35.17', {now})",
    "INSERT INTO delivery_round (id, area, day, time_from, time_to, courier_id, capacity, state, made_by, made_at) \
     VALUES ('rnd_00000000000000000000000001', '3517', '2099-01-01', '08:00', '12:00', 'off_00000000000000000000000001', 40, 'planned', 'cli', {now})",
    "INSERT INTO visit (id, message_id, person_id, card_id, template, reason, area, created_at) \
     SELECT 'vis_' || substr(id, 5), 'msg_' || substr(id, 5), id, 'crd_' || substr(id, 5), 'card_printed', 'no_phone', area, {now} \
     FROM person WHERE rowid % 100 = 0",
    "INSERT INTO contact (id, channel, portfolio, phone_hash, created_at, updated_at) \
     SELECT 'con_' || substr(id, 5), 'whatsapp', 'bench', phone_hash, {now}, {now} FROM person WHERE rowid % 20 = 0",
    "INSERT INTO ticket (id, kind, state, contact_id, account, area, opened_at, touched_at, closed_at) \
     SELECT 'tkt_' || substr(id, 5), 'complaint', CASE WHEN rowid % 400 = 0 THEN 'open' ELSE 'closed' END, \
     'con_' || substr(id, 5), 'wa-bench', area, {now}, {now}, CASE WHEN rowid % 400 = 0 THEN NULL ELSE {now} END \
     FROM person WHERE rowid % 20 = 0",
    "INSERT INTO rejection (id, source, payload_hash, payload_sealed, code, message, times, received_at) \
     SELECT 'rej_' || substr(id, 5), 'siak', id, 'x', 'invalid_nik', 'invalid NIK', 1, {now} FROM person \
     WHERE rowid % 1000 = 0",
    "INSERT INTO audit (id, at, who, role, area, action, object) \
     SELECT 'aud_' || substr(id, 5), {now}, 'cli', 'admin', replace(area, '.', ''), 'looked_at_card', \
     'crd_' || substr(id, 5) FROM person WHERE rowid % 2 = 0",
];
