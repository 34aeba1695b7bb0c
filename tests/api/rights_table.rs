//! Who may make each call: a row for every one there is, with the status that each caller gets.

use reqwest::Method;
use serde_json::{Value, json};

/// The callers, in the order of the columns.
pub const CALLERS: [&str; 9] =
    ["nobody", "ann", "bob", "her instructor", "another instructor", "kiosk", "staff", "admin", "operator"];

pub struct Row {
    pub method: Method,
    /// `{class}` is Ida's, `{booking}` is Ann's spot in it, `{offer}` an offer Ann holds.
    pub path: &'static str,
    pub body: Option<Value>,
    pub expected: [u16; 9],
}

/// Every call.
pub fn table() -> Vec<Row> {
    [running(), classes(), bookings(), members(), attendance(), series(), rest()].into_iter().flatten().collect()
}

fn row(call: &'static str, expected: [u16; 9]) -> Row {
    let (method, path) = call.split_once(' ').unwrap();
    Row { method: method.parse().unwrap(), path, body: None, expected }
}

fn with(call: &'static str, body: Value, expected: [u16; 9]) -> Row {
    Row { body: Some(body), ..row(call, expected) }
}

fn operator(done: u16) -> [u16; 9] {
    [401, 403, 403, 403, 403, 403, 403, 403, done]
}

fn staff(done: u16) -> [u16; 9] {
    [401, 403, 403, 403, 403, 403, done, done, 403]
}

fn anyone_of_the_chain() -> [u16; 9] {
    [401, 200, 200, 200, 200, 200, 200, 200, 403]
}

/// Ann herself; to Bob it does not exist.
fn owner_or_staff() -> [u16; 9] {
    [401, 200, 404, 403, 403, 403, 200, 200, 403]
}

/// To another instructor it does not exist.
fn instructor_or_staff(done: u16) -> [u16; 9] {
    [401, 403, 403, done, 404, 403, done, done, 403]
}

fn running() -> Vec<Row> {
    let policy = rollcall::domain::presets::preset("standard").unwrap().policy.to_json();
    let admin = [401, 403, 403, 403, 403, 403, 403, 200, 403];
    let authenticated = [401, 200, 200, 200, 200, 200, 200, 200, 200];
    vec![
        with("PUT /v1/orgs/new", json!({ "name": "New" }), operator(200)),
        row("GET /v1/orgs", operator(200)),
        row("GET /v1/org", anyone_of_the_chain()),
        with("PUT /v1/org/policy", policy, admin),
        row("GET /v1/presets", authenticated),
        with("PUT /v1/clubs/new", json!({ "name": "New" }), staff(200)),
        row("GET /v1/clubs", anyone_of_the_chain()),
        with(
            "POST /v1/clubs/main/closures",
            json!({ "from": "2031-12-24", "to": "2031-12-26", "reason": "Christmas", "id": "xmas" }),
            [401, 403, 403, 403, 403, 403, 201, 200, 403],
        ),
        row("GET /v1/clubs/main/closures", anyone_of_the_chain()),
        row("DELETE /v1/clubs/main/closures/nothing", staff(404)),
        row("GET /v1/events", staff(200)),
        row("GET /v1/fees", staff(200)),
        row("POST /v1/fees/1/waive", staff(404)),
        row("GET /v1/reports/classes?from=2026-03-01T00:00:00Z&to=2026-03-31T00:00:00Z", staff(200)),
    ]
}

fn classes() -> Vec<Row> {
    let class =
        json!({ "club": "main", "title": "New", "starts_at": "2026-03-09T12:00:00Z", "minutes": 60, "capacity": 5 });
    vec![
        with("POST /v1/classes", class, staff(201)),
        with("PATCH /v1/classes/{class}", json!({ "room": "Hall 1" }), staff(200)),
        row("GET /v1/classes", anyone_of_the_chain()),
        row("GET /v1/classes/{class}", anyone_of_the_chain()),
        row("GET /v1/classes/{class}/roster", instructor_or_staff(200)),
        row("GET /v1/classes/{class}/history", staff(200)),
    ]
}

