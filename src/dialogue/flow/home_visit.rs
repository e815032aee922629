//! Officers are asked to come to somebody: to whom, what for, to which desa, the way there, and one yes.
//!
//! No name, NIK or document is asked, and no day is promised. What is told of the way there is repeated once, to be
//! confirmed, and a number in it is not kept.

use super::appointment::{CANCEL, OWN, WISH, title};
use crate::dialogue::find_area::{Found, bare, find, kecamatan_of};
use crate::dialogue::home_fact::{HomeFact, HomeHoles, Named};
use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::Line;
use crate::dialogue::mention::AreaFact;
use crate::dialogue::picked::{Button, Picked};
use crate::dialogue::script::MAX_CHOICES;
use crate::dialogue::state::{Flow, is_no, is_yes, words};
use crate::dialogue::turn::{Said, Turn};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::home_visit::{HomeVisitNumber, HomeVisitWork, LONGEST_PLACE, VisitFor};
use crate::domain::outbound::Choice;
use crate::domain::redact::is_marked;

/// What is answered when home visits are asked about.
pub(super) const INTENT: &str = "home_visit_elderly";
/// What says more tells something else.
const MOST_WORDS: usize = 9;
/// As many words as a wish to hear of one's own request has.
const FEW_WORDS: usize = 4;

const WHOMS: [(Button, VisitFor, &[&str]); 5] = [
    (
        Button::VisitElderly,
        VisitFor::Elderly,
        &["tua", "lansia", "lanjut", "sepuh", "kakek", "nenek", "mbah", "simbah", "elderly", "old"],
    ),
    (Button::VisitIll, VisitFor::Ill, &["sakit", "stroke", "opname", "gerah", "sick", "ill"]),
    (
        Button::VisitDisabled,
        VisitFor::Disabled,
        &["difabel", "disabilitas", "cacat", "lumpuh", "tunanetra", "buta", "tuli", "disabled"],
    ),
    (Button::VisitMental, VisitFor::MentalDisorder, &["odgj", "jiwa", "gangguan", "mental"]),
    (
        Button::VisitConfined,
        VisitFor::Confined,
        &["lapas", "rutan", "penjara", "napi", "tahanan", "prison"],
    ),
];
const WORKS: [(Button, HomeVisitWork, &[&str]); 3] = [
    (
        Button::WorkRecording,
        HomeVisitWork::Recording,
        &["rekam", "perekaman", "direkam", "foto", "sidik", "baru", "record", "recorded"],
    ),
    (
        Button::WorkHandOver,
        HomeVisitWork::HandOver,
        &["antar", "diantar", "serah", "terima", "cetak", "ambil", "bring", "card"],
    ),
    (Button::WorkFamilyCard, HomeVisitWork::FamilyCard, &["kk", "keluarga", "family"]),
];
const SEND: &[&str] = &[
    "kirim", "kirimkan", "benar", "bener", "betul", "leres", "setuju", "ok", "oke", "send", "right",
];
const NEED: &[&str] = &["perlu", "butuh", "usul", "mengusulkan", "want", "need", "ask", "request"];
/// What is no way to a door.
const LINKS: &[&str] = &["http", "www.", "wa.me", "://"];

/// What is known of a request so far.
#[derive(Clone, Default)]
struct Wish {
    whom: Option<VisitFor>,
    work: Option<HomeVisitWork>,
    area: Option<String>,
    place: Option<String>,
}

impl Wish {
    fn of(flow: &Flow) -> Option<Self> {
        let Flow::HomeVisit { whom, work, area, place } = flow else { return None };
        Some(Self { whom: *whom, work: *work, area: area.clone(), place: place.clone() })
    }

    fn flow(self) -> Flow {
        let Self { whom, work, area, place } = self;
        Flow::HomeVisit { whom, work, area, place }
    }

    fn code(&self) -> Option<AreaCode> {
        AreaCode::parse(self.area.as_deref()?).ok()
    }
}

/// What is asked next.
enum Next<'a> {
    Whom,
    Work,
    Area,
    Within(&'a AreaFact),
    Place,
    Confirm(VisitFor, HomeVisitWork, &'a AreaFact, String),
}

fn next<'a>(wish: &Wish, desas: &'a [AreaFact]) -> Next<'a> {
    let Some(whom) = wish.whom else { return Next::Whom };
    let Some(work) = wish.work else { return Next::Work };
    let code = wish.code();
    let area = desas.iter().find(|area| Some(&area.code) == code.as_ref());
    match (area, &wish.place) {
        (None, _) => Next::Area,
        (Some(area), _) if area.code.level() != AreaLevel::Desa => Next::Within(area),
        (Some(_), None) => Next::Place,
        (Some(area), Some(place)) => Next::Confirm(whom, work, area, place.clone()),
    }
}

