//! Settings that are on or off: the rate of writes, and time travel.

use serde_json::json;

use crate::support::api::World;

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
    assert_eq!(desk.get("/v1/clubs").await.items().len(), 3, "reads are not limited, and nothing was written");
    let other = world.caller("gym", "second-desk", "staff");
    other.put("/v1/clubs/c3", json!({ "name": "Club" })).await;
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
