//! What stands in the form of a broadcast: its words, whom it is for, and when it goes out.

use chrono::{NaiveDateTime, TimeZone as _};
use serde::Deserialize;

use super::words;
use crate::domain::area::AreaCode;
use crate::domain::audience::{Audience, CardCondition};
use crate::domain::broadcast::{Notice, Schedule};
use crate::domain::clock::Timestamp;
use crate::domain::timetable::Timetable;
use crate::service::broadcast::Draft;
use crate::store::broadcast::Broadcast;
use crate::web::Web;
use crate::web::console::page::Page;

/// What stands in the form.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) place: String,
    #[serde(default)]
    pub(super) time: String,
    #[serde(default)]
    pub(super) areas: String,
    #[serde(default)]
    pub(super) dusun: String,
    #[serde(default)]
    pub(super) rw: String,
    #[serde(default)]
    pub(super) rt: String,
    #[serde(default)]
    pub(super) card: String,
    #[serde(default)]
    pub(super) months: String,
    #[serde(default)]
    pub(super) days: String,
    #[serde(default)]
    pub(super) document: String,
    #[serde(default)]
    pub(super) language: String,
    /// `1`: those on the list that was uploaded.
    #[serde(default)]
    pub(super) list: String,
    #[serde(default)]
    pub(super) when: String,
    #[serde(default)]
    pub(super) at: String,
    #[serde(default)]
    pub(super) weekday: String,
    #[serde(default)]
    pub(super) monthday: String,
    #[serde(default)]
    pub(super) clock: String,
    #[serde(default)]
    pub(super) cron: String,
}

