//! Load against the real service: a race for the last spots, and bookings a second against what Redis alone can do.
//!
//! It starts `redis-server` and `rollcall` itself, on sockets and free ports in temporary directories, speaks to them
//! as any caller would, and ends what it started. It knows the service from outside only: its commands, its calls
//! and, for the ceiling, the function that a booking is.
//!
//! The exit code is 0 when all is well, 1 when a check failed or something broke, 2 when it was asked wrongly.

mod book;
mod ceiling;
mod chain;
mod growth;
mod members;
mod push;
mod race;
mod report;
mod stack;
mod wire;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What goes wrong here is for a person to read.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Load against the real service.
#[derive(Parser)]
#[command(name = "loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The service's program; without it the one of this workspace is built and used
    #[arg(long, global = true)]
    rollcall: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Members race for the spots of one class through several instances; the outcome is checked
    Race(race::Race),
    /// Booked and durable requests a second through HTTP, against the same function called by redis-benchmark
    Book(book::Load),
    /// Sockets: what a change costs until every screen shows it, beside peers, and what is left of that under trouble
    #[command(subcommand)]
    Push(push::Push),
    /// Booking, cancelling and closing on an empty organisation and on one with a year behind it
    Growth(growth::Growth),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "loadtest: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went as it should.
fn run(cli: &Cli) -> Result<bool> {
    let program = stack::program(cli.rollcall.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = match &cli.command {
        Command::Race(race) => runtime.block_on(race.run(&program))?,
        Command::Book(load) => runtime.block_on(load.run(&program))?,
        Command::Push(push) => runtime.block_on(push.run(&program))?,
        Command::Growth(growth) => runtime.block_on(growth.run(&program))?,
    };
    report.print(cli.json, &mut io::stdout().lock())?;
    Ok(report.good())
}
