//! Every setting: its meaning, unit, default, variable and flag.
//!
//! A setting is given by a variable `ROLLCALL_<NAME>` or by the flag of the same name, which wins; an empty one counts
//! as not given. What cannot be read stops the service before it starts, in one line that names the variable and
//! never shows a secret. This is read once, by `main`; below `app` only the values travel.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::Args;
use thiserror::Error;

mod origins;
mod tokens;

use self::origins::origins;
pub use self::tokens::{TokenConfig, TokenKeys, TokenSettings};
use crate::store::durability::DurabilityPolicy;
use crate::store::library::BUDGET;
use crate::store::target::RedisTarget;

const LISTEN: &str = "127.0.0.1:8080";
const DATA_DIR: &str = "./data";
const REPLICA_ACKS: &str = "0";
const DURABILITY: &str = "required";
const RATE_LIMIT: &str = "20:60";
const READ_LIMIT: &str = "50:200";
const TIME_TRAVEL: &str = "off";
const DOCS: &str = "on";

/// As long as the hash, below which HS256 can be guessed (RFC 7518, section 3.2).
pub const SECRET_BYTES_MIN: usize = 32;

/// More replicas than this are a typing error.
const REPLICA_ACKS_MAX: u32 = 100;
/// Beyond this a rate limit limits nothing.
const RATE_MAX: u32 = 1_000_000;

/// The settings as given: text, not yet understood. See [`Config::read`].
#[derive(Args, Clone, Debug, Default)]
pub struct Settings {
    #[command(flatten)]
    pub signing: SigningSettings,

    #[command(flatten)]
    pub tokens: TokenSettings,

    /// Address to listen on, host:port; port 0 takes a free one
    #[arg(long, env = "ROLLCALL_LISTEN", default_value = LISTEN)]
    pub listen: Option<OsString>,

    /// redis://, rediss:// or unix:// of a running Redis; without it the service runs a private one
    #[arg(long, env = "ROLLCALL_REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<OsString>,

    /// Replicas that must hold a write before it is acknowledged
    #[arg(long, env = "ROLLCALL_REPLICA_ACKS", default_value = REPLICA_ACKS)]
    pub replica_acks: Option<OsString>,

    /// required: refuse writes on a Redis that could lose them; any: accept loss
    #[arg(long, env = "ROLLCALL_DURABILITY", default_value = DURABILITY)]
    pub durability: Option<OsString>,

    /// Origins of web pages and app shells that may call, comma-separated; without it only the service's own
    #[arg(long, env = "ROLLCALL_ALLOWED_ORIGINS")]
    pub allowed_origins: Option<OsString>,

    /// Writes per caller, a second and in a burst; 0 is off
    #[arg(long, env = "ROLLCALL_RATE_LIMIT", default_value = RATE_LIMIT)]
    pub rate_limit: Option<OsString>,

    /// Reads per caller, a second and in a burst; 0 is off
    #[arg(long, env = "ROLLCALL_READ_LIMIT", default_value = READ_LIMIT)]
    pub read_limit: Option<OsString>,

    /// on adds PUT and DELETE /v1/clock, for tests and demonstrations
    #[arg(long, env = "ROLLCALL_TIME_TRAVEL", default_value = TIME_TRAVEL)]
    pub time_travel: Option<OsString>,

    /// off takes the pages under /docs away
    #[arg(long, env = "ROLLCALL_DOCS", default_value = DOCS)]
    pub docs: Option<OsString>,

    /// text or json; without it text on a terminal, JSON otherwise
    #[arg(long, env = "ROLLCALL_LOG_FORMAT")]
    pub log_format: Option<OsString>,
}

/// The two settings that `rollcall token` needs as well.
#[derive(Args, Clone, Debug, Default)]
pub struct SigningSettings {
    /// Directory of the private Redis and the generated secret
    #[arg(long, env = "ROLLCALL_DATA_DIR", default_value = DATA_DIR)]
    pub data_dir: Option<OsString>,

    /// Secret that tokens are signed with (HS256); without it one is generated into the data directory
    #[arg(long, env = "ROLLCALL_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: Option<OsString>,
}

/// A setting that cannot be read.
#[derive(Debug, Error)]
#[error("{variable} (--{flag}) {problem}")]
pub struct ConfigError {
    variable: String,
    flag: &'static str,
    problem: String,
}

/// The settings, understood.
#[derive(Clone, Debug)]
pub struct Config {
    /// The addresses a name stands for; the first that can be bound is used.
    pub listen: Vec<SocketAddr>,
    /// `None`: a private Redis in `signing.data_dir`.
    pub redis: Option<RedisTarget>,
    pub signing: Signing,
    pub tokens: TokenConfig,
    pub replica_acks: u32,
    pub durability: DurabilityPolicy,
    /// As browsers send them. Empty: only the service's own.
    pub allowed_origins: Vec<String>,
    /// `None`: writes are not limited.
    pub rate_limit: Option<RateLimitConfig>,
    /// `None`: reads are not limited.
    pub read_limit: Option<RateLimitConfig>,
    pub time_travel: bool,
    /// Which zone table is used, said once the service has started. No variable sets it.
    pub time_zones: Option<String>,
    /// Stored things a call of Redis looks at before it leaves the rest to the next. No variable sets it: tests do.
    pub budget: u32,
    /// Whether there are pages under `/docs`.
    pub docs: bool,
    pub log_format: LogFormat,
}

