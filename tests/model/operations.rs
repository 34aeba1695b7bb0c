//! The calls as data: what the model is told and what goes over the wire are made from the same value.
//!
//! A booking is named by its class and member (the latest one they have), so that a history still makes sense when
//! a part of it is left out.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use rollcall::domain::instant::Instant;
use serde_json::{Value, json};

use crate::closures::Closure;
use crate::series::{DayChange, Rule, Series};
use crate::state::{Membership, Profile};

/// Who calls.
#[derive(Clone, Debug, PartialEq)]
pub enum Caller {
    Desk,
    Kiosk,
    Member(String),
    Instructor(String),
}

/// How whoever arrives says who they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Arriving {
    Member(String),
    Phone(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    SetClock(Instant),
    PutPolicy(Value),
    PutMember { id: String, profile: Profile },
    EraseMember { id: String },
    Publish(NewClass),
    Change { class: String, change: ClassChange },
    PostSeries(Box<Series>),
    PatchSeries { id: String, change: SeriesChange },
    EndSeries { id: String },
    Close(Closure),
    Reopen { club: String, id: String },
    CancelClass { class: String, key: Option<String> },
    CloseClass { class: String, penalties: bool, key: Option<String> },
    Book { caller: Caller, class: String, member: String, waitlist: bool, key: Option<String> },
    WalkIn { class: String, member: String, key: Option<String> },
    Cancel { caller: Caller, class: String, member: String, charge: Option<bool>, key: Option<String> },
    Accept { class: String, member: String, key: Option<String> },
    CheckIn { caller: Caller, class: String, member: String, key: Option<String> },
    UndoCheckIn { caller: Caller, class: String, member: String, key: Option<String> },
    Arrive { caller: Caller, club: String, arriving: Arriving, key: Option<String> },
    Excuse { class: String, member: String, key: Option<String> },
    WaiveFee { line: usize, key: Option<String> },
    LiftBan { member: String, key: Option<String> },
    Preview { caller: Caller, class: String, member: String },
    ReadClass { class: String, reader: Option<String> },
    ReadRoster { class: String },
    ReadStanding { member: String },
    ReadBookings { member: String },
    ReadFees,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewClass {
    pub id: String,
    pub club: String,
    pub title: String,
    pub category: Option<String>,
    pub instructor: Option<String>,
    pub starts_at: Instant,
    pub minutes: u32,
    pub capacity: u32,
    pub minimum: Option<u32>,
    pub min_age: Option<u32>,
    pub overrides: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassChange {
    pub starts_at: Option<Instant>,
    pub minutes: Option<u32>,
    pub title: Option<String>,
    pub instructor: Option<String>,
    pub capacity: Option<u32>,
    /// `Some(None)`: the policy's.
    pub minimum: Option<Option<u32>>,
    /// The revision it is made for.
    pub if_match: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesChange {
    pub time: Option<NaiveTime>,
    pub title: Option<String>,
    pub capacity: Option<u32>,
    pub minutes: Option<u32>,
    pub until: Option<Option<NaiveDate>>,
    pub exceptions: Option<BTreeSet<NaiveDate>>,
    pub overrides: Option<Value>,
    pub day: Option<(NaiveDate, DayChange)>,
    pub if_match: Option<u64>,
    /// Booked classes follow as well.
    pub reaches_all: bool,
}

/// One call as it goes over the wire.
pub struct Wire {
    pub method: &'static str,
    pub path: String,
    pub body: Option<Value>,
}

impl Op {
    pub fn name(&self) -> &'static str {
        match self {
            Op::SetClock(_) => "set_clock",
            Op::PutPolicy(_) => "put_policy",
            Op::PutMember { .. } => "put_member",
            Op::EraseMember { .. } => "erase_member",
            Op::Publish(_) => "publish",
            Op::Change { .. } => "change_class",
            Op::PostSeries(_) => "post_series",
            Op::PatchSeries { .. } => "patch_series",
            Op::EndSeries { .. } => "end_series",
            Op::Close(_) => "close_club",
            Op::Reopen { .. } => "reopen_club",
            Op::CancelClass { .. } => "cancel_class",
            Op::CloseClass { .. } => "close_class",
            Op::Book { caller: Caller::Desk, .. } => "desk_books",
            Op::Book { .. } => "book",
            Op::WalkIn { .. } => "walk_in",
            Op::Cancel { caller: Caller::Desk, .. } => "desk_cancels",
            Op::Cancel { .. } => "cancel",
            Op::Accept { .. } => "accept",
            Op::CheckIn { caller: Caller::Instructor(_), .. } => "takes_the_roll",
            Op::CheckIn { .. } => "check_in",
            Op::UndoCheckIn { .. } => "undo_check_in",
            Op::Arrive { caller: Caller::Kiosk, .. } => "kiosk",
            Op::Arrive { .. } => "arrive",
            Op::Excuse { .. } => "excuse",
            Op::WaiveFee { .. } => "waive_fee",
            Op::LiftBan { .. } => "lift_ban",
            Op::Preview { .. } => "preview",
            Op::ReadClass { .. } => "read_class",
            Op::ReadRoster { .. } => "read_roster",
            Op::ReadStanding { .. } => "read_standing",
            Op::ReadBookings { .. } => "read_bookings",
            Op::ReadFees => "read_fees",
        }
    }

    pub fn caller(&self) -> Caller {
        match self {
            Op::Book { caller, .. }
            | Op::Cancel { caller, .. }
            | Op::CheckIn { caller, .. }
            | Op::UndoCheckIn { caller, .. }
            | Op::Arrive { caller, .. }
            | Op::Preview { caller, .. } => caller.clone(),
            Op::Accept { member: id, .. } | Op::ReadClass { reader: Some(id), .. } => Caller::Member(id.clone()),
            _ => Caller::Desk,
        }
    }

    /// Where the call carries its key, if it is one that may.
    fn slot(&mut self) -> Option<&mut Option<String>> {
        match self {
            Op::CancelClass { key, .. }
            | Op::CloseClass { key, .. }
            | Op::Book { key, .. }
            | Op::WalkIn { key, .. }
            | Op::Cancel { key, .. }
            | Op::Accept { key, .. }
            | Op::CheckIn { key, .. }
            | Op::UndoCheckIn { key, .. }
            | Op::Arrive { key, .. }
            | Op::Excuse { key, .. }
            | Op::WaiveFee { key, .. }
            | Op::LiftBan { key, .. } => Some(key),
            _ => None,
        }
    }

    pub fn key(&self) -> Option<String> {
        self.clone().slot().and_then(|key| key.clone())
    }

    pub fn without_key(&self) -> Op {
        let mut op = self.clone();
        if let Some(key) = op.slot() {
            *key = None;
        }
        op
    }

    /// Whose standing it asks for.
    pub fn member(&self) -> Option<&str> {
        match self {
            Op::LiftBan { member, .. } | Op::ReadStanding { member } => Some(member),
            _ => None,
        }
    }

    /// The revision it insists on.
    pub fn if_match(&self) -> Option<u64> {
        match self {
            Op::Change { change, .. } => change.if_match,
            Op::PatchSeries { change, .. } => change.if_match,
            _ => None,
        }
    }

    /// The class and member whose latest booking the path names.
    pub fn addresses(&self) -> Option<(&str, &str)> {
        match self {
            Op::Cancel { class, member, .. }
            | Op::Accept { class, member, .. }
            | Op::CheckIn { class, member, .. }
            | Op::UndoCheckIn { class, member, .. }
            | Op::Excuse { class, member, .. }
            | Op::Preview { class, member, .. } => Some((class, member)),
            _ => None,
        }
    }

    /// `booking`: the id of the booking it addresses; `line`: that of the line of the ledger.
    pub fn wire(&self, booking: &str, line: &str) -> Wire {
        let reason = || Some(json!({ "reason": "asked at the desk" }));
        let (method, path, body) = match self {
            Op::SetClock(now) => ("PUT", "/v1/clock".to_owned(), Some(json!({ "now": written(*now) }))),
            Op::PutPolicy(policy) => ("PUT", "/v1/org/policy".to_owned(), Some(policy.clone())),
            Op::PutMember { id, profile } => ("PUT", format!("/v1/members/{id}"), Some(profile.body())),
            Op::EraseMember { id } => ("DELETE", format!("/v1/members/{id}"), None),
            Op::Publish(new) => ("POST", "/v1/classes".to_owned(), Some(new.body())),
            Op::PostSeries(series) => ("POST", "/v1/series".to_owned(), Some(series.body())),
            Op::PatchSeries { id, change } => ("PATCH", format!("/v1/series/{id}"), Some(change.body())),
            Op::Close(closure) => ("POST", format!("/v1/clubs/{}/closures", closure.club), Some(closure.body())),
            Op::Reopen { club, id } => ("DELETE", format!("/v1/clubs/{club}/closures/{id}"), None),
            Op::EndSeries { id } => ("DELETE", format!("/v1/series/{id}"), None),
            Op::Change { class, change } => ("PATCH", format!("/v1/classes/{class}"), Some(change.body())),
            Op::CancelClass { class, .. } => {
                ("POST", format!("/v1/classes/{class}/cancel"), Some(json!({ "reason": "the room is flooded" })))
            }
            Op::CloseClass { class, penalties, .. } => {
                let body = json!({ "penalties": penalties, "reason": "nobody took the roll" });
                ("POST", format!("/v1/classes/{class}/close"), Some(body))
            }
            Op::WalkIn { class, member, .. } => {
                let body = json!({ "member": member, "walk_in": true });
                ("POST", format!("/v1/classes/{class}/bookings"), Some(body))
            }
            Op::Book { caller, class, member, waitlist, .. } => {
                let mut body = json!({ "waitlist": waitlist });
                if *caller == Caller::Desk {
                    body["member"] = json!(member);
                }
                ("POST", format!("/v1/classes/{class}/bookings"), Some(body))
            }
            Op::Cancel { charge, .. } => {
                let body = charge.map(|charge| json!({ "charge": charge, "reason": "asked at the desk" }));
                ("POST", format!("/v1/bookings/{booking}/cancel"), body)
            }
            Op::CheckIn { .. } => ("POST", format!("/v1/bookings/{booking}/check-in"), None),
            Op::UndoCheckIn { .. } => ("POST", format!("/v1/bookings/{booking}/undo-check-in"), None),
            Op::Arrive { club, arriving, .. } => {
                let body = match arriving {
                    Arriving::Member(id) => json!({ "club": club, "member": id }),
                    Arriving::Phone(phone) => json!({ "club": club, "phone": phone }),
                };
                ("POST", "/v1/check-ins".to_owned(), Some(body))
            }
            Op::Excuse { .. } => ("POST", format!("/v1/bookings/{booking}/excuse"), reason()),
            Op::WaiveFee { .. } => ("POST", format!("/v1/fees/{line}/waive"), reason()),
            Op::LiftBan { member, .. } => ("POST", format!("/v1/members/{member}/lift-ban"), reason()),
            Op::Accept { .. } => ("POST", format!("/v1/bookings/{booking}/accept"), None),
            Op::Preview { .. } => ("GET", format!("/v1/bookings/{booking}/cancel-preview"), None),
            Op::ReadClass { class, .. } => ("GET", format!("/v1/classes/{class}"), None),
            Op::ReadRoster { class } => ("GET", format!("/v1/classes/{class}/roster"), None),
            Op::ReadStanding { member } => ("GET", format!("/v1/members/{member}/standing"), None),
            Op::ReadBookings { member } => ("GET", format!("/v1/bookings?member={member}&limit=200"), None),
            Op::ReadFees => ("GET", "/v1/fees?limit=200".to_owned(), None),
        };
        Wire { method, path, body }
    }
}

impl NewClass {
    fn body(&self) -> Value {
        let mut body = json!({
            "id": self.id, "club": self.club, "title": self.title, "starts_at": written(self.starts_at),
            "minutes": self.minutes, "capacity": self.capacity,
        });
        let optional = [
            ("category", self.category.as_ref().map(|category| json!(category))),
            ("instructor", self.instructor.as_deref().map(instructor)),
            ("minimum", self.minimum.map(|least| json!(least))),
            ("min_age", self.min_age.map(|age| json!(age))),
            ("policy", self.overrides.clone()),
        ];
        for (field, value) in optional.into_iter().filter_map(|(field, value)| Some((field, value?))) {
            body[field] = value;
        }
        body
    }
}

impl ClassChange {
    fn body(&self) -> Value {
        given([
            ("starts_at", self.starts_at.map(|at| json!(written(at)))),
            ("minutes", self.minutes.map(|minutes| json!(minutes))),
            ("title", self.title.as_ref().map(|title| json!(title))),
            ("instructor", self.instructor.as_deref().map(instructor)),
            ("capacity", self.capacity.map(|capacity| json!(capacity))),
            ("minimum", self.minimum.map(|least| json!(least))),
        ])
    }
}

impl Series {
    fn body(&self) -> Value {
        let Rule { every, weekdays, count } = &self.rule;
        let days: Vec<String> = weekdays.iter().map(|day| day.to_string()[..2].to_uppercase()).collect();
        let mut rule = match days.is_empty() {
            true => format!("FREQ=DAILY;INTERVAL={every}"),
            false => format!("FREQ=WEEKLY;INTERVAL={every};BYDAY={}", days.join(",")),
        };
        if let Some(count) = count {
            rule.push_str(&format!(";COUNT={count}"));
        }
        let mut body = self.class.body();
        let fields = body.as_object_mut().expect("an object");
        fields.remove("starts_at");
        body["id"] = json!(self.id);
        body["starts_on"] = json!(self.starts_on.to_string());
        body["time"] = json!(time_of_day(self.time));
        body["rrule"] = json!(rule);
        body
    }
}

impl SeriesChange {
    fn body(&self) -> Value {
        let dates = |dates: &BTreeSet<NaiveDate>| dates.iter().map(NaiveDate::to_string).collect::<Vec<_>>();
        let day = |(date, change): &(NaiveDate, DayChange)| json!({ date.to_string(): change.body() });
        given([
            ("time", self.time.map(|time| json!(time_of_day(time)))),
            ("title", self.title.as_ref().map(|title| json!(title))),
            ("capacity", self.capacity.map(|capacity| json!(capacity))),
            ("minutes", self.minutes.map(|minutes| json!(minutes))),
            ("until", self.until.map(|until| json!(until.map(|date| date.to_string())))),
            ("exceptions", self.exceptions.as_ref().map(|days| json!(dates(days)))),
            ("policy", self.overrides.clone()),
            ("changes", self.day.as_ref().map(day)),
            ("reach", self.reaches_all.then(|| json!("all"))),
        ])
    }
}

impl Closure {
    fn body(&self) -> Value {
        json!({ "id": self.id, "from": self.from.to_string(), "to": self.to.to_string(), "reason": "painters" })
    }
}

impl DayChange {
    fn body(&self) -> Value {
        given([
            ("time", self.time.map(|time| json!(time_of_day(time)))),
            ("capacity", self.capacity.map(|capacity| json!(capacity))),
        ])
    }
}

/// An object of the fields that are given.
fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    Value::Object(fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))).collect())
}

