//! What the club does with its classes: publish, change, cancel.

use chrono::{NaiveDate, TimeDelta};
use rollcall::domain::instant::Instant;
use rollcall::domain::policy::{BelowMinimum, Policy};
use rollcall::domain::terms::Terms;
use serde_json::Value;

use crate::operations::{ClassChange, NewClass};
use crate::state::{Class, Number, Org, Stage, Status};
use crate::views::{Answer, Body, Refused};

impl Org {
    pub fn publish(&mut self, new: &NewClass) -> Answer {
        let wrong = new.minimum.is_some_and(|least| least > new.capacity) || self.classes.contains_key(&new.id);
        if wrong || !self.clubs.contains(&new.club) || new.starts_at < self.now {
            return Answer::refused(Refused::new("invalid"));
        }
        let terms = terms(&self.policy, new.overrides.as_ref(), new.starts_at, new.minutes);
        if self.closed_on(&new.club, terms.date) {
            return Answer::refused(Refused::new("invalid"));
        }
        let stage = if self.now < terms.opens_at { Stage::Scheduled } else { Stage::Open };
        let class = Class {
            id: new.id.clone(),
            club: new.club.clone(),
            title: new.title.clone(),
            category: new.category.clone(),
            instructor: new.instructor.clone(),
            starts_at: new.starts_at,
            minutes: new.minutes,
            capacity: new.capacity,
            minimum: new.minimum,
            min_age: new.min_age,
            overrides: new.overrides.clone(),
            given: None,
            undecided: self.now < terms.decide_at,
            terms,
            stage,
            started: false,
            closed: false,
            untouched: false,
            revision: 1,
            tickets: 0,
            unasked: false,
            shown_free: new.capacity,
            queued: 0,
            told_passed: None,
        };
        self.classes.insert(new.id.clone(), class);
        self.announce("class_published", self.now, Some(&new.id), None);
        Answer::done(201, "published", Body::Class(self.view_class(&new.id, None)))
    }

    pub fn change(&mut self, id: &str, change: &ClassChange) -> Answer {
        let now = self.now;
        let least = change.minimum.flatten();
        if change.capacity.is_some_and(|capacity| least.is_some_and(|least| least > capacity)) {
            return Answer::refused(Refused::new("invalid"));
        }
        let Some(before) = self.classes.get(id).cloned() else {
            return Answer::refused(Refused::new("not_found"));
        };
        if change.if_match.is_some_and(|expected| expected != before.revision) {
            return Answer::refused(Refused::new("stale"));
        }
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
        let closed = || self.closed_on(&before.club, before.terms.moved(starts_at, minutes).date);
        if starts_at != before.starts_at && (starts_at < now || closed()) {
            return Answer::refused(Refused::new("invalid"));
        }
        let capacity = change.capacity.unwrap_or(before.capacity);
        if least.is_some_and(|least| least > capacity) {
            return Answer::refused(Refused::new("invalid"));
        }
        let unheld = self.unheld(id);
        let class = self.entry(id);
        class.title = change.title.clone().unwrap_or(before.title);
        class.capacity = capacity;
        class.minimum = change.minimum.unwrap_or(before.minimum);
        class.instructor = change.instructor.clone().or(before.instructor);
        class.revision += 1;
        if moved {
            (class.starts_at, class.minutes) = (starts_at, minutes);
            class.terms = before.terms.moved(starts_at, minutes);
            if before.terms.opens_at <= now {
                class.terms.opens_at = before.terms.opens_at;
            }
            class.undecided = now < class.terms.decide_at;
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

    pub fn after_a_move(&mut self, id: &str, old_start: Instant, old_date: NaiveDate) {
        let class = self.classes[id].clone();
        let notice = TimeDelta::milliseconds(class.terms.policy.change_notice.fixed_ms());
        let short = old_start.min(class.starts_at) - self.now < notice || class.terms.date != old_date;
        for number in self.of_class(id).map(|b| b.number).collect::<Vec<_>>() {
            let booking = &mut self.bookings[number];
            match booking.status {
                Status::Booked | Status::CheckedIn => {
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

    pub fn cancel_class(&mut self, id: &str) -> Answer {
        let now = self.now;
        let Some(class) = self.classes.get(id) else {
            return Answer::refused(Refused::new("not_found"));
        };
        match class.stage {
            Stage::Finished => return Answer::refused(Refused::new("class_finished")),
            Stage::Cancelled => return Answer::done(200, "repeated", Body::Class(self.view_class(id, None))),
            Stage::Scheduled | Stage::Open => {}
        }
        self.call_off(id, now);
        Answer::done(200, "cancelled", Body::Class(self.view_class(id, None)))
    }

    /// Too few have booked: the club cancels by itself, or warns.
    pub fn decide(&mut self, id: &str, at: Instant) {
        self.entry(id).undecided = false;
        let class = &self.classes[id];
        if self.count(id, |s| matches!(s, Status::Booked | Status::CheckedIn)) >= class.least() {
            return;
        }
        match class.terms.policy.attendance.below_minimum {
            BelowMinimum::Cancel => {
                self.call_off(id, at);
                self.ask_around(at);
            }
            BelowMinimum::Warn => self.announce("class_changed", at, Some(id), None),
        }
    }

    /// The class is not held, and nobody has anything to pay or to regret for it.
    pub fn call_off(&mut self, id: &str, now: Instant) {
        let class = self.entry(id);
        (class.stage, class.undecided, class.untouched) = (Stage::Cancelled, false, false);
        class.revision += 1;
        self.announce("class_cancelled", now, Some(id), None);
        for number in self.of_class(id).filter(|b| b.status.live()).map(|b| b.number).collect::<Vec<_>>() {
            if self.bookings[number].status == Status::CheckedIn {
                self.take_back_arrival(number, now);
            }
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
        let of_status = |org: &Org, wanted: Status| -> Vec<Number> {
            org.of_class(id).filter(|b| b.status == wanted).map(|b| b.number).collect()
        };
        let mut late = of_status(self, Status::LateCancelled);
        late.retain(|&number| self.bookings[number].owing.is_some());
        late.sort_by_key(|&number| self.bookings[number].owing);
        for number in late {
            self.unwind(number, now);
        }
        for number in of_status(self, Status::NoShow) {
            self.bookings[number].status = Status::ClassCancelled;
            self.announce("booking_cancelled", now, None, Some(number));
            if self.bookings[number].owing.is_some() {
                self.unwind(number, now);
            }
        }
    }
}

pub fn terms(policy: &Policy, overrides: Option<&Value>, starts_at: Instant, minutes: u32) -> Terms {
    let effective = match overrides {
        Some(patch) => policy.patched(patch).expect("a generated override fits"),
        None => policy.clone(),
    };
    Terms::of(&effective, starts_at, minutes)
}
