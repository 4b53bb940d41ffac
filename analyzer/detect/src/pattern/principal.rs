//! What do the rows of a table have in common? Principal components, found through the products of rows, because there
//! are few rows (blocks of time) and many columns (series).
//!
//! In: a symmetric table of the products of rows, and which of them to learn from. Out: [`Components`], which tell how
//! much of any other row they explain.

/// Rounds of orthogonal iteration (Golub & Van Loan, Matrix Computations, 8.2). After 30 a direction is found to three
/// digits if its variance is a quarter above the next one's; closer ones may mix, which leaves what they span together.
const ROUNDS: usize = 30;

/// The strongest directions of the rows that were learned from, each of length 1, as weights of those rows: `weights[k][i]`
/// is the weight of row `rows[i]` in direction k.
pub(super) struct Components<'a> {
    rows: &'a [usize],
    weights: Vec<Vec<f64>>,
}

impl<'a> Components<'a> {
    /// At most `most` components of these rows around their mean. `products[i][j]` is the product of rows i and j.
    pub(super) fn of(products: &[Vec<f64>], rows: &'a [usize], most: usize) -> Self {
        let centred = centred(products, rows);
        let mut directions: Vec<Vec<f64>> = (0..most).map(|turn| start(turn, rows.len())).collect();
        let mut lengths = vec![0.0; most];
        for _ in 0..ROUNDS {
            for turn in 0..most {
                let next = centred.iter().map(|row| dot(row, &directions[turn])).collect();
                let next = across(next, &directions[..turn]);
                let length = dot(&next, &next).sqrt();
                lengths[turn] = length;
                directions[turn] = next.iter().map(|value| value / length.max(f64::MIN_POSITIVE)).collect();
            }
        }
        // A length is the sum of squares along its direction. What is next to nothing beside the first is rounding.
        let least = 1e-9 * lengths.first().copied().unwrap_or_default();
        let weights = directions
            .into_iter()
            .zip(lengths)
            .filter(|&(_, length)| length > least)
            .map(|(direction, length)| direction.iter().map(|value| value / length.sqrt()).collect())
            .collect();
        Self { rows, weights }
    }

    /// What the components explain of another row, as weights of the rows that were learned from, given the products of
    /// that row with all rows.
    pub(super) fn explained(&self, products: &[f64]) -> Vec<(usize, f64)> {
        let mut explained: Vec<(usize, f64)> = self.rows.iter().map(|&row| (row, 0.0)).collect();
        for weights in &self.weights {
            let along: f64 = weights.iter().zip(self.rows).map(|(weight, &row)| weight * products[row]).sum();
            explained.iter_mut().zip(weights).for_each(|((_, sum), weight)| *sum += along * weight);
        }
        explained
    }
}

/// The products of these rows around their mean.
fn centred(products: &[Vec<f64>], rows: &[usize]) -> Vec<Vec<f64>> {
    let count = rows.len() as f64;
    let means: Vec<f64> =
        rows.iter().map(|&row| rows.iter().map(|&other| products[row][other]).sum::<f64>() / count).collect();
    let mean = means.iter().sum::<f64>() / count;
    let one = |(&row, of_row): (&usize, &f64)| {
        let others = rows.iter().zip(&means);
        others.map(|(&other, of_other)| products[row][other] - of_row - of_other + mean).collect()
    };
    rows.iter().zip(&means).map(one).collect()
}

/// What of a direction lies across these others.
fn across(mut direction: Vec<f64>, others: &[Vec<f64>]) -> Vec<f64> {
    for other in others {
        let along = dot(&direction, other);
        direction.iter_mut().zip(other).for_each(|(value, part)| *value -= along * part);
    }
    direction
}

/// Some direction to begin with, another one for each turn.
fn start(turn: usize, length: usize) -> Vec<f64> {
    (0..length).map(|index| ((turn + 1) as f64 * (index as f64 + 0.5)).sin()).collect()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn products(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        rows.iter().map(|row| rows.iter().map(|other| dot(row, other)).collect()).collect()
    }

    /// What is left of a row that the components do not explain.
    fn left(rows: &[Vec<f64>], components: &Components, row: &[f64]) -> Vec<f64> {
        let with_rows: Vec<f64> = rows.iter().map(|other| dot(row, other)).collect();
        let mut left = row.to_vec();
        for (known, weight) in components.explained(&with_rows) {
            left.iter_mut().zip(&rows[known]).for_each(|(left, value)| *left -= weight * value);
        }
        left
    }

    #[test]
    fn one_component_explains_what_lies_along_a_line_and_nothing_across_it() {
        let rows: Vec<Vec<f64>> =
            (0..10_u32).map(|step| vec![3.0 * f64::from(step), -f64::from(step), 1.0]).collect();
        let all: Vec<usize> = (0..10).collect();
        let products = products(&rows);
        let components = Components::of(&products, &all, 3);
        assert_eq!(components.weights.len(), 1);
        assert!(left(&rows, &components, &[6.0, -2.0, 0.0]).iter().all(|value| value.abs() < 1e-6));
        let across = left(&rows, &components, &[1.0, 3.0, 5.0]);
        assert!(
            across.iter().zip([1.0, 3.0, 5.0]).all(|(got, want)| (got - want).abs() < 1e-6),
            "{across:?}"
        );
    }

    #[test]
    fn what_was_not_learned_from_explains_nothing() {
        let rows = vec![vec![1.0, 0.0], vec![-1.0, 0.0], vec![0.0, 5.0], vec![0.0, -5.0]];
        let products = products(&rows);
        let components = Components::of(&products, &[0, 1], 2);
        assert!((left(&rows, &components, &[0.0, 2.0])[1] - 2.0).abs() < 1e-9);
    }

    #[test]
    fn rows_that_are_all_the_same_have_no_components() {
        let products = products(&vec![vec![0.0; 4]; 6]);
        assert!(Components::of(&products, &[0, 1, 2, 3, 4, 5], 3).weights.is_empty());
    }
}