/// Where the HS256 secret is.
#[derive(Clone)]
pub struct Signing {
    pub data_dir: PathBuf,
    /// `None`: generated into the data directory.
    pub secret: Option<String>,
}

/// Calls per caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitConfig {
    pub per_second: u32,
    pub burst: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// Understands every setting, or names the first that cannot be read.
    pub fn read(settings: &Settings) -> Result<Config, ConfigError> {
        let redis = read("redis-url", &settings.redis_url, target)?;
        let replica_acks = with_default("replica-acks", &settings.replica_acks, REPLICA_ACKS, acks)?;
        if redis.is_none() && replica_acks > 0 {
            return Err(fail("replica-acks", "needs ROLLCALL_REDIS_URL: the private Redis has no replicas".to_owned()));
        }
        Ok(Config {
            listen: with_default("listen", &settings.listen, LISTEN, addresses)?,
            redis,
            signing: Signing::read(&settings.signing)?,
            tokens: TokenConfig::read(&settings.tokens)?,
            replica_acks,
            durability: with_default("durability", &settings.durability, DURABILITY, durability)?,
            allowed_origins: read("allowed-origins", &settings.allowed_origins, origins)?.unwrap_or_default(),
            rate_limit: with_default("rate-limit", &settings.rate_limit, RATE_LIMIT, rate_limit)?,
            read_limit: with_default("read-limit", &settings.read_limit, READ_LIMIT, rate_limit)?,
            time_travel: with_default("time-travel", &settings.time_travel, TIME_TRAVEL, switch)?,
            time_zones: None,
            budget: BUDGET,
            docs: with_default("docs", &settings.docs, DOCS, switch)?,
            log_format: read("log-format", &settings.log_format, log_format)?.unwrap_or_else(LogFormat::of_stderr),
        })
    }
}

impl Signing {
    pub fn read(settings: &SigningSettings) -> Result<Signing, ConfigError> {
        let secret = read("jwt-secret", &settings.jwt_secret, secret)?;
        let data_dir = with_default("data-dir", &settings.data_dir, DATA_DIR, owned)?;
        Ok(Signing { data_dir: PathBuf::from(data_dir), secret })
    }
}

/// Without the secret.
impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

impl LogFormat {
    fn of_stderr() -> LogFormat {
        if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json }
    }
}

/// The setting's text, put through `parse`; `None` when it is not given or empty.
fn read<T>(
    flag: &'static str,
    given: &Option<OsString>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    let Some(given) = given.as_ref().filter(|given| !given.is_empty()) else { return Ok(None) };
    let Some(text) = given.to_str() else { return Err(fail(flag, "is not UTF-8".to_owned())) };
    parse(text).map(Some).map_err(|problem| fail(flag, problem))
}

fn with_default<T>(
    flag: &'static str,
    given: &Option<OsString>,
    default: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, ConfigError> {
    match read(flag, given, &parse)? {
        Some(value) => Ok(value),
        None => parse(default).map_err(|problem| fail(flag, problem)),
    }
}

fn fail(flag: &'static str, problem: String) -> ConfigError {
    ConfigError { variable: format!("ROLLCALL_{}", flag.replace('-', "_").to_uppercase()), flag, problem }
}

fn owned(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// Says nothing of the secret, not even how short it is.
fn secret(text: &str) -> Result<String, String> {
    if text.len() < SECRET_BYTES_MIN {
        return Err(format!("has fewer than {SECRET_BYTES_MIN} bytes, so tokens could be forged by guessing it"));
    }
    Ok(text.to_owned())
}

fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    match text.to_socket_addrs() {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => Err(format!("is {text:?}, not an address such as {LISTEN} ({error})")),
    }
}

fn target(url: &str) -> Result<RedisTarget, String> {
    let target = RedisTarget::parse(url)?;
    target.supported().map_err(|problem| format!("names what this version cannot use: {problem}"))?;
    Ok(target)
}

fn acks(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(acks) if acks <= REPLICA_ACKS_MAX => Ok(acks),
        Ok(_) | Err(_) => Err(format!("is {text:?}, not a number from 0 to {REPLICA_ACKS_MAX}")),
    }
}

fn durability(text: &str) -> Result<DurabilityPolicy, String> {
    match text {
        "required" => Ok(DurabilityPolicy::Required),
        "any" => Ok(DurabilityPolicy::Any),
        _ => Err(format!("is {text:?}, neither \"required\" nor \"any\"")),
    }
}

fn rate_limit(text: &str) -> Result<Option<RateLimitConfig>, String> {
    if text == "0" {
        return Ok(None);
    }
    let number = |part: &str| part.parse::<u32>().ok().filter(|number| (1..=RATE_MAX).contains(number));
    match text.split_once(':').map(|(rate, burst)| (number(rate), number(burst))) {
        Some((Some(per_second), Some(burst))) => Ok(Some(RateLimitConfig { per_second, burst })),
        _ => Err(format!("is {text:?}, neither \"<a second>:<burst>\" such as {RATE_LIMIT} nor 0")),
    }
}

fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err(format!("is {text:?}, neither on nor off")),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("is {text:?}, neither text nor json")),
    }
}
