//! The roll: who has come, who comes unannounced, who did not come, and taking an arrival back.

use rollcall::domain::instant::Instant;
use rollcall::domain::policy::UntouchedRoster;

use crate::operations::Arriving;
use crate::state::{Class, Number, Org, Stage, Status};
use crate::views::{Answer, Body, Refused};

impl Org {
    /// Why nobody can be checked in now.
    fn check_in_shut(&self, class: &Class) -> Option<Refused> {
        if self.now < class.terms.check_in_opens {
            return Some(Refused::new("check_in_not_open"));
        }
        (self.now >= class.terms.check_in_closes).then(|| Refused::new("check_in_closed"))
    }

    pub fn check_in(&mut self, number: Number) -> Answer {
        let now = self.now;
        let booking = self.bookings[number].clone();
        let class = self.classes[&booking.class].clone();
        let here = match booking.status {
            Status::CheckedIn => true,
            Status::Waitlisted => booking.present,
            Status::Booked | Status::Offered => false,
            _ => return Answer::refused(Refused::new("wrong_status")),
        };
        if here {
            return Answer::done(200, "repeated", Body::Booking(self.view_booking(number)));
        }
        if let Some(refused) = self.check_in_shut(&class) {
            return Answer::refused(refused);
        }
        if booking.status == Status::Waitlisted {
            self.bookings[number].present = true;
            self.announce("present_on_standby", now, None, Some(number));
            return Answer::done(200, "stands_by", Body::Booking(self.view_booking(number)));
        }
        let offered = booking.status == Status::Offered;
        if offered {
            if let Some(refused) = self.obstacle_of(number) {
                return Answer::refused(refused);
            }
            self.take_spot(number, "booking_promoted", now);
        }
        if self.bookings[number].status == Status::Booked {
            self.arrive(number, now > class.terms.check_in_due, now);
        }
        let booking = &self.bookings[number];
        let outcome = match () {
            () if offered => "accepted",
            () if booking.late && booking.late_clip => "late_by_clip",
            () if booking.late => "late",
            () => "in_time",
        };
        Answer::done(200, outcome, Body::Booking(self.view_booking(number)))
    }

    /// A booked member is here.
    pub fn arrive(&mut self, number: Number, late: bool, now: Instant) {
        let been_before = self.of_member(&self.bookings[number].member).any(|b| b.status == Status::CheckedIn);
        let booking = &mut self.bookings[number];
        (booking.status, booking.present, booking.late) = (Status::CheckedIn, true, late);
        booking.first_time = !been_before;
        let fee = self.classes[&booking.class].terms.policy.attendance.late_fee;
        self.announce("checked_in", now, None, Some(number));
        if late {
            self.charge_late(number, fee, now);
        }
    }

    /// At the desk or kiosk, where nobody asks which class it is.
    pub fn arrive_at(&mut self, club: &str, arriving: &Arriving) -> Answer {
        let known: Vec<&String> = match arriving {
            Arriving::Member(id) => self.members.keys().filter(|known| *known == id).collect(),
            Arriving::Phone(phone) => {
                let theirs = self.members.iter().filter(|(_, member)| member.profile.phone.as_ref() == Some(phone));
                theirs.map(|(id, _)| id).collect()
            }
        };
        if known.is_empty() || !self.clubs.contains(club) {
            return Answer::refused(Refused::new("invalid"));
        }
        let open = self.bookings.iter().filter(|b| b.status.live() && known.contains(&&b.member)).filter(|b| {
            let class = &self.classes[&b.class];
            class.club == club && self.check_in_shut(class).is_none()
        });
        let first = open.min_by_key(|b| {
            let waits = b.status == Status::Waitlisted;
            (b.present, waits, self.classes[&b.class].starts_at, b.member.clone(), b.class.clone())
        });
        match first.map(|b| b.number) {
            Some(number) => self.check_in(number),
            None => Answer::refused(Refused::new("check_in_not_open")),
        }
    }

    /// The desk books whoever has come and checks them in: into a spot that nobody who stands by, or for whom it is
    /// kept, could take.
    pub fn walk_in(&mut self, id: &str, member: &str) -> Answer {
        let Some(class) = self.classes.get(id).cloned() else {
            return Answer::refused(Refused::new("not_found"));
        };
        if !self.members.contains_key(member) {
            return Answer::refused(Refused::new("invalid"));
        }
        match class.stage {
            Stage::Cancelled => return Answer::refused(Refused::new("class_cancelled")),
            Stage::Finished => return Answer::refused(Refused::new("class_finished")),
            Stage::Scheduled | Stage::Open => {}
        }
        if let Some(refused) = self.check_in_shut(&class) {
            return Answer::refused(refused);
        }
        if let Some(place) = self.live(id, member) {
            return Answer::done(200, "repeated", Body::Booking(self.view_booking(place)));
        }
        let limit = |refused: &Refused| refused.code == "daily_limit";
        if let Some(refused) = self.obstacle(&class, &self.members[member], member, None).filter(|r| !limit(r)) {
            return Answer::refused(refused);
        }
        let stands_by = |&number: &Number| self.bookings[number].present && self.obstacle_of(number).is_none();
        let standing_by = self.queue(id).into_iter().filter(stands_by).count() as u32;
        if self.unheld(id) <= standing_by.max(self.reserved(id)) {
            return Answer::refused(Refused::new("full"));
        }
        let number = self.new_place(id, member);
        self.bookings[number].walk_in = true;
        self.take_spot(number, "booking_confirmed", self.now);
        self.arrive(number, false, self.now);
        Answer::done(201, "walked_in", Body::Booking(self.view_booking(number)))
    }

