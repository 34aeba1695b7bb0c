//! What a topic's document is by the API: the other way to know the same.

use serde_json::{Map, Value, json};

use crate::screen::{Screen, face_of};
use crate::support::api::{Call, Org, Person, Reply};

/// The document of a topic as this person would read it together.
pub async fn so(org: &Org, person: &Person, topic: &str) -> Value {
    let desk = org.desk();
    let (kind, name) = topic.split_once(':').unwrap_or((topic, ""));
    match kind {
        "class" => face_of(&answered(|| desk.sees(&name)).await.body),
        "day" => {
            let (club, date) = name.split_once(':').unwrap();
            let list = answered(|| desk.get(&format!("/v1/classes?club={club}&limit=200"))).await;
            let of_date = |class: &&Value| class["starts_at"].as_str().unwrap().starts_with(date);
            let classes = list.items().iter().filter(of_date);
            classes.map(|class| (class["id"].as_str().unwrap().to_owned(), face_of(class))).collect()
        }
        "roster" => roster_of(&answered(|| desk.roster(&name)).await.body),
        _ => me(org, person).await,
    }
}

impl Screen {
    /// Takes frames in until every document held is as the API has it.
    pub async fn comes_to_show_what_is_so(&mut self, org: &Org, person: &Person) {
        for topic in self.held.keys().cloned().collect::<Vec<_>>() {
            let expected = so(org, person, &topic).await;
            self.until(|screen| *screen.doc(&topic) == expected).await;
        }
    }
}

async fn me(org: &Org, person: &Person) -> Value {
    let mut bookings = Map::new();
    for when in ["upcoming", "past"] {
        let list = answered(|| person.get(&format!("/v1/bookings?when={when}&limit=200"))).await;
        for booking in list.items() {
            let class = answered(|| org.desk().sees(&booking["class"].as_str().unwrap())).await.body;
            let mut booking = booking.clone();
            for name in ["title", "club", "starts_at", "ends_at"] {
                booking[name] = class[name].clone();
            }
            bookings.insert(booking["id"].as_str().unwrap().to_owned(), booking);
        }
    }
    let standing = answered(|| person.standing()).await.body;
    json!({ "bookings": bookings, "standing": present(&standing) })
}

/// A read that is repeated while Redis is away.
pub async fn answered(call: impl Fn() -> Call) -> Reply {
    loop {
        let reply = call().send().await;
        if reply.status == 200 {
            return reply;
        }
        assert_eq!(reply.status, 503, "{reply:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// An object without its nulls.
fn present(body: &Value) -> Value {
    let known = body.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn roster_of(body: &Value) -> Value {
    let names = ["member", "name", "status", "position", "present", "late", "first_time"];
    let lines = ["bookings", "waitlist"].into_iter().flat_map(|list| body[list].as_array().unwrap());
    let lines: Map<String, Value> = lines
        .map(|line| {
            let known = names.into_iter().filter(|name| !line[*name].is_null());
            let shown: Value = known.map(|name| (name.to_owned(), line[name].clone())).collect();
            (line["id"].as_str().unwrap().to_owned(), shown)
        })
        .collect();
    json!({ "class": face_of(&body["class"]), "bookings": lines })
}
