//! What a scrape adds to the labels of a page, as Prometheus does it.

use std::collections::BTreeMap;

/// The label that tells the processes of one service apart.
const INSTANCE: &str = "instance";

/// Adds where the series was read. A label of that name in the page stays, as `exported_instance`.
pub(crate) fn add_instance(labels: &mut BTreeMap<String, String>, instance: &str) {
    if let Some(own) = labels.insert(INSTANCE.to_owned(), instance.to_owned()) {
        labels.insert(format!("exported_{INSTANCE}"), own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_of_the_target_wins_and_the_one_of_the_page_is_kept() {
        let mut labels = BTreeMap::from([("instance".to_owned(), "own".to_owned())]);
        add_instance(&mut labels, "h:1");
        assert_eq!((labels["instance"].as_str(), labels["exported_instance"].as_str()), ("h:1", "own"));
    }
}
