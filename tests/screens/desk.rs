//! Reception and kiosk at `/desk`.

use serde_json::json;

use crate::browser::Window;
use crate::gym::Gym;

#[tokio::test]
async fn a_kiosk_checks_in_by_phone_and_shows_no_more_than_a_first_name() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann-77", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(20, json!({})).await;
    ann.books(&class).await;
    let window = Window::open((820, 1180), "en-GB").await;
    gym.opens(&window, "/desk", &gym.org.kiosk()).await;
    for digit in ["+", "4", "5", "1", "1", "1", "1", "1", "1", "1", "1"] {
        window.taps_named(digit).await;
    }
    window.taps(".huge").await;
    window.sees_in(".result", "Welcome, Ann!").await;
    window.sees_in(".result", "Checked in to Yoga").await;
    let shown = window.runs("return document.documentElement.outerHTML", vec![]).await;
    for personal in ["Lund", "ann-77", "@"] {
        assert!(!shown.as_str().unwrap().contains(personal), "{personal:?} is on a kiosk's page");
    }
    let roster = gym.org.desk().roster(&class).await;
    assert_eq!(roster.body["bookings"][0]["status"], "checked_in");

    window.types("#who", "+4599999999").await;
    window.taps(".huge").await;
    window.sees_in(".result", "No member has this number").await;
}

#[tokio::test]
async fn the_desk_lets_in_a_walk_in_finds_a_member_and_waives_a_fee() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    gym.member("ann", "Ann Lund", "+4511111111").await;
    let cleo = gym.member("cleo", "Cleo Moen", "+4533333333").await;
    let class = gym.class_in(20, json!({})).await;
    let late = gym.class_in(70, json!({ "title": "Spin", "policy": { "booking": { "allow_overlap": true } } })).await;
    let held = cleo.books(&late).await;
    cleo.cancels(&held).becoming("late_cancelled").await;
    let window = Window::desktop().await;
    gym.opens(&window, "/desk", &gym.org.desk()).await;
    window.taps_named("Walk-in").await;
    window.types("#find-for", "ann").await;
    window.taps_named("Walk-in: Ann Lund").await;
    window.sees_in(".roll", "Ann Lund").await;
    assert_eq!(gym.org.desk().roster(&class).await.body["bookings"][0]["status"], "checked_in");

    window.types("#who", "cleo").await;
    window.taps_named("Check in").await;
    window.sees_in(".result", "There is no class to check in to now").await;
    window.sees_in(".result", "No bookings ahead").await;

    window.types("#find", "Cleo").await;
    window.taps_named("Open: Cleo Moen").await;
    window.sees_in("dialog", "Cancelled late").await;
    window.sees_in("dialog", "Open fees").await;
    window.taps("dialog [aria-label^=Waive]").await;
    window.types("dialog:last-of-type #reason", "a flat tyre").await;
    window.taps("dialog:last-of-type .primary").await;
    window.sees_in("dialog", "Waived").await;
    assert_eq!(gym.org.desk().standing_of("cleo").await.body["open_fees"]["amount"], 0);
}

#[tokio::test]
async fn a_kiosk_is_told_once_in_which_club_it_stands() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    gym.org.desk().put("/v1/clubs/north", json!({ "name": "North" })).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(20, json!({ "club": "north" })).await;
    ann.books(&class).await;
    let window = Window::open((820, 1180), "en-GB").await;
    gym.opens(&window, "/desk", &gym.org.kiosk()).await;
    window.sees("Which club is this screen in?").await;
    window.taps_named("North").await;
    window.types("#who", "+4511111111").await;
    window.taps(".huge").await;
    window.sees_in(".result", "Welcome, Ann!").await;
    assert!(!window.words_in("main").await.contains("Main"), "whoever stands there cannot move it to another club");
    window.goes_to(&format!("{}/desk?again", gym.url())).await;
    window.sees("Your phone number").await;
    gym.opens(&window, "/desk?signed-in-anew", &gym.org.kiosk()).await;
    window.sees("Which club is this screen in?").await;
}

#[tokio::test]
async fn a_kiosk_asks_which_of_a_family_with_one_phone_it_is() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let class = gym.class_in(20, json!({})).await;
    let mut booked = Vec::new();
    for (id, name) in [("ann-77", "Ann Lund"), ("bob-77", "Bob Lund"), ("cid-77", "Cid Lund")] {
        booked.push(gym.member(id, name, "+4511111111").await.books(&class).await);
    }
    gym.member("eve-77", "Eve Lund", "+4511111111").await;
    let window = Window::open((820, 1180), "en-GB").await;
    gym.opens(&window, "/desk", &gym.org.kiosk()).await;
    let status = async |at: usize| gym.org.desk().sees_booking(&booked[at]).await.body["status"].clone();
    window.types("#who", "+4511111111").await;
    window.taps(".huge").await;
    window.sees_in(".result", "Who is it?").await;
    let names = "return [...document.querySelectorAll('.result button')].map((one) => one.innerText)";
    assert_eq!(window.runs(names, vec![]).await, json!(["Ann", "Bob", "Cid"]), "who has a class now, and nobody else");
    assert_eq!(status(0).await, "booked", "asking checks nobody in");
    window.taps_named("Bob").await;
    window.sees_in(".result", "Welcome, Bob!").await;
    assert_eq!((status(0).await, status(1).await), (json!("booked"), json!("checked_in")));
    let shown = window.runs("return document.documentElement.outerHTML", vec![]).await;
    for personal in ["Lund", "77"] {
        assert!(!shown.as_str().unwrap().contains(personal), "{personal:?} is on a kiosk's page");
    }
    // Another number instead of an answer is another entry.
    window.types("#who", "+4511111111").await;
    window.taps(".huge").await;
    window.sees_in(".result", "Cid").await;
    for digit in ["9", "9", "9", "9", "9"] {
        window.taps_named(digit).await;
    }
    window.misses(".result", "Cid").await;
    window.taps(".huge").await;
    window.sees_in(".result", "No member has this number").await;
    assert_eq!(status(2).await, "booked");
}
