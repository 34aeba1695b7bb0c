//! A private Redis, run and watched by the service: the default when no `ROLLCALL_REDIS_URL` is given.
//!
//! One service owns a data directory at a time, by a lock held for its whole life, because two servers on one
//! append-only file destroy it. A Redis that an earlier, killed service left behind is shut down and waited for
//! before another one starts. The child is direct and in the foreground, never through a shell; it dies with the
//! service and is started again when it dies alone.
//!
//! It knows processes and files, and of Redis only the two commands PING and SHUTDOWN. Its functions block: they
//! are called at start and at the end, off the runtime.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use thiserror::Error;
use tracing::{error, info, warn};

use super::program::{Program, ProgramError};
use super::target::RedisTarget;

/// Longer socket paths are fatal to Redis: Linux holds 107 bytes, macOS 103.
const SOCKET_PATH_BYTES_MAX: usize = 103;
/// How long a started Redis may take to answer, and how long a start waits for it to load its data.
const ANSWER_MS_MAX: u64 = 10_000;
/// How long Redis may take to end when asked to, before it is killed (ours) or the start given up (an orphan).
const END_MS_MAX: u64 = 2_000;
const ORPHAN_END_MS_MAX: u64 = 10_000;
/// How often the keeper looks whether its Redis still lives.
const WATCH_MS: u64 = 50;
/// The pause before Redis is started again doubles between these, and starts over after a calm time.
const RESTART_MS_MIN: u64 = 50;
const RESTART_MS_MAX: u64 = 5_000;
const CALM: Duration = Duration::from_secs(10);

/// Why the private Redis could not be started. Each is one line for the operator.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("the data directory {0} is in use by another rollcall service")]
    InUse(PathBuf),
    #[error("the data directory {0} cannot be used: {1}")]
    Directory(PathBuf, io::Error),
    #[error("{0} is not a private directory of this user; remove it or set another ROLLCALL_DATA_DIR")]
    NotPrivate(PathBuf),
    #[error("a Redis left over from an earlier run still holds {0} and does not end ({1}); end it by hand")]
    Orphan(PathBuf, io::Error),
    #[error("the private Redis did not start; its log {0} ends: {1}")]
    NotStarted(PathBuf, String),
}

/// The running private Redis. It ends when this is dropped, which blocks until it has.
pub struct Embedded {
    socket: PathBuf,
    stop: Sender<()>,
    keeper: Option<JoinHandle<()>>,
    /// Released by the operating system, whatever happens to this process.
    _lock: File,
}

impl Embedded {
    /// Takes the data directory and starts Redis in it; returns when it answers.
    pub fn start(data_dir: &Path) -> Result<Embedded, EmbeddedError> {
        let program = Program::find()?;
        let (data_dir, home) = directories(data_dir)?;
        let lock = lock(&data_dir)?;
        let socket = socket_path(&home)?;
        end_orphan(&socket).map_err(|error| EmbeddedError::Orphan(data_dir.clone(), error))?;

        let log = data_dir.join("redis.log");
        let deaths = Arc::new(AtomicU32::new(0));
        let (stop, stopped) = mpsc::channel();
        let keeper =
            Keeper { program, home, socket: socket.clone(), log: log.clone(), stopped, deaths: Arc::clone(&deaths) };
        let keeper = thread::Builder::new()
            .name("redis keeper".to_owned())
            .spawn(move || keeper.run())
            .map_err(|error| EmbeddedError::Directory(data_dir, error))?;
        let embedded = Embedded { socket, stop, keeper: Some(keeper), _lock: lock };
        embedded.first_answer(&deaths, &log)?;
        Ok(embedded)
    }

    /// Where to connect.
    pub fn target(&self) -> RedisTarget {
        RedisTarget::Socket(self.socket.clone())
    }

