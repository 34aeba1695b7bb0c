//! What a topic's document is by the API.

use serde_json::{Map, Value, json};

use crate::Result;
use crate::chain::Chain;

/// The names in a class's document.
const FACE: [&str; 13] = [
    "status",
    "capacity",
    "booked",
    "free",
    "waiting",
    "checked_in",
    "needed",
    "title",
    "room",
    "instructor",
    "starts_at",
    "ends_at",
    "revision",
];

/// What a member's document says of a booking's class.
const CLASS_OF: [&str; 4] = ["title", "club", "starts_at", "ends_at"];

/// The names in a line of a roster's document.
const LINE: [&str; 7] = ["member", "name", "status", "position", "present", "late", "first_time"];

/// Of `class:<id>`, `roster:<id>`, or `me` of this member.
pub async fn expected(chain: &mut Chain, member: &str, topic: &str) -> Result<Value> {
    match topic.split_once(':') {
        Some(("class", id)) => Ok(named(&chain.get(&format!("/v1/classes/{id}")).await?, &FACE)),
        Some(("roster", id)) => {
            let roster = chain.get(&format!("/v1/classes/{id}/roster")).await?;
            let lines = ["bookings", "waitlist"].into_iter().filter_map(|list| roster[list].as_array()).flatten();
            let lines: Map<String, Value> = lines.map(|line| (id_of(line), named(line, &LINE))).collect();
            Ok(json!({ "class": named(&roster["class"], &FACE), "bookings": lines }))
        }
        _ => {
            let mut lines = Map::new();
            for mut booking in bookings(chain, member).await? {
                let class =
                    chain.get(&format!("/v1/classes/{}", booking["class"].as_str().unwrap_or_default())).await?;
                for name in CLASS_OF {
                    booking[name] = class[name].clone();
                }
                lines.insert(id_of(&booking), booking);
            }
            let standing = chain.get(&format!("/v1/members/{member}/standing")).await?;
            let names: Vec<&str> = standing.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
            Ok(json!({ "bookings": lines, "standing": named(&standing, &names) }))
        }
    }
}

/// All of a member's, ended ones included.
pub async fn bookings(chain: &mut Chain, member: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for when in ["upcoming", "past"] {
        let mut after = String::new();
        loop {
            let page = chain.get(&format!("/v1/bookings?member={member}&when={when}&limit=200{after}")).await?;
            all.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = format!("&cursor={next}"),
                None => break,
            }
        }
    }
    Ok(all)
}

/// Where two documents differ first, if they do.
pub fn difference(shown: &Value, expected: &Value) -> Option<String> {
    match (shown, expected) {
        (Value::Object(shown), Value::Object(expected)) => {
            let names = shown.keys().chain(expected.keys());
            names.into_iter().find_map(|name| {
                let of = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                Some(format!("/{name}{}", difference(&of(shown), &of(expected))?))
            })
        }
        _ => (shown != expected).then(|| format!(": shown {shown}, so is {expected}")),
    }
}

fn id_of(booking: &Value) -> String {
    booking["id"].as_str().unwrap_or_default().to_owned()
}

/// Those names that have a value.
fn named(body: &Value, names: &[&str]) -> Value {
    let known = names.iter().filter(|name| !body[**name].is_null());
    known.map(|name| ((*name).to_owned(), body[*name].clone())).collect()
}
