//! The waitlist: who is on it, in which order, how long it may be, and who is next.

use serde_json::json;

use crate::support::api::{Named, World};

#[tokio::test]
async fn whoever_books_a_full_class_waits_in_order() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob, cid] = org.members(["ann", "bob", "cid"]).await;
    let full = org.full_class(json!({})).await;
    for (position, member) in [(1, &ann), (2, &bob), (3, &cid)] {
        let place = member.queues_for(&full).await;
        assert_eq!(place.at("/position"), &json!(position));
        let me = json!({ "booking": place.id(), "status": "waitlisted", "position": position });
        assert_eq!(member.sees(&full).await.at("/me"), &me);
    }
    assert_eq!(org.counts(&full).await, (1, 0, 3));
}

#[tokio::test]
async fn those_behind_move_up_when_somebody_leaves() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob, cid] = org.members(["ann", "bob", "cid"]).await;
    let full = org.full_class(json!({})).await;
    let (first, second, third) =
        (ann.queues_for(&full).await, bob.queues_for(&full).await, cid.queues_for(&full).await);
    let left = bob.cancels(&second).becoming("cancelled").await;
    assert_eq!(left.at("/position"), &json!(null));
    assert_eq!(ann.sees_booking(&first).await.at("/position"), &json!(1));
    assert_eq!(cid.sees_booking(&third).await.at("/position"), &json!(2));
    assert_eq!(bob.queues_for(&full).await.at("/position"), &json!(3), "who comes back is last");
}

#[tokio::test]
async fn a_waitlist_is_full_at_its_limit() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "waitlist": { "max": 2 } })).await;
    let [ann, bob, cid] = org.members(["ann", "bob", "cid"]).await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    bob.queues_for(&full).await;
    cid.books(&full).refused("waitlist_full").await;
    assert_eq!(cid.sees(&full).await.at("/can_book"), &json!({ "allowed": false, "code": "waitlist_full" }));
    org.desk().books_for(&cid, &full).refused("waitlist_full").await;
    ann.cancels(&place).await;
    assert_eq!(cid.queues_for(&full).await.at("/position"), &json!(2));
}

#[tokio::test]
async fn who_wants_no_waitlist_is_told_that_the_class_is_full() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "waitlist": { "max": 1 } })).await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let full = org.full_class(json!({})).await;
    let only_a_spot = json!({ "waitlist": false });
    ann.books(&full).with_body(only_a_spot.clone()).refused("full").await;
    bob.queues_for(&full).await;
    ann.books(&full).with_body(only_a_spot.clone()).refused("full").await;
    world.sets_clock("2026-03-03T11:00:00Z").await;
    ann.books(&full).with_body(only_a_spot).refused("full").await;
    assert_eq!(org.counts(&full).await, (1, 0, 1));
}

#[tokio::test]
async fn a_freed_spot_goes_to_the_first_in_the_queue_at_once() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let full = org.full_class(json!({})).await;
    let (first, second) = (ann.queues_for(&full).await, bob.queues_for(&full).await);
    full.frees().await;
    let promoted = org.finds(&first, "booked").await;
    assert_eq!(promoted.at("/position"), &json!(null));
    assert_eq!(org.finds(&second, "waitlisted").await.at("/position"), &json!(1));
    assert_eq!(org.counts(&full).await, (1, 0, 1));
    let told = org.told(&full, "booking_promoted").await;
    assert_eq!((told.len(), &told[0]["member"], &told[0]["data"]["how"]), (1, &json!("ann"), &json!("waitlist")));
}

#[tokio::test]
async fn promotion_goes_on_in_ticket_order_until_the_queue_is_empty() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ids = ["ann", "bob", "cid", "dot", "eve"];
    let members = org.members(ids).await;
    let full = org.full_class(json!({})).await;
    for member in &members {
        member.queues_for(&full).await;
    }
    full.frees().await;
    for member in &members {
        let me = member.sees(&full).await;
        assert_eq!(me.text("/me/status"), "booked", "{}", member.sub);
        member.cancels(&me.text("/me/booking")).await;
    }
    let promoted: Vec<String> = org
        .told(&full, "booking_promoted")
        .await
        .iter()
        .map(|line| line["member"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(promoted, ids);
    assert_eq!(org.counts(&full).await, (0, 1, 0));
}

#[tokio::test]
async fn every_spot_that_is_freed_promotes_one() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob, cid, dot] = org.members(["ann", "bob", "cid", "dot"]).await;
    let class = org.class(json!({ "capacity": 2 })).await;
    let (one, two) = (ann.books(&class).await, bob.books(&class).await);
    let (three, four) = (cid.queues_for(&class).await, dot.queues_for(&class).await);
    bob.cancels(&two).await;
    org.finds(&three, "booked").await;
    org.finds(&four, "waitlisted").await;
    ann.cancels(&one).await;
    org.finds(&four, "booked").await;
}

