//! What a citizen's text means: one label of the list, or that it is better to ask back or to say
//! that the answer is not known.
//!
//! Learned from example questions, without any network. It answers for the label and an honest
//! confidence only; it never writes a reply, never keeps a text, and does not guess when the
//! examples are far away or two labels are equally near.

mod gist;
mod label;
mod model;
mod spelling;

pub use gist::Gist;
pub use label::{CLARIFY, CLARIFY_TOPIC, LABELS, OUT_OF_SCOPE, is_label, is_offerable};
pub use spelling::{MAX_CHARS, Spelling};

use model::{Model, Ranked};

/// Below this, the nearest examples have too little in common with the text to answer from them.
const SURE: f32 = 0.40;
/// Below this, not even asking back would be about the same thing.
const NEAR: f32 = 0.32;
/// Two labels closer than this are told apart by asking.
const MARGIN: f32 = 0.035;
/// Above this, the text is as good as one of the examples and no asking back is needed.
const CERTAIN: f32 = 0.85;
/// Most labels offered when asking back.
const MAX_OFFERED: usize = 3;

/// What was understood of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// A label, or [`CLARIFY`] or [`OUT_OF_SCOPE`].
    pub intent: String,
    /// From 0 (nothing in common with any example) to 1 (one of the examples).
    pub confidence: f32,
    /// What to offer when asking back (two or three), otherwise the next nearest labels.
    pub alternatives: Vec<String>,
}

/// A trained understanding; cheap to share, never changes.
pub struct Understanding {
    spelling: Spelling,
    model: Model,
}

impl Understanding {
    /// Learns from (label, example) pairs with the spelling table that is compiled in. The same
    /// pairs give the same understanding, always.
    #[must_use]
    pub fn train<'a>(examples: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::train_with(Spelling::embedded(), examples)
    }

    /// Learns with an office's own spelling table.
    #[must_use]
    pub fn train_with<'a>(
        spelling: Spelling,
        examples: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let model = Model::train(&spelling, examples);
        Self { spelling, model }
    }

    /// What the text means.
    #[must_use]
    pub fn understand(&self, text: &str) -> Meaning {
        decide(&self.model.rank(&self.spelling, &self.spelling.stems(text)))
    }
}

