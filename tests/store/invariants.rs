//! `check` itself: it is silent about a sound house, and names each kind of damage by the number of its invariant.

use std::process::Command;

use serde_json::json;

use crate::house::House;

/// Something of everything: offers, a queue, late cancels, fees, a strike and its ban, an erased member, a class to come.
async fn furnished() -> House {
    let house = House::open(json!({
        "cancel": { "free_until": "P6D", "late": "charged", "late_fee": 300, "late_is_strike": true },
        "attendance": { "strikes": 1 }, "waitlist": { "mode": "offer", "offer_for": "PT6H" },
    }))
    .await;
    house.members("ann ben cay dan eve").await;
    house.member("clip", json!({ "plan": "clips", "clips": 3 })).await;
    house.class("k", json!({ "capacity": 2 })).await;
    house.class("l", json!({ "starts_at": "2026-03-06T17:00:00Z" })).await;
    house.class("far", json!({ "starts_at": "2026-03-30T17:00:00Z" })).await;
    house.all_book("ann ben cay dan", "k").await;
    house.all_book("clip dan", "l").await;
    house.cancels("ann", "k").await;
    house.call("erase_member", &["eve"]).await;
    let fee = house.call("list_fees", &["0", "1", ""]).await.text(1);
    house.call("waive_fee", &[&fee, "grace"]).await;
    house.at("2026-03-02T09:00:00Z").await;
    assert_eq!(house.statuses("ann ben cay dan", "k").await, "late_cancelled booked offered waitlisted");
    house
}

