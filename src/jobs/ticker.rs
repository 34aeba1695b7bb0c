//! The ticker: asks the store, four times a second, who has something due, and has it carried out.
//!
//! It announces, it does not decide: every function that touches a class settles what is due first, so nothing ever
//! waits for a tick. It keeps no list of its own and knows no rule. What the question costs does not depend on how many
//! organisations there are, and an organisation that takes long is in nobody's way.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::domain::ids::OrgId;
use crate::store::Store;
use crate::store::due::Due;
use crate::store::error::StoreError;

/// Between two questions; what is due is announced at most this late.
const TICK: Duration = Duration::from_millis(250);

/// Organisations settled at once. Redis does one thing at a time; a few more keep it busy while others answer.
const SETTLING_MAX: usize = 16;

/// Ticks between two readings of the server's clock: ten seconds, in which two clocks do not drift apart.
const TICKS_PER_CLOCK: u32 = 40;

/// Every organisation is compared with the store's list of what is due once in this time, so that an entry that was
/// missed (an instance died between a change and its telling) heals.
const MEND_ROUND: Duration = Duration::from_secs(600);

/// Between two steps of that round.
const MEND_STEP: Duration = Duration::from_secs(5);

/// Organisations compared in one step of the round at the start, which does not rest.
const MEND_AT_START: usize = 100;

/// Has what is due carried out, organisation by organisation.
pub struct Ticker {
    store: Store,
    ticks: u32,
    under_way: JoinSet<(OrgId, Result<(), StoreError>)>,
    busy: HashSet<OrgId>,
    /// The kinds of error said since the last round without one.
    said: HashSet<Discriminant<StoreError>>,
}

impl Ticker {
    pub fn new(store: Store) -> Ticker {
        Ticker { store, ticks: 0, under_way: JoinSet::new(), busy: HashSet::new(), said: HashSet::new() }
    }

    /// One tick, until everything that was due is carried out.
    ///
    /// # Errors
    /// The first error; the other organisations are settled nevertheless.
    pub async fn run_once(&mut self) -> Result<(), StoreError> {
        let mut round = Ok(());
        loop {
            let found = self.tick().await?;
            while let Some(done) = self.under_way.join_next().await {
                round = round.and(self.done(done));
            }
            if found < SETTLING_MAX {
                return round;
            }
        }
    }

    /// Ticks for as long as it is polled.
    pub async fn run(mut self) {
        let store = self.store.clone();
        tokio::join!(mend(store), async move {
            loop {
                let mut round = self.tick().await.map(|_| ());
                if self.busy.len() < SETTLING_MAX {
                    sleep(TICK).await;
                } else if let Some(done) = self.under_way.join_next().await {
                    round = round.and(self.done(done));
                }
                while let Some(done) = self.under_way.try_join_next() {
                    round = round.and(self.done(done));
                }
                self.say(round);
            }
        });
    }

    /// Begins to settle who has something due, and says how many were begun.
    async fn tick(&mut self) -> Result<usize, StoreError> {
        if self.ticks.is_multiple_of(TICKS_PER_CLOCK) {
            self.store.read_clock().await?;
        }
        self.ticks = self.ticks.wrapping_add(1);
        let due = match self.store.due(2 * SETTLING_MAX).await? {
            Due::These(orgs) => orgs,
            Due::Anybody => return self.ask_everybody().await.map(|()| 0),
        };
        let room = SETTLING_MAX - self.busy.len();
        let begun: Vec<OrgId> = due.into_iter().filter(|org| !self.busy.contains(org)).take(room).collect();
        for org in &begun {
            let (store, org) = (self.store.clone(), org.clone());
            self.busy.insert(org.clone());
            self.under_way.spawn(async move {
                let settled = store.settle_due(&org).await;
                (org, settled)
            });
        }
        Ok(begun.len())
    }

    /// The clock is set, for tests and demonstrations: instants say nothing, so each organisation is settled in turn.
    async fn ask_everybody(&self) -> Result<(), StoreError> {
        let mut failed = None;
        for org in self.store.orgs().await? {
            if let Err(error) = self.store.settle(&org).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn done(
        &mut self,
        done: Result<(OrgId, Result<(), StoreError>), tokio::task::JoinError>,
    ) -> Result<(), StoreError> {
        let (org, settled) = done.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        self.busy.remove(&org);
        settled
    }

    /// Logs each kind of error once, until a round succeeds.
    fn say(&mut self, round: Result<(), StoreError>) {
        match round {
            Ok(()) if !self.said.is_empty() => {
                self.said.clear();
                info!("the ticker settles what is due again");
            }
            Ok(()) => {}
            Err(error) => {
                if self.said.insert(discriminant(&error)) {
                    warn!("the ticker cannot settle what is due: {error}");
                }
            }
        }
    }
}

/// Compares every organisation with the list of what is due: all of them at the start, then a few at a time.
async fn mend(store: Store) {
    let mut started = false;
    loop {
        let orgs = store.orgs().await.unwrap_or_default();
        let steps = MEND_ROUND.as_millis().div_ceil(MEND_STEP.as_millis());
        let a_step = if started { orgs.len().div_ceil(usize::try_from(steps).unwrap_or(1)) } else { MEND_AT_START };
        let mut mended = store.mend_clock().await.is_ok();
        for orgs in orgs.chunks(a_step.max(1)) {
            // Redis is away or busy: the ticker says so, and the next round looks again.
            mended &= store.mend_dues(orgs).await.is_ok();
            if started {
                sleep(MEND_STEP).await;
            }
        }
        started |= mended && !orgs.is_empty();
        sleep(MEND_STEP).await;
    }
}
