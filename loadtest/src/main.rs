//! Load against the real service: a race for the last spots, bookings a second against what Redis alone can do, and
//! what those who mean harm can do to the others.
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
mod hostile;
mod members;
mod push;
mod race;
mod report;
mod stack;
mod wire;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::Value;

/// What goes wrong here is for a person to read.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Load against the real service.
#[derive(Parser)]
#[command(name = "loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The service's program; without it the one of this workspace is built and used
    #[arg(long, global = true, visible_alias = "program")]
    rollcall: Option<PathBuf>,
    /// Print the figures as JSON; with a name, print them for people and write the JSON into that file
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1)]
    json: Option<Option<PathBuf>>,
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
    /// Strangers and members who mean harm: what each attack costs the others, within bounds
    Hostile(hostile::Hostile),
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
        Command::Hostile(hostile) => {
            let mut shown: Box<dyn Write> =
                if cli.json == Some(None) { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
            let findings = runtime.block_on(hostile.run(&program, &mut shown))?;
            if let Some(to) = &cli.json {
                write_json(to.as_deref(), &findings.json())?;
            }
            return Ok(findings.good());
        }
    };
    if let Some(Some(file)) = &cli.json {
        write_json(Some(file), &report.json())?;
    }
    report.print(cli.json == Some(None), &mut io::stdout().lock())?;
    Ok(report.good())
}

/// Into the file, or to where the figures go.
fn write_json(file: Option<&Path>, value: &Value) -> Result<()> {
    match file {
        Some(file) => fs::write(file, format!("{value:#}\n"))?,
        None => writeln!(io::stdout(), "{value:#}")?,
    }
    Ok(())
}
