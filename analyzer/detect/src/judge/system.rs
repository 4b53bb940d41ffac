//! How sure is it that the system changed, and how sure is that?
//!
//! In: the p-values of all services, and what stood behind them. Out: [`SystemEvidence`], whose sentence claims no more
//! than was measured.

use aftermath_model::{LearnedNull, SystemEvidence};

use crate::proportion::Proportion;
use crate::scores::SeriesScore;
use crate::service::{Service, system_p_value};

/// The rank of a window among learned ones says something from the number on whose smallest share is 5 %, the level of
/// a warning. Before that one odd window would decide.
const RANKS_SPEAK_AT: usize = 19;
/// A placebo window counts if at least this share of the series has enough samples in it.
const FILLED: f64 = 0.5;

/// How many placebo windows hold data.
pub(super) fn placebo_windows(series: &[&SeriesScore]) -> usize {
    let windows = series.iter().map(|score| score.placebos.len()).max().unwrap_or_default();
    let filled = |window: usize| {
        let tells =
            |score: &&&SeriesScore| score.placebos.get(window).is_some_and(|deviate| !deviate.is_nan());
        series.iter().filter(tells).count() as f64 >= FILLED * series.len() as f64
    };
    (0..windows).filter(|&window| filled(window)).count()
}

pub(super) fn evidence(
    services: &[Service],
    placebos: usize,
    learned: Option<&LearnedNull>,
) -> SystemEvidence {
    let by_model = system_p_value(services.iter().map(|service| service.p_value).collect());
    let p_value = by_model.map(|p_value| ranked(p_value, learned));
    let measured = learned.map(|learned| learned.failed).filter(|failed| failed.chances > 0);
    let measured = measured.map(|failed| Proportion::of(failed.times, failed.chances));
    let windows = placebos + learned.map_or(0, |learned| learned.windows);
    let tail = p_value.and_then(|p_value| beyond_counting(p_value, placebos, learned));
    SystemEvidence {
        p_value,
        placebo_windows: windows,
        false_alarm_rate: measured.and_then(|share| share.rate()),
        false_alarm_basis: format!("{}{}", rate_basis(measured), tail.unwrap_or_default()),
        detectable_effect: None,
    }
}

/// With enough learned windows the p-value is their count, (1 + windows with as small a value) / (windows + 1), which
/// assumes nothing of the services. What is smaller than in all of them keeps the p-value of the services, a tail
/// model, unless the count is smaller.
fn ranked(p_value: f64, learned: Option<&LearnedNull>) -> f64 {
    let Some(learned) = learned.filter(|learned| learned.system_p_values.len() >= RANKS_SPEAK_AT) else {
        return p_value;
    };
    let as_small = learned.system_p_values.iter().filter(|&&quiet| quiet <= p_value).count();
    let resolution = 1.0 / (learned.system_p_values.len() + 1) as f64;
    if as_small == 0 { p_value.min(resolution) } else { resolution * (1 + as_small) as f64 }
}

fn rate_basis(measured: Option<Proportion>) -> String {
    match measured {
        Some(share) => format!(
            "{} of {} quiet windows of this system would have failed (95 %: at most {:.1} %)",
            share.hits,
            share.trials,
            100.0 * share.upper
        ),
        None => "designed for at most 1 %; not measured on this system (aftermath calibrate measures it)"
            .to_owned(),
    }
}

/// What to add where the p-value is smaller than the number of quiet windows can show by counting.
fn beyond_counting(p_value: f64, placebos: usize, learned: Option<&LearnedNull>) -> Option<String> {
    let ranks = learned.map_or(0, |learned| learned.system_p_values.len());
    let (windows, kind) = if ranks >= RANKS_SPEAK_AT { (ranks, "quiet") } else { (placebos, "placebo") };
    if windows == 0 {
        return Some("; p rests on theory alone, without any quiet window".to_owned());
    }
    let least = 1.0 / (windows + 1) as f64;
    (p_value < least).then(|| {
        format!("; p below {least:.2} rests on a tail model, not on counting {windows} {kind} windows")
    })
}

#[cfg(test)]
mod tests {
    use aftermath_model::learned::LearnedRate;

    use super::*;

    fn services(p_value: f64) -> Vec<Service<'static>> {
        vec![Service {
            name: "web",
            p_value,
            q_value: p_value,
            series: Vec::new(),
            trust: 0.0,
            pattern: None,
        }]
    }

    fn learned(windows: usize, failed: LearnedRate) -> LearnedNull {
        let system_p_values = (1..=windows).map(|rank| rank as f64 / (windows + 1) as f64).collect();
        LearnedNull { windows, system_p_values, failed, ..LearnedNull::default() }
    }

    #[test]
    fn what_was_not_measured_has_no_rate() {
        let evidence = evidence(&services(0.3), 24, None);
        assert_eq!((evidence.p_value, evidence.false_alarm_rate), (Some(0.3), None));
        assert_eq!(
            evidence.false_alarm_basis,
            "designed for at most 1 %; not measured on this system (aftermath calibrate measures it)"
        );
    }

    #[test]
    fn a_measured_rate_says_of_how_many_windows() {
        let learned = learned(49, LearnedRate { chances: 49, times: 1 });
        let evidence = evidence(&services(0.3), 24, Some(&learned));
        assert!((evidence.false_alarm_rate.unwrap() - 1.0 / 49.0).abs() < 1e-12);
        assert!(evidence.false_alarm_basis.starts_with("1 of 49 quiet windows"), "{evidence:?}");
        assert_eq!(evidence.placebo_windows, 73);
    }

    #[test]
    fn a_p_value_that_nobody_counted_says_what_it_rests_on() {
        let cases =
            [(0.2, 24, ""), (0.001, 24, "p below 0.04 rests on a tail model"), (0.2, 0, "theory alone")];
        for (p_value, placebos, said) in cases {
            let basis = evidence(&services(p_value), placebos, None).false_alarm_basis;
            assert!(basis.contains(said) && basis.contains("rests") != said.is_empty(), "{p_value}: {basis}");
        }
    }

    #[test]
    fn enough_learned_windows_are_counted_and_few_are_not() {
        let of = |p_value, windows| {
            evidence(&services(p_value), 24, Some(&learned(windows, LearnedRate::default()))).p_value.unwrap()
        };
        assert!((of(0.05, 99) - 0.06).abs() < 1e-12, "five of 99 quiet windows are as small");
        assert!((of(1e-6, 99) - 1e-6).abs() < 1e-18, "beyond all of them the tail model goes on");
        assert!((of(0.015, 19) - 0.015).abs() < 1e-12);
        assert!((of(0.3, 5) - 0.3).abs() < 1e-12, "five windows are too few to count");
    }
}
