//! The desk and the terminal at the door: who is this, and which class; and those who just walk in.

use serde_json::{Value, json};

use crate::story::{Story, strict};
use crate::support::api::{Call, Named, Person, Reply, World, signed};
use crate::support::service::SECRET;

fn arrives(who: &Person, body: Value) -> Call {
    who.post("/v1/check-ins", body)
}

#[tokio::test]
async fn a_member_is_found_by_id_or_phone_and_checked_in_to_their_class() {
    let story = Story::under(strict()).await;
    let class = story.class(5).await;
    let (_, booking) = story.booked("ann", &class).await;
    let body = json!({ "name": "ann", "phone": "+45 20 30 40 50",
                       "membership": { "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all" } });
    story.org.desk().put("/v1/members/ann", body).await;
    let kiosk = story.org.kiosk();
    arrives(&kiosk, json!({ "club": "main", "member": "ann" })).refused("check_in_not_open").await;
    story.at("2026-03-03T11:30:00Z").await;
    let seen = arrives(&kiosk, json!({ "club": "main", "phone": "+4520304050" })).await;
    assert_eq!((seen.id(), &seen.body["status"]), (booking.id(), &json!("checked_in")));
    assert_eq!(arrives(&kiosk, json!({ "club": "main", "member": "ann" })).await.body, seen.body, "repeated");
}

