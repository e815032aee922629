//! The rules that every announcement keeps: its placeholders, what it says, what Meta and SMS allow.
//!
//! Each rule only looks and reports; nothing is put right in silence.

use std::collections::{BTreeMap, BTreeSet};

use super::announcement::{AnnouncementTemplate, Wording};
use super::problem::Problem;
use super::render::{MAX_BODY_CHARS, MAX_VALUE_CHARS, RenderError, fill};
use super::segment::Encoding;
use super::text::{Engine, Text};
use super::writing;
use crate::domain::card::AnnouncementKind;
use crate::domain::message::ChannelKind;
use crate::domain::outbound::Choice;

/// What is filled for every announcement; a placeholder beyond these would never get a value.
pub(super) const FILLED: &[&str] = &[
    "addressee",
    "bring",
    "date",
    "days",
    "document",
    "hours",
    "next",
    "office",
    "place",
    "reason",
    "ref",
    "window",
];

/// What is filled for announcements about an appointment, which is no card's.
const OF_APPOINTMENT: &[&str] =
    &["bring", "code", "date", "office", "place", "reason", "ref", "service", "time"];

/// What is filled for announcements about a home visit.
const OF_HOME_VISIT: &[&str] = &["date", "number", "office", "reason", "ref", "window"];

/// What is filled for a kind of announcement.
fn filled(kind: AnnouncementKind) -> Vec<&'static str> {
    use AnnouncementKind as K;
    match kind {
        kind if kind.is_of_appointment() => OF_APPOINTMENT.to_vec(),
        kind if kind.is_of_home_visit() => OF_HOME_VISIT.to_vec(),
        // The code of a home delivery is in its own message and in no other.
        K::HomeDeliveryCode => [FILLED, &["code"]].concat(),
        _ => FILLED.to_vec(),
    }
}

pub(super) const MAX_FOOTER_CHARS: usize = 60;
/// Most quick replies of a template at Meta, and the longest words on one.
const MAX_BUTTONS: usize = 10;
const MAX_BUTTON_CHARS: usize = 25;
const MAX_NAME_CHARS: usize = 512;

/// All rules for one kind of announcement.
pub(super) fn announcement(
    template: &AnnouncementTemplate,
    capitals: Option<&BTreeSet<String>>,
    engine: &Engine,
    problems: &mut Vec<Problem>,
) {
    registration(template, capitals, problems);
    declarations(template, problems);
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for wording in template.wordings() {
        let texts = &wording.texts;
        // A wording for one paper may share one of its two texts with the general one.
        if seen.insert(texts.text.file()) {
            writing::check(&texts.text, capitals, problems);
            content(&texts.text, ".", problems);
            whatsapp(&texts.text, problems);
        }
        if seen.insert(texts.sms.file()) {
            writing::check(&texts.sms, capitals, problems);
            content(&texts.sms, "", problems);
        }
        samples(template, wording, engine, problems);
    }
}

/// What Meta keeps beside the body.
fn registration(
    template: &AnnouncementTemplate,
    capitals: Option<&BTreeSet<String>>,
    problems: &mut Vec<Problem>,
) {
    let file = template.meta_file();
    for wording in template.wordings() {
        name(&file, &wording.template, problems);
    }
    let mut report = |what: String, hint: &str| problems.push(Problem::new(&file, what, hint));
    if template.language != "id" {
        report(format!("the language {:?}", template.language), "texts in id.txt are \"id\"");
    }
    if template.category != "utility" {
        let hint = "\"utility\": marketing costs more, is capped, and people can switch it off";
        report(format!("the category {:?}", template.category), hint);
    }
    if template.purpose.trim().is_empty() {
        report("the purpose is empty".into(), "say in a sentence what the message is for");
    }
    if !matches!(template.sms_segments, 1 | 2) {
        report(format!("sms_segments = {}", template.sms_segments), "1, or 2 if it must be");
    }
    for wording in template.wordings() {
        buttons(&wording.buttons, &mut report);
    }
    if let Some(footer) = &template.footer {
        if footer.chars().count() > MAX_FOOTER_CHARS || footer.contains('\n') {
            report("the footer is too long".into(), "60 characters on one line at most");
        }
        let text = Text::parse(&file, footer, problems);
        if !text.placeholders().is_empty() {
            let hint = "write it out";
            problems.push(Problem::new(&file, "a placeholder in the footer", hint));
        }
        writing::check(&text, capitals, problems);
    }
}

