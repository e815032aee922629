//! When a place is open: weekly hours, holidays, days with other hours, and a closure.
//!
//! Pure: knows days and hours on the place's own clock, and neither zones nor what today is. The
//! names of days are handed in, so that no language stands here.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Weekday};

/// How far ahead the next opening is looked for: over a year there is none worth telling.
const LOOK_AHEAD: u64 = 400;
/// Spans of one day, at most: morning, afternoon, and one more.
const MAX_SPANS: usize = 4;

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first minute.
    pub from: NaiveTime,
    /// The minute at which it is over.
    pub to: NaiveTime,
}

/// Why hours cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not of the form `08.00-15.00`.
    #[error("hours are written like 08.00-15.00, or 07.30-11.00, 13.00-14.30; `tutup` when closed")]
    Unreadable,
    /// Ends before it begins, or overlaps the span before.
    #[error("hours must run forward and not overlap: 07.30-11.00, 13.00-14.30")]
    Backwards,
}

/// The hours of a week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week {
    /// Monday first.
    days: [Vec<Span>; 7],
}

/// A day that is not like its weekday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialDay {
    /// Why: the holiday's name.
    pub name: String,
    /// Its hours; nothing when it is closed.
    pub hours: Option<Vec<Span>>,
}

/// Closed for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// The last day, where that is known.
    pub until: Option<NaiveDate>,
    /// Why.
    pub because: String,
}

/// When a place is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// The hours of an ordinary week.
    pub week: Week,
    /// Days that are not like others.
    pub special: BTreeMap<NaiveDate, SpecialDay>,
    /// Closed from now on.
    pub closure: Option<Closure>,
}

/// What a day is like at some moment of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Today {
    /// Open until then.
    OpenUntil(NaiveTime),
    /// Not yet, or not just now.
    OpensAt(NaiveTime),
    /// It was open, and is over.
    Over,
    /// Closed all day, and why where that is no ordinary day off.
    Closed(Option<String>),
}

/// The words of a week, in some language.
#[derive(Clone, Copy, Debug)]
pub struct WeekNames<'a> {
    /// Monday first.
    pub weekdays: &'a [String; 7],
    /// Between the first and the last of several days, and of hours.
    pub dash: &'a str,
    /// `08` in place of `08.00`.
    pub is_short: bool,
}

/// Reads the hours of a day; no hours are an empty list.
///
/// # Errors
/// [`HoursError`] when they cannot be read, or run backwards.
pub fn parse_spans(raw: &str) -> Result<Vec<Span>, HoursError> {
    let text = raw.trim().to_lowercase();
    if matches!(text.as_str(), "" | "-" | "tutup" | "libur" | "closed") {
        return Ok(Vec::new());
    }
    let text = text.replace("s/d", "-").replace("s.d.", "-").replace("sampai", "-");
    let mut spans: Vec<Span> = Vec::new();
    for part in text.split([',', ';', '&']) {
        let (from, to) = part.split_once(['-', '–', '—']).ok_or(HoursError::Unreadable)?;
        let span = Span { from: time(from)?, to: time(to)? };
        let is_after = spans.last().is_none_or(|last| last.to <= span.from);
        if span.from >= span.to || !is_after || spans.len() == MAX_SPANS {
            return Err(HoursError::Backwards);
        }
        spans.push(span);
    }
    Ok(spans)
}

fn time(raw: &str) -> Result<NaiveTime, HoursError> {
    let raw = raw.trim().trim_end_matches(|c: char| c.is_alphabetic()).trim();
    let (hour, minute) = raw.split_once(['.', ':']).unwrap_or((raw, "0"));
    let number = |text: &str| {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if is_number { text.parse::<u32>().ok() } else { None }
    };
    number(hour)
        .zip(number(minute))
        .and_then(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0))
        .ok_or(HoursError::Unreadable)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.format("%H.%M"), self.to.format("%H.%M"))
    }
}

impl Week {
    /// The hours of each weekday, Monday first.
    #[must_use]
    pub const fn new(days: [Vec<Span>; 7]) -> Self {
        Self { days }
    }

    /// Open at any hour of any day.
    #[must_use]
    pub fn always() -> Self {
        let to = NaiveTime::from_hms_opt(23, 59, 0).unwrap_or(NaiveTime::MIN);
        Self { days: std::array::from_fn(|_| vec![Span { from: NaiveTime::MIN, to }]) }
    }

