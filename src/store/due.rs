//! When something of each organisation next falls due: one sorted set, `rc:due`, for all organisations and instances.
//!
//! With it a ticker asks one question for any number of organisations. The set is a lower bound: an entry may be earlier
//! than the truth, which costs one call for nothing, and is never later. So anybody may lower an entry, and it is
//! raised only once its instant has come, after everything due was carried out, by an instance that then looks at the
//! organisation's timers again: what another one lowered meanwhile is lowered once more. An entry that an instance knows
//! to be in the set stands there until its instant, which is why most calls have nothing to tell.
//!
//! While the clock is set, nothing falls due by itself and instants say nothing: a mark in the set says so.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use redis::{Cmd, FromRedisValue};

use super::error::StoreError;
use super::lanes::Lanes;
use super::reply::corrupt;
use super::{Store, keys};
use crate::domain::ids::OrgId;

/// Stands in the set while the clock is set; no organisation can be called that.
const SET_CLOCK: &str = ":clock";

/// How far the clocks by which two instances judge "now" may be apart.
const SKEW_MS: i64 = 1_000;

/// How soon an organisation whose settling failed has its next turn. Meanwhile it is in nobody's way.
const RETRY_MS: i64 = 1_000;

/// Who has something due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// The clock is set: each has to be asked.
    Anybody,
    /// The longest due first.
    These(Vec<OrgId>),
}

/// What this instance knows of the set. Cheap to clone.
#[derive(Clone)]
pub(super) struct Dues(Arc<Shared>);

struct Shared {
    lanes: Lanes,
    /// An instant per organisation that is in the set or was, and stays there until it has come.
    known: Mutex<HashMap<OrgId, i64>>,
    /// Organisations of which something may have been missed.
    doubted: Mutex<HashSet<OrgId>>,
    /// The server's clock, when it was last read.
    clock: Mutex<Option<(Instant, i64)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dues {
    pub(super) fn new(lanes: Lanes) -> Dues {
        let (known, doubted, clock) = (Mutex::default(), Mutex::default(), Mutex::new(None));
        Dues(Arc::new(Shared { lanes, known, doubted, clock }))
    }

    /// A call said when its organisation's next thing falls due. The caller does not wait for this note.
    pub(super) fn note(&self, org: &OrgId, due: i64) {
        let passed = self.now().map(|now| now + SKEW_MS);
        {
            let mut known = locked(&self.0.known);
            let covers = |instant: i64| instant <= due && passed.is_some_and(|passed| instant > passed);
            if known.get(org).copied().is_some_and(covers) {
                return;
            }
            known.insert(org.clone(), due);
        }
        let (dues, org) = (self.clone(), org.clone());
        tokio::spawn(async move {
            if dues.lower(&[(&org, due)]).await.is_err() {
                dues.doubt(&org);
            }
        });
    }

    /// A call's reply is lost, or could not be told: the organisation is looked at in the next round.
    pub(super) fn doubt(&self, org: &OrgId) {
        locked(&self.0.doubted).insert(org.clone());
    }

    /// The server's clock by ours, once it was read.
    fn now(&self) -> Option<i64> {
        let (read_at, ms) = (*locked(&self.0.clock))?;
        i64::try_from(read_at.elapsed().as_millis()).ok().map(|since| ms + since)
    }

    async fn lower(&self, dues: &[(&OrgId, i64)]) -> Result<(), StoreError> {
        let mut command = redis::cmd("ZADD");
        command.arg(keys::DUE).arg("LT");
        for (org, due) in dues {
            command.arg(due).arg(org.as_str());
        }
        self.0.lanes.call(&command).await.map(|_| ())
    }

    async fn put(&self, member: &str, due: i64) -> Result<(), StoreError> {
        self.0.lanes.call(redis::cmd("ZADD").arg(keys::DUE).arg(due).arg(member)).await.map(|_| ())
    }

    async fn remove(&self, member: &str) -> Result<(), StoreError> {
        self.0.lanes.call(redis::cmd("ZREM").arg(keys::DUE).arg(member)).await.map(|_| ())
    }

    /// The first instant among an organisation's timers.
    async fn first_timer(&self, org: &OrgId) -> Result<Option<i64>, StoreError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(keys::timers(org)).arg(0).arg(0).arg("WITHSCORES");
        let timers: Vec<(String, f64)> = self.ask(&command).await?;
        Ok(timers.first().map(|(_, at)| *at as i64))
    }

