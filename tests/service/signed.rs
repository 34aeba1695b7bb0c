//! Tokens as an operator meets them: settings for a provider's claims, and what is told of a token that is refused.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{Service, rollcall};

const SECRET: &str = "a secret that is long enough for HS256 to be of use";

/// Without Redis: who asks is known all the same.
fn serving(settings: &[(&str, &str)]) -> (Service, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = rollcall();
    command.args(["serve", "--redis-url", "redis://127.0.0.1:1", "--data-dir"]).arg(dir.path());
    command.env("ROLLCALL_JWT_SECRET", SECRET).envs(settings.iter().copied());
    (Service::with(&mut command), dir)
}

fn now_s() -> i64 {
    chrono::Utc::now().timestamp()
}

fn signed(claims: &Value) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

/// Whether a call with these claims gets past the token: then it is Redis that is missed.
fn is_believed(service: &Service, claims: &Value) -> bool {
    let answer = service.get_as("/v1/clubs", &signed(claims));
    assert!(answer.starts_with("HTTP/1.1 503") || answer.starts_with("HTTP/1.1 401"), "{answer}");
    answer.starts_with("HTTP/1.1 503")
}

#[test]
fn the_settings_say_where_a_token_carries_what_is_needed() {
    let (service, _dir) = serving(&[
        ("ROLLCALL_JWT_SUB_CLAIM", "person.number"),
        ("ROLLCALL_JWT_ORG_CLAIM", r"https://gym\.example/org"),
        ("ROLLCALL_JWT_ROLE_CLAIM", "realm_access.roles"),
        ("ROLLCALL_JWT_ROLES", "frontdesk=staff,gym-admin=admin"),
        ("ROLLCALL_JWT_ORG", "gym"),
        ("ROLLCALL_JWT_AUDIENCE", "rollcall"),
    ]);
    let whole = json!({
        "person": { "number": "m-1" }, "https://gym.example/org": "nord", "realm_access": { "roles": ["x", "frontdesk"] },
        "client_id": "rollcall", "exp": now_s() + 60,
    });
    let but = |name: &str, value: Value| {
        let mut claims = whole.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = whole.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    assert!(is_believed(&service, &whole));
    assert!(is_believed(&service, &without("https://gym.example/org")), "the organisation of all");
    assert!(is_believed(&service, &but("aud", json!(["other", "rollcall"]))));
    for (off, why) in [
        (without("person"), "claim person.number is missing"),
        (but("person", json!({ "number": 7 })), "claim person.number is no id"),
        (but("https://gym.example/org", json!("no org")), r"claim https://gym\.example/org is no id"),
        (without("realm_access"), "claim realm_access.roles is missing"),
        (but("realm_access", json!({ "roles": ["staff"] })), "claim realm_access.roles holds no role"),
        (without("client_id"), "claim aud is missing"),
        (but("client_id", json!("other")), "wrong audience: its client_id is other"),
    ] {
        assert!(!is_believed(&service, &off), "{off}");
        service.waits_for(why);
    }
}

#[test]
fn a_refused_token_is_told_and_logged_with_its_reason_and_never_the_token() {
    let (service, _dir) = serving(&[]);
    let claims = |changes: Value| {
        let mut claims = json!({ "sub": "ann@example.com", "org": "gym", "role": "member", "exp": now_s() + 60 });
        changes.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        signed(&claims)
    };
    let other = EncodingKey::from_secret(b"another secret, which is as long as the first one");
    let forged = encode(&Header::default(), &json!({ "exp": now_s() + 60 }), &other).unwrap();
    for (token, why) in [
        (claims(json!({ "exp": now_s() - 60 })), "The token has expired: it was good until 2"),
        (claims(json!({ "nbf": now_s() + 60 })), "The token is not yet valid: it is good from 2"),
        (claims(json!({ "org": "" })), "The token's claim org is no id."),
        (claims(json!({ "role": "boss" })), "The token's claim role holds no role that is known here."),
        (forged, "The token's signature does not fit the key."),
        ("x".repeat(16 * 1024), "This is no signed JSON Web Token."),
        ("x".repeat(16 * 1024 + 1), "The token is longer than 16384 bytes."),
    ] {
        let answer = service.get_as("/v1/clubs", &token);
        let head = answer.to_lowercase();
        let told =
            format!("www-authenticate: bearer error=\"invalid_token\", error_description=\"{}", why.to_lowercase());
        assert!(answer.starts_with("HTTP/1.1 401") && head.contains(&told), "{why}: {answer}");
        assert!(answer.contains(&format!("\"detail\":\"{why}")), "{why}: {answer}");
        let line = service.waits_for("a token was refused");
        assert!(line.contains(why) && line.contains("INFO"), "{line}");
        for secret in [token.as_str(), &token[token.len() - 40..], "ann@example.com"] {
            assert!(!line.contains(secret), "{line}");
        }
        let next = service.waits_for("");
        assert!(next.contains("was answered 401") && !next.contains(&token[..40]), "one line, then the call's: {next}");
    }
    let silent = service.get("/v1/clubs");
    assert!(silent.to_lowercase().contains("www-authenticate: bearer\r\n"), "{silent}");
    assert!(service.waits_for("").contains("was answered 401"), "no token, no reason");
}
