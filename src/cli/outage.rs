//! `kabar outage`: an office that cannot work says so, and that it works again.

use std::process::ExitCode;

use kabar::domain::area::AreaCode;
use kabar::domain::id::OutageId;
use kabar::domain::officer::Actor;
use kabar::domain::outage::{Outage, OutageKind};
use kabar::service::outage;
use kabar::store::outage::list_running;
use serde_json::json;

use super::{ConfigArg, hinted, office};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show what does not work just now
    List(List),
    /// Declare an outage; those who wait for it are told once
    Declare(Declare),
    /// Say that it works again; those who heard of it are told
    Lift(Lift),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Print {"outages":[…]}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Declare {
    /// What does not work: `no_blanko`, server or printer
    kind: OutageKind,
    #[command(flatten)]
    config: ConfigArg,
    /// Where, and in what lies in it, like 35.17.09
    #[arg(long, value_name = "CODE")]
    area: AreaCode,
    /// What citizens are told, after "karena"
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Lift {
    /// As it stands on the list: out_…
    id: OutageId,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(args) => list(args).await?,
        Command::Declare(args) => declare(args).await?,
        Command::Lift(args) => lift(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn view(outage: &Outage) -> serde_json::Value {
    json!({"id": outage.id.to_string(), "kind": outage.kind.as_str(), "area": outage.area.to_string(),
           "reason": outage.reason, "since": outage.since.rfc3339()})
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let mut tx = db.begin().await?;
    let running = list_running(&mut tx).await?;
    tx.rollback().await?;
    db.close().await;
    if args.json {
        let outages: Vec<_> = running.iter().map(view).collect();
        println!("{}", json!({ "outages": outages }));
        return Ok(());
    }
    for outage in &running {
        let since = outage.since.utc().date_naive();
        println!("{}  {since}  {:9}  {}  {}", outage.id, outage.kind, outage.area, outage.reason);
    }
    if running.is_empty() {
        println!("Everything works.");
    }
    Ok(())
}

async fn declare(args: Declare) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    let what = (args.kind, &args.area);
    let id = outage::declare(&app, &Actor::cli(), what, &args.reason, None)
        .await
        .map_err(|error| hinted(error.to_string(), "`kabar outage list` shows what is declared"))?;
    println!("{id}: declared; `kabar serve` tells those who wait");
    app.db.close().await;
    Ok(())
}

async fn lift(args: Lift) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    outage::lift(&app, &Actor::cli(), args.id)
        .await
        .map_err(|error| hinted(error.to_string(), "`kabar outage list` shows what is declared"))?;
    println!("{}: over; `kabar serve` tells those who heard of it", args.id);
    app.db.close().await;
    Ok(())
}
