//! Invariant 6: one change, one event, numbered without gaps; and a class's history alone rebuilds its roster.
//!
//! The replay knows events by the names of the contract and nothing of the code that wrote them.

use std::collections::BTreeMap;

use super::Findings;
use super::line::Line;
use super::picture::{ClassPicture, Picture};
use super::read::Fields;
use crate::domain::event::NAMES;

pub fn check(picture: &Picture, findings: &mut Findings) {
    stream(picture, findings);
    let mut streamed: BTreeMap<&str, BTreeMap<i64, &Line>> = BTreeMap::new();
    for line in &picture.events {
        if let Some(class) = &line.class {
            streamed.entry(class).or_default().insert(line.number, line);
        }
    }
    let first = picture.events.first().map_or(i64::MAX, |line| line.number);
    for (id, class) in picture.kept_classes() {
        recorded(id, class, first, &streamed.remove(id.as_str()).unwrap_or_default(), findings);
        let replayed = replay(id, class, findings);
        for (booking, status) in &replayed {
            let stored = picture.bookings.get(*booking).map_or("", |booking| booking.text("status"));
            if stored != *status {
                findings.broken(
                    6,
                    format!("class {id}: by its history booking {booking} is {status}, stored is {stored:?}"),
                );
            }
        }
        for line in class.history.iter().filter(|line| line.booking.is_some()) {
            let booking = line.booking.as_ref().and_then(|booking| picture.bookings.get(booking));
            if booking.is_some_and(|booking| booking.get("member") != line.member.as_deref()) {
                let (number, said) = (line.number, &line.member);
                findings.broken(6, format!("class {id}: event {number} says its booking is {said:?}'s"));
            }
        }
        announced(id, class, findings);
    }
    for (id, booking) in picture.kept_bookings() {
        let class = picture.kept(booking.text("class"));
        let told = class.is_some_and(|class| class.history.iter().any(|line| line.booking.as_deref() == Some(id)));
        if class.is_some() && !told {
            findings.broken(6, format!("booking {id} is in no history"));
        }
    }
}

/// From the first event that is kept, numbers follow each other up to the last change, and time does not go back.
fn stream(picture: &Picture, findings: &mut Findings) {
    let mut previous: Option<&Line> = None;
    for line in &picture.events {
        let (ms, number, event) = (line.ms, line.number, &line.event);
        if let Some(Line { ms: ms_before, number: before, .. }) = previous {
            if number != before + 1 {
                findings.broken(6, format!("event {before} is followed by event {number}"));
            }
            if ms < *ms_before {
                findings.broken(6, format!("event {number} is stored at {ms}, before event {before} at {ms_before}"));
            }
        }
        if !NAMES.contains(&event.as_str()) {
            findings.broken(6, format!("event {number} is {event:?}, which is no event of the contract"));
        }
        previous = Some(line);
    }
    let counted = (picture.settings.count("ms"), picture.settings.count("changes"));
    let last = previous.map_or((0, 0), |line| (line.ms, line.number));
    if counted != last {
        let ((ms, changes), (last_ms, last)) = (counted, last);
        findings.broken(6, format!("{changes} changes until {ms} are counted, the last event is {last} at {last_ms}"));
    }
}

/// The class's history holds the class's events of the stream, word for word, as far back as the stream is kept.
fn recorded(id: &str, class: &ClassPicture, first: i64, streamed: &BTreeMap<i64, &Line>, findings: &mut Findings) {
    for pair in class.history.windows(2) {
        if let [before, after] = pair
            && after.number <= before.number
        {
            let (before, after) = (before.number, after.number);
            findings.broken(6, format!("class {id}: its history has event {after} after event {before}"));
        }
    }
    let kept: BTreeMap<i64, &Line> =
        class.history.iter().filter(|line| line.number >= first).map(|line| (line.number, line)).collect();
    for (number, line) in &kept {
        let same = streamed.get(number).is_some_and(|other| other.ms == line.ms && other.text_hash == line.text_hash);
        if !same {
            findings.broken(6, format!("class {id}: its history has another event {number} than the stream"));
        }
    }
    for number in streamed.keys().filter(|number| !kept.contains_key(*number)) {
        findings.broken(6, format!("class {id}: its history lacks event {number}"));
    }
}

/// What the history says has become of each booking.
fn replay<'a>(id: &str, class: &'a ClassPicture, findings: &mut Findings) -> BTreeMap<&'a str, &'a str> {
    let mut statuses: BTreeMap<&str, &str> = BTreeMap::new();
    if class.history.first().is_none_or(|line| line.event != "class_published") {
        findings.broken(6, format!("class {id}: its history does not begin with its being published"));
    }
    for line in &class.history {
        let Some(booking) = line.booking.as_deref() else { continue };
        let status = line.status.as_deref().unwrap_or_default();
        let known = statuses.get(booking).copied();
        let right = match outcomes(&line.event) {
            Some(outcomes) => outcomes.contains(&status),
            None => known == Some(status),
        };
        if !right {
            let (event, number) = (&line.event, line.number);
            findings.broken(
                6,
                format!("class {id}: event {number}, {event}, leaves booking {booking} {status:?}, before {known:?}"),
            );
        }
        statuses.insert(booking, status);
    }
    statuses
}

/// What a booking can be after an event; `None` where the event does not change it.
fn outcomes(event: &str) -> Option<&'static [&'static str]> {
    Some(match event {
        "booking_confirmed" | "booking_promoted" => &["booked"],
        "waitlist_joined" | "present_on_standby" => &["waitlisted"],
        "spot_offered" => &["offered"],
        "offer_lapsed" | "waitlist_lapsed" => &["lapsed"],
        "booking_cancelled" => &["cancelled", "late_cancelled", "class_cancelled"],
        "waitlist_left" => &["cancelled", "class_cancelled"],
        "checked_in" => &["checked_in"],
        "check_in_undone" => &["booked", "waitlisted", "offered"],
        "no_show_recorded" => &["no_show"],
        _ => return None,
    })
}

/// A document changes only by events: the counts announced last are those of now.
fn announced(id: &str, class: &ClassPicture, findings: &mut Findings) {
    let Some(last) = class.history.iter().rev().find_map(|line| line.counts.as_ref()) else { return };
    let fields: &Fields = &class.fields;
    let taken = fields.count("booked") + fields.count("offered") + fields.count("reserved");
    let minimum = fields.count("minimum").min(fields.count("capacity"));
    for (name, now) in [
        ("capacity", fields.count("capacity")),
        ("booked", fields.count("booked")),
        ("waiting", fields.count("waiting")),
        ("checked_in", fields.count("checked_in")),
        ("free", (fields.count("capacity") - taken).max(0)),
        ("needed", (minimum - fields.count("booked")).max(0)),
    ] {
        if last[name].as_i64() != Some(now) {
            let said = &last[name];
            findings.broken(6, format!("class {id}: its last event says {name} {said}, it is {now}"));
        }
    }
    if last["status"].as_str() != fields.get("status") {
        let (said, now) = (&last["status"], fields.text("status"));
        findings.broken(6, format!("class {id}: its last event says it is {said}, it is {now:?}"));
    }
}
