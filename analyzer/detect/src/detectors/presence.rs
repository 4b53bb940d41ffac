//! Did a series vanish or appear?
//!
//! In: the times at which a series was seen before and during the fault, and how far apart its samples usually are.
//! Out: a [`Presence`]. Whether a vanished series is alarming depends on how often series of this system come and go by
//! themselves: `calibrate` knows.

use crate::windows::Stretch;

/// Where a series was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Presence {
    /// Before and during the fault.
    Steady,
    /// Regularly before, and then silent for longer than it ever was.
    Vanished,
    /// Not before, regularly during the fault.
    Appeared,
    /// Too seldom to say.
    Patchy,
}

impl Presence {
    pub(crate) const fn has_changed(self) -> bool {
        matches!(self, Self::Vanished | Self::Appeared)
    }
}

/// A series is there if it has at least half of the samples that it could have: a scrape that misses more often
/// than it hits is no evidence of presence, and one lost sample none of absence.
const THERE: f64 = 0.5;
/// Fewer samples than this in a row are missing now and then from any series that is scraped over a network.
const LEAST_MISSING: f64 = 3.0;
/// A silence counts only if it is this many times as long as the longest one before: the longest of a few is no bound
/// for the next.
const LONGER_THAN_BEFORE: f64 = 2.0;

/// A stretch of time and the samples in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen<'a> {
    pub(crate) times_ms: &'a [i64],
    pub(crate) stretch: Stretch,
    /// The usual distance between samples.
    pub(crate) cadence_ms: f64,
}

/// A time without samples that should have been there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Silence {
    /// How many samples are missing.
    missing: f64,
    /// The last sample before it, or the beginning of the stretch.
    pub(crate) from_ms: i64,
    /// The first sample after it; `None` if it lasts until the end of the stretch.
    pub(crate) back_ms: Option<i64>,
}

impl Silence {
    /// Whether it is so short that it is none.
    pub(crate) fn is_none_missing(self) -> bool {
        self.missing < 1.0
    }
}

impl Seen<'_> {
    /// How many samples would fill the stretch.
    pub(crate) fn possible(self) -> f64 {
        (self.stretch.to - self.stretch.from) as f64 / self.cadence_ms
    }

    /// Whether at least half of the samples that would fill it are there.
    pub(crate) fn is_filled(self) -> bool {
        self.times_ms.len() as f64 >= THERE * self.possible()
    }

    /// The share of the samples that would fill it, at most 1.
    pub(crate) fn share(self) -> f64 {
        (self.times_ms.len() as f64 / self.possible().max(1.0)).min(1.0)
    }

    /// From the first to the last sample, as a share of the stretch.
    pub(crate) fn span(self) -> f64 {
        let (Some(first), Some(last)) = (self.times_ms.first(), self.times_ms.last()) else { return 0.0 };
        ((last - first) as f64 / self.cadence_ms + 1.0) / self.possible().max(1.0)
    }

    /// The longest time without a sample. Samples that come a little late are not missing.
    pub(crate) fn longest_silence(self) -> Silence {
        let ends = self.times_ms.iter().map(|&ms| Some(ms)).chain([None]);
        let starts = [None].into_iter().chain(self.times_ms.iter().map(|&ms| Some(ms)));
        let mut longest = Silence { missing: 0.0, from_ms: self.stretch.to, back_ms: None };
        for (start, end) in starts.zip(ends) {
            let from_ms = start.unwrap_or(self.stretch.from);
            let distances = ((end.unwrap_or(self.stretch.to) - from_ms) as f64 / self.cadence_ms).round();
            // Before the first sample up to a whole distance is none.
            let missing = (distances - if start.is_none() && end.is_none() { 0.0 } else { 1.0 }).max(0.0);
            if missing >= longest.missing {
                longest = Silence { missing, from_ms, back_ms: end };
            }
        }
        longest
    }

    /// The same stretch from its first sample on.
    fn since_the_first(self) -> Self {
        let from = self.times_ms.first().copied().unwrap_or(self.stretch.from);
        Self { stretch: Stretch { from, ..self.stretch }, ..self }
    }
}

