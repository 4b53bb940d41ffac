//! `aftermath demo` as a process: its children, its end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{aftermath, program};

/// The processes of the shop as `PID PPID COMMAND`.
fn shop_processes() -> Vec<String> {
    let output = Command::new("ps").args(["-eo", "pid,ppid,args"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains("shop-process"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_faults_are_listed_with_the_default_marked() {
    let said = aftermath(&["demo", "--list"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.lines().count() >= 8, "{}", said.stdout);
    let default: Vec<&str> = said.stdout.lines().filter(|line| line.ends_with("(default)")).collect();
    assert_eq!(default.len(), 1);
    assert!(default[0].starts_with("cache-wipe"));
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_stops_every_child() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(program())
        .args(["demo", "--out", folder.path().to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = demo.id().to_string();
    let is_child = |line: &String| line.split_whitespace().nth(1) == Some(pid.as_str());
    let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("watching the healthy shop")).unwrap().unwrap();
    let before: Vec<String> = shop_processes().into_iter().filter(is_child).collect();
    assert!(before.len() >= 9, "{before:?}");

    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(130));
    let pids: Vec<&str> = before.iter().filter_map(|line| line.split_whitespace().next()).collect();
    let left: Vec<String> = shop_processes()
        .into_iter()
        .filter(|line| pids.contains(&line.split_whitespace().next().unwrap_or_default()))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
