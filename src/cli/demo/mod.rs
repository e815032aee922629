//! `kabar demo`: a sample office on SQLite with the sandbox inside, and cards that move.
//!
//! The service in it is the real one; only its account points at the sandbox, which shares the
//! listener. Nothing leaves the machine.

mod player;

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
use kabar::channel::Provider;
use kabar::channel::whatsapp::WhatsappSettings;
use kabar::config::{Account, Config};
use kabar::domain::clock::SystemClock;
use kabar::domain::message::ChannelKind;
use kabar::sandbox::{Sandbox, Settings, WhatsappAccount as SandboxAccount};
use kabar::service::App;
use kabar::store::token::Role;
use kabar::worker::Workers;
use tokio::sync::watch;

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
const PHONE_NUMBER_ID: &str = "1000000001";
const WABA_ID: &str = "2000000001";

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let listener = serve::bind(&args.listen).await?;
    let home = format!("http://{}", listener.local_addr().context("no local address")?);
    let config = configuration(&args.data, &home)?;
    kabar::telemetry::start("warn", config.log_format).map_err(anyhow::Error::msg)?;
    let Provider::Whatsapp(account) = config.accounts[0].provider.clone() else {
        anyhow::bail!("the demo has one WhatsApp account")
    };
    let office = office::open(config).await?;
    let app = office.app;
    let sandbox = make_sandbox(&app, &account, &home)?;
    let player = Player::open(Arc::clone(&app)).await?;
    for (phone, name) in player.phones() {
        sandbox.add_phone(&phone, Some(&name), false).context("a sample phone")?;
    }
    let secret = api_token(&args.data, &app).await?;
    let router = pages(kabar::web::router(office.web), &sandbox, &player);

    let stop = watch::Sender::new(false);
    let stopped = |mut stop: watch::Receiver<bool>| async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let workers = Workers::start(&app, &serve::owner(&app));
    let pump = tokio::spawn({
        let (sandbox, stop) = (sandbox.clone(), stopped(stop.subscribe()));
        async move { sandbox.run(stop).await }
    });
    let playing = tokio::spawn(player.play(stop.subscribe()));
    let served = tokio::spawn({
        let stop = stopped(stop.subscribe());
        async move { axum::serve(listener, router).with_graceful_shutdown(stop).await }
    });
    say_hello(&home, &secret, &args.data);
    asked_to_stop().await;
    println!("\nStopping; a second start goes on with the same data.");
    stop.send_replace(true);
    workers.stop().await;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(3), async {
        let _ = tokio::join!(pump, playing, served);
    })
    .await;
    app.db.close().await;
    Ok(())
}

fn say_hello(home: &str, secret: &str, data: &Path) {
    println!("Kabar, sample office {OFFICE}\n");
    println!("  Phones   {home}/sandbox   read and write as a citizen; cards move by themselves");
    println!(
        "  API      {home}/v1        try: curl -H 'Authorization: Bearer {secret}' {home}/v1/messages"
    );
    println!("  Health   {home}/readyz\n");
    println!("Data in {}. Nothing leaves this machine. Ctrl-C ends it.", data.display());
}

/// The sample office's configuration, written at the first start so that its keys stay.
fn configuration(data: &Path, home: &str) -> anyhow::Result<Config> {
    std::fs::create_dir_all(data).with_context(|| format!("{} cannot be made", data.display()))?;
    let path = data.join("kabar.toml");
    if !path.exists() {
        init::write(&path, OFFICE, AREA)?;
    }
    // At any hour of the day somebody wants to see a message arrive.
    let env = [("KABAR_ANNOUNCE__QUIET_HOURS".to_owned(), "off".to_owned())];
    let mut config = Config::load(&path, env.into_iter())?;
    config.accounts = vec![Account {
        id: "wa-demo".to_owned(),
        channel: ChannelKind::Whatsapp,
        area: None,
        rate: (80, Duration::from_secs(1)),
        in_flight: 64,
        rupiah_per_segment: None,
        provider: Provider::Whatsapp(WhatsappSettings {
            api_url: format!("{home}/sandbox/v25.0"),
            phone_number_id: PHONE_NUMBER_ID.to_owned(),
            waba_id: WABA_ID.to_owned(),
            portfolio: String::new(),
            access_token: init::secret(32)?.into(),
            app_secret: init::secret(32)?.into(),
            verify_token: init::secret(32)?.into(),
        }),
    }];
    Ok(config)
}

fn make_sandbox(app: &App, account: &WhatsappSettings, home: &str) -> anyhow::Result<Sandbox> {
    use secrecy::ExposeSecret as _;

    let counterpart = SandboxAccount {
        phone_number_id: account.phone_number_id.clone(),
        waba_id: account.waba_id.clone(),
        access_token: account.access_token.expose_secret().to_owned(),
        app_secret: account.app_secret.expose_secret().to_owned(),
        webhook_url: format!("{home}/hooks/whatsapp/wa-demo"),
        display_phone_number: "+62 811-0000-0000".to_owned(),
        label: OFFICE.to_owned(),
    };
    let mut settings = Settings::new(vec![counterpart], Arc::new(SystemClock));
    settings.templates = sandbox::registered(&app.templates);
    Ok(Sandbox::new(settings)?)
}

async fn api_token(data: &Path, app: &App) -> anyhow::Result<String> {
    let path = data.join("api.token");
    if let Ok(secret) = std::fs::read_to_string(&path) {
        return Ok(secret.trim().to_owned());
    }
    let secret = token::create(&app.db, Role::Admin, "demo").await?;
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
