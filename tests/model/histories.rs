//! Makes histories: a small chain in which classes overlap and spots are few, and what happens to it.
//!
//! Every choice looks at the model, so that what is rare in a real gym (a cancel one millisecond after the cutoff,
//! an offer accepted after the member was blocked) is common here.

use chrono::{Datelike, NaiveDate, TimeDelta};
use rollcall::domain::instant::{Instant, from_ms};
use serde_json::Value;

use crate::dice::Dice;
use crate::operations::{Caller, ClassChange, NewClass, Op};
use crate::policies;
use crate::state::{Booking, Class, Membership, Org, Profile, Status};

const CATEGORIES: [&str; 3] = ["yoga", "strength", "pilates"];

/// Where a history begins; what happens is asked for call by call, or given.
#[derive(Clone, Debug)]
pub struct Beginning {
    pub now: Instant,
    pub policy: Value,
    pub clubs: Vec<String>,
}

pub struct Chance {
    dice: Dice,
    members: Vec<String>,
    classes: u32,
    keys: u32,
    revisions: u32,
    /// Calls that are due next: what fills the chain at the beginning, and both halves of a repeat.
    ahead: Vec<Op>,
    /// Recent calls that carried a key.
    keyed: Vec<Op>,
}

#[derive(Clone, Copy)]
enum Wish {
    Book,
    Take,
    Rush,
    Unblock,
    Stuck,
    Cancel,
    Accept,
    Preview,
    Clock,
    Member,
    Erase,
    Change,
    CancelClass,
    Publish,
    Policy,
    Read,
    Repeat,
    Misuse,
}

const WISHES: &[(u64, Wish)] = &[
    (50, Wish::Book),
    (14, Wish::Take),
    (16, Wish::Rush),
    (8, Wish::Unblock),
    (12, Wish::Stuck),
    (44, Wish::Cancel),
    (24, Wish::Accept),
    (7, Wish::Preview),
    (20, Wish::Clock),
    (16, Wish::Member),
    (1, Wish::Erase),
    (9, Wish::Change),
    (2, Wish::CancelClass),
    (3, Wish::Publish),
    (2, Wish::Policy),
    (10, Wish::Read),
    (8, Wish::Repeat),
    (6, Wish::Misuse),
];

impl Chance {
    pub fn new(seed: u64) -> (Beginning, Chance) {
        let mut dice = Dice::new(seed);
        let now = beginning(&mut dice);
        let clubs: Vec<String> = (1..=dice.within(2..4)).map(|n| format!("club-{n}")).collect();
        let beginning = Beginning { now, policy: policies::policy(&mut dice, None), clubs };
        let members = (1..=dice.within(6..11)).map(|n| format!("m{n}")).collect();
        let mut chance =
            Chance { dice, members, classes: 0, keys: 0, revisions: 0, ahead: Vec::new(), keyed: Vec::new() };
        chance.fill(&beginning);
        (beginning, chance)
    }

    fn fill(&mut self, at: &Beginning) {
        for id in self.members.clone() {
            let profile = self.profile(at.now, &at.clubs);
            self.ahead.push(Op::PutMember { id, profile });
        }
        // Two evenings on which everything is at the same time.
        let evenings = [self.dice.within(5..50), self.dice.within(20..100)];
        for _ in 0..self.dice.within(4..7) {
            let around = *self.dice.pick(&evenings) * 60 + 15 * self.dice.within(0..12);
            let class = self.new_class(&at.clubs, at.now + TimeDelta::minutes(around));
            self.ahead.push(Op::Publish(class));
        }
        self.ahead.reverse();
    }

    /// Whether there is little left to happen.
    pub fn over(&self, org: &Org) -> bool {
        self.ahead.is_empty() && org.classes.values().all(|c| c.over() || c.starts_at <= org.now)
    }

    pub fn next(&mut self, org: &Org) -> Op {
        let op = match self.ahead.pop() {
            Some(op) => op,
            None => loop {
                let wish = self.dice.weighted(WISHES);
                if let Some(op) = self.grant(wish, org) {
                    break op;
                }
            },
        };
        if op.key().is_some() {
            self.keyed.push(op.clone());
        }
        op
    }

