//! What sessions ask of their organisation's relay: which topics they want, and what they get once all of them are known.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Relay;
use crate::push::outbox::{Out, Outbox, SessionId};
use crate::push::protocol::{self, Topic, Version};
use crate::push::topic::Listener;
use crate::push::topics::Topics;

/// How long a request may wait for a Redis that is away.
const REQUEST_WAIT: Duration = Duration::from_secs(5);

/// Topics to listen to, each with the version held.
#[derive(Debug)]
pub struct Request {
    pub outbox: Outbox,
    /// Of the frame; a hello has none.
    pub id: Option<Value>,
    pub hello: bool,
    /// Of the versions held.
    pub epoch: Option<String>,
    pub topics: Vec<(Topic, Version)>,
    /// Topics the session has refused already: name, code, detail.
    pub refused: Vec<(String, &'static str, &'static str)>,
    /// The listener, where it is an instructor.
    pub instructor: Option<String>,
    pub topics_max: usize,
    /// Held until the request is answered.
    pub turn: OwnedSemaphorePermit,
}

/// A request and what it still waits for.
pub(super) struct Pending {
    pub(super) request: Request,
    pub(super) missing: usize,
    until: Instant,
}

impl Relay {
    pub(super) fn ask(&mut self, mut request: Request) {
        let id = self.next_request;
        self.next_request += 1;
        let surplus = request.topics.len().min(request.topics_max);
        for (topic, _) in request.topics.drain(surplus..) {
            request.refused.push(too_many(topic.to_string()));
        }
        let mut missing = 0;
        for (topic, _) in &request.topics {
            let slot = self.topics.slots.entry(topic.clone()).or_default();
            if slot.held.is_none() {
                if slot.is_idle() {
                    self.to_read.push(topic.clone());
                }
                slot.waiters.push(id);
                missing += 1;
            }
        }
        let until = Instant::now() + REQUEST_WAIT;
        self.pending.insert(id, Pending { request, missing, until });
    }

    /// What a session asked for and has given up since is not registered once it is known.
    pub(super) fn forgo(&mut self, session: SessionId, topics: &[Topic]) {
        for pending in self.pending.values_mut().filter(|pending| pending.request.outbox.session == session) {
            pending.request.topics.retain(|(topic, _)| !topics.contains(topic));
        }
    }

    /// Answers every request that waits for nothing any more, and those that have waited too long.
    pub(super) fn answer(&mut self) {
        let now = Instant::now();
        let followed = self.followed.is_some();
        let ready = |pending: &Pending| followed && pending.missing == 0;
        let done = self.pending.iter().filter(|(_, pending)| ready(pending) || pending.until <= now);
        let mut done: Vec<u64> = done.map(|(id, _)| *id).collect();
        done.sort_unstable();
        for id in done {
            let Some(pending) = self.pending.remove(&id) else { continue };
            if ready(&pending) {
                self.complete(pending.request);
            } else {
                self.give_up(id, pending.request);
            }
        }
    }

    /// Registers the listener and gives it what it lacks, in one step.
    fn complete(&mut self, request: Request) {
        let Some(followed) = &self.followed else { return };
        let Request { outbox, id, hello, epoch, topics, mut refused, instructor, topics_max, turn: _turn } = request;
        if hello {
            outbox.send(Out::Welcome { epoch: followed.epoch.clone(), zone: self.topics.zone });
        }
        let same_epoch = epoch.as_ref() == Some(&followed.epoch);
        let (last, mut versions, mut patches) = (followed.last, Vec::new(), Vec::new());
        for (topic, have) in topics {
            let name = topic.to_string();
            // Counted here, because several requests may have waited at once; one that is listened to may be asked anew.
            if !self.topics.listens(outbox.session, &topic) && self.topics.topics_of(outbox.session) >= topics_max {
                refused.push(too_many(name));
                continue;
            }
            if !may(&self.topics, &topic, instructor.as_deref()) {
                refused.push((name, "not_found", "there is no such thing for this caller"));
                continue;
            }
            let Some(slot) = self.topics.slots.get_mut(&topic) else { continue };
            let Some(held) = &mut slot.held else { continue };
            let caught = held.catch_up(if same_epoch { have } else { 0 }, last);
            if have > 0 {
                self.counters.resumed(!caught.whole);
            }
            versions.push((name, caught.version));
            patches.extend(caught.frames);
            slot.idle_since = None;
            slot.listeners.insert(outbox.session, Listener { outbox: outbox.clone(), instructor: instructor.clone() });
            self.topics.joined(outbox.session, &topic);
        }
        let mut frames = Vec::new();
        if !hello || !versions.is_empty() {
            frames.push(protocol::subscribed(id.as_ref(), &versions));
        }
        frames
            .extend(refused.iter().map(|(name, code, detail)| protocol::error(id.as_ref(), Some(name), code, detail)));
        frames.extend(patches);
        if !frames.is_empty() && !outbox.send(Out::Frames(frames)) {
            self.topics.left_all(outbox.session);
        }
    }

    fn give_up(&mut self, id: u64, request: Request) {
        for slot in self.topics.slots.values_mut() {
            slot.waiters.retain(|waiter| *waiter != id);
        }
        if request.hello {
            request.outbox.send(Out::Close(protocol::CloseCode::Internal));
            return;
        }
        let frames = request.topics.iter().map(|(topic, _)| {
            let name = topic.to_string();
            protocol::error(request.id.as_ref(), Some(&name), "unavailable", "the store cannot be reached")
        });
        request.outbox.send(Out::Frames(frames.collect()));
    }
}

fn too_many(topic: String) -> (String, &'static str, &'static str) {
    (topic, "too_many_topics", "this connection listens to enough")
}

/// An instructor may see only rosters of their own classes.
fn may(topics: &Topics, topic: &Topic, instructor: Option<&str>) -> bool {
    match (topic, instructor) {
        (Topic::Roster(_), Some(instructor)) => {
            let document = topics.document(topic);
            document.and_then(|roster| roster.pointer("/class/instructor/id")).is_some_and(|id| id == instructor)
        }
        _ => true,
    }
}
