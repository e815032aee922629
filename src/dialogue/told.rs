//! Which places an answer tells of, and of what: the topic, those that were meant, and where else
//! something can be had.
//!
//! Decides; what is said of each stands in `place`. A place that is not on file is said not to be,
//! before others are named, and a no says where it is a yes.

use std::time::Duration;

use chrono::NaiveDate;

use super::mention::{AreaFact, Meant};
use super::place::{PlaceWords, PointFact, Words, units};
use super::state::words;
use crate::domain::area::AreaCode;
use crate::domain::language::Language;
use crate::domain::outbound::Pin;
use crate::domain::service_point::{BlankoStock, PointService, PointStatus};

/// The label that is answered from places where one is named.
pub(super) const RECORDING: &str = "req_recording";
/// Words of a short question.
const SHORT: usize = 9;
/// Places shown at once.
const SHOWN: usize = 3;
/// Longest short form: in a chat in characters, in an SMS in letters.
const MAX_SHORT: usize = 700;
pub(super) const MAX_SMS: usize = 2 * 153;
/// The same for all places.
const MAX_FULL: usize = 1_600;
const MAX_SMS_FULL: usize = 3 * 3 * 153 - 60;

/// What is asked of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Hours,
    Location,
    Contact,
    Blanko,
    Mobile,
    /// Whether something is done there.
    Service(PointService),
}

impl Topic {
    pub(super) const ALL: [Self; 6] = [
        Self::Hours,
        Self::Location,
        Self::Contact,
        Self::Blanko,
        Self::Mobile,
        Self::Service(PointService::Recording),
    ];

    pub(super) fn of(label: &str) -> Option<Self> {
        match label {
            "opening_hours" => Some(Self::Hours),
            "location_service_points" => Some(Self::Location),
            "contact_info" => Some(Self::Contact),
            "blanko_out" => Some(Self::Blanko),
            "mobile_service" => Some(Self::Mobile),
            _ => None,
        }
    }

    /// The same as a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Location => "location",
            Self::Contact => "contact",
            Self::Blanko => "blanko",
            Self::Mobile => "mobile",
            Self::Service(_) => "service",
        }
    }

    /// What a place is told as, when it is asked for by name.
    pub(super) fn standing(self, point: &PointFact, days: &[NaiveDate]) -> Standing {
        let service = match self {
            Self::Service(service) => service,
            Self::Blanko => PointService::Printing,
            Self::Hours | Self::Location | Self::Contact => {
                return if point.schedule.is_none() { Standing::Yes } else { Standing::Unknown };
            }
            Self::Mobile => {
                return if point.schedule.is_some() { Standing::Yes } else { Standing::Unknown };
            }
        };
        let is_closed_then = |until: Option<NaiveDate>| match days.first() {
            Some(day) => until.is_none_or(|until| *day <= until),
            None => true,
        };
        let has_stock = self == Self::Blanko && point.blanko.0 != BlankoStock::Unknown;
        // Where somebody counts the cards, they are printed, whatever the list says.
        let is_listed = has_stock || point.services.contains(&service);
        match point.state.status {
            PointStatus::Preparation => Standing::Preparation,
            _ if !point.services.is_empty() && !is_listed => Standing::No,
            PointStatus::Closed if is_closed_then(point.state.until) => Standing::Closed,
            _ if has_stock || (is_listed && self != Self::Blanko) => Standing::Yes,
            _ => Standing::Unknown,
        }
    }
}

/// How a place stands to what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is done there.
    Yes,
    /// It is not.
    No,
    /// Not yet.
    Preparation,
    /// Not for some time.
    Closed,
    /// Nobody has said.
    Unknown,
}

impl Standing {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Preparation => "preparation",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
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
    /// Areas round about, with and without points.
    pub(super) areas: &'a [AreaFact],
    /// How long ago the text was written.
    pub(super) ago: Duration,
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

/// How places are told.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) topic: Topic,
    pub(super) days: &'a [NaiveDate],
    pub(super) is_sms: bool,
}

/// What is to be said, before it is known how much of it fits.
pub(super) struct Plan<'a> {
    pub(super) manner: Manner<'a>,
    /// What is said of what was asked for.
    pub(super) head: Vec<String>,
    /// Where it can be had, or which places there are.
    pub(super) intro: String,
    pub(super) listed: Vec<&'a PointFact>,
    pub(super) end: String,
}

impl PlaceWords {
    /// The label of a text that was not understood for sure, but asks whether it is open on some
    /// day: too short for any likeness, and clear to whoever knows the days.
    pub(super) fn hours_of_day(&self, text: &str, nearest: &[String], today: NaiveDate) -> bool {
        let said = words(text);
        nearest.first().is_some_and(|label| Topic::of(label) == Some(Topic::Hours))
            && said.len() <= SHORT
            && said.iter().any(|word| self.asks_hours.contains(word))
            && !self.days().find(text, today).is_empty()
    }

