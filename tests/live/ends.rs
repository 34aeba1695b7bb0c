//! How connections end when the service does, and what a client that does not read costs the others.

use serde_json::json;

use crate::screen::{End, Screen};
use crate::support::api::World;
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
    let begun = std::time::Instant::now();
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
