//! Parameters of lists: nothing is clamped, nothing unknown is passed over.

use serde_json::json;

use super::rig::{Rig, token};

#[actix_web::test]
async fn a_limit_is_1_to_200_and_50_by_default() {
    let rig = Rig::new().await;
    for (query, limit) in [("", 50), ("?limit=1", 1), ("?limit=200", 200), ("?limit=050", 50)] {
        let answer = rig.get(&format!("/v1/test/list{query}"), &token("staff")).await;
        assert_eq!((answer.status, &answer.json()["limit"]), (200, &json!(limit)), "{query}");
    }
    for bad in ["0", "201", "-1", "+5", "1.5", "1e2", "", "ten", "99999999999999999999", "50%20", "0x10"] {
        let answer = rig.get(&format!("/v1/test/list?limit={bad}"), &token("staff")).await;
        assert_eq!(
            (answer.status, answer.code().as_str(), answer.pointers()),
            (422, "invalid", vec!["/limit".to_owned()]),
            "{bad}"
        );
    }
}

#[actix_web::test]
async fn an_instant_has_an_offset() {
    let rig = Rig::new().await;
    for good in [
        "2026-11-20T18:00:00Z",
        "2026-11-20T19:00:00%2B01:00",
        "2026-11-20T19:00:00+01:00",
        "2026-11-20T17:00:00-01:00",
    ] {
        let answer = rig.get(&format!("/v1/test/list?from={good}"), &token("staff")).await;
        assert_eq!((answer.status, answer.json()["from"].as_str()), (200, Some("2026-11-20T18:00:00Z")), "{good}");
    }
    for bad in [
        "",
        "2026-11-20",
        "2026-11-20T18:00:00",
        "yesterday",
        "1763661600",
        "1999-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
    ] {
        let answer = rig.get(&format!("/v1/test/list?from={bad}"), &token("staff")).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec!["/from".to_owned()]), "{bad}");
    }
}

#[actix_web::test]
async fn every_wrong_parameter_is_named_at_once() {
    let rig = Rig::new().await;
    let answer = rig.get("/v1/test/list?limit=0&form=x&from=x&class=a%20b&cursor=&query=%00", &token("staff")).await;
    let mut pointers = answer.pointers();
    pointers.sort();
    assert_eq!((answer.status, pointers.join(" ").as_str()), (422, "/class /cursor /form /from /limit /query"));
    for repeated in ["limit=1&limit=1", "limit=1&limit=2"] {
        let answer = rig.get(&format!("/v1/test/list?{repeated}"), &token("staff")).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec!["/limit".to_owned()]));
    }
    let slashed = rig.get("/v1/test/list?a%2Fb=1", &token("staff")).await;
    assert_eq!(slashed.pointers(), ["/a~1b"]);
}

#[actix_web::test]
async fn texts_and_cursors_have_a_longest() {
    let rig = Rig::new().await;
    let cases = [
        ("cursor", "61".repeat(2048), 200),
        ("cursor", "61".repeat(2049), 422),
        ("query", "x".repeat(200), 200),
        ("query", "x".repeat(201), 422),
    ];
    for (name, text, status) in cases {
        let answer = rig.get(&format!("/v1/test/list?{name}={text}"), &token("staff")).await;
        assert_eq!(answer.status, status, "{name} of {}", text.len());
    }
    let answer = rig.get("/v1/test/list?query=%C3%85se+L%C3%B8kke", &token("staff")).await;
    assert_eq!(answer.json()["query"], "Åse Løkke");
    let answer = rig.get("/v1/test/list?cursor=313a63", &token("staff")).await;
    assert_eq!(answer.json()["cursor"], "1:c");
    for garbage in ["x", "1767978000000:c1", "616", "ff", "%00"] {
        let answer = rig.get(&format!("/v1/test/list?cursor={garbage}"), &token("staff")).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec!["/cursor".to_owned()]), "{garbage}");
    }
}
