//! How the service treats those who misbehave: each ends with the close code that the contract gives it.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::screen::{End, Screen};
use crate::support::api::World;
use crate::support::redis::Keeps;
use crate::support::service::{SECRET, Service};
use crate::support::wire::signed;

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
    let told = forger.hears("error").await;
    assert_eq!(
        (&told["code"], &told["detail"]),
        (&json!("unauthenticated"), &json!("This is no signed JSON Web Token."))
    );
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

/// The head of the answer to an upgrade with these lines besides.
async fn upgraded(port: u16, lines: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the service");
    let head = format!(
        "GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("a connection");
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        assert!(stream.read_buf(&mut answer).await.expect("an answer") > 0, "it was closed");
    }
    String::from_utf8_lossy(&answer).to_lowercase()
}

#[tokio::test]
async fn subprotocols_are_one_list_however_many_lines_they_come_in() {
    let world = World::with(1, Keeps::Nothing).await;
    let port = world.services()[0].port;
    let named =
        |lines: &[&str]| lines.iter().map(|line| format!("Sec-WebSocket-Protocol: {line}\r\n")).collect::<String>();
    for good in [
        &["rollcall.v1"][..],
        &["other, rollcall.v1"],
        &["other", "rollcall.v1"],
        &["rollcall.v1", "other"],
        &["a", "b, rollcall.v1", "c"],
        &["", "rollcall.v1"],
    ] {
        let head = upgraded(port, &named(good)).await;
        assert!(
            head.starts_with("http/1.1 101") && head.contains("\r\nsec-websocket-protocol: rollcall.v1\r\n"),
            "{good:?}: {head}"
        );
    }
    for bad in
        [&["other"][..], &["other", "rollcall.v2"], &["rollcall", "v1"], &["ROLLCALL.V1", "other"], &["a, b", "c"]]
    {
        let head = upgraded(port, &named(bad)).await;
        assert!(head.starts_with("http/1.1 400"), "{bad:?}: {head}");
    }
    let silent = upgraded(port, "").await;
    assert!(silent.starts_with("http/1.1 101") && !silent.contains("sec-websocket-protocol"), "{silent}");
}

#[tokio::test]
async fn a_shells_page_may_listen_and_its_likes_may_not() {
    let world = World::with(1, Keeps::Nothing).await;
    let open = Service::with(world.redis(), |settings| {
        settings.allowed_origins =
            Some("https://app.example,capacitor://localhost,tauri://localhost,app://obsidian.md".into());
    });
    for (origin, close) in [
        ("capacitor://localhost", 4101),
        ("tauri://localhost", 4101),
        ("app://obsidian.md", 4101),
        ("https://app.example", 4101),
        ("ionic://localhost", 4103),
        ("capacitor://localhost:8080", 4103),
        ("capacitor://localhost.evil.example", 4103),
        ("http://localhost", 4103),
        ("app://evil.md", 4103),
        (&format!("app://127.0.0.1:{}", open.port), 4103),
    ] {
        let mut screen = Screen::tries(open.port, &[("Origin", origin)]).await.unwrap_or_else(|_| panic!("{origin}"));
        screen.sends_raw(Message::text(r#"{"op":"hello"}"#)).await;
        assert_eq!(screen.ends().await, End::Closed(close), "{origin}");
    }
}

#[tokio::test]
async fn a_renewal_with_a_bad_token_is_told_why_and_the_socket_stays() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let mut screen = Screen::of(&world, 0, &ann, &["me"]).await;
    screen.sends(json!({ "op": "renew", "id": 7, "token": format!("{}x", ann.token()) })).await;
    let told = screen.hears("error").await;
    assert_eq!((&told["id"], &told["code"]), (&json!(7), &json!("unauthenticated")));
    assert_eq!(told["detail"], "The token's signature does not fit the key.");
    screen.sends(json!({ "op": "renew", "id": 8, "token": ann.token() })).await;
    assert_eq!(screen.hears("renewed").await["id"], 8);
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

#[tokio::test]
async fn a_hello_whose_token_is_refused_is_told_why_before_the_close() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let _ann = org.member("ann").await;
    let port = world.services()[0].port;
    let now = chrono::Utc::now().timestamp();
    let of = |changes: serde_json::Value| {
        let mut claims = json!({ "sub": "ann", "org": org.id, "role": "member", "exp": now + 600 });
        changes.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        signed(&claims, SECRET)
    };
    let of_length = |bytes: usize| {
        let empty = of(json!({ "pad": "" })).len();
        let near = (bytes - empty) * 3 / 4;
        let mut padded = (near - 8..=near + 8).map(|pad| of(json!({ "pad": "x".repeat(pad) })));
        padded.find(|token| token.len() == bytes).expect("a token of that length")
    };
    for (token, why) in [
        (of(json!({ "exp": now - 60 })), "The token has expired: it was good until 2"),
        (of(json!({ "nbf": now + 60 })), "The token is not yet valid: it is good from 2"),
        (of(json!({ "sub": 7 })), "The token's claim sub is no id."),
        (of(json!({ "role": "boss" })), "The token's claim role holds no role that is known here."),
        (
            signed(&json!({ "exp": now + 600 }), "another secret, which is as long as it has to be"),
            "The token's signature",
        ),
        (of_length(16 * 1024 + 1), "The token is longer than 16384 bytes."),
    ] {
        let mut screen = Screen::connects(port).await;
        screen.sends(json!({ "op": "hello", "token": token })).await;
        let told = screen.hears("error").await;
        assert_eq!(told["code"], "unauthenticated", "{told}");
        assert!(told["detail"].as_str().unwrap().starts_with(why) && told.get("id").is_none(), "{told}");
        assert_eq!(screen.ends().await, End::Closed(4101), "{why}");
    }
    let mut screen = Screen::connects(port).await;
    screen.sends(json!({ "op": "hello", "token": of_length(16 * 1024), "topics": { "me": 0 } })).await;
    screen.hears("welcome").await;
}
