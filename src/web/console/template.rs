//! Templat pesan: announcements and the lines of the conversation as they look on each phone, and what Meta says of
//! those that are registered there.
//!
//! Only samples are shown; no citizen's data stands on these pages, and nothing is changed.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::answer::{Phone, phones};
use super::desk::Desk;
use super::label::announcement as announcement_name;
use super::page::{Page, show as shown};
use super::{Need, Rooms};
use crate::domain::card::AnnouncementKind;
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::officer::Right;
use crate::domain::template_state::TemplateState;
use crate::service::look::{self, AnnouncementLook, WordingUse};
use crate::store::template_state::{Known, list_known};
use crate::web::Web;
use crate::web::error::Error;

const HERE: &str = "/console/templat";

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let see = Need::Right(Right::SeeAnswers);
    rooms.get("/console/templat", see, list).get("/console/templat/kabar/{kind}", see, open).get(
        "/console/templat/percakapan",
        see,
        lines,
    )
}

/// What Meta says of a template.
struct Standing {
    word: &'static str,
    /// Class of its badge.
    class: &'static str,
    /// Why, in words.
    why: String,
    /// What to do.
    next: &'static str,
    detail: String,
    category: String,
    is_moved: bool,
    quality: &'static str,
    at: String,
    account: String,
}

struct Row {
    kind: &'static str,
    title: &'static str,
    names: Vec<(String, Vec<Standing>)>,
}

#[derive(Template)]
#[template(path = "templates.html", config = "src/web/console/askama.toml")]
struct TemplatesPage {
    page: Page,
    rows: Vec<Row>,
    strangers: Vec<(String, Standing)>,
    has_whatsapp: bool,
}

struct Wording {
    usage: String,
    buttons: Vec<String>,
    name: String,
    body: String,
    standings: Vec<Standing>,
    phones: Vec<Phone>,
}

#[derive(Template)]
#[template(path = "template.html", config = "src/web/console/askama.toml")]
struct TemplatePage {
    page: Page,
    title: &'static str,
    language: String,
    category: String,
    wordings: Vec<Wording>,
}

struct Line {
    name: &'static str,
    chat: String,
    sms: String,
    parts: usize,
    buttons: Vec<String>,
}

#[derive(Template)]
#[template(path = "template_lines.html", config = "src/web/console/askama.toml")]
struct LinesPage {
    page: Page,
    is_english: bool,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    bahasa: String,
}

/// The state, its badge, and what to do.
fn state_words(page: &Page, state: TemplateState) -> (&'static str, &'static str, &'static str) {
    match state {
        TemplateState::Pending => (
            page.t("sedang diperiksa Meta", "being looked at by Meta"),
            "info",
            page.t(
                "Tunggu; biasanya kurang dari sehari.",
                "Wait; it takes less than a day as a rule.",
            ),
        ),
        TemplateState::Approved => (page.t("disetujui", "approved"), "good", ""),
        TemplateState::Rejected => (
            page.t("ditolak", "rejected"),
            "bad",
            page.t(
                "Perbaiki teksnya, daftarkan dengan nama baru di WhatsApp Manager, lalu tulis nama \
                 itu di meta.toml. Sampai itu kabar dikirim lewat saluran lain.",
                "Mend the text, register it under a new name in WhatsApp Manager, and write that \
                 name into meta.toml. Until then the news takes other channels.",
            ),
        ),
        TemplateState::Paused => (
            page.t("dijeda Meta", "paused by Meta"),
            "warn",
            page.t(
                "Aktif lagi sendiri sesudah beberapa jam. Periksa apakah warga mengenal pesan ini; \
                 jeda ketiga menutupnya.",
                "It comes back by itself after some hours. See whether citizens know this message; \
                 the third pause ends it.",
            ),
        ),
        TemplateState::Disabled => (
            page.t("dimatikan Meta", "disabled by Meta"),
            "bad",
            page.t(
                "Tulis ulang teksnya dan daftarkan dengan nama baru.",
                "Write it anew and register it under a new name.",
            ),
        ),
        TemplateState::Flagged => (
            page.t("hampir dijeda", "about to be paused"),
            "warn",
            page.t(
                "Kirim hanya kepada yang mengenal kantor ini.",
                "Send only to those who know this office.",
            ),
        ),
        TemplateState::InAppeal => (
            page.t("sedang dibanding", "under appeal"),
            "info",
            page.t("Tunggu keputusan Meta.", "Wait for Meta's decision."),
        ),
        TemplateState::Deleted => (
            page.t("dihapus", "deleted"),
            "bad",
            page.t("Daftarkan lagi dengan nama baru.", "Register it again under a new name."),
        ),
        TemplateState::Archived => (
            page.t("disimpan Meta", "archived by Meta"),
            "warn",
            page.t("Aktifkan lagi di WhatsApp Manager.", "Take it up again in WhatsApp Manager."),
        ),
        TemplateState::Other => (
            page.t("keadaan lain", "another state"),
            "warn",
            page.t("Lihat di WhatsApp Manager.", "Look into WhatsApp Manager."),
        ),
    }
}

