//! The race: more members than spots, all at once, through several instances over one Redis.
//!
//! Afterwards nothing may be off: exactly the spots are booked, the waitlist is exactly full and in the order in which
//! its members joined, every caller was answered, and `rollcall check` finds every invariant kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Instant;

use serde_json::Value;
use tokio::sync::Barrier;
use tokio::task::LocalSet;

use crate::Result;
use crate::chain::{Chain, token};
use crate::report::{Report, quantile};
use crate::stack::{Redis, Service};
use crate::wire::{Wire, request};

/// Open files that are not callers' connections.
const OTHER_FILES: usize = 64;

/// Connections where the system does not tell how many files may be open.
const CONNECTIONS_ANYWHERE: usize = 192;

/// How members race for the spots of one class.
#[derive(clap::Args)]
pub struct Race {
    /// Callers, each a member of their own
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    members: u32,
    /// Spots of the class
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=5000))]
    spots: u32,
    /// Instances of the service, on one Redis
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    instances: u32,
}

/// What a caller was told.
struct Told {
    member: String,
    status: u16,
    /// The booking's status, or the code of the problem.
    outcome: String,
    position: Option<u64>,
    took_ms: f64,
}

impl Race {
    /// Runs the race and judges it.
    pub async fn run(&self, program: &Path) -> Result<Report> {
        let redis = Redis::start()?;
        let services: Result<Vec<Service>> = (0..self.instances).map(|_| Service::start(program, &redis)).collect();
        let services = services?;
        let mut chain = Chain::found(services.first().ok_or("there is no instance")?.port).await?;
        let class = chain.publish(self.spots).await?;
        for n in 0..self.members {
            chain.put_member(&member(n)).await?;
        }
        let begun = Instant::now();
        let told = self.race(&services, &class).await?;
        let took_ms = begun.elapsed().as_secs_f64() * 1000.0;

        let mut report = Report::new(format!(
            "{} members for {} spots, {} instances over one Redis",
            self.members, self.spots, self.instances
        ));
        self.judge(&told, &mut report);
        let standing = Standing::read(&mut chain, &class).await?;
        standing.judge(self.spots, &told, &mut report);
        for line in check(program, &redis)? {
            report.broken(format!("rollcall check: {line}"));
        }
        let count = |outcome: &str| vec![told.iter().filter(|told| told.outcome == outcome).count() as f64];
        let waits: Vec<f64> = told.iter().map(|told| told.took_ms).collect();
        report.figure("booked", count("booked"));
        report.figure("waitlisted", count("waitlisted"));
        report.figure("refused: waitlist_full", count("waitlist_full"));
        report.figure("answered", vec![told.len() as f64]);
        report.figure("all answered after, ms", vec![took_ms]);
        report.figure("answer p50, ms", vec![quantile(&waits, 0.5)]);
        report.figure("answer p99, ms", vec![quantile(&waits, 0.99)]);
        Ok(report)
    }

    /// Everybody calls at once, on a connection of their own where the system allows as many.
    async fn race(&self, services: &[Service], class: &str) -> Result<Vec<Told>> {
        let callers = (self.members as usize).min(connections_max());
        let start = Rc::new(Barrier::new(callers));
        let tasks = LocalSet::new();
        let mut racing = Vec::with_capacity(callers);
        for caller in 0..callers {
            let mut wire = Wire::open(services[caller % services.len()].port).await?;
            let mut calls = Vec::new();
            for member in (caller..self.members as usize).step_by(callers).map(|n| member(n as u32)) {
                let path = format!("/v1/classes/{class}/bookings");
                calls.push((request("POST", &path, &token(&member, "member")?, Some("race"), "{}"), member));
            }
            let start = Rc::clone(&start);
            racing.push(tasks.spawn_local(async move {
                start.wait().await;
                let mut told = Vec::with_capacity(calls.len());
                for (call, member) in calls {
                    told.push(ask(&mut wire, &call, member).await?);
                }
                Ok::<_, std::io::Error>(told)
            }));
        }
        let mut all = Vec::with_capacity(self.members as usize);
        tasks
            .run_until(async {
                for racer in racing {
                    all.extend(racer.await??);
                }
                Ok::<_, Box<dyn std::error::Error>>(())
            })
            .await?;
        Ok(all)
    }

    /// Judges what the callers were told.
    fn judge(&self, told: &[Told], report: &mut Report) {
        if told.len() != self.members as usize {
            report.broken(format!("{} of {} callers were answered", told.len(), self.members));
        }
        let expected = ["booked", "waitlisted", "waitlist_full"];
        for odd in told.iter().filter(|told| !expected.contains(&told.outcome.as_str())) {
            report.broken(format!("{} was answered {} {}", odd.member, odd.status, odd.outcome));
        }
    }
}

