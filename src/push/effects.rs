//! What an event does to the documents that are held: which parts have to be read for it, and then one patch at most
//! for each topic it touches.
//!
//! Parts are read after the event and may already show what comes next. That does no harm, because whatever is touched
//! is sent whole, and what comes next will touch it again.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::documents;
use super::protocol::{Cause, Topic, Version};
use super::topics::Topics;
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, ClassId, MemberId};
use crate::domain::instant::with_zone;
use crate::store::parts::{Face, Part, PartName};
use crate::store::tail::NumberedEvent;

/// Events after which the face of a class is read again; after all others only its counts have changed.
const DESCRIBED: [&str; 6] =
    ["class_published", "class_opened", "class_changed", "class_cancelled", "class_started", "class_finished"];

/// What a member hears of who only moved up.
const MOVED: &str = "waitlist_moved";

/// What was read for a batch of events.
#[derive(Debug, Default)]
pub struct Fresh {
    pub parts: HashMap<PartName, Option<Part>>,
}

/// A queue that begins to be of interest, as it was at a version.
#[derive(Debug)]
pub struct NewQueue {
    pub version: Version,
    pub class: ClassId,
    pub queue: Vec<BookingId>,
}

/// Patches by topic, and what each is told as.
#[derive(Default)]
struct Changes(BTreeMap<Topic, (Value, String)>);

impl Changes {
    /// The first to change a topic names the event.
    fn add(&mut self, topic: &Topic, patch: Value, event: &str) {
        match self.0.get_mut(topic) {
            Some((known, _)) => documents::compose(known, patch),
            None => {
                self.0.insert(topic.clone(), (patch, event.to_owned()));
            }
        }
    }
}

impl Fresh {
    fn part(&self, name: &PartName) -> Option<&Part> {
        self.parts.get(name)?.as_ref()
    }

    fn face(&self, class: &ClassId) -> Option<&Face> {
        match self.part(&PartName::Face(class.clone())) {
            Some(Part::Face(face)) => Some(face),
            _ => None,
        }
    }
}

fn is_described(event: &Event) -> bool {
    DESCRIBED.contains(&event.event.as_str())
}

/// Whether a class may have come to another day.
fn places(event: &Event) -> bool {
    let changed = event.data.get("changed").and_then(Value::as_array);
    let moved = changed.is_some_and(|names| names.iter().any(|name| name == "date" || name == "starts"));
    event.event == "class_published" || (event.event == "class_changed" && moved)
}

impl Topics {
    /// What has to be read before an event can be applied.
    pub fn needs(&self, event: &Event) -> HashSet<PartName> {
        let mut needs = HashSet::new();
        if let Some(class) = &event.class {
            let described = is_described(event);
            let with_class = self.with_class(class);
            let own = [Topic::Class(class.clone()), Topic::Roster(class.clone())];
            let shown = own.iter().any(|topic| self.is_held(topic)) || !with_class.is_empty();
            if described && (shown || (places(event) && self.days().next().is_some())) {
                needs.insert(PartName::Face(class.clone()));
            }
            if self.is_held(&own[1]) {
                needs.extend(event.booking.clone().map(PartName::Entry));
            }
            for topic in with_class.iter().filter(|_| described) {
                let bookings = self.own_bookings(topic, class, |_| true);
                if let (Topic::Me(member), false) = (topic, bookings.is_empty()) {
                    needs.insert(PartName::Standing(member.clone()));
                    needs.extend(bookings.into_iter().map(PartName::Mine));
                }
            }
        }
        if let Some(member) = &event.member {
            if self.is_held(&Topic::Me(member.clone())) {
                needs.insert(PartName::Standing(member.clone()));
                needs.extend(event.booking.clone().map(PartName::Mine));
            }
            if event.event.starts_with("member_") {
                needs.extend(self.listed(member).into_iter().map(|(_, booking)| PartName::Entry(booking)));
            }
        }
        needs
    }

    fn days(&self) -> impl Iterator<Item = (&Topic, &str, NaiveDate)> {
        self.slots.iter().filter(|(_, slot)| slot.held.is_some()).filter_map(|(topic, _)| match topic {
            Topic::Day(club, date) => Some((topic, club.as_str(), *date)),
            Topic::Class(_) | Topic::Me(_) | Topic::Roster(_) => None,
        })
    }

