//! A picture of every screen at phone and desktop width into `target/screens/`, of one of the demonstration's chains,
//! to be looked at; and that no screen is wider than its window.

use std::path::Path;

use serde_json::{Value, json};

use crate::browser::{DESKTOP, PHONE, Window};
use crate::support::api::{World, token};

/// Widths that nothing may be wider than.
const WIDTHS: [u32; 4] = [360, 390, 768, 1600];

/// The demonstration's second chain, with a class that check-in is open for, whatever the hour.
struct Show {
    world: World,
    roster: Value,
}

const ORG: &str = "pulsn-dk";

impl Show {
    async fn new() -> Show {
        let world = World::under(|_| {});
        rollcall::demo::fill(&world.services()[0].store).await.unwrap();
        let desk = world.caller(ORG, "desk", "staff");
        let starts = soon_today().format("%Y-%m-%dT%H:%M:00Z").to_string();
        let body = json!({
            "id": "now", "club": "aarhus", "title": "Evening Flow", "category": "yoga", "room": "Hall 1", "minutes": 60,
            "instructor": { "id": "i-eva", "name": "Eva Lind" }, "starts_at": starts, "capacity": 6,
            "policy": { "booking": { "allow_overlap": true } },
        });
        desk.post("/v1/classes", body).answers(201).await;
        for n in [2, 3, 4, 5, 11, 12, 13, 14] {
            desk.post("/v1/classes/now/bookings", json!({ "member": format!("m-{n:03}") })).send().await;
        }
        let roster = desk.get("/v1/classes/now/roster").await.body;
        for entry in roster["bookings"].as_array().unwrap().iter().take(2) {
            desk.act(&format!("/v1/bookings/{}/check-in", entry["id"].as_str().unwrap())).await;
        }
        Show { world, roster }
    }

    async fn opens(&self, window: &Window, path: &str, role: &str, sub: &str) {
        let url = self.world.services()[0].url();
        window.goes_to(&format!("{url}{path}#token={}", token(sub, role, Some(ORG)))).await;
    }
}

/// In 25 minutes, or so late as it is still today where the chain is.
fn soon_today() -> chrono::DateTime<chrono::Utc> {
    use chrono::Timelike;
    let here = chrono::Utc::now().with_timezone(&chrono_tz::Europe::Copenhagen);
    let left = i64::from(24 * 60 - 1 - (here.hour() * 60 + here.minute()));
    chrono::Utc::now() + chrono::TimeDelta::minutes(left.clamp(1, 25))
}

/// A window of one device.
struct Device {
    window: Window,
    name: &'static str,
    size: (u32, u32),
}

impl Device {
    async fn keep(&self, what: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screens");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{what}-{}.png", self.name)), self.window.picture().await).unwrap();
    }

    /// Keeps a picture, and tries every width.
    async fn keep_and_fit(&self, what: &str) {
        self.keep(what).await;
        for width in WIDTHS {
            self.window.is(width, 800).await;
            let over = "const all = [document.documentElement, ...document.querySelectorAll('dialog')];
                return Math.max(...all.map((one) => one.scrollWidth - one.clientWidth))";
            assert_eq!(self.window.runs(over, vec![]).await, 0, "{what} is wider than {width} pixels");
        }
        self.window.is(self.size.0, self.size.1).await;
    }
}

#[tokio::test]
async fn every_screen_is_drawn_and_fits() {
    let show = Show::new().await;
    for (name, size) in [("phone", PHONE), ("desktop", DESKTOP)] {
        let device = Device { window: Window::open(size, "en-GB").await, name, size };
        the_member(&show, &device).await;
        the_door(&show, &device).await;
        the_staff(&show, &device).await;
        assert_eq!(said_wrong(&device.window).await, Vec::<String>::new());
    }
}

