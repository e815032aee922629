//! One kind of announcement as its folder describes it.
//!
//! Reads `meta.toml` and the texts beside it; whether they keep the rules is the checks' business.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::by_channel::ByChannel;
use super::folder::Files;
use super::problem::Problem;
use super::text::{Engine, Text};
use crate::domain::card::AnnouncementKind;
use crate::domain::document::Document;
use crate::domain::message::ChannelKind;
use crate::domain::outbound::Choice;

/// One kind of announcement: what it is registered as, and its words.
#[derive(Clone, Debug)]
pub struct AnnouncementTemplate {
    /// Which announcement.
    pub kind: AnnouncementKind,
    /// What the message is for, for those who edit it.
    pub purpose: String,
    /// Name of the WhatsApp template of the general wording.
    pub name: String,
    /// Meta's code of its language.
    pub language: String,
    /// Meta's category of it.
    pub category: String,
    /// The line below the body on WhatsApp.
    pub footer: Option<String>,
    /// The placeholders of the general wording, in order of appearance.
    pub placeholders: Vec<String>,
    /// Every placeholder of any wording, and what it is.
    pub declared: BTreeMap<String, String>,
    /// Parts that an SMS of it may have.
    pub sms_segments: usize,
    /// Values to try it with, and to show to Meta.
    pub samples: Vec<Sample>,
    general: Wording,
    own: BTreeMap<Document, Wording>,
    answerable: Option<Wording>,
}

/// When a wording is the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordingUse {
    /// For papers that have none of their own.
    General,
    /// For this paper.
    Paper(Document),
    /// When an answer changes what was announced.
    Answerable,
}

/// The words of one announcement, for all papers or for one.
#[derive(Clone, Debug)]
pub struct Wording {
    /// Name of the WhatsApp template with these words.
    pub template: String,
    /// The words themselves.
    pub texts: ByChannel<Text>,
    /// The quick replies registered with it.
    pub buttons: Vec<Choice>,
}

impl Wording {
    /// The body as it is registered with Meta, with named parameters: `{{addressee}}`.
    #[must_use]
    pub fn whatsapp_body(&self) -> String {
        self.texts.text.map(|name| format!("{{{{{name}}}}}"))
    }
}

/// A value for every placeholder.
#[derive(Clone, Debug, Deserialize)]
pub struct Sample(BTreeMap<String, ByChannel<String>>);

impl Sample {
    /// The values in the form of a channel.
    #[must_use]
    pub fn values(&self, channel: ChannelKind) -> BTreeMap<&str, String> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.on(channel).clone())).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &ByChannel<String>)> {
        self.0.iter()
    }
}

impl AnnouncementTemplate {
    /// The wording for a paper: its own, or the general one.
    #[must_use]
    pub fn wording(&self, document: Document) -> &Wording {
        self.own.get(&document).unwrap_or(&self.general)
    }

    /// The wording for papers that have none of their own.
    #[must_use]
    pub const fn general(&self) -> &Wording {
        &self.general
    }

    /// The wording for news that can be answered, with what to answer; else that for the paper.
    #[must_use]
    pub fn answerable(&self, document: Document) -> &Wording {
        self.answerable.as_ref().unwrap_or_else(|| self.wording(document))
    }

    /// The general wording, those of single papers, and the one that can be answered. Each that has its own
    /// WhatsApp text is a template of its own at Meta.
    pub fn wordings(&self) -> impl Iterator<Item = &Wording> {
        self.all_wordings().map(|(_, wording)| wording)
    }

    /// The same, each with when it is the one.
    pub fn all_wordings(&self) -> impl Iterator<Item = (WordingUse, &Wording)> {
        let own =
            self.own.iter().map(|(document, wording)| (WordingUse::Paper(*document), wording));
        let answerable = self.answerable.iter().map(|wording| (WordingUse::Answerable, wording));
        std::iter::once((WordingUse::General, &self.general)).chain(own).chain(answerable)
    }

