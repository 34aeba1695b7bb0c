//! Connections to Redis: the only file that knows where they come from.
//!
//! A few *lanes*, each one connection out of a deadpool-redis pool with many commands in flight, are shared by all
//! requests, because one fsync then serves many of them. Reads have lanes of their own, with few commands in flight:
//! Redis carries out whatever has arrived on a connection before it turns to the next, so what is in flight there is
//! what a write may have to wait for. A task per lane replaces its connection when it is dead; meanwhile callers are
//! told so at once. Nothing is ever sent twice from here: a command that was handed over and not answered is
//! [`StoreError::OutcomeUnknown`], and repeating it is the caller's decision.
//!
//! It does not know what a command means, nor the library of functions.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deadpool_redis::{Connection, Manager, Pool, PoolError};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, PushInfo, PushKind, Value};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::commit;
use super::error::StoreError;
use super::lane::{Lane, Watched, Wire, Witness};
use super::target::RedisTarget;

/// The bounds of the lanes; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Connections shared by all writes. A few are enough: one carries tens of thousands of commands a second.
    pub lanes: usize,
    /// Connections shared by all reads.
    pub read_lanes: usize,
    /// Commands in flight on one lane for writes, or in one batch; further ones wait in order. One fsync serves all of
    /// them, and a few dozen are as many as one round trip needs.
    pub writes_in_flight_max: usize,
    /// The same on one lane for reads: listings take milliseconds each, and a write waits for those that are in flight.
    pub reads_in_flight_max: usize,
    /// Calls that wait or are under way; one more is refused at once, so a slow disk costs no memory.
    pub in_flight_max: usize,
    /// How long an answer may take before its caller is told that the outcome is unknown.
    pub answer_ms_max: u64,
    /// How long connecting may take.
    pub connect_ms_max: u64,
    /// How often a connection on which nothing was heard is asked whether it is still there.
    pub heartbeat_ms: u64,
    /// How long replicas may take to confirm a write.
    pub acks_ms_max: u64,
}

impl Default for LaneLimits {
    fn default() -> Self {
        LaneLimits {
            lanes: 4,
            read_lanes: 2,
            writes_in_flight_max: 64,
            reads_in_flight_max: 8,
            in_flight_max: 4096,
            answer_ms_max: 5_000,
            connect_ms_max: 1_000,
            heartbeat_ms: 2_000,
            acks_ms_max: 300,
        }
    }
}

impl LaneLimits {
    pub(super) fn answer_max(&self) -> Duration {
        Duration::from_millis(self.answer_ms_max)
    }
}

/// The pause before a connection is tried again doubles from the first to the second, less a random half.
const BACKOFF_MS_MIN: u64 = 50;
const BACKOFF_MS_MAX: u64 = 1_000;

/// How long a connection that fell silent has for a word, once a fresh one was answered, before the fresh one takes its
/// place: a Redis that was only busy answers both.
const GRACE: Duration = Duration::from_millis(200);

/// The shared connections, and the way a call takes over them. Cheap to clone; the connections end with the last clone.
#[derive(Clone)]
pub struct Lanes {
    shared: Arc<Shared>,
    /// On the lanes for reads.
    reading: bool,
    watched: Watched,
}

struct Shared {
    writes: Vec<Arc<Lane>>,
    reads: Vec<Arc<Lane>>,
    next: AtomicUsize,
    in_flight: Semaphore,
    limits: LaneLimits,
    /// Where connections beside the lanes go.
    client: Client,
    /// Replicas that must hold a write before it counts as done.
    acks: u32,
    _tasks: JoinSet<()>,
}

impl Lanes {
    /// Begins connecting and returns at once; see [`Lanes::ready`]. Writes wait for `acks` replicas.
    /// Must be called inside a tokio runtime, which then carries the connections.
    ///
    /// # Errors
    /// `Unavailable` for an address this version cannot serve. A Redis that is merely away is no error here.
    pub fn open(target: &RedisTarget, acks: u32, limits: LaneLimits) -> Result<Lanes, StoreError> {
        let (ends, _) = watch::channel(());
        let pool = pool(target, limits, ends.clone())?;
        let outage = Arc::new(Outage { target: target.clone(), said: AtomicBool::new(false) });
        let mut tasks = JoinSet::new();
        let mut lane = |in_flight_max| {
            let (commits, waiting) = mpsc::channel(limits.in_flight_max);
            let lane = Arc::new(Lane::new(commits, in_flight_max, limits));
            tasks.spawn(keep(Arc::clone(&lane), pool.clone(), ends.subscribe(), limits, Arc::clone(&outage)));
            if acks > 0 {
                tasks.spawn(commit::gather(Arc::clone(&lane), waiting, in_flight_max, acks, limits));
            }
            lane
        };
        let writes = (0..limits.lanes).map(|_| lane(limits.writes_in_flight_max)).collect();
        let reads = (0..limits.read_lanes).map(|_| lane(limits.reads_in_flight_max)).collect();
        let in_flight = Semaphore::new(limits.in_flight_max);
        let client =
            Client::open(target.connection_info()?).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let next = AtomicUsize::new(0);
        let shared = Shared { writes, reads, next, in_flight, limits, client, acks, _tasks: tasks };
        Ok(Lanes { shared: Arc::new(shared), reading: false, watched: None })
    }

