//! Answers about the places that serve citizens: when, where, what is done there, whom to ask, blank
//! cards, mobile.
//!
//! Puts the places that `told` chooses into the words of `dialogue/place.toml`. Where nothing is on
//! file nothing is said, and the general answer stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use super::day::AskedDays;
use super::line::{fault, render};
use super::mention::{AreaFact, Markers, Naming};
use super::state::words;
use super::told::{MAX_SMS, Manner, Plan, RECORDING, Topic};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::calendar::{Calendar, Closure, Span, Today, Week, WeekNames};
use crate::domain::day_words::{DayForm, DayNames, DayWords};
use crate::domain::gsm7;
use crate::domain::language::Language;
use crate::domain::outbound::Pin;
use crate::domain::service_point::{BlankoStock, GeoPoint, PointService, PointState, PointStatus};

/// The file, below `message_templates`.
pub(super) const FILE: &str = "dialogue/place.toml";
/// A place that serves citizens, as it is known at the moment of the question.
#[derive(Clone, PartialEq, Eq)]
pub struct PointFact {
    /// Its name in full.
    pub name: String,
    /// Its name for SMS.
    pub short_name: String,
    /// Where it lies.
    pub area: AreaCode,
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

/// The words about places, in every language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceWords {
    generic: Vec<String>,
    pub(super) asks_hours: Vec<String>,
    markers: Markers,
    day: AskedDays,
    pub(super) asked_service: BTreeMap<String, Vec<String>>,
    /// Words of the example questions that are no names.
    #[serde(skip)]
    ordinary: BTreeSet<String>,
    id: Words,
    en: Words,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// Come from the vocabulary.
    #[serde(skip)]
    days: DayWords,
    next: String,
    today: String,
    on_day: String,
    hours: String,
    location: String,
    contact: String,
    blanko: String,
    mobile: String,
    service: String,
    unplaced: String,
    elsewhere: String,
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
    service: String,
    recording: String,
}

#[derive(Serialize)]
struct Holes<'a> {
    name: &'a str,
    address: &'a str,
    today: String,
    asked: String,
    week: String,
    services: String,
    service: &'a str,
    kind: &'static str,
    status: &'static str,
    until: String,
    because: &'a str,
    blanko: &'static str,
    as_of: String,
    schedule: &'a str,
    contact: &'a str,
    is_sms: bool,
    is_written: bool,
}

#[derive(Serialize)]
struct TodayHoles<'a> {
    kind: &'static str,
    time: String,
    because: &'a str,
    next: String,
}

#[derive(Serialize)]
struct OnDayHoles<'a> {
    date: String,
    when: &'static str,
    kind: &'static str,
    time: String,
    until: String,
    because: &'a str,
    next: String,
}

#[derive(Serialize)]
struct PlaceHoles<'a> {
    place: &'a str,
    level: &'static str,
    topic: &'static str,
    service: &'a str,
    has_others: bool,
}

#[derive(Serialize)]
struct DayHoles<'a> {
    weekday: &'a str,
    day: u32,
    month: &'a str,
    time: String,
    is_far: bool,
}

pub(super) type Rendered = Result<String, minijinja::Error>;

impl PlaceWords {
    pub(super) fn words(&self, language: Language) -> &Words {
        match language {
            Language::Indonesian => &self.id,
            Language::English => &self.en,
        }
    }

    /// Takes over how days are said.
    pub(super) fn name_days(&mut self, days: &DayNames) {
        self.id.days = days.id.clone();
        self.en.days = days.en.clone();
    }

    /// Whether a label is answered from places, at least where one is named.
    pub(super) fn concern(label: &str) -> bool {
        Topic::of(label).is_some() || label == RECORDING
    }

    /// Learns from a question or a list which words are no names.
    pub(super) fn learn(&mut self, text: &str) {
        self.ordinary.extend(self.markers.ordinary(text));
    }

    /// The words for days.
    pub(super) const fn days(&self) -> &AskedDays {
        &self.day
    }

    /// What tells names from other words.
    pub(super) fn naming(&self) -> Naming<'_> {
        Naming { generic: &self.generic, markers: &self.markers, ordinary: &self.ordinary }
    }

    /// What is said of one place to whoever asks for its hours.
    pub(super) fn hours(&self, point: &PointFact, language: Language) -> String {
        let words = self.words(language);
        let plan = Plan {
            manner: Manner { topic: Topic::Hours, days: &[], is_sms: false },
            head: Vec::new(),
            intro: String::new(),
            listed: vec![point],
            end: words.end(Topic::Hours, ""),
        };
        words.text(&plan, &plan.listed).unwrap_or_default()
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
                for (what, name) in words.sample_faults(topic) {
                    faults.push(format!("{FILE}: `{language}.{name}` {what}: mend it"));
                }
            }
        }
        for service in PointService::ALL {
            if !self.asked_service.contains_key(service.as_str()) {
                faults.push(format!("{FILE}: `asked_service.{service}` is missing"));
            }
        }
        faults.dedup();
        faults
    }
}

