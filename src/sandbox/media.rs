//! Files that businesses hand over: kept within bounds, and shown on the phones.
//!
//! Knows no wire format; what a provider takes is that provider's own file. Forms with files are read here for
//! all of them.

use std::collections::VecDeque;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::Sandbox;
use crate::domain::clock::Timestamp;

/// The largest request with a file that is read.
pub(super) const MAX_BYTES: usize = 20 << 20;
/// Files that are kept, and how many bytes of them; the oldest make room.
const MAX_FILES: usize = 500;
const MAX_KEPT: usize = 200 << 20;

/// A file below whose picture, or under whose name, a message stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enclosure {
    /// The provider's id of it; under `control/files/{id}` it can be seen.
    pub id: String,
    /// Its media type.
    pub kind: String,
    /// Its name; empty for a picture without one.
    pub name: String,
}

/// A file that was handed over.
#[derive(Clone)]
pub(super) struct File {
    pub(super) id: String,
    /// Whose it is.
    pub(super) account: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) bytes: Bytes,
    pub(super) at: Timestamp,
}

/// All of them.
#[derive(Default)]
pub(super) struct Files {
    kept: VecDeque<File>,
    bytes: usize,
}

impl Files {
    pub(super) fn add(&mut self, file: File) {
        self.bytes += file.bytes.len();
        self.kept.push_back(file);
        while self.kept.len() > MAX_FILES || self.bytes > MAX_KEPT {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.bytes.len();
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<&File> {
        self.kept.iter().find(|file| file.id == id)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A file of a form.
pub(super) struct Piece {
    pub(super) field: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) bytes: Bytes,
}

/// The words and the files of a form; none when it cannot be read.
pub(super) async fn read_form(
    headers: &HeaderMap,
    body: Bytes,
) -> Option<(Vec<(String, String)>, Vec<Piece>)> {
    let mut request = Request::new(body.into());
    request.headers_mut().insert(header::CONTENT_TYPE, headers.get(header::CONTENT_TYPE)?.clone());
    // The body was read within bounds of its own.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let (mut words, mut pieces) = (Vec::new(), Vec::new());
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let kind = field.content_type().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.ok()?;
        match file {
            Some(file) => pieces.push(Piece { field: name, name: file, kind, bytes }),
            None => words.push((name, String::from_utf8(bytes.to_vec()).ok()?)),
        }
    }
    Some((words, pieces))
}

/// A file, as the page shows it: pictures and PDFs, nothing that a browser would run.
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    let Some(file) = sandbox.look(|memory| memory.files.find(&id).cloned()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match file.kind.as_str() {
        kind @ ("image/jpeg" | "image/png" | "application/pdf") => kind.to_owned(),
        _ => "application/octet-stream".to_owned(),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    (headers, file.bytes).into_response()
}
