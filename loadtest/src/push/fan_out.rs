//! One change to thousands: time, CPU of a delivery and memory of a connection, beside peers in turns.

use std::path::Path;
use std::time::Duration;

use super::stage::{Contender, Stage, changes};
use crate::Result;
use crate::report::{Report, quantile};
use crate::stack::own_cpu_s;

/// Changes so far apart are not merged.
const PAUSE: Duration = Duration::from_millis(250);

/// How many listen, how often something changes, and who else is measured.
#[derive(clap::Args)]
pub struct FanOut {
    /// Sockets that listen to one class
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..))]
    listeners: u32,
    /// Changes of that class
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    changes: u32,
    /// How often each is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Also measured in each round, with the same client: installed first where they are not
    #[arg(long, value_enum, value_delimiter = ',')]
    peers: Vec<Contender>,
}

/// One measurement.
#[derive(Clone, Copy)]
struct Measured {
    cpu_us: f64,
    memory_kb: f64,
    p50_ms: f64,
    p99_ms: f64,
    change_bytes: f64,
    own_cpu_us: f64,
}

type Figure = fn(&Measured) -> f64;

impl FanOut {
    pub async fn run(&self, program: &Path) -> Result<Report> {
        let mut contenders = vec![Contender::Rollcall];
        contenders.extend(self.peers.iter().filter(|peer| **peer != Contender::Rollcall));
        for contender in &contenders {
            contender.install()?;
        }
        let mut measured: Vec<Vec<Measured>> = vec![Vec::new(); contenders.len()];
        for round in 0..self.rounds as usize {
            for turn in 0..contenders.len() {
                let at = (round + turn) % contenders.len();
                let one = self.measure(contenders[at], program).await;
                measured[at].push(one.map_err(|error| format!("{}: {error}", contenders[at].name()))?);
            }
        }
        Ok(self.report(&contenders, &measured))
    }

    async fn measure(&self, contender: Contender, program: &Path) -> Result<Measured> {
        let mut stage = Stage::start(contender, program).await?;
        let empty = stage.far.memory_kb()?;
        let crowd = stage.crowd(self.listeners).await?;
        let memory = stage.far.memory_kb()?.saturating_sub(empty) as f64;
        let before = (stage.far.cpu_s().unwrap_or(0.0), own_cpu_s().unwrap_or(0.0));
        let waits = changes(&mut stage, &crowd, self.changes, PAUSE).await?;
        let after = (stage.far.cpu_s().unwrap_or(0.0), own_cpu_s().unwrap_or(0.0));
        let waits: Vec<f64> = waits.concat();
        let deliveries = waits.len() as f64;
        Ok(Measured {
            cpu_us: (after.0 - before.0) * 1e6 / deliveries,
            memory_kb: memory / f64::from(self.listeners),
            p50_ms: quantile(&waits, 0.5),
            p99_ms: quantile(&waits, 0.99),
            change_bytes: crowd.change_bytes(deliveries),
            own_cpu_us: (after.1 - before.1) * 1e6 / deliveries,
        })
    }

    fn report(&self, contenders: &[Contender], measured: &[Vec<Measured>]) -> Report {
        let FanOut { listeners, changes, rounds, .. } = self;
        let mut report = Report::new(format!(
            "{listeners} sockets hear of {changes} changes made at another instance, {rounds} rounds in turns"
        ));
        let figures: [(&str, Figure); 6] = [
            ("CPU of a delivery, µs", |one| one.cpu_us),
            ("p50, ms after the answer", |one| one.p50_ms),
            ("p99, ms", |one| one.p99_ms),
            ("memory of a socket, KB", |one| one.memory_kb),
            ("a change, bytes", |one| one.change_bytes),
            ("client's CPU of a delivery, µs", |one| one.own_cpu_us),
        ];
        for (name, figure) in figures {
            for (contender, rounds) in contenders.iter().zip(measured) {
                report.figure(format!("{}: {name}", contender.name()), rounds.iter().map(figure).collect());
            }
        }
        for (peer, rounds) in contenders.iter().zip(measured).skip(1) {
            for (name, figure) in &figures[..4] {
                let ratios =
                    measured[0].iter().zip(rounds).map(|(ours, theirs)| figure(ours) / figure(theirs)).collect();
                let name = name.split(',').next().unwrap_or(name);
                report.figure(format!("Rollcall to {}: {name}", peer.name()), ratios);
            }
        }
        report
    }
}
