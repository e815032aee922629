//! Takes the files of a watched folder, one after another: known content is put away, new content
//! goes row by row the way of every source, and each file gets its report.
//!
//! A file is noted as finished only when all its rows are recorded, and moved only after that. A
//! crash in between reads it again, and rows that were recorded change nothing. Never writes a word
//! of a row into a report.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::intake::{Intake, Plan, Refused, Tally};
use super::watch::{BATCH, Watched, renew, take_in, while_ours};
use super::{App, ServiceError};
use crate::domain::clock::Timestamp;
use crate::source::folder::{Contents, Folder, Next, Shelf, Waiting};
use crate::source::{Reading, SourceError};
use crate::store::StoreError;
use crate::store::source_file::{self, FileResult, SourceFile};
use crate::template::{FileReport, ReportRow};

/// Files taken up in one go, so that whoever stops us need not wait for a thousand. Those that must
/// be mended first do not count: so many of them would keep out all that come later.
const MAX_FILES: usize = 50;
/// Rows shown in a report, at most; all that were rejected are kept.
const MAX_ROWS: usize = 1000;

/// What became of one file.
enum Taken {
    /// It is read or known, and put away.
    Finished(Tally),
    /// It is gone or changed; the next look will tell.
    Left(Tally),
    /// It was read, and what was to be done with it must be mended first.
    Stuck(Tally, SourceError),
    /// It was not taken up: it cannot be opened, or still not be moved away.
    Blocked(SourceError),
}

/// Takes what lies in a folder and has stopped growing. The reading is partial while more lies
/// there; an error means that the folder itself cannot be used.
///
/// # Errors
/// When our own database fails.
pub(super) async fn read(
    app: &App,
    watched: &Watched,
    folder: &Folder,
    owner: &str,
    is_first: bool,
) -> Result<Result<(Reading, Tally), SourceError>, ServiceError> {
    folder.look_again(Next::InTime);
    let look = match folder.look(app.now()).await {
        Ok(look) => look,
        Err(error) => return Ok(Err(error)),
    };
    if !look.settled.is_empty()
        && let Err(error) = folder.prepare().await
    {
        return Ok(Err(error));
    }
    let mut reading = Reading { is_partial: look.is_growing, ..Reading::default() };
    let mut tally = Tally::default();
    let (mut taken, mut has_more) = (0, false);
    let desk = Desk { app, watched, folder, owner, is_first };
    for file in &look.settled {
        if taken == MAX_FILES {
            (has_more, reading.is_partial) = (true, true);
            break;
        }
        taken += 1;
        // Somebody else may have taken over while a long file was read.
        if let Some(error) = renew(app, watched, owner).await? {
            return Ok(Err(error));
        }
        let of_file = match desk.take(file).await? {
            Taken::Finished(of_file) => of_file,
            Taken::Left(of_file) => {
                reading.is_partial = true;
                of_file
            }
            Taken::Stuck(of_file, error) => {
                reading.trouble.get_or_insert(error);
                of_file
            }
            Taken::Blocked(error) => {
                // Each wait for a disk that does not answer is long.
                taken -= usize::from(matches!(error, SourceError::Misconfigured { .. }));
                reading.trouble.get_or_insert(error);
                Tally::default()
            }
        };
        tally.add(&of_file);
    }
    // With something to mend there is time until the next look; it will not mend itself at once.
    folder.look_again(match (&reading.trouble, has_more, look.is_growing) {
        (None, true, _) => Next::AtOnce,
        (_, _, true) => Next::WhenSettled,
        _ => Next::InTime,
    });
    Ok(Ok((reading, tally)))
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.seen += other.seen;
        self.unchanged += other.unchanged;
        self.changed += other.changed;
        self.new += other.new;
        self.announced += other.announced;
        self.held += other.held;
        self.rejected += other.rejected;
    }
}

/// Where files are taken.
#[derive(Clone, Copy)]
struct Desk<'a> {
    app: &'a App,
    watched: &'a Watched,
    folder: &'a Folder,
    owner: &'a str,
    is_first: bool,
}

