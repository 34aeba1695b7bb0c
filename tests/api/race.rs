//! Many callers at once, at several instances on one Redis: the last spot is never sold twice.

use std::collections::BTreeSet;
use std::future::Future;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::dump::every;
use crate::support::api::{Org, Person, Reply, World};
use crate::support::redis::Keeps;

const CALLERS: usize = 2_000;
const SPOTS: usize = 30;
/// `standard`'s.
const WAITLIST_MAX: usize = 20;
/// In flight at one time: as many as an ordinary limit of open files allows, client and service in one process.
const AT_ONCE: usize = 256;

async fn crowd(org: &Org, count: usize) -> Vec<Person> {
    let ids: Vec<String> = (0..count).map(|number| format!("m{number:04}")).collect();
    stream::iter(&ids).for_each_concurrent(AT_ONCE, async |id| drop(org.member(id).await)).await;
    ids.iter().map(|id| org.caller(id, "member")).collect()
}

/// Everybody does it, as many at once as can be; the answers come in the order of the crowd.
async fn all<F: Future<Output = Reply>>(crowd: &[Person], act: impl Fn(usize, &Person) -> F) -> Vec<Reply> {
    let calls: Vec<F> = crowd.iter().enumerate().map(|(number, person)| act(number, person)).collect();
    let mut done: Vec<(usize, Reply)> = stream::iter(calls.into_iter().enumerate())
        .map(|(number, call)| async move { (number, call.await) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, reply)| reply).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_of_two_thousand_get_a_spot_and_twenty_a_place_in_order() {
    let world = World::with(3, Keeps::Everything).await;
    let org = world.org("standard").await;
    let crowd = crowd(&org, CALLERS).await;
    let class = org.class(json!({ "id": "rush", "capacity": SPOTS })).await;

    let answers = all(&crowd, |number, person| person.books(&class).at(number % 3).send()).await;

    let became =
        |status: &str| answers.iter().filter(|reply| reply.status == 201 && reply.body["status"] == status).count();
    let refused = answers.iter().filter(|reply| reply.status == 409 && reply.body["code"] == "waitlist_full").count();
    assert_eq!(
        (became("booked"), became("waitlisted"), refused),
        (SPOTS, WAITLIST_MAX, CALLERS - SPOTS - WAITLIST_MAX)
    );
    assert_eq!(org.counts(&class).await, (SPOTS as u64, 0, WAITLIST_MAX as u64));

    // The queue stands in the order in which the places were given, and nobody has two.
    let roster = org.desk().roster(&class).await;
    let waiting = roster.at("/waitlist").as_array().unwrap();
    let joined = org.told(&class, "waitlist_joined").await;
    assert_eq!(waiting.len(), WAITLIST_MAX);
    for (index, (place, event)) in waiting.iter().zip(&joined).enumerate() {
        assert_eq!((&place["member"], &place["position"]), (&event["member"], &json!(index + 1)));
    }
    let on_the_list: BTreeSet<&str> = waiting
        .iter()
        .chain(roster.at("/bookings").as_array().unwrap())
        .map(|entry| entry["member"].as_str().unwrap())
        .collect();
    assert_eq!(on_the_list.len(), SPOTS + WAITLIST_MAX);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_call_sent_to_every_instance_at_once_is_carried_out_once() {
    let world = World::with(3, Keeps::Everything).await;
    let org = world.org("standard").await;
    let crowd = crowd(&org, 1).await;
    let ann = &crowd[0];
    let class = org.class(json!({})).await;
    let callers = vec![ann.clone(); 60];

    let without_key = all(&callers, |number, person| person.books(&class).at(number % 3).send()).await;
    assert_eq!(without_key.iter().filter(|reply| reply.status == 201).count(), 1);
    assert!(without_key.iter().all(|reply| reply.body["id"] == without_key[0].body["id"]));

    let booking = without_key[0].body["id"].as_str().unwrap();
    let with_key = all(&callers, |number, person| person.cancels(&booking).key("once").at(number % 3).send()).await;
    assert!(with_key.iter().all(|reply| (reply.status, &reply.body) == (200, &with_key[0].body)));
    assert_eq!(org.told(&class, "booking_cancelled").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spots_given_up_all_at_once_go_to_the_queue_in_order() {
    let world = World::with(3, Keeps::Everything).await;
    let org = world.org_under("standard", json!({ "waitlist": { "max": 50 } })).await;
    let crowd = crowd(&org, 100).await;
    let class = org.class(json!({ "capacity": 50 })).await;
    let mut bookings = Vec::new();
    for person in &crowd {
        bookings.push(person.books(&class).send().await.body["id"].as_str().unwrap().to_owned());
    }

    let cancelled = all(&crowd[..50], |number, person| person.cancels(&bookings[number]).at(number % 3).send()).await;

    assert!(cancelled.iter().all(|reply| reply.status == 200));
    assert_eq!(org.counts(&class).await, (50, 0, 0));
    let promoted: Vec<String> = org
        .told(&class, "booking_promoted")
        .await
        .iter()
        .map(|event| event["member"].as_str().unwrap().to_owned())
        .collect();
    let in_order: Vec<&str> = crowd[50..].iter().map(|person| person.sub.as_str()).collect();
    assert_eq!(promoted, in_order);
}

/// More than one call of the core promotes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_change_of_capacity_promotes_however_many_wait() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org_under("standard", json!({ "waitlist": { "max": 500 } })).await;
    let crowd = crowd(&org, 250).await;
    let full = org.full_class(json!({})).await;
    all(&crowd, |_, person| person.books(&full).send()).await;
    assert_eq!(org.counts(&full).await, (1, 0, 250));
    org.desk().changes(&full, json!({ "capacity": 300 })).await;
    assert_eq!(org.counts(&full).await, (251, 49, 0));
    let promoted = org.told(&full, "booking_promoted").await;
    let joined = org.told(&full, "waitlist_joined").await;
    let members = |told: &[Value]| told.iter().map(|line| line["member"].clone()).collect::<Vec<_>>();
    assert_eq!(members(&promoted), members(&joined));
}

/// More than one call of the core carries out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setting_the_clock_carries_out_however_much_is_due() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ids: Vec<usize> = (0..120).collect();
    stream::iter(&ids).for_each_concurrent(AT_ONCE, async |_| drop(org.class(json!({})).await)).await;
    world.sets_clock("2026-03-03T13:00:00Z").await;
    let due = world.redis().tells(&format!("ZCOUNT rc:{{{}}}:timers -inf 1772542800000", org.id));
    assert_eq!(due, ":0\r\n");
    let classes = every(&org.desk(), "/v1/classes").await;
    assert!(classes.len() == 120 && classes.iter().all(|class| class["status"] == "finished"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_falls_due_is_carried_out_once_by_however_many_instances() {
    let world = World::with(3, Keeps::Everything).await;
    let org = world.org_under("standard", json!({ "waitlist": { "mode": "offer" } })).await;
    let crowd = crowd(&org, 10).await;
    let mut classes = Vec::new();
    for hour in 8..18 {
        classes.push(org.full_class(json!({ "starts_at": format!("2026-03-03T{hour:02}:00:00Z") })).await);
    }
    for (person, class) in crowd.iter().zip(&classes) {
        person.queues_for(class).await;
        class.frees().await;
    }
    world.sets_clock("2026-03-03T18:30:00Z").await;
    all(&crowd, |number, person| person.get("/v1/classes").at(number % 3).send()).await;
    let events = every(&org.desk(), "/v1/events?").await;
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((count("offer_lapsed"), count("class_started"), count("class_finished")), (10, 10, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ticker_tells_what_falls_due_while_nobody_calls() {
    let world = World::with(3, Keeps::Everything).await;
    world.deletes_clock().await;
    let org = world.org("standard").await;
    let soon = chrono::Utc::now() + chrono::TimeDelta::milliseconds(2_500);
    let class = org.class(json!({ "starts_at": soon.to_rfc3339(), "minutes": 1 })).await;
    let key = format!("XLEN rc:{{{}}}:events", org.id);
    let before = world.redis().tells(&key);
    while world.redis().tells(&key) == before {
        let late = chrono::Utc::now() - soon;
        // Within a second, and one more for a machine that is busy with other tests.
        assert!(late.num_milliseconds() < 2_000, "nothing was told within a second of its instant");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(org.told(&class, "class_started").await.len(), 1);
}
