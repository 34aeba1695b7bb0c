//! Strangers without a token, against the program as it is shipped: memory, files, secrets, and what may be turned off.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use super::{Service, rollcall};

/// Nothing here takes so long unless something is broken.
const LONG: Duration = Duration::from_secs(20);

/// Of a process, in megabytes.
fn resident_mb(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Asks on a connection that stays open; whether it was answered.
fn is_served(stream: &mut TcpStream) -> bool {
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    let (mut answer, mut bytes) = (String::new(), [0; 4_096]);
    while asked.is_ok() && !answer.ends_with("{\"status\":\"alive\"}") {
        match stream.read(&mut bytes) {
            Ok(0) | Err(_) => return false,
            Ok(read) => answer += std::str::from_utf8(&bytes[..read]).unwrap(),
        }
    }
    answer.starts_with("HTTP/1.1 200")
}

/// Asks for the documentation's script with a small buffer, and reads the first byte only.
fn asks_and_does_not_read(port: u16, encoding: &str) -> Socket {
    let mut socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(&SocketAddr::from(([127, 0, 0, 1], port)).into()).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let head = format!("GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {encoding}\r\n\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap(), 1, "the answer begins");
    socket
}

#[test]
fn two_hundred_answers_that_nobody_reads_cost_little() {
    let data = TempDir::new().unwrap();
    let service = Service::start(data.path());
    for encoding in ["br", "identity"] {
        // Whatever is made once is made now.
        drop(asks_and_does_not_read(service.port, encoding));
        let before = resident_mb(service.child.id());
        let unread: Vec<Socket> = (0..200).map(|_| asks_and_does_not_read(service.port, encoding)).collect();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            let now = resident_mb(service.child.id());
            assert!(now <= before + 100, "{encoding}: from {before} to {now} MB");
            assert!(is_served(&mut connect(service.port)));
        }
        drop(unread);
    }
}

#[test]
fn four_hundred_idle_connections_leave_room_for_a_newcomer_among_256_files() {
    let data = TempDir::new().unwrap();
    let program = rollcall();
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 256; exec \"$0\" serve \"$@\""]).arg(program.get_program());
    limited.arg("--data-dir").arg(data.path());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let service = Service::with(&mut limited);
    let mut idle = Vec::new();
    for number in 0..400 {
        let mut stream = connect(service.port);
        assert!(is_served(&mut stream), "connection {number} was not served");
        idle.push(stream);
    }
    assert!(is_served(&mut connect(service.port)), "a newcomer");
    assert!(is_served(idle.last_mut().unwrap()), "whoever came last is still there");
    let errors: Vec<String> = service.log.try_iter().filter(|line| line.contains("ERROR")).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn the_bound_of_open_files_is_raised_and_said() {
    let data = TempDir::new().unwrap();
    let program = rollcall();
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -S -n 300; ulimit -H -n 2000; exec \"$0\" serve \"$@\""]).arg(program.get_program());
    limited.env_remove("RUST_LOG").arg("--data-dir").arg(data.path());
    limited.args(["--listen", "127.0.0.1:0", "--log-format", "text"]).stderr(std::process::Stdio::piped());
    let mut child = limited.spawn().unwrap();
    let mut log = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    let line =
        |line: std::io::Result<String>| line.ok().filter(|line| line.contains("files") || line.contains("listening"));
    let said = log.find_map(line);
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    super::send_signal(child.id(), "-TERM");
    let _ = child.wait();
    assert!(said.unwrap().contains("up to 2000 files may be open"));
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(line.split_whitespace().nth(3), Some("2000"), "{line}");
}

