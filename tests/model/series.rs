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

    /// The date that a class of it belongs to.
    fn date_of(&self, class: &str) -> Option<NaiveDate> {
        let date = class.strip_prefix(&self.id)?.strip_prefix('~')?;
        NaiveDate::parse_from_str(date, "%Y%m%d").ok()
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

impl SeriesChange {
    fn names(&self, date: NaiveDate, field: &str) -> bool {
        let day = self.day.as_ref().filter(|(day, _)| *day == date).map(|(_, change)| change);
        match field {
            "title" => self.title.is_some(),
            "starts_at" => self.time.is_some() || day.is_some_and(|day| day.time.is_some()),
            "minutes" => self.minutes.is_some(),
            "capacity" => self.capacity.is_some() || day.is_some_and(|day| day.capacity.is_some()),
            "overrides" => self.overrides.is_some(),
            other => panic!("no change names {other}"),
        }
    }

    fn names_class(&self, date: NaiveDate) -> bool {
        ["title", "starts_at", "minutes", "capacity", "overrides"].iter().any(|field| self.names(date, field))
    }
}

impl Org {
    pub fn post_series(&mut self, new: &Series) -> Answer {
        if self.series.contains_key(&new.id) || !self.clubs.contains(&new.class.club) {
            return Answer::refused(Refused::new("invalid"));
        }
        let kept = Kept { series: new.clone(), active: true, revision: 0, published_until: None };
        self.series.insert(new.id.clone(), kept);
        self.store_series(&new.id, new.clone(), true, None, 201)
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
        self.store_series(id, series, active, Some(change), 200)
    }

    pub fn end_series(&mut self, id: &str) -> Answer {
        let Some(kept) = self.series.get(id) else {
            return Answer::refused(Refused::new("not_found"));
        };
        let series = kept.series.clone();
        let answer = self.store_series(id, series, false, None, 204);
        Answer { body: Body::Nothing, ..answer }
    }

    fn store_series(
        &mut self,
        id: &str,
        series: Series,
        active: bool,
        change: Option<&SeriesChange>,
        status: u16,
    ) -> Answer {
        let kept = self.series.get_mut(id).expect("a series that was looked up");
        if kept.series != series || kept.active != active || kept.revision == 0 {
            (kept.series, kept.active) = (series, active);
            kept.revision += 1;
            let told = self.bare("series_changed");
            self.events.push(told);
        }
        let done = match (change, status) {
            (None, 201) => self.publish_days(id, None),
            (change, _) => self.bring_in_line(id, change),
        };
        let outcome = match () {
            () if change.is_some_and(|c| c.reaches_all) && !done.changed.is_empty() => "reached_all",
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
                self.publish_days(&id, None);
            }
        }
    }

    /// A club is open again: its series publish what they left out. Whether there was anything.
    pub fn look_again(&mut self, club: &str, from: NaiveDate) -> bool {
        let mut published = false;
        for id in self.series.keys().cloned().collect::<Vec<_>>() {
            if self.series[&id].active {
                let again = (self.series[&id].series.class.club == club).then_some(from);
                published |= !self.publish_days(&id, again).published.is_empty();
            }
        }
        published
    }

    /// Publishes the days that are not published yet; from `again` on also those that were left out.
    fn publish_days(&mut self, id: &str, again: Option<NaiveDate>) -> SeriesView {
        let (mut view, horizon) = (self.view_of(id), self.horizon(id));
        let Kept { series, published_until, .. } = self.series[id].clone();
        let today = self.today();
        let ahead = published_until.map_or(today, |done| done + Days::new(1));
        let from = today.max(again.map_or(ahead, |day| ahead.min(day)));
        for date in series.days(from, horizon) {
            self.publish_day(&series, date, &mut view);
        }
        self.published(id, horizon, &mut view);
        view
    }

    /// Brings the classes that have not started in line; `None`: the series has ended.
    fn bring_in_line(&mut self, id: &str, change: Option<&SeriesChange>) -> SeriesView {
        let Kept { series, active, .. } = self.series[id].clone();
        let (mut view, today, horizon) = (self.view_of(id), self.today(), self.horizon(id));
        let ahead = self.classes.values().filter(|class| self.now < class.starts_at);
        let mut there: Vec<(NaiveDate, String)> =
            ahead.filter_map(|class| Some((series.date_of(&class.id)?, class.id.clone()))).collect();
        there.sort();
        if active {
            for date in series.days(today, horizon) {
                if !there.iter().any(|(day, _)| *day == date) {
                    self.publish_day(&series, date, &mut view);
                }
            }
        }
        let days = change.is_none_or(|change| change.until.is_some() || change.exceptions.is_some());
        for (date, class) in there {
            let held = active && series.days(date, date) == [date];
            if let Some(change) = change.filter(|_| held) {
                if change.names_class(date) {
                    let wanted = series.class_on(date, self.policy.timezone);
                    self.follow(&class, date, &wanted, change, &mut view);
                }
            } else if days {
                self.drop_class(&class, change.is_some_and(|change| change.reaches_all), &mut view);
            }
        }
        if active {
            self.published(id, horizon, &mut view);
        }
        view
    }

    fn view_of(&self, id: &str) -> SeriesView {
        let Kept { active, revision, published_until, .. } = &self.series[id];
        let (active, revision, published_until) = (*active, *revision, *published_until);
        SeriesView { id: id.to_owned(), active, revision, published_until, ..SeriesView::default() }
    }

    /// The last day that is published by now. What was published further ahead, under other rules, stays the series'.
    fn horizon(&self, id: &str) -> NaiveDate {
        let Kept { series, published_until, .. } = &self.series[id];
        let reach = self.today() + Days::new(self.reach(series.class.overrides.as_ref()) + AHEAD_DAYS);
        published_until.map_or(reach, |done| reach.max(done))
    }

    fn published(&mut self, id: &str, horizon: NaiveDate, view: &mut SeriesView) {
        let kept = self.series.get_mut(id).expect("a series that was looked up");
        kept.published_until = kept.published_until.max(Some(horizon));
        view.published_until = kept.published_until;
    }

    fn publish_day(&mut self, series: &Series, date: NaiveDate, view: &mut SeriesView) {
        let new = series.class_on(date, self.policy.timezone);
        if new.starts_at > self.now && self.publish(&new).status == 201 {
            let id = new.id.clone();
            self.entry(&id).given = Some(new);
            view.published.push(id);
        }
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

    /// In the named fields that nobody changed by hand, the class becomes what the series wants.
    fn follow(&mut self, id: &str, date: NaiveDate, wanted: &NewClass, change: &SeriesChange, view: &mut SeriesView) {
        let before = self.classes[id].clone();
        if matches!(before.stage, Stage::Cancelled | Stage::Finished) {
            return;
        }
        let (mut after, mut given) = (before.clone(), before.given.clone().expect("a class that its series published"));
        macro_rules! follow {
            ($($field:ident)+) => {$(
                if change.names(date, stringify!($field)) {
                    if before.$field == given.$field {
                        after.$field = wanted.$field.clone();
                    }
                    given.$field = wanted.$field.clone();
                }
            )+};
        }
        follow!(title starts_at minutes capacity overrides);
        let moved = (before.starts_at, before.minutes) != (after.starts_at, after.minutes);
        let other_rules = before.overrides != after.overrides;
        after.terms = match (other_rules, moved) {
            (true, _) => terms(&self.policy, after.overrides.as_ref(), after.starts_at, after.minutes),
            (false, true) => before.terms.moved(after.starts_at, after.minutes),
            (false, false) => before.terms.clone(),
        };
        if before.stage == Stage::Open {
            after.terms.opens_at = before.terms.opens_at;
        }
        if after == before {
            self.entry(id).given = Some(given);
            return;
        }
        let new_start = after.starts_at != before.starts_at;
        let unfit = new_start && (after.starts_at < self.now || self.closed_on(&after.club, after.terms.date));
        if self.taken(&before) && !change.reaches_all || unfit {
            view.left_alone.push(id.to_owned());
            return;
        }
        let (announced, unheld) = (self.events.len(), self.unheld(id));
        after.undecided = self.now < after.terms.decide_at;
        after.revision += 1;
        after.given = Some(given);
        *self.entry(id) = after;
        self.announce("class_changed", self.now, Some(id), None);
        if moved {
            self.after_a_move(id, before.starts_at, before.terms.date);
        }
        if other_rules {
            let waiting = self.of_class(id).filter(|b| b.status == Status::Waitlisted).map(|b| b.member.clone());
            let waiting: Vec<String> = waiting.collect();
            self.eased.extend(waiting);
        }
        if self.unheld(id) > unheld {
            self.freed.insert(id.to_owned());
        }
        self.ends_call(announced);
        view.changed.push(id.to_owned());
    }

    fn drop_class(&mut self, id: &str, reaches_all: bool, view: &mut SeriesView) {
        let Some(class) = self.classes.get(id).filter(|class| !class.over()) else { return };
        if self.taken(class) && !reaches_all {
            view.left_alone.push(id.to_owned());
            return;
        }
        let announced = self.events.len();
        self.call_off(id, self.now);
        self.ends_call(announced);
        view.cancelled.push(id.to_owned());
    }

    /// Each class is brought in line by a call of its own.
    fn ends_call(&mut self, announced: usize) {
        self.ask_around(self.now);
        self.settle(self.now);
        self.show_free(announced);
    }
}
