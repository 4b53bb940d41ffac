//! Is this the same thing under a new name? Pods are replaced during experiments, and their names and addresses
//! change; what they measure goes on.
//!
//! In: measures with their labels. Out: the same measures, with those of replaced pods joined into their mean.

use std::collections::BTreeMap;

use aftermath_model::{SeriesKey, Timeline, Window};

use super::{Measure, Nature};

/// Labels whose value names one running instance rather than a role.
const INSTANCE_LABELS: [&str; 14] = [
    "pod",
    "pod_name",
    "kubernetes_pod_name",
    "k8s_pod_name",
    "pod_ip",
    "host_ip",
    "ip",
    "instance",
    "container_id",
    "containerid",
    "id",
    "uid",
    "pod_uid",
    "name",
];

/// The labels without what names a single pod: two series with the same workload labels measure the same role.
pub(crate) fn workload_labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels
        .iter()
        .filter(|(name, _)| !INSTANCE_LABELS.contains(&name.to_ascii_lowercase().as_str()))
        .filter(|(_, value)| !is_address(value))
        .map(|(name, value)| (name.clone(), without_pod_hash(value).to_owned()))
        .collect()
}

/// An IPv4 address, with or without a port.
fn is_address(value: &str) -> bool {
    let host = value.rsplit_once(':').map_or(value, |(host, _)| host);
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// `cart-5f55b6cf68-77cfw` is a pod of the deployment `cart`: Kubernetes appends a hash of 6 to 10 characters for
/// the replica set and 5 for the pod, from an alphabet without vowels.
fn without_pod_hash(value: &str) -> &str {
    let Some((rest, pod)) = value.rsplit_once('-') else { return value };
    let hashed = |text: &str| text.chars().all(|c| c.is_ascii_digit() || "bcdfghjklmnpqrstvwxz".contains(c));
    if pod.len() != 5 || !hashed(pod) || !pod.chars().any(|c| c.is_ascii_digit()) {
        return value;
    }
    match rest.rsplit_once('-') {
        Some((workload, set))
            if (6..=10).contains(&set.len()) && set.chars().all(|c| c.is_ascii_alphanumeric()) =>
        {
            workload
        }
        _ => rest,
    }
}

/// Joins the measures of one workload when one of them ends before the fault or begins after the baseline.
pub(crate) fn join_replaced_pods(measures: Vec<Measure>, timeline: &Timeline) -> Vec<Measure> {
    if measures.iter().all(|measure| spans(measure, timeline)) {
        return measures;
    }
    let mut workloads: BTreeMap<(SeriesKey, &'static str), Vec<Measure>> = BTreeMap::new();
    for measure in measures {
        let key = SeriesKey {
            metric: measure.key.metric.clone(),
            service: measure.key.service.clone(),
            labels: workload_labels(&measure.key.labels),
        };
        workloads.entry((key, measure.name)).or_default().push(measure);
    }
    workloads
        .into_iter()
        .flat_map(|((key, _), members)| {
            let whole = members.iter().all(|member| spans(member, timeline));
            if members.len() < 2 || whole { members } else { vec![joined(key, members, timeline.step_ms())] }
        })
        .collect()
}

fn spans(measure: &Measure, timeline: &Timeline) -> bool {
    let has = |window: Window| {
        let first = measure.timestamps_ms.partition_point(|&ms| ms < window.from.ms());
        measure.timestamps_ms.get(first).is_some_and(|&ms| ms < window.to.ms())
    };
    has(timeline.baseline()) && has(timeline.fault())
}

/// The mean of the members that were there, step by step; of start times the latest. Sorted members make the sums the same for every order.
fn joined(key: SeriesKey, mut members: Vec<Measure>, step_ms: i64) -> Measure {
    members.sort_by(|a, b| a.key.cmp(&b.key));
    let mut steps: BTreeMap<i64, (i64, f64, f64, f64)> = BTreeMap::new();
    for member in &members {
        for (index, (&ms, &value)) in member.timestamps_ms.iter().zip(&member.values).enumerate() {
            let step = steps.entry(ms.div_euclid(step_ms)).or_insert((ms, 0.0, 0.0, 0.0));
            if member.nature == Nature::Epoch {
                (step.1, step.2) = (step.1.max(value), 1.0);
            } else {
                step.1 += value;
                step.2 += 1.0;
            }
            step.3 += member.intervals_s.get(index).copied().unwrap_or(0.0);
        }
    }
    let counted = members.iter().all(|member| !member.intervals_s.is_empty());
    let nature = match members[0].nature {
        Nature::EventRate if !counted => Nature::Rate,
        nature => nature,
    };
    Measure {
        key,
        name: members[0].name,
        nature,
        covers: members.iter().map(|member| member.covers).sum(),
        timestamps_ms: steps.values().map(|step| step.0).collect(),
        values: steps.values().map(|step| step.1 / step.2).collect(),
        intervals_s: if counted { steps.values().map(|step| step.3).collect() } else { Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(name: &str, value: &str) -> BTreeMap<String, String> {
        workload_labels(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn what_names_a_single_pod_is_no_part_of_the_workload() {
        for (name, value) in
            [("pod", "cart-1"), ("instance", "10.0.0.7:9090"), ("peer", "10.0.0.7"), ("Pod_IP", "::1")]
        {
            assert!(workload(name, value).is_empty(), "{name}={value}");
        }
        let kept = [
            ("replica", "cart-5f55b6cf68-77cfw", "cart"),
            ("owner", "agent-2xkd7", "agent"),
            ("destination", "reviews-v1", "reviews-v1"),
            ("node", "server-2", "server-2"),
            ("name_of", "checkout-front", "checkout-front"),
        ];
        for (name, value, expected) in kept {
            assert_eq!(workload(name, value).values().next().map(String::as_str), Some(expected), "{value}");
        }
    }
}
