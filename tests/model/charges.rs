//! What a late cancel and a no-show cost, and how it is taken back: fees, clips, strikes and bans.

use chrono::TimeDelta;
use rollcall::domain::instant::Instant;
use rollcall::domain::span::Span;

use crate::state::{Booking, Fee, Number, Org, Status, Strike};

impl Org {
    /// A spot that is taken forgives the oldest late cancel of the class.
    pub fn forgive_oldest(&mut self, class: &str, now: Instant) {
        let late = |b: &&Booking| b.status == Status::LateCancelled && b.owing.is_some();
        let oldest = self.of_class(class).filter(late).min_by_key(|b| b.owing).map(|b| b.number);
        if let Some(number) = oldest {
            self.unwind(number, now);
        }
    }

    /// Takes back what a late cancel or no-show cost: announced as an excuse, the fee by a waiver, the clip by returning it.
    pub fn unwind(&mut self, number: Number, now: Instant) {
        self.bookings[number].owing = None;
        self.announce("excused", now, None, Some(number));
        self.waive(number, "late_cancel", now);
        self.waive(number, "no_show", now);
        if let Some(counted) = self.strikes.iter().position(|strike| strike.booking == number) {
            let member = self.strikes.remove(counted).member;
            self.judge_ban(&member, now);
        }
        if self.bookings[number].by_clip == Some(true) {
            self.return_clip(number);
            self.eased.insert(self.bookings[number].member.clone());
        }
    }

    /// Counts a no-show, or a late cancel like one, at the class's start.
    pub fn strike(&mut self, number: Number, now: Instant) {
        let booking = &self.bookings[number];
        let class = &self.classes[&booking.class];
        let rules = &class.terms.policy.attendance;
        let Some(needed) = rules.strikes else { return };
        let span = |span: &Span| TimeDelta::milliseconds(span.fixed_ms());
        let member = booking.member.clone();
        // whom nobody knows any more cannot be banned
        if !self.members.contains_key(&member) {
            return;
        }
        let (at, window, ban) = (class.starts_at, span(&rules.strike_window), span(&rules.ban));
        let lifted = false;
        self.strikes.push(Strike { member: member.clone(), booking: number, at, needed, window, ban, lifted });
        self.judge_ban(&member, now);
    }

    /// The strikes a ban from this one rests on, itself among them; `None`: too few.
    fn rests_on(&self, one: &Strike) -> Option<Vec<Number>> {
        let counts =
            |other: &&Strike| other.member == one.member && one.at - one.window < other.at && other.at <= one.at;
        let found: Vec<Number> = self.strikes.iter().filter(counts).map(|strike| strike.booking).collect();
        (found.len() as u32 >= one.needed).then_some(found)
    }

    /// A strike with enough others in its window bans; the latest end of them all holds.
    fn ban_of(&self, member: &str) -> Option<Instant> {
        let mine = self.strikes.iter().filter(|strike| strike.member == member && !strike.lifted);
        mine.filter(|one| self.rests_on(one).is_some()).map(|one| one.at + one.ban).max()
    }

    /// The ban ends now, and none begins any more by the strikes it rested on; for a later one they count.
    pub fn lift(&mut self, id: &str, now: Instant) {
        let mine = self.strikes.iter().filter(|strike| strike.member == id);
        let rested_on: Vec<Number> = mine.filter_map(|one| self.rests_on(one)).flatten().collect();
        for strike in self.strikes.iter_mut().filter(|strike| rested_on.contains(&strike.booking)) {
            strike.lifted = true;
        }
        self.judge_ban(id, now);
    }

    fn judge_ban(&mut self, id: &str, now: Instant) {
        let until = self.ban_of(id);
        let Some(member) = self.members.get_mut(id) else { return };
        let before = std::mem::replace(&mut member.banned_until, until);
        member.ban_over = if before == until { member.ban_over } else { until.is_some_and(|until| until <= now) };
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
        if self.bookings[number].by_clip != Some(true) {
            self.charge_money(number, reason, fee, now);
        }
    }

    fn charge_money(&mut self, number: Number, reason: &'static str, fee: u32, now: Instant) {
        if fee > 0 {
            self.bookings[number].fee += fee;
            self.ledger(number, true, reason, fee);
            self.announce("fee_charged", now, None, Some(number));
        }
    }

    /// The booking's line for the reason that was charged or waived.
    pub fn line(&self, number: Number, charged: bool, reason: &str) -> Option<usize> {
        self.fees.iter().position(|fee| fee.booking == number && fee.charged == charged && fee.reason == reason)
    }

    /// Takes a charge back by a line of its own, once.
    pub fn waive(&mut self, number: Number, reason: &'static str, now: Instant) {
        let Some(charged) = self.line(number, true, reason) else { return };
        if self.line(number, false, reason).is_some() {
            return;
        }
        let amount = self.fees[charged].amount;
        self.bookings[number].fee -= amount;
        self.ledger(number, false, reason, amount);
        self.announce("fee_waived", now, None, Some(number));
    }

    /// Being late costs whoever pays with clips one more, and everybody else, or where none is left, the fee; once.
    pub fn charge_late(&mut self, number: Number, fee: u32, now: Instant) {
        let booking = &mut self.bookings[number];
        if booking.late_charged || fee == 0 {
            return;
        }
        booking.late_charged = true;
        let member = self.members.get_mut(&booking.member);
        match member.filter(|member| booking.by_clip == Some(true) && member.clips > 0) {
            Some(member) => {
                member.clips -= 1;
                booking.late_clip = true;
            }
            None => self.charge_money(number, "late_check_in", fee, now),
        }
    }

    /// Takes back what being late cost.
    pub fn forgive_late(&mut self, number: Number, now: Instant) {
        let booking = &mut self.bookings[number];
        if std::mem::take(&mut booking.late_clip)
            && let Some(member) = self.members.get_mut(&booking.member)
        {
            member.clips += 1;
            self.eased.insert(booking.member.clone());
        }
        self.waive(number, "late_check_in", now);
    }
}
