//! What recordings do not say and their samples show.

use std::collections::BTreeMap;

/// How often each spacing between neighbouring samples occurs.
#[derive(Default)]
pub(super) struct Spacings(BTreeMap<i64, usize>);

impl Spacings {
    /// Counts the spacings of one series.
    pub(super) fn add(&mut self, samples: &[(i64, f64)]) {
        for pair in samples.windows(2) {
            let spacing_ms = pair[1].0 - pair[0].0;
            if spacing_ms > 0 {
                *self.0.entry(spacing_ms).or_default() += 1;
            }
        }
    }

    /// The spacing of most samples, in milliseconds: the median, which a few gaps or doubled scrapes do not move.
    pub(super) fn median_ms(&self) -> Option<i64> {
        let total: usize = self.0.values().sum();
        let mut seen = 0;
        self.0.iter().find_map(|(&spacing_ms, &count)| {
            seen += count;
            (2 * seen >= total).then_some(spacing_ms)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median(times_ms: &[i64]) -> Option<i64> {
        let mut spacings = Spacings::default();
        let samples: Vec<(i64, f64)> = times_ms.iter().map(|&ms| (ms, 0.0)).collect();
        spacings.add(&samples);
        spacings.median_ms()
    }

    #[test]
    fn gaps_and_doubled_scrapes_do_not_move_the_spacing() {
        assert_eq!(median(&[0, 15, 30, 31, 45, 60, 75, 300, 315]), Some(15));
    }

    #[test]
    fn one_sample_has_no_spacing() {
        assert_eq!(median(&[7]), None);
    }
}
