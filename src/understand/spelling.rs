//! From the way people type to a list of comparable word stems.
//!
//! Chat spelling, regional words and the many names of one paper become one word each; fillers are
//! put aside; what remains is stemmed. It never decides what a text means, and never keeps it.

use std::collections::{HashMap, HashSet};

use frostem::{Algorithm, Stemmer};
use serde::Deserialize;

/// Longest text looked at, in characters; nobody asks a question of the office at greater length.
pub const MAX_CHARS: usize = 1_000;

const EMBEDDED: &str = include_str!("../../message_templates/dialogue/spelling.toml");
/// What redaction leaves in place of personal numbers; it says nothing of what is asked.
const REDACTION_MARKS: &[&str] = &["[nik]", "[nomor]", "[kode]"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    soft: Vec<String>,
    known: Vec<String>,
    topics: Vec<String>,
    clitics: Vec<String>,
    words: HashMap<String, Vec<String>>,
    phrases: HashMap<String, Vec<String>>,
}

/// The table of spellings, ready for use.
pub struct Spelling {
    soft: HashSet<String>,
    known: HashSet<String>,
    topics: HashSet<String>,
    clitics: Vec<String>,
    words: HashMap<String, Vec<String>>,
    /// By first word, the longest phrase first.
    phrases: HashMap<String, Vec<Phrase>>,
    stemmer: Stemmer,
}

struct Phrase {
    words: Vec<String>,
    becomes: Vec<String>,
}

impl Spelling {
    /// The table that is compiled in.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED).unwrap_or_else(|_| {
            Self::from_file(File {
                soft: Vec::new(),
                known: Vec::new(),
                topics: Vec::new(),
                clitics: Vec::new(),
                words: HashMap::new(),
                phrases: HashMap::new(),
            })
        })
    }

    /// Reads a table in the form of `message_templates/dialogue/spelling.toml`.
    ///
    /// # Errors
    /// What is wrong with the file: no TOML, an unknown key, or one spelling with two meanings.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for (becomes, spellings) in file.words.iter().chain(&file.phrases) {
            for spelling in spellings {
                if let Some(other) = seen.insert(spelling, becomes)
                    && other != becomes
                {
                    return Err(format!("`{spelling}` stands under `{other}` and `{becomes}`"));
                }
            }
        }
        Ok(Self::from_file(file))
    }

    fn from_file(file: File) -> Self {
        let split = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut words = HashMap::new();
        let mut known: HashSet<String> = file.known.into_iter().collect();
        for (becomes, spellings) in &file.words {
            known.extend(split(becomes));
            for spelling in spellings {
                words.insert(spelling.clone(), split(becomes));
            }
        }
        let mut phrases: HashMap<String, Vec<Phrase>> = HashMap::new();
        for (becomes, spellings) in &file.phrases {
            known.extend(split(becomes));
            for spelling in spellings {
                let parts = split(spelling);
                if let Some(first) = parts.first() {
                    phrases
                        .entry(first.clone())
                        .or_default()
                        .push(Phrase { words: parts.clone(), becomes: split(becomes) });
                }
            }
        }
        for list in phrases.values_mut() {
            list.sort_by(|a, b| {
                b.words.len().cmp(&a.words.len()).then_with(|| a.words.cmp(&b.words))
            });
        }
        Self {
            soft: file.soft.into_iter().collect(),
            known,
            topics: file.topics.into_iter().collect(),
            clitics: file.clitics,
            words,
            phrases,
            stemmer: Stemmer::new(Algorithm::Indonesian),
        }
    }

    /// The comparable words of a text, in order. Fillers are left out unless nothing else is there.
    #[must_use]
    pub fn stems(&self, text: &str) -> Vec<String> {
        let joined = self.join_phrases(&self.words_of(text));
        let solid: Vec<&String> = joined.iter().filter(|w| !self.soft.contains(*w)).collect();
        let chosen = if solid.is_empty() { joined.iter().collect() } else { solid };
        let mut stems: Vec<String> = Vec::with_capacity(chosen.len());
        for word in chosen {
            let stem = self.stem(word);
            // A doubled word ("lama-lama", "jadi jadi") counts once.
            if stems.last() != Some(&stem) {
                stems.push(stem);
            }
        }
        stems
    }

    /// Every spelling the table knows, stemmed: right words that no example happens to use.
    pub(super) fn known_stems(&self) -> impl Iterator<Item = String> + '_ {
        self.known.iter().chain(&self.soft).map(|word| self.stem(word))
    }

    /// Whether a stem names one of the things that questions are about.
    pub(super) fn is_topic(&self, stem: &str) -> bool {
        self.topics.contains(stem)
    }

    fn words_of(&self, text: &str) -> Vec<String> {
        let mut lower: String = text.chars().take(MAX_CHARS).flat_map(char::to_lowercase).collect();
        for mark in REDACTION_MARKS {
            lower = lower.replace(mark, " ");
        }
        let mut words = Vec::new();
        for raw in lower.split(|c: char| !c.is_alphanumeric() && c != '\'') {
            let cleaned = squeeze(&raw.replace('\'', ""));
            self.push_word(&cleaned, &mut words);
        }
        words
    }

    fn push_word(&self, word: &str, words: &mut Vec<String>) {
        if let Some(becomes) = self.words.get(word) {
            words.extend(becomes.iter().cloned());
            return;
        }
        // "jadi2" is the chat way to write "jadi-jadi"; other digits name no topic.
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        if letters.is_empty() {
            return;
        }
        if let Some(becomes) = self.words.get(letters) {
            words.extend(becomes.iter().cloned());
            return;
        }
        if !self.known.contains(letters) {
            for clitic in &self.clitics {
                let Some(base) = letters.strip_suffix(clitic.as_str()) else { continue };
                if let Some(becomes) = self.words.get(base) {
                    words.extend(becomes.iter().cloned());
                    return;
                }
                if self.known.contains(base) {
                    words.push(base.to_owned());
                    return;
                }
            }
        }
        words.push(letters.to_owned());
    }

    fn join_phrases(&self, words: &[String]) -> Vec<String> {
        let mut joined = Vec::with_capacity(words.len());
        let mut rest = words;
        while let Some((first, tail)) = rest.split_first() {
            let phrase = self
                .phrases
                .get(first)
                .and_then(|list| list.iter().find(|phrase| rest.starts_with(&phrase.words)));
            if let Some(phrase) = phrase {
                joined.extend(phrase.becomes.iter().cloned());
                rest = rest.get(phrase.words.len()..).unwrap_or_default();
            } else {
                joined.push(first.clone());
                rest = tail;
            }
        }
        joined
    }

    fn stem(&self, word: &str) -> String {
        // Short words are abbreviations and roots; the stemmer would only hurt them.
        if word.chars().count() < 5 { word.to_owned() } else { self.stemmer.stem(word).to_string() }
    }
}

