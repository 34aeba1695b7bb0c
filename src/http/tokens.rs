//! Tokens: whether to believe one, and what it then says about its bearer.
//!
//! Only configuration chooses keys and algorithms; whatever a token brings along
//! of its own (`alg`, `jwk`, `jku`, `x5u`) can at most make it refused. Every
//! refusal looks the same from outside.

use std::time::Duration;

use actix_web::http::header::WWW_AUTHENTICATE;
use jsonwebtoken::{Header, Validation, decode, decode_header};
use serde::Deserialize;

use super::caller::Caller;
use super::jwks::Lookup;
use super::keys::{KeyError, KeySource, Keys, VerifyingKey};
use super::problem::{Code, Problem};
use crate::domain::caller::Role;
use crate::domain::ids::{ClubId, MemberId, OrgId};
use crate::domain::instant::{self, Instant};

/// The longest token, in bytes; identity providers stay below half of it.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// How far another clock may be off, in seconds.
const LEEWAY_S: u64 = 5;

/// Between two fetches of a key set that does not hold a token's key.
const REFRESH_PAUSE: Duration = Duration::from_secs(60);

/// The end of the year 9999, in seconds: no token is good beyond what RFC 3339 can write.
const EXP_S_MAX: f64 = 253_402_300_799.0;

/// The types a token may declare (RFC 7519, RFC 9068); a refresh, logout or proof token is none of them.
const TYPES: [&str; 4] = ["jwt", "application/jwt", "at+jwt", "application/at+jwt"];

/// How tokens are checked.
#[derive(Clone)]
pub struct AuthSettings {
    pub keys: KeySource,
    /// When set, `iss` must be this.
    pub issuer: Option<String>,
    /// When set, `aud` must be or hold this.
    pub audience: Option<String>,
}

/// Checks tokens.
pub struct Auth {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Something about it is wrong; what, is nobody's business.
    Refused,
    /// It is signed as it should be, and this claim of it makes no sense.
    Claim(&'static str),
    /// The keys to check it with were never obtained.
    KeysAway,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    role: String,
    exp: f64,
    org: Option<String>,
    /// Null is there, and is no club: a kiosk that was to be bound must not become one that is free.
    #[serde(default, deserialize_with = "present")]
    club: Option<serde_json::Value>,
}

/// Whatever stands there, null included.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(deserializer).map(Some)
}

impl Auth {
    /// Reads or fetches the keys. A key set that cannot be fetched now is fetched later.
    pub async fn start(settings: AuthSettings) -> Result<Auth, KeyError> {
        let keys = Keys::start(settings.keys, REFRESH_PAUSE).await?;
        Ok(Auth { keys, issuer: settings.issuer, audience: settings.audience })
    }

    /// Who the bearer of this token is, on real time.
    pub async fn verify(&self, token: &str) -> Result<Caller, Distrust> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Distrust::Refused);
        }
        let header = decode_header(token).map_err(|_unreadable| Distrust::Refused)?;
        if !acceptable(&header) {
            return Err(Distrust::Refused);
        }
        match &self.keys {
            Keys::Fixed(keys) => self.check(token, &header, keys),
            Keys::Fetched(jwks) => match jwks.lookup(header.kid.as_deref()).await {
                Lookup::Keys(keys) => self.check(token, &header, &keys),
                Lookup::Away => Err(Distrust::KeysAway),
            },
        }
    }

    fn check(&self, token: &str, header: &Header, keys: &[VerifyingKey]) -> Result<Caller, Distrust> {
        let named = |key: &&VerifyingKey| match (&key.kid, &header.kid) {
            (Some(key), Some(token)) => key == token,
            (None, _) | (_, None) => true,
        };
        let signed = |key: &VerifyingKey| {
            let token = decode::<Claims>(token, &key.key, &self.validation(key));
            token.ok().map(|token| token.claims)
        };
        let fitting = keys.iter().filter(named).filter(|key| key.algorithm == header.alg);
        let claims = fitting.map(signed).find_map(|claims| claims).ok_or(Distrust::Refused)?;
        believe(claims)
    }

    fn validation(&self, key: &VerifyingKey) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        let mut required = vec!["exp"];
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        validation.validate_aud = self.audience.is_some();
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

/// Nothing in the header asks for what we do not do (RFC 7515, 4.1.11) or offers keys of its own.
fn acceptable(header: &Header) -> bool {
    let own_type = header.typ.as_ref().is_none_or(|typ| TYPES.contains(&typ.to_ascii_lowercase().as_str()));
    let brings_keys = header.jwk.is_some() || header.jku.is_some() || header.x5u.is_some() || header.x5c.is_some();
    let encrypted = header.enc.is_some() || header.zip.is_some();
    own_type && header.crit.is_none() && !brings_keys && !encrypted
}

/// Signed claims as a caller, if they are all there and make sense.
fn believe(claims: Claims) -> Result<Caller, Distrust> {
    let role = Role::parse(&claims.role).map_err(|_unknown| Distrust::Refused)?;
    let org = match role {
        Role::Operator => None,
        Role::Member | Role::Instructor | Role::Kiosk | Role::Staff | Role::Admin => {
            Some(claims.org.and_then(|org| OrgId::parse(&org).ok()).ok_or(Distrust::Refused)?)
        }
    };
    let club = match (role, claims.club) {
        (Role::Kiosk, Some(club)) => {
            Some(club.as_str().and_then(|club| ClubId::parse(club).ok()).ok_or(Distrust::Claim("club"))?)
        }
        _ => None,
    };
    let sub = MemberId::parse(&claims.sub).map_err(|_no_id| Distrust::Refused)?;
    let expires_at = expiry(claims.exp).ok_or(Distrust::Refused)?;
    Ok(Caller { sub, role, org, club, expires_at })
}

fn expiry(exp_s: f64) -> Option<Instant> {
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let ms = (exp_s.clamp(0.0, EXP_S_MAX) * 1000.0) as i64;
    instant::from_ms(ms)
}

impl From<Distrust> for Problem {
    fn from(distrust: Distrust) -> Problem {
        match distrust {
            Distrust::Refused => Problem::unauthenticated(),
            Distrust::Claim(claim) => {
                let why = format!("The token's claim {claim} is no id.");
                let header = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
                Problem::new(Code::Unauthenticated, why).with_header(WWW_AUTHENTICATE, &header)
            }
            Distrust::KeysAway => Problem::unavailable("The keys to check tokens with cannot be obtained."),
        }
    }
}
