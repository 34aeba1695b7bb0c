//! `/asyncapi.json` is true: every frame that any story here sends or is sent is checked against it.

use std::collections::HashMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::api::World;
use crate::support::redis::Keeps;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../src/http/asyncapi.json")).expect("JSON"));

/// By `op`, one for each message.
static MESSAGES: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let messages = DOCUMENT["components"]["messages"].as_object().expect("messages");
    let of = |name: &String| {
        let mut schema = json!({ "$ref": format!("#/components/messages/{name}/payload") });
        schema["components"] = DOCUMENT["components"].clone();
        (name.clone(), jsonschema::validator_for(&schema).expect("a schema"))
    };
    messages.keys().map(of).collect()
});

/// Panics at a frame that the document does not describe.
pub fn describes(frame: &Value) {
    let op = frame["op"].as_str().expect("an op");
    let message = MESSAGES.get(op).unwrap_or_else(|| panic!("no message {op}"));
    let wrong: Vec<String> =
        message.iter_errors(frame).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{frame:#}\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_document_is_served_and_holds_every_message() {
    let world = World::with(1, Keeps::Nothing).await;
    let served = world.operator().get("/asyncapi.json").await.body;
    assert_eq!(served, *DOCUMENT);
    assert_eq!(served["asyncapi"], "3.0.0");
    let channel = served["channels"]["live"]["messages"].as_object().unwrap();
    assert!(channel.keys().eq(served["components"]["messages"].as_object().unwrap().keys()));
    let used = ["ask", "tell"].into_iter().flat_map(|name| served["operations"][name]["messages"].as_array().unwrap());
    assert_eq!(used.count(), channel.len());
}

#[test]
fn what_is_not_described_is_noticed() {
    let wrong = [
        json!({ "op": "ping", "extra": 1 }),
        json!({ "op": "patch", "topic": "class:a", "from": 0, "to": 1, "data": {}, "at": "2026-03-02T09:00:00+01:00" }),
        json!({ "op": "gone", "topic": "me" }),
    ];
    for frame in wrong {
        assert!(std::panic::catch_unwind(|| describes(&frame)).is_err(), "{frame}");
    }
}
