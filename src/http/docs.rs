//! The description of the API for people and generators: `/openapi.json`, and the
//! same as pages under `/docs`, served from the binary.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_swagger_ui::SwaggerUi;

use super::resource::on;
use super::{health, problem};

/// The whole API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Rollcall", description = "The booking desk of a chain of gyms."),
    paths(health::healthz, health::readyz, health::metrics),
    components(schemas(problem::ProblemBody<'static>)),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
pub struct Api;

/// Every call needs a token unless it says otherwise.
struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        api.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/docs").get(to_pages)).service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", Api::openapi()));
}

async fn to_pages() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}
