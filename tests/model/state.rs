//! What the reference model remembers of one organisation, and the plain questions one can ask of it.
//!
//! The model is the second opinion on every rule: written from the product's pages alone, in plain Rust, without
//! Redis and without a thought for speed. It borrows only the parsed policy and the terms (calendar arithmetic,
//! which has its own tests) from the service; who may book, who is next and what it costs is decided here again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{NaiveDate, TimeDelta};
use rollcall::domain::instant::Instant;
use rollcall::domain::policy::{Mode, Policy, Then};
use rollcall::domain::terms::Terms;
use serde_json::Value;

use crate::closures::Closure;
use crate::operations::NewClass;
use crate::series::Kept;
use crate::views::Answer;

/// A booking's place in [`Org::bookings`]: the model's own name for it.
pub type Number = usize;

#[derive(Clone, Debug)]
pub struct Org {
    pub now: Instant,
    pub policy: Policy,
    pub clubs: BTreeSet<String>,
    pub members: BTreeMap<String, Member>,
    pub erased: BTreeSet<String>,
    pub classes: BTreeMap<String, Class>,
    pub series: BTreeMap<String, Kept>,
    pub closures: Vec<Closure>,
    pub bookings: Vec<Booking>,
    /// The bookings of each class and of each member, in the order of their making.
    by_class: HashMap<String, Vec<Number>>,
    by_member: HashMap<String, Vec<Number>>,
    pub fees: Vec<Fee>,
    pub strikes: Vec<Strike>,
    pub events: Vec<Event>,
    /// Replies remembered for repeats, by caller and key.
    pub remembered: BTreeMap<(String, String), Remembered>,
    /// Classes where a spot became free in this call and nobody was asked yet.
    pub freed: BTreeSet<String>,
    /// Classes that offer, where a spot became free while due items were settled.
    pub freed_by_time: BTreeSet<String>,
    /// Members one of whose obstacles may have gone in this call.
    pub eased: BTreeSet<String>,
    /// While due items are being settled, offers wait.
    pub settling: bool,
    /// Promoted, and still in waiting places that overlap.
    pub leaving: Vec<Number>,
    pub owed: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub profile: Profile,
    pub clips: u32,
    pub clips_revision: Option<String>,
    /// The right to book is gone until then.
    pub banned_until: Option<Instant>,
    /// Its end has been carried out.
    pub ban_over: bool,
}

/// One counted no-show or late cancel, under the terms of its class.
#[derive(Clone, Debug, PartialEq)]
pub struct Strike {
    pub member: String,
    pub booking: Number,
    /// The class's start.
    pub at: Instant,
    /// So many within `window` begin a ban.
    pub needed: u32,
    pub window: TimeDelta,
    pub ban: TimeDelta,
    /// A ban that rested on it was lifted by hand: it begins none by itself any more.
    pub lifted: bool,
}

/// What the membership system says of a member: the body of `PUT /v1/members/{id}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub name: String,
    pub phone: Option<String>,
    pub born: Option<NaiveDate>,
    pub on_clips: bool,
    pub status: Membership,
    pub clips: Option<u32>,
    pub clips_revision: Option<String>,
    pub valid_from: Option<NaiveDate>,
    pub valid_until: Option<NaiveDate>,
    /// `None` is "all".
    pub clubs: Option<Vec<String>>,
    pub categories: Option<Vec<String>>,
    pub frozen: Vec<(NaiveDate, NaiveDate)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    Active,
    Blocked,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Scheduled,
    Open,
    Cancelled,
    Finished,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    pub id: String,
    pub club: String,
    pub title: String,
    pub category: Option<String>,
    pub instructor: Option<String>,
    pub starts_at: Instant,
    pub minutes: u32,
    pub capacity: u32,
    /// The one it was published with; `None` is the policy's.
    pub minimum: Option<u32>,
    pub min_age: Option<u32>,
    pub overrides: Option<Value>,
    /// What its series last gave it.
    pub given: Option<NewClass>,
    pub terms: Terms,
    pub stage: Stage,
    /// The minimum has yet to be judged.
    pub undecided: bool,
    pub started: bool,
    /// The roll was closed, or left to staff.
    pub closed: bool,
    /// Nobody took the roll, and staff have not said yet what that means.
    pub untouched: bool,
    /// Counts the changes made to it.
    pub revision: u64,
    pub tickets: u64,
    /// A spot that nobody could be asked about yet (quiet hours).
    pub unasked: bool,
    /// How many have joined the waitlist so far.
    pub queued: u64,
    /// What was last said of those passed over: joined so far, waiting, and each with the reason.
    pub told_passed: Option<(u64, usize, Passed)>,
    /// The free spots as last seen in an event of this class.
    pub shown_free: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Booked,
    Waitlisted,
    Offered,
    CheckedIn,
    NoShow,
    Cancelled,
    LateCancelled,
    ClassCancelled,
    Lapsed,
}

