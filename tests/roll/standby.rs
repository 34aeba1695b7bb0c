//! Who waits at the door: a stand-by who gets a spot early, by promotion or by an offer, and the slip of a finger.

use serde_json::{Value, json};

use crate::story::Story;
use crate::support::api::{Named, Person, Reply};

/// One spot, promotion until the start; Ann has it, Bob stands by from half an hour before.
async fn at_the_door(waitlist: Value) -> (Story, Reply, Reply, Person, Reply) {
    let mut patch = json!({ "waitlist": { "promote_until": "PT0S", "quiet": null }, "attendance": { "minimum": 0 } });
    crate::support::api::merge(&mut patch["waitlist"], &waitlist);
    let story = Story::under(patch).await;
    let class = story.class(1).await;
    let (_, ann) = story.booked("ann", &class).await;
    let (bob, place) = story.waiting("bob", &class).await;
    story.at("2026-03-03T11:30:00Z").await;
    story.checks_in(&place).await;
    (story, class, ann, bob, place)
}

/// The desk gives the spot back, at no cost.
async fn gives_back(story: &Story, booking: &Reply) {
    let path = format!("/v1/bookings/{}/cancel", booking.id());
    story.org.desk().post(&path, json!({ "charge": false, "reason": "ill" })).await;
}

#[tokio::test]
async fn a_stand_by_who_is_promoted_has_arrived() {
    let (story, class, ann, _, place) = at_the_door(json!({})).await;
    gives_back(&story, &ann).await;
    let seen = story.sees(&place).await;
    assert_eq!((&seen["status"], &seen["late"]), (&json!("checked_in"), &json!(false)));
    assert_eq!(story.org.desk().sees(&class).await.body["checked_in"], 1);
    story.at("2026-03-03T12:10:00Z").await;
    assert_eq!(story.status(&place).await, "checked_in", "whoever stands by is never a no-show");
}

#[tokio::test]
async fn a_promoted_stand_by_is_undone_once() {
    let (story, class, ann, _, place) = at_the_door(json!({})).await;
    gives_back(&story, &ann).await;
    for _ in 0..2 {
        assert_eq!(story.undoes(&place).await.body["status"], "booked");
        assert_eq!(story.org.desk().sees(&class).await.body["checked_in"], 0);
    }
}

#[tokio::test]
async fn a_stand_by_who_is_offered_the_spot_arrives_by_accepting() {
    let (story, class, ann, bob, place) = at_the_door(json!({ "mode": "offer" })).await;
    gives_back(&story, &ann).await;
    assert_eq!(story.status(&place).await, "offered");
    let undone = story.undoes(&place).await.body;
    assert_eq!((&undone["status"], &undone["present"]), (&json!("offered"), &json!(false)));
    assert_eq!(story.org.desk().sees(&class).await.body["checked_in"], 0);
    bob.accepts(&place).await;
    assert_eq!(story.status(&place).await, "booked", "not here after all");
}

#[tokio::test]
async fn an_offer_taken_by_a_stand_by_is_an_arrival() {
    let (story, _, ann, bob, place) = at_the_door(json!({ "mode": "offer" })).await;
    gives_back(&story, &ann).await;
    bob.accepts(&place).becoming("checked_in").await;
}