async fn ask(wire: &mut Wire, call: &[u8], member: String) -> std::io::Result<Told> {
    let begun = Instant::now();
    let answer = wire.call(call).await?;
    let body: Value = serde_json::from_slice(answer.body).unwrap_or_default();
    let word = if answer.status == 201 { &body["status"] } else { &body["code"] };
    let outcome = word.as_str().unwrap_or("nothing that can be read").to_owned();
    let took_ms = begun.elapsed().as_secs_f64() * 1000.0;
    Ok(Told { member, status: answer.status, outcome, position: body["position"].as_u64(), took_ms })
}

fn member(n: u32) -> String {
    format!("m-{n:06}")
}

/// How the class stands after the race.
struct Standing {
    class: Value,
    booked: Vec<String>,
    /// Members and the positions shown, as listed.
    waitlist: Vec<(String, u64)>,
    /// The members who joined the waitlist, as the class's history has them.
    joined: Vec<String>,
    waitlist_max: u64,
}

impl Standing {
    async fn read(chain: &mut Chain, class: &str) -> Result<Standing> {
        let roster = chain.get(&format!("/v1/classes/{class}/roster")).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |list: &Value| list.as_array().cloned().unwrap_or_default();
        let waits = |entry: &Value| (text(&entry["member"]), entry["position"].as_u64().unwrap_or(0));
        let mut joined = Vec::new();
        let mut after = String::new();
        loop {
            let page = chain.get(&format!("/v1/classes/{class}/history?limit=200{after}")).await?;
            let lines = list(&page["items"]);
            joined.extend(
                lines.iter().filter(|line| line["event"] == "waitlist_joined").map(|line| text(&line["member"])),
            );
            match page["next"].as_str() {
                Some(next) => after = format!("&cursor={next}"),
                None => break,
            }
        }
        let org = chain.get("/v1/org").await?;
        Ok(Standing {
            booked: list(&roster["bookings"]).iter().map(|entry| text(&entry["member"])).collect(),
            waitlist: list(&roster["waitlist"]).iter().map(waits).collect(),
            class: roster["class"].clone(),
            joined,
            waitlist_max: org["policy"]["waitlist"]["max"].as_u64().ok_or("the policy has no waitlist.max")?,
        })
    }

    fn judge(&self, spots: u32, told: &[Told], report: &mut Report) {
        let mut same = |what: &str, found: u64, expected: u64| {
            if found != expected {
                report.broken(format!("{what}: {found} instead of {expected}"));
            }
        };
        let members = told.len() as u64;
        let booked = u64::from(spots).min(members);
        let waiting = self.waitlist_max.min(members - booked);
        let of = |outcome: &str| told.iter().filter(|told| told.outcome == outcome).count() as u64;
        same("callers told they are booked", of("booked"), booked);
        same("callers told they wait", of("waitlisted"), waiting);
        same("bookings on the roster", self.booked.len() as u64, booked);
        same("bookings on the waitlist", self.waitlist.len() as u64, waiting);
        same("the class's booked", self.class["booked"].as_u64().unwrap_or(0), booked);
        same("the class's waiting", self.class["waiting"].as_u64().unwrap_or(0), waiting);
        same("waitlist_joined in the history", self.joined.len() as u64, waiting);
        for (index, (member, position)) in self.waitlist.iter().enumerate() {
            same(&format!("the position shown for {member}"), *position, index as u64 + 1);
        }
        let in_order: Vec<&String> = self.waitlist.iter().map(|(member, _)| member).collect();
        if in_order != self.joined.iter().collect::<Vec<_>>() {
            report.broken("the waitlist is not in the order in which its members joined".to_owned());
        }
        let told_position: BTreeMap<u64, &str> =
            told.iter().filter_map(|told| told.position.map(|position| (position, told.member.as_str()))).collect();
        let listed: BTreeMap<u64, &str> = self.waitlist.iter().map(|(member, at)| (*at, member.as_str())).collect();
        if told_position != listed {
            report.broken("callers were told other positions than the waitlist has".to_owned());
        }
    }
}

/// The broken invariants that `rollcall check` reports.
pub fn check(program: &Path, redis: &Redis) -> Result<Vec<String>> {
    let said = Command::new(program).args(["check", "--url", &redis.url()]).output()?;
    if said.status.success() {
        return Ok(Vec::new());
    }
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    Ok(text.lines().map(str::to_owned).collect())
}

/// How many connections may be open, by the soft limit on open files.
fn connections_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|rest| rest.split_whitespace().next()).and_then(|soft| soft.parse::<usize>().ok());
    soft.map_or(CONNECTIONS_ANYWHERE, |soft| soft.saturating_sub(OTHER_FILES).max(1))
}
