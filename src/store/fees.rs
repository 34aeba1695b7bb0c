//! The ledger: what was charged and what was waived, in order.

use super::bookings::unreadable_cursor;
use super::error::StoreError;
use super::reply::Record;
use super::{Answer, Page, Store, Write};
use crate::domain::booking::Money;
use crate::domain::fee::Fee;
use crate::domain::ids::{MemberId, OrgId};

impl Store {
    /// Takes a charged line back by a line of its own; repeated, the same waiver is answered.
    pub async fn waive_fee(&self, write: &Write, id: &str, reason: &str) -> Result<Answer<Fee>, StoreError> {
        let id = id.parse::<u64>().unwrap_or(0).to_string();
        let reply = self.write(write, "waive_fee", &[&id, reason]).await?;
        Answer::of(reply, |reply| fee(reply.text()?, &reply.record()?))
    }

    /// Lines after the one named, oldest first; none: from the beginning. Everybody's, or one member's.
    pub async fn fees(
        &self,
        org: &OrgId,
        member: Option<&MemberId>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Answer<Page<Fee>>, StoreError> {
        let known = after.is_none_or(|after| after.parse::<u64>().is_ok());
        let from = after.filter(|_| known).unwrap_or("0");
        let reply =
            self.read(org, "list_fees", &[from, &limit.to_string(), member.map_or("", MemberId::as_str)]).await?;
        if !known {
            return Ok(Answer::refused(&reply, unreadable_cursor()));
        }
        Answer::of(reply, |reply| {
            let more = reply.optional()?.is_some();
            let mut items = Vec::new();
            while !reply.is_empty() {
                items.push(fee(reply.text()?, &reply.record()?)?);
            }
            let next = items.last().filter(|_| more).map(|fee: &Fee| fee.id.clone());
            Ok(Page { items, next })
        })
    }
}

fn fee(id: String, record: &Record) -> Result<Fee, StoreError> {
    Ok(Fee {
        id,
        member: record.parse("member")?,
        booking: record.parse("booking")?,
        kind: record.parse("kind")?,
        reason: record.required("reason")?.to_owned(),
        amount: Money { amount: record.parse("amount")?, currency: record.required("currency")?.to_owned() },
        waives: record.get("waives").map(str::to_owned),
        at: record.instant_of("at")?,
    })
}
