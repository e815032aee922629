//! Answers about the places that serve citizens: when, where, whom to ask, blank cards, mobile.
//!
//! Chooses the places meant (those the question names, else the nearest as they are handed in) and
//! puts them into the words of `dialogue/place.toml`. Where nothing is on file it says nothing, and
//! the general answer stands.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use super::line::{fault, render};
use super::state::words;
use crate::domain::calendar::{Calendar, Closure, Span, Today, Week, WeekNames};
use crate::domain::gsm7;
use crate::domain::language::Language;
use crate::domain::outbound::Pin;
use crate::domain::service_point::{BlankoStock, GeoPoint, PointService, PointState, PointStatus};

/// The file, below `message_templates`.
pub(super) const FILE: &str = "dialogue/place.toml";
/// Places shown at once.
const SHOWN: usize = 3;
/// Longest short form: in a chat in characters, in an SMS in letters.
const MAX_SHORT: usize = 700;
const MAX_SMS: usize = 2 * 153;
/// The same for all places.
const MAX_FULL: usize = 1_600;
const MAX_SMS_FULL: usize = 3 * 3 * 153 - 60;

/// A place that serves citizens, as it is known at the moment of the question.
#[derive(Clone, PartialEq, Eq)]
pub struct PointFact {
    /// Its name in full.
    pub name: String,
    /// Its name for SMS.
    pub short_name: String,
    /// Street.
    pub address: Option<String>,
    /// Its hours as the office words them, and the same for SMS; used where it has no calendar.
    pub hours: (String, String),
    /// When it is open.
    pub calendar: Option<Calendar>,
    /// The moment of the question, on its own clock.
    pub at: NaiveDateTime,
    /// What is done there.
    pub services: Vec<PointService>,
    /// How it is today.
    pub state: PointState,
    /// Blank cards, and of which day that is.
    pub blanko: (BlankoStock, Option<NaiveDate>),
    /// Where a mobile place is when; nothing for one that does not move.
    pub schedule: Option<String>,
    /// Its public number, as it stands on its board.
    pub contact: Option<String>,
    /// On the map.
    pub place: Option<GeoPoint>,
}

impl fmt::Debug for PointFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PointFact").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is asked of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Hours,
    Location,
    Contact,
    Blanko,
    Mobile,
}

impl Topic {
    const ALL: [Self; 5] = [Self::Hours, Self::Location, Self::Contact, Self::Blanko, Self::Mobile];

    fn of(label: &str) -> Option<Self> {
        match label {
            "opening_hours" => Some(Self::Hours),
            "location_service_points" => Some(Self::Location),
            "contact_info" => Some(Self::Contact),
            "blanko_out" => Some(Self::Blanko),
            "mobile_service" => Some(Self::Mobile),
            _ => None,
        }
    }

    /// Whether a place has something to say about it.
    fn concerns(self, point: &PointFact) -> bool {
        match self {
            Self::Hours | Self::Location | Self::Contact => point.schedule.is_none(),
            Self::Blanko => {
                point.blanko.0 != BlankoStock::Unknown && point.state.status == PointStatus::Running
            }
            Self::Mobile => point.schedule.is_some(),
        }
    }
}

/// A question about places.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// What was asked.
    pub(super) label: &'a str,
    /// The text, for the names in it.
    pub(super) text: &'a str,
    /// What is on file, the nearest first.
    pub(super) points: &'a [PointFact],
    /// Short letters only.
    pub(super) is_sms: bool,
    /// All of it.
    pub(super) is_full: bool,
    pub(super) language: Language,
}

/// What is said of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) text: String,
    /// The place on the map, where the answer is about one.
    pub(super) pin: Option<Pin>,
}

/// The words about places, in every language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceWords {
    generic: Vec<String>,
    id: Words,
    en: Words,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    weekdays: [String; 7],
    weekdays_short: [String; 7],
    months: [String; 12],
    day: String,
    next: String,
    today: String,
    hours: String,
    location: String,
    contact: String,
    blanko: String,
    mobile: String,
    more: String,
    services: BTreeMap<String, String>,
    end: End,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    hours: String,
    location: String,
    contact: String,
    blanko: String,
    mobile: String,
}

#[derive(Serialize)]
struct Holes<'a> {
    name: &'a str,
    address: &'a str,
    today: String,
    week: String,
    services: String,
    status: &'static str,
    until: String,
    because: &'a str,
    blanko: &'static str,
    as_of: String,
    schedule: &'a str,
    contact: &'a str,
    is_sms: bool,
}

#[derive(Serialize)]
struct TodayHoles<'a> {
    kind: &'static str,
    time: String,
    because: &'a str,
    next: String,
}

#[derive(Serialize)]
struct DayHoles<'a> {
    weekday: &'a str,
    day: u32,
    month: &'a str,
    time: String,
    is_far: bool,
}

type Rendered = Result<String, minijinja::Error>;

impl PlaceWords {
    fn words(&self, language: Language) -> &Words {
        match language {
            Language::Indonesian => &self.id,
            Language::English => &self.en,
        }
    }

