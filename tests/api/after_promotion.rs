//! Once promotion has ended the queue stands still: a freed spot is for whoever comes first, or held for the desk.
//!
//! Under `pulsn-dk` promotion ends three hours before the start, at 9:00 UTC for the default class.

use serde_json::{Value, json};

use crate::seen::Full;
use crate::support::api::{Named, Org, Person, Reply, World};

struct Story {
    world: World,
    org: Org,
    ann: Person,
    bob: Person,
    full: Full,
    /// Ann's; Bob does not wait.
    place: Reply,
}

impl Story {
    /// Ann waits; at 9:00 the only spot is given up.
    async fn of(waitlist: Value) -> Story {
        let story = Story::without_a_free_spot(waitlist).await;
        story.full.frees().await;
        story
    }

    async fn without_a_free_spot(waitlist: Value) -> Story {
        let world = World::new().await;
        let org = world.org_under("pulsn-dk", json!({ "waitlist": waitlist })).await;
        let [ann, bob] = org.members(["ann", "bob"]).await;
        let full = org.full_class(json!({})).await;
        let place = ann.queues_for(&full).await;
        world.sets_clock("2026-03-03T09:00:00Z").await;
        Story { world, org, ann, bob, full, place }
    }

    async fn first_come() -> Story {
        Story::of(json!({ "then": "first_come" })).await
    }

    async fn closed() -> Story {
        Story::of(json!({ "then": "closed" })).await
    }
}

#[tokio::test]
async fn up_to_its_last_millisecond_promotion_goes_on() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T08:59:59.999Z").await;
    full.frees().await;
    org.finds(&place, "booked").await;
}

#[tokio::test]
async fn a_spot_freed_later_stays_free_and_everyone_is_told() {
    let story = Story::first_come().await;
    story.org.finds(&story.place, "waitlisted").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 1, 1));
    let told = story.org.told(&story.full, "spot_freed").await;
    assert_eq!((told.len(), &told[0]["data"]["free"]), (1, &json!(1)));
}

#[tokio::test]
async fn whoever_waits_takes_it_by_booking_again() {
    let story = Story::first_come().await;
    let taken = story.ann.books(&story.full).again().becoming("booked").await;
    assert_eq!(taken.id(), story.place.id());
    assert_eq!(story.org.counts(&story.full).await, (1, 0, 0));
    let told = story.org.told(&story.full, "booking_promoted").await;
    assert_eq!(told[0]["data"]["how"], "first_come");
}

#[tokio::test]
async fn a_newcomer_may_be_first() {
    let story = Story::first_come().await;
    assert_eq!(story.bob.sees(&story.full).await.at("/can_book"), &json!({ "allowed": true }));
    story.bob.books(&story.full).await;
    story.ann.books(&story.full).again().becoming("waitlisted").await;
    assert_eq!(story.org.counts(&story.full).await, (1, 0, 1));
}

#[tokio::test]
async fn with_something_in_the_way_the_place_stays_a_place() {
    let story = Story::first_come().await;
    story.org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    let same = story.ann.books(&story.full).again().becoming("waitlisted").await;
    assert_eq!(same.body, story.place.body);
    story.org.desk().upserts("ann", json!({})).await;
    story.org.finds(&story.place, "waitlisted").await;
}

#[tokio::test]
async fn without_a_free_spot_booking_again_changes_nothing() {
    let story = Story::without_a_free_spot(json!({})).await;
    let same = story.ann.books(&story.full).again().becoming("waitlisted").await;
    assert_eq!(same.body, story.place.body);
}

#[tokio::test]
async fn what_is_taken_first_come_brings_grace_and_ends_overlapping_waits() {
    let story = Story::without_a_free_spot(json!({ "grace": "PT150M" })).await;
    let other = story.org.full_class(json!({ "policy": { "waitlist": { "promote_until": "PT0S" } } })).await;
    let elsewhere = story.ann.queues_for(&other).await;
    story.full.frees().await;
    story.ann.books(&story.full).again().becoming("booked").await;
    story.org.finds(&elsewhere, "cancelled").await;
    assert_eq!(story.ann.previews_cancelling(&story.place).await.text("/free_until"), "2026-03-03T12:30:00+01:00");
}

#[tokio::test]
async fn nobody_new_may_queue_but_by_the_desk() {
    let story = Story::without_a_free_spot(json!({})).await;
    story.bob.books(&story.full).refused("waitlist_closed").await;
    assert_eq!(
        story.bob.sees(&story.full).await.at("/can_book"),
        &json!({ "allowed": false, "code": "waitlist_closed" })
    );
    story.bob.books(&story.full).with_body(json!({ "waitlist": false })).refused("full").await;
    let queued = story.org.desk().books_for(&story.bob, &story.full).becoming("waitlisted").await;
    assert_eq!(queued.at("/position"), &json!(2));
}

#[tokio::test]
async fn more_spots_promote_nobody_any_more() {
    let story = Story::without_a_free_spot(json!({})).await;
    story.org.desk().changes(&story.full, json!({ "capacity": 3 })).await;
    story.org.finds(&story.place, "waitlisted").await;
    assert_eq!(story.org.counts(&story.full).await, (1, 2, 1));
}

#[tokio::test]
async fn held_for_the_desk_a_spot_is_taken_by_nobody_else() {
    let story = Story::closed().await;
    story.ann.books(&story.full).again().becoming("waitlisted").await;
    story.bob.books(&story.full).refused("waitlist_closed").await;
    story.bob.books(&story.full).with_body(json!({ "waitlist": false })).refused("full").await;
    assert_eq!(story.bob.sees(&story.full).await.at("/can_book/allowed"), &json!(false));
    assert_eq!(story.org.told(&story.full, "spot_freed").await.len(), 0);
}

#[tokio::test]
async fn the_desk_gives_a_held_spot_to_a_newcomer() {
    let story = Story::closed().await;
    story.org.desk().books_for(&story.bob, &story.full).await;
    story.org.finds(&story.place, "waitlisted").await;
}

#[tokio::test]
async fn the_desk_gives_a_held_spot_to_who_waits() {
    let story = Story::closed().await;
    let given = story.org.desk().books_for(&story.ann, &story.full).again().becoming("booked").await;
    assert_eq!(given.id(), story.place.id());
}

#[tokio::test]
async fn with_nobody_waiting_held_spots_are_booked_as_usual() {
    let story = Story::closed().await;
    story.ann.cancels(&story.place).await;
    story.bob.books(&story.full).await;
}

#[tokio::test]
async fn who_could_not_be_promoted_in_time_may_still_come_first() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    full.frees().await;
    world.sets_clock("2026-03-03T09:00:00Z").await;
    org.desk().upserts("ann", json!({})).await;
    org.finds(&place, "waitlisted").await;
    ann.books(&full).again().becoming("booked").await;
}

#[tokio::test]
async fn promotion_can_go_on_until_the_start() {
    let story = Story::without_a_free_spot(json!({ "promote_until": "PT0S" })).await;
    story.world.sets_clock("2026-03-03T11:59:59.999Z").await;
    story.full.holder.cancels(&story.full.spot).becoming("late_cancelled").await;
    story.org.finds(&story.place, "booked").await;
}
