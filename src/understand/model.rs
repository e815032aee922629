//! Nearness of a text to the examples of each label.
//!
//! Words and pieces of words weigh by their rarity; a label is as near as its three nearest
//! examples, the nearest counting most. Words no example has count against every label: that is how a text
//! about something else stays far from all of them. No thresholds here, and nothing random.

use std::collections::{BTreeMap, HashMap};

use super::spelling::Spelling;

/// How much of the nearness comes from whole words; the rest comes from pieces of words, which
/// bear typing errors and endings the stemmer does not know.
const WORD_SHARE: f32 = 0.65;
/// A pair of neighbouring words counts this much of what a word counts.
const PAIR_WEIGHT: f32 = 0.5;
/// A word that names what the question is about counts this much more than its rarity says: it is
/// what tells "ktp hilang" from "kk hilang".
const TOPIC_WEIGHT: f32 = 1.6;
/// How much a word corrected or cut out of a run-together one counts.
const REPAIRED_WEIGHT: f32 = 0.85;
/// Texts with more words than this are also read in parts: a question in a long story.
const LONG_TEXT: usize = 9;
/// Length of such a part, in words, and the step from one part to the next.
const WINDOW: usize = 6;
const WINDOW_STEP: usize = 2;
/// A part of a text convinces less than the whole of it.
const WINDOW_WEIGHT: f32 = 0.88;
/// Longest run-together word that is taken apart.
const MAX_GLUED_CHARS: usize = 40;

/// A label and how near the text is to it, from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranked<'a> {
    pub(super) label: &'a str,
    pub(super) score: f32,
}

#[derive(Default)]
struct Features {
    ids: HashMap<String, u32>,
    /// Weight by rarity, by id.
    weights: Vec<f32>,
    /// Weight of what no example has.
    unseen: f32,
}

/// A vector of length one over the features that are known, and less than one when others are in
/// the text too.
type Vector = Vec<(u32, f32)>;

struct Example {
    label: usize,
    words: Vector,
    pieces: Vector,
}

pub(super) struct Model {
    labels: Vec<String>,
    examples: Vec<Example>,
    words: Features,
    pieces: Features,
    word_postings: Vec<Vec<(usize, f32)>>,
    piece_postings: Vec<Vec<(usize, f32)>>,
    /// Stems that examples use or the spelling table knows, for repairing others; with the number
    /// of examples that use them.
    vocabulary: BTreeMap<String, usize>,
}

