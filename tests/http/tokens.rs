//! Tokens that must not be believed, on several routes, and those that must.

use std::net::TcpListener;

use jsonwebtoken::{Algorithm, EncodingKey};
use rollcall::http::tokens::TOKEN_BYTES_MAX;
use rollcall::http::{AuthSettings, KeySource};
use serde_json::{Value, json};

use super::rig::{
    Answer, Rig, SECRET, base64url, bearing, but, checked_by, claims, hs256, keys, now_s, signed, signed_text, token,
};
use actix_web::test::TestRequest;

const ROUTES: [&str; 3] = ["/v1/test/anyone", "/v1/test/staff", "/v1/test/authenticated"];

fn secret() -> EncodingKey {
    EncodingKey::from_secret(SECRET)
}

fn with_header(changes: Value) -> String {
    signed(&but(json!({ "alg": "HS256", "typ": "JWT" }), changes), &claims("staff"), &secret(), Algorithm::HS256)
}

fn with_claims(changes: Value) -> String {
    hs256(&but(claims("staff"), changes))
}

fn with_claims_text(text: &str) -> String {
    signed_text(r#"{"alg":"HS256"}"#, text, &secret(), Algorithm::HS256)
}

fn unsigned(alg: &str) -> String {
    format!(
        "{}.{}.",
        base64url(json!({ "alg": alg }).to_string().as_bytes()),
        base64url(claims("staff").to_string().as_bytes())
    )
}

/// A token with one character of its part changed.
fn bent(part: usize) -> String {
    let mut parts: Vec<String> = token("staff").split('.').map(str::to_owned).collect();
    let last = parts[part].pop().unwrap();
    parts[part].push(if last == 'A' { 'Q' } else { 'A' });
    parts.join(".")
}

fn bad_shapes() -> Vec<(&'static str, String)> {
    let good = token("staff");
    let parts: Vec<&str> = good.split('.').collect();
    vec![
        ("a word", "token".to_owned()),
        ("dots", "..".to_owned()),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("four parts", format!("{good}.x")),
        ("five parts", format!("{good}.x.y")),
        ("padding", format!("{good}=")),
        ("standard base64", format!("{}+.{}.{}", parts[0], parts[1], parts[2])),
        ("not base64", format!("{}.{}.{}", parts[0], "%%%%", parts[2])),
        ("header bent", bent(0)),
        ("claims bent", bent(1)),
        ("signature bent", bent(2)),
        ("quoted", format!("\"{good}\"")),
        ("two tokens", format!("{good} {good}")),
        ("claims of another", format!("{}.{}.{}", parts[0], token("admin").split('.').nth(1).unwrap(), parts[2])),
    ]
}

fn bad_headers() -> Vec<(&'static str, String)> {
    let own_jwk = json!({ "kty": "oct", "k": base64url(b"mine") });
    let mine = EncodingKey::from_secret(b"mine");
    let hs256_with = |header: Value| signed(&header, &claims("staff"), &mine, Algorithm::HS256);
    vec![
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("alg nOnE", unsigned("nOnE")),
        ("alg empty", unsigned("")),
        ("alg none over a good signature", with_header(json!({ "alg": "none" }))),
        ("no alg", with_header(json!({ "alg": null }))),
        ("alg in lower case", with_header(json!({ "alg": "hs256" }))),
        ("alg a list", with_header(json!({ "alg": ["HS256"] }))),
        ("HS384", signed(&json!({ "alg": "HS384" }), &claims("staff"), &secret(), Algorithm::HS384)),
        ("HS512", signed(&json!({ "alg": "HS512" }), &claims("staff"), &secret(), Algorithm::HS512)),
        ("another secret", signed(&json!({ "alg": "HS256" }), &claims("staff"), &mine, Algorithm::HS256)),
        (
            "empty secret",
            signed(&json!({ "alg": "HS256" }), &claims("staff"), &EncodingKey::from_secret(b""), Algorithm::HS256),
        ),
        ("EdDSA", signed(&json!({ "alg": "EdDSA" }), &claims("staff"), &keys::ed25519(), Algorithm::EdDSA)),
        ("RS256", signed(&json!({ "alg": "RS256" }), &claims("staff"), &keys::rsa(), Algorithm::RS256)),
        ("embedded jwk", hs256_with(json!({ "alg": "HS256", "jwk": own_jwk }))),
        ("embedded jwk, well signed", with_header(json!({ "jwk": own_jwk }))),
        ("x5c, well signed", with_header(json!({ "x5c": ["MIIB"] }))),
        ("unknown crit", with_header(json!({ "crit": ["exp2"], "exp2": 1 }))),
        ("b64 crit", with_header(json!({ "crit": ["b64"], "b64": false }))),
        ("empty crit", with_header(json!({ "crit": [] }))),
        ("crit a word", with_header(json!({ "crit": "exp" }))),
        ("kid a path", hs256_with(json!({ "alg": "HS256", "kid": "../../dev/null" }))),
        ("kid an injection", hs256_with(json!({ "alg": "HS256", "kid": "' UNION SELECT 'mine" }))),
        ("kid a number", with_header(json!({ "kid": 1 }))),
        ("a refresh token", with_header(json!({ "typ": "refresh+jwt" }))),
        ("a logout token", with_header(json!({ "typ": "logout+jwt" }))),
        ("an encrypted token", with_header(json!({ "enc": "A128GCM" }))),
        ("compressed", with_header(json!({ "zip": "DEF" }))),
        (
            "header twice the alg",
            signed_text(r#"{"alg":"HS256","alg":"none"}"#, &claims("staff").to_string(), &secret(), Algorithm::HS256),
        ),
        ("header a list", signed_text("[]", &claims("staff").to_string(), &secret(), Algorithm::HS256)),
    ]
}

fn bad_claims() -> Vec<(&'static str, String)> {
    let exp = now_s() + 3600;
    vec![
        ("expired", with_claims(json!({ "exp": now_s() - 7 }))),
        ("expired long ago", with_claims(json!({ "exp": 1 }))),
        ("no exp", with_claims(json!({ "exp": null }))),
        ("exp a text", with_claims(json!({ "exp": exp.to_string() }))),
        ("exp negative", with_claims(json!({ "exp": -1 }))),
        (
            "exp beyond numbers",
            with_claims_text(&format!(r#"{{"sub":"ann","org":"nord","role":"staff","exp":{}}}"#, "9".repeat(400))),
        ),
        ("exp a list", with_claims(json!({ "exp": [exp] }))),
        ("nbf ahead", with_claims(json!({ "nbf": now_s() + 60 }))),
        ("nbf a text", with_claims(json!({ "nbf": "now" }))),
        ("no sub", with_claims(json!({ "sub": null }))),
        ("sub a number", with_claims(json!({ "sub": 7 }))),
        ("sub empty", with_claims(json!({ "sub": "" }))),
        ("sub with a blank", with_claims(json!({ "sub": "ann b" }))),
        ("no org", with_claims(json!({ "org": null }))),
        ("org empty", with_claims(json!({ "org": "" }))),
        ("org with a brace", with_claims(json!({ "org": "no}rd" }))),
        ("org a list", with_claims(json!({ "org": ["nord"] }))),
        ("no role", with_claims(json!({ "role": null }))),
        ("unknown role", with_claims(json!({ "role": "owner" }))),
        ("role in upper case", with_claims(json!({ "role": "Staff" }))),
        ("role a number", with_claims(json!({ "role": 1 }))),
        ("a list of none", with_claims(json!({ "role": ["Staff", 1, ["staff"]] }))),
        (
            "role twice",
            with_claims_text(&format!(r#"{{"sub":"ann","org":"nord","role":"staff","role":"admin","exp":{exp}}}"#)),
        ),
        ("exp twice", with_claims_text(&format!(r#"{{"sub":"ann","org":"nord","role":"staff","exp":1,"exp":{exp}}}"#))),
        (
            "nbf twice",
            with_claims_text(&format!(r#"{{"sub":"ann","org":"nord","role":"staff","nbf":1,"nbf":2,"exp":{exp}}}"#)),
        ),
        ("claims a list", with_claims_text("[]")),
        ("claims not JSON", with_claims_text("sub=ann")),
        ("trailing text", with_claims_text(&format!("{} x", claims("staff")))),
    ]
}

/// What the bearer of each is told.
const REASONS: [(&str, &str); 74] = [
    ("a word", "This is no signed JSON Web Token."),
    ("dots", "This is no signed JSON Web Token."),
    ("two parts", "This is no signed JSON Web Token."),
    ("four parts", "This is no signed JSON Web Token."),
    ("five parts", "This is no signed JSON Web Token."),
    ("standard base64", "This is no signed JSON Web Token."),
    ("header bent", "This is no signed JSON Web Token."),
    ("quoted", "This is no signed JSON Web Token."),
    ("two tokens", "This is no signed JSON Web Token."),
    ("no alg", "This is no signed JSON Web Token."),
    ("alg a list", "This is no signed JSON Web Token."),
    ("kid a number", "This is no signed JSON Web Token."),
    ("header twice the alg", "This is no signed JSON Web Token."),
    ("header a list", "This is no signed JSON Web Token."),
    ("no signature", "The token's signature does not fit the key."),
    ("padding", "The token's signature does not fit the key."),
    ("not base64", "The token's signature does not fit the key."),
    ("claims bent", "The token's signature does not fit the key."),
    ("signature bent", "The token's signature does not fit the key."),
    ("claims of another", "The token's signature does not fit the key."),
    ("another secret", "The token's signature does not fit the key."),
    ("empty secret", "The token's signature does not fit the key."),
    ("kid a path", "The token's signature does not fit the key."),
    ("kid an injection", "The token's signature does not fit the key."),
    ("alg none", "The token's algorithm (alg) is not that of a known key."),
    ("alg None", "The token's algorithm (alg) is not that of a known key."),
    ("alg nOnE", "The token's algorithm (alg) is not that of a known key."),
    ("alg empty", "The token's algorithm (alg) is not that of a known key."),
    ("alg none over a good signature", "The token's algorithm (alg) is not that of a known key."),
    ("alg in lower case", "The token's algorithm (alg) is not that of a known key."),
    ("HS384", "The token's algorithm (alg) is not that of a known key."),
    ("HS512", "The token's algorithm (alg) is not that of a known key."),
    ("EdDSA", "The token's algorithm (alg) is not that of a known key."),
    ("RS256", "The token's algorithm (alg) is not that of a known key."),
    ("embedded jwk", "header has jwk"),
    ("embedded jwk, well signed", "header has jwk"),
    ("x5c, well signed", "header has x5c"),
    ("unknown crit", "header has crit"),
    ("b64 crit", "header has crit"),
    ("empty crit", "header has crit"),
    ("crit a word", "header has crit"),
    ("a refresh token", "of a type (typ)"),
    ("a logout token", "of a type (typ)"),
    ("an encrypted token", "header has enc"),
    ("compressed", "header has zip"),
    ("expired", "has expired: it was good until "),
    ("expired long ago", "has expired: it was good until "),
    ("exp negative", "has expired: it was good until "),
    ("no exp", "claim exp is missing"),
    ("exp a text", "claim exp is no time"),
    ("exp a list", "claim exp is no time"),
    ("nbf ahead", "not yet valid"),
    ("nbf a text", "claim nbf is no time"),
    ("no sub", "claim sub is missing"),
    ("sub a number", "claim sub is no id"),
    ("sub empty", "claim sub is no id"),
    ("sub with a blank", "claim sub is no id"),
    ("no org", "claim org is missing"),
    ("org empty", "claim org is no id"),
    ("org with a brace", "claim org is no id"),
    ("org a list", "claim org is no id"),
    ("no role", "claim role is missing"),
    ("unknown role", "claim role holds no role that is known here"),
    ("role in upper case", "claim role holds no role that is known here"),
    ("a list of none", "claim role holds no role that is known here"),
    ("role a number", "claim role holds no role that is known here"),
    ("exp beyond numbers", "claims are no JSON object"),
    ("role twice", "claims are no JSON object"),
    ("exp twice", "claims are no JSON object"),
    ("nbf twice", "claims are no JSON object"),
    ("claims a list", "claims are no JSON object"),
    ("claims not JSON", "claims are no JSON object"),
    ("trailing text", "claims are no JSON object"),
    ("claims twice as deep", "claims are no JSON object"),
];

/// A 401 with a reason, the same in both places.
fn assert_refused(name: &str, answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{name}: {}", answer.text);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    let header = format!("Bearer error=\"invalid_token\", error_description=\"{detail}\"");
    assert_eq!(answer.header("www-authenticate"), header, "{name}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");
}

/// A 401 because no token came.
fn assert_asked_for_one(name: &str, answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{name}: {}", answer.text);
    assert_eq!(answer.header("www-authenticate"), "Bearer", "{name}");
    assert_eq!(answer.json()["detail"], "Send a valid token as \"Authorization: Bearer …\".", "{name}");
}

#[actix_web::test]
async fn a_bad_token_is_refused_and_told_why() {
    let rig = Rig::new().await;
    let table = [bad_shapes(), bad_headers(), bad_claims()].concat();
    assert!(table.len() >= 40);
    for (name, token) in table {
        let (_, why) = REASONS.iter().find(|(bad, _)| *bad == name).unwrap_or_else(|| panic!("no reason for {name}"));
        for route in ROUTES {
            let answer = rig.get(route, &token).await;
            assert_refused(name, &answer);
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(why), "{name}: {detail}");
            assert!(token.len() < 20 || !answer.text.contains(&token), "{name}");
        }
    }
}

#[actix_web::test]
async fn a_token_cannot_make_us_fetch_anything() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    for rig in [Rig::new().await, Rig::checking(checked_by(KeySource::PublicKey(keys::ED25519.to_owned()))).await] {
        for name in ["jku", "x5u"] {
            let header = json!({ "alg": "HS256", name: url });
            assert_refused(name, &rig.get(ROUTES[0], &with_header(json!({ name: url }))).await);
            assert_refused(
                name,
                &rig.get(
                    ROUTES[0],
                    &signed(&header, &claims("staff"), &EncodingKey::from_secret(b"x"), Algorithm::HS256),
                )
                .await,
            );
        }
    }
    assert!(listener.accept().is_err(), "somebody came for the keys");
}

#[actix_web::test]
async fn with_a_public_key_only_its_own_algorithm_is_taken() {
    let staff = claims("staff");
    for (pem, alg, key) in [
        (keys::ED25519, Algorithm::EdDSA, keys::ed25519()),
        (keys::P256, Algorithm::ES256, keys::p256()),
        (keys::RSA, Algorithm::RS256, keys::rsa()),
    ] {
        let rig = Rig::checking(checked_by(KeySource::PublicKey(pem.to_owned()))).await;
        let name = format!("{alg:?}");
        let good = signed(&json!({ "alg": name, "kid": "any" }), &staff, &key, alg);
        assert_eq!(rig.get(ROUTES[1], &good).await.status, 200, "{name}");
        for text in [pem.as_bytes(), pem.trim().as_bytes()] {
            let confused =
                signed(&json!({ "alg": "HS256" }), &staff, &EncodingKey::from_secret(text), Algorithm::HS256);
            assert_refused("HS256 with the public key", &rig.get(ROUTES[1], &confused).await);
        }
        assert_refused("HS256 with the secret", &rig.get(ROUTES[1], &token("staff")).await);
        assert_refused("none", &rig.get(ROUTES[1], &unsigned("none")).await);
        for other in ["EdDSA", "ES256", "RS256", "PS256", "RS512"].into_iter().filter(|other| *other != name) {
            let relabelled = signed(&json!({ "alg": other }), &staff, &key, alg);
            assert_refused(other, &rig.get(ROUTES[1], &relabelled).await);
        }
    }
    let rig = Rig::checking(checked_by(KeySource::PublicKey(keys::RSA.to_owned()))).await;
    let longer = signed(&json!({ "alg": "RS512" }), &staff, &keys::rsa(), Algorithm::RS512);
    assert_refused("RS512, well signed", &rig.get(ROUTES[1], &longer).await);
}

#[actix_web::test]
async fn issuer_and_audience_must_match_where_they_are_configured() {
    let auth = AuthSettings {
        issuer: Some("https://id.example".to_owned()),
        audience: Some("rollcall".to_owned()),
        ..checked_by(KeySource::Secret(SECRET.to_vec()))
    };
    let rig = Rig::checking(auth).await;
    let both = json!({ "iss": "https://id.example", "aud": "rollcall" });
    for (changes, status) in [
        (json!({}), 200),
        (json!({ "aud": ["other", "rollcall"] }), 200),
        (json!({ "iss": null }), 401),
        (json!({ "aud": null }), 401),
        (json!({ "iss": "https://id.example/" }), 401),
        (json!({ "iss": 1 }), 401),
        (json!({ "iss": ["https://id.example"] }), 401),
        (json!({ "aud": null, "client_id": "rollcall" }), 200),
        (json!({ "aud": null, "client_id": "other" }), 401),
        (json!({ "aud": "other", "client_id": "rollcall" }), 401),
        (json!({ "aud": null, "client_id": ["rollcall"] }), 401),
        (json!({ "aud": [["rollcall"], 1] }), 401),
        (json!({ "aud": "Rollcall" }), 401),
        (json!({ "aud": [] }), 401),
        (json!({ "aud": ["other"] }), 401),
        (json!({ "aud": { "rollcall": true } }), 401),
    ] {
        let token = hs256(&but(but(claims("staff"), both.clone()), changes.clone()));
        assert_eq!(rig.get(ROUTES[1], &token).await.status, status, "{changes}");
    }
    let unbound = Rig::new().await;
    assert_eq!(unbound.get(ROUTES[1], &with_claims(both)).await.status, 200, "unconfigured, they are not looked at");
}

#[actix_web::test]
async fn a_good_token_is_believed() {
    let rig = Rig::new().await;
    for (name, token) in [
        ("plain", token("staff")),
        ("without a type", with_header(json!({ "typ": null }))),
        ("an access token", with_header(json!({ "typ": "at+jwt" }))),
        ("a kid nobody needs", with_header(json!({ "kid": "1" }))),
        ("expired within the leeway", with_claims(json!({ "exp": now_s() - 3 }))),
        ("valid since within the leeway", with_claims(json!({ "nbf": now_s() + 3 }))),
        ("a list with a role", with_claims(json!({ "role": ["offline_access", "staff", "admin"] }))),
        ("a fraction of a second", with_claims(json!({ "exp": now_s() as f64 + 60.5 }))),
        ("for ever", with_claims(json!({ "exp": u64::MAX }))),
        ("claims of others", with_claims(json!({ "iat": 1, "scope": "x", "club": 7 }))),
        ("a mail address", with_claims(json!({ "sub": "ann@example.com" }))),
        ("a provider's sub", with_claims(json!({ "sub": "f:332a234e:o'neill/{x}" }))),
        ("the longest sub", with_claims(json!({ "sub": "a".repeat(255) }))),
    ] {
        assert_eq!(rig.get(ROUTES[1], &token).await.status, 200, "{name}");
    }
    for role in ["kiosk", "operator"] {
        let token = hs256(&but(claims(role), json!({ "club": "vest" })));
        assert_eq!(rig.get(ROUTES[2], &token).await.status, 200, "{role}");
    }
    let homeless = hs256(&but(claims("operator"), json!({ "org": null })));
    assert_eq!(rig.get("/v1/test/operator", &homeless).await.status, 200);
}

#[actix_web::test]
async fn a_kiosk_is_bound_to_a_club_or_to_none_and_never_to_what_is_no_club() {
    let rig = Rig::new().await;
    for club in [json!(null), json!(""), json!(["a", "b"]), json!(7), json!("a b")] {
        let mut claims = claims("kiosk");
        claims["club"] = club.clone();
        let answer = rig.get(ROUTES[2], &hs256(&claims)).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{club}");
        assert_eq!(answer.json()["detail"], "The token's claim club is no id.", "{club}");
        let header = "Bearer error=\"invalid_token\", error_description=\"The token's claim club is no id.\"";
        assert_eq!(answer.header("www-authenticate"), header, "{club}");
    }
    assert_eq!(rig.get(ROUTES[2], &hs256(&claims("kiosk"))).await.status, 200);
}

#[actix_web::test]
async fn a_token_is_read_up_to_its_longest_and_no_further() {
    let rig = Rig::new().await;
    let of_length = |wanted: usize| {
        (0..wanted).rev().find_map(|pad| {
            let lengths =
                [json!({ "alg": "HS256" }), json!({ "alg": "HS256", "x": "" }), json!({ "alg": "HS256", "x": "1" })];
            lengths.iter().find_map(|header| {
                let claims = but(claims("staff"), json!({ "pad": "x".repeat(pad) }));
                let length = |bytes: usize| (bytes * 4).div_ceil(3);
                let total = length(header.to_string().len()) + length(claims.to_string().len()) + 43 + 2;
                (total == wanted).then(|| signed(header, &claims, &secret(), Algorithm::HS256))
            })
        })
    };
    for (length, status) in [(TOKEN_BYTES_MAX, 200), (TOKEN_BYTES_MAX + 1, 401), (100_000, 401)] {
        let token = of_length(length).unwrap();
        assert_eq!(token.len(), length);
        let answer = rig.get(ROUTES[1], &token).await;
        assert_eq!(answer.status, status, "{length} bytes");
        if status == 401 {
            assert_eq!(answer.json()["detail"], "The token is longer than 16384 bytes.");
        }
    }
}

#[actix_web::test]
async fn only_one_bearer_header_counts() {
    let rig = Rig::new().await;
    let staff = token("staff");
    let call = |headers: Vec<String>| {
        let req = TestRequest::get().uri(ROUTES[1]);
        headers.into_iter().fold(req, |req, value| req.append_header(("authorization", value)))
    };
    for good in [format!("Bearer {staff}"), format!("bearer {staff}"), format!("BEARER  {staff} ")] {
        assert_eq!(rig.call(call(vec![good.clone()])).await.status, 200, "{}", &good[..8]);
    }
    for bad in
        [format!("Basic {staff}"), format!("Bearer{staff}"), staff.clone(), "Bearer".to_owned(), "Bearer ".to_owned()]
    {
        assert_asked_for_one(&bad.clone(), &rig.call(call(vec![bad])).await);
    }
    assert_asked_for_one("no header", &rig.call(call(Vec::new())).await);
    let twice = rig.call(call(vec![format!("Bearer {staff}"), format!("Bearer {staff}")])).await;
    assert_refused("two headers", &twice);
    assert_eq!(twice.json()["detail"], "Several Authorization headers came; send one.");
    let in_url = rig.call(TestRequest::get().uri(&format!("{}?access_token={staff}", ROUTES[1]))).await;
    assert_asked_for_one("in the URL", &in_url);
}

#[actix_web::test]
async fn each_group_admits_exactly_its_roles() {
    let rig = Rig::new().await;
    for (route, admitted) in [
        ("anyone", "member instructor kiosk staff admin"),
        ("member", "member"),
        ("member-or-staff", "member staff admin"),
        ("attendance", "instructor staff admin"),
        ("desk-or-kiosk", "kiosk staff admin"),
        ("staff", "staff admin"),
        ("admin", "admin"),
        ("operator", "operator"),
        ("authenticated", "member instructor kiosk staff admin operator"),
    ] {
        for role in ["member", "instructor", "kiosk", "staff", "admin", "operator"] {
            let answer = rig.get(&format!("/v1/test/{route}"), &token(role)).await;
            let expected =
                if admitted.split(' ').any(|admitted| admitted == role) { (200, "") } else { (403, "forbidden") };
            assert_eq!((answer.status, answer.code().as_str()), expected, "{role} at {route}");
        }
    }
}

#[actix_web::test]
async fn rights_are_judged_before_anything_else_of_the_call() {
    let rig = Rig::new().await;
    let call = |token: &str| {
        bearing(TestRequest::post().uri("/v1/test/act/no%20id/done"), token)
            .insert_header(("content-type", "text/plain"))
            .insert_header(("idempotency-key", "no key"))
            .insert_header(("if-match", "no revision"))
            .set_payload("x".repeat(100_000))
    };
    assert_eq!(rig.call(call("nothing")).await.status, 401);
    assert_eq!(rig.call(call(&token("member"))).await.status, 403);
    assert_eq!(rig.call(call(&token("staff"))).await.status, 404);
}
