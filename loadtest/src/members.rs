//! Members by the hundred thousand.
//!
//! One is put through the API; what that left in its hash is then copied under other ids, straight into Redis and many
//! at a time. Copies are in no list and no look-up, which booking does not read.

use redis::{Cmd, Connection, Pipeline};

use crate::Result;
use crate::chain::ORG;

/// Writes that go out together.
const BATCH: usize = 2_000;

/// Copies a member under each of the ids.
pub fn copy(redis: &mut Connection, template: &str, ids: impl Iterator<Item = String>) -> Result<()> {
    let fields: Vec<(String, String)> = Cmd::new().arg("HGETALL").arg(key(template)).query(redis)?;
    if fields.is_empty() {
        return Err(format!("there is no member {template} to copy").into());
    }
    let mut batch = Pipeline::new();
    for id in ids {
        let own: Vec<(&str, String)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.replace(template, &id))).collect();
        batch.hset_multiple(key(&id), &own).ignore();
        if batch.len() == BATCH {
            batch.exec(redis)?;
            batch.clear();
        }
    }
    if !batch.is_empty() {
        batch.exec(redis)?;
    }
    Ok(())
}

fn key(member: &str) -> String {
    format!("rc:{{{ORG}}}:member:{member}")
}
