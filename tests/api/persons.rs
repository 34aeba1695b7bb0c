//! People whose ids are what identity providers make of them: every way through the service, none taken for another.

use serde_json::{Value, json};

use crate::support::api::{Named, Org, Person, World};

/// A path segment or a query's value.
fn part(id: &str) -> String {
    id.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Ids that a key, a path, a cursor or a timer could take for something else.
fn odd() -> Vec<String> {
    let longest = "f:332a234e-31b2-4c5d-9e6f-0a1b2c3d4e5f:".to_owned() + &"x".repeat(216);
    assert_eq!(longest.len(), 255);
    [
        "f:332a234e-31b2-4c5d-9e6f-0a1b2c3d4e5f:ann",
        "o'neill@example.com",
        "oauth/google:10104",
        "oauth%2Fgoogle%3A10104",
        "a%2Fb",
        "a/b",
        "a%b",
        "{x}",
        "m",
        "m:upcoming",
        "m:history",
        "m%3Aupcoming",
        "https://idp.example/users?id=7#me",
        "auth0|0123456789012345678901234567890123456789012345678901234567890123",
        "CN=Ann,OU=People;O=[x]*",
        "1772438400000:m",
        "&amp;$(id)`~^!",
        &longest,
    ]
    .map(str::to_owned)
    .to_vec()
}

async fn puts(org: &Org, id: &str, name: &str) -> Person {
    let body = json!({ "name": name, "membership": { "plan": "unlimited", "status": "active" } });
    let put = org.desk().put(&format!("/v1/members/{}", part(id)), body).await;
    assert_eq!(put.id(), id);
    org.caller(id, "member")
}

#[tokio::test]
async fn people_of_any_provider_book_queue_move_up_and_arrive() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let ids = odd();
    let mut people = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        people.push(puts(&org, id, &format!("Person {n}")).await);
    }
    // One spot; everybody waits behind the first.
    let class = org.class(json!({ "capacity": 1 })).await;
    let mut bookings = Vec::new();
    for (n, person) in people.iter().enumerate() {
        let booked = if n == 0 { person.books(&class).await } else { person.queues_for(&class).await };
        assert_eq!(booked.text("/member"), ids[n]);
        bookings.push(booked);
    }
    let roster = desk.roster(&class).await;
    assert_eq!(roster.text("/bookings/0/member"), ids[0]);
    let waiting: Vec<&str> =
        roster.at("/waitlist").as_array().unwrap().iter().map(|entry| entry["member"].as_str().unwrap()).collect();
    assert_eq!(waiting, ids[1..].iter().map(String::as_str).collect::<Vec<_>>());
    for (n, person) in people.iter().enumerate() {
        assert_eq!(person.get("/v1/me").await.text("/name"), format!("Person {n}"));
        let seen = desk.get(&format!("/v1/members/{}/standing", part(&ids[n]))).await;
        assert_eq!(seen.at("/upcoming"), &json!(1), "{}", ids[n]);
        let listed = desk.get(&format!("/v1/bookings?member={}", part(&ids[n]))).await;
        assert_eq!(listed.ids(), [bookings[n].id()], "{}", ids[n]);
        assert_eq!(person.sees(&class).await.text("/me/booking"), bookings[n].id());
        person.get(&format!("/v1/bookings/{}", bookings[(n + 1) % ids.len()].id())).refused("not_found").await;
        let found = desk.get(&format!("/v1/members?query={}", part(&ids[n]))).await;
        assert!(found.ids().contains(&ids[n].as_str()), "{} in {:?}", ids[n], found.ids());
        // The same key of two people is two keys.
        person.cancels(&bookings[n]).key("same").becoming("cancelled").await;
        if n + 1 < ids.len() {
            org.finds(&bookings[n + 1], "booked").await;
        }
    }
    let history = desk.history(&class).await.body.to_string();
    for id in &ids {
        assert!(history.contains(&Value::from(id.as_str()).to_string()), "{id}");
    }
    // Everybody in one class, each arrives at the kiosk by what they are called.
    let wide = org.class(json!({ "capacity": 50, "instructor": { "id": ids[2], "name": "Gerda" } })).await;
    for person in &people {
        person.books(&wide).await;
    }
    world.sets_clock("2026-03-03T11:50:00Z").await;
    for id in &ids {
        let arrived = desk.post("/v1/check-ins", json!({ "club": "main", "member": id })).await;
        assert_eq!((arrived.text("/member"), arrived.text("/status")), (id.as_str(), "checked_in"));
    }
    // The instructor is one of them.
    let own = org.instructor(&ids[2]).roster(&wide).await;
    assert_eq!(own.at("/bookings").as_array().unwrap().len(), ids.len());
    org.instructor(&ids[3]).roster(&wide).refused("not_found").await;
    let taught = desk.get(&format!("/v1/classes?instructor={}", part(&ids[2]))).await;
    assert_eq!(taught.ids(), [wide.id()]);
}

