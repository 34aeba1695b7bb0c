//! Organisations: created by the operator, ruled by their admins, read by all their people.

use actix_web::{HttpResponse, web};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use tracing::error;
use utoipa::ToSchema;

use super::answer::{self, ListBody};
use super::caller::{Admin, Anyone, Operator};
use super::command::Incoming;
use super::path::NewId;
use super::policy_schema::PolicyDoc;
use super::problem::Problem;
use super::query::Params;
use super::resource::on;
use super::schema::{NameText, PresetWord};
use crate::domain::ids::OrgId;
use crate::domain::org::{NewOrg, Org};
use crate::domain::policy::Policy;
use crate::domain::presets;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::orgs::OrgChange;

/// A chain of gyms, and the rules it runs by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Org)]
pub struct OrgBody {
    #[schema(value_type = String, example = "nord")]
    id: OrgId,
    name: String,
    /// The policy's.
    #[schema(example = "Europe/Copenhagen")]
    timezone: &'static str,
    #[schema(value_type = PolicyDoc)]
    policy: Value,
    /// Counts changes; what `If-Match` is compared with.
    revision: u64,
    /// What of the stored settings cannot be read; what stands in its place is as in the preset `standard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

/// What an operator says of an organisation: a preset's id, a policy, or neither.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = NewOrg)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
enum NewOrgDoc {
    ByPreset(OrgByPresetDoc),
    ByPolicy(Box<OrgByPolicyDoc>),
}

/// Under a preset, or under the policy it has.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrgByPreset)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
struct OrgByPresetDoc {
    #[schema(value_type = NameText)]
    name: String,
    /// One of those that `GET /v1/presets` lists.
    #[schema(value_type = Option<PresetWord>)]
    preset: Option<String>,
}

/// Under a policy of its own.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrgByPolicy)]
#[expect(dead_code, reason = "describes a body that the domain reads")]
struct OrgByPolicyDoc {
    #[schema(value_type = NameText)]
    name: String,
    policy: PolicyDoc,
}

impl OrgBody {
    fn of(org: Org) -> OrgBody {
        let (timezone, policy) = (org.policy.timezone.name(), org.policy.to_json());
        OrgBody { id: org.id, name: org.name, timezone, policy, revision: org.revision, unreadable: org.unreadable }
    }

    /// An organisation of which nothing can be read: it is named, and ends no list.
    fn unreadable(id: OrgId) -> OrgBody {
        let (name, unreadable) = (id.to_string(), Some("what is stored of it cannot be read".to_owned()));
        let policy = presets::standard().clone();
        OrgBody { id, name, timezone: Tz::UTC.name(), policy, revision: 0, unreadable }
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/orgs").get(list_orgs))
        .service(on("/orgs/{org}").put(put_org))
        .service(on("/org").get(read_org))
        .service(on("/org/policy").put(put_policy));
}

/// Create an organisation, or change its name and policy. One that is there keeps its policy when
/// neither a preset nor a policy is given; a new one then gets the preset `standard`.
#[utoipa::path(
    put, path = "/v1/orgs/{org}", tag = "organisations",
    params(("org" = String, Path)), request_body = NewOrgDoc, responses((status = 200, body = OrgBody)),
)]
pub async fn put_org(
    operator: Operator,
    org: NewId<OrgId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let new = NewOrg::parse(&call.body)?;
    let change = OrgChange {
        name: Some(&new.name),
        policy: new.policy.as_ref(),
        otherwise: presets::preset(presets::DEFAULT).map(|preset| &preset.policy),
        if_match: call.if_match,
    };
    let write = call.within(&org.0, &operator.0);
    answer::changed(store.put_org(&write, &change).await, |(org, _created), _| OrgBody::of(org))
}

/// Every organisation, by id.
#[utoipa::path(
    get, path = "/v1/orgs", tag = "organisations",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = ListBody<OrgBody>)),
)]
pub async fn list_orgs(_: Operator, mut params: Params, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let page = params.page();
    params.done()?;
    let page = page.of_all(store.orgs().await?, OrgId::as_str)?;
    let mut items = Vec::with_capacity(page.items.len());
    for id in page.items {
        match store.org(&id).await {
            // An id whose creation was refused is known by name only.
            Ok(read) => items.extend(read.outcome.ok().map(|view| OrgBody::of(view.org))),
            Err(StoreError::Corrupt(why)) => {
                error!(org = %id, "the organisation {id} cannot be read: {why}");
                items.push(OrgBody::unreadable(id));
            }
            Err(away) => return Err(away.into()),
        }
    }
    let page = crate::store::Page { items, next: page.next };
    Ok(HttpResponse::Ok().json(ListBody::of(page, |body| body)))
}

/// The caller's organisation.
#[utoipa::path(get, path = "/v1/org", tag = "organisations", responses((status = 200, body = OrgBody)))]
pub async fn read_org(caller: Anyone, params: Params, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    params.done()?;
    answer::read(store.org(&caller.org).await, |view, _| OrgBody::of(view.org))
}

/// Replace the policy; what it leaves out is as in the preset `standard`. It applies to classes whose booking has not opened.
#[utoipa::path(
    put, path = "/v1/org/policy", tag = "organisations",
    request_body = PolicyDoc, responses((status = 200, body = OrgBody)),
)]
pub async fn put_policy(admin: Admin, incoming: Incoming, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let policy = Policy::parse(&call.body)?;
    let change = OrgChange { policy: Some(&policy), if_match: call.if_match, ..OrgChange::default() };
    answer::changed(store.put_org(&call.by(&admin), &change).await, |(org, _created), _| OrgBody::of(org))
}
