//! Reads a text with all that was learned: the share of each label, of the whole text and of its parts.
//!
//! Learns from examples once and never changes. What follows from the shares is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use super::clause::{Cut, Mark, Part, Sound, cuts, parts, weighty};
use super::feature::{Dictionary, HashedMap, Rows, Vector, features, hash, likeness, to_f32};
use super::label::CLARIFY_TOPIC;
use super::linear::Linear;
use super::speller::{Counts, Speller};
use super::spelling::{Kind, Reader, Spelling, Token};

/// Texts with more words than this are read in parts as well: a question in a long story.
const LONG_TEXT: usize = 14;
/// What the whole of a long text counts beside its parts.
const WHOLE: f32 = 0.4;
/// How much more a part counts that sounds like a question.
const QUESTION: f32 = 1.5;
/// Makes a clear part count more than several unclear ones.
const CLEARNESS: f32 = 1.5;
/// Share of a label one of whose examples has the very same words.
const SAME_WORDS: f32 = 0.98;
/// How well a mended word is known, beside one that stands there as examples have it.
const MENDED_KNOWN: f32 = 0.5;
/// How often a word of the spelling table counts as used.
const TABLE_USES: u32 = 3;
/// Examples that are read together. What they show is a piece of memory small enough that the allocator gives the
/// really large ones of the training back to the system.
const CHUNK: usize = 500;

/// What was learned.
pub(crate) struct Learned {
    spelling: Spelling,
    speller: Speller,
    dictionary: Dictionary,
    linear: Linear,
    labels: Vec<String>,
    /// Topics without a question, and what each offers.
    topics: Vec<(Vector, Vec<String>)>,
    /// Labels of texts by their words in any order.
    same_words: HashedMap<usize>,
}

/// What a text shows.
pub(crate) struct Reading {
    /// Share of each label, by its index; together one. Empty when nothing in the text is known.
    pub(crate) shares: Vec<f32>,
    /// Where a second question may begin.
    pub(crate) cuts: Vec<CutReading>,
    /// Share of its words of weight that examples have, from 0 to 1.
    pub(crate) known: f32,
    /// How many words of weight it has.
    pub(crate) words: usize,
    /// It was read in parts as well.
    pub(crate) is_long: bool,
    /// There is a question mark in it.
    pub(crate) is_question: bool,
    /// An example has the very same words.
    pub(crate) is_example: bool,
    vector: Vector,
}

/// What a part of a text shows.
struct PartReading {
    shares: Vec<f32>,
    is_question: bool,
}

/// What both sides of a place show at which a second question may begin.
pub(crate) struct CutReading {
    pub(crate) left: Side,
    pub(crate) right: Side,
    pub(crate) mark: Mark,
    pub(crate) is_joined: bool,
}

/// One side of such a place.
pub(crate) struct Side {
    /// Share of each label, by its index.
    pub(crate) shares: Vec<f32>,
    /// How many words of weight it has.
    pub(crate) words: usize,
    pub(crate) sound: Sound,
}

