//! Instances and Redis are killed while members book and screens listen. Afterwards every document that a screen built
//! equals what the API shows, and every member has exactly what was acknowledged.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::{Instant, sleep};

use super::bookers::{Bookers, Done, Pace, member};
use super::expected::{bookings, difference, expected};
use super::screen::{Counts, Screen};
use crate::Result;
use crate::chain::Chain;
use crate::race::check;
use crate::report::Report;
use crate::stack::{Redis, Service};

/// Few spots, so that many wait and are promoted.
const CAPACITY: u32 = 10;
const CLASSES: u32 = 4;

/// How long what was killed stays away.
const AWAY: Duration = Duration::from_secs(1);

/// When nothing happens any more, a screen shows what is so after so long at most.
const SETTLE: Duration = Duration::from_secs(15);

/// Who books and listens, and for how long.
#[derive(clap::Args)]
pub struct Faults {
    /// Members who book and cancel, each with a screen of their own
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u32).range(1..=80))]
    members: u32,
    /// Their calls, a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    per_s: u32,
    /// Screens of the desk, which show the rosters
    #[arg(long, default_value_t = 20)]
    desks: u32,
    /// How long it goes on
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(8..))]
    seconds: u32,
}

impl Faults {
    pub async fn run(&self, program: &Path) -> Result<Report> {
        LocalSet::new().run_until(self.survived(program)).await
    }

    async fn survived(&self, program: &Path) -> Result<Report> {
        let mut redis = Redis::start()?;
        let mut services = [Service::start(program, &redis)?, Service::start(program, &redis)?];
        let ports = [services[0].port, services[1].port];
        let mut chain = Chain::found(ports[0]).await?;
        let mut classes = Vec::new();
        for _ in 0..CLASSES {
            classes.push(chain.publish(CAPACITY).await?);
        }
        for n in 0..self.members {
            chain.put_member(&member(n)).await?;
        }
        let end = Instant::now() + Duration::from_secs(self.seconds.into());
        let screens: Vec<JoinHandle<Screen>> = self
            .screens(&ports, &classes)?
            .into_iter()
            .map(|mut screen| {
                tokio::task::spawn_local(async move {
                    screen.listen(end, |_| false).await;
                    screen
                })
            })
            .collect();
        let bookers = Bookers::start(Pace { ports: ports.to_vec(), classes, callers: self.members, per_s: self.per_s });
        let between = Duration::from_secs(self.seconds.into()) / 4;
        sleep(between).await;
        services[0].kill();
        sleep(AWAY).await;
        services[0].revive(program, &redis)?;
        sleep(between - AWAY).await;
        redis.kill();
        sleep(AWAY).await;
        redis.revive()?;
        sleep(between - AWAY).await;
        services[1].kill();
        sleep(AWAY).await;
        services[1].revive(program, &redis)?;
        tokio::time::sleep_until(end).await;
        let done = bookers.stop()?;

        let mut report = Report::new(format!(
            "{} members book and cancel, {} screens listen, an instance, Redis and the other instance are killed",
            self.members,
            self.members + self.desks
        ));
        let mut chain = Chain::at(ports[0]).await?;
        let mut counts = Vec::new();
        for screen in screens {
            let mut screen = screen.await?;
            // One that shows something else is enough; each takes its time to be sure of.
            if report.good() {
                judge_screen(&mut chain, &mut screen, &mut report).await?;
            }
            counts.push(screen.counts);
        }
        judge_members(&mut chain, &done, &mut report).await?;
        for line in check(program, &redis)? {
            report.broken(format!("rollcall check: {line}"));
        }
        figures(&done, &counts, &mut report);
        Ok(report)
    }

    fn screens(&self, ports: &[u16], classes: &[String]) -> Result<Vec<Screen>> {
        let topics = |kind: &str| classes.iter().map(|class| format!("{kind}:{class}")).collect::<Vec<String>>();
        let (shown, rosters) = (topics("class"), topics("roster"));
        let mut screens = Vec::new();
        for n in 0..self.members {
            let topics = ["me".to_owned(), shown[n as usize % shown.len()].clone()];
            screens.push(Screen::new(ports, n as usize, &member(n), "member", &topics)?);
        }
        for n in 0..self.desks {
            screens.push(Screen::new(ports, n as usize, &format!("desk-{n}"), "staff", &rosters)?);
        }
        Ok(screens)
    }
}

/// Waits until the screen shows what the API does.
async fn judge_screen(chain: &mut Chain, screen: &mut Screen, report: &mut Report) -> Result<()> {
    let topics: Vec<String> = screen.held.keys().cloned().collect();
    for topic in topics {
        let expected = expected(chain, &screen.sub, &topic).await?;
        screen.listen(Instant::now() + SETTLE, |screen| screen.held[&topic].1 == expected).await;
        if let Some(difference) = difference(&screen.held[&topic].1, &expected) {
            report.broken(format!("{topic} of {}: {difference}", screen.sub));
        }
    }
    if screen.counts.repeated > 0 {
        report.broken(format!("{} was sent {} patches twice", screen.sub, screen.counts.repeated));
    }
    Ok(())
}

/// Every member has as many bookings as were acknowledged, and the live one that was.
async fn judge_members(chain: &mut Chain, done: &Done, report: &mut Report) -> Result<()> {
    for told in &done.members {
        let bookings = bookings(chain, &told.member).await?;
        if bookings.len() != told.made {
            report.broken(format!("{} has {} bookings, {} were acknowledged", told.member, bookings.len(), told.made));
        }
        let live: Vec<&Value> =
            bookings.iter().filter(|one| one["status"] == "booked" || one["status"] == "waitlisted").collect();
        if live.iter().map(|one| one["id"].as_str()).ne(told.live.iter().map(|id| Some(id.as_str()))) {
            report.broken(format!("{} holds {live:?}, acknowledged was {:?}", told.member, told.live));
        }
    }
    Ok(())
}

fn figures(done: &Done, counts: &[Counts], report: &mut Report) {
    let sum = |figure: fn(&Counts) -> u64| vec![counts.iter().map(figure).sum::<u64>() as f64];
    report.figure("acknowledged calls", vec![done.waits.len() as f64]);
    report.figure("attempts beyond the first", vec![f64::from(done.repeats)]);
    report.figure("patches heard", sum(|one| one.patches));
    report.figure("of them replacing", sum(|one| one.replaced));
    report.figure("connections opened", sum(|one| one.reconnects));
    report.figure("gaps found by screens", sum(|one| one.gaps));
    report.figure("patches sent twice", sum(|one| one.repeated));
}
