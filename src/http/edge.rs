//! What happens to every request on its way in and to every answer on its way out:
//! a request id, the answer to a preflight, one log line, counters, and the headers
//! that keep browsers from guessing.
//!
//! It is also the net under `problem.rs`: an error that somebody below answered
//! with in another form leaves as a problem too.

use std::rc::Rc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError, web};
use tracing::Instrument;
use uuid::Uuid;

use super::metrics::{Metrics, UNMATCHED};
use super::origins::{Origins, origin_of};
use super::problem::{CONTENT_TYPE, Code, Problem};
use super::wire::{Answering, Arrival, Outgoing, Watch};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id taken over from the caller, in characters.
const REQUEST_ID_LEN_MAX: usize = 64;

/// Put on every answer that does not carry the header already.
const SAFE_HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Put on answers of the API: they are data about people, never a page.
const DATA_HEADERS: [(HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// Request headers whose value is a list, of those that are read here by their first line. The web server itself reads
/// all lines of `Connection` and `Accept-Encoding`.
const LISTS: [HeaderName; 3] = [header::IF_NONE_MATCH, header::SEC_WEBSOCKET_PROTOCOL, header::UPGRADE];

/// The outermost layer of the app.
pub async fn edge(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    join_lists(req.headers_mut());
    let metrics = req.app_data::<web::Data<Metrics>>().cloned();
    let _in_flight = metrics.as_ref().map(|metrics| metrics.begin());
    let origins = req.app_data::<web::Data<Origins>>().cloned();
    let origin = origin_of(req.headers()).cloned();
    // As the router reads it: `/%76%31/me` is `/v1/me`.
    let is_data = req.match_info().as_str().starts_with("/v1/");
    let answering = req.conn_data::<Rc<Watch>>().map(Watch::asked);
    let arrival = Arrival::of(&mut req);
    let method = req.method().clone();
    let request_id = request_id(req.headers());
    let span = tracing::info_span!("request", request_id = %request_id);

    let preflight = origins.as_ref().and_then(|origins| origins.preflight(req.head()));
    let answer = match preflight {
        Some(answer) => req.into_response(answer.unwrap_or_else(|problem| problem.error_response())),
        None => next.call(req).instrument(span.clone()).await?.map_into_boxed_body(),
    };
    let mut answer = caught(answer);

    let headers = answer.headers_mut();
    fill(headers, &SAFE_HEADERS);
    if is_data {
        fill(headers, &DATA_HEADERS);
    }
    if let Some(origins) = &origins {
        origins.mark(origin.as_ref(), headers);
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }

    if arrival.is_some_and(|body| !body.is_complete()) {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        answering.iter().for_each(Answering::leaves_unread);
    }
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        answering.iter().for_each(Answering::opens);
    }

    let took = started.elapsed();
    let status = answer.status();
    let route = answer.request().match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
    let code = answer.response().extensions().get::<Code>().copied();
    if let Some(metrics) = &metrics {
        metrics.answered(&route, &method, status, code, took);
    }
    span.in_scope(|| {
        let (status, took_us, code) = (status.as_u16(), took.as_micros(), code.map(Code::as_str));
        tracing::info!(%method, route, status, took_us, code, "{method} {route} was answered {status}");
    });
    Ok(answer.map_body(|_, body| Outgoing::new(body, answering).boxed()))
}

/// A list may come in several header lines, which are one list (RFC 9110, section 5.3). Who reads it, here and in the
/// crates below, looks at one line.
fn join_lists(headers: &mut HeaderMap) {
    for name in LISTS {
        if headers.get_all(&name).count() < 2 {
            continue;
        }
        let lines: Vec<&[u8]> = headers.get_all(&name).map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b", "[..])) {
            headers.insert(name, joined);
        }
    }
}

/// An answer as it is, or as a problem if it is an error that is none yet.
fn caught(answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = answer.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || is_problem(answer.response()) {
        return answer;
    }
    if status.is_server_error() {
        tracing::error!(status = status.as_u16(), error = ?answer.response().error(), "an error reached the edge");
    }
    answer.into_response(Problem::of_status(status).error_response())
}

fn is_problem(answer: &HttpResponse<BoxBody>) -> bool {
    answer.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes() == CONTENT_TYPE.as_bytes())
}

fn fill(headers: &mut HeaderMap, defaults: &[(HeaderName, &'static str)]) {
    for (name, value) in defaults {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), HeaderValue::from_static(value));
        }
    }
}

/// The caller's id for the request where it is short and plain, else a fresh one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=REQUEST_ID_LEN_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}
