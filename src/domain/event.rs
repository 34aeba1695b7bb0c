//! What is announced: one event for each change, in the organisation's order.

use serde_json::Value;

use super::caller::By;
use super::ids::{BookingId, ClassId, MemberId};
use super::instant::Instant;

/// A line of the stream, and of a class's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `<ms>-<number>`: its place in the stream.
    pub cursor: String,
    /// One of [`NAMES`].
    pub event: String,
    pub at: Instant,
    pub class: Option<ClassId>,
    pub booking: Option<BookingId>,
    pub member: Option<MemberId>,
    pub by: By,
    pub data: Value,
}

/// Every event there is, as the contract names them.
pub const NAMES: &[&str] = &[
    "class_published",
    "class_opened",
    "class_changed",
    "class_cancelled",
    "class_started",
    "class_finished",
    "availability_changed",
    "booking_confirmed",
    "waitlist_joined",
    "waitlist_moved",
    "spot_offered",
    "offer_lapsed",
    "booking_promoted",
    "promotion_passed_over",
    "spot_freed",
    "booking_cancelled",
    "checked_in",
    "check_in_undone",
    "present_on_standby",
    "no_show_recorded",
    "roster_untouched",
    "excused",
    "waitlist_left",
    "waitlist_lapsed",
    "member_changed",
    "member_erased",
    "policy_changed",
    "series_changed",
    "club_changed",
    "fee_charged",
    "fee_waived",
    "ban_started",
    "ban_lifted",
];
