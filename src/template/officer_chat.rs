//! What the bot says to officers who look up cards and write broadcasts from a chat.
//!
//! Checked when it is loaded: every line is there, and uses no placeholder but those it gets. It never says
//! anything to citizens.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::folder::own_or;
use super::problem::Problem;
use super::text::Text;
use crate::domain::card::CardStatus;
use crate::domain::message::{ChannelKind, MessageStatus};
use crate::domain::officer::OfficerRole;
use crate::words;

const FILE: &str = "console/telegram.toml";
const BUILT_IN: &str = include_str!("../../message_templates/console/telegram.toml");
/// Longest words on a button.
const MAX_BUTTON: usize = 40;

words! {
    /// A line to an officer.
    pub enum OfficerLine {
        /// The chat is theirs.
        Tied = "tied",
        /// The code was theirs, and is too old.
        CodeExpired = "code_expired",
        /// The chat is theirs no more.
        Untied = "untied",
        /// Their role does not let them.
        Refused = "refused",
        /// Their password is known to somebody else.
        MustChange = "must_change",
        /// They lack the second factor.
        SecondFactor = "second_factor",
        /// What to look for?
        CardAsk = "card_ask",
        /// Numbers are not looked for.
        CardNumber = "card_number",
        /// Nothing found.
        CardNone = "card_none",
        /// All that was found.
        CardFound = "card_found",
        /// The first of what was found.
        CardMore = "card_more",
        /// One card.
        CardHit = "card_hit",
        /// The last message about it.
        MessageLast = "message_last",
        /// There is none.
        MessageNone = "message_none",
        /// Which title?
        TitleAsk = "title_ask",
        /// Which text?
        TextAsk = "text_ask",
        /// Too many letters.
        TooLong = "too_long",
        /// Somebody's number stands in it.
        Personal = "personal",
        /// For which area?
        AreaAsk = "area_ask",
        /// There is none of that name.
        AreaUnknown = "area_unknown",
        /// It is not theirs.
        AreaOutside = "area_outside",
        /// For whom there?
        CardChoice = "card_choice",
        /// Press something.
        Press = "press",
        /// What was pressed belongs to steps that are over.
        Over = "over",
        /// The steps have ended.
        Stopped = "stopped",
        /// There were none.
        NothingOpen = "nothing_open",
        /// What it would come to.
        Preview = "preview",
        /// How many on one channel.
        Way = "way",
        /// How many are left out for one reason.
        LeftOutOne = "left_out_one",
        /// Nobody is.
        LeftOutNone = "left_out_none",
        /// What it costs.
        Rupiah = "rupiah",
        /// Nobody knows.
        RupiahUnknown = "rupiah_unknown",
        /// How long it takes.
        TakesMinute = "takes_minute",
        /// In minutes.
        TakesMinutes = "takes_minutes",
        /// In hours.
        TakesHours = "takes_hours",
        /// In days.
        TakesDays = "takes_days",
        /// Somebody else must agree.
        SecondNeeded = "second_needed",
        /// Nobody needs to.
        SecondFree = "second_free",
        /// It is on its way to themselves.
        Tested = "tested",
        /// It goes out.
        Sent = "sent",
        /// It goes out later.
        Scheduled = "scheduled",
        /// It waits for a second person.
        Submitted = "submitted",
        /// It is withdrawn.
        Cancelled = "cancelled",
        /// Nobody would get it.
        Nobody = "nobody",
        /// Whoever wrote it cannot agree to it.
        OwnWords = "own_words",
        /// There is none of that id for them.
        NotThere = "not_there",
        /// It is not the moment.
        WrongMoment = "wrong_moment",
        /// Somebody changed the broadcast after it was shown.
        Changed = "changed",
        /// Not from here.
        Cannot = "cannot",
        /// Somebody asks them to agree.
        ApproveAsk = "approve_ask",
        /// What they are asked about is more than that.
        ApproveMore = "approve_more",
        /// Somebody agreed to theirs.
        Approved = "approved",
        /// They agreed.
        ApprovedByYou = "approved_by_you",
        /// Why not?
        ReasonAsk = "reason_ask",
        /// Somebody sent theirs back.
        Returned = "returned",
        /// They sent it back.
        ReturnedByYou = "returned_by_you",
    }
}

