//! What holds for every parser of this room, whatever it is given.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::class::{ClassChange, NewClass};
use super::ids::{ClubId, MemberId};
use super::instant::parse_instant;
use super::invalid::Parsed;
use super::member::Member;
use super::org::{Club, NewOrg};
use super::policy::Policy;
use super::presets::{preset, presets};
use super::span::Span;

/// Names that mean something somewhere, so that random documents get past the first field.
const NAMES: &str = "id name club title category room instructor starts_at minutes capacity minimum min_age policy preset email \
    phone born language membership plan status clips clips_revision valid_from valid_until clubs categories frozen from until \
    timezone currency languages booking opens before days at closes_before daily_limit cancel free_until after_booking late \
    waitlist mode quiet attendance strikes ban change_notice retention history events a/b ~";

const TEXTS: &str = "nord Yoga 2026-07-10T18:00:00Z 2026-02-30 08:00 24:00 P7D PT0S P1Y PT999999999S Europe/Copenhagen DKK da \
    auto offer charged unlimited clips active all standard +4512345678 ann@example.com";

fn any_name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(NAMES.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    prop_oneof![9 => known, 1 => any::<String>()]
}

fn any_leaf() -> impl Strategy<Value = Value> {
    let known = prop::sample::select(TEXTS.split_whitespace().map(Value::from).collect::<Vec<_>>());
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0..400_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        known,
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    any_leaf().prop_recursive(4, 64, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any_name(), inner), 0..12)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A document that is right but for whatever comes to stand at one of its places.
fn nearly(whole: &Value, place: usize, value: Value) -> Value {
    let places = places(whole, "");
    let mut body = whole.clone();
    if let Some(there) = body.pointer_mut(&places[place % places.len()]) {
        *there = value;
    }
    body
}

fn places(value: &Value, pointer: &str) -> Vec<String> {
    let inner: Vec<_> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let deeper = inner.into_iter().flat_map(|(name, value)| places(value, &format!("{pointer}/{name}")));
    std::iter::once(pointer.to_owned()).chain(deeper).collect()
}

/// Every error stands at a place of the document, or at a name missing from one, and says something.
fn judge<T>(body: &Value, parsed: Parsed<T>) -> Result<(), TestCaseError> {
    let errors = match parsed {
        Ok(_) => return Ok(()),
        Err(errors) => errors,
    };
    prop_assert!(!errors.is_empty());
    for error in errors {
        let parent = error.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        prop_assert!(body.pointer(&error.pointer).or_else(|| body.pointer(parent)).is_some(), "{error} in {body}");
        prop_assert!(!error.detail.is_empty());
    }
    Ok(())
}

fn judge_all(body: &Value) -> Result<(), TestCaseError> {
    judge(body, NewClass::parse(body))?;
    judge(body, ClassChange::parse(body))?;
    judge(body, NewOrg::parse(body))?;
    judge(body, Policy::parse(body))?;
    judge(body, MemberId::parse("ann").map(|id| Member::parse(id, body)).unwrap())?;
    judge(body, ClubId::parse("nord").map(|id| Club::parse(id, body)).unwrap())
}

fn whole_member() -> Value {
    json!({
        "id": "ann", "name": "Ann", "email": "ann@example.com", "phone": "12345678", "born": "1990-01-01", "language": "da",
        "membership": {
            "plan": "clips", "status": "active", "clips": 10, "clips_revision": "r1", "valid_from": "2026-01-01",
            "valid_until": "2026-12-31", "clubs": ["nord"], "categories": "all",
            "frozen": [{"from": "2026-02-01", "until": "2026-02-28"}],
        },
    })
}

fn whole_class() -> Value {
    json!({
        "id": "yoga", "club": "nord", "title": "Yoga", "category": "calm", "room": "2",
        "instructor": {"id": "ida", "name": "Ida"}, "starts_at": "2026-07-10T18:00:00Z", "minutes": 55, "capacity": 20,
        "minimum": 3, "min_age": 16, "policy": {},
    })
}

proptest! {
    #[test]
    fn no_json_makes_a_parser_panic(body in any_json()) {
        judge_all(&body)?;
    }

    #[test]
    fn nearly_right_json_is_read_or_named(place in any::<usize>(), value in any_json()) {
        for whole in [presets()[0].policy.to_json(), whole_member(), whole_class(), json!({"name": "N", "preset": "standard"})] {
            judge_all(&nearly(&whole, place, value.clone()))?;
        }
    }

    #[test]
    fn a_policy_that_is_read_is_written_the_same(place in any::<usize>(), value in any_json()) {
        let body = nearly(&presets()[2].policy.to_json(), place, value);
        if let Ok(policy) = Policy::parse(&body) {
            prop_assert_eq!(Policy::parse(&policy.to_json()), Ok(policy));
        }
    }

    #[test]
    fn no_override_makes_a_policy_panic_or_changes_what_is_the_chains(patch in any_json()) {
        let chain = &preset("pulsn-dk").unwrap().policy;
        if let Ok(policy) = chain.patched(&patch) {
            prop_assert_eq!(policy.timezone, chain.timezone);
            prop_assert_eq!(&policy.retention, &chain.retention);
            prop_assert_eq!(policy.patched(&patch), Ok(policy), "an override applied twice is applied once");
        }
    }

    #[test]
    fn no_text_makes_a_span_or_an_instant_panic(text in any::<String>(), span in "P?[0-9WDTHMS]{0,12}") {
        if let Ok(read) = parse_instant(&text) {
            prop_assert!(read.timestamp_millis() > 0);
        }
        if let Ok(read) = Span::parse(&text) {
            prop_assert_eq!(read.as_str(), text);
        }
        if let Ok(read) = Span::parse(&span) {
            prop_assert_eq!(read.as_str(), span);
            prop_assert!(read.fixed_ms() >= 0);
        }
    }
}
