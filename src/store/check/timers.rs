//! Every timer refers to something that will happen, and what must happen has its timer: or an offer would never run out,
//! and somebody who waits (invariant 3) would wait for ever.

use super::Findings;
use super::picture::{ClassPicture, Picture};

pub fn check(picture: &Picture, findings: &mut Findings) {
    for (timer, &at) in &picture.timers {
        let words: Vec<&str> = timer.split(' ').collect();
        let right = match words.as_slice() {
            ["a0", class] => class_at(picture, class, "opens_at") == Some(at),
            ["a1", member] => picture.members.get(*member).and_then(|m| m.fields.number("banned_until")) == Some(at),
            ["b", class, "0"] => picture.classes.get(*class).is_some_and(|class| !class.fields.is_empty()),
            ["b", class, "1", ticket, booking] => offer_ends(picture, class, ticket, booking) == Some(at),
            ["b", class, "2"] => class_at(picture, class, "decide_at") == Some(at),
            ["b", class, "3"] => class_at(picture, class, "starts") == Some(at),
            ["b", class, "4"] => class_at(picture, class, "check_in_closes") == Some(at),
            ["b", class, "5"] => class_at(picture, class, "ends") == Some(at),
            _ => false,
        };
        if !right {
            findings.broken(3, format!("the timer \"{timer}\" at {at} refers to nothing that happens then"));
        }
    }
    for (id, class) in picture.kept_classes() {
        needed(id, class, picture, findings);
    }
    // The clock was set back: what has been carried out since then is not due again.
    if picture.now < picture.settings.count("ms") {
        return;
    }
    for (id, member) in &picture.members {
        let until = member.fields.number("banned_until").filter(|until| *until > picture.now);
        let timer = picture.timers.get(&format!("a1 {id}")).copied();
        // Carried out already, by a clock that was set back since.
        let ended = member.fields.number("ban_ended") == until;
        if until.is_some() && timer != until && !ended {
            findings.broken(3, format!("member {id} is banned until {until:?}, the timer is at {timer:?}"));
        }
    }
}

fn class_at(picture: &Picture, class: &str, name: &str) -> Option<i64> {
    picture.classes.get(class)?.fields.number(name)
}

fn offer_ends(picture: &Picture, class: &str, ticket: &str, id: &str) -> Option<i64> {
    let booking = picture.bookings.get(id)?;
    let same = booking.text("class") == class && booking.text("status") == "offered";
    let same_ticket = booking.number("ticket") == ticket.parse().ok();
    booking.number("offer_expires_at").filter(|_| same && same_ticket)
}

fn needed(id: &str, class: &ClassPicture, picture: &Picture, findings: &mut Findings) {
    let status = class.fields.text("status");
    let mut expected = Vec::new();
    if status != "cancelled" {
        let ahead = |done: bool, kind: u8| (!done).then(|| format!("b {id} {kind}"));
        expected.extend(ahead(class.fields.get("started").is_some(), 3));
        expected.extend(ahead(class.fields.get("closed").is_some(), 4));
        expected.extend(ahead(status == "finished", 5));
    }
    if class.fields.text("status") == "scheduled" {
        expected.push(format!("a0 {id}"));
    }
    if class.fields.count("reserved") > 0 {
        expected.push(format!("b {id} 0"));
    }
    for timer in expected.iter().filter(|timer| !picture.timers.contains_key(*timer)) {
        findings.broken(3, format!("class {id}: there is no timer \"{timer}\""));
    }
    let begin = format!("b {id} 1 ");
    let timers =
        picture.timers.range(begin.clone()..).map(|(timer, _)| timer).take_while(|timer| timer.starts_with(&begin));
    let offered: Vec<&str> = timers.filter_map(|timer| timer.rsplit(' ').next()).collect();
    for booking in class.offers.keys() {
        let timers = offered.iter().filter(|offered| *offered == booking).count();
        if timers != 1 {
            findings.broken(3, format!("class {id}: the offer of booking {booking} has {timers} timers"));
        }
    }
}