/// That Meta takes the quick replies, and that each says something else.
fn buttons(buttons: &[Choice], report: &mut impl FnMut(String, &str)) {
    if buttons.len() > MAX_BUTTONS {
        report(format!("{} buttons", buttons.len()), "10 at most");
    }
    let mut seen = BTreeSet::new();
    for button in buttons {
        let length = button.title.chars().count();
        if !(1..=MAX_BUTTON_CHARS).contains(&length) || button.title.contains('\n') {
            report(format!("the button {:?}", button.title), "1 to 25 characters on one line");
        }
        if button.id.is_empty() || !seen.insert(&button.id) || !seen.insert(&button.title) {
            report(
                format!("the button {:?} stands there twice", button.title),
                "every button has an id and a title of its own",
            );
        }
    }
}

/// That Meta takes a name.
pub(super) fn name(file: &str, name: &str, problems: &mut Vec<Problem>) {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.chars().all(is_allowed) {
        let hint = "small letters a-z, digits and _, 512 at most";
        problems.push(Problem::new(file, format!("{name:?} is no WhatsApp template name"), hint));
    }
}

/// That no two wordings are one template at Meta.
pub(super) fn names<'a>(
    templates: impl Iterator<Item = &'a AnnouncementTemplate>,
    problems: &mut Vec<Problem>,
) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for template in templates {
        for wording in template.wordings() {
            let owner = wording.texts.text.file();
            let first = *owners.entry(&wording.template).or_insert(owner);
            if first != owner {
                let what = format!("{} has the WhatsApp name {} too", first, wording.template);
                problems.push(Problem::new(owner, what, "every text has a name of its own"));
            }
        }
    }
}

/// That texts, declarations and samples speak of the same placeholders.
fn declarations(template: &AnnouncementTemplate, problems: &mut Vec<Problem>) {
    let file = template.meta_file();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for text in template.wordings().flat_map(|w| [&w.texts.text, &w.texts.sms]) {
        for name in text.placeholders() {
            used.insert(name);
            if !template.declared.contains_key(name) {
                let what = format!("the placeholder {name} is not declared");
                let hint = "declare it under [placeholders] in meta.toml, or mend its name";
                let problem = Problem::new(text.file(), what, hint);
                problems.push(problem.at(text.source(), text.place_of(name)));
            }
        }
    }
    let mut report = |what: String, hint: String| problems.push(Problem::new(&file, what, hint));
    for name in template.declared.keys() {
        let filled = filled(template.kind);
        if !filled.contains(&name.as_str()) {
            let what = format!("the placeholder {name} never gets a value");
            report(what, format!("there are {}", filled.join(", ")));
        } else if !used.contains(name.as_str()) {
            let what = format!("the placeholder {name} is declared and not used");
            report(what, "use it in a text, or take it out".into());
        }
    }
    if template.samples.len() < 2 {
        let hint = "give two at least, one of them with long values";
        report(format!("{} samples", template.samples.len()), hint.into());
    }
    for (number, sample) in (1..).zip(&template.samples) {
        let given: BTreeSet<&String> = sample.iter().map(|(name, _)| name).collect();
        let declared: BTreeSet<&String> = template.declared.keys().collect();
        for name in declared.difference(&given) {
            report(format!("sample {number} has no {name}"), "give it a value".into());
        }
        for name in given.difference(&declared) {
            report(format!("sample {number} has a {name} too many"), "take it out".into());
        }
        for (name, _) in
            sample.iter().filter(|(_, v)| !is_sendable(&v.text) || !is_sendable(&v.sms))
        {
            let hint = "1 to 200 characters without line breaks, tabs or rows of spaces";
            report(format!("sample {number} has a {name} that cannot be sent"), hint.into());
        }
    }
}

