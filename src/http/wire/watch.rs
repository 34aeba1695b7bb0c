//! What a connection is doing, as its bytes and its requests tell, and until when it may go on with it.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

use super::Patience;
use super::crowd::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between requests.
    Idle,
    /// Some of a head has come.
    Head,
    /// A request is under way.
    Serving,
    /// Its answer was given before its body had come.
    Draining,
    /// It is a socket, which has rules of its own.
    Open,
}

/// One connection, shared by its socket and the requests on it.
pub struct Watch {
    patience: Patience,
    place: Place,
    phase: Cell<Phase>,
    since: Cell<Instant>,
    answers: Cell<u64>,
}

/// A request under way; it counts as answered when this is dropped.
pub struct Answering {
    watch: Rc<Watch>,
    left_unread: Cell<bool>,
}

impl Watch {
    pub fn new(patience: Patience, place: Place) -> Rc<Watch> {
        let (phase, since) = (Cell::new(Phase::Idle), Cell::new(Instant::now()));
        Rc::new(Watch { patience, place, phase, since, answers: Cell::new(0) })
    }

    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Bytes have come.
    pub fn heard(&self) {
        if self.phase.get() == Phase::Idle {
            self.enter(Phase::Head);
        }
    }

    /// A request begins.
    pub fn asked(self: &Rc<Self>) -> Answering {
        self.place.is_busy();
        self.enter(Phase::Serving);
        Answering { watch: Rc::clone(self), left_unread: Cell::new(false) }
    }

    /// How many requests have been answered.
    pub fn answers(&self) -> u64 {
        self.answers.get()
    }

    /// When the connection is over if nothing changes.
    pub fn deadline(&self) -> Option<Instant> {
        let patience = match self.phase.get() {
            Phase::Idle => self.patience.idle,
            Phase::Head => self.patience.head,
            Phase::Draining => self.patience.drain,
            Phase::Serving | Phase::Open => return None,
        };
        Some(self.since.get() + patience)
    }

    /// Whether it should end, because others need the room, and can. Otherwise the waker is called when that changes.
    pub fn must_go(&self, waker: &Waker) -> bool {
        self.place.is_sent_away(waker) && matches!(self.phase.get(), Phase::Idle | Phase::Head)
    }

    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(Instant::now());
    }
}

impl Answering {
    /// The answer will be given before the request's body has come.
    pub fn leaves_unread(&self) {
        self.left_unread.set(true);
    }

    /// The request became a socket.
    pub fn opens(&self) {
        self.watch.enter(Phase::Open);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.watch.answers.set(self.watch.answers.get() + 1);
        if self.watch.phase.get() == Phase::Serving {
            self.watch.enter(if self.left_unread.get() { Phase::Draining } else { Phase::Idle });
            self.watch.place.is_idle();
        }
    }
}
