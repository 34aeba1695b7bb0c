//! One topic as this instance holds it: the document, the patches of late, and who listens.
//!
//! It knows versions and frames, not what is in a document; what an event does to it is the relay's affair.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytestring::ByteString;
use serde_json::Value;
use tokio::time::Instant;

use super::documents::{compose, merge};
use super::outbox::{Out, Outbox, SessionId};
use super::protocol::{self, Cause, Topic, Version};

/// The organisation's last changes for which a topic's patches are kept.
const RING_CHANGES: Version = 1_000;

/// Between two patches of a topic that everybody watches.
pub const CONFLATE: Duration = Duration::from_millis(200);

/// Who hears of a topic.
#[derive(Debug)]
pub struct Listener {
    pub outbox: Outbox,
    /// An instructor, who may see only rosters of their own classes.
    pub instructor: Option<String>,
}

/// A topic, its document known or not.
#[derive(Debug, Default)]
pub struct Slot {
    pub held: Option<Held>,
    pub listeners: HashMap<SessionId, Listener>,
    /// Requests that wait for the document.
    pub waiters: Vec<u64>,
    /// When the last listener left.
    pub idle_since: Option<Instant>,
}

/// A document and its patches of late.
#[derive(Debug)]
pub struct Held {
    topic: Topic,
    pub document: Value,
    /// Of the last change in the document.
    version: Version,
    /// Of the last change sent; behind the version only while conflating.
    sent: Version,
    sent_at: Option<Instant>,
    unsent: Option<(Value, Cause)>,
    /// From here on the ring has every patch.
    base: Version,
    ring: VecDeque<(Version, ByteString)>,
    /// The whole document as a frame, made when first wanted.
    whole: Option<ByteString>,
    at: String,
}

/// What a subscriber gets: the version now, and the frames from the one held to it, or the whole.
pub struct CatchUp {
    pub version: Version,
    pub whole: bool,
    pub frames: Vec<ByteString>,
}

impl Held {
    pub fn new(topic: Topic, document: Value, version: Version, at: String) -> Held {
        Held {
            topic,
            document,
            version,
            sent: version,
            sent_at: None,
            unsent: None,
            base: version,
            ring: VecDeque::new(),
            whole: None,
            at,
        }
    }

    /// Takes a change in. A frame is returned when it is to be sent now; `Err` is when to [`Held::flush`].
    pub fn change(
        &mut self,
        patch: Value,
        to: Version,
        cause: Cause,
        now: Instant,
    ) -> Result<ByteString, Option<Instant>> {
        merge(&mut self.document, &patch);
        self.version = to;
        self.at.clone_from(&cause.at);
        self.whole = None;
        if let Some((unsent, last)) = &mut self.unsent {
            compose(unsent, patch);
            *last = cause;
            return Err(None);
        }
        let conflated = matches!(self.topic, Topic::Class(_) | Topic::Day(..));
        match self.sent_at.map(|at| at + CONFLATE) {
            Some(due) if conflated && due > now => {
                self.unsent = Some((patch, cause));
                Err(Some(due))
            }
            _ => Ok(self.send(&patch, &cause, now)),
        }
    }

    /// Of the last change taken in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The frame of what was held back.
    pub fn flush(&mut self, now: Instant) -> Option<ByteString> {
        let (patch, cause) = self.unsent.take()?;
        Some(self.send(&patch, &cause, now))
    }

    fn send(&mut self, patch: &Value, cause: &Cause, now: Instant) -> ByteString {
        let frame = protocol::patch(&self.topic, self.sent, self.version, patch, cause);
        self.ring.push_back((self.version, frame.clone()));
        self.sent = self.version;
        self.sent_at = Some(now);
        while let Some((to, _)) = self.ring.front()
            && to + RING_CHANGES <= self.version
        {
            self.base = *to;
            self.ring.pop_front();
        }
        frame
    }

    /// The frame that replaces whatever a client holds.
    pub fn whole(&mut self) -> ByteString {
        let Held { topic, document, version, at, .. } = self;
        let make = || protocol::patch(topic, 0, *version, document, &Cause { event: None, at: at.clone() });
        self.whole.get_or_insert_with(make).clone()
    }

