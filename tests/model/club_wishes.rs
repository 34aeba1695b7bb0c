//! What the club and its membership system might do next.

use chrono::{Datelike, NaiveDate, TimeDelta};
use rollcall::domain::instant::Instant;

use crate::histories::{CATEGORIES, Chance, INSTRUCTORS, ahead, restless};
use crate::operations::{ClassChange, NewClass, Op};
use crate::policies;
use crate::state::{Booking, Membership, Org, Profile, Status};

impl Chance {
    pub fn new_class(&mut self, clubs: &[String], starts_at: Instant) -> NewClass {
        self.classes += 1;
        let category = if self.dice.chance(90) { Some((*self.dice.pick(&CATEGORIES)).to_owned()) } else { None };
        let instructor = self.dice.chance(80).then(|| (*self.dice.pick(&INSTRUCTORS)).to_owned());
        let capacity = *self.dice.pick(&[1, 1, 1, 2, 2, 3, 4]);
        NewClass {
            id: format!("c{}", self.classes),
            club: self.dice.pick(clubs).clone(),
            title: format!("Class {}", self.classes),
            category,
            starts_at,
            minutes: *self.dice.pick(&[30, 45, 60, 90]),
            instructor,
            capacity,
            minimum: self.dice.chance(12).then(|| self.dice.within(0..i64::from(capacity) + 1) as u32),
            min_age: if self.dice.chance(6) { Some(16) } else { None },
            overrides: policies::overrides(&mut self.dice),
        }
    }

    pub fn another_class(&mut self, org: &Org) -> NewClass {
        let mut clubs: Vec<String> = org.clubs.iter().cloned().collect();
        if self.dice.chance(8) {
            clubs = vec!["no-such-club".to_owned()];
        }
        let minutes = if self.dice.chance(8) { -30 } else { 15 * self.dice.within(2..300) };
        self.new_class(&clubs, org.now + TimeDelta::minutes(minutes))
    }

    pub fn change_class(&mut self, org: &Org) -> Option<Op> {
        let queued = self.place(org, |b| b.status == Status::Waitlisted && ahead(org, b));
        let id = match queued {
            Some((class, _)) if self.dice.chance(55) => class,
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
        if self.dice.chance(40) {
            let minutes = *self.dice.pick(&[-1440, -60, -15, 15, 60, 1440, 1440 * 7]);
            change.starts_at = Some(class.starts_at + TimeDelta::minutes(minutes)).filter(|&at| at != org.now);
        }
        if self.dice.chance(15) {
            let other = INSTRUCTORS.iter().find(|id| class.instructor.as_deref() != Some(**id));
            change.instructor = other.map(|id| (*id).to_owned());
        }
        if self.dice.chance(10) {
            let minimum = if self.dice.chance(40) { None } else { Some(self.dice.within(0..4) as u32) };
            change.minimum = Some(minimum).filter(|new| *new != class.minimum);
        }
        let ahead = org.now < class.starts_at;
        if ahead && self.dice.chance(20) {
            change.minutes = Some(if class.minutes == 60 { 75 } else { 60 });
        }
        if self.dice.chance(20) {
            let expected = class.revision + u64::from(self.dice.chance(40));
            change.if_match = Some(expected);
        }
        if (ClassChange { if_match: None, ..change.clone() }) == ClassChange::default() {
            self.classes += 1;
            change.title = Some(format!("Class {}, renamed", self.classes));
        }
        Some(Op::Change { class: id, change })
    }

    pub fn cancel_class(&mut self, org: &Org) -> Option<Op> {
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

    pub fn put_policy(&mut self, org: &Org) -> Option<Op> {
        let before = org.policy.to_json();
        let policy = policies::policy(&mut self.dice, Some(&before));
        if policy == before { None } else { Some(Op::PutPolicy(policy)) }
    }

    pub fn read(&mut self, org: &Org) -> Option<Op> {
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

    pub fn profile(&mut self, now: Instant, clubs: &[String]) -> Profile {
        let mut profile = Profile {
            name: "Ann Lind".to_owned(),
            phone: self.dice.chance(80).then(|| format!("+451234567{}", self.dice.within(0..4))),
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

    pub fn change_member(&mut self, org: &Org) -> Op {
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
