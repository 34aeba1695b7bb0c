//! What comes with a promotion: time to change one's mind, and the end of waiting elsewhere at that hour.

use serde_json::{Value, json};

use crate::support::api::World;

/// Late cancels are charged from two hours before, promotion goes on until one hour before.
fn with_grace(grace: &str) -> Value {
    json!({ "waitlist": { "grace": grace, "promote_until": "PT1H" } })
}

#[tokio::test]
async fn whoever_was_promoted_may_cancel_free_for_the_grace() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", with_grace("PT30M")).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T10:30:00Z").await;
    full.holder.cancels(&full.spot).becoming("late_cancelled").await;
    world.sets_clock("2026-03-03T10:59:59.999Z").await;
    let preview = ann.previews_cancelling(&place).await;
    assert_eq!((preview.text("/outcome"), preview.text("/free_until")), ("free", "2026-03-03T12:00:00+01:00"));
    ann.cancels(&place).becoming("cancelled").await;
}

#[tokio::test]
async fn the_grace_ends_at_its_instant() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", with_grace("PT30M")).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T10:30:00Z").await;
    full.holder.cancels(&full.spot).becoming("late_cancelled").await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    assert_eq!(ann.previews_cancelling(&place).await.text("/outcome"), "charged");
    ann.cancels(&place).becoming("late_cancelled").await;
}

#[tokio::test]
async fn no_grace_outlasts_the_start() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", with_grace("PT10H")).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T10:30:00Z").await;
    full.holder.cancels(&full.spot).await;
    assert_eq!(ann.previews_cancelling(&place).await.text("/free_until"), "2026-03-03T13:00:00+01:00");
    world.sets_clock("2026-03-03T12:00:00Z").await;
    ann.cancels(&place).refused("cancel_closed").await;
}

#[tokio::test]
async fn a_plain_booking_has_no_grace() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", with_grace("PT30M")).await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    world.sets_clock("2026-03-03T10:30:00Z").await;
    let booking = ann.books(&class).await;
    ann.cancels(&booking).becoming("late_cancelled").await;
}

#[tokio::test]
async fn a_promotion_well_before_the_cutoff_leaves_the_cutoff_as_it_is() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", with_grace("PT30M")).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    full.frees().await;
    assert_eq!(ann.previews_cancelling(&place).await.text("/free_until"), "2026-03-03T11:00:00+01:00");
}

#[tokio::test]
async fn an_accepted_offer_has_its_grace_from_the_accepting_on() {
    let world = World::new().await;
    let mut patch = with_grace("PT30M");
    patch["waitlist"]["mode"] = json!("offer");
    let org = world.org_under("pulsn-dk", patch).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T10:00:00Z").await;
    full.holder.cancels(&full.spot).await;
    world.sets_clock("2026-03-03T10:20:00Z").await;
    ann.accepts(&place).await;
    world.sets_clock("2026-03-03T10:49:59.999Z").await;
    let preview = ann.previews_cancelling(&place).await;
    assert_eq!((preview.text("/outcome"), preview.text("/free_until")), ("free", "2026-03-03T11:50:00+01:00"));
}

#[tokio::test]
async fn promotion_ends_waiting_for_what_overlaps() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let one = org.full_class(json!({})).await;
    let two = org.full_class(json!({ "starts_at": "2026-03-03T12:30:00Z" })).await;
    let touching = org.full_class(json!({ "starts_at": "2026-03-03T13:00:00Z" })).await;
    let (first, second, third) =
        (ann.queues_for(&one).await, ann.queues_for(&two).await, ann.queues_for(&touching).await);
    let behind = bob.queues_for(&two).await;
    one.frees().await;
    org.finds(&first, "booked").await;
    org.finds(&second, "cancelled").await;
    org.finds(&third, "waitlisted").await;
    assert_eq!(org.finds(&behind, "waitlisted").await.at("/position"), &json!(1));
    let left = org.told(&two, "waitlist_left").await;
    assert_eq!((left.len(), &left[0]["member"], &left[0]["data"]["reason"]), (1, &json!("ann"), &json!("overlap")));
}

#[tokio::test]
async fn accepting_an_offer_ends_waiting_for_what_overlaps_and_being_offered_does_not() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "waitlist": { "mode": "offer" } })).await;
    let ann = org.member("ann").await;
    let (one, two) = (org.full_class(json!({})).await, org.full_class(json!({})).await);
    let (first, second) = (ann.queues_for(&one).await, ann.queues_for(&two).await);
    one.frees().await;
    org.finds(&first, "offered").await;
    org.finds(&second, "waitlisted").await;
    ann.accepts(&first).await;
    org.finds(&second, "cancelled").await;
}

#[tokio::test]
async fn a_plain_booking_ends_no_waiting() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    ann.books(&org.class(json!({})).await).await;
    org.finds(&place, "waitlisted").await;
}

#[tokio::test]
async fn a_policy_can_let_members_wait_on() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "waitlist": { "leave_overlapping": false } })).await;
    let ann = org.member("ann").await;
    let (one, two) = (org.full_class(json!({})).await, org.full_class(json!({})).await);
    let (first, second) = (ann.queues_for(&one).await, ann.queues_for(&two).await);
    one.frees().await;
    org.finds(&first, "booked").await;
    org.finds(&second, "waitlisted").await;
    two.frees().await;
    org.finds(&second, "waitlisted").await;
    assert_eq!(org.passed_over(&two).await, [("ann".to_owned(), "overlap".to_owned())]);
    ann.cancels(&first).await;
    org.finds(&second, "booked").await;
}

#[tokio::test]
async fn promotion_goes_on_when_booking_has_closed() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "closes_before": "PT4H" } })).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T09:00:00Z").await;
    ann.books(&full).refused("closed").await;
    full.frees().await;
    org.finds(&place, "booked").await;
}
