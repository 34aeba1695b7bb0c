//! What retention forgets: old events, closed classes and their bookings; never the ledger.

use serde_json::json;

use crate::story::{Story, strict};

#[tokio::test]
async fn closed_classes_and_old_events_go_and_the_ledger_stays() {
    let mut patch = strict();
    patch["retention"] = json!({ "history": "P30D", "events": "P7D" });
    let story = Story::under(patch).await;
    let class = story.class(5).await;
    let (ann, booking) = story.booked("ann", &class).await;
    let (_, came) = story.booked("bob", &class).await;
    story.at("2026-03-03T11:30:00Z").await;
    story.checks_in(&came).await;
    story.at("2026-03-03T13:00:00Z").await;
    let org = story.org.id.parse().unwrap();
    let store = &story.world.services()[0].store;
    let desk = story.org.desk();
    let trim_at = async |now: &str| {
        story.at(now).await;
        store.trim(&org).await.unwrap();
    };
    trim_at("2026-04-02T11:59:59Z").await;
    assert_eq!(story.status(&booking).await, "no_show");
    trim_at("2026-04-02T12:00:01Z").await;
    desk.sees(&class).refused("not_found").await;
    desk.sees_booking(&booking).refused("not_found").await;
    assert!(desk.get("/v1/bookings?member=ann").await.items().is_empty());
    assert_eq!(story.ledger().await.len(), 1);
    assert_eq!(story.standing(&ann).await["open_fees"]["amount"], 3000);
    assert_eq!(story.standing(&ann).await["strikes"], json!([]));
    let fee = desk.fees().await.items()[0]["id"].as_str().unwrap().to_owned();
    desk.post(&format!("/v1/fees/{fee}/waive"), json!({ "reason": "long ago" })).refused("wrong_status").await;
}

#[tokio::test]
async fn a_class_that_is_not_closed_is_kept_and_a_long_history_goes_in_bites() {
    let mut patch = strict();
    patch["retention"] = json!({ "history": "P1D", "events": "P1D" });
    let story = Story::under(patch).await;
    let class = story.class(2).await;
    for member in ["ann", "ben", "cid", "dan", "eva"] {
        let member = story.org.member(member).await;
        for _ in 0..15 {
            let booking = member.books(&class).await;
            member.cancels(&booking).await;
        }
    }
    let org = story.org.id.parse().unwrap();
    let store = &story.world.services()[0].store;
    store.trim(&org).await.unwrap();
    assert_eq!(story.org.desk().sees(&class).await.status, 200);
    story.at("2026-03-04T12:00:01Z").await;
    store.trim(&org).await.unwrap();
    story.org.desk().sees(&class).refused("not_found").await;
    assert!(story.org.desk().get("/v1/bookings?member=ann").await.items().is_empty(), "150 lines took four bites");
    let events = story.org.desk().get("/v1/events?limit=5").await;
    assert!(!events.items().is_empty(), "the newest event is always there");
    story.org.desk().get("/v1/events?after=1-1").answers(410).await;
}
