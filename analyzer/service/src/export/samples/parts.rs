//! What sample reports are put together from: a service that was hit, a finding, the course of a series.

use std::collections::BTreeMap;

use aftermath_model::{
    Channel, CheckOutcome, Coverage, DetectableChange, Direction, Expectations, Experiment, Finding,
    GapCause, GapCount, OriginCandidate, Provenance, Reason, ReasonId, RecoveryState, SeriesKey,
    ServiceVerdict, SourceDescription, SystemEvidence, Timeline, Timestamp, Verdict, Window,
};

use crate::export::{ChartSeries, Report};

/// The start of the fault in every sample: 2026-03-01 12:00:00 UTC.
pub(super) const FAULT_START_MS: i64 = 1_772_366_400_000;
const BASELINE_MS: i64 = 120_000;
const FAULT_MS: i64 = 30_000;
const RECOVERY_MS: i64 = 60_000;

/// `seconds` after the start of the fault.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(FAULT_START_MS + seconds * 1000).expect("inside the calendar")
}

fn window(from_seconds: i64, to_seconds: i64) -> Window {
    Window::new(at(from_seconds), at(to_seconds)).expect("not empty")
}

fn timeline() -> Timeline {
    let (baseline, fault, recovery) = (window(-120, 0), window(0, 30), window(30, 90));
    Timeline::new(baseline, fault, Some(recovery), vec![window(-100, -90)], 2000).expect("the windows fit")
}

pub(super) fn provenance() -> Provenance {
    Provenance {
        aftermath_version: "0.1.0".to_owned(),
        source: SourceDescription {
            kind: "prometheus".to_owned(),
            address: "http://127.0.0.1:9090".to_owned(),
            version: "Prometheus 2.42.0".to_owned(),
        },
        selectors: vec!["{job=\"shop\"}".to_owned()],
        service_labels: vec!["service".to_owned(), "job".to_owned()],
        window: window(-120, 90),
        step_ms: 2000,
        notes: vec![],
        partial: false,
        unread: vec![],
    }
}

pub(super) fn service(name: &str, expected: bool) -> ServiceVerdict {
    ServiceVerdict {
        name: name.to_owned(),
        affected: false,
        expected,
        p_value: 0.62,
        severity: 0.0,
        onset: None,
        onset_interval: None,
        recovered_at: None,
        recovery_seconds: None,
        state: RecoveryState::Unaffected,
        watch_longer_seconds: None,
        overshoot: None,
        rests_on_one_metric: false,
        detectable: Some(detectable(name)),
    }
}

/// What would have been seen of a service: the longer its name, the larger, so that services differ.
fn detectable(name: &str) -> DetectableChange {
    DetectableChange {
        key: finding(name, "http_request_duration_seconds", "p99", (0.012, 0.012), 0).key,
        measure: "p99",
        effect: 2.0 + name.chars().count() as f64 / 10.0,
        relative: Some(0.1 + name.chars().count() as f64 / 100.0),
        baseline: Some(0.012),
        metrics_needed: 1,
    }
}

pub(super) fn hit(
    name: &str,
    expected: bool,
    severity: f64,
    onset: i64,
    recovered: Option<i64>,
) -> ServiceVerdict {
    ServiceVerdict {
        affected: true,
        p_value: 0.000_012_345_678,
        severity,
        onset: Some(at(onset)),
        onset_interval: Some((at(onset - 1), at(onset))),
        recovered_at: recovered.map(at),
        recovery_seconds: recovered.map(|seconds| (seconds - 30).max(0) as f64),
        state: if recovered.is_some() { RecoveryState::Recovered } else { RecoveryState::NotRecovered },
        ..service(name, expected)
    }
}

pub(super) fn finding(
    service: &str,
    metric: &str,
    measure: &'static str,
    change: (f64, f64),
    onset: i64,
) -> Finding {
    Finding {
        key: SeriesKey {
            metric: metric.to_owned(),
            service: service.to_owned(),
            labels: BTreeMap::from([("route".to_owned(), "/api/items".to_owned())]),
        },
        measure,
        channel: Channel::Level,
        direction: if change.1 > change.0 { Direction::Up } else { Direction::Down },
        restarts: 0,
        effect: 14.25,
        baseline: Some(change.0),
        fault: Some(change.1),
        p_value: 0.000_004,
        q_value: 0.000_31,
        onset: Some(at(onset)),
        recovered_at: None,
    }
}

