//! Invariant 7, the money: every charge has a booking that explains it, is made once per reason and taken back at most
//! once, and what members and bookings owe is the sum of their lines.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::picture::Picture;
use super::read::{Fields, Scores};

pub fn check(picture: &Picture, findings: &mut Findings) {
    let mut ledger = Ledger::default();
    for (id, line) in &picture.fees {
        ledger.enter(id, line, picture, findings);
    }
    for (id, member) in &picture.members {
        listed(id, &member.fees, ledger.lines.get(id.as_str()), findings);
        balance(&format!("member {id}"), "open_fees", &member.fields, ledger.members.get(id.as_str()), findings);
    }
    for id in ledger.members.keys().filter(|id| !picture.members.contains_key(**id)) {
        findings.broken(7, format!("the ledger charges member {id}, who is not there"));
    }
    for (id, booking) in picture.kept_bookings() {
        balance(&format!("booking {id}"), "fee", booking, ledger.bookings.get(id.as_str()), findings);
    }
}

#[derive(Default)]
struct Ledger<'a> {
    /// The charged lines by their numbers, and the line that waived each.
    charged: BTreeMap<&'a str, (&'a Fields, Option<&'a str>)>,
    /// The charged line of each booking and reason.
    causes: BTreeMap<(&'a str, &'a str), &'a str>,
    members: BTreeMap<&'a str, i64>,
    /// The numbers of each member's lines.
    lines: BTreeMap<&'a str, BTreeSet<&'a str>>,
    bookings: BTreeMap<&'a str, i64>,
}

impl<'a> Ledger<'a> {
    fn enter(&mut self, id: &'a str, line: &'a Fields, picture: &Picture, findings: &mut Findings) {
        let Some(number) = id.strip_suffix("-0") else {
            findings.broken(7, format!("fee {id} is not stored under a change's number"));
            return;
        };
        let amount = line.number("amount").filter(|amount| *amount > 0).unwrap_or_else(|| {
            findings.broken(7, format!("fee {number} is about {:?}, no amount", line.text("amount")));
            0
        });
        let signed = match line.text("kind") {
            "charged" => {
                self.charge(number, line, picture, findings);
                amount
            }
            "waived" => {
                self.waive(number, line, findings);
                -amount
            }
            kind => {
                findings.broken(7, format!("fee {number} is of kind {kind:?}"));
                return;
            }
        };
        announced(number, line, picture, findings);
        self.lines.entry(line.text("member")).or_default().insert(number);
        *self.members.entry(line.text("member")).or_default() += signed;
        *self.bookings.entry(line.text("booking")).or_default() += signed;
    }

    fn charge(&mut self, number: &'a str, line: &'a Fields, picture: &Picture, findings: &mut Findings) {
        self.charged.insert(number, (line, None));
        let (booking_id, reason) = (line.text("booking"), line.text("reason"));
        if let Some(other) = self.causes.insert((booking_id, reason), number) {
            findings
                .broken(7, format!("booking {booking_id} is charged for {reason} twice: fees {other} and {number}"));
        }
        // The ledger outlives the classes that retention forgets, and their bookings.
        if picture.kept(line.text("class")).is_none() {
            return;
        }
        let booking = picture.bookings.get(booking_id);
        let explained = booking.is_some_and(|booking| {
            booking.text("member") == line.text("member")
                && booking.text("class") == line.text("class")
                && booking.text(&format!("fee_{reason}")) == number
        });
        if !explained {
            findings.broken(7, format!("fee {number}: booking {booking_id} does not explain a {reason} charge"));
        }
    }

    fn waive(&mut self, number: &'a str, line: &'a Fields, findings: &mut Findings) {
        let waives = line.text("waives");
        let Some((charged, waived_by)) = self.charged.get_mut(waives) else {
            findings.broken(7, format!("fee {number} waives {waives:?}, which is no charge before it"));
            return;
        };
        if let Some(other) = waived_by.replace(number) {
            findings.broken(7, format!("fee {waives} is waived twice: by {other} and {number}"));
        }
        for name in ["member", "booking", "amount", "currency"] {
            if charged.text(name) != line.text(name) {
                findings.broken(7, format!("fee {number} waives {waives} and has another {name}"));
            }
        }
    }
}

/// The event of a line's number says the same, while it is kept.
fn announced(number: &str, line: &Fields, picture: &Picture, findings: &mut Findings) {
    let first = picture.events.first().map(|event| event.number);
    let Some(index) =
        first.zip(number.parse().ok()).and_then(|(first, number): (i64, i64)| usize::try_from(number - first).ok())
    else {
        return;
    };
    let event = if line.text("kind") == "charged" { "fee_charged" } else { "fee_waived" };
    let told = picture.events.get(index).is_some_and(|told| {
        told.event == event && told.fee.as_deref() == Some(number) && told.booking.as_deref() == line.get("booking")
    });
    if !told {
        findings.broken(7, format!("fee {number} is not what event {number} says"));
    }
}

/// A member's own lines are found where they are looked for, under their numbers.
fn listed(id: &str, fees: &Scores, lines: Option<&BTreeSet<&str>>, findings: &mut Findings) {
    let sound = fees.iter().all(|(number, score)| score.to_string() == *number);
    if !sound || fees.keys().map(String::as_str).ne(lines.into_iter().flatten().copied()) {
        findings.broken(7, format!("member {id}: the lines listed are not those the ledger has of them"));
    }
}

fn balance(who: &str, field: &str, fields: &Fields, sum: Option<&i64>, findings: &mut Findings) {
    let (owed, sum) = (fields.count(field), sum.copied().unwrap_or(0));
    if owed != sum {
        findings.broken(7, format!("{who} owes {owed}, the lines of the ledger come to {sum}"));
    }
}
