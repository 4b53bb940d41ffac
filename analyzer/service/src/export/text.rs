//! The report for people in a terminal: the verdict first, then what was hit, what healed, and where to look.

mod table;

use anstyle::{AnsiColor, Effects};

use super::names::{self, wrapped};
use super::numbers::{count, digits, probability};
use super::power;
use super::report::{FindingEntry, Report, ServiceEntry, ServiceState, VerdictWord};
use super::story;
use table::{Cell, Table};

/// Whether the text may use colour. The caller knows the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Characters only.
    #[default]
    Plain,
    /// ANSI colours.
    Colour,
}

/// A file that the caller wrote and the reader may want to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// What it is, such as `report` or `evidence`.
    pub what: String,
    /// Where it is.
    pub path: String,
}

/// How the text is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether to use colour.
    pub style: Style,
    /// The columns of the terminal; at least [`TextOptions::NARROWEST`] are used.
    pub width: usize,
    /// Where to look further.
    pub files: Vec<ReportFile>,
}

impl TextOptions {
    /// The columns that the layout needs.
    pub const NARROWEST: usize = 60;
    /// The columns that are used where nobody knows the terminal.
    pub const USUAL: usize = 100;
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { style: Style::Plain, width: Self::USUAL, files: Vec::new() }
    }
}

/// With fewer columns a table of services would cut its own numbers; each service then takes a paragraph.
const SERVICE_TABLE: usize = 80;
/// With fewer columns a table of findings would cut their names; each finding then takes two lines.
const FINDING_TABLE: usize = 100;
const FINDING_INDENT: &str = "    ";
const FINDINGS_PER_SERVICE: usize = 3;
const SERVICES_WITH_FINDINGS: usize = 6;
const SERVICES_NAMED: usize = 12;
const ORIGINS: usize = 3;
const NOTES: usize = 5;

impl From<Style> for TextOptions {
    fn from(style: Style) -> Self {
        Self { style, ..Self::default() }
    }
}

impl Report {
    /// The report as text with a newline at its end, laid out as `options` say; a [`Style`] alone is enough.
    /// Control characters in names are shown, never sent.
    #[must_use]
    pub fn to_text(&self, options: impl Into<TextOptions>) -> String {
        let options = options.into();
        let mut page = Page::new(&options);
        page.verdict(self);
        page.reasons(self);
        page.services(self);
        page.origin(self);
        page.findings(self);
        page.checks(self);
        page.coverage(self);
        page.trust(self);
        page.files(&options.files);
        page.text
    }
}

/// The text so far.
struct Page {
    text: String,
    width: usize,
    style: Style,
}

impl Page {
    fn new(options: &TextOptions) -> Self {
        Self { text: String::new(), width: options.width.max(TextOptions::NARROWEST), style: options.style }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.line("");
        for line in wrapped(heading, self.width) {
            let painted = self.paint(&line, anstyle::Style::new().bold());
            self.line(&painted);
        }
    }

    /// A paragraph, every line of it indented by two blanks, the first one behind `bullet`.
    fn paragraph(&mut self, bullet: &str, paragraph: &str) {
        let mark = format!("  {bullet}");
        let blank = " ".repeat(names::columns(&mark));
        for (index, line) in wrapped(paragraph, self.width - blank.len()).iter().enumerate() {
            self.line(&format!("{}{line}", if index == 0 { &mark } else { &blank }));
        }
    }

    fn paint(&self, text: &str, style: anstyle::Style) -> String {
        match self.style {
            Style::Plain => text.to_owned(),
            Style::Colour => format!("{style}{text}{style:#}"),
        }
    }

    fn verdict(&mut self, report: &Report) {
        let badge = format!(" {} ", report.verdict.shouted());
        let badge = match self.style {
            Style::Plain => badge.trim().to_owned(),
            Style::Colour => self.paint(&badge, badge_style(report.verdict)),
        };
        self.line(&format!("{badge}  {}", story::score(report)));
        let headline = story::headline(report);
        for line in wrapped(&headline, self.width) {
            let painted = self.paint(&line, anstyle::Style::new().bold());
            self.line(&painted);
        }
        for line in wrapped(&story::experiment(report), self.width) {
            self.line(&line);
        }
    }

