//! What every answer carries, and what is told to browsers, supervisors and monitors.

use actix_web::http::Method;
use actix_web::test::TestRequest;

use super::rig::{Answer, Rig, Settings, bearing, token};

const PAGE: &str = "https://desk.example";

async fn with_origins(rig: &Rig, method: Method, origin: &str, asks: bool) -> Answer {
    let mut req = bearing(TestRequest::with_uri("/v1/test/staff").method(method), &token("staff"));
    req = req.insert_header(("origin", origin)).insert_header(("host", "gym.example:8080"));
    if asks {
        req = req.insert_header(("access-control-request-method", "POST"));
    }
    rig.call(req).await
}

#[actix_web::test]
async fn every_answer_is_safe_to_show_a_browser() {
    let rig = Rig::new().await;
    for path in ["/v1/test/staff", "/v1/nothing", "/healthz", "/docs/", "/openapi.json"] {
        let answer = rig.get(path, &token("staff")).await;
        for (name, value) in
            [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")]
        {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert_eq!(answer.header("x-request-id").len(), 36);
    }
    // However the path is written.
    for path in ["/v1/test/staff", "/%76%31/test/staff", "/%761/nothing"] {
        let data = rig.get(path, &token("staff")).await;
        assert_eq!(data.status, if path.ends_with("staff") { 200 } else { 404 }, "{path}");
        assert_eq!(data.header("cache-control"), "no-store", "{path}");
        assert_eq!(data.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'", "{path}");
    }
}

#[actix_web::test]
async fn a_plain_request_id_is_kept_and_any_other_replaced() {
    let rig = Rig::new().await;
    let with_id = async |id: &str| {
        let answer = rig.call(TestRequest::get().uri("/healthz").insert_header(("x-request-id", id))).await;
        answer.header("x-request-id").to_owned()
    };
    let longest = "x".repeat(64);
    for kept in ["7f3a", "a-b_c.d", longest.as_str()] {
        assert_eq!(with_id(kept).await, kept);
    }
    for replaced in ["", "a b", "<script>", "x".repeat(65).as_str()] {
        assert_eq!(with_id(replaced).await.len(), 36, "{replaced}");
    }
}

#[actix_web::test]
async fn pages_of_named_origins_may_call_and_read() {
    let rig = Rig::with(Settings { origins: vec![PAGE.to_owned()], ..Settings::default() }).await;
    let preflight = with_origins(&rig, Method::OPTIONS, PAGE, true).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, PAGE));
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(preflight.header("access-control-allow-methods").contains(method));
    }
    for header in ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "rollcall-cursor"] {
        assert!(preflight.header("access-control-allow-headers").contains(header));
    }
    let call = with_origins(&rig, Method::GET, PAGE, false).await;
    assert_eq!((call.status, call.header("access-control-allow-origin")), (200, PAGE));
    for header in ["rollcall-cursor", "etag", "retry-after", "location"] {
        assert!(call.header("access-control-expose-headers").contains(header), "{header}");
    }
    assert!(call.headers.get_all("vary").any(|value| value == "Origin"));
    let refused = rig.call(TestRequest::get().uri("/v1/test/staff").insert_header(("origin", PAGE))).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, PAGE), "it may read errors too");
}

#[actix_web::test]
async fn pages_of_other_origins_may_not() {
    for origins in [Vec::new(), vec![PAGE.to_owned()]] {
        let rig = Rig::with(Settings { origins, ..Settings::default() }).await;
        for origin in [
            "https://evil.example",
            "https://desk.example.evil.example",
            "http://desk.example",
            "https://desk.example:444",
            "null",
            "",
        ] {
            let preflight = with_origins(&rig, Method::OPTIONS, origin, true).await;
            assert_eq!((preflight.status, preflight.code().as_str()), (403, "forbidden"), "{origin}");
            let call = with_origins(&rig, Method::GET, origin, false).await;
            assert_eq!((call.status, call.header("access-control-allow-origin")), (200, ""), "{origin}");
        }
    }
    let rig = Rig::new().await;
    let own = with_origins(&rig, Method::OPTIONS, "https://gym.example:8080", true).await;
    assert_eq!(own.status, 204, "the service's own pages always may");
    let no_question = with_origins(&rig, Method::OPTIONS, PAGE, false).await;
    assert_eq!(no_question.status, 404, "an OPTIONS that asks nothing is like any other method");
}

