//! What a citizen's text means: one label of the list, or that it is better to ask back or to say
//! that the answer is not known.
//!
//! Learned from example questions, without any network. It answers for the label and an honest
//! confidence only; it never writes a reply, never keeps a text, and does not guess when the
//! examples are far away or two labels are equally near.

mod clause;
mod decide;
mod feature;
mod gist;
mod label;
mod linear;
mod pair;
mod reading;
pub mod report;
mod speller;
mod spelling;

pub use gist::Gist;
pub use label::{CLARIFY, CLARIFY_TOPIC, LABELS, OUT_OF_SCOPE, is_label, is_offerable, is_outside};
pub use spelling::{MAX_CHARS, Spelling};

use reading::Learned;

/// What was understood of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// A label, or [`CLARIFY`] or [`OUT_OF_SCOPE`].
    pub intent: String,
    /// How probably that is right, from 0 to 1.
    pub confidence: f32,
    /// What to offer when asking back (two or three), otherwise the next nearest labels.
    pub alternatives: Vec<String>,
    /// A second question in the same text.
    pub also: Option<String>,
    /// What may be a second question: worth a button under the answer.
    pub perhaps: Option<String>,
}

/// A trained understanding; never changes.
pub struct Understanding {
    learned: Learned,
}

impl Understanding {
    /// Learns from (label, example) pairs with the spelling table that is compiled in. The same
    /// pairs give the same understanding, in whatever order they come.
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
        Self { learned: Learned::train(spelling, examples) }
    }

    /// What the text means.
    #[must_use]
    pub fn understand(&self, text: &str) -> Meaning {
        decide::decide(&self.learned, &self.learned.read(text))
    }

    /// All labels with their shares, the largest first; empty for a text in which nothing is known. For
    /// measuring: a share is no confidence.
    #[must_use]
    pub fn rank(&self, text: &str) -> Vec<(&str, f32)> {
        decide::rank(&self.learned, &self.learned.read(text).shares)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A few labels, enough to see each rule at work; how good the whole is, the report says.
    const EXAMPLES: &[(&str, &str)] = &[
        ("status_card", "ktp saya sudah jadi belum"),
        ("status_card", "cek status ktp"),
        ("status_card", "apakah ktp saya sudah jadi"),
        ("status_card", "sudah jadi belum ktpnya"),
        ("status_card", "ktp belum jadi juga"),
        ("req_ktp_lost", "syarat ktp hilang"),
        ("req_ktp_lost", "ktp saya hilang bagaimana mengurusnya"),
        ("req_ktp_lost", "dompet hilang ktp ikut hilang"),
        ("req_ktp_lost", "apa syarat mengurus ktp hilang"),
        ("req_kk_lost", "kartu keluarga hilang syaratnya apa"),
        ("req_kk_lost", "kk saya hilang"),
        ("req_kk_lost", "kk hilang bagaimana mengurusnya"),
        ("opening_hours", "kantor buka jam berapa"),
        ("opening_hours", "jam buka kantor kecamatan"),
        ("opening_hours", "hari sabtu kantor buka tidak"),
        ("redirect_police", "syarat bikin sim"),
        ("redirect_police", "perpanjang sim dimana"),
        ("redirect_police", "sim saya mati"),
        ("out_of_scope", "resep rendang padang"),
        ("out_of_scope", "resep nasi goreng"),
        ("out_of_scope", "siapa presiden indonesia"),
        ("clarify_topic/status_card/req_ktp_lost", "ktp"),
        ("clarify_topic/status_card/req_ktp_lost", "soal ktp"),
        ("clarify_topic/req_kk_lost/status_card", "kk"),
    ];

    fn small() -> Understanding {
        Understanding::train(EXAMPLES.iter().copied())
    }

    fn nearest(understanding: &Understanding, text: &str) -> String {
        understanding.rank(text).first().map_or_else(String::new, |(label, _)| (*label).to_owned())
    }

    #[test]
    fn a_question_is_understood_in_chat_spelling_other_words_of_java_and_with_typing_errors() {
        let small = small();
        for (text, label) in [
            ("ktp sy udah jadi blm ya?", "status_card"),
            ("KTP ku wis dadi durung?", "status_card"),
            ("syarat ktp ilang apa aja min", "req_ktp_lost"),
            ("ktphilang", "req_ktp_lost"),
            ("kartu kluarga ilang", "req_kk_lost"),
            ("kantorr buka jm brp", "opening_hours"),
            ("syarat bikin SIM", "redirect_police"),
        ] {
            assert_eq!(nearest(&small, text), label, "{text}");
        }
    }

    #[test]
    fn the_words_of_an_example_are_answered_with_its_label_however_few_the_examples() {
        let mut examples = EXAMPLES.to_vec();
        examples.push(("fee", "bayar gak sih"));
        let taught = Understanding::train(examples);
        let meaning = taught.understand("Bayar gak sih?");
        assert_eq!(meaning.intent, "fee");
        assert!(meaning.confidence > 0.9);
    }

    #[test]
    fn a_bare_topic_is_asked_back_with_what_its_example_offers() {
        let meaning = small().understand("e-KTP");
        assert_eq!(meaning.intent, CLARIFY);
        assert_eq!(meaning.alternatives, ["status_card", "req_ktp_lost"]);
    }

    #[test]
    fn what_has_no_known_word_is_out_of_scope() {
        for text in ["", "?!", "…", "0812 12", "[NIK]", "🙏🙏", "\u{0}\u{7}"] {
            assert_eq!(small().understand(text).intent, OUT_OF_SCOPE, "{text}");
        }
    }

    #[test]
    fn two_questions_are_found_in_the_order_in_which_they_are_asked() {
        let both = |text: &str| {
            let meaning = small().understand(text);
            (meaning.intent, meaning.also)
        };
        let pair = |first: &str, second: &str| (first.to_owned(), Some(second.to_owned()));
        for text in [
            "syarat ktp hilang apa? kantor buka jam berapa",
            "ktp hilang syaratnya apa, terus kantor buka jam berapa ya",
        ] {
            assert_eq!(both(text), pair("req_ktp_lost", "opening_hours"), "{text}");
        }
        let turned = "kantor buka jam berapa? kalau kk hilang bagaimana mengurusnya";
        assert_eq!(both(turned), pair("opening_hours", "req_kk_lost"));
        assert_eq!(both("kk saya hilang bagaimana mengurusnya").1, None);
    }

    #[test]
    fn what_another_agency_asks_for_its_service_is_not_answered_with_ours() {
        let meaning = small().understand("syarat bikin sim apa? buka jam berapa");
        assert_eq!(meaning.also, None, "{meaning:?}");
    }

    #[test]
    fn nothing_learned_means_nothing_understood() {
        assert_eq!(Understanding::train([]).understand("ktp").intent, OUT_OF_SCOPE);
    }

    #[test]
    fn the_same_examples_in_any_order_give_the_same_understanding() {
        let (a, b) = (small(), Understanding::train(EXAMPLES.iter().rev().copied()));
        for text in ["ktp hilang", "sudah jadi", "kk", "buka jam berapa, ktp saya sudah jadi"] {
            assert_eq!(a.understand(text), b.understand(text));
        }
    }

    #[test]
    fn the_question_at_the_end_of_a_long_story_counts() {
        let story = "kemarin saya pergi ke rumah saudara naik bus lalu hujan deras sekali dan anak \
                     saya menangis terus sampai malam, kami pulang naik ojek, nah kk saya hilang";
        assert_eq!(nearest(&small(), story), "req_kk_lost");
    }

    #[test]
    fn only_the_first_thousand_characters_count() {
        let long = format!("{}. syarat ktp hilang", "x ".repeat(MAX_CHARS));
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
