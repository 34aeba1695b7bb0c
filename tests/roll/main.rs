//! The roll, over the wire: from an hour before a class until its books are closed, by each chain's own rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "../support/mod.rs"]
mod support;

mod story;

mod check_in;
mod closing;
mod closures;
mod desk;
mod minimum;
mod pardons;
mod presets;
mod recurrence;
mod reports;
mod retention;
mod series;
mod series_edits;
mod standby;
mod ticker;
