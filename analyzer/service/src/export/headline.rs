//! The verdict in one sentence.

use super::report::{Report, ServiceState, VerdictWord};
use super::story::{expected, may_have_changed, named, never_recovered, unexpected, was_or_were};

/// The verdict in one sentence.
pub(super) fn headline(report: &Report) -> String {
    let first_reason = report.reasons.first().map_or("", |reason| reason.id.as_str());
    match report.verdict {
        VerdictWord::Pass => headline_of_a_pass(report),
        VerdictWord::Fail => headline_of_a_failure(report),
        VerdictWord::Warn => match first_reason {
            "weak_unexpected_change" => {
                "There are signs of an unexpected change, weaker than a failure needs.".to_owned()
            }
            "unexpected_kind_of_change" => "Something changed in another way than expected.".to_owned(),
            "recovered_too_late" => "Something came back later than it should have.".to_owned(),
            "uncorroborated_change" => {
                "One metric changed for sure, though nothing else speaks with it.".to_owned()
            }
            "recovery_unknown" => "It cannot be told whether everything that was hit came back.".to_owned(),
            _ => "Something is worth a look.".to_owned(),
        },
        VerdictWord::Inconclusive => headline_of_no_verdict(first_reason).to_owned(),
    }
}

fn headline_of_a_pass(report: &Report) -> String {
    let (hit, doubtful) = (expected(report), may_have_changed(report));
    if hit.is_empty() && doubtful.is_empty() {
        return "Nothing changed more than chance allows.".to_owned();
    }
    if hit.is_empty() {
        return format!("No service counts as hit; a few series changed in {}.", named(&doubtful));
    }
    let healed = hit.iter().all(|service| service.state == ServiceState::Recovered);
    let ending = match (healed, hit.len()) {
        (false, _) => "",
        (true, 1) => ", and it recovered",
        (true, _) => ", and all of it recovered",
    };
    format!("Only what was expected was hit ({}){ending}.", named(&hit))
}

fn headline_of_a_failure(report: &Report) -> String {
    let (surprised, lasting) = (unexpected(report), never_recovered(report));
    let hit =
        format!("{} {} hit although nobody expected it", named(&surprised), was_or_were(surprised.len()));
    match (surprised.is_empty(), lasting.is_empty()) {
        (true, true) => headline_of_a_broken_expectation(report).to_owned(),
        (true, false) => format!("{} did not come back after the fault.", named(&lasting)),
        (false, true) => format!("{hit}."),
        (false, false) if surprised == lasting => format!("{hit}, and did not come back."),
        (false, false) => format!("{hit}; {} did not come back.", named(&lasting)),
    }
}

fn headline_of_a_broken_expectation(report: &Report) -> &'static str {
    match report.reasons.first().map_or("", |reason| reason.id.as_str()) {
        "limit_exceeded" => "A limit that was set was broken.",
        "unexpected_kind_of_change" => "Something changed in another way than expected.",
        "recovered_too_late" => "Something came back later than it should have.",
        _ => "Something happened that must not happen.",
    }
}

fn headline_of_no_verdict(first_reason: &str) -> &'static str {
    match first_reason {
        "no_data" => "There is nothing to judge: the system could not be seen.",
        "baseline_too_short" => "Too little was recorded before the fault to know what is normal.",
        "fault_too_short" => "Too little was recorded during the fault to judge it.",
        "too_many_gaps" => "Too much of the system could not be judged.",
        "source_partial" => "The source did not give a complete answer.",
        "not_steady" => "The system was not steady before the fault.",
        "target_not_affected" => "The target shows no change, so the fault probably did nothing.",
        "limit_not_measured" => "A limit cannot be checked, as nothing was measured for it.",
        _ => "It cannot be told what the fault did.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn the_headline_says_who_was_hit_and_who_never_came_back() {
        let cases = [
            (samples::expected_only(), "Only what was expected was hit (cache), and it recovered."),
            (samples::quiet(), "Nothing changed more than chance allows."),
            (
                samples::hidden_victim(),
                "recommendations and cart were hit although nobody expected it; recommendations did not come back.",
            ),
            (samples::weak_signs(), "There are signs of an unexpected change, weaker than a failure needs."),
            (samples::recovery_unknown(), "It cannot be told whether everything that was hit came back."),
            (samples::no_verdict(), "Too much of the system could not be judged."),
            (samples::target_unmoved(), "The target shows no change, so the fault probably did nothing."),
        ];
        for (report, expected) in cases {
            assert_eq!(headline(&report), expected);
        }
    }
}
