//! What the phones of a journey show, from its first message to its last, held to a file of `tests/journeys` that
//! anybody can read aloud.

use std::fmt::Write as _;
use std::path::PathBuf;

use kabar::template::AnnouncementTemplate;

use super::meta::Request;
use super::{TestApp, citizen};

/// Set to anything, it writes the files anew instead of comparing them.
const WRITE: &str = "KABAR_WRITE_JOURNEYS";

/// A journey while it is played.
pub struct Journey<'a> {
    app: &'a TestApp,
    people: Vec<(String, String)>,
    seen: usize,
    moment: String,
    text: String,
}

impl<'a> Journey<'a> {
    /// One that begins now, with citizens 1 to `people`. What they heard before is left out.
    pub fn begin(app: &'a TestApp, title: &str, people: usize) -> Self {
        let named = |n: usize| {
            let who = citizen(n);
            let first = who.name.split(' ').next().unwrap_or_default().to_owned();
            (who.e164, if n > 6 { format!("{first} {n}") } else { first })
        };
        let seen = app.whatsapp.sent().len();
        let people = (1..=people).map(named).collect();
        Self { app, people, seen, moment: String::new(), text: format!("## {title}\n") }
    }

    fn at(&mut self) {
        let moment = self.app.clock.wib().format("%d.%m. %H.%M").to_string();
        if moment != self.moment {
            let _ = writeln!(self.text, "\n{moment}");
            self.moment = moment;
        }
    }

    /// What happens where no phone shows it.
    pub async fn then(&mut self, what: &str) {
        self.at();
        let _ = writeln!(self.text, "* {what}");
        self.hear().await;
    }

    /// Citizen `n` writes.
    pub async fn says(&mut self, n: usize, words: &str) {
        self.at();
        let _ = writeln!(self.text, "{} > {words}", self.people[n - 1].1);
        self.app.writes(&self.people[n - 1].0, words).await;
        self.hear().await;
    }

    /// Everything the phones got since, each person's in its order.
    pub async fn hear(&mut self) {
        self.app.run_until_idle().await;
        let sent = self.app.whatsapp.sent();
        let fresh = sent.get(self.seen..).unwrap_or_default();
        let mut lines = String::new();
        for (number, name) in &self.people {
            for one in fresh.iter().filter(|one| one.to() == number && !one.is_upload()) {
                for line in self.words(one).lines().filter(|line| !line.is_empty()) {
                    let _ = writeln!(lines, "{name} < {line}");
                }
                let titles = self.buttons(one);
                if !titles.is_empty() {
                    let _ = writeln!(lines, "{name} < [{}]", titles.join("] ["));
                }
            }
        }
        self.seen = sent.len();
        if !lines.is_empty() {
            self.at();
            self.text.push_str(&lines);
        }
    }

    fn words(&self, one: &Request) -> String {
        let name = one.template();
        if name.is_empty() {
            return masked(one.text());
        }
        let templates = &self.app.app.templates;
        let mut all = templates.announcements().flat_map(AnnouncementTemplate::wordings);
        let wording = all.find(|wording| wording.template == name).expect("a registered template");
        let mut said = wording.whatsapp_body();
        for name in placeholders(&said) {
            let value = match name.as_str() {
                "ref" => "XXXX-XX".to_owned(),
                "code" => "####".to_owned(),
                name => one.param(name),
            };
            said = said.replace(&format!("{{{{{name}}}}}"), &value);
        }
        masked(&said)
    }

    fn buttons(&self, one: &Request) -> Vec<String> {
        let templates = &self.app.app.templates;
        let mut all = templates.announcements().flat_map(AnnouncementTemplate::wordings);
        let registered = all.find(|wording| wording.template == one.template());
        let quick = registered.map(|wording| wording.buttons.iter().map(|one| one.title.clone()));
        let pressed = one.choices().into_iter().map(|(_, title)| title);
        quick.into_iter().flatten().chain(pressed).collect()
    }

    /// Holds what was shown to `tests/journeys/{name}.txt`.
    pub fn hold_to(self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/journeys");
        let path = folder.join(format!("{name}.txt"));
        if std::env::var_os(WRITE).is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &self.text).unwrap();
            return;
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        let mut lines = known.lines().zip(self.text.lines()).enumerate();
        if let Some((at, (known, now))) = lines.find(|(_, (known, now))| known != now) {
            panic!(
                "{name}.txt:{}: it says\n{known}\nand now\n{now}\n({WRITE}=1 writes it anew)",
                at + 1
            );
        }
        assert_eq!(known.lines().count(), self.text.lines().count(), "{name}.txt:\n{}", self.text);
    }
}

/// What a registered body leaves open: `{{addressee}}`.
fn placeholders(body: &str) -> Vec<String> {
    let parts = body.split("{{").skip(1);
    parts.filter_map(|part| Some(part.split_once("}}")?.0.to_owned())).collect()
}

/// References and codes are drawn anew each time.
fn masked(text: &str) -> String {
    let words = text.split_inclusive(' ').map(|word| {
        let bare = word.trim_end_matches([' ', '.', ',']);
        let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let is_reference = bare.len() == 7
            && bare.split_once('-').is_some_and(|(one, two)| {
                one.len() == 4 && two.len() == 2 && one.chars().chain(two.chars()).all(is_upper)
            });
        let is_code =
            bare.len() == 4 && bare.chars().all(|c| c.is_ascii_digit()) && !bare.starts_with("20");
        match () {
            () if is_reference => word.replace(bare, "XXXX-XX"),
            () if is_code => word.replace(bare, "####"),
            () => word.to_owned(),
        }
    });
    words.collect()
}
