//! Tokens: whether to believe one, and what it then says about its bearer.
//!
//! Only configuration chooses keys, algorithms and the claims that are read. A refusal says what is wrong, to the bearer
//! and in one line of the log; the token itself is never repeated.

use std::future::Future;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::crypto;
use serde_json::Value;

use super::caller::Caller;
use super::distrust::repeated;
pub use super::distrust::{Distrust, Reason};
use super::jwks::Lookup;
use super::jwt::Jwt;
pub use super::jwt::TOKEN_BYTES_MAX;
use super::keys::{KeyError, KeySource, Keys, VerifyingKey};
use crate::domain::caller::Role;
use crate::domain::claims::{ClaimNames, ClaimPath};
use crate::domain::ids::{ClubId, MemberId, OrgId};
use crate::domain::instant::{self, Instant};

/// How far another clock may be off, in seconds.
const LEEWAY_S: f64 = 5.0;

/// The end of the year 9999, in seconds: no token is good beyond what RFC 3339 can write.
const EXP_S_MAX: f64 = 253_402_300_799.0;

/// How tokens are checked and read.
#[derive(Clone)]
pub struct AuthSettings {
    pub keys: KeySource,
    /// When set, `iss` must be this.
    pub issuer: Option<String>,
    /// When set, `aud` must be or hold this; where there is no `aud`, `client_id` must be it.
    pub audience: Option<String>,
    pub claims: ClaimNames,
}

/// Checks tokens.
pub struct Auth {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
    claims: ClaimNames,
}

impl Auth {
    /// Reads or fetches the keys. A key set that cannot be fetched now is fetched later.
    pub async fn start(settings: AuthSettings) -> Result<Auth, KeyError> {
        let AuthSettings { keys, issuer, audience, claims } = settings;
        Ok(Auth { keys: Keys::start(keys).await?, issuer, audience, claims })
    }

    /// Where the keys are behind an address: fetches them again and again, for as long as it is polled.
    pub fn keeping_keys(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        match &self.keys {
            Keys::Fixed(_) => None,
            Keys::Fetched(jwks) => {
                let jwks = jwks.clone();
                Some(async move { jwks.keep().await })
            }
        }
    }

    /// Who the bearer of this token is, on real time.
    pub async fn verify(&self, token: &str) -> Result<Caller, Distrust> {
        let judged = self.judge(token).await;
        if let Err(Distrust::Refused(reason)) = &judged {
            tracing::info!(%reason, "a token was refused: {reason}");
        }
        judged
    }

    async fn judge(&self, token: &str) -> Result<Caller, Distrust> {
        let token = Jwt::parse(token).map_err(Distrust::Refused)?;
        match &self.keys {
            Keys::Fixed(keys) => signed(&token, keys).map_err(Distrust::Refused)?,
            Keys::Fetched(jwks) => {
                let Lookup::Keys(keys) = jwks.lookup(token.kid.as_deref()).await else {
                    return Err(Distrust::KeysAway);
                };
                if let Err(reason) = signed(&token, &keys) {
                    // The key of that name may be another by now.
                    let doubtful = reason == Reason::Signature || (reason == Reason::Algorithm && token.kid.is_some());
                    let newer = if doubtful { jwks.doubted(&keys).await } else { None };
                    newer.map_or(Err(reason), |keys| signed(&token, &keys)).map_err(Distrust::Refused)?;
                }
            }
        }
        token.claims().and_then(|claims| self.believe(&claims)).map_err(Distrust::Refused)
    }

    /// Signed claims as a caller, if they are all there and make sense.
    fn believe(&self, claims: &Value) -> Result<Caller, Reason> {
        let expires_at = in_time(claims)?;
        self.issuer_fits(claims)?;
        self.audience_fits(claims)?;
        let names = &self.claims;
        let sub = text(claims, &names.sub)?.ok_or_else(|| missing(&names.sub))?;
        let sub = MemberId::parse(sub).map_err(|_no_id| no_id(&names.sub))?;
        let role = names.role.find(claims);
        let role = names.role_of(role).ok_or_else(|| match role {
            None => missing(&names.role),
            Some(_) => Reason::Role(names.role.as_str().to_owned()),
        })?;
        let org = match role {
            Role::Operator => None,
            Role::Member | Role::Instructor | Role::Kiosk | Role::Staff | Role::Admin => Some(self.org(claims)?),
        };
        let club = match (role, claims.get("club")) {
            // Null is there, and is no club: a kiosk that was to be bound must not become one that is free.
            (Role::Kiosk, Some(club)) => {
                let club = club.as_str().and_then(|club| ClubId::parse(club).ok());
                Some(club.ok_or_else(|| Reason::Not("club".to_owned(), "id"))?)
            }
            _ => None,
        };
        Ok(Caller { sub, role, org, club, expires_at })
    }

