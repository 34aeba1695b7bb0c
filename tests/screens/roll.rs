//! The instructor at `/roster`, and what the desk sees of it.

use serde_json::json;

use crate::browser::Window;
use crate::gym::Gym;
use crate::support::api::Named;

fn row(booking: &impl Named, rest: &str) -> String {
    format!("[data-booking=\"{}\"] {rest}", booking.id())
}

#[tokio::test]
async fn a_tap_at_the_roster_is_seen_at_the_desk_and_taken_back() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    let class = gym.class_in(20, json!({ "capacity": 1 })).await;
    let (held, waits) = (ann.books(&class).await, gym.org.desk().books_for(&ben, &class).becoming("waitlisted").await);
    let (evas, desks) = (Window::desktop().await, Window::desktop().await);
    gym.opens(&evas, "/roster", &gym.org.instructor("eva")).await;
    gym.opens(&desks, "/desk", &gym.org.desk()).await;
    desks.sees_in(&row(&held, ""), "Ann Lund").await;
    evas.taps(&row(&held, "[data-action=check-in]")).await;
    evas.sees_in(&row(&held, ""), "Here").await;
    evas.sees_in(&row(&held, ""), "First time").await;
    desks.sees_in(&row(&held, ""), "Here").await;
    desks.sees_in(".pick", "1 of 1 here").await;
    evas.taps(&row(&waits, "[data-action=check-in]")).await;
    desks.sees_in(&row(&waits, ""), "on stand-by").await;
    evas.taps(&row(&held, "[data-action=undo-check-in]")).await;
    desks.misses(&row(&held, ""), "Here").await;
}

#[tokio::test]
async fn a_substituted_instructor_loses_the_roll_at_once_and_the_other_has_it() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(20, json!({})).await;
    ann.books(&class).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/roster", &gym.org.instructor("eva")).await;
    window.sees_in(".roll", "Ann Lund").await;
    let other = Window::desktop().await;
    gym.opens(&other, "/roster", &gym.org.instructor("ruta")).await;
    other.sees("No classes here on this day").await;
    gym.org.desk().changes(&class, json!({ "instructor": { "id": "ruta", "name": "Rūta" } })).await;
    window.sees_in(".detail", "another instructor").await;
    other.sees_in(".picks", "Yoga").await;
}

#[tokio::test]
async fn a_long_roll_is_narrowed_to_a_name() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let class = gym.class_in(20, json!({ "capacity": 20 })).await;
    for n in 0..15 {
        let member = gym.member(&format!("m-{n}"), &format!("Ann {n} Lund"), &format!("+45111111{n:02}")).await;
        member.books(&class).await;
    }
    let soren = gym.member("soren", "Søren Åkjær", "+4522222222").await;
    let held = soren.books(&class).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/roster", &gym.org.instructor("eva")).await;
    window.sees_in(".names", "Ann 7 Lund").await;
    window.types("#sift", "akj").await;
    window.misses(".names", "Lund").await;
    window.taps(&row(&held, "[data-action=check-in]")).await;
    window.sees_in(".roll", "1 of 16 here").await;
    window.types("#sift", "ann 7").await;
    window.sees_in(".names", "Ann 7 Lund").await;
    window.misses(".names", "Søren").await;
}
