//! The program as a process, and small recorded systems to give it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aftermath_baselines::{EvidenceMeta, EvidenceWriter};
use aftermath_model::{
    Block, Provenance, Series, SeriesKey, SeriesKind, SourceDescription, Timestamp, Window,
};

/// Where the windows of every recorded system begin.
pub(crate) const START_MS: i64 = 1_772_366_400_000;
/// The spacing of its samples.
pub(crate) const STEP_MS: i64 = 15_000;
/// Samples before, during and after the fault.
pub(crate) const BASELINE: i64 = 120;
pub(crate) const FAULT: i64 = 20;
pub(crate) const RECOVERY: i64 = 40;

/// What every service of a recorded system measures.
const METRICS: [&str; 8] = [
    "cache_entries",
    "cpu_usage",
    "memory_bytes",
    "open_connections",
    "open_files",
    "queue_depth",
    "scheduler_lag",
    "threads",
];

/// What an ended process said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|cause| panic!("{cause}\n{}\n{}", self.stdout, self.stderr))
    }

    /// That the program refused its input with the documented code, naming each of `words`, and printed no report.
    pub(crate) fn assert_refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert_eq!(self.stdout, "", "a refusal leaves standard output empty");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// Runs the program to its end.
pub(crate) fn aftermath(arguments: &[&str]) -> Said {
    said(Command::new(program()).args(arguments).env_remove("AFTERMATH_BEARER_TOKEN").output().unwrap())
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_aftermath"))
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A small generator of the splitmix family: enough for noise, and the same everywhere.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Roughly normal with mean 0 and standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// A recorded system of six services with eight gauges each. `shift` is added, in standard deviations, to the value
/// of a service at a sample.
pub(crate) fn record(path: &Path, seed: u64, shift: impl Fn(&str, i64) -> f64) {
    let mut noise = Noise::new(seed);
    let mut writer = EvidenceWriter::create(path).unwrap();
    for metric in METRICS {
        let mut block = Block::default();
        for service in ["cart", "catalog", "checkout", "gateway", "payments", "session-cache"] {
            let samples = (0..BASELINE + FAULT + RECOVERY)
                .map(|sample| {
                    (START_MS + sample * STEP_MS, 100.0 + 5.0 * (noise.normal() + shift(service, sample)))
                })
                .collect();
            let key = SeriesKey {
                metric: metric.to_owned(),
                service: service.to_owned(),
                labels: [("zone".to_owned(), "a".to_owned())].into(),
            };
            block.series.push(Series::from_raw(key, SeriesKind::Gauge, samples).0);
        }
        writer.write(&block).unwrap();
    }
    let meta = EvidenceMeta { provenance: provenance(), experiment: None };
    writer.finish(&meta).unwrap();
}

fn provenance() -> Provenance {
    let at = |ms| Timestamp::from_ms(ms).unwrap();
    Provenance {
        aftermath_version: "0.1.0".to_owned(),
        source: SourceDescription {
            kind: "prometheus".to_owned(),
            address: "http://prometheus:9090".to_owned(),
            version: String::new(),
        },
        selectors: vec![],
        service_labels: vec!["service".to_owned()],
        window: Window::new(at(START_MS), at(START_MS + (BASELINE + FAULT + RECOVERY) * STEP_MS)).unwrap(),
        step_ms: STEP_MS,
        notes: vec![],
        partial: false,
        unread: vec![],
    }
}

/// Whether a sample lies in the fault.
pub(crate) fn during_fault(sample: i64) -> bool {
    (BASELINE..BASELINE + FAULT).contains(&sample)
}

/// `FROM..TO` in milliseconds for samples of a recorded system.
pub(crate) fn samples(from: i64, to: i64) -> String {
    format!("{}..{}", START_MS + from * STEP_MS, START_MS + to * STEP_MS)
}

/// The arguments that judge a recorded system in its windows.
pub(crate) fn judge_arguments(path: &Path) -> Vec<String> {
    [
        "judge",
        "--recording",
        path.to_str().unwrap(),
        "--baseline",
        &samples(0, BASELINE),
        "--fault",
        &samples(BASELINE, BASELINE + FAULT),
        "--recovery",
        &samples(BASELINE + FAULT, BASELINE + FAULT + RECOVERY),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Judges a recorded system in its windows with further arguments.
pub(crate) fn judge(path: &Path, further: &[&str]) -> Said {
    let arguments = judge_arguments(path);
    let all: Vec<&str> = arguments.iter().map(String::as_str).chain(further.iter().copied()).collect();
    aftermath(&all)
}

/// A folder of its own, and a path in it.
pub(crate) fn scratch(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}
