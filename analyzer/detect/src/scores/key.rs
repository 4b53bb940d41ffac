//! The names of a series, shared with the other series of its block: a metric has many series, and so has a pod.
//!
//! In: [`SeriesKey`]s. Out: [`ScoreKey`]s with the same order and the same words in a fraction of the memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aftermath_model::SeriesKey;

/// The names of a series. Its order is that of [`SeriesKey`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScoreKey {
    pub(crate) metric: Arc<str>,
    pub(crate) service: Arc<str>,
    pub(crate) labels: Arc<BTreeMap<String, String>>,
}

/// What the series of a block share.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: BTreeSet<Arc<str>>,
    labels: BTreeSet<Arc<BTreeMap<String, String>>>,
}

impl Names {
    /// The key with everything shared that another series of the block has, too.
    pub(crate) fn share(&mut self, key: &SeriesKey) -> ScoreKey {
        let labels = self.labels.get(&key.labels).cloned().unwrap_or_else(|| {
            let fresh = Arc::new(key.labels.clone());
            self.labels.insert(Arc::clone(&fresh));
            fresh
        });
        ScoreKey { metric: self.text(&key.metric), service: self.text(&key.service), labels }
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let fresh: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&fresh));
        fresh
    }
}

impl ScoreKey {
    /// The key as a noun of its own.
    pub(crate) fn to_series_key(&self) -> SeriesKey {
        SeriesKey {
            metric: self.metric.to_string(),
            service: self.service.to_string(),
            labels: (*self.labels).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_share_what_they_have_in_common_and_keep_their_order() {
        let key = |metric: &str, pod: &str| SeriesKey {
            metric: metric.to_owned(),
            service: "cart".to_owned(),
            labels: BTreeMap::from([("pod".to_owned(), pod.to_owned())]),
        };
        let mut keys = [key("b", "1"), key("a", "2"), key("a", "1")];
        let mut names = Names::default();
        let mut shared: Vec<ScoreKey> = keys.iter().map(|key| names.share(key)).collect();
        assert!(Arc::ptr_eq(&shared[0].service, &shared[1].service));
        assert!(Arc::ptr_eq(&shared[1].metric, &shared[2].metric));
        assert!(Arc::ptr_eq(&shared[0].labels, &shared[2].labels));
        keys.sort();
        shared.sort();
        let back: Vec<SeriesKey> = shared.iter().map(ScoreKey::to_series_key).collect();
        assert_eq!(back, keys);
    }
}
