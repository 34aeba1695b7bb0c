//! A JWK set behind an address: fetched at start, kept, and fetched again every few minutes in the background. Between
//! that, a token that does not fit the keys has them fetched again, because the provider may have changed them: one that
//! names an unknown key, and one whose signature fails. Both have their own bounds, so that strangers' tokens cost the
//! provider little and never use up what an honest rotation needs. When the set cannot be fetched the last keys stay in force.
//!
//! Calls that wait for the same fetch share it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use reqwest::{Client, Url, redirect};
use tokio::sync::Mutex;

use super::keys::{KeyError, VerifyingKey, key_set};

/// The whole fetch, from the name look-up to the last byte.
const FETCH_WAIT_MAX: Duration = Duration::from_secs(5);

/// The largest set read, in bytes.
const SET_BYTES_MAX: usize = 256 * 1024;

/// Between fetches in the background: so long a key that was withdrawn stays in force.
const REFRESH_EVERY: Duration = Duration::from_secs(300);

/// The pause between fetches while none has ever succeeded: nobody can sign in until one does.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// How long an unknown name that was asked for in vain is not asked for again.
const NAME_PAUSE: Duration = Duration::from_secs(60);

/// Fetches for unknown names, whatever names: so many at once, and one more after each pause. With one alone, a made-up
/// name just before a rotation would shut out everybody whom the provider signs in after it.
const NAMES_AT_ONCE: u32 = 2;
const NAMES_PAUSE: Duration = Duration::from_secs(10);

/// The pause between fetches because the signature of a known key failed.
const DOUBT_PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Jwks {
    client: Client,
    url: Url,
    /// None until the first fetch that succeeded.
    keys: RwLock<Option<Arc<[VerifyingKey]>>>,
    /// Held while a fetch is under way.
    asked: Mutex<Asked>,
}

/// What is known about a token's key.
pub(super) enum Lookup {
    Keys(Arc<[VerifyingKey]>),
    /// No set was ever read, so nothing can be said about any token.
    Away,
}

/// When, and what for, the set was fetched before its time.
#[derive(Default)]
struct Asked {
    first: Option<Instant>,
    doubted: Option<Instant>,
    /// Fetches that unknown names have had and that are not yet forgotten, and since when the next is being forgotten.
    names_spent: u32,
    names_since: Option<Instant>,
    /// Unknown names that a fetch did not bring. No more than [`NAME_PAUSE`] has fetches.
    in_vain: HashMap<String, Instant>,
}

impl Asked {
    /// Whether an unknown name may have the set fetched; counts it if so.
    fn may_for_name(&mut self, kid: &str, now: Instant) -> bool {
        self.in_vain.retain(|_, at| now.saturating_duration_since(*at) < NAME_PAUSE);
        let since = *self.names_since.get_or_insert(now);
        let pauses = now.saturating_duration_since(since).as_secs() / NAMES_PAUSE.as_secs();
        let pauses = u32::try_from(pauses).unwrap_or(u32::MAX).min(self.names_spent);
        self.names_spent -= pauses;
        self.names_since = (self.names_spent > 0).then(|| since + NAMES_PAUSE * pauses);
        let may = self.names_spent < NAMES_AT_ONCE && !self.in_vain.contains_key(kid);
        if may {
            self.names_spent += 1;
            self.names_since.get_or_insert(now);
        }
        may
    }

    /// The keys had been changed, and now they are known: they will not be changed again just now.
    fn rotated(&mut self, now: Instant) {
        (self.names_spent, self.names_since) = (NAMES_AT_ONCE, Some(now));
    }
}

impl Jwks {
    pub async fn start(url: &str) -> Result<Jwks, KeyError> {
        let url = Url::parse(url).map_err(|_unreadable| KeyError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(KeyError::NotAUrl);
        }
        let client = Client::builder()
            .timeout(FETCH_WAIT_MAX)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| KeyError::Client(error.to_string()))?;
        let jwks = Jwks { client, url, keys: RwLock::new(None), asked: Mutex::default() };
        jwks.refresh().await;
        Ok(jwks)
    }

    /// Fetches the set every few minutes, for ever.
    pub async fn keep(&self) {
        self.keep_every(REFRESH_EVERY).await;
    }

    async fn keep_every(&self, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            let _held = self.asked.lock().await;
            self.refresh().await;
        }
    }

    /// The keys a token may have been signed with; refreshes them when `kid` is unknown.
    pub async fn lookup(&self, kid: Option<&str>) -> Lookup {
        self.lookup_at(kid, Instant::now()).await
    }

    async fn lookup_at(&self, kid: Option<&str>, now: Instant) -> Lookup {
        let before = self.current();
        if let Some(keys) = before.clone().filter(|keys| may_hold(keys, kid)) {
            return Lookup::Keys(keys);
        }
        let mut asked = self.asked.lock().await;
        let current = self.current();
        let Some(keys) = current.clone() else {
            if asked.first.is_none_or(|at| now.saturating_duration_since(at) >= FIRST_PAUSE) {
                asked.first = Some(now);
                self.refresh().await;
            }
            return self.current().map_or(Lookup::Away, Lookup::Keys);
        };
        // Whoever waited for another's fetch has had one.
        let waited = !same(&before, &current);
        if let Some(kid) = kid.filter(|kid| !waited && !may_hold(&keys, Some(kid)) && asked.may_for_name(kid, now)) {
            let fetched = self.refresh().await;
            match self.current() {
                Some(keys) if may_hold(&keys, Some(kid)) => asked.rotated(now),
                // Of a set that could not be fetched nobody knows what it holds.
                Some(_) | None if fetched => _ = asked.in_vain.insert(kid.to_owned(), now),
                Some(_) | None => {}
            }
        }
        self.current().map_or(Lookup::Away, Lookup::Keys)
    }

    /// Other keys than these, which do not fit a token that names one of them: refreshed, if it is time.
    pub async fn doubted(&self, held: &Arc<[VerifyingKey]>) -> Option<Arc<[VerifyingKey]>> {
        self.doubted_at(held, Instant::now()).await
    }

    async fn doubted_at(&self, held: &Arc<[VerifyingKey]>, now: Instant) -> Option<Arc<[VerifyingKey]>> {
        let newer = || self.current().filter(|keys| !Arc::ptr_eq(keys, held));
        let mut asked = self.asked.lock().await;
        if let Some(keys) = newer() {
            return Some(keys);
        }
        if asked.doubted.is_some_and(|at| now.saturating_duration_since(at) < DOUBT_PAUSE) {
            return None;
        }
        asked.doubted = Some(now);
        self.refresh().await;
        newer()
    }

    fn current(&self) -> Option<Arc<[VerifyingKey]>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the set; says whether it could.
    async fn refresh(&self) -> bool {
        match self.fetch().await {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.into());
                true
            }
            Err(error) => {
                let (address, consequence) = (self.address(), self.consequence());
                tracing::warn!(%error, address, "the key set at {address} could not be fetched ({error}); {consequence}");
                false
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

/// Whether a token of this key name may be signed with one of these.
fn may_hold(keys: &[VerifyingKey], kid: Option<&str>) -> bool {
    keys.iter().any(|key| key.may_be(kid))
}

fn same(one: &Option<Arc<[VerifyingKey]>>, other: &Option<Arc<[VerifyingKey]>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests;
