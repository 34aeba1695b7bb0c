//! Rollcall, the booking desk of a chain of gyms.
//!
//! Arrows between the rooms go down only: `main → app → {http, push, jobs} → store → domain`. The walk of a booking:
//! `http/bookings.rs` turns text into types, `store/bookings.rs` makes one call of it, `store/lua/book.lua` decides,
//! writes and announces, and the outcome goes back up. `tests/tidy.rs` holds the arrows by reading the sources.

pub mod domain;

pub mod store;

pub mod screens;

pub mod http;

pub mod push;

pub mod jobs;

pub mod app;
pub mod config;
pub mod demo;
pub mod telemetry;
pub mod token;
pub mod zone_files;
