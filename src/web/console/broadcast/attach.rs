//! What files bring to a broadcast: the picture or the PDF that goes with it, and the list of those it is for.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

use super::act::after;
use super::id;
use crate::domain::attachment::{FileError, FileKind};
use crate::domain::id::BroadcastId;
use crate::service::broadcast::{
    self as service, BroadcastError, List, ListError, MOST_ENTRIES, Taken,
};
use crate::web::Web;
use crate::web::console::desk::Desk;
use crate::web::console::page::Page;
use crate::web::console::upload::{Chosen, Upload};
use crate::web::error::Error;

/// The files of a form, looked at before anything is kept.
#[derive(Default)]
pub(super) struct Files {
    pub(super) attachment: Option<Chosen>,
    pub(super) list: Option<List>,
}

/// Looks at the files of a form. The inner error is for whoever chose them.
pub(super) async fn look(page: &Page, upload: &Upload) -> Result<Result<Files, String>, Error> {
    let attachment = upload.file("lampiran").cloned();
    if let Some(chosen) = &attachment
        && let Err(error) = FileKind::of(&chosen.bytes)
    {
        return Ok(Err(file_words(page, error)));
    }
    let list = match upload.file("daftar") {
        None => None,
        Some(chosen) => match read_list(chosen.bytes.clone()).await? {
            Ok(list) if list.entries.is_empty() => {
                let words = page.t(
                    "tidak ada nomor HP atau nomor rujukan yang terbaca dalam daftar.",
                    "no number and no reference in the list can be read.",
                );
                return Ok(Err(words.to_owned()));
            }
            Ok(list) if list.entries.len() > MOST_ENTRIES => {
                let words = page.t(
                    "daftar terlalu panjang: paling banyak 100.000 baris. Bagi menjadi beberapa siaran.",
                    "the list is too long: at most 100,000 lines. Cut it into several broadcasts.",
                );
                return Ok(Err(words.to_owned()));
            }
            Ok(list) => Some(list),
            Err(_) => {
                let words = page.t(
                    "daftar tidak terbaca. Unggah berkas CSV atau XLSX dengan kolom No HP atau Rujukan.",
                    "the list cannot be read. Upload a CSV or XLSX file with a column of numbers or references.",
                );
                return Ok(Err(words.to_owned()));
            }
        },
    };
    Ok(Ok(Files { attachment, list }))
}

fn file_words(page: &Page, error: FileError) -> String {
    let words = match error {
        FileError::Empty => ("berkas lampiran kosong.", "the attached file is empty."),
        FileError::Kind => (
            "lampiran harus gambar JPEG atau PNG, atau PDF. Berkas ini bukan salah satunya, apa pun namanya.",
            "an attachment is a JPEG or PNG picture or a PDF. This file is none, whatever its name.",
        ),
        FileError::Size { kind, .. } if kind.is_picture() => {
            ("gambar terlalu besar; paling besar 5 MB.", "the picture is too large; at most 5 MB.")
        }
        FileError::Size { .. } => {
            ("PDF terlalu besar; paling besar 10 MB.", "the PDF is too large; at most 10 MB.")
        }
    };
    page.t(words.0, words.1).to_owned()
}

/// Reading a spreadsheet takes a while.
async fn read_list(bytes: Bytes) -> Result<Result<List, ListError>, Error> {
    let reading = tokio::task::spawn_blocking(move || service::read_uploaded(&bytes));
    match reading.await {
        Ok(Err(ListError::Io(error))) => {
            tracing::error!("a list cannot be put down to be read: {error}");
            Err(Error::Internal)
        }
        Ok(read) => Ok(read),
        Err(_) => Err(Error::Internal),
    }
}

/// What became of a form's list.
pub(super) struct Kept {
    pub(super) taken: Taken,
    pub(super) unreadable: usize,
}

impl Files {
    /// Whether anything was chosen.
    pub(super) const fn are_chosen(&self) -> bool {
        self.attachment.is_some() || self.list.is_some()
    }

    /// Gives them to a broadcast.
    pub(super) async fn keep(
        self,
        web: &Web,
        desk: &Desk,
        id: BroadcastId,
    ) -> Result<Option<Kept>, BroadcastError> {
        let (app, actor) = (&web.app, &desk.actor);
        if let Some(chosen) = self.attachment {
            service::attach(app, actor, id, &chosen.name, &chosen.bytes).await?;
        }
        let Some(list) = self.list else { return Ok(None) };
        let taken = service::set_known_list(app, actor, id, &list.entries).await?;
        Ok(Some(Kept { taken, unreadable: list.faults.len() }))
    }
}

/// The picture itself, or the PDF to be saved.
pub(super) async fn show(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
) -> Result<Response, Error> {
    let found = service::file(&web.app, &desk.actor, id(&text)?).await?;
    let (file, bytes) = found.ok_or(Error::NotFound)?;
    let kept =
        if file.kind.is_picture() { "inline" } else { "attachment; filename=\"lampiran.pdf\"" };
    let headers = [
        (header::CONTENT_TYPE, file.kind.as_str()),
        (header::CONTENT_DISPOSITION, kept),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, bytes).into_response())
}

/// Takes it away.
pub(super) async fn remove(
    State(web): State<Web>,
    desk: Desk,
    Path(text): Path<String>,
) -> Result<Response, Error> {
    let id = id(&text)?;
    after(id, "lampiran", service::detach(&web.app, &desk.actor, id).await)
}
