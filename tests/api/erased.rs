//! Erased is erased: nothing that Redis holds or has written names the person, and no repeated call brings them back.

use std::time::{Duration, Instant};

use redis::{Commands, Value as Stored};
use serde_json::json;

use crate::support::api::World;

const NAME: &str = "Zwetlana Canary";
const MAIL: &str = "canary@example.com";
const PHONE: &str = "+4520998877";
const TRACES: [&str; 5] = ["Zwetlana", "Canary", "canary", "zwetlana", "20998877"];

/// How long a rewrite of a small file may take on a busy machine.
const REWRITE_MAX: Duration = Duration::from_secs(20);

/// Every key that holds one of the traces, in whatever type.
fn keys_with_traces(url: &str) -> Vec<String> {
    let client = redis::Client::open(format!("redis+{url}")).expect("an address");
    let mut connection = client.get_connection().expect("a connection");
    let keys: Vec<String> = connection.keys("*").expect("keys");
    let mut found = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query(&mut connection).expect("a type");
        let mut whole = match kind.as_str() {
            "hash" => redis::cmd("HGETALL"),
            "list" => redis::cmd("LRANGE"),
            "zset" => redis::cmd("ZRANGE"),
            "set" => redis::cmd("SMEMBERS"),
            "stream" => redis::cmd("XRANGE"),
            _ => redis::cmd("GET"),
        };
        whole.arg(&key);
        match kind.as_str() {
            "list" | "zset" => _ = whole.arg(0).arg(-1),
            "stream" => _ = whole.arg("-").arg("+"),
            _ => {}
        }
        let content: Stored = whole.query(&mut connection).expect("its content");
        let text = format!("{key} {}", written(&content));
        if TRACES.iter().any(|trace| text.contains(trace)) {
            found.push(key);
        }
    }
    found
}

fn written(value: &Stored) -> String {
    match value {
        Stored::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Stored::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

fn files_with_traces(world: &World) -> Vec<String> {
    let holds =
        |bytes: &[u8]| TRACES.iter().any(|trace| bytes.windows(trace.len()).any(|part| part == trace.as_bytes()));
    let files = world.redis().files().into_iter().filter(|(_, bytes)| holds(bytes));
    files.map(|(path, _)| path.display().to_string()).collect()
}

#[tokio::test]
async fn nothing_in_redis_or_on_its_disk_names_an_erased_member() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let body = json!({ "name": NAME, "email": MAIL, "phone": PHONE,
        "membership": { "plan": "unlimited", "status": "active" } });
    let put = async |key: &str, body: &serde_json::Value| {
        desk.call(reqwest::Method::PUT, "/v1/members/m1", Some(body.clone())).key(key).send().await
    };
    assert_eq!(put("first", &body).await.status, 200);
    let mut other = body.clone();
    other["language"] = json!("da");
    assert_eq!(put("second", &other).await.status, 200);
    desk.put("/v1/members/m1", body.clone()).await;
    let member = org.caller("m1", "member");
    let class = org.class(json!({})).await;
    let booking = member.books(&class).await;
    member.cancels(&booking).await;
    member.books(&class).await;
    desk.roster(&class).await;
    desk.get("/v1/members?query=zwet").await;
    let again = put("first", &body).await;
    assert_eq!((again.status, again.body["language"].is_null()), (200, true), "a repeated call has its own answer");
    assert!(!keys_with_traces(&world.redis().url()).is_empty() && !files_with_traces(&world).is_empty());

    desk.delete("/v1/members/m1").await;
    assert_eq!(keys_with_traces(&world.redis().url()), Vec::<String>::new());
    for (key, body) in [("first", &body), ("second", &other)] {
        let again = put(key, body).await;
        assert_eq!((again.status, again.body["code"].as_str()), (404, Some("not_found")), "{:?}", again.body);
    }
    assert_eq!(keys_with_traces(&world.redis().url()), Vec::<String>::new());

    let store = world.services()[0].store.clone();
    assert!(!store.rewrite_after_erasures(Duration::from_secs(3_600)).await.unwrap(), "others may be erased this hour");
    assert!(store.rewrite_after_erasures(Duration::ZERO).await.unwrap());
    assert!(!store.rewrite_after_erasures(Duration::ZERO).await.unwrap(), "once is enough");
    let begun = Instant::now();
    loop {
        let left = files_with_traces(&world);
        if left.is_empty() {
            break;
        }
        assert!(begun.elapsed() < REWRITE_MAX, "still written in {left:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
