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
}
