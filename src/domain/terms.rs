//! Terms: a policy applied to one class, so that the atomic core compares instants and counts, and nothing more.
//!
//! They are worked out when a class is published or moved and stored with it; a member is held to the terms under which
//! they booked. All durations before the start are local days and exact hours (see `calendar`). What time it is, and so
//! which terms are still open to change, is not known here.

mod fields;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;

use super::calendar::{after, before, days_back, local_at, local_date, quiet_intervals};
use super::instant::Instant;
use super::policy::{Mode, Opens, Policy};

pub use fields::CorruptField;

/// How far before the start quiet hours are listed at most: no policy opens booking earlier.
const QUIET_LISTED: TimeDelta = TimeDelta::days(366);

/// The instants and limits of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The policy in force for this class, its override applied.
    pub policy: Policy,
    pub zone: Tz,
    /// The local day of the start, on which limits, freezes and ages are judged.
    pub date: NaiveDate,
    pub starts_at: Instant,
    pub ends_at: Instant,
    /// Booking is possible from here …
    pub opens_at: Instant,
    /// … until before here.
    pub closes_at: Instant,
    /// Cancelling is free until before here.
    pub cancel_by: Instant,
    /// Waiting members are promoted until before here.
    pub promote_until: Instant,
    /// When a class that too few have booked is given up.
    pub decide_at: Instant,
    pub check_in_opens: Instant,
    /// The last instant that is on time.
    pub check_in_due: Instant,
    pub check_in_closes: Instant,
    /// The quiet hours while the class can be booked and offered; none where spots are not offered.
    pub quiet: Vec<(Instant, Instant)>,
}

impl Terms {
    /// The terms of a class under its effective policy.
    #[must_use]
    pub fn of(policy: &Policy, starts_at: Instant, minutes: u32) -> Self {
        let zone = policy.timezone;
        let date = local_date(starts_at, zone);
        let opens_at = match &policy.booking.opens {
            Opens::Before(span) => before(starts_at, span, zone),
            Opens::Days { days, at } => local_at(days_back(date, *days), *at, zone),
        };
        let attendance = &policy.attendance;
        let promote_until = before(starts_at, &policy.waitlist.promote_until, zone);
        let terms = Self {
            zone,
            date,
            starts_at,
            ends_at: starts_at + TimeDelta::minutes(minutes.into()),
            opens_at,
            closes_at: before(starts_at, &policy.booking.closes_before, zone),
            cancel_by: before(starts_at, &policy.cancel.free_until, zone),
            promote_until,
            decide_at: before(starts_at, &attendance.decide_before, zone),
            check_in_opens: before(starts_at, &attendance.check_in_opens, zone),
            check_in_due: before(starts_at, &attendance.check_in_due, zone),
            check_in_closes: after(starts_at, &attendance.check_in_closes, zone),
            quiet: Vec::new(),
            policy: policy.clone(),
        };
        terms.quiet_from(opens_at)
    }

    /// The terms after a move to another time: the same durations, all instants anew.
    ///
    /// Booking that has opened stays open. Whether it has is for the core to say, which then keeps its `opens_at`; the
    /// quiet hours listed here reach back to the earlier of the two openings.
    #[must_use]
    pub fn moved(&self, starts_at: Instant, minutes: u32) -> Self {
        let terms = Self::of(&self.policy, starts_at, minutes);
        let opens_at = terms.opens_at.min(self.opens_at);
        terms.quiet_from(opens_at)
    }

    fn quiet_from(mut self, opens_at: Instant) -> Self {
        let from = opens_at.max(self.starts_at - QUIET_LISTED);
        self.quiet = match (self.policy.waitlist.mode, &self.policy.waitlist.quiet) {
            (Mode::Offer, Some(quiet)) => quiet_intervals(from, self.promote_until, quiet, self.zone),
            (Mode::Offer, None) | (Mode::Auto, _) => Vec::new(),
        };
        self
    }
}

#[cfg(test)]
mod tests;
