//! What members and the desk do with bookings: book, accept, cancel, and ask what cancelling would cost.

use chrono::TimeDelta;
use rollcall::domain::instant::Instant;
use rollcall::domain::policy::Late;

use crate::operations::Caller;
use crate::state::{Booking, Number, Org, Stage, Status};
use crate::views::{Answer, Body, PreviewView, Refused};

/// What a POST to a class's bookings comes to.
enum Judgement {
    Refused(Refused),
    /// The caller holds a place already.
    Same(Number),
    /// A waiting member takes the free spot.
    Take(Number),
    Spot,
    Queue,
}

impl Org {
    fn judge(&self, id: &str, member: &str, desk: bool, waitlist: bool) -> Judgement {
        let class = &self.classes[id];
        let refuse = |code| Judgement::Refused(Refused::new(code));
        if class.stage == Stage::Cancelled {
            return refuse("class_cancelled");
        }
        if class.stage == Stage::Finished {
            return refuse("class_finished");
        }
        if self.now < class.terms.opens_at {
            return Judgement::Refused(Refused::until("not_open", class.terms.opens_at));
        }
        if self.now >= class.terms.closes_at {
            return refuse("closed");
        }
        let promoting = self.now < class.terms.promote_until;
        let kept = class.holds_spots_for_the_desk() && !desk;
        let unheld = self.unheld(id);
        if let Some(place) = self.live(id, member) {
            let takes = self.bookings[place].status == Status::Waitlisted && !promoting && !kept && unheld > 0;
            let able = takes && self.obstacle_of(place).is_none();
            return if able { Judgement::Take(place) } else { Judgement::Same(place) };
        }
        if let Some(refused) = self.obstacle(class, &self.members[member], member, None) {
            return Judgement::Refused(refused);
        }
        let places = self.ahead(member).len() as u32;
        if class.terms.policy.booking.open_limit.is_some_and(|limit| places >= limit) {
            return refuse("open_limit");
        }
        let waiting = self.queue(id).len() as u32;
        let spot = if promoting { unheld > self.reserved(id) } else { unheld > 0 && !(kept && waiting > 0) };
        if spot {
            return Judgement::Spot;
        }
        match () {
            () if !waitlist => refuse("full"),
            () if !promoting && !desk => refuse("waitlist_closed"),
            () if waiting >= class.terms.policy.waitlist.max => refuse("waitlist_full"),
            () => Judgement::Queue,
        }
    }

