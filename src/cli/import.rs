//! `kabar import`: takes in a spreadsheet and says what became of each row.
//!
//! Holds no more of a file than a chunk of its rows, however long it is.

mod area;
mod point;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use kabar::domain::card_plan::UpdateOutcome;
use kabar::service::App;
use kabar::service::card::{self, CHUNK, Item, Recorded};
use kabar::source::spreadsheet::{Columns, Row, Rows, Sheet, SheetError};

use super::{ConfigArg, hinted, office};
use report::{Count, Place};

/// The name under which imported updates are remembered.
const SOURCE: &str = "import";
/// Longest text of a service point that fits its place in a message.
const LONGEST_TEXT: usize = 120;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Card updates: NIK and status, and whatever else the file has
    Cards(Args),
    /// Service points: code, name, area, hours; by weekday where answers are to tell them
    ServicePoints(Args),
    /// Days on which service points are closed, or open at other hours: date, name, and where it
    /// does not hold everywhere the area
    Holidays(Args),
    /// Names of areas: a table of code and name, or the SQL dump of cahyadsn/wilayah
    Areas(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
    /// Show what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Record without announcing
    #[arg(long)]
    silent: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let (args, count, ended) = match &command {
        Command::Areas(args) => (args, area::run(args).await?, Ok(())),
        Command::Cards(args) => {
            let (count, ended) = run_sheet(args, Columns::Cards).await?;
            (args, count, ended)
        }
        Command::ServicePoints(args) => {
            let (count, ended) = run_sheet(args, Columns::ServicePoints).await?;
            (args, count, ended)
        }
        Command::Holidays(args) => {
            let (count, ended) = run_sheet(args, Columns::Holidays).await?;
            (args, count, ended)
        }
    };
    // Where the file breaks off, what came before is recorded all the same.
    if ended.is_ok() || count.total() > 0 {
        if args.json { count.print_json() } else { count.print(args.dry_run) }
    }
    ended?;
    Ok(if count.rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of the rows so far, and what ended it.
async fn run_sheet(args: &Args, columns: Columns) -> anyhow::Result<(Count, anyhow::Result<()>)> {
    let sheet = Sheet::open(&args.file).map_err(|error| explain(args, &error))?;
    let config = office::load(&args.config)?;
    let mut rows = sheet.rows(columns, &config.columns).map_err(|error| explain(args, &error))?;
    let office = office::open(config).await?;
    let bar = progress_bar(sheet.len_hint(), args.json);
    let mut count = Count::default();
    let ended = match columns {
        Columns::Cards => cards(&office.app, args, &mut rows, &bar, &mut count).await,
        Columns::Holidays => {
            point::holidays(&office.app, args, &mut rows, &bar).await.map(|all| count = all)
        }
        _ => point::points(&office.app, args, &mut rows, &bar).await.map(|all| count = all),
    };
    bar.finish_and_clear();
    for sheet in rows.ignored_sheets() {
        eprintln!("note: sheet {sheet:?} has none of the headings and was not read");
    }
    office.app.db.close().await;
    Ok((count, ended))
}

fn explain(args: &Args, error: &SheetError) -> anyhow::Error {
    let hint = error.hint();
    hinted(format!("{}: {}", args.file.display(), kabar::telemetry::chain(error)), hint)
}

fn progress_bar(length: Option<u64>, is_json: bool) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}  {elapsed}");
    match (length, style) {
        // Draws on a terminal only.
        (Some(length), Ok(style)) if !is_json => ProgressBar::new(length).with_style(style),
        _ => ProgressBar::hidden(),
    }
}

async fn cards(
    app: &App,
    args: &Args,
    rows: &mut Rows<'_>,
    bar: &ProgressBar,
    count: &mut Count,
) -> anyhow::Result<()> {
    let moment = app.now().utc().to_rfc3339();
    let mut ended = None;
    while ended.is_none() {
        let mut chunk = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK && ended.is_none() {
            match rows.next() {
                Some(Ok(row)) => chunk.push(row),
                Some(Err(error)) => ended = Some(Err(error)),
                None => ended = Some(Ok(())),
            }
        }
        if chunk.is_empty() {
            break;
        }
        let items: Vec<Item> = chunk
            .iter()
            .map(|row| {
                let (mut update, raw) = row.to_card(&moment);
                update.is_silent |= args.silent;
                Item { update: Ok(update), raw }
            })
            .collect();
        let results = if args.dry_run {
            card::try_out(app, SOURCE, &items).await?
        } else {
            card::record(app, SOURCE, &items).await?
        };
        for (row, result) in chunk.iter().zip(results) {
            add(count, row, result);
        }
        bar.set_position(rows.reached());
        bar.set_message(format!("{} rows, {} rejected", count.total(), count.rejected));
    }
    let before = if args.dry_run { "counted" } else { "recorded" };
    ended
        .unwrap_or(Ok(()))
        .with_context(|| format!("the file breaks off; the rows before it are {before}"))
}

fn place(row: &Row) -> Place<'_> {
    (row.sheet(), row.number())
}

fn add(count: &mut Count, row: &Row, result: Recorded) {
    match result {
        Recorded::Duplicate => count.unchanged += 1,
        Recorded::Rejected { reason, .. } => count.reject(place(row), reason.code, &reason.message),
        Recorded::Accepted { outcome, is_new_card, warning } => {
            if let Some(warning) = warning {
                count.warn(place(row), warning.code, &warning.message);
            }
            match outcome {
                _ if is_new_card => count.new += 1,
                UpdateOutcome::Unchanged | UpdateOutcome::Older => count.unchanged += 1,
                _ => count.changed += 1,
            }
            count.announced += u64::from(outcome == UpdateOutcome::Announced);
        }
    }
}
