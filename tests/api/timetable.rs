//! The timetable: by start, filtered, page by page, and for a member with their own place in it.

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::dump::every;
use crate::support::api::{Named, Org, Reply, World};
use crate::support::redis::Keeps;

/// Three clubs' worth of classes, published out of order.
async fn timetable(org: &Org) {
    let desk = org.desk();
    desk.put("/v1/clubs/south", json!({ "name": "South" })).await;
    for (id, club, category, instructor, starts_at) in [
        ("noon", "main", "yoga", "ida", "2026-03-03T12:00:00Z"),
        ("early", "main", "spin", "ole", "2026-03-03T06:00:00Z"),
        ("south-noon", "south", "yoga", "ida", "2026-03-03T12:00:00Z"),
        ("evening", "main", "yoga", "ole", "2026-03-03T18:00:00Z"),
        ("tomorrow", "main", "spin", "ida", "2026-03-04T06:00:00Z"),
    ] {
        let instructor = json!({ "id": instructor, "name": "Teacher" });
        let class =
            json!({ "id": id, "club": club, "category": category, "instructor": instructor, "starts_at": starts_at });
        org.class(class).await;
    }
}

async fn listed(org: &Org, query: &str) -> Reply {
    org.desk().get(&format!("/v1/classes{query}")).await
}

#[tokio::test]
async fn classes_are_listed_by_start_then_id() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    let all = listed(&org, "").await;
    assert_eq!(all.ids(), ["early", "noon", "south-noon", "evening", "tomorrow"]);
    assert_eq!(all.at("/next"), &json!(null));
}

#[tokio::test]
async fn a_filter_shows_what_it_names() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    for (query, expected) in [
        ("?club=south", vec!["south-noon"]),
        ("?club=main", vec!["early", "noon", "evening", "tomorrow"]),
        ("?club=nowhere", vec![]),
        ("?category=spin", vec!["early", "tomorrow"]),
        ("?category=pool", vec![]),
        ("?instructor=ida", vec!["noon", "south-noon", "tomorrow"]),
        ("?club=main&category=yoga&instructor=ole", vec!["evening"]),
        ("?club=south&instructor=ole", vec![]),
    ] {
        assert_eq!(listed(&org, query).await.ids(), expected, "{query}");
    }
}

#[tokio::test]
async fn a_span_begins_with_its_first_instant_and_ends_before_its_last() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    for (query, expected) in [
        ("?from=2026-03-03T12:00:00Z", vec!["noon", "south-noon", "evening", "tomorrow"]),
        ("?from=2026-03-03T12:00:00.001Z", vec!["evening", "tomorrow"]),
        ("?to=2026-03-03T12:00:00Z", vec!["early"]),
        ("?to=2026-03-03T12:00:00.001Z", vec!["early", "noon", "south-noon"]),
        ("?from=2026-03-03T13:00:00%2B01:00&to=2026-03-03T19:00:00%2B01:00", vec!["noon", "south-noon"]),
        ("?club=main&from=2026-03-04T00:00:00Z", vec!["tomorrow"]),
        ("?from=2026-03-05T00:00:00Z&to=2026-03-04T00:00:00Z", vec![]),
    ] {
        assert_eq!(listed(&org, query).await.ids(), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    for filter in ["", "&club=main", "&category=yoga", "&from=2026-03-03T12:00:00Z"] {
        let whole = listed(&org, &format!("?limit=200{filter}")).await;
        for limit in 1..=5 {
            let mut found: Vec<String> = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = listed(&org, &format!("?limit={limit}{filter}{cursor}")).await;
                assert!(page.items().len() <= limit);
                found.extend(page.ids().into_iter().map(str::to_owned));
                match page.at("/next").as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(found, whole.ids(), "limit {limit}{filter}");
        }
    }
}

#[tokio::test]
async fn a_last_page_that_is_just_full_has_no_next() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    assert_eq!(listed(&org, "?limit=5").await.at("/next"), &json!(null));
    assert!(listed(&org, "?limit=4").await.at("/next").is_string());
}

#[tokio::test]
async fn what_is_published_between_two_pages_does_not_disturb_them() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    let first = listed(&org, "?limit=2").await;
    org.class(json!({ "id": "before", "starts_at": "2026-03-03T05:00:00Z" })).await;
    org.class(json!({ "id": "between", "starts_at": "2026-03-03T13:00:00Z" })).await;
    let second = listed(&org, &format!("?cursor={}", first.text("/next"))).await;
    assert_eq!(second.ids(), ["south-noon", "between", "evening", "tomorrow"]);
}

#[tokio::test]
async fn a_moved_class_is_listed_where_it_is_now() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    org.desk().changes(&"early", json!({ "starts_at": "2026-03-05T06:00:00Z", "category": "yoga" })).await;
    assert_eq!(listed(&org, "").await.ids(), ["noon", "south-noon", "evening", "tomorrow", "early"]);
    assert_eq!(listed(&org, "?club=main&category=yoga").await.ids(), ["noon", "evening", "early"]);
}

