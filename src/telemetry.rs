//! Logs: how the service tells what it does.
//!
//! They go to standard error, as text for people or as JSON for machines; `RUST_LOG` chooses what is said. What is
//! counted for Prometheus stands where it is counted, in a registry that `app` hands around.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is logged when `RUST_LOG` does not say. The server's own lines repeat what `app` says, and its
/// dispatcher has an ERROR for every request that any stranger frames wrongly.
const FILTER: &str = "info,actix_server=warn,actix_http::h1::dispatcher=off";

/// Turns logging on. A second call changes nothing, so tests may all call it.
pub fn start_logging(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(FILTER));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(stderr().is_terminal());
    // An error means that logging is on already.
    let _ = match format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
}
