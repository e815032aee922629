//! `kabar visit`: news that no channel brought, for the officer who carries it to the RT.
//!
//! The list holds names: as a page it is written for its owner's eyes only, and a NIK stands
//! nowhere on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::NonEmptyStringValueParser;
use kabar::domain::area::{AreaCode, Zone};
use kabar::domain::clock::{Clock as _, SystemClock, Timestamp};
use kabar::domain::id::VisitId;
use kabar::domain::person::PersonName;
use kabar::domain::reference::Reference;
use kabar::store::Db;
use kabar::store::visit::{self, Visit};
use kabar::template::{Problem, VisitGroup, VisitRow, Visits, VisitsPage, Vocabulary};
use serde_json::json;

use super::{COMMAND_LINE, ConfigArg, PAGE, hinted, init, office, one_line, shown};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show whom to see, by area, RW and RT
    List(List),
    /// Take off the list what was told
    Told(Told),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Only an area and what lies in it, like 35.17.09.2018
    #[arg(long, value_name = "CODE")]
    area: Option<AreaCode>,
    /// Write a page to print instead, in Indonesian; as it holds names, only its owner can read it
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Overwrite the file that is there
    #[arg(long, requires = "out")]
    force: bool,
    /// Print {"visits":[…]}, each as the API has it
    #[arg(long, conflicts_with = "out")]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Told {
    /// Ids, as they stand on the list: vis_…
    #[arg(required = true, value_name = "ID")]
    ids: Vec<VisitId>,
    #[command(flatten)]
    config: ConfigArg,
    /// Who told them
    #[arg(long, value_name = "NAME", default_value = COMMAND_LINE, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(args) => list(args).await.map(|()| ExitCode::SUCCESS),
        Command::Told(args) => told(args).await,
    }
}

async fn list(args: List) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let zone = config.office_area.zone();
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let visits = all(&db, args.area.as_ref()).await?;
    db.close().await;
    if args.json {
        let visits: Vec<_> = visits.iter().map(view).collect();
        println!("{}", json!({ "visits": visits }));
    } else if let Some(file) = &args.out {
        let dir = config.templates.as_deref();
        let (texts, _) = office::texts(dir)?;
        let page = VisitsPage::load(dir).map_err(|problem| in_the_page(&problem))?;
        let day = |at| day_in_words(texts.vocabulary(), zone, at);
        let count = visits.len();
        let filled = page.fill(&Visits {
            office: config.office_name,
            date: day(SystemClock.now()),
            area: args.area.as_ref().map(ToString::to_string),
            groups: groups(visits, day),
        });
        let filled = filled.map_err(|problem| in_the_page(&problem))?;
        write(file, &filled, args.force)?;
        println!(
            "Wrote {count} to {}. It holds names: destroy it when all are told.",
            file.display()
        );
    } else {
        print(&groups(visits, |at| at.in_zone(zone.offset()).date_naive().to_string()));
    }
    Ok(())
}

/// What stands on the list, oldest first.
async fn all(db: &Db, area: Option<&AreaCode>) -> anyhow::Result<Vec<Visit>> {
    let mut visits: Vec<Visit> = Vec::new();
    loop {
        let after = visits.last().map(|visit| visit.id);
        let page = visit::list_open(db, area, after, PAGE).await?;
        if page.is_empty() {
            return Ok(visits);
        }
        visits.extend(page);
    }
}

fn view(visit: &Visit) -> serde_json::Value {
    json!({"id": visit.id.to_string(), "message": visit.message.to_string(),
           "name": visit.name.as_ref().map(PersonName::expose),
           "area": visit.area.as_ref().map(ToString::to_string), "area_name": visit.area_name,
           "rt": visit.rt, "rw": visit.rw,
           "news": visit.template, "words": visit.words, "reason": visit.reason,
           "since": shown(visit.created_at)})
}

fn in_the_page(problem: &Problem) -> anyhow::Error {
    hinted(
        format!("the page has a fault: {problem}"),
        "mend it in the folder templates.dir names; without one there the built-in page is taken",
    )
}

fn day_in_words(vocabulary: &Vocabulary, zone: Zone, at: Timestamp) -> String {
    vocabulary.day_and_year(at.in_zone(zone.offset()).date_naive())
}

/// Area, RW and RT in their order; what is not known stands last.
type Place = [(bool, Option<String>); 3];

