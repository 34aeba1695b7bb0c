//! What is heard of a change, and by whom: each with the change made on another instance than the screen's.

use serde_json::json;

use crate::resuming::redis;
use crate::screen::Screen;
use crate::support::api::{Named, World};
use crate::support::redis::Keeps;

async fn two_instances() -> World {
    World::with(2, Keeps::Nothing).await
}

#[tokio::test]
async fn a_class_shows_each_booking_made_anywhere() {
    let world = two_instances().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "capacity": 2, "room": "Blue" })).await;
    let topic = format!("class:{}", class.id());
    let mut screen = Screen::of(&world, 1, &ann, &[&topic]).await;
    assert_eq!(*screen.doc(&topic), org.face(&class).await);

    let cursor = ann.books(&class).at(0).await.cursor.unwrap();
    let patch = screen.hears_of(&topic, "booking_confirmed").await;
    assert_eq!(patch["to"].to_string(), cursor.split_once('-').unwrap().1);
    assert_eq!(patch["data"], json!({ "booked": 1, "free": 1 }));
    assert_eq!(*screen.doc(&topic), org.face(&class).await);
}

#[tokio::test]
async fn a_promotion_is_heard_by_the_promoted_and_by_those_who_move_up() {
    let world = two_instances().await;
    let org = world.org("standard").await;
    let [ann, ben, cat] = [org.member("ann").await, org.member("ben").await, org.member("cat").await];
    let class = org.class(json!({ "capacity": 1 })).await;
    let spot = ann.books(&class).await;
    let (second, third) = (ben.queues_for(&class).await, cat.queues_for(&class).await);
    let mut bens = Screen::of(&world, 1, &ben, &["me"]).await;
    let mut cats = Screen::of(&world, 0, &cat, &["me"]).await;
    assert_eq!(bens.doc("me")["bookings"][second.id()]["position"], 1);
    assert_eq!(cats.doc("me")["bookings"][third.id()]["position"], 2);

    ann.cancels(&spot).at(0).await;
    let patch = bens.hears_of("me", "booking_promoted").await;
    assert_eq!(patch["data"]["bookings"][second.id()]["status"], "booked");
    assert!(bens.doc("me")["bookings"][second.id()].get("position").is_none());
    assert_eq!(bens.doc("me")["standing"]["booked"], json!({ "2026-03-03": 1 }));
    let patch = cats.hears_of("me", "waitlist_moved").await;
    assert_eq!(patch["data"], json!({ "bookings": { third.id(): { "position": 1 } } }));
}

#[tokio::test]
async fn a_member_sees_their_bookings_with_their_classes_and_standing() {
    let world = two_instances().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "title": "Spin" })).await;
    let mut screen = Screen::of(&world, 1, &ann, &["me"]).await;
    assert_eq!(screen.doc("me")["bookings"], json!({}));

    let booking = ann.books(&class).at(0).await;
    screen.hears_of("me", "booking_confirmed").await;
    let mut expected = booking.body.clone();
    for (name, value) in [("title", "Spin"), ("club", "main")] {
        expected[name] = json!(value);
    }
    expected["starts_at"] = class.body["starts_at"].clone();
    expected["ends_at"] = class.body["ends_at"].clone();
    assert_eq!(screen.doc("me")["bookings"][booking.id()], expected);

    org.desk().changes(&class, json!({ "title": "Spin 2" })).await;
    screen.hears_of("me", "class_changed").await;
    assert_eq!(screen.doc("me")["bookings"][booking.id()]["title"], "Spin 2");

    ann.cancels(&booking).await;
    screen.hears_of("me", "booking_cancelled").await;
    assert_eq!(screen.doc("me")["bookings"][booking.id()]["status"], "cancelled");
    assert_eq!(screen.doc("me")["standing"]["booked"], json!({}));
    assert_eq!(screen.doc("me")["standing"]["upcoming"], 0);
}

#[tokio::test]
async fn a_roster_shows_names_arrivals_and_who_left() {
    let world = two_instances().await;
    let org = world.org("standard").await;
    let [ann, ben] = [org.member("ann").await, org.member("ben").await];
    let class = org.class(json!({ "instructor": { "id": "ida", "name": "Ida" } })).await;
    let topic = format!("roster:{}", class.id());
    let (first, second) = (ann.books(&class).await, ben.books(&class).await);
    let mut screen = Screen::of(&world, 1, &org.instructor("ida"), &[&topic]).await;
    assert_eq!(screen.doc(&topic)["bookings"][first.id()]["name"], "ann");

    ben.cancels(&second).at(0).await;
    screen.hears_of(&topic, "booking_cancelled").await;
    assert!(screen.doc(&topic)["bookings"].get(second.id()).is_none());

    world.sets_clock("2026-03-03T11:50:00Z").await;
    org.desk().act(&format!("/v1/bookings/{}/check-in", first.id())).await;
    screen.hears_of(&topic, "checked_in").await;
    let line = &screen.doc(&topic)["bookings"][first.id()];
    assert_eq!(line["status"], "checked_in");
    assert_eq!((&line["present"], &line["late"], &line["first_time"]), (&json!(true), &json!(false), &json!(true)));
    assert_eq!(screen.doc(&topic)["class"], org.face(&class).await);
}

