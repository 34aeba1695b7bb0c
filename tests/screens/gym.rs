//! A chain whose clock runs and where it is always about noon, so that today's classes are today's at any hour.

use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use serde_json::{Value, json};

use crate::browser::Window;
use crate::support::api::{Org, Person, Reply, World, merge};

pub struct Gym {
    pub world: World,
    pub org: Org,
}

impl Gym {
    /// A chain on this preset, changed by a merge patch.
    pub async fn on(preset: &str, patch: Value) -> Gym {
        let world = World::under(|_| {});
        let mut changes = json!({ "timezone": where_it_is_noon() });
        merge(&mut changes, &patch);
        let org = world.org_under(preset, changes).await;
        Gym { world, org }
    }

    pub fn url(&self) -> String {
        self.world.services()[0].url()
    }

    /// A member with a name and a phone.
    pub async fn member(&self, id: &str, name: &str, phone: &str) -> Person {
        let membership = json!({ "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all" });
        let body = json!({ "name": name, "phone": phone, "membership": membership });
        self.org.desk().put(&format!("/v1/members/{id}"), body).await;
        self.org.caller(id, "member")
    }

    /// A class that starts so long from now.
    pub async fn class_in(&self, minutes: i64, changes: Value) -> Reply {
        let starts = Utc::now() + chrono::TimeDelta::minutes(minutes);
        let mut body = json!({
            "starts_at": starts.format("%Y-%m-%dT%H:%M:00Z").to_string(), "title": "Yoga", "room": "Hall 1",
            "instructor": { "id": "eva", "name": "Eva Lind" }, "category": "yoga",
        });
        merge(&mut body, &changes);
        self.org.class(body).await
    }

    /// The clock goes to so many minutes from now and stands there; what falls due by then is carried out.
    pub async fn clock_goes(&self, minutes: i64) {
        self.world.sets_clock(&(Utc::now() + chrono::TimeDelta::minutes(minutes)).to_rfc3339()).await;
    }

    /// Opens a screen, signed in by its link.
    pub async fn opens(&self, window: &Window, path: &str, who: &Person) {
        window.goes_to(&format!("{}{path}#token={}", self.url(), who.token())).await;
    }
}

/// A zone without summer time in which it is between 11 and 13 o'clock.
fn where_it_is_noon() -> String {
    let hours = 12 - i64::from(Utc::now().hour());
    // These zones' signs are reversed, and they end at -12.
    match hours.clamp(-11, 12) {
        0 => "Etc/GMT".to_owned(),
        east if east > 0 => format!("Etc/GMT-{east}"),
        west => format!("Etc/GMT+{}", -west),
    }
}

/// The clock time of a class as the screens show it.
pub fn time_of(class: &Reply) -> String {
    let starts = DateTime::parse_from_rfc3339(class.body["starts_at"].as_str().unwrap()).unwrap();
    starts.format("%H:%M").to_string()
}

/// Asks again until it is so.
pub async fn eventually(what: &str, so: impl AsyncFn() -> bool) {
    for _ in 0..200 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain until {what}");
}
