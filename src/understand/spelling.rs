//! From the way people type to a list of comparable word stems.
//!
//! Chat spelling, regional words and the many names of one paper become one word each; fillers are
//! put aside; what remains is stemmed. It never decides what a text means, and never keeps it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use frostem::{Algorithm, Stemmer};
use serde::Deserialize;

use super::clause::{Clause, sentences};
use super::feature::{Keys, Ready};
use super::speller::Speller;

/// Longest text looked at, in characters; nobody asks a question of the office at greater length.
pub const MAX_CHARS: usize = 1_000;

/// What no citizen types: templates, HTML, SQL, shell. Together they count as one word, of which the
/// examples of `out_of_scope` show what it means.
const MARKUP: &[&str] = &[
    "{{", "}}", "{%", "${", "</", "/>", "=\"", "='", "' or", "' OR", "--", "/*", "&&", "||", "::",
    "://", "<?", "[[", "\\", "();", "%s", "<script", "<img", "<b>", "<svg", "\":",
];
const MARKUP_WORD: &str = "<>";
/// Words behind which stands the name of a place, unless it is a word everybody uses.
const BEFORE_PLACES: &[&str] = &[
    "kecamatan",
    "kec",
    "desa",
    "ds",
    "kelurahan",
    "kel",
    "kabupaten",
    "kab",
    "kota",
    "dusun",
    "dsn",
    "kampung",
    "provinsi",
    "prov",
];
/// How often a word is used that is no name of a place.
const USES_OF_NO_PLACE: u32 = 12;
/// Words behind which an unknown word is somebody's name.
const BEFORE_NAMES: &[&str] =
    &["nama", "namanya", "bernama", "pak", "bapak", "bu", "ibu", "mbak", "mas", "kak", "an"];

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

/// Words that are looked up for every word of every message: a plain hash is enough, because only the table's own
/// words are ever put in.
type Words = HashSet<String, BuildHasherDefault<Ready>>;
type Table<T> = HashMap<String, T, BuildHasherDefault<Ready>>;

/// The table of spellings, ready for use.
pub struct Spelling {
    soft: Words,
    known: Words,
    topics: Words,
    clitics: Vec<String>,
    words: Table<Vec<String>>,
    /// By first word, the longest phrase first.
    phrases: Table<Vec<Phrase>>,
    stemmer: Stemmer,
}

/// What a word is in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It may say what is asked.
    Weighty,
    /// It carries no question.
    Filler,
    /// What was typed, beside what it was mended to.
    AsTyped,
    /// What an unknown word was probably meant to be.
    Mended,
    /// What somebody or some place is called.
    Name,
}

impl Kind {
    /// Whether it is a word of the message that may be compared with others.
    pub(crate) const fn is_word(self) -> bool {
        !matches!(self, Self::AsTyped | Self::Name)
    }

    /// Whether it may say what is asked.
    pub(crate) const fn has_weight(self) -> bool {
        matches!(self, Self::Weighty | Self::Mended)
    }
}

/// A word of a message, ready to be compared.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) stem: Rc<Stem>,
    pub(crate) kind: Kind,
}

/// What is the same of a word wherever it stands.
#[derive(Debug)]
pub(crate) struct Stem {
    pub(crate) text: String,
    /// It names one of the things that questions are about.
    pub(crate) is_topic: bool,
    /// The word it is the stem of carries no question.
    is_soft: bool,
    pub(crate) keys: Keys,
}

/// What a typed word became.
struct Placed {
    /// Its uses in the examples, if the table does not know it.
    stranger: Option<u32>,
    words: Vec<(Rc<str>, Kind)>,
}