/// Shortens what is drawn out for emphasis: "lamaaaa" to "lama". Double letters stay.
fn squeeze(word: &str) -> String {
    let chars: Vec<char> = word.chars().collect();
    let mut out = String::with_capacity(word.len());
    let mut index = 0;
    while let Some(&c) = chars.get(index) {
        let run = chars.iter().skip(index).take_while(|&&other| other == c).count();
        let keep = if run >= 3 && c.is_alphabetic() { 1 } else { run };
        out.extend(std::iter::repeat_n(c, keep));
        index += run;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(text: &str) -> String {
        Spelling::embedded().stems(text).join(" ")
    }

    #[test]
    fn the_embedded_table_is_readable_and_gives_each_spelling_one_meaning() {
        assert_eq!(Spelling::parse(EMBEDDED).err(), None);
    }

    #[test]
    fn chat_spelling_and_the_names_of_the_card_become_the_plain_words() {
        let plain = stems("ktp sudah jadi belum");
        for text in [
            "ktp sy udah jadi blm ya?",
            "E-KTP saya sdh jadi blom",
            "KTP ku wis dadi durung?",
            "ktpnya udh jadi2 belom min",
            "Ktp el na geus jadi acan",
        ] {
            assert_eq!(stems(text), plain, "{text}");
        }
    }

    #[test]
    fn fillers_stay_when_there_is_nothing_else() {
        assert_eq!(stems("halo min"), "halo min");
        assert_eq!(stems("halo min, ktp hilang"), "ktp hilang");
    }

    #[test]
    fn drawn_out_letters_and_redaction_marks_do_not_matter() {
        assert_eq!(stems("lamaaaa bangetttt"), stems("lama banget"));
        assert_eq!(stems("CEK#KTP#[NIK]"), stems("cek ktp"));
    }

    #[test]
    fn a_spelling_with_two_meanings_is_refused() {
        let text = "soft=[]\nknown=[]\ntopics=[]\nclitics=[]\n[words]\nsudah=['tos']\ntas=['tos']\n[phrases]\n";
        assert!(Spelling::parse(text).is_err_and(|error| error.contains("tos")));
    }
}
