//! The command line: `serve`, `demo`, `token`, `check`. It reads settings, starts and stops the app, and turns every
//! failure into one line and an exit code: 2 for what was asked wrongly, 1 for what went wrong.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use rollcall::app::App;
use rollcall::config::{Config, Settings, Signing, SigningSettings};
use rollcall::domain::caller::Role;
use rollcall::domain::ids::{ClubId, MemberId, OrgId};
use rollcall::domain::span::Span;
use rollcall::store::check::{self, Report};
use rollcall::store::target::RedisTarget;
use rollcall::telemetry;
use rollcall::token::{self, Claims};
use rollcall::zone_files;
use tracing::warn;

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
    Token(Box<TokenArgs>),
    /// Report every broken invariant of a Redis, and what was read; exit code 1 if any is broken, 2 if there is nothing
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
    /// Where the service checks tokens with these, it believes none of ours
    #[arg(long, env = "ROLLCALL_JWT_PUBLIC_KEY", hide = true)]
    jwt_public_key: Option<OsString>,
    #[arg(long, env = "ROLLCALL_JWKS_FILE", hide = true)]
    jwks_file: Option<OsString>,
    #[arg(long, env = "ROLLCALL_JWKS_URL", hide = true)]
    jwks_url: Option<OsString>,
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
        Ok(mut config) => {
            telemetry::start_logging(config.log_format);
            warn_of_misspelt();
            config.time_zones = Some(zone_files::choose());
            then(config)
        }
        Err(error) => failed(ASKED_WRONGLY, &error),
    }
}

/// Names variables that look like settings and are none.
fn warn_of_misspelt() {
    let known = known_variables(&Cli::command());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if !name.starts_with("ROLLCALL_") || known.iter().any(|known| *known == name) {
            continue;
        }
        let nearest = known.iter().max_by(|a, b| strsim::jaro(&name, a).total_cmp(&strsim::jaro(&name, b)));
        let nearest = nearest.map_or("", String::as_str);
        warn!("{name} is no setting and changes nothing; the nearest that is one is {nearest}");
    }
}

/// Every variable that some command reads.
fn known_variables(command: &clap::Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|arg| Some(arg.get_env()?.to_string_lossy().into_owned()));
    own.chain(command.get_subcommands().flat_map(known_variables)).collect()
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
        Ok((token, secret)) => {
            let _ = writeln!(io::stderr(), "rollcall: signed with the secret of {secret}");
            match writeln!(io::stdout(), "{token}") {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => failed(1, &error),
            }
        }
        Err(problem) => failed(ASKED_WRONGLY, &problem),
    }
}

/// A token, and where its secret stands. What the service would not believe is not made.
fn minted(args: &TokenArgs) -> Result<(String, String), String> {
    let role = Role::parse(&args.role).map_err(|error| format!("--role {error}"))?;
    if (role == Role::Operator) == args.org.is_some() {
        return Err("--org names the organisation; only an operator has none".to_owned());
    }
    MemberId::parse(&args.sub).map_err(|error| format!("--sub {error}"))?;
    args.org.as_deref().map(OrgId::parse).transpose().map_err(|error| format!("--org {error}"))?;
    args.club.as_deref().map(ClubId::parse).transpose().map_err(|error| format!("--club {error}"))?;
    let ttl = Span::parse(&args.ttl).map_err(|error| format!("--ttl {error}"))?;
    let ttl_s = u64::try_from(ttl.fixed_ms() / 1000).unwrap_or(0);
    if ttl_s == 0 {
        return Err("--ttl must be a second or more: the token would have run out already".to_owned());
    }
    let elsewhere = [
        ("ROLLCALL_JWT_PUBLIC_KEY", &args.jwt_public_key),
        ("ROLLCALL_JWKS_FILE", &args.jwks_file),
        ("ROLLCALL_JWKS_URL", &args.jwks_url),
    ];
    let set = |given: &Option<OsString>| given.as_ref().is_some_and(|given| !given.is_empty());
    if let Some((variable, _)) = elsewhere.into_iter().find(|(_, given)| set(given)) {
        return Err(format!("{variable} is set: such a service believes its provider's tokens and none of ours"));
    }
    let signing = Signing::read(&args.signing).map_err(|error| error.to_string())?;
    let (secret, place) = token::found_secret(&signing).map_err(|error| error.to_string())?;
    let claims =
        Claims { sub: args.sub.clone(), org: args.org.clone(), role: role.to_string(), club: args.club.clone() };
    let token = token::mint(&secret, &claims, ttl_s).map_err(|error| error.to_string())?;
    Ok((token, place))
}

fn check(args: &CheckArgs) -> ExitCode {
    match RedisTarget::parse(&args.url).and_then(|target| target.supported().map(|()| target)) {
        Ok(target) => {
            run(async move { report(&target, &check::run(&target).await.map_err(|error| error.to_string())?) })
        }
        Err(problem) => failed(ASKED_WRONGLY, &format!("--url {problem}")),
    }
}

/// Each broken invariant on a line, then what was read. Nothing at all means that another Redis was meant.
fn report(target: &RedisTarget, report: &Report) -> Result<ExitCode, String> {
    let Report { read, broken } = report;
    if broken.is_empty() && read.orgs == 0 {
        return Ok(failed(
            ASKED_WRONGLY,
            &format!("there is no organisation in the Redis at {target}: is it the right one?"),
        ));
    }
    let mut out = io::stdout().lock();
    let verdict = match broken.len() {
        0 => "ok".to_owned(),
        1 => "1 broken invariant".to_owned(),
        count => format!("{count} broken invariants"),
    };
    for line in broken.iter().chain([&format!("{read}: {verdict}")]) {
        writeln!(out, "{line}").map_err(|error| error.to_string())?;
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn failed(code: u8, problem: &impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "rollcall: {problem}");
    ExitCode::from(code)
}
