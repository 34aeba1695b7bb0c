//! Punch cards: a clip is taken with a spot, comes back with it, and is never owed.

use serde_json::{Value, json};

use crate::support::api::World;

fn card(clips: u32) -> Value {
    json!({ "plan": "clips", "clips": clips })
}

#[tokio::test]
async fn a_booking_takes_a_clip_and_a_cancel_in_time_gives_it_back() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", card(2)).await;
    let booking = ann.books(&org.class(json!({})).await).await;
    assert_eq!(booking.text("/paid_with"), "clip");
    assert_eq!(org.clips(&ann).await, 1);
    ann.cancels(&booking).becoming("cancelled").await;
    assert_eq!(org.clips(&ann).await, 2);
}

#[tokio::test]
async fn an_unlimited_membership_pays_with_itself() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    assert_eq!(ann.books(&org.class(json!({})).await).await.text("/paid_with"), "membership");
    assert_eq!(ann.standing().await.at("/clips"), &json!(null));
}

#[tokio::test]
async fn without_a_clip_nothing_is_booked() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", card(1)).await;
    ann.books(&org.class(json!({})).await).await;
    let second = org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
    ann.books(&second).refused("no_clips").await;
    assert_eq!(ann.sees(&second).await.at("/can_book"), &json!({ "allowed": false, "code": "no_clips" }));
    assert_eq!(org.clips(&ann).await, 0);
}

#[tokio::test]
async fn a_card_that_was_never_filled_has_no_clips() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", json!({ "plan": "clips" })).await;
    assert_eq!(org.clips(&ann).await, 0);
    ann.books(&org.class(json!({})).await).refused("no_clips").await;
}

#[tokio::test]
async fn waiting_takes_no_clip_and_promotion_takes_it() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", card(1)).await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    assert_eq!(org.clips(&ann).await, 1);
    full.frees().await;
    assert_eq!(org.finds(&place, "booked").await.text("/paid_with"), "clip");
    assert_eq!(org.clips(&ann).await, 0);
}

#[tokio::test]
async fn leaving_a_waitlist_gives_nothing_back() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", card(1)).await;
    let place = ann.queues_for(&org.full_class(json!({})).await).await;
    ann.cancels(&place).becoming("cancelled").await;
    assert_eq!(org.clips(&ann).await, 1);
}

#[tokio::test]
async fn an_offer_takes_no_clip_and_accepting_it_does() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", json!({ "waitlist": { "mode": "offer" } })).await;
    let [ann, bob] = [org.member_with("ann", card(1)).await, org.member_with("bob", card(1)).await];
    let full = org.full_class(json!({})).await;
    let (declined, accepted) = (ann.queues_for(&full).await, bob.queues_for(&full).await);
    full.frees().await;
    org.finds(&declined, "offered").await;
    assert_eq!(org.clips(&ann).await, 1);
    ann.cancels(&declined).becoming("cancelled").await;
    assert_eq!(org.clips(&ann).await, 1);
    bob.accepts(&accepted).await;
    assert_eq!(org.clips(&bob).await, 0);
}

#[tokio::test]
async fn a_late_cancel_keeps_the_clip_and_charges_no_money() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", card(1)).await;
    let booking = ann.books(&org.class(json!({})).await).await;
    world.sets_clock("2026-03-03T10:00:00Z").await;
    let cancelled = ann.cancels(&booking).becoming("late_cancelled").await;
    assert_eq!(cancelled.at("/fee"), &json!(null));
    assert_eq!(org.clips(&ann).await, 0);
    assert!(org.desk().fees().await.items().is_empty(), "a clip charge is no line of the ledger");
}

#[tokio::test]
async fn a_class_cancelled_by_the_club_gives_every_clip_back() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let [ann, bob] = [org.member_with("ann", card(1)).await, org.member_with("bob", card(1)).await];
    let class = org.class(json!({})).await;
    ann.books(&class).await;
    let late = bob.books(&class).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    bob.cancels(&late).becoming("late_cancelled").await;
    assert_eq!((org.clips(&ann).await, org.clips(&bob).await), (0, 0));
    org.desk().cancels_class(&class).await;
    assert_eq!((org.clips(&ann).await, org.clips(&bob).await), (1, 1));
}

#[tokio::test]
async fn a_clip_comes_back_to_who_has_an_unlimited_membership_by_now() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", card(1)).await;
    let booking = ann.books(&org.class(json!({})).await).await;
    org.desk().upserts("ann", json!({ "plan": "unlimited" })).await;
    ann.cancels(&booking).becoming("cancelled").await;
    org.desk().upserts("ann", json!({ "plan": "clips" })).await;
    assert_eq!(org.clips(&ann).await, 1);
}

#[tokio::test]
async fn how_a_spot_is_paid_is_fixed_when_it_is_taken() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    let booking = ann.books(&org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await).await;
    org.desk().upserts("ann", card(3)).await;
    full.frees().await;
    assert_eq!(org.finds(&place, "booked").await.text("/paid_with"), "clip");
    assert_eq!(org.finds(&booking, "booked").await.text("/paid_with"), "membership");
    ann.cancels(&booking).becoming("cancelled").await;
    assert_eq!(org.clips(&ann).await, 2, "what was not taken does not come back");
}

#[tokio::test]
async fn who_waits_without_a_clip_is_passed_over_until_one_is_there() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", card(1)).await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    let other = ann.books(&org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await).await;
    full.frees().await;
    org.finds(&place, "waitlisted").await;
    assert_eq!(org.passed_over(&full).await, [("ann".to_owned(), "no_clips".to_owned())]);
    ann.cancels(&other).await;
    org.finds(&place, "booked").await;
    assert_eq!(org.clips(&ann).await, 0);
}
