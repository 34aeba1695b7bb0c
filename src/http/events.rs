//! The event stream of an organisation, line by line.

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{self, ListBody};
use super::caller::Staff;
use super::problem::{Code, Problem};
use super::query::Params;
use super::resource::on;
use super::schema::EventWord;
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, ClassId, MemberId};
use crate::domain::instant::with_zone;
use crate::store::events::EventsAfter;
use crate::store::{Answer, Store};

/// Who did something; the service itself acts too.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = By)]
pub struct ByBody {
    sub: String,
    role: String,
}

/// One change: a line of the stream and of a class's history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventBody {
    /// Its place in the stream.
    #[schema(example = "1767978000000-41")]
    cursor: String,
    #[schema(value_type = EventWord)]
    event: String,
    #[schema(format = DateTime)]
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    class: Option<ClassId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    booking: Option<BookingId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    member: Option<MemberId>,
    by: ByBody,
    /// What belongs to this event.
    #[schema(value_type = Object)]
    data: Value,
}

impl EventBody {
    /// The event as it is shown in a zone.
    pub fn of(event: Event, zone: Tz) -> EventBody {
        EventBody {
            cursor: event.cursor,
            event: event.event,
            at: with_zone(event.at, zone),
            class: event.class,
            booking: event.booking,
            member: event.member,
            by: ByBody { sub: event.by.sub, role: event.by.role },
            data: event.data,
        }
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/events").get(list_events));
}

/// What happened after a cursor, in order and without gaps; from the oldest kept where none is given.
#[utoipa::path(
    get, path = "/v1/events", tag = "events",
    params(
        ("after" = Option<String>, Query, description = "The cursor of the last event already known."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200),
    ),
    responses((status = 200, body = ListBody<EventBody>), (status = 410, description = "The stream no longer reaches back.")),
)]
pub async fn list_events(staff: Staff, mut params: Params, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let page = params.page_after();
    params.done()?;
    // 0 is the beginning, as it is in the ledger.
    let after = page.cursor.as_deref().filter(|after| *after != "0");
    let Answer { outcome, cursor, zone } = store.events(&staff.org, after, page.limit).await?;
    let outcome = match outcome {
        Ok(EventsAfter::Page(page)) => Ok(page),
        Ok(EventsAfter::CursorGone) => return Err(Problem::new(Code::CursorGone, GONE)),
        Err(refusal) => Err(refusal),
    };
    answer::read_after(Ok(Answer { outcome, cursor, zone }), |page, zone| {
        ListBody::plain(page, |event| EventBody::of(event, zone))
    })
}

const GONE: &str = "Read the documents afresh and follow the stream from the cursor that comes with them.";
