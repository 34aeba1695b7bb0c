//! Forgetting: what the policy's retention no longer keeps goes in small bites.

use redis::Value;

use super::error::StoreError;
use super::{Answer, Store, keys};
use crate::domain::ids::OrgId;
use crate::domain::instant::Instant;
use crate::domain::span::Span;

/// Bites a round takes from one organisation; what is left goes in the next rounds.
const BITES_MAX: usize = 50;

/// How long an organisation that was kept is left alone by every instance: with a round of the keeper on top, about an
/// hour.
const KEPT_MS: u64 = 40 * 60_000;

impl Store {
    /// Whether it is this instance's turn to keep an organisation's house; if so, nobody else's for a while.
    pub async fn claim_keeping(&self, org: &OrgId) -> Result<bool, StoreError> {
        let mut claim = redis::cmd("SET");
        claim.arg(keys::kept(org)).arg(1).arg("NX").arg("PX").arg(KEPT_MS);
        Ok(self.lanes.call(&claim).await? == Value::Okay)
    }

    /// The claim was of no use: the next instance may try.
    pub async fn give_up_keeping(&self, org: &OrgId) -> Result<(), StoreError> {
        self.lanes.call(redis::cmd("DEL").arg(keys::kept(org))).await.map(|_| ())
    }

    /// Trims events, closed classes and their bookings. The ledger is kept.
    pub async fn trim(&self, org: &OrgId) -> Result<(), StoreError> {
        let Ok(view) = self.org(org).await?.outcome else { return Ok(()) };
        let ms_before = |kept: &Span| since(view.now, kept).to_string();
        let events = ms_before(&view.org.policy.retention.events);
        let classes = ms_before(&view.org.policy.retention.history);
        self.durability.check_writes()?;
        for _ in 0..BITES_MAX {
            let reply = self.upkeep(org, "trim", &[&events, &classes]).await?;
            let bite = Answer::of(reply, |reply| Ok(reply.optional()?.is_some()))?;
            if bite.outcome != Ok(true) {
                break;
            }
        }
        Ok(())
    }
}

fn since(now: Instant, kept: &Span) -> i64 {
    now.timestamp_millis() - kept.fixed_ms()
}
