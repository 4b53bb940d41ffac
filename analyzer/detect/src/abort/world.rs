//! One process that may have made the baseline, and what was won in it.

use super::EXCESSES_SD;
use super::bet::{Bet, Tails};

/// Wealth beyond this proves nothing more; the bound keeps it finite.
const MOST_WEALTH: f64 = 1e100;
/// Residuals beyond this many units of noise are all the same.
const FARTHEST: f64 = 1e6;
/// In n samples an event that never occurred has at most a chance of 3/n, with 95 % confidence (Hanley & Lippman-Hand 1983).
const NEVER_SEEN: f64 = 3.0;
/// Harm to an indicator that never moved moves at least half of its samples.
const MOVED_UNDER_HARM: f64 = 0.5;

/// What a stake of one becomes with the next sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Odds {
    /// If the harm begins with this sample.
    pub(super) first: f64,
    /// If it began before.
    pub(super) later: f64,
}

/// A sample as one world sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The logarithm of its density while nothing happened.
    pub(super) ln_density: f64,
    /// What each size of harm pays.
    pub(super) odds: [Odds; EXCESSES_SD.len()],
}

/// An AR(1) process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moving {
    pub(super) phi: f64,
    pub(super) level: f64,
    /// The harmful end of what is normal: its level and a margin.
    pub(super) edge: f64,
    /// The standard deviation of what each step adds.
    pub(super) noise: f64,
    pub(super) tails: Tails,
}

impl Moving {
    /// The residual of a sample of the baseline, in units of noise.
    pub(super) fn in_baseline(self, before: f64, after: f64) -> f64 {
        (after - self.level - self.phi * (before - self.level)) / self.noise
    }

    /// The residual of a sample against a level at the edge, and the noise that gathered over so many steps.
    fn residual(self, previous: f64, value: f64, steps: u32) -> (f64, f64) {
        let kept = self.phi.powi(i32::try_from(steps).unwrap_or(i32::MAX));
        let gathered = self.noise * ((1.0 - kept * kept) / (1.0 - self.phi * self.phi)).sqrt();
        let residual = (value - self.edge - kept * (previous - self.edge)) / gathered;
        (residual.clamp(-FARTHEST, FARTHEST), gathered)
    }
}

/// An indicator that never moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Still {
    edge: f64,
    /// The largest chance of moving that the baseline does not rule out.
    chance: f64,
}

impl Still {
    pub(super) fn after(edge: f64, samples: usize) -> Self {
        Self { edge, chance: (NEVER_SEEN / samples as f64).min(MOVED_UNDER_HARM) }
    }

    fn paid(self, value: f64) -> f64 {
        if value > self.edge {
            MOVED_UNDER_HARM / self.chance
        } else {
            (1.0 - MOVED_UNDER_HARM) / (1.0 - self.chance)
        }
    }
}

/// The bets on each size of harm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bets {
    /// For harm that begins with the sample.
    pub(super) first: [Bet; EXCESSES_SD.len()],
    /// For harm that began before.
    pub(super) later: [Bet; EXCESSES_SD.len()],
}

/// How a world goes on.
#[derive(Clone, Debug)]
pub(super) enum Process {
    Moving(Box<(Moving, Bets)>),
    Still(Still),
}

/// One world: how plausible it is by now, and the wealth in it times that.
#[derive(Clone, Debug)]
pub(super) struct World {
    process: Process,
    pub(super) plausible: f64,
    wealth: [f64; EXCESSES_SD.len()],
}

impl World {
    pub(super) fn new(process: Process, plausible: f64) -> Self {
        Self { process, plausible, wealth: [0.0; EXCESSES_SD.len()] }
    }

    /// Looks at a sample, `steps` after the previous one.
    pub(super) fn see(&self, previous: f64, value: f64, steps: u32) -> Seen {
        match &self.process {
            Process::Still(still) => {
                let paid = still.paid(value);
                Seen { ln_density: 0.0, odds: [Odds { first: paid, later: paid }; EXCESSES_SD.len()] }
            }
            Process::Moving(process) => {
                let (moving, bets) = process.as_ref();
                let (residual, noise) = moving.residual(previous, value, steps);
                let odds = std::array::from_fn(|arm| Odds {
                    first: bets.first[arm].pays(residual),
                    later: bets.later[arm].pays(residual),
                });
                Seen { ln_density: moving.tails.ln_density(residual) - noise.ln(), odds }
            }
        }
    }

    /// Pays out, with the density relative to the mean over all worlds.
    pub(super) fn take(&mut self, seen: &Seen, relative_density: f64, stake: f64) {
        for (wealth, odds) in self.wealth.iter_mut().zip(seen.odds) {
            let won = *wealth * odds.later + stake * self.plausible * odds.first;
            *wealth = (won * relative_density).min(MOST_WEALTH);
        }
        self.plausible *= relative_density;
    }

    pub(super) fn wealth(&self) -> f64 {
        self.wealth.iter().sum::<f64>() / self.wealth.len() as f64
    }
}
