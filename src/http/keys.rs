//! The keys tokens are checked with, each bound to the one algorithm it may be
//! used for. What a token's header says about algorithms and keys decides nothing
//! beyond which of these keys is tried.
//!
//! It knows key formats; what a token claims is read in `tokens.rs`.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde_json::Value;

use super::jwks::Jwks;
use super::jwt::algorithm_named;

/// Keys in one set at most; more would let one token cost that many signature checks.
const KEYS_MAX: usize = 32;

/// What RS256 asks for (RFC 7518, section 3.3); with a shorter key every signature is refused.
const RSA_BITS_MIN: usize = 2048;

/// The most of a key's own words that an error repeats, in characters.
const NAME_CHARS_MAX: usize = 80;

/// Where the keys come from.
#[derive(Clone)]
pub enum KeySource {
    /// HS256 with this secret.
    Secret(Vec<u8>),
    /// EdDSA, ES256 or RS256 with this public key, in PEM.
    PublicKey(String),
    /// The text of a JWK set.
    Jwks(String),
    /// A JWK set behind an address, fetched and kept.
    JwksUrl(String),
}

/// Why keys cannot be used; said at start, in one line.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the secret is empty")]
    EmptySecret,
    #[error("the public key is not the PEM of an Ed25519, P-256 or RSA public key")]
    NotAPublicKey,
    #[error("it holds a private key, which no service should have: give its public key alone")]
    PrivateKey,
    #[error("it holds a certificate: give the public key in it, as `openssl x509 -pubkey -noout` prints it")]
    Certificate,
    #[error("it is an RSA key of {0} bits; at least {RSA_BITS_MIN} bits are needed, with fewer no token is verified")]
    ShortRsaKey(usize),
    #[error("the key set is not a JWK set: {0}")]
    NotAKeySet(String),
    #[error("the key set holds no EdDSA, ES256 or RS256 signing key: {0}")]
    NoUsableKey(String),
    #[error("the key set's address is not an http or https URL")]
    NotAUrl,
    #[error("the key set's client cannot be built: {0}")]
    Client(String),
}

/// One key and the one algorithm it is used for.
#[derive(Clone)]
pub(super) struct VerifyingKey {
    pub kid: Option<String>,
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

/// The keys in force.
pub(super) enum Keys {
    Fixed(Vec<VerifyingKey>),
    Fetched(Arc<Jwks>),
}

impl Keys {
    /// Reads the keys, or begins to fetch them.
    pub async fn start(source: KeySource) -> Result<Keys, KeyError> {
        match source {
            KeySource::Secret(secret) if secret.is_empty() => Err(KeyError::EmptySecret),
            KeySource::Secret(secret) => {
                let key = DecodingKey::from_secret(&secret);
                Ok(Keys::Fixed(vec![VerifyingKey { kid: None, algorithm: Algorithm::HS256, key }]))
            }
            KeySource::PublicKey(pem) => public_key(&pem).map(|key| Keys::Fixed(vec![key])),
            KeySource::Jwks(text) => key_set(text.as_bytes()).map(Keys::Fixed),
            KeySource::JwksUrl(url) => Ok(Keys::Fetched(Arc::new(Jwks::start(&url).await?))),
        }
    }
}

fn public_key(pem: &str) -> Result<VerifyingKey, KeyError> {
    // The readers below take private keys and certificates too, and misread them.
    if pem.contains("PRIVATE KEY-----") {
        return Err(KeyError::PrivateKey);
    }
    if pem.contains("-----BEGIN CERTIFICATE-----") {
        return Err(KeyError::Certificate);
    }
    if !pem.contains("-----BEGIN PUBLIC KEY-----") && !pem.contains("-----BEGIN RSA PUBLIC KEY-----") {
        return Err(KeyError::NotAPublicKey);
    }
    let pem = pem.as_bytes();
    let readings = [
        (Algorithm::EdDSA, DecodingKey::from_ed_pem(pem)),
        (Algorithm::ES256, DecodingKey::from_ec_pem(pem)),
        (Algorithm::RS256, DecodingKey::from_rsa_pem(pem)),
    ];
    let read = readings.into_iter().find_map(|(algorithm, key)| key.ok().map(|key| (algorithm, key)));
    let (algorithm, key) = read.ok_or(KeyError::NotAPublicKey)?;
    let key = VerifyingKey { kid: None, algorithm, key };
    match (key.has_fitting_size(), rsa_bits(&key.key)) {
        (true, _) => Ok(key),
        (false, Some(bits)) if algorithm == Algorithm::RS256 => Err(KeyError::ShortRsaKey(bits)),
        (false, _) => Err(KeyError::NotAPublicKey),
    }
}

/// The bits of an RSA key's modulus; `None` where there is none.
fn rsa_bits(key: &DecodingKey) -> Option<usize> {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, .. } => Some(bits_of(n)),
        DecodingKeyKind::SecretOrDer(der) => modulus_of(der).map(bits_of),
    }
}

/// The modulus in an `RSAPublicKey` of DER (RFC 8017, A.1.1): the first of two integers in a sequence.
fn modulus_of(der: &[u8]) -> Option<&[u8]> {
    let sequence = content_of(0x30, der)?;
    content_of(0x02, sequence)
}

