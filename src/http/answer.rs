//! From what the store answered to what the caller gets: outcome to status, and the
//! place in the event stream that every answer to a write carries.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

use super::cursor::opaque;
use super::problem::Problem;
use crate::domain::invalid::FieldError;
use crate::domain::refusal::Refusal;
use crate::store::error::StoreError;
use crate::store::{Answer, Page};

const ROLLCALL_CURSOR: HeaderName = HeaderName::from_static("rollcall-cursor");

/// The cursor of an organisation in which nothing ever happened, which is one that does not exist.
const NO_STREAM: &str = "0-0";

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListBody<T> {
    pub items: Vec<T>,
    /// Where the next page begins; null on the last.
    pub next: Option<String>,
}

impl<T> ListBody<T> {
    /// A page of the store's as it is shown; its cursor is made opaque.
    pub fn of<Item>(page: Page<Item>, body: impl FnMut(Item) -> T) -> ListBody<T> {
        ListBody { next: page.next.as_deref().map(opaque), ..ListBody::plain(page, body) }
    }

    /// A page whose cursors name places that callers know by themselves: events and fees.
    pub fn plain<Item>(page: Page<Item>, body: impl FnMut(Item) -> T) -> ListBody<T> {
        ListBody { items: page.items.into_iter().map(body).collect(), next: page.next }
    }
}

/// The answer to a read.
pub fn read<T, B: Serialize>(
    answer: Result<Answer<T>, StoreError>,
    body: impl FnOnce(T, Tz) -> B,
) -> Result<HttpResponse, Problem> {
    let answer = answer.map_err(harmless)?;
    let Answer { outcome, cursor, zone } = answer;
    match outcome {
        Ok(value) => Ok(HttpResponse::Ok().json(body(value, zone))),
        Err(refusal) => Err(refused(refusal, zone, &cursor)),
    }
}

/// The answer to a read whose place in a list is asked for as `after`, and so refused under that name.
pub fn read_after<T, B: Serialize>(
    answer: Result<Answer<T>, StoreError>,
    body: impl FnOnce(T, Tz) -> B,
) -> Result<HttpResponse, Problem> {
    let named = |error: FieldError| match error.pointer.as_str() {
        "/cursor" => FieldError::new("/after", error.detail),
        _ => error,
    };
    let named = |refusal| match refusal {
        Refusal::Invalid(errors) => Refusal::Invalid(errors.into_iter().map(named).collect()),
        other => other,
    };
    read(answer.map(|answer| Answer { outcome: answer.outcome.map_err(named), ..answer }), body)
}

/// The answer to a write that changed something which was there.
pub fn changed<T, B: Serialize>(
    answer: Result<Answer<T>, StoreError>,
    body: impl FnOnce(T, Tz) -> B,
) -> Result<HttpResponse, Problem> {
    let written = written(answer)?;
    Ok(HttpResponse::Ok().insert_header(written.header()).json(body(written.value, written.zone)))
}

/// The answer to a write that may have created something, which is then found at `location`.
pub fn created<T, B: Serialize>(
    answer: Result<Answer<T>, StoreError>,
    location: impl FnOnce(&T) -> Option<String>,
    body: impl FnOnce(T, Tz) -> B,
) -> Result<HttpResponse, Problem> {
    let written = written(answer)?;
    let mut response = match location(&written.value) {
        Some(location) => {
            let mut response = HttpResponse::Created();
            response.insert_header((LOCATION, location));
            response
        }
        None => HttpResponse::Ok(),
    };
    Ok(response.insert_header(written.header()).json(body(written.value, written.zone)))
}

/// The answer to a write after which there is nothing to show.
pub fn gone(answer: Result<Answer<()>, StoreError>) -> Result<HttpResponse, Problem> {
    let written = written(answer)?;
    Ok(HttpResponse::NoContent().insert_header(written.header()).finish())
}

struct Written<T> {
    value: T,
    cursor: String,
    zone: Tz,
}

impl<T> Written<T> {
    fn header(&self) -> (HeaderName, HeaderValue) {
        let value = HeaderValue::from_str(&self.cursor);
        (ROLLCALL_CURSOR, value.unwrap_or_else(|_unprintable| HeaderValue::from_static("")))
    }
}

fn written<T>(answer: Result<Answer<T>, StoreError>) -> Result<Written<T>, Problem> {
    let Answer { outcome, cursor, zone } = answer?;
    match outcome {
        Ok(value) => Ok(Written { value, cursor, zone }),
        Err(refusal) => Err(refused(refusal, zone, &cursor)),
    }
}

/// A refusal says where the stream is, as every answer does. Only an organisation that does not exist has no stream;
/// [`caller::identify`](super::caller::identify) says which one that is.
pub fn refused(refusal: Refusal, zone: Tz, cursor: &str) -> Problem {
    let no_org = refusal == Refusal::NotFound && cursor == NO_STREAM;
    let problem = Problem::refused(refusal, zone);
    if no_org { problem.of_unknown_org() } else { problem.with_header(ROLLCALL_CURSOR, cursor) }
}

/// A read whose answer was lost changed nothing, so there is no outcome to know.
fn harmless(error: StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown => StoreError::Unavailable("a read was not answered in time".to_owned()),
        other @ (StoreError::Unavailable(_)
        | StoreError::Crowded(_)
        | StoreError::NotDurable(_)
        | StoreError::Corrupt(_)) => other,
    }
}
