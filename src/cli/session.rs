//! `kabar session`: hours of counters, days of recording and stops of the mobile van, to which citizens come by
//! appointment.

use std::process::ExitCode;

use chrono::{Days, NaiveDate, NaiveTime, Weekday};
use clap::builder::NonEmptyStringValueParser;
use kabar::domain::area::AreaCode;
use kabar::domain::id::{ServiceSessionId, SessionPlanId};
use kabar::domain::officer::Actor;
use kabar::domain::service_point::PointService;
use kabar::domain::service_session::SessionKind;
use kabar::service::appointment::{
    AppointmentError, NewPlan, NewSession, add_plans, add_session, call_off, end_plan, list_plans,
    list_sessions,
};
use kabar::store::service_session::Counted;
use serde_json::json;

use super::{ConfigArg, hinted, office};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show the sessions ahead and how many come to each
    List(List),
    /// Write down the weekly hours of a point's counter; `kabar serve` lays its sessions out
    Plan(Plan),
    /// Show the weekly hours of a point's counter
    Plans(Plans),
    /// End weekly hours; what nobody asked for yet is taken back
    EndPlan(EndPlan),
    /// Put down one session: a counter's day, a day of recording, or a stop of the mobile van
    Add(Add),
    /// Call a session off; everybody on it is told once
    Cancel(Cancel),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// How many days ahead
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    days: u64,
    /// Print {"sessions":[…]}
    #[arg(long)]
    json: bool,
}

/// From when to when, what is done, and how many may come.
#[derive(Debug, clap::Args)]
pub(super) struct Hours {
    /// From when, like 08:00
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: NaiveTime,
    /// Until when, like 11:30
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: NaiveTime,
    /// What is done: recording, printing, collection, kk, akta, kia, ikd, move
    #[arg(long, value_name = "LIST")]
    services: String,
    /// How many may come
    #[arg(long, value_name = "COUNT")]
    quota: i64,
    /// Of these, kept for those who ask at the counter; the office's share where it is left out
    #[arg(long, value_name = "COUNT")]
    held: Option<i64>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    /// Code of the point, as it stands in `kabar point list`
    #[arg(value_name = "POINT")]
    point: String,
    /// On which weekday: mon, tue, wed, thu, fri, sat, sun
    #[arg(long, value_name = "DAY")]
    on: Weekday,
    #[command(flatten)]
    hours: Hours,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Debug, clap::Args)]
pub(super) struct Plans {
    /// Code of the point, as it stands in `kabar point list`
    #[arg(value_name = "POINT")]
    point: String,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Debug, clap::Args)]
pub(super) struct EndPlan {
    /// As `kabar session plans` shows it: `spl_…`
    id: SessionPlanId,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// counter, `recording_day` or mobile
    kind: SessionKind,
    /// On which day, like 2026-12-04
    #[arg(long, value_name = "DATE")]
    day: NaiveDate,
    #[command(flatten)]
    hours: Hours,
    /// Code of the point at which it takes place
    #[arg(long, value_name = "POINT", required_unless_present = "place")]
    point: Option<String>,
    /// A place of its own, as citizens are to read it
    #[arg(long, value_name = "TEXT", requires = "area")]
    place: Option<String>,
    /// Where that is, like 35.17.09.2018
    #[arg(long, value_name = "CODE")]
    area: Option<AreaCode>,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Debug, clap::Args)]
pub(super) struct Cancel {
    /// As it stands on the list: svs_…
    id: ServiceSessionId,
    /// Why, as citizens are to read it, after "karena"
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    because: String,
    #[command(flatten)]
    config: ConfigArg,
}

fn time(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(&text.replace('.', ":"), "%H:%M")
        .map_err(|_| "no time of day: write it like 08:00".to_owned())
}

fn services(list: &str) -> anyhow::Result<Vec<PointService>> {
    PointService::parse_list(list).map_err(|word| {
        let known: Vec<&str> = PointService::ALL.iter().map(|s| s.as_str()).collect();
        hinted(format!("{word:?} is no service"), known.join(", "))
    })
}

