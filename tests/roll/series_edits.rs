//! Edits of a series: what each class follows, what a hand has made of it, and whom an edit may move.

use serde_json::{Value, json};

use crate::story::{Story, strict};
use crate::support::api::{Named, Reply};

/// Tuesdays and Thursdays at 18:00; it is Monday, 2 March 2026.
fn yoga() -> Value {
    json!({ "id": "y", "club": "main", "title": "Yoga", "starts_on": "2026-03-02", "time": "18:00", "minutes": 60,
            "rrule": "FREQ=WEEKLY;BYDAY=TU,TH", "capacity": 10, "instructor": { "id": "eva", "name": "Eva" } })
}

/// A Thursday with whatever the hand does to it.
const DAY: &str = "y~20260312";

/// The Tuesday before it, which nobody touches.
const OTHER: &str = "y~20260310";

impl Story {
    async fn with_yoga() -> Story {
        let mut policy = strict();
        policy["booking"]["opens"] = json!({ "before": "P14D" });
        let story = Story::under(policy).await;
        story.org.desk().post("/v1/series", yoga()).answers(201).await;
        story
    }

    /// Staff change one class.
    async fn by_hand(&self, class: &str, change: Value) {
        self.org.desk().call("PATCH".parse().unwrap(), &format!("/v1/classes/{class}"), Some(change)).await;
    }

    /// Staff edit the series.
    async fn edits(&self, change: Value) -> Reply {
        self.org.desk().call("PATCH".parse().unwrap(), "/v1/series/y", Some(change)).await
    }

    async fn shown(&self, id: &str) -> Value {
        self.org.desk().sees(&id).await.body
    }
}

/// What is shown of a class, in one line.
fn line(class: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let instructor = text(&class["instructor"]["name"]);
    let starts = text(&class["starts_at"])[5..16].to_owned();
    let (title, room, capacity, minimum) = (&class["title"], &class["room"], &class["capacity"], &class["minimum"]);
    let minutes = (instant(&class["ends_at"]) - instant(&class["starts_at"])).num_minutes();
    format!("{starts} {minutes} {} {} {instructor} {capacity}/{minimum}", text(title), text(room))
}

fn instant(value: &Value) -> chrono::DateTime<chrono::FixedOffset> {
    chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap()
}

fn ids(reply: &Reply, name: &str) -> Vec<String> {
    reply.body[name].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

const MOVED: &str = r#"{ "starts_at": "2026-03-13T19:00:00+01:00", "room": "Hall", "capacity": 5,
    "instructor": { "id": "bo", "name": "Bo" } }"#;
const BO: &str = r#"{ "instructor": { "id": "bo", "name": "Bo" } }"#;

