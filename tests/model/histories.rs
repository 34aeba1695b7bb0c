//! Makes histories: a small chain in which classes overlap and spots are few, and what happens to it.
//!
//! Every choice looks at the model, so that what is rare in a real gym (a cancel one millisecond after the cutoff,
//! an offer accepted after the member was blocked) is common here.

use chrono::{NaiveDate, TimeDelta};
use rollcall::domain::instant::{Instant, from_ms};
use serde_json::Value;

use crate::dice::Dice;
use crate::operations::{Caller, Op};
use crate::policies;
use crate::state::{Booking, Class, Membership, Org, Profile};

pub const CATEGORIES: [&str; 3] = ["yoga", "strength", "pilates"];
pub const INSTRUCTORS: [&str; 2] = ["eva", "jon"];

/// Where a history begins; what happens is asked for call by call, or given.
#[derive(Clone, Debug)]
pub struct Beginning {
    pub now: Instant,
    pub policy: Value,
    pub clubs: Vec<String>,
}

pub struct Chance {
    pub dice: Dice,
    pub members: Vec<String>,
    pub classes: u32,
    pub keys: u32,
    pub revisions: u32,
    /// Some of its classes recur.
    pub recurring: bool,
    /// Calls that are due next: what fills the chain at the beginning, and both halves of a repeat.
    pub ahead: Vec<Op>,
    /// Recent calls that carried a key.
    pub keyed: Vec<Op>,
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
    Door,
    CheckIn,
    DoorOffer,
    Undo,
    Arrive,
    WalkIn,
    Close,
    Excuse,
    Waive,
    Lift,
    Member,
    Erase,
    Change,
    CancelClass,
    Publish,
    Recur,
    Closures,
    Policy,
    Read,
    Repeat,
    Misuse,
}

const WISHES: &[(u64, Wish)] = &[
    (46, Wish::Book),
    (40, Wish::Take),
    (16, Wish::Rush),
    (8, Wish::Unblock),
    (12, Wish::Stuck),
    (60, Wish::Cancel),
    (30, Wish::Accept),
    (7, Wish::Preview),
    (20, Wish::Clock),
    (14, Wish::Door),
    (66, Wish::CheckIn),
    (34, Wish::DoorOffer),
    (26, Wish::Undo),
    (30, Wish::Arrive),
    (26, Wish::WalkIn),
    (8, Wish::Close),
    (10, Wish::Excuse),
    (5, Wish::Waive),
    (8, Wish::Lift),
    (18, Wish::Member),
    (3, Wish::Erase),
    (15, Wish::Change),
    (3, Wish::CancelClass),
    (3, Wish::Publish),
    (34, Wish::Recur),
    (7, Wish::Closures),
    (3, Wish::Policy),
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
        let recurring = dice.chance(20);
        let (ahead, keyed) = (Vec::new(), Vec::new());
        let mut chance = Chance { dice, members, classes: 0, keys: 0, revisions: 0, recurring, ahead, keyed };
        chance.fill(&beginning);
        (beginning, chance)
    }

    pub fn fill(&mut self, at: &Beginning) {
        for id in self.members.clone() {
            let profile = self.profile(at.now, &at.clubs);
            self.ahead.push(Op::PutMember { id, profile });
        }
        // Two evenings on which everything is at the same time.
        let soon = self.dice.chance(50);
        let evenings = match soon {
            true => [self.dice.within(1..3), self.dice.within(3..30)],
            false => [self.dice.within(5..50), self.dice.within(20..100)],
        };
        for _ in 0..self.dice.within(4..7) {
            let around = *self.dice.pick(&evenings) * 60 + 15 * self.dice.within(0..12);
            let class = self.new_class(&at.clubs, at.now + TimeDelta::minutes(around));
            self.ahead.push(Op::Publish(class));
        }
        self.ahead.reverse();
    }

    /// Whether there is little left to happen.
    pub fn over(&self, org: &Org) -> bool {
        self.ahead.is_empty() && org.classes.values().all(|c| c.over())
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
            Wish::Door => self.comes_to_the_door(org),
            Wish::CheckIn => self.check_in(org),
            Wish::DoorOffer => self.offer_at_the_door(org),
            Wish::Undo => self.undo_check_in(org),
            Wish::Arrive => self.arrive(org),
            Wish::WalkIn => self.walk_in(org),
            Wish::Close => self.close_class(org),
            Wish::Excuse => self.excuse(org),
            Wish::Waive => self.waive_fee(org),
            Wish::Lift => self.lift_ban(org),
            Wish::Clock => Some(Op::SetClock(self.instant(org))),
            Wish::Member => Some(self.change_member(org)),
            Wish::Erase => Some(Op::EraseMember { id: self.member() }),
            Wish::Change => self.change_class(org),
            Wish::CancelClass => self.cancel_class(org),
            Wish::Publish => Some(Op::Publish(self.another_class(org))),
            Wish::Recur => self.change_series(org),
            Wish::Closures => self.change_closures(org),
            Wish::Policy => self.put_policy(org),
            Wish::Read => self.read(org),
            Wish::Repeat => self.keyed.last().filter(|_| self.dice.chance(70)).or(self.keyed.first()).cloned(),
            Wish::Misuse => self.misuse(org),
        }
    }

    // ---- who, which, when ---------------------------------------------------------------------------------

    pub fn member(&mut self) -> String {
        self.dice.pick(&self.members.clone()).clone()
    }

    /// Mostly one with no place in the class yet.
    pub fn newcomer(&mut self, org: &Org, class: &str) -> String {
        let out: Vec<String> = self.members.iter().filter(|m| org.live(class, m).is_none()).cloned().collect();
        if out.is_empty() || self.dice.chance(12) { self.member() } else { self.dice.pick(&out).clone() }
    }

    /// Mostly one that can be booked; sometimes any; rarely one that does not exist.
    pub fn class(&mut self, org: &Org) -> Option<String> {
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

    pub fn place(&mut self, org: &Org, wanted: impl Fn(&Booking) -> bool) -> Option<(String, String)> {
        let latest = |b: &&Booking| org.latest(&b.class, &b.member) == Some(b.number);
        let places: Vec<&Booking> = org.bookings.iter().filter(latest).filter(|b| wanted(b)).collect();
        if places.is_empty() {
            return None;
        }
        let place = self.dice.pick(&places);
        Some((place.class.clone(), place.member.clone()))
    }

    pub fn key(&mut self) -> Option<String> {
        self.keys += 1;
        if self.dice.chance(40) { Some(format!("key-{}", self.keys)) } else { None }
    }

    pub fn caller(&mut self, member: &str, desk_percent: u64) -> Caller {
        if self.dice.chance(desk_percent) { Caller::Desk } else { Caller::Member(member.to_owned()) }
    }

    /// A moment to come: mostly a millisecond around one that matters.
    pub fn instant(&mut self, org: &Org) -> Instant {
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
    pub fn a_little_back(&mut self, org: &Org) -> Instant {
        let passed = moments(org).into_iter().filter(|&at| at <= org.now).max();
        let back = org.now - TimeDelta::milliseconds(self.dice.within(1..600_000));
        passed.map_or(org.now, |passed| back.max(passed).min(org.now))
    }
}

pub fn ahead(org: &Org, booking: &Booking) -> bool {
    org.now < org.classes[&booking.class].starts_at
}

pub fn restless(profile: &Profile) -> bool {
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
        moments.extend(booking.misclick_until);
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
