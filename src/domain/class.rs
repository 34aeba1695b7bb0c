//! A class: one scheduled session, what is taught and when, and how full it is.
//!
//! Its rules are its terms. What may be changed, and what a change does to bookings, depends on stored state and is
//! decided in the atomic core; here a body becomes something that can be asked for.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::Value;

use super::fields::{Fields, integer, string, text};
use super::ids::{ClassId, ClubId, InstructorId};
use super::instant::{Instant, parse_instant};
use super::invalid::{Parsed, wrong};
use super::policy::MINIMUM;
use super::terms::Terms;
use super::words::words;

/// Characters of a class's title.
pub const TITLE_LEN: RangeInclusive<usize> = 1..=200;
/// Characters of a room's, a category's or an instructor's name.
pub const NAME_LEN: RangeInclusive<usize> = 1..=100;
pub const CAPACITY: RangeInclusive<u32> = 1..=5_000;
/// A class is over within a day.
pub const MINUTES: RangeInclusive<u32> = 1..=1_440;
pub const MIN_AGE: RangeInclusive<u32> = 0..=120;

words! {
    /// Where a class is in its life.
    ClassStatus {
        /// Published; booking has not opened.
        Scheduled = "scheduled",
        /// Booking has opened.
        Open = "open",
        /// The club cancelled it.
        Cancelled = "cancelled",
        /// It is over.
        Finished = "finished",
    }
}

/// Who teaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instructor {
    pub id: InstructorId,
    pub name: String,
}

/// A class to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct NewClass {
    pub id: Option<ClassId>,
    pub club: ClubId,
    pub title: String,
    pub category: Option<String>,
    pub room: Option<String>,
    pub instructor: Option<Instructor>,
    pub starts_at: Instant,
    pub minutes: u32,
    pub capacity: u32,
    /// None takes the policy's.
    pub minimum: Option<u32>,
    pub min_age: Option<u32>,
    /// A merge patch over the organisation's policy, an object not yet judged: see `Policy::patched`.
    pub policy: Option<Value>,
}

/// A change to a published class. `None` leaves what there is; `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassChange {
    pub starts_at: Option<Instant>,
    pub minutes: Option<u32>,
    pub title: Option<String>,
    pub category: Option<Option<String>>,
    pub room: Option<Option<String>>,
    pub instructor: Option<Option<Instructor>>,
    pub capacity: Option<u32>,
    /// `Some(None)` goes back to the policy's.
    pub minimum: Option<Option<u32>>,
}

/// A published class, with its live counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    pub id: ClassId,
    pub club: ClubId,
    pub title: String,
    pub category: Option<String>,
    pub room: Option<String>,
    pub instructor: Option<Instructor>,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub status: ClassStatus,
    pub capacity: u32,
    pub booked: u32,
    pub free: u32,
    pub waiting: u32,
    pub checked_in: u32,
    pub minimum: u32,
    /// How many more bookings the minimum wants.
    pub needed: u32,
    pub min_age: Option<u32>,
    pub terms: Terms,
    pub revision: u64,
}

impl Instructor {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut f = Fields::of(value)?;
        let id = f.required("id", string(InstructorId::parse));
        let name = f.required("name", text(NAME_LEN));
        f.finish(|| Some(Self { id: id?, name: name? }))
    }
}

impl NewClass {
    /// The body of a POST. A policy in it is only seen to be an object.
    pub fn parse(body: &Value) -> Parsed<Self> {
        let mut f = Fields::of(body)?;
        let id = f.nullable("id", string(ClassId::parse));
        let club = f.required("club", string(ClubId::parse));
        let title = f.required("title", text(TITLE_LEN));
        let category = f.nullable("category", text(NAME_LEN));
        let room = f.nullable("room", text(NAME_LEN));
        let instructor = f.nullable("instructor", Instructor::parse);
        let starts_at = f.required("starts_at", string(parse_instant));
        let minutes = f.required("minutes", integer(MINUTES));
        let capacity = f.required("capacity", integer(CAPACITY));
        let minimum = f.nullable("minimum", integer(MINIMUM));
        let min_age = f.nullable("min_age", integer(MIN_AGE));
        let policy = f.nullable("policy", object);
        refuse_minimum_above(&mut f, capacity, minimum.flatten());
        f.finish(|| {
            Some(Self {
                id: id?,
                club: club?,
                title: title?,
                category: category?,
                room: room?,
                instructor: instructor?,
                starts_at: starts_at?,
                minutes: minutes?,
                capacity: capacity?,
                minimum: minimum?,
                min_age: min_age?,
                policy: policy?,
            })
        })
    }
}

impl ClassChange {
    /// The body of a PATCH, itself a merge patch: what can be absent from a class can be nulled.
    pub fn parse(body: &Value) -> Parsed<Self> {
        let mut f = Fields::of(body)?;
        let starts_at = f.given("starts_at", string(parse_instant));
        let minutes = f.given("minutes", integer(MINUTES));
        let title = f.given("title", text(TITLE_LEN));
        let category = f.clearable("category", text(NAME_LEN));
        let room = f.clearable("room", text(NAME_LEN));
        let instructor = f.clearable("instructor", Instructor::parse);
        let capacity = f.given("capacity", integer(CAPACITY));
        let minimum = f.clearable("minimum", integer(MINIMUM));
        refuse_minimum_above(&mut f, capacity.flatten(), minimum.flatten().flatten());
        f.finish(|| {
            Some(Self {
                starts_at: starts_at?,
                minutes: minutes?,
                title: title?,
                category: category?,
                room: room?,
                instructor: instructor?,
                capacity: capacity?,
                minimum: minimum?,
            })
        })
    }
}

fn refuse_minimum_above(f: &mut Fields<'_>, capacity: Option<u32>, minimum: Option<u32>) {
    if let (Some(capacity), Some(minimum)) = (capacity, minimum)
        && minimum > capacity
    {
        f.refuse("/minimum", "must not be above the capacity");
    }
}

fn object(value: &Value) -> Parsed<Value> {
    if value.is_object() { Ok(value.clone()) } else { wrong("must be an object") }
}

#[cfg(test)]
mod tests;
