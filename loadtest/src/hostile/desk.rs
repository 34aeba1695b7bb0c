//! One desk of `a` makes calls within its limit that concern thousands of places, classes or bookings.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{Duration as Days, Utc};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::bystander::{Bystanders, Span};
use super::findings::Findings;
use super::flood::paced;
use super::gauge::Gauge;
use super::ground::{Ground, Org, ahead, class, instant};
use super::listers::rest;
use crate::Result;
use crate::stack::Service;
use crate::wire::{Wire, request};

/// Classes of one spot, and the members who wait in each of them and are blocked.
const QUEUES: usize = 60;
const WAITING: usize = 200;

/// Profiles written a second, and how many.
const PROFILES_PER_S: u32 = 20;
const PROFILES: usize = 160;

/// Classes that have not opened, and how often the policy is changed, once a second.
const UNOPENED: usize = 3_000;
const POLICIES: usize = 5;

/// Bookings of each of the three full classes.
const BOOKED: usize = 2_700;

/// Before each attack.
const CALM: Duration = Duration::from_secs(6);
/// Until what an attack left behind has been worked off.
const REST: Duration = Duration::from_secs(3);
/// From one call about a full class to the next.
const APART: Duration = Duration::from_secs(2);
/// An answer is waited for so long.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// A full class is moved to so many seconds from now, and its check-in closes so many later.
const STARTS_IN_S: i64 = 5;
const CLOSES_AFTER_S: i64 = 2;

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let (bystanders, org) = {
        let setup = ground.unlimited()?;
        let org = Org::found(setup.port, "a", &rules()).await?;
        queues(&org).await?;
        unopened(&org).await?;
        full(&org).await?;
        (Bystanders::move_in(setup.port).await?, org)
    };
    let service = ground.limited()?;
    let desk = org.at(service.port);
    let mut gauge = Gauge::of(&ground.redis)?;
    let watch = bystanders.watch(service.port);
    sleep(REST).await;
    let mut spans = Vec::new();
    for attack in [Attack::Profiles, Attack::Policies, Attack::Full] {
        gauge.forget()?;
        let calm = rest(CALM).await;
        findings.told(format!("calm before {}: longest function in Redis, ms", attack.name()), gauge.longest()?);
        gauge.forget()?;
        let begun = Instant::now();
        attack.make(&service, &desk, findings).await?;
        spans.push((attack, calm, (begun, Instant::now())));
        gauge.judge(attack.name(), findings)?;
        sleep(REST).await;
    }
    absent(&desk, &mut gauge, findings).await?;
    let seen = watch.stop()?;
    let calm: Vec<Span> = spans.iter().map(|(_, calm, _)| *calm).collect();
    let calm_p99 = seen.calm_p99(&calm);
    findings.told("calm: b's p99, ms", calm_p99);
    for (attack, _, span) in spans {
        seen.judge(calm_p99, attack.name(), &[span], findings);
    }
    Ok(())
}

fn rules() -> Value {
    json!({
        "booking": {"daily_limit": null, "open_limit": null, "allow_overlap": true},
        "waitlist": {"max": WAITING},
        "attendance": {
            "check_in_closes": format!("PT{CLOSES_AFTER_S}S"), "decide_before": "PT0S", "below_minimum": "warn",
            "untouched_roster": "penalise", "no_show_fee": 500, "strikes": null,
        },
    })
}

/// Each class's one spot is free, and nobody who waits for it may take it.
async fn queues(org: &Org) -> Result<()> {
    let (classes, members): (Vec<String>, Vec<String>) =
        ((0..QUEUES).map(|n| format!("q-{n}")).collect(), (0..WAITING).map(|n| format!("w-{n}")).collect());
    let publish = classes.iter().enumerate().map(|(n, id)| org.call("POST", "/v1/classes", &class(id, ahead(n), 1)));
    org.many(publish.collect()).await?;
    let everybody = members.iter().map(String::as_str).chain(["holder"]);
    org.many(everybody.map(|id| org.put_member(id, "active", "Ann Example")).collect()).await?;
    let held: Result<Vec<_>> = classes.iter().map(|class| org.book(class, "holder")).collect();
    let held = org.many(held?).await?;
    let waits: Result<Vec<_>> =
        members.iter().flat_map(|member| classes.iter().map(|class| org.book(class, member))).collect();
    org.many(waits?).await?;
    org.many(members.iter().map(|id| org.put_member(id, "blocked", "Ann Example")).collect()).await?;
    let cancels = held.iter().filter_map(|booking| booking["id"].as_str());
    let cancels = cancels.map(|id| org.call("POST", &format!("/v1/bookings/{id}/cancel"), &json!({}))).collect();
    org.many(cancels).await?;
    Ok(())
}

