//! Nothing waits for a client that acknowledges late, as those do that have nothing to send meanwhile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::api::{Named, Org, World};
use crate::support::redis::Keeps;

/// A socket of which it is known when it acknowledges.
struct Listener {
    stream: TcpStream,
    at_once: bool,
}

impl Listener {
    async fn connects(port: u16, at_once: bool) -> Listener {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let upgrade = "GET /v1/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(upgrade.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        Listener { stream, at_once }
    }

    async fn sends(&mut self, frame: Value) {
        let text = frame.to_string();
        // Masked with zeros, which changes nothing.
        let mut bytes = vec![0x81, 0x80 | 126];
        bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(text.as_bytes());
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn reads(&mut self, bytes: usize) -> Vec<u8> {
        let mut read = vec![0; bytes];
        // The kernel forgets this with each acknowledgement.
        SockRef::from(&self.stream).set_tcp_quickack(self.at_once).unwrap();
        self.stream.read_exact(&mut read).await.unwrap();
        read
    }

    async fn hears(&mut self, op: &str) -> Value {
        loop {
            let head = self.reads(2).await;
            let length = match head[1] {
                126 => usize::from(u16::from_be_bytes(self.reads(2).await.try_into().unwrap())),
                length => usize::from(length),
            };
            let frame: Value = serde_json::from_slice(&self.reads(length).await).unwrap();
            if frame["op"] == op {
                return frame;
            }
        }
    }
}

/// How long it takes until a booking is seen on the roster, in the middle of some that follow one another.
async fn usual(org: &Org, port: u16, at_once: bool) -> Duration {
    let class = org.class(json!({ "capacity": 100 })).await;
    let mut listener = Listener::connects(port, at_once).await;
    let topic = format!("roster:{}", class.id());
    listener.sends(json!({ "op": "hello", "token": org.desk().token(), "topics": { topic: 0 } })).await;
    listener.hears("patch").await;
    let mut took = Vec::new();
    for number in 0..41 {
        let member = org.member(&format!("m-{at_once}-{number}")).await;
        let begun = Instant::now();
        member.books(&class).await;
        listener.hears("patch").await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    took[took.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_frame_waits_for_an_acknowledgement_of_the_one_before() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let port = world.services()[0].port;
    let at_once = usual(&org, port, true).await;
    let late = usual(&org, port, false).await;
    // A late one comes after 40 ms; what waited for it took that long besides.
    assert!(late < at_once * 3, "{late:?} where acknowledgements come late, {at_once:?} where they come at once");
}
