//! What the classes of a span came to, from the counters kept with each.

use super::error::StoreError;
use super::reply::Record;
use super::{Answer, Store, next_cursor, split_cursor};
use crate::domain::class::{ClassStatus, Instructor};
use crate::domain::ids::{ClassId, ClubId, OrgId};
use crate::domain::instant::Instant;

/// One class in numbers.
#[derive(Clone, Debug)]
pub struct ClassCounts {
    pub id: ClassId,
    pub title: String,
    pub club: ClubId,
    pub instructor: Option<Instructor>,
    pub starts_at: Instant,
    pub status: ClassStatus,
    pub capacity: u32,
    /// On the roster now: booked and checked in.
    pub booked: u32,
    pub checked_in: u32,
    pub no_shows: u32,
    pub late_cancels: u32,
    /// Places ever taken on the waitlist.
    pub queued: u32,
    /// Of these, promoted.
    pub promoted: u32,
    /// From joining to promotion, added up.
    pub promoted_ms: u64,
}

impl Store {
    /// Every class that starts in `[from, to)`, by start, then id.
    pub async fn report(
        &self,
        org: &OrgId,
        from: Instant,
        to: Instant,
    ) -> Result<Answer<Vec<ClassCounts>>, StoreError> {
        let (from, to) = (from.timestamp_millis().to_string(), to.timestamp_millis().to_string());
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let (start, id) = split_cursor(after.as_deref()).unwrap_or_default();
            let reply = self.read(org, "read_report", &[&from, &to, start, id]).await?;
            let page = Answer::of(reply, |reply| {
                let next = next_cursor(reply)?;
                while !reply.is_empty() {
                    found.push(counts(&reply.text()?, &reply.record()?)?);
                }
                Ok(next)
            })?;
            match page.outcome {
                Ok(Some(next)) => after = Some(next),
                Ok(None) => return Ok(Answer { outcome: Ok(found), cursor: page.cursor, zone: page.zone }),
                Err(refusal) => return Ok(Answer { outcome: Err(refusal), cursor: page.cursor, zone: page.zone }),
            }
        }
    }
}

fn counts(id: &str, record: &Record) -> Result<ClassCounts, StoreError> {
    let count = |name| Ok::<u32, StoreError>(record.optional(name)?.unwrap_or(0));
    let name = record.get("instructor_name").unwrap_or_default().to_owned();
    Ok(ClassCounts {
        id: id.parse().map_err(super::reply::corrupt)?,
        title: record.required("title")?.to_owned(),
        club: record.parse("club")?,
        instructor: record.optional("instructor")?.map(|id| Instructor { id, name }),
        starts_at: record.instant_of("starts")?,
        status: record.parse("status")?,
        capacity: record.parse("capacity")?,
        booked: record.parse("booked")?,
        checked_in: record.parse("checked_in")?,
        no_shows: count("no_shows")?,
        late_cancels: count("late_cancels")?,
        queued: count("queued")?,
        promoted: count("promoted")?,
        promoted_ms: record.optional("promoted_ms")?.unwrap_or(0),
    })
}
