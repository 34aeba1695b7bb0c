//! Queries, cursors, ids in paths and methods that mean nothing: refused where they stand, and never a 5xx.

use serde_json::json;

use crate::calls::Scene;
use crate::dump::dump;
use crate::support::api::{Person, Reply};

/// Every list, with whoever may read it.
fn lists(scene: &Scene) -> Vec<(String, Person)> {
    let desk = scene.org.desk();
    [
        ("/v1/presets?".to_owned(), desk.clone()),
        ("/v1/orgs?".to_owned(), scene.world.operator()),
        ("/v1/clubs?".to_owned(), desk.clone()),
        ("/v1/classes?".to_owned(), desk.clone()),
        ("/v1/classes?".to_owned(), scene.org.caller("ann", "member")),
        (format!("/v1/classes/{}/history?", scene.class), desk.clone()),
        ("/v1/bookings?".to_owned(), scene.org.caller("ann", "member")),
        ("/v1/bookings?member=ann&when=past&".to_owned(), desk.clone()),
        ("/v1/bookings?member=ann&when=upcoming&".to_owned(), desk.clone()),
        ("/v1/members?".to_owned(), desk.clone()),
        ("/v1/members?query=a&".to_owned(), desk.clone()),
        ("/v1/series?".to_owned(), desk.clone()),
        ("/v1/fees?".to_owned(), desk.clone()),
        ("/v1/events?".to_owned(), desk),
    ]
    .into()
}

fn is_invalid_at(reply: &Reply, pointer: &str) -> bool {
    reply.status == 422 && reply.body["code"] == "invalid" && reply.pointers().iter().any(|found| found == pointer)
}

/// What a list calls its cursor when it refuses one: the ledger and the stream go on after a place callers know.
fn cursor_of(list: &str) -> &'static str {
    if list.starts_with("/v1/fees") || list.starts_with("/v1/events") { "/after" } else { "/cursor" }
}

