//! The floors of the house: who may import whom. The compiler does not guard it within one crate.

use std::path::{Path, PathBuf};

/// Module, and what it may name besides itself. `main` and `cli` may name everything; `config`
/// and `telemetry` stand beside the floors and are held to what is written here.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("dialogue", &["domain"]),
    ("understand", &["domain"]),
    ("template", &["domain"]),
    ("store", &["domain"]),
    ("channel", &["domain"]),
    ("source", &["domain"]),
    ("service", &["domain", "dialogue", "understand", "template", "store", "channel", "source"]),
    ("web", &["domain", "service", "store", "channel", "telemetry"]),
    ("worker", &["domain", "service", "telemetry"]),
    ("sandbox", &["domain", "service", "telemetry"]),
    ("config", &["domain", "store", "channel", "source", "telemetry"]),
    ("telemetry", &[]),
];

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a source names as `crate::…`, in `use` lines and in paths alike.
fn named(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let group =
                rest.strip_prefix('{').map(|inner| inner.split('}').next().unwrap_or(inner));
            for part in group.unwrap_or(rest).split(',').take(if group.is_some() { 99 } else { 1 })
            {
                let part = part.trim();
                let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_');
                names.push(part[..end.unwrap_or(part.len())].to_owned());
            }
        }
    }
    names
}

#[test]
fn no_module_imports_from_a_floor_above_it_or_from_its_neighbour() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    assert!(all.len() > 80, "the sources are found: {}", all.len());
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for path in &all {
        let inside = path.strip_prefix(&src).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        // Tests may bring neighbours together to see that they fit.
        let is_test = inside.iter().any(|part| part == "test" || part == "tests.rs");
        if is_test || matches!(module, "cli" | "main" | "lib") {
            continue;
        }
        let (_, allowed) =
            MAY_IMPORT.iter().find(|(name, _)| *name == module).unwrap_or_else(|| {
                panic!("{module} has no floor: add it to the table here and to the README")
            });
        seen.push(module.to_owned());
        let source = std::fs::read_to_string(path).unwrap();
        for name in named(&source) {
            // The macro `words!` lives in `domain`.
            let is_fine = name == module || name == "words" || allowed.contains(&name.as_str());
            if !is_fine {
                wrong.push(format!("{} names {name}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (module, _) in MAY_IMPORT {
        assert!(seen.iter().any(|name| name == module), "{module} is in the table and not in src");
    }
}

#[test]
fn what_stands_above_knows_no_provider_by_name() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    for floor in ["web", "service", "worker", "store"] {
        files(&src.join(floor), &mut all);
    }
    assert!(all.len() > 40, "the sources are found: {}", all.len());
    for path in all {
        let source = std::fs::read_to_string(&path).unwrap();
        for provider in ["whatsapp", "telegram", "sms"] {
            let named = source.contains(&format!("channel::{provider}"));
            assert!(!named, "{} names {provider}", path.display());
        }
    }
}

#[test]
fn the_reader_of_imports_sees_every_way_of_writing_one() {
    let source = "use crate::store::Db;\nuse crate::{domain::id, service};\n\
                  let x = crate::template::load();\n// crate::web\n$crate::words! {}";
    assert_eq!(named(source), ["store", "domain", "service", "template", "words"]);
}
