//! The ticker with several instances, one of them stopped in mid-work: each item exactly once.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::Commands;
use serde_json::json;

use crate::story::{Story, strict};
use crate::support::api::Named;
use crate::support::service::SECRET;

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
