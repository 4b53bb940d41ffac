//! What the test promises, measured on seeded AR(1) paths.

use aftermath_generator::Random;

use super::*;
use crate::Proportion;

const BASELINE: usize = 120;
const LOOKS: usize = 240;
const ALPHA: f64 = 0.01;

/// An indicator with memory `phi`, unit variance and a level of 0.
struct Indicator {
    phi: f64,
    heavy: bool,
    value: f64,
    random: Random,
}

impl Indicator {
    fn new(phi: f64, heavy: bool, seed: u64) -> Self {
        let mut indicator = Self { phi, heavy, value: 0.0, random: Random::new(seed) };
        for _ in 0..300 {
            indicator.next();
        }
        indicator
    }

    fn next(&mut self) -> f64 {
        let shock = if self.heavy { self.random.heavy() } else { self.random.normal() };
        self.value = self.phi * self.value + (1.0 - self.phi * self.phi).sqrt() * shock;
        self.value
    }

    fn take(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

fn known(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

fn upward(baseline: &[f64]) -> AbortTest {
    AbortTest::new(&known(baseline), Harm::Up, ALPHA).expect("long enough")
}

/// The look of the abort, counted from 1.
fn aborts(test: &mut AbortTest, samples: impl IntoIterator<Item = Option<f64>>) -> Option<usize> {
    samples.into_iter().position(|sample| test.look(sample) != AbortDecision::Continue).map(|look| look + 1)
}

/// The looks at which `runs` seeded runs abort when the level moves by `shift` at look `onset`.
fn stops(phi: f64, heavy: bool, baseline: usize, shift: f64, onset: usize, runs: u64) -> Vec<Option<usize>> {
    (0..runs)
        .map(|seed| {
            let mut indicator = Indicator::new(phi, heavy, seed);
            let mut test = upward(&indicator.take(baseline));
            let samples = indicator.take(LOOKS).into_iter().enumerate();
            aborts(
                &mut test,
                samples.map(|(look, value)| Some(if look < onset { value } else { value + shift })),
            )
        })
        .collect()
}

fn false_aborts(phi: f64, heavy: bool, baseline: usize, runs: u64) -> Proportion {
    let stops = stops(phi, heavy, baseline, 0.0, 0, runs);
    Proportion::of(stops.iter().flatten().count(), stops.len())
}

fn median_delay(phi: f64, shift: f64, onset: usize) -> usize {
    let mut delays: Vec<usize> = stops(phi, false, BASELINE, shift, onset, 100)
        .into_iter()
        .map(|stop| stop.filter(|&look| look > onset).map_or(usize::MAX, |look| look - onset))
        .collect();
    delays.sort_unstable();
    delays[delays.len() / 2]
}

#[test]
fn a_quiet_indicator_is_aborted_in_at_most_one_of_a_hundred_runs_however_much_it_remembers() {
    let (mut aborted, mut runs) = (0, 0);
    for phi in [0.0, 0.5, 0.8, 0.9, 0.95] {
        for heavy in [false, true] {
            let rate = false_aborts(phi, heavy, BASELINE, 200);
            assert!(rate.lower <= ALPHA, "phi {phi} heavy {heavy}: {rate:?}");
            (aborted, runs) = (aborted + rate.hits, runs + rate.trials);
        }
    }
    let rate = Proportion::of(aborted, runs);
    assert!(rate.upper <= ALPHA, "{rate:?}");
}

#[test]
fn a_short_baseline_makes_the_test_slower_rather_than_wrong() {
    for phi in [0.0, 0.5, 0.8, 0.9] {
        let rate = false_aborts(phi, false, 40, 150);
        assert!(rate.upper <= 4.0 * ALPHA, "phi {phi}: {rate:?}");
    }
}

#[test]
fn four_deviations_are_aborted_within_five_samples() {
    for phi in [0.0, 0.5, 0.8, 0.9] {
        let delay = median_delay(phi, 4.0, 0);
        assert!(delay <= 5, "phi {phi}: {delay}");
    }
}

#[test]
fn harm_that_begins_late_is_found_too() {
    for (phi, most) in [(0.0, 5), (0.5, 8), (0.8, 12)] {
        let delay = median_delay(phi, 4.0, 60);
        assert!(delay <= most, "phi {phi}: {delay}");
    }
}

#[test]
fn a_baseline_that_is_played_back_never_aborts() {
    for seed in 0..200 {
        let phi = f64::from(u32::try_from(seed % 10).unwrap()) / 10.0;
        let baseline = Indicator::new(phi, seed % 2 == 0, seed).take(BASELINE);
        // Backwards, so that the first sample follows the last one without a jump: such a process looks the same both ways.
        let back: Vec<f64> = baseline.iter().rev().copied().collect();
        assert_eq!(aborts(&mut upward(&baseline), known(&back)), None, "seed {seed}");
    }
}

#[test]
fn the_unit_and_the_zero_of_an_indicator_do_not_matter() {
    for seed in 0..20 {
        let mut indicator = Indicator::new(0.6, true, seed);
        let (baseline, samples) = (indicator.take(BASELINE), indicator.take(40));
        let evidence = |scale: f64, zero: f64| {
            let moved =
                |values: &[f64]| -> Vec<f64> { values.iter().map(|value| scale * value + zero).collect() };
            let mut test = upward(&moved(&baseline));
            aborts(&mut test, known(&moved(&samples)));
            test.evidence()
        };
        let (plain, converted) = (evidence(1.0, 0.0), evidence(1000.0, 77.0));
        assert!((plain / converted - 1.0).abs() < 1e-6, "seed {seed}: {plain} {converted}");
    }
}

#[test]
fn falling_is_to_a_falling_harm_what_rising_is_to_a_rising_one() {
    for seed in 0..20 {
        let mut indicator = Indicator::new(0.4, false, seed);
        let baseline = indicator.take(BASELINE);
        let samples: Vec<f64> = indicator.take(20).iter().map(|value| value + 3.0).collect();
        let mirrored = |values: &[f64]| known(&values.iter().map(|value| -value).collect::<Vec<_>>());
        let up = aborts(&mut upward(&baseline), known(&samples));
        let mut falling = AbortTest::new(&mirrored(&baseline), Harm::Down, ALPHA).unwrap();
        assert_eq!(up, aborts(&mut falling, mirrored(&samples)));
        let mut wrong_way = AbortTest::new(&known(&baseline), Harm::Down, ALPHA).unwrap();
        assert_eq!(aborts(&mut wrong_way, known(&samples)), None);
    }
}

#[test]
fn a_test_in_both_directions_sees_either() {
    for shift in [-4.0, 4.0] {
        let mut indicator = Indicator::new(0.3, false, 5);
        let mut test = AbortTest::new(&known(&indicator.take(BASELINE)), Harm::Both, ALPHA).unwrap();
        let samples: Vec<f64> = indicator.take(10).iter().map(|value| value + shift).collect();
        assert!(aborts(&mut test, known(&samples)).is_some_and(|look| look <= 5), "{shift}");
    }
}

#[test]
fn missing_samples_are_never_evidence() {
    let mut indicator = Indicator::new(0.8, false, 3);
    let mut test = upward(&indicator.take(BASELINE));
    test.look(Some(indicator.next()));
    let before = test.evidence();
    assert_eq!(aborts(&mut test, vec![None; 500]), None);
    assert_eq!(aborts(&mut test, [Some(f64::NAN), Some(f64::INFINITY)]), None);
    assert!((test.evidence() - before).abs() < f64::EPSILON);
}

#[test]
fn gaps_in_baseline_and_run_do_not_raise_false_aborts() {
    let runs = 200;
    let aborted = (0..runs).filter(|&seed| {
        let mut indicator = Indicator::new(0.8, false, seed);
        let mut lost = Random::new(seed + 1_000_000);
        let mut scraped = |values: Vec<f64>| -> Vec<Option<f64>> {
            values.into_iter().map(|value| Some(value).filter(|_| !lost.chance(0.3))).collect()
        };
        let baseline = scraped(indicator.take(BASELINE));
        let mut test = AbortTest::new(&baseline, Harm::Up, ALPHA).unwrap();
        aborts(&mut test, scraped(indicator.take(LOOKS))).is_some()
    });
    let rate = Proportion::of(aborted.count(), usize::try_from(runs).unwrap());
    assert!(rate.upper <= 3.0 * ALPHA, "{rate:?}");
}

#[test]
fn one_stray_sample_stops_no_experiment() {
    let mut indicator = Indicator::new(0.0, false, 9);
    let mut test = upward(&indicator.take(BASELINE));
    assert_eq!(test.look(Some(1e6)), AbortDecision::Continue);
    assert_eq!(aborts(&mut test, known(&indicator.take(50))), None);
}

#[test]
fn rare_errors_before_do_not_abort_and_many_do() {
    let runs = 200;
    let seldom = |seed: u64| {
        let mut random = Random::new(seed);
        (0..BASELINE + LOOKS).map(|_| random.poisson(0.05)).collect::<Vec<f64>>()
    };
    let stopped = (0..runs).filter(|&seed| {
        let errors = seldom(seed);
        aborts(&mut upward(&errors[..BASELINE]), known(&errors[BASELINE..])).is_some()
    });
    let rate = Proportion::of(stopped.count(), usize::try_from(runs).unwrap());
    assert!(rate.upper <= 3.0 * ALPHA, "{rate:?}");
    let errors = seldom(1);
    let look = aborts(&mut upward(&errors[..BASELINE]), [Some(5.0); 20]);
    assert!(look.is_some_and(|look| look <= 5), "{look:?}");
}

#[test]
fn an_indicator_that_never_moved_aborts_when_it_stays_away() {
    let mut test = upward(&[0.0; BASELINE]);
    assert_eq!(aborts(&mut test, known(&[0.0, 3.0, 0.0, 0.0, 0.0])), None);
    let away = aborts(&mut upward(&[0.0; BASELINE]), [Some(0.4); 10]);
    assert!(away.is_some_and(|look| look <= 3), "{away:?}");
    assert_eq!(aborts(&mut upward(&[7.0; BASELINE]), [Some(7.0); 240]), None);
}

#[test]
fn an_abort_says_when_the_harm_began_and_stays_said() {
    let mut indicator = Indicator::new(0.2, false, 21);
    let mut test = upward(&indicator.take(BASELINE));
    assert_eq!(aborts(&mut test, known(&indicator.take(30))), None);
    let mut last = AbortDecision::Continue;
    for value in indicator.take(10) {
        last = test.look(Some(value + 6.0));
    }
    let AbortDecision::Abort { evidence, since } = last else { panic!("six deviations are not seen") };
    assert!(evidence >= 1.0 / ALPHA);
    assert!((29..=31).contains(&since), "{since}");
    assert_eq!(test.look(Some(0.0)), last);
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let long = known(&Indicator::new(0.0, false, 1).take(BASELINE));
    let refused = |baseline: &[Option<f64>], alpha: f64| AbortTest::new(baseline, Harm::Up, alpha).is_none();
    assert!(refused(&long[..19], ALPHA) && !refused(&long[..20], ALPHA));
    assert!(refused(&[None; 200], ALPHA));
    assert!(refused(&[&long[..], &[Some(f64::NAN)]].concat(), ALPHA));
    for alpha in [0.0, 1.0, -0.5, f64::NAN] {
        assert!(refused(&long, alpha), "{alpha}");
    }
}
