//! The rates of reads and writes: per caller, in bursts, each for itself.

use actix_web::test::TestRequest;

use super::rig::{Answer, Rig, Settings, bearing, but, claims, hs256, token};
use serde_json::json;

async fn write(rig: &Rig, token: &str) -> Answer {
    let req = bearing(TestRequest::post().uri("/v1/test/write"), token);
    rig.call(req.insert_header(("content-type", "application/json")).set_payload("{}")).await
}

#[actix_web::test]
async fn a_burst_is_taken_and_one_more_is_not() {
    let rig = Rig::with(Settings { rate: (1, 3), ..Settings::default() }).await;
    for _ in 0..3 {
        assert_eq!(write(&rig, &token("staff")).await.status, 200);
    }
    let refused = write(&rig, &token("staff")).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    assert_eq!((refused.header("retry-after"), &refused.json()["retry_after"]), ("1", &json!(1)));
    for _ in 0..10 {
        assert_eq!(rig.get("/v1/test/staff", &token("staff")).await.status, 200, "reads have a limit of their own");
    }
}

#[actix_web::test]
async fn a_burst_of_reads_is_taken_and_one_more_is_not() {
    let rig = Rig::with(Settings { reads: (1, 3), ..Settings::default() }).await;
    for _ in 0..3 {
        assert_eq!(rig.get("/v1/test/staff", &token("staff")).await.status, 200);
    }
    let refused = rig.get("/v1/test/staff", &token("staff")).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));
    assert_eq!((refused.header("retry-after"), &refused.json()["retry_after"]), ("1", &json!(1)));
    for _ in 0..10 {
        assert_eq!(write(&rig, &token("staff")).await.status, 200, "writes have a limit of their own");
        assert_eq!(
            rig.call(TestRequest::get().uri("/healthz")).await.status,
            200,
            "what needs no token is not counted"
        );
    }
}

#[actix_web::test]
async fn callers_do_not_slow_each_other() {
    let rig = Rig::with(Settings { rate: (1, 1), ..Settings::default() }).await;
    let other_sub = hs256(&but(claims("staff"), json!({ "sub": "bo" })));
    let other_org = hs256(&but(claims("staff"), json!({ "org": "syd" })));
    for token in [token("staff"), other_sub, other_org] {
        assert_eq!(write(&rig, &token).await.status, 200);
        assert_eq!(write(&rig, &token).await.status, 429);
    }
}

#[actix_web::test]
async fn a_bad_token_costs_nobody_a_write() {
    let rig = Rig::with(Settings { rate: (1, 1), ..Settings::default() }).await;
    for _ in 0..5 {
        assert_eq!(write(&rig, "x").await.status, 401);
    }
    assert_eq!(write(&rig, &token("staff")).await.status, 200);
}

#[actix_web::test]
async fn zero_is_no_limit() {
    let rig = Rig::new().await;
    for _ in 0..200 {
        assert_eq!(write(&rig, &token("staff")).await.status, 200);
    }
}