fn hex(text: &[u8]) -> String {
    text.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_limit_is_1_to_200_everywhere_and_never_clamped() {
    let scene = Scene::begins().await;
    for (list, person) in lists(&scene) {
        for limit in ["0", "201", "-1", "%2B5", "1.5", "1e2", "", "ten", "99999999999999999999", "0x10", "%00", "1%20"]
        {
            let reply = person.get(&format!("{list}limit={limit}")).send().await;
            assert!(is_invalid_at(&reply, "/limit"), "{list}limit={limit}: {reply:?}");
        }
        person.get(&format!("{list}limit=200")).await;
        person.get(&format!("{list}limit=1")).await;
    }
}

#[tokio::test]
async fn a_parameter_nobody_knows_or_that_comes_twice_is_refused() {
    let scene = Scene::begins().await;
    for (list, person) in lists(&scene) {
        let unknown = person.get(&format!("{list}colour=blue")).send().await;
        assert!(is_invalid_at(&unknown, "/colour"), "{list}: {unknown:?}");
        let twice = person.get(&format!("{list}limit=5&limit=5")).send().await;
        assert!(is_invalid_at(&twice, "/limit"), "{list}: {twice:?}");
    }
    let desk = scene.org.desk();
    for path in
        ["/v1/org", "/v1/classes/class-1", "/v1/classes/class-1/roster", "/v1/members/ann", "/v1/members/ann/standing"]
    {
        let reply = desk.get(&format!("{path}?limit=5")).send().await;
        assert!(is_invalid_at(&reply, "/limit"), "{path}: {reply:?}");
    }
    let booking = format!("/v1/bookings/{}", scene.booking);
    for path in [booking.clone(), format!("{booking}/cancel-preview")] {
        assert!(is_invalid_at(&desk.get(&format!("{path}?x=1")).send().await, "/x"), "{path}");
    }
}

#[tokio::test]
async fn a_cursor_that_was_never_given_out_is_refused_everywhere() {
    let scene = Scene::begins().await;
    for (list, person) in lists(&scene) {
        let pointer = cursor_of(&list);
        for cursor in ["", "x", "zz", "616", "6g", "%00", "%FF", "null", "..%2F..", "ff", "c328", &"61".repeat(2049)] {
            // 616 is as good a place in the ledger as any.
            if pointer == "/after" && cursor == "616" {
                continue;
            }
            let reply = person.get(&format!("{list}cursor={cursor}")).send().await;
            assert!(reply.status == 422 && !reply.pointers().is_empty(), "{list}cursor={cursor}: {reply:?}");
            assert!(["/cursor", pointer].contains(&reply.pointers()[0].as_str()), "{list}cursor={cursor}: {reply:?}");
        }
    }
}

/// Cursors that are well-formed hex of texts that the store might stumble over.
#[tokio::test]
async fn no_cursor_makes_the_service_stumble() {
    let scene = Scene::begins().await;
    let texts = [
        "junk",
        ":",
        "x:y",
        "1:",
        ":class-1",
        "1:class-1:x",
        "18446744073709551615:c",
        "9223372036854775807:c",
        "-9223372036854775808:c",
        "-1:c",
        "+1:c",
        "1e5:c",
        "1.5:c",
        "nan:c",
        "inf:c",
        "-inf:c",
        "(1:c",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775807",
        "9223372036854775808",
        "9007199254740993",
        "-1",
        "+1",
        "1e5",
        "0x10",
        "\0",
        "\n",
        "1:\0",
        "1:\n",
        "å",
        "(",
        "[",
        "+",
        "-",
        "1772438400000:class-1",
        "0-0",
        "1-1",
        "1 ",
        "+1-1",
        "1-+1",
        "+1-+1",
        "01-01",
        "1-01",
        "007",
    ];
    for (list, person) in lists(&scene) {
        for text in texts {
            let reply = person.get(&format!("{list}cursor={}", hex(text.as_bytes()))).send().await;
            let refused = is_invalid_at(&reply, "/cursor") || is_invalid_at(&reply, cursor_of(&list));
            assert!(refused || reply.status == 200 || reply.status == 410, "{list} {text:?}: {reply:?}");
        }
        let long = format!("1:{}", "x".repeat(1000));
        let reply = person.get(&format!("{list}cursor={}", hex(long.as_bytes()))).send().await;
        assert!(reply.status < 500, "{list}: {reply:?}");
    }
    for list in ["/v1/fees?after=", "/v1/events?after="] {
        for text in texts {
            let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let reply = scene.org.desk().get(&format!("{list}{escaped}")).send().await;
            assert!(matches!(reply.status, 200 | 410 | 422), "{list}{text:?}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_cursor_of_the_list_is_refused() {
    let scene = Scene::begins().await;
    for (list, person) in lists(&scene).into_iter().filter(|(list, _)| !list.starts_with("/v1/members")) {
        let reply = person.get(&format!("{list}cursor={}", hex(b"junk"))).send().await;
        assert!(is_invalid_at(&reply, cursor_of(&list)), "{list}: {reply:?}");
    }
}

#[tokio::test]
async fn instants_ids_and_words_in_a_query_are_read_or_refused() {
    let scene = Scene::begins().await;
    let desk = scene.org.desk();
    for instant in [
        "",
        "2026-03-03",
        "2026-03-03T12:00:00",
        "yesterday",
        "1772438400",
        "1999-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
    ] {
        for name in ["from", "to"] {
            let reply = desk.get(&format!("/v1/classes?{name}={instant}")).send().await;
            assert!(is_invalid_at(&reply, &format!("/{name}")), "{name}={instant}: {reply:?}");
        }
    }
    for (query, pointer) in [
        ("/v1/classes?club=a%20b", "/club"),
        ("/v1/classes?club=", "/club"),
        ("/v1/classes?instructor=a%3Cb", "/instructor"),
        ("/v1/classes?category=", "/category"),
        ("/v1/classes?category=a%00b", "/category"),
        ("/v1/bookings?member=%22", "/member"),
        ("/v1/bookings?member=ann&when=tomorrow", "/when"),
        ("/v1/bookings?member=ann&when=", "/when"),
        ("/v1/members?query=", "/query"),
        ("/v1/members?query=%00", "/query"),
        ("/v1/bookings", "/member"),
    ] {
        let reply = desk.get(query).send().await;
        assert!(is_invalid_at(&reply, pointer), "{query}: {reply:?}");
    }
    let long = format!("/v1/members?query={}", "x".repeat(256));
    assert!(is_invalid_at(&desk.get(&long).send().await, "/query"));
    assert_eq!(desk.get("/v1/bookings?member=nobody").refused("not_found").await.status, 404);
}

#[tokio::test]
async fn a_query_that_is_no_text_is_refused() {
    let scene = Scene::begins().await;
    let desk = scene.org.desk();
    for query in [
        "/v1/members?query=%FF",
        "/v1/classes?category=%C3%28",
        "/v1/classes?%FF=1",
        "/v1/members?query=%zz",
        "/v1/classes?&&=&",
    ] {
        let reply = desk.get(query).send().await;
        assert!(reply.status == 422 || reply.status == 200, "{query}: {reply:?}");
    }
}

#[tokio::test]
async fn an_id_that_nothing_could_have_names_nothing() {
    let scene = Scene::begins().await;
    let before = dump(&scene.world, &scene.org).await;
    let (desk, ann) = (scene.org.desk(), scene.org.caller("ann", "member"));
    let long = "x".repeat(65);
    // These could name a person; none of that name is there.
    let person_ids = ["a%2Fb", "a:b", "%7Ba%7D", "%zz", long.as_str(), "'", "$", "*"];
    for id in [
        "a%20b",
        "%00",
        "%FF",
        "a%2Fb",
        "a:b",
        "%7Ba%7D",
        "%C3%A5",
        "%zz",
        "a%0Ab",
        "%3Cx%3E",
        long.as_str(),
        "'",
        "$",
        "*",
    ] {
        for (method, path, by) in [
            ("GET", format!("/v1/classes/{id}"), &desk),
            ("PATCH", format!("/v1/classes/{id}"), &desk),
            ("POST", format!("/v1/classes/{id}/cancel"), &desk),
            ("GET", format!("/v1/classes/{id}/roster"), &desk),
            ("GET", format!("/v1/classes/{id}/history"), &desk),
            ("POST", format!("/v1/classes/{id}/bookings"), &ann),
            ("GET", format!("/v1/bookings/{id}"), &desk),
            ("GET", format!("/v1/bookings/{id}/cancel-preview"), &desk),
            ("POST", format!("/v1/bookings/{id}/cancel"), &desk),
            ("POST", format!("/v1/bookings/{id}/accept"), &ann),
            ("GET", format!("/v1/members/{id}"), &desk),
            ("GET", format!("/v1/members/{id}/standing"), &desk),
            ("DELETE", format!("/v1/members/{id}"), &desk),
        ] {
            let body = (method != "GET").then(|| json!({}));
            let reply = by.call(method.parse().unwrap(), &path, body).refused("not_found").await;
            assert_eq!(reply.status, 404, "{method} {path}");
        }
        for (path, by, body) in [
            (
                format!("/v1/members/{id}"),
                &desk,
                json!({ "name": "X", "membership": { "plan": "unlimited", "status": "active" } }),
            ),
            (format!("/v1/clubs/{id}"), &desk, json!({ "name": "X" })),
            (format!("/v1/orgs/{id}"), &scene.world.operator(), json!({ "name": "X" })),
        ] {
            if path.starts_with("/v1/members/") && person_ids.contains(&id) {
                continue;
            }
            let reply = by.put(&path, body).send().await;
            assert!(is_invalid_at(&reply, "/id") || reply.status == 404 && id.contains("%2F"), "PUT {path}: {reply:?}");
        }
    }
    assert_eq!(dump(&scene.world, &scene.org).await, before);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_told_which_it_does() {
    let scene = Scene::begins().await;
    let desk = scene.org.desk();
    for (method, path) in [
        ("DELETE", "/v1/classes/class-1"),
        ("PUT", "/v1/classes"),
        ("POST", "/v1/members/ann"),
        ("PATCH", "/v1/org/policy"),
        ("GET", "/v1/classes/class-1/cancel"),
        ("POST", "/v1/events"),
        ("DELETE", "/v1/fees"),
        ("OPTIONS", "/v1/me"),
        ("TRACE", "/v1/me"),
        ("BREW", "/v1/me"),
    ] {
        let reply = desk.call(method.parse().unwrap(), path, None).send().await;
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (405, &json!("method_not_allowed")),
            "{method} {path}: {reply:?}"
        );
    }
    for path in [
        "/v1",
        "/v1/",
        "/v1/class",
        "/v2/classes",
        "/v1/classes/",
        "/v1/classes/class-1/",
        "/v1//classes",
        "/admin",
        "/v1/classes/class-1/bookings/x",
    ] {
        assert_eq!(desk.get(path).refused("not_found").await.status, 404, "{path}");
    }
}
