//! The layout of an organisation's keys: brings what an older release wrote into this release's form.
//!
//! How a layout is changed stands in one place, `lua/layout.lua`. This side only asks for bite after bite.

use super::Store;
use super::error::StoreError;
use crate::domain::ids::OrgId;

impl Store {
    /// One bite of the migration of an organisation; says whether there is more. Costs one call where all is done.
    ///
    /// # Errors
    /// Those of any call of the organisation; the next bite goes on from where this one began.
    pub async fn migrate(&self, org: &OrgId) -> Result<bool, StoreError> {
        self.durability.check_writes()?;
        let mut reply = self.upkeep(org, "migrate", &[]).await?;
        if reply.tag == "REFUSED" {
            return Ok(false);
        }
        let more = reply.optional()?.is_some();
        if !reply.is_empty() {
            self.send_names(org, &mut reply).await?;
        }
        Ok(more)
    }
}
