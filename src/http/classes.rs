//! Classes: published, changed and cancelled by the club; listed for everybody.

use actix_web::{HttpResponse, web};

use super::answer::{self, ListBody};
use super::bookings::RosterBody;
use super::caller::{Anyone, Attendance, Staff};
use super::command::Incoming;
use super::events::EventBody;
use super::path::Id;
use super::problem::Problem;
use super::query::Params;
use super::reason::ReasonBody;
use super::resource::on;
use crate::domain::class::{ClassChange, NewClass};
use crate::domain::ids::ClassId;
use crate::store::Store;
use crate::store::classes::ClassQuery;

mod bodies;

pub use bodies::{ClassBody, ClassChangeDoc, InstructorDoc, NewClassDoc};

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/classes").get(list_classes).post(publish_class))
        .service(on("/classes/{id}").get(read_class).patch(change_class))
        .service(on("/classes/{id}/cancel").post(cancel_class))
        .service(on("/classes/{id}/roster").get(read_roster))
        .service(on("/classes/{id}/history").get(read_history));
}

/// Publish a class, with the terms that the policy gives it.
#[utoipa::path(post, path = "/v1/classes", tag = "classes", request_body = NewClassDoc, responses((status = 201, body = ClassBody)))]
pub async fn publish_class(staff: Staff, incoming: Incoming, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let new = NewClass::parse(&call.body)?;
    let published = store.publish_class(&call.by(&staff), &new).await;
    answer::created(published, |view| Some(format!("/v1/classes/{}", view.class.id)), ClassBody::of)
}

/// Change time, room, instructor or capacity. Raising the capacity promotes; lowering it bumps nobody.
#[utoipa::path(
    patch, path = "/v1/classes/{id}", tag = "classes",
    params(("id" = String, Path)), request_body = ClassChangeDoc, responses((status = 200, body = ClassBody)),
)]
pub async fn change_class(
    staff: Staff,
    id: Id<ClassId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let change = ClassChange::parse(&call.body)?;
    answer::changed(store.change_class(&call.by(&staff), &id.0, &change, call.if_match).await, ClassBody::of)
}

/// The club cancels. Nothing is charged, all is returned.
#[utoipa::path(
    post, path = "/v1/classes/{id}/cancel", tag = "classes",
    params(("id" = String, Path)), request_body = ReasonBody, responses((status = 200, body = ClassBody)),
)]
pub async fn cancel_class(
    staff: Staff,
    id: Id<ClassId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_or_empty().await?;
    let reason = ReasonBody::parse(&call.body)?;
    answer::changed(store.cancel_class(&call.by(&staff), &id.0, reason.as_str()).await, ClassBody::of)
}

/// A class; a member also sees their own place in it and whether they may book.
#[utoipa::path(
    get, path = "/v1/classes/{id}", tag = "classes", params(("id" = String, Path)), responses((status = 200, body = ClassBody)),
)]
pub async fn read_class(
    caller: Anyone,
    id: Id<ClassId>,
    params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    params.done()?;
    answer::read(store.class(&caller.org, &id.0, caller.member()).await, ClassBody::of)
}

/// The timetable by start, with live counts; for a member as a single class is.
#[utoipa::path(
    get, path = "/v1/classes", tag = "classes",
    params(
        ("club" = Option<String>, Query), ("category" = Option<String>, Query), ("instructor" = Option<String>, Query),
        ("from" = Option<String>, Query, description = "The earliest start."),
        ("to" = Option<String>, Query, description = "Starts before this instant."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = ListBody<ClassBody>)),
)]
pub async fn list_classes(
    caller: Anyone,
    mut params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let page = params.page();
    let query = ClassQuery {
        club: params.parsed("club"),
        category: params.text("category"),
        instructor: params.parsed("instructor"),
        from: params.instant("from"),
        to: params.instant("to"),
        limit: page.limit,
        cursor: page.cursor,
        member: caller.member().cloned(),
    };
    params.done()?;
    let classes = store.classes(&caller.org, &query).await;
    answer::read(classes, |page, zone| ListBody::of(page, |view| ClassBody::of(view, zone)))
}

/// Who has a spot and who waits, to the class's instructor and the desk.
#[utoipa::path(
    get, path = "/v1/classes/{id}/roster", tag = "classes",
    params(("id" = String, Path)), responses((status = 200, body = RosterBody)),
)]
pub async fn read_roster(
    caller: Attendance,
    id: Id<ClassId>,
    params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    params.done()?;
    answer::read(store.roster(&caller.org, &id.0, caller.instructor().as_ref()).await, RosterBody::of)
}

/// Every event of a class, oldest first.
#[utoipa::path(
    get, path = "/v1/classes/{id}/history", tag = "classes",
    params(
        ("id" = String, Path),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = ListBody<EventBody>)),
)]
pub async fn read_history(
    staff: Staff,
    id: Id<ClassId>,
    mut params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let page = params.page();
    params.done()?;
    let history = store.history(&staff.org, &id.0, page.limit, page.cursor.as_deref()).await;
    answer::read(history, |page, zone| ListBody::of(page, |event| EventBody::of(event, zone)))
}