#[actix_web::test]
async fn pages_of_app_shells_are_pages() {
    let shells = ["capacitor://localhost", "ionic://localhost", "tauri://localhost", "app://obsidian.md", "app://-"];
    let origins = shells.iter().map(|&shell| shell.to_owned()).collect();
    let rig = Rig::with(Settings { origins, ..Settings::default() }).await;
    for shell in shells.into_iter().chain(["Capacitor://LocalHost"]) {
        let preflight = with_origins(&rig, Method::OPTIONS, shell, true).await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, shell));
        let call = with_origins(&rig, Method::GET, shell, false).await;
        assert_eq!((call.status, call.header("access-control-allow-origin")), (200, shell));
    }
    for alike in [
        "capacitor://localhost/",
        "capacitor://localhost:80",
        "capacitor://localhost.evil.example",
        "capacitor://evil.example",
        "capacitors://localhost",
        "http://localhost",
        "https://localhost",
        "app://obsidian.md.evil.example",
        "app://gym.example:8080",
        "gym.example:8080",
        "capacitor://localhost, capacitor://localhost",
        "null",
    ] {
        let preflight = with_origins(&rig, Method::OPTIONS, alike, true).await;
        assert_eq!((preflight.status, preflight.code().as_str()), (403, "forbidden"), "{alike}");
        let call = with_origins(&rig, Method::GET, alike, false).await;
        assert_eq!((call.status, call.header("access-control-allow-origin")), (200, ""), "{alike}");
    }
}

#[actix_web::test]
async fn two_origins_are_nobodys() {
    let rig = Rig::with(Settings { origins: vec![PAGE.to_owned()], ..Settings::default() }).await;
    let asks = |origins: [&'static str; 2]| {
        let req =
            TestRequest::with_uri("/v1/test/staff").method(Method::OPTIONS).insert_header(("host", "gym.example"));
        let req = req.insert_header(("access-control-request-method", "POST"));
        rig.call(origins.iter().fold(req, |req, origin| req.append_header(("origin", *origin))))
    };
    for origins in [[PAGE, "https://evil.example"], ["https://evil.example", PAGE], [PAGE, PAGE]] {
        assert_eq!(asks(origins).await.status, 403, "{origins:?}");
    }
}

#[actix_web::test]
async fn a_list_may_come_in_several_lines() {
    let rig = Rig::new().await;
    let page = rig.call(TestRequest::get().uri("/book")).await;
    let tag = page.header("etag").to_owned();
    assert_eq!(page.status, 200);
    let with = async |name: &'static str, lines: &[&str]| {
        let req = lines.iter().fold(TestRequest::get().uri("/book"), |req, line| req.append_header((name, *line)));
        rig.call(req).await
    };
    assert_eq!(with("if-none-match", &["W/\"other\"", &tag]).await.status, 304);
    assert_eq!(with("if-none-match", &["W/\"other\"", "W/\"another\""]).await.status, 200);
    for lines in [&["deflate", "br"][..], &["deflate, zstd", "br, gzip"], &["br"]] {
        assert_eq!(with("accept-encoding", lines).await.header("content-encoding"), "br", "{lines:?}");
    }
}

#[actix_web::test]
async fn alive_ready_and_draining_are_three_things() {
    let rig = Rig::new().await;
    assert_eq!(rig.get("/healthz", "").await.json()["status"], "alive");
    assert_eq!(rig.get("/readyz", "").await.json()["status"], "ready");
    rig.health.drain();
    let answer = rig.get("/readyz", "").await;
    assert_eq!((answer.status, answer.code().as_str(), answer.header("retry-after")), (503, "unavailable", "1"));
    assert_eq!(rig.get("/healthz", "").await.status, 200);
}

#[actix_web::test]
async fn requests_are_counted_by_template_and_never_by_id() {
    let rig = Rig::new().await;
    for id in ["secret-1", "secret-2"] {
        rig.call(bearing(TestRequest::post().uri(&format!("/v1/test/act/{id}/done")), &token("staff"))).await;
    }
    rig.get("/v1/test/act/secret-3", &token("staff")).await;
    rig.get("/nothing/secret-4", "").await;
    rig.call(TestRequest::with_uri("/healthz").method(Method::from_bytes(b"SECRET").unwrap())).await;
    let answer = rig.get("/metrics", "").await;
    assert!(answer.header("content-type").starts_with("text/plain"));
    for line in [
        r#"rollcall_http_requests_total{method="POST",route="/v1/test/act/{id}/done",status="200"} 2"#,
        r#"rollcall_http_requests_total{method="GET",route="unmatched",status="404"} 2"#,
        r#"rollcall_http_requests_total{method="other",route="/healthz",status="405"} 1"#,
        r#"rollcall_http_problems_total{code="not_found"} 2"#,
        "rollcall_http_requests_in_flight 1",
    ] {
        assert!(answer.text.contains(line), "{line}\n{}", answer.text);
    }
    assert!(answer.text.contains("rollcall_http_request_seconds_bucket"));
    assert!(!answer.text.to_lowercase().contains("secret"));
}

