//! What time decides about a class: whether it is held, who did not come, and the end of the waitlist.

use serde_json::{Value, json};

use crate::house::{House, ms};

/// Check-in of a class on Thursday at 17:00Z closes at 17:10Z.
const CLOSES: &str = "2026-03-05T17:10:00Z";

async fn thursday(capacity: u32, attendance: Value) -> House {
    let house = House::open(json!({ "attendance": attendance, "waitlist": { "then": "closed" } })).await;
    house.class("k", json!({ "capacity": capacity })).await;
    house.members("ann ben cay dan eve").await;
    house
}

async fn checks_in(house: &House, members: &str) {
    for member in members.split_whitespace() {
        house.call("check_in", &[&house.id(member, "k"), ""]).await;
    }
}

#[tokio::test]
async fn check_in_is_over_when_it_closes() {
    let house = thursday(2, json!({})).await;
    house.all_book("ann ben", "k").await;
    house.at("2026-03-05T16:30:00Z").await;
    checks_in(&house, "ann").await;
    house.at("2026-03-05T17:10:00Z").await;
    house.refuses("walk_in", &["k", "cay", "new"], "check_in_closed").await;
    house.refuses("undo_check_in", &[&house.id("ann", "k"), ""], "check_in_closed").await;
    house.refuses("desk_check_in", &["city", "ben", ""], "check_in_not_open").await;
    house.is_sound().await;
}

#[tokio::test]
async fn spots_of_those_who_did_not_come_go_to_those_who_stand_by() {
    let house = thursday(2, json!({ "no_show_fee": 500, "strikes": 1, "ban": "P14D" })).await;
    house.member("clip", json!({ "plan": "clips", "clips": 1 })).await;
    house.member("held", json!({})).await;
    house.all_book("ann ben cay held dan eve", "k").await;
    house.all_book("clip", "k").await;
    house.at("2026-03-05T16:30:00Z").await;
    checks_in(&house, "ann held dan eve").await;
    house.member("held", json!({ "status": "blocked" })).await;
    let before = house.cursor().await;
    house.at("2026-03-05T17:09:59.999Z").await;
    assert_eq!(house.status("ben", "k").await, "booked");
    house.at(CLOSES).await;
    assert_eq!(
        house.statuses("ann ben cay held dan eve clip", "k").await,
        "checked_in no_show lapsed lapsed checked_in lapsed lapsed"
    );
    assert_eq!(house.number("member:ben", "open_fees").await, 500);
    assert_eq!(house.number("member:ben", "banned_until").await, ms("2026-03-19T17:00:00Z"));
    assert_eq!(house.field("member:clip", "clips").await, "1");
    let class = house.call("read_class", &["k", ""]).await;
    let class = class.record(1);
    assert_eq!((class["booked"].as_str(), class["checked_in"].as_str(), class["waiting"].as_str()), ("2", "2", "0"));
    let told = house.events_since(&before).await;
    for event in [
        "no_show_recorded ben",
        "fee_charged ben",
        "ban_started ben",
        "promotion_passed_over held",
        "booking_promoted dan",
        "waitlist_lapsed eve",
    ] {
        assert!(told.contains(&event.to_owned()), "{event} in {told:?}");
    }
    house.is_sound().await;
    // Excused: the status stays, the rest goes.
    let excused = house.call("excuse", &[&house.id("ben", "k"), "ill"]).await;
    assert_eq!((excused.field("status").as_str(), excused.field("fee").as_str()), ("no_show", "0"));
    assert_eq!(house.field("member:ben", "banned_until").await, "");
    house.is_sound().await;
    // Until it has finished the club can still cancel it, at nobody's cost.
    house.call("cancel_class", &["k", "the power failed"]).await;
    assert_eq!(house.statuses("ann ben dan", "k").await, "class_cancelled class_cancelled class_cancelled");
    house.is_sound().await;
}

#[tokio::test]
async fn a_no_show_keeps_the_clip_and_owes_nothing() {
    let house = thursday(2, json!({ "no_show_fee": 500, "strikes": null })).await;
    house.member("clip", json!({ "plan": "clips", "clips": 1 })).await;
    house.all_book("ann clip", "k").await;
    house.at("2026-03-05T16:30:00Z").await;
    checks_in(&house, "ann").await;
    house.at(CLOSES).await;
    assert_eq!(house.status("clip", "k").await, "no_show");
    assert_eq!(
        (house.field("member:clip", "clips").await.as_str(), house.number("member:clip", "open_fees").await),
        ("0", 0)
    );
    house.call("excuse", &[&house.id("clip", "k"), "ill"]).await;
    assert_eq!(house.field("member:clip", "clips").await, "1");
    house.is_sound().await;
}

