//! Sockets: what a change costs until every screen shows it, and what is left of that under trouble.

mod bookers;
pub mod crowd;
mod expected;
mod fan_out;
mod faults;
mod promotions;
mod screen;
pub mod socket;
mod stage;
mod stalled;
mod storm;

use std::path::Path;

use clap::Subcommand;

use crate::Result;
use crate::report::Report;

/// What is measured.
#[derive(Subcommand)]
pub enum Push {
    /// One change to thousands of sockets: time, CPU and memory; with --peers beside others, in turns
    FanOut(fan_out::FanOut),
    /// A tenth of the listeners never read: what it costs the others, and that the service lets go of them
    Stalled(stalled::Stalled),
    /// From a cancel to the promoted member's own frame, while bookings run
    Promotions(promotions::Promotions),
    /// Instances and Redis are killed in mid-run: afterwards nothing is lost and nothing doubled
    Faults(faults::Faults),
    /// Thousands of sockets break and come back at once: what it costs those who book
    Storm(storm::Storm),
}

impl Push {
    pub async fn run(&self, program: &Path) -> Result<Report> {
        match self {
            Push::FanOut(fan_out) => fan_out.run(program).await,
            Push::Stalled(stalled) => stalled.run(program).await,
            Push::Promotions(promotions) => promotions.run(program).await,
            Push::Faults(faults) => faults.run(program).await,
            Push::Storm(storm) => storm.run(program).await,
        }
    }
}
