//! The JSON of the query API. Own decoders, because native histograms must be read and warnings must not be lost.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};

use super::histogram::{Bucket, NativeHistogram};
use crate::advice::QUERIES;
use crate::error::SourceError;
use crate::http::shorten;

/// What a server remarks about an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remarks {
    /// Sentences for the notes.
    pub(crate) notes: Vec<String>,
    /// Whether the answer may be incomplete.
    pub(crate) partial: bool,
}

impl Remarks {
    /// Takes over the remarks about a further answer.
    pub(crate) fn add(&mut self, other: Self) {
        self.notes.extend(other.notes);
        self.partial |= other.partial;
    }
}

/// The data of a successful answer and what the server remarked about it.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) data: T,
    pub(crate) remarks: Remarks,
}

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    error: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    /// `VictoriaMetrics` cluster: a storage node did not answer.
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
}

/// The answer to a range query.
#[derive(Deserialize)]
pub(crate) struct Matrix {
    pub(crate) result: Vec<MatrixSeries>,
}

/// One series of a range query.
#[derive(Deserialize)]
pub(crate) struct MatrixSeries {
    pub(crate) metric: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) values: Vec<Sample>,
    #[serde(default)]
    pub(crate) histograms: Vec<HistogramSample>,
}

/// The answer to an instant query.
#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) result: Vec<VectorSeries>,
}

/// One series of an instant query.
#[derive(Deserialize)]
pub(crate) struct VectorSeries {
    pub(crate) metric: BTreeMap<String, String>,
    pub(crate) value: Option<Sample>,
}

/// `[seconds, "value"]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) ms: i64,
    pub(crate) value: f64,
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Sample;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sample [seconds, \"value\"]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Sample, A::Error> {
                let seconds: f64 = pair.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let number: Number =
                    pair.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                Ok(Sample { ms: milliseconds(seconds), value: number.0 })
            }
        }
        deserializer.deserialize_seq(Pair)
    }
}

/// `[seconds, {"count": "value", "sum": "value", "buckets": […]}]`.
#[derive(Debug, Deserialize)]
#[serde(from = "(f64, Histogram)")]
pub(crate) struct HistogramSample {
    pub(crate) ms: i64,
    pub(crate) histogram: NativeHistogram,
}

#[derive(Deserialize)]
struct Histogram {
    count: Number,
    sum: Number,
    /// Which ends belong to the bucket, its lower and upper bound, its observations. Empty buckets are left out.
    #[serde(default)]
    buckets: Vec<(u8, Number, Number, Number)>,
}

impl From<(f64, Histogram)> for HistogramSample {
    fn from((seconds, histogram): (f64, Histogram)) -> Self {
        let buckets = histogram.buckets.into_iter().map(|(_, lower, upper, count)| Bucket {
            lower: lower.0,
            upper: upper.0,
            count: count.0,
        });
        let histogram = NativeHistogram {
            count: histogram.count.0,
            sum: histogram.sum.0,
            buckets: buckets.filter(|bucket| bucket.count > 0.0).collect(),
        };
        Self { ms: milliseconds(seconds), histogram }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the cast saturates, far outside the calendar")]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number in quotation marks")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom(format!("`{text}` is not a number")))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The data of an answer, or what is wrong with it. `url` is used in messages only.
///
/// # Errors
/// [`SourceError::WrongLanguage`] for HTML and foreign JSON, [`SourceError::Damaged`] for JSON that breaks off,
/// [`SourceError::Rejected`] for an error that came with HTTP 200.
pub(crate) fn decode<T: DeserializeOwned>(url: &str, body: &[u8]) -> Result<Answer<T>, SourceError> {
    let envelope: Envelope<T> =
        serde_json::from_slice(body).map_err(|error| undecodable(url, body, &error))?;
    match envelope.data {
        Some(data) if envelope.status == "success" => {
            Ok(Answer { data, remarks: remarks(&envelope.warnings, envelope.is_partial) })
        }
        _ => Err(SourceError::Rejected {
            url: url.to_owned(),
            status: 200,
            text: shorten(&envelope.error.unwrap_or_else(|| "an answer without data".to_owned())),
            hint: QUERIES.refused,
        }),
    }
}

