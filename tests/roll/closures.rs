//! Closing days: what is on them is called off, nothing comes to be on them, and what series left out comes back.

use serde_json::{Value, json};

use crate::story::{Story, strict};
use crate::support::api::{Named, Person, Reply};

impl Story {
    /// The main club is closed from one day to another.
    async fn closes(&self, from: &str, to: &str) -> Reply {
        let body = json!({ "from": from, "to": to, "reason": "Holidays" });
        self.org.desk().post("/v1/clubs/main/closures", body).answers(201).await
    }

    async fn opens(&self, closure: &Reply) {
        self.org.desk().delete(&format!("/v1/clubs/main/closures/{}", closure.id())).await;
    }

    /// Status of each class, by id.
    async fn statuses(&self, ids: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for id in ids {
            let reply = self.org.desk().sees(id).await;
            found.push(reply.body["status"].as_str().unwrap().to_owned());
        }
        found
    }

    /// The days of the series `s` that have a class which is not cancelled.
    async fn days(&self) -> Vec<String> {
        let list = self.org.desk().get("/v1/classes?limit=200").await;
        let held = list.items().iter().filter(|class| class["status"] != "cancelled");
        held.filter_map(|class| class["id"].as_str()?.strip_prefix("s~2026").map(str::to_owned)).collect()
    }

    async fn daily(&self) {
        let series = json!({ "id": "s", "club": "main", "title": "Spin", "starts_on": "2026-03-02", "time": "18:00",
                             "rrule": "FREQ=DAILY", "minutes": 45, "capacity": 10 });
        self.org.desk().post("/v1/series", series).answers(201).await;
    }
}

async fn refused_start(person: &Person, method: &str, path: &str, body: Value) {
    let refused = person.call(method.parse().unwrap(), path, Some(body.clone())).refused("invalid").await;
    let error = &refused.body["errors"][0];
    assert_eq!(error["pointer"], "/starts_at", "{path} {body}: {refused:?}");
    assert!(error["detail"].as_str().unwrap().contains("closed"), "{error}");
}

#[tokio::test]
async fn every_class_of_the_days_is_cancelled_by_the_club_and_nobody_pays() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    desk.put("/v1/clubs/other", json!({ "name": "Other" })).await;
    let make = async |id: &str, start: &str, club: &str| {
        let body = json!({ "id": id, "club": club, "title": "Spin", "starts_at": start, "minutes": 45, "capacity": 1 });
        desk.post("/v1/classes", body).answers(201).await;
    };
    for (id, start, club) in [
        ("before", "2026-03-03T23:59:00+01:00", "main"),
        ("first", "2026-03-04T00:00:00+01:00", "main"),
        ("noon", "2026-03-04T12:00:00+01:00", "main"),
        ("last", "2026-03-05T23:59:00+01:00", "main"),
        ("after", "2026-03-06T00:00:00+01:00", "main"),
        ("elsewhere", "2026-03-04T12:00:00+01:00", "other"),
    ] {
        make(id, start, club).await;
    }
    let (ann, ben) = (story.org.member("ann").await, story.org.member("ben").await);
    let (booked, waiting) = (ann.books(&"noon").await, ben.queues_for(&"noon").await);
    let elsewhere = ann.books(&"before").await;
    let cursor = elsewhere.cursor.clone().unwrap();
    let closure = story.closes("2026-03-04", "2026-03-05").await;
    assert_eq!(closure.body["reason"], "Holidays");
    let ids = ["before", "first", "noon", "last", "after", "elsewhere"];
    assert_eq!(story.statuses(&ids).await, ["open", "cancelled", "cancelled", "cancelled", "open", "open"]);
    for booking in [&booked, &waiting] {
        assert_eq!(story.status(booking).await, "class_cancelled");
    }
    assert_eq!(story.status(&elsewhere).await, "booked");
    assert!(story.ledger().await.is_empty());
    let events = story.org.desk().events_after(&cursor).await;
    let told = |name: &str| events.items().iter().filter(|line| line["event"] == name).cloned().collect::<Vec<_>>();
    assert_eq!(
        told("club_changed")[0]["data"]["closure"],
        json!({ "id": closure.id(), "from": "2026-03-04", "to": "2026-03-05", "reason": "Holidays" })
    );
    assert_eq!(told("class_cancelled").len(), 3);
    assert!(
        told("class_cancelled")
            .iter()
            .all(|line| line["data"]["reason"] == "Holidays" && line["by"]["role"] == "staff")
    );
    // What was cancelled stays cancelled.
    story.opens(&closure).await;
    assert_eq!(story.statuses(&ids).await, ["open", "cancelled", "cancelled", "cancelled", "open", "open"]);
}