    /// The answer, where anything is on file.
    pub(super) fn tell(&self, ask: Ask<'_>) -> Option<Told> {
        let words = self.words(ask.language);
        let today = ask.points.first()?.at.date();
        let asked_on = ask.points.first()?.at - ask.ago;
        let mut days = self.days().find(ask.text, asked_on.date());
        days.retain(|day| *day >= today);
        let plan = self.plan(ask, words, &days)?;
        let limit = match (ask.is_full, ask.is_sms) {
            (false, false) => MAX_SHORT,
            (false, true) => MAX_SMS,
            (true, false) => MAX_FULL,
            (true, true) => MAX_SMS_FULL,
        };
        let found = &plan.listed;
        let most = if ask.is_full { found.len() } else { SHOWN.min(found.len()) };
        // As many as fit, and at least one. Many places are told in a long text: how far it is too long says how
        // many are left out at once, so that few texts are made in vain.
        let mut shown = most;
        loop {
            let points = found.get(..shown)?;
            let text = words.text(&plan, points).ok()?;
            let length = if ask.is_sms { units(&text) } else { text.chars().count() };
            if length <= limit || shown <= 1 {
                let is_one = shown == 1 && found.len() == 1 && plan.head.is_empty();
                let pin = points.first().filter(|_| is_one).and_then(|p| {
                    let is_place = plan.manner.topic == Topic::Location;
                    (is_place && !ask.is_sms && !ask.is_full).then(|| p.pin())?
                });
                return Some(Told { text, pin });
            }
            shown = (shown - 1).min((shown * limit).div_ceil(length));
        }
    }

    fn plan<'a>(&self, ask: Ask<'a>, words: &Words, days: &'a [NaiveDate]) -> Option<Plan<'a>> {
        let meant = self.naming().meant(ask.text, ask.points, ask.areas);
        let topic = self.topic(ask, &meant)?;
        let manner = Manner { topic, days, is_sms: ask.is_sms };
        let end = words.end(topic, ask.label);
        let mut listed: Vec<&PointFact> = ask.points.iter().filter(|p| manner.lists(p)).collect();
        let mut plan = Plan { manner, head: Vec::new(), intro: String::new(), listed: vec![], end };
        let is_about = matches!(topic, Topic::Service(_) | Topic::Blanko);
        match &meant {
            Meant::Nowhere => {
                let service = self.service(ask.text).filter(|_| topic == Topic::Location);
                let has = |point: &&PointFact| service.is_some_and(|s| point.services.contains(&s));
                // Who asks where something is done is told of the places that do it.
                if listed.iter().any(has) {
                    listed.retain(has);
                }
            }
            Meant::Points(named) if is_about => {
                for point in named.iter().take(SHOWN) {
                    plan.head.push(words.about(point, manner).ok()?);
                }
                let is_there = |point: &&&PointFact| topic.standing(point, days) == Standing::Yes;
                if named.iter().any(|point| is_there(&point)) {
                    listed.clear();
                } else if let Some(first) = named.first() {
                    listed.retain(|point| !named.contains(point));
                    sort_near(&mut listed, &first.area);
                    plan.intro = words.elsewhere(manner, "", !listed.is_empty()).ok()?;
                }
            }
            Meant::Points(named) => {
                let named = named.iter().filter(|point| manner.lists(point)).copied();
                let mut first: Vec<&PointFact> = named.collect();
                if ask.is_full {
                    let others: Vec<&PointFact> =
                        listed.into_iter().filter(|point| !first.contains(point)).collect();
                    first.extend(others);
                }
                listed = first;
            }
            Meant::Area(area) => {
                sort_near(&mut listed, &area.code);
                plan.head.push(words.unplaced(manner, Some(area)).ok()?);
                plan.intro = words.elsewhere(manner, "near", !listed.is_empty()).ok()?;
            }
            Meant::Unknown => {
                plan.head.push(words.unplaced(manner, None).ok()?);
                plan.intro = words.elsewhere(manner, "all", !listed.is_empty()).ok()?;
            }
        }
        plan.listed = listed;
        (!plan.head.is_empty() || !plan.listed.is_empty()).then_some(plan)
    }

    /// What is asked of the places meant; nothing where the answer is not about places.
    fn topic(&self, ask: Ask<'_>, meant: &Meant<'_>) -> Option<Topic> {
        let is_named = *meant != Meant::Nowhere;
        let service = self.service(ask.text).filter(|_| is_named);
        if ask.label == RECORDING {
            // The long form tells what to bring, wherever that is.
            let service = service.unwrap_or(PointService::Recording);
            return (is_named && !ask.is_full).then_some(Topic::Service(service));
        }
        let topic = Topic::of(ask.label)?;
        let is_mobile =
            matches!(meant, Meant::Points(points) if points.iter().all(|p| p.schedule.is_some()));
        Some(match (topic, service) {
            (Topic::Hours | Topic::Location, _) if is_mobile => Topic::Mobile,
            (Topic::Location, Some(service))
            | (Topic::Hours, Some(service @ (PointService::Recording | PointService::Printing))) => {
                Topic::Service(service)
            }
            _ => topic,
        })
    }

    /// What somebody wants done.
    fn service(&self, text: &str) -> Option<PointService> {
        let said = words(text);
        // Papers come first: "cetak KK" is no card.
        let order = [
            PointService::Recording,
            PointService::Kia,
            PointService::Akta,
            PointService::Ikd,
            PointService::Kk,
            PointService::Printing,
            PointService::Collection,
            PointService::Move,
        ];
        order.into_iter().find(|service| {
            let words = self.asked_service.get(service.as_str());
            words.is_some_and(|words| words.iter().any(|word| said.contains(word)))
        })
    }
}

impl Manner<'_> {
    /// Whether a place is told where several are.
    fn lists(&self, point: &PointFact) -> bool {
        let is_elsewhere = match self.topic {
            Topic::Service(_) | Topic::Blanko => point.schedule.is_none(),
            _ => true,
        };
        is_elsewhere && self.topic.standing(point, self.days) == Standing::Yes
    }
}

/// The nearest to an area first, otherwise in their order.
fn sort_near(points: &mut [&PointFact], area: &AreaCode) {
    let near = |point: &PointFact| point.area.common(area).map_or(0, |area| area.plain().len());
    points.sort_by_key(|point| usize::MAX - near(point));
}
