//! Bad input, over every call: never a 5xx, never a change, the right status, and a pointer to what is wrong.

use serde_json::{Value, json};

use crate::calls::{Scene, Sent};
use crate::dump::dump;

/// What came back for a body sent as bytes.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn is(&self, status: u16, code: &str) -> bool {
        self.status == status && self.body["code"] == code && self.body["status"] == status
    }

    fn points_at(&self, pointer: &str) -> bool {
        let errors = self.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
        let deeper = format!("{pointer}/");
        errors.iter().filter_map(|e| e["pointer"].as_str()).any(|found| found == pointer || found.starts_with(&deeper))
    }
}

struct Wire {
    http: reqwest::Client,
    url: String,
}

impl Wire {
    fn to(scene: &Scene) -> Wire {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Wire { http, url: scene.world.services()[0].url() }
    }

    async fn send(&self, call: &Sent, body: Vec<u8>, headers: &[(&str, &str)]) -> Answer {
        let mut request =
            self.http.request(call.method.clone(), format!("{}{}", self.url, call.path)).bearer_auth(call.by.token());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body).send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    async fn send_json(&self, call: &Sent, body: &Value) -> Answer {
        self.send(call, body.to_string().into_bytes(), &[("content-type", "application/json")]).await
    }
}

/// Complaints, gathered so that one run tells them all.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless(&mut self, good: bool, call: &Sent, what: &str, answer: &Answer) {
        if !good {
            let what: String = what.chars().take(120).collect();
            self.0.push(format!("{} {} with {what}: {} {}", call.method, call.path, answer.status, answer.body));
        }
    }
}

/// Runs a table over every call and sees to it that nothing has changed.
async fn over_every_call(table: impl AsyncFn(&Wire, &Sent, &mut Wrong)) {
    let scene = Scene::begins().await;
    let wire = Wire::to(&scene);
    let before = dump(&scene.world, &scene.org).await;
    let mut wrong = Wrong::default();
    for call in scene.calls() {
        table(&wire, &call, &mut wrong).await;
        let after = dump(&scene.world, &scene.org).await;
        if after != before {
            wrong.0.push(format!("{} {} has changed something: {after:#}\nbefore: {before:#}", call.method, call.path));
            break;
        }
    }
    assert!(wrong.0.is_empty(), "{} wrong:\n{}", wrong.0.len(), wrong.0.join("\n"));
}

