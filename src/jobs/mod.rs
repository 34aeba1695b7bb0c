//! What happens without a request: the passing of time.
//!
//! A job is a reader or a caller of the store like any handler, and any number of instances may run it at once:
//! what must happen once happens once inside the store's atom. Each job exposes `run_once`, which tests call.

pub mod keeper;
pub mod ticker;