impl Model {
    pub(super) fn train<'a>(
        spelling: &Spelling,
        examples: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut labels: Vec<String> = Vec::new();
        let mut texts: Vec<(usize, Vec<String>)> = Vec::new();
        let mut vocabulary: BTreeMap<String, usize> =
            spelling.known_stems().map(|stem| (stem, 0)).collect();
        for (label, text) in examples {
            let stems = spelling.stems(text);
            if stems.is_empty() {
                continue;
            }
            let index = labels.iter().position(|l| l == label).unwrap_or_else(|| {
                labels.push(label.to_owned());
                labels.len() - 1
            });
            for stem in &stems {
                *vocabulary.entry(stem.clone()).or_default() += 1;
            }
            texts.push((index, stems));
        }
        let weigh = |stems: &[String]| {
            stems.iter().map(|s| (s.clone(), topic_weight(spelling, s))).collect::<Vec<_>>()
        };
        let words = Features::learn(texts.iter().map(|(_, stems)| word_features(&weigh(stems))));
        let pieces = Features::learn(texts.iter().map(|(_, stems)| piece_features(&weigh(stems))));
        let examples: Vec<Example> = texts
            .iter()
            .map(|(label, stems)| Example {
                label: *label,
                words: words.vector(word_features(&weigh(stems))),
                pieces: pieces.vector(piece_features(&weigh(stems))),
            })
            .collect();
        let word_postings = postings(examples.iter().map(|e| &e.words), words.weights.len());
        let piece_postings = postings(examples.iter().map(|e| &e.pieces), pieces.weights.len());
        Self { labels, examples, words, pieces, word_postings, piece_postings, vocabulary }
    }

    /// All labels, the nearest first; empty for a text without words.
    pub(super) fn rank(&self, spelling: &Spelling, stems: &[String]) -> Vec<Ranked<'_>> {
        let repaired: Vec<(String, f32)> = stems
            .iter()
            .flat_map(|stem| self.repair(stem))
            .map(|(stem, weight)| {
                let weight = weight * topic_weight(spelling, &stem);
                (stem, weight)
            })
            .collect();
        if repaired.is_empty() {
            return Vec::new();
        }
        let mut scores = self.scores(&repaired);
        if repaired.len() > LONG_TEXT {
            let mut start = 0;
            while let Some(part) = repaired.get(start..(start + WINDOW).min(repaired.len())) {
                if part.len() < WINDOW / 2 {
                    break;
                }
                for (score, of_part) in scores.iter_mut().zip(self.scores(part)) {
                    *score = score.max(of_part * WINDOW_WEIGHT);
                }
                start += WINDOW_STEP;
            }
        }
        let mut ranked: Vec<Ranked<'_>> =
            self.labels.iter().zip(scores).map(|(label, score)| Ranked { label, score }).collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.label.cmp(b.label)));
        ranked
    }

    fn scores(&self, stems: &[(String, f32)]) -> Vec<f32> {
        let mut near = vec![0.0_f32; self.examples.len()];
        for (id, weight) in self.words.vector(word_features(stems)) {
            spread(&self.word_postings, id, weight * WORD_SHARE, &mut near);
        }
        for (id, weight) in self.pieces.vector(piece_features(stems)) {
            spread(&self.piece_postings, id, weight * (1.0 - WORD_SHARE), &mut near);
        }
        let mut best = vec![[0.0_f32; 3]; self.labels.len()];
        for (example, near) in self.examples.iter().zip(near) {
            if let Some(top) = best.get_mut(example.label) {
                insert_sorted(top, near);
            }
        }
        best.iter().map(|[first, second, third]| 0.5 * first + 0.3 * second + 0.2 * third).collect()
    }

    /// A word as it is when an example uses it; otherwise the words it was probably meant to be.
    fn repair(&self, stem: &str) -> Vec<(String, f32)> {
        if self.vocabulary.contains_key(stem) {
            return vec![(stem.to_owned(), 1.0)];
        }
        let length = stem.chars().count();
        if (6..=MAX_GLUED_CHARS).contains(&length)
            && let Some(parts) = self.take_apart(stem)
        {
            return parts.into_iter().map(|part| (part, REPAIRED_WEIGHT)).collect();
        }
        if length >= 6
            && let Some(meant) = self.nearest_word(stem, if length >= 9 { 2 } else { 1 })
        {
            return vec![(meant.to_owned(), REPAIRED_WEIGHT)];
        }
        vec![(stem.to_owned(), 1.0)]
    }

    fn nearest_word(&self, stem: &str, most_edits: usize) -> Option<&str> {
        let length = stem.chars().count();
        self.vocabulary
            .iter()
            .filter(|(word, _)| {
                let other = word.chars().count();
                other >= 4 && other.abs_diff(length) <= most_edits
            })
            .map(|(word, uses)| (strsim::osa_distance(stem, word), usize::MAX - uses, word))
            .filter(|(edits, _, _)| *edits <= most_edits)
            .min()
            .map(|(_, _, word)| word.as_str())
    }

    /// Takes "ktphilang" apart, into as few known words as possible.
    fn take_apart(&self, stem: &str) -> Option<Vec<String>> {
        let chars: Vec<char> = stem.chars().collect();
        let mut best: Vec<Option<Vec<String>>> = vec![None; chars.len() + 1];
        if let Some(first) = best.first_mut() {
            *first = Some(Vec::new());
        }
        for end in 2..=chars.len() {
            for start in 0..=end.saturating_sub(2) {
                let Some(Some(before)) = best.get(start) else { continue };
                let Some(piece) = chars.get(start..end) else { continue };
                let piece: String = piece.iter().collect();
                // Two letters are a word only when they are a topic of their own.
                let is_word = (piece.len() >= 3 || piece == "kk" || piece == "di")
                    && self.vocabulary.contains_key(&piece);
                if !is_word {
                    continue;
                }
                let mut parts = before.clone();
                parts.push(piece);
                if let Some(slot) = best.get_mut(end)
                    && slot.as_ref().is_none_or(|old| old.len() > parts.len())
                {
                    *slot = Some(parts);
                }
            }
        }
        best.pop().flatten().filter(|parts| parts.len() >= 2)
    }
}

