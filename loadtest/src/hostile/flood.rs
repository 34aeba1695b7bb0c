//! Attackers' calls: without a pause, or at a steady pace whatever the answers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout, timeout_at};

use crate::Result;
use crate::report::quantile;
use crate::wire::Wire;

/// How often each status was answered; 0 stands for no answer.
#[derive(Default)]
pub struct Tally(BTreeMap<u16, u64>);

impl Tally {
    fn count(&mut self, status: u16) {
        *self.0.entry(status).or_default() += 1;
    }

    /// How often this was answered.
    pub fn of(&self, status: u16) -> f64 {
        self.0.get(&status).copied().unwrap_or(0) as f64
    }
}

/// So many connections, each making this call again as soon as it was answered, for so long.
pub async fn flood(port: u16, connections: u32, call: &[u8], span: Duration) -> Result<Tally> {
    let until = Instant::now() + span;
    let mut attackers = JoinSet::new();
    for _ in 0..connections {
        attackers.spawn(again_and_again(port, call.to_vec(), until));
    }
    let mut tally = Tally::default();
    while let Some(one) = attackers.join_next().await {
        for (status, times) in one?.0 {
            *tally.0.entry(status).or_default() += times;
        }
    }
    Ok(tally)
}

async fn again_and_again(port: u16, call: Vec<u8>, until: Instant) -> Tally {
    let (mut tally, mut wire) = (Tally::default(), None);
    while Instant::now() < until {
        if wire.is_none() {
            let Ok(opened) = timeout_at(until.into(), Wire::open(port)).await else { break };
            wire = opened.ok();
        }
        let Some(open) = &mut wire else {
            tally.count(0);
            tokio::task::yield_now().await;
            continue;
        };
        match timeout_at(until.into(), open.call(&call)).await {
            Ok(Ok(answer)) => tally.count(answer.status),
            Ok(Err(_)) => {
                tally.count(0);
                wire = None;
            }
            Err(_) => break,
        }
    }
    tally
}

/// What calls at a steady pace came to.
pub struct Paced {
    pub tally: Tally,
    /// From the moment each was due until its answer; for as long as was waited where there was none.
    pub waits: Vec<f64>,
}

impl Paced {
    pub fn p99(&self) -> f64 {
        quantile(&self.waits, 0.99)
    }
}

/// Makes these calls, so many a second, each on a connection of its own; an answer is waited for so long.
pub async fn paced(port: u16, per_s: u32, calls: Vec<Vec<u8>>, answer_max: Duration) -> Result<Paced> {
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for (n, call) in calls.into_iter().enumerate() {
        let due = begun + Duration::from_secs_f64(n as f64 / f64::from(per_s));
        callers.spawn(async move {
            sleep_until(due.into()).await;
            let status = timeout(answer_max, once(port, &call)).await.ok().flatten();
            (status.unwrap_or(0), due.elapsed().as_secs_f64() * 1000.0)
        });
    }
    let mut paced = Paced { tally: Tally::default(), waits: Vec::new() };
    while let Some(one) = callers.join_next().await {
        let (status, ms) = one?;
        paced.tally.count(status);
        paced.waits.push(ms);
    }
    Ok(paced)
}

/// One call on a new connection; none where it was not answered.
pub async fn once(port: u16, call: &[u8]) -> Option<u16> {
    let mut wire = Wire::open(port).await.ok()?;
    wire.call(call).await.ok().map(|answer| answer.status)
}
