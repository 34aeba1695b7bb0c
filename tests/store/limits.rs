//! Every limit, at it and one past it; and work that one call may not finish is finished all the same.

use serde_json::json;

use crate::house::{BEGIN, House, KEEP_MS, STARTS, ms};

const SCAN_MAX: usize = 100;

fn names(count: usize) -> String {
    (0..count).map(|n| format!("m{n:04}")).collect::<Vec<_>>().join(" ")
}

/// The members of a set of the class, in ticket order.
async fn on_set(house: &House, set: &str) -> Vec<String> {
    let ids: Vec<String> = house.on("ZRANGE", &format!("class:k:{set}"), &["0", "-1"]).await;
    let mut members = Vec::new();
    for id in ids {
        members.push(house.field(&format!("booking:{id}"), "member").await);
    }
    members
}

/// A class of `capacity` with all of these many members in it or waiting.
async fn crowd(policy: serde_json::Value, capacity: usize, members: usize) -> House {
    let house = House::open(policy).await;
    house.class("k", json!({ "capacity": capacity })).await;
    house.members(&names(members)).await;
    house.all_book(&names(members), "k").await;
    house
}

#[tokio::test]
async fn what_one_call_may_not_finish_is_finished_before_it_is_answered() {
    let house = crowd(json!({ "waitlist": { "max": 500 } }), 1, 201).await;
    let before = house.cursor().await;
    let args = ["k", "1", "", "capacity", "151"];
    let mut calls = 0;
    let said = loop {
        let said = house.tries_as("raise", "as it was", "", "change_class", &args).await.expect("an answer");
        calls += 1;
        if said.tag != "BEGUN" {
            break said;
        }
        // Whoever asks meanwhile helps to finish, and is answered after it.
        let other = house.asks("-", "-", "", "read_class", &["k", ""]).await.expect("an answer");
        assert!(other.tag == "AGAIN" || other.record(1)["booked"] == "151", "{other:?}");
    };
    assert!(calls > 2, "{calls} calls for 150 promotions");
    assert_eq!((said.field("booked").as_str(), said.field("reserved").as_str()), ("151", "0"));
    let expected: Vec<String> = names(151).split(' ').map(str::to_owned).collect();
    assert_eq!(on_set(&house, "roster").await, expected);
    let promoted: Vec<String> =
        house.events_since(&before).await.into_iter().filter(|event| event.starts_with("booking_promoted")).collect();
    let in_order: Vec<String> = expected[1..].iter().map(|member| format!("booking_promoted {member}")).collect();
    assert_eq!(promoted, in_order);
    let again = house.tries_as("raise", "as it was", "", "change_class", &args).await.expect("an answer");
    assert_eq!((again.tag, again.cursor), (said.tag, said.cursor));
    house.is_sound().await;
}

#[tokio::test]
async fn two_hundred_and_fifty_offers_run_out_in_one_call_of_the_store() {
    let offers = json!({ "waitlist": { "max": 500, "mode": "offer", "offer_for": "PT1H" } });
    let house = crowd(offers, 1, 301).await;
    house.change("k", json!({ "capacity": 251 })).await;
    house.store.settle(&house.org).await.unwrap();
    assert_eq!(on_set(&house, "offers").await.len(), 250);
    // An hour later all of them have run out, and nobody has looked since.
    let _: i64 = house.on("HSET", "org", &["clock", &ms("2026-03-02T09:00:00Z").to_string()]).await;
    let answer = house.store.class(&house.org, &"k".parse().unwrap(), None).await.unwrap();
    let class = answer.outcome.unwrap().class;
    assert_eq!((class.booked, class.waiting, class.free), (1, 0, 200));
    let last: Vec<String> = names(301).split(' ').skip(251).map(str::to_owned).collect();
    assert_eq!(on_set(&house, "offers").await, last);
    assert_eq!(house.status("m0001", "k").await, "lapsed");
    house.is_sound().await;
}

