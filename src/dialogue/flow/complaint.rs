//! A complaint: what it is about, the story in the citizen's own words, and a number to follow it.
//! Nothing is kept before both are known.

use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::{Holes, Line};
use crate::dialogue::picked::Button;
use crate::dialogue::state::{Flow, is_yes, words};
use crate::dialogue::step::fits_chat;
use crate::dialogue::turn::{Said, Turn};
use crate::domain::ticket::ComplaintCategory;

const CATEGORIES: [(Button, ComplaintCategory); 5] = [
    (Button::CategoryDelay, ComplaintCategory::Delay),
    (Button::CategoryOfficer, ComplaintCategory::Officer),
    (Button::CategoryObstruction, ComplaintCategory::Obstruction),
    (Button::CategoryPungli, ComplaintCategory::Pungli),
    (Button::CategoryOther, ComplaintCategory::Other),
];

/// Longest story kept, in characters.
const MAX_STORY: usize = 2_000;
/// Words that tell something, from which on a message is a story.
const STORY: usize = 4;
/// Words of somebody who says that they want to complain, and tells nothing yet.
const WISHES: &[&str] = &[
    "saya",
    "sy",
    "aku",
    "ingin",
    "mau",
    "pengen",
    "mengadu",
    "mengadukan",
    "adukan",
    "lapor",
    "melapor",
    "melaporkan",
    "komplain",
    "keluhan",
    "pengaduan",
    "aduan",
    "cara",
    "gimana",
    "bagaimana",
    "ke",
    "di",
    "kemana",
    "mana",
    "pelayanan",
    "layanan",
    "petugas",
    "dukcapil",
    "disdukcapil",
    "capil",
    "buat",
    "bikin",
    "soal",
    "tentang",
    "min",
    "admin",
    "pak",
    "bu",
    "tolong",
    "mohon",
    "dong",
    "ya",
    "kalau",
    "kalo",
    "ada",
    "bisa",
    "apa",
    "dan",
    "atau",
    "yang",
    "yg",
    "kantor",
    "tidak",
    "ramah",
    "ini",
    "itu",
    "nya",
];

/// Fewest words that tell what happened.
const FEWEST_WORDS: usize = 3;

impl Turn<'_> {
    /// Begins; a message that tells the story already is not asked for it again.
    pub(in crate::dialogue) fn complain(&self) -> Said {
        let text = is_story(&self.input.text).then(|| story(&self.input.text));
        self.ask_category(text)
    }

    /// Whether a message complains, of whatever else it speaks.
    pub(in crate::dialogue) fn complains(&self) -> bool {
        let meaning = &self.input.meaning;
        meaning.intent == "complaint" || meaning.also.as_deref() == Some("complaint")
    }

    fn ask_category(&self, text: Option<String>) -> Said {
        let choices = CATEGORIES.iter().map(|(button, _)| self.button(*button)).collect();
        let flow = Flow::Complaint { category: None, text };
        self.offer("complaint", Line::ComplaintCategory, choices).going_on(flow)
    }

    fn ask_story(&self, category: ComplaintCategory) -> Said {
        let flow = Flow::Complaint { category: Some(category), text: None };
        self.say("complaint", Line::ComplaintText).going_on(flow)
    }

    fn keep(&self, category: ComplaintCategory, text: String) -> Said {
        let number: String = self.fact(self.input.number.as_ref(), Need::Number);
        let line = if category.is_pungli() { Line::ComplaintPungli } else { Line::ComplaintKept };
        let holes = Holes { number: &number, ..self.holes() };
        let said = self.say_with("complaint", line, holes);
        said.with(Effect::Complain { number, category, text })
    }

    /// A category was picked, or the offer to report taken; nothing when nothing was asked.
    pub(in crate::dialogue) fn follow_complaint(&self, button: Button) -> Option<Said> {
        let Flow::Complaint { category, text } = self.flow()? else { return None };
        let picked = CATEGORIES.iter().find(|(known, _)| *known == button).map(|(_, kind)| *kind);
        let category = match picked {
            Some(picked) => picked,
            // Report: what it is about is known.
            None => (*category)?,
        };
        Some(match text {
            Some(text) => self.keep(category, text.clone()),
            None => self.ask_story(category),
        })
    }

    /// A text in the middle of it.
    pub(in crate::dialogue) fn go_on_complaining(
        &self,
        category: Option<ComplaintCategory>,
        text: Option<&str>,
    ) -> Option<Said> {
        let said = &self.input.text;
        let intent = self.input.meaning.intent.as_str();
        match (category, text) {
            // Somebody who wants a person gets one; a word or two are no story yet.
            (Some(_), None) if intent == "human" => None,
            (Some(category), None) if words(said).len() < FEWEST_WORDS => {
                Some(self.ask_story(category))
            }
            (Some(_), None) if self.asks_something_else() => None,
            (Some(category), None) => Some(self.keep(category, story(said))),
            (Some(category), Some(text)) => match words(said).as_slice() {
                [word] if is_yes(word) => Some(self.keep(category, text.to_owned())),
                _ => None,
            },
            // Somebody who asks something else is answered, and has left the complaint.
            (None, _)
                if !matches!(
                    intent,
                    "complaint"
                        | "scam_check"
                        | "out_of_scope"
                        | "clarify"
                        | "clarify_topic"
                        | "ack"
                ) =>
            {
                None
            }
            (None, text) => {
                let whole = match text {
                    Some(text) => story(&format!("{text}\n{said}")),
                    None => story(said),
                };
                Some(self.ask_category((!whole.is_empty()).then_some(whole)))
            }
        }
    }

    /// A question in the place of the story, and a clear one. What is wrong with a card or a fee may be the story.
    fn asks_something_else(&self) -> bool {
        let meaning = &self.input.meaning;
        let is_of_requirements = meaning.intent.starts_with("req_")
            || matches!(
                meaning.intent.as_str(),
                "opening_hours" | "location_service_points" | "contact_info"
            );
        is_of_requirements && self.input.text.trim_end().ends_with('?')
    }

    /// The story of a complaint whose category was picked too long ago: it is kept, and the category asked again.
    pub(in crate::dialogue) fn story_told_late(&self) -> Option<Said> {
        let Some(Flow::Complaint { category: Some(_), text: None }) = &self.state.flow else {
            return None;
        };
        let is_story = is_story(&self.input.text) && !self.asks_something_else();
        is_story.then(|| self.ask_category(Some(story(&self.input.text))))
    }

    /// Where a complaint is; of this chat's own only.
    pub(in crate::dialogue) fn complaint_state(&self) -> Said {
        let is_known =
            self.input.complaint.as_ref().is_some_and(|complaint| complaint.state.is_some());
        self.say("complaint", if is_known { Line::ComplaintState } else { Line::ComplaintUnknown })
    }

    /// An answer about money or fraud, with the offer to report where an officer demanded money.
    pub(in crate::dialogue) fn with_report(&self, mut answer: Said) -> Said {
        if !is_demand(&self.input.text) {
            return answer;
        }
        let offer = self.say("complaint", Line::PungliOffer);
        let whole = format!("{}\n\n{}", answer.text, offer.text);
        if !self.is_sms() && fits_chat(&whole) {
            answer.text = whole;
        } else {
            answer.more.push(offer.text);
        }
        answer.choices = offer.choices;
        let text = Some(story(&self.input.text));
        answer.going_on(Flow::Complaint { category: Some(ComplaintCategory::Pungli), text })
    }
}

