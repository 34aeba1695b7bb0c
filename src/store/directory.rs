//! The index by which members are found: its terms are made here, because names are folded and phones are read here.
//!
//! Phones are read in the country of the organisation's policy. So whoever sends terms says under which revision of the
//! organisation they were made; a function that knows another one answers `RETRY` with the policy. What a function needs
//! terms for it asks (`lua/directory.lua`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::error::StoreError;
use super::orgs::stored_policy;
use super::reply::Reply;
use super::{Store, keys};
use crate::domain::ids::OrgId;
use crate::domain::phone::Country;
use crate::domain::policy::Policy;
use crate::domain::search::terms;

/// How long a change of policy waits until phones are read in the new country everywhere; the keeper does what is left.
const REINDEX_WAIT: Duration = Duration::from_secs(4);

/// Organisations whose country is remembered. One that is forgotten costs one call.
const REMEMBERED_MAX: usize = 10_000;

/// In which country an organisation's phones are read, and under which of its revisions.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadIn {
    pub revision: String,
    pub country: Option<Country>,
}

/// What was last heard of every organisation.
#[derive(Clone, Default)]
pub(super) struct Countries(Arc<Mutex<HashMap<OrgId, ReadIn>>>);

impl Countries {
    fn of(&self, org: &OrgId) -> ReadIn {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // No organisation has revision 0, so the first call is answered with the policy.
        known.get(org).cloned().unwrap_or_else(|| ReadIn { revision: "0".to_owned(), country: None })
    }

    fn note(&self, org: &OrgId, read_in: ReadIn) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(org.clone(), read_in);
    }
}

/// How a function is told of a country.
pub(super) fn name_of(country: Option<Country>) -> String {
    country.map(|country| country.to_string()).unwrap_or_default()
}

impl Store {
    /// In which country an organisation's phones are read, as was last heard.
    pub(super) fn read_in(&self, org: &OrgId) -> ReadIn {
        self.countries.of(org)
    }

    /// Whether a call that said how it read phones is answered. Where it is not, `read_in` is what holds, and the call is
    /// to be made again.
    pub(super) fn is_answered(&self, org: &OrgId, read_in: &mut ReadIn, reply: &mut Reply) -> Result<bool, StoreError> {
        if reply.tag != "RETRY" {
            return Ok(true);
        }
        *read_in = heard(reply)?;
        self.countries.note(org, read_in.clone());
        Ok(false)
    }

    /// Answers a question for the terms of some members.
    pub(super) async fn send_names(&self, org: &OrgId, asked: &mut Reply) -> Result<(), StoreError> {
        let ReadIn { revision, country } = heard(asked)?;
        let (from, on) = (asked.text()?, asked.text()?);
        let mut members = Vec::new();
        while !asked.is_empty() {
            let (id, name, phone) = (asked.text()?, asked.text()?, asked.text()?);
            let terms = serde_json::Value::from(terms(&id, &name, &phone, country)).to_string();
            members.push(serde_json::json!([id, name, phone, terms]));
        }
        let members = serde_json::Value::Array(members).to_string();
        let args = ["", &revision, &name_of(country), &from, &on, &members];
        Reply::parse(self.library.fcall(&self.lanes, "put_names", &keys::anchor(org), &args).await?)?;
        Ok(())
    }

    /// After a change of policy: has every phone read in the country it names, as far as that is soon done.
    pub(super) async fn read_phones_again(&self, org: &OrgId) {
        let deadline = Instant::now() + REINDEX_WAIT;
        while Instant::now() < deadline {
            match self.migrate(org).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return warn!(%org, "phones of {org} are read by their old country for a while: {error}"),
            }
        }
    }
}

/// `<revision> <policy> <zone>`.
fn heard(reply: &mut Reply) -> Result<ReadIn, StoreError> {
    let (revision, policy, zone) = (reply.text()?, reply.text()?, reply.text()?);
    let mut policy: Policy = stored_policy(&policy)?.policy;
    if let Ok(zone) = zone.parse() {
        policy.timezone = zone;
    }
    Ok(ReadIn { revision, country: policy.country() })
}

/// After so many tries.
pub(super) fn never_the_same() -> StoreError {
    StoreError::Unavailable("the organisation's rules keep changing".to_owned())
}