    /// Whether a label is answered from places at all.
    pub(super) fn concern(label: &str) -> bool {
        Topic::of(label).is_some()
    }

    /// The answer, where anything is on file.
    pub(super) fn tell(&self, ask: Ask<'_>) -> Option<Told> {
        let topic = Topic::of(ask.label)?;
        let words = self.words(ask.language);
        let named = self.named(ask);
        let is_named = !named.is_empty();
        let found: Vec<&PointFact> = if is_named { named } else { ask.points.iter().collect() };
        let found: Vec<&PointFact> = found.into_iter().filter(|p| topic.concerns(p)).collect();
        let limit = match (ask.is_full, ask.is_sms) {
            (false, false) => MAX_SHORT,
            (false, true) => MAX_SMS,
            (true, false) => MAX_FULL,
            (true, true) => MAX_SMS_FULL,
        };
        let most = if ask.is_full { found.len() } else { SHOWN.min(found.len()) };
        // As many as fit, and at least one.
        for shown in (1..=most).rev() {
            let points = found.get(..shown)?;
            let text = words.text(topic, points, shown < found.len(), ask.is_sms).ok()?;
            let length = if ask.is_sms { units(&text) } else { text.chars().count() };
            if length <= limit || shown == 1 {
                let pin = points.first().filter(|_| shown == 1 && found.len() == 1).and_then(|p| {
                    (topic == Topic::Location && !ask.is_sms && !ask.is_full).then(|| p.pin())?
                });
                return Some(Told { text, pin });
            }
        }
        None
    }

    /// What is said of one place to whoever asks for its hours.
    pub(super) fn hours(&self, point: &PointFact, language: Language) -> String {
        self.words(language).text(Topic::Hours, &[point], false, false).unwrap_or_default()
    }

    /// The places whose names stand in the question; of several those it names most fully.
    fn named<'a>(&self, ask: Ask<'a>) -> Vec<&'a PointFact> {
        let said = words(ask.text);
        let score = |point: &PointFact| {
            let mut name = words(&point.name);
            name.sort_unstable();
            name.dedup();
            let (generic, own): (Vec<&String>, Vec<&String>) = name
                .iter()
                .filter(|word| said.contains(word))
                .partition(|w| self.generic.contains(w));
            let own = own.iter().filter(|word| word.chars().count() > 2).count();
            if own == 0 { 0 } else { own * 10 + generic.len() }
        };
        let scored: Vec<(usize, &PointFact)> = ask.points.iter().map(|p| (score(p), p)).collect();
        let best = scored.iter().map(|(score, _)| *score).max().unwrap_or(0);
        let is_best = |(score, _): &&(usize, &PointFact)| best > 0 && *score == best;
        scored.iter().filter(is_best).map(|(_, point)| *point).collect()
    }

    /// Everything that is wrong with the words.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for &language in Language::ALL {
            let words = self.words(language);
            for service in PointService::ALL {
                if !words.services.contains_key(service.as_str()) {
                    faults.push(format!("{FILE}: `{language}.services.{service}` is missing"));
                }
            }
            for topic in Topic::ALL {
                for (point, is_sms) in
                    samples().iter().flat_map(|point| [(point, false), (point, true)])
                {
                    let what = match words.text(topic, &[point], true, is_sms) {
                        Ok(text) if is_sms => fault(&text, true).or_else(|| too_long(&text)),
                        Ok(text) => fault(&text, false),
                        Err(error) => Some(format!("cannot be rendered ({error:#})")),
                    };
                    let name = format!("{topic:?}").to_lowercase();
                    faults.extend(
                        what.map(|what| format!("{FILE}: `{language}.{name}` {what}: mend it")),
                    );
                }
            }
        }
        faults.dedup();
        faults
    }
}

impl PointFact {
    fn pin(&self) -> Option<Pin> {
        Some(Pin {
            place: self.place?,
            name: self.name.clone(),
            address: self.address.clone().unwrap_or_else(|| self.name.clone()),
        })
    }
}

impl Words {
    fn text(&self, topic: Topic, points: &[&PointFact], has_more: bool, is_sms: bool) -> Rendered {
        let (source, end) = match topic {
            Topic::Hours => (&self.hours, &self.end.hours),
            Topic::Location => (&self.location, &self.end.location),
            Topic::Contact => (&self.contact, &self.end.contact),
            Topic::Blanko => (&self.blanko, &self.end.blanko),
            Topic::Mobile => (&self.mobile, &self.end.mobile),
        };
        let mut parts = Vec::with_capacity(points.len() + 2);
        for point in points {
            parts.push(render(source, self.holes(point, is_sms)?)?);
        }
        parts.push(end.clone());
        if has_more {
            parts.push(self.more.clone());
        }
        parts.retain(|part| !part.is_empty());
        Ok(parts.join(if is_sms { " " } else { "\n" }))
    }

