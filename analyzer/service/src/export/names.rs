//! Names that came from outside, made harmless before anyone reads them.
//!
//! A label can hold anything: terminal escape sequences, line breaks, marks that turn the direction of writing. None
//! of it may act on the reader's terminal or page, and all of it stays visible.

use std::collections::BTreeMap;
use std::fmt::Write;

/// What stands where a series has no service.
pub(super) const NO_SERVICE: &str = "(no service)";

/// `text` with every character that acts instead of showing written as an escape: `\n`, `\u{1b}`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        if acts(character) {
            harmless.extend(character.escape_default());
        } else {
            harmless.push(character);
        }
    }
    harmless
}

/// Control characters, and the Unicode marks that break lines, hide, or turn the direction of writing.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The name of a service as people read it.
pub(super) fn service(name: &str) -> String {
    if name.is_empty() { NO_SERVICE.to_owned() } else { visible(name) }
}

/// Labels that say where a series was measured rather than what it measures.
const PLACES: [&str; 9] =
    ["cluster", "container", "endpoint", "host", "instance", "job", "namespace", "node", "pod"];

/// The labels as Prometheus writes them; empty when there are none. Those that only name a place come last, so that a
/// cut text still shows what is measured.
pub(super) fn label_set(labels: &BTreeMap<String, String>) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let (places, telling): (Vec<_>, Vec<_>) =
        labels.iter().partition(|(label, _)| PLACES.contains(&label.as_str()));
    let mut text = String::from("{");
    for (index, (label, value)) in telling.into_iter().chain(places).enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let quoted = visible(&value.replace('\\', "\\\\").replace('"', "\\\""));
        let _ = write!(text, "{separator}{}=\"{quoted}\"", visible(label));
    }
    text.push('}');
    text
}

/// `cart`, `cart and checkout`, `cart, checkout and 3 more`; services in the order given.
pub(super) fn short_list<'a>(services: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = services.into_iter().map(service).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, second, third] => format!("{first}, {second} and {third}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
    }
}

/// How many columns of a terminal `text` takes. Wide are the blocks that Unicode's East Asian Width (UAX #11) calls
/// wide or full-width, and emoji; combining marks take no column.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(character_columns).sum()
}

fn character_columns(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{20d0}'..='\u{20ff}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// `text` in at most `width` columns, with an ellipsis in place of what was cut from its end.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character_columns(character);
        if used + 1 > width {
            break;
        }
        kept.push(character);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// `text` in lines of at most `width` columns, broken at blanks, and inside a word only where it is longer than a line.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace().flat_map(|word| pieces(word, width)) {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(&word) <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// `word` in pieces of at most `width` columns.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for character in word.chars() {
        if !piece.is_empty() && columns(&piece) + character_columns(character) > width {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.push(character);
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_or_page_survives() {
        let cases = [
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("two\nlines\r\tand a tab", "two\\nlines\\r\\tand a tab"),
            ("user\u{202e}gpj.exe", "user\\u{202e}gpj.exe"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("c1 \u{9b}31m", "c1 \\u{9b}31m"),
            ("Größe 数 ☃ <b>&\"", "Größe 数 ☃ <b>&\""),
        ];
        for (name, expected) in cases {
            assert_eq!(visible(name), expected);
        }
    }

    #[test]
    fn labels_that_name_a_place_come_last() {
        let labels = [("code", "200"), ("instance", "a:1"), ("route", "/")]
            .map(|(label, value)| (label.to_owned(), value.to_owned()));
        assert_eq!(label_set(&labels.into()), r#"{code="200", route="/", instance="a:1"}"#);
    }

    #[test]
    fn labels_are_written_as_prometheus_writes_them() {
        let labels = BTreeMap::from([
            ("le".to_owned(), "0.5".to_owned()),
            ("path".to_owned(), "C:\\\"x\"\n".to_owned()),
        ]);
        assert_eq!(label_set(&labels), r#"{le="0.5", path="C:\\\"x\"\n"}"#);
        assert_eq!(label_set(&BTreeMap::new()), "");
    }

    #[test]
    fn a_list_of_services_stays_short() {
        assert_eq!(short_list(["a"]), "a");
        assert_eq!(short_list(["a", "b"]), "a and b");
        assert_eq!(short_list(["a", "b", "c"]), "a, b and c");
        assert_eq!(short_list(["a", "b", "c", "d"]), "a, b and 2 more");
        assert_eq!(short_list([""]), NO_SERVICE);
    }

    #[test]
    fn a_cut_text_fits_its_width() {
        for (text, width, expected) in
            [("short", 5, "short"), ("longer", 5, "long…"), ("数数数", 4, "数…"), ("any", 0, "")]
        {
            assert_eq!(cut(text, width), expected);
            assert!(columns(&cut(text, width)) <= width);
        }
    }

    #[test]
    fn wrapped_lines_keep_every_word_and_their_width() {
        let text = "the quick brown fox jumps over averyveryverylongword and rests";
        let lines = wrapped(text, 12);
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert!(lines.iter().all(|line| columns(line) <= 12), "{lines:?}");
    }
}
