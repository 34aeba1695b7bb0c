//! What an attack costs Redis: its own slow log, its counters and its memory.

use std::collections::BTreeMap;

use redis::{Cmd, Connection};

use super::findings::Findings;
use crate::Result;
use crate::stack::Redis;

/// Functions that take at least so long are written down, and so long one may take at most.
const WRITTEN_US: u64 = 500;
const FUNCTION_MS_MAX: f64 = 5.0;

/// Lines that the slow log holds.
const LINES: u32 = 100_000;

/// A line of the slow log: number, instant, microseconds, words, address and name of the caller.
type Line = (u64, u64, u64, Vec<Vec<u8>>, Vec<u8>, Vec<u8>);

pub struct Gauge {
    redis: Connection,
}

impl Gauge {
    pub fn of(redis: &Redis) -> Result<Gauge> {
        Ok(Gauge { redis: redis.connect()? })
    }

    /// Forgets the functions that ran so far.
    pub fn forget(&mut self) -> Result<()> {
        let settings = [("slowlog-log-slower-than", WRITTEN_US.to_string()), ("slowlog-max-len", LINES.to_string())];
        for (name, value) in settings {
            Cmd::new().arg("CONFIG").arg("SET").arg(name).arg(value).exec(&mut self.redis)?;
        }
        Ok(Cmd::new().arg("SLOWLOG").arg("RESET").exec(&mut self.redis)?)
    }

    /// How long the longest call of each function took since, where that can be told, and of all of them.
    pub fn judge(&mut self, attack: &str, findings: &mut Findings) -> Result<()> {
        let (mut longest, mut over) = (BTreeMap::<String, f64>::new(), 0_u32);
        for (function, ms) in self.functions()? {
            over += u32::from(ms > FUNCTION_MS_MAX);
            let most = longest.entry(function).or_default();
            *most = most.max(ms);
        }
        for (function, ms) in longest.iter().filter(|(_, ms)| **ms >= 1.0) {
            findings.told(format!("{attack}: longest {function}, ms"), *ms);
        }
        findings.told(format!("{attack}: functions longer than {FUNCTION_MS_MAX} ms"), f64::from(over));
        let most = longest.values().copied().fold(0.0, f64::max);
        findings.at_most(format!("{attack}: longest function in Redis, ms"), most, FUNCTION_MS_MAX);
        Ok(())
    }

    /// The longest of them: in a calm, what the machine's other work alone does to one.
    pub fn longest(&mut self) -> Result<f64> {
        Ok(self.functions()?.iter().map(|(_, ms)| *ms).fold(0.0, f64::max))
    }

    /// The functions written down, and how long each call took in milliseconds.
    fn functions(&mut self) -> Result<Vec<(String, f64)>> {
        let lines: Vec<Line> = Cmd::new().arg("SLOWLOG").arg("GET").arg(LINES).query(&mut self.redis)?;
        let functions = lines.iter().filter_map(|(_, _, us, words, _, _)| match &words[..] {
            [command, function, ..] if command.to_ascii_uppercase().starts_with(b"FCALL") => {
                Some((name_of(function), *us as f64 / 1000.0))
            }
            _ => None,
        });
        Ok(functions.collect())
    }

    /// Bytes that are used.
    pub fn memory(&mut self) -> Result<f64> {
        let info: String = Cmd::new().arg("INFO").arg("memory").query(&mut self.redis)?;
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).ok_or("no used_memory")?;
        Ok(line.trim().parse()?)
    }

    /// Commands that were carried out so far, those that functions make included.
    pub fn calls(&mut self) -> Result<f64> {
        let info: String = Cmd::new().arg("INFO").arg("commandstats").query(&mut self.redis)?;
        let calls = info.lines().filter_map(|line| line.split_once("calls=")?.1.split(',').next()?.parse::<f64>().ok());
        Ok(calls.sum())
    }

    /// Events in the streams of an organisation.
    pub fn events(&mut self, org: &str) -> Result<f64> {
        let mut count: u64 = 0;
        let mut cursor = 0_u64;
        loop {
            let mut scan = Cmd::new();
            scan.arg("SCAN").arg(cursor).arg("MATCH").arg(format!("rc:{{{org}}}:events*")).arg("COUNT").arg(10_000);
            scan.arg("TYPE").arg("stream");
            let (next, keys): (u64, Vec<String>) = scan.query(&mut self.redis)?;
            for key in keys {
                count += Cmd::new().arg("XLEN").arg(key).query::<u64>(&mut self.redis)?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(count as f64);
            }
        }
    }
}

/// Without the hash of the library that it ends with.
fn name_of(function: &[u8]) -> String {
    let function = String::from_utf8_lossy(function);
    function.rsplit_once('_').map_or(function.as_ref(), |(name, _)| name).to_owned()
}
