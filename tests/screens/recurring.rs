//! What recurs and what closes: edits of a series with what they leave alone, and the days on which a club is closed.

use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::browser::Window;
use crate::gym::Gym;

/// A field's new content; leaving the field is what makes it count.
async fn enters(window: &Window, css: &str, text: &str) {
    window.types(css, &format!("{text}\u{e004}")).await;
}

async fn sets(window: &Window, css: &str, value: &str) {
    let script = "const field = document.querySelector(arguments[0]);
        field.value = arguments[1];
        field.dispatchEvent(new Event('change', { bubbles: true }))";
    window.runs(script, vec![json!(css), json!(value)]).await;
}

/// Nothing is wider than the smallest phone; a picture is kept to be looked at.
async fn fits_a_small_phone(window: &Window, what: &str) {
    window.is(320, 640).await;
    let over = "const all = [document.documentElement, ...document.querySelectorAll('dialog')];
        return Math.max(...all.map((one) => one.scrollWidth - one.clientWidth))";
    assert_eq!(window.runs(over, vec![]).await, json!(0), "{what} is wider than 320 pixels");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screens");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{what}-small.png")), window.picture().await).unwrap();
    window.is(1280, 900).await;
}

fn today() -> NaiveDate {
    Utc::now().date_naive()
}

/// Daily at 18:00 from tomorrow on, in a club where it is noon; answers the ids of the first three classes.
async fn daily(gym: &Gym, title: &str) -> [String; 3] {
    let body = json!({
        "id": "s", "club": "main", "title": title, "starts_on": (today() + Days::new(1)).to_string(), "time": "18:00",
        "rrule": "FREQ=DAILY", "minutes": 45, "capacity": 12, "room": "Hall 1",
    });
    let made = gym.org.desk().post("/v1/series", body).answers(201).await;
    let id = |at: usize| made.body["published"][at].as_str().unwrap().to_owned();
    [id(0), id(1), id(2)]
}

#[tokio::test]
async fn an_edit_of_a_series_says_what_stays_and_asks_about_booked_classes() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let desk = gym.org.desk();
    let [first, second, third] = daily(&gym, "Styrketræning for begyndere").await;
    gym.member("ann", "Ann Lund", "+4511111111").await.books(&first).await;
    desk.changes(&second, json!({ "room": "Hall 2", "capacity": 5 })).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &desk).await;
    window.taps("#tab-series").await;
    let edit = async |room: &str| {
        window.taps_named("Change: Styrketræning for begyndere").await;
        enters(&window, "dialog [name=room]", room).await;
        window.taps("dialog .actions .primary").await;
    };
    edit("Hall 3").await;
    window.sees_in("dialog:last-of-type", "1 class has bookings").await;
    window.sees_in("dialog:last-of-type .kept", "room").await;
    let kept = window.words_in("dialog:last-of-type .kept").await;
    assert!(!kept.contains("spots"), "only what the edit would change: {kept}");
    fits_a_small_phone(&window, "series-reach").await;
    // Booked classes are left alone unless somebody says otherwise.
    window.taps("dialog:last-of-type .actions .primary").await;
    window.sees_in("#notes", "left as they are: 1").await;
    let rooms = async || {
        let mut rooms = Vec::new();
        for id in [&first, &second, &third] {
            rooms.push(desk.sees(id).await.body["room"].as_str().unwrap().to_owned());
        }
        rooms.join(", ")
    };
    assert_eq!(rooms().await, "Hall 1, Hall 2, Hall 3");
    edit("Hall 4").await;
    window.taps("dialog:last-of-type [name=reach][value=all]").await;
    window.taps("dialog:last-of-type .actions .primary").await;
    window.finds("no dialog left", "return document.querySelector('dialog') === null").await;
    assert_eq!(rooms().await, "Hall 4, Hall 2, Hall 4");
    assert_eq!(desk.sees(&second).await.body["capacity"], 5);
}

#[tokio::test]
async fn a_class_of_a_series_is_changed_alone_or_with_all_of_them() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let desk = gym.org.desk();
    let [first, second, _] = daily(&gym, "Spin").await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &desk).await;
    window.taps_named("Day after").await;
    let opens = async || {
        window.taps(&format!("[data-class=\"{first}\"]")).await;
        window.taps("dialog [data-action=change]").await;
        window.sees_in("dialog:last-of-type h2", "which days").await;
    };
    opens().await;
    fits_a_small_phone(&window, "series-which").await;
    window.taps_named("Only this day").await;
    enters(&window, "dialog:last-of-type [name=capacity]", "7").await;
    window.taps("dialog:last-of-type .actions .primary").await;
    window.sees_in("dialog", "0 of 7 booked").await;
    assert_eq!(desk.sees(&second).await.body["capacity"], 12);
    window.taps("dialog [data-action=change]").await;
    window.taps_named("The whole series").await;
    window.sees_in("dialog:last-of-type h2", "Change Spin").await;
    enters(&window, "dialog:last-of-type [name=title]", "Spin 2").await;
    window.taps("dialog:last-of-type .actions .primary").await;
    window.sees_in("dialog .notes", "changed:").await;
    let found = [desk.sees(&first).await.body, desk.sees(&second).await.body];
    let shown: Vec<(&Value, &Value)> = found.iter().map(|class| (&class["title"], &class["capacity"])).collect();
    assert_eq!(shown, [(&json!("Spin 2"), &json!(7)), (&json!("Spin 2"), &json!(12))]);
}

#[tokio::test]
async fn a_club_is_closed_and_opened_again_and_members_see_why() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let desk = gym.org.desk();
    let [first, second, _] = daily(&gym, "Spin").await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    ann.books(&first).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &desk).await;
    window.taps("#tab-closures").await;
    window.sees_in("#panel", "No closing days in").await;
    window.taps_named("New closing days").await;
    let (from, to) = ((today() + Days::new(1)).to_string(), (today() + Days::new(2)).to_string());
    sets(&window, "dialog [name=from]", &from).await;
    sets(&window, "dialog [name=to]", &to).await;
    enters(&window, "dialog [name=reason]", "The boiler is replaced").await;
    fits_a_small_phone(&window, "closures-new").await;
    window.taps("dialog .actions .primary").await;
    window.sees_in("dialog:last-of-type", "2 classes are cancelled.").await;
    window.sees_in("dialog:last-of-type", "1 booking ends").await;
    fits_a_small_phone(&window, "closures-sure").await;
    window.taps("dialog:last-of-type .danger").await;
    window.sees_in(".sessions", "The boiler is replaced").await;
    window.finds("marked days", "return document.querySelectorAll('.months [data-closed=true]').length > 0").await;
    fits_a_small_phone(&window, "closures").await;
    for id in [&first, &second] {
        assert_eq!(desk.sees(id).await.body["status"], "cancelled");
    }
    let phone = Window::phone().await;
    gym.opens(&phone, "/book", &ann).await;
    phone.sees("All instructors").await;
    phone.taps(".day:nth-child(3)").await;
    phone.sees_in(".closed", "The club is closed: The boiler is replaced").await;
    fits_a_small_phone(&phone, "book-closed").await;
    window.taps(".sessions [data-closure] button").await;
    window.taps("dialog .actions .primary").await;
    window.sees_in("#panel", "No closing days in").await;
    assert!(desk.get("/v1/clubs/main/closures").await.items().is_empty());
}
