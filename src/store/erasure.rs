//! What an erased member leaves on the disk.
//!
//! An erasure takes a person out of every key at once. The append-only file still holds the commands that once wrote the
//! name, until Redis rewrites it; Redis does so by itself only when the file has doubled. So an erasure leaves a note,
//! and the keeper has the file rewritten: the name is gone within the hour, at most one rewrite an hour.

use std::time::Duration;

use redis::FromRedisValue;
use tracing::{info, warn};

use super::error::StoreError;
use super::reply::corrupt;
use super::{Store, keys};

/// How long an erasure may wait for others, so that an hour of erasures costs one rewrite.
pub const REWRITE_WAIT: Duration = Duration::from_secs(3_600);

impl Store {
    /// Notes that somebody is being erased. It is noted before it is done: a rewrite too many harms nobody.
    pub(super) async fn note_erasure(&self) -> Result<(), StoreError> {
        let now = self.server_time_s().await?;
        self.lanes.call(redis::cmd("SET").arg(keys::ERASED).arg(now).arg("NX")).await?;
        Ok(())
    }

    /// Has the append-only file rewritten where somebody was erased at least `wait` ago; says whether it was asked for.
    /// A server without such a file, or that may not be asked, is left alone.
    ///
    /// # Errors
    /// When Redis is away; the note stays.
    pub async fn rewrite_after_erasures(&self, wait: Duration) -> Result<bool, StoreError> {
        let noted = self.lanes.call(redis::cmd("GET").arg(keys::ERASED)).await?;
        let Some(noted) = Option::<u64>::from_redis_value(noted).map_err(corrupt)? else { return Ok(false) };
        if self.server_time_s().await? < noted + wait.as_secs() {
            return Ok(false);
        }
        // An erasure that comes from here on leaves a note of its own.
        self.lanes.call(redis::cmd("DEL").arg(keys::ERASED)).await?;
        match self.lanes.call(&redis::cmd("BGREWRITEAOF")).await {
            Ok(_) => {
                info!("Redis rewrites its append-only file, because members were erased");
                Ok(true)
            }
            Err(StoreError::Corrupt(refusal)) => {
                warn!("the names of erased members stay in the append-only file until it is rewritten: {refusal}");
                Ok(false)
            }
            Err(away) => {
                let _ = self.lanes.call(redis::cmd("SET").arg(keys::ERASED).arg(noted).arg("NX")).await;
                Err(away)
            }
        }
    }

    async fn server_time_s(&self) -> Result<u64, StoreError> {
        let time = self.lanes.call(&redis::cmd("TIME")).await?;
        <(u64, u64)>::from_redis_value(time).map(|(seconds, _)| seconds).map_err(corrupt)
    }
}
