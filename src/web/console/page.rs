//! What every page has: who reads it and in which language, the way to the other pages, and how a time or a
//! number is written.
//!
//! Words stand in the pages, in both languages side by side (`page.t("Kartu", "Cards")`), so that none can be
//! missing; nothing here decides what may be seen.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use chrono::{Datelike as _, Timelike as _};

use super::assets::VERSION;
use super::desk::{Desk, LANGUAGE_COOKIE, cookie};
use crate::domain::area::Zone;
use crate::domain::clock::Timestamp;
use crate::domain::language::Language;
use crate::domain::officer::{OfficerRole, Right};
use crate::store::session::Stage;
use crate::web::Web;
use crate::web::error::Error;

/// Nothing but our own files is loaded, nothing is sent anywhere else, and no page stands in a foreign frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The pages in the order of the way to them: path, both names, and who sees them.
const WAYS: &[(&str, &str, &str, Right)] = &[
    ("/console/hari-ini", "Hari ini", "Today", Right::SeeWork),
    ("/console/kartu", "Kartu", "Cards", Right::SeeCards),
    ("/console/antar", "Antar ke rumah", "Home delivery", Right::SeeCards),
    ("/console/percakapan", "Percakapan", "Conversations", Right::SeeConversations),
    ("/console/siaran", "Siaran", "Broadcasts", Right::SeeBroadcasts),
    ("/console/tempat", "Tempat & kalender", "Places & calendar", Right::SeePoints),
    ("/console/kunjungan/loket", "Loket", "Counter", Right::RunCounter),
    ("/console/kunjungan", "Kunjungan", "Visits", Right::SeePoints),
    ("/console/kunjungan-rumah", "Kunjungan rumah", "Home visits", Right::RunCounter),
    ("/console/ambil", "Pengambilan", "Collection", Right::SeeCards),
    ("/console/blanko", "Blangko", "Blank cards", Right::SeePoints),
    ("/console/gangguan", "Gangguan", "Outages", Right::SeePoints),
    ("/console/jawaban", "Jawaban", "Answers", Right::SeeAnswers),
    ("/console/templat", "Templat pesan", "Message templates", Right::SeeAnswers),
    ("/console/laporan", "Laporan", "Reports", Right::SeeReports),
    ("/console/persetujuan", "Persetujuan warga", "Citizens' consent", Right::RegisterConsent),
    ("/console/petugas", "Petugas", "Officers", Right::ManageOfficers),
    ("/console/token", "Token API", "API tokens", Right::ManageTokens),
    ("/console/jejak", "Jejak audit", "Audit log", Right::SeeAudit),
    ("/kurir/", "Antaran saya", "My rounds", Right::CarryCards),
];

/// One way to another page.
pub(super) struct Way {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) is_here: bool,
}

/// What every page shows around its own matter.
pub(super) struct Page {
    language: Language,
    zone: Zone,
    now: Timestamp,
    /// The office's name.
    pub(super) office: String,
    /// The officer's name, and what they are; empty before logging in.
    pub(super) officer: String,
    pub(super) role: String,
    /// What every form carries.
    pub(super) csrf: String,
    /// The ways to other pages.
    pub(super) ways: Vec<Way>,
    /// The path of this page, for forms that come back to it.
    pub(super) here: String,
    /// Changes with the files that pages load.
    pub(super) version: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
impl Page {
    /// For somebody who is logged in; `here` is the path of the page's way.
    pub(super) fn new(web: &Web, desk: &Desk, here: &str) -> Self {
        let language = desk.language();
        let ways = WAYS
            .iter()
            .filter(|(.., right)| desk.may(*right))
            .map(|(path, id, en, _)| Way {
                path,
                name: pick(language, id, en),
                is_here: *path == here,
            })
            .collect();
        Self {
            officer: desk.officer.name.clone(),
            role: role_name(desk.officer.role, language).to_owned(),
            csrf: desk.csrf.clone(),
            ways,
            ..Self::outside(web, language, here)
        }
    }

    /// For somebody who is not logged in.
    pub(super) fn outside(web: &Web, language: Language, here: &str) -> Self {
        Self {
            language,
            zone: web.app.settings.office_area.zone(),
            now: web.app.now(),
            office: web.app.settings.office_name.clone(),
            officer: String::new(),
            role: String::new(),
            csrf: String::new(),
            ways: Vec::new(),
            here: here.to_owned(),
            version: VERSION,
        }
    }

    /// The one of two wordings that the reader's language has.
    pub(super) fn t<'a>(&self, id: &'a str, en: &'a str) -> &'a str {
        pick(self.language, id, en)
    }

    /// `id` or `en`, for the page's `lang`.
    pub(super) fn lang(&self) -> &'static str {
        self.language.as_str()
    }

    /// The reader's language.
    pub(super) const fn language(&self) -> Language {
        self.language
    }

    /// Whether the reader's language is English.
    pub(super) fn is_english(&self) -> bool {
        self.language == Language::English
    }

