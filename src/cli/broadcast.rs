//! `kabar broadcast`: notices to many, from the command line.
//!
//! Whoever has the machine may do everything but be two people: `--as` names the officer who does it, with that
//! officer's rights and no others.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::DateTime;
use kabar::domain::area::AreaCode;
use kabar::domain::audience::{Audience, CardCondition};
use kabar::domain::broadcast::{Notice, Schedule};
use kabar::domain::document::Document;
use kabar::domain::id::BroadcastId;
use kabar::domain::language::Language;
use kabar::domain::message::ChannelKind;
use kabar::domain::officer::Actor;
use kabar::domain::phone::PhoneNumber;
use kabar::domain::timetable::Timetable;
use kabar::service::App;
use kabar::service::broadcast::{
    self as desk, BroadcastError, Draft, view, view_preview, view_run,
};
use kabar::source::spreadsheet::Mapping;
use kabar::store::broadcast::Broadcast;
use kabar::store::officer::find_by_login;
use serde_json::{Value, json};

use super::{ConfigArg, hinted, office, shown};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write one; prints its id
    Draft(Box<Write>),
    /// What it would come to: how many on each channel, who is left out, what it costs, how long it takes
    Preview(One),
    /// Send it to one phone, to see it there
    Test(Test),
    /// Say that it is ready; a second person may have to agree
    Submit(One),
    /// Agree to what somebody else wrote
    Approve(One),
    /// Send it back with a reason
    Reject(Reject),
    /// Let it go, at once or when its time comes
    Send(One),
    /// Hold it
    Pause(One),
    /// Let it go on where it was held
    Resume(One),
    /// Withdraw it for good
    Cancel(One),
    /// Try those again whom its last run did not reach
    Retry(One),
    /// What became of it
    Report(One),
    /// Those there are, newest first
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct Who {
    #[command(flatten)]
    config: ConfigArg,
    /// The officer who does it, by the name they log in with [default: the command line]
    #[arg(long = "as", value_name = "LOGIN")]
    login: Option<String>,
    /// Print JSON, as the API has it
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    /// Its id, as it stands on the list: bro_…
    #[arg(value_name = "ID")]
    id: BroadcastId,
    #[command(flatten)]
    who: Who,
}

