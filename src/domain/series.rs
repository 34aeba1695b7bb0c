//! Recurring classes: a rule of RFC 5545 in local time, with days left out and days changed.
//!
//! The rule is expanded on local dates, so 18:00 stays 18:00 when the clocks change. What a day's class is follows from
//! the series alone; whether it is published yet is the store's to know.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};
use serde_json::{Value, json};

use super::calendar::{local_at, parse_date, parse_time};
use super::class::NewClass;
use super::fields::{Fields, list, string, text};
use super::ids::{ClassId, SeriesId};
use super::instant::with_zone;
use super::invalid::{FieldError, Parsed, under};

/// A class's id is the series' and the date, so a series' own is shorter than other ids.
pub const SERIES_ID_LEN_MAX: usize = 55;
pub const RULE_LEN_MAX: usize = 300;
/// Days left out, and days changed.
pub const EXCEPTIONS_MAX: usize = 400;
/// More classes than this in one look ahead are a mistake in the rule.
pub const OCCURRENCES_MAX: u16 = 800;

/// Fields of the body that are the recurrence; every other field is the class's.
const RECURRENCE: [&str; 7] = ["id", "starts_on", "time", "rrule", "until", "exceptions", "changes"];

/// Fields of the body that are the class's.
const CLASS: [&str; 10] =
    ["club", "title", "category", "room", "instructor", "minutes", "capacity", "minimum", "min_age", "policy"];

