//! Check-in by instructor and desk: when it is open, when it is late, and taking it back.

use serde_json::json;

use crate::story::{Story, charged, strict, waived};
use crate::support::api::Named;

#[tokio::test]
async fn check_in_opens_an_hour_before_and_closes_ten_minutes_after_the_start() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let (_, ann) = story.booked("ann", &class).await;
    let (_, bob) = story.booked("bob", &class).await;
    let desk = story.org.desk();
    let path = |id: String| format!("/v1/bookings/{id}/check-in");
    story.at("2026-03-03T10:59:59.999Z").await;
    desk.act(&path(ann.id())).refused("check_in_not_open").await;
    story.at("2026-03-03T11:00:00Z").await;
    assert_eq!(story.checks_in(&ann).await.body["status"], "checked_in");
    story.at("2026-03-03T12:09:59.999Z").await;
    assert_eq!(story.checks_in(&bob).await.body["late"], true);
    story.at("2026-03-03T12:10:00Z").await;
    assert_eq!(story.checks_in(&ann).await.status, 200, "repeated, also after closing");
}

#[tokio::test]
async fn after_closing_nobody_is_checked_in_any_more() {
    let story = Story::under(json!({ "attendance": { "untouched_roster": "review" } })).await;
    let class = story.org.class(json!({ "minimum": 1 })).await;
    let (_, ann) = story.booked("ann", &class).await;
    story.at("2026-03-03T12:10:00Z").await;
    let path = format!("/v1/bookings/{}/check-in", ann.id());
    story.org.desk().act(&path).refused("check_in_closed").await;
}

#[tokio::test]
async fn on_time_is_until_five_minutes_before_and_late_costs_the_fee_once() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let (member, ann) = story.booked("ann", &class).await;
    let (_, bob) = story.booked("bob", &class).await;
    story.at("2026-03-03T11:55:00Z").await;
    assert_eq!(story.checks_in(&ann).await.body["late"], false);
    story.at("2026-03-03T11:55:00.001Z").await;
    let late = story.checks_in(&bob).await;
    assert_eq!((&late.body["late"], &late.body["fee"]["amount"]), (&json!(true), &json!(3000)));
    assert_eq!(story.checks_in(&bob).await.body, late.body);
    assert_eq!(story.undoes(&bob).await.body["fee"], json!(null));
    assert_eq!(story.checks_in(&bob).await.body["fee"], json!(null), "charged once, ever");
    assert_eq!(story.ledger().await, [charged("late_check_in", 3000), waived("late_check_in", 3000)]);
    assert_eq!(story.standing(&member).await["open_fees"]["amount"], 0);
}

#[tokio::test]
async fn a_late_check_in_on_a_clip_takes_one_more_or_the_fee_where_none_is_left() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let two = story.org.member_with("two", json!({ "plan": "clips", "clips": 2 })).await;
    let one = story.org.member_with("one", json!({ "plan": "clips", "clips": 1 })).await;
    let (first, second) = (two.books(&class).await, one.books(&class).await);
    story.at("2026-03-03T12:00:00Z").await;
    assert_eq!(story.checks_in(&first).await.body["fee"], json!(null));
    assert_eq!(story.standing(&two).await["clips"], 0);
    assert_eq!(story.checks_in(&second).await.body["fee"]["amount"], 3000);
    assert_eq!(story.standing(&one).await["clips"], 0);
    story.undoes(&first).await;
    assert_eq!(story.standing(&two).await["clips"], 1);
    story.checks_in(&first).await;
    assert_eq!(story.standing(&two).await["clips"], 1, "charged once, ever");
}

#[tokio::test]
async fn two_devices_at_once_give_one_check_in() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let (_, ann) = story.booked("ann", &class).await;
    story.at("2026-03-03T11:58:00Z").await;
    let (here, there) = tokio::join!(story.checks_in(&ann), story.checks_in(&ann));
    assert_eq!(here.body, there.body);
    assert_eq!(story.told(&class, "checked_in").await, 1);
    assert_eq!(story.ledger().await, [charged("late_check_in", 3000)]);
    assert_eq!(story.org.desk().sees(&class).await.body["checked_in"], 1);
}

