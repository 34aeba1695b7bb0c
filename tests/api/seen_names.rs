//! Names and titles that nobody could read, or that would read as something else.

use serde_json::{Value, json};

use crate::support::api::World;

/// Only what is not drawn; and what turns the direction of writing.
const BAD: [&str; 8] =
    ["\u{200b}", "\u{3164}", "\u{2800}\u{feff}", "\u{ad}", "Ann\u{202e}nnA", "\u{2066}Ann", "Ann\u{2069}", "\u{202a}A"];

#[tokio::test]
async fn a_name_that_cannot_be_seen_or_that_turns_the_writing_is_refused_wherever_there_are_names() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let (desk, operator) = (org.desk(), world.operator());
    let class = org.class(json!({})).await;
    let class = class.text("/id").to_owned();
    let published = json!({ "club": "main", "title": "Yoga", "starts_at": "2026-03-05T18:00:00Z", "minutes": 60, "capacity": 5,
        "instructor": { "id": "i", "name": "Kim" } });
    let series = json!({ "club": "main", "title": "Spin", "starts_on": "2026-03-02", "time": "18:00",
        "rrule": "FREQ=DAILY", "minutes": 45, "capacity": 20 });
    let member = json!({ "name": "Ann", "membership": { "plan": "unlimited", "status": "active" } });
    let table = [
        (&operator, "PUT", "/v1/orgs/new".to_owned(), json!({}), "/name"),
        (&desk, "PUT", "/v1/clubs/new".to_owned(), json!({}), "/name"),
        (&desk, "PUT", "/v1/members/new".to_owned(), member, "/name"),
        (&desk, "POST", "/v1/classes".to_owned(), published.clone(), "/title"),
        (&desk, "POST", "/v1/classes".to_owned(), published.clone(), "/category"),
        (&desk, "POST", "/v1/classes".to_owned(), published.clone(), "/room"),
        (&desk, "POST", "/v1/classes".to_owned(), published, "/instructor/name"),
        (&desk, "PATCH", format!("/v1/classes/{class}"), json!({}), "/title"),
        (&desk, "POST", "/v1/series".to_owned(), series, "/title"),
        (&desk, "POST", format!("/v1/classes/{class}/cancel"), json!({}), "/reason"),
    ];
    let before = org.cursor().await;
    for (who, method, path, body, pointer) in table {
        for name in BAD {
            let mut body: Value = body.clone();
            match pointer.rsplit_once('/') {
                Some(("", field)) => body[field] = json!(name),
                Some((object, field)) => body[&object[1..]][field] = json!(name),
                None => unreachable!("a pointer begins with a slash"),
            }
            let call = who.call(method.parse().unwrap(), &path, Some(body));
            let refused = call.refused("invalid").await;
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{method} {path} {name:?}");
        }
    }
    assert_eq!(org.cursor().await, before);
    // What only marks a direction, or joins a picture, belongs to names.
    for name in ["محمد\u{200f}", "👩\u{200d}🚀", "Åse Berg-Žydrė"] {
        desk.put("/v1/clubs/new", json!({ "name": name })).await;
    }
}
