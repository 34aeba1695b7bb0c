//! Organisations, their policy, and their clubs.

use std::collections::BTreeMap;

use redis::FromRedisValue;
use tracing::warn;

use super::classes::reterm;
use super::directory::name_of;
use super::error::StoreError;
use super::reply::{Record, Reply, corrupt};
use super::{Answer, Store, Write, keys};
use crate::domain::ids::{ClubId, OrgId};
use crate::domain::instant::{Instant, from_ms};
use crate::domain::invalid::sentence;
use crate::domain::org::{Club, Org};
use crate::domain::policy::{Policy, StoredPolicy};
use crate::domain::terms::Terms;

/// An organisation with its clubs, at an instant.
#[derive(Clone, Debug)]
pub struct OrgView {
    pub org: Org,
    /// By id.
    pub clubs: Vec<Club>,
    pub now: Instant,
    /// Says by which rules series are published; under others they are looked at again.
    pub(super) series_rules: String,
}

/// What becomes of an organisation. With neither a name nor a policy it is only looked at.
#[derive(Clone, Debug, Default)]
pub struct OrgChange<'a> {
    /// None keeps it.
    pub name: Option<&'a str>,
    /// None keeps it; a new organisation gets `otherwise`.
    pub policy: Option<&'a Policy>,
    /// The policy of an organisation that does not exist yet; none: it must exist.
    pub otherwise: Option<&'a Policy>,
    pub if_match: Option<u64>,
}

impl Store {
    /// Every organisation's id, sorted.
    pub async fn orgs(&self) -> Result<Vec<OrgId>, StoreError> {
        let reply = self.lanes.call(redis::cmd("SMEMBERS").arg(keys::ORGS)).await?;
        let ids = Vec::<String>::from_redis_value(reply).map_err(corrupt)?;
        let known =
            |id: &String| id.parse().inspect_err(|error| warn!("a listed organisation's id is none: {error}")).ok();
        let mut ids: Vec<OrgId> = ids.iter().filter_map(known).collect();
        ids.sort();
        Ok(ids)
    }

    pub async fn org(&self, id: &OrgId) -> Result<Answer<OrgView>, StoreError> {
        Answer::of(self.read(id, "read_org", &[]).await?, |reply| {
            let record = reply.record()?;
            let org = org(id, &record)?;
            let again = record.get("reopened").map(|again| format!("-{again}")).unwrap_or_default();
            let series_rules = format!("{}{again}", org.revision);
            let clubs = clubs(&mut reply.nested()?)?;
            let now = reply.text()?.parse().ok().and_then(from_ms).ok_or_else(|| corrupt("now"))?;
            Ok(OrgView { org, clubs, now, series_rules })
        })
    }

    /// Creates or changes an organisation; says whether it was created. A new policy takes every class with it whose
    /// booking has not opened.
    pub async fn put_org(&self, write: &Write, change: &OrgChange<'_>) -> Result<Answer<(Org, bool)>, StoreError> {
        let id = &write.org;
        self.durability.check_writes()?;
        self.lanes.call(redis::cmd("SADD").arg(keys::ORGS).arg(id.as_str())).await?;
        let clock = self.lanes.call(redis::cmd("GET").arg(keys::CLOCK)).await?;
        let clock = Option::<String>::from_redis_value(clock).map_err(corrupt)?.unwrap_or_default();
        let expected = change.if_match.map(|revision| revision.to_string()).unwrap_or_default();
        let mut args = vec![change.name.unwrap_or_default().to_owned()];
        args.extend(policy_fields(change.policy));
        args.extend(policy_fields(change.otherwise));
        args.extend([expected, clock]);
        args.extend([change.policy, change.otherwise].map(|policy| name_of(policy.and_then(Policy::country))));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let reply = self.write(write, "put_org", &args).await?;
        let answer = Answer::of(reply, |reply| Ok((org(id, &reply.record()?)?, reply.optional()?.is_some())))?;
        if change.policy.is_some() && answer.outcome.is_ok() {
            self.read_phones_again(id).await;
        }
        Ok(answer)
    }

