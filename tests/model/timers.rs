//! What falls due: each item carried out at its own instant, in order, before anything else of a call.

use std::collections::BTreeMap;

use rollcall::domain::instant::Instant;

use crate::state::{Booking, Class, Number, Org, Stage, Status};

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
        while let Some((at, due, class)) = self.next_due(now) {
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
        let offering: Vec<String> = self.at_work().filter(|c| c.offers()).map(|c| c.id.clone()).collect();
        for id in self.in_order(&offering) {
            let freed = self.freed_by_time.remove(&id);
            self.fill(&id, now, freed);
        }
    }

    /// A document changes only by events: where the free spots changed and nothing was said of the class since
    /// `announced`, that is said.
    pub fn show_free(&mut self, announced: usize) {
        let free = |class: &Class| self.unheld(&class.id) - self.reserved(&class.id);
        // where spots are not offered none is ever kept, and every other change is told of
        let seen = self.at_work().filter(|class| class.offers()).map(|class| (class, free(class)));
        let other: BTreeMap<String, u32> = seen
            .filter(|(class, free)| class.shown_free != *free)
            .map(|(class, free)| (class.id.clone(), free))
            .collect();
        for id in self.in_order(other.keys()) {
            self.entry(&id).shown_free = other[&id];
            if !self.events[announced..].iter().any(|event| event.class.as_ref() == Some(&id)) {
                self.announce("availability_changed", self.now, Some(&id), None);
            }
        }
    }

    /// Classes that can still change by themselves.
    fn at_work(&self) -> impl Iterator<Item = &Class> {
        self.classes.values().filter(|class| class.running())
    }

    /// The earliest item until then; ties: openings first, then by class, then in the order of [`Due`].
    fn next_due(&self, until: Instant) -> Option<(Instant, Due, String)> {
        let mut items: Vec<(Instant, bool, &str, Due, u64)> = Vec::new();
        for class in self.at_work() {
            let mut add = |at: Instant, due: Due, ticket: u64| {
                if at <= until {
                    items.push((at, due != Due::Opening, &class.id, due, ticket));
                }
            };
            if class.stage == Stage::Scheduled {
                add(class.terms.opens_at, Due::Opening, 0);
            }
            for offer in self.offers_of(class) {
                if let Some(ends) = offer.offer_ends {
                    add(ends, Due::OfferEnd(offer.number), offer.ticket);
                }
            }
            if class.undecided {
                add(class.terms.decide_at, Due::Decision, 0);
            }
            if !class.started {
                add(class.starts_at, Due::Start, 0);
            }
            if !class.closed {
                add(class.terms.check_in_closes, Due::Close, 0);
            }
            if class.stage != Stage::Finished {
                add(class.ends_at(), Due::End, 0);
            }
        }
        for (id, member) in self.members.iter().filter(|(_, member)| !member.ban_over) {
            items.extend(
                member.banned_until.filter(|at| *at <= until).map(|at| (at, false, id.as_str(), Due::BanEnd, 0)),
            );
        }
        let first = items.into_iter().min_by_key(|&(at, rest, id, due, ticket)| {
            let kind = match due {
                Due::Opening | Due::BanEnd => 0,
                Due::OfferEnd(_) => 1,
                Due::Decision => 2,
                Due::Start => 3,
                Due::Close => 4,
                Due::End => 5,
            };
            (at, rest, id, kind, ticket)
        });
        first.map(|(at, _, id, due, _)| (at, due, id.to_owned()))
    }

    fn offers_of<'a>(&'a self, class: &'a Class) -> impl Iterator<Item = &'a Booking> {
        self.of_class(&class.id).filter(|b| class.offers() && b.status == Status::Offered)
    }
}
