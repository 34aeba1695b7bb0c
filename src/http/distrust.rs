//! Why a token is not believed. The bearer is told, in the answer's `detail` and in `WWW-Authenticate` (RFC 6750, section
//! 3): whoever runs the identity provider has nothing else to go by. No reason holds the token or who its bearer is.

use actix_web::http::header::WWW_AUTHENTICATE;

use super::jwt::TOKEN_BYTES_MAX;
use super::problem::{Code, Problem};

/// The most of a token's own words that a reason repeats, in characters.
const REPEATED_MAX: usize = 200;

/// Why there is no caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    Refused(Reason),
    /// The keys to check it with were never obtained.
    KeysAway,
}

/// What is wrong with a token. What its claims say is looked at only where the signature is good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("The token is longer than {TOKEN_BYTES_MAX} bytes.")]
    TooLong,
    #[error("Several Authorization headers came; send one.")]
    Several,
    #[error("This is no signed JSON Web Token.")]
    NoToken,
    #[error("The token is of a type (typ) that is no access or identity token.")]
    Kind,
    #[error("The token's header has {0}, which no token may have here.")]
    Foreign(&'static str),
    #[error("The token names an unknown key (kid).")]
    UnknownKey,
    #[error("The token's algorithm (alg) is not that of a known key.")]
    Algorithm,
    #[error("The token's signature does not fit the key.")]
    Signature,
    #[error("The token's claims are no JSON object, or one of them stands there twice.")]
    NoClaims,
    #[error("The token has expired: it was good until {0}.")]
    Expired(String),
    #[error("The token is not yet valid: it is good from {0} on.")]
    NotYet(String),
    #[error("The token has the wrong issuer: its iss is {0}.")]
    Issuer(String),
    #[error("The token has the wrong audience: its {0} is {1}.")]
    Audience(&'static str, String),
    #[error("The token's claim {0} is missing.")]
    Missing(String),
    #[error("The token's claim {0} is no {1}.")]
    Not(String, &'static str),
    #[error("The token's claim {0} holds no role that is known here.")]
    Role(String),
}

impl Reason {
    /// In the characters that `error_description` may have (RFC 6750, section 3).
    fn description(&self) -> String {
        let allowed = |character: char| matches!(character, ' '..='~') && !matches!(character, '"' | '\\');
        self.to_string().chars().filter(|character| allowed(*character)).collect()
    }
}

/// A claim as a reason repeats it: short, and of visible ASCII.
pub(super) fn repeated(claim: &serde_json::Value) -> String {
    let text = claim.as_str().map_or_else(|| claim.to_string(), str::to_owned);
    let plain = |character: char| if matches!(character, ' '..='~') { character } else { '?' };
    text.chars().take(REPEATED_MAX).map(plain).collect()
}

impl From<Distrust> for Problem {
    fn from(distrust: Distrust) -> Problem {
        match distrust {
            Distrust::Refused(reason) => {
                let header = format!("Bearer error=\"invalid_token\", error_description=\"{}\"", reason.description());
                Problem::new(Code::Unauthenticated, reason.to_string()).with_header(WWW_AUTHENTICATE, &header)
            }
            Distrust::KeysAway => Problem::unavailable("The keys to check tokens with cannot be obtained."),
        }
    }
}
