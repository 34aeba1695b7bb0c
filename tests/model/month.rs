//! A month of a chain in virtual time, told to the service and to the model: at its end the ledger is the model's line
//! by line, so are every member's standing and every roster, and every invariant holds.
//!
//! What happens lies on an agenda: a class that is published brings the bookings people will make, a booking may bring
//! its cancelling, and the door opens for each class. `ROLLCALL_SEED=<n> cargo test --test model a_month` repeats one.

use std::collections::BTreeMap;
use std::time::Instant as Stopwatch;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use rollcall::domain::calendar::local_at;
use rollcall::domain::instant::Instant;
use rollcall::domain::presets::preset;

use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::drive::{Difference, Run};
use crate::histories::{Beginning, CATEGORIES, INSTRUCTORS};
use crate::operations::{Arriving, Caller, ClassChange, NewClass, Op};
use crate::state::{Membership, Number, Profile, Status};
use crate::support::api::World;
use crate::support::redis::Keeps;
use crate::{of_today, setting};

/// Long enough for the clocks to change on the way.
const DAYS: u64 = 30;
const CLUBS: usize = 4;
/// Classes exist this long before they are held: a day before their booking opens.
const AHEAD_DAYS: u64 = 8;
/// People and clocks move by quarters of an hour.
const TICK: TimeDelta = TimeDelta::minutes(15);
/// When classes begin, and how many come: mornings, lunch, and evenings that are full.
const HOURS: [(&str, i64); 10] = [
    ("06:30", 8),
    ("07:30", 10),
    ("09:00", 7),
    ("10:30", 6),
    ("12:00", 9),
    ("16:00", 11),
    ("17:00", 17),
    ("18:00", 19),
    ("19:00", 16),
    ("20:00", 9),
];
const CAPACITY: u32 = 14;

/// A chain: its rules, and how large it is.
struct Chain {
    preset: &'static str,
    classes_a_day: usize,
    members: usize,
    /// What must have come up, or the month was too quiet to mean anything.
    reaches: &'static [(&'static str, &'static str)],
}

enum Plan {
    Publish(NaiveDate),
    Book {
        class: String,
    },
    Cancel {
        class: String,
        member: String,
    },
    Club {
        class: String,
    },
    /// Who is early, and who stands by.
    Doors {
        class: String,
    },
    /// The last minute: the late, and those who just walk in.
    Start {
        class: String,
    },
    /// The day after: excuses, waivers, and a roll that nobody took.
    Afterwards {
        class: String,
    },
    Memberships,
}

struct Month {
    run: Run,
    dice: Dice,
    agenda: BTreeMap<(Instant, u64), Plan>,
    planned: u64,
    chain: Chain,
    coverage: Coverage,
}

#[tokio::test]
async fn a_month_of_a_chain_that_charges_ends_with_the_ledger_of_the_model() {
    let reaches = &[
        ("cancel", "late"),
        ("cancel", "late_by_clip"),
        ("check_in", "late"),
        ("kiosk", "in_time"),
        ("walk_in", "walked_in"),
        ("check_in", "stands_by"),
        ("undo_check_in", "late"),
        ("set_clock", "+no_show_recorded"),
        ("set_clock", "+booking_promoted"),
        ("set_clock", "+class_cancelled"),
        ("close_class", "penalised"),
        ("excuse", "no_show"),
        ("excuse", "late_cancel"),
        ("waive_fee", "waived"),
    ];
    Month::plays(Chain { preset: "pulsn-dk", classes_a_day: 40, members: 2_000, reaches }).await;
}

#[tokio::test]
async fn a_month_of_a_chain_that_bans_ends_with_the_standing_of_the_model() {
    let reaches = &[
        ("cancel", "cancel_closed"),
        ("book", "banned"),
        ("set_clock", "+ban_started"),
        ("excuse", "+ban_lifted"),
        ("lift_ban", "lifted"),
    ];
    Month::plays(Chain { preset: "impuls-lt", classes_a_day: 12, members: 250, reaches }).await;
}

