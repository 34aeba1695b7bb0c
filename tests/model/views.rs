//! What is compared: the parts of an answer on which the model has an opinion, read from either side into the
//! same shapes. A booking's id is the service's own; both sides name bookings by the order of their making.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall::domain::instant::Instant;
use serde_json::Value;

use crate::state::{Number, Org, Stage, Status};

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Body,
    /// What happened, in a word: for the count of what was tried.
    pub outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Nothing,
    Refused(Refused),
    Booking(BookingView),
    Class(ClassView),
    Preview(PreviewView),
    Roster(RosterView),
    Standing(StandingView),
    Bookings(Vec<(Number, Status)>),
    Fees(Vec<FeeView>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    pub code: &'static str,
    pub until: Option<Instant>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BookingView {
    pub number: Number,
    pub class: String,
    pub member: String,
    pub status: Status,
    pub position: Option<u32>,
    pub offer_expires_at: Option<Instant>,
    /// Of a place that has a spot, or lost it late.
    pub by_clip: Option<bool>,
    pub fee: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ClassView {
    pub id: String,
    pub title: String,
    pub status: Stage,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub opens_at: Instant,
    pub closes_at: Instant,
    pub cancel_by: Instant,
    pub promote_until: Instant,
    pub capacity: u32,
    pub booked: u32,
    pub free: u32,
    pub waiting: u32,
    /// For a member: the own place, and what booking would answer.
    pub mine: Option<Mine>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Mine {
    pub place: Option<(Number, Status, Option<u32>)>,
    pub refused: Option<Refused>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PreviewView {
    pub outcome: &'static str,
    pub fee: u32,
    pub clip: bool,
    pub strike: bool,
    pub free_until: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RosterView {
    pub bookings: Vec<(String, Number, Status)>,
    pub waitlist: Vec<(String, Number, Option<u32>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StandingView {
    pub clips: Option<u32>,
    pub open_fees: u32,
    pub daily_limit: Option<u32>,
    /// From today on: what is over leaves this list in its own time.
    pub booked: BTreeMap<NaiveDate, u32>,
    pub upcoming: u32,
    /// Those that still count, with the end of counting.
    pub strikes: Vec<(Number, Instant, Instant)>,
    pub banned_until: Option<Instant>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FeeView {
    pub member: String,
    pub booking: Number,
    pub charged: bool,
    pub reason: String,
    pub amount: u32,
}

impl Refused {
    pub fn new(code: &'static str) -> Refused {
        Refused { code, until: None }
    }

    pub fn until(code: &'static str, until: Instant) -> Refused {
        Refused { code, until: Some(until) }
    }
}

impl Answer {
    pub fn refused(refused: Refused) -> Answer {
        let status = match refused.code {
            "not_found" => 404,
            "invalid" | "idempotency_mismatch" => 422,
            _ => 409,
        };
        Answer { status, outcome: refused.code, body: Body::Refused(refused) }
    }

    pub fn done(status: u16, outcome: &'static str, body: Body) -> Answer {
        Answer { status, outcome, body }
    }
}

/// How a place was paid is settled when a spot is taken; of an ended place it may be unknown.
fn shows_payment(status: Status) -> bool {
    matches!(status, Status::Booked | Status::CheckedIn | Status::NoShow | Status::LateCancelled)
}

// ---- the model's side -----------------------------------------------------------------------------------------

impl Org {
    pub fn view_booking(&self, number: Number) -> BookingView {
        let booking = &self.bookings[number];
        BookingView {
            number,
            class: booking.class.clone(),
            member: booking.member.clone(),
            status: booking.status,
            position: self.position(number),
            offer_expires_at: booking.offer_ends,
            by_clip: booking.by_clip.filter(|_| shows_payment(booking.status)),
            fee: booking.fee,
        }
    }

    pub fn position(&self, number: Number) -> Option<u32> {
        let queue = self.queue(&self.bookings[number].class);
        queue.iter().position(|&n| n == number).map(|index| index as u32 + 1)
    }

    pub fn view_class(&self, id: &str, reader: Option<&str>) -> ClassView {
        let class = &self.classes[id];
        let mine = reader.map(|member| Mine {
            place: self.live(id, member).map(|n| (n, self.bookings[n].status, self.position(n))),
            refused: self.can_book(id, member),
        });
        ClassView {
            id: id.to_owned(),
            title: class.title.clone(),
            status: class.stage,
            starts_at: class.starts_at,
            ends_at: class.ends_at(),
            opens_at: class.terms.opens_at,
            closes_at: class.terms.closes_at,
            cancel_by: class.terms.cancel_by,
            promote_until: class.terms.promote_until,
            capacity: class.capacity,
            booked: self.count(id, |s| matches!(s, Status::Booked | Status::CheckedIn)),
            free: self.unheld(id) - self.reserved(id),
            waiting: self.queue(id).len() as u32,
            mine,
        }
    }

    pub fn view_roster(&self, id: &str) -> RosterView {
        let listed = |s: Status| s.holds() || s == Status::NoShow;
        let mut bookings: Vec<_> =
            self.of_class(id).filter(|b| listed(b.status)).map(|b| (b.member.clone(), b.number, b.status)).collect();
        bookings.sort();
        let waitlist = self.queue(id).into_iter();
        RosterView {
            bookings,
            waitlist: waitlist.map(|n| (self.bookings[n].member.clone(), n, self.position(n))).collect(),
        }
    }

    pub fn view_standing(&self, id: &str) -> Option<StandingView> {
        let member = self.members.get(id)?;
        let today = self.today();
        let mut booked = BTreeMap::new();
        for booking in self.of_member(id).filter(|b| b.status.holds()) {
            let date = self.classes[&booking.class].terms.date;
            if date >= today {
                *booked.entry(date).or_insert(0) += 1;
            }
        }
        let mine = self.fees.iter().filter(|fee| fee.member == id);
        let owed: i64 = mine.map(|fee| if fee.charged { i64::from(fee.amount) } else { -i64::from(fee.amount) }).sum();
        Some(StandingView {
            clips: member.profile.on_clips.then_some(member.clips),
            open_fees: owed as u32,
            daily_limit: self.policy.booking.daily_limit,
            booked,
            upcoming: self.ahead(id).len() as u32,
            strikes: self.counting(id),
            banned_until: member.banned_until.filter(|&until| until > self.now),
        })
    }

    fn counting(&self, member: &str) -> Vec<(Number, Instant, Instant)> {
        let mine = self.strikes.iter().filter(|strike| strike.member == member);
        let mut counting: Vec<_> = mine.map(|strike| (strike.booking, strike.at, strike.at + strike.window)).collect();
        counting.retain(|&(_, _, until)| until > self.now);
        counting.sort_unstable();
        counting
    }

    pub fn view_bookings(&self, member: &str) -> Vec<(Number, Status)> {
        self.of_member(member).map(|b| (b.number, b.status)).collect()
    }

    pub fn view_fees(&self) -> Vec<FeeView> {
        let line = |fee: &crate::state::Fee| FeeView {
            member: fee.member.clone(),
            booking: fee.booking,
            charged: fee.charged,
            reason: fee.reason.to_owned(),
            amount: fee.amount,
        };
        self.fees.iter().map(line).collect()
    }

    pub fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.policy.timezone).date_naive()
    }
}

// ---- the service's side ---------------------------------------------------------------------------------------

/// Reads the service's JSON. A field that is not there or not readable fails with its name.
pub struct Reader<'a> {
    pub number_of: &'a dyn Fn(&str) -> Option<Number>,
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
        })
    }

    pub fn class(&self, body: &Value, by_member: bool) -> Read<ClassView> {
        let terms = body.get("terms").ok_or("terms")?;
        Ok(ClassView {
            id: text(body, "id")?.to_owned(),
            title: text(body, "title")?.to_owned(),
            status: stage(text(body, "status")?)?,
            starts_at: instant(body, "starts_at")?,
            ends_at: instant(body, "ends_at")?,
            opens_at: instant(terms, "opens_at")?,
            closes_at: instant(terms, "closes_at")?,
            cancel_by: instant(terms, "cancel_by")?,
            promote_until: instant(terms, "promote_until")?,
            capacity: needed(body, "capacity")?,
            booked: needed(body, "booked")?,
            free: needed(body, "free")?,
            waiting: needed(body, "waiting")?,
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
        let mut bookings = Vec::new();
        for entry in list(body, "bookings")? {
            let status = status(text(entry, "status")?)?;
            bookings.push((text(entry, "member")?.to_owned(), self.number(entry, "id")?, status));
        }
        bookings.sort();
        let mut waitlist = Vec::new();
        for entry in list(body, "waitlist")? {
            waitlist.push((text(entry, "member")?.to_owned(), self.number(entry, "id")?, small(entry, "position")?));
        }
        Ok(RosterView { bookings, waitlist })
    }

    pub fn standing(&self, body: &Value) -> Read<StandingView> {
        let mut booked = BTreeMap::new();
        let days = body.get("booked").and_then(Value::as_object).ok_or("booked")?;
        for (day, count) in days {
            let date: NaiveDate = day.parse().map_err(|_| format!("booked: {day}"))?;
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

    pub fn fee(&self, line: &Value) -> Read<FeeView> {
        Ok(FeeView {
            member: text(line, "member")?.to_owned(),
            booking: self.number(line, "booking")?,
            charged: text(line, "kind")? == "charged",
            reason: text(line, "reason")?.to_owned(),
            amount: money(line, "amount")?,
        })
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
];