/// The three outcomes, from labels ordered by nearness.
fn decide(ranked: &[Ranked<'_>]) -> Meaning {
    let Some(best) = ranked.first().filter(|best| best.score >= NEAR) else {
        let confidence = ranked.first().map_or(1.0, |best| 1.0 - best.score);
        return Meaning {
            intent: OUT_OF_SCOPE.to_owned(),
            confidence,
            alternatives: others(ranked, "", MAX_OFFERED),
        };
    };
    let (label, offers) = split_offers(best.label);
    if label == CLARIFY_TOPIC {
        let mut offered: Vec<String> = offers.map(str::to_owned).collect();
        if offered.is_empty() {
            offered = others(ranked, CLARIFY_TOPIC, MAX_OFFERED);
        }
        return ask_back(best.score, offered);
    }
    let next = ranked.get(1).map_or(0.0, |next| next.score);
    let is_clear = best.score >= CERTAIN || (best.score >= SURE && best.score - next >= MARGIN);
    let is_small_talk = !is_offerable(label) && best.score >= SURE;
    if label == OUT_OF_SCOPE || is_clear || is_small_talk {
        return Meaning {
            intent: label.to_owned(),
            confidence: best.score,
            alternatives: others(ranked, label, MAX_OFFERED),
        };
    }
    // Only what is about as near as the best is worth offering beside it.
    let close = ranked.iter().take_while(|r| best.score - r.score < 0.12).count().max(2);
    ask_back(best.score, others(ranked.get(..close).unwrap_or(ranked), "", MAX_OFFERED))
}

/// Asking needs at least two things to choose from; with fewer the text is not understood.
fn ask_back(confidence: f32, alternatives: Vec<String>) -> Meaning {
    let intent = if alternatives.len() < 2 { OUT_OF_SCOPE } else { CLARIFY };
    Meaning { intent: intent.to_owned(), confidence, alternatives }
}

/// The nearest labels that can be offered, without one of them.
fn others(ranked: &[Ranked<'_>], except: &str, most: usize) -> Vec<String> {
    ranked
        .iter()
        .map(|r| r.label)
        .filter(|label| *label != except && is_offerable(label))
        .take(most)
        .map(str::to_owned)
        .collect()
}

/// `clarify_topic/a/b` is the label `clarify_topic` that offers `a` and `b`.
fn split_offers(label: &str) -> (&str, impl Iterator<Item = &str>) {
    let mut parts = label.split('/');
    (parts.next().unwrap_or_default(), parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small() -> Understanding {
        Understanding::train([
            ("status_card", "ktp saya sudah jadi belum"),
            ("status_card", "cek status ktp"),
            ("req_ktp_lost", "syarat ktp hilang"),
            ("req_ktp_lost", "ktp saya hilang bagaimana mengurusnya"),
            ("req_kk_lost", "kartu keluarga hilang syaratnya apa"),
            ("req_kk_lost", "kk saya hilang"),
            ("redirect_police", "syarat bikin sim"),
            ("clarify_topic/status_card/req_ktp_lost", "ktp"),
        ])
    }

    #[test]
    fn a_question_like_an_example_is_understood_in_chat_spelling_and_with_typing_errors() {
        let small = small();
        for (text, label) in [
            ("ktp sy udah jadi blm ya?", "status_card"),
            ("KTP ku wis dadi durung?", "status_card"),
            ("syarat ktp ilang apa aja min", "req_ktp_lost"),
            ("ktphilang", "req_ktp_lost"),
            ("kartu kluarga ilang", "req_kk_lost"),
            ("syarat bikin SIM", "redirect_police"),
        ] {
            assert_eq!(small.understand(text).intent, label, "{text}");
        }
    }

    #[test]
    fn a_bare_topic_is_asked_back_with_what_its_example_offers() {
        let meaning = small().understand("e-KTP");
        assert_eq!(meaning.intent, CLARIFY);
        assert_eq!(meaning.alternatives, ["status_card", "req_ktp_lost"]);
    }

    fn decided(ranked: &[(&'static str, f32)]) -> (String, Vec<String>) {
        let ranked: Vec<Ranked<'_>> =
            ranked.iter().map(|&(label, score)| Ranked { label, score }).collect();
        let meaning = decide(&ranked);
        (meaning.intent, meaning.alternatives)
    }

    #[test]
    fn two_labels_about_equally_near_are_asked_back_and_a_clear_one_is_not() {
        let (intent, offered) =
            decided(&[("req_ktp_lost", 0.60), ("req_kk_lost", 0.58), ("fee", 0.20)]);
        assert_eq!((intent.as_str(), offered.len()), (CLARIFY, 2), "fee is too far to offer");
        let (intent, next) = decided(&[("req_ktp_lost", 0.60), ("req_kk_lost", 0.50)]);
        assert_eq!((intent.as_str(), next), ("req_ktp_lost", vec!["req_kk_lost".to_owned()]));
    }

    #[test]
    fn a_weak_likeness_is_asked_back_and_a_weaker_one_is_not_understood() {
        assert_eq!(decided(&[("fee", SURE - 0.01), ("duration", 0.1)]).0, CLARIFY);
        assert_eq!(decided(&[("fee", NEAR - 0.01), ("duration", 0.1)]).0, OUT_OF_SCOPE);
        assert_eq!(decided(&[("fee", SURE - 0.01), ("thanks", 0.3)]).0, OUT_OF_SCOPE, "one offer");
    }

    #[test]
    fn what_no_example_is_like_is_out_of_scope() {
        for text in ["resep rendang padang", "", "?!", "…", "0812 12", "[NIK]"] {
            assert_eq!(small().understand(text).intent, OUT_OF_SCOPE, "{text}");
        }
    }

    #[test]
    fn nothing_learned_means_nothing_understood() {
        assert_eq!(Understanding::train([]).understand("ktp").intent, OUT_OF_SCOPE);
    }

    #[test]
    fn the_same_examples_give_the_same_understanding() {
        let (a, b) = (small(), small());
        for text in ["ktp hilang", "sudah jadi", "kk"] {
            assert_eq!(a.understand(text), b.understand(text));
        }
    }

    #[test]
    fn only_the_first_thousand_characters_count() {
        let long = format!("{} syarat ktp hilang", "x ".repeat(MAX_CHARS));
        assert_eq!(small().understand(&long).intent, OUT_OF_SCOPE);
    }

    proptest! {
        #[test]
        fn any_text_has_a_meaning_with_a_confidence(text in any::<String>()) {
            let meaning = small().understand(&text);
            prop_assert!((0.0..=1.001).contains(&meaning.confidence), "{meaning:?}");
            prop_assert!(meaning.intent != CLARIFY || meaning.alternatives.len() >= 2);
        }
    }
}