    fn reasons(&mut self, report: &Report) {
        if report.reasons.is_empty() {
            return;
        }
        self.heading("Why");
        for reason in &report.reasons {
            let (id, text) = (names::visible(&reason.id), names::visible(&reason.text));
            self.paragraph("• ", &format!("{text} [{id}]"));
        }
    }

    fn services(&mut self, report: &Report) {
        let hit = [
            ("Hit, and nobody expected it", story::unexpected(report)),
            ("Hit, as expected", story::expected(report)),
        ];
        for (heading, services) in hit {
            if services.is_empty() {
                continue;
            }
            self.heading(heading);
            if self.width < SERVICE_TABLE {
                self.service_paragraphs(report, &services);
                continue;
            }
            let rows = services.iter().map(|service| self.service_row(report, service)).collect();
            let table = Table { header: ["service", "severity", "began", "recovered", "p"], rows };
            self.table(&table);
        }
        for sentence in power::overshoots(report) {
            self.line("");
            self.paragraph("", &sentence);
        }
        self.may_have_changed(report);
        let calm = story::no_change_seen(report);
        if !calm.is_empty() {
            self.heading(&format!("No change seen in {}", count(calm.len(), "service", "services")));
            self.paragraph("", &listed(&calm));
        }
    }

    fn service_paragraphs(&mut self, report: &Report, services: &[&ServiceEntry]) {
        for service in services {
            let [name, severity, began, recovered, p] = self.service_row(report, service);
            self.paragraph("", name.text());
            let numbers = [("severity", severity), ("began", began), ("recovered:", recovered), ("p", p)]
                .map(|(what, cell)| format!("{what} {}", cell.text()));
            self.paragraph("  ", &numbers.join(", "));
        }
    }

    fn may_have_changed(&mut self, report: &Report) {
        let doubtful = story::may_have_changed(report);
        if doubtful.is_empty() {
            return;
        }
        self.heading("May have changed, with signs too weak to count as a hit");
        let groups = story::strongest(report, doubtful, FINDINGS_PER_SERVICE);
        let title = |service: &ServiceEntry| {
            let role = if service.expected { ", expected" } else { "" };
            format!("{}{role}: {}", names::service(&service.name), story::signs(report, service))
        };
        self.evidence(report, &groups, title);
    }

    fn service_row(&self, report: &Report, service: &ServiceEntry) -> [Cell; 5] {
        let severity = service.severity.map_or_else(|| "–".to_owned(), |severity| format!("{severity:.0}"));
        let lasting = service.state == ServiceState::NotRecovered;
        let recovery_style = anstyle::Style::new().fg_color(lasting.then_some(AnsiColor::Red.into()));
        [
            Cell::flexible(names::service(&service.name)),
            Cell::right(severity),
            Cell::right(story::since_fault(report, service.onset)),
            Cell::left(story::recovery(report, service)).painted(self.style, recovery_style),
            Cell::right(probability(service.p_value)),
        ]
    }

    fn table<const COLUMNS: usize>(&mut self, table: &Table<COLUMNS>) {
        let dim = match self.style {
            Style::Plain => anstyle::Style::new(),
            Style::Colour => anstyle::Style::new().effects(Effects::DIMMED),
        };
        for line in table.lines(self.width - 2, dim) {
            self.line(&format!("  {line}"));
        }
    }

    fn origin(&mut self, report: &Report) {
        let origins = story::origins(report, ORIGINS);
        if origins.is_empty() {
            return;
        }
        self.heading("Likely origin");
        let ranked: Vec<String> = origins
            .iter()
            .enumerate()
            .map(|(index, (service, score))| format!("{}. {service} (score {})", index + 1, digits(*score)))
            .collect();
        self.paragraph("", &ranked.join(", "));
        if let Some(order) = story::order(report) {
            self.paragraph("", &order);
        }
    }

    fn findings(&mut self, report: &Report) {
        let groups = story::strongest(report, story::hit(report), FINDINGS_PER_SERVICE);
        if groups.is_empty() {
            return;
        }
        let total = count(report.findings.len(), "series changed", "series changed");
        self.heading(&format!("Strongest evidence ({total}; times count from the start of the fault)"));
        self.evidence(report, &groups, |service| names::service(&service.name));
    }