    /// Reads what [`Week`]'s `Display` wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut days: [Vec<Span>; 7] = Default::default();
        let mut parts = text.split('|');
        for day in &mut days {
            *day = parts.next().and_then(|part| parse_spans(part).ok())?;
        }
        parts.next().is_none().then_some(Self { days })
    }

    /// The hours of a weekday.
    #[must_use]
    pub fn hours(&self, weekday: Weekday) -> &[Span] {
        self.days.get(weekday.num_days_from_monday() as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether it is never open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days.iter().all(Vec::is_empty)
    }

    /// The week in words, days of the same hours together: `Senin–Kamis 08.00–15.00, Jumat
    /// 08.00–11.00`. Days on which it is closed are not named.
    #[must_use]
    pub fn words(&self, names: WeekNames<'_>) -> String {
        let mut said: Vec<String> = Vec::new();
        let mut day = 0;
        while let Some(hours) = self.days.get(day) {
            let same = self.days.iter().skip(day).take_while(|other| *other == hours).count();
            if !hours.is_empty() {
                let name = |at: usize| names.weekdays.get(at).map_or("", String::as_str);
                let days = match same {
                    1 => name(day).to_owned(),
                    _ => format!("{}{}{}", name(day), names.dash, name(day + same - 1)),
                };
                let spans: Vec<String> = hours
                    .iter()
                    .map(|span| {
                        let (from, to) = (names.time(span.from), names.time(span.to));
                        format!("{from}{}{to}", names.dash)
                    })
                    .collect();
                said.push(format!("{days} {}", spans.join(" & ")));
            }
            day += same.max(1);
        }
        said.join(", ")
    }
}

impl WeekNames<'_> {
    fn time(&self, time: NaiveTime) -> String {
        let format = if self.is_short && time.minute() == 0 { "%H" } else { "%H.%M" };
        time.format(format).to_string()
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, day) in self.days.iter().enumerate() {
            if n > 0 {
                f.write_str("|")?;
            }
            let spans: Vec<String> = day.iter().map(ToString::to_string).collect();
            f.write_str(&spans.join(", "))?;
        }
        Ok(())
    }
}

impl Calendar {
    /// The hours of a day, and why they are not those of its weekday.
    #[must_use]
    pub fn hours_on(&self, date: NaiveDate) -> (&[Span], Option<&str>) {
        if let Some(closure) = self.closure_on(date) {
            return (&[], Some(&closure.because));
        }
        let usual = self.week.hours(date.weekday());
        match self.special.get(&date) {
            // A day off stays one, whatever holiday or month of other hours falls on it. Hours of that one day
            // alone open it.
            Some(day) if usual.is_empty() && (day.hours.is_none() || !self.is_alone(date, day)) => {
                (usual, None)
            }
            Some(day) => (day.hours.as_deref().unwrap_or_default(), Some(&day.name)),
            None => (usual, None),
        }
    }

    /// Whether no day of the weeks around bears the same name.
    fn is_alone(&self, date: NaiveDate, day: &SpecialDay) -> bool {
        let (from, to) = (date - Days::new(7), date + Days::new(7));
        let mut around = self.special.range(from..=to);
        around.all(|(other, special)| *other == date || special.name != day.name)
    }

    /// The closure that holds on a day.
    #[must_use]
    pub fn closure_on(&self, date: NaiveDate) -> Option<&Closure> {
        self.closure.as_ref().filter(|closure| closure.until.is_none_or(|until| date <= until))
    }

    /// Whether it is open at that moment.
    #[must_use]
    pub fn is_open(&self, at: NaiveDateTime) -> bool {
        matches!(self.today(at), Today::OpenUntil(_))
    }

    /// What the day of that moment is like from then on.
    #[must_use]
    pub fn today(&self, at: NaiveDateTime) -> Today {
        let (hours, why) = self.hours_on(at.date());
        if hours.is_empty() {
            return Today::Closed(why.map(str::to_owned));
        }
        match hours.iter().find(|span| at.time() < span.to) {
            Some(span) if span.from <= at.time() => Today::OpenUntil(span.to),
            Some(span) => Today::OpensAt(span.from),
            None => Today::Over,
        }
    }

