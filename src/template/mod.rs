//! Every word of an announcement: loaded from `message_templates`, checked, filled, counted.
//!
//! Rules that a text must keep are applied when it is loaded, all of them at once, so that a text
//! that loads can be sent. This module decides neither what is announced nor to whom, and no
//! sentence that a citizen reads stands in it.

mod announcement;
mod broadcast;
mod by_channel;
mod canned;
mod check;
mod file_report;
mod folder;
mod officer_chat;
mod page;
mod problem;
mod render;
mod segment;
mod text;
mod vocabulary;
mod writing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use announcement::{AnnouncementTemplate, Sample, Wording, WordingUse};
pub use broadcast::{AlarmWords, BroadcastTemplate};
pub use by_channel::ByChannel;
pub use canned::Canned;
pub use file_report::{FileReport, FileReportPage, ReportRow};
pub use officer_chat::{OfficerAudience, OfficerButton, OfficerChat, OfficerLine};
pub use page::{VisitGroup, VisitRow, Visits, VisitsPage};
pub use problem::Problem;
pub use render::{MAX_VALUE_CHARS, RenderError, Rendered};
pub use segment::{Encoding, Segments, segments, to_gsm};
pub use text::Text;
pub use vocabulary::Vocabulary;

use crate::domain::area::Zone;
use crate::domain::broadcast::{Notice, Schedule};
use crate::domain::card::AnnouncementKind;
use crate::domain::document::Document;
use crate::domain::message::ChannelKind;
use folder::Files;
use text::Engine;

/// The announcements and the vocabulary of an office, checked. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Templates {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    announcements: BTreeMap<AnnouncementKind, AnnouncementTemplate>,
    broadcast: BroadcastTemplate,
    vocabulary: Vocabulary,
    file_report: FileReportPage,
    canned: Vec<Canned>,
    officer_chat: OfficerChat,
    engine: Engine,
}

