//! Bookings: made, looked at, given up and accepted, by members for themselves and by
//! the desk for anyone.

use actix_web::{HttpResponse, web};
use uuid::Uuid;

use super::answer::{self, ListBody};
use super::caller::{Member, MemberOrStaff, Staff};
use super::command::Incoming;
use super::path::Id;
use super::problem::Problem;
use super::query::Params;
use super::reason::ReasonBody;
use super::resource::on;
use crate::domain::ids::{BookingId, ClassId, MemberId};
use crate::domain::invalid::FieldError;
use crate::store::Store;
use crate::store::bookings::{Book, When};

mod bodies;

pub use bodies::{BookingBody, CancelBody, CancelPreviewBody, NewBookingBody, RosterBody};

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/classes/{id}/bookings").post(book))
        .service(on("/bookings").get(list_bookings))
        .service(on("/bookings/{id}").get(read_booking))
        .service(on("/bookings/{id}/cancel-preview").get(preview_cancel))
        .service(on("/bookings/{id}/cancel").post(cancel))
        .service(on("/bookings/{id}/accept").post(accept))
        .service(on("/bookings/{id}/excuse").post(excuse));
}

/// Book a class, or queue for it when it is full; from the desk, also let a walk-in in. A live booking is
/// answered as it is, with 200.
#[utoipa::path(
    post, path = "/v1/classes/{id}/bookings", tag = "bookings",
    params(("id" = String, Path)), request_body = NewBookingBody,
    responses((status = 201, body = BookingBody), (status = 200, body = BookingBody)),
)]
pub async fn book(
    caller: MemberOrStaff,
    class: Id<ClassId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_or_empty().await?;
    let asked = NewBookingBody::parse(&call.body)?;
    let member = match (caller.member(), asked.member) {
        (Some(own), None) => own.clone(),
        (Some(own), Some(named)) if *own == named => named,
        (Some(_), Some(_)) => return Err(Problem::forbidden()),
        (None, Some(named)) => named,
        (None, None) => return Err(needed("/member")),
    };
    let (id, write) = (fresh_id()?, call.by(&caller));
    let placed = match (asked.walk_in.unwrap_or(false), caller.is_desk()) {
        (true, true) => store.walk_in(&write, &class.0, &member, &id).await,
        (true, false) => return Err(Problem::forbidden()),
        (false, desk) => {
            let waitlist = asked.waitlist.unwrap_or(true);
            store.book(&write, &Book { class: &class.0, member: &member, id: &id, waitlist, desk }).await
        }
    };
    answer::created(
        placed,
        |placed| placed.created.then(|| format!("/v1/bookings/{}", placed.booking.id)),
        |placed, zone| BookingBody::of(placed.booking, zone),
    )
}

/// A member's bookings: those ahead by start, the others newest first.
#[utoipa::path(
    get, path = "/v1/bookings", tag = "bookings",
    params(
        ("member" = Option<String>, Query, description = "Needed from the desk."),
        ("when" = Option<String>, Query, description = "`upcoming` or `past`; both where it is left out."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = ListBody<BookingBody>)),
)]
pub async fn list_bookings(
    caller: MemberOrStaff,
    mut params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let (page, member) = (params.page(), params.parsed::<MemberId>("member"));
    let when = params.take("when", |text| match text {
        "upcoming" => Ok(When::Upcoming),
        "past" => Ok(When::Past),
        _ => Err("must be upcoming or past"),
    });
    params.done()?;
    let member = match member.or_else(|| caller.member().cloned()) {
        Some(member) => caller.whose(member)?,
        None => return Err(needed("/member")),
    };
    let when = when.unwrap_or(When::All);
    let bookings = store.bookings(&caller.org, &member, when, page.limit, page.cursor.as_deref()).await;
    answer::read(bookings, |page, zone| ListBody::of(page, |booking| BookingBody::of(booking, zone)))
}

/// A booking, to its owner and the desk.
#[utoipa::path(
    get, path = "/v1/bookings/{id}", tag = "bookings",
    params(("id" = String, Path)), responses((status = 200, body = BookingBody)),
)]
pub async fn read_booking(
    caller: MemberOrStaff,
    id: Id<BookingId>,
    params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    params.done()?;
    answer::read(store.booking(&caller.org, &id.0, caller.member()).await, BookingBody::of)
}

/// What cancelling now would cost.
#[utoipa::path(
    get, path = "/v1/bookings/{id}/cancel-preview", tag = "bookings",
    params(("id" = String, Path)), responses((status = 200, body = CancelPreviewBody)),
)]
pub async fn preview_cancel(
    caller: MemberOrStaff,
    id: Id<BookingId>,
    params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    params.done()?;
    answer::read(store.cancel_preview(&caller.org, &id.0, caller.member()).await, CancelPreviewBody::of)
}

/// Cancel, leave the waitlist or decline an offer. A booking that is cancelled already is answered as it is.
#[utoipa::path(
    post, path = "/v1/bookings/{id}/cancel", tag = "bookings",
    params(("id" = String, Path)), request_body = CancelBody, responses((status = 200, body = BookingBody)),
)]
pub async fn cancel(
    caller: MemberOrStaff,
    id: Id<BookingId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_or_empty().await?;
    let CancelBody { charge, reason } = CancelBody::parse(&call.body, caller.is_desk())?;
    let reason = reason.as_deref().unwrap_or_default();
    let cancelled = store.cancel(&call.by(&caller), &id.0, caller.member(), charge, reason).await;
    answer::changed(cancelled, BookingBody::of)
}

/// Take an offered spot.
#[utoipa::path(
    post, path = "/v1/bookings/{id}/accept", tag = "bookings",
    params(("id" = String, Path)), responses((status = 200, body = BookingBody)),
)]
pub async fn accept(
    owner: Member,
    id: Id<BookingId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_empty().await?;
    answer::changed(store.accept(&call.by(&owner), &id.0, &owner.sub).await, BookingBody::of)
}

/// Take back what a no-show or late cancel cost: fee, clip, strike, and a ban that no longer stands.
#[utoipa::path(
    post, path = "/v1/bookings/{id}/excuse", tag = "bookings",
    params(("id" = String, Path)), request_body = ReasonBody, responses((status = 200, body = BookingBody)),
)]
pub async fn excuse(
    staff: Staff,
    id: Id<BookingId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_or_empty().await?;
    let reason = ReasonBody::parse(&call.body)?;
    answer::changed(store.excuse(&call.by(&staff), &id.0, reason.as_str()).await, BookingBody::of)
}

fn needed(pointer: &str) -> Problem {
    Problem::invalid(vec![FieldError::new(pointer, "is missing")])
}

fn fresh_id() -> Result<BookingId, Problem> {
    Uuid::now_v7().to_string().parse().map_err(|error| {
        tracing::error!(%error, "a fresh booking id is no id");
        Problem::internal()
    })
}
