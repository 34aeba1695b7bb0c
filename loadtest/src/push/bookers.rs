//! Members who book and cancel at a steady pace, on a thread of their own.
//!
//! Each call is due at its own moment and its wait counts from there, so a service that stalls is not spared the calls
//! that would have come meanwhile. A call without an answer is repeated with the same key, at the next instance.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::LocalSet;
use tokio::time::{sleep, sleep_until, timeout};

use crate::Result;
use crate::chain::token;
use crate::wire::{Wire, request};

/// Between two attempts.
const RETRY: Duration = Duration::from_millis(20);

/// An answer that takes longer is taken for lost.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Who books what, where and how often.
#[derive(Clone)]
pub struct Pace {
    /// Instances; a caller stays with one while it answers.
    pub ports: Vec<u16>,
    /// Each caller is a member of their own, and keeps to one of these.
    pub classes: Vec<String>,
    pub callers: u32,
    /// Calls of all together.
    pub per_s: u32,
}

/// What a member was told.
pub struct Acknowledged {
    pub member: String,
    /// Bookings and places on the waitlist, in all.
    pub made: usize,
    /// The last of them, if it was not cancelled since.
    pub live: Option<String>,
}

/// What was done.
#[derive(Default)]
pub struct Done {
    /// When each call was due, and how long its answer took from then, in milliseconds.
    pub waits: Vec<(Instant, f64)>,
    /// Attempts beyond the first.
    pub repeats: u32,
    pub members: Vec<Acknowledged>,
}

impl Done {
    /// The waits of calls that were due in a span of time.
    pub fn waits_between(&self, from: Instant, until: Instant) -> Vec<f64> {
        let due = self.waits.iter().filter(|(due, _)| (from..until).contains(due));
        due.map(|(_, wait)| *wait).collect()
    }
}

/// Callers at work.
pub struct Bookers {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<std::result::Result<Done, String>>,
}

/// The member that a caller is.
pub fn member(n: u32) -> String {
    format!("b-{n}")
}

impl Bookers {
    pub fn start(pace: Pace) -> Bookers {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            LocalSet::new().block_on(&runtime, all(&pace, &stopped)).map_err(|error| error.to_string())
        });
        Bookers { stop, thread }
    }

    /// Lets the calls under way finish.
    pub fn stop(self) -> Result<Done> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| "the bookers' thread broke")??)
    }
}

async fn all(pace: &Pace, stop: &Arc<AtomicBool>) -> Result<Done> {
    let begun = Instant::now();
    let mut callers = Vec::new();
    for n in 0..pace.callers {
        let offset = Duration::from_secs_f64(f64::from(n) / f64::from(pace.per_s));
        let caller = Caller::new(pace, n)?;
        let every = Duration::from_secs_f64(f64::from(pace.callers) / f64::from(pace.per_s));
        callers.push(tokio::task::spawn_local(caller.book_on(begun + offset, every, Arc::clone(stop))));
    }
    let mut done = Done::default();
    for caller in callers {
        let one = caller.await?.map_err(|error| error.to_string())?;
        done.waits.extend(one.waits);
        done.repeats += one.repeats;
        done.members.extend(one.members);
    }
    Ok(done)
}

struct Caller {
    ports: Vec<u16>,
    /// Of the ports, the one that answers at present.
    at: usize,
    wire: Option<Wire>,
    member: String,
    token: String,
    class: String,
}

impl Caller {
    fn new(pace: &Pace, n: u32) -> Result<Caller> {
        let (ports, at) = (pace.ports.clone(), n as usize % pace.ports.len());
        let class = pace.classes[n as usize % pace.classes.len()].clone();
        Ok(Caller { ports, at, wire: None, member: member(n), token: token(&member(n), "member")?, class })
    }

    async fn book_on(
        mut self,
        mut due: Instant,
        every: Duration,
        stop: Arc<AtomicBool>,
    ) -> std::result::Result<Done, String> {
        let (mut done, mut booking, mut number, mut made) = (Done::default(), None, 0, 0);
        while !stop.load(Ordering::Relaxed) {
            sleep_until(due.into()).await;
            let path = match &booking {
                None => format!("/v1/classes/{}/bookings", self.class),
                Some(id) => format!("/v1/bookings/{id}/cancel"),
            };
            number += 1;
            let call = request("POST", &path, &self.token, Some(&format!("{}-{number}", self.member)), "{}");
            let body = loop {
                match self.call(&call).await? {
                    Some(body) => break body,
                    None => done.repeats += 1,
                }
                self.wire = None;
                self.at = (self.at + 1) % self.ports.len();
                sleep(RETRY).await;
            };
            done.waits.push((due, due.elapsed().as_secs_f64() * 1000.0));
            let live = matches!(body["status"].as_str(), Some("booked" | "waitlisted"));
            made += usize::from(live);
            booking = body["id"].as_str().filter(|_| live).map(str::to_owned);
            due += every;
        }
        done.members.push(Acknowledged { member: self.member, made, live: booking });
        Ok(done)
    }

    /// None where there is no answer, or nobody knows one yet.
    async fn call(&mut self, call: &[u8]) -> std::result::Result<Option<Value>, String> {
        if self.wire.is_none() {
            self.wire = Wire::open(self.ports[self.at]).await.ok();
        }
        let Some(wire) = &mut self.wire else { return Ok(None) };
        let Ok(Ok(answer)) = timeout(ANSWER_MAX, wire.call(call)).await else { return Ok(None) };
        match answer.status {
            503 => Ok(None),
            200..300 => Ok(serde_json::from_slice(answer.body).ok()),
            status => Err(format!("a call was answered {status}: {}", String::from_utf8_lossy(answer.body))),
        }
    }
}
