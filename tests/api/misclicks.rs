//! Whoever takes a spot when cancelling is no longer free may take a misclick back for `cancel.after_booking`.
//!
//! Under `pulsn-dk` the default class of 3 March, 12:00 UTC, can be cancelled free until 10:00; later costs 3000.

use serde_json::{Value, json};

use crate::support::api::{Named, Org, Person, World};

fn for_so_long(span: &str) -> Value {
    json!({ "cancel": { "after_booking": span } })
}

async fn chain(span: &str) -> (World, Org, Person) {
    let world = World::new().await;
    let org = world.org_under("pulsn-dk", for_so_long(span)).await;
    let ann = org.member("ann").await;
    (world, org, ann)
}

#[tokio::test]
async fn it_is_free_to_the_last_millisecond_and_charged_at_the_next() {
    // How long, booked when, free until when (in Copenhagen), and the first instant (UTC) at which it is not.
    let stories = [
        ("PT10M", "10:00:00Z", "11:10:00+01:00", "10:10:00Z"),
        ("PT10M", "10:00:00.001Z", "11:10:00.001+01:00", "10:10:00.001Z"),
        ("PT10M", "11:30:00Z", "12:40:00+01:00", "11:40:00Z"),
        ("PT1M", "11:58:59.999Z", "12:59:59.999+01:00", "11:59:59.999Z"),
        ("PT1S", "10:30:00Z", "11:30:01+01:00", "10:30:01Z"),
        ("PT90M", "10:15:00Z", "12:45:00+01:00", "11:45:00Z"),
        ("PT15M30S", "10:30:30.500Z", "11:46:00.500+01:00", "10:46:00.500Z"),
        ("PT1H", "10:59:59.999Z", "12:59:59.999+01:00", "11:59:59.999Z"),
        // Booked before the cutoff, however shortly: the cutoff stands.
        ("PT10M", "09:59:59.999Z", "11:00:00+01:00", "10:00:00Z"),
        ("P1D", "08:00:00Z", "11:00:00+01:00", "10:00:00Z"),
        // Nothing is spared where the chain spares nothing.
        ("PT0S", "10:00:00Z", "11:00:00+01:00", "10:00:00Z"),
        ("PT0M", "11:00:00Z", "11:00:00+01:00", "11:00:00Z"),
    ];
    let world = World::new().await;
    for (span, booked, free_until, over) in stories {
        let story = format!("{span} from {booked}");
        world.sets_clock("2026-03-02T08:00:00Z").await;
        let org = world.org_under("pulsn-dk", for_so_long(span)).await;
        let [ann, bob] = org.members(["ann", "bob"]).await;
        let class = org.class(json!({})).await;
        world.sets_clock(&format!("2026-03-03T{booked}")).await;
        let (hers, his) = (ann.books(&class).await, bob.books(&class).await);
        let preview = ann.previews_cancelling(&hers).await;
        assert_eq!(preview.text("/free_until"), format!("2026-03-03T{free_until}"), "{story}");
        let over = chrono::DateTime::parse_from_rfc3339(&format!("2026-03-03T{over}")).unwrap();
        if preview.text("/outcome") == "free" {
            world.sets_clock(&(over - chrono::TimeDelta::milliseconds(1)).to_rfc3339()).await;
            assert_eq!(ann.previews_cancelling(&hers).await.text("/outcome"), "free", "{story}");
            ann.cancels(&hers).becoming("cancelled").await;
        }
        world.sets_clock(&over.to_rfc3339()).await;
        let preview = bob.previews_cancelling(&his).await;
        assert_eq!((preview.text("/outcome"), preview.at("/fee/amount")), ("charged", &json!(3000)), "{story}");
        bob.cancels(&his).becoming("late_cancelled").await;
    }
}

#[tokio::test]
async fn never_past_the_start() {
    for span in ["PT6M", "PT2H", "P1D"] {
        let (world, org, ann) = chain(span).await;
        let class = org.class(json!({})).await;
        world.sets_clock("2026-03-03T11:55:00Z").await;
        let booking = ann.books(&class).await;
        assert_eq!(ann.previews_cancelling(&booking).await.text("/free_until"), "2026-03-03T13:00:00+01:00", "{span}");
        world.sets_clock("2026-03-03T12:00:00Z").await;
        assert_eq!(ann.previews_cancelling(&booking).await.text("/outcome"), "refused", "{span}");
        ann.cancels(&booking).refused("cancel_closed").await;
    }
}

#[tokio::test]
async fn what_the_desk_booked_for_a_member_counts_alike() {
    let (world, org, ann) = chain("PT10M").await;
    let class = org.class(json!({})).await;
    world.sets_clock("2026-03-03T10:30:00Z").await;
    let booking = org.desk().books_for(&ann, &class).await;
    world.sets_clock("2026-03-03T10:39:59.999Z").await;
    assert_eq!(ann.previews_cancelling(&booking).await.text("/free_until"), "2026-03-03T11:40:00+01:00");
    org.desk().cancels(&booking).becoming("cancelled").await;
}

