//! How much one member may hold: bookings on a day, places ahead, and nothing at the same time.

use serde_json::{Value, json};

use crate::support::api::World;

fn at(starts_at: &str) -> Value {
    json!({ "starts_at": starts_at })
}

#[tokio::test]
async fn three_bookings_a_day_are_allowed_and_a_fourth_is_not() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    for hour in ["08", "10", "12"] {
        ann.books(&org.class(at(&format!("2026-03-03T{hour}:00:00Z"))).await).await;
    }
    let fourth = org.class(at("2026-03-03T14:00:00Z")).await;
    ann.books(&fourth).refused("daily_limit").await;
    assert_eq!(ann.sees(&fourth).await.at("/can_book"), &json!({ "allowed": false, "code": "daily_limit" }));
    ann.books(&org.class(at("2026-03-04T14:00:00Z")).await).await;
}

#[tokio::test]
async fn the_day_is_the_local_day_of_the_class() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = org.member("ann").await;
    let late = org.class(json!({ "starts_at": "2026-03-03T23:30:00+01:00", "minutes": 30 })).await;
    let after_midnight = org.class(json!({ "starts_at": "2026-03-04T00:15:00+01:00", "minutes": 30 })).await;
    let morning = org.class(at("2026-03-03T00:15:00+01:00")).await;
    assert_eq!((late.text("/terms/date"), after_midnight.text("/terms/date")), ("2026-03-03", "2026-03-04"));
    ann.books(&late).await;
    ann.books(&after_midnight).await;
    ann.books(&morning).refused("daily_limit").await;
}

#[tokio::test]
async fn a_cancelled_booking_no_longer_counts_for_its_day() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = org.member("ann").await;
    let (first, second) = (org.class(at("2026-03-03T08:00:00Z")).await, org.class(at("2026-03-03T10:00:00Z")).await);
    let booking = ann.books(&first).await;
    ann.books(&second).refused("daily_limit").await;
    ann.cancels(&booking).becoming("cancelled").await;
    ann.books(&second).await;
}

#[tokio::test]
async fn a_late_cancelled_booking_no_longer_counts_for_its_day() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = org.member("ann").await;
    let (first, second) = (org.class(at("2026-03-03T08:00:00Z")).await, org.class(at("2026-03-03T12:00:00Z")).await);
    let booking = ann.books(&first).await;
    world.sets_clock("2026-03-03T07:00:00Z").await;
    ann.books(&second).refused("daily_limit").await;
    ann.cancels(&booking).becoming("late_cancelled").await;
    ann.books(&second).await;
}

#[tokio::test]
async fn a_waiting_place_counts_for_no_day_but_is_not_given_to_who_holds_enough() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = org.member("ann").await;
    let first = org.full_class(at("2026-03-03T08:00:00Z")).await;
    let second = org.class(at("2026-03-03T10:00:00Z")).await;
    let third = org.full_class(at("2026-03-03T12:00:00Z")).await;
    ann.queues_for(&first).await;
    ann.books(&second).await;
    ann.books(&third).refused("daily_limit").await;
}

#[tokio::test]
async fn the_limit_of_the_class_being_booked_applies() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = org.member("ann").await;
    ann.books(&org.class(at("2026-03-03T08:00:00Z")).await).await;
    let pt = json!({ "starts_at": "2026-03-03T10:00:00Z", "policy": { "booking": { "daily_limit": null } } });
    ann.books(&org.class(pt).await).await;
    let two = json!({ "starts_at": "2026-03-03T12:00:00Z", "policy": { "booking": { "daily_limit": 2 } } });
    ann.books(&org.class(two).await).refused("daily_limit").await;
    let three = json!({ "starts_at": "2026-03-03T12:00:00Z", "policy": { "booking": { "daily_limit": 3 } } });
    ann.books(&org.class(three).await).await;
}

#[tokio::test]
async fn the_desk_is_bound_by_the_daily_limit() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = org.member("ann").await;
    org.desk().books_for(&ann, &org.class(at("2026-03-03T08:00:00Z")).await).await;
    org.desk().books_for(&ann, &org.class(at("2026-03-03T10:00:00Z")).await).refused("daily_limit").await;
}

#[tokio::test]
async fn an_offered_spot_counts_for_its_day() {
    let world = World::new().await;
    let org =
        world.org_under("standard", json!({ "booking": { "daily_limit": 1 }, "waitlist": { "mode": "offer" } })).await;
    let ann = org.member("ann").await;
    let full = org.full_class(at("2026-03-03T08:00:00Z")).await;
    let place = ann.queues_for(&full).await;
    full.frees().await;
    org.finds(&place, "offered").await;
    ann.books(&org.class(at("2026-03-03T10:00:00Z")).await).refused("daily_limit").await;
}

