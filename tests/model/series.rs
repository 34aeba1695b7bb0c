//! Recurring classes: which days a rule means, and what a change does to the classes that are there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Weekday};
use rollcall::domain::calendar::local_at;
use rollcall::domain::instant::Instant;
use rollcall::domain::policy::Opens;
use serde_json::Value;

use crate::classes::terms;
use crate::operations::{NewClass, SeriesChange};
use crate::state::{Class, Org, Stage, Status};
use crate::views::{Answer, Body, Refused, SeriesView};

/// Classes exist at least this long before their booking opens.
const AHEAD_DAYS: u64 = 14;
/// A clock that is set goes there in steps, and what recurs is published on the way.
const STEP: TimeDelta = TimeDelta::days(7);

/// A recurring class as staff write it down.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub id: String,
    pub starts_on: NaiveDate,
    pub time: NaiveTime,
    pub rule: Rule,
    /// The last day.
    pub until: Option<NaiveDate>,
    pub exceptions: BTreeSet<NaiveDate>,
    pub changes: BTreeMap<NaiveDate, DayChange>,
    /// What each class is, but for id and start.
    pub class: NewClass,
}

/// Every so many days, or on these weekdays of every so many weeks; at most so often.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub every: u32,
    /// Empty: by days.
    pub weekdays: Vec<Weekday>,
    pub count: Option<u32>,
}

/// How one day differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DayChange {
    pub time: Option<NaiveTime>,
    pub capacity: Option<u32>,
}

/// A series, and how far it has come.
#[derive(Clone, Debug)]
pub struct Kept {
    pub series: Series,
    pub active: bool,
    pub revision: u64,
    pub published_until: Option<NaiveDate>,
}

impl Series {
    /// The days of the rule, less those left out, within these.
    fn days(&self, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
        let all = self.starts_on.iter_days().take_while(|date| *date <= to).filter(|date| self.recurs(*date));
        let counted = all.take(self.rule.count.map_or(usize::MAX, |count| count as usize));
        let meant = |date: &NaiveDate| {
            *date >= from && self.until.is_none_or(|until| *date <= until) && !self.exceptions.contains(date)
        };
        counted.filter(meant).collect()
    }

    fn recurs(&self, date: NaiveDate) -> bool {
        let every = i64::from(self.rule.every);
        if self.rule.weekdays.is_empty() {
            return (date - self.starts_on).num_days() % every == 0;
        }
        let monday = |date: NaiveDate| date - Days::new(u64::from(date.weekday().num_days_from_monday()));
        let weeks = (monday(date) - monday(self.starts_on)).num_weeks();
        weeks % every == 0 && self.rule.weekdays.contains(&date.weekday())
    }

    /// No class of it would want more than it holds.
    fn sound(&self) -> bool {
        let capacities = self.changes.values().filter_map(|day| day.capacity).chain([self.class.capacity]);
        self.class.minimum.is_none_or(|least| capacities.min().is_none_or(|capacity| least <= capacity))
    }

    /// Its first day, which may be left out, is not after its last.
    fn gives_some(&self) -> bool {
        let first = self.starts_on.iter_days().find(|date| self.recurs(*date));
        self.until.is_none_or(|until| first.is_some_and(|first| first <= until))
    }

    fn class_id(&self, date: NaiveDate) -> String {
        format!("{}~{}", self.id, date.format("%Y%m%d"))
    }

    fn class_on(&self, date: NaiveDate, zone: chrono_tz::Tz) -> NewClass {
        let change = self.changes.get(&date).cloned().unwrap_or_default();
        NewClass {
            id: self.class_id(date),
            starts_at: local_at(date, change.time.unwrap_or(self.time), zone),
            capacity: change.capacity.unwrap_or(self.class.capacity),
            ..self.class.clone()
        }
    }
}

impl Org {
    pub fn post_series(&mut self, new: &Series) -> Answer {
        if self.series.contains_key(&new.id) || !self.clubs.contains(&new.class.club) {
            return Answer::refused(Refused::new("invalid"));
        }
        let kept = Kept { series: new.clone(), active: true, revision: 0, published_until: None };
        self.series.insert(new.id.clone(), kept);
        self.store_series(&new.id, new.clone(), true, 201)
    }

    pub fn patch_series(&mut self, id: &str, change: &SeriesChange) -> Answer {
        let Some(kept) = self.series.get(id) else {
            return Answer::refused(Refused::new("not_found"));
        };
        let (mut series, active, revision) = (kept.series.clone(), kept.active, kept.revision);
        series.time = change.time.unwrap_or(series.time);
        series.until = change.until.unwrap_or(series.until);
        series.class.title = change.title.clone().unwrap_or(series.class.title);
        series.class.minutes = change.minutes.unwrap_or(series.class.minutes);
        series.class.capacity = change.capacity.unwrap_or(series.class.capacity);
        // A patch of the policy takes the place of the one before.
        series.class.overrides = change.overrides.clone().or(series.class.overrides);
        series.exceptions = change.exceptions.clone().unwrap_or(series.exceptions);
        if let Some((date, other)) = &change.day {
            let day = series.changes.entry(*date).or_default();
            day.time = other.time.or(day.time);
            day.capacity = other.capacity.or(day.capacity);
        }
        if !series.sound() || !series.gives_some() {
            return Answer::refused(Refused::new("invalid"));
        }
        if change.if_match.is_some_and(|expected| expected != revision) {
            return Answer::refused(Refused::new("stale"));
        }
        self.store_series(id, series, active, 200)
    }

