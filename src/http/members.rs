//! Members: told of by the membership system, found by the desk, seen by themselves.

use actix_web::{HttpResponse, web};

use super::answer::{self, ListBody};
use super::caller::{MemberOrStaff, Staff};
use super::command::Incoming;
use super::path::{Id, NewId};
use super::problem::Problem;
use super::query::Params;
use super::reason::ReasonBody;
use super::resource::on;
use crate::domain::ids::MemberId;
use crate::domain::member::Member;
use crate::store::Store;

mod bodies;

pub use bodies::{MemberBody, NewMemberDoc, StandingBody};

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/me").get(read_me))
        .service(on("/members").get(list_members))
        .service(on("/members/{id}").get(read_member).put(put_member).delete(erase_member))
        .service(on("/members/{id}/standing").get(read_standing))
        .service(on("/members/{id}/lift-ban").post(lift_ban));
}

/// Create or replace a member. Places that an ended or newly frozen membership no longer covers are
/// cancelled free of charge.
#[utoipa::path(
    put, path = "/v1/members/{id}", tag = "members",
    params(("id" = String, Path)), request_body = NewMemberDoc, responses((status = 200, body = MemberBody)),
)]
pub async fn put_member(
    staff: Staff,
    id: NewId<MemberId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let member = Member::parse(id.0, &call.body)?;
    answer::changed(store.put_member(&call.by(&staff), &member).await, |member, _| MemberBody::of(member))
}

/// A member, to the desk and to themselves.
#[utoipa::path(
    get, path = "/v1/members/{id}", tag = "members",
    params(("id" = String, Path)), responses((status = 200, body = MemberBody)),
)]
pub async fn read_member(
    caller: MemberOrStaff,
    id: Id<MemberId>,
    params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    params.done()?;
    let id = caller.whose(id.0)?;
    answer::read(store.member(&caller.org, &id).await, |member, _| MemberBody::of(member))
}

/// Erase personal data, cancelling what is ahead. Bookings, fees and events keep the id.
#[utoipa::path(delete, path = "/v1/members/{id}", tag = "members", params(("id" = String, Path)), responses((status = 204)))]
pub async fn erase_member(
    staff: Staff,
    id: Id<MemberId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_empty().await?;
    answer::gone(store.erase_member(&call.by(&staff), &id.0).await)
}

/// Members by id, or those found by a text: the beginning of an id or a phone, a phone however it is written, or words of
/// which each begins some part of the name, whatever case, accents and order.
#[utoipa::path(
    get, path = "/v1/members", tag = "members",
    params(
        ("query" = Option<String>, Query),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = ListBody<MemberBody>)),
)]
pub async fn list_members(staff: Staff, mut params: Params, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let (page, query) = (params.page(), params.query());
    params.done()?;
    let members = store.members(&staff.org, query.as_deref(), page.limit, page.cursor.as_deref()).await;
    answer::read(members, |page, _| ListBody::of(page, MemberBody::of))
}

/// The caller's own profile.
#[utoipa::path(get, path = "/v1/me", tag = "members", responses((status = 200, body = MemberBody)))]
pub async fn read_me(caller: MemberOrStaff, params: Params, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    params.done()?;
    answer::read(store.member(&caller.org, &caller.sub).await, |member, _| MemberBody::of(member))
}

/// Strikes, ban, clips, limits and open fees.
#[utoipa::path(
    get, path = "/v1/members/{id}/standing", tag = "members",
    params(("id" = String, Path)), responses((status = 200, body = StandingBody)),
)]
pub async fn read_standing(
    caller: MemberOrStaff,
    id: Id<MemberId>,
    params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    params.done()?;
    let id = caller.whose(id.0)?;
    answer::read(store.standing(&caller.org, &id).await, StandingBody::of)
}

/// End a ban by hand. The strikes it rested on stay counted.
#[utoipa::path(
    post, path = "/v1/members/{id}/lift-ban", tag = "members",
    params(("id" = String, Path)), request_body = ReasonBody, responses((status = 200, body = StandingBody)),
)]
pub async fn lift_ban(
    staff: Staff,
    id: Id<MemberId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_or_empty().await?;
    let reason = ReasonBody::parse(&call.body)?;
    answer::changed(store.lift_ban(&call.by(&staff), &id.0, reason.as_str()).await, StandingBody::of)
}
