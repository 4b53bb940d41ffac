//! Starts a real Prometheus for a test. Needs nothing but the standard library and `tempfile`, so that tests of other
//! crates can include this file with `#[path]`.

#![allow(dead_code, clippy::print_stderr, reason = "no test binary needs all of it; a skipped test says so")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What Prometheus writes to its log when it can be asked.
const READY: &str = "Server is ready to receive web requests";
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A running Prometheus with its own port and folder; it ends with this value.
pub(crate) struct RealPrometheus {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl RealPrometheus {
    /// Starts it with this configuration file. `None`, with a word on why, where it is not installed; on a CI machine
    /// that is a failure.
    pub(crate) fn start(config: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder for Prometheus");
        Self::start_in(folder, config, &[])
    }

    /// Starts it in a folder that may already hold storage blocks in `data`, with further arguments.
    pub(crate) fn start_in(folder: tempfile::TempDir, config: &str, arguments: &[&str]) -> Option<Self> {
        if !is_installed("prometheus", "prometheus") {
            return None;
        }
        std::fs::write(folder.path().join("prometheus.yml"), config).expect("the folder can be written");
        let port = free_port();
        let log = std::fs::File::create(folder.path().join("log")).expect("the folder can be written");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Prometheus is installed");
        let mut prometheus = Self { child, port, folder };
        prometheus.wait_until_ready();
        Some(prometheus)
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if log.contains(READY) {
                return;
            }
            let ended = self.child.try_wait().expect("the state of a child can be asked");
            assert!(ended.is_none(), "Prometheus ended with {ended:?}:\n{log}");
            assert!(Instant::now() < deadline, "Prometheus is not ready after {READY_WITHIN:?}:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for RealPrometheus {
    fn drop(&mut self) {
        // It may have ended already, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a program of this Debian package is on the path. Says so where it is not, and fails on CI.
pub(crate) fn is_installed(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).any(|folder: PathBuf| Path::new(&folder).join(program).is_file());
    if !found {
        let skipped = format!("skipped: {program} is not installed (apt-get install {package})");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{skipped}");
        eprintln!("{skipped}");
    }
    found
}

/// A port of the loopback interface that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("a bound listener has an address").port()
}