#[tokio::test]
async fn nobody_can_jump_the_queue() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    full.frees().await;
    org.finds(&place, "booked").await;
    bob.queues_for(&full).await;
    org.desk().books_for(&full.holder, &full).becoming("waitlisted").await;
}

#[tokio::test]
async fn a_newcomer_gets_the_spot_that_nobody_waiting_could_take() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    full.frees().await;
    assert_eq!(org.counts(&full).await, (0, 1, 1));
    bob.books(&full).await;
    org.desk().upserts("ann", json!({})).await;
    org.finds(&place, "waitlisted").await;
}

#[tokio::test]
async fn more_spots_promote_as_many() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob, cid] = org.members(["ann", "bob", "cid"]).await;
    let full = org.full_class(json!({})).await;
    let (one, two, three) = (ann.queues_for(&full).await, bob.queues_for(&full).await, cid.queues_for(&full).await);
    let raised = org.desk().changes(&full, json!({ "capacity": 3 })).await;
    assert_eq!((raised.at("/booked"), raised.at("/waiting"), raised.at("/free")), (&json!(3), &json!(1), &json!(0)));
    org.finds(&one, "booked").await;
    org.finds(&two, "booked").await;
    org.finds(&three, "waitlisted").await;
    let roomy = org.desk().changes(&full, json!({ "capacity": 10 })).await;
    assert_eq!((roomy.at("/booked"), roomy.at("/free")), (&json!(4), &json!(6)));
}

#[tokio::test]
async fn fewer_spots_bump_nobody_and_promote_nobody_until_there_is_room() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob, cid, dot] = org.members(["ann", "bob", "cid", "dot"]).await;
    let class = org.class(json!({ "capacity": 3 })).await;
    let bookings = [ann.books(&class).await, bob.books(&class).await, cid.books(&class).await];
    let place = dot.queues_for(&class).await;
    let lowered = org.desk().changes(&class, json!({ "capacity": 2 })).await;
    assert_eq!(
        (lowered.at("/capacity"), lowered.at("/booked"), lowered.at("/free")),
        (&json!(2), &json!(3), &json!(0))
    );
    ann.cancels(&bookings[0]).await;
    org.finds(&place, "waitlisted").await;
    org.finds(&bookings[1], "booked").await;
    bob.cancels(&bookings[1]).await;
    org.finds(&place, "booked").await;
    assert_eq!(org.counts(&class).await, (2, 0, 0));
}

#[tokio::test]
async fn leaving_the_waitlist_is_free_inside_the_cutoff_too() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member("ann").await;
    let place = ann.queues_for(&org.full_class(json!({})).await).await;
    world.sets_clock("2026-03-03T11:59:59.999Z").await;
    assert_eq!(ann.previews_cancelling(&place).await.text("/outcome"), "free");
    let charging = json!({ "charge": true });
    org.desk().cancels(&place).with_body(charging).becoming("cancelled").await;
    assert!(org.desk().fees().await.items().is_empty());
    ann.cancels(&place).becoming("cancelled").await;
}

#[tokio::test]
async fn a_place_on_the_waitlist_can_no_longer_be_left_once_the_class_has_started() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let place = ann.queues_for(&org.full_class(json!({})).await).await;
    world.sets_clock("2026-03-03T12:00:00Z").await;
    assert_eq!(ann.previews_cancelling(&place).await.text("/outcome"), "refused");
    ann.cancels(&place).refused("cancel_closed").await;
    org.desk().cancels(&place).refused("cancel_closed").await;
}

#[tokio::test]
async fn the_desk_queues_for_a_member_like_the_member() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let full = org.full_class(json!({})).await;
    ann.queues_for(&full).await;
    let place = org.desk().books_for(&bob, &full).becoming("waitlisted").await;
    assert_eq!((place.text("/member"), place.at("/position")), ("bob", &json!(2)));
    let joined = org.told(&full, "waitlist_joined").await;
    assert_eq!((&joined[1]["member"], &joined[1]["by"]), (&json!("bob"), &json!({ "sub": "desk", "role": "staff" })));
}
