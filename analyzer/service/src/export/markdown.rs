//! The report as Markdown for the summary of a pipeline step or a comment on a pull request (GitHub's dialect).

use std::fmt::Write;

use super::names;
use super::numbers::{count, digits, probability};
use super::power;
use super::report::{Report, VerdictWord};
use super::story;

const FINDINGS_PER_SERVICE: usize = 5;
const DOUBTFUL_FINDINGS: usize = 3;
const SERVICES_WITH_FINDINGS: usize = 12;
const SERVICES_NAMED: usize = 40;
const ORIGINS: usize = 3;

impl Report {
    /// The report as Markdown with a newline at its end. Names cannot break out of their place, mention a person or
    /// become a link.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut page = String::new();
        verdict(&mut page, self);
        services(&mut page, self);
        findings(&mut page, self);
        checks(&mut page, self);
        fine_print(&mut page, self);
        page
    }
}

fn line(page: &mut String, line: &str) {
    page.push_str(line);
    page.push('\n');
}

fn verdict(page: &mut String, report: &Report) {
    let mark = match report.verdict {
        VerdictWord::Pass => "✅",
        VerdictWord::Warn => "⚠️",
        VerdictWord::Fail => "❌",
        VerdictWord::Inconclusive => "❔",
    };
    line(page, &format!("## {mark} Aftermath: {}, {}", report.verdict.shouted(), story::score(report)));
    line(page, "");
    line(page, &format!("**{}**", prose(&story::headline(report))));
    line(page, "");
    line(page, &prose(&story::experiment(report)));
    line(page, "");
    for reason in &report.reasons {
        line(page, &format!("- {} ({})", prose(&names::visible(&reason.text)), code(&reason.id)));
    }
}

fn services(page: &mut String, report: &Report) {
    let hit = story::hit(report);
    if !hit.is_empty() {
        line(page, "");
        line(page, "| Service | Expected | Severity | Began | Recovered | p |");
        line(page, "|---|---|--:|--:|---|--:|");
        for service in hit.iter().take(SERVICES_NAMED) {
            let row = format!(
                "| {} | {} | {} | {} | {} | {} |",
                code(&names::service(&service.name)),
                if service.expected { "yes" } else { "**no**" },
                service.severity.map_or_else(|| "–".to_owned(), |severity| format!("{severity:.0}")),
                story::since_fault(report, service.onset),
                story::recovery(report, service),
                prose(&probability(service.p_value)),
            );
            line(page, &row);
        }
        and_more(page, hit.len(), SERVICES_NAMED);
    }
    for sentence in power::overshoots(report) {
        line(page, "");
        line(page, &prose(&sentence));
    }
    may_have_changed(page, report);
    let calm = story::no_change_seen(report).len();
    if calm > 0 {
        line(page, "");
        line(page, &format!("No change seen in {}.", count(calm, "service", "services")));
    }
    let origins = story::origins(report, ORIGINS);
    if !origins.is_empty() {
        let ranked: Vec<String> = origins
            .iter()
            .map(|(service, score)| format!("{} ({})", code(service), digits(*score)))
            .collect();
        line(page, "");
        line(page, &format!("Likely origin: {}.", ranked.join(", ")));
        if let Some(order) = story::order(report) {
            line(page, &prose(&order));
        }
    }
}

fn may_have_changed(page: &mut String, report: &Report) {
    let doubtful = story::strongest(report, story::may_have_changed(report), DOUBTFUL_FINDINGS);
    if doubtful.is_empty() {
        return;
    }
    line(page, "");
    line(page, "May have changed, with signs too weak to count as a hit:");
    line(page, "");
    line(page, "| Service | Expected | Signs | Strongest series |");
    line(page, "|---|---|---|---|");
    for (service, findings) in doubtful.iter().take(SERVICES_WITH_FINDINGS) {
        let evidence = findings.iter().map(|finding| {
            let change = [story::before_and_during(finding), story::factor(finding)].join(" ");
            format!("{} {}", code(&story::series(finding)), change.trim())
        });
        let row = format!(
            "| {} | {} | {} | {} |",
            code(&names::service(&service.name)),
            if service.expected { "yes" } else { "no" },
            prose(&story::signs(report, service)),
            evidence.collect::<Vec<_>>().join("<br>"),
        );
        line(page, &row);
    }
    and_more(page, doubtful.len(), SERVICES_WITH_FINDINGS);
}

