//! Who moves up, and how far one change reaches.

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn a_freed_spot_goes_to_the_first_who_may_take_it() {
    let house = House::open(json!({})).await;
    house.members("ann ben cay dan").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben cay dan", "k").await;
    house.member("ben", json!({ "status": "blocked" })).await;
    let before = house.cursor().await;
    house.cancels("ann", "k").await;
    assert_eq!(house.statuses("ben cay dan", "k").await, "waitlisted booked waitlisted");
    assert_eq!(
        house.events_since(&before).await,
        ["booking_cancelled ann", "promotion_passed_over ben", "booking_promoted cay"]
    );
    house.is_sound().await;
}

#[tokio::test]
async fn a_promotion_leaves_overlapping_queues_and_looks_at_them_again() {
    let house = House::open(json!({})).await;
    house.members("ann ben cay").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.class("l", json!({ "capacity": 1, "starts_at": "2026-03-05T17:30:00Z" })).await;
    house.all_book("ann ben", "k").await;
    house.all_book("cay ben", "l").await;
    house.cancels("ann", "k").await;
    assert_eq!(
        (house.status("ben", "k").await.as_str(), house.status("ben", "l").await.as_str()),
        ("booked", "cancelled")
    );
    house.is_sound().await;
}

#[tokio::test]
async fn an_obstacle_that_goes_elsewhere_lets_somebody_move_up() {
    let house = House::open(json!({ "booking": { "daily_limit": 1 } })).await;
    house.members("ann ben").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.class("l", json!({ "starts_at": "2026-03-05T12:00:00Z" })).await;
    house.all_book("ann ben", "k").await;
    house.all_book("ben", "l").await;
    house.cancels("ann", "k").await;
    assert_eq!(house.status("ben", "k").await, "waitlisted");
    house.cancels("ben", "l").await;
    assert_eq!(house.status("ben", "k").await, "booked");
    house.is_sound().await;
}

/// One cancelled class frees ben for a spot, which forgives ann's late cancel there, which gives her the clip she lacks
/// for a spot in a third class; and she had been looked at before.
#[tokio::test]
async fn whoever_is_touched_again_is_looked_at_again() {
    let house = House::open(json!({ "waitlist": { "leave_overlapping": false } })).await;
    house.members("ben one two").await;
    house.member("ann", json!({ "plan": "clips", "clips": 1 })).await;
    let never_free = json!({ "cancel": { "free_until": "P6D", "late": "charged", "forgive_if_refilled": true } });
    house.class("l", json!({ "capacity": 1, "policy": never_free })).await;
    house.class("m", json!({ "capacity": 1, "starts_at": "2026-03-05T17:30:00Z" })).await;
    house.class("y", json!({ "capacity": 1, "starts_at": "2026-03-06T17:00:00Z" })).await;
    house.all_book("one", "y").await;
    house.all_book("ann", "y").await;
    house.all_book("two ann ben", "m").await;
    house.all_book("ann ben", "l").await;
    // ann's spot overlaps, so ben gets the one in m; then she gives hers up, late, and his own bars him from it.
    house.cancels("two", "m").await;
    assert_eq!(house.statuses("ann ben", "m").await, "waitlisted booked");
    house.cancels("ann", "l").await;
    house.cancels("one", "y").await;
    assert_eq!(house.statuses("ann ben", "l").await, "late_cancelled waitlisted");
    assert_eq!(house.status("ann", "y").await, "waitlisted");
    house.is_sound().await;
    house.call("cancel_class", &["m", "flooded"]).await;
    assert_eq!(
        (house.status("ben", "l").await.as_str(), house.status("ann", "y").await.as_str()),
        ("booked", "booked")
    );
    house.is_sound().await;
}

#[tokio::test]
async fn after_promotion_has_closed_the_first_to_come_takes_the_spot() {
    let house = House::open(json!({ "waitlist": { "promote_until": "PT2H", "grace": "PT30M" } })).await;
    house.members("ann ben cay dan").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben cay", "k").await;
    house.at("2026-03-05T15:00:00Z").await;
    let before = house.cursor().await;
    house.cancels("ann", "k").await;
    assert_eq!(house.events_since(&before).await, ["booking_cancelled ann", "spot_freed"]);
    assert_eq!(house.statuses("ben cay", "k").await, "waitlisted waitlisted");
    let taken = house.books("cay", "k").await;
    assert_eq!((taken.tag.as_str(), taken.field("status").as_str()), ("REPEATED", "booked"));
    assert_eq!(house.books("ben", "k").await.field("status"), "waitlisted");
    // Grace holds for a spot that was taken so.
    house.at("2026-03-05T15:29:59Z").await;
    assert_eq!(house.call("preview_cancel", &[&house.id("cay", "k"), "cay"]).await.text(0), "free");
    house.cancels("cay", "k").await;
    assert_eq!(house.books("dan", "k").await.tag, "BOOKED");
    house.is_sound().await;
}