    pub fn end_series(&mut self, id: &str) -> Answer {
        let Some(kept) = self.series.get(id) else {
            return Answer::refused(Refused::new("not_found"));
        };
        let series = kept.series.clone();
        let answer = self.store_series(id, series, false, 204);
        Answer { body: Body::Nothing, ..answer }
    }

    fn store_series(&mut self, id: &str, series: Series, active: bool, status: u16) -> Answer {
        let kept = self.series.get_mut(id).expect("a series that was looked up");
        if kept.series != series || kept.active != active || kept.revision == 0 {
            (kept.series, kept.active) = (series, active);
            kept.revision += 1;
            let told = self.bare("series_changed");
            self.events.push(told);
        }
        let done = self.align(id, true);
        let outcome = match () {
            () if !done.left_alone.is_empty() => "left_alone",
            () if !done.cancelled.is_empty() => "cancelled",
            () if !done.changed.is_empty() => "changed",
            () if !done.published.is_empty() => "published",
            () => "nothing",
        };
        Answer::done(status, outcome, Body::Series(done))
    }

    /// Time passes: what recurs is published, at most a step later than it could have been.
    pub fn travel(&mut self, target: Instant) {
        while !self.series.is_empty() {
            self.publish_ahead();
            let step = self.now + STEP;
            if step >= target {
                break;
            }
            self.pass(step);
        }
        self.pass(target);
        self.publish_ahead();
    }

    fn pass(&mut self, now: Instant) {
        self.now = now;
        let announced = self.events.len();
        self.settle(now);
        self.show_free(announced);
    }

    pub fn publish_ahead(&mut self) {
        for id in self.series.keys().cloned().collect::<Vec<_>>() {
            if self.series[&id].active {
                self.align(&id, false);
            }
        }
    }

    /// Brings the classes in line with the series. `whole`: those that are there as well.
    fn align(&mut self, id: &str, whole: bool) -> SeriesView {
        let Kept { series, active, revision, published_until } = self.series[id].clone();
        let mut view = SeriesView { id: id.to_owned(), active, revision, ..SeriesView::default() };
        let today = self.today();
        let reach = today + Days::new(self.reach(series.class.overrides.as_ref()) + AHEAD_DAYS);
        // What was published further ahead, under other rules, is the series' all the same.
        let horizon = if whole { published_until.map_or(reach, |done| reach.max(done)) } else { reach };
        let from = match published_until {
            Some(done) if !whole => today.max(done + Days::new(1)),
            _ => today,
        };
        if from > horizon {
            return view;
        }
        let due = if active { series.days(from, horizon) } else { Vec::new() };
        for &date in &due {
            let new = series.class_on(date, self.policy.timezone);
            if new.starts_at > self.now {
                self.align_class(&new, &mut view);
            }
        }
        let before = published_until.filter(|_| whole).into_iter();
        for date in before.flat_map(|done| today.iter_days().take_while(move |date| *date <= done)) {
            if !due.contains(&date) {
                self.drop_class(&series.class_id(date), &mut view);
            }
        }
        let kept = self.series.get_mut(id).expect("a series that was looked up");
        kept.published_until = kept.published_until.max(Some(horizon));
        view
    }

    /// Booking of a class opens at most so many days before.
    fn reach(&self, overrides: Option<&Value>) -> u64 {
        let policy =
            overrides.map_or(self.policy.clone(), |patch| self.policy.patched(patch).expect("an override fits"));
        match &policy.booking.opens {
            Opens::Before(span) => TimeDelta::milliseconds(span.fixed_ms()).num_days() as u64 + 1,
            Opens::Days { days, .. } => u64::from(*days) + 1,
        }
    }

    fn taken(&self, class: &Class) -> bool {
        self.now >= class.starts_at || self.count(&class.id, Status::live) > 0
    }

    fn align_class(&mut self, new: &NewClass, view: &mut SeriesView) {
        let id = new.id.clone();
        let Some(before) = self.classes.get(&id).cloned() else {
            if self.publish(new).status == 201 {
                view.published.push(id);
            }
            return;
        };
        let mut after = before.clone();
        (after.title, after.category, after.instructor) =
            (new.title.clone(), new.category.clone(), new.instructor.clone());
        (after.capacity, after.minimum, after.min_age) = (new.capacity, new.minimum, new.min_age);
        (after.starts_at, after.minutes, after.overrides) = (new.starts_at, new.minutes, new.overrides.clone());
        // Terms are frozen once booking has opened, whatever became of the policy.
        let frozen = before.stage == Stage::Open && before.overrides == after.overrides;
        let moved = (before.starts_at, before.minutes) != (after.starts_at, after.minutes);
        after.terms = match (frozen, moved) {
            (true, false) => before.terms.clone(),
            (true, true) => before.terms.moved(new.starts_at, new.minutes),
            (false, _) => terms(&self.policy, new.overrides.as_ref(), new.starts_at, new.minutes),
        };
        if before.stage == Stage::Open {
            after.terms.opens_at = before.terms.opens_at;
        }
        if before.stage == Stage::Cancelled || after == before {
            return;
        }
        if self.taken(&before) {
            view.left_alone.push(id);
            return;
        }
        after.undecided = self.now < after.terms.decide_at;
        after.revision += 1;
        *self.entry(&id) = after;
        self.announce("class_changed", self.now, Some(&id), None);
        self.settle(self.now);
        view.changed.push(id);
    }

    fn drop_class(&mut self, id: &str, view: &mut SeriesView) {
        let Some(class) = self.classes.get(id).filter(|class| class.stage != Stage::Cancelled) else { return };
        if self.taken(class) {
            view.left_alone.push(id.to_owned());
            return;
        }
        self.call_off(id, self.now);
        self.ask_around(self.now);
        view.cancelled.push(id.to_owned());
    }
}
