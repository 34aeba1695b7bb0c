//! How much one caller may ask for: so many reads and so many writes a second, and what they look at.
//!
//! A call is taken when there is a token for it in its caller's bucket. What it looks at beyond the first hundred
//! things is charged afterwards, when it is known, so a bucket can be in debt; then the next call waits until the debt is
//! paid off. Each instance counts for itself, and the sum of all callers is not limited: this keeps one runaway
//! client from costing the others. A caller whose bucket is full again is forgotten, so the memory is that of the
//! callers of the last few seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::caller::Caller;
use crate::domain::ids::{MemberId, OrgId};
use crate::store::payer::Payer;

/// Stored things a call may look at for one token. A thing costs Redis ten to twenty microseconds, so a token stands for
/// one or two milliseconds: a class and its bookings are in the price, a listing of many classes is not.
const THINGS_PER_TOKEN: u32 = 100;

/// Nobody is shut out for longer, however much a call came to: a desk that moved a full class must soon go on, and with
/// one such call in that time a caller takes a few hundredths of Redis at most.
const SHUT_OUT_MAX: Duration = Duration::from_secs(5);

/// Calls between two sweeps of the callers that may be forgotten.
const CALLS_PER_SWEEP: u32 = 4096;

type Key = (Option<OrgId>, MemberId);

/// A rate: so many a second, and so many at once. `0` of either sets no limit.
pub type Rate = (u32, u32);

/// Counts the reads and the writes of each caller.
pub struct RateLimit {
    reads: Option<Arc<Buckets>>,
    writes: Option<Arc<Buckets>>,
}

impl RateLimit {
    pub fn new(reads: Rate, writes: Rate) -> RateLimit {
        RateLimit { reads: Buckets::of(reads), writes: Buckets::of(writes) }
    }

    /// Counts a call, and gives who pays for the rest of it; `Err` says how long until a call of this kind is taken.
    pub fn admit(&self, caller: &Caller, reads: bool) -> Result<Payer, Duration> {
        let key = (caller.org.clone(), caller.sub.clone());
        let name = format!("{}/{}", key.0.as_ref().map_or("", OrgId::as_str), key.1);
        let buckets = if reads { &self.reads } else { &self.writes };
        let Some(buckets) = buckets.clone() else {
            return Ok(Payer::new(name, reads, |_| {}));
        };
        buckets.take(&key, Instant::now())?;
        let seen = AtomicU32::new(0);
        Ok(Payer::new(name, reads, move |things| {
            let before = seen.fetch_add(things, Ordering::Relaxed);
            let tokens = before.saturating_add(things) / THINGS_PER_TOKEN - before / THINGS_PER_TOKEN;
            if tokens > 0 {
                buckets.charge(&key, tokens, Instant::now());
            }
        }))
    }
}

/// A bucket of tokens for each caller, kept as the instant at which it is full again.
struct Buckets {
    per_token: Duration,
    /// How far off that instant may be with a token still in the bucket.
    room: Duration,
    full_at: Mutex<HashMap<Key, Instant>>,
    calls: AtomicU32,
}

impl Buckets {
    fn of((per_second, burst): Rate) -> Option<Arc<Buckets>> {
        let per_token = Duration::from_secs(1).checked_div(per_second)?;
        let room = per_token * burst.checked_sub(1)?;
        Some(Arc::new(Buckets { per_token, room, full_at: Mutex::default(), calls: AtomicU32::new(0) }))
    }

    fn take(&self, key: &Key, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.full_at();
        if self.calls.fetch_add(1, Ordering::Relaxed) % CALLS_PER_SWEEP == CALLS_PER_SWEEP - 1 {
            full_at.retain(|_, full_at| *full_at > now);
            full_at.shrink_to_fit();
        }
        let missing = full_at.get(key).map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now));
        match missing.checked_sub(self.room) {
            Some(wait) if !wait.is_zero() => Err(wait),
            Some(_) | None => {
                full_at.insert(key.clone(), now + missing + self.per_token);
                Ok(())
            }
        }
    }

    fn charge(&self, key: &Key, tokens: u32, now: Instant) {
        let mut full_at = self.full_at();
        let missing = full_at.get(key).map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now));
        let owed = missing + self.per_token.saturating_mul(tokens);
        full_at.insert(key.clone(), now + owed.min(missing.max(self.room + SHUT_OUT_MAX)));
    }

    fn full_at(&self) -> MutexGuard<'_, HashMap<Key, Instant>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn caller(number: u32) -> Key {
        (None, MemberId::parse(&format!("m{number}")).unwrap())
    }

    fn buckets(per_second: u32, burst: u32) -> Arc<Buckets> {
        Buckets::of((per_second, burst)).unwrap()
    }

    #[test]
    fn callers_who_have_their_burst_again_are_forgotten() {
        let (limit, now) = (buckets(1_000_000, 1), Instant::now());
        for number in 0..3 * CALLS_PER_SWEEP {
            assert_eq!(limit.take(&caller(number), now + SECOND * number), Ok(()));
        }
        let remembered = limit.full_at().len();
        assert!(remembered <= CALLS_PER_SWEEP as usize, "{remembered} remembered");
    }

    #[test]
    fn a_burst_is_taken_and_one_more_is_told_how_long_to_wait() {
        let (limit, now) = (buckets(2, 3), Instant::now());
        for _ in 0..3 {
            assert_eq!(limit.take(&caller(1), now), Ok(()));
        }
        assert_eq!(limit.take(&caller(1), now), Err(SECOND / 2));
        assert_eq!(limit.take(&caller(1), now + SECOND / 2), Ok(()));
        assert!(limit.take(&caller(1), now + SECOND / 2).is_err());
        assert_eq!(limit.take(&caller(2), now), Ok(()), "another caller has a bucket of their own");
    }

    #[test]
    fn what_a_call_came_to_is_paid_off_before_the_next() {
        let (limit, now) = (buckets(10, 10), Instant::now());
        limit.take(&caller(1), now).unwrap();
        limit.charge(&caller(1), 9, now);
        assert_eq!(limit.take(&caller(1), now), Err(SECOND / 10), "the bucket is empty");
        limit.charge(&caller(1), 20, now);
        assert_eq!(limit.take(&caller(1), now), Err(SECOND * 21 / 10), "and then in debt");
        assert_eq!(limit.take(&caller(1), now + SECOND * 21 / 10), Ok(()));
    }

    #[test]
    fn nobody_is_shut_out_for_longer_than_the_longest() {
        let (limit, now) = (buckets(10, 10), Instant::now());
        for _ in 0..3 {
            limit.charge(&caller(1), 1_000_000, now);
        }
        assert_eq!(limit.take(&caller(1), now), Err(SHUT_OUT_MAX));
        assert_eq!(limit.take(&caller(1), now + SHUT_OUT_MAX), Ok(()));
    }

    #[test]
    fn zero_is_no_limit() {
        assert!(Buckets::of((0, 60)).is_none() && Buckets::of((20, 0)).is_none());
    }
}
