//! What staff take back: a no-show or late cancel, a fee, a ban.

use crate::state::{Number, Org, Status};
use crate::views::{Answer, Body, Refused};

impl Org {
    /// The status stays; what it cost is taken back, once.
    pub fn excuse(&mut self, number: Number) -> Answer {
        let booking = &self.bookings[number];
        let outcome = match booking.status {
            Status::NoShow | Status::LateCancelled if booking.owing.is_none() => "repeated",
            Status::NoShow => "no_show",
            Status::LateCancelled => "late_cancel",
            _ => return Answer::refused(Refused::new("wrong_status")),
        };
        if outcome != "repeated" {
            self.unwind(number, self.now);
        }
        Answer::done(200, outcome, Body::Booking(self.view_booking(number)))
    }

    /// `line`: a place in the ledger.
    pub fn waive_fee(&mut self, line: usize) -> Answer {
        let Some(fee) = self.fees.get(line).cloned() else {
            return Answer::refused(Refused::new("not_found"));
        };
        if !fee.charged {
            return Answer::refused(Refused::new("wrong_status"));
        }
        let before = self.fees.len();
        self.waive(fee.booking, fee.reason, self.now);
        let outcome = if self.fees.len() > before { "waived" } else { "repeated" };
        let waiver = self.line(fee.booking, false, fee.reason).expect("a charge that was waived has a waiver");
        Answer::done(200, outcome, Body::Fee(self.view_fee(waiver)))
    }

    pub fn lift_ban(&mut self, id: &str) -> Answer {
        let Some(member) = self.members.get(id) else {
            return Answer::refused(Refused::new("not_found"));
        };
        let banned = member.banned_until.is_some_and(|until| self.now < until);
        if banned {
            self.lift(id, self.now);
        }
        Answer::done(200, if banned { "lifted" } else { "repeated" }, self.standing(id))
    }
}