    /// The lines of a member on the rosters that are held.
    fn listed(&self, member: &MemberId) -> Vec<(Topic, BookingId)> {
        let rosters = self.slots.keys().filter(|topic| matches!(topic, Topic::Roster(_)));
        let lines = rosters.filter_map(|topic| Some((topic, self.document(topic)?.get("bookings")?.as_object()?)));
        let of_member = lines.flat_map(|(topic, lines)| lines.iter().map(move |(id, line)| (topic, id, line)));
        of_member
            .filter(|(_, _, line)| line["member"] == member.as_str())
            .filter_map(|(topic, id, _)| Some((topic.clone(), id.parse().ok()?)))
            .collect()
    }

    /// Applies an event to everything that is held, and sends what follows. The queues that begin to be of interest
    /// are for the caller to install once their version is reached.
    pub fn apply(&mut self, numbered: &NumberedEvent, fresh: &Fresh, now: Instant) -> Vec<NewQueue> {
        let NumberedEvent { number, event } = numbered;
        let moved = self.queues.apply(event);
        let (mut changes, mut queues) = (Changes::default(), Vec::new());
        if let Some(member) = &event.member {
            self.own_changes(member, event, fresh, &mut changes, &mut queues);
        }
        if let Some(class) = &event.class {
            self.face_changes(class, event, fresh, &mut changes);
            self.roster_changes(class, event, fresh, &mut changes);
            self.moved_changes(class, &moved, &mut changes);
        }
        let at = with_zone(event.at, self.zone);
        for (topic, (patch, event)) in changes.0 {
            if patch.as_object().is_some_and(|patch| !patch.is_empty()) {
                self.change(&topic, patch, *number, Cause { event: Some(event), at: at.clone() }, now);
            }
        }
        self.rights(event, fresh);
        queues
    }

    /// The member's own document, and their names on rosters.
    fn own_changes(
        &mut self,
        member: &MemberId,
        event: &Event,
        fresh: &Fresh,
        changes: &mut Changes,
        queues: &mut Vec<NewQueue>,
    ) {
        let topic = Topic::Me(member.clone());
        if self.is_held(&topic) {
            let patch = self.own_patch(&topic, member, event.booking.as_ref().as_slice(), fresh, queues);
            changes.add(&topic, patch, &event.event);
        }
        if event.event.starts_with("member_") {
            for (roster, booking) in self.listed(member) {
                changes.add(&roster, self.line_patch(&booking, fresh), &event.event);
            }
        }
    }

    /// The bookings named and the standing, whole.
    fn own_patch(
        &mut self,
        topic: &Topic,
        member: &MemberId,
        bookings: &[&BookingId],
        fresh: &Fresh,
        queues: &mut Vec<NewQueue>,
    ) -> Value {
        let (mut patch, mut dates) = (json!({}), Vec::new());
        for id in bookings {
            let name = PartName::Mine((*id).clone());
            patch["bookings"][id.as_str()] = Value::Null;
            let Some(Part::Mine(mine)) = fresh.part(&name) else { continue };
            let class = &mine.booking.class;
            self.index(class, topic);
            let place = if self.queues.follows(class) {
                self.queues.position(class, id)
            } else {
                mine.booking.position.map(|position| position as usize)
            };
            if place.is_some() && !self.queues.follows(class) {
                queues.push(NewQueue { version: mine.version, class: class.clone(), queue: mine.queue.clone() });
            }
            dates.push(mine.date.to_string());
            patch["bookings"][id.as_str()] = documents::mine(mine, place, self.zone);
        }
        if let Some(Part::Standing(standing)) = fresh.part(&PartName::Standing(member.clone())) {
            let mut standing = documents::standing(standing, self.zone);
            let known = self.document(topic).and_then(|document| document.pointer("/standing/booked"));
            documents::replacing(&mut standing["booked"], known);
            // Also a day that only another instance has ever shown is taken away.
            let touched = dates.into_iter().map(|date| (date, Value::Null)).collect();
            documents::replacing(&mut standing["booked"], Some(&Value::Object(touched)));
            patch["standing"] = standing;
        }
        patch
    }

    /// The class's own topic, and the days that show it; on members' own documents their places in it.
    fn face_changes(&mut self, class: &ClassId, event: &Event, fresh: &Fresh, changes: &mut Changes) {
        let counts = documents::counts_of(&event.data);
        let described =
            fresh.face(class).filter(|_| is_described(event)).map(|face| documents::described(face, self.zone));
        let own = Topic::Class(class.clone());
        if let Some(document) = self.document(&own) {
            changes.add(&own, face_patch(document, described.as_ref(), counts.as_ref()), &event.event);
        }
        let mut queues = Vec::new();
        for topic in self.with_class(class) {
            if let Some(known) = self.document(&topic).and_then(|day| day.get(class.as_str())) {
                let patch = face_patch(known, described.as_ref(), counts.as_ref());
                if patch.as_object().is_some_and(|patch| !patch.is_empty()) {
                    changes.add(&topic, json!({ class.as_str(): patch }), &event.event);
                }
            }
            let bookings = self.own_bookings(&topic, class, |_| is_described(event));
            if let (Topic::Me(member), false) = (&topic, bookings.is_empty()) {
                let bookings: Vec<&BookingId> = bookings.iter().collect();
                let patch = self.own_patch(&topic, member, &bookings, fresh, &mut queues);
                changes.add(&topic, patch, &event.event);
            }
        }
        if let Some(face) = fresh.face(class).filter(|_| places(event)) {
            self.placed(face, event, changes);
        }
    }