/// Damage: the command on a key of the organisation, and what `check` says to it.
#[allow(clippy::too_many_lines, reason = "a table, one damage a line")]
fn damages(house: &House) -> Vec<(Vec<String>, &'static str)> {
    let id = |member: &str, class: &str| house.id(member, class);
    let (ann, ben, cay, dan, clip) = (id("ann", "k"), id("ben", "k"), id("cay", "k"), id("dan", "k"), id("clip", "l"));
    let b = |id: &str| format!("booking:{id}");
    let row = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    vec![
        (row(&["HINCRBY", "class:k", "booked", "1"]), "invariant 1: class k counts booked 2, roster has 1"),
        (row(&["HINCRBY", "class:k", "waiting", "-1"]), "invariant 1: class k counts waiting 0, queue has 1"),
        (row(&["HSET", "class:k", "offered", ""]), "invariant 1: class k counts offered , offers has 1"),
        (row(&["HSET", "class:k", "checked_in", "1"]), "invariant 1: class k counts checked_in 1"),
        (row(&["HSET", "class:k", "reserved", "1"]), "invariant 1: class k reserves 1 of 0 free spots"),
        (row(&["ZADD", "class:k:roster", "4", &dan]), "invariant 1: class k: member dan has both"),
        (
            row(&["ZADD", "class:k:queue", "9", "nothing"]),
            "invariant 1: class k: the queue names booking nothing, which is not there",
        ),
        (row(&["ZADD", "class:l:roster", "2", &ben]), "invariant 1: class l: the roster names booking"),
        (row(&["HSET", &b(&ben), "status", "waitlisted"]), "invariant 1: class k: the roster names booking"),
        (row(&["HSET", &b(&ann), "status", "booked"]), "invariant 1: class k: booking"),
        (row(&["HSET", &b(&ann), "status", "gone"]), "invariant 1: booking"),
        (row(&["DEL", &b(&ben)]), "which is not there"),
        (row(&["DEL", "class:k"]), "invariant 1: class k has keys and is not there"),
        (row(&["ZREM", "classes", "k"]), "invariant 1: class k of club city starts at"),
        (row(&["ZREM", "club:city:classes", "k"]), "invariant 1: class k of club city starts at"),
        (row(&["ZADD", "classes", "1", "nowhere"]), "invariant 1: class nowhere is listed and not there"),
        (row(&["HDEL", "clubs", "city"]), "invariant 1: class k is at club city, which is not there"),
        (row(&["ZREM", "unopened", "far"]), "invariant 1: class far opens at"),
        (row(&["ZREM", "members", "ann"]), "invariant 1: member ann: listed among the members: false"),
        (row(&["ZADD", "members", "0", "eve"]), "invariant 1: member eve: listed among the members: true"),
        (row(&["ZADD", "members:index", "0", "old name\tann"]), "invariant 1: members are to be found by"),
        (
            row(&["HSET", "class:k", "capacity", "1"]),
            "invariant 2: class k has 2 booked and offered, and never had more than 1",
        ),
        (row(&["HSET", "class:k", "capacity", "3"]), "invariant 3: class k is not at rest"),
        (row(&["ZREM", "timers", &format!("b k 1 00000003 {cay}")]), "invariant 3: class k: the offer of booking"),
        (
            row(&["ZADD", "timers", "7000000000000", &format!("b k 1 00000007 {cay}")]),
            "invariant 3: the timer \"b k 1 00000007",
        ),
        (row(&["ZADD", "timers", "7000000000000", "b nowhere 5"]), "invariant 3: the timer \"b nowhere 5\""),
        (row(&["ZADD", "timers", "7000000000000", "b k 3"]), "invariant 3: the timer \"b k 3\""),
        (row(&["ZREM", "timers", "b k 5"]), "invariant 3: class k: there is no timer \"b k 5\""),
        (row(&["ZREM", "timers", "a0 far"]), "invariant 3: class far: there is no timer \"a0 far\""),
        (row(&["ZREM", "timers", "a1 ann"]), "invariant 3: member ann is banned until"),
        (row(&["ZADD", "class:k:queue", "3", &dan]), "invariant 4: class k: the queue has booking"),
        (row(&["ZREM", "member:ben:upcoming", &ben]), "invariant 5: member ben: live booking"),
        (row(&["ZADD", "member:ben:upcoming", "5", &ben]), "invariant 5: member ben: live booking"),
        (row(&["ZADD", "member:ann:upcoming", "5", &ann]), "invariant 5: member ann: upcoming names booking"),
        (row(&["ZREM", "member:ann:history", &ann]), "invariant 5: member ann: their history lacks booking"),
        (row(&["HSET", &b(&dan), "member", "ben"]), "invariant 5: member ben has two live bookings of class k"),
        (row(&["HSET", &b(&clip), "member", "ben"]), "invariant 6: class l: event"),
        (row(&["DEL", "member:ben"]), "invariant 5: member ben has 1 bookings and is not there"),
        (row(&["XTRIM", "events", "MAXLEN", "0"]), "invariant 6: "),
        (row(&["HINCRBY", "org", "changes", "1"]), "changes until"),
        (row(&["RPOP", "class:k:history"]), "invariant 6: class k: its history lacks event"),
        (row(&["LPOP", "class:k:history"]), "invariant 6: class k: its history does not begin with"),
        (
            row(&["LSET", "class:k:history", "1", "1-1 nothing"]),
            "invariant 6: class k: a line of its history cannot be read",
        ),
        (row(&["HSET", &b(&ann), "status", "cancelled"]), "invariant 6: class k: by its history booking"),
        (row(&["HSET", "class:k", "status", "scheduled"]), "invariant 6: class k: its last event says it is \"open\""),
        (
            row(&["HINCRBY", "member:ann", "open_fees", "1"]),
            "invariant 7: member ann owes 1, the lines of the ledger come to 0",
        ),
        (row(&["HSET", &b(&ann), "fee", "300"]), "invariant 7: booking"),
        (
            row(&["ZREMRANGEBYRANK", "member:ann:fees", "0", "0"]),
            "invariant 7: member ann: the lines listed are not those the ledger has of them",
        ),
        (row(&["ZADD", "member:ann:fees", "7", "7"]), "invariant 7: member ann: the lines listed are not those"),
        (row(&["HDEL", &b(&ann), "fee_late_cancel"]), "does not explain a late_cancel charge"),
        (
            row(&[
                "XADD",
                "fees",
                "*",
                "kind",
                "charged",
                "booking",
                &ann,
                "member",
                "ann",
                "class",
                "k",
                "reason",
                "late_cancel",
                "amount",
                "300",
            ]),
            "is charged for late_cancel twice",
        ),
        (
            row(&[
                "XADD",
                "fees",
                "*",
                "kind",
                "waived",
                "booking",
                &ann,
                "member",
                "ann",
                "class",
                "k",
                "reason",
                "late_cancel",
                "amount",
                "300",
                "waives",
                "12345",
            ]),
            "which is no charge before it",
        ),
        (row(&["HSET", "member:clip", "clips", "-1"]), "invariant 7: member clip has -1 clips"),
        (row(&["HDEL", &b(&ann), "strike"]), "does not explain their strike"),
        (row(&["ZADD", "class:k:late", "1", &ben]), "is no late cancel that could be forgiven"),
        (row(&["SET", "class:k:extra", "1"]), "invariant 8: nothing is known of a key rc:{nord}:class:k:extra"),
        (row(&["SET", "lock", "1"]), "invariant 8: nothing is known of a key rc:{nord}:lock"),
        (row(&["LPUSH", "member:ben:strikes", "1"]), "invariant 8: key rc:{nord}:member:ben:strikes cannot be read"),
        (row(&["HSET", "org", "policy", "[]"]), "invariant 8: the policy cannot be read"),
        (row(&["DEL", "org"]), "invariant 8: has keys and was never created"),
    ]
}

