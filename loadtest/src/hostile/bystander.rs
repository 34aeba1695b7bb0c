//! Honest members of another organisation, who book and cancel at a steady pace on a thread of their own.
//!
//! Each call is due at its own moment and its wait counts from there. A call that fails is counted and not repeated.
//! Nobody books the same class often, so that no limit on one member's rounds concerns them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::LocalSet;
use tokio::time::{sleep_until, timeout};

use super::findings::Findings;
use super::ground::{Org, ahead, class, free_booking};
use crate::Result;
use crate::report::{median, quantile};
use crate::wire::{Wire, request};

/// The organisation.
const ORG: &str = "b";

/// Members, and the calls that all of them together make a second.
const MEMBERS: u32 = 16;
const PER_S: u32 = 100;

/// Classes that each of them takes in turn, with room for all.
const CLASSES: usize = 96;

/// An answer that takes longer is taken for lost.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What their p99 may become, against the calm.
const RATIO_MAX: f64 = 3.0;

/// Who they are.
pub struct Bystanders {
    tokens: Vec<String>,
    classes: Vec<String>,
}

/// What one call came to.
struct Made {
    due: Instant,
    ms: f64,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Unavailable,
    Unknown,
    /// Another answer, or none.
    Failed,
}

/// They are at work.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Made>>>,
}

/// What they met with.
pub struct Seen(Vec<Made>);

/// A span of time.
pub type Span = (Instant, Instant);

impl Bystanders {
    /// Their organisation, its classes and themselves.
    pub async fn move_in(port: u16) -> Result<Bystanders> {
        let org = Org::found(port, ORG, &free_booking()).await?;
        let classes: Vec<String> = (0..CLASSES).map(|n| format!("b-{n}")).collect();
        for (n, id) in classes.iter().enumerate() {
            org.ask("POST", "/v1/classes", &class(id, ahead(n), MEMBERS * 4)).await?;
        }
        let mut tokens = Vec::new();
        for n in 0..MEMBERS {
            let id = format!("m-{n}");
            org.many(vec![org.put_member(&id, "active", "Ben Example")]).await?;
            tokens.push(org.token(&id, "member")?);
        }
        Ok(Bystanders { tokens, classes })
    }

    pub fn watch(&self, port: u16) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, tokens, classes) = (Arc::clone(&stop), self.tokens.clone(), self.classes.clone());
        let thread = thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return Vec::new();
            };
            LocalSet::new().block_on(&runtime, all(port, tokens, classes, &stopped))
        });
        Watch { stop, thread: Some(thread) }
    }
}

