//! Every bound of a socket, at it and one past it. Instances with small bounds stand beside the world's own.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rollcall::push::hub::Limits;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::counted::counted;
use crate::resuming::redis;
use crate::screen::{End, Screen};
use crate::support::api::{Named, Person, World};
use crate::support::redis::Keeps;
use crate::support::service::Service;

const HELLO_BYTES_MAX: usize = 24 * 1024;

async fn world() -> World {
    World::with(1, Keeps::Nothing).await
}

/// A hello that is so many bytes long.
fn padded_hello(person: &Person, bytes: usize) -> String {
    let hello = |pad: &str| json!({ "op": "hello", "token": person.token(), "pad": pad }).to_string();
    hello(&"x".repeat(bytes - hello("").len()))
}

/// A text in parts of so many bytes.
async fn sends_in_parts(screen: &mut Screen, text: &str, bytes: usize) {
    let parts = text.as_bytes().chunks(bytes).collect::<Vec<_>>();
    for (number, part) in parts.iter().enumerate() {
        let code = OpCode::Data(if number == 0 { Data::Text } else { Data::Continue });
        let frame = Frame::message(part.to_vec(), code, number + 1 == parts.len());
        screen.sends_raw(Message::Frame(frame)).await;
        // Control frames may come in between.
        screen.sends_raw(Message::Ping(vec![1].into())).await;
    }
}

#[tokio::test]
async fn a_hello_may_be_so_long_whole_or_in_parts_and_no_longer() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let port = world.services()[0].port;
    for part in [HELLO_BYTES_MAX, 5_000, 1_000] {
        let mut screen = Screen::connects(port).await;
        sends_in_parts(&mut screen, &padded_hello(&ann, HELLO_BYTES_MAX), part).await;
        screen.hears("welcome").await;
        let mut screen = Screen::connects(port).await;
        sends_in_parts(&mut screen, &padded_hello(&ann, HELLO_BYTES_MAX + 1), part.min(HELLO_BYTES_MAX)).await;
        assert_eq!(screen.ends().await, End::Closed(4100), "in parts of {part}");
    }
}

#[tokio::test]
async fn later_messages_in_parts_may_be_as_long_as_whole_ones() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let padded = |bytes: usize| {
        let frame = |pad: &str| json!({ "op": "subscribe", "id": 1, "topics": {}, "pad": pad }).to_string();
        frame(&"x".repeat(bytes - frame("").len()))
    };
    let mut screen = Screen::of(&world, 0, &ann, &[]).await;
    sends_in_parts(&mut screen, &padded(4 * 1024), 1_500).await;
    screen.hears("subscribed").await;
    sends_in_parts(&mut screen, &padded(4 * 1024 + 1), 1_500).await;
    assert_eq!(screen.ends().await, End::Closed(4100));

    let mut screen = Screen::of(&world, 0, &ann, &[]).await;
    let start = Frame::message(b"{\"op\":\"po\xff".to_vec(), OpCode::Data(Data::Text), false);
    screen.sends_raw(Message::Frame(start)).await;
    screen.sends_raw(Message::Frame(Frame::message(b"ng\"}".to_vec(), OpCode::Data(Data::Continue), true))).await;
    assert_eq!(screen.ends().await, End::Closed(4100), "parts that are no text together");

    let mut screen = Screen::of(&world, 0, &ann, &[]).await;
    let binary = Frame::message(b"{}".to_vec(), OpCode::Data(Data::Binary), false);
    screen.sends_raw(Message::Frame(binary)).await;
    assert_eq!(screen.ends().await, End::Closed(4100), "parts that are binary");
}

#[tokio::test]
async fn a_client_may_send_its_burst_of_frames_and_no_more() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let service = Service::within(world.redis(), Limits { frames_per_s: 0, frames_burst: 4, ..Limits::default() });
    let mut screen = Screen::connects(service.port).await;
    screen.says_hello(&ann, "", json!({})).await;
    for _ in 0..3 {
        screen.subscribes(json!({ "me": 0 })).await;
    }
    screen.sends(json!({ "op": "pong" })).await;
    assert_eq!(screen.ends().await, End::Closed(4005));
}

#[tokio::test]
async fn a_connection_may_listen_to_so_many_topics_and_ask_for_each_again() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let mut days = Vec::new();
    for day in 3..9 {
        days.push(format!("day:main:2026-03-0{day}"));
    }
    let service = Service::within(world.redis(), Limits { topics_max: 4, ..Limits::default() });
    let mut screen = Screen::connects(service.port).await;
    let welcome = screen.says_hello(&ann, "", json!({})).await;
    assert_eq!(welcome["topics_max"], 4);
    // All at once, so that none is listened to yet when the others are asked for.
    for pair in days.chunks(2) {
        screen.sends(json!({ "op": "subscribe", "id": 1, "topics": { &pair[0]: 0, &pair[1]: 0 } })).await;
    }
    let mut given = 0;
    for _ in 0..3 {
        given += screen.hears("subscribed").await["topics"].as_object().unwrap().len();
    }
    assert_eq!(given, 4);
    let (listened, refused): (Vec<_>, Vec<_>) = days.iter().partition(|day| screen.held.contains_key(*day));
    assert_eq!((listened.len(), refused.len()), (4, 2));

    // A gap is healed by asking again, also by a connection that listens to all it may.
    let again = screen.subscribes(json!({ listened[0]: 0 })).await;
    assert!(again["topics"].as_object().unwrap().contains_key(listened[0]), "{again}");
    screen.subscribes(json!({ refused[0]: 0 })).await;
    assert_eq!(screen.hears("error").await["code"], "too_many_topics");
    screen.sends(json!({ "op": "unsubscribe", "id": 2, "topics": [listened[0]] })).await;
    screen.hears("unsubscribed").await;
    let now = screen.subscribes(json!({ refused[0]: 0 })).await;
    assert!(now["topics"].as_object().unwrap().contains_key(refused[0]), "{now}");
}

