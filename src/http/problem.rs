//! The one way out for errors: every refusal, every broken request and every
//! failure leaves the service as an RFC 9457 problem made here.
//!
//! A problem is named by its code, and the code fixes its status and title, so
//! a client can branch on one word. What lies behind a 5xx is logged here, once,
//! and never told to the caller.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use chrono_tz::Tz;

use crate::domain::instant::with_zone;
use crate::domain::invalid::{FieldError, summary};
use crate::domain::refusal::Refusal;
use crate::store::error::{Crowd, StoreError};

mod body;

pub use body::{FieldProblem, ProblemBody};

/// The media type of every problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// How long a caller is asked to wait when the store is away, in seconds: a
/// reconnect or a failover within the same machine room takes about that long.
const UNAVAILABLE_RETRY_AFTER_S: u64 = 1;

macro_rules! codes {
    ($($name:ident $status:literal $code:literal $title:literal;)+) => {
        /// What went wrong, in one word. The word, its status and its title are fixed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $name,)+ }

        impl Code {
            /// Every code, in the order of its status.
            pub const ALL: &[Code] = &[$(Code::$name,)+];

            /// The word itself.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }

            /// The HTTP status it is answered with.
            pub fn status(self) -> StatusCode {
                let status = match self { $(Code::$name => $status,)+ };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// A short sentence for people, the same for each occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)+ }
            }
        }
    };
}

codes! {
    Malformed 400 "malformed" "The request cannot be read";
    Unauthenticated 401 "unauthenticated" "A valid token is needed";
    Forbidden 403 "forbidden" "The caller's role may not do this";
    NotFound 404 "not_found" "There is no such thing";
    MethodNotAllowed 405 "method_not_allowed" "This path has no such method";
    NotAcceptable 406 "not_acceptable" "None of the accepted encodings can be produced";
    RequestTimeout 408 "request_timeout" "The body did not arrive in time";
    NotOpen 409 "not_open" "Booking has not opened yet";
    Closed 409 "closed" "Booking is closed";
    Full 409 "full" "The class is full";
    WaitlistFull 409 "waitlist_full" "The waitlist is full";
    WaitlistClosed 409 "waitlist_closed" "The waitlist is closed";
    DailyLimit 409 "daily_limit" "The limit of bookings on one day is reached";
    OpenLimit 409 "open_limit" "The limit of open bookings is reached";
    Overlap 409 "overlap" "Another booking is at the same time";
    Banned 409 "banned" "The right to book is suspended";
    NotEntitled 409 "not_entitled" "The membership does not cover this class";
    Frozen 409 "frozen" "The membership is frozen on that day";
    MembershipEnded 409 "membership_ended" "The membership has ended";
    NoClips 409 "no_clips" "No clips are left";
    TooYoung 409 "too_young" "The member is too young for this class";
    ClassCancelled 409 "class_cancelled" "The class is cancelled";
    ClassFinished 409 "class_finished" "The class is over";
    CancelClosed 409 "cancel_closed" "It is too late to cancel";
    CheckInNotOpen 409 "check_in_not_open" "Check-in is not open yet";
    CheckInClosed 409 "check_in_closed" "Check-in is closed";
    OfferExpired 409 "offer_expired" "The offer has run out";
    NotOffered 409 "not_offered" "No spot is offered";
    WrongStatus 409 "wrong_status" "The status does not allow this";
    CursorGone 410 "cursor_gone" "The event stream no longer reaches back that far";
    Stale 412 "stale" "It has changed since it was read";
    TooLarge 413 "too_large" "The body is too large";
    UnsupportedMediaType 415 "unsupported_media_type" "The body must be JSON";
    Invalid 422 "invalid" "The request holds values that are not allowed";
    IdempotencyMismatch 422 "idempotency_mismatch" "The key was used for another call";
    RateLimited 429 "rate_limited" "Too many calls";
    Internal 500 "internal" "Something went wrong";
    Unavailable 503 "unavailable" "The service cannot do this at the moment";
    OutcomeUnknown 503 "outcome_unknown" "It is not known whether this was done";
}

