//! The service's side of what is compared: its JSON read into the shapes of `views`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall::domain::instant::Instant;
use serde_json::Value;

use crate::state::{Number, Stage, Status};
use crate::views::{
    BookingView, ClassView, FeeView, Mine, PreviewView, Refused, RosterLine, RosterView, SeriesView, StandingView,
    shows_payment,
};

/// Reads the service's JSON. A field that is not there or not readable fails with its name.
pub struct Reader<'a> {
    pub number_of: &'a dyn Fn(&str) -> Option<Number>,
    /// The ids of the ledger's lines, in order.
    pub lines: &'a [String],
    pub today: NaiveDate,
    pub now: Instant,
}

type Read<T> = Result<T, String>;

impl Reader<'_> {
    pub fn refused(&self, body: &Value) -> Read<Refused> {
        let code = text(body, "code")?;
        let known = CODES.iter().find(|known| **known == code);
        Ok(Refused { code: known.ok_or(format!("unknown code {code}"))?, until: optional_instant(body, "until")? })
    }

    pub fn booking(&self, body: &Value) -> Read<BookingView> {
        let status = status(text(body, "status")?)?;
        Ok(BookingView {
            number: self.number(body, "id")?,
            class: text(body, "class")?.to_owned(),
            member: text(body, "member")?.to_owned(),
            status,
            position: small(body, "position")?,
            offer_expires_at: optional_instant(body, "offer_expires_at")?,
            by_clip: Some(body.get("paid_with").and_then(Value::as_str) == Some("clip"))
                .filter(|_| shows_payment(status)),
            fee: money(body, "fee")?,
            present: if status.live() { Some(flag(body, "present")?) } else { None },
            late: flag(body, "late")?,
        })
    }

    pub fn class(&self, body: &Value, by_member: bool) -> Read<ClassView> {
        let terms = body.get("terms").ok_or("terms")?;
        Ok(ClassView {
            id: text(body, "id")?.to_owned(),
            title: text(body, "title")?.to_owned(),
            instructor: body.pointer("/instructor/id").and_then(Value::as_str).map(str::to_owned),
            status: stage(text(body, "status")?)?,
            starts_at: instant(body, "starts_at")?,
            ends_at: instant(body, "ends_at")?,
            terms: [
                instant(terms, "opens_at")?,
                instant(terms, "closes_at")?,
                instant(terms, "cancel_by")?,
                instant(terms, "promote_until")?,
                instant(terms, "decide_at")?,
                instant(terms, "check_in_opens")?,
                instant(terms, "check_in_due")?,
                instant(terms, "check_in_closes")?,
            ],
            capacity: needed(body, "capacity")?,
            booked: needed(body, "booked")?,
            free: needed(body, "free")?,
            waiting: needed(body, "waiting")?,
            checked_in: needed(body, "checked_in")?,
            minimum: needed(body, "minimum")?,
            needed: needed(body, "needed")?,
            revision: needed(body, "revision")?.into(),
            mine: if by_member { Some(self.mine(body)?) } else { None },
        })
    }

    fn mine(&self, body: &Value) -> Read<Mine> {
        let place = match body.get("me") {
            None => return Err("me".into()),
            Some(Value::Null) => None,
            Some(me) => Some((self.number(me, "booking")?, status(text(me, "status")?)?, small(me, "position")?)),
        };
        let can = body.get("can_book").ok_or("can_book")?;
        let allowed = can.get("allowed").and_then(Value::as_bool).ok_or("can_book.allowed")?;
        Ok(Mine { place, refused: if allowed { None } else { Some(self.refused(can)?) } })
    }

    pub fn preview(&self, body: &Value) -> Read<PreviewView> {
        let outcome = text(body, "outcome")?;
        let known = ["free", "charged", "refused"].into_iter().find(|known| *known == outcome);
        let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
        Ok(PreviewView {
            outcome: known.ok_or(format!("outcome {outcome}"))?,
            fee: money(body, "fee")?,
            clip: flag("clip"),
            strike: flag("strike"),
            free_until: instant(body, "free_until")?,
        })
    }

    pub fn roster(&self, body: &Value) -> Read<RosterView> {
        let line = |entry: &Value| {
            let (name, first_time) = (text(entry, "name")?.to_owned(), flag(entry, "first_time")?);
            Ok(RosterLine { booking: self.booking(entry)?, name, first_time })
        };
        let lines = |field: &str| list(body, field)?.iter().map(line).collect::<Read<Vec<_>>>();
        let mut bookings = lines("bookings")?;
        bookings.sort_by_key(|line| line.booking.number);
        Ok(RosterView { bookings, waitlist: lines("waitlist")? })
    }

    pub fn standing(&self, body: &Value) -> Read<StandingView> {
        let mut booked = BTreeMap::new();
        let days = body.get("booked").and_then(Value::as_object).ok_or("booked")?;
        for (day, count) in days {
            let date: NaiveDate = day.parse().map_err(|error| format!("booked: {day}: {error}"))?;
            if date >= self.today && count.as_u64() != Some(0) {
                booked.insert(date, count.as_u64().ok_or("booked")? as u32);
            }
        }
        Ok(StandingView {
            clips: small(body, "clips")?,
            open_fees: money(body, "open_fees")?,
            daily_limit: small(body, "daily_limit")?,
            booked,
            upcoming: needed(body, "upcoming")?,
            strikes: self.strikes(body)?,
            banned_until: optional_instant(body, "banned_until")?.filter(|&until| until > self.now),
        })
    }

    fn strikes(&self, body: &Value) -> Read<Vec<(Number, Instant, Instant)>> {
        let mut strikes = Vec::new();
        for strike in list(body, "strikes")? {
            strikes.push((self.number(strike, "booking")?, instant(strike, "at")?, instant(strike, "counts_until")?));
        }
        strikes.retain(|&(_, _, until)| until > self.now);
        strikes.sort_unstable();
        Ok(strikes)
    }

    pub fn series(&self, body: &Value) -> Read<SeriesView> {
        let ids = |field: &str| {
            let id = |id: &Value| id.as_str().map(str::to_owned).ok_or(format!("{field}: {id}"));
            list(body, field)?.iter().map(id).collect::<Read<Vec<_>>>()
        };
        Ok(SeriesView {
            id: text(body, "id")?.to_owned(),
            active: text(body, "status")? == "active",
            revision: needed(body, "revision")?.into(),
            published: ids("published")?,
            changed: ids("changed")?,
            cancelled: ids("cancelled")?,
            left_alone: ids("left_alone")?,
            published_until: text(body, "published_until")?.parse().ok(),
        })
    }

    pub fn fee(&self, line: &Value) -> Read<FeeView> {
        Ok(FeeView {
            line: self.line(text(line, "id")?)?,
            member: text(line, "member")?.to_owned(),
            booking: self.number(line, "booking")?,
            charged: text(line, "kind")? == "charged",
            reason: text(line, "reason")?.to_owned(),
            amount: money(line, "amount")?,
            waives: line.get("waives").and_then(Value::as_str).map(|id| self.line(id)).transpose()?,
        })
    }

    fn line(&self, id: &str) -> Read<usize> {
        self.lines.iter().position(|known| known == id).ok_or(format!("{id} is no line of the ledger"))
    }

    pub fn number(&self, body: &Value, field: &str) -> Read<Number> {
        let id = text(body, field)?;
        (self.number_of)(id).ok_or(format!("{field}: {id} is no booking the model knows"))
    }
}

