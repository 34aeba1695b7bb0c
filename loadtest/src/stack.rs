//! The processes a run needs: the program under test, Redis servers and instances of the service.
//!
//! Everything runs in temporary directories, on sockets and on ports that the system chooses, and is ended by its
//! own process id when dropped. Redis gets the settings of the service's private Redis, except that it does not
//! rewrite its append-only file, which would fall into one measurement and not into another.

use std::fs::{self, File};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::Result;

/// How long a process may take to answer, and to end when asked to.
const START_MAX: Duration = Duration::from_secs(10);
const END_MAX: Duration = Duration::from_secs(10);

/// What tokens are signed with here.
pub const SECRET: &str = "a secret of the load test, long enough for HS256";

/// Ticks of CPU time a second, as Linux reports them to every program.
const TICKS_A_SECOND: f64 = 100.0;

/// The service's program: the one given, or this workspace's, built now in the profile that this program has.
pub fn program(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(given) = given {
        return Ok(fs::canonicalize(given).map_err(|error| format!("{}: {error}", given.display()))?);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "rollcall", "--bin", "rollcall"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    if !build.current_dir(env!("CARGO_MANIFEST_DIR")).status()?.success() {
        return Err("the service cannot be built".into());
    }
    Ok(std::env::current_exe()?.with_file_name("rollcall"))
}

/// What makes Redis have every write on disk before it answers.
const DURABLE: [&str; 10] = [
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--no-appendfsync-on-rewrite",
    "no",
    "--aof-timestamp-enabled",
    "yes",
    "--auto-aof-rewrite-percentage",
    "0",
];

/// A running server.
pub struct Redis {
    process: Process,
    dir: TempDir,
    /// 0 where it listens on its socket alone.
    port: u16,
    settings: &'static [&'static str],
}

impl Redis {
    /// A server that has every write on disk before it answers.
    pub fn start() -> Result<Redis> {
        Redis::with(0, &DURABLE)
    }

    /// A server on a port that keeps nothing on disk.
    pub fn forgetful() -> Result<Redis> {
        Redis::with(free_port()?, &[])
    }

    fn with(port: u16, settings: &'static [&'static str]) -> Result<Redis> {
        let dir = TempDir::with_prefix("rollcall-load-redis-")?;
        let process = Redis::process(dir.path(), port, settings)?;
        Ok(Redis { process, dir, port, settings })
    }

    /// Waits until it answers.
    fn process(dir: &Path, port: u16, settings: &[&str]) -> Result<Process> {
        let socket = dir.join("redis.sock");
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--unixsocketperm", "700", "--unixsocket"]).arg(&socket);
        command.args(["--save", "", "--maxmemory-policy", "noeviction"]).args(settings).arg("--dir").arg(dir);
        command.stdin(Stdio::null()).stdout(File::create(dir.join("redis.log"))?).stderr(Stdio::null());
        let process = Process::start(&mut command, "redis-server")?;
        let begun = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            if begun.elapsed() > START_MAX {
                return Err("redis-server did not start".into());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(process)
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on what is on disk.
    pub fn revive(&mut self) -> Result<()> {
        self.process = Redis::process(self.dir.path(), self.port, self.settings)?;
        Ok(())
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("redis.sock")
    }

    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub fn connect(&self) -> Result<redis::Connection> {
        Ok(redis::Client::open(self.url())?.get_connection()?)
    }

    /// CPU seconds used so far; none where the system does not tell.
    pub fn cpu_s(&self) -> Option<f64> {
        cpu_s(self.process.0.id())
    }
}

/// A running instance of the service.
pub struct Service {
    pub port: u16,
    process: Process,
    _dir: TempDir,
}

impl Service {
    /// An instance on this Redis as an operator would run it, but without a rate limit.
    pub fn start(program: &Path, redis: &Redis) -> Result<Service> {
        Service::at(0, program, redis)
    }

    /// The same on a port that is known to be free; 0 lets the system choose.
    fn at(port: u16, program: &Path, redis: &Redis) -> Result<Service> {
        let dir = TempDir::with_prefix("rollcall-load-")?;
        let log = dir.path().join("log");
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLCALL_")) {
            command.env_remove(name);
        }
        command.arg("serve").env("ROLLCALL_LISTEN", format!("127.0.0.1:{port}")).env("ROLLCALL_REDIS_URL", redis.url());
        command.env("ROLLCALL_JWT_SECRET", SECRET).env("ROLLCALL_DATA_DIR", dir.path());
        command.env("ROLLCALL_RATE_LIMIT", "0").env("ROLLCALL_READ_LIMIT", "0").env("ROLLCALL_LOG_FORMAT", "json");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let mut process = Process::start(&mut command, "the service")?;
        let begun = Instant::now();
        loop {
            if let Some(port) = port_in(&log)? {
                return Ok(Service { port, process, _dir: dir });
            }
            if begun.elapsed() > START_MAX || process.0.try_wait()?.is_some() {
                return Err(format!("the service did not start: {}", fs::read_to_string(&log)?).into());
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// An instance of a peer, started by its script.
    pub fn peer(script: &str, redis: &Redis) -> Result<Service> {
        let (dir, port) = (TempDir::with_prefix("rollcall-load-")?, free_port()?);
        let mut command = Command::new(script);
        command.args([port.to_string(), redis.port.to_string()]).arg(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = Process::start(&mut command, script)?;
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > START_MAX || process.0.try_wait()?.is_some() {
                return Err(format!("{script} did not start").into());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(Service { port, process, _dir: dir })
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts another on the same port.
    pub fn revive(&mut self, program: &Path, redis: &Redis) -> Result<()> {
        *self = Service::at(self.port, program, redis)?;
        Ok(())
    }

    /// CPU seconds used so far; none where the system does not tell.
    pub fn cpu_s(&self) -> Option<f64> {
        self.processes().into_iter().map(cpu_s).sum()
    }

    /// What it has in memory; what several processes share counts once.
    pub fn memory_kb(&self) -> Result<u64> {
        self.processes().into_iter().map(memory_kb).sum()
    }

    /// Its own, and those it has started.
    fn processes(&self) -> Vec<u32> {
        let pid = self.process.0.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        std::iter::once(pid).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
    }
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// CPU seconds this program has used so far.
pub fn own_cpu_s() -> Option<f64> {
    cpu_s(std::process::id())
}

/// The port in the log line that says where the service listens.
fn port_in(log: &Path) -> Result<Option<u16>> {
    let mut text = String::new();
    File::open(log)?.read_to_string(&mut text)?;
    let ports = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?.get("port")?.as_u64());
    Ok(ports.filter_map(|port| u16::try_from(port).ok()).next())
}

fn cpu_s(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets and may hold spaces.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_A_SECOND)
}

fn memory_kb(pid: u32) -> Result<u64> {
    let shares = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = shares.lines().find(|line| line.starts_with("Pss:")).ok_or("no Pss")?;
    Ok(line.split_whitespace().nth(1).ok_or("no Pss")?.parse()?)
}

/// A process that is asked to end when dropped, and made to when it does not.
struct Process(Child);

impl Process {
    fn start(command: &mut Command, what: &str) -> Result<Process> {
        let child = command.spawn().map_err(|error| format!("{what} cannot be started: {error}"))?;
        Ok(Process(child))
    }

    /// As a crash would.
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.0.try_wait() {
            return;
        }
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed() < END_MAX {
            if let Ok(Some(_)) = self.0.try_wait() {
                return;
            }
            sleep(Duration::from_millis(5));
        }
        self.kill();
    }
}
