//! What a person sees on standard error while a run goes on.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Tells on standard error which stage a run is in: a line that moves on a terminal, plain lines elsewhere.
pub struct Progress {
    bar: Option<ProgressBar>,
    last_line: Mutex<Option<Instant>>,
}

/// Where lines cannot be replaced, one is printed this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Progress {
    /// Progress on standard error.
    #[must_use]
    pub fn on_stderr() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: None, last_line: Mutex::new(None) };
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar: Some(bar), last_line: Mutex::new(None) }
    }

    /// A stage begins or something lasting happened: always visible.
    pub fn stage(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => self.line(text),
        }
    }

    /// Something lasting happened: stays on the screen.
    pub fn event(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.line(text)),
            None => self.line(text),
        }
    }

    /// How far a stage is: replaced by the next one, or a line now and then where nothing can be replaced.
    pub fn tick(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None if self.is_due() => self.line(text),
            None => {}
        }
    }

    fn is_due(&self) -> bool {
        let last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|last| last.elapsed() >= LINE_EVERY)
    }

    /// Clears the moving line.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        *self.last_line.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        write_line(text);
    }
}

/// A closed standard error is no reason to stop a run, so a failed write is let go.
fn write_line(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done();
    }
}