#[expect(clippy::needless_pass_by_value, reason = "used where an error is mapped")]
fn refused(error: AppointmentError) -> anyhow::Error {
    hinted(error.to_string(), "`kabar session list` and `kabar point list` show what there is")
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(args) => list(args).await?,
        Command::Plan(args) => plan(args).await?,
        Command::Plans(args) => plans(args).await?,
        Command::EndPlan(args) => end(args).await?,
        Command::Add(args) => add(args).await?,
        Command::Cancel(args) => cancel(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn view(counted: &Counted) -> serde_json::Value {
    let session = &counted.session;
    let services: Vec<&str> = session.services.iter().map(|service| service.as_str()).collect();
    json!({
        "id": session.id.to_string(), "kind": session.kind.as_str(), "point": session.point,
        "place": session.place, "area": session.area.to_string(), "day": session.day.to_string(),
        "from": session.from.format("%H:%M").to_string(),
        "to": session.to.format("%H:%M").to_string(), "services": services,
        "quota": session.quota, "held": session.held, "taken": counted.taken,
        "waiting": counted.waiting, "untold": counted.untold,
        "called_off": session.closed.as_ref().map(|closed| &closed.because),
    })
}

async fn list(args: List) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    let today = app.now().in_zone(app.zone(None).offset()).date_naive();
    let until = today.checked_add_days(Days::new(args.days)).unwrap_or(today);
    let found = list_sessions(&app, &Actor::cli(), (today, until)).await.map_err(refused)?;
    app.db.close().await;
    if args.json {
        let sessions: Vec<_> = found.iter().map(view).collect();
        println!("{}", json!({ "sessions": sessions }));
        return Ok(());
    }
    for counted in &found {
        let session = &counted.session;
        let (from, to) = (session.from.format("%H:%M"), session.to.format("%H:%M"));
        let off = if session.closed.is_some() { "  called off" } else { "" };
        println!(
            "{}  {} {from}-{to}  {:13}  {}/{} taken, {} held, {} waiting  {}{off}",
            session.id,
            session.day,
            session.kind,
            counted.taken,
            session.quota,
            session.held,
            counted.waiting,
            session.place,
        );
    }
    if found.is_empty() {
        println!("No session in the next {} days.", args.days);
    }
    Ok(())
}

async fn plan(args: Plan) -> anyhow::Result<()> {
    let new = NewPlan {
        point: args.point,
        weekday: args.on,
        window: (args.hours.from, args.hours.to),
        services: services(&args.hours.services)?,
        quota: args.hours.quota,
        held: args.hours.held,
    };
    let app = office::open(office::load(&args.config)?).await?.app;
    for id in add_plans(&app, &Actor::cli(), vec![new]).await.map_err(refused)? {
        println!("{id}: planned; `kabar serve` lays the days ahead out");
    }
    app.db.close().await;
    Ok(())
}

async fn plans(args: Plans) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    let found = list_plans(&app, &Actor::cli(), &args.point).await.map_err(refused)?;
    app.db.close().await;
    for plan in &found {
        let (from, to) = (plan.from.format("%H:%M"), plan.to.format("%H:%M"));
        let held = plan.held.map(|held| format!(", {held} held")).unwrap_or_default();
        println!("{}  {} {from}-{to}  {} places{held}", plan.id, plan.weekday, plan.quota);
    }
    if found.is_empty() {
        println!("No weekly hours are written down for {}.", args.point);
    }
    Ok(())
}

async fn end(args: EndPlan) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    end_plan(&app, &Actor::cli(), args.id).await.map_err(refused)?;
    println!("{}: ended; sessions to which somebody comes stay", args.id);
    app.db.close().await;
    Ok(())
}

async fn add(args: Add) -> anyhow::Result<()> {
    let new = NewSession {
        kind: args.kind,
        point: args.point,
        place: args.place.map(|place| (place, None)),
        area: args.area,
        map: None,
        day: args.day,
        window: (args.hours.from, args.hours.to),
        services: services(&args.hours.services)?,
        quota: args.hours.quota,
        held: args.hours.held,
    };
    let app = office::open(office::load(&args.config)?).await?.app;
    let id = add_session(&app, &Actor::cli(), new).await.map_err(refused)?;
    println!("{id}: put down");
    app.db.close().await;
    Ok(())
}

async fn cancel(args: Cancel) -> anyhow::Result<()> {
    let app = office::open(office::load(&args.config)?).await?.app;
    let told = call_off(&app, &Actor::cli(), args.id, &args.because).await.map_err(refused)?;
    println!("{}: called off; `kabar serve` tells {told} who have an appointment", args.id);
    app.db.close().await;
    Ok(())
}
