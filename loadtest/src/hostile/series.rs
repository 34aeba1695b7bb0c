//! Hundreds of series, each with hundreds of changed days: what writing and listing them costs everybody.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate, Utc};
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use super::findings::Findings;
use super::flood::{once, paced};
use super::ground::{CLUB, Ground, Org, free_booking};
use crate::Result;
use crate::report::quantile;
use crate::stack::Service;
use crate::wire::{Wire, request};

/// As many as are tried, and how many days each of them changes.
const SERIES: usize = 400;
const CHANGES: u64 = 400;

/// Storing them ends after so long; those that are there then must do.
const FILL_MAX: Duration = Duration::from_secs(90);

/// Written by one desk, and how many a second.
const WRITTEN: usize = 60;
const WRITTEN_PER_S: u32 = 20;

/// Listings at once.
const LISTINGS: usize = 4;

/// An answer is waited for so long.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// One to `/healthz` so long.
const HEALTH_MAX: Duration = Duration::from_secs(5);
/// How often it is asked a second.
const HEALTH_PER_S: u32 = 20;

/// What a listing of one may take, what `/healthz` may take beside it, and what memory may grow.
const LISTING_MS_MAX: f64 = 500.0;
const HEALTH_MS_MAX: f64 = 100.0;
const MEMORY_MB_MAX: f64 = 100.0;

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let org = {
        let setup = ground.unlimited()?;
        let org = Org::found(setup.port, "a", &free_booking()).await?;
        let stored = fill(&org, setup.port).await?;
        findings.told(format!("series stored of {SERIES}"), f64::from(stored));
        if stored == 0 {
            return Err("no series could be stored".into());
        }
        org
    };
    let service = ground.limited()?;
    sleep(Duration::from_secs(1)).await;
    let before = service.resident_mb()?.0;
    service.forget_peak()?;
    list(&service, &org, findings).await?;
    write(&service, &org, findings).await?;
    findings.at_most("memory above before at most, MB", service.resident_mb()?.1 - before, MEMORY_MB_MAX);
    Ok(())
}

/// Stores as many as are taken in time; what is refused beyond a bound is no fault.
async fn fill(org: &Org, port: u16) -> Result<u32> {
    let mut wires = [Wire::open(port).await?, Wire::open(port).await?];
    let (mut stored, begun) = (0, Instant::now());
    for n in (0..SERIES).step_by(2) {
        if begun.elapsed() > FILL_MAX {
            break;
        }
        let [one, other] = &mut wires;
        let calls = (post(org, &format!("s-{n}")), post(org, &format!("s-{}", n + 1)));
        let (one, other) = tokio::join!(one.call(&calls.0), other.call(&calls.1));
        for answer in [one?, other?] {
            match answer.status {
                201 => stored += 1,
                400..500 => {}
                status => return Err(format!("{status}: {}", String::from_utf8_lossy(answer.body)).into()),
            }
        }
    }
    Ok(stored)
}

/// A series that never comes to pass within the days ahead, so that only its own size costs anything.
fn post(org: &Org, id: &str) -> Vec<u8> {
    let first = Utc::now().date_naive() + Days::new(500);
    let changes: Map<String, Value> = (0..CHANGES).map(|n| (date(first, n), changed(n))).collect();
    let body = json!({
        "id": id, "club": CLUB, "title": "Stretch", "starts_on": date(first, 0), "time": "12:15",
        "rrule": "FREQ=DAILY", "minutes": 30, "capacity": 12, "changes": changes,
    });
    org.call("POST", "/v1/series", &body)
}

fn date(first: NaiveDate, n: u64) -> String {
    (first + Days::new(n)).to_string()
}

fn changed(n: u64) -> Value {
    let title =
        format!("Stretch of day {n}, as long as a title may well be when somebody means harm by it, at the hall");
    json!({"title": title, "room": format!("Hall {n}"), "capacity": 13})
}

/// `GET /healthz`, for so long.
async fn health(port: u16, span: Duration) -> Result<f64> {
    let calls = span.as_secs_f64() * f64::from(HEALTH_PER_S);
    let calls = (0..calls as u32).map(|_| request("GET", "/healthz", "", None, "")).collect();
    Ok(paced(port, HEALTH_PER_S, calls, HEALTH_MAX).await?.p99())
}

async fn list(service: &Service, org: &Org, findings: &mut Findings) -> Result<()> {
    let port = service.port;
    findings.told("healthz, calm: p99, ms", health(port, Duration::from_secs(3)).await?);
    let call = request("GET", "/v1/series?limit=1", &org.token("desk-2", "staff")?, None, "");
    let mut waits = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        if timeout(ANSWER_MAX, once(port, &call)).await.ok().flatten() != Some(200) {
            findings.broken("GET /v1/series?limit=1 was not answered 200".to_owned());
        }
        waits.push(begun.elapsed().as_secs_f64() * 1000.0);
        if begun.elapsed() > HEALTH_MAX {
            break;
        }
    }
    findings.at_most("GET /v1/series?limit=1, longest of three, ms", quantile(&waits, 1.0), LISTING_MS_MAX);
    let lists = paced(port, 1_000, vec![call; LISTINGS], ANSWER_MAX);
    let (lists, health) = tokio::join!(lists, health(port, Duration::from_secs(3)));
    findings.told(format!("{LISTINGS} of them at once: p99, ms"), lists?.p99());
    findings.at_most(format!("{LISTINGS} of them at once: p99 of /healthz, ms"), health?, HEALTH_MS_MAX);
    Ok(())
}

/// By one desk, as fast as its limit lets it.
async fn write(service: &Service, org: &Org, findings: &mut Findings) -> Result<()> {
    let calls = (0..WRITTEN).map(|n| post(org, &format!("s-{n}"))).collect();
    let writes = paced(service.port, WRITTEN_PER_S, calls, ANSWER_MAX);
    let (writes, health) = tokio::join!(writes, health(service.port, Duration::from_secs(3)));
    findings.told(format!("{WRITTEN} writes: p99, ms"), writes?.p99());
    findings.at_most(format!("{WRITTEN} writes: p99 of /healthz, ms"), health?, HEALTH_MS_MAX);
    Ok(())
}
