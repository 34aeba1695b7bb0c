//! Group commit: writes that replicas must hold before they count.
//!
//! WAIT stops its connection until the replicas have answered. So what is waiting on a lane is sent together with one
//! WAIT behind it, in one pipeline on one connection, and all of it is answered together; the writes that arrive
//! meanwhile make the next batch. A WAIT on any other connection would confirm nothing. The next batch leaves once the
//! one before it is answered, however long that takes, so a batch is all that is ever in flight on a lane.

use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};
use tokio::sync::{mpsc, oneshot};

use super::error::StoreError;
use super::lane::{Lane, Watched};
use super::lanes::LaneLimits;

/// A write on its way to a batch.
pub(super) struct Commit {
    pub command: Cmd,
    pub watched: Watched,
    pub answer: oneshot::Sender<Result<Value, StoreError>>,
}

/// The replies of a batch, and whether enough replicas hold it.
struct Batch {
    replies: Vec<Value>,
    held: bool,
}

/// Sends what is waiting, at most `len_max` writes at a time, for as long as the lane lives.
pub(super) async fn gather(
    lane: Arc<Lane>,
    mut waiting: mpsc::Receiver<Commit>,
    len_max: usize,
    acks: u32,
    limits: LaneLimits,
) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, len_max).await > 0 {
        // Callers that timed out were told that the outcome is unknown, which also covers never sent.
        batch.retain(|commit| !commit.answer.is_closed());
        let mut commands = Vec::with_capacity(batch.len());
        let mut callers = Vec::with_capacity(batch.len());
        for Commit { command, watched, answer } in batch.drain(..) {
            commands.push(command);
            callers.push((watched, answer));
        }
        let sent = send_batch(&lane, commands, acks, limits).await;
        let mut replies = sent.as_ref().map(|batch| batch.replies.iter()).map_err(StoreError::clone);
        for (watched, answer) in callers {
            let reply = replies.as_mut().map_err(|error| error.clone()).map(Iterator::next);
            if let (Some(witness), Ok(_) | Err(StoreError::OutcomeUnknown)) = (watched, &reply) {
                witness.heard(reply.as_ref().ok().copied().flatten());
            }
            let held = sent.as_ref().is_ok_and(|batch| batch.held);
            let _ = answer.send(reply.and_then(|reply| counted(reply, held)));
        }
    }
}

/// An error reply wrote nothing and needs no replica to confirm it.
fn counted(reply: Option<&Value>, held: bool) -> Result<Value, StoreError> {
    match reply {
        Some(error @ Value::ServerError(_)) => Ok(error.clone()),
        Some(value) if held => Ok(value.clone()),
        Some(_) | None => Err(StoreError::OutcomeUnknown),
    }
}

async fn send_batch(lane: &Lane, commands: Vec<Cmd>, acks: u32, limits: LaneLimits) -> Result<Batch, StoreError> {
    let wire = lane.up()?;
    let count = commands.len();
    let mut pipeline = Pipeline::with_capacity(count + 1);
    for command in commands {
        pipeline.add_command(command);
    }
    pipeline.cmd("WAIT").arg(acks).arg(limits.acks_ms_max);
    let replies = lane.exchange_all(&wire, &pipeline, count + 1).await;
    let mut replies = replies.ok_or(StoreError::OutcomeUnknown)?;
    let held = matches!(replies.pop(), Some(Value::Int(held)) if held >= i64::from(acks));
    Ok(Batch { replies, held })
}
