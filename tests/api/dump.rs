//! Everything the API shows of an organisation, to be held against itself later.

use serde_json::{Map, Value};

use crate::support::api::{Org, Person, World};

/// Organisations, policy, clubs, classes with rosters and histories, members with bookings and standing, fees, events.
pub async fn dump(world: &World, org: &Org) -> Value {
    let desk = org.desk();
    let mut all = Map::new();
    all.insert("orgs".into(), world.operator().get("/v1/orgs").await.body);
    for path in ["/v1/clubs", "/v1/fees", "/v1/events", "/v1/series"] {
        all.insert(path.into(), Value::Array(every(&desk, path).await));
    }
    for class in every(&desk, "/v1/classes").await {
        let path = format!("/v1/classes/{}", class["id"].as_str().unwrap());
        for part in ["/roster", "/history"] {
            all.insert(format!("{path}{part}"), desk.get(&format!("{path}{part}")).await.body);
        }
        all.insert(path, class);
    }
    for member in every(&desk, "/v1/members").await {
        let id = member["id"].as_str().unwrap();
        all.insert(format!("standing of {id}"), desk.standing_of(id).await.body);
        all.insert(format!("bookings of {id}"), Value::Array(every(&desk, &format!("/v1/bookings?member={id}")).await));
        all.insert(format!("member {id}"), member);
    }
    Value::Object(all)
}

/// Every item of a list, page by page.
pub async fn every(person: &Person, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mark = if path.contains('?') { '&' } else { '?' };
    let mut cursor = String::new();
    loop {
        let page = person.get(&format!("{path}{mark}limit=200{cursor}")).await;
        items.extend(page.items().to_vec());
        match page.at("/next").as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}
