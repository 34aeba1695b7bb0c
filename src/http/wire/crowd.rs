//! Who is connected: when there are more than can be kept, those who have asked nothing for longest leave first, so
//! that idle connections never keep newcomers out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// Of those who are kept, so large a part is sent away at once, so that not every newcomer looks through all.
const PART_SENT_AWAY: usize = 16;

/// The value of [`Card::idle_since`] while a request is under way.
const BUSY: u64 = u64::MAX;

/// The connections of a server. Cheap to clone.
#[derive(Clone)]
pub struct Crowd(Arc<Inner>);

struct Inner {
    kept: usize,
    begun: Instant,
    cards: Mutex<Cards>,
}

#[derive(Default)]
struct Cards {
    next: u64,
    of: HashMap<u64, Arc<Card>>,
}

/// What the crowd knows of one connection.
struct Card {
    /// In milliseconds since the crowd began.
    idle_since: AtomicU64,
    sent_away: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// A connection's place, given up when dropped.
pub struct Place {
    crowd: Crowd,
    number: u64,
    card: Arc<Card>,
}

impl Crowd {
    /// Beyond `kept` connections, idle ones are ended.
    pub fn new(kept: usize) -> Crowd {
        Crowd(Arc::new(Inner { kept, begun: Instant::now(), cards: Mutex::default() }))
    }

    pub fn enter(&self) -> Place {
        let card =
            Card { idle_since: AtomicU64::new(self.now()), sent_away: AtomicBool::new(false), waker: Mutex::default() };
        let card = Arc::new(card);
        let mut cards = locked(&self.0.cards);
        let number = cards.next;
        cards.next += 1;
        cards.of.insert(number, Arc::clone(&card));
        if cards.of.len() > self.0.kept {
            cards.send_away(self.0.kept, number);
        }
        Place { crowd: self.clone(), number, card }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(BUSY - 1)
    }
}

impl Cards {
    fn send_away(&self, kept: usize, newest: u64) {
        let staying = self.of.iter().filter(|(_, card)| !card.sent_away.load(Ordering::Relaxed));
        let (mut idle, mut count) = (Vec::new(), 0);
        for (number, card) in staying {
            count += 1;
            let since = card.idle_since.load(Ordering::Relaxed);
            if since != BUSY && *number != newest {
                idle.push((since, *number, card));
            }
        }
        if count <= kept {
            return;
        }
        idle.sort_unstable_by_key(|(since, number, _)| (*since, *number));
        for (_, _, card) in idle.into_iter().take(count - kept + kept / PART_SENT_AWAY) {
            card.sent_away.store(true, Ordering::Relaxed);
            if let Some(waker) = locked(&card.waker).take() {
                waker.wake();
            }
        }
    }
}

impl Place {
    /// From now on this connection may be sent away.
    pub fn is_idle(&self) {
        self.card.idle_since.store(self.crowd.now(), Ordering::Relaxed);
    }

    pub fn is_busy(&self) {
        self.card.idle_since.store(BUSY, Ordering::Relaxed);
    }

    /// Whether it should end now. Otherwise the waker is called when that changes.
    pub fn is_sent_away(&self, waker: &Waker) -> bool {
        let mut known = locked(&self.card.waker);
        if known.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
        drop(known);
        self.card.sent_away.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.crowd.0.cards).of.remove(&self.number);
    }
}

/// What is behind a lock stays sound whatever a thread did that panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away(places: &[Place]) -> Vec<bool> {
        places.iter().map(|place| place.is_sent_away(Waker::noop())).collect()
    }

    #[test]
    fn as_many_as_are_kept_stay_and_of_one_more_the_idlest_leaves() {
        let crowd = Crowd::new(3);
        let mut places: Vec<Place> = (0..3).map(|_| crowd.enter()).collect();
        assert_eq!(away(&places), [false; 3]);
        places[0].is_busy();
        places.push(crowd.enter());
        assert_eq!(away(&places), [false, true, false, false], "who is busy stays, and so does the newcomer");
    }

    #[test]
    fn where_all_are_busy_nobody_leaves() {
        let crowd = Crowd::new(1);
        let places = [crowd.enter(), crowd.enter()];
        places.iter().for_each(Place::is_busy);
        let third = crowd.enter();
        third.is_busy();
        let fourth = crowd.enter();
        assert_eq!(away(&places[1..]), [false]);
        assert_eq!(away(&[third, fourth]), [false; 2]);
    }

    #[test]
    fn a_place_given_up_is_free_for_the_next() {
        let crowd = Crowd::new(2);
        let first = crowd.enter();
        drop(crowd.enter());
        let last = crowd.enter();
        assert_eq!(away(&[first, last]), [false; 2]);
    }
}