/// What is kept of a text.
fn story(text: &str) -> String {
    text.trim().chars().take(MAX_STORY).collect()
}

fn is_story(text: &str) -> bool {
    let telling = |word: &String| !WISHES.contains(&word.as_str());
    words(text).iter().filter(|word| telling(word)).count() >= STORY
}

/// Whether a text tells that somebody of an office asked for money.
fn is_demand(text: &str) -> bool {
    const PLAIN: &[&str] = &["pungli", "pungutan", "dipalak"];
    const ASKING: &[&str] = &[
        "minta",
        "mintain",
        "meminta",
        "mintai",
        "diminta",
        "dimintai",
        "dimintain",
        "ditarik",
        "dipungut",
        "narik",
        "disuruh",
        "disuru",
    ];
    const MONEY: &[&str] = &[
        "uang", "duit", "bayar", "membayar", "biaya", "ribu", "rb", "rupiah", "rokok", "transfer",
    ];
    const OFFICE: &[&str] = &[
        "petugas",
        "petugasnya",
        "oknum",
        "perangkat",
        "pegawai",
        "pegawainya",
        "kelurahan",
        "kecamatan",
        "desa",
        "kades",
        "lurah",
        "rt",
        "rw",
        "dukcapil",
        "capil",
        "kantor",
        "loket",
    ];
    let words = words(text);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let has_money = has(MONEY) || words.iter().any(|word| word.ends_with("rb") && word.len() > 2);
    has(PLAIN) || (has(ASKING) && has_money && has(OFFICE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_by_somebody_of_an_office_is_told_from_a_question_about_fees() {
        for text in [
            "petugas minta uang 50 ribu",
            "oknum minta duit buat cetak ktp",
            "ada pungli di kelurahan",
            "diminta bayar 100rb sama perangkat desa",
            "dipalak petugas",
        ] {
            assert!(is_demand(text), "{text}");
        }
        for text in [
            "bikin ktp bayar gak",
            "di kecamatan bayar berapa",
            "ada yang menelepon minta foto ktp mengaku dari dukcapil",
            "ada yang minta transfer",
        ] {
            assert!(!is_demand(text), "{text}");
        }
    }

    #[test]
    fn a_wish_to_complain_is_no_story_yet() {
        for text in [
            "saya mau komplain",
            "Saya ingin mengadukan pelayanan petugas Dukcapil",
            "cara mengadu ke dukcapil",
            "mau lapor",
        ] {
            assert!(!is_story(text), "{text}");
        }
        for text in [
            "sudah tiga kali disuruh balik lagi ke kecamatan, berkas lengkap",
            "petugas loket 2 marah marah waktu saya tanya berkas",
        ] {
            assert!(is_story(text), "{text}");
        }
    }
}
