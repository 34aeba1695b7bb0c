//! Who is next: one pass over a waitlist for every spot that becomes free and every obstacle that goes.

use rollcall::domain::instant::Instant;

use crate::state::{Class, Org, Passed, Status};
impl Org {
    /// Asks whoever is next wherever a spot became free or an obstacle went: freed classes first, by start, then
    /// the waiting places of members who can now do what they could not.
    pub fn ask_around(&mut self, now: Instant) {
        self.leave_overlapping(now);
        loop {
            if let Some(class) = self.in_order(&self.freed.clone()).into_iter().next() {
                self.freed.remove(&class);
                self.fill(&class, now, true);
            } else if !self.eased.is_empty() {
                let eased = std::mem::take(&mut self.eased);
                let waited: Vec<String> = eased.iter().flat_map(|m| self.waits_in(m)).collect();
                for class in self.in_order(&waited) {
                    self.fill(&class, now, false);
                }
            } else {
                return;
            }
        }
    }

    /// One pass over the waitlist in ticket order. `freed`: a spot became free, so whoever is passed is told why.
    pub fn fill(&mut self, id: &str, now: Instant, freed: bool) {
        let class = self.classes[id].clone();
        let waiting = self.queue(id);
        if class.over() || self.unheld(id) == 0 || waiting.is_empty() {
            self.entry(id).unasked = false;
            return;
        }
        let promoting = now < class.terms.promote_until;
        if self.settling && class.offers() && promoting {
            if freed {
                self.freed_by_time.insert(id.to_owned());
            }
            return;
        }
        if class.quiet_at(now) && promoting {
            self.entry(id).unasked = self.reserved(id) > 0;
            return;
        }
        let freed = freed || (class.unasked && !self.settling);
        self.entry(id).unasked &= self.settling;
        if !promoting {
            let tell = freed && !class.holds_spots_for_the_desk() && now < class.starts_at;
            if tell {
                self.announce("spot_freed", now, Some(id), None);
            }
            return;
        }
        let mut passed = Vec::new();
        for number in waiting {
            if self.unheld(id) == 0 {
                break;
            }
            match self.obstacle_of(number) {
                Some(refused) if freed => passed.push((number, refused.code)),
                Some(_) => {}
                None => {
                    self.tell_passed(id, std::mem::take(&mut passed), now, true);
                    if class.offers() {
                        self.bookings[number].status = Status::Offered;
                        self.bookings[number].offer_ends = Some(class.offer_ends(now));
                        self.announce("spot_offered", now, None, Some(number));
                    } else {
                        self.take_spot(number, "booking_promoted", now);
                        self.leave_overlapping(now);
                    }
                }
            }
        }
        self.tell_passed(id, passed, now, false);
    }

    /// Those passed over keep their places, and one event names them with the reasons. Where nobody was promoted over
    /// them it is not said twice while neither the waitlist nor a reason has changed.
    pub fn tell_passed(&mut self, id: &str, passed: Passed, now: Instant, promoted: bool) {
        if passed.is_empty() {
            return;
        }
        let waiting = self.queue(id).len();
        let class = self.entry(id);
        let said = Some((class.queued, waiting, passed.clone()));
        let known = class.told_passed == said;
        class.told_passed = said;
        if promoted || !known {
            self.announce("promotion_passed_over", now, Some(id), None);
            if let Some(event) = self.events.last_mut() {
                event.passed = passed;
            }
        }
    }

    pub fn entry(&mut self, id: &str) -> &mut Class {
        self.classes.get_mut(id).expect("the model's own class")
    }
}
