//! `kabar demo`: a sample office on SQLite with the sandbox inside, and cards that move.
//!
//! The service in it is the real one; only its accounts point at the sandbox, which shares the
//! listener. Nothing leaves the machine.

mod desk;
mod heard;
mod officer;
mod player;
mod round;
mod visit;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Json;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use kabar::config::{self, Config};
use kabar::domain::clock::SystemClock;
use kabar::sandbox::{Sandbox, Settings};
use kabar::service::App;
use kabar::service::token::Order;
use kabar::service::watch::step;
use kabar::source::Kind;
use kabar::source::folder::FolderSettings;
use kabar::source::spreadsheet::Mapping;
use kabar::store::token::Role;
use kabar::worker::Workers;
use tokio::sync::watch;

use self::desk::Desk;
use self::player::{ACTIONS, Player};
use super::{asked_to_stop, init, office, sandbox, serve, token};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Where its data is kept; a second start goes on with it
    #[arg(long, default_value = "kabar-demo", value_name = "DIR")]
    data: PathBuf,
}

const OFFICE: &str = "Disdukcapil Kabupaten Jombang";
const AREA: &str = "35.17";
/// A folder that is watched, and a file to be put there.
const INBOX: &str = "masuk";
const SAMPLE: &str = "contoh.csv";

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let listener = serve::bind(&args.listen).await?;
    let home = format!("http://{}", listener.local_addr().context("no local address")?);
    let mut config = configuration(&args.data)?;
    let desk = Desk::new(&home)?;
    config.public_url.clone_from(&home);
    config.accounts.clone_from(&desk.accounts);
    config.sources = vec![inbox(&args.data)?];
    kabar::telemetry::start("warn", config.log_format).map_err(anyhow::Error::msg)?;
    let office = office::open(config).await?;
    let app = office.app;
    let sandbox = make_sandbox(&app, desk)?;
    let player = Player::open(Arc::clone(&app)).await?;
    for sample in player.phones() {
        sandbox.add_phone(&sample.phone, Some(&sample.name), false).context("a sample phone")?;
        sandbox.set_presence(&sample.phone, sample.whatsapp);
    }
    let sample = args.data.join(SAMPLE);
    if !sample.exists() {
        std::fs::write(&sample, player.sample_file().await).context("a sample file")?;
    }
    let secret = api_token(&args.data, &app).await?;
    let password = officer::add_samples(&args.data, &app).await?;
    heard::add_samples(&app, desk::WHATSAPP).await?;
    visit::add_samples(&app).await?;
    let router = pages(kabar::web::router(office.web), &sandbox, &player);

    let stop = watch::Sender::new(false);
    let stopped = |mut stop: watch::Receiver<bool>| async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let owner = serve::owner(&app);
    for watched in &app.sources {
        // The first reading is silent; nobody can have put a file there yet.
        step(&app, watched, &owner).await?;
    }
    let workers = Workers::start(&app, &owner);
    super::serve::warm_up(&app);
    let pump = tokio::spawn({
        let (sandbox, stop) = (sandbox.clone(), stopped(stop.subscribe()));
        async move { sandbox.run(stop).await }
    });
    let visit = tokio::spawn({
        let (app, sandbox) = (Arc::clone(&app), sandbox.clone());
        async move {
            if let Err(error) = visit::play(&app, &sandbox).await {
                tracing::error!("demo: {error:#}");
            }
        }
    });
    let round = tokio::spawn({
        let (app, sandbox, player) = (Arc::clone(&app), sandbox.clone(), player.clone());
        async move {
            if let Err(error) = round::play(app, sandbox, player).await {
                tracing::error!("demo: {error:#}");
            }
        }
    });
    let playing = tokio::spawn(player.play(stop.subscribe()));
    let served = tokio::spawn({
        let stop = stopped(stop.subscribe());
        async move { axum::serve(listener, router).with_graceful_shutdown(stop).await }
    });
    say_hello(&home, &secret, &password, &args.data);
    asked_to_stop().await;
    println!("\nStopping; a second start goes on with the same data.");
    // The office goes first: whatever it still calls is the sandbox behind the same listener.
    round.abort();
    visit.abort();
    workers.stop().await;
    stop.send_replace(true);
    let _ = tokio::time::timeout(Duration::from_secs(3), async {
        let _ = tokio::join!(pump, playing, served);
    })
    .await;
    app.db.close().await;
    Ok(())
}

