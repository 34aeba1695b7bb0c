//! A roster at a client that acknowledges late, as browsers on quiet connections do, and its answer compressed.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until, timeout};

use super::findings::Findings;
use super::ground::{Ground, Org, ahead, class, free_booking};
use crate::Result;
use crate::push::socket::{Frame, ROLLCALL, Socket};
use crate::report::{median, quantile};
use crate::wire::{Wire, request};

/// Members who book and cancel in turn, and how often each does both.
const MEMBERS: usize = 100;
const ROUNDS: usize = 6;

/// From one change to the next.
const EVERY: Duration = Duration::from_millis(6);

/// A frame is there so long after its change was answered; without delay it takes less than two.
const P99_MS_MAX: f64 = 15.0;

/// Frames that come later than this after the last change never come.
const LATE: Duration = Duration::from_secs(2);

/// How often the roster is asked for, each way.
const READS: usize = 50;

/// A booking and whether it is there.
type Change = (String, bool);

pub async fn run(program: &Path, findings: &mut Findings) -> Result<()> {
    let ground = Ground::prepare(program)?;
    let org = {
        let setup = ground.unlimited()?;
        let org = Org::found(setup.port, "a", &free_booking()).await?;
        org.ask("POST", "/v1/classes", &class("one", ahead(0), u32::try_from(MEMBERS)?)).await?;
        org.many((0..MEMBERS).map(|n| org.put_member(&member(n), "active", "Ann Example")).collect()).await?;
        org
    };
    let service = ground.limited()?;
    let mut socket = Socket::open(service.port, ROLLCALL).await?;
    let hello = json!({"op": "hello", "token": org.token("desk-2", "staff")?, "topics": {"roster:one": 0}});
    socket.send(&hello.to_string()).await?;
    socket.until(ROLLCALL.change).await?;
    let listener = tokio::spawn(listen(socket));
    let answered = changes(service.port, &org).await?;
    sleep(LATE).await;
    judge(listener, &answered, findings).await?;
    roster(service.port, &org, findings).await
}

fn member(n: usize) -> String {
    format!("m-{n}")
}

/// When each change came; ends when nothing has come for a while.
async fn listen(mut socket: Socket) -> HashMap<Change, Instant> {
    let mut came = HashMap::new();
    loop {
        // The kernel forgets this at each read.
        let _ = socket.acknowledge_late();
        let Ok(Ok(Frame::Text(text))) = timeout(LATE, socket.next()).await else { return came };
        let at = Instant::now();
        let frame: Value = serde_json::from_slice(&text).unwrap_or_default();
        for (id, booking) in frame["data"]["bookings"].as_object().into_iter().flatten() {
            came.entry((id.clone(), !booking.is_null())).or_insert(at);
        }
    }
}

/// Books and cancels, one call after the other at its own moment; when each was answered.
async fn changes(port: u16, org: &Org) -> Result<Vec<(Change, Instant)>> {
    let mut wire = Wire::open(port).await?;
    let (begun, mut answered, mut number) = (Instant::now(), Vec::new(), 0);
    let tokens: Result<Vec<String>> = (0..MEMBERS).map(|n| org.token(&member(n), "member")).collect();
    let tokens = tokens?;
    let mut held: Vec<Option<String>> = vec![None; MEMBERS];
    for _ in 0..2 * ROUNDS {
        for (token, held) in tokens.iter().zip(&mut held) {
            sleep_until((begun + EVERY * number).into()).await;
            number += 1;
            let path = match held {
                None => "/v1/classes/one/bookings".to_owned(),
                Some(id) => format!("/v1/bookings/{id}/cancel"),
            };
            let answer = wire.call(&request("POST", &path, token, None, "{}")).await?;
            let at = Instant::now();
            let body: Value = serde_json::from_slice(answer.body)?;
            let id = body["id"].as_str().ok_or_else(|| format!("{path}: {body}"))?.to_owned();
            let there = body["status"] == "booked";
            answered.push(((id.clone(), there), at));
            *held = there.then_some(id);
        }
    }
    Ok(answered)
}

async fn judge(
    listener: JoinHandle<HashMap<Change, Instant>>,
    answered: &[(Change, Instant)],
    findings: &mut Findings,
) -> Result<()> {
    let came = listener.await?;
    let mut waits = Vec::new();
    for (change, at) in answered {
        if let Some(came) = came.get(change) {
            waits.push(came.saturating_duration_since(*at).as_secs_f64() * 1000.0);
        }
    }
    findings.told("changes of the roster", answered.len() as f64);
    findings.at_most("changes that no frame told", (answered.len() - waits.len()) as f64, 0.0);
    findings.told("frame after the answer: p50, ms", quantile(&waits, 0.5));
    findings.at_most("frame after the answer: p99, ms", quantile(&waits, 0.99), P99_MS_MAX);
    findings.told("frame after the answer: longest, ms", quantile(&waits, 1.0));
    Ok(())
}

/// The whole roster, full, as it is and compressed.
async fn roster(port: u16, org: &Org, findings: &mut Findings) -> Result<()> {
    let mut wire = Wire::open(port).await?;
    for n in 0..MEMBERS {
        wire.call(&org.book("one", &member(n))?).await?;
    }
    let plain = org.call("GET", "/v1/classes/one/roster", &Value::Null);
    let asked = String::from_utf8_lossy(&plain).replacen("\r\n", "\r\nAccept-Encoding: gzip\r\n", 1).into_bytes();
    let (mut waits, mut bytes) = ([Vec::new(), Vec::new()], [0, 0]);
    for _ in 0..READS {
        for (way, call) in [&plain, &asked].into_iter().enumerate() {
            let begun = Instant::now();
            let answer = wire.call(call).await?;
            if answer.status != 200 {
                return Err(format!("the roster was answered {}", answer.status).into());
            }
            bytes[way] = answer.body.len();
            waits[way].push(begun.elapsed().as_secs_f64() * 1000.0);
            sleep(Duration::from_millis(20)).await;
        }
    }
    findings.told("roster, identity: bytes", f64::from(u32::try_from(bytes[0])?));
    findings.told("roster, gzip: bytes against identity", bytes[1] as f64 / bytes[0] as f64);
    findings.told("roster, identity: p50, ms", median(&waits[0]));
    findings.at_most("roster, gzip: p50, ms", median(&waits[1]), median(&waits[0]) + P99_MS_MAX);
    Ok(())
}
