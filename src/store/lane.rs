//! One lane: a connection that many calls share, what is in flight on it, and whether it still answers.
//!
//! A call that is not answered in time is given up by its caller alone. The lane stays: as long as anything is heard on
//! it, it is slow and not dead. Only a lane on which nothing at all was heard meanwhile takes no further calls, until
//! it is heard again or `lanes.rs` gives it another connection. A command keeps its place in flight until its reply is
//! there, also when its caller has gone, so nobody gets more under way by leaving.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::commit::Commit;
use super::error::StoreError;
use super::lanes::LaneLimits;

/// Wants to know the reply to a command, whether or not its caller still waits for it.
pub(super) trait Witness: Send + Sync {
    /// `None`: the connection ended before there was a reply.
    fn heard(&self, reply: Option<&Value>);
}

/// The witness of a command, where it has one.
pub(super) type Watched = Option<Arc<dyn Witness>>;

/// A shared connection and the ones that take its place.
pub(super) struct Lane {
    link: watch::Sender<Link>,
    /// Writes that wait for the next WAIT; read only when replicas must confirm.
    commits: mpsc::Sender<Commit>,
    in_flight_max: usize,
    limits: LaneLimits,
}

enum Link {
    Up(Arc<Wire>),
    Down(String),
}

/// One connection of a lane.
pub(super) struct Wire {
    connection: MultiplexedConnection,
    /// Places for commands in flight.
    places: Arc<Semaphore>,
    /// True once the connection has ended or was given up.
    ended: watch::Sender<bool>,
    connected_at: Instant,
    /// When something was last heard, in nanoseconds since the connection was made.
    heard_ns: AtomicU64,
    silent: AtomicBool,
}

impl Lane {
    pub(super) fn new(commits: mpsc::Sender<Commit>, in_flight_max: usize, limits: LaneLimits) -> Lane {
        let link = watch::Sender::new(Link::Down("not connected yet".to_owned()));
        Lane { link, commits, in_flight_max, limits }
    }

    /// The connection, or why none is to be used.
    pub(super) fn up(&self) -> Result<Arc<Wire>, StoreError> {
        match &*self.link.borrow() {
            Link::Up(wire) if wire.is_silent() => {
                Err(StoreError::Unavailable(format!("no answer within {} ms", self.limits.answer_ms_max)))
            }
            Link::Up(wire) => Ok(Arc::clone(wire)),
            Link::Down(why) => Err(StoreError::Unavailable(why.clone())),
        }
    }

    /// Waits for a connection.
    pub(super) async fn connected(&self) {
        let mut link = self.link.subscribe();
        let _the_lane_is_there = link.wait_for(|link| matches!(link, Link::Up(_))).await;
    }

    /// Takes a new connection into use.
    pub(super) fn join(&self, connection: MultiplexedConnection) -> Arc<Wire> {
        let wire = Arc::new(Wire {
            connection,
            places: Arc::new(Semaphore::new(self.in_flight_max)),
            ended: watch::Sender::new(false),
            connected_at: Instant::now(),
            heard_ns: AtomicU64::new(0),
            silent: AtomicBool::new(false),
        });
        self.link.send_replace(Link::Up(Arc::clone(&wire)));
        wire
    }

    /// There is no connection, for this reason.
    pub(super) fn down(&self, why: String) {
        self.link.send_replace(Link::Down(why));
    }

    /// Gives a connection up: whatever is in flight on it stays without a reply.
    pub(super) fn cut(&self, wire: &Arc<Wire>, why: &str) {
        self.link.send_if_modified(|link| {
            let current = matches!(link, Link::Up(up) if Arc::ptr_eq(up, wire));
            if current {
                *link = Link::Down(why.to_owned());
            }
            current
        });
        wire.places.close();
        wire.ended.send_replace(true);
    }

