//! The report's figures as files: CSV in one long table, and a workbook with a sheet for each.

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::page::Page;
use super::report_chart::{channel_name, question_names, stage_name, told};
use crate::domain::message::MessageStatus;
use crate::service::report::{Report, Told, Took};

/// A table of a file.
struct Sheet {
    name: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

enum Cell {
    Text(String),
    Count(Told),
    Seconds(Option<i64>),
}

impl Cell {
    fn text(&self, page: &Page) -> String {
        match self {
            Self::Text(text) => text.clone(),
            // Without thousands' separators: a program reads it.
            Self::Count(Told::Exactly(count)) => count.to_string(),
            Self::Count(count) => told(page, *count),
            Self::Seconds(seconds) => seconds.map(|s| s.to_string()).unwrap_or_default(),
        }
    }
}

fn status_name(page: &Page, status: MessageStatus) -> &'static str {
    let (id, en) = match status {
        MessageStatus::Queued => ("menunggu", "queued"),
        MessageStatus::Sending => ("sedang dikirim", "sending"),
        MessageStatus::Unknown => ("belum jelas", "unclear"),
        MessageStatus::Sent => ("terkirim", "sent"),
        MessageStatus::Delivered => ("sampai di telepon", "delivered"),
        MessageStatus::Read => ("dibaca", "read"),
        MessageStatus::Failed => ("gagal", "failed"),
        MessageStatus::Expired => ("kedaluwarsa", "expired"),
        MessageStatus::Cancelled => ("tidak jadi dikirim", "withdrawn"),
    };
    if page.is_english() { en } else { id }
}

fn sheets(page: &Page, report: &Report) -> [Sheet; 4] {
    let messages = report
        .days
        .iter()
        .flat_map(|day| {
            day.messages.iter().map(|((channel, status), count)| {
                vec![
                    Cell::Text(day.date.to_string()),
                    Cell::Text(channel_name(*channel).to_owned()),
                    Cell::Text(status_name(page, *status).to_owned()),
                    Cell::Count(*count),
                ]
            })
        })
        .collect();
    let took = |took: Took| {
        [
            Cell::Count(took.count),
            Cell::Seconds(took.times.map(|times| times.0)),
            Cell::Seconds(took.times.map(|times| times.1)),
        ]
    };
    let times = report
        .weeks
        .iter()
        .map(|week| {
            let mut row = vec![Cell::Text(week.monday.to_string())];
            row.extend(took(week.delivered));
            row.extend(took(week.read));
            row
        })
        .collect();
    let cards = report
        .cards
        .iter()
        .map(|(status, count)| {
            vec![Cell::Text(stage_name(page, *status).to_owned()), Cell::Count(*count)]
        })
        .collect();
    let questions = report
        .weeks
        .iter()
        .map(|week| {
            let mut row = vec![Cell::Text(week.monday.to_string())];
            row.extend(week.questions.map(Cell::Count));
            row
        })
        .collect();
    let [answered, asked_back, unknown] = question_names(page);
    let en = page.is_english();
    let t = |id: &'static str, other: &'static str| if en { other } else { id };
    [
        Sheet {
            name: t("Pesan", "Messages"),
            head: vec![
                t("hari", "day"),
                t("saluran", "channel"),
                t("keadaan", "state"),
                t("jumlah", "count"),
            ],
            rows: messages,
        },
        Sheet {
            name: t("Waktu sampai", "Times"),
            head: vec![
                t("minggu mulai", "week from"),
                t("sampai", "delivered"),
                t("sampai: separuh dalam (detik)", "delivered: half within (s)"),
                t("sampai: 9 dari 10 dalam (detik)", "delivered: 9 of 10 within (s)"),
                t("dibaca", "read"),
                t("dibaca: separuh dalam (detik)", "read: half within (s)"),
                t("dibaca: 9 dari 10 dalam (detik)", "read: 9 of 10 within (s)"),
            ],
            rows: times,
        },
        Sheet {
            name: t("Kartu", "Cards"),
            head: vec![t("tahap", "stage"), t("jumlah", "count")],
            rows: cards,
        },
        Sheet {
            name: t("Pertanyaan", "Questions"),
            head: vec![t("minggu mulai", "week from"), answered, asked_back, unknown],
            rows: questions,
        },
    ]
}

/// One table below the other, each after its name.
pub(super) fn csv(page: &Page, report: &Report) -> Vec<u8> {
    let mut file = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        // Spreadsheets take it for UTF-8 only with the mark in front.
        .from_writer(b"\xef\xbb\xbf".to_vec());
    for sheet in sheets(page, report) {
        // Writing to memory does not fail.
        let _ = file.write_record([sheet.name]);
        let _ = file.write_record(&sheet.head);
        for row in &sheet.rows {
            let _ = file.write_record(row.iter().map(|cell| cell.text(page)));
        }
    }
    file.into_inner().unwrap_or_default()
}

/// A workbook.
pub(super) fn xlsx(page: &Page, report: &Report) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    for sheet in sheets(page, report) {
        write(page, book.add_worksheet(), &sheet)?;
    }
    book.save_to_buffer()
}

fn write(page: &Page, to: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    to.set_name(sheet.name)?;
    for (column, name) in (0_u16..).zip(&sheet.head) {
        to.write_string(0, column, *name)?;
        to.set_column_width(column, 22)?;
    }
    to.set_freeze_panes(1, 0)?;
    for (line, row) in (1_u32..).zip(&sheet.rows) {
        for (column, cell) in (0_u16..).zip(row) {
            match cell {
                #[expect(clippy::cast_precision_loss, reason = "a workbook has no other numbers")]
                Cell::Count(Told::Exactly(n)) | Cell::Seconds(Some(n)) => {
                    to.write_number(line, column, *n as f64)?
                }
                other => to.write_string(line, column, other.text(page))?,
            };
        }
    }
    Ok(())
}