/// Reads texts word by word, and remembers what it found out of each word: people use the same few.
pub(crate) struct Reader<'a> {
    spelling: &'a Spelling,
    speller: Option<&'a Speller>,
    placed: RefCell<Table<Rc<Placed>>>,
    stems: RefCell<HashMap<Rc<str>, Rc<Stem>, BuildHasherDefault<Ready>>>,
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
        let mut words = Table::default();
        let mut known: Words = file.known.into_iter().collect();
        for (becomes, spellings) in &file.words {
            known.extend(split(becomes));
            for spelling in spellings {
                words.insert(spelling.clone(), split(becomes));
            }
        }
        let mut phrases: Table<Vec<Phrase>> = Table::default();
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
        let tokens = self.reader(None).tokens(text);
        let has_weight = tokens.iter().any(|token| token.kind.has_weight());

        let mut stems: Vec<String> = tokens
            .into_iter()
            .filter(|token| token.kind.has_weight() == has_weight && token.kind.is_word())
            .map(|token| token.stem.text.clone())
            .collect();
        stems.dedup();
        stems
    }

    /// Reads texts with this table, and mends with the speller what it does not know.
    pub(crate) fn reader<'a>(&'a self, speller: Option<&'a Speller>) -> Reader<'a> {
        Reader { spelling: self, speller, placed: RefCell::default(), stems: RefCell::default() }
    }

    /// Every spelling the table knows: right words that no example happens to use.
    pub(crate) fn known_words(&self) -> impl Iterator<Item = &str> {
        self.words.keys().chain(&self.known).chain(&self.soft).map(String::as_str)
    }

    /// A text in small letters, without what redaction left.
    pub(crate) fn lower(text: &str) -> String {
        let mut lower: String = text.chars().take(MAX_CHARS).flat_map(char::to_lowercase).collect();
        for mark in REDACTION_MARKS {
            if lower.contains(mark) {
                lower = lower.replace(mark, " ");
            }
        }
        lower
    }

    /// The words of such a text as they were typed.
    pub(crate) fn typed_words(lower: &str) -> impl Iterator<Item = Cow<'_, str>> {
        lower
            .split(|c: char| !c.is_alphanumeric() && c != '\'')
            .map(plain)
            .filter(|w| !w.is_empty())
    }

    /// Whether a word needs no mending, by itself or without what hangs on to it.
    fn is_placed(&self, word: &str, speller: &Speller) -> bool {
        let is_known = |word: &str| {
            self.words.contains_key(word) || self.known.contains(word) || self.soft.contains(word)
        };
        is_known(word)
            || self
                .clitics
                .iter()
                .filter_map(|clitic| word.strip_suffix(clitic.as_str()))
                .any(|base| base.len() >= 3 && (is_known(base) || speller.knows(base)))
    }

    /// The words that a typed word stands for.
    fn meant(&self, word: &str) -> Vec<Rc<str>> {
        let all = |words: &Vec<String>| words.iter().map(|word| word.as_str().into()).collect();
        if let Some(becomes) = self.words.get(word) {
            return all(becomes);
        }
        // "jadi2" is the chat way to write "jadi-jadi"; other digits name no topic.
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        if letters.is_empty() {
            return Vec::new();
        }
        if let Some(becomes) = self.words.get(letters) {
            return all(becomes);
        }
        if !self.known.contains(letters) {
            for clitic in &self.clitics {
                let Some(base) = letters.strip_suffix(clitic.as_str()) else { continue };
                if let Some(becomes) = self.words.get(base) {
                    return all(becomes);
                }
                if self.known.contains(base) {
                    return vec![base.into()];
                }
            }
        }
        vec![letters.into()]
    }

    fn join_phrases(&self, words: &[(Rc<str>, Kind)]) -> Vec<(Rc<str>, Kind)> {
        let mut joined = Vec::with_capacity(words.len());
        let mut rest = words;
        while let Some((first, tail)) = rest.split_first() {
            let begins = |phrase: &&Phrase| {
                rest.len() >= phrase.words.len()
                    && phrase.words.iter().zip(rest).all(|(word, (other, _))| **word == **other)
            };
            let phrase = self.phrases.get(&*first.0).and_then(|list| list.iter().find(begins));
            if let Some(phrase) = phrase {
                let becomes =
                    phrase.becomes.iter().map(|word| (word.as_str().into(), Kind::Weighty));
                joined.extend(becomes);
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

impl Reader<'_> {
    /// The sentences of a text, word by word.
    pub(crate) fn clauses(&self, text: &str) -> Vec<Clause> {
        let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(end, _)| end);
        sentences(text.get(..end).unwrap_or_default())
            .into_iter()
            .map(|(sentence, is_marked)| Clause { tokens: self.tokens(sentence), is_marked })
            .collect()
    }

    fn tokens(&self, text: &str) -> Vec<Token> {
        let mut words: Vec<(Rc<str>, Kind)> = Vec::new();
        if MARKUP.iter().any(|mark| text.contains(mark)) {
            words.push((MARKUP_WORD.into(), Kind::Weighty));
        }
        let lower = Spelling::lower(text);
        let mut before: Cow<'_, str> = Cow::Borrowed("");
        for word in Spelling::typed_words(&lower) {
            let placed = self.placed(&word);
            // "kecamatan diwek", "pak suparman": what stands there is no word to be mended.
            let is_name = placed.stranger.is_some_and(|uses| {
                (uses == 0 && BEFORE_NAMES.contains(&&*before))
                    || (uses < USES_OF_NO_PLACE && BEFORE_PLACES.contains(&&*before))
            });
            if is_name {
                words.push((word.as_ref().into(), Kind::Name));
            } else {
                words.extend(placed.words.iter().cloned());
            }
            before = word;
        }
        let mut tokens: Vec<Token> = Vec::with_capacity(words.len());
        for (word, kind) in self.spelling.join_phrases(&words) {
            let stem = self.stem(&word);
            let kind = match kind {
                Kind::AsTyped | Kind::Name => kind,
                Kind::Mended if !stem.is_soft => Kind::Mended,
                _ if stem.is_soft => Kind::Filler,
                _ => Kind::Weighty,
            };
            // A doubled word ("lama-lama", "jadi jadi") counts once.
            if tokens.last().is_none_or(|last| last.stem.text != stem.text) {
                tokens.push(Token { stem, kind });
            }
        }
        tokens
    }

    fn placed(&self, word: &str) -> Rc<Placed> {
        if let Some(placed) = self.placed.borrow().get(word) {
            return placed.clone();
        }
        let placed = Rc::new(self.place(word));
        self.placed.borrow_mut().insert(word.to_owned(), placed.clone());
        placed
    }

    fn place(&self, word: &str) -> Placed {
        let speller = self.speller.filter(|speller| !self.spelling.is_placed(word, speller));
        let mut words = Vec::new();
        match speller.and_then(|speller| speller.mend(word)) {
            Some(parts) => {
                // The guess may be wrong: the pieces of what was typed stay beside it.
                if parts.len() == 1 {
                    words.push((word.into(), Kind::AsTyped));
                }
                let meant = parts.iter().flat_map(|part| self.spelling.meant(part));
                words.extend(meant.map(|word| (word, Kind::Mended)));
            }
            None => {
                words.extend(self.spelling.meant(word).into_iter().map(|w| (w, Kind::Weighty)));
            }
        }
        Placed { stranger: speller.map(|speller| speller.uses(word).unwrap_or(0)), words }
    }

    fn stem(&self, word: &Rc<str>) -> Rc<Stem> {
        if let Some(stem) = self.stems.borrow().get(word) {
            return stem.clone();
        }
        let text = self.spelling.stem(word);
        let stem = Rc::new(Stem {
            is_topic: self.spelling.topics.contains(&text),
            is_soft: self.spelling.soft.contains(&**word),
            keys: Keys::of(&text),
            text,
        });
        self.stems.borrow_mut().insert(word.clone(), stem.clone());
        stem
    }
}

/// A word without apostrophes, and without what is drawn out for emphasis: "lama" for "lamaaaa". Double letters stay.
fn plain(raw: &str) -> Cow<'_, str> {
    let mut run = 0;
    let mut last = None;
    let is_plain = raw.chars().all(|c| {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        c != '\'' && (run < 3 || !c.is_alphabetic())
    });
    if is_plain { Cow::Borrowed(raw) } else { Cow::Owned(squeeze(&raw.replace('\'', ""))) }
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
