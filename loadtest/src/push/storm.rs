//! Thousands of sockets break at once and come back within seconds, each with the version it holds, while members book:
//! what the herd costs those who book, and whether every socket came back to where it was.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::bookers::{Bookers, Pace, member};
use super::socket::{ROLLCALL, Socket};
use crate::Result;
use crate::chain::{Chain, token};
use crate::report::{Report, quantile};
use crate::stack::{Redis, Service};
use crate::wire::{Wire, request};

/// Room for every caller.
const CAPACITY: u32 = 5_000;

/// Connections that are opened at the same time.
const OPENING: usize = 64;

/// How many come back, and what goes on meanwhile.
#[derive(clap::Args)]
pub struct Storm {
    /// Sockets
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..))]
    sockets: u32,
    /// They come back within so many seconds, each at a moment of its own
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    spread: u32,
    /// Bookings and cancels meanwhile, a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    per_s: u32,
    /// Members who make them
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    callers: u32,
    /// How often: a calm span as long as a storm, then a storm
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// What one who comes back brings along.
#[derive(Clone)]
struct Held {
    token: String,
    epoch: String,
    version: u64,
}

/// A storm, when all are back.
struct Weathered {
    seconds: f64,
    refused: u32,
    /// Sockets that got one replacing patch instead of what they missed.
    replaced: u32,
    sockets: Vec<(Held, Socket)>,
}

impl Storm {
    pub async fn run(&self, program: &Path) -> Result<Report> {
        let redis = Redis::start()?;
        let service = Service::start(program, &redis)?;
        let mut chain = Chain::found(service.port).await?;
        let (class, others) = (chain.publish(30).await?, chain.publish(CAPACITY).await?);
        for n in 0..self.callers {
            chain.put_member(&member(n)).await?;
        }
        chain.put_member("ann").await?;
        let topic = format!("class:{class}");
        let fresh: Result<Vec<Held>> = (0..self.sockets)
            .map(|n| Ok(Held { token: token(&format!("l-{n}"), "member")?, epoch: String::new(), version: 0 }))
            .collect();
        let mut weathered = self.come(service.port, &topic, fresh?).await?;

        let mut report = Report::new(format!(
            "{} sockets break and come back within {} s to the instance that {} calls a second go to, {} rounds",
            self.sockets, self.spread, self.per_s, self.rounds
        ));
        let mut figures: [Vec<f64>; 8] = Default::default();
        for round in 0..self.rounds {
            let pace = Pace {
                ports: vec![service.port],
                classes: vec![others.clone()],
                callers: self.callers,
                per_s: self.per_s,
            };
            let (bookers, begun) = (Bookers::start(pace), Instant::now());
            sleep(Duration::from_secs(self.spread.into())).await;
            let broken = Instant::now();
            let held: Vec<Held> = weathered.sockets.drain(..).map(|(held, _)| held).collect();
            change(service.port, &class, round).await?;
            weathered = self.come(service.port, &topic, held).await?;
            let back = Instant::now();
            let done = bookers.stop()?;
            let (calm, storm) = (done.waits_between(begun, broken), done.waits_between(broken, back));
            let p99 = (quantile(&calm, 0.99), quantile(&storm, 0.99));
            let values = [
                quantile(&calm, 0.5),
                quantile(&storm, 0.5),
                p99.0,
                p99.1,
                p99.1 / p99.0,
                weathered.seconds,
                f64::from(weathered.refused),
                f64::from(weathered.replaced),
            ];
            for (figure, value) in figures.iter_mut().zip(values) {
                figure.push(value);
            }
            if done.repeats > 0 {
                report.broken(format!("{} calls had to be repeated", done.repeats));
            }
        }
        let names = [
            "a booking's p50 in the calm, ms",
            "a booking's p50 in the storm, ms",
            "a booking's p99 in the calm, ms",
            "a booking's p99 in the storm, ms",
            "ratio of p99",
            "all were back after, s",
            "attempts answered 503",
            "sockets that were sent the whole instead of what they missed",
        ];
        for (name, values) in names.into_iter().zip(figures) {
            report.figure(name, values);
        }
        Ok(report)
    }

