//! Which desa or kelurahan somebody names, of those on file round about.
//!
//! Many share a name: a kecamatan said with it settles which, else all of them are given back and asked about.

use super::mention::{AreaFact, same};
use super::state::words;
use crate::domain::area::{AreaCode, AreaLevel};

/// Words of one name, at most, as people may write them apart.
const LONGEST: usize = 4;
const DESA: &[&str] = &["desa", "ds", "dsn", "kelurahan", "kel", "lurah", "village"];
const KECAMATAN: &[&str] = &["kecamatan", "kec", "camat", "district"];
const LEVELS: &[&str] = &[
    "desa",
    "ds",
    "dsn",
    "kelurahan",
    "kel",
    "lurah",
    "village",
    "kecamatan",
    "kec",
    "camat",
    "district",
    "kabupaten",
    "kab",
    "kota",
];

/// What a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// That desa or kelurahan.
    Desa(&'a AreaFact),
    /// One of these: they share the name, or do not lie where it was said.
    Several(Vec<&'a AreaFact>),
    /// A kecamatan and nothing in it.
    Kecamatan(&'a AreaFact),
    /// Nothing on file.
    Nothing,
}

/// A name in the text: from which word on, and how many.
#[derive(Clone, Copy)]
struct Hit<'a> {
    at: usize,
    count: usize,
    area: &'a AreaFact,
}

/// The words of a name without what it is.
fn own(name: &str) -> Vec<String> {
    let all = words(name);
    let bare: Vec<String> =
        all.iter().filter(|word| !LEVELS.contains(&word.as_str())).cloned().collect();
    if bare.is_empty() { all } else { bare }
}

/// A name without what it is: `Peterongan` of `Kecamatan Peterongan`.
pub(super) fn bare(name: &str) -> String {
    let first = name.split_whitespace().next().unwrap_or_default();
    let rest = name.trim().strip_prefix(first).unwrap_or_default().trim();
    let is_level = LEVELS.contains(&first.to_lowercase().trim_end_matches('.'));
    if is_level && !rest.is_empty() { rest.to_owned() } else { name.trim().to_owned() }
}

/// The name of the kecamatan an area lies in; empty where that is not on file.
pub(super) fn kecamatan_of(areas: &[AreaFact], code: &AreaCode) -> String {
    let kecamatan = code.kecamatan();
    let found = areas.iter().find(|area| Some(&area.code) == kecamatan.as_ref());
    found.map(|area| bare(&area.name)).unwrap_or_default()
}

/// What a text names of the areas on file; `within` is the kecamatan that was named before.
pub(super) fn find<'a>(text: &str, areas: &'a [AreaFact], within: Option<&AreaCode>) -> Found<'a> {
    let said = words(text);
    let mut hits = hits(&said, areas, |name, said| name == said);
    if hits.is_empty() {
        hits = self::hits(&said, areas, same);
    }
    let is_of = |hit: &Hit<'_>, level| hit.area.code.level() == level;
    let kecamatan: Vec<Hit<'_>> =
        hits.iter().filter(|hit| is_of(hit, AreaLevel::Kecamatan)).copied().collect();
    let mut desa: Vec<Hit<'_>> =
        hits.iter().filter(|hit| is_of(hit, AreaLevel::Desa)).copied().collect();
    let named = |desa: &Hit<'_>| {
        kecamatan.iter().any(|kec| kec.at != desa.at && desa.area.code.is_within(&kec.area.code))
    };
    let is_elsewhere = kecamatan.iter().any(|kec| desa.iter().all(|desa| desa.at != kec.at));
    let mut is_sure = true;
    if desa.iter().any(named) {
        desa.retain(named);
    } else if is_elsewhere {
        is_sure = desa.is_empty();
    } else if let Some(within) = within
        && desa.iter().any(|desa| desa.area.code.is_within(within))
    {
        desa.retain(|desa| desa.area.code.is_within(within));
    }
    let mut found: Vec<&AreaFact> = desa.iter().map(|hit| hit.area).collect();
    found.dedup_by_key(|area| &area.code);
    match (found.as_slice(), kecamatan.first()) {
        ([one], _) if is_sure => Found::Desa(one),
        ([], Some(kecamatan)) => Found::Kecamatan(kecamatan.area),
        ([], None) => Found::Nothing,
        _ => Found::Several(found),
    }
}