#[tokio::test]
async fn a_call_carries_out_what_its_budget_allows_and_says_so() {
    let house = House::open(json!({})).await;
    for n in 0..250 {
        house.class(&format!("k{n:03}"), json!({ "starts_at": "2026-03-12T17:00:00Z" })).await;
    }
    let opens = ms("2026-03-05T17:00:00Z").to_string();
    let mut again = 0;
    loop {
        let said = house.tries_as("-", "-", &opens, "carry_out", &[]).await.unwrap();
        if said.tag == "SETTLED" {
            break;
        }
        assert_eq!((said.tag.as_str(), said.due.as_str()), ("AGAIN", "0"));
        again += 1;
    }
    assert!((3..20).contains(&again), "{again} calls left something");
    let opened = house.events_since("0-0").await.iter().filter(|event| *event == "class_opened").count();
    assert_eq!(opened, 250);
    house.is_sound().await;
}

#[tokio::test]
async fn a_write_waits_for_what_is_due_and_is_done_once() {
    let house = House::open(json!({})).await;
    house.members("ann").await;
    for n in 0..250 {
        house.class(&format!("k{n:03}"), json!({ "starts_at": "2026-03-12T17:00:00Z" })).await;
    }
    let _: i64 = house.on("HSET", "org", &["clock", &ms("2026-03-05T17:00:00Z").to_string()]).await;
    let (class, member, id) = ("k249".parse().unwrap(), "ann".parse().unwrap(), "one".parse().unwrap());
    let book = rollcall::store::bookings::Book { class: &class, member: &member, id: &id, waitlist: true, desk: false };
    let placed = house.store.book(&house.write(), &book).await.unwrap().outcome.unwrap();
    assert!(placed.created);
    let events = house.events_since("0-0").await;
    assert_eq!(events.iter().filter(|event| *event == "booking_confirmed ann").count(), 1);
    assert_eq!(events.iter().filter(|event| *event == "class_opened").count(), 250);
    house.is_sound().await;
}

#[tokio::test]
async fn a_listing_looks_at_a_hundred_and_goes_on_from_there() {
    // A large chain has more than a hundred at the very same start.
    for (classes, apart) in [(SCAN_MAX, 1), (SCAN_MAX + 1, 1), (SCAN_MAX + 1, 0), (2 * SCAN_MAX + 1, 0)] {
        let house = House::open(json!({})).await;
        house.class("first", json!({ "category": "other" })).await;
        // Copies of it, written straight into the indexes.
        let script = "local p = ARGV[1] local c = redis.call('HGETALL', p .. 'class:first') for n = 2, tonumber(ARGV[2]) do \
            local id = string.format('k%05d', n) redis.call('HSET', p .. 'class:' .. id, unpack(c)) \
            local at = redis.call('HGET', p .. 'class:first', 'starts') + n * ARGV[3] \
            redis.call('HSET', p .. 'class:' .. id, 'starts', at, 'category', n == tonumber(ARGV[2]) and 'spin' or '') \
            redis.call('ZADD', p .. 'classes', at, id) redis.call('ZADD', p .. 'club:city:classes', at, id) end";
        let _: redis::Value =
            house.command(redis::cmd("EVAL").arg(script).arg(0).arg(house.key("")).arg(classes).arg(apart)).await;
        let mut after = [String::new(), String::new()];
        let (mut found, mut calls) = (0, 0);
        loop {
            let said = house.call("list_classes", &["city", "spin", "", "", "", "10", &after[0], &after[1], ""]).await;
            (found, calls) = (found + said.payload.len() - 2, calls + 1);
            after = [said.text(0), said.text(1)];
            if after[0].is_empty() {
                break;
            }
        }
        assert_eq!(found, 1, "the last of {classes} is found");
        assert!(calls <= classes / SCAN_MAX + 1, "{calls} calls for {classes}");
    }
}

#[tokio::test]
async fn a_waitlist_holds_as_many_as_the_policy_says() {
    let house = crowd(json!({ "waitlist": { "max": 3 } }), 1, 4).await;
    house.members("more").await;
    house.refuses("book", &["k", "more", "new", "1", ""], "waitlist_full").await;
    house.refuses("book", &["k", "more", "new", "1", "1"], "waitlist_full").await;
    house.cancels("m0002", "k").await;
    assert_eq!(house.books("more", "k").await.field("position"), "3");
    house.is_sound().await;
}

