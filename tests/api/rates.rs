//! What one caller may ask for, and what that leaves the others; and the set clock.

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::api::{Org, World};

#[tokio::test]
async fn a_caller_who_writes_too_fast_is_told_when_to_come_back() {
    let world = World::under(|settings| settings.rate_limit = Some("1:3".into()));
    world.operator().put("/v1/orgs/gym", json!({ "name": "Gym" })).await;
    let desk = world.caller("gym", "desk", "staff");
    for number in 0..3 {
        desk.put(&format!("/v1/clubs/c{number}"), json!({ "name": "Club" })).await;
    }
    let refused = desk.put("/v1/clubs/c3", json!({ "name": "Club" })).refused("rate_limited").await;
    assert_eq!(
        (refused.status, refused.retry_after.as_deref(), refused.at("/retry_after")),
        (429, Some("1"), &json!(1))
    );
    assert_eq!(
        desk.get("/v1/clubs").await.items().len(),
        3,
        "reads have a limit of their own, and nothing was written"
    );
    let other = world.caller("gym", "second-desk", "staff");
    other.put("/v1/clubs/c3", json!({ "name": "Club" })).await;
}

#[tokio::test]
async fn a_caller_who_reads_too_fast_is_told_when_to_come_back() {
    let world = World::under(|settings| settings.read_limit = Some("1:3".into()));
    let org = world.org("standard").await;
    let (ann, bob) = (org.member("ann").await, org.member("bob").await);
    for _ in 0..3 {
        ann.get("/v1/classes").await;
    }
    let refused = ann.get("/v1/classes").refused("rate_limited").await;
    assert_eq!(
        (refused.status, refused.retry_after.as_deref(), refused.at("/retry_after")),
        (429, Some("1"), &json!(1))
    );
    bob.get("/v1/classes").await;
}

/// Publishes so many classes, a minute apart.
async fn timetable(org: &Org, classes: usize) {
    for number in 0..classes {
        org.class(json!({ "starts_at": format!("2026-03-03T{:02}:{:02}:00Z", 6 + number / 60, number % 60) })).await;
    }
}

#[tokio::test]
async fn a_call_weighs_what_it_looked_at() {
    let world = World::under(|settings| settings.read_limit = Some("1:20".into()));
    world.sets_clock(crate::support::api::MORNING).await;
    let org = world.org("standard").await;
    timetable(&org, 120).await;
    let (ann, bob) = (org.member("ann").await, org.member("bob").await);
    // A look at one class is a token, a look at 120 is two or more: nineteen of these leave nothing of twenty.
    let mut taken = 0;
    while ann.get("/v1/classes?club=main&category=none").send().await.status == 200 {
        taken += 1;
    }
    assert!((5..=12).contains(&taken), "{taken} listings for twenty tokens");
    for _ in 0..15 {
        bob.get("/v1/classes?limit=1").await;
    }
    assert_eq!(ann.get("/v1/classes?limit=1").refused("rate_limited").await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_members_listings_leave_another_organisation_alone() {
    let world = World::new().await;
    let (crowded, calm) = (world.org("standard").await, world.org("standard").await);
    timetable(&crowded, 300).await;
    let lister = crowded.member("lister").await;
    let mut listing = JoinSet::new();
    for _ in 0..300 {
        let lister = lister.clone();
        listing.spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..5 {
                statuses.push(lister.get("/v1/classes?club=main&category=none&limit=1").send().await.status);
            }
            statuses
        });
    }
    let class = calm.class(json!({ "capacity": 200, "starts_at": "2026-03-03T12:00:00Z" })).await;
    let mut booked = 0;
    while !listing.is_empty() && booked < 200 {
        let member = calm.member(&format!("member-{booked}")).await;
        member.books(&class).await;
        booked += 1;
        while let Some(statuses) = listing.try_join_next() {
            let statuses = statuses.unwrap();
            assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
        }
    }
    assert!(booked > 0);
    lister.get("/v1/classes?limit=1").send().await;
}

#[tokio::test]
async fn where_time_travel_is_off_there_is_no_clock() {
    let world = World::under(|settings| settings.time_travel = None);
    let operator = world.operator();
    operator.put("/v1/clock", json!({ "now": "2026-03-02T08:00:00Z" })).refused("not_found").await;
    operator.delete("/v1/clock").refused("not_found").await;
}

#[tokio::test]
async fn the_clock_stands_still_where_it_was_set_for_every_instance_and_runs_again_when_deleted() {
    let world = World::with(2, crate::support::redis::Keeps::Everything).await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "starts_at": "2026-03-12T18:00:00+01:00" })).await;
    let ann = org.member("ann").await;
    let set = world.operator().put("/v1/clock", json!({ "now": "2026-03-05T18:00:00+01:00" })).at(0).await;
    assert_eq!(set.at("/now"), &json!("2026-03-05T17:00:00Z"));
    assert_eq!(ann.books(&class).at(1).await.text("/created_at"), "2026-03-05T18:00:00+01:00");
    world.deletes_clock().await;
    let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
    let created = org.member("bob").await;
    let booking = created.books(&org.class(json!({ "starts_at": in_an_hour() })).await).await;
    assert_eq!(&booking.text("/created_at")[..4], &today[..4]);
}

fn in_an_hour() -> String {
    (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339()
}

#[tokio::test]
async fn time_may_go_back_and_what_was_done_stays_done() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": "2026-03-12T18:00:00+01:00" })).await;
    world.sets_clock("2026-03-06T08:00:00Z").await;
    let booking = ann.books(&class).await;
    world.sets_clock("2026-03-02T08:00:00Z").await;
    org.finds(&booking, "booked").await;
    assert_eq!(ann.sees(&class).await.text("/status"), "open");
    let bob = org.member("bob").await;
    bob.books(&class).refused("not_open").await;
}

#[tokio::test]
async fn an_organisation_made_later_lives_in_the_set_time() {
    let world = World::new().await;
    world.sets_clock("2030-06-01T08:00:00Z").await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "starts_at": "2030-06-02T08:00:00Z" })).await;
    assert_eq!(class.text("/status"), "open");
    assert_eq!(org.member("ann").await.books(&class).await.text("/created_at"), "2030-06-01T10:00:00+02:00");
}

#[tokio::test]
async fn where_classes_recur_the_clock_goes_ahead_by_steps_of_ten_years_at_most() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let series = json!({ "id": "spin", "club": "main", "title": "Spin", "starts_on": "2026-03-02", "time": "18:00",
        "rrule": "FREQ=DAILY", "minutes": 45, "capacity": 20, "until": "2026-03-05" });
    org.desk().post("/v1/series", series).answers(201).await;
    for (now, status) in
        [("2036-03-09T08:00:00.001Z", 422), ("2199-01-01T00:00:00Z", 422), ("2036-03-09T08:00:00Z", 200)]
    {
        let answer = world.operator().put("/v1/clock", json!({ "now": now })).send().await;
        assert_eq!(answer.status, status, "{now}: {}", answer.body);
        if status == 422 {
            assert_eq!(answer.body["errors"][0]["pointer"], "/now");
            assert_eq!(org.desk().sees(&"spin~20260303").await.text("/status"), "open", "nothing was changed");
        }
    }
    assert_eq!(org.desk().sees(&"spin~20260303").await.text("/status"), "cancelled", "nobody came");
}

#[tokio::test]
async fn the_service_says_that_it_lives_and_is_ready() {
    let world = World::new().await;
    assert_eq!(world.operator().get("/healthz").await.text("/status"), "alive");
    assert_eq!(world.operator().get("/readyz").await.text("/status"), "ready");
}
