//! How many unknown numbers a kiosk may send: whoever stands before one must not find out by trying whose number is a
//! member's.
//!
//! A kiosk has a store of tries that fills again with time. A try is taken before the number is looked up, so that many
//! calls at once gain nothing, and given back where the number was known. Each instance counts for itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::caller::OrgCaller;
use crate::domain::ids::{MemberId, OrgId};

/// Unknown numbers that a kiosk may send at once: a few people who mistype, each of whose numbers is looked up as a
/// phone and as a member's.
pub const UNKNOWN_MAX: u32 = 12;

/// After so long one more may be sent: about two hundred an hour, where the rate of writes alone would let a thief try
/// seventy thousand.
pub const UNKNOWN_AGAIN: Duration = Duration::from_secs(20);

/// Kiosks remembered before those whose tries are all back are forgotten.
const KIOSKS_PER_SWEEP: usize = 1024;

type Kiosk = (OrgId, MemberId);

/// The tries of every kiosk that has used some.
pub struct Guesses {
    limited: bool,
    /// When each has all its tries again.
    full_again: Mutex<HashMap<Kiosk, Instant>>,
}

impl Guesses {
    /// Unlimited where writes are.
    pub fn new(limited: bool) -> Guesses {
        Guesses { limited, full_again: Mutex::default() }
    }

    /// Takes a try; `Err` says how long until there is one.
    pub fn take(&self, kiosk: &OrgCaller, now: Instant) -> Result<(), Duration> {
        if !self.limited {
            return Ok(());
        }
        let mut full_again = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        if full_again.len() >= KIOSKS_PER_SWEEP {
            full_again.retain(|_, full| *full > now);
        }
        let full = full_again.entry(key(kiosk)).or_insert(now);
        let then = (*full).max(now) + UNKNOWN_AGAIN;
        let wait = then.saturating_duration_since(now + UNKNOWN_AGAIN * UNKNOWN_MAX);
        if wait.is_zero() {
            *full = then;
            return Ok(());
        }
        Err(wait)
    }

    /// Gives a try back: the number was known.
    pub fn give_back(&self, kiosk: &OrgCaller) {
        let mut full_again = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full) = full_again.get_mut(&key(kiosk)) {
            *full = full.checked_sub(UNKNOWN_AGAIN).unwrap_or(*full);
        }
    }
}

fn key(kiosk: &OrgCaller) -> Kiosk {
    (kiosk.org.clone(), kiosk.sub.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Role;
    use crate::domain::instant::from_ms;
    use crate::http::caller::Caller;

    fn kiosk(sub: &str) -> OrgCaller {
        let org = OrgId::parse("gym").unwrap();
        let caller = Caller {
            sub: MemberId::parse(sub).unwrap(),
            role: Role::Kiosk,
            org: Some(org.clone()),
            club: None,
            expires_at: from_ms(0).unwrap(),
        };
        OrgCaller::of(org, caller)
    }

    #[test]
    fn tries_run_out_come_back_one_by_one_and_are_each_kiosks_own() {
        let (guesses, begun, door) = (Guesses::new(true), Instant::now(), kiosk("door"));
        for _ in 0..UNKNOWN_MAX {
            assert_eq!(guesses.take(&door, begun), Ok(()));
        }
        assert_eq!(guesses.take(&door, begun), Err(UNKNOWN_AGAIN));
        assert_eq!(guesses.take(&kiosk("hall"), begun), Ok(()));
        let later = begun + UNKNOWN_AGAIN;
        assert_eq!(guesses.take(&door, later), Ok(()));
        assert_eq!(guesses.take(&door, later), Err(UNKNOWN_AGAIN));
    }

    #[test]
    fn a_known_number_costs_nothing() {
        let (guesses, begun, door) = (Guesses::new(true), Instant::now(), kiosk("door"));
        for _ in 0..10 * UNKNOWN_MAX {
            assert_eq!(guesses.take(&door, begun), Ok(()));
            guesses.give_back(&door);
        }
    }

    #[test]
    fn kiosks_that_have_all_their_tries_again_are_forgotten() {
        let (guesses, begun) = (Guesses::new(true), Instant::now());
        for number in 0..KIOSKS_PER_SWEEP {
            let _ = guesses.take(&kiosk(&format!("k{number}")), begun);
        }
        let _ = guesses.take(&kiosk("late"), begun + UNKNOWN_AGAIN);
        assert_eq!(guesses.full_again.lock().unwrap().len(), 1);
    }
}
