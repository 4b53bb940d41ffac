//! Should a running experiment be stopped now? Asked after every sample, as often as one likes.
//!
//! In: a quiet baseline of one service level indicator, then its samples one by one. Out: continue, or abort with the
//! evidence. The evidence is an e-process: wealth that grows only by winning bets against "the indicator is still within
//! its margin". Under that hypothesis wealth reaches 1/α with a chance of at most α however often one looks (Ville 1939;
//! Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference", 2023). The bets are likelihood ratios for a
//! level that is one, two or four standard deviations beyond the margin, on residuals freed of their autocorrelation;
//! they are spread over every look at which the harm may have begun, as in Shiryaev and Roberts.
//!
//! What a baseline leaves open (level, noise, tails, memory) is not resolved by a worst case but averaged: the bets are made
//! in every world that could have made the baseline, and each world counts by how plausible it is by now, given the
//! run as well. So wealth is a ratio of marginal likelihoods, and its mean is at most 1 over the worlds that the baseline allows
//! (the method of mixtures; Robbins 1970). What that means for each single memory is measured, see `docs/live-abort.md`.

mod bet;
mod guard;
mod world;
mod worlds;

pub use guard::{AbortGuard, Alarm, GuardDecision, GuardError, Indicator};
use world::{Odds, Seen, World};
use worlds::Normal;

/// The bets: how many standard deviations beyond the margin the level may lie. Doubling steps lose less than a third of the
/// evidence in between.
const EXCESSES_SD: [f64; 3] = [1.0, 2.0, 4.0];
/// Half of the stake is on harm that begins with the fault. The rest is spread over later looks as 1/(k (k+1)) beyond this
/// many looks: it sums to one without a horizon, and a later beginning costs a factor, not the detection.
const LATER_LOOKS: f64 = 60.0;
/// With fewer samples nothing is known of the noise: its upper bound is then half as large again as its estimate.
const LEAST_BASELINE: usize = 20;

/// Where an indicator does harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// When it rises: errors, latency.
    Up,
    /// When it falls: availability, throughput.
    Down,
    /// Either way.
    Both,
}

/// What to do after a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AbortDecision {
    /// Nothing is proven.
    Continue,
    /// Stop the fault.
    Abort {
        /// How many times the stake was won: 1/`evidence` bounds the chance of ever seeing as much in a quiet system.
        evidence: f64,
        /// The look at which the harm most likely began, counted from 0 and including looks without a sample.
        since: usize,
    },
}

/// An always-valid test of one service level indicator. Holds a few thousand numbers, whatever the length of the run.
#[derive(Clone, Debug)]
pub struct AbortTest {
    sides: [Option<Side>; 2],
    threshold: f64,
    looks: usize,
    aborted: Option<AbortDecision>,
}

impl AbortTest {
    /// A test of one indicator against its `baseline`: one entry a step, in order, `None` where the sample is missing,
    /// the last entry just before the first look.
    ///
    /// `alpha` is the chance of a false abort that is tolerated over the whole run, however long. An experiment that
    /// watches several indicators divides its own among them. `None` when the baseline has fewer than 20 samples or a value
    /// that is not finite, or when `alpha` does not lie between 0 and 1: then this indicator cannot be watched.
    #[must_use]
    pub fn new(baseline: &[Option<f64>], harm: Harm, alpha: f64) -> Option<Self> {
        let known = baseline.iter().flatten();
        if !(alpha > 0.0 && alpha < 1.0) || known.clone().any(|value| !value.is_finite()) {
            return None;
        }
        if known.count() < LEAST_BASELINE {
            return None;
        }
        let side = |sign: f64| Side::new(baseline, sign);
        let sides = match harm {
            Harm::Up => [Some(side(1.0)), None],
            Harm::Down => [Some(side(-1.0)), None],
            Harm::Both => [Some(side(1.0)), Some(side(-1.0))],
        };
        Some(Self { sides, threshold: 1.0 / alpha, looks: 0, aborted: None })
    }

    /// Takes in the sample of the next step. A missing sample, or one that is not finite, is never evidence. Once this
    /// has said abort it keeps saying so.
    pub fn look(&mut self, sample: Option<f64>) -> AbortDecision {
        if let Some(aborted) = self.aborted {
            return aborted;
        }
        let taken = self.take(sample);
        let decision = if taken { self.decide() } else { AbortDecision::Continue };
        if decision != AbortDecision::Continue {
            self.aborted = Some(decision);
        }
        decision
    }

    /// Bets on the sample of the next step; `false` if there was none.
    fn take(&mut self, sample: Option<f64>) -> bool {
        let look = self.looks;
        self.looks += 1;
        let Some(value) = sample.filter(|value| value.is_finite()) else {
            self.sides.iter_mut().flatten().for_each(|side| side.miss(1));
            return false;
        };
        self.sides.iter_mut().flatten().for_each(|side| side.take(value, look));
        true
    }

