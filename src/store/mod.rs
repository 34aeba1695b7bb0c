//! The only room that speaks Redis.
//!
//! Each change is one call of one function in `lua/`, which checks everything, then writes everything and appends the
//! events. This side turns domain values into arguments and replies into domain values; it decides nothing. Every call
//! of an organisation first settles what is due there, so no answer depends on whether a ticker ran.

pub mod keys;
mod reply;

pub mod error;
pub mod target;

pub mod durability;
pub mod embedded;
mod program;

mod commit;
mod lane;
pub mod lanes;
pub mod library;

pub mod due;
pub mod gate;
pub mod payer;

pub mod attendance;
pub mod bookings;
pub mod classes;
pub mod clock;
pub mod closures;
mod directory;
pub mod erasure;
pub mod events;
pub mod fees;
pub mod layout;
pub mod members;
pub mod orgs;
pub mod parts;
pub mod reports;
pub mod retention;
pub mod series;
pub mod tail;

pub mod check;

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use redis::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::domain::caller::By;
use crate::domain::ids::OrgId;
use crate::domain::refusal::Refusal;
use directory::Countries;
use due::Dues;
use durability::Durability;
use error::StoreError;
use gate::{Gate, Kind, Place};
use lane::Witness;
use lanes::Lanes;
use library::Library;
use payer::Payer;
use reply::Reply;

/// How long a call waits for its turn and for what is due to be carried out; then it is told to come back, with nothing
/// done. What an outage leaves behind is the ticker's to work off.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// What a call costs Redis before it looks at anything, in things looked at.
const CALL_THINGS: u32 = 5;

/// How often a change whose terms were computed outside may find that something moved in between.
const RETRIES_MAX: usize = 16;

/// How long Redis keeps the reply of a call with the caller's own key: longer than the 24 h in which it is honoured.
const KEYED_MS: u64 = 25 * 3_600_000;

/// How long Redis keeps the reply of a call without one: long enough for a driver that repeats by itself.
const UNKEYED_MS: u64 = 60_000;

/// Bookings, classes and members, as they are in Redis. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    lanes: Lanes,
    library: Library,
    durability: Durability,
    gate: Gate,
    dues: Dues,
    countries: Countries,
}

/// One mutating call: where, by whom, and the command it is remembered under.
#[derive(Clone, Debug)]
pub struct Write {
    pub org: OrgId,
    pub by: By,
    pub command: Command,
}

/// What makes a repeated call the same call.
#[derive(Clone, Debug)]
pub struct Command {
    /// Unique within the organisation: the caller and their key, or a fresh id.
    pub id: String,
    /// Method, path and body, hashed.
    pub fingerprint: String,
    /// Whether the caller chose the key, and may repeat it for 24 h.
    pub keyed: bool,
}

/// What a call came to, with its place in the event stream and the zone its instants are shown in.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    pub outcome: Result<T, Refusal>,
    pub cursor: String,
    pub zone: Tz,
}

/// One page of a list, and where the next begins.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl Command {
    /// A command nobody will repeat but a driver.
    pub fn fresh() -> Command {
        Command { id: Uuid::new_v4().to_string(), fingerprint: String::new(), keyed: false }
    }
}

impl Store {
    pub fn new(lanes: Lanes, library: Library, durability: Durability) -> Store {
        let dues = Dues::new(lanes.clone());
        Store { lanes, library, durability, gate: Gate::default(), dues, countries: Countries::default() }
    }

