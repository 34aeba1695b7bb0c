//! The rules that decide by themselves: who may take a spot, who is next, what falls due, what is given back.
//!
//! `RULES.md` and `SEMANTICS.md` are the source of every line. Nothing here knows how the service does it.

use chrono::{Datelike, NaiveDate, TimeDelta};
use rollcall::domain::calendar::{day_start, days_on};
use rollcall::domain::instant::Instant;
use rollcall::domain::policy::UntouchedRoster;
use rollcall::domain::span::Span;

use crate::state::{Booking, Class, Fee, Member, Membership, Number, Org, Stage, Status, Strike};
use crate::views::Refused;

/// What falls due in a class, in the order of a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Opening,
    BanEnd,
    OfferEnd(Number),
    Start,
    Close,
    End,
}

impl Org {
    // ---- who may take a spot ------------------------------------------------------------------------------

    /// The first reason why this member cannot take a spot in this class, places and limits of the class aside.
    /// `own` is the member's own booking there, which is no obstacle to itself.
    pub fn obstacle(&self, class: &Class, member: &Member, id: &str, own: Option<Number>) -> Option<Refused> {
        let profile = &member.profile;
        let date = class.terms.date;
        if ended(profile.status, profile.valid_until, date) {
            return Some(Refused::new("membership_ended"));
        }
        let here = profile.clubs.as_ref().is_none_or(|clubs| clubs.contains(&class.club));
        let this = profile
            .categories
            .as_ref()
            .is_none_or(|covered| class.category.as_ref().is_none_or(|category| covered.contains(category)));
        let begun = profile.valid_from.is_none_or(|from| from <= date);
        if profile.status == Membership::Blocked || !here || !this || !begun {
            return Some(Refused::new("not_entitled"));
        }
        if let Some(last) = frozen_until(&profile.frozen, date) {
            return Some(Refused::until("frozen", day_start(days_on(last, 1), self.policy.timezone)));
        }
        if class.min_age.is_some_and(|least| profile.born.is_none_or(|born| age(born, date) < least)) {
            return Some(Refused::new("too_young"));
        }
        if let Some(until) = member.banned_until.filter(|&until| self.now < until) {
            return Some(Refused::until("banned", until));
        }
        if profile.on_clips && member.clips == 0 {
            return Some(Refused::new("no_clips"));
        }
        let held: Vec<&Class> = self
            .of_member(id)
            .filter(|b| b.status.holds() && Some(b.number) != own)
            .map(|b| &self.classes[&b.class])
            .collect();
        let booking = &class.terms.policy.booking;
        if !booking.allow_overlap && held.iter().any(|other| other.overlaps(class)) {
            return Some(Refused::new("overlap"));
        }
        let that_day = held.iter().filter(|other| other.terms.date == date).count() as u32;
        booking.daily_limit.filter(|&limit| that_day >= limit).map(|_| Refused::new("daily_limit"))
    }

    /// What keeps a waiting or offered member from taking the spot.
    pub fn obstacle_of(&self, number: Number) -> Option<Refused> {
        let booking = &self.bookings[number];
        let class = &self.classes[&booking.class];
        match self.members.get(&booking.member) {
            Some(member) => self.obstacle(class, member, &booking.member, Some(number)),
            None => Some(Refused::new("not_entitled")),
        }
    }

    // ---- spots given and taken ----------------------------------------------------------------------------

    /// The member takes a spot: a clip is spent if that is how they pay, and the oldest late cancel is forgiven.
    pub fn take_spot(&mut self, number: Number, event: &'static str, now: Instant) {
        let promoted = event == "booking_promoted";
        let class = self.classes[&self.bookings[number].class].clone();
        let member = self.members.get_mut(&self.bookings[number].member);
        let by_clip = member.as_ref().is_some_and(|m| m.profile.on_clips);
        if let Some(member) = member.filter(|_| by_clip) {
            member.clips -= 1;
        }
        let booking = &mut self.bookings[number];
        booking.status = Status::Booked;
        booking.by_clip = Some(by_clip);
        booking.offer_ends = None;
        if promoted {
            let grace = class.terms.policy.waitlist.grace.fixed_ms();
            booking.grace_until = (grace > 0).then(|| now + TimeDelta::milliseconds(grace));
        }
        self.announce(event, now, None, Some(number));
        if class.terms.policy.cancel.forgive_if_refilled {
            self.forgive_oldest(&class.id, now);
        }
        if promoted && class.terms.policy.waitlist.leave_overlapping {
            self.leave_overlapping(number, now);
        }
    }

    fn leave_overlapping(&mut self, number: Number, now: Instant) {
        let member = self.bookings[number].member.clone();
        let class = self.classes[&self.bookings[number].class].clone();
        for other in self.waits_in(&member) {
            if other != class.id && self.classes[&other].overlaps(&class) {
                let Some(place) = self.live(&other, &member) else { continue };
                self.bookings[place].status = Status::Cancelled;
                self.announce("waitlist_left", now, None, Some(place));
            }
        }
    }

