//! A member at `/book`: the last spot, the queue that moves by itself, offers, and what giving up costs.

use serde_json::json;

use crate::browser::Window;
use crate::gym::{Gym, eventually};
use crate::support::api::Named;

fn card(class: &impl Named, rest: &str) -> String {
    format!(".week [data-class=\"{}\"] {rest}", class.id())
}

#[tokio::test]
async fn the_last_spot_is_booked_and_given_up_and_the_one_who_waits_sees_it_become_theirs() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    let class = gym.class_in(8 * 60, json!({ "capacity": 1 })).await;
    let (anns, bens) = (Window::phone().await, Window::phone().await);
    gym.opens(&anns, "/book", &ann).await;
    gym.opens(&bens, "/book", &ben).await;
    anns.sees_in(&card(&class, ""), "1 of 1 free").await;
    bens.sees_in(&card(&class, ""), "1 of 1 free").await;
    assert!(!anns.address().await.contains("token"), "the token is taken out of the address at once");

    anns.taps(&card(&class, "[data-action=book]")).await;
    anns.sees_in(&card(&class, ""), "You have a spot").await;
    anns.sees_in(&card(&class, ""), "Free to cancel until").await;
    bens.sees_in(&card(&class, ""), "You would be number 1").await;
    bens.taps(&card(&class, "[data-action=queue]")).await;
    bens.sees_in(&card(&class, ""), "You are number 1").await;

    anns.taps(&card(&class, "[data-action=cancel]")).await;
    anns.sees_in("dialog", "Free of charge").await;
    anns.taps("dialog .danger").await;
    bens.sees_in("#notes", "You moved up: Yoga").await;
    bens.sees_in(&card(&class, ""), "You have a spot").await;
    anns.sees_in(&card(&class, ""), "Full").await;
}

#[tokio::test]
async fn an_offer_shows_the_time_left_and_is_accepted_with_one_tap() {
    let gym = Gym::on("pulsn-dk", json!({ "waitlist": { "mode": "offer", "quiet": null } })).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    let class = gym.class_in(8 * 60, json!({ "capacity": 1 })).await;
    let held = ann.books(&class).await;
    ben.queues_for(&class).await;
    let window = Window::phone().await;
    gym.opens(&window, "/book", &ben).await;
    window.sees_in(&card(&class, ""), "You are number 1").await;
    ann.cancels(&held).await;
    window.sees_in(&card(&class, ""), "A spot is yours to take").await;
    window.sees_in(&card(&class, "rc-left"), "29:").await;
    window.taps(&card(&class, "[data-action=accept]")).await;
    window.sees_in(&card(&class, ""), "You have a spot").await;
    let roster = gym.org.desk().roster(&class).await;
    assert_eq!(roster.body["bookings"][0]["status"], "booked");
}

#[tokio::test]
async fn a_spot_that_goes_to_whoever_is_first_is_taken_from_the_waitlist_with_one_tap() {
    let gym = Gym::on("pulsn-dk", json!({ "waitlist": { "then": "first_come" } })).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    // The waitlist has stopped moving; the desk alone still puts somebody on it.
    let class = gym.class_in(100, json!({ "capacity": 1 })).await;
    let held = ann.books(&class).await;
    gym.org.desk().books_for(&ben, &class).becoming("waitlisted").await;
    let window = Window::phone().await;
    gym.opens(&window, "/book", &ben).await;
    window.sees_in(&card(&class, ""), "The waitlist has stopped moving").await;
    ann.cancels(&held).await;
    window.sees_in(&card(&class, ""), "First come, first served").await;
    window.taps(&card(&class, "[data-action=take]")).await;
    window.sees_in(&card(&class, ""), "You have a spot").await;
    assert_eq!(ben.sees(&class).await.body["me"]["status"], "booked");
}

#[tokio::test]
async fn a_late_cancel_shows_its_price_before_it_costs_anything() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(70, json!({})).await;
    let held = ann.books(&class).await;
    let window = Window::phone().await;
    gym.opens(&window, "/book", &ann).await;
    window.sees_in(&card(&class, ""), "Free cancelling ended").await;
    window.taps(&card(&class, "[data-action=cancel]")).await;
    window.sees_in("dialog .price", "30").await;
    window.sees_in("dialog", "Cancel for DKK").await;
    window.taps_named("Keep it").await;
    assert_eq!(ann.sees_booking(&held).await.body["status"], "booked", "looking at the price costs nothing");
    window.taps(&card(&class, "[data-action=cancel]")).await;
    window.taps("dialog .danger").await;
    window.sees_in("#notes", "cancelled late").await;
    window.taps("#tab-standing").await;
    window.sees_in("#panel", "DKK").await;
    window.taps("#tab-mine").await;
    window.sees_in("#panel", "Cancelled late").await;
}

#[tokio::test]
async fn what_bars_a_member_is_said_where_the_button_would_be() {
    let gym = Gym::on("standard", json!({ "booking": { "daily_limit": 1 } })).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let (first, second) = (gym.class_in(90, json!({})).await, gym.class_in(200, json!({ "title": "Spin" })).await);
    let window = Window::phone().await;
    gym.opens(&window, "/book", &ann).await;
    window.taps(&card(&first, "[data-action=book]")).await;
    window.sees_in(&card(&second, ""), "The daily limit of bookings is reached").await;
    let buttons = window
        .runs("return document.querySelectorAll(arguments[0]).length", vec![json!(card(&second, "button"))])
        .await;
    assert_eq!(buttons, 0, "there is nothing to tap where nothing can be done");
}

#[tokio::test]
async fn a_class_that_the_club_cancels_says_so_by_itself() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(300, json!({})).await;
    ann.books(&class).await;
    let window = Window::phone().await;
    gym.opens(&window, "/book", &ann).await;
    window.sees_in(&card(&class, ""), "You have a spot").await;
    gym.org.desk().cancels_class(&class).await;
    window.sees_in(&card(&class, ""), "Cancelled by the club").await;
    window.sees_in("#notes", "The club has cancelled Yoga").await;
    eventually("the booking has ended", async || ann.get("/v1/bookings?when=upcoming").await.items().is_empty()).await;
}

#[tokio::test]
async fn a_class_that_is_moved_to_another_day_leaves_this_one_by_itself() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let (stays, moves) = (gym.class_in(300, json!({})).await, gym.class_in(360, json!({})).await);
    let window = Window::phone().await;
    gym.opens(&window, "/book", &ann).await;
    window.sees_in(&card(&moves, ""), "Yoga").await;
    let starts = chrono::Utc::now() + chrono::TimeDelta::days(2);
    gym.org.desk().changes(&moves, json!({ "starts_at": starts.format("%Y-%m-%dT%H:%M:00Z").to_string() })).await;
    window.misses(&card(&moves, ""), "Yoga").await;
    window.sees_in(&card(&stays, ""), "Yoga").await;
}
