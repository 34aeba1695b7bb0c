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
    let certificate = rcgen::generate_simple_self_signed(["gym.example".to_owned()]).unwrap().cert.pem();
    for (pem, told) in [
        ("", "not the PEM of an Ed25519, P-256 or RSA public key"),
        ("ssh-ed25519 AAAA", "not the PEM of an Ed25519, P-256 or RSA public key"),
        (keys::P384, "not the PEM of an Ed25519, P-256 or RSA public key"),
        (keys::RSA_1024, "RSA key of 1024 bits; at least 2048 bits"),
        (include_str!("keys/rsa_2047.pub.pem"), "RSA key of 2047 bits"),
        (include_str!("keys/rsa.pem"), "private key"),
        (include_str!("keys/ed25519.pem"), "private key"),
        (&certificate, "certificate"),
    ] {
        let error = start(KeySource::PublicKey(pem.to_owned())).await.unwrap().to_string();
        assert!(error.contains(told), "{pem}: {error}");
    }
    for text in ["", "{}", "[]", r#"{"keys":{}}"#] {
        assert!(matches!(start(KeySource::Jwks(text.to_owned())).await, Some(KeyError::NotAKeySet(_))), "{text}");
    }
    for url in ["", "keys.json", "file:///etc/keys", "ftp://id.example/keys"] {
        assert!(matches!(start(KeySource::JwksUrl(url.to_owned())).await, Some(KeyError::NotAUrl)), "{url}");
    }
}

#[actix_web::test]
async fn a_set_in_which_nothing_is_usable_names_each_key_and_its_reason() {
    let start = async |keys: &[Value]| Auth::start(checked_by(KeySource::Jwks(set(keys)))).await.err().unwrap();
    let (ed, ec, rsa) =
        (eddsa("ed"), public(&keys::p256(), Algorithm::ES256, "ec"), public(&keys::rsa(), Algorithm::RS256, "rsa"));
    let table = [
        (json!({ "kty": "oct", "k": "AAAA" }), "key 1 is a secret (kty oct), which no set may hold"),
        (json!({ "kty": "unheard-of", "kid": "new" }), "key 1 (kid new) is of another kind (kty unheard-of)"),
        (json!({ "kid": "x" }), "key 1 (kid x) has no kty"),
        (json!("key"), "key 1 has no kty"),
        (but(ed.clone(), json!({ "x": base64url(&[1; 31]) })), "key 1 (kid ed) has not the length of an Ed25519 key"),
        (but(ed.clone(), json!({ "x": "&" })), "key 1 (kid ed) cannot be read: a part of it is not base64url"),
        (but(ed.clone(), json!({ "x": null })), "key 1 (kid ed) has no x"),
        (but(ed.clone(), json!({ "crv": "Ed448" })), "key 1 (kid ed) is on another curve (crv Ed448)"),
        (but(ed.clone(), json!({ "crv": null })), "key 1 (kid ed) is on another curve (crv is missing)"),
        (but(ed.clone(), json!({ "alg": "ES256" })), "key 1 (kid ed) is for another algorithm (alg ES256, not EdDSA)"),
        (but(ed.clone(), json!({ "alg": "Ed448" })), "key 1 (kid ed) is for another algorithm (alg Ed448, not EdDSA)"),
        (but(ed.clone(), json!({ "alg": 1 })), "key 1 (kid ed) has a value of alg that is no text"),
        (but(ed.clone(), json!({ "kid": 7 })), "key 1 has a value of kid that is no text"),
        (but(ed.clone(), json!({ "use": "enc" })), "key 1 (kid ed) is not for signatures (use enc)"),
        (but(ed.clone(), json!({ "use": "tls" })), "key 1 (kid ed) is not for signatures (use tls)"),
        (but(ed.clone(), json!({ "key_ops": ["sign"] })), "key 1 (kid ed) is not for verifying (key_ops)"),
        (but(ed, json!({ "key_ops": "verify" })), "key 1 (kid ed) is not for verifying (key_ops)"),
        (but(ec.clone(), json!({ "crv": "P-384" })), "key 1 (kid ec) is on another curve (crv P-384)"),
        (but(ec, json!({ "y": base64url(&[1; 31]) })), "key 1 (kid ec) has not the length of a P-256 key"),
        (
            but(rsa.clone(), json!({ "alg": "RSA-OAEP" })),
            "key 1 (kid rsa) is for another algorithm (alg RSA-OAEP, not RS256)",
        ),
        (
            but(rsa.clone(), json!({ "alg": "PS256" })),
            "key 1 (kid rsa) is for another algorithm (alg PS256, not RS256)",
        ),
        (
            but(rsa.clone(), json!({ "n": base64url(&[0xc1; 255]) })),
            "key 1 (kid rsa) is too short (RSA of 2040 bits, not 2048)",
        ),
        (
            but(rsa.clone(), json!({ "n": base64url(&[&[0x7f][..], &[0xc1; 255]].concat()) })),
            "key 1 (kid rsa) is too short (RSA of 2047 bits, not 2048)",
        ),
        (but(rsa, json!({ "n": base64url(&[&[0; 2][..], &[0xc1; 255]].concat()) })), "key 1 (kid rsa) is too short"),
    ];
    for (key, told) in table {
        let error = start(std::slice::from_ref(&key)).await.to_string();
        assert!(matches!(start(std::slice::from_ref(&key)).await, KeyError::NoUsableKey(_)), "{key}");
        assert!(error.contains(told), "{key}: {error}");
    }
    let wrong = |kid: String| json!({ "kty": "oct", "kid": kid });
    let both = start(&[wrong("one".to_owned()), wrong("a\nb".repeat(100))]).await.to_string();
    assert!(both.contains("key 1 (kid one) is a secret") && both.contains("; key 2 (kid a\\nb"), "{both}");
    assert!(!both.contains('\n') && both.len() < 500, "{both}");
    assert!(start(&[]).await.to_string().ends_with("it is empty"));
    let many: Vec<Value> = (0..40).map(|kid| wrong(kid.to_string())).collect();
    let many = start(&many).await.to_string();
    assert!(many.contains("key 32 (kid 31)") && many.ends_with("; and 8 more"), "{many}");
}

