//! What a person expects of the experiment, as written on the command line.
//!
//! `--expect SERVICE[:SIGNALS][:up|down]`, `--expect-hops N[:callers|callees|both]`,
//! `--limit 'SERVICE:METRIC[ MEASURE]<VALUE'`. In: texts. Out: the nouns of the model, or what is wrong with the text.

use std::collections::BTreeSet;

use aftermath_model::{Along, Bound, ExpectedImpact, MetricLimit, Reach, Signal, Trend};

/// The word for every signal: it tells a service whose name ends like a signal from a misspelt signal.
const ANY: &str = "any";

/// Reads a service that may be hit and in which way: `cart`, `cart:errors,latency`, `cart:latency:up`, `cart:down`.
///
/// A part behind a colon that holds anything but letters and commas belongs to the name of the service, as in
/// `10.0.0.1:9090`; `any` behind it says that a name ends here.
///
/// # Errors
/// A sentence that names the text and says what would be right.
pub(super) fn expected_impact(text: &str) -> Result<ExpectedImpact, String> {
    let mut rest = text.trim();
    let mut trend = None;
    if let Some((before, after)) = rest.rsplit_once(':')
        && let Some(read) = Trend::parse(after.trim())
    {
        (rest, trend) = (before, Some(read));
    }
    let mut signals = BTreeSet::new();
    if let Some((before, after)) = rest.rsplit_once(':')
        && is_word(after)
    {
        signals = read_signals(after).map_err(|wrong| {
            format!(
                "--expect `{text}`: {wrong}; write {}, or `{rest}:{ANY}` if that is the name of the service",
                signal_names()
            )
        })?;
        rest = before;
    }
    if rest.is_empty() {
        return Err(format!(
            "--expect `{text}` names no service; write SERVICE, such as cart:errors,latency:up"
        ));
    }
    Ok(ExpectedImpact { service: rest.to_owned(), signals, trend })
}

fn is_word(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphabetic() || letter == ',' || letter == ' ')
}

fn read_signals(text: &str) -> Result<BTreeSet<Signal>, String> {
    if text.trim() == ANY {
        return Ok(BTreeSet::new());
    }
    let read = |name: &str| {
        Signal::parse(name.trim()).ok_or_else(|| format!("there is no signal `{}`", name.trim()))
    };
    text.split(',').map(read).collect()
}

fn signal_names() -> String {
    Signal::ALL.map(Signal::as_str).join(", ")
}

/// Reads how far trouble may travel: `1`, `2:callees`.
///
/// # Errors
/// A sentence that names the text and says what would be right.
pub(super) fn reach(text: &str) -> Result<Reach, String> {
    let (hops, along) = text.split_once(':').unwrap_or((text, Along::Callers.as_str()));
    let wrong = || {
        format!(
            "--expect-hops `{text}` is no distance; write a number of calls, such as 1, 2:callees or 1:both"
        )
    };
    let hops = hops.trim().parse().map_err(|_| wrong())?;
    Ok(Reach { hops, along: Along::parse(along.trim()).ok_or_else(wrong)? })
}

/// Reads a limit: `cart:http_error_ratio<2%`, `cart:http_request_duration_seconds p99<0.8`, `cart:up>0.5`.
///
/// # Errors
/// A sentence that names the text and says what would be right.
pub(super) fn metric_limit(text: &str) -> Result<MetricLimit, String> {
    let wrong = |what: &str| {
        format!(
            "--limit `{text}` {what}; write SERVICE:METRIC<VALUE or SERVICE:METRIC MEASURE<VALUE, such as \
             'cart:http_error_ratio<2%' or 'cart:http_request_duration_seconds p99<0.8'"
        )
    };
    let Some(at) = text.find(['<', '>']) else { return Err(wrong("has neither < nor >")) };
    let (what, value) = (&text[..at], &text[at + 1..]);
    let value = read_value(value).ok_or_else(|| wrong("has no number behind it"))?;
    let bound = if text[at..].starts_with('<') { Bound::Below(value) } else { Bound::Above(value) };
    let Some((service, metric)) = service_and_metric(what.trim()) else {
        return Err(wrong("does not name a service and a metric"));
    };
    let (metric, measure) = match metric.split_once(char::is_whitespace) {
        Some((metric, measure)) => (metric, Some(measure.trim().to_owned())),
        None => (metric, None),
    };
    Ok(MetricLimit { service: service.to_owned(), metric: metric.to_owned(), measure, bound })
}

