//! What is on its way to one socket: a queue that is bounded in frames and in bytes, because a client that does not
//! read must cost neither memory nor the others' time. Whoever fills it is too slow and is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytestring::ByteString;
use chrono_tz::Tz;
use prometheus::IntCounter;
use tokio::sync::mpsc;

use super::protocol::CloseCode;

/// Entries that may wait for one client.
const QUEUE_LEN_MAX: usize = 256;
/// Bytes that may wait before another entry is one too many. A catch-up of any size fits an empty queue.
const QUEUE_BYTES_MAX: usize = 1024 * 1024;

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
    /// Passed on as they are.
    Frame(ByteString),
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
    queue: mpsc::Sender<Out>,
    load: Arc<Load>,
}

/// The session's end of it.
#[derive(Debug)]
pub struct Inbox {
    queue: mpsc::Receiver<Out>,
    load: Arc<Load>,
}

#[derive(Debug)]
struct Load {
    bytes: AtomicUsize,
    too_slow: AtomicBool,
    /// How many were too slow so far.
    slow_ones: IntCounter,
}

/// A queue for one session.
pub fn outbox(session: SessionId, slow_ones: IntCounter) -> (Outbox, Inbox) {
    let (sender, queue) = mpsc::channel(QUEUE_LEN_MAX);
    let load = Arc::new(Load { bytes: AtomicUsize::new(0), too_slow: AtomicBool::new(false), slow_ones });
    (Outbox { session, queue: sender, load: Arc::clone(&load) }, Inbox { queue, load })
}

impl Outbox {
    /// False when the session is no more, or too slow; nothing more need be sent then.
    pub fn send(&self, out: Out) -> bool {
        let bytes = out.bytes();
        let full = self.load.bytes.load(Ordering::Relaxed) >= QUEUE_BYTES_MAX;
        if full || self.load.too_slow.load(Ordering::Relaxed) {
            self.load.give_up();
            return false;
        }
        self.load.bytes.fetch_add(bytes, Ordering::Relaxed);
        match self.queue.try_send(out) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.load.give_up();
                false
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

impl Load {
    fn give_up(&self) {
        if !self.too_slow.swap(true, Ordering::Relaxed) {
            self.slow_ones.inc();
        }
    }
}

impl Inbox {
    /// What comes next. For a client that is too slow that is the end, whatever else waits.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Out>> {
        let next = self.queue.poll_recv(context);
        if let Poll::Ready(Some(out)) = &next {
            self.load.bytes.fetch_sub(out.bytes(), Ordering::Relaxed);
            if self.load.too_slow.load(Ordering::Relaxed) {
                return Poll::Ready(Some(Out::Close(CloseCode::TooSlow)));
            }
        }
        next
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
        outbox(1, IntCounter::new("slow", "slow").unwrap())
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
        assert_eq!(outbox.load.slow_ones.get(), 1);
        let mut context = Context::from_waker(std::task::Waker::noop());
        let first = inbox.poll(&mut context);
        assert!(matches!(first, Poll::Ready(Some(Out::Close(CloseCode::TooSlow)))));
    }
}
