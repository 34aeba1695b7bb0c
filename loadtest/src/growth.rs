//! Whether an operation costs more for all that has been: an organisation with a year behind it beside an empty one.
//!
//! The year is lived through the service's own functions with the instant passed to each: classes are published, booked,
//! checked in and closed day by day, and retention trims the event stream on the way. Then the same operations are
//! measured on both organisations in turns, on one Redis, one call after the other. Nothing is written to disk: that
//! costs both sides the same, and its swings would hide what is looked for.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use redis::{Cmd, Connection, Pipeline, Value};

use crate::Result;
use crate::ceiling;
use crate::chain::{Chain, ORG};
use crate::report::{Report, median};
use crate::stack::{Redis, Service};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Classes a day, spots in each, and how many of them are booked; one of these does not come, each time
/// another, so that nobody is banned.
const CLASSES: i64 = 40;
const SPOTS: i64 = 50;
const BOOKED: i64 = 35;
const NO_SHOWS: i64 = 1;
/// Every class of a day has members of its own.
const MEMBERS: i64 = CLASSES * SPOTS;

/// The events that retention keeps.
const EVENTS_MS: i64 = 14 * DAY_MS;

/// How many bookings, cancels and closings a round measures on each side.
const MEASURED: i64 = 400;
const CLOSINGS: i64 = 20;

/// Rounds lie further apart than strikes count, so that nobody is banned.
const ROUND_MS: i64 = 16 * DAY_MS;

/// Nobody repeats these calls, so their replies are not part of what is weighed.
const REMEMBERED_MS: i64 = 1;

/// After so long Redis has dropped the replies that have expired.
const EXPIRY: std::time::Duration = std::time::Duration::from_secs(3);

/// How growth is measured.
#[derive(clap::Args)]
pub struct Growth {
    /// Days that lie behind the grown organisation
    #[arg(long, default_value_t = 366, value_parser = clap::value_parser!(i64).range(1..=3660))]
    days: i64,
    /// How often each operation is measured on each side
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// An organisation, called function by function.
struct Org<'a> {
    redis: &'a mut Connection,
    anchor: String,
    hash: &'a str,
    /// The fields of a published class, and its start.
    class: &'a [(String, String)],
    start: i64,
    made: u64,
}

impl Growth {
    /// Lives the year, measures, and compares.
    pub async fn run(&self, program: &Path) -> Result<Report> {
        let server = Redis::start()?;
        let mut redis = server.connect()?;
        let (fields, start) = template(program, &server, &mut redis).await?;
        let hash = ceiling::function(&mut redis)?.split_once('_').map(|(_, hash)| hash.to_owned()).unwrap_or_default();
        let today = start / DAY_MS * DAY_MS;

        Cmd::new().arg("CONFIG").arg("SET").arg("appendonly").arg("no").exec(&mut redis)?;
        let mut org = Org { redis: &mut redis, anchor: String::new(), hash: &hash, class: &fields, start, made: 0 };
        org.found("empty")?;
        org.found("grown")?;
        let before = org.memory()?;
        let begun = Instant::now();
        for day in 0..self.days {
            org.live(today - (self.days - day) * DAY_MS)?;
        }
        let lived_s = begun.elapsed().as_secs_f64();
        std::thread::sleep(EXPIRY);
        let grown_bytes = org.memory()? - before;

        let mut report =
            Report::new(format!("an empty organisation and one of {} days, {} classes a day", self.days, CLASSES));
        let (classes, bookings) = (self.days * CLASSES, self.days * CLASSES * BOOKED);
        report.figure("bookings behind it", vec![bookings as f64]);
        report.figure("seconds to live them", vec![lived_s]);
        report.figure(
            "bytes in Redis a booking, classes and events included",
            vec![grown_bytes as f64 / bookings as f64],
        );
        report.figure("bytes in Redis a class, its bookings apart", vec![org.class_bytes(today, classes)?]);
        self.compare(&mut org, today, &mut report)?;
        Ok(report)
    }

