//! Recurring classes: published ahead, in local time, and never over the heads of those who have booked.

use serde_json::{Value, json};

use crate::story::{Story, strict};
use crate::support::api::Reply;

fn weekly() -> Value {
    json!({ "id": "spin", "club": "main", "title": "Spin", "starts_on": "2026-03-02", "time": "18:00",
            "rrule": "FREQ=WEEKLY;BYDAY=MO,WE", "minutes": 45, "capacity": 10 })
}

async fn starts(story: &Story) -> Vec<String> {
    let list = story.org.desk().get("/v1/classes?limit=200").await;
    let open = list.items().iter().filter(|class| class["status"] != "cancelled");
    open.map(|class| class["starts_at"].as_str().unwrap().to_owned()).collect()
}

fn ids(reply: &Reply, name: &str) -> Vec<String> {
    reply.body[name].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_series_is_published_past_the_booking_window_and_eighteen_stays_eighteen() {
    let story = Story::under(strict()).await;
    let made = story.org.desk().post("/v1/series", weekly()).answers(201).await;
    assert_eq!(ids(&made, "published")[0], "spin~20260302");
    let found = starts(&story).await;
    assert_eq!(found[..2], ["2026-03-02T18:00:00+01:00", "2026-03-04T18:00:00+01:00"]);
    assert!(found.last().unwrap().as_str() >= "2026-03-16", "{found:?}");
    story.at("2026-03-29T12:00:00Z").await;
    let found = starts(&story).await;
    assert!(
        found.contains(&"2026-03-25T18:00:00+01:00".to_owned())
            && found.contains(&"2026-03-30T18:00:00+02:00".to_owned())
    );
    for class in story.org.desk().get("/v1/classes?limit=200").await.items() {
        let opened = class["terms"]["opens_at"].as_str().unwrap();
        let is_open = class["status"] != "scheduled";
        assert_eq!(is_open, opened <= "2026-03-29T14:00:00+02:00", "{class}");
    }
}

#[tokio::test]
async fn every_class_was_there_before_its_booking_opened_however_far_the_clock_jumps() {
    let story = Story::under(strict()).await;
    story.org.desk().post("/v1/series", weekly()).answers(201).await;
    story.at("2026-06-01T08:00:00Z").await;
    let mut cursor = String::new();
    let mut opened = 0;
    loop {
        let page = story.org.desk().get(&format!("/v1/events?limit=200{cursor}")).await;
        opened += page.items().iter().filter(|line| line["event"] == "class_opened").count();
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&after={next}"),
            None => break,
        }
    }
    // 14 weeks of Mondays and Wednesdays, of which the first two were open when they were published.
    assert_eq!(opened, 28 - 2, "every class opened, each once");
}

#[tokio::test]
async fn a_changed_series_changes_what_nobody_has_booked_and_says_what_it_left_alone() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    desk.post("/v1/series", weekly()).answers(201).await;
    let ann = story.org.member("ann").await;
    ann.books(&"spin~20260304").await;
    let changed = desk.call("PATCH".parse().unwrap(), "/v1/series/spin", Some(json!({ "time": "19:00" }))).await;
    assert_eq!(ids(&changed, "left_alone"), ["spin~20260304"]);
    let found = starts(&story).await;
    assert_eq!(found[..3], ["2026-03-02T19:00:00+01:00", "2026-03-04T18:00:00+01:00", "2026-03-09T19:00:00+01:00"]);
    let fewer = json!({ "rrule": "FREQ=WEEKLY;BYDAY=MO", "exceptions": ["2026-03-09"] });
    let changed = desk.call("PATCH".parse().unwrap(), "/v1/series/spin", Some(fewer)).await;
    assert_eq!(ids(&changed, "left_alone"), ["spin~20260304"]);
    assert!(ids(&changed, "cancelled").contains(&"spin~20260309".to_owned()));
    let found = starts(&story).await;
    assert_eq!(found[..3], ["2026-03-02T19:00:00+01:00", "2026-03-04T18:00:00+01:00", "2026-03-16T19:00:00+01:00"]);
}

