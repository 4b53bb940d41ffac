//! What the report says in words. Text, Markdown and HTML differ in their dress only; the sentences are these.

pub(super) use super::headline::headline;
use super::names::{self, short_list};
use super::numbers::{self, Unit, count, duration, offset, percent};
use super::power;
use super::report::{
    DirectionWord, FindingEntry, Moment, ReasonEntry, Report, ServiceEntry, ServiceState, VerdictWord,
    WindowEntry, Windows,
};

impl VerdictWord {
    /// The word as a reader meets it.
    pub(super) fn shouted(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
            Self::Inconclusive => "INCONCLUSIVE",
        }
    }
}

/// Services that were hit although nobody foresaw it, the worst first.
pub(super) fn unexpected(report: &Report) -> Vec<&ServiceEntry> {
    report.services.iter().filter(|service| service.affected && !service.expected).collect()
}

/// Services that were hit as foreseen, the worst first.
pub(super) fn expected(report: &Report) -> Vec<&ServiceEntry> {
    report.services.iter().filter(|service| service.affected && service.expected).collect()
}

/// Services that were hit, those that nobody expected first.
pub(super) fn hit(report: &Report) -> Vec<&ServiceEntry> {
    unexpected(report).into_iter().chain(expected(report)).collect()
}

/// Services that do not count as hit, yet own series that changed.
pub(super) fn may_have_changed(report: &Report) -> Vec<&ServiceEntry> {
    let calm = report.services.iter().filter(|service| !service.affected);
    calm.filter(|service| findings_of(report, service).next().is_some()).collect()
}

/// Services of which no series changed; none where the verdict says that nothing was judged, as nobody has looked.
pub(super) fn no_change_seen(report: &Report) -> Vec<&ServiceEntry> {
    if nothing_was_judged(report) {
        return Vec::new();
    }
    let calm = report.services.iter().filter(|service| !service.affected);
    calm.filter(|service| findings_of(report, service).next().is_none()).collect()
}

/// Reasons for no verdict that leave open whether a service without findings changed.
const NOTHING_JUDGED: [&str; 5] =
    ["no_data", "baseline_too_short", "fault_too_short", "not_steady", "too_many_gaps"];

/// Whether there is no verdict because too little could be judged to call anything unchanged.
pub(super) fn nothing_was_judged(report: &Report) -> bool {
    let blind = |reason: &ReasonEntry| NOTHING_JUDGED.contains(&reason.id.as_str());
    report.verdict == VerdictWord::Inconclusive && report.reasons.iter().any(blind)
}

/// What stands in place of the services that were hit when there are none.
pub(super) fn nothing_hit(report: &Report) -> &'static str {
    match report.verdict {
        VerdictWord::Inconclusive => "What was hit cannot be told.",
        VerdictWord::Pass | VerdictWord::Warn | VerdictWord::Fail => "No service was hit.",
    }
}

/// The findings of one service, the strongest first.
pub(super) fn findings_of<'a>(
    report: &'a Report,
    service: &'a ServiceEntry,
) -> impl Iterator<Item = &'a FindingEntry> {
    report.findings.iter().filter(|finding| finding.service == service.name)
}

pub(super) fn never_recovered(report: &Report) -> Vec<&ServiceEntry> {
    let hit = report.services.iter().filter(|service| service.affected);
    hit.filter(|service| service.state == ServiceState::NotRecovered).collect()
}

pub(super) fn named(services: &[&ServiceEntry]) -> String {
    short_list(services.iter().map(|service| service.name.as_str()))
}

pub(super) fn was_or_were(number: usize) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

/// `score 23 of 100`, or that there is none.
pub(super) fn score(report: &Report) -> String {
    match points(report) {
        points if points.is_empty() => "no score".to_owned(),
        points => format!("score {points} of 100"),
    }
}