    fn forgive_oldest(&mut self, class: &str, now: Instant) {
        let late = |b: &&Booking| b.status == Status::LateCancelled && b.owing.is_some();
        let oldest = self.of_class(class).filter(late).min_by_key(|b| b.owing).map(|b| b.number);
        if let Some(number) = oldest {
            self.unwind(number, now);
        }
    }

    /// Takes back what a late cancel or no-show cost: announced as an excuse, the fee by a waiver, the clip by returning it.
    pub fn unwind(&mut self, number: Number, now: Instant) {
        let booking = &mut self.bookings[number];
        booking.owing = None;
        let fee = std::mem::take(&mut booking.fee);
        self.announce("excused", now, None, Some(number));
        if fee > 0 {
            let charged = self.fees.iter().find(|line| line.booking == number && line.charged);
            let reason = charged.map_or("late_cancel", |line| line.reason);
            self.ledger(number, false, reason, fee);
            self.announce("fee_waived", now, None, Some(number));
        }
        if let Some(counted) = self.strikes.iter().position(|strike| strike.booking == number) {
            let member = self.strikes.remove(counted).member;
            self.judge_ban(&member, now);
        }
        if self.bookings[number].by_clip == Some(true) {
            self.return_clip(number);
            self.eased.insert(self.bookings[number].member.clone());
        }
    }

    // ---- strikes and bans ---------------------------------------------------------------------------------

    /// Counts a no-show, or a late cancel like one, at the class's start.
    pub fn strike(&mut self, number: Number, now: Instant) {
        let booking = &self.bookings[number];
        let class = &self.classes[&booking.class];
        let rules = &class.terms.policy.attendance;
        let Some(needed) = rules.strikes else { return };
        let span = |span: &Span| TimeDelta::milliseconds(span.fixed_ms());
        let member = booking.member.clone();
        let (at, window, ban) = (class.starts_at, span(&rules.strike_window), span(&rules.ban));
        self.strikes.push(Strike { member: member.clone(), booking: number, at, needed, window, ban });
        self.judge_ban(&member, now);
    }

    /// A strike with enough others in its window bans; the latest end of them all holds.
    fn ban_of(&self, member: &str) -> Option<Instant> {
        let mine: Vec<&Strike> = self.strikes.iter().filter(|strike| strike.member == member).collect();
        let counts = |one: &Strike, other: &Strike| one.at - one.window < other.at && other.at <= one.at;
        let qualifies = |one: &&&Strike| mine.iter().filter(|other| counts(one, other)).count() as u32 >= one.needed;
        mine.iter().filter(qualifies).map(|one| one.at + one.ban).max()
    }

    fn judge_ban(&mut self, id: &str, now: Instant) {
        let until = self.ban_of(id);
        let Some(member) = self.members.get_mut(id) else { return };
        let before = std::mem::replace(&mut member.banned_until, until);
        member.ban_over &= before == until;
        if before < until {
            self.announce_of_member("ban_started", now, id);
        } else if until < before {
            self.announce_of_member("ban_lifted", now, id);
            self.eased.insert(id.to_owned());
        }
    }

    pub fn return_clip(&mut self, number: Number) {
        let booking = &mut self.bookings[number];
        if booking.by_clip == Some(true)
            && let Some(member) = self.members.get_mut(&booking.member)
        {
            member.clips += 1;
        }
    }

    pub fn ledger(&mut self, number: Number, charged: bool, reason: &'static str, amount: u32) {
        let member = self.bookings[number].member.clone();
        self.fees.push(Fee { member, booking: number, charged, reason, amount });
    }

    /// From here on a late cancel or no-show is something to forgive, the oldest first.
    pub fn owe(&mut self, number: Number) {
        self.owed += 1;
        self.bookings[number].owing = Some(self.owed);
    }

    /// Money for who pays with a membership; who paid with a clip has lost that.
    pub fn charge(&mut self, number: Number, reason: &'static str, fee: u32, now: Instant) {
        if fee > 0 && self.bookings[number].by_clip != Some(true) {
            self.bookings[number].fee = fee;
            self.ledger(number, true, reason, fee);
            self.announce("fee_charged", now, None, Some(number));
        }
    }

    /// Ends a live place free of charge; a spot given up is asked about when the call is done.
    pub fn give_up(&mut self, number: Number, now: Instant) {
        let Booking { class, member, status, .. } = self.bookings[number].clone();
        self.bookings[number].status = Status::Cancelled;
        self.bookings[number].offer_ends = None;
        if status == Status::Waitlisted {
            self.announce("waitlist_left", now, None, Some(number));
            return;
        }
        if status == Status::Booked {
            self.return_clip(number);
        }
        self.announce("booking_cancelled", now, None, Some(number));
        self.freed.insert(class);
        self.eased.insert(member);
    }