    /// What stands in the way of a booking by the member; `None`: nothing.
    pub fn can_book(&self, class: &str, member: &str) -> Option<Refused> {
        match self.judge(class, member, false, true) {
            Judgement::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    pub fn book(&mut self, caller: &Caller, class: &str, member: &str, waitlist: bool) -> Answer {
        if !self.classes.contains_key(class) {
            return Answer::refused(Refused::new("not_found"));
        }
        if !self.members.contains_key(member) {
            let code = if *caller == Caller::Desk { "invalid" } else { "not_found" };
            return Answer::refused(Refused::new(code));
        }
        match self.judge(class, member, *caller == Caller::Desk, waitlist) {
            Judgement::Refused(refused) => Answer::refused(refused),
            Judgement::Same(place) => Answer::done(200, "repeated", Body::Booking(self.view_booking(place))),
            Judgement::Take(place) => {
                self.take_spot(place, "booking_promoted", self.now);
                self.spare_misclick(place);
                Answer::done(200, "taken", Body::Booking(self.view_booking(place)))
            }
            Judgement::Spot => {
                let number = self.new_place(class, member);
                self.take_spot(number, "booking_confirmed", self.now);
                self.spare_misclick(number);
                Answer::done(201, "booked", Body::Booking(self.view_booking(number)))
            }
            Judgement::Queue => {
                let number = self.new_place(class, member);
                let class = self.bookings[number].class.clone();
                self.entry(&class).queued += 1;
                self.announce("waitlist_joined", self.now, None, Some(number));
                Answer::done(201, "waitlisted", Body::Booking(self.view_booking(number)))
            }
        }
    }

    pub fn new_place(&mut self, class: &str, member: &str) -> Number {
        let entry = self.entry(class);
        entry.tickets += 1;
        let ticket = entry.tickets;
        let number = self.bookings.len();
        self.add(Booking {
            number,
            class: class.to_owned(),
            member: member.to_owned(),
            status: Status::Waitlisted,
            ticket,
            offer_ends: None,
            ran_out: false,
            by_clip: None,
            grace_until: None,
            misclick_until: None,
            moved: None,
            fee: 0,
            owing: None,
            present: false,
            late: false,
            late_charged: false,
            late_clip: false,
            walk_in: false,
            first_time: false,
        });
        number
    }

    pub fn accept(&mut self, number: Number) -> Answer {
        let booking = &self.bookings[number];
        if booking.status != Status::Offered {
            return Answer::refused(Refused::new(if booking.ran_out { "offer_expired" } else { "not_offered" }));
        }
        if let Some(refused) = self.obstacle_of(number) {
            return Answer::refused(refused);
        }
        self.take_spot(number, "booking_promoted", self.now);
        Answer::done(200, "accepted", Body::Booking(self.view_booking(number)))
    }

    /// Until when the place can be given up free of charge.
    fn free_until(&self, number: Number) -> Instant {
        let booking = &self.bookings[number];
        let class = &self.classes[&booking.class];
        if booking.status != Status::Booked {
            return class.starts_at;
        }
        let until = [Some(class.terms.cancel_by), booking.grace_until, booking.misclick_until, booking.moved];
        until.into_iter().flatten().max().map_or(class.starts_at, |until| until.min(class.starts_at))
    }

    /// The member, or the desk for them, booked past the cutoff, or a waiting member took what was free.
    fn spare_misclick(&mut self, number: Number) {
        let terms = &self.classes[&self.bookings[number].class].terms;
        let spared = TimeDelta::milliseconds(terms.policy.cancel.after_booking.fixed_ms());
        if self.now >= terms.cancel_by && spared > TimeDelta::zero() {
            self.bookings[number].misclick_until = Some(self.now + spared);
        }
    }

    pub fn cancel(&mut self, number: Number, charge: Option<bool>) -> Answer {
        let now = self.now;
        let booking = self.bookings[number].clone();
        match booking.status {
            Status::Cancelled | Status::LateCancelled | Status::ClassCancelled => {
                return Answer::done(200, "repeated", Body::Booking(self.view_booking(number)));
            }
            Status::Lapsed | Status::NoShow | Status::CheckedIn => {
                return Answer::refused(Refused::new("wrong_status"));
            }
            Status::Booked | Status::Offered | Status::Waitlisted => {}
        }
        let class = self.classes[&booking.class].clone();
        if now >= class.starts_at {
            return Answer::refused(Refused::new("cancel_closed"));
        }
        if now < self.free_until(number) || charge == Some(false) {
            let spared = now >= self.free_until(number);
            let misclicked = !spared && booking.misclick_until.is_some_and(|until| now < until);
            self.give_up(number, now);
            let outcome = match booking.status {
                Status::Waitlisted => "left",
                Status::Offered => "declined",
                _ if spared => "spared",
                _ if misclicked => "misclicked",
                _ => "free",
            };
            return Answer::done(200, outcome, Body::Booking(self.view_booking(number)));
        }
        if class.terms.policy.cancel.late == Late::Refused && charge != Some(true) {
            return Answer::refused(Refused::new("cancel_closed"));
        }
        self.cancel_late(number, class.terms.policy.cancel.late_fee);
        let outcome = if self.bookings[number].by_clip == Some(true) { "late_by_clip" } else { "late" };
        Answer::done(200, outcome, Body::Booking(self.view_booking(number)))
    }

    fn cancel_late(&mut self, number: Number, fee: u32) {
        self.bookings[number].status = Status::LateCancelled;
        self.owe(number);
        self.announce("booking_cancelled", self.now, None, Some(number));
        self.charge(number, "late_cancel", fee, self.now);
        let class = &self.classes[&self.bookings[number].class];
        if class.terms.policy.cancel.late_is_strike {
            self.strike(number, self.now);
        }
        self.freed.insert(self.bookings[number].class.clone());
        self.eased.insert(self.bookings[number].member.clone());
    }

    pub fn preview(&self, number: Number) -> Answer {
        let booking = &self.bookings[number];
        match booking.status {
            Status::Lapsed | Status::NoShow | Status::CheckedIn => {
                return Answer::refused(Refused::new("wrong_status"));
            }
            // What cancelling a cancelled booking would cost is not said anywhere.
            Status::Cancelled | Status::LateCancelled | Status::ClassCancelled => {
                return Answer::done(200, "ended", Body::Nothing);
            }
            Status::Booked | Status::Offered | Status::Waitlisted => {}
        }
        let class = &self.classes[&booking.class];
        let cancel = &class.terms.policy.cancel;
        let free_until = self.free_until(number);
        let nothing = PreviewView { outcome: "free", fee: 0, clip: false, strike: false, free_until };
        let view = if self.now < free_until {
            nothing
        } else if self.now >= class.starts_at || cancel.late == Late::Refused {
            PreviewView { outcome: "refused", ..nothing }
        } else {
            let clip = booking.by_clip == Some(true);
            let strike = cancel.late_is_strike && class.terms.policy.attendance.strikes.is_some();
            PreviewView { outcome: "charged", fee: if clip { 0 } else { cancel.late_fee }, clip, strike, ..nothing }
        };
        Answer::done(200, view.outcome, Body::Preview(view))
    }
}
