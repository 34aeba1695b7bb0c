//! What staff might want to recur, and how they might change their minds.

use chrono::{Days, NaiveTime, Weekday};
use serde_json::json;

use crate::closures::Closure;
use crate::histories::Chance;
use crate::operations::{Caller, Op, SeriesChange};
use crate::series::{DayChange, Rule, Series};
use crate::state::{Booking, Class, Org};

const SERIES_MAX: usize = 2;
const WEEKDAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl Chance {
    /// Two in the morning and half past are the hours that are left out or come twice.
    fn time_of_day(&mut self) -> NaiveTime {
        let (hour, minute) = *self.dice.pick(&[(2, 30), (6, 0), (12, 15), (18, 0), (21, 45)]);
        NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day")
    }

    pub fn new_series(&mut self, org: &Org) -> Series {
        let weekly = self.dice.chance(60);
        let weekdays = WEEKDAYS.into_iter().filter(|_| weekly && self.dice.chance(35)).collect::<Vec<_>>();
        let every = if weekdays.is_empty() { self.dice.within(3..9) } else { self.dice.within(1..3) };
        let count = self.dice.chance(25).then(|| self.dice.within(1..5) as u32);
        let today = org.today();
        let starts_on = today + Days::new(self.dice.within(0..4) as u64);
        let clubs: Vec<String> = org.clubs.iter().cloned().collect();
        let mut class = self.new_class(&clubs, org.now);
        if self.dice.chance(12) {
            class.club = "no-such-club".to_owned();
        }
        let id = match org.series.keys().next().filter(|_| self.dice.chance(20)) {
            Some(taken) => taken.clone(),
            None => format!("s{}", self.classes),
        };
        let rule = Rule { every: every as u32, weekdays, count };
        let (time, until) = (self.time_of_day(), None);
        let (exceptions, changes) = Default::default();
        Series { id, starts_on, time, rule, until, exceptions, changes, class }
    }

    /// Some are published around days on which their club is closed, and is not after all.
    fn post_series(&mut self, org: &Org) -> Op {
        let new = self.new_series(org);
        let (club, from) = (new.class.club.clone(), new.starts_on + Days::new(self.dice.within(0..6) as u64));
        let post = Op::PostSeries(Box::new(new));
        if !self.dice.chance(60) {
            return post;
        }
        self.classes += 1;
        let id = format!("d{}", self.classes);
        self.ahead.extend([Op::Reopen { club: club.clone(), id: id.clone() }, post]);
        Op::Close(Closure { club, id, from, to: from + Days::new(4) })
    }

    /// A class of a series is full and somebody waits; then all of them get a spot more.
    fn enlarge(&mut self, org: &Org, id: &str, class: &Class) -> Option<Op> {
        let out: Vec<String> = self.members.iter().filter(|m| org.live(&class.id, m).is_none()).cloned().collect();
        let wanted = (org.unheld(&class.id) + 1) as usize;
        let follows = class.given.as_ref().is_some_and(|given| given.capacity == class.capacity);
        if !follows || wanted > out.len() || org.now >= class.terms.promote_until {
            return None;
        }
        let change = SeriesChange { capacity: Some(class.capacity + 1), reaches_all: true, ..SeriesChange::default() };
        self.ahead.push(Op::PatchSeries { id: id.to_owned(), change });
        let caller = Caller::Desk;
        let class = class.id.clone();
        for member in out.into_iter().take(wanted) {
            let (caller, class) = (caller.clone(), class.clone());
            self.ahead.push(Op::Book { caller, class, member, waitlist: true, key: None });
        }
        self.ahead.pop()
    }

    pub fn change_series(&mut self, org: &Org) -> Option<Op> {
        let ids: Vec<&String> = org.series.keys().collect();
        if ids.is_empty() || ids.len() < SERIES_MAX && self.dice.chance(14) {
            return self.recurring.then(|| self.post_series(org));
        }
        let id = (*self.dice.pick(&ids)).clone();
        if self.dice.chance(8) {
            return Some(Op::EndSeries { id: "no-such-series".to_owned() });
        }
        if self.dice.chance(18) {
            return Some(Op::EndSeries { id });
        }
        let mut change = SeriesChange::default();
        let day = org.today() + Days::new(self.dice.within(0..10) as u64);
        match self.dice.within(0..9) {
            0 => change.time = Some(self.time_of_day()),
            1 => change.title = Some(format!("Series, as of {}", org.now)),
            2 => change.capacity = Some(self.dice.within(1..5) as u32),
            3 => change.minutes = Some(*self.dice.pick(&[30, 45, 60])),
            4 => change.until = Some(if self.dice.chance(30) { None } else { Some(day) }),
            5 => change.exceptions = Some([day, day + Days::new(1)].into()),
            6 => change.overrides = Some(json!({ "waitlist": { "max": self.dice.within(1..4) } })),
            7 => change.day = Some((day, DayChange { time: Some(self.time_of_day()), capacity: None })),
            _ => change.day = Some((day, DayChange { time: None, capacity: Some(self.dice.within(1..4) as u32) })),
        }
        if change.until == Some(None) && org.series[&id].series.until.is_none() {
            change.until = Some(Some(day));
        }
        if self.dice.chance(20) {
            let revision = org.series[&id].revision;
            change.if_match = Some(if self.dice.chance(60) { revision } else { revision + 1 });
        }
        // Somebody takes a spot first, so that a class is left alone.
        change.reaches_all = self.dice.chance(25);
        let of_series = |b: &Booking| b.status.live() && b.class.starts_with(&format!("{id}~"));
        let soon =
            org.classes.values().find(|c| c.id.starts_with(&format!("{id}~")) && !c.over() && org.now < c.starts_at);
        if let Some(class) = soon.filter(|c| c.terms.opens_at <= org.now)
            && self.dice.chance(60)
            && let Some(op) = self.enlarge(org, &id, class)
        {
            return Some(op);
        }
        let op = Op::PatchSeries { id: id.clone(), change };
        if let Some(class) = soon.filter(|c| c.terms.opens_at <= org.now)
            && !org.bookings.iter().any(of_series)
            && self.dice.chance(60)
        {
            let member = self.member();
            let caller = Caller::Desk;
            self.ahead.push(op);
            return Some(Op::Book { caller, class: class.id.clone(), member, waitlist: true, key: None });
        }
        Some(op)
    }

    /// Days to come on which a club is closed, mostly such that have classes; or one of them is open again.
    pub fn change_closures(&mut self, org: &Org) -> Option<Op> {
        if !org.closures.is_empty() && self.dice.chance(45) {
            let Closure { club, id, .. } = (*self.dice.pick(&org.closures.iter().collect::<Vec<_>>())).clone();
            let id = if self.dice.chance(10) { "no-such-closure".to_owned() } else { id };
            return Some(Op::Reopen { club, id });
        }
        if let Some(known) = org.closures.first().filter(|_| self.dice.chance(35)) {
            let days = u64::from(self.dice.chance(60));
            return Some(Op::Close(Closure { to: known.to + Days::new(days), ..known.clone() }));
        }
        self.classes += 1;
        let ahead: Vec<&Class> = org.classes.values().filter(|c| !c.over() && org.now < c.starts_at).collect();
        let (mut club, mut from) =
            (org.clubs.first()?.clone(), org.today() + Days::new(self.dice.within(0..20) as u64));
        if !ahead.is_empty() && self.dice.chance(50) {
            let class = *self.dice.pick(&ahead);
            (club, from) = (class.club.clone(), class.terms.date);
        }
        if self.dice.chance(6) {
            club = "no-such-club".to_owned();
        }
        let to = from + Days::new(self.dice.within(0..3) as u64);
        Some(Op::Close(Closure { club, id: format!("d{}", self.classes), from, to }))
    }
}