#[tokio::test]
async fn a_ban_ends_and_an_erasure_reaches_whoever_it_is_of_and_nobody_else() {
    let world = World::new().await;
    let org =
        world.org_under("standard", json!({ "attendance": { "strikes": 1, "untouched_roster": "penalise" } })).await;
    let ids = odd();
    let class = org.class(json!({ "capacity": 50 })).await;
    for id in &ids {
        puts(&org, id, "Person").await.books(&class).await;
    }
    world.sets_clock("2026-03-03T14:00:00Z").await;
    for id in &ids {
        let standing = org.desk().get(&format!("/v1/members/{}/standing", part(id))).await;
        assert_eq!(standing.at("/strikes").as_array().unwrap().len(), 1, "{id}");
        assert!(standing.at("/banned_until").is_string(), "{id}");
    }
    org.desk().post(&format!("/v1/members/{}/lift-ban", part(&ids[2])), json!({ "reason": "ill" })).await;
    world.sets_clock("2026-04-03T14:00:00Z").await;
    for (n, id) in ids.iter().enumerate() {
        org.desk().delete(&format!("/v1/members/{}", part(id))).await;
        org.desk().get(&format!("/v1/members/{}", part(id))).refused("not_found").await;
        assert_eq!(org.desk().get("/v1/members?limit=200").await.ids().len(), ids.len() - n - 1);
    }
}

#[tokio::test]
async fn all_of_them_are_listed_page_by_page() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let mut ids = odd();
    for id in &ids {
        puts(&org, id, "Same Name").await;
    }
    ids.sort();
    for query in ["", "&query=same+na"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = org.desk().get(&format!("/v1/members?limit=4{query}{cursor}")).await;
            found.extend(page.ids().into_iter().map(str::to_owned));
            match page.at("/next").as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, ids, "{query}");
    }
}

#[tokio::test]
async fn what_is_nobodys_id_is_refused_and_creates_nothing() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let body = json!({ "name": "Ann", "membership": { "plan": "unlimited", "status": "active" } });
    let longer = "x".repeat(256);
    for id in ["a b", "a\"b", "a\\b", "<a>", "å", "a\tb", "a\u{7f}", longer.as_str()] {
        let path = format!("/v1/members/{}", part(id));
        let refused = org.desk().put(&path, body.clone()).refused("invalid").await;
        assert_eq!(refused.pointers(), ["/id"], "{id:?}");
        org.desk().get(&path).refused("not_found").await;
        org.desk().post("/v1/check-ins", json!({ "club": "main", "member": id })).refused("invalid").await;
    }
    // What this service names is named as before.
    for id in ["a:b", "a%2Fb", "'x'"] {
        let path = format!("/v1/clubs/{}", part(id));
        org.desk().put(&path, json!({ "name": "Club" })).refused("invalid").await;
    }
    assert!(org.desk().get("/v1/members").await.ids().is_empty());
}
