//! Repeating is safe: without a key by what is there already, with a key by the very same reply.

use serde_json::json;

use crate::support::api::World;

#[tokio::test]
async fn booking_again_answers_the_booking_there_is() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let first = ann.books(&class).await;
    let second = ann.books(&class).again().await;
    assert_eq!(first.body, second.body);
    assert_eq!(org.counts(&class).await, (1, 9, 0));
    let by_the_desk = org.desk().books_for(&ann, &class).again().await;
    assert_eq!(by_the_desk.body, first.body);
}

#[tokio::test]
async fn queueing_again_answers_the_place_there_is() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let full = org.full_class(json!({})).await;
    let first = ann.queues_for(&full).await;
    bob.queues_for(&full).await;
    let second = ann.queues_for(&full).again().await;
    assert_eq!(first.body, second.body);
    let without_waitlist =
        ann.books(&full).with_body(json!({ "waitlist": false })).again().becoming("waitlisted").await;
    assert_eq!(without_waitlist.body, first.body);
}

#[tokio::test]
async fn a_repeat_is_answered_even_when_the_member_may_no_longer_book() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    ann.books(&class).await;
    org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    ann.books(&class).again().await;
}

#[tokio::test]
async fn booking_after_cancelling_makes_a_new_booking() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let first = ann.books(&class).await;
    ann.cancels(&first).becoming("cancelled").await;
    let second = ann.books(&class).await;
    assert_ne!(first.body["id"], second.body["id"]);
    org.finds(&first, "cancelled").await;
}

#[tokio::test]
async fn the_same_key_gets_the_same_reply_verbatim() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let first = ann.books(&class).key("k1").await;
    ann.cancels(&first).key("k2").becoming("cancelled").await;
    world.sets_clock("2026-03-03T07:59:59.999Z").await;
    let again = ann.books(&class).key("k1").await;
    assert_eq!((again.status, &again.body, &again.cursor), (201, &first.body, &first.cursor));
    org.finds(&first, "cancelled").await;
    let cancelled_again = ann.cancels(&first).key("k2").becoming("cancelled").await;
    assert_eq!(cancelled_again.body["id"], first.body["id"]);
    assert_eq!(org.counts(&class).await, (0, 10, 0));
}

#[tokio::test]
async fn the_order_of_fields_in_a_body_is_no_difference() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let first = ann.books(&class).with_body(json!({ "member": "ann", "waitlist": true })).key("k").await;
    let again = ann.books(&class).with_body(json!({ "waitlist": true, "member": "ann" })).key("k").await;
    assert_eq!(first.body, again.body);
}

#[tokio::test]
async fn a_key_is_bound_to_its_method_path_and_body() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let (class, other) = (org.class(json!({})).await, org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await);
    let booking = ann.books(&class).key("k").await;
    let before = org.cursor().await;
    for (call, what) in [
        (ann.books(&class).with_body(json!({ "waitlist": false })), "another body"),
        (ann.books(&other), "another path"),
        (ann.cancels(&booking), "another action"),
    ] {
        assert_eq!(call.key("k").refused("idempotency_mismatch").await.status, 422, "{what}");
    }
    let desk = org.desk();
    desk.put("/v1/clubs/north", json!({ "name": "North" })).key("m").await;
    desk.post("/v1/clubs/north", json!({ "name": "North" })).key("m").answers(405).await;
    desk.put("/v1/clubs/north", json!({ "name": "Norte" })).key("m").refused("idempotency_mismatch").await;
    let after = org.cursor().await;
    let told = desk.events_after(&before).await;
    assert_eq!(told.items().len(), 1, "only the club: {:?} {before} {after}", told.items());
}

#[tokio::test]
async fn a_key_belongs_to_its_caller() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let class = org.class(json!({})).await;
    let first = ann.books(&class).key("k").await;
    let second = bob.books(&class).key("k").await;
    assert_ne!(first.body["id"], second.body["id"]);
    // The same subject in another role is another caller, and so is one of another organisation.
    let same_name = org.caller("ann", "staff");
    same_name.put("/v1/clubs/north", json!({ "name": "North" })).key("k").await;
    let elsewhere = world.org("standard").await;
    elsewhere.member("ann").await.books(&elsewhere.class(json!({})).await).key("k").await;
}

#[tokio::test]
async fn after_24_hours_a_key_is_judged_anew() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": "2026-03-05T12:00:00Z" })).await;
    let first = ann.books(&class).key("k").await;
    ann.cancels(&first).await;
    world.sets_clock("2026-03-03T07:59:59.999Z").await;
    assert_eq!(ann.books(&class).key("k").await.body, first.body);
    world.sets_clock("2026-03-03T08:00:00Z").await;
    let anew = ann.books(&class).key("k").await;
    assert_ne!(anew.body["id"], first.body["id"]);
}

#[tokio::test]
async fn a_refused_call_is_not_remembered() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member_with("ann", json!({ "status": "blocked" })).await;
    let class = org.class(json!({})).await;
    ann.books(&class).key("k").refused("not_entitled").await;
    org.desk().upserts("ann", json!({})).await;
    ann.books(&class).key("k").await;
}

#[tokio::test]
async fn a_refused_key_can_be_used_for_something_else() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    ann.books(&"nothing").key("k").refused("not_found").await;
    ann.books(&class).key("k").await;
}

#[tokio::test]
async fn a_key_makes_publishing_safe_to_repeat() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let body =
        json!({ "club": "main", "title": "Spin", "starts_at": "2026-03-03T12:00:00Z", "minutes": 45, "capacity": 12 });
    let first = desk.post("/v1/classes", body.clone()).key("k").answers(201).await;
    let again = desk.post("/v1/classes", body.clone()).key("k").answers(201).await;
    assert_eq!(first.body, again.body);
    let without_key = desk.post("/v1/classes", body).answers(201).await;
    assert_ne!(without_key.body["id"], first.body["id"]);
    assert_eq!(desk.get("/v1/classes").await.items().len(), 2);
}

#[tokio::test]
async fn publishing_repeated_under_another_policy_gets_the_same_reply() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let six_weeks = json!({ "booking": { "opens": { "before": "P42D" } } });
    let body = json!({
        "club": "main", "title": "PT", "starts_at": "2026-03-03T12:00:00Z", "minutes": 45, "capacity": 1,
        "policy": six_weeks,
    });
    let first = desk.post("/v1/classes", body.clone()).key("k").answers(201).await;
    let mut policy = desk.get("/v1/org").await.at("/policy").clone();
    policy["booking"]["opens"] = json!({ "days": 2, "at": "08:00" });
    org.admin().put("/v1/org/policy", policy).await;
    let again = desk.post("/v1/classes", body).key("k").answers(201).await;
    assert_eq!(first.body, again.body);
}

#[tokio::test]
async fn every_answer_to_a_write_says_where_the_stream_is() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let before = org.cursor().await;
    let booking = ann.books(&class).await;
    let confirmed = org.desk().events_after(&before).await;
    assert_eq!(confirmed.items().len(), 1);
    assert_eq!(confirmed.items()[0]["cursor"].as_str(), booking.cursor.as_deref());
    assert_eq!(ann.books(&class).again().await.cursor, booking.cursor, "a write that changed nothing: the latest");
    let refused = org.desk().books_for(&org.caller("stranger", "member"), &class).refused("invalid").await;
    assert!(refused.cursor.is_none() || refused.cursor == booking.cursor);
    let cancelled = ann.cancels(&booking).await;
    assert_ne!(cancelled.cursor, booking.cursor);
    let deleted = org.desk().erases(&ann).await;
    assert_ne!(deleted.cursor, cancelled.cursor);
}
