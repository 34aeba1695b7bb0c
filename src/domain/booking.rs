//! A booking: a member's claim on a class, from its first day to whatever became of it.
//!
//! Which status follows which is decided in the atomic core; here are only the words and the shape.

use serde::Serialize;

use super::ids::{BookingId, ClassId, MemberId};
use super::instant::Instant;
use super::words::words;

words! {
    /// What has become of a booking.
    BookingStatus {
        /// Has a spot.
        Booked = "booked",
        /// Has a place in the queue.
        Waitlisted = "waitlisted",
        /// Has a spot held for it until the offer runs out.
        Offered = "offered",
        /// Has a spot, and the member is there.
        CheckedIn = "checked_in",
        /// Had a spot, and the member did not come.
        NoShow = "no_show",
        /// Given up free of charge, or a waiting place that was left or withdrawn.
        Cancelled = "cancelled",
        /// Given up after the cutoff.
        LateCancelled = "late_cancelled",
        /// The club cancelled the class.
        ClassCancelled = "class_cancelled",
        /// The waitlist ended, or the offer ran out.
        Lapsed = "lapsed",
    }
}

words! {
    /// What a spot was taken with, fixed when it was taken.
    PaidWith {
        Membership = "membership",
        Clip = "clip",
    }
}

/// An amount in minor units, and its currency code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Money {
    pub amount: i64,
    pub currency: String,
}

/// A booking as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    pub id: BookingId,
    pub class: ClassId,
    pub member: MemberId,
    pub status: BookingStatus,
    /// The place in the queue, from 1, while it waits.
    pub position: Option<u32>,
    pub offer_expires_at: Option<Instant>,
    pub paid_with: PaidWith,
    /// Checked in after `check_in_due`.
    pub late: bool,
    /// A waiting member who is there, on stand-by.
    pub present: bool,
    /// What is still charged for it.
    pub fee: Option<Money>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_travels_as_the_contract_spells_it() {
        let words: Vec<_> = BookingStatus::ALL.iter().map(|status| status.as_str()).collect();
        assert_eq!(
            words.join(" "),
            "booked waitlisted offered checked_in no_show cancelled late_cancelled class_cancelled lapsed"
        );
        for status in BookingStatus::ALL {
            assert_eq!(BookingStatus::parse(status.as_str()), Ok(*status));
        }
    }

    #[test]
    fn money_travels_as_the_contract_says() {
        let fee = Money { amount: 3000, currency: "DKK".to_owned() };
        assert_eq!(serde_json::to_string(&fee).unwrap(), r#"{"amount":3000,"currency":"DKK"}"#);
    }
}
