//! Who may call what: every call by every role, without a token, from another organisation and for another member.

use reqwest::Method;
use serde_json::{Value, json};

use crate::rights_table::{CALLERS, Row, table};
use crate::support::api::{Call, Named, Org, Person, World, signed};
use crate::support::service::SECRET;

struct Scene {
    world: World,
    org: Org,
    class: String,
    booking: String,
    offer: String,
}

impl Scene {
    async fn begins() -> Scene {
        let world = World::new().await;
        let org = world.org_under("standard", json!({ "waitlist": { "mode": "offer" } })).await;
        let [ann, _, _] = org.members(["ann", "bob", "zoe"]).await;
        let class = org.class(json!({ "instructor": { "id": "ida", "name": "Ida" } })).await;
        let booking = ann.books(&class).await;
        let full = org.full_class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
        let offer = ann.queues_for(&full).await;
        full.frees().await;
        org.finds(&offer, "offered").await;
        Scene { world, class: class.id(), booking: booking.id(), offer: offer.id(), org }
    }

    fn people(&self) -> [Option<Person>; 9] {
        let org = &self.org;
        [
            None,
            Some(org.caller("ann", "member")),
            Some(org.caller("bob", "member")),
            Some(org.instructor("ida")),
            Some(org.instructor("ole")),
            Some(org.kiosk()),
            Some(org.desk()),
            Some(org.admin()),
            Some(self.world.operator()),
        ]
    }

    fn path(&self, row: &Row) -> String {
        row.path.replace("{class}", &self.class).replace("{booking}", &self.booking).replace("{offer}", &self.offer)
    }

    fn call(&self, row: &Row, person: Option<&Person>) -> Call {
        let call = self.world.operator().call(row.method.clone(), &self.path(row), row.body.clone());
        match person {
            None => call.with_token(None),
            Some(person) => call.with_token(Some(person.token())),
        }
    }
}

fn code(status: u16) -> &'static str {
    match status {
        401 => "unauthenticated",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        _ => "",
    }
}

/// Whether a path of the table is one of the description's, where `{…}` stands for anything.
fn is_of(path: &str, template: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (path, template): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len() && path.iter().zip(&template).all(|(part, of)| of.starts_with('{') || part == of)
}

/// A socket asks for its token in its own way, and has tests of its own.
const SOCKET: &str = "/v1/live";

#[tokio::test]
async fn every_call_of_the_description_stands_in_the_table() {
    let world = World::new().await;
    let description = world.operator().get("/openapi.json").await;
    let rows = table();
    let mut missing = Vec::new();
    for (template, methods) in description.body["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|method| *method != "parameters") {
            let stands =
                rows.iter().any(|row| row.method.as_str().eq_ignore_ascii_case(method) && is_of(row.path, template));
            if !stands && template != SOCKET {
                missing.push(format!("{} {template}", method.to_uppercase()));
            }
        }
    }
    assert!(missing.is_empty(), "who may call these? Give them a row in tests/api/rights.rs:\n{}", missing.join("\n"));
}

