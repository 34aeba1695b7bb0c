//! Sockets: memory of an idle one, the time from a change to its frame on every screen, and what a delivery costs.
//!
//! The reader is the cheapest honest one: it finds the frames in what comes, notes when a change arrived and answers
//! pings. One task per connection, all on one thread, beside the service on the same machine.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use std::{cell::RefCell, fs};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use crate::Result;
use crate::chain::{Chain, token};
use crate::report::{Report, quantile};
use crate::stack::{Redis, Service};
use crate::wire::{Wire, request};

/// A change has reached everyone who will hear of it.
const CHANGE_MAX: Duration = Duration::from_secs(10);

/// Changes so far apart are not merged.
const PAUSE: Duration = Duration::from_millis(400);

/// How many listen, and how often something changes.
#[derive(clap::Args)]
pub struct Push {
    /// Sockets that listen to one class
    #[arg(long, default_value_t = 5000)]
    listeners: u32,
    /// Of a hundred, how many never read
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=90))]
    stalled_percent: u32,
    /// Changes of that class
    #[arg(long, default_value_t = 20)]
    changes: u32,
    /// Promotions that are timed, each on the promoted member's own socket, while bookings run
    #[arg(long, default_value_t = 200)]
    promotions: u32,
}

/// What the listeners have heard.
#[derive(Default)]
struct Heard {
    at: RefCell<Vec<Instant>>,
    more: Notify,
}

impl Push {
    pub async fn run(&self, program: &Path) -> Result<Report> {
        LocalSet::new().run_until(self.measured(program)).await
    }

    async fn measured(&self, program: &Path) -> Result<Report> {
        let redis = Redis::start()?;
        let (near, far) = (Service::start(program, &redis)?, Service::start(program, &redis)?);
        let mut chain = Chain::found(near.port).await?;
        let class = chain.publish(30).await?;
        chain.put_member("ann").await?;
        let stalled = self.listeners * self.stalled_percent / 100;
        let mut report = Report::new(format!("{} sockets on one class, {stalled} of them stalled", self.listeners));

        let idle = far.memory_kb()?;
        let heard = Rc::new(Heard::default());
        let topic = format!("class:{class}");
        let mut kept = Vec::new();
        for n in 0..self.listeners {
            let mut socket = Socket::open(far.port, &token(&format!("l-{n}"), "member")?, &topic, n < stalled).await?;
            socket.until_patch().await?;
            if n < stalled {
                kept.push(socket);
            } else {
                tokio::task::spawn_local(socket.listen(Rc::clone(&heard)));
            }
        }
        let memory = (far.memory_kb()?.saturating_sub(idle)) as f64 / f64::from(self.listeners.max(1));
        report.figure("memory of a socket, KB", vec![memory]);
        self.fan_out(&near, &far, &class, (self.listeners - stalled) as usize, &heard, &mut report).await?;
        self.promote(&mut chain, &near, &far, &mut report).await?;
        drop(kept);
        Ok(report)
    }

    /// A change at one instance, heard at the other.
    async fn fan_out(
        &self,
        near: &Service,
        far: &Service,
        class: &str,
        listeners: usize,
        heard: &Rc<Heard>,
        report: &mut Report,
    ) -> Result<()> {
        let (mut wire, ann) = (Wire::open(near.port).await?, token("ann", "member")?);
        let (mut waits, mut last) = (Vec::new(), Vec::new());
        let before = far.cpu_s().unwrap_or(0.0);
        let mut booking = None;
        for _ in 0..self.changes {
            heard.at.borrow_mut().clear();
            let path = match &booking {
                None => format!("/v1/classes/{class}/bookings"),
                Some(id) => format!("/v1/bookings/{id}/cancel"),
            };
            let answer = wire.call(&request("POST", &path, &ann, None, "{}")).await?;
            let committed = Instant::now();
            let body: Value = serde_json::from_slice(answer.body)?;
            booking = match booking {
                None => Some(body["id"].as_str().ok_or("no booking")?.to_owned()),
                Some(_) => None,
            };
            timeout(CHANGE_MAX, async {
                while heard.at.borrow().len() < listeners {
                    heard.more.notified().await;
                }
            })
            .await
            .map_err(|_| format!("{} of {listeners} heard of a change", heard.at.borrow().len()))?;
            let ms = |at: &Instant| at.saturating_duration_since(committed).as_secs_f64() * 1000.0;
            let mut heard_ms: Vec<f64> = heard.at.borrow().iter().map(ms).collect();
            heard_ms.sort_by(f64::total_cmp);
            last.extend(heard_ms.last());
            waits.extend(heard_ms);
            sleep(PAUSE).await;
        }
        let deliveries = f64::from(self.changes) * listeners as f64;
        let cpu_us = (far.cpu_s().unwrap_or(0.0) - before) * 1e6 / deliveries.max(1.0);
        report.figure("fan-out p50, ms after the answer", vec![quantile(&waits, 0.5)]);
        report.figure("fan-out p99, ms", vec![quantile(&waits, 0.99)]);
        report.figure("last listener, ms", last);
        report.figure("CPU of a delivery, us", vec![cpu_us]);
        Ok(())
    }

