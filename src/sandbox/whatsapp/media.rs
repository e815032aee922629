//! Files at Meta: `POST /{number}/media` takes one and gives it an id, which messages then name for 30 days.
//!
//! The limits are Meta's: what a phone shows as a picture, and how large a file may be.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::json;

use super::authorise;
use super::refusal::Refusal;
use super::request::Payload;
use crate::domain::clock::Timestamp;
use crate::sandbox::media::{File, MAX_BYTES, Piece, read_form};
use crate::sandbox::{Memory, Sandbox};

/// How long an id is good for.
const LASTS_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Kinds that are taken, and the largest file of each (Meta, supported media types).
const KINDS: [(&str, usize); 3] =
    [("image/jpeg", 5 << 20), ("image/png", 5 << 20), ("application/pdf", 100 << 20)];

pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/{version}/{id}/media", post(upload))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
}

async fn upload(
    State(sandbox): State<Sandbox>,
    Path((_version, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = match authorise(&sandbox, &headers, &id, |account| account.phone_number_id == id)
    {
        Ok(account) => account.phone_number_id.clone(),
        Err(refusal) => return refusal.answer(sandbox.serial()),
    };
    let Some((words, pieces)) = read_form(&headers, body).await else {
        return Refusal::new(100, "The request body is not a form.").answer(sandbox.serial());
    };
    match read(&words, pieces) {
        Ok(piece) => {
            // Ids of Meta's are digits.
            let id = format!("9{:015}", sandbox.serial() + sandbox.0.seed % 1_000_000_000_000);
            let Piece { name, kind, bytes, .. } = piece;
            let at = sandbox.now();
            sandbox.change(|memory| {
                memory.files.add(File { id: id.clone(), account, kind, name, bytes, at });
            });
            axum::Json(json!({ "id": id })).into_response()
        }
        Err(refusal) => refusal.answer(sandbox.serial()),
    }
}

fn read(words: &[(String, String)], pieces: Vec<Piece>) -> Result<Piece, Refusal> {
    if !words.iter().any(|(name, word)| name == "messaging_product" && word == "whatsapp") {
        return Err(Refusal::new(100, "The parameter messaging_product is required."));
    }
    let piece = pieces.into_iter().find(|piece| piece.field == "file");
    let piece = piece.ok_or_else(|| Refusal::new(100, "The parameter file is required."))?;
    let Some((_, most)) = KINDS.iter().find(|(kind, _)| *kind == piece.kind) else {
        let details = format!(
            "Param file must be a file with one of the supported types, received {}",
            piece.kind
        );
        return Err(Refusal::new(100, details));
    };
    if piece.bytes.is_empty() || piece.bytes.len() > *most {
        return Err(Refusal::new(131_053, "The size of the file is not supported."));
    }
    Ok(piece)
}

/// Whether the file that a message names is there, is this number's, and is of the kind it is called.
pub(super) fn check(
    payload: &Payload,
    memory: &Memory,
    account: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let named = match payload {
        Payload::Free(content) => content.file.as_ref(),
        Payload::Template(call) => call.header.as_ref(),
    };
    let Some(named) = named else { return Ok(()) };
    if named.id.is_empty() && !named.name.is_empty() {
        // By an address, which is not fetched.
        return Ok(());
    }
    let lost = |details: &str| Err(Refusal::new(131_053, details));
    let Some(file) = memory.files.find(&named.id).filter(|file| file.account == account) else {
        return lost("There is no media of that id.");
    };
    if now.as_ms() - file.at.as_ms() > LASTS_MS {
        return lost("The media of that id has expired.");
    }
    if file.kind.starts_with("image/") != (named.kind == "image") {
        return lost("The media of that id is of another type.");
    }
    Ok(())
}
