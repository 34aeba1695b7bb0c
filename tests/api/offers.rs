//! Mode `offer`: a freed spot is held for the first who may have it, and they say yes, no, or nothing in time.

use serde_json::{Value, json};

use crate::seen::Full;
use crate::support::api::{Named, Org, Person, Reply, World};

/// The offer runs for half an hour; promotion goes on until 11:00 UTC on the day of the class.
fn offering() -> Value {
    json!({ "waitlist": { "mode": "offer", "offer_for": "PT30M" } })
}

struct Story {
    world: World,
    org: Org,
    ann: Person,
    bob: Person,
    full: Full,
    /// Ann's place, the first, and Bob's.
    place: Reply,
    behind: Reply,
}

impl Story {
    /// Ann and Bob wait for a class on 3 March at noon; it is 2 March, 8:00 UTC.
    async fn begins() -> Story {
        let world = World::new().await;
        let org = world.org_under("standard", offering()).await;
        let [ann, bob] = org.members(["ann", "bob"]).await;
        let full = org.full_class(json!({})).await;
        let (place, behind) = (ann.queues_for(&full).await, bob.queues_for(&full).await);
        Story { world, org, ann, bob, full, place, behind }
    }

    async fn with_an_offer() -> Story {
        let story = Story::begins().await;
        story.full.frees().await;
        story.org.finds(&story.place, "offered").await;
        story
    }
}

#[tokio::test]
async fn a_freed_spot_is_offered_to_the_first() {
    let story = Story::with_an_offer().await;
    let offered = story.ann.sees_booking(&story.place).await;
    assert_eq!(offered.text("/offer_expires_at"), "2026-03-02T09:30:00+01:00");
    assert_eq!(offered.at("/position"), &json!(null));
    assert_eq!(
        story.ann.sees(&story.full).await.at("/me"),
        &json!({ "booking": story.place.id(), "status": "offered" })
    );
    assert_eq!(story.org.finds(&story.behind, "waitlisted").await.at("/position"), &json!(1));
    let told = story.org.told(&story.full, "spot_offered").await;
    assert_eq!((told.len(), &told[0]["member"]), (1, &json!("ann")));
}

#[tokio::test]
async fn an_offer_holds_its_spot_and_is_neither_booked_nor_waiting() {
    let story = Story::with_an_offer().await;
    assert_eq!(story.org.counts(&story.full).await, (0, 0, 1));
    let cid = story.org.member("cid").await;
    cid.queues_for(&story.full).await;
    let seen = story.org.desk().changes(&story.full, json!({ "minimum": 1 })).await;
    assert_eq!(seen.at("/needed"), &json!(1), "the minimum does not count an offer");
}

#[tokio::test]
async fn accepting_takes_the_spot() {
    let story = Story::with_an_offer().await;
    let booked = story.ann.accepts(&story.place).await;
    assert_eq!((booked.id(), booked.at("/offer_expires_at")), (story.place.id(), &json!(null)));
    assert_eq!(story.org.counts(&story.full).await, (1, 0, 1));
    let told = story.org.told(&story.full, "booking_promoted").await;
    assert_eq!((&told[0]["member"], &told[0]["data"]["how"]), (&json!("ann"), &json!("offer")));
}

#[tokio::test]
async fn an_offer_can_be_accepted_to_its_last_millisecond() {
    let story = Story::with_an_offer().await;
    story.world.sets_clock("2026-03-02T08:29:59.999Z").await;
    story.ann.accepts(&story.place).await;
}

#[tokio::test]
async fn an_offer_runs_out_at_its_instant() {
    let story = Story::with_an_offer().await;
    story.world.sets_clock("2026-03-02T08:30:00Z").await;
    story.ann.accepts(&story.place).refused("offer_expired").await;
    let lapsed = story.org.finds(&story.place, "lapsed").await;
    assert_eq!(lapsed.at("/offer_expires_at"), &json!(null));
    let told = story.org.told(&story.full, "offer_lapsed").await;
    assert_eq!((told.len(), &told[0]["at"]), (1, &json!("2026-03-02T09:30:00+01:00")));
}

#[tokio::test]
async fn when_an_offer_runs_out_the_next_is_asked() {
    let story = Story::with_an_offer().await;
    story.world.sets_clock("2026-03-02T08:30:00Z").await;
    let next = story.org.finds(&story.behind, "offered").await;
    assert_eq!(next.text("/offer_expires_at"), "2026-03-02T10:00:00+01:00");
}