/// Meta's word for why, in words.
fn reason(page: &Page, word: &str) -> String {
    let words = match word {
        "INVALID_FORMAT" => page
            .t("bentuk teks atau tempat isiannya salah", "its form or its placeholders are wrong"),
        "ABUSIVE_CONTENT" => page.t("dianggap melecehkan", "taken for abusive"),
        "PROMOTIONAL" => page.t("dianggap promosi", "taken for promotion"),
        "TAG_CONTENT_MISMATCH" => {
            page.t("kategorinya tidak cocok dengan isinya", "its category does not fit its content")
        }
        "INCORRECT_CATEGORY" => page.t("kategorinya salah", "its category is wrong"),
        "SCAM" => page.t("dianggap penipuan", "taken for a scam"),
        "NON_TRANSIENT_ERROR" => page.t("kesalahan pada Meta", "a fault at Meta"),
        "FIRST_PAUSE" => page.t("jeda pertama, 3 jam", "first pause, 3 hours"),
        "SECOND_PAUSE" => page.t("jeda kedua, 6 jam", "second pause, 6 hours"),
        "RATE_LIMITING_PAUSE" => {
            page.t("terlalu banyak dikirim sekaligus", "too many were sent at once")
        }
        "LIMIT_EXCEEDED" => {
            page.t("batas jumlah templat tercapai", "the limit of templates is reached")
        }
        _ => return word.to_lowercase().replace('_', " "),
    };
    words.to_owned()
}

fn quality(page: &Page, word: Option<&str>) -> &'static str {
    match word {
        Some("green") => page.t("mutu baik", "quality: high"),
        Some("yellow") => page.t("mutu sedang", "quality: medium"),
        Some("red") => page.t("mutu rendah", "quality: low"),
        _ => "",
    }
}

fn standing(page: &Page, known: &Known, ours: &str) -> Standing {
    let news = &known.news;
    let (word, class, next) = news.state.map_or_else(
        || (page.t("belum ada kabar tentang persetujuan", "nothing heard of its approval"), "", ""),
        |state| state_words(page, state),
    );
    let category = news.category.clone().unwrap_or_default();
    Standing {
        word,
        class,
        why: news.reason.as_deref().map(|word| reason(page, word)).unwrap_or_default(),
        next,
        detail: news.detail.clone().unwrap_or_default(),
        is_moved: !category.is_empty() && !ours.is_empty() && category != ours,
        category,
        quality: quality(page, news.quality.as_deref()),
        at: page.time(&known.changed_at),
        account: known.account.clone(),
    }
}

fn standings(page: &Page, known: &[Known], name: &str, of: &AnnouncementLook) -> Vec<Standing> {
    let fits = |one: &&Known| one.news.name == name && one.news.language == of.language;
    known.iter().filter(fits).map(|one| standing(page, one, &of.category)).collect()
}

pub(super) async fn list(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let known = list_known(&web.app.db).await?;
    let mut ours = Vec::new();
    let rows = AnnouncementKind::ALL
        .iter()
        .map(|kind| {
            let of = look::announcement(&web.app, *kind);
            let mut names: Vec<String> =
                of.wordings.iter().map(|wording| wording.template.clone()).collect();
            names.dedup();
            ours.extend(names.iter().cloned());
            let names = names.into_iter().map(|name| {
                let standings = standings(&page, &known, &name, &of);
                (name, standings)
            });
            Row {
                kind: kind.as_str(),
                title: announcement_name(&page, *kind),
                names: names.collect(),
            }
        })
        .collect();
    let strangers = known
        .iter()
        .filter(|one| !ours.contains(&one.news.name))
        .map(|one| (one.news.name.clone(), standing(&page, one, "")))
        .collect();
    let has_whatsapp =
        web.app.accounts.iter().any(|account| account.channel == ChannelKind::Whatsapp);
    shown(&TemplatesPage { page, rows, strangers, has_whatsapp })
}

fn usage_words(page: &Page, usage: WordingUse) -> String {
    match usage {
        WordingUse::General => page.t("Teks umum", "The general text").to_owned(),
        WordingUse::Paper(document) => {
            format!("{} {document}", page.t("Teks khusus", "The text for"))
        }
        WordingUse::Answerable => {
            page.t("Teks yang dapat dijawab", "The text that can be answered").to_owned()
        }
    }
}

pub(super) async fn open(
    State(web): State<Web>,
    desk: Desk,
    Path(kind): Path<String>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let kind: AnnouncementKind = kind.parse().map_err(|_| Error::NotFound)?;
    let known = list_known(&web.app.db).await?;
    let of = look::announcement(&web.app, kind);
    let wordings = of
        .wordings
        .iter()
        .map(|wording| Wording {
            usage: usage_words(&page, wording.usage),
            buttons: wording.buttons.clone(),
            name: wording.template.clone(),
            body: wording.body.clone(),
            standings: standings(&page, &known, &wording.template, &of),
            phones: phones(wording.looks.clone(), false),
        })
        .collect();
    let title = announcement_name(&page, kind);
    shown(&TemplatePage { page, title, language: of.language, category: of.category, wordings })
}

pub(super) async fn lines(
    State(web): State<Web>,
    desk: Desk,
    Query(query): Query<Shown>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let is_english = query.bahasa == "en";
    let language = if is_english { Language::English } else { Language::Indonesian };
    let lines = look::lines(&web.app, language)
        .into_iter()
        .map(|(sample, parts)| Line {
            name: sample.name,
            chat: sample.chat,
            sms: sample.sms,
            parts,
            buttons: sample.buttons,
        })
        .collect();
    shown(&LinesPage { page, is_english, lines })
}
