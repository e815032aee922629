//! How fast printed cards become rounds: 5,000 cards of an area at once, beside a plain sort of the
//! same cards as the baseline of the same run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench prints, and fails where it stands"
)]

use std::time::Instant;

use chrono::{Days, NaiveDate};
use kabar::domain::round::{Slot, ToBring, plan};

const CARDS: u64 = 5_000;
const CAPACITY: usize = 40;
const RUNS: u32 = 20;

fn main() {
    let first = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day");
    let cards: Vec<ToBring<u64>> = (0..CARDS)
        .map(|id| {
            let mixed = id.wrapping_mul(2_654_435_761) % CARDS;
            ToBring {
                id,
                desa: format!("35170920{:02}", mixed % 20),
                rw: format!("{:03}", mixed / 20 % 12),
                rt: format!("{:03}", mixed / 240 % 9),
                since: i64::try_from(mixed).unwrap_or(0),
                wish: (id % 10 == 0).then(|| first + Days::new(id % 5)),
            }
        })
        .collect();
    let slots: Vec<Slot<u64>> =
        (0..130).map(|n| Slot { day: first + Days::new(n % 10), courier: n, taken: 0 }).collect();
    let begun = Instant::now();
    for _ in 0..RUNS {
        let mut sorted = cards.clone();
        sorted.sort_unstable_by(|a, b| (&a.desa, &a.rw, &a.rt).cmp(&(&b.desa, &b.rw, &b.rt)));
        std::hint::black_box(&sorted);
    }
    let baseline = begun.elapsed() / RUNS;
    let begun = Instant::now();
    let mut planned = 0;
    for _ in 0..RUNS {
        planned = plan(&cards, CAPACITY, &slots).iter().map(Vec::len).sum();
    }
    let took = begun.elapsed() / RUNS;
    println!("{planned} of {CARDS} cards onto {} rounds: {took:?}", slots.len());
    println!("baseline, one plain sort of the same cards: {baseline:?}");
    assert!(took.as_secs_f64() < 1.0, "5,000 cards take less than a second");
}
