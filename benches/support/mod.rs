//! What benches share: their arguments, parts in processes of their own, and the comparison.
//!
//! Rounds of both sides alternate and the median counts: a busy machine slows both, and their
//! ratio stays. Knows nothing of what is measured.
#![expect(clippy::print_stdout, reason = "a bench speaks to its terminal")]

pub mod office;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

/// Which part of the bench a process is; unset in the one that was started by hand.
const PART: &str = "KABAR_BENCH_PART";
/// Linux counts CPU time for programs in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// What the bench was asked for.
pub struct Args {
    /// One JSON object a measurement instead of a table.
    pub json: bool,
    /// How many messages each round has.
    pub messages: usize,
    /// How often each side is measured.
    pub rounds: usize,
    /// Where what was filled in is kept and found again; for benches that take long to fill.
    pub kept: Option<PathBuf>,
}

impl Args {
    /// Reads the arguments of this process.
    pub fn read(messages: usize) -> anyhow::Result<Self> {
        let args = Self::read_keeping(messages)?;
        ensure!(args.kept.is_none(), "this bench keeps nothing: leave --kept out");
        Ok(args)
    }

    /// The same of a bench that can keep what it filled in.
    pub fn read_keeping(messages: usize) -> anyhow::Result<Self> {
        let mut args = Self { json: false, messages, rounds: 5, kept: None };
        let mut given = std::env::args().skip(1);
        while let Some(word) = given.next() {
            let mut number = |most: usize| -> anyhow::Result<usize> {
                let value = given.next().with_context(|| format!("{word} needs a number"))?;
                let value = value.parse().with_context(|| format!("{word} needs a number"))?;
                ensure!((1..=most).contains(&value), "{word} is 1 to {most}");
                Ok(value)
            };
            match word.as_str() {
                "--json" => args.json = true,
                "--messages" => args.messages = number(10_000_000)?,
                "--rounds" => args.rounds = number(25)?,
                "--kept" => args.kept = Some(given.next().context("--kept needs a folder")?.into()),
                // What cargo itself adds.
                "--bench" => {}
                _ => bail!(
                    "unknown argument {word}; known: --json, --messages N, --rounds N, --kept FOLDER"
                ),
            }
        }
        Ok(args)
    }
}

/// Which part of the bench this process is.
pub fn part_name() -> Option<String> {
    std::env::var(PART).ok()
}

/// This program again, as a part of the bench.
pub fn again(part: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(PART, part).stdin(Stdio::null());
    Ok(command)
}

/// Lets a part do its task, and returns the JSON object it prints.
pub fn measure_part<const N: usize>(
    part: &str,
    task: [(&str, String); N],
) -> anyhow::Result<Value> {
    let output = again(part)?.envs(task).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the part {part} failed");
    serde_json::from_slice(&output.stdout).with_context(|| format!("the words of {part}"))
}

struct Figures {
    per_second: f64,
    cpu_per_1000: f64,
    peak_mib: f64,
}

/// The medians of the rounds, which hold `messages`, `{phase}_seconds`, `{phase}_cpu` and `peak_kib`.
fn figures(rounds: &[Value], phase: &str) -> Figures {
    let count = median(rounds, "messages");
    Figures {
        per_second: count / median(rounds, &format!("{phase}_seconds")),
        cpu_per_1000: median(rounds, &format!("{phase}_cpu")) / count * 1000.0,
        peak_mib: median(rounds, "peak_kib") / 1024.0,
    }
}

/// The middle one of a figure of several rounds.
pub fn median(rounds: &[Value], name: &str) -> f64 {
    let mut values: Vec<f64> = rounds.iter().filter_map(|round| round[name].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints one measurement beside its baseline.
pub fn report(args: &Args, name: &str, phase: &str, service: &[Value], bare: &[Value]) {
    let (service, bare) = (figures(service, phase), figures(bare, phase));
    let ratio = service.per_second / bare.per_second;
    if args.json {
        let round = rounded;
        let shown = |name: &str, f: &Figures| {
            json!({"name": name, "messages_per_second": round(f.per_second, 1),
                   "cpu_seconds_per_1000": round(f.cpu_per_1000, 4),
                   "peak_memory_mib": round(f.peak_mib, 1)})
        };
        let mut line = shown(name, &service);
        line["messages"] = args.messages.into();
        line["rounds"] = args.rounds.into();
        line["baseline"] = shown("bare reqwest loop", &bare);
        line["ratio"] = round(ratio, 4).into();
        println!("{line}");
        return;
    }
    println!("{name}: {} messages, median of {} rounds", args.messages, args.rounds);
    for (who, f) in [("kabar", &service), ("bare reqwest loop", &bare)] {
        println!(
            "  {who:<18}{:>8.0} messages/s{:>9.3} CPU s per 1,000{:>7.1} MiB at most",
            f.per_second, f.cpu_per_1000, f.peak_mib
        );
    }
    println!("  ratio             {ratio:>8.3}");
}

/// A figure with so many places.
pub fn rounded(value: f64, places: i32) -> f64 {
    let scale = 10_f64.powi(places);
    (value * scale).round() / scale
}

/// CPU time this process has used.
pub fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may hold blanks. Behind it, user and system time are the 12th and
    // 13th word.
    let words: Vec<&str> =
        stat.rsplit_once(')').context("/proc/self/stat")?.1.split_whitespace().collect();
    let ticks = |at: usize| -> anyhow::Result<f64> {
        Ok(words.get(at).context("/proc/self/stat is short")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// The most memory this process ever held.
pub fn peak_kib() -> anyhow::Result<u64> {
    peak_kib_of("self")
}

/// The same of another process that still runs.
pub fn peak_kib_of(process: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
