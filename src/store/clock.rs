//! Time: what is due is carried out, and for tests and demos the clock is set.

use chrono::TimeDelta;

use super::error::StoreError;
use super::{Command, Store, Write, keys};
use crate::domain::caller::By;
use crate::domain::ids::OrgId;
use crate::domain::instant::{Instant, from_ms};

/// Less than recurring classes are published ahead, so that none opens unpublished.
const TRAVEL_STEP: TimeDelta = TimeDelta::days(7);

/// How far the clock may go ahead in one call where classes recur: on the way they are published week by week, and a call
/// that takes longer than its caller waits goes on without them. Ten years, the longest span of any policy, are five
/// hundred steps: seconds, where the two centuries that an instant may lie ahead were minutes.
pub const TRAVEL_MAX: TimeDelta = TimeDelta::days(3_660);

impl Store {
    /// Whether every organisation can be taken to `now` in one call: see [`TRAVEL_MAX`].
    pub async fn within_travel(&self, now: Instant) -> Result<bool, StoreError> {
        for org in self.orgs().await? {
            let far = self.org(&org).await?.outcome.is_ok_and(|view| now - view.now > TRAVEL_MAX);
            if far && self.recurs(&org).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn recurs(&self, org: &OrgId) -> Result<bool, StoreError> {
        Ok(self.series_page(org, None, 1).await?.outcome.is_ok_and(|page| !page.items.is_empty()))
    }

    /// Carries out everything due in an organisation, and says when the next thing is.
    pub async fn settle(&self, org: &OrgId) -> Result<Option<Instant>, StoreError> {
        self.durability.check_writes()?;
        let reply = self.upkeep(org, "carry_out", &[]).await?;
        Ok(reply.due.and_then(from_ms))
    }

    /// Service time stands still at `now` in every organisation, or runs again. Answers when everything due by then has
    /// been carried out.
    pub async fn set_clock(&self, by: &By, now: Option<Instant>) -> Result<(), StoreError> {
        let global = match now {
            Some(now) => redis::cmd("SET").arg(keys::CLOCK).arg(now.timestamp_millis()).to_owned(),
            None => redis::cmd("DEL").arg(keys::CLOCK).to_owned(),
        };
        self.durability.check_writes()?;
        if now.is_some() {
            self.dues.clock_is_set(true).await?;
        }
        self.lanes.call(&global).await?;
        for org in self.orgs().await? {
            match now {
                Some(now) => self.travel(&org, by, now).await?,
                None => self.set_clock_of(&org, by, None).await?,
            }
        }
        if now.is_none() {
            self.dues.clock_is_set(false).await?;
        }
        Ok(())
    }

    /// Goes there in steps that publish recurring classes on the way, as the days would have.
    async fn travel(&self, org: &OrgId, by: &By, target: Instant) -> Result<(), StoreError> {
        let recurring = self.recurs(org).await?;
        while let (true, Ok(view)) = (recurring, self.org(org).await?.outcome) {
            self.publish_series(org).await?;
            let step = view.now + TRAVEL_STEP;
            if step >= target {
                break;
            }
            self.set_clock_of(org, by, Some(step)).await?;
        }
        self.set_clock_of(org, by, Some(target)).await?;
        if recurring {
            self.publish_series(org).await?;
        }
        Ok(())
    }

    async fn set_clock_of(&self, org: &OrgId, by: &By, now: Option<Instant>) -> Result<(), StoreError> {
        let text = now.map(|now| now.timestamp_millis().to_string()).unwrap_or_default();
        let write = Write { org: org.clone(), by: by.clone(), command: Command::fresh() };
        self.write(&write, "set_clock", &[&text]).await?;
        self.settle(org).await.map(|_next| ())
    }
}
