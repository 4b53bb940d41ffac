//! What a command prints: reports on standard output, everything else on standard error.

use std::io::{IsTerminal, Write};
use std::path::Path;

use aftermath_baselines::OutputFile;

use super::args::Format;
use crate::export::{Report, ReportFile, Style, TextOptions};
use crate::failure::Failure;

/// Prints a report on standard output. `files` are where a reader of the text may look further.
///
/// # Errors
/// A [`Failure`] when standard output cannot be written.
pub(super) fn report(report: &Report, format: Format, files: Vec<ReportFile>) -> Result<(), Failure> {
    let text = match format {
        Format::Json => report.to_json(),
        Format::Markdown => report.to_markdown(),
        Format::Text => report.to_text(TextOptions { style: style(), width: width(), files }),
    };
    to_stdout(text.as_bytes())
}

/// Writes a report as one HTML file.
///
/// # Errors
/// A [`Failure`] when the file cannot be written.
pub(super) fn html_file(report: &Report, path: &Path) -> Result<(), Failure> {
    Ok(OutputFile::write_all(path, report.to_html().as_bytes())?)
}

/// A file that was written, as the text of a report names it.
pub(super) fn file(what: &str, path: &Path) -> ReportFile {
    ReportFile { what: what.to_owned(), path: path.display().to_string() }
}

/// Prints on standard output.
///
/// # Errors
/// A [`Failure`] when it cannot be written; a reader that went away is none.
pub(super) fn to_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::error(format!("cannot write to standard output: {cause}")))
        }
        _ => Ok(()),
    }
}

/// Prints every problem on standard error.
pub(super) fn failure(failure: &Failure) {
    let mut stderr = std::io::stderr().lock();
    for problem in &failure.problems {
        // Nothing is left to tell it to when standard error is gone.
        let _ = writeln!(stderr, "error: {problem}");
    }
}

/// The columns of the terminal, or the usual number; a line that is very wide is hard to read.
fn width() -> usize {
    const WIDEST: usize = 140;
    let columns = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    columns.map_or(TextOptions::USUAL, |columns| columns.min(WIDEST))
}

/// Colour on a terminal that knows colours only, and never against <https://no-color.org>.
fn style() -> Style {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    let refused = is_set("NO_COLOR") || is_dumb;
    if std::io::stdout().is_terminal() && !refused { Style::Colour } else { Style::Plain }
}
