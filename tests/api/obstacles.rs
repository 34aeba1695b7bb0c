//! Whoever cannot be promoted is passed over and keeps the place; when what stood in the way goes, they are next.
//!
//! Each story has Ann waiting first and Bob second for a class that becomes free while something stands in Ann's way.

use serde_json::{Value, json};

use crate::seen::Full;
use crate::support::api::{Org, Person, Reply, World};

const DAY: &str = "2026-03-03";

struct Story {
    world: World,
    org: Org,
    ann: Person,
    full: Full,
    place: Reply,
}

impl Story {
    async fn begins() -> Story {
        Story::under(json!({})).await
    }

    /// Ann waits for a class on 3 March at noon under the preset `standard`, changed.
    async fn under(patch: Value) -> Story {
        let world = World::new().await;
        let org = world.org_under("standard", patch).await;
        let ann = org.member("ann").await;
        let full = org.full_class(json!({ "category": "yoga" })).await;
        let place = ann.queues_for(&full).await;
        Story { world, org, ann, full, place }
    }

    /// The spot is freed, and Ann passed over for this reason, once.
    async fn passes_over(&self, reason: &str) {
        self.full.frees().await;
        self.org.finds(&self.place, "waitlisted").await;
        assert_eq!(self.org.passed_over(&self.full).await, [("ann".to_owned(), reason.to_owned())]);
        assert_eq!(self.org.counts(&self.full).await, (0, 1, 1));
    }

    async fn promotes(&self) {
        self.org.finds(&self.place, "booked").await;
        assert_eq!(self.org.counts(&self.full).await, (1, 0, 0));
    }

    async fn upserts(&self, membership: Value) {
        self.org.desk().upserts("ann", membership).await;
    }
}

#[tokio::test]
async fn the_next_who_may_is_promoted_instead() {
    let story = Story::begins().await;
    let bob = story.org.member("bob").await;
    let behind = bob.queues_for(&story.full).await;
    story.upserts(json!({ "status": "blocked" })).await;
    story.full.frees().await;
    story.org.finds(&behind, "booked").await;
    assert_eq!(story.org.finds(&story.place, "waitlisted").await.at("/position"), &json!(1));
    assert_eq!(story.org.passed_over(&story.full).await, [("ann".to_owned(), "not_entitled".to_owned())]);
    story.upserts(json!({})).await;
    story.org.finds(&story.place, "waitlisted").await;
    bob.cancels(&behind).await;
    story.org.finds(&story.place, "booked").await;
}

#[tokio::test]
async fn each_freed_spot_passes_over_anew() {
    let story = Story::begins().await;
    let bob = story.org.member("bob").await;
    let behind = bob.queues_for(&story.full).await;
    story.upserts(json!({ "status": "blocked" })).await;
    story.full.frees().await;
    bob.cancels(&behind).await;
    assert_eq!(story.org.passed_over(&story.full).await.len(), 2);
}

#[tokio::test]
async fn looking_again_in_vain_tells_nothing() {
    let story = Story::begins().await;
    story.upserts(json!({ "status": "blocked" })).await;
    story.passes_over("not_entitled").await;
    story.upserts(json!({ "status": "blocked", "valid_until": "2026-12-31" })).await;
    story.org.desk().changes(&story.full, json!({ "room": "Hall 1" })).await;
    story.ann.cancels(&story.ann.queues_for(&story.full).again().await).await;
    assert_eq!(story.org.passed_over(&story.full).await.len(), 1);
}

#[tokio::test]
async fn blocked_until_unblocked() {
    let story = Story::begins().await;
    story.upserts(json!({ "status": "blocked" })).await;
    story.passes_over("not_entitled").await;
    story.upserts(json!({ "status": "active" })).await;
    story.promotes().await;
}

#[tokio::test]
async fn not_yet_valid_until_valid_sooner() {
    let story = Story::begins().await;
    story.upserts(json!({ "valid_from": "2026-03-04" })).await;
    story.passes_over("not_entitled").await;
    story.upserts(json!({ "valid_from": DAY })).await;
    story.promotes().await;
}

#[tokio::test]
async fn another_club_until_the_membership_covers_it() {
    let story = Story::begins().await;
    story.org.desk().put("/v1/clubs/south", json!({ "name": "South" })).await;
    story.upserts(json!({ "clubs": ["south"] })).await;
    story.passes_over("not_entitled").await;
    story.upserts(json!({ "clubs": ["south", "main"] })).await;
    story.promotes().await;
}

#[tokio::test]
async fn another_category_until_the_membership_covers_it() {
    let story = Story::begins().await;
    story.upserts(json!({ "categories": ["spin"] })).await;
    story.passes_over("not_entitled").await;
    story.upserts(json!({ "categories": ["spin", "yoga"] })).await;
    story.promotes().await;
}

