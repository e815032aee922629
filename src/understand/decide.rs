//! From the shares of the labels to one of three outcomes: answer, ask back, or not known.
//!
//! Two probabilities decide: that the likeliest label is right, and that the message is none of the office's
//! business. Both are calibrated: of all answers with 0.8, about eight in ten are right. Their figures were fitted by
//! logistic regression on the development set (`tests/understanding`), whose report shows whether they still hold.

use super::Meaning;
use super::label::{CLARIFY, CLARIFY_TOPIC, OUT_OF_SCOPE, is_aspect, is_offerable, is_outside};
use super::pair;
use super::reading::{Learned, Reading};

/// From this probability on a label is answered. A wrong requirement costs a day's trip, a question a minute.
const SURE: f32 = 0.93;
/// The same for what costs nobody anything: greetings, thanks, yes and no.
const SURE_OF_SMALL_TALK: f32 = 0.70;
/// From this probability on a message is held for none of our business, unless the label is sure.
const OUTSIDE: f32 = 0.20;
/// Share of one agency among all that is outside, from which that agency is named.
const ONE_AGENCY: f32 = 0.6;
/// The probability it takes to send somebody to an agency.
const SURE_OF_AGENCY: f32 = 0.8;
/// Share of its words of weight that must be known before anything but "not known" is said.
const KNOWN: f32 = 0.3;
/// Most labels offered when asking back.
const MAX_OFFERED: usize = 3;
/// A label this much less likely than the best is not offered beside it.
const WORTH_OFFERING: f32 = 0.04;
/// From this probability on two questions are both answered,
const BOTH: f32 = 0.25;
/// from this on the second is at least offered,
const PERHAPS_BOTH: f32 = 0.12;
/// and from this on where signs say that something is asked, and where it begins: a button too many costs nobody a trip.
const PERHAPS_BOTH_MARKED: f32 = 0.06;
/// Share of an aspect and a service together, from which both are answered.
const ASPECT_AND_SERVICE: f32 = 0.9;