/// What the course of a finding looks like: a little noise, then the change, then the way back if there is one.
pub(super) fn chart(finding: &Finding, healed: bool) -> ChartSeries {
    let (before, during) = (finding.baseline.unwrap_or(0.0), finding.fault.unwrap_or(0.0));
    let onset = finding.onset.map_or(FAULT_START_MS, Timestamp::ms);
    let back = FAULT_START_MS + FAULT_MS + RECOVERY_MS / 3;
    let times = (FAULT_START_MS - BASELINE_MS..FAULT_START_MS + FAULT_MS + RECOVERY_MS).step_by(2000);
    let is_there = |ms: &i64| finding.direction != Direction::Vanished || *ms < onset;
    let points = times.filter(is_there).enumerate().map(|(index, ms)| {
        let noise = 1.0 + 0.08 * ((index * 7919 % 101) as f64 / 101.0 - 0.5) * 2.0;
        let level = if ms < onset || (healed && ms > back) { before } else { during };
        (ms, level * noise)
    });
    ChartSeries {
        service: finding.key.service.clone(),
        metric: finding.key.metric.clone(),
        labels: finding.key.labels.clone(),
        measure: finding.measure.to_owned(),
        points: points.collect(),
    }
}

pub(super) fn evidence(p_value: Option<f64>) -> SystemEvidence {
    SystemEvidence {
        p_value,
        placebo_windows: 40,
        false_alarm_rate: Some(0.0125),
        false_alarm_basis: "measured on 40 quiet windows of this system, one-sided 95 % upper bound"
            .to_owned(),
        detectable_effect: Some(2.84),
    }
}

pub(super) fn coverage(series: usize, gaps: &[(GapCause, usize)]) -> Coverage {
    let unjudged: usize = gaps.iter().map(|(_, series)| series).sum();
    Coverage {
        series,
        judged: series - unjudged,
        gaps: gaps.iter().map(|&(cause, series)| GapCount { cause, series }).collect(),
    }
}

pub(super) fn reason(id: ReasonId, text: &str) -> Reason {
    Reason { id, text: text.to_owned() }
}

pub(super) fn waves(names: &[&[&str]]) -> Vec<Vec<String>> {
    names.iter().map(|wave| wave.iter().map(|&name| name.to_owned()).collect()).collect()
}

pub(super) const BASIS: &str =
    "ranked by strongest_changes, the default; no past experiment of this system was learned from";

pub(super) fn origin(ranking: &[(&str, f64)]) -> Vec<OriginCandidate> {
    ranking.iter().map(|&(service, score)| OriginCandidate { service: service.to_owned(), score }).collect()
}

pub(super) fn checks() -> Vec<CheckOutcome> {
    let names = [
        "gateway answers 200",
        "checkout succeeds",
        "p99 below 1 s",
        "every pod is ready",
        "error rate below 1 %",
        "cache answers a ping",
    ];
    let green = |name: &&str| CheckOutcome {
        name: (*name).to_owned(),
        passed: true,
        detail: "held for the whole run".to_owned(),
    };
    names.iter().map(green).collect()
}

pub(super) fn report(
    verdict: &Verdict,
    target: &str,
    charts: Vec<ChartSeries>,
    checks: Vec<CheckOutcome>,
) -> Report {
    report_from(verdict, &provenance(), target, charts, checks)
}

pub(super) fn report_from(
    verdict: &Verdict,
    provenance: &Provenance,
    target: &str,
    charts: Vec<ChartSeries>,
    checks: Vec<CheckOutcome>,
) -> Report {
    let expectations = Expectations { target: Some(target.to_owned()), ..Expectations::default() };
    let experiment = Experiment { timeline: timeline(), expectations, checks };
    Report::new(verdict, &experiment, provenance, charts)
}