impl Turn<'_> {
    fn desas(&self) -> Vec<AreaFact> {
        self.fact(self.input.desas.as_ref(), Need::Desas)
    }

    fn is_offered(home: &HomeFact, desas: &[AreaFact]) -> bool {
        home.most > 0 && desas.iter().any(|area| area.code.level() == AreaLevel::Desa)
    }

    /// What a text says of visits at home; nothing when it speaks of something else.
    pub(in crate::dialogue) fn home_visit(&self) -> Option<Said> {
        let said = words(&self.input.text);
        let has = |set: &[&str]| said.iter().any(|word| set.contains(&word.as_str()));
        if let Some(number) = HomeVisitNumber::find_in(&self.input.text) {
            let own = self.home().own.into_iter().find(|own| own.number == number.as_str());
            return match own {
                Some(own) if has(CANCEL) => Some(self.withdraw(&own)),
                Some(own) => Some(self.tell_homes(&[own])),
                None => (said.len() <= FEW_WORDS).then(|| self.tell_homes(&[])),
            };
        }
        let is_visit = has(&["kunjungan"]);
        let is_home = (is_visit && has(&["rumah", "griya"])) || (has(&["home"]) && has(&["visit"]));
        if !(is_visit || is_home) || said.len() > MOST_WORDS {
            return None;
        }
        let own = self.home().own;
        let is_own = !own.is_empty() && said.len() <= FEW_WORDS;
        if (is_home || is_own) && has(CANCEL) {
            return Some(self.ask_withdraw());
        }
        if said.len() <= FEW_WORDS && has(OWN) && !has(WISH) {
            return Some(self.tell_homes(&own));
        }
        if is_home && (has(WISH) || has(NEED)) {
            return Some(self.begin_home());
        }
        if is_home && said.len() == 2 {
            return Some(self.answer(INTENT));
        }
        (is_own && said.len() == 1).then(|| self.tell_homes(&own))
    }

    /// What stands below the answer about home visits: the way to ask, and what is asked for already.
    pub(in crate::dialogue) fn home_below(&self, label: &str) -> Option<Said> {
        if label != INTENT {
            return None;
        }
        let (home, desas) = (self.home(), self.desas());
        let is_offered = Self::is_offered(&home, &desas);
        let count = i64::try_from(home.own.len()).unwrap_or(i64::MAX);
        let ask = (is_offered && count < home.most).then(|| self.button(Button::AskVisit));
        match (home.own.is_empty(), is_offered) {
            (true, false) => None,
            (true, true) => Some(self.offer_home(
                Line::HomeVisitOffer,
                &HomeHoles::default(),
                ask.into_iter().collect(),
            )),
            (false, _) => {
                Some(Said { choices: ask.into_iter().collect(), ..self.tell_homes(&home.own) })
            }
        }
    }

    /// Begins; where the office takes none by chat, its answer says who takes them.
    fn begin_home(&self) -> Said {
        let (home, desas) = (self.home(), self.desas());
        if !Self::is_offered(&home, &desas) {
            return self.answer_of_file(INTENT);
        }
        self.most_homes(&home).unwrap_or_else(|| self.ask_home(Wish::default()))
    }

    fn most_homes(&self, home: &HomeFact) -> Option<Said> {
        let is_full = i64::try_from(home.own.len()).is_ok_and(|count| count >= home.most);
        let holes = HomeHoles { own: home.own.clone(), most: home.most, ..HomeHoles::default() };
        is_full.then(|| self.say_home(Line::HomeVisitMost, &holes).over())
    }

    /// The next question; once all is known, whether it is right.
    fn ask_home(&self, wish: Wish) -> Said {
        let desas = self.desas();
        let holes = HomeHoles::default();
        let buttons = |all: &[Button]| all.iter().map(|one| self.button(*one)).collect();
        let said = match next(&wish, &desas) {
            Next::Whom => {
                let choices = WHOMS.iter().map(|(one, ..)| self.button(*one)).collect();
                self.offer_home(Line::HomeVisitWhom, &holes, choices)
            }
            Next::Work => {
                let choices = WORKS.iter().map(|(one, ..)| self.button(*one)).collect();
                self.offer_home(Line::HomeVisitWork, &holes, choices)
            }
            Next::Area => self.say_home(Line::HomeVisitArea, &holes),
            Next::Within(kecamatan) => {
                let is_in = |area: &&AreaFact| {
                    area.code.level() == AreaLevel::Desa && area.code.is_within(&kecamatan.code)
                };
                let within: Vec<&AreaFact> = desas.iter().filter(is_in).collect();
                let holes = HomeHoles { kecamatan: bare(&kecamatan.name), ..holes };
                let fits = within.len() <= MAX_CHOICES;
                let choices = within.iter().filter(|_| fits).map(|area| area_choice(area, None));
                self.offer_home(Line::HomeVisitAreaWithin, &holes, choices.collect())
            }
            Next::Place => self.say_home(Line::HomeVisitPlace, &holes),
            Next::Confirm(whom, work, area, place) => {
                let holes = HomeHoles {
                    whom: whom.as_str(),
                    work: work.as_str(),
                    desa: bare(&area.name),
                    kecamatan: kecamatan_of(&desas, &area.code),
                    place,
                    ..holes
                };
                let choices = buttons(&[Button::SendVisit, Button::RefillVisit, Button::DropVisit]);
                self.offer_home(Line::HomeVisitConfirm, &holes, choices)
            }
        };
        said.going_on(wish.flow())
    }

    /// The question that is open, once more.
    pub(super) fn pending_home(&self) -> Option<Said> {
        Some(self.ask_home(Wish::of(self.flow()?)?))
    }

    /// A button of the questions.
    pub(in crate::dialogue) fn follow_home(&self, button: Button) -> Option<Said> {
        match button {
            Button::AskVisit => return Some(self.begin_home()),
            Button::KeepVisit => return Some(self.tell_homes(&self.home().own)),
            _ => {}
        }
        let Some(wish) = self.flow().and_then(Wish::of) else {
            // Pressed twice: it was sent the first time.
            let own = if button == Button::SendVisit { self.home().own } else { Vec::new() };
            return (!own.is_empty()).then(|| self.tell_homes(&own));
        };
        if let Some((_, whom, _)) = WHOMS.iter().find(|(one, ..)| *one == button) {
            return Some(self.ask_home(Wish { whom: Some(*whom), ..wish }));
        }
        if let Some((_, work, _)) = WORKS.iter().find(|(one, ..)| *one == button) {
            return Some(self.ask_home(Wish { work: Some(*work), ..wish }));
        }
        match button {
            Button::SendVisit => Some(self.send_home(wish)),
            Button::RefillVisit => Some(self.ask_home(Wish::default())),
            Button::DropVisit => Some(self.say("cancel", Line::Cancelled)),
            _ => None,
        }
    }

    /// A desa that was picked.
    pub(in crate::dialogue) fn follow_area(&self, code: &str) -> Option<Said> {
        let wish = Wish::of(self.flow()?)?;
        Some(self.ask_home(Wish { area: Some(code.to_owned()), ..wish }))
    }

    fn send_home(&self, wish: Wish) -> Said {
        let (home, desas) = (self.home(), self.desas());
        let Next::Confirm(whom, work, area, place) = next(&wish, &desas) else {
            return self.ask_home(wish);
        };
        if let Some(said) = self.most_homes(&home) {
            return said;
        }
        let number = home.number;
        let holes = HomeHoles { number: number.clone(), days: home.days, ..HomeHoles::default() };
        let effect = Effect::AskVisit { number, whom, work, area: area.code.clone(), place };
        self.say_home(Line::HomeVisitSent, &holes).over().with(effect)
    }

    /// A text in the middle of it; nothing when it is about something else.
    pub(super) fn go_on_home(&self) -> Option<Said> {
        let wish = Wish::of(self.flow()?)?;
        // All that any answer may need: facts are fetched once.
        let (_, desas) = (self.home(), self.desas());
        let text = words(&self.input.text);
        let has = |set: &[&str]| text.iter().any(|word| set.contains(&word.as_str()));
        let is_short = text.len() <= MOST_WORDS && !self.input.text.contains('?');
        match next(&wish, &desas) {
            Next::Whom => {
                let named = WHOMS.iter().find(|(.., named)| is_short && has(named));
                let whom = named.map(|(_, whom, _)| *whom);
                whom.map(|whom| self.ask_home(Wish { whom: Some(whom), ..wish }))
            }
            Next::Work => {
                let named = WORKS.iter().find(|(.., named)| is_short && has(named));
                let work = named.map(|(_, work, _)| *work);
                work.map(|work| self.ask_home(Wish { work: Some(work), ..wish }))
            }
            Next::Area | Next::Within(_) => return self.take_area(wish, &desas),
            Next::Place => return self.take_place(wish),
            Next::Confirm(..) => {
                let first = text.first().map(String::as_str).unwrap_or_default();
                if is_short && is_no(first) {
                    Some(self.say("cancel", Line::Cancelled))
                } else {
                    let is_agreed = is_yes(first) || has(SEND);
                    (is_short && is_agreed).then(|| self.send_home(wish))
                }
            }
        }
        .or_else(|| self.is_unclear().then(|| self.ask_again(Line::HomeVisitAgain, "")))
    }

    /// A desa that was named.
    fn take_area(&self, wish: Wish, desas: &[AreaFact]) -> Option<Said> {
        let within = wish.code();
        match find(&self.input.text, desas, within.as_ref()) {
            Found::Desa(area) | Found::Kecamatan(area) => {
                Some(self.ask_home(Wish { area: Some(area.code.to_string()), ..wish }))
            }
            Found::Several(mut areas) => {
                areas.truncate(MAX_CHOICES);
                let named = areas.iter().map(|area| Named {
                    desa: bare(&area.name),
                    kecamatan: kecamatan_of(desas, &area.code),
                });
                let holes = HomeHoles { areas: named.collect(), ..HomeHoles::default() };
                let choices = (1..).zip(&areas).map(|(n, area)| {
                    let kecamatan = kecamatan_of(desas, &area.code);
                    area_choice(area, Some((n, &kecamatan)))
                });
                let said = self.offer_home(Line::HomeVisitAreaWhich, &holes, choices.collect());
                Some(said.going_on(wish.flow()))
            }
            Found::Nothing => self.is_answer().then(|| {
                let said = self.say_home(Line::HomeVisitAreaAgain, &HomeHoles::default());
                said.going_on(wish.flow())
            }),
        }
    }

    /// The way there, on one line; what names or opens something is not kept.
    fn take_place(&self, wish: Wish) -> Option<Said> {
        if !self.is_answer() {
            return None;
        }
        let text = &self.input.text;
        let place = text.split(|c: char| c.is_whitespace() || c.is_control());
        let place = place.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let lower = place.to_lowercase();
        let trouble = if self.input.had_nik || is_marked(text) {
            "number"
        } else if place.chars().count() > LONGEST_PLACE {
            "long"
        } else if words(&place).is_empty() || LINKS.iter().any(|link| lower.contains(link)) {
            "unclear"
        } else {
            return Some(self.ask_home(Wish { place: Some(place), ..wish }));
        };
        Some(self.ask_again(Line::HomeVisitPlaceAgain, trouble).going_on(wish.flow()))
    }

    /// Whether a text answers the open question, as far as one can tell: no question of its own, and no wish to leave.
    fn is_answer(&self) -> bool {
        let intent = self.input.meaning.intent.as_str();
        let is_leaving = words(&self.input.text).len() <= FEW_WORDS
            && matches!(intent, "human" | "stop" | "wrong_person" | "language");
        !is_leaving && (self.is_unclear() || !self.input.text.contains('?'))
    }

    fn is_unclear(&self) -> bool {
        matches!(
            self.input.meaning.intent.as_str(),
            "clarify" | "clarify_topic" | "out_of_scope" | "ack" | "greeting" | "thanks"
        )
    }

    /// That something was not understood, and the question that is open.
    fn ask_again(&self, line: Line, trouble: &'static str) -> Said {
        let again = self.say_home(line, &HomeHoles { trouble, ..HomeHoles::default() });
        match self.pending_home() {
            Some(pending) if line == Line::HomeVisitAgain => {
                Said { text: format!("{}\n\n{}", again.text, pending.text), ..pending }
            }
            _ => again,
        }
    }
}

/// An area to be picked; of several with one name, its number and kecamatan too.
fn area_choice(area: &AreaFact, which: Option<(usize, &str)>) -> Choice {
    let name = bare(&area.name);
    let name = match which {
        Some((n, kecamatan)) => format!("{n}. {name}, {kecamatan}"),
        None => name,
    };
    Choice { id: Picked::Area(&area.code.to_string()).id(), title: title(&name) }
}
