//! Who is measured: Rollcall or one of its peers, two instances of it over one Redis. Changes are made at one instance
//! and heard at the other, which is the one whose CPU and memory are looked at.
//!
//! The peers are started by the scripts in `loadtest/peers/`, with their usual settings, on a Redis that keeps nothing.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::crowd::Crowd;
use super::socket::{Dialect, ROLLCALL};
use crate::Result;
use crate::chain::{Chain, token};
use crate::stack::{Redis, Service};
use crate::wire::{Wire, request};

/// What a peer is given to send: as long as a frame of Rollcall's that tells of a booking.
const SAMPLE: &str = r#"{"op":"patch","topic":"class:019aa1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","from":123,"to":124,"data":{"booked":1,"free":29,"needed":2},"event":"booking_confirmed","at":"2026-03-02T09:00:00+01:00"}"#;

/// Of the class that is booked, and the one who books it.
const CAPACITY: u32 = 30;
const MEMBER: &str = "ann";

/// Path of the peers' endpoint that publishes.
const PUBLISH: &str = "/pub";

/// Subscriptions that go through Redis take so long at most after a client was let in.
const SETTLE: Duration = Duration::from_secs(1);

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Contender {
    Rollcall,
    /// nginx with nchan
    Nchan,
    /// Socket.IO with its Redis streams adapter
    SocketIo,
}

const NCHAN: Dialect = Dialect { path: "/sub", ready: None, change: br#"{"op":"patch""#, ping: b"\0", pong: "" };

const SOCKET_IO: Dialect = Dialect {
    path: "/socket.io/?EIO=4&transport=websocket",
    ready: Some(b"40"),
    change: br#"42["patch","#,
    ping: b"2",
    pong: "3",
};

/// A contender that runs.
pub struct Stage {
    contender: Contender,
    /// Of Rollcall: whose bookings make the changes, of what, and the one there is.
    class: String,
    member: String,
    booking: Option<String>,
    near: Service,
    pub far: Service,
    _redis: Redis,
}

impl Contender {
    pub fn name(self) -> &'static str {
        match self {
            Contender::Rollcall => "Rollcall",
            Contender::Nchan => "nchan",
            Contender::SocketIo => "Socket.IO",
        }
    }

    pub fn dialect(self) -> Dialect {
        match self {
            Contender::Rollcall => ROLLCALL,
            Contender::Nchan => NCHAN,
            Contender::SocketIo => SOCKET_IO,
        }
    }

    /// Installs what a peer needs, where it is not there.
    pub fn install(self) -> Result<()> {
        match self {
            Contender::Rollcall => Ok(()),
            peer => {
                let done = Command::new(peer.script()).arg("install").status()?;
                if done.success() { Ok(()) } else { Err(format!("{} cannot be installed", peer.name()).into()) }
            }
        }
    }

    fn script(self) -> String {
        let name = if self == Contender::Nchan { "nchan" } else { "socket-io" };
        format!("{}/peers/{name}.sh", env!("CARGO_MANIFEST_DIR"))
    }
}

impl Stage {
    pub async fn start(contender: Contender, program: &Path) -> Result<Stage> {
        if contender != Contender::Rollcall {
            let (redis, script) = (Redis::forgetful()?, contender.script());
            let (near, far) = (Service::peer(&script, &redis)?, Service::peer(&script, &redis)?);
            let (class, member) = (String::new(), String::new());
            return Ok(Stage { contender, class, member, booking: None, near, far, _redis: redis });
        }
        let redis = Redis::start()?;
        let (near, far) = (Service::start(program, &redis)?, Service::start(program, &redis)?);
        let mut chain = Chain::found(near.port).await?;
        let class = chain.publish(CAPACITY).await?;
        chain.put_member(MEMBER).await?;
        let member = token(MEMBER, "member")?;
        Ok(Stage { contender, class, member, booking: None, near, far, _redis: redis })
    }

    /// So many listeners to what changes here: to a document that everybody may see.
    pub async fn crowd(&self, listeners: u32) -> Result<Crowd> {
        let hello = |n| match self.contender {
            Contender::Rollcall => hello(&format!("l-{n}"), "member", &format!("class:{}", self.class)),
            Contender::Nchan => Ok(String::new()),
            Contender::SocketIo => Ok("40".to_owned()),
        };
        let hellos: Result<Vec<String>> = (0..listeners).map(hello).collect();
        let crowd = Crowd::gather(self.far.port, self.contender.dialect(), hellos?).await?;
        sleep(SETTLE).await;
        Ok(crowd)
    }

    pub fn class(&self) -> &str {
        &self.class
    }

    /// Makes a change; when it was answered.
    async fn change(&mut self, wire: &mut Wire) -> Result<Instant> {
        if self.contender != Contender::Rollcall {
            wire.call(&request("POST", PUBLISH, "", None, SAMPLE)).await?;
            return Ok(Instant::now());
        }
        let path = match self.booking.take() {
            None => format!("/v1/classes/{}/bookings", self.class),
            Some(id) => format!("/v1/bookings/{id}/cancel"),
        };
        let answer = wire.call(&request("POST", &path, &self.member, None, "{}")).await?;
        let answered = Instant::now();
        let body: Value = serde_json::from_slice(answer.body)?;
        if body["status"] == "booked" {
            self.booking = body["id"].as_str().map(str::to_owned);
        }
        Ok(answered)
    }
}

/// The first frame of a client that listens to one topic and holds nothing.
pub fn hello(sub: &str, role: &str, topic: &str) -> Result<String> {
    Ok(json!({ "op": "hello", "token": token(sub, role)?, "topics": { topic: 0 } }).to_string())
}

/// Makes changes one after the other, each when everybody has heard of the one before; how long each took to each
/// listener, in milliseconds.
pub async fn changes(stage: &mut Stage, crowd: &Crowd, changes: u32, pause: Duration) -> Result<Vec<Vec<f64>>> {
    let mut wire = Wire::open(stage.near.port).await?;
    let mut waits = Vec::with_capacity(changes as usize);
    for _ in 0..changes {
        crowd.expect(1);
        let answered = stage.change(&mut wire).await?;
        let heard = crowd.heard().await?;
        let ms = |at: &Instant| at.saturating_duration_since(answered).as_secs_f64() * 1000.0;
        waits.push(heard.iter().map(ms).collect());
        sleep(pause).await;
    }
    Ok(waits)
}

/// Makes changes in quick succession, and waits until everybody has heard of all of them.
pub async fn flood(stage: &mut Stage, crowd: &Crowd, changes: u32) -> Result<()> {
    let mut wire = Wire::open(stage.near.port).await?;
    crowd.expect(changes);
    for _ in 0..changes {
        stage.change(&mut wire).await?;
    }
    crowd.heard().await.map(|_| ())
}