#[tokio::test]
async fn a_member_may_have_so_many_connections_and_an_address_any_number() {
    let world = world().await;
    let org = world.org("standard").await;
    let (ann, ben) = (org.member("ann").await, org.member("ben").await);
    let service = Service::within(world.redis(), Limits { per_member_max: 2, per_caller_max: 3, ..Limits::default() });
    let hello = async |person: &Person| {
        let mut screen = Screen::connects(service.port).await;
        screen.sends(json!({ "op": "hello", "token": person.token() })).await;
        screen
    };
    let mut open = Vec::new();
    for (person, most) in [(&ann, 2), (&ben, 2), (&org.desk(), 3)] {
        for _ in 0..most {
            let mut screen = hello(person).await;
            screen.hears("welcome").await;
            open.push(screen);
        }
        assert_eq!(hello(person).await.ends().await, End::Closed(4109), "{}", person.sub);
    }
    // Who leaves makes room.
    open.remove(0).leaves().await;
    while hello(&ann).await.next().await.is_err() {}
}

#[tokio::test]
async fn an_instance_takes_so_many_connections_and_sends_the_next_away_for_a_while() {
    let world = world().await;
    let limits = [
        Limits { connections_max: 3, ..Limits::default() },
        Limits { admitted_per_s: 0, admitted_burst: 3, ..Limits::default() },
    ];
    for limits in limits {
        let service = Service::within(world.redis(), limits);
        let mut open = Vec::new();
        for _ in 0..3 {
            open.push(Screen::connects(service.port).await);
        }
        let refused = Screen::tries(service.port, &[]).await.expect_err("one too many");
        assert_eq!(refused.status(), 503);
        let after: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=4).contains(&after), "{after}");
        let problem: Value = serde_json::from_slice(refused.body().as_ref().unwrap()).unwrap();
        assert_eq!(problem["code"], "unavailable");
    }
}

/// Thousands come back within seconds, with what they held; whoever books meanwhile hardly notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_is_taken_a_part_at_a_time_and_booking_goes_on() {
    const HERD: usize = 3_000;
    const PART: usize = 300;
    const BURST: u32 = 200;
    let world = world().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": null } })).await;
    let class = org.class(json!({ "capacity": 100 })).await;
    let topic = format!("class:{}", class.id());
    let mut members = Vec::new();
    for number in 0..20 {
        members.push(org.member(&format!("m-{number}")).await);
    }
    let limits = Limits { admitted_per_s: 100, admitted_burst: BURST, ..Limits::default() };
    let service = Service::within(world.redis(), limits);
    let desk = org.caller("herd", "staff");
    let comes_back = async |_| {
        let mut screen = Screen::tries(service.port, &[]).await.map_err(|refused| {
            assert_eq!(refused.status(), 503);
            assert!(refused.headers().contains_key("retry-after"));
        })?;
        screen.sends(json!({ "op": "hello", "token": desk.token(), "epoch": "x", "topics": { &topic: 7 } })).await;
        Ok::<Screen, ()>(screen)
    };
    let begun = Instant::now();
    let herd = async {
        let mut taken = 0;
        for _ in 0..HERD / PART {
            taken += join_all((0..PART).map(comes_back)).await.into_iter().flatten().count();
        }
        taken
    };
    let bookings = async {
        let mut slowest = Duration::ZERO;
        for member in &members {
            let asked = Instant::now();
            member.books(&class).await;
            slowest = slowest.max(asked.elapsed());
        }
        slowest
    };
    let (taken, slowest) = tokio::join!(herd, bookings);
    let most = BURST as usize + 100 * (begun.elapsed().as_secs() as usize + 1);
    assert_eq!(counted(service.port, "rollcall_live_refused_total").await, (HERD - taken) as f64);
    assert!((BURST as usize..=most).contains(&taken), "{taken} of {HERD} were taken in {:?}", begun.elapsed());
    assert!(slowest < Duration::from_secs(2), "a booking took {slowest:?}");
}

