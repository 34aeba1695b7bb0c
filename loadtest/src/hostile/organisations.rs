//! A thousand organisations in which nothing happens, and three instances that look after them.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::findings::Findings;
use super::gauge::Gauge;
use super::ground::{Ground, Org, free_booking};
use crate::Result;
use crate::chain::mint;
use crate::wire::request;

const ORGANISATIONS: usize = 1_000;
const INSTANCES: usize = 3;

/// Until the instances have started, and how long they are looked at.
const START: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_secs(30);

/// What all of them may cost Redis.
const CALLS_MAX: f64 = 50.0;
const CPU_PERCENT_MAX: f64 = 5.0;

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    {
        let setup = ground.unlimited()?;
        let org = Org::found(setup.port, "a", &free_booking()).await?;
        let operator = mint("operator", None, "operator")?;
        let body = json!({"name": "Idle", "preset": "standard"}).to_string();
        let put = |n| request("PUT", &format!("/v1/orgs/idle-{n}"), &operator, None, &body);
        org.many((1..ORGANISATIONS).map(put).collect()).await?;
    }
    let instances: Result<Vec<_>> = (0..INSTANCES).map(|_| ground.limited()).collect();
    let instances = instances?;
    sleep(START).await;
    let mut gauge = Gauge::of(&ground.redis)?;
    let cpu = || ground.redis.cpu_s().ok_or("the system does not tell CPU times");
    let own = || instances.iter().filter_map(crate::stack::Service::cpu_s).sum::<f64>();
    let (calls, used, theirs) = (gauge.calls()?, cpu()?, own());
    sleep(LOOK).await;
    let seconds = LOOK.as_secs_f64();
    findings.told("organisations", ORGANISATIONS as f64);
    findings.told("instances", INSTANCES as f64);
    findings.at_most("Redis calls a second", (gauge.calls()? - calls) / seconds, CALLS_MAX);
    findings.at_most("Redis, of one processor, %", (cpu()? - used) * 100.0 / seconds, CPU_PERCENT_MAX);
    findings.told("all instances, of one processor, %", (own() - theirs) * 100.0 / seconds);
    Ok(())
}
