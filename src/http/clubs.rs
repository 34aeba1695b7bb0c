//! The gyms of a chain.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, ListBody};
use super::caller::{Anyone, Staff};
use super::command::Incoming;
use super::path::NewId;
use super::problem::Problem;
use super::query::Params;
use super::resource::on;
use super::schema::{IdText, NameText};
use crate::domain::ids::ClubId;
use crate::domain::org::Club;
use crate::store::Store;

/// One gym of a chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Club)]
pub struct ClubBody {
    #[schema(value_type = String, example = "main")]
    id: ClubId,
    name: String,
}

/// A club to create or rename.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClub)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
struct NewClubDoc {
    /// That of the path, or absent.
    #[schema(value_type = Option<IdText>)]
    id: Option<String>,
    #[schema(value_type = NameText)]
    name: String,
}

impl ClubBody {
    fn of(club: Club) -> ClubBody {
        ClubBody { id: club.id, name: club.name }
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/clubs").get(list_clubs)).service(on("/clubs/{club}").put(put_club));
}

/// Create or rename a club. The body may repeat its id.
#[utoipa::path(
    put, path = "/v1/clubs/{club}", tag = "organisations",
    params(("club" = String, Path)), request_body = NewClubDoc, responses((status = 200, body = ClubBody)),
)]
pub async fn put_club(
    staff: Staff,
    club: NewId<ClubId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let club = Club::parse(club.0, &call.body)?;
    answer::changed(store.put_club(&call.by(&staff), &club).await, |club, _| ClubBody::of(club))
}

/// The clubs, by id.
#[utoipa::path(
    get, path = "/v1/clubs", tag = "organisations",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = ListBody<ClubBody>)),
)]
pub async fn list_clubs(caller: Anyone, mut params: Params, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let page = params.page();
    params.done()?;
    let found = store.org(&caller.org).await?;
    let clubs = match found.outcome {
        Ok(view) => view.clubs,
        Err(refusal) => return Err(answer::refused(refusal, found.zone, &found.cursor)),
    };
    let page = page.of_all(clubs, |club| club.id.as_str())?;
    Ok(HttpResponse::Ok().json(ListBody::of(page, ClubBody::of)))
}