    /// All of them come, on a thread of their own, and are told what they missed.
    async fn come(&self, port: u16, topic: &str, held: Vec<Held>) -> Result<Weathered> {
        let (topic, spread) = (topic.to_owned(), Duration::from_secs(self.spread.into()));
        let (tell, told) = tokio::sync::oneshot::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
                LocalSet::new().block_on(&runtime, all(port, &topic, spread, held)).map_err(|error| error.to_string())
            });
            let _ = tell.send(outcome);
        });
        Ok(told.await??)
    }
}

/// Something that those who are away miss.
async fn change(port: u16, class: &str, round: u32) -> Result<()> {
    let (mut wire, ann) = (Wire::open(port).await?, token("ann", "member")?);
    let book = request("POST", &format!("/v1/classes/{class}/bookings"), &ann, Some(&format!("storm-{round}")), "{}");
    let body: Value = serde_json::from_slice(wire.call(&book).await?.body)?;
    let id = body["id"].as_str().ok_or_else(|| format!("no booking: {body}"))?;
    wire.call(&request("POST", &format!("/v1/bookings/{id}/cancel"), &ann, None, "{}")).await?;
    Ok(())
}

async fn all(port: u16, topic: &str, spread: Duration, held: Vec<Held>) -> Result<Weathered> {
    let (begun, opening, count) = (Instant::now(), Arc::new(Semaphore::new(OPENING)), held.len());
    let mut coming = Vec::with_capacity(count);
    for (n, held) in held.into_iter().enumerate() {
        let (topic, opening) = (topic.to_owned(), Arc::clone(&opening));
        coming.push(tokio::task::spawn_local(async move {
            sleep(spread.mul_f64(n as f64 / count as f64)).await;
            come_back(port, &topic, held, &opening).await.map_err(|error| error.to_string())
        }));
    }
    let (mut sockets, mut refused, mut replaced) = (Vec::with_capacity(count), 0, 0);
    for one in coming {
        let back = one.await??;
        refused += back.refused;
        replaced += u32::from(back.replaced);
        sockets.push((back.held, back.socket));
    }
    Ok(Weathered { seconds: begun.elapsed().as_secs_f64(), refused, replaced, sockets })
}

struct Back {
    held: Held,
    socket: Socket,
    refused: u32,
    replaced: bool,
}

/// Until what was missed is there; a client that is refused waits as long as it is told.
async fn come_back(port: u16, topic: &str, mut held: Held, opening: &Semaphore) -> Result<Back> {
    let mut refused = 0;
    let mut socket = loop {
        let turn = opening.acquire().await?;
        match Socket::attempt(TcpSocket::new_v4()?, port, ROLLCALL).await? {
            Ok(socket) => break socket,
            Err(after) => {
                drop(turn);
                refused += 1;
                sleep(after).await;
            }
        }
    };
    let topics = json!({ topic: held.version });
    let hello = json!({ "op": "hello", "token": held.token, "epoch": held.epoch, "topics": topics });
    socket.send(&hello.to_string()).await?;
    let welcome: Value = serde_json::from_slice(&socket.until(br#"{"op":"welcome""#).await?)?;
    welcome["epoch"].as_str().unwrap_or_default().clone_into(&mut held.epoch);
    let subscribed: Value = serde_json::from_slice(&socket.until(br#"{"op":"subscribed""#).await?)?;
    let now = subscribed["topics"][topic].as_u64().ok_or("subscribed to nothing")?;
    let mut replaced = false;
    while held.version < now {
        let patch: Value = serde_json::from_slice(&socket.until(ROLLCALL.change).await?)?;
        let from = patch["from"].as_u64().unwrap_or(0);
        if from > held.version {
            return Err(format!("a gap from {} to {from}", held.version).into());
        }
        replaced |= from == 0 && held.version > 0;
        held.version = patch["to"].as_u64().unwrap_or(0);
    }
    Ok(Back { held, socket, refused, replaced })
}
