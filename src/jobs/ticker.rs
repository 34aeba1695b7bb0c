//! The ticker: asks the store, four times a second, to carry out what time has decided.
//!
//! It announces, it does not decide: every function that touches a class settles what is due first, so nothing ever
//! waits for a tick. It keeps no list of its own and knows no rule.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use tracing::{info, warn};

use crate::store::Store;
use crate::store::error::StoreError;

/// Between two rounds; what is due is announced at most this late.
const TICK: Duration = Duration::from_millis(250);

/// Settles every organisation in turn.
pub struct Ticker {
    store: Store,
    /// The kinds of error said since the last round without one.
    said: HashSet<Discriminant<StoreError>>,
}

impl Ticker {
    pub fn new(store: Store) -> Ticker {
        Ticker { store, said: HashSet::new() }
    }

    /// One round over all organisations.
    ///
    /// # Errors
    /// The first error; the organisations after it are settled all the same.
    pub async fn run_once(&self) -> Result<(), StoreError> {
        let mut failed = None;
        for org in self.store.orgs().await? {
            if let Err(error) = self.store.settle(&org).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Rounds for as long as it is polled.
    pub async fn run(mut self) {
        loop {
            let round = self.run_once().await;
            self.say(round);
            tokio::time::sleep(TICK).await;
        }
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
