//! The club changes a class: wording, size, hour and day; and what that means for those who are on it.

use serde_json::{Value, json};

use crate::support::api::{Named, World};

#[tokio::test]
async fn a_change_says_only_what_is_different() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class =
        org.class(json!({ "room": "Hall 1", "instructor": { "id": "ida", "name": "Ida" }, "category": "yoga" })).await;
    let change = json!({ "title": "Yin", "instructor": { "id": "ole", "name": "Ole" }, "category": null });
    let changed = org.desk().changes(&class, change).await;
    assert_eq!((changed.text("/title"), changed.text("/room")), ("Yin", "Hall 1"));
    assert_eq!(
        (changed.at("/instructor"), changed.at("/category")),
        (&json!({ "id": "ole", "name": "Ole" }), &json!(null))
    );
    assert_eq!(changed.at("/revision"), &json!(2));
    let bare = org.desk().changes(&class, json!({ "instructor": null, "room": null })).await;
    assert_eq!(
        (bare.at("/instructor"), bare.at("/room"), bare.at("/revision")),
        (&json!(null), &json!(null), &json!(3))
    );
    assert_eq!(org.desk().sees(&class).await.body, bare.body);
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_no_change() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "room": "Hall 1" })).await;
    let before = org.cursor().await;
    for change in [
        json!({}),
        json!({ "room": "Hall 1" }),
        json!({ "starts_at": "2026-03-03T13:00:00+01:00", "minutes": 60 }),
        json!({ "category": null }),
    ] {
        let same = org.desk().changes(&class, change.clone()).await;
        assert_eq!((same.body, same.cursor.as_deref()), (class.body.clone(), Some(before.as_str())), "{change}");
    }
}

#[tokio::test]
async fn a_class_seen_before_somebody_elses_change_is_stale() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    let desk = org.desk();
    desk.changes(&class, json!({ "room": "Hall 1" })).if_match(&json!(1)).await;
    let refused = desk.changes(&class, json!({ "room": "Hall 2" })).if_match(&json!(1)).refused("stale").await;
    assert_eq!(refused.status, 412);
    assert_eq!(desk.sees(&class).await.text("/room"), "Hall 1");
    desk.changes(&class, json!({ "room": "Hall 2" })).if_match(&json!(2)).await;
    desk.changes(&class, json!({ "room": "Hall 3" })).await;
}

#[tokio::test]
async fn bookings_do_not_make_a_class_stale() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    org.member("ann").await.books(&class).await;
    org.desk().changes(&class, json!({ "room": "Hall 1" })).if_match(class.at("/revision")).await;
}

#[tokio::test]
async fn what_is_over_or_off_cannot_be_changed() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let (over, off) = (org.class(json!({})).await, org.class(json!({})).await);
    org.desk().cancels_class(&off).await;
    org.desk().changes(&off, json!({ "room": "Hall 1" })).refused("class_cancelled").await;
    world.sets_clock("2026-03-03T13:00:00Z").await;
    org.desk().changes(&over, json!({ "room": "Hall 1" })).refused("class_finished").await;
    org.desk().changes(&"nothing", json!({ "room": "Hall 1" })).refused("not_found").await;
}

#[tokio::test]
async fn a_moved_class_takes_its_instants_along() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    let moved = org.desk().changes(&class, json!({ "starts_at": "2026-03-04T15:00:00Z", "minutes": 90 })).await;
    for (pointer, at) in [
        ("/starts_at", "2026-03-04T16:00:00+01:00"),
        ("/ends_at", "2026-03-04T17:30:00+01:00"),
        ("/terms/closes_at", "2026-03-04T16:00:00+01:00"),
        ("/terms/cancel_by", "2026-03-04T15:00:00+01:00"),
        ("/terms/promote_until", "2026-03-04T15:00:00+01:00"),
        ("/terms/check_in_opens", "2026-03-04T15:00:00+01:00"),
        ("/terms/check_in_closes", "2026-03-04T16:10:00+01:00"),
        ("/terms/date", "2026-03-04"),
    ] {
        assert_eq!(moved.text(pointer), at, "{pointer}");
    }
}

#[tokio::test]
async fn a_moved_class_keeps_its_own_frozen_durations() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    let mut policy = org.desk().get("/v1/org").await.at("/policy").clone();
    policy["cancel"]["free_until"] = json!("PT9H");
    org.admin().put("/v1/org/policy", policy).await;
    let moved = org.desk().changes(&class, json!({ "starts_at": "2026-03-03T16:00:00Z" })).await;
    assert_eq!(moved.text("/terms/cancel_by"), "2026-03-03T16:00:00+01:00");
}