impl Learned {
    /// Learns from (label, example) pairs; the label of a topic carries after slashes what it offers.
    pub(crate) fn train<'a>(
        spelling: Spelling,
        examples: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut pairs: Vec<(&str, &str)> = examples.into_iter().collect();
        // The order must not depend on which file was read first.
        pairs.sort_unstable();
        pairs.dedup();
        let chunks: Vec<&[(&str, &str)]> = pairs.chunks(CHUNK).collect();
        let speller = Speller::learn(count_words(&spelling, &chunks));
        let shown = in_threads(&chunks, |chunks| {
            let reader = spelling.reader(Some(&speller));
            chunks.iter().map(|chunk| shown(chunk, &reader)).collect()
        });
        let (words, raws): (Vec<_>, Vec<_>) = shown.into_iter().unzip();
        let dictionary = Dictionary::learn(&raws);
        let vectors =
            in_threads(&raws, |raws| raws.iter().map(|raws| dictionary.vectors(raws)).collect());
        drop(raws);
        let names: BTreeSet<&str> = pairs.iter().map(|(label, _)| base(label)).collect();
        let index: BTreeMap<&str, usize> =
            names.iter().enumerate().map(|(index, name)| (*name, index)).collect();
        let mut topics = Vec::new();
        let mut learned = Vec::with_capacity(pairs.len());
        let mut same_words: HashedMap<Option<usize>> = HashedMap::default();
        let shown = vectors.iter().flat_map(Rows::iter).zip(words.iter().flatten());
        for ((label, _), (vector, words)) in pairs.iter().zip(shown) {
            if vector.is_empty() {
                continue;
            }
            let Some(own) = index.get(base(label)).copied() else { continue };
            if base(label) == CLARIFY_TOPIC {
                topics
                    .push((vector.to_vec(), label.split('/').skip(1).map(str::to_owned).collect()));
            }
            same_words
                .entry(*words)
                .and_modify(|known| *known = known.filter(|other| *other == own))
                .or_insert(Some(own));
            learned.push((own, vector));
        }
        let linear = Linear::train(&learned, names.len(), dictionary.len());
        Self {
            linear,
            labels: names.into_iter().map(str::to_owned).collect(),
            same_words: same_words.into_iter().filter_map(|(k, v)| v.map(|v| (k, v))).collect(),
            spelling,
            speller,
            dictionary,
            topics,
        }
    }

    /// The label with that index.
    pub(crate) fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", String::as_str)
    }

    /// Reads a text.
    pub(crate) fn read(&self, text: &str) -> Reading {
        let clauses = self.spelling.reader(Some(&self.speller)).clauses(text);
        let tokens: Vec<Token> =
            clauses.iter().flat_map(|clause| clause.tokens.iter().cloned()).collect();
        let weighty: Vec<&Token> = tokens.iter().filter(|t| t.kind.has_weight()).collect();
        let (vector, mut shares) = self.look(&tokens);
        let mut reading = Reading {
            shares: Vec::new(),
            cuts: Vec::new(),
            known: weighty.iter().map(|token| self.how_known(token)).sum::<f32>()
                / to_f32(weighty.len().max(1)),
            words: weighty.len(),
            is_long: tokens.len() > LONG_TEXT,
            is_question: clauses.iter().any(|clause| clause.is_marked),
            is_example: false,
            vector,
        };
        if reading.vector.is_empty() {
            return reading;
        }
        let is_as_typed = tokens.iter().all(|token| token.kind != Kind::Mended);
        if let Some(own) = self.same_words.get(&words_key(&tokens)).filter(|_| is_as_typed) {
            for (index, share) in shares.iter_mut().enumerate() {
                *share *= 1.0 - SAME_WORDS;
                *share += if index == *own { SAME_WORDS } else { 0.0 };
            }
            reading.is_example = true;
        }
        if !reading.is_example {
            let parts = if reading.is_long { parts(&clauses) } else { Vec::new() };
            if parts.len() > 1 {
                let parts: Vec<PartReading> =
                    parts.iter().map(|part| self.read_part(part)).collect();
                blend(&mut shares, &parts);
            }
            let cuts = cuts(&clauses, &tokens, reading.is_long);
            reading.cuts = cuts.iter().map(|cut| self.read_cut(cut)).collect();
        }
        reading.shares = shares;
        reading
    }

    /// What the nearest topic without a question offers.
    pub(crate) fn offers(&self, reading: &Reading) -> &[String] {
        let mut best: (f32, &[String]) = (0.0, &[]);
        for (topic, offers) in &self.topics {
            let near = likeness(topic, &reading.vector);
            if near > best.0 {
                best = (near, offers);
            }
        }
        best.1
    }

    fn how_known(&self, token: &Token) -> f32 {
        let is_known = self.dictionary.knows(token.stem.keys.word);
        if !is_known {
            0.0
        } else if token.kind == Kind::Mended {
            MENDED_KNOWN
        } else {
            1.0
        }
    }

    fn look(&self, tokens: &[Token]) -> (Vector, Vec<f32>) {
        let raw = features(tokens);
        let vector = self.dictionary.vector(&raw);
        let mut shares = vec![0.0; self.labels.len()];
        if !vector.is_empty() {
            self.linear.shares(&vector, &mut shares);
        }
        (vector, shares)
    }

    fn read_part(&self, part: &Part<'_>) -> PartReading {
        PartReading { shares: self.look(part.tokens).1, is_question: part.is_question }
    }

    fn read_cut(&self, cut: &Cut<'_>) -> CutReading {
        let side = |tokens| Side {
            shares: self.look(tokens).1,
            words: weighty(tokens),
            sound: Sound::of(tokens),
        };
        CutReading {
            left: side(cut.left),
            right: side(cut.right),
            mark: cut.mark,
            is_joined: cut.is_joined,
        }
    }
}

