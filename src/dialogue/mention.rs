//! Which places a question means: points by their names, an area that has none, or a place that
//! nothing on file knows.
//!
//! A word behind `kecamatan` or `desa` that no example question uses is the name of a place, even
//! where nobody has heard of it: its neighbours' hours are never told as its own.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::place::PointFact;
use super::state::words;
use crate::domain::area::{AreaCode, AreaLevel};

/// Words of a name, at most.
const LONGEST: usize = 3;
/// A name shorter than this is compared letter by letter.
const FUZZY: usize = 6;

/// An area, as it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaFact {
    /// Its code.
    pub code: AreaCode,
    /// Its name.
    pub name: String,
}

/// What stands before the name of a place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Markers {
    kecamatan: Vec<String>,
    desa: Vec<String>,
    /// Before names of offices and of whole kabupaten.
    other: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Kecamatan,
    Desa,
    Other,
}

/// The words by which names are told from other words.
#[derive(Clone, Copy)]
pub(super) struct Naming<'a> {
    pub(super) generic: &'a [String],
    pub(super) markers: &'a Markers,
    /// Words that people use when they name no place.
    pub(super) ordinary: &'a BTreeSet<String>,
}

/// What a question means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meant<'a> {
    /// No place.
    Nowhere,
    /// These.
    Points(Vec<&'a PointFact>),
    /// An area without a point.
    Area(&'a AreaFact),
    /// A place that is not on file.
    Unknown,
}

/// A name that stands behind a marker.
struct Mention {
    level: Level,
    words: Vec<String>,
}

impl Markers {
    fn of(&self, word: &str) -> Option<Level> {
        let has = |list: &[String]| list.iter().any(|known| known == word);
        if has(&self.kecamatan) {
            Some(Level::Kecamatan)
        } else if has(&self.desa) {
            Some(Level::Desa)
        } else {
            has(&self.other).then_some(Level::Other)
        }
    }

    /// Words of a text that do not stand behind a marker.
    pub(super) fn ordinary(&self, text: &str) -> Vec<String> {
        let said = words(text);
        let is_behind = |at: usize| {
            at.checked_sub(1).and_then(|at| said.get(at)).is_some_and(|w| self.of(w).is_some())
        };
        let found = said.iter().enumerate().filter(|(at, _)| !is_behind(*at));
        found.map(|(_, word)| word.clone()).collect()
    }
}

impl Naming<'_> {
    /// What a question means of what is on file.
    pub(super) fn meant<'f>(
        &self,
        text: &str,
        points: &'f [PointFact],
        areas: &'f [AreaFact],
    ) -> Meant<'f> {
        let said = words(text);
        let mentions = self.mentions(&said, points, areas);
        if mentions.is_empty() {
            let named = self.scored(&said, points.iter(), 0);
            if !named.is_empty() {
                return Meant::Points(named);
            }
            return self.spoken(&said, areas).map_or(Meant::Nowhere, |area| settle(area, points));
        }
        for mention in &mentions {
            let fitting = points.iter().filter(|point| self.fits(mention, point));
            let named = self.scored(&said, fitting, 1);
            if !named.is_empty() {
                return Meant::Points(named);
            }
        }
        for mention in &mentions {
            let told = points.iter().filter(|point| mention.is_told_of(point));
            let told: Vec<&PointFact> = told.collect();
            if !told.is_empty() {
                return Meant::Points(told);
            }
            if let Some(area) = self.area(mention, areas) {
                return settle(area, points);
            }
        }
        let is_strange = |mention: &Mention| {
            mention.words.first().is_some_and(|word| !self.ordinary.contains(word))
        };
        if mentions.iter().any(is_strange) { Meant::Unknown } else { Meant::Nowhere }
    }

    /// Names behind markers. Where a kecamatan or desa is named, what it lies in is not meant.
    fn mentions(&self, said: &[String], points: &[PointFact], areas: &[AreaFact]) -> Vec<Mention> {
        let mut known: BTreeSet<String> = BTreeSet::new();
        known.extend(points.iter().flat_map(|point| self.own(&point.name)));
        known.extend(areas.iter().flat_map(|area| self.own(&area.name)));
        for point in points {
            let told = [point.schedule.as_deref(), point.address.as_deref()];
            for told in told.into_iter().flatten().map(words) {
                // "Balai Desa Tlogo".
                let behind = told.windows(2).filter(|pair| self.markers.of(&pair[0]).is_some());
                known.extend(behind.map(|pair| pair[1].clone()));
            }
        }
        let is_name = |word: &&String| {
            let is_long = word.chars().count() > 2 && word.chars().any(char::is_alphabetic);
            is_long
                && self.markers.of(word).is_none()
                && (known.contains(*word) || !self.ordinary.contains(*word))
        };
        let mut mentions: Vec<Mention> = Vec::new();
        for (at, word) in said.iter().enumerate() {
            let Some(level) = self.markers.of(word) else { continue };
            let behind = said.iter().skip(at + 1).take_while(is_name).take(LONGEST);
            let words: Vec<String> = behind.cloned().collect();
            if !words.is_empty() {
                mentions.push(Mention { level, words });
            }
        }
        if mentions.iter().any(|mention| mention.level != Level::Other) {
            mentions.retain(|mention| mention.level != Level::Other);
        }
        mentions
    }

    /// The words of a name that tell it from others.
    fn own(&self, name: &str) -> Vec<String> {
        let is_own = |word: &String| word.chars().count() > 2 && !self.generic.contains(word);
        words(name).into_iter().filter(is_own).collect()
    }

    fn fits(&self, mention: &Mention, point: &PointFact) -> bool {
        let name = words(&point.name);
        let marked = name.iter().enumerate().find_map(|(at, word)| {
            let level = self.markers.of(word)?;
            Some((level, name.get(at + 1..).unwrap_or_default()))
        });
        let own = self.own(&point.name);
        let is_part = || mention.words.iter().all(|word| own.iter().any(|own| same(own, word)));
        match marked {
            _ if own.is_empty() => false,
            Some((level, _)) if mention.level != Level::Other && level != mention.level => false,
            // "Kecamatan Mojo" is not Kecamatan Mojo Warno, but Kecamatan Jombang may be "Kantor
            // Kecamatan Jombang Gedung Baru".
            Some((_, behind)) if mention.level != Level::Other => {
                let place = behind.iter().enumerate();
                let place: Vec<String> = place
                    .take_while(|(at, word)| *at == 0 || !self.ordinary.contains(*word))
                    .map(|(_, word)| word.clone())
                    .collect();
                mention.begins_with(&own) || (!place.is_empty() && mention.begins_with(&place))
            }
            _ => mention.begins_with(&own) || is_part(),
        }
    }

    fn area<'f>(&self, mention: &Mention, areas: &'f [AreaFact]) -> Option<&'f AreaFact> {
        let fitting = areas.iter().filter(|area| {
            let own = self.own(&area.name);
            !own.is_empty() && mention.begins_with(&own)
        });
        let rank = |area: &&AreaFact| {
            let is_desa = area.code.level() == AreaLevel::Desa;
            let is_level = is_desa == (mention.level == Level::Desa);
            (!is_level, area.code.clone())
        };
        fitting.min_by_key(rank)
    }

    /// An area whose name stands in the text without a marker, and means nothing else.
    fn spoken<'f>(&self, said: &[String], areas: &'f [AreaFact]) -> Option<&'f AreaFact> {
        let is_said = |area: &&AreaFact| {
            let own = self.own(&area.name);
            !own.is_empty()
                && own.iter().all(|word| said.contains(word) && !self.ordinary.contains(word))
        };
        areas.iter().filter(is_said).min_by_key(|area| area.code.clone())
    }

    /// The points whose names stand in the question, or as many words of them as are known to; of
    /// several those it names most fully.
    fn scored<'f>(
        &self,
        said: &[String],
        points: impl Iterator<Item = &'f PointFact>,
        at_least: usize,
    ) -> Vec<&'f PointFact> {
        let is_said = |word: &&String| said.iter().any(|said| same(said, word));
        let score = |point: &PointFact| {
            let mut name = words(&point.name);
            name.sort_unstable();
            name.dedup();
            let (generic, own): (Vec<&String>, Vec<&String>) =
                name.iter().filter(is_said).partition(|w| self.generic.contains(w));
            let own = own.iter().filter(|word| word.chars().count() > 2).count().max(at_least);
            if own == 0 { 0 } else { own * 10 + generic.len() }
        };
        let scored: Vec<(usize, &PointFact)> = points.map(|point| (score(point), point)).collect();
        let best = scored.iter().map(|(score, _)| *score).max().unwrap_or(0);
        let is_best = |(score, _): &&(usize, &PointFact)| best > 0 && *score == best;
        scored.iter().filter(is_best).map(|(_, point)| *point).collect()
    }
}

