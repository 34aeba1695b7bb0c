//! The screens over HTTP: pages that are asked for anew each time, and files that are kept for good.
//!
//! A page is small and names its files by the build's hash, so a new build is seen at once and nothing else is ever
//! fetched twice. Pages are open: whatever they show, they ask the API for with a token.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use super::problem::Problem;
use super::resource::on;
use crate::screens::{PREFIX, SCREENS};

/// Code, styles and connections of this service only; nothing inline, nothing parsed from text, no framing.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The routes of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(on("/").get(staffs_day))
        .service(on("/book").get(booking))
        .service(on("/roster").get(roster))
        .service(on("/desk").get(desk))
        .service(on(&format!("{PREFIX}/{{version}}/{{path:.*}}")).get(file));
}

async fn staffs_day(req: HttpRequest) -> HttpResponse {
    page(&req, "day")
}

async fn booking(req: HttpRequest) -> HttpResponse {
    page(&req, "book")
}

async fn roster(req: HttpRequest) -> HttpResponse {
    page(&req, "roster")
}

async fn desk(req: HttpRequest) -> HttpResponse {
    page(&req, "desk")
}

fn page(req: &HttpRequest, screen: &str) -> HttpResponse {
    let Some(html) = SCREENS.page(screen) else { return Problem::not_found().error_response() };
    // The page changes only when some file does. Weak, because it is compressed in more than one way.
    let tag = format!("W/\"{}\"", SCREENS.version());
    let known = req.headers().get(header::IF_NONE_MATCH).is_some_and(|given| names(given, &tag));
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, ASK_AGAIN))
        .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .insert_header(("permissions-policy", PERMISSIONS));
    if known { answer.finish() } else { answer.content_type("text/html; charset=utf-8").body(html) }
}

fn names(given: &HeaderValue, tag: &str) -> bool {
    given.to_str().is_ok_and(|given| given.split(',').any(|one| one.trim() == tag))
}

/// A file of this build is the same for good. While instances of two builds run side by side, a page of the other one
/// gets what is here, and nobody keeps it.
async fn file(path: web::Path<(String, String)>) -> HttpResponse {
    let (version, path) = path.into_inner();
    let Some(file) = SCREENS.file(&path) else { return Problem::not_found().error_response() };
    let keep = if version == SCREENS.version() { FOR_GOOD } else { ASK_AGAIN };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, keep))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        .content_type(file.media_type)
        .body(file.body.clone())
}
