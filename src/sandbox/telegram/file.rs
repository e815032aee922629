//! sendPhoto and sendDocument: a file that comes with the call, or one that is named by the id it got before.
//!
//! What a picture is, Telegram finds out by looking at it; so does this.

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use super::message::{Content, check_chat};
use super::refusal::Refusal;
use super::{Args, Bot, text};
use crate::sandbox::media::{File, Piece, read_form};
use crate::sandbox::{Enclosure, Sandbox};

/// Longest words below a file, in UTF-16 units.
const MAX_CAPTION: usize = 1_024;
const MAX_PHOTO: usize = 10 << 20;
const MAX_DOCUMENT: usize = 50 << 20;

/// Whether a call came as a form that may hold files.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().starts_with("multipart/form-data"))
}

/// The parameters of a form, with its files.
pub(super) async fn form(headers: &HeaderMap, body: Bytes) -> Result<(Args, Vec<Piece>), Refusal> {
    let read = read_form(headers, body).await;
    let (words, pieces) = read.ok_or_else(|| Refusal::bad_request("can't parse the request"))?;
    Ok((words.into_iter().map(|(key, word)| (key, word.into())).collect(), pieces))
}

/// Puts what is known of the file in place of the parameter that names it.
pub(super) fn settle(
    sandbox: &Sandbox,
    bot: &Bot,
    field: &str,
    args: &mut Args,
    pieces: Vec<Piece>,
) -> Result<(), Refusal> {
    let named = text(args, field).into_owned();
    let part = named.strip_prefix("attach://").unwrap_or(field);
    let found = match pieces.into_iter().find(|piece| piece.field == part) {
        Some(piece) => take(sandbox, bot, field == "photo", piece)?,
        None if named.is_empty() => {
            return Err(Refusal::bad_request(&format!("there is no {field} in the request")));
        }
        None => {
            let found = sandbox.look(|memory| {
                let file = memory.files.find(&named).filter(|file| file.account == bot.id);
                file.map(|file| described(file, false))
            });
            found.ok_or_else(|| Refusal::bad_request("wrong file identifier/HTTP URL specified"))?
        }
    };
    args.insert(field.to_owned(), found);
    Ok(())
}

fn described(file: &File, is_new: bool) -> Value {
    json!({ "file_id": file.id, "file_name": file.name, "mime_type": file.kind,
        "file_size": file.bytes.len(), "is_new": is_new })
}

fn take(sandbox: &Sandbox, bot: &Bot, is_photo: bool, piece: Piece) -> Result<Value, Refusal> {
    let Piece { name, bytes, .. } = piece;
    let kind = match &*bytes {
        [] => return Err(Refusal::bad_request("file must be non-empty")),
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'%', b'P', b'D', b'F', ..] => "application/pdf",
        _ => "application/octet-stream",
    };
    if is_photo && !kind.starts_with("image/") {
        return Err(Refusal::bad_request("IMAGE_PROCESS_FAILED"));
    }
    if bytes.len() > if is_photo { MAX_PHOTO } else { MAX_DOCUMENT } {
        return Err(Refusal::new(413, "Request Entity Too Large"));
    }
    let id = format!("AgACAgUAAx{:016x}{:08x}", sandbox.0.seed, sandbox.serial());
    let (account, at) = (bot.id.clone(), sandbox.now());
    let file = File { id, account, kind: kind.to_owned(), name, bytes, at };
    let found = described(&file, true);
    sandbox.change(|memory| memory.files.add(file));
    Ok(found)
}

pub(super) fn read_photo(args: &Args) -> Result<Content, Refusal> {
    read(args, "photo")
}

pub(super) fn read_document(args: &Args) -> Result<Content, Refusal> {
    read(args, "document")
}

fn read(args: &Args, field: &'static str) -> Result<Content, Refusal> {
    check_chat(args)?;
    let caption = text(args, "caption").trim().to_owned();
    if caption.encode_utf16().count() > MAX_CAPTION {
        return Err(Refusal::bad_request("message caption is too long"));
    }
    let file = args.get(field).cloned().unwrap_or_default();
    let word = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
    let kind = if field == "photo" { "image" } else { "document" };
    let enclosure =
        Enclosure { id: word("file_id"), kind: kind.to_owned(), name: word("file_name") };
    let unique = word("file_id").chars().rev().take(12).collect::<String>();
    let told = if field == "photo" {
        json!([{ "file_id": word("file_id"), "file_unique_id": unique, "width": 800, "height": 600,
            "file_size": file["file_size"] }])
    } else {
        json!({ "file_id": word("file_id"), "file_unique_id": unique,
            "file_name": word("file_name"), "mime_type": word("mime_type"),
            "file_size": file["file_size"] })
    };
    Ok(Content::with_file((field, enclosure, told), caption))
}
