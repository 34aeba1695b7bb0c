//! Coming back: with what was held, to the same instance or another, after breaks on either side of the service.

use serde_json::json;

use crate::screen::{End, Screen};
use crate::support::api::{Named, World};
use crate::support::redis::Keeps;

#[tokio::test]
async fn whoever_comes_back_gets_exactly_the_patches_they_missed() {
    let world = World::with(2, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let port = world.services()[1].port;
    let screen = Screen::of(&world, 1, &ann, &["me"]).await;
    let Screen { epoch, held, .. } = screen;
    let have = held["me"].0;

    let classes = [org.class(json!({})).await, org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await];
    for class in &classes {
        ann.books(class).at(0).await;
    }
    let mut back = Screen::connects(port).await;
    back.held = held;
    back.says_hello(&ann, &epoch, json!({ "me": have })).await;
    // The last of them may still be under way to this instance.
    back.until(|screen| screen.doc("me")["bookings"].as_object().unwrap().len() == 2).await;
    let patches: Vec<_> = back.frames.iter().filter(|frame| frame["op"] == "patch").collect();
    assert_eq!(patches.len(), 2, "{patches:?}");
    assert!(patches.iter().all(|patch| patch["from"] != 0 && patch["event"] == "booking_confirmed"), "{patches:?}");
}

#[tokio::test]
async fn whoever_missed_nothing_gets_nothing() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let topic = format!("class:{}", class.id());
    let mut screen = Screen::of(&world, 0, &ann, &[&topic]).await;
    let have = screen.have(&topic);
    org.class(json!({})).await;
    screen.frames.clear();
    let answer = screen.subscribes(json!({ &topic: have, "me": 0 })).await;
    assert_eq!(answer["topics"][&topic], have);
    screen.hears("patch").await;
    assert!(screen.frames.iter().all(|frame| frame["topic"] != topic.as_str()), "{:?}", screen.frames);
}

#[tokio::test]
async fn a_version_nobody_gave_is_replaced() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let mut screen = Screen::of(&world, 0, &ann, &["me"]).await;
    for odd in [1, 1_000_000] {
        screen.subscribes(json!({ "me": odd })).await;
        assert_eq!(screen.hears("patch").await["from"], 0);
    }
}

#[tokio::test]
async fn a_redis_that_failed_over_is_a_new_epoch_and_costs_nobody_their_socket() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let mut screen = Screen::of(&world, 0, &ann, &["me"]).await;
    let (epoch, have) = (screen.epoch.clone(), screen.have("me"));
    screen.frames.clear();
    fails_over(&world).await;
    assert_eq!(screen.hears("patch").await["from"], 0);

    let booking = ann.books(&class).await;
    screen.hears_of("me", "booking_confirmed").await;
    assert_eq!(screen.doc("me")["bookings"][booking.id()]["status"], "booked");
    let mut back = Screen::connects(world.services()[0].port).await;
    let welcome = back.says_hello(&ann, &epoch, json!({ "me": have })).await;
    assert_ne!(welcome["epoch"], epoch.as_str());
    assert_eq!(back.hears("patch").await["from"], 0);
}

#[tokio::test]
async fn a_tail_that_breaks_goes_on_where_it_was() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let mut screen = Screen::of(&world, 0, &ann, &["me"]).await;
    for day in 3..9 {
        let class = org.class(json!({ "starts_at": format!("2026-03-0{day}T12:00:00Z") })).await;
        redis(&world, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
        let booking = until_answered(|| ann.books(&class)).await;
        screen.hears_of("me", "booking_confirmed").await;
        assert_eq!(screen.doc("me")["bookings"][booking]["status"], "booked");
    }
    assert_eq!(screen.frames.iter().filter(|frame| frame["from"] == 0).count(), 1, "{:#?}", screen.frames);
}

