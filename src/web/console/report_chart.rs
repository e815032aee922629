//! The report's figures as charts, and as the tables that stand beside them.

use chrono::{Datelike as _, NaiveDate};

use super::chart::{Bar, Line, Part, Stack, bars, key, lines, mark_key, stacks};
use super::page::Page;
use crate::domain::card::CardStatus;
use crate::domain::message::{ChannelKind, MessageStatus};
use crate::service::report::{Day, Report, Told, Took, Week};

/// A table beside a chart.
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A word beside a chart with its pattern or mark.
pub(super) struct Key {
    pub(super) picture: String,
    pub(super) name: &'static str,
}

/// One chart with all that belongs to it.
pub(super) struct Figure {
    pub(super) svg: String,
    pub(super) keys: Vec<Key>,
    pub(super) table: Table,
    pub(super) is_empty: bool,
}

/// All charts.
pub(super) struct Drawn {
    pub(super) messages: Figure,
    pub(super) channels: Figure,
    pub(super) times: Figure,
    pub(super) cards: Figure,
    pub(super) questions: Figure,
}

/// Draws a report.
pub(super) fn draw(page: &Page, report: &Report) -> Drawn {
    Drawn {
        messages: messages(page, &report.days),
        channels: channels(page, &report.days),
        times: times(page, &report.weeks),
        cards: cards(page, &report.cards),
        questions: questions(page, &report.weeks),
    }
}

/// A number as it may be told.
pub(super) fn told(page: &Page, count: Told) -> String {
    match count {
        Told::Exactly(count) => page.number(&count),
        Told::Few => "<5".to_owned(),
    }
}

/// What becomes of messages, in the parts that are drawn: pattern, name, states.
struct Fate(u8, &'static str, &'static [MessageStatus]);

fn fates(page: &Page) -> [Fate; 5] {
    use MessageStatus as S;
    let t = |id, en| if page.is_english() { en } else { id };
    [
        Fate(1, t("dibaca", "read"), &[S::Read]),
        Fate(2, t("sampai di telepon", "delivered"), &[S::Delivered]),
        Fate(
            3,
            t("di jalan atau menunggu", "on the way or waiting"),
            &[S::Queued, S::Sending, S::Unknown, S::Sent],
        ),
        Fate(4, t("gagal", "failed"), &[S::Failed, S::Expired]),
        Fate(5, t("tidak jadi dikirim", "withdrawn"), &[S::Cancelled]),
    ]
}

/// Several numbers together, told as far as each of them may be.
fn together(counts: impl Iterator<Item = Told>) -> Told {
    let (mut sum, mut is_few) = (0, false);
    for count in counts {
        match count {
            Told::Exactly(count) => sum += count,
            Told::Few => is_few = true,
        }
    }
    if is_few && sum == 0 { Told::Few } else { Told::Exactly(sum) }
}

/// All of them; nothing where a part is not told, which the whole would tell.
fn total(page: &Page, counts: impl Iterator<Item = Told>) -> String {
    let mut sum = 0;
    for count in counts {
        match count {
            Told::Exactly(count) => sum += count,
            Told::Few => return String::new(),
        }
    }
    if sum == 0 { String::new() } else { page.number(&sum) }
}

fn of_fate(day: &Day, fate: &Fate, channel: Option<ChannelKind>) -> Told {
    together(
        day.messages
            .iter()
            .filter(|((on, status), _)| {
                channel.is_none_or(|channel| channel == *on) && fate.2.contains(status)
            })
            .map(|(_, count)| *count),
    )
}

/// `22/11`, where there is room for it.
fn short(date: NaiveDate) -> String {
    format!("{}/{}", date.day(), date.month())
}

fn messages(page: &Page, days: &[Day]) -> Figure {
    let fates = fates(page);
    let one = |(index, day): (usize, &Day)| Stack {
        // From the last day backwards, a week apart.
        name: if (days.len() - 1 - index).is_multiple_of(7) {
            short(day.date)
        } else {
            String::new()
        },
        parts: fates
            .iter()
            .map(|fate| {
                let count = of_fate(day, fate, None);
                let title = format!("{}, {}: {}", page.date(day.date), fate.1, told(page, count));
                Part { class: fate.0, size: count.size(), title }
            })
            .collect(),
        value: String::new(),
    };
    let all: Vec<Stack> = days.iter().enumerate().map(one).collect();
    let title = page.t("Pesan per hari menurut keadaannya", "Messages a day by their state");
    let mut head = vec![page.t("Hari", "Day").to_owned()];
    head.extend(fates.iter().map(|fate| fate.1.to_owned()));
    let rows = days
        .iter()
        .rev()
        .map(|day| {
            let mut row = vec![page.date(day.date)];
            row.extend(fates.iter().map(|fate| told(page, of_fate(day, fate, None))));
            row
        })
        .collect();
    Figure {
        svg: stacks("pesan", title, &all, |n| page.number(&n)),
        keys: fates
            .iter()
            .map(|fate| Key { picture: key("pesan", fate.0), name: fate.1 })
            .collect(),
        table: Table { head, rows },
        is_empty: days.iter().all(|day| day.messages.is_empty()),
    }
}

