//! Tokens and key sets as identity providers make them: the shapes are theirs, the values invented. Each is believed with
//! the settings that the README gives for it, and refused with the reason when one thing is off.

use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use rollcall::domain::claims::{ClaimNames, ClaimPath, RoleNames};
use rollcall::domain::ids::OrgId;
use rollcall::http::{AuthSettings, KeySource};
use serde_json::{Value, json};

use super::rig::{Rig, but, keys, now_s, signed};

/// A provider: its key set, the header and claims of one of its tokens, and how Rollcall is set up for it.
struct Provider {
    name: &'static str,
    keys: Vec<Value>,
    header: Value,
    claims: Value,
    issuer: &'static str,
    audience: &'static str,
    settings: ClaimNames,
    /// Who the bearer is then.
    sub: &'static str,
    role: &'static str,
    /// What may be off (null takes it away), and the reason.
    off: Vec<(Value, &'static str)>,
}

fn path(text: &str) -> ClaimPath {
    ClaimPath::parse(text).unwrap()
}

/// For one chain: its organisation is the setting's.
fn chain(role: &str, roles: &str) -> ClaimNames {
    let roles = Some(RoleNames::parse(roles).unwrap());
    let org_of_all = Some(OrgId::parse("nord").unwrap());
    ClaimNames { role: path(role), roles, org_of_all, ..ClaimNames::default() }
}

fn rsa(changes: Value) -> Value {
    let jwk = serde_json::to_value(Jwk::from_encoding_key(&keys::rsa(), Algorithm::RS256).unwrap()).unwrap();
    but(but(jwk, json!({ "use": "sig" })), changes)
}

fn expired() -> Value {
    json!({ "exp": now_s() - 60 })
}

fn keycloak() -> Provider {
    let issuer = "https://id.gym.example/realms/gym";
    Provider {
        name: "Keycloak",
        keys: vec![
            rsa(json!({ "kid": "b1Yx", "alg": "RS256", "x5c": ["MIICmz"], "x5t": "c29t", "x5t#S256": "ZXRo" })),
            rsa(json!({ "kid": "Zq0k", "alg": "RSA-OAEP", "use": "enc", "x5c": ["MIICmz"] })),
        ],
        header: json!({ "alg": "RS256", "typ": "JWT", "kid": "b1Yx" }),
        claims: json!({
            "exp": now_s() + 300, "iat": now_s(), "auth_time": now_s(), "jti": "onrtac:7b6f", "iss": issuer,
            "aud": ["rollcall", "account"], "sub": "3d2f7a6e-52a1-4f0b-9a39-5f5f2d6f9c11", "typ": "Bearer", "azp": "gym-app",
            "sid": "9f1c", "acr": "1", "allowed-origins": ["https://app.gym.example"],
            "realm_access": { "roles": ["default-roles-gym", "offline_access", "frontdesk", "uma_authorization"] },
            "resource_access": { "account": { "roles": ["manage-account", "view-profile"] } },
            "scope": "openid profile email", "email_verified": true, "preferred_username": "ann",
        }),
        issuer,
        audience: "rollcall",
        settings: chain("realm_access.roles", "frontdesk=staff,gym-admin=admin,*=member"),
        sub: "3d2f7a6e-52a1-4f0b-9a39-5f5f2d6f9c11",
        role: "staff",
        off: vec![
            (json!({ "aud": "account" }), "The token has the wrong audience: its aud is account."),
            (json!({ "aud": null }), "The token's claim aud is missing."),
            (
                json!({ "iss": "https://id.gym.example/realms/master" }),
                "wrong issuer: its iss is https://id.gym.example/realms/master.",
            ),
            (json!({ "sub": null }), "The token's claim sub is missing."),
        ],
    }
}

fn entra() -> Provider {
    let issuer = "https://login.microsoftonline.com/7f6c2a5e-0001-4c9d-8e21-3f60d3a1b2c4/v2.0";
    Provider {
        name: "Entra ID",
        // Without alg.
        keys: vec![
            rsa(
                json!({ "kid": "other", "n": rsa(json!({}))["n"], "issuer": issuer, "alg": null, "x5t": "other", "e": "AQAB" }),
            ),
            rsa(json!({ "kid": "JYhA", "alg": null, "x5t": "JYhA", "x5c": ["MIIC_"], "issuer": issuer })),
        ],
        header: json!({ "alg": "RS256", "typ": "JWT", "kid": "JYhA", "x5t": "JYhA" }),
        claims: json!({
            "aud": "0f8fad5b-d9cb-469f-a165-70867728950e", "iss": issuer, "iat": now_s(), "nbf": now_s(), "exp": now_s() + 4000,
            "azp": "6731de76-14a6-49ae-97bc-6eba6914391e", "azpacr": "0", "name": "Ann Berg",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "preferred_username": "ann@gym.example", "rh": "0.AAAA.",
            "roles": ["Gym.Admin"], "scp": "access_as_user", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "tid": "7f6c2a5e-0001-4c9d-8e21-3f60d3a1b2c4", "uti": "AAAA", "ver": "2.0",
        }),
        issuer,
        audience: "0f8fad5b-d9cb-469f-a165-70867728950e",
        settings: ClaimNames { sub: path("oid"), ..chain("roles", "Gym.Desk=staff,Gym.Admin=admin,*=member") },
        sub: "690222be-ff1a-4d56-abd1-7e4f7d38e474",
        role: "admin",
        off: vec![
            (json!({ "iss": "https://sts.windows.net/7f6c2a5e-0001-4c9d-8e21-3f60d3a1b2c4/" }), "wrong issuer"),
            (json!({ "aud": "api://0f8fad5b-d9cb-469f-a165-70867728950e" }), "wrong audience: its aud is api://0f8f"),
            (json!({ "oid": null }), "The token's claim oid is missing."),
            (json!({ "nbf": now_s() + 600 }), "not yet valid"),
        ],
    }
}

fn auth0() -> Provider {
    Provider {
        name: "Auth0",
        keys: vec![rsa(json!({ "kid": "NkFD", "alg": "RS256", "x5t": "NkFD", "x5c": ["MIIDB"] }))],
        header: json!({ "alg": "RS256", "typ": "at+jwt", "kid": "NkFD" }),
        claims: json!({
            "https://gym.example/roles": ["front desk"], "https://gym.example/org": "nord", "iss": "https://gym.eu.auth0.com/",
            "sub": "auth0|64f0c8b1a2d3e4f5061728390a1b2c3d4e5f60718293a4b5c6d7e8f9", "iat": now_s(), "exp": now_s() + 86400,
            "aud": ["https://rollcall.gym.example", "https://gym.eu.auth0.com/userinfo"], "scope": "openid profile", "azp": "x9Qm",
        }),
        issuer: "https://gym.eu.auth0.com/",
        audience: "https://rollcall.gym.example",
        settings: ClaimNames {
            role: path(r"https://gym\.example/roles"),
            org: path(r"https://gym\.example/org"),
            roles: Some(RoleNames::parse("front desk=staff").unwrap()),
            ..ClaimNames::default()
        },
        sub: "auth0|64f0c8b1a2d3e4f5061728390a1b2c3d4e5f60718293a4b5c6d7e8f9",
        role: "staff",
        off: vec![
            (json!({ "https://gym.example/org": null }), r"The token's claim https://gym\.example/org is missing."),
            (json!({ "https://gym.example/org": "no org" }), r"The token's claim https://gym\.example/org is no id."),
            (json!({ "https://gym.example/org": ["nord"] }), r"The token's claim https://gym\.example/org is no id."),
            (json!({ "https://gym.example/roles": ["staff"] }), r"claim https://gym\.example/roles holds no role"),
            (json!({ "https://gym.example/roles": null }), r"claim https://gym\.example/roles is missing"),
            (json!({ "iss": "https://gym.eu.auth0.com" }), "wrong issuer: its iss is https://gym.eu.auth0.com."),
        ],
    }
}

fn okta() -> Provider {
    Provider {
        name: "Okta",
        keys: vec![rsa(json!({ "kid": "U5R8", "alg": "RS256" }))],
        header: json!({ "alg": "RS256", "kid": "U5R8" }),
        claims: json!({
            "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "iss": "https://gym.okta.com/oauth2/default",
            "aud": "api://default", "iat": now_s(), "exp": now_s() + 3600, "cid": "0oa5cwzk5dX7Yp8Xm5d7", "uid": "00u5cx",
            "scp": ["openid", "profile"], "auth_time": now_s(), "sub": "ann@gym.example", "groups": ["Everyone", "Trainers"],
        }),
        issuer: "https://gym.okta.com/oauth2/default",
        audience: "api://default",
        settings: chain("groups", "Trainers=instructor,Everyone=member"),
        sub: "ann@gym.example",
        role: "member",
        off: vec![
            (json!({ "groups": ["Nobody"] }), "The token's claim groups holds no role that is known here."),
            (json!({ "sub": "" }), "The token's claim sub is no id."),
            (json!({ "sub": 7 }), "The token's claim sub is no id."),
        ],
    }
}

fn cognito() -> Provider {
    let issuer = "https://cognito-idp.eu-north-1.amazonaws.com/eu-north-1_Gy4mExamp";
    Provider {
        name: "Cognito",
        keys: vec![rsa(json!({ "kid": "acCe5=", "alg": "RS256" })), rsa(json!({ "kid": "Id=", "alg": "RS256" }))],
        header: json!({ "kid": "acCe5=", "alg": "RS256" }),
        claims: json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["eu-north-1_Gy4m_Google", "desk"], "iss": issuer,
            "version": 2, "client_id": "4h57v9example", "origin_jti": "b1", "event_id": "c2", "token_use": "access",
            "scope": "openid", "auth_time": now_s(), "exp": now_s() + 3600, "iat": now_s(), "jti": "d3", "username": "ann",
        }),
        issuer,
        audience: "4h57v9example",
        settings: chain("cognito:groups", "desk=staff,*=member"),
        sub: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        role: "staff",
        off: vec![
            (json!({ "client_id": "another" }), "The token has the wrong audience: its client_id is another."),
            (json!({ "client_id": null }), "The token's claim aud is missing."),
            (json!({ "client_id": ["4h57v9example"] }), "The token's claim client_id is no text."),
            (json!({ "aud": "another" }), "The token has the wrong audience: its aud is another."),
            (json!({ "iss": [issuer] }), "The token's claim iss is no text."),
        ],
    }
}

