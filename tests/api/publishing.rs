//! Publishing: a class gets its terms from the policy of the moment, in the chain's own zone, and may depart from it.

use serde_json::{Value, json};

use crate::support::api::{Named, World};

const NEXT_WEEK: &str = "2026-03-12T18:00:00+01:00";

#[tokio::test]
async fn a_published_class_is_shown_in_full() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let body = json!({
        "id": "spin-1", "club": "main", "title": " Spin ", "category": "cycling", "room": "Hall 2",
        "instructor": { "id": "ida", "name": "Ida" }, "starts_at": NEXT_WEEK, "minutes": 45, "capacity": 20,
        "min_age": 15,
    });
    let class = org.desk().post("/v1/classes", body).answers(201).await;
    let mut seen = class.body.clone();
    let terms = seen.as_object_mut().unwrap().remove("terms").unwrap();
    let expected = json!({
        "id": "spin-1", "club": "main", "title": "Spin", "category": "cycling", "room": "Hall 2",
        "instructor": { "id": "ida", "name": "Ida" }, "starts_at": "2026-03-12T18:00:00+01:00",
        "ends_at": "2026-03-12T18:45:00+01:00", "status": "scheduled", "capacity": 20, "booked": 0, "free": 20,
        "waiting": 0, "checked_in": 0, "minimum": 3, "needed": 3, "min_age": 15, "revision": 1,
    });
    assert_eq!(seen, expected);
    for (name, at) in [
        ("opens_at", "2026-03-05T18:00:00+01:00"),
        ("closes_at", "2026-03-12T18:00:00+01:00"),
        ("cancel_by", "2026-03-12T16:00:00+01:00"),
        ("promote_until", "2026-03-12T15:00:00+01:00"),
        ("decide_at", "2026-03-12T16:00:00+01:00"),
        ("check_in_opens", "2026-03-12T17:00:00+01:00"),
        ("check_in_due", "2026-03-12T17:55:00+01:00"),
        ("check_in_closes", "2026-03-12T18:10:00+01:00"),
    ] {
        assert_eq!(terms[name], at, "{name}");
    }
    assert_eq!(org.desk().sees(&class).await.body, class.body, "what is read is what was answered");
}

#[tokio::test]
async fn a_class_without_extras_has_them_as_null_and_gets_an_id() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let body = json!({ "club": "main", "title": "Yoga", "starts_at": NEXT_WEEK, "minutes": 60, "capacity": 12 });
    let class = org.desk().post("/v1/classes", body).answers(201).await;
    for name in ["category", "room", "instructor", "min_age"] {
        assert_eq!(class.body[name], Value::Null, "{name}");
    }
    assert_eq!(org.desk().sees(&class).await.id(), class.id());
}

#[tokio::test]
async fn a_class_published_within_its_window_is_open_at_once() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    assert_eq!(class.text("/status"), "open");
    let told = org.told(&class, "class_published").await;
    assert_eq!(told.len(), 1);
    assert_eq!(org.told(&class, "class_opened").await.len(), 0);
}

/// The clocks of Copenhagen go forward on 29 March 2026 at 2:00 and back on 25 October at 3:00.
#[tokio::test]
async fn days_before_a_class_are_local_days_on_both_sides_of_a_clock_change() {
    let world = World::new().await;
    let org = world.org("standard").await;
    for (starts_at, opens_at) in [
        ("2026-03-31T18:00:00+02:00", "2026-03-24T18:00:00+01:00"),
        ("2026-04-05T18:00:00+02:00", "2026-03-29T18:00:00+02:00"),
        ("2026-10-27T18:00:00+01:00", "2026-10-20T18:00:00+02:00"),
        ("2026-11-01T18:00:00+01:00", "2026-10-25T18:00:00+01:00"),
    ] {
        let class = org.class(json!({ "starts_at": starts_at })).await;
        assert_eq!(class.text("/terms/opens_at"), opens_at, "{starts_at}");
    }
}

