//! What understanding a message costs and how well it is done, beside a plain search over the same examples.
//!
//! `cargo bench --bench understanding -- [--json] [--messages N] [--rounds N]`, N messages a round from the
//! development set in `tests/understanding`. The baseline is BM25 over the words of the examples, with the same
//! table of spellings and the same stems: the label of the best hit. Each side runs in a process of its own.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench speaks to its terminal")]
#![expect(clippy::cast_precision_loss, reason = "counts of examples are small")]

#[allow(dead_code, reason = "each bench uses its own part")]
mod support;

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use kabar::dialogue::Script;
use kabar::understand::report::{Labelled, parse};
use kabar::understand::{LABELS, Spelling, Understanding};
use serde_json::{Value, json};
use support::{Args, measure_part, median, part_name, peak_kib, rounded};

const MESSAGES: &str = "KABAR_BENCH_MESSAGES";

fn main() -> ExitCode {
    let done = match part_name().as_deref() {
        Some("kabar") => part(|spelling, examples| {
            let spelling = Spelling::parse(spelling).map_err(anyhow::Error::msg)?;
            let understanding = Understanding::train_with(spelling, examples.iter().copied());
            Ok(move |text: &str| {
                // What a message costs is the whole of it; the ranking is for the figure alone.
                let meaning = understanding.understand(text);
                drop(meaning);
                understanding.rank(text).first().map(|(label, _)| (*label).to_owned())
            })
        }),
        Some("search") => part(|spelling, examples| {
            let spelling = Spelling::parse(spelling).map_err(anyhow::Error::msg)?;
            let search = Search::over(spelling, examples);
            Ok(move |text: &str| search.label(text))
        }),
        _ => compare(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> anyhow::Result<()> {
    let args = Args::read(2_000)?;
    let mut rounds: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..args.rounds {
        for (side, rounds) in ["kabar", "search"].into_iter().zip(&mut rounds) {
            rounds.push(measure_part(side, [(MESSAGES, args.messages.to_string())])?);
        }
    }
    let figures = |rounds: &[Value]| {
        let of = |name: &str, places: i32| rounded(median(rounds, name), places);
        json!({
            "train_ms": of("train_ms", 1), "p50_us": of("p50_us", 1), "p99_us": of("p99_us", 1),
            "slowest_us": of("slowest_us", 1), "memory_mib": rounded(median(rounds, "kib") / 1024.0, 1),
            "peak_memory_mib": rounded(median(rounds, "peak_kib") / 1024.0, 1),
            "first_right_percent": of("first_right_percent", 1),
        })
    };
    let [mut kabar, mut search] = rounds.each_ref().map(|rounds| figures(rounds));
    let ratio = |name: &str| {
        let [a, b] = [&kabar, &search].map(|side| side[name].as_f64().unwrap_or(f64::NAN));
        rounded(a / b, 3)
    };
    let (time, right) = (ratio("p50_us"), ratio("first_right_percent"));
    kabar["name"] = "understand".into();
    kabar["messages"] = args.messages.into();
    kabar["rounds"] = args.rounds.into();
    search["name"] = "BM25 over the same examples".into();
    if args.json {
        kabar["baseline"] = search;
        kabar["ratio"] = time.into();
        kabar["ratio_first_right"] = right.into();
        println!("{kabar}");
        return Ok(());
    }
    println!("understand: {} messages, median of {} rounds", args.messages, args.rounds);
    for side in [&kabar, &search] {
        println!(
            "  {:28} trained in {:>6} ms, a message {:>6} us (99 % within {:>6}), {:>5} MiB ({} while training), first guess right {} %",
            side["name"].as_str().unwrap_or_default(),
            side["train_ms"],
            side["p50_us"],
            side["p99_us"],
            side["memory_mib"],
            side["peak_memory_mib"],
            side["first_right_percent"],
        );
    }
    println!("  ratio of times {time}, of right guesses {right}");
    Ok(())
}

/// Trains one side, lets it guess, and prints what it took.
fn part<G: Fn(&str) -> Option<String>>(
    train: impl FnOnce(&str, &[(&str, &str)]) -> anyhow::Result<G>,
) -> anyhow::Result<()> {
    let count: usize = std::env::var(MESSAGES)?.parse()?;
    let script = script()?;
    let examples: Vec<(&str, &str)> = script.examples().collect();
    let lines = lines()?;
    ensure!(!lines.is_empty(), "tests/understanding has no messages");
    let (before, resident_before) = (peak_kib()?, resident_kib()?);
    let started = Instant::now();
    let guess = train(script.spelling(), &examples)?;
    let train_ms = started.elapsed().as_secs_f64() * 1000.0;
    let kib = resident_kib()?.saturating_sub(resident_before);
    let peak = peak_kib()? - before;
    let mut times = Vec::with_capacity(count);
    let mut right = 0_u32;
    for line in lines.iter().cycle().take(count) {
        let started = Instant::now();
        let label = guess(&line.text);
        times.push(started.elapsed().as_secs_f64() * 1e6);
        right += u32::from(label.is_some_and(|label| label == line.label || label == line.also));
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1));
    let measured = json!({
        "train_ms": train_ms, "p50_us": at(50), "p99_us": at(99), "slowest_us": at(100), "kib": kib, "peak_kib": peak,
        "first_right_percent": 100.0 * f64::from(right) / f64::from(u32::try_from(count)?),
    });
    println!("{measured}");
    Ok(())
}

/// Memory this process has in use at present; what was freed but not given back counts as well.
fn resident_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("VmRSS")?.parse()?)
}