#[tokio::test]
async fn every_wrong_value_is_refused_where_it_stands() {
    over_every_call(async |wire, call, wrong| {
        for field in &call.fields {
            for bad in field.bad_values() {
                let mut body = call.body.clone();
                match body.pointer_mut(field.pointer) {
                    Some(place) => *place = bad.clone(),
                    None => body[&field.pointer[1..]] = bad.clone(),
                }
                let answer = wire.send_json(call, &body).await;
                let good = answer.is(422, "invalid") && answer.points_at(field.pointer);
                wrong.unless(good, call, &format!("{} = {bad}", field.pointer), &answer);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_named() {
    over_every_call(async |wire, call, wrong| {
        for field in call.fields.iter().filter(|field| !field.may_be_absent) {
            let (parent, name) = field.pointer.rsplit_once('/').unwrap();
            let mut body = call.body.clone();
            if body.pointer_mut(parent).and_then(Value::as_object_mut).and_then(|parent| parent.remove(name)).is_none()
            {
                continue;
            }
            let answer = wire.send_json(call, &body).await;
            wrong.unless(
                answer.is(422, "invalid") && answer.points_at(field.pointer),
                call,
                &format!("no {}", field.pointer),
                &answer,
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_nobody_asked_for_is_named_at_every_depth() {
    over_every_call(async |wire, call, wrong| {
        for (pointer, name) in
            objects_of(&call.body, "").into_iter().flat_map(|at| [(at.clone(), "extra"), (at, "a/b~c")])
        {
            let mut body = call.body.clone();
            body.pointer_mut(&pointer).unwrap()[name] = json!(1);
            let answer = wire.send_json(call, &body).await;
            let expected = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            wrong.unless(answer.is(422, "invalid") && answer.points_at(&expected), call, &expected, &answer);
        }
    })
    .await;
}

/// The pointers of every object in a body; what is inside a merge patch has rules of its own.
fn objects_of(value: &Value, at: &str) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (format!("{at}/{index}"), value)).collect()
        }
        _ => Vec::new(),
    };
    let mut found: Vec<String> = if value.is_object() { vec![at.to_owned()] } else { Vec::new() };
    found.extend(inner.into_iter().flat_map(|(at, value)| objects_of(value, &at)));
    found
}

#[tokio::test]
async fn what_is_no_object_is_refused_as_a_whole() {
    over_every_call(async |wire, call, wrong| {
        for body in [json!(null), json!([]), json!([{}]), json!("x"), json!(7), json!(true)] {
            let answer = wire.send_json(call, &body).await;
            wrong.unless(answer.is(422, "invalid") && answer.points_at(""), call, &body.to_string(), &answer);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    over_every_call(async |wire, call, wrong| {
        let good = call.body.to_string();
        let first = good.trim_start_matches('{').to_owned();
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
        let mut bodies: Vec<Vec<u8>> = [
            " ",
            "{",
            "}",
            "nul",
            "'x'",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":1e999}",
            "{\"a\":NaN}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\u{1}\"}",
            "{\"a\":1,\"a\":1}",
            "{\"a\":{\"b\":1,\"b\":2}}",
            &format!("{good} {good}"),
            &format!("{good}x"),
            &format!("\u{feff}{good}"),
            &deep,
            &format!("// {good}"),
            &good[..good.len() - 1],
            &format!("{{\"a\":1,\"a\":1,{first}"),
        ]
        .into_iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
        bodies.push(b"{\"a\":\"\xff\"}".to_vec());
        bodies.push(b"\xff\xfe{\x00}\x00".to_vec());
        bodies.push(b"{\"a\":\"\xc3\x28\"}".to_vec());
        bodies.push(b"\0".to_vec());
        bodies.push(format!("{good}\0").into_bytes());
        bodies.push(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
        for body in bodies {
            let what = String::from_utf8_lossy(&body).into_owned();
            let answer = wire.send(call, body, &[("content-type", "application/json")]).await;
            wrong.unless(answer.is(400, "malformed"), call, &what, &answer);
        }
    })
    .await;
}

#[tokio::test]
async fn only_actions_come_without_a_body() {
    over_every_call(async |wire, call, wrong| {
        let for_somebody = call.path.ends_with("/bookings");
        if !call.may_be_empty && !for_somebody {
            for headers in [&[][..], &[("content-type", "application/json")]] {
                let answer = wire.send(call, Vec::new(), headers).await;
                wrong.unless(answer.is(400, "malformed"), call, "no body", &answer);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_of_another_type_is_not_read() {
    over_every_call(async |wire, call, wrong| {
        let good = call.body.to_string().into_bytes();
        for content_type in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "json", ""]
        {
            let answer = wire.send(call, good.clone(), &[("content-type", content_type)]).await;
            wrong.unless(answer.is(415, "unsupported_media_type"), call, content_type, &answer);
        }
        let answer = wire.send(call, good.clone(), &[]).await;
        wrong.unless(answer.is(415, "unsupported_media_type"), call, "no type", &answer);
        let packed = [("content-type", "application/json"), ("content-encoding", "gzip")];
        let answer = wire.send(call, good, &packed).await;
        wrong.unless(answer.is(415, "unsupported_media_type"), call, "gzip", &answer);
    })
    .await;
}

#[tokio::test]
async fn a_body_over_64_kib_is_too_large() {
    over_every_call(async |wire, call, wrong| {
        let padded = |bytes: usize| {
            let mut body = call.body.to_string().into_bytes();
            body.resize(bytes, b' ');
            body
        };
        for bytes in [64 * 1024 + 1, 200 * 1024] {
            let answer = wire.send(call, padded(bytes), &[("content-type", "application/json")]).await;
            wrong.unless(answer.is(413, "too_large"), call, &format!("{bytes} bytes"), &answer);
        }
        let mut body = call.body.clone();
        body["extra"] = json!(1);
        let mut largest = body.to_string().into_bytes();
        largest.resize(64 * 1024, b' ');
        let answer = wire.send(call, largest, &[("content-type", "application/json")]).await;
        wrong.unless(answer.is(422, "invalid"), call, "the largest", &answer);
    })
    .await;
}

#[tokio::test]
async fn keys_and_revisions_that_are_none_are_refused() {
    over_every_call(async |wire, call, wrong| {
        let long = "k".repeat(256);
        for key in ["", " ", "a b", long.as_str(), "å"] {
            let headers = [("content-type", "application/json"), ("idempotency-key", key)];
            let answer = wire.send(call, call.body.to_string().into_bytes(), &headers).await;
            let takes_none = call.path == "/v1/clock";
            let good = answer.is(422, "invalid") && answer.points_at("/Idempotency-Key");
            wrong.unless(good || takes_none && answer.status < 500, call, &format!("key {key:?}"), &answer);
        }
        for revision in ["", "x", "-1", "1.5", "\"1\", \"2\"", "W/1", "99999999999999999999"] {
            let headers = [("content-type", "application/json"), ("if-match", revision)];
            let answer = wire.send(call, call.body.to_string().into_bytes(), &headers).await;
            let good = answer.is(422, "invalid") && answer.points_at("/If-Match");
            wrong.unless(good, call, &format!("if-match {revision:?}"), &answer);
        }
    })
    .await;
}

/// A call, what is changed in its body, and what is then pointed at.
type Misfit<'a> = (&'a str, &'a [(&'a str, Value)], &'a str);

/// Fields that are each right and do not fit together, or not what is stored.
#[tokio::test]
async fn what_does_not_fit_is_refused_where_it_does_not() {
    let misfits: [Misfit; 20] = [
        ("PUT /v1/orgs/new", &[("/policy", policy("standard"))], "/preset"),
        ("PUT /v1/org/policy", &[("/booking/closes_before", json!("P7D"))], "/booking/closes_before"),
        ("PUT /v1/org/policy", &[("/booking/opens", json!({}))], "/booking/opens"),
        (
            "PUT /v1/org/policy",
            &[("/booking/opens", json!({ "before": "P1D", "days": 1, "at": "08:00" }))],
            "/booking/opens",
        ),
        (
            "PUT /v1/org/policy",
            &[("/waitlist/quiet", json!({ "from": "07:00", "until": "07:00" }))],
            "/waitlist/quiet/until",
        ),
        ("PUT /v1/org/policy", &[("/attendance/check_in_due", json!("PT2H"))], "/attendance/check_in_due"),
        ("PUT /v1/org/policy", &[("/waitlist/offer_for", json!("PT59S"))], "/waitlist/offer_for"),
        ("PUT /v1/org/policy", &[("/retention/events", json!("PT23H"))], "/retention/events"),
        ("PUT /v1/org/policy", &[("/languages", json!([]))], "/languages"),
        ("PUT /v1/org/policy", &[("/languages", json!(["da", "da"]))], "/languages/1"),
        ("PUT /v1/clubs/new", &[("/id", json!("other"))], "/id"),
        ("POST /v1/classes", &[("/minimum", json!(6))], "/minimum"),
        ("POST /v1/classes", &[("/club", json!("nowhere"))], "/club"),
        ("POST /v1/classes", &[("/starts_at", json!("2026-03-02T07:59:59.999Z"))], "/starts_at"),
        ("POST /v1/classes", &[("/starts_at", json!("2001-01-01T00:00:00Z"))], "/starts_at"),
        ("PATCH /v1/classes/class-1", &[("/starts_at", json!("2026-03-01T12:00:00Z"))], "/starts_at"),
        ("PATCH /v1/classes/class-1", &[("/minimum", json!(9))], "/minimum"),
        ("PUT /v1/members/new", &[("/membership/valid_until", json!("2025-12-31"))], "/membership/valid_until"),
        ("PUT /v1/members/new", &[("/membership/frozen/0/until", json!("2026-06-30"))], "/membership/frozen/0/until"),
        ("PUT /v1/members/new", &[("/membership/clubs", json!(["main", "main"]))], "/membership/clubs/1"),
    ];
    over_every_call(async |wire, call, wrong| {
        let name = format!("{} {}", call.method, call.path);
        for (_, changes, pointer) in misfits.iter().filter(|(of, ..)| *of == name) {
            let mut body = call.body.clone();
            for (at, value) in *changes {
                let (parent, field) = at.rsplit_once('/').unwrap();
                match body.pointer_mut(parent) {
                    Some(Value::Array(items)) => items[field.parse::<usize>().unwrap()] = value.clone(),
                    Some(parent) => parent[field] = value.clone(),
                    None => panic!("{at} in {body}"),
                }
            }
            let answer = wire.send_json(call, &body).await;
            wrong.unless(
                answer.is(422, "invalid") && answer.points_at(pointer),
                call,
                &format!("{changes:?}"),
                &answer,
            );
        }
    })
    .await;
}

fn policy(preset: &str) -> Value {
    rollcall::domain::presets::preset(preset).unwrap().policy.to_json()
}
