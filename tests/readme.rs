//! Every command of the README's tour, as it stands there, against the demonstration.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The demonstration on a free port; it ends with the test.
struct Demo {
    child: Child,
    port: u16,
    /// Kept open: a program that nobody listens to ends.
    _prints: Lines<BufReader<ChildStdout>>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn demo(data: &Path) -> Demo {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["demo", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"])
        .arg(data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.contains("is running on"))
        .expect("the demonstration runs");
    let port = said.split("127.0.0.1:").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
    let port = port.parse().unwrap();
    Demo { child, port, _prints: lines }
}

/// The `sh` blocks of a document, one after the other.
fn blocks(document: &str) -> String {
    let parts = document.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    parts.collect()
}

#[test]
fn the_tour_works_when_pasted() {
    let data = tempfile::tempdir().unwrap();
    let demo = demo(data.path());
    let tour = blocks(include_str!("../README.md"))
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", demo.port))
        .replace("target/debug/rollcall", env!("CARGO_BIN_EXE_rollcall"));
    assert!(tour.contains("/v1/classes/tour/bookings"), "the README has a tour");
    let mut shell = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &tour])
        .env("ROLLCALL_DATA_DIR", data.path())
        // A download that stalls is tried again soon, and what is there is not looked up.
        .envs([("NPM_CONFIG_FETCH_TIMEOUT", "20000"), ("NPM_CONFIG_FETCH_RETRIES", "5")])
        .envs([("NPM_CONFIG_PREFER_OFFLINE", "true"), ("NPM_CONFIG_UPDATE_NOTIFIER", "false")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A terminal's input stays open, and wscat ends with it.
    let _terminal = shell.stdin.take();
    let shell = shell.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&shell.stdout), String::from_utf8_lossy(&shell.stderr));
    assert!(shell.status.success(), "{out}\n{err}");
    for expected in [
        r#""status":"waitlisted","position":1"#,
        r#""event":"booking_promoted""#,
        r#""outcome":"free""#,
        r#"{"op":"welcome","#,
        r#"{"op":"patch","topic":"me","from":0,"#,
        r#"{"op":"patch","topic":"class:tour","from":0,"#,
    ] {
        assert!(out.contains(expected), "{expected} is missing in\n{out}");
    }
    let twice: Vec<_> = out.lines().filter(|line| line.contains(r#""status":"booked","paid_with""#)).take(2).collect();
    assert_eq!(twice[0], twice[1], "a repeated call gets the same reply");
}