#[test]
fn slow_heads_and_bodies_end_with_the_bounds_as_they_are_shipped() {
    let data = TempDir::new().unwrap();
    let service = Service::start(data.path());
    let second_head = {
        let mut stream = connect(service.port);
        assert!(is_served(&mut stream));
        stream.write_all(b"GET /healthz HTTP/1.1\r\nX: ").unwrap();
        (stream, "x")
    };
    let body = {
        let mut stream = connect(service.port);
        stream.write_all(b"POST /v1/classes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        (stream, "1\r\nx\r\n")
    };
    for (mut stream, piece) in [second_head, body] {
        let begun = Instant::now();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        loop {
            let sent = stream.write_all(piece.as_bytes());
            let ended = match stream.read(&mut [0; 4_096]) {
                Ok(read) => read == 0,
                Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            };
            if sent.is_err() || ended {
                break;
            }
            assert!(begun.elapsed() < LONG, "it is still there");
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    }
}

#[test]
fn a_stranger_who_frames_requests_wrongly_makes_no_error_lines() {
    let data = TempDir::new().unwrap();
    let service = Service::start(data.path());
    let many_headers = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(300));
    let long_head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(300_000));
    let two_lengths = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
    for wrong in [&many_headers, &long_head, two_lengths, "GET /\u{e9} HTTP/1.1\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let mut stream = connect(service.port);
        let _ = stream.write_all(wrong.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
    }
    assert!(is_served(&mut connect(service.port)));
    let errors: Vec<String> = service.log.try_iter().filter(|line| line.contains("ERROR")).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// The one line that a start with these settings ends with.
fn refused(settings: &[(&str, &str)], data: &TempDir) -> String {
    let started = rollcall().arg("serve").envs(settings.iter().copied()).env("ROLLCALL_DATA_DIR", data.path()).output();
    let output = started.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn a_secret_that_can_be_guessed_stops_the_start() {
    let data = TempDir::new().unwrap();
    for short in ["x", "a secret of thirty-one bytes, oh"] {
        let short = &short[..short.len().min(31)];
        let said = refused(&[("ROLLCALL_JWT_SECRET", short)], &data);
        assert!(said.contains("ROLLCALL_JWT_SECRET") && said.contains("32 bytes") && !said.contains(short), "{said}");
    }
    fs::write(data.path().join("jwt_secret"), "x".repeat(31)).unwrap();
    let said = refused(&[], &data);
    assert!(said.contains("ROLLCALL_JWT_SECRET") && said.contains("jwt_secret") && said.contains("32 bytes"), "{said}");

    let enough = "x".repeat(32);
    fs::write(data.path().join("jwt_secret"), &enough).unwrap();
    drop(Service::with(rollcall().arg("serve").arg("--data-dir").arg(data.path())));
    let other = TempDir::new().unwrap();
    let given = [("ROLLCALL_JWT_SECRET", enough.as_str())];
    drop(Service::with(rollcall().arg("serve").envs(given).arg("--data-dir").arg(other.path())));
}

#[test]
fn what_is_no_public_key_is_called_what_it_is() {
    let data = TempDir::new().unwrap();
    for (file, word) in [
        ("rsa.pem", "private key"),
        ("p256.pem", "private key"),
        ("rsa.cert.pem", "certificate"),
        ("rsa1024.pub.pem", "2048 bits"),
    ] {
        let path = format!("{}/tests/http/keys/{file}", env!("CARGO_MANIFEST_DIR"));
        let said = refused(&[("ROLLCALL_JWT_PUBLIC_KEY", &path), ("ROLLCALL_LISTEN", "127.0.0.1:0")], &data);
        assert!(said.contains("ROLLCALL_JWT_PUBLIC_KEY") && said.contains(word), "{file}: {said}");
    }
}

#[test]
fn the_documentation_can_be_turned_off() {
    let data = TempDir::new().unwrap();
    let service = Service::with(rollcall().arg("serve").env("ROLLCALL_DOCS", "off").arg("--data-dir").arg(data.path()));
    for path in ["/docs", "/docs/", "/docs/swagger-ui-bundle.js"] {
        assert!(service.get(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(service.get("/openapi.json").starts_with("HTTP/1.1 200"));
    let said = refused(&[("ROLLCALL_DOCS", "perhaps")], &data);
    assert!(said.contains("ROLLCALL_DOCS"), "{said}");
}
