//! Invariants 1, 2 and 4: a class counts what its sets hold, the sets hold the bookings that say so, nobody is on two of
//! them, nothing is sold twice, and the order of a queue is that of its tickets.

use std::collections::BTreeMap;

use super::Findings;
use super::picture::{ClassPicture, Picture};
use super::read::{Fields, Scores};

pub fn check(picture: &Picture, findings: &mut Findings) {
    for (id, class) in picture.kept_classes() {
        if class.fields.is_empty() {
            findings.broken(1, format!("class {id} has keys and is not there"));
            continue;
        }
        counters(id, class, picture, findings);
        capacity(id, class, findings);
        let sets =
            [("roster", &class.roster), ("queue", &class.queue), ("offers", &class.offers), ("void", &class.void)];
        for (name, set) in sets {
            entries(id, name, set, class, picture, findings);
        }
        late(id, class, picture, findings);
        once_each(id, class, picture, findings);
    }
    for (id, booking) in picture.kept_bookings() {
        belongs(id, booking, picture, findings);
    }
    indexes(picture, findings);
}

fn counters(id: &str, class: &ClassPicture, picture: &Picture, findings: &mut Findings) {
    let status = |booking: &String| picture.bookings.get(booking).map_or("", |booking| booking.text("status"));
    let checked_in = class.roster.keys().filter(|booking| status(booking) == "checked_in").count();
    for (counter, name, size) in [
        ("booked", "roster", class.roster.len()),
        ("waiting", "queue", class.queue.len()),
        ("offered", "offers", class.offers.len()),
        ("checked_in", "roster of those checked in", checked_in),
    ] {
        let counted = class.fields.number(counter);
        if counted.and_then(|counted| usize::try_from(counted).ok()) != Some(size) {
            let counted = class.fields.text(counter);
            findings.broken(1, format!("class {id} counts {counter} {counted}, {name} has {size}"));
        }
    }
    let count = |name| class.fields.count(name);
    let free = (count("capacity") - count("booked") - count("offered")).max(0);
    if !(0..=free.min(count("waiting"))).contains(&count("reserved")) {
        let (reserved, waiting) = (count("reserved"), count("waiting"));
        findings.broken(1, format!("class {id} reserves {reserved} of {free} free spots for {waiting} waiting"));
    }
}

/// Only a capacity that was lowered may be exceeded, and then by no more than was allowed once.
fn capacity(id: &str, class: &ClassPicture, findings: &mut Findings) {
    let taken = class.fields.count("booked") + class.fields.count("offered");
    let announced = class.history.iter().filter_map(|line| line.counts.as_ref()?["capacity"].as_i64());
    let lowered = class.was_changed(&["capacity"]);
    let allowed = announced.filter(|_| lowered).chain(class.fields.number("capacity")).max().unwrap_or(0);
    if taken > allowed {
        findings
            .broken(2, format!("class {id} has {taken} booked and offered, and never had more than {allowed} spots"));
    }
}

/// Every entry of a set is a booking of this class with a status that belongs there, by its ticket.
fn entries(id: &str, name: &str, set: &Scores, class: &ClassPicture, picture: &Picture, findings: &mut Findings) {
    for (entry, &score) in set {
        let Some(booking) = picture.bookings.get(entry) else {
            findings.broken(1, format!("class {id}: the {name} names booking {entry}, which is not there"));
            continue;
        };
        if booking.text("class") != id {
            let of = booking.text("class");
            findings.broken(1, format!("class {id}: the {name} names booking {entry}, which is of class {of}"));
        }
        let status = booking.text("status");
        if class.set_of(status).is_none_or(|(right, _)| right != name) {
            findings.broken(1, format!("class {id}: the {name} names booking {entry}, which is {status}"));
        }
        let ticket = booking.number("ticket");
        if ticket != Some(score) || score > class.fields.count("ticket") {
            let ticket = booking.text("ticket");
            findings
                .broken(4, format!("class {id}: the {name} has booking {entry} at {score}, its ticket is {ticket}"));
        }
    }
}

/// Late cancels that a refilled spot may still forgive.
fn late(id: &str, class: &ClassPicture, picture: &Picture, findings: &mut Findings) {
    for entry in class.late.keys() {
        let booking = picture.bookings.get(entry);
        let sound = booking.is_some_and(|booking| {
            booking.text("class") == id
                && booking.text("status") == "late_cancelled"
                && booking.get("excused").is_none()
        });
        if !sound {
            findings.broken(7, format!("class {id}: booking {entry} is no late cancel that could be forgiven"));
        }
    }
}

