//! Recurring classes: a rule of RFC 5545 in local time, with days left out and days changed.
//!
//! The rule is expanded on local dates, so 18:00 stays 18:00 when the clocks change. What a day's class is follows from
//! the series alone; whether it is published yet is the store's to know.

mod edit;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::calendar::{local_at, parse_date, parse_time};
use super::class::NewClass;
use super::fields::{Fields, list, string, text};
use super::ids::{ClassId, SeriesId};
use super::invalid::{FieldError, Parsed, under, wrong};
use super::recurrence::{Rule, RuleError};

pub use edit::{Edit, Named, Reach};

/// A class's id is the series' and the date, so a series' own is shorter than other ids.
pub const SERIES_ID_LEN_MAX: usize = 55;
pub const RULE_LEN_MAX: usize = 300;
/// Days left out, and days changed.
pub const EXCEPTIONS_MAX: usize = 400;
/// More classes than this in one look ahead are a mistake in the rule.
pub const OCCURRENCES_MAX: usize = 800;

/// Fields of the body that are the recurrence; every other field is the class's.
const RECURRENCE: [&str; 7] = ["id", "starts_on", "time", "rrule", "until", "exceptions", "changes"];

/// Fields of the body that are the class's.
const CLASS: [&str; 10] =
    ["club", "title", "category", "room", "instructor", "minutes", "capacity", "minimum", "min_age", "policy"];

/// Stands for the start that each day gives its class, while fields are judged that are the same on every day.
const UNMEANT_START: &str = "2000-01-01T00:00:00Z";

/// A recurring class.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub id: Option<SeriesId>,
    /// The body it was made from, without the id: what a change is merged into.
    pub body: Value,
    rule: Rule,
    starts_on: NaiveDate,
    time: NaiveTime,
    until: Option<NaiveDate>,
    exceptions: BTreeSet<NaiveDate>,
    /// The class of a day that is not changed, but for its id and start.
    class: NewClass,
    /// By day, a merge patch over the fields of the class, and over `time`.
    changes: BTreeMap<NaiveDate, Value>,
}

/// A series as it was stored, by whatever version of the service.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSeries {
    /// The fields of its body; none where it is no object.
    pub body: Map<String, Value>,
    /// What it says; where it would be refused today, what is wrong with it.
    pub series: Parsed<Series>,
}

/// One day's class of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    pub date: NaiveDate,
    pub class: NewClass,
}

impl Series {
    /// `{id?, starts_on, time, rrule, until?, exceptions?, changes?, …}` and the fields of a class but its start.
    /// `changes` holds a merge patch over the class, and over `time`, by date.
    pub fn parse(body: &Value) -> Parsed<Series> {
        let mut f = Fields::of(body)?;
        let id = f.nullable("id", series_id);
        let starts_on = f.required("starts_on", string(parse_date));
        let time = f.required("time", string(parse_time));
        let rule = f.required("rrule", rule);
        let until = f.nullable("until", string(parse_date));
        let exceptions = f.nullable("exceptions", list(0..=EXCEPTIONS_MAX, string(parse_date)));
        let changes = f.nullable("changes", changes);
        let class = NewClass::parse(&class_fields(body));
        for error in class.as_ref().err().into_iter().flatten() {
            f.refuse(&error.pointer, error.detail.clone());
        }
        for name in CLASS {
            f.accept(name);
        }
        let series = f.finish(|| {
            let mut stored = body.clone();
            stored.as_object_mut()?.shift_remove("id");
            Some(Series {
                id: id?,
                body: stored,
                rule: rule?,
                starts_on: starts_on?,
                time: time?,
                until: until?,
                exceptions: exceptions?.unwrap_or_default().into_iter().collect(),
                class: class.ok()?,
                changes: changes?.unwrap_or_default(),
            })
        })?;
        series.check()?;
        Ok(series)
    }

    /// A stored body, read leniently: what an older version accepted stays readable, whatever is judged of it today.
    #[must_use]
    pub fn stored(text: &str) -> StoredSeries {
        let unreadable = |error| vec![FieldError::new("", format!("cannot be read: {error}"))];
        match serde_json::from_str(text) {
            Ok(body) => {
                let series = Series::parse(&body);
                let body = if let Value::Object(fields) = body { fields } else { Map::new() };
                StoredSeries { body, series }
            }
            Err(error) => StoredSeries { body: Map::new(), series: Err(unreadable(error)) },
        }
    }

    /// A series with this body and a merge patch (RFC 7396) over it. A policy is such a patch itself, in which null says
    /// something, so it takes the place of the one before.
    pub fn patched(body: &Map<String, Value>, patch: &Value) -> Parsed<Series> {
        Fields::of(patch)?;
        let mut body = Value::Object(body.clone());
        merge(&mut body, patch);
        if let (Some(policy @ Value::Object(_)), Some(fields)) = (patch.get("policy"), body.as_object_mut()) {
            fields.insert("policy".to_owned(), policy.clone());
        }
        Series::parse(&body)
    }

    /// The rules of its own, a merge patch over the organisation's.
    #[must_use]
    pub fn policy(&self) -> Option<&Value> {
        self.class.policy.as_ref()
    }

    /// The classes that start on the local days `[from, to]`, in order.
    pub fn occurrences(&self, id: &SeriesId, from: NaiveDate, to: NaiveDate, zone: Tz) -> Parsed<Vec<Occurrence>> {
        let to = self.until.map_or(to, |until| to.min(until));
        let mut found = Vec::new();
        for date in self.dates(from, to)? {
            if !self.exceptions.contains(&date) {
                found.push(Occurrence { date, class: self.on(id, date, zone)? });
            }
        }
        Ok(found)
    }