#[tokio::test]
async fn another_category_until_the_class_changes_its_own() {
    let story = Story::begins().await;
    story.upserts(json!({ "categories": ["spin"] })).await;
    story.passes_over("not_entitled").await;
    story.org.desk().changes(&story.full, json!({ "category": "spin" })).await;
    story.promotes().await;
}

#[tokio::test]
async fn too_young_until_the_birthday_is_known() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let full = org.full_class(json!({ "min_age": 16 })).await;
    let put = async |born: Value| {
        let membership = json!({ "plan": "unlimited", "status": "active" });
        org.desk().put("/v1/members/ann", json!({ "name": "Ann", "born": born, "membership": membership })).await;
    };
    put(json!("2000-01-01")).await;
    let place = org.caller("ann", "member").queues_for(&full).await;
    put(json!(null)).await;
    full.frees().await;
    assert_eq!(org.passed_over(&full).await, [("ann".to_owned(), "too_young".to_owned())]);
    put(json!("2010-03-03")).await;
    org.finds(&place, "booked").await;
}

#[tokio::test]
async fn without_clips_until_the_card_is_filled() {
    let story = Story::begins().await;
    story.upserts(json!({ "plan": "clips", "clips": 0 })).await;
    story.passes_over("no_clips").await;
    story.upserts(json!({ "plan": "clips", "clips": 1 })).await;
    story.promotes().await;
}

#[tokio::test]
async fn busy_until_the_other_booking_is_cancelled() {
    let story = Story::begins().await;
    let other = story.ann.books(&story.org.class(json!({ "starts_at": "2026-03-03T12:30:00Z" })).await).await;
    story.passes_over("overlap").await;
    story.ann.cancels(&other).await;
    story.promotes().await;
}

#[tokio::test]
async fn busy_until_the_club_cancels_the_other_class() {
    let story = Story::begins().await;
    let other = story.org.class(json!({})).await;
    story.ann.books(&other).await;
    story.passes_over("overlap").await;
    story.org.desk().cancels_class(&other).await;
    story.promotes().await;
}

#[tokio::test]
async fn busy_until_the_other_class_is_moved_away() {
    let story = Story::begins().await;
    let other = story.org.class(json!({})).await;
    story.ann.books(&other).await;
    story.passes_over("overlap").await;
    story.org.desk().changes(&other, json!({ "starts_at": "2026-03-03T13:00:00Z" })).await;
    story.promotes().await;
}

#[tokio::test]
async fn busy_until_the_other_class_is_shortened() {
    let story = Story::begins().await;
    let other = story.org.class(json!({ "starts_at": "2026-03-03T11:30:00Z" })).await;
    story.ann.books(&other).await;
    story.passes_over("overlap").await;
    story.org.desk().changes(&other, json!({ "minutes": 30 })).await;
    story.promotes().await;
}

#[tokio::test]
async fn busy_until_the_class_itself_is_moved() {
    let story = Story::begins().await;
    story.ann.books(&story.org.class(json!({})).await).await;
    story.passes_over("overlap").await;
    story.org.desk().changes(&story.full, json!({ "starts_at": "2026-03-03T14:00:00Z" })).await;
    story.promotes().await;
}

#[tokio::test]
async fn busy_with_an_offer_until_it_is_declined() {
    let story = Story::begins().await;
    let offers = json!({ "policy": { "waitlist": { "mode": "offer" } } });
    let other = story.org.full_class(offers).await;
    let offered = story.ann.queues_for(&other).await;
    other.frees().await;
    story.org.finds(&offered, "offered").await;
    story.passes_over("overlap").await;
    story.ann.cancels(&offered).becoming("cancelled").await;
    story.promotes().await;
}

#[tokio::test]
async fn busy_with_an_offer_until_it_runs_out() {
    let story = Story::begins().await;
    let offers = json!({ "policy": { "waitlist": { "mode": "offer" } } });
    let other = story.org.full_class(offers).await;
    let offered = story.ann.queues_for(&other).await;
    other.frees().await;
    story.passes_over("overlap").await;
    story.world.sets_clock("2026-03-02T08:30:00Z").await;
    story.org.finds(&offered, "lapsed").await;
    story.promotes().await;
}

#[tokio::test]
async fn enough_for_a_day_until_another_booking_of_it_is_cancelled() {
    let story = Story::under(json!({ "booking": { "daily_limit": 1 } })).await;
    let other = story.ann.books(&story.org.class(json!({ "starts_at": "2026-03-03T08:00:00Z" })).await).await;
    story.passes_over("daily_limit").await;
    story.ann.cancels(&other).await;
    story.promotes().await;
}

