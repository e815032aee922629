//! `kabar source`: what is watched, what would come of it, and what waits for a word of the office.
//! Nobody is shown whole.

use std::collections::BTreeMap;
use std::process::ExitCode;

use kabar::domain::absence::Absence;
use kabar::domain::area::{AreaCode, Zone};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::HoldId;
use kabar::domain::nik::Nik;
use kabar::domain::officer::Actor;
use kabar::domain::person::PersonName;
use kabar::domain::phone::PhoneNumber;
use kabar::domain::raw_update::Reason;
use kabar::domain::status_word::is_of_status_words;
use kabar::service::source_trouble;
use kabar::source::opensid::grants;
use kabar::source::{Record, SourceError};
use kabar::store::hold::{Decision, list_open};
use kabar::store::{notice, source};
use serde_json::json;
use tokio::sync::mpsc;

use super::{ConfigArg, hinted, office, one_line, shown};

/// Records shown one by one.
const SHOWN: usize = 10;
/// Longest unknown status shown, in characters.
const LONGEST: usize = 24;
/// Records read for a trial unless somebody asks for more.
const TRIED: usize = 1000;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show how far each source is read, and what somebody should look at
    List(List),
    /// Read the first records of a source and show what would come of them; changes nothing
    Try(Try),
    /// Show what changed in bulk and waits for a word of the office
    Holds(List),
    /// Say whether what waits is news
    Release(Release),
    /// Print the statements that let a user read what is read of OpenSID, and nothing else
    Grants(Grants),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Try {
    /// The source, as in the configuration
    id: String,
    #[command(flatten)]
    config: ConfigArg,
    /// Records read, at most
    #[arg(long, default_value_t = TRIED, value_name = "COUNT")]
    records: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Release {
    /// What `kabar source holds` shows: hld_…
    #[arg(value_name = "ID")]
    id: HoldId,
    #[command(flatten)]
    config: ConfigArg,
    /// They are news: everybody is told
    #[arg(long, conflicts_with = "silent", required_unless_present = "silent")]
    announce: bool,
    /// They are not: nobody is told
    #[arg(long)]
    silent: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Grants {
    /// The database of OpenSID
    #[arg(long, default_value = "opensid")]
    database: String,
    /// Who reads
    #[arg(long, default_value = "kabar_ro@localhost")]
    user: String,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(args) => list(args).await.map(|()| ExitCode::SUCCESS),
        Command::Try(args) => try_out(args).await,
        Command::Holds(args) => holds(args).await.map(|()| ExitCode::SUCCESS),
        Command::Release(args) => release(args).await,
        Command::Grants(args) => {
            let (user, host) = args.user.split_once('@').unwrap_or((&args.user, "localhost"));
            let user = format!("'{}'@'{}'", user.replace('\'', ""), host.replace('\'', ""));
            for statement in grants(&args.database.replace('`', ""), &user) {
                println!("{statement}");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let ids: Vec<String> = config.sources.iter().map(|source| source.id.clone()).collect();
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let states: BTreeMap<_, _> = source::list_states(&db).await?.into_iter().collect();
    let notices = notice::list_open(&db).await?;
    db.close().await;
    let now = SystemClock.now();
    if args.json {
        let rows = ids.iter().map(|id| {
            let state = states.get(id);
            json!({"id": id, "read_at": state.and_then(|s| s.read_at).map(shown),
                   "changed_at": state.and_then(|s| s.changed_at).map(shown),
                   "failing_since": state.and_then(|s| s.failed_at).map(shown),
                   "failure": state.and_then(|s| s.failure.clone())})
        });
        let looks = notices.iter().map(|n| {
            json!({"kind": n.kind.as_str(), "subject": n.subject, "detail": n.detail,
                   "since": shown(n.opened_at)})
        });
        let (rows, looks): (Vec<_>, Vec<_>) = (rows.collect(), looks.collect());
        println!("{}", json!({"sources": rows, "notices": looks}));
        return Ok(());
    }
    let ago = |at: Option<kabar::domain::clock::Timestamp>| match at {
        None => "never".to_owned(),
        Some(at) => {
            let seconds = std::time::Duration::from_secs(now.since(at).as_secs());
            format!("{} ago", humantime::format_duration(seconds))
        }
    };
    for id in &ids {
        let state = states.get(id).cloned().unwrap_or_default();
        println!("{id}: read {}, changed {}", ago(state.read_at), ago(state.changed_at));
        if let Some(failure) = &state.failure {
            println!("  cannot be read since {}: {failure}", ago(state.failed_at));
        }
    }
    for notice in &notices {
        println!("look: {}: {} (since {})", notice.subject, notice.detail, shown(notice.opened_at));
    }
    if ids.is_empty() {
        println!("Nothing is watched; a [[source]] in kabar.toml changes that.");
    }
    Ok(())
}

/// What came of the records that were tried.
#[derive(Default)]
struct Trial {
    shown: Vec<serde_json::Value>,
    taken: u64,
    gone: u64,
    rejected: BTreeMap<(&'static str, String), u64>,
}

async fn try_out(args: Try) -> anyhow::Result<ExitCode> {
    let config = office::load(&args.config)?;
    let known: Vec<String> = config.sources.iter().map(|source| source.id.clone()).collect();
    let area = config.office_area.clone();
    let found = config.sources.into_iter().find(|source| source.id == args.id);
    let source = found.ok_or_else(|| {
        let hint = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        hinted(format!("no source has the id {}", args.id), format!("there are: {hint}"))
    })?;
    let watched = office::make_source(source, &area);
    let explained = |error: &SourceError| {
        hinted(format!("{} cannot be read: {error}", args.id), error.hint().to_owned())
    };
    let words = watched.source.probe().await.map_err(|error| explained(&error))?;
    let (give, mut take) = mpsc::channel::<Record>(SHOWN);
    let source = watched.source.clone();
    let reading = tokio::spawn(async move { source.read(None, give).await });
    let mut trial = Trial::default();
    let mut count = 0;
    while count < args.records
        && let Some(record) = take.recv().await
    {
        count += 1;
        trial.add(&record, area.zone());
    }
    let is_all = count < args.records;
    // Whoever still hands over is told that nobody takes.
    drop(take);
    let skipped = match reading.await? {
        Ok(reading) => reading.skipped,
        Err(SourceError::Stopped) => BTreeMap::new(),
        Err(error) => return Err(explained(&error)),
    };
    if args.json {
        println!("{}", trial.json(&words, count, is_all, &skipped));
    } else {
        trial.print(&words, count, is_all, &skipped);
    }
    Ok(if trial.rejected.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Trial {
    fn add(&mut self, record: &Record, zone: Zone) {
        let now = SystemClock.now();
        let mut update = record.update.clone();
        if update.id.is_empty() {
            update.id.clone_from(&record.key);
        }
        if update.occurred_at.is_empty() {
            update.occurred_at = now.utc().to_rfc3339();
        }
        let checked = update.check(zone.offset(), now);
        match &checked {
            Ok(_) if record.absence.is_some() => self.gone += 1,
            Ok(_) => self.taken += 1,
            Err(Reason { code, message }) => {
                *self.rejected.entry((code, message.clone())).or_default() += 1;
            }
        }
        if self.shown.len() < SHOWN {
            let phone = PhoneNumber::parse(&update.phone);
            let area = AreaCode::parse(&update.area).ok();
            let at = checked.as_ref().ok().filter(|_| !record.update.occurred_at.is_empty());
            let at = at.map(|checked| checked.occurred_at.in_zone(zone.offset()));
            self.shown.push(json!({
                "nik": Nik::parse(&update.nik).ok().map(|nik| format!("{}**********", nik.area().plain())),
                "status": checked.as_ref().map_or_else(
                    |_| unknown(&update.status), |checked| checked.status.as_str().to_owned()),
                "document": checked.as_ref().ok().map(|checked| checked.document.as_str()),
                "name": PersonName::parse(&update.name).map(|name| name.masked()),
                "phone": phone.as_ref().ok().map(PhoneNumber::masked),
                "area": area.map(|area| area.to_string()),
                "occurred_at": at.map(|at| at.format("%Y-%m-%d %H:%M").to_string()),
                "gone": record.absence.map(Absence::as_str),
                "rejected": checked.as_ref().err().map(|reason| reason.message.clone()),
            }));
        }
    }

    fn json(
        &self,
        words: &str,
        count: usize,
        is_all: bool,
        skipped: &BTreeMap<&str, u64>,
    ) -> serde_json::Value {
        let rejected: Vec<_> = self
            .rejected
            .iter()
            .map(|((code, message), count)| json!({"code": code, "message": message, "count": count}))
            .collect();
        json!({"source": words, "records": count, "all": is_all, "taken": self.taken,
               "gone": self.gone, "rejected": rejected, "skipped": skipped, "first": self.shown})
    }

    fn print(&self, words: &str, count: usize, is_all: bool, skipped: &BTreeMap<&str, u64>) {
        println!("{words}\n");
        for row in &self.shown {
            let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            let end = match (row["rejected"].as_str(), row["gone"].as_str()) {
                (Some(why), _) => format!("REJECTED: {why}"),
                (None, Some(gone)) => format!("{gone}: nobody is told"),
                (None, None) => String::new(),
            };
            println!(
                "  {:16}  {:16}  {:16}  {:8}  {:14}  {:18}  {:13}  {end}",
                text("nik"),
                text("status"),
                text("occurred_at"),
                text("document"),
                text("name"),
                text("phone"),
                text("area")
            );
        }
        let whole = if is_all { "all" } else { "the first" };
        let rejected: u64 = self.rejected.values().sum();
        println!(
            "\nOf {whole} {count} records {} would be taken, {} are of people who are gone, {rejected} \
             would be rejected.",
            self.taken, self.gone
        );
        for ((code, message), count) in &self.rejected {
            println!("  {count} × {message} ({code})");
        }
        for (why, count) in skipped {
            println!("  {count} say nothing of a card: {why}");
        }
        println!(
            "The first reading of a source is silent: nobody is told of what is there already."
        );
    }
}

/// A word for a status that we do not know, to be looked up. A query may have mixed up its columns:
/// what could be a name is only counted.
fn unknown(status: &str) -> String {
    let word = one_line(status);
    match word.chars().count() {
        0 => word,
        length if length > LONGEST || !is_of_status_words(&word) => {
            format!("(unknown, {length} characters)")
        }
        _ => word,
    }
}

async fn holds(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let holds = list_open(&db).await?;
    db.close().await;
    if args.json {
        let rows = holds.iter().map(|hold| {
            json!({"id": hold.id.to_string(), "source": hold.source, "status": hold.status.as_str(),
                   "waiting": hold.waiting, "since": shown(hold.opened_at),
                   "decision": hold.decision.map(Decision::as_str)})
        });
        println!("{}", json!({"holds": rows.collect::<Vec<_>>()}));
        return Ok(());
    }
    for hold in &holds {
        let decided = hold.decision.map(|d| format!(", decided: {d}")).unwrap_or_default();
        println!(
            "{}  {}: {} cards changed to {} at once, since {}{decided}",
            hold.id,
            hold.source,
            hold.waiting,
            hold.status,
            shown(hold.opened_at)
        );
    }
    match holds.iter().filter(|hold| hold.decision.is_none()).count() {
        0 => println!("Nothing waits for a decision."),
        _ => println!(
            "`kabar source release ID --announce` tells everybody, --silent nobody; either way the \
             cards are recorded already"
        ),
    }
    Ok(())
}

async fn release(args: Release) -> anyhow::Result<ExitCode> {
    let office = office::open(office::load(&args.config)?).await?;
    let decision = if args.announce { Decision::Announce } else { Decision::Silent };
    let is_done = source_trouble::decide(&office.app, &Actor::cli(), args.id, decision).await?;
    office.app.db.close().await;
    if !is_done {
        eprintln!("{} does not wait for a decision: decided already?", args.id);
        return Ok(ExitCode::FAILURE);
    }
    println!("{} noted; the running service carries it out", args.id);
    Ok(ExitCode::SUCCESS)
}
