//! A line of the fee ledger. Lines are added and never edited: what is waived gets a line of its own.
//!
//! When something is charged is decided in the atomic core, at most once per booking and reason.

use super::booking::Money;
use super::ids::{BookingId, MemberId};
use super::instant::Instant;
use super::words::words;

words! {
    /// Which way the money goes.
    FeeKind {
        Charged = "charged",
        Waived = "waived",
    }
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    pub id: String,
    pub member: MemberId,
    pub booking: BookingId,
    pub kind: FeeKind,
    /// `late_cancel`, `late_check_in`, `no_show`, …
    pub reason: String,
    /// Positive, whichever the kind.
    pub amount: Money,
    /// The line that a waiver takes back.
    pub waives: Option<String>,
    pub at: Instant,
}
