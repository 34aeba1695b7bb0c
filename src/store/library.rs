//! The library of Redis functions: its source, its name, and calling into it.
//!
//! Name and functions carry a hash of the source, so instances of two versions each call exactly the code they were
//! built with, side by side in one Redis. A node that lacks the library (new, or failed over) gets it once, and the
//! call is repeated once: "function not found" is the one error that proves nothing was done.
//!
//! It does not know what the functions do; see `lua/library.lua` for that.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::{Cmd, FromRedisValue, ServerError, Value};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tracing::info;

use super::error::StoreError;
use super::lanes::{Lanes, judged};

/// The Lua files in order; the first opens the chunk and every other is one entry point.
const SOURCE: &str = concat!(
    include_str!("lua/library.lua"),
    include_str!("lua/sets.lua"),
    include_str!("lua/unit.lua"),
    include_str!("lua/rules.lua"),
    include_str!("lua/work.lua"),
    include_str!("lua/layout.lua"),
    include_str!("lua/terms.lua"),
    include_str!("lua/directory.lua"),
    include_str!("lua/charges.lua"),
    include_str!("lua/rounds.lua"),
    include_str!("lua/waitlist.lua"),
    include_str!("lua/settle.lua"),
    include_str!("lua/attendance.lua"),
    include_str!("lua/replies.lua"),
    include_str!("lua/pages.lua"),
    include_str!("lua/recurring.lua"),
    include_str!("lua/closures.lua"),
    include_str!("lua/book.lua"),
    include_str!("lua/cancel.lua"),
    include_str!("lua/preview_cancel.lua"),
    include_str!("lua/accept.lua"),
    include_str!("lua/publish_class.lua"),
    include_str!("lua/change_class.lua"),
    include_str!("lua/cancel_class.lua"),
    include_str!("lua/put_member.lua"),
    include_str!("lua/erase_member.lua"),
    include_str!("lua/put_club.lua"),
    include_str!("lua/put_closure.lua"),
    include_str!("lua/end_closure.lua"),
    include_str!("lua/read_closures.lua"),
    include_str!("lua/put_org.lua"),
    include_str!("lua/check_in.lua"),
    include_str!("lua/undo_check_in.lua"),
    include_str!("lua/walk_in.lua"),
    include_str!("lua/desk_check_in.lua"),
    include_str!("lua/close_class.lua"),
    include_str!("lua/excuse.lua"),
    include_str!("lua/lift_ban.lua"),
    include_str!("lua/waive_fee.lua"),
    include_str!("lua/read_report.lua"),
    include_str!("lua/trim.lua"),
    include_str!("lua/put_series.lua"),
    include_str!("lua/mark_series.lua"),
    include_str!("lua/align_class.lua"),
    include_str!("lua/series_classes.lua"),
    include_str!("lua/read_series.lua"),
    include_str!("lua/due_series.lua"),
    include_str!("lua/set_clock.lua"),
    include_str!("lua/carry_out.lua"),
    include_str!("lua/put_terms.lua"),
    include_str!("lua/put_names.lua"),
    include_str!("lua/migrate.lua"),
    include_str!("lua/read_org.lua"),
    include_str!("lua/read_class.lua"),
    include_str!("lua/list_classes.lua"),
    include_str!("lua/read_roster.lua"),
    include_str!("lua/read_history.lua"),
    include_str!("lua/read_booking.lua"),
    include_str!("lua/list_bookings.lua"),
    include_str!("lua/read_member.lua"),
    include_str!("lua/list_members.lua"),
    include_str!("lua/read_standing.lua"),
    include_str!("lua/list_fees.lua"),
    include_str!("lua/list_events.lua"),
    include_str!("lua/read_unrest.lua"),
    include_str!("lua/read_parts.lua"),
);

/// Stands in the source wherever the hash belongs.
const HASH_MARK: &str = "@HASH@";

/// Stands in the source where the budget belongs: the stored things a call looks at before it leaves the rest.
const BUDGET_MARK: &str = "@BUDGET@";

/// A thing costs Redis about 10 us, so that a call that spends all of it takes two or three milliseconds.
pub const BUDGET: u32 = 200;

/// The library this binary was built with. Cheap to clone.
#[derive(Clone)]
pub struct Library(Arc<Shared>);

struct Shared {
    name: String,
    code: String,
    hash: String,
    /// Held while loading, so that a thousand callers that miss the library load it once.
    loading: Mutex<()>,
    loads: AtomicU64,
}

impl Default for Library {
    fn default() -> Self {
        Library::with_budget(BUDGET)
    }
}

impl Library {
    /// The service's library with another budget: tests choose a small one, so that every bite ends everywhere.
    pub fn with_budget(budget: u32) -> Library {
        Library::of(&SOURCE.replace(BUDGET_MARK, &budget.to_string()))
    }

