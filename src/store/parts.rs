//! Parts of live documents: what sockets show, read together with its version and epoch, in steps of bounded size.
//!
//! A *version* is an organisation's change number. What the stream has after it is exactly what the parts lack, so
//! whoever reads parts and then follows the stream misses nothing and hears nothing twice. The *epoch* changes
//! whenever acknowledged events may have been lost; versions of different epochs must not be compared.

mod gathering;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::bookings::booking;
use super::error::StoreError;
use super::reply::{Record, Reply, corrupt};
use crate::domain::booking::Booking;
use crate::domain::class::{ClassStatus, Instructor};
use crate::domain::ids::{BookingId, ClassId, ClubId, MemberId};
use crate::domain::instant::Instant;
use crate::domain::standing::Standing;

/// Parts asked for in one call. How much it looks at has a bound of its own, in `read_parts.lua`.
pub const PARTS_MAX: usize = 64;

/// No zone is further from Greenwich.
const ZONE_OFFSET_MS_MAX: i64 = 14 * 3_600_000;
const DAY_MS: i64 = 24 * 3_600_000;

/// What can be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PartName {
    /// A class as everybody sees it.
    Face(ClassId),
    /// The classes of a club on a local date.
    Day(ClubId, NaiveDate),
    /// A class, who has a spot and who waits.
    Roster(ClassId),
    /// A booking as the roster lists it; none when it is listed no more.
    Entry(BookingId),
    /// A member's bookings and standing; none for a member who is unknown or erased.
    Me(MemberId),
    /// A booking as its member sees it; none when it is neither ahead nor of the last week.
    Mine(BookingId),
    Standing(MemberId),
}

/// What was read.
#[derive(Clone, Debug)]
pub enum Part {
    Face(Face),
    Day(NaiveDate, Vec<Face>),
    Roster {
        face: Face,
        lines: Vec<Listed>,
        /// Everyone's places, in order, at the moment's version.
        queue: Vec<BookingId>,
    },
    Entry(Listed),
    Me(Standing, Vec<Mine>),
    Mine(Mine),
    Standing(Standing),
}

/// A class as everybody sees it.
#[derive(Clone, Debug)]
pub struct Face {
    pub id: ClassId,
    pub club: ClubId,
    /// The local day it belongs to.
    pub date: NaiveDate,
    pub title: String,
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
    pub needed: u32,
    pub revision: u64,
}

/// A booking on the roster or the waitlist.
#[derive(Clone, Debug)]
pub struct Listed {
    pub booking: Booking,
    pub first_time: bool,
    /// Empty where the member was erased.
    pub name: String,
}

/// A member's booking with what they want to know of its class.
#[derive(Clone, Debug)]
pub struct Mine {
    pub booking: Booking,
    pub title: String,
    pub club: ClubId,
    pub date: NaiveDate,
    pub starts_at: Instant,
    pub ends_at: Instant,
    /// While it waits: everyone's places, in order.
    pub queue: Vec<BookingId>,
    /// At which it and its queue were read: the moment's, or a later one.
    pub version: u64,
}

/// Parts, and the moment they are of.
#[derive(Clone, Debug)]
pub struct Moment {
    pub epoch: String,
    /// The id of the last event, and its number.
    pub cursor: String,
    pub version: u64,
    pub zone: Tz,
    /// In the order they were asked for.
    pub parts: Vec<Option<Part>>,
}

impl PartName {
    fn words(&self) -> (&'static str, String) {
        match self {
            PartName::Face(id) => ("face", id.to_string()),
            PartName::Day(club, date) => {
                let midnight = date.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
                let (from, to) = (midnight - ZONE_OFFSET_MS_MAX, midnight + DAY_MS + ZONE_OFFSET_MS_MAX);
                ("day", format!("{club} {date} {from} {to}"))
            }
            PartName::Roster(id) => ("roster", id.to_string()),
            PartName::Entry(id) => ("entry", id.to_string()),
            PartName::Me(id) => ("me", id.to_string()),
            PartName::Mine(id) => ("mine", id.to_string()),
            PartName::Standing(id) => ("standing", format!("{id}  ")),
        }
    }
}

fn ids(mut list: Reply) -> Result<Vec<BookingId>, StoreError> {
    let mut ids = Vec::new();
    while !list.is_empty() {
        ids.push(list.text()?.parse().map_err(corrupt)?);
    }
    Ok(ids)
}

fn face(record: &Record) -> Result<Face, StoreError> {
    let capacity: u32 = record.parse("capacity")?;
    let booked: u32 = record.parse("booked")?;
    let held = record.parse::<u32>("offered")? + record.parse::<u32>("reserved")?;
    let minimum = record.optional::<u32>("minimum")?.unwrap_or(0).min(capacity);
    let name = || record.get("instructor_name").unwrap_or_default().to_owned();
    let instructor = record.optional("instructor")?.map(|id| Instructor { id, name: name() });
    Ok(Face {
        id: record.parse("id")?,
        club: record.parse("club")?,
        date: record.date("date")?.ok_or_else(|| corrupt("field date is missing"))?,
        title: record.required("title")?.to_owned(),
        room: record.get("room").map(str::to_owned),
        instructor,
        starts_at: record.instant_of("starts")?,
        ends_at: record.instant_of("ends")?,
        status: record.parse("status")?,
        capacity,
        booked,
        free: capacity.saturating_sub(booked + held),
        waiting: record.parse("waiting")?,
        checked_in: record.parse("checked_in")?,
        needed: minimum.saturating_sub(booked),
        revision: record.parse("revision")?,
    })
}

fn listed(reply: &mut Reply) -> Result<Listed, StoreError> {
    let record = reply.record()?;
    Ok(Listed { booking: booking(&record)?, first_time: record.flag("first_time"), name: reply.text()? })
}

fn mine(reply: &mut Reply, version: u64) -> Result<Mine, StoreError> {
    let booking = booking(&reply.record()?)?;
    let (class, queue) = (reply.record()?, ids(reply.nested()?)?);
    Ok(Mine {
        booking,
        title: class.required("title")?.to_owned(),
        club: class.parse("club")?,
        date: class.date("date")?.ok_or_else(|| corrupt("field date is missing"))?,
        starts_at: class.instant_of("starts")?,
        ends_at: class.instant_of("ends")?,
        queue,
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_looked_for_in_every_zone() {
        let date = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        let (kind, name) = PartName::Day("main".parse().unwrap(), date).words();
        let words: Vec<&str> = name.split(' ').collect();
        assert_eq!((kind, words[0], words[1]), ("day", "main", "2026-03-02"));
        let (from, to): (i64, i64) = (words[2].parse().unwrap(), words[3].parse().unwrap());
        assert_eq!(to - from, DAY_MS + 2 * ZONE_OFFSET_MS_MAX);
    }
}