#[tokio::test]
async fn a_day_shows_its_classes_and_those_that_come_and_go() {
    let world = two_instances().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let first = org.class(json!({})).await;
    let (today, next) = ("day:main:2026-03-03", "day:main:2026-03-04");
    let mut screen = Screen::of(&world, 1, &ann, &[today, next]).await;
    assert_eq!(*screen.doc(today), json!({ first.id(): org.face(&first).await }));
    assert_eq!(*screen.doc(next), json!({}));

    let second = org.class(json!({ "title": "Row" })).await;
    screen.until(|screen| screen.doc(today).get(second.id()).is_some()).await;
    assert_eq!(screen.doc(today)[second.id()], org.face(&second).await);

    org.desk().changes(&second, json!({ "starts_at": "2026-03-04T12:00:00Z" })).await;
    screen.until(|screen| screen.doc(next).get(second.id()).is_some()).await;
    screen.until(|screen| screen.doc(today).get(second.id()).is_none()).await;
    assert_eq!(screen.doc(next)[second.id()], org.face(&second).await);

    ann.books(&first).await;
    screen.until(|screen| screen.doc(today)[first.id()]["booked"] == 1).await;
    org.desk().cancels_class(&first).await;
    screen.until(|screen| screen.doc(today)[first.id()]["status"] == "cancelled").await;
    assert_eq!(screen.doc(today)[first.id()], org.face(&first).await);
}

#[tokio::test]
async fn a_burst_on_a_class_comes_in_few_patches_and_whole() {
    let world = two_instances().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "capacity": 60 })).await;
    let topic = format!("class:{}", class.id());
    let mut members = Vec::new();
    for number in 0..50 {
        members.push(org.member(&format!("m-{number}")).await);
    }
    let mut screen = Screen::of(&world, 1, &members[0], &[&topic]).await;
    let begun = std::time::Instant::now();
    for member in &members {
        member.books(&class).await;
    }
    screen.until(|screen| screen.doc(&topic)["booked"] == 50).await;
    let patches = screen.frames.iter().filter(|frame| frame["op"] == "patch" && frame["from"] != 0).count();
    let most = 2 + begun.elapsed().as_millis() as usize / 200;
    assert!(patches <= most, "{patches} patches in {:?}", begun.elapsed());
}

/// A page that turns quickly: what was asked for is no longer wanted before it could be read.
#[tokio::test]
async fn what_is_given_up_before_it_was_known_is_not_heard_of_either() {
    let world = two_instances().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let topic = format!("class:{}", class.id());
    let mut screen = Screen::of(&world, 1, &ann, &["me"]).await;
    redis(&world, &["CLIENT", "PAUSE", "700", "ALL"]).await;
    for (id, topic) in [(11, "day:main:2026-03-03"), (12, &topic)] {
        screen.sends(json!({ "op": "subscribe", "id": id, "topics": { topic: 0 } })).await;
    }
    screen.sends(json!({ "op": "unsubscribe", "id": 13, "topics": [&topic] })).await;
    screen.hears("unsubscribed").await;
    ann.books(&class).at(0).await;
    screen.hears_of("me", "booking_confirmed").await;
    screen.subscribes(json!({})).await;
    assert!(screen.frames.iter().all(|frame| frame["topic"] != topic.as_str()), "{:#?}", screen.frames);
}

#[tokio::test]
async fn what_a_screen_no_longer_watches_it_hears_no_more_of() {
    let world = two_instances().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let topic = format!("class:{}", class.id());
    let mut screen = Screen::of(&world, 1, &ann, &[&topic, "me"]).await;
    screen.sends(json!({ "op": "unsubscribe", "id": 9, "topics": [topic] })).await;
    assert_eq!(screen.hears("unsubscribed").await["id"], 9);
    screen.frames.clear();
    ann.books(&class).await;
    screen.hears_of("me", "booking_confirmed").await;
    assert!(screen.frames.iter().all(|frame| frame["topic"] != topic.as_str()), "{:?}", screen.frames);
}