    pub(super) fn meta_file(&self) -> String {
        format!("announcements/{}/meta.toml", self.kind)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    purpose: String,
    #[serde(default = "one")]
    sms_segments: usize,
    whatsapp: MetaWhatsapp,
    placeholders: BTreeMap<String, String>,
    #[serde(default)]
    samples: Vec<Sample>,
}

const fn one() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaWhatsapp {
    name: String,
    language: String,
    category: String,
    footer: Option<String>,
    #[serde(default)]
    documents: BTreeMap<String, String>,
    answer: Option<MetaAnswer>,
}

/// The wording that can be answered, as a template of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaAnswer {
    name: String,
    #[serde(default)]
    buttons: Vec<MetaButton>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaButton {
    id: String,
    title: String,
}

/// Reads the folder of one kind and takes its files out of `files`. `None` when something without
/// which there is no announcement is missing or cannot be read.
pub(super) fn read(
    kind: AnnouncementKind,
    files: &mut Files,
    engine: &mut Engine,
    problems: &mut Vec<Problem>,
) -> Option<AnnouncementTemplate> {
    let mut folder = Folder { path: format!("announcements/{kind}"), files, engine, problems };
    let meta = folder.meta();
    let text = folder.required("id.txt");
    let sms = folder.required("id.sms.txt");
    let own_texts: Vec<_> = Document::ALL
        .iter()
        .map(|&document| {
            let text = folder.text(&format!("id.{document}.txt"));
            (document, text, folder.text(&format!("id.{document}.sms.txt")))
        })
        .collect();
    let answer = (folder.text("id.answer.txt"), folder.text("id.answer.sms.txt"));
    let (mut meta, text, sms) = (meta?, text?, sms?);
    let answerable = folder.answerable(meta.whatsapp.answer.take(), answer);
    let name = meta.whatsapp.name;
    let mut own = BTreeMap::new();
    for (document, own_text, own_sms) in own_texts {
        let own_name = meta.whatsapp.documents.remove(document.as_str());
        if own_text.is_some() != own_name.is_some() {
            let what =
                format!("id.{document}.txt and its name under [whatsapp.documents] go together");
            folder.report(
                "meta.toml",
                what,
                "a wording of its own is a WhatsApp template of its own",
            );
        }
        if own_text.is_some() || own_sms.is_some() {
            let texts = ByChannel {
                text: own_text.unwrap_or_else(|| text.clone()),
                sms: own_sms.unwrap_or_else(|| sms.clone()),
            };
            own.insert(
                document,
                Wording {
                    template: own_name.unwrap_or_else(|| name.clone()),
                    texts,
                    buttons: Vec::new(),
                },
            );
        }
    }
    for word in meta.whatsapp.documents.keys() {
        let known = Document::ALL.iter().map(|d| d.as_str()).collect::<Vec<_>>().join(", ");
        folder.report(
            "meta.toml",
            format!("the document {word} is not known"),
            &format!("known are {known}"),
        );
    }
    Some(AnnouncementTemplate {
        kind,
        purpose: meta.purpose,
        language: meta.whatsapp.language,
        category: meta.whatsapp.category,
        footer: meta.whatsapp.footer,
        placeholders: text.placeholders().into_iter().map(str::to_owned).collect(),
        declared: meta.placeholders,
        sms_segments: meta.sms_segments,
        samples: meta.samples,
        general: Wording {
            template: name.clone(),
            texts: ByChannel { text, sms },
            buttons: Vec::new(),
        },
        name,
        own,
        answerable,
    })
}

/// One folder while it is read.
struct Folder<'a> {
    path: String,
    files: &'a mut Files,
    engine: &'a mut Engine,
    problems: &'a mut Vec<Problem>,
}

impl Folder<'_> {
    fn report(&mut self, file: &str, what: String, hint: &str) {
        self.problems.push(Problem::new(&format!("{}/{file}", self.path), what, hint));
    }

    fn take(&mut self, file: &str) -> Option<String> {
        self.files.remove(&format!("{}/{file}", self.path))
    }

    fn meta(&mut self) -> Option<Meta> {
        let Some(content) = self.take("meta.toml") else {
            self.report("meta.toml", "the file is missing".into(), "every announcement has one");
            return None;
        };
        toml::from_str(&content)
            .map_err(|error| {
                let file = format!("{}/meta.toml", self.path);
                self.problems.push(Problem::of_toml(&file, &content, &error));
            })
            .ok()
    }

    /// The wording that can be answered: its name and both texts go together.
    fn answerable(
        &mut self,
        meta: Option<MetaAnswer>,
        texts: (Option<Text>, Option<Text>),
    ) -> Option<Wording> {
        match (meta, texts) {
            (Some(meta), (Some(text), Some(sms))) => Some(Wording {
                template: meta.name,
                texts: ByChannel { text, sms },
                buttons: meta
                    .buttons
                    .into_iter()
                    .map(|button| Choice { id: button.id, title: button.title })
                    .collect(),
            }),
            (None, (None, None)) => None,
            _ => {
                let what = "id.answer.txt, id.answer.sms.txt and [whatsapp.answer] go together";
                let hint = "what can be answered is a WhatsApp template of its own";
                self.report("meta.toml", what.to_owned(), hint);
                None
            }
        }
    }

    fn required(&mut self, file: &str) -> Option<Text> {
        let text = self.text(file);
        if text.is_none() {
            self.report(file, "the file is missing".into(), "every announcement has one");
        }
        text
    }

    fn text(&mut self, file: &str) -> Option<Text> {
        let content = self.take(file)?;
        let text = Text::parse(&format!("{}/{file}", self.path), &content, self.problems);
        self.engine.add(&text, self.problems);
        Some(text)
    }
}