    /// Everything due was carried out, and this is the next. See the head of this file for the second look.
    async fn raise(&self, org: &OrgId, next: Option<i64>) -> Result<(), StoreError> {
        match next {
            Some(next) => self.put(org.as_str(), next).await?,
            None => self.remove(org.as_str()).await?,
        }
        let first = self.first_timer(org).await?;
        if let Some(first) = first.filter(|first| next.is_none_or(|next| *first < next)) {
            self.lower(&[(org, first)]).await?;
        }
        match first.into_iter().chain(next).min() {
            Some(instant) => locked(&self.0.known).insert(org.clone(), instant),
            None => locked(&self.0.known).remove(org),
        };
        Ok(())
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        T::from_redis_value(self.0.lanes.call(command).await?).map_err(corrupt)
    }

    /// From now on instants say nothing, or do so again.
    pub(super) async fn clock_is_set(&self, set: bool) -> Result<(), StoreError> {
        if set { self.put(SET_CLOCK, 0).await } else { self.remove(SET_CLOCK).await }
    }
}

impl Store {
    /// Reads the server's clock in milliseconds, by which [`Store::due`] judges until it is read again.
    pub async fn read_clock(&self) -> Result<i64, StoreError> {
        let (seconds, micros): (i64, i64) = self.dues.ask(&redis::cmd("TIME")).await?;
        let now = seconds * 1_000 + micros / 1_000;
        *locked(&self.dues.0.clock) = Some((Instant::now(), now));
        Ok(now)
    }

    /// Who has something due, at most `most` of them.
    pub async fn due(&self, most: usize) -> Result<Due, StoreError> {
        let now = self.server_now().await?;
        let doubted: Vec<OrgId> = locked(&self.dues.0.doubted).iter().cloned().collect();
        if !doubted.is_empty() {
            let at_once: Vec<(&OrgId, i64)> = doubted.iter().map(|org| (org, 0)).collect();
            self.dues.lower(&at_once).await?;
            locked(&self.dues.0.doubted).retain(|org| !doubted.contains(org));
        }
        let mut question = redis::cmd("ZRANGEBYSCORE");
        question.arg(keys::DUE).arg("-inf").arg(now).arg("LIMIT").arg(0).arg(most);
        let found: Vec<String> = self.dues.ask(&question).await?;
        if found.iter().any(|member| member == SET_CLOCK) {
            return Ok(Due::Anybody);
        }
        Ok(Due::These(found.iter().filter_map(|id| id.parse().ok()).collect()))
    }

    /// Carries out what is due in an organisation, and records when the next thing is.
    pub async fn settle_due(&self, org: &OrgId) -> Result<(), StoreError> {
        let settled = match self.settle(org).await {
            Ok(next) => self.dues.raise(org, next.map(|next| next.timestamp_millis())).await,
            Err(error) => Err(error),
        };
        if settled.is_err() {
            // Redis may be away. Then the entry stays as it is, and the next round finds it.
            let _ = self.postpone(org).await;
        }
        settled
    }

    async fn postpone(&self, org: &OrgId) -> Result<(), StoreError> {
        let now = self.server_now().await?;
        self.dues.put(org.as_str(), now + RETRY_MS).await
    }

    async fn server_now(&self) -> Result<i64, StoreError> {
        match self.dues.now() {
            Some(now) => Ok(now),
            None => self.read_clock().await,
        }
    }

    /// Brings the mark of a set clock in line with the clock; the caller that set the clock may have died before it did.
    pub async fn mend_clock(&self) -> Result<(), StoreError> {
        let set: bool = self.dues.ask(redis::cmd("EXISTS").arg(keys::CLOCK)).await?;
        self.dues.clock_is_set(set).await
    }

    /// Compares the set with the timers of these organisations, and adds what is missing.
    pub async fn mend_dues(&self, orgs: &[OrgId]) -> Result<(), StoreError> {
        if orgs.is_empty() {
            return Ok(());
        }
        let mut question = redis::cmd("ZMSCORE");
        question.arg(keys::DUE);
        orgs.iter().for_each(|org| _ = question.arg(org.as_str()));
        let recorded: Vec<Option<f64>> = self.dues.ask(&question).await?;
        for (org, recorded) in orgs.iter().zip(recorded) {
            if let Some(first) = self.dues.first_timer(org).await?
                && recorded.is_none_or(|recorded| recorded as i64 > first)
            {
                self.dues.lower(&[(org, first)]).await?;
            }
        }
        Ok(())
    }
}
