//! The staff's day at `/`: classes, their history in words, and the rules as a form.

use serde_json::json;

use crate::browser::Window;
use crate::gym::Gym;
use crate::support::api::Named;

#[tokio::test]
async fn a_class_is_published_given_more_spots_and_cancelled_and_its_history_says_who_was_passed_over_and_why() {
    let gym = Gym::on("pulsn-dk", json!({ "booking": { "allow_overlap": false } })).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    let full = gym.class_in(8 * 60, json!({ "capacity": 1 })).await;
    let held = ann.books(&full).await;
    ben.queues_for(&full).await;
    // Ben's other class at the same time bars him when his turn comes.
    let other = gym.class_in(8 * 60 + 10, json!({ "title": "Spin" })).await;
    ben.books(&other).await;
    ann.cancels(&held).await;

    let window = Window::desktop().await;
    gym.opens(&window, "/", &gym.org.desk()).await;
    window.taps(&format!("[data-class=\"{}\"]", full.id())).await;
    window.sees_in("dialog", "Ben Holm was passed over").await;
    window.sees_in("dialog", "Why: There is another booking at the same time").await;
    window.taps("dialog [data-action=capacity]").await;
    window.types("dialog:last-of-type [name=capacity]", "12").await;
    window.taps("dialog:last-of-type .primary").await;
    window.sees_in("dialog", "of 12 booked").await;
    window.taps("dialog [data-action=cancel]").await;
    window.types("dialog:last-of-type #reason", "the room is flooded").await;
    window.taps("dialog:last-of-type .danger").await;
    window.sees_in("dialog", "The club cancelled the class").await;
    window.sees_in("dialog", "Reason: the room is flooded").await;
    window.taps_named("Close").await;

    window.taps_named("New class").await;
    window.types("dialog [name=title]", "Aqua Fit").await;
    window.taps("dialog .primary").await;
    window.sees_in(".sessions", "Aqua Fit").await;
}

#[tokio::test]
async fn a_rule_is_read_as_a_sentence_compared_changed_and_saved() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &gym.org.admin()).await;
    window.taps("#tab-rules").await;
    window.sees_in("#panel", "Cancelling is free until 2 hours before the class").await;
    window.sees_in("#panel", "Cancelling is free until 60 minutes before the class").await;
    window.types("[aria-labelledby=rule-waitlist-max] input", "7\u{e004}").await;
    window.sees_in("#panel", "At most 7 can wait for a class").await;
    window.taps_named("Save").await;
    window.sees_in("dialog", "At most 20 can wait for a class").await;
    window.taps_named("Change the rules").await;
    window.sees_in("#notes", "The new rules apply").await;
    assert_eq!(gym.org.admin().get("/v1/org").await.body["policy"]["waitlist"]["max"], 7);
}

#[tokio::test]
async fn the_ledger_and_a_series_are_there_for_staff() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(70, json!({})).await;
    let held = ann.books(&class).await;
    ann.cancels(&held).becoming("late_cancelled").await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &gym.org.desk()).await;
    window.taps("#tab-fees").await;
    window.sees_in("table", "Ann Lund").await;
    let csv = window.runs("return document.querySelector('rc-day').sections.fees.csv()", vec![]).await;
    assert!(csv.as_str().unwrap().contains("\"charged\",\"late_cancel\",\"30.00\",\"DKK\""), "{csv}");
    window.taps("#tab-series").await;
    window.taps_named("New series").await;
    window.types("dialog [name=title]", "Monday Stretch").await;
    window.taps("dialog .primary").await;
    window.sees_in(".sessions", "Monday Stretch").await;
    window.taps("#tab-reports").await;
    window.taps_named("Next 2 weeks").await;
    window.sees_in("#panel", "How full, by club").await;
}