impl Templates {
    /// Reads and checks the folder `message_templates`.
    ///
    /// # Errors
    /// Everything that is wrong with it, never only the first thing.
    pub fn load(dir: &Path) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let files = folder::read(dir, &mut problems);
        Self::from_files(files, Some(dir), problems)
    }

    /// The files that the binary was built with, so that it runs without the folder.
    ///
    /// # Errors
    /// Everything that is wrong with them; a test keeps that empty.
    pub fn embedded() -> Result<Self, Vec<Problem>> {
        Self::from_files(folder::embedded(), None, Vec::new())
    }

    /// What the folder of one kind says.
    #[must_use]
    pub fn announcement(&self, kind: AnnouncementKind) -> &AnnouncementTemplate {
        // Present for every kind: a folder in which one is missing is not loaded.
        &self.inner.announcements[&kind]
    }

    /// All kinds, in the order of their declaration.
    pub fn announcements(&self) -> impl Iterator<Item = &AnnouncementTemplate> {
        self.inner.announcements.values()
    }

    /// The words that values are built from.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.inner.vocabulary
    }

    /// The general wording of an announcement, filled. For a message about a known paper,
    /// [`Self::render_for`] is the one: a paper may have words of its own.
    ///
    /// # Errors
    /// [`RenderError`] names the placeholder whose value cannot be used.
    pub fn render(
        &self,
        kind: AnnouncementKind,
        channel: ChannelKind,
        values: &BTreeMap<&str, String>,
    ) -> Result<Rendered, RenderError> {
        self.fill(self.announcement(kind).general(), channel, values)
    }

    /// An announcement about a paper, filled. Values that its text does not use are left out.
    ///
    /// # Errors
    /// [`RenderError`] names the placeholder whose value cannot be used.
    pub fn render_for(
        &self,
        kind: AnnouncementKind,
        document: Document,
        channel: ChannelKind,
        values: &BTreeMap<&str, String>,
    ) -> Result<Rendered, RenderError> {
        self.fill(self.announcement(kind).wording(document), channel, values)
    }

    /// One wording of an announcement, filled. Values that its text does not use are left out.
    ///
    /// # Errors
    /// [`RenderError`] names the placeholder whose value cannot be used.
    pub fn render_wording(
        &self,
        wording: &Wording,
        channel: ChannelKind,
        values: &BTreeMap<&str, String>,
    ) -> Result<Rendered, RenderError> {
        self.fill(wording, channel, values)
    }

    /// The body of the general wording as it is registered with Meta, with named parameters.
    #[must_use]
    pub fn whatsapp_body(&self, kind: AnnouncementKind) -> String {
        self.announcement(kind).general().whatsapp_body()
    }

    /// The samples of a kind; the first is what Meta is shown.
    #[must_use]
    pub fn samples(&self, kind: AnnouncementKind) -> &[Sample] {
        &self.announcement(kind).samples
    }

    /// What the folder of broadcasts says.
    #[must_use]
    pub fn broadcast(&self) -> &BroadcastTemplate {
        &self.inner.broadcast
    }

    /// A notice of the office in the words of a channel. An SMS ends with how to stop by whether the sender
    /// takes answers.
    ///
    /// # Errors
    /// [`RenderError`] names the part that cannot be used.
    pub fn render_broadcast(
        &self,
        office: &str,
        notice: &Notice,
        channel: ChannelKind,
        takes_answers: bool,
    ) -> Result<Rendered, RenderError> {
        let Inner { engine, broadcast, vocabulary, .. } = &*self.inner;
        broadcast::render(engine, broadcast, vocabulary, (office, notice), (channel, takes_answers))
    }

    /// When a broadcast goes out, in words.
    #[must_use]
    pub fn schedule_words(&self, schedule: &Schedule, zone: Zone) -> String {
        let Inner { engine, broadcast, vocabulary, .. } = &*self.inner;
        broadcast::schedule_words(engine, broadcast, vocabulary, schedule, zone)
    }

    /// The ready answers that officers pick from.
    #[must_use]
    pub fn canned(&self) -> &[Canned] {
        &self.inner.canned
    }

    /// What the bot says to officers.
    #[must_use]
    pub fn officer_chat(&self) -> &OfficerChat {
        &self.inner.officer_chat
    }

    /// The report beside a file that a watched folder brought.
    #[must_use]
    pub fn file_report(&self) -> &FileReportPage {
        &self.inner.file_report
    }

    fn fill(
        &self,
        wording: &Wording,
        channel: ChannelKind,
        values: &BTreeMap<&str, String>,
    ) -> Result<Rendered, RenderError> {
        let text = wording.texts.on(channel);
        render::fill(&self.inner.engine, text, wording, channel, values, MAX_VALUE_CHARS)
    }

    fn from_files(
        mut files: Files,
        dir: Option<&Path>,
        mut problems: Vec<Problem>,
    ) -> Result<Self, Vec<Problem>> {
        let vocabulary = Vocabulary::parse(files.remove("vocabulary.toml").as_ref(), &mut problems);
        let file_report = FileReportPage::load(dir);
        let mut engine = Engine::new();
        let mut announcements = BTreeMap::new();
        for &kind in AnnouncementKind::ALL {
            if let Some(read) = announcement::read(kind, &mut files, &mut engine, &mut problems) {
                announcements.insert(kind, read);
            }
        }
        let broadcast =
            broadcast::read(&mut files, vocabulary.as_ref(), &mut engine, &mut problems);
        let capitals = vocabulary.as_ref().map(Vocabulary::capitals);
        for template in announcements.values() {
            check::announcement(template, capitals, &engine, &mut problems);
        }
        check::names(announcements.values(), &mut problems);
        let canned = canned::load(dir, capitals, &mut problems);
        let officer_chat = officer_chat::load(dir, &mut problems);
        for file in files.keys() {
            let hint = "a slip in its name, or in that of its folder?";
            problems.push(Problem::new(file, "the file belongs to nothing", hint));
        }
        match (vocabulary, broadcast, file_report) {
            (Some(vocabulary), Some(broadcast), Ok(file_report)) if problems.is_empty() => {
                let inner = Inner {
                    announcements,
                    broadcast,
                    vocabulary,
                    file_report,
                    canned,
                    officer_chat,
                    engine,
                };
                Ok(Self { inner: Arc::new(inner) })
            }
            (_, _, file_report) => {
                problems.extend(file_report.err());
                Err(problems)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::domain::person::PersonName;

    fn templates() -> Templates {
        Templates::embedded().unwrap_or_else(|problems| {
            let list: Vec<String> = problems.iter().map(Problem::to_string).collect();
            panic!("{}", list.join("\n"))
        })
    }

    /// What the service fills in for a paper, as long as it gets.
    fn values(
        vocabulary: &Vocabulary,
        document: Document,
        channel: ChannelKind,
    ) -> BTreeMap<&'static str, String> {
        let name = PersonName::parse("Muhammadiyah Sosrodiningrat").unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let noon = day.and_hms_opt(12, 30, 0).unwrap().time();
        let (date, window) = match channel {
            ChannelKind::Sms => {
                (vocabulary.date_short(day), vocabulary.window_short(Some(noon), None, Zone::Wita))
            }
            _ => (vocabulary.date(day), vocabulary.window(Some(noon), None, Zone::Wita)),
        };
        BTreeMap::from([
            ("addressee", vocabulary.addressee_for(document, Some(&name), channel)),
            ("document", vocabulary.document(document, channel)),
            ("ref", "K7QX-3M".to_owned()),
            ("date", date),
            ("days", "90".to_owned()),
            ("reason", "printer sedang diperbaiki".to_owned()),
            ("next", "Kami antar lagi, nanti dikabari".to_owned()),
            ("window", window),
            ("code", "4821".to_owned()),
            ("number", "R-7KQ4".to_owned()),
            ("place", vocabulary.place(channel)),
            ("hours", vocabulary.hours(channel)),
            ("bring", vocabulary.bring(document, channel)),
            ("office", "Disdukcapil Kabupaten Jombang".to_owned()),
            ("service", "KTP-el hilang".to_owned()),
            ("time", "07.30 WIB".to_owned()),
        ])
    }

    #[test]
    fn the_folder_has_no_problems() {
        let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/message_templates"));
        assert_eq!(Templates::load(dir).err(), None);
        templates();
    }

    #[test]
    fn a_printed_card_is_announced_in_the_words_of_the_folder() {
        let templates = templates();
        let values = values(templates.vocabulary(), Document::KtpEl, ChannelKind::Whatsapp);
        let rendered = templates
            .render(AnnouncementKind::CardPrinted, ChannelKind::Whatsapp, &values)
            .unwrap();
        assert!(rendered.text.contains("KTP-el untuk Bapak/Ibu Muhammadiyah S. sudah dicetak"));
        assert!(rendered.text.ends_with("Ref K7QX-3M."));
        assert_eq!(rendered.template, "kabar_card_printed_v1");
        let names: Vec<&str> = rendered.params.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["document", "addressee", "ref"]);
        assert_eq!(names, templates.announcement(AnnouncementKind::CardPrinted).placeholders);
        assert_eq!(rendered.segments, None);
    }

    #[test]
    fn what_is_registered_with_its_parameters_is_what_is_sent() {
        let templates = templates();
        for &kind in AnnouncementKind::ALL {
            for &document in Document::ALL {
                let channel = ChannelKind::Whatsapp;
                let values = values(templates.vocabulary(), document, channel);
                let announcement = templates.announcement(kind);
                for wording in [announcement.wording(document), announcement.answerable(document)] {
                    let rendered = templates.render_wording(wording, channel, &values).unwrap();
                    let mut body = wording.whatsapp_body();
                    for (name, value) in &rendered.params {
                        body = body.replace(&format!("{{{{{name}}}}}"), value);
                    }
                    assert_eq!(body, rendered.text);
                }
            }
        }
    }

    #[test]
    fn every_paper_fits_into_one_sms_even_with_a_long_name_and_no_known_place() {
        let templates = templates();
        for &kind in AnnouncementKind::ALL.iter().filter(|kind| kind.is_of_card()) {
            for &document in Document::ALL {
                let channel = ChannelKind::Sms;
                let values = values(templates.vocabulary(), document, channel);
                let announcement = templates.announcement(kind);
                for wording in [announcement.wording(document), announcement.answerable(document)] {
                    let text = templates.render_wording(wording, channel, &values).unwrap();
                    let cost = text.segments.unwrap();
                    assert_eq!((cost.encoding, cost.parts), (Encoding::Gsm7, 1), "{}", text.text);
                }
            }
        }
    }

    #[test]
    fn a_death_is_never_good_news() {
        let templates = templates();
        for &kind in AnnouncementKind::ALL.iter().filter(|kind| kind.is_of_card()) {
            for &channel in ChannelKind::ALL {
                let document = Document::AktaKematian;
                let values = values(templates.vocabulary(), document, channel);
                let rendered = templates.render_for(kind, document, channel, &values).unwrap();
                assert!(!rendered.text.to_lowercase().contains("kabar baik"), "{}", rendered.text);
                assert!(rendered.text.to_lowercase().contains("keluarga muhammadiyah s."));
            }
        }
        let own = templates.announcement(AnnouncementKind::CardPrinted);
        assert_ne!(own.wording(Document::AktaKematian).template, own.name);
        assert_eq!(own.wording(Document::Kk).template, own.name);
    }

    #[test]
    fn a_value_is_cleaned_and_never_read_as_template_source() {
        let templates = templates();
        let channel = ChannelKind::Telegram;
        let mut values = values(templates.vocabulary(), Document::KtpEl, channel);
        values.insert("addressee", "{{ ref }}\n\t{% raw %}    Siti\u{202e}".to_owned());
        let rendered = templates.render(AnnouncementKind::CardPrinted, channel, &values).unwrap();
        assert!(
            rendered.text.contains("untuk {{ ref }} {% raw %} Siti sudah"),
            "{}",
            rendered.text
        );
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named() {
        let templates = templates();
        let kind = AnnouncementKind::CardPrinted;
        let good = values(templates.vocabulary(), Document::KtpEl, ChannelKind::Sms);
        let with = |value: Option<String>| {
            let mut values = good.clone();
            match value {
                Some(value) => values.insert("document", value),
                None => values.remove("document"),
            };
            templates.render(kind, ChannelKind::Sms, &values).unwrap_err().to_string()
        };
        assert_eq!(with(None), "the placeholder document has no value");
        assert_eq!(
            with(Some(" \u{200b}\n".into())),
            "the value of the placeholder document is empty"
        );
        assert!(with(Some("x".repeat(201))).contains("document has 201 characters"));
    }

    #[test]
    fn curly_signs_in_a_name_do_not_make_an_sms_dearer() {
        let templates = templates();
        let mut values = values(templates.vocabulary(), Document::KtpEl, ChannelKind::Sms);
        values.insert("addressee", "Bpk/Ibu Nur’aini S.".to_owned());
        let rendered =
            templates.render(AnnouncementKind::CardPrinted, ChannelKind::Sms, &values).unwrap();
        assert!(rendered.text.starts_with("Bpk/Ibu Nur'aini S., KTP-el"));
        assert_eq!(rendered.segments.unwrap().encoding, Encoding::Gsm7);
    }

    #[test]
    fn templates_and_words_are_shared_between_threads() {
        fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
        shared(&templates());
        shared(templates().vocabulary());
    }

    #[test]
    fn a_rendered_message_shows_no_name_in_debug() {
        let templates = templates();
        let values = values(templates.vocabulary(), Document::KtpEl, ChannelKind::Sms);
        let rendered =
            templates.render(AnnouncementKind::CardPrinted, ChannelKind::Sms, &values).unwrap();
        assert!(!format!("{rendered:?}").contains("Muhammadiyah"));
    }
}
