//! Forms with files: read once, before the form's token is looked at, and only as much as a form of that page may
//! have.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{FILE_BYTES, FORM_BYTES};
use crate::web::Web;
use crate::web::error::Error;

/// The largest text in a form with files.
const WORD_BYTES: usize = 16 * 1024;

/// What was filled in and which files were chosen.
#[derive(Clone, Debug, Default)]
pub(super) struct Upload {
    words: Vec<(String, String)>,
    files: Vec<(String, Chosen)>,
}

/// A file that was chosen.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// Its name at whoever chose it.
    pub(super) name: String,
    /// All of it.
    pub(super) bytes: Bytes,
}

/// Whether a request brings a form with files.
pub(super) fn is_upload(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/"))
}

/// Bytes that the form of a page may have.
fn most(path: &str) -> usize {
    if super::broadcast::takes_files(path) { FILE_BYTES } else { FORM_BYTES }
}

impl Upload {
    /// Reads the form, whatever it is written in.
    pub(super) async fn read(request: Request) -> Result<Self, Error> {
        let most = most(request.uri().path());
        let too_large =
            || Error::TooLarge(format!("this form has at most {} MB", most.div_ceil(1 << 20)));
        let is_upload = is_upload(&request);
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, most).await.map_err(|_| too_large())?;
        if !is_upload {
            let words = serde_urlencoded::from_bytes(&body)
                .map_err(|error| Error::BadBody(error.to_string()))?;
            return Ok(Self { words, files: Vec::new() });
        }
        let mut request = Request::from_parts(parts, Body::from(body));
        // Measured above.
        DefaultBodyLimit::disable().apply(&mut request);
        let bad = |_| Error::BadBody("the form cannot be read".to_owned());
        let mut form = Multipart::from_request(request, &())
            .await
            .map_err(|error| Error::BadBody(error.body_text()))?;
        let mut read = Self::default();
        while let Some(field) = form.next_field().await.map_err(bad)? {
            let name = field.name().unwrap_or_default().to_owned();
            let file = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.map_err(bad)?;
            match file {
                // A field of a form in which nobody chose anything.
                Some(file) if file.is_empty() && bytes.is_empty() => {}
                Some(file) => read.files.push((name, Chosen { name: file, bytes })),
                None if bytes.len() <= WORD_BYTES => {
                    read.words.push((name, String::from_utf8_lossy(&bytes).into_owned()));
                }
                None => return Err(Error::TooLarge("a text of the form is too long".to_owned())),
            }
        }
        Ok(read)
    }

    /// What stands in a field.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.words.iter().find(|(known, _)| known == name).map(|(_, word)| word.as_str())
    }

    /// The file chosen in a field.
    pub(super) fn file(&self, name: &str) -> Option<&Chosen> {
        self.files.iter().find(|(known, _)| known == name).map(|(_, file)| file)
    }

    /// What was filled in, as a form without files would bring it.
    pub(super) fn filled<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let bad = |error: &dyn std::fmt::Display| Error::BadBody(error.to_string());
        let text = serde_urlencoded::to_string(&self.words).map_err(|error| bad(&error))?;
        serde_urlencoded::from_str(&text).map_err(|error| bad(&error))
    }
}

impl FromRequest<Web> for Upload {
    type Rejection = Error;

    async fn from_request(mut request: Request, _: &Web) -> Result<Self, Error> {
        // Whoever looked for the token has read it already.
        match request.extensions_mut().remove::<Self>() {
            Some(read) => Ok(read),
            None => Self::read(request).await,
        }
    }
}