#[tokio::test]
async fn cancelled_and_finished_classes_stay_on_the_timetable() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    org.desk().cancels_class(&"noon").await;
    world.sets_clock("2026-03-03T14:00:00Z").await;
    let all = listed(&org, "").await;
    let statuses: Vec<&str> = all.items().iter().filter_map(|class| class["status"].as_str()).collect();
    assert_eq!(statuses, ["finished", "cancelled", "finished", "open", "open"]);
}

#[tokio::test]
async fn a_member_sees_their_own_place_and_whether_they_may_book() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    let ann = org.member("ann").await;
    let booking = ann.books(&"noon").await;
    let seen = ann.get("/v1/classes").await;
    for class in seen.items() {
        let (me, can_book) = match class["id"].as_str().unwrap() {
            "noon" => (json!({ "booking": booking.id(), "status": "booked" }), json!({ "allowed": true })),
            "south-noon" => (json!(null), json!({ "allowed": false, "code": "overlap" })),
            _ => (json!(null), json!({ "allowed": true })),
        };
        assert_eq!((&class["me"], &class["can_book"]), (&me, &can_book), "{}", class["id"]);
        assert_eq!(ann.sees(&class["id"].as_str().unwrap()).await.body, *class);
    }
}

#[tokio::test]
async fn nobody_but_members_is_told_about_me() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({})).await;
    for caller in [org.desk(), org.instructor("ida"), org.kiosk(), org.admin()] {
        let seen = caller.sees(&class).await;
        assert!(seen.body.get("me").is_none_or(serde_json::Value::is_null), "{}", seen.body);
        assert!(seen.body.get("can_book").is_none_or(serde_json::Value::is_null), "{}", seen.body);
    }
}

#[tokio::test]
async fn counts_are_live() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let class = org.class(json!({ "capacity": 1 })).await;
    assert_eq!(org.counts(&class).await, (0, 1, 0));
    let booking = ann.books(&class).await;
    assert_eq!(org.counts(&class).await, (1, 0, 0));
    bob.queues_for(&class).await;
    assert_eq!(org.counts(&class).await, (1, 0, 1));
    ann.cancels(&booking).await;
    assert_eq!(org.counts(&class).await, (1, 0, 0));
}

#[tokio::test]
async fn a_members_bookings_are_those_ahead_and_those_past() {
    let world = World::new().await;
    let org = world.org("standard").await;
    timetable(&org).await;
    let ann = org.member("ann").await;
    let noon = ann.books(&"noon").await;
    let gone = ann.books(&"tomorrow").await;
    ann.cancels(&gone).await;
    let early = ann.books(&"early").await;
    let list = async |query: &str| {
        ann.get(&format!("/v1/bookings{query}")).await.ids().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list("?when=upcoming").await, [early.id(), noon.id()]);
    assert_eq!(list("?when=past").await, [gone.id()]);
    assert_eq!(list("").await, [early.id(), gone.id(), noon.id()]);
    world.sets_clock("2026-03-03T06:59:59.999Z").await;
    assert_eq!(list("?when=upcoming").await, [early.id(), noon.id()], "a class under way is still ahead");
    world.sets_clock("2026-03-03T07:00:00Z").await;
    assert_eq!(list("?when=upcoming").await, [noon.id()]);
    assert_eq!(list("?when=past").await, [early.id(), gone.id()]);
    let by_the_desk = org.desk().get("/v1/bookings?member=ann&when=past").await;
    assert_eq!(by_the_desk.ids(), [early.id(), gone.id()]);
}

#[tokio::test]
async fn a_members_bookings_come_page_by_page() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "booking": { "daily_limit": null } })).await;
    let ann = org.member("ann").await;
    for hour in 9..14 {
        let booking = ann.books(&org.class(json!({ "starts_at": format!("2026-03-03T{hour:02}:00:00Z") })).await).await;
        if hour % 2 == 0 {
            ann.cancels(&booking).await;
        }
    }
    for when in ["", "&when=upcoming", "&when=past"] {
        let whole = ann.get(&format!("/v1/bookings?limit=200{when}")).await;
        let mut found: Vec<String> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = ann.get(&format!("/v1/bookings?limit=1{when}{cursor}")).await;
            found.extend(page.ids().into_iter().map(str::to_owned));
            match page.at("/next").as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, whole.ids(), "{when}");
    }
}

/// More than one call of the core looks at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_finds_what_is_rare_among_very_many() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let numbers: Vec<usize> = (0..1_100).collect();
    let publish = async |number: &usize| {
        let category = if *number == 1_090 { "rare" } else { "common" };
        let starts_at = format!("2026-03-{:02}T{:02}:{:02}:00Z", 3 + number / 480, number / 60 % 8, number % 60);
        drop(org.class(json!({ "id": format!("c{number}"), "starts_at": starts_at, "category": category })).await);
    };
    stream::iter(&numbers).for_each_concurrent(128, publish).await;
    let found = every(&org.desk(), "/v1/classes?category=rare").await;
    assert_eq!(found.iter().map(|class| class["id"].as_str().unwrap()).collect::<Vec<_>>(), ["c1090"]);
    assert_eq!(every(&org.desk(), "/v1/classes?category=common").await.len(), 1_099);
}
