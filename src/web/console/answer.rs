//! Jawaban, its second half: every answer as citizens read it, and the office's own words for one.
//!
//! Whoever sees answers reads them here. What is changed holds for all citizens, so that only those change it whose
//! area is the whole office's. No citizen's data stands on these pages.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::answer_words::{fault, standing};
use super::desk::Desk;
use super::form::Filled;
use super::page::{Page, show as shown};
use super::question::{HERE, may_teach, must_teach};
use super::talk_words::{channel_name, person};
use super::{Need, Rooms};
use crate::domain::area::AreaCode;
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
use crate::domain::officer::Right;
use crate::service::by::By;
use crate::service::look::{self, Look};
use crate::service::own_answer::{self, OwnAnswer, OwnAnswerError, PaperForm};
use crate::store::officer::list_names;
use crate::store::own_answer::{Version, VersionState, list_present};
use crate::store::taught::count_by_label;
use crate::web::Web;
use crate::web::error::Error;

pub(super) fn rooms(rooms: Rooms) -> Rooms {
    let (see, teach) = (Need::Right(Right::SeeAnswers), Need::Right(Right::Teach));
    rooms
        .get("/console/jawaban/daftar", see, list)
        .get("/console/jawaban/isi/{label}", see, open)
        .get("/console/jawaban/isi/{label}/ubah", teach, edit)
        .post("/console/jawaban/isi/{label}/ubah", teach, save)
        .get("/console/jawaban/isi/{label}/draf", teach, draft)
        .post("/console/jawaban/isi/{label}/terbit", teach, publish)
        .post("/console/jawaban/isi/{label}/buang", teach, discard)
        .post("/console/jawaban/isi/{label}/tarik", teach, withdraw)
}

struct Row {
    label: String,
    title: String,
    standing: &'static str,
    source: String,
    checked: String,
    is_stale: bool,
    variants: Vec<String>,
    taught: i64,
    is_own: bool,
    is_drafted: bool,
}

#[derive(Template)]
#[template(path = "answers.html", config = "src/web/console/askama.toml")]
struct AnswersPage {
    page: Page,
    rows: Vec<Row>,
}

/// A text as it looks on one phone.
pub(super) struct Phone {
    pub(super) channel: &'static str,
    pub(super) text: String,
    pub(super) footer: String,
    /// Parts as SMS; none elsewhere.
    pub(super) parts: Option<usize>,
    pub(super) is_dear: bool,
}

/// Phones side by side.
pub(super) fn phones(looks: Vec<Look>, is_chat_shared: bool) -> Vec<Phone> {
    let name = |channel| match channel {
        ChannelKind::Whatsapp if is_chat_shared => "WhatsApp, Telegram",
        channel => channel_name(channel),
    };
    looks
        .into_iter()
        .map(|look| Phone {
            channel: name(look.channel),
            text: look.text,
            footer: look.footer.unwrap_or_default(),
            parts: look.parts,
            is_dear: look.is_dear,
        })
        .collect()
}

struct Place {
    code: String,
    name: String,
    source: String,
    checked: String,
    is_own: bool,
    is_here: bool,
}

/// A version of the office's own words, as history shows it.
struct Told {
    state: &'static str,
    written: String,
    published: String,
    ended: String,
    lead: String,
}

#[derive(Template)]
#[template(path = "answer.html", config = "src/web/console/askama.toml")]
struct AnswerPage {
    page: Page,
    row: Row,
    legal_basis: String,
    examples: usize,
    places: Vec<Place>,
    is_english: bool,
    short: Vec<Phone>,
    full: Vec<Phone>,
    history: Vec<Told>,
    may_teach: bool,
    told: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "answer_edit.html", config = "src/web/console/askama.toml")]
struct EditPage {
    page: Page,
    label: String,
    title: String,
    form: Parts,
    is_begun: bool,
}

#[derive(Template)]
#[template(path = "answer_draft.html", config = "src/web/console/askama.toml")]
struct DraftPage {
    page: Page,
    label: String,
    title: String,
    who: String,
    at: String,
    written_at: i64,
    faults: Vec<String>,
    languages: Vec<(&'static str, Vec<Phone>, Vec<Phone>)>,
    told: Option<&'static str>,
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    wilayah: String,
    #[serde(default)]
    bahasa: String,
    #[serde(default)]
    kabar: String,
}

/// The parts of an answer as fields of a form: lists have an entry a line.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Parts {
    lead: String,
    text: String,
    bring: String,
    steps: String,
    forms: String,
    place: String,
    duration: String,
    cost: String,
    note: String,
    more: String,
    legal_basis: String,
    legal_basis_en: String,
    sms: String,
    english: String,
    source: String,
    checked_on: String,
}

