//! Did a series vanish or appear?
//!
//! In: how many samples each stretch holds, and how many it could hold. Out: a [`Presence`]. Whether a vanished
//! series is alarming depends on how often series of this system come and go by themselves: `calibrate` knows.

/// Where a series was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Presence {
    /// Before and during the fault.
    Steady,
    /// Regularly before, not at all during the fault.
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

/// Samples seen in a stretch and the samples that would fill it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Filled {
    pub(crate) samples: usize,
    pub(crate) possible: f64,
}

impl Filled {
    fn there(self) -> bool {
        self.samples as f64 >= THERE * self.possible
    }
}

/// `shortest` is the number of test samples below which absence means nothing.
pub(crate) fn presence(before: Filled, during: Filled, shortest: usize) -> Presence {
    let tellable = during.possible >= shortest as f64 && before.possible >= shortest as f64;
    match (before.samples, during.samples) {
        (_, 0) if tellable && before.there() => Presence::Vanished,
        (0, _) if tellable && during.there() => Presence::Appeared,
        (0, _) | (_, 0) => Presence::Patchy,
        _ => Presence::Steady,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_follows_from_how_full_each_stretch_is() {
        let of = |samples, possible| Filled { samples, possible };
        let cases = [
            (of(100, 100.0), of(20, 20.0), Presence::Steady),
            (of(100, 100.0), of(0, 20.0), Presence::Vanished),
            (of(0, 100.0), of(20, 20.0), Presence::Appeared),
            (of(30, 100.0), of(0, 20.0), Presence::Patchy),
            (of(0, 100.0), of(3, 20.0), Presence::Patchy),
            (of(100, 100.0), of(0, 2.0), Presence::Patchy),
        ];
        for (before, during, expected) in cases {
            assert_eq!(presence(before, during, 3), expected, "{before:?} {during:?}");
        }
    }
}