fn google() -> Provider {
    let client = "407408718192-gym.apps.googleusercontent.com";
    Provider {
        name: "Google",
        keys: vec![
            rsa(json!({ "kid": "f833e8a7", "alg": "RS256" })),
            rsa(json!({ "kid": "2af90e87", "alg": "RS256" })),
        ],
        header: json!({ "alg": "RS256", "kid": "2af90e87", "typ": "JWT" }),
        claims: json!({
            "iss": "https://accounts.google.com", "azp": client, "aud": client, "sub": "110169484474386276334",
            "hd": "gym.example", "email": "ann@gym.example", "email_verified": true, "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
            "name": "Ann Berg", "iat": now_s(), "exp": now_s() + 3600,
        }),
        issuer: "https://accounts.google.com",
        audience: client,
        settings: chain("role", "*=member"),
        sub: "110169484474386276334",
        role: "member",
        off: vec![
            (json!({ "iss": "accounts.google.com" }), "wrong issuer: its iss is accounts.google.com."),
            (json!({ "iss": null }), "The token's claim iss is missing."),
            (json!({ "exp": null }), "The token's claim exp is missing."),
            (json!({ "exp": "soon" }), "The token's claim exp is no time."),
        ],
    }
}

/// A server of one's own, which writes the claims as Rollcall names them and signs with Ed25519, by its newer name.
fn plain() -> Provider {
    let key = serde_json::to_value(Jwk::from_encoding_key(&keys::ed25519(), Algorithm::EdDSA).unwrap()).unwrap();
    Provider {
        name: "plain OpenID Connect",
        keys: vec![but(key, json!({ "kid": "2026-11", "alg": "Ed25519", "key_ops": ["verify"] }))],
        header: json!({ "alg": "Ed25519", "typ": "at+jwt", "kid": "2026-11" }),
        claims: json!({
            "iss": "https://id.nord.example", "aud": "rollcall", "sub": "m-1", "org": "nord", "role": "member",
            "iat": now_s(), "exp": now_s() + 900,
        }),
        issuer: "https://id.nord.example",
        audience: "rollcall",
        settings: ClaimNames::default(),
        sub: "m-1",
        role: "member",
        off: vec![
            (json!({ "org": null }), "The token's claim org is missing."),
            (json!({ "org": "no}rd" }), "The token's claim org is no id."),
            (json!({ "role": null }), "The token's claim role is missing."),
            (json!({ "role": "boss" }), "The token's claim role holds no role that is known here."),
            (json!({ "aud": [] }), "wrong audience: its aud is []."),
            (json!({ "aud": { "rollcall": true } }), "The token's claim aud is no text or list."),
        ],
    }
}

