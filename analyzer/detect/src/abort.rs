//! Should a running experiment be stopped now? Asked after every sample, as often as one likes.
//!
//! In: a quiet baseline of one service level indicator, then its samples one by one. Out: continue, or abort with the
//! evidence. The evidence is an e-process: wealth that grows only by winning bets against "the indicator is still within
//! its margin". Under that hypothesis wealth reaches 1/α with a chance of at most α however often one looks (Ville 1939;
//! Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference", 2023). The bets are likelihood ratios for a
//! level that is one, two or four standard deviations beyond the margin, on residuals freed of their autocorrelation;
//! they are spread over every look at which the harm may have begun, as in Shiryaev and Roberts.
//!
//! What is estimated from the baseline is uncertain, and each uncertainty is resolved against aborting: the level by two
//! standard errors inside the margin, the noise by its upper 95 % bound, the autocorrelation by one standard error towards
//! the prediction that makes the sample look more usual. What remains is measured: with α = 1 % and 240 looks after a baseline of
//! 120 samples at most 1 % of quiet runs are aborted for autocorrelations up to 0.95, normal or heavy-tailed, and half of all
//! rises by four standard deviations within 4 samples. A baseline of 40 samples keeps that up to 0.8 only; beyond, too little
//! of the memory shows in it, and 1 to 6 % of quiet runs are aborted.

mod bet;
mod normal;

use normal::Normal;

/// The bets: how many standard deviations beyond the margin the level may lie. Doubling steps lose less than a third of the
/// evidence in between.
const EXCESSES_SD: [f64; 3] = [1.0, 2.0, 4.0];
/// Half of the stake is on harm that begins with the fault. The rest is spread over later looks as 1/(k (k+1)) beyond this
/// many looks: it sums to one without a horizon, and a later beginning costs a factor, not the detection.
const LATER_LOOKS: f64 = 60.0;
/// Wealth beyond this proves nothing more; the bound keeps it finite.
const MOST_WEALTH: f64 = 1e100;
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

/// An always-valid test of one service level indicator. Holds a few numbers, whatever the length of the run.
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
        let look = self.looks;
        self.looks += 1;
        if let Some(aborted) = self.aborted {
            return aborted;
        }
        let Some(value) = sample.filter(|value| value.is_finite()) else {
            self.sides.iter_mut().flatten().for_each(Side::miss);
            return AbortDecision::Continue;
        };
        self.sides.iter_mut().flatten().for_each(|side| side.take(value, look));
        let decision = self.decide();
        if decision != AbortDecision::Continue {
            self.aborted = Some(decision);
        }
        decision
    }

    /// The wealth so far in stakes: the mean over the directions that are watched.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        let sides = self.sides.iter().flatten();
        sides.clone().map(Side::wealth).sum::<f64>() / sides.count() as f64
    }

    fn decide(&self) -> AbortDecision {
        let evidence = self.evidence();
        let leading = self.sides.iter().flatten().max_by(|a, b| a.wealth().total_cmp(&b.wealth()));
        match leading {
            // One stray sample stops no experiment, however far it strays.
            Some(side) if evidence >= self.threshold && side.beyond_in_a_row >= 2 => {
                AbortDecision::Abort { evidence, since: side.since() }
            }
            _ => AbortDecision::Continue,
        }
    }
}

/// The bets on harm in one direction.
#[derive(Clone, Debug)]
struct Side {
    sign: f64,
    normal: Normal,
    arms: [Arm; EXCESSES_SD.len()],
    /// The share of the stake that is kept for harm that begins later.
    unspent: f64,
    samples: f64,
    /// Samples in a row that lay beyond the margin.
    beyond_in_a_row: usize,
    /// The last sample beyond the margin, and how many steps ago it was taken.
    previous: f64,
    steps_since: u32,
}

/// The bets on one size of harm.
#[derive(Clone, Copy, Debug, Default)]
struct Arm {
    wealth: f64,
    /// The logarithm of what was won since `since`.
    won: f64,
    since: usize,
}

impl Side {
    fn new(baseline: &[Option<f64>], sign: f64) -> Self {
        let signed: Vec<Option<f64>> =
            baseline.iter().map(|sample| sample.map(|value| sign * value)).collect();
        let normal = Normal::of(&signed);
        let trailing = signed.iter().rev().take_while(|sample| sample.is_none()).count();
        let last = signed.iter().rev().flatten().next().copied().unwrap_or(0.0);
        Self {
            sign,
            arms: [Arm::default(); EXCESSES_SD.len()],
            unspent: 1.0,
            samples: 0.0,
            beyond_in_a_row: 0,
            previous: normal.beyond(last),
            steps_since: 1 + u32::try_from(trailing).unwrap_or(u32::MAX - 1),
            normal,
        }
    }

    fn miss(&mut self) {
        self.steps_since = self.steps_since.saturating_add(1);
    }

    fn take(&mut self, value: f64, look: usize) {
        let beyond = self.normal.beyond(self.sign * value);
        let stake = self.spend();
        let odds = self.normal.odds(self.previous, beyond, self.steps_since);
        for (arm, odds) in self.arms.iter_mut().zip(odds) {
            arm.wealth = (arm.wealth * odds.later + stake * odds.first).min(MOST_WEALTH);
            if arm.won <= 0.0 {
                *arm = Arm { won: odds.first.ln(), since: look, ..*arm };
            } else {
                arm.won += odds.later.ln();
            }
        }
        self.beyond_in_a_row = if beyond > 0.0 { self.beyond_in_a_row + 1 } else { 0 };
        self.previous = beyond;
        self.steps_since = 1;
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
        self.unspent + self.arms.iter().map(|arm| arm.wealth).sum::<f64>() / self.arms.len() as f64
    }

    fn since(&self) -> usize {
        self.arms.iter().max_by(|a, b| a.won.total_cmp(&b.won)).map_or(0, |arm| arm.since)
    }
}

#[cfg(test)]
mod tests;
