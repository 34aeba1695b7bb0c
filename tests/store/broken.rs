//! Broken data: a key of the wrong type is found before the first write, so it is never half of a change.

use std::collections::BTreeSet;

use serde_json::json;

use rollcall::store::error::StoreError;

use crate::house::{House, ms, policy};
use crate::said::text;
use crate::underneath::assert_same;

/// The command of every call here, so that its own key can be broken too.
const COMMAND: &str = "the command";

/// A Thursday evening on which every function has something to do, and nothing is due.
async fn thursday() -> (House, Vec<(&'static str, Vec<String>)>) {
    let house = House::open(json!({
        "cancel": { "late": "charged", "late_fee": 300, "late_is_strike": true, "forgive_if_refilled": true },
        "attendance": { "strikes": 1, "no_show_fee": 500, "untouched_roster": "review" },
    }))
    .await;
    house.members("ann ben dan eva fay gil hal ivy joe kim lea meg nan old").await;
    house.member("pat", json!({ "plan": "clips", "clips": 3 })).await;
    house.class("old", json!({ "starts_at": "2026-03-02T09:00:00Z" })).await;
    house.class("done", json!({ "starts_at": "2026-03-05T10:00:00Z" })).await;
    house.class("run", json!({ "capacity": 3, "instructor": { "id": "ina", "name": "Ina" } })).await;
    house.class("full", json!({ "capacity": 1, "starts_at": "2026-03-06T17:00:00Z" })).await;
    let offers = json!({ "waitlist": { "mode": "offer", "offer_for": "PT20H" } });
    house.class("offer", json!({ "capacity": 1, "starts_at": "2026-03-06T12:00:00Z", "policy": offers })).await;
    let never_free = json!({ "cancel": { "free_until": "P6D" } });
    house.class("roomy", json!({ "capacity": 5, "starts_at": "2026-03-06T09:00:00Z", "policy": never_free })).await;
    house.class("far", json!({ "starts_at": "2026-03-30T09:00:00Z" })).await;
    for (members, class) in [
        ("old", "old"),
        ("meg", "done"),
        ("ann ben eva dan", "run"),
        ("fay gil", "full"),
        ("joe ivy gil", "offer"),
        ("kim pat", "roomy"),
    ] {
        house.all_book(members, class).await;
    }
    house.at("2026-03-05T16:56:00Z").await;
    // Stored by the function alone: nothing is published from it.
    house.call("put_series", &["weekly", "{\"club\":\"city\"}", "active", "0", ""]).await;
    house.call("mark_series", &["weekly", "1", "2026-03-20", "0", "1"]).await;
    house.call("put_closure", &["city", "summer", "2026-07-01", "2026-07-31", "summer", "1", "2"]).await;
    house.cancels("joe", "offer").await;
    house.cancels("kim", "roomy").await;
    house.cancels("ben", "run").await;
    house.call("check_in", &[&house.id("eva", "run"), ""]).await;
    assert_eq!(house.status("ivy", "offer").await, "offered");
    assert_eq!(house.status("dan", "run").await, "waitlisted");
    let calls = calls(&house).await;
    (house, calls)
}

#[allow(clippy::too_many_lines, reason = "a table, one call a line")]
async fn calls(house: &House) -> Vec<(&'static str, Vec<String>)> {
    let id = |member: &str, class: &str| house.id(member, class);
    let later = ms("2026-03-07T12:00:00Z").to_string();
    let stored: Vec<(String, String)> = house.on("HGETALL", "class:far", &[]).await;
    let mut publish = vec!["new".to_owned(), "1".to_owned()];
    let mut published_by_a_series = vec!["weekly~20260330".to_owned(), "1".to_owned()];
    published_by_a_series.extend(["", "unbooked", "", "{}", ""].map(str::to_owned));
    published_by_a_series.extend(stored.iter().flat_map(|(name, value)| [name.clone(), value.clone()]));
    publish.extend(stored.into_iter().flat_map(|(name, value)| [name, value]));
    let policy = policy(&json!({ "booking": { "daily_limit": 9 } })).to_json().to_string();
    let fees = house.call("list_fees", &["0", "10", ""]).await;
    let revision = house.field("class:full", "revision").await;
    let call = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<String>>();
    let (begin, after) = (ms("2026-03-01T00:00:00Z").to_string(), ms("2026-04-01T00:00:00Z").to_string());
    vec![
        ("book", call(&["roomy", "lea", "lea-roomy", "1", ""])),
        ("book", call(&["full", "hal", "hal-full", "1", ""])),
        ("book", call(&["run", "dan", "again", "1", ""])),
        ("cancel", call(&[&id("ann", "run"), "ann", "", ""])),
        ("cancel", call(&[&id("fay", "full"), "fay", "", ""])),
        ("cancel", call(&[&id("ivy", "offer"), "ivy", "", ""])),
        ("cancel", call(&[&id("pat", "roomy"), "", "0", "ill"])),
        ("preview_cancel", call(&[&id("ann", "run"), "ann"])),
        ("accept", call(&[&id("ivy", "offer"), "ivy"])),
        ("publish_class", publish),
        ("change_class", call(&["full", &revision, "", "capacity", "2"])),
        ("cancel_class", call(&["run", "flooded"])),
        ("cancel_class", call(&["roomy", "flooded"])),
        (
            "put_member",
            call(&[
                "gil",
                "name",
                "Gil",
                "plan",
                "unlimited",
                "status",
                "ended",
                "clips",
                "",
                "clips_revision",
                "",
                "clubs",
                "[\"city\"]",
                "categories",
                "all",
                "frozen",
                "[]",
                "index",
                "[\"gil\"]",
            ]),
        ),
        (
            "put_member",
            call(&[
                "new",
                "name",
                "New",
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
                "[\"new\"]",
            ]),
        ),
        ("erase_member", call(&["fay"])),
        ("put_club", call(&["city", "Town"])),
        ("put_org", call(&["South", "Europe/Copenhagen", "EUR", &policy, "", "", "", "", ""])),
        ("put_series", call(&["weekly", "{\"club\":\"city\",\"title\":\"Spin\"}", "active", "1", ""])),
        ("mark_series", call(&["weekly", "1", "2026-03-27", "739000", "1"])),
        ("read_series", call(&["weekly", "", "1"])),
        ("read_series", call(&["", "", "10"])),
        ("due_series", call(&["739000"])),
        ("align_class", call(&["far", "1", "1", "all", "", "{}", "", "title", "Spin"])),
        ("align_class", call(&["far", "1", "1", "all", "the series ended", "", ""])),
        ("align_class", published_by_a_series),
        ("series_classes", call(&["weekly", "", ""])),
        ("put_closure", call(&["city", "spring", "2026-03-30", "2026-03-30", "flooded", &begin, &after])),
        ("end_closure", call(&["city", "summer"])),
        ("read_closures", call(&["city"])),
        ("check_in", call(&[&id("ann", "run"), "ina"])),
        ("check_in", call(&[&id("dan", "run"), ""])),
        ("undo_check_in", call(&[&id("eva", "run"), ""])),
        ("walk_in", call(&["run", "nan", "nan-run"])),
        ("desk_check_in", call(&["city", "ann", ""])),
        ("close_class", call(&["done", "1", "it was taught"])),
        ("excuse", call(&[&id("kim", "roomy"), "ill"])),
        ("lift_ban", call(&["kim", "grace"])),
        ("waive_fee", call(&[&fees.text(1), "grace"])),
        ("set_clock", call(&[&later])),
        ("trim", call(&[&later, &ms("2026-03-05T10:00:01Z").to_string()])),
        ("carry_out", vec![]),
        ("read_org", vec![]),
        ("migrate", vec![]),
        ("put_terms", call(&["1", "", "", "", "", "[]"])),
        ("put_names", call(&["1", "DK", "-", "", "[[\"ann\",\"Name of ann\",\"\",\"[]\"]]"])),
        ("list_members", call(&["a", "10", "", "", "{\"alone\":[\"ia\"],\"words\":[[\"nname\"]]}"])),
        ("read_unrest", call(&["", ""])),
        ("read_report", call(&[&begin, &later, "", ""])),
        ("read_class", call(&["run", "dan"])),
        ("list_classes", call(&["", "", "", "", "", "10", "", "", "ann"])),
        ("list_classes", call(&["city", "", "", "", "", "10", "", "", ""])),
        ("read_roster", call(&["run", "", "0"])),
        ("read_history", call(&["run", "0", "10"])),
        ("read_booking", call(&[&id("dan", "run"), ""])),
        ("list_bookings", call(&["ann", "upcoming", "10", "", ""])),
        ("list_bookings", call(&["ann", "", "10", "", ""])),
        ("read_member", call(&["ann"])),
        ("list_members", call(&["", "10", ""])),
        ("list_members", call(&["a", "10", ""])),
        ("read_standing", call(&["kim", "", ""])),
        (
            "read_parts",
            call(&["face", "run", "roster", "run", "me", "dan", "day", &format!("city 2026-03-05 {begin} {later}")]),
        ),
        ("read_parts", call(&["entry", &id("dan", "run"), "mine", &id("dan", "run"), "standing", "kim  "])),
        ("list_fees", call(&["0", "10", ""])),
        ("list_events", call(&["", "10"])),
    ]
}

async fn asks(house: &House, function: &str, args: &[String]) -> Result<String, StoreError> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = house.asks(COMMAND, "as it was", "", function, &args).await?;
    Ok(if said.tag == "REFUSED" { format!("REFUSED {}", text(&said.payload[0])) } else { said.tag })
}

