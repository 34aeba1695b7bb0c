//! A call over HTTP, and what comes back; tokens that the service believes.
//!
//! A call is sent when it is awaited, to one instance after the other, and asserts the status that was expected of it.
//! What is called, and by whom, is `api`'s.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::redis::Redis;
use super::service::{SECRET, Service};

/// What calls go to.
pub struct Rig {
    pub http: reqwest::Client,
    // Dropped in this order: the service first, then its Redis.
    pub services: Vec<Service>,
    pub redis: Redis,
    pub next: AtomicUsize,
}

/// A call that is sent when it is awaited.
#[must_use = "a call is sent when it is awaited"]
pub struct Call {
    rig: Arc<Rig>,
    method: Method,
    path: String,
    token: Option<String>,
    key: Option<String>,
    if_match: Option<String>,
    body: Option<Value>,
    status: u16,
    state: Option<&'static str>,
    instance: Option<usize>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// `Rollcall-Cursor`.
    pub cursor: Option<String>,
    pub retry_after: Option<String>,
    pub content_type: String,
    /// `Null` where there was none.
    pub body: Value,
}

/// Something with an id in a path: a class or a booking, or a bare id.
pub trait Named {
    fn id(&self) -> String;
}

impl Call {
    pub fn new(rig: Arc<Rig>, method: Method, path: &str, token: &str, body: Option<Value>) -> Call {
        Call {
            rig,
            method,
            path: path.to_owned(),
            token: Some(token.to_owned()),
            key: None,
            if_match: None,
            body,
            status: 200,
            state: None,
            instance: None,
        }
    }

    pub fn key(mut self, key: &str) -> Call {
        self.key = Some(key.to_owned());
        self
    }

    pub fn if_match(mut self, revision: &Value) -> Call {
        self.if_match = Some(format!("\"{revision}\""));
        self
    }

    pub fn with_body(mut self, body: Value) -> Call {
        self.body = Some(body);
        self
    }

    pub fn with_token(mut self, token: Option<&str>) -> Call {
        self.token = token.map(str::to_owned);
        self
    }

    /// To this instance; without it the instances take turns.
    pub fn at(mut self, instance: usize) -> Call {
        self.instance = Some(instance);
        self
    }

    /// The status that awaiting asserts.
    pub fn answers(mut self, status: u16) -> Call {
        self.status = status;
        self
    }

    /// The booking status that awaiting asserts.
    pub fn becoming(mut self, state: &'static str) -> Call {
        self.state = Some(state);
        self
    }

    /// The same again: a booking that is there already answers 200.
    pub fn again(self) -> Call {
        self.answers(200)
    }

    /// Asserts that the call is refused with this code.
    pub async fn refused(self, code: &str) -> Reply {
        let what = self.describe();
        let reply = self.send().await;
        assert_eq!(reply.body["code"], code, "{what}: {reply:?}");
        assert_eq!(reply.content_type, "application/problem+json", "{what}");
        assert_eq!(reply.body["status"], reply.status, "{what}");
        reply
    }

    /// Whatever comes back.
    pub async fn send(self) -> Reply {
        let what = self.describe();
        let services = &self.rig.services;
        let turn = || self.rig.next.fetch_add(1, Ordering::Relaxed) % services.len();
        let url = format!("{}{}", services[self.instance.unwrap_or_else(turn)].url(), self.path);
        let mut request = self.rig.http.request(self.method, url);
        let headers = [
            ("Authorization", self.token.map(|token| format!("Bearer {token}"))),
            ("Idempotency-Key", self.key),
            ("If-Match", self.if_match),
        ];
        for (name, value) in headers.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            request = request.header(name, value);
        }
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        Reply::read(response).await
    }

    fn describe(&self) -> String {
        let body = self.body.as_ref().map_or(String::new(), |body| format!(" {body}"));
        format!("{} {}{body}", self.method, self.path)
    }
}

impl IntoFuture for Call {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (what, status, state) = (self.describe(), self.status, self.state);
            let reply = self.send().await;
            assert_eq!(reply.status, status, "{what}: {reply:?}");
            if let Some(state) = state {
                assert_eq!(reply.body["status"], state, "{what}: {reply:?}");
            }
            reply
        })
    }
}

impl Reply {
    async fn read(response: reqwest::Response) -> Reply {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let (cursor, retry_after) = (header("rollcall-cursor"), header("retry-after"));
        let content_type = header("content-type").unwrap_or_default();
        let bytes = response.bytes().await.expect("a whole body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status, cursor, retry_after, content_type, body }
    }

    /// The items of a list.
    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().map_or(&[], Vec::as_slice)
    }
}

impl Named for Reply {
    fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.body)).to_owned()
    }
}

impl Named for &str {
    fn id(&self) -> String {
        (*self).to_owned()
    }
}

impl Named for String {
    fn id(&self) -> String {
        self.clone()
    }
}

/// A token the service believes, good for an hour.
pub fn token(sub: &str, role: &str, org: Option<&str>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let mut claims = json!({ "sub": sub, "role": role, "exp": now + 3600 });
    if let Some(org) = org {
        claims["org"] = json!(org);
    }
    signed(&claims, SECRET)
}

/// A token with these claims, believed if the secret is the service's.
pub fn signed(claims: &Value, secret: &str) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("a token")
}

/// RFC 7396.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, change) in patch {
        if change.is_null() {
            target.as_object_mut().expect("an object").remove(name);
        } else {
            merge(&mut target[name], change);
        }
    }
}
