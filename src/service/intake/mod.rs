//! Takes the records of a watched source: compares each with what it said last, and records what
//! is new together with the note of having seen it, so that a crash repeats nothing.
//!
//! News waits within a reading until it is sure that it is not so much at once that the office
//! must be asked; then all of it is held.

mod record;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::card::{self, CHUNK, Recorded};
use super::{App, ServiceError, hold};
use crate::domain::card::CardStatus;
use crate::domain::card_plan::UpdateOutcome;
use crate::domain::clock::Timestamp;
use crate::domain::nik::Nik;
use crate::domain::raw_update::{EARLIEST_MS, RawUpdate, Reason, parse_moment};
use crate::domain::snapshot::{Known, Seen, Verdict, judge};
use crate::domain::status_word::parse_status;
use crate::source::{Place, Record};
use crate::store::source_row::{self, SourceRow};
use crate::store::{StoreError, hold as hold_store, person, rejection};
use record::document_of;

/// Changes within this time count as at once.
const AT_ONCE: Duration = Duration::from_secs(3600);
/// Others may name the same new person at the same moment; the later one then finds the row.
const MAX_COLLISIONS: usize = 5;

/// Rows of a file named one by one, at most; all that were rejected are kept.
const MAX_REFUSED: usize = 10_000;

/// What became of the records of one reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Read.
    pub seen: u64,
    /// They say what they said.
    pub unchanged: u64,
    /// Recorded and told, or not worth telling.
    pub changed: u64,
    /// Of those, the first word of a card.
    pub new: u64,
    /// Of those, announced.
    pub announced: u64,
    /// Of those, waiting for a word of the office.
    pub held: u64,
    /// Could not be taken.
    pub rejected: u64,
}

/// What a reading needs to know of its source.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Its id.
    pub source: &'a str,
    /// So many changes to one status at once are still news without asking.
    pub hold_over: u64,
    /// Nothing was ever read of it: everything is recorded in silence.
    pub is_first: bool,
    /// Everything is read, also what could not be taken before.
    pub is_full: bool,
    /// Its parts that were read before; another one is read in silence.
    pub parts: &'a BTreeSet<String>,
}

/// One reading, while it lasts.
#[derive(Debug)]
pub struct Intake<'a> {
    app: &'a App,
    plan: Plan<'a>,
    now: Timestamp,
    pending: Vec<Taken>,
    /// Whom that is about, by the hash of their NIK.
    awaited: HashSet<String>,
    at_once: HashMap<CardStatus, u64>,
    held: Vec<CardStatus>,
    /// What became of the records so far.
    pub tally: Tally,
    /// The first of those in a file that could not be taken.
    pub refused: Vec<Refused>,
}

/// A row of a file that could not be taken, or was and somebody should look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands.
    pub place: Place,
    /// Why; never shows the row.
    pub reason: Reason,
    /// It was taken all the same.
    pub is_warning: bool,
}

/// A record that says something new.
#[derive(Debug)]
struct Taken {
    record: Record,
    row: SourceRow,
    before: Option<SourceRow>,
    status: Option<CardStatus>,
    is_news: bool,
}