/// The score as a whole number; empty where there is none, and where a number would pass for an answer.
pub(super) fn points(report: &Report) -> String {
    match report.score {
        Some(score) if report.verdict != VerdictWord::Inconclusive => format!("{score:.0}"),
        _ => String::new(),
    }
}

/// What was done to the system and when, in one sentence.
pub(super) fn experiment(report: &Report) -> String {
    let Windows { baseline, fault, recovery, .. } = &report.windows;
    let target = report
        .target
        .as_deref()
        .map(|target| format!(" acted on {}", names::service(target)))
        .unwrap_or_default();
    let before = if baseline.to <= fault.from { "before" } else { "after" };
    let watched = recovery.as_ref().map_or_else(
        || "the recovery was not watched".to_owned(),
        |recovery| format!("the recovery was watched for {}", duration(recovery.duration_ms())),
    );
    format!(
        "The fault{target} for {} from {}; it is compared with {} recorded {before} it, and {watched}.",
        duration(fault.duration_ms()),
        at(fault.from),
        duration(baseline.duration_ms()),
    )
}

/// A point in time for people: `2026-03-01 12:00:00 UTC`, with milliseconds where there are any.
pub(super) fn at(moment: Moment) -> String {
    moment.0.to_string().replace('T', " ").replace(".000Z", " UTC").replace('Z', " UTC")
}

/// A window for people.
pub(super) fn window(window: WindowEntry) -> String {
    format!("{} to {} ({})", at(window.from), at(window.to), duration(window.duration_ms()))
}

/// When something happened, counted from the start of the fault; a dash where that is not known.
pub(super) fn since_fault(report: &Report, moment: Option<Moment>) -> String {
    let start = report.windows.fault.from.0.ms();
    moment.map_or_else(|| "–".to_owned(), |moment| offset(moment.0.ms() - start))
}

/// Whether and when a service came back.
pub(super) fn recovery(report: &Report, service: &ServiceEntry) -> String {
    match service.state {
        ServiceState::Unaffected => "not hit".to_owned(),
        ServiceState::NotRecovered => "never, as long as it was watched".to_owned(),
        ServiceState::CannotTell if report.windows.recovery.is_none() => "not watched".to_owned(),
        ServiceState::CannotTell => "cannot be told".to_owned(),
        ServiceState::Recovered => match service.recovery_seconds {
            Some(seconds) if seconds > 0.0 => format!("{} after the fault", duration_of_seconds(seconds)),
            Some(_) => "before the fault ended".to_owned(),
            None => "yes".to_owned(),
        },
    }
}

fn duration_of_seconds(seconds: f64) -> String {
    // In range: a recovery lies inside the calendar, and the cast saturates.
    #[allow(clippy::cast_possible_truncation)]
    let ms = (seconds * 1000.0).round() as i64;
    duration(ms)
}

/// The measure that tells how many observations of a histogram lie elsewhere than usual.
const SHAPE: &str = "shape";

/// What a finding measured, and of what: `p99 of http_request_duration_seconds{route="/"}`.
pub(super) fn series(finding: &FindingEntry) -> String {
    measured(&finding.metric, &names::label_set(&finding.labels), &finding.measure)
}

/// What was measured of a metric: `p99 of http_request_duration_seconds`. The labels are text already, maybe none.
pub(super) fn measured(metric: &str, labels: &str, measure: &str) -> String {
    let metric = names::visible(metric);
    match measure {
        "value" | "" => format!("{metric}{labels}"),
        "per second" => format!("{metric}{labels} per second"),
        _ => format!("{} of {metric}{labels}", names::visible(measure)),
    }
}

