//! `kabar import areas`: what the administrative areas are called.
//!
//! All of a file is taken in or nothing. A name is text for people: nothing is looked up by it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use indicatif::ProgressBar;
use kabar::domain::area::AreaCode;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::source::area_table::{AreaEntry, AreaRows, AreaTable};
use kabar::store::Db;
use kabar::store::area::{find_names, upsert_areas};

use super::report::Count;
use super::{Args, LONGEST_TEXT, explain, office, progress_bar};
use crate::cli::{hinted, one_line};

/// Rows that share a statement.
const CHUNK: usize = 1000;

pub(super) async fn run(args: &Args) -> anyhow::Result<Count> {
    let table = AreaTable::open(&args.file).map_err(|error| explain(args, &error))?;
    let mut rows = table.rows().map_err(|error| explain(args, &error))?;
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let bar = progress_bar(table.len_hint(), args.json);
    let count = take_in(&db, args, &mut rows, &bar).await;
    bar.finish_and_clear();
    db.close().await;
    let count = count?;
    if count.total() == 0 {
        return Err(hinted(
            format!("{}: there is no area in it", args.file.display()),
            "give a table of code and name, or a dump of the table `wilayah`",
        ));
    }
    Ok(count)
}

async fn take_in(
    db: &Db,
    args: &Args,
    rows: &mut AreaRows<'_>,
    bar: &ProgressBar,
) -> anyhow::Result<Count> {
    let mut count = Count::default();
    let mut tx = db.begin().await?;
    loop {
        let chunk: Vec<AreaEntry> = rows
            .by_ref()
            .take(CHUNK)
            .collect::<Result<_, _>>()
            .context("the file breaks off; nothing was changed")?;
        if chunk.is_empty() {
            break;
        }
        let mut areas = Vec::with_capacity(CHUNK);
        for entry in chunk {
            match check(&entry) {
                Ok(area) => areas.push(area),
                Err((code, message)) => {
                    count.reject((entry.sheet.as_deref(), entry.row), code, &message);
                }
            }
        }
        let codes: Vec<AreaCode> = areas.iter().map(|(code, _)| code.clone()).collect();
        let mut known = find_names(&mut tx, db, &codes).await?;
        // By code, for a statement must not write the same row twice.
        let mut written = BTreeMap::new();
        for (code, name) in areas {
            match known.insert(code.clone(), name.clone()) {
                None => count.new += 1,
                Some(before) if before == name => {
                    count.unchanged += 1;
                    continue;
                }
                Some(_) => count.changed += 1,
            }
            written.insert(code, name);
        }
        upsert_areas(&mut tx, db, &written, SystemClock.now()).await?;
        bar.set_position(rows.reached());
        bar.set_message(format!("{} rows, {} rejected", count.total(), count.rejected));
    }
    if args.dry_run {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(count)
}

fn check(entry: &AreaEntry) -> Result<(AreaCode, String), (&'static str, String)> {
    let code = AreaCode::parse(&entry.code).map_err(|error| ("invalid_area", error.to_string()))?;
    let name = one_line(&entry.name);
    if name.is_empty() {
        return Err(("missing_field", "name is required".to_owned()));
    }
    if name.chars().count() > LONGEST_TEXT {
        return Err(("too_long", format!("the name has more than {LONGEST_TEXT} characters")));
    }
    if !entry.parent.is_empty() {
        let parent = AreaCode::parse(&entry.parent)
            .map_err(|error| ("invalid_area", format!("the area above: {error}")))?;
        if !code.is_within(&parent) || code == parent {
            return Err(("wrong_parent", format!("{code} does not lie in {parent}")));
        }
    }
    Ok((code, name))
}