#[tokio::test]
async fn who_is_asked_late_has_the_whole_time_from_then_on() {
    let story = Story::with_an_offer().await;
    story.world.sets_clock("2026-03-02T18:00:00Z").await;
    let next = story.org.finds(&story.behind, "offered").await;
    assert_eq!(next.text("/offer_expires_at"), "2026-03-02T19:30:00+01:00");
}

#[tokio::test]
async fn declining_asks_the_next_at_once() {
    let story = Story::with_an_offer().await;
    story.ann.cancels(&story.place).becoming("cancelled").await;
    story.org.finds(&story.behind, "offered").await;
    story.ann.accepts(&story.place).refused("not_offered").await;
}

#[tokio::test]
async fn when_all_have_declined_the_spot_is_free() {
    let story = Story::with_an_offer().await;
    story.ann.cancels(&story.place).await;
    story.bob.cancels(&story.behind).await;
    assert_eq!(story.org.counts(&story.full).await, (0, 1, 0));
    story.org.member("cid").await.books(&story.full).await;
}

#[tokio::test]
async fn only_what_is_offered_can_be_accepted() {
    let story = Story::begins().await;
    story.ann.accepts(&story.place).refused("not_offered").await;
    story.full.holder.accepts(&story.full.spot).refused("not_offered").await;
    story.full.frees().await;
    story.bob.accepts(&story.behind).refused("not_offered").await;
    story.ann.accepts(&story.place).await;
    story.ann.accepts(&story.place).refused("not_offered").await;
}

#[tokio::test]
async fn only_its_owner_can_accept_an_offer() {
    let story = Story::with_an_offer().await;
    story.bob.accepts(&story.place).refused("not_found").await;
    story.org.desk().accepts(&story.place).refused("forbidden").await;
    story.org.finds(&story.place, "offered").await;
}

#[tokio::test]
async fn booking_again_answers_the_offer_and_takes_nothing() {
    let story = Story::with_an_offer().await;
    let again = story.ann.books(&story.full).again().becoming("offered").await;
    assert_eq!(again.text("/offer_expires_at"), "2026-03-02T09:30:00+01:00");
    assert_eq!(story.ann.sees(&story.full).await.text("/me/status"), "offered");
}

#[tokio::test]
async fn no_offer_outlasts_promotion() {
    let story = Story::begins().await;
    story.world.sets_clock("2026-03-03T10:45:00Z").await;
    story.full.frees().await;
    let offered = story.org.finds(&story.place, "offered").await;
    assert_eq!(offered.text("/offer_expires_at"), "2026-03-03T12:00:00+01:00");
    story.world.sets_clock("2026-03-03T11:00:00Z").await;
    story.org.finds(&story.place, "lapsed").await;
    story.org.finds(&story.behind, "waitlisted").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 1, 1));
    assert_eq!(story.org.told(&story.full, "spot_freed").await.len(), 1);
    story.bob.books(&story.full).again().becoming("booked").await;
}

#[tokio::test]
async fn what_becomes_free_after_promotion_is_not_offered() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", json!({ "waitlist": { "mode": "offer", "quiet": null } })).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T09:00:00Z").await;
    full.frees().await;
    org.finds(&place, "waitlisted").await;
    assert_eq!(org.told(&full, "spot_offered").await.len(), 0);
    assert_eq!(org.told(&full, "spot_freed").await.len(), 1);
}

#[tokio::test]
async fn each_freed_spot_makes_an_offer_of_its_own() {
    let story = Story::begins().await;
    let cid = story.org.member("cid").await;
    let third = cid.queues_for(&story.full).await;
    story.org.desk().changes(&story.full, json!({ "capacity": 3 })).await;
    story.org.finds(&story.place, "offered").await;
    story.org.finds(&story.behind, "offered").await;
    story.org.finds(&third, "waitlisted").await;
    assert_eq!(story.org.counts(&story.full).await, (1, 0, 1));
    story.world.sets_clock("2026-03-02T08:10:00Z").await;
    story.bob.accepts(&story.behind).await;
    story.ann.cancels(&story.place).await;
    let offered = story.org.finds(&third, "offered").await;
    assert_eq!(offered.text("/offer_expires_at"), "2026-03-02T09:40:00+01:00");
}

