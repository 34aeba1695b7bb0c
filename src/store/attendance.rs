//! The roll: arrivals, walk-ins, and closing by hand.

use super::bookings::{Placed, booking};
use super::classes::{ClassView, class_view};
use super::directory::never_the_same;
use super::error::StoreError;
use super::{Answer, RETRIES_MAX, Store, Write};
use crate::domain::booking::Booking;
use crate::domain::ids::{BookingId, ClassId, ClubId, InstructorId, MemberId};
use crate::domain::search::of_phone;

/// Who stands at the desk or kiosk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    Member(MemberId),
    /// As `domain::phone::parse_phone` writes it.
    Phone(String),
}

impl Store {
    /// Records an arrival; repeated, it changes nothing. `instructor`: whose class it must be; none for the desk.
    pub async fn check_in(
        &self,
        write: &Write,
        id: &BookingId,
        instructor: Option<&InstructorId>,
    ) -> Result<Answer<Booking>, StoreError> {
        let args = [id.as_str(), instructor.map_or("", InstructorId::as_str)];
        Answer::of(self.write(write, "check_in", &args).await?, |reply| booking(&reply.record()?))
    }

    /// Takes an arrival back, with what it cost.
    pub async fn undo_check_in(
        &self,
        write: &Write,
        id: &BookingId,
        instructor: Option<&InstructorId>,
    ) -> Result<Answer<Booking>, StoreError> {
        let args = [id.as_str(), instructor.map_or("", InstructorId::as_str)];
        Answer::of(self.write(write, "undo_check_in", &args).await?, |reply| booking(&reply.record()?))
    }

    /// Books and checks in somebody who has come. `id`: the id the booking gets, if one is made.
    pub async fn walk_in(
        &self,
        write: &Write,
        class: &ClassId,
        member: &MemberId,
        id: &BookingId,
    ) -> Result<Answer<Placed>, StoreError> {
        let reply = self.write(write, "walk_in", &[class.as_str(), member.as_str(), id.as_str()]).await?;
        let created = reply.tag != "REPEATED";
        Answer::of(reply, |reply| Ok(Placed { booking: booking(&reply.record()?)?, created }))
    }

    /// Checks a member in to their class at this club.
    pub async fn desk_check_in(
        &self,
        write: &Write,
        club: &ClubId,
        arrival: &Arrival,
    ) -> Result<Answer<Booking>, StoreError> {
        let mut read_in = self.read_in(&write.org);
        for _ in 0..RETRIES_MAX {
            let (member, phone) = match arrival {
                Arrival::Member(id) => (id.as_str(), ""),
                Arrival::Phone(phone) => ("", phone.as_str()),
            };
            let (term, older) = of_phone(phone, read_in.country);
            let read = serde_json::json!({ "term": term.unwrap_or_default(), "older": older }).to_string();
            let revision = if phone.is_empty() { "" } else { read_in.revision.as_str() };
            let mut reply =
                self.write(write, "desk_check_in", &[club.as_str(), member, phone, revision, &read]).await?;
            if self.is_answered(&write.org, &mut read_in, &mut reply)? {
                return Answer::of(reply, |reply| booking(&reply.record()?));
            }
        }
        Err(never_the_same())
    }

    /// Closes a class whose roster nobody touched, with or without its no-shows.
    pub async fn close_class(
        &self,
        write: &Write,
        id: &ClassId,
        penalties: bool,
        reason: &str,
    ) -> Result<Answer<ClassView>, StoreError> {
        let penalties = if penalties { "1" } else { "" };
        Answer::of(self.write(write, "close_class", &[id.as_str(), penalties, reason]).await?, class_view)
    }
}
