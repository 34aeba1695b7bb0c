//! All topics of an organisation that this instance holds, who listens to them, and what has yet to be sent.
//!
//! Everything here is at one version, that of the last event taken in. `effects` says what an event does to it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono_tz::Tz;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::documents;
use super::effects::NewQueue;
use super::outbox::{Out, SessionId};
use super::protocol::{self, Cause, CloseCode, Topic, Version};
use super::queues::Queues;
use super::topic::{Held, Listener, Slot};
use crate::domain::ids::{BookingId, ClassId};
use crate::store::parts::{Part, PartName};

/// A topic outlives its last listener by so long, so that whoever comes back finds what was missed.
const IDLE_MAX: Duration = Duration::from_secs(11 * 60);

/// Topics without a listener are counted whenever so large a part of those that may be kept has come.
const IDLE_LOOKS: usize = 8;

/// What is held.
#[derive(Debug, Default)]
pub struct Topics {
    pub slots: HashMap<Topic, Slot>,
    pub queues: Queues,
    /// Days and members' own documents that may hold the class; one that does not any more does no harm.
    by_class: HashMap<ClassId, BTreeSet<Topic>>,
    sessions: HashMap<SessionId, HashSet<Topic>>,
    /// When what was held back goes out.
    due: BTreeSet<(Instant, Topic)>,
    /// How many topics there were when those without listeners were last counted.
    looked_over: usize,
    pub zone: Tz,
}

impl Topics {
    /// What has to be read for a topic.
    pub fn part_of(topic: &Topic) -> PartName {
        match topic {
            Topic::Class(id) => PartName::Face(id.clone()),
            Topic::Day(club, date) => PartName::Day(club.clone(), *date),
            Topic::Me(member) => PartName::Me(member.clone()),
            Topic::Roster(id) => PartName::Roster(id.clone()),
        }
    }

    pub fn is_held(&self, topic: &Topic) -> bool {
        self.slots.get(topic).is_some_and(|slot| slot.held.is_some())
    }

    pub fn document(&self, topic: &Topic) -> Option<&Value> {
        self.slots.get(topic)?.held.as_ref().map(|held| &held.document)
    }

    /// Topics beside the class's own whose documents may hold it.
    pub fn with_class(&self, class: &ClassId) -> Vec<Topic> {
        self.by_class.get(class).map_or_else(Vec::new, |topics| topics.iter().cloned().collect())
    }

    pub fn index(&mut self, class: &ClassId, topic: &Topic) {
        if matches!(topic, Topic::Day(..) | Topic::Me(_)) {
            self.by_class.entry(class.clone()).or_default().insert(topic.clone());
        }
    }

    /// Takes a document over that was read at exactly the version everything else is at. Whoever listens already is
    /// sent the whole. Queues of a later version are for the caller to install once that is reached.
    pub fn install(&mut self, topic: &Topic, part: Part, version: Version, at: &str) -> Vec<NewQueue> {
        let (document, queues) = self.document_of(topic, part, version);
        let Some(slot) = self.slots.get_mut(topic) else { return queues };
        let mut held = Held::new(topic.clone(), document, version, at.to_owned());
        if !slot.listeners.is_empty() {
            slot.tell(&held.whole());
        }
        slot.held = Some(held);
        queues
    }

    fn document_of(&mut self, topic: &Topic, part: Part, version: Version) -> (Value, Vec<NewQueue>) {
        let (zone, mut queues) = (self.zone, Vec::new());
        let with_nulls = match part {
            Part::Face(face) => documents::face(&face, zone),
            Part::Day(_, faces) => {
                let mut day = Map::new();
                for face in faces {
                    self.index(&face.id, topic);
                    day.insert(face.id.to_string(), documents::face(&face, zone));
                }
                Value::Object(day)
            }
            Part::Roster { face, lines, queue } => {
                self.queues.follow(&face.id, || queue);
                let places = self.queues.places(&face.id);
                let lines = lines.iter().map(|line| {
                    let position = places.get(&line.booking.id).copied();
                    (line.booking.id.to_string(), documents::listed(line, position))
                });
                json!({ "class": documents::face(&face, zone), "bookings": lines.collect::<Map<_, _>>() })
            }
            Part::Me(standing, bookings) => {
                let mut lines = Map::new();
                for mine in bookings {
                    let booking = &mine.booking;
                    self.index(&booking.class, topic);
                    let position = booking.position.map(|position| position as usize);
                    lines.insert(booking.id.to_string(), documents::mine(&mine, position, zone));
                    if position.is_some() && mine.version == version {
                        self.queues.follow(&booking.class, || mine.queue.clone());
                    } else if position.is_some() && !self.queues.follows(&booking.class) {
                        let (class, queue) = (booking.class.clone(), mine.queue.clone());
                        queues.push(NewQueue { version: mine.version, class, queue });
                    }
                }
                json!({ "bookings": lines, "standing": documents::standing(&standing, zone) })
            }
            Part::Entry(_) | Part::Mine(_) | Part::Standing(_) => Value::Null,
        };
        let mut document = json!({});
        documents::merge(&mut document, &with_nulls);
        (document, queues)
    }