/// Parts at the first colon behind which a metric can begin: not with a digit, so that `10.0.0.1:9090:up` is `up`.
fn service_and_metric(text: &str) -> Option<(&str, &str)> {
    let begins_metric = |rest: &str| rest.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    text.match_indices(':')
        .map(|(at, _)| (&text[..at], &text[at + 1..]))
        .find(|(service, metric)| !service.is_empty() && begins_metric(metric))
}

/// A number in the base unit of its metric; `2%` is 0.02, `800ms` is 0.8.
fn read_value(text: &str) -> Option<f64> {
    let text = text.trim();
    let units = [("%", 0.01), ("ms", 1e-3), ("us", 1e-6), ("s", 1.0)];
    let unit = units.iter().find(|(unit, _)| text.ends_with(unit));
    let (number, factor) =
        unit.map_or((text, 1.0), |(unit, factor)| (&text[..text.len() - unit.len()], *factor));
    let number: f64 = number.trim().parse().ok()?;
    Some(number * factor).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_is_read_in_each_documented_form() {
        let table: [(&str, &str, &[Signal], Option<Trend>); 8] = [
            ("cart", "cart", &[], None),
            ("cart:errors", "cart", &[Signal::Errors], None),
            ("cart:errors,latency:up", "cart", &[Signal::Errors, Signal::Latency], Some(Trend::Up)),
            (
                "cart:traffic, saturation:down",
                "cart",
                &[Signal::Saturation, Signal::Traffic],
                Some(Trend::Down),
            ),
            ("cart:down", "cart", &[], Some(Trend::Down)),
            ("10.0.0.1:9090", "10.0.0.1:9090", &[], None),
            ("10.0.0.1:9090:errors", "10.0.0.1:9090", &[Signal::Errors], None),
            ("db:primary:any", "db:primary", &[], None),
        ];
        for (text, service, signals, trend) in table {
            let expected = ExpectedImpact {
                service: service.to_owned(),
                signals: signals.iter().copied().collect(),
                trend,
            };
            assert_eq!(expected_impact(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_misspelt_signal_is_no_service() {
        for (text, said) in [
            ("cart:latncy", "no signal `latncy`; write errors, latency, saturation, traffic"),
            ("cart:errors,:up", "no signal ``"),
            ("db:primary", "or `db:primary:any` if that is the name"),
            (":errors", "names no service"),
            ("", "names no service"),
        ] {
            let wrong = expected_impact(text).unwrap_err();
            assert!(wrong.contains(said) && wrong.starts_with(&format!("--expect `{text}`")), "{wrong}");
        }
    }

    #[test]
    fn a_distance_goes_to_the_callers_unless_said_otherwise() {
        assert_eq!(reach("1"), Ok(Reach { hops: 1, along: Along::Callers }));
        assert_eq!(reach("2:callees"), Ok(Reach { hops: 2, along: Along::Callees }));
        for text in ["", "-1", "one", "1:sideways", "1.5"] {
            assert!(reach(text).unwrap_err().contains(&format!("`{text}`")), "{text}");
        }
    }

    #[test]
    fn a_limit_is_read_with_its_unit_and_measure() {
        let table = [
            ("cart:http_error_ratio<0.02", "cart", "http_error_ratio", None, Bound::Below(0.02)),
            ("cart:http_error_ratio < 2%", "cart", "http_error_ratio", None, Bound::Below(0.02)),
            ("cart:latency_seconds p99<800ms", "cart", "latency_seconds", Some("p99"), Bound::Below(0.8)),
            (
                "cart:requests_total per second>5",
                "cart",
                "requests_total",
                Some("per second"),
                Bound::Above(5.0),
            ),
            ("10.0.0.1:9090:up>0.5", "10.0.0.1:9090", "up", None, Bound::Above(0.5)),
            ("cart:job:errors:rate5m<1", "cart", "job:errors:rate5m", None, Bound::Below(1.0)),
        ];
        for (text, service, metric, measure, bound) in table {
            let limit = metric_limit(text).unwrap();
            assert_eq!((limit.service.as_str(), limit.metric.as_str()), (service, metric), "{text}");
            assert_eq!((limit.measure.as_deref(), limit.bound), (measure, bound), "{text}");
        }
    }

    #[test]
    fn a_limit_that_says_too_little_is_named_with_a_hint() {
        for text in
            ["cart", "cart:latency", "latency<2", "cart:latency<", "cart:latency<fast", ":x<1", "c:x<inf"]
        {
            let wrong = metric_limit(text).unwrap_err();
            assert!(
                wrong.contains(&format!("`{text}`")) && wrong.contains("write SERVICE:METRIC<VALUE"),
                "{wrong}"
            );
        }
    }
}
