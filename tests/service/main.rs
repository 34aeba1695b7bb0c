//! The service as an operator meets it: the program itself, its settings, signals and exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "../support/mod.rs"]
mod support;

mod asked;
mod deploy;
mod described;
#[path = "../model/dice.rs"]
mod dice;
mod names;
mod recurrence;
mod signed;
mod strangers;
mod tls;
mod zones;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// The program, without a setting of the machine it runs on.
fn rollcall() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLCALL_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// A running `rollcall serve` on a free port.
struct Service {
    child: Child,
    port: u16,
    log: Receiver<String>,
    /// The log up to the line that says where it listens.
    heard: Vec<String>,
}

impl Service {
    fn start(data_dir: &Path) -> Service {
        Service::with(rollcall().arg("serve").arg("--data-dir").arg(data_dir))
    }

    fn with(command: &mut Command) -> Service {
        Service::at(command, "127.0.0.1:0")
    }

    fn at(command: &mut Command, address: &str) -> Service {
        let mut child =
            command.args(["--listen", address, "--log-format", "text"]).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (said, log) = mpsc::channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
        let mut service = Service { child, port: 0, log, heard: Vec::new() };
        let line = loop {
            let line = service.waits_for("");
            if line.contains("listening on") {
                break line;
            }
            service.heard.push(line);
        };
        let address = line.rsplit("http://").next().unwrap();
        let digits = address.split(':').nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
        service.port = digits.parse().unwrap();
        service
    }

    /// The next line of the log that holds these words.
    fn waits_for(&self, words: &str) -> String {
        let begun = Instant::now();
        let mut heard = Vec::new();
        while let Some(left) = Duration::from_secs(15).checked_sub(begun.elapsed()) {
            match self.log.recv_timeout(left) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => heard.push(line),
                Err(_) => break,
            }
        }
        panic!("the log never said {words:?}:\n{}", heard.join("\n"));
    }

    fn signal(&self, signal: &str) {
        send_signal(self.child.id(), signal);
    }

    fn get(&self, path: &str) -> String {
        self.get_as(path, "")
    }

    fn get_as(&self, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close";
        write!(stream, "GET {path} {head}\r\nAuthorization: Bearer {token}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.signal("-TERM");
            let _ = self.child.wait();
        }
    }
}

