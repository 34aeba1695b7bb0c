//! With a keyboard and by ear: arrow keys, the focus around dialogs, what is read out, and no motion where none is wanted.

use serde_json::{Value, json};

use crate::browser::{Window, key};
use crate::gym::Gym;
use crate::support::api::Named;

const CHOSEN: &str = "[tabindex=\"0\"]";

#[tokio::test]
async fn arrow_keys_walk_through_days_clubs_and_tabs() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    gym.org.desk().put("/v1/clubs/north", json!({ "name": "North" })).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    gym.class_in(60, json!({})).await;
    let window = Window::phone().await;
    gym.opens(&window, "/book", &ann).await;
    window.sees_in(".week", "Yoga").await;
    window.focuses(&format!(".day{CHOSEN}")).await;
    window.presses(key::RIGHT).await;
    window.has_focus_on(".day:nth-child(2)").await;
    window.has_focus_on(".day[aria-checked=true]").await;
    window.sees_in(".week", "No classes on this day").await;
    window.presses(key::LEFT).await;
    window.has_focus_on(".day:nth-child(1)").await;
    window.sees_in(".week", "Yoga").await;
    window.focuses(&format!(".chip{CHOSEN}")).await;
    window.presses(key::RIGHT).await;
    window.has_focus_on(".chip[aria-checked=true]").await;
    window.sees_in(".chip[aria-checked=true]", "North").await;
    window.focuses("#tab-classes").await;
    window.presses(key::LEFT).await;
    window.has_focus_on("#tab-standing").await;
    window.sees_in("#panel", "Membership").await;
    let stops = "return document.querySelectorAll('[role=tab][tabindex=\"0\"]').length";
    assert_eq!(window.runs(stops, vec![]).await, json!(1), "one stop for the tab key");

    gym.opens(&window, "/", &gym.org.desk()).await;
    window.focuses("#tab-classes").await;
    window.presses(key::RIGHT).await;
    window.has_focus_on("#tab-series").await;
    window.sees_in("#panel", "New series").await;
}

#[tokio::test]
async fn a_dialog_takes_the_focus_and_gives_it_back() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(8 * 60, json!({})).await;
    let window = Window::phone().await;
    let button = |action: &str| format!(".week [data-class=\"{}\"] [data-action={action}]", class.id());
    gym.opens(&window, "/book", &ann).await;
    window.focuses(&button("book")).await;
    window.presses(key::ENTER).await;
    window.has_focus_on(&button("cancel")).await;
    let within = "return document.activeElement.closest('dialog') !== null";
    for _ in 0..2 {
        window.presses(key::ENTER).await;
        window.sees_in("dialog", "Free of charge").await;
        window.finds("the focus in the dialog", within).await;
        window.presses(key::ESCAPE).await;
        window.has_focus_on(&button("cancel")).await;
    }
    window.presses(key::ENTER).await;
    window.focuses("dialog .danger").await;
    window.presses(key::ENTER).await;
    window.has_focus_on(&button("book")).await;
}

#[tokio::test]
async fn what_happens_is_read_out_where_the_reader_is() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(70, json!({})).await;
    ann.books(&class).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/book", &ann).await;
    window.sees_in(".week", "You have a spot").await;
    // A region that is there before its words is the only kind that is read out.
    let regions = "return [...document.querySelectorAll('#notes, .banner')].map((one) => [one.role, one.innerText])";
    assert_eq!(window.runs(regions, vec![]).await, json!([["status", ""], ["status", ""]]));
    gym.org.desk().cancels_class(&class).await;
    window.sees_in("#notes[role=status][aria-live=polite]", "The club has cancelled Yoga").await;

    let later = gym.class_in(75, json!({ "title": "Spin" })).await;
    ann.books(&later).await;
    gym.opens(&window, "/desk", &gym.org.desk()).await;
    window.types("#find", "ann").await;
    window.taps_named("Open: Ann Lund").await;
    window.taps_named("Cancel: Spin").await;
    window.types("dialog:last-of-type #reason", "ill").await;
    window.taps("dialog:last-of-type .danger").await;
    window.sees_in("dialog .notes[role=status]", "Ann Lund: Cancelled").await;
    assert_eq!(window.words_in("#notes").await, "", "what lies under a dialog is not read out");
    window.taps_named("Close").await;
    window.sees_in("#notes", "Ann Lund: Cancelled").await;

    gym.opens(&window, "/desk?kiosk", &gym.org.kiosk()).await;
    window.types("#who", "+4599999999").await;
    window.taps(".huge").await;
    window.sees_in(".result[aria-live=assertive]", "No member has this number").await;
}

#[tokio::test]
async fn nothing_moves_for_those_who_want_it_still() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    gym.class_in(60, json!({})).await;
    let window = Window::phone().await;
    let moving = "const bone = document.createElement('div');
        bone.className = 'bone';
        document.body.append(bone);
        const found = [getComputedStyle(bone).animationName, getComputedStyle(document.querySelector('.bar > div')).transitionDuration];
        bone.remove();
        return found";
    for (wish, found) in [("no-preference", ["breathe", "0.3s"]), ("reduce", ["none", "0s"])] {
        window.prefers("prefers-reduced-motion", wish).await;
        gym.opens(&window, &format!("/book?{wish}"), &ann).await;
        window.sees_in(".week", "Yoga").await;
        assert_eq!(window.runs(moving, vec![]).await, Value::from(found.to_vec()), "{wish}");
    }
}
