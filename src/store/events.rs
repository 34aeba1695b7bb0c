//! The event stream and the history of a class, line by line.

use serde::Deserialize;
use serde_json::Value;

use super::bookings::unreadable_cursor;
use super::error::StoreError;
use super::reply::corrupt;
use super::{Answer, Page, Store};
use crate::domain::caller::By;
use crate::domain::event::Event;
use crate::domain::ids::{ClassId, OrgId};
use crate::domain::instant::from_ms;

/// What comes after a cursor.
#[derive(Clone, Debug)]
pub enum EventsAfter {
    Page(Page<Event>),
    /// The stream no longer reaches back that far.
    CursorGone,
}

/// An event as the atomic core writes it.
#[derive(Deserialize)]
struct Line {
    event: String,
    at: i64,
    class: Option<String>,
    booking: Option<String>,
    member: Option<String>,
    sub: String,
    role: String,
    data: Value,
}

impl Store {
    /// Events after a cursor, in order; none: from the oldest kept.
    pub async fn events(
        &self,
        org: &OrgId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Answer<EventsAfter>, StoreError> {
        let known = after.is_none_or(is_cursor);
        let from = after.filter(|_| known).unwrap_or("");
        let reply = self.read(org, "list_events", &[from, &limit.to_string()]).await?;
        if !known {
            return Ok(Answer::refused(&reply, unreadable_cursor()));
        }
        if reply.tag == "GONE" {
            return Answer::of(reply, |_| Ok(EventsAfter::CursorGone));
        }
        Answer::of(reply, |reply| {
            let more = reply.optional()?.is_some();
            let mut items = Vec::new();
            while !reply.is_empty() {
                items.push(event(reply.text()?, &reply.text()?)?);
            }
            let next = items.last().filter(|_| more).map(|event: &Event| event.cursor.clone());
            Ok(EventsAfter::Page(Page { items, next }))
        })
    }

    /// Every event of a class, oldest first; the cursor counts lines.
    pub async fn history(
        &self,
        org: &OrgId,
        class: &ClassId,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Answer<Page<Event>>, StoreError> {
        // No history is that long, and beyond it Lua's numbers are no longer whole.
        let skip = after.map_or(Some(0), |after| after.parse::<u32>().ok()).map(u64::from);
        let from = skip.unwrap_or(0);
        let reply = self.read(org, "read_history", &[class.as_str(), &from.to_string(), &limit.to_string()]).await?;
        if skip.is_none() {
            return Ok(Answer::refused(&reply, unreadable_cursor()));
        }
        Answer::of(reply, |reply| {
            let more = reply.optional()?.is_some();
            let mut items = Vec::new();
            while !reply.is_empty() {
                let entry = reply.text()?;
                let (cursor, line) = entry.split_once(' ').ok_or_else(|| corrupt("a history line"))?;
                items.push(event(cursor.to_owned(), line)?);
            }
            let next = more.then(|| (from + items.len() as u64).to_string());
            Ok(Page { items, next })
        })
    }
}

fn is_cursor(text: &str) -> bool {
    let digits = |part: &str| part.parse::<u64>().is_ok();
    text.split_once('-').is_some_and(|(ms, number)| digits(ms) && digits(number))
}

/// An event from its line in the stream.
pub(super) fn event(cursor: String, line: &str) -> Result<Event, StoreError> {
    let line: Line = serde_json::from_str(line).map_err(corrupt)?;
    let id = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(Event {
        cursor,
        event: line.event,
        at: from_ms(line.at).ok_or_else(|| corrupt("an event's instant"))?,
        class: id(line.class).map(|id| id.parse().map_err(corrupt)).transpose()?,
        booking: id(line.booking).map(|id| id.parse().map_err(corrupt)).transpose()?,
        member: id(line.member).map(|id| id.parse().map_err(corrupt)).transpose()?,
        by: By { sub: line.sub, role: line.role },
        data: line.data,
    })
}
