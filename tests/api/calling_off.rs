//! The club cancels a class: everybody goes, nobody pays, and what was paid comes back.

use serde_json::json;

use crate::support::api::World;

#[tokio::test]
async fn bookings_offers_and_places_all_end() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "waitlist": { "mode": "offer" } })).await;
    let [ann, bob, cid] = org.members(["ann", "bob", "cid"]).await;
    let class = org.class(json!({ "capacity": 2 })).await;
    let (booked, leaving) = (ann.books(&class).await, bob.books(&class).await);
    let offered = cid.queues_for(&class).await;
    bob.cancels(&leaving).await;
    let waiting = bob.queues_for(&class).await;
    org.finds(&offered, "offered").await;

    let cancelled = org.desk().cancels_class(&class).await;

    assert_eq!(
        (cancelled.text("/status"), cancelled.at("/booked"), cancelled.at("/waiting")),
        ("cancelled", &json!(0), &json!(0))
    );
    for booking in [&booked, &offered, &waiting] {
        org.finds(booking, "class_cancelled").await;
    }
    org.finds(&leaving, "cancelled").await;
    cid.accepts(&offered).refused("not_offered").await;
    assert_eq!(ann.sees(&class).await.at("/me"), &json!(null));
    let told = org.told(&class, "class_cancelled").await;
    assert_eq!((told.len(), &told[0]["data"]["reason"]), (1, &json!("the room is flooded")));
}

#[tokio::test]
async fn late_cancels_are_unwound_as_if_excused() {
    let world = World::new().await;
    let policy = json!({ "cancel": { "late_is_strike": true }, "attendance": { "strikes": 1 } });
    let org = world.org_under("pulsn-dk", policy).await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    ann.cancels(&booking).becoming("late_cancelled").await;
    assert!(ann.standing().await.at("/banned_until").is_string());

    org.desk().cancels_class(&class).await;

    let unwound = org.finds(&booking, "late_cancelled").await;
    assert_eq!(unwound.at("/fee"), &json!(null));
    let standing = ann.standing().await;
    assert_eq!((standing.at("/strikes"), standing.at("/banned_until")), (&json!([]), &json!(null)));
    assert_eq!(standing.at("/open_fees/amount"), &json!(0));
    let kinds: Vec<_> = org.desk().fees().await.items().iter().map(|fee| fee["kind"].clone()).collect();
    assert_eq!(kinds, [json!("charged"), json!("waived")]);
}

#[tokio::test]
async fn limits_are_given_back() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1, "open_limit": 1 } })).await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    ann.books(&class).await;
    let other = org.class(json!({})).await;
    org.desk().cancels_class(&class).await;
    assert_eq!(ann.standing().await.at("/booked"), &json!({}));
    ann.books(&other).await;
}

#[tokio::test]
async fn cancelling_a_class_again_changes_nothing() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    let first = org.desk().cancels_class(&class).await;
    let again =
        org.desk().post(&format!("/v1/classes/{}/cancel", class.text("/id")), json!({ "reason": "other" })).await;
    assert_eq!((again.body, again.cursor), (first.body, first.cursor));
}

#[tokio::test]
async fn a_class_can_be_cancelled_until_it_is_finished() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member_with("ann", json!({ "plan": "clips", "clips": 1 })).await;
    let (class, over) = (org.class(json!({})).await, org.class(json!({})).await);
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T12:59:59.999Z").await;
    org.desk().cancels_class(&class).await;
    org.finds(&booking, "class_cancelled").await;
    assert_eq!(org.clips(&ann).await, 1);
    world.sets_clock("2026-03-03T13:00:00Z").await;
    org.desk().cancels_class(&over).refused("class_finished").await;
    org.desk().cancels_class(&"nothing").refused("not_found").await;
}

#[tokio::test]
async fn a_class_that_was_cancelled_never_opens_starts_or_ends() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "starts_at": "2026-03-12T12:00:00Z" })).await;
    org.desk().cancels_class(&class).await;
    world.sets_clock("2026-03-12T18:00:00Z").await;
    assert_eq!(org.desk().sees(&class).await.text("/status"), "cancelled");
    for event in ["class_opened", "class_started", "class_finished"] {
        assert_eq!(org.told(&class, event).await.len(), 0, "{event}");
    }
}

#[tokio::test]
async fn a_reason_may_be_left_out() {
    let world = World::new().await;
    let org = world.org("standard").await;
    for body in [None, Some(json!({})), Some(json!({ "reason": null }))] {
        let class = org.class(json!({})).await;
        let path = format!("/v1/classes/{}/cancel", class.text("/id"));
        let mut call = org.desk().act(&path);
        if let Some(body) = body {
            call = call.with_body(body);
        }
        assert_eq!(call.await.text("/status"), "cancelled");
    }
}

#[tokio::test]
async fn only_members_of_the_class_are_touched() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let (off, on) = (org.class(json!({})).await, org.class(json!({ "starts_at": "2026-03-03T15:00:00Z" })).await);
    ann.books(&off).await;
    let kept = ann.books(&on).await;
    org.desk().cancels_class(&off).await;
    org.finds(&kept, "booked").await;
    assert_eq!(org.counts(&on).await, (1, 9, 0));
}