#[tokio::test]
async fn enough_for_a_day_until_the_other_class_moves_to_another() {
    let story = Story::under(json!({ "booking": { "daily_limit": 1 } })).await;
    let other = story.org.class(json!({ "starts_at": "2026-03-03T08:00:00Z" })).await;
    story.ann.books(&other).await;
    story.passes_over("daily_limit").await;
    story.org.desk().changes(&other, json!({ "starts_at": "2026-03-04T08:00:00Z" })).await;
    story.promotes().await;
}

#[tokio::test]
async fn banned_until_the_ban_ends() {
    let late = json!({ "late": "charged", "late_is_strike": true, "free_until": "PT2H" });
    let strikes = json!({ "strikes": 1, "ban": "PT14H" });
    let story = Story::under(json!({ "cancel": late, "attendance": strikes })).await;
    let struck = story.ann.books(&story.org.class(json!({ "starts_at": "2026-03-02T09:00:00Z" })).await).await;
    story.ann.cancels(&struck).becoming("late_cancelled").await;
    story.passes_over("banned").await;
    story.world.sets_clock("2026-03-02T22:59:59.999Z").await;
    story.org.finds(&story.place, "waitlisted").await;
    story.world.sets_clock("2026-03-02T23:00:00Z").await;
    story.promotes().await;
    let promoted = story.org.told(&story.full, "booking_promoted").await;
    assert_eq!(promoted[0]["at"], "2026-03-03T00:00:00+01:00");
}

#[tokio::test]
async fn banned_until_the_strike_is_forgiven() {
    let late = json!({ "late": "charged", "late_is_strike": true, "free_until": "PT2H", "forgive_if_refilled": true });
    let story = Story::under(json!({ "cancel": late, "attendance": { "strikes": 1 } })).await;
    let other = story.org.full_class(json!({ "starts_at": "2026-03-02T09:00:00Z" })).await;
    other.holder.cancels(&other.spot).await;
    let struck = story.ann.books(&other).await;
    story.ann.cancels(&struck).becoming("late_cancelled").await;
    story.passes_over("banned").await;
    // The spot is taken again: the oldest late cancel is forgiven first, then Ann's.
    let [bob, cid] = story.org.members(["bob", "cid"]).await;
    bob.cancels(&bob.books(&other).await).await;
    cid.books(&other).await;
    story.promotes().await;
}

#[tokio::test]
async fn frozen_on_the_new_day_until_thawed() {
    let story = Story::begins().await;
    story.upserts(json!({ "frozen": [{ "from": "2026-03-04", "until": "2026-03-31" }] })).await;
    story.org.desk().changes(&story.full, json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
    story.passes_over("frozen").await;
    story.upserts(json!({ "frozen": [{ "from": "2026-03-05", "until": "2026-03-31" }] })).await;
    story.promotes().await;
}

#[tokio::test]
async fn ended_on_the_new_day_until_prolonged() {
    let story = Story::begins().await;
    story.upserts(json!({ "valid_until": DAY })).await;
    story.org.desk().changes(&story.full, json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
    story.passes_over("membership_ended").await;
    story.upserts(json!({ "valid_until": "2026-03-04" })).await;
    story.promotes().await;
}

#[tokio::test]
async fn one_obstacle_gone_can_promote_into_several_classes() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let first = org.full_class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await;
    let second = org.full_class(json!({ "starts_at": "2026-03-03T13:00:00Z" })).await;
    let places = [ann.queues_for(&first).await, ann.queues_for(&second).await];
    let long = ann.books(&org.class(json!({ "minutes": 120 })).await).await;
    first.frees().await;
    second.frees().await;
    ann.cancels(&long).await;
    for place in places {
        org.finds(&place, "booked").await;
    }
}

#[tokio::test]
async fn of_two_classes_the_earlier_is_tried_first() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = org.member("ann").await;
    let early = org.full_class(json!({ "starts_at": "2026-03-03T08:00:00Z" })).await;
    let late = org.full_class(json!({ "starts_at": "2026-03-03T17:00:00Z" })).await;
    let (late_place, early_place) = (ann.queues_for(&late).await, ann.queues_for(&early).await);
    let held = ann.books(&org.class(json!({})).await).await;
    late.frees().await;
    early.frees().await;
    ann.cancels(&held).await;
    org.finds(&early_place, "booked").await;
    org.finds(&late_place, "waitlisted").await;
    assert_eq!(org.counts(&late).await, (0, 1, 1));
}

#[tokio::test]
async fn of_two_classes_at_the_same_time_the_first_id_is_tried_first() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let (second, first) = (org.full_class(json!({ "id": "b" })).await, org.full_class(json!({ "id": "a" })).await);
    let (b, a) = (ann.queues_for(&second).await, ann.queues_for(&first).await);
    org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    second.frees().await;
    first.frees().await;
    org.desk().upserts("ann", json!({})).await;
    org.finds(&a, "booked").await;
    org.finds(&b, "cancelled").await;
}
