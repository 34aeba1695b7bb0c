//! Group commit: writes that replicas must hold before they count.
//!
//! WAIT stops its connection until the replicas have answered. So what is waiting on a lane is sent together with one
//! WAIT behind it, in one pipeline on one connection, and all of it is answered together; the writes that arrive
//! meanwhile make the next batch. A WAIT on any other connection would confirm nothing.

use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::error::StoreError;
use super::lanes::{Lane, LaneLimits};

/// Writes that share one WAIT; more would make the first of them wait for the sending of the last.
const BATCH_LEN_MAX: usize = 256;

/// A write on its way to a batch.
pub(super) struct Commit {
    pub command: Cmd,
    pub answer: oneshot::Sender<Result<Value, StoreError>>,
}

/// Sends what is waiting, batch after batch, for as long as the lane lives.
pub(super) async fn gather(lane: Arc<Lane>, mut waiting: mpsc::Receiver<Commit>, acks: u32, limits: LaneLimits) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH_LEN_MAX).await > 0 {
        // A caller who has left was told that the outcome is unknown; not sending is one of the two.
        batch.retain(|commit| !commit.answer.is_closed());
        let (commands, answers): (Vec<Cmd>, Vec<_>) =
            batch.drain(..).map(|commit| (commit.command, commit.answer)).unzip();
        let replies = send_batch(&lane, commands, acks, limits).await;
        match replies {
            Ok(replies) => answers.into_iter().zip(replies).for_each(|(answer, reply)| {
                let _ = answer.send(reply);
            }),
            Err(error) => answers.into_iter().for_each(|answer| {
                let _ = answer.send(Err(error.clone()));
            }),
        }
    }
}

/// One reply per command. An error reply wrote nothing and needs no replica to confirm it.
async fn send_batch(
    lane: &Lane,
    commands: Vec<Cmd>,
    acks: u32,
    limits: LaneLimits,
) -> Result<Vec<Result<Value, StoreError>>, StoreError> {
    let (mut connection, number) = lane.up()?;
    let count = commands.len();
    let mut pipeline = Pipeline::with_capacity(count + 1);
    for command in commands {
        pipeline.add_command(command);
    }
    pipeline.cmd("WAIT").arg(acks).arg(limits.acks_ms_max);
    let sent = timeout(limits.answer_max(), connection.send_packed_commands(&pipeline, 0, count + 1)).await;
    let mut replies = lane.answered(number, sent.ok(), limits)?;
    let held = matches!(replies.pop(), Some(Value::Int(held)) if held >= i64::from(acks));
    Ok(replies
        .into_iter()
        .map(|reply| match reply {
            error @ Value::ServerError(_) => Ok(error),
            value if held => Ok(value),
            _ => Err(StoreError::OutcomeUnknown),
        })
        .collect())
}
