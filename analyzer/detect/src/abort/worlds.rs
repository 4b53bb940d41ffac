//! Which processes may have made the baseline, and how plausible is each?
//!
//! In: a baseline whose harmful direction is up. Out: a grid of worlds with weights that sum to 1. A world fixes what a
//! baseline leaves open: the memory of an AR(1) process, its level, its noise, and the tails of that noise. The weights are
//! the posterior of a flat prior over level and logarithm of noise, over memory, and of even odds for the tails.

use super::EXCESSES_SD;
use super::bet::{Bet, Tails};
use super::world::{Bets, Moving, Process, Still, World};
use crate::math::mean;

/// The memories that are told apart, denser where a step means more.
const PHIS: [f64; 14] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94, 0.97, 0.99];
/// Gauss-Hermite's three nodes of a standard normal and their weights, for what is uncertain of the level.
const LEVEL_NODES: [(f64, f64); 3] = [(-1.732_050_8, 1.0 / 6.0), (0.0, 2.0 / 3.0), (1.732_050_8, 1.0 / 6.0)];
/// The noise in standard errors of its logarithm. The likelihood weighs these nodes; flanks at 1.5 errors span what
/// it leaves open.
const NOISE_NODES: [f64; 3] = [-1.5, 0.0, 1.5];
/// Worlds less plausible than this are left out: with 1e-6 no measured rate or delay differed by more than chance.
const LEAST_PLAUSIBLE: f64 = 1e-4;
/// A level this many standard deviations from normal is still within the margin: a smaller change would not end an
/// experiment even if it were certain.
const MARGIN_SD: f64 = 0.5;
/// A world that hardly forgets wanders without bound. No more than twice the variance that was seen is taken as normal:
/// harm would have to be as large.
const MOST_VARIANCE: f64 = 2.0;
/// A bet on a smaller shift than this in units of noise gains nothing in any run.
const LEAST_SHIFT: f64 = 0.02;
/// A baseline is constant if it moves by less than this share of its level: rounding.
const ROUNDING: f64 = 1e-9;

/// What a baseline teaches.
pub(super) struct Normal {
    /// The harmful end of what is normal, by the mean of the baseline.
    pub(super) edge: f64,
    /// The plausible worlds.
    pub(super) worlds: Vec<World>,
}

impl Normal {
    /// What a baseline with at least one sample teaches.
    pub(super) fn of(baseline: &[Option<f64>]) -> Self {
        let known: Vec<f64> = baseline.iter().flatten().copied().collect();
        let moves = known.iter().any(|value| (value - known[0]).abs() > ROUNDING * known[0].abs());
        if !moves {
            let edge = known[0] + ROUNDING * known[0].abs();
            let process = Process::Still(Still::after(edge, known.len()));
            return Self { edge, worlds: vec![World::new(process, 1.0)] };
        }
        let pairs: Vec<(f64, f64)> =
            baseline.windows(2).filter_map(|pair| Some((pair[0]?, pair[1]?))).collect();
        let memories: Vec<Memory> = PHIS.iter().map(|&phi| Memory::of(phi, known[0], &pairs)).collect();
        let deviation = deviation(&memories, &known);
        let worlds = memories.iter().enumerate().flat_map(|(index, memory)| {
            let width = share_of_grid(index).ln();
            memory.worlds(deviation, &pairs).map(move |(moving, ln_weight)| (moving, ln_weight + width))
        });
        let edge = mean(&known) + MARGIN_SD * deviation;
        Self { edge, worlds: plausible(worlds.collect(), &pairs, deviation) }
    }
}

/// What the baseline says if the memory is known.
#[derive(Clone, Copy, Debug)]
struct Memory {
    phi: f64,
    level: f64,
    level_error: f64,
    noise: f64,
    /// The logarithm of the likelihood of the memory under normal noise, up to a constant: level and noise integrated out.
    ln_likelihood: f64,
}

impl Memory {
    /// Least squares with a stationary first sample; pairs around gaps are left out.
    fn of(phi: f64, first: f64, pairs: &[(f64, f64)]) -> Self {
        let count = pairs.len() as f64;
        let (kept, of_first) = (1.0 - phi, 1.0 - phi * phi);
        let information = of_first + count * kept * kept;
        let news: f64 = pairs.iter().map(|(before, after)| after - phi * before).sum();
        let level = (of_first * first + kept * news) / information;
        let squares = of_first * (first - level).powi(2)
            + pairs
                .iter()
                .map(|(before, after)| (after - level - phi * (before - level)).powi(2))
                .sum::<f64>();
        let squares = squares.max(f64::MIN_POSITIVE);
        let noise = (squares / (count - 1.0).max(1.0)).sqrt();
        let ln_likelihood = 0.5 * of_first.ln() - 0.5 * information.ln() - count / 2.0 * squares.ln();
        Self { phi, level, level_error: noise / information.sqrt(), noise, ln_likelihood }
    }

