//! The report as one HTML file: no script, no network, light and dark, made for the screen and for paper.
//!
//! The drawings are inline SVG. This module computes what to show and where; the markup, with its escaping, is in
//! `templates/`.

mod axis;
mod chart;
mod rows;
mod timeline;

use askama::Template;

use super::names;
use super::numbers::{count, percent};
use super::power;
use super::report::{Report, ServiceState, VerdictWord};
use super::story;
use axis::TimeView;
use chart::ServiceCharts;
use rows::{CheckRow, DoubtfulRow, FindingRow, GapRow, OriginRow, ReasonRow, ServiceRow};
use timeline::TimelineDrawing;

impl Report {
    /// The report as a self-contained HTML page. The same report gives the same bytes.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it cannot panic, as the `expect` says")]
    pub fn to_html(&self) -> String {
        let page = Page::new(self);
        page.render().expect("every part of the page is plain text or a number, and memory takes every write")
    }
}

/// Findings in the open table; the others are folded away.
const FINDINGS_SHOWN: usize = 20;

/// Findings on the page at all; the JSON report holds every one.
const FINDINGS_AT_ALL: usize = 300;

/// Everything on the page, in the order of the page.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    verdict_class: &'static str,
    verdict: &'static str,
    headline: String,
    /// Empty where there is none.
    score: String,
    experiment: String,
    tiles: Vec<Tile>,
    reasons: Vec<ReasonRow>,
    timeline: TimelineDrawing,
    has_excluded: bool,
    nothing_hit: &'static str,
    hit: Vec<ServiceRow>,
    overshoots: Vec<String>,
    may_have_changed: Vec<DoubtfulRow>,
    calm: Vec<ServiceRow>,
    calm_count: String,
    charts: Vec<ServiceCharts>,
    findings: Vec<FindingRow>,
    more_findings: Vec<FindingRow>,
    findings_note: String,
    origin: Vec<OriginRow>,
    origin_basis: String,
    order: String,
    checks_sentence: String,
    checks: Vec<CheckRow>,
    trust: Vec<String>,
    coverage: String,
    gaps: Vec<GapRow>,
    limits: Vec<String>,
    facts: Vec<Fact>,
    version: String,
}

/// One number at a glance.
struct Tile {
    label: &'static str,
    value: String,
    /// `bad`, `good` or nothing.
    tone: &'static str,
}

/// One line of the provenance.
struct Fact {
    name: &'static str,
    values: Vec<String>,
}

impl Page {
    fn new(report: &Report) -> Self {
        let view = TimeView::of(report);
        let mut findings: Vec<FindingRow> = report
            .findings
            .iter()
            .take(FINDINGS_AT_ALL)
            .map(|finding| FindingRow::new(report, finding))
            .collect();
        let more_findings = findings.split_off(findings.len().min(FINDINGS_SHOWN));
        let calm = story::no_change_seen(report);
        Self {
            verdict_class: verdict_class(report.verdict),
            verdict: report.verdict.shouted(),
            headline: story::headline(report),
            score: story::points(report),
            experiment: story::experiment(report),
            tiles: tiles(report),
            reasons: report.reasons.iter().map(ReasonRow::new).collect(),
            timeline: TimelineDrawing::new(report, &view),
            has_excluded: !report.windows.exclude.is_empty(),
            nothing_hit: story::nothing_hit(report),
            hit: story::hit(report).into_iter().map(|service| ServiceRow::new(report, service)).collect(),
            overshoots: power::overshoots(report),
            may_have_changed: rows::may_have_changed(report),
            calm_count: count(calm.len(), "service", "services"),
            calm: calm.into_iter().map(|service| ServiceRow::new(report, service)).collect(),
            charts: chart::per_service(report, &view),
            findings,
            more_findings,
            findings_note: findings_note(report),
            origin: rows::origin(report),
            origin_basis: names::visible(&report.origin_basis),
            order: story::order(report).unwrap_or_default(),
            checks_sentence: story::checks(report).unwrap_or_default(),
            checks: report.checks.iter().map(CheckRow::new).collect(),
            trust: story::trust(report),
            coverage: story::coverage(report),
            gaps: report.coverage.gaps.iter().map(GapRow::new).collect(),
            limits: report.limits.iter().map(|limit| names::visible(limit)).collect(),
            facts: facts(report),
            version: names::visible(&report.provenance.aftermath_version),
        }
    }
}

fn verdict_class(verdict: VerdictWord) -> &'static str {
    match verdict {
        VerdictWord::Pass => "pass",
        VerdictWord::Warn => "warn",
        VerdictWord::Fail => "fail",
        VerdictWord::Inconclusive => "inconclusive",
    }
}

