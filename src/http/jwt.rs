//! A signed token taken apart (RFC 7515, compact form). It is read as strictly as bodies are, so that nobody can make a
//! token that two readers understand in two ways.
//!
//! Whatever a token brings along of its own (`jwk`, `jku`, `x5u`, `x5c`) can at most make it refused.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::distrust::Reason;
use crate::domain::json;

/// The longest token, in bytes. Providers that list a person's groups write some kilobytes of them.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// The types a token may declare (RFC 7519, RFC 9068); a refresh, logout or proof token is none of them.
const TYPES: [&str; 4] = ["jwt", "application/jwt", "at+jwt", "application/at+jwt"];

/// Parameters of a header that no token here may have: what must be understood and is not (RFC 7515, 4.1.11), keys of the
/// token's own, and encryption.
const FOREIGN: [&str; 7] = ["crit", "jwk", "jku", "x5u", "x5c", "enc", "zip"];

/// A token that can be read; nothing of it is believed yet.
pub(super) struct Jwt<'a> {
    /// What is signed.
    pub message: &'a str,
    /// In base64url.
    pub signature: &'a str,
    pub algorithm: Algorithm,
    /// The name of its key.
    pub kid: Option<String>,
    claims: &'a str,
}

impl<'a> Jwt<'a> {
    pub fn parse(token: &'a str) -> Result<Jwt<'a>, Reason> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Reason::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Reason::NoToken)?;
        let (header, claims) =
            message.split_once('.').filter(|(_, rest)| !rest.contains('.')).ok_or(Reason::NoToken)?;
        let header = object(header).ok_or(Reason::NoToken)?;
        let text = |name: &str| match header.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_owned())),
            Some(_) => Err(Reason::NoToken),
        };
        let (algorithm, kid, typ) = (text("alg")?, text("kid")?, text("typ")?);
        let algorithm = algorithm.ok_or(Reason::NoToken)?;
        let algorithm = algorithm_named(&algorithm).ok_or(Reason::Algorithm)?;
        if typ.is_some_and(|typ| !TYPES.contains(&typ.to_ascii_lowercase().as_str())) {
            return Err(Reason::Kind);
        }
        match FOREIGN.iter().find(|name| header.get(**name).is_some_and(|value| !value.is_null())) {
            Some(name) => Err(Reason::Foreign(name)),
            None => Ok(Jwt { message, signature, algorithm, kid, claims }),
        }
    }

    /// To be asked for once the signature is known to be good.
    pub fn claims(&self) -> Result<Value, Reason> {
        object(self.claims).ok_or(Reason::NoClaims)
    }
}

/// The algorithm of a name, where it is one of those used here. `Ed25519` is the newer name of one of the two that `EdDSA`
/// may mean (RFC 9864), and the only one of them used.
pub(super) fn algorithm_named(name: &str) -> Option<Algorithm> {
    match name {
        "HS256" => Some(Algorithm::HS256),
        "RS256" => Some(Algorithm::RS256),
        "ES256" => Some(Algorithm::ES256),
        "EdDSA" | "Ed25519" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

fn object(part: &str) -> Option<Value> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
    json::parse(&bytes).ok().filter(Value::is_object)
}
