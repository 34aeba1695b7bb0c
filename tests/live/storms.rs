//! Random bookings under random trouble: sockets that break and come back to another instance with what they held,
//! tails that are cut, streams that are trimmed, a Redis that fails over, an instance that ends. After each storm every
//! document that a screen built equals what the API shows. The seed is printed; `LIVE_SEED` repeats it.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::resuming::{fails_over, redis};
use crate::screen::Screen;
use crate::support::api::{Named, Org, Person, Reply, World};
use crate::support::redis::Keeps;
use crate::support::service::Service;
use crate::truth::so;

const MEMBERS: usize = 8;
const CLASSES: usize = 4;
const STORMS: usize = 12;
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
    /// A third instance, which comes and goes.
    third: Option<Service>,
    org: Org,
    dice: Dice,
    members: Vec<Person>,
    classes: Vec<Reply>,
    /// Who watches what.
    screens: Vec<(Person, Option<Screen>)>,
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
        sea.calm(storm).await;
    }
}

impl Sea {
    async fn new(seed: u64) -> Sea {
        let world = World::with(2, Keeps::Nothing).await;
        let patch = json!({ "booking": { "daily_limit": null, "allow_overlap": true }, "waitlist": { "max": 20 } });
        let org = world.org_under("standard", patch).await;
        let (mut members, mut classes, mut screens) = (Vec::new(), Vec::new(), Vec::new());
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
            screens.push((member.clone(), Some(Screen::of(&world, number % 2, member, &topics).await)));
        }
        for (person, instance) in [(org.desk(), 0), (org.instructor("ida"), 1)] {
            let topics: Vec<&str> = rosters.iter().map(String::as_str).collect();
            let screen = Screen::of(&world, instance, &person, &topics).await;
            screens.push((person, Some(screen)));
        }
        Sea { world, third: None, org, dice: Dice(seed), members, classes, screens }
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
            81..93 => self.moves_a_screen().await,
            93..95 => redis(&self.world, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await,
            95..97 => {
                let key = format!("rc:{{{}}}:events", self.org.id);
                redis(&self.world, &["XTRIM", &key, "MAXLEN", "2"]).await;
            }
            97..98 => fails_over(&self.world).await,
            _ => self.third = if self.third.is_some() { None } else { Some(Service::on(self.world.redis())) },
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

    /// A socket breaks without a word, and its owner comes back somewhere else with what it held.
    async fn moves_a_screen(&mut self) {
        let number = self.dice.below(self.screens.len());
        let port = match (self.dice.below(3), &self.third) {
            (2, Some(third)) => third.port,
            (instance, _) => self.world.services()[instance % 2].port,
        };
        let (person, screen) = &mut self.screens[number];
        if let Some(mut screen) = screen.take() {
            if self.dice.below(2) == 0 {
                screen.hears_nothing_for(5).await;
            }
            self.screens[number] = (person.clone(), Some(back(&screen, port, person).await));
        }
    }

    /// Waits until every screen shows what the API does.
    async fn calm(&mut self, storm: usize) {
        let ports: Vec<u16> = self.world.services().iter().map(|service| service.port).collect();
        for number in 0..self.screens.len() {
            let (person, screen) = &mut self.screens[number];
            let (person, mut screen) = (person.clone(), screen.take().unwrap());
            let topics: Vec<String> = screen.held.keys().cloned().collect();
            for topic in topics {
                let expected = so(&self.org, &person, &topic).await;
                let shown = timeout(Duration::from_secs(15), async {
                    while *screen.doc(&topic) != expected {
                        if screen.next().await.is_err() {
                            screen = back(&screen, ports[0], &person).await;
                        }
                    }
                });
                if shown.await.is_err() {
                    panic!(
                        "storm {storm}, {topic} of {}: shown {:#}, so is {expected:#}",
                        person.sub,
                        screen.doc(&topic)
                    );
                }
            }
            self.screens[number] = (person, Some(screen));
        }
    }
}

async fn back(screen: &Screen, port: u16, person: &Person) -> Screen {
    for _ in 0..20 {
        if let Ok(back) = screen.tries_to_come_back(port, person).await {
            return back;
        }
    }
    panic!("no way back for {}", person.sub);
}
