//! The description of the API for people and generators: `/openapi.json`, and the
//! same as pages under `/docs`, served from the binary; and of sockets, `/asyncapi.json`.
//!
//! Each handler describes itself; what holds for all of them is added here once.

use actix_web::http::header::{ContentType, LOCATION};
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use super::problem;
use super::resource::on;
use super::{
    attendance, bookings, classes, clock, clubs, events, fees, health, live, members, orgs, presets, reports, schema,
    series,
};

mod examples;
mod shared;

use shared::Shared;

/// The whole API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Rollcall", description = "The booking desk of a chain of gyms."),
    paths(
        orgs::put_org, orgs::list_orgs, orgs::read_org, orgs::put_policy, presets::list_presets,
        clubs::put_club, clubs::list_clubs,
        classes::publish_class, classes::change_class, classes::cancel_class, classes::read_class,
        classes::list_classes, classes::read_roster, classes::read_history,
        bookings::book, bookings::list_bookings, bookings::read_booking, bookings::preview_cancel,
        bookings::cancel, bookings::accept, bookings::excuse,
        attendance::check_in, attendance::undo_check_in, attendance::desk_check_in, attendance::close_class,
        members::put_member, members::read_member, members::erase_member, members::list_members,
        members::read_me, members::read_standing, members::lift_ban,
        series::create_series, series::list_series, series::read_series, series::change_series, series::end_series,
        reports::report_classes,
        fees::list_fees, fees::waive_fee, events::list_events, live::live,
        clock::set_clock, clock::free_clock, health::healthz, health::readyz, health::metrics,
    ),
    components(schemas(
        problem::ProblemBody<'static>, schema::IdText, schema::InstantText, schema::ShortText, schema::NameText,
    )),
    modifiers(&Shared)
)]
pub struct Api;

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/docs").get(to_pages))
        .service(on("/asyncapi.json").get(asyncapi))
        .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", Api::openapi()));
}

/// What travels over `GET /v1/live`, as AsyncAPI 3.
const ASYNCAPI: &str = include_str!("asyncapi.json");

async fn asyncapi() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(ASYNCAPI)
}

async fn to_pages() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}
