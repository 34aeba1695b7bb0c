//! Finding a Redis server program on this machine, and how to start it so that it dies with its parent.
//!
//! Only `embedded.rs` needs it. It knows the PATH and version numbers, nothing of data.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use thiserror::Error;

/// Programs that will do, and the oldest version of each that knows functions.
const PROGRAMS: [(&str, (u32, u32)); 2] = [("redis-server", (7, 0)), ("valkey-server", (7, 2))];

/// Why there is no server to start.
#[derive(Debug, Error)]
pub enum ProgramError {
    #[error("no redis-server or valkey-server found: {hint}, or name a running Redis in ROLLCALL_REDIS_URL", hint = hint())]
    Missing,
    #[error(
        "{0} is too old (Redis 7.0 or Valkey 7.2 is needed): install a newer one, or name a running Redis in ROLLCALL_REDIS_URL"
    )]
    TooOld(String),
}

/// A server program, and `setpriv` where it can tie the server's life to ours (Linux).
#[derive(Debug)]
pub(super) struct Program {
    program: PathBuf,
    setpriv: Option<PathBuf>,
}

impl Program {
    /// The first suitable program on the PATH.
    pub(super) fn find() -> Result<Program, ProgramError> {
        let mut too_old = None;
        for (name, oldest) in PROGRAMS {
            let Some(program) = on_path(name) else { continue };
            let said = version_line(&program);
            match version(&said) {
                Some(found) if found < oldest => too_old = Some(said),
                _ => return Ok(Program { program, setpriv: setpriv() }),
            }
        }
        Err(too_old.map_or(ProgramError::Missing, ProgramError::TooOld))
    }

    /// The command that starts it, still without arguments of its own.
    pub(super) fn command(&self) -> Command {
        match &self.setpriv {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "TERM"]).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        }
    }
}

fn hint() -> &'static str {
    if cfg!(target_os = "macos") {
        "install one with \"brew install redis\""
    } else {
        "install one with \"apt-get install redis-server\" (Debian, Ubuntu) or \"dnf install valkey\" (Fedora, RHEL)"
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path: OsString = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// What `--version` says: "Redis server v=7.0.15 sha=…" or "Valkey server v=8.0.1 …", shortened after the number.
fn version_line(program: &PathBuf) -> String {
    let said = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.split(" sha=").next().unwrap_or_default().trim().to_owned()
}

fn version(line: &str) -> Option<(u32, u32)> {
    let (_, number) = line.split_once("v=")?;
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Not every setpriv knows the option (busybox does not), so it is tried.
fn setpriv() -> Option<PathBuf> {
    let program = on_path("setpriv").filter(|_| cfg!(target_os = "linux"))?;
    let works = Command::new(&program)
        .args(["--pdeathsig", "TERM", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    works.then_some(program)
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn both_servers_tell_their_version() {
        assert_eq!(version("Redis server v=7.0.15"), Some((7, 0)));
        assert_eq!(version("Valkey server v=8.1.3"), Some((8, 1)));
        assert_eq!(version("something else"), None);
    }
}