#[tokio::test]
async fn booking_that_has_opened_stays_open() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let moved = org.desk().changes(&class, json!({ "starts_at": "2026-04-20T12:00:00Z" })).await;
    assert_eq!((moved.text("/status"), moved.text("/terms/opens_at")), ("open", class.text("/terms/opens_at")));
    ann.books(&class).await;
}

#[tokio::test]
async fn booking_that_has_not_opened_opens_by_the_new_hour() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": "2026-03-12T12:00:00Z" })).await;
    let later = org.desk().changes(&class, json!({ "starts_at": "2026-03-13T12:00:00Z" })).await;
    assert_eq!((later.text("/status"), later.text("/terms/opens_at")), ("scheduled", "2026-03-06T13:00:00+01:00"));
    let sooner = org.desk().changes(&class, json!({ "starts_at": "2026-03-09T08:00:00Z" })).await;
    assert_eq!(sooner.text("/status"), "open");
    ann.books(&class).await;
}

#[tokio::test]
async fn the_past_and_the_present_class_cannot_be_moved() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    let refused =
        org.desk().changes(&class, json!({ "starts_at": "2026-03-02T07:59:59.999Z" })).refused("invalid").await;
    assert_eq!((refused.status, refused.pointers()), (422, vec!["/starts_at".to_owned()]));
    world.sets_clock("2026-03-03T12:00:00Z").await;
    org.desk().changes(&class, json!({ "starts_at": "2026-03-03T15:00:00Z" })).refused("wrong_status").await;
    org.desk().changes(&class, json!({ "room": "Hall 1" })).await;
}

#[tokio::test]
async fn a_move_at_short_notice_lets_everyone_booked_cancel_free() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let class = org.class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-02T12:00:00.001Z").await;
    org.desk().changes(&class, json!({ "starts_at": "2026-03-03T13:00:00Z" })).await;
    let newcomer = bob.books(&class).await;
    world.sets_clock("2026-03-03T12:59:59.999Z").await;
    let preview = ann.previews_cancelling(&booking).await;
    assert_eq!((preview.text("/outcome"), preview.text("/free_until")), ("free", "2026-03-03T14:00:00+01:00"));
    ann.cancels(&booking).becoming("cancelled").await;
    bob.cancels(&newcomer).becoming("late_cancelled").await;
}

#[tokio::test]
async fn with_notice_enough_and_on_the_same_day_the_cutoff_stays() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-02T12:00:00Z").await;
    org.desk().changes(&class, json!({ "starts_at": "2026-03-03T13:00:00Z" })).await;
    assert_eq!(ann.previews_cancelling(&booking).await.text("/free_until"), "2026-03-03T12:00:00+01:00");
}

#[tokio::test]
async fn the_notice_is_measured_to_the_earlier_start() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await;
    let booking = ann.books(&class).await;
    org.desk().changes(&class, json!({ "starts_at": "2026-03-03T07:59:59Z" })).await;
    assert_eq!(ann.previews_cancelling(&booking).await.text("/free_until"), "2026-03-03T08:59:59+01:00");
}

#[tokio::test]
async fn another_day_lets_everyone_cancel_free_whatever_the_notice() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": "2026-03-07T12:00:00Z" })).await;
    let booking = ann.books(&class).await;
    org.desk().changes(&class, json!({ "starts_at": "2026-03-08T12:00:00Z" })).await;
    assert_eq!(ann.previews_cancelling(&booking).await.text("/free_until"), "2026-03-08T13:00:00+01:00");
}

#[tokio::test]
async fn another_length_at_short_notice_counts_and_another_room_does_not() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let (longer, elsewhere) = (org.class(json!({})).await, org.class(json!({})).await);
    let (one, two) = (ann.books(&longer).await, bob.books(&elsewhere).await);
    world.sets_clock("2026-03-03T09:00:00Z").await;
    org.desk().changes(&longer, json!({ "minutes": 90 })).await;
    let instructor = json!({ "id": "ole", "name": "Ole" });
    org.desk().changes(&elsewhere, json!({ "room": "Hall 9", "instructor": instructor, "capacity": 5 })).await;
    assert_eq!(ann.previews_cancelling(&one).await.text("/free_until"), "2026-03-03T13:00:00+01:00");
    assert_eq!(bob.previews_cancelling(&two).await.text("/free_until"), "2026-03-03T11:00:00+01:00");
}

