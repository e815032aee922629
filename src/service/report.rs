//! What the reports show: counted beforehand by the sweeper, read back by area.
//!
//! Counting goes in runs of small chunks, so that it never holds up anything else; reading touches nothing but
//! figures. No figure names anybody: of an area smaller than the office, those below five are not told.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{Datelike as _, Days, NaiveDate};

use super::question::day_begins;
use super::{App, ServiceError};
use crate::domain::card::CardStatus;
use crate::domain::clock::Timestamp;
use crate::domain::document::Document;
use crate::domain::message::{ChannelKind, MessageStatus};
use crate::store::StoreError;
use crate::store::report::{self, Count, Counted, Figure, MessageSeen, Seen};
use crate::understand::{CLARIFY, CLARIFY_TOPIC, OUT_OF_SCOPE, is_label};

/// Days of messages that are shown one by one.
pub const DAYS: u64 = 30;
/// Weeks that are shown, the present one included.
pub const WEEKS: u64 = 13;
/// Figures of so few people are not told of a small area.
pub const FEW: i64 = 5;
/// Rows counted in one transaction.
const CHUNK: i64 = 5_000;
/// Rows and runs of one step, about: a tenth of a second.
const ROWS: usize = 20_000;
const RUNS: u32 = 20;
/// The shortest time told apart, and by how much each further one is longer.
const SHORTEST: f64 = 10.0;
const LONGER: f64 = 1.15;

const TOOK_DELIVERED: &str = "took delivered";
const TOOK_READ: &str = "took read";
const ANSWERED: &str = "answered";
const ASKED_BACK: &str = "asked_back";
const UNKNOWN: &str = "unknown";

/// How old the figures of a day may be: today's change all the time, a receipt may come for days.
fn freshness(what: Counted, age: i64) -> Option<Duration> {
    const MINUTE: u64 = 60;
    match (what, age) {
        (Counted::Card, _) => Some(Duration::from_secs(20 * MINUTE)),
        (_, ..=0) => Some(Duration::from_secs(5 * MINUTE)),
        (_, 1..=2) => Some(Duration::from_secs(60 * MINUTE)),
        (_, 3..=7) => Some(Duration::from_secs(6 * 60 * MINUTE)),
        _ => None,
    }
}

/// Goes on counting for a moment, if anything is due; `true` when it was.
///
/// # Errors
/// When the database fails.
pub async fn step(app: &App) -> Result<bool, ServiceError> {
    let (mut rows, mut runs) = (0, 0);
    while rows < ROWS && runs < RUNS {
        let Some(seen) = go_on(app, ROWS - rows).await? else { break };
        rows += seen;
        runs += 1;
    }
    Ok(runs > 0)
}

/// Goes on with one run until it is over or so many rows were seen; gives how many, or nothing where none is due.
async fn go_on(app: &App, most: usize) -> Result<Option<usize>, ServiceError> {
    let counts = report::list_counts(&app.db).await?;
    let Some(mut count) = next(app, &counts).await? else { return Ok(None) };
    if count.begun_at.is_none() {
        let now = app.now();
        let mut tx = app.db.begin().await?;
        if !report::begin_run(&mut tx, (count.what, &count.day), count.run, now).await? {
            return Ok(None);
        }
        if count.what == Counted::Card {
            report::delete_before(&mut tx, &first_day(app).to_string()).await?;
        }
        tx.commit().await.map_err(StoreError::from)?;
        count.run += 1;
        count.begun_at = Some(now);
        count.cursor.clear();
    }
    let mut rows = 0;
    while rows < most {
        let (seen, cursor) = chunk(app, &count).await?;
        rows += seen;
        let Some(cursor) = cursor else { break };
        count.cursor = cursor;
    }
    Ok(Some(rows))
}

fn today(app: &App) -> NaiveDate {
    app.now().in_zone(app.zone(None).offset()).date_naive()
}

/// The Monday from which on weeks are shown.
fn first_day(app: &App) -> NaiveDate {
    let today = today(app);
    let monday = u64::from(today.weekday().num_days_from_monday());
    today.checked_sub_days(Days::new(monday + 7 * (WEEKS - 1))).unwrap_or(today)
}

