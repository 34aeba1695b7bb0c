//! The roll: arrivals and their undoing, walk-ins, the desk; and what is taken back afterwards.

use serde_json::{Value, json};

use crate::house::{House, ms};
use crate::said::Said;

/// A class on Thursday at 17:00Z, check-in from 16:00Z, on time until 16:55Z, closed at 17:10Z.
async fn thursday(capacity: u32, patch: Value) -> House {
    let house = House::open(patch).await;
    house.class("k", json!({ "capacity": capacity, "instructor": { "id": "ina", "name": "Ina" } })).await;
    house.members("ann ben cay dan eve").await;
    house
}

async fn checks_in(house: &House, member: &str) -> Said {
    house.call("check_in", &[&house.id(member, "k"), ""]).await
}

async fn undoes(house: &House, member: &str) -> Said {
    house.call("undo_check_in", &[&house.id(member, "k"), ""]).await
}

#[tokio::test]
async fn an_arrival_is_recorded_once_in_its_time() {
    let house = thursday(1, json!({})).await;
    house.all_book("ann ben", "k").await;
    let (ann, ben) = (house.id("ann", "k"), house.id("ben", "k"));
    house.at("2026-03-05T15:59:59.999Z").await;
    house.refuses("check_in", &["nothing", ""], "not_found").await;
    house.refuses("check_in", &[&ann, "otto"], "not_found").await;
    let early = house.refuses("check_in", &[&ann, "ina"], "check_in_not_open").await;
    assert_eq!(early.text(1), ms("2026-03-05T16:00:00Z").to_string());
    house.at("2026-03-05T16:00:00Z").await;
    let said = house.call("check_in", &[&ann, "ina"]).await;
    assert_eq!(
        (said.field("status").as_str(), said.field("late").as_str(), said.field("first_time").as_str()),
        ("checked_in", "", "1")
    );
    let cursor = house.cursor().await;
    assert_eq!(checks_in(&house, "ann").await.cursor, cursor);
    let waiting = checks_in(&house, "ben").await;
    assert_eq!((waiting.field("status").as_str(), waiting.field("present").as_str()), ("waitlisted", "1"));
    house.refuses("cancel", &[&ann, "", "", ""], "wrong_status").await;
    house.call("cancel", &[&ben, "", "", ""]).await;
    house.refuses("check_in", &[&ben, ""], "wrong_status").await;
    house.refuses("undo_check_in", &[&ben, ""], "wrong_status").await;
    house.at("2026-03-05T17:09:59.999Z").await;
    house.is_sound().await;
    house.at("2026-03-05T17:10:00Z").await;
    assert_eq!(checks_in(&house, "ann").await.field("status"), "checked_in");
    house.has_heard_all("check_in", "not_found check_in_not_open wrong_status");
    house.is_sound().await;
}

#[tokio::test]
async fn an_undone_arrival_costs_nothing_and_an_undone_walk_in_ends() {
    let house = thursday(2, json!({ "attendance": { "late_fee": 400 } })).await;
    house.all_book("ann", "k").await;
    house.at("2026-03-05T16:55:00.001Z").await;
    let late = checks_in(&house, "ann").await;
    assert_eq!((late.field("late").as_str(), late.field("fee").as_str()), ("1", "400"));
    assert_eq!(house.walks_in("ben", "k").await.field("late"), "");
    house.refuses("undo_check_in", &["nothing", ""], "not_found").await;
    house.refuses("undo_check_in", &[&house.id("ann", "k"), "otto"], "not_found").await;
    let undone = undoes(&house, "ann").await;
    assert_eq!((undone.field("status").as_str(), undone.field("fee").as_str()), ("booked", "0"));
    let cursor = house.cursor().await;
    assert_eq!(undoes(&house, "ann").await.cursor, cursor);
    // Charged once per reason, ever.
    assert_eq!(checks_in(&house, "ann").await.field("fee"), "0");
    assert_eq!(house.number("member:ann", "open_fees").await, 0);
    assert_eq!(undoes(&house, "ben").await.field("status"), "cancelled");
    house.has_heard_all("undo_check_in", "not_found");
    house.is_sound().await;
}

