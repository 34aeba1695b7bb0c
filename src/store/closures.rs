//! Closing days of a club: stored, listed and taken back.

use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::reply::{Reply, corrupt};
use super::{Answer, Store, Write};
use crate::domain::calendar::parse_date;
use crate::domain::closure::{Closure, NewClosure};
use crate::domain::ids::{ClosureId, ClubId, OrgId};

impl Store {
    /// Closes the club on these days: its classes on them are cancelled. Says whether the closure is new.
    pub async fn put_closure(
        &self,
        write: &Write,
        club: &ClubId,
        new: NewClosure,
    ) -> Result<Answer<(Closure, bool)>, StoreError> {
        let NewClosure { id, from, to, reason } = new;
        let id = id.map_or_else(|| own_id(&format!("{from} {to} {reason}")), Ok)?;
        let closure = Closure { id, from, to, reason };
        let (low, high) = closure.reach();
        let args = [
            club.as_str(),
            closure.id.as_str(),
            &from.to_string(),
            &to.to_string(),
            &closure.reason,
            &low.timestamp_millis().to_string(),
            &high.timestamp_millis().to_string(),
        ];
        let reply = self.write(write, "put_closure", &args).await?;
        Answer::of(reply, |reply| Ok((closure, reply.optional()?.is_some())))
    }

    /// Opens the club again, and lets series publish the days they left out. What was cancelled stays cancelled.
    pub async fn end_closure(&self, write: &Write, club: &ClubId, id: &ClosureId) -> Result<Answer<()>, StoreError> {
        let reply = self.write(write, "end_closure", &[club.as_str(), id.as_str()]).await?;
        let answer = Answer::of(reply, |_| Ok(()))?;
        if answer.outcome.is_ok() {
            self.publish_series(&write.org).await?;
        }
        Ok(answer)
    }

    /// The closures of a club, by their first day.
    pub async fn closures(&self, org: &OrgId, club: &ClubId) -> Result<Answer<Vec<Closure>>, StoreError> {
        Answer::of(self.read(org, "read_closures", &[club.as_str()]).await?, |reply| {
            let mut found = Vec::new();
            while !reply.is_empty() {
                found.push(closure(reply)?);
            }
            found.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
            Ok(found)
        })
    }
}

/// The id of a closure that was given none: the same days for the same reason are the same closure.
fn own_id(said: &str) -> Result<ClosureId, StoreError> {
    let digest = Sha256::digest(said.as_bytes());
    let id: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("days-{id}").parse().map_err(corrupt)
}

/// `<id> <from> <to> <reason>`, where the days are of a fixed length.
fn closure(reply: &mut Reply) -> Result<Closure, StoreError> {
    let (id, text) = (reply.text()?, reply.text()?);
    let mut words = text.splitn(3, ' ');
    let mut word = || words.next().ok_or_else(|| corrupt(format!("the closure {id} says too little")));
    let from = parse_date(word()?).map_err(corrupt)?;
    let to = parse_date(word()?).map_err(corrupt)?;
    let reason = word()?.to_owned();
    Ok(Closure { id: id.parse().map_err(corrupt)?, from, to, reason })
}
