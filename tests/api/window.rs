//! When a class can be booked: from its opening on, until it closes.

use serde_json::json;

use crate::support::api::World;

/// Booked from 5 March on, 18:00 in Copenhagen.
const NEXT_WEEK: &str = "2026-03-12T18:00:00+01:00";

#[tokio::test]
async fn booking_opens_at_its_instant_and_not_a_millisecond_before() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": NEXT_WEEK })).await;
    assert_eq!((class.text("/status"), class.text("/terms/opens_at")), ("scheduled", "2026-03-05T18:00:00+01:00"));

    world.sets_clock("2026-03-05T17:59:59.999+01:00").await;
    let refused = ann.books(&class).refused("not_open").await;
    assert_eq!(refused.text("/until"), "2026-03-05T18:00:00+01:00");

    world.sets_clock("2026-03-05T18:00:00+01:00").await;
    ann.books(&class).await;
    assert_eq!(ann.sees(&class).await.text("/status"), "open");
}

#[tokio::test]
async fn a_class_not_yet_open_says_when_it_will_be() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": NEXT_WEEK })).await;
    let seen = ann.sees(&class).await;
    assert_eq!(
        seen.at("/can_book"),
        &json!({ "allowed": false, "code": "not_open", "until": "2026-03-05T18:00:00+01:00" })
    );
    assert_eq!(seen.at("/me"), &json!(null));
}

#[tokio::test]
async fn the_desk_is_bound_by_the_opening_too() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": NEXT_WEEK })).await;
    org.desk().books_for(&ann, &class).refused("not_open").await;
}

#[tokio::test]
async fn booking_can_open_at_a_fixed_local_time_some_days_before() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let opens = json!({ "booking": { "opens": { "before": null, "days": 2, "at": "08:00" } } });
    let class = org.class(json!({ "starts_at": NEXT_WEEK, "policy": opens })).await;
    world.sets_clock("2026-03-10T07:59:59.999+01:00").await;
    let refused = ann.books(&class).refused("not_open").await;
    assert_eq!(refused.text("/until"), "2026-03-10T08:00:00+01:00");
    world.sets_clock("2026-03-10T08:00:00+01:00").await;
    ann.books(&class).await;
}

#[tokio::test]
async fn booking_can_open_on_the_day_itself() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let opens = json!({ "booking": { "opens": { "before": null, "days": 0, "at": "06:00" } } });
    let class = org.class(json!({ "starts_at": NEXT_WEEK, "policy": opens })).await;
    assert_eq!(class.text("/terms/opens_at"), "2026-03-12T06:00:00+01:00");
}

#[tokio::test]
async fn booking_closes_at_its_instant_and_not_a_millisecond_before() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let class = org.class(json!({ "policy": { "booking": { "closes_before": "PT10M" } } })).await;
    world.sets_clock("2026-03-03T11:49:59.999Z").await;
    ann.books(&class).await;
    world.sets_clock("2026-03-03T11:50:00Z").await;
    let refused = bob.books(&class).refused("closed").await;
    assert_eq!(refused.at("/until"), &json!(null));
    assert_eq!(bob.sees(&class).await.at("/can_book"), &json!({ "allowed": false, "code": "closed" }));
}

#[tokio::test]
async fn booking_closes_at_the_start_where_the_policy_says_nothing_else() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let class = org.class(json!({})).await;
    world.sets_clock("2026-03-03T11:59:59.999Z").await;
    ann.books(&class).await;
    world.sets_clock("2026-03-03T12:00:00Z").await;
    bob.books(&class).refused("closed").await;
    org.desk().books_for(&bob, &class).refused("closed").await;
}

#[tokio::test]
async fn a_repeat_is_answered_only_while_booking_is_open() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    ann.books(&class).await;
    world.sets_clock("2026-03-03T12:00:00Z").await;
    ann.books(&class).refused("closed").await;
}

#[tokio::test]
async fn a_cancelled_class_cannot_be_booked_and_that_is_said_first() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": NEXT_WEEK })).await;
    org.desk().cancels_class(&class).await;
    ann.books(&class).refused("class_cancelled").await;
    assert_eq!(ann.sees(&class).await.at("/can_book"), &json!({ "allowed": false, "code": "class_cancelled" }));
}

#[tokio::test]
async fn a_class_is_finished_at_its_end() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    world.sets_clock("2026-03-03T12:59:59.999Z").await;
    ann.books(&class).refused("closed").await;
    world.sets_clock("2026-03-03T13:00:00Z").await;
    ann.books(&class).refused("class_finished").await;
    assert_eq!(ann.sees(&class).await.text("/status"), "finished");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_booked() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    ann.books(&"nothing").refused("not_found").await;
    org.caller("stranger", "member").books(&class).refused("not_found").await;
    let refused = org.desk().books_for(&org.caller("stranger", "member"), &class).refused("invalid").await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/member", "a body that names nobody");
}

#[tokio::test]
async fn classes_open_by_themselves_and_say_so_with_their_own_instant() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "starts_at": NEXT_WEEK })).await;
    world.sets_clock("2026-03-06T00:00:00Z").await;
    let opened = org.told(&class, "class_opened").await;
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0]["at"], "2026-03-05T18:00:00+01:00");
    assert_eq!(opened[0]["by"], json!({ "sub": "rollcall", "role": "system" }));
}