#[tokio::test]
async fn only_its_instructor_and_the_desk_take_the_roll() {
    let story = Story::under(strict()).await;
    let class = story.org.class(json!({ "instructor": { "id": "eva", "name": "Eva" } })).await;
    let (ann, booking) = story.booked("ann", &class).await;
    story.at("2026-03-03T11:30:00Z").await;
    let path = format!("/v1/bookings/{}/check-in", booking.id());
    story.org.instructor("jon").act(&path).refused("not_found").await;
    ann.act(&path).refused("forbidden").await;
    assert_eq!(story.org.instructor("eva").act(&path).await.body["status"], "checked_in");
    let undo = format!("/v1/bookings/{}/undo-check-in", booking.id());
    story.org.instructor("jon").act(&undo).refused("not_found").await;
    assert_eq!(story.org.instructor("eva").act(&undo).await.body["status"], "booked");
}

#[tokio::test]
async fn an_ended_booking_is_not_checked_in_and_a_waiting_member_stands_by() {
    let story = Story::under(strict()).await;
    let class = story.class(1).await;
    let (_, ann) = story.booked("ann", &class).await;
    let (bob, place) = story.waiting("bob", &class).await;
    let (cid, left) = story.waiting("cid", &class).await;
    cid.cancels(&left).await;
    story.at("2026-03-03T11:30:00Z").await;
    let path = |id: String| format!("/v1/bookings/{id}/check-in");
    story.org.desk().act(&path(left.id())).refused("wrong_status").await;
    let present = story.checks_in(&place).await.body;
    assert_eq!((&present["status"], &present["present"]), (&json!("waitlisted"), &json!(true)));
    let roster = story.org.desk().roster(&class).await.body;
    assert_eq!((&roster["waitlist"][0]["present"], &roster["waitlist"][0]["name"]), (&json!(true), &json!(bob.sub)));
    assert_eq!(story.undoes(&place).await.body["present"], false);
    assert_eq!(story.undoes(&ann).await.body["status"], "booked", "nothing to undo changes nothing");
}

#[tokio::test]
async fn the_first_class_ever_is_marked_at_check_in() {
    let story = Story::under(strict()).await;
    let (first, second) = (story.class(5).await, story.class_at("2026-03-03T14:00:00Z").await);
    let (ann, booking) = story.booked("ann", &first).await;
    let later = ann.books(&second).await;
    story.at("2026-03-03T11:30:00Z").await;
    story.checks_in(&booking).await;
    assert_eq!(story.org.desk().roster(&first).await.body["bookings"][0]["first_time"], true);
    story.at("2026-03-03T13:30:00Z").await;
    story.checks_in(&later).await;
    assert_eq!(story.org.desk().roster(&second).await.body["bookings"][0]["first_time"], false);
}

#[tokio::test]
async fn checking_in_an_offered_member_accepts_the_offer() {
    let patch = json!({ "waitlist": { "mode": "offer", "promote_until": "PT0S", "offer_for": "PT12H", "quiet": null },
                        "attendance": { "minimum": 0 } });
    let story = Story::under(patch).await;
    let class = story.class(1).await;
    let (ann, booking) = story.booked("ann", &class).await;
    let (_, place) = story.waiting("bob", &class).await;
    story.at("2026-03-03T11:20:00Z").await;
    story.org.desk().post(&format!("/v1/bookings/{}/cancel", booking.id()), json!({ "charge": false })).await;
    assert_eq!(story.status(&place).await, "offered");
    assert_eq!(story.checks_in(&place).await.body["status"], "checked_in");
    assert_eq!(story.told(&class, "booking_promoted").await, 1);
    drop(ann);
}

#[tokio::test]
async fn whoever_was_checked_in_when_the_class_moved_may_leave_free_like_everybody() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let (ann, booking) = story.booked("ann", &class).await;
    story.at("2026-03-03T11:30:00Z").await;
    story.checks_in(&booking).await;
    story.org.desk().changes(&class, json!({ "starts_at": "2026-03-03T12:30:00Z" })).await;
    story.undoes(&booking).await;
    ann.cancels(&booking).becoming("cancelled").await;
    assert!(story.ledger().await.is_empty());
}