impl<'a> Intake<'a> {
    /// Begins a reading.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(app: &'a App, plan: Plan<'a>) -> Result<Self, ServiceError> {
        let now = app.now();
        let recent = hold_store::count_announced(&app.db, plan.source, now.before(AT_ONCE)).await?;
        let at_once = recent
            .into_iter()
            .map(|(status, count)| (status, u64::try_from(count).unwrap_or_default()))
            .collect();
        let since = now.before(AT_ONCE);
        let held = hold_store::list_undecided(&app.db, plan.source, since).await?;
        Ok(Self {
            app,
            plan,
            now,
            pending: Vec::new(),
            awaited: HashSet::new(),
            at_once,
            held,
            tally: Tally::default(),
            refused: Vec::new(),
        })
    }

    /// Takes some records.
    ///
    /// # Errors
    /// When the database fails; what was taken before stays.
    pub async fn add(&mut self, records: Vec<Record>) -> Result<(), ServiceError> {
        let db = &self.app.db;
        let source = self.plan.source;
        self.tally.seen += records.len() as u64;
        let records = self.last_words(records);
        let wanted: Vec<&str> = records.iter().map(|(_, key)| key.as_str()).collect();
        let mut known = source_row::find_rows(db, source, &wanted).await?;
        self.now = self.app.now();
        let mut quiet = Vec::new();
        for (record, key) in records {
            let before = known.remove(&key);
            let Some(taken) = self.compare(record, key, before) else {
                self.tally.unchanged += 1;
                continue;
            };
            match taken.status.filter(|_| taken.is_news) {
                Some(status) if self.app.settings.policy.speaks_of(status) => {
                    *self.at_once.entry(status).or_default() += 1;
                    self.awaited.extend(taken.row.nik_hash.clone());
                    self.pending.push(taken);
                }
                // Behind what waits of the same person, for what happened later comes later.
                _ if taken.row.nik_hash.as_ref().is_some_and(|who| self.awaited.contains(who)) => {
                    self.pending.push(taken);
                }
                _ => quiet.push(taken),
            }
        }
        self.record(quiet, None).await?;
        self.hold_what_is_too_much().await
    }

    /// The records with their keys, each only as it was said last: a file may name one twice, and a
    /// database show one twice that changes while it is read. What was said before, here or among
    /// what waits, no longer counts.
    fn last_words(&mut self, records: Vec<Record>) -> Vec<(Record, String)> {
        let (db, source) = (&self.app.db, self.plan.source);
        let count = records.len();
        let mut spoken = HashSet::with_capacity(count);
        let mut last: Vec<(Record, String)> = records
            .into_iter()
            .rev()
            .map(|record| {
                let key = source_row::key_hash(db, source, &record.key);
                (record, key)
            })
            .filter(|(_, key)| spoken.insert(key.clone()))
            .collect();
        last.reverse();
        let mut passed = count - last.len();
        let at_once = &mut self.at_once;
        self.pending.retain(|taken| {
            let is_passed = spoken.contains(&taken.row.key_hash);
            if is_passed {
                passed += 1;
                if let Some(count) = taken.status.and_then(|status| at_once.get_mut(&status)) {
                    *count = count.saturating_sub(1);
                }
            }
            !is_passed
        });
        self.tally.unchanged += passed as u64;
        last
    }

    /// Records what waited. Also at the end of a reading that broke off: what was read is true.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&mut self) -> Result<Tally, ServiceError> {
        let pending = std::mem::take(&mut self.pending);
        self.record(pending, None).await?;
        Ok(self.tally)
    }

    /// A record beside what it said last; none when that is the same.
    fn compare(&self, record: Record, key: String, before: Option<SourceRow>) -> Option<Taken> {
        let db = &self.app.db;
        let (update, now) = (&record.update, self.now);
        let status = parse_status(&update.status).ok();
        let state = state_text(update, status);
        let state_hash = db.index("source_state", &state);
        let chat = record.chat.map(|c| (c.chat.expose(), c.is_preferred));
        let content =
            format!("{state}\u{1e}{}\u{1e}{:?}{chat:?}", update.canonical(), record.absence);
        let content_hash = db.index("source_content", &content);
        let nik_hash = Nik::parse(&update.nik).ok().map(|nik| person::nik_hash(db, &nik));
        let seen = Seen {
            state_hash: &state_hash,
            content_hash: &content_hash,
            status,
            changed_at: record.changed_at.filter(|at| at.as_ms() >= EARLIEST_MS),
            dated_at: parse_moment(&update.occurred_at, self.app.zone(None).offset()),
            is_same_person: before.as_ref().is_none_or(|before| before.nik_hash == nik_hash),
        };
        let known = before.as_ref().map(|row| &row.known);
        // What could not be taken is looked at again now and then: we may have learned its words.
        let is_again = self.plan.is_full
            && known.is_some_and(|known| known.is_rejected)
            && self.is_understood(update);
        let is_new_part = record.part.as_ref().is_some_and(|part| !self.plan.parts.contains(part));
        let is_first = self.plan.is_first || is_new_part;
        let (is_news, occurred_at) = match judge(known, seen, is_first, now) {
            Verdict::Unchanged if !is_again => return None,
            Verdict::Unchanged => (known.is_some_and(|known| known.is_news), now),
            Verdict::Silent { occurred_at } => (false, occurred_at),
            Verdict::News { occurred_at } => (true, occurred_at),
        };
        let is_same_state = known.is_some_and(|known| known.state_hash == state_hash);
        let row = SourceRow {
            key_hash: key,
            known: Known {
                version: known.map_or(1, |known| known.version + 1),
                occurred_at,
                seen_at: now,
                // A number that changed makes no news of an old state, and none of news no old one.
                is_news: if is_same_state {
                    known.is_some_and(|known| known.is_news)
                } else {
                    is_news
                },
                is_rejected: false,
                state_hash,
                content_hash,
            },
            rejection: None,
            nik_hash,
            absence: record.absence,
            is_register: record.is_register,
        };
        Some(Taken { record, row, before, status, is_news })
    }

    /// Whether a record could be taken by now.
    fn is_understood(&self, update: &RawUpdate) -> bool {
        let mut update = update.clone();
        "again".clone_into(&mut update.id);
        if update.is_undated {
            update.occurred_at = self.now.utc().to_rfc3339();
        }
        update.check(self.app.zone(None).offset(), self.now).is_ok()
    }

    async fn hold_what_is_too_much(&mut self) -> Result<(), ServiceError> {
        let too_much: Vec<CardStatus> = self
            .pending
            .iter()
            .filter_map(|taken| taken.status.filter(|_| taken.is_news))
            .filter(|status| {
                self.held.contains(status)
                    || self.at_once.get(status).is_some_and(|n| *n > self.plan.hold_over)
            })
            .collect();
        for status in too_much {
            if !self.held.contains(&status) {
                self.held.push(status);
            }
            let (held, rest) = std::mem::take(&mut self.pending)
                .into_iter()
                .partition(|taken| taken.is_news && taken.status == Some(status));
            self.pending = rest;
            self.awaited =
                self.pending.iter().filter_map(|taken| taken.row.nik_hash.clone()).collect();
            self.record(held, Some(status)).await?;
        }
        Ok(())
    }

    async fn record(
        &mut self,
        taken: Vec<Taken>,
        held: Option<CardStatus>,
    ) -> Result<(), ServiceError> {
        for chunk in taken.chunks(CHUNK) {
            let mut collisions = 0;
            let results = loop {
                match self.record_chunk(chunk, held).await {
                    Err(ServiceError::Store(StoreError::Conflict(_)))
                        if collisions < MAX_COLLISIONS =>
                    {
                        collisions += 1;
                    }
                    other => break other?,
                }
            };
            card::recorded(self.app, self.plan.source, &results);
            for (taken, result) in chunk.iter().zip(&results) {
                self.count(result);
                self.remember(taken, result);
            }
        }
        Ok(())
    }

    const fn count(&mut self, result: &Recorded) {
        match result {
            Recorded::Rejected { .. } => self.tally.rejected += 1,
            Recorded::Duplicate => self.tally.unchanged += 1,
            Recorded::Accepted { outcome, is_new_card, .. } => {
                self.tally.changed += 1;
                self.tally.new += *is_new_card as u64;
                match outcome {
                    UpdateOutcome::Announced => self.tally.announced += 1,
                    UpdateOutcome::Held => self.tally.held += 1,
                    _ => {}
                }
            }
        }
    }

    fn remember(&mut self, taken: &Taken, result: &Recorded) {
        let (reason, is_warning) = match result {
            Recorded::Rejected { reason, .. } => (reason, false),
            Recorded::Accepted { warning: Some(reason), .. } => (reason, true),
            _ => return,
        };
        if let Some(place) = &taken.record.place
            && self.refused.len() < MAX_REFUSED
        {
            self.refused.push(Refused { place: place.clone(), reason: reason.clone(), is_warning });
        }
    }

    async fn record_chunk(
        &self,
        chunk: &[Taken],
        held: Option<CardStatus>,
    ) -> Result<Vec<Recorded>, ServiceError> {
        let (app, source, now) = (self.app, self.plan.source, self.now);
        let mut tx = app.db.begin().await?;
        let waits_for = match held {
            Some(status) => Some(hold::find_or_name(app, &mut tx, source, status, now).await?),
            None => None,
        };
        // First, so that what a register says of people is known while their cards are recorded.
        let rows: Vec<SourceRow> = chunk.iter().map(|taken| taken.row.clone()).collect();
        source_row::upsert_rows(&mut tx, &app.db, source, &rows).await?;
        let mut results = Vec::with_capacity(chunk.len());
        let mut rejected = Vec::new();
        for taken in chunk {
            let result = self.record_one(&mut tx, taken, waits_for).await?;
            if let Recorded::Rejected { .. } = result {
                let raw = taken.record.update.to_json().to_string();
                let id = rejection::find_id(&mut tx, &app.db, source, &raw).await?;
                rejected.push(SourceRow { rejection: id, ..taken.row.clone() });
            }
            results.push(result);
        }
        source_row::upsert_rows(&mut tx, &app.db, source, &rejected).await?;
        let is_held = |result: &Recorded| {
            matches!(result, Recorded::Accepted { outcome: UpdateOutcome::Held, .. })
        };
        if let (Some(id), Some(status)) = (waits_for, held)
            && results.iter().any(is_held)
        {
            hold::open(app, &mut tx, id, (source, status), now).await?;
        }
        tx.commit().await.map_err(StoreError::from)?;
        Ok(results)
    }
}

/// What an announcement depends on. The status as it is understood: other words for it are no news.
fn state_text(update: &RawUpdate, status: Option<CardStatus>) -> String {
    let document = document_of(update).map_or(update.document.as_str(), |known| known.as_str());
    let status = status.map_or(update.status.as_str(), |status| status.as_str());
    let home = [&update.home_date, &update.home_from, &update.home_to];
    [document, status, &update.service_point, home[0], home[1], home[2]]
        .map(str::trim)
        .join("\u{1f}")
}