    /// The findings of each service under its title: as a table where there is room, otherwise in two lines each.
    fn evidence(
        &mut self,
        report: &Report,
        groups: &[story::Evidence],
        title: impl Fn(&ServiceEntry) -> String,
    ) {
        let shown = &groups[..groups.len().min(SERVICES_WITH_FINDINGS)];
        let rows =
            shown.iter().flat_map(|(_, findings)| findings).map(|finding| finding_row(report, finding));
        let room = self.width - FINDING_INDENT.len();
        let (lines, lines_each) = if self.width < FINDING_TABLE {
            (rows.flat_map(|row| stacked(&row, room)).collect(), 2)
        } else {
            let table = Table { header: [""; 4], rows: rows.collect() };
            (table.lines(room, anstyle::Style::new()), 1)
        };
        let mut lines = lines.iter();
        for (service, findings) in shown {
            self.paragraph("", &title(service));
            for line in lines.by_ref().take(findings.len() * lines_each) {
                self.line(&format!("{FINDING_INDENT}{line}"));
            }
        }
        let more: Vec<&ServiceEntry> = groups[shown.len()..].iter().map(|(service, _)| *service).collect();
        if !more.is_empty() {
            self.paragraph(
                "",
                &format!("and in {}: {}", count(more.len(), "more service", "more services"), listed(&more)),
            );
        }
    }

    fn checks(&mut self, report: &Report) {
        let Some(sentence) = story::checks(report) else { return };
        self.heading("Predefined checks");
        self.paragraph("", &sentence);
        for check in report.checks.iter().filter(|check| !check.passed) {
            let line = format!("{}: {}", names::visible(&check.name), names::visible(&check.detail));
            self.paragraph("✗ ", &line);
        }
    }

    fn coverage(&mut self, report: &Report) {
        self.heading("Coverage");
        self.paragraph("", &story::coverage(report));
        for gap in &report.coverage.gaps {
            let series = count(gap.series, "series", "series");
            self.paragraph("• ", &format!("{series} not judged: {}", story::gap_cause(&gap.cause)));
        }
        for limit in report.limits.iter().take(NOTES) {
            self.paragraph("• ", &names::visible(limit));
        }
        if let Some(more @ 1..) = report.limits.len().checked_sub(NOTES) {
            self.paragraph("• ", &format!("and {}", count(more, "more note", "more notes")));
        }
    }

    fn trust(&mut self, report: &Report) {
        self.heading("How far to trust this");
        for sentence in story::trust(report) {
            self.paragraph("• ", &sentence);
        }
    }

    fn files(&mut self, files: &[ReportFile]) {
        if files.is_empty() {
            return;
        }
        self.heading("Where to look");
        let widest = files.iter().map(|file| names::columns(&file.what)).max().unwrap_or(0);
        for file in files {
            let gap = " ".repeat(widest - names::columns(&file.what));
            let (what, path) = (format!("  {}", file.what), names::visible(&file.path));
            let line = format!("{what}{gap}  {path}");
            if names::columns(&line) <= self.width {
                self.line(&line);
            } else {
                // Whole even where it is wider than the terminal: a path is there to be copied.
                self.line(&what);
                self.line(&format!("    {path}"));
            }
        }
    }
}

