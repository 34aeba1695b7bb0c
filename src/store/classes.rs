//! Classes: published, changed, cancelled, listed; and what each means to one member.

use uuid::Uuid;

use super::bookings::{booking, unreadable_cursor};
use super::error::StoreError;
use super::reply::{Record, Reply, corrupt};
use super::{Answer, Page, RETRIES_MAX, Store, Write, split_cursor};
use crate::domain::booking::Booking;
use crate::domain::class::{Class, ClassChange, ClassStatus, Instructor, NewClass};
use crate::domain::ids::{ClassId, ClubId, InstructorId, MemberId, OrgId};
use crate::domain::instant::Instant;
use crate::domain::invalid::under;
use crate::domain::refusal::Refusal;
use crate::domain::terms::Terms;

/// A class, and for a member what it means to them.
#[derive(Clone, Debug)]
pub struct ClassView {
    pub class: Class,
    /// The member's live booking.
    pub me: Option<Booking>,
    /// Why the member may not book; `Some(None)`: they may; `None`: nobody asked.
    pub barred: Option<Option<Refusal>>,
}

/// Which classes a listing shows.
#[derive(Clone, Debug, Default)]
pub struct ClassQuery {
    pub club: Option<ClubId>,
    pub category: Option<String>,
    pub instructor: Option<InstructorId>,
    /// Earliest start.
    pub from: Option<Instant>,
    /// Starts before this.
    pub to: Option<Instant>,
    pub limit: u32,
    pub cursor: Option<String>,
    /// Whose bookings and rights to show.
    pub member: Option<MemberId>,
}

/// Calls that one page of the timetable may take: each shows some fifty classes, or looks at a hundred.
const LOOKS_MAX: u32 = 4;