/// What the hand did, what is then said of the series, the class it touched, and the one it did not touch.
const EDITS: &[(&str, &str, &str, &str)] = &[
    (MOVED, r#"[{ "title": "Yoga 2" }]"#, "03-13T19:00 60 Yoga 2 Hall Bo 5/0", "03-10T18:00 60 Yoga 2 null Eva 10/0"),
    (
        MOVED,
        r#"[{ "time": "17:00", "capacity": 12 }]"#,
        "03-13T19:00 60 Yoga Hall Bo 5/0",
        "03-10T17:00 60 Yoga null Eva 12/0",
    ),
    (
        BO,
        r#"[{ "instructor": { "id": "ida", "name": "Ida" } }]"#,
        "03-12T18:00 60 Yoga null Bo 10/0",
        "03-10T18:00 60 Yoga null Ida 10/0",
    ),
    (
        BO,
        r#"[{ "instructor": null, "room": "B" }]"#,
        "03-12T18:00 60 Yoga B Bo 10/0",
        "03-10T18:00 60 Yoga B null 10/0",
    ),
    (
        r#"{ "instructor": null }"#,
        r#"[{ "instructor": { "id": "ida", "name": "Ida" } }]"#,
        "03-12T18:00 60 Yoga null null 10/0",
        "03-10T18:00 60 Yoga null Ida 10/0",
    ),
    (
        r#"{ "title": "Yin" }"#,
        r#"[{ "title": "Yoga 2" }, { "title": "Yoga 3" }]"#,
        "03-12T18:00 60 Yin null Eva 10/0",
        "03-10T18:00 60 Yoga 3 null Eva 10/0",
    ),
    (
        r#"{ "room": "Hall" }"#,
        r#"[{ "room": "B" }, { "room": null }]"#,
        "03-12T18:00 60 Yoga Hall Eva 10/0",
        "03-10T18:00 60 Yoga null Eva 10/0",
    ),
    (
        r#"{ "minutes": 90 }"#,
        r#"[{ "time": "17:30" }]"#,
        "03-12T17:30 90 Yoga null Eva 10/0",
        "03-10T17:30 60 Yoga null Eva 10/0",
    ),
    (
        r#"{ "minutes": 90 }"#,
        r#"[{ "minutes": 45, "title": "Short" }]"#,
        "03-12T18:00 90 Short null Eva 10/0",
        "03-10T18:00 45 Short null Eva 10/0",
    ),
    (
        r#"{ "minimum": 2 }"#,
        r#"[{ "minimum": 4, "room": "B" }]"#,
        "03-12T18:00 60 Yoga B Eva 10/2",
        "03-10T18:00 60 Yoga B Eva 10/4",
    ),
    (
        r#"{ "minimum": 2 }"#,
        r#"[{ "capacity": 8 }]"#,
        "03-12T18:00 60 Yoga null Eva 8/2",
        "03-10T18:00 60 Yoga null Eva 8/0",
    ),
    // What the hand set back to what the series says follows again.
    (
        r#"{ "title": "Yoga" }"#,
        r#"[{ "title": "Yoga 2" }]"#,
        "03-12T18:00 60 Yoga 2 null Eva 10/0",
        "03-10T18:00 60 Yoga 2 null Eva 10/0",
    ),
    // One day's changes are fields of that day; without them the series' own come back, but not over a hand.
    (
        r#"{}"#,
        r#"[{ "changes": { "2026-03-12": { "title": "Yin", "time": "07:00" } } }]"#,
        "03-12T07:00 60 Yin null Eva 10/0",
        "03-10T18:00 60 Yoga null Eva 10/0",
    ),
    (
        BO,
        r#"[{ "changes": { "2026-03-12": { "title": "Yin", "instructor": { "id": "ida", "name": "Ida" } } } }, { "changes": { "2026-03-12": null } }]"#,
        "03-12T18:00 60 Yoga null Bo 10/0",
        "03-10T18:00 60 Yoga null Eva 10/0",
    ),
    (
        r#"{}"#,
        r#"[{ "changes": { "2026-03-12": { "title": "Yin" } } }, { "title": "Yoga 2" }]"#,
        "03-12T18:00 60 Yin null Eva 10/0",
        "03-10T18:00 60 Yoga 2 null Eva 10/0",
    ),
    // A change of the days touches no field of the classes that stay.
    (
        MOVED,
        r#"[{ "rrule": "FREQ=WEEKLY;BYDAY=TU,TH,SU" }]"#,
        "03-13T19:00 60 Yoga Hall Bo 5/0",
        "03-10T18:00 60 Yoga null Eva 10/0",
    ),
];

#[tokio::test]
async fn in_each_class_only_the_named_fields_follow_and_none_that_a_hand_has_changed() {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for (hand, edits, day, other) in EDITS {
        let story = Story::with_yoga().await;
        story.by_hand(DAY, json(hand)).await;
        for edit in json(edits).as_array().unwrap() {
            story.edits(edit.clone()).await;
        }
        let found = (line(&story.shown(DAY).await), line(&story.shown(OTHER).await));
        assert_eq!((found.0.as_str(), found.1.as_str()), (*day, *other), "{hand}, then {edits}");
        assert_eq!(story.shown(OTHER).await["status"], "open");
    }
}

#[tokio::test]
async fn a_class_that_was_moved_by_hand_belongs_to_its_date_even_when_that_has_passed() {
    let story = Story::with_yoga().await;
    story.by_hand("y~20260303", json!({ "starts_at": "2026-03-07T10:00:00+01:00" })).await;
    story.at("2026-03-05T08:00:00Z").await;
    let edited = story.edits(json!({ "title": "Yoga 2" })).await;
    assert!(ids(&edited, "changed").contains(&"y~20260303".to_owned()), "{edited:?}");
    assert_eq!(line(&story.shown("y~20260303").await), "03-07T10:00 60 Yoga 2 null Eva 10/0");
    // The day it was moved to is not the series', so the day it belongs to decides what becomes of it.
    let edited = story.edits(json!({ "exceptions": ["2026-03-03"] })).await;
    assert_eq!((ids(&edited, "cancelled"), ids(&edited, "published")), (vec!["y~20260303".to_owned()], vec![]));
}

#[tokio::test]
async fn a_class_that_was_left_alone_is_not_changed_by_hand() {
    let story = Story::with_yoga().await;
    let ann = story.org.member("ann").await;
    let booking = ann.books(&OTHER).await;
    let edited = story.edits(json!({ "title": "Yoga 2", "room": "B" })).await;
    assert_eq!(ids(&edited, "left_alone"), [OTHER]);
    assert_eq!(line(&story.shown(OTHER).await), "03-10T18:00 60 Yoga null Eva 10/0");
    ann.cancels(&booking).await;
    // The edit that left it alone is over; the next reaches it, in the fields it names.
    let edited = story.edits(json!({ "title": "Yoga 3" })).await;
    assert!(ids(&edited, "changed").contains(&OTHER.to_owned()));
    assert_eq!(line(&story.shown(OTHER).await), "03-10T18:00 60 Yoga 3 null Eva 10/0");
    // Said again, it is followed by whoever can follow by now.
    assert_eq!(ids(&story.edits(json!({ "room": "B" })).await, "changed"), [OTHER]);
    assert_eq!(line(&story.shown(OTHER).await), "03-10T18:00 60 Yoga 3 B Eva 10/0");
}

#[tokio::test]
async fn an_edit_may_reach_booked_classes_which_follow_as_if_each_were_changed() {
    let story = Story::with_yoga().await;
    story.by_hand("y~20260305", json!({ "capacity": 4 })).await;
    let (ann, ben) = (story.org.member("ann").await, story.org.member("ben").await);
    ann.books(&OTHER).await;
    story.edits(json!({ "capacity": 1, "reach": "all" })).await;
    let queued = ben.queues_for(&OTHER).await;
    // A booked class is left alone unless the edit says otherwise.
    let edited = story.edits(json!({ "capacity": 3 })).await;
    assert_eq!(
        (ids(&edited, "left_alone"), story.status(&queued).await.as_str()),
        (vec![OTHER.to_owned()], "waitlisted")
    );
    let edited = story.edits(json!({ "capacity": 2, "room": "B", "reach": "all" })).await;
    assert!(ids(&edited, "left_alone").is_empty() && ids(&edited, "changed").contains(&OTHER.to_owned()), "{edited:?}");
    assert_eq!(edited.body.get("reach"), None, "it is no part of the series");
    assert_eq!(story.status(&queued).await, "booked");
    assert_eq!(line(&story.shown(OTHER).await), "03-10T18:00 60 Yoga B Eva 2/0");
    // Also there the hand keeps what it has made.
    assert_eq!(line(&story.shown("y~20260305").await), "03-05T18:00 60 Yoga B Eva 4/0");
}

#[tokio::test]
async fn a_start_that_an_edit_moves_frees_everyone_from_charges() {
    let story = Story::with_yoga().await;
    let ann = story.org.member("ann").await;
    let booking = ann.books(&OTHER).await;
    // An hour before the start the cutoff has passed.
    story.at("2026-03-10T16:30:00Z").await;
    let preview = format!("/v1/bookings/{}/cancel-preview", booking.id());
    assert_eq!(ann.get(&preview).await.body["outcome"], "charged");
    story.edits(json!({ "time": "18:30", "reach": "all" })).await;
    assert_eq!(line(&story.shown(OTHER).await), "03-10T18:30 60 Yoga null Eva 10/0");
    assert_eq!(ann.get(&preview).await.body["outcome"], "free");
}

#[tokio::test]
async fn days_that_a_series_loses_are_cancelled_also_where_somebody_booked_if_the_edit_says_so() {
    let story = Story::with_yoga().await;
    let booking = story.org.member("ann").await.books(&OTHER).await;
    let edited = story.edits(json!({ "rrule": "FREQ=WEEKLY;BYDAY=TH" })).await;
    assert_eq!(ids(&edited, "left_alone"), [OTHER]);
    // An edit that says nothing of the days leaves the day alone, booked or not.
    let edited = story.edits(json!({ "title": "Yoga 2", "reach": "all" })).await;
    assert!(ids(&edited, "cancelled").is_empty());
    assert_eq!(
        line(&story.shown(OTHER).await),
        "03-10T18:00 60 Yoga null Eva 10/0",
        "it is no day of the series any more"
    );
    let edited = story.edits(json!({ "rrule": "FREQ=WEEKLY;BYDAY=TH", "reach": "all" })).await;
    assert_eq!(ids(&edited, "cancelled"), [OTHER]);
    assert_eq!(story.status(&booking).await, "class_cancelled");
}

#[tokio::test]
async fn rules_of_its_own_reach_a_class_that_a_hand_has_moved() {
    let story = Story::with_yoga().await;
    story.by_hand(DAY, json!({ "starts_at": "2026-03-13T19:00:00+01:00" })).await;
    story.edits(json!({ "policy": { "cancel": { "free_until": "PT24H" } } })).await;
    let class = story.shown(DAY).await;
    assert_eq!(class["terms"]["cancel_by"], "2026-03-12T19:00:00+01:00");
    story.edits(json!({ "policy": null, "title": "Yoga 2" })).await;
    let class = story.shown(DAY).await;
    assert_eq!((&class["title"], &class["starts_at"]), (&json!("Yoga 2"), &json!("2026-03-13T19:00:00+01:00")));
    assert_ne!(class["terms"]["cancel_by"], "2026-03-12T19:00:00+01:00");
}

#[tokio::test]
async fn what_does_not_fit_a_class_leaves_it_as_it_was_and_says_so() {
    let story = Story::with_yoga().await;
    story.by_hand(DAY, json!({ "capacity": 2 })).await;
    let edited = story.edits(json!({ "minimum": 3, "title": "Yoga 2" })).await;
    assert_eq!(ids(&edited, "left_alone"), [DAY]);
    assert_eq!(line(&story.shown(DAY).await), "03-12T18:00 60 Yoga null Eva 2/0");
    // A start that has passed already.
    story.at("2026-03-10T08:00:00Z").await;
    let edited = story.edits(json!({ "time": "07:00" })).await;
    assert_eq!(ids(&edited, "left_alone"), [OTHER]);
    assert_eq!(line(&story.shown(OTHER).await), "03-10T18:00 60 Yoga 2 null Eva 10/3");
}

#[tokio::test]
async fn how_far_an_edit_reaches_is_one_of_two_words_and_no_field_of_a_series() {
    let story = Story::with_yoga().await;
    for reach in [json!("everyone"), json!(null), json!(true), json!(""), json!("ALL"), json!(["all"])] {
        let refused = story.org.desk().call("PATCH".parse().unwrap(), "/v1/series/y", Some(json!({ "reach": reach })));
        assert_eq!(refused.refused("invalid").await.body["errors"][0]["pointer"], "/reach");
    }
    let mut new = yoga();
    (new["id"], new["reach"]) = (json!("z"), json!("all"));
    let refused = story.org.desk().post("/v1/series", new).refused("invalid").await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/reach");
}

#[tokio::test]
async fn the_answer_says_until_when_it_has_just_published() {
    let story = Story::under(strict()).await;
    let desk = story.org.desk();
    let made = desk.post("/v1/series", yoga()).answers(201).await;
    let until = made.body["published_until"].clone();
    assert!(until.as_str().is_some_and(|day| day > "2026-03-15"), "{made:?}");
    assert_eq!(desk.get("/v1/series/y").await.body["published_until"], until);
    assert_eq!(story.edits(json!({ "title": "Yoga 2" })).await.body["published_until"], until);
    // Rules of its own under which booking opens a month before reach further at once.
    let edited = story.edits(json!({ "policy": { "booking": { "opens": { "before": "P30D" } } } })).await;
    let further = edited.body["published_until"].clone();
    assert!(further.as_str() > until.as_str(), "{edited:?}");
    assert_eq!(desk.get("/v1/series/y").await.body["published_until"], further);
    // It never goes back, whatever the rules.
    assert_eq!(story.edits(json!({ "policy": null })).await.body["published_until"], further);
}