/// What every announcement says, and how it ends.
fn content(text: &Text, end: &str, problems: &mut Vec<Problem>) {
    let mut report = |what: &str, hint: &str| problems.push(Problem::new(text.file(), what, hint));
    if !text.source().to_lowercase().contains("gratis") {
        report("it does not say that the service is free", "say that it is gratis");
    }
    let pieces = text.pieces();
    let closing = match pieces.as_slice() {
        [.., (_, before), (_, after)] => {
            text.last_placeholder() == Some("ref") && *after == end && before.ends_with("Ref ")
        }
        _ => false,
    };
    if !closing {
        let hint = if end.is_empty() {
            "end an SMS with: Ref {{ ref }}"
        } else {
            "end it with: Ref {{ ref }}. (with the dot: Meta takes no placeholder at the end)"
        };
        report("it does not end with the reference", hint);
    }
}

/// What Meta refuses when a body is registered.
pub(super) fn whatsapp(text: &Text, problems: &mut Vec<Problem>) {
    let pieces = text.pieces();
    let mut report = |offset: usize, what: &str, hint: &str| {
        problems.push(Problem::new(text.file(), what, hint).at(text.source(), offset));
    };
    if text.source().chars().count() > MAX_BODY_CHARS {
        report(0, "longer than 1024 characters", "shorten it");
    }
    let holes = pieces.len() - 1;
    if holes == 0 {
        return;
    }
    if pieces[0].1.trim().is_empty() {
        report(0, "a placeholder at the beginning", "begin with a word");
    }
    if pieces[holes].1.trim().is_empty() {
        report(text.source().len(), "a placeholder at the end", "end with a dot");
    }
    for (start, between) in &pieces[1..holes] {
        if !between.contains(char::is_alphanumeric) {
            report(*start, "two placeholders side by side", "put a word between them");
        }
    }
    // Not documented by Meta, found by those who register many: fewer words are refused with "too
    // many variable parameters relative to the message length".
    let count: usize =
        pieces.iter().map(|(_, p)| writing::words(p, char::is_alphanumeric).len()).sum();
    if count < 2 * holes + 1 {
        report(0, "too few words for so many placeholders", "two words for each, and one more");
    }
}

/// Every sample on every channel.
fn samples(
    template: &AnnouncementTemplate,
    wording: &Wording,
    engine: &Engine,
    problems: &mut Vec<Problem>,
) {
    for (number, sample) in (1..).zip(&template.samples) {
        for &channel in ChannelKind::ALL {
            let text = wording.texts.on(channel);
            let mut report = |what: String, hint: &str| {
                let what = format!("with sample {number} on {channel}: {what}");
                problems.push(Problem::new(text.file(), what, hint));
            };
            match fill(engine, text, wording, channel, &sample.values(channel), MAX_VALUE_CHARS) {
                Ok(rendered) => {
                    let Some(found) = rendered.segments else { continue };
                    if found.encoding == Encoding::Ucs2 {
                        let hint = "use letters, digits and plain punctuation";
                        report("a character that plain SMS does not have".into(), hint);
                    } else if found.parts > template.sms_segments {
                        let what = format!("{} septets in {} parts", found.units, found.parts);
                        report(what, "160 septets at most; shorten the text or the words");
                    }
                }
                // Values and names were looked at already.
                Err(
                    RenderError::Missing { .. }
                    | RenderError::Empty { .. }
                    | RenderError::ValueTooLong { .. },
                ) => {}
                Err(error) => report(error.to_string(), "shorten the text"),
            }
        }
    }
}

/// Whether Meta takes a value as it is.
fn is_sendable(value: &str) -> bool {
    let is_filled = !value.trim().is_empty() && value.chars().count() <= MAX_VALUE_CHARS;
    is_filled && !value.contains(char::is_control) && !value.contains("    ")
}

#[cfg(test)]
mod tests {
    use crate::template::Templates;
    use crate::template::folder::{self, Files};

    const PRINTED: &str = "announcements/card_printed";

    fn problems_after(edit: impl FnOnce(&mut Files)) -> Vec<String> {
        let mut files = folder::embedded();
        edit(&mut files);
        Templates::from_files(files, None, Vec::new())
            .map_or_else(|problems| problems.iter().map(ToString::to_string).collect(), |_| vec![])
    }

