//! The demo: the shop as the system under test, broken by itself.

use std::sync::Arc;
use std::time::Duration;

use aftermath_fixtures::{Fault, Shop, ShopError};
use aftermath_metrics::ScrapeProgress;
use aftermath_model::{
    CheckOutcome, Expectations, ExpectedImpact, Experiment, Timeline, Timestamp, Topology, Window,
};
use tokio::sync::watch;

use crate::clock::now;
use crate::failure::Failure;
use crate::progress::Progress;

/// The spacing of samples, in milliseconds. A demo has minutes where a real run has an hour.
pub const STEP_MS: i64 = 1_000;

/// How long each part of the demo takes. Together with starting and judging they stay below four minutes.
#[derive(Clone, Copy, Debug)]
pub struct Durations {
    /// Watching the healthy shop, in milliseconds.
    pub baseline_ms: i64,
    /// The fault, in milliseconds.
    pub fault_ms: i64,
    /// Watching it heal, in milliseconds.
    pub recovery_ms: i64,
}

impl Default for Durations {
    fn default() -> Self {
        Self { baseline_ms: 100_000, fault_ms: 20_000, recovery_ms: 75_000 }
    }
}

/// Breaks the shop.
pub struct ShopDriver {
    shop: Arc<Shop>,
    fault: Fault,
    durations: Durations,
    started: Timestamp,
    seen: watch::Receiver<ScrapeProgress>,
}

impl ShopDriver {
    /// A driver for a shop that is being watched since `started`; `seen` tells how far the watching has come.
    #[must_use]
    pub fn new(
        shop: Arc<Shop>,
        fault: Fault,
        durations: Durations,
        started: Timestamp,
        seen: watch::Receiver<ScrapeProgress>,
    ) -> Self {
        Self { shop, fault, durations, started, seen }
    }

    /// Waits until the baseline has passed, and says which windows are planned.
    ///
    /// # Errors
    /// A [`Failure`] when the clock of this machine lies outside the calendar.
    pub async fn take_baseline(&self, progress: &Progress) -> Result<Experiment, Failure> {
        progress.stage("watching the healthy shop");
        let until = self.started.plus_ms(self.durations.baseline_ms);
        self.wait("watching the healthy shop", until, progress).await?;
        self.experiment(until, until.plus_ms(self.durations.fault_ms), None, Vec::new())
    }

    /// Breaks the shop, mends what does not mend itself, and watches it heal.
    ///
    /// # Errors
    /// A [`Failure`] when the fault cannot be carried out.
    pub async fn drive(&self, progress: &Progress) -> Result<Experiment, Failure> {
        progress.event(&format!("fault {}: {}", self.fault.name, self.fault.description));
        let begun = now()?;
        self.shop.begin(&self.fault).await.map_err(shop_failure)?;
        self.wait("the fault acts", begun.plus_ms(self.durations.fault_ms), progress).await?;
        self.shop.end(&self.fault).await.map_err(shop_failure)?;
        let ended = now()?;
        progress.event("the fault is over, watching the shop heal");
        let until = ended.plus_ms(self.durations.recovery_ms);
        self.wait("watching the shop heal", until, progress).await?;
        let checks = self.checks().await;
        self.experiment(begun, ended, Some(now()?), checks)
    }

    async fn checks(&self) -> Vec<CheckOutcome> {
        let checks = self.shop.checks().await;
        checks
            .into_iter()
            .map(|check| CheckOutcome {
                name: check.name.to_owned(),
                passed: check.passed,
                detail: check.detail,
            })
            .collect()
    }

    fn experiment(
        &self,
        begun: Timestamp,
        ended: Timestamp,
        watched_until: Option<Timestamp>,
        checks: Vec<CheckOutcome>,
    ) -> Result<Experiment, Failure> {
        let window = |from, to| {
            Window::new(from, to).ok_or_else(|| {
                Failure::error(format!(
                    "the clock of this machine went back from {from} to {to} during the demo"
                ))
            })
        };
        let recovery = watched_until.map(|until| window(ended, until)).transpose()?;
        let timeline =
            Timeline::new(window(self.started, begun)?, window(begun, ended)?, recovery, Vec::new(), STEP_MS)
                .map_err(|problems| Failure::error(problems[0].clone()))?;
        let expectations = Expectations {
            target: self.fault.target.map(|service| service.to_string()),
            expected: self
                .fault
                .expected
                .iter()
                .map(|service| ExpectedImpact::any(service.to_string()))
                .collect(),
            topology: Some(Topology { edges: self.shop.call_graph().into_iter().collect() }),
            ..Expectations::default()
        };
        Ok(Experiment { timeline, expectations, checks })
    }

    /// Waits, and tells every second what there is to see.
    async fn wait(&self, what: &str, until: Timestamp, progress: &Progress) -> Result<(), Failure> {
        loop {
            let left_ms = until.ms() - now()?.ms();
            if left_ms <= 0 {
                return Ok(());
            }
            let seconds = (left_ms + 999) / 1_000;
            let seen = *self.seen.borrow();
            progress.tick(&format!(
                "{what}: {seconds} s left, {} series of {} services",
                seen.series, seen.targets_up
            ));
            let nap_ms = u64::try_from(left_ms.min(1_000)).unwrap_or(1_000);
            tokio::time::sleep(Duration::from_millis(nap_ms)).await;
        }
    }
}

/// Words for a shop that does not do what it should.
#[must_use]
pub fn shop_failure(problem: ShopError) -> Failure {
    Failure::error(problem)
}