/// What a channel is called.
pub(super) fn channel_name(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Whatsapp => "WhatsApp",
        ChannelKind::Telegram => "Telegram",
        ChannelKind::Sms => "SMS",
    }
}

fn channels(page: &Page, days: &[Day]) -> Figure {
    let fates = fates(page);
    let of = |channel: ChannelKind, fate: &Fate| {
        together(days.iter().map(|day| of_fate(day, fate, Some(channel))))
    };
    let stack = |channel: &ChannelKind| Stack {
        name: channel_name(*channel).to_owned(),
        parts: fates
            .iter()
            .map(|fate| {
                let count = of(*channel, fate);
                let name = channel_name(*channel);
                Part {
                    class: fate.0,
                    size: count.size(),
                    title: format!("{name}, {}: {}", fate.1, told(page, count)),
                }
            })
            .collect(),
        value: total(page, fates.iter().map(|fate| of(*channel, fate))),
    };
    let all: Vec<Stack> = ChannelKind::ALL.iter().map(stack).collect();
    let title = page.t("Pesan 30 hari menurut saluran", "Messages of 30 days by channel");
    let mut head = vec![page.t("Saluran", "Channel").to_owned()];
    head.extend(fates.iter().map(|fate| fate.1.to_owned()));
    let rows = ChannelKind::ALL
        .iter()
        .map(|channel| {
            let mut row = vec![channel_name(*channel).to_owned()];
            row.extend(fates.iter().map(|fate| told(page, of(*channel, fate))));
            row
        })
        .collect();
    Figure {
        svg: stacks("saluran", title, &all, |n| page.number(&n)),
        keys: fates
            .iter()
            .map(|fate| Key { picture: key("saluran", fate.0), name: fate.1 })
            .collect(),
        table: Table { head, rows },
        is_empty: days.iter().all(|day| day.messages.is_empty()),
    }
}

/// How long, in words: `40 menit`, `3 jam`, `2 hari`.
pub(super) fn long(page: &Page, seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..90 => (seconds, page.t("detik", "s")),
        90..5_400 => ((seconds + 30) / 60, page.t("menit", "min")),
        5_400..129_600 => ((seconds + 1_800) / 3_600, page.t("jam", "h")),
        _ => ((seconds + 43_200) / 86_400, page.t("hari", "days")),
    };
    format!("{count} {unit}")
}

/// Where a time stands on a scale on which each step is three times the one before.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "below 20,000")]
fn height(seconds: i64) -> i64 {
    ((seconds.max(10) as f64 / 10.0).ln() * 1_000.0).round() as i64
}

