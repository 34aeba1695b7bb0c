//! What might happen at the door, and what staff might take back afterwards.

use chrono::TimeDelta;

use crate::histories::{Chance, INSTRUCTORS};
use crate::operations::{Arriving, Caller, Op};
use crate::state::{Booking, Class, Org, Stage, Status};

fn taking_the_roll(org: &Org, class: &Class) -> bool {
    !class.over() && class.terms.check_in_opens <= org.now && org.now < class.terms.check_in_closes
}

impl Chance {
    /// The instructor of the class, mostly; sometimes somebody else's, and often the desk.
    fn taker(&mut self, org: &Org, class: &str) -> Caller {
        let own = org.classes.get(class).and_then(|class| class.instructor.clone());
        match (self.dice.within(0..20), own) {
            (0, _) => Caller::Instructor((*self.dice.pick(&INSTRUCTORS)).to_owned()),
            (1..10, Some(own)) => Caller::Instructor(own),
            _ => Caller::Desk,
        }
    }

    pub fn check_in(&mut self, org: &Org) -> Option<Op> {
        let open = |b: &Booking| taking_the_roll(org, &org.classes[&b.class]);
        let wanted = self.dice.within(0..100);
        let (class, member) = match wanted {
            0..40 => self.place(org, |b| open(b) && b.status == Status::Booked)?,
            40..64 => self.place(org, |b| open(b) && b.status == Status::Offered)?,
            64..82 => self.place(org, |b| open(b) && b.status == Status::Waitlisted)?,
            82..88 => self.place(org, |b| open(b) && b.present)?,
            88..92 => self.place(org, |b| b.status == Status::Booked && org.classes[&b.class].closed)?,
            92..97 => self.place(org, |b| b.status.live() && !open(b))?,
            _ => self.place(org, |_| true)?,
        };
        let caller = self.taker(org, &class);
        Some(Op::CheckIn { caller, class, member, key: self.key() })
    }

    /// A spot is given back while the roll is being taken; whoever is offered it is here.
    pub fn offer_at_the_door(&mut self, org: &Org) -> Option<Op> {
        let offering =
            |class: &Class| class.offers() && org.now < class.terms.promote_until && !class.quiet_at(org.now);
        let held = |b: &Booking| {
            let class = &org.classes[&b.class];
            let waited_for = org.queue(&b.class).iter().any(|&next| org.obstacle_of(next).is_none());
            b.status == Status::Booked && taking_the_roll(org, class) && offering(class) && waited_for
        };
        let (class, member) = self.place(org, held)?;
        let next = org.queue(&class).into_iter().find(|&next| org.obstacle_of(next).is_none())?;
        let (caller, next) = (Caller::Desk, org.bookings[next].member.clone());
        self.ahead.push(Op::CheckIn { caller: caller.clone(), class: class.clone(), member: next, key: None });
        Some(Op::Cancel { caller, class, member, charge: Some(false), key: None })
    }

    pub fn undo_check_in(&mut self, org: &Org) -> Option<Op> {
        let open = |b: &Booking| taking_the_roll(org, &org.classes[&b.class]);
        let (class, member) = match self.dice.within(0..100) {
            0..25 => self.place(org, |b| open(b) && b.walk_in && b.present)?,
            25..36 => self.place(org, |b| open(b) && b.late)?,
            36..55 => self.place(org, |b| open(b) && b.late && b.fee > 0)?,
            55..70 => self.place(org, |b| open(b) && b.present)?,
            70..80 => self.place(org, |b| open(b) && b.present && b.status == Status::Waitlisted)?,
            80..83 => self.place(org, |b| b.status == Status::CheckedIn && org.classes[&b.class].closed)?,
            83..92 => self.place(org, |b| open(b) && b.status == Status::Waitlisted)?,
            92..96 => self.place(org, |b| !b.status.live())?,
            _ => self.place(org, open)?,
        };
        let caller = self.taker(org, &class);
        if self.dice.chance(60) {
            self.ahead.push(Op::CheckIn {
                caller: caller.clone(),
                class: class.clone(),
                member: member.clone(),
                key: None,
            });
        }
        Some(Op::UndoCheckIn { caller, class, member, key: self.key() })
    }