/// Mixes into the shares of a long text those of its clearest parts.
fn blend(shares: &mut [f32], parts: &[PartReading]) {
    let mut best = vec![0.0_f32; shares.len()];
    for part in parts {
        let weight = if part.is_question { QUESTION } else { 1.0 };
        for (best, share) in best.iter_mut().zip(&part.shares) {
            *best = best.max(weight * share);
        }
    }
    for best in &mut best {
        *best = best.powf(CLEARNESS);
    }
    let sum = best.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    for (share, best) in shares.iter_mut().zip(&best) {
        *share = WHOLE * *share + (1.0 - WHOLE) * best / sum;
    }
}

fn base(label: &str) -> &str {
    label.split('/').next().unwrap_or(label)
}

/// The words of weight in any order; where there are none, the others.
fn words_key(tokens: &[Token]) -> u64 {
    let of = |has_weight: bool| -> Vec<&str> {
        let fits = |kind: Kind| kind.is_word() && kind.has_weight() == has_weight;
        tokens.iter().filter(|t| fits(t.kind)).map(|token| token.stem.text.as_str()).collect()
    };
    let mut words = of(true);
    if words.is_empty() {
        words = of(false);
    }
    words.sort_unstable();
    words.dedup();
    hash(b'w', words.iter().flat_map(|word| word.chars().chain(Some(' '))))
}

/// What examples show, and their words as one number each.
fn shown(chunk: &[(&str, &str)], reader: &Reader<'_>) -> (Vec<u64>, Rows<u64>) {
    let mut words = Vec::with_capacity(chunk.len());
    let rows = Rows::from_rows(chunk.iter().map(|(_, text)| {
        let clauses = reader.clauses(text);
        let tokens: Vec<Token> = clauses.into_iter().flat_map(|clause| clause.tokens).collect();
        words.push(words_key(&tokens));
        features(&tokens)
    }));
    (words, rows)
}

fn count_words(spelling: &Spelling, chunks: &[&[(&str, &str)]]) -> Counts {
    let counts = in_threads(chunks, |chunks| {
        let mut counts = Counts::default();
        for (_, text) in chunks.iter().copied().flatten() {
            for word in Spelling::typed_words(&Spelling::lower(text)) {
                add(&mut counts, &word, 1);
            }
        }
        vec![counts]
    });
    let mut all = Counts::default();
    for (word, uses) in counts.iter().flatten() {
        add(&mut all, word, *uses);
    }
    for word in spelling.known_words() {
        add(&mut all, word, TABLE_USES);
    }
    all
}

fn add(counts: &mut Counts, word: &str, uses: u32) {
    match counts.get_mut(word) {
        Some(count) => *count += uses,
        None => {
            counts.insert(word.to_owned(), uses);
        }
    }
}

/// The same for all items, in their order, shared out among as many threads as the machine has.
fn in_threads<T: Sync, R: Send>(items: &[T], make: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        let make = &make;
        let running: Vec<_> = items
            .chunks(items.len().div_ceil(threads).max(1))
            .map(|share| scope.spawn(move || make(share)))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(results) => results,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}
