//! Bookings a second: through HTTP, and by Redis alone, in turns on the same server.
//!
//! Each round has a Redis and an instance of the service of its own, so that rounds are alike. Within a round both ways
//! book members who have no booking yet into classes that have room; every other round begins with the other way.
//! Every booking is durable when it is answered. Whatever is answered otherwise than 201 fails the run.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use redis::{Cmd, Connection};
use tokio::task::LocalSet;

use crate::Result;
use crate::ceiling::{self, MEMBER_PREFIX};
use crate::chain::{Chain, ORG, token};
use crate::members;
use crate::report::{Report, quantile};
use crate::stack::{Redis, Service, own_cpu_s};
use crate::wire::{Wire, request};

/// The most a class may have; the next booking goes to the next class.
const CAPACITY: u32 = 5_000;

const TEMPLATE: &str = "template";

/// How bookings a second are measured.
#[derive(clap::Args)]
pub struct Load {
    /// Callers with one request under way each
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    callers: u32,
    /// How long one measurement takes, about
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// How often each way is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Members that redis-benchmark draws from
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    members: u32,
}

/// One round's processes and what has been used up of them.
struct Round {
    redis: Redis,
    service: Service,
    connection: Connection,
    chain: Chain,
    function: String,
    /// Members made for callers so far.
    made: u32,
}

/// One measurement.
#[derive(Default)]
struct Measured {
    /// Calls, and what of them booked.
    calls: u32,
    booked: u32,
    seconds: f64,
    waits_ms: Vec<f64>,
    /// Answers other than 201, by status.
    others: BTreeMap<u16, u32>,
    inside_us: f64,
    redis_cpu_us: Option<f64>,
    service_cpu_us: Option<f64>,
    own_cpu_us: Option<f64>,
}

impl Load {
    /// Measures, and says what was answered otherwise than it should.
    pub async fn run(&self, program: &Path) -> Result<Report> {
        let (mut http, mut alone) = (Vec::new(), Vec::new());
        for n in 0..self.rounds {
            let mut round = Round::begin(program, self.members).await?;
            // What a second holds is not known before.
            let warm = round.http(self.callers, CAPACITY).await?;
            let http_calls = self.calls(&warm);
            let alone_calls = self.calls(&round.alone(CAPACITY, self.members).await?);
            if n % 2 == 0 {
                http.push(round.http(self.callers, http_calls).await?);
                alone.push(round.alone(alone_calls, self.members).await?);
            } else {
                alone.push(round.alone(alone_calls, self.members).await?);
                http.push(round.http(self.callers, http_calls).await?);
            }
        }
        Ok(self.report(&http, &alone))
    }

    /// Whole classes for as long as asked.
    fn calls(&self, warm: &Measured) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ten thousand")]
        let classes = (warm.a_second() * f64::from(self.seconds) / f64::from(CAPACITY)).ceil() as u32;
        classes.max(1) * CAPACITY
    }

    fn report(&self, http: &[Measured], alone: &[Measured]) -> Report {
        let Load { callers, seconds, rounds, .. } = self;
        let mut report = Report::new(format!(
            "bookings, durable when answered: {rounds} rounds of {seconds} s each way, {callers} callers through HTTP, \
             redis-benchmark -c {} -P 1 calling the same function",
            ceiling::CONNECTIONS
        ));
        let each = |of: &[Measured], figure: fn(&Measured) -> f64| of.iter().map(figure).collect::<Vec<f64>>();
        let known = |of: &[Measured], figure: fn(&Measured) -> Option<f64>| of.iter().filter_map(figure).collect();
        let ratios = http.iter().zip(alone).map(|(http, alone)| http.a_second() / alone.a_second()).collect();
        report.figure("through HTTP, bookings/s", each(http, Measured::a_second));
        report.figure("Redis alone, calls/s", each(alone, Measured::a_second));
        report.figure("ratio", ratios);
        report.figure("through HTTP, p50 ms", each(http, |one| quantile(&one.waits_ms, 0.5)));
        report.figure("through HTTP, p99 ms", each(http, |one| quantile(&one.waits_ms, 0.99)));
        report.figure("function, µs a call, under HTTP", each(http, |one| one.inside_us));
        report.figure("function, µs a call, alone", each(alone, |one| one.inside_us));
        report.figure("Redis CPU, µs a booking, under HTTP", known(http, |one| one.redis_cpu_us));
        report.figure("Redis CPU, µs a call, alone", known(alone, |one| one.redis_cpu_us));
        report.figure("service CPU, µs a booking", known(http, |one| one.service_cpu_us));
        report.figure("generator CPU, µs a booking", known(http, |one| one.own_cpu_us));
        report.figure("calls of redis-benchmark that booked, %", each(alone, Measured::booked_percent));
        for one in http {
            for (status, count) in &one.others {
                report.broken(format!("{count} of {} requests were answered {status} instead of 201", one.calls));
            }
            if one.booked != one.calls {
                report.broken(format!("the classes count {} bookings after {} requests", one.booked, one.calls));
            }
        }
        report
    }
}

impl Measured {
    fn a_second(&self) -> f64 {
        f64::from(self.calls) / self.seconds
    }

    fn booked_percent(&self) -> f64 {
        100.0 * f64::from(self.booked) / f64::from(self.calls)
    }
}

