//! Giving a spot back: free until the cutoff, then as the chain's rules say; and the preview tells what then happens.

use serde_json::{Value, json};

use crate::support::api::{Named, Person, Reply, World};

/// Cancels after having looked at what it would cost, and holds the one against the other.
async fn cancels_as_previewed(person: &Person, booking: &impl Named) -> Reply {
    let preview = person.previews_cancelling(booking).await;
    let reply = person.cancels(booking).send().await;
    match preview.text("/outcome") {
        "free" => assert_eq!((reply.status, reply.text("/status")), (200, "cancelled")),
        "charged" => assert_eq!((reply.status, reply.text("/status")), (200, "late_cancelled")),
        "refused" => assert_eq!((reply.status, reply.text("/code")), (409, "cancel_closed")),
        other => panic!("an outcome {other:?}"),
    }
    assert_eq!(preview.at("/fee"), reply.at("/fee"), "{preview:?} and {reply:?}");
    reply
}

/// Each preset's cutoff before the default class, and what then becomes of a cancel.
const PRESETS: [(&str, &str, &str); 6] = [
    ("standard", "2026-03-03T11:00:00Z", "refused"),
    ("impuls-lt", "2026-03-03T11:00:00Z", "refused"),
    ("pulsn-dk", "2026-03-03T10:00:00Z", "charged"),
    ("actic-no", "2026-03-03T10:00:00Z", "refused"),
    ("impulse-no", "2026-03-03T10:00:00Z", "refused"),
    ("bolgen-no", "2026-03-03T10:00:00Z", "refused"),
];

fn a_millisecond_before(instant: &str) -> String {
    let at = chrono::DateTime::parse_from_rfc3339(instant).unwrap() - chrono::TimeDelta::milliseconds(1);
    at.to_rfc3339()
}

#[tokio::test]
async fn in_every_preset_cancelling_is_free_to_the_last_millisecond_before_the_cutoff() {
    let world = World::new().await;
    for (preset, cutoff, _) in PRESETS {
        world.sets_clock("2026-03-02T08:00:00Z").await;
        let org = world.org(preset).await;
        let ann = org.member("ann").await;
        let class = org.class(json!({})).await;
        let booking = ann.books(&class).await;
        world.sets_clock(&a_millisecond_before(cutoff)).await;
        assert_eq!(cancels_as_previewed(&ann, &booking).await.text("/status"), "cancelled", "{preset}");
        assert_eq!(org.counts(&class).await, (0, 10, 0));
    }
}

#[tokio::test]
async fn in_every_preset_the_cutoff_is_where_it_ends() {
    let world = World::new().await;
    for (preset, cutoff, then) in PRESETS {
        world.sets_clock("2026-03-02T08:00:00Z").await;
        let org = world.org(preset).await;
        let ann = org.member("ann").await;
        let booking = ann.books(&org.class(json!({})).await).await;
        world.sets_clock(cutoff).await;
        assert_eq!(ann.previews_cancelling(&booking).await.text("/outcome"), then, "{preset}");
        let reply = cancels_as_previewed(&ann, &booking).await;
        assert_eq!(reply.status == 200, then == "charged", "{preset}");
    }
}

#[tokio::test]
async fn a_preview_says_until_when_cancelling_is_free() {
    let world = World::new().await;
    for (preset, free_until) in [
        ("standard", "2026-03-03T12:00:00+01:00"),
        ("impuls-lt", "2026-03-03T13:00:00+02:00"),
        ("pulsn-dk", "2026-03-03T11:00:00+01:00"),
    ] {
        let org = world.org(preset).await;
        let ann = org.member("ann").await;
        let booking = ann.books(&org.class(json!({})).await).await;
        let preview = ann.previews_cancelling(&booking).await;
        let expected = json!({ "outcome": "free", "clip": false, "strike": false, "free_until": free_until });
        assert_eq!(preview.body, expected, "{preset}");
    }
}

#[tokio::test]
async fn a_late_cancel_is_charged_where_the_chain_charges() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:59:59.999Z").await;
    let fee = json!({ "amount": 3000, "currency": "DKK" });
    let preview = ann.previews_cancelling(&booking).await;
    let expected = json!({
        "outcome": "charged", "fee": fee, "clip": false, "strike": false, "free_until": "2026-03-03T11:00:00+01:00",
    });
    assert_eq!(preview.body, expected);
    assert_eq!(cancels_as_previewed(&ann, &booking).await.at("/fee"), &fee);
    assert_eq!(ann.standing().await.at("/open_fees"), &fee);
    let cancelled = org.told(&class, "booking_cancelled").await;
    assert_eq!(
        (&cancelled[0]["data"]["late"], &cancelled[0]["data"]["status"]),
        (&json!(true), &json!("late_cancelled"))
    );
}