#[tokio::test]
async fn a_class_that_has_started_is_left_alone() {
    let story = Story::under(strict()).await;
    let (ann, booking) = story.booked("ann", &story.class_at("2026-03-03T12:00:00Z").await).await;
    let later = story.class_at("2026-03-03T18:00:00Z").await;
    story.at("2026-03-03T12:00:00Z").await;
    story.closes("2026-03-03", "2026-03-03").await;
    assert_eq!(story.status(&booking).await, "booked");
    assert_eq!(story.statuses(&[&later.id()]).await, ["cancelled"]);
    let _ = ann;
}

#[tokio::test]
async fn closures_win_over_series_over_publishing_and_over_moving_a_class() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    let there = story.class_at("2026-03-07T12:00:00Z").await;
    let closure = story.closes("2026-03-04", "2026-03-05").await;
    story.daily().await;
    assert_eq!(story.days().await[..4], ["0302", "0303", "0306", "0307"]);
    let class = |start: &str| json!({ "club": "main", "title": "X", "starts_at": start, "minutes": 45, "capacity": 1 });
    for start in ["2026-03-04T00:00:00+01:00", "2026-03-04T12:00:00Z", "2026-03-05T22:59:59Z"] {
        refused_start(&desk, "POST", "/v1/classes", class(start)).await;
        refused_start(&desk, "PATCH", &format!("/v1/classes/{}", there.id()), json!({ "starts_at": start })).await;
    }
    for start in ["2026-03-03T23:59:59+01:00", "2026-03-06T00:00:00+01:00"] {
        desk.post("/v1/classes", class(start)).answers(201).await;
        desk.changes(&there, json!({ "starts_at": start })).await;
    }
    let moved = json!({ "changes": { "2026-03-04": { "title": "Special" } } });
    let edited = desk.call("PATCH".parse().unwrap(), "/v1/series/s", Some(moved)).await;
    assert_eq!((&edited.body["published"], &edited.body["changed"]), (&json!([]), &json!([])));
    // Open again, the days that were left out are published, as the series has them by now.
    story.opens(&closure).await;
    assert_eq!(story.days().await[..4], ["0302", "0303", "0304", "0305"]);
    assert_eq!(desk.sees(&"s~20260304").await.body["title"], "Special");
    desk.post("/v1/classes", class("2026-03-04T12:00:00Z")).answers(201).await;
}

#[tokio::test]
async fn a_day_under_two_closures_stays_closed_until_both_have_ended() {
    let story = Story::under(strict()).await;
    let (first, second) =
        (story.closes("2026-03-04", "2026-03-06").await, story.closes("2026-03-06", "2026-03-07").await);
    story.daily().await;
    assert_eq!(story.days().await[..3], ["0302", "0303", "0308"]);
    story.opens(&first).await;
    assert_eq!(story.days().await[..5], ["0302", "0303", "0304", "0305", "0308"]);
    story.opens(&second).await;
    assert_eq!(story.days().await[..7], ["0302", "0303", "0304", "0305", "0306", "0307", "0308"]);
}

#[tokio::test]
async fn days_that_come_within_reach_later_are_left_out_and_brought_back_as_well() {
    let story = Story::under(strict()).await;
    story.daily().await;
    let closure = story.closes("2026-05-01", "2026-05-03").await;
    story.at("2026-04-28T08:00:00Z").await;
    assert!(!story.days().await.contains(&"0502".to_owned()));
    // What has passed meanwhile is not made up for.
    story.at("2026-05-02T08:00:00Z").await;
    story.opens(&closure).await;
    let days = story.days().await;
    assert!(
        !days.contains(&"0501".to_owned()) && days.contains(&"0502".to_owned()) && days.contains(&"0503".to_owned()),
        "{days:?}"
    );
}

