//! A JWK set behind an address: fetched at start, kept, and asked again only when
//! a token names a key that is not in it, at most once in a while. When it cannot
//! be fetched the last keys stay in force.
//!
//! Requests that wait for the same refresh share one fetch.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use reqwest::{Client, Url, redirect};
use tokio::sync::Mutex;

use super::keys::{KeyError, VerifyingKey, key_set};

/// The whole fetch, from the name look-up to the last byte.
const FETCH_WAIT_MAX: Duration = Duration::from_secs(5);

/// The largest set read, in bytes.
const SET_BYTES_MAX: usize = 256 * 1024;

/// The pause between fetches while none has ever succeeded: nobody can sign in until one does.
const FIRST_PAUSE_MAX: Duration = Duration::from_secs(5);

pub(super) struct Jwks {
    client: Client,
    url: Url,
    pause: Duration,
    /// None until the first fetch that succeeded.
    keys: RwLock<Option<Arc<[VerifyingKey]>>>,
    /// When the last refresh began; held while one is under way.
    refreshed: Mutex<Option<Instant>>,
}

/// What is known about a token's key.
pub(super) enum Lookup {
    Keys(Arc<[VerifyingKey]>),
    /// No set was ever read, so nothing can be said about any token.
    Away,
}

impl Jwks {
    pub async fn start(url: &str, pause: Duration) -> Result<Jwks, KeyError> {
        let url = Url::parse(url).map_err(|_unreadable| KeyError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(KeyError::NotAUrl);
        }
        let client = Client::builder()
            .timeout(FETCH_WAIT_MAX)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| KeyError::Client(error.to_string()))?;
        let jwks = Jwks { client, url, pause, keys: RwLock::new(None), refreshed: Mutex::new(None) };
        jwks.refresh().await;
        Ok(jwks)
    }

    /// The keys a token may have been signed with; refreshes them when `kid` is unknown.
    pub async fn lookup(&self, kid: Option<&str>) -> Lookup {
        if let Some(keys) = self.holding(kid) {
            return Lookup::Keys(keys);
        }
        let mut refreshed = self.refreshed.lock().await;
        if let Some(keys) = self.holding(kid) {
            return Lookup::Keys(keys);
        }
        let pause = if self.current().is_some() { self.pause } else { self.pause.min(FIRST_PAUSE_MAX) };
        if refreshed.is_none_or(|at| at.elapsed() >= pause) {
            *refreshed = Some(Instant::now());
            self.refresh().await;
        }
        self.current().map_or(Lookup::Away, Lookup::Keys)
    }

    fn current(&self) -> Option<Arc<[VerifyingKey]>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The current keys, if they hold the one that is named, or none is named.
    fn holding(&self, kid: Option<&str>) -> Option<Arc<[VerifyingKey]>> {
        let known = |keys: &Arc<[VerifyingKey]>| kid.is_none() || keys.iter().any(|key| key.kid.as_deref() == kid);
        self.current().filter(known)
    }

    async fn refresh(&self) {
        match self.fetch().await {
            Ok(keys) => *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.into()),
            Err(error) => {
                let (address, consequence) = (self.address(), self.consequence());
                tracing::warn!(%error, address, "the key set at {address} could not be fetched ({error}); {consequence}");
            }
        }
    }

    /// Without what may be a secret: user, password and query.
    fn address(&self) -> String {
        let mut shown = self.url.clone();
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        shown.set_query(None);
        shown.into()
    }

    fn consequence(&self) -> &'static str {
        match self.current() {
            Some(_) => "the last keys stay in force",
            None => "there are no keys yet, so every token is answered 503 until it can be",
        }
    }

    async fn fetch(&self) -> Result<Vec<VerifyingKey>, String> {
        let told = |error: reqwest::Error| causes(&error.without_url());
        let mut response = self.client.get(self.url.clone()).send().await.map_err(told)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("the answer was {}", response.status()));
        }
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            if document.len() + chunk.len() > SET_BYTES_MAX {
                return Err(format!("it is larger than {SET_BYTES_MAX} bytes"));
            }
            document.extend_from_slice(&chunk);
        }
        key_set(&document).map_err(|error| error.to_string())
    }
}

/// The last cause says what to mend: `Connection refused`, not `error sending request`.
fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    let (first, last) = (error.to_string(), last.to_string());
    if first == last { first } else { format!("{first}: {last}") }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const SET: &str =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    /// Answers each connection with the next of these, then refuses them.
    async fn serving(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        url
    }

    #[actix_web::test]
    async fn a_set_that_was_away_at_the_start_is_fetched_later() {
        let set = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{SET}", SET.len());
        let url = serving(vec![String::new(), String::new(), set]).await;
        let jwks = Jwks::start(&url, Duration::ZERO).await.unwrap();
        assert!(matches!(jwks.lookup(Some("a")).await, Lookup::Away));
        assert!(matches!(jwks.lookup(Some("a")).await, Lookup::Keys(keys) if keys.len() == 1));
        assert!(matches!(jwks.lookup(None).await, Lookup::Keys(keys) if keys.len() == 1), "and kept");
    }
}
