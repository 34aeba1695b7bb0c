//! JWK sets, from a file and from behind an address.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use rollcall::http::tokens::Auth;
use rollcall::http::{KeyError, KeySource};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::rig::{Rig, SECRET, base64url, but, checked_by, claims, keys, signed, token};

const STAFF: &str = "/v1/test/staff";

fn public(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Value {
    let jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    but(jwk, json!({ "kid": kid, "use": "sig" }))
}

fn eddsa(kid: &str) -> Value {
    public(&keys::ed25519(), Algorithm::EdDSA, kid)
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn with_kid(kid: Value, algorithm: Algorithm, key: &EncodingKey) -> String {
    signed(&but(json!({ "alg": format!("{algorithm:?}") }), json!({ "kid": kid })), &claims("staff"), key, algorithm)
}

async fn status(rig: &Rig, token: &str) -> u16 {
    rig.get(STAFF, token).await.status
}

#[actix_web::test]
async fn the_key_a_token_names_must_have_signed_it() {
    let keys_of_set = [
        json!({ "kty": "oct", "kid": "oct", "k": base64url(SECRET) }),
        json!({ "kty": "unheard-of", "kid": "new" }),
        eddsa("ed"),
        public(&keys::p256(), Algorithm::ES256, "ec"),
        public(&keys::rsa(), Algorithm::RS256, "rsa"),
        but(public(&keys::rsa(), Algorithm::RS256, "enc"), json!({ "use": "enc" })),
        but(public(&keys::rsa(), Algorithm::RS256, "512"), json!({ "alg": "RS512" })),
    ];
    let rig = Rig::checking(checked_by(KeySource::Jwks(set(&keys_of_set)))).await;
    let (ed, ec, rsa) = (keys::ed25519(), keys::p256(), keys::rsa());
    for (kid, algorithm, key, expected) in [
        (json!("ed"), Algorithm::EdDSA, &ed, 200),
        (json!("ec"), Algorithm::ES256, &ec, 200),
        (json!("rsa"), Algorithm::RS256, &rsa, 200),
        (json!(null), Algorithm::RS256, &rsa, 200),
        (json!("ec"), Algorithm::EdDSA, &ed, 401),
        (json!("rsa"), Algorithm::RS512, &rsa, 401),
        (json!("512"), Algorithm::RS512, &rsa, 401),
        (json!("512"), Algorithm::RS256, &rsa, 401),
        (json!("enc"), Algorithm::RS256, &rsa, 401),
        (json!("other"), Algorithm::EdDSA, &ed, 401),
        (json!("../ed"), Algorithm::EdDSA, &ed, 401),
    ] {
        let token = with_kid(kid.clone(), algorithm, key);
        assert_eq!(status(&rig, &token).await, expected, "{kid} {algorithm:?}");
    }
    for kid in [json!("oct"), json!(null)] {
        let shared = with_kid(kid, Algorithm::HS256, &EncodingKey::from_secret(SECRET));
        assert_eq!(status(&rig, &shared).await, 401, "a symmetric key in a public set is no key");
    }
    assert_eq!(status(&rig, &token("staff")).await, 401);
}

#[actix_web::test]
async fn what_holds_no_usable_key_stops_the_start() {
    let start = async |keys: KeySource| Auth::start(checked_by(keys)).await.err();
    assert!(matches!(start(KeySource::Secret(Vec::new())).await, Some(KeyError::EmptySecret)));
    for pem in ["", "ssh-ed25519 AAAA", keys::P384] {
        assert!(matches!(start(KeySource::PublicKey(pem.to_owned())).await, Some(KeyError::NotAPublicKey)), "{pem}");
    }
    for pem in [include_str!("keys/rsa.pem"), include_str!("keys/p256.pem"), include_str!("keys/ed25519.pem")] {
        assert!(matches!(start(KeySource::PublicKey(pem.to_owned())).await, Some(KeyError::PrivateKey)), "{pem}");
    }
    let certificate = KeySource::PublicKey(include_str!("keys/rsa.cert.pem").to_owned());
    assert!(matches!(start(certificate).await, Some(KeyError::Certificate)));
    assert!(start(KeySource::PublicKey(keys::RSA.to_owned())).await.is_none(), "2048 bits are enough");
    let small = KeySource::PublicKey(include_str!("keys/rsa_2047.pub.pem").to_owned());
    assert!(matches!(start(small).await, Some(KeyError::SmallRsa(2047))));
    for text in ["", "{}", "[]", r#"{"keys":{}}"#] {
        assert!(matches!(start(KeySource::Jwks(text.to_owned())).await, Some(KeyError::NotAKeySet(_))), "{text}");
    }
    let short = but(eddsa("x"), json!({ "x": base64url(&[1; 31]) }));
    let small = but(public(&keys::rsa(), Algorithm::RS256, "small"), json!({ "n": base64url(&[0x7f; 256]) }));
    for keys in [vec![], vec![json!({ "kty": "oct", "k": "AAAA" })], vec![short], vec![small]] {
        assert!(matches!(start(KeySource::Jwks(set(&keys))).await, Some(KeyError::NoUsableKey)));
    }
    for url in ["", "keys.json", "file:///etc/keys", "ftp://id.example/keys"] {
        assert!(matches!(start(KeySource::JwksUrl(url.to_owned())).await, Some(KeyError::NotAUrl)), "{url}");
    }
}

/// A server of one document that counts how often it was fetched.
struct KeyServer {
    url: String,
    answer: Arc<Mutex<String>>,
    fetched: Arc<AtomicUsize>,
}

impl KeyServer {
    async fn start(answer: String) -> KeyServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let server = KeyServer { url, answer: Arc::new(Mutex::new(answer)), fetched: Arc::default() };
        let (answer, fetched) = (Arc::clone(&server.answer), Arc::clone(&server.fetched));
        actix_web::rt::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 4096];
                let _ = stream.read(&mut asked).await;
                fetched.fetch_add(1, Ordering::SeqCst);
                let answer = answer.lock().unwrap().clone();
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        server
    }

    fn answers(&self, answer: String) {
        *self.answer.lock().unwrap() = answer;
    }

    fn fetched(&self) -> usize {
        self.fetched.load(Ordering::SeqCst)
    }

    async fn rig(&self) -> Rig {
        Rig::checking(checked_by(KeySource::JwksUrl(self.url.clone()))).await
    }
}