#[tokio::test]
async fn a_roster_that_nobody_touched_is_closed_by_hand_and_once() {
    for (penalties, status) in [("1", "no_show"), ("", "booked")] {
        let house = thursday(1, json!({ "no_show_fee": 500, "untouched_roster": "review" })).await;
        house.class("off", json!({})).await;
        house.call("cancel_class", &["off", "flooded"]).await;
        house.all_book("ann ben", "k").await;
        house.refuses("close_class", &["nowhere", "1", "taught"], "not_found").await;
        house.refuses("close_class", &["off", "1", "taught"], "class_cancelled").await;
        house.refuses("close_class", &["k", "1", "taught"], "wrong_status").await;
        house.at(CLOSES).await;
        assert_eq!(house.statuses("ann ben", "k").await, "booked lapsed");
        assert!(house.events_since("0-0").await.contains(&"roster_untouched".to_owned()));
        house.is_sound().await;
        house.call("close_class", &["k", penalties, "it was taught"]).await;
        assert_eq!(house.status("ann", "k").await, status);
        house.refuses("close_class", &["k", penalties, "again"], "wrong_status").await;
        house.at("2026-03-05T20:00:00Z").await;
        house.has_heard_all("close_class", "not_found class_cancelled wrong_status");
        house.is_sound().await;
    }
}

#[tokio::test]
async fn an_untouched_roster_is_penalised_where_the_policy_says_so() {
    let house = thursday(2, json!({ "no_show_fee": 500, "untouched_roster": "penalise" })).await;
    house.all_book("ann", "k").await;
    house.at(CLOSES).await;
    assert_eq!(
        (house.status("ann", "k").await.as_str(), house.number("member:ann", "open_fees").await),
        ("no_show", 500)
    );
    house.refuses("close_class", &["k", "1", "again"], "wrong_status").await;
    house.is_sound().await;
}

#[tokio::test]
async fn an_empty_class_closes_without_a_word() {
    let house = thursday(2, json!({})).await;
    let before = house.cursor().await;
    house.at("2026-03-05T20:00:00Z").await;
    assert_eq!(house.events_since(&before).await, ["class_started", "class_finished"]);
    house.is_sound().await;
}

#[tokio::test]
async fn a_class_too_few_have_booked_is_given_up_or_only_warned_of() {
    for (below_minimum, class_status, status) in
        [("cancel", "cancelled", "class_cancelled"), ("warn", "open", "booked")]
    {
        let house = thursday(3, json!({ "minimum": 2, "decide_before": "PT2H", "below_minimum": below_minimum })).await;
        house.class("full", json!({ "starts_at": "2026-03-05T18:30:00Z" })).await;
        house.all_book("ann", "k").await;
        house.all_book("ben cay", "full").await;
        house.at("2026-03-05T14:59:59.999Z").await;
        assert_eq!(house.field("class:k", "status").await, "open");
        house.at("2026-03-05T16:30:00Z").await;
        assert_eq!(
            (house.field("class:k", "status").await.as_str(), house.status("ann", "k").await.as_str()),
            (class_status, status)
        );
        assert_eq!(house.field("class:full", "status").await, "open");
        house.is_sound().await;
    }
}

#[tokio::test]
async fn a_class_published_or_moved_after_its_decision_is_not_judged() {
    let house = thursday(3, json!({ "minimum": 2, "decide_before": "PT2H" })).await;
    house.at("2026-03-05T09:00:00Z").await;
    house.class("late", json!({ "starts_at": "2026-03-05T10:30:00Z" })).await;
    house.class("moved", json!({ "starts_at": "2026-03-06T10:30:00Z" })).await;
    house.change("moved", json!({ "starts_at": "2026-03-05T10:45:00Z" })).await;
    house.at("2026-03-05T10:00:00Z").await;
    for class in ["late", "moved"] {
        assert_eq!(house.field(&format!("class:{class}"), "status").await, "open");
    }
    // Moved again, so that it is ahead: judged again.
    house.change("moved", json!({ "starts_at": "2026-03-06T10:30:00Z" })).await;
    house.at("2026-03-06T08:30:00Z").await;
    assert_eq!(house.field("class:moved", "status").await, "cancelled");
    house.is_sound().await;
}

#[tokio::test]
async fn a_class_that_ends_before_check_in_closes_is_closed_all_the_same() {
    let house = thursday(2, json!({ "no_show_fee": 500, "check_in_closes": "PT10M" })).await;
    house.class("brief", json!({ "starts_at": "2026-03-04T17:00:00Z", "minutes": 5 })).await;
    house.all_book("ann ben", "brief").await;
    house.at("2026-03-04T16:30:00Z").await;
    house.call("check_in", &[&house.id("ann", "brief"), ""]).await;
    house.at("2026-03-04T17:05:00Z").await;
    assert_eq!(house.status("ben", "brief").await, "booked");
    house.at("2026-03-04T17:10:00Z").await;
    assert_eq!(
        (house.status("ben", "brief").await.as_str(), house.number("member:ben", "open_fees").await),
        ("no_show", 500)
    );
    house.is_sound().await;
}

#[tokio::test]
async fn a_longer_class_is_not_closed_twice() {
    let house = thursday(2, json!({ "no_show_fee": 500, "untouched_roster": "penalise" })).await;
    house.all_book("ann", "k").await;
    house.at("2026-03-05T17:20:00Z").await;
    let before = house.cursor().await;
    house.change("k", json!({ "minutes": 90 })).await;
    house.at("2026-03-05T17:30:00Z").await;
    assert_eq!(house.events_since(&before).await, ["class_changed"]);
    house.is_sound().await;
}
