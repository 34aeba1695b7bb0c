//! When check-in closes: no-shows, strikes, bans, stand-bys, and a roll nobody took.

use serde_json::json;

use crate::story::{Story, charged, strict};
use crate::support::api::Named;

#[tokio::test]
async fn those_who_did_not_come_are_no_shows_with_fee_and_strike() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let (_, came) = story.booked("ann", &class).await;
    let (bob, stayed) = story.booked("bob", &class).await;
    let clip = story.org.member_with("clip", json!({ "plan": "clips", "clips": 3 })).await;
    let on_clip = clip.books(&class).await;
    story.at("2026-03-03T11:30:00Z").await;
    story.checks_in(&came).await;
    story.at("2026-03-03T12:09:59.999Z").await;
    assert_eq!(story.status(&stayed).await, "booked");
    story.at("2026-03-03T12:10:00Z").await;
    for (booking, status) in [(&came, "checked_in"), (&stayed, "no_show"), (&on_clip, "no_show")] {
        assert_eq!(story.status(booking).await, status);
    }
    assert_eq!(story.ledger().await, [charged("no_show", 3000)]);
    assert_eq!(story.standing(&clip).await["clips"], 2, "the clip is kept");
    let standing = story.standing(&bob).await;
    assert_eq!(standing["strikes"][0]["booking"], json!(stayed.id()));
    assert_eq!(standing["strikes"][0]["counts_until"], "2026-03-17T13:00:00+01:00");
    let roster = story.org.desk().roster(&class).await.body;
    assert_eq!(roster["bookings"].as_array().unwrap().len(), 3, "a no-show is still listed");
    assert_eq!(story.org.desk().sees(&class).await.body["booked"], 1);
}

#[tokio::test]
async fn the_second_no_show_in_two_weeks_bans_for_two_weeks_from_its_start() {
    let story = Story::under(strict()).await;
    let other = story.org.member("other").await;
    let starts = ["2026-03-03T12:00:00Z", "2026-03-09T12:00:00Z"];
    let ann = story.org.member("ann").await;
    for (n, start) in starts.iter().enumerate() {
        story.at(&format!("2026-03-{:02}T08:00:00Z", 3 + 6 * n)).await;
        let class = story.class_at(start).await;
        ann.books(&class).await;
        let came = other.books(&class).await;
        story.at(&start.replace("12:00", "11:30")).await;
        story.checks_in(&came).await;
        story.at(&start.replace("12:00", "12:10")).await;
    }
    assert_eq!(story.standing(&ann).await["banned_until"], "2026-03-23T13:00:00+01:00");
    let next = story.class_at("2026-03-15T12:00:00Z").await;
    let path = format!("/v1/classes/{}/bookings", next.id());
    let refused = ann.post(&path, json!({})).refused("banned").await;
    assert_eq!(refused.body["until"], "2026-03-23T13:00:00+01:00");
    story.at("2026-03-23T11:59:59.999Z").await;
    let after = story.class_at("2026-03-24T12:00:00Z").await;
    ann.post(&format!("/v1/classes/{}/bookings", after.id()), json!({})).refused("banned").await;
    story.at("2026-03-23T12:00:00Z").await;
    ann.books(&after).await;
}

#[tokio::test]
async fn a_no_show_two_weeks_before_does_not_count_and_a_moment_less_does() {
    for (second, banned) in [("2026-03-17T12:00:00Z", false), ("2026-03-17T11:59:59Z", true)] {
        let story = Story::under(strict()).await;
        let (ann, other) = (story.org.member("ann").await, story.org.member("other").await);
        for start in ["2026-03-03T12:00:00Z", second] {
            story.at(&format!("{}T08:00:00Z", &start[..10])).await;
            let class = story.class_at(start).await;
            ann.books(&class).await;
            let came = other.books(&class).await;
            story.at(&format!("{}T11:30:00Z", &start[..10])).await;
            story.checks_in(&came).await;
            story.at(&format!("{}T12:10:00Z", &start[..10])).await;
        }
        assert_eq!(!story.standing(&ann).await["banned_until"].is_null(), banned, "{second}");
    }
}

