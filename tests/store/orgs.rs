//! Organisations, clubs, the ledger and the stream.

use serde_json::json;

use crate::house::{House, ms, policy};

#[tokio::test]
async fn an_organisation_is_created_changed_and_sent_back() {
    let house = House::empty().await;
    for (function, args) in [
        ("read_org", &[][..]),
        ("migrate", &[]),
        ("carry_out", &[]),
        ("put_club", &["city", "City"]),
        ("book", &["k", "ann", "new", "1", ""]),
        ("list_events", &["", "10"]),
    ] {
        house.refuses(function, args, "not_found").await;
    }
    house.at("2026-03-02T08:00:00Z").await;
    let text = policy(&json!({})).to_json().to_string();
    let put = async |name: &str, policy: &str, if_match: &str| {
        let clock = "1772438400000";
        let zone = "Europe/Copenhagen";
        house.call("put_org", &[name, zone, "EUR", policy, zone, "EUR", &text, if_match, clock]).await
    };
    house.refuses("put_org", &["Nord", "", "", "", "", "", "", "", ""], "not_found").await;
    let created = put("Nord", &text, "").await;
    assert_eq!((created.tag.as_str(), created.text(1).as_str()), ("ORG", "1"));
    assert_eq!(created.cursor, format!("{}-1", ms("2026-03-02T08:00:00Z")));
    house.refuses("put_org", &["Other", "", "", "", "", "", "", "2", ""], "stale").await;
    let same = put("Nord", &text, "1").await;
    assert_eq!((same.text(1).as_str(), same.cursor), ("", created.cursor));
    assert_eq!(put("Nord South", "", "1").await.record(0)["name"], "Nord South");
    assert_eq!(house.call("read_org", &[]).await.record(0)["revision"], "2");
    house.has_heard_all("put_org", "stale not_found");
    for function in ["read_org", "migrate", "carry_out"] {
        house.call(function, &[]).await;
        house.has_heard_all(function, "not_found");
    }
    // The set is the service's to keep; this house called the function alone.
    let _: i64 = house.command(redis::cmd("SADD").arg("rc:orgs").arg("nord")).await;
    house.is_sound().await;
}

#[tokio::test]
async fn a_policy_takes_every_class_with_it_that_has_not_opened() {
    let house = House::open(json!({})).await;
    house.class("far", json!({ "starts_at": "2026-03-20T17:00:00Z" })).await;
    house.class("further", json!({ "starts_at": "2026-03-20T17:00:00Z" })).await;
    house.class("open", json!({})).await;
    let text = policy(&json!({ "booking": { "daily_limit": 1 } })).to_json().to_string();
    let put = async |name: &str| {
        let args = [name, "Europe/Copenhagen", "EUR", &text, "", "", "", "", ""];
        house.tries_as("the new policy", "as it was", "", "put_org", &args).await.expect("an answer")
    };
    assert_eq!(put("").await.tag, "BEGUN");
    // Nobody is answered before the terms are there, whoever asks.
    let asked = house.call("read_class", &["far", ""]).await;
    assert_eq!((asked.tag.as_str(), asked.text(0).as_str(), asked.text(2).as_str()), ("ASK", "terms", "2"));
    assert_eq!((asked.text(7), asked.text(9)), ("far".to_owned(), "further".to_owned()));
    let one = json!([["far", 1, { "daily_limit": "1" }]]).to_string();
    for wrong in [["1", "", ""], ["2", "9", ""], ["2", "", "far"]] {
        house.call("put_terms", &[wrong[0], wrong[1], wrong[2], "", "", &one]).await;
        assert_eq!(house.field("class:far", "daily_limit").await, "3", "an answer to {wrong:?}");
    }
    let start = ms("2026-03-20T17:00:00Z").to_string();
    house.call("put_terms", &["2", "", "", &start, "far", &one]).await;
    assert_eq!(house.field("class:far", "daily_limit").await, "1");
    assert_eq!(house.call("read_class", &["far", ""]).await.text(7), "further");
    // The service knows the answer, and every call of its own brings it.
    house.store.settle(&house.org).await.expect("the rest of the terms");
    assert_eq!(put("").await.tag, "ORG");
    assert_eq!(house.field("class:further", "daily_limit").await, "1");
    assert_eq!(house.field("class:far", "revision").await, "2");
    assert_eq!(house.field("class:open", "daily_limit").await, "3");
    house.is_sound().await;
}

#[tokio::test]
async fn a_club_is_created_renamed_and_left_alone() {
    let house = House::open(json!({})).await;
    let first = house.call("put_club", &["city", "City"]).await;
    assert_eq!(house.call("put_club", &["city", "City"]).await.cursor, first.cursor);
    let renamed = house.call("put_club", &["city", "Town"]).await;
    assert_ne!(renamed.cursor, first.cursor);
    assert_eq!(house.call("read_org", &[]).await.record(1)["city"], "Town");
    house.has_heard_all("put_club", "");
}

#[tokio::test]
async fn the_ledger_is_read_line_by_line() {
    let house = House::open(json!({ "cancel": { "late": "charged", "late_fee": 100 } })).await;
    house.members("ann ben").await;
    house.class("k", json!({})).await;
    house.all_book("ann ben", "k").await;
    house.at("2026-03-05T16:30:00Z").await;
    house.cancels("ann", "k").await;
    house.cancels("ben", "k").await;
    let first = house.call("list_fees", &["0", "1", ""]).await;
    assert_eq!((first.text(0).as_str(), first.record(2)["member"].as_str()), ("1", "ann"));
    let second = house.call("list_fees", &[&first.text(1), "1", ""]).await;
    assert_eq!((second.text(0).as_str(), second.record(2)["member"].as_str()), ("", "ben"));
    assert_eq!(house.call("list_fees", &[&second.text(1), "1", ""]).await.payload.len(), 1);
    house.has_heard_all("list_fees", "");
    house.is_sound().await;
}

#[tokio::test]
async fn a_cursor_names_an_event_still_there_or_is_gone() {
    let house = House::open(json!({})).await;
    let page = async |after: &str| {
        let said = house.call("list_events", &[after, "2"]).await;
        let ids: Vec<String> = said.payload.iter().skip(1).step_by(2).map(crate::said::text).collect();
        (said.tag, ids)
    };
    house.members("ann ben cay").await;
    let (_, oldest) = page("").await;
    assert_eq!(page("0-0").await.1, oldest);
    assert_eq!(house.call("list_events", &["", "2"]).await.text(0), "1");
    let last = house.cursor().await;
    assert_eq!(page(&last).await, ("EVENTS".to_owned(), vec![]));
    let number: u64 = last.rsplit('-').next().unwrap().parse().unwrap();
    for gone in [format!("{}-{}", ms("2026-03-02T08:00:00Z"), number + 1), format!("1-{number}"), "1-1".to_owned()] {
        assert_eq!(page(&gone).await.0, "GONE", "{gone}");
    }
    // Once the stream is cut, what is left reaches back to the oldest kept.
    let _: i64 = house.on("XTRIM", "events", &["MAXLEN", "2"]).await;
    let (_, kept) = page("").await;
    assert_eq!(page("0-0").await.0, "GONE");
    assert_eq!(page(&oldest[0]).await.0, "GONE");
    assert_eq!(page(&kept[0]).await.1, kept[1..]);
    house.has_heard_all("list_events", "");
}
