//! What every write carries besides its body: the key that makes repeating it
//! safe, the fingerprint the key is bound to, and the revision it expects.
//!
//! The key is claimed inside the store's atom; here it is only read and given its
//! owner. A call without a key gets an id of its own, because drivers repeat
//! commands by themselves.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH};
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::body::Body;
use super::caller::{Caller, OrgCaller};
use super::problem::Problem;
use crate::domain::fields::Fields;
use crate::domain::ids::OrgId;
use crate::domain::invalid::FieldError;
use crate::domain::json;
use crate::store::{Command, Write, keys};

/// The longest `Idempotency-Key`, in characters.
pub const KEY_LEN_MAX: usize = 255;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A write before its body is read.
pub struct Incoming {
    envelope: Envelope,
    body: Body,
}

/// A write whose body was read.
#[derive(Debug)]
pub struct Call {
    /// The caller's own key, if the call has one.
    pub key: Option<String>,
    /// SHA-256 of method, path and canonical body, in hex: what the key is bound to.
    pub fingerprint: String,
    /// The revision the caller expects to change; none where any will do.
    pub if_match: Option<u64>,
    pub body: Value,
}

impl Incoming {
    /// Reads a body that must be there.
    pub async fn read(self) -> Result<Call, Problem> {
        let body = self.body.read().await?;
        Ok(self.envelope.around(body))
    }

    /// Reads the body of an action, which may be `{}` or absent.
    pub async fn read_or_empty(self) -> Result<Call, Problem> {
        let body = self.body.read_or_empty().await?;
        Ok(self.envelope.around(body))
    }

    /// Reads the body of a call that has nothing to say: `{}` or absent.
    pub async fn read_empty(self) -> Result<Call, Problem> {
        let call = self.read_or_empty().await?;
        Fields::of(&call.body).and_then(|fields| fields.finish(|| Some(())))?;
        Ok(call)
    }
}

impl Call {
    /// The write this call asks of the caller's organisation.
    pub fn by(&self, caller: &OrgCaller) -> Write {
        self.within(&caller.org, caller)
    }

    /// The write this call asks of an organisation. A key belongs to its sender: within the sender's id `:` is
    /// written otherwise, so no two senders share one.
    pub fn within(&self, org: &OrgId, caller: &Caller) -> Write {
        let id = match &self.key {
            Some(key) => format!("{}:{}:{key}", caller.role, keys::part(caller.sub.as_str())),
            None => Uuid::new_v4().to_string(),
        };
        let command = Command { id, fingerprint: self.fingerprint.clone(), keyed: self.key.is_some() };
        Write { org: org.clone(), by: caller.by(), command }
    }
}

impl FromRequest for Incoming {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Body::from_request(req, payload).into_inner();
        ready(body.and_then(|body| Ok(Incoming { envelope: Envelope::of(req)?, body })))
    }
}

/// Everything about a write but its body.
struct Envelope {
    method: String,
    path: String,
    key: Option<String>,
    if_match: Option<u64>,
}

impl Envelope {
    fn of(req: &HttpRequest) -> Result<Envelope, Problem> {
        Ok(Envelope {
            method: req.method().to_string(),
            path: req.uri().path().to_owned(),
            key: key(req.headers())?,
            if_match: if_match(req.headers())?,
        })
    }

    fn around(self, body: Value) -> Call {
        let fingerprint = fingerprint(&self.method, &self.path, &body);
        Call { key: self.key, fingerprint, if_match: self.if_match, body }
    }
}

/// Each part with its length in front, so that no two calls run together into the same bytes.
fn fingerprint(method: &str, path: &str, body: &Value) -> String {
    let mut hash = Sha256::new();
    for part in [method, path, &json::canonical(body)] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("{:x}", hash.finalize())
}

/// The only value of a header, as text; `Err` where it is repeated or not ASCII.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_not_ascii| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let wrong =
        || Problem::invalid(vec![FieldError::new("/Idempotency-Key", "must be 1 to 255 visible ASCII characters")]);
    let Some(key) = single(headers, &IDEMPOTENCY_KEY).map_err(|()| wrong())? else { return Ok(None) };
    let readable = (1..=KEY_LEN_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if readable { Ok(Some(key.to_owned())) } else { Err(wrong()) }
}

fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let wrong =
        || Problem::invalid(vec![FieldError::new("/If-Match", "must be a revision, as \"17\", W/\"17\" or 17, or *")]);
    let Some(text) = single(headers, &IF_MATCH).map_err(|()| wrong())? else { return Ok(None) };
    if text.trim() == "*" {
        return Ok(None);
    }
    let bare = text.trim();
    // A revision names a state, not its bytes, so a weak tag compares as well as a strong one.
    let tag = bare.strip_prefix("W/").filter(|tag| tag.starts_with('"')).unwrap_or(bare);
    let digits = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(tag);
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits {
        return Err(wrong());
    }
    digits.parse().map(Some).map_err(|_too_long| wrong())
}
