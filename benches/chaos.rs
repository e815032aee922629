//! How much is lost and how much is doubled when everything fails at random under load, on both engines.
//!
//! `cargo bench --bench chaos -- [--kills N] [--seed N]`. The same runs as `tests/it/chaos.rs`, only longer: processes are
//! killed so often, and of every other blow there is one for each ten kills. Where the provider does not echo our id of a
//! message, what was doubled is counted and printed. Nothing but loopback is spoken to, and every part ends by itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench fails where it stands, and speaks to its terminal"
)]

#[allow(dead_code, reason = "the tests of the same run are not made here")]
#[path = "../tests/it/chaos.rs"]
mod chaos;
#[allow(dead_code, unused_imports, unused_macros, reason = "the tests use more of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::process::ExitCode;

use chaos::{Blow, Storm, any_blows, any_seed, weather};
use clap::Parser as _;

#[derive(clap::Parser)]
struct Args {
    /// How often a process of the service is killed on each engine
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// Makes the choices of an earlier run again
    #[arg(long)]
    seed: Option<u64>,
    /// Said by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// That many kills, each other kind of blow for every tenth of them, in any order.
fn blows(kills: usize, others: &[Blow], seed: u64) -> Vec<Blow> {
    let mut kinds = vec![Blow::Kill; kills];
    kinds.extend(others.iter().flat_map(|other| vec![*other; kills.div_ceil(10)]));
    let count = kinds.len();
    any_blows(&kinds, count, seed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(any_seed);
    println!("seed {seed}");
    let provider = [Blow::Silence, Blow::ProviderGone];
    let database = [Blow::Cut, Blow::DatabaseKilled];
    let sqlite = blows(args.kills, &provider, seed);
    let mut postgres = blows(args.kills, &[provider, database].concat(), seed);
    postgres.insert(postgres.len() / 2, Blow::Failover);
    let unechoed = blows(args.kills.div_ceil(10), &provider, seed);
    let storms = [
        ("SQLite", Storm::sqlite(sqlite, seed)),
        ("PostgreSQL", Storm::postgres(postgres, seed)),
        ("SQLite, no echo", Storm { echoes: false, ..Storm::sqlite(unechoed, seed) }),
    ];
    let mut is_well = true;
    for (name, storm) in storms {
        let tally = weather(&storm).await;
        println!("{name}: {tally}");
        // Without an echo a message that the provider took in silence cannot be told from one that it never saw.
        is_well &= tally.lost == 0 && (tally.doubled == 0 || !storm.echoes);
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
