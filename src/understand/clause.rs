//! Where a long message can be cut: a question often stands in the middle of a story.
//!
//! Sentences, and within an endless one overlapping windows; both halves of what an "and" joins. It
//! never decides which part is the question, only which ones sound like one.

use super::spelling::Token;

/// Fewest words of weight in a part that can mean something by itself.
const FEWEST_WEIGHTY: usize = 2;
/// Length of a window in an endless sentence, in words, and the step to the next.
const WINDOW: usize = 9;
const WINDOW_STEP: usize = 3;
/// A sentence a little longer than a window is no endless one.
const WINDOW_SLACK: usize = 3;
/// Most words looked at on each side of a place between two questions.
const SIDE: usize = 14;
/// Most such places in one message; the last ones count, for stories ask at their end.
const MOST_CUTS: usize = 16;
/// Words with which a question of a chat ends.
const ENDING: &[&str] = &[
    "aja",
    "apa",
    "bagaimana",
    "belum",
    "berapa",
    "bisa",
    "boleh",
    "dong",
    "kah",
    "kak",
    "kan",
    "lagi",
    "mana",
    "min",
    "opo",
    "ora",
    "piye",
    "saja",
    "sih",
    "tidak",
    "ya",
];
/// Words that make a sentence a question or a request.
const ASKING: &[&str] = &[
    "apa",
    "apakah",
    "bagaimana",
    "berapa",
    "kapan",
    "dimana",
    "kenapa",
    "siapa",
    "syarat",
    "bisa",
    "boleh",
    "cara",
    "mohon",
    "tolong",
    "tanya",
];
/// Words that join one question to another.
const JOINING: &[&str] = &[
    "dan",
    "sama",
    "terus",
    "lalu",
    "plus",
    "serta",
    "sekalian",
    "trus",
    "n",
    "ato",
    "atau",
    "sekaligus",
    "oiya",
    "oh",
];

/// A sentence of a message.
pub(crate) struct Clause {
    pub(crate) tokens: Vec<Token>,
    /// A question mark stands behind it.
    pub(crate) is_marked: bool,
}

/// A part of a message.
pub(crate) struct Part<'a> {
    pub(crate) tokens: &'a [Token],
    /// It sounds like a question.
    pub(crate) is_question: bool,
}

/// A place at which one question may end and another begin.
pub(crate) struct Cut<'a> {
    /// What stands right before it,
    pub(crate) left: &'a [Token],
    /// and right behind it.
    pub(crate) right: &'a [Token],
    /// What parts the two.
    pub(crate) mark: Mark,
    /// The right side begins with a word that joins.
    pub(crate) is_joined: bool,
}

/// How a side of such a place sounds.
#[derive(Clone, Copy)]
pub(crate) struct Sound {
    /// A word that asks stands in it.
    pub(crate) is_asked: bool,
    /// It ends as questions of a chat do.
    pub(crate) is_ended: bool,
}

impl Sound {
    /// How these words sound.
    pub(crate) fn of(tokens: &[Token]) -> Self {
        let is_ending = |token: &Token| ENDING.contains(&token.stem.text.as_str());
        Self { is_asked: is_asking(tokens), is_ended: tokens.last().is_some_and(is_ending) }
    }

    /// It sounds like a question one way or the other.
    pub(crate) const fn is_question(self) -> bool {
        self.is_asked || self.is_ended
    }
}

/// What stands between two parts of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A question mark.
    Question,
    /// Another sign.
    Sign,
    /// A joining word and no sign.
    Word,
    /// Nothing.
    None,
}

/// Cuts a text into sentences, each with the mark behind it. A point within "1.02" or "08.00" ends nothing.
pub(crate) fn sentences(text: &str) -> Vec<(&str, bool)> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        let is_inner =
            matches!(c, '.' | ',') && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if matches!(c, '.' | ',' | ';' | '?' | '!' | '&' | '\n') && !is_inner {
            sentences.push((text.get(start..index).unwrap_or_default(), c == '?'));
            start = index + c.len_utf8();
        }
    }
    sentences.push((text.get(start..).unwrap_or_default(), false));
    sentences.retain(|(sentence, _)| !sentence.trim().is_empty());
    sentences
}