    /// A moment as one reads it: the time today, the day and the time otherwise.
    pub(super) fn time(&self, at: &Timestamp) -> String {
        let offset = self.zone.offset();
        let (at, now) = (at.in_zone(offset), self.now.in_zone(offset));
        let clock = format!("{:02}.{:02}", at.hour(), at.minute());
        if at.date_naive() == now.date_naive() {
            return format!("{} {clock}", self.t("hari ini", "today"));
        }
        format!("{} {clock}", self.date(at.date_naive()))
    }

    /// The same of a moment that may be missing.
    pub(super) fn time_opt(&self, at: Option<&Timestamp>) -> String {
        at.map_or_else(|| "–".to_owned(), |at| self.time(at))
    }

    /// A day: `22 Nov 2026`.
    pub(super) fn date(&self, date: chrono::NaiveDate) -> String {
        format!("{} {}", date.day(), self.month(date))
    }

    /// Its month: `Nov 2026`.
    pub(super) fn month(&self, date: chrono::NaiveDate) -> String {
        const ID: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"];
        const EN: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let months = if self.is_english() { EN } else { ID };
        let month = months.get(date.month0() as usize).copied().unwrap_or_default();
        format!("{month} {}", date.year())
    }

    /// How long ago a moment was: `5 menit`, `3 jam`, `2 hari`.
    pub(super) fn ago(&self, at: &Timestamp) -> String {
        let seconds = self.now.since(*at).as_secs();
        match seconds {
            0..60 => self.t("baru saja", "just now").to_owned(),
            60..3_600 => format!("{} {}", seconds / 60, self.t("menit", "min")),
            3_600..86_400 => format!("{} {}", seconds / 3_600, self.t("jam", "h")),
            _ => format!("{} {}", seconds / 86_400, self.t("hari", "days")),
        }
    }

    /// A number with its thousands apart.
    pub(super) fn number(&self, number: &i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let separator = if self.is_english() { ',' } else { '.' };
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(separator);
            }
            text.push(digit);
        }
        if *number < 0 { format!("-{text}") } else { text }
    }
}

fn pick<'a>(language: Language, id: &'a str, en: &'a str) -> &'a str {
    match language {
        Language::Indonesian => id,
        Language::English => en,
    }
}

/// What a role is called.
pub(super) fn role_name(role: OfficerRole, language: Language) -> &'static str {
    let (id, en) = match role {
        OfficerRole::Desa => ("Petugas desa", "Village officer"),
        OfficerRole::Kecamatan => ("Petugas kecamatan", "District officer"),
        OfficerRole::Dinas => ("Petugas Dinas", "Dinas officer"),
        OfficerRole::Courier => ("Kurir", "Courier"),
        OfficerRole::Partner => ("Mitra (RT, kader, LSM)", "Partner (RT, kader, NGO)"),
        OfficerRole::Auditor => ("Auditor", "Auditor"),
        OfficerRole::Admin => ("Administrator", "Administrator"),
    };
    pick(language, id, en)
}

/// The language of somebody who is not logged in: what they chose last, else Indonesian.
pub(super) fn language_of(headers: &axum::http::HeaderMap) -> Language {
    cookie(headers, LANGUAGE_COOKIE).and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Makes a page of a template.
pub(super) fn show(template: &impl Template) -> Result<Response, Error> {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(error) => {
            tracing::error!("a page cannot be made: {error}");
            Err(Error::Internal)
        }
    }
}

#[derive(Template)]
#[template(path = "error.html", config = "src/web/console/askama.toml")]
struct ErrorPage {
    page: Page,
    status: u16,
    /// A form was refused for what it carries, not for who sent it.
    is_stale: bool,
    detail: String,
}

/// Marks the refusal of a form that is not of this session.
#[derive(Clone, Copy, Debug)]
pub(super) struct StaleForm;

/// Makes a page of an error, and tells the browser what it may do with any answer.
pub(super) async fn as_page(State(web): State<Web>, request: Request, next: Next) -> Response {
    let language = language_of(request.headers());
    let is_fragment = request.headers().contains_key("hx-request");
    let mut response = next.run(request).await;
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes() == b"application/problem+json");
    if is_problem {
        let status = response.status();
        let is_stale = response.extensions().get::<StaleForm>().is_some();
        // Who is logged in keeps the ways to the other pages.
        let page = match response.extensions().get::<Desk>() {
            Some(desk) if desk.stage == Stage::Full => Page::new(&web, desk, ""),
            _ => Page::outside(&web, language, ""),
        };
        let bytes = axum::body::to_bytes(response.into_body(), 64 * 1024).await.unwrap_or_default();
        let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let detail = match status {
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::PAYLOAD_TOO_LARGE => {
                problem.get("detail").and_then(|detail| detail.as_str()).unwrap_or_default()
            }
            _ => "",
        };
        let detail = detail.to_owned();
        let shown = ErrorPage { page, status: status.as_u16(), is_stale, detail };
        response = match (is_fragment, show(&shown)) {
            (false, Ok(page)) => (status, page).into_response(),
            _ => (status, status.as_str().to_owned()).into_response(),
        };
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages hold people's data: no cache on the way, nor the browser's, keeps them.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A path of the console that leads nowhere.
pub(super) async fn not_found() -> Error {
    Error::NotFound
}