    fn org(&self, claims: &Value) -> Result<OrgId, Reason> {
        let path = &self.claims.org;
        match text(claims, path)? {
            Some(org) => OrgId::parse(org).map_err(|_no_id| no_id(path)),
            None => self.claims.org_of_all.clone().ok_or_else(|| missing(path)),
        }
    }

    fn issuer_fits(&self, claims: &Value) -> Result<(), Reason> {
        let Some(issuer) = &self.issuer else { return Ok(()) };
        match claims.get("iss") {
            None => Err(Reason::Missing("iss".to_owned())),
            Some(Value::String(iss)) if iss == issuer => Ok(()),
            Some(Value::String(iss)) => Err(Reason::Issuer(repeated(&iss.as_str().into()))),
            Some(_) => Err(Reason::Not("iss".to_owned(), "text")),
        }
    }

    /// A Cognito access token has no `aud`, and names in `client_id` the app that it was given to.
    fn audience_fits(&self, claims: &Value) -> Result<(), Reason> {
        let Some(audience) = &self.audience else { return Ok(()) };
        let (name, claim) = match (claims.get("aud"), claims.get("client_id")) {
            (Some(aud), _) => ("aud", aud),
            (None, Some(client)) => ("client_id", client),
            (None, None) => return Err(Reason::Missing("aud".to_owned())),
        };
        let named = match claim {
            Value::String(text) => text == audience,
            Value::Array(list) if name == "aud" => list.iter().any(|one| one.as_str() == Some(audience)),
            _ => return Err(Reason::Not(name.to_owned(), if name == "aud" { "text or list" } else { "text" })),
        };
        if named { Ok(()) } else { Err(Reason::Audience(name, repeated(claim))) }
    }
}

/// Whether one of the keys that a token may be signed with has signed it.
fn signed(token: &Jwt, keys: &[VerifyingKey]) -> Result<(), Reason> {
    let mut named = keys.iter().filter(|key| key.may_be(token.kid.as_deref())).peekable();
    if named.peek().is_none() {
        return Err(Reason::UnknownKey);
    }
    let mut fitting = named.filter(|key| key.algorithm == token.algorithm).peekable();
    if fitting.peek().is_none() {
        return Err(Reason::Algorithm);
    }
    let fits = |key: &VerifyingKey| {
        crypto::verify(token.signature, token.message.as_bytes(), &key.key, key.algorithm).unwrap_or(false)
    };
    if fitting.any(fits) { Ok(()) } else { Err(Reason::Signature) }
}

/// When the token expires, if its time is now.
fn in_time(claims: &Value) -> Result<Instant, Reason> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| Reason::Not(name.to_owned(), "time")),
    };
    let exp_s = seconds("exp")?.ok_or_else(|| Reason::Missing("exp".to_owned()))?;
    let expires_at = instant_of(exp_s).ok_or_else(|| Reason::Not("exp".to_owned(), "time"))?;
    if exp_s < now_s - LEEWAY_S {
        return Err(Reason::Expired(expires_at.to_rfc3339()));
    }
    match seconds("nbf")? {
        Some(nbf_s) if nbf_s > now_s + LEEWAY_S => {
            let from = instant_of(nbf_s).ok_or_else(|| Reason::Not("nbf".to_owned(), "time"))?;
            Err(Reason::NotYet(from.to_rfc3339()))
        }
        Some(_) | None => Ok(expires_at),
    }
}

fn instant_of(seconds: f64) -> Option<Instant> {
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    let ms = (seconds.clamp(0.0, EXP_S_MAX) * 1000.0) as i64;
    instant::from_ms(ms)
}

/// A claim that is a text, where it is there.
fn text<'a>(claims: &'a Value, path: &ClaimPath) -> Result<Option<&'a str>, Reason> {
    match path.find(claims) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(no_id(path)),
    }
}

fn missing(path: &ClaimPath) -> Reason {
    Reason::Missing(path.as_str().to_owned())
}

fn no_id(path: &ClaimPath) -> Reason {
    Reason::Not(path.as_str().to_owned(), "id")
}
