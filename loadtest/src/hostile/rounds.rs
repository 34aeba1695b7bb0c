//! One member books and cancels the same class without end.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep_until;

use super::findings::Findings;
use super::gauge::Gauge;
use super::ground::{Ground, Org, ahead, class, free_booking};
use crate::Result;
use crate::report::median;
use crate::wire::{Wire, request};

/// Rounds that are tried, and how many of them a member may at most make in a day.
const ROUNDS: u32 = 200;
const ROUNDS_MAX: f64 = 50.0;

/// Between two rounds, so that both calls stay within the limit of one caller.
const EVERY: Duration = Duration::from_millis(110);

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let member = {
        let setup = ground.unlimited()?;
        let org = Org::found(setup.port, "a", &free_booking()).await?;
        org.ask("POST", "/v1/classes", &class("one", ahead(0), 20)).await?;
        org.many(vec![org.put_member("ann", "active", "Ann Example")]).await?;
        org.token("ann", "member")?
    };
    let service = ground.limited()?;
    let mut gauge = Gauge::of(&ground.redis)?;
    let bytes = gauge.memory()?;
    let Ended { made, by, .. } = rounds(service.port, "one", &member, ROUNDS, EVERY).await?;
    findings.at_most(format!("rounds made of {ROUNDS}"), f64::from(made), ROUNDS_MAX);
    findings.told("bytes of Redis a round", (gauge.memory()? - bytes) / f64::from(made.max(1)));
    if let Some(status) = by {
        findings.told("ended by status", f64::from(status));
    }
    Ok(())
}

/// How far it came.
pub struct Ended {
    pub made: u32,
    /// What the first call was answered that was not carried out.
    pub by: Option<u16>,
    /// Median of both calls of a round, in milliseconds.
    pub ms: f64,
}

/// Cancels, where there is a booking, and books again, until it is refused.
pub async fn rounds(port: u16, class: &str, token: &str, count: u32, every: Duration) -> Result<Ended> {
    let mut wire = Wire::open(port).await?;
    let book = request("POST", &format!("/v1/classes/{class}/bookings"), token, None, "{}");
    let (begun, mut ms) = (Instant::now(), Vec::new());
    for round in 0..count {
        sleep_until((begun + every * round).into()).await;
        let started = Instant::now();
        let ended = |by| Ended { made: round, by: Some(by), ms: median(&ms) };
        let answer = wire.call(&book).await?;
        if !(200..300).contains(&answer.status) {
            return Ok(ended(answer.status));
        }
        let booking: Value = serde_json::from_slice(answer.body)?;
        let id = booking["id"].as_str().ok_or("a booking has no id")?;
        let cancel = request("POST", &format!("/v1/bookings/{id}/cancel"), token, None, "{}");
        let status = wire.call(&cancel).await?.status;
        if status != 200 {
            return Ok(ended(status));
        }
        ms.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(Ended { made: count, by: None, ms: median(&ms) })
}