#[derive(Debug, clap::Args)]
pub(super) struct Test {
    #[command(flatten)]
    one: One,
    /// whatsapp, telegram or sms
    #[arg(long, value_name = "CHANNEL")]
    channel: ChannelKind,
    /// The number
    #[arg(long, value_name = "NUMBER")]
    phone: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Reject {
    #[command(flatten)]
    one: One,
    /// What is to be changed
    #[arg(value_name = "REASON")]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    who: Who,
    /// So many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
    limit: i64,
}

#[derive(Debug, clap::Args)]
pub(super) struct Write {
    #[command(flatten)]
    who: Who,
    /// What it is about, in a few words
    #[arg(long)]
    title: String,
    /// The notice
    #[arg(long)]
    text: String,
    /// Where
    #[arg(long, default_value = "", hide_default_value = true)]
    place: String,
    /// When, in words
    #[arg(long, default_value = "", hide_default_value = true)]
    time: String,
    /// Only who lives in this area, by its code; may be repeated [default: one's own area]
    #[arg(long = "area", value_name = "CODE")]
    areas: Vec<AreaCode>,
    /// Only who lives in this dusun
    #[arg(long)]
    dusun: Option<String>,
    /// Only who lives in this RW
    #[arg(long)]
    rw: Option<String>,
    /// Only who lives in this RT
    #[arg(long)]
    rt: Option<String>,
    /// Only who was never recorded
    #[arg(long, group = "card")]
    not_recorded: bool,
    /// Only who turns 17 within so many months
    #[arg(long, value_name = "MONTHS", group = "card", value_parser = clap::value_parser!(u32).range(1..=24))]
    turning_17: Option<u32>,
    /// Only whose card lies ready for so many days
    #[arg(long, value_name = "DAYS", group = "card", value_parser = clap::value_parser!(u32).range(1..=3650))]
    uncollected: Option<u32>,
    /// Only who has this paper: ktp-el, kia, kk, …
    #[arg(long, value_name = "PAPER")]
    document: Option<Document>,
    /// Only who is answered in this language: id or en
    #[arg(long)]
    language: Option<Language>,
    /// Only whom this spreadsheet names, by number or by the reference of a message
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Once, at this moment: 2026-11-24T08:00:00+07:00
    #[arg(long, value_name = "MOMENT", conflicts_with = "cron")]
    at: Option<String>,
    /// Again and again: minute, hour, day, month, weekday by name, like "0 8 * * MON"
    #[arg(long, value_name = "FIELDS")]
    cron: Option<String>,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Draft(args) => draft(*args).await,
        Command::Preview(args) => preview(args).await,
        Command::Test(args) => test(args).await,
        Command::Report(args) => report(args).await,
        Command::List(args) => list(args).await,
        Command::Reject(Reject { one, reason }) => {
            act(one, async |app, actor, id| desk::reject(app, actor, id, &reason).await).await
        }
        Command::Submit(one) => {
            act(one, async |app, actor, id| desk::submit(app, actor, id).await.map(|_| ())).await
        }
        Command::Approve(one) => act(one, desk::approve).await,
        Command::Send(one) => {
            act(one, async |app, actor, id| desk::send(app, actor, id).await.map(|_| ())).await
        }
        Command::Pause(one) => act(one, desk::pause).await,
        Command::Resume(one) => act(one, desk::resume).await,
        Command::Cancel(one) => act(one, desk::cancel).await,
        Command::Retry(one) => act(one, desk::retry).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn open(who: &Who) -> anyhow::Result<(std::sync::Arc<App>, Actor, Mapping)> {
    let config = office::load(&who.config)?;
    let columns = config.columns.clone();
    let app = office::open(config).await?.app;
    let actor = match &who.login {
        None => Actor::cli(),
        Some(login) => find_by_login(&app.db, login)
            .await?
            .filter(|officer| officer.disabled_at.is_none())
            .ok_or_else(|| hinted("there is no such officer", "give the name they log in with"))?
            .actor(),
    };
    Ok((app, actor, columns))
}

/// Does one thing with a broadcast and says in which state it is then.
async fn act(
    one: One,
    doing: impl AsyncFnOnce(&App, &Actor, BroadcastId) -> Result<(), BroadcastError>,
) -> anyhow::Result<()> {
    let (app, actor, _) = open(&one.who).await?;
    doing(&app, &actor, one.id).await.map_err(explained)?;
    let found = desk::show(&app, &actor, one.id).await.map_err(explained)?;
    if one.who.json {
        println!("{}", view(&app, &found));
    } else {
        println!("{}", line(&app, &found));
    }
    app.db.close().await;
    Ok(())
}

async fn draft(args: Write) -> anyhow::Result<()> {
    let (app, actor, columns) = open(&args.who).await?;
    let notice = Notice::parse(&args.title, &args.text, &args.place, &args.time)
        .map_err(|error| hinted(error.to_string(), "shorten it, or say it in other words"))?;
    let card = match (args.not_recorded, args.turning_17, args.uncollected) {
        (true, ..) => Some(CardCondition::NotRecorded),
        (_, Some(months), _) => Some(CardCondition::Turning17 { months }),
        (.., Some(days)) => Some(CardCondition::Uncollected { days }),
        _ => None,
    };
    let schedule = match (&args.at, &args.cron) {
        (Some(at), _) => Schedule::At(
            DateTime::parse_from_rfc3339(at)
                .map_err(|_| hinted("--at is no moment", "like 2026-11-24T08:00:00+07:00"))?
                .into(),
        ),
        (_, Some(fields)) => {
            let read = Timetable::parse(fields);
            Schedule::Timetable(read.map_err(|error| hinted(error.to_string(), "\"0 8 * * MON\""))?)
        }
        _ => Schedule::Now,
    };
    let list = args.list.as_ref().map(|path| desk::read_list(path, &columns)).transpose()?;
    let audience = Audience {
        areas: args.areas,
        dusun: args.dusun,
        rw: args.rw,
        rt: args.rt,
        card,
        document: args.document,
        language: args.language,
        is_list: list.is_some(),
    };
    let draft = Draft { notice, audience, schedule };
    let id = desk::create(&app, &actor, &draft).await.map_err(explained)?;
    if let Some(list) = list {
        for (row, fault) in &list.faults {
            eprintln!("row {row}: {fault}");
        }
        desk::set_list(&app, &actor, id, &list.entries).await.map_err(explained)?;
    }
    if args.who.json {
        let found = desk::show(&app, &actor, id).await.map_err(explained)?;
        println!("{}", view(&app, &found));
    } else {
        println!("{id}");
    }
    app.db.close().await;
    Ok(())
}

async fn test(args: Test) -> anyhow::Result<()> {
    let (app, actor, _) = open(&args.one.who).await?;
    let phone = PhoneNumber::parse(&args.phone)
        .map_err(|error| hinted(format!("--phone: {error}"), "like 0812-3456-7890"))?;
    let message =
        desk::test(&app, &actor, args.one.id, args.channel, &phone).await.map_err(explained)?;
    if args.one.who.json {
        println!("{}", json!({"message": message.to_string()}));
    } else {
        println!("{message} waits to be sent; `kabar serve` sends it");
    }
    app.db.close().await;
    Ok(())
}

async fn list(args: List) -> anyhow::Result<()> {
    let (app, actor, _) = open(&args.who).await?;
    let found = desk::list(&app, &actor, None, args.limit).await.map_err(explained)?;
    if args.who.json {
        let rows: Vec<Value> = found.iter().map(|one| view(&app, one)).collect();
        println!("{}", json!({ "broadcasts": rows }));
    } else {
        for one in &found {
            println!("{}", line(&app, one));
        }
        println!("{} broadcasts", found.len());
    }
    app.db.close().await;
    Ok(())
}

fn line(app: &App, one: &Broadcast) -> String {
    let mut line = format!(
        "{}  {:9}  {}  {}",
        one.id,
        one.state.as_str(),
        one.notice.title,
        desk::schedule_words(app, &one.schedule)
    );
    if let Some(note) = &one.note {
        line = format!("{line}\n    sent back: {note}");
    }
    if let Some(alarm) = one.alarm {
        let words = app.templates.broadcast().alarm(alarm);
        line = format!("{line}\n    {}\n    {}", words.what, words.next);
    }
    line
}

async fn preview(args: One) -> anyhow::Result<()> {
    let (app, actor, _) = open(&args.who).await?;
    let one = desk::show(&app, &actor, args.id).await.map_err(explained)?;
    let found = desk::preview(&app, &actor, args.id).await.map_err(explained)?;
    let looks = desk::looks(&app, &one.notice).map_err(explained)?;
    if args.who.json {
        println!("{}", view_preview(&app, &found, &one).map_err(explained)?);
    } else {
        for look in &looks {
            let parts = look.parts.map(|n| format!(", {n} segments")).unwrap_or_default();
            println!("[{}{parts}]\n{}\n", look.channel, look.text);
        }
        for way in &found.ways {
            let price = price(way.rupiah);
            let takes = humantime::format_duration(whole(way.takes));
            println!("{:20} {:>8} recipients  {price:>14}  {takes}", way.account, way.recipients);
        }
        for (reason, count) in &found.left_out {
            println!("left out: {count:>8}  {}", app.templates.broadcast().left_out(*reason));
        }
        let takes = humantime::format_duration(whole(found.takes));
        let (people, recipients) = (found.people, found.recipients);
        println!("{people} people, {recipients} recipients, {}, {takes}", price(found.rupiah));
        if found.needs_second {
            println!("A second person must approve it.");
        }
        for at in desk::next_dates(&app, &one.schedule, 5) {
            println!("goes out: {}", shown(at));
        }
    }
    app.db.close().await;
    Ok(())
}

fn price(rupiah: Option<u64>) -> String {
    rupiah.map_or_else(|| "price not known".to_owned(), |sum| format!("Rp {sum}"))
}

/// Without fractions of a second.
fn whole(time: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_secs(time.as_secs())
}

async fn report(args: One) -> anyhow::Result<()> {
    let (app, actor, _) = open(&args.who).await?;
    let one = desk::show(&app, &actor, args.id).await.map_err(explained)?;
    let runs = desk::report(&app, &actor, args.id).await.map_err(explained)?;
    if args.who.json {
        let mut body = view(&app, &one);
        body["runs"] = runs.iter().map(|run| view_run(&app, run)).collect();
        println!("{body}");
    } else {
        println!("{}", line(&app, &one));
        for report in &runs {
            let run = &report.run;
            println!(
                "{}  {:9}  {} of {} settled",
                run.id,
                run.state.as_str(),
                report.settled,
                run.recipients
            );
            for (state, count) in &report.states {
                println!("    {count:>8} {state}");
            }
            for kind in &report.failures {
                println!("    {:>8} failed: {} ({})", kind.count, kind.reason, kind.code);
            }
            for (reason, count) in &run.left_out {
                let words = app.templates.broadcast().left_out(*reason);
                println!("    {count:>8} left out: {words}");
            }
        }
    }
    app.db.close().await;
    Ok(())
}

fn explained(error: BroadcastError) -> anyhow::Error {
    let hint = match &error {
        BroadcastError::NotFound => "`kabar broadcast list` shows those there are",
        BroadcastError::Forbidden | BroadcastError::OutsideArea | BroadcastError::Maker => {
            "--as names the officer who does it"
        }
        BroadcastError::State { .. } => "`kabar broadcast report ID` shows where it is",
        BroadcastError::Empty => "`kabar broadcast preview ID` has the reasons",
        BroadcastError::NoWay => "try another channel or number",
        BroadcastError::NoFailures => "`kabar broadcast report ID` shows what became of it",
        BroadcastError::Invalid { .. } | BroadcastError::Service(_) => "",
    };
    match error {
        BroadcastError::Service(error) => error.into(),
        other => hinted(other.to_string(), hint),
    }
}