    /// For a client that holds `have` of this epoch, or 0; `last` is the organisation's version.
    pub fn catch_up(&mut self, have: Version, last: Version) -> CatchUp {
        if have == 0 || have < self.base || have > last {
            return CatchUp { version: self.version, whole: true, frames: vec![self.whole()] };
        }
        let missed = self.ring.iter().filter(|(to, _)| *to > have).map(|(_, frame)| frame.clone());
        CatchUp { version: self.sent.max(have), whole: false, frames: missed.collect() }
    }
}

impl Slot {
    /// To everyone who listens; whoever cannot take it listens no more.
    pub fn tell(&mut self, frame: &ByteString) {
        self.listeners.retain(|_, listener| listener.outbox.send(Out::Frame(frame.clone())));
    }

    /// A session listens no more; the last to leave makes it idle.
    pub fn leave(&mut self, session: SessionId, now: Instant) {
        if self.listeners.remove(&session).is_some() && self.is_idle() {
            self.idle_since = Some(now);
        }
    }

    /// Nobody listens or waits.
    pub fn is_idle(&self) -> bool {
        self.listeners.is_empty() && self.waiters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cause(event: &str) -> Cause {
        Cause { event: Some(event.to_owned()), at: "2026-03-02T09:00:00+01:00".to_owned() }
    }

    fn held(topic: Topic, version: Version) -> Held {
        Held::new(topic, json!({ "booked": 0 }), version, String::new())
    }

    fn span(frame: &ByteString) -> (u64, u64) {
        let frame: Value = serde_json::from_str(frame).unwrap();
        (frame["from"].as_u64().unwrap(), frame["to"].as_u64().unwrap())
    }

    #[test]
    fn the_first_change_goes_out_at_once_and_the_next_ones_together() {
        let mut class = held(Topic::Class("yoga".parse().unwrap()), 10);
        let now = Instant::now();
        let first = class.change(json!({ "booked": 1 }), 11, cause("booking_confirmed"), now).unwrap();
        assert_eq!(span(&first), (10, 11));
        assert_eq!(
            class.change(json!({ "booked": 2 }), 12, cause("booking_confirmed"), now),
            Err(Some(now + CONFLATE))
        );
        assert_eq!(class.change(json!({ "booked": 1 }), 15, cause("booking_cancelled"), now), Err(None));
        let merged = class.flush(now + CONFLATE).unwrap();
        assert_eq!(span(&merged), (11, 15));
        assert!(merged.contains(r#""booked":1"#) && merged.contains("booking_cancelled"), "{merged}");
    }

    #[test]
    fn a_members_own_things_are_never_held_back() {
        let mut me = held(Topic::Me("ann".parse().unwrap()), 10);
        for number in 11..20 {
            assert!(me.change(json!({ "booked": number }), number, cause("booking_confirmed"), Instant::now()).is_ok());
        }
    }

    #[test]
    fn a_version_held_gets_exactly_the_patches_it_missed() {
        let mut me = held(Topic::Me("ann".parse().unwrap()), 10);
        for number in [12, 14, 18] {
            me.change(json!({ "booked": number }), number, cause("booking_confirmed"), Instant::now()).unwrap();
        }
        for (have, spans, version) in [
            (0, vec![(0, 18)], 18),
            (9, vec![(0, 18)], 18),
            (10, vec![(10, 12), (12, 14), (14, 18)], 18),
            (13, vec![(12, 14), (14, 18)], 18),
            (18, vec![], 18),
            (20, vec![], 20),
            (21, vec![(0, 18)], 18),
        ] {
            let caught = me.catch_up(have, 20);
            assert_eq!(caught.frames.iter().map(span).collect::<Vec<_>>(), spans, "held {have}");
            assert_eq!(caught.version, version, "held {have}");
        }
    }

    #[test]
    fn patches_of_the_last_thousand_changes_are_kept() {
        let mut me = held(Topic::Me("ann".parse().unwrap()), 1);
        for number in 2..=2_500 {
            me.change(json!({ "booked": number }), number, cause("booking_confirmed"), Instant::now()).unwrap();
        }
        assert_eq!(me.catch_up(2_500 - RING_CHANGES, 2_500).frames.len(), 1_000);
        assert_eq!(span(&me.catch_up(2_500 - RING_CHANGES - 1, 2_500).frames[0]), (0, 2_500));
    }
}