    /// The variance of a sample that is seen alone.
    fn variance(self) -> f64 {
        self.noise * self.noise / (1.0 - self.phi * self.phi)
    }

    /// Its worlds with the logarithms of their weights.
    fn worlds(self, deviation: f64, pairs: &[(f64, f64)]) -> impl Iterator<Item = (Moving, f64)> {
        let normal = self.ln_likelihood_of(Tails::Light, self.noise, pairs);
        let tails = [Tails::Light, Tails::Heavy].into_iter();
        let shapes = tails.flat_map(move |tails| NOISE_NODES.map(|node| (tails, node)));
        let weighed: Vec<(Tails, f64, f64)> = shapes
            .map(|(tails, node)| {
                let error = 1.0 / (tails.scale_information() * pairs.len().max(1) as f64).sqrt();
                let noise = self.noise * (node * error).exp();
                let gain = self.ln_likelihood_of(tails, noise, pairs) - normal;
                (tails, noise, self.ln_likelihood + gain)
            })
            .collect();
        weighed.into_iter().flat_map(move |(tails, noise, ln_weight)| {
            LEVEL_NODES.map(|(node, weight)| {
                let edge = self.level + MARGIN_SD * deviation + node * self.level_error;
                let moving = Moving { phi: self.phi, level: self.level, edge, noise, tails };
                (moving, ln_weight + weight.ln())
            })
        })
    }

    fn ln_likelihood_of(self, tails: Tails, noise: f64, pairs: &[(f64, f64)]) -> f64 {
        let of_pair = |&(before, after): &(f64, f64)| {
            let residual = after - self.level - self.phi * (before - self.level);
            tails.ln_density(residual / noise) - noise.ln()
        };
        pairs.iter().map(of_pair).sum()
    }
}

/// The part of the memories between 0 and 1 that a grid point stands for.
fn share_of_grid(index: usize) -> f64 {
    let from = if index == 0 { 0.0 } else { f64::midpoint(PHIS[index - 1], PHIS[index]) };
    let to = PHIS.get(index + 1).map_or(1.0, |next| f64::midpoint(PHIS[index], *next));
    to - from
}

/// Weights from their logarithms, summing to 1.
fn weights(logarithms: &[f64]) -> Vec<f64> {
    let most = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = logarithms.iter().map(|logarithm| (logarithm - most).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|weight| weight / sum).collect()
}

/// The standard deviation of a sample: over all memories, but bounded by what was seen.
fn deviation(memories: &[Memory], known: &[f64]) -> f64 {
    let logarithms: Vec<f64> = memories
        .iter()
        .enumerate()
        .map(|(index, memory)| memory.ln_likelihood + share_of_grid(index).ln())
        .collect();
    let expected: f64 =
        memories.iter().zip(weights(&logarithms)).map(|(memory, weight)| weight * memory.variance()).sum();
    let level = mean(known);
    let seen = known.iter().map(|value| (value - level).powi(2)).sum::<f64>() / (known.len() as f64 - 1.0);
    expected.min(MOST_VARIANCE * seen).sqrt()
}

/// The worlds worth keeping, with their bets.
fn plausible(worlds: Vec<(Moving, f64)>, pairs: &[(f64, f64)], deviation: f64) -> Vec<World> {
    let logarithms: Vec<f64> = worlds.iter().map(|(_, logarithm)| *logarithm).collect();
    let kept: Vec<(Moving, f64)> = worlds
        .into_iter()
        .zip(weights(&logarithms))
        .filter(|(_, weight)| *weight >= LEAST_PLAUSIBLE)
        .map(|((moving, _), weight)| (moving, weight))
        .collect();
    let sum: f64 = kept.iter().map(|(_, weight)| weight).sum();
    let world = |(moving, weight): (Moving, f64)| {
        let residuals: Vec<f64> =
            pairs.iter().map(|(before, after)| moving.in_baseline(*before, *after)).collect();
        let bet = |shift: f64| Bet::new(moving.tails, shift.max(LEAST_SHIFT), &residuals);
        let first = EXCESSES_SD.map(|excess| bet(excess * deviation / moving.noise));
        let later = EXCESSES_SD.map(|excess| bet((1.0 - moving.phi) * excess * deviation / moving.noise));
        World::new(Process::Moving(Box::new((moving, Bets { first, later }))), weight / sum)
    };
    kept.into_iter().map(world).collect()
}
