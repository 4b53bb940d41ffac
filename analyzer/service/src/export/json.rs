//! The report as JSON, and back.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, PrettyFormatter};

use super::report::{REPORT_VERSION, Report, WindowEntry};

/// Why a text is not a report that this program can show.
#[derive(Debug, thiserror::Error)]
pub enum ReportReadError {
    /// The text is not JSON, or not a report.
    #[error("this is not an Aftermath report: {0}; give a file that `aftermath judge --format json` wrote")]
    NotAReport(#[source] serde_json::Error),
    /// The report has a version that this program does not know.
    #[error(
        "this report has version {found}, and this program reads version {REPORT_VERSION}; use the Aftermath that wrote it, or a newer one"
    )]
    UnknownVersion {
        /// The version in the file.
        found: u32,
    },
    /// A window of the report ends before it begins.
    #[error(
        "the {0} window of this report ends before it begins; was the file edited? Give it as `aftermath judge` wrote it"
    )]
    Backwards(&'static str),
}

impl Report {
    /// The report as JSON with a newline at its end. The same report gives the same bytes.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it cannot panic, as the `expect` says")]
    pub fn to_json(&self) -> String {
        let mut bytes = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, ShallowIndent::default());
        self.serialize(&mut serializer)
            .expect("a report holds only what JSON can say, and memory takes every write");
        bytes.push(b'\n');
        String::from_utf8(bytes).expect("serde_json writes UTF-8")
    }

    /// The report in a JSON text. Fields that this version does not know are ignored.
    ///
    /// # Errors
    /// [`ReportReadError`] when the text is not a report, or has a version that this program does not know.
    pub fn from_json(text: &str) -> Result<Self, ReportReadError> {
        #[derive(Deserialize)]
        struct VersionOnly {
            report_version: u32,
        }
        let VersionOnly { report_version } =
            serde_json::from_str(text).map_err(ReportReadError::NotAReport)?;
        if report_version != REPORT_VERSION {
            return Err(ReportReadError::UnknownVersion { found: report_version });
        }
        let report: Self = serde_json::from_str(text).map_err(ReportReadError::NotAReport)?;
        report.backwards().map_or(Ok(report), |window| Err(ReportReadError::Backwards(window)))
    }

    /// The first window that ends before it begins.
    fn backwards(&self) -> Option<&'static str> {
        let windows = &self.windows;
        let named = [
            ("baseline", Some(windows.baseline)),
            ("fault", Some(windows.fault)),
            ("recovery", windows.recovery),
        ];
        let excluded = windows.exclude.iter().map(|&window| ("excluded", Some(window)));
        let is_backwards = |window: &WindowEntry| window.from.0 >= window.to.0;
        let mut all = named.into_iter().chain(excluded);
        all.find(|(_, window)| window.as_ref().is_some_and(is_backwards)).map(|(name, _)| name)
    }
}

/// Indents the outer levels and keeps what is nested deeper than [`INDENTED_LEVELS`] on one line, so that labels and
/// the points of a chart do not take four lines each.
#[derive(Default)]
struct ShallowIndent {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

const INDENTED_LEVELS: usize = 3;

impl ShallowIndent {
    fn is_indented(&self) -> bool {
        self.depth <= INDENTED_LEVELS
    }

    fn separator<W: ?Sized + Write>(writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
}

impl Formatter for ShallowIndent {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_indented() { self.pretty.begin_array(writer) } else { writer.write_all(b"[") }
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let ended = if self.is_indented() { self.pretty.end_array(writer) } else { writer.write_all(b"]") };
        self.depth -= 1;
        ended
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.is_indented() {
            self.pretty.begin_array_value(writer, first)
        } else {
            Self::separator(writer, first)
        }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_indented() { self.pretty.begin_object(writer) } else { writer.write_all(b"{") }
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let ended = if self.is_indented() { self.pretty.end_object(writer) } else { writer.write_all(b"}") };
        self.depth -= 1;
        ended
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.is_indented() {
            self.pretty.begin_object_key(writer, first)
        } else {
            Self::separator(writer, first)
        }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.pretty.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn a_report_is_read_back_as_it_was_written() {
        for (name, report) in samples::all() {
            let written = report.to_json();
            let read = Report::from_json(&written).expect("a report");
            assert_eq!(read, report, "{name}");
            assert_eq!(read.to_json(), written, "{name}");
        }
    }

    #[test]
    fn a_field_of_a_later_addition_is_ignored() {
        let mut value = serde_json::to_value(samples::hidden_victim()).expect("JSON");
        value["mood"] = "sunny".into();
        value["services"][0]["mood"] = "cloudy".into();
        let read = Report::from_json(&value.to_string()).expect("a report");
        assert_eq!(read, samples::hidden_victim());
    }

    #[test]
    fn what_is_not_a_report_is_refused_with_a_hint() {
        let cases = [
            ("", "not an Aftermath report"),
            ("<html>", "not an Aftermath report"),
            ("{\"verdict\":\"pass\"}", "missing field `report_version`"),
            ("{\"report_version\":1}", "missing field `verdict`"),
            ("{\"report_version\":2}", "version 2"),
        ];
        for (text, expected) in cases {
            let message = Report::from_json(text).expect_err(text).to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn a_window_that_runs_backwards_is_named() {
        let mut value = serde_json::to_value(samples::hidden_victim()).expect("JSON");
        value["windows"]["fault"]["to"] = "2020-01-01T00:00:00.000Z".into();
        let message = Report::from_json(&value.to_string()).expect_err("backwards").to_string();
        assert!(message.starts_with("the fault window of this report ends before it begins"), "{message}");
    }

    #[test]
    fn a_pass_that_nobody_knows_is_refused_rather_than_guessed() {
        let text =
            samples::hidden_victim().to_json().replace("\"verdict\": \"fail\"", "\"verdict\": \"splendid\"");
        assert!(Report::from_json(&text).is_err());
    }
}