    /// Begins to follow a queue read at exactly this version, and tells those in it their places.
    pub fn install_queue(&mut self, class: &ClassId, queue: Vec<BookingId>, version: Version, at: &str, now: Instant) {
        self.queues.follow(class, || queue);
        for topic in self.with_class(class) {
            let waiting = self.waiting_in(&topic, class);
            let Some(held) = self.slots.get_mut(&topic).and_then(|slot| slot.held.as_mut()) else { continue };
            let places = waiting.into_iter().filter_map(|id| Some((id.to_string(), self.queues.position(class, &id)?)));
            let lines: Map<_, _> = places.map(|(id, place)| (id, json!({ "position": place }))).collect();
            if !lines.is_empty() && held.version() < version {
                let cause = Cause { event: None, at: at.to_owned() };
                self.change(&topic, json!({ "bookings": lines }), version, cause, now);
            }
        }
    }

    /// The bookings of a member's own document that wait in a class.
    pub fn waiting_in(&self, topic: &Topic, class: &ClassId) -> Vec<BookingId> {
        self.own_bookings(topic, class, |booking| booking["status"] == "waitlisted")
    }

    /// The bookings of a member's own document in a class.
    pub fn own_bookings(&self, topic: &Topic, class: &ClassId, which: impl Fn(&Value) -> bool) -> Vec<BookingId> {
        let document = self.document(topic).filter(|_| matches!(topic, Topic::Me(_)));
        let Some(Value::Object(bookings)) = document.and_then(|document| document.get("bookings")) else {
            return Vec::new();
        };
        let of_class = bookings.iter().filter(|(_, booking)| booking["class"] == class.as_str() && which(booking));
        of_class.filter_map(|(id, _)| id.parse().ok()).collect()
    }

    /// Changes a document and sends the patch, or holds it back.
    pub fn change(&mut self, topic: &Topic, patch: Value, to: Version, cause: Cause, now: Instant) {
        let Some(slot) = self.slots.get_mut(topic) else { return };
        let Some(held) = slot.held.as_mut() else { return };
        match held.change(patch, to, cause, now) {
            Ok(frame) => slot.tell(&frame),
            Err(Some(due)) => {
                self.due.insert((due, topic.clone()));
            }
            Err(None) => {}
        }
    }

    /// When something held back is to be sent.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Sends what was held back long enough.
    pub fn flush(&mut self, now: Instant) {
        while let Some((due, _)) = self.due.first()
            && *due <= now
        {
            let Some((_, topic)) = self.due.pop_first() else { return };
            let Some(slot) = self.slots.get_mut(&topic) else { continue };
            if let Some(frame) = slot.held.as_mut().and_then(|held| held.flush(now)) {
                slot.tell(&frame);
            }
        }
    }

    // ---- who listens ----

    pub fn topics_of(&self, session: SessionId) -> usize {
        self.sessions.get(&session).map_or(0, HashSet::len)
    }

    pub fn listens(&self, session: SessionId, topic: &Topic) -> bool {
        self.sessions.get(&session).is_some_and(|topics| topics.contains(topic))
    }

    pub fn joined(&mut self, session: SessionId, topic: &Topic) {
        self.sessions.entry(session).or_default().insert(topic.clone());
    }

    pub fn left(&mut self, session: SessionId, topic: &Topic) {
        if let Some(topics) = self.sessions.get_mut(&session) {
            topics.remove(topic);
        }
        if let Some(slot) = self.slots.get_mut(topic) {
            slot.leave(session, Instant::now());
        }
    }

    pub fn left_all(&mut self, session: SessionId) {
        for topic in self.sessions.remove(&session).unwrap_or_default() {
            if let Some(slot) = self.slots.get_mut(&topic) {
                slot.leave(session, Instant::now());
            }
        }
    }

