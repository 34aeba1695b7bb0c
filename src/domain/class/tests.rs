use serde_json::{Value, json};

use super::*;
use crate::domain::invalid::pointers;

fn yoga() -> Value {
    json!({"club": "nord", "title": "Yoga", "starts_at": "2026-07-10T18:00:00+02:00", "minutes": 55, "capacity": 20})
}

fn yoga_with(name: &str, value: Value) -> Value {
    let mut body = yoga();
    body[name] = value;
    body
}

#[test]
fn a_class_needs_five_things_and_may_have_more() {
    let plain = NewClass::parse(&yoga()).unwrap();
    assert_eq!(
        (plain.id, plain.category, plain.instructor, plain.minimum, plain.policy),
        (None, None, None, None, None)
    );

    let mut body = yoga();
    for (name, value) in [
        ("id", json!("yoga-1")),
        ("category", json!("calm")),
        ("room", json!("2")),
        ("instructor", json!({"id": "ida", "name": "Ida"})),
        ("minimum", json!(5)),
        ("min_age", json!(16)),
        ("policy", json!({"cancel": {"late_fee": 0}})),
    ] {
        body[name] = value;
    }
    let full = NewClass::parse(&body).unwrap();
    assert_eq!(full.instructor.map(|instructor| instructor.name), Some("Ida".to_owned()));
    assert_eq!(full.policy, Some(json!({"cancel": {"late_fee": 0}})));
    assert_eq!((full.minimum, full.min_age), (Some(5), Some(16)));
}

#[test]
fn what_a_class_lacks_is_named() {
    assert_eq!(pointers(NewClass::parse(&json!({}))), ["/club", "/title", "/starts_at", "/minutes", "/capacity"]);
    assert_eq!(pointers(NewClass::parse(&json!(null))), [""]);
}

#[test]
fn a_class_holds_at_its_limits_and_not_one_past_them() {
    let text = |len: usize| json!("å".repeat(len));
    for (name, value, good) in [
        ("title", text(0), false),
        ("title", text(1), true),
        ("title", text(200), true),
        ("title", text(201), false),
        ("category", text(100), true),
        ("category", text(101), false),
        ("room", text(100), true),
        ("room", text(101), false),
        ("capacity", json!(0), false),
        ("capacity", json!(1), true),
        ("capacity", json!(5_000), true),
        ("capacity", json!(5_001), false),
        ("minutes", json!(0), false),
        ("minutes", json!(1), true),
        ("minutes", json!(1_440), true),
        ("minutes", json!(1_441), false),
        ("min_age", json!(0), true),
        ("min_age", json!(120), true),
        ("min_age", json!(121), false),
        ("minimum", json!(0), true),
        ("minimum", json!(20), true),
        ("minimum", json!(21), false),
    ] {
        let parsed = NewClass::parse(&yoga_with(name, value));
        assert_eq!(pointers(parsed), if good { vec![] } else { vec![format!("/{name}")] });
    }
    let mut crowd = yoga_with("capacity", json!(5_000));
    crowd["minimum"] = json!(5_000);
    assert!(NewClass::parse(&crowd).is_ok());
}

#[test]
fn what_is_wrong_with_a_class_is_said_where_it_is() {
    for (name, value, expected) in [
        ("id", json!("a b"), "/id"),
        ("club", json!(7), "/club"),
        ("title", json!("  "), "/title"),
        ("title", json!("Yo\nga"), "/title"),
        ("title", json!("Yoga\u{0}"), "/title"),
        ("title", json!(["Yoga"]), "/title"),
        ("instructor", json!("ida"), "/instructor"),
        ("instructor", json!({"id": "ida"}), "/instructor/name"),
        ("instructor", json!({"id": "ida", "name": "Ida", "phone": "1"}), "/instructor/phone"),
        ("starts_at", json!("2026-07-10T18:00:00"), "/starts_at"),
        ("starts_at", json!(1_783_699_200_000_i64), "/starts_at"),
        ("minutes", json!(55.0), "/minutes"),
        ("minutes", json!("55"), "/minutes"),
        ("capacity", json!(-1), "/capacity"),
        ("capacity", json!(1e30), "/capacity"),
        ("policy", json!([]), "/policy"),
        ("status", json!("open"), "/status"),
    ] {
        assert_eq!(pointers(NewClass::parse(&yoga_with(name, value.clone()))), [expected], "{name}: {value}");
    }
}

#[test]
fn a_change_tells_absent_from_null_from_a_value() {
    assert_eq!(ClassChange::parse(&json!({})), Ok(ClassChange::default()));
    let change = ClassChange::parse(
        &json!({"room": null, "category": "calm", "minimum": null, "instructor": null, "capacity": 12}),
    );
    let change = change.unwrap();
    assert_eq!((change.room, change.category), (Some(None), Some(Some("calm".to_owned()))));
    assert_eq!((change.minimum, change.instructor, change.capacity), (Some(None), Some(None), Some(12)));
    assert_eq!(change.title, None);
}

#[test]
fn a_change_cannot_take_away_what_every_class_has() {
    for name in ["starts_at", "minutes", "title", "capacity"] {
        assert_eq!(pointers(ClassChange::parse(&json!({name: null}))), [format!("/{name}")]);
    }
    for name in ["id", "club", "min_age", "policy", "status"] {
        assert_eq!(pointers(ClassChange::parse(&json!({name: null}))), [format!("/{name}")], "not for changing");
    }
    assert_eq!(pointers(ClassChange::parse(&json!({"capacity": 4, "minimum": 5}))), ["/minimum"]);
    assert_eq!(pointers(ClassChange::parse(&json!({"minimum": 5_001, "title": ""}))), ["/title", "/minimum"]);
}
