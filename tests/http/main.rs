//! The rim without a store: tokens, bodies, parameters, limits and the edge, over actix's own test service.
//!
//! The key pairs in `keys/` were made for these tests and sign nothing else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod rig;

mod bodies;
mod clocks;
mod edge;
mod keysets;
mod problems;
mod providers;
mod queries;
mod rates;
mod rights;
mod tokens;
mod wire;
