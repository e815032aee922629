//! `kabar point`: the places that serve citizens, and how they are just now.

use std::process::ExitCode;

use chrono::NaiveDate;
use clap::builder::NonEmptyStringValueParser;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::service_point::{BlankoStock, PointState, PointStatus};
use kabar::service::point;
use kabar::store::service_point::{self, Change};
use serde_json::json;

use super::{COMMAND_LINE, ConfigArg, hinted, office};

/// Points shown at once.
const MOST: i64 = 10_000;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show the points, their hours, and how they are just now
    List(List),
    /// Close a point for some time; citizens who ask are told until when and why
    Close {
        #[command(flatten)]
        which: Which,
        /// The last day on which it is closed, like 2026-12-04
        #[arg(long, value_name = "DATE")]
        until: Option<NaiveDate>,
        /// Why, as citizens are to read it
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
        because: String,
    },
    /// Say that a point serves
    Open {
        #[command(flatten)]
        which: Which,
    },
    /// Say whether a point has blank cards
    Blanko {
        #[command(flatten)]
        which: Which,
        /// available, low, none or unknown
        #[arg(value_name = "STOCK")]
        stock: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Print one JSON object with all of them, each as the API has it
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Its code, as it stands on the list
    #[arg(value_name = "CODE")]
    code: String,
    #[command(flatten)]
    config: ConfigArg,
    /// Who says so
    #[arg(long, value_name = "NAME", default_value = COMMAND_LINE, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let (which, change) = match command {
        Command::List(args) => return list(args).await.map(|()| ExitCode::SUCCESS),
        Command::Close { which, until, because } => {
            let today = SystemClock.now().utc().date_naive();
            let state = point::check_state(PointStatus::Closed, until, Some(&because), today)
                .map_err(|what| {
                    hinted(what, "kabar point close CODE --until 2026-12-04 --because …")
                })?;
            (which, Change::State(state))
        }
        Command::Open { which } => (which, Change::State(PointState::RUNNING)),
        Command::Blanko { which, stock } => {
            let stock = stock.parse::<BlankoStock>().map_err(|_| {
                let known: Vec<&str> = BlankoStock::ALL.iter().map(|s| s.as_str()).collect();
                hinted(format!("{stock:?} is no stock of blank cards"), known.join(", "))
            })?;
            (which, Change::Blanko(stock))
        }
    };
    let config = office::load(&which.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let mut tx = db.begin().await?;
    let now = SystemClock.now();
    let is_done =
        service_point::set_condition(&mut tx, &which.code, &change, &which.by, now).await?;
    tx.commit().await?;
    db.close().await;
    if !is_done {
        return Err(hinted(
            format!("there is no service point {:?}", which.code),
            "`kabar point list` shows them, `kabar import service-points` brings new ones",
        ));
    }
    println!("{}: done", which.code);
    Ok(ExitCode::SUCCESS)
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let mut tx = db.begin().await?;
    let points = service_point::list_points(&mut tx, MOST).await?;
    tx.rollback().await?;
    db.close().await;
    if args.json {
        let rows: Vec<_> = points.iter().map(|(p, now)| point::described(p, now)).collect();
        println!("{}", json!({ "service_points": rows }));
        return Ok(());
    }
    for (point, condition) in &points {
        let state = &condition.state;
        let until = state.until.map(|day| format!(" until {day}")).unwrap_or_default();
        let because = state.because.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
        println!(
            "{:20}  {:13}  {:32}  {}{until}{because}; blank cards: {}",
            point.code,
            point.area.to_string(),
            point.name,
            state.status,
            condition.blanko
        );
        println!("{:20}  {}", "", point.hours);
    }
    match points.len() {
        0 => {
            println!("No service point is on file; `kabar import service-points FILE` brings them");
        }
        count => println!("{count} service points"),
    }
    Ok(())
}
