//! Mends words that nobody wrote in the examples: typing errors, missing spaces, missing vowels.
//!
//! Knows how often each word occurs and nothing of what it means. A word it cannot place stays as
//! it is; a text costs it the same whether the words are near to known ones or not.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::feature::{Ready, hash, to_f32};

/// Fewest uses of a word that others are corrected to.
const FEWEST_USES: u32 = 2;
/// A word used this many times less than one a slip away is that one, mistyped.
const SLIP_IS_RARER: u32 = 40;
/// Shorter words are too near to each other to be corrected, longer ones are no words.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=40;
/// From this length on, two slips are borne.
const LONG_WORD: usize = 7;
/// Shortest word that is taken apart.
const SHORTEST_GLUED: usize = 6;
/// Longest piece of a glued word.
const LONGEST_PIECE: usize = 16;
/// Pieces of two and of three letters must be really common, or everything can be taken apart.
const USES_OF_TWO_LETTERS: u32 = 60;
const USES_OF_THREE_LETTERS: u32 = 8;
/// Log share of a word, on average over the pieces, below which they stand together by chance.
const CHANCE: f32 = -9.5;

/// How often each word is used.
pub(crate) type Counts = HashMap<String, u32, BuildHasherDefault<Ready>>;

struct Word {
    text: String,
    uses: u32,
    /// Logarithm of its share of all words.
    share: f32,
}

/// The words that are known, ready for finding near ones.
pub(crate) struct Speller {
    words: Vec<Word>,
    by_text: HashMap<String, u32, BuildHasherDefault<Ready>>,
    /// Hashes of each word and of what is left without one of its letters, in order: fewer pieces than a map of lists.
    rests: Vec<(u64, u32)>,
    /// By consonants; the most used word of each.
    by_skeleton: HashMap<String, u32, BuildHasherDefault<Ready>>,
}

impl Speller {
    /// Knows these words, each used so often.
    pub(crate) fn learn(counts: Counts) -> Self {
        let mut counted: Vec<(String, u32)> = counts
            .into_iter()
            .filter(|(word, uses)| {
                *uses >= FEWEST_USES
                    && word.chars().nth(1).is_some()
                    && word.chars().all(char::is_alphabetic)
            })
            .collect();
        counted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let total = to_f32(counted.iter().map(|(_, uses)| *uses as usize).sum());
        let mut speller = Self {
            words: Vec::with_capacity(counted.len()),
            by_text: HashMap::default(),
            rests: Vec::new(),
            by_skeleton: HashMap::default(),
        };
        for ((text, uses), id) in counted.into_iter().zip(0_u32..) {
            if text.chars().count() >= *LENGTHS.start() {
                speller.rests.extend(rests(&text).into_iter().map(|rest| (rest, id)));
                let skeleton = skeleton(&text);
                if skeleton.chars().nth(2).is_some() {
                    speller.by_skeleton.entry(skeleton).or_insert(id);
                }
            }
            speller.by_text.insert(text.clone(), id);
            speller.words.push(Word { text, uses, share: (to_f32(uses as usize) / total).ln() });
        }
        speller.rests.sort_unstable();
        speller.rests.shrink_to_fit();
        speller
    }

