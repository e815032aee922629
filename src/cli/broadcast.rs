//! `kabar broadcast`: notices to many, from the command line.
//!
//! Whoever has the machine may do everything but be two people: `--as` names the officer who does it, with that
//! officer's rights and no others.

mod args;

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use chrono::DateTime;
use kabar::domain::attachment::{FileKind, FileRefusal, MOST_BYTES};
use kabar::domain::audience::{Audience, CardCondition};
use kabar::domain::broadcast::{Notice, Schedule};
use kabar::domain::id::BroadcastId;
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

pub(super) use self::args::Command;
use self::args::{List, One, Reject, Test, Who, Write};
use super::{hinted, office, shown};

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
    let attachment = args.attach.as_deref().map(read_file).transpose()?;
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
    if let Some((name, bytes)) = attachment {
        desk::attach(&app, &actor, id, &name, &bytes).await.map_err(explained)?;
    }
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

/// A file that is to be sent, looked at before anything is kept.
fn read_file(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let cannot = |error: &dyn std::fmt::Display| {
        let hint = "a JPEG or PNG of at most 5 MB, or a PDF of at most 10 MB";
        hinted(format!("--attach {}: {error}", path.display()), hint)
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX) + 1;
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    file.take(most).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    FileKind::of(&bytes).map_err(|error| cannot(&error))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok((name.unwrap_or_default(), bytes))
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
            if let Some(file) = &one.attachment {
                let is_brought = desk::carries_file(look.channel);
                let words = if is_brought { "brings" } else { "does not bring" };
                println!("    {words} {} ({})\n", file.name, file.kind);
            }
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
        if let Some([what, hint]) = found.file.map(FileRefusal::words) {
            println!("It cannot be submitted: {what}; {hint}");
        }
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
        BroadcastError::State { .. } | BroadcastError::Changed => {
            "`kabar broadcast report ID` shows where it is"
        }
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
