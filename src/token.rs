//! Minting tokens, and the secret they are signed with.
//!
//! The secret is the configured one, or one generated once into the data directory, where `serve`, `demo` and
//! `token` find the same. Checking tokens is `http/caller.rs`'s; this only makes them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use thiserror::Error;

use crate::config::{SECRET_BYTES_MIN, Signing};

/// 256 bits, what HS256 asks for (RFC 7518, section 3.2).
const SECRET_BYTES: usize = SECRET_BYTES_MIN;

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    #[error("ROLLCALL_JWT_SECRET is not given, and the secret in {0} cannot be used: {1}")]
    Secret(PathBuf, io::Error),
    #[error(
        "there is no secret {0}: start the service there once, name its data directory (ROLLCALL_DATA_DIR), \
         or give its ROLLCALL_JWT_SECRET"
    )]
    NoSecret(PathBuf),
    #[error("the token cannot be signed: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// Who a token speaks for; the field names are the claims.
#[derive(Clone, Debug, Serialize)]
pub struct Claims {
    pub sub: String,
    /// `None` for an operator, who belongs to no organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    pub role: String,
    /// The one club of a kiosk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub club: Option<String>,
}

#[derive(Serialize)]
struct Signed<'a> {
    #[serde(flatten)]
    claims: &'a Claims,
    iat: u64,
    exp: u64,
}

/// Signs a token that is good from now for `ttl_s` seconds of real time.
pub fn mint(secret: &str, claims: &Claims, ttl_s: u64) -> Result<String, TokenError> {
    let iat = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let signed = Signed { claims, iat, exp: iat.saturating_add(ttl_s) };
    let key = EncodingKey::from_secret(secret.as_bytes());
    Ok(jsonwebtoken::encode(&Header::default(), &signed, &key)?)
}

/// The configured secret, or the generated one, which is made now if there is none.
pub fn signing_secret(signing: &Signing) -> Result<String, TokenError> {
    if let Some(secret) = &signing.secret {
        return Ok(secret.clone());
    }
    let path = signing.data_dir.join("jwt_secret");
    generated(&signing.data_dir, &path).map_err(|error| TokenError::Secret(path, error))
}

/// The secret that a service uses, and where it stands. None is made: one that no service has signs nothing of use.
pub fn found_secret(signing: &Signing) -> Result<(String, String), TokenError> {
    if let Some(secret) = &signing.secret {
        return Ok((secret.clone(), "ROLLCALL_JWT_SECRET".to_owned()));
    }
    let path = signing.data_dir.join("jwt_secret");
    match fs::read_to_string(&path) {
        Ok(secret) if !secret.trim().is_empty() => {
            let place = fs::canonicalize(&path).unwrap_or(path);
            Ok((secret.trim().to_owned(), place.display().to_string()))
        }
        Ok(_) => Err(TokenError::Secret(path, io::Error::new(ErrorKind::InvalidData, "it is empty"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(TokenError::NoSecret(path)),
        Err(error) => Err(TokenError::Secret(path, error)),
    }
}

/// Written beside and linked into place, so that of two processes that start at once both use the one that is
/// there in the end, and nobody ever reads half of it.
fn generated(dir: &Path, path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(secret) if secret.trim().len() >= SECRET_BYTES_MIN => return Ok(secret.trim().to_owned()),
        Ok(_) => {
            let problem =
                format!("it has fewer than {SECRET_BYTES_MIN} bytes, so tokens could be forged by guessing it");
            return Err(io::Error::new(ErrorKind::InvalidData, problem));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let draft = dir.join(format!("jwt_secret.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(random_hex()?.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::read_to_string(path)
}

fn random_hex() -> io::Result<String> {
    let mut bytes = [0_u8; SECRET_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
