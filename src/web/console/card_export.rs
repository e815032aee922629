//! A list of cards as a file: what one sees on the page, no more, row by row as it is read.
//!
//! A spreadsheet takes a text that begins with `=` for a formula; names come from outside, so none may begin so.

use std::io::{Read as _, Seek as _, SeekFrom};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream};
use rust_xlsxwriter::Workbook;
use tokio::sync::mpsc;

use super::card::{HERE, Row, row};
use super::desk::Desk;
use super::page::Page;
use crate::domain::audit::Action;
use crate::domain::card::CardStatus;
use crate::domain::id::CardId;
use crate::service::officer::note_look;
use crate::store::card_list::list_by_status;
use crate::web::Web;
use crate::web::error::Error;

/// Rows read at once.
const CHUNK: i64 = 500;
/// Rows of a worksheet; Excel takes 1,048,576 with the heading.
const LONGEST_SHEET: u32 = 1_000_000;
/// Bytes of a finished workbook that are sent at once.
const PIECE: usize = 64 * 1024;

pub(super) type Line = Vec<String>;

/// A cell that no spreadsheet takes for a formula.
pub(super) fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn heading(page: &Page) -> Line {
    [
        ("Nomor kartu", "Card id"),
        ("Nama", "Name"),
        ("Nomor HP", "Phone"),
        ("Wilayah", "Area"),
        ("Dokumen", "Document"),
        ("Status", "Status"),
        ("Sejak", "Since"),
        ("Tempat", "Place"),
    ]
    .map(|(id, en)| page.t(id, en).to_owned())
    .to_vec()
}

fn line(row: Row) -> Line {
    let status = row.status.to_owned();
    let cells = [
        row.id.to_string(),
        row.name,
        row.phone,
        row.area,
        row.document,
        status,
        row.since,
        row.point,
    ];
    cells.iter().map(|cell| harmless(cell)).collect()
}

pub(super) async fn send(
    State(web): State<Web>,
    desk: Desk,
    Path((status, form)): Path<(String, String)>,
) -> Result<Response, Error> {
    let status: CardStatus = status.parse().map_err(|_| Error::NotFound)?;
    let is_csv = match form.as_str() {
        "csv" => true,
        "xlsx" => false,
        _ => return Err(Error::NotFound),
    };
    // Before the first row leaves: a list that was broken off was taken out all the same.
    let object = format!("cards:{status}:{form}");
    note_look(&web.app, &desk.actor, Action::Exported, &object).await?;
    let (kind, body) = if is_csv {
        ("text/csv; charset=utf-8", Body::from_stream(csv_stream(web, desk, status)))
    } else {
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        (kind, Body::from_stream(xlsx_stream(web, desk, status)))
    };
    let name = format!("attachment; filename=\"kartu-{status}.{form}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

/// Reads the list, piece by piece; ends after the last.
struct Reading {
    web: Web,
    desk: Desk,
    page: Page,
    status: CardStatus,
    after: Option<CardId>,
    is_over: bool,
}

impl Reading {
    fn new(web: Web, desk: Desk, status: CardStatus) -> Self {
        let page = Page::new(&web, &desk, HERE);
        Self { web, desk, page, status, after: None, is_over: false }
    }

    async fn next(&mut self) -> Result<Vec<Line>, std::io::Error> {
        if self.is_over {
            return Ok(Vec::new());
        }
        let within = (self.desk.area(), self.desk.sees_all(&self.web));
        let lines = list_by_status(&self.web.app.db, self.status, within, self.after, CHUNK)
            .await
            .map_err(|error| {
                tracing::error!("an export ends early: {}", crate::telemetry::chain(&error));
                std::io::Error::other("the database cannot be read")
            })?;
        self.is_over = i64::try_from(lines.len()).is_ok_and(|count| count < CHUNK);
        self.after = lines.last().map(|last| last.id).or(self.after);
        Ok(lines.iter().map(|one| line(row(&self.page, one))).collect())
    }
}

pub(super) fn csv_bytes(lines: &[Line]) -> Result<Bytes, std::io::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(line).map_err(std::io::Error::other)?;
    }
    let bytes =
        writer.into_inner().map_err(|_| std::io::Error::other("a row cannot be written"))?;
    Ok(Bytes::from(bytes))
}

fn csv_stream(
    web: Web,
    desk: Desk,
    status: CardStatus,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let reading = Reading::new(web, desk, status);
    stream::try_unfold((reading, true), |(mut reading, is_first)| async move {
        let mut lines = reading.next().await?;
        if is_first {
            lines.insert(0, heading(&reading.page));
        }
        if lines.is_empty() {
            return Ok(None);
        }
        // Excel takes a file for UTF-8 only when it begins so.
        let mark: &[u8] = if is_first { "\u{feff}".as_bytes() } else { b"" };
        let bytes = Bytes::from([mark, &csv_bytes(&lines)?].concat());
        Ok(Some((bytes, (reading, false))))
    })
}

/// A workbook is written to a file without a name, in constant memory, and leaves once it is whole: its parts are
/// packed together, so that it cannot leave sooner.
fn xlsx_stream(
    web: Web,
    desk: Desk,
    status: CardStatus,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let (pieces, received) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut reading = Reading::new(web, desk, status);
        let (rows, mut taken) = mpsc::channel::<Vec<Line>>(4);
        let out = pieces.clone();
        let writing = tokio::task::spawn_blocking(move || write_workbook(&mut taken, &out));
        let mut next = Ok(vec![heading(&reading.page)]);
        let mut is_whole = true;
        loop {
            match next {
                Ok(lines) => {
                    // Nothing more to come, or whoever asked has gone.
                    if lines.is_empty() || rows.send(lines).await.is_err() {
                        break;
                    }
                    next = reading.next().await;
                }
                Err(error) => {
                    let _ = pieces.send(Err(error)).await;
                    is_whole = false;
                    break;
                }
            }
        }
        drop(rows);
        if let Ok(Err(error)) = writing.await
            && is_whole
        {
            let _ = pieces.send(Err(error)).await;
        }
    });
    stream::unfold(received, |mut received| async move {
        received.recv().await.map(|piece| (piece, received))
    })
}

pub(super) fn write_workbook(
    rows: &mut mpsc::Receiver<Vec<Line>>,
    out: &mpsc::Sender<Result<Bytes, std::io::Error>>,
) -> Result<(), std::io::Error> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory().map_err(std::io::Error::other)?;
    let mut at = 0_u32;
    while let Some(lines) = rows.blocking_recv() {
        for line in lines {
            if at >= LONGEST_SHEET {
                break;
            }
            for (column, cell) in (0_u16..).zip(&line) {
                sheet.write_string(at, column, cell).map_err(std::io::Error::other)?;
            }
            at += 1;
        }
    }
    let mut file = tempfile::tempfile()?;
    workbook.save_to_writer(&mut file).map_err(std::io::Error::other)?;
    file.seek(SeekFrom::Start(0))?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        let bytes = Bytes::copy_from_slice(piece.get(..read).unwrap_or_default());
        if read == 0 || out.blocking_send(Ok(bytes)).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_taken_for_a_formula() {
        for text in ["=1+1", "+62", "-1", "@a", "\tb", "\rc"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        assert_eq!(harmless("Siti A."), "Siti A.");
    }
}
