//! `kabar ticket`: talks, complaints and requests that citizens put before an officer.
//!
//! Whoever looks at one is noted with it, so `show` changes the database as well.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use kabar::domain::area::AreaCode;
use kabar::domain::id::TicketId;
use kabar::domain::ticket::{TicketKind, TicketState};
use kabar::service::by::By;
use kabar::service::ticket::{self as desk, TicketError, Whole};
use kabar::store::Db;
use kabar::store::ticket::{Ticket, TicketFilter, list_tickets};
use kabar::store::ticket_entry::Happening;
use serde_json::json;

use super::{COMMAND_LINE, ConfigArg, PAGE, hinted, office, one_line, shown};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show what waits, oldest first
    List(List),
    /// Show one with all that was written; the look is noted
    Show(One),
    /// Take one; from then on the bot keeps silent in that talk
    Take(One),
    /// Answer one, while the channel lets us
    Reply(Reply),
    /// Close one; the citizen is told, and the bot speaks again
    Close(One),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// Only those of a kind: human, complaint or deletion
    #[arg(long, value_name = "KIND")]
    kind: Option<TicketKind>,
    /// Only an area and what lies in it, and of people on no file
    #[arg(long, value_name = "CODE")]
    area: Option<AreaCode>,
    /// Print {"tickets":[…]}, each as the API has it
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// Its id, as it stands on the list: tkt_…
    #[arg(value_name = "ID")]
    id: TicketId,
    #[command(flatten)]
    config: ConfigArg,
    /// Who does it
    #[arg(long, value_name = "NAME", default_value = COMMAND_LINE, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Reply {
    #[command(flatten)]
    one: One,
    /// What the citizen reads
    #[arg(value_name = "TEXT")]
    text: String,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(args) => list(args).await,
        Command::Show(args) => show(args).await,
        Command::Take(args) => take(args).await,
        Command::Reply(args) => reply(args).await,
        Command::Close(args) => close(args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let filter = TicketFilter {
        is_all: args.all,
        kind: args.kind,
        area: args.area,
        within: None,
        ..TicketFilter::default()
    };
    let tickets = all(&db, filter).await?;
    db.close().await;
    if args.json {
        let tickets: Vec<_> = tickets.iter().map(desk::described).collect();
        println!("{}", json!({ "tickets": tickets }));
        return Ok(());
    }
    for ticket in &tickets {
        println!("{}", line(ticket));
    }
    match tickets.len() {
        0 => println!("Nothing waits."),
        count => println!("{count} tickets; `kabar ticket show ID` has what was written"),
    }
    Ok(())
}

async fn all(db: &Db, mut filter: TicketFilter) -> anyhow::Result<Vec<Ticket>> {
    let mut tickets: Vec<Ticket> = Vec::new();
    loop {
        filter.after = tickets.last().map(|ticket| ticket.id);
        let page = list_tickets(db, &filter, PAGE).await?;
        if page.is_empty() {
            return Ok(tickets);
        }
        tickets.extend(page);
    }
}

fn line(ticket: &Ticket) -> String {
    let mut line = format!(
        "{}  {}  {:9}  {:6}",
        ticket.id,
        shown(ticket.opened_at),
        ticket.kind.as_str(),
        ticket.state.as_str()
    );
    let mut add = |text: String| line = format!("{line}  {text}");
    if let Some(number) = &ticket.number {
        add(number.clone());
    }
    if let Some(category) = ticket.category {
        // What is a crime must not be overlooked on a long list.
        add(if category.is_pungli() { "PUNGLI".to_owned() } else { category.to_string() });
    }
    if let Some(due) = ticket.due_at.filter(|_| ticket.state != TicketState::Closed) {
        add(format!("due {}", shown(due)));
    }
    if let Some(by) = &ticket.taken_by {
        add(format!("with {}", one_line(by)));
    }
    line
}

async fn show(args: One) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    let Whole { ticket, text, entries } =
        desk::show(&app, args.id, &By::cli(&args.by)).await.map_err(explained)?;
    println!("{}", line(&ticket));
    if let Some(text) = text {
        println!("\n{}\n", text.lines().map(one_line).collect::<Vec<_>>().join("\n"));
    }
    for entry in entries {
        let who = match (entry.what, &entry.by) {
            (Happening::Inbound, _) => "citizen".to_owned(),
            (_, Some(by)) => one_line(by),
            (_, None) => String::new(),
        };
        let words = entry.words.as_deref().map(one_line).unwrap_or_default();
        println!("{}  {:7}  {who}  {words}", shown(entry.at), entry.what.as_str());
    }
    app.db.close().await;
    Ok(())
}

async fn take(args: One) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    desk::take(&app, args.id, &By::cli(&args.by)).await.map_err(explained)?;
    app.db.close().await;
    println!("{} is yours; `kabar ticket reply {} TEXT` answers", args.id, args.id);
    Ok(())
}

async fn reply(args: Reply) -> anyhow::Result<()> {
    let One { id, config, by } = args.one;
    let app = office::open(office::load(&config)?).await?.app;
    let message =
        desk::reply(&app, id, &args.text, &By::cli(&by), None).await.map_err(explained)?;
    app.db.close().await;
    println!("{message} waits to be sent");
    Ok(())
}

async fn close(args: One) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    let is_told = desk::close(&app, args.id, &By::cli(&args.by), true).await.map_err(explained)?;
    app.db.close().await;
    let told = if is_told { "the citizen is told" } else { "the citizen cannot be told any more" };
    println!("{} is closed; {told}", args.id);
    Ok(())
}

fn explained(error: TicketError) -> anyhow::Error {
    let hint = match &error {
        TicketError::NotFound => "`kabar ticket list --all` shows their ids",
        TicketError::NotOpen | TicketError::Elsewhere => "`kabar ticket show ID` says who has it",
        TicketError::Closed => "a citizen who writes again opens a new one",
        TicketError::WindowClosed => "call them, or wait until they write",
        TicketError::NoAccount => "look at [[account]] in the configuration",
        TicketError::Length => "shorten it, or send it in two replies",
        TicketError::Personal => "leave the number out: everybody who holds the phone reads it",
        TicketError::Key | TicketError::Service(_) => return error.into(),
    };
    hinted(error.to_string(), hint)
}
