//! How the service treats those who misbehave: each ends with the close code that the contract gives it.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::screen::{End, Screen};
use crate::support::api::World;
use crate::support::redis::Keeps;
use crate::support::service::Service;

async fn stranger(world: &World) -> Screen {
    Screen::connects(world.services()[0].port).await
}

#[tokio::test]
async fn whoever_does_not_say_who_they_are_is_sent_away() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let mut silent = stranger(&world).await;
    let mut nameless = stranger(&world).await;
    nameless.sends(json!({ "op": "hello" })).await;
    assert_eq!(nameless.ends().await, End::Closed(4101));
    let mut forger = stranger(&world).await;
    forger.sends(json!({ "op": "hello", "token": "a.b.c" })).await;
    assert_eq!(forger.ends().await, End::Closed(4101));
    let mut operator = stranger(&world).await;
    operator.sends(json!({ "op": "hello", "token": world.operator().token() })).await;
    assert_eq!(operator.ends().await, End::Closed(4103));
    let mut early = stranger(&world).await;
    early.sends(json!({ "op": "subscribe", "id": 1, "topics": { "me": 0 } })).await;
    assert_eq!(early.hears("error").await["code"], "unauthenticated");
    let mut elsewhere = stranger(&world).await;
    elsewhere.sends(json!({ "op": "hello", "token": org.token_in("nowhere", "ann", "member") })).await;
    assert_eq!(elsewhere.ends().await, End::Closed(4103));
    assert_eq!(silent.ends().await, End::Closed(4108));
}

#[tokio::test]
async fn frames_that_cannot_be_read_end_the_connection_and_unknown_ones_do_not() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let padded = |bytes: usize| {
        let frame = json!({ "op": "subscribe", "id": 1, "topics": {}, "pad": "" }).to_string();
        frame.replace("\"pad\":\"\"", &format!("\"pad\":\"{}\"", "x".repeat(bytes - frame.len())))
    };
    for bad in [
        Message::text("hello"),
        Message::text("[1]"),
        Message::binary(vec![1, 2, 3]),
        Message::text(padded(4 * 1024 + 1)),
        Message::text(padded(1024 * 1024)),
    ] {
        let mut screen = Screen::of(&world, 0, &ann, &["me"]).await;
        screen.sends_raw(bad).await;
        assert_eq!(screen.ends().await, End::Closed(4100));
    }
    let mut screen = Screen::of(&world, 0, &ann, &[]).await;
    screen.sends_raw(Message::text(r#"{"op":"dance","id":5}"#)).await;
    let error = screen.hears("error").await;
    assert_eq!((&error["code"], &error["id"]), (&json!("unknown_op"), &json!(5)));
    screen.sends_raw(Message::text(padded(4 * 1024))).await;
    assert_eq!(screen.hears("subscribed").await["id"], 1);
    screen.sends_raw(Message::Ping(b"still there?".to_vec().into())).await;
    screen.subscribes(json!({ "me": 0 })).await;
}

#[tokio::test]
async fn pages_of_other_origins_and_other_protocols_are_refused() {
    let world = World::with(1, Keeps::Nothing).await;
    let port = world.services()[0].port;
    for (origin, welcome) in [
        (format!("http://127.0.0.1:{port}"), true),
        ("https://evil.example".to_owned(), false),
        ("null".to_owned(), false),
        (format!("http://127.0.0.1:{port}.evil.example"), false),
    ] {
        let mut screen = Screen::tries(port, &[("Origin", &origin)]).await.unwrap_or_else(|_| panic!("{origin}"));
        screen.sends_raw(Message::text(r#"{"op":"hello"}"#)).await;
        assert_eq!(screen.ends().await, End::Closed(if welcome { 4101 } else { 4103 }), "{origin}");
    }
    let open = Service::with(world.redis(), |settings| {
        settings.allowed_origins = Some("https://app.example".into());
    });
    for (origin, close) in [("https://app.example", 4101), ("https://evil.example", 4103)] {
        let mut screen = Screen::tries(open.port, &[("Origin", origin)]).await.unwrap_or_else(|_| panic!("{origin}"));
        screen.sends_raw(Message::text(r#"{"op":"hello"}"#)).await;
        assert_eq!(screen.ends().await, End::Closed(close), "{origin}");
    }
    for (protocol, status) in [("rollcall.v2", 400), ("graphql-ws, chat", 400)] {
        let refused = Screen::tries(port, &[("Sec-WebSocket-Protocol", protocol)]).await;
        assert_eq!(refused.expect_err(protocol).status(), status);
    }
    assert!(Screen::tries(port, &[("Sec-WebSocket-Protocol", "other, rollcall.v1")]).await.is_ok());
}

#[tokio::test]
async fn a_native_client_may_show_its_token_at_the_door() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let port = world.services()[0].port;
    let token = format!("Bearer {}", ann.token());
    let mut screen = Screen::tries(port, &[("Authorization", &token)]).await.expect("a socket");
    screen.sends(json!({ "op": "hello", "topics": { "me": 0 } })).await;
    screen.hears("welcome").await;
    screen.hears("patch").await;
    let refused = Screen::tries(port, &[("Authorization", "Bearer a.b.c")]).await;
    assert_eq!(refused.expect_err("a refusal").status(), 401);
}