#[tokio::test]
async fn a_late_arrival_takes_a_clip_and_the_fee_where_none_is_left() {
    let house = thursday(3, json!({ "attendance": { "late_fee": 400 } })).await;
    house.member("two", json!({ "plan": "clips", "clips": 2 })).await;
    house.member("one", json!({ "plan": "clips", "clips": 1 })).await;
    house.all_book("two one ann", "k").await;
    house.at("2026-03-05T16:55:00Z").await;
    checks_in(&house, "ann").await;
    assert_eq!(house.number("member:ann", "open_fees").await, 0);
    house.at("2026-03-05T16:56:00Z").await;
    assert_eq!(checks_in(&house, "two").await.field("fee"), "");
    assert_eq!(checks_in(&house, "one").await.field("fee"), "400");
    assert_eq!(
        (house.field("member:two", "clips").await, house.field("member:one", "clips").await),
        ("0".into(), "0".into())
    );
    undoes(&house, "two").await;
    undoes(&house, "one").await;
    assert_eq!(
        (house.field("member:two", "clips").await, house.number("member:one", "open_fees").await),
        ("1".into(), 0)
    );
    house.is_sound().await;
}

#[tokio::test]
async fn whoever_walks_in_comes_after_those_who_stand_by() {
    let house =
        thursday(2, json!({ "waitlist": { "then": "closed" }, "booking": { "daily_limit": 1, "open_limit": 1 } }))
            .await;
    house.class("off", json!({})).await;
    house.class("done", json!({ "starts_at": "2026-03-02T09:00:00Z", "minutes": 5 })).await;
    house.class("else", json!({ "starts_at": "2026-03-05T12:00:00Z" })).await;
    house.class("same", json!({ "starts_at": "2026-03-05T17:30:00Z" })).await;
    house.call("cancel_class", &["off", "flooded"]).await;
    house.member("held", json!({ "status": "blocked" })).await;
    house.all_book("ann ben cay", "k").await;
    house.all_book("dan", "else").await;
    house.all_book("eve", "same").await;
    house.at("2026-03-05T15:59:00Z").await;
    house.refuses("walk_in", &["k", "dan", "new"], "check_in_not_open").await;
    house.at("2026-03-05T16:30:00Z").await;
    for (class, member, code) in [
        ("nowhere", "dan", "not_found"),
        ("k", "nobody", "invalid"),
        ("off", "dan", "class_cancelled"),
        ("done", "dan", "class_finished"),
        ("k", "held", "not_entitled"),
        ("k", "eve", "overlap"),
        ("k", "dan", "full"),
    ] {
        house.refuses("walk_in", &[class, member, "new"], code).await;
    }
    assert_eq!(house.walks_in("ann", "k").await.tag, "REPEATED");
    house.call("cancel", &[&house.id("ann", "k"), "", "0", "ill"]).await;
    checks_in(&house, "cay").await;
    house.refuses("walk_in", &["k", "dan", "new"], "full").await;
    undoes(&house, "cay").await;
    // Nobody stands by: the window and the limits do not apply.
    let said = house.walks_in("dan", "k").await;
    assert_eq!((said.tag.as_str(), said.field("status").as_str()), ("BOOKED", "checked_in"));
    house.has_heard_all(
        "walk_in",
        "not_found class_cancelled class_finished check_in_not_open not_entitled overlap full",
    );
    house.is_sound().await;
}

