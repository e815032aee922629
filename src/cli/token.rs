//! `kabar token`: tokens for the API.

use anyhow::Context as _;
use chrono::NaiveDate;
use kabar::domain::area::AreaCode;
use kabar::domain::clock::{Clock as _, SystemClock, Timestamp};
use kabar::domain::id::{IdSource, TokenId};
use kabar::domain::officer::Actor;
use kabar::service::question::day_begins;
use kabar::service::token::{Mint, Order, TokenError, make, revoke};
use kabar::store::Db;
use kabar::store::token::{TokenLine, list_tokens};

use super::{ConfigArg, PAGE, hinted, office};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token; it is shown this once
    Create(Create),
    /// Every token there is, the newest first
    List(List),
    /// Let a token in no longer
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    config: ConfigArg,
    /// source (card updates in), office, auditor (reads) or admin
    #[arg(long, value_parser = ["source", "office", "auditor", "admin"])]
    role: String,
    /// Who will use it
    #[arg(long)]
    name: String,
    /// Code of the area it sees [default: the office's]
    #[arg(long)]
    area: Option<String>,
    /// Its last day, like 2027-03-31 [default: none]
    #[arg(long, value_name = "DAY")]
    expires: Option<NaiveDate>,
    /// Print {"token":"…"}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Print JSON, one token a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    config: ConfigArg,
    /// Its id, as `kabar token list` shows it
    #[arg(value_name = "ID")]
    id: TokenId,
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(args) => create_one(args).await,
        Command::List(args) => list(args).await,
        Command::Revoke(args) => revoke_one(args).await,
    }
}

async fn create_one(args: Create) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let area = match &args.area {
        Some(area) => AreaCode::parse(area)?,
        None => config.office_area.clone(),
    };
    // The whole of its last day.
    let after = args.expires.and_then(|day| day.succ_opt());
    let order = Order {
        name: args.name,
        role: args.role.parse()?,
        expires_at: after.map(|day| day_begins(config.office_area.zone(), day)),
        area,
    };
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let made = create(&db, &config.office_area, &order).await;
    db.close().await;
    let secret = made?;
    if args.json {
        println!("{}", serde_json::json!({"token": secret}));
    } else {
        println!("{secret}");
    }
    Ok(())
}

/// Makes a token and returns its secret.
pub(super) async fn create(db: &Db, office: &AreaCode, order: &Order) -> anyhow::Result<String> {
    let mint = Mint { db, ids: &IdSource::default(), office, now: SystemClock.now() };
    let (_, secret) = make(mint, &Actor::cli(), order).await.map_err(|error| refused(&error))?;
    Ok(secret)
}

fn refused(error: &TokenError) -> anyhow::Error {
    let hint = match error {
        TokenError::Store(_) => "look at database.url and whether the database runs",
        TokenError::PartialSource => "leave out --area, or choose another role",
        TokenError::Over => "kabar token create --expires 2027-03-31 …",
        TokenError::Forbidden | TokenError::Name => "`kabar token create --help`",
    };
    hinted(format!("no token is made: {error}"), hint)
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let (now, mut before) = (SystemClock.now(), None);
    loop {
        let page = list_tokens(&db, before, PAGE).await?;
        for token in &page {
            print(token, now, args.json);
        }
        match page.last() {
            Some(last) => before = Some(last.id),
            None => break,
        }
    }
    db.close().await;
    Ok(())
}

fn print(token: &TokenLine, now: Timestamp, json: bool) {
    let day = |at: Option<Timestamp>| at.map(|at| at.utc().date_naive().to_string());
    let state = if token.revoked_at.is_some() {
        "revoked"
    } else if token.expires_at.is_some_and(|at| at <= now) {
        "expired"
    } else {
        "valid"
    };
    let area = token.area.to_string();
    if json {
        let line = serde_json::json!({
            "id": token.id.to_string(), "name": token.name, "role": token.role.as_str(), "area": area,
            "state": state, "made_at": day(Some(token.created_at)), "made_by": token.made_by,
            "expires_at": day(token.expires_at), "revoked_at": day(token.revoked_at),
        });
        println!("{line}");
    } else {
        println!("{}  {:<8} {:<14} {state:<8} {}", token.id, token.role, area, token.name);
    }
}

async fn revoke_one(args: Revoke) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let (ids, now) = (IdSource::default(), SystemClock.now());
    let mint = Mint { db: &db, ids: &ids, office: &config.office_area, now };
    let done = revoke(mint, &Actor::cli(), args.id).await;
    db.close().await;
    if !done.context("the token is left as it was")? {
        let what = format!("there is no token {} that is valid", args.id);
        return Err(hinted(what, "`kabar token list` shows them"));
    }
    println!("{}: revoked", args.id);
    Ok(())
}
