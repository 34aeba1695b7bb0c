//! Clients that send, or ask for, more than anybody needs: each is ended at its bound, and costs nothing before.

use std::fs;
use std::time::Duration;

use futures_util::future::join_all;
use rollcall::push::hub::Limits;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::process::Process;
use crate::resuming::redis;
use crate::screen::{End, Screen};
use crate::support::api::{Named, World};
use crate::support::redis::Keeps;
use crate::support::service::Service;

async fn world() -> World {
    World::with(1, Keeps::Nothing).await
}

#[tokio::test]
async fn control_frames_and_parts_count_like_any_other() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let service = Service::within(world.redis(), Limits { frames_per_s: 0, frames_burst: 5, ..Limits::default() });
    let part = |text: &str, first, last| {
        let code = OpCode::Data(if first { Data::Text } else { Data::Continue });
        Message::Frame(Frame::message(text.as_bytes().to_vec(), code, last))
    };
    for odd in [Message::Ping(vec![1].into()), Message::Pong(vec![].into()), part("{\"op\":", true, false)] {
        let mut screen = Screen::connects(service.port).await;
        screen.says_hello(&ann, "", json!({})).await;
        for _ in 0..3 {
            screen.sends_raw(Message::Pong(vec![].into())).await;
        }
        // The fifth, which is answered.
        screen.subscribes(json!({})).await;
        screen.sends_raw(odd).await;
        assert_eq!(screen.ends().await, End::Closed(4005));
    }
}

#[tokio::test]
async fn a_client_may_send_so_many_bytes_and_no_more() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    // A frame of a client has a head of six bytes, from 126 bytes on of eight.
    let hello = json!({ "op": "hello", "token": ann.token(), "topics": {} }).to_string();
    let ask = json!({ "op": "subscribe", "id": 1, "topics": {}, "pad": "x".repeat(1_000) }).to_string();
    let all = hello.len() + ask.len() + 2 * 8;
    for (bytes_burst, more) in [(all, false), (all - 1, true)] {
        let limits = Limits { bytes_per_s: 0, bytes_burst: u32::try_from(bytes_burst).unwrap(), ..Limits::default() };
        let service = Service::within(world.redis(), limits);
        let mut screen = Screen::connects(service.port).await;
        screen.sends_raw(Message::text(hello.clone())).await;
        screen.hears("welcome").await;
        screen.sends_raw(Message::text(ask.clone())).await;
        if more {
            assert_eq!(screen.ends().await, End::Closed(4005));
        } else {
            screen.hears("subscribed").await;
        }
    }
}

#[tokio::test]
async fn a_client_may_ask_to_be_shown_so_much_and_no_more() {
    let world = world().await;
    let org = world.org("standard").await;
    org.class(json!({})).await;
    let topic = "day:main:2026-03-03";
    let limits = Limits { shown_bytes_per_s: 0, shown_bytes_burst: 8_000, ..Limits::default() };
    let service = Service::within(world.redis(), limits);
    let mut screen = Screen::connects(service.port).await;
    let mut shown = 0;
    screen.says_hello(&org.desk(), "", json!({})).await;
    let ended = loop {
        screen.sends(json!({ "op": "subscribe", "id": 1, "topics": { topic: 0 } })).await;
        let Ok(subscribed) = screen.next().await else { break shown };
        let patch = screen.hears("patch").await;
        shown += subscribed.to_string().len() + patch.to_string().len();
        screen.sends(json!({ "op": "unsubscribe", "id": 2, "topics": [topic] })).await;
        screen.hears("unsubscribed").await;
    };
    assert!((8_000..16_000).contains(&ended), "ended after {ended} bytes were shown");
    let mut screen = Screen::connects(service.port).await;
    screen.says_hello(&org.desk(), "", json!({ topic: 0 })).await;
    screen.hears("patch").await;
}

/// Of a process, in megabytes.
fn resident_mb(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

/// Sends pongs of 125 bytes as fast as they are taken, for so long or until the connection ends, and says how it ended.
async fn floods(port: u16, lasts: Duration) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let upgrade = "GET /v1/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    let pong = [&[0x8a, 0x80 | 125, 0, 0, 0, 0][..], &[b'x'; 125][..]].concat();
    let many = pong.repeat(2_000);
    let (mut reader, mut writer) = stream.into_split();
    let until = Instant::now() + lasts;
    let sending = async {
        while Instant::now() < until && timeout(lasts, writer.write_all(&many)).await.is_ok_and(|sent| sent.is_ok()) {}
    };
    let mut heard = Vec::new();
    let (_, _) = tokio::join!(sending, timeout(lasts, reader.read_to_end(&mut heard)));
    // A close frame: its head, and the code.
    (heard.len() >= 4 && heard[0] == 0x88).then(|| u16::from_be_bytes([heard[2], heard[3]]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_pongs_by_a_stranger_is_ended_and_costs_no_memory() {
    let world = world().await;
    let service = Process::on(world.redis());
    let before = resident_mb(service.id());
    let ends = join_all((0..8).map(|_| floods(service.port, Duration::from_secs(4)))).await;
    let after = resident_mb(service.id());
    assert!(after <= before + 30, "from {before} to {after} MB");
    assert_eq!(ends, [Some(4005); 8]);
}

#[tokio::test]
async fn sockets_read_json_as_strictly_as_requests_do() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let deep = format!(r#"{{"op":"pong","pad":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    for odd in [r#"{"op":"pong","op":"renew"}"#, r#"{"op":"pong","a":{"b":1,"b":1}}"#, r#"{"op":"pong"} {}"#, &deep] {
        let mut screen = Screen::of(&world, 0, &ann, &[]).await;
        screen.sends_raw(Message::text(odd)).await;
        assert_eq!(screen.ends().await, End::Closed(4100), "{odd}");
    }
}

#[tokio::test]
async fn a_renewal_before_the_welcome_is_answered_after_it_in_the_same_zone() {
    let world = world().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let service = Service::on(world.redis());
    let mut screen = Screen::connects(service.port).await;
    redis(&world, &["CLIENT", "PAUSE", "500", "ALL"]).await;
    let topic = format!("class:{}", class.id());
    screen.sends(json!({ "op": "hello", "token": ann.token(), "topics": { topic: 0 } })).await;
    screen.sends(json!({ "op": "renew", "id": 7, "token": org.token_for("ann", "member", 600) })).await;
    let welcome = screen.next().await.unwrap();
    let renewed = screen.next().await.unwrap();
    assert_eq!((&welcome["op"], &renewed["op"], &renewed["id"]), (&json!("welcome"), &json!("renewed"), &json!(7)));
    let zone = |frame: &serde_json::Value| frame["expires_at"].as_str().unwrap()[19..].to_owned();
    assert_eq!(zone(&renewed), zone(&welcome));
    assert_ne!(zone(&renewed), "+00:00");
}
