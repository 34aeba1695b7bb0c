//! The keeper: publishes recurring classes ahead and trims what retention no longer keeps.
//!
//! Both may be late by days without anybody noticing, and any number of instances may do them at once.

use std::time::Duration;

use tracing::warn;

use crate::store::Store;
use crate::store::error::StoreError;

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(60);

/// Keeps every organisation's house.
pub struct Keeper {
    store: Store,
}

impl Keeper {
    pub fn new(store: Store) -> Keeper {
        Keeper { store }
    }

    /// One round over all organisations.
    ///
    /// # Errors
    /// The first error; the organisations after it have their turn all the same.
    pub async fn run_once(&self) -> Result<(), StoreError> {
        let mut failed = None;
        for org in self.store.orgs().await? {
            let kept = match self.store.publish_series(&org).await {
                Ok(()) => self.store.trim(&org).await,
                refused => refused,
            };
            if let Err(error) = kept {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Rounds for as long as it is polled.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.run_once().await {
                warn!("the keeper's round failed: {error}");
            }
            tokio::time::sleep(ROUND).await;
        }
    }
}
