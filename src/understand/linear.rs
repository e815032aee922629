//! The classifier: one row of weights a feature, one column a label, trained by gradient descent.
//!
//! Multinomial logistic regression. The same examples in the same order give the same weights; it knows
//! nothing of words, and its shares are no confidence yet.

use super::feature::to_f32;

/// Times each example is looked at.
const ROUNDS: usize = 4;
/// Rounds at the end of which the mean is taken.
const MEAN_OF: usize = 2;
/// First step of the descent; steps shrink to a twentieth of it.
const STEP: f32 = 8.0;
/// Pulls weights to zero a little at each step, so that rare features do not rule.
const DECAY: f32 = 1e-6;

/// Share of its own label from which an example is left out of the next round.
const LEARNED: f32 = 0.95;
/// An error smaller than this moves nothing.
const NOTHING: f32 = 0.003;

/// Trained weights. They are kept as whole numbers of a small unit: half the memory, and no share that differs.
pub(crate) struct Linear {
    labels: usize,
    weights: Vec<i16>,
    unit: f32,
    bias: Vec<f32>,
}

/// Weights in training.
struct Draft {
    labels: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// Learns from (label, text) pairs.
    pub(crate) fn train(
        examples: &[(usize, &[(u32, f32)])],
        labels: usize,
        features: usize,
    ) -> Self {
        let draft = Draft::train(examples, labels, features);
        let most =
            draft.weights.iter().fold(f32::MIN_POSITIVE, |most, weight| most.max(weight.abs()));
        let unit = most / f32::from(i16::MAX);
        #[allow(clippy::cast_possible_truncation, reason = "no weight is larger than the largest")]
        let weights = draft.weights.iter().map(|weight| (weight / unit).round() as i16).collect();
        Self { labels, weights, unit, bias: draft.bias }
    }

    /// The share of each label, all together one.
    pub(crate) fn shares(&self, text: &[(u32, f32)], shares: &mut [f32]) {
        shares.fill(0.0);
        for (feature, value) in text {
            let start = *feature as usize * self.labels;
            let row = self.weights.get(start..start + self.labels).unwrap_or_default();
            for (share, weight) in shares.iter_mut().zip(row) {
                *share += value * f32::from(*weight);
            }
        }
        into_shares(shares, self.unit, &self.bias);
    }
}

/// Makes shares, together one, of what speaks for each label.
fn into_shares(shares: &mut [f32], scale: f32, bias: &[f32]) {
    for (share, bias) in shares.iter_mut().zip(bias) {
        *share = *share * scale + bias;
    }
    let most = shares.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for share in shares.iter_mut() {
        *share = (*share - most).exp();
        sum += *share;
    }
    for share in shares.iter_mut() {
        *share /= sum;
    }
}

impl Draft {
    fn train(examples: &[(usize, &[(u32, f32)])], labels: usize, features: usize) -> Self {
        let mut model =
            Self { labels, weights: vec![0.0; labels * features], bias: vec![0.0; labels] };
        let mut order: Vec<usize> = (0..examples.len()).collect();
        // What is learned well is left out of the next round: there is little left in it to learn.
        let mut rests = vec![false; examples.len()];
        let mut shuffle = Shuffle(42);
        let mut shares = vec![0.0_f32; labels];
        let mut wrong: Vec<(usize, f32)> = Vec::with_capacity(labels);
        let total = to_f32(ROUNDS * examples.len()).max(1.0);
        // Instead of shrinking all weights at each step, they are kept too large by this factor.
        let mut scale = 1.0_f32;
        let mut done = 0;
        // The end of one round depends on its order; the mean of several does so less.
        let mut mean = vec![0.0_f32; labels * features];
        for round in 0..ROUNDS {
            shuffle.shuffle(&mut order);
            for index in &order {
                let (Some((label, text)), Some(rest)) =
                    (examples.get(*index), rests.get_mut(*index))
                else {
                    continue;
                };
                let step = STEP * (1.0 - 0.95 * to_f32(done) / total);
                done += 1;
                if *rest {
                    *rest = false;
                    continue;
                }
                model.shares_scaled(text, scale, &mut shares);
                if let Some(own) = shares.get_mut(*label) {
                    *rest = *own > LEARNED;
                    *own -= 1.0;
                }
                scale *= 1.0 - step * DECAY;
                // Most labels are out of the question, and moving them by next to nothing is most of the work.
                wrong.clear();
                wrong.extend(
                    shares.iter().copied().enumerate().filter(|(_, error)| error.abs() > NOTHING),
                );
                let pull = step / scale;
                for (feature, value) in *text {
                    let push = pull * value;
                    let row = model.row_mut(*feature);
                    for (label, error) in &wrong {
                        if let Some(weight) = row.get_mut(*label) {
                            *weight -= push * error;
                        }
                    }
                }
                for (label, error) in &wrong {
                    if let Some(bias) = model.bias.get_mut(*label) {
                        *bias -= 0.1 * step * error;
                    }
                }
            }
            if round + MEAN_OF >= ROUNDS {
                let share = scale / to_f32(MEAN_OF);
                for (mean, weight) in mean.iter_mut().zip(&model.weights) {
                    *mean += share * weight;
                }
            }
        }
        model.weights = mean;
        model
    }

    fn shares_scaled(&self, text: &[(u32, f32)], scale: f32, shares: &mut [f32]) {
        shares.fill(0.0);
        for (feature, value) in text {
            for (share, weight) in shares.iter_mut().zip(self.row(*feature)) {
                *share += value * weight;
            }
        }
        into_shares(shares, scale, &self.bias);
    }

    fn row(&self, feature: u32) -> &[f32] {
        let start = feature as usize * self.labels;
        self.weights.get(start..start + self.labels).unwrap_or_default()
    }

    fn row_mut(&mut self, feature: u32) -> &mut [f32] {
        let start = feature as usize * self.labels;
        self.weights.get_mut(start..start + self.labels).unwrap_or_default()
    }
}

/// An order that looks random and is always the same (Knuth's MMIX generator, Fisher and Yates).
struct Shuffle(u64);

impl Shuffle {
    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let drawn = usize::try_from(self.0 >> 33).unwrap_or(0) % (last + 1);
            order.swap(last, drawn);
        }
    }
}