    /// The right to a topic ended for some of its listeners.
    pub fn revoke(&mut self, topic: &Topic, code: &str, who: impl Fn(Option<&str>) -> bool) {
        let Some(slot) = self.slots.get(topic) else { return };
        let ended = slot.listeners.iter().filter(|(_, listener)| who(listener.instructor.as_deref()));
        for session in ended.map(|(session, _)| *session).collect::<Vec<_>>() {
            let listener = self.slots.get_mut(topic).and_then(|slot| slot.listeners.remove(&session));
            if let Some(listener) = listener {
                listener.outbox.send(Out::Frame(protocol::gone(topic, code)));
            }
            self.left(session, topic);
        }
    }

    /// Ends the connection of everybody who listens.
    pub fn close(&self, code: CloseCode) {
        let listeners = self.slots.values().flat_map(|slot| slot.listeners.values());
        let told: HashMap<SessionId, &Listener> = listeners.map(|one| (one.outbox.session, one)).collect();
        for listener in told.into_values() {
            listener.outbox.send(Out::Close(code));
        }
    }

    /// The thing itself is gone.
    pub fn remove(&mut self, topic: &Topic, code: &str) {
        self.revoke(topic, code, |_| true);
        if let Some(slot) = self.slots.get_mut(topic) {
            slot.held = None;
        }
    }

    /// Lets go of what nobody has wanted for a while.
    pub fn sweep(&mut self, now: Instant) {
        self.slots.retain(|_, slot| {
            slot.idle_since = if slot.is_idle() { slot.idle_since.or(Some(now)) } else { None };
            slot.idle_since.is_none_or(|since| now.duration_since(since) < IDLE_MAX)
        });
        self.forget_unheld();
    }

    /// Lets go of the topics that have been without a listener for longest, where there are more than `most` of them.
    /// It looks only when enough have come since it last did, because each look goes over all.
    pub fn keep_few_idle(&mut self, most: usize, now: Instant) {
        if self.slots.len() < self.looked_over + most / IDLE_LOOKS {
            return;
        }
        let idle = self.slots.iter().filter(|(_, slot)| slot.is_idle());
        let mut idle: Vec<(Instant, Topic)> =
            idle.map(|(topic, slot)| (slot.idle_since.unwrap_or(now), topic.clone())).collect();
        if idle.len() > most {
            idle.sort_unstable();
            for (_, topic) in &idle[..idle.len() - most] {
                self.slots.remove(topic);
            }
            self.forget_unheld();
        }
        self.looked_over = self.slots.len();
    }

    /// Removes topics that are no longer held from the indexes.
    fn forget_unheld(&mut self) {
        self.looked_over = self.looked_over.min(self.slots.len());
        let slots = &self.slots;
        for topics in self.by_class.values_mut() {
            topics.retain(|topic| slots.contains_key(topic));
        }
        self.by_class.retain(|_, topics| !topics.is_empty());
        let (queues, by_class) = (&mut self.queues, &self.by_class);
        queues.retain(|class| by_class.contains_key(class) || slots.contains_key(&Topic::Roster(class.clone())));
    }

    /// Forgets every document; those who listen go on listening, and get the whole once it was read again.
    pub fn forget(&mut self) {
        self.slots.retain(|_, slot| {
            slot.held = None;
            !slot.is_idle()
        });
        self.queues.clear();
        self.by_class.clear();
        self.due.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(number: u64) -> Topic {
        Topic::Class(format!("class-{number}").parse().unwrap())
    }

    #[test]
    fn of_topics_without_a_listener_so_many_are_kept_and_the_oldest_goes_first() {
        const MOST: usize = 8;
        let (mut topics, now) = (Topics::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        topics.slots.insert(Topic::Class("waited-for".parse().unwrap()), Slot { waiters: vec![7], ..Slot::default() });
        for number in 1..=8 {
            topics.slots.insert(class(number), Slot { idle_since: Some(at(number)), ..Slot::default() });
        }
        topics.keep_few_idle(MOST, at(8));
        assert_eq!(topics.slots.len(), 1 + MOST, "so many stay");
        topics.slots.insert(class(0), Slot { idle_since: Some(at(9)), ..Slot::default() });
        topics.index(&"c".parse().unwrap(), &Topic::Me("gone".parse().unwrap()));
        topics.keep_few_idle(MOST, at(9));
        assert!(!topics.slots.contains_key(&class(1)), "of one more the oldest goes");
        assert_eq!((topics.slots.len(), topics.by_class.len()), (1 + MOST, 0));
    }
}