impl Code {
    /// The code of a refusal.
    pub fn of(refusal: &Refusal) -> Code {
        match refusal {
            Refusal::NotOpen { .. } => Code::NotOpen,
            Refusal::Closed => Code::Closed,
            Refusal::Full => Code::Full,
            Refusal::WaitlistFull => Code::WaitlistFull,
            Refusal::WaitlistClosed => Code::WaitlistClosed,
            Refusal::DailyLimit => Code::DailyLimit,
            Refusal::OpenLimit => Code::OpenLimit,
            Refusal::Overlap => Code::Overlap,
            Refusal::Banned { .. } => Code::Banned,
            Refusal::NotEntitled => Code::NotEntitled,
            Refusal::Frozen { .. } => Code::Frozen,
            Refusal::MembershipEnded => Code::MembershipEnded,
            Refusal::NoClips => Code::NoClips,
            Refusal::TooYoung => Code::TooYoung,
            Refusal::ClassCancelled => Code::ClassCancelled,
            Refusal::ClassFinished => Code::ClassFinished,
            Refusal::CancelClosed => Code::CancelClosed,
            Refusal::CheckInNotOpen => Code::CheckInNotOpen,
            Refusal::CheckInClosed => Code::CheckInClosed,
            Refusal::OfferExpired => Code::OfferExpired,
            Refusal::NotOffered => Code::NotOffered,
            Refusal::WrongStatus => Code::WrongStatus,
            Refusal::NotFound => Code::NotFound,
            Refusal::Stale => Code::Stale,
            Refusal::IdempotencyMismatch => Code::IdempotencyMismatch,
            Refusal::RateLimited { .. } => Code::RateLimited,
            Refusal::Invalid(_) => Code::Invalid,
        }
    }
}

/// One error on its way to the caller.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    until: Option<String>,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
    unknown_org: bool,
    /// Headers that only some problems have.
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Marks an answer whose cause is that the caller's organisation does not exist.
pub struct UnknownOrg;