    pub fn undo_check_in(&mut self, number: Number) -> Answer {
        let now = self.now;
        let booking = self.bookings[number].clone();
        if !booking.status.live() {
            return Answer::refused(Refused::new("wrong_status"));
        }
        if !booking.present {
            return Answer::done(200, "nothing", Body::Booking(self.view_booking(number)));
        }
        if self.classes[&booking.class].closed {
            return Answer::refused(Refused::new("check_in_closed"));
        }
        let outcome = match booking.status {
            Status::CheckedIn if booking.walk_in => "walk_in",
            Status::CheckedIn if booking.late => "late",
            Status::CheckedIn => "in_time",
            _ => "stands_by",
        };
        self.take_back_arrival(number, now);
        if outcome == "walk_in" {
            self.give_up(number, now);
        }
        Answer::done(200, outcome, Body::Booking(self.view_booking(number)))
    }

    /// Not here after all, and nothing to pay for it.
    pub fn take_back_arrival(&mut self, number: Number, now: Instant) {
        let booking = &mut self.bookings[number];
        if booking.status == Status::CheckedIn {
            booking.status = Status::Booked;
        }
        (booking.present, booking.late, booking.first_time) = (false, false, false);
        self.announce("check_in_undone", now, None, Some(number));
        self.forgive_late(number, now);
    }

    /// Check-in is over: who had a spot and did not come is a no-show, unless nobody at all is here and staff are to
    /// look at it; what is left of the waitlist ends.
    pub fn close(&mut self, id: &str, at: Instant) {
        self.entry(id).closed = true;
        let live = |b: &&crate::state::Booking| b.status.live();
        let empty = self.count(id, |s| matches!(s, Status::Booked | Status::CheckedIn)) == 0;
        let untouched = !empty && !self.of_class(id).filter(live).any(|b| b.present);
        if untouched && self.classes[id].terms.policy.attendance.untouched_roster == UntouchedRoster::Review {
            self.entry(id).untouched = true;
            self.announce("roster_untouched", at, Some(id), None);
        } else {
            self.take_the_roll(id, at);
        }
        for number in self.queue(id) {
            self.bookings[number].status = Status::Lapsed;
            self.announce("waitlist_lapsed", at, None, Some(number));
        }
        self.ask_around(at);
    }

    /// The spots of those who did not come are void, and go to those who stand by, in the order of the queue.
    fn take_the_roll(&mut self, id: &str, at: Instant) {
        let fee = self.classes[id].terms.policy.attendance.no_show_fee;
        let absent: Vec<Number> = self.of_class(id).filter(|b| b.status == Status::Booked).map(|b| b.number).collect();
        for number in absent {
            self.bookings[number].status = Status::NoShow;
            self.owe(number);
            self.announce("no_show_recorded", at, None, Some(number));
            self.charge(number, "no_show", fee, at);
            self.strike(number, at);
            self.eased.insert(self.bookings[number].member.clone());
        }
        let mut passed = Vec::new();
        for number in self.queue(id).into_iter().filter(|&n| self.bookings[n].present).collect::<Vec<_>>() {
            if self.unheld(id) == 0 {
                break;
            }
            match self.obstacle_of(number) {
                Some(refused) => passed.push((number, refused.code)),
                None => {
                    self.tell_passed(id, std::mem::take(&mut passed), at, true);
                    self.take_spot(number, "booking_promoted", at);
                    self.leave_overlapping(at);
                }
            }
        }
        self.tell_passed(id, passed, at, false);
    }

    /// Staff say, once, what a roll that nobody took means.
    pub fn close_by_hand(&mut self, id: &str, penalties: bool) -> Answer {
        let Some(class) = self.classes.get_mut(id) else {
            return Answer::refused(Refused::new("not_found"));
        };
        if class.stage == Stage::Cancelled {
            return Answer::refused(Refused::new("class_cancelled"));
        }
        if !std::mem::take(&mut class.untouched) {
            return Answer::refused(Refused::new("wrong_status"));
        }
        class.revision += 1;
        self.announce("class_changed", self.now, Some(id), None);
        if penalties {
            self.take_the_roll(id, self.now);
        }
        let outcome = if penalties { "penalised" } else { "spared" };
        Answer::done(200, outcome, Body::Class(self.view_class(id, None)))
    }
}