#[tokio::test]
async fn the_open_limit_counts_booked_and_waiting_places_of_classes_ahead() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "open_limit": 2 } })).await;
    let ann = org.member("ann").await;
    ann.books(&org.class(at("2026-03-03T08:00:00Z")).await).await;
    ann.queues_for(&org.full_class(at("2026-03-04T08:00:00Z")).await).await;
    let third = org.class(at("2026-03-05T08:00:00Z")).await;
    ann.books(&third).refused("open_limit").await;
    assert_eq!(ann.sees(&third).await.at("/can_book"), &json!({ "allowed": false, "code": "open_limit" }));
}

#[tokio::test]
async fn a_class_that_has_started_no_longer_counts_as_open() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "open_limit": 1 } })).await;
    let ann = org.member("ann").await;
    ann.books(&org.class(at("2026-03-03T08:00:00Z")).await).await;
    let next = org.class(at("2026-03-04T08:00:00Z")).await;
    world.sets_clock("2026-03-03T07:59:59.999Z").await;
    ann.books(&next).refused("open_limit").await;
    world.sets_clock("2026-03-03T08:00:00Z").await;
    ann.books(&next).await;
}

#[tokio::test]
async fn the_open_limit_is_not_asked_again_at_promotion() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "open_limit": 2 } })).await;
    let ann = org.member("ann").await;
    let full = org.full_class(at("2026-03-04T08:00:00Z")).await;
    let place = ann.queues_for(&full).await;
    ann.books(&org.class(at("2026-03-05T08:00:00Z")).await).await;
    org.admin()
        .put("/v1/org/policy", {
            let mut policy = org.desk().get("/v1/org").await.at("/policy").clone();
            policy["booking"]["open_limit"] = json!(1);
            policy
        })
        .await;
    full.frees().await;
    org.finds(&place, "booked").await;
}

#[tokio::test]
async fn two_classes_at_the_same_time_cannot_both_be_booked() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.desk().put("/v1/clubs/south", json!({ "name": "South" })).await;
    let ann = org.member("ann").await;
    ann.books(&org.class(json!({ "starts_at": "2026-03-03T12:00:00Z", "minutes": 60 })).await).await;
    for (starts_at, minutes) in [
        ("2026-03-03T12:00:00Z", 60),
        ("2026-03-03T12:59:00Z", 60),
        ("2026-03-03T11:01:00Z", 60),
        ("2026-03-03T12:20:00Z", 10),
        ("2026-03-03T11:00:00Z", 180),
    ] {
        let other = org.class(json!({ "starts_at": starts_at, "minutes": minutes, "club": "south" })).await;
        ann.books(&other).refused("overlap").await;
        assert_eq!(ann.sees(&other).await.at("/can_book"), &json!({ "allowed": false, "code": "overlap" }));
    }
}

#[tokio::test]
async fn classes_that_touch_do_not_overlap() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    for starts_at in ["2026-03-03T12:00:00Z", "2026-03-03T13:00:00Z", "2026-03-03T11:00:00Z"] {
        ann.books(&org.class(json!({ "starts_at": starts_at, "minutes": 60 })).await).await;
    }
}

#[tokio::test]
async fn a_class_of_a_whole_day_overlaps_the_next_morning() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    ann.books(&org.class(json!({ "starts_at": "2026-03-03T12:00:00Z", "minutes": 1440 })).await).await;
    ann.books(&org.class(at("2026-03-04T11:59:00Z")).await).refused("overlap").await;
    ann.books(&org.class(at("2026-03-04T12:00:00Z")).await).await;
}

#[tokio::test]
async fn a_policy_can_allow_overlap() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let courts = json!({ "policy": { "booking": { "allow_overlap": true } } });
    ann.books(&org.class(json!({})).await).await;
    ann.books(&org.class(courts).await).await;
    ann.books(&org.class(json!({})).await).refused("overlap").await;
}

#[tokio::test]
async fn a_place_on_a_waitlist_overlaps_nothing() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let (one, two) = (org.full_class(json!({})).await, org.full_class(json!({})).await);
    ann.queues_for(&one).await;
    ann.queues_for(&two).await;
    ann.books(&org.class(json!({})).await).await;
    ann.books(&org.full_class(json!({})).await).refused("overlap").await;
}

#[tokio::test]
async fn limits_and_overlap_are_those_of_one_member() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1, "open_limit": 1 } })).await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let (one, two) = (org.class(json!({})).await, org.class(json!({})).await);
    ann.books(&one).await;
    bob.books(&two).await;
}
