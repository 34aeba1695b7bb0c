//! The tail of an organisation's event stream: every event after a known one, in order, as they come.
//!
//! It starts from an id, never from "now", on a connection of its own, and comes back to where it was after any break.
//! Redis itself would skip silently what was trimmed or lost; here the numbers of events must be contiguous and the
//! epoch must stay, and where that fails the tail says so and ends: whoever follows reads afresh.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::StreamReadReply;
use redis::{FromRedisValue, Value};
use tokio::time::{sleep, timeout};

use super::error::StoreError;
use super::events::event;
use super::lanes::{judged, pause};
use super::parts::Moment;
use super::reply::corrupt;
use super::{Store, keys};
use crate::domain::event::Event;
use crate::domain::ids::OrgId;

/// Events taken from the stream at once.
const BATCH_MAX: usize = 500;

/// How long a read waits for events. After each wait in vain the tail makes sure that there were none.
const BLOCK_MS: u64 = 1_000;

/// How long Redis may take to answer beyond that.
const ANSWER_MS_MAX: u64 = 3_000;

/// What a tail found.
#[derive(Debug)]
pub enum TailStep {
    /// The next events; never empty, and contiguous with those before.
    Events(Vec<NumberedEvent>),
    /// Events may be missing or were never true. The tail has ended.
    Broken(String),
}

/// An event and its change number.
#[derive(Clone, Debug)]
pub struct NumberedEvent {
    pub number: u64,
    pub event: Event,
}

/// Follows one organisation.
pub struct Tail {
    store: Store,
    org: OrgId,
    epoch: String,
    last: String,
    number: u64,
    connection: Option<MultiplexedConnection>,
    failures: u32,
    /// A look at the organisation said that there are more events than came.
    behind: bool,
}

impl Store {
    /// What comes after a moment that was read.
    pub fn tail(&self, org: &OrgId, from: &Moment) -> Tail {
        Tail {
            store: self.clone(),
            org: org.clone(),
            epoch: from.epoch.clone(),
            last: from.cursor.clone(),
            number: from.version,
            connection: None,
            failures: 0,
            behind: false,
        }
    }
}

impl Tail {
    /// Waits for the next events, for as long as it takes. A Redis that is away is waited for too.
    pub async fn next(&mut self) -> TailStep {
        loop {
            match self.step().await {
                Ok(Some(step)) => return step,
                Ok(None) => self.failures = 0,
                Err(error) => {
                    tracing::debug!(org = %self.org, %error, "the tail of {} was interrupted: {error}", self.org);
                    self.connection = None;
                    sleep(pause(self.failures)).await;
                    self.failures += 1;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<TailStep>, StoreError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                let connection = self.store.lanes.alone().await?;
                let fresh = self.connection.insert(connection);
                // Whatever answers now may be another server than before.
                if let Some(broken) = look(&self.store, &self.org, &self.epoch, self.number).await?.0 {
                    return Ok(Some(broken));
                }
                fresh
            }
        };
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(BATCH_MAX).arg("BLOCK").arg(BLOCK_MS);
        command.arg("STREAMS").arg(keys::events(&self.org)).arg(&self.last);
        let wait = Duration::from_millis(BLOCK_MS + ANSWER_MS_MAX);
        let answer = timeout(wait, connection.send_packed_command(&command)).await;
        let reply = match answer {
            Ok(Ok(reply)) => judged(reply)?,
            Ok(Err(error)) => return Err(StoreError::Unavailable(error.to_string())),
            Err(_) => return Err(StoreError::Unavailable("the tail got no answer".to_owned())),
        };
        if reply == Value::Nil {
            return self.nothing().await;
        }
        // What cannot be read now cannot be read later either.
        let unreadable = |error: StoreError| TailStep::Broken(error.to_string());
        Ok(Some(self.taken(reply).unwrap_or_else(unreadable)))
    }

    /// Nothing came. Either nothing happened, or it happened and is gone from the stream.
    async fn nothing(&mut self) -> Result<Option<TailStep>, StoreError> {
        let (broken, ahead) = look(&self.store, &self.org, &self.epoch, self.number).await?;
        if ahead && self.behind {
            return Ok(Some(TailStep::Broken("events are missing from the stream".to_owned())));
        }
        self.behind = ahead;
        Ok(broken)
    }

    fn taken(&mut self, reply: Value) -> Result<TailStep, StoreError> {
        let reply = StreamReadReply::from_redis_value(reply).map_err(corrupt)?;
        let mut events = Vec::new();
        for entry in reply.keys.into_iter().flat_map(|key| key.ids) {
            let number = entry.id.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
            let number: u64 = number.ok_or_else(|| corrupt(format!("event id {}", entry.id)))?;
            if number != self.number + 1 {
                let why = format!("event {number} came after {}", self.number);
                return Ok(TailStep::Broken(why));
            }
            let line: String = entry.get("line").ok_or_else(|| corrupt(format!("event {} has no line", entry.id)))?;
            events.push(NumberedEvent { number, event: event(entry.id.clone(), &line)? });
            self.number = number;
            self.last = entry.id;
        }
        self.behind = false;
        Ok(TailStep::Events(events))
    }
}

/// Looks at the organisation itself: what breaks the tail, and whether there are events it has not seen.
async fn look(store: &Store, org: &OrgId, epoch: &str, number: u64) -> Result<(Option<TailStep>, bool), StoreError> {
    let broken = |why: &str| Ok((Some(TailStep::Broken(why.to_owned())), false));
    let Some(now) = store.parts(org, &[]).await? else { return broken("the organisation is gone") };
    if now.epoch != epoch {
        return broken("Redis restarted or failed over");
    }
    if now.version < number {
        return broken("events are lost");
    }
    Ok((None, now.version > number))
}
