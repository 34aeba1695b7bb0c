//! Where Redis is: the address of `ROLLCALL_REDIS_URL`, understood once.
//!
//! Sentinel and Cluster addresses are read here and refused here, so that the line an operator sees is clear and
//! the one place that has to change is known. Nothing else looks into a Redis URL.

use std::fmt;
use std::path::PathBuf;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use super::error::StoreError;

/// One Redis, or a group of them.
#[derive(Clone)]
pub enum RedisTarget {
    /// `redis://`, `rediss://` (TLS) or `unix://`: one server, with its credentials and database number.
    Server { url: String, info: Box<ConnectionInfo> },
    /// The private socket of the embedded Redis.
    Socket(PathBuf),
    /// `redis+sentinel://h1,h2,h3/service`: the hosts that know which server is the primary of `service`.
    Sentinel { hosts: Vec<String>, service: String },
    /// `redis+cluster://h1,h2,h3`: some of the cluster's nodes.
    Cluster { hosts: Vec<String> },
}

impl RedisTarget {
    /// Reads an address; the error says in one sentence what is wrong with it, without repeating a password.
    pub fn parse(url: &str) -> Result<RedisTarget, String> {
        if let Some(rest) = url.strip_prefix("redis+sentinel://") {
            let Some((hosts, service)) = rest.split_once('/') else {
                return Err("names no service: redis+sentinel://h1,h2,h3/service".to_owned());
            };
            return Ok(RedisTarget::Sentinel { hosts: hosts_of(hosts)?, service: service.to_owned() });
        }
        if let Some(rest) = url.strip_prefix("redis+cluster://") {
            return Ok(RedisTarget::Cluster { hosts: hosts_of(rest.trim_end_matches('/'))? });
        }
        match url.into_connection_info() {
            Ok(info) => Ok(RedisTarget::Server { url: url.to_owned(), info: Box::new(info) }),
            Err(error) => Err(format!("is not a redis://, rediss:// or unix:// address: {error}")),
        }
    }

    /// The address as [`RedisTarget::parse`] takes it, credentials and all: not for logs.
    pub fn url(&self) -> String {
        match self {
            RedisTarget::Server { url, .. } => url.clone(),
            RedisTarget::Socket(path) => format!("unix://{}", path.display()),
            RedisTarget::Sentinel { .. } | RedisTarget::Cluster { .. } => self.to_string(),
        }
    }

    /// # Errors
    /// One line for an address that this version understands and cannot serve.
    pub fn supported(&self) -> Result<(), String> {
        match self {
            RedisTarget::Server { .. } | RedisTarget::Socket(_) => Ok(()),
            RedisTarget::Sentinel { .. } | RedisTarget::Cluster { .. } => {
                Err(format!("{self} is not supported yet; name the server itself"))
            }
        }
    }

    /// How to connect. RESP3, because only there the driver tells when a connection that nobody uses has ended.
    pub(super) fn connection_info(&self) -> Result<ConnectionInfo, StoreError> {
        self.supported().map_err(StoreError::Unavailable)?;
        let info = match self {
            RedisTarget::Server { info, .. } => Ok(info.as_ref().clone()),
            RedisTarget::Socket(path) => ConnectionAddr::Unix(path.clone()).into_connection_info(),
            RedisTarget::Sentinel { .. } | RedisTarget::Cluster { .. } => self.url().into_connection_info(),
        };
        let info = info.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Ok(info.set_redis_settings(settings))
    }
}

/// The address without user and password, for people and logs.
impl fmt::Display for RedisTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedisTarget::Server { info, .. } => write!(f, "{}", info.addr()),
            RedisTarget::Socket(path) => write!(f, "{}", path.display()),
            RedisTarget::Sentinel { hosts, service } => {
                write!(f, "redis+sentinel://{}/{service}", hosts.join(","))
            }
            RedisTarget::Cluster { hosts } => write!(f, "redis+cluster://{}", hosts.join(",")),
        }
    }
}

impl fmt::Debug for RedisTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Credentials stay out: what stands before `@` is cut off.
fn hosts_of(list: &str) -> Result<Vec<String>, String> {
    let list = list.rsplit_once('@').map_or(list, |(_credentials, hosts)| hosts);
    let hosts: Vec<String> = list.split(',').map(str::to_owned).collect();
    if hosts.iter().any(String::is_empty) {
        return Err("lists an empty host".to_owned());
    }
    Ok(hosts)
}