    fn holes<'a>(&self, point: &'a PointFact, is_sms: bool) -> Result<Holes<'a>, minijinja::Error> {
        let optional = |text: &'a Option<String>| text.as_deref().unwrap_or("");
        let date = |date: Option<NaiveDate>| date.map_or(Ok(String::new()), |day| self.date(day));
        let services: Vec<&str> = point
            .services
            .iter()
            .filter_map(|service| self.services.get(service.as_str()).map(String::as_str))
            .collect();
        let week = match &point.calendar {
            Some(calendar) => {
                let weekdays = if is_sms { &self.weekdays_short } else { &self.weekdays };
                calendar.week.words(WeekNames { weekdays, dash: "-", is_short: is_sms })
            }
            None if is_sms => point.hours.1.clone(),
            None => point.hours.0.clone(),
        };
        Ok(Holes {
            name: if is_sms { &point.short_name } else { &point.name },
            address: optional(&point.address),
            today: match &point.calendar {
                Some(calendar) => self.today(calendar, point.at)?,
                None => String::new(),
            },
            week: week.trim_end_matches('.').to_owned(),
            services: services.join(", "),
            status: point.state.status.as_str(),
            until: date(point.state.until)?,
            because: optional(&point.state.because),
            blanko: point.blanko.0.as_str(),
            as_of: date(point.blanko.1)?,
            schedule: optional(&point.schedule),
            contact: optional(&point.contact),
            is_sms,
        })
    }

    fn today(&self, calendar: &Calendar, at: NaiveDateTime) -> Rendered {
        let today = calendar.today(at);
        let (kind, time, because) = match &today {
            Today::OpenUntil(time) => ("open", shown(*time), ""),
            Today::OpensAt(time) => ("opens", shown(*time), ""),
            Today::Over => ("over", String::new(), ""),
            Today::Closed(why) => ("closed", String::new(), why.as_deref().unwrap_or("")),
        };
        let next = match calendar.next_opening(at) {
            Some(next) => self.next(at, next)?,
            None => String::new(),
        };
        render(&self.today, TodayHoles { kind, time, because, next })
    }

    fn next(&self, at: NaiveDateTime, next: NaiveDateTime) -> Rendered {
        let weekday = next.weekday().num_days_from_monday() as usize;
        let holes = DayHoles {
            weekday: self.weekdays.get(weekday).map_or("", String::as_str),
            day: next.day(),
            month: self.month(next.date()),
            time: shown(next.time()),
            is_far: (next.date() - at.date()).num_days() > 6,
        };
        render(&self.next, holes)
    }

    fn date(&self, date: NaiveDate) -> Rendered {
        let weekday = date.weekday().num_days_from_monday() as usize;
        let holes = DayHoles {
            weekday: self.weekdays.get(weekday).map_or("", String::as_str),
            day: date.day(),
            month: self.month(date),
            time: String::new(),
            is_far: true,
        };
        render(&self.day, holes)
    }

    fn month(&self, date: NaiveDate) -> &str {
        self.months.get(date.month0() as usize).map_or("", String::as_str)
    }
}

fn shown(time: NaiveTime) -> String {
    time.format("%H.%M").to_string()
}

fn units(text: &str) -> usize {
    text.chars().map(|c| gsm7::septets(c).unwrap_or(2)).sum()
}

fn too_long(text: &str) -> Option<String> {
    (units(text) > MAX_SMS).then(|| "is longer than two parts of an SMS".to_owned())
}

/// Places as they may be: with everything, closed, in preparation, mobile, and with nothing.
fn samples() -> Vec<PointFact> {
    let span = NaiveTime::from_hms_opt(8, 0, 0)
        .zip(NaiveTime::from_hms_opt(15, 0, 0))
        .map(|(from, to)| Span { from, to });
    let day = || span.into_iter().collect::<Vec<Span>>();
    let week = Week::new([day(), day(), day(), day(), day(), vec![], vec![]]);
    let closure = Closure { until: None, because: "pindah gedung".to_owned() };
    let bare = PointFact {
        name: "Kantor Kecamatan Contoh".to_owned(),
        short_name: "Kec. Contoh".to_owned(),
        address: None,
        hours: ("Senin-Kamis 08.00-15.00".to_owned(), "Sen-Kam 08-15".to_owned()),
        calendar: None,
        at: NaiveDate::default().into(),
        services: Vec::new(),
        state: PointState::RUNNING,
        blanko: (BlankoStock::None, None),
        schedule: None,
        contact: None,
        place: None,
    };
    let full = PointFact {
        address: Some("Jalan Contoh 1".to_owned()),
        calendar: Some(Calendar { week, ..Calendar::default() }),
        services: vec![PointService::Recording, PointService::Printing],
        blanko: (BlankoStock::Low, Some(NaiveDate::default())),
        contact: Some("0321-000000".to_owned()),
        ..bare.clone()
    };
    let closed = |status| PointFact {
        state: PointState {
            status,
            until: Some(NaiveDate::default()),
            because: Some("pindah gedung".to_owned()),
        },
        schedule: Some("Selasa Desa Contoh, Rabu Desa Misal".to_owned()),
        calendar: Some(Calendar { closure: Some(closure.clone()), ..Calendar::default() }),
        ..full.clone()
    };
    vec![closed(PointStatus::Closed), closed(PointStatus::Preparation), bare, full.clone()]
}