/// `12 ms → 480 ms`; a side on which the series did not exist is `absent`.
pub(super) fn before_and_during(finding: &FindingEntry) -> String {
    let unit = Unit::of(&finding.metric, &finding.measure);
    let missing = match finding.direction {
        DirectionWord::Appeared | DirectionWord::Vanished => "absent",
        DirectionWord::Up | DirectionWord::Down => "unknown",
    };
    let show = |value: Option<f64>| value.map_or_else(|| missing.to_owned(), |value| unit.show(value));
    if finding.measure == SHAPE {
        // A little below 0 is less than chance makes of it: nothing.
        let share = |value: Option<f64>| show(value.map(|share| share.max(0.0)));
        return format!(
            "{} → {} of observations in other buckets",
            share(finding.baseline),
            share(finding.fault)
        );
    }
    format!("{} → {}", show(finding.baseline), show(finding.fault))
}

/// `×40`; for series that came or went and processes that started again, that word; empty where no factor says
/// anything.
pub(super) fn factor(finding: &FindingEntry) -> String {
    match finding.restarts {
        None => {}
        Some(1) => return "restarted".to_owned(),
        Some(times) => return format!("restarted {times} times"),
    }
    if finding.measure == SHAPE {
        return String::new();
    }
    match finding.direction {
        DirectionWord::Appeared => "appeared".to_owned(),
        DirectionWord::Vanished => "vanished".to_owned(),
        DirectionWord::Up | DirectionWord::Down
            if Unit::of(&finding.metric, &finding.measure) == Unit::Clock =>
        {
            "moved".to_owned()
        }
        DirectionWord::Up => {
            numbers::change(finding.baseline, finding.fault).unwrap_or_else(|| "up".to_owned())
        }
        DirectionWord::Down => {
            numbers::change(finding.baseline, finding.fault).unwrap_or_else(|| "down".to_owned())
        }
    }
}

/// From when to when a finding lasted, counted from the start of the fault.
pub(super) fn lasted(report: &Report, finding: &FindingEntry) -> String {
    let from = since_fault(report, finding.onset);
    let to = since_fault(report, finding.recovered_at);
    match (finding.onset, finding.recovered_at) {
        (Some(_), Some(_)) => format!("{from} to {to}"),
        (Some(_), None) => format!("from {from} on"),
        (None, Some(_)) => format!("until {to}"),
        (None, None) => "–".to_owned(),
    }
}

/// A service with its strongest findings.
pub(super) type Evidence<'a> = (&'a ServiceEntry, Vec<&'a FindingEntry>);

/// The strongest findings of those `services` that have some, at most `per_service` of each.
pub(super) fn strongest<'a>(
    report: &'a Report,
    services: Vec<&'a ServiceEntry>,
    per_service: usize,
) -> Vec<Evidence<'a>> {
    let with_findings = services
        .into_iter()
        .map(|service| (service, findings_of(report, service).take(per_service).collect::<Vec<_>>()));
    with_findings.filter(|(_, findings)| !findings.is_empty()).collect()
}

/// How many series of a service changed, and how likely so much is by chance: `2 series changed, p 0.03`.
pub(super) fn signs(report: &Report, service: &ServiceEntry) -> String {
    let changed = count(findings_of(report, service).count(), "series changed", "series changed");
    format!("{changed}, p {}", numbers::probability(service.p_value))
}

/// The predefined checks in one sentence; `None` if there were none.
pub(super) fn checks(report: &Report) -> Option<String> {
    let total = report.checks.len();
    let red: Vec<String> =
        report.checks.iter().filter(|check| !check.passed).map(|check| names::visible(&check.name)).collect();
    if total == 0 {
        return None;
    }
    if !red.is_empty() {
        if total == 1 {
            return Some(format!("The predefined check {} is red.", red.join(", ")));
        }
        let verb = if red.len() == 1 { "is" } else { "are" };
        return Some(format!("{} of {total} predefined checks {verb} red: {}.", red.len(), red.join(", ")));
    }
    let green = match total {
        1 => "The predefined check is green".to_owned(),
        2 => "Both predefined checks are green".to_owned(),
        _ => format!("All {total} predefined checks are green"),
    };
    let missed = unexpected(report).len();
    Some(match missed {
        0 => format!("{green}."),
        _ => format!(
            "{green}, yet {} {} hit that nobody expected.",
            count(missed, "service", "services"),
            was_or_were(missed)
        ),
    })
}