/// The count to go on with: one that was begun, else the most recent that is due.
async fn next(app: &App, counts: &[Count]) -> Result<Option<Count>, ServiceError> {
    if let Some(begun) = counts.iter().find(|count| count.begun_at.is_some()) {
        return Ok(Some(begun.clone()));
    }
    let (now, today, first) = (app.now(), today(app), first_day(app));
    let known = |what: Counted, day: &str| counts.iter().find(|c| c.what == what && c.day == day);
    let is_due = |what: Counted, day: &str, age: i64, settled: Timestamp| {
        let done_at = known(what, day).and_then(|count| count.done_at);
        done_at.is_none_or(|done| match freshness(what, age) {
            Some(fresh) => now.since(done) >= fresh,
            // Once more after the last receipts came.
            None => done < settled,
        })
    };
    let fresh = |what: Counted, day: String| {
        let run = known(what, &day).map_or(0, |count| count.run);
        Count { what, day, done_at: None, run, begun_at: None, cursor: String::new() }
    };
    if is_due(Counted::Card, "", 0, now) {
        return Ok(Some(fresh(Counted::Card, String::new())));
    }
    let begin = [
        (Counted::Message, begins(app, Counted::Message).await?),
        (Counted::Question, begins(app, Counted::Question).await?),
    ];
    let mut day = today;
    while day >= first {
        let age = (today - day).num_days();
        let settled = day_begins(app.zone(None), day).after(Duration::from_secs(8 * 86_400));
        for (what, begin) in begin {
            let is_there = begin.is_some_and(|begin| begin <= day);
            if is_there && is_due(what, &day.to_string(), age, settled) {
                return Ok(Some(fresh(what, day.to_string())));
            }
        }
        let Some(before) = day.pred_opt() else { break };
        day = before;
    }
    Ok(None)
}

/// The day of the first of them, by its id.
async fn begins(app: &App, what: Counted) -> Result<Option<NaiveDate>, ServiceError> {
    let first = report::find_first(&app.db, what).await?;
    let ulid = first.as_deref().and_then(|id| id.split_once('_')?.1.parse::<ulid::Ulid>().ok());
    Ok(ulid
        .and_then(|ulid| i64::try_from(ulid.timestamp_ms()).ok())
        .map(|ms| Timestamp::from_ms(ms).in_zone(app.zone(None).offset()).date_naive()))
}

/// Between which ids the rows of a day lie: ids are given by the time.
fn ids_of(app: &App, prefix: &str, day: NaiveDate) -> (String, String) {
    let zone = app.zone(None);
    let id = |day: NaiveDate| {
        let ms = u64::try_from(day_begins(zone, day).as_ms()).unwrap_or(0);
        format!("{prefix}_{}", ulid::Ulid::from_parts(ms, 0))
    };
    (id(day), id(day.succ_opt().unwrap_or(day)))
}

type Tally = BTreeMap<(String, String), i64>;

/// Counts one chunk; gives how many rows it had, and where it ended, unless the run is over or went on elsewhere.
async fn chunk(app: &App, count: &Count) -> Result<(usize, Option<String>), ServiceError> {
    let (last, length, tally) = look(app, count).await?;
    let is_over = i64::try_from(length).is_ok_and(|length| length < CHUNK);
    let cursor = last.unwrap_or_else(|| count.cursor.clone());
    let mut tx = app.db.begin().await?;
    if !report::move_on(&mut tx, count, &cursor).await? {
        return Ok((length, None));
    }
    if !tally.is_empty() {
        report::add_figures(&mut tx, &app.db, count, tally).await?;
    }
    if is_over {
        report::end_run(&mut tx, count).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok((length, (!is_over).then_some(cursor)))
}

async fn look(app: &App, count: &Count) -> Result<(Option<String>, usize, Tally), ServiceError> {
    let day: NaiveDate = count.day.parse().unwrap_or_default();
    let mut tally = Tally::new();
    let range = |prefix: &str| {
        let (from, to) = ids_of(app, prefix, day);
        (if count.cursor.is_empty() { from } else { count.cursor.clone() }, to)
    };
    Ok(match count.what {
        Counted::Message => {
            let (after, before) = range("msg");
            let rows = report::list_messages(&app.db, (&after, &before), CHUNK).await?;
            for row in &rows {
                tally_message(&mut tally, row);
            }
            (rows.last().map(|row| row.id.clone()), rows.len(), tally)
        }
        Counted::Question => {
            let (after, before) = range("inb");
            let rows = report::list_questions(&app.db, (&after, &before), CHUNK).await?;
            for row in &rows {
                if let Some(word) = understood(&row.word) {
                    add(&mut tally, row.area.as_deref(), word);
                }
            }
            (last(&rows), rows.len(), tally)
        }
        Counted::Card => {
            let document = Document::KtpEl.as_str();
            let rows = report::list_cards(&app.db, document, &count.cursor, CHUNK).await?;
            for row in rows.iter().filter(|row| !row.word.is_empty()) {
                add(&mut tally, row.area.as_deref(), &row.word);
            }
            (last(&rows), rows.len(), tally)
        }
    })
}

fn last(rows: &[Seen]) -> Option<String> {
    rows.last().map(|row| row.id.clone())
}

fn tally_message(tally: &mut Tally, row: &MessageSeen) {
    let area = row.area.as_deref();
    add(tally, area, &format!("{} {}", row.channel, row.status));
    let Some(happened_at) = row.happened_at else { return };
    for (what, at) in [(TOOK_DELIVERED, row.delivered_at), (TOOK_READ, row.read_at)] {
        if let Some(at) = at {
            let seconds = at.since(happened_at).as_secs_f64();
            add(tally, area, &format!("{what} {}", step_of(seconds)));
        }
    }
}

/// Counts one more in every area that holds it.
fn add(tally: &mut Tally, area: Option<&str>, name: &str) {
    let digits: String = area.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    for length in [0, 2, 4, 6, 10] {
        if let Some(area) = digits.get(..length) {
            *tally.entry((area.to_owned(), name.to_owned())).or_default() += 1;
        }
    }
}

/// How far a message was understood; nothing where it was no question.
fn understood(intent: &str) -> Option<&'static str> {
    match intent {
        OUT_OF_SCOPE => Some(UNKNOWN),
        CLARIFY | CLARIFY_TOPIC => Some(ASKED_BACK),
        intent if is_label(intent) => Some(ANSWERED),
        _ => None,
    }
}