impl Mention {
    /// Whether it begins with that name, however that is cut into words.
    fn begins_with(&self, own: &[String]) -> bool {
        let name = own.concat();
        (1..=self.words.len())
            .filter_map(|end| self.words.get(..end))
            .any(|said| same(&said.concat(), &name))
    }

    /// Whether a point comes there, or lies in that desa.
    fn is_told_of(&self, point: &PointFact) -> bool {
        let address = point.address.as_deref().filter(|_| self.level == Level::Desa);
        let told = [point.schedule.as_deref(), address];
        let told: Vec<String> = told.into_iter().flatten().flat_map(words).collect();
        self.words.first().is_some_and(|word| told.contains(word))
    }
}

/// The points of an area; none of a whole kabupaten are meant more than others.
fn settle<'f>(area: &'f AreaFact, points: &'f [PointFact]) -> Meant<'f> {
    if !matches!(area.code.level(), AreaLevel::Kecamatan | AreaLevel::Desa) {
        return Meant::Nowhere;
    }
    let within: Vec<&PointFact> =
        points.iter().filter(|point| point.area.is_within(&area.code)).collect();
    if within.is_empty() { Meant::Area(area) } else { Meant::Points(within) }
}

/// The same word, or a long one with one letter wrong, missing or too many.
pub(super) fn same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() { (&one, &other) } else { (&other, &one) };
    if short.len() < FUZZY || long.len() > short.len() + 1 {
        return false;
    }
    let head = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let tail = short.iter().rev().zip(long.iter().rev()).take_while(|(a, b)| a == b).count();
    head + tail + 1 >= long.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::point_line::point;
    use crate::dialogue::tests::script;

    /// What a text means, in words.
    fn meant(text: &str) -> String {
        let points: Vec<PointFact> = [
            "Kantor Kecamatan Jombang | | area: 35.17.09",
            "Kantor Kecamatan Mojo Warno | | area: 35.17.13",
            "Kantor Desa Sukamaju | | area: 35.17.09.2005",
            "Loket Utara | Desa Keplaksari | area: 35.17.12.2001",
            "Kantor Kecamatan Ngusikan Gedung Baru | | area: 35.17.20",
            "Mobil Keliling Dukcapil | | schedule: Selasa Balai Desa Tlogo",
        ]
        .map(|line| point(line).unwrap())
        .into();
        let area = |code: &str, name: &str| AreaFact {
            code: AreaCode::parse(code).unwrap(),
            name: name.to_owned(),
        };
        let areas = [
            area("35.17", "Kabupaten Jombang"),
            area("35.17.12", "Peterongan"),
            area("35.17.03", "Bareng"),
            area("35.17.09.2001", "Jombang"),
            area("35.17.10", "Sumobito"),
        ];
        match script().place().naming().meant(text, &points, &areas) {
            Meant::Nowhere => "nowhere".into(),
            Meant::Unknown => "unknown".into(),
            Meant::Area(area) => area.code.to_string(),
            Meant::Points(points) => {
                let names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
                names.join(", ")
            }
        }
    }

    #[test]
    fn a_place_is_known_by_its_name_and_by_nothing_less() {
        for (text, place) in [
            ("kecamatan jombang buka jam berapa", "Kantor Kecamatan Jombang"),
            ("kec.jombamg bka jam brp", "Kantor Kecamatan Jombang"),
            ("kecamatan mojowarno buka?", "Kantor Kecamatan Mojo Warno"),
            ("kantor kecamatan ngusikan buka?", "Kantor Kecamatan Ngusikan Gedung Baru"),
            ("kecamatan mojo agung buka?", "unknown"),
            ("kecamatan wringinpitu jombang buka?", "unknown"),
            ("kecamatan wringinpitu kabupaten jombang buka?", "unknown"),
            ("kelurahan sukamaju buka?", "Kantor Desa Sukamaju"),
            ("kecamatan sukamaju buka?", "unknown"),
            ("desa jombang buka?", "35.17.09.2001"),
            ("kecamatan peterongan buka?", "Loket Utara"),
            ("desa keplaksari dilayani dimana", "Loket Utara"),
            ("mobil keliling ke desa tlogo kapan", "Mobil Keliling Dukcapil"),
            ("kecamatan bareng buka?", "35.17.03"),
            ("sumobito buka jam berapa", "35.17.10"),
            ("kabupaten jombang kantornya buka?", "Kantor Kecamatan Jombang"),
        ] {
            assert_eq!(meant(text), place, "{text}");
        }
    }

    #[test]
    fn ordinary_words_behind_kecamatan_name_no_place() {
        for text in [
            "kantor kecamatan buka jam berapa",
            "di kecamatan bisa rekam ktp tiap hari apa",
            "kecamatan mana aja yg bisa cetak",
            "kantor desa saya besok buka?",
            "kecamatan hari sabtu buka gak",
            "datang bareng teman boleh?",
            "kec 2 buka",
            "dukcapil besok libur?",
        ] {
            assert_eq!(meant(text), "nowhere", "{text}");
        }
    }
}
