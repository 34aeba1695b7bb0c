//! Time travel, for tests and demos: there only where the operator has turned it on.

use actix_web::guard::{Guard, GuardContext};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::Operator;
use super::command::Incoming;
use super::problem::Problem;
use super::resource::on;
use super::schema::InstantText;
use crate::domain::fields::{Fields, string};
use crate::domain::instant::{Instant, parse_instant};
use crate::domain::invalid::{FieldError, Parsed};
use crate::store::Store;
use crate::store::clock::TRAVEL_MAX;

/// Whether service time may be set. Given to the app as `web::Data`; without it, it may not.
pub struct TimeTravel(pub bool);

/// Where service time stands still.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Clock)]
pub struct ClockBody {
    #[schema(value_type = InstantText)]
    now: Instant,
}

impl ClockBody {
    fn parse(body: &Value) -> Parsed<ClockBody> {
        let mut f = Fields::of(body)?;
        let now = f.required("now", string(parse_instant));
        f.finish(|| Some(ClockBody { now: now? }))
    }
}

/// Holds where time travel is on.
struct WhereOn;

impl Guard for WhereOn {
    fn check(&self, ctx: &GuardContext<'_>) -> bool {
        ctx.app_data::<web::Data<TimeTravel>>().is_some_and(|travel| travel.0)
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/clock").guarded(WhereOn).put(set_clock).delete(free_clock));
}

/// Stop service time at an instant, before or after the present one. Answers when everything due by
/// then has been carried out, in order.
#[utoipa::path(
    put, path = "/v1/clock", tag = "running", request_body = ClockBody, responses((status = 200, body = ClockBody)),
)]
pub async fn set_clock(
    operator: Operator,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let clock = ClockBody::parse(&call.body)?;
    if !store.within_travel(clock.now).await? {
        let days = TRAVEL_MAX.num_days();
        let far = format!("must be at most {days} days ahead where classes recur: go there in several steps");
        return Err(Problem::invalid(vec![FieldError::new("/now", far)]));
    }
    store.set_clock(&operator.0.by(), Some(clock.now)).await?;
    Ok(HttpResponse::Ok().json(clock))
}

/// Let service time run again.
#[utoipa::path(delete, path = "/v1/clock", tag = "running", responses((status = 204)))]
pub async fn free_clock(operator: Operator, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    store.set_clock(&operator.0.by(), None).await?;
    Ok(HttpResponse::NoContent().finish())
}
