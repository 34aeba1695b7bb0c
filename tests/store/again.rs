//! An organisation in which more is due than can be carried out: its calls come to an end, and nobody else waits for it.

use std::time::{Duration, Instant};

use rollcall::domain::ids::OrgId;
use rollcall::store::Store;
use rollcall::store::durability::{Durability, DurabilityPolicy};
use rollcall::store::error::StoreError;
use rollcall::store::lanes::{LaneLimits, Lanes};
use rollcall::store::library::Library;
use rollcall::store::target::RedisTarget;
use tokio::task::JoinSet;

use crate::redis_server::{Keeps, Redis};

/// One organisation is never done, every other at once.
const NEVER_DONE: &str = "#!lua name=rollcall_@HASH@
redis.register_function('carry_out_@HASH@', function(keys, args)
  if keys[1] == 'rc:{stuck}:org' then return { 'AGAIN', '0-0', '', '1', '0' } end
  return { 'SETTLED', '0-0', '', '1', '' }
end)";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_done_is_given_up_and_leaves_other_organisations_alone() {
    let redis = Redis::start(Keeps::Nothing);
    let lanes = Lanes::open(&RedisTarget::parse(&redis.url()).unwrap(), 0, LaneLimits::default()).unwrap();
    lanes.ready(Duration::from_secs(10)).await.unwrap();
    let store = Store::new(lanes, Library::of(NEVER_DONE), Durability::new(DurabilityPolicy::Any));
    let (stuck, other) = (OrgId::parse("stuck").unwrap(), OrgId::parse("other").unwrap());
    store.settle(&other).await.unwrap();
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let (store, stuck) = (store.clone(), stuck.clone());
        calls.spawn(async move { store.settle(&stuck).await });
    }
    let mut settled = 0;
    while !calls.is_empty() {
        assert_eq!(store.settle(&other).await, Ok(None), "after {settled}");
        settled += 1;
        while let Some(given_up) = calls.try_join_next() {
            let given_up = given_up.unwrap();
            assert!(
                matches!(given_up, Err(StoreError::Unavailable(_) | StoreError::Crowded(_))),
                "nothing was done: {given_up:?}"
            );
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "a call never ends");
    }
    assert!(begun.elapsed() > Duration::from_secs(4), "it was given up after {:?}", begun.elapsed());
    assert!(settled > 100, "{settled} calls of the other organisation");
}
