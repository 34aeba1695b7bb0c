//! What is on its way to one socket: a queue that is bounded in frames and in bytes, because a client that does not
//! read must cost neither memory nor the others' time. Whoever fills it is too slow and is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytestring::ByteString;
use chrono_tz::Tz;
use prometheus::IntCounter;

use super::bell::Bell;
use super::hub::locked;
use super::protocol::CloseCode;

/// Entries that may wait for one client.
const QUEUE_LEN_MAX: usize = 256;
/// Bytes that may wait before another entry is one too many. A catch-up of any size fits an empty queue.
const QUEUE_BYTES_MAX: usize = 1024 * 1024;

/// Room for entries that a queue keeps while it is empty: most only ever hold one.
const ROOM_KEPT: usize = 4;

/// One connection's number, never used again.
pub type SessionId = u64;

/// What a session is told.
#[derive(Clone, Debug)]
pub enum Out {
    /// The organisation is known: its epoch, and the zone its instants are shown in.
    Welcome {
        epoch: String,
        zone: Tz,
    },
    /// Passed on as it is.
    Frame(ByteString),
    /// What was asked for, passed on as it is.
    Frames(Vec<ByteString>),
    /// Say when to come back, and close.
    Bye {
        after_ms: u64,
        spread_ms: u64,
    },
    Close(CloseCode),
}

/// Where frames for one session go. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub session: SessionId,
    shared: Arc<Shared>,
}

/// The session's end of it.
#[derive(Debug)]
pub struct Inbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Of the thread that the session lives on.
    bell: Arc<Bell>,
    /// How many were too slow so far.
    slow_ones: IntCounter,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Out>,
    bytes: usize,
    /// The session's, while it waits for something to come.
    reader: Option<Waker>,
    too_slow: bool,
    closed: bool,
}

/// A queue for one session of the bell's thread.
pub fn outbox(session: SessionId, bell: Arc<Bell>, slow_ones: IntCounter) -> (Outbox, Inbox) {
    let shared = Arc::new(Shared { queue: Mutex::default(), bell, slow_ones });
    (Outbox { session, shared: Arc::clone(&shared) }, Inbox(shared))
}

impl Outbox {
    /// False when the session is no more, or too slow; nothing more need be sent then.
    pub fn send(&self, out: Out) -> bool {
        let mut queue = locked(&self.shared.queue);
        if queue.closed || queue.too_slow {
            return false;
        }
        if queue.waiting.len() >= QUEUE_LEN_MAX || queue.bytes >= QUEUE_BYTES_MAX {
            queue.too_slow = true;
            self.shared.slow_ones.inc();
            return false;
        }
        queue.bytes += out.bytes();
        queue.waiting.push_back(out);
        let reader = queue.reader.take();
        drop(queue);
        if let Some(reader) = reader {
            self.shared.bell.ring(reader);
        }
        true
    }
}

impl Inbox {
    /// What comes next. For a client that is too slow that is the end, whatever else waits.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Out>> {
        let mut queue = locked(&self.0.queue);
        let Some(out) = queue.waiting.pop_front() else {
            queue.reader = Some(context.waker().clone());
            return Poll::Pending;
        };
        if queue.too_slow {
            queue.waiting.clear();
            return Poll::Ready(Some(Out::Close(CloseCode::TooSlow)));
        }
        queue.bytes -= out.bytes();
        if queue.waiting.is_empty() {
            queue.waiting.shrink_to(ROOM_KEPT);
        }
        Poll::Ready(Some(out))
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut queue = locked(&self.0.queue);
        queue.closed = true;
        queue.waiting = VecDeque::new();
    }
}

impl Out {
    fn bytes(&self) -> usize {
        match self {
            Out::Frame(frame) => frame.len(),
            Out::Frames(frames) => frames.iter().map(|frame| frame.len()).sum(),
            Out::Welcome { .. } | Out::Bye { .. } | Out::Close(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> (Outbox, Inbox) {
        outbox(1, Arc::default(), IntCounter::new("slow", "slow").unwrap())
    }

    fn frame(bytes: usize) -> Out {
        Out::Frame("x".repeat(bytes).into())
    }

    #[test]
    fn a_queue_takes_its_bound_of_frames_and_no_more() {
        let (outbox, _inbox) = queue();
        for _ in 0..QUEUE_LEN_MAX {
            assert!(outbox.send(frame(1)));
        }
        assert!(!outbox.send(frame(1)));
    }

    #[test]
    fn a_queue_that_holds_its_bound_of_bytes_takes_no_more() {
        let (outbox, _inbox) = queue();
        assert!(outbox.send(frame(QUEUE_BYTES_MAX - 1)));
        assert!(outbox.send(frame(1)));
        assert!(!outbox.send(frame(1)));
    }

    #[test]
    fn whoever_was_too_slow_is_told_only_that() {
        let (outbox, mut inbox) = queue();
        while outbox.send(frame(1)) {}
        assert!(!outbox.send(frame(1)));
        assert_eq!(outbox.shared.slow_ones.get(), 1);
        let mut context = Context::from_waker(std::task::Waker::noop());
        let first = inbox.poll(&mut context);
        assert!(matches!(first, Poll::Ready(Some(Out::Close(CloseCode::TooSlow)))));
    }
}