fn bookings() -> Vec<Row> {
    let for_oneself = [401, 200, 201, 403, 403, 403, 422, 422, 403];
    let for_ann = [401, 200, 403, 403, 403, 403, 200, 200, 403];
    let of_oneself = [401, 200, 200, 403, 403, 403, 422, 422, 403];
    let owner = [401, 200, 404, 403, 403, 403, 403, 403, 403];
    vec![
        row("POST /v1/classes/{class}/bookings", for_oneself),
        with("POST /v1/classes/{class}/bookings", json!({ "member": "ann" }), for_ann),
        row("GET /v1/bookings", of_oneself),
        row("GET /v1/bookings?member=ann", owner_or_staff()),
        row("GET /v1/bookings/{booking}", owner_or_staff()),
        row("GET /v1/bookings/{booking}/cancel-preview", owner_or_staff()),
        row("POST /v1/bookings/{offer}/accept", owner),
        row("POST /v1/bookings/{booking}/cancel", owner_or_staff()),
        with("POST /v1/classes/{class}/cancel", json!({ "reason": "flood" }), staff(200)),
    ]
}

fn members() -> Vec<Row> {
    let member = json!({ "name": "New", "membership": { "plan": "unlimited", "status": "active" } });
    vec![
        row("GET /v1/members", staff(200)),
        row("GET /v1/members?query=a", staff(200)),
        with("PUT /v1/members/new", member, staff(200)),
        row("GET /v1/members/ann", owner_or_staff()),
        row("GET /v1/members/ann/standing", owner_or_staff()),
        // The desk may ask, but is no member.
        row("GET /v1/me", [401, 200, 200, 403, 403, 403, 404, 404, 403]),
        row("DELETE /v1/members/zoe", staff(204)),
        row("POST /v1/members/ann/lift-ban", staff(200)),
    ]
}

/// None of it can be done by now: the booking is cancelled, and so is its class.
fn attendance() -> Vec<Row> {
    let door = [401, 403, 403, 403, 403, 409, 409, 409, 403];
    vec![
        row("POST /v1/bookings/{booking}/check-in", instructor_or_staff(409)),
        row("POST /v1/bookings/{booking}/undo-check-in", instructor_or_staff(409)),
        with("POST /v1/check-ins", json!({ "club": "main", "member": "ann" }), door),
        with("POST /v1/classes/{class}/close", json!({ "penalties": true }), staff(409)),
        row("POST /v1/bookings/{booking}/excuse", staff(409)),
    ]
}

fn series() -> Vec<Row> {
    let series = json!({
        "club": "main", "title": "Yoga", "minutes": 60, "capacity": 9, "starts_on": "2026-03-09", "time": "18:00",
        "rrule": "FREQ=WEEKLY;BYDAY=MO",
    });
    vec![
        with("POST /v1/series", series, staff(201)),
        row("GET /v1/series", staff(200)),
        row("GET /v1/series/nothing", staff(404)),
        with("PATCH /v1/series/nothing", json!({ "title": "X" }), staff(404)),
        row("DELETE /v1/series/nothing", staff(404)),
    ]
}

fn rest() -> Vec<Row> {
    vec![
        row("GET /healthz", [200; 9]),
        row("GET /readyz", [200; 9]),
        row("GET /metrics", [200; 9]),
        row("GET /openapi.json", [200; 9]),
        row("GET /docs/", [200; 9]),
        row("GET /v1/nothing", [404; 9]),
        row("PUT /v1/me", [405; 9]),
        // Last, because time goes on from here.
        with("PUT /v1/clock", json!({ "now": "2026-03-02T08:00:00Z" }), operator(200)),
        row("DELETE /v1/clock", operator(204)),
    ]
}