/// What is in the first value of these bytes, where it has this tag.
fn content_of(tag: u8, der: &[u8]) -> Option<&[u8]> {
    let (&[found, short], rest) = der.split_first_chunk()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match usize::from(short) {
        length @ 0..0x80 => (length, rest),
        wide => {
            let (digits, rest) = rest.split_at_checked(wide & 0x7f).filter(|(digits, _)| digits.len() <= 4)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    rest.get(..length)
}

/// Of a number in big-endian octets.
fn bits_of(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let first = number.get(zeros).map_or(0, |octet| octet.leading_zeros() as usize);
    (number.len() - zeros) * 8 - first
}

/// The usable keys of a JWK set. Keys of other kinds and uses are passed over, as RFC 7517 asks; where none is left, the
/// error names each and what is wrong with it.
pub(super) fn key_set(document: &[u8]) -> Result<Vec<VerifyingKey>, KeyError> {
    let set: Value = serde_json::from_slice(document).map_err(|error| KeyError::NotAKeySet(error.to_string()))?;
    let keys =
        set.get("keys").and_then(Value::as_array).ok_or_else(|| KeyError::NotAKeySet("it has no keys".into()))?;
    let (mut usable, mut passed_over) = (Vec::new(), Vec::new());
    for (index, key) in keys.iter().enumerate() {
        match usable_key(key) {
            Ok(key) => usable.push(key),
            Err(why) => passed_over.push(format!("{} {why}", name_of(index, key))),
        }
    }
    usable.truncate(KEYS_MAX);
    if !usable.is_empty() {
        return Ok(usable);
    }
    let more = passed_over.len().saturating_sub(KEYS_MAX);
    passed_over.truncate(KEYS_MAX);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let told = if passed_over.is_empty() { "it is empty".to_owned() } else { passed_over.join("; ") };
    Err(KeyError::NoUsableKey(told + &more))
}

/// How an error names a key of a set: by its place, counted from 1, and its `kid`.
fn name_of(index: usize, key: &Value) -> String {
    let kid = key.get("kid").and_then(Value::as_str).map(|kid| format!(" (kid {})", short(kid)));
    format!("key {}{}", index + 1, kid.unwrap_or_default())
}

/// In one line, and not too long.
fn short(text: &str) -> String {
    text.chars().take(NAME_CHARS_MAX).flat_map(char::escape_debug).collect()
}

/// A key of a set, or why it is not used: words that go on after its name.
fn usable_key(key: &Value) -> Result<VerifyingKey, String> {
    let text = |name: &str| match key.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("has a value of {name} that is no text")),
    };
    let needed = |name: &str| text(name)?.ok_or_else(|| format!("has no {name}"));
    let kid = text("kid")?.map(str::to_owned);
    if let Some(other) = text("use")?.filter(|r#use| *r#use != "sig") {
        return Err(format!("is not for signatures (use {})", short(other)));
    }
    match key.get("key_ops") {
        None | Some(Value::Null) => {}
        Some(Value::Array(operations)) if operations.iter().any(|one| one.as_str() == Some("verify")) => {}
        Some(_) => return Err("is not for verifying (key_ops)".to_owned()),
    }
    let unreadable = |_error: jsonwebtoken::errors::Error| "cannot be read: a part of it is not base64url".to_owned();
    let (algorithm, decoding) = match (needed("kty")?, text("crv")?) {
        ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, DecodingKey::from_ed_components(needed("x")?)),
        ("EC", Some("P-256")) => (Algorithm::ES256, DecodingKey::from_ec_components(needed("x")?, needed("y")?)),
        ("RSA", _) => (Algorithm::RS256, DecodingKey::from_rsa_components(needed("n")?, needed("e")?)),
        // A symmetric key in a public set would be everybody's secret.
        ("oct", _) => return Err("is a secret (kty oct), which no set may hold".to_owned()),
        ("OKP" | "EC", crv) => return Err(format!("is on another curve (crv {})", short(crv.unwrap_or("is missing")))),
        (kty, _) => return Err(format!("is of another kind (kty {})", short(kty))),
    };
    if let Some(other) = text("alg")?.filter(|alg| algorithm_named(alg) != Some(algorithm)) {
        return Err(format!("is for another algorithm (alg {}, not {algorithm:?})", short(other)));
    }
    let key = VerifyingKey { kid, algorithm, key: minimal(decoding.map_err(unreadable)?) };
    match (key.has_fitting_size(), algorithm) {
        (true, _) => Ok(key),
        (false, Algorithm::RS256) => {
            let bits = rsa_bits(&key.key).unwrap_or_default();
            Err(format!("is too short (RSA of {bits} bits, not {RSA_BITS_MIN})"))
        }
        (false, Algorithm::EdDSA) => Err("has not the length of an Ed25519 key".to_owned()),
        (false, _) => Err("has not the length of a P-256 key".to_owned()),
    }
}

/// Java's libraries write the sign of a big number too: a leading zero octet, which the verifier takes for a broken key.
fn minimal(key: DecodingKey) -> DecodingKey {
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else { return key };
    let without_zeros = |number: &[u8]| {
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        number.iter().skip(zeros).copied().collect::<Vec<u8>>()
    };
    DecodingKey::from_rsa_raw_components(&without_zeros(n), &without_zeros(e))
}

impl VerifyingKey {
    /// Whether a token that names this key, or none, may have been signed with it. A key without a name may be any.
    pub fn may_be(&self, kid: Option<&str>) -> bool {
        match (&self.kid, kid) {
            (Some(own), Some(named)) => own == named,
            (None, _) | (_, None) => true,
        }
    }

    /// Ed25519 has 32 bytes, an uncompressed P-256 point 65; of an RSA key the bits of the modulus count.
    fn has_fitting_size(&self) -> bool {
        match (self.algorithm, self.key.kind()) {
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(bytes)) => bytes.len() == 32,
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(bytes)) => bytes.len() == 65,
            (Algorithm::RS256, _) => rsa_bits(&self.key).is_some_and(|bits| bits >= RSA_BITS_MIN),
            _ => true,
        }
    }
}
