//! From words to numbers: what a text shows to the classifier.
//!
//! A word, a pair of words, and every piece of a word are features; each has a weight, rarer ones a
//! higher. Nothing here knows a label, and nothing is random.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::spelling::{Kind, Stem, Token};

/// How much a piece of a word counts beside the word itself: it bears endings, typing errors and
/// words that no example has.
const PIECE: f32 = 0.35;
/// How much a filler counts beside a word of weight.
const FILLER: f32 = 0.4;
/// How much two neighbouring words count.
const PAIR: f32 = 0.7;
/// How much a topic counts together with another word further away.
const DISTANT_PAIR: f32 = 0.4;
/// How far away, in words.
const REACH: usize = 7;
/// Shortest and longest pieces, in characters; the ends of a word count as one each.
const PIECES: std::ops::RangeInclusive<usize> = 3..=4;
/// A feature that only one example has says more about its writer than about its label.
const FEWEST: u32 = 2;
/// Rarity is softened by this power.
const RARITY: f32 = 0.5;

/// A text as the classifier sees it: ids in order, and weights; of length one.
pub(crate) type Vector = Vec<(u32, f32)>;

/// A feature before it has an id.
pub(crate) type Raw = (u64, f32);

/// Keys are hashes already.
#[derive(Default)]
pub(crate) struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// A map whose keys are spread already.
pub(crate) type HashedMap<V> = HashMap<u64, V, BuildHasherDefault<Ready>>;

const START: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a over characters, then mixed: the same on every machine and in every version, because the order of
/// features depends on it.
pub(crate) fn hash(kind: u8, chars: impl Iterator<Item = char>) -> u64 {
    let mut hash = (START ^ u64::from(kind)).wrapping_mul(PRIME);
    for c in chars {
        hash = (hash ^ u64::from(u32::from(c))).wrapping_mul(PRIME);
    }
    hash ^ (hash >> 29)
}

fn pair(a: &str, b: &str) -> u64 {
    // Order is free in chat: "hilang ktp" and "ktp hilang" are one pair.
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    hash(b'2', a.chars().chain(Some(' ')).chain(b.chars()))
}

/// The features that a word has by itself.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) word: u64,
    pieces: Vec<u64>,
}

impl Keys {
    pub(crate) fn of(stem: &str) -> Self {
        let chars: Vec<char> = Some('^').into_iter().chain(stem.chars()).chain(Some('$')).collect();
        let pieces = PIECES.flat_map(|size| chars.windows(size));
        Self {
            word: hash(b'1', stem.chars()),
            pieces: pieces.map(|piece| hash(b'p', piece.iter().copied())).collect(),
        }
    }
}

/// The features of a text, each once, in the order of their keys.
pub(crate) fn features(tokens: &[Token]) -> Vec<Raw> {
    let mut found: Vec<Raw> = Vec::with_capacity(tokens.len() * 20);
    for token in tokens {
        let share = match token.kind {
            Kind::Filler => FILLER,
            Kind::Weighty | Kind::AsTyped | Kind::Mended => 1.0,
            Kind::Name => continue,
        };
        if token.kind != Kind::AsTyped {
            found.push((token.stem.keys.word, share));
        }
        // A filler is known by itself; its pieces would only be work.
        if token.kind == Kind::Filler {
            continue;
        }
        let share = if token.kind.has_weight() { PIECE } else { PIECE * FILLER };
        found.extend(token.stem.keys.pieces.iter().map(|piece| (*piece, share)));
    }
    let weighty: Vec<&Stem> =
        tokens.iter().filter(|t| t.kind.has_weight()).map(|t| &*t.stem).collect();
    for (i, a) in weighty.iter().enumerate() {
        for (distance, b) in weighty.iter().skip(i + 1).take(REACH).enumerate() {
            if distance == 0 {
                found.push((pair(&a.text, &b.text), PAIR));
            } else if a.is_topic || b.is_topic {
                found.push((pair(&a.text, &b.text), DISTANT_PAIR));
            }
        }
    }
    // The heaviest of each key stays.
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    found.dedup_by_key(|feature| feature.0);
    found
}

