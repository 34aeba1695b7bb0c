//! The settings of tokens that somebody else signs: the keys, and the claims to read.

use std::ffi::OsString;
use std::fs;

use clap::Args;

use super::{ConfigError, fail, owned, read, with_default};
use crate::domain::claims::{ClaimNames, ClaimPath, RoleNames};
use crate::domain::ids::OrgId;

const SUB_CLAIM: &str = "sub";
const ORG_CLAIM: &str = "org";
const ROLE_CLAIM: &str = "role";

/// As given: text, not yet understood.
#[derive(Args, Clone, Debug, Default)]
pub struct TokenSettings {
    /// PEM of the public key (EdDSA, ES256 or RS256) that tokens are signed with, or a file that holds it
    #[arg(long, env = "ROLLCALL_JWT_PUBLIC_KEY")]
    pub jwt_public_key: Option<OsString>,

    /// File with the JSON Web Key Set that tokens are signed with
    #[arg(long, env = "ROLLCALL_JWKS_FILE")]
    pub jwks_file: Option<OsString>,

    /// Address of the JSON Web Key Set that tokens are signed with
    #[arg(long, env = "ROLLCALL_JWKS_URL")]
    pub jwks_url: Option<OsString>,

    /// What a token's "iss" must be
    #[arg(long, env = "ROLLCALL_JWT_ISSUER")]
    pub jwt_issuer: Option<OsString>,

    /// What a token's "aud" must be or contain; without "aud", its "client_id"
    #[arg(long, env = "ROLLCALL_JWT_AUDIENCE")]
    pub jwt_audience: Option<OsString>,

    /// The claim with the bearer's id, such as sub or profile.number; a dot in a name is written \.
    #[arg(long, env = "ROLLCALL_JWT_SUB_CLAIM", default_value = SUB_CLAIM)]
    pub jwt_sub_claim: Option<OsString>,

    /// The claim with the organisation
    #[arg(long, env = "ROLLCALL_JWT_ORG_CLAIM", default_value = ORG_CLAIM)]
    pub jwt_org_claim: Option<OsString>,

    /// The claim with the role, or with a list that holds it, such as realm_access.roles
    #[arg(long, env = "ROLLCALL_JWT_ROLE_CLAIM", default_value = ROLE_CLAIM)]
    pub jwt_role_claim: Option<OsString>,

    /// The provider's names of roles, such as frontdesk=staff,gym-admin=admin,*=member; * is what has none of them
    #[arg(long, env = "ROLLCALL_JWT_ROLES")]
    pub jwt_roles: Option<OsString>,

    /// The organisation of every token that has no claim of one
    #[arg(long, env = "ROLLCALL_JWT_ORG")]
    pub jwt_org: Option<OsString>,
}

/// How tokens are checked and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenConfig {
    pub keys: TokenKeys,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub claims: ClaimNames,
}

/// What tokens are verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKeys {
    /// HS256, with the secret of [`Signing`](super::Signing).
    Secret,
    /// The text of a PEM.
    PublicKey(String),
    /// The text of a JSON Web Key Set.
    Jwks(String),
    JwksUrl(String),
}

impl TokenConfig {
    pub(super) fn read(settings: &TokenSettings) -> Result<TokenConfig, ConfigError> {
        Ok(TokenConfig {
            keys: keys(settings)?,
            issuer: read("jwt-issuer", &settings.jwt_issuer, owned)?,
            audience: read("jwt-audience", &settings.jwt_audience, owned)?,
            claims: ClaimNames {
                sub: with_default("jwt-sub-claim", &settings.jwt_sub_claim, SUB_CLAIM, ClaimPath::parse)?,
                org: with_default("jwt-org-claim", &settings.jwt_org_claim, ORG_CLAIM, ClaimPath::parse)?,
                role: with_default("jwt-role-claim", &settings.jwt_role_claim, ROLE_CLAIM, ClaimPath::parse)?,
                roles: read("jwt-roles", &settings.jwt_roles, RoleNames::parse)?,
                org_of_all: read("jwt-org", &settings.jwt_org, org)?,
            },
        })
    }
}

fn org(text: &str) -> Result<OrgId, String> {
    OrgId::parse(text).map_err(|error| format!("is {text:?}, which names no organisation: it {error}"))
}

fn keys(settings: &TokenSettings) -> Result<TokenKeys, ConfigError> {
    let given = [
        read("jwt-public-key", &settings.jwt_public_key, public_key)?.map(TokenKeys::PublicKey),
        read("jwks-file", &settings.jwks_file, jwks_file)?.map(TokenKeys::Jwks),
        read("jwks-url", &settings.jwks_url, jwks_url)?.map(TokenKeys::JwksUrl),
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (None, _) => Ok(TokenKeys::Secret),
        (Some(keys), None) => Ok(keys),
        (Some(_), Some(_)) => Err(fail(
            "jwks-url",
            "is one of three: set only one of ROLLCALL_JWT_PUBLIC_KEY, ROLLCALL_JWKS_FILE and ROLLCALL_JWKS_URL"
                .to_owned(),
        )),
    }
}

/// Where a variable cannot hold line breaks, they may be written as `\n`.
fn public_key(text: &str) -> Result<String, String> {
    const BEGIN: &str = "-----BEGIN ";
    if text.starts_with(BEGIN) {
        return Ok(text.replace("\\n", "\n"));
    }
    match fs::read_to_string(text) {
        Ok(pem) if pem.contains(BEGIN) => Ok(pem),
        Ok(_) => Err(format!("names {text:?}, which holds no PEM")),
        Err(error) => Err(format!("is neither a PEM nor a file that can be read: {error}")),
    }
}

fn jwks_file(text: &str) -> Result<String, String> {
    fs::read_to_string(text).map_err(|error| format!("names {text:?}, which cannot be read: {error}"))
}

fn jwks_url(text: &str) -> Result<String, String> {
    if text.starts_with("https://") || text.starts_with("http://") {
        Ok(text.to_owned())
    } else {
        Err(format!("is {text:?}, not an http:// or https:// address"))
    }
}
