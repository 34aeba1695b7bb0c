//! Bookings: made, cancelled, accepted, listed.

use std::collections::HashMap;

use super::classes::class_alone;
use super::error::StoreError;
use super::reply::{Record, Reply, corrupt};
use super::{Answer, Page, Store, Write, next_cursor, split_cursor};
use crate::domain::booking::{Booking, BookingStatus, Money};
use crate::domain::class::Class;
use crate::domain::ids::{BookingId, ClassId, InstructorId, MemberId, OrgId};
use crate::domain::instant::{Instant, from_ms};
use crate::domain::invalid::FieldError;
use crate::domain::refusal::Refusal;

/// Calls that one page of a list makes at most; each looks at some dozens of bookings. A page that is not full then has
/// a cursor nevertheless.
const LOOKS_MAX: usize = 20;

/// How often a roster of several pages is read again because it changed in between. One that never holds still is
/// answered as it was seen.
const ROSTER_ATTEMPTS_MAX: u32 = 3;

/// A booking, and whether this call made it.
#[derive(Clone, Debug)]
pub struct Placed {
    pub booking: Booking,
    pub created: bool,
}

/// A request for a place in a class.
#[derive(Clone, Debug)]
pub struct Book<'a> {
    pub class: &'a ClassId,
    pub member: &'a MemberId,
    /// The id the booking gets, if one is made.
    pub id: &'a BookingId,
    /// Whether a place on the waitlist will do.
    pub waitlist: bool,
    /// Whether the desk asks, for somebody.
    pub desk: bool,
}

/// How the desk wants a cancel charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// As the rules say.
    ByTheRules,
    Always,
    Never,
}

/// What cancelling now would cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelPreview {
    /// `free`, `charged` or `refused`.
    pub outcome: String,
    pub fee: Option<Money>,
    pub clip: bool,
    pub strike: bool,
    pub free_until: Instant,
}

/// Which of a member's bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Upcoming,
    Past,
    All,
}

/// A booking as the roster shows it.
#[derive(Clone, Debug)]
pub struct RosterEntry {
    pub booking: Booking,
    /// Whether it was the member's first class ever; known at check-in.
    pub first_time: bool,
    /// Empty where the member was erased.
    pub name: String,
}

/// Who has a spot and who waits.
#[derive(Clone, Debug)]
pub struct Roster {
    pub class: Class,
    pub bookings: Vec<RosterEntry>,
    pub waitlist: Vec<RosterEntry>,
}

impl Store {
    /// Puts a member on the roster, or on the waitlist. A live booking is answered as it is.
    pub async fn book(&self, write: &Write, book: &Book<'_>) -> Result<Answer<Placed>, StoreError> {
        let flag = |flag: bool| if flag { "1" } else { "" };
        let Book { class, member, id, waitlist, desk } = book;
        let args = [class.as_str(), member.as_str(), id.as_str(), flag(*waitlist), flag(*desk)];
        let reply = self.write(write, "book", &args).await?;
        let created = reply.tag != "REPEATED";
        Answer::of(reply, |reply| Ok(Placed { booking: booking(&reply.record()?)?, created }))
    }

    /// Cancels, leaves the waitlist or declines. `owner`: whose booking it must be; none for the desk.
    pub async fn cancel(
        &self,
        write: &Write,
        id: &BookingId,
        owner: Option<&MemberId>,
        charge: Charge,
        reason: &str,
    ) -> Result<Answer<Booking>, StoreError> {
        let charge = match charge {
            Charge::ByTheRules => "",
            Charge::Always => "1",
            Charge::Never => "0",
        };
        let args = [id.as_str(), owner.map_or("", MemberId::as_str), charge, reason];
        Answer::of(self.write(write, "cancel", &args).await?, |reply| booking(&reply.record()?))
    }

    pub async fn accept(&self, write: &Write, id: &BookingId, owner: &MemberId) -> Result<Answer<Booking>, StoreError> {
        let reply = self.write(write, "accept", &[id.as_str(), owner.as_str()]).await?;
        Answer::of(reply, |reply| booking(&reply.record()?))
    }

    /// Takes back what a no-show or late cancel cost; excused again, it changes nothing.
    pub async fn excuse(&self, write: &Write, id: &BookingId, reason: &str) -> Result<Answer<Booking>, StoreError> {
        Answer::of(self.write(write, "excuse", &[id.as_str(), reason]).await?, |reply| booking(&reply.record()?))
    }

    pub async fn cancel_preview(
        &self,
        org: &OrgId,
        id: &BookingId,
        owner: Option<&MemberId>,
    ) -> Result<Answer<CancelPreview>, StoreError> {
        let reply = self.read(org, "preview_cancel", &[id.as_str(), owner.map_or("", MemberId::as_str)]).await?;
        Answer::of(reply, |reply| {
            let outcome = reply.text()?;
            let (amount, currency) = (reply.optional()?, reply.text()?);
            let amount = amount.map(|amount| amount.parse().map_err(corrupt)).transpose()?;
            let (clip, strike) = (reply.optional()?.is_some(), reply.optional()?.is_some());
            let until = reply.text()?.parse().ok().and_then(from_ms);
            let free_until = until.ok_or_else(|| corrupt("free_until"))?;
            Ok(CancelPreview {
                outcome,
                fee: amount.map(|amount| Money { amount, currency }),
                clip,
                strike,
                free_until,
            })
        })
    }

    pub async fn booking(
        &self,
        org: &OrgId,
        id: &BookingId,
        owner: Option<&MemberId>,
    ) -> Result<Answer<Booking>, StoreError> {
        let reply = self.read(org, "read_booking", &[id.as_str(), owner.map_or("", MemberId::as_str)]).await?;
        Answer::of(reply, |reply| booking(&reply.record()?))
    }

