use serde_json::{Value, json};

use super::*;
use crate::domain::invalid::{Parsed, pointers};

fn ann() -> Value {
    json!({"name": "Ann", "membership": {"plan": "unlimited", "status": "active"}})
}

fn parse(body: &Value) -> Parsed<Member> {
    Member::parse(MemberId::parse("ann").unwrap(), body)
}

/// Ann, with another value at `/name` or `/membership/name`.
fn ann_with(pointer: &str, value: Value) -> Value {
    let mut body = ann();
    match pointer.strip_prefix("/membership/") {
        Some(name) => body["membership"][name] = value,
        None => body[pointer.trim_start_matches('/')] = value,
    }
    body
}

fn span(from: &str, until: &str) -> Value {
    json!({"from": from, "until": until})
}

#[test]
fn a_membership_that_names_no_scope_counts_everywhere() {
    let membership = parse(&ann()).unwrap().membership;
    assert_eq!((membership.clubs, membership.categories, membership.frozen), (Scope::All, Scope::All, vec![]));
}

#[test]
fn a_member_is_read_in_full() {
    let body = json!({
        "id": "ann", "name": "  Ann Å. ", "email": "ann@example.com", "phone": "+45 12 34-56(78)", "born": "1990-02-28",
        "language": "da",
        "membership": {
            "plan": "clips", "status": "blocked", "clips": 10, "clips_revision": 7, "valid_from": "2026-01-01",
            "valid_until": "2026-01-01", "clubs": ["nord", "syd"], "categories": ["yoga"],
            "frozen": [span("2026-02-01", "2026-02-01"), span("2026-03-01", "2026-03-31")],
        },
    });
    let member = parse(&body).unwrap();
    assert_eq!((member.name.as_str(), member.phone.as_deref()), ("Ann Å.", Some("+45 12 34-56(78)")));
    assert_eq!(member.membership.clips_revision.as_deref(), Some("7"));
    assert_eq!(member.membership.clubs, Scope::Only(vec!["nord".to_owned(), "syd".to_owned()]));
    assert_eq!(member.membership.frozen.len(), 2);
    assert_eq!(serde_json::to_value(&member.membership.clubs).unwrap(), json!(["nord", "syd"]));
    assert_eq!(serde_json::to_value(Scope::All).unwrap(), json!("all"));
}

#[test]
fn what_a_member_lacks_is_named() {
    assert_eq!(pointers(parse(&json!({}))), ["/name", "/membership"]);
    assert_eq!(pointers(parse(&json!({"name": "Ann", "membership": {}}))), ["/membership/plan", "/membership/status"]);
    assert_eq!(pointers(parse(&json!("ann"))), [""]);
}

#[test]
fn null_means_none_where_there_may_be_none() {
    for pointer in [
        "/email",
        "/phone",
        "/born",
        "/language",
        "/membership/clips",
        "/membership/clips_revision",
        "/membership/valid_from",
    ] {
        assert_eq!(parse(&ann_with(pointer, Value::Null)), parse(&ann()), "{pointer}");
    }
    for pointer in ["/name", "/membership", "/membership/plan", "/membership/clubs", "/membership/frozen"] {
        assert_eq!(pointers(parse(&ann_with(pointer, Value::Null))), [pointer]);
    }
}