impl Features {
    fn learn(texts: impl Iterator<Item = BTreeMap<String, f32>>) -> Self {
        let mut features = Self::default();
        let mut counts: Vec<f32> = Vec::new();
        let mut total = 0.0_f32;
        for text in texts {
            total += 1.0;
            for name in text.into_keys() {
                let next = u32::try_from(counts.len()).unwrap_or(u32::MAX);
                let id = *features.ids.entry(name).or_insert(next);
                if id == next {
                    counts.push(0.0);
                }
                if let Some(count) = counts.get_mut(id as usize) {
                    *count += 1.0;
                }
            }
        }
        let rarity = |count: f32| ((total + 1.0) / (count + 0.5)).ln();
        features.weights = counts.iter().map(|count| rarity(*count)).collect();
        features.unseen = rarity(1.0);
        features
    }

    fn vector(&self, features: BTreeMap<String, f32>) -> Vector {
        let mut vector = Vec::with_capacity(features.len());
        let mut square = 0.0_f32;
        for (name, weight) in features {
            let id = self.ids.get(&name).copied();
            let rarity =
                id.and_then(|id| self.weights.get(id as usize)).copied().unwrap_or(self.unseen);
            // An unseen pair or piece of two known words is normal; an unseen word is a stranger.
            let unseen_share = if id.is_some() || !is_secondary(&name) { 1.0 } else { 0.35 };
            let value = weight * rarity * unseen_share;
            square += value * value;
            if let Some(id) = id {
                vector.push((id, value));
            }
        }
        let length = square.sqrt().max(f32::MIN_POSITIVE);
        for (_, value) in &mut vector {
            *value /= length;
        }
        vector
    }
}

fn topic_weight(spelling: &Spelling, stem: &str) -> f32 {
    if spelling.is_topic(stem) { TOPIC_WEIGHT } else { 1.0 }
}

fn is_secondary(name: &str) -> bool {
    name.contains(' ')
}

fn word_features(stems: &[(String, f32)]) -> BTreeMap<String, f32> {
    let mut features: BTreeMap<String, f32> = BTreeMap::new();
    for (stem, weight) in stems {
        let entry = features.entry(stem.clone()).or_default();
        *entry = entry.max(*weight);
    }
    for ((a, wa), (b, wb)) in stems.iter().zip(stems.iter().skip(1)) {
        // Order is free in chat: "hilang ktp" and "ktp hilang" are one pair.
        let pair = if a <= b { format!("{a} {b}") } else { format!("{b} {a}") };
        let entry = features.entry(pair).or_default();
        *entry = entry.max(PAIR_WEIGHT * wa.min(*wb));
    }
    features
}

fn piece_features(stems: &[(String, f32)]) -> BTreeMap<String, f32> {
    let mut features: BTreeMap<String, f32> = BTreeMap::new();
    for (stem, weight) in stems {
        let chars: Vec<char> = std::iter::once('^').chain(stem.chars()).chain(Some('$')).collect();
        for size in [3, 4] {
            for piece in chars.windows(size) {
                let entry = features.entry(piece.iter().collect()).or_default();
                *entry = entry.max(*weight);
            }
        }
    }
    features
}

fn postings<'a>(
    vectors: impl Iterator<Item = &'a Vector>,
    features: usize,
) -> Vec<Vec<(usize, f32)>> {
    let mut postings = vec![Vec::new(); features];
    for (example, vector) in vectors.enumerate() {
        for (id, value) in vector {
            if let Some(list) = postings.get_mut(*id as usize) {
                list.push((example, *value));
            }
        }
    }
    postings
}

fn spread(postings: &[Vec<(usize, f32)>], id: u32, weight: f32, near: &mut [f32]) {
    for (example, value) in postings.get(id as usize).into_iter().flatten() {
        if let Some(sum) = near.get_mut(*example) {
            *sum += weight * value;
        }
    }
}

fn insert_sorted(top: &mut [f32; 3], value: f32) {
    let [first, second, third] = top;
    if value > *first {
        (*third, *second, *first) = (*second, *first, value);
    } else if value > *second {
        (*third, *second) = (*second, value);
    } else if value > *third {
        *third = value;
    }
}