/// The names of services in a list; beyond the first few only their number.
fn listed(services: &[&ServiceEntry]) -> String {
    let named: Vec<String> =
        services.iter().take(SERVICES_NAMED).map(|service| names::service(&service.name)).collect();
    match services.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn finding_row(report: &Report, finding: &FindingEntry) -> [Cell; 4] {
    [
        Cell::flexible(story::series(finding)),
        Cell::left(story::before_and_during(finding)),
        Cell::right(story::factor(finding)),
        Cell::left(story::lasted(report, finding)),
    ]
}

/// A finding in two lines: the series, and below it what happened to it.
fn stacked([series, change, factor, lasted]: &[Cell; 4], width: usize) -> [String; 2] {
    let numbers = [change, factor, lasted].map(Cell::text);
    let said: Vec<&str> = numbers.into_iter().filter(|number| !number.is_empty()).collect();
    [names::cut(series.text(), width), names::cut(&format!("  {}", said.join(", ")), width)]
}

fn badge_style(verdict: VerdictWord) -> anstyle::Style {
    let background = match verdict {
        VerdictWord::Pass => AnsiColor::Green,
        VerdictWord::Warn => AnsiColor::Yellow,
        VerdictWord::Fail => AnsiColor::Red,
        VerdictWord::Inconclusive => AnsiColor::Magenta,
    };
    let foreground = if verdict == VerdictWord::Fail { AnsiColor::BrightWhite } else { AnsiColor::Black };
    anstyle::Style::new().bold().fg_color(Some(foreground.into())).bg_color(Some(background.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn plain_text_holds_no_escape_whatever_the_names_hold() {
        for (name, report) in samples::all() {
            let plain = report.to_text(Style::Plain);
            let acting = plain.chars().find(|character| character.is_control() && *character != '\n');
            assert_eq!(acting, None, "{name}");
        }
    }

    #[test]
    fn colour_changes_nothing_but_the_colour() {
        for (name, report) in samples::all() {
            let plain = report.to_text(Style::Plain);
            let coloured = report.to_text(Style::Colour);
            assert!(coloured.contains("\u{1b}["), "{name}");
            let squeezed = |text: &str| text.replace(' ', "");
            assert_eq!(squeezed(&without_escapes(&coloured)), squeezed(&plain), "{name}");
        }
    }

    fn without_escapes(text: &str) -> String {
        let mut parts = text.split("\u{1b}[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |kept, part| kept + part.split_once('m').map_or("", |(_, rest)| rest))
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [60, 72, 80, 99, 100, 140] {
            let options = TextOptions { width, ..TextOptions::default() };
            for (name, report) in samples::all() {
                for line in report.to_text(options.clone()).lines() {
                    assert!(names::columns(line) <= width, "{name} at {width}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_narrow_terminal_still_shows_every_number_whole() {
        let options = TextOptions { width: TextOptions::NARROWEST, ..TextOptions::default() };
        let text = samples::hidden_victim().to_text(options);
        for whole in [
            "    severity 78, began +6 s, recovered: never, as long as it",
            "    p99 of http_request_duration_seconds{route=\"/api/items\"}",
            "      12 ms → 480 ms, ×40, from +6 s on",
        ] {
            assert!(text.lines().any(|line| line == whole), "{whole}\n{text}");
        }
    }

    #[test]
    fn a_label_that_tells_survives_the_cut() {
        let mut report = samples::hidden_victim();
        for finding in &mut report.findings {
            finding.labels.insert("instance".to_owned(), "shop-".repeat(20));
        }
        for width in [80, 100, 140] {
            let text = report.to_text(TextOptions { width, ..TextOptions::default() });
            let told = "http_request_duration_seconds{route=\"/api";
            assert!(text.contains(told), "{width}: {text}");
        }
    }

    #[test]
    fn weak_signs_are_shown_with_their_series() {
        let text = samples::weak_signs().to_text(Style::Plain);
        let (_, section) = text.split_once("May have changed").expect("a section");
        let (section, rest) = section.split_once("\n\n").expect("it ends");
        assert!(section.contains("worker: 1 series changed, p 0.03\n    queue_depth{"), "{section}");
        assert!(section.contains("(no service), expected: 1 series changed"), "{section}");
        assert!(rest.contains("No change seen in 3 services\n  catalog, checkout, gateway\n"), "{rest}");
    }

    #[test]
    fn a_path_stays_whole_whatever_the_width() {
        let path = "out/".repeat(30) + "report.html";
        let files = vec![ReportFile { what: "report".to_owned(), path: path.clone() }];
        let text = samples::quiet().to_text(TextOptions { files, width: 60, ..TextOptions::default() });
        assert!(text.ends_with(&format!("Where to look\n  report\n    {path}\n")), "{text}");
    }

    #[test]
    fn the_files_to_open_stand_at_the_end() {
        let files = vec![
            ReportFile { what: "report".to_owned(), path: "out/report.html".to_owned() },
            ReportFile { what: "evidence".to_owned(), path: "out/evidence.parquet".to_owned() },
        ];
        let text = samples::quiet().to_text(TextOptions { files, ..TextOptions::default() });
        assert!(
            text.ends_with("Where to look\n  report    out/report.html\n  evidence  out/evidence.parquet\n")
        );
    }
}
