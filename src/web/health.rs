//! Alive, ready, and counted.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Web;
use super::error::Error;
use crate::store::{account, inbox, message_list, source};

/// The process runs.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The service can do its work: the database takes a write and no account is stopped. What is wrong
/// stands in the answer.
pub(super) async fn readyz(State(web): State<Web>) -> Response {
    let mut problems = Vec::new();
    let state = match web.app.try_write().await {
        Ok(()) => account::list_stopped(&web.app.db).await,
        Err(error) => Err(error),
    };
    match state {
        Ok(stopped) => {
            for (id, stop) in stopped {
                problems.push(json!({
                    "what": "account_stopped", "account": id, "code": stop.code, "reason": stop.reason,
                    "since": stop.at.utc().to_rfc3339(),
                }));
            }
        }
        Err(error) => {
            tracing::error!("readyz: {}", crate::telemetry::chain(&error));
            problems.push(json!({
                "what": "database", "reason": "the database cannot be read and written; see the log",
            }));
        }
    }
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"ready": problems.is_empty(), "problems": problems}))).into_response()
}

/// Prometheus' text form: this process's counters and the state of the queues.
pub(super) async fn metrics(State(web): State<Web>) -> Result<Response, Error> {
    use std::fmt::Write as _;

    let mut text = web.app.metrics.encode().map_err(|_| Error::Internal)?;
    let now = web.app.now().as_ms();
    let (waiting, oldest) = inbox::waiting(&web.app.db).await?;
    let seconds = |ms: i64| ms.max(0) / 1000;
    let age = oldest.map_or(0, |at| seconds(now - at.as_ms()));
    let mut queue = format!(
        "# TYPE kabar_inbox_waiting gauge\nkabar_inbox_waiting {waiting}\n\
         # TYPE kabar_inbox_oldest_seconds gauge\nkabar_inbox_oldest_seconds {age}\n\
         # TYPE kabar_outbox_waiting gauge\n"
    );
    for (account, class, count, _) in message_list::count_waiting(&web.app.db).await? {
        let _ = writeln!(
            queue,
            "kabar_outbox_waiting{{account=\"{account}\",class=\"{class}\"}} {count}"
        );
    }
    let is_watched = |id: &str| web.app.sources.iter().any(|watched| watched.id == id);
    let mut states = source::list_states(&web.app.db).await?;
    states.retain(|(id, _)| is_watched(id));
    queue.push_str("# TYPE kabar_source_lag_seconds gauge\n");
    for (id, at) in states.iter().filter_map(|(id, state)| Some((id, state.read_at?))) {
        let lag = seconds(now - at.as_ms());
        let _ = writeln!(queue, "kabar_source_lag_seconds{{source=\"{id}\"}} {lag}");
    }
    queue.push_str("# TYPE kabar_source_failing gauge\n");
    for (id, state) in &states {
        let failing = i64::from(state.failed_at.is_some());
        let _ = writeln!(queue, "kabar_source_failing{{source=\"{id}\"}} {failing}");
    }
    let end = text.rfind("# EOF").unwrap_or(text.len());
    text.insert_str(end, &queue);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
