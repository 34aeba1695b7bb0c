//! The keeper: brings an older layout of keys up to date, publishes recurring classes ahead, trims what retention no
//! longer keeps, and has the disk forget erased members.
//!
//! All of it may be late by days without anybody noticing. Each organisation has its turn about once an hour, at any one of
//! the instances, and the turns are spread over the time, so that many organisations cost Redis no more at once than few.

use std::time::Duration;

use tokio::time::sleep;
use tracing::warn;

use crate::domain::ids::OrgId;
use crate::store::Store;
use crate::store::erasure::REWRITE_WAIT;
use crate::store::error::StoreError;

/// How long an instance takes to come by every organisation once.
const ROUND: Duration = Duration::from_secs(45 * 60);

/// Before it looks again whether there are organisations at all.
const NOBODY_THERE: Duration = Duration::from_secs(60);

/// Keeps every organisation's house.
pub struct Keeper {
    store: Store,
}

impl Keeper {
    pub fn new(store: Store) -> Keeper {
        Keeper { store }
    }

    /// Keeps every organisation at once, whether or not it is due.
    ///
    /// # Errors
    /// The first error; the organisations after it have their turn all the same.
    pub async fn run_once(&self) -> Result<(), StoreError> {
        let mut failed = None;
        for org in self.store.orgs().await? {
            if let Err(error) = self.keep(&org).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Rounds for as long as it is polled. What an older release wrote is brought over before the first, whenever the house
    /// was last kept.
    pub async fn run(self) {
        self.migrate_all().await;
        loop {
            let orgs = match self.store.orgs().await {
                Ok(orgs) => orgs,
                Err(error) => {
                    warn!("the keeper cannot see the organisations: {error}");
                    Vec::new()
                }
            };
            let Some(rest) = u32::try_from(orgs.len()).ok().and_then(|count| ROUND.checked_div(count)) else {
                sleep(NOBODY_THERE).await;
                continue;
            };
            for org in orgs {
                if let Err(error) = self.keep_if_due(&org).await {
                    warn!(%org, "the house of {org} could not be kept: {error}");
                }
                sleep(rest).await;
            }
            if let Err(error) = self.store.rewrite_after_erasures(REWRITE_WAIT).await {
                warn!("the append-only file still names erased members: {error}");
            }
        }
    }

    async fn migrate_all(&self) {
        for org in self.store.orgs().await.unwrap_or_default() {
            if let Err(error) = self.migrate(&org).await {
                warn!(%org, "what an older release wrote in {org} is brought over later: {error}");
            }
        }
    }

    async fn migrate(&self, org: &OrgId) -> Result<(), StoreError> {
        while self.store.migrate(org).await? {}
        Ok(())
    }

    /// Keeps an organisation unless some instance did within the hour.
    ///
    /// # Errors
    /// Then nobody has kept it, and the next instance that comes by tries again.
    pub async fn keep_if_due(&self, org: &OrgId) -> Result<bool, StoreError> {
        if !self.store.claim_keeping(org).await? {
            return Ok(false);
        }
        let kept = self.keep(org).await;
        if kept.is_err() {
            self.store.give_up_keeping(org).await?;
        }
        kept.map(|()| true)
    }

    async fn keep(&self, org: &OrgId) -> Result<(), StoreError> {
        self.migrate(org).await?;
        self.store.publish_series(org).await?;
        self.store.trim(org).await
    }
}
