//! Makes a failing history shorter, so that somebody can read it.
//!
//! Parts are left out, large ones first, as long as the two sides still part at the end. Each attempt is a new
//! organisation with the clock set back to the beginning.

use std::time::{Duration, Instant};

use crate::drive::{Difference, Run};
use crate::histories::Beginning;
use crate::operations::Op;
use crate::support::api::World;

const TIME: Duration = Duration::from_secs(40);

pub async fn shrink(world: &World, from: &Beginning, told: Vec<Op>, difference: Difference) -> (Vec<Op>, Difference) {
    let begun = Instant::now();
    let (mut best, mut last) = (told, difference);
    let mut part = best.len() / 2;
    while part > 0 && begun.elapsed() < TIME {
        let mut start = 0;
        let mut shorter = false;
        while start < best.len() && begun.elapsed() < TIME {
            let without: Vec<Op> = best
                .iter()
                .enumerate()
                .filter(|(i, _)| !(start..start + part).contains(i))
                .map(|(_, op)| op.clone())
                .collect();
            match replay(world, from, &without).await {
                Some((length, found)) if found.kind() == last.kind() => {
                    best = without[..length].to_vec();
                    last = found;
                    shorter = true;
                }
                _ => start += part,
            }
        }
        if !shorter || part > 1 {
            part /= 2;
        }
    }
    (best, last)
}

/// The difference, if there is one, and after how many calls.
async fn replay(world: &World, from: &Beginning, told: &[Op]) -> Option<(usize, Difference)> {
    let mut run = Run::begin(world, from).await;
    for (index, op) in told.iter().enumerate() {
        if let Err(found) = run.step(op).await {
            return Some((index + 1, found));
        }
    }
    run.compare_everything().await.err().map(|found| (told.len(), found))
}

/// A history as text, with what the model says to each call.
pub fn written(from: &Beginning, told: &[Op]) -> String {
    let mut model = crate::model_of(from);
    let mut lines = vec![format!("at {} with {}", from.now, from.policy)];
    for op in told {
        let announced = model.events.len();
        if let Op::ReadClass { reader: Some(id), .. } = op
            && !model.members.contains_key(id)
        {
            continue;
        }
        let answer = model.call(op);
        let events: Vec<&str> = model.events[announced..].iter().map(|event| event.name).collect();
        lines.push(format!("{op:?}\n    → {} {} {}", answer.status, answer.outcome, events.join(" ")));
    }
    lines.join("\n")
}