/// Many texts as features or vectors, in one piece of memory: thousands of small ones would leave it full of holes.
pub(crate) struct Rows<K> {
    all: Vec<(K, f32)>,
    ends: Vec<usize>,
}

impl<K: Copy> Rows<K> {
    pub(crate) fn from_rows<R: AsRef<[(K, f32)]>>(rows: impl IntoIterator<Item = R>) -> Self {
        let mut made = Self { all: Vec::new(), ends: Vec::new() };
        for row in rows {
            made.all.extend_from_slice(row.as_ref());
            made.ends.push(made.all.len());
        }
        made
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[(K, f32)]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.all.get(start..*end).unwrap_or_default())
    }

    fn len(&self) -> usize {
        self.ends.len()
    }
}

/// The features that are known, and how rare each is.
#[derive(Default)]
pub(crate) struct Dictionary {
    ids: HashedMap<u32>,
    rarity: Vec<f32>,
}

impl Dictionary {
    /// Knows what at least two of these texts have.
    pub(crate) fn learn(texts: &[Rows<u64>]) -> Self {
        let mut counts: HashedMap<u32> = HashedMap::default();
        for (key, _) in texts.iter().flat_map(|rows| &rows.all) {
            *counts.entry(*key).or_default() += 1;
        }
        let mut known: Vec<(u64, u32)> =
            counts.into_iter().filter(|(_, count)| *count >= FEWEST).collect();
        // What is frequent stands together: training and reading go there most of the time.
        known.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let total = to_f32(texts.iter().map(Rows::len).sum());
        let rarity =
            |count: u32| ((total + 1.0) / (to_f32(count as usize) + 0.5)).ln().powf(RARITY);
        Self {
            rarity: known.iter().map(|(_, count)| rarity(*count)).collect(),
            ids: known.iter().zip(0_u32..).map(|((key, _), id)| (*key, id)).collect(),
        }
    }

    /// How many features are known.
    pub(crate) fn len(&self) -> usize {
        self.rarity.len()
    }

    /// Whether examples have this feature.
    pub(crate) fn knows(&self, key: u64) -> bool {
        self.ids.contains_key(&key)
    }

    /// What is known of each of these texts.
    pub(crate) fn vectors(&self, texts: &Rows<u64>) -> Rows<u32> {
        Rows::from_rows(texts.iter().map(|features| self.vector(features)))
    }

    /// What is known of a text; empty when nothing is.
    pub(crate) fn vector(&self, features: &[Raw]) -> Vector {
        let mut vector: Vector = Vec::with_capacity(features.len());
        let mut square = 0.0_f32;
        for (key, weight) in features {
            if let Some(id) = self.ids.get(key) {
                let value = weight * self.rarity.get(*id as usize).copied().unwrap_or_default();
                square += value * value;
                vector.push((*id, value));
            }
        }
        let length = square.sqrt().max(f32::MIN_POSITIVE);
        for (_, value) in &mut vector {
            *value /= length;
        }
        vector.sort_unstable_by_key(|(id, _)| *id);
        vector
    }
}

/// Counts of texts and words are far below where an `f32` loses whole numbers.
#[allow(clippy::cast_precision_loss)]
pub(crate) const fn to_f32(count: usize) -> f32 {
    count as f32
}

/// How alike two texts are, from 0 to 1.
pub(crate) fn likeness(a: &[(u32, f32)], b: &[(u32, f32)]) -> f32 {
    let mut sum = 0.0;
    let mut rest = b.iter().peekable();
    for (id, value) in a {
        while rest.next_if(|(other, _)| other < id).is_some() {}
        if let Some((_, other)) = rest.next_if(|(other, _)| other == id) {
            sum += value * other;
        }
    }
    sum
}
