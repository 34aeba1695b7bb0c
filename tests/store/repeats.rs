//! The same command again: the same answer and no second effect, for a day.

use redis::Value;
use serde_json::json;

use crate::house::{BEGIN, House, ms};
use crate::said::Said;
use crate::underneath::assert_same;

const DAY_MS: i64 = 86_400_000;

async fn books(house: &House, command: &str, fingerprint: &str, now: &str, member: &str, id: &str) -> Said {
    house.tries_as(command, fingerprint, now, "book", &["k", member, id, "1", ""]).await.expect("an answer")
}

async fn house_with_a_class() -> House {
    let house = House::open(json!({})).await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.members("ann ben").await;
    house
}

fn same(one: &Said, other: &Said) -> bool {
    (one.tag.as_str(), &one.cursor, &one.payload) == (other.tag.as_str(), &other.cursor, &other.payload)
}

#[tokio::test]
async fn a_repeated_call_gets_the_reply_it_had_and_does_nothing() {
    let house = house_with_a_class().await;
    let first = books(&house, "key", "same", "", "ann", "one").await;
    house.cancels("ben", "k").await;
    house.call("cancel", &["one", "", "", ""]).await;
    let before = house.sight().await;
    let again = books(&house, "key", "same", "", "ann", "two").await;
    assert!(same(&first, &again), "{first:?} and {again:?}");
    assert_same(&before, &house.sight().await, "a repeated call");
    house.is_sound().await;
}

#[tokio::test]
async fn every_kind_of_reply_comes_back_as_it_was() {
    let house = house_with_a_class().await;
    let roomy = json!({ "starts_at": "2026-03-06T17:00:00Z", "capacity": 5 });
    house.class("roomy", roomy).await;
    let new = [
        "name",
        "Cay",
        "plan",
        "unlimited",
        "status",
        "active",
        "clips",
        "",
        "clips_revision",
        "",
        "clubs",
        "all",
        "categories",
        "all",
        "frozen",
        "[]",
        "index",
        "[\"cay\"]",
    ];
    let put_member: Vec<&str> = ["cay"].into_iter().chain(new).collect();
    for (function, args) in [
        ("book", vec!["k", "ann", "ann-k", "1", ""]),
        ("book", vec!["k", "ben", "ben-k", "1", ""]),
        ("book", vec!["k", "ben", "again", "1", ""]),
        ("cancel", vec!["ann-k", "ann", "", ""]),
        ("put_member", put_member),
        ("put_club", vec!["city", "Town"]),
        ("change_class", vec!["k", "1", "", "title", "Spin"]),
        ("cancel_class", vec!["k", "flooded"]),
        ("erase_member", vec!["ben"]),
        ("set_clock", vec!["1772438460000"]),
    ] {
        let command = format!("{function} {}", args.join(" "));
        let first = house.tries_as(&command, "same", "", function, &args).await.expect("an answer");
        let before = house.sight().await;
        let again = house.tries_as(&command, "same", "", function, &args).await.expect("an answer");
        assert!(same(&first, &again), "{function}: {first:?} and {again:?}");
        assert_same(&before, &house.sight().await, function);
    }
}

#[tokio::test]
async fn the_same_key_for_another_call_is_a_mismatch() {
    let house = house_with_a_class().await;
    books(&house, "key", "one", "", "ann", "one").await;
    let before = house.sight().await;
    assert_eq!(books(&house, "key", "another", "", "ben", "two").await.code(), "idempotency_mismatch");
    // Whatever the call: the key belongs to the first.
    let cancel = house.tries_as("key", "another", "", "cancel", &["one", "ann", "", ""]).await.expect("an answer");
    assert_eq!(cancel.code(), "idempotency_mismatch");
    assert_same(&before, &house.sight().await, "a mismatch");
    assert_eq!(books(&house, "other key", "another", "", "ben", "two").await.tag, "WAITLISTED");
    house.is_sound().await;
}

#[tokio::test]
async fn a_command_is_remembered_for_a_day_and_not_a_millisecond_longer() {
    let begin = ms(BEGIN);
    for (after, remembered) in [(DAY_MS - 1, true), (DAY_MS, false), (DAY_MS + 1, false)] {
        let house = house_with_a_class().await;
        let first = books(&house, "key", "same", "", "ann", "one").await;
        house.call("cancel", &["one", "ann", "", ""]).await;
        house.at_ms(begin + after).await;
        let again = books(&house, "key", "same", "", "ann", "two").await;
        assert_eq!(same(&first, &again), remembered, "{after} ms later: {again:?}");
        assert_eq!(again.field("id"), if remembered { "one" } else { "two" });
        // After the day the key is anybody's.
        let other = books(&house, "key", "another", "", "ben", "three").await;
        assert_eq!(other.tag, "REFUSED");
        house.is_sound().await;
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_forgets_nothing() {
    let house = house_with_a_class().await;
    house.at("2026-03-04T08:00:00Z").await;
    let first = books(&house, "key", "same", "", "ann", "one").await;
    house.at(BEGIN).await;
    assert!(same(&first, &books(&house, "key", "same", "", "ann", "two").await));
    house.is_sound().await;
}

#[tokio::test]
async fn what_was_refused_or_sent_back_is_judged_anew() {
    let house = house_with_a_class().await;
    house.class("later", json!({ "starts_at": "2026-03-12T17:00:00Z" })).await;
    let tries = async |now: &str| {
        house.tries_as("key", "same", now, "book", &["later", "ann", "one", "1", ""]).await.expect("an answer")
    };
    let opens = ms("2026-03-05T17:00:00Z");
    assert_eq!(tries(&(opens - 1).to_string()).await.code(), "not_open");
    assert_eq!(tries(&opens.to_string()).await.tag, "BOOKED");
    let change = async |seen: &str| {
        house
            .tries_as("change", "same", "", "change_class", &["k", seen, "", "title", "Spin"])
            .await
            .expect("an answer")
            .tag
    };
    assert_eq!(change("7").await, "RETRY");
    assert_eq!(change("1").await, "CLASS");
    house.is_sound().await;
}

#[tokio::test]
async fn redis_forgets_a_command_by_its_own_clock_and_later_than_a_day() {
    let house = house_with_a_class().await;
    house.at("2020-01-01T00:00:00Z").await;
    let write = house.write_as("keyed", "same", true);
    let member = "ann".parse().unwrap();
    house.store.lift_ban(&write, &member, "grace").await.unwrap().outcome.unwrap();
    house.store.lift_ban(&house.write_as("unkeyed", "same", false), &member, "grace").await.unwrap().outcome.unwrap();
    let left: i64 = house.on("PTTL", "done:keyed", &[]).await;
    assert!((DAY_MS + 1..=25 * 3_600_000).contains(&left), "{left} ms");
    let left: i64 = house.on("PTTL", "done:unkeyed", &[]).await;
    assert!((1..=60_000).contains(&left), "{left} ms");
    let kept: Value = house.on("GET", "done:keyed", &[]).await;
    assert!(matches!(kept, Value::BulkString(_)), "{kept:?}");
}