/// Nobody is on two sets, or twice on one; no two bookings have one ticket.
fn once_each(id: &str, class: &ClassPicture, picture: &Picture, findings: &mut Findings) {
    let mut members: BTreeMap<&str, &str> = BTreeMap::new();
    let mut tickets: BTreeMap<i64, &str> = BTreeMap::new();
    for (entry, &ticket) in class.roster.iter().chain(&class.queue).chain(&class.offers) {
        let member = picture.bookings.get(entry).map_or("", |booking| booking.text("member"));
        if let Some(other) = members.insert(member, entry).filter(|_| !member.is_empty()) {
            findings.broken(1, format!("class {id}: member {member} has both booking {other} and booking {entry}"));
        }
        if let Some(other) = tickets.insert(ticket, entry) {
            findings.broken(4, format!("class {id}: bookings {other} and {entry} both have ticket {ticket}"));
        }
    }
}

/// A booking that claims something is where those are who claim it.
fn belongs(id: &str, booking: &Fields, picture: &Picture, findings: &mut Findings) {
    let (class_id, status) = (booking.text("class"), booking.text("status"));
    let Some(class) = picture.classes.get(class_id) else {
        findings.broken(1, format!("booking {id} is of class {class_id}, which is not there"));
        return;
    };
    match class.set_of(status) {
        Some((name, set)) if !set.contains_key(id) => {
            findings.broken(1, format!("class {class_id}: booking {id} is {status} and not in the {name}"));
        }
        Some(_) => {}
        None if ["cancelled", "late_cancelled", "class_cancelled", "lapsed"].contains(&status) => {}
        None => findings.broken(1, format!("booking {id} has status {status:?}")),
    }
}

/// What is listed is there, and what is there is listed, where it belongs.
fn indexes(picture: &Picture, findings: &mut Findings) {
    for (id, class) in &picture.classes {
        let (starts, club) = (class.fields.number("starts"), class.fields.text("club"));
        let listed = picture.class_index.get(id).copied();
        let at_club = picture.club_classes.get(club).and_then(|classes| classes.get(id)).copied();
        if listed != starts || at_club != starts {
            findings.broken(1, format!("class {id} of club {club} starts at {starts:?}, is listed at {listed:?}, at its club at {at_club:?}"));
        }
        if picture.clubs.get(club).is_none() && picture.is_kept(class) {
            findings.broken(1, format!("class {id} is at club {club}, which is not there"));
        }
        let unopened = picture.unopened.get(id).copied();
        let opens_at = class.fields.number("opens_at").filter(|_| class.fields.text("status") == "scheduled");
        if unopened != opens_at {
            findings.broken(1, format!("class {id} opens at {opens_at:?}, is listed as unopened at {unopened:?}"));
        }
    }
    let by_club = picture.club_classes.values().flat_map(Scores::keys);
    for id in picture.class_index.keys().chain(by_club).chain(picture.unopened.keys()) {
        if picture.classes.get(id).is_none_or(|class| class.fields.is_empty()) {
            findings.broken(1, format!("class {id} is listed and not there"));
        }
    }
    if picture.settings.count("layout") >= 2 {
        listed_by(picture, "category", &picture.category_classes, findings);
        listed_by(picture, "instructor", &picture.instructor_classes, findings);
    }
    for (club, classes) in &picture.club_classes {
        for id in classes.keys() {
            let of = picture.classes.get(id).map_or("", |class| class.fields.text("club"));
            if of != club {
                findings.broken(1, format!("class {id} is listed at club {club} and is at club {of}"));
            }
        }
    }
}

/// Since layout 2 a class stands in the list of its category, and of its instructor, and in no other of that kind.
fn listed_by(picture: &Picture, field: &str, lists: &BTreeMap<String, Scores>, findings: &mut Findings) {
    for (id, class) in &picture.classes {
        let (name, starts) = (class.fields.text(field), class.fields.number("starts"));
        let listed = lists.get(name).and_then(|list| list.get(id)).copied();
        if !name.is_empty() && listed != starts {
            findings
                .broken(1, format!("class {id} of {field} {name} starts at {starts:?}, is listed there at {listed:?}"));
        }
    }
    for (name, list) in lists {
        for id in list.keys() {
            let of = picture.classes.get(id).map_or("", |class| class.fields.text(field));
            if of != name {
                findings.broken(1, format!("class {id} is listed under {field} {name} and is of {of}"));
            }
        }
    }
}