#[tokio::test]
async fn accepting_is_refused_for_what_stands_in_the_way_and_the_offer_stays() {
    let story = Story::with_an_offer().await;
    let desk = story.org.desk();
    for (membership, code) in [
        (json!({ "status": "blocked" }), "not_entitled"),
        (json!({ "valid_from": "2026-03-04" }), "not_entitled"),
        (json!({ "plan": "clips", "clips": 0 }), "no_clips"),
    ] {
        desk.upserts("ann", membership).await;
        story.ann.accepts(&story.place).refused(code).await;
        story.org.finds(&story.place, "offered").await;
    }
    desk.upserts("ann", json!({})).await;
    story.ann.accepts(&story.place).await;
}

#[tokio::test]
async fn accepting_is_refused_for_another_booking_at_that_time() {
    let story = Story::with_an_offer().await;
    let courts = json!({ "policy": { "booking": { "allow_overlap": true } } });
    let other = story.ann.books(&story.org.class(courts).await).await;
    story.ann.accepts(&story.place).refused("overlap").await;
    story.ann.cancels(&other).await;
    story.ann.accepts(&story.place).await;
}

#[tokio::test]
async fn an_offered_member_holds_the_spot_against_their_own_other_bookings() {
    let story = Story::with_an_offer().await;
    story.ann.books(&story.org.class(json!({})).await).refused("overlap").await;
}

#[tokio::test]
async fn neither_the_open_limit_nor_the_own_offer_bars_accepting() {
    let world = World::new().await;
    let mut patch = offering();
    patch["booking"] = json!({ "open_limit": 1, "daily_limit": 1 });
    let org = world.org_under("standard", patch).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    full.frees().await;
    ann.accepts(&place).await;
}

#[tokio::test]
async fn a_declined_offer_is_free_until_the_class_starts() {
    let world = World::new().await;
    let policy = json!({ "waitlist": { "mode": "offer", "promote_until": "PT0S", "quiet": null } });
    let org = world.org_under("pulsn-dk", policy).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T11:30:00Z").await;
    full.holder.cancels(&full.spot).becoming("late_cancelled").await;
    assert_eq!(ann.previews_cancelling(&place).await.text("/outcome"), "free");
    ann.cancels(&place).becoming("cancelled").await;
    assert_eq!(org.desk().fees().await.items().len(), 1, "only the holder's");
}

#[tokio::test]
async fn an_offer_that_ran_out_cannot_be_cancelled() {
    let story = Story::with_an_offer().await;
    story.world.sets_clock("2026-03-02T08:30:00Z").await;
    story.ann.cancels(&story.place).refused("wrong_status").await;
    story.ann.previews_cancelling(&story.place).refused("wrong_status").await;
    assert_eq!(story.org.desk().cancels(&story.place).refused("wrong_status").await.status, 409);
}

#[tokio::test]
async fn whoever_let_an_offer_lapse_may_queue_again_at_the_end() {
    let story = Story::with_an_offer().await;
    story.world.sets_clock("2026-03-02T08:30:00Z").await;
    let anew = story.ann.queues_for(&story.full).await;
    assert_ne!(anew.id(), story.place.id());
    assert_eq!(anew.at("/position"), &json!(1), "Bob is asked, and no longer counted as waiting");
}

#[tokio::test]
async fn a_member_can_hold_offers_of_two_classes_at_different_times() {
    let world = World::new().await;
    let org = world.org_under("standard", offering()).await;
    let ann = org.member("ann").await;
    let one = org.full_class(json!({})).await;
    let two = org.full_class(json!({ "starts_at": "2026-03-03T13:00:00Z" })).await;
    let places = [ann.queues_for(&one).await, ann.queues_for(&two).await];
    one.frees().await;
    two.frees().await;
    for place in &places {
        org.finds(place, "offered").await;
        ann.accepts(place).await;
    }
}

#[tokio::test]
async fn blocking_a_member_leaves_the_offer_to_run_out() {
    let story = Story::with_an_offer().await;
    story.org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    story.org.finds(&story.place, "offered").await;
    story.world.sets_clock("2026-03-02T08:30:00Z").await;
    story.org.finds(&story.place, "lapsed").await;
    story.org.finds(&story.behind, "offered").await;
}

#[tokio::test]
async fn lowering_the_capacity_takes_no_offer_back() {
    let story = Story::begins().await;
    story.org.desk().changes(&story.full, json!({ "capacity": 2 })).await;
    story.org.finds(&story.place, "offered").await;
    story.org.desk().changes(&story.full, json!({ "capacity": 1 })).await;
    story.org.finds(&story.place, "offered").await;
    story.ann.accepts(&story.place).await;
    assert_eq!(story.org.counts(&story.full).await, (2, 0, 1));
}
