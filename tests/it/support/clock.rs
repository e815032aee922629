//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeDelta};
use kabar::domain::area::Zone;
use kabar::domain::clock::{Clock, Timestamp};

/// The day on which every test begins: Monday, 23 November 2026.
fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

/// Tells the time it was told.
#[derive(Debug)]
pub struct MockClock(AtomicI64);

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

impl MockClock {
    /// Stands at `"22:30 WIB"` on the first day.
    pub fn at(time: &str) -> Self {
        let (time, offset) = read(time);
        Self(AtomicI64::new(moment(first_day(), time, offset)))
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Is set back.
    pub fn set_back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Moves on to the next moment at which clocks of that zone show that time.
    pub fn advance_to(&self, time: &str) {
        let (time, offset) = read(time);
        let now = self.now();
        let mut day = now.in_zone(offset).date_naive();
        if moment(day, time, offset) <= now.as_ms() {
            day += TimeDelta::days(1);
        }
        self.0.store(moment(day, time, offset), Ordering::SeqCst);
    }

    /// The present moment on a clock of West Indonesia.
    pub fn wib(&self) -> DateTime<FixedOffset> {
        self.now().in_zone(Zone::Wib.offset())
    }
}

fn read(text: &str) -> (NaiveTime, FixedOffset) {
    let (time, zone) = text.split_once(' ').expect("written like 22:30 WIB");
    let zone = match zone {
        "WIB" => Zone::Wib,
        "WITA" => Zone::Wita,
        "WIT" => Zone::Wit,
        other => panic!("no zone: {other}"),
    };
    (NaiveTime::parse_from_str(time, "%H:%M").expect("a time like 22:30"), zone.offset())
}

fn moment(day: NaiveDate, time: NaiveTime, offset: FixedOffset) -> i64 {
    day.and_time(time).and_local_timezone(offset).unwrap().timestamp_millis()
}
