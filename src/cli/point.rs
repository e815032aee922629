//! `kabar point`: the places that serve citizens, and how they are just now.

use std::process::ExitCode;

use chrono::NaiveDate;
use clap::builder::NonEmptyStringValueParser;
use kabar::domain::area::Zone;
use kabar::domain::clock::Timestamp;
use kabar::domain::officer::Actor;
use kabar::domain::service_point::{BlankoStock, PointState, PointStatus};
use kabar::service::appointment::Closed;
use kabar::service::point;
use kabar::store::service_point::{Change, list_points};
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
    let (which, said) = match command {
        Command::List(args) => return list(args).await.map(|()| ExitCode::SUCCESS),
        Command::Close { which, until, because } => (which, Said::Closed { until, because }),
        Command::Open { which } => (which, Said::Open),
        Command::Blanko { which, stock } => {
            let stock = stock.parse::<BlankoStock>().map_err(|_| {
                let known: Vec<&str> = BlankoStock::ALL.iter().map(|s| s.as_str()).collect();
                hinted(format!("{stock:?} is no stock of blank cards"), known.join(", "))
            })?;
            (which, Said::Blanko(stock))
        }
    };
    let app = office::open(office::load(&which.config)?).await?.app;
    let change = said.checked(today(app.zone(None), app.now()))?;
    let actor = Actor { id: which.by, ..Actor::cli() };
    let done = point::change(&app, &which.code, &[change], &actor).await?;
    app.db.close().await;
    let Some(closed) = done else {
        return Err(hinted(
            format!("there is no service point {:?}", which.code),
            "`kabar point list` shows them, `kabar import service-points` brings new ones",
        ));
    };
    println!("{}: done", which.code);
    if closed != Closed::default() {
        println!("{}", called_off(closed));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a closure did to sessions, in words.
pub(super) fn called_off(closed: Closed) -> String {
    let Closed { sessions, told, untold } = closed;
    format!(
        "{sessions} sessions called off or made shorter; `kabar serve` tells {told} who have an appointment, \
         and {untold} without a chat are told by the office"
    )
}

/// What somebody says of a place.
enum Said {
    Closed { until: Option<NaiveDate>, because: String },
    Open,
    Blanko(BlankoStock),
}

impl Said {
    /// What it changes, if it can be so on that day.
    fn checked(self, today: NaiveDate) -> anyhow::Result<Change> {
        Ok(match self {
            Self::Closed { until, because } => {
                let state = point::check_state(PointStatus::Closed, until, Some(&because), today);
                Change::State(state.map_err(|what| {
                    hinted(what, "kabar point close CODE --until 2026-12-04 --because …")
                })?)
            }
            Self::Open => Change::State(PointState::RUNNING),
            Self::Blanko(stock) => Change::Blanko(stock),
        })
    }
}

/// The day where the office is; in UTC it is still the one before until 07.00 WIB.
fn today(zone: Zone, now: Timestamp) -> NaiveDate {
    now.in_zone(zone.offset()).date_naive()
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let points = list_points(&mut *db.reading().await?, MOST).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yesterday_is_over_for_the_office_while_it_is_not_in_greenwich() {
        let night = Timestamp::from(
            chrono::DateTime::parse_from_rfc3339("2026-11-23T05:00:00+07:00").unwrap(),
        );
        let until = |day| Said::Closed {
            until: NaiveDate::from_ymd_opt(2026, 11, day),
            because: "renovasi".to_owned(),
        };
        assert!(until(22).checked(today(Zone::Wib, night)).is_err());
        assert!(until(23).checked(today(Zone::Wib, night)).is_ok());
    }
}
