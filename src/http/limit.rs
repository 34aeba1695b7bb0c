//! How fast one caller may write. Reads are not limited, and neither is the sum of
//! all callers: this keeps one runaway client from costing the others.
//!
//! Each instance counts for itself. A caller who has been quiet long enough to
//! have the whole burst again is forgotten, so the memory is that of the callers
//! of the last few seconds.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::caller::Caller;
use crate::domain::ids::{MemberId, OrgId};

/// Writes between two sweeps of the callers that may be forgotten.
const WRITES_PER_SWEEP: u32 = 4096;

type Key = (Option<OrgId>, MemberId);

/// Counts the writes of each caller.
pub struct RateLimit {
    limiter: Option<DefaultKeyedRateLimiter<Key>>,
    writes: AtomicU32,
}

impl RateLimit {
    /// So many writes a second, and so many at once; `0` of either sets no limit.
    pub fn new(per_second: u32, burst: u32) -> RateLimit {
        let quota = NonZeroU32::new(per_second).zip(NonZeroU32::new(burst));
        let limiter = quota.map(|(rate, burst)| RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)));
        RateLimit { limiter, writes: AtomicU32::new(0) }
    }

    /// Counts one write; `Err` says how long until the next one is taken.
    pub fn check(&self, caller: &Caller) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.writes.fetch_add(1, Ordering::Relaxed) % WRITES_PER_SWEEP == WRITES_PER_SWEEP - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        let key = (caller.org.clone(), caller.sub.clone());
        limiter.check_key(&key).map_err(|refused| refused.wait_time_from(limiter.clock().now()))
    }

    /// Callers remembered at the moment.
    pub fn callers(&self) -> usize {
        self.limiter.as_ref().map_or(0, |limiter| limiter.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Role;
    use crate::domain::instant::from_ms;

    fn caller(number: u32) -> Caller {
        let sub = MemberId::parse(&format!("m{number}")).unwrap();
        Caller { sub, role: Role::Member, org: None, club: None, expires_at: from_ms(0).unwrap() }
    }

    #[test]
    fn callers_who_have_their_burst_again_are_forgotten() {
        let limit = RateLimit::new(1_000_000, 1);
        for number in 0..3 * WRITES_PER_SWEEP {
            assert_eq!(limit.check(&caller(number)), Ok(()));
        }
        assert!(limit.callers() <= WRITES_PER_SWEEP as usize, "{} remembered", limit.callers());
    }

    #[test]
    fn a_refused_write_says_how_long_to_wait() {
        let limit = RateLimit::new(1, 2);
        assert_eq!([limit.check(&caller(1)), limit.check(&caller(1))], [Ok(()), Ok(())]);
        let wait = limit.check(&caller(1)).unwrap_err();
        assert!(wait > Duration::from_millis(500) && wait <= Duration::from_secs(1), "{wait:?}");
    }
}
