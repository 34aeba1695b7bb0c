//! The screens over HTTP: pages that are asked for anew each time, and files that are kept for good.
//!
//! A page is small and names its files by the build's hash, so a new build is seen at once and nothing else is ever
//! fetched twice. Pages are open: whatever they show, they ask the API for with a token.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use super::asset::Asset;
use super::problem::Problem;
use super::resource::on;
use crate::screens::{PREFIX, SCREENS};

/// Code, styles and connections of this service only; nothing inline, nothing parsed from text, no framing.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const PERMISSIONS: (HeaderName, &str) =
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()");

const SAME_ORIGIN: (HeaderName, &str) = (HeaderName::from_static("cross-origin-resource-policy"), "same-origin");

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

/// The pages by the screen's name, and the files by their path.
static PAGES: LazyLock<BTreeMap<&str, Asset>> = LazyLock::new(|| {
    let page = |name| Some((name, Asset::new(SCREENS.page(name)?.into(), "text/html; charset=utf-8")));
    ["day", "book", "roster", "desk"].into_iter().filter_map(page).collect()
});
static FILES: LazyLock<BTreeMap<&str, Asset>> = LazyLock::new(|| {
    let shared = |body: &'static Cow<'static, [u8]>| match body {
        Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
        Cow::Owned(bytes) => web::Bytes::from_static(bytes),
    };
    SCREENS.files().map(|(path, file)| (path, Asset::new(shared(&file.body), file.media_type))).collect()
});

async fn staffs_day(req: HttpRequest) -> HttpResponse {
    page(&req, "day").await
}

async fn booking(req: HttpRequest) -> HttpResponse {
    page(&req, "book").await
}

async fn roster(req: HttpRequest) -> HttpResponse {
    page(&req, "roster").await
}

async fn desk(req: HttpRequest) -> HttpResponse {
    page(&req, "desk").await
}

/// A page names its files by their hash, so it changes whenever one of them does.
async fn page(req: &HttpRequest, screen: &str) -> HttpResponse {
    let Some(page) = PAGES.get(screen) else { return Problem::not_found().error_response() };
    let headers = [(CACHE_CONTROL, ASK_AGAIN), (CONTENT_SECURITY_POLICY, PAGE_POLICY), PERMISSIONS];
    page.answer(req, &headers).await
}

/// A file of this build is the same for good. While instances of two builds run side by side, a page of the other one
/// gets what is here, and nobody keeps it.
async fn file(req: HttpRequest, path: web::Path<(String, String)>) -> HttpResponse {
    let (version, path) = path.into_inner();
    let Some(file) = FILES.get(path.as_str()) else { return Problem::not_found().error_response() };
    let keep = if version == SCREENS.version() { FOR_GOOD } else { ASK_AGAIN };
    let headers = [(CACHE_CONTROL, keep), (CONTENT_SECURITY_POLICY, "default-src 'none'"), SAME_ORIGIN];
    file.answer(&req, &headers).await
}
