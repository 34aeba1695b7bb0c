//! A kiosk with a scanner, which is a fast keyboard: nobody taps the field first, and nothing of one entry is left for
//! the next.

use serde_json::{Value, json};

use crate::browser::{Window, key};
use crate::gym::{Gym, eventually};
use crate::support::api::Reply;

const TAB: &str = "\u{e004}";
const BACK: &str = "\u{e003}";

struct Kiosk {
    gym: Gym,
    window: Window,
    class: Reply,
}

impl Kiosk {
    /// Members with cards `q0-card` to `q4-card` and phones, all booked in a class that is about to begin.
    async fn new() -> Kiosk {
        Kiosk::with("").await
    }

    async fn with(script: &str) -> Kiosk {
        let gym = Gym::on("pulsn-dk", json!({})).await;
        let class = gym.class_in(20, json!({})).await;
        for n in 0..5 {
            let member = gym.member(&format!("q{n}-card"), &format!("Name{n} Lund"), &format!("+452000000{n}")).await;
            member.books(&class).await;
        }
        let window = Window::open((820, 1180), "en-GB").await;
        window.begins_with(script).await;
        gym.opens(&window, "/desk", &gym.org.kiosk()).await;
        window.sees("Your phone number").await;
        Kiosk { gym, window, class }
    }

    /// Keys as a scanner sends them, five milliseconds apart, wherever the focus is. The browser is told when each was
    /// pressed, so a busy machine makes no slow scanner of it.
    async fn scans(&self, keys: &str) {
        let begun = chrono::Utc::now().timestamp_millis() as f64 / 1000.0;
        for (at, pressed) in keys.chars().enumerate() {
            let text = pressed.to_string();
            let (key, text, code) = match text.as_str() {
                key::ENTER => ("Enter", "\r", 13),
                TAB => ("Tab", "", 9),
                letter => (letter, letter, u32::from(pressed.to_ascii_uppercase())),
            };
            let when = begun + 0.005 * at as f64;
            for kind in [if text.is_empty() { "rawKeyDown" } else { "keyDown" }, "keyUp"] {
                let mut event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code, "timestamp": when });
                if kind == "keyDown" {
                    event["text"] = json!(text);
                }
                self.window.devtools("Input.dispatchKeyEvent", event).await;
            }
        }
    }

    async fn field(&self) -> String {
        self.window.runs("return document.getElementById('who').value", vec![]).await.as_str().unwrap().to_owned()
    }

    async fn has(&self, text: &str) {
        self.window.comes_to(&format!("document.getElementById('who').value === {text:?}")).await;
    }

    async fn welcomes(&self, name: &str) {
        self.window.sees_in(".result", &format!("Welcome, {name}!")).await;
    }

    /// How many have come.
    async fn here(&self) -> usize {
        let roster = self.gym.org.desk().roster(&self.class).await;
        let came = |entry: &&Value| entry["status"] == "checked_in";
        roster.body["bookings"].as_array().unwrap().iter().filter(came).count()
    }
}

#[tokio::test]
async fn a_refused_entry_is_replaced_by_the_next_however_that_comes() {
    let kiosk = Kiosk::new().await;
    let window = &kiosk.window;
    // In the field, by a keyboard.
    window.types("#who", &format!("99990000{}", key::ENTER)).await;
    window.sees_in(".result", "No member has this number").await;
    kiosk.has("99990000").await;
    window.presses("q0-card").await;
    kiosk.has("q0-card").await;
    window.presses(key::ENTER).await;
    kiosk.welcomes("Name0").await;
    // By the keypad, after one that was scanned.
    kiosk.scans(&format!("99990001{}", key::ENTER)).await;
    window.sees_in(".result", "No member has this number").await;
    for digit in ["+", "4", "5", "2", "0", "0", "0", "0", "0", "0", "1"] {
        window.taps_named(digit).await;
    }
    kiosk.has("+4520000001").await;
    window.taps(".huge").await;
    kiosk.welcomes("Name1").await;
    // By a scanner, with the focus in the field and without it.
    for (n, blur) in [(2, "document.getElementById('who').focus()"), (3, "document.activeElement.blur()")] {
        kiosk.scans(&format!("99990002{}", key::ENTER)).await;
        window.sees_in(".result", "No member has this number").await;
        window.runs(blur, vec![]).await;
        kiosk.scans(&format!("q{n}-card{}", key::ENTER)).await;
        kiosk.welcomes(&format!("Name{n}")).await;
    }
    assert_eq!(kiosk.here().await, 4);
}