    /// Replaces the first `from` in one file and expects a problem that names the file.
    #[track_caller]
    fn refused(file: &str, from: &str, to: &str, expected: &str) {
        let path = format!("{PRINTED}/{file}");
        let found = problems_after(|files| {
            let content = files.get_mut(&path).unwrap();
            assert!(content.contains(from), "{from:?} is not in {path}");
            *content = content.replacen(from, to, 1);
        });
        let is_named = |p: &String| p.starts_with(&path) && p.contains(expected);
        assert!(found.iter().any(is_named), "expected {expected:?}, found {found:#?}");
    }

    #[test]
    fn placeholders_are_declared_used_and_filled() {
        refused(
            "id.txt",
            "{{ document }}",
            "{{ place }}",
            ":1: the placeholder place is not declared",
        );
        refused("id.sms.txt", "{{ document }}", "{{ dokumen }}", "dokumen is not declared");
        refused(
            "meta.toml",
            "[placeholders]",
            "[placeholders]\nplace = \"x\"",
            "declared and not used",
        );
        refused(
            "meta.toml",
            "[placeholders]",
            "[placeholders]\nnik = \"x\"",
            "nik never gets a value",
        );
        refused("id.txt", "{{ document }}", "{{ document | upper }}", "plain placeholder");
    }