/// How surprising the whole change is, and how often this procedure is wrong.
pub(super) fn trust(report: &Report) -> Vec<String> {
    let system = &report.system;
    let windows = count(system.placebo_windows, "quiet window", "quiet windows");
    let surprise = match system.p_value {
        Some(_) => format!(
            "The chance of so much change when nothing happened is {} (compared with {windows} of this system).",
            numbers::probability(system.p_value)
        ),
        None => {
            format!("The chance of so much change when nothing happened could not be computed ({windows}).")
        }
    };
    let basis = match names::visible(system.false_alarm_basis.trim()) {
        basis if basis.is_empty() => basis,
        basis => format!(" ({basis})"),
    };
    let alarm = match system.false_alarm_rate {
        Some(rate) => {
            format!("When nothing happened, this procedure says fail in {} of cases{basis}.", percent(rate))
        }
        None => format!("How often this procedure says fail when nothing happened is not known{basis}."),
    };
    [surprise, alarm].into_iter().chain(power::sentence(report)).collect()
}

/// How many series were judged, in one sentence.
pub(super) fn coverage(report: &Report) -> String {
    let coverage = &report.coverage;
    if coverage.series == 0 {
        return "No series was read.".to_owned();
    }
    let share = percent(coverage.judged as f64 / coverage.series as f64);
    format!("{} of {} were judged ({share}).", coverage.judged, count(coverage.series, "series", "series"))
}

/// Why series could not be judged, in words; a cause of a later version is shown by its name.
pub(super) fn gap_cause(cause: &str) -> String {
    match cause {
        "too_few_baseline_samples" => "too few samples before the fault".to_owned(),
        "too_few_fault_samples" => "too few samples during the fault".to_owned(),
        "too_many_missing_samples" => "too many samples missing".to_owned(),
        "info_series" => "only carries labels".to_owned(),
        "incomplete_histogram" => "a histogram with parts missing".to_owned(),
        "native_histogram" => "buckets of a histogram without their bounds".to_owned(),
        "limit_reached" => "cut off at a limit".to_owned(),
        other => names::visible(other).replace('_', " "),
    }
}

/// The order in which services were reached, in a sentence; `None` where there are not two of them.
pub(super) fn order(report: &Report) -> Option<String> {
    const NAMED: usize = 5;
    let wave = |names: &Vec<String>| {
        let shown: Vec<String> = names.iter().take(NAMED).map(|name| names::service(name)).collect();
        match names.len() - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    };
    let waves = &report.propagation;
    if waves.len() > 1 {
        let then: Vec<String> = waves.iter().map(wave).collect();
        return Some(format!("Reached in this order: {}.", then.join("; then ")));
    }
    let alike = waves.first().filter(|first| first.len() > 1)?;
    Some(format!("Which of {} was reached first cannot be told.", wave(alike)))
}