/// The list by place, and within a place by name.
fn groups(visits: Vec<Visit>, day: impl Fn(Timestamp) -> String) -> Vec<VisitGroup> {
    let last = |part: Option<String>| (part.is_none(), part);
    let mut places: BTreeMap<Place, Vec<VisitRow>> = BTreeMap::new();
    for visit in visits {
        let area = visit.area.as_ref().map(|code| match &visit.area_name {
            Some(name) => format!("{code} {name}"),
            None => code.to_string(),
        });
        let place = [area, number(visit.rw.as_deref()), number(visit.rt.as_deref())].map(last);
        places.entry(place).or_default().push(VisitRow {
            id: visit.id.to_string(),
            name: visit.name.map(|name| name.expose().to_owned()),
            words: visit.words.as_deref().map(sentence),
            since: day(visit.created_at),
            news: visit.template,
            reason: visit.reason,
        });
    }
    let group = |(place, mut visits): (Place, Vec<VisitRow>)| {
        visits.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let [area, rw, rt] = place.map(|(_, part)| part);
        VisitGroup { area, rw, rt, visits }
    };
    places.into_iter().map(group).collect()
}

/// An RT or RW in three digits, however its source wrote it.
fn number(part: Option<&str>) -> Option<String> {
    let part = part.map(one_line).filter(|part| !part.is_empty())?;
    Some(part.parse::<u16>().map_or(part, |number| format!("{number:03}")))
}

/// What there is to say, without the reference that only a written message needs.
fn sentence(words: &str) -> String {
    let words = one_line(words);
    match words.rsplit_once(" Ref ") {
        Some((said, reference)) if Reference::parse(reference).is_ok() => said.to_owned(),
        _ => words,
    }
}

fn write(file: &Path, page: &str, is_forced: bool) -> anyhow::Result<()> {
    // A new file, whatever stood there: only so are its permissions those it is made with.
    if is_forced && file.symlink_metadata().is_ok() {
        std::fs::remove_file(file)
            .with_context(|| format!("{} cannot be overwritten", file.display()))?;
    }
    if file.symlink_metadata().is_ok() {
        return Err(hinted(
            format!("{} exists already and is left as it is", file.display()),
            "name another file, or say --force",
        ));
    }
    init::write_private(file, page)
}

fn print(groups: &[VisitGroup]) {
    let rows = || groups.iter().flat_map(|group| &group.visits);
    let width = |part: fn(&VisitRow) -> &str| rows().map(|row| part(row).chars().count()).max();
    let name = |row: &VisitRow| row.name.clone().unwrap_or_else(|| "(no name)".to_owned());
    let widest = rows().map(|row| name(row).chars().count()).max().unwrap_or(0);
    let news = width(|row| &row.news).unwrap_or(0);
    let reason = width(|row| &row.reason).unwrap_or(0);
    for group in groups {
        let or = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
        println!("{}  RW {}  RT {}", or(&group.area), or(&group.rw), or(&group.rt));
        for row in &group.visits {
            println!(
                "  {:widest$}  {}  {:news$}  {:reason$}  {}",
                name(row),
                row.since,
                row.news,
                row.reason,
                row.id
            );
            println!("      {}", row.words.as_deref().unwrap_or("(its words are gone)"));
        }
        println!();
    }
    match rows().count() {
        0 => println!("There is nothing to tell in person."),
        count => println!(
            "{count} to tell in person; --out FILE.html makes a page to print, \
             `kabar visit told ID…` takes off what was told"
        ),
    }
}

async fn told(mut args: Told) -> anyhow::Result<ExitCode> {
    args.ids.sort_unstable();
    args.ids.dedup();
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let mut noted = 0;
    for id in &args.ids {
        if visit::mark_told(&db, *id, &args.by, SystemClock.now()).await? {
            noted += 1;
        } else {
            eprintln!("{id} does not stand on the list: told, reached or replaced by newer news?");
        }
    }
    db.close().await;
    println!("{noted} of {} noted as told", args.ids.len());
    Ok(if noted == args.ids.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reference_at_the_end_is_left_out() {
        let reference = Reference::from_random(7);
        let words = format!("Kabar baik.\n\nKTP-el sudah dicetak. Ref {}.", reference.as_str());
        assert_eq!(sentence(&words), "Kabar baik. KTP-el sudah dicetak.");
        assert_eq!(sentence("Ref ini penting. Ref besok."), "Ref ini penting. Ref besok.");
    }

    #[test]
    fn an_rt_is_the_same_however_it_is_written() {
        for part in ["3", "03", "003", " 003 "] {
            assert_eq!(number(Some(part)).as_deref(), Some("003"), "{part}");
        }
        assert_eq!(number(Some("3A")).as_deref(), Some("3A"));
        assert_eq!(number(Some("\u{1b}[2J 4\n")).as_deref(), Some("[2J 4"));
        assert_eq!((number(Some(" ")), number(None)), (None, None));
    }
}
