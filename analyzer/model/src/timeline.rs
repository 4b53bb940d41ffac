//! When the system was left alone, when the fault acted on it, and when it was watched healing.

use crate::time::{Timestamp, Window};

/// The windows of one experiment. Made by [`Timeline::new`], so they are known to fit each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    baseline: Window,
    fault: Window,
    recovery: Option<Window>,
    exclude: Vec<Window>,
    step_ms: i64,
}

/// Why windows do not make a [`Timeline`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimelineProblem {
    /// Two windows share time.
    #[error(
        "the {first} window {first_window} overlaps the {second} window {second_window}; end the first where the second begins"
    )]
    Overlap {
        /// `baseline`, `fault` or `recovery`.
        first: &'static str,
        /// Its extent.
        first_window: Window,
        /// `fault` or `recovery`.
        second: &'static str,
        /// Its extent.
        second_window: Window,
    },
    /// The recovery is watched before the fault.
    #[error(
        "the recovery window {recovery} begins before the fault window {fault} ends; recovery follows the fault"
    )]
    RecoveryBeforeFault {
        /// The recovery window.
        recovery: Window,
        /// The fault window.
        fault: Window,
    },
    /// A window is shorter than one step.
    #[error(
        "the {name} window {window} is shorter than one step of {step_ms} ms; widen it or lower the step"
    )]
    ShorterThanStep {
        /// `baseline`, `fault` or `recovery`.
        name: &'static str,
        /// Its extent.
        window: Window,
        /// The step in milliseconds.
        step_ms: i64,
    },
    /// A window ends after the present.
    #[error("the {name} window {window} lies in the future (it is {now} now); judge it when it has passed")]
    InTheFuture {
        /// `baseline`, `fault` or `recovery`.
        name: &'static str,
        /// Its extent.
        window: Window,
        /// The present.
        now: Timestamp,
    },
    /// The step is not positive.
    #[error("a step of {0} ms is not a step; give a positive duration such as 15s")]
    Step(i64),
}

impl Timeline {
    /// The windows of an experiment, or every reason why they do not fit. `exclude` marks stretches that belong to
    /// other events: they are taken out of the baseline. The baseline may lie after the fault.
    ///
    /// # Errors
    /// Every [`TimelineProblem`] at once.
    pub fn new(
        baseline: Window,
        fault: Window,
        recovery: Option<Window>,
        exclude: Vec<Window>,
        step_ms: i64,
    ) -> Result<Self, Vec<TimelineProblem>> {
        let timeline = Self { baseline, fault, recovery, exclude, step_ms };
        let problems = timeline.problems();
        if problems.is_empty() { Ok(timeline) } else { Err(problems) }
    }

    fn problems(&self) -> Vec<TimelineProblem> {
        let mut problems = Vec::new();
        if self.step_ms <= 0 {
            problems.push(TimelineProblem::Step(self.step_ms));
        }
        let named = self.named_windows();
        for (index, &(first, first_window)) in named.iter().enumerate() {
            if first_window.duration_ms() < self.step_ms {
                problems.push(TimelineProblem::ShorterThanStep {
                    name: first,
                    window: first_window,
                    step_ms: self.step_ms,
                });
            }
            for &(second, second_window) in &named[index + 1..] {
                if first_window.overlaps(second_window) {
                    problems.push(TimelineProblem::Overlap { first, first_window, second, second_window });
                }
            }
        }
        if let Some(recovery) = self.recovery
            && recovery.to <= self.fault.from
        {
            problems.push(TimelineProblem::RecoveryBeforeFault { recovery, fault: self.fault });
        }
        problems
    }

    /// The problems that only the present shows: windows that have not passed yet at `now`.
    #[must_use]
    pub fn problems_at(&self, now: Timestamp) -> Vec<TimelineProblem> {
        self.named_windows()
            .into_iter()
            .filter(|(_, window)| window.to > now)
            .map(|(name, window)| TimelineProblem::InTheFuture { name, window, now })
            .collect()
    }

    fn named_windows(&self) -> Vec<(&'static str, Window)> {
        let mut named = vec![("baseline", self.baseline), ("fault", self.fault)];
        named.extend(self.recovery.map(|window| ("recovery", window)));
        named
    }

    /// The window in which the system was left alone.
    #[must_use]
    pub const fn baseline(&self) -> Window {
        self.baseline
    }

    /// The window in which the fault acted.
    #[must_use]
    pub const fn fault(&self) -> Window {
        self.fault
    }

    /// The window in which the system was watched healing.
    #[must_use]
    pub const fn recovery(&self) -> Option<Window> {
        self.recovery
    }

    /// Stretches that belong to other events.
    #[must_use]
    pub fn exclude(&self) -> &[Window] {
        &self.exclude
    }

    /// The spacing of the grid on which series are compared, in milliseconds.
    #[must_use]
    pub const fn step_ms(&self) -> i64 {
        self.step_ms
    }

    /// The smallest window that holds all the others.
    #[must_use]
    pub fn span(&self) -> Window {
        self.named_windows().into_iter().fold(self.fault, |span, (_, window)| Window {
            from: span.from.min(window.from),
            to: span.to.max(window.to),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from_ms: i64, to_ms: i64) -> Window {
        let at = |ms| Timestamp::from_ms(ms).expect("inside the calendar");
        Window::new(at(from_ms), at(to_ms)).expect("not empty")
    }

    #[test]
    fn windows_that_touch_fit_each_other() {
        let timeline = Timeline::new(window(0, 100), window(100, 200), Some(window(200, 300)), vec![], 10);
        assert_eq!(timeline.map(|timeline| timeline.span()), Ok(window(0, 300)));
    }

    #[test]
    fn a_baseline_recorded_after_the_fault_is_allowed() {
        assert!(Timeline::new(window(500, 900), window(100, 200), None, vec![], 10).is_ok());
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let problems = Timeline::new(window(0, 150), window(100, 105), Some(window(20, 50)), vec![], 10)
            .expect_err("nothing fits here");
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 4, "{texts:#?}");
        assert!(texts.iter().any(|text| text.starts_with("the fault window") && text.contains("shorter")));
        assert!(texts.iter().any(|text| text.contains("baseline") && text.contains("overlaps the fault")));
        assert!(texts.iter().any(|text| text.contains("recovery follows the fault")));
    }

    #[test]
    fn a_window_that_has_not_passed_is_named() {
        let timeline = Timeline::new(window(0, 100), window(100, 200), None, vec![], 10).expect("fits");
        let now = Timestamp::from_ms(150).expect("inside the calendar");
        let problems = timeline.problems_at(now);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("the fault window"));
    }
}