#[tokio::test]
async fn a_local_time_that_does_not_exist_moves_forward_and_one_that_exists_twice_is_the_first() {
    let world = World::new().await;
    let org = world.org("standard").await;
    for (starts_at, opens_at) in [
        ("2026-04-05T02:30:00+02:00", "2026-03-29T03:30:00+02:00"),
        ("2026-11-01T02:30:00+01:00", "2026-10-25T02:30:00+02:00"),
    ] {
        let class = org.class(json!({ "starts_at": starts_at })).await;
        assert_eq!(class.text("/terms/opens_at"), opens_at, "{starts_at}");
    }
    for (starts_at, opens_at) in [
        ("2026-03-31T18:00:00+02:00", "2026-03-29T03:30:00+02:00"),
        ("2026-10-27T18:00:00+01:00", "2026-10-25T02:30:00+02:00"),
    ] {
        let opens = json!({ "booking": { "opens": { "before": null, "days": 2, "at": "02:30" } } });
        let class = org.class(json!({ "starts_at": starts_at, "policy": opens })).await;
        assert_eq!(class.text("/terms/opens_at"), opens_at, "{starts_at}");
    }
}

#[tokio::test]
async fn each_chain_lives_in_its_own_zone() {
    let world = World::new().await;
    for (preset, starts_at) in [
        ("standard", "2026-03-12T18:00:00+01:00"),
        ("impuls-lt", "2026-03-12T19:00:00+02:00"),
        ("actic-no", "2026-03-12T18:00:00+01:00"),
    ] {
        let org = world.org(preset).await;
        let class = org.class(json!({ "starts_at": "2026-03-12T17:00:00Z" })).await;
        assert_eq!(class.text("/starts_at"), starts_at, "{preset}");
    }
}

#[tokio::test]
async fn a_class_can_depart_from_the_policy() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let policy = json!({
        "booking": { "opens": { "before": "P3D" }, "closes_before": "PT1H", "daily_limit": null, "open_limit": 4 },
        "cancel": { "free_until": "P1D", "late": "charged", "late_fee": 1234 },
        "waitlist": { "max": 2, "mode": "offer", "promote_until": "PT2H", "then": "closed" },
        "attendance": { "minimum": 2, "strikes": null, "check_in_closes": "PT0S" },
    });
    let class = org.class(json!({ "starts_at": NEXT_WEEK, "policy": policy, "minimum": null })).await;
    for (pointer, expected) in [
        ("/terms/opens_at", json!("2026-03-09T18:00:00+01:00")),
        ("/terms/closes_at", json!("2026-03-12T17:00:00+01:00")),
        ("/terms/cancel_by", json!("2026-03-11T18:00:00+01:00")),
        ("/terms/promote_until", json!("2026-03-12T16:00:00+01:00")),
        ("/terms/check_in_closes", json!("2026-03-12T18:00:00+01:00")),
        ("/terms/daily_limit", json!(null)),
        ("/terms/open_limit", json!(4)),
        ("/terms/waitlist_max", json!(2)),
        ("/minimum", json!(2)),
    ] {
        assert_eq!(class.at(pointer), &expected, "{pointer}");
    }
    let plain = org.class(json!({ "starts_at": NEXT_WEEK })).await;
    assert_eq!(plain.text("/terms/opens_at"), "2026-03-05T18:00:00+01:00");
}

