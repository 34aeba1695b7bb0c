//! What can go wrong between a caller and Redis.
//!
//! A refusal by a rule is not here: it is a value of the call that was refused. These are surprises: Redis is away,
//! nobody knows whether a write happened, the server could lose what it acknowledges, or stored data makes no sense.
//! It does not know HTTP; `http/problem.rs` gives each its status.

use redis::ServerError;
use thiserror::Error;

/// Why a call to the store gave no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// Nothing was done: Redis cannot be reached, is loading, full, read-only, or has too much to do already.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The command was sent and may or may not have been carried out; repeating it with the same key tells.
    #[error("the outcome is unknown: the command was sent, and no confirmation came back")]
    OutcomeUnknown,
    /// Nothing was done: too much is under way or waiting.
    #[error("{0}")]
    Crowded(Crowd),
    /// Writes are refused because this Redis could lose them.
    #[error("writes are refused: {0}")]
    NotDurable(String),
    /// Redis answered with an error that means a bug or broken data.
    #[error("the store answered with what should not be: {0}")]
    Corrupt(String),
}

/// Whose calls are too many.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Crowd {
    #[error("too many calls of this caller are under way")]
    Caller,
    #[error("too many calls of this organisation are under way")]
    Organisation,
}

/// Error replies that mean "not now": nothing was written, and the same command may succeed later.
const UNAVAILABLE_CODES: [&str; 11] = [
    "LOADING",
    "READONLY",
    "NOREPLICAS",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "MOVED",
    "ASK",
    "MISCONF",
    "OOM",
    "BUSY",
];

impl StoreError {
    /// The meaning of an error reply. A code that is not known to be harmless is a bug or corrupt data.
    pub(super) fn of_reply(reply: &ServerError) -> StoreError {
        let text = format!("{} {}", reply.code(), reply.details().unwrap_or_default());
        if UNAVAILABLE_CODES.contains(&reply.code()) {
            StoreError::Unavailable(text)
        } else {
            StoreError::Corrupt(text)
        }
    }
}
