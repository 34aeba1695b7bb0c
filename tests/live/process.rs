//! An instance that is a process of its own, because it is to be killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::redis::{Keeps, Redis};
use crate::support::service::SECRET;

/// A running `rollcall serve`; killed without warning when dropped.
pub struct Process {
    child: Child,
    pub port: u16,
    _data_dir: TempDir,
}

impl Process {
    pub fn on(redis: &Redis) -> Process {
        let data_dir = TempDir::with_prefix("rollcall-test-data-").expect("a data directory");
        let durability = if redis.keeps() == Keeps::Nothing { "any" } else { "required" };
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "text", "--redis-url", &redis.url()]);
        command
            .args(["--jwt-secret", SECRET, "--rate-limit", "0", "--read-limit", "0", "--durability", durability])
            .arg("--data-dir");
        command.arg(data_dir.path()).env("RUST_LOG", "rollcall=info").stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("our own program");
        let mut log = BufReader::new(child.stderr.take().expect("its log")).lines().map_while(Result::ok);
        let said = log.find_map(|line| Some(line.split_once("listening on http://127.0.0.1:")?.1.to_owned()));
        let port = said.and_then(|said| said.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        let port = port.expect("a port");
        std::thread::spawn(move || log.for_each(drop));
        Process { child, port, _data_dir: data_dir }
    }
}

impl Process {
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
