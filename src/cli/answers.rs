//! `kabar answers`: what citizens asked and the bot did not understand, turned into examples of an
//! answer, into a new answer, or set aside.
//!
//! Shows words of citizens; what only one person asked is shown when somebody asks for it.

mod draft;

use std::process::ExitCode;
use std::time::Duration;

use chrono::NaiveDate;
use clap::builder::NonEmptyStringValueParser;
use kabar::dialogue::Script;
use kabar::domain::clock::{Clock as _, SystemClock, Timestamp};
use kabar::domain::id::QuestionGroupId;
use kabar::domain::message::MessageText;
use kabar::service::question::{day_begins, ignore, reopen};
use kabar::service::teach::{self, Outcome, Trial, teachable, wordings};
use kabar::store::question_group::GroupState;
use kabar::store::question_list::{Group, GroupFilter, count_single, find_group, list_groups};
use kabar::store::{Db, contact, taught};
use kabar::understand::{CLARIFY, LABELS};
use serde_json::{Value, json};

use super::{COMMAND_LINE, ConfigArg, PAGE, hinted, office, one_line, shown};

/// Longest part of a question shown in a list, in characters.
const SHOWN: usize = 70;
/// Known examples named, at most, that would be understood in another way.
const NAMED: usize = 5;
/// How far back it is counted how often something was asked.
const COUNTED: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show what was not understood, the most often asked first
    Unknown(Unknown),
    /// Show every wording of one question
    Show(Show),
    /// Make the wordings of a question examples of an answer
    Teach(Teach),
    /// Set a question aside: it needs no answer
    Ignore(Decide),
    /// Take back what was decided
    Reopen(Decide),
    /// Write the skeleton of a new answer, with the wordings as examples
    Draft(draft::Draft),
    /// Show what is answered, and how often it was asked in 30 days
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct Unknown {
    #[command(flatten)]
    config: ConfigArg,
    /// Of what is open, also what only one person asked
    #[arg(long)]
    all: bool,
    /// Only what was asked since that day, like 2026-11-01
    #[arg(long, value_name = "DATE")]
    since: Option<NaiveDate>,
    /// Only what is open, taught or ignored
    #[arg(long, default_value = "open", value_parser = ["open", "taught", "ignored"])]
    state: String,
    /// Print {"questions":[…]}, each as the API has it
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// As it stands on the list: qgr_…
    #[arg(value_name = "GROUP")]
    id: QuestionGroupId,
    #[command(flatten)]
    config: ConfigArg,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Teach {
    /// As it stands on the list: qgr_…
    #[arg(value_name = "GROUP")]
    id: QuestionGroupId,
    /// What it means, as `kabar answers list` shows it
    #[arg(value_name = "LABEL")]
    label: String,
    #[command(flatten)]
    config: ConfigArg,
    /// Also if known examples are then understood in another way
    #[arg(long)]
    yes: bool,
    /// Who teaches it
    #[arg(long, value_name = "NAME", default_value = COMMAND_LINE, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Decide {
    /// As they stand on the list: qgr_…
    #[arg(required = true, value_name = "GROUP")]
    ids: Vec<QuestionGroupId>,
    #[command(flatten)]
    config: ConfigArg,
    /// Who decides
    #[arg(long, value_name = "NAME", default_value = COMMAND_LINE, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Print {"answers":[…]}
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Unknown(args) => unknown(args).await.map(|()| ExitCode::SUCCESS),
        Command::Show(args) => show(args).await.map(|()| ExitCode::SUCCESS),
        Command::Teach(args) => teach(args).await.map(|()| ExitCode::SUCCESS),
        Command::Ignore(args) => decide(args, GroupState::Ignored).await,
        Command::Reopen(args) => decide(args, GroupState::Open).await,
        Command::Draft(args) => draft::run(args).await.map(|()| ExitCode::SUCCESS),
        Command::List(args) => list(args).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn unknown(args: Unknown) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let zone = config.office_area.zone();
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let since = args.since.map(|day| day_begins(zone, day));
    let state: GroupState = args.state.parse()?;
    let is_hiding = state == GroupState::Open && !args.all;
    let groups = all(&db, state, args.all, since).await?;
    let hidden = if is_hiding { count_single(&db, since).await? } else { 0 };
    db.close().await;
    if args.json {
        let groups: Vec<Value> = groups.iter().map(view).collect();
        println!("{}", json!({ "questions": groups }));
        return Ok(());
    }
    let day = |at: Timestamp| at.in_zone(zone.offset()).date_naive();
    for group in &groups {
        let sample = one_line(group.sample.expose());
        let near = if group.near.is_empty() { "-".to_owned() } else { group.near.join(", ") };
        println!(
            "{}  {:>4}  {}  {}  ({near})",
            group.id,
            group.times,
            day(group.last_at),
            shortened(&sample)
        );
    }
    match groups.len() {
        0 => println!("Nothing is on the list."),
        count => println!(
            "{count} questions; `kabar answers teach GROUP LABEL` makes one an example of an answer, \
             `kabar answers ignore GROUP` sets it aside"
        ),
    }
    if hidden > 0 {
        println!("{hidden} more were asked by one person each; --all shows them");
    }
    Ok(())
}

async fn all(
    db: &Db,
    state: GroupState,
    is_all: bool,
    since: Option<Timestamp>,
) -> anyhow::Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    loop {
        let after = groups.last().map(|group| group.id);
        let page =
            list_groups(db, &GroupFilter { state, is_all, since, after, within: None }, PAGE)
                .await?;
        if page.is_empty() {
            return Ok(groups);
        }
        groups.extend(page);
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn view(group: &Group) -> Value {
    json!({"id": group.id.to_string(), "times": group.times, "shared": group.is_shared,
           "sample": group.sample.expose(), "near": group.near,
           "area": group.area.as_ref().map(ToString::to_string),
           "first_at": shown(group.first_at), "last_at": shown(group.last_at),
           "state": group.state.as_str(), "label": group.label,
           "decided_by": group.decided_by, "decided_at": group.decided_at.map(shown)})
}

fn no_such(id: QuestionGroupId) -> anyhow::Error {
    hinted(format!("there is no {id}"), "`kabar answers unknown --all` shows what there is")
}

async fn show(args: Show) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let group = find_group(&db, args.id).await?.ok_or_else(|| no_such(args.id))?;
    let texts = wordings(&db, args.id).await?;
    db.close().await;
    if args.json {
        let mut all = view(&group);
        all["texts"] = texts.iter().map(MessageText::expose).collect();
        println!("{all}");
        return Ok(());
    }
    let who = if group.is_shared { "several people" } else { "one person" };
    println!("{}  asked {} times by {who}", group.id, group.times);
    println!("first {}, last {}", shown(group.first_at), shown(group.last_at));
    if let Some(area) = &group.area {
        println!("in {area}");
    }
    if !group.near.is_empty() {
        println!("near to {}", group.near.join(", "));
    }
    let label = group.label.map(|label| format!(" as {label}")).unwrap_or_default();
    let by = group.decided_by.map(|by| format!(", by {}", one_line(&by))).unwrap_or_default();
    println!("{}{label}{by}", group.state);
    for text in &texts {
        println!("  {}", one_line(text.expose()));
    }
    Ok(())
}

async fn teach(args: Teach) -> anyhow::Result<()> {
    let label = teachable(&args.label).ok_or_else(|| {
        hinted(
            format!("{} is nothing that can be taught", one_line(&args.label)),
            "`kabar answers list` shows the labels; what is none of them is set aside with \
             `kabar answers ignore`, or needs an answer of its own: `kabar answers draft`",
        )
    })?;
    let office = office::open(office::load(&args.config)?).await?;
    let outcome = teach::teach(&office.app, args.id, label, &args.by, args.yes).await?;
    office.app.db.close().await;
    match outcome {
        Outcome::NotOpen => Err(hinted(
            format!("{} is not open", args.id),
            format!(
                "`kabar answers show {0}` says what was decided, `kabar answers reopen {0}` takes it back",
                args.id
            ),
        )),
        Outcome::WouldShift(trial) => {
            tell_shifts(&trial);
            Err(hinted(
                format!(
                    "{} of {} known examples would be understood in another way; nothing was taught",
                    trial.shifts.len(),
                    trial.known
                ),
                "say --yes if that is right",
            ))
        }
        Outcome::Taught(trial) => {
            tell_shifts(&trial);
            println!(
                "{} of {} known examples are understood in another way now",
                trial.shifts.len(),
                trial.known
            );
            println!(
                "{} taught as {label}, {} of them understood so now; a running office learns it \
                 within a minute",
                trial.texts, trial.understood
            );
            Ok(())
        }
    }
}

fn tell_shifts(trial: &Trial) {
    for shift in trial.shifts.iter().take(NAMED) {
        let text = one_line(&shift.text);
        eprintln!("  {}: {} becomes {}", shortened(&text), shift.before, shift.after);
    }
    if trial.shifts.len() > NAMED {
        eprintln!("  … and {} more", trial.shifts.len() - NAMED);
    }
}

/// Sets aside, or opens again.
async fn decide(mut args: Decide, state: GroupState) -> anyhow::Result<ExitCode> {
    args.ids.sort_unstable();
    args.ids.dedup();
    let office = office::open(office::load(&args.config)?).await?;
    let mut done = 0;
    for id in &args.ids {
        let (is_done, why) = if state == GroupState::Open {
            (reopen(&office.app, *id, &args.by).await?, "is open, or does not exist")
        } else {
            (ignore(&office.app, *id, &args.by).await?, "is not open: decided already?")
        };
        if is_done {
            done += 1;
        } else {
            eprintln!("{id} {why}");
        }
    }
    office.app.db.close().await;
    let word = if state == GroupState::Open { "opened again" } else { "set aside" };
    println!("{done} of {} {word}", args.ids.len());
    Ok(if done == args.ids.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let (_, script) = office::texts(config.templates.as_deref())?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let asked = contact::count_intents(&db, SystemClock.now().before(COUNTED)).await?;
    let taught = taught::count_by_label(&db).await?;
    db.close().await;
    let count = |of: &std::collections::BTreeMap<String, i64>, label: &str| {
        of.get(label).copied().unwrap_or_default()
    };
    let labels = LABELS.iter().copied().chain([CLARIFY]);
    if args.json {
        let rows: Vec<Value> = labels
            .map(|label| {
                json!({"label": label, "title": title(&script, label),
                       "asked": count(&asked, label), "taught": count(&taught, label)})
            })
            .collect();
        println!("{}", json!({ "answers": rows }));
        return Ok(());
    }
    let widest = LABELS.iter().map(|label| label.len()).max().unwrap_or(0);
    println!("{:widest$}  asked  taught  title", "label");
    for label in labels {
        let (asked, taught) = (count(&asked, label), count(&taught, label));
        let title = title(&script, label).unwrap_or_else(|| "(the conversation)".to_owned());
        println!("{label:widest$}  {asked:>5}  {taught:>6}  {title}");
    }
    Ok(())
}

/// What an answer is about; none for what the conversation answers by itself.
fn title(script: &Script, label: &str) -> Option<String> {
    script.answer(label).map(|answer| answer.title.clone())
}
