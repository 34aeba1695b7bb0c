//! Quiet hours: from 22:00 to 7:00 in Copenhagen, which in winter is 21:00 to 6:00 UTC, nobody is asked, and the time
//! to answer stands still.

use serde_json::{Value, json};

use crate::seen::Full;
use crate::support::api::{Org, Person, Reply, World};

struct Story {
    world: World,
    org: Org,
    ann: Person,
    full: Full,
    place: Reply,
}

impl Story {
    /// Ann waits for a class at that time under `pulsn-dk` with offers of half an hour, changed.
    async fn of_a_class(starts_at: &str, waitlist: Value) -> Story {
        let world = World::new().await;
        let org = world.org_under("pulsn-dk", json!({ "waitlist": { "mode": "offer" } })).await;
        let ann = org.member("ann").await;
        let full = org.full_class(json!({ "starts_at": starts_at, "policy": { "waitlist": waitlist } })).await;
        let place = ann.queues_for(&full).await;
        Story { world, org, ann, full, place }
    }

    async fn begins() -> Story {
        Story::of_a_class("2026-03-04T17:00:00Z", json!({})).await
    }

    async fn frees_at(&self, now: &str) {
        self.world.sets_clock(now).await;
        self.full.frees().await;
    }

    async fn expects_an_offer_until(&self, until: &str) {
        assert_eq!(self.org.finds(&self.place, "offered").await.text("/offer_expires_at"), until);
    }
}

#[tokio::test]
async fn nobody_is_asked_in_quiet_hours_and_everybody_at_their_end() {
    let story = Story::begins().await;
    story.frees_at("2026-03-02T21:00:00Z").await;
    story.org.finds(&story.place, "waitlisted").await;
    story.world.sets_clock("2026-03-03T05:59:59.999Z").await;
    story.org.finds(&story.place, "waitlisted").await;
    story.world.sets_clock("2026-03-03T06:00:00Z").await;
    story.expects_an_offer_until("2026-03-03T07:30:00+01:00").await;
    assert_eq!(story.org.passed_over(&story.full).await, []);
}

#[tokio::test]
async fn the_spot_stays_reserved_for_the_queue_meanwhile() {
    let story = Story::begins().await;
    let bob = story.org.member("bob").await;
    story.frees_at("2026-03-02T21:00:00Z").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 0, 1));
    bob.books(&story.full).with_body(json!({ "waitlist": false })).refused("full").await;
    let behind = bob.queues_for(&story.full).await;
    assert_eq!(behind.at("/position"), &json!(2));
    story.ann.books(&story.full).again().becoming("waitlisted").await;
    story.world.sets_clock("2026-03-03T06:00:00Z").await;
    story.org.finds(&story.place, "offered").await;
    story.org.finds(&behind, "waitlisted").await;
}

#[tokio::test]
async fn no_more_spots_are_reserved_than_members_could_take() {
    let story = Story::begins().await;
    let bob = story.org.member("bob").await;
    story.world.sets_clock("2026-03-02T21:00:00Z").await;
    let raised = story.org.desk().changes(&story.full, json!({ "capacity": 3 })).await;
    assert_eq!((raised.at("/booked"), raised.at("/free"), raised.at("/waiting")), (&json!(1), &json!(1), &json!(1)));
    bob.books(&story.full).await;
    assert_eq!(story.org.counts(&story.full).await, (2, 0, 1));
}

#[tokio::test]
async fn nothing_is_reserved_for_who_could_not_take_it() {
    let story = Story::begins().await;
    story.org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    story.frees_at("2026-03-02T21:00:00Z").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 1, 1));
    story.org.desk().upserts("ann", json!({})).await;
    assert_eq!(story.org.counts(&story.full).await, (0, 0, 1));
    story.org.member("bob").await.queues_for(&story.full).await;
}

#[tokio::test]
async fn what_is_asked_shortly_before_can_be_answered_in_the_morning() {
    let story = Story::begins().await;
    story.frees_at("2026-03-02T20:50:00Z").await;
    story.expects_an_offer_until("2026-03-03T07:20:00+01:00").await;
    story.world.sets_clock("2026-03-03T06:19:59.999Z").await;
    story.org.finds(&story.place, "offered").await;
    story.world.sets_clock("2026-03-03T06:20:00Z").await;
    story.org.finds(&story.place, "lapsed").await;
}

#[tokio::test]
async fn the_hours_begin_at_their_instant() {
    let story = Story::begins().await;
    story.frees_at("2026-03-02T20:59:59.999Z").await;
    story.expects_an_offer_until("2026-03-03T07:29:59.999+01:00").await;
}

#[tokio::test]
async fn an_offer_whose_time_is_used_up_as_quiet_begins_ends_then() {
    let story = Story::begins().await;
    story.frees_at("2026-03-02T20:30:00Z").await;
    story.expects_an_offer_until("2026-03-02T22:00:00+01:00").await;
    story.world.sets_clock("2026-03-02T21:00:00Z").await;
    story.org.finds(&story.place, "lapsed").await;
}