/// A series vanished if it fell silent until the end of the test stretch, or for most of it, for longer than its
/// reference knows and for at least half of the length of the test stretch: shorter ones are lost scrapes. `silent_after` is how long the silence goes on after the test stretch, in milliseconds: a series
/// that dies shortly before the end of the fault and stays away is as gone as one that dies at its beginning.
pub(crate) fn presence(before: Seen, during: Seen, silent_after: i64) -> Presence {
    if before.times_ms.is_empty() {
        let appeared = during.is_filled() && during.possible().min(before.possible()) >= LEAST_MISSING;
        return if appeared { Presence::Appeared } else { Presence::Patchy };
    }
    let silence = during.longest_silence();
    let goes_on = silence.back_ms.is_none() && silence.missing >= 1.0;
    let after = if goes_on { silent_after as f64 / during.cadence_ms } else { 0.0 };
    let missing = silence.missing + after;
    let unusual = missing >= LEAST_MISSING.max(THERE * during.possible())
        && missing >= LONGER_THAN_BEFORE * before.since_the_first().longest_silence().missing
        && before.possible() >= LEAST_MISSING;
    if unusual && before.is_filled() && (goes_on || !during.is_filled()) {
        return Presence::Vanished;
    }
    if during.times_ms.is_empty() { Presence::Patchy } else { Presence::Steady }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One sample a second, where there is one.
    fn presence_of(before: &[i64], during: &[i64], silent_after: i64) -> Presence {
        let times = |seconds: &[i64]| seconds.iter().map(|second| second * 1000).collect::<Vec<_>>();
        let (before, during) = (times(before), times(during));
        let seen = |times_ms, from: i64, to: i64| Seen {
            times_ms,
            stretch: Stretch { from: 1000 * from, to: 1000 * to },
            cadence_ms: 1000.0,
        };
        presence(seen(&before, 0, 100), seen(&during, 100, 120), 1000 * silent_after)
    }

    fn every(nth: usize, from: i64, to: i64) -> Vec<i64> {
        (from..to).step_by(nth).collect()
    }

    #[test]
    fn presence_follows_from_where_the_samples_are() {
        let (full, none) = (every(1, 0, 100), Vec::new());
        let gap_before: Vec<i64> = full.iter().copied().filter(|second| !(40..55).contains(second)).collect();
        let cases = [
            ("there all the time", &full, every(1, 100, 120), 0, Presence::Steady),
            ("never seen during the fault", &full, none.clone(), 0, Presence::Vanished),
            ("dies after one sample", &full, vec![100], 0, Presence::Vanished),
            ("dies just before the end and stays away", &full, every(1, 100, 118), 40, Presence::Vanished),
            ("the last two scrapes fail", &full, every(1, 100, 118), 0, Presence::Steady),
            (
                "two scrapes fail in between",
                &full,
                [every(1, 100, 108), every(1, 110, 120)].concat(),
                0,
                Presence::Steady,
            ),
            ("gone for most of it, then back", &full, vec![100, 101, 118, 119], 0, Presence::Vanished),
            ("not scraped after the fault", &full, every(1, 100, 120), 40, Presence::Steady),
            ("silent no longer than before", &gap_before, every(1, 100, 112), 0, Presence::Steady),
            ("silent twice as long as before", &gap_before, vec![100], 30, Presence::Vanished),
            ("new", &none, every(1, 100, 120), 0, Presence::Appeared),
            ("hardly new", &none, vec![104, 110, 111], 0, Presence::Patchy),
            ("seldom there before", &every(4, 0, 100), none.clone(), 0, Presence::Patchy),
        ];
        for (name, before, during, silent_after, expected) in cases {
            assert_eq!(presence_of(before, &during, silent_after), expected, "{name}");
        }
    }
}
