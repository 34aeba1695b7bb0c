//! A private `redis-server` per fixture, on a unix socket in a directory of its own.
//!
//! Real, because half of what is tested lives inside Redis; private, because the set clock is one per Redis. It is
//! ended by its own process id when dropped. Without `redis-server` on the PATH a test fails and says so.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to answer; it takes some 20 ms.
const START_WAIT: Duration = Duration::from_secs(10);

/// What the server does with a write before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// As in production: every write is on disk before it is answered.
    Everything,
    /// Nothing, for long runs; the service must be told that loss is accepted.
    Nothing,
}

/// A running server.
pub struct Redis {
    child: Mutex<Child>,
    dir: TempDir,
    keeps: Keeps,
}

impl Redis {
    pub fn start(keeps: Keeps) -> Redis {
        let dir = TempDir::with_prefix("rollcall-test-").expect("a directory for Redis");
        let child = Mutex::new(Redis::launch(&dir, keeps));
        let redis = Redis { child, dir, keeps };
        redis.wait_until_it_answers();
        redis
    }

    fn launch(dir: &TempDir, keeps: Keeps) -> Child {
        let (aof, fsync) = match keeps {
            Keeps::Everything => ("yes", "always"),
            Keeps::Nothing => ("no", "no"),
        };
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", aof, "--appendfsync", fsync]);
        command
            .args(["--loglevel", "warning", "--logfile", "redis.log"])
            .arg("--unixsocket")
            .arg(dir.path().join("redis.sock"));
        command.arg("--dir").arg(dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                panic!("redis-server cannot be started ({error}): install Redis 7.0 or later and put it on the PATH")
            }
        }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("redis.sock")
    }

    /// For `ROLLCALL_REDIS_URL`.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub fn keeps(&self) -> Keeps {
        self.keeps
    }

    /// The server's process, for tests that hurt it.
    pub fn pid(&self) -> u32 {
        self.child().id()
    }

    /// Ends the server without warning and starts it again on what it has on disk.
    pub fn crash_and_restart(&self) {
        {
            let mut child = self.child();
            child.kill().expect("our own child");
            child.wait().expect("our own child");
            *child = Redis::launch(&self.dir, self.keeps);
        }
        self.wait_until_it_answers();
    }

    /// Every file it has written.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.dir.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of Redis").flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    // A file may go while a rewrite ends.
                    Ok(kind) if kind.is_file() => {
                        files.extend(std::fs::read(entry.path()).ok().map(|bytes| (entry.path(), bytes)))
                    }
                    _ => {}
                }
            }
        }
        files
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().expect("nobody panics while they hold it")
    }

    /// Sends the server a command of words without blanks, past the service, and gives back what it says.
    pub fn tells(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(self.socket()).expect("a connection to Redis");
        stream.write_all(format!("{command}\r\n").as_bytes()).expect("a sent command");
        let mut said = [0; 4096];
        let read = stream.read(&mut said).expect("an answer of Redis");
        String::from_utf8_lossy(&said[..read]).into_owned()
    }

    fn wait_until_it_answers(&self) {
        let begun = Instant::now();
        while !self.answers() {
            let log = || std::fs::read_to_string(self.dir.path().join("redis.log")).unwrap_or_default();
            assert!(begun.elapsed() < START_WAIT, "redis-server did not answer in {START_WAIT:?}:\n{}", log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(self.socket()) else { return false };
        let mut pong = [0; 5];
        stream.write_all(b"PING\r\n").is_ok() && stream.read_exact(&mut pong).is_ok() && &pong == b"+PONG"
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Only this child, by its id; it has nothing worth keeping.
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }
}