#[tokio::test]
async fn a_member_may_give_up_a_class_twenty_times_a_day() {
    const ROUNDS_MAX: usize = 20;
    let house = House::open(json!({})).await;
    house.members("ann ben").await;
    house.class("k", json!({ "starts_at": "2026-03-08T17:00:00Z" })).await;
    house.class("l", json!({ "starts_at": "2026-03-07T17:00:00Z" })).await;
    for round in 0..ROUNDS_MAX {
        assert_eq!(house.books("ann", "k").await.tag, "BOOKED", "round {round}");
        house.at_ms(ms(BEGIN) + round as i64).await;
        house.cancels("ann", "k").await;
    }
    let said = house.refuses("book", &["k", "ann", "again", "1", ""], "rate_limited").await;
    let until = ms(BEGIN) + 86_400_000;
    assert_eq!(said.text(1), format!("{until} {}", (until - ms(BEGIN) - (ROUNDS_MAX as i64 - 1) + 999) / 1000));
    // Others, and other classes, are not concerned.
    assert_eq!(house.books("ben", "k").await.tag, "BOOKED");
    assert_eq!(house.books("ann", "l").await.tag, "BOOKED");
    house.at_ms(until - 1).await;
    house.refuses("book", &["k", "ann", "again", "1", ""], "rate_limited").await;
    house.at_ms(until).await;
    assert_eq!(house.books("ann", "k").await.tag, "BOOKED");
    house.is_sound().await;
}

#[tokio::test]
async fn a_caller_has_so_many_keyed_calls_a_day() {
    for (role, most) in [("member", 2_000), ("staff", 200_000)] {
        let house = House::open(json!({})).await;
        house.members("ann").await;
        let name = format!("keyed:{role}:f%3A1");
        let call = async |key: &str, keep_ms: &str| {
            let args = ["", "f:1", role, key, "print", keep_ms, "city", &format!("City {key}")];
            let said = house.library.fcall(&house.lanes, "put_club", &house.key("org"), &args).await.unwrap();
            crate::said::Said::of(said)
        };
        assert_eq!(call("one", KEEP_MS).await.tag, "CLUB");
        let left: i64 = house.on("PTTL", &name, &[]).await;
        assert!((86_000_000..=86_400_000).contains(&left), "a day from the first: {left} ms");
        let _: String = house.on("SET", &name, &[&(most - 1).to_string(), "KEEPTTL"]).await;
        assert_eq!(call("two", KEEP_MS).await.tag, "CLUB");
        assert_eq!(call("three", KEEP_MS).await.code(), "rate_limited");
        // What was answered is answered again, and calls without a key go on.
        assert_eq!(call("two", KEEP_MS).await.tag, "CLUB");
        assert_eq!(call("four", "60000").await.tag, "CLUB");
        house.is_sound().await;
    }
}

#[tokio::test]
async fn a_strike_counts_for_its_window_and_not_a_millisecond_longer() {
    let policy = json!({
        "cancel": { "free_until": "P6D", "late": "charged", "late_is_strike": true },
        "attendance": { "strikes": 2, "strike_window": "P1D", "ban": "P3D" },
    });
    for (second, banned) in [("2026-03-06T16:59:59.999Z", true), ("2026-03-06T17:00:00Z", false)] {
        let house = House::open(policy.clone()).await;
        house.members("ann").await;
        house.class("one", json!({ "starts_at": STARTS })).await;
        house.class("two", json!({ "starts_at": second })).await;
        house.all_book("ann", "one").await;
        house.all_book("ann", "two").await;
        house.cancels("ann", "one").await;
        assert_eq!(house.field("member:ann", "banned_until").await, "");
        house.cancels("ann", "two").await;
        let until = if banned { (ms(second) + 3 * 86_400_000).to_string() } else { String::new() };
        assert_eq!(house.field("member:ann", "banned_until").await, until);
        house.is_sound().await;
    }
}

#[tokio::test]
async fn whoever_a_ban_kept_waiting_is_promoted_when_it_ends() {
    let policy = json!({
        "cancel": { "late": "charged", "late_is_strike": true },
        "attendance": { "strikes": 1, "ban": "P1D" },
    });
    let house = House::open(policy).await;
    house.members("ann ben cay").await;
    house.class("soon", json!({ "starts_at": "2026-03-02T08:30:00Z" })).await;
    house.class("k", json!({ "capacity": 1, "starts_at": "2026-03-04T17:00:00Z" })).await;
    house.all_book("ann", "soon").await;
    house.all_book("cay ann ben", "k").await;
    house.cancels("ann", "soon").await;
    house.cancels("cay", "k").await;
    assert_eq!(house.statuses("ann ben", "k").await, "waitlisted booked");
    house.at("2026-03-03T08:29:00Z").await;
    house.cancels("ben", "k").await;
    assert_eq!(house.status("ann", "k").await, "waitlisted");
    house.at("2026-03-03T08:30:00Z").await;
    assert_eq!(house.status("ann", "k").await, "booked");
    house.is_sound().await;
}

