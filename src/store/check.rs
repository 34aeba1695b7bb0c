//! The invariants of `DESIGN.md`, checked against what is in Redis: `rollcall check`, and the end of every test.
//!
//! An organisation is read key by key and compared with itself: counters with the sets they count, sets with bookings,
//! bookings with the events that made them, the ledger with what members owe. A message names the invariant it breaks by
//! the number it has there. Whether somebody who waits could have a free spot is the one question put to the atomic core;
//! everything else is judged here, by other code than the one that wrote it.
//!
//! It repairs nothing. While an organisation is busy it is looked at again, so that a change between two reads does not
//! pass for damage.

mod classes;
mod history;
mod ledger;
mod line;
mod members;
mod picture;
mod read;
mod timers;

use std::collections::BTreeSet;
use std::time::Duration;

use super::durability::{Durability, DurabilityPolicy};
use super::error::StoreError;
use super::lanes::{LaneLimits, Lanes};
use super::library::Library;
use super::target::RedisTarget;
use super::{Store, keys, next_cursor, split_cursor};
use crate::domain::ids::OrgId;
use picture::Picture;

/// How long `rollcall check` waits for Redis.
const REDIS_WAIT: Duration = Duration::from_secs(3);

/// How often an organisation that keeps changing is looked at. What every look finds is there to stay.
const LOOKS_MAX: usize = 5;

/// What was found to be wrong with one organisation.
struct Findings {
    org: OrgId,
    broken: Vec<String>,
}

impl Findings {
    fn broken(&mut self, invariant: u8, what: impl std::fmt::Display) {
        self.broken.push(format!("org {}: invariant {invariant}: {what}", self.org));
    }
}

/// What a check read, and what it found.
#[derive(Debug, Default)]
pub struct Report {
    pub read: Read,
    /// Every broken invariant, a sentence each.
    pub broken: Vec<String>,
}

/// How much there was to be read: nothing is right with an empty Redis, and nothing wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub orgs: usize,
    pub members: usize,
    pub classes: usize,
    pub bookings: usize,
    pub events: usize,
}

impl Read {
    fn of(picture: &Picture) -> Read {
        Read {
            orgs: 1,
            members: picture.members.len(),
            classes: picture.classes.len(),
            bookings: picture.bookings.len(),
            events: picture.events.len(),
        }
    }

    fn add(&mut self, other: Read) {
        self.orgs += other.orgs;
        self.members += other.members;
        self.classes += other.classes;
        self.bookings += other.bookings;
        self.events += other.events;
    }
}

impl std::fmt::Display for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Read { orgs, members, classes, bookings, events } = self;
        write!(
            f,
            "read {orgs} organisations, {members} members, {classes} classes, {bookings} bookings and {events} events"
        )
    }
}

/// Checks every organisation of a Redis.
///
/// # Errors
/// `Unavailable` when it cannot be reached in time.
pub async fn run(target: &RedisTarget) -> Result<Report, StoreError> {
    let lanes = Lanes::open(target, 0, LaneLimits::default())?;
    lanes.ready(REDIS_WAIT).await?;
    Store::new(lanes, Library::default(), Durability::new(DurabilityPolicy::Any)).check_all().await
}

impl Store {
    /// Every broken invariant of every organisation, a sentence each.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.check_all().await?.broken)
    }

    /// The same, with what was read.
    pub async fn check_all(&self) -> Result<Report, StoreError> {
        let Report { mut read, mut broken } = Report::default();
        let mut orgs: BTreeSet<OrgId> = self.orgs().await?.into_iter().collect();
        let mut found = BTreeSet::new();
        for key in read::keys(&self.lanes, "rc:*").await? {
            match keys::org_of(&key) {
                Some(org) => _ = found.insert(org),
                None if keys::is_shared(&key) => {}
                None => broken.push(format!("no org: invariant 8: nothing is known of a key {key}")),
            }
        }
        for org in found {
            if orgs.insert(org.clone()) {
                broken.push(format!("org {org}: invariant 8: has keys and is not among the organisations"));
            }
        }
        for org in &orgs {
            let found = self.checked(org).await?;
            read.add(found.read);
            broken.extend(found.broken);
        }
        Ok(Report { read, broken })
    }

    /// Every broken invariant of one organisation.
    pub async fn check_org(&self, org: &OrgId) -> Result<Vec<String>, StoreError> {
        Ok(self.checked(org).await?.broken)
    }

    async fn checked(&self, org: &OrgId) -> Result<Report, StoreError> {
        let mut lasting: Option<Report> = None;
        for _ in 0..LOOKS_MAX {
            let (mut again, calm) = self.look(org).await?;
            if calm {
                return Ok(again);
            }
            again.broken.retain(|what| lasting.as_ref().is_none_or(|lasting| lasting.broken.contains(what)));
            if again.broken.is_empty() {
                return Ok(again);
            }
            lasting = Some(again);
        }
        Ok(lasting.unwrap_or_default())
    }

    /// One look; and whether nothing changed meanwhile.
    async fn look(&self, org: &OrgId) -> Result<(Report, bool), StoreError> {
        let mut findings = Findings { org: org.clone(), broken: Vec::new() };
        self.unrest(org, &mut findings).await?;
        let before = read::changes(&self.lanes, org).await?;
        let picture = Picture::take(&self.lanes, org, &mut findings).await?;
        let calm = read::changes(&self.lanes, org).await? == before;
        if picture.settings.is_empty() {
            return Ok((Report { read: Read::default(), broken: findings.broken }, calm));
        }
        classes::check(&picture, &mut findings);
        members::check(&picture, &mut findings);
        timers::check(&picture, &mut findings);
        history::check(&picture, &mut findings);
        ledger::check(&picture, &mut findings);
        Ok((Report { read: Read::of(&picture), broken: findings.broken }, calm))
    }

    /// Asks the atomic core which classes it would still change.
    async fn unrest(&self, org: &OrgId, findings: &mut Findings) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let (start, id) = split_cursor(after.as_deref()).unwrap_or_default();
            let mut reply = match self.read(org, "read_unrest", &[start, id]).await {
                Err(StoreError::Corrupt(why)) => {
                    findings.broken(3, format!("who may be promoted cannot be judged: {why}"));
                    return Ok(());
                }
                reply => reply?,
            };
            if reply.tag != "UNREST" {
                return Ok(());
            }
            let next = next_cursor(&mut reply)?;
            while !reply.is_empty() {
                let class = reply.text()?;
                findings.broken(
                    3,
                    format!(
                        "class {class} is not at rest: who waits could have a free spot, or its reservation is wrong"
                    ),
                );
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
