//! Where an attack takes place: a Redis, instances with and without limits, and organisations set up through the API.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Result;
use crate::chain::mint;
use crate::stack::{Redis, Service};
use crate::wire::{Wire, request};

/// Connections that set up.
const CONNECTIONS: usize = 16;

/// The one club of every organisation here.
pub const CLUB: &str = "main";

/// A Redis and the program.
pub struct Ground {
    pub redis: Redis,
    program: PathBuf,
}

impl Ground {
    pub fn prepare(program: &Path) -> Result<Ground> {
        Ok(Ground { redis: Redis::start()?, program: program.to_owned() })
    }

    /// An instance for setting up.
    pub fn unlimited(&self) -> Result<Service> {
        Service::start(&self.program, &self.redis)
    }

    /// An instance to be attacked.
    pub fn limited(&self) -> Result<Service> {
        Service::limited(&self.program, &self.redis)
    }

    /// An instance to be attacked that may open few files at first.
    pub fn with_files(&self, soft: u32, hard: u32) -> Result<Service> {
        Service::with_files(soft, hard, &self.program, &self.redis)
    }
}

/// An organisation, with its desk at one instance.
pub struct Org {
    name: String,
    port: u16,
    admin: String,
}

impl Org {
    /// Creates it with the preset `standard`, the settings of `changes` in place of the preset's, and its club.
    pub async fn found(port: u16, name: &str, changes: &Value) -> Result<Org> {
        let admin = mint("desk", Some(name), "admin")?;
        let org = Org { name: name.to_owned(), port, admin };
        let operator = mint("operator", None, "operator")?;
        let body = json!({"name": name, "preset": "standard"}).to_string();
        org.send(request("PUT", &format!("/v1/orgs/{name}"), &operator, None, &body)).await?;
        org.change_policy(changes).await?;
        org.ask("PUT", &format!("/v1/clubs/{CLUB}"), &json!({"name": "Main"})).await?;
        Ok(org)
    }

    /// The same desk at another instance.
    pub fn at(&self, port: u16) -> Org {
        Org { name: self.name.clone(), port, admin: self.admin.clone() }
    }

    /// A token for somebody of it.
    pub fn token(&self, sub: &str, role: &str) -> Result<String> {
        mint(sub, Some(&self.name), role)
    }

    /// What its admin asks, and the answer, which must be 2xx.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.send(self.call(method, path, body)).await
    }

    /// What its admin would ask.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request(method, path, &self.admin, None, &body)
    }

    /// Replaces the policy by itself with these settings.
    pub async fn change_policy(&self, changes: &Value) -> Result<()> {
        let policy = self.policy_with(changes).await?;
        self.ask("PUT", "/v1/org/policy", &policy).await.map(|_| ())
    }

    /// The policy it has, with these settings in place of its own.
    pub async fn policy_with(&self, changes: &Value) -> Result<Value> {
        let mut policy = self.ask("GET", "/v1/org", &Value::Null).await?["policy"].take();
        overlay(&mut policy, changes);
        Ok(policy)
    }

    pub fn put_member(&self, id: &str, status: &str, name: &str) -> Vec<u8> {
        let body = json!({
            "name": name,
            "membership": {
                "plan": "unlimited", "status": status, "valid_from": "2020-01-01", "clubs": "all",
                "categories": "all", "frozen": [],
            },
        });
        self.call("PUT", &format!("/v1/members/{id}"), &body)
    }

    /// A member books, or queues where there is no room.
    pub fn book(&self, class: &str, member: &str) -> Result<Vec<u8>> {
        let token = self.token(member, "member")?;
        Ok(request("POST", &format!("/v1/classes/{class}/bookings"), &token, None, r#"{"waitlist":true}"#))
    }

    /// All of these calls, in any order; each must be answered 2xx. The answers are in the order of the calls.
    pub async fn many(&self, calls: Vec<Vec<u8>>) -> Result<Vec<Value>> {
        let count = calls.len();
        let waiting = Arc::new(Mutex::new(calls.into_iter().enumerate()));
        let mut callers = JoinSet::new();
        for _ in 0..CONNECTIONS.min(count) {
            callers.spawn(call_on(self.port, Arc::clone(&waiting)));
        }
        let mut answers = vec![Value::Null; count];
        while let Some(answered) = callers.join_next().await {
            for (at, answer) in answered?? {
                answers[at] = answer;
            }
        }
        Ok(answers)
    }

    async fn send(&self, call: Vec<u8>) -> Result<Value> {
        Ok(answered(&mut Wire::open(self.port).await?, &call).await?)
    }
}

/// A class that starts at an instant.
pub fn class(id: &str, starts_at: DateTime<Utc>, capacity: u32) -> Value {
    json!({
        "id": id, "club": CLUB, "title": "Spin", "category": "spin", "room": "Hall 1",
        "instructor": {"id": "i-eva", "name": "Eva Lind"},
        "starts_at": instant(starts_at), "minutes": 60, "capacity": capacity,
    })
}

/// Two days ahead and later, a minute after one another: open, and far from closing.
pub fn ahead(n: usize) -> DateTime<Utc> {
    let minutes = i64::try_from(n).unwrap_or(0) % (3 * 24 * 60);
    Utc::now() + Duration::days(2) + Duration::minutes(minutes)
}

/// In whole seconds, as people write it.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Members book as they like.
pub fn free_booking() -> Value {
    json!({"booking": {"daily_limit": null, "open_limit": null, "allow_overlap": true}})
}

/// Takes calls until none is left.
async fn call_on(
    port: u16,
    waiting: Arc<Mutex<impl Iterator<Item = (usize, Vec<u8>)>>>,
) -> std::result::Result<Vec<(usize, Value)>, String> {
    let mut wire = Wire::open(port).await.map_err(|error| error.to_string())?;
    let mut answers = Vec::new();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some((at, call)) = next else { return Ok(answers) };
        answers.push((at, answered(&mut wire, &call).await?));
    }
}

async fn answered(wire: &mut Wire, call: &[u8]) -> std::result::Result<Value, String> {
    let asked = || String::from_utf8_lossy(call).lines().next().unwrap_or_default().to_owned();
    let answer = wire.call(call).await.map_err(|error| format!("{}: {error}", asked()))?;
    if !(200..300).contains(&answer.status) {
        let body = String::from_utf8_lossy(answer.body);
        return Err(format!("{} was answered {}: {body}", asked(), answer.status));
    }
    Ok(serde_json::from_slice(answer.body).unwrap_or_default())
}

/// Puts settings in place of others; null is a value like any other.
fn overlay(onto: &mut Value, changes: &Value) {
    match (onto, changes) {
        (Value::Object(onto), Value::Object(changes)) => {
            for (name, change) in changes {
                overlay(onto.entry(name).or_insert(Value::Null), change);
            }
        }
        (onto, change) => *onto = change.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::overlay;

    #[test]
    fn settings_take_the_place_of_others_and_null_is_one_of_them() {
        let mut policy = json!({"booking": {"daily_limit": 3, "allow_overlap": false}, "currency": "EUR"});
        overlay(&mut policy, &json!({"booking": {"daily_limit": null}, "notices": {"reminder": null}}));
        let expected = json!({
            "booking": {"daily_limit": null, "allow_overlap": false}, "currency": "EUR", "notices": {"reminder": null},
        });
        assert_eq!(policy, expected);
    }
}