    /// The wealth so far in stakes: the mean over the directions that are watched.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        let sides = self.sides.iter().flatten();
        sides.clone().map(Side::wealth).sum::<f64>() / sides.count() as f64
    }

    /// Passes over steps without a sample.
    fn miss(&mut self, steps: usize) {
        self.looks += steps;
        self.sides.iter_mut().flatten().for_each(|side| side.miss(steps));
    }

    fn decide(&self) -> AbortDecision {
        let evidence = self.evidence();
        match self.stays_away() {
            Some(since) if evidence >= self.threshold => AbortDecision::Abort { evidence, since },
            _ => AbortDecision::Continue,
        }
    }

    /// Since when the leading direction is harmed; `None` while its last two samples do not both lie beyond the margin: one
    /// stray sample stops no experiment, however far it strays.
    fn stays_away(&self) -> Option<usize> {
        let leading = self.sides.iter().flatten().max_by(|a, b| a.wealth().total_cmp(&b.wealth()))?;
        (leading.beyond_in_a_row >= 2).then(|| leading.since())
    }
}

/// The bets on harm in one direction.
#[derive(Clone, Debug)]
struct Side {
    sign: f64,
    /// The harmful end of what is normal, for counting samples beyond it.
    edge: f64,
    worlds: Vec<World>,
    /// When harm of each size most likely began.
    beginnings: [Beginning; EXCESSES_SD.len()],
    /// The share of the stake that is kept for harm that begins later.
    unspent: f64,
    samples: f64,
    /// Samples in a row that lay beyond the margin.
    beyond_in_a_row: usize,
    /// The last sample, and how many steps ago it was taken.
    previous: f64,
    steps_since: u32,
}

/// A cumulative sum of odds that begins anew whenever it falls to zero (Page 1954).
#[derive(Clone, Copy, Debug, Default)]
struct Beginning {
    /// The logarithm of what was won since `since`.
    won: f64,
    since: usize,
}

impl Side {
    fn new(baseline: &[Option<f64>], sign: f64) -> Self {
        let signed: Vec<Option<f64>> =
            baseline.iter().map(|sample| sample.map(|value| sign * value)).collect();
        let Normal { edge, worlds } = Normal::of(&signed);
        let trailing = signed.iter().rev().take_while(|sample| sample.is_none()).count();
        Self {
            sign,
            edge,
            worlds,
            beginnings: [Beginning::default(); EXCESSES_SD.len()],
            unspent: 1.0,
            samples: 0.0,
            beyond_in_a_row: 0,
            previous: signed.iter().rev().flatten().next().copied().unwrap_or(0.0),
            steps_since: 1 + u32::try_from(trailing).unwrap_or(u32::MAX - 1),
        }
    }

    fn miss(&mut self, steps: usize) {
        self.steps_since = self.steps_since.saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
    }

    fn take(&mut self, value: f64, look: usize) {
        let value = self.sign * value;
        let seen: Vec<Seen> =
            self.worlds.iter().map(|world| world.see(self.previous, value, self.steps_since)).collect();
        self.date(&seen, look);
        let stake = self.spend();
        let most = seen.iter().map(|seen| seen.ln_density).fold(f64::NEG_INFINITY, f64::max);
        let densities: Vec<f64> = seen.iter().map(|seen| (seen.ln_density - most).exp()).collect();
        let mean: f64 =
            self.worlds.iter().zip(&densities).map(|(world, density)| world.plausible * density).sum();
        for ((world, seen), density) in self.worlds.iter_mut().zip(&seen).zip(densities) {
            // Where every plausible world is equally surprised none becomes more plausible.
            let relative = if mean > 0.0 { density / mean } else { 1.0 };
            world.take(seen, relative, stake);
        }
        self.beyond_in_a_row = if value > self.edge { self.beyond_in_a_row + 1 } else { 0 };
        self.previous = value;
        self.steps_since = 1;
    }

    /// Follows when the harm may have begun, with the odds of the mean over the worlds.
    fn date(&mut self, seen: &[Seen], look: usize) {
        for (arm, beginning) in self.beginnings.iter_mut().enumerate() {
            let weighed = self.worlds.iter().zip(seen);
            let odds = weighed.fold(Odds { first: 0.0, later: 0.0 }, |sum, (world, seen)| Odds {
                first: sum.first + world.plausible * seen.odds[arm].first,
                later: sum.later + world.plausible * seen.odds[arm].later,
            });
            if beginning.won <= 0.0 {
                *beginning = Beginning { won: odds.first.ln(), since: look };
            } else {
                beginning.won += odds.later.ln();
            }
        }
    }

    /// The stake on harm that begins with this sample.
    fn spend(&mut self) -> f64 {
        let at_the_start = if self.samples == 0.0 { 0.5 } else { 0.0 };
        let later = LATER_LOOKS + self.samples;
        let stake = at_the_start + 0.5 * LATER_LOOKS / (later * (later + 1.0));
        self.unspent -= stake;
        self.samples += 1.0;
        stake
    }

    fn wealth(&self) -> f64 {
        self.unspent + self.worlds.iter().map(World::wealth).sum::<f64>()
    }

    fn since(&self) -> usize {
        self.beginnings.iter().max_by(|a, b| a.won.total_cmp(&b.won)).map_or(0, |beginning| beginning.since)
    }
}

#[cfg(test)]
mod tests;