    /// The same connections, taken over the lanes for reads.
    pub fn reading(&self) -> Lanes {
        Lanes { reading: true, ..self.clone() }
    }

    /// The same way, with somebody who hears each reply.
    pub(super) fn watched_by(&self, witness: Arc<dyn Witness>) -> Lanes {
        Lanes { watched: Some(witness), ..self.clone() }
    }

    /// Waits until a lane of each kind is connected, at most `within`.
    pub async fn ready(&self, within: Duration) -> Result<(), StoreError> {
        let first = || self.shared.writes.first().into_iter().chain(self.shared.reads.first());
        let connected = async {
            for lane in first() {
                lane.connected().await;
            }
        };
        let _in_time = timeout(within, connected).await;
        first().try_for_each(|lane| lane.up().map(|_| ()))
    }

    /// Sends a command that need not be held by replicas: a read, or a question to the server.
    pub async fn call(&self, command: &Cmd) -> Result<Value, StoreError> {
        judged(self.reply(command, false).await?)
    }

    /// Sends a write, and answers once as many replicas hold it as were asked for.
    pub async fn commit(&self, command: &Cmd) -> Result<Value, StoreError> {
        judged(self.reply(command, true).await?)
    }

    /// The reply as it came: an error reply is `Ok(Value::ServerError)`.
    pub(super) async fn reply(&self, command: &Cmd, durable: bool) -> Result<Value, StoreError> {
        let Ok(_place) = self.shared.in_flight.try_acquire() else {
            return Err(StoreError::Unavailable(format!(
                "{} calls are under way already",
                self.shared.limits.in_flight_max
            )));
        };
        let (lane, wire) = self.pick()?;
        if durable && self.shared.acks > 0 {
            lane.enqueue(&wire, command.clone(), self.watched.clone()).await
        } else {
            lane.send(wire, command.clone(), self.watched.clone()).await
        }
    }

    /// A connection for one caller alone, who may block on it.
    pub(super) async fn alone(&self) -> Result<MultiplexedConnection, StoreError> {
        let wait = Duration::from_millis(self.shared.limits.connect_ms_max);
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(Some(wait));
        let connection = self.shared.client.get_multiplexed_async_connection_with_config(&config).await;
        connection.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn lanes(&self) -> &[Arc<Lane>] {
        if self.reading { &self.shared.reads } else { &self.shared.writes }
    }

    /// The lane with the most room; of several, the next in turn.
    fn pick(&self) -> Result<(&Arc<Lane>, Arc<Wire>), StoreError> {
        let lanes = self.lanes();
        let first = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let mut picked: Result<(&Arc<Lane>, Arc<Wire>), StoreError> =
            Err(StoreError::Unavailable("there are no lanes".to_owned()));
        for offset in 0..lanes.len() {
            let lane = &lanes[(first.wrapping_add(offset)) % lanes.len()];
            match (lane.up(), &picked) {
                (Ok(wire), Ok((_, best))) if wire.room() <= best.room() => {}
                (Ok(wire), _) => picked = Ok((lane, wire)),
                (Err(down), Err(_)) => picked = Err(down),
                (Err(_), Ok(_)) => {}
            }
        }
        picked
    }
}

/// An error reply becomes an error; everything else is the caller's to understand.
pub(super) fn judged(reply: Value) -> Result<Value, StoreError> {
    match reply {
        Value::ServerError(error) => Err(StoreError::of_reply(&error)),
        value => Ok(value),
    }
}

/// The pool the lanes take their connections from. The driver's own bound on answers is off: ours decides.
/// `ends` is told whenever a connection ends.
fn pool(target: &RedisTarget, limits: LaneLimits, ends: watch::Sender<()>) -> Result<Pool, StoreError> {
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(Some(Duration::from_millis(limits.connect_ms_max)))
        .set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                ends.send_replace(());
            }
            Ok::<(), redis::aio::SendError>(())
        });
    let manager = Manager::new_with_config(target.connection_info()?, config)
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let most = limits.lanes + limits.read_lanes;
    Pool::builder(manager).max_size(most).build().map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Says once, for all lanes together, that Redis went away and that it is back.
