//! The service as a stranger sees it: over the wire, by the contract, against a real Redis.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "../support/mod.rs"]
mod support;

mod seen;

mod window;
mod limits;
mod entitlement;
mod clips;
mod repeats;