    /// Answers `ASK terms`: what the organisation's policy makes of some classes that are not yet open.
    pub(super) async fn send_terms(&self, org: &OrgId, asked: &mut Reply) -> Result<(), StoreError> {
        let policy = serde_json::from_str(&asked.text()?).map_err(corrupt)?;
        let policy = Policy::parse(&policy).map_err(|errors| corrupt(format!("policy of {org}: {errors:?}")))?;
        let mut place = Vec::new();
        for _ in 0..5 {
            place.push(asked.text()?);
        }
        let mut classes = Vec::new();
        while !asked.is_empty() {
            let (id, stored) = (asked.text()?, asked.record()?);
            match new_terms(&policy, &stored) {
                Ok((_, fields)) if fields.is_empty() => {}
                Ok((revision, fields)) => classes.push(serde_json::json!([id, revision, fields])),
                // One class that cannot be read keeps its terms; it must not keep the organisation from every call.
                Err(error) => warn!(%org, class = id, "class {id} keeps its terms under the new policy: {error}"),
            }
        }
        let classes = serde_json::Value::Array(classes).to_string();
        let mut args = vec![""];
        args.extend(place.iter().map(String::as_str));
        args.push(&classes);
        Reply::parse(self.library.fcall(&self.lanes, "put_terms", &keys::anchor(org), &args).await?)?;
        Ok(())
    }

    pub async fn put_club(&self, write: &Write, club: &Club) -> Result<Answer<Club>, StoreError> {
        let reply = self.write(write, "put_club", &[club.id.as_str(), &club.name]).await?;
        Answer::of(reply, |reply| Ok(Club { id: reply.text()?.parse().map_err(corrupt)?, name: reply.text()? }))
    }
}

/// Zone, currency and text of a policy, as `put_org` takes them; empty for none.
fn policy_fields(policy: Option<&Policy>) -> [String; 3] {
    policy.map_or_else(Default::default, |policy| {
        [policy.timezone.name().to_owned(), policy.currency.to_string(), policy.to_json().to_string()]
    })
}

/// The revision of a stored class, and the fields that another policy changes.
fn new_terms(policy: &Policy, stored: &Record) -> Result<(u64, BTreeMap<&'static str, String>), StoreError> {
    let fields = reterm(stored, &retermed(policy, stored)?);
    Ok((stored.parse("revision")?, fields.into_iter().collect()))
}

/// A class's terms under another policy; its own override stays. Where the two no longer fit together, the class keeps
/// the terms it was published with.
fn retermed(policy: &Policy, stored: &Record) -> Result<Terms, StoreError> {
    let Some(patch) = stored.get("override") else {
        return Ok(Terms::of(policy, stored.instant_of("starts")?, stored.parse("minutes")?));
    };
    match policy.patched(&serde_json::from_str(patch).unwrap_or_default()) {
        Ok(effective) => Ok(Terms::of(&effective, stored.instant_of("starts")?, stored.parse("minutes")?)),
        Err(_no_longer_fits) => Terms::from_fields(|name| Some(stored.raw(name).unwrap_or_default())).map_err(corrupt),
    }
}

fn org(id: &OrgId, record: &Record) -> Result<Org, StoreError> {
    let StoredPolicy { mut policy, unreadable } = stored_policy(record.get("policy").unwrap_or_default())?;
    // The zone that instants are shown in is kept beside the policy, so it is known also where the policy is not.
    if let Some(zone) = record.get("zone").and_then(|zone| zone.parse().ok()) {
        policy.timezone = zone;
    }
    let unreadable = (!unreadable.is_empty()).then(|| format!("of the policy, {}", sentence(&unreadable)));
    let name = record.get("name").unwrap_or(id.as_str()).to_owned();
    Ok(Org { id: id.clone(), name, policy, revision: record.parse("revision")?, unreadable })
}

/// A policy as it was stored; what cannot be read is as in `standard`.
pub(super) fn stored_policy(text: &str) -> Result<StoredPolicy, StoreError> {
    Policy::stored(&serde_json::from_str(text).unwrap_or_default()).map_err(|errors| corrupt(sentence(&errors)))
}

fn clubs(list: &mut Reply) -> Result<Vec<Club>, StoreError> {
    let mut clubs = Vec::new();
    while !list.is_empty() {
        clubs.push(Club { id: list.text()?.parse::<ClubId>().map_err(corrupt)?, name: list.text()? });
    }
    clubs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(clubs)
}
