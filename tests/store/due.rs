//! The list of what is due next, over all organisations: never later than the truth, and what is lacking heals.

use rollcall::domain::caller::By;
use rollcall::store::due::Due;
use serde_json::json;

use crate::house::House;

impl House {
    /// A house by the running clock, with a class far ahead, and when its first timer is due.
    async fn running() -> (House, i64) {
        let house = House::empty().await;
        house.founds(&json!({})).await;
        let far = chrono::Utc::now() + chrono::TimeDelta::days(100);
        house.class("far", json!({ "starts_at": far })).await;
        let first = house.first_timer().await;
        (house, first)
    }

    async fn first_timer(&self) -> i64 {
        let first: Vec<(String, f64)> = self.on("ZRANGE", "timers", &["0", "0", "WITHSCORES"]).await;
        first[0].1 as i64
    }

    /// What the list says.
    async fn listed(&self) -> Option<i64> {
        let score: Option<f64> = self.command(redis::cmd("ZSCORE").arg("rc:due").arg(self.org.as_str())).await;
        score.map(|score| score as i64)
    }

    async fn lists(&self, instant: i64) {
        let _: i64 = self.command(redis::cmd("ZADD").arg("rc:due").arg(instant).arg(self.org.as_str())).await;
    }

    /// Waits for what is told after a call's answer.
    async fn comes_to_list(&self, instant: i64) {
        for _ in 0..1_000 {
            if self.listed().await == Some(instant) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("{:?} is listed, not {instant}", self.listed().await);
    }
}

#[tokio::test]
async fn a_call_that_brings_something_forward_says_so() {
    let (house, first) = House::running().await;
    house.comes_to_list(first).await;
    let near = chrono::Utc::now() + chrono::TimeDelta::days(50);
    house.class("near", json!({ "starts_at": near })).await;
    let nearer = house.first_timer().await;
    assert!(nearer < first);
    house.comes_to_list(nearer).await;
    house.is_sound().await;
}

#[tokio::test]
async fn what_is_listed_too_early_is_put_right_once_it_is_asked_for() {
    let (house, first) = House::running().await;
    house.comes_to_list(first).await;
    assert_eq!(house.store.due(10).await, Ok(Due::These(Vec::new())), "nothing is due");
    house.lists(1).await;
    assert_eq!(house.store.due(10).await, Ok(Due::These(vec![house.org.clone()])));
    house.store.settle_due(&house.org).await.unwrap();
    assert_eq!(house.listed().await, Some(first));
    assert_eq!(house.store.due(10).await, Ok(Due::These(Vec::new())));
    // An organisation in which nothing is ahead is listed no more.
    let _: i64 = house.on("DEL", "timers", &[]).await;
    house.lists(1).await;
    house.store.settle_due(&house.org).await.unwrap();
    assert_eq!(house.listed().await, None);
}

#[tokio::test]
async fn what_the_list_lacks_or_has_too_late_is_found_by_looking() {
    let (house, first) = House::running().await;
    house.comes_to_list(first).await;
    let orgs = [house.org.clone()];
    let _: i64 = house.command(redis::cmd("DEL").arg("rc:due")).await;
    house.store.mend_dues(&orgs).await.unwrap();
    assert_eq!(house.listed().await, Some(first));
    house.lists(first + 1).await;
    house.store.mend_dues(&orgs).await.unwrap();
    assert_eq!(house.listed().await, Some(first));
    house.lists(first - 1).await;
    house.store.mend_dues(&orgs).await.unwrap();
    assert_eq!(house.listed().await, Some(first - 1), "too early costs one look, and is nobody's to raise before");
}

#[tokio::test]
async fn an_organisation_that_cannot_be_settled_stands_in_nobodys_way() {
    let (house, first) = House::running().await;
    house.comes_to_list(first).await;
    let _: i64 = house.on("ZADD", "timers", &["1", "no such timer"]).await;
    house.lists(1).await;
    house.store.settle_due(&house.org).await.unwrap_err();
    assert_eq!(house.store.due(10).await, Ok(Due::These(Vec::new())));
    let (seconds, _): (i64, i64) = house.command(&redis::cmd("TIME")).await;
    let again = house.listed().await.unwrap() - seconds * 1_000;
    assert!((0..=3_000).contains(&again), "again in {again} ms");
}

#[tokio::test]
async fn while_the_clock_is_set_everybody_is_asked() {
    let house = House::open(json!({})).await;
    assert_eq!(house.store.due(10).await, Ok(Due::Anybody));
    let by = By { sub: "tester".to_owned(), role: "operator".to_owned() };
    // A mark that was lost, or left behind, is put right.
    let _: i64 = house.command(redis::cmd("DEL").arg("rc:due")).await;
    house.store.mend_clock().await.unwrap();
    assert_eq!(house.store.due(10).await, Ok(Due::Anybody));
    house.store.set_clock(&by, None).await.unwrap();
    assert_ne!(house.store.due(10).await, Ok(Due::Anybody));
    let _: i64 = house.command(redis::cmd("ZADD").arg("rc:due").arg(0).arg(":clock")).await;
    house.store.mend_clock().await.unwrap();
    assert_ne!(house.store.due(10).await, Ok(Due::Anybody));
    house.is_sound().await;
}