    fn compare(&self, org: &mut Org<'_>, today: i64, report: &mut Report) -> Result<()> {
        let mut times: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
        for round in 0..self.rounds {
            let sides = if round % 2 == 0 { ["empty", "grown"] } else { ["grown", "empty"] };
            for side in sides {
                org.anchor = anchor(side);
                for (what, us) in org.measure(today + (i64::from(round) + 1) * ROUND_MS)? {
                    times.entry((what, side)).or_default().push(us);
                }
            }
        }
        for (what, empty, grown, ratio) in [
            ("book", "book on empty, us", "book on grown, us", "book: grown / empty"),
            ("cancel", "cancel on empty, us", "cancel on grown, us", "cancel: grown / empty"),
            ("close", "close on empty, us", "close on grown, us", "close: grown / empty"),
        ] {
            let of = |side| times.get(&(what, side)).cloned().unwrap_or_default();
            let (without, with) = (of("empty"), of("grown"));
            let ratios: Vec<f64> = with.iter().zip(&without).map(|(with, without)| with / without).collect();
            if median(&ratios) > 1.3 {
                report.broken(format!("{what} costs {:.2} times as much on the grown organisation", median(&ratios)));
            }
            report.figure(empty, without);
            report.figure(grown, with);
            report.figure(ratio, ratios);
        }
        Ok(())
    }
}

/// A class as the service publishes it; the service then ends, so that nothing ticks by the real clock.
async fn template(program: &Path, server: &Redis, redis: &mut Connection) -> Result<(Vec<(String, String)>, i64)> {
    let service = Service::start(program, server)?;
    let mut chain = Chain::found(service.port).await?;
    chain.put_member("template").await?;
    let id = chain.publish(u32::try_from(SPOTS)?).await?;
    let mut fields: Vec<(String, String)> = Cmd::hgetall(format!("rc:{{{ORG}}}:class:{id}")).query(redis)?;
    drop(service);
    let counters = ["booked", "offered", "waiting", "reserved", "checked_in", "ticket", "revision", "status"];
    fields.retain(|(name, _)| !counters.contains(&name.as_str()));
    let start = fields.iter().find(|(name, _)| name == "starts").ok_or("a class without a start")?.1.parse()?;
    Ok((fields, start))
}

fn anchor(org: &str) -> String {
    format!("rc:{{{org}}}:org")
}

