//! The description of the API for people and generators: `/openapi.json`, and the
//! same as pages under `/docs`, served from the binary; and of sockets, `/asyncapi.json`.
//! The pages may be turned off.
//!
//! Each handler describes itself; what holds for all of them is added here once.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use actix_web::guard::{Guard, GuardContext};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;

use super::asset::Asset;
use super::problem::{self, Problem};
use super::resource::on;
use super::{
    attendance, bookings, classes, clock, closures, clubs, events, fees, health, live, members, orgs, presets, reports,
    schema, series,
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
        closures::create_closure, closures::list_closures, closures::end_closure,
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
        problem::ProblemBody<'static>, schema::IdText, schema::PersonIdText, schema::InstantText, schema::ShortText, schema::NameText,
    )),
    modifiers(&Shared)
)]
pub struct Api;

/// Whether there are pages under `/docs`. Given to the app as `web::Data`; without it, there are.
pub struct Docs(pub bool);

/// Holds where they are on.
struct WhereOn;

impl Guard for WhereOn {
    fn check(&self, ctx: &GuardContext<'_>) -> bool {
        ctx.app_data::<web::Data<Docs>>().is_none_or(|docs| docs.0)
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/docs").guarded(WhereOn).get(to_pages))
        .service(on("/docs/{file:.*}").guarded(WhereOn).get(page))
        .service(on("/openapi.json").get(openapi))
        .service(on("/asyncapi.json").get(asyncapi));
}

const JSON: &str = "application/json";

/// It changes with the program only, and is then seen at once.
const ASK_AGAIN: (HeaderName, &str) = (CACHE_CONTROL, "no-cache");

/// What travels over `GET /v1/live`, as AsyncAPI 3.
static ASYNCAPI: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(web::Bytes::from_static(include_bytes!("asyncapi.json")), JSON));

static OPENAPI: LazyLock<Asset> = LazyLock::new(|| {
    let document = serde_json::to_vec(&Api::openapi()).unwrap_or_default();
    Asset::new(document.into(), JSON)
});

async fn openapi(request: HttpRequest) -> HttpResponse {
    OPENAPI.answer(&request, &[ASK_AGAIN]).await
}

async fn asyncapi(request: HttpRequest) -> HttpResponse {
    ASYNCAPI.answer(&request, &[ASK_AGAIN]).await
}

async fn to_pages() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

/// As strict as the pages bear, because they share their origin with the screens and what those keep: nothing comes from
/// or goes to another host, and of inline styles only the one that the script brings along is taken, by its hash.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files that the pages are made of; there are others for those who build pages themselves.
const FILES: [&str; 8] = [
    "index.html",
    "index.css",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-16x16.png",
    "favicon-32x32.png",
];

static PAGES: LazyLock<BTreeMap<&str, Asset>> = LazyLock::new(|| {
    // Without a validator: it would be told the address of every service that somebody reads about.
    let config = Arc::new(Config::from("/openapi.json").validator_url("none"));
    let file = |name| {
        let found = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok().flatten()?;
        Some((name, Asset::new(found.bytes.into_owned().into(), &found.content_type)))
    };
    FILES.into_iter().filter_map(file).collect()
});

async fn page(request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    let name = if file.is_empty() { "index.html" } else { file.as_str() };
    match PAGES.get(name) {
        Some(page) => page.answer(&request, &[ASK_AGAIN, (CONTENT_SECURITY_POLICY, PAGE_POLICY)]).await,
        None => Problem::not_found().error_response(),
    }
}
