//! Large states: whatever one change concerns, a call looks at a bounded number of things and leaves the rest, so that no
//! organisation keeps Redis from the others. What a thing costs in time, `loadtest hostile` shows.

use futures_util::future::join_all;
use rollcall::store::library::BUDGET;
use serde_json::{Value, json};

use crate::house::{House, ms, policy};
use crate::said::Said;

/// What a call may look at beyond the budget: the piece of work during which it was spent, and reading who is called for.
const PIECE_MAX: u32 = 120;

/// So many calls under way at once while a large state is made.
const AT_ONCE: usize = 200;

/// A call and its rest: what it answers in the end, how many calls that took, and the most that one of them looked at.
struct Done {
    said: Said,
    calls: u32,
    most: u32,
}

/// Calls until there is an answer, as the store does.
async fn finishes(house: &House, function: &str, args: &[&str], now: &str) -> Done {
    let command = format!("large {function} {args:?}");
    let (mut calls, mut most) = (0, 0);
    loop {
        let said = house.asks(&command, "as it was", now, function, args).await.expect("an answer");
        (calls, most) = (calls + 1, most.max(said.spent));
        match said.tag.as_str() {
            "AGAIN" | "BEGUN" => {}
            "ASK" => answers(house, &said).await,
            _ => return Done { said, calls, most },
        }
    }
}

/// What the service does where a function asks for terms: here they have a limit more.
async fn answers(house: &House, asked: &Said) {
    let ids = (6 + 1..asked.payload.len()).step_by(2);
    let fields = json!({ "daily_limit": "1" });
    let terms: Vec<Value> = ids
        .map(|at| {
            let class = asked.record(at + 1);
            json!([asked.text(at), class["revision"].parse::<u64>().expect("a revision"), fields])
        })
        .collect();
    let place: Vec<String> = (2..7).map(|at| asked.text(at)).collect();
    let terms = Value::from(terms).to_string();
    let mut args: Vec<&str> = place.iter().map(String::as_str).collect();
    args.push(&terms);
    house.asks("-", "-", "", "put_terms", &args).await.expect("an answer");
}

#[allow(clippy::print_stdout, reason = "how many calls a large change takes is worth seeing")]
fn is_bounded(what: &str, done: &Done, calls_min: u32) {
    println!("{what}: {} calls, at most {} things in one", done.calls, done.most);
    assert!(done.most <= BUDGET + PIECE_MAX, "{what}: one call looked at {} things", done.most);
    assert!(done.calls >= calls_min, "{what}: {} calls for all of it", done.calls);
}

/// Does the same for many, so many at a time.
async fn each<T>(items: &[T], one: impl AsyncFn(&T)) {
    for some in items.chunks(AT_ONCE) {
        join_all(some.iter().map(|item| one(item))).await;
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("m{n:04}")).collect()
}

async fn are_members(house: &House, names: &[String]) {
    each(names, async |name| house.member(name, json!({})).await).await;
}

async fn all_book(house: &House, names: &[String], class: &str) {
    each(names, async |name| {
        let (command, id) = (format!("{name} {class}"), format!("{name}-{class}"));
        let args = [class, name, id.as_str(), "1", "1"];
        let said = house.asks(&command, "-", "", "book", &args).await.expect("an answer");
        assert!(["BOOKED", "WAITLISTED"].contains(&said.tag.as_str()), "{said:?}");
    })
    .await;
}

/// A class of 1 200 that is full, with 500 who wait.
async fn full(patch: Value) -> House {
    let mut policy = json!({ "waitlist": { "max": 500 }, "booking": { "daily_limit": null } });
    crate::house::merge(&mut policy, &patch);
    let house = House::open(policy).await;
    let names = names(1_700);
    are_members(&house, &names).await;
    house.class("k", json!({ "capacity": 1_200 })).await;
    all_book(&house, &names[..1_200], "k").await;
    all_book(&house, &names[1_200..], "k").await;
    house
}

#[tokio::test]
async fn a_full_class_is_moved_enlarged_and_called_off_in_bites() {
    let house = full(json!({})).await;
    let begin = house.field("class:k", "starts").await.parse::<i64>().expect("an instant");
    let later = (begin + 3_600_000).to_string();
    let until = (begin + 7_200_000).to_string();
    let moved = finishes(&house, "change_class", &["k", "1", "", "starts", &later, "ends", &until], "").await;
    is_bounded("moving 1 700", &moved, 10);
    let enlarged = finishes(&house, "change_class", &["k", "2", "", "capacity", "1700"], "").await;
    is_bounded("promoting 500", &enlarged, 10);
    assert_eq!((enlarged.said.field("booked").as_str(), enlarged.said.field("waiting").as_str()), ("1700", "0"));
    house.is_sound().await;
    let off = finishes(&house, "cancel_class", &["k", "flooded"], "").await;
    is_bounded("calling off 1 700", &off, 20);
    assert_eq!((off.said.field("booked").as_str(), off.said.field("status").as_str()), ("0", "cancelled"));
    house.is_sound().await;
}

#[tokio::test]
async fn check_in_closes_in_bites() {
    let house = full(json!({ "attendance": { "untouched_roster": "penalise", "no_show_fee": 500 } })).await;
    let closed = finishes(&house, "carry_out", &[], &ms("2026-03-05T17:10:00Z").to_string()).await;
    is_bounded("closing 1 700", &closed, 20);
    assert_eq!(house.number("class:k", "no_shows").await, 1_200);
    assert_eq!(house.number("class:k", "waiting").await, 0);
    house.is_sound().await;
}

