//! Bodies, keys and revisions: what is read, and with which status the rest is refused.

use actix_web::test::TestRequest;
use rollcall::http::body::BODY_BYTES_MAX;
use serde_json::json;

use super::rig::{Answer, Rig, bearing, token};

const WRITE: &str = "/v1/test/write";
const ACT: &str = "/v1/test/act/c1/done";

fn post(path: &str, content_type: Option<&str>, body: impl Into<actix_web::web::Bytes>) -> TestRequest {
    let req = bearing(TestRequest::post().uri(path), &token("staff")).set_payload(body);
    match content_type {
        Some(content_type) => req.insert_header(("content-type", content_type)),
        None => req,
    }
}

fn json_post(path: &str, body: impl Into<actix_web::web::Bytes>) -> TestRequest {
    post(path, Some("application/json"), body)
}

fn assert_code(answer: &Answer, status: u16, code: &str, what: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{what}: {}", answer.text);
}

#[actix_web::test]
async fn what_is_not_json_is_malformed() {
    let rig = Rig::new().await;
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    let refused: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "{]",
        "nul",
        "'x'",
        "{\"a\":1,}",
        "{} {}",
        "{}x",
        "\u{feff}{}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "[\"\\ud800\"]",
        "{\"a\":\u{0}}",
        deep.as_str(),
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([vec![0xff, 0xfe], b"{\"a\":\"\xc3\x28\"}".to_vec(), b"\x1f\x8b\x08".to_vec()])
    .collect();
    for body in refused {
        let answer = rig.call(json_post(WRITE, body.clone())).await;
        assert_code(&answer, 400, "malformed", &String::from_utf8_lossy(&body));
    }
    let level_32 = format!("{}{}", "[".repeat(32), "]".repeat(32));
    assert_eq!(rig.call(json_post(WRITE, level_32)).await.status, 200);
}

#[actix_web::test]
async fn a_body_is_json_by_its_type_too() {
    let rig = Rig::new().await;
    for good in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
    ] {
        assert_eq!(rig.call(post(WRITE, Some(good), "{}")).await.status, 200, "{good}");
    }
    for bad in [
        "text/plain",
        "text/json",
        "application/json; charset=latin1",
        "application/json; x=y",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json, text/plain",
        "",
        "json",
    ] {
        assert_code(&rig.call(post(WRITE, Some(bad), "{}")).await, 415, "unsupported_media_type", bad);
    }
    assert_code(&rig.call(post(WRITE, None, "{}")).await, 415, "unsupported_media_type", "no type");
    let twice = json_post(WRITE, "{}").append_header(("content-type", "text/plain"));
    assert_code(&rig.call(twice).await, 415, "unsupported_media_type", "two types");
    let packed = json_post(WRITE, "{}").insert_header(("content-encoding", "gzip"));
    assert_code(&rig.call(packed).await, 415, "unsupported_media_type", "compressed");
}

#[actix_web::test]
async fn a_body_is_read_up_to_its_largest_and_no_further() {
    let rig = Rig::new().await;
    let of_size = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for (bytes, status) in [(BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 413), (10 * BODY_BYTES_MAX, 413)] {
        for declared in [true, false] {
            let mut req = json_post(WRITE, of_size(bytes));
            if declared {
                req = req.insert_header(("content-length", bytes.to_string()));
            }
            let answer = rig.call(req).await;
            assert_eq!(answer.status, status, "{bytes} bytes, declared: {declared}");
        }
    }
    let boasting = json_post(WRITE, "{}").insert_header(("content-length", (BODY_BYTES_MAX + 1).to_string()));
    assert_code(&rig.call(boasting).await, 413, "too_large", "before it is read");
    let large_and_plain = post(WRITE, Some("text/plain"), of_size(BODY_BYTES_MAX + 1));
    assert_code(&rig.call(large_and_plain).await, 413, "too_large", "size before type");
}

#[actix_web::test]
async fn an_action_takes_an_empty_object_or_nothing() {
    let rig = Rig::new().await;
    for req in [post(ACT, None, ""), json_post(ACT, ""), json_post(ACT, "{}"), post(ACT, Some("text/plain"), "")] {
        let answer = rig.call(req).await;
        assert_eq!((answer.status, &answer.json()["body"]), (200, &json!({})));
    }
    assert_code(&rig.call(json_post(ACT, " ")).await, 400, "malformed", "a blank");
    assert_code(&rig.call(post(WRITE, None, "")).await, 400, "malformed", "a body is needed here");
}