#[tokio::test]
async fn a_departure_that_does_not_fit_is_told_where_it_does_not() {
    let world = World::new().await;
    let org = world.org("standard").await;
    for (policy, pointer) in [
        (json!({ "booking": { "opens": { "days": 2, "at": "08:00" } } }), "/policy/booking/opens"),
        (json!({ "booking": { "opens": { "before": null, "days": 2 } } }), "/policy/booking/opens/at"),
        (json!({ "booking": { "opens": { "before": null } } }), "/policy/booking/opens"),
        (json!({ "booking": { "daily_limit": 0 } }), "/policy/booking/daily_limit"),
        (json!({ "booking": { "closes_before": null } }), "/policy/booking/closes_before"),
        (json!({ "cancel": { "late": "sometimes" } }), "/policy/cancel/late"),
        (json!({ "cancel": null }), "/policy/cancel"),
        (json!({ "cancel": 5 }), "/policy/cancel"),
        (json!({ "waitlist": { "max": 501 } }), "/policy/waitlist/max"),
        (json!({ "waitlist": { "mood": "auto" } }), "/policy/waitlist/mood"),
        (json!({ "lunch": true }), "/policy/lunch"),
        (json!({ "timezone": "Europe/Oslo" }), "/policy/timezone"),
        (json!({ "currency": "NOK" }), "/policy/currency"),
        (json!({ "languages": ["da"] }), "/policy/languages"),
        (json!({ "retention": { "history": "P1D" } }), "/policy/retention"),
        (json!([]), "/policy"),
        (json!("late"), "/policy"),
    ] {
        let body = json!({
            "club": "main", "title": "Yoga", "starts_at": NEXT_WEEK, "minutes": 60, "capacity": 12, "policy": policy,
        });
        let refused = org.desk().post("/v1/classes", body).refused("invalid").await;
        let pointers = refused.pointers();
        assert!(refused.status == 422 && pointers.iter().any(|p| p.starts_with(pointer)), "{policy}: {pointers:?}");
    }
    assert_eq!(org.desk().get("/v1/classes").await.items().len(), 0);
}

#[tokio::test]
async fn what_only_the_stored_state_shows_to_be_wrong_is_told_with_a_pointer() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.class(json!({ "id": "taken" })).await;
    for (change, pointer) in [
        (json!({ "club": "nowhere" }), "/club"),
        (json!({ "starts_at": "2026-03-02T07:59:59.999Z" }), "/starts_at"),
        (json!({ "id": "taken" }), "/id"),
        (json!({ "minimum": 13 }), "/minimum"),
    ] {
        let mut body =
            json!({ "club": "main", "title": "Yoga", "starts_at": NEXT_WEEK, "minutes": 60, "capacity": 12 });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = org.desk().post("/v1/classes", body).refused("invalid").await;
        assert_eq!((refused.status, refused.pointers()), (422, vec![pointer.to_owned()]));
    }
    assert_eq!(org.desk().get("/v1/classes").await.items().len(), 1);
}

#[tokio::test]
async fn a_class_can_be_published_up_to_its_start() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let now = org.class(json!({ "starts_at": "2026-03-02T08:00:00Z" })).await;
    assert_eq!(now.text("/status"), "open");
    org.member("ann").await.books(&now).refused("closed").await;
}

#[tokio::test]
async fn the_largest_and_smallest_class_there_can_be() {
    let world = World::new().await;
    let org = world.org("standard").await;
    for (minutes, capacity, title) in [(1, 1, "y".to_owned()), (1440, 5000, "å".repeat(200))] {
        let class = org.class(json!({ "minutes": minutes, "capacity": capacity, "title": title })).await;
        assert_eq!((class.at("/free"), class.text("/title")), (&json!(capacity), title.as_str()));
    }
}

#[tokio::test]
async fn the_minimum_is_the_policys_unless_given_and_never_above_the_capacity() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let minimum = async |change: Value| {
        let mut body = json!({ "minimum": null });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let class = org.class(body).await;
        (class.at("/minimum").clone(), class.at("/needed").clone())
    };
    assert_eq!(minimum(json!({ "capacity": 10 })).await, (json!(5), json!(5)));
    assert_eq!(minimum(json!({ "capacity": 3 })).await, (json!(3), json!(3)));
    assert_eq!(minimum(json!({ "capacity": 3, "minimum": 3 })).await, (json!(3), json!(3)));
    assert_eq!(minimum(json!({ "capacity": 3, "minimum": 0 })).await, (json!(0), json!(0)));
}

#[tokio::test]
async fn how_many_are_still_needed_follows_the_bookings() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "minimum": 1 })).await;
    let booking = ann.books(&class).await;
    assert_eq!(ann.sees(&class).await.at("/needed"), &json!(0));
    ann.cancels(&booking).await;
    assert_eq!(ann.sees(&class).await.at("/needed"), &json!(1));
}