    /// Whether the word is known as it stands.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.by_text.contains_key(word)
    }

    /// How often a known word is used.
    pub(crate) fn uses(&self, word: &str) -> Option<u32> {
        let id = self.by_text.get(word)?;
        Some(self.words.get(*id as usize)?.uses)
    }

    /// What an unknown word was probably meant to be; nothing when there is no good guess.
    pub(crate) fn mend(&self, word: &str) -> Option<Vec<String>> {
        let length = word.chars().count();
        if !LENGTHS.contains(&length) || !word.chars().all(char::is_alphabetic) {
            return None;
        }
        // What is used often cannot be a slip of anything; that is most words, and looking is dear.
        let most_uses = self.words.first().map_or(0, |word| word.uses);
        if self.uses(word).is_some_and(|uses| uses * SLIP_IS_RARER > most_uses) {
            return None;
        }
        let near = self.nearest(word, length);
        let one = |word: &Word| Some(vec![word.text.clone()]);
        if let Some(uses) = self.uses(word) {
            // The same slip happens to several: a rare word one slip away from a frequent one is that one.
            let (meant, slips) = near?;
            let is_slip =
                slips == 1 && length > *LENGTHS.start() && uses * SLIP_IS_RARER <= meant.uses;
            return if is_slip { one(meant) } else { None };
        }
        if let Some((meant, 1)) = near {
            return one(meant);
        }
        if length >= SHORTEST_GLUED
            && let Some(parts) = self.take_apart(word)
        {
            return Some(parts);
        }
        if let Some((meant, _)) = near {
            return one(meant);
        }
        let vowels = word.chars().filter(|c| is_vowel(*c)).count();
        if vowels * 4 > length {
            return None;
        }
        let meant = self.by_skeleton.get(&skeleton(word))?;
        one(self.words.get(*meant as usize)?)
    }

    /// The nearest known word and how many slips away it is.
    fn nearest(&self, word: &str, length: usize) -> Option<(&Word, usize)> {
        let most = if length >= LONG_WORD { 2 } else { 1 };
        let first = word.chars().next();
        let mut best: Option<(usize, u32)> = None;
        for id in rests(word).into_iter().flat_map(|rest| self.with_rest(rest)) {
            let Some(known) = self.words.get(id as usize) else { continue };
            if known.text == word {
                continue;
            }
            let slips = strsim::osa_distance(word, &known.text);
            // The first letter is seldom the wrong one.
            let cost = slips * 2 + usize::from(known.text.chars().next() != first);
            if slips <= most && best.is_none_or(|best| (cost, id) < best) {
                best = Some((cost, id));
            }
        }
        let (cost, id) = best?;
        Some((self.words.get(id as usize)?, cost / 2))
    }

    /// The words of which this is left.
    fn with_rest(&self, rest: u64) -> impl Iterator<Item = u32> {
        let from = self.rests.partition_point(|(other, _)| *other < rest);
        let found = self.rests.get(from..).unwrap_or_default();
        found.iter().take_while(move |(other, _)| *other == rest).map(|(_, id)| *id)
    }

    /// Takes "ktpsayahilang" apart, into the words that most probably stand side by side.
    fn take_apart(&self, word: &str) -> Option<Vec<String>> {
        let chars: Vec<char> = word.chars().collect();
        // For each end: the best way there, and where its last piece starts.
        let mut best: Vec<Option<(f32, usize)>> = vec![None; chars.len() + 1];
        *best.first_mut()? = Some((0.0, 0));
        for end in 2..=chars.len() {
            for start in end.saturating_sub(LONGEST_PIECE)..=end - 2 {
                let Some(Some((before, _))) = best.get(start) else { continue };
                let piece: String = chars.get(start..end)?.iter().collect();
                let Some(known) =
                    self.by_text.get(&piece).and_then(|id| self.words.get(*id as usize))
                else {
                    continue;
                };
                let fewest = match end - start {
                    2 => USES_OF_TWO_LETTERS,
                    3 => USES_OF_THREE_LETTERS,
                    _ => FEWEST_USES,
                };
                let share = before + known.share;
                if let Some(slot) = best.get_mut(end)
                    && known.uses >= fewest
                    && slot.is_none_or(|(other, _)| share > other)
                {
                    *slot = Some((share, start));
                }
            }
        }
        let (share, _) = (*best.last()?)?;
        let mut parts: Vec<String> = Vec::new();
        let mut end = chars.len();
        while end > 0 {
            let (_, start) = (*best.get(end)?)?;
            parts.push(chars.get(start..end)?.iter().collect());
            end = start;
        }
        parts.reverse();
        (parts.len() >= 2 && share / to_f32(parts.len()) > CHANCE).then_some(parts)
    }
}

const fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// The first letter and the consonants, doubled ones once: what is left of a word in an SMS.
fn skeleton(word: &str) -> String {
    let mut skeleton = String::with_capacity(word.len());
    for (index, c) in word.chars().enumerate() {
        if (index == 0 || !is_vowel(c)) && !skeleton.ends_with(c) {
            skeleton.push(c);
        }
    }
    skeleton
}

/// Hashes of the word and of all that is left when one letter is taken out. Words with one slip, and many with two,
/// share one of these with the right word, so that near words are found without looking at all of them.
fn rests(word: &str) -> Vec<u64> {
    let length = word.chars().count();
    let without = |skipped: usize| {
        word.chars().enumerate().filter(move |(index, _)| *index != skipped).map(|(_, c)| c)
    };
    let mut rests: Vec<u64> = (0..=length).map(|skipped| hash(b'r', without(skipped))).collect();
    rests.sort_unstable();
    rests.dedup();
    rests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(word: &str) -> Option<String> {
        let counts = [
            ("ktp", 100),
            ("saya", 90),
            ("hilang", 50),
            ("syarat", 40),
            ("lahir", 30),
            ("kelahiran", 20),
            ("di", 80),
            ("mau", 60),
            ("urus", 30),
            ("keluarga", 30),
        ];
        let speller = Speller::learn(
            counts.into_iter().map(|(word, uses)| (word.to_owned(), uses)).collect(),
        );
        speller.mend(word).map(|parts| parts.join(" "))
    }

    #[test]
    fn one_slip_is_mended_in_any_word_and_two_in_a_long_one() {
        for (typed, meant) in [
            ("hilnag", "hilang"),
            ("hilag", "hilang"),
            ("syaart", "syarat"),
            ("kelahirn", "kelahiran"),
            ("kluargaa", "keluarga"),
        ] {
            assert_eq!(mended(typed).as_deref(), Some(meant), "{typed}");
        }
        assert_eq!(mended("lhr"), None, "too short to tell");
    }

    #[test]
    fn words_run_together_are_taken_apart() {
        for (typed, meant) in [
            ("ktphilang", "ktp hilang"),
            ("ktpsayahilang", "ktp saya hilang"),
            ("mauurusktp", "mau urus ktp"),
        ] {
            assert_eq!(mended(typed).as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn a_word_without_its_vowels_is_recognised_by_its_consonants() {
        assert_eq!(mended("syrt").as_deref(), Some("syarat"));
        assert_eq!(mended("klrg").as_deref(), Some("keluarga"));
    }

    #[test]
    fn what_is_known_or_like_nothing_stays() {
        for word in ["hilang", "rendang", "xyzzyxyzzy", "a", "123456", "🙏🙏🙏🙏"] {
            assert_eq!(mended(word), None, "{word}");
        }
    }
}
