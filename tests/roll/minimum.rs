//! The minimum: held only with enough, judged once, and seen beforehand.

use serde_json::json;

use crate::story::Story;
use crate::support::api::Named;

#[tokio::test]
async fn a_class_below_its_minimum_is_cancelled_at_the_decision_and_costs_nobody() {
    let story = Story::under(json!({})).await;
    let class = story.org.class(json!({ "minimum": 3 })).await;
    let clip = story.org.member_with("clip", json!({ "plan": "clips", "clips": 1 })).await;
    let booking = clip.books(&class).await;
    story.booked("ann", &class).await;
    assert_eq!(story.org.desk().sees(&class).await.body["needed"], 1);
    story.at("2026-03-03T09:59:59.999Z").await;
    assert_eq!(story.org.desk().sees(&class).await.body["status"], "open");
    story.at("2026-03-03T10:00:00Z").await;
    assert_eq!(story.org.desk().sees(&class).await.body["status"], "cancelled");
    assert_eq!(story.status(&booking).await, "class_cancelled");
    assert_eq!(story.standing(&clip).await["clips"], 1);
    let history = story.org.desk().history(&class).await;
    let cancelled = history.items().iter().find(|line| line["event"] == "class_cancelled").unwrap();
    assert_eq!(cancelled["data"]["reason"], "below_minimum");
}

#[tokio::test]
async fn enough_is_enough() {
    let story = Story::under(json!({})).await;
    let class = story.org.class(json!({ "minimum": 2 })).await;
    story.booked("ann", &class).await;
    story.booked("bob", &class).await;
    story.at("2026-03-03T10:00:00Z").await;
    assert_eq!(story.org.desk().sees(&class).await.body["status"], "open");
}

#[tokio::test]
async fn a_chain_may_only_be_warned() {
    let story = Story::under(json!({ "attendance": { "below_minimum": "warn" } })).await;
    let class = story.org.class(json!({ "minimum": 3 })).await;
    story.at("2026-03-03T10:00:00Z").await;
    assert_eq!(story.org.desk().sees(&class).await.body["status"], "open");
    assert_eq!(story.told(&class, "class_changed").await, 1);
}

#[tokio::test]
async fn a_class_published_or_moved_inside_the_decision_is_not_judged() {
    let story = Story::under(json!({})).await;
    story.at("2026-03-03T10:30:00Z").await;
    let class = story.org.class(json!({ "minimum": 3 })).await;
    let moved = story.org.class(json!({ "minimum": 3, "starts_at": "2026-03-03T18:00:00Z" })).await;
    story.org.desk().changes(&moved, json!({ "starts_at": "2026-03-03T12:15:00Z" })).await;
    let later = story.org.class(json!({ "minimum": 3, "starts_at": "2026-03-03T12:20:00Z" })).await;
    story.org.desk().changes(&later, json!({ "starts_at": "2026-03-03T18:00:00Z" })).await;
    story.at("2026-03-03T12:00:00Z").await;
    for class in [&class, &moved] {
        assert_eq!(story.org.desk().sees(class).await.body["status"], "open", "{}", class.id());
    }
    story.at("2026-03-03T16:00:00Z").await;
    assert_eq!(story.org.desk().sees(&later).await.body["status"], "cancelled", "moved to where it is ahead again");
}