#[tokio::test]
async fn a_long_offer_stands_still_every_night() {
    let story = Story::of_a_class("2026-03-06T17:00:00Z", json!({ "offer_for": "PT20H" })).await;
    story.frees_at("2026-03-02T20:00:00Z").await;
    // An hour before the first night, fifteen until the second, four after it.
    story.expects_an_offer_until("2026-03-04T11:00:00+01:00").await;
}

#[tokio::test]
async fn a_night_in_which_clocks_change_is_an_hour_shorter() {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", json!({ "waitlist": { "mode": "offer" } })).await;
    world.sets_clock("2026-03-28T12:00:00Z").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({ "starts_at": "2026-03-30T17:00:00Z" })).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-28T20:50:00Z").await;
    full.frees().await;
    assert_eq!(org.finds(&place, "offered").await.text("/offer_expires_at"), "2026-03-29T07:20:00+02:00");
}

#[tokio::test]
async fn an_offer_can_be_answered_in_quiet_hours() {
    let story = Story::begins().await;
    story.frees_at("2026-03-02T20:50:00Z").await;
    story.world.sets_clock("2026-03-03T02:00:00Z").await;
    story.ann.accepts(&story.place).await;
}

#[tokio::test]
async fn after_a_declined_offer_the_next_is_asked_in_the_morning() {
    let story = Story::begins().await;
    let bob = story.org.member("bob").await;
    let behind = bob.queues_for(&story.full).await;
    story.frees_at("2026-03-02T20:50:00Z").await;
    story.world.sets_clock("2026-03-02T23:00:00Z").await;
    story.ann.cancels(&story.place).await;
    story.org.finds(&behind, "waitlisted").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 0, 1));
    story.world.sets_clock("2026-03-03T06:00:00Z").await;
    assert_eq!(story.org.finds(&behind, "offered").await.text("/offer_expires_at"), "2026-03-03T07:30:00+01:00");
}

#[tokio::test]
async fn what_is_noticed_in_quiet_hours_is_not_asked_either() {
    let story = Story::begins().await;
    let bob = story.org.member("bob").await;
    let behind = bob.queues_for(&story.full).await;
    story.frees_at("2026-03-02T12:00:00Z").await;
    // The offer ran out at 12:30; nothing looked until the night.
    story.world.sets_clock("2026-03-02T22:00:00Z").await;
    story.org.finds(&story.place, "lapsed").await;
    story.org.finds(&behind, "waitlisted").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 0, 1));
}

#[tokio::test]
async fn where_promotion_ends_in_quiet_hours_the_spot_is_then_for_whoever_comes_first() {
    let story = Story::of_a_class("2026-03-04T06:30:00Z", json!({ "promote_until": "PT1H" })).await;
    let bob = story.org.member("bob").await;
    story.frees_at("2026-03-03T22:00:00Z").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 0, 1));
    story.world.sets_clock("2026-03-04T05:30:00Z").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 1, 1));
    assert_eq!(story.org.told(&story.full, "spot_freed").await.len(), 1);
    bob.books(&story.full).await;
    story.org.finds(&story.place, "waitlisted").await;
}

#[tokio::test]
async fn without_quiet_hours_members_are_asked_at_night() {
    let story = Story::of_a_class("2026-03-04T17:00:00Z", json!({ "quiet": null })).await;
    story.frees_at("2026-03-02T23:00:00Z").await;
    story.expects_an_offer_until("2026-03-03T00:30:00+01:00").await;
}

#[tokio::test]
async fn promotion_without_asking_goes_on_at_night() {
    let story = Story::of_a_class("2026-03-04T17:00:00Z", json!({ "mode": "auto" })).await;
    story.frees_at("2026-03-02T23:00:00Z").await;
    story.org.finds(&story.place, "booked").await;
}

#[tokio::test]
async fn quiet_hours_can_lie_within_a_day() {
    let noon = json!({ "quiet": { "from": "12:00", "until": "14:00" } });
    let story = Story::of_a_class("2026-03-04T17:00:00Z", noon).await;
    story.frees_at("2026-03-03T11:30:00Z").await;
    story.org.finds(&story.place, "waitlisted").await;
    story.world.sets_clock("2026-03-03T13:00:00Z").await;
    story.expects_an_offer_until("2026-03-03T14:30:00+01:00").await;
}

#[tokio::test]
async fn who_leaves_the_queue_meanwhile_gives_the_reserved_spot_up() {
    let story = Story::begins().await;
    story.frees_at("2026-03-02T21:00:00Z").await;
    story.ann.cancels(&story.place).becoming("cancelled").await;
    assert_eq!(story.org.counts(&story.full).await, (0, 1, 0));
    story.org.member("bob").await.books(&story.full).await;
}

#[tokio::test]
async fn a_kept_spot_is_told_at_once_when_the_class_moves_past_the_end_of_promotion() {
    let story = Story::begins().await;
    story.frees_at("2026-03-02T21:00:00Z").await;
    let told = async || {
        let history = story.org.desk().history(&story.full).await;
        history.items().iter().filter(|line| line["event"] == "spot_freed").count()
    };
    assert_eq!(told().await, 0);
    story.org.desk().changes(&story.full, json!({ "starts_at": "2026-03-02T23:00:00Z" })).await;
    assert_eq!(told().await, 1);
    story.world.sets_clock("2026-03-03T06:00:00Z").await;
    assert_eq!(told().await, 1, "once");
}