    // ---- who is next --------------------------------------------------------------------------------------

    /// Asks whoever is next wherever a spot became free or an obstacle went: freed classes first, by start, then
    /// the waiting places of members who can now do what they could not.
    pub fn ask_around(&mut self, now: Instant) {
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
        if class.over() {
            return;
        }
        let waits = class.offers() && (self.settling || class.quiet_at(now));
        if waits && now < class.terms.promote_until {
            let kept = if self.settling { freed } else { self.reserved(id) > 0 };
            self.entry(id).unasked |= kept;
            return;
        }
        let freed = freed || (class.unasked && !self.settling);
        self.entry(id).unasked &= self.settling;
        let waiting = self.queue(id);
        if now >= class.terms.promote_until {
            let tell = freed && !class.holds_spots_for_the_desk() && now < class.starts_at;
            if tell && self.unheld(id) > 0 && !waiting.is_empty() {
                self.announce("spot_freed", now, Some(id), None);
            }
            return;
        }
        for number in waiting {
            if self.unheld(id) == 0 {
                return;
            }
            match self.obstacle_of(number) {
                Some(refused) if freed => {
                    self.announce("promotion_passed_over", now, None, Some(number));
                    if let Some(event) = self.events.last_mut() {
                        event.reason = Some(refused.code);
                    }
                }
                Some(_) => {}
                None if class.offers() => {
                    self.bookings[number].status = Status::Offered;
                    self.bookings[number].offer_ends = Some(class.offer_ends(now));
                    self.announce("spot_offered", now, None, Some(number));
                }
                None => self.take_spot(number, "booking_promoted", now),
            }
        }
    }

    pub fn entry(&mut self, id: &str) -> &mut Class {
        self.classes.get_mut(id).expect("the model's own class")
    }

    // ---- what falls due -----------------------------------------------------------------------------------

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

    /// Check-in is over: who had a spot and did not come is a no-show, unless nobody at all was checked in and staff are
    /// to look at it; what is left of the waitlist ends.
    fn close(&mut self, id: &str, at: Instant) {
        self.entry(id).closed = true;
        let rules = self.classes[id].terms.policy.attendance.clone();
        let of_status = |org: &Org, wanted: Status| -> Vec<Number> {
            org.of_class(id).filter(|b| b.status == wanted).map(|b| b.number).collect()
        };
        let absent = of_status(self, Status::Booked);
        let untouched = !absent.is_empty() && of_status(self, Status::CheckedIn).is_empty();
        if untouched && rules.untouched_roster == UntouchedRoster::Review {
            self.announce("roster_untouched", at, Some(id), None);
        } else {
            for number in absent {
                self.bookings[number].status = Status::NoShow;
                self.owe(number);
                self.announce("no_show_recorded", at, None, Some(number));
                self.charge(number, "no_show", rules.no_show_fee, at);
                self.strike(number, at);
                self.eased.insert(self.bookings[number].member.clone());
            }
        }
        for number in self.queue(id) {
            self.bookings[number].status = Status::Lapsed;
            self.announce("waitlist_lapsed", at, None, Some(number));
        }
        self.ask_around(at);
    }

    /// Offers wait for the end of settling and of quiet hours; then they are made, by class start.
    fn offer_what_is_free(&mut self, now: Instant) {
        self.ask_around(now);
        let offering: Vec<String> = self.classes.values().filter(|c| c.offers()).map(|c| c.id.clone()).collect();
        for id in self.in_order(&offering) {
            let unasked = self.classes[&id].unasked;
            self.fill(&id, now, unasked);
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
                Due::Start => 2,
                Due::Close => 3,
                Due::End => 4,
            };
            (*at, *rest, id.clone(), kind, order(*due))
        });
        first.map(|(at, _, id, due)| (at, due, id))
    }

    fn queue_of_offers(&self, class: &str) -> Vec<Number> {
        self.of_class(class).filter(|b| b.status == Status::Offered).map(|b| b.number).collect()
    }
}

pub fn ended(status: Membership, valid_until: Option<NaiveDate>, date: NaiveDate) -> bool {
    status == Membership::Ended || valid_until.is_some_and(|until| until < date)
}

/// The last frozen day of the span that covers this date.
pub fn frozen_until(spans: &[(NaiveDate, NaiveDate)], date: NaiveDate) -> Option<NaiveDate> {
    spans.iter().filter(|&&(from, until)| from <= date && date <= until).map(|&(_, until)| until).max()
}

fn age(born: NaiveDate, on: NaiveDate) -> u32 {
    let before_birthday = (on.month(), on.day()) < (born.month(), born.day());
    (on.year() - born.year() - i32::from(before_birthday)).max(0) as u32
}