impl Org<'_> {
    /// A writing function, called at an instant.
    fn call(&mut self, function: &str, now: i64, args: &[&str]) -> Cmd {
        self.made += 1;
        let mut call = Cmd::new();
        call.arg("FCALL").arg(format!("{function}_{}", self.hash)).arg(1).arg(&self.anchor);
        call.arg(now).arg("load").arg("staff").arg(format!("c{}", self.made)).arg("f").arg(REMEMBERED_MS);
        for arg in args {
            call.arg(arg);
        }
        call
    }

    fn expect(&mut self, call: &Cmd, tags: &[&str]) -> Result<Value> {
        let reply = self.finished(call)?;
        expected(&reply, tags)?;
        Ok(reply)
    }

    /// The answer of a call that may take several: a large change is carried out in bites.
    fn finished(&mut self, call: &Cmd) -> Result<Value> {
        loop {
            let reply: Value = call.query(self.redis)?;
            if expected(&reply, &["AGAIN", "BEGUN"]).is_err() {
                return Ok(reply);
            }
        }
    }

    /// Carries out everything due, as the ticker does.
    fn settle(&mut self, now: i64) -> Result<()> {
        let mut call = Cmd::new();
        call.arg("FCALL").arg(format!("carry_out_{}", self.hash)).arg(1).arg(&self.anchor).arg(now);
        while expected(&call.query(self.redis)?, &["SETTLED", "AGAIN"])? == "AGAIN" {}
        Ok(())
    }

    /// The organisation of the template under another name, with the members of the year.
    fn found(&mut self, name: &str) -> Result<()> {
        let stored: BTreeMap<String, String> = Cmd::hgetall(anchor(ORG)).query(self.redis)?;
        let of = |field: &str| stored.get(field).cloned().unwrap_or_default();
        let member: Vec<(String, String)> = Cmd::hgetall(format!("rc:{{{ORG}}}:member:template")).query(self.redis)?;
        self.anchor = anchor(name);
        let past = self.start - 4000 * DAY_MS;
        let args =
            [name, &of("zone"), &of("currency"), &of("policy"), &of("zone"), &of("currency"), &of("policy"), "", ""];
        let call = self.call("put_org", past, &args);
        self.expect(&call, &["ORG"])?;
        let call = self.call("put_club", past, &["main", "Main"]);
        self.expect(&call, &["CLUB"])?;
        for n in 0..MEMBERS {
            let id = format!("m{n}");
            let mut args = vec![id.as_str()];
            let known = [
                "name",
                "email",
                "phone",
                "born",
                "language",
                "plan",
                "status",
                "clips",
                "clips_revision",
                "valid_from",
                "valid_until",
                "clubs",
                "categories",
                "frozen",
                "index",
            ];
            for field in known {
                let value = member.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value);
                args.extend([field, if field == "index" { "[]" } else { value }]);
            }
            let call = self.call("put_member", past, &args);
            self.expect(&call, &["MEMBER"])?;
        }
        Ok(())
    }

    /// Publishes a class that starts at an instant.
    fn publish(&mut self, id: &str, starts: i64, now: i64) -> Result<()> {
        let shift = starts - self.start;
        let revision: String = Cmd::hget(&self.anchor, "revision").query(self.redis)?;
        let day = chrono::DateTime::from_timestamp_millis(starts).ok_or("an instant")?.date_naive().to_string();
        let instants = [
            "starts",
            "ends",
            "opens_at",
            "closes_at",
            "cancel_by",
            "promote_until",
            "decide_at",
            "check_in_opens",
            "check_in_due",
            "check_in_closes",
        ];
        let fields: Vec<(String, String)> = self
            .class
            .iter()
            .map(|(name, value)| {
                let value = match name.as_str() {
                    "date" => day.clone(),
                    name if instants.contains(&name) => (value.parse::<i64>().unwrap_or(0) + shift).to_string(),
                    _ => value.clone(),
                };
                (name.clone(), value)
            })
            .collect();
        let mut args = vec![id, &revision];
        args.extend(fields.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        let call = self.call("publish_class", now, &args);
        self.expect(&call, &["CLASS"]).map(|_| ())
    }

    /// One day: classes every twenty minutes from six, booked the day before.
    fn live(&mut self, midnight: i64) -> Result<()> {
        for n in 0..CLASSES {
            let starts = midnight + 6 * HOUR_MS + n * HOUR_MS / 3;
            let id = format!("d{}-{n}", midnight / DAY_MS);
            self.publish(&id, starts, starts - 6 * DAY_MS)?;
            let mut batch = Pipeline::new();
            let first = n * SPOTS + (midnight / DAY_MS) % (SPOTS - BOOKED);
            for m in 0..BOOKED {
                let (member, booking) = (format!("m{}", first + m), format!("{id}-{m}"));
                batch.add_command(self.call("book", starts - DAY_MS, &[&id, &member, &booking, "1", ""]));
            }
            for m in NO_SHOWS..BOOKED {
                batch.add_command(self.call("check_in", starts - HOUR_MS / 6, &[&format!("{id}-{m}"), ""]));
            }
            let replies: Vec<Value> = batch.query(self.redis)?;
            for reply in replies {
                expected(&reply, &["BOOKED", "CHECKED_IN", "AGAIN"])?;
            }
            self.settle(starts + HOUR_MS / 3)?;
        }
        self.settle(midnight + 3 * DAY_MS / 2)?;
        let cut = (midnight - EVENTS_MS).to_string();
        let mut trim = Cmd::new();
        trim.arg("FCALL").arg(format!("trim_{}", self.hash)).arg(1).arg(&self.anchor).arg(midnight).arg(&cut).arg(0);
        expected(&trim.query(self.redis)?, &["TRIMMED"]).map(|_| ())
    }

    /// Median microseconds of each operation.
    fn measure(&mut self, midnight: i64) -> Result<Vec<(&'static str, f64)>> {
        let now = midnight + 2 * DAY_MS;
        self.settle(now)?;
        let starts = midnight + 4 * DAY_MS;
        let mut times: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        for n in 0..CLOSINGS {
            let id = format!("x{}-{n}", midnight / DAY_MS);
            self.publish(&id, starts + n * HOUR_MS / 3, now)?;
            for m in 0..MEASURED / CLOSINGS {
                let (member, booking) = (format!("m{}", n * SPOTS + m), format!("{id}-{m}"));
                let call = self.call("book", now, &[&id, &member, &booking, "1", ""]);
                times.entry("book").or_default().push(self.timed(&call, "BOOKED")?);
            }
            for m in 0..MEASURED / CLOSINGS / 2 {
                let call = self.call("cancel", now, &[&format!("{id}-{m}"), "", "", ""]);
                times.entry("cancel").or_default().push(self.timed(&call, "CANCELLED")?);
            }
        }
        for n in 0..CLOSINGS {
            let id = format!("x{}-{n}", midnight / DAY_MS);
            let starts = starts + n * HOUR_MS / 3;
            let call = self.call("check_in", starts, &[&format!("{id}-{}", MEASURED / CLOSINGS - 1), ""]);
            self.expect(&call, &["CHECKED_IN"])?;
            let mut call = Cmd::new();
            call.arg("FCALL")
                .arg(format!("carry_out_{}", self.hash))
                .arg(1)
                .arg(&self.anchor)
                .arg(starts + HOUR_MS / 6);
            times.entry("close").or_default().push(self.timed(&call, "SETTLED")?);
        }
        Ok(times.into_iter().map(|(what, us)| (what, median(&us))).collect())
    }

    fn timed(&mut self, call: &Cmd, tag: &str) -> Result<f64> {
        let begun = Instant::now();
        let reply = self.finished(call)?;
        let us = begun.elapsed().as_secs_f64() * 1e6;
        expected(&reply, &[tag])?;
        Ok(us)
    }

    fn memory(&mut self) -> Result<i64> {
        let info: String = Cmd::new().arg("INFO").arg("memory").query(self.redis)?;
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).ok_or("used_memory")?;
        Ok(line.trim().parse()?)
    }

    /// The hash, sets and index entries of a class, averaged over some that are there.
    fn class_bytes(&mut self, today: i64, classes: i64) -> Result<f64> {
        let prefix = self.anchor.trim_end_matches("org").to_owned();
        let sampled = classes.min(CLASSES);
        let mut bytes = 0_i64;
        for n in 0..sampled {
            let id = format!("d{}-{n}", today / DAY_MS - 1);
            let size: Option<i64> =
                Cmd::new().arg("MEMORY").arg("USAGE").arg(format!("{prefix}class:{id}")).query(self.redis)?;
            bytes += size.unwrap_or(0);
        }
        Ok(bytes as f64 / sampled as f64)
    }
}

/// The reply's tag, which must be one of those.
fn expected(reply: &Value, tags: &[&str]) -> Result<String> {
    let tag = match reply {
        Value::Array(items) => {
            items.first().cloned().map(redis::from_redis_value::<String>).transpose()?.unwrap_or_default()
        }
        _ => String::new(),
    };
    if tags.contains(&tag.as_str()) { Ok(tag) } else { Err(format!("{tags:?} was expected, not {reply:?}").into()) }
}
