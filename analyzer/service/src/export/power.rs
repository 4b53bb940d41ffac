//! What this run could have seen, and what happened after the fault, in words.

use super::names;
use super::numbers::{digits, percent};
use super::report::{Report, ServiceEntry, VerdictWord};
use super::story::{measured, since_fault};
use super::{DetectableEntry, OvershootEntry};
use crate::export::numbers::Unit;

/// From which size on this run would have seen changes; `None` where nothing is known.
pub(super) fn sentence(report: &Report) -> Option<String> {
    let Some(effect) = report.system.detectable_effect else { return unknown(report) };
    let mut seen: Vec<(&ServiceEntry, &DetectableEntry)> =
        report.services.iter().filter_map(|service| Some((service, service.detectable.as_ref()?))).collect();
    seen.sort_by(|(_, a), (_, b)| a.effect.unwrap_or(f64::MAX).total_cmp(&b.effect.unwrap_or(f64::MAX)));
    let (best, worst) = (seen.first()?, seen.last()?);
    let blind = report.services.len() - seen.len();
    let without = match blind {
        0 => String::new(),
        _ => format!(" Of {blind} of {} services it cannot be said.", report.services.len()),
    };
    let said = match report.verdict {
        VerdictWord::Pass => "would have failed this run",
        VerdictWord::Warn | VerdictWord::Fail | VerdictWord::Inconclusive => "would have been called a hit",
    };
    Some(format!(
        "In half of the services a change by {} standard deviations or more {said} in four of five cases; most easily \
         {}, least easily {}.{without}",
        digits(effect),
        change(best),
        change(worst)
    ))
}

/// What to say where the run could have seen no change at all for sure, or nothing was judged.
fn unknown(report: &Report) -> Option<String> {
    (!report.services.is_empty()).then(|| {
        "In half of the services or more it cannot be said how small a change would have been seen: the baseline holds too \
         few windows like the fault. A longer baseline or a learned file helps."
            .to_owned()
    })
}

fn change((service, change): &(&ServiceEntry, &DetectableEntry)) -> String {
    let metric = measured(&change.metric, &names::label_set(&change.labels), &change.measure);
    let size = match (change.relative, change.effect) {
        (Some(share), _) => format!(" (from +{} on)", percent(share)),
        (None, Some(effect)) => format!(" (from {} standard deviations on)", digits(effect)),
        (None, None) => String::new(),
    };
    let beside = if change.metrics_needed > 1 { " together with another metric" } else { "" };
    format!("{metric} of {}{size}{beside}", names::service(&service.name))
}

/// What services that were hit did beyond coming back, one sentence for each.
pub(super) fn overshoots(report: &Report) -> Vec<String> {
    let hit = report.services.iter().filter(|service| service.affected);
    hit.filter_map(|service| Some(overshoot(report, service, service.overshoot.as_ref()?))).collect()
}

fn overshoot(report: &Report, service: &ServiceEntry, overshoot: &OvershootEntry) -> String {
    let unit = Unit::of(&overshoot.metric, &overshoot.measure);
    let show = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |value| unit.show(value));
    format!(
        "After the fault {} of {} went beyond normal, to {} (usually {}), until {}.",
        measured(&overshoot.metric, &names::label_set(&overshoot.labels), &overshoot.measure),
        names::service(&service.name),
        show(overshoot.value),
        show(overshoot.baseline),
        since_fault(report, Some(overshoot.until)),
    )
}
