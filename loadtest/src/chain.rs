//! The chain of gyms a run takes place in, set up and asked through the API alone.

use chrono::{Days, Utc};
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Result;
use crate::stack::SECRET;
use crate::wire::{Wire, request};

/// The organisation and its one club.
pub const ORG: &str = "load";
const CLUB: &str = "main";

/// Tokens outlive any run.
const TOKEN_S: i64 = 6 * 3600;

/// The days from today on which classes are: far enough for booking to be open and not to close during a run, near
/// enough for the window of seven days.
const FIRST_DAY: u64 = 2;
const DAYS: u64 = 4;

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<&'a str>,
    role: &'a str,
    exp: i64,
}

/// A token for a member of the organisation, or for its staff.
pub fn token(sub: &str, role: &str) -> Result<String> {
    mint(sub, Some(ORG), role)
}

/// A token; an operator's has no organisation.
pub fn mint(sub: &str, org: Option<&str>, role: &str) -> Result<String> {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let claims = Claims { sub, org, role, exp: Utc::now().timestamp() + TOKEN_S };
    Ok(jsonwebtoken::encode(&Header::default(), &claims, &key)?)
}

/// The desk of the organisation, at one instance.
pub struct Chain {
    wire: Wire,
    staff: String,
    published: u64,
}

impl Chain {
    /// Creates the organisation, with the rules of the preset `standard`, and its club.
    pub async fn found(port: u16) -> Result<Chain> {
        let mut chain = Chain::at(port).await?;
        let operator = mint("operator", None, "operator")?;
        let named = json!({"name": "Load", "preset": "standard"});
        chain.send(&operator, "PUT", &format!("/v1/orgs/{ORG}"), &named).await?;
        chain.put(&format!("/v1/clubs/{CLUB}"), &json!({"name": "Main"})).await?;
        Ok(chain)
    }

    /// The desk of the organisation that is there.
    pub async fn at(port: u16) -> Result<Chain> {
        Ok(Chain { wire: Wire::open(port).await?, staff: token("desk", "staff")?, published: 0 })
    }

    /// Publishes a class that is open for booking; the classes take turns in the days ahead.
    pub async fn publish(&mut self, capacity: u32) -> Result<String> {
        let starts_at = Utc::now() + Days::new(FIRST_DAY + self.published % DAYS);
        self.published += 1;
        let body = json!({
            "club": CLUB, "title": "Spin", "category": "spin", "room": "Hall 1",
            "instructor": {"id": "i-eva", "name": "Eva Lind"},
            "starts_at": starts_at, "minutes": 60, "capacity": capacity,
        });
        let class = self.send_as_staff("POST", "/v1/classes", &body).await?;
        Ok(class["id"].as_str().ok_or("a published class has no id")?.to_owned())
    }

    pub async fn put_member(&mut self, id: &str) -> Result<()> {
        let body = json!({
            "name": "Ann Example", "email": "ann@example.org", "phone": "+4512345678", "born": "1990-05-17",
            "membership": {
                "plan": "unlimited", "status": "active", "valid_from": "2020-01-01", "clubs": "all",
                "categories": "all", "frozen": [],
            },
        });
        self.put(&format!("/v1/members/{id}"), &body).await
    }

    pub async fn get(&mut self, path: &str) -> Result<Value> {
        self.send_as_staff("GET", path, &Value::Null).await
    }

    async fn put(&mut self, path: &str, body: &Value) -> Result<()> {
        self.send_as_staff("PUT", path, body).await.map(|_| ())
    }

    async fn send_as_staff(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let staff = self.staff.clone();
        self.send(&staff, method, path, body).await
    }

    async fn send(&mut self, token: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.wire.call(&request(method, path, token, None, &body)).await?;
        if !(200..300).contains(&answer.status) {
            let body = String::from_utf8_lossy(answer.body);
            return Err(format!("{method} {path} was answered {}: {body}", answer.status).into());
        }
        Ok(serde_json::from_slice(answer.body)?)
    }
}
