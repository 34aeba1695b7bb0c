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
mod queue;
mod promotion;
mod obstacles;
mod offers;
mod quiet;
mod after_promotion;
mod cancelling;
mod charges;
mod publishing;
mod policies;
mod changing;
mod calling_off;
mod timetable;
mod rosters;
mod members;
mod events;
mod rights;
mod rights_table;
mod rates;

mod bad_values;
mod calls;
mod dump;
mod bad_input;
mod bad_queries;
mod wire;

mod race;

mod codes;