    pub fn arrive(&mut self, org: &Org) -> Option<Op> {
        let expected = self.place(org, |b| b.status.live() && taking_the_roll(org, &org.classes[&b.class]));
        let (class, member) = match self.dice.chance(85) {
            true => expected?,
            false => (org.classes.keys().next()?.clone(), self.member()),
        };
        let caller = if self.dice.chance(50) { Caller::Kiosk } else { Caller::Desk };
        let club = match self.dice.chance(4) {
            true => "no-such-club".to_owned(),
            false => org.classes[&class].club.clone(),
        };
        let phone = org.members.get(&member).and_then(|member| member.profile.phone.clone());
        let arriving = match phone.filter(|_| self.dice.chance(50)) {
            Some(phone) => Arriving::Phone(phone),
            None => Arriving::Member(member),
        };
        Some(Op::Arrive { caller, club, arriving, key: self.key() })
    }

    pub fn walk_in(&mut self, org: &Org) -> Option<Op> {
        let shut = self.dice.chance(8);
        let wanted = |class: &&Class| if shut { class.closed } else { taking_the_roll(org, class) };
        let mut open: Vec<&Class> = org.classes.values().filter(wanted).collect();
        let free: Vec<&Class> = open.iter().copied().filter(|class| org.unheld(&class.id) > 0).collect();
        if !free.is_empty() && self.dice.chance(80) {
            open = free;
        }
        let class = match self.dice.chance(94) {
            true if open.is_empty() => return None,
            true => self.dice.pick(&open).id.clone(),
            false => self.class(org)?,
        };
        let member = if self.dice.chance(4) { "nobody".to_owned() } else { self.newcomer(org, &class) };
        Some(Op::WalkIn { class, member, key: self.key() })
    }

    pub fn close_class(&mut self, org: &Org) -> Option<Op> {
        let untouched: Vec<&Class> = org.classes.values().filter(|class| class.untouched).collect();
        let class = match self.dice.chance(85) {
            true if untouched.is_empty() => return None,
            true => self.dice.pick(&untouched).id.clone(),
            false => self.class(org)?,
        };
        Some(Op::CloseClass { class, penalties: self.dice.chance(60), key: self.key() })
    }

    pub fn excuse(&mut self, org: &Org) -> Option<Op> {
        let (class, member) = match self.dice.within(0..10) {
            0..8 => self.place(org, |b| b.owing.is_some())?,
            8..9 => self.place(org, |b| matches!(b.status, Status::NoShow | Status::LateCancelled))?,
            _ => self.place(org, |_| true)?,
        };
        Some(Op::Excuse { class, member, key: self.key() })
    }

    pub fn waive_fee(&mut self, org: &Org) -> Option<Op> {
        let charged: Vec<usize> = (0..org.fees.len()).filter(|&line| org.fees[line].charged).collect();
        let open: Vec<usize> = charged.iter().copied().filter(|&n| !waived(org, n)).collect();
        let line = match self.dice.within(0..100) {
            0..70 if !open.is_empty() => *self.dice.pick(&open),
            0..85 if !charged.is_empty() => *self.dice.pick(&charged),
            85..95 if !org.fees.is_empty() => self.dice.within(0..org.fees.len() as i64) as usize,
            95.. => org.fees.len(),
            _ => return None,
        };
        Some(Op::WaiveFee { line, key: self.key() })
    }

    pub fn lift_ban(&mut self, org: &Org) -> Option<Op> {
        let banned =
            |id: &&String| org.members.get(*id).is_some_and(|m| m.banned_until.is_some_and(|until| org.now < until));
        let banned: Vec<String> = self.members.iter().filter(banned).cloned().collect();
        let member = match self.dice.chance(85) {
            true if banned.is_empty() => return None,
            true => self.dice.pick(&banned).clone(),
            false => self.member(),
        };
        Some(Op::LiftBan { member, key: self.key() })
    }

    /// Straight to where the roll is taken next.
    pub fn comes_to_the_door(&mut self, org: &Org) -> Option<Op> {
        let opens = |class: &Class| {
            let t = &class.terms;
            let minutes = [t.check_in_opens, t.check_in_due + TimeDelta::milliseconds(1), t.check_in_closes];
            minutes.into_iter().filter(|&at| at > org.now).min()
        };
        let busy =
            |class: &&Class| class.stage == Stage::Open && !class.closed && org.count(&class.id, Status::live) > 0;
        let next = org.classes.values().filter(busy).filter_map(opens).min()?;
        Some(Op::SetClock(next))
    }
}

fn waived(org: &Org, line: usize) -> bool {
    let charged = &org.fees[line];
    org.line(charged.booking, false, charged.reason).is_some()
}
