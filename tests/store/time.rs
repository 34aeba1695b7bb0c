//! Time: passed, set, going back, running again; and what is due is done before anything else.

use serde_json::json;

use crate::house::{BEGIN, House, STARTS, ms};

#[tokio::test]
async fn an_instant_that_is_passed_is_used_as_given() {
    let house = House::open(json!({})).await;
    house.class("later", json!({ "starts_at": "2026-03-12T17:00:00Z" })).await;
    house.members("ann").await;
    let opens = ms("2026-03-05T17:00:00Z");
    for (now, code) in [(opens - 1, "not_open"), (ms(BEGIN), "not_open")] {
        let said = house.tries_as("-", "-", &now.to_string(), "book", &["later", "ann", "one", "1", ""]).await.unwrap();
        assert_eq!(said.code(), code);
    }
    let said = house.tries_as("-", "-", &opens.to_string(), "book", &["later", "ann", "one", "1", ""]).await.unwrap();
    assert_eq!((said.tag.as_str(), said.field("created_at")), ("BOOKED", opens.to_string()));
    // The clock has not moved.
    assert_eq!(house.call("read_org", &[]).await.text(2), ms(BEGIN).to_string());
    house.is_sound().await;
}

#[tokio::test]
async fn a_clock_that_is_set_stands_still_until_it_runs_again() {
    let house = House::open(json!({})).await;
    let now = async || house.call("read_org", &[]).await.text(2).parse::<i64>().unwrap();
    house.at("2031-05-05T05:05:05Z").await;
    assert_eq!(now().await, ms("2031-05-05T05:05:05Z"));
    house.at("2001-05-05T05:05:05.007Z").await;
    assert_eq!(now().await, ms("2001-05-05T05:05:05.007Z"));
    let by = rollcall::domain::caller::By { sub: "tester".to_owned(), role: "operator".to_owned() };
    house.store.set_clock(&by, None).await.unwrap();
    let (seconds, _): (i64, i64) = house.command(&redis::cmd("TIME")).await;
    assert!((now().await - seconds * 1000).abs() < 5_000, "{}", now().await);
    // A time that was read, and not passed, never goes back.
    let _: i64 = house.on("HSET", "org", &["time", "4102444800000"]).await;
    assert_eq!(now().await, 4_102_444_800_000);
    house.has_heard_all("read_org", "");
}

#[tokio::test]
async fn the_streams_time_never_goes_back_and_decides_nothing() {
    let house = House::open(json!({})).await;
    house.at("2026-03-04T08:00:00Z").await;
    house.members("ann").await;
    house.at(BEGIN).await;
    let before = house.cursor().await;
    house.members("ben").await;
    let lines = house.lines_since(&before).await;
    assert_eq!(
        lines[0].0,
        format!(
            "{}-{}",
            ms("2026-03-04T08:00:00Z"),
            before.split('-').next_back().unwrap().parse::<u64>().unwrap() + 1
        )
    );
    assert_eq!(lines[0].1["at"], ms(BEGIN));
    house.is_sound().await;
}

#[tokio::test]
async fn what_is_due_is_done_first_each_at_its_own_instant() {
    let house = House::open(json!({ "waitlist": { "mode": "offer", "offer_for": "PT1H" } })).await;
    house.members("ann ben cay").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.class("later", json!({ "starts_at": "2026-03-12T17:00:00Z" })).await;
    house.all_book("ann ben cay", "k").await;
    house.cancels("ann", "k").await;
    // No ticker has run since: one call at Thursday 18:30 sees all of it.
    let before = house.cursor().await;
    let now = ms("2026-03-05T17:30:00Z").to_string();
    let said = house.tries_as("-", "-", &now, "read_class", &["k", ""]).await.unwrap();
    assert_eq!(said.record(1)["booked"], "0");
    let lines = house.lines_since(&before).await;
    let told: Vec<(String, i64)> = lines
        .iter()
        .map(|(_, line)| (line["event"].as_str().unwrap().to_owned(), line["at"].as_i64().unwrap()))
        .collect();
    let at = |text: &str| ms(text);
    // What the offer that ran out left free is offered with the caller's now, and that is past promotion.
    for expected in [
        ("offer_lapsed", at("2026-03-02T09:00:00Z")),
        ("class_opened", at("2026-03-05T17:00:00Z")),
        ("class_started", at(STARTS)),
    ] {
        assert!(told.contains(&(expected.0.to_owned(), expected.1)), "{expected:?} in {told:?}");
    }
    let mut sorted = told.clone();
    sorted.sort_by_key(|(_, at)| *at);
    assert_eq!(told, sorted);
    assert!(lines.iter().all(|(_, line)| line["sub"] == "rollcall" && line["role"] == "system"));
    house.is_sound().await;
}

