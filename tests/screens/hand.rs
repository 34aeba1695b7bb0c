//! What the desk does by hand against the rules: excuses, lifted suspensions, cancels at its own price, a roll closed by hand.

use serde_json::{Value, json};

use crate::browser::Window;
use crate::gym::Gym;
use crate::support::api::{Named, Person};

/// One late cancel suspends booking.
async fn strict() -> (Gym, Person) {
    let gym = Gym::on(
        "pulsn-dk",
        json!({
            "cancel": { "late_is_strike": true }, "attendance": { "strikes": 1 },
            "booking": { "allow_overlap": true, "daily_limit": null },
        }),
    )
    .await;
    let cleo = gym.member("cleo", "Cleo Moen", "+4533333333").await;
    (gym, cleo)
}

async fn opens_member(gym: &Gym, window: &Window, name: &str) {
    gym.opens(window, "/desk", &gym.org.desk()).await;
    window.types("#find", name).await;
    window.taps_named(&format!("Open: {name}")).await;
}

#[tokio::test]
async fn a_suspension_is_lifted_and_a_late_cancel_excused() {
    let (gym, cleo) = strict().await;
    let class = gym.class_in(70, json!({ "title": "Spin" })).await;
    let held = cleo.books(&class).await;
    cleo.cancels(&held).becoming("late_cancelled").await;
    let window = Window::desktop().await;
    opens_member(&gym, &window, "Cleo Moen").await;
    window.sees_in("dialog", "Booking is suspended until").await;
    window.taps_named("Lift suspension").await;
    window.types("dialog:last-of-type #reason", "a doctor's note").await;
    window.taps("dialog:last-of-type .primary").await;
    window.sees_in("dialog", "May book").await;
    assert_eq!(cleo.standing().await.body["banned_until"], Value::Null);
    window.sees_in("dialog", "1 missed class").await;
    window.taps_named("Excuse: Spin").await;
    window.types("dialog:last-of-type #reason", "the doctor came by").await;
    window.taps("dialog:last-of-type .primary").await;
    window.sees_in("dialog", "Waived").await;
    window.misses("dialog", "1 missed class").await;
    let standing = cleo.standing().await.body;
    assert_eq!((&standing["open_fees"]["amount"], &standing["strikes"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn the_desk_cancels_by_the_rules_for_nothing_or_as_late() {
    let (gym, cleo) = strict().await;
    let refuses = json!({ "cancel": { "late": "refused" } });
    let mut held = Vec::new();
    for (title, own) in [("Spin", json!({})), ("Yoga", json!({})), ("Dance", refuses)] {
        let class = gym.class_in(70, json!({ "title": title, "policy": own })).await;
        held.push(cleo.books(&class).await);
    }
    let window = Window::desktop().await;
    opens_member(&gym, &window, "Cleo Moen").await;
    for (title, how) in [("Spin", "rules"), ("Yoga", "free"), ("Dance", "charge")] {
        window.taps_named(&format!("Cancel: {title}")).await;
        window.sees_in("dialog:last-of-type", "As a late cancel").await;
        let by_the_rules = window.words_in("dialog:last-of-type fieldset").await.contains("By the rules: DKK");
        assert_eq!(by_the_rules, title != "Dance", "{title}: the rules' price is shown where they have one");
        window.taps(&format!("dialog:last-of-type input[value={how}]")).await;
        window.types("dialog:last-of-type #reason", "called in ill").await;
        window.taps("dialog:last-of-type .danger").await;
        window.finds("one dialog left", "return document.querySelectorAll('dialog').length === 1").await;
    }
    let mut found = Vec::new();
    for booking in &held {
        let body = cleo.sees_booking(booking).await.body;
        found.push((body["status"].clone(), body["fee"]["amount"].clone()));
    }
    let late = (json!("late_cancelled"), json!(3000));
    assert_eq!(found, [late.clone(), (json!("cancelled"), Value::Null), late]);
}

#[tokio::test]
async fn a_roll_that_nobody_took_is_closed_by_hand() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(20, json!({ "minutes": 30 })).await;
    let held = ann.books(&class).await;
    gym.clock_goes(55).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &gym.org.desk()).await;
    window.sees_in(".sessions", "Nobody checked in").await;
    window.taps(&format!("[data-class=\"{}\"]", class.id())).await;
    window.sees_in("dialog", "Nobody took the roll").await;
    window.taps("dialog [data-action=close]").await;
    window.types("dialog:last-of-type #reason", "the tablet was broken").await;
    window.taps("dialog:last-of-type input[name=penalties]").await;
    window.taps("dialog:last-of-type .danger").await;
    window.sees_in("dialog .history", "Ann Lund did not come").await;
    window.sees_in("dialog .history", "Ann Lund was charged").await;
    assert_eq!(ann.sees_booking(&held).await.body["status"], "no_show");
    let again = "return document.querySelectorAll('dialog [data-action=close]').length";
    assert_eq!(window.runs(again, vec![]).await, json!(0), "it is closed once");
}