#[tokio::test]
async fn every_call_answers_every_role_as_it_should() {
    let scene = Scene::begins().await;
    let mut wrong = Vec::new();
    for row in table() {
        // Those who may not come first, so that nobody finds the thing changed already.
        let mut columns: Vec<usize> = (0..CALLERS.len()).collect();
        columns.sort_by_key(|&column| row.expected[column] < 400);
        for column in columns {
            let people = scene.people();
            let reply = scene.call(&row, people[column].as_ref()).send().await;
            let expected = row.expected[column];
            let coded = expected < 400 || code(expected).is_empty() || reply.body["code"] == code(expected);
            // The clock is no organisation's, so it has no place in a stream.
            let writes = row.method != Method::GET && row.path != "/v1/clock" && expected < 300;
            if reply.status != expected || !coded || writes && reply.cursor.is_none() {
                wrong.push(format!(
                    "{} {} by {}: {} {}",
                    row.method, row.path, CALLERS[column], reply.status, reply.body
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn whoever_may_not_call_changes_nothing() {
    let scene = Scene::begins().await;
    let before = scene.org.cursor().await;
    for row in table() {
        for (column, person) in scene.people().iter().enumerate() {
            if row.expected[column] >= 400 {
                scene.call(&row, person.as_ref()).send().await;
            }
        }
    }
    assert_eq!(scene.org.cursor().await, before);
    assert_eq!(scene.world.operator().get("/v1/orgs").await.items().len(), 1);
}

#[tokio::test]
async fn in_another_organisation_nothing_of_this_one_exists() {
    let scene = Scene::begins().await;
    let other = scene.world.org("standard").await;
    let before = scene.org.cursor().await;
    for row in table()
        .into_iter()
        .filter(|row| row.path.contains('{') || row.path.contains("/ann") || row.path.contains("zoe"))
    {
        let path = scene.path(&row);
        for (name, role) in [("ann", "member"), ("ida", "instructor"), ("desk", "staff"), ("admin", "admin")] {
            let reply = other.caller(name, role).call(row.method.clone(), &path, row.body.clone()).send().await;
            let expected = if row.expected[6] == 403 && role != "member" { 403 } else { 404 };
            let may_not = reply.status == 403 || reply.status == 422;
            assert!(reply.status == expected || may_not, "{} {path} by {role}: {reply:?}", row.method);
            assert!(reply.status >= 400);
        }
    }
    assert_eq!(other.desk().get("/v1/members").await.items().len(), 0);
    assert_eq!(other.desk().get("/v1/classes").await.items().len(), 0);
    assert_eq!(other.desk().get("/v1/events").await.items().len(), 2, "its own two");
    assert_eq!(scene.org.cursor().await, before);
}

#[tokio::test]
async fn an_organisation_that_does_not_exist_has_nothing() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let token = |role: &str| crate::support::api::token("ann", role, Some("nowhere"));
    for (role, method, path, body) in [
        ("member", "GET", "/v1/org", None),
        ("member", "GET", "/v1/me", None),
        ("member", "GET", "/v1/classes", None),
        ("member", "POST", "/v1/classes/c/bookings", None),
        ("staff", "PUT", "/v1/clubs/main", Some(json!({ "name": "Main" }))),
        ("staff", "GET", "/v1/clubs", None),
        ("staff", "GET", "/v1/events", None),
        ("staff", "GET", "/v1/fees", None),
        ("staff", "GET", "/v1/members", None),
        ("staff", "GET", "/v1/series", None),
        (
            "admin",
            "PUT",
            "/v1/org/policy",
            Some(rollcall::domain::presets::preset("standard").unwrap().policy.to_json()),
        ),
    ] {
        let call = org.desk().call(method.parse().unwrap(), path, body).with_token(Some(&token(role)));
        let refused = call.refused("not_found").await;
        let said = "There is no organisation nowhere: an operator creates it by PUT /v1/orgs/nowhere.";
        assert_eq!((refused.status, &refused.body["detail"]), (404, &json!(said)), "{method} {path}");
    }
    assert_eq!(world.operator().get("/v1/orgs").await.items().len(), 1);
}

#[tokio::test]
async fn a_token_that_says_too_little_or_the_wrong_thing_is_nobodys() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.member("ann").await;
    let good = json!({ "sub": "ann", "role": "member", "org": org.id, "exp": 4_102_444_800_u64 });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let me = |token: &str| org.desk().get("/v1/me").with_token(Some(token));
    me(&signed(&good, SECRET)).await;
    for claims in [
        without("sub"),
        without("exp"),
        without("org"),
        without("role"),
        with("role", json!("owner")),
        with("role", json!("Member")),
        with("sub", json!("")),
        with("sub", json!("a b")),
        with("sub", json!(7)),
        with("org", json!("{x}")),
        with("exp", json!(1_000_000_000)),
        with("exp", json!("never")),
        with("nbf", json!(4_102_444_800_u64)),
    ] {
        let refused = me(&signed(&claims, SECRET)).refused("unauthenticated").await;
        assert_eq!(refused.status, 401, "{claims}");
    }
    for token in
        [signed(&good, "another secret, also long enough for it"), "x".to_owned(), String::new(), "a.b.c".to_owned()]
    {
        me(&token).refused("unauthenticated").await;
    }
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", signed(&good, SECRET).split('.').nth(1).unwrap());
    me(&unsigned).refused("unauthenticated").await;
}

#[tokio::test]
async fn a_token_lives_by_real_time_whatever_the_set_clock() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.member("ann").await;
    world.sets_clock("2199-01-01T00:00:00Z").await;
    org.caller("ann", "member").get("/v1/me").await;
    world.sets_clock("2026-03-02T08:00:00Z").await;
}

#[tokio::test]
async fn rights_are_judged_before_the_body() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    ann.post("/v1/classes", json!("nonsense")).refused("forbidden").await;
    ann.put("/v1/members/ann", json!(null)).refused("forbidden").await;
    org.desk().put("/v1/org/policy", json!({})).refused("forbidden").await;
    org.desk().post("/v1/classes", json!("nonsense")).with_token(None).refused("unauthenticated").await;
}
