//! Invariant 5, and what of the others is a member's: their live bookings are known exactly, are one a class, and keep to
//! the limits; strikes and clips have a booking that explains them.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::picture::{ClassPicture, MemberPicture, Picture};
use super::read::Fields;

const LIVE: [&str; 4] = ["booked", "offered", "waitlisted", "checked_in"];

/// A walk-in counts for no limit and is checked in from the first; so of spots only these can have been limited.
const LIMITED: [&str; 2] = ["booked", "offered"];

pub fn check(picture: &Picture, findings: &mut Findings) {
    let mut bookings: BTreeMap<&str, Vec<(&str, &Fields)>> = BTreeMap::new();
    for (id, booking) in picture.kept_bookings() {
        bookings.entry(booking.text("member")).or_default().push((id, booking));
    }
    for (id, owned) in &bookings {
        if picture.members.get(*id).is_none_or(|member| member.fields.is_empty()) {
            let count = owned.len();
            findings.broken(5, format!("member {id} has {count} bookings and is not there"));
        }
    }
    for (id, member) in &picture.members {
        let owned = bookings.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        upcoming(id, member, owned, picture, findings);
        history(id, member, owned, findings);
        one_a_class(id, owned, findings);
        limits(id, owned, picture, findings);
        strikes(id, member, picture, findings);
        listed(id, member, picture, findings);
        if member.fields.count("clips") < 0 {
            let clips = member.fields.count("clips");
            findings.broken(7, format!("member {id} has {clips} clips"));
        }
    }
    for id in picture.member_ids.keys() {
        if picture.members.get(id).is_none_or(|member| member.fields.is_empty()) {
            findings.broken(1, format!("member {id} is listed and not there"));
        }
    }
    let terms = |name| picture.members.iter().map(|(id, member)| terms(id, &member.fields, name).len()).sum::<usize>();
    for (what, listed, terms) in [
        ("terms", picture.member_index.len(), terms("index")),
        ("parts and numbers", picture.member_terms.len(), terms("terms")),
    ] {
        if listed != terms {
            findings.broken(1, format!("members are to be found by {terms} {what}, {listed} are listed"));
        }
    }
    if !picture.members_unread.is_empty() && picture.settings.get("unread").is_none() {
        findings.broken(1, "members are unread and nobody asks for their terms");
    }
}

fn is_live(booking: &Fields) -> bool {
    LIVE.contains(&booking.text("status"))
}

/// Exactly the live bookings, each by the start of its class.
fn upcoming(id: &str, member: &MemberPicture, owned: &[(&str, &Fields)], picture: &Picture, findings: &mut Findings) {
    let starts = |booking: &Fields| picture.classes.get(booking.text("class"))?.fields.number("starts");
    for (booking_id, booking) in owned.iter().filter(|(_, booking)| is_live(booking)) {
        let (expected, found) = (starts(booking), member.upcoming.get(*booking_id).copied());
        if found != expected {
            findings.broken(
                5,
                format!("member {id}: live booking {booking_id} starts at {expected:?}, upcoming has it at {found:?}"),
            );
        }
    }
    for booking_id in member.upcoming.keys() {
        let booking = picture.bookings.get(booking_id);
        if booking.is_none_or(|booking| !is_live(booking) || booking.text("member") != id) {
            findings.broken(5, format!("member {id}: upcoming names booking {booking_id}, no live booking of theirs"));
        }
    }
}

fn history(id: &str, member: &MemberPicture, owned: &[(&str, &Fields)], findings: &mut Findings) {
    let mine: BTreeSet<&str> = owned.iter().map(|(booking, _)| *booking).collect();
    for booking in mine.iter().filter(|booking| !member.history.contains_key(**booking)) {
        findings.broken(5, format!("member {id}: their history lacks booking {booking}"));
    }
}