#[tokio::test]
async fn every_kind_of_damage_is_named() {
    let house = furnished().await;
    house.is_sound().await;
    let sound = house.dump().await;
    let mut missed = Vec::new();
    for (words, expected) in damages(&house) {
        house.restore(&sound).await;
        let args: Vec<&str> = words[2..].iter().map(String::as_str).collect();
        let _: redis::Value = house.on(&words[0], &words[1], &args).await;
        let broken = house.store.check().await.expect("a check, whatever the data");
        if !broken.iter().any(|what| what.contains(expected) && what.starts_with("org nord: invariant ")) {
            missed.push(format!("{words:?}: no {expected:?} in {broken:#?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test]
async fn a_capacity_that_was_lowered_may_be_exceeded() {
    let house = House::open(json!({})).await;
    house.members("ann ben").await;
    house.class("k", json!({ "capacity": 2 })).await;
    house.all_book("ann ben", "k").await;
    house.change("k", json!({ "capacity": 1 })).await;
    house.is_sound().await;
}

#[tokio::test]
async fn members_above_a_limit_after_a_move_are_no_damage() {
    let house = House::open(json!({ "booking": { "daily_limit": 1 } })).await;
    house.members("ann").await;
    house.class("k", json!({})).await;
    house.class("l", json!({ "starts_at": "2026-03-06T17:00:00Z" })).await;
    house.all_book("ann", "k").await;
    house.all_book("ann", "l").await;
    house.change("l", json!({ "starts_at": "2026-03-05T17:30:00Z" })).await;
    house.is_sound().await;
}

#[tokio::test]
async fn keys_of_nobody_are_named() {
    let house = House::open(json!({})).await;
    let _: redis::Value = house.command(redis::cmd("SET").arg("rc:stray").arg(1)).await;
    let _: redis::Value = house.command(redis::cmd("SET").arg("rc:{sued}:org").arg(1)).await;
    let _: redis::Value = house.command(redis::cmd("SET").arg("somebody elses").arg(1)).await;
    let broken = house.store.check().await.unwrap();
    assert_eq!(broken.len(), 5, "{broken:#?}");
    for expected in [
        "key rc:stray",
        "org sued: invariant 8: has keys and is not among",
        "org sued: invariant 8: has keys and was never created",
    ] {
        assert!(broken.iter().any(|what| what.contains(expected)), "{expected} in {broken:#?}");
    }
}

#[tokio::test]
async fn one_organisation_is_checked_by_itself() {
    let house = House::open(json!({})).await;
    let south = house.beside("sued", json!({})).await;
    let _: i64 = south.on("SADD", "lock", &["1"]).await;
    assert_eq!(house.store.check_org(&house.org).await.unwrap(), Vec::<String>::new());
    assert_eq!(
        house.store.check_org(&south.org).await.unwrap(),
        ["org sued: invariant 8: nothing is known of a key rc:{sued}:lock"]
    );
    assert_eq!(house.store.check().await.unwrap().len(), 1);
    let nobody = "nobody".parse().unwrap();
    assert_eq!(house.store.check_org(&nobody).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_house_that_is_being_booked_is_not_called_broken() {
    let house = House::open(json!({})).await;
    house.class("k", json!({ "capacity": 20 })).await;
    let names: Vec<String> = (0..300).map(|n| format!("m{n}")).collect();
    house.members(&names.join(" ")).await;
    let booking = async {
        for name in &names {
            house.books(name, "k").await;
        }
    };
    let checking = async {
        for _ in 0..10 {
            house.is_sound().await;
        }
    };
    futures_util::future::join(booking, checking).await;
    house.is_sound().await;
}

fn check_program(url: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    let output = command.env_remove("ROLLCALL_REDIS_URL").args(["check", "--url", url]).output().expect("the program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn the_program_prints_each_broken_invariant_and_says_so_with_its_code() {
    let house = furnished().await;
    let read = "read 1 organisations, 6 members, 3 classes, 6 bookings and 23 events";
    assert_eq!(check_program(&house.url()), (Some(0), format!("{read}: ok\n"), String::new()));
    let _: i64 = house.on("HINCRBY", "class:k", &["booked", "1"]).await;
    let (code, out, _) = check_program(&house.url());
    assert_eq!(code, Some(1));
    assert!(out.lines().any(|line| line == "org nord: invariant 1: class k counts booked 2, roster has 1"), "{out}");
    let (broken, last) = out.trim_end().rsplit_once('\n').expect("more than a line");
    assert_eq!(last, format!("{read}: {} broken invariants", broken.lines().count()));
    assert!(broken.lines().all(|line| line.starts_with("org nord: invariant ")), "{out}");
    let (code, out, err) = check_program("unix:///nowhere/redis.sock");
    assert_eq!((code, out.as_str(), err.lines().count()), (Some(1), "", 1), "{err}");
    let (code, _, err) = check_program("http://example.com");
    assert_eq!((code, err.lines().count()), (Some(2), 1), "{err}");
}
