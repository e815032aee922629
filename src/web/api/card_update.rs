//! `POST /v1/card-updates`: one object, an array, a stream of lines, or CloudEvents.
//!
//! A body that is one JSON text is read whole before anything is recorded. A stream is recorded in
//! chunks as it comes, so that it may be of any length; its lines stand alone like the items of an
//! array.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, FramedRead};
use tokio_util::io::StreamReader;

use crate::domain::raw_update::{RawUpdate, Reason};
use crate::service::card::{self, CHUNK, Item, Recorded};
use crate::web::auth::Caller;
use crate::web::error::Error;
use crate::web::{JSON_BYTES, Web};

/// The name under which items of the API are remembered.
const SOURCE: &str = "api";
/// Items of an array, at most; longer lists are streamed.
const LONGEST_ARRAY: usize = 1000;
/// One line of a stream, at most.
const LONGEST_LINE: usize = 64 * 1024;
/// An id is echoed up to this many characters.
const LONGEST_ID: usize = 200;
/// Windows programs put these bytes in front of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// Rejected items listed in one answer, at most; all of them are kept.
const LISTED: usize = 10_000;

/// What the answer says.
#[derive(Debug, Default)]
struct Answer {
    accepted: u64,
    duplicates: u64,
    rejected: u64,
    listed: Vec<Value>,
    warnings: Vec<Value>,
    seen: usize,
}

impl Answer {
    fn add(&mut self, results: Vec<Recorded>) {
        for result in results {
            match result {
                Recorded::Accepted { warning, .. } => {
                    self.accepted += 1;
                    if let Some(reason) = warning.filter(|_| self.warnings.len() < LISTED) {
                        self.warnings.push(json!({
                            "index": self.seen, "code": reason.code, "message": reason.message,
                        }));
                    }
                }
                Recorded::Duplicate => self.duplicates += 1,
                Recorded::Rejected { id, reason } => {
                    self.rejected += 1;
                    let id = id.map(|id| id.chars().take(LONGEST_ID).collect::<String>());
                    if self.listed.len() < LISTED {
                        self.listed.push(json!({
                            "index": self.seen, "id": id, "code": reason.code, "message": reason.message,
                        }));
                    }
                }
            }
            self.seen += 1;
        }
    }

    fn into_json(self) -> Value {
        let mut answer = json!({
            "accepted": self.accepted, "duplicates": self.duplicates, "rejected": self.listed,
        });
        if !self.warnings.is_empty() {
            answer["warnings"] = self.warnings.into();
        }
        if self.rejected > LISTED as u64 {
            answer["rejected_total"] = self.rejected.into();
        }
        answer
    }
}

/// Takes card updates in; 202 with what became of each.
pub(in crate::web) async fn post(
    State(web): State<Web>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Error> {
    caller.to_push()?;
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or("application/json")
        .trim()
        .to_ascii_lowercase();
    let answer = match kind.as_str() {
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines" => stream(&web, body).await?,
        "application/json" | "text/json" => whole(&web, body, plain).await?,
        "application/cloudevents+json" | "application/cloudevents-batch+json" => {
            whole(&web, body, cloud_event).await?
        }
        _ => return Err(Error::UnsupportedType),
    };
    Ok((StatusCode::ACCEPTED, Json(answer.into_json())))
}

async fn whole(
    web: &Web,
    body: Body,
    read: fn(&Value) -> Result<RawUpdate, Reason>,
) -> Result<Answer, Error> {
    let bytes = to_bytes(body, JSON_BYTES).await.map_err(|_| {
        Error::TooLarge(format!(
            "one JSON body has at most {JSON_BYTES} bytes; stream application/x-ndjson instead"
        ))
    })?;
    let bytes = bytes.strip_prefix(BOM).unwrap_or(&bytes);
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        Error::BadBody(format!("not JSON at line {}, column {}", error.line(), error.column()))
    })?;
    let values = match value {
        Value::Array(values) if values.len() > LONGEST_ARRAY => {
            return Err(Error::TooLarge(format!(
                "an array has at most {LONGEST_ARRAY} items; stream application/x-ndjson instead"
            )));
        }
        Value::Array(values) => values,
        one @ Value::Object(_) => vec![one],
        _ => return Err(Error::BadBody("an object or an array of objects is needed".to_owned())),
    };
    let mut answer = Answer::default();
    for chunk in values.chunks(CHUNK) {
        let items: Vec<Item> = chunk
            .iter()
            .map(|value| Item { update: read(value), raw: value.to_string() })
            .collect();
        answer.add(card::record(&web.app, SOURCE, &items).await?);
    }
    Ok(answer)
}

/// One line of a stream: read, or kept as far as it can be, with the reason.
enum Line {
    Text(String),
    Unreadable(Reason, String),
}

