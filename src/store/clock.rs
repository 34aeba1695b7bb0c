//! Time: what is due is carried out, and for tests and demos the clock is set.

use uuid::Uuid;

use super::error::StoreError;
use super::{Command, Store, Write, keys};
use crate::domain::caller::By;
use crate::domain::ids::OrgId;
use crate::domain::instant::{Instant, from_ms};

impl Store {
    /// Carries out everything due in an organisation, and says when the next thing is.
    pub async fn settle(&self, org: &OrgId) -> Result<Option<Instant>, StoreError> {
        self.durability.check_writes()?;
        let mut reply = self.read(org, "carry_out", &[]).await?;
        if reply.tag != "SETTLED" {
            return Ok(None);
        }
        Ok(reply.optional()?.and_then(|ms| ms.parse::<f64>().ok()).and_then(|ms| from_ms(ms as i64)))
    }

    /// Service time stands still at `now` in every organisation, or runs again. Answers when everything due by then has
    /// been carried out.
    pub async fn set_clock(&self, by: &By, now: Option<Instant>) -> Result<(), StoreError> {
        let text = now.map(|now| now.timestamp_millis().to_string()).unwrap_or_default();
        let global = match now {
            Some(_) => redis::cmd("SET").arg(keys::CLOCK).arg(&text).to_owned(),
            None => redis::cmd("DEL").arg(keys::CLOCK).to_owned(),
        };
        self.durability.check_writes()?;
        self.lanes.call(&global).await?;
        for org in self.orgs().await? {
            let command = Command { id: Uuid::new_v4().to_string(), fingerprint: String::new(), keyed: false };
            let write = Write { org: org.clone(), by: by.clone(), command };
            self.write(&write, "set_clock", &[&text]).await?;
            self.settle(&org).await?;
        }
        Ok(())
    }
}
