//! Series selectors: read, narrowed to metric names, and written in both languages of the server.
//!
//! Whether a selector is valid is for the server to say. It is read here only to add conditions to it.

use super::wire::{LabelMatcher, matcher};

/// The label that holds the metric name.
pub(crate) const NAME: &str = "__name__";

/// Conditions on labels, all of which a series must meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    label: String,
    operator: &'static str,
    value: String,
}

impl Selector {
    /// Every series.
    pub(crate) fn everything() -> Self {
        let mut selector = Self::default();
        selector.add(NAME, "!=", String::new());
        selector
    }

    /// Reads `name{label="value",…}`.
    ///
    /// # Errors
    /// In words: what could not be read.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text.trim() };
        let mut selector = Self::default();
        let name = reader.identifier();
        if !name.is_empty() {
            selector.add(NAME, "=", name.to_owned());
        }
        if reader.take("{") {
            selector.read_conditions(&mut reader)?;
        }
        reader.skip_space();
        if reader.rest.is_empty() { Ok(selector) } else { Err(format!("`{}` is not expected", reader.rest)) }
    }

    fn read_conditions(&mut self, reader: &mut Reader<'_>) -> Result<(), String> {
        while !reader.take("}") {
            let quoted = reader.string()?;
            let label = quoted.clone().unwrap_or_else(|| reader.identifier().to_owned());
            match reader.operator() {
                Some(operator) if !label.is_empty() => {
                    let value =
                        reader.string()?.ok_or_else(|| format!("the value of `{label}` is not in quotes"))?;
                    self.add(&label, operator, value);
                }
                None if quoted.is_some() => self.add(NAME, "=", label),
                _ => return Err(format!("`{}` is not a condition on a label", reader.rest)),
            }
            if !reader.take(",") && !reader.rest.trim_start().starts_with('}') {
                return Err("a comma or `}` is missing".to_owned());
            }
        }
        Ok(())
    }

    fn add(&mut self, label: &str, operator: &'static str, value: String) {
        self.conditions.push(Condition { label: label.to_owned(), operator, value });
    }

    /// The same selector for series with one of these metric names only.
    pub(crate) fn only(&self, names: &[String]) -> Self {
        let mut narrowed = self.clone();
        if let [name] = names {
            narrowed.add(NAME, "=", name.clone());
            return narrowed;
        }
        let escaped: Vec<String> = names.iter().map(|name| escape_regex(name)).collect();
        narrowed.add(NAME, "=~", escaped.join("|"));
        narrowed
    }

    /// In PromQL.
    pub(crate) fn to_promql(&self) -> String {
        let conditions: Vec<String> = self
            .conditions
            .iter()
            .map(|Condition { label, operator, value }| {
                let label = if is_identifier(label) { label.clone() } else { quote(label) };
                format!("{label}{operator}{}", quote(value))
            })
            .collect();
        format!("{{{}}}", conditions.join(","))
    }

    /// For `remote_read`.
    pub(crate) fn to_matchers(&self) -> Vec<LabelMatcher> {
        self.conditions
            .iter()
            .map(|condition| matcher(condition.operator, &condition.label, &condition.value))
            .collect()
    }
}

fn is_identifier(label: &str) -> bool {
    let mut chars = label.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
}

fn quote(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn escape_regex(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for char in name.chars() {
        if r"\.+*?()|[]{}^$".contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn identifier(&mut self) -> &'a str {
        self.skip_space();
        let end = self
            .rest
            .find(|char: char| !(char.is_ascii_alphanumeric() || char == '_' || char == ':'))
            .unwrap_or(self.rest.len());
        let (found, rest) = self.rest.split_at(end);
        self.rest = rest;
        found
    }

    fn operator(&mut self) -> Option<&'static str> {
        ["=~", "!~", "!=", "="].into_iter().find(|operator| self.take(operator))
    }

    /// A text in quotes, if one comes next.
    fn string(&mut self) -> Result<Option<String>, String> {
        self.skip_space();
        let Some(quote) = self.rest.chars().next().filter(|char| matches!(char, '"' | '\'' | '`')) else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, char)) = chars.next() {
            match char {
                _ if char == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Some(text));
                }
                '\\' if quote != '`' => text.push(unescape(chars.next().map(|(_, char)| char))?),
                _ => text.push(char),
            }
        }
        Err(format!("the quote {quote} is not closed"))
    }
}

fn unescape(escaped: Option<char>) -> Result<char, String> {
    match escaped {
        Some(char @ ('\\' | '"' | '\'')) => Ok(char),
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('r') => Ok('\r'),
        Some(other) => Err(format!("the escape \\{other} is not known here; write the character itself")),
        None => Err("it ends with a backslash".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_and_written_again() {
        for (text, promql) in [
            ("up", r#"{__name__="up"}"#),
            ("  up { }", r#"{__name__="up"}"#),
            (r#"up{job="api",}"#, r#"{__name__="up",job="api"}"#),
            (r#"{a!="1", b=~'x.*',c!~`\d+`}"#, r#"{a!="1",b=~"x.*",c!~"\\d+"}"#),
            (r#"{"http.requests", "a.b"="c"}"#, r#"{__name__="http.requests","a.b"="c"}"#),
            (r#"job:errors:rate5m{x="a\"b\\c\nd"}"#, r#"{__name__="job:errors:rate5m",x="a\"b\\c\nd"}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(
                Selector::parse(text).map(|selector| selector.to_promql()),
                Ok(promql.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in
            ["rate(up[5m])", "up{", "up{job}", "up{job=api}", r#"up{job="api}"#, r#"{a="1" b="2"}"#, "up[5m]"]
        {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_selector_is_narrowed_to_names_taken_literally() {
        let selector = Selector::parse(r#"{job="api"}"#).expect("valid");
        assert_eq!(selector.only(&["a".into()]).to_promql(), r#"{job="api",__name__="a"}"#);
        let two = selector.only(&["a.b".into(), "c".into()]).to_promql();
        assert_eq!(two, r#"{job="api",__name__=~"a\\.b|c"}"#);
    }

    #[test]
    fn the_conditions_of_both_languages_are_the_same() {
        let selector = Selector::parse(r#"{a="1",b!="2",c=~"3",d!~"4"}"#).expect("valid");
        let expected = [("=", "a", "1"), ("!=", "b", "2"), ("=~", "c", "3"), ("!~", "d", "4")];
        assert_eq!(
            selector.to_matchers(),
            expected.map(|(operator, label, value)| matcher(operator, label, value))
        );
    }
}