async fn the_member(show: &Show, device: &Device) {
    let window = &device.window;
    show.opens(window, "/book", "member", "m-001").await;
    window.sees("All instructors").await;
    window.taps(".day:nth-child(2)").await;
    window.sees_in(".week .classes", ":").await;
    device.keep_and_fit("book").await;
    window.taps(".day:nth-child(4)").await;
    window.sees_in(".week .classes", ":").await;
    device.keep("book-week").await;
    window.taps("#tab-mine").await;
    window.sees("Coming up").await;
    device.keep_and_fit("book-mine").await;
    window.taps("#panel [data-action]").await;
    window.sees_in("dialog", "Free of charge").await;
    device.keep_and_fit("book-cancel").await;
    window.taps_named("Keep it").await;
    window.taps("#tab-standing").await;
    window.sees("Membership").await;
    device.keep("book-standing").await;
    window.appears("dark").await;
    window.taps("#tab-classes").await;
    window.sees_in(".week .classes", ":").await;
    device.keep("book-dark").await;
    window.appears("light").await;
}

async fn the_door(show: &Show, device: &Device) {
    let window = &device.window;
    show.opens(window, "/roster", "instructor", "i-eva").await;
    chooses(window, "Evening Flow").await;
    device.keep_and_fit("roster").await;
    show.opens(window, "/desk", "staff", "desk").await;
    chooses(window, "Evening Flow").await;
    window.types("#who", show.roster["bookings"][3]["member"].as_str().unwrap()).await;
    window.taps("form.arrive .primary").await;
    window.sees_in(".result", "Welcome").await;
    device.keep_and_fit("desk").await;
    window.taps(".names .open").await;
    window.sees_in("dialog", "Earlier").await;
    device.keep_and_fit("desk-member").await;
    show.opens(window, "/desk?kiosk", "kiosk", "kiosk-1").await;
    window.sees("Which club is this screen in?").await;
    device.keep_and_fit("kiosk-club").await;
    window.taps(".kiosk .huge").await;
    window.sees("Your phone number").await;
    device.keep_and_fit("kiosk").await;
}

async fn the_staff(show: &Show, device: &Device) {
    let window = &device.window;
    show.opens(window, "/", "admin", "manager").await;
    window.sees_in(".sessions", "Evening Flow").await;
    window.taps_named("Day after").await;
    window.sees_in(".sessions", "Vinyasa Yoga").await;
    device.keep_and_fit("day").await;
    window.taps(".sessions li:first-child button").await;
    window.sees_in("dialog", "What happened").await;
    device.keep_and_fit("day-class").await;
    window.taps_named("Close").await;
    window.taps_named("New class").await;
    window.taps("dialog .own-rules summary").await;
    window.sees_in("dialog", "The waitlist moves up until").await;
    device.keep_and_fit("day-publish").await;
    window.taps_named("Close").await;
    window.taps("#tab-members").await;
    window.taps_named("New member").await;
    window.taps_named("Freeze days").await;
    device.keep_and_fit("day-member").await;
    window.taps_named("Close").await;
    for (tab, words) in [
        ("series", "No series"),
        ("closures", "No closing days"),
        ("members", "Find a member"),
        ("fees", "No fees"),
        ("rules", "Cancelling is free"),
    ] {
        window.taps(&format!("#tab-{tab}")).await;
        window.sees_in("#panel", words).await;
        device.keep_and_fit(&format!("day-{tab}")).await;
    }
    window.taps("#tab-reports").await;
    window.taps_named("Next 2 weeks").await;
    window.sees_in("#panel", "by instructor").await;
    device.keep_and_fit("day-reports").await;
}

/// Opens the roll of one of the day's classes. A screen begins with the class that is on now, and on some days and hours
/// that is one of the demonstration's own.
async fn chooses(window: &Window, title: &str) {
    let tap = format!(
        "const found = [...document.querySelectorAll('.pick')].find((one) => one.innerText.includes({title:?}));
        found?.click();
        return found !== undefined"
    );
    window.finds(&format!("{title} among the day's classes"), &tap).await;
    window.sees_in(".roll", title).await;
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