/// Puts a key of another type in the place of this one: a remembered reply is text, and nothing else is.
async fn breaks(house: &House, key: &str) {
    let _: i64 = house.command(redis::cmd("DEL").arg(key)).await;
    let _: redis::Value = match [":done:", ":told:", ":keyed:"].iter().any(|part| key.contains(part)) {
        true => house.command(redis::cmd("SADD").arg(key).arg("of another type")).await,
        false => house.command(redis::cmd("SET").arg(key).arg("of another type")).await,
    };
}

#[tokio::test]
async fn a_key_of_the_wrong_type_stops_a_call_before_its_first_write() {
    let (house, calls) = thursday().await;
    let (begin, sight) = (house.dump().await, house.sight().await);
    let mut complaints = Vec::new();
    for (function, args) in &calls {
        let usual = asks(&house, function, args).await.unwrap_or_else(|error| panic!("{function} {args:?}: {error}"));
        let after = house.dump().await;
        house.restore(&begin).await;
        // What it could touch: everything there is, and what it leaves.
        let mut keys: BTreeSet<String> = begin.keys().chain(after.keys()).cloned().collect();
        keys.retain(|key| key.starts_with("rc:{") && !key.contains(":done:") && !key.contains(":told:"));
        keys.insert(house.key(&format!("done:{COMMAND}")));
        for key in keys {
            breaks(&house, &key).await;
            let answer = asks(&house, function, args).await;
            let mut after = house.sight().await;
            let broken = after.remove(&key).filter(|content| is_broken(content));
            let changed: Vec<&String> = sight
                .keys()
                .chain(after.keys())
                .filter(|other| **other != key && sight.get(*other) != after.get(*other))
                .collect();
            if let Some(what) = complaint(answer, &usual, broken.is_some(), !changed.is_empty()) {
                complaints.push(format!("{function} {args:?} with {key} broken: {what}; changed {changed:?}"));
            }
            match changed.is_empty() {
                true => house.restore_key(&begin, &key).await,
                false => house.restore(&begin).await,
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Whether it is still what was put in its place.
fn is_broken(content: &[u8]) -> bool {
    content.windows(b"of another type".len()).any(|part| part == b"of another type")
}

/// What a call did wrong with a broken key, if anything.
fn complaint(answer: Result<String, StoreError>, usual: &str, still_broken: bool, changed: bool) -> Option<String> {
    match answer {
        _ if !still_broken => Some("wrote over it".to_owned()),
        Err(StoreError::Corrupt(why)) if why.contains("WRONGTYPE") || why.contains("CORRUPT") => changed.then_some(why),
        Err(error) => Some(error.to_string()),
        Ok(answer) if answer == usual => None,
        Ok(answer) => Some(format!("answered {answer}, usually {usual}")),
    }
}

#[tokio::test]
async fn every_function_takes_part_in_this() {
    let (house, calls) = thursday().await;
    let called: Vec<&str> = calls.iter().map(|(function, _)| *function).collect();
    let missing: Vec<&String> =
        house.functions().map(|(name, _)| name).filter(|name| !called.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "tests/store/broken.rs calls no {missing:?}");
}

#[tokio::test]
async fn what_is_put_back_is_what_there_was() {
    let (house, _) = thursday().await;
    let (dump, sight) = (house.dump().await, house.sight().await);
    house.restore(&dump).await;
    assert_same(&sight, &house.sight().await, "dumped and restored");
    house.is_sound().await;
}

#[tokio::test]
async fn a_number_that_is_none_stops_a_call_too() {
    let (house, _) = thursday().await;
    let begin = house.dump().await;
    for (key, name) in [
        ("class:roomy", "booked"),
        ("class:roomy", "capacity"),
        ("class:roomy", "starts"),
        ("class:roomy", "ticket"),
        ("member:lea", "clips"),
        ("member:lea", "banned_until"),
        ("org", "changes"),
        ("org", "ms"),
    ] {
        house.restore(&begin).await;
        let _: i64 = house.on("HSET", key, &[name, "many"]).await;
        let before = house.sight().await;
        let answer = house.asks(COMMAND, "as it was", "", "book", &["roomy", "lea", "new", "1", ""]).await;
        assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{key} {name}: {answer:?}");
        assert_same(&before, &house.sight().await, &format!("{key} {name}"));
    }
    house.restore(&begin).await;
    let answer = house.asks(COMMAND, "as it was", "soon", "book", &["roomy", "lea", "new", "1", ""]).await;
    assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{answer:?}");
}

/// The numbers of changes go up; where the stream is ahead of them, as after a restore that lost the rest, nothing is
/// written rather than half of a change.
#[tokio::test]
async fn a_stream_that_is_ahead_of_its_organisation_stops_every_write() {
    let (house, _) = thursday().await;
    let _: String = house.on("XADD", "events", &["9000000000000-1", "line", "{}"]).await;
    let before = house.sight().await;
    let answer = house.asks(COMMAND, "as it was", "", "book", &["roomy", "lea", "new", "1", ""]).await;
    assert!(matches!(answer, Err(StoreError::Corrupt(_))), "{answer:?}");
    assert_same(&before, &house.sight().await, "an event that cannot be appended");
}