fn send_signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn lives(pid: u32) -> bool {
    Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never happened: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn exit_within(child: &mut Child, bound: Duration) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(begun.elapsed() < bound, "it still runs after {bound:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The process of the private Redis, as the service told it.
fn redis_of(line: &str) -> u32 {
    line.rsplit("as process ").next().unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

fn one_line(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "more than a line: {text}");
    text
}

#[test]
fn sigterm_ends_the_service_and_its_redis_within_ten_seconds_with_exit_code_0() {
    for signal in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().unwrap();
        let mut service = Service::start(dir.path());
        assert!(service.get("/readyz").starts_with("HTTP/1.1 200"));
        // A connection that is kept open without a request must not hold up the end.
        let _idle = TcpStream::connect(("127.0.0.1", service.port)).unwrap();

        service.signal(signal);

        let status = exit_within(&mut service.child, Duration::from_secs(10));
        assert_eq!(status.code(), Some(0), "{signal}");
        let log = fs::read_to_string(dir.path().join("redis.log")).unwrap();
        assert!(log.contains("Redis is now ready to exit") || log.contains("ready to exit, bye bye"), "{log}");
    }
}

#[test]
fn a_killed_service_leaves_no_redis_behind_and_the_next_one_finds_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = rollcall();
    command.arg("serve").arg("--data-dir").arg(dir.path());
    let mut child =
        command.args(["--listen", "127.0.0.1:0", "--log-format", "text"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let redis = redis_of(&lines.find(|line| line.contains("as process ")).unwrap());
    lines.find(|line| line.contains("listening on")).unwrap();

    child.kill().unwrap();
    child.wait().unwrap();

    if cfg!(target_os = "linux") {
        eventually("the orphaned Redis ends", || !lives(redis));
    }
    let secret = fs::read_to_string(dir.path().join("jwt_secret")).unwrap();
    let next = Service::start(dir.path());
    assert!(next.get("/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(fs::read_to_string(dir.path().join("jwt_secret")).unwrap(), secret, "the secret is made once");
}

#[test]
fn a_service_without_redis_starts_says_so_and_is_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::with(
        rollcall().args(["serve", "--redis-url", "redis://127.0.0.1:1"]).arg("--data-dir").arg(dir.path()),
    );
    let begun = Instant::now();
    let answer = service.get("/readyz");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"unavailable\""), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(service.get("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_second_service_on_one_data_directory_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Service::start(dir.path());
    let mut second = rollcall();
    second.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path());
    let output = second.env("RUST_LOG", "off").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(one_line(&output).contains("in use by another rollcall service"));
}

#[test]
fn a_setting_that_cannot_be_read_is_named_in_one_line() {
    let unreadable = [
        ("ROLLCALL_LISTEN", "8080"),
        ("ROLLCALL_REDIS_URL", "http://localhost"),
        ("ROLLCALL_REDIS_URL", "redis+sentinel://h1,h2/gym"),
        ("ROLLCALL_REDIS_URL", "redis+cluster://h1,h2"),
        ("ROLLCALL_JWT_PUBLIC_KEY", "/no/such/file"),
        ("ROLLCALL_JWKS_FILE", "/no/such/file"),
        ("ROLLCALL_JWKS_URL", "file:///etc/passwd"),
        ("ROLLCALL_REPLICA_ACKS", "-1"),
        ("ROLLCALL_REPLICA_ACKS", "1"),
        ("ROLLCALL_DURABILITY", "maybe"),
        ("ROLLCALL_ALLOWED_ORIGINS", "https://gym.example/app"),
        ("ROLLCALL_ALLOWED_ORIGINS", "https://app.example,capacitor://localhost/"),
        ("ROLLCALL_ALLOWED_ORIGINS", "capacitor:localhost"),
        ("ROLLCALL_ALLOWED_ORIGINS", "null"),
        ("ROLLCALL_JWT_SUB_CLAIM", "profile..id"),
        ("ROLLCALL_JWT_ORG_CLAIM", "org."),
        ("ROLLCALL_JWT_ROLE_CLAIM", "realm\\roles"),
        ("ROLLCALL_JWT_ROLES", "frontdesk"),
        ("ROLLCALL_JWT_ROLES", "frontdesk=boss"),
        ("ROLLCALL_JWT_ROLES", "a=staff,a=admin"),
        ("ROLLCALL_JWT_ORG", "no org"),
        ("ROLLCALL_RATE_LIMIT", "20"),
        ("ROLLCALL_RATE_LIMIT", "0:60"),
        ("ROLLCALL_READ_LIMIT", "50"),
        ("ROLLCALL_TIME_TRAVEL", "maybe"),
        ("ROLLCALL_LOG_FORMAT", "xml"),
    ];
    for (variable, value) in unreadable {
        let output = rollcall().arg("serve").env(variable, value).output().unwrap();
        let line = one_line(&output);
        assert_eq!(output.status.code(), Some(2), "{variable}={value}: {line}");
        assert!(line.contains(variable), "{variable}={value}: {line}");
    }
}

#[test]
fn no_error_line_shows_a_secret() {
    let output = rollcall().arg("serve").env("ROLLCALL_REDIS_URL", "redis://ann:hush@").output().unwrap();
    assert!(!one_line(&output).contains("hush"));
    let output = rollcall()
        .arg("serve")
        .env("ROLLCALL_JWT_SECRET", "hush-hush")
        .env("ROLLCALL_RATE_LIMIT", "x")
        .output()
        .unwrap();
    assert!(!one_line(&output).contains("hush"));
}

#[test]
fn a_missing_server_program_is_one_line_that_says_what_to_install() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = rollcall();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir.path());
    let output = command.env("PATH", dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = one_line(&output);
    assert!(line.contains("install") && line.contains("ROLLCALL_REDIS_URL"), "{line}");
}

#[test]
fn tokens_are_minted_with_the_secret_that_is_generated_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mint = |role: &str| {
        let mut command = rollcall();
        command.args(["token", "--org", "gym", "--role", role, "--sub", "ann", "--data-dir"]).arg(&data);
        command.output().unwrap()
    };
    // Instances of one service may share the folder, and start at once.
    let start = || {
        let mut command = rollcall();
        command.args(["serve", "--redis-url", "redis://127.0.0.1:1", "--data-dir"]).arg(&data);
        Service::with(&mut command)
    };
    let services: Vec<Service> = thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|service| service.join().unwrap()).collect()
    });
    let secret = fs::read_to_string(data.join("jwt_secret")).unwrap();
    assert_eq!(secret.len(), 64);
    assert_eq!(fs::metadata(data.join("jwt_secret")).unwrap().permissions().mode() & 0o777, 0o600);
    let key = jsonwebtoken::DecodingKey::from_secret(secret.as_bytes());
    let minted = mint("member");
    assert!(one_line(&minted).contains("jwt_secret"), "it says where the secret stands");
    let token = String::from_utf8(minted.stdout).unwrap();
    let claims = jsonwebtoken::decode::<serde_json::Value>(
        token.trim(),
        &key,
        &jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256),
    )
    .unwrap()
    .claims;
    assert_eq!(claims["sub"], "ann");
    assert_eq!(claims["org"], "gym");
    assert_eq!(claims["role"], "member");
    for service in &services {
        // There is no Redis, but who asks is known.
        assert!(service.get_as("/v1/org", token.trim()).starts_with("HTTP/1.1 503"));
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 12 * 3600);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no drafts are left");

    let refused = mint("boss");
    assert_eq!(refused.status.code(), Some(2));
    assert!(one_line(&refused).contains("--role"));
}
