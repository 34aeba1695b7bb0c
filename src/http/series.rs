//! Recurring classes: stored, and published ahead of the booking window.

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::answer::{self, ListBody};
use super::caller::Staff;
use super::command::Incoming;
use super::path::Id;
use super::problem::Problem;
use super::query::Params;
use super::resource::on;
use super::series_schema::{NewSeriesDoc, SeriesChangeDoc};
use crate::domain::ids::{ClassId, SeriesId};
use crate::domain::invalid::sentence;
use crate::domain::series::{Edit, Series};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::series::{Aligned, SeriesChange, SeriesView};

/// Said where no thread is left to judge a body on.
const BUSY: &str = "there is too much to do";

/// A recurring class: what a class has but its start, and when it recurs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Series)]
pub struct SeriesBody {
    #[schema(value_type = String)]
    id: SeriesId,
    /// `active` or `ended`.
    status: &'static str,
    revision: u64,
    /// Every class up to this day has been published.
    #[schema(value_type = Option<String>, format = Date)]
    published_until: Option<NaiveDate>,
    /// `starts_on`, `time`, `rrule`, `until`, `exceptions`, `changes` and the fields of a class.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    body: Map<String, Value>,
    /// Why its classes are not published any more: what is stored would be refused today.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

/// Names that are the service's own, whatever a stored body has under them.
const OWN: [&str; 5] = ["id", "status", "revision", "published_until", "unreadable"];

/// A series, and what storing it did to its classes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedSeries)]
pub struct ChangedSeriesBody {
    #[serde(flatten)]
    series: SeriesBody,
    #[schema(value_type = Vec<String>)]
    published: Vec<ClassId>,
    #[schema(value_type = Vec<String>)]
    changed: Vec<ClassId>,
    #[schema(value_type = Vec<String>)]
    cancelled: Vec<ClassId>,
    /// Somebody has booked, or the change does not fit, so these stay as they were.
    #[schema(value_type = Vec<String>)]
    left_alone: Vec<ClassId>,
}

impl SeriesBody {
    fn of(view: SeriesView) -> SeriesBody {
        let SeriesView { id, stored, active, revision, published_until, .. } = view;
        let mut body = stored.body;
        body.retain(|name, _| !OWN.contains(&name.as_str()));
        let unreadable = stored.series.err().map(|errors| sentence(&errors));
        SeriesBody { id, status: if active { "active" } else { "ended" }, revision, published_until, body, unreadable }
    }
}

impl ChangedSeriesBody {
    fn of((view, aligned): (SeriesView, Aligned)) -> ChangedSeriesBody {
        let Aligned { published, changed, cancelled, left_alone, published_until: _ } = aligned;
        ChangedSeriesBody { series: SeriesBody::of(view), published, changed, cancelled, left_alone }
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/series").get(list_series).post(create_series))
        .service(on("/series/{id}").get(read_series).patch(change_series).delete(end_series));
}

/// Store a series and publish its classes ahead.
#[utoipa::path(
    post, path = "/v1/series", tag = "series",
    request_body = NewSeriesDoc, responses((status = 201, body = ChangedSeriesBody)),
)]
pub async fn create_series(staff: Staff, incoming: Incoming, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let body = call.body.clone();
    let new =
        web::block(move || Series::parse(&body)).await.map_err(|_pool| StoreError::Unavailable(BUSY.to_owned()))??;
    answer::created(
        store.create_series(&call.by(&staff), new).await,
        |(view, _)| Some(format!("/v1/series/{}", view.id)),
        |changed, _| ChangedSeriesBody::of(changed),
    )
}

/// Every series, by id. A page of very long ones may have fewer than were asked for; `next` says whether there are more.
#[utoipa::path(
    get, path = "/v1/series", tag = "series",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = ListBody<SeriesBody>)),
)]
pub async fn list_series(staff: Staff, mut params: Params, store: web::Data<Store>) -> Result<HttpResponse, Problem> {
    let page = params.page();
    params.done()?;
    let found = store.series_page(&staff.org, page.cursor.as_deref(), page.limit).await;
    answer::read(found, |page, _| ListBody::of(page, SeriesBody::of))
}

/// A series.
#[utoipa::path(
    get, path = "/v1/series/{id}", tag = "series",
    params(("id" = String, Path)), responses((status = 200, body = SeriesBody)),
)]
pub async fn read_series(
    staff: Staff,
    id: Id<SeriesId>,
    params: Params,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    params.done()?;
    answer::read(store.series(&staff.org, &id.0).await, |view, _| SeriesBody::of(view))
}

/// Change a series by a merge patch; a `policy` in it replaces the one before. In each class that has not started only the
/// fields named here follow, and none that was changed by hand for that day. Classes that somebody has booked are left
/// alone and named, or with `"reach": "all"` follow as well.
#[utoipa::path(
    patch, path = "/v1/series/{id}", tag = "series",
    params(("id" = String, Path)), request_body = SeriesChangeDoc, responses((status = 200, body = ChangedSeriesBody)),
)]
pub async fn change_series(
    staff: Staff,
    id: Id<SeriesId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read().await?;
    let change = SeriesChange::Edited(Edit::parse(&call.body)?);
    let changed = store.change_series(&call.by(&staff), &id.0, &change, call.if_match).await;
    answer::changed(changed, |changed, _| ChangedSeriesBody::of(changed))
}

/// End a series. Future classes that nobody has booked are cancelled; the others stay. To be told which, end it by a
/// PATCH of `until`.
#[utoipa::path(
    delete, path = "/v1/series/{id}", tag = "series", params(("id" = String, Path)), responses((status = 204)),
)]
pub async fn end_series(
    staff: Staff,
    id: Id<SeriesId>,
    incoming: Incoming,
    store: web::Data<Store>,
) -> Result<HttpResponse, Problem> {
    let call = incoming.read_empty().await?;
    let ended = store.change_series(&call.by(&staff), &id.0, &SeriesChange::Ended, call.if_match).await;
    answer::gone(ended.map(|answer| answer.map(|_| ())))
}