#[tokio::test]
async fn a_freed_spot_is_offered_with_the_callers_now() {
    let house = House::open(json!({ "waitlist": { "mode": "offer", "offer_for": "PT1H" } })).await;
    house.members("ann ben cay").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben cay", "k").await;
    house.cancels("ann", "k").await;
    let now = ms("2026-03-03T12:00:00Z");
    house.tries_as("-", "-", &now.to_string(), "carry_out", &[]).await.unwrap();
    assert_eq!(house.statuses("ben cay", "k").await, "lapsed offered");
    assert_eq!(house.number(&format!("booking:{}", house.id("cay", "k")), "offer_expires_at").await, now + 3_600_000);
    house.is_sound().await;
}

#[tokio::test]
async fn quiet_hours_hold_a_spot_for_the_queue() {
    let quiet = json!({ "from": "22:00", "until": "07:00" });
    let house = House::open(json!({ "waitlist": { "mode": "offer", "offer_for": "PT1H", "quiet": quiet } })).await;
    house.members("ann ben cay dan").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben cay", "k").await;
    house.at("2026-03-03T21:00:00Z").await;
    house.cancels("ann", "k").await;
    assert_eq!(house.statuses("ben cay", "k").await, "waitlisted waitlisted");
    assert_eq!(
        (house.number("class:k", "reserved").await, house.books("dan", "k").await.tag.as_str()),
        (1, "WAITLISTED")
    );
    let next = house.call("carry_out", &[]).await.due;
    assert_eq!(next, ms("2026-03-04T06:00:00Z").to_string());
    house.at("2026-03-04T05:59:59.999Z").await;
    assert_eq!(house.status("ben", "k").await, "waitlisted");
    house.at("2026-03-04T06:00:00Z").await;
    assert_eq!(house.statuses("ben cay", "k").await, "offered waitlisted");
    // An offer's clock stands still in quiet hours: half an hour before, half an hour after.
    house.at("2026-03-04T20:30:00Z").await;
    let said = house.call("read_booking", &[&house.id("cay", "k"), ""]).await;
    assert_eq!(
        (said.field("status").as_str(), said.field("offer_expires_at")),
        ("offered", ms("2026-03-05T06:30:00Z").to_string())
    );
    house.is_sound().await;
}

#[tokio::test]
async fn a_reservation_that_goes_is_announced() {
    let quiet = json!({ "from": "22:00", "until": "07:00" });
    let house = House::open(json!({ "waitlist": { "mode": "offer", "quiet": quiet } })).await;
    house.members("ann ben").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben", "k").await;
    house.at("2026-03-03T21:00:00Z").await;
    house.cancels("ann", "k").await;
    house.member("ben", json!({ "status": "blocked" })).await;
    assert_eq!(house.number("class:k", "reserved").await, 0);
    house.is_sound().await;
}

#[tokio::test]
async fn organisations_know_nothing_of_each_other_but_the_clock() {
    let house = House::open(json!({})).await;
    let south = house.beside("sued", json!({ "booking": { "daily_limit": 1 } })).await;
    for chain in [&house, &south] {
        chain.class("k", json!({ "capacity": 1 })).await;
        chain.members("ann ben").await;
    }
    house.all_book("ann ben", "k").await;
    assert_eq!(south.books("ben", "k").await.tag, "BOOKED");
    let before = south.cursor().await;
    house.cancels("ann", "k").await;
    assert_eq!(south.cursor().await, before);
    assert_eq!((house.status("ben", "k").await.as_str(), south.number("class:k", "booked").await), ("booked", 1));
    house.at(STARTS).await;
    for chain in [&house, &south] {
        assert_eq!(chain.call("read_org", &[]).await.text(2), ms(STARTS).to_string());
        assert!(chain.events_since("0-0").await.contains(&"class_started".to_owned()));
    }
    // The same command in another organisation is another command.
    let one = house.tries_as("key", "same", "", "put_club", &["x", "X"]).await.unwrap();
    let other = south.tries_as("key", "other", "", "put_club", &["x", "X"]).await.unwrap();
    assert_eq!((one.tag, other.tag), ("CLUB".to_owned(), "CLUB".to_owned()));
    house.is_sound().await;
}

#[tokio::test]
async fn a_refused_call_carries_out_what_is_due_and_nothing_else() {
    let house = House::open(json!({ "waitlist": { "mode": "offer", "offer_for": "PT1H" } })).await;
    house.members("ann ben cay dan").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben cay", "k").await;
    house.cancels("ann", "k").await;
    let begin = house.dump().await;
    let later = ms("2026-03-02T09:00:00Z").to_string();
    house.tries_as("-", "-", &later, "carry_out", &[]).await.unwrap();
    let settled = house.sight().await;
    for (function, args) in [
        ("book", ["k", "dan", "new", "", ""].as_slice()),
        ("accept", &["nothing", "ann"]),
        ("cancel_class", &["nowhere", "flooded"]),
        ("publish_class", &["k", "1"]),
        ("change_class", &["k", "7", "", "title", "Spin"]),
    ] {
        house.restore(&begin).await;
        let said = house.tries_as("-", "-", &later, function, args).await.unwrap();
        assert!(said.tag == "REFUSED" || said.tag == "RETRY", "{function}: {said:?}");
        crate::underneath::assert_same(&settled, &house.sight().await, function);
    }
}