#[tokio::test]
async fn the_desk_finds_the_class_by_who_they_are() {
    let house = thursday(2, json!({ "booking": { "allow_overlap": true, "daily_limit": null } })).await;
    house.club("other").await;
    house.class("early", json!({ "starts_at": "2026-03-05T16:50:00Z", "capacity": 1 })).await;
    house.class("far", json!({ "club": "other", "starts_at": "2026-03-05T16:40:00Z" })).await;
    house.person("pia", json!({ "phone": "+45 12 34" })).await;
    house.all_book("ann pia", "early").await;
    house.all_book("pia ann", "k").await;
    house.all_book("pia", "far").await;
    house.class("next", json!({ "starts_at": "2026-03-05T16:55:00Z", "capacity": 5 })).await;
    for twin in ["mia", "lea"] {
        house.person(twin, json!({ "phone": "+45 99 88" })).await;
        house.all_book(twin, "next").await;
    }
    house.at("2026-03-05T16:30:00Z").await;
    let said = house.refuses("desk_check_in", &["nowhere", "pia", ""], "invalid").await;
    assert_eq!(said.text(1), "/club");
    assert_eq!(house.refuses("desk_check_in", &["city", "nobody", ""], "invalid").await.text(1), "/member");
    assert_eq!(house.refuses("desk_check_in", &["city", "", "+4512"], "invalid").await.text(1), "/phone");
    house.refuses("desk_check_in", &["city", "ben", ""], "check_in_not_open").await;
    // A spot comes before a waiting place, though it starts later; then the waiting place; then the first again.
    let arrives = async || house.call("desk_check_in", &["city", "", "+451234"]).await;
    let first = arrives().await;
    assert_eq!((first.field("class").as_str(), first.field("status").as_str()), ("k", "checked_in"));
    let second = arrives().await;
    assert_eq!((second.field("class").as_str(), second.field("present").as_str()), ("early", "1"));
    assert_eq!(arrives().await.field("class"), "k");
    assert_eq!(house.call("desk_check_in", &["city", "ann", ""]).await.field("class"), "early");
    assert_eq!(house.call("desk_check_in", &["city", "", "+451234", "7", ""]).await.tag, "RETRY");
    // Two share a phone and a class: asked for, who they are is said in the order of their ids; the first is meant.
    let said = house.call("desk_check_in", &["city", "", "+459988", "", "", "1"]).await;
    assert_eq!((said.tag.as_str(), said.text(0), said.text(1)), ("CHOICES", "lea".into(), "mia".into()));
    assert_eq!(house.call("desk_check_in", &["city", "", "+459988"]).await.field("member"), "lea");
    assert_eq!(house.call("desk_check_in", &["city", "", "+459988", "", "", "1"]).await.field("member"), "mia");
    house.has_heard_all("desk_check_in", "invalid check_in_not_open");
    house.is_sound().await;
}

#[tokio::test]
async fn a_number_is_looked_up_for_32_members_and_no_more() {
    for (last, found) in [("m31", true), ("m32", false)] {
        let house = thursday(2, json!({})).await;
        for n in 0..33 {
            house.person(&format!("m{n:02}"), json!({ "phone": "20123456" })).await;
        }
        house.all_book(last, "k").await;
        house.at("2026-03-05T16:30:00Z").await;
        let read = json!({ "term": "e4520123456", "older": [] }).to_string();
        let args = ["city", "", "20123456", "1", read.as_str()];
        if found {
            assert_eq!(house.call("desk_check_in", &args).await.field("member"), last);
        } else {
            house.refuses("desk_check_in", &args, "check_in_not_open").await;
        }
        house.is_sound().await;
    }
}

#[tokio::test]
async fn an_offer_is_taken_by_arriving() {
    let house =
        thursday(1, json!({ "waitlist": { "mode": "offer", "promote_until": "PT10M", "offer_for": "PT50M" } })).await;
    house.all_book("ann ben", "k").await;
    house.at("2026-03-05T15:55:00Z").await;
    house.call("cancel", &[&house.id("ann", "k"), "", "", ""]).await;
    assert_eq!(house.status("ben", "k").await, "offered");
    house.at("2026-03-05T16:10:00Z").await;
    house.member("ben", json!({ "status": "blocked" })).await;
    house.refuses("check_in", &[&house.id("ben", "k"), ""], "not_entitled").await;
    house.member("ben", json!({})).await;
    assert_eq!(checks_in(&house, "ben").await.field("status"), "checked_in");
    house.is_sound().await;
}