#[tokio::test]
async fn what_names_nobody_or_nothing_is_said_so() {
    let story = Story::under(strict()).await;
    let kiosk = story.org.kiosk();
    for (body, pointer) in [
        (json!({ "club": "main", "member": "nobody" }), "/member"),
        (json!({ "club": "main", "phone": "+4599999999" }), "/phone"),
        (json!({ "club": "elsewhere", "member": "ann" }), "/club"),
        (json!({ "club": "main" }), "/member"),
        (json!({ "club": "main", "member": "ann", "phone": "+4520304050" }), "/member"),
    ] {
        let refused = arrives(&kiosk, body.clone()).refused("invalid").await;
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    arrives(&story.org.member("ann").await, json!({ "club": "main", "member": "ann" })).refused("forbidden").await;
}

#[tokio::test]
async fn a_kiosk_that_guesses_is_slowed_down_and_nobody_else() {
    let world = World::under(|settings| settings.rate_limit = Some("1000:1000".into()));
    let org = world.org("standard").await;
    org.member("ann").await;
    let (door, hall, desk) = (org.kiosk(), org.caller("hall", "kiosk"), org.desk());
    let knows = |who: &Person| arrives(who, json!({ "club": "main", "member": "ann" }));
    let guesses = |who: &Person| arrives(who, json!({ "club": "main", "phone": "+4599999999" }));
    for _ in 0..12 {
        knows(&door).refused("check_in_not_open").await;
        guesses(&door).refused("invalid").await;
    }
    let refused = guesses(&door).refused("rate_limited").await;
    let seconds: u64 = refused.retry_after.as_deref().unwrap().parse().unwrap();
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert_eq!(refused.body["retry_after"], seconds);
    knows(&door).refused("rate_limited").await;
    guesses(&hall).refused("invalid").await;
    for _ in 0..20 {
        guesses(&desk).refused("invalid").await;
    }
}

#[tokio::test]
async fn of_a_familys_classes_the_one_that_starts_first_is_meant() {
    let story = Story::under(strict()).await;
    let (first, second) = (story.class_at("2026-03-03T12:00:00Z").await, story.class_at("2026-03-03T12:10:00Z").await);
    let (_, later) = story.booked("ann", &second).await;
    let (_, sooner) = story.booked("bob", &first).await;
    for id in ["ann", "bob"] {
        let body = json!({ "name": id, "phone": "+4520304050",
                           "membership": { "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all" } });
        story.org.desk().put(&format!("/v1/members/{id}"), body).await;
    }
    story.at("2026-03-03T11:30:00Z").await;
    for expected in [&sooner, &later] {
        let seen = arrives(&story.org.kiosk(), json!({ "club": "main", "phone": "+4520304050" })).await;
        assert_eq!(seen.id(), expected.id());
    }
}

/// Members with these names, who all share a phone, each booked in the class beside them.
async fn family(story: &Story, people: &[(&str, &str, Option<&Reply>)]) -> Vec<Option<Reply>> {
    let mut bookings = Vec::new();
    for (id, name, class) in people {
        let body = json!({ "name": name, "phone": "+4520304050",
                           "membership": { "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all" } });
        story.org.desk().put(&format!("/v1/members/{id}"), body).await;
        let member = story.org.caller(id, "member");
        bookings.push(match class {
            Some(class) => Some(member.books(*class).await),
            None => None,
        });
    }
    bookings
}

#[tokio::test]
async fn of_a_family_with_one_phone_the_kiosk_asks_who_it_is_and_checks_that_one_in() {
    let story = Story::under(strict()).await;
    let (first, second) = (story.class_at("2026-03-03T12:00:00Z").await, story.class_at("2026-03-03T12:10:00Z").await);
    let much_later = story.class_at("2026-03-03T18:00:00Z").await;
    let people = [
        ("ann", "Ann Lund", Some(&second)),
        ("bob", "Bob Lund", Some(&first)),
        ("cid", "Cid  Erik Lund", Some(&second)),
        ("dan", "Dan Lund", Some(&much_later)),
        ("eve", "Eve Lund", None),
    ];
    let bookings = family(&story, &people).await;
    story.at("2026-03-03T11:30:00Z").await;
    let kiosk = story.org.kiosk();
    let asks = || arrives(&kiosk, json!({ "club": "main", "phone": "+4520304050", "choose": true }));
    // Who has a class that check-in is open for, by its start; no other name, and no more than the first.
    let choice = |member: &str, name: &str| json!({ "member": member, "first_name": name });
    let all = json!({ "choices": [choice("bob", "Bob"), choice("ann", "Ann"), choice("cid", "Cid")] });
    assert_eq!(asks().await.body, all);
    assert_eq!(asks().await.body, all, "asking checks nobody in");
    let seen = arrives(&kiosk, json!({ "club": "main", "member": "ann" })).await;
    assert_eq!((seen.id(), &seen.body["first_name"]), (bookings[0].as_ref().unwrap().id(), &json!("Ann")));
    assert_eq!(asks().await.body, json!({ "choices": [choice("bob", "Bob"), choice("cid", "Cid")] }));
    arrives(&kiosk, json!({ "club": "main", "member": "cid" })).await;
    // Nobody else is left to be meant.
    let seen = asks().await;
    assert_eq!((seen.id(), &seen.body["status"]), (bookings[1].as_ref().unwrap().id(), &json!("checked_in")));
    assert_eq!(asks().await.id(), seen.id(), "all of them are here: repeated");
}

#[tokio::test]
async fn who_is_not_asked_for_is_not_told() {
    let story = Story::under(strict()).await;
    let (first, second) = (story.class_at("2026-03-03T12:00:00Z").await, story.class_at("2026-03-03T12:10:00Z").await);
    let bookings = family(&story, &[("ann", "Ann Lund", Some(&second)), ("bob", "Bob Lund", Some(&first))]).await;
    let asked = json!({ "club": "main", "phone": "+4520304050", "choose": true });
    let kiosk = story.org.kiosk();
    arrives(&kiosk, asked.clone()).refused("check_in_not_open").await;
    story.at("2026-03-03T11:30:00Z").await;
    for (body, pointer) in [
        (json!({ "club": "main", "member": "ann", "choose": true }), "/choose"),
        (json!({ "club": "main", "phone": "+4520304050", "choose": "yes" }), "/choose"),
        (json!({ "club": "main", "phone": "+4520304050", "choose": null }), "/choose"),
        (json!({ "club": "main", "phone": "+4599999999", "choose": true }), "/phone"),
        (json!({ "club": "elsewhere", "phone": "+4520304050", "choose": true }), "/club"),
    ] {
        let refused = arrives(&kiosk, body.clone()).refused("invalid").await;
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    // At another club nobody's check-in is open, and a kiosk that stands there may not ask here.
    story.org.desk().put("/v1/clubs/north", json!({ "name": "North" })).await;
    let north = json!({ "club": "north", "phone": "+4520304050", "choose": true });
    arrives(&kiosk, north).refused("check_in_not_open").await;
    let claims =
        json!({ "sub": "door", "role": "kiosk", "org": story.org.id, "club": "north", "exp": 4_000_000_000_u64 });
    let token = signed(&claims, SECRET);
    arrives(&kiosk, asked.clone()).with_token(Some(&token)).refused("forbidden").await;
    for who in [story.org.caller("ann", "member"), story.org.instructor("eva")] {
        arrives(&who, asked.clone()).refused("forbidden").await;
    }
    // Whoever does not ask is answered as ever: the class that starts first.
    for choose in [
        json!({ "club": "main", "phone": "+4520304050" }),
        json!({ "club": "main", "phone": "+4520304050", "choose": false }),
    ] {
        let seen = arrives(&kiosk, choose).await;
        assert_eq!(seen.id(), bookings[1].as_ref().unwrap().id());
        story.undoes(&seen).await;
    }
    // An erased name is told no more, also to the same call again.
    let same = || arrives(&kiosk, asked.clone()).key("who-is-it");
    assert_eq!(same().await.body["choices"][1]["first_name"], "Ann");
    story.org.desk().erases(&story.org.caller("ann", "member")).await;
    assert_eq!(same().await.body["choices"][1]["first_name"], Value::Null);
}

#[tokio::test]
async fn of_several_classes_the_spot_not_yet_taken_up_that_starts_first_is_meant() {
    let story = Story::under(json!({ "booking": { "allow_overlap": true }, "attendance": { "minimum": 0 } })).await;
    let ann = story.org.member("ann").await;
    let full = story.org.class(json!({ "capacity": 1, "starts_at": "2026-03-03T12:00:00Z" })).await;
    story.booked("bob", &full).await;
    let waiting = ann.queues_for(&full).await;
    let later = ann.books(&story.class_at("2026-03-03T12:20:00Z").await).await;
    let sooner = ann.books(&story.class_at("2026-03-03T12:10:00Z").await).await;
    story.at("2026-03-03T11:30:00Z").await;
    let desk = story.org.desk();
    for expected in [&sooner, &later, &waiting] {
        let seen = arrives(&desk, json!({ "club": "main", "member": "ann" })).await;
        assert_eq!(seen.id(), expected.id());
    }
}

#[tokio::test]
async fn a_walk_in_is_booked_and_checked_in_into_a_free_spot() {
    let story = Story::under(json!({ "booking": { "daily_limit": 1 }, "attendance": { "minimum": 0 } })).await;
    let class = story.class(1).await;
    let other = story.class_at("2026-03-03T15:00:00Z").await;
    let ann = story.org.member_with("ann", json!({ "plan": "clips", "clips": 2 })).await;
    ann.books(&other).await;
    let path = format!("/v1/classes/{}/bookings", class.id());
    let walk = |who: &Person| json!({ "member": who.sub, "walk_in": true });
    let desk = story.org.desk();
    desk.post(&path, walk(&ann)).refused("check_in_not_open").await;
    story.at("2026-03-03T12:05:00Z").await;
    let came = desk.post(&path, walk(&ann)).answers(201).await;
    assert_eq!((&came.body["status"], &came.body["late"]), (&json!("checked_in"), &json!(false)));
    assert_eq!(story.standing(&ann).await["clips"], 0);
    assert_eq!(desk.post(&path, walk(&ann)).await.body, came.body, "a live booking is answered unchanged");
    let bob = story.org.member("bob").await;
    desk.post(&path, walk(&bob)).refused("full").await;
    assert_eq!(story.undoes(&came).await.body["status"], "cancelled");
    assert_eq!(story.standing(&ann).await["clips"], 1);
    desk.post(&path, walk(&bob)).answers(201).await;
    story.at("2026-03-03T12:10:00Z").await;
    desk.post(&path, walk(&ann)).refused("check_in_closed").await;
    bob.post(&path, json!({ "walk_in": true })).refused("forbidden").await;
}

#[tokio::test]
async fn whoever_stands_by_comes_before_whoever_walks_in() {
    let story = Story::under(strict()).await;
    let class = story.class(1).await;
    let (_, booking) = story.booked("ann", &class).await;
    let (_, place) = story.waiting("bob", &class).await;
    story.at("2026-03-03T11:30:00Z").await;
    story.checks_in(&place).await;
    let desk = story.org.desk();
    desk.post(&format!("/v1/bookings/{}/cancel", booking.id()), json!({ "charge": false })).await;
    story.org.member("cid").await;
    let walk = json!({ "member": "cid", "walk_in": true });
    desk.post(&format!("/v1/classes/{}/bookings", class.id()), walk).refused("full").await;
    story.at("2026-03-03T12:10:00Z").await;
    assert_eq!(story.status(&place).await, "checked_in");
}