impl Provider {
    async fn rig(&self) -> Rig {
        let auth = AuthSettings {
            keys: KeySource::Jwks(json!({ "keys": self.keys }).to_string()),
            issuer: Some(self.issuer.to_owned()),
            audience: Some(self.audience.to_owned()),
            claims: self.settings.clone(),
        };
        Rig::checking(auth).await
    }

    fn token(&self, header: Value, claims: Value) -> String {
        let (key, algorithm): (EncodingKey, Algorithm) = match self.header["alg"].as_str().unwrap() {
            "RS256" => (keys::rsa(), Algorithm::RS256),
            _ => (keys::ed25519(), Algorithm::EdDSA),
        };
        signed(&but(self.header.clone(), header), &but(self.claims.clone(), claims), &key, algorithm)
    }
}

#[actix_web::test]
async fn each_providers_tokens_are_believed_and_refused_with_the_reason() {
    for provider in [keycloak(), entra(), auth0(), okta(), cognito(), google(), plain()] {
        let (rig, name) = (provider.rig().await, provider.name);
        let answer = rig.get("/v1/test/authenticated", &provider.token(json!({}), json!({}))).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        let told = (answer.json()["sub"].clone(), answer.json()["role"].clone());
        assert_eq!(told, (provider.sub.into(), provider.role.into()), "{name}");

        let header = |changes: Value| provider.token(changes, json!({}));
        let refused =
            provider.off.iter().map(|(off, why)| (off.to_string(), provider.token(json!({}), off.clone()), *why));
        let common = [
            ("expired".to_owned(), provider.token(json!({}), expired()), "The token has expired: it was good until 20"),
            ("unknown key".to_owned(), header(json!({ "kid": "nobody's" })), "The token names an unknown key (kid)."),
            (
                "another algorithm".to_owned(),
                header(json!({ "alg": "ES256" })),
                "algorithm (alg) is not that of a known key",
            ),
        ];
        for (off, token, why) in refused.chain(common) {
            let answer = rig.get("/v1/test/authenticated", &token).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{name}, {off}");
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(why), "{name}, {off}: {detail}");
            // What a header may not hold is left out of it.
            let header = format!("Bearer error=\"invalid_token\", error_description=\"{}\"", detail.replace('\\', ""));
            assert_eq!(answer.header("www-authenticate"), header, "{name}, {off}");
        }
    }
}