#[tokio::test]
async fn a_stream_that_was_trimmed_under_the_tail_is_seen_and_healed() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let topic = format!("class:{}", class.id());
    let mut screen = Screen::of(&world, 0, &ann, &["me", &topic]).await;
    screen.frames.clear();
    org.member("ben").await;
    screen.hears_nothing_for(300).await;
    books_and_trims(&world, &org.id, &class.id(), "ben").await;
    screen.until(|screen| screen.doc(&topic)["booked"] == 1).await;

    ann.books(&class).await;
    screen.until(|screen| screen.doc(&topic)["booked"] == 2).await;
    screen.until(|screen| screen.doc("me")["bookings"].as_object().is_some_and(|all| all.len() == 1)).await;
}

#[tokio::test]
async fn who_listens_to_what_is_lost_is_told_to_come_back() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let mut screen = Screen::of(&world, 0, &ann, &["me"]).await;
    redis(&world, &["FLUSHALL"]).await;
    assert_eq!(screen.ends().await, End::Closed(4000));
    let mut back = Screen::connects(world.services()[0].port).await;
    back.sends(json!({ "op": "hello", "token": ann.token(), "topics": { "me": 1 } })).await;
    assert_eq!(back.ends().await, End::Closed(4103), "there is no such organisation any more");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_passed_over_with_what_came_before_it() {
    let world = World::with(2, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let mut screen = Screen::of(&world, 0, &ann, &["me"]).await;
    // Both in one step, so that a tail takes them at once.
    let prefix = format!("rc:{{{}}}:", org.id);
    let strange = "local n = redis.call('HINCRBY', KEYS[1], 'changes', 1)
        redis.call('XADD', KEYS[2], redis.call('HGET', KEYS[1], 'ms') .. '-' .. n, 'from', 'elsewhere')";
    let mut steps = books(&org.id, &class.id(), "ann");
    steps.cmd("EVAL").arg(strange).arg(2).arg(format!("{prefix}org")).arg(format!("{prefix}events"));
    at_once(&world, &steps).await;
    screen.until(|screen| screen.doc("me")["bookings"].as_object().is_some_and(|all| all.len() == 1)).await;

    let next = org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
    ann.books(&next).at(1).await;
    screen.hears_of("me", "booking_confirmed").await;
    // Nor can it be read by the world's own check.
    redis(&world, &["XTRIM", &format!("{prefix}events"), "MAXLEN", "1"]).await;
}

/// In one step for everybody else: the booking's event is gone before a tail could read it.
async fn books_and_trims(world: &World, org: &str, class: &str, member: &str) {
    let mut steps = books(org, class, member);
    steps.cmd("XTRIM").arg(format!("rc:{{{org}}}:events")).arg("MAXLEN").arg(0);
    at_once(world, &steps).await;
}

/// A booking as the service makes it, for more to be done in the same step.
fn books(org: &str, class: &str, member: &str) -> redis::Pipeline {
    let library = rollcall::store::library::Library::default();
    let mut steps = redis::pipe();
    steps.atomic().cmd("FCALL").arg(library.function("book")).arg(1).arg(format!("rc:{{{org}}}:org"));
    steps.arg(&["", "desk", "staff", "a-command", "", "60000", class, member, "a-booking", "1", "1"]);
    steps
}

async fn at_once(world: &World, steps: &redis::Pipeline) {
    let client = redis::Client::open(world.redis().url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let _: redis::Value = steps.query_async(&mut connection).await.unwrap();
}

/// A command to the world's own Redis, past the service.
pub async fn redis(world: &World, words: &[&str]) {
    let client = redis::Client::open(world.redis().url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    let _: redis::Value = command.query_async(&mut connection).await.unwrap();
}

/// The primary becomes a replica of nobody who answers, and a primary again: as after a failover, under another id.
pub async fn fails_over(world: &World) {
    redis(world, &["REPLICAOF", "127.0.0.1", "1"]).await;
    redis(world, &["REPLICAOF", "NO", "ONE"]).await;
}

/// Repeats a call until it is answered, as a client does whose connection broke; the id of what it answered.
pub async fn until_answered(call: impl Fn() -> crate::support::api::Call) -> String {
    loop {
        let reply = call().send().await;
        if reply.status < 300 {
            return reply.body["id"].as_str().unwrap_or_default().to_owned();
        }
        assert_eq!(reply.status, 503, "{reply:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
