//! The days on which a club is closed.

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{self, ListBody};
use super::caller::{Anyone, Staff};
use super::command::Incoming;
use super::path::{Id, Ids};
use super::problem::Problem;
use super::query::Params;
use super::resource::on;
use super::schema::{ClosureReasonText, DateText, IdText};
use crate::domain::closure::{Closure, NewClosure};
use crate::domain::ids::{ClosureId, ClubId};
use crate::store::Store;

/// Days on which a club is closed, local and inclusive.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Closure)]
pub struct ClosureBody {
    #[schema(value_type = String)]
    id: ClosureId,
    from: NaiveDate,
    to: NaiveDate,
    reason: String,
}

/// Days on which a club is to be closed, at most 366. Without an `id` the same days for the same reason are the same
/// closure.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClosure)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
struct NewClosureDoc {
    #[schema(value_type = Option<IdText>)]
    id: Option<String>,
    /// The first day.
    #[schema(value_type = DateText)]
    from: String,
    /// The last day.
    #[schema(value_type = DateText)]
    to: String,
    /// Shown to members.
    #[schema(value_type = ClosureReasonText)]
    reason: String,
}

impl ClosureBody {
    fn of(closure: Closure) -> ClosureBody {
        let Closure { id, from, to, reason } = closure;
        ClosureBody { id, from, to, reason }
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/clubs/{club}/closures").get(list_closures).post(create_closure))
        .service(on("/clubs/{club}/closures/{id}").delete(end_closure));
}

/// Close a club on some days. Every class that starts on them and has not started is cancelled by the club, with this
/// reason; series publish none there, and none can be published or moved there by hand.
#[utoipa::path(
    post, path = "/v1/clubs/{club}/closures", tag = "organisations",
    params(("club" = String, Path)), request_body = NewClosureDoc,
    responses((status = 201, body = ClosureBody), (status = 200, description = "It was there already.", body = ClosureBody)),
)]
pub async fn create_closure(
    staff: Staff,
    club: Id<ClubId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let new = NewClosure::parse(&call.body)?;
    let club = club.0;
    answer::created(
        store.put_closure(&call.by(&staff), &club, new).await,
        |(closure, is_new)| is_new.then(|| format!("/v1/clubs/{club}/closures/{}", closure.id)),
        |(closure, _), _| ClosureBody::of(closure),
    )
}

/// The closures of a club, by their first day.
#[utoipa::path(
    get, path = "/v1/clubs/{club}/closures", tag = "organisations",
    params(
        ("club" = String, Path),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = ListBody<ClosureBody>)),
)]
pub async fn list_closures(
    caller: Anyone,
    club: Id<ClubId>,
    mut params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let page = params.page();
    params.done()?;
    let found = store.closures(&caller.org, &club.0).await?;
    let closures = match found.outcome {
        Ok(closures) => closures,
        Err(refusal) => return Err(answer::refused(refusal, found.zone, &found.cursor)),
    };
    let page = page.of_all(closures, |closure| closure.id.as_str())?;
    Ok(HttpResponse::Ok().json(ListBody::of(page, ClosureBody::of)))
}

/// Open a club again on the days of a closure. Series publish what they left out; what was cancelled stays cancelled.
#[utoipa::path(
    delete, path = "/v1/clubs/{club}/closures/{id}", tag = "organisations",
    params(("club" = String, Path), ("id" = String, Path)), responses((status = 204)),
)]
pub async fn end_closure(
    staff: Staff,
    ids: Ids<ClubId, ClosureId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_empty().await?;
    answer::gone(store.end_closure(&call.by(&staff), &ids.0, &ids.1).await)
}
