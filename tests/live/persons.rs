//! People whose ids are what identity providers make of them hear of their own things, and of nobody else's.

use serde_json::json;

use crate::screen::Screen;
use crate::support::api::{Named, World};
use crate::support::redis::Keeps;

#[tokio::test]
async fn whatever_somebody_is_called_they_hear_of_their_own_bookings() {
    let world = World::with(1, Keeps::Nothing).await;
    let org = world.org("standard").await;
    let longest = "x".repeat(255);
    let ids = [
        "f:332a234e-31b2-4c5d-9e6f-0a1b2c3d4e5f:ann",
        "o'neill@example.com",
        "oauth/google:10104",
        "a%2Fb",
        "a/b",
        "{x}",
        "m",
        "m:upcoming",
        "me",
        "roster:class-1",
        &longest,
    ];
    let class = org.class(json!({ "capacity": 1, "instructor": { "id": ids[0], "name": "Gerda" } })).await;
    let roster = format!("roster:{}", class.id());
    let mut teacher = Screen::of(&world, 0, &org.instructor(ids[0]), &[&roster]).await;
    let mut screens = Vec::new();
    for id in ids {
        let written: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let body = json!({ "name": "Somebody", "membership": { "plan": "unlimited", "status": "active" } });
        org.desk().put(&format!("/v1/members/{written}"), body).await;
        screens.push(Screen::of(&world, 0, &org.caller(id, "member"), &["me"]).await);
    }
    let mut bookings = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        let person = org.caller(id, "member");
        let booking = if n == 0 { person.books(&class).await } else { person.queues_for(&class).await };
        screens[n].until(|screen| screen.doc("me")["bookings"].get(booking.id()).is_some()).await;
        teacher.until(|screen| screen.doc(&roster)["bookings"][booking.id()]["member"] == **id).await;
        bookings.push(booking);
    }
    // Each moves up when the one before gives the spot up.
    for n in 1..ids.len() {
        org.caller(ids[n - 1], "member").cancels(&bookings[n - 1]).becoming("cancelled").await;
        screens[n].until(|screen| screen.doc("me")["bookings"][bookings[n].id()]["status"] == "booked").await;
    }
    for (n, screen) in screens.iter().enumerate() {
        let own = screen.doc("me")["bookings"].as_object().expect("bookings").keys();
        assert_eq!(own.cloned().collect::<Vec<_>>(), [bookings[n].id().to_owned()], "{}", ids[n]);
    }
}
