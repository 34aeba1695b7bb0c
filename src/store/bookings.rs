//! Bookings: made, cancelled, accepted, listed.

use super::classes::class_alone;
use super::error::StoreError;
use super::reply::{Record, Reply, corrupt};
use super::{Answer, Page, Store, Write, next_cursor, split_cursor};
use crate::domain::booking::{Booking, Money};
use crate::domain::class::Class;
use crate::domain::ids::{BookingId, ClassId, InstructorId, MemberId, OrgId};
use crate::domain::instant::{Instant, from_ms};
use crate::domain::invalid::FieldError;
use crate::domain::refusal::Refusal;

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
        let cursor = split_cursor(after);
        let (score, id) = cursor.unwrap_or_default();
        let limit = limit.to_string();
        let reply = self.read(org, "list_bookings", &[member.as_str(), when, &limit, score, id]).await?;
        if cursor.is_none() {
            return Ok(Answer::refused(&reply, unreadable_cursor()));
        }
        Answer::of(reply, |reply| {
            let next = next_cursor(reply)?;
            let mut items = Vec::new();
            while !reply.is_empty() {
                items.push(booking(&reply.record()?)?);
            }
            Ok(Page { items, next })
        })
    }

    /// `instructor`: who must be the class's; none for the desk.
    pub async fn roster(
        &self,
        org: &OrgId,
        class: &ClassId,
        instructor: Option<&InstructorId>,
    ) -> Result<Answer<Roster>, StoreError> {
        let args = [class.as_str(), instructor.map_or("", InstructorId::as_str)];
        Answer::of(self.read(org, "read_roster", &args).await?, |reply| {
            let class = class_alone(reply)?;
            Ok(Roster { class, bookings: entries(reply.nested()?)?, waitlist: entries(reply.nested()?)? })
        })
    }
}

/// A cursor that no page ever gave.
pub(super) fn unreadable_cursor() -> Refusal {
    Refusal::Invalid(vec![FieldError::new("/cursor", "is not a cursor of this list")])
}

fn entries(mut list: Reply) -> Result<Vec<RosterEntry>, StoreError> {
    let mut entries = Vec::new();
    while !list.is_empty() {
        let mut entry = list.nested()?;
        let record = entry.record()?;
        let first_time = record.flag("first_time");
        entries.push(RosterEntry { booking: booking(&record)?, first_time, name: entry.text()? });
    }
    Ok(entries)
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