impl Month {
    async fn plays(chain: Chain) {
        let seed = setting("ROLLCALL_SEED").unwrap_or_else(of_today);
        let preset = chain.preset;
        let repeats = format!("ROLLCALL_SEED={seed} cargo test --test model a_month");
        let begun = Stopwatch::now();
        let world = World::with(1, Keeps::Nothing).await;
        let mut month = Month::begin(&world, chain, seed).await;
        if let Err(Difference { what, model, service }) = month.live().await {
            let now = month.run.model.now;
            panic!("\n{preset}, {now}: {what}\n--- model\n{model}\n--- service\n{service}\n\nto repeat: {repeats}\n");
        }
        for (op, outcome) in month.chain.reaches {
            assert!(month.coverage.seen(op, outcome) > 0, "{preset}: nothing came to {op} → {outcome}; {repeats}");
        }
        let (calls, took) = (month.coverage.calls, begun.elapsed());
        let places = month.run.model.bookings.len();
        let lines = month.run.model.fees.len();
        println!(
            "{preset}: {calls} calls, {places} bookings, {lines} ledger lines in {took:.1?}: {:.0} calls/s\n{}",
            calls as f64 / took.as_secs_f64(),
            month.coverage.table(),
        );
    }

    async fn begin(world: &World, chain: Chain, seed: u64) -> Month {
        let policy = preset(chain.preset).expect("a preset").policy.to_json();
        let first = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day");
        let midnight = first.and_hms_opt(2, 0, 0).expect("two o'clock").and_utc();
        let clubs = (1..=CLUBS).map(|n| format!("club-{n}")).collect();
        let run = Run::begin(world, &Beginning { now: midnight, policy, clubs }).await;
        let (agenda, coverage) = (BTreeMap::new(), Coverage::default());
        let mut month = Month { run, dice: Dice::new(seed), agenda, planned: 0, chain, coverage };
        for date in first.iter_days().take((DAYS) as usize) {
            let eve = date - chrono::Days::new(AHEAD_DAYS);
            month.plan(month.at(eve.max(first), "03:00"), Plan::Publish(date));
            month.plan(month.at(date, "04:00"), Plan::Memberships);
        }
        month
    }

    fn at(&self, date: NaiveDate, time: &str) -> Instant {
        let time = NaiveTime::parse_from_str(time, "%H:%M").expect("a time of day");
        local_at(date, time, self.run.model.policy.timezone)
    }

    /// Not before now, at the next quarter of an hour.
    fn plan(&mut self, at: Instant, plan: Plan) {
        let tick = TICK.num_milliseconds();
        let ms = (at.max(self.run.model.now).timestamp_millis() + tick - 1) / tick * tick;
        self.planned += 1;
        self.agenda.insert((Instant::from_timestamp_millis(ms).expect("an instant"), self.planned), plan);
    }

