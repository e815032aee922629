//! `kabar suppression`: addresses that are not written to. A number is never shown whole.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::SuppressionId;
use kabar::domain::message::ChannelKind;
use kabar::domain::phone::PhoneNumber;
use kabar::store::Db;
use kabar::store::suppression::{self, Suppression};
use serde_json::json;

use super::{COMMAND_LINE, ConfigArg, PAGE, office, shown};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show which addresses are not written to, and why
    List(List),
    /// Write to an address again
    Release(Release),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Print {"suppressions":[…]}, each as the API has it
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Release {
    /// Ids, as they stand on the list: sup_…
    #[arg(required = true, value_name = "ID")]
    ids: Vec<SuppressionId>,
    #[command(flatten)]
    config: ConfigArg,
    /// Who releases them
    #[arg(long, value_name = "NAME", default_value = COMMAND_LINE, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(args) => list(args).await.map(|()| ExitCode::SUCCESS),
        Command::Release(args) => release(args).await,
    }
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let rows = all(&db).await?;
    db.close().await;
    if args.json {
        let rows: Vec<_> = rows.iter().map(view).collect();
        println!("{}", json!({ "suppressions": rows }));
        return Ok(());
    }
    for row in &rows {
        println!(
            "{}  {}  {:8}  {:19}  {}{}",
            row.id,
            row.created_at.utc().date_naive(),
            row.channel.map_or("all", ChannelKind::as_str),
            address(row).unwrap_or_else(|| "(no number)".to_owned()),
            row.reason,
            row.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default()
        );
    }
    match rows.len() {
        0 => println!("Every address is written to."),
        count => println!(
            "{count} addresses; `kabar suppression release ID…` lets them be written to again"
        ),
    }
    Ok(())
}

/// What is in force, oldest first.
async fn all(db: &Db) -> anyhow::Result<Vec<Suppression>> {
    let mut rows: Vec<Suppression> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.id);
        let page = suppression::list_active(db, after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

fn address(row: &Suppression) -> Option<String> {
    row.address.as_ref()?.phone.as_ref().map(PhoneNumber::masked)
}

fn view(row: &Suppression) -> serde_json::Value {
    json!({"id": row.id.to_string(), "address": address(row),
           "channel": row.channel.map_or("all", ChannelKind::as_str),
           "reason": row.reason.as_str(), "code": row.code, "since": shown(row.created_at)})
}

async fn release(mut args: Release) -> anyhow::Result<ExitCode> {
    args.ids.sort_unstable();
    args.ids.dedup();
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let mut released = 0;
    for id in &args.ids {
        if suppression::release(&db, *id, &args.by, SystemClock.now()).await? {
            released += 1;
        } else {
            eprintln!("{id} is not in force: released already?");
        }
    }
    db.close().await;
    println!("{released} of {} released", args.ids.len());
    Ok(if released == args.ids.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
