//! Recurring classes, reports, parts of live documents, and what retention forgets.

use serde_json::{Value, json};

use crate::house::{House, STARTS, ms};
use crate::said::Said;
use crate::underneath::assert_same;

#[tokio::test]
async fn a_series_is_stored_marked_and_read() {
    let house = House::open(json!({})).await;
    let (spin, yoga) = ("{\"club\":\"city\",\"title\":\"Spin\"}", "{\"club\":\"city\",\"title\":\"Yoga\"}");
    assert_eq!(house.call("put_series", &["s", spin, "active", "0", ""]).await.text(3), "1");
    let said = house.refuses("put_series", &["s", yoga, "active", "0", ""], "invalid").await;
    assert_eq!(said.text(1), "/id");
    house.refuses("put_series", &["s", yoga, "active", "1", "2"], "stale").await;
    let said = house.refuses("put_series", &["s", "{\"club\":\"nowhere\"}", "active", "1", ""], "invalid").await;
    assert_eq!(said.text(1), "/club");
    let before = house.sight().await;
    assert_eq!(house.call("put_series", &["s", yoga, "active", "2", ""]).await.tag, "RETRY");
    assert_eq!(house.call("mark_series", &["s", "2", "2026-03-20", "9", "1"]).await.tag, "RETRY");
    assert_eq!(house.call("mark_series", &["nothing", "1", "2026-03-20", "9", "1"]).await.tag, "RETRY");
    assert_same(&before, &house.sight().await, "what was sent back");
    let cursor = house.cursor().await;
    assert_eq!(house.call("put_series", &["s", spin, "active", "1", "1"]).await.cursor, cursor);
    assert_eq!(house.call("put_series", &["s", yoga, "active", "1", "1"]).await.text(3), "2");
    assert_eq!(house.call("mark_series", &["s", "2", "2026-03-20", "9", "1"]).await.tag, "MARKED");
    // Two instances publish at once: the day never goes back.
    house.call("mark_series", &["s", "2", "2026-03-13", "9", "1"]).await;
    house.refuses("read_series", &["nothing", "", "1"], "not_found").await;
    let said = house.call("read_series", &["s", "", "1"]).await;
    let read: Vec<String> = redis::from_redis_value(said.payload[1].clone()).unwrap();
    let stored: Value = serde_json::from_str(&read[1]).unwrap();
    assert_eq!(stored, json!({ "body": yoga, "status": "active", "revision": 2 }));
    assert_eq!((read[0].as_str(), read[2].as_str(), said.text(0).as_str()), ("s", "2026-03-20", ""));
    for (function, refusals) in [("put_series", "invalid stale"), ("mark_series", ""), ("read_series", "not_found")] {
        house.has_heard_all(function, refusals);
    }
}

/// The ids that a reply of `read_series` or `due_series` names.
fn series_in(said: &Said) -> Vec<String> {
    let lists = said.payload.iter().filter(|part| matches!(part, redis::Value::Array(list) if list.len() == 3));
    lists.map(|part| redis::from_redis_value::<Vec<String>>(part.clone()).unwrap().remove(0)).collect()
}

