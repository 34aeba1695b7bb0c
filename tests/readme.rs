//! Every command of the README's tour and first days, as it stands there, against the running program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

/// A running program on a free port; it ends with the test.
struct Demo<Prints: Read = ChildStdout> {
    child: Child,
    port: u16,
    /// Kept open: a program that nobody listens to ends.
    _prints: Lines<BufReader<Prints>>,
}

impl<Prints: Read> Demo<Prints> {
    /// Waits for a line with the words and its address.
    fn saying(child: Child, mut lines: Lines<BufReader<Prints>>, words: &str) -> Demo<Prints> {
        let said = lines.by_ref().map_while(Result::ok).find(|line| line.contains(words)).expect("it runs");
        let port = said.split("127.0.0.1:").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
        Demo { port: port.parse().unwrap(), child, _prints: lines }
    }
}

impl<Prints: Read> Drop for Demo<Prints> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of the program on a free port, once it says the words.
fn demo(data: &Path) -> Demo {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["demo", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"])
        .arg(data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Demo::saying(child, lines, "is running on")
}

/// The service without anything in it.
fn serve(data: &Path) -> Demo<ChildStderr> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"])
        .arg(data)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    Demo::saying(child, lines, "listening on")
}

/// The `sh` blocks of a section and of what follows it up to `end`, one after the other.
fn blocks(heading: &str, end: &str) -> String {
    let document = include_str!("../README.md");
    let (_, rest) = document.split_once(&format!("\n## {heading}\n")).expect(heading);
    let (section, _) = rest.split_once(&format!("\n## {end}\n")).expect(end);
    let parts = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    parts.collect()
}

/// What the blocks say, run in the shell against the service on this port.
fn pasted(blocks: &str, port: u16, data: &Path) -> String {
    let program = env!("CARGO_BIN_EXE_rollcall");
    let script = blocks
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
        .replace("target/debug/rollcall", program)
        .replace("target/release/rollcall", program);
    let mut shell = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("ROLLCALL_DATA_DIR", data)
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
    out.into_owned()
}

#[test]
fn the_tour_works_when_pasted_and_when_pasted_again() {
    let data = tempfile::tempdir().unwrap();
    let demo = demo(data.path());
    // The sockets of "Live" are tried in the tour's terminal.
    let tour = blocks("A short tour", "First days") + &blocks("Live", "Running it");
    assert!(tour.contains("/v1/classes/$TOUR/bookings"), "the README has a tour");
    for _ in 0..2 {
        let out = pasted(&tour, demo.port, data.path());
        for expected in [
            r#""status":"waitlisted","position":1"#,
            r#""event":"booking_promoted""#,
            r#""outcome":"free""#,
            r#"{"op":"welcome","#,
            r#"{"op":"patch","topic":"me","from":0,"#,
            r#"{"op":"patch","topic":"class:tour-"#,
        ] {
            assert!(out.contains(expected), "{expected} is missing in\n{out}");
        }
        let twice: Vec<_> =
            out.lines().filter(|line| line.contains(r#""status":"booked","paid_with""#)).take(2).collect();
        assert_eq!(twice[0], twice[1], "a repeated call gets the same reply");
    }
}

#[test]
fn the_first_days_work_on_an_empty_service_and_may_be_repeated() {
    let data = tempfile::tempdir().unwrap();
    let service = serve(data.path());
    for _ in 0..2 {
        let out = pasted(&blocks("First days", "Live"), service.port, data.path());
        for expected in [r#""id":"gym","name":"Gym""#, r#""title":"Yoga""#, "/book#token=ey"] {
            assert!(out.contains(expected), "{expected} is missing in\n{out}");
        }
    }
}