async fn unopened(org: &Org) -> Result<()> {
    let publish = |n| class(&format!("u-{n}"), ahead(n) + Days::days(30), 20);
    org.many((0..UNOPENED).map(|n| org.call("POST", "/v1/classes", &publish(n))).collect()).await?;
    Ok(())
}

async fn full(org: &Org) -> Result<()> {
    let members: Vec<String> = (0..BOOKED).map(|n| format!("f-{n}")).collect();
    org.many(members.iter().map(|id| org.put_member(id, "active", "Ann Example")).collect()).await?;
    for id in ["moved", "cancelled", "closed"] {
        let capacity = u32::try_from(BOOKED)?;
        org.ask("POST", "/v1/classes", &class(id, ahead(0), capacity)).await?;
        let calls: Result<Vec<_>> = members.iter().map(|member| org.book(id, member)).collect();
        org.many(calls?).await?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Attack {
    Profiles,
    Policies,
    Full,
}

impl Attack {
    fn name(self) -> &'static str {
        match self {
            Attack::Profiles => "profiles",
            Attack::Policies => "policies",
            Attack::Full => "full classes",
        }
    }

    async fn make(self, service: &Service, desk: &Org, findings: &mut Findings) -> Result<()> {
        match self {
            Attack::Profiles => {
                let name = |n| format!("Ann Example the {n}.");
                let calls = (0..PROFILES).map(|n| desk.put_member("w-7", "blocked", &name(n))).collect();
                let paced = paced(service.port, PROFILES_PER_S, calls, ANSWER_MAX).await?;
                findings.told("profiles: answered 200", paced.tally.of(200));
                findings.told("profiles: answered 429", paced.tally.of(429));
                findings.told("profiles: p99 of the desk itself, ms", paced.p99());
            }
            Attack::Policies => {
                let mut calls = Vec::new();
                for n in 0..POLICIES {
                    let policy = desk.policy_with(&json!({"attendance": {"no_show_fee": 600 + n}})).await?;
                    calls.push(desk.call("PUT", "/v1/org/policy", &policy));
                }
                let paced = paced(service.port, 1, calls, ANSWER_MAX).await?;
                findings.told("policies: answered 200", paced.tally.of(200));
                findings.told("policies: p99 of the desk itself, ms", paced.p99());
            }
            Attack::Full => full_classes(service, desk, findings).await?,
        }
        Ok(())
    }
}

/// One is moved, one is cancelled, and one is moved to a moment from now so that its check-in closes.
async fn full_classes(service: &Service, desk: &Org, findings: &mut Findings) -> Result<()> {
    let mut wire = Wire::open(service.port).await?;
    let to = |starts_at| json!({"starts_at": instant(starts_at)}).to_string();
    for what in ["moved", "cancelled", "closed"] {
        // A desk that has just moved 2 700 people waits for its next call; another one does not.
        let staff = desk.token(&format!("desk-{what}"), "staff")?;
        let patch = |body: &str| request("PATCH", &format!("/v1/classes/{what}"), &staff, None, body);
        let call = match what {
            "moved" => patch(&to(ahead(0) + Days::hours(1))),
            "cancelled" => request("POST", "/v1/classes/cancelled/cancel", &staff, None, r#"{"reason": "ill"}"#),
            _ => patch(&to(Utc::now() + Days::seconds(STARTS_IN_S))),
        };
        let begun = Instant::now();
        let answer = wire.call(&call).await?;
        if answer.status != 200 {
            return Err(format!("{what}: {}: {}", answer.status, String::from_utf8_lossy(answer.body)).into());
        }
        findings.told(format!("full classes: {what}, ms"), begun.elapsed().as_secs_f64() * 1000.0);
        sleep(APART).await;
    }
    sleep(Duration::from_secs((STARTS_IN_S + CLOSES_AFTER_S).unsigned_abs())).await;
    Ok(())
}

/// Whether all who did not come were recorded; the roster is read whole, which takes Redis a while by itself.
async fn absent(desk: &Org, gauge: &mut Gauge, findings: &mut Findings) -> Result<()> {
    gauge.forget()?;
    let roster = desk.ask("GET", "/v1/classes/closed/roster", &Value::Null).await?;
    let absent = roster["bookings"]
        .as_array()
        .map_or(0, |bookings| bookings.iter().filter(|booking| booking["status"] == "no_show").count());
    findings.at_most("full classes: not yet recorded as absent after check-in closed", (BOOKED - absent) as f64, 0.0);
    findings.told(format!("roster of {BOOKED}: longest function in Redis, ms"), gauge.longest()?);
    Ok(())
}