fn say_hello(home: &str, secret: &str, password: &str, data: &Path) {
    let logins: Vec<&str> = officer::SAMPLES.iter().map(|(login, ..)| *login).collect();
    println!("Kabar, sample office {OFFICE}\n");
    println!("  Console  {home}/console   log in as {}; password {password}", logins.join(", "));
    println!("  Phones   {home}/sandbox   read and write as a citizen; cards move by themselves");
    println!(
        "  API      {home}/v1        try: curl -H 'Authorization: Bearer {secret}' {home}/v1/messages"
    );
    println!(
        "  Folder   {0}/{INBOX}   spreadsheets put there are taken; try: cp {0}/{SAMPLE} {0}/{INBOX}/",
        data.display()
    );
    println!("  Health   {home}/readyz\n");
    println!("Data in {}. Nothing leaves this machine. Ctrl-C ends it.", data.display());
}

/// The folder that is watched, quickly enough for somebody who looks on.
fn inbox(data: &Path) -> anyhow::Result<config::Source> {
    const SOON: Duration = Duration::from_secs(1);
    let path = std::path::absolute(data.join(INBOX))?;
    std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    Ok(config::Source {
        id: INBOX.to_owned(),
        area: None,
        every: SOON,
        scan_at: None,
        hold_over: 500,
        kind: Kind::Folder(FolderSettings { path, settle: SOON, columns: Mapping::default() }),
    })
}

/// The sample office's configuration, written at the first start so that its keys stay.
fn configuration(data: &Path) -> anyhow::Result<Config> {
    std::fs::create_dir_all(data).with_context(|| format!("{} cannot be made", data.display()))?;
    let path = data.join("kabar.toml");
    if !path.exists() {
        init::write(&path, OFFICE, AREA)?;
    }
    // At any hour of the day somebody wants to see a message arrive,
    // and not wait four hours for an SMS after WhatsApp stayed silent.
    // Nor does anybody want to take out their phone to look at the console.
    let env = [
        ("ANNOUNCE__QUIET_HOURS", "off"),
        ("ANNOUNCE__FALLBACK_AFTER", "20s"),
        ("CONSOLE__SECOND_FACTOR", "optional"),
        ("ROUND__CODE_AT", "00:00"),
    ]
    .map(|(key, value)| (format!("KABAR_{key}"), value.to_owned()));
    Ok(Config::load(&path, env.into_iter())?)
}

fn make_sandbox(app: &App, desk: Desk) -> anyhow::Result<Sandbox> {
    let mut settings = Settings::new(vec![desk.meta], Arc::new(SystemClock));
    settings.others = desk.others;
    settings.templates = sandbox::registered(&app.templates);
    Ok(Sandbox::new(settings)?)
}

async fn api_token(data: &Path, app: &App) -> anyhow::Result<String> {
    let path = data.join("api.token");
    if let Ok(secret) = std::fs::read_to_string(&path) {
        return Ok(secret.trim().to_owned());
    }
    let area = app.settings.office_area.clone();
    let order =
        Order { name: "demo".to_owned(), role: Role::Admin, area: area.clone(), expires_at: None };
    let secret = token::create(&app.db, &area, &order).await?;
    init::write_private(&path, &secret)?;
    Ok(secret)
}

fn pages(service: Router, sandbox: &Sandbox, player: &Player) -> Router {
    let actions = Router::new()
        .route("/demo/actions", get(list_actions))
        .route("/demo/actions/{id}", post(act))
        .with_state(player.clone());
    let to_phones = || async { Redirect::temporary("/sandbox") };
    service
        .route("/", get(to_phones))
        .route("/sandbox/", get(to_phones))
        .nest("/sandbox", sandbox.router().merge(actions))
}

async fn list_actions() -> Json<serde_json::Value> {
    let rows =
        ACTIONS.iter().map(|action| serde_json::json!({"id": action.id, "label": action.label}));
    Json(rows.collect())
}

async fn act(State(player): State<Player>, UrlPath(id): UrlPath<String>) -> StatusCode {
    let Some(action) = ACTIONS.iter().find(|action| action.id == id) else {
        return StatusCode::NOT_FOUND;
    };
    match player.act(action).await {
        Ok(true) => StatusCode::NO_CONTENT,
        Ok(false) => StatusCode::CONFLICT,
        Err(error) => {
            tracing::error!("demo: {error:#}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}
