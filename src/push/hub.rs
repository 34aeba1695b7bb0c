//! Who is connected to this instance: admission, seats, one relay for each organisation, and the end of it all.
//!
//! Relays are tasks of the service's own runtime; sessions live on the web server's threads and speak to them through
//! bounded queues. Nobody here knows what is in a document.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::bell::Bell;
use super::counters::Counters;
use super::outbox::{Inbox, Out, Outbox, SessionId, outbox};
use super::relay::{Command, Relay};
use crate::domain::ids::{MemberId, OrgId};
use crate::store::Store;

/// The bounds of sockets; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections of one instance.
    pub connections_max: usize,
    /// Connections of one member; a phone, a tablet and some forgotten tabs.
    pub per_member_max: usize,
    /// Connections of one token's bearer who is no member: a desk has many screens.
    pub per_caller_max: usize,
    /// New connections a second, and at once. More come back a little later, so that a herd does not stall bookings.
    pub admitted_per_s: u32,
    pub admitted_burst: u32,
    pub hello_ms_max: u64,
    pub heartbeat_ms: u64,
    pub pong_ms_max: u64,
    /// Topics of one connection.
    pub topics_max: usize,
    /// Topics of one organisation that are kept although nobody listens any more. Beyond it the oldest goes, so that a
    /// caller who comes and goes cannot fill the memory; at some kilobytes each, so many are some megabytes.
    pub topics_idle_max: usize,
    /// Subscriptions of one organisation that may wait for its documents. Each may be some kilobytes, and a Redis that
    /// is away lets them wait; of more than a whole burst, load is shed.
    pub waiting_max: usize,
    /// Frames from one client, a second and at once. Control frames and parts of messages count as well.
    pub frames_per_s: u32,
    pub frames_burst: u32,
    /// Bytes from one client, a second and at once: more than all it may ask.
    pub bytes_per_s: u32,
    pub bytes_burst: u32,
    /// Bytes of documents that one client may ask to be shown, a second and at once; patches that follow are not
    /// counted. A hello of a hundred long days is taken in one go, asking for them again and again is not.
    pub shown_bytes_per_s: u32,
    pub shown_bytes_burst: u32,
    /// How long saying goodbye to everybody may take.
    pub drain_ms_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections_max: 20_000,
            per_member_max: 10,
            per_caller_max: 200,
            admitted_per_s: 1_000,
            admitted_burst: 2_000,
            hello_ms_max: 5_000,
            heartbeat_ms: 25_000,
            pong_ms_max: 10_000,
            topics_max: 100,
            topics_idle_max: 5_000,
            waiting_max: 5_000,
            frames_per_s: 20,
            frames_burst: 60,
            bytes_per_s: 32 * 1024,
            bytes_burst: 256 * 1024,
            shown_bytes_per_s: 256 * 1024,
            shown_bytes_burst: 4 * 1024 * 1024,
            drain_ms_max: 3_000,
        }
    }
}

/// Between two batches of goodbyes.
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// Clients of an instance that ends come back within so long, each at a moment of its own.
const BYE_AFTER_MS: u64 = 500;
const BYE_SPREAD_MS: u64 = 5_000;

/// The connections of this instance. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    store: Store,
    runtime: Handle,
    tasks: Mutex<JoinSet<()>>,
    limits: Limits,
    counters: Counters,
    relays: Mutex<HashMap<OrgId, Line>>,
    seats: Mutex<HashMap<SessionId, Outbox>>,
    callers: Mutex<HashMap<(OrgId, MemberId), usize>>,
    admission: Mutex<Bucket>,
    connections: AtomicUsize,
    next: AtomicU64,
    draining: AtomicBool,
}

/// The way to a relay.
#[derive(Clone)]
struct Line {
    commands: mpsc::UnboundedSender<Command>,
    turns: Arc<Semaphore>,
}

/// A connection cannot be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    pub retry_after_s: u64,
}

/// A place among the connections, given up when dropped.
pub struct Seat {
    hub: Hub,
    outbox: Outbox,
    claimed: Option<(OrgId, MemberId)>,
    relay: Option<Line>,
}

impl Hub {
    /// Relays run on the given runtime.
    pub fn new(store: Store, runtime: Handle, limits: Limits, counters: Counters) -> Hub {
        Hub(Arc::new(Shared {
            store,
            runtime,
            tasks: Mutex::default(),
            limits,
            counters,
            relays: Mutex::default(),
            seats: Mutex::default(),
            callers: Mutex::default(),
            admission: Mutex::new(Bucket::full(limits.admitted_per_s, limits.admitted_burst)),
            connections: AtomicUsize::new(0),
            next: AtomicU64::new(1),
            draining: AtomicBool::new(false),
        }))
    }

    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Connections at the moment.
    pub fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Takes one more connection, on the bell's thread, if there is room and not too many came at once.
    pub fn admit(&self, bell: Arc<Bell>) -> Result<(Seat, Inbox), Refused> {
        let session = self.0.next.fetch_add(1, Ordering::Relaxed);
        // Whoever is sent away comes back spread over some seconds.
        let refused = Refused { retry_after_s: 1 + session % 4 };
        let full = self.connections() >= self.0.limits.connections_max;
        if full || self.0.draining.load(Ordering::Relaxed) || !locked(&self.0.admission).take(Instant::now()) {
            self.0.counters.refused.inc();
            return Err(refused);
        }
        let (outbox, inbox) = outbox(session, bell, self.0.counters.too_slow.clone());
        locked(&self.0.seats).insert(session, outbox.clone());
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        self.0.counters.sessions.inc();
        Ok((Seat { hub: self.clone(), outbox, claimed: None, relay: None }, inbox))
    }

