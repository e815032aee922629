//! How the texts that citizens read look on each channel, for whoever answers for them.
//!
//! Every text is filled with its samples; nobody's data stands in what is shown here.

use super::App;
use crate::dialogue::{LineSample, Script};
use crate::domain::area::AreaCode;
use crate::domain::card::AnnouncementKind;
use crate::domain::language::Language;
use crate::domain::message::ChannelKind;
pub use crate::template::WordingUse;
use crate::template::{Encoding, Wording, segments, to_gsm};

/// A text as it looks on one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Where.
    pub channel: ChannelKind,
    /// Its words.
    pub text: String,
    /// The small line below.
    pub footer: Option<String>,
    /// Parts as SMS; none elsewhere.
    pub parts: Option<usize>,
    /// Whether a character makes the parts of an SMS shorter.
    pub is_dear: bool,
}

impl Look {
    fn new(channel: ChannelKind, text: String) -> Self {
        let cost = (channel == ChannelKind::Sms).then(|| segments(&to_gsm(&text)));
        Self {
            channel,
            text,
            footer: None,
            parts: cost.map(|cost| cost.parts),
            is_dear: cost.is_some_and(|cost| cost.encoding == Encoding::Ucs2),
        }
    }
}

/// An answer as citizens of an area read it: short on every channel, then in full.
#[must_use]
pub fn answer(
    app: &App,
    script: &Script,
    label: &str,
    area: &AreaCode,
    language: Language,
) -> (Vec<Look>, Vec<Look>) {
    let office = &app.settings.office_name;
    let short = ChannelKind::ALL.iter().filter_map(|channel| {
        let text = script.answer_in(label, area, *channel, language, office)?;
        Some(Look::new(*channel, text))
    });
    // In full it is the same in both chats.
    let full = [ChannelKind::Whatsapp, ChannelKind::Sms].into_iter().filter_map(|channel| {
        Some(Look::new(channel, script.answer_full(label, area, channel, language)?))
    });
    (short.collect(), full.collect())
}

/// One wording of an announcement.
#[derive(Clone, Debug)]
pub struct WordingLook {
    /// When it is the one.
    pub usage: WordingUse,
    /// The words on its quick replies.
    pub buttons: Vec<String>,
    /// Name of the WhatsApp template.
    pub template: String,
    /// The body as it is registered with Meta.
    pub body: String,
    /// With its first sample on every channel.
    pub looks: Vec<Look>,
}

/// One kind of announcement.
#[derive(Clone, Debug)]
pub struct AnnouncementLook {
    /// Which.
    pub kind: AnnouncementKind,
    /// What the message is for.
    pub purpose: String,
    /// Meta's code of its language.
    pub language: String,
    /// Meta's category.
    pub category: String,
    /// Its wordings, the general one first.
    pub wordings: Vec<WordingLook>,
}

/// How an announcement looks, in all its wordings.
#[must_use]
pub fn announcement(app: &App, kind: AnnouncementKind) -> AnnouncementLook {
    let template = app.templates.announcement(kind);
    let wordings = template.all_wordings().map(|(usage, wording)| WordingLook {
        usage,
        buttons: wording.buttons.iter().map(|button| button.title.clone()).collect(),
        template: wording.template.clone(),
        body: wording.whatsapp_body(),
        looks: looks(app, kind, wording, template.footer.as_deref()),
    });
    AnnouncementLook {
        kind,
        purpose: template.purpose.clone(),
        language: template.language.clone(),
        category: template.category.clone(),
        wordings: wordings.collect(),
    }
}

fn looks(app: &App, kind: AnnouncementKind, wording: &Wording, footer: Option<&str>) -> Vec<Look> {
    let Some(sample) = app.templates.samples(kind).first() else { return Vec::new() };
    let rendered = ChannelKind::ALL.iter().filter_map(|channel| {
        let found =
            app.templates.render_wording(wording, *channel, &sample.values(*channel)).ok()?;
        let is_whatsapp = *channel == ChannelKind::Whatsapp;
        let footer = footer.filter(|_| is_whatsapp).map(str::to_owned);
        Some(Look { footer, ..Look::new(*channel, found.text) })
    });
    rendered.collect()
}

/// Every line of the conversation, filled with a sample.
#[must_use]
pub fn lines(app: &App, language: Language) -> Vec<(LineSample, usize)> {
    let samples = app.script().line_samples(language).into_iter();
    samples
        .map(|sample| {
            let parts = segments(&to_gsm(&sample.sms)).parts;
            (sample, parts)
        })
        .collect()
}

/// Whether what was looked up on that day should be looked up again.
#[must_use]
pub fn is_stale(checked_on: chrono::NaiveDate, today: chrono::NaiveDate) -> bool {
    Script::is_stale(checked_on, today)
}