#[tokio::test]
async fn a_late_cancel_paid_by_clip_costs_the_clip() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", json!({ "plan": "clips", "clips": 5 })).await;
    let booking = ann.books(&org.class(json!({})).await).await;
    world.sets_clock("2026-03-03T10:00:00Z").await;
    let preview = ann.previews_cancelling(&booking).await;
    assert_eq!(
        (preview.text("/outcome"), preview.at("/clip"), preview.at("/fee")),
        ("charged", &json!(true), &json!(null))
    );
    cancels_as_previewed(&ann, &booking).await;
    assert_eq!(org.clips(&ann).await, 4);
}

#[tokio::test]
async fn a_pt_session_is_charged_in_full_within_a_day() {
    let world = World::new().await;
    let org = world.org("actic-no").await;
    let ann = org.member("ann").await;
    let session = json!({
        "booking": { "opens": { "before": "P42D" }, "daily_limit": null },
        "cancel": { "free_until": "PT24H", "late": "charged", "late_fee": 79000 },
        "attendance": { "minimum": 1, "no_show_fee": 79000 },
    });
    let class = org.class(json!({ "capacity": 1, "policy": session, "starts_at": "2026-04-13T08:00:00+02:00" })).await;
    assert_eq!(class.text("/terms/opens_at"), "2026-03-02T08:00:00+01:00");
    let booking = ann.books(&class).await;
    world.sets_clock("2026-04-12T05:59:59.999Z").await;
    assert_eq!(ann.previews_cancelling(&booking).await.text("/outcome"), "free");
    world.sets_clock("2026-04-12T06:00:00Z").await;
    let cancelled = cancels_as_previewed(&ann, &booking).await;
    assert_eq!(cancelled.at("/fee"), &json!({ "amount": 79000, "currency": "NOK" }));
}

#[tokio::test]
async fn where_late_cancels_are_refused_the_spot_stays() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    assert_eq!(cancels_as_previewed(&ann, &booking).await.text("/code"), "cancel_closed");
    org.finds(&booking, "booked").await;
    assert_eq!(org.counts(&class).await, (1, 9, 0));
}

#[tokio::test]
async fn nothing_can_be_cancelled_once_the_class_has_started() {
    let world = World::new().await;
    for preset in ["standard", "pulsn-dk"] {
        world.sets_clock("2026-03-02T08:00:00Z").await;
        let org = world.org(preset).await;
        let ann = org.member("ann").await;
        let booking = ann.books(&org.class(json!({})).await).await;
        world.sets_clock("2026-03-03T12:00:00Z").await;
        assert_eq!(ann.previews_cancelling(&booking).await.text("/outcome"), "refused");
        ann.cancels(&booking).refused("cancel_closed").await;
        let desk = org.desk();
        desk.cancels(&booking).refused("cancel_closed").await;
        for charge in [true, false] {
            desk.cancels(&booking)
                .with_body(json!({ "charge": charge, "reason": "ill" }))
                .refused("cancel_closed")
                .await;
        }
    }
}

#[tokio::test]
async fn cancelling_again_answers_the_cancelled_booking() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let [ann, bob, cid] = org.members(["ann", "bob", "cid"]).await;
    let class = org.class(json!({})).await;
    let (early, late, left) = (ann.books(&class).await, bob.books(&class).await, cid.books(&class).await);
    let first = ann.cancels(&early).becoming("cancelled").await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    let second = bob.cancels(&late).becoming("late_cancelled").await;
    org.desk().cancels_class(&class).await;
    let third = cid.cancels(&left).becoming("class_cancelled").await;
    let before = org.cursor().await;
    assert_eq!(ann.cancels(&early).await.body, first.body);
    assert_eq!(bob.cancels(&late).await.text("/status"), second.text("/status"));
    assert_eq!(cid.cancels(&left).await.body, third.body);
    world.sets_clock("2026-03-03T15:00:00Z").await;
    ann.cancels(&early).becoming("cancelled").await;
    assert_eq!(org.cursor().await, before);
}

#[tokio::test]
async fn someone_elses_booking_is_not_there() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let booking = ann.books(&org.class(json!({})).await).await;
    bob.cancels(&booking).refused("not_found").await;
    bob.previews_cancelling(&booking).refused("not_found").await;
    bob.sees_booking(&booking).refused("not_found").await;
    ann.cancels(&"nothing").refused("not_found").await;
    org.finds(&booking, "booked").await;
}