#[tokio::test]
async fn limits_and_overlap_follow_the_new_day_and_nobody_loses_a_spot() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = org.member("ann").await;
    let moving = org.class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await;
    let other = org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
    let (one, two) = (ann.books(&moving).await, ann.books(&other).await);
    org.desk().changes(&moving, json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
    org.finds(&one, "booked").await;
    org.finds(&two, "booked").await;
    assert_eq!(ann.standing().await.at("/booked"), &json!({ "2026-03-04": 2 }));
    ann.books(&org.class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await).await;
    ann.books(&org.class(json!({ "starts_at": "2026-03-04T08:00:00Z" })).await).refused("daily_limit").await;
}

#[tokio::test]
async fn a_live_offer_is_cut_by_an_earlier_end_of_promotion_and_never_lengthened() {
    let world = World::new().await;
    let offers = json!({ "waitlist": { "mode": "offer", "offer_for": "PT12H" } });
    let org = world.org_under("standard", offers).await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    full.frees().await;
    let until = async || ann.sees_booking(&place).await.text("/offer_expires_at").to_owned();
    assert_eq!(until().await, "2026-03-02T21:00:00+01:00");
    org.desk().changes(&full, json!({ "starts_at": "2026-03-05T12:00:00Z" })).await;
    assert_eq!(until().await, "2026-03-02T21:00:00+01:00");
    org.desk().changes(&full, json!({ "starts_at": "2026-03-02T17:00:00Z" })).await;
    assert_eq!(until().await, "2026-03-02T17:00:00+01:00");
    org.desk().changes(&full, json!({ "starts_at": "2026-03-05T12:00:00Z" })).await;
    assert_eq!(until().await, "2026-03-02T17:00:00+01:00");
    world.sets_clock("2026-03-02T16:00:00Z").await;
    org.finds(&place, "lapsed").await;
}

#[tokio::test]
async fn a_class_moved_away_from_the_end_of_promotion_promotes_again() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    world.sets_clock("2026-03-03T09:30:00Z").await;
    full.frees().await;
    org.finds(&place, "waitlisted").await;
    org.desk().changes(&full, json!({ "starts_at": "2026-03-03T18:00:00Z" })).await;
    org.finds(&place, "booked").await;
}

#[tokio::test]
async fn the_minimum_can_be_changed_and_given_back_to_the_policy() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "minimum": 2 })).await;
    let desk = org.desk();
    assert_eq!(desk.changes(&class, json!({ "minimum": 4 })).await.at("/minimum"), &json!(4));
    assert_eq!(desk.changes(&class, json!({ "minimum": null })).await.at("/minimum"), &json!(5));
    assert_eq!(desk.changes(&class, json!({ "capacity": 3 })).await.at("/minimum"), &json!(3));
    for change in [json!({ "minimum": 4 }), json!({ "minimum": 6, "capacity": 5 })] {
        let refused = desk.changes(&class, change).refused("invalid").await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["/minimum".to_owned()]));
    }
    assert_eq!(desk.changes(&class, json!({ "minimum": 8, "capacity": 9 })).await.at("/minimum"), &json!(8));
}

#[tokio::test]
async fn the_club_and_the_policy_of_a_class_cannot_be_changed() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    for (name, value) in [
        ("club", json!("main")),
        ("policy", json!({})),
        ("min_age", json!(3)),
        ("status", json!("open")),
        ("id", json!("x")),
    ] {
        let refused = org.desk().changes(&class, json!({ name: value })).refused("invalid").await;
        assert_eq!((refused.status, refused.pointers()), (422, vec![format!("/{name}")]));
    }
}

#[tokio::test]
async fn a_substitute_is_announced() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    org.desk().changes(&class, json!({ "instructor": { "id": "ole", "name": "Ole" }, "room": "Hall 3" })).await;
    let told = org.told(&class, "class_changed").await;
    let mut changed: Vec<&str> =
        told[0]["data"]["changed"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    changed.sort_unstable();
    assert_eq!((told.len(), told[0]["by"]["sub"].as_str()), (1, Some("desk")));
    assert!(changed.contains(&"instructor") && changed.contains(&"room"), "{changed:?}");
}

#[tokio::test]
async fn members_see_their_bookings_in_the_new_order() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let early = org.class(json!({ "starts_at": "2026-03-03T08:00:00Z" })).await;
    let late = org.class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await;
    let (one, two) = (ann.books(&early).await, ann.books(&late).await);
    let upcoming =
        async || ann.get("/v1/bookings?when=upcoming").await.ids().into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(upcoming().await, [one.id(), two.id()]);
    org.desk().changes(&early, json!({ "starts_at": "2026-03-03T17:00:00Z" })).await;
    assert_eq!(upcoming().await, [two.id(), one.id()]);
}
