//! The calls: what each does and answers. Every call settles what is due, judges, changes, announces, and asks
//! whoever is next; in that order.

use chrono::TimeDelta;
use rollcall::domain::instant::Instant;
use rollcall::domain::policy::{Late, Policy};
use rollcall::domain::terms::Terms;
use serde_json::Value;

use crate::operations::{Caller, ClassChange, NewClass, Op};
use crate::rules::{ended, frozen_until};
use crate::state::{Class, Member, Number, Org, Profile, Remembered, Stage, Status};
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
    pub fn call(&mut self, op: &Op) -> Answer {
        if let Op::SetClock(now) = op {
            self.now = *now;
        }
        let announced = self.events.len();
        self.settle(self.now);
        self.show_free(announced);
        let claim = op.key().map(|key| ((op.caller(), key.to_owned()), self.identity(op)));
        if let Some((slot, call)) = &claim
            && let Some(before) = self.remembered.get(slot).filter(|r| self.now < r.at + TimeDelta::hours(24))
        {
            return if before.call == *call {
                Answer { outcome: "replayed", ..before.answer.clone() }
            } else {
                Answer::refused(Refused::new("idempotency_mismatch"))
            };
        }
        let announced = self.events.len();
        let answer = self.act(op);
        self.ask_around(self.now);
        self.settle(self.now);
        self.show_free(announced);
        let answer = self.as_of_the_end(answer);
        if let Some((slot, call)) = claim.filter(|_| answer.status < 300) {
            self.remembered.insert(slot, Remembered { call, at: self.now, answer: answer.clone() });
        }
        answer
    }

    fn act(&mut self, op: &Op) -> Answer {
        match op {
            Op::SetClock(_) => Answer::done(200, "set", Body::Nothing),
            Op::PutPolicy(policy) => self.put_policy(policy),
            Op::PutMember { id, profile } => self.put_member(id, profile),
            Op::EraseMember { id } => self.erase_member(id),
            Op::Publish(new) => self.publish(new),
            Op::Change { class, change } => self.change(class, change),
            Op::CancelClass { class, .. } => self.cancel_class(class),
            Op::Book { caller, class, member, waitlist, .. } => self.book(caller, class, member, *waitlist),
            Op::Cancel { caller, class, member, charge, .. } => match self.addressed(caller, class, member) {
                Some(number) => self.cancel(number, *charge),
                None => Answer::refused(Refused::new("not_found")),
            },
            Op::Accept { class, member, .. } => match self.latest(class, member) {
                Some(number) => self.accept(number),
                None => Answer::refused(Refused::new("not_found")),
            },
            Op::Preview { caller, class, member } => match self.addressed(caller, class, member) {
                Some(number) => self.preview(number),
                None => Answer::refused(Refused::new("not_found")),
            },
            Op::ReadClass { class, reader } => match self.classes.contains_key(class) {
                true => Answer::done(200, "read", Body::Class(self.view_class(class, reader.as_deref()))),
                false => Answer::refused(Refused::new("not_found")),
            },
            Op::ReadRoster { class } => match self.classes.contains_key(class) {
                true => Answer::done(200, "read", Body::Roster(self.view_roster(class))),
                false => Answer::refused(Refused::new("not_found")),
            },
            Op::ReadStanding { member } => match self.view_standing(member) {
                Some(standing) => Answer::done(200, "read", Body::Standing(standing)),
                None => Answer::refused(Refused::new("not_found")),
            },
            Op::ReadBookings { member } => Answer::done(200, "read", Body::Bookings(self.view_bookings(member))),
            Op::ReadFees => Answer::done(200, "read", Body::Fees(self.view_fees())),
        }
    }

    /// A reply shows the state after everything the call caused.
    fn as_of_the_end(&self, answer: Answer) -> Answer {
        let body = match answer.body {
            Body::Booking(view) => Body::Booking(self.view_booking(view.number)),
            Body::Class(view) if view.mine.is_none() => Body::Class(self.view_class(&view.id, None)),
            other => other,
        };
        Answer { body, ..answer }
    }

    /// The booking a caller names; someone else's does not exist for them.
    fn addressed(&self, caller: &Caller, class: &str, member: &str) -> Option<Number> {
        self.latest(class, member).filter(|_| match caller {
            Caller::Desk => true,
            Caller::Member(id) => id == member,
        })
    }

    fn identity(&self, op: &Op) -> String {
        let addressed = op.addresses().and_then(|(class, member)| self.latest(class, member));
        format!("{:?} {addressed:?}", op.without_key())
    }

    // ---- policy, members ----------------------------------------------------------------------------------

    fn put_policy(&mut self, policy: &Value) -> Answer {
        let Ok(policy) = Policy::parse(policy) else {
            return Answer::refused(Refused::new("invalid"));
        };
        self.policy = policy;
        self.events.push(self.bare("policy_changed"));
        let now = self.now;
        let shut = |c: &&Class| c.stage == Stage::Scheduled && now < c.terms.opens_at;
        let mut shut: Vec<_> = self.classes.values().filter(shut).map(|c| (c.terms.opens_at, c.id.clone())).collect();
        shut.sort_unstable();
        for (_, id) in shut {
            let class = &self.classes[&id];
            let anew = terms(&self.policy, class.overrides.as_ref(), class.starts_at, class.minutes);
            if anew != class.terms {
                self.entry(&id).terms = anew;
                self.announce("class_changed", now, Some(&id), None);
            }
        }
        Answer::done(200, "put", Body::Nothing)
    }

    fn put_member(&mut self, id: &str, profile: &Profile) -> Answer {
        if profile.valid_from.is_some_and(|from| profile.valid_until.is_some_and(|until| until < from)) {
            return Answer::refused(Refused::new("invalid"));
        }
        let before = self.members.get(id).cloned();
        let mut after = before.clone().unwrap_or(Member::new(profile.clone()));
        after.profile = Profile { clips: None, clips_revision: None, ..profile.clone() };
        if let Some(clips) = profile.clips {
            let applies = match &profile.clips_revision {
                Some(revision) => after.clips_revision.as_ref() != Some(revision),
                None => after.clips_revision.is_none(),
            };
            if applies {
                after.clips = clips;
            }
        }
        if profile.clips_revision.is_some() {
            after.clips_revision.clone_from(&profile.clips_revision);
        }
        if before.as_ref() == Some(&after) {
            return Answer::done(200, "unchanged", Body::Nothing);
        }
        self.members.insert(id.to_owned(), after);
        self.erased.remove(id);
        self.announce_of_member("member_changed", self.now, id);
        let was = before.map(|m| m.profile);
        for number in self.ahead(id) {
            let date = self.classes[&self.bookings[number].class].terms.date;
            if barred(profile, date) && !was.as_ref().is_some_and(|was| barred(was, date)) {
                self.give_up(number, self.now);
                self.ask_around(self.now);
            }
        }
        self.eased.insert(id.to_owned());
        Answer::done(200, "put", Body::Nothing)
    }

    fn erase_member(&mut self, id: &str) -> Answer {
        if self.erased.contains(id) {
            return Answer::done(204, "repeated", Body::Nothing);
        }
        if !self.members.contains_key(id) {
            return Answer::refused(Refused::new("not_found"));
        }
        for number in self.ahead(id) {
            self.give_up(number, self.now);
            self.eased.remove(id);
            self.ask_around(self.now);
        }
        self.announce_of_member("member_erased", self.now, id);
        self.members.remove(id);
        self.strikes.retain(|strike| strike.member != id);
        self.erased.insert(id.to_owned());
        Answer::done(204, "erased", Body::Nothing)
    }

    fn bare(&self, name: &'static str) -> crate::state::Event {
        crate::state::Event { name, class: None, booking: None, member: None, reason: None, at: self.now }
    }

    // ---- classes ------------------------------------------------------------------------------------------

    fn publish(&mut self, new: &NewClass) -> Answer {
        if !self.clubs.contains(&new.club) || new.starts_at < self.now {
            return Answer::refused(Refused::new("invalid"));
        }
        let terms = terms(&self.policy, new.overrides.as_ref(), new.starts_at, new.minutes);
        let stage = if self.now < terms.opens_at { Stage::Scheduled } else { Stage::Open };
        let class = Class {
            id: new.id.clone(),
            club: new.club.clone(),
            title: new.title.clone(),
            category: new.category.clone(),
            starts_at: new.starts_at,
            minutes: new.minutes,
            capacity: new.capacity,
            min_age: new.min_age,
            overrides: new.overrides.clone(),
            terms,
            stage,
            started: false,
            closed: false,
            tickets: 0,
            unasked: false,
            shown_free: new.capacity,
        };
        self.classes.insert(new.id.clone(), class);
        self.announce("class_published", self.now, Some(&new.id), None);
        Answer::done(201, "published", Body::Class(self.view_class(&new.id, None)))
    }

    fn change(&mut self, id: &str, change: &ClassChange) -> Answer {
        let now = self.now;
        let Some(before) = self.classes.get(id).cloned() else {
            return Answer::refused(Refused::new("not_found"));
        };
        let starts_at = change.starts_at.unwrap_or(before.starts_at);
        let minutes = change.minutes.unwrap_or(before.minutes);
        let moved = starts_at != before.starts_at || minutes != before.minutes;
        match before.stage {
            Stage::Cancelled => return Answer::refused(Refused::new("class_cancelled")),
            Stage::Finished => return Answer::refused(Refused::new("class_finished")),
            Stage::Scheduled | Stage::Open => {}
        }
        if starts_at != before.starts_at && now >= before.starts_at {
            return Answer::refused(Refused::new("wrong_status"));
        }
        if starts_at != before.starts_at && starts_at < now {
            return Answer::refused(Refused::new("invalid"));
        }
        let unheld = self.unheld(id);
        let class = self.entry(id);
        class.title = change.title.clone().unwrap_or(before.title);
        class.capacity = change.capacity.unwrap_or(before.capacity);
        if moved {
            (class.starts_at, class.minutes) = (starts_at, minutes);
            class.terms = before.terms.moved(starts_at, minutes);
            if before.terms.opens_at <= now {
                class.terms.opens_at = before.terms.opens_at;
            }
        }
        self.announce("class_changed", now, Some(id), None);
        if moved {
            self.after_a_move(id, before.starts_at, before.terms.date);
        }
        if self.unheld(id) > unheld {
            self.freed.insert(id.to_owned());
        }
        Answer::done(200, "changed", Body::Class(self.view_class(id, None)))
    }

    fn after_a_move(&mut self, id: &str, old_start: Instant, old_date: chrono::NaiveDate) {
        let class = self.classes[id].clone();
        let notice = TimeDelta::milliseconds(class.terms.policy.change_notice.fixed_ms());
        let short = old_start.min(class.starts_at) - self.now < notice || class.terms.date != old_date;
        for booking in self.bookings.iter_mut().filter(|b| b.class == id) {
            match booking.status {
                Status::Booked => {
                    booking.moved = if short { Some(class.starts_at) } else { booking.moved };
                    self.eased.insert(booking.member.clone());
                }
                Status::Offered => {
                    booking.offer_ends = booking.offer_ends.map(|ends| ends.min(class.terms.promote_until));
                    self.eased.insert(booking.member.clone());
                }
                Status::Waitlisted => {
                    self.eased.insert(booking.member.clone());
                }
                _ => {}
            }
        }
    }

    fn cancel_class(&mut self, id: &str) -> Answer {
        let now = self.now;
        let Some(class) = self.classes.get(id) else {
            return Answer::refused(Refused::new("not_found"));
        };
        match class.stage {
            Stage::Finished => return Answer::refused(Refused::new("class_finished")),
            Stage::Cancelled => return Answer::done(200, "repeated", Body::Class(self.view_class(id, None))),
            Stage::Scheduled | Stage::Open => {}
        }
        self.entry(id).stage = Stage::Cancelled;
        self.announce("class_cancelled", now, Some(id), None);
        for number in self.of_class(id).filter(|b| b.status.live()).map(|b| b.number).collect::<Vec<_>>() {
            let status = self.bookings[number].status;
            if status == Status::Booked {
                self.return_clip(number);
            }
            if status.holds() {
                self.eased.insert(self.bookings[number].member.clone());
            }
            self.bookings[number].status = Status::ClassCancelled;
            self.bookings[number].offer_ends = None;
            let event = if status == Status::Waitlisted { "waitlist_left" } else { "booking_cancelled" };
            self.announce(event, now, None, Some(number));
        }
        let mut owing: Vec<_> = self.of_class(id).filter_map(|b| Some((b.owing?, b.number))).collect();
        owing.sort_unstable();
        for (_, number) in owing {
            if self.bookings[number].status == Status::NoShow {
                self.bookings[number].status = Status::ClassCancelled;
                self.announce("booking_cancelled", now, None, Some(number));
            }
            self.unwind(number, now);
        }
        Answer::done(200, "cancelled", Body::Class(self.view_class(id, None)))
    }

    // ---- booking ------------------------------------------------------------------------------------------

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

    fn book(&mut self, caller: &Caller, class: &str, member: &str, waitlist: bool) -> Answer {
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
                Answer::done(200, "taken", Body::Booking(self.view_booking(place)))
            }
            Judgement::Spot => {
                let number = self.new_place(class, member);
                self.take_spot(number, "booking_confirmed", self.now);
                Answer::done(201, "booked", Body::Booking(self.view_booking(number)))
            }
            Judgement::Queue => {
                let number = self.new_place(class, member);
                self.announce("waitlist_joined", self.now, None, Some(number));
                Answer::done(201, "waitlisted", Body::Booking(self.view_booking(number)))
            }
        }
    }

    fn new_place(&mut self, class: &str, member: &str) -> Number {
        let entry = self.entry(class);
        entry.tickets += 1;
        let ticket = entry.tickets;
        let number = self.bookings.len();
        self.bookings.push(crate::state::Booking {
            number,
            class: class.to_owned(),
            member: member.to_owned(),
            status: Status::Waitlisted,
            ticket,
            offer_ends: None,
            ran_out: false,
            by_clip: None,
            grace_until: None,
            moved: None,
            fee: 0,
            owing: None,
        });
        number
    }

    fn accept(&mut self, number: Number) -> Answer {
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

    // ---- cancelling ---------------------------------------------------------------------------------------

    /// Until when the place can be given up free of charge.
    fn free_until(&self, number: Number) -> Instant {
        let booking = &self.bookings[number];
        let class = &self.classes[&booking.class];
        if booking.status != Status::Booked {
            return class.starts_at;
        }
        let until = [Some(class.terms.cancel_by), booking.grace_until, booking.moved];
        until.into_iter().flatten().max().map_or(class.starts_at, |until| until.min(class.starts_at))
    }

    fn cancel(&mut self, number: Number, charge: Option<bool>) -> Answer {
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
            self.give_up(number, now);
            let outcome = match booking.status {
                Status::Waitlisted => "left",
                Status::Offered => "declined",
                _ if spared => "spared",
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

    fn preview(&self, number: Number) -> Answer {
        let booking = &self.bookings[number];
        if !booking.status.live() || booking.status == Status::CheckedIn {
            // What cancelling an ended booking would cost is not said anywhere.
            return Answer::done(200, "ended", Body::Nothing);
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

/// Places on this day end with the membership, or rest with it.
fn barred(profile: &Profile, date: chrono::NaiveDate) -> bool {
    ended(profile.status, profile.valid_until, date) || frozen_until(&profile.frozen, date).is_some()
}

fn terms(policy: &Policy, overrides: Option<&Value>, starts_at: Instant, minutes: u32) -> Terms {
    let effective = match overrides {
        Some(patch) => policy.patched(patch).expect("a generated override fits"),
        None => policy.clone(),
    };
    Terms::of(&effective, starts_at, minutes)
}