    /// A member's bookings; `after` is a cursor of an earlier page.
    pub async fn bookings(
        &self,
        org: &OrgId,
        member: &MemberId,
        when: When,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Answer<Page<Booking>>, StoreError> {
        let when = match when {
            When::Upcoming => "upcoming",
            When::Past => "past",
            When::All => "",
        };
        let readable = split_cursor(after).is_some();
        let mut next = after.filter(|_| readable).map(str::to_owned);
        let (mut items, mut first) = (Vec::new(), None);
        for _ in 0..LOOKS_MAX {
            let (score, id) = split_cursor(next.as_deref()).unwrap_or_default();
            let left = (limit as usize - items.len()).to_string();
            let reply = self.read(org, "list_bookings", &[member.as_str(), when, &left, score, id]).await?;
            if !readable {
                return Ok(Answer::refused(&reply, unreadable_cursor()));
            }
            let (cursor, zone) = first.get_or_insert_with(|| (reply.cursor.clone(), reply.zone)).clone();
            let page = Answer::of(reply, |reply| {
                let next = next_cursor(reply)?;
                while !reply.is_empty() {
                    items.push(booking(&reply.record()?)?);
                }
                Ok(next)
            })?;
            match page.outcome {
                Ok(following) => next = following,
                Err(refusal) => return Ok(Answer { outcome: Err(refusal), cursor, zone }),
            }
            if next.is_none() || items.len() >= limit as usize {
                break;
            }
        }
        let (cursor, zone) = first.unwrap_or_default();
        Ok(Answer { outcome: Ok(Page { items, next }), cursor, zone })
    }

    /// `instructor`: who must be the class's; none for the desk.
    pub async fn roster(
        &self,
        org: &OrgId,
        class: &ClassId,
        instructor: Option<&InstructorId>,
    ) -> Result<Answer<Roster>, StoreError> {
        let instructor = instructor.map_or("", InstructorId::as_str);
        let (mut read, mut version, mut attempts) = (Stitched::default(), None, 0);
        let mut skip = "0".to_owned();
        loop {
            let reply = self.read(org, "read_roster", &[class.as_str(), instructor, &skip]).await?;
            let Answer { outcome, cursor, zone } = Answer::of(reply, roster_page)?;
            let page = match outcome {
                Ok(page) => page,
                Err(refusal) => return Ok(Answer { outcome: Err(refusal), cursor, zone }),
            };
            // Something happened to the class in between: its pages do not fit together.
            if version.get_or_insert_with(|| page.version.clone()) != &page.version && attempts < ROSTER_ATTEMPTS_MAX {
                attempts += 1;
                (read, version, skip) = (Stitched::default(), None, "0".to_owned());
                continue;
            }
            read.extend(page.entries);
            match page.next {
                Some(next) => skip = next,
                None => return Ok(Answer { outcome: Ok(stitched(page.class, read)), cursor, zone }),
            }
        }
    }
}

/// A cursor that no page ever gave.
pub(super) fn unreadable_cursor() -> Refusal {
    Refusal::Invalid(vec![FieldError::new("/cursor", "is not a cursor of this list")])
}

/// Some entries of a roster, by booking, each with its ticket.
type Stitched = HashMap<BookingId, (u64, RosterEntry)>;

struct RosterPage {
    class: Class,
    /// Changes with every event of the class.
    version: String,
    next: Option<String>,
    entries: Stitched,
}

fn roster_page(reply: &mut Reply) -> Result<RosterPage, StoreError> {
    let (class, version, next) = (class_alone(reply)?, reply.text()?, reply.optional()?);
    let mut entries = HashMap::new();
    while !reply.is_empty() {
        let mut entry = reply.nested()?;
        let (ticket, record) = (entry.text()?.parse().map_err(corrupt)?, entry.record()?);
        let first_time = record.flag("first_time");
        let entry = RosterEntry { booking: booking(&record)?, first_time, name: entry.text()? };
        entries.insert(entry.booking.id.clone(), (ticket, entry));
    }
    Ok(RosterPage { class, version, next, entries })
}

/// No-shows come first, then members with a spot or an offer, each in the order of tickets; so do those who wait.
fn stitched(class: Class, read: Stitched) -> Roster {
    let mut entries: Vec<(u64, RosterEntry)> = read.into_values().collect();
    entries.sort_by_key(|(ticket, entry)| (entry.booking.status != BookingStatus::NoShow, *ticket));
    let entries = entries.into_iter().map(|(_ticket, entry)| entry);
    let (mut waitlist, bookings): (Vec<_>, Vec<_>) =
        entries.partition(|entry| entry.booking.status == BookingStatus::Waitlisted);
    for (place, entry) in (1..).zip(&mut waitlist) {
        entry.booking.position = Some(place);
    }
    Roster { class, bookings, waitlist }
}

pub(super) fn booking(record: &Record) -> Result<Booking, StoreError> {
    let amount: Option<i64> = record.optional("fee")?;
    let money = |amount| {
        let currency = record.required("currency")?.to_owned();
        Ok::<_, StoreError>(Money { amount, currency })
    };
    Ok(Booking {
        id: record.parse("id")?,
        class: record.parse("class")?,
        member: record.parse("member")?,
        status: record.parse("status")?,
        position: record.optional("position")?,
        offer_expires_at: record.instant("offer_expires_at")?.filter(|_| record.get("status") == Some("offered")),
        paid_with: record.parse("paid_with")?,
        late: record.flag("late"),
        present: record.flag("present"),
        fee: amount.filter(|&amount| amount != 0).map(money).transpose()?,
        created_at: record.instant_of("created_at")?,
        updated_at: record.instant_of("updated_at")?,
    })
}