struct Outage {
    target: RedisTarget,
    said: AtomicBool,
}

impl Outage {
    fn begin(&self, why: &str) {
        if !self.said.swap(true, Ordering::Relaxed) {
            warn!(redis = %self.target, "{why}");
        }
    }

    fn end(&self) {
        if self.said.swap(false, Ordering::Relaxed) {
            info!(redis = %self.target, "connected to Redis at {} again", self.target);
        }
    }
}

/// Keeps one lane connected for as long as there are lanes.
async fn keep(lane: Arc<Lane>, pool: Pool, mut ends: watch::Receiver<()>, limits: LaneLimits, outage: Arc<Outage>) {
    let mut failures = 0;
    let mut replacement = None;
    loop {
        let connected = match replacement.take() {
            Some(connection) => Ok(connection),
            None => connect(&pool).await,
        };
        match connected {
            Ok(connection) => {
                outage.end();
                failures = 0;
                let wire = lane.join(connection);
                replacement = until_dead(&lane, &wire, &pool, &mut ends, limits, &outage).await;
            }
            Err(error) => {
                let why = format!("cannot connect to Redis at {}: {error}", outage.target);
                outage.begin(&why);
                lane.down(why);
                sleep(pause(failures)).await;
                failures += 1;
            }
        }
    }
}

/// A connection out of the pool for good: one that went back would be handed out again.
async fn connect(pool: &Pool) -> Result<MultiplexedConnection, String> {
    match pool.get().await {
        Ok(pooled) => Ok(Connection::take(pooled)),
        Err(PoolError::Backend(error)) if error.kind() == ErrorKind::Parse => {
            Err("what answers there is no Redis".to_owned())
        }
        Err(PoolError::Backend(error)) => Err(error.to_string()),
        Err(other) => Err(other.to_string()),
    }
}

/// Returns when the lane's connection has ended, or with the one that takes its place.
async fn until_dead(
    lane: &Lane,
    wire: &Arc<Wire>,
    pool: &Pool,
    ends: &mut watch::Receiver<()>,
    limits: LaneLimits,
    outage: &Outage,
) -> Option<MultiplexedConnection> {
    let heartbeat = Duration::from_millis(limits.heartbeat_ms);
    let mut failures = 0;
    loop {
        tokio::select! {
            () = wire.ended() => return None,
            Ok(()) = ends.changed() => {}
            () = sleep(if wire.is_silent() { pause(failures) } else { heartbeat }) => {
                if !wire.is_silent() && wire.heard_within(heartbeat) {
                    continue;
                }
            }
        }
        if wire.is_silent() {
            outage.begin(&format!("Redis at {} does not answer", outage.target));
            failures += 1;
            if let Some(fresh) = fresh_while_silent(wire, pool, limits).await {
                lane.cut(wire, "the connection fell silent and was replaced");
                return Some(fresh);
            }
            continue;
        }
        if failures > 0 {
            outage.end();
            failures = 0;
        }
        let asked_at = Instant::now();
        let ping = redis::cmd("PING");
        match timeout(limits.answer_max(), lane.exchange(wire, &ping)).await {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(_elapsed) => wire.unanswered_since(asked_at),
        }
    }
}

/// A fresh connection that is answered while the old one stays silent. A Redis that answers neither is busy or stopped:
/// then another connection would help nobody, and what is in flight on the old one may still be answered.
async fn fresh_while_silent(wire: &Wire, pool: &Pool, limits: LaneLimits) -> Option<MultiplexedConnection> {
    let asked = async {
        let mut fresh = connect(pool).await.ok()?;
        fresh.send_packed_command(&redis::cmd("PING")).await.ok()?;
        Some(fresh)
    };
    let fresh = timeout(limits.answer_max(), asked).await.ok()??;
    sleep(GRACE).await;
    wire.is_silent().then_some(fresh)
}

/// How long to wait before the next attempt: doubling up to a second, and a random half of it left out, so that
/// instances do not come back in step.
pub(super) fn pause(failures: u32) -> Duration {
    let full = BACKOFF_MS_MIN.saturating_mul(1 << failures.min(10)).min(BACKOFF_MS_MAX);
    let random = RandomState::new().hash_one(failures);
    Duration::from_millis(full / 2 + random % (full / 2 + 1))
}