    fn grant(&mut self, wish: Wish, org: &Org) -> Option<Op> {
        match wish {
            Wish::Book => self.book(org),
            Wish::Take => self.take(org),
            Wish::Rush => self.rush(org),
            Wish::Unblock => self.unblock(org),
            Wish::Stuck => self.stuck(org).or_else(|| self.get_stuck(org)),
            Wish::Cancel => self.cancel(org),
            Wish::Accept => self.accept(org),
            Wish::Preview => self.preview(org),
            Wish::Clock => Some(Op::SetClock(self.instant(org))),
            Wish::Member => Some(self.change_member(org)),
            Wish::Erase => Some(Op::EraseMember { id: self.member() }),
            Wish::Change => self.change_class(org),
            Wish::CancelClass => self.cancel_class(org),
            Wish::Publish => Some(Op::Publish(self.another_class(org))),
            Wish::Policy => self.put_policy(org),
            Wish::Read => self.read(org),
            Wish::Repeat => self.keyed.last().filter(|_| self.dice.chance(70)).or(self.keyed.first()).cloned(),
            Wish::Misuse => self.misuse(org),
        }
    }

    // ---- who, which, when ---------------------------------------------------------------------------------

    fn member(&mut self) -> String {
        self.dice.pick(&self.members.clone()).clone()
    }

    /// Mostly one with no place in the class yet.
    fn newcomer(&mut self, org: &Org, class: &str) -> String {
        let out: Vec<String> = self.members.iter().filter(|m| org.live(class, m).is_none()).cloned().collect();
        if out.is_empty() || self.dice.chance(12) { self.member() } else { self.dice.pick(&out).clone() }
    }

    /// Mostly one that can be booked; sometimes any; rarely one that does not exist.
    fn class(&mut self, org: &Org) -> Option<String> {
        let bookable = |c: &&Class| !c.over() && c.terms.opens_at <= org.now && org.now < c.starts_at;
        let mut some: Vec<&Class> = org.classes.values().filter(bookable).collect();
        some.sort_by_key(|c| c.starts_at);
        if self.dice.chance(70) {
            some.truncate(2);
        }
        if !some.is_empty() && self.dice.chance(90) {
            return Some(self.dice.pick(&some).id.clone());
        }
        if self.dice.chance(6) {
            return Some("no-such-class".to_owned());
        }
        let all: Vec<&String> = org.classes.keys().collect();
        if all.is_empty() { None } else { Some((*self.dice.pick(&all)).clone()) }
    }

    fn place(&mut self, org: &Org, wanted: impl Fn(&Booking) -> bool) -> Option<(String, String)> {
        let latest = |b: &&Booking| org.latest(&b.class, &b.member) == Some(b.number);
        let places: Vec<&Booking> = org.bookings.iter().filter(latest).filter(|b| wanted(b)).collect();
        if places.is_empty() {
            return None;
        }
        let place = self.dice.pick(&places);
        Some((place.class.clone(), place.member.clone()))
    }

    fn key(&mut self) -> Option<String> {
        self.keys += 1;
        if self.dice.chance(40) { Some(format!("key-{}", self.keys)) } else { None }
    }

    fn caller(&mut self, member: &str, desk_percent: u64) -> Caller {
        if self.dice.chance(desk_percent) { Caller::Desk } else { Caller::Member(member.to_owned()) }
    }

    /// A moment to come: mostly a millisecond around one that matters.
    fn instant(&mut self, org: &Org) -> Instant {
        if self.dice.chance(8) {
            return self.a_little_back(org);
        }
        if self.dice.chance(20) {
            return org.now + TimeDelta::milliseconds(self.dice.within(1..6 * 3_600_000));
        }
        let mut ahead: Vec<Instant> = moments(org).into_iter().filter(|&at| at > org.now).collect();
        ahead.sort_unstable();
        ahead.dedup();
        let near = ahead.len().min(if self.dice.chance(70) { 2 } else { 8 });
        if near == 0 {
            return org.now + TimeDelta::minutes(self.dice.within(1..600));
        }
        let at = *self.dice.pick(&ahead[..near]) + TimeDelta::milliseconds(self.dice.within(-1..2));
        at.max(org.now)
    }

    /// Back, but not past anything that has happened: what is undone by going back is nobody's rule.
    fn a_little_back(&mut self, org: &Org) -> Instant {
        let passed = moments(org).into_iter().filter(|&at| at <= org.now).max();
        let back = org.now - TimeDelta::milliseconds(self.dice.within(1..600_000));
        passed.map_or(org.now, |passed| back.max(passed).min(org.now))
    }

    // ---- booking ------------------------------------------------------------------------------------------

