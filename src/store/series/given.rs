//! What a series last gave each of its classes, stored with the class: a field that differs from it was changed by hand.

use std::collections::BTreeMap;

use crate::domain::class::NewClass;
use crate::domain::instant::from_ms;
use crate::domain::policy::Policy;
use crate::domain::terms::Terms;
use crate::store::classes::{Pairs, instructor_fields, number};
use crate::store::error::StoreError;
use crate::store::reply::{Record, corrupt};

/// The field of a class's hash that holds it, as JSON.
const FIELD: &str = "given";

/// Fields of a class's hash, and the field of a series that gives each.
const FIELDS: [(&str, &str); 11] = [
    ("title", "title"),
    ("category", "category"),
    ("room", "room"),
    ("instructor", "instructor"),
    ("instructor_name", "instructor"),
    ("starts", "time"),
    ("minutes", "minutes"),
    ("capacity", "capacity"),
    ("minimum_given", "minimum"),
    ("min_age", "min_age"),
    ("override", "policy"),
];

/// By field of the hash, its text as the series gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given(BTreeMap<String, String>);

impl Given {
    /// What a series gives a class like this.
    pub fn of(class: &NewClass) -> Given {
        let (instructor, name) = instructor_fields(class.instructor.as_ref());
        let texts = [
            class.title.clone(),
            class.category.clone().unwrap_or_default(),
            class.room.clone().unwrap_or_default(),
            instructor,
            name,
            class.starts_at.timestamp_millis().to_string(),
            class.minutes.to_string(),
            class.capacity.to_string(),
            number(class.minimum),
            number(class.min_age),
            class.policy.as_ref().map(ToString::to_string).unwrap_or_default(),
        ];
        Given(FIELDS.iter().map(|(name, _)| (*name).to_owned()).zip(texts).collect())
    }

    /// What a stored class says it was given; nothing where an older release published it.
    pub fn stored(class: &Record) -> Option<Given> {
        class.get(FIELD).and_then(|text| serde_json::from_str(text).ok()).map(Given)
    }

    /// As if a class had been given everything it has.
    pub fn everything_of(class: &Record) -> Given {
        Given(FIELDS.iter().map(|(name, _)| ((*name).to_owned(), text(class, name).to_owned())).collect())
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    fn get<'a>(&'a self, class: &'a Record, name: &str) -> &'a str {
        self.0.get(name).map_or_else(|| text(class, name), String::as_str)
    }

    /// Whether the field, by its name in the series, was changed by hand in this class.
    fn by_hand(&self, class: &Record, field: &str) -> bool {
        FIELDS.iter().any(|(name, of)| *of == field && text(class, name) != self.get(class, name))
    }
}

/// What an edit of a series makes of one class.
pub struct Followed {
    /// The fields of the class that become different.
    pub pairs: Pairs,
    /// What the series then has given it.
    pub gives: Given,
}

impl Followed {
    /// The class follows `wanted` in the named fields that nobody changed by hand. New times give new instants by the
    /// class's own durations, as when it is moved; other rules give new terms, by the organisation's policy.
    pub fn of(
        class: &Record,
        given: &Given,
        wanted: &NewClass,
        named: impl Fn(&str) -> bool,
        policy: &Policy,
    ) -> Result<Followed, StoreError> {
        let wanted = Given::of(wanted);
        let mut gives = given.clone();
        let mut becomes = Given::everything_of(class);
        for (name, field) in FIELDS.into_iter().filter(|(_, field)| named(field)) {
            let new = wanted.get(class, name).to_owned();
            if !given.by_hand(class, field) {
                becomes.0.insert(name.to_owned(), new.clone());
            }
            gives.0.insert(name.to_owned(), new);
        }
        let own = Terms::from_fields(|name| Some(class.raw(name).unwrap_or_default())).map_err(corrupt)?;
        let (terms, has_new_rules) = becomes.terms(class, &own, policy)?;
        let mut pairs = terms.to_fields();
        let kept = |name: &str| name == "starts" || name == "override" && !has_new_rules;
        pairs.extend(
            FIELDS.iter().filter(|(name, _)| !kept(name)).map(|(name, _)| (*name, becomes.get(class, name).to_owned())),
        );
        if has_new_rules || becomes.get(class, "minimum_given") != text(class, "minimum_given") {
            let own = becomes.get(class, "minimum_given");
            let minimum = if own.is_empty() { terms.policy.attendance.minimum.to_string() } else { own.to_owned() };
            pairs.push(("minimum", minimum));
        }
        pairs.retain(|(name, value)| text(class, name) != value);
        Ok(Followed { pairs, gives })
    }
}

impl Given {
    /// The terms of a class with these times and rules, and whether the rules are new. Rules that no longer fit the
    /// organisation's leave the class with those it has.
    fn terms(&self, class: &Record, own: &Terms, policy: &Policy) -> Result<(Terms, bool), StoreError> {
        let starts = self.get(class, "starts").parse().ok().and_then(from_ms);
        let starts = starts.ok_or_else(|| corrupt("a class's start cannot be read"))?;
        let minutes = self.get(class, "minutes").parse().map_err(corrupt)?;
        let rules = self.get(class, "override");
        let new = match (rules == text(class, "override"), rules) {
            (true, _) => None,
            (false, "") => Some(policy.clone()),
            (false, patch) => policy.patched(&serde_json::from_str(patch).map_err(corrupt)?).ok(),
        };
        Ok(match new {
            Some(policy) => (Terms::of(&policy, starts, minutes), true),
            None if starts == own.starts_at && text(class, "minutes") == self.get(class, "minutes") => {
                (own.clone(), false)
            }
            None => (own.moved(starts, minutes), false),
        })
    }
}

fn text<'a>(class: &'a Record, name: &str) -> &'a str {
    class.raw(name).unwrap_or_default()
}