#[derive(Deserialize)]
pub(super) struct Publishing {
    written_at: i64,
}

impl Parts {
    fn of(own: &OwnAnswer) -> Self {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let form = |form: &PaperForm| {
            let when = form.when.as_ref().map(|when| format!(" | {when}")).unwrap_or_default();
            format!("{} | {}{when}", form.number, form.name)
        };
        Self {
            lead: text(&own.lead),
            text: text(&own.text),
            bring: own.bring.join("\n"),
            steps: own.steps.join("\n"),
            forms: own.forms.iter().map(form).collect::<Vec<_>>().join("\n"),
            place: text(&own.place),
            duration: text(&own.duration),
            cost: text(&own.cost),
            note: text(&own.note),
            more: text(&own.more),
            legal_basis: text(&own.legal_basis),
            legal_basis_en: text(&own.legal_basis_en),
            sms: text(&own.sms),
            english: own.english.clone(),
            source: own.source.clone(),
            checked_on: own.checked_on.clone(),
        }
    }

    fn own(&self) -> OwnAnswer {
        let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
        let part = |text: &str| Some(plain(text)).filter(|text| !text.is_empty());
        let lines = |text: &str| {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let form = |line: String| {
            let mut parts = line.splitn(3, '|').map(|part| part.trim().to_owned());
            PaperForm {
                number: parts.next().unwrap_or_default(),
                name: parts.next().unwrap_or_default(),
                when: parts.next().filter(|when| !when.is_empty()),
            }
        };
        OwnAnswer {
            lead: part(&self.lead),
            text: part(&self.text),
            bring: lines(&self.bring),
            steps: lines(&self.steps),
            forms: lines(&self.forms).into_iter().map(form).collect(),
            place: part(&self.place),
            duration: part(&self.duration),
            cost: part(&self.cost),
            note: part(&self.note),
            more: part(&self.more),
            legal_basis: part(&self.legal_basis),
            legal_basis_en: part(&self.legal_basis_en),
            sms: part(&self.sms),
            english: plain(&self.english),
            source: plain(&self.source),
            checked_on: plain(&self.checked_on),
        }
    }
}

/// What is known of all answers beside their words.
struct Known {
    taught: BTreeMap<String, i64>,
    present: Vec<Version>,
    today: chrono::NaiveDate,
}

impl Known {
    async fn of(web: &Web) -> Result<Self, Error> {
        Ok(Self {
            taught: count_by_label(&web.app.db).await?,
            present: list_present(&web.app.db).await?,
            today: web.app.now().in_zone(web.app.zone(None).offset()).date_naive(),
        })
    }

    fn row(&self, web: &Web, page: &Page, label: &str) -> Option<Row> {
        let script = web.app.script();
        let answer = script.answer(label)?;
        let has = |state| self.present.iter().any(|one| one.label == label && one.state == state);
        let variants = script.variants(label);
        let days = variants.iter().map(|variant| variant.checked_on).chain([answer.checked_day()]);
        let is_stale = |day| look::is_stale(day, self.today);
        Some(Row {
            label: label.to_owned(),
            title: answer.title.clone(),
            standing: standing(page, answer.standing().as_str()),
            source: answer.source.clone(),
            checked: answer.checked_day().map(|day| page.date(day)).unwrap_or_default(),
            is_stale: days.flatten().any(is_stale),
            variants: variants
                .into_iter()
                .map(|variant| variant.name.unwrap_or_else(|| variant.area.to_string()))
                .collect(),
            taught: self.taught.get(label).copied().unwrap_or_default(),
            is_own: has(VersionState::Published),
            is_drafted: has(VersionState::Draft),
        })
    }
}

pub(super) async fn list(State(web): State<Web>, desk: Desk) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let known = Known::of(&web).await?;
    let script = web.app.script();
    let labels = script.answers().map(|answer| answer.intent.as_str());
    let mut rows: Vec<Row> = labels.filter_map(|label| known.row(&web, &page, label)).collect();
    rows.sort_by_key(|row| (!row.is_stale, row.title.to_lowercase()));
    shown(&AnswersPage { page, rows })
}