#[tokio::test]
async fn one_wrong_digit_can_be_taken_back_and_mended() {
    let kiosk = Kiosk::new().await;
    let window = &kiosk.window;
    window.types("#who", &format!("+4520000009{}", key::ENTER)).await;
    window.sees_in(".result", "No member has this number").await;
    window.presses(BACK).await;
    kiosk.has("+452000000").await;
    window.presses(&format!("4{}", key::ENTER)).await;
    kiosk.welcomes("Name4").await;
    window.types("#who", &format!("+4520000008{}", key::ENTER)).await;
    window.sees_in(".result", "No member has this number").await;
    window.taps_named("Delete last digit").await;
    window.taps_named("3").await;
    kiosk.has("+4520000003").await;
}

#[tokio::test]
async fn what_a_scanner_sends_before_and_after_a_number_is_no_part_of_it() {
    let kiosk = Kiosk::new().await;
    let e = key::ENTER;
    for (n, scanned) in [
        format!("q0-card{e}"),
        format!("{e}q1-card{e}"),
        format!("{TAB}q2-card{e}"),
        format!("+4520000003{e}{e}"),
        format!("+4520000004{TAB}"),
        // Again, all of them here already; the other habits.
        format!("{e}{e}q0-card{e}{e}"),
        format!("q1-card{e}{TAB}"),
        format!("{TAB}{TAB}q2-card{TAB}"),
        format!(" q3-card {e}"),
        format!("{e}+4520000004{TAB}{e}"),
    ]
    .into_iter()
    .enumerate()
    {
        kiosk.scans(&scanned).await;
        kiosk.welcomes(&format!("Name{}", n % 5)).await;
        assert_eq!(kiosk.field().await, "", "after {scanned:?}");
    }
    assert_eq!(kiosk.here().await, 5);
}

#[tokio::test]
async fn keys_land_in_the_field_after_a_tapped_digit_too() {
    let kiosk = Kiosk::new().await;
    kiosk.window.taps_named("+").await;
    kiosk.scans(&format!("4520000000{}", key::ENTER)).await;
    kiosk.welcomes("Name0").await;
    assert_eq!(kiosk.field().await, "", "Enter pressed the tapped key again");
}

/// Calls that check in wait until they are let go.
const HELD: &str = "
    const ask = window.fetch;
    window.held = [];
    window.fetch = async (url, options) => {
        if (url.includes('/v1/check-ins') && window.held) await new Promise((go) => window.held.push(go));
        return ask(url, options);
    };
    window.letGo = () => { const all = window.held; window.held = null; all.forEach((go) => go()); };";

#[tokio::test]
async fn two_scans_in_quick_succession_are_two_check_ins() {
    let kiosk = Kiosk::with(HELD).await;
    let e = key::ENTER;
    kiosk.scans(&format!("q0-card{e}q1-card{e}99990000{e}q2-card{e}")).await;
    assert_eq!((kiosk.field().await.as_str(), kiosk.here().await), ("", 0), "the first is under way");
    kiosk.window.runs("window.letGo()", vec![]).await;
    eventually("all three have come", async || kiosk.here().await == 3).await;
    // What came of the last three is seen, the newest first.
    kiosk.welcomes("Name2").await;
    let heads = "return [...document.querySelectorAll('.result strong')].map((one) => one.innerText)";
    let seen = kiosk.window.runs(heads, vec![]).await;
    assert_eq!(seen, json!(["Welcome, Name2!", "That did not work", "Welcome, Name1!"]));
    assert_eq!(kiosk.field().await, "");
}

#[tokio::test]
async fn whoever_walks_through_the_page_by_keyboard_presses_what_has_the_focus() {
    let kiosk = Kiosk::new().await;
    let window = &kiosk.window;
    for (digit, shown) in [("7", "7"), ("3", "73")] {
        let keyed =
            format!("[...document.querySelectorAll('.key')].find((one) => one.innerText === {digit:?}).focus()");
        window.runs(&keyed, vec![]).await;
        window.presses(key::ENTER).await;
        kiosk.has(shown).await;
    }
}
