//! The roll: arrivals, walk-ins, and closing by hand.

use super::bookings::{Placed, booking};
use super::classes::{ClassView, class_view};
use super::directory::never_the_same;
use super::error::StoreError;
use super::reply::{Reply, corrupt};
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

/// What an arrival at the desk or kiosk came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    CheckedIn(Booking),
    /// Nobody was checked in: it may be any of these, who could be now.
    Choices(Vec<MemberId>),
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

    /// Checks a member in to their class at this club. `choose`: where several members share the phone and more than one
    /// could be meant, nobody is checked in, and the answer says who they are.
    pub async fn desk_check_in(
        &self,
        write: &Write,
        club: &ClubId,
        arrival: &Arrival,
        choose: bool,
    ) -> Result<Answer<Arrived>, StoreError> {
        let mut read_in = self.read_in(&write.org);
        let choose = if choose { "1" } else { "" };
        for _ in 0..RETRIES_MAX {
            let (member, phone) = match arrival {
                Arrival::Member(id) => (id.as_str(), ""),
                Arrival::Phone(phone) => ("", phone.as_str()),
            };
            let (term, older) = of_phone(phone, read_in.country);
            let read = serde_json::json!({ "term": term.unwrap_or_default(), "older": older }).to_string();
            let revision = if phone.is_empty() { "" } else { read_in.revision.as_str() };
            let args = [club.as_str(), member, phone, revision, &read, choose];
            let mut reply = self.write(write, "desk_check_in", &args).await?;
            if self.is_answered(&write.org, &mut read_in, &mut reply)? {
                let in_doubt = reply.tag == "CHOICES";
                return Answer::of(reply, |reply| match in_doubt {
                    true => choices(reply),
                    false => Ok(Arrived::CheckedIn(booking(&reply.record()?)?)),
                });
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

fn choices(reply: &mut Reply) -> Result<Arrived, StoreError> {
    let mut members = Vec::new();
    while !reply.is_empty() {
        members.push(MemberId::parse(&reply.text()?).map_err(corrupt)?);
    }
    Ok(Arrived::Choices(members))
}