fn ok(document: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{document}", document.len())
}

fn named(kid: &str) -> String {
    with_kid(json!(kid), Algorithm::EdDSA, &keys::ed25519())
}

#[actix_web::test]
async fn an_unknown_kid_refreshes_the_set_once_and_then_not_for_a_while() {
    let server = KeyServer::start(ok(&set(&[eddsa("one")]))).await;
    let rig = server.rig().await;
    for _ in 0..3 {
        assert_eq!(status(&rig, &named("one")).await, 200);
    }
    assert_eq!(server.fetched(), 1, "known keys are not asked for again");
    server.answers(ok(&set(&[eddsa("one"), eddsa("two")])));
    assert_eq!(status(&rig, &named("two")).await, 200, "a rotated key is found");
    for kid in ["three", "four", "five"] {
        assert_eq!(status(&rig, &named(kid)).await, 401);
    }
    assert_eq!(server.fetched(), 2);
    assert_eq!(status(&rig, &token("staff")).await, 401, "no kid: no fetch, and no HS256");
    assert_eq!(server.fetched(), 2);
}

#[actix_web::test]
async fn a_failed_refresh_keeps_the_last_keys() {
    let huge = ok(&format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(300 * 1024)));
    let elsewhere = KeyServer::start(ok(&set(&[eddsa("two")]))).await;
    let redirect =
        format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", elsewhere.url);
    let failing = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned();
    for broken in [huge, redirect, failing, ok("not JSON"), ok(&set(&[])), String::new()] {
        let server = KeyServer::start(ok(&set(&[eddsa("one")]))).await;
        let rig = server.rig().await;
        server.answers(broken.clone());
        assert_eq!(status(&rig, &named("two")).await, 401);
        assert!(server.fetched() >= 2, "{}", &broken[..broken.len().min(40)]);
        assert_eq!(status(&rig, &named("one")).await, 200);
    }
    assert_eq!(elsewhere.fetched(), 0, "redirects are not followed");
}

#[actix_web::test]
async fn waiting_calls_share_one_refresh() {
    let server = KeyServer::start(ok(&set(&[eddsa("one")]))).await;
    let rig = server.rig().await;
    server.answers(ok(&set(&[eddsa("two")])));
    let calls = (0..20).map(|_| {
        let rig = rig.clone();
        async move { status(&rig, &named("two")).await }
    });
    assert_eq!(futures_util::future::join_all(calls).await, [200; 20]);
    assert_eq!(server.fetched(), 2);
}

#[actix_web::test]
async fn before_any_keys_were_obtained_nobody_is_judged() {
    let server = KeyServer::start(String::new()).await;
    let rig = server.rig().await;
    let answer = rig.get(STAFF, &named("one")).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"));
    assert_eq!(rig.get(STAFF, "nothing").await.status, 401, "what is no token needs no keys");
}
