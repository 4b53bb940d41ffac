//! A real Prometheus that scrapes the real shop while it is being broken.

use std::time::Duration;

use aftermath_fixtures::{Fault, Shop, StartOptions, Target};
use aftermath_prometheus_fixture::RealPrometheus;

use crate::support::{Said, aftermath, program};

/// How long each part is watched, in seconds. The quiet windows have the lengths of the real ones, so that the same
/// command can be given both.
const BASELINE_S: u64 = 100;
const FAULT_S: u64 = 20;
const RECOVERY_S: u64 = 50;

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

async fn pause(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn configuration(targets: &[Target]) -> String {
    let mut text = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: shop\n  \
                    static_configs:\n"
        .to_owned();
    for Target { service, url } in targets {
        let address = url.trim_start_matches("http://").trim_end_matches("/metrics");
        text.push_str("  - {targets: ['");
        text.push_str(address);
        text.push_str("'], labels: {service: ");
        text.push_str(service);
        text.push_str("}}\n");
    }
    text
}

/// Windows of one judgement, in milliseconds.
struct Windows {
    baseline: (i64, i64),
    fault: (i64, i64),
    recovery: (i64, i64),
}

impl Windows {
    fn judge(&self, source: &[&str], further: &[&str]) -> Said {
        let text = |(from, to): (i64, i64)| format!("{from}..{to}");
        let (baseline, fault, recovery) = (text(self.baseline), text(self.fault), text(self.recovery));
        let windows = ["--baseline", &baseline, "--fault", &fault, "--recovery", &recovery];
        let expected = ["--target", "session-cache", "--expect", "cart", "--expect", "checkout"];
        let format = ["--format", "json"];
        aftermath(&[&["judge"], source, &windows, &expected, &format, further].concat())
    }
}

fn names(report: &serde_json::Value, affected_and: impl Fn(&serde_json::Value) -> bool) -> Vec<&str> {
    let services = report["services"].as_array().unwrap().iter();
    services
        .filter(|service| service["affected"] == true && affected_and(service))
        .map(|service| service["name"].as_str().unwrap())
        .collect()
}

/// Runs the shop: a quiet stretch, then the fault. Returns the windows of both.
async fn break_the_cache(shop: &Shop) -> (Windows, Windows) {
    let fault = Fault::named("cache-wipe").unwrap();
    let start = now_ms();
    let at = |seconds: u64| start + i64::try_from(seconds * 1_000).unwrap();
    pause(BASELINE_S + FAULT_S + RECOVERY_S).await;
    let quiet = Windows {
        baseline: (start, at(BASELINE_S)),
        fault: (at(BASELINE_S), at(BASELINE_S + FAULT_S)),
        recovery: (at(BASELINE_S + FAULT_S), at(BASELINE_S + FAULT_S + RECOVERY_S)),
    };
    let begun = now_ms();
    shop.begin(&fault).await.unwrap();
    pause(FAULT_S).await;
    shop.end(&fault).await.unwrap();
    let ended = now_ms();
    pause(RECOVERY_S).await;
    let broken =
        Windows { baseline: (at(RECOVERY_S), begun), fault: (begun, ended), recovery: (ended, now_ms()) };
    for check in shop.checks().await {
        assert!(check.passed, "a predefined check is not green: {} ({})", check.name, check.detail);
    }
    // Samples of the last second may still be on their way.
    pause(2).await;
    (quiet, broken)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_victim_is_found_through_a_real_prometheus_and_a_quiet_stretch_passes() {
    let folder = tempfile::tempdir().unwrap();
    let options = StartOptions::new(
        program().to_owned(),
        vec!["shop-process".to_owned()],
        11,
        folder.path().join("logs"),
    );
    let shop = Shop::start(options).await.unwrap();
    let Some(prometheus) = RealPrometheus::start(&configuration(&shop.targets())) else { return };
    let (quiet, broken) = break_the_cache(&shop).await;
    let url = prometheus.url();
    let server = ["--prometheus", url.as_str(), "--step", "1s", "--match", "{job=\"shop\"}"];

    let kept = folder.path().join("evidence.parquet");
    let kept = kept.to_str().unwrap();
    let found = broken.judge(&server, &["--evidence", kept]);
    let report = found.json();
    assert_eq!((found.code, report["verdict"].as_str()), (20, Some("fail")), "{}", found.stdout);
    let unexpected = names(&report, |service| service["expected"] == false);
    assert!(unexpected.contains(&"recommendations"), "{unexpected:?}");
    let lost = names(&report, |service| service["state"] == "not_recovered");
    assert!(lost.contains(&"recommendations"), "{lost:?}");

    for read in ["remote-read", "query-range"] {
        let again = broken.judge(&server, &["--read", read]);
        assert_eq!(again.stdout, found.stdout, "read by {read}");
    }
    let replayed = aftermath(&["judge", "--recording", kept, "--format", "json"]);
    assert_eq!(replayed.stdout, found.stdout, "replayed from the evidence");

    let nothing = ["--prometheus", url.as_str(), "--step", "1s", "--match", "{job=\"nobody\"}"];
    broken.judge(&nothing, &[]).assert_refused(2, &["{job=\"nobody\"}", "matches no series"]);
    let broken_selector = ["--prometheus", url.as_str(), "--match", "{job="];
    broken.judge(&broken_selector, &[]).assert_refused(2, &["the selector `{job=`"]);

    // Without a target: in a quiet stretch there is none to miss.
    let windows = quiet;
    let text = |(from, to): (i64, i64)| format!("{from}..{to}");
    let arguments = [
        "--baseline",
        &text(windows.baseline),
        "--fault",
        &text(windows.fault),
        "--recovery",
        &text(windows.recovery),
        "--format",
        "json",
    ];
    let passed = aftermath(&[&["judge"][..], &server, &arguments].concat());
    assert_eq!((passed.code, passed.json()["verdict"].as_str()), (0, Some("pass")), "{}", passed.stdout);
    shop.stop().await;
}