#[actix_web::test]
async fn keys_are_taken_as_libraries_write_them() {
    let rsa = |changes: Value| but(public(&keys::rsa(), Algorithm::RS256, "k"), changes);
    let (ed, ec) = (|changes: Value| but(eddsa("k"), changes), public(&keys::p256(), Algorithm::ES256, "k"));
    let n = rsa(json!({}))["n"].as_str().unwrap().to_owned();
    // Four characters of base64 are three octets of zero.
    let padded = format!("AAAA{n}");
    let mut nulls = rsa(json!({}));
    ["alg", "use", "key_ops", "crv", "x5u"].iter().for_each(|name| nulls[*name] = Value::Null);
    for (key, algorithm, alg) in [
        (ed(json!({ "alg": "Ed25519" })), Algorithm::EdDSA, "EdDSA"),
        (ed(json!({ "alg": "Ed25519" })), Algorithm::EdDSA, "Ed25519"),
        (ed(json!({ "alg": "EdDSA" })), Algorithm::EdDSA, "Ed25519"),
        (ed(json!({ "alg": null, "use": null })), Algorithm::EdDSA, "EdDSA"),
        (ed(json!({ "kid": null })), Algorithm::EdDSA, "EdDSA"),
        (ed(json!({ "key_ops": ["sign", "verify"], "use": null })), Algorithm::EdDSA, "EdDSA"),
        (rsa(json!({ "alg": null })), Algorithm::RS256, "RS256"),
        (nulls, Algorithm::RS256, "RS256"),
        (rsa(json!({ "n": padded })), Algorithm::RS256, "RS256"),
        (rsa(json!({ "n": padded, "e": "AAEAAQ" })), Algorithm::RS256, "RS256"),
        (rsa(json!({ "x5c": ["MIIC"], "x5t": "c29t", "ext": true })), Algorithm::RS256, "RS256"),
        (but(ec, json!({ "alg": null })), Algorithm::ES256, "ES256"),
    ] {
        let rig = Rig::checking(checked_by(KeySource::Jwks(set(std::slice::from_ref(&key))))).await;
        let signer = match algorithm {
            Algorithm::EdDSA => keys::ed25519(),
            Algorithm::ES256 => keys::p256(),
            _ => keys::rsa(),
        };
        let token = signed(&json!({ "alg": alg, "kid": "k" }), &claims("staff"), &signer, algorithm);
        assert_eq!(status(&rig, &token).await, 200, "{alg} with {key}");
        let other = if alg == "RS256" { "ES256" } else { "RS256" };
        let relabelled = signed(&json!({ "alg": other, "kid": "k" }), &claims("staff"), &signer, algorithm);
        assert_eq!(status(&rig, &relabelled).await, 401, "{other} with {key}");
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

#[actix_web::test]
async fn a_key_that_was_replaced_under_its_name_is_noticed_at_once() {
    let server =
        KeyServer::start(ok(&set(&[but(public(&keys::rsa(), Algorithm::RS256, "a"), json!({ "alg": null }))]))).await;
    let rig = server.rig().await;
    let old = with_kid(json!("a"), Algorithm::RS256, &keys::rsa());
    let new = with_kid(json!("a"), Algorithm::EdDSA, &keys::ed25519());
    assert_eq!(status(&rig, &old).await, 200);
    server.answers(ok(&set(&[eddsa("a")])));
    assert_eq!(status(&rig, &new).await, 200);
    assert_eq!(server.fetched(), 2);
    for _ in 0..5 {
        let answer = rig.get(STAFF, &old).await;
        assert_eq!(answer.json()["detail"], "The token's algorithm (alg) is not that of a known key.");
    }
    assert_eq!(server.fetched(), 2, "not again for ten seconds");
    assert_eq!(status(&rig, &new).await, 200);
}

#[actix_web::test]
async fn a_made_up_name_does_not_hide_the_next_rotation() {
    let server = KeyServer::start(ok(&set(&[eddsa("one")]))).await;
    let rig = server.rig().await;
    for _ in 0..5 {
        let answer = rig.get(STAFF, &named("made up")).await;
        assert_eq!(answer.json()["detail"], "The token names an unknown key (kid).");
    }
    assert_eq!(server.fetched(), 2);
    server.answers(ok(&set(&[eddsa("two")])));
    assert_eq!(status(&rig, &named("two")).await, 200);
    assert_eq!(status(&rig, &named("one")).await, 401, "what was withdrawn is no longer believed");
    assert_eq!(server.fetched(), 3);
}
