//! Which existing names may have been meant by one that does not exist?
//!
//! In: a name and those there are. Out: the similar ones, in a few words.

use std::collections::BTreeSet;

/// How many names a hint offers.
const OFFERED: usize = 3;

/// The names that are like this one, the likest first; `None` where none is.
#[must_use]
pub fn similar<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: BTreeSet<&str> = known.into_iter().filter(|known| !known.is_empty()).collect();
    let mut alike: Vec<(usize, &str)> =
        known.into_iter().filter_map(|known| Some((distance_if_alike(name, known)?, known))).collect();
    alike.sort_unstable();
    let names: Vec<&str> = alike.into_iter().take(OFFERED).map(|(_, known)| known).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// By how many edits two names differ, where at most a third of the longer one would have to change, or 0 where one is a
/// part of the other.
fn distance_if_alike(name: &str, known: &str) -> Option<usize> {
    let (name, known) = (name.to_lowercase(), known.to_lowercase());
    if !name.is_empty() && (known.contains(&name) || name.contains(&known)) {
        return Some(0);
    }
    let distance = edits(&name, &known);
    (3 * distance <= name.chars().count().max(known.chars().count())).then_some(distance)
}

/// The edit distance of Levenshtein (1966), by the table of Wagner and Fischer (1974).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, &wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != wanted);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_the_one_that_was_meant() {
        let known = ["cart", "catalog", "checkout", "payments-db"];
        let cases = [
            ("crt", Some("cart")),
            ("cart-service", Some("cart")),
            ("Catalogue", Some("catalog")),
            ("payments", Some("payments-db")),
            ("gateway", None),
            ("", None),
        ];
        for (name, meant) in cases {
            assert_eq!(similar(name, known).as_deref(), meant, "{name}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (one, other, count) in [("kitten", "sitting", 3), ("", "abc", 3), ("same", "same", 0)] {
            assert_eq!(edits(one, other), count, "{one} {other}");
        }
    }
}