    /// Says goodbye to everybody, a batch at a time, and waits until they are gone or time is up.
    pub async fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
        let all: Vec<Outbox> = locked(&self.0.seats).values().cloned().collect();
        let limit = Duration::from_millis(self.0.limits.drain_ms_max);
        let batches = usize::try_from(limit.as_millis() / 2 / BATCH_PAUSE.as_millis()).unwrap_or(1).max(1);
        for batch in all.chunks(all.len().div_ceil(batches).max(100)) {
            for outbox in batch {
                outbox.send(Out::Bye { after_ms: BYE_AFTER_MS, spread_ms: BYE_SPREAD_MS });
            }
            sleep(BATCH_PAUSE).await;
        }
        let until = Instant::now() + limit / 2;
        while self.connections() > 0 && Instant::now() < until {
            sleep(BATCH_PAUSE).await;
        }
    }

    /// Ends every relay. Sockets that are still there hear no more.
    pub async fn end(&self) {
        let mut tasks = std::mem::take(&mut *locked(&self.0.tasks));
        tasks.shutdown().await;
    }

    /// The relay of an organisation, started where there is none.
    fn relay(&self, org: &OrgId) -> Line {
        let mut relays = locked(&self.0.relays);
        let start = || {
            let (sender, commands) = mpsc::unbounded_channel();
            let (store, counters) = (self.0.store.clone(), self.0.counters.clone());
            let relay = Relay::new(org.clone(), store, commands, counters, self.0.limits.topics_idle_max);
            locked(&self.0.tasks).spawn_on(relay.run(), &self.0.runtime);
            Line { commands: sender, turns: Arc::new(Semaphore::new(self.0.limits.waiting_max)) }
        };
        let ended = |line: &Line| line.commands.is_closed();
        if relays.get(org).is_none_or(ended) {
            relays.insert(org.clone(), start());
        }
        relays[org].clone()
    }
}

impl Seat {
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Whose connection this is. False when they have too many.
    pub fn claim(&mut self, org: &OrgId, sub: &MemberId, most: usize) -> bool {
        let key = (org.clone(), sub.clone());
        {
            let mut callers = locked(&self.hub.0.callers);
            let open = callers.entry(key.clone()).or_default();
            if *open >= most {
                return false;
            }
            *open += 1;
        }
        self.claimed = Some(key);
        self.relay = Some(self.hub.relay(org));
        true
    }

    /// Whether the relay has ended: an error of ours, after which nothing more would be heard.
    pub fn is_cut_off(&self) -> bool {
        self.relay.as_ref().is_some_and(|line| line.commands.is_closed())
    }

    /// A turn among those who wait for the relay of the organisation; none where too many wait. It is given back when
    /// dropped.
    pub fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.relay.as_ref()?.turns).try_acquire_owned().ok()
    }

    /// Passes a command on to the relay of the organisation the seat was claimed in.
    pub fn tell(&self, command: Command) {
        if let Some(relay) = &self.relay {
            // Of a relay that has ended the session learns by itself.
            let _ = relay.commands.send(command);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.tell(Command::Leave { session: self.outbox.session });
        locked(&self.hub.0.seats).remove(&self.outbox.session);
        if let Some(key) = self.claimed.take() {
            let mut callers = locked(&self.hub.0.callers);
            if let Some(open) = callers.get_mut(&key) {
                *open -= 1;
                if *open == 0 {
                    callers.remove(&key);
                }
            }
        }
        self.hub.0.connections.fetch_sub(1, Ordering::Relaxed);
        self.hub.0.counters.sessions.dec();
    }
}

/// What is behind a lock stays sound whatever a thread did that panicked.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    per_s: f64,
    burst: f64,
    left: f64,
    at: Option<Instant>,
}

impl Bucket {
    pub fn full(per_s: u32, burst: u32) -> Bucket {
        Bucket { per_s: per_s.into(), burst: burst.into(), left: burst.into(), at: None }
    }

    pub fn take(&mut self, now: Instant) -> bool {
        self.take_many(1, now)
    }

    /// False, and nothing taken, where there are not so many.
    pub fn take_many(&mut self, many: usize, now: Instant) -> bool {
        let taken = self.filled(now) >= many as f64;
        if taken {
            self.left -= many as f64;
        }
        taken
    }

    /// Takes so many even where there are fewer: the bucket is then empty until they have come in.
    pub fn overdraw(&mut self, many: usize, now: Instant) {
        self.left = self.filled(now) - many as f64;
    }

    pub fn is_empty(&mut self, now: Instant) -> bool {
        self.filled(now) <= 0.0
    }

    fn filled(&mut self, now: Instant) -> f64 {
        let passed = self.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.at = Some(now);
        self.left = (self.left + passed * self.per_s).min(self.burst);
        self.left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_so_many_a_second() {
        let mut bucket = Bucket::full(10, 3);
        let now = Instant::now();
        let taken = |bucket: &mut Bucket, at| (0..10).filter(|_| bucket.take(at)).count();
        assert_eq!(taken(&mut bucket, now), 3);
        assert_eq!(taken(&mut bucket, now + Duration::from_millis(200)), 2);
        assert_eq!(taken(&mut bucket, now + Duration::from_secs(60)), 3);
    }

    #[test]
    fn an_overdrawn_bucket_is_empty_until_what_was_taken_has_come_in() {
        let mut bucket = Bucket::full(10, 20);
        let now = Instant::now();
        assert!(bucket.take_many(19, now) && !bucket.is_empty(now));
        bucket.overdraw(31, now);
        assert!(bucket.is_empty(now + Duration::from_secs(3)));
        assert!(!bucket.is_empty(now + Duration::from_millis(3_100)));
    }
}