fn one_a_class(id: &str, owned: &[(&str, &Fields)], findings: &mut Findings) {
    let mut live: BTreeMap<&str, &str> = BTreeMap::new();
    for (booking_id, booking) in owned.iter().filter(|(_, booking)| is_live(booking)) {
        let class = booking.text("class");
        if let Some(other) = live.insert(class, booking_id) {
            findings.broken(5, format!("member {id} has two live bookings of class {class}: {other} and {booking_id}"));
        }
    }
}

/// Spots that overlap, or are too many for a day. A class that was moved proves nothing: its members keep their spots.
fn limits(id: &str, owned: &[(&str, &Fields)], picture: &Picture, findings: &mut Findings) {
    let stayed = |class: &&ClassPicture| !class.was_changed(&["starts", "ends"]);
    let class_of = |booking: &Fields| picture.classes.get(booking.text("class")).filter(stayed);
    let spots: Vec<(&str, &ClassPicture)> = owned
        .iter()
        .filter(|(_, booking)| LIMITED.contains(&booking.text("status")))
        .filter_map(|(_, booking)| Some((booking.text("class"), class_of(booking)?)))
        .collect();
    let at = |class: &ClassPicture, name| class.fields.count(name);
    for (index, (class, one)) in spots.iter().enumerate() {
        for (with, other) in &spots[index + 1..] {
            let overlap = at(one, "starts") < at(other, "ends") && at(other, "starts") < at(one, "ends");
            if overlap && at(one, "allow_overlap") == 0 && at(other, "allow_overlap") == 0 {
                findings.broken(5, format!("member {id} has spots in classes {class} and {with}, which overlap"));
            }
        }
    }
    let mut days: BTreeMap<&str, Vec<Option<i64>>> = BTreeMap::new();
    for (_, class) in &spots {
        days.entry(class.fields.text("date")).or_default().push(class.fields.number("daily_limit"));
    }
    for (date, limits) in days {
        // Each spot was taken under the limit of its own class; without one, any number is right.
        let limit = limits.iter().copied().collect::<Option<Vec<i64>>>().and_then(|limits| limits.into_iter().max());
        let count = limits.len();
        if limit.is_some_and(|limit| i64::try_from(count).is_ok_and(|count| count > limit)) {
            findings
                .broken(5, format!("member {id} has {count} spots on {date}, more than any of these classes allows"));
        }
    }
}

fn strikes(id: &str, member: &MemberPicture, picture: &Picture, findings: &mut Findings) {
    for (booking_id, &at) in &member.strikes {
        let booking = picture.bookings.get(booking_id);
        let explained = booking.is_some_and(|booking| {
            let status = booking.text("status");
            booking.text("member") == id
                && booking.number("strike") == Some(at)
                && ["no_show", "late_cancelled"].contains(&status)
        });
        if !explained {
            findings.broken(7, format!("member {id}: booking {booking_id} does not explain their strike at {at}"));
        }
    }
}

/// Findable by id, phone and name, unless they were erased.
fn listed(id: &str, member: &MemberPicture, picture: &Picture, findings: &mut Findings) {
    let known = !member.fields.is_empty() && member.fields.get("erased").is_none();
    if picture.member_ids.contains_key(id) != known {
        findings.broken(1, format!("member {id}: listed among the members: {}, should be: {known}", !known));
    }
    for (field, index) in [("index", &picture.member_index), ("terms", &picture.member_terms)] {
        for term in terms(id, &member.fields, field) {
            if !index.contains_key(&term) {
                findings.broken(1, format!("member {id} cannot be found by {term:?}"));
            }
        }
    }
    let laid_out = picture.settings.count("layout") >= 3;
    if known && laid_out && member.fields.get("terms").is_none() && !picture.members_unread.contains_key(id) {
        findings.broken(1, format!("member {id} has no terms to be found by"));
    }
}

fn terms(id: &str, fields: &Fields, name: &str) -> Vec<String> {
    let terms: Vec<String> = serde_json::from_str(fields.text(name)).unwrap_or_default();
    terms.into_iter().map(|term| format!("{term}\t{id}")).collect()
}
