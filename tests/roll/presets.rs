//! Each chain by its own published rules: what a no-show, a late cancel and a late arrival come to.

use serde_json::{Value, json};

use crate::story::Story;

/// What a chain's rules make of a class tomorrow at noon UTC.
struct Expected {
    preset: &'static str,
    /// The last instant of a free cancel, exclusive.
    cancel_by: &'static str,
    late_cancel: Option<i64>,
    /// The last instant of check-in, exclusive.
    closes: &'static str,
    no_show_fee: i64,
    strikes: bool,
}

const CHAINS: [Expected; 6] = [
    Expected {
        preset: "standard",
        cancel_by: "11:00:00",
        late_cancel: None,
        closes: "12:10:00",
        no_show_fee: 0,
        strikes: true,
    },
    Expected {
        preset: "impuls-lt",
        cancel_by: "11:00:00",
        late_cancel: None,
        closes: "12:00:00",
        no_show_fee: 0,
        strikes: true,
    },
    Expected {
        preset: "pulsn-dk",
        cancel_by: "10:00:00",
        late_cancel: Some(3000),
        closes: "12:10:00",
        no_show_fee: 3000,
        strikes: false,
    },
    Expected {
        preset: "actic-no",
        cancel_by: "10:00:00",
        late_cancel: None,
        closes: "12:00:00",
        no_show_fee: 0,
        strikes: true,
    },
    Expected {
        preset: "impulse-no",
        cancel_by: "10:00:00",
        late_cancel: None,
        closes: "12:00:00",
        no_show_fee: 0,
        strikes: true,
    },
    Expected {
        preset: "bolgen-no",
        cancel_by: "10:00:00",
        late_cancel: None,
        closes: "12:00:00",
        no_show_fee: 0,
        strikes: true,
    },
];

#[tokio::test]
async fn every_chain_cancels_closes_and_punishes_as_it_has_published() {
    for chain in &CHAINS {
        let story = Story::of(chain.preset, json!({})).await;
        let class = story.class(5).await;
        let (_, came) = story.booked("came", &class).await;
        let (late, cancelled) = story.booked("late", &class).await;
        let (away, missed) = story.booked("away", &class).await;
        story.at(&format!("2026-03-03T{}Z", chain.cancel_by)).await;
        let cancel = late.cancels(&cancelled).answers(if chain.late_cancel.is_some() { 200 } else { 409 }).await;
        match chain.late_cancel {
            Some(fee) => assert_eq!(cancel.body["fee"]["amount"], fee, "{}", chain.preset),
            None => assert_eq!(cancel.body["code"], "cancel_closed", "{}", chain.preset),
        }
        story.at("2026-03-03T11:30:00Z").await;
        story.checks_in(&came).await;
        story.at(&format!("2026-03-03T{}Z", chain.closes)).await;
        let missed = story.sees(&missed).await;
        assert_eq!(missed["status"], "no_show", "{}", chain.preset);
        let fee = missed["fee"]["amount"].as_i64().unwrap_or(0);
        assert_eq!(fee, chain.no_show_fee, "{}", chain.preset);
        let strikes = story.standing(&away).await["strikes"].as_array().unwrap().len();
        assert_eq!(strikes, usize::from(chain.strikes), "{}", chain.preset);
    }
}

#[tokio::test]
async fn a_personal_training_is_charged_in_full_by_its_own_rules() {
    let story = Story::of("actic-no", json!({})).await;
    let policy: Value = json!({
        "booking": { "opens": { "before": "P42D" }, "daily_limit": null },
        "cancel": { "free_until": "PT24H", "late": "charged", "late_fee": 79000 },
        "attendance": { "minimum": 1, "no_show_fee": 79000 },
    });
    let start = "2026-04-10T12:00:00Z";
    let class = story.org.class(json!({ "capacity": 1, "starts_at": start, "policy": policy, "minimum": 1 })).await;
    let (ann, booking) = story.booked("ann", &class).await;
    story.at("2026-04-09T12:00:00Z").await;
    assert_eq!(ann.previews_cancelling(&booking).await.body["fee"]["amount"], 79000);
    assert_eq!(ann.cancels(&booking).await.body["fee"]["amount"], 79000);
}

#[tokio::test]
async fn three_a_day_where_the_chain_says_so() {
    for (preset, limit) in [("standard", Some(3)), ("impuls-lt", Some(3)), ("pulsn-dk", None), ("bolgen-no", Some(3))] {
        let story = Story::of(preset, json!({})).await;
        let ann = story.org.member("ann").await;
        for hour in [8, 10, 12] {
            ann.books(&story.class_at(&format!("2026-03-03T{hour:02}:00:00Z")).await).await;
        }
        let fourth = story.class_at("2026-03-03T14:00:00Z").await;
        let path = format!("/v1/classes/{}/bookings", crate::support::api::Named::id(&fourth));
        match limit {
            Some(_) => drop(ann.post(&path, json!({})).refused("daily_limit").await),
            None => drop(ann.books(&fourth).await),
        }
    }
}
