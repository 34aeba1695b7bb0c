//! What falls due: each item carried out at its own instant, in order, before anything else of a call.

use rollcall::domain::instant::Instant;

use crate::state::{Number, Org, Stage, Status};

/// What falls due in a class, in the order of a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Opening,
    BanEnd,
    OfferEnd(Number),
    Decision,
    Start,
    Close,
    End,
}

impl Org {
    /// Carries out what has fallen due, each item at its own instant; then offers what became free, now.
    pub fn settle(&mut self, now: Instant) {
        self.settling = true;
        while let Some((at, due, class)) = self.next_due().filter(|&(at, ..)| at <= now) {
            self.now = at;
            match due {
                Due::Opening => {
                    self.entry(&class).stage = Stage::Open;
                    self.announce("class_opened", at, Some(&class), None);
                }
                Due::BanEnd => {
                    // `class` is the member here.
                    if let Some(member) = self.members.get_mut(&class) {
                        member.ban_over = true;
                    }
                    self.eased.insert(class);
                    self.ask_around(at);
                }
                Due::OfferEnd(number) => {
                    let booking = &mut self.bookings[number];
                    (booking.status, booking.ran_out, booking.offer_ends) = (Status::Lapsed, true, None);
                    let member = booking.member.clone();
                    self.announce("offer_lapsed", at, None, Some(number));
                    self.freed.insert(class);
                    self.eased.insert(member);
                    self.ask_around(at);
                }
                Due::Decision => self.decide(&class, at),
                Due::Start => {
                    self.entry(&class).started = true;
                    self.announce("class_started", at, Some(&class), None);
                }
                Due::Close => self.close(&class, at),
                Due::End => {
                    self.entry(&class).stage = Stage::Finished;
                    self.announce("class_finished", at, Some(&class), None);
                }
            }
        }
        (self.settling, self.now) = (false, now);
        self.offer_what_is_free(now);
    }

    /// Offers wait for the end of settling and of quiet hours; then they are made, by class start.
    fn offer_what_is_free(&mut self, now: Instant) {
        self.ask_around(now);
        let offering: Vec<String> = self.classes.values().filter(|c| c.offers()).map(|c| c.id.clone()).collect();
        for id in self.in_order(&offering) {
            let freed = self.freed_by_time.remove(&id);
            self.fill(&id, now, freed);
        }
    }

    /// A document changes only by events: where the free spots changed and nothing was said of the class since
    /// `announced`, that is said.
    pub fn show_free(&mut self, announced: usize) {
        let ids: Vec<String> = self.classes.keys().cloned().collect();
        for id in self.in_order(&ids) {
            let free = self.unheld(&id) - self.reserved(&id);
            let shown = std::mem::replace(&mut self.entry(&id).shown_free, free);
            let told = self.events[announced..].iter().any(|event| event.class.as_ref() == Some(&id));
            if shown != free && !told {
                self.announce("availability_changed", self.now, Some(&id), None);
            }
        }
    }

    /// The earliest item; ties: openings first, then by class, then in the order of [`Due`].
    fn next_due(&self) -> Option<(Instant, Due, String)> {
        let mut items = Vec::new();
        for class in self.classes.values().filter(|c| c.stage != Stage::Cancelled) {
            let mut add = |at: Instant, due: Due| items.push((at, due != Due::Opening, class.id.clone(), due));
            if class.stage == Stage::Scheduled {
                add(class.terms.opens_at, Due::Opening);
            }
            for number in self.queue_of_offers(&class.id) {
                if let Some(ends) = self.bookings[number].offer_ends {
                    add(ends, Due::OfferEnd(number));
                }
            }
            if class.undecided {
                add(class.terms.decide_at, Due::Decision);
            }
            if !class.started {
                add(class.starts_at, Due::Start);
            }
            if !class.closed {
                add(class.terms.check_in_closes, Due::Close);
            }
            if class.stage != Stage::Finished {
                add(class.ends_at(), Due::End);
            }
        }
        for (id, member) in &self.members {
            items.extend(
                member.banned_until.filter(|_| !member.ban_over).map(|until| (until, false, id.clone(), Due::BanEnd)),
            );
        }
        let order = |due: Due| match due {
            Due::OfferEnd(number) => self.bookings[number].ticket,
            _ => u64::MAX,
        };
        let first = items.into_iter().min_by_key(|(at, rest, id, due)| {
            let kind = match due {
                Due::Opening | Due::BanEnd => 0,
                Due::OfferEnd(_) => 1,
                Due::Decision => 2,
                Due::Start => 3,
                Due::Close => 4,
                Due::End => 5,
            };
            (*at, *rest, id.clone(), kind, order(*due))
        });
        first.map(|(at, _, id, due)| (at, due, id))
    }

    fn queue_of_offers(&self, class: &str) -> Vec<Number> {
        self.of_class(class).filter(|b| b.status == Status::Offered).map(|b| b.number).collect()
    }
}
