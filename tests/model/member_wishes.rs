//! What members and the desk might do next, the rare more often than in a real gym.

use chrono::TimeDelta;

use crate::histories::{Chance, ahead};
use crate::operations::{Caller, ClassChange, Op};
use crate::state::{Booking, Class, Membership, Org, Profile, Status};

impl Chance {
    pub fn book(&mut self, org: &Org) -> Option<Op> {
        if self.dice.chance(7) {
            let waiting = self.place(org, |b| b.status == Status::Waitlisted);
            if let Some((class, member)) = waiting {
                let caller = self.caller(&member, 35);
                return Some(Op::Book { caller, class, member, waitlist: true, key: self.key() });
            }
        }
        let class = self.class(org)?;
        let member = self.newcomer(org, &class);
        let caller = self.caller(&member, 35);
        Some(Op::Book { caller, class, member, waitlist: self.dice.chance(80), key: self.key() })
    }

    /// Promotion has ended and a spot is free: somebody who waits takes it.
    pub fn take(&mut self, org: &Org) -> Option<Op> {
        let free = |b: &Booking| {
            let class = &org.classes[&b.class];
            let free =
                class.terms.promote_until <= org.now && org.now < class.terms.closes_at && org.unheld(&b.class) > 0;
            b.status == Status::Waitlisted && !class.over() && free
        };
        let (class, member) = self.place(org, free)?;
        let desk = if org.classes[&class].holds_spots_for_the_desk() { 90 } else { 35 };
        let caller = self.caller(&member, desk);
        Some(Op::Book { caller, class, member, waitlist: true, key: self.key() })
    }

    /// Somebody who waits is blocked, a spot becomes free, the block goes.
    pub fn unblock(&mut self, org: &Org) -> Option<Op> {
        let short = |b: &Booking| {
            let class = &org.classes[&b.class];
            let promoting = !class.over() && org.now < class.terms.promote_until;
            b.status == Status::Waitlisted && promoting && org.queue(&b.class).len() <= 2
        };
        let (class, member) = self.place(org, short)?;
        let holder = org.of_class(&class).find(|b| b.status == Status::Booked)?.member.clone();
        let before = Profile { clips: None, clips_revision: None, ..org.members.get(&member)?.profile.clone() };
        let blocked = Profile { status: Membership::Blocked, ..before.clone() };
        let caller = Caller::Desk;
        self.ahead
            .push(Op::PutMember { id: member.clone(), profile: Profile { name: "Ann Berg".to_owned(), ..before } });
        self.ahead.push(Op::Cancel { caller, class, member: holder, charge: Some(false), key: None });
        Some(Op::PutMember { id: member, profile: blocked })
    }

    /// Somebody waits beside a free spot, kept from it by what they hold elsewhere: that goes away.
    pub fn stuck(&mut self, org: &Org) -> Option<Op> {
        let kept = |b: &Booking| {
            let class = &org.classes[&b.class];
            let promoting = !class.over() && org.now < class.terms.promote_until && org.unheld(&b.class) > 0;
            let why = || org.obstacle_of(b.number).map(|refused| refused.code);
            b.status == Status::Waitlisted && promoting && matches!(why(), Some("overlap" | "daily_limit"))
        };
        let (waited, member) = self.place(org, kept)?;
        let date = org.classes[&waited].terms.date;
        let same_day = |b: &&Booking| b.status.holds() && ahead(org, b) && org.classes[&b.class].terms.date == date;
        let class = org.of_member(&member).find(same_day)?.class.clone();
        Some(match self.dice.within(0..4) {
            0 | 1 => Op::CancelClass { class, key: None },
            2 => {
                let starts_at = Some(org.classes[&class].starts_at + TimeDelta::days(1));
                Op::Change { class, change: ClassChange { starts_at, ..ClassChange::default() } }
            }
            _ => Op::Cancel { caller: Caller::Desk, class, member, charge: Some(false), key: None },
        })
    }

    /// Whoever waits books another class at the same time; then a spot becomes free.
    pub fn get_stuck(&mut self, org: &Org) -> Option<Op> {
        let promoting = |c: &Class| !c.over() && c.terms.opens_at <= org.now && org.now < c.terms.promote_until;
        let (class, member) =
            self.place(org, |b| b.status == Status::Waitlisted && promoting(&org.classes[&b.class]))?;
        let other = |c: &&Class| {
            c.id != class && promoting(c) && c.terms.date == org.classes[&class].terms.date && org.unheld(&c.id) > 0
        };
        let other = org.classes.values().find(other)?.id.clone();
        let holder = org.of_class(&class).find(|b| b.status == Status::Booked)?.member.clone();
        self.ahead.push(Op::Cancel { caller: Caller::Desk, class, member: holder, charge: Some(false), key: None });
        let caller = Caller::Member(member.clone());
        Some(Op::Book { caller, class: other, member, waitlist: true, key: None })
    }