    fn book(&mut self, org: &Org) -> Option<Op> {
        if self.dice.chance(7) {
            let waiting = self.place(org, |b| b.status == Status::Waitlisted);
            if let Some((class, member)) = waiting {
                let caller = self.caller(&member, 35);
                return Some(Op::Book { caller, class, member, waitlist: true, key: self.key() });
            }
        }
        let class = self.class(org)?;
        let member = self.newcomer(org, &class);
        let caller = self.caller(&member, 30);
        Some(Op::Book { caller, class, member, waitlist: self.dice.chance(80), key: self.key() })
    }

    /// Promotion has ended and a spot is free: somebody who waits takes it.
    fn take(&mut self, org: &Org) -> Option<Op> {
        let free = |b: &Booking| {
            let class = &org.classes[&b.class];
            let free =
                class.terms.promote_until <= org.now && org.now < class.terms.closes_at && org.unheld(&b.class) > 0;
            b.status == Status::Waitlisted && !class.over() && free
        };
        let (class, member) = self.place(org, free)?;
        let desk = if org.classes[&class].holds_spots_for_the_desk() { 80 } else { 20 };
        let caller = self.caller(&member, desk);
        Some(Op::Book { caller, class, member, waitlist: true, key: self.key() })
    }

    /// Somebody who waits is blocked, a spot becomes free, the block goes.
    fn unblock(&mut self, org: &Org) -> Option<Op> {
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
    fn stuck(&mut self, org: &Org) -> Option<Op> {
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
    fn get_stuck(&mut self, org: &Org) -> Option<Op> {
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
    fn rush(&mut self, org: &Org) -> Option<Op> {
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

    fn cancel(&mut self, org: &Org) -> Option<Op> {
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
        let caller = if self.dice.chance(3) { Caller::Member(other) } else { self.caller(&member, 30) };
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

    fn accept(&mut self, org: &Org) -> Option<Op> {
        let (class, member) = match self.dice.within(0..100) {
            0..70 => self.place(org, |b| b.status == Status::Offered)?,
            70..88 => self.place(org, |b| b.ran_out)?,
            88..94 => self.place(org, |b| b.status.live() && ahead(org, b))?,
            _ => (self.class(org)?, self.member()),
        };
        Some(Op::Accept { class, member, key: self.key() })
    }

    fn preview(&mut self, org: &Org) -> Option<Op> {
        let late_comer = self.dice.chance(15);
        let is_ahead = |b: &Booking| late_comer || ahead(org, b);
        let (class, member) = self.place(org, |b| b.status.live() && is_ahead(b))?;
        let caller = self.caller(&member, 30);
        Some(Op::Preview { caller, class, member })
    }

    /// The same key for another call.
    fn misuse(&mut self, org: &Org) -> Option<Op> {
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
            Op::CancelClass { class, .. } => *class = elsewhere,
            _ => return None,
        }
        Some(op)
    }

    // ---- the club -----------------------------------------------------------------------------------------

    fn new_class(&mut self, clubs: &[String], starts_at: Instant) -> NewClass {
        self.classes += 1;
        let category = if self.dice.chance(90) { Some((*self.dice.pick(&CATEGORIES)).to_owned()) } else { None };
        NewClass {
            id: format!("c{}", self.classes),
            club: self.dice.pick(clubs).clone(),
            title: format!("Class {}", self.classes),
            category,
            starts_at,
            minutes: *self.dice.pick(&[30, 45, 60, 90]),
            capacity: *self.dice.pick(&[1, 1, 1, 2, 2, 3, 4]),
            min_age: if self.dice.chance(6) { Some(16) } else { None },
            overrides: policies::overrides(&mut self.dice),
        }
    }

    fn another_class(&mut self, org: &Org) -> NewClass {
        let mut clubs: Vec<String> = org.clubs.iter().cloned().collect();
        if self.dice.chance(8) {
            clubs = vec!["no-such-club".to_owned()];
        }
        let minutes = if self.dice.chance(8) { -30 } else { 15 * self.dice.within(2..300) };
        self.new_class(&clubs, org.now + TimeDelta::minutes(minutes))
    }

    fn change_class(&mut self, org: &Org) -> Option<Op> {
        let queued = self.place(org, |b| b.status == Status::Waitlisted && ahead(org, b));
        let id = match queued {
            Some((class, _)) if self.dice.chance(45) => class,
            _ if self.dice.chance(10) => self.dice.pick(&org.classes.keys().cloned().collect::<Vec<_>>()).clone(),
            _ => self.class(org)?,
        };
        let Some(class) = org.classes.get(&id) else {
            let change = ClassChange { capacity: Some(3), ..ClassChange::default() };
            return Some(Op::Change { class: id, change });
        };
        let mut change = ClassChange::default();
        if self.dice.chance(60) {
            let capacity = *self.dice.pick(&[1, 2, class.capacity, class.capacity]);
            change.capacity = Some(if capacity == class.capacity { capacity + 1 } else { capacity });
        }
        // A spot kept in quiet hours and a move past the end of promotion: disputed, see `drive`.
        if self.dice.chance(40) && !class.unasked {
            let minutes = *self.dice.pick(&[-1440, -60, -15, 15, 60, 1440, 1440 * 7]);
            change.starts_at = Some(class.starts_at + TimeDelta::minutes(minutes)).filter(|&at| at != org.now);
        }
        let ahead = org.now < class.starts_at;
        if ahead && self.dice.chance(20) {
            change.minutes = Some(if class.minutes == 60 { 75 } else { 60 });
        }
        if change == ClassChange::default() {
            self.classes += 1;
            change.title = Some(format!("Class {}, renamed", self.classes));
        }
        Some(Op::Change { class: id, change })
    }

    fn cancel_class(&mut self, org: &Org) -> Option<Op> {
        let owed = |b: &Booking| b.owing.is_some() && !org.classes[&b.class].over();
        let owed = self.place(org, owed);
        let crowded = self.place(org, |b| b.status.holds() && ahead(org, b));
        let class = match self.dice.within(0..10) {
            0..5 => owed?.0,
            5..8 => crowded?.0,
            _ => self.class(org)?,
        };
        if self.dice.chance(30) {
            self.ahead.push(Op::CancelClass { class: class.clone(), key: None });
        }
        Some(Op::CancelClass { class, key: self.key() })
    }

    fn put_policy(&mut self, org: &Org) -> Option<Op> {
        let before = org.policy.to_json();
        let policy = policies::policy(&mut self.dice, Some(&before));
        if policy == before { None } else { Some(Op::PutPolicy(policy)) }
    }

    fn read(&mut self, org: &Org) -> Option<Op> {
        let member = self.member();
        let reader = org.members.contains_key(&member).then(|| member.clone());
        let class = self.class(org)?;
        Some(match self.dice.within(0..10) {
            0 if org.classes.contains_key(&class) => Op::ReadRoster { class },
            1 | 2 => Op::ReadStanding { member },
            3 => Op::ReadBookings { member },
            4 => Op::ReadFees,
            _ => Op::ReadClass { class, reader },
        })
    }

    // ---- members ------------------------------------------------------------------------------------------

    fn profile(&mut self, now: Instant, clubs: &[String]) -> Profile {
        let mut profile = Profile {
            name: "Ann Lind".to_owned(),
            born: NaiveDate::from_ymd_opt(now.year() - *self.dice.pick(&[15, 16, 30, 31, 44]), 6, 15),
            on_clips: self.dice.chance(25),
            status: Membership::Active,
            clips: None,
            clips_revision: None,
            valid_from: None,
            valid_until: None,
            clubs: None,
            categories: None,
            frozen: Vec::new(),
        };
        if profile.on_clips {
            profile.clips = Some(self.dice.within(1..6) as u32);
        }
        if self.dice.chance(10) {
            profile.clubs = Some(vec![self.dice.pick(clubs).clone()]);
        }
        if self.dice.chance(10) {
            profile.categories = Some(vec![CATEGORIES[0].to_owned(), CATEGORIES[1].to_owned()]);
        }
        profile
    }

    fn change_member(&mut self, org: &Org) -> Op {
        if let Some((class, id)) =
            self.dice.chance(30).then(|| self.place(org, |b| b.status == Status::Offered)).flatten()
            && let Some(member) = org.members.get(&id)
        {
            // Whoever holds an offer is the one to whom something happens.
            let profile =
                Profile { status: Membership::Blocked, clips: None, clips_revision: None, ..member.profile.clone() };
            self.ahead.push(Op::Accept { class, member: id.clone(), key: None });
            return Op::PutMember { id, profile };
        }
        let unsettled = |id: &&String| org.members.get(*id).is_some_and(|m| restless(&m.profile));
        let some: Vec<String> = self.members.iter().filter(unsettled).cloned().collect();
        let waiting = self.place(org, |b| b.status == Status::Waitlisted && ahead(org, b));
        let id = match (self.dice.within(0..10), waiting) {
            (0..5, _) if !some.is_empty() => self.dice.pick(&some).clone(),
            (5..8, Some((_, member))) => member,
            _ => self.member(),
        };
        let clubs: Vec<String> = org.clubs.iter().cloned().collect();
        let Some(member) = org.members.get(&id) else {
            let profile = self.profile(org.now, &clubs);
            return Op::PutMember { id, profile };
        };
        let before = Profile { clips: None, clips_revision: None, ..member.profile.clone() };
        if restless(&before) && self.dice.chance(75) {
            let profile = Profile {
                status: Membership::Active,
                frozen: Vec::new(),
                valid_from: None,
                valid_until: None,
                clubs: None,
                categories: None,
                ..before
            };
            return Op::PutMember { id, profile };
        }
        let mut profile = before;
        let day = org.today() + TimeDelta::days(self.dice.within(-1..6));
        match self.dice.within(0..12) {
            0 | 1 => profile.status = Membership::Blocked,
            2 => profile.status = Membership::Ended,
            3 => profile.valid_until = Some(day),
            4 | 5 => profile.frozen = vec![(day, day + TimeDelta::days(self.dice.within(0..3)))],
            6 => profile.valid_from = if profile.valid_from.is_some() { None } else { Some(day) },
            7 => {
                profile.clubs = if profile.clubs.is_some() { None } else { Some(vec![self.dice.pick(&clubs).clone()]) }
            }
            8 => {
                let other = vec![(*self.dice.pick(&CATEGORIES)).to_owned()];
                profile.categories = if profile.categories.is_some() { None } else { Some(other) };
            }
            9 => {
                profile.on_clips = !profile.on_clips;
                profile.clips = profile.on_clips.then(|| self.dice.within(0..4) as u32);
            }
            _ => {
                profile.on_clips = true;
                profile.clips = Some(self.dice.within(0..6) as u32);
                self.revisions += 1;
                let revision = if self.dice.chance(25) { "again".to_owned() } else { self.revisions.to_string() };
                profile.clips_revision = self.dice.chance(70).then_some(revision);
            }
        }
        let same = Profile { clips: None, clips_revision: None, ..member.profile.clone() };
        if profile == same {
            profile.name = format!("Ann Lind the {}th", self.revisions);
            self.revisions += 1;
        }
        Op::PutMember { id, profile }
    }
}

fn ahead(org: &Org, booking: &Booking) -> bool {
    org.now < org.classes[&booking.class].starts_at
}

fn restless(profile: &Profile) -> bool {
    let scoped = profile.clubs.is_some() || profile.categories.is_some();
    let dated = profile.valid_from.is_some() || profile.valid_until.is_some();
    profile.status != Membership::Active || !profile.frozen.is_empty() || dated || scoped
}

/// Every instant at which a rule turns.
fn moments(org: &Org) -> Vec<Instant> {
    let mut moments = Vec::new();
    for class in org.classes.values().filter(|c| !c.over()) {
        let t = &class.terms;
        moments.extend([t.opens_at, t.closes_at, t.cancel_by, t.promote_until, class.starts_at, class.ends_at()]);
        moments.extend([t.check_in_opens, t.check_in_due, t.check_in_closes, t.decide_at]);
        if class.offers() {
            moments.extend(t.quiet.iter().flat_map(|&(from, until)| [from, until]));
        }
    }
    moments.extend(org.members.values().filter_map(|member| member.banned_until));
    for booking in org.bookings.iter().filter(|b| b.status.live()) {
        moments.extend(booking.offer_ends);
        moments.extend(booking.grace_until);
    }
    moments
}

/// Any hour of the next years; often the days when the clocks change.
fn beginning(dice: &mut Dice) -> Instant {
    let year = dice.within(2026..2036);
    let (month, day) = match dice.within(0..10) {
        0 | 1 => (3, 29),
        2 => (10, 24),
        _ => (dice.within(1..13), dice.within(1..28)),
    };
    let date = NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32).expect("a day of every year");
    let ms = date.and_hms_opt(0, 0, 0).expect("midnight").and_utc().timestamp_millis();
    from_ms(ms + dice.within(0..86_400_000)).expect("an instant of these years")
}
