//! The rules that decide by themselves: who may take a spot, and what taking one or giving it up means.
//!
//! `RULES.md` and `SEMANTICS.md` are the source of every line, here and in the files beside it: `charges` (fees, clips,
//! strikes, bans), `waitlist` (who is next) and `timers` (what falls due). Nothing in them knows how the service does it.

use chrono::{Datelike, NaiveDate, TimeDelta};
use rollcall::domain::calendar::{day_start, days_on};
use rollcall::domain::instant::Instant;

use crate::state::{Booking, Class, Member, Membership, Number, Org, Status};
use crate::views::Refused;

impl Org {
    /// The first reason why this member cannot take a spot in this class, places and limits of the class aside.
    /// `own` is the member's own booking there, which is no obstacle to itself.
    pub fn obstacle(&self, class: &Class, member: &Member, id: &str, own: Option<Number>) -> Option<Refused> {
        let profile = &member.profile;
        let date = class.terms.date;
        if ended(profile.status, profile.valid_until, date) {
            return Some(Refused::new("membership_ended"));
        }
        let here = profile.clubs.as_ref().is_none_or(|clubs| clubs.contains(&class.club));
        let this = profile
            .categories
            .as_ref()
            .is_none_or(|covered| class.category.as_ref().is_none_or(|category| covered.contains(category)));
        let begun = profile.valid_from.is_none_or(|from| from <= date);
        if profile.status == Membership::Blocked || !here || !this || !begun {
            return Some(Refused::new("not_entitled"));
        }
        if let Some(last) = frozen_until(&profile.frozen, date) {
            return Some(Refused::until("frozen", day_start(days_on(last, 1), self.policy.timezone)));
        }
        if class.min_age.is_some_and(|least| profile.born.is_none_or(|born| age(born, date) < least)) {
            return Some(Refused::new("too_young"));
        }
        if let Some(until) = member.banned_until.filter(|&until| self.now < until) {
            return Some(Refused::until("banned", until));
        }
        if profile.on_clips && member.clips == 0 {
            return Some(Refused::new("no_clips"));
        }
        let held: Vec<&Class> = self
            .of_member(id)
            .filter(|b| b.status.holds() && Some(b.number) != own)
            .map(|b| &self.classes[&b.class])
            .collect();
        let booking = &class.terms.policy.booking;
        if !booking.allow_overlap && held.iter().any(|other| other.overlaps(class)) {
            return Some(Refused::new("overlap"));
        }
        let that_day = held.iter().filter(|other| other.terms.date == date).count() as u32;
        booking.daily_limit.filter(|&limit| that_day >= limit).map(|_| Refused::new("daily_limit"))
    }

    /// What keeps a waiting or offered member from taking the spot.
    pub fn obstacle_of(&self, number: Number) -> Option<Refused> {
        let booking = &self.bookings[number];
        let class = &self.classes[&booking.class];
        match self.members.get(&booking.member) {
            Some(member) => self.obstacle(class, member, &booking.member, Some(number)),
            None => Some(Refused::new("membership_ended")),
        }
    }

    /// The member takes a spot: a clip is spent if that is how they pay, and the oldest late cancel is forgiven.
    pub fn take_spot(&mut self, number: Number, event: &'static str, now: Instant) {
        let promoted = event == "booking_promoted";
        let class = self.classes[&self.bookings[number].class].clone();
        let member = self.members.get_mut(&self.bookings[number].member);
        let by_clip = member.as_ref().is_some_and(|m| m.profile.on_clips);
        if let Some(member) = member.filter(|_| by_clip) {
            member.clips -= 1;
        }
        let booking = &mut self.bookings[number];
        booking.status = Status::Booked;
        booking.by_clip = Some(by_clip);
        booking.offer_ends = None;
        if promoted {
            let grace = class.terms.policy.waitlist.grace.fixed_ms();
            booking.grace_until = (grace > 0).then(|| now + TimeDelta::milliseconds(grace));
        }
        self.announce(event, now, None, Some(number));
        if class.terms.policy.cancel.forgive_if_refilled {
            self.forgive_oldest(&class.id, now);
        }
        if promoted && class.terms.policy.waitlist.leave_overlapping {
            self.leaving.push(number);
        }
        // A member who stands by is here already.
        if promoted && self.bookings[number].present {
            self.arrive(number, false, now);
        }
    }

    /// Whoever was promoted leaves the waiting places that overlap.
    pub fn leave_overlapping(&mut self, now: Instant) {
        for number in std::mem::take(&mut self.leaving) {
            self.leave_overlapping_with(number, now);
        }
    }

    fn leave_overlapping_with(&mut self, number: Number, now: Instant) {
        let member = self.bookings[number].member.clone();
        let class = self.classes[&self.bookings[number].class].clone();
        for other in self.waits_in(&member) {
            if other != class.id && self.classes[&other].overlaps(&class) {
                let Some(place) = self.live(&other, &member) else { continue };
                self.bookings[place].status = Status::Cancelled;
                self.announce("waitlist_left", now, None, Some(place));
            }
        }
    }

    /// Ends a live place free of charge; a spot given up is asked about when the call is done.
    pub fn give_up(&mut self, number: Number, now: Instant) {
        let Booking { class, member, status, .. } = self.bookings[number].clone();
        self.bookings[number].status = Status::Cancelled;
        self.bookings[number].offer_ends = None;
        if status == Status::Waitlisted {
            self.announce("waitlist_left", now, None, Some(number));
            return;
        }
        if status == Status::Booked {
            self.return_clip(number);
        }
        self.announce("booking_cancelled", now, None, Some(number));
        self.freed.insert(class);
        self.eased.insert(member);
    }
}

pub fn ended(status: Membership, valid_until: Option<NaiveDate>, date: NaiveDate) -> bool {
    status == Membership::Ended || valid_until.is_some_and(|until| until < date)
}

/// The last frozen day of the span that covers this date.
pub fn frozen_until(spans: &[(NaiveDate, NaiveDate)], date: NaiveDate) -> Option<NaiveDate> {
    spans.iter().filter(|&&(from, until)| from <= date && date <= until).map(|&(_, until)| until).max()
}

fn age(born: NaiveDate, on: NaiveDate) -> u32 {
    let before_birthday = (on.month(), on.day()) < (born.month(), born.day());
    (on.year() - born.year() - i32::from(before_birthday)).max(0) as u32
}
