//! The service as a stranger sees it: over the wire, by the contract, against a real Redis.

#[path = "../support/mod.rs"]
mod support;
