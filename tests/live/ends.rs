//! How connections end when the service does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::push::counters::Counters;
use rollcall::push::hub::{Hub, Limits};
use serde_json::json;
use tokio::runtime::Handle;

use crate::screen::{End, Screen};
use crate::support::api::{Named, World};
use crate::support::redis::Keeps;
use crate::support::service::Service;

#[tokio::test]
async fn a_service_that_stops_says_when_to_come_back() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let second = Service::on(world.redis());
    let mut screen = Screen::connects(second.port).await;
    screen.says_hello(&ann, "", json!({ "me": 0 })).await;
    screen.hears("patch").await;
    let begun = Instant::now();
    let stopping = std::thread::spawn(move || drop(second));
    let bye = screen.hears("bye").await;
    assert!(bye["after_ms"].is_u64() && bye["spread_ms"].is_u64(), "{bye}");
    assert_eq!(screen.ends().await, End::Closed(4006));
    tokio::task::spawn_blocking(move || stopping.join()).await.unwrap().unwrap();
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    let port = world.services()[0].port;
    let back = screen.comes_back(port, &ann).await;
    assert!(back.held.contains_key("me"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_are_told_in_time_and_nobody_who_does_not_listen_holds_it_up() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    let topic = format!("class:{}", class.id());
    let leaving = Service::on(world.redis());
    let mut screens = Vec::new();
    for number in 0..150 {
        let mut screen = Screen::connects(leaving.port).await;
        screen.says_hello(&org.caller(&format!("m-{number}"), "member"), "", json!({ &topic: 0 })).await;
        screens.push(screen);
    }
    // These neither read nor answer the close.
    let deaf = screens.split_off(140);
    let begun = Instant::now();
    let stopping = tokio::task::spawn_blocking(move || drop(leaving));
    for screen in &mut screens {
        let bye = screen.hears("bye").await;
        assert!(bye["spread_ms"].as_u64().unwrap() >= 1_000, "they do not come back all at once: {bye}");
        assert_eq!(screen.ends().await, End::Closed(4006));
    }
    stopping.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(deaf);

    let (port, staff) = (world.services()[0].port, org.desk());
    let back = screens.pop().unwrap().comes_back(port, &staff).await;
    assert_eq!(*back.doc(&topic), org.face(&class).await);
}

#[tokio::test]
async fn a_relay_that_has_ended_is_noticed_and_the_next_who_comes_has_another() {
    let world = World::with(1, Keeps::Nothing).await;
    let counters = Counters::in_registry(&prometheus::Registry::new()).unwrap();
    let hub = Hub::new(world.services()[0].store.clone(), Handle::current(), Limits::default(), counters);
    let (org, ann) = ("gym".parse().unwrap(), "ann".parse().unwrap());
    let comes = || {
        let (mut seat, _inbox) = hub.admit(Arc::default()).expect("a seat");
        assert!(seat.claim(&org, &ann, 2));
        seat
    };
    let first = comes();
    assert!(!first.is_cut_off());
    hub.end().await;
    assert!(first.is_cut_off());
    assert!(!comes().is_cut_off());
}
