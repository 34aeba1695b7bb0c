//! Random bookings under random trouble: sockets that break and come back to another instance with what they held or
//! once held, tails that are cut, streams that are trimmed, a Redis that fails over or is killed and started again on
//! what it has on disk, an instance that is killed. After each storm every document that a screen built equals what the
//! API shows, and no version of `me` or a roster was skipped without a replacement.
//!
//! The seed is printed; `LIVE_SEED` repeats it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::process::Process;
use crate::resuming::{fails_over, redis};
use crate::screen::Screen;
use crate::support::api::{Named, Org, Person, Reply, World};
use crate::support::redis::Keeps;
use crate::truth::{answered, so};

const MEMBERS: usize = 8;
const CLASSES: usize = 4;
const STORMS: usize = 24;
const STEPS: usize = 40;
const DAY: &str = "day:main:2026-03-03";

/// A small generator that repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}

struct Sea {
    world: World,
    /// A third instance, which comes and is killed.
    third: Option<Process>,
    org: Org,
    dice: Dice,
    members: Vec<Person>,
    classes: Vec<Reply>,
    watchers: Vec<Watcher>,
}

/// Somebody at a screen, which may be another one after each trouble.
struct Watcher {
    person: Person,
    screen: Screen,
    heard: BTreeMap<String, Heard>,
    once: Option<Once>,
}

/// What was held once, and what had been heard until then.
#[derive(Clone)]
struct Once {
    epoch: String,
    held: BTreeMap<String, (u64, Value)>,
    heard: BTreeMap<String, Heard>,
}

