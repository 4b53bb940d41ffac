//! Reports for the tests of this module, built from the nouns of the model as a real run builds them.

mod parts;

use std::collections::BTreeMap;

use aftermath_model::{
    Channel, CheckOutcome, Direction, Finding, GapCause, Outcome, Overshoot, Provenance, ReasonId,
    RecoveryState, ServiceVerdict, SystemEvidence, Verdict,
};

use super::{ChartSeries, Report};
use parts::{
    BASIS, FAULT_START_MS, at, chart, checks, coverage, evidence, finding, hit, origin, provenance, reason,
    report, report_from, service, waves,
};

/// Every sample with the name of its golden files.
pub(super) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("pass", expected_only()),
        ("pass_quiet", quiet()),
        ("fail_hidden_victim", hidden_victim()),
        ("warn", weak_signs()),
        ("warn_recovery_unknown", recovery_unknown()),
        ("inconclusive", no_verdict()),
        ("inconclusive_target", target_unmoved()),
        ("nasty_names", nasty_names()),
    ]
}

const CALM: [&str; 6] = ["catalog", "checkout", "gateway", "inventory", "payments", "worker"];

/// A pass: nothing at all changed.
pub(super) fn quiet() -> Report {
    let verdict = Verdict {
        outcome: Outcome::Pass,
        score: 100.0,
        reasons: vec![reason(
            ReasonId::NothingChanged,
            "None of 6 services changed more than chance allows.",
        )],
        system: evidence(Some(0.71)),
        services: CALM.map(|name| service(name, false)).to_vec(),
        origin: origin(&CALM.map(|name| (name, 0.0))),
        origin_basis: BASIS.to_owned(),
        propagation: vec![],
        findings: vec![],
        coverage: coverage(402, &[]),
        limits: vec![],
    };
    report(&verdict, "catalog", vec![], vec![])
}

/// A pass: only the target was hit, and it came back.
pub(super) fn expected_only() -> Report {
    let latency = finding("cache", "cache_get_duration_seconds", "p99", (0.000_9, 0.25), 1);
    let mut services = vec![hit("cache", true, 61.0, 1, Some(38))];
    services.extend(CALM.map(|name| service(name, false)));
    let verdict = Verdict {
        outcome: Outcome::Pass,
        score: 100.0,
        reasons: vec![reason(
            ReasonId::OnlyExpectedImpact,
            "Only cache changed, which was expected; it recovered 8 s after the fault.",
        )],
        system: evidence(Some(0.0244)),
        services,
        origin: origin(&[("cache", 9.1), ("catalog", 0.2)]),
        origin_basis: BASIS.to_owned(),
        propagation: waves(&[&["cache"]]),
        findings: vec![latency.clone()],
        coverage: coverage(431, &[(GapCause::Info, 9)]),
        limits: vec![],
    };
    report(&verdict, "cache", vec![chart(&latency, true)], checks())
}

/// A fail: every predefined check is green, yet two services that nobody expected were hit, and one never came back.
pub(super) fn hidden_victim() -> Report {
    let mut vanished = finding("recommendations", "recommendations_model_loaded", "value", (1.0, 0.0), 6);
    vanished.direction = Direction::Vanished;
    vanished.channel = Channel::Presence;
    vanished.fault = None;
    let mut errors = finding("cart", "cart_lookup_errors_total", "per second", (0.0, 3.4), 4);
    errors.recovered_at = Some(at(46));
    let mut memory = finding("session-cache", "process_resident_memory_bytes", "value", (188e6, 21e6), 1);
    memory.recovered_at = Some(at(44));
    let lasting = [
        finding("recommendations", "http_request_duration_seconds", "p99", (0.012, 0.48), 6),
        finding("recommendations", "recommendations_fallback_total", "per second", (0.4, 11.8), 7),
        finding("recommendations", "session_hit_ratio", "value", (0.97, 0.08), 6),
    ];
    let mut charts: Vec<ChartSeries> = lasting.iter().map(|finding| chart(finding, false)).collect();
    charts.extend([chart(&vanished, false), chart(&errors, true), chart(&memory, true)]);
    let memory_key = memory.key.clone();
    let findings: Vec<Finding> = lasting.into_iter().chain([vanished, errors, memory]).collect();
    let refilled = Overshoot {
        key: memory_key,
        measure: "value",
        effect: 3.1,
        baseline: Some(188e6),
        value: 241e6,
        until: at(70),
    };
    let mut services = vec![
        hit("recommendations", false, 78.4, 6, None),
        hit("cart", false, 41.2, 4, Some(46)),
        ServiceVerdict { overshoot: Some(refilled), ..hit("session-cache", true, 93.0, 1, Some(44)) },
    ];
    services.extend(CALM.map(|name| service(name, false)));
    let verdict = Verdict {
        outcome: Outcome::Fail,
        score: 23.4,
        reasons: vec![
            reason(
                ReasonId::UnexpectedServiceHit,
                "recommendations and cart changed more than chance allows although only session-cache was expected to.",
            ),
            reason(
                ReasonId::NeverRecovered,
                "recommendations was still different when the watch ended, 1 min after the fault.",
            ),
        ],
        system: evidence(Some(0.024_390_243_902)),
        services,
        origin: origin(&[
            ("session-cache", 8.13),
            ("recommendations", 5.02),
            ("cart", 2.6),
            ("catalog", 0.0),
        ]),
        origin_basis: BASIS.to_owned(),
        propagation: waves(&[&["session-cache"], &["cart", "recommendations"]]),
        findings,
        coverage: coverage(412, &[(GapCause::TooFewBaselineSamples, 20), (GapCause::Info, 4)]),
        limits: vec!["2 samples came twice; the last one was kept.".to_owned()],
    };
    report(&verdict, "session-cache", charts, checks())
}

