//! What the pages load: style, our few lines of script, and htmx. All of it is in the program.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::web::error::Error;

const FILES: &[(&str, &str, &[u8])] = &[
    ("console.css", "text/css; charset=utf-8", include_bytes!("assets/console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_bytes!("assets/console.js")),
    ("courier.css", "text/css; charset=utf-8", include_bytes!("assets/courier.css")),
    ("courier.js", "text/javascript; charset=utf-8", include_bytes!("assets/courier.js")),
    ("courier.svg", "image/svg+xml", include_bytes!("assets/courier.svg")),
    // htmx 2.0.11, 0BSD, as published on npm.
    ("htmx.min.js", "text/javascript; charset=utf-8", include_bytes!("assets/htmx.min.js")),
];

/// A word that changes with every version, so that a browser may keep the files for ever.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn show(Path(name): Path<String>) -> Result<Response, Error> {
    let (_, kind, bytes) =
        FILES.iter().find(|(known, _, _)| *known == name).ok_or(Error::NotFound)?;
    // While the program is being written its version stays the same and its files do not.
    let keep = if cfg!(debug_assertions) { "no-cache" } else { "public, max-age=604800" };
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, keep)], *bytes).into_response())
}
