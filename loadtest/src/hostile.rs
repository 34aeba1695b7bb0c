//! What those who mean harm can do to the others: each scenario is an attack that once worked, with the bound that it
//! must keep to.
//!
//! Organisation `a` is the attacker's, `b` has a few honest members who book and cancel beside it. Setting up goes
//! through an instance without limits, which has ended when the attack begins; the instance that is attacked has the
//! limits it has by default. Attackers share the machine with what they attack, so they also take its processors, which
//! a stranger on a network would not. Every scenario is bounded in count and in time and stops by itself.

mod acks;
mod bystander;
mod control_frames;
mod desk;
mod due;
mod files;
mod findings;
mod flood;
mod gauge;
mod ground;
mod idle;
mod listers;
mod organisations;
mod passed_over;
mod rounds;
mod series;
mod slow;
mod topics;
mod unread;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use tokio::time::timeout;

use crate::Result;
pub use findings::All;
use findings::Findings;

/// A scenario that takes longer has failed; the longest one takes a third of this where all is well.
const SCENARIO_MAX: Duration = Duration::from_secs(600);

/// Which attacks are tried.
#[derive(clap::Args)]
pub struct Hostile {
    /// Which of them; without a name all
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Scenario {
    /// One member lists thousands of classes without pause
    Listers,
    /// One desk makes calls that concern thousands of places, classes or bookings
    Desk,
    /// Thousands of classes open, start and close at one instant
    Due,
    /// A holder cancels and books again before a queue in which nobody may move up
    PassedOver,
    /// Hundreds of series with hundreds of changed days each
    Series,
    /// Downloads that nobody reads, or a byte at a time
    Unread,
    /// Requests that never end
    Slow,
    /// Pongs as fast as they are taken
    ControlFrames,
    /// Thousands of sockets that only stay
    Idle,
    /// More idle connections than the files a process may open at first
    Files,
    /// A roster at a client that acknowledges late, and its answer compressed
    Acks,
    /// Every date of three centuries is subscribed to
    Topics,
    /// One member books and cancels without end
    Rounds,
    /// A thousand organisations in which nothing happens
    Organisations,
}

impl Hostile {
    /// Prints each scenario's findings when it has ended.
    pub async fn run(&self, program: &Path, out: &mut dyn Write) -> Result<All> {
        let chosen = if self.scenarios.is_empty() { Scenario::value_variants() } else { &self.scenarios };
        let mut all = All::default();
        for scenario in chosen {
            let name = scenario.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            let mut findings = Findings::new(name);
            let begun = Instant::now();
            match timeout(SCENARIO_MAX, scenario.run(program, &mut findings)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => findings.broken(error.to_string()),
                Err(_) => findings.broken(format!("it did not end within {} s", SCENARIO_MAX.as_secs())),
            }
            findings.ended_after(begun.elapsed());
            findings.print(out)?;
            all.add(findings);
        }
        Ok(all)
    }
}

impl Scenario {
    async fn run(self, program: &Path, findings: &mut Findings) -> Result<()> {
        match self {
            Scenario::Listers => listers::run(program, findings).await,
            Scenario::Desk => desk::run(program, findings).await,
            Scenario::Due => due::run(program, findings).await,
            Scenario::PassedOver => passed_over::run(program, findings).await,
            Scenario::Series => series::run(program, findings).await,
            Scenario::Unread => unread::run(program, findings).await,
            Scenario::Slow => slow::run(program, findings).await,
            Scenario::ControlFrames => control_frames::run(program, findings).await,
            Scenario::Idle => idle::run(program, findings).await,
            Scenario::Files => files::run(program, findings).await,
            Scenario::Acks => acks::run(program, findings).await,
            Scenario::Topics => topics::run(program, findings).await,
            Scenario::Rounds => rounds::run(program, findings).await,
            Scenario::Organisations => organisations::run(program, findings).await,
        }
    }
}