    /// The class of a day, whether or not the series recurs on it.
    pub fn on(&self, id: &SeriesId, date: NaiveDate, zone: Tz) -> Parsed<NewClass> {
        let (mut class, mut time) = (self.class.clone(), self.time);
        if let Some(change) = self.changes.get(&date) {
            time = change.get("time").and_then(Value::as_str).and_then(|text| parse_time(text).ok()).unwrap_or(time);
            class = changed_class(&class_fields(&self.body), change)?;
        }
        class.starts_at = local_at(date, time, zone);
        class.id = class_id(id, date);
        Ok(class)
    }

    fn dates(&self, from: NaiveDate, to: NaiveDate) -> Parsed<Vec<NaiveDate>> {
        let days = self.rule.days(self.starts_on).skip_while(|day| *day < from).take_while(|day| *day <= to);
        let found: Vec<NaiveDate> = days.take(OCCURRENCES_MAX + 1).collect();
        if found.len() > OCCURRENCES_MAX {
            return Err(vec![FieldError::new("/rrule", "gives too many classes")]);
        }
        Ok(found)
    }

    /// What only shows when the parts are put together: the rule with its start, and each changed day. A day is judged
    /// without the policy, of which one class sees only that it is an object, so that many days cost no more than they say.
    fn check(&self) -> Parsed<()> {
        let starts_on = self.starts_on;
        let nothing = match (self.rule.days(starts_on).next(), self.until) {
            (None, _) => Some(format!("gives no class from {starts_on} on, however far one looks")),
            (Some(first), Some(until)) if first > until => {
                Some(format!("gives no class from {starts_on} to {until}: its first would be on {first}"))
            }
            (Some(_), _) => None,
        };
        if let Some(detail) = nothing {
            return Err(vec![FieldError::new("/rrule", detail)]);
        }
        let mut plain = class_fields(&self.body);
        if let Some(fields) = plain.as_object_mut() {
            fields.shift_remove("policy");
        }
        for (date, change) in &self.changes {
            let pointer = date.to_string();
            changed_class(&plain, change).map_err(|errors| under("changes", under(&pointer, errors)))?;
        }
        Ok(())
    }
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.shift_remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// The date that the id of a series' class names, or none where it is the id of something else.
#[must_use]
pub fn class_date(series: &SeriesId, class: &ClassId) -> Option<NaiveDate> {
    let date = class.as_str().strip_prefix(series.as_str())?.strip_prefix('~')?;
    let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
    class_id(series, date).filter(|id| id == class).map(|_| date)
}

/// The id of a series' class on a date.
pub fn class_id(id: &SeriesId, date: NaiveDate) -> Option<ClassId> {
    ClassId::parse(&format!("{id}~{}", date.format("%Y%m%d"))).ok()
}

fn series_id(value: &Value) -> Parsed<SeriesId> {
    let id = string(SeriesId::parse)(value)?;
    if id.as_str().len() <= SERIES_ID_LEN_MAX {
        return Ok(id);
    }
    Err(vec![FieldError::new("", format!("must be at most {SERIES_ID_LEN_MAX} characters"))])
}

/// The fields of a body that are the class's, with a start that is not meant.
fn class_fields(body: &Value) -> Value {
    let own = body.as_object().into_iter().flatten().filter(|(name, _)| CLASS.contains(&name.as_str()));
    let mut fields: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    fields.insert("starts_at".to_owned(), json!(UNMEANT_START));
    Value::Object(fields)
}

/// The class of a day with this change to these fields.
fn changed_class(fields: &Value, change: &Value) -> Parsed<NewClass> {
    let mut fields = fields.clone();
    merge(&mut fields, change);
    if let Some(fields) = fields.as_object_mut() {
        fields.shift_remove("time");
    }
    NewClass::parse(&fields)
}

/// A rule, which as text has one line.
fn rule(value: &Value) -> Parsed<Rule> {
    if value.as_str().is_some_and(|text| text.contains(['\r', '\n'])) {
        return wrong(RuleError::Lines.to_string());
    }
    let read = text(1..=RULE_LEN_MAX)(value)?;
    Rule::parse(&read).or_else(|error| wrong(error.to_string()))
}

fn changes(value: &Value) -> Parsed<BTreeMap<NaiveDate, Value>> {
    let Some(object) = value.as_object().filter(|object| object.len() <= EXCEPTIONS_MAX) else {
        return Err(vec![FieldError::new("", format!("must be an object of at most {EXCEPTIONS_MAX} dates"))]);
    };
    let mut changes = BTreeMap::new();
    let mut errors = Vec::new();
    for (date, change) in object {
        match (parse_date(date), changed(change)) {
            (Ok(date), Ok(())) => {
                changes.insert(date, change.clone());
            }
            (Err(error), _) => errors.push(FieldError::new("", error.to_string()).under(date)),
            (_, Err(wrong)) => errors.extend(under(date, wrong)),
        }
    }
    if errors.is_empty() { Ok(changes) } else { Err(errors) }
}

/// A change of a day may touch the class and its time, not the recurrence.
fn changed(change: &Value) -> Parsed<()> {
    let mut f = Fields::of(change)?;
    for name in RECURRENCE.into_iter().filter(|name| *name != "time") {
        if f.has(name) {
            f.refuse(&format!("/{name}"), "cannot differ from day to day");
        }
        f.accept(name);
    }
    f.given("time", string(parse_time));
    for name in CLASS {
        f.accept(name);
    }
    f.finish(|| Some(()))
}

#[cfg(test)]
mod tests;
