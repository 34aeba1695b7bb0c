//! The policies that ship with the product.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::ListBody;
use super::caller::Authenticated;
use super::policy_schema::PolicyDoc;
use super::problem::Problem;
use super::query::Params;
use super::resource::on;
use crate::domain::presets::presets;

/// A policy to begin with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preset)]
pub struct PresetBody {
    #[schema(example = "standard")]
    id: &'static str,
    name: &'static str,
    #[schema(value_type = PolicyDoc)]
    policy: Value,
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/presets").get(list_presets));
}

/// The policies that ship with the product, the default first.
#[utoipa::path(
    get, path = "/v1/presets", tag = "organisations",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = ListBody<PresetBody>)),
)]
pub async fn list_presets(_: Authenticated, mut params: Params) -> Result<HttpResponse, Problem> {
    let page = params.page();
    params.done()?;
    let body = |preset: &crate::domain::presets::Preset| PresetBody {
        id: preset.id,
        name: preset.name,
        policy: preset.policy.to_json(),
    };
    let page = page.of_all(presets().iter().collect(), |preset| preset.id)?;
    Ok(HttpResponse::Ok().json(ListBody::of(page, body)))
}