#[tokio::test]
async fn the_desk_is_bound_like_the_member() {
    let world = World::new().await;
    let refusing = world.org("standard").await;
    let charging = world.org("pulsn-dk").await;
    let one = refusing.member("ann").await.books(&refusing.class(json!({})).await).await;
    let two = charging.member("ann").await.books(&charging.class(json!({})).await).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    refusing.desk().cancels(&one).refused("cancel_closed").await;
    let cancelled = charging.desk().cancels(&two).becoming("late_cancelled").await;
    assert_eq!(cancelled.at("/fee/amount"), &json!(3000));
}

#[tokio::test]
async fn the_desk_can_cancel_free_of_charge_after_the_cutoff() {
    let world = World::new().await;
    for preset in ["standard", "pulsn-dk"] {
        world.sets_clock("2026-03-02T08:00:00Z").await;
        let org = world.org(preset).await;
        let ann = org.member_with("ann", json!({ "plan": "clips", "clips": 1 })).await;
        let class = org.class(json!({})).await;
        let booking = ann.books(&class).await;
        world.sets_clock("2026-03-03T11:00:00Z").await;
        let body = json!({ "charge": false, "reason": "the lift was stuck" });
        org.desk().cancels(&booking).with_body(body).becoming("cancelled").await;
        assert_eq!(org.clips(&ann).await, 1);
        let told = org.told(&class, "booking_cancelled").await;
        assert_eq!((&told[0]["data"]["reason"], &told[0]["by"]["sub"]), (&json!("the lift was stuck"), &json!("desk")));
    }
}

#[tokio::test]
async fn the_desk_can_make_a_late_cancel_where_members_cannot() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "cancel": { "late_fee": 500 } })).await;
    let ann = org.member("ann").await;
    let booking = ann.books(&org.class(json!({})).await).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    let late = org.desk().cancels(&booking).with_body(json!({ "charge": true })).becoming("late_cancelled").await;
    assert_eq!(late.at("/fee"), &json!({ "amount": 500, "currency": "EUR" }));
}

#[tokio::test]
async fn before_the_cutoff_there_is_nothing_to_charge() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let booking = ann.books(&org.class(json!({})).await).await;
    org.desk().cancels(&booking).with_body(json!({ "charge": true })).becoming("cancelled").await;
    assert!(org.desk().fees().await.items().is_empty());
}

#[tokio::test]
async fn only_the_desk_says_whether_to_charge() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let booking = ann.books(&org.class(json!({})).await).await;
    let refused = ann.cancels(&booking).with_body(json!({ "charge": false })).refused("invalid").await;
    assert_eq!((refused.status, refused.pointers()), (422, vec!["/charge".to_owned()]));
    org.finds(&booking, "booked").await;
}

#[tokio::test]
async fn a_reason_is_kept_with_the_event() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    ann.cancels(&booking).with_body(json!({ "reason": "a cold" })).becoming("cancelled").await;
    assert_eq!(org.told(&class, "booking_cancelled").await[0]["data"]["reason"], "a cold");
}

#[tokio::test]
async fn a_late_cancel_that_costs_nothing_is_still_late() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "cancel": { "late": "charged" } })).await;
    let ann = org.member("ann").await;
    let booking = ann.books(&org.class(json!({})).await).await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    let late = cancels_as_previewed(&ann, &booking).await;
    assert_eq!((late.text("/status"), late.at("/fee")), ("late_cancelled", &Value::Null));
    assert!(org.desk().fees().await.items().is_empty());
}

#[tokio::test]
async fn cutoffs_in_days_are_local_and_in_hours_exact_when_clocks_change() {
    let world = World::new().await;
    let org = world.org("standard").await;
    world.sets_clock("2026-03-25T08:00:00Z").await;
    for (free_until, cancel_by) in [
        ("P1D", "2026-03-28T18:00:00+01:00"),
        ("PT24H", "2026-03-28T17:00:00+01:00"),
        ("P1DT1H", "2026-03-28T17:00:00+01:00"),
    ] {
        let policy = json!({ "cancel": { "free_until": free_until } });
        let class = org.class(json!({ "starts_at": "2026-03-29T18:00:00+02:00", "policy": policy })).await;
        assert_eq!(class.text("/terms/cancel_by"), cancel_by, "{free_until}");
    }
}
