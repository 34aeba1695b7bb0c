//! The keys tokens are checked with, each bound to the one algorithm it may be
//! used for. What a token's header says about algorithms and keys decides nothing
//! beyond which of these keys is tried.
//!
//! It knows key formats; what a token claims is read in `tokens.rs`.

use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde_json::Value;

use super::jwks::Jwks;

/// Keys in one set at most; more would let one token cost that many signature checks.
const KEYS_MAX: usize = 32;

/// What RS256 asks for (RFC 7518, section 3.3); with a shorter key every signature is refused.
const RSA_BITS_MIN: usize = 2048;

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
    #[error("an RSA key of {RSA_BITS_MIN} bits or more is needed: shorter ones verify no token")]
    ShortRsaKey,
    #[error("the key set is not a JWK set: {0}")]
    NotAKeySet(String),
    #[error("the key set holds no EdDSA, ES256 or RS256 signing key (RSA of {RSA_BITS_MIN} bits or more)")]
    NoUsableKey,
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
    Fetched(Box<Jwks>),
}

impl Keys {
    /// Reads the keys, or begins to fetch them. `pause` is the least time between two fetches.
    pub async fn start(source: KeySource, pause: Duration) -> Result<Keys, KeyError> {
        match source {
            KeySource::Secret(secret) if secret.is_empty() => Err(KeyError::EmptySecret),
            KeySource::Secret(secret) => {
                let key = DecodingKey::from_secret(&secret);
                Ok(Keys::Fixed(vec![VerifyingKey { kid: None, algorithm: Algorithm::HS256, key }]))
            }
            KeySource::PublicKey(pem) => public_key(&pem).map(|key| Keys::Fixed(vec![key])),
            KeySource::Jwks(text) => key_set(text.as_bytes()).map(Keys::Fixed),
            KeySource::JwksUrl(url) => Ok(Keys::Fetched(Box::new(Jwks::start(&url, pause).await?))),
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
    match key.has_fitting_size() {
        true => Ok(key),
        false if algorithm == Algorithm::RS256 => Err(KeyError::ShortRsaKey),
        false => Err(KeyError::NotAPublicKey),
    }
}

/// The usable keys of a JWK set. Keys of other kinds and uses are passed over, as RFC 7517 asks.
pub(super) fn key_set(document: &[u8]) -> Result<Vec<VerifyingKey>, KeyError> {
    let set: Value = serde_json::from_slice(document).map_err(|error| KeyError::NotAKeySet(error.to_string()))?;
    let keys =
        set.get("keys").and_then(Value::as_array).ok_or_else(|| KeyError::NotAKeySet("it has no keys".into()))?;
    let usable: Vec<VerifyingKey> = keys.iter().filter_map(usable).take(KEYS_MAX).collect();
    if usable.is_empty() { Err(KeyError::NoUsableKey) } else { Ok(usable) }
}

fn usable(key: &Value) -> Option<VerifyingKey> {
    let jwk: Jwk = serde_json::from_value(key.clone()).ok()?;
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        // A symmetric key in a public set would be everybody's secret.
        _ => return None,
    };
    let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let for_this = jwk.common.key_algorithm.is_none_or(|alg| alg == named);
    let key = VerifyingKey { kid: jwk.common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(&jwk).ok()? };
    (for_signatures && for_this && key.has_fitting_size()).then_some(key)
}

impl VerifyingKey {
    /// Ed25519 has 32 bytes, an uncompressed P-256 point 65; an RSA key's DER is a little longer than its modulus.
    fn has_fitting_size(&self) -> bool {
        match (self.algorithm, self.key.kind()) {
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(bytes)) => bytes.len() == 32,
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(bytes)) => bytes.len() == 65,
            (_, DecodingKeyKind::SecretOrDer(bytes) | DecodingKeyKind::RsaModulusExponent { n: bytes, .. }) => {
                bytes.len() * 8 >= RSA_BITS_MIN
            }
        }
    }
}
