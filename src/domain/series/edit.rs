//! An edit of a series: which fields it names, in which days' classes, and whether classes that are booked follow.
//!
//! In each class only the named fields follow the series, so what was changed by hand for one day stays. What a class
//! has, and whether somebody booked it, is the store's to know.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::{CLASS, Series};
use crate::domain::calendar::parse_date;
use crate::domain::invalid::{FieldError, Parsed, under};
use crate::domain::words::words;

words! {
    /// Which classes follow an edit of their series.
    Reach {
        /// Those that nobody has booked; the others are named.
        Unbooked = "unbooked",
        /// Booked classes as well, each by the rules of changing a class.
        All = "all",
    }
}

/// The fields of a body that say on which days the series recurs.
const DAYS: [&str; 4] = ["starts_on", "rrule", "until", "exceptions"];

/// The body of a PATCH of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// A merge patch over the body of the series.
    patch: Value,
    pub reach: Reach,
}

/// The fields that an edit names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Fields of every class, and `time`.
    everywhere: BTreeSet<String>,
    /// Fields of one day's class, and its `time`.
    on_days: BTreeMap<NaiveDate, BTreeSet<String>>,
    /// Whether it names on which days the series recurs.
    pub days: bool,
}

impl Edit {
    /// `{reach?, …}`: the rest is a merge patch.
    pub fn parse(body: &Value) -> Parsed<Edit> {
        let mut patch = body.clone();
        let Some(fields) = patch.as_object_mut() else {
            return Err(vec![FieldError::new("", "must be an object")]);
        };
        let reach = match fields.shift_remove("reach") {
            None => Ok(Reach::Unbooked),
            Some(Value::String(word)) => Reach::parse(&word).map_err(|error| error.to_string()),
            Some(_) => Err("must be a string".to_owned()),
        };
        match reach {
            Ok(reach) => Ok(Edit { patch, reach }),
            Err(detail) => Err(under("reach", vec![FieldError::new("", detail)])),
        }
    }

    /// The series that a stored body becomes.
    pub fn applied_to(&self, body: &Map<String, Value>) -> Parsed<Series> {
        Series::patched(body, &self.patch)
    }

    /// What it names, given the body that it changes: taking away a day's changes names each of them.
    #[must_use]
    pub fn named(&self, body: &Map<String, Value>) -> Named {
        let fields = self.patch.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let (of_days, of_classes): (Vec<&str>, Vec<&str>) = fields.partition(|name| DAYS.contains(name));
        let is_of_classes = |name: &&str| *name == "time" || CLASS.contains(name);
        Named {
            everywhere: of_classes.into_iter().filter(is_of_classes).map(str::to_owned).collect(),
            on_days: named_on_days(self.patch.get("changes"), body.get("changes")),
            days: !of_days.is_empty(),
        }
    }
}

impl Named {
    /// Whether the field of a day's class follows.
    #[must_use]
    pub fn field(&self, date: NaiveDate, name: &str) -> bool {
        self.everywhere.contains(name) || self.on_days.get(&date).is_some_and(|fields| fields.contains(name))
    }

    /// Whether any field of a day's class follows.
    #[must_use]
    pub fn class(&self, date: NaiveDate) -> bool {
        !self.everywhere.is_empty() || self.on_days.contains_key(&date)
    }
}

fn named_on_days(patch: Option<&Value>, before: Option<&Value>) -> BTreeMap<NaiveDate, BTreeSet<String>> {
    let (Some(patch), before) = (patch, before.and_then(Value::as_object)) else { return BTreeMap::new() };
    let taken_away = |date: &String| before.and_then(|before| before.get(date));
    let changes: Vec<(&String, Option<&Value>)> = match patch {
        Value::Object(changes) => changes
            .iter()
            .map(|(date, change)| (date, if change.is_null() { taken_away(date) } else { Some(change) }))
            .collect(),
        _ => before.into_iter().flatten().map(|(date, change)| (date, Some(change))).collect(),
    };
    let names = |change: &Value| -> BTreeSet<String> {
        change.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    changes.into_iter().filter_map(|(date, change)| Some((parse_date(date).ok()?, names(change?)))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::invalid::pointers;

    fn day(text: &str) -> NaiveDate {
        parse_date(text).unwrap()
    }

    #[test]
    fn an_edit_says_how_far_it_reaches_and_the_rest_is_the_patch() {
        let edit = |body: Value| Edit::parse(&body);
        assert_eq!(edit(json!({})).unwrap().reach, Reach::Unbooked);
        assert_eq!(edit(json!({ "reach": "unbooked", "room": "2" })).unwrap().patch, json!({ "room": "2" }));
        assert_eq!(edit(json!({ "reach": "all" })), Ok(Edit { patch: json!({}), reach: Reach::All }));
        for body in [json!({ "reach": "everyone" }), json!({ "reach": null }), json!({ "reach": ["all"] })] {
            assert_eq!(pointers(edit(body)), ["/reach"]);
        }
        assert_eq!(pointers(edit(json!([]))), [""]);
    }

    #[test]
    fn an_edit_names_fields_of_every_class_of_a_day_and_of_the_days() {
        let body =
            json!({ "changes": { "2026-03-04": { "time": "17:00", "room": "2" }, "2026-03-09": { "title": "X" } } });
        let named = |patch: Value| Edit::parse(&patch).unwrap().named(body.as_object().unwrap());
        let (first, second) = (day("2026-03-04"), day("2026-03-09"));
        for (patch, of_first, of_second, days) in [
            (json!({}), "", "", false),
            (json!({ "title": "Yoga" }), "title", "title", false),
            (json!({ "room": null, "time": "19:00" }), "room time", "room time", false),
            (json!({ "rrule": "FREQ=DAILY" }), "", "", true),
            (json!({ "until": null, "policy": {} }), "policy", "policy", true),
            (json!({ "starts_on": "2026-03-02" }), "", "", true),
            (json!({ "exceptions": [] }), "", "", true),
            (json!({ "changes": { "2026-03-04": { "capacity": 3 } } }), "capacity", "", false),
            (json!({ "changes": { "2026-03-04": null } }), "room time", "", false),
            (
                json!({ "changes": { "2026-03-09": { "title": null } }, "minutes": 30 }),
                "minutes",
                "minutes title",
                false,
            ),
            (json!({ "changes": null }), "room time", "title", false),
            (json!({ "changes": { "2027-01-01": null } }), "", "", false),
        ] {
            let said = named(patch.clone());
            let all = ["title", "room", "instructor", "minutes", "capacity", "policy", "time"];
            for (date, expected) in [(first, of_first), (second, of_second)] {
                let expected: BTreeSet<&str> = expected.split_whitespace().collect();
                let found: BTreeSet<&str> = all.into_iter().filter(|name| said.field(date, name)).collect();
                assert_eq!((found, said.class(date)), (expected.clone(), !expected.is_empty()), "{patch} on {date}");
            }
            assert_eq!(said.days, days, "{patch}");
        }
    }
}