fn tiles(report: &Report) -> Vec<Tile> {
    let hit = |expected: bool| {
        report.services.iter().filter(|service| service.affected && service.expected == expected).count()
    };
    let lasting =
        report.services.iter().filter(|service| service.state == ServiceState::NotRecovered).count();
    let tone = |number: usize| match (number, report.verdict) {
        (1.., _) => "bad",
        (0, VerdictWord::Inconclusive) => "",
        (0, _) => "good",
    };
    let coverage = &report.coverage;
    let judged = match coverage.series {
        0 => "–".to_owned(),
        series => percent(coverage.judged as f64 / series as f64),
    };
    let mut tiles = vec![
        Tile { label: "hit unexpectedly", value: hit(false).to_string(), tone: tone(hit(false)) },
        Tile { label: "hit as expected", value: hit(true).to_string(), tone: "" },
        Tile { label: "never recovered", value: lasting.to_string(), tone: tone(lasting) },
        Tile { label: "series changed", value: report.findings.len().to_string(), tone: "" },
        Tile { label: "of series judged", value: judged, tone: "" },
    ];
    if !report.checks.is_empty() {
        let green = report.checks.iter().filter(|check| check.passed).count();
        let red = report.checks.len() - green;
        let value = format!("{green}/{}", report.checks.len());
        tiles.push(Tile { label: "predefined checks green", value, tone: tone(red) });
    }
    tiles
}

fn findings_note(report: &Report) -> String {
    match report.findings.len() {
        0 if story::nothing_was_judged(report) => "What changed cannot be told.".to_owned(),
        0 => "No series was seen to change more than chance allows.".to_owned(),
        number if number > FINDINGS_AT_ALL => {
            format!(
                "{number} series changed; the {FINDINGS_AT_ALL} strongest are listed, the JSON report holds all."
            )
        }
        number => format!("{}, the strongest first.", count(number, "series changed", "series changed")),
    }
}

fn facts(report: &Report) -> Vec<Fact> {
    let (windows, provenance) = (&report.windows, &report.provenance);
    let source = &provenance.source;
    let one = |value: String| vec![value];
    let step = format!("{} s", windows.step_seconds);
    let visible = |texts: &[String]| texts.iter().map(|text| names::visible(text)).collect::<Vec<_>>();
    let mut facts = vec![
        Fact {
            name: "Read from",
            values: one(names::visible(
                format!("{} {} {}", source.kind, source.address, source.version).trim(),
            )),
        },
        Fact { name: "Selectors", values: visible(&provenance.selectors) },
        Fact { name: "Service named by", values: one(names::visible(&provenance.service_labels.join(", "))) },
        Fact { name: "Baseline", values: one(story::window(windows.baseline)) },
        Fact { name: "Fault", values: one(story::window(windows.fault)) },
        Fact { name: "Recovery", values: windows.recovery.map(story::window).into_iter().collect() },
        Fact { name: "Left out", values: windows.exclude.iter().copied().map(story::window).collect() },
        Fact { name: "Step", values: one(step) },
    ];
    if provenance.partial {
        facts.push(Fact {
            name: "Complete",
            values: one("no: the source did not give everything".to_owned()),
        });
    }
    facts.retain(|fact| fact.values.iter().any(|value| !value.is_empty()));
    facts
}

#[cfg(test)]
mod tests {
    use crate::export::samples;

    #[test]
    fn the_page_needs_no_network_and_runs_no_script() {
        for (name, report) in samples::all() {
            let page = report.to_html();
            for forbidden in
                ["<script", "<link", "<img", "<iframe", "@import", "url(", " src=\"", "onload=\"", "\u{1b}"]
            {
                assert!(!page.contains(forbidden), "{name}: {forbidden}");
            }
            assert!(page.contains("default-src 'none'"), "{name}");
        }
    }

    #[test]
    fn every_tag_that_is_opened_is_closed() {
        for (name, report) in samples::all() {
            let page = report.to_html();
            for tag in [
                "section", "table", "tr", "td", "th", "svg", "g", "text", "title", "details", "ul", "li", "p",
            ] {
                let opened =
                    page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{name}: {tag}");
            }
        }
    }

    #[test]
    fn every_drawing_has_a_description() {
        let page = samples::hidden_victim().to_html();
        assert_eq!(page.matches("<svg ").count(), page.matches("role=\"img\" aria-label=\"").count());
        assert_eq!(page.matches("<svg ").count(), 1 + samples::hidden_victim().charts.len());
    }

    #[test]
    fn weak_signs_are_shown_apart_from_services_without_a_change() {
        let page = samples::weak_signs().to_html();
        let (_, rest) = page.split_once("<h3>May have changed</h3>").expect("a section");
        let (doubtful, calm) = rest.split_once("No change seen in 3 services").expect("a list");
        assert!(doubtful.contains("<th scope=\"row\">worker</th>"), "{doubtful}");
        assert!(doubtful.contains("<th scope=\"row\">(no service)</th>"), "{doubtful}");
        let (calm, _) = calm.split_once("</table>").expect("a table");
        assert!(!calm.contains("worker") && calm.contains("catalog"), "{calm}");
    }

    #[test]
    fn a_note_of_the_source_is_shown_once_in_every_format() {
        let report = samples::no_verdict();
        let note = "warning: a store could not be reached";
        assert!(report.provenance.notes.iter().any(|own| own == note), "the sample has the note");
        for page in [report.to_html(), report.to_markdown(), report.to_text(crate::export::Style::Plain)] {
            assert_eq!(page.matches(note).count(), 1, "{page}");
        }
    }

    #[test]
    fn the_page_never_shows_a_number_that_is_none() {
        for (name, report) in samples::all() {
            let page = report.to_html();
            assert!(!page.contains("NaN") && !page.contains("inf "), "{name}");
        }
    }
}
