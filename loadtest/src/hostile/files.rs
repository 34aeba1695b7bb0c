//! More idle connections than the files that a process may open at first: whether a newcomer is served.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::findings::Findings;
use super::flood::once;
use super::ground::Ground;
use crate::Result;
use crate::wire::{Wire, request};

/// What the process may open at first, and what it may raise that to.
const SOFT: u32 = 256;
const HARD: u32 = 20_000;

/// Connections that each ask once and stay.
const IDLE: usize = 400;

/// Those who find no room wait so long.
const OPEN_MAX: Duration = Duration::from_secs(3);

/// A newcomer waits so long, and may wait so long at most.
const NEWCOMER_WAITS: Duration = Duration::from_secs(10);
const NEWCOMER_S_MAX: f64 = 2.0;

/// Where the limit cannot be raised, idle connections make room: that is tried as well.
const CASES: [(&str, u32); 2] = [("soft 256, hard 20000", HARD), ("soft and hard 256", SOFT)];

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    for (name, hard) in CASES {
        let ground = Ground::prepare(program)?;
        let service = ground.with_files(SOFT, hard)?;
        let mut opening = JoinSet::new();
        for _ in 0..IDLE {
            let port = service.port;
            opening.spawn(async move { timeout(OPEN_MAX, idle(port)).await.ok().flatten() });
        }
        let idle: Vec<Wire> = opening.join_all().await.into_iter().flatten().collect();
        findings.told(format!("{name}: idle connections that were answered, of {IDLE}"), idle.len() as f64);
        let begun = Instant::now();
        let ask = request("GET", "/healthz", "", None, "");
        let served = timeout(NEWCOMER_WAITS, once(service.port, &ask)).await.ok().flatten();
        findings.at_most(format!("{name}: a newcomer waits, s"), begun.elapsed().as_secs_f64(), NEWCOMER_S_MAX);
        if served != Some(200) {
            findings.broken(format!("{name}: a newcomer is not served"));
        }
    }
    Ok(())
}

/// A connection that has had its answer.
async fn idle(port: u16) -> Option<Wire> {
    let mut wire = Wire::open(port).await.ok()?;
    wire.call(&request("GET", "/healthz", "", None, "")).await.ok()?;
    Some(wire)
}