fn times(page: &Page, weeks: &[Week]) -> Figure {
    const TICKS: [(i64, &str, &str); 6] = [
        (10, "10 dtk", "10 s"),
        (60, "1 mnt", "1 min"),
        (600, "10 mnt", "10 min"),
        (3_600, "1 jam", "1 h"),
        (86_400, "1 hari", "1 day"),
        (864_000, "10 hari", "10 days"),
    ];
    type Pick = fn(&Week) -> Option<i64>;
    let series: [(u8, &'static str, Pick); 4] = [
        (
            1,
            if page.is_english() { "delivered: half within" } else { "sampai: separuh dalam" },
            |week| week.delivered.times.map(|times| times.0),
        ),
        (
            2,
            if page.is_english() { "delivered: 9 of 10 within" } else { "sampai: 9 dari 10 dalam" },
            |week| week.delivered.times.map(|times| times.1),
        ),
        (
            3,
            if page.is_english() { "read: half within" } else { "dibaca: separuh dalam" },
            |week| week.read.times.map(|times| times.0),
        ),
        (
            4,
            if page.is_english() { "read: 9 of 10 within" } else { "dibaca: 9 dari 10 dalam" },
            |week| week.read.times.map(|times| times.1),
        ),
    ];
    let drawn: Vec<Line> = series
        .iter()
        .map(|(class, name, pick)| Line {
            class: *class,
            points: weeks
                .iter()
                .map(|week| {
                    let seconds = pick(week)?;
                    let words =
                        format!("{}, {name} {}", page.date(week.monday), long(page, seconds));
                    Some((height(seconds), words))
                })
                .collect(),
        })
        .collect();
    let ticks: Vec<(i64, &str)> =
        TICKS.iter().map(|(at, id, en)| (height(*at), page.t(id, en))).collect();
    let title = page.t(
        "Waktu dari perubahan kartu sampai pesan diterima dan dibaca, per minggu",
        "Time from a card's change until the message is delivered and read, a week",
    );
    let cell = |took: Took, pick: fn((i64, i64)) -> i64| {
        took.times.map_or_else(|| "–".to_owned(), |times| long(page, pick(times)))
    };
    let rows = weeks
        .iter()
        .rev()
        .map(|week| {
            vec![
                page.date(week.monday),
                told(page, week.delivered.count),
                cell(week.delivered, |times| times.0),
                cell(week.delivered, |times| times.1),
                told(page, week.read.count),
                cell(week.read, |times| times.0),
                cell(week.read, |times| times.1),
            ]
        })
        .collect();
    Figure {
        svg: lines("waktu", title, &weekly(weeks), &ticks, &drawn),
        keys: series
            .iter()
            .map(|(class, name, _)| Key { picture: mark_key(*class), name })
            .collect(),
        table: Table { head: time_head(page), rows },
        is_empty: weeks.iter().all(|week| week.delivered.count.is_none()),
    }
}

/// The head of the table of times.
pub(super) fn time_head(page: &Page) -> Vec<String> {
    [
        page.t("Minggu mulai", "Week from"),
        page.t("Sampai", "Delivered"),
        page.t("separuh dalam", "half within"),
        page.t("9 dari 10 dalam", "9 of 10 within"),
        page.t("Dibaca", "Read"),
        page.t("separuh dalam", "half within"),
        page.t("9 dari 10 dalam", "9 of 10 within"),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Every third week has its name below.
fn weekly(weeks: &[Week]) -> Vec<String> {
    let name = |(index, week): (usize, &Week)| {
        if (weeks.len() - 1 - index).is_multiple_of(3) { short(week.monday) } else { String::new() }
    };
    weeks.iter().enumerate().map(name).collect()
}

/// What a stage of a card is called.
pub(super) fn stage_name(page: &Page, status: CardStatus) -> &'static str {
    let (id, en) = match status {
        CardStatus::NotRequired => ("belum wajib", "not required yet"),
        CardStatus::Unregistered => ("belum merekam", "not recorded yet"),
        CardStatus::Recorded => ("sudah merekam", "recorded"),
        CardStatus::Processing => ("diproses di pusat", "processed at the centre"),
        CardStatus::EnrollmentFailed => ("rekaman gagal, harus ulang", "recording failed"),
        CardStatus::NeedsOperator => ("perlu diperiksa operator", "needs an operator"),
        CardStatus::Adjudicated => ("diperiksa di pusat", "checked at the centre"),
        CardStatus::Duplicate => ("data ganda", "recorded twice"),
        CardStatus::ReadyToPrint => ("siap cetak", "ready to print"),
        CardStatus::WaitingForBlank => ("menunggu blangko", "waiting for a blank card"),
        CardStatus::SentForPrinting => ("dikirim untuk dicetak", "sent for printing"),
        CardStatus::Printed => ("sudah dicetak", "printed"),
        CardStatus::Shipped => ("dikirim ke tempat layanan", "shipped"),
        CardStatus::HomeDeliveryScheduled => ("dijadwalkan diantar", "home delivery scheduled"),
        CardStatus::ReadyToCollect => ("siap diambil", "ready to collect"),
        CardStatus::Issued => ("sudah diterima", "issued"),
    };
    if page.is_english() { en } else { id }
}

fn cards(page: &Page, cards: &[(CardStatus, Told)]) -> Figure {
    let all: Vec<Bar> = cards
        .iter()
        .map(|(status, count)| Bar {
            name: stage_name(page, *status).to_owned(),
            size: count.size(),
            value: told(page, *count),
        })
        .collect();
    let title = page.t("KTP-el menurut tahap, saat ini", "ID cards by stage, now");
    Figure {
        svg: bars("kartu", title, &all),
        keys: Vec::new(),
        table: Table {
            head: vec![page.t("Tahap", "Stage").to_owned(), page.t("Kartu", "Cards").to_owned()],
            rows: all.into_iter().map(|bar| vec![bar.name, bar.value]).collect(),
        },
        is_empty: cards.is_empty(),
    }
}

/// What became of questions, in the order of [`Week::questions`].
pub(super) fn question_names(page: &Page) -> [&'static str; 3] {
    if page.is_english() {
        ["answered", "asked back", "not understood"]
    } else {
        ["dijawab", "ditanya balik", "tidak dipahami"]
    }
}

fn questions(page: &Page, weeks: &[Week]) -> Figure {
    let names = question_names(page);
    let below = weekly(weeks);
    let all: Vec<Stack> = weeks
        .iter()
        .zip(below)
        .map(|(week, name)| Stack {
            name,
            parts: (1..)
                .zip(names.iter().zip(week.questions))
                .map(|(class, (name, count))| Part {
                    class,
                    size: count.size(),
                    title: format!("{}, {name}: {}", page.date(week.monday), told(page, count)),
                })
                .collect(),
            value: total(page, week.questions.into_iter()),
        })
        .collect();
    let mut head = vec![page.t("Minggu mulai", "Week from").to_owned()];
    head.extend(names.map(str::to_owned));
    let rows = weeks
        .iter()
        .rev()
        .map(|week| {
            let mut row = vec![page.date(week.monday)];
            row.extend(week.questions.map(|count| told(page, count)));
            row
        })
        .collect();
    let title = page.t("Pertanyaan warga per minggu", "Citizens' questions a week");
    Figure {
        svg: stacks("pertanyaan", title, &all, |n| page.number(&n)),
        keys: (1..)
            .zip(names)
            .map(|(class, name)| Key { picture: key("pertanyaan", class), name })
            .collect(),
        table: Table { head, rows },
        is_empty: weeks.iter().all(|week| week.questions.iter().all(|count| count.is_none())),
    }
}