/// A recurring class.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub id: Option<SeriesId>,
    /// The body it was made from, without the id: what a change is merged into.
    pub body: Value,
    rule: RRule<Unvalidated>,
    starts_on: NaiveDate,
    time: NaiveTime,
    until: Option<NaiveDate>,
    exceptions: BTreeSet<NaiveDate>,
    changes: BTreeMap<NaiveDate, Value>,
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
        for error in
            NewClass::parse(&class_body(body, NaiveDate::MIN, NaiveTime::MIN, Tz::UTC)).err().unwrap_or_default()
        {
            f.refuse(&error.pointer, error.detail);
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
                changes: changes?.unwrap_or_default(),
            })
        })?;
        series.check()?;
        Ok(series)
    }

    /// The series with a merge patch (RFC 7396) over its body. A policy is such a patch itself, in which null says
    /// something, so it takes the place of the one before.
    pub fn patched(&self, patch: &Value) -> Parsed<Series> {
        Fields::of(patch)?;
        let mut body = self.body.clone();
        merge(&mut body, patch);
        if let (Some(policy @ Value::Object(_)), Some(fields)) = (patch.get("policy"), body.as_object_mut()) {
            fields.insert("policy".to_owned(), policy.clone());
        }
        Series::parse(&body).map(|series| Series { id: self.id.clone(), ..series })
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

    /// The class of a day.
    fn on(&self, id: &SeriesId, date: NaiveDate, zone: Tz) -> Parsed<NewClass> {
        let mut body = self.body.clone();
        let mut time = self.time;
        if let Some(change) = self.changes.get(&date) {
            time = change.get("time").and_then(Value::as_str).and_then(|text| parse_time(text).ok()).unwrap_or(time);
            merge(&mut body, change);
        }
        let mut class = NewClass::parse(&class_body(&body, date, time, zone))?;
        class.id = class_id(id, date);
        Ok(class)
    }

    fn dates(&self, from: NaiveDate, to: NaiveDate) -> Parsed<Vec<NaiveDate>> {
        let at = |date: NaiveDate| rrule::Tz::UTC.from_utc_datetime(&date.and_time(NaiveTime::MIN));
        if from > to {
            return Ok(Vec::new());
        }
        let rules: RRuleSet = self.rule.clone().build(at(self.starts_on)).map_err(|error| unreadable(&error))?;
        let found = rules.after(at(from)).before(at(to)).all(OCCURRENCES_MAX);
        if found.limited {
            return Err(vec![FieldError::new("/rrule", "gives too many classes")]);
        }
        Ok(found.dates.into_iter().map(|at| at.date_naive()).collect())
    }

    /// What only shows when the parts are put together: the rule with its start, and each changed day.
    fn check(&self) -> Parsed<()> {
        let id = SeriesId::parse("s").map_err(|error| vec![FieldError::new("/id", error.to_string())])?;
        self.dates(self.starts_on, self.starts_on)?;
        for date in self.changes.keys() {
            let pointer = date.to_string();
            self.on(&id, *date, Tz::UTC).map_err(|errors| under("changes", under(&pointer, errors)))?;
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

/// The body that publishes a day's class.
fn class_body(body: &Value, date: NaiveDate, time: NaiveTime, zone: Tz) -> Value {
    let mut class = body.clone();
    let start = if date == NaiveDate::MIN {
        "2000-01-01T00:00:00Z".to_owned()
    } else {
        with_zone(local_at(date, time, zone), zone)
    };
    if let Some(fields) = class.as_object_mut() {
        for name in RECURRENCE {
            fields.shift_remove(name);
        }
        fields.insert("starts_at".to_owned(), json!(start));
    }
    class
}

fn unreadable(error: &impl std::fmt::Display) -> Vec<FieldError> {
    vec![FieldError::new("/rrule", format!("cannot be read: {error}"))]
}

/// An RRULE of whole days: FREQ and what narrows it, but no hours; UNTIL is the series' `until`.
fn rule(value: &Value) -> Parsed<RRule<Unvalidated>> {
    let read = text(1..=RULE_LEN_MAX)(value)?;
    let wrong = |detail: String| Err(vec![FieldError::new("", detail)]);
    let rule: RRule<Unvalidated> = match read.trim_start_matches("RRULE:").parse() {
        Ok(rule) => rule,
        Err(error) => return wrong(format!("cannot be read: {error}")),
    };
    let daily =
        matches!(rule.get_freq(), Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly);
    let timed = !rule.get_by_hour().is_empty() || !rule.get_by_minute().is_empty() || !rule.get_by_second().is_empty();
    if !daily || timed {
        return wrong("must recur by days, weeks, months or years; the time of day is `time`".to_owned());
    }
    if rule.get_until().is_some() {
        return wrong("must not have UNTIL; the last day is `until`".to_owned());
    }
    Ok(rule)
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
mod tests {
    use super::*;
    use crate::domain::instant::with_zone;

    const COPENHAGEN: Tz = Tz::Europe__Copenhagen;

    fn body() -> Value {
        json!({"starts_on": "2026-03-23", "time": "18:00", "rrule": "FREQ=WEEKLY;BYDAY=MO,WE", "club": "nord",
               "title": "Spin", "minutes": 45, "capacity": 20})
    }

    fn starts(body: &Value, from: &str, to: &str) -> Vec<String> {
        let id = SeriesId::parse("spin").unwrap();
        let day = |text: &str| parse_date(text).unwrap();
        let found = Series::parse(body).unwrap().occurrences(&id, day(from), day(to), COPENHAGEN).unwrap();
        found.iter().map(|o| with_zone(o.class.starts_at, COPENHAGEN)).collect()
    }

    #[test]
    fn eighteen_stays_eighteen_when_the_clocks_change() {
        let found = starts(&body(), "2026-03-25", "2026-03-30");
        assert_eq!(found, ["2026-03-25T18:00:00+01:00", "2026-03-30T18:00:00+02:00"]);
    }

    #[test]
    fn days_are_left_out_changed_and_ended() {
        let mut body = body();
        body["exceptions"] = json!(["2026-03-25"]);
        body["changes"] = json!({"2026-03-30": {"time": "17:00", "capacity": 5, "title": "Spin, short"}});
        body["until"] = json!("2026-04-01");
        let found = starts(&body, "2026-03-01", "2026-12-31");
        assert_eq!(found, ["2026-03-23T18:00:00+01:00", "2026-03-30T17:00:00+02:00", "2026-04-01T18:00:00+02:00"]);
        let id = SeriesId::parse("spin").unwrap();
        let day = parse_date("2026-03-30").unwrap();
        let changed = &Series::parse(&body).unwrap().occurrences(&id, day, day, COPENHAGEN).unwrap()[0];
        assert_eq!((changed.class.capacity, changed.class.title.as_str()), (5, "Spin, short"));
        assert_eq!(changed.class.id.as_ref().unwrap().as_str(), "spin~20260330");
    }

    #[test]
    fn a_rule_counts_from_the_first_day_whatever_part_is_looked_at() {
        let mut body = body();
        body["rrule"] = json!("FREQ=DAILY;INTERVAL=3;COUNT=4");
        assert_eq!(starts(&body, "2026-03-27", "2026-12-31").len(), 2);
    }

    #[test]
    fn what_is_wrong_with_a_series_is_said_where_it_is() {
        for (field, value, pointer) in [
            ("rrule", json!("FREQ=HOURLY"), "/rrule"),
            ("rrule", json!("FREQ=WEEKLY;BYHOUR=3"), "/rrule"),
            ("rrule", json!("FREQ=WEEKLY;UNTIL=20260401T000000Z"), "/rrule"),
            ("rrule", json!("every monday"), "/rrule"),
            ("time", json!("25:00"), "/time"),
            ("starts_on", json!("2026-02-30"), "/starts_on"),
            ("minutes", json!(0), "/minutes"),
            ("starts_at", json!("2026-03-23T18:00:00Z"), "/starts_at"),
            ("colour", json!("red"), "/colour"),
            ("id", json!("a".repeat(SERIES_ID_LEN_MAX + 1)), "/id"),
            ("exceptions", json!(["soon"]), "/exceptions/0"),
            ("changes", json!({"2026-03-30": {"rrule": "FREQ=DAILY"}}), "/changes/2026-03-30/rrule"),
            ("changes", json!({"2026-03-30": {"capacity": 0}}), "/changes/2026-03-30/capacity"),
        ] {
            let mut body = body();
            body[field] = value.clone();
            let errors = Series::parse(&body).unwrap_err();
            assert!(errors.iter().any(|error| error.pointer == pointer), "{field}: {value}: {errors:?}");
        }
    }

    #[test]
    fn a_change_is_merged_and_judged_whole() {
        let series = Series::parse(&body()).unwrap();
        let changed = series.patched(&json!({"time": "19:00", "room": "Hall 2"})).unwrap();
        assert_eq!(changed.body["room"], "Hall 2");
        assert!(series.patched(&json!({"title": null})).is_err());
    }
}