/// Hints of the query language (`PromQL info: …`, `PromQL warning: …`) say nothing about completeness; every other
/// warning does.
fn remarks(warnings: &[String], is_partial: bool) -> Remarks {
    let about_data =
        |warning: &String| !warning.starts_with("PromQL info") && !warning.starts_with("PromQL warning");
    let partial = is_partial || warnings.iter().any(about_data);
    let mut notes: Vec<String> =
        warnings.iter().map(|warning| format!("the server warned: {}", shorten(warning))).collect();
    if is_partial {
        notes.push("the server said that its answer is partial".to_owned());
    }
    Remarks { notes, partial }
}

fn undecodable(url: &str, body: &[u8], error: &serde_json::Error) -> SourceError {
    let url = url.to_owned();
    let start = String::from_utf8_lossy(&body[..body.len().min(200)]);
    let start = start.trim_start();
    if start.starts_with('<') {
        return SourceError::WrongLanguage { url, problem: "with an HTML page".to_owned() };
    }
    if start.starts_with('{') && !error.is_data() {
        return SourceError::Damaged {
            url,
            problem: format!("its JSON breaks off or is malformed ({error})"),
        };
    }
    let problem = if start.is_empty() {
        "with nothing".to_owned()
    } else {
        format!("not as Prometheus does ({error})")
    };
    SourceError::WrongLanguage { url, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(body: &str) -> Result<Answer<Matrix>, SourceError> {
        decode("http://h/api/v1/query_range", body.as_bytes())
    }

    #[test]
    fn values_keep_every_bit_and_times_every_millisecond() {
        let answer = matrix(
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"m"},
            "values":[[1700000000.999,"0.1"],[1700000001,"+Inf"],[1700000002.5,"NaN"],[1700000003,"1e+06"]]}]}}"#,
        )
        .expect("a valid answer");
        let values = &answer.data.result[0].values;
        assert_eq!((values[0].ms, values[0].value.to_bits()), (1_700_000_000_999, 0.1_f64.to_bits()));
        assert!(values[1].value.is_infinite() && values[2].value.is_nan());
        assert_eq!((values[2].ms, values[3].value.to_bits()), (1_700_000_002_500, 1e6_f64.to_bits()));
    }

    #[test]
    fn native_histograms_are_read_beside_floats() {
        let answer = matrix(
            r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"h"},"histograms":[[1,{"count":"2","sum":"3","buckets":[[0,"1","2","2"]]}]]},
            {"metric":{"__name__":"f"},"values":[[1,"1"]]}]}}"#,
        )
        .expect("a valid answer");
        let found: Vec<(usize, usize)> =
            answer.data.result.iter().map(|series| (series.values.len(), series.histograms.len())).collect();
        assert_eq!(found, [(0, 1), (1, 0)]);
        let expected = NativeHistogram {
            count: 2.0,
            sum: 3.0,
            buckets: vec![Bucket { lower: 1.0, upper: 2.0, count: 2.0 }],
        };
        let read = &answer.data.result[0].histograms[0];
        assert_eq!((read.ms, &read.histogram), (1_000, &expected));
    }

    #[test]
    fn warnings_about_data_make_an_answer_partial_and_hints_about_the_query_do_not() {
        let with = |extra: &str| {
            matrix(&format!(r#"{{"status":"success","data":{{"result":[]}},{extra}}}"#))
                .expect("valid")
                .remarks
        };
        let lost = with(r#""warnings":["store 10.0.0.1 unavailable"]"#);
        assert!(lost.partial && lost.notes[0].contains("store 10.0.0.1"));
        let hint = with(r#""warnings":["PromQL warning: mixed floats and histograms"]"#);
        assert!(!hint.partial && hint.notes.len() == 1);
        let node_missing = with(r#""isPartial":true"#);
        assert!(node_missing.partial && node_missing.notes.len() == 1);
        assert_eq!(with(r#""infos":["x"]"#), Remarks::default());
    }

    #[test]
    fn each_kind_of_nonsense_is_told_apart() {
        let problem = |body: &str| matrix(body).err().map(|error| error.to_string()).unwrap_or_default();
        for (body, expected) in [
            ("<html>login</html>", "HTML page"),
            ("", "with nothing"),
            (r#"{"status":"success","data":{"result":[{"metric""#, "breaks off"),
            (r#"{"hello":1}"#, "not as Prometheus does"),
            ("hello", "not as Prometheus does"),
            (r#"{"status":"error","errorType":"bad_data","error":"no such thing"}"#, "no such thing"),
            (
                r#"{"status":"success","data":{"result":[{"metric":{},"values":[[1,"x"]]}]}}"#,
                "`x` is not a number",
            ),
        ] {
            assert!(problem(body).contains(expected), "{body}: {}", problem(body));
        }
    }
}
