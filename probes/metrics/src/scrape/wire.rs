//! The text format of `/metrics`: Prometheus text 0.0.4, and OpenMetrics as far as it looks the same.

use std::collections::BTreeMap;

/// One line of a page that matters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line<'a> {
    /// `# TYPE family kind`.
    Type {
        /// The family.
        family: &'a str,
        /// The word for its kind.
        kind: &'a str,
    },
    /// A sample; exemplars and timestamps are left out.
    Sample {
        /// The name and labels exactly as written; the same series is written the same way each time.
        series: &'a str,
        /// Its value.
        value: f64,
    },
}

/// The lines of a page that matter, in order.
///
/// # Errors
/// In words, with the number of the line: what is not of this format.
pub(crate) fn parse(page: &str) -> Result<Vec<Line<'_>>, String> {
    let mut lines = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            lines.extend(declaration(comment));
        } else if !line.is_empty() {
            lines.push(sample(line).map_err(|problem| format!("line {}: {problem}", index + 1))?);
        }
    }
    Ok(lines)
}

fn declaration(comment: &str) -> Option<Line<'_>> {
    let mut words = comment.split_whitespace();
    (words.next()? == "TYPE").then_some(())?;
    Some(Line::Type { family: words.next()?.trim_matches('"'), kind: words.next()? })
}

fn sample(line: &str) -> Result<Line<'_>, String> {
    let end = end_of_series(line).ok_or("its labels are not closed")?;
    let (series, rest) = line.split_at(end);
    if series.trim().is_empty() {
        return Err("it has no name".to_owned());
    }
    // What follows the value is a timestamp or an exemplar.
    let value = rest.split_whitespace().next().ok_or("it has no value")?;
    let value = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
    Ok(Line::Sample { series: series.trim(), value })
}

/// Where the name and the labels end.
fn end_of_series(line: &str) -> Option<usize> {
    let start = line.find(|char: char| char == '{' || char.is_whitespace()).unwrap_or(line.len());
    // Labels may be set apart from the name by spaces.
    let braces = start + (line[start..].len() - line[start..].trim_start().len());
    if !line[braces..].starts_with('{') {
        return Some(start);
    }
    let (mut quoted, mut escaped) = (false, false);
    for (at, char) in line[braces..].char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some(braces + at + 1),
            _ => {}
        }
    }
    None
}

/// The name and the labels of a series as written in a page.
///
/// # Errors
/// In words: what is not of this format.
pub(crate) fn name_and_labels(series: &str) -> Result<(String, BTreeMap<String, String>), String> {
    let (name, list) = series.split_once('{').map_or((series, ""), |(name, list)| (name, list));
    let mut name = name.trim().to_owned();
    let mut labels = BTreeMap::new();
    let mut rest = list.trim_start();
    while !rest.is_empty() && !rest.starts_with('}') {
        let (label, after) = label_name(rest)?;
        let after = after.trim_start();
        if let Some(after) = after.strip_prefix('=') {
            let (value, after) =
                quoted(after.trim_start()).ok_or_else(|| format!("`{label}` has no value"))?;
            labels.insert(label, value);
            rest = after;
        } else if name.is_empty() {
            // The form of names that are not plain identifiers: {"http.requests",code="200"}.
            name = label;
            rest = after;
        } else {
            return Err(format!("`{label}` has no value"));
        }
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    if name.is_empty() { Err("it has no name".to_owned()) } else { Ok((name, labels)) }
}

fn label_name(text: &str) -> Result<(String, &str), String> {
    if text.starts_with('"') {
        return quoted(text).ok_or_else(|| "a quote is not closed".to_owned());
    }
    let end = text.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_' || char == ':'));
    match end {
        Some(end) if end > 0 => Ok((text[..end].to_owned(), &text[end..])),
        _ => Err(format!("`{text}` is not a label")),
    }
}

/// The text in the quotes that come next, and what follows them.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &inner[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            _ => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn only_sample(page: &str) -> (String, BTreeMap<String, String>, f64) {
        match parse(page).expect(page).as_slice() {
            [Line::Sample { series, value }] => {
                let (name, labels) = name_and_labels(series).expect(series);
                (name, labels, *value)
            }
            other => panic!("{page}: {other:?}"),
        }
    }

    #[test]
    fn samples_are_read_in_every_way_they_are_written() {
        for (page, name, expected, value) in [
            ("up 1", "up", labels(&[]), 1.0),
            ("up{} 1", "up", labels(&[]), 1.0),
            ("up {job=\"a\"} 2 1700000000000", "up", labels(&[("job", "a")]), 2.0),
            (
                "up{ job = \"a\" , b=\"} # \\\" \\\\ \\n\", }\t-1.5e-3",
                "up",
                labels(&[("job", "a"), ("b", "} # \" \\ \n")]),
                -0.0015,
            ),
            (
                "x_bucket{le=\"+Inf\"} 3 # {trace_id=\"a b\"} 0.5 1.0",
                "x_bucket",
                labels(&[("le", "+Inf")]),
                3.0,
            ),
            ("{\"http.requests\",\"a.b\"=\"c\"} 4", "http.requests", labels(&[("a.b", "c")]), 4.0),
            ("inf +Inf", "inf", labels(&[]), f64::INFINITY),
            ("ninf -Inf\r", "ninf", labels(&[]), f64::NEG_INFINITY),
        ] {
            assert_eq!(only_sample(page), (name.to_owned(), expected, value));
        }
        assert!(only_sample("nan NaN").2.is_nan());
    }

    #[test]
    fn types_are_read_and_other_comments_are_not() {
        let page =
            "# HELP a counts # TYPE b gauge\n# TYPE a counter\n#TYPE b gauge\n# UNIT a seconds\n\n# EOF\n";
        let expected =
            [Line::Type { family: "a", kind: "counter" }, Line::Type { family: "b", kind: "gauge" }];
        assert_eq!(parse(page), Ok(expected.to_vec()));
    }

    #[test]
    fn what_is_no_such_page_is_refused_with_its_line() {
        for (page, problem) in [
            ("up 1\n<html>", "line 2"),
            ("<!doctype html><p>hello there</p>", "is not a number"),
            ("up{a=\"b\" 1", "not closed"),
            ("up", "no value"),
            ("up{a=\"1\"} one", "`one` is not a number"),
        ] {
            let error = parse(page).expect_err(page);
            assert!(error.contains(problem), "{page}: {error}");
        }
    }

    #[test]
    fn labels_that_make_no_sense_are_refused() {
        for series in ["up{a}", "up{=\"1\"}", "{a=\"1\"}", "up{a=1}", "up{a=\"1}"] {
            assert!(name_and_labels(series).is_err(), "{series}");
        }
    }
}