#[tokio::test]
async fn a_series_takes_on_rules_of_its_own_and_gives_them_back() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    desk.post("/v1/series", weekly()).answers(201).await;
    let opens_at = async || {
        let list = desk.get("/v1/classes?limit=200").await;
        list.items().last().unwrap()["terms"]["opens_at"].as_str().unwrap().to_owned()
    };
    let (house, published) = (opens_at().await, starts(&story).await);
    // The chain opens so long before; these open at a fixed time, which says that the other is gone.
    let change =
        |policy: &Value| desk.call("PATCH".parse().unwrap(), "/v1/series/spin", Some(json!({ "policy": policy })));
    let own = json!({ "booking": { "opens": { "before": null, "days": 2, "at": "08:00" }, "daily_limit": null } });
    change(&own).await;
    assert_eq!(desk.get("/v1/series/spin").await.body["policy"], own);
    assert!(opens_at().await.contains("T08:00:00"), "{}", opens_at().await);
    assert_eq!(starts(&story).await, published, "a later opening takes nothing off the timetable");
    let other = json!({ "waitlist": { "max": 7 } });
    change(&other).await;
    assert_eq!(desk.get("/v1/series/spin").await.body["policy"], other, "the new one takes the place of the old");
    change(&Value::Null).await;
    assert_eq!(desk.get("/v1/series/spin").await.body.get("policy"), None);
    assert_eq!(opens_at().await, house);
}

#[tokio::test]
async fn an_ended_series_cancels_what_nobody_has_booked_and_publishes_no_more() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    desk.post("/v1/series", weekly()).answers(201).await;
    story.org.member("ann").await.books(&"spin~20260304").await;
    desk.delete("/v1/series/spin").await;
    assert_eq!(starts(&story).await, ["2026-03-04T18:00:00+01:00"]);
    assert_eq!(desk.get("/v1/series/spin").await.body["status"], "ended");
    story.at("2026-05-01T08:00:00Z").await;
    assert_eq!(starts(&story).await, ["2026-03-04T18:00:00+01:00"]);
}

#[tokio::test]
async fn one_day_may_differ() {
    let story = Story::under(strict()).await;
    let mut body = weekly();
    body["changes"] = json!({ "2026-03-04": { "time": "17:00", "title": "Spin, short", "minutes": 30 } });
    story.org.desk().post("/v1/series", body).answers(201).await;
    let class = story.org.desk().sees(&"spin~20260304").await.body;
    assert_eq!((&class["title"], &class["starts_at"]), (&json!("Spin, short"), &json!("2026-03-04T17:00:00+01:00")));
}

#[tokio::test]
async fn what_is_wrong_with_a_series_is_told_and_stores_nothing() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    for (name, value, pointer) in [
        ("club", json!("elsewhere"), "/club"),
        ("rrule", json!("FREQ=SECONDLY"), "/rrule"),
        ("capacity", json!(0), "/capacity"),
        ("policy", json!({ "waitlist": { "max": -1 } }), "/policy/waitlist/max"),
        ("colour", json!("red"), "/colour"),
    ] {
        let mut body = weekly();
        body[name] = value;
        let refused = desk.post("/v1/series", body).refused("invalid").await;
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    assert!(desk.get("/v1/series").await.items().is_empty());
    desk.post("/v1/series", weekly()).answers(201).await;
    desk.post("/v1/series", weekly()).refused("invalid").await;
    desk.get("/v1/series/none").refused("not_found").await;
    story.org.member("ann").await.post("/v1/series", weekly()).refused("forbidden").await;
}

#[tokio::test]
async fn other_rules_of_a_series_move_the_timers_of_its_classes() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    desk.post("/v1/series", weekly()).answers(201).await;
    let later = json!({ "policy": { "booking": { "opens": { "before": "P2D" } } } });
    desk.call("PATCH".parse().unwrap(), "/v1/series/spin", Some(later)).await;
    for (now, status) in [("2026-03-14T16:59:59.999Z", "scheduled"), ("2026-03-14T17:00:00Z", "open")] {
        story.at(now).await;
        assert_eq!(desk.sees(&"spin~20260316").await.body["status"], status);
    }
}

#[tokio::test]
async fn an_open_class_keeps_the_terms_it_opened_with_when_its_series_changes() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    desk.post("/v1/series", weekly()).answers(201).await;
    let before = desk.sees(&"spin~20260304").await.body;
    let mut policy = story.org.admin().get("/v1/org").await.body["policy"].clone();
    policy["cancel"]["free_until"] = json!("PT24H");
    story.org.admin().put("/v1/org/policy", policy).await;
    desk.call("PATCH".parse().unwrap(), "/v1/series/spin", Some(json!({ "title": "Spin at six" }))).await;
    let after = desk.sees(&"spin~20260304").await.body;
    assert_eq!((&after["title"], &after["terms"]), (&json!("Spin at six"), &before["terms"]));
    let not_open = desk.sees(&"spin~20260316").await.body;
    assert_eq!(not_open["terms"]["cancel_by"], "2026-03-15T18:00:00+01:00");
}

impl Story {
    /// Puts a stored series past the service, as another version of it might have left it.
    fn leaves_stored(&self, id: &str, body: &str) {
        let stored = json!({ "body": body, "status": "active", "revision": 7 }).to_string();
        self.hset("series", id, &stored);
    }

