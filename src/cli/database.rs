//! `kabar database`: moves an office to another database.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::store::copy::{Compared, CopyError, Doing, Limits, Outcome, Step, copy};
use kabar::store::{Db, StoreError};

use super::{ConfigArg, hinted, office};

/// In place of an address: the one of the configuration.
const OF_CONFIG: &str = "config";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Copy all of a database that is not in use into an empty one, and compare them; cut off, the
    /// same command goes on
    Copy(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address, `sqlite://FILE` or `postgres://…`; `config` is the database of the configuration
    from: String,
    /// Where to: `sqlite://FILE` or `postgres://…`
    #[arg(required_unless_present = "to_file")]
    to: Option<String>,
    /// A file that holds where to, so that no password stands on the command line
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    to_file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Copy(args) = command;
    let config = office::load(&args.config)?;
    let from = if args.from == OF_CONFIG { config.database_url } else { args.from };
    let to = match (args.to, &args.to_file) {
        (Some(to), _) => to,
        (None, Some(file)) => std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?
            .trim()
            .to_owned(),
        (None, None) => return Err(hinted("nothing says where to", "give TO or --to-file")),
    };
    if is_same(&from, &to) {
        return Err(hinted(
            "FROM and TO are one and the same database",
            "name another one to copy to",
        ));
    }
    let sealer = Arc::new(config.sealer);
    let from = Db::open_as_it_is(&from, Arc::clone(&sealer))
        .await
        .map_err(|error| unusable("from", &error))?;
    let to = Db::open_unfinished(&to, sealer).await.map_err(|error| unusable("to", &error))?;
    let bar = progress_bar();
    let ended =
        copy(&from, &to, SystemClock.now(), Limits::default(), &mut |step| show(&bar, step)).await;
    bar.finish_and_clear();
    from.close().await;
    to.close().await;
    match ended.map_err(|error| explain(&error))? {
        Outcome::Done { tables, was_done } => Ok(tell(&tables, was_done)),
        Outcome::Stopped => Ok(ExitCode::FAILURE),
    }
}

/// Whether two addresses lead to one database: a file by whichever way, a server's only when written alike.
fn is_same(from: &str, to: &str) -> bool {
    let file = |url: &str| {
        let path = url.strip_prefix("sqlite:")?.trim_start_matches("//").split('?').next()?;
        std::fs::canonicalize(path).ok()
    };
    from == to || file(from).is_some_and(|path| Some(path) == file(to))
}

fn unusable(which: &str, error: &StoreError) -> anyhow::Error {
    let hint = match error {
        StoreError::Unusable(what) if what.contains("other keys") => {
            "both databases are opened with [keys] of the configuration, which -c names"
        }
        StoreError::Unusable(_) => {
            "look at the address: sqlite://FILE or postgres://user@host/name"
        }
        _ => "look at the address, and whether the database runs",
    };
    let why = kabar::telemetry::chain(error);
    hinted(format!("the database to copy {which} cannot be used: {why}"), hint)
}

fn explain(error: &CopyError) -> anyhow::Error {
    let hint = match error {
        CopyError::InUse => {
            "stop `kabar serve` on it; one that crashed counts as running for ten seconds"
        }
        CopyError::NotEmpty(_) | CopyError::OtherSource => "give it an empty database",
        CopyError::Shape => "an empty database gets its tables from this program by itself",
        CopyError::Row { .. } | CopyError::Refused { .. } => {
            "mend the row in the database to copy from, then run this again: it goes on there"
        }
        CopyError::Store(_) => "run this again: it goes on where it was",
    };
    hinted(format!("not copied: {}", kabar::telemetry::chain(error)), hint)
}

fn progress_bar() -> ProgressBar {
    let words = "{bar:30} {percent:>3}%  {msg}  {human_pos} of {human_len}  {per_sec}  {eta} left";
    // Draws on a terminal only.
    ProgressStyle::with_template(words)
        .map_or_else(|_| ProgressBar::hidden(), |style| ProgressBar::new(0).with_style(style))
}

fn show(bar: &ProgressBar, step: Step<'_>) {
    // Each row is brought once and read back once.
    bar.set_length(step.of.saturating_mul(2));
    let what = match step.doing {
        Doing::Copying => "copying",
        Doing::Comparing => "comparing",
    };
    bar.set_message(format!("{what} {}", step.table));
    bar.inc(step.rows);
}

fn tell(tables: &[Compared], was_done: bool) -> ExitCode {
    println!("{:<22} {:>12} {:>12}  checksum", "table", "rows there", "rows here");
    for table in tables {
        let word = if table.differs_at.is_none() { "equal" } else { "DIFFERS" };
        println!("{:<22} {:>12} {:>12}  {word}", table.table, table.there, table.here);
    }
    let odd: Vec<_> = tables.iter().filter(|table| table.differs_at.is_some()).collect();
    for table in &odd {
        let key = table.differs_at.as_deref().unwrap_or_default();
        eprintln!("error: table {} differs, for one in row {key}", table.table);
    }
    if odd.is_empty() {
        let done = if was_done { "was copied before, and is equal" } else { "copied, and equal" };
        println!("{done}: now set database.url to the new address and start Kabar");
        ExitCode::SUCCESS
    } else if was_done {
        eprintln!("hint: once either of the two has been worked with again, they differ");
        ExitCode::FAILURE
    } else {
        eprintln!(
            "hint: what was copied from changed meanwhile; copy it anew into an empty database"
        );
        ExitCode::FAILURE
    }
}
