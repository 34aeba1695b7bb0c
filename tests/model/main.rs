//! A second opinion on every rule: random histories told to the service and to a plain model, answer by answer.
//!
//! `ROLLCALL_SEED=<n> cargo test --test model` repeats a failure; `ROLLCALL_MODEL_OPS` is how many calls are made.
//! Read in this order: what the model remembers (`state`), what it decides by itself (`rules` and beside it), what each
//! call does (`calls` and beside it), what is compared (`views`); then how histories are made and driven, and a month.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "the seed repeats a failure, the table shows what was tried")]

#[path = "../support/mod.rs"]
mod support;

mod state;

mod charges;
mod rules;
mod timers;
mod waitlist;

mod attendance;
mod bookings;
mod calls;
mod classes;
mod closures;
mod pardons;
mod series;

mod reading;
mod views;

mod dice;
mod operations;

mod club_wishes;
mod histories;
mod member_wishes;
mod policies;
mod roll_wishes;
mod series_wishes;

mod coverage;
mod drive;
mod shrink;

mod month;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use coverage::Coverage;
use drive::{Difference, Run};
use histories::{Beginning, Chance};
use operations::Op;
use rollcall::domain::policy::Policy;
use support::api::World;
use support::redis::Keeps;

/// What `make test` asks for.
const CALLS: u64 = 24_000;
/// Short, so that a failure can be read.
const HISTORY_CALLS_MAX: usize = 200;
/// Calls go to each in turn: no instance may know what another does not.
const INSTANCES: usize = 2;
/// Then a new Redis: the ticker looks after every organisation there ever was. The old one is checked as it goes.
const HISTORIES_A_WORLD: u64 = 20;
/// Every second world leaves the rest of its work after so few things that every bite ends everywhere. The two instances
/// run different libraries then, as in a rolling deploy, and go on with each other's work.
const SMALL_BUDGETS: [u32; INSTANCES] = [1, 9];

#[tokio::test]
async fn the_service_and_the_model_say_the_same() {
    let seed = setting("ROLLCALL_SEED").unwrap_or_else(of_today);
    let calls = setting("ROLLCALL_MODEL_OPS").unwrap_or(CALLS);
    println!("ROLLCALL_SEED={seed} ROLLCALL_MODEL_OPS={calls} cargo test --test model");
    let begun = Instant::now();
    let mut coverage = Coverage::default();
    let mut history = seed;
    let mut world = a_world(history).await;
    while coverage.unfinished(calls) {
        if history.is_multiple_of(HISTORIES_A_WORLD) {
            world = a_world(history).await;
        }
        if let Err((beginning, told, difference)) = play(&world, history, &mut coverage).await {
            let (shorter, last) = shrink::shrink(&world, &beginning, told, difference).await;
            let lines = shrink::written(&beginning, &shorter);
            panic!(
                "\nThe model and the service differ in {}\n\n--- model\n{}\n--- service\n{}\n\n--- the shortest history \
                 found\n{lines}\n\nto repeat: ROLLCALL_SEED={history} cargo test --test model\n",
                last.what, last.model, last.service
            );
        }
        history = history.wrapping_add(1);
    }
    println!("{} calls in {:?}\n{}", coverage.calls, begun.elapsed(), coverage.table());
    coverage.assert_wide(calls);
}

/// The Redis and the instances that a history plays in.
async fn a_world(history: u64) -> World {
    if small(history) {
        World::with_budgets(&SMALL_BUDGETS, Keeps::Nothing).await
    } else {
        World::with(INSTANCES, Keeps::Nothing).await
    }
}

fn small(history: u64) -> bool {
    history / HISTORIES_A_WORLD % 2 == 1
}

/// The generator alone, in seconds: it reaches what it must, and the model keeps its own invariants.
#[test]
fn histories_reach_every_outcome_and_the_model_keeps_its_invariants() {
    let mut coverage = Coverage::default();
    let mut seed = setting("ROLLCALL_SEED").unwrap_or_else(of_today);
    while coverage.calls < 5 * CALLS {
        let (beginning, mut chance) = Chance::new(seed);
        let mut model = model_of(&beginning);
        for _ in 0..HISTORY_CALLS_MAX {
            if chance.over(&model) {
                break;
            }
            let op = chance.next(&model);
            let announced = model.events.len();
            let answer = model.call(&op);
            let events: Vec<&'static str> = model.events[announced..].iter().map(|e| e.name).collect();
            coverage.count(op.name(), answer.outcome, &events);
            let broken = model.broken();
            assert!(broken.is_empty(), "seed {seed}, after {op:?}: {broken:?}");
        }
        seed = seed.wrapping_add(1);
    }
    println!("{}", coverage.table());
    coverage.assert_wide(5 * CALLS);
}

fn model_of(beginning: &Beginning) -> state::Org {
    let policy = Policy::parse(&beginning.policy).expect("a generated policy");
    state::Org::new(policy, &beginning.clubs, beginning.now)
}

/// One history on both sides; `Err` is what was told and where the sides parted.
async fn play(world: &World, seed: u64, coverage: &mut Coverage) -> Result<(), (Beginning, Vec<Op>, Difference)> {
    let (beginning, mut chance) = Chance::new(seed);
    let mut run = Run::begin(world, &beginning).await;
    let mut told: Vec<Op> = Vec::new();
    while told.len() < HISTORY_CALLS_MAX && !chance.over(&run.model) {
        let op = chance.next(&run.model);
        told.push(op.clone());
        match run.step(&op).await {
            Ok((answer, events)) => coverage.count(op.name(), answer.outcome, &events),
            Err(difference) => return Err((beginning, told, difference)),
        }
    }
    run.compare_everything().await.map_err(|difference| (beginning, told, difference))
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, not a number")))
}

fn of_today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_millis() as u64)
}
