//! What Redis alone can do: the function that a booking is, called by `redis-benchmark`, with nothing in front.
//!
//! The arguments are those the service sends, the command and booking ids fresh on every call. Members are drawn at
//! random from those there are, which is all that `redis-benchmark` offers; the few drawn twice are refused or repeated,
//! which costs less than booking, so the ceiling is if anything too high.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use redis::{Cmd, Connection, Value};

use crate::Result;
use crate::chain::ORG;

/// What the figures are taken with: unpipelined calls on so many connections.
pub const CONNECTIONS: u32 = 50;

/// How ids of the members that are drawn begin; twelve digits follow.
pub const MEMBER_PREFIX: &str = "r-";

/// In its place `redis-benchmark` puts twelve random digits, others each time it stands there.
const RANDOM: &str = "__rand_int__";

/// As long as a real one.
const FINGERPRINT: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// How long a caller's key is remembered, in milliseconds; what the service sends with one.
const KEEP_MS: &str = "90000000";

/// The full name under which Redis has the function.
pub fn function(redis: &mut Connection) -> Result<String> {
    let libraries: Vec<HashMap<String, Value>> = Cmd::new().arg("FUNCTION").arg("LIST").query(redis)?;
    for mut library in libraries {
        let name: Option<String> = library.remove("library_name").map(redis::from_redis_value).transpose()?;
        if let Some(hash) = name.as_deref().and_then(|name| name.strip_prefix("rollcall_")) {
            return Ok(format!("book_{hash}"));
        }
    }
    Err("the service has loaded no library into Redis".into())
}

/// Calls the function so many times for one class; the seconds that took.
pub fn call(socket: &Path, function: &str, class: &str, calls: u32, members: u32) -> Result<f64> {
    let member = format!("{MEMBER_PREFIX}{RANDOM}");
    // Two runs may draw the same numbers; the class tells their commands and bookings apart.
    let command = format!("member:{member}:{class}-{RANDOM}");
    let booking = format!("{class}-{RANDOM}");
    let anchor = format!("rc:{{{ORG}}}:org");
    let mut benchmark = Command::new("redis-benchmark");
    benchmark.arg("-s").arg(socket).args(["-P", "1", "--csv", "-c", &CONNECTIONS.to_string()]);
    benchmark.args(["-n", &calls.to_string(), "-r", &members.to_string()]);
    benchmark.args(["FCALL", function, "1", &anchor]);
    benchmark.args(["", &member, "member", &command, FINGERPRINT, KEEP_MS]);
    benchmark.args([class, &member, &booking, "1", ""]);
    let said = benchmark.stdin(Stdio::null()).output().map_err(|error| format!("redis-benchmark: {error}"))?;
    let text = String::from_utf8_lossy(&said.stdout);
    let a_second = text.lines().last().and_then(calls_a_second);
    match a_second.filter(|_| said.status.success()) {
        Some(a_second) => Ok(f64::from(calls) / a_second),
        None => Err(format!("redis-benchmark failed: {text}{}", String::from_utf8_lossy(&said.stderr)).into()),
    }
}

/// Of a line `"<the command>","<calls a second>",…` with seven figures at its end.
fn calls_a_second(line: &str) -> Option<f64> {
    let figure = line.rsplit("\",\"").nth(6)?;
    figure.parse().ok().filter(|&a_second| a_second > 0.0)
}

#[cfg(test)]
mod tests {
    use super::calls_a_second;

    #[test]
    fn the_rate_is_found_behind_a_command_with_commas_of_its_own() {
        let line = r#""FCALL book "","" x","15243.90","3.171","0.632","3.119","4.455","5.007","5.631""#;
        assert_eq!(calls_a_second(line), Some(15243.90));
        assert_eq!(calls_a_second("Error from server: ERR Function not found"), None);
    }
}