#[tokio::test]
async fn numbers_above_ten_to_the_thirteenth_keep_exact() {
    let house =
        House::open(json!({ "cancel": { "free_until": "P6D", "late": "charged", "late_fee": 100_000_000 } })).await;
    let far: i64 = 20_000_000_000_003;
    for (name, value) in [("changes", far), ("ms", 90_000_000_000_007)] {
        let _: i64 = house.on("HSET", "org", &[name, &value.to_string()]).await;
    }
    let _: i64 = house.on("DEL", "events", &[]).await;
    house.members("ann").await;
    house.class("k", json!({})).await;
    let _: i64 = house.on("HSET", "member:ann", &["open_fees", "10000000000001"]).await;
    let said = house.books("ann", "k").await;
    assert_eq!(said.cursor, format!("90000000000007-{}", far + 3));
    let score: String = house.on("ZSCORE", "member:ann:history", &[&house.id("ann", "k")]).await;
    assert_eq!(score, (far + 3).to_string());
    house.cancels("ann", "k").await;
    let line = house.call("list_fees", &["0", "10", ""]).await;
    assert_eq!((line.text(1), line.record(2)["amount"].as_str()), ((far + 5).to_string(), "100000000"));
    assert_eq!(house.number("member:ann", "open_fees").await, 10_000_100_000_001);
    let events = house.call("list_events", &["", "10"]).await;
    assert!(events.payload.iter().map(crate::said::text).any(|part| part == format!("90000000000007-{}", far + 5)));
    // The last instant the service knows, to the millisecond.
    house.at("2199-12-31T23:59:59.999Z").await;
    let before = house.cursor().await;
    house.members("ben").await;
    assert_eq!(house.lines_since(&before).await[0].1["at"], ms("2199-12-31T23:59:59.999Z"));
    assert_eq!(house.call("read_org", &[]).await.text(2), ms("2199-12-31T23:59:59.999Z").to_string());
}

#[tokio::test]
async fn ids_may_hold_every_character_that_ids_may_hold() {
    let house = House::open(json!({ "waitlist": { "mode": "offer" }, "cancel": { "free_until": "P6D", "late": "charged", "late_fee": 5, "late_is_strike": true }, "attendance": { "strikes": 1 } })).await;
    let long = "x".repeat(64);
    let ids = ["a|b", "a~b@c.d", "+1", "-1", "1e5", "...", "_", "b", "0", "nil", "inf", "a0", long.as_str()];
    for id in ids {
        house.club(id).await;
        house.members(id).await;
        house.class(id, json!({ "club": id, "capacity": 1 })).await;
    }
    house.members("first second").await;
    for id in ids {
        let (first, mine) = (format!("{id}.1"), format!("{id}.2"));
        if first.len() > 64 {
            continue;
        }
        assert_eq!(house.call("book", &[id, "first", &first, "1", ""]).await.tag, "BOOKED", "{id}");
        assert_eq!(house.call("book", &[id, id, &mine, "1", ""]).await.tag, "WAITLISTED", "{id}");
        let late = house.call("cancel", &[&first, "first", "0", "for the test"]).await;
        assert_eq!(late.tag, "CANCELLED");
        assert_eq!(house.field(&format!("booking:{mine}"), "status").await, "offered", "{id}");
        assert_eq!(house.call("accept", &[&mine, id]).await.tag, "BOOKED", "{id}");
        assert_eq!(house.call("cancel", &[&mine, "", "1", ""]).await.field("status"), "late_cancelled", "{id}");
        assert_ne!(house.field(&format!("member:{id}"), "banned_until").await, "", "{id}");
        assert_eq!(house.call("list_members", &[id, "5", ""]).await.payload.len() % 2, 1, "{id}");
        assert_eq!(house.call("read_history", &[id, "0", "50"]).await.text(0), "", "{id}");
    }
    house.at(STARTS).await;
    house.is_sound().await;
}