/// The versions of a topic that were heard of.
#[derive(Clone, Default)]
struct Heard {
    /// All up to this one, in a replacement.
    whole: u64,
    /// Each in a patch of its own.
    single: BTreeSet<u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_storm_every_screen_shows_what_is_so() {
    let seed = std::env::var("LIVE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one(0) | 1);
    println!("LIVE_SEED={seed} cargo test --test live after_any_storm");
    let mut sea = Sea::new(seed).await;
    for storm in 0..STORMS {
        for _ in 0..STEPS {
            sea.step().await;
        }
        sea.calms_down(storm).await;
    }
}

impl Sea {
    async fn new(seed: u64) -> Sea {
        let world = World::with(2, Keeps::Everything).await;
        let patch = json!({ "booking": { "daily_limit": null, "allow_overlap": true }, "waitlist": { "max": 20 } });
        let org = world.org_under("standard", patch).await;
        let (mut members, mut classes, mut watchers) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..MEMBERS {
            members.push(org.member(&format!("m-{number}")).await);
        }
        for number in 0..CLASSES {
            let capacity = 1 + number % 3;
            classes
                .push(org.class(json!({ "capacity": capacity, "instructor": { "id": "ida", "name": "Ida" } })).await);
        }
        let everybodys: Vec<String> = classes.iter().map(|class| format!("class:{}", class.id())).collect();
        let rosters: Vec<String> = classes.iter().map(|class| format!("roster:{}", class.id())).collect();
        for (number, member) in members.iter().enumerate() {
            let topics = ["me", DAY, &everybodys[number % CLASSES]];
            watchers.push(Watcher::new(member.clone(), Screen::of(&world, number % 2, member, &topics).await));
        }
        for (person, instance) in [(org.desk(), 0), (org.instructor("ida"), 1)] {
            let topics: Vec<&str> = rosters.iter().map(String::as_str).collect();
            let screen = Screen::of(&world, instance, &person, &topics).await;
            watchers.push(Watcher::new(person, screen));
        }
        Sea { world, third: None, org, dice: Dice(seed), members, classes, watchers }
    }

    async fn step(&mut self) {
        let (member, class) = (self.dice.below(MEMBERS), self.dice.below(CLASSES));
        let (member, class) = (self.members[member].clone(), self.classes[class].clone());
        match self.dice.below(100) {
            0..45 => drop(member.post(&format!("/v1/classes/{}/bookings", class.id()), json!({})).send().await),
            45..70 => self.cancels(&member).await,
            70..78 => {
                let capacity = 1 + self.dice.below(4);
                drop(self.org.desk().changes(&class, json!({ "capacity": capacity })).send().await);
            }
            78..81 => {
                let date = 3 + self.dice.below(2);
                let start = format!("2026-03-0{date}T12:00:00Z");
                drop(self.org.desk().changes(&class, json!({ "starts_at": start })).send().await);
            }
            81..91 => self.moves_a_screen().await,
            91..93 => redis(&self.world, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await,
            93..95 => {
                let key = format!("rc:{{{}}}:events", self.org.id);
                redis(&self.world, &["XTRIM", &key, "MAXLEN", "2"]).await;
            }
            95..96 => fails_over(&self.world).await,
            96..97 => block_in_place(|| self.world.redis().crash_and_restart()),
            _ if self.third.is_some() => self.third = None,
            _ => self.third = Some(block_in_place(|| Process::on(self.world.redis()))),
        }
    }

    async fn cancels(&mut self, member: &Person) {
        let ahead = member.get("/v1/bookings?when=upcoming").send().await;
        let bookings = ahead.items();
        if !bookings.is_empty() {
            let booking = bookings[self.dice.below(bookings.len())]["id"].as_str().unwrap().to_owned();
            drop(member.cancels(&booking).send().await);
        }
    }

    /// A socket breaks without a word, and its owner comes back somewhere else.
    async fn moves_a_screen(&mut self) {
        let port = match (self.dice.below(3), &self.third) {
            (2, Some(third)) => third.port,
            (instance, _) => self.world.services()[instance % 2].port,
        };
        let (number, how) = (self.dice.below(self.watchers.len()), self.dice.below(8));
        let watcher = &mut self.watchers[number];
        if how % 2 == 0 {
            watcher.screen.hears_nothing_for(5).await;
        }
        watcher.notes_what_was_heard();
        match how {
            0 | 1 => watcher.keeps_what_it_holds(),
            2 | 3 => watcher.holds_what_it_kept(),
            _ => {}
        }
        watcher.comes_back(port).await;
    }

    /// Waits until every screen shows what the API does.
    async fn calms_down(&mut self, storm: usize) {
        let port = self.world.services()[0].port;
        let happened = self.happened().await;
        for watcher in &mut self.watchers {
            for topic in watcher.screen.held.keys().cloned().collect::<Vec<_>>() {
                let expected = so(&self.org, &watcher.person, &topic).await;
                let sub = watcher.person.sub.clone();
                let shown = timeout(Duration::from_secs(15), async {
                    while *watcher.screen.doc(&topic) != expected {
                        if watcher.screen.next().await.is_err() {
                            watcher.notes_what_was_heard();
                            watcher.comes_back(port).await;
                        }
                    }
                });
                if shown.await.is_err() {
                    let shown = watcher.screen.doc(&topic);
                    panic!("storm {storm}, {topic} of {sub}: shown {shown:#}, so is {expected:#}");
                }
                watcher.notes_what_was_heard();
                let (have, _) = watcher.screen.held[&topic];
                let heard = &watcher.heard[&topic];
                let mine =
                    |line: &&Line| (topic == "me" && line.member == sub) || topic == format!("roster:{}", line.class);
                for line in happened.iter().filter(mine).filter(|line| line.number <= have) {
                    let known = line.number <= heard.whole || heard.single.contains(&line.number);
                    assert!(known, "storm {storm}: {topic} of {sub} skipped {}, {}", line.number, line.event);
                }
            }
        }
    }

    /// Every event of a booking, by the histories of the classes, which are never trimmed.
    async fn happened(&self) -> Vec<Line> {
        let (mut lines, desk) = (Vec::new(), self.org.desk());
        for class in &self.classes {
            let mut cursor = String::new();
            loop {
                let path = format!("/v1/classes/{}/history?limit=200{cursor}", class.id());
                let page = answered(|| desk.get(&path)).await;
                lines.extend(page.items().iter().filter_map(|line| Line::of(&class.id(), line)));
                let Some(next) = page.body["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
        }
        lines
    }
}

/// An event of a booking.
struct Line {
    number: u64,
    event: String,
    class: String,
    member: String,
}

impl Line {
    fn of(class: &str, line: &Value) -> Option<Line> {
        line["booking"].as_str()?;
        let (_, number) = line["cursor"].as_str()?.split_once('-')?;
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let (event, member) = (text("event"), text("member"));
        Some(Line { number: number.parse().ok()?, event, class: class.to_owned(), member })
    }
}

impl Watcher {
    fn new(person: Person, screen: Screen) -> Watcher {
        Watcher { person, screen, heard: BTreeMap::new(), once: None }
    }

    fn notes_what_was_heard(&mut self) {
        let frames = std::mem::take(&mut self.screen.frames);
        for frame in frames.iter().filter(|frame| frame["op"] == "patch") {
            let heard = self.heard.entry(frame["topic"].as_str().unwrap().to_owned()).or_default();
            let to = frame["to"].as_u64().unwrap();
            if frame["from"] == 0 {
                heard.whole = heard.whole.max(to);
            } else {
                heard.single.insert(to);
            }
        }
    }

    fn keeps_what_it_holds(&mut self) {
        let Screen { epoch, held, .. } = &self.screen;
        self.once = Some(Once { epoch: epoch.clone(), held: held.clone(), heard: self.heard.clone() });
    }

    fn holds_what_it_kept(&mut self) {
        if let Some(Once { epoch, held, heard }) = self.once.clone() {
            (self.screen.epoch, self.screen.held, self.heard) = (epoch, held, heard);
        }
    }

    /// To an instance that may not be able to answer at first.
    async fn comes_back(&mut self, port: u16) {
        for _ in 0..20 {
            if let Ok(back) = self.screen.tries_to_come_back(port, &self.person).await {
                self.screen = back;
                return;
            }
        }
        panic!("no way back for {}", self.person.sub);
    }
}