#[test]
fn what_is_wrong_with_a_member_is_said_where_it_is() {
    for (pointer, value, expected) in [
        ("/id", json!("bob"), "/id"),
        ("/name", json!(" \u{3000} "), "/name"),
        ("/name", json!("Ann\t"), "/name"),
        ("/born", json!("28-02-1990"), "/born"),
        ("/born", json!("1899-12-31"), "/born"),
        ("/language", json!("Danish"), "/language"),
        ("/age", json!(36), "/age"),
        ("/membership/plan", json!("gold"), "/membership/plan"),
        ("/membership/status", json!("frozen"), "/membership/status"),
        ("/membership/clips", json!(-1), "/membership/clips"),
        ("/membership/clips", json!(9.5), "/membership/clips"),
        ("/membership/clips_revision", json!(""), "/membership/clips_revision"),
        ("/membership/clips_revision", json!(1.5), "/membership/clips_revision"),
        ("/membership/clubs", json!("none"), "/membership/clubs"),
        ("/membership/clubs", json!(["nord", "a b"]), "/membership/clubs/1"),
        ("/membership/clubs", json!(["nord", "nord"]), "/membership/clubs/1"),
        ("/membership/categories", json!(["yoga", 1]), "/membership/categories/1"),
        ("/membership/frozen", json!("2026"), "/membership/frozen"),
        ("/membership/frozen", json!([span("2026-02-02", "2026-02-01")]), "/membership/frozen/0/until"),
        ("/membership/frozen", json!([{"from": "2026-02-02"}]), "/membership/frozen/0/until"),
        ("/membership/tier", json!("gold"), "/membership/tier"),
    ] {
        assert_eq!(pointers(parse(&ann_with(pointer, value.clone()))), [expected], "{pointer}: {value}");
    }
    let mut ended = ann_with("/membership/valid_from", json!("2026-02-01"));
    ended["membership"]["valid_until"] = json!("2026-01-31");
    assert_eq!(pointers(parse(&ended)), ["/membership/valid_until"]);
}

#[test]
fn a_member_holds_at_its_limits_and_not_one_past_them() {
    let text = |len: usize| json!("å".repeat(len));
    let many = |count: usize| json!((0..count).map(|n| format!("c{n}")).collect::<Vec<_>>());
    let winters =
        |count: i32| json!((0..count).map(|n| span(&format!("{}-01-01", 2001 + n), "2199-01-01")).collect::<Vec<_>>());
    let mail = |len: usize| {
        let label = "b".repeat(63);
        json!(format!("{}@{label}.{label}.{}", "a".repeat(64), "c".repeat(len - 193)))
    };
    for (pointer, value, good) in [
        ("/name", text(200), true),
        ("/name", text(201), false),
        ("/email", mail(254), true),
        ("/email", mail(255), false),
        ("/phone", json!("123"), true),
        ("/phone", json!("12"), false),
        ("/phone", json!("1".repeat(18)), true),
        ("/phone", json!("1".repeat(19)), false),
        ("/membership/clips", json!(100_000), true),
        ("/membership/clips", json!(100_001), false),
        ("/membership/clips_revision", text(64), true),
        ("/membership/clips_revision", text(65), false),
        ("/membership/clubs", many(0), true),
        ("/membership/clubs", many(500), true),
        ("/membership/clubs", many(501), false),
        ("/membership/categories", many(501), false),
        ("/membership/frozen", winters(100), true),
        ("/membership/frozen", winters(101), false),
    ] {
        let expected = if good { vec![] } else { vec![pointer] };
        assert_eq!(pointers(parse(&ann_with(pointer, value))), expected);
    }
}

#[test]
fn a_mail_address_is_one_that_mail_can_be_sent_to() {
    for good in [
        " ann@example.com ",
        "ann+gym@exämple.com",
        "o'hara@example.com",
        "ann@xn--exmple-cua.com",
        "ann@žydrė.lt",
        "a.b.c@mail.example.co.uk",
        "a_b-c%d@example.com",
        "1@example.com",
        "ann@[192.0.2.1]",
    ] {
        assert_eq!(parse_email(good), Ok(good.trim().to_owned()), "{good:?}");
    }
    for bad in [
        "",
        "ann",
        "@example.com",
        "ann@",
        "a@b@c",
        "a n@example.com",
        "a@example.com\r\nBcc: c@d",
        "<a@example.com>",
        "a@example.com,c@d",
        "a@example.com\0",
        "a.@example.com",
        ".a@example.com",
        "a..b@example.com",
        "a@.example.com",
        "a@example..com",
        "a@example.com.",
        "a@-example.com",
        "a@example-.com",
        "a@exa mple.com",
        "a(b)@example.com",
        "a:b@example.com",
        "a[b]@example.com",
        "\"a b\"@example.com",
    ] {
        assert_eq!(parse_email(bad), Err(EmailError), "{bad:?}");
    }
}