    /// Sends a command once there is a place for it, and waits for the reply.
    pub(super) async fn send(
        self: &Arc<Self>,
        wire: Arc<Wire>,
        command: Cmd,
        watched: Watched,
    ) -> Result<Value, StoreError> {
        let place = self.place(&wire).await?;
        let (answer, answered) = oneshot::channel();
        let (lane, used, sent_at) = (Arc::clone(self), Arc::clone(&wire), Instant::now());
        tokio::spawn(async move {
            let reply = lane.exchange(&used, &command).await;
            if let Some(witness) = watched {
                witness.heard(reply.as_ref());
            }
            drop(place);
            let _ = answer.send(reply);
        });
        match timeout(self.limits.answer_max(), answered).await {
            Ok(Ok(Some(reply))) => Ok(reply),
            Ok(Ok(None) | Err(_)) => Err(StoreError::OutcomeUnknown),
            Err(_elapsed) => {
                wire.unanswered_since(sent_at);
                Err(StoreError::OutcomeUnknown)
            }
        }
    }

    /// Hands a write to the next batch, and waits until replicas hold it.
    pub(super) async fn enqueue(&self, wire: &Wire, command: Cmd, watched: Watched) -> Result<Value, StoreError> {
        let (answer, answered) = oneshot::channel();
        let sent_at = Instant::now();
        if self.commits.try_send(Commit { command, watched, answer }).is_err() {
            return Err(StoreError::Unavailable("the lane has no room for another write".to_owned()));
        }
        match timeout(self.limits.answer_max(), answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::OutcomeUnknown),
            Err(_elapsed) => {
                wire.unanswered_since(sent_at);
                Err(StoreError::OutcomeUnknown)
            }
        }
    }

    async fn place(&self, wire: &Wire) -> Result<OwnedSemaphorePermit, StoreError> {
        match timeout(self.limits.answer_max(), Arc::clone(&wire.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_closed)) => Err(StoreError::Unavailable("the connection ended".to_owned())),
            Err(_elapsed) => Err(StoreError::Unavailable("Redis is too slow for what it is asked".to_owned())),
        }
    }

    /// One command and its reply, however long that takes; `None` when the connection ended.
    pub(super) async fn exchange(&self, wire: &Arc<Wire>, command: &Cmd) -> Option<Value> {
        let mut connection = wire.connection.clone();
        self.outcome(wire, connection.send_packed_command(command)).await
    }

    /// The same for a pipeline of `count` commands.
    pub(super) async fn exchange_all(&self, wire: &Arc<Wire>, commands: &Pipeline, count: usize) -> Option<Vec<Value>> {
        let mut connection = wire.connection.clone();
        self.outcome(wire, connection.send_packed_commands(commands, 0, count)).await
    }

    async fn outcome<T>(&self, wire: &Arc<Wire>, reply: impl Future<Output = RedisResult<T>>) -> Option<T> {
        let mut ended = wire.ended.subscribe();
        let reply = tokio::select! {
            biased;
            reply = reply => reply,
            _ = ended.wait_for(|ended| *ended) => return None,
        };
        match reply {
            Ok(reply) => {
                wire.heard();
                Some(reply)
            }
            Err(error) => {
                self.cut(wire, &format!("the connection ended: {error}"));
                None
            }
        }
    }
}

impl Wire {
    /// How many more commands it takes at once.
    pub(super) fn room(&self) -> usize {
        self.places.available_permits()
    }

    /// Nothing was heard for as long as an answer may take, though something was asked.
    pub(super) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Acquire)
    }

    /// Returns when the connection has ended.
    pub(super) async fn ended(&self) {
        let mut ended = self.ended.subscribe();
        let _the_wire_is_there = ended.wait_for(|ended| *ended).await;
    }

    pub(super) fn heard_within(&self, span: Duration) -> bool {
        self.heard_at().elapsed() < span
    }

    /// Something asked then has got no answer in time. If nothing else was heard since, the connection is silent.
    pub(super) fn unanswered_since(&self, asked_at: Instant) {
        if self.heard_at() < asked_at {
            self.silent.store(true, Ordering::Release);
        }
    }

    fn heard(&self) {
        let now = u64::try_from(self.connected_at.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.heard_ns.store(now, Ordering::Release);
        if self.is_silent() {
            self.silent.store(false, Ordering::Release);
        }
    }

    fn heard_at(&self) -> Instant {
        self.connected_at + Duration::from_nanos(self.heard_ns.load(Ordering::Acquire))
    }
}
