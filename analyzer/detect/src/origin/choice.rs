//! Which rule ranks the services of this system?
//!
//! In: past experiments with a known target. Out: the rule, and why. The default stays unless another rule placed the
//! targets better in more experiments than chance allows: a one-sided sign test over the experiments in which the two
//! differ, at 5 % over all alternatives together (Bonferroni). Of several such rules the one with the largest mean
//! reciprocal rank is taken. So a rule that is best by luck in a handful of experiments is not.

use aftermath_model::{OriginScorer, PastExperiment};

/// A rule and the reason for it, in a sentence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) scorer: OriginScorer,
    pub(crate) basis: String,
}

/// The rule that is used until past experiments show a better one.
const DEFAULT: OriginScorer = OriginScorer::ALL[0];
/// The share of systems whose default is given up by chance alone.
const LEVEL: f64 = 0.05;
/// With fewer experiments not even a rule that is better in all of them passes the test: 2⁻⁵ > 5 % / 3.
const LEAST_EXPERIMENTS: usize = 6;

pub(crate) fn choose(experiments: &[PastExperiment]) -> Choice {
    let name = DEFAULT.as_str();
    if experiments.is_empty() {
        let basis =
            format!("ranked by {name}, the default; no past experiment of this system was learned from");
        return Choice { scorer: DEFAULT, basis };
    }
    let count = experiments.len();
    if count < LEAST_EXPERIMENTS {
        let basis = format!(
            "ranked by {name}, the default; {count} past experiments are too few to choose by, it takes {LEAST_EXPERIMENTS}"
        );
        return Choice { scorer: DEFAULT, basis };
    }
    let alternatives = OriginScorer::ALL.into_iter().filter(|&scorer| scorer != DEFAULT);
    let better = alternatives.filter(|&scorer| is_better(scorer, experiments));
    let best = better.map(|scorer| (mean_reciprocal_rank(scorer, experiments), scorer)).max_by(|a, b| {
        // Of equals the first in the list.
        a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))
    });
    let kept = mean_reciprocal_rank(DEFAULT, experiments);
    match best {
        Some((reached, scorer)) => Choice {
            scorer,
            basis: format!(
                "ranked by {}: in {count} past experiments it placed the target better than {name} (mean reciprocal rank \
                 {reached:.2} against {kept:.2})",
                scorer.as_str()
            ),
        },
        None => Choice {
            scorer: DEFAULT,
            basis: format!(
                "ranked by {name}, the default; in {count} past experiments no other rule placed the target better \
                 beyond chance (mean reciprocal rank {kept:.2})"
            ),
        },
    }
}

/// The mean of one over the place of the target; 0 where it was not ranked.
pub(crate) fn mean_reciprocal_rank(scorer: OriginScorer, experiments: &[PastExperiment]) -> f64 {
    experiments.iter().map(|experiment| reciprocal_rank(scorer, experiment)).sum::<f64>()
        / experiments.len().max(1) as f64
}

fn reciprocal_rank(scorer: OriginScorer, experiment: &PastExperiment) -> f64 {
    experiment.ranks.get(&scorer).map_or(0.0, |&rank| 1.0 / rank.max(1) as f64)
}

fn is_better(scorer: OriginScorer, experiments: &[PastExperiment]) -> bool {
    let differences = experiments
        .iter()
        .map(|experiment| reciprocal_rank(scorer, experiment) - reciprocal_rank(DEFAULT, experiment));
    let (wins, losses) = differences.fold((0, 0), |(wins, losses), difference| {
        (wins + usize::from(difference > 0.0), losses + usize::from(difference < 0.0))
    });
    let alternatives = (OriginScorer::ALL.len() - 1) as f64;
    at_least(wins, wins + losses) <= LEVEL / alternatives
}

/// The chance of at least so many heads in so many throws of a fair coin.
fn at_least(heads: usize, throws: usize) -> f64 {
    let mut ways = 1.0;
    let mut sum = 0.0;
    for tails in 0..=throws - heads {
        sum += ways;
        ways *= (throws - tails) as f64 / (tails + 1) as f64;
    }
    sum * 0.5_f64.powf(throws as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Experiments in which the default and the earliest onset placed the target like this.
    fn experiments(ranks: &[(usize, usize)]) -> Vec<PastExperiment> {
        let experiment = |&(default, earliest)| PastExperiment {
            target: "cart".to_owned(),
            services: 10,
            ranks: [(DEFAULT, default), (OriginScorer::EarliestOnset, earliest)].into(),
        };
        ranks.iter().map(experiment).collect()
    }

    #[test]
    fn the_default_stays_until_another_rule_is_better_beyond_chance() {
        let cases = [
            (vec![], OriginScorer::StrongestChanges),
            (vec![(5, 1); 5], OriginScorer::StrongestChanges),
            (vec![(5, 1); 6], OriginScorer::EarliestOnset),
            ([vec![(5, 1); 6], vec![(1, 2); 1]].concat(), OriginScorer::StrongestChanges),
            ([vec![(5, 1); 6], vec![(1, 1); 9]].concat(), OriginScorer::EarliestOnset),
            ([vec![(2, 1); 6], vec![(1, 9); 5]].concat(), OriginScorer::StrongestChanges),
            (vec![(1, 1); 40], OriginScorer::StrongestChanges),
        ];
        for (ranks, scorer) in cases {
            assert_eq!(choose(&experiments(&ranks)).scorer, scorer, "{ranks:?}");
        }
    }

    #[test]
    fn the_basis_says_how_many_experiments_spoke() {
        let basis = |ranks: &[(usize, usize)]| choose(&experiments(ranks)).basis;
        assert!(basis(&[]).contains("no past experiment"));
        assert!(basis(&[(2, 1); 3]).contains("3 past experiments are too few to choose by, it takes 6"));
        assert!(basis(&[(2, 1); 8]).contains("mean reciprocal rank 1.00 against 0.50"));
    }

    #[test]
    fn the_sign_test_counts_throws() {
        for (heads, throws, chance) in [(0, 0, 1.0), (6, 6, 1.0 / 64.0), (2, 3, 0.5), (0, 5, 1.0)] {
            assert!((at_least(heads, throws) - chance).abs() < 1e-12, "{heads} of {throws}");
        }
    }
}