pub(super) async fn open(
    State(web): State<Web>,
    desk: Desk,
    Path(label): Path<String>,
    Query(query): Query<Shown>,
) -> Result<Response, Error> {
    let page = Page::new(&web, &desk, HERE);
    let row = Known::of(&web).await?.row(&web, &page, &label).ok_or(Error::NotFound)?;
    let script = web.app.script();
    let answer = script.answer(&label).ok_or(Error::NotFound)?;
    let office = &web.app.settings.office_area;
    let area = match query.wilayah.as_str() {
        "" => office.clone(),
        "nasional" => AreaCode::nationwide(),
        code => AreaCode::parse(code).map_err(|_| Error::NotFound)?,
    };
    let is_english = query.bahasa == "en";
    let language = if is_english { Language::English } else { Language::Indonesian };
    let (short, full) = look::answer(&web.app, &script, &label, &area, language);
    let mut places = vec![Place {
        code: "nasional".to_owned(),
        name: page.t("Seluruh Indonesia", "All of Indonesia").to_owned(),
        source: answer.source.clone(),
        checked: answer.checked_day().map(|day| page.date(day)).unwrap_or_default(),
        is_own: false,
        is_here: area.plain().is_empty(),
    }];
    for variant in script.variants(&label) {
        places.push(Place {
            code: variant.area.to_string(),
            name: variant.name.unwrap_or_else(|| variant.area.to_string()),
            source: variant.source,
            checked: variant.checked_on.map(|day| page.date(day)).unwrap_or_default(),
            is_own: variant.is_own,
            is_here: variant.area == area,
        });
    }
    if !places.iter().any(|place| place.is_here) {
        places.push(Place {
            code: area.to_string(),
            name: if area == *office {
                page.t("Wilayah kantor ini", "This office's area").to_owned()
            } else {
                area.to_string()
            },
            source: String::new(),
            checked: String::new(),
            is_own: false,
            is_here: true,
        });
    }
    let names = list_names(&web.app.db).await?;
    let desk_of = own_answer::show(&web.app, &label).await.map_err(refused)?;
    let told_before = desk_of.published.iter().chain(&desk_of.before);
    let history =
        told_before.map(|(version, own)| told_version(&page, version, own, &names)).collect();
    let told = match query.kabar.as_str() {
        "terbit" => Some(page.t(
            "Terbit. Warga membaca kata-kata ini mulai sekarang.",
            "Published. Citizens read these words from now on.",
        )),
        "ditarik" => Some(page.t(
            "Ditarik. Warga membaca kata-kata dari berkas lagi.",
            "Taken back. Citizens read the file's words again.",
        )),
        "dibuang" => Some(page.t("Draf dibuang.", "The draft is thrown away.")),
        "berubah" => Some(page.t(
            "Sudah diubah orang lain. Lihat keadaannya sekarang.",
            "Somebody else changed it. See how it stands now.",
        )),
        _ => None,
    };
    shown(&AnswerPage {
        row,
        legal_basis: answer.legal_basis.clone().unwrap_or_default(),
        examples: answer.examples.len(),
        places,
        is_english,
        short: phones(short, false),
        full: phones(full, true),
        history,
        may_teach: may_teach(&web, &desk),
        told,
        page,
    })
}

fn told_version(
    page: &Page,
    version: &Version,
    own: &OwnAnswer,
    names: &BTreeMap<String, String>,
) -> Told {
    let by = |by: &Option<String>, at: &Option<crate::domain::clock::Timestamp>| match (by, at) {
        (Some(by), Some(at)) => format!("{} · {}", person(page, names, by), page.time(at)),
        _ => String::new(),
    };
    Told {
        state: match version.state {
            VersionState::Draft => page.t("draf", "draft"),
            VersionState::Published => page.t("dibaca warga sekarang", "read by citizens now"),
            VersionState::Replaced => page.t("diganti", "replaced"),
            VersionState::Withdrawn => page.t("ditarik", "taken back"),
        },
        written: by(&Some(version.written_by.clone()), &Some(version.written_at)),
        published: by(&version.published_by, &version.published_at),
        ended: by(&version.ended_by, &version.ended_at),
        lead: own.lead.clone().or_else(|| own.text.clone()).unwrap_or_default(),
    }
}

/// What cannot be answered on the page itself.
fn refused(error: OwnAnswerError) -> Error {
    match error {
        OwnAnswerError::NotFound => Error::NotFound,
        OwnAnswerError::Changed | OwnAnswerError::Faults(_) => Error::Conflict(error.to_string()),
        OwnAnswerError::Service(error) => error.into(),
    }
}

