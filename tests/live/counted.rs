//! What `/metrics` says of sockets.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::resuming::fails_over;
use crate::screen::{End, Screen};
use crate::support::api::{Named, World};
use crate::support::redis::Keeps;

/// A counter or gauge of the instance at this port; 0 where it has not been counted yet.
pub async fn counted(port: u16, name: &str) -> f64 {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.expect("an answer");
    let text = answer.text().await.expect("a text");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

/// Waits until it is so many.
async fn comes_to(port: u16, name: &str, expected: f64) {
    until(port, name, |now| now == expected).await;
}

async fn until(port: u16, name: &str, so: impl Fn(f64) -> bool) {
    for _ in 0..400 {
        if so(counted(port, name).await) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{name} is {}", counted(port, name).await);
}

#[tokio::test]
async fn sockets_are_counted_while_they_live_and_when_they_end() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let (topic, port) = (format!("class:{}", class.id()), world.services()[0].port);
    let mut first = Screen::of(&world, 0, &ann, &["me", &topic]).await;
    let second = Screen::of(&world, 0, &org.desk(), &[&topic]).await;
    comes_to(port, "rollcall_live_sessions", 2.0).await;
    comes_to(port, "rollcall_live_topics", 2.0).await;

    let (sent, told) = (counted(port, "rollcall_live_frames_total").await, "rollcall_live_lag_seconds_count");
    let before = counted(port, told).await;
    ann.books(&class).await;
    first.hears_of("me", "booking_confirmed").await;
    comes_to(port, "rollcall_live_frames_total", sent + 3.0).await;
    until(port, told, |now| now > before).await;

    let (held, epoch) = (first.have("me"), first.epoch.clone());
    first.subscribes(json!({ "me": held })).await;
    comes_to(port, "rollcall_live_resumes_total{result=\"hit\"}", 1.0).await;
    let mut back = Screen::connects(port).await;
    back.says_hello(&ann, "of yore", json!({ "me": held })).await;
    comes_to(port, "rollcall_live_resumes_total{result=\"missed\"}", 1.0).await;
    assert_eq!(epoch, back.epoch);
    fails_over(&world).await;
    // It may be seen once or twice on its way to another id.
    until(port, "rollcall_live_afresh_total", |now| now >= 1.0).await;

    first.sends_raw(Message::text("[]")).await;
    assert_eq!(first.ends().await, End::Closed(4100));
    drop((back, second));
    comes_to(port, "rollcall_live_closes_total{code=\"4100\"}", 1.0).await;
    comes_to(port, "rollcall_live_sessions", 0.0).await;
}