/// The step on the scale of times that holds so many seconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "below 200, never negative"
)]
fn step_of(seconds: f64) -> u32 {
    if seconds <= SHORTEST { 0 } else { (seconds / SHORTEST).log(LONGER).ceil().min(150.0) as u32 }
}

/// The longest time of a step, in seconds.
#[expect(clippy::cast_possible_truncation, reason = "150 steps are some ten years")]
fn seconds_of(step: u32) -> i64 {
    (SHORTEST * LONGER.powf(f64::from(step))).round() as i64
}

/// A number as it may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// As it is.
    Exactly(i64),
    /// More than none and less than five: who they are could be found out.
    Few,
}

impl Told {
    /// As it may be told of the whole office, or of a part of it.
    #[must_use]
    pub const fn of(count: i64, is_whole: bool) -> Self {
        if !is_whole && 0 < count && count < FEW { Self::Few } else { Self::Exactly(count) }
    }

    /// For drawing: the number, or what stands for few.
    #[must_use]
    pub const fn size(self) -> i64 {
        match self {
            Self::Exactly(count) => count,
            Self::Few => FEW / 2,
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub const fn is_none(self) -> bool {
        matches!(self, Self::Exactly(0))
    }
}

/// How long something took, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// How many it is known of.
    pub count: Told,
    /// In seconds, at most: half of them took no longer, and nine of ten. Nothing where they are few.
    pub times: Option<(i64, i64)>,
}

/// Messages of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: NaiveDate,
    /// How many on each channel are where; what there is none of is left out.
    pub messages: BTreeMap<(ChannelKind, MessageStatus), Told>,
}

/// A week from Monday on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its first day.
    pub monday: NaiveDate,
    /// From what happened to a card until its holder had the news on their phone,
    pub delivered: Took,
    /// and until they opened it.
    pub read: Took,
    /// Questions answered, asked back, and not understood.
    pub questions: [Told; 3],
}

/// The figures of an area.
#[derive(Clone, Debug)]
pub struct Report {
    /// Messages, the oldest day first.
    pub days: Vec<Day>,
    /// Weeks, the oldest first.
    pub weeks: Vec<Week>,
    /// Cards by their stage, in the order of the stages.
    pub cards: Vec<(CardStatus, Told)>,
    /// Of when today's figures are.
    pub counted_at: Option<Timestamp>,
    /// Of when those of the cards are.
    pub cards_at: Option<Timestamp>,
}

/// The figures of an area: its digits, or nothing for all; `is_whole` when it is the whole office's.
///
/// # Errors
/// When the database fails.
pub async fn read(app: &App, area: &str, is_whole: bool) -> Result<Report, ServiceError> {
    let (today, first) = (today(app), first_day(app));
    let since = first.to_string();
    let messages = report::list_figures(&app.db, Counted::Message, area, &since).await?;
    let questions = report::list_figures(&app.db, Counted::Question, area, &since).await?;
    let cards = report::list_figures(&app.db, Counted::Card, area, "").await?;
    let counts = report::list_counts(&app.db).await?;
    let at = |what: Counted, day: &str| {
        counts.iter().find(|c| c.what == what && c.day == day).and_then(|count| count.done_at)
    };
    let begin = today.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(today);
    let cards: BTreeMap<CardStatus, i64> =
        cards.iter().filter_map(|f| Some((f.name.parse().ok()?, f.count))).collect();
    Ok(Report {
        days: begin
            .iter_days()
            .take_while(|day| *day <= today)
            .map(|date| Day { date, messages: messages_of(&messages, date, is_whole) })
            .collect(),
        weeks: first
            .iter_weeks()
            .take_while(|day| *day <= today)
            .map(|monday| week(monday, &messages, &questions, is_whole))
            .collect(),
        cards: CardStatus::ALL
            .iter()
            .filter_map(|status| Some((*status, Told::of(*cards.get(status)?, is_whole))))
            .collect(),
        counted_at: at(Counted::Message, &today.to_string()),
        cards_at: at(Counted::Card, ""),
    })
}