/// All labels with their shares, the largest first.
pub(super) fn rank<'a>(learned: &'a Learned, shares: &[f32]) -> Vec<(&'a str, f32)> {
    let mut ranked: Vec<(&str, f32)> =
        shares.iter().enumerate().map(|(index, share)| (learned.label(index), *share)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    ranked
}

/// The logarithm of the odds of a share, kept finite.
pub(super) fn odds(share: f32) -> f32 {
    let share = share.clamp(1e-4, 1.0 - 1e-4);
    (share / (1.0 - share)).ln()
}

/// The probability with such odds.
pub(super) fn probability(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}

/// How probably the likeliest label is right.
fn is_right(reading: &Reading, best: f32, next: f32) -> f32 {
    if reading.is_example {
        return best;
    }
    // The shares of a long text are a mixture, and smaller than they would be.
    let of_long = if reading.is_long { 1.83 + 0.70 * odds(best) } else { 0.0 };
    probability(-0.22 + 0.46 * odds(best) + 2.62 * (best - next) + of_long)
}

/// How probably the message is none of the office's business.
fn is_elsewhere(reading: &Reading, outside: f32) -> f32 {
    let of_long = if reading.is_long { -0.27 + 1.90 * odds(outside) } else { 0.0 };
    let of_one_word = if reading.words <= 1 { 0.49 } else { 0.0 };
    probability(-0.02 + 1.08 * odds(outside) + (reading.known - 1.0) + of_long + of_one_word)
}

/// The outcome.
pub(super) fn decide(learned: &Learned, reading: &Reading) -> Meaning {
    let ranked = rank(learned, &reading.shares);
    let (Some((best, share)), next) = (ranked.first().copied(), ranked.get(1)) else {
        return unknown(1.0, &ranked);
    };
    let right = is_right(reading, share, next.map_or(0.0, |next| next.1));
    let outside: Vec<(&str, f32)> =
        ranked.iter().filter(|(label, _)| is_outside(label)).copied().collect();
    let all_outside = outside.iter().map(|(_, share)| share).sum();
    let elsewhere = is_elsewhere(reading, all_outside);
    let pair = pair::likeliest(learned, reading).filter(|pair| {
        let is_marked = pair.is_marked && reading.is_question;
        pair.confidence >= if is_marked { PERHAPS_BOTH_MARKED } else { PERHAPS_BOTH }
    });
    let both = pair.filter(|pair| pair.confidence >= BOTH && pair.beside(best).is_some());
    // Of a message in words nobody used the few known ones say nothing.
    if reading.known < KNOWN && reading.words > 0 && !reading.is_example {
        return unknown(elsewhere.max(1.0 - reading.known), &ranked);
    }
    let answer = |confidence: f32| Meaning {
        intent: both.map_or(best, |pair| pair.first).to_owned(),
        confidence,
        alternatives: others(&ranked, best),
        also: both.map(|pair| pair.second.to_owned()),
        perhaps: pair.filter(|_| both.is_none()).and_then(|pair| pair.beside(best)),
    };
    if is_outside(best) {
        let is_one = best != OUT_OF_SCOPE && share >= ONE_AGENCY * all_outside;
        if is_one && right >= SURE_OF_AGENCY {
            return answer(right);
        }
    } else if best == CLARIFY_TOPIC {
        if right >= SURE_OF_SMALL_TALK || elsewhere < OUTSIDE {
            let offered = learned.offers(reading).to_vec();
            let offered = if offered.len() < 2 { offers(&ranked) } else { offered };
            return ask_back(right, offered, &ranked);
        }
    } else {
        if !is_offerable(best)
            && let Some((asked, share)) = pair::behind_courtesy(learned, reading)
        {
            return Meaning { intent: asked.to_owned(), ..answer(share) };
        }
        let sure = if is_offerable(best) { SURE } else { SURE_OF_SMALL_TALK };
        // Two questions share what one alone would have.
        if right >= sure || (both.is_some() && elsewhere < OUTSIDE) {
            return answer(right);
        }
        if let Some(meaning) = aspect_of_service(&ranked) {
            return meaning;
        }
    }
    if elsewhere >= OUTSIDE {
        return unknown(elsewhere, &ranked);
    }
    ask_back(right, offers(&ranked), &ranked)
}

/// "How long does a lost card take?": the question of an aspect and the service it is about share the text, and
/// answering both is right whichever was meant.
fn aspect_of_service(ranked: &[(&str, f32)]) -> Option<Meaning> {
    let [(first, first_share), (next, next_share), ..] = *ranked else { return None };
    let (aspect, service) = match (is_aspect(first), is_aspect(next)) {
        (true, false) => (first, next),
        (false, true) => (next, first),
        _ => return None,
    };
    let both = first_share + next_share;
    (service.starts_with("req_") && both >= ASPECT_AND_SERVICE).then(|| Meaning {
        intent: aspect.to_owned(),
        confidence: both,
        alternatives: others(ranked, aspect),
        also: Some(service.to_owned()),
        perhaps: None,
    })
}

fn unknown(confidence: f32, ranked: &[(&str, f32)]) -> Meaning {
    Meaning {
        intent: OUT_OF_SCOPE.to_owned(),
        confidence,
        alternatives: others(ranked, ""),
        also: None,
        perhaps: None,
    }
}

/// Asking needs at least two things to choose from; with fewer the text is not understood.
fn ask_back(confidence: f32, offered: Vec<String>, ranked: &[(&str, f32)]) -> Meaning {
    if offered.len() < 2 {
        return unknown(1.0 - confidence, ranked);
    }
    Meaning {
        intent: CLARIFY.to_owned(),
        confidence,
        alternatives: offered,
        also: None,
        perhaps: None,
    }
}

/// What is worth offering: the likeliest labels that somebody may have meant.
fn offers(ranked: &[(&str, f32)]) -> Vec<String> {
    let best = ranked.first().map_or(0.0, |best| best.1);
    ranked
        .iter()
        .filter(|(label, _)| is_offerable(label))
        .enumerate()
        .take_while(|(index, (_, share))| *index < 2 || *share >= best * WORTH_OFFERING)
        .take(MAX_OFFERED)
        .map(|(_, (label, _))| (*label).to_owned())
        .collect()
}

/// The next nearest labels.
fn others(ranked: &[(&str, f32)], except: &str) -> Vec<String> {
    ranked
        .iter()
        .map(|(label, _)| *label)
        .filter(|label| *label != except && is_offerable(label))
        .take(MAX_OFFERED)
        .map(str::to_owned)
        .collect()
}
