//! Whether this Redis keeps what it acknowledges: read from its settings, not hoped for.
//!
//! At start and once a minute the service asks for the four settings that decide it. Unless they are right, or the
//! operator accepts loss, writes are refused with the reason. Settings that may not be read count as wrong.

use std::collections::HashMap;
use std::time::Duration;

use redis::{FromRedisValue, Value};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::error::StoreError;
use super::lanes::Lanes;

/// What must be set so that an answered write survives a crash and a power cut.
const NEEDED: [(&str, &str); 4] = [
    ("appendonly", "yes"),
    ("appendfsync", "always"),
    ("no-appendfsync-on-rewrite", "no"),
    ("maxmemory-policy", "noeviction"),
];

/// Between two looks at settings that were read.
const CHECK_EVERY: Duration = Duration::from_secs(60);
/// Before the next attempt when Redis could not be asked.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurabilityPolicy {
    /// Writes are refused on a Redis that could lose them.
    Required,
    /// Loss is accepted; what could cause it is logged.
    Any,
}

/// The shared answer to "may we write?". Cheap to clone and to ask.
#[derive(Clone)]
pub struct Durability {
    policy: DurabilityPolicy,
    /// What is wrong; `None` when nothing is.
    fault: watch::Sender<Option<String>>,
}

impl Durability {
    /// Until the first check nothing is known, which counts as not durable.
    pub fn new(policy: DurabilityPolicy) -> Durability {
        Durability {
            policy,
            fault: watch::Sender::new(Some("the settings of Redis have not been read yet".to_owned())),
        }
    }

    /// # Errors
    /// `NotDurable` with what is wrong.
    pub fn check_writes(&self) -> Result<(), StoreError> {
        match (self.policy, &*self.fault.borrow()) {
            (DurabilityPolicy::Any, _) | (_, None) => Ok(()),
            (DurabilityPolicy::Required, Some(fault)) => Err(StoreError::NotDurable(fault.clone())),
        }
    }

    /// One look at the settings. A Redis that is away leaves the answer as it was: nothing can be written to it.
    ///
    /// # Errors
    /// When Redis could not be asked.
    pub async fn check(&self, lanes: &Lanes) -> Result<(), StoreError> {
        let mut question = redis::cmd("CONFIG");
        question.arg("GET");
        for (setting, _) in NEEDED {
            question.arg(setting);
        }
        let fault = match lanes.call(&question).await {
            Ok(settings) => fault(settings),
            Err(StoreError::Corrupt(refusal)) => Some(format!("the settings of Redis may not be read: {refusal}")),
            Err(away) => return Err(away),
        };
        self.settle(fault);
        Ok(())
    }

    /// Checks for as long as it is polled.
    pub async fn keep_checking(&self, lanes: &Lanes) {
        loop {
            let asked = self.check(lanes).await.is_ok();
            tokio::time::sleep(if asked { CHECK_EVERY } else { RETRY_AFTER }).await;
        }
    }

    /// Says so once, when the answer changes.
    fn settle(&self, fault: Option<String>) {
        self.fault.send_if_modified(|known| {
            let changed = *known != fault;
            if changed {
                match (&fault, self.policy) {
                    (None, _) => info!("Redis keeps what it acknowledges"),
                    (Some(fault), DurabilityPolicy::Required) => error!("writes are refused: {fault}"),
                    (Some(fault), DurabilityPolicy::Any) => warn!("this Redis may lose acknowledged writes: {fault}"),
                }
                *known = fault;
            }
            changed
        });
    }
}

fn fault(settings: Value) -> Option<String> {
    let settings = match HashMap::<String, String>::from_redis_value(settings) {
        Ok(settings) => settings,
        Err(error) => return Some(format!("the settings of Redis make no sense: {error}")),
    };
    let wrong: Vec<String> = NEEDED
        .into_iter()
        .filter_map(|(setting, needed)| match settings.get(setting) {
            Some(value) if value == needed => None,
            Some(value) => Some(format!("{setting} is {value}, not {needed}")),
            None => Some(format!("{setting} is not known")),
        })
        .collect();
    if wrong.is_empty() { None } else { Some(wrong.join("; ")) }
}