impl Written {
    /// The draft it is, or what is wrong with it.
    pub(super) fn check(&self, web: &Web, page: &Page) -> Result<Draft, String> {
        let notice = Notice::parse(&self.title, &self.text, &self.place, &self.time)
            .map_err(|error| words::notice(page, error))?;
        let number = |text: &str, most: u32, problem: &str| {
            let number = text.trim().parse::<u32>().ok();
            number.filter(|number| (1..=most).contains(number)).ok_or_else(|| problem.to_owned())
        };
        let areas = self
            .areas
            .split([',', ' ', '\n', ';'])
            .map(str::trim)
            .filter(|code| !code.is_empty())
            .map(|code| {
                let problem = page.t(
                    "Kode wilayah tidak terbaca. Tulis seperti 35.17.09:",
                    "The area code cannot be read. Write it like 35.17.09:",
                );
                AreaCode::parse(code).map_err(|_| format!("{problem} {code}"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let audience = Audience {
            areas,
            dusun: some(&self.dusun),
            rw: some(&self.rw),
            rt: some(&self.rt),
            card: match self.card.as_str() {
                "not_recorded" => Some(CardCondition::NotRecorded),
                "turning_17" => Some(CardCondition::Turning17 {
                    months: number(
                        &self.months,
                        Audience::MOST_MONTHS,
                        page.t(
                            "Tulis jumlah bulannya dengan angka, 1 sampai 24.",
                            "Give the months as a number, 1 to 24.",
                        ),
                    )?,
                }),
                "uncollected" => Some(CardCondition::Uncollected {
                    days: number(
                        &self.days,
                        Audience::MOST_DAYS,
                        page.t(
                            "Tulis jumlah harinya dengan angka, 1 sampai 3650.",
                            "Give the days as a number, 1 to 3650.",
                        ),
                    )?,
                }),
                _ => None,
            },
            document: some(&self.document)
                .map(|word| word.parse().map_err(|_| format!("{word}?")))
                .transpose()?,
            language: some(&self.language)
                .map(|word| word.parse().map_err(|_| format!("{word}?")))
                .transpose()?,
            is_list: self.list == "1",
        };
        if audience.areas.len() > Audience::MOST_AREAS {
            let words = page.t(
                "Paling banyak 100 wilayah. Tulis kode kecamatan atau kabupatennya saja.",
                "At most 100 areas. Give the code of the kecamatan or kabupaten instead.",
            );
            return Err(words.to_owned());
        }
        if audience.is_list && (audience.card.is_some() || audience.document.is_some()) {
            let words = page.t(
                "Daftar tidak digabung dengan keadaan KTP-el atau layanan. Kosongkan salah satunya.",
                "A list goes with neither the state of the card nor a service. Leave one of them out.",
            );
            return Err(words.to_owned());
        }
        Ok(Draft { notice, audience: audience.tidied(), schedule: self.schedule(web, page)? })
    }

    fn schedule(&self, web: &Web, page: &Page) -> Result<Schedule, String> {
        let clock = || {
            let time = chrono::NaiveTime::parse_from_str(self.clock.trim(), "%H:%M")
                .map_err(|_| page.t("Tulis jamnya seperti 08:00.", "Write the time like 08:00."))?;
            Ok::<_, String>(time.format("%-M %-H").to_string())
        };
        let timetable = |line: &str| {
            Timetable::parse(line)
                .map(Schedule::Timetable)
                .map_err(|error| words::timetable(page, error))
        };
        match self.when.as_str() {
            "at" => {
                let naive = NaiveDateTime::parse_from_str(self.at.trim(), "%Y-%m-%dT%H:%M")
                    .map_err(|_| {
                        page.t("Pilih tanggal dan jamnya.", "Choose the date and the time.")
                    })?;
                let zone = web.app.settings.office_area.zone().offset();
                let at = zone.from_local_datetime(&naive).single().map(Timestamp::from);
                let at = at.filter(|at| *at > web.app.now());
                Ok(Schedule::At(at.ok_or_else(|| {
                    page.t(
                        "Waktu itu sudah lewat. Pilih yang akan datang.",
                        "That moment has passed. Choose one to come.",
                    )
                })?))
            }
            "weekly" => timetable(&format!("{} * * {}", clock()?, self.weekday)),
            "monthly" => {
                let day: u32 = self.monthday.trim().parse().map_err(|_| {
                    page.t(
                        "Tulis tanggalnya dengan angka, 1 sampai 28.",
                        "Give the day as a number, 1 to 28.",
                    )
                })?;
                timetable(&format!("{} {day} * *", clock()?))
            }
            "cron" => timetable(self.cron.trim()),
            _ => Ok(Schedule::Now),
        }
    }

    /// The form of one that was kept.
    pub(super) fn of(web: &Web, one: &Broadcast) -> Self {
        let zone = web.app.settings.office_area.zone().offset();
        let areas: Vec<String> = one.audience.areas.iter().map(ToString::to_string).collect();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (card, months, days) = match one.audience.card {
            None => ("", String::new(), String::new()),
            Some(CardCondition::NotRecorded) => ("not_recorded", String::new(), String::new()),
            Some(CardCondition::Turning17 { months }) => {
                ("turning_17", months.to_string(), String::new())
            }
            Some(CardCondition::Uncollected { days }) => {
                ("uncollected", String::new(), days.to_string())
            }
        };
        let (when, at, cron) = match &one.schedule {
            Schedule::Now => ("now", String::new(), String::new()),
            Schedule::At(at) => {
                ("at", at.in_zone(zone).format("%Y-%m-%dT%H:%M").to_string(), String::new())
            }
            Schedule::Timetable(line) => ("cron", String::new(), line.to_string()),
        };
        Self {
            title: one.notice.title.clone(),
            text: one.notice.text.clone(),
            place: text(&one.notice.place),
            time: text(&one.notice.time),
            areas: areas.join(", "),
            dusun: text(&one.audience.dusun),
            rw: text(&one.audience.rw),
            rt: text(&one.audience.rt),
            card: card.to_owned(),
            months,
            days,
            document: one.audience.document.map_or("", |document| document.as_str()).to_owned(),
            language: one.audience.language.map_or("", |word| word.as_str()).to_owned(),
            list: if one.audience.is_list { "1" } else { "" }.to_owned(),
            when: when.to_owned(),
            at,
            cron,
            ..Self::default()
        }
    }
}