fn and_more(page: &mut String, total: usize, shown: usize) {
    if total > shown {
        line(page, "");
        line(page, &format!("and {} more.", total - shown));
    }
}

fn findings(page: &mut String, report: &Report) {
    let groups = story::strongest(report, story::hit(report), FINDINGS_PER_SERVICE);
    if groups.is_empty() {
        return;
    }
    line(page, "");
    line(page, "<details><summary>Strongest evidence</summary>");
    line(page, "");
    line(page, "| Service | Series | Before → during | Change | When |");
    line(page, "|---|---|---|--:|---|");
    for (service, findings) in groups.iter().take(SERVICES_WITH_FINDINGS) {
        for finding in findings {
            let row = format!(
                "| {} | {} | {} | {} | {} |",
                code(&names::service(&service.name)),
                code(&story::series(finding)),
                story::before_and_during(finding),
                story::factor(finding),
                story::lasted(report, finding),
            );
            line(page, &row);
        }
    }
    and_more(page, groups.len(), SERVICES_WITH_FINDINGS);
    line(page, "");
    let total = count(report.findings.len(), "series changed", "series changed");
    line(page, &format!("{total} in all; times are counted from the start of the fault."));
    line(page, "");
    line(page, "</details>");
}

fn checks(page: &mut String, report: &Report) {
    let Some(sentence) = story::checks(report) else { return };
    line(page, "");
    line(page, &prose(&sentence));
    for check in report.checks.iter().filter(|check| !check.passed) {
        line(page, &format!("- {}: {}", code(&check.name), prose(&names::visible(&check.detail))));
    }
}

fn fine_print(page: &mut String, report: &Report) {
    line(page, "");
    line(page, "<details><summary>Coverage and trust</summary>");
    line(page, "");
    line(page, &format!("- {}", story::coverage(report)));
    for gap in &report.coverage.gaps {
        let series = count(gap.series, "series", "series");
        line(page, &format!("- {series} not judged: {}", prose(&story::gap_cause(&gap.cause))));
    }
    for note in &report.limits {
        line(page, &format!("- {}", prose(&names::visible(note))));
    }
    for sentence in story::trust(report) {
        line(page, &format!("- {}", prose(&sentence)));
    }
    let source = &report.provenance.source;
    let from = format!("{} {} {}", source.kind, source.address, source.version);
    line(
        page,
        &format!(
            "- read from {} by Aftermath {}",
            code(from.trim()),
            prose(&report.provenance.aftermath_version)
        ),
    );
    line(page, "");
    line(page, "</details>");
}

/// `text` as running words: nothing in it is markup, a link or a mention.
fn prose(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' | '#' => {
                // A zero-width space behind it: GitHub links mentions and issue numbers after it has read the escapes.
                let _ = write!(escaped, "{character}&#8203;");
            }
            ':' if rest.peek() == Some(&'/') => escaped.push_str("\\:"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// `text` in a span of code that nothing inside it can end, and that no cell of a table is split by.
fn code(text: &str) -> String {
    let text = names::visible(text).replace('|', "\\|");
    let longest_run = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest_run + 1);
    let space = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn words_cannot_become_markup() {
        let cases = [
            ("<img src=x>", "&lt;img src=x&gt;"),
            ("a|b", "a\\|b"),
            ("*a* _b_ `c` [d](e)", "\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e)"),
            ("@everyone #1", "@&#8203;everyone #&#8203;1"),
            ("http://evil.example", "http\\://evil.example"),
        ];
        for (text, expected) in cases {
            assert_eq!(prose(text), expected);
        }
    }

    #[test]
    fn a_span_of_code_is_longer_than_every_run_of_ticks_inside() {
        assert_eq!(code("cart"), "`cart`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a|b\n"), "`a\\|b\\n`");
    }

    #[test]
    fn every_row_of_a_table_has_the_cells_of_its_header() {
        for (name, report) in samples::all() {
            let cells = |line: &str| line.replace("\\|", "").matches('|').count();
            let page = report.to_markdown();
            let mut header = None;
            for line in page.lines() {
                if !line.starts_with('|') {
                    header = None;
                    continue;
                }
                let expected = *header.get_or_insert_with(|| cells(line));
                assert_eq!(cells(line), expected, "{name}: {line}");
            }
        }
    }
}
