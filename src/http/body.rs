//! Bodies: how many bytes, of which type, and that they are strict JSON.
//!
//! A [`Body`] is only a promise of one. It is read in the handler's own words,
//! after the caller's rights were judged, so nobody without them learns anything
//! from a body. What the JSON means is parsed by the domain.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};
use serde_json::{Map, Value};

use super::problem::{Code, Problem};
use crate::domain::json;

/// The largest body, in bytes. The longest honest one, a policy, is a tenth of it.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_WAIT_MAX: Duration = Duration::from_secs(10);

/// A request's body before it is read.
pub struct Body {
    payload: web::Payload,
    headers: HeaderMap,
}

impl Body {
    /// The JSON of a body that must be there.
    pub async fn read(self) -> Result<Value, Problem> {
        let bytes = self.bytes().await?;
        json::parse(&bytes).map_err(|what| Problem::new(Code::Malformed, format!("The body is not JSON: {what}.")))
    }

    /// The JSON of a body that may be left out, which then reads as `{}`.
    pub async fn read_or_empty(self) -> Result<Value, Problem> {
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        json::parse(&bytes).map_err(|what| Problem::new(Code::Malformed, format!("The body is not JSON: {what}.")))
    }

    async fn bytes(self) -> Result<Bytes, Problem> {
        if declared_length(&self.headers).is_some_and(|length| length > BODY_BYTES_MAX as u64) {
            return Err(too_large());
        }
        let arriving = tokio::time::timeout(BODY_WAIT_MAX, self.payload.to_bytes_limited(BODY_BYTES_MAX));
        let bytes = match arriving.await {
            Err(_elapsed) => {
                return Err(Problem::new(Code::RequestTimeout, "The body did not arrive within 10 seconds."));
            }
            Ok(Err(_exceeded)) => return Err(too_large()),
            Ok(Ok(Err(_broken))) => {
                return Err(Problem::new(Code::Malformed, "The body broke off or is wrongly framed."));
            }
            Ok(Ok(Ok(bytes))) => bytes,
        };
        if !bytes.is_empty() && !is_json(&self.headers) {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "Send the body as application/json, in UTF-8 and unencoded.",
            ));
        }
        Ok(bytes)
    }
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut headers = HeaderMap::new();
        for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING] {
            for value in req.headers().get_all(&name) {
                headers.append(name.clone(), value.clone());
            }
        }
        let payload = web::Payload::from_request(req, payload).into_inner();
        ready(payload.map(|payload| Body { payload, headers }).map_err(|_broken| Problem::internal()))
    }
}

fn too_large() -> Problem {
    Problem::new(Code::TooLarge, format!("A body may have at most {BODY_BYTES_MAX} bytes."))
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `application/json`, alone or with `charset=utf-8`, exactly once and not encoded.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE);
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let plain = |encoding: &header::HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    parts.next().is_some_and(|media_type| media_type == "application/json")
        && parts.all(|parameter| matches!(parameter.as_str(), "charset=utf-8" | "charset=\"utf-8\""))
        && headers.get_all(header::CONTENT_ENCODING).all(plain)
}