    /// From a cancel to the frame on the promoted member's own socket.
    async fn promote(&self, chain: &mut Chain, near: &Service, far: &Service, report: &mut Report) -> Result<()> {
        let (one, two) = (token("p-1", "member")?, token("p-2", "member")?);
        for id in ["p-1", "p-2"] {
            chain.put_member(id).await?;
        }
        let class = chain.publish(1).await?;
        let mut wire = Wire::open(near.port).await?;
        let book = |token: &str| request("POST", &format!("/v1/classes/{class}/bookings"), token, None, "{}");
        let mut holder = (one, Socket::open(far.port, &token("p-1", "member")?, "me", false).await?);
        let mut waiter = (two, Socket::open(far.port, &token("p-2", "member")?, "me", false).await?);
        holder.1.until_patch().await?;
        waiter.1.until_patch().await?;
        let mut id = booked(wire.call(&book(&holder.0)).await?.body)?;
        holder.1.until_patch().await?;
        let mut waits = Vec::new();
        for _ in 0..self.promotions {
            let next = booked(wire.call(&book(&waiter.0)).await?.body)?;
            waiter.1.until_patch().await?;
            let path = format!("/v1/bookings/{id}/cancel");
            wire.call(&request("POST", &path, &holder.0, None, "{}")).await?;
            let committed = Instant::now();
            let heard = waiter.1.until_patch().await?;
            waits.push(heard.saturating_duration_since(committed).as_secs_f64() * 1000.0);
            holder.1.until_patch().await?;
            std::mem::swap(&mut holder, &mut waiter);
            id = next;
        }
        report.figure("promotion p50, ms after the answer", vec![quantile(&waits, 0.5)]);
        report.figure("promotion p99, ms", vec![quantile(&waits, 0.99)]);
        report.figure("promotion max, ms", vec![quantile(&waits, 1.0)]);
        Ok(())
    }
}

fn booked(body: &[u8]) -> Result<String> {
    let body: Value = serde_json::from_slice(body)?;
    Ok(body["id"].as_str().ok_or_else(|| format!("no booking: {body}"))?.to_owned())
}

/// One connection, upgraded.
struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Socket {
    /// Connects, says hello and listens to one topic. One that will never read has a small window.
    async fn open(port: u16, token: &str, topic: &str, stalled: bool) -> Result<Socket> {
        loop {
            let socket = TcpSocket::new_v4()?;
            if stalled {
                socket.set_recv_buffer_size(4 * 1024)?;
            }
            let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
            stream.set_nodelay(true)?;
            let upgrade = "GET /v1/live HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            stream.write_all(upgrade.as_bytes()).await?;
            let mut buffer = Vec::with_capacity(1024);
            let end = loop {
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Err("the upgrade was not answered".into());
                }
                if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end + 4;
                }
            };
            if buffer.starts_with(b"HTTP/1.1 503") {
                sleep(Duration::from_millis(200)).await;
                continue;
            }
            if !buffer.starts_with(b"HTTP/1.1 101") {
                return Err(String::from_utf8_lossy(&buffer).into_owned().into());
            }
            buffer.drain(..end);
            let mut socket = Socket { stream, buffer };
            socket.send(&json!({ "op": "hello", "token": token, "topics": { topic: 0 } }).to_string()).await?;
            return Ok(socket);
        }
    }

    /// A masked text frame; the mask is zero, which is one of those allowed.
    async fn send(&mut self, text: &str) -> Result<()> {
        let mut frame = vec![0x81, 0xfe];
        frame.extend(u16::try_from(text.len())?.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        Ok(self.stream.write_all(&frame).await?)
    }

    /// Waits for the next patch; when it had come.
    async fn until_patch(&mut self) -> Result<Instant> {
        loop {
            if let Some(text) = self.frame() {
                if text.starts_with(br#"{"op":"patch""#) {
                    return Ok(Instant::now());
                }
                if text.starts_with(br#"{"op":"ping""#) {
                    self.send(r#"{"op":"pong"}"#).await?;
                }
                continue;
            }
            if timeout(CHANGE_MAX, self.stream.read_buf(&mut self.buffer)).await?? == 0 {
                return Err("the service closed a socket".into());
            }
        }
    }

    /// Notes each patch until the connection ends.
    async fn listen(mut self, heard: Rc<Heard>) {
        self.buffer.shrink_to(512);
        loop {
            while let Some(text) = self.frame() {
                if text.starts_with(br#"{"op":"patch""#) {
                    heard.at.borrow_mut().push(Instant::now());
                    heard.more.notify_one();
                } else if text.starts_with(br#"{"op":"ping""#) && self.send(r#"{"op":"pong"}"#).await.is_err() {
                    return;
                }
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// The next whole frame of what has come.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let short = usize::from(*self.buffer.get(1)?);
        let (head, length) = match short {
            126 => (4, usize::from(u16::from_be_bytes([*self.buffer.get(2)?, *self.buffer.get(3)?]))),
            127 => (10, usize::try_from(u64::from_be_bytes(self.buffer.get(2..10)?.try_into().ok()?)).ok()?),
            length => (2, length),
        };
        let text = self.buffer.get(head..head + length)?.to_vec();
        self.buffer.drain(..head + length);
        Some(text)
    }
}

impl Service {
    /// What the service has in memory.
    fn memory_kb(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?)
    }
}