fn title_of(web: &Web, label: &str) -> Result<String, Error> {
    let script = web.app.script();
    script.answer(label).map(|answer| answer.title.clone()).ok_or(Error::NotFound)
}

pub(super) async fn edit(
    State(web): State<Web>,
    desk: Desk,
    Path(label): Path<String>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    let found = own_answer::show(&web.app, &label).await.map_err(refused)?;
    let is_begun = found.draft.is_some();
    let own = match found.draft {
        Some((_, own, _)) => own,
        None => own_answer::present(&web.app, &label).ok_or(Error::NotFound)?,
    };
    let title = title_of(&web, &label)?;
    let page = Page::new(&web, &desk, HERE);
    shown(&EditPage { page, label, title, form: Parts::of(&own), is_begun })
}

pub(super) async fn save(
    State(web): State<Web>,
    desk: Desk,
    Path(label): Path<String>,
    Filled(form): Filled<Parts>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    let by = By::from(&desk.actor);
    own_answer::draft(&web.app, &label, &form.own(), &by).await.map_err(refused)?;
    Ok(Redirect::to(&format!("{HERE}/isi/{label}/draf")).into_response())
}

pub(super) async fn draft(
    State(web): State<Web>,
    desk: Desk,
    Path(label): Path<String>,
    Query(query): Query<Shown>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    let found = own_answer::show(&web.app, &label).await.map_err(refused)?;
    let Some((version, own, faults)) = found.draft else { return Ok(back(&label, "berubah")) };
    let page = Page::new(&web, &desk, HERE);
    let names = list_names(&web.app.db).await?;
    let script = own_answer::preview(&web.app, &label, &own);
    let area = &web.app.settings.office_area;
    let looks = |language| {
        let (short, full) = look::answer(&web.app, &script, &label, area, language);
        (phones(short, false), phones(full, true))
    };
    let (short, full) = looks(Language::Indonesian);
    let (short_en, full_en) = looks(Language::English);
    let languages = vec![
        (page.t("Bahasa Indonesia", "Indonesian"), short, full),
        (page.t("Bahasa Inggris", "English"), short_en, full_en),
    ];
    shown(&DraftPage {
        title: title_of(&web, &label)?,
        who: person(&page, &names, &version.written_by),
        at: page.time(&version.written_at),
        written_at: version.written_at.as_ms(),
        faults: faults.iter().map(|one| fault(&page, one)).collect(),
        languages,
        told: (query.kabar == "salah").then(|| {
            page.t("Belum terbit: perbaiki dulu yang di bawah.", "Not published: mend these first.")
        }),
        label,
        page,
    })
}

fn back(label: &str, word: &str) -> Response {
    Redirect::to(&format!("{HERE}/isi/{label}?kabar={word}")).into_response()
}

pub(super) async fn publish(
    State(web): State<Web>,
    desk: Desk,
    Path(label): Path<String>,
    Filled(form): Filled<Publishing>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    match own_answer::publish(&web.app, &label, form.written_at, &By::from(&desk.actor)).await {
        Ok(()) => Ok(back(&label, "terbit")),
        Err(OwnAnswerError::Changed) => Ok(back(&label, "berubah")),
        Err(OwnAnswerError::Faults(_)) => {
            Ok(Redirect::to(&format!("{HERE}/isi/{label}/draf?kabar=salah")).into_response())
        }
        Err(error) => Err(refused(error)),
    }
}

pub(super) async fn discard(
    State(web): State<Web>,
    desk: Desk,
    Path(label): Path<String>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    match own_answer::discard(&web.app, &label, &By::from(&desk.actor)).await {
        Ok(()) => Ok(back(&label, "dibuang")),
        Err(OwnAnswerError::Changed) => Ok(back(&label, "berubah")),
        Err(error) => Err(refused(error)),
    }
}

pub(super) async fn withdraw(
    State(web): State<Web>,
    desk: Desk,
    Path(label): Path<String>,
) -> Result<Response, Error> {
    must_teach(&web, &desk)?;
    match own_answer::withdraw(&web.app, &label, &By::from(&desk.actor)).await {
        Ok(()) => Ok(back(&label, "ditarik")),
        Err(OwnAnswerError::Changed) => Ok(back(&label, "berubah")),
        Err(error) => Err(refused(error)),
    }
}
