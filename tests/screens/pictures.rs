//! A picture of every screen at phone and desktop width into `target/screens/`, of the demonstration's first chain, to
//! be looked at; and that no screen is wider than its window.

use std::path::Path;

use serde_json::{Value, json};

use crate::browser::{DESKTOP, PHONE, Window};
use crate::support::api::World;
use crate::support::api::token;

/// Widths that nothing may be wider than.
const WIDTHS: [u32; 4] = [360, 390, 768, 1600];

async fn keep(window: &Window, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screens");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.png")), window.picture().await).unwrap();
}

async fn assert_fits(window: &Window, what: &str) {
    for width in WIDTHS {
        window.is(width, 800).await;
        let over = window
            .runs("return document.documentElement.scrollWidth - document.documentElement.clientWidth", vec![])
            .await;
        assert_eq!(over, 0, "{what} is wider than {width} pixels");
    }
}

#[tokio::test]
async fn every_screen_is_drawn_and_fits() {
    let world = World::under(|_| {});
    rollcall::demo::fill(&world.services()[0].store).await.unwrap();
    let url = world.services()[0].url();
    let org = "pulsn-dk";
    let desk = world.caller(org, "desk", "staff");
    // Something that check-in is open for, whatever the hour.
    let starts = (chrono::Utc::now() + chrono::TimeDelta::minutes(25)).format("%Y-%m-%dT%H:%M:00Z").to_string();
    let policy = json!({ "booking": { "allow_overlap": true } });
    let body = json!({ "id": "now", "club": "aarhus", "title": "Evening Flow", "category": "yoga", "room": "Hall 1", "minutes": 60,
        "instructor": { "id": "i-eva", "name": "Eva Lind" }, "starts_at": starts, "capacity": 6, "policy": policy });
    desk.post("/v1/classes", body).answers(201).await;
    for n in [2, 3, 4, 5, 11, 12, 13, 14] {
        desk.post("/v1/classes/now/bookings", json!({ "member": format!("m-{n:03}") })).send().await;
    }
    let roster = desk.get("/v1/classes/now/roster").await;
    for entry in roster.body["bookings"].as_array().unwrap().iter().take(2) {
        desk.act(&format!("/v1/bookings/{}/check-in", entry["id"].as_str().unwrap())).await;
    }
    let link = |path: &str, role: &str, sub: &str| format!("{url}{path}#token={}", token(sub, role, Some(org)));

    for (device, size) in [("phone", PHONE), ("desktop", DESKTOP)] {
        let window = Window::open(size, "en-GB").await;
        let again = || window.is(size.0, size.1);
        window.goes_to(&link("/book", "member", "m-001")).await;
        window.sees("All instructors").await;
        window.taps(".day:nth-child(2)").await;
        window.sees_in(".week", "free").await;
        keep(&window, &format!("book-{device}")).await;
        assert_fits(&window, "the timetable").await;
        again().await;
        window.taps(".day:nth-child(4)").await;
        window.sees_in(".week .classes", ":").await;
        keep(&window, &format!("book-week-{device}")).await;
        window.taps("#tab-mine").await;
        window.sees("Coming up").await;
        keep(&window, &format!("book-mine-{device}")).await;
        assert_fits(&window, "my bookings").await;
        again().await;
        window.taps("#panel [data-action]").await;
        window.sees_in("dialog", "Free of charge").await;
        keep(&window, &format!("book-cancel-{device}")).await;
        window.taps_named("Keep it").await;
        window.taps("#tab-standing").await;
        window.sees("Membership").await;
        keep(&window, &format!("book-standing-{device}")).await;
        window.appears("dark").await;
        window.taps("#tab-classes").await;
        window.sees_in(".week .classes", ":").await;
        keep(&window, &format!("book-dark-{device}")).await;
        window.appears("light").await;

        window.goes_to(&link("/roster", "instructor", "i-eva")).await;
        window.sees_in(".roll", "Evening Flow").await;
        keep(&window, &format!("roster-{device}")).await;
        assert_fits(&window, "the roster").await;
        again().await;

        window.goes_to(&link("/desk", "staff", "desk")).await;
        window.sees_in(".roll", "Evening Flow").await;
        window.types("#who", roster.body["bookings"][3]["member"].as_str().unwrap()).await;
        window.taps("form.arrive .primary").await;
        window.sees_in(".result", "Welcome").await;
        keep(&window, &format!("desk-{device}")).await;
        assert_fits(&window, "the desk").await;
        again().await;
        window.taps(".names .open").await;
        window.sees_in("dialog", "Earlier").await;
        keep(&window, &format!("desk-member-{device}")).await;

        window.goes_to(&link("/desk?kiosk", "kiosk", "kiosk-1")).await;
        window.sees("Your phone number").await;
        keep(&window, &format!("kiosk-{device}")).await;
        assert_fits(&window, "the kiosk").await;
        again().await;

        window.goes_to(&link("/", "admin", "manager")).await;
        window.sees_in(".sessions", "Evening Flow").await;
        window.taps_named("Day after").await;
        window.sees_in(".sessions", "Vinyasa Yoga").await;
        keep(&window, &format!("day-{device}")).await;
        assert_fits(&window, "the day").await;
        again().await;
        window.taps(".sessions li:first-child button").await;
        window.sees_in("dialog", "What happened").await;
        keep(&window, &format!("day-class-{device}")).await;
        window.taps_named("Close").await;
        for tab in ["series", "members", "fees", "reports", "rules"] {
            window.taps(&format!("#tab-{tab}")).await;
            let words = if tab == "reports" { "Last 4 weeks" } else { "" };
            window.sees_in("#panel", words).await;
            if tab == "reports" {
                window.taps_named("Next 2 weeks").await;
                window.sees("by instructor").await;
            }
            if tab == "rules" {
                window.sees("Cancelling is free").await;
            }
            keep(&window, &format!("day-{tab}-{device}")).await;
            assert_fits(&window, tab).await;
            again().await;
        }
        assert_eq!(said_wrong(&window).await, Vec::<String>::new());
        window.closes().await;
    }
}

/// What the pages complained about; a refused check-in and the like are answers, not complaints.
async fn said_wrong(window: &Window) -> Vec<String> {
    let lines: Vec<Value> = window.said().await.lines().map(Value::from).collect();
    lines
        .iter()
        .filter_map(Value::as_str)
        .filter(|line| !line.contains("Failed to load resource"))
        .map(str::to_owned)
        .collect()
}