impl Watch {
    /// Lets the calls under way finish.
    pub fn stop(mut self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        let made = self.thread.take().map(JoinHandle::join).ok_or("stopped twice")?;
        Ok(Seen(made.map_err(|_| "the bystanders' thread broke")?))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    fn within(&self, spans: &[Span]) -> impl Iterator<Item = &Made> {
        self.0.iter().filter(|made| spans.iter().any(|(from, until)| (*from..*until).contains(&made.due)))
    }

    fn waits(&self, spans: &[Span]) -> Vec<f64> {
        self.within(spans).map(|made| made.ms).collect()
    }

    /// The p99 of calm spans: of the first or of the one in the middle, whichever is lower, since an attack may reach into
    /// the calm after it.
    pub fn calm_p99(&self, calm: &[Span]) -> f64 {
        let each: Vec<f64> = calm.iter().map(|span| quantile(&self.waits(&[*span]), 0.99)).collect();
        each.first().map_or(0.0, |first| first.min(median(&each)))
    }

    /// What they met with, without a bound.
    pub fn tell(&self, attack: &str, spans: &[Span], findings: &mut Findings) {
        let waits = self.waits(spans);
        findings.told(format!("{attack}: b's p50, ms"), quantile(&waits, 0.5));
        findings.told(format!("{attack}: b's p99, ms"), quantile(&waits, 0.99));
    }

    /// What they met with in spans of attack, against the p99 of the calm, which is told first.
    pub fn judge(&self, calm_p99: f64, attack: &str, spans: &[Span], findings: &mut Findings) {
        let waits = self.waits(spans);
        if waits.is_empty() {
            findings.broken(format!("{attack}: nobody of b was there"));
        }
        let count = |outcome| self.within(spans).filter(|made| made.outcome == outcome).count() as f64;
        findings.told(format!("{attack}: b's calls"), waits.len() as f64);
        findings.told(format!("{attack}: b's p50, ms"), quantile(&waits, 0.5));
        findings.at_most(format!("{attack}: b's p99, ms"), quantile(&waits, 0.99), calm_p99 * RATIO_MAX);
        findings.at_most(format!("{attack}: b's 503 unavailable"), count(Outcome::Unavailable), 0.0);
        findings.at_most(format!("{attack}: b's 503 outcome_unknown"), count(Outcome::Unknown), 0.0);
        findings.at_most(format!("{attack}: b's calls that failed otherwise"), count(Outcome::Failed), 0.0);
    }
}

async fn all(port: u16, tokens: Vec<String>, classes: Vec<String>, stop: &Arc<AtomicBool>) -> Vec<Made> {
    let (begun, count) = (Instant::now(), f64::from(MEMBERS));
    let mut members = Vec::new();
    for (n, token) in tokens.into_iter().enumerate() {
        let first = begun + Duration::from_secs_f64(n as f64 / f64::from(PER_S));
        let every = Duration::from_secs_f64(count / f64::from(PER_S));
        let mut member = Member { port, wire: None, token, classes: classes.clone(), at: n, booking: None };
        let stop = Arc::clone(stop);
        members.push(tokio::task::spawn_local(async move {
            let (mut made, mut due) = (Vec::new(), first);
            while !stop.load(Ordering::Relaxed) {
                sleep_until(due.into()).await;
                let outcome = member.act().await;
                made.push(Made { due, ms: due.elapsed().as_secs_f64() * 1000.0, outcome });
                due += every;
            }
            made
        }));
    }
    let mut made = Vec::new();
    for member in members {
        made.extend(member.await.unwrap_or_default());
    }
    made
}

struct Member {
    port: u16,
    wire: Option<Wire>,
    token: String,
    classes: Vec<String>,
    /// The class it is at.
    at: usize,
    booking: Option<String>,
}

impl Member {
    /// Cancels what it has booked, or books the next class.
    async fn act(&mut self) -> Outcome {
        let path = match self.booking.take() {
            Some(id) => format!("/v1/bookings/{id}/cancel"),
            None => {
                self.at = (self.at + 1) % self.classes.len();
                format!("/v1/classes/{}/bookings", self.classes[self.at])
            }
        };
        let call = request("POST", &path, &self.token, None, "{}");
        let outcome = timeout(ANSWER_MAX, self.send(&call)).await.unwrap_or(Outcome::Failed);
        if outcome != Outcome::Done {
            self.wire = None;
        }
        outcome
    }

    async fn send(&mut self, call: &[u8]) -> Outcome {
        if self.wire.is_none() {
            self.wire = Wire::open(self.port).await.ok();
        }
        let Some(wire) = &mut self.wire else { return Outcome::Failed };
        let Ok(answer) = wire.call(call).await else { return Outcome::Failed };
        let body: Value = serde_json::from_slice(answer.body).unwrap_or_default();
        match (answer.status, body["code"].as_str()) {
            (200..300, _) => {
                let booked = body["status"] == "booked";
                self.booking = body["id"].as_str().filter(|_| booked).map(str::to_owned);
                Outcome::Done
            }
            (503, Some("outcome_unknown")) => Outcome::Unknown,
            (503, _) => Outcome::Unavailable,
            _ => Outcome::Failed,
        }
    }
}
