//! The service as a stranger sees it: over the wire, by the contract, against a real Redis.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "../support/mod.rs"]
mod support;

mod seen;
mod seen_names;

mod after_promotion;
mod calling_off;
mod cancelling;
mod changing;
mod charges;
mod clips;
mod entitlement;
mod erased;
mod events;
mod finding;
mod limits;
mod members;
mod misclicks;
mod obstacles;
mod offers;
mod persons;
mod policies;
mod promotion;
mod publishing;
mod queue;
mod quiet;
mod rates;
mod repeats;
mod rights;
mod rights_table;
mod rosters;
mod timetable;
mod window;

mod bad_input;
mod bad_queries;
mod bad_values;
mod calls;
mod dump;
mod wire;

mod race;

mod codes;
