//! One member of `a` lists thousands of classes without pause, on more and more connections.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::bystander::{Bystanders, Span};
use super::findings::Findings;
use super::flood::flood;
use super::gauge::Gauge;
use super::ground::{Ground, Org, ahead, class, free_booking};
use crate::Result;
use crate::wire::request;

const CLASSES: usize = 3_000;

/// Connections at once.
const LEVELS: [u32; 5] = [1, 4, 16, 64, 400];

/// A listing that finds nothing and one that finds all it may.
const LISTINGS: [(&str, &str); 2] =
    [("no match", "/v1/classes?instructor=nope&limit=1"), ("limit=200", "/v1/classes?limit=200")];

/// Before each attack, while it lasts, and until what it left behind has been worked off, which takes longer where there
/// were many.
const CALM: Duration = Duration::from_secs(4);
const ATTACK: Duration = Duration::from_secs(6);
const REST: Duration = Duration::from_secs(3);
const LONG_REST: Duration = Duration::from_secs(12);
const MANY: u32 = 64;

/// What the machine bears of calls that cost next to nothing, as a measure for the others.
const CHEAP: &str = "/healthz";

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let (bystanders, member) = {
        let setup = ground.unlimited()?;
        let org = Org::found(setup.port, "a", &free_booking()).await?;
        let classes = (0..CLASSES).map(|n| org.call("POST", "/v1/classes", &class(&format!("a-{n}"), ahead(n), 20)));
        org.many(classes.collect()).await?;
        org.many(vec![org.put_member("ann", "active", "Ann Example")]).await?;
        (Bystanders::move_in(setup.port).await?, org.token("ann", "member")?)
    };
    let service = ground.limited()?;
    let mut gauge = Gauge::of(&ground.redis)?;
    gauge.forget()?;
    let watch = bystanders.watch(service.port);
    sleep(REST).await;
    let calm_before = rest(CALM).await;
    findings.told("calm: longest function in Redis, ms", gauge.longest()?);
    gauge.forget()?;
    let (mut calm, mut attacks) = (vec![calm_before], Vec::new());
    let listings = LISTINGS.into_iter().flat_map(|listing| LEVELS.map(|level| (listing, level)));
    for ((name, path), level) in listings.chain([(("healthz", CHEAP), 400)]) {
        calm.push(rest(CALM).await);
        let call = request("GET", path, &member, None, "");
        let begun = Instant::now();
        let tally = flood(service.port, level, &call, ATTACK).await?;
        attacks.push((format!("{name} x {level}"), (begun, Instant::now()), tally));
        sleep(if level < MANY { REST } else { LONG_REST }).await;
    }
    let seen = watch.stop()?;
    let calm_p99 = seen.calm_p99(&calm);
    findings.told("calm: b's p99, ms", calm_p99);
    for (attack, span, tally) in attacks {
        findings.told(format!("{attack}: answered 200"), tally.of(200));
        findings.told(format!("{attack}: answered 429"), tally.of(429));
        if attack.starts_with("healthz") {
            seen.tell(&attack, &[span], findings);
        } else {
            seen.judge(calm_p99, &attack, &[span], findings);
        }
    }
    gauge.judge("all", findings)
}

/// A span in which nothing is done to anybody.
pub async fn rest(span: Duration) -> Span {
    let begun = Instant::now();
    sleep(span).await;
    (begun, Instant::now())
}
