//! Many screens at once: what some who do not read cost the others, and what a crowd that comes back costs Redis.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::counted::counted;
use crate::screen::Screen;
use crate::support::api::{Named, Org, Person, World};
use crate::support::redis::Keeps;

/// A client that says hello and then never reads again: a small window, and nobody who empties it.
async fn stalled(port: u16, person: &Person, topics: serde_json::Value) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    let upgrade = format!(
        "GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    let hello = json!({ "op": "hello", "token": person.token(), "topics": topics }).to_string();
    let mut frame = vec![0x81, 0xfe];
    frame.extend(u16::try_from(hello.len()).unwrap().to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(hello.as_bytes());
    stream.write_all(&frame).await.unwrap();
    stream
}

/// A roster whose every frame is large: many wait, and each who leaves moves all others.
async fn queue_of(org: &Org, length: usize) -> (String, Vec<Person>, Vec<String>) {
    let class = org.class(json!({ "capacity": 1 })).await;
    org.member("holder").await.books(&class).await;
    let (mut members, mut bookings) = (Vec::new(), Vec::new());
    for number in 0..length {
        let member = org.member(&format!("w-{number}")).await;
        bookings.push(member.queues_for(&class).await.id());
        members.push(member);
    }
    (class.id(), members, bookings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_read_is_ended_and_the_others_hear_everything() {
    let world = World::with(1, Keeps::Nothing).await;
    let patch = json!({ "booking": { "daily_limit": null }, "waitlist": { "max": 500 } });
    let org = world.org_under("standard", patch).await;
    let (class, members, bookings) = queue_of(&org, 200).await;
    let (roster, port) = (format!("roster:{class}"), world.services()[0].port);
    let mut reader = Screen::of(&world, 0, &org.desk(), &[&roster]).await;
    let mut stuck = Vec::new();
    for _ in 0..20 {
        stuck.push(stalled(port, &org.desk(), json!({ &roster: 0 })).await);
    }
    let shown = roster.clone();
    let reading = tokio::spawn(async move {
        reader.until(|screen| screen.doc(&shown)["class"]["title"] == "done").await;
        reader
    });
    // Every one of these is some kilobytes to everybody.
    let begun = Instant::now();
    for round in 0..4 {
        for (member, booking) in members.iter().zip(&bookings).take(150) {
            if round == 0 {
                member.cancels(booking).await;
            } else {
                let again = member.queues_for(&class).await;
                member.cancels(&again).await;
            }
        }
    }
    org.desk().changes(&class, json!({ "title": "done" })).await;
    let reader = reading.await.unwrap();
    assert_eq!(reader.doc(&roster)["class"]["waiting"], 50);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());

    assert_eq!(counted(port, "rollcall_live_too_slow_total").await, 20.0);

    // One that reads again before its connection has ended is told why it was dropped.
    let mut late = stuck.pop().unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(15), late.read_to_end(&mut rest)).await.expect("an end").unwrap();
    let close = [0x0f, 0xa2].into_iter().chain(*b"too slow").collect::<Vec<u8>>();
    assert!(rest.ends_with(&close), "4002 at the end of {} bytes", rest.len());

    // The service lets go of the others: what is left in the pipe ends, without another read in between.
    for mut stream in stuck {
        tokio::time::timeout(Duration::from_secs(60), async {
            while connected(&stream) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        })
        .await
        .expect("the connection of a stalled reader ends");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
}

/// Whether the service still holds its end: its socket is in the table of established connections.
fn connected(stream: &TcpStream) -> bool {
    let port = |address: std::net::SocketAddr| format!("{:04X}", address.port());
    let (local, peer) = (port(stream.local_addr().unwrap()), port(stream.peer_addr().unwrap()));
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields[1].ends_with(&format!(":{peer}")) && fields[2].ends_with(&format!(":{local}")) && fields[3] == "01"
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_comes_back_costs_one_read_a_topic() {
    const CROWD: usize = 300;
    let world = World::with(2, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "capacity": 5 })).await;
    let topic = format!("class:{}", class.id());
    let people: Vec<Person> = (0..CROWD).map(|number| org.caller(&format!("c-{number}"), "member")).collect();
    let before = calls(&world).await;
    let topics = [topic.as_str()];
    let screens = join_all(people.iter().map(|person| Screen::of(&world, 1, person, &topics))).await;
    let took = calls(&world).await - before;
    assert!(took < 60, "{took} calls for {CROWD} screens of one topic");

    let ann = org.member("ann").await;
    ann.books(&class).at(0).await;
    for mut screen in screens {
        screen.hears_of(&topic, "booking_confirmed").await;
    }
}

/// Functions called since the server started.
async fn calls(world: &World) -> u64 {
    let client = redis::Client::open(world.redis().url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await.unwrap();
    let line = stats.lines().find(|line| line.starts_with("cmdstat_fcall:")).unwrap_or_default();
    let calls = line.split_once("calls=").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
    calls.unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_take_several_reads_are_what_is_so_while_everything_moves() {
    let world = World::with(2, Keeps::Nothing).await;
    let patch = json!({ "booking": { "daily_limit": null, "allow_overlap": true }, "waitlist": { "max": 500 } });
    let org = world.org_under("standard", patch).await;
    let (class, members, bookings) = queue_of(&org, 150).await;
    // One who has a place in as many classes as need several reads, and waits in some of them.
    let busy = org.member("busy").await;
    let mut waits = Vec::new();
    for number in 0..70 {
        let class =
            org.class(json!({ "capacity": 1, "starts_at": format!("2026-03-0{}T12:00:00Z", 3 + number % 6) })).await;
        if number % 7 == 0 {
            members[number].books(&class).await;
            members[number + 1].queues_for(&class).await;
            waits.push((class.id(), number));
            busy.queues_for(&class).await;
        } else {
            busy.books(&class).await;
        }
    }
    let roster = format!("roster:{class}");
    let moving = async {
        for (number, (member, booking)) in members.iter().zip(&bookings).enumerate().take(60) {
            member.cancels(booking).await;
            if number % 2 == 0 {
                member.queues_for(&class).await;
            }
        }
        for (class, number) in &waits {
            // Whoever was before them goes, and they move up.
            let list = org.desk().get(&format!("/v1/bookings?member={}&when=upcoming", members[number + 1].sub)).await;
            let place = list.items().iter().find(|booking| booking["class"] == class.as_str()).unwrap();
            members[number + 1].cancels(&place["id"].as_str().unwrap()).await;
        }
    };
    let watching = async {
        let mut screens = Vec::new();
        for round in 0..6 {
            let desk = org.desk();
            screens.push((Screen::of(&world, round % 2, &desk, &[&roster]).await, desk));
            screens.push((Screen::of(&world, round % 2, &busy, &["me"]).await, busy.clone()));
        }
        screens
    };
    let ((), screens) = tokio::join!(moving, watching);
    for (mut screen, person) in screens {
        screen.comes_to_show_what_is_so(&org, &person).await;
    }
}