impl PointFact {
    pub(super) fn pin(&self) -> Option<Pin> {
        Some(Pin {
            place: self.place?,
            name: self.name.clone(),
            address: self.address.clone().unwrap_or_else(|| self.name.clone()),
        })
    }
}

impl Words {
    fn source(&self, topic: Topic) -> &str {
        match topic {
            Topic::Hours => &self.hours,
            Topic::Location => &self.location,
            Topic::Contact => &self.contact,
            Topic::Blanko => &self.blanko,
            Topic::Mobile => &self.mobile,
            Topic::Service(_) => &self.service,
        }
    }

    pub(super) fn end(&self, topic: Topic, label: &str) -> String {
        let end = &self.end;
        let text = match topic {
            Topic::Hours => &end.hours,
            Topic::Location => &end.location,
            Topic::Contact => &end.contact,
            Topic::Blanko => &end.blanko,
            Topic::Mobile => &end.mobile,
            Topic::Service(_) if label == RECORDING => &end.recording,
            Topic::Service(_) => &end.service,
        };
        text.clone()
    }

    pub(super) fn text(&self, plan: &Plan<'_>, points: &[&PointFact]) -> Rendered {
        let mut parts = plan.head.clone();
        parts.push(plan.intro.clone());
        for point in points {
            parts.push(self.listed(point, plan.manner)?);
        }
        parts.push(plan.end.clone());
        // The long form of a recording is another one.
        let is_recording = plan.end == self.end.recording;
        if points.len() < plan.listed.len() && !is_recording {
            parts.push(self.more.clone());
        }
        parts.retain(|part| !part.is_empty());
        Ok(parts.join(if plan.manner.is_sms { " " } else { "\n" }))
    }

    /// One of several places: where something is done is told by its hours.
    fn listed(&self, point: &PointFact, manner: Manner<'_>) -> Rendered {
        let source = match manner.topic {
            Topic::Service(_) => &self.hours,
            topic => self.source(topic),
        };
        render(source, self.holes(point, manner)?)
    }

    /// A place that was asked for by name.
    pub(super) fn about(&self, point: &PointFact, manner: Manner<'_>) -> Rendered {
        render(self.source(manner.topic), self.holes(point, manner)?)
    }

    fn service(&self, topic: Topic) -> &str {
        let Topic::Service(service) = topic else { return "" };
        self.services.get(service.as_str()).map_or("", String::as_str)
    }

    /// That a place has no point, or is not known.
    pub(super) fn unplaced(&self, manner: Manner<'_>, area: Option<&AreaFact>) -> Rendered {
        let level = area.map_or("", |area| match area.code.level() {
            // A name that says by itself what it is needs no more.
            _ if words(&area.name).len() > 1 && has_level(&area.name) => "",
            AreaLevel::Kecamatan => "kecamatan",
            AreaLevel::Desa => "desa",
            AreaLevel::Kabupaten | AreaLevel::Provinsi => "",
        });
        let place = area.map_or("", |area| area.name.as_str());
        self.placed(&self.unplaced, manner, (place, level), false)
    }

    /// What stands before other places; `how` they were chosen.
    pub(super) fn elsewhere(
        &self,
        manner: Manner<'_>,
        how: &'static str,
        has_others: bool,
    ) -> Rendered {
        self.placed(&self.elsewhere, manner, ("", how), has_others)
    }

    fn placed(
        &self,
        source: &str,
        manner: Manner<'_>,
        (place, level): (&str, &'static str),
        has_others: bool,
    ) -> Rendered {
        let (topic, service) = (manner.topic.word(), self.service(manner.topic));
        render(source, PlaceHoles { place, level, topic, service, has_others })
    }

    /// What is wrong with a text, and its name.
    fn sample_faults(&self, topic: Topic) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut check = |name: &str, is_sms: bool, text: Rendered| {
            let what = match text {
                Ok(text) if text.is_empty() && name == "elsewhere" => None,
                Ok(text) if is_sms => fault(&text, true).or_else(|| too_long(&text)),
                Ok(text) => fault(&text, false),
                Err(error) => Some(format!("cannot be rendered ({error:#})")),
            };
            faults.extend(what.map(|what| (what, name.to_owned())));
        };
        let area = |code: &str| AreaCode::parse(code).ok();
        let areas: Vec<AreaFact> = [area("35.17.09"), area("35.17.09.2001")]
            .into_iter()
            .flatten()
            .map(|code| AreaFact { code, name: "Contoh".to_owned() })
            .collect();
        for (days, is_sms) in [(0, false), (0, true), (2, false), (2, true)] {
            let days: Vec<NaiveDate> = NaiveDate::default().iter_days().take(days).collect();
            let manner = Manner { topic, days: &days, is_sms };
            for point in &samples() {
                let plan = |head| Plan {
                    manner,
                    head,
                    intro: String::new(),
                    listed: vec![point, point],
                    end: self.end(topic, ""),
                };
                check(topic.word(), is_sms, self.text(&plan(Vec::new()), &[point]));
                let about = self.about(point, manner);
                check(
                    topic.word(),
                    is_sms,
                    about.and_then(|text| self.text(&plan(vec![text]), &[])),
                );
            }
            for area in areas.iter().map(Some).chain([None]) {
                check("unplaced", is_sms, self.unplaced(manner, area));
            }
            for how in ["", "near", "all"] {
                check("elsewhere", is_sms, self.elsewhere(manner, how, true));
                check("elsewhere", is_sms, self.elsewhere(manner, how, false));
            }
        }
        let recording = self.end.recording.clone();
        check("end.recording", true, Ok(recording));
        faults
    }