#[actix_web::test]
async fn an_encryption_key_of_a_set_signs_nothing() {
    let provider = keycloak();
    let with_it = provider.token(json!({ "kid": "Zq0k" }), json!({}));
    let answer = provider.rig().await.get("/v1/test/authenticated", &with_it).await;
    assert_eq!(answer.json()["detail"], "The token names an unknown key (kid).");
}

#[actix_web::test]
async fn only_the_names_that_are_set_count_and_the_first_of_a_list_that_is() {
    let provider = keycloak();
    let rig = provider.rig().await;
    for (roles, role) in [
        (json!(["gym-admin", "frontdesk"]), "admin"),
        (json!(["frontdesk", "gym-admin"]), "staff"),
        (json!(["admin", "operator"]), "member"),
        (json!([]), "member"),
        (json!("gym-admin"), "admin"),
    ] {
        let token = provider.token(json!({}), json!({ "realm_access": { "roles": roles } }));
        assert_eq!(rig.get("/v1/test/authenticated", &token).await.json()["role"], role, "{roles}");
    }
    let none = provider.token(json!({}), json!({ "realm_access": null }));
    assert_eq!(rig.get("/v1/test/authenticated", &none).await.json()["role"], "member", "without the claim");
}

#[actix_web::test]
async fn an_operator_has_no_organisation_whatever_the_settings_say() {
    let provider =
        Provider { settings: chain("realm_access.roles", "gym-root=operator,frontdesk=staff"), ..keycloak() };
    let rig = provider.rig().await;
    let root = provider.token(json!({}), json!({ "org": "nord", "realm_access": { "roles": ["gym-root"] } }));
    assert_eq!(rig.get("/v1/test/operator", &root).await.status, 200);
    assert_eq!(rig.get("/v1/test/anyone", &root).await.status, 403, "no call of an organisation");
    let desk = provider.token(json!({}), json!({}));
    assert_eq!(rig.get("/v1/test/staff", &desk).await.status, 200);
    let null = signed(
        &provider.header,
        &{
            let mut claims = provider.claims.clone();
            claims["org"] = Value::Null;
            claims
        },
        &keys::rsa(),
        Algorithm::RS256,
    );
    let answer = rig.get("/v1/test/staff", &null).await;
    assert_eq!(answer.json()["detail"], "The token's claim org is no id.", "null is there, and is no organisation");
}
