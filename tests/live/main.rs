//! Sockets as a stranger's app sees them: `tokio-tungstenite` against the service over the wire, by the contract, with
//! a change made on one instance and heard on another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "a random story says how to repeat it")]

#[path = "../support/mod.rs"]
mod support;

mod contract;
mod persons;
mod process;
mod screen;
mod truth;

mod bounds;
mod counted;
mod crowds;
mod ends;
mod floods;
mod hearing;
mod lives;
mod manners;
mod resuming;
mod rights;
mod storms;
mod waits;