/// Cuts a stream into lines. A line that is too long or no UTF-8 is an item of its own, because an
/// error of a decoder would end the stream, and everything behind it would be lost. Its beginning
/// is kept, so that somebody can see what it was.
#[derive(Default)]
struct Lines {
    /// The beginning of a line that grew too long, while the rest of it passes by.
    overlong: Option<String>,
    /// Bytes of the buffer that hold no line end.
    seen: usize,
}

impl Lines {
    fn take(&mut self, mut line: BytesMut) -> Line {
        self.seen = 0;
        if let Some(beginning) = self.overlong.take() {
            return Self::too_long(beginning);
        }
        if line.ends_with(b"\r") {
            line.truncate(line.len() - 1);
        }
        if line.len() > LONGEST_LINE {
            return Self::too_long(beginning(&line));
        }
        match String::from_utf8(line.to_vec()) {
            Ok(line) => Line::Text(line),
            Err(_) => Line::Unreadable(
                Reason::new("invalid_json", "the line is not UTF-8"),
                beginning(&line),
            ),
        }
    }

    fn too_long(beginning: String) -> Line {
        let reason = Reason::new("too_long", format!("a line has at most {LONGEST_LINE} bytes"));
        Line::Unreadable(reason, beginning)
    }
}

/// What is kept of a line that cannot be read, `\u{fffd}` for what is no text.
fn beginning(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(LONGEST_LINE)]).into_owned()
}

impl Decoder for Lines {
    type Item = Line;
    type Error = std::io::Error;

    fn decode(&mut self, from: &mut BytesMut) -> Result<Option<Line>, Self::Error> {
        if let Some(end) = from[self.seen..].iter().position(|byte| *byte == b'\n') {
            let mut line = from.split_to(self.seen + end + 1);
            line.truncate(line.len() - 1);
            return Ok(Some(self.take(line)));
        }
        self.seen = from.len();
        // One more than a line may have, for the carriage return.
        if self.seen > LONGEST_LINE + 1 {
            if self.overlong.is_none() {
                self.overlong = Some(beginning(from));
            }
            from.clear();
            self.seen = 0;
        }
        Ok(None)
    }

    fn decode_eof(&mut self, from: &mut BytesMut) -> Result<Option<Line>, Self::Error> {
        if let Some(line) = self.decode(from)? {
            return Ok(Some(line));
        }
        if from.is_empty() && self.overlong.is_none() {
            return Ok(None);
        }
        let rest = from.split();
        Ok(Some(self.take(rest)))
    }
}

async fn stream(web: &Web, body: Body) -> Result<Answer, Error> {
    let reader = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let mut lines = FramedRead::new(reader, Lines::default()).ready_chunks(CHUNK);
    let mut answer = Answer::default();
    while let Some(chunk) = lines.next().await {
        let mut items = Vec::with_capacity(chunk.len());
        let mut broken = false;
        for line in chunk {
            match line {
                Ok(Line::Text(line)) if line.trim().is_empty() => {}
                Ok(Line::Text(line)) => items.push(line_item(line)),
                Ok(Line::Unreadable(reason, raw)) => {
                    items.push(Item { update: Err(reason), raw });
                }
                Err(_) => broken = true,
            }
        }
        if !items.is_empty() {
            answer.add(card::record(&web.app, SOURCE, &items).await?);
        }
        if broken {
            return Err(Error::BadBody(format!(
                "the stream broke off after item {}; items before it are recorded, sending all of \
                 them again does no harm",
                answer.seen
            )));
        }
    }
    Ok(answer)
}

fn line_item(mut line: String) -> Item {
    if line.starts_with('\u{feff}') {
        line.remove(0);
    }
    let update = match serde_json::from_str::<Value>(&line) {
        Ok(value) => plain(&value),
        Err(error) => Err(Reason::new(
            "invalid_json",
            format!("the line is not JSON at column {}", error.column()),
        )),
    };
    Item { update, raw: line }
}

fn plain(value: &Value) -> Result<RawUpdate, Reason> {
    RawUpdate::from_json(value)
}

/// A CloudEvent carries the update as its `data`; what the update leaves out, its envelope gives.
fn cloud_event(event: &Value) -> Result<RawUpdate, Reason> {
    if event["specversion"].as_str().is_none() {
        return Err(Reason::new("invalid_item", "a CloudEvent has a specversion"));
    }
    if !event["data"].is_object() {
        return Err(Reason::new(
            "invalid_item",
            "the data of the CloudEvent must be a card update",
        ));
    }
    let mut update = RawUpdate::from_json(&event["data"])?;
    let envelope = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    if update.id.is_empty() {
        update.id = envelope("id");
    }
    if update.occurred_at.is_empty() {
        update.occurred_at = envelope("time");
    }
    Ok(update)
}