#[tokio::test]
async fn whoever_does_not_answer_pings_is_ended_and_whoever_does_is_not() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let service = Service::within(world.redis(), Limits { heartbeat_ms: 150, pong_ms_max: 2_000, ..Limits::default() });
    let [mut silent, mut lively] = [Screen::connects(service.port).await, Screen::connects(service.port).await];
    silent.answers_pings = false;
    for screen in [&mut silent, &mut lively] {
        assert_eq!(screen.says_hello(&ann, "", json!({ "me": 0 })).await["heartbeat_ms"], 150);
    }
    let heard = tokio::join!(silent.ends(), lively.hears_pings(20));
    assert_eq!(heard.0, End::Closed(4003));
    lively.subscribes(json!({ "me": 0 })).await;
}

#[tokio::test]
async fn load_is_shed_when_too_many_wait_for_a_redis_that_does_not_answer() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let service = Service::within(world.redis(), Limits { waiting_max: 2, ..Limits::default() });
    let mut screens = Vec::new();
    for _ in 0..3 {
        screens.push(Screen::connects(service.port).await);
    }
    redis(&world, &["CLIENT", "PAUSE", "1500", "ALL"]).await;
    let [mut first, mut second, mut third] = <[Screen; 3]>::try_from(screens).unwrap();
    for screen in [&mut first, &mut second] {
        screen.sends(json!({ "op": "hello", "token": ann.token(), "topics": { "me": 0 } })).await;
    }
    // Both are waiting by the time their sockets have answered this.
    for screen in [&mut first, &mut second] {
        screen.is_there().await;
    }
    third.sends(json!({ "op": "hello", "token": ann.token(), "topics": { "me": 0 } })).await;
    assert_eq!(third.ends().await, End::Closed(4004));
    for mut screen in [first, second] {
        screen.hears("patch").await;
    }
    let mut back = Screen::connects(service.port).await;
    back.says_hello(&ann, "", json!({ "me": 0 })).await;
}

/// So many days of March and on, each as a topic, half a hundred at a time.
fn days(many: usize) -> Vec<Value> {
    let first: chrono::NaiveDate = "2026-03-03".parse().unwrap();
    let days: Vec<String> = first.iter_days().take(many).map(|day| format!("day:main:{day}")).collect();
    days.chunks(50).map(|days| days.iter().map(|day| (day.clone(), json!(0))).collect()).collect()
}

async fn comes_and_goes(screen: &mut Screen, topics: &Value) {
    screen.subscribes(topics.clone()).await;
    let names: Vec<&String> = topics.as_object().unwrap().keys().collect();
    screen.sends(json!({ "op": "unsubscribe", "id": 1, "topics": names })).await;
    screen.hears("unsubscribed").await;
}

#[tokio::test]
async fn whoever_comes_and_goes_leaves_so_many_topics_behind_and_the_oldest_goes_first() {
    const IDLE_MAX: usize = 40;
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let topic = format!("class:{}", class.id());
    let limits = Limits { topics_idle_max: IDLE_MAX, frames_per_s: 10_000, frames_burst: 10_000, ..Limits::default() };
    let service = Service::within(world.redis(), limits);
    let held = async || counted(service.port, "rollcall_live_topics").await;

    let mut listener = Screen::connects(service.port).await;
    listener.says_hello(&org.desk(), "", json!({ &topic: 0 })).await;
    listener.hears("patch").await;
    let mut screens = Vec::new();
    for _ in 0..3 {
        let mut screen = Screen::connects(service.port).await;
        screen.says_hello(&ann, "", json!({})).await;
        screens.push(screen);
    }
    let mut most: f64 = 0.0;
    for topics in days(300) {
        for screen in &mut screens {
            comes_and_goes(screen, &topics).await;
            most = most.max(held().await);
        }
    }
    // Those listened to, those kept, and those that have come since the last count; never the three hundred.
    assert!(most <= (1 + IDLE_MAX + 50 + IDLE_MAX / 8) as f64, "{most} topics were held");

    // What was left last is there for whoever comes back: only what was missed is sent.
    let mut back = Screen::connects(service.port).await;
    back.says_hello(&ann, "", json!({ "me": 0 })).await;
    back.hears("patch").await;
    let version = back.have("me");
    back.sends(json!({ "op": "unsubscribe", "id": 1, "topics": ["me"] })).await;
    back.hears("unsubscribed").await;
    ann.books(&class).await;
    listener.hears_of(&topic, "booking_confirmed").await;
    let mut again = back.comes_back(service.port, &ann).await;
    assert_eq!(again.hears("patch").await["from"], json!(version), "the ring outlived its listener");
}

#[tokio::test]
async fn a_day_on_which_no_class_can_be_is_no_topic() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let port = world.services()[0].port;
    let mut screen = Screen::of(&world, 0, &ann, &[]).await;
    for far in ["1900-01-01", "2025-01-01", "2027-05-01", "2200-12-31"] {
        screen.sends(json!({ "op": "subscribe", "id": 7, "topics": { format!("day:main:{far}"): 0 } })).await;
        let error = screen.hears("error").await;
        assert_eq!((&error["code"], &error["id"]), (&json!("not_found"), &json!(7)), "{far}");
    }
    assert_eq!(counted(port, "rollcall_live_topics").await, 0.0, "none of them is kept");
    screen.subscribes(json!({ "day:main:2025-02-01": 0, "day:main:2027-04-01": 0 })).await;
    screen.until(|screen| screen.held.len() == 2).await;
}