/// A warn: weak signs in one service that nobody expected, and in series without a service.
pub(super) fn weak_signs() -> Report {
    let queue = finding("worker", "queue_depth", "value", (12.0, 15.5), 9);
    let nameless = finding("", "up", "value", (1.0, 0.8), 2);
    let mut services = vec![
        ServiceVerdict { p_value: 0.031, ..service("worker", false) },
        ServiceVerdict { p_value: 0.04, ..service("", true) },
    ];
    services.extend(["catalog", "checkout", "gateway"].map(|name| service(name, false)));
    let verdict = Verdict {
        outcome: Outcome::Warn,
        score: 81.0,
        reasons: vec![reason(
            ReasonId::WeakUnexpectedChange,
            "worker shows signs of a change that nobody expected: only one of its 41 series moved.",
        )],
        system: SystemEvidence {
            p_value: Some(0.09),
            placebo_windows: 10,
            false_alarm_rate: None,
            false_alarm_basis: "10 quiet windows are too few to measure it".to_owned(),
            detectable_effect: None,
        },
        services,
        origin: origin(&[("worker", 1.2), ("", 0.9), ("catalog", 0.4)]),
        origin_basis: BASIS.to_owned(),
        propagation: vec![],
        findings: vec![queue.clone(), nameless],
        coverage: coverage(160, &[(GapCause::TooFewFaultSamples, 3)]),
        limits: vec![],
    };
    let red = CheckOutcome {
        name: "queue drains".to_owned(),
        passed: false,
        detail: "depth 15 after 60 s, at most 12 allowed".to_owned(),
    };
    report(&verdict, "catalog", vec![chart(&queue, false)], vec![red])
}

/// A warn: the target was hit, and the watch was too short to see it come back.
pub(super) fn recovery_unknown() -> Report {
    let queue = finding("worker", "queue_depth", "value", (12.0, 155.0), 9);
    let lost = ServiceVerdict {
        state: RecoveryState::CannotTell,
        watch_longer_seconds: Some(90.0),
        ..hit("worker", true, 12.0, 9, None)
    };
    let verdict = Verdict {
        outcome: Outcome::Warn,
        score: 100.0,
        reasons: vec![reason(
            ReasonId::RecoveryUnknown,
            "it cannot be told whether worker came back; watch at least 90 s longer",
        )],
        system: evidence(Some(0.0001)),
        services: vec![lost, service("catalog", false)],
        origin: origin(&[("worker", 1.2), ("catalog", 0.4)]),
        origin_basis: BASIS.to_owned(),
        propagation: vec![],
        findings: vec![queue.clone()],
        coverage: coverage(80, &[]),
        limits: vec![],
    };
    report(&verdict, "worker", vec![chart(&queue, false)], vec![])
}