#[tokio::test]
async fn a_first_come_spot_has_the_later_of_this_and_the_grace() {
    for (after_booking, grace, free_until) in [
        ("PT10M", "PT0S", "11:40:00+01:00"),
        ("PT10M", "PT30M", "12:00:00+01:00"),
        ("PT50M", "PT30M", "12:20:00+01:00"),
        ("PT0S", "PT30M", "12:00:00+01:00"),
        ("PT0S", "PT0S", "11:00:00+01:00"),
    ] {
        let world = World::new().await;
        let patch = json!({ "cancel": { "after_booking": after_booking }, "waitlist": { "grace": grace } });
        let org = world.org_under("pulsn-dk", patch).await;
        let ann = org.member("ann").await;
        let full = org.full_class(json!({})).await;
        let place = ann.queues_for(&full).await;
        world.sets_clock("2026-03-03T09:30:00Z").await;
        full.frees().await;
        world.sets_clock("2026-03-03T10:30:00Z").await;
        ann.books(&full).again().becoming("booked").await;
        let preview = ann.previews_cancelling(&place).await;
        let story = format!("{after_booking} after booking, {grace} of grace");
        assert_eq!(preview.text("/free_until"), format!("2026-03-03T{free_until}"), "{story}");
    }
}

#[tokio::test]
async fn whoever_is_promoted_booked_nothing_and_has_the_grace_alone() {
    let world = World::new().await;
    let patch =
        json!({ "cancel": { "after_booking": "PT50M" }, "waitlist": { "grace": "PT5M", "promote_until": "PT1H" } });
    let org = world.org_under("pulsn-dk", patch).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T10:30:00Z").await;
    full.holder.cancels(&full.spot).becoming("late_cancelled").await;
    org.finds(&place, "booked").await;
    assert_eq!(ann.previews_cancelling(&place).await.text("/free_until"), "2026-03-03T11:35:00+01:00");
}

#[tokio::test]
async fn where_late_cancels_are_refused_a_misclick_is_not() {
    let world = World::new().await;
    let org = world.org_under("standard", for_so_long("PT10M")).await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:09:59.999Z").await;
    ann.cancels(&booking).becoming("cancelled").await;
    let again = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:19:59.999Z").await;
    ann.cancels(&again).refused("cancel_closed").await;
}

#[tokio::test]
async fn a_booking_made_again_has_a_time_of_its_own() {
    let (world, org, ann) = chain("PT10M").await;
    let class = org.class(json!({})).await;
    world.sets_clock("2026-03-03T10:30:00Z").await;
    let first = ann.books(&class).await;
    // A repeat is the same booking, and gives no more time.
    world.sets_clock("2026-03-03T10:35:00Z").await;
    ann.books(&class).again().becoming("booked").await;
    assert_eq!(ann.previews_cancelling(&first).await.text("/free_until"), "2026-03-03T11:40:00+01:00");
    ann.cancels(&first).becoming("cancelled").await;
    let second = ann.books(&class).await;
    assert_eq!(ann.previews_cancelling(&second).await.text("/free_until"), "2026-03-03T11:45:00+01:00");
}

#[tokio::test]
async fn a_misclick_costs_no_clip_no_strike_and_no_fee() {
    let world = World::new().await;
    let patch = json!({
        "cancel": { "after_booking": "PT10M", "late_is_strike": true },
        "attendance": { "strikes": 1, "strike_window": "P14D", "ban": "P14D" },
    });
    let org = world.org_under("pulsn-dk", patch).await;
    let ann = org.member_with("ann", json!({ "plan": "clips", "clips": 3 })).await;
    let class = org.class(json!({})).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    let booking = ann.books(&class).await;
    assert_eq!(org.clips(&ann).await, 2);
    let preview = ann.previews_cancelling(&booking).await;
    assert_eq!((preview.at("/clip"), preview.at("/strike")), (&json!(false), &json!(false)));
    ann.cancels(&booking).becoming("cancelled").await;
    let standing = ann.standing().await;
    assert_eq!(
        (org.clips(&ann).await, standing.at("/strikes"), standing.at("/banned_until")),
        (3, &json!([]), &json!(null))
    );
    assert_eq!(org.counts(&class).await, (0, 10, 0));
}

#[tokio::test]
async fn a_class_may_have_a_time_of_its_own_and_keeps_it_once_open() {
    let (world, org, ann) = chain("PT10M").await;
    let class = org.class(json!({ "policy": for_so_long("PT40M") })).await;
    let plain = org.class(json!({ "starts_at": "2026-03-03T15:00:00Z" })).await;
    assert_eq!((class.text("/terms/after_booking"), plain.text("/terms/after_booking")), ("PT40M", "PT10M"));
    let mut policy = org.admin().get("/v1/org").await.body["policy"].clone();
    policy["cancel"]["after_booking"] = json!("PT1H");
    org.admin().put("/v1/org/policy", policy).await;
    world.sets_clock("2026-03-03T10:00:00Z").await;
    let booking = ann.books(&class).await;
    assert_eq!(ann.previews_cancelling(&booking).await.text("/free_until"), "2026-03-03T11:40:00+01:00");
    world.sets_clock("2026-03-03T13:00:00Z").await;
    let booking = ann.books(&plain).await;
    assert_eq!(ann.previews_cancelling(&booking).await.text("/free_until"), "2026-03-03T14:10:00+01:00");
}

#[tokio::test]
async fn a_class_that_an_older_release_published_spares_nothing() {
    let (world, org, ann) = chain("PT10M").await;
    let class = org.class(json!({})).await;
    let key = format!("rc:{{{}}}:class:{}", org.id, class.id());
    assert_eq!(world.redis().tells(&format!("HDEL {key} after_booking_ms")), ":1\r\n");
    world.sets_clock("2026-03-03T10:30:00Z").await;
    let booking = ann.books(&class).await;
    assert_eq!(ann.previews_cancelling(&booking).await.text("/outcome"), "charged");
    ann.cancels(&booking).becoming("late_cancelled").await;
}
