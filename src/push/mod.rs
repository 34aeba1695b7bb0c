//! Events to sockets: every open screen knows what changed.
//!
//! A *topic* is a small JSON document, and every data frame is a merge patch that takes it from one version to another.
//! The walk of a change: the stream's tail (`store/tail.rs`) → `relay` (which topics an event touches, and what it does
//! to each) → `topic` (the held document, its recent patches, its listeners) → an `outbox` → `session` (one socket).
//! No request handler talks to this room: one instance and fifty behave alike.
//!
//! Exactness rests on three rules. A document read at a version is installed when the tail has passed exactly that
//! version. A patch carries everything its event touched, whole, so that it does not matter from which instance the
//! version before came. Places in a queue, which shift without being touched, are derived from the events alone.

pub mod counters;
pub mod protocol;

mod bell;
mod documents;
mod outbox;
mod queues;
mod topic;
mod topics;

mod effects;
pub mod hub;
mod relay;

pub mod bearer;
mod meter;
pub mod session;
