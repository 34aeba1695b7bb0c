//! The ticker with several instances: each item exactly once, also when one of them is stopped in mid-work or gone, and
//! at rest next to no work for Redis. The keeper: one instance an hour.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::Commands;
use rollcall::jobs::keeper::Keeper;
use serde_json::json;

use crate::story::{Story, strict};
use crate::support::api::{Named, World, token};
use crate::support::redis::{Keeps, Redis};
use crate::support::service::{SECRET, Service};

/// Classes that start a minute apart, so that something falls due again and again.
const CLASSES: usize = 30;

/// Another instance, as a process that can be stopped and continued.
struct Process(Child);

impl Process {
    fn on(redis: &str, data: &std::path::Path) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--redis-url", redis, "--jwt-secret", SECRET])
            .arg("--data-dir")
            .arg(data);
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_instances_and_one_of_them_stopped_close_each_class_once() {
    let mut patch = strict();
    patch["booking"]["allow_overlap"] = json!(true);
    let story = Story::under(patch).await;
    let members = [story.org.member("ann").await, story.org.member("bob").await, story.org.member("cid").await];
    let mut classes = Vec::new();
    for n in 0..CLASSES {
        let class = story.org.class(json!({ "starts_at": format!("2026-03-03T12:{n:02}:00Z"), "capacity": 2 })).await;
        for member in &members[..2] {
            member.books(&class).await;
        }
        members[2].queues_for(&class).await;
        classes.push(class);
    }
    let data = tempfile::tempdir().unwrap();
    let url = story.world.redis().url();
    let processes = [Process::on(&url, data.path()), Process::on(&url, data.path())];
    // The clock is set behind the service's back: nothing but a ticker carries out what falls due.
    let anchor = format!("rc:{{{}}}:org", story.org.id);
    let client = redis::Client::open(url.replacen("unix://", "redis+unix://", 1)).unwrap();
    let mut raw = client.get_connection().unwrap();
    let noon = 1_772_539_200_000_i64;
    for minute in 0..CLASSES as i64 + 12 {
        let _: () = raw.hset(&anchor, "clock", noon + minute * 60_000).unwrap();
        let stopped = &processes[minute as usize % 2];
        stopped.signal("-STOP");
        tokio::time::sleep(Duration::from_millis(60)).await;
        stopped.signal("-CONT");
    }
    let timers = anchor.replace(":org", ":timers");
    let end = noon + (CLASSES as i64 + 11) * 60_000;
    let begun = Instant::now();
    while raw.zcount::<_, _, _, u64>(&timers, "-inf", end).unwrap() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the tickers leave things undone");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for class in &classes {
        for (event, times) in
            [("class_started", 1), ("no_show_recorded", 2), ("fee_charged", 2), ("waitlist_lapsed", 1)]
        {
            assert_eq!(story.told(class, event).await, times, "{event} of {}", class.id());
        }
    }
    assert_eq!(story.ledger().await.len(), 2 * CLASSES);
    assert_eq!(story.standing(&members[0]).await["strikes"].as_array().unwrap().len(), CLASSES);
    assert_eq!(story.standing(&members[0]).await["banned_until"], "2026-03-17T13:29:00+01:00");
}

fn raw(redis: &Redis) -> redis::Connection {
    let url = redis.url().replacen("unix://", "redis+unix://", 1);
    redis::Client::open(url).unwrap().get_connection().unwrap()
}

/// Everything Redis was ever asked, what functions asked it for included.
fn calls(raw: &mut redis::Connection) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(raw).unwrap();
    let count = |line: &str| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok();
    stats.lines().filter_map(count).sum()
}

async fn puts(service: &Service, path: &str, token: &str, body: serde_json::Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = http.put(format!("{}{path}", service.url())).bearer_auth(token).json(&body).send().await.unwrap();
    assert!(sent.status().is_success(), "{path}: {}", sent.status());
}

/// The old ticker settled each organisation four times a second from each instance.
const SETTLED_EACH_SECOND: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn instances_at_rest_ask_redis_little_however_many_organisations_there_are() {
    const ORGS: u64 = 200;
    const IDLE_S: u64 = 4;
    let redis = Redis::start(Keeps::Nothing);
    let services = [Service::on(&redis), Service::on(&redis), Service::on(&redis)];
    let operator = token("operator", "operator", None);
    for number in 0..ORGS {
        puts(&services[0], &format!("/v1/orgs/org-{number}"), &operator, json!({ "name": "Gym" })).await;
    }
    let mut raw = raw(&redis);
    // Each instance looks once at organisations it has not seen before; what it costs from then on is counted.
    let mut asked = u64::MAX;
    for _ in 0..3 {
        let before = calls(&mut raw);
        tokio::time::sleep(Duration::from_secs(IDLE_S)).await;
        asked = asked.min(calls(&mut raw) - before);
    }
    let formerly = ORGS * services.len() as u64 * SETTLED_EACH_SECOND * IDLE_S;
    assert!(asked * 20 < formerly, "{asked} calls; formerly {formerly} and what they asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_left_behind_is_announced_by_another() {
    let redis = Redis::start(Keeps::Everything);
    let alive = Service::on(&redis);
    let gone = Service::on(&redis);
    let (operator, desk) = (token("operator", "operator", None), token("desk", "staff", Some("gym")));
    puts(&gone, "/v1/orgs/gym", &operator, json!({ "name": "Gym" })).await;
    puts(&gone, "/v1/clubs/main", &desk, json!({ "name": "Main" })).await;
    let mut raw = raw(&redis);
    // Booking opens in two seconds, by the running clock; only the instance that goes has heard of it.
    let opens_at = chrono::Utc::now() + chrono::TimeDelta::seconds(2);
    let class = json!({
        "id": "early", "club": "main", "title": "Yoga", "starts_at": opens_at + chrono::TimeDelta::days(1), "minutes": 60,
        "capacity": 5, "minimum": 0, "policy": { "booking": { "opens": { "before": "P1D" } } },
    });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let made = http.post(format!("{}/v1/classes", gone.url())).bearer_auth(&desk).json(&class).send().await.unwrap();
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
    drop(gone);
    let begun = Instant::now();
    while raw.hget::<_, _, String>("rc:{gym}:class:early", "status").unwrap() != "open" {
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody opened the class");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(alive);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_kept_by_one_instance_an_hour() {
    let world = World::with(2, Keeps::Everything).await;
    let org = world.org("standard").await;
    let id = org.id.parse().unwrap();
    let keepers: Vec<Keeper> = world.services().iter().map(|service| Keeper::new(service.store.clone())).collect();
    let mut raw = raw(world.redis());
    let claim = format!("rc:kept:{}", org.id);
    // The instances' own keepers may have been by.
    let _: () = raw.del(&claim).unwrap();
    let kept = [keepers[0].keep_if_due(&id).await.unwrap(), keepers[1].keep_if_due(&id).await.unwrap()];
    assert_eq!(kept, [true, false]);
    assert!(
        (1..=3_600_000).contains(&raw.pttl::<_, i64>(&claim).unwrap()),
        "an instance that died gives the turn back"
    );
    keepers[1].run_once().await.unwrap();
}
