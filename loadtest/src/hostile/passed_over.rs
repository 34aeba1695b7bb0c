//! The holder of a class's one spot cancels and books again before a queue in which nobody may move up.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::findings::Findings;
use super::gauge::Gauge;
use super::ground::{Ground, Org, ahead, class};
use super::rounds::{Ended, rounds};
use crate::Result;

/// How many wait; the most a waitlist may hold.
const WAITING: usize = 500;

/// Rounds of cancelling and booking again. The first is not counted: the reasons are new then.
const ROUNDS: u32 = 16;

/// A booking, a cancel, and one event about all who were passed over, with room for two that nobody has thought of.
const EVENTS_MAX: f64 = 5.0;

/// What one such round may leave in Redis.
const BYTES_MAX: f64 = 16.0 * 1024.0;

/// Between two rounds, so that both calls stay within the limit of one caller.
const EVERY: Duration = Duration::from_millis(100);

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let holder = {
        let setup = ground.unlimited()?;
        let rules = json!({
            "booking": {"daily_limit": null, "allow_overlap": true}, "waitlist": {"max": WAITING},
        });
        let org = Org::found(setup.port, "a", &rules).await?;
        org.ask("POST", "/v1/classes", &class("one", ahead(0), 1)).await?;
        let members: Vec<String> = (0..WAITING).map(|n| format!("w-{n}")).collect();
        let everybody = members.iter().map(String::as_str).chain(["holder"]);
        org.many(everybody.map(|id| org.put_member(id, "active", "Ann Example")).collect()).await?;
        org.many(vec![org.book("one", "holder")?]).await?;
        let waits: Result<Vec<_>> = members.iter().map(|member| org.book("one", member)).collect();
        org.many(waits?).await?;
        org.many(members.iter().map(|id| org.put_member(id, "blocked", "Ann Example")).collect()).await?;
        let waiting = org.ask("GET", "/v1/classes/one", &Value::Null).await?["waiting"].take();
        if waiting != json!(WAITING) {
            return Err(format!("{waiting} wait").into());
        }
        org.token("holder", "member")?
    };
    let service = ground.limited()?;
    let mut gauge = Gauge::of(&ground.redis)?;
    let first = rounds(service.port, "one", &holder, 1, EVERY).await?;
    gauge.forget()?;
    let (events, bytes) = (gauge.events("a")?, gauge.memory()?);
    let Ended { made, by, ms } = rounds(service.port, "one", &holder, ROUNDS, EVERY).await?;
    let (more, kept) = (gauge.events("a")? - events, gauge.memory()? - bytes);
    findings.told("rounds made", f64::from(first.made + made));
    if let Some(status) = by {
        findings.told("ended by status", f64::from(status));
    }
    if made == 0 {
        return Err("no round could be made".into());
    }
    let count = f64::from(made);
    findings.at_most("events a round", more / count, EVENTS_MAX);
    findings.at_most("bytes of Redis a round", kept / count, BYTES_MAX);
    findings.told("p50 of a round's two calls, ms", ms);
    gauge.judge("rounds", findings)
}