#[tokio::test]
async fn what_a_late_cancel_cost_is_excused_once() {
    let house = thursday(3, json!({
        "cancel": { "free_until": "P6D", "late": "charged", "late_fee": 300, "late_is_strike": true }, "attendance": { "strikes": 2 },
    }))
    .await;
    house.member("clip", json!({ "plan": "clips", "clips": 1 })).await;
    house.class("l", json!({ "starts_at": "2026-03-06T17:00:00Z" })).await;
    for class in ["k", "l"] {
        house.all_book("ann", class).await;
        house.cancels("ann", class).await;
    }
    house.all_book("clip ben", "k").await;
    house.cancels("clip", "k").await;
    assert_eq!(house.field("member:clip", "clips").await, "0");
    assert_ne!(house.field("member:ann", "banned_until").await, "");
    house.refuses("excuse", &["nothing", "ill"], "not_found").await;
    house.refuses("excuse", &[&house.id("ben", "k"), "ill"], "wrong_status").await;
    let excused = house.call("excuse", &[&house.id("ann", "l"), "ill"]).await;
    assert_eq!((excused.field("status").as_str(), excused.field("fee").as_str()), ("late_cancelled", "0"));
    assert_eq!(house.field("member:ann", "banned_until").await, "");
    assert_eq!(house.number("member:ann", "open_fees").await, 300);
    let cursor = house.cursor().await;
    assert_eq!(house.call("excuse", &[&house.id("ann", "l"), "ill"]).await.cursor, cursor);
    house.call("excuse", &[&house.id("clip", "k"), "ill"]).await;
    assert_eq!(house.field("member:clip", "clips").await, "1");
    house.has_heard_all("excuse", "not_found wrong_status");
    house.is_sound().await;
}

#[tokio::test]
async fn a_ban_that_was_lifted_stays_lifted_for_its_strikes() {
    let house = thursday(3, json!({
        "cancel": { "free_until": "P6D", "late": "charged", "late_is_strike": true }, "attendance": { "strikes": 2 },
    }))
    .await;
    for (class, starts_at) in [("l", "2026-03-06T17:00:00Z"), ("m", "2026-03-07T17:00:00Z")] {
        house.class(class, json!({ "starts_at": starts_at })).await;
    }
    for class in ["k", "l", "m"] {
        house.all_book("ann", class).await;
    }
    house.cancels("ann", "k").await;
    house.cancels("ann", "l").await;
    house.refuses("lift_ban", &["nobody", "grace"], "not_found").await;
    house.call("lift_ban", &["ann", "grace"]).await;
    assert_eq!(house.field("member:ann", "banned_until").await, "");
    let cursor = house.cursor().await;
    assert_eq!(house.call("lift_ban", &["ann", "grace"]).await.cursor, cursor);
    // They still count for a later one.
    house.cancels("ann", "m").await;
    assert_eq!(house.number("member:ann", "banned_until").await, ms("2026-03-21T17:00:00Z"));
    house.has_heard_all("lift_ban", "not_found");
    house.is_sound().await;
}

#[tokio::test]
async fn a_charge_is_waived_by_a_line_of_its_own_and_once() {
    let house = thursday(3, json!({ "cancel": { "free_until": "P6D", "late": "charged", "late_fee": 300 } })).await;
    house.all_book("ann", "k").await;
    house.cancels("ann", "k").await;
    let line = house.call("list_fees", &["0", "10", ""]).await.text(1);
    house.refuses("waive_fee", &["999", "grace"], "not_found").await;
    let waiver = house.call("waive_fee", &[&line, "grace"]).await;
    assert_eq!(
        (waiver.field("kind").as_str(), waiver.field("amount").as_str(), waiver.field("waives")),
        ("waived", "300", line.clone())
    );
    assert_eq!(house.call("waive_fee", &[&line, "again"]).await.text(0), waiver.text(0));
    house.refuses("waive_fee", &[&waiver.text(0), "grace"], "wrong_status").await;
    assert_eq!(house.number("member:ann", "open_fees").await, 0);
    house.has_heard_all("waive_fee", "not_found wrong_status");
    house.is_sound().await;
}
