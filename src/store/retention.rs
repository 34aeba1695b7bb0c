//! Forgetting: what the policy's retention no longer keeps goes in small bites.

use super::error::StoreError;
use super::{Answer, Store};
use crate::domain::ids::OrgId;
use crate::domain::instant::Instant;
use crate::domain::span::Span;

/// Bites a round takes from one organisation; what is left goes in the next rounds.
const BITES_MAX: usize = 50;

impl Store {
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
