//! The roster, for those who take the roll; and the history, which explains how it came about.

use serde_json::{Value, json};

use crate::support::api::{Named, World};

fn names(list: &Value) -> Vec<(&str, &str)> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["member"].as_str().unwrap(), entry["status"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_roster_has_the_names_of_those_booked_and_of_those_waiting() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    org.desk()
        .put("/v1/members/cid", json!({ "name": "Cid Å.", "membership": { "plan": "unlimited", "status": "active" } }))
        .await;
    let class = org.class(json!({ "capacity": 1 })).await;
    let booking = ann.books(&class).await;
    let place = org.caller("cid", "member").queues_for(&class).await;
    bob.queues_for(&class).await;
    let roster = org.desk().roster(&class).await;
    assert_eq!(roster.at("/class/id"), &json!(class.id()));
    assert_eq!(names(roster.at("/bookings")), [("ann", "booked")]);
    assert_eq!(names(roster.at("/waitlist")), [("cid", "waitlisted"), ("bob", "waitlisted")]);
    let mut expected = booking.body.clone();
    expected["name"] = json!("ann");
    expected["first_time"] = json!(false);
    assert_eq!(roster.at("/bookings/0"), &expected);
    let mut expected = place.body.clone();
    expected["name"] = json!("Cid Å.");
    expected["first_time"] = json!(false);
    assert_eq!(roster.at("/waitlist/0"), &expected);
    assert_eq!((roster.at("/waitlist/0/position"), roster.at("/waitlist/1/position")), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn an_offered_spot_stands_with_the_bookings_and_what_ended_does_not() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "waitlist": { "mode": "offer" } })).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    ann.queues_for(&full).await;
    full.frees().await;
    let roster = org.desk().roster(&full).await;
    assert_eq!(names(roster.at("/bookings")), [("ann", "offered")]);
    assert_eq!(roster.at("/waitlist"), &json!([]));
}

#[tokio::test]
async fn an_instructor_sees_the_rosters_of_their_own_classes_only() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "instructor": { "id": "ida", "name": "Ida" } })).await;
    let nobodys = org.class(json!({})).await;
    org.instructor("ida").roster(&class).await;
    org.instructor("ole").roster(&class).refused("not_found").await;
    org.instructor("ida").roster(&nobodys).refused("not_found").await;
    org.instructor("ida").roster(&"nothing").refused("not_found").await;
}

#[tokio::test]
async fn a_substitute_sees_the_roster_and_the_replaced_instructor_does_not() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "instructor": { "id": "ida", "name": "Ida" } })).await;
    org.desk().changes(&class, json!({ "instructor": { "id": "ole", "name": "Ole" } })).await;
    org.instructor("ole").roster(&class).await;
    org.instructor("ida").roster(&class).refused("not_found").await;
}

#[tokio::test]
async fn a_history_tells_everything_in_order_and_by_whom() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    org.desk().changes(&full, json!({ "room": "Hall 1" })).await;
    full.frees().await;
    org.desk().cancels(&place).with_body(json!({ "reason": "called in" })).await;
    org.desk().cancels_class(&full).await;
    let history = org.desk().history(&full).await;
    let told: Vec<(&str, Option<&str>, &str)> = history
        .items()
        .iter()
        .map(|line| (line["event"].as_str().unwrap(), line["member"].as_str(), line["by"]["sub"].as_str().unwrap()))
        .collect();
    let holder = full.holder.sub.as_str();
    let expected = [
        ("class_published", None, "desk"),
        ("booking_confirmed", Some(holder), holder),
        ("waitlist_joined", Some("ann"), "ann"),
        ("class_changed", None, "desk"),
        ("booking_cancelled", Some(holder), holder),
        ("booking_promoted", Some("ann"), holder),
        ("booking_cancelled", Some("ann"), "desk"),
        ("class_cancelled", None, "desk"),
    ];
    assert_eq!(told, expected);
    assert!(history.items().iter().all(|line| line["class"] == json!(full.id())));
}

#[tokio::test]
async fn a_history_explains_who_was_passed_over_for_whom() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob, cid] = org.members(["ann", "bob", "cid"]).await;
    let full = org.full_class(json!({})).await;
    for member in [&ann, &bob, &cid] {
        member.queues_for(&full).await;
    }
    org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    org.desk().upserts("bob", json!({ "plan": "clips", "clips": 0 })).await;
    full.frees().await;
    let history = org.desk().history(&full).await;
    let last = &history.items()[history.items().len() - 3..];
    let who: Vec<(&str, Option<&str>)> =
        last.iter().map(|line| (line["event"].as_str().unwrap(), line["member"].as_str())).collect();
    let expected = [
        ("booking_cancelled", Some(full.holder.sub.as_str())),
        ("promotion_passed_over", None),
        ("booking_promoted", Some("cid")),
    ];
    assert_eq!(who, expected);
    let passed = last[1]["data"]["passed"].as_array().unwrap();
    let why: Vec<(&str, &str)> =
        passed.iter().map(|one| (one["member"].as_str().unwrap(), one["reason"].as_str().unwrap())).collect();
    assert_eq!(why, [("ann", "not_entitled"), ("bob", "no_clips")]);
    assert!(passed.iter().all(|one| one["booking"].is_string()), "{passed:?}");
}

#[tokio::test]
async fn a_history_comes_page_by_page() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    for _ in 0..3 {
        ann.cancels(&ann.books(&class).await).await;
    }
    let desk = org.desk();
    let whole = desk.history(&class).await;
    assert_eq!((whole.items().len(), whole.at("/next")), (7, &json!(null)));
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = desk.get(&format!("/v1/classes/{}/history?limit=2{cursor}", class.id())).await;
        found.extend(page.items().to_vec());
        match page.at("/next").as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, whole.items());
}

#[tokio::test]
async fn the_stream_and_the_history_say_the_same_of_a_class() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    ann.queues_for(&full).await;
    full.frees().await;
    let stream = org.desk().get("/v1/events?limit=200").await;
    let of_class: Vec<&Value> = stream.items().iter().filter(|event| event["class"] == json!(full.id())).collect();
    let history = org.desk().history(&full).await;
    assert_eq!(of_class, history.items().iter().collect::<Vec<_>>());
}