impl OfficerLine {
    /// What it is filled with.
    const fn placeholders(self) -> &'static [&'static str] {
        match self {
            Self::Tied => &["area", "name", "role"],
            Self::Refused => &["role"],
            Self::CardFound => &["cards"],
            Self::CardMore => &["cards", "count", "shown"],
            Self::CardHit => &["area", "document", "message", "name", "since", "status"],
            Self::MessageLast => &["channel", "day", "state"],
            Self::TitleAsk | Self::TextAsk => &["most"],
            Self::TooLong => &["chars", "most"],
            Self::AreaUnknown => &["example"],
            Self::CardChoice => &["area"],
            Self::Preview => &[
                "area",
                "card",
                "left_out",
                "people",
                "recipients",
                "rupiah",
                "second",
                "takes",
                "text",
                "title",
                "ways",
            ],
            Self::Way => &["channel", "count"],
            Self::LeftOutOne => &["count", "reason"],
            Self::Rupiah => &["amount"],
            Self::TakesMinutes | Self::TakesHours | Self::TakesDays => &["count"],
            Self::WrongMoment => &["state"],
            Self::ApproveAsk => {
                &["area", "card", "maker", "more", "recipients", "text", "title", "when"]
            }
            Self::Approved => &["checker", "title"],
            Self::Returned => &["checker", "reason", "title"],
            Self::ApprovedByYou | Self::ReturnedByYou => &["maker"],
            _ => &[],
        }
    }
}

words! {
    /// A button under a broadcast.
    pub enum OfficerButton {
        /// Sends it to themselves.
        Test = "test",
        /// Lets it go.
        Send = "send",
        /// Asks for a second person.
        Ask = "ask",
        /// Withdraws it.
        Cancel = "cancel",
        /// Agrees.
        Approve = "approve",
        /// Sends it back.
        Return = "return",
    }
}