/// The parts of a message that may hold a question of their own; none but the whole when it is one short sentence.
pub(crate) fn parts(clauses: &[Clause]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for Clause { tokens, is_marked } in clauses {
        for half in halves(tokens) {
            let is_last = half.as_ptr_range().end == tokens.as_ptr_range().end;
            let is_marked = *is_marked && is_last;
            if half.len() <= WINDOW + WINDOW_SLACK {
                push(&mut parts, half, is_marked);
                continue;
            }
            let mut start = 0;
            loop {
                let end = (start + WINDOW).min(half.len());
                push(
                    &mut parts,
                    half.get(start..end).unwrap_or_default(),
                    is_marked && end == half.len(),
                );
                if end == half.len() {
                    break;
                }
                start += WINDOW_STEP;
            }
        }
    }
    parts
}

fn push<'a>(parts: &mut Vec<Part<'a>>, tokens: &'a [Token], is_marked: bool) {
    if is_weighty(tokens) {
        parts.push(Part { tokens, is_question: is_marked || is_asking(tokens) });
    }
}

/// The places at which a second question may begin. `tokens` are those of all the clauses; of a long message
/// only the places count that a sign or a joining word marks.
pub(crate) fn cuts<'a>(clauses: &[Clause], tokens: &'a [Token], is_long: bool) -> Vec<Cut<'a>> {
    let mut ends = Vec::new();
    let mut end = 0;
    for clause in clauses {
        end += clause.tokens.len();
        ends.push((end, clause.is_marked));
    }
    let mut cuts = Vec::new();
    for at in (1..tokens.len()).rev() {
        let (before, after) = tokens.split_at(at);
        let Some(first) = after.first() else { continue };
        let is_joined = JOINING.contains(&first.stem.text.as_str());
        let mark = match ends.iter().rev().find(|(end, _)| *end == at) {
            Some((_, true)) => Mark::Question,
            Some((_, false)) => Mark::Sign,
            None if is_joined => Mark::Word,
            None => Mark::None,
        };
        let left = before.get(at.saturating_sub(SIDE)..).unwrap_or_default();
        let right = after.get(..SIDE.min(after.len())).unwrap_or_default();
        let is_possible = weighty(left) > 0 && weighty(right) > 0;
        if !is_possible || (is_long && mark == Mark::None) {
            continue;
        }
        cuts.push(Cut { left, right, mark, is_joined });
        if cuts.len() == MOST_CUTS {
            break;
        }
    }
    cuts
}

fn is_asking(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| ASKING.contains(&token.stem.text.as_str()))
}

/// How many words of weight there are.
pub(crate) fn weighty(tokens: &[Token]) -> usize {
    tokens.iter().filter(|token| token.kind.has_weight()).count()
}

fn is_weighty(tokens: &[Token]) -> bool {
    weighty(tokens) >= FEWEST_WEIGHTY
}

/// What joining words join, when each side can stand alone; otherwise the whole.
fn halves(tokens: &[Token]) -> Vec<&[Token]> {
    let mut halves = Vec::new();
    let mut rest = tokens;
    let mut from = 0;
    while let Some(at) = rest
        .iter()
        .enumerate()
        .skip(from)
        .find(|(_, token)| JOINING.contains(&token.stem.text.as_str()))
        .map(|(at, _)| at)
    {
        let (left, right) = rest.split_at(at);
        if is_weighty(left) && is_weighty(right) {
            halves.push(left);
            rest = right;
            from = 1;
        } else {
            from = at + 1;
        }
    }
    halves.push(rest);
    halves
}
