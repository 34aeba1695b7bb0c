//! Excusing, lifting, waiving: with a reason, once, and by lines of their own.

use serde_json::json;

use crate::story::{Story, charged, strict, waived};
use crate::support::api::{Named, Person, Reply};

/// Ann misses two classes in a row; she is banned.
async fn banned(story: &Story) -> (Person, Vec<Reply>, Reply) {
    let (ann, other) = (story.org.member("ann").await, story.org.member("other").await);
    let mut missed = Vec::new();
    let mut last = None;
    for start in ["2026-03-03T12:00:00Z", "2026-03-03T15:00:00Z"] {
        let class = story.class_at(start).await;
        missed.push(ann.books(&class).await);
        let came = other.books(&class).await;
        story.at(&start.replace(":00:00", ":00:01").replace("T12", "T11").replace("T15", "T14")).await;
        story.checks_in(&came).await;
        story.at(&start.replace(":00:00", ":10:00")).await;
        last = Some(class);
    }
    assert!(!story.standing(&ann).await["banned_until"].is_null());
    (ann, missed, last.unwrap())
}

#[tokio::test]
async fn an_excuse_takes_back_fee_strike_and_the_ban_that_rested_on_it() {
    let story = Story::under(strict()).await;
    let (ann, missed, class) = banned(&story).await;
    let excused = story.excuses(&missed[1]).await;
    assert_eq!((&excused.body["status"], &excused.body["fee"]), (&json!("no_show"), &json!(null)));
    let standing = story.standing(&ann).await;
    assert_eq!((&standing["banned_until"], standing["strikes"].as_array().unwrap().len()), (&json!(null), 1));
    assert_eq!(story.ledger().await, [charged("no_show", 3000), charged("no_show", 3000), waived("no_show", 3000)]);
    assert_eq!(story.excuses(&missed[1]).await.body, excused.body, "repeated, nothing changes");
    assert_eq!(story.ledger().await.len(), 3);
    let history = story.org.desk().history(&class).await;
    let line = history.items().iter().find(|line| line["event"] == "excused").unwrap();
    assert_eq!((&line["data"]["reason"], &line["by"]["role"]), (&json!("ill"), &json!("staff")));
    ann.books(&story.class_at("2026-03-05T12:00:00Z").await).await;
}

#[tokio::test]
async fn an_excuse_gives_a_clip_back_and_leaves_what_is_no_fault_alone() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let clip = story.org.member_with("clip", json!({ "plan": "clips", "clips": 1 })).await;
    let booking = clip.books(&class).await;
    let excuse = format!("/v1/bookings/{}/excuse", booking.id());
    story.org.desk().post(&excuse, json!({ "reason": "ill" })).refused("wrong_status").await;
    story.at("2026-03-03T10:30:00Z").await;
    clip.cancels(&booking).await;
    assert_eq!(story.status(&booking).await, "late_cancelled");
    assert_eq!(story.standing(&clip).await["clips"], 0);
    story.excuses(&booking).await;
    assert_eq!(story.standing(&clip).await["clips"], 1);
}

#[tokio::test]
async fn a_ban_lifted_by_hand_stays_lifted_but_its_strikes_still_count() {
    let story = Story::under(strict()).await;
    let (ann, missed, _) = banned(&story).await;
    let lift = format!("/v1/members/{}/lift-ban", ann.sub);
    let standing = story.org.desk().post(&lift, json!({ "reason": "first warning" })).await;
    assert_eq!(standing.body["banned_until"], json!(null));
    assert_eq!(standing.body["strikes"].as_array().unwrap().len(), 2);
    story.org.desk().post(&lift, json!({ "reason": "again" })).await;
    story.excuses(&missed[0]).await;
    assert_eq!(story.standing(&ann).await["banned_until"], json!(null), "stays lifted");
    let class = story.class_at("2026-03-04T12:00:00Z").await;
    ann.books(&class).await;
    let (_, came) = story.booked("bob", &class).await;
    story.at("2026-03-04T11:30:00Z").await;
    story.checks_in(&came).await;
    story.at("2026-03-04T12:10:00Z").await;
    assert_eq!(story.standing(&ann).await["banned_until"], "2026-03-18T13:00:00+01:00", "a later no-show counts them");
}

#[tokio::test]
async fn a_fee_is_waived_by_a_line_of_its_own() {
    let story = Story::under(strict()).await;
    let (ann, missed, _) = banned(&story).await;
    let desk = story.org.desk();
    let line = desk.fees().await.items()[0].clone();
    let path = format!("/v1/fees/{}/waive", line["id"].as_str().unwrap());
    let waiver = desk.post(&path, json!({ "reason": "goodwill" })).await;
    assert_eq!((&waiver.body["kind"], &waiver.body["waives"]), (&json!("waived"), &line["id"]));
    assert_eq!(desk.post(&path, json!({ "reason": "goodwill" })).await.body, waiver.body, "the same waiver");
    assert_eq!(story.standing(&ann).await["open_fees"]["amount"], 3000);
    assert_eq!(story.sees(&missed[0]).await["fee"], json!(null));
    assert_eq!(story.standing(&ann).await["strikes"].as_array().unwrap().len(), 2, "only the fee");
    let again = format!("/v1/fees/{}/waive", waiver.id());
    desk.post(&again, json!({})).refused("wrong_status").await;
    desk.post("/v1/fees/999999/waive", json!({})).refused("not_found").await;
    ann.post(&path, json!({})).refused("forbidden").await;
}