#[actix_web::test]
async fn answers_are_compressed_for_those_who_ask() {
    let rig = Rig::new().await;
    for (accepts, encoding) in [("gzip", "gzip"), ("br", "br"), ("identity", "")] {
        let answer =
            rig.call(TestRequest::get().uri("/openapi.json").insert_header(("accept-encoding", accepts))).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, encoding));
    }
    let impossible = TestRequest::get().uri("/openapi.json").insert_header(("accept-encoding", "identity;q=0, *;q=0"));
    let answer = rig.call(impossible).await;
    assert_eq!((answer.status, answer.code().as_str()), (406, "not_acceptable"));
}

#[actix_web::test]
async fn the_description_and_its_pages_are_served() {
    let rig = Rig::new().await;
    let api = rig.get("/openapi.json", "").await.json();
    assert!(api["openapi"].as_str().unwrap().starts_with("3."));
    assert_eq!(api["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let moved = rig.get("/docs", "").await;
    assert_eq!((moved.status, moved.header("location")), (308, "/docs/"));
    assert!(rig.get("/docs/", "").await.text.contains("<html"));
}

#[actix_web::test]
async fn a_head_is_answered_wherever_a_get_is() {
    let rig = Rig::new().await;
    for path in [
        "/",
        "/book",
        "/docs",
        "/docs/",
        "/docs/swagger-ui.css",
        "/openapi.json",
        "/asyncapi.json",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        let get = rig.get(path, "").await;
        let head = rig.call(TestRequest::with_uri(path).method(Method::HEAD)).await;
        assert_eq!((head.status, head.header("content-type")), (get.status, get.header("content-type")), "{path}");
        let post = rig.call(TestRequest::post().uri(path)).await;
        assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"), "{path}");
    }
}

#[actix_web::test]
async fn files_of_the_program_are_the_same_in_every_encoding_and_not_sent_twice() {
    let rig = Rig::new().await;
    for path in ["/docs/", "/docs/swagger-ui-bundle.js", "/openapi.json", "/asyncapi.json", "/", "/screens/x/base.css"]
    {
        let mut tags = Vec::new();
        for accepts in ["br", "gzip", "br, gzip", "identity", "gzip;q=1, br;q=0.5", ""] {
            let asked = || TestRequest::get().uri(path).insert_header(("accept-encoding", accepts));
            let answer = rig.call(asked()).await;
            let coding = ["br", "gzip"].into_iter().find(|coding| accepts.starts_with(coding)).unwrap_or("");
            assert_eq!((answer.status, answer.header("content-encoding")), (200, coding), "{path} as {accepts}");
            assert!(answer.header("vary").to_lowercase().contains("accept-encoding"), "{path} as {accepts}");
            tags.push(answer.header("etag").to_owned());
            let again = rig.call(asked().insert_header(("if-none-match", format!("\"x\", {}", tags[0])))).await;
            assert_eq!((again.status, again.text.as_str()), (304, ""), "{path} as {accepts}");
            assert_eq!(again.header("etag"), tags[0]);
        }
        assert!(tags[0].starts_with("W/\"") && tags.iter().all(|tag| *tag == tags[0]), "{path}: {tags:?}");
        let other = TestRequest::get().uri(path).insert_header(("if-none-match", "W/\"x\""));
        assert_eq!(rig.call(other).await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn the_pages_of_the_description_run_what_is_here_and_ask_nobody_else() {
    let rig = Rig::new().await;
    for file in ["", "swagger-initializer.js", "swagger-ui-bundle.js"] {
        let policy = rig.get(&format!("/docs/{file}"), "").await;
        let policy = policy.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.split("; ").any(|found| found == part), "{file}: {policy}");
        }
    }
    assert!(rig.get("/docs/swagger-initializer.js", "").await.text.contains("\"validatorUrl\": \"none\""));
    for file in ["nothing.js", "../openapi.json", "%2e%2e/x"] {
        assert_eq!(rig.get(&format!("/docs/{file}"), "").await.status, 404, "{file}");
    }
}