    /// A class that comes to a day leaves every other.
    fn placed(&mut self, face: &Face, event: &Event, changes: &mut Changes) {
        let whole = documents::face(face, self.zone);
        let days = self.days().filter(|(_, club, _)| *club == face.club.as_str());
        let days: Vec<(Topic, bool)> = days.map(|(topic, _, date)| (topic.clone(), date == face.date)).collect();
        for (topic, here) in days {
            if here {
                self.index(&face.id, &topic);
                changes.add(&topic, json!({ face.id.as_str(): whole }), &event.event);
            } else if event.event == "class_changed" {
                changes.add(&topic, json!({ face.id.as_str(): null }), &event.event);
            }
        }
    }

    fn roster_changes(&self, class: &ClassId, event: &Event, fresh: &Fresh, changes: &mut Changes) {
        let topic = Topic::Roster(class.clone());
        let Some(document) = self.document(&topic) else { return };
        let counts = documents::counts_of(&event.data);
        let described =
            fresh.face(class).filter(|_| is_described(event)).map(|face| documents::described(face, self.zone));
        let face = face_patch(&document["class"], described.as_ref(), counts.as_ref());
        if face.as_object().is_some_and(|face| !face.is_empty()) {
            changes.add(&topic, json!({ "class": face }), &event.event);
        }
        if let Some(booking) = &event.booking {
            changes.add(&topic, self.line_patch(booking, fresh), &event.event);
        }
    }

    /// A line of a roster, whole; an ended booking is null.
    fn line_patch(&self, booking: &BookingId, fresh: &Fresh) -> Value {
        let line = match fresh.part(&PartName::Entry(booking.clone())) {
            Some(Part::Entry(entry)) => {
                documents::listed(entry, self.queues.position(&entry.booking.class, &entry.booking.id))
            }
            _ => Value::Null,
        };
        json!({ "bookings": { booking.as_str(): line } })
    }

    /// Those who moved up, on the roster and each in their own document.
    fn moved_changes(&self, class: &ClassId, moved: &[(BookingId, usize)], changes: &mut Changes) {
        if moved.is_empty() {
            return;
        }
        let roster = Topic::Roster(class.clone());
        if let Some(lines) = self.document(&roster).and_then(|roster| roster.get("bookings")) {
            for (booking, place) in moved.iter().filter(|(booking, _)| lines.get(booking.as_str()).is_some()) {
                changes.add(&roster, json!({ "bookings": { booking.as_str(): { "position": place } } }), MOVED);
            }
        }
        let places: HashMap<&str, usize> = moved.iter().map(|(booking, place)| (booking.as_str(), *place)).collect();
        for topic in self.with_class(class) {
            for booking in self.waiting_in(&topic, class) {
                if let Some(place) = places.get(booking.as_str()) {
                    changes.add(&topic, json!({ "bookings": { booking.as_str(): { "position": place } } }), MOVED);
                }
            }
        }
    }

    /// Rights that ended with the event.
    fn rights(&mut self, event: &Event, fresh: &Fresh) {
        if let (Some(class), true) = (&event.class, is_described(event))
            && let Some(face) = fresh.face(class)
        {
            let teaches = face.instructor.as_ref().map(|instructor| instructor.id.as_str());
            self.revoke(&Topic::Roster(class.clone()), "forbidden", |listener| {
                listener.is_some_and(|listener| teaches != Some(listener))
            });
        }
        if let (Some(member), "member_erased") = (&event.member, event.event.as_str()) {
            self.remove(&Topic::Me(member.clone()), "not_found");
        }
    }
}

/// What a class's face becomes: what the club describes is sent whole, of the counts those that differ.
fn face_patch(known: &Value, described: Option<&Value>, counts: Option<&Value>) -> Value {
    let mut patch = described.cloned().unwrap_or_else(|| json!({}));
    if let Some(counts) = counts {
        documents::compose(&mut patch, documents::differing(known, counts.clone()));
    }
    patch
}
