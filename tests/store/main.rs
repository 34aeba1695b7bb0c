//! The atomic core, function by function, in a real Redis: what each answers, what a refusal leaves behind, what broken
//! data does to it, and what is promised of repeats, of time and of limits. The whole of it against a model of the rules is
//! `tests/model`; over the wire it is `tests/api`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[allow(dead_code, reason = "every test binary uses its own part")]
#[path = "../support/redis.rs"]
mod redis_server;

mod heads;
mod house;
mod said;
mod underneath;

mod again;
mod attendance;
mod bites;
mod booking;
mod bounds;
mod broken;
mod classes;
mod closing;
mod due;
mod invariants;
mod limits;
mod members;
mod old_release;
mod orgs;
mod promotion;
mod repeats;
mod sent;
mod series;
mod time;
