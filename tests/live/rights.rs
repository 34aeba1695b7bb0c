//! Who may hear what, when the right to it ends, and that nothing personal goes where it does not belong.

use serde_json::{Value, json};

use crate::screen::{End, Screen};
use crate::support::api::{Named, World};
use crate::support::redis::Keeps;

#[tokio::test]
async fn topics_are_refused_to_whom_they_do_not_belong() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "instructor": { "id": "ida", "name": "Ida" } })).await;
    let roster = format!("roster:{}", class.id());
    let strangers = world.org("standard").await.member("ann").await;
    for (who, topic, code) in [
        (&ann, roster.as_str(), "forbidden"),
        (&org.kiosk(), "me", "forbidden"),
        (&org.kiosk(), &roster, "forbidden"),
        (&org.desk(), "me", "forbidden"),
        (&org.instructor("otto"), &roster, "not_found"),
        (&ann, "class:nowhere", "not_found"),
        (&ann, "day:nowhere:2026-03-03", "not_found"),
        (&ann, "member:ben", "invalid"),
        (&strangers, &format!("class:{}", class.id()), "not_found"),
        (&org.caller("nobody", "member"), "me", "not_found"),
    ] {
        let mut screen = Screen::of(&world, 0, who, &[]).await;
        let answer = screen.subscribes(json!({ topic: 0 })).await;
        assert_eq!(answer["topics"], json!({}), "{topic}");
        let error = screen.hears("error").await;
        assert_eq!(
            (&error["code"], &error["topic"], &error["id"]),
            (&json!(code), &json!(topic), &json!(1)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_instructor_who_is_replaced_loses_the_roster_at_once() {
    let world = World::with(2, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "instructor": { "id": "ida", "name": "Ida" } })).await;
    let topic = format!("roster:{}", class.id());
    let mut idas = Screen::of(&world, 1, &org.instructor("ida"), &[&topic]).await;
    let mut desks = Screen::of(&world, 1, &org.desk(), &[&topic]).await;
    org.desk().changes(&class, json!({ "instructor": { "id": "otto", "name": "Otto" } })).at(0).await;
    let gone = idas.hears("gone").await;
    assert_eq!((&gone["topic"], &gone["code"]), (&json!(topic), &json!("forbidden")));
    desks.hears_of(&topic, "class_changed").await;
    assert_eq!(desks.doc(&topic)["class"]["instructor"]["id"], "otto");

    org.member("ann").await.books(&class).await;
    desks.hears_of(&topic, "booking_confirmed").await;
    idas.subscribes(json!({ &topic: 0 })).await;
    assert_eq!(idas.hears("error").await["code"], "not_found");
    let after = idas.frames.iter().skip_while(|frame| frame["op"] != "gone").skip(1);
    assert!(after.clone().all(|frame| frame["op"] != "patch"), "{:?}", after.collect::<Vec<_>>());
}

#[tokio::test]
async fn an_erased_member_hears_that_their_things_are_gone() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let mut screen = Screen::of(&world, 0, &ann, &["me"]).await;
    org.desk().erases(&ann).await;
    assert_eq!(screen.hears("gone").await["topic"], "me");
}

#[tokio::test]
async fn a_token_that_expires_ends_the_connection_unless_it_is_renewed() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    org.member("ann").await;
    let [mut kept, mut ended] =
        [Screen::connects(world.services()[0].port).await, Screen::connects(world.services()[0].port).await];
    for screen in [&mut kept, &mut ended] {
        let token = org.token_for("ann", "member", 2);
        screen.sends(json!({ "op": "hello", "token": token, "topics": { "me": 0 } })).await;
        screen.hears("welcome").await;
    }
    kept.sends(json!({ "op": "renew", "id": 1, "token": org.token_for("ben", "member", 60) })).await;
    assert_eq!(kept.hears("error").await["code"], "forbidden");
    kept.sends(json!({ "op": "renew", "id": 2, "token": org.token_for("ann", "member", 60) })).await;
    let renewed = kept.hears("renewed").await;
    assert!(renewed["expires_at"].as_str().unwrap().ends_with(":00") && renewed["id"] == 2, "{renewed}");
    assert_eq!(ended.ends().await, End::Closed(4001));
    kept.subscribes(json!({ "me": 0 })).await;
}

/// Every personal field of a member and of a booking holds a canary; none sings where it should not.
#[tokio::test]
async fn nothing_personal_reaches_a_class_a_day_or_another_member() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("pulsn-dk").await;
    let canary = json!({
        "name": "Canary Name", "email": "canary@example.com", "phone": "+4512345678", "born": "1981-02-13", "language": "da",
        "membership": { "plan": "clips", "clips": 7, "status": "active", "clubs": "all", "categories": "all", "frozen": [] },
    });
    org.desk().put("/v1/members/canary", canary.clone()).await;
    let (bird, ann) = (org.caller("canary", "member"), org.member("ann").await);
    let class = org.class(json!({ "capacity": 1, "starts_at": "2026-03-02T12:00:00Z" })).await;
    let topics = [format!("class:{}", class.id()), "day:main:2026-03-02".to_owned(), "me".to_owned()];
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    let mut anns = Screen::of(&world, 0, &ann, &topics).await;
    let mut kiosks = Screen::of(&world, 0, &org.kiosk(), &topics[..2]).await;

    let spot = bird.books(&class).await;
    let waiting = ann.queues_for(&class).await;
    org.desk()
        .put("/v1/members/canary", {
            let mut other = canary;
            other["phone"] = json!("+4587654321");
            other
        })
        .await;
    org.desk()
        .post(&format!("/v1/bookings/{}/cancel", spot.id()), json!({ "charge": true, "reason": "canary reason" }))
        .await;
    anns.until(|screen| screen.doc("me")["bookings"][waiting.id()]["status"] == "booked").await;
    org.desk().erases(&bird).await;
    org.desk().cancels_class(&class).await;
    anns.until(|screen| screen.doc(topics[0])["status"] == "cancelled").await;
    kiosks.until(|screen| screen.doc(topics[0])["status"] == "cancelled").await;

    for frame in anns.frames.iter().chain(&kiosks.frames) {
        let text = frame.to_string().to_lowercase();
        for forbidden in ["canary", "12345678", "87654321", "1981-02-13", &spot.id()] {
            assert!(!text.contains(forbidden), "{forbidden} in {frame}");
        }
        let public = frame["topic"].as_str().is_some_and(|topic| topic != "me");
        assert!(!public || !text.contains(&waiting.id()), "{frame}");
    }
    let mine: &Value = &anns.doc("me")["bookings"][waiting.id()];
    assert_eq!(mine["status"], "class_cancelled");
}