    /// Booking has just opened, or everyone has seen the same post: more come than there are spots.
    pub fn rush(&mut self, org: &Org) -> Option<Op> {
        let class = self.class(org)?;
        let mut coming: Vec<String> = self.members.clone();
        coming.retain(|member| org.live(&class, member).is_none());
        let spots = org.classes.get(&class)?.capacity as usize;
        while coming.len() > spots + 2 {
            coming.remove(self.dice.within(0..coming.len() as i64) as usize);
        }
        let book = |member: String| {
            let (caller, class) = (Caller::Member(member.clone()), class.clone());
            Op::Book { caller, class, member, waitlist: true, key: None }
        };
        self.ahead.extend(coming.into_iter().map(book));
        self.ahead.pop()
    }

    pub fn cancel(&mut self, org: &Org) -> Option<Op> {
        if self.dice.chance(10)
            && let Some((class, member)) = self.place(org, |b| b.status == Status::Lapsed)
        {
            return Some(Op::Cancel { caller: self.caller(&member, 30), class, member, charge: None, key: self.key() });
        }
        let live = self.dice.chance(88);
        let late_comer = self.dice.chance(15);
        let is_ahead = |b: &Booking| late_comer || ahead(org, b);
        let wanted = |b: &Booking| b.status.holds() && is_ahead(b) && !org.queue(&b.class).is_empty();
        let (class, member) = match self.dice.chance(96) {
            true => (self.dice.chance(50).then(|| self.place(org, wanted)).flatten())
                .or_else(|| self.place(org, |b| b.status.live() == live && is_ahead(b)))?,
            false => (self.class(org)?, self.member()),
        };
        let other = self.member();
        let caller = if self.dice.chance(3) { Caller::Member(other) } else { self.caller(&member, 42) };
        let charge = match caller {
            Caller::Desk if self.dice.chance(60) => Some(self.dice.chance(50)),
            _ => None,
        };
        if let Some(standing) = org.classes.get(&class)
            && standing.terms.promote_until <= org.now
            && let Some(&next) = org.queue(&class).first()
        {
            let (next, desk) = (org.bookings[next].member.clone(), standing.holds_spots_for_the_desk());
            let caller = self.caller(&next, if desk { 70 } else { 20 });
            self.ahead.push(Op::Book { caller, class: class.clone(), member: next, waitlist: true, key: None });
        }
        Some(Op::Cancel { caller, class, member, charge, key: self.key() })
    }

    pub fn accept(&mut self, org: &Org) -> Option<Op> {
        let (class, member) = match self.dice.within(0..100) {
            0..70 => self.place(org, |b| b.status == Status::Offered)?,
            70..88 => self.place(org, |b| b.ran_out)?,
            88..94 => self.place(org, |b| b.status.live() && ahead(org, b))?,
            _ => (self.class(org)?, self.member()),
        };
        Some(Op::Accept { class, member, key: self.key() })
    }

    pub fn preview(&mut self, org: &Org) -> Option<Op> {
        let late_comer = self.dice.chance(15);
        let is_ahead = |b: &Booking| late_comer || ahead(org, b);
        let (class, member) = self.place(org, |b| b.status.live() && is_ahead(b))?;
        let caller = self.caller(&member, 30);
        Some(Op::Preview { caller, class, member })
    }

    /// The same key for another call.
    pub fn misuse(&mut self, org: &Org) -> Option<Op> {
        if self.keyed.is_empty() {
            return None;
        }
        let mut op = self.dice.pick(&self.keyed.clone()).clone();
        let elsewhere = self.class(org)?;
        match &mut op {
            Op::Book { waitlist, .. } => *waitlist = !*waitlist,
            Op::Cancel { caller: Caller::Desk, charge, .. } => {
                *charge = if charge.is_some() { None } else { Some(false) }
            }
            Op::Cancel { class, member, .. } => {
                *class = org.of_member(member).map(|b| b.class.clone()).find(|other| other != class)?;
            }
            Op::CancelClass { class, .. } | Op::CloseClass { class, .. } => *class = elsewhere,
            Op::WalkIn { class, .. } => *class = elsewhere,
            _ => return None,
        }
        Some(op)
    }
}