impl Problem {
    /// A problem with a sentence of its own.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem {
            code,
            detail: detail.into(),
            until: None,
            errors: Vec::new(),
            retry_after_s: None,
            unknown_org: false,
            headers: Vec::new(),
        }
    }

    /// Values that are not allowed, each at its JSON pointer.
    pub fn invalid(errors: Vec<FieldError>) -> Problem {
        Problem { detail: summary(&errors).into(), errors, ..Problem::new(Code::Invalid, "") }
    }

    /// What a rule refused. When it will be possible is written with the offset of `zone`.
    pub fn refused(refusal: Refusal, zone: Tz) -> Problem {
        let code = Code::of(&refusal);
        let until = refusal.until(zone).map(|instant| with_zone(instant, zone));
        let detail = match (&until, &refusal) {
            (Some(until), _) => Cow::Owned(format!("{}; it will be possible from {until} on.", code.title())),
            (None, Refusal::IdempotencyMismatch) => {
                "The Idempotency-Key belongs to a call with another method, path or body.".into()
            }
            (None, Refusal::Invalid(errors)) => Cow::Owned(summary(errors)),
            (None, _) => Cow::Owned(format!("{}.", code.title())),
        };
        let retry_after_s = if let Refusal::RateLimited { wait_s, .. } = refusal { Some(wait_s) } else { None };
        let errors = if let Refusal::Invalid(errors) = refusal { errors } else { Vec::new() };
        Problem { until, errors, retry_after_s, ..Problem::new(code, detail) }
    }

    /// A call without a token. What is wrong with one that came is said by [`Distrust`](super::tokens::Distrust).
    pub fn unauthenticated() -> Problem {
        Problem::new(Code::Unauthenticated, "Send a valid token as \"Authorization: Bearer …\".")
    }

    /// A caller whose role may not do this.
    pub fn forbidden() -> Problem {
        Problem::new(Code::Forbidden, "The token's role may not make this call.")
    }

    /// A browser's page that does not belong here.
    pub fn foreign_origin() -> Problem {
        Problem::new(Code::Forbidden, "Pages of this origin may not call the service.")
    }

    /// What is not there, or is somebody else's.
    pub fn not_found() -> Problem {
        Problem::new(Code::NotFound, "There is nothing here that this caller may see.")
    }

    /// The same problem, marked as [`UnknownOrg`].
    pub fn of_unknown_org(self) -> Problem {
        Problem { unknown_org: true, ..self }
    }

    /// A method that the path does not know; `allow` lists those it does.
    pub fn method_not_allowed(allow: &str) -> Problem {
        Problem::new(Code::MethodNotAllowed, "This path does not take that method; see the header Allow.")
            .with_header(header::ALLOW, allow)
    }

    /// Too many calls, or too heavy ones; the next is taken in `retry_after_s` seconds.
    pub fn rate_limited(retry_after_s: u64) -> Problem {
        Problem {
            retry_after_s: Some(retry_after_s),
            ..Problem::new(Code::RateLimited, "This caller asks for more than is allowed. Nothing was changed.")
        }
    }

    /// The service cannot do this now and nothing was changed.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem { retry_after_s: Some(UNAVAILABLE_RETRY_AFTER_S), ..Problem::new(Code::Unavailable, detail) }
    }

    /// The same problem, to be tried again after another time.
    pub fn retrying_after(self, seconds: u64) -> Problem {
        Problem { retry_after_s: Some(seconds), ..self }
    }

    /// The command was sent and no answer came.
    pub fn outcome_unknown() -> Problem {
        Problem {
            retry_after_s: Some(UNAVAILABLE_RETRY_AFTER_S),
            ..Problem::new(
                Code::OutcomeUnknown,
                "The answer of the store did not arrive. Repeat the call with the same Idempotency-Key.",
            )
        }
    }

    /// A bug or damaged data. The cause belongs in the log, not here.
    pub fn internal() -> Problem {
        Problem::new(Code::Internal, "The cause is in the service's log.")
    }

    /// The same problem with one more header; a text that no header can carry is left out.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Problem {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// The word a program branches on.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The problem that stands for a bare status somebody below us answered with.
    pub fn of_status(status: StatusCode) -> Problem {
        match status {
            StatusCode::UNAUTHORIZED => Problem::unauthenticated(),
            StatusCode::FORBIDDEN => Problem::forbidden(),
            StatusCode::NOT_FOUND => Problem::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => Problem::method_not_allowed("GET, HEAD"),
            StatusCode::NOT_ACCEPTABLE => {
                Problem::new(Code::NotAcceptable, "Accept-Encoding must allow one of br, gzip, identity.")
            }
            StatusCode::REQUEST_TIMEOUT => Problem::new(Code::RequestTimeout, "The request did not arrive in time."),
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, "The body is too large."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Problem::new(Code::UnsupportedMediaType, "The body must be application/json.")
            }
            StatusCode::SERVICE_UNAVAILABLE => Problem::unavailable("The service cannot do this at the moment."),
            other if other.is_client_error() => Problem::new(Code::Malformed, "The request cannot be read."),
            _ => Problem::internal(),
        }
    }

    fn body(&self) -> ProblemBody<'_> {
        ProblemBody {
            kind: format!("urn:rollcall:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            until: self.until.as_deref(),
            errors: self
                .errors
                .iter()
                .map(|error| FieldProblem { pointer: &error.pointer, detail: &error.detail })
                .collect(),
            retry_after: self.retry_after_s,
        }
    }

    fn write_headers(&self, response: &mut HttpResponseBuilder) {
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)));
        response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        if self.code == Code::Unauthenticated {
            response.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match &error {
            StoreError::Unavailable(_) | StoreError::OutcomeUnknown => {
                tracing::warn!(%error, "a call got no answer: {error}")
            }
            // Anybody can make these by the thousand; they are counted with the other problems.
            StoreError::Crowded(_) => tracing::debug!(%error, "a call was sent away: {error}"),
            StoreError::NotDurable(_) => tracing::warn!(%error, "a write was refused: {error}"),
            StoreError::Corrupt(_) => tracing::error!(%error, "a call failed: {error}"),
        }
        match error {
            StoreError::Unavailable(_) => Problem::unavailable("The store cannot be reached. Nothing was changed."),
            StoreError::OutcomeUnknown => Problem::outcome_unknown(),
            StoreError::Crowded(Crowd::Caller) => Problem::rate_limited(UNAVAILABLE_RETRY_AFTER_S),
            StoreError::Crowded(Crowd::Organisation) => {
                Problem::unavailable("Too many calls of this organisation are under way. Nothing was changed.")
            }
            StoreError::NotDurable(_) => {
                Problem::unavailable("Writes are refused, because the store could lose them. Nothing was changed.")
            }
            StoreError::Corrupt(_) => Problem::internal(),
        }
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Problem {
        Problem::invalid(errors)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        self.write_headers(&mut response);
        let mut response = match serde_json::to_vec(&self.body()) {
            Ok(body) => response.body(body),
            Err(error) => {
                tracing::error!(%error, "a problem could not be written");
                response.finish()
            }
        };
        response.extensions_mut().insert(self.code);
        if self.unknown_org {
            response.extensions_mut().insert(UnknownOrg);
        }
        response
    }
}