fn messages_of(
    figures: &[Figure],
    date: NaiveDate,
    is_whole: bool,
) -> BTreeMap<(ChannelKind, MessageStatus), Told> {
    let day = date.to_string();
    figures
        .iter()
        .filter(|figure| figure.day == day)
        .filter_map(|figure| {
            let (channel, status) = figure.name.split_once(' ')?;
            Some(((channel.parse().ok()?, status.parse().ok()?), Told::of(figure.count, is_whole)))
        })
        .collect()
}

fn week(monday: NaiveDate, messages: &[Figure], questions: &[Figure], is_whole: bool) -> Week {
    let end = monday.checked_add_days(Days::new(7)).unwrap_or(monday).to_string();
    let monday_word = monday.to_string();
    let is_in = |figure: &&Figure| monday_word <= figure.day && figure.day < end;
    let sum = |name: &str| -> i64 {
        questions.iter().filter(is_in).filter(|f| f.name == name).map(|f| f.count).sum()
    };
    let took = |what: &str| {
        let mut steps: BTreeMap<u32, i64> = BTreeMap::new();
        for figure in messages.iter().filter(is_in) {
            let step = figure.name.strip_prefix(what).and_then(|step| step.trim().parse().ok());
            if let Some(step) = step {
                *steps.entry(step).or_default() += figure.count;
            }
        }
        took(&steps, is_whole)
    };
    Week {
        monday,
        delivered: took(TOOK_DELIVERED),
        read: took(TOOK_READ),
        questions: [ANSWERED, ASKED_BACK, UNKNOWN].map(|name| Told::of(sum(name), is_whole)),
    }
}

fn took(steps: &BTreeMap<u32, i64>, is_whole: bool) -> Took {
    let all: i64 = steps.values().sum();
    let share = |tenths: i64| {
        let mut seen = 0;
        let step = steps.iter().find(|(_, count)| {
            seen += **count;
            seen * 10 >= all * tenths
        });
        step.map_or(0, |(step, _)| seconds_of(*step))
    };
    let count = Told::of(all, is_whole);
    let is_told = all > 0 && count != Told::Few;
    Took { count, times: is_told.then(|| (share(5), share(9))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_in_the_step_that_is_told_of_it() {
        for seconds in [0.0, 9.0, 10.0, 11.0, 61.0, 3_600.0, 86_400.0, 2_592_000.0] {
            let told = seconds_of(step_of(seconds));
            #[expect(clippy::cast_precision_loss, reason = "far below the limit")]
            let told = told as f64;
            assert!(told + 0.5 >= seconds, "{seconds} is told as {told}");
            assert!(told <= (seconds * LONGER).max(SHORTEST) + 0.5, "{seconds} is told as {told}");
        }
    }

    #[test]
    fn half_and_nine_of_ten_are_found_among_the_steps() {
        let steps = BTreeMap::from([(0, 5), (10, 4), (20, 1)]);
        let ten = took(&steps, false);
        assert_eq!(ten.times, Some((seconds_of(0), seconds_of(10))));
        assert_eq!(took(&BTreeMap::new(), true).times, None);
    }

    #[test]
    fn few_people_are_not_counted_out_unless_it_is_the_whole_office() {
        assert_eq!(Told::of(4, false), Told::Few);
        assert_eq!(Told::of(4, true), Told::Exactly(4));
        assert_eq!(Told::of(5, false), Told::Exactly(5));
        assert_eq!(Told::of(0, false), Told::Exactly(0));
        assert_eq!(took(&BTreeMap::from([(3, 4)]), false).times, None, "nor how long they took");
    }

    #[test]
    fn what_lies_in_a_desa_is_counted_in_everything_that_holds_it() {
        let mut tally = Tally::new();
        add(&mut tally, Some("35.17.09.2018"), "x");
        add(&mut tally, None, "x");
        let areas: Vec<(&str, i64)> = tally.iter().map(|((a, _), n)| (a.as_str(), *n)).collect();
        assert_eq!(areas, [("", 2), ("35", 1), ("3517", 1), ("351709", 1), ("3517092018", 1)]);
    }
}