    /// When it opens next, from that moment on; the moment itself is not looked at. Nothing when it
    /// does not within a year.
    #[must_use]
    pub fn next_opening(&self, at: NaiveDateTime) -> Option<NaiveDateTime> {
        (0..LOOK_AHEAD).find_map(|ahead| {
            let date = at.date().checked_add_days(Days::new(ahead))?;
            let (hours, _) = self.hours_on(date);
            hours.iter().map(|span| date.and_time(span.from)).find(|from| *from > at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week() -> Week {
        let day = |text: &str| parse_spans(text).unwrap();
        let usual = day("08.00-15.00");
        Week::new([
            usual.clone(),
            usual.clone(),
            usual.clone(),
            usual,
            day("08.00-11.00, 13.00-14.30"),
            vec![],
            vec![],
        ])
    }

    fn at(day: u32, hour: u32, minute: u32) -> NaiveDateTime {
        // 23 November 2026 is a Monday.
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap().and_hms_opt(hour, minute, 0).unwrap()
    }

    fn clock(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    #[test]
    fn hours_are_read_as_offices_write_them() {
        for raw in
            ["08.00-15.00", "08:00 – 15:00 WIB", "8-15", "08.00 s/d 15.00", "08.00 sampai 15"]
        {
            let spans = parse_spans(raw).unwrap();
            assert_eq!(spans, [Span { from: clock(8, 0), to: clock(15, 0) }], "{raw}");
        }
        assert_eq!(parse_spans("07.30-11.00, 13.00-14.30").unwrap().len(), 2);
        for raw in ["", " - ", "Tutup", "libur"] {
            assert_eq!(parse_spans(raw), Ok(vec![]), "{raw}");
        }
        for raw in ["pagi", "08.00", "25-26", "8.5.1-9", "08.60-09.00", "٨-٩"] {
            assert_eq!(parse_spans(raw), Err(HoursError::Unreadable), "{raw}");
        }
        for raw in ["15-08", "08-08", "08-12, 11-15", "1-2,2-3,3-4,4-5,5-6"] {
            assert_eq!(parse_spans(raw), Err(HoursError::Backwards), "{raw}");
        }
    }

    #[test]
    fn a_stored_week_reads_back_as_itself() {
        for week in [week(), Week::default()] {
            assert_eq!(Week::parse(&week.to_string()), Some(week));
        }
        for text in ["", "08.00-15.00", "||||||x", "|||||||"] {
            assert_eq!(Week::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_week_in_words_names_days_of_the_same_hours_together() {
        let weekdays =
            ["Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"].map(str::to_owned);
        let long = WeekNames { weekdays: &weekdays, dash: "–", is_short: false };
        assert_eq!(week().words(long), "Senin–Kamis 08.00–15.00, Jumat 08.00–11.00 & 13.00–14.30");
        let short = WeekNames { weekdays: &weekdays, dash: "-", is_short: true };
        let weekend = parse_spans("09-12").unwrap();
        let mut days: [Vec<Span>; 7] = Default::default();
        days[5].clone_from(&weekend);
        days[6] = weekend;
        assert_eq!(Week::new(days).words(short), "Sabtu-Minggu 09-12");
        assert_eq!(Week::default().words(short), "");
    }

    #[test]
    fn a_day_goes_from_closed_to_open_to_the_break_to_over() {
        let calendar = Calendar { week: week(), ..Calendar::default() };
        for ((hour, minute), state) in [
            ((7, 59), Today::OpensAt(clock(8, 0))),
            ((8, 0), Today::OpenUntil(clock(11, 0))),
            ((10, 59), Today::OpenUntil(clock(11, 0))),
            ((11, 0), Today::OpensAt(clock(13, 0))),
            ((14, 29), Today::OpenUntil(clock(14, 30))),
            ((14, 30), Today::Over),
        ] {
            assert_eq!(calendar.today(at(27, hour, minute)), state, "{hour}.{minute}");
        }
        assert_eq!(calendar.today(at(28, 9, 0)), Today::Closed(None));
        assert!(calendar.is_open(at(23, 14, 59)) && !calendar.is_open(at(23, 15, 0)));
    }

    #[test]
    fn the_next_opening_skips_weekends_holidays_and_closures() {
        let mut calendar = Calendar { week: week(), ..Calendar::default() };
        assert_eq!(calendar.next_opening(at(27, 12, 0)), Some(at(27, 13, 0)));
        assert_eq!(calendar.next_opening(at(27, 15, 0)), Some(at(30, 8, 0)));
        let holiday = SpecialDay { name: "Hari jadi".into(), hours: None };
        calendar.special.insert(at(24, 0, 0).date(), holiday);
        assert_eq!(calendar.next_opening(at(23, 16, 0)), Some(at(25, 8, 0)));
        assert_eq!(calendar.today(at(24, 9, 0)), Today::Closed(Some("Hari jadi".into())));
        let until = Some(at(25, 0, 0).date());
        calendar.closure = Some(Closure { until, because: "renovasi".into() });
        assert_eq!(calendar.today(at(23, 9, 0)), Today::Closed(Some("renovasi".into())));
        assert_eq!(calendar.next_opening(at(23, 9, 0)), Some(at(26, 8, 0)));
        calendar.closure = Some(Closure { until: None, because: "renovasi".into() });
        assert_eq!(calendar.next_opening(at(23, 9, 0)), None);
    }

    #[test]
    fn other_hours_hold_on_working_days_only() {
        let mut calendar = Calendar { week: week(), ..Calendar::default() };
        let hours = Some(parse_spans("08.00-14.00").unwrap());
        for day in [26, 28] {
            let special = SpecialDay { name: "Ramadan".into(), hours: hours.clone() };
            calendar.special.insert(at(day, 0, 0).date(), special);
        }
        assert_eq!(calendar.today(at(26, 13, 0)), Today::OpenUntil(clock(14, 0)));
        assert_eq!(calendar.today(at(26, 14, 0)), Today::Over);
        assert_eq!(calendar.today(at(28, 9, 0)), Today::Closed(None), "a Saturday");
    }

    #[test]
    fn hours_of_one_day_off_alone_open_it() {
        let mut calendar = Calendar { week: week(), ..Calendar::default() };
        let hours = Some(parse_spans("08.00-12.00").unwrap());
        let special = SpecialDay { name: "Jemput bola".into(), hours };
        calendar.special.insert(at(28, 0, 0).date(), special);
        assert_eq!(calendar.today(at(28, 9, 0)), Today::OpenUntil(clock(12, 0)), "a Saturday");
    }

    #[test]
    fn a_place_that_is_never_open_has_no_next_opening() {
        assert_eq!(Calendar::default().next_opening(at(23, 9, 0)), None);
    }
}