#[tokio::test]
async fn a_member_who_waits_in_many_crowded_classes_costs_what_concerns_them() {
    let house = House::open(json!({
        "waitlist": { "max": 500 }, "booking": { "daily_limit": null, "allow_overlap": true },
    }))
    .await;
    let names = names(81);
    are_members(&house, &names).await;
    let classes: Vec<String> = (0..30).map(|n| format!("k{n:02}")).collect();
    for class in &classes {
        house.class(class, json!({ "capacity": 1 })).await;
        all_book(&house, &names[..1], class).await;
        all_book(&house, &names[1..], class).await;
    }
    each(&names[1..], async |name| house.member(name, json!({ "status": "blocked" })).await).await;
    for class in &classes {
        let off = finishes(&house, "cancel", &[&format!("m0000-{class}"), "m0000", "", ""], "").await;
        is_bounded("passing over 80", &off, 1);
    }
    house.is_sound().await;
    // Nobody else can have become able to take a spot.
    let changed = house.asks("rename", "-", "", "put_member", &person("m0001", "Ann")).await.expect("an answer");
    assert!(changed.tag == "MEMBER" && changed.spent <= 120, "{} things for one member", changed.spent);
    house.is_sound().await;
}

fn person<'a>(id: &'a str, name: &'a str) -> Vec<&'a str> {
    let membership = ["plan", "unlimited", "status", "blocked", "clips", "", "clips_revision", "", "clubs", "all"];
    let rest = ["categories", "all", "frozen", "[]", "index", "[]"];
    [id, "name", name].into_iter().chain(membership).chain(rest).collect()
}

#[tokio::test]
async fn a_policy_reaches_a_thousand_classes_in_bites_and_they_open_in_bites() {
    let house = House::open(json!({})).await;
    let classes: Vec<String> = (0..1_000).map(|n| format!("k{n:03}")).collect();
    each(&classes, async |id| house.class(id, json!({ "starts_at": "2026-03-20T17:00:00Z" })).await).await;
    let text = policy(&json!({ "booking": { "daily_limit": 1 } })).to_json().to_string();
    let put = finishes(&house, "put_org", &["", "Europe/Copenhagen", "EUR", &text, "", "", "", "", ""], "").await;
    is_bounded("new terms for 1 000", &put, 20);
    assert_eq!(house.field("class:k999", "daily_limit").await, "1");
    house.is_sound().await;
    let opened = finishes(&house, "carry_out", &[], &ms("2026-03-13T17:00:00Z").to_string()).await;
    is_bounded("opening 1 000", &opened, 10);
    assert_eq!(house.field("class:k999", "status").await, "open");
    house.is_sound().await;
}

#[tokio::test]
async fn a_member_with_many_places_leaves_them_in_bites() {
    let house = House::open(json!({ "booking": { "daily_limit": null, "allow_overlap": true } })).await;
    are_members(&house, &names(2)).await;
    for n in 0..100 {
        let class = format!("k{n:02}");
        house.class(&class, json!({ "capacity": 1 })).await;
        all_book(&house, &names(1), &class).await;
        all_book(&house, &names(2)[1..], &class).await;
    }
    let erased = finishes(&house, "erase_member", &["m0000"], "").await;
    is_bounded("erasing a member with 100 places", &erased, 5);
    assert_eq!((house.number("class:k00", "booked").await, house.number("class:k99", "booked").await), (1, 0));
    house.is_sound().await;
}

#[tokio::test]
async fn a_club_is_closed_in_bites_and_nobody_else_waits() {
    let house = House::open(json!({ "booking": { "daily_limit": null, "allow_overlap": true } })).await;
    let names = names(40);
    are_members(&house, &names).await;
    // Three hundred classes in five days, of which a crowd is booked into some; the days around them stay.
    let classes: Vec<String> = (0..300).map(|n| format!("k{n:03}")).collect();
    let at = |n: usize| format!("2026-03-{:02}T{:02}:00:00Z", 4 + n % 5, 8 + n / 5 % 12);
    let numbers: Vec<usize> = (0..300).collect();
    each(&numbers, async |n| house.class(&classes[*n], json!({ "capacity": 30, "starts_at": at(*n) })).await).await;
    for class in &classes[..20] {
        all_book(&house, &names, class).await;
    }
    let (low, high) = (ms("2026-03-03T22:00:00Z").to_string(), ms("2026-03-09T00:00:00Z").to_string());
    let args = ["city", "spring", "2026-03-05", "2026-03-07", "flooded", &low, &high];
    let closed = finishes(&house, "put_closure", &args, "").await;
    is_bounded("closing 180 classes with 480 places", &closed, 20);
    assert_eq!((closed.said.tag.as_str(), closed.said.text(0).as_str()), ("CLOSED", "1"));
    for (n, class) in classes.iter().enumerate() {
        let held = if (1..4).contains(&(n % 5)) { "cancelled" } else { "open" };
        assert_eq!(house.field(&format!("class:{class}"), "status").await, held, "{class} at {}", at(n));
    }
    assert_eq!((house.number("class:k001", "booked").await, house.number("class:k000", "booked").await), (0, 30));
    house.is_sound().await;
    assert_eq!(house.call("put_closure", &args).await.text(0), "", "it was there");
}
