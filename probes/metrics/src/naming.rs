//! Which label names the service that a series belongs to.

use std::collections::BTreeMap;

use aftermath_model::SeriesKey;

/// The labels that may name a service, the most telling first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceNaming {
    labels: Vec<String>,
}

/// A series with its service found, still knowing which label named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSeries {
    /// The key; the label that named the service is no longer among its labels.
    pub key: SeriesKey,
    /// The label that named the service; `None` when none of them is present.
    pub named_by: Option<String>,
}

impl Default for ServiceNaming {
    /// The labels of Kubernetes, OpenTelemetry and plain Prometheus set-ups, the most telling first.
    fn default() -> Self {
        let labels = [
            "service",
            "app_kubernetes_io_name",
            "app",
            "k8s_app",
            "service_name",
            "container",
            "deployment",
            "job",
        ];
        Self { labels: labels.map(str::to_owned).to_vec() }
    }
}

impl ServiceNaming {
    /// Tries exactly these labels, in this order.
    #[must_use]
    pub fn by(labels: Vec<String>) -> Self {
        Self { labels }
    }

    /// The labels that are tried, in order.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The key of the series `metric` with these labels. The first label of the order that is present and not empty
    /// names the service and leaves the labels.
    #[must_use]
    pub fn name(&self, metric: String, mut labels: BTreeMap<String, String>) -> NamedSeries {
        let named_by =
            self.labels.iter().find(|label| labels.get(*label).is_some_and(|value| !value.is_empty()));
        let service = named_by.and_then(|label| labels.remove(label)).unwrap_or_default();
        NamedSeries { key: SeriesKey { metric, service, labels }, named_by: named_by.cloned() }
    }

    /// The sentence for series that no label names, ready for the notes of a source; `None` if all are named.
    #[must_use]
    pub fn note(&self, unnamed: usize, all: usize) -> Option<String> {
        let tried = self.labels.join(", ");
        (unnamed > 0).then(|| {
            format!("{unnamed} of {all} series belong to no service: none of the labels {tried} is present")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn the_first_label_of_the_order_names_the_service_and_leaves_the_labels() {
        for (given, service, left) in [
            (vec![("job", "node"), ("service", "cart"), ("pod", "cart-1")], "cart", 2),
            (vec![("job", "node"), ("pod", "cart-1")], "node", 1),
            (vec![("service", ""), ("job", "node")], "node", 1),
            (vec![("pod", "cart-1")], "", 1),
        ] {
            let named = ServiceNaming::default().name("up".into(), labels(&given));
            assert_eq!((named.key.service.as_str(), named.key.labels.len()), (service, left), "{given:?}");
        }
    }

    #[test]
    fn a_given_order_replaces_the_usual_one() {
        let naming = ServiceNaming::by(vec!["team".into()]);
        let named = naming.name("up".into(), labels(&[("job", "node"), ("team", "red")]));
        assert_eq!((named.key.service.as_str(), named.named_by.as_deref()), ("red", Some("team")));
    }

    #[test]
    fn series_without_a_service_are_noted_with_the_labels_that_were_tried() {
        let naming = ServiceNaming::by(vec!["team".into(), "job".into()]);
        let note = naming.note(2, 5).expect("two have no service");
        assert!(note.contains("2 of 5") && note.contains("team, job"), "{note}");
        assert_eq!(naming.note(0, 5), None);
    }
}
