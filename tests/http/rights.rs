//! Who may make which call, as the contract's table has it, and that the description knows every call.
//!
//! No store is given to the app: whoever is let in gets as far as asking for one, and that is a 500.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::test::TestRequest;

use super::rig::{Rig, bearing, token};

const ROLES: [&str; 6] = ["member", "instructor", "kiosk", "staff", "admin", "operator"];
const ANY: &str = "member instructor kiosk staff admin";
const DESK: &str = "staff admin";
const OWNER: &str = "member staff admin";

const TABLE: [(&str, &str, &str); 47] = [
    ("PUT", "/v1/orgs/{org}", "operator"),
    ("GET", "/v1/orgs", "operator"),
    ("GET", "/v1/org", ANY),
    ("PUT", "/v1/org/policy", "admin"),
    ("GET", "/v1/presets", "member instructor kiosk staff admin operator"),
    ("PUT", "/v1/clubs/{club}", DESK),
    ("GET", "/v1/clubs", ANY),
    ("POST", "/v1/clubs/{club}/closures", DESK),
    ("GET", "/v1/clubs/{club}/closures", ANY),
    ("DELETE", "/v1/clubs/{club}/closures/{id}", DESK),
    ("POST", "/v1/classes", DESK),
    ("PATCH", "/v1/classes/{id}", DESK),
    ("GET", "/v1/classes", ANY),
    ("GET", "/v1/classes/{id}", ANY),
    ("POST", "/v1/classes/{id}/cancel", DESK),
    ("GET", "/v1/classes/{id}/roster", "instructor staff admin"),
    ("GET", "/v1/classes/{id}/history", DESK),
    ("POST", "/v1/classes/{id}/bookings", OWNER),
    ("GET", "/v1/bookings", OWNER),
    ("GET", "/v1/bookings/{id}", OWNER),
    ("GET", "/v1/bookings/{id}/cancel-preview", OWNER),
    ("POST", "/v1/bookings/{id}/cancel", OWNER),
    ("POST", "/v1/bookings/{id}/accept", "member"),
    ("POST", "/v1/bookings/{id}/excuse", DESK),
    ("POST", "/v1/bookings/{id}/check-in", "instructor staff admin"),
    ("POST", "/v1/bookings/{id}/undo-check-in", "instructor staff admin"),
    ("POST", "/v1/check-ins", "kiosk staff admin"),
    ("POST", "/v1/classes/{id}/close", DESK),
    ("POST", "/v1/series", DESK),
    ("GET", "/v1/series", DESK),
    ("GET", "/v1/series/{id}", DESK),
    ("PATCH", "/v1/series/{id}", DESK),
    ("DELETE", "/v1/series/{id}", DESK),
    ("GET", "/v1/reports/classes", DESK),
    ("GET", "/v1/members", DESK),
    ("PUT", "/v1/members/{id}", DESK),
    ("GET", "/v1/members/{id}", OWNER),
    ("DELETE", "/v1/members/{id}", DESK),
    ("GET", "/v1/me", OWNER),
    ("GET", "/v1/members/{id}/standing", OWNER),
    ("POST", "/v1/members/{id}/lift-ban", DESK),
    ("GET", "/v1/fees", DESK),
    ("POST", "/v1/fees/{id}/waive", DESK),
    ("GET", "/v1/events", DESK),
    ("PUT", "/v1/clock", "operator"),
    ("DELETE", "/v1/clock", "operator"),
    ("GET", "/v1/nothing", ""),
];

fn request(method: &str, path: &str) -> TestRequest {
    let path = path.replace("{id}", "x").replace("{org}", "x").replace("{club}", "x");
    TestRequest::with_uri(&path).method(Method::from_bytes(method.as_bytes()).unwrap())
}

#[actix_web::test]
async fn each_call_is_open_to_its_roles_and_to_no_other() {
    let rig = Rig::new().await;
    for (method, path, admitted) in TABLE.into_iter().filter(|(_, _, admitted)| !admitted.is_empty()) {
        assert_eq!(rig.call(request(method, path)).await.status, 401, "{method} {path} without a token");
        for role in ROLES {
            let status = rig.call(bearing(request(method, path), &token(role))).await.status;
            let admitted = admitted.split(' ').any(|admitted| admitted == role);
            let as_expected = if admitted { matches!(status, 200 | 500) } else { status == 403 };
            assert!(as_expected, "{method} {path} as {role}: {status}");
        }
    }
}

#[actix_web::test]
async fn every_call_is_described_and_every_described_call_is_there() {
    let rig = Rig::new().await;
    let api = rig.get("/openapi.json", "").await.json();
    let described: BTreeSet<String> = (api["paths"].as_object().unwrap().iter())
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .filter(|call| call.contains(" /v1/"))
        .collect();
    // Who opens a socket says so in its first frame, so its rights are told in tests/live.
    let socket = "GET /v1/live".to_owned();
    let there: BTreeSet<String> = (TABLE.iter())
        .filter(|(_, _, who)| !who.is_empty())
        .map(|(method, path, _)| format!("{method} {path}"))
        .chain([socket])
        .collect();
    assert_eq!(described, there);
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert_eq!(operation["security"].is_array(), path.starts_with("/v1/"), "{what}");
            let refusals = if path.starts_with("/v1/") { &["401", "404", "422", "429", "503"][..] } else { &["503"] };
            for status in refusals {
                let refusal = &operation["responses"][status]["content"]["application/problem+json"];
                assert!(refusal.is_object(), "{what}: {status}");
            }
            for (status, answer) in operation["responses"].as_object().unwrap() {
                assert!(!answer["description"].as_str().unwrap().is_empty(), "{what}: {status}");
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let repeatable = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
            assert_eq!(repeatable, method != "get", "{what}");
        }
    }
}

#[actix_web::test]
async fn what_the_description_refers_to_is_in_it() {
    let api = Rig::new().await.get("/openapi.json", "").await;
    let schemas = api.json()["components"]["schemas"].clone();
    let refers = api.text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
    for name in refers.collect::<BTreeSet<_>>() {
        assert!(schemas[name].is_object(), "{name}");
    }
    for (schema, property) in
        [("Class", "can_book"), ("Booking", "offer_expires_at"), ("Problem", "retry_after"), ("Policy", "attendance")]
    {
        assert!(schemas[schema]["properties"][property].is_object(), "{schema}.{property}");
    }
}

#[actix_web::test]
async fn there_is_no_clock_to_set_where_time_travel_is_off() {
    let rig = Rig::without_time_travel().await;
    for method in ["GET", "PUT", "DELETE"] {
        for token in [token("operator"), token("member"), String::new()] {
            assert_eq!(rig.call(bearing(request(method, "/v1/clock"), &token)).await.status, 404, "{method}");
        }
    }
}
