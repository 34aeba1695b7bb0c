//! What is compared: the parts of an answer on which the model has an opinion, read from either side into the
//! same shapes. A booking's id is the service's own; both sides name bookings by the order of their making.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rollcall::domain::instant::Instant;

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
    Fee(FeeView),
    Series(SeriesView),
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
    /// Of a live place.
    pub present: Option<bool>,
    pub late: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ClassView {
    pub id: String,
    pub title: String,
    pub instructor: Option<String>,
    pub status: Stage,
    pub starts_at: Instant,
    pub ends_at: Instant,
    /// Opens, closes, cancel by, promote until, decide at; check-in opens, is due, closes.
    pub terms: [Instant; 8],
    pub capacity: u32,
    pub booked: u32,
    pub free: u32,
    pub waiting: u32,
    pub checked_in: u32,
    pub minimum: u32,
    pub needed: u32,
    pub revision: u64,
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
    pub bookings: Vec<RosterLine>,
    pub waitlist: Vec<RosterLine>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RosterLine {
    pub booking: BookingView,
    pub name: String,
    pub first_time: bool,
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
    /// Its place in the ledger.
    pub line: usize,
    pub member: String,
    pub booking: Number,
    pub charged: bool,
    pub reason: String,
    pub amount: u32,
    pub waives: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesView {
    pub id: String,
    pub active: bool,
    pub revision: u64,
    pub published: Vec<String>,
    pub changed: Vec<String>,
    pub cancelled: Vec<String>,
    pub left_alone: Vec<String>,
    pub published_until: Option<NaiveDate>,
}

impl StandingView {
    /// What is over by then is left out, from an old answer too.
    pub fn read_at(mut self, now: Instant, today: NaiveDate) -> StandingView {
        self.strikes.retain(|&(_, _, until)| until > now);
        self.booked.retain(|&date, _| date >= today);
        self.banned_until = self.banned_until.filter(|&until| until > now);
        self
    }
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
            "stale" => 412,
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
pub fn shows_payment(status: Status) -> bool {
    matches!(status, Status::Booked | Status::CheckedIn | Status::NoShow | Status::LateCancelled)
}

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
            present: booking.status.live().then_some(booking.present),
            late: booking.late,
        }
    }

    pub fn position(&self, number: Number) -> Option<u32> {
        let queue = self.queue(&self.bookings[number].class);
        queue.iter().position(|&n| n == number).map(|index| index as u32 + 1)
    }

    pub fn view_class(&self, id: &str, reader: Option<&str>) -> ClassView {
        let class = &self.classes[id];
        let t = &class.terms;
        let booked = self.count(id, |s| matches!(s, Status::Booked | Status::CheckedIn));
        let mine = reader.map(|member| Mine {
            place: self.live(id, member).map(|n| (n, self.bookings[n].status, self.position(n))),
            refused: self.can_book(id, member),
        });
        ClassView {
            id: id.to_owned(),
            title: class.title.clone(),
            instructor: class.instructor.clone(),
            status: class.stage,
            starts_at: class.starts_at,
            ends_at: class.ends_at(),
            terms: [
                t.opens_at,
                t.closes_at,
                t.cancel_by,
                t.promote_until,
                t.decide_at,
                t.check_in_opens,
                t.check_in_due,
                t.check_in_closes,
            ],
            capacity: class.capacity,
            booked,
            free: self.unheld(id) - self.reserved(id),
            waiting: self.queue(id).len() as u32,
            checked_in: self.count(id, |s| s == Status::CheckedIn),
            minimum: class.least(),
            needed: class.least().saturating_sub(booked),
            revision: class.revision,
            mine,
        }
    }

    pub fn view_roster(&self, id: &str) -> RosterView {
        let listed = |s: Status| s.holds() || s == Status::NoShow;
        let line = |number: Number| RosterLine {
            booking: self.view_booking(number),
            name: self.members.get(&self.bookings[number].member).map_or(String::new(), |m| m.profile.name.clone()),
            first_time: self.bookings[number].first_time,
        };
        RosterView {
            bookings: self.of_class(id).filter(|b| listed(b.status)).map(|b| line(b.number)).collect(),
            waitlist: self.queue(id).into_iter().map(line).collect(),
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

    pub fn standing(&self, id: &str) -> Body {
        self.view_standing(id).map_or(Body::Nothing, Body::Standing)
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
        (0..self.fees.len()).map(|line| self.view_fee(line)).collect()
    }

    pub fn view_fee(&self, line: usize) -> FeeView {
        let fee = &self.fees[line];
        FeeView {
            line,
            member: fee.member.clone(),
            booking: fee.booking,
            charged: fee.charged,
            reason: fee.reason.to_owned(),
            amount: fee.amount,
            waives: if fee.charged { None } else { self.line(fee.booking, true, fee.reason) },
        }
    }

    pub fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.policy.timezone).date_naive()
    }
}
