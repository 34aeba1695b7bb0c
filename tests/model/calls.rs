//! The calls: what each does and answers. Every call settles what is due, judges, changes, announces, and asks
//! whoever is next; in that order.

use chrono::TimeDelta;
use rollcall::domain::policy::Policy;
use serde_json::Value;

use crate::classes::terms;
use crate::operations::{Caller, Op};
use crate::rules::{ended, frozen_until};
use crate::state::{Class, Member, Number, Org, Profile, Remembered, Stage, Status};
use crate::views::{Answer, Body, Refused};

impl Org {
    pub fn call(&mut self, op: &Op) -> Answer {
        if let Op::SetClock(now) = op {
            self.travel(*now);
        }
        let announced = self.events.len();
        self.settle(self.now);
        self.show_free(announced);
        let claim = op.key().map(|key| ((format!("{:?}", op.caller()), key), self.identity(op)));
        if let Some((slot, call)) = &claim
            && let Some(before) = self.remembered.get(slot).filter(|r| self.now < r.at + TimeDelta::hours(24))
        {
            return if before.call == *call {
                let body = match before.answer.body.clone() {
                    Body::Standing(then) => Body::Standing(then.read_at(self.now, self.today())),
                    body => body,
                };
                Answer { outcome: "replayed", body, ..before.answer.clone() }
            } else {
                Answer::refused(Refused::new("idempotency_mismatch"))
            };
        }
        let announced = self.events.len();
        let answer = self.act(op);
        self.ask_around(self.now);
        self.settle(self.now);
        self.show_free(announced);
        let answer = self.as_of_the_end(op, answer);
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
            Op::PostSeries(series) => self.post_series(series),
            Op::PatchSeries { id, change } => self.patch_series(id, change),
            Op::EndSeries { id } => self.end_series(id),
            Op::Close(closure) => self.close_club(closure),
            Op::Reopen { club, id } => self.reopen(club, id),
            Op::Change { class, change } => self.change(class, change),
            Op::CancelClass { class, .. } => self.cancel_class(class),
            Op::CloseClass { class, penalties, .. } => self.close_by_hand(class, *penalties),
            Op::WalkIn { class, member, .. } => self.walk_in(class, member),
            Op::CheckIn { caller, class, member, .. } => match self.addressed(caller, class, member) {
                Some(number) => self.check_in(number),
                None => Answer::refused(Refused::new("not_found")),
            },
            Op::UndoCheckIn { caller, class, member, .. } => match self.addressed(caller, class, member) {
                Some(number) => self.undo_check_in(number),
                None => Answer::refused(Refused::new("not_found")),
            },
            Op::Arrive { club, arriving, .. } => self.arrive_at(club, arriving),
            Op::Excuse { class, member, .. } => match self.latest(class, member) {
                Some(number) => self.excuse(number),
                None => Answer::refused(Refused::new("not_found")),
            },
            Op::WaiveFee { line, .. } => self.waive_fee(*line),
            Op::LiftBan { member, .. } => self.lift_ban(member),
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
            Op::ReadStanding { member } => match self.members.contains_key(member) {
                true => Answer::done(200, "read", self.standing(member)),
                false => Answer::refused(Refused::new("not_found")),
            },
            Op::ReadBookings { member } => Answer::done(200, "read", Body::Bookings(self.view_bookings(member))),
            Op::ReadFees => Answer::done(200, "read", Body::Fees(self.view_fees())),
        }
    }

    /// A reply shows the state after everything the call caused.
    fn as_of_the_end(&self, op: &Op, answer: Answer) -> Answer {
        let body = match answer.body {
            Body::Booking(view) => Body::Booking(self.view_booking(view.number)),
            Body::Standing(_) => op.member().map_or(Body::Nothing, |member| self.standing(member)),
            Body::Class(view) if view.mine.is_none() => Body::Class(self.view_class(&view.id, None)),
            other => other,
        };
        Answer { body, ..answer }
    }

    /// The booking a caller names; someone else's does not exist for them.
    fn addressed(&self, caller: &Caller, class: &str, member: &str) -> Option<Number> {
        self.latest(class, member).filter(|_| match caller {
            Caller::Desk | Caller::Kiosk => true,
            Caller::Member(id) => id == member,
            Caller::Instructor(id) => self.classes[class].instructor.as_ref() == Some(id),
        })
    }

    fn identity(&self, op: &Op) -> String {
        let addressed = op.addresses().and_then(|(class, member)| self.latest(class, member));
        format!("{:?} {addressed:?}", op.without_key())
    }

    fn put_policy(&mut self, policy: &Value) -> Answer {
        let Ok(policy) = Policy::parse(policy) else {
            return Answer::refused(Refused::new("invalid"));
        };
        self.policy = policy;
        self.events.push(self.bare("policy_changed"));
        let now = self.now;
        let shut = |c: &&Class| c.stage == Stage::Scheduled && now < c.terms.opens_at;
        let mut shut: Vec<_> = self.classes.values().filter(shut).map(|c| (c.starts_at, c.id.clone())).collect();
        shut.sort_unstable();
        for (_, id) in shut {
            let class = &self.classes[&id];
            let anew = terms(&self.policy, class.overrides.as_ref(), class.starts_at, class.minutes);
            if anew != class.terms {
                let class = self.entry(&id);
                class.undecided = now < anew.decide_at;
                class.terms = anew;
                class.revision += 1;
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
        for number in self.to_come(id) {
            let date = self.classes[&self.bookings[number].class].terms.date;
            if barred(profile, date) && !was.as_ref().is_some_and(|was| barred(was, date)) {
                self.give_up(number, self.now);
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
        for number in self.to_come(id) {
            self.give_up(number, self.now);
        }
        self.eased.remove(id);
        self.announce_of_member("member_erased", self.now, id);
        self.members.remove(id);
        self.strikes.retain(|strike| strike.member != id);
        self.erased.insert(id.to_owned());
        Answer::done(204, "erased", Body::Nothing)
    }

    /// Places ahead that have not been taken up.
    fn to_come(&self, id: &str) -> Vec<Number> {
        self.ahead(id).into_iter().filter(|&number| self.bookings[number].status != Status::CheckedIn).collect()
    }

    pub fn bare(&self, name: &'static str) -> crate::state::Event {
        crate::state::Event { name, class: None, booking: None, member: None, passed: Vec::new(), at: self.now }
    }
}

/// Places on this day end with the membership, or rest with it.
fn barred(profile: &Profile, date: chrono::NaiveDate) -> bool {
    ended(profile.status, profile.valid_until, date) || frozen_until(&profile.frozen, date).is_some()
}
