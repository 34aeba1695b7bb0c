//! The keys tokens are checked with, each bound to the one algorithm it may be
//! used for. What a token's header says about algorithms and keys decides nothing
//! beyond which of these keys is tried.
//!
//! It knows key formats; what a token claims is read in `tokens.rs`.

use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::jwks::Jwks;

/// Keys in one set at most; more would let one token cost that many signature checks.
const KEYS_MAX: usize = 32;

/// What RS256 asks for (RFC 7518, section 3.3); smaller keys verify nothing.
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
    #[error("it is a private key; whoever signs tokens keeps that, and gives the public key that belongs to it")]
    PrivateKey,
    #[error("it is a certificate; give the public key in it (openssl x509 -pubkey -noout)")]
    Certificate,
    #[error("it is an RSA key of {0} bits; RS256 needs at least {RSA_BITS_MIN}")]
    SmallRsa(usize),
    #[error("the key set is not a JWK set: {0}")]
    NotAKeySet(String),
    #[error("the key set holds no EdDSA, ES256 or RS256 signing key (RSA: of at least {RSA_BITS_MIN} bits)")]
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
    if pem.contains("CERTIFICATE-----") {
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
    if algorithm == Algorithm::RS256 {
        let modulus = key.try_get_as_bytes().ok().and_then(modulus_of).ok_or(KeyError::NotAPublicKey)?;
        let bits = bits_of(modulus);
        if bits < RSA_BITS_MIN {
            return Err(KeyError::SmallRsa(bits));
        }
    }
    let key = VerifyingKey { kid: None, algorithm, key };
    if key.has_fitting_size() { Ok(key) } else { Err(KeyError::NotAPublicKey) }
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

/// Of a number in big-endian bytes.
fn bits_of(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let first = number.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    (number.len() - zeros) * 8 - first
}

/// Of a number in base64url, whose first characters are the highest bits. What is no base64url is refused when read.
fn bits_in(base64url: &str) -> usize {
    let sextet = |character: u8| match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let digits = base64url.trim_end_matches('=').as_bytes();
    let zeros = digits.iter().take_while(|digit| **digit == b'A').count();
    let first = digits.get(zeros).map_or(0, |digit| sextet(*digit).leading_zeros() as usize - 2);
    (digits.len() * 6 / 8 * 8).saturating_sub(zeros * 6 + first)
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
        AlgorithmParameters::RSA(key) if bits_in(&key.n) >= RSA_BITS_MIN => (Algorithm::RS256, KeyAlgorithm::RS256),
        // A symmetric key in a public set would be everybody's secret.
        _ => return None,
    };
    let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let for_this = jwk.common.key_algorithm.is_none_or(|alg| alg == named);
    let key = VerifyingKey { kid: jwk.common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(&jwk).ok()? };
    (for_signatures && for_this && key.has_fitting_size()).then_some(key)
}

impl VerifyingKey {
    /// Ed25519 has 32 bytes, an uncompressed P-256 point 65; RSA sizes are checked with each signature.
    fn has_fitting_size(&self) -> bool {
        let bytes = self.key.try_get_as_bytes().map(<[u8]>::len);
        match self.algorithm {
            Algorithm::EdDSA => matches!(bytes, Ok(32)),
            Algorithm::ES256 => matches!(bytes, Ok(65)),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_rsa_key_is_that_of_its_modulus() {
        // 2047 and 2048 bits, each with the zero that keeps a DER integer positive.
        for (first, bits) in [(0x7f, 2047), (0x80, 2048)] {
            let mut number = vec![0, first];
            number.resize(257, 0);
            let mut der = vec![0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01];
            der.extend(&number);
            der.extend([0x02, 0x03, 1, 0, 1]);
            assert_eq!(modulus_of(&der).map(bits_of), Some(bits));
            assert_eq!(modulus_of(&der[..200]), None);
        }
        // 256 bytes are 342 characters: 2052 bits, of which the last four are padding.
        assert_eq!(bits_in(&format!("g{}", "A".repeat(341))), 2048);
        assert_eq!(bits_in(&format!("f{}", "A".repeat(341))), 2047);
        assert_eq!(bits_in(&format!("AIA{}", "A".repeat(340))), 2048, "with a zero before it");
        assert_eq!(bits_in(""), 0);
    }
}