    fn hset(&self, key: &str, field: &str, value: &str) {
        let said = self.world.redis().tells(&format!("HSET rc:{{{}}}:{key} {field} '{value}'", self.org.id));
        assert!(said.starts_with(':'), "{said}");
    }
}

#[tokio::test]
async fn a_series_that_cannot_be_read_any_more_is_named_ended_and_repaired_and_holds_nobody_up() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    desk.post("/v1/series", weekly()).answers(201).await;
    let mut odd = weekly();
    odd["minutes"] = json!(100_000);
    odd["colour"] = json!("red");
    odd["revision"] = json!(99);
    for id in ["long", "odd"] {
        story.leaves_stored(id, &odd.to_string());
    }
    story.leaves_stored("nothing", "no JSON");
    story.hset("series", "bare", "[7]");
    story.hset("series", "garbage", "not even that");
    let list = desk.get("/v1/series").await;
    let named: Vec<(&str, bool)> = list
        .items()
        .iter()
        .map(|series| (series["id"].as_str().unwrap(), series.get("unreadable").is_some()))
        .collect();
    assert_eq!(
        named,
        [("bare", true), ("garbage", true), ("long", true), ("nothing", true), ("odd", true), ("spin", false)]
    );
    let seen = desk.get("/v1/series/long").await.body;
    assert_eq!((&seen["title"], &seen["revision"], &seen["status"]), (&json!("Spin"), &json!(7), &json!("active")));
    let why = seen["unreadable"].as_str().unwrap();
    assert!(why.contains("/minutes must be") && why.contains("/colour is not a known field"), "{why}");

    // The others go on being published, day after day.
    story.at("2026-04-01T08:00:00Z").await;
    assert!(starts(&story).await.last().unwrap().as_str() >= "2026-04-15T18:00:00+02:00");

    let patch = |body: Value| desk.call("PATCH".parse().unwrap(), "/v1/series/long", Some(body));
    let refused = patch(json!({ "room": "2" })).refused("invalid").await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/minutes");
    let repaired = patch(json!({ "minutes": 30, "colour": null, "revision": null, "time": "07:00" })).await;
    assert!(!ids(&repaired, "published").is_empty() && repaired.body.get("unreadable").is_none(), "{repaired:?}");
    let early = starts(&story).await.iter().filter(|start| start.contains("T07:00:00")).count();
    assert!(early > 2, "{early} classes of what was repaired");

    for id in ["odd", "nothing", "bare", "garbage"] {
        desk.delete(&format!("/v1/series/{id}")).await;
        assert_eq!(desk.get(&format!("/v1/series/{id}")).await.body["status"], "ended");
    }
    desk.delete("/v1/series/spin").await;
}

#[tokio::test]
async fn a_series_with_as_many_changes_as_it_may_have_is_listed_by_the_page() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    let day = |number: u64| {
        let first: chrono::NaiveDate = "2026-03-02".parse().unwrap();
        (first + chrono::Days::new(number)).to_string()
    };
    let changes = |many: u64| -> Value {
        let one =
            |number| (day(number), json!({ "title": format!("Spin {number}"), "room": "x".repeat(60), "capacity": 9 }));
        Value::Object((0..many).map(one).collect())
    };
    let mut body = weekly();
    body["rrule"] = json!("FREQ=DAILY");
    body["changes"] = changes(401);
    let refused = desk.post("/v1/series", body.clone()).refused("invalid").await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/changes");
    body["changes"] = changes(400);
    for id in ["a", "b", "c"] {
        body["id"] = json!(id);
        desk.post("/v1/series", body.clone()).answers(201).await;
    }
    assert_eq!(desk.sees(&"b~20260304").await.body["title"], "Spin 2");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("/v1/series?limit=1{cursor}")).await;
        assert_eq!(page.items()[0]["changes"].as_object().unwrap().len(), 400);
        seen.push(page.items()[0]["id"].as_str().unwrap().to_owned());
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["a", "b", "c"]);
}

#[tokio::test]
async fn other_rules_of_the_organisation_publish_further_ahead_at_once() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    desk.post("/v1/series", weekly()).answers(201).await;
    let before = starts(&story).await;
    story.org.admin().put("/v1/org/policy", json!({ "booking": { "opens": { "before": "P60D" } } })).await;
    // The keeper's round, which the clock brings on.
    story.at("2026-03-02T08:00:01Z").await;
    let after = starts(&story).await;
    assert!(after.len() > before.len() + 12, "{} then, {} now", before.len(), after.len());
}