/// The names that stand in a text, the fullest of those that overlap; a name behind `desa` is no kecamatan's.
fn hits<'a>(
    said: &[String],
    areas: &'a [AreaFact],
    is_same: impl Fn(&str, &str) -> bool,
) -> Vec<Hit<'a>> {
    let mut hits: Vec<Hit<'a>> = Vec::new();
    for area in areas {
        let (level, name) = (area.code.level(), own(&area.name).concat());
        if !matches!(level, AreaLevel::Kecamatan | AreaLevel::Desa) || name.is_empty() {
            continue;
        }
        for at in 0..said.len() {
            let before = at.checked_sub(1).and_then(|at| said.get(at)).map_or("", String::as_str);
            let others = if level == AreaLevel::Desa { KECAMATAN } else { DESA };
            let mut windows = (1..=LONGEST).rev().filter_map(|n| Some((n, said.get(at..at + n)?)));
            let fitting = windows.find(|(_, window)| is_same(&name, &window.concat()));
            if let Some((count, _)) = fitting
                && !others.contains(&before)
            {
                hits.push(Hit { at, count, area });
                break;
            }
        }
    }
    let all = hits.clone();
    hits.retain(|hit| {
        let end = |hit: &Hit<'_>| hit.at + hit.count;
        !all.iter()
            .any(|other| other.count > hit.count && other.at <= hit.at && end(other) >= end(hit))
    });
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas() -> Vec<AreaFact> {
        let area = |code: &str, name: &str| AreaFact {
            code: AreaCode::parse(code).unwrap(),
            name: name.to_owned(),
        };
        vec![
            area("35.17", "Kabupaten Jombang"),
            area("35.17.09", "Kecamatan Jombang"),
            area("35.17.09.1001", "Jombang"),
            area("35.17.09.2018", "Sengon"),
            area("35.17.13", "Mojowarno"),
            area("35.17.13.2001", "Mojo Duwur"),
            area("35.17.13.2002", "Mojo"),
            area("35.17.14", "Ngoro"),
            area("35.17.14.2003", "Sengon"),
        ]
    }

    fn found(text: &str, within: Option<&str>) -> String {
        let areas = areas();
        let within = within.map(|code| AreaCode::parse(code).unwrap());
        match find(text, &areas, within.as_ref()) {
            Found::Desa(area) => area.code.to_string(),
            Found::Kecamatan(area) => format!("kecamatan {}", area.code),
            Found::Several(areas) => {
                areas.iter().map(|area| area.code.to_string()).collect::<Vec<_>>().join(" ")
            }
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn a_desa_is_found_by_its_name_and_by_that_of_its_kecamatan_where_several_share_it() {
        for (text, expected) in [
            ("mojoduwur", "35.17.13.2001"),
            ("Desa Mojo Duwur kec. Mojowarno", "35.17.13.2001"),
            ("mojo", "35.17.13.2002"),
            ("desa mojodwur", "35.17.13.2001"),
            ("sengon", "35.17.09.2018 35.17.14.2003"),
            ("sengon ngoro", "35.17.14.2003"),
            ("ds sengon, kecamatan jombang", "35.17.09.2018"),
            ("sengon kecamatan mojowarno", "35.17.09.2018 35.17.14.2003"),
            ("jombang", "35.17.09.1001"),
            ("kecamatan jombang", "kecamatan 35.17.09"),
            ("kelurahan jombang kecamatan jombang", "35.17.09.1001"),
            ("kec mojo warno", "kecamatan 35.17.13"),
            ("rumah nenek", "nothing"),
            ("", "nothing"),
        ] {
            assert_eq!(found(text, None), expected, "{text}");
        }
        assert_eq!(found("sengon", Some("35.17.14")), "35.17.14.2003");
        assert_eq!(found("mojo", Some("35.17.14")), "35.17.13.2002");
    }

    #[test]
    fn a_name_is_told_without_what_it_is() {
        assert_eq!(bare("Kecamatan Jombang"), "Jombang");
        assert_eq!(bare("Mojo Duwur"), "Mojo Duwur");
        assert_eq!(bare("Desa"), "Desa");
        assert_eq!(kecamatan_of(&areas(), &AreaCode::parse("35.17.09.2018").unwrap()), "Jombang");
    }
}