pub(super) type Pairs = Vec<(&'static str, String)>;

impl Store {
    /// Publishes a class with the terms that the policy gives it now.
    pub async fn publish_class(&self, write: &Write, new: &NewClass) -> Result<Answer<ClassView>, StoreError> {
        let id = new.id.clone().map_or_else(fresh_id, Ok)?;
        for _ in 0..RETRIES_MAX {
            let Answer { outcome, cursor, zone } = self.org(&write.org).await?;
            let org = match outcome {
                Ok(settings) => settings.org,
                Err(refusal) => return Ok(Answer { outcome: Err(refusal), cursor, zone }),
            };
            let policy =
                match new.policy.as_ref().map_or_else(|| Ok(org.policy.clone()), |patch| org.policy.patched(patch)) {
                    Ok(policy) => policy,
                    Err(errors) => {
                        return self.unpublishable(write, &id, Refusal::Invalid(under("policy", errors))).await;
                    }
                };
            let revision = org.revision.to_string();
            let terms = Terms::of(&policy, new.starts_at, new.minutes);
            let pairs = new_class_fields(new, &terms);
            let mut args = vec![id.as_str(), &revision];
            args.extend(flat(&pairs));
            let reply = self.write(write, "publish_class", &args).await?;
            if reply.tag != "RETRY" {
                return Answer::of(reply, class_view);
            }
        }
        Err(StoreError::Unavailable("the policy keeps changing".to_owned()))
    }

    /// A class that the policy of the moment does not allow. A call that was carried out before, under another policy,
    /// still gets its own reply: it is asked for with a revision that no organisation has.
    async fn unpublishable(
        &self,
        write: &Write,
        id: &ClassId,
        refusal: Refusal,
    ) -> Result<Answer<ClassView>, StoreError> {
        let reply = self.write(write, "publish_class", &[id.as_str(), "0"]).await?;
        if reply.tag == "RETRY" { Ok(Answer::refused(&reply, refusal)) } else { Answer::of(reply, class_view) }
    }

    /// Changes a class. A new time gives new instants, by the durations the class was published with.
    pub async fn change_class(
        &self,
        write: &Write,
        id: &ClassId,
        change: &ClassChange,
        if_match: Option<u64>,
    ) -> Result<Answer<ClassView>, StoreError> {
        let expected = if_match.map(|revision| revision.to_string()).unwrap_or_default();
        for _ in 0..RETRIES_MAX {
            let mut seen = self.read(&write.org, "read_class", &[id.as_str(), ""]).await?;
            if seen.tag == "REFUSED" {
                return Answer::of(seen, class_view);
            }
            let _id = seen.text()?;
            let record = seen.record()?;
            let revision = record.required("revision")?;
            let pairs = changed_fields(&record, change)?;
            let mut args = vec![id.as_str(), revision, &expected];
            args.extend(flat(&pairs));
            let reply = self.write(write, "change_class", &args).await?;
            if reply.tag != "RETRY" {
                return Answer::of(reply, class_view);
            }
        }
        Err(StoreError::Unavailable("the class keeps changing".to_owned()))
    }

    /// The club cancels; repeated, it changes nothing.
    pub async fn cancel_class(
        &self,
        write: &Write,
        id: &ClassId,
        reason: &str,
    ) -> Result<Answer<ClassView>, StoreError> {
        Answer::of(self.write(write, "cancel_class", &[id.as_str(), reason]).await?, class_view)
    }

    pub async fn class(
        &self,
        org: &OrgId,
        id: &ClassId,
        member: Option<&MemberId>,
    ) -> Result<Answer<ClassView>, StoreError> {
        let args = [id.as_str(), member.map_or("", MemberId::as_str)];
        Answer::of(self.read(org, "read_class", &args).await?, class_view)
    }

    /// The timetable by start, then id.
    pub async fn classes(&self, org: &OrgId, query: &ClassQuery) -> Result<Answer<Page<ClassView>>, StoreError> {
        let cursor = split_cursor(query.cursor.as_deref());
        let (after, after_id) = cursor.unwrap_or_default();
        let ms = |at: Option<Instant>| at.map(|at| at.timestamp_millis().to_string()).unwrap_or_default();
        let (from, to) = (ms(query.from), ms(query.to));
        let (mut after, mut after_id) = (after.to_owned(), after_id.to_owned());
        let (mut items, mut looks) = (Vec::new(), 0);
        loop {
            let limit = (query.limit as usize - items.len()).to_string();
            let args = [
                query.club.as_ref().map_or("", ClubId::as_str),
                query.category.as_deref().unwrap_or(""),
                query.instructor.as_ref().map_or("", InstructorId::as_str),
                &from,
                &to,
                &limit,
                &after,
                &after_id,
                query.member.as_ref().map_or("", MemberId::as_str),
            ];
            let mut reply = self.read(org, "list_classes", &args).await?;
            if cursor.is_none() {
                return Ok(Answer::refused(&reply, unreadable_cursor()));
            }
            if reply.tag == "REFUSED" {
                return Answer::of(reply, |_| Err(corrupt("a refusal")));
            }
            let (start, id) = (reply.text()?, reply.text()?);
            while !reply.is_empty() {
                items.push(class_view(&mut reply.nested()?)?);
            }
            looks += 1;
            let done = start.is_empty() || items.len() >= query.limit as usize || looks == LOOKS_MAX;
            (after, after_id) = (start, id);
            if done {
                let next = (!after.is_empty()).then(|| format!("{after}:{after_id}"));
                return Answer::of(reply, |_| Ok(Page { items, next }));
            }
        }
    }
}

fn fresh_id() -> Result<ClassId, StoreError> {
    Uuid::now_v7().to_string().parse().map_err(corrupt)
}

pub(super) fn flat(pairs: &Pairs) -> impl Iterator<Item = &str> {
    pairs.iter().flat_map(|(name, value)| [*name, value.as_str()])
}

pub(super) fn number<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

pub(super) fn new_class_fields(new: &NewClass, terms: &Terms) -> Pairs {
    let (instructor, name) = instructor_fields(new.instructor.as_ref());
    let mut pairs = terms.to_fields();
    pairs.extend([
        ("club", new.club.to_string()),
        ("title", new.title.clone()),
        ("category", new.category.clone().unwrap_or_default()),
        ("room", new.room.clone().unwrap_or_default()),
        ("instructor", instructor),
        ("instructor_name", name),
        ("minutes", new.minutes.to_string()),
        ("capacity", new.capacity.to_string()),
        ("minimum", new.minimum.unwrap_or(terms.policy.attendance.minimum).to_string()),
        ("minimum_given", number(new.minimum)),
        ("min_age", number(new.min_age)),
        ("override", new.policy.as_ref().map(ToString::to_string).unwrap_or_default()),
    ]);
    pairs
}

pub(super) fn instructor_fields(instructor: Option<&Instructor>) -> (String, String) {
    instructor.map(|i| (i.id.to_string(), i.name.clone())).unwrap_or_default()
}

/// The fields that the change makes different from what is stored.
fn changed_fields(stored: &Record, change: &ClassChange) -> Result<Pairs, StoreError> {
    let mut pairs: Pairs = Vec::new();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    pairs.extend(change.title.as_ref().map(|title| ("title", title.clone())));
    pairs.extend(change.category.as_ref().map(|category| ("category", text(category))));
    pairs.extend(change.room.as_ref().map(|room| ("room", text(room))));
    if let Some(instructor) = &change.instructor {
        let (id, name) = instructor_fields(instructor.as_ref());
        pairs.extend([("instructor", id), ("instructor_name", name)]);
    }
    pairs.extend(change.capacity.map(|capacity| ("capacity", capacity.to_string())));
    let terms = Terms::from_fields(|name| Some(stored.raw(name).unwrap_or_default())).map_err(corrupt)?;
    if let Some(minimum) = change.minimum {
        let effective = minimum.unwrap_or(terms.policy.attendance.minimum);
        pairs.extend([("minimum_given", number(minimum)), ("minimum", effective.to_string())]);
    }
    if change.starts_at.is_some() || change.minutes.is_some() {
        let minutes = change.minutes.map_or_else(|| stored.parse("minutes"), Ok)?;
        pairs.push(("minutes", minutes.to_string()));
        pairs.extend(terms.moved(change.starts_at.unwrap_or(terms.starts_at), minutes).to_fields());
    }
    pairs.retain(|(name, value)| stored.raw(name).unwrap_or_default() != value);
    Ok(pairs)
}

/// The terms of a class not yet open, by another policy: the fields that differ.
pub(super) fn reterm(stored: &Record, terms: &Terms) -> Pairs {
    let mut pairs = terms.to_fields();
    if stored.get("minimum_given").is_none() {
        pairs.push(("minimum", terms.policy.attendance.minimum.to_string()));
    }
    pairs.retain(|(name, value)| stored.raw(name).unwrap_or_default() != value);
    pairs
}

/// `<id> <class>`.
pub(super) fn class_alone(reply: &mut Reply) -> Result<Class, StoreError> {
    let (id, record) = (reply.text()?, reply.record()?);
    class(&id, &record)
}

/// `<id> <class> [<me> <can>]`, as every reply with a class has it.
pub(super) fn class_view(reply: &mut Reply) -> Result<ClassView, StoreError> {
    let class = class_alone(reply)?;
    if reply.is_empty() {
        return Ok(ClassView { class, me: None, barred: None });
    }
    let (me, can) = (reply.record()?, reply.record()?);
    let me = if me.is_empty() { None } else { Some(booking(&me)?) };
    let barred = if can.is_empty() { None } else { Some(barred(&can)?) };
    Ok(ClassView { class, me, barred })
}

fn barred(can: &Record) -> Result<Option<Refusal>, StoreError> {
    let refusal = |code| Refusal::of(code, can.get("until")).ok_or_else(|| corrupt(format!("refusal {code}")));
    can.get("code").map(refusal).transpose()
}

fn class(id: &str, record: &Record) -> Result<Class, StoreError> {
    let capacity: u32 = record.parse("capacity")?;
    let booked: u32 = record.parse("booked")?;
    let held: u32 = record.parse::<u32>("offered")? + record.parse::<u32>("reserved")?;
    let minimum: u32 = record.parse::<u32>("minimum")?.min(capacity);
    let instructor = match (record.optional("instructor")?, record.get("instructor_name")) {
        (Some(id), name) => Some(Instructor { id, name: name.unwrap_or_default().to_owned() }),
        (None, _) => None,
    };
    let status: ClassStatus = record.parse("status")?;
    Ok(Class {
        id: id.parse().map_err(corrupt)?,
        club: record.parse("club")?,
        title: record.required("title")?.to_owned(),
        category: record.get("category").map(str::to_owned),
        room: record.get("room").map(str::to_owned),
        instructor,
        starts_at: record.instant_of("starts")?,
        ends_at: record.instant_of("ends")?,
        status,
        capacity,
        booked,
        free: capacity.saturating_sub(booked + held),
        waiting: record.parse("waiting")?,
        checked_in: record.parse("checked_in")?,
        minimum,
        needed: minimum.saturating_sub(booked),
        min_age: record.optional("min_age")?,
        terms: Terms::from_fields(|name| Some(record.raw(name).unwrap_or_default())).map_err(corrupt)?,
        revision: record.parse("revision")?,
    })
}
