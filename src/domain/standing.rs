//! A member's standing: what they may still do, and what stands against them.
//!
//! Nothing in it depends on the reader's now (a document changes only by events), so strikes carry the instant they stop
//! counting and booked days carry their dates.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::booking::Money;
use super::ids::{BookingId, ClassId};
use super::instant::Instant;

/// One counted no-show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    pub booking: BookingId,
    pub class: ClassId,
    /// The class's start.
    pub at: Instant,
    pub counts_until: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub strikes: Vec<Strike>,
    pub banned_until: Option<Instant>,
    pub clips: Option<u32>,
    pub open_fees: Money,
    pub daily_limit: Option<u32>,
    /// Spots held on each local day.
    pub booked: BTreeMap<NaiveDate, u32>,
    /// Places in classes that have not started.
    pub upcoming: u32,
}

impl Standing {
    /// Counts more of the spots that are held.
    pub fn add_places(&mut self, booked: BTreeMap<NaiveDate, u32>) {
        for (date, spots) in booked {
            *self.booked.entry(date).or_default() += spots;
        }
    }
}
