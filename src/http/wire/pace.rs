//! How fast an answer must be taken: a purse of time that is spent while the answer stands still and filled by what
//! goes out. Whoever takes the least rate never empties it; whoever takes less, a byte now and then included, does.

use std::time::{Duration, Instant};

use super::Patience;

/// The purse of one connection.
#[derive(Debug)]
pub struct Pace {
    most: Duration,
    bytes_per_s: u32,
    left: Duration,
    still_since: Option<Instant>,
}

impl Pace {
    pub fn new(patience: &Patience) -> Pace {
        let (most, bytes_per_s) = (patience.stall, patience.answer_bytes_per_s.max(1));
        Pace { most, bytes_per_s, left: most, still_since: None }
    }

    /// So many bytes went out.
    pub fn went_out(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.still_since.take() {
            self.left = self.left.saturating_sub(now.saturating_duration_since(since));
            let good = Duration::from_secs_f64(bytes as f64 / f64::from(self.bytes_per_s));
            self.left = (self.left + good).min(self.most);
        }
    }

    /// Nothing more can be written now. Says until when that may last.
    pub fn stands_still(&mut self, now: Instant) -> Instant {
        *self.still_since.get_or_insert(now) + self.left
    }

    /// Until when an answer that stands still may do so.
    pub fn deadline(&self) -> Option<Instant> {
        self.still_since.map(|since| since + self.left)
    }

    /// The answer is out; the next has its whole time.
    pub fn begin_again(&mut self) {
        (self.left, self.still_since) = (self.most, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = 30;
    const RATE: u32 = 4_096;

    /// How long an answer lives whose reader takes so many bytes every so often; none where for ever.
    fn lives(bytes: usize, every_s: u64) -> Option<u64> {
        let patience = Patience { stall: Duration::from_secs(MOST), answer_bytes_per_s: RATE, ..Patience::default() };
        let (mut pace, begun) = (Pace::new(&patience), Instant::now());
        for step in 0..200_000 {
            let still_at = begun + Duration::from_secs(step * every_s);
            let until = pace.stands_still(still_at);
            let taken_at = still_at + Duration::from_secs(every_s);
            if taken_at > until {
                return Some(until.duration_since(begun).as_secs());
            }
            pace.went_out(bytes, taken_at);
        }
        None
    }

    #[test]
    fn who_takes_the_least_rate_may_take_for_ever() {
        assert_eq!(lives(4_096, 1), None);
        assert_eq!(lives(4_096 * 30, 30), None, "also in large pieces");
        assert_eq!(lives(4_096 * 31, 31), Some(30), "but not after standing still for longer");
    }

    #[test]
    fn who_takes_less_is_ended_and_the_less_the_sooner() {
        assert_eq!(lives(0, 1), Some(30));
        assert_eq!(lives(1, 3), Some(30), "a byte every three seconds is nothing");
        assert_eq!(lives(2_048, 1), Some(59), "half of it: twice as long");
        assert!(lives(4_095, 1).is_some(), "one byte too few");
    }

    #[test]
    fn the_next_answer_has_its_whole_time() {
        let (mut pace, now) = (Pace::new(&Patience::default()), Instant::now());
        pace.stands_still(now);
        pace.went_out(1, now + Duration::from_secs(29));
        pace.begin_again();
        assert_eq!(pace.stands_still(now), now + Duration::from_secs(30));
    }
}
