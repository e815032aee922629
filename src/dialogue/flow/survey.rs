//! The survey: one question at a time, and after four of them enough, unless somebody likes to go
//! on. Every answer counts at once, whatever becomes of the rest.

use crate::dialogue::input::{Effect, Need};
use crate::dialogue::line::Line;
use crate::dialogue::picked::Button;
use crate::dialogue::state::{Flow, is_no, words};
use crate::dialogue::turn::{Said, Turn, said};
use crate::domain::survey::{Element, Score};

/// Questions before it is enough.
const TAPS: usize = 4;

const RATES: [Button; 4] = [Button::Rate1, Button::Rate2, Button::Rate3, Button::Rate4];

impl Turn<'_> {
    /// Begins with what was answered least, and asks nobody what they rated lately.
    pub(in crate::dialogue) fn survey(&self) -> Said {
        let order = if let Some(order) = &self.input.survey {
            order.clone()
        } else {
            self.needs.borrow_mut().push(Need::Survey);
            Element::ALL.to_vec()
        };
        let rated = self.state.rated(self.input.now);
        let left: Vec<Element> =
            order.into_iter().filter(|element| !rated.contains(element)).collect();
        if left.is_empty() {
            return self.say("survey", Line::SurveyEnd);
        }
        let mut said = self.ask_element(left, 0);
        let intro = self.text(Line::SurveyIntro, self.holes());
        let separator = if self.is_sms() { " " } else { "\n\n" };
        said.text = format!("{intro}{separator}{}", said.text);
        said
    }

    /// LANJUT; nothing when no survey waits.
    pub(in crate::dialogue) fn continue_survey(&self) -> Option<Said> {
        match self.flow()? {
            Flow::Survey { left, .. } if !left.is_empty() => {
                Some(self.ask_element(left.clone(), 0))
            }
            _ => None,
        }
    }

    fn ask_element(&self, left: Vec<Element>, taps: usize) -> Said {
        let Some(element) = left.first() else { return self.say("survey", Line::SurveyEnd) };
        let text = self.text(Line::of_element(*element), self.holes());
        let choices = RATES.iter().map(|button| self.button(*button)).collect();
        said("survey", text, choices).going_on(Flow::Survey { left, taps })
    }

    /// A rating was picked; nothing when nothing was asked just now.
    pub(in crate::dialogue) fn rate(&self, button: Button) -> Option<Said> {
        let Flow::Survey { left, taps } = self.flow()? else { return None };
        if *taps >= TAPS {
            return None;
        }
        let (element, left) = left.split_first()?;
        let place = RATES.iter().position(|rate| *rate == button)?;
        let score = Score::new(u8::try_from(place + 1).ok()?)?;
        let (left, taps) = (left.to_vec(), taps + 1);
        let said = if left.is_empty() {
            self.say("survey", Line::SurveyEnd)
        } else if taps >= TAPS {
            self.say("survey", Line::SurveyEnough).going_on(Flow::Survey { left, taps })
        } else {
            self.ask_element(left, taps)
        };
        Some(said.with(Effect::Rate { element: *element, score }))
    }

    /// A text that is no rating: enough of it, or the question again where it looks like an answer.
    pub(in crate::dialogue) fn go_on_rating(&self, left: &[Element], taps: usize) -> Option<Said> {
        if taps >= TAPS {
            return None;
        }
        match words(&self.input.text).as_slice() {
            [word] if is_no(word) || word == "cukup" || word == "nanti" => {
                Some(self.say("survey", Line::SurveyEnd))
            }
            [word] if word.parse::<u32>().is_ok() => Some(self.ask_element(left.to_vec(), taps)),
            _ => None,
        }
    }
}