#[actix_web::test]
async fn a_key_is_one_to_255_visible_characters() {
    let rig = Rig::new().await;
    let longest = "k".repeat(255);
    let too_long = "k".repeat(256);
    for (key, status) in [
        ("k", 200),
        (longest.as_str(), 200),
        ("\"8e03978e\"", 200),
        (too_long.as_str(), 422),
        ("", 422),
        ("a b", 422),
        ("clé", 422),
    ] {
        let answer = rig.call(json_post(WRITE, "{}").insert_header(("idempotency-key", key))).await;
        assert_eq!(answer.status, status, "{key:?}");
        if status == 200 {
            assert_eq!(answer.json()["id"], format!("staff:ann:{key}"), "a key belongs to whoever sent it");
        } else {
            assert_eq!(answer.pointers(), ["/Idempotency-Key"]);
        }
    }
    let twice = json_post(WRITE, "{}").append_header(("idempotency-key", "a")).append_header(("idempotency-key", "b"));
    assert_eq!(rig.call(twice).await.status, 422);
    let (one, two) = (rig.call(json_post(WRITE, "{}")).await.json(), rig.call(json_post(WRITE, "{}")).await.json());
    assert_eq!(one["keyed"], false);
    assert_ne!(one["id"], two["id"], "without a key each call is its own");
}

#[actix_web::test]
async fn the_fingerprint_is_of_method_path_and_body() {
    let rig = Rig::new().await;
    let of = async |path: &str, body: &'static str| {
        let answer = rig.call(json_post(path, body)).await;
        answer.json()["fingerprint"].as_str().unwrap().to_owned()
    };
    let first = of(WRITE, r#"{"a": 1, "b": [true, null]}"#).await;
    assert_eq!(first.len(), 64);
    assert_eq!(first, of(WRITE, r#"{"b":[true,null],"a":1}"#).await);
    assert_ne!(first, of(WRITE, r#"{"b":[null,true],"a":1}"#).await);
    assert_ne!(first, of(WRITE, r#"{"b":[true,null],"a":2}"#).await);
    assert_ne!(first, of("/v1/test/write/other", r#"{"b":[true,null],"a":1}"#).await);
    assert_eq!(of(ACT, "").await, of(ACT, "{}").await);
}

#[actix_web::test]
async fn if_match_is_a_revision_or_a_star() {
    let rig = Rig::new().await;
    for (text, revision) in
        [("\"17\"", json!(17)), ("W/\"17\"", json!(17)), ("17", json!(17)), ("*", json!(null)), ("0", json!(0))]
    {
        let answer = rig.call(json_post(WRITE, "{}").insert_header(("if-match", text))).await;
        assert_eq!((answer.status, &answer.json()["if_match"]), (200, &revision), "{text}");
    }
    for text in
        ["", "W/17", "w/\"17\"", "\"17", "'17'", "-1", "+1", "1.5", "\"1\", \"2\"", "\"\"", "99999999999999999999", "x"]
    {
        let answer = rig.call(json_post(WRITE, "{}").insert_header(("if-match", text))).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec!["/If-Match".to_owned()]), "{text}");
    }
}

#[actix_web::test]
async fn an_id_in_a_path_is_read_percent_decoded() {
    let rig = Rig::new().await;
    for (written, read) in [("a", "a"), ("a%40b%2Bc%7Cd~e", "a@b+c|d~e"), ("a@b+c", "a@b+c"), ("%2E%2E%2E", "...")] {
        let answer = rig.call(json_post(&format!("/v1/test/act/{written}/done"), "{}")).await;
        assert_eq!((answer.status, answer.json()["id"].as_str()), (200, Some(read)), "{written}");
    }
    for bad in ["a%2Fb", "a%20b", "%00", "a%3Ab", "%7Ba%7D", "%C3%A9", "%FF", "%zz", "%2525", &"a".repeat(65)] {
        let answer = rig.call(json_post(&format!("/v1/test/act/{bad}/done"), "{}")).await;
        assert_code(&answer, 404, "not_found", bad);
        let create = bearing(TestRequest::put().uri(&format!("/v1/test/create/{bad}")), &token("staff"));
        assert_code(&rig.call(create).await, 422, "invalid", bad);
    }
}