/// The likeliest origins with their scores, at most `limit`; none when nothing was hit.
pub(super) fn origins(report: &Report, limit: usize) -> Vec<(String, f64)> {
    if !report.services.iter().any(|service| service.affected) {
        return Vec::new();
    }
    let scored = report.origin.iter().filter_map(|origin| Some((origin, origin.score?)));
    let likely = scored.filter(|(_, score)| *score > 0.0).take(limit);
    likely.map(|(origin, score)| (names::service(&origin.service), score)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::export::samples;

    #[test]
    fn restarts_and_shapes_are_said_in_words() {
        let any = samples::hidden_victim().findings.remove(0);
        let restarted = FindingEntry {
            metric: "process_start_time_seconds".to_owned(),
            measure: "value".to_owned(),
            baseline: Some(1_772_000_000.0),
            fault: Some(1_772_003_600.0),
            restarts: Some(2),
            ..any.clone()
        };
        assert_eq!(before_and_during(&restarted), "2026-02-25 06:13:20Z → 2026-02-25 07:13:20Z");
        assert_eq!(factor(&restarted), "restarted 2 times");
        assert_eq!(factor(&FindingEntry { restarts: Some(1), ..restarted }), "restarted");
        let reshaped =
            FindingEntry { measure: SHAPE.to_owned(), baseline: Some(-0.004), fault: Some(0.46), ..any };
        assert_eq!(before_and_during(&reshaped), "0 % → 46 % of observations in other buckets");
        assert_eq!((series(&reshaped).starts_with("shape of "), factor(&reshaped)), (true, String::new()));
    }

    #[test]
    fn every_service_stands_in_one_list_only() {
        for (name, report) in samples::all() {
            let lists = [hit(&report), may_have_changed(&report), no_change_seen(&report)];
            let listed: usize = lists.iter().map(Vec::len).sum();
            let distinct: BTreeSet<&str> =
                lists.iter().flatten().map(|service| service.name.as_str()).collect();
            assert_eq!(listed, distinct.len(), "{name}");
            assert!(listed == report.services.len() || nothing_was_judged(&report), "{name}");
        }
    }

    #[test]
    fn a_service_with_findings_is_never_called_unchanged() {
        let report = samples::weak_signs();
        let names = |services: Vec<&ServiceEntry>| {
            services.into_iter().map(|service| service.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(may_have_changed(&report)), ["worker", ""]);
        assert_eq!(names(no_change_seen(&report)), ["catalog", "checkout", "gateway"]);
        let mut passed = report.clone();
        passed.verdict = VerdictWord::Pass;
        assert_eq!(
            headline(&passed),
            "No service counts as hit; a few series changed in worker and (no service)."
        );
    }

    #[test]
    fn where_nothing_was_judged_nothing_is_called_unchanged() {
        for reason in NOTHING_JUDGED {
            let mut report = samples::target_unmoved();
            assert!(!no_change_seen(&report).is_empty());
            report.reasons[0].id = reason.to_owned();
            assert!(no_change_seen(&report).is_empty(), "{reason}");
        }
        let known: Vec<&str> = aftermath_model::ReasonId::ALL.iter().map(|id| id.as_str()).collect();
        assert!(NOTHING_JUDGED.iter().all(|reason| known.contains(reason)));
    }

    #[test]
    fn no_verdict_shows_no_score_whatever_the_report_holds() {
        let mut report = samples::no_verdict();
        report.score = Some(100.0);
        assert_eq!(score(&report), "no score");
        assert_eq!(score(&samples::hidden_victim()), "score 23 of 100");
    }

    #[test]
    fn green_checks_are_held_against_what_they_missed() {
        let mut report = samples::hidden_victim();
        assert_eq!(
            checks(&report).as_deref(),
            Some("All 6 predefined checks are green, yet 2 services were hit that nobody expected.")
        );
        report.checks[0].passed = false;
        assert_eq!(checks(&report).as_deref(), Some("1 of 6 predefined checks is red: gateway answers 200."));
        report.checks.clear();
        assert_eq!(checks(&report), None);
    }

    #[test]
    fn a_recovery_that_was_never_watched_is_not_called_unknown() {
        let mut report = samples::hidden_victim();
        report.windows.recovery = None;
        report.services[0].state = ServiceState::CannotTell;
        assert_eq!(recovery(&report, &report.services[0]), "not watched");
        assert!(experiment(&report).ends_with("the recovery was not watched."));
    }

    #[test]
    fn every_gap_cause_has_words_of_its_own() {
        for cause in aftermath_model::GapCause::ALL {
            assert_ne!(gap_cause(cause.as_str()), cause.as_str().replace('_', " "), "{cause:?}");
        }
        assert_eq!(gap_cause("eaten_by_a_whale"), "eaten by a whale");
    }
}