#[tokio::test]
async fn the_spots_of_no_shows_go_to_present_stand_bys_in_queue_order() {
    let story = Story::under(strict()).await;
    let class = story.class(2).await;
    let (_, came) = story.booked("ann", &class).await;
    let (_, stayed) = story.booked("bob", &class).await;
    let (_, away) = story.waiting("away", &class).await;
    let (_, first) = story.waiting("first", &class).await;
    let (_, second) = story.waiting("second", &class).await;
    story.at("2026-03-03T11:50:00Z").await;
    for booking in [&came, &second, &first] {
        story.checks_in(booking).await;
    }
    story.at("2026-03-03T12:10:00Z").await;
    let expected =
        [(&stayed, "no_show"), (&away, "lapsed"), (&first, "checked_in"), (&second, "lapsed"), (&came, "checked_in")];
    for (booking, status) in expected {
        assert_eq!(story.status(booking).await, status);
    }
    assert_eq!(story.sees(&first).await["late"], false);
    let seen = story.org.desk().sees(&class).await.body;
    assert_eq!((&seen["booked"], &seen["checked_in"], &seen["waiting"]), (&json!(2), &json!(2), &json!(0)));
}

#[tokio::test]
async fn a_roll_nobody_took_penalises_nobody_until_staff_close_it() {
    for penalties in [true, false] {
        let story = Story::under(json!({ "attendance": { "minimum": 0 } })).await;
        let class = story.class(5).await;
        let (_, ann) = story.booked("ann", &class).await;
        let path = format!("/v1/classes/{}/close", class.id());
        let body = json!({ "penalties": penalties, "reason": "the tablet was flat" });
        story.org.desk().post(&path, body.clone()).refused("wrong_status").await;
        story.at("2026-03-03T12:10:00Z").await;
        assert_eq!(story.told(&class, "roster_untouched").await, 1);
        assert_eq!(story.status(&ann).await, "booked");
        assert!(story.ledger().await.is_empty());
        story.org.desk().post(&path, body.clone()).await;
        assert_eq!(story.status(&ann).await, if penalties { "no_show" } else { "booked" });
        assert_eq!(story.ledger().await.len(), usize::from(penalties));
        story.org.desk().post(&path, body).refused("wrong_status").await;
        story.org.member("bob").await.post(&path, json!({ "penalties": true })).refused("forbidden").await;
    }
}

#[tokio::test]
async fn the_waitlist_lapses_when_check_in_closes_and_the_class_finishes_at_its_end() {
    let story = Story::under(strict()).await;
    let class = story.class(1).await;
    let (_, came) = story.booked("ann", &class).await;
    let (bob, place) = story.waiting("bob", &class).await;
    story.at("2026-03-03T11:30:00Z").await;
    story.checks_in(&came).await;
    story.at("2026-03-03T12:59:59.999Z").await;
    assert_eq!(story.status(&place).await, "lapsed");
    assert_eq!(story.org.desk().sees(&class).await.body["status"], "open");
    story.at("2026-03-03T13:00:00Z").await;
    assert_eq!(story.org.desk().sees(&class).await.body["status"], "finished");
    bob.post(&format!("/v1/classes/{}/bookings", class.id()), json!({})).refused("class_finished").await;
    story.org.desk().post(&format!("/v1/classes/{}/cancel", class.id()), json!({})).refused("class_finished").await;
}

#[tokio::test]
async fn a_class_cancelled_after_its_no_shows_takes_all_back() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let (_, came) = story.booked("ann", &class).await;
    let (bob, stayed) = story.booked("bob", &class).await;
    story.at("2026-03-03T12:00:00Z").await;
    story.checks_in(&came).await;
    story.at("2026-03-03T12:10:00Z").await;
    assert_eq!(story.ledger().await.len(), 2, "a late check-in and a no-show");
    story.org.desk().cancels_class(&class).await;
    for booking in [&came, &stayed] {
        assert_eq!(story.status(booking).await, "class_cancelled");
    }
    let standing = story.standing(&bob).await;
    assert_eq!((&standing["open_fees"]["amount"], &standing["strikes"]), (&json!(0), &json!([])));
}