#[tokio::test]
async fn a_page_of_series_is_read_alone_and_ends_at_so_many_bytes() {
    let house = House::open(json!({})).await;
    let long = json!({ "club": "city", "title": "x".repeat(60_000) }).to_string();
    for number in 100..140 {
        house.call("put_series", &[&format!("s{number}"), &long, "active", "0", ""]).await;
    }
    let page = house.call("read_series", &["", "", "1"]).await;
    assert_eq!((series_in(&page), page.text(0)), (vec!["s100".to_owned()], "s100".to_owned()));
    assert!(page.spent <= 3, "one of forty was looked at: {}", page.spent);
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = house.call("read_series", &["", &after, "200"]).await;
        let (found, next) = (series_in(&page), page.text(0));
        assert_eq!(found.len(), if next.is_empty() { 6 } else { 17 }, "a mebibyte of them");
        all.extend(found);
        if next.is_empty() {
            break;
        }
        after = next;
    }
    assert_eq!(all, (100..140).map(|number| format!("s{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_series_is_due_once_a_day_and_when_it_or_the_rules_change() {
    let house = House::open(json!({})).await;
    let body = "{\"club\":\"city\"}";
    for id in ["a", "b"] {
        house.call("put_series", &[id, body, "active", "0", ""]).await;
    }
    let due = async |day: &str| series_in(&house.call("due_series", &[day]).await).join(" ");
    let mark = async |id: &str, look: &str, rules: &str| {
        house.call("mark_series", &[id, "1", "2026-03-20", look, rules]).await;
    };
    assert_eq!(due("7").await, "a b");
    mark("a", "8", "1").await;
    assert_eq!((due("7").await, due("8").await), ("b".to_owned(), "b a".to_owned()));
    mark("b", "8", "1").await;
    assert_eq!(due("7").await, "");
    // Published under rules that have changed meanwhile.
    mark("b", "8", "9").await;
    assert_eq!(due("7").await, "b");
    mark("b", "8", "1").await;
    let _: i64 = house.on("HSET", "org", &["revision", "2"]).await;
    assert_eq!(due("7").await, "a b", "under new rules every series is due");
    mark("a", "8", "2").await;
    mark("b", "8", "2").await;
    assert_eq!(due("7").await, "");
    house.call("put_series", &["a", "{\"club\":\"city\",\"room\":\"2\"}", "active", "1", ""]).await;
    house.call("put_series", &["b", body, "ended", "1", ""]).await;
    assert_eq!((due("7").await, due("9").await), ("a".to_owned(), "a".to_owned()));
    // What an older version of the service stored is in no index yet.
    let _: i64 = house.on("DEL", "series:ids", &[]).await;
    let _: i64 = house.on("DEL", "series:due", &[]).await;
    assert_eq!(series_in(&house.call("read_series", &["", "", "10"]).await), ["a", "b"]);
    assert_eq!(due("7").await, "a b");
    mark("b", "8", "2").await;
    house.call("mark_series", &["b", "2", "", "8", "2"]).await;
    assert_eq!(due("7").await, "a", "one that has ended is never looked at again");
    for number in 0..30 {
        let _: i64 = house.on("ZADD", "series:due", &["-1", &format!("gone-{number:02}")]).await;
    }
    assert_eq!((due("7").await, due("7").await), (String::new(), "a".to_owned()), "what is gone is let go of");
    house.has_heard_all("due_series", "");
}

#[tokio::test]
async fn an_organisation_has_so_many_active_series_and_one_that_ends_makes_room() {
    const SERIES_MAX: usize = 2_000;
    let house = House::open(json!({})).await;
    let body = "{\"club\":\"city\"}";
    for number in 1..SERIES_MAX {
        let _: i64 = house.on("ZADD", "series:due", &["0", &format!("filler-{number}")]).await;
    }
    house.call("put_series", &["last", body, "active", "0", ""]).await;
    let said = house.refuses("put_series", &["one-more", body, "active", "0", ""], "invalid").await;
    assert!(said.text(2).contains("2000"), "{said:?}");
    house.call("put_series", &["last", body, "ended", "1", ""]).await;
    assert_eq!(house.call("put_series", &["one-more", body, "active", "0", ""]).await.tag, "SERIES");
}

#[tokio::test]
async fn a_class_of_a_series_is_brought_in_line_unless_somebody_booked() {
    let house = House::open(json!({})).await;
    house.members("ann").await;
    for id in ["empty", "taken", "off", "gone"] {
        house.class(id, json!({})).await;
    }
    house.all_book("ann", "taken").await;
    house.call("cancel_class", &["off", "flooded"]).await;
    let seen = async |id: &str| house.field(&format!("class:{id}"), "given").await;
    let align = async |id: &str, revision: &str, rest: [&str; 4], pairs: &[&str]| {
        let mut args = vec![id, "1", revision];
        args.extend(rest);
        args.extend(pairs);
        house.call("align_class", &args).await.tag
    };
    let (spared, title) = (["unbooked", "", "new", ""], ["title", "Spin"]);
    assert_eq!(align("nowhere", "1", spared, &title).await, "SAME");
    assert_eq!(align("off", "2", spared, &title).await, "SAME");
    assert_eq!(align("empty", "", spared, &title).await, "SAME", "it is there already");
    let before = house.sight().await;
    assert_eq!(align("empty", "7", spared, &title).await, "RETRY");
    assert_same(&before, &house.sight().await, "a change computed from another revision");
    assert_eq!(align("empty", "1", spared, &["minimum_given", "9", "minimum", "9"]).await, "TAKEN");
    assert_eq!((align("taken", "1", spared, &title).await.as_str(), seen("taken").await.as_str()), ("TAKEN", ""));
    let spared_and_noted = ["unbooked", "", "new", "old"];
    assert_eq!(align("taken", "1", spared_and_noted, &title).await, "TAKEN");
    assert_eq!(seen("taken").await, "old", "what it was given before, of which nothing was noted");
    assert_eq!(align("taken", "1", ["unbooked", "it ended", "", ""], &[]).await, "TAKEN");
    assert_eq!(house.status("ann", "taken").await, "booked");
    let cursor = house.cursor().await;
    assert_eq!(align("empty", "1", spared, &[]).await, "SAME");
    assert_eq!((seen("empty").await.as_str(), house.cursor().await), ("new", cursor), "which nobody is told of");
    assert_eq!(align("empty", "1", ["unbooked", "", "newer", ""], &title).await, "CHANGED");
    assert_eq!((seen("empty").await.as_str(), house.field("class:empty", "title").await.as_str()), ("newer", "Spin"));
    assert_eq!(align("gone", "1", ["unbooked", "it ended", "", ""], &[]).await, "CANCELLED");
    assert_eq!(align("taken", "1", ["all", "", "new", ""], &title).await, "CHANGED");
    assert_eq!(align("taken", "2", ["all", "it ended", "", ""], &[]).await, "CANCELLED");
    assert_eq!(house.status("ann", "taken").await, "class_cancelled");
    // Published by the rules of the moment, and where there is such a club.
    let like: std::collections::HashMap<String, String> = house.on("HGETALL", "class:empty", &[]).await;
    let mut pairs: Vec<&str> = Vec::new();
    for name in [
        "club",
        "date",
        "starts",
        "ends",
        "opens_at",
        "closes_at",
        "promote_until",
        "decide_at",
        "check_in_closes",
        "capacity",
    ] {
        pairs.extend([name, like[name].as_str()]);
    }
    assert_eq!(house.call("align_class", &[&["fresh", "9", ""], &spared[..], &pairs].concat()).await.tag, "RETRY");
    pairs[1] = "nowhere";
    house.refuses("align_class", &[&["fresh", "1", ""], &spared[..], &pairs].concat(), "invalid").await;
    pairs[1] = "city";
    assert_eq!(align("fresh", "", spared, &pairs).await, "PUBLISHED");
    assert_eq!(seen("fresh").await, "new");
    house.has_heard_all("align_class", "invalid");
}

#[tokio::test]
async fn the_classes_of_a_series_are_found_by_their_names_wherever_they_were_moved() {
    let house = House::open(json!({})).await;
    for (id, starts) in [
        ("s~20260305", "2026-03-05T17:00:00Z"),
        ("s~20260302", "2026-03-09T17:00:00Z"),
        ("s2~20260305", STARTS),
        ("s", STARTS),
    ] {
        house.class(id, json!({ "starts_at": starts })).await;
    }
    let found = async || {
        let said = house.call("series_classes", &["s", "", ""]).await;
        (2..said.payload.len()).map(|at| said.text(at)).collect::<Vec<_>>()
    };
    assert_eq!(found().await, ["s~20260305", "s~20260302"]);
    house.at(STARTS).await;
    assert_eq!(found().await, ["s~20260302"], "the other has started");
    house.has_heard_all("series_classes", "");
}

#[tokio::test]
async fn a_report_counts_what_has_happened() {
    let house = House::open(json!({ "cancel": { "free_until": "P6D", "late": "charged" } })).await;
    house.members("ann ben").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.class("l", json!({ "starts_at": "2026-03-06T17:00:00Z" })).await;
    house.all_book("ann ben", "k").await;
    house.at("2026-03-02T09:00:00Z").await;
    house.cancels("ann", "k").await;
    let (from, to) = (ms(STARTS).to_string(), ms("2026-03-06T17:00:00Z").to_string());
    let said = house.call("read_report", &[&from, &to, "", ""]).await;
    assert_eq!((said.payload.len(), said.text(2).as_str()), (4, "k"));
    let counts = said.record(3);
    for (name, expected) in
        [("booked", "1"), ("late_cancels", "1"), ("queued", "1"), ("promoted", "1"), ("promoted_ms", "3600000")]
    {
        assert_eq!(counts[name], expected, "{name}");
    }
    house.has_heard_all("read_report", "");
    house.is_sound().await;
}

#[tokio::test]
async fn parts_are_there_or_empty() {
    let house = House::open(json!({})).await;
    house.members("ann ben").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben", "k").await;
    let day = format!("city 2026-03-05 {} {}", ms("2026-03-04T00:00:00Z"), ms("2026-03-07T00:00:00Z"));
    let lengths = async |names: &[&str]| {
        let said = house.call("read_parts", names).await;
        said.payload[2..]
            .iter()
            .map(|part| redis::from_redis_value::<Vec<redis::Value>>(part.clone()).unwrap().len())
            .collect::<Vec<_>>()
    };
    let (ann, ben) = (house.id("ann", "k"), house.id("ben", "k"));
    assert_eq!(
        lengths(&[
            "face", "k", "roster", "k", "entry", &ann, "mine", &ben, "me", "ann", "standing", "ann  ", "day", &day
        ])
        .await,
        [1, 4, 2, 3, 2, 3, 2]
    );
    assert_eq!(
        lengths(&["face", "x", "roster", "x", "entry", "x", "mine", "x", "me", "x", "standing", "x  "]).await,
        [0; 6]
    );
    assert_eq!(lengths(&["day", &day.replace("city", "nowhere"), "day", &day.replace("-05", "-06")]).await, [0, 1]);
    house.has_heard_all("read_parts", "");
}

#[tokio::test]
async fn what_retention_no_longer_keeps_goes_and_the_ledger_stays() {
    let house = House::open(json!({
        "cancel": { "free_until": "P6D", "late": "charged", "late_fee": 300, "late_is_strike": true },
        "retention": { "history": "P30D", "events": "P10D" },
    }))
    .await;
    house.members("ann ben").await;
    house.class("old", json!({ "capacity": 1 })).await;
    house.class("young", json!({ "starts_at": "2026-04-20T17:00:00Z" })).await;
    house.all_book("ann ben", "old").await;
    house.cancels("ann", "old").await;
    // Fifty lines a bite: this history takes several.
    for member in ["cay", "dan", "eve", "fay"] {
        house.members(member).await;
        for _ in 0..19 {
            house.books(member, "old").await;
            house.cancels(member, "old").await;
        }
    }
    assert_eq!(house.on::<i64>("LLEN", "class:old:history", &[]).await / 50, 3);
    house.at("2026-04-16T08:00:00Z").await;
    house.all_book("ann", "young").await;
    house.is_sound().await;
    let (events, classes) = (ms("2026-04-06T08:00:00Z").to_string(), ms("2026-03-17T08:00:00Z").to_string());
    let mut bites = 0;
    while house.call("trim", &[&events, &classes]).await.text(0) == "1" {
        bites += 1;
        house.is_sound().await;
        assert!(bites < 50, "it never ends");
    }
    assert!(bites >= 2, "{bites} bites");
    let left: Vec<String> = house.command(redis::cmd("KEYS").arg(house.key("*:old*"))).await;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(house.on::<Vec<String>>("ZRANGE", "member:ann:history", &["0", "-1"]).await.len(), 1);
    assert_eq!(house.call("list_fees", &["0", "10", ""]).await.record(2)["member"], "ann");
    assert_eq!(house.number("member:ann", "open_fees").await, 300);
    let line = house.call("list_fees", &["0", "10", ""]).await.text(1);
    house.refuses("waive_fee", &[&line, "grace"], "wrong_status").await;
    house.store.trim(&house.org).await.unwrap();
    house.has_heard_all("trim", "");
    house.is_sound().await;
}

#[tokio::test]
async fn a_class_that_is_at_rest_is_not_told_of() {
    let house = House::open(json!({})).await;
    house.members("ann ben").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben", "k").await;
    assert_eq!(house.call("read_unrest", &["", ""]).await.payload.len(), 2);
    let before = house.sight().await;
    let _: i64 = house.on("HSET", "class:k", &["capacity", "2"]).await;
    let broken = house.sight().await;
    assert_eq!(house.call("read_unrest", &["", ""]).await.text(2), "k");
    assert_same(&broken, &house.sight().await, "looking for unrest");
    assert_ne!(before, broken);
    assert_eq!(house.call("read_unrest", &[&ms(STARTS).to_string(), "k"]).await.payload.len(), 2);
    house.has_heard_all("read_unrest", "");
}
