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
pub mod lanes;
pub mod library;

pub mod attendance;
pub mod bookings;
pub mod classes;
pub mod clock;
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

use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::caller::By;
use crate::domain::ids::OrgId;
use crate::domain::refusal::Refusal;
use durability::Durability;
use error::StoreError;
use lanes::Lanes;
use library::Library;
use reply::Reply;

/// How often a call may find more due than one call carries out. With 100 items a call, an outage that leaves more
/// behind is the ticker's to work off, and the caller is told to come back.
const SETTLE_CALLS_MAX: usize = 2000;

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
        Store { lanes, library, durability }
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
        let mut all = vec![""];
        all.extend_from_slice(args);
        self.settled(org, function, &all).await
    }

    async fn write(&self, write: &Write, function: &str, args: &[&str]) -> Result<Reply, StoreError> {
        self.durability.check_writes()?;
        let Write { org, by, command } = write;
        let keep = if command.keyed { KEYED_MS } else { UNKEYED_MS }.to_string();
        let mut all = vec!["", &by.sub, &by.role, &command.id, &command.fingerprint, &keep];
        all.extend_from_slice(args);
        self.settled(org, function, &all).await
    }

    /// Calls again while more is due than one call carries out.
    async fn settled(&self, org: &OrgId, function: &str, args: &[&str]) -> Result<Reply, StoreError> {
        let anchor = keys::anchor(org);
        for _ in 0..SETTLE_CALLS_MAX {
            let mut reply = Reply::parse(self.library.fcall(&self.lanes, function, &anchor, args).await?)?;
            match reply.tag.as_str() {
                "AGAIN" => {}
                "ASK" => self.answer_question(org, &mut reply).await?,
                _ => return Ok(reply),
            }
        }
        Err(StoreError::Unavailable("more is due than can be settled at once".to_owned()))
    }

    /// Sends what only this side can compute and a function needs before it can go on.
    async fn answer_question(&self, org: &OrgId, asked: &mut Reply) -> Result<(), StoreError> {
        match asked.text()?.as_str() {
            "terms" => self.send_terms(org, asked).await,
            other => Err(reply::corrupt(format!("a function asks for {other}"))),
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