    /// The library of a source; [`Library::default`] is the one the service uses.
    pub fn of(source: &str) -> Library {
        let digest = Sha256::digest(source.as_bytes());
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Library(Arc::new(Shared {
            name: format!("rollcall_{hash}"),
            code: source.replace(HASH_MARK, &hash),
            hash,
            loading: Mutex::new(()),
            loads: AtomicU64::new(0),
        }))
    }

    /// The library's name in Redis.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The full name of one of its functions: `book` is called as `book_1a2b3c4d`.
    pub fn function(&self, name: &str) -> String {
        format!("{name}_{}", self.0.hash)
    }

    /// Makes sure Redis has this library; never replaces one.
    ///
    /// # Errors
    /// `Corrupt` when Redis refuses the code, or holds other code under this library's name.
    pub async fn load(&self, lanes: &Lanes) -> Result<(), StoreError> {
        let reply = lanes.reply(redis::cmd("FUNCTION").arg("LOAD").arg(&self.0.code), true).await?;
        match reply {
            Value::ServerError(error) if says(&error, "already exists") => self.compare(lanes).await?,
            Value::ServerError(error) if says(&error, "unknown command") => {
                return Err(StoreError::Corrupt(
                    "this server knows no functions: Redis 7.0 or Valkey 7.2 is the oldest that does".to_owned(),
                ));
            }
            reply => {
                judged(reply)?;
                info!(library = self.name(), "loaded the function library {}", self.name());
            }
        }
        self.0.loads.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Makes sure the library is there, at the price of one short question when it is.
    pub async fn ensure(&self, lanes: &Lanes) -> Result<(), StoreError> {
        let mut list = redis::cmd("FUNCTION");
        list.arg("LIST").arg("LIBRARYNAME").arg(self.name());
        match lanes.call(&list).await? {
            Value::Array(found) if found.is_empty() => self.load(lanes).await,
            _ => Ok(()),
        }
    }

    /// Calls a function that may write: `FCALL <function>_<hash> 1 <anchor> <args…>`. `anchor` is a key of the
    /// organisation, there to name the slot.
    pub async fn fcall(
        &self,
        lanes: &Lanes,
        function: &str,
        anchor: &str,
        args: &[impl AsRef<[u8]>],
    ) -> Result<Value, StoreError> {
        self.run(lanes, &self.command(function, anchor, args), true).await
    }

    /// Calls a function that only reads: like [`Library::fcall`], without waiting for replicas.
    pub async fn read(
        &self,
        lanes: &Lanes,
        function: &str,
        anchor: &str,
        args: &[impl AsRef<[u8]>],
    ) -> Result<Value, StoreError> {
        self.run(lanes, &self.command(function, anchor, args), false).await
    }

    fn command(&self, function: &str, anchor: &str, args: &[impl AsRef<[u8]>]) -> Cmd {
        let mut command = redis::cmd("FCALL");
        command.arg(self.function(function)).arg(1).arg(anchor);
        for arg in args {
            command.arg(arg.as_ref());
        }
        command
    }

    async fn run(&self, lanes: &Lanes, command: &Cmd, durable: bool) -> Result<Value, StoreError> {
        let loads = self.0.loads.load(Ordering::Acquire);
        match lanes.reply(command, durable).await? {
            Value::ServerError(error) if says(&error, "Function not found") => {
                self.reload(lanes, loads).await?;
                judged(lanes.reply(command, durable).await?)
            }
            reply => judged(reply),
        }
    }

    /// Loads unless somebody else did since `loads` was read.
    async fn reload(&self, lanes: &Lanes, loads: u64) -> Result<(), StoreError> {
        let _one_at_a_time = self.0.loading.lock().await;
        if self.0.loads.load(Ordering::Acquire) != loads {
            return Ok(());
        }
        self.load(lanes).await
    }

    /// Whether what Redis already has under this name is this very code.
    async fn compare(&self, lanes: &Lanes) -> Result<(), StoreError> {
        let mut list = redis::cmd("FUNCTION");
        list.arg("LIST").arg("LIBRARYNAME").arg(self.name()).arg("WITHCODE");
        let libraries = Vec::<HashMap<String, Value>>::from_redis_value(lanes.call(&list).await?)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let code = libraries.first().and_then(|library| library.get("library_code"));
        match code {
            Some(Value::BulkString(code)) if code == self.0.code.as_bytes() => Ok(()),
            Some(_) => Err(StoreError::Corrupt(format!("Redis holds other code under {}", self.name()))),
            None => Err(StoreError::Corrupt(format!("another library has a function of {}", self.name()))),
        }
    }
}

fn says(error: &ServerError, words: &str) -> bool {
    error.details().is_some_and(|details| details.contains(words))
}
