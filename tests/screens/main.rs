//! The screens as people use them: a real Chromium against the service, and what no browser need be asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod cable;
mod gym;

mod booking;
mod client;
mod connection;
mod day;
mod desk;
mod docs;
mod hand;
mod recurring;
mod roll;
mod scanner;
mod staff;

mod access;
mod kept;
mod keyboard;
mod languages;
mod money;
mod narrow;
mod pictures;
mod served;
mod words;
