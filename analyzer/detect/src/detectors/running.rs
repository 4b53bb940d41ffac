//! Sums over any stretch of a series in constant time.
//!
//! In: the values of a series. Out: the [`Moments`] of every stretch of it, from running sums that are made once. A
//! series is compared with itself up to 24 times, so this is what makes placebo windows cheap.

use std::ops::Range;

use crate::math::variance_inflation;

/// The autocorrelation of a short stretch is guesswork, so it is drawn towards the middle of what telemetry shows
/// (the prototype's generator: none in a third of the series, up to .97 in the rest) as if this many samples had
/// been seen there.
const PHI_PRIOR_SAMPLES: f64 = 10.0;
/// See [`PHI_PRIOR_SAMPLES`].
const PHI_PRIOR: f64 = 0.4;
/// An autocorrelation beyond this cannot be told from a random walk in a baseline of a few hundred samples.
const PHI_LIMIT: f64 = 0.985;

/// Running sums of the values, their squares, the products of neighbours, and the values times their place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running {
    values: Vec<f64>,
    sums: Vec<[f64; 4]>,
}

/// What a stretch of values amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Moments {
    pub(crate) count: usize,
    pub(crate) mean: f64,
    /// Of the distances from the mean.
    squares: f64,
    /// Of the distances of neighbours from the mean.
    products: f64,
    /// Of the distances from the mean, times the distance in samples from the middle of the stretch.
    tilt: f64,
}

impl Running {
    /// The sums of these values. They should lie around 0, where no digits are lost.
    pub(crate) fn of(values: Vec<f64>) -> Self {
        let mut sums = Vec::with_capacity(values.len() + 1);
        let mut so_far = [0.0; 4];
        sums.push(so_far);
        let mut previous = 0.0;
        for (place, &value) in values.iter().enumerate() {
            so_far[0] += value;
            so_far[1] += value * value;
            so_far[2] += value * previous;
            so_far[3] += value * place as f64;
            previous = value;
            sums.push(so_far);
        }
        Self { values, sums }
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// All values.
    pub(crate) fn whole(&self) -> Range<usize> {
        0..self.values.len()
    }

    /// The moments of a stretch; those of nothing are 0. The stretch must lie inside the values.
    pub(crate) fn moments(&self, stretch: Range<usize>) -> Moments {
        let (from, to) = (stretch.start, stretch.end);
        if from >= to {
            return Moments::default();
        }
        let between = |which: usize, from: usize| self.sums[to][which] - self.sums[from][which];
        let count = to - from;
        let n = count as f64;
        let total = between(0, from);
        let mean = total / n;
        let (first, last) = (self.values[from], self.values[to - 1]);
        let neighbours = between(2, from + 1) - mean * (2.0 * total - first - last) + (n - 1.0) * mean * mean;
        let middle = from as f64 + 0.5 * (n - 1.0);
        Moments {
            count,
            mean,
            squares: (between(1, from) - n * mean * mean).max(0.0),
            products: neighbours,
            tilt: between(3, from) - middle * total,
        }
    }
}

impl Moments {
    /// How many values there are.
    pub(crate) const fn n(&self) -> f64 {
        self.count as f64
    }

    /// The lag-1 autocorrelation, corrected for its bias and drawn towards what is usual.
    pub(crate) fn phi(&self) -> f64 {
        autocorrelation(self.products / self.squares.max(f64::MIN_POSITIVE), self.n())
    }

    /// The variance of one value, with the degrees of freedom that this much inflation of the variance of a mean leaves.
    pub(crate) fn variance(&self, inflation: f64) -> f64 {
        self.squares / (self.n() - inflation).max(2.0_f64.min(self.n() - 1.0))
    }

    /// The standard deviation of one value as if all were independent (n - 1).
    pub(crate) fn deviation(&self) -> f64 {
        (self.squares / (self.n() - 1.0).max(1.0)).sqrt()
    }

    /// Whether the values never move, given that they usually move by about 1.
    pub(crate) fn is_constant(&self) -> bool {
        self.squares <= 1e-9 * self.n()
    }

    /// By how much the values rise from sample to sample, by least squares.
    pub(crate) fn slope(&self) -> f64 {
        self.tilt / self.spread_of_places().max(f64::MIN_POSITIVE)
    }

    /// The sum of the squared distances of the places from their middle: n (n² - 1) / 12.
    pub(crate) fn spread_of_places(&self) -> f64 {
        self.n() * (self.n() * self.n() - 1.0) / 12.0
    }

    /// How many independent values make as good a mean.
    pub(crate) fn inflation(&self, phi: f64) -> f64 {
        variance_inflation(phi, self.count)
    }
}

/// Kendall's correction of the downward bias of a sample autocorrelation, then shrinkage.
fn autocorrelation(raw: f64, samples: f64) -> f64 {
    let unbiased = (raw + (1.0 + 4.0 * raw.clamp(0.0, 1.0)) / samples).clamp(0.0, PHI_LIMIT);
    (samples * unbiased + PHI_PRIOR_SAMPLES * PHI_PRIOR) / (samples + PHI_PRIOR_SAMPLES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::mean;

    #[test]
    fn running_sums_agree_with_sums_over_every_stretch() {
        let values: Vec<f64> =
            (0..40).map(|index| f64::from((index * 7 + index * index * 3) % 23) - 11.0).collect();
        let running = Running::of(values.clone());
        for (from, to) in [(0, 40), (0, 3), (5, 17), (38, 40), (12, 13)] {
            let part = &values[from..to];
            let centre = mean(part);
            let middle = (part.len() - 1) as f64 / 2.0;
            let far = |value: &f64| value - centre;
            let expected = [
                centre,
                part.iter().map(|value| far(value).powi(2)).sum(),
                part.windows(2).map(|pair| far(&pair[0]) * far(&pair[1])).sum(),
                part.iter().enumerate().map(|(place, value)| far(value) * (place as f64 - middle)).sum(),
            ];
            let Moments { count, mean, squares, products, tilt } = running.moments(from..to);
            assert_eq!(count, to - from);
            for (got, expected) in [mean, squares, products, tilt].into_iter().zip(expected) {
                assert!((got - expected).abs() < 1e-9, "{from}..{to}: {got} {expected}");
            }
        }
    }

    #[test]
    fn a_line_has_its_slope_and_a_constant_none() {
        let line = Running::of((0..20).map(|index| 0.5 * f64::from(index)).collect());
        assert!((line.moments(3..17).slope() - 0.5).abs() < 1e-12);
        let flat = Running::of(vec![4.0; 20]).moments(2..19);
        assert!(flat.is_constant() && flat.slope().abs() < 1e-12);
        assert_eq!(Running::default().moments(0..0), Moments::default());
    }
}
