//! What the stories of the roll share: a class tomorrow at noon, and people with a spot in it or waiting.

use serde_json::{Value, json};

use crate::support::api::{Named, Org, Person, Reply, World};

/// Fees, no-shows and a late check-in as `pulsn-dk` has them, with strikes as the others do.
pub fn strict() -> Value {
    json!({ "attendance": { "strikes": 2, "untouched_roster": "penalise", "minimum": 0 }, "booking": { "daily_limit": null } })
}

/// A world with one organisation.
pub struct Story {
    pub world: World,
    pub org: Org,
}

impl Story {
    /// `pulsn-dk` under a merge patch; it is 2 March 2026, 8:00 UTC.
    pub async fn under(patch: Value) -> Story {
        Story::of("pulsn-dk", patch).await
    }

    pub async fn of(preset: &str, patch: Value) -> Story {
        let world = World::new().await;
        let org = world.org_under(preset, patch).await;
        Story { world, org }
    }

    /// A class of so many spots tomorrow at noon, UTC.
    pub async fn class(&self, capacity: u32) -> Reply {
        self.org.class(json!({ "capacity": capacity })).await
    }

    /// A class at another start.
    pub async fn class_at(&self, start: &str) -> Reply {
        self.org.class(json!({ "starts_at": start })).await
    }

    /// A new member with a spot in the class.
    pub async fn booked(&self, id: &str, class: &Reply) -> (Person, Reply) {
        let member = self.org.member(id).await;
        let booking = member.books(class).await;
        (member, booking)
    }

    /// A new member on the class's waitlist.
    pub async fn waiting(&self, id: &str, class: &Reply) -> (Person, Reply) {
        let member = self.org.member(id).await;
        let booking = member.queues_for(class).await;
        (member, booking)
    }

    pub async fn at(&self, now: &str) {
        self.world.sets_clock(now).await;
    }

    /// The desk checks a booking in.
    pub async fn checks_in(&self, booking: &Reply) -> Reply {
        self.org.desk().act(&format!("/v1/bookings/{}/check-in", booking.id())).await
    }

    pub async fn undoes(&self, booking: &Reply) -> Reply {
        self.org.desk().act(&format!("/v1/bookings/{}/undo-check-in", booking.id())).await
    }

    pub async fn excuses(&self, booking: &Reply) -> Reply {
        self.org.desk().post(&format!("/v1/bookings/{}/excuse", booking.id()), json!({ "reason": "ill" })).await
    }

    /// The booking as it is now.
    pub async fn sees(&self, booking: &Reply) -> Value {
        self.org.desk().sees_booking(booking).await.body
    }

    pub async fn status(&self, booking: &Reply) -> String {
        self.sees(booking).await["status"].as_str().unwrap().to_owned()
    }

    pub async fn standing(&self, member: &Person) -> Value {
        self.org.desk().standing_of(&member.sub).await.body
    }

    /// The ledger: kind, reason and amount of each line.
    pub async fn ledger(&self) -> Vec<(String, String, i64)> {
        let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        let fees = self.org.desk().fees().await;
        let line =
            |line: &Value| (text(line, "kind"), text(line, "reason"), line["amount"]["amount"].as_i64().unwrap());
        fees.items().iter().map(line).collect()
    }

    /// How often the class's history has the event.
    pub async fn told(&self, class: &Reply, event: &str) -> usize {
        self.org.desk().history(class).await.items().iter().filter(|line| line["event"] == event).count()
    }
}

pub fn charged(reason: &str, amount: i64) -> (String, String, i64) {
    ("charged".to_owned(), reason.to_owned(), amount)
}

pub fn waived(reason: &str, amount: i64) -> (String, String, i64) {
    ("waived".to_owned(), reason.to_owned(), amount)
}
