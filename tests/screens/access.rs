//! What a screen reader, a keyboard and weak eyes meet: axe-core finds nothing on any screen, in either appearance.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::browser::{DESKTOP, PHONE, Window};
use crate::gym::Gym;
use crate::support::api::Person;

const AXE: &str = "axe-core@4.10.3";

/// axe-core's one file, fetched once into `target/` and used in tests alone.
fn axe() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/axe");
        let file: PathBuf = folder.join("node_modules/axe-core/axe.min.js");
        if !file.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            let installed = Command::new("npm")
                .args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"])
                // a download that stalls is tried again soon
                .args(["--fetch-timeout=20000", "--fetch-retries=5", "--prefix"])
                .arg(&folder)
                .arg(AXE)
                .output()
                .expect("npm: run scripts/deps, which installs it");
            assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        }
        std::fs::read_to_string(file).unwrap()
    })
}

/// Each thing axe-core has against what is shown, with where.
async fn complaints(window: &Window) -> Vec<String> {
    let settled = "const done = arguments[0]; Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => done(true))";
    window.awaits(settled, vec![]).await;
    window.runs(axe(), vec![]).await;
    let run = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] })
        .then((found) => done(found.violations), (error) => done([{ id: String(error), nodes: [] }]))";
    let found = window.awaits(run, vec![]).await;
    let said = |one: &Value| {
        let nodes = one["nodes"].as_array().into_iter().flatten();
        let places: Vec<String> = nodes.map(|node| format!("  {} {}", node["html"], node["failureSummary"])).collect();
        format!("{}: {}\n{}", one["id"], one["help"], places.join("\n"))
    };
    found.as_array().unwrap().iter().map(said).collect()
}

async fn assert_accessible(window: &Window, what: &str) {
    let found = complaints(window).await;
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// A gym in which every kind of thing is there to be seen.
async fn busy() -> (Gym, Person) {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let soon = gym.class_in(20, json!({ "capacity": 2 })).await;
    let full = gym.class_in(300, json!({ "title": "Spin", "capacity": 1 })).await;
    let late = gym.class_in(85, json!({ "title": "Dance" })).await;
    for (id, name) in [("ben", "Ben Holm"), ("cleo", "Cleo Moen"), ("dan", "Dan Berg")] {
        let member = gym.member(id, name, &format!("+4522222{}", id.len())).await;
        gym.org.desk().books_for(&member, &soon).becoming(if id == "dan" { "waitlisted" } else { "booked" }).await;
    }
    gym.member("eve", "Eve Dahl", "+4544444444").await.books(&full).await;
    ann.queues_for(&full).await;
    let held = ann.books(&late).await;
    ann.cancels(&held).becoming("late_cancelled").await;
    gym.class_in(9 * 24 * 60, json!({ "title": "Later" })).await;
    (gym, ann)
}

#[tokio::test]
async fn the_members_screen_has_no_violation() {
    let (gym, ann) = busy().await;
    let window = Window::open(PHONE, "en-GB").await;
    for scheme in ["light", "dark"] {
        window.appears(scheme).await;
        gym.opens(&window, &format!("/book?{scheme}"), &ann).await;
        window.sees("You are number 1").await;
        assert_accessible(&window, &format!("the timetable, {scheme}")).await;
        window.taps(".week [data-action=leave]").await;
        window.sees_in("dialog", "Free of charge").await;
        assert_accessible(&window, &format!("the price, {scheme}")).await;
        window.taps_named("Keep it").await;
        for (tab, words) in [("mine", "Cancelled late"), ("standing", "Membership")] {
            window.taps(&format!("#tab-{tab}")).await;
            window.sees_in("#panel", words).await;
            assert_accessible(&window, &format!("{tab}, {scheme}")).await;
        }
        window.taps("header .round").await;
        window.sees_in("dialog", "Appearance").await;
        assert_accessible(&window, &format!("the settings, {scheme}")).await;
    }
}

#[tokio::test]
async fn the_screens_at_the_door_have_no_violation() {
    let (gym, _) = busy().await;
    let window = Window::open(DESKTOP, "en-GB").await;
    for scheme in ["light", "dark"] {
        window.appears(scheme).await;
        gym.opens(&window, &format!("/roster?{scheme}"), &gym.org.instructor("eva")).await;
        window.sees_in(".roll", "Ben Holm").await;
        assert_accessible(&window, &format!("the roster, {scheme}")).await;
        gym.opens(&window, &format!("/desk?{scheme}"), &gym.org.desk()).await;
        window.sees_in(".roll", "Ben Holm").await;
        window.types("#who", "nobody").await;
        window.taps("form.arrive .primary").await;
        window.sees_in(".result", "No member has this number").await;
        assert_accessible(&window, &format!("the desk, {scheme}")).await;
        window.types("#find", "ann").await;
        window.taps_named("Open: Ann Lund").await;
        window.sees_in("dialog", "Cancelled late").await;
        assert_accessible(&window, &format!("a member, {scheme}")).await;
        gym.opens(&window, &format!("/desk?kiosk-{scheme}"), &gym.org.kiosk()).await;
        window.sees("Your phone number").await;
        assert_accessible(&window, &format!("the kiosk, {scheme}")).await;
    }
}

#[tokio::test]
async fn the_staffs_screen_has_no_violation() {
    let (gym, _) = busy().await;
    let window = Window::open(DESKTOP, "en-GB").await;
    for scheme in ["light", "dark"] {
        window.appears(scheme).await;
        gym.opens(&window, &format!("/?{scheme}"), &gym.org.admin()).await;
        window.sees_in(".sessions", "Spin").await;
        assert_accessible(&window, &format!("the day, {scheme}")).await;
        window.taps(".sessions li:first-child button").await;
        window.sees_in("dialog", "What happened").await;
        assert_accessible(&window, &format!("a class, {scheme}")).await;
        window.taps_named("Close").await;
        for (tab, words) in
            [("series", "New series"), ("members", "Find a member"), ("fees", "Late cancel"), ("rules", "Waitlist")]
        {
            window.taps(&format!("#tab-{tab}")).await;
            window.sees_in("#panel", words).await;
            assert_accessible(&window, &format!("{tab}, {scheme}")).await;
        }
        window.taps("#tab-reports").await;
        window.taps_named("Next 2 weeks").await;
        window.sees_in("#panel", "How full, by club").await;
        assert_accessible(&window, &format!("reports, {scheme}")).await;
    }
    window.goes_to(&format!("{}/roster", gym.url())).await;
    let stranger = Window::phone().await;
    stranger.goes_to(&format!("{}/book", gym.url())).await;
    stranger.sees("Please sign in").await;
    assert_accessible(&stranger, "the way in").await;
}