impl Desk<'_> {
    async fn take(&self, file: &Waiting) -> Result<Taken, ServiceError> {
        let (app, id) = (self.app, self.watched.id.as_str());
        let nothing = Tally::default();
        if let Some(done) = self.folder.put_away_again(file, self.stamp()).await {
            return Ok(match done {
                Ok(()) => Taken::Finished(nothing),
                Err(error) => Taken::Blocked(error),
            });
        }
        let hash = self.folder.hash(file);
        let hash = match while_ours(app, self.watched, self.owner, hash).await? {
            Ok(Some(hash)) => source_file::file_hash(&app.db, id, &hash),
            Ok(None) => return Ok(Taken::Left(nothing)),
            Err(error) => return Ok(Taken::Blocked(error)),
        };
        let known = source_file::find_file(&app.db, id, &hash).await?;
        if let Some(SourceFile { finished_at: Some(at), result: Some(FileResult::Done), tally }) =
            &known
        {
            let report = self.known_report(file, *at, tally.as_deref());
            return self.put_away(file, Shelf::Done, &report, nothing).await;
        }
        // One that failed is read anew: columns may have been named since, or a status learned.
        let is_resumed = known.is_some_and(|known| known.finished_at.is_none());
        source_file::upsert_started(&app.db, id, &hash, app.now()).await?;
        self.read_through(file, &hash, is_resumed).await
    }

    async fn read_through(
        &self,
        file: &Waiting,
        hash: &str,
        is_resumed: bool,
    ) -> Result<Taken, ServiceError> {
        let (app, id) = (self.app, self.watched.id.as_str());
        let plan = Plan {
            source: id,
            hold_over: self.watched.hold_over,
            is_first: self.is_first,
            is_full: true,
        };
        let mut intake = Intake::begin(app, plan).await?;
        let result = self.read(file, &mut intake).await?;
        let mut tally = intake.end().await?;
        let contents = match result {
            Ok(contents) => contents,
            Err(error) => return Ok(Taken::Stuck(tally, error)),
        };
        match self.folder.is_same(file).await {
            Ok(true) => {}
            Ok(false) => return Ok(Taken::Left(tally)),
            Err(error) => return Ok(Taken::Stuck(tally, error)),
        }
        let (result, to) = match &contents.fault {
            None => (FileResult::Done, Shelf::Done),
            Some(_) => (FileResult::Failed, Shelf::Failed),
        };
        let now = app.now();
        let counts = serde_json::json!(tally).to_string();
        let mut tx = app.db.begin().await?;
        source_file::mark_finished(&mut tx, (id, hash), result, &counts, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        if let Some(fault) = &contents.fault {
            tracing::warn!(source = id, code = fault.code, "a file cannot be read to its end");
        }
        let mut report = self.report(file, tally, &contents, &intake.refused);
        report.is_resumed = is_resumed;
        // What cannot be read at all is more of a source than any row that is rejected.
        tally.rejected += u64::from(contents.fault.is_some());
        self.put_away(file, to, &report, tally).await
    }

    async fn read(
        &self,
        file: &Waiting,
        intake: &mut Intake<'_>,
    ) -> Result<Result<Contents, SourceError>, ServiceError> {
        let (give, mut take) = mpsc::channel(BATCH);
        let (folder, of) = (self.folder.clone(), file.clone());
        // Ends with us, also when we are cancelled: then nobody takes the rows any more.
        let mut reading = JoinSet::new();
        reading.spawn(async move { folder.read(&of, give).await });
        if let Some(error) = take_in(self.app, self.watched, self.owner, intake, &mut take).await? {
            return Ok(Err(error));
        }
        Ok(match reading.join_next().await {
            Some(Ok(result)) => result,
            _ => Err(SourceError::Unreachable("reading broke off".to_owned())),
        })
    }

    async fn put_away(
        &self,
        file: &Waiting,
        to: Shelf,
        report: &FileReport,
        tally: Tally,
    ) -> Result<Taken, ServiceError> {
        let report = self.app.templates.file_report().fill(report);
        let report = report.map_err(|problem| ServiceError::Text(problem.to_string()))?;
        Ok(match self.folder.put_away(file, to, report, self.stamp()).await {
            Ok(()) => Taken::Finished(tally),
            Err(error) => Taken::Stuck(tally, error),
        })
    }

    fn known_report(&self, file: &Waiting, at: Timestamp, tally: Option<&str>) -> FileReport {
        let tally = tally.and_then(|tally| serde_json::from_str(tally).ok()).unwrap_or_default();
        let mut report = self.report(file, tally, &Contents::default(), &[]);
        report.is_first = false;
        report.taken_before = Some(self.in_words(at));
        report
    }

    fn report(
        &self,
        file: &Waiting,
        tally: Tally,
        contents: &Contents,
        refused: &[Refused],
    ) -> FileReport {
        let app = self.app;
        let page = app.templates.file_report();
        let fault = contents.fault.as_ref();
        let all = tally.rejected.max(refused.len() as u64);
        let mut rows: Vec<ReportRow> = refused
            .iter()
            .take(MAX_ROWS)
            .map(|refused| ReportRow {
                sheet: refused.place.sheet.clone(),
                row: refused.place.row,
                is_taken: refused.is_warning,
                reason: page.row_reason(refused.reason.code, &refused.reason.message),
            })
            .collect();
        // News waits longer than the rest, so that rows are refused in another order than they stand.
        rows.sort_by(|a, b| (&a.sheet, a.row).cmp(&(&b.sheet, b.row)));
        FileReport {
            file: file.name.to_string_lossy().into_owned(),
            office: app.settings.office_name.clone(),
            at: self.in_words(app.now()),
            fault: fault.map(|fault| fault.code.to_owned()),
            row: fault.and_then(|fault| fault.row),
            missing: fault.iter().flat_map(|f| &f.missing).map(ToString::to_string).collect(),
            taken_before: None,
            is_first: self.is_first,
            is_resumed: false,
            seen: tally.seen,
            new: tally.new,
            changed: tally.changed - tally.new,
            unchanged: tally.unchanged,
            rejected: tally.rejected,
            announced: tally.announced,
            held: tally.held,
            ignored_sheets: contents.ignored_sheets.clone(),
            more: all.saturating_sub(rows.len() as u64),
            rows,
        }
    }

    fn in_words(&self, at: Timestamp) -> String {
        let zone = self.app.zone(None);
        let local = at.in_zone(zone.offset());
        let day = self.app.templates.vocabulary().day_and_year(local.date_naive());
        format!("{day}, {} {}", local.format("%H.%M"), zone.label())
    }

    /// The time as it can stand in the name of a file.
    fn stamp(&self) -> String {
        let zone = self.app.zone(None).offset();
        self.app.now().in_zone(zone).format("%Y%m%d-%H%M%S").to_string()
    }
}