    fn first_answer(&self, deaths: &AtomicU32, log: &Path) -> Result<(), EmbeddedError> {
        let begun = Instant::now();
        let mut loading = false;
        while begun.elapsed() < Duration::from_millis(ANSWER_MS_MAX) && deaths.load(Ordering::Acquire) == 0 {
            match ask(&self.socket, "PING", Duration::from_secs(1)) {
                Ok(answer) if answer.starts_with("-LOADING") => loading = true,
                Ok(_) => return Ok(()),
                Err(_) => {}
            }
            thread::sleep(Duration::from_millis(5));
        }
        // Much data takes longer to load; until then calls are answered 503.
        if loading && deaths.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        Err(EmbeddedError::NotStarted(log.to_owned(), last_words(log)))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
        // Redis has taken its socket away. A short directory is then empty and goes too; the data's own is not.
        if let Some(directory) = self.socket.parent() {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Lives on a thread of its own for as long as the service: the parent-death signal of Linux follows the thread
/// that started the child, not the process.
struct Keeper {
    program: Program,
    home: PathBuf,
    socket: PathBuf,
    log: PathBuf,
    stopped: Receiver<()>,
    deaths: Arc<AtomicU32>,
}

impl Keeper {
    fn run(self) {
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            match self.spawn() {
                Ok(mut child) => {
                    info!(pid = child.id(), "the private Redis runs as process {}", child.id());
                    let Some(status) = self.watch(&mut child) else {
                        self.end(&mut child);
                        return;
                    };
                    warn!(status, "the private Redis ended ({status}); it is started again");
                }
                Err(error) => error!("the private Redis cannot be started: {error}"),
            }
            self.deaths.fetch_add(1, Ordering::Release);
            failures = if begun.elapsed() > CALM { 0 } else { failures + 1 };
            if self.stopped.recv_timeout(pause(failures)) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let log = private_file(&self.log)?;
        self.program
            .command()
            .args(["--port", "0", "--daemonize", "no", "--unixsocketperm", "700", "--unixsocket"])
            .arg(&self.socket)
            .arg("--dir")
            .arg(&self.home)
            // An acknowledged write is on the disk; nothing is ever evicted; the append-only file is the one copy.
            .args(["--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no"])
            .args(["--aof-timestamp-enabled", "yes", "--save", "", "--maxmemory-policy", "noeviction"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // A Ctrl-C at the terminal is for the service, which ends Redis last.
            .process_group(0)
            .spawn()
    }

    /// How the child ended by itself, or `None` when it is to be ended.
    fn watch(&self, child: &mut Child) -> Option<String> {
        loop {
            if self.stopped.recv_timeout(Duration::from_millis(WATCH_MS)) != Err(RecvTimeoutError::Timeout) {
                return None;
            }
            match child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => return Some(status.to_string()),
                Err(error) => return Some(error.to_string()),
            }
        }
    }

    fn end(&self, child: &mut Child) {
        let asked = shut_down(&self.socket, Duration::from_millis(END_MS_MAX));
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed() < Duration::from_millis(END_MS_MAX) {
            if let Ok(Some(_)) = child.try_wait() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        warn!("the private Redis did not end when asked to; killing it");
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn pause(failures: u32) -> Duration {
    Duration::from_millis(RESTART_MS_MIN.saturating_mul(1 << failures.min(10)).min(RESTART_MS_MAX))
}

/// The data directory, absolute, and in it the directory of Redis, which only this user may enter.
fn directories(data_dir: &Path) -> Result<(PathBuf, PathBuf), EmbeddedError> {
    let failed = |error| EmbeddedError::Directory(data_dir.to_owned(), error);
    private_dir(data_dir).map_err(failed)?;
    let data_dir = fs::canonicalize(data_dir).map_err(failed)?;
    let home = data_dir.join("redis");
    private_dir(&home).map_err(failed)?;
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    Ok((data_dir, home))
}

fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn lock(data_dir: &Path) -> Result<File, EmbeddedError> {
    let failed = |error| EmbeddedError::Directory(data_dir.to_owned(), error);
    let file = private_file(&data_dir.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EmbeddedError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The socket beside the data, or in a short directory of its own where that path is too long. Its name follows
/// from the data directory, so that the next service finds an orphan there.
fn socket_path(home: &Path) -> Result<PathBuf, EmbeddedError> {
    let beside = home.join("redis.sock");
    if beside.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return Ok(beside);
    }
    let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let short = Path::new("/tmp").join(format!("rollcall-{name}"));
    private_dir(&short).map_err(|error| EmbeddedError::Directory(short.clone(), error))?;
    // Anybody may create a name in /tmp: it must be a directory, ours, and closed to others.
    let stat =
        |path: &Path| fs::symlink_metadata(path).map_err(|error| EmbeddedError::Directory(path.to_owned(), error));
    let (found, own) = (stat(&short)?, stat(home)?);
    if !found.is_dir() || found.uid() != own.uid() || found.mode() & 0o077 != 0 {
        return Err(EmbeddedError::NotPrivate(short));
    }
    Ok(short.join("redis.sock"))
}

/// Ends a Redis that still answers on the socket. Nobody there is the usual case, and no error.
fn end_orphan(socket: &Path) -> io::Result<()> {
    match UnixStream::connect(socket) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            warn!("a Redis left over from an earlier run still answers; shutting it down first");
            shut_down(socket, Duration::from_millis(ORPHAN_END_MS_MAX))
        }
    }
}

/// Asks Redis to end and waits until it has: its side of the connection closes when the process is gone, after the
/// last write to the append-only file.
fn shut_down(socket: &Path, patience: Duration) -> io::Result<()> {
    let answer = ask(socket, "SHUTDOWN NOSAVE", patience)?;
    if answer.is_empty() { Ok(()) } else { Err(io::Error::other(answer)) }
}

/// One command over a connection of its own. The answer is empty when Redis closed the connection instead.
fn ask(socket: &Path, command: &str, patience: Duration) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(command.as_bytes())?;
    stream.write_all(b"\r\n")?;
    let mut answer = [0; 256];
    match stream.read(&mut answer) {
        Ok(read) => Ok(String::from_utf8_lossy(&answer[..read]).trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// The end of the log, in one line.
fn last_words(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" / ")
}
