//! The command line: `serve`, `demo`, `token`, `check`. It reads settings, starts and stops the app, and turns every
//! failure into one line and an exit code: 2 for what was asked wrongly, 1 for what went wrong.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rollcall::app::App;
use rollcall::config::{Config, Settings, Signing, SigningSettings};
use rollcall::domain::caller::Role;
use rollcall::domain::span::Span;
use rollcall::store::check;
use rollcall::store::target::RedisTarget;
use rollcall::telemetry;
use rollcall::token::{self, Claims};

const ASKED_WRONGLY: u8 = 2;

/// The booking desk of a chain of gyms.
#[derive(Parser)]
#[command(name = "rollcall", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service
    Serve(Box<Settings>),
    /// Run the service with a filled organisation for each preset, and print who may do what
    Demo(Box<Settings>),
    /// Print a token
    Token(TokenArgs),
    /// Report every broken invariant of a Redis; exit code 1 if there is any
    Check(CheckArgs),
}

#[derive(clap::Args)]
struct CheckArgs {
    /// redis://, rediss:// or unix:// of the Redis to read
    #[arg(long, env = "ROLLCALL_REDIS_URL", hide_env_values = true)]
    url: String,
}

#[derive(clap::Args)]
struct TokenArgs {
    #[command(flatten)]
    signing: SigningSettings,
    /// The organisation; an operator has none
    #[arg(long)]
    org: Option<String>,
    /// member, instructor, kiosk, staff, admin or operator
    #[arg(long)]
    role: String,
    /// Who the token speaks for
    #[arg(long)]
    sub: String,
    /// The one club of a kiosk
    #[arg(long)]
    club: Option<String>,
    /// How long it is good for, as an ISO 8601 duration
    #[arg(long, default_value = "PT12H")]
    ttl: String,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(settings) => with_config(&settings, |config| run(serve(config))),
        Command::Demo(settings) => with_config(&settings, |config| run(demo(config))),
        Command::Token(args) => token(&args),
        Command::Check(args) => check(&args),
    }
}

fn with_config(settings: &Settings, then: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    match Config::read(settings) {
        Ok(config) => {
            telemetry::start_logging(config.log_format);
            then(config)
        }
        Err(error) => failed(ASKED_WRONGLY, &error),
    }
}

/// Runs a task to its end, on a runtime of its own.
fn run<E: Display>(task: impl Future<Output = Result<ExitCode, E>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(1, &error),
    };
    let result = runtime.block_on(task);
    runtime.shutdown_background();
    result.unwrap_or_else(|error| failed(1, &error))
}

async fn serve(config: Config) -> Result<ExitCode, String> {
    let app = App::start(config).await.map_err(|error| error.to_string())?;
    app.until_signal().await.map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

async fn demo(config: Config) -> Result<ExitCode, String> {
    rollcall::demo::run(config).await.map(|()| ExitCode::SUCCESS)
}

fn token(args: &TokenArgs) -> ExitCode {
    match minted(args) {
        Ok(token) => match writeln!(io::stdout(), "{token}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(1, &error),
        },
        Err(problem) => failed(ASKED_WRONGLY, &problem),
    }
}

fn minted(args: &TokenArgs) -> Result<String, String> {
    let role = Role::parse(&args.role).map_err(|error| format!("--role {error}"))?;
    if (role == Role::Operator) == args.org.is_some() {
        return Err("--org names the organisation; only an operator has none".to_owned());
    }
    let ttl = Span::parse(&args.ttl).map_err(|error| format!("--ttl {error}"))?;
    let ttl_s = u64::try_from(ttl.fixed_ms() / 1000).unwrap_or(0);
    let signing = Signing::read(&args.signing).map_err(|error| error.to_string())?;
    let secret = token::signing_secret(&signing).map_err(|error| error.to_string())?;
    let claims =
        Claims { sub: args.sub.clone(), org: args.org.clone(), role: role.to_string(), club: args.club.clone() };
    token::mint(&secret, &claims, ttl_s).map_err(|error| error.to_string())
}

fn check(args: &CheckArgs) -> ExitCode {
    match RedisTarget::parse(&args.url).and_then(|target| target.supported().map(|()| target)) {
        Ok(target) => run(async move { report(&check::run(&target).await.map_err(|error| error.to_string())?) }),
        Err(problem) => failed(ASKED_WRONGLY, &format!("--url {problem}")),
    }
}

/// Each broken invariant on a line.
fn report(broken: &[String]) -> Result<ExitCode, String> {
    let mut out = io::stdout().lock();
    for what in broken {
        writeln!(out, "{what}").map_err(|error| error.to_string())?;
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn failed(code: u8, problem: &impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "rollcall: {problem}");
    ExitCode::from(code)
}