#[derive(Clone, Debug)]
pub struct Booking {
    pub number: Number,
    pub class: String,
    pub member: String,
    pub status: Status,
    pub ticket: u64,
    pub offer_ends: Option<Instant>,
    /// The offer ran out (as against: the waitlist ended).
    pub ran_out: bool,
    /// Paid with a clip; `None` as long as no spot was taken.
    pub by_clip: Option<bool>,
    pub grace_until: Option<Instant>,
    /// Booked past the cutoff: free to cancel until here.
    pub misclick_until: Option<Instant>,
    /// The club moved the class at short notice: free to cancel until what was then its new start.
    pub moved: Option<Instant>,
    /// What is still charged for it, in minor units.
    pub fee: u32,
    /// The order of late cancels and no-shows; `None` once it is forgiven, or if it is neither.
    pub owing: Option<u64>,
    /// On the premises: checked in, or standing by.
    pub present: bool,
    /// Checked in after it was due.
    pub late: bool,
    /// Being late was charged once, and is not charged again.
    pub late_charged: bool,
    /// … with a clip that has not been returned.
    pub late_clip: bool,
    /// Booked at the door.
    pub walk_in: bool,
    /// Checked in to the first class ever.
    pub first_time: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fee {
    pub member: String,
    pub booking: Number,
    pub charged: bool,
    pub reason: &'static str,
    pub amount: u32,
}

/// Who was passed over for a spot, each with the reason.
pub type Passed = Vec<(Number, &'static str)>;

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: &'static str,
    pub class: Option<String>,
    pub booking: Option<Number>,
    pub member: Option<String>,
    /// Who was passed over for a spot, and why.
    pub passed: Passed,
    pub at: Instant,
}

#[derive(Clone, Debug)]
pub struct Remembered {
    pub call: String,
    pub at: Instant,
    pub answer: Answer,
}

impl Status {
    /// Holds a spot, or has one held: what limits and overlaps count.
    pub fn holds(self) -> bool {
        matches!(self, Status::Booked | Status::Offered | Status::CheckedIn)
    }

    pub fn live(self) -> bool {
        self.holds() || self == Status::Waitlisted
    }
}

impl Member {
    pub fn new(profile: Profile) -> Member {
        Member { profile, clips: 0, clips_revision: None, banned_until: None, ban_over: false }
    }
}

impl Class {
    pub fn ends_at(&self) -> Instant {
        self.starts_at + TimeDelta::minutes(i64::from(self.minutes))
    }

    pub fn overlaps(&self, other: &Class) -> bool {
        self.starts_at < other.ends_at() && other.starts_at < self.ends_at()
    }

    pub fn quiet_at(&self, now: Instant) -> bool {
        self.offers() && self.terms.quiet.iter().any(|&(from, until)| from <= now && now < until)
    }

    pub fn offers(&self) -> bool {
        self.terms.policy.waitlist.mode == Mode::Offer
    }

    pub fn holds_spots_for_the_desk(&self) -> bool {
        self.terms.policy.waitlist.then == Then::Closed
    }

    /// How many it takes for the class to be held.
    pub fn least(&self) -> u32 {
        self.minimum.unwrap_or(self.terms.policy.attendance.minimum).min(self.capacity)
    }

    /// Something may still fall due.
    pub fn running(&self) -> bool {
        !(self.stage == Stage::Cancelled || self.stage == Stage::Finished && self.closed)
    }

    pub fn over(&self) -> bool {
        matches!(self.stage, Stage::Cancelled | Stage::Finished)
    }

    /// When an offer made now runs out: its clock stands still in quiet hours, and `promote_until` ends it.
    pub fn offer_ends(&self, now: Instant) -> Instant {
        let mut left = TimeDelta::milliseconds(self.terms.policy.waitlist.offer_for.fixed_ms());
        let mut at = now;
        for &(from, until) in self.terms.quiet.iter().filter(|&&(_, until)| until > now) {
            let awake = (from - at).max(TimeDelta::zero());
            if left <= awake {
                break;
            }
            left -= awake;
            at = at.max(until);
        }
        (at + left).min(self.terms.promote_until)
    }
}

impl Org {
    pub fn new(policy: Policy, clubs: &[String], now: Instant) -> Org {
        Org {
            now,
            policy,
            clubs: clubs.iter().cloned().collect(),
            members: BTreeMap::new(),
            erased: BTreeSet::new(),
            classes: BTreeMap::new(),
            series: BTreeMap::new(),
            closures: Vec::new(),
            bookings: Vec::new(),
            by_class: HashMap::new(),
            by_member: HashMap::new(),
            fees: Vec::new(),
            strikes: Vec::new(),
            events: Vec::new(),
            remembered: BTreeMap::new(),
            freed: BTreeSet::new(),
            freed_by_time: BTreeSet::new(),
            eased: BTreeSet::new(),
            settling: false,
            leaving: Vec::new(),
            owed: 0,
        }
    }

    /// Sorts classes the way every rule tries them: by start, then id.
    pub fn in_order<'a>(&self, classes: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        let mut ids: Vec<String> = classes.into_iter().cloned().collect();
        ids.sort_by_key(|id| (self.classes[id].starts_at, id.clone()));
        ids.dedup();
        ids
    }