fn time_of_day(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

impl Profile {
    fn body(&self) -> Value {
        let scope = |only: &Option<Vec<String>>| only.as_ref().map_or(json!("all"), |only| json!(only));
        let day = |date: Option<NaiveDate>| date.map(|date| json!(date.to_string()));
        let frozen: Vec<Value> = (self.frozen.iter())
            .map(|(from, until)| json!({ "from": from.to_string(), "until": until.to_string() }))
            .collect();
        let mut membership = json!({
            "plan": if self.on_clips { "clips" } else { "unlimited" },
            "status": match self.status {
                Membership::Active => "active",
                Membership::Blocked => "blocked",
                Membership::Ended => "ended",
            },
            "clubs": scope(&self.clubs), "categories": scope(&self.categories), "frozen": frozen,
        });
        let optional = [
            ("clips", self.clips.map(|clips| json!(clips))),
            ("clips_revision", self.clips_revision.as_ref().map(|revision| json!(revision))),
            ("valid_from", day(self.valid_from)),
            ("valid_until", day(self.valid_until)),
        ];
        for (field, value) in optional.into_iter().filter_map(|(field, value)| Some((field, value?))) {
            membership[field] = value;
        }
        let mut body = json!({ "name": self.name, "membership": membership });
        if let Some(born) = day(self.born) {
            body["born"] = born;
        }
        if let Some(phone) = &self.phone {
            body["phone"] = json!(phone);
        }
        body
    }
}

fn instructor(id: &str) -> Value {
    json!({ "id": id, "name": "Eva Holm" })
}

pub fn written(at: Instant) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
