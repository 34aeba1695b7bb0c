//! The description of the API for people and generators: `/openapi.json`, and the
//! same as pages under `/docs`, served from the binary; and of sockets, `/asyncapi.json`.
//!
//! Each handler describes itself; what holds for all of them is added here once.

use actix_web::http::header::{ContentType, LOCATION};
use actix_web::{HttpResponse, web};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, PathItem, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::SwaggerUi;

use super::problem::{self, CONTENT_TYPE};
use super::resource::on;
use super::{
    attendance, bookings, classes, clock, clubs, events, fees, health, live, members, orgs, presets, reports, series,
};

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
    components(schemas(problem::ProblemBody<'static>)),
    modifiers(&Shared)
)]
pub struct Api;

/// What holds for every call.
struct Shared;

impl Modify for Shared {
    fn modify(&self, api: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        api.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
        for (path, item) in &mut api.paths.paths {
            for (method, operation) in operations(item) {
                refusable(operation);
                if path.starts_with("/v1/") {
                    operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("bearer", [])]);
                    repeatable(&method, operation);
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// Any call may be refused, and always in the same form.
fn refusable(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem =
        ResponseBuilder::new().description("Any problem, by its code.").content(CONTENT_TYPE, content).build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem));
}

/// Writes may be repeated under a key, and say where the event stream is.
fn repeatable(method: &HttpMethod, operation: &mut Operation) {
    if *method == HttpMethod::Get {
        return;
    }
    let headers = [
        (
            "Idempotency-Key",
            "Within 24 hours the same call with the same key gets the same reply. 1 to 255 visible ASCII characters.",
        ),
        ("If-Match", "The revision the caller expects to change; another one is refused as `stale`."),
    ];
    let described = headers.into_iter().map(|(name, description)| RefOr::T(header(name, description)));
    operation.parameters.get_or_insert_default().extend(described);
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let cursor = HeaderBuilder::new().description(Some("The place of the write in the event stream.")).build();
            response.headers.insert("Rollcall-Cursor".to_owned(), RefOr::T(cursor));
        }
    }
}

fn header(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

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