    /// Makes sure the library is there.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.library.load(&self.lanes).await
    }

    /// Whether Redis answers and writes are allowed.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.lanes.call(&redis::cmd("PING")).await?;
        self.durability.check_writes()
    }

    async fn read(&self, org: &OrgId, function: &str, args: &[&str]) -> Result<Reply, StoreError> {
        self.settled(org, Kind::Read, function, &without_time(args)).await
    }

    /// Changes what nobody asked to be changed, and may be repeated at any time.
    async fn upkeep(&self, org: &OrgId, function: &str, args: &[&str]) -> Result<Reply, StoreError> {
        self.settled(org, Kind::Write, function, &without_time(args)).await
    }

    async fn write(&self, write: &Write, function: &str, args: &[&str]) -> Result<Reply, StoreError> {
        self.durability.check_writes()?;
        let Write { org, by, command } = write;
        let keep = if command.keyed { KEYED_MS } else { UNKEYED_MS }.to_string();
        let mut all = vec!["", &by.sub, &by.role, &command.id, &command.fingerprint, &keep];
        all.extend_from_slice(args);
        self.settled(org, Kind::Write, function, &all).await
    }

    /// Calls, and calls again while more is due, or to be done, than one call carries out: then one call of the
    /// organisation at a time.
    async fn settled(&self, org: &OrgId, kind: Kind, function: &str, args: &[&str]) -> Result<Reply, StoreError> {
        let (payer, deadline) = (Payer::current(), Instant::now() + WAIT_MAX);
        let kind = if payer.as_ref().is_some_and(|payer| !payer.reads) { Kind::Write } else { kind };
        let place = Arc::new(self.gate.enter(org, kind, payer.as_deref(), deadline).await?);
        let (dues, held) = (self.dues.clone(), Arc::clone(&place));
        let watch = Arc::new(Watch { org: org.clone(), dues, payer, _place: held });
        let lanes = match kind {
            Kind::Read => self.lanes.reading(),
            Kind::Write => self.lanes.clone(),
        };
        let (lanes, anchor) = (lanes.watched_by(watch), keys::anchor(org));
        let call = async || Reply::parse(self.library.fcall(&lanes, function, &anchor, args).await?);
        let mut reply = call().await?;
        if !reply.is_unfinished() {
            return Ok(reply);
        }
        let mut begun = false;
        let finished = async {
            let _alone = place.alone(deadline).await?;
            while Instant::now() < deadline {
                begun |= reply.tag == "BEGUN";
                if reply.tag == "ASK" {
                    self.answer_question(org, &mut reply).await?;
                }
                reply = call().await?;
                if !reply.is_unfinished() {
                    return Ok(reply);
                }
            }
            Err(StoreError::Unavailable("more is due than can be settled at once".to_owned()))
        };
        let finished = finished.await;
        // What has begun is carried out to its end by the next call; only its answer is not there yet.
        finished.map_err(|error| if begun { StoreError::OutcomeUnknown } else { error })
    }

    /// Sends what only this side can compute and a function needs before it can go on.
    async fn answer_question(&self, org: &OrgId, asked: &mut Reply) -> Result<(), StoreError> {
        match asked.text()?.as_str() {
            "terms" => self.send_terms(org, asked).await,
            "names" => self.send_names(org, asked).await,
            other => Err(reply::corrupt(format!("a function asks for {other}"))),
        }
    }
}

/// By the node's clock.
fn without_time<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec![""];
    all.extend_from_slice(args);
    all
}

/// Hears the replies of one call, also when its caller has gone: who pays for it, and when something is due next. The
/// call keeps its place meanwhile.
struct Watch {
    org: OrgId,
    dues: Dues,
    payer: Option<Arc<Payer>>,
    _place: Arc<Place>,
}

impl Witness for Watch {
    fn heard(&self, reply: Option<&Value>) {
        match reply.map(reply::cost_and_due) {
            Some(Some((things, due))) => {
                if let Some(payer) = &self.payer {
                    payer.pays(things.saturating_add(CALL_THINGS));
                }
                if let Some(due) = due {
                    self.dues.note(&self.org, due);
                }
            }
            // An error reply did nothing.
            Some(None) => {}
            None => self.dues.doubt(&self.org),
        }
    }
}

impl<T> Answer<T> {
    fn refused(reply: &Reply, refusal: Refusal) -> Answer<T> {
        Answer { outcome: Err(refusal), cursor: reply.cursor.clone(), zone: reply.zone }
    }

    /// Reads the payload of a reply that is not a refusal.
    fn of(mut reply: Reply, read: impl FnOnce(&mut Reply) -> Result<T, StoreError>) -> Result<Answer<T>, StoreError> {
        let outcome = if reply.tag == "REFUSED" { Err(reply.refusal()?) } else { Ok(read(&mut reply)?) };
        Ok(Answer { outcome, cursor: reply.cursor, zone: reply.zone })
    }

    /// The same answer with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { outcome: self.outcome.map(f), cursor: self.cursor, zone: self.zone }
    }
}

/// A cursor of two parts; `None` where it is not one.
fn split_cursor(cursor: Option<&str>) -> Option<(&str, &str)> {
    match cursor {
        None => Some(("", "")),
        Some(cursor) => cursor.split_once(':').filter(|(score, _)| score.parse::<i64>().is_ok()),
    }
}

/// The cursor of the next page from the two texts that a listing function says.
fn next_cursor(reply: &mut Reply) -> Result<Option<String>, StoreError> {
    let (score, id) = (reply.text()?, reply.text()?);
    Ok(if score.is_empty() { None } else { Some(format!("{score}:{id}")) })
}