/// No verdict: the target does not move, though a series of another service did.
pub(super) fn target_unmoved() -> Report {
    let errors = finding("payments", "payment_errors_total", "per second", (0.1, 0.4), 3);
    let verdict = Verdict {
        outcome: Outcome::Inconclusive,
        score: 100.0,
        reasons: vec![reason(
            ReasonId::TargetNotAffected,
            "the target catalog shows no change, so the fault probably did nothing",
        )],
        system: evidence(Some(0.4)),
        services: vec![service("payments", false), service("catalog", true), service("gateway", false)],
        origin: origin(&[("payments", 0.3), ("catalog", 0.0), ("gateway", 0.0)]),
        origin_basis: BASIS.to_owned(),
        propagation: vec![],
        findings: vec![errors],
        coverage: coverage(120, &[]),
        limits: vec![],
    };
    report(&verdict, "catalog", vec![], vec![])
}

/// No verdict: too much could not be judged, and numbers that do not exist are not made up.
pub(super) fn no_verdict() -> Report {
    let verdict = Verdict {
        outcome: Outcome::Inconclusive,
        score: f64::NAN,
        reasons: vec![
            reason(ReasonId::TooManyGaps, "310 of 400 series could not be judged; at least half must be."),
            reason(ReasonId::SourcePartial, "the source said that its answer is not complete"),
        ],
        system: SystemEvidence {
            p_value: None,
            placebo_windows: 0,
            false_alarm_rate: None,
            false_alarm_basis: String::new(),
            detectable_effect: None,
        },
        services: vec![ServiceVerdict {
            p_value: f64::NAN,
            severity: f64::INFINITY,
            ..service("catalog", true)
        }],
        origin: origin(&[("catalog", f64::NEG_INFINITY)]),
        origin_basis: BASIS.to_owned(),
        propagation: vec![],
        findings: vec![],
        coverage: coverage(
            400,
            &[
                (GapCause::TooFewBaselineSamples, 270),
                (GapCause::NativeHistogram, 30),
                (GapCause::LimitReached, 10),
            ],
        ),
        limits: vec!["The source cut the answer at 10,000 series.".to_owned()],
    };
    let notes = vec!["warning: a store could not be reached".to_owned()];
    let provenance = Provenance { notes, partial: true, ..provenance() };
    report_from(&verdict, &provenance, "catalog", vec![], vec![])
}

/// A fail in a system whose names try to break every format.
pub(super) fn nasty_names() -> Report {
    let victim = "cart<script>alert(1)</script>\u{1b}[2J|`x`\u{202e}*bold*";
    let mut finding =
        finding(victim, "depth\n# heading\r\u{7}{{ 7*7 }}_bytes", "value", (1.0, f64::INFINITY), 3);
    finding.key.labels = BTreeMap::from([
        ("quote\"".to_owned(), "\\\" onload=\"alert(1)\" ' --> ]]>".to_owned()),
        (
            "emoji".to_owned(),
            "数据库 🔥 é \u{200b}\u{feff} @everyone #1 [x](http://evil.example) &amp;".to_owned(),
        ),
        ("long".to_owned(), "very-".repeat(40)),
    ]);
    let mut chart = chart(&finding, false);
    chart.points =
        vec![(FAULT_START_MS, 1.0), (FAULT_START_MS + 2000, f64::NAN), (FAULT_START_MS + 4000, 2.0)];
    let verdict = Verdict {
        outcome: Outcome::Fail,
        score: 0.0,
        reasons: vec![reason(
            ReasonId::UnexpectedServiceHit,
            &format!("{victim} was hit <img src=x>\n\n| @everyone"),
        )],
        system: SystemEvidence {
            false_alarm_basis: "from <quiet> windows\u{1b}[31m".to_owned(),
            ..evidence(Some(1e-12))
        },
        services: vec![hit(victim, false, 50.0, 3, None), service("", false)],
        origin: origin(&[(victim, 1.0), ("", 0.5)]),
        origin_basis: BASIS.to_owned(),
        propagation: waves(&[&[victim], &["<b>x</b>"]]),
        findings: vec![finding],
        coverage: coverage(3, &[(GapCause::IncompleteHistogram, 1)]),
        limits: vec!["</style><script>alert(2)</script>".to_owned()],
    };
    let check = CheckOutcome {
        name: "ping\u{1b}]0;owned\u{7}".to_owned(),
        passed: false,
        detail: "```\n<b>no</b> $(rm -rf /)".to_owned(),
    };
    report(&verdict, "db\"><svg onload=alert(3)>", vec![chart], vec![check])
}