fn script() -> anyhow::Result<Script> {
    Script::embedded(LABELS).map_err(|faults| anyhow::anyhow!(faults.join("; ")))
}

/// The development set, all files.
fn lines() -> anyhow::Result<Vec<Labelled>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/understanding");
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).context(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tsv") {
            lines.extend(parse(&std::fs::read_to_string(&path)?).map_err(anyhow::Error::msg)?);
        }
    }
    // Short and long ones mixed, in the same order in every run.
    lines.sort_by_key(|line| {
        line.text.bytes().fold(7_u32, |a, b| a.wrapping_mul(31).wrapping_add(b.into()))
    });
    Ok(lines)
}

/// Okapi BM25 with the usual constants.
struct Search {
    spelling: Spelling,
    labels: Vec<String>,
    lengths: Vec<f64>,
    /// By word: the examples that have it.
    postings: HashMap<String, Vec<usize>>,
}

impl Search {
    fn over(spelling: Spelling, examples: &[(&str, &str)]) -> Self {
        let mut search =
            Self { spelling, labels: Vec::new(), lengths: Vec::new(), postings: HashMap::new() };
        for (label, text) in examples {
            let mut words = search.spelling.stems(text);
            search.lengths.push(f64::from(u32::try_from(words.len()).unwrap_or(u32::MAX)));
            words.sort_unstable();
            words.dedup();
            for word in words {
                search.postings.entry(word).or_default().push(search.labels.len());
            }
            search.labels.push(label.split('/').next().unwrap_or(label).to_owned());
        }
        search
    }

    fn label(&self, text: &str) -> Option<String> {
        const K: f64 = 1.2;
        const B: f64 = 0.75;
        let total = self.labels.len() as f64;
        let average = self.lengths.iter().sum::<f64>() / total;
        let mut scores = vec![0.0_f64; self.labels.len()];
        for word in self.spelling.stems(text) {
            let Some(with) = self.postings.get(&word) else { continue };
            let rarity = ((total - with.len() as f64 + 0.5) / (with.len() as f64 + 0.5) + 1.0).ln();
            for example in with {
                let length = self.lengths[*example] / average;
                scores[*example] += rarity * (K + 1.0) / (1.0 + K * (1.0 - B + B * length));
            }
        }
        let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        (*best.1 > 0.0).then(|| self.labels[best.0].clone())
    }
}
