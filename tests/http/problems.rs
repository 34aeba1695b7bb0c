//! Every code there is, with its status and title, as `codes.txt` has them.

use actix_web::ResponseError;
use actix_web::http::header;
use chrono_tz::Tz;
use rollcall::domain::refusal::Refusal;
use rollcall::http::problem::{Code, Problem};
use serde_json::{Value, json};

use super::rig::{Rig, token};
use actix_web::test::TestRequest;

async fn written(problem: Problem) -> Value {
    let bytes = actix_web::body::to_bytes(problem.error_response().into_body()).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn the_codes_are_these() {
    let lines =
        Code::ALL.iter().map(|code| format!("{} {} | {}\n", code.status().as_u16(), code.as_str(), code.title()));
    assert_eq!(lines.collect::<String>(), include_str!("codes.txt"));
}

#[test]
fn a_refusal_keeps_its_word() {
    let contract = "closed full waitlist_full waitlist_closed daily_limit open_limit overlap not_entitled membership_ended \
        no_clips too_young class_cancelled class_finished cancel_closed check_in_not_open check_in_closed offer_expired \
        not_offered wrong_status not_found stale idempotency_mismatch";
    for word in contract.split_whitespace() {
        let refusal = Refusal::of(word, None).unwrap();
        assert_eq!(Code::of(&refusal).as_str(), word);
    }
    for (word, until) in [("not_open", "0"), ("banned", "0"), ("frozen", "2026-01-31"), ("invalid", "/club is unknown")]
    {
        assert_eq!(Code::of(&Refusal::of(word, Some(until)).unwrap()).as_str(), word);
    }
}

#[actix_web::test]
async fn a_refusal_says_when_it_will_be_possible() {
    let not_open = Refusal::of("not_open", Some("1767978000000")).unwrap();
    assert_eq!(
        written(Problem::refused(not_open, Tz::Europe__Copenhagen)).await,
        json!({
            "type": "urn:rollcall:problem:not_open", "title": "Booking has not opened yet", "status": 409,
            "detail": "Booking has not opened yet; it will be possible from 2026-01-09T18:00:00+01:00 on.",
            "code": "not_open", "until": "2026-01-09T18:00:00+01:00",
        })
    );
    let invalid = Refusal::of("invalid", Some("/club is not a club of this organisation")).unwrap();
    let body = written(Problem::refused(invalid, Tz::UTC)).await;
    assert_eq!(body["errors"], json!([{ "pointer": "/club", "detail": "is not a club of this organisation" }]));
}

#[actix_web::test]
async fn what_is_away_says_when_to_come_back() {
    for problem in [Problem::unavailable("Later."), Problem::outcome_unknown()] {
        let answer = problem.error_response();
        assert_eq!(answer.status().as_u16(), 503);
        assert_eq!(answer.headers().get(header::RETRY_AFTER).unwrap(), "1");
        assert_eq!(written(problem).await["retry_after"], 1);
    }
}

#[actix_web::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let rig = Rig::new().await;
    for path in ["/v1/nothing", "/nothing", "/v1", "/v1/", "/v1/test/anyone/"] {
        let answer = rig.get(path, &token("staff")).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let answer = rig.call(TestRequest::delete().uri("/healthz")).await;
    assert_eq!((answer.status, answer.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(answer.header("allow"), "GET, HEAD");
    assert_eq!(rig.call(TestRequest::with_uri("/healthz").method(actix_web::http::Method::HEAD)).await.status, 200);
}