pub fn list<'a>(body: &'a Value, field: &str) -> Read<&'a Vec<Value>> {
    body.get(field).and_then(Value::as_array).ok_or(format!("{field} is no list"))
}

pub fn text<'a>(body: &'a Value, field: &str) -> Read<&'a str> {
    body.get(field).and_then(Value::as_str).ok_or(format!("{field} is no text"))
}

pub fn instant(body: &Value, field: &str) -> Read<Instant> {
    parse_instant(text(body, field)?)
}

fn optional_instant(body: &Value, field: &str) -> Read<Option<Instant>> {
    body.get(field).and_then(Value::as_str).map(parse_instant).transpose()
}

fn parse_instant(text: &str) -> Read<Instant> {
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|e| format!("{text}: {e}"))?;
    Ok(parsed.with_timezone(&Utc))
}

fn flag(body: &Value, field: &str) -> Read<bool> {
    body.get(field).and_then(Value::as_bool).ok_or(format!("{field} is neither true nor false"))
}

fn needed(body: &Value, field: &str) -> Read<u32> {
    small(body, field)?.ok_or(format!("{field} is no number"))
}

fn small(body: &Value, field: &str) -> Read<Option<u32>> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(|n| Some(n as u32)).ok_or(format!("{field}: {value}")),
    }
}

fn money(body: &Value, field: &str) -> Read<u32> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(0),
        Some(money) => needed(money, "amount"),
    }
}

fn stage(text: &str) -> Read<Stage> {
    match text {
        "scheduled" => Ok(Stage::Scheduled),
        "open" => Ok(Stage::Open),
        "cancelled" => Ok(Stage::Cancelled),
        "finished" => Ok(Stage::Finished),
        other => Err(format!("class status {other}")),
    }
}

fn status(text: &str) -> Read<Status> {
    match text {
        "booked" => Ok(Status::Booked),
        "waitlisted" => Ok(Status::Waitlisted),
        "offered" => Ok(Status::Offered),
        "checked_in" => Ok(Status::CheckedIn),
        "no_show" => Ok(Status::NoShow),
        "cancelled" => Ok(Status::Cancelled),
        "late_cancelled" => Ok(Status::LateCancelled),
        "class_cancelled" => Ok(Status::ClassCancelled),
        "lapsed" => Ok(Status::Lapsed),
        other => Err(format!("booking status {other}")),
    }
}

/// Every code a compared call may answer with.
pub const CODES: &[&str] = &[
    "not_open",
    "closed",
    "full",
    "waitlist_full",
    "waitlist_closed",
    "daily_limit",
    "open_limit",
    "overlap",
    "banned",
    "not_entitled",
    "frozen",
    "membership_ended",
    "no_clips",
    "too_young",
    "class_cancelled",
    "class_finished",
    "cancel_closed",
    "check_in_not_open",
    "check_in_closed",
    "offer_expired",
    "not_offered",
    "wrong_status",
    "not_found",
    "invalid",
    "idempotency_mismatch",
    "stale",
];