    pub fn of_class<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a Booking> + 'a {
        self.by_class.get(class).into_iter().flatten().map(|&number| &self.bookings[number])
    }

    pub fn of_member<'a>(&'a self, member: &'a str) -> impl Iterator<Item = &'a Booking> + 'a {
        self.by_member.get(member).into_iter().flatten().map(|&number| &self.bookings[number])
    }

    pub fn add(&mut self, booking: Booking) {
        self.by_class.entry(booking.class.clone()).or_default().push(booking.number);
        self.by_member.entry(booking.member.clone()).or_default().push(booking.number);
        self.bookings.push(booking);
    }

    pub fn live(&self, class: &str, member: &str) -> Option<Number> {
        self.of_member(member).find(|b| b.class == class && b.status.live()).map(|b| b.number)
    }

    pub fn latest(&self, class: &str, member: &str) -> Option<Number> {
        self.of_member(member).filter(|b| b.class == class).last().map(|b| b.number)
    }

    pub fn count(&self, class: &str, wanted: impl Fn(Status) -> bool) -> u32 {
        self.of_class(class).filter(|b| wanted(b.status)).count() as u32
    }

    /// Spots that nobody holds, reserved ones included.
    pub fn unheld(&self, class: &str) -> u32 {
        self.classes[class].capacity.saturating_sub(self.count(class, Status::holds))
    }

    /// The waitlist, in ticket order.
    pub fn queue(&self, class: &str) -> Vec<Number> {
        let mut waiting: Vec<&Booking> = self.of_class(class).filter(|b| b.status == Status::Waitlisted).collect();
        waiting.sort_by_key(|b| b.ticket);
        waiting.iter().map(|b| b.number).collect()
    }

    /// Unheld spots kept for waiting members who could take one but may not be asked now.
    pub fn reserved(&self, class: &str) -> u32 {
        let held_back = &self.classes[class];
        if held_back.stage != Stage::Open || self.now >= held_back.terms.promote_until {
            return 0;
        }
        let able = self.queue(class).into_iter().filter(|&n| self.obstacle_of(n).is_none()).count() as u32;
        self.unheld(class).min(able)
    }

    /// Classes this member waits in, by start.
    pub fn waits_in(&self, member: &str) -> Vec<String> {
        self.in_order(self.of_member(member).filter(|b| b.status == Status::Waitlisted).map(|b| &b.class))
    }

    /// Live places in classes that have not started, by start.
    pub fn ahead(&self, member: &str) -> Vec<Number> {
        let mut ahead: Vec<&Booking> =
            self.of_member(member).filter(|b| b.status.live() && self.now < self.classes[&b.class].starts_at).collect();
        ahead.sort_by_key(|b| (self.classes[&b.class].starts_at, b.class.clone()));
        ahead.iter().map(|b| b.number).collect()
    }

    /// What the model's own state breaks of the invariants of `DESIGN.md`: a mistake in the model.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for class in self.classes.values() {
            let id = &class.id;
            let asking = !class.over() && self.now < class.terms.promote_until && !class.quiet_at(self.now);
            if asking && self.reserved(id) > 0 {
                broken.push(format!("{id}: a free spot and a member who could take it (3)"));
            }
            let mut live: Vec<&str> =
                self.of_class(id).filter(|b| b.status.live()).map(|b| b.member.as_str()).collect();
            live.sort_unstable();
            if live.windows(2).any(|pair| pair[0] == pair[1]) {
                broken.push(format!("{id}: two live bookings of one member (5)"));
            }
            if class.over() && class.stage == Stage::Cancelled && !live.is_empty() {
                broken.push(format!("{id}: cancelled and still booked"));
            }
        }
        for booking in &self.bookings {
            let lines = |charged| self.fees.iter().filter(move |f| f.booking == booking.number && f.charged == charged);
            let owed = lines(true).map(|f| f.amount).sum::<u32>() - lines(false).map(|f| f.amount).sum::<u32>();
            let mut reasons: Vec<&str> = lines(true).map(|line| line.reason).collect();
            let all = reasons.len();
            reasons.sort_unstable();
            reasons.dedup();
            if owed != booking.fee || reasons.len() != all {
                broken.push(format!(
                    "booking {}: the ledger says {owed}, the booking {} (7)",
                    booking.number, booking.fee
                ));
            }
        }
        broken
    }

    pub fn announce_of_member(&mut self, name: &'static str, at: Instant, member: &str) {
        let member = Some(member.to_owned());
        self.events.push(Event { name, class: None, booking: None, member, passed: Vec::new(), at });
    }

    pub fn announce(&mut self, name: &'static str, at: Instant, class: Option<&str>, booking: Option<Number>) {
        let member = booking.map(|n| self.bookings[n].member.clone());
        let class = class.map(str::to_owned).or_else(|| booking.map(|n| self.bookings[n].class.clone()));
        self.events.push(Event { name, class, booking, member, passed: Vec::new(), at });
    }
}