impl Round {
    async fn begin(program: &Path, members: u32) -> Result<Round> {
        let redis = Redis::start()?;
        let service = Service::start(program, &redis)?;
        let mut connection = redis.connect()?;
        let mut chain = Chain::found(service.port).await?;
        chain.put_member(TEMPLATE).await?;
        members::copy(&mut connection, TEMPLATE, (0..members).map(|n| format!("{MEMBER_PREFIX}{n:012}")))?;
        let function = ceiling::function(&mut connection)?;
        Ok(Round { redis, service, connection, chain, function, made: 0 })
    }

    /// So many bookings by callers over HTTP, of members of their own, in an order of no order.
    async fn http(&mut self, callers: u32, calls: u32) -> Result<Measured> {
        let classes = self.classes(calls).await?;
        let fresh = self.made..self.made + calls;
        self.made = fresh.end;
        let ids: Vec<String> = fresh.map(|n| format!("h-{n:012}")).collect();
        members::copy(&mut self.connection, TEMPLATE, ids.iter().cloned())?;
        let mut requests = Vec::with_capacity(ids.len());
        for (n, member) in shuffled(ids).into_iter().enumerate() {
            let path = format!("/v1/classes/{}/bookings", classes[n / CAPACITY as usize]);
            let key = format!("{:012}-{:012}", self.made, n);
            requests.push(request("POST", &path, &token(&member, "member")?, Some(&key), "{}"));
        }
        let before = self.usage()?;
        let mut measured = fire(self.service.port, callers, requests).await?;
        self.account(&mut measured, before, &classes)?;
        Ok(measured)
    }

    /// So many calls of the function itself.
    async fn alone(&mut self, calls: u32, members: u32) -> Result<Measured> {
        let classes = self.classes(calls).await?;
        let mut measured = Measured { calls, ..Measured::default() };
        let before = self.usage()?;
        for class in &classes {
            measured.seconds += ceiling::call(&self.redis.socket(), &self.function, class, CAPACITY, members)?;
        }
        self.account(&mut measured, before, &classes)?;
        Ok(measured)
    }

    /// Fresh classes with room for so many.
    async fn classes(&mut self, calls: u32) -> Result<Vec<String>> {
        let mut classes = Vec::new();
        for _ in 0..calls.div_ceil(CAPACITY) {
            classes.push(self.chain.publish(CAPACITY).await?);
        }
        Ok(classes)
    }

    /// CPU seconds of Redis, the service and this program; forgets what Redis counted so far.
    fn usage(&mut self) -> Result<[Option<f64>; 3]> {
        Cmd::new().arg("CONFIG").arg("RESETSTAT").exec(&mut self.connection)?;
        Ok([self.redis.cpu_s(), self.service.cpu_s(), own_cpu_s()])
    }

    fn account(&mut self, measured: &mut Measured, before: [Option<f64>; 3], classes: &[String]) -> Result<()> {
        let calls = f64::from(measured.calls);
        let after = [self.redis.cpu_s(), self.service.cpu_s(), own_cpu_s()];
        let used = |n: usize| Some((after[n]? - before[n]?) * 1e6 / calls);
        (measured.redis_cpu_us, measured.service_cpu_us, measured.own_cpu_us) = (used(0), used(1), used(2));
        let stats: String = Cmd::new().arg("INFO").arg("commandstats").query(&mut self.connection)?;
        let fcall = stats.lines().find_map(|line| line.strip_prefix("cmdstat_fcall:")).unwrap_or_default();
        let inside = fcall.split(',').find_map(|figure| figure.strip_prefix("usec_per_call="));
        measured.inside_us = inside.and_then(|us| us.parse().ok()).ok_or("Redis counted no calls")?;
        for class in classes {
            let key = format!("rc:{{{ORG}}}:class:{class}");
            let booked: u32 = Cmd::hget(key, "booked").query(&mut self.connection)?;
            measured.booked += booked;
        }
        Ok(())
    }
}

/// Callers on a connection each take the next request until there is none.
async fn fire(port: u16, callers: u32, requests: Vec<Vec<u8>>) -> Result<Measured> {
    let calls = u32::try_from(requests.len())?;
    let measured = Rc::new(RefCell::new(Measured { calls, ..Measured::default() }));
    measured.borrow_mut().waits_ms.reserve(requests.len());
    let (requests, next) = (Rc::new(requests), Rc::new(Cell::new(0)));
    let tasks = LocalSet::new();
    let mut calling = Vec::new();
    for _ in 0..callers {
        let mut wire = Wire::open(port).await?;
        let (requests, next, measured) = (Rc::clone(&requests), Rc::clone(&next), Rc::clone(&measured));
        calling.push(tasks.spawn_local(async move {
            while let Some(request) = requests.get(next.replace(next.get() + 1)) {
                let sent = Instant::now();
                let status = wire.call(request).await?.status;
                let mut measured = measured.borrow_mut();
                measured.waits_ms.push(sent.elapsed().as_secs_f64() * 1000.0);
                if status != 201 {
                    *measured.others.entry(status).or_default() += 1;
                }
            }
            Ok::<_, std::io::Error>(())
        }));
    }
    let begun = Instant::now();
    tasks
        .run_until(async {
            for caller in calling {
                caller.await??;
            }
            Ok::<_, Box<dyn std::error::Error>>(())
        })
        .await?;
    let seconds = begun.elapsed().as_secs_f64();
    let mut measured = measured.take();
    measured.seconds = seconds;
    Ok(measured)
}

/// The same ids in another order, the same each time.
fn shuffled(mut ids: Vec<String>) -> Vec<String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for n in (1..ids.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        #[expect(clippy::cast_possible_truncation, reason = "below n")]
        ids.swap(n, (state % (n as u64 + 1)) as usize);
    }
    ids
}
