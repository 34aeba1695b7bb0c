//! Which web pages may call: those of the service itself, and of the origins the
//! operator names. Sockets ask the same question as CORS does.
//!
//! Only browsers send `Origin`; a caller without one is no web page and is not
//! held up here.

use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

use super::problem::Problem;

/// How long a browser may keep the answer to a preflight, in seconds.
const PREFLIGHT_AGE_S: &str = "7200";

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str =
    "authorization, content-type, idempotency-key, if-match, if-none-match, rollcall-cursor, x-request-id";
const RESPONSE_HEADERS: &str = "etag, location, retry-after, rollcall-cursor, www-authenticate, x-request-id";

/// The origins whose pages may call; the service's own may always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Exact origins, as browsers and app shells write them but in lower case. None allows only the service's own.
    pub fn new(origins: Vec<String>) -> Origins {
        Origins(origins)
    }

    /// Whether the page behind a request may make it.
    pub fn admit(&self, head: &RequestHead) -> bool {
        let mut origins = head.headers().get_all(header::ORIGIN);
        match (origins.next(), origins.next()) {
            (None, _) => true,
            (Some(origin), None) => self.named(origin) || is_own(origin, head),
            // No browser sends two.
            (Some(_), Some(_)) => false,
        }
    }

    fn named(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
    }

    /// The answer to a browser that asks before it calls, if this is one.
    pub fn preflight(&self, head: &RequestHead) -> Option<Result<HttpResponse, Problem>> {
        let asks = head.method == Method::OPTIONS && head.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let origin = origin_of(head.headers()).filter(|_| asks)?;
        if !self.admit(head) {
            return Some(Err(Problem::foreign_origin()));
        }
        let mut answer = HttpResponse::NoContent();
        answer
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()))
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
            .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE_S));
        Some(Ok(answer.finish()))
    }

    /// Lets the page that asked read the answer, where it may. `origin` is the request's.
    pub fn mark(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = origin.filter(|origin| self.named(origin)) {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
        }
    }
}

/// The page a request comes from, as the browser tells it.
pub fn origin_of(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::ORIGIN)
}

/// The page was served by the host it now calls. TLS usually ends before us, so both of the web's schemes will do; a
/// page of an app's own scheme came from an app, whatever host it names.
fn is_own(origin: &HeaderValue, head: &RequestHead) -> bool {
    let host = head.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let page = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    matches!((page, host), (Some(("http" | "https", page)), Some(host)) if page.eq_ignore_ascii_case(host))
}