    async fn live(&mut self) -> Result<(), Difference> {
        for n in 1..=self.chain.members {
            let profile = self.newcomer(n);
            self.tell(Op::PutMember { id: format!("m{n}"), profile }).await?;
        }
        while let Some(((at, _), plan)) = self.agenda.pop_first() {
            if at > self.run.model.now {
                self.run.compare_events().await?;
                self.tell(Op::SetClock(at)).await?;
            }
            self.carry_out(plan).await?;
        }
        self.run.compare_events().await?;
        self.run.compare_ledger().await?;
        for member in self.run.model.members.keys().cloned().collect::<Vec<_>>() {
            self.run.compare_standing(&member).await?;
        }
        for class in self.run.model.classes.keys().cloned().collect::<Vec<_>>() {
            self.run.compare_roster(&class).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, op: Op) -> Result<(), Difference> {
        let announced = self.run.model.events.len();
        let answer = self.run.tell(&op).await?;
        let events: Vec<&'static str> = self.run.model.events[announced..].iter().map(|e| e.name).collect();
        self.coverage.count(op.name(), answer.outcome, &events);
        Ok(())
    }

    async fn carry_out(&mut self, plan: Plan) -> Result<(), Difference> {
        match plan {
            Plan::Publish(date) => self.publish(date).await,
            Plan::Book { class } => self.book(class).await,
            Plan::Cancel { class, member } => self.cancel(class, member).await,
            Plan::Club { class } => self.club_changes(class).await,
            Plan::Doors { class } => self.doors(&class).await,
            Plan::Start { class } => self.start(&class).await,
            Plan::Afterwards { class } => self.afterwards(&class).await,
            Plan::Memberships => self.memberships().await,
        }
    }

    // ---- before -------------------------------------------------------------------------------------------

    fn newcomer(&mut self, n: usize) -> Profile {
        let on_clips = self.dice.chance(25);
        Profile {
            name: format!("Ann Lind {n}"),
            phone: Some(format!("+45{:08}", 20_000_000 + n)),
            born: NaiveDate::from_ymd_opt(1960 + self.dice.within(0..45) as i32, 6, 15),
            on_clips,
            status: Membership::Active,
            clips: on_clips.then(|| self.dice.within(4..20) as u32),
            clips_revision: None,
            valid_from: None,
            valid_until: None,
            clubs: None,
            categories: None,
            frozen: Vec::new(),
        }
    }

    async fn publish(&mut self, date: NaiveDate) -> Result<(), Difference> {
        for n in 0..self.chain.classes_a_day {
            let (hour, coming) = HOURS[n % HOURS.len()];
            let starts_at = self.at(date, hour);
            let new = NewClass {
                id: format!("{}-{n}", date.format("%m%d")),
                club: format!("club-{}", 1 + n / HOURS.len() % CLUBS),
                title: format!("Class {n}"),
                category: Some(CATEGORIES[n % CATEGORIES.len()].to_owned()),
                instructor: Some(INSTRUCTORS[n % INSTRUCTORS.len()].to_owned()),
                starts_at,
                minutes: 45,
                capacity: CAPACITY,
                minimum: None,
                min_age: None,
                overrides: None,
            };
            let class = new.id.clone();
            self.tell(Op::Publish(new)).await?;
            let opens_at = self.run.model.classes[&class].terms.opens_at.max(self.run.model.now);
            for _ in 0..coming + self.dice.within(-4..4) {
                let first_day = self.dice.chance(45);
                let hours = if first_day { 12 } else { (starts_at - opens_at).num_hours().max(2) - 1 };
                let after = TimeDelta::minutes(self.dice.within(0..hours * 60));
                self.plan(opens_at + after, Plan::Book { class: class.clone() });
            }
            if self.dice.chance(4) {
                let hours = self.dice.within(1..72);
                self.plan(starts_at - TimeDelta::hours(hours), Plan::Club { class: class.clone() });
            }
            self.plan(starts_at - TICK, Plan::Doors { class: class.clone() });
            self.plan(starts_at, Plan::Start { class: class.clone() });
            self.plan(starts_at + TimeDelta::hours(20), Plan::Afterwards { class });
        }
        Ok(())
    }

    fn anybody(&mut self) -> String {
        format!("m{}", 1 + self.dice.within(0..self.chain.members as i64))
    }

    async fn book(&mut self, class: String) -> Result<(), Difference> {
        let member = self.anybody();
        let caller = if self.dice.chance(8) { Caller::Desk } else { Caller::Member(member.clone()) };
        if !self.run.model.members.contains_key(&member) {
            return Ok(());
        }
        let (waitlist, key) = (self.dice.chance(90), None);
        self.tell(Op::Book { caller, class: class.clone(), member: member.clone(), waitlist, key }).await?;
        if self.run.model.live(&class, &member).is_some() && self.dice.chance(16) {
            let left = self.run.model.classes[&class].starts_at - self.run.model.now;
            let minutes = if self.dice.chance(30) { left.num_minutes().min(120) } else { left.num_minutes() };
            let at = self.run.model.classes[&class].starts_at - TimeDelta::minutes(self.dice.within(0..minutes.max(1)));
            self.plan(at, Plan::Cancel { class, member });
        }
        Ok(())
    }

    async fn cancel(&mut self, class: String, member: String) -> Result<(), Difference> {
        if !self.run.model.members.contains_key(&member) {
            return Ok(());
        }
        let desk = self.dice.chance(10);
        let caller = if desk { Caller::Desk } else { Caller::Member(member.clone()) };
        let charge = if desk && self.dice.chance(40) { Some(self.dice.chance(30)) } else { None };
        self.tell(Op::Preview { caller: caller.clone(), class: class.clone(), member: member.clone() }).await?;
        self.tell(Op::Cancel { caller, class, member, charge, key: None }).await
    }

    async fn club_changes(&mut self, class: String) -> Result<(), Difference> {
        let before = &self.run.model.classes[&class];
        if before.over() {
            return Ok(());
        }
        let change = match self.dice.within(0..4) {
            0 => return self.tell(Op::CancelClass { class, key: None }).await,
            1 => ClassChange { starts_at: Some(before.starts_at + TICK), ..ClassChange::default() },
            2 => ClassChange { capacity: Some(before.capacity + 2), ..ClassChange::default() },
            _ => ClassChange { instructor: Some("kim".to_owned()), ..ClassChange::default() },
        };
        self.tell(Op::Change { class, change }).await
    }

    async fn memberships(&mut self) -> Result<(), Difference> {
        let today = self.run.model.today();
        for n in 0..8 {
            let id = self.anybody();
            let Some(member) = self.run.model.members.get(&id) else { continue };
            let mut profile = Profile { clips: None, clips_revision: None, ..member.profile.clone() };
            match n {
                0 => profile.frozen = vec![(today + TimeDelta::days(2), today + TimeDelta::days(12))],
                1 => profile.valid_until = Some(today + TimeDelta::days(3)),
                2 => profile.status = Membership::Blocked,
                3 => profile.status = Membership::Active,
                _ if !profile.on_clips => continue,
                _ => {
                    profile.clips = Some(10);
                    profile.clips_revision = Some(format!("{today} {n}"));
                }
            }
            self.tell(Op::PutMember { id, profile }).await?;
        }
        if self.dice.chance(30) {
            let id = self.anybody();
            self.tell(Op::EraseMember { id }).await?;
        }
        Ok(())
    }

    // ---- at the door --------------------------------------------------------------------------------------

    fn of_class(&self, class: &str, wanted: impl Fn(Status) -> bool) -> Vec<Number> {
        self.run.model.of_class(class).filter(|b| wanted(b.status)).map(|b| b.number).collect()
    }

    async fn doors(&mut self, class: &str) -> Result<(), Difference> {
        // Now and then nobody takes the roll.
        if self.dice.chance(2) {
            return Ok(());
        }
        for number in self.of_class(class, |s| matches!(s, Status::Booked | Status::Waitlisted)) {
            let percent = if self.run.model.bookings[number].status == Status::Booked { 84 } else { 40 };
            if self.dice.chance(percent) {
                self.arrives(number).await?;
            }
        }
        Ok(())
    }

    async fn start(&mut self, class: &str) -> Result<(), Difference> {
        let taken = self.run.model.of_class(class).any(|b| b.present);
        for number in self.of_class(class, |s| s == Status::Booked) {
            if taken && self.dice.chance(45) {
                self.arrives(number).await?;
            }
        }
        if self.dice.chance(10)
            && let Some(&number) = self.of_class(class, |s| s == Status::CheckedIn).last()
        {
            let (class, member) = self.place(number);
            self.tell(Op::UndoCheckIn { caller: Caller::Desk, class, member, key: None }).await?;
            if self.dice.chance(50) {
                self.arrives(number).await?;
            }
        }
        if taken && self.dice.chance(25) {
            let member = self.anybody();
            self.tell(Op::WalkIn { class: class.to_owned(), member, key: None }).await?;
        }
        Ok(())
    }

    fn place(&self, number: Number) -> (String, String) {
        let booking = &self.run.model.bookings[number];
        (booking.class.clone(), booking.member.clone())
    }

    async fn arrives(&mut self, number: Number) -> Result<(), Difference> {
        let (class, member) = self.place(number);
        let held = &self.run.model.classes[&class];
        let (club, own) = (held.club.clone(), held.instructor.clone());
        let phone = self.run.model.members.get(&member).and_then(|member| member.profile.phone.clone());
        let op = match (self.dice.within(0..10), own, phone) {
            (0..3, ..) => {
                let arriving = Arriving::Member(member);
                Op::Arrive { caller: Caller::Kiosk, club, arriving, key: None }
            }
            (3..4, _, Some(phone)) => {
                Op::Arrive { caller: Caller::Desk, club, arriving: Arriving::Phone(phone), key: None }
            }
            (4..8, Some(own), _) => Op::CheckIn { caller: Caller::Instructor(own), class, member, key: None },
            _ => Op::CheckIn { caller: Caller::Desk, class, member, key: None },
        };
        self.tell(op).await
    }

    // ---- afterwards ---------------------------------------------------------------------------------------

    async fn afterwards(&mut self, class: &str) -> Result<(), Difference> {
        if self.run.model.classes[class].untouched {
            let penalties = self.dice.chance(60);
            self.tell(Op::CloseClass { class: class.to_owned(), penalties, key: None }).await?;
        }
        for number in self.of_class(class, |s| matches!(s, Status::NoShow | Status::LateCancelled)) {
            let (class, member) = self.place(number);
            match self.dice.within(0..100) {
                0..18 => self.tell(Op::Excuse { class, member, key: None }).await?,
                18..45 => self.tell(Op::LiftBan { member, key: None }).await?,
                _ => {}
            }
        }
        let charged = self.run.model.fees.len();
        if charged > 0 && self.dice.chance(15) {
            let line = self.dice.within(0..charged as i64) as usize;
            self.tell(Op::WaiveFee { line, key: None }).await?;
        }
        Ok(())
    }
}