    fn holes<'a>(
        &'a self,
        point: &'a PointFact,
        manner: Manner<'_>,
    ) -> Result<Holes<'a>, minijinja::Error> {
        let is_sms = manner.is_sms;
        let optional = |text: &'a Option<String>| text.as_deref().unwrap_or("");
        let date = |date: Option<NaiveDate>| date.map_or_else(String::new, |day| self.date(day));
        let services: Vec<&str> = point
            .services
            .iter()
            .filter_map(|service| self.services.get(service.as_str()).map(String::as_str))
            .collect();
        let week = match &point.calendar {
            Some(calendar) => {
                let weekdays = if is_sms { &self.days.weekdays_short } else { &self.days.weekdays };
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
            asked: self.on_days(point, manner.days)?,
            week: week.trim_end_matches('.').to_owned(),
            services: services.join(", "),
            service: self.service(manner.topic),
            kind: manner.topic.standing(point, manner.days).as_str(),
            status: point.state.status.as_str(),
            until: date(point.state.until),
            because: optional(&point.state.because),
            blanko: point.blanko.0.as_str(),
            as_of: date(point.blanko.1),
            schedule: optional(&point.schedule),
            contact: optional(&point.contact),
            is_sms,
            is_written: point.calendar.is_none(),
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

    /// What the days asked about are like there.
    fn on_days(&self, point: &PointFact, days: &[NaiveDate]) -> Rendered {
        let said: Result<Vec<String>, _> =
            days.iter().map(|day| self.on_day(point, *day)).collect();
        Ok(said?.join(" "))
    }

    fn on_day(&self, point: &PointFact, day: NaiveDate) -> Rendered {
        let date = self.days.say(DayForm::Long, day);
        let today = point.at.date();
        let when = match (day - today).num_days() {
            0 => "today",
            1 => "tomorrow",
            _ => "",
        };
        let holes = OnDayHoles {
            date,
            when,
            kind: "unknown",
            time: String::new(),
            until: String::new(),
            because: "",
            next: String::new(),
        };
        let Some(calendar) = &point.calendar else { return render(&self.on_day, holes) };
        let (hours, because) = calendar.hours_on(day);
        let closure = calendar.closure_on(day);
        let now = calendar.today(point.at);
        let (kind, time) = match &now {
            _ if closure.is_some() => ("shut", String::new()),
            Today::OpenUntil(time) if day == today => ("open", shown(*time)),
            Today::OpensAt(time) if day == today => ("opens", shown(*time)),
            Today::Over if day == today => ("over", String::new()),
            _ if hours.is_empty() => ("closed", String::new()),
            _ => {
                let spans: Vec<String> = hours.iter().map(ToString::to_string).collect();
                ("hours", spans.join(", "))
            }
        };
        let after = if day == today { point.at } else { day.and_time(NaiveTime::MIN) };
        let next = match calendar.next_opening(after) {
            Some(next) => self.next(point.at, next)?,
            None => String::new(),
        };
        let until = closure.and_then(|closure| closure.until);
        let until = until.map_or_else(String::new, |until| self.date(until));
        let because = because.unwrap_or("");
        render(&self.on_day, OnDayHoles { kind, time, until, because, next, ..holes })
    }

    fn next(&self, at: NaiveDateTime, next: NaiveDateTime) -> Rendered {
        let holes = DayHoles {
            weekday: self.days.weekday(next.date()),
            day: next.day(),
            month: self.days.month(next.date()),
            time: shown(next.time()),
            is_far: (next.date() - at.date()).num_days() > 6,
        };
        render(&self.next, holes)
    }

    fn date(&self, date: NaiveDate) -> String {
        self.days.say(DayForm::Day, date)
    }
}

/// Whether a name says whether it is a kecamatan, a desa or a kelurahan.
fn has_level(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "kecamatan" | "desa" | "kelurahan"))
}

fn shown(time: NaiveTime) -> String {
    time.format("%H.%M").to_string()
}

pub(super) fn units(text: &str) -> usize {
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
        area: AreaCode::nationwide(),
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
