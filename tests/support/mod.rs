//! What the test binaries share: a real Redis, the service in this process, and a client that speaks the field's
//! language over the wire.
//!
//! `redis` → `service` → `wire` → `api`, each usable alone. Nothing here knows how the service works inside; what it knows of
//! the outside is the contract.
#![allow(dead_code, unused_imports, reason = "every test binary uses its own part")]

pub mod redis;
pub mod service;
pub mod wire;

pub mod api;
