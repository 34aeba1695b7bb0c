//! Thousands of classes of `a` open at one instant and start at another, where half of them are cancelled because nobody
//! has booked; check-in to the others closes at a third.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Duration as Span, Utc};
use serde_json::json;
use tokio::time::sleep;

use super::bystander::Bystanders;
use super::findings::Findings;
use super::gauge::Gauge;
use super::ground::{Ground, Org, class};
use super::listers::rest;
use crate::Result;

const CLASSES: usize = 3_000;

/// From now until all of them start; they open so long before, and check-in closes so long after.
const STARTS_IN_S: i64 = 75;
const OPENS_BEFORE_S: i64 = 25;
const CLOSES_AFTER_S: i64 = 15;

/// The calm before, and how long after each instant is looked at.
const CALM: Duration = Duration::from_secs(6);
const LOOK: Duration = Duration::from_secs(6);

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let starts = Utc::now() + Span::seconds(STARTS_IN_S);
    let bystanders = {
        let setup = ground.unlimited()?;
        let rules = json!({
            "booking": {"opens": {"before": format!("PT{OPENS_BEFORE_S}S")}},
            "attendance": {"check_in_closes": format!("PT{CLOSES_AFTER_S}S"), "decide_before": "PT0S"},
        });
        let org = Org::found(setup.port, "a", &rules).await?;
        let publish = |n: usize| {
            let mut class = class(&format!("a-{n}"), starts, 20);
            let below = if n.is_multiple_of(2) { "cancel" } else { "warn" };
            class["policy"] = json!({"attendance": {"below_minimum": below}});
            org.call("POST", "/v1/classes", &class)
        };
        org.many((0..CLASSES).map(publish).collect()).await?;
        Bystanders::move_in(setup.port).await?
    };
    let service = ground.limited()?;
    let mut gauge = Gauge::of(&ground.redis)?;
    let watch = bystanders.watch(service.port);
    sleep(Duration::from_secs(2)).await;
    gauge.forget()?;
    let calm = rest(CALM).await;
    findings.told("calm: longest function in Redis, ms", gauge.longest()?);
    let opens = starts - Span::seconds(OPENS_BEFORE_S);
    if Utc::now() > opens {
        return Err("the machine was too slow to be ready before the classes opened".into());
    }
    let mut spans = Vec::new();
    for (what, at) in [("opening", opens), ("starting", starts), ("closing", starts + Span::seconds(CLOSES_AFTER_S))] {
        until(at).await;
        gauge.forget()?;
        let begun = Instant::now();
        sleep(LOOK).await;
        spans.push((what, (begun, Instant::now())));
        gauge.judge(what, findings)?;
    }
    let seen = watch.stop()?;
    let calm_p99 = seen.calm_p99(&[calm]);
    findings.told("calm: b's p99, ms", calm_p99);
    for (what, span) in spans {
        seen.judge(calm_p99, what, &[span], findings);
    }
    Ok(())
}

/// Half a second before an instant; at once where it has passed.
async fn until(at: DateTime<Utc>) {
    let left = at - Utc::now() - Span::milliseconds(500);
    sleep(left.to_std().unwrap_or_default()).await;
}
