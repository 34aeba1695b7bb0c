//! From a cancel to the frame on the promoted member's own socket at another instance, while others book.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use super::bookers::{Bookers, Pace, member};
use super::socket::{ROLLCALL, Socket};
use super::stage::hello;
use crate::Result;
use crate::chain::{Chain, token};
use crate::report::{Report, quantile};
use crate::stack::{Redis, Service};
use crate::wire::{Wire, request};

/// Room for every caller.
const CAPACITY: u32 = 5_000;

/// How many promotions are timed, and what goes on meanwhile.
#[derive(clap::Args)]
pub struct Promotions {
    /// Promotions that are timed
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    promotions: u32,
    /// Bookings and cancels of others meanwhile, a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    per_s: u32,
    /// Members who make them
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    callers: u32,
}

/// One of two members who take turns on a class of one spot.
struct Rival {
    token: String,
    socket: Socket,
}

impl Promotions {
    pub async fn run(&self, program: &Path) -> Result<Report> {
        let redis = Redis::start()?;
        let (near, far) = (Service::start(program, &redis)?, Service::start(program, &redis)?);
        let mut chain = Chain::found(near.port).await?;
        let (class, others) = (chain.publish(1).await?, chain.publish(CAPACITY).await?);
        for n in 0..self.callers {
            chain.put_member(&member(n)).await?;
        }
        let (mut holder, mut waiter) =
            (Rival::new(&mut chain, "p-1", &far).await?, Rival::new(&mut chain, "p-2", &far).await?);
        let mut wire = Wire::open(near.port).await?;
        let mut id = holder.books(&mut wire, &class).await?;
        let pace = Pace { ports: vec![near.port], classes: vec![others], callers: self.callers, per_s: self.per_s };
        let (bookers, begun) = (Bookers::start(pace), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..self.promotions {
            let next = waiter.books(&mut wire, &class).await?;
            let cancel = request("POST", &format!("/v1/bookings/{id}/cancel"), &holder.token, None, "{}");
            wire.call(&cancel).await?;
            let answered = Instant::now();
            waiter.hears("booking_promoted").await?;
            waits.push(answered.elapsed().as_secs_f64() * 1000.0);
            holder.hears("booking_cancelled").await?;
            std::mem::swap(&mut holder, &mut waiter);
            id = next;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let done = bookers.stop()?;
        let mut report = Report::new(format!(
            "{} promotions, each from the cancel's answer at one instance to the frame on the promoted member's socket \
             at another",
            self.promotions
        ));
        report.figure("promotion p50, ms", vec![quantile(&waits, 0.5)]);
        report.figure("promotion p99, ms", vec![quantile(&waits, 0.99)]);
        report.figure("promotion max, ms", vec![quantile(&waits, 1.0)]);
        let booking: Vec<f64> = done.waits.iter().map(|(_, wait)| *wait).collect();
        report.figure("other bookings and cancels, a second", vec![booking.len() as f64 / seconds]);
        report.figure("their p50, ms", vec![quantile(&booking, 0.5)]);
        report.figure("their p99, ms", vec![quantile(&booking, 0.99)]);
        if done.repeats > 0 {
            report.broken(format!("{} calls had to be repeated", done.repeats));
        }
        Ok(report)
    }
}

impl Rival {
    async fn new(chain: &mut Chain, id: &str, far: &Service) -> Result<Rival> {
        chain.put_member(id).await?;
        let mut socket = Socket::open(far.port, ROLLCALL).await?;
        socket.send(&hello(id, "member", "me")?).await?;
        socket.until(ROLLCALL.change).await?;
        Ok(Rival { token: token(id, "member")?, socket })
    }

    /// Books, or joins the waitlist, and hears of it.
    async fn books(&mut self, wire: &mut Wire, class: &str) -> Result<String> {
        let call = request("POST", &format!("/v1/classes/{class}/bookings"), &self.token, None, "{}");
        let body: Value = serde_json::from_slice(wire.call(&call).await?.body)?;
        let id = body["id"].as_str().ok_or_else(|| format!("no booking: {body}"))?.to_owned();
        self.socket.until(ROLLCALL.change).await?;
        Ok(id)
    }

    /// Waits for the patch that names the event.
    async fn hears(&mut self, event: &str) -> Result<()> {
        let named = format!(r#""event":"{event}""#);
        loop {
            let patch = self.socket.until(ROLLCALL.change).await?;
            if patch.windows(named.len()).any(|window| window == named.as_bytes()) {
                return Ok(());
            }
        }
    }
}
