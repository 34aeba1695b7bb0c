//! Counts what was tried, and says what was tried too rarely to mean anything.

use std::collections::BTreeMap;

/// Each must occur this often in [`FOR_CALLS`] calls.
const LEAST: u64 = 20;
const FOR_CALLS: u64 = 24_000;

#[derive(Default)]
pub struct Coverage {
    seen: BTreeMap<(&'static str, String), u64>,
    pub calls: u64,
}

impl Coverage {
    pub fn count(&mut self, op: &'static str, outcome: &str, events: &[&'static str]) {
        self.calls += 1;
        *self.seen.entry((op, outcome.to_owned())).or_default() += 1;
        for event in events {
            *self.seen.entry((op, format!("+{event}"))).or_default() += 1;
        }
    }

    /// How often a call came to this.
    pub fn seen(&self, op: &'static str, outcome: &str) -> u64 {
        self.seen.get(&(op, outcome.to_owned())).copied().unwrap_or_default()
    }

    /// Pairs that occurred too rarely; of a run of fewer calls less is asked.
    pub fn complaints(&self, calls: u64) -> Vec<String> {
        let least = LEAST * calls.min(FOR_CALLS) / FOR_CALLS;
        let mut complaints = Vec::new();
        for (op, outcomes) in EXPECTED {
            for outcome in outcomes.split_whitespace() {
                let seen = self.seen(op, outcome);
                if seen < least {
                    complaints.push(format!("{op} → {outcome}: {seen} times, not {least}"));
                }
            }
        }
        complaints
    }

    /// Whether to go on: a run is longer than asked for, up to four times, if something rare has not come up yet.
    pub fn unfinished(&self, calls: u64) -> bool {
        self.calls < calls || (self.calls < 4 * calls && !self.complaints(calls).is_empty())
    }

    pub fn assert_wide(&self, calls: u64) {
        let complaints = self.complaints(calls);
        assert!(complaints.is_empty(), "in {} calls, too rarely:\n{}", self.calls, complaints.join("\n"));
    }

    pub fn table(&self) -> String {
        let lines: Vec<String> =
            self.seen.iter().map(|((op, outcome), count)| format!("{op:16} {outcome:26} {count:6}")).collect();
        lines.join("\n")
    }
}

/// Every call with the outcomes it can have; `+` marks what it announced.
const EXPECTED: &[(&str, &str)] = &[
    (
        "book",
        "booked waitlisted repeated taken replayed idempotency_mismatch not_found class_cancelled class_finished \
         not_open closed membership_ended not_entitled frozen too_young banned no_clips overlap daily_limit open_limit \
         waitlist_closed full waitlist_full +booking_confirmed +waitlist_joined +booking_promoted +excused",
    ),
    (
        "desk_books",
        "booked waitlisted repeated taken replayed idempotency_mismatch invalid class_finished not_open closed \
         not_entitled no_clips overlap full waitlist_full +booking_promoted",
    ),
    (
        "cancel",
        "free misclicked late late_by_clip left declined repeated replayed cancel_closed not_found idempotency_mismatch \
         wrong_status +booking_cancelled +waitlist_left +booking_promoted +spot_offered +promotion_passed_over \
         +spot_freed +fee_charged +ban_started",
    ),
    (
        "desk_cancels",
        "free spared late late_by_clip left declined repeated replayed cancel_closed idempotency_mismatch \
         +booking_promoted +spot_offered +promotion_passed_over +spot_freed +fee_charged",
    ),
    ("accept", "accepted not_offered offer_expired not_found not_entitled +booking_promoted"),
    ("preview", "free charged refused"),
    (
        "check_in",
        "in_time late stands_by accepted repeated wrong_status check_in_not_open \
         check_in_closed +checked_in +present_on_standby +fee_charged",
    ),
    ("takes_the_roll", "in_time late stands_by repeated not_found check_in_not_open"),
    (
        "undo_check_in",
        "in_time late stands_by walk_in nothing check_in_closed wrong_status +check_in_undone +fee_waived",
    ),
    ("arrive", "in_time late stands_by repeated invalid check_in_not_open"),
    ("kiosk", "in_time late stands_by repeated invalid check_in_not_open"),
    (
        "walk_in",
        "walked_in repeated full not_entitled no_clips overlap check_in_not_open check_in_closed invalid \
         class_finished",
    ),
    ("close_class", "penalised spared wrong_status +no_show_recorded"),
    ("excuse", "no_show late_cancel repeated wrong_status +excused +fee_waived +ban_lifted"),
    ("waive_fee", "waived repeated not_found +fee_waived"),
    ("lift_ban", "lifted repeated +ban_lifted"),
    (
        "set_clock",
        "set +class_opened +class_started +class_finished +offer_lapsed +spot_offered +no_show_recorded +ban_started \
         +roster_untouched +waitlist_lapsed +checked_in +class_cancelled +class_changed +fee_charged",
    ),
    ("put_member", "put +member_changed +booking_cancelled +waitlist_left +booking_promoted +spot_offered"),
    ("erase_member", "erased +member_erased +booking_cancelled"),
    ("publish", "published invalid +class_published"),
    ("put_policy", "put +policy_changed +class_changed +class_opened"),
    ("post_series", "published invalid +class_published"),
    (
        "patch_series",
        "changed left_alone reached_all cancelled stale +class_changed +class_cancelled +booking_promoted",
    ),
    ("close_club", "closed called_off repeated invalid not_found +club_changed +class_cancelled +booking_cancelled"),
    ("reopen_club", "reopened published not_found +class_published"),
    ("end_series", "cancelled not_found"),
    ("change_class", "changed invalid stale class_finished +class_changed +booking_promoted +spot_offered"),
    ("cancel_class", "cancelled repeated +class_cancelled +booking_cancelled +waitlist_left +excused"),
    ("read_class", "read"),
    ("read_roster", "read"),
    ("read_standing", "read"),
    ("read_bookings", "read"),
    ("read_fees", "read"),
];