#[tokio::test]
async fn the_same_closure_again_is_the_same_and_another_under_its_name_is_refused() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    let body = json!({ "from": "2026-12-24", "to": "2026-12-26", "reason": "Christmas" });
    let path = "/v1/clubs/main/closures";
    let made = desk.post(path, body.clone()).answers(201).await;
    let again = desk.post(path, body.clone()).answers(200).await;
    assert_eq!(again.body, made.body);
    let mut named = body.clone();
    named["id"] = json!("xmas");
    assert_eq!(desk.post(path, named.clone()).answers(201).await.id(), "xmas");
    desk.post(path, named.clone()).answers(200).await;
    named["to"] = json!("2026-12-27");
    let refused = desk.post(path, named).refused("invalid").await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/id");
    let earlier =
        desk.post(path, json!({ "from": "2026-06-24", "to": "2026-06-24", "reason": "Midsummer" })).answers(201).await;
    let list = story.org.member("ann").await.get(path).await;
    let ids: Vec<&str> = list.items().iter().map(|closure| closure["id"].as_str().unwrap()).collect();
    assert_eq!(ids[0], earlier.id());
    assert_eq!(ids.len(), 3);
    let page = desk.get(&format!("{path}?limit=1")).await;
    let next = page.body["next"].as_str().unwrap();
    assert_eq!(desk.get(&format!("{path}?limit=2&cursor={next}")).await.items().len(), 2);
    desk.delete(&format!("{path}/xmas")).await;
    desk.call("DELETE".parse().unwrap(), &format!("{path}/xmas"), None).refused("not_found").await;
    for nothing in ["/v1/clubs/nowhere/closures", "/v1/clubs/a%20b/closures"] {
        desk.get(nothing).refused("not_found").await;
        desk.post(nothing, body.clone()).refused("not_found").await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_closure_is_told_and_closes_nothing() {
    let story = Story::under(strict()).await;
    let class = story.class(3).await;
    for (name, value, pointer) in [
        ("from", json!("4 March"), "/from"),
        ("from", json!(null), "/from"),
        ("to", json!("2026-03-01"), "/to"),
        ("to", json!("2027-03-03"), "/to"),
        ("to", json!("2026-02-30"), "/to"),
        ("reason", json!(""), "/reason"),
        ("reason", json!("x".repeat(201)), "/reason"),
        ("reason", json!(7), "/reason"),
        ("id", json!("a/b"), "/id"),
        ("club", json!("main"), "/club"),
    ] {
        let mut body = json!({ "from": "2026-03-02", "to": "2026-03-04", "reason": "Holidays" });
        body[name] = value.clone();
        let refused = story.org.desk().post("/v1/clubs/main/closures", body).refused("invalid").await;
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{name} {value}");
    }
    assert!(story.org.desk().get("/v1/clubs/main/closures").await.items().is_empty());
    assert_eq!(story.statuses(&[&class.id()]).await, ["open"]);
}

#[tokio::test]
async fn a_club_has_so_many_closures_and_one_that_ends_makes_room() {
    const CLOSURES_MAX: u32 = 200;
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    let path = "/v1/clubs/main/closures";
    let body = |number: u32| json!({ "id": format!("c{number}"), "from": "2027-01-01", "to": "2027-01-01", "reason": "New year" });
    for number in 0..CLOSURES_MAX {
        desk.post(path, body(number)).answers(201).await;
    }
    let refused = desk.post(path, body(CLOSURES_MAX)).refused("invalid").await;
    assert!(refused.body["errors"][0]["detail"].as_str().unwrap().contains("200"), "{refused:?}");
    desk.post(path, body(0)).answers(200).await;
    assert_eq!(desk.get(&format!("{path}?limit=200")).await.items().len(), 200);
    desk.delete(&format!("{path}/c7")).await;
    desk.post(path, body(CLOSURES_MAX)).answers(201).await;
}