words! {
    /// Whom of an area a broadcast is for, as far as a chat offers it.
    pub enum OfficerAudience {
        /// Everybody.
        All = "all",
        /// Who was never recorded.
        NotRecorded = "not_recorded",
        /// Who turns 17.
        Turning17 = "turning_17",
        /// Who did not fetch the card.
        Uncollected = "uncollected",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lines: BTreeMap<String, String>,
    buttons: BTreeMap<String, String>,
    cards: BTreeMap<String, String>,
    roles: BTreeMap<String, String>,
    channels: BTreeMap<String, String>,
    messages: BTreeMap<String, String>,
    statuses: BTreeMap<String, String>,
}

/// The words of the officers' chat.
#[derive(Debug, Default)]
pub struct OfficerChat {
    lines: BTreeMap<OfficerLine, Text>,
    buttons: BTreeMap<String, String>,
    cards: BTreeMap<OfficerAudience, Text>,
    roles: BTreeMap<String, String>,
    channels: BTreeMap<String, String>,
    messages: BTreeMap<String, String>,
    statuses: BTreeMap<String, String>,
}

fn filled(text: Option<&Text>, values: &[(&str, &str)]) -> String {
    let value = |name: &str| values.iter().find(|(key, _)| *key == name).map_or("", |(_, v)| *v);
    text.map(|text| text.map(|name| value(name).to_owned())).unwrap_or_default()
}

fn word(map: &BTreeMap<String, String>, key: &str) -> String {
    map.get(key).cloned().unwrap_or_default()
}

impl OfficerChat {
    /// A line with what stands in it.
    #[must_use]
    pub fn say(&self, line: OfficerLine, values: &[(&str, &str)]) -> String {
        filled(self.lines.get(&line), values)
    }

    /// What stands on a button.
    #[must_use]
    pub fn button(&self, button: OfficerButton) -> String {
        word(&self.buttons, button.as_str())
    }

    /// For whom of an area something is.
    #[must_use]
    pub fn audience(&self, audience: OfficerAudience, count: u32) -> String {
        filled(self.cards.get(&audience), &[("count", &count.to_string())])
    }

    /// What somebody is.
    #[must_use]
    pub fn role(&self, role: OfficerRole) -> String {
        word(&self.roles, role.as_str())
    }

    /// What a channel is called.
    #[must_use]
    pub fn channel(&self, channel: ChannelKind) -> String {
        word(&self.channels, channel.as_str())
    }

    /// Where a message is.
    #[must_use]
    pub fn message(&self, status: MessageStatus) -> String {
        word(&self.messages, status.as_str())
    }

    /// Where a card is.
    #[must_use]
    pub fn status(&self, status: CardStatus) -> String {
        word(&self.statuses, status.as_str())
    }
}

/// Reads `console/telegram.toml` of that folder; the built-in one where the folder has none.
pub(super) fn load(dir: Option<&Path>, problems: &mut Vec<Problem>) -> OfficerChat {
    let content = match own_or(dir, FILE, BUILT_IN) {
        Ok(content) => content,
        Err(problem) => {
            problems.push(problem);
            return OfficerChat::default();
        }
    };
    parse(&content, problems)
}

fn parse(content: &str, problems: &mut Vec<Problem>) -> OfficerChat {
    let file: File = match toml::from_str(content) {
        Ok(file) => file,
        Err(error) => {
            problems.push(Problem::of_toml(FILE, content, &error));
            return OfficerChat::default();
        }
    };
    let mut chat = OfficerChat::default();
    for line in OfficerLine::ALL {
        let source = file.lines.get(line.as_str());
        if let Some(text) = text("lines", line.as_str(), source, line.placeholders(), problems) {
            chat.lines.insert(*line, text);
        }
    }
    for audience in OfficerAudience::ALL {
        let source = file.cards.get(audience.as_str());
        if let Some(text) = text("cards", audience.as_str(), source, &["count"], problems) {
            chat.cards.insert(*audience, text);
        }
    }
    known("lines", &file.lines, &words(OfficerLine::ALL, OfficerLine::as_str), problems);
    known("cards", &file.cards, &words(OfficerAudience::ALL, OfficerAudience::as_str), problems);
    let buttons = words(OfficerButton::ALL, OfficerButton::as_str);
    for (section, map, names) in [
        ("buttons", &file.buttons, buttons),
        ("roles", &file.roles, words(OfficerRole::ALL, OfficerRole::as_str)),
        ("channels", &file.channels, words(ChannelKind::ALL, ChannelKind::as_str)),
        ("messages", &file.messages, words(MessageStatus::ALL, MessageStatus::as_str)),
        ("statuses", &file.statuses, words(CardStatus::ALL, CardStatus::as_str)),
    ] {
        known(section, map, &names, problems);
        for name in names {
            let chars = map.get(name).map_or(0, |said| said.trim().chars().count());
            if !(1..=MAX_BUTTON).contains(&chars) {
                let what = format!("{section}.{name} is missing, empty or too long");
                problems.push(Problem::new(FILE, what, "1 to 40 characters"));
            }
        }
    }
    OfficerChat {
        buttons: file.buttons,
        roles: file.roles,
        channels: file.channels,
        messages: file.messages,
        statuses: file.statuses,
        ..chat
    }
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

fn known(
    section: &str,
    map: &BTreeMap<String, String>,
    names: &[&str],
    problems: &mut Vec<Problem>,
) {
    for name in map.keys().filter(|name| !names.contains(&name.as_str())) {
        let what = format!("{section}.{name} belongs to nothing");
        problems.push(Problem::new(FILE, what, "a slip in its name?"));
    }
}

fn text(
    section: &str,
    name: &str,
    source: Option<&String>,
    values: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<Text> {
    let Some(source) = source else {
        let what = format!("{section}.{name} is missing");
        problems.push(Problem::new(FILE, what, "officers read it; say it in a few words"));
        return None;
    };
    let text = Text::parse(FILE, source, problems);
    for used in text.placeholders().into_iter().filter(|used| !values.contains(used)) {
        let what = format!("{section}.{name} has a placeholder {used} that never gets a value");
        problems.push(Problem::new(FILE, what, values.join(", ")));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(content: &str) -> Vec<String> {
        let mut problems = Vec::new();
        parse(content, &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_words_in_the_binary_are_whole_and_are_filled() {
        let mut found = Vec::new();
        let chat = load(None, &mut found);
        assert_eq!(found, Vec::new());
        let role = chat.role(OfficerRole::Partner);
        assert!(chat.say(OfficerLine::Refused, &[("role", &role)]).contains("(mitra)"));
        assert_eq!(chat.audience(OfficerAudience::Uncollected, 30), "kartu belum diambil 30 hari");
    }

    #[test]
    fn what_is_wrong_with_the_file_is_said() {
        for (from, to, expected) in [
            ("stopped = ", "stoped = ", "lines.stopped is missing"),
            ("stopped = ", "stoped = ", "lines.stoped belongs to nothing"),
            ("({{ role }})", "({{ peran }})", "peran that never gets a value"),
            ("test = \"Coba ke saya\"", "test = \"\"", "buttons.test is missing, empty"),
            ("desa = ", "dusun = ", "roles.desa is missing"),
            ("[statuses]", "[status]", "status"),
        ] {
            assert!(BUILT_IN.contains(from), "{from}");
            let found = problems(&BUILT_IN.replacen(from, to, 1));
            assert!(found.iter().any(|p| p.contains(expected)), "{expected}: {found:#?}");
        }
    }
}
