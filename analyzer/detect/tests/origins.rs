//! Where trouble starts and in which order it spreads, in situations that people know.

mod common;

use aftermath_detect::{Scorer, Scores, judge, past_experiment};
use aftermath_model::{
    Block, Expectations, LearnedNull, OriginScorer, PastExperiment, Series, SeriesKey, SeriesKind, Topology,
    Verdict,
};
use common::{Recipe, STEP_MS};

/// A calm system of ten services to which each story adds a few.
fn recipe() -> Recipe {
    Recipe { recovery: 20, drifting: 0.0, ..Recipe::default() }
}

/// One more series with a little noise around `level(sample)`; the fault acts on samples 120 to 139.
fn series(metric: &str, service: &str, level: impl Fn(usize) -> Option<f64>) -> Series {
    let noise = |sample: usize| 1.0 + f64::from(u32::try_from(sample * 5 % 11).unwrap_or(0)) * 0.01;
    let key = SeriesKey { metric: metric.to_owned(), service: service.to_owned(), labels: [].into() };
    let from = recipe().timeline().baseline().from.ms();
    let samples = (0..160).filter_map(|sample| {
        Some((from + i64::try_from(sample).ok()? * STEP_MS, level(sample)? * noise(sample)))
    });
    Series::from_raw(key, SeriesKind::Gauge, samples.collect()).0
}

/// A level that another one replaces from that sample to the end of the fault.
fn step(before: f64, during: f64, at: usize) -> impl Fn(usize) -> Option<f64> {
    move |sample| Some(if (at..140).contains(&sample) { during } else { before })
}

fn scored(added: Vec<Series>) -> Scores {
    let mut all = recipe().system(7);
    all.extend(added);
    Scorer::new(&recipe().timeline()).score(&Block { series: all })
}

fn graph(edges: &[(&str, &str)]) -> Topology {
    Topology { edges: edges.iter().map(|&(from, to)| (from.to_owned(), to.to_owned())).collect() }
}

fn judged(added: Vec<Series>, edges: &[(&str, &str)], learned: Option<&LearnedNull>) -> Verdict {
    let expectations = Expectations { topology: Some(graph(edges)), ..Expectations::default() };
    judge(&scored(added), &recipe().timeline(), &expectations, learned, false)
}

#[test]
fn a_called_service_explains_no_more_than_it_lost_itself() {
    let edges = [("front", "cart"), ("cart", "database")];
    let latencies = |cart: f64| {
        vec![
            series("latency_seconds", "front", step(0.5, 0.5 + cart, 120)),
            series("latency_seconds", "cart", step(0.2, 0.2 + cart, 120)),
            series("latency_seconds", "database", step(0.01, 0.03, 120)),
        ]
    };
    let first = |cart: f64| judged(latencies(cart), &edges, None).origin[0].service.clone();
    assert_eq!(first(1.0), "cart", "20 ms of the database do not make a second");
    assert_eq!(first(0.02), "database", "here they make all of it");
}

#[test]
fn a_service_that_nobody_asks_any_more_is_not_to_blame() {
    let edges = [("front", "checkout"), ("checkout", "email")];
    let silent = |sample: usize| if (121..140).contains(&sample) { None } else { Some(0.05) };
    let added = vec![
        series("errors_per_second", "checkout", step(1.0, 5.0, 120)),
        series("latency_seconds", "email", silent),
        series("requests_per_second", "email", silent),
        series("cpu_usage", "email", step(3.0, 3.0, 120)),
        series("memory_mb", "email", step(80.0, 80.0, 120)),
        series("threads", "email", step(12.0, 12.0, 120)),
    ];
    assert_eq!(judged(added, &edges, None).origin[0].service, "checkout");
}

#[test]
fn services_are_ordered_only_where_their_beginnings_are_apart() {
    let hit = |service: &str, at: usize| {
        ["latency_seconds", "cpu_usage", "errors_per_second"]
            .map(|metric| series(metric, service, step(1.0, 9.0, at)))
    };
    let added = [hit("first", 121), hit("second", 122), hit("late", 126)].concat();
    let verdict = judged(added, &[], None);
    let expected = [vec!["first".to_owned(), "second".to_owned()], vec!["late".to_owned()]];
    assert_eq!(verdict.propagation, expected, "{:?}", &verdict.services[..4]);
    let late = verdict.services.iter().find(|service| service.name == "late").unwrap();
    let (from, to) = late.onset_interval.unwrap();
    assert!(late.onset.is_some_and(|onset| from < onset && onset <= to), "{late:?}");
}

#[test]
fn past_experiments_choose_the_rule() {
    let added = || {
        vec![
            series("latency_seconds", "loud", step(1.0, 30.0, 124)),
            series("cpu_usage", "loud", step(1.0, 30.0, 124)),
            series("queue_depth", "loud", step(1.0, 30.0, 124)),
            series("latency_seconds", "early", step(1.0, 2.0, 120)),
        ]
    };
    let past = past_experiment(&scored(added()), &recipe().timeline(), "early", None, None)
        .expect("a service of it");
    assert!(
        past.ranks[&OriginScorer::EarliestOnset] < past.ranks[&OriginScorer::StrongestChanges],
        "{past:?}"
    );
    let learned = |experiments: Vec<PastExperiment>| LearnedNull { experiments, ..LearnedNull::default() };
    let first = |count: usize| {
        let verdict = judged(added(), &[], Some(&learned(vec![past.clone(); count])));
        (verdict.origin[0].service.clone(), verdict.origin_basis)
    };
    let (service, basis) = first(5);
    assert!(service == "loud" && basis.contains("too few"), "{basis}");
    let (service, basis) = first(6);
    assert!(service == "early" && basis.starts_with("ranked by earliest_onset"), "{basis}");
}

#[test]
fn a_target_that_is_no_service_is_refused_with_those_there_are() {
    let unknown = past_experiment(&scored(Vec::new()), &recipe().timeline(), "typo", None, None).unwrap_err();
    assert!(unknown.contains(&"service-03".to_owned()), "{unknown:?}");
}
