//! Connections to Redis: the only file that knows them.
//!
//! A few *lanes*, each one connection out of a deadpool-redis pool with many commands in flight, are shared by all
//! requests, because one fsync then serves many of them. A task per lane replaces its connection when it is dead;
//! meanwhile callers are told so at once. Nothing is ever sent twice from here: a command that was handed over and
//! not answered is [`StoreError::OutcomeUnknown`], and repeating it is the caller's decision.
//!
//! It does not know what a command means, nor the library of functions.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_redis::{Connection, Manager, Pool, PoolError};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::commit::{self, Commit};
use super::error::StoreError;
use super::target::RedisTarget;

/// The bounds of the lanes; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Connections shared by all calls. A few are enough: one carries tens of thousands of commands a second.
    pub lanes: usize,
    /// Calls under way at once; one more is refused at once, so a slow disk costs no memory.
    pub in_flight_max: usize,
    /// How long an answer may take before the outcome counts as unknown and the connection as dead.
    pub answer_ms_max: u64,
    /// How long connecting may take.
    pub connect_ms_max: u64,
    /// How often a silent connection is asked whether it is still there.
    pub heartbeat_ms: u64,
    /// How long replicas may take to confirm a write.
    pub acks_ms_max: u64,
}

impl Default for LaneLimits {
    fn default() -> Self {
        LaneLimits {
            lanes: 4,
            in_flight_max: 4096,
            answer_ms_max: 5_000,
            connect_ms_max: 1_000,
            heartbeat_ms: 1_000,
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

/// The shared connections. Cheap to clone; the connections end with the last clone.
#[derive(Clone)]
pub struct Lanes(Arc<Shared>);

struct Shared {
    lanes: Vec<Arc<Lane>>,
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
        let mut lanes = Vec::with_capacity(limits.lanes);
        for _ in 0..limits.lanes {
            let (commits, waiting) = mpsc::channel(limits.in_flight_max);
            let link = watch::Sender::new(Link::Down("not connected yet".to_owned()));
            let lane = Arc::new(Lane { link, commits });
            tasks.spawn(keep(Arc::clone(&lane), pool.clone(), ends.subscribe(), limits, Arc::clone(&outage)));
            if acks > 0 {
                tasks.spawn(commit::gather(Arc::clone(&lane), waiting, acks, limits));
            }
            lanes.push(lane);
        }
        let in_flight = Semaphore::new(limits.in_flight_max);
        let client =
            Client::open(target.connection_info()?).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let next = AtomicUsize::new(0);
        Ok(Lanes(Arc::new(Shared { lanes, next, in_flight, limits, client, acks, _tasks: tasks })))
    }

    /// Waits until a lane is connected, at most `within`.
    pub async fn ready(&self, within: Duration) -> Result<(), StoreError> {
        let Some(lane) = self.0.lanes.first() else {
            return Err(StoreError::Unavailable("there are no lanes".to_owned()));
        };
        let mut link = lane.link.subscribe();
        let _in_time = timeout(within, link.wait_for(|link| matches!(link, Link::Up { .. }))).await;
        lane.up().map(|_| ())
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
        let Ok(_place) = self.0.in_flight.try_acquire() else {
            return Err(StoreError::Unavailable(format!(
                "{} calls are under way already",
                self.0.limits.in_flight_max
            )));
        };
        let (lane, connection, number) = self.pick()?;
        if durable && self.0.acks > 0 {
            lane.enqueue(command.clone(), self.0.limits).await
        } else {
            lane.send(connection, number, command, self.0.limits).await
        }
    }

    /// A connection for one caller alone, who may block on it.
    pub(super) async fn alone(&self) -> Result<MultiplexedConnection, StoreError> {
        let wait = Duration::from_millis(self.0.limits.connect_ms_max);
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(Some(wait));
        let connection = self.0.client.get_multiplexed_async_connection_with_config(&config).await;
        connection.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// The next connected lane in turn.
    fn pick(&self) -> Result<(&Lane, MultiplexedConnection, u64), StoreError> {
        let lanes = &self.0.lanes;
        let first = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut down = StoreError::Unavailable("there are no lanes".to_owned());
        for offset in 0..lanes.len() {
            let lane = &lanes[(first.wrapping_add(offset)) % lanes.len()];
            match lane.up() {
                Ok((connection, number)) => return Ok((lane, connection, number)),
                Err(error) => down = error,
            }
        }
        Err(down)
    }
}

/// One shared connection and its replacement.
pub(super) struct Lane {
    link: watch::Sender<Link>,
    /// Writes that wait for the next WAIT; read only when replicas must confirm.
    commits: mpsc::Sender<Commit>,
}

enum Link {
    /// `number` tells one connection of this lane from its predecessors.
    Up {
        connection: MultiplexedConnection,
        number: u64,
    },
    Down(String),
}

impl Lane {
    /// The connection and its number, or why there is none.
    pub(super) fn up(&self) -> Result<(MultiplexedConnection, u64), StoreError> {
        match &*self.link.borrow() {
            Link::Up { connection, number } => Ok((connection.clone(), *number)),
            Link::Down(why) => Err(StoreError::Unavailable(why.clone())),
        }
    }

    async fn send(
        &self,
        mut connection: MultiplexedConnection,
        number: u64,
        command: &Cmd,
        limits: LaneLimits,
    ) -> Result<Value, StoreError> {
        let sent = timeout(limits.answer_max(), connection.send_packed_command(command)).await;
        self.answered(number, sent.ok(), limits)
    }

    async fn enqueue(&self, command: Cmd, limits: LaneLimits) -> Result<Value, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.commits.try_send(Commit { command, answer }).is_err() {
            return Err(StoreError::Unavailable("the lane has no room for another write".to_owned()));
        }
        match timeout(limits.answer_max(), answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(StoreError::OutcomeUnknown),
        }
    }

    /// `None` is an answer that did not come in time. Whatever is no answer ends the connection for everyone:
    /// replies come in order, so what is behind it would not be answered either.
    pub(super) fn answered<T>(
        &self,
        number: u64,
        answer: Option<RedisResult<T>>,
        limits: LaneLimits,
    ) -> Result<T, StoreError> {
        let why = match answer {
            Some(Ok(value)) => return Ok(value),
            Some(Err(error)) => format!("the connection ended: {error}"),
            None => format!("no answer within {} ms", limits.answer_ms_max),
        };
        self.cut(number, &why);
        Err(StoreError::OutcomeUnknown)
    }

    fn cut(&self, number: u64, why: &str) {
        self.link.send_if_modified(|link| {
            let current = matches!(link, Link::Up { number: up, .. } if *up == number);
            if current {
                *link = Link::Down(why.to_owned());
            }
            current
        });
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
    Pool::builder(manager).max_size(limits.lanes).build().map_err(|error| StoreError::Unavailable(error.to_string()))
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
    for number in 0.. {
        match pool.get().await {
            Ok(pooled) => {
                outage.end();
                failures = 0;
                lane.link.send_replace(Link::Up { connection: pooled.clone(), number });
                until_dead(&lane, pooled.clone(), number, &mut ends, limits).await;
                // Taken out for good: an object that went back to the pool would be handed out again.
                drop(Connection::take(pooled));
            }
            Err(error) => {
                let error = match error {
                    PoolError::Backend(error) if error.kind() == ErrorKind::Parse => {
                        "what answers there is no Redis".to_owned()
                    }
                    PoolError::Backend(error) => error.to_string(),
                    other => other.to_string(),
                };
                let why = format!("cannot connect to Redis at {}: {error}", outage.target);
                outage.begin(&why);
                lane.link.send_replace(Link::Down(why));
                sleep(pause(failures)).await;
                failures += 1;
            }
        }
    }
}

/// Returns when the lane's connection has ended, by a caller's word or by its own silence.
async fn until_dead(
    lane: &Lane,
    mut connection: MultiplexedConnection,
    number: u64,
    ends: &mut watch::Receiver<()>,
    limits: LaneLimits,
) {
    let mut link = lane.link.subscribe();
    loop {
        tokio::select! {
            _ = link.wait_for(|link| matches!(link, Link::Down(_))) => return,
            Ok(()) = ends.changed() => {}
            () = sleep(Duration::from_millis(limits.heartbeat_ms)) => {}
        }
        let ping = redis::cmd("PING");
        tokio::select! {
            _ = link.wait_for(|link| matches!(link, Link::Down(_))) => return,
            pong = timeout(limits.answer_max(), connection.send_packed_command(&ping)) => {
                if lane.answered(number, pong.ok(), limits).is_err() {
                    return;
                }
            }
        }
    }
}

/// How long to wait before the next attempt: doubling up to a second, and a random half of it left out, so that
/// instances do not come back in step.
pub(super) fn pause(failures: u32) -> Duration {
    let full = BACKOFF_MS_MIN.saturating_mul(1 << failures.min(10)).min(BACKOFF_MS_MAX);
    let random = RandomState::new().hash_one(failures);
    Duration::from_millis(full / 2 + random % (full / 2 + 1))
}
