//! Publishing, changing and cancelling classes, and reading them.

use serde_json::json;

use crate::house::{House, STARTS, ms};

/// The terms of a published class as a publishing call sends them, with some of them changed.
async fn published_fields(house: &House, class: &str, changes: &[(&str, &str)]) -> Vec<String> {
    let stored: Vec<(String, String)> = house.on("HGETALL", &format!("class:{class}"), &[]).await;
    let counters = ["booked", "offered", "waiting", "reserved", "checked_in", "ticket", "revision", "status"];
    let mut fields = Vec::new();
    for (name, value) in stored.into_iter().filter(|(name, _)| !counters.contains(&name.as_str())) {
        let value =
            changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, value)| (*value).to_owned());
        fields.extend([name, value]);
    }
    fields
}

#[tokio::test]
async fn a_class_is_published_by_the_policy_of_the_moment_or_not_at_all() {
    let house = House::open(json!({})).await;
    house.class("k", json!({})).await;
    let publish = async |id: &str, revision: &str, changes: &[(&str, &str)]| {
        let fields = published_fields(&house, "k", changes).await;
        let mut args = vec![id, revision];
        args.extend(fields.iter().map(String::as_str));
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for (id, revision, changes, code, pointer) in [
        ("k", "1", [("club", "city")], "invalid", "/id"),
        ("l", "1", [("club", "nowhere")], "invalid", "/club"),
        ("l", "1", [("starts", "1772438399999")], "invalid", "/starts_at"),
    ] {
        let args = publish(id, revision, &changes).await;
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = house.refuses("publish_class", &args, code).await;
        assert_eq!(said.text(1), pointer);
    }
    let args = publish("l", "2", &[]).await;
    let before = house.sight().await;
    let said = house.call("publish_class", &args.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(said.tag, "RETRY");
    crate::underneath::assert_same(&before, &house.sight().await, "a class computed from another revision");
    let args = publish("l", "1", &[]).await;
    let said = house.call("publish_class", &args.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!((said.tag.as_str(), said.text(0).as_str(), said.field("status").as_str()), ("CLASS", "l", "open"));
    house.has_heard_all("publish_class", "invalid");
    house.is_sound().await;
}

#[tokio::test]
async fn a_change_is_refused_where_it_cannot_be() {
    let house = House::open(json!({})).await;
    house.class("k", json!({ "capacity": 5 })).await;
    house.class("off", json!({})).await;
    house.class("brief", json!({ "starts_at": "2026-03-02T09:00:00Z", "minutes": 5 })).await;
    house.class("begun", json!({ "starts_at": "2026-03-02T09:00:00Z" })).await;
    house.call("cancel_class", &["off", "flooded"]).await;
    house.at("2026-03-02T09:10:00Z").await;
    let revision = async |class: &str| house.field(&format!("class:{class}"), "revision").await;
    let later = ms("2026-03-05T18:00:00Z").to_string();
    let past = ms("2026-03-02T09:09:59Z").to_string();
    for (class, seen, if_match, pairs, code, pointer) in [
        ("nowhere", "1", "", vec!["title", "Spin"], "not_found", "class"),
        ("k", "1", "2", vec!["title", "Spin"], "stale", ""),
        ("off", "", "", vec!["title", "Spin"], "class_cancelled", ""),
        ("brief", "", "", vec!["title", "Spin"], "class_finished", ""),
        ("begun", "", "", vec!["starts", &later], "wrong_status", ""),
        ("k", "", "", vec!["starts", &past], "invalid", "/starts_at"),
        ("k", "", "", vec!["minimum_given", "6", "minimum", "6"], "invalid", "/minimum"),
        ("k", "", "", vec!["capacity", "3", "minimum_given", "4", "minimum", "4"], "invalid", "/minimum"),
    ] {
        let seen = if seen.is_empty() { revision(class).await } else { seen.to_owned() };
        let mut args = vec![class, &seen, if_match];
        args.extend(pairs);
        let said = house.refuses("change_class", &args, code).await;
        assert_eq!(if code == "not_found" { said.text(2) } else { said.text(1) }, pointer);
    }
    let before = house.sight().await;
    assert_eq!(house.call("change_class", &["k", "7", "", "title", "Spin"]).await.tag, "RETRY");
    crate::underneath::assert_same(&before, &house.sight().await, "a change computed from another revision");
    let nothing = house.call("change_class", &["k", "1", "1"]).await;
    assert_eq!((nothing.tag.as_str(), nothing.field("revision").as_str()), ("CLASS", "1"));
    let changed = house.call("change_class", &["k", "1", "1", "title", "Spin"]).await;
    assert_eq!((changed.field("title").as_str(), changed.field("revision").as_str()), ("Spin", "2"));
    house.has_heard_all("change_class", "not_found stale class_cancelled class_finished wrong_status invalid");
    house.is_sound().await;
}

#[tokio::test]
async fn a_minimum_that_falls_back_to_the_policys_never_bars_a_change() {
    let house = House::open(json!({ "attendance": { "minimum": 5 } })).await;
    house.class("k", json!({ "capacity": 3, "minimum": 2, "starts_at": "2026-03-07T17:00:00Z" })).await;
    house.change("k", json!({ "minimum": null })).await;
    assert_eq!(house.field("class:k", "minimum_given").await, "");
    assert_eq!(house.field("class:k", "minimum").await, "5");
    let read = house.call("read_class", &["k", ""]).await;
    assert_eq!(read.record(1)["minimum"], "5");
    house.is_sound().await;
}

#[tokio::test]
async fn the_club_cancels_once_and_at_nobodys_cost() {
    let house = House::open(json!({ "cancel": { "late": "charged", "late_fee": 700, "late_is_strike": true }, "attendance": { "strikes": 1 } })).await;
    house.members("ann ben cay").await;
    house.member("clip", json!({ "plan": "clips", "clips": 2 })).await;
    house.class("k", json!({ "capacity": 3 })).await;
    house.class("brief", json!({ "starts_at": "2026-03-02T09:00:00Z", "minutes": 5 })).await;
    house.all_book("ann ben clip cay", "k").await;
    house.at("2026-03-05T16:30:00Z").await;
    house.cancels("ann", "k").await;
    assert_eq!(house.number("member:ann", "open_fees").await, 700);
    assert_eq!(house.number("member:clip", "clips").await, 1);
    house.refuses("cancel_class", &["nowhere", "flooded"], "not_found").await;
    house.refuses("cancel_class", &["brief", "flooded"], "class_finished").await;
    let said = house.call("cancel_class", &["k", "flooded"]).await;
    assert_eq!(said.field("status"), "cancelled");
    assert_eq!(
        house.statuses("ann ben clip cay", "k").await,
        "late_cancelled class_cancelled class_cancelled class_cancelled"
    );
    assert_eq!(house.number("member:ann", "open_fees").await, 0);
    assert_eq!(house.number("member:clip", "clips").await, 2);
    assert_eq!(house.field("member:ann", "banned_until").await, "");
    let before = house.cursor().await;
    assert_eq!(house.call("cancel_class", &["k", "flooded again"]).await.tag, "CLASS");
    assert_eq!(house.cursor().await, before);
    assert_eq!(house.cancels("ben", "k").await.tag, "REPEATED");
    house.has_heard_all("cancel_class", "not_found class_finished");
    house.is_sound().await;
}

#[tokio::test]
async fn a_moved_class_takes_its_bookings_along_and_lets_them_go_free() {
    let house =
        House::open(json!({ "waitlist": { "mode": "offer", "offer_for": "PT12H" }, "change_notice": "PT24H" })).await;
    house.members("ann ben cay").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben cay", "k").await;
    house.cancels("ann", "k").await;
    assert_eq!(
        house.field(&format!("booking:{}", house.id("ben", "k")), "offer_expires_at").await,
        ms("2026-03-02T20:00:00Z").to_string()
    );
    // Promotion now ends before the offer would.
    house.change("k", json!({ "starts_at": "2026-03-02T15:00:00Z" })).await;
    assert_eq!(
        house.field(&format!("booking:{}", house.id("ben", "k")), "offer_expires_at").await,
        ms("2026-03-02T14:00:00Z").to_string()
    );
    house.call("accept", &[&house.id("ben", "k"), "ben"]).await;
    house.change("k", json!({ "starts_at": "2026-03-02T18:00:00Z" })).await;
    house.at("2026-03-02T17:30:00Z").await;
    let preview = house.call("preview_cancel", &[&house.id("ben", "k"), "ben"]).await;
    assert_eq!((preview.text(0).as_str(), preview.text(5)), ("free", ms("2026-03-02T18:00:00Z").to_string()));
    house.is_sound().await;
}

#[tokio::test]
async fn a_class_moved_so_near_that_booking_should_be_open_opens() {
    let house = House::open(json!({})).await;
    house.class("k", json!({ "starts_at": "2026-03-20T17:00:00Z" })).await;
    assert_eq!(house.field("class:k", "status").await, "scheduled");
    house.change("k", json!({ "starts_at": STARTS })).await;
    assert_eq!(house.field("class:k", "status").await, "open");
    // Booking that has opened stays open.
    house.change("k", json!({ "starts_at": "2026-03-20T17:00:00Z" })).await;
    assert_eq!(house.field("class:k", "status").await, "open");
    house.members("ann").await;
    assert_eq!(house.books("ann", "k").await.tag, "BOOKED");
    house.is_sound().await;
}

#[tokio::test]
async fn classes_are_read_and_listed() {
    let house = House::open(json!({})).await;
    house.club("other").await;
    house.members("ann ben").await;
    for (id, patch) in [
        ("a", json!({ "category": "spin" })),
        ("b", json!({ "instructor": { "id": "ina", "name": "Ina" } })),
        ("c", json!({ "club": "other" })),
        ("d", json!({ "starts_at": "2026-03-04T17:00:00Z", "capacity": 1 })),
    ] {
        house.class(id, patch).await;
    }
    house.all_book("ann ben", "d").await;
    house.refuses("read_class", &["nowhere", ""], "not_found").await;
    let read = house.call("read_class", &["d", "ben"]).await;
    assert_eq!((read.record(2)["status"].as_str(), read.record(3)["code"].as_str()), ("waitlisted", ""));
    let read = house.call("read_class", &["a", "nobody"]).await;
    assert!(read.record(2).is_empty() && read.record(3).is_empty());
    let list = async |filters: [&str; 3], limit: &str, after: [&str; 2]| {
        let [club, category, instructor] = filters;
        let said =
            house.call("list_classes", &[club, category, instructor, "", "", limit, after[0], after[1], "ann"]).await;
        let ids: Vec<String> = said.payload[2..]
            .iter()
            .map(|entry| redis::from_redis_value::<Vec<redis::Value>>(entry.clone()).unwrap())
            .map(|entry| crate::said::text(&entry[0]))
            .collect();
        (ids.join(" "), said.text(0), said.text(1))
    };
    let starts = ms(STARTS).to_string();
    assert_eq!(list(["", "", ""], "10", ["", ""]).await.0, "d a b c");
    assert_eq!(list(["", "", ""], "2", ["", ""]).await, ("d a".to_owned(), starts.clone(), "a".to_owned()));
    assert_eq!(list(["", "", ""], "2", [&starts, "a"]).await, ("b c".to_owned(), String::new(), String::new()));
    assert_eq!(list(["other", "", ""], "10", ["", ""]).await.0, "c");
    assert_eq!(list(["", "spin", ""], "10", ["", ""]).await.0, "a");
    assert_eq!(list(["", "", "ina"], "10", ["", ""]).await.0, "b");
    house.refuses("read_roster", &["nowhere", "", "0"], "not_found").await;
    house.refuses("read_roster", &["a", "ina", "0"], "not_found").await;
    assert_eq!(house.call("read_roster", &["b", "ina", "0"]).await.text(0), "b");
    house.refuses("read_history", &["nowhere", "0", "10"], "not_found").await;
    assert_eq!(house.call("read_history", &["d", "0", "2"]).await.text(0), "1");
    assert_eq!(house.call("read_history", &["d", "2", "2"]).await.text(0), "");
    for function in ["read_class", "list_classes", "read_roster", "read_history"] {
        house.has_heard_all(function, "");
    }
}

/// Redis sorts bytes; a language sorts as its locale does, and a server may be started in any.
#[tokio::test]
async fn no_class_is_lost_between_pages_whatever_its_id() {
    let house = House::open(json!({ "booking": { "allow_overlap": true, "daily_limit": null } })).await;
    house.members("ann").await;
    let ids = ["A-1", "A1", "B", "_c", "a", "a-1", "a1", "b"];
    for id in ids {
        house.class(id, json!({})).await;
        assert_eq!(house.call("book", &[id, "ann", id, "1", ""]).await.tag, "BOOKED");
    }
    let (mut classes, mut bookings) = (Vec::new(), Vec::new());
    let mut after = [String::new(), String::new()];
    while classes.len() < ids.len() {
        let said = house.call("list_classes", &["", "", "", "", "", "1", &after[0], &after[1], ""]).await;
        let entry: Vec<redis::Value> = redis::from_redis_value(said.payload[2].clone()).unwrap();
        classes.push(crate::said::text(&entry[0]));
        after = [said.text(0), said.text(1)];
    }
    assert_eq!(classes, ids);
    let mut after = [String::new(), String::new()];
    while bookings.len() < ids.len() {
        let said = house.call("list_bookings", &["ann", "upcoming", "1", &after[0], &after[1]]).await;
        bookings.push(said.record(2)["id"].clone());
        after = [said.text(0), said.text(1)];
    }
    assert_eq!(bookings, ids);
}