    #[test]
    fn samples_are_complete_and_more_than_one() {
        refused("meta.toml", "ref = \"K7QX-3M\"\n", "", "sample 1 has no ref");
        refused("meta.toml", "[[samples]]", "[[samples]]\nplace = \"x\"", "a place too many");
        let found = problems_after(|files| {
            let meta = files.get_mut(&format!("{PRINTED}/meta.toml")).unwrap();
            let second = meta.rfind("[[samples]]").unwrap();
            meta.truncate(second);
        });
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("1 samples"), "{found:?}");
    }

    #[test]
    fn sample_values_are_such_as_meta_takes() {
        let name = "\"KTP-el\"";
        for bad in ["KTP-el\\nbaru", "KTP\\tel", "KTP    el", " ", &"x".repeat(201)] {
            let expected = "sample 1 has a document that cannot be sent";
            refused("meta.toml", name, &format!("\"{bad}\""), expected);
        }
        let long = format!("{{ text = \"{}\", sms = \"x\" }}", "x".repeat(200));
        let body = "gratis ".repeat(120);
        let found = problems_after(|files| {
            for (file, from, to) in [("meta.toml", name, &long), ("id.txt", "gratis", &body)] {
                let content = files.get_mut(&format!("{PRINTED}/{file}")).unwrap();
                *content = content.replacen(from, to, 1);
            }
        });
        assert!(
            found.iter().any(|p| p.contains("sample 1 on whatsapp: the text has")),
            "{found:?}"
        );
    }

    #[test]
    fn an_sms_is_plain_and_has_one_part_unless_meta_says_two() {
        refused("id.sms.txt", "Gratis", "Gratis 🙂", "a character that plain SMS does not have");
        let long = format!("Gratis{}", " sekali".repeat(12));
        refused("id.sms.txt", "Gratis", &long, "in 2 parts");
        let found = problems_after(|files| {
            for (name, from, to) in [
                ("id.sms.txt", "Gratis", long.as_str()),
                ("meta.toml", "[whatsapp]", "sms_segments = 2\n[whatsapp]"),
            ] {
                let content = files.get_mut(&format!("{PRINTED}/{name}")).unwrap();
                *content = content.replacen(from, to, 1);
            }
        });
        assert_eq!(found, Vec::<String>::new());
        refused("meta.toml", "[whatsapp]", "sms_segments = 3\n[whatsapp]", "sms_segments = 3");
    }

    #[test]
    fn what_meta_refuses_is_found_before() {
        refused("id.txt", "Kabar baik dari Dukcapil. ", "", "a placeholder at the beginning");
        refused("id.txt", " Ref {{ ref }}.", " Ref {{ ref }}", "a placeholder at the end");
        refused("id.txt", "untuk {{", "{{", "two placeholders side by side");
        refused("id.txt", "untuk {{", "– {{", "two placeholders side by side");
        refused("id.txt", "gratis", &"gratis ".repeat(150), "longer than 1024 characters");
        let whole = include_str!("../../message_templates/announcements/card_printed/id.txt");
        let bare = "Kabar {{ document }} untuk {{ addressee }} gratis. Ref {{ ref }}.";
        refused("id.txt", whole, bare, "too few words");
        refused("meta.toml", "kabar_card_printed_v1", "Kabar-Printed", "no WhatsApp template name");
        refused(
            "meta.toml",
            "kabar_card_printed_v1",
            &"a".repeat(513),
            "no WhatsApp template name",
        );
        refused(
            "meta.toml",
            "Balas BERHENTI",
            "Balas BERHENTI saja kapan pun",
            "footer is too long",
        );
        refused("meta.toml", "Balas", "{{ ref }}", "a placeholder in the footer");
        refused("meta.toml", "\"utility\"", "\"marketing\"", "the category");
        refused("meta.toml", "language = \"id\"", "language = \"in\"", "the language");
    }

    #[test]
    fn every_text_is_calm_safe_and_complete() {
        for file in ["id.txt", "id.sms.txt", "id.akta-kematian.txt"] {
            refused(file, "sudah dicetak", "sudah dicetak!", ":1: an exclamation mark");
            refused(file, "sudah dicetak", "SUDAH dicetak", "SUDAH in capitals");
            refused(file, "sudah dicetak", "kode Otp dicetak", "the word Otp");
            refused(file, "sudah dicetak", "ganda", "the word ganda");
            refused(file, "sudah dicetak", "cek dukcapil.jombangkab.go.id", "looks like a link");
            refused(file, "sudah dicetak", "cek https://x", "looks like a link");
            refused(file, "sudah dicetak", "cek WWW.x", "looks like a link");
            refused(file, "Ref {{ ref }}", "Nomor {{ ref }}", "does not end with the reference");
            refused(file, "ratis", "murah", "does not say that the service is free");
            refused(file, "sudah dicetak", "sudah\tdicetak", "the character '\\t'");
        }
        refused("id.txt", "sudah dicetak", "sudah 🙂🙂 dicetak", "2 emoji");
    }

    #[test]
    fn folders_and_files_are_complete_and_known() {
        for file in ["id.txt", "id.sms.txt", "meta.toml"] {
            let path = format!("{PRINTED}/{file}");
            let found = problems_after(|files| drop(files.remove(&path)));
            assert!(found[0].starts_with(&format!("{path}: the file is missing")), "{found:?}");
        }
        for file in ["announcements/card_printed/id.kai.txt", "announcements/card_print/id.txt"] {
            let found = problems_after(|files| drop(files.insert(file.into(), "x".into())));
            assert_eq!(found.len(), 1);
            assert!(found[0].starts_with(&format!("{file}: the file belongs to nothing")));
        }
    }

    #[test]
    fn a_wording_of_its_own_has_a_whatsapp_name_of_its_own() {
        refused("meta.toml", "akta-cerai = ", "akta-kawin = ", "id.akta-cerai.txt and its name");
        refused("meta.toml", "akta-cerai = ", "akta-kawin = ", "id.akta-kawin.txt and its name");
        refused("meta.toml", "akta-cerai = ", "akte-cerai = ", "akte-cerai is not known");
        let found = problems_after(|files| {
            let meta = files.get_mut(&format!("{PRINTED}/meta.toml")).unwrap();
            *meta = meta.replacen("kabar_card_printed_v1", "kabar_card_issued_v1", 1);
        });
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("has the WhatsApp name kabar_card_issued_v1 too"), "{found:?}");
    }

    #[test]
    fn a_key_that_means_nothing_is_a_problem_with_its_line() {
        refused("meta.toml", "purpose", "porpose", "unknown field `porpose`");
        refused("meta.toml", "footer", "foter", ":7: unknown field `foter`");
    }

    #[test]
    fn all_problems_of_all_files_are_told_at_once() {
        let found = problems_after(|files| {
            for content in files.values_mut() {
                *content = content.replace("ratis", "urah").replace("Kabar", "Kabar!");
            }
        });
        assert!(found.len() >= 10 + 10 + 10, "{found:?}");
    }
}
