//! What staff enter at `/`: classes with rules of their own, series, substitutes, members; and what reports make of it.

use serde_json::{Value, json};

use crate::browser::Window;
use crate::gym::Gym;
use crate::support::api::Named;

/// A field's new content; leaving the field is what makes it count.
async fn enters(window: &Window, css: &str, text: &str) {
    window.types(css, &format!("{text}\u{e004}")).await;
}

/// A date or time, which is typed in the order of the reader's locale.
async fn sets(window: &Window, css: &str, value: &str) {
    let script = "const field = document.querySelector(arguments[0]);
        field.value = arguments[1];
        field.dispatchEvent(new Event('change', { bubbles: true }))";
    window.runs(script, vec![json!(css), json!(value)]).await;
}

#[tokio::test]
async fn a_class_is_published_with_rules_of_its_own() {
    let gym = Gym::on("pulsn-dk", json!({ "booking": { "daily_limit": 3 } })).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &gym.org.desk()).await;
    window.taps_named("New class").await;
    window.types("dialog [name=title]", "Deep Stretch").await;
    window.types("dialog [name=min_age]", "16").await;
    window.sees_in("dialog .own-rules", "as in all classes").await;
    window.taps("dialog .own-rules summary").await;
    enters(&window, "[data-rule=\"waitlist.max\"] input", "4").await;
    window.sees_in("dialog", "At most 4 can wait for a class").await;
    sets(&window, "[data-rule=\"booking.opens\"] select[name=opens]", "days").await;
    window.sees_in("dialog", "Booking opens 7 days before, at 08:00").await;
    window.taps("[data-rule=\"booking.daily_limit\"] input[type=checkbox]").await;
    window.sees_in("dialog", "No limit on bookings a day").await;
    enters(&window, "[data-rule=\"cancel.late_fee\"] input", "50").await;
    window.sees_in("dialog .own-rules summary", "4 rules differ").await;
    window.taps("[data-rule=\"cancel.late_fee\"] button").await;
    window.sees_in("dialog .own-rules summary", "3 rules differ").await;
    window.taps("dialog .actions .primary").await;
    window.sees_in(".sessions", "Deep Stretch").await;
    let found = gym.org.desk().get("/v1/classes?limit=10").await.items()[0].clone();
    let terms = &found["terms"];
    assert_eq!((&found["min_age"], &terms["waitlist_max"]), (&json!(16), &json!(4)));
    assert_eq!((&terms["daily_limit"], &terms["late_cancel_fee"]), (&Value::Null, &json!(3000)));
    assert!(terms["opens_at"].as_str().unwrap().contains("T08:00:00"), "{terms}");
}

#[tokio::test]
async fn a_series_is_changed_and_ended() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let desk = gym.org.desk();
    let body = json!({
        "id": "morning", "club": "main", "title": "Morning Yoga", "starts_on": "2026-01-05", "time": "07:00",
        "rrule": "FREQ=WEEKLY;BYDAY=MO,TH", "minutes": 45, "capacity": 12,
        "policy": { "booking": { "opens": { "before": null, "days": 3, "at": "09:00" } } },
    });
    desk.post("/v1/series", body).answers(201).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &desk).await;
    window.taps("#tab-series").await;
    window.taps_named("Change: Morning Yoga").await;
    window.sees_in("dialog .own-rules", "1 rule differs").await;
    enters(&window, "dialog [name=capacity]", "15").await;
    window.taps("dialog .own-rules summary").await;
    window.sees_in("dialog", "Booking opens 3 days before, at 09:00").await;
    enters(&window, "[data-rule=\"waitlist.max\"] input", "5").await;
    window.taps("dialog .actions .primary").await;
    window.sees_in("#notes", "Published").await;
    let series = desk.get("/v1/series/morning").await.body;
    let own = json!({ "booking": { "opens": { "before": null, "days": 3, "at": "09:00" } }, "waitlist": { "max": 5 } });
    assert_eq!((&series["capacity"], &series["policy"]), (&json!(15), &own));
    window.taps_named("End: Morning Yoga").await;
    window.sees_in("dialog", "Future classes that nobody has booked are cancelled").await;
    window.taps("dialog .danger").await;
    window.sees_in(".sessions", "Ended").await;
    assert_eq!(desk.get("/v1/series/morning").await.body["status"], "ended");
}

#[tokio::test]
async fn a_substitute_takes_over_at_once() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    let class = gym.class_in(20, json!({})).await;
    ann.books(&class).await;
    let (evas, desks) = (Window::desktop().await, Window::desktop().await);
    gym.opens(&evas, "/roster", &gym.org.instructor("eva")).await;
    evas.sees_in(".roll", "Ann Lund").await;
    gym.opens(&desks, "/", &gym.org.desk()).await;
    desks.taps(&format!("[data-class=\"{}\"]", class.id())).await;
    desks.taps("dialog [data-action=substitute]").await;
    desks.sees_in("dialog:last-of-type", "Now: Eva Lind").await;
    desks.types("dialog:last-of-type [name=id]", "ruta").await;
    desks.types("dialog:last-of-type [name=name]", "Rūta Kalnienė").await;
    desks.taps("dialog:last-of-type .primary").await;
    desks.sees_in("dialog", "Rūta Kalnienė").await;
    desks.sees_in("dialog .history", "Changed: instructor").await;
    evas.sees_in(".detail", "another instructor").await;
}

#[tokio::test]
async fn a_member_is_added_changed_and_erased() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let desk = gym.org.desk();
    desk.put("/v1/clubs/north", json!({ "name": "North" })).await;
    gym.member("m-7", "Ben Holm", "+4522222222").await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &desk).await;
    window.taps("#tab-members").await;
    window.taps_named("New member").await;
    window.types("dialog [name=name]", "Ann Lund").await;
    window.types("dialog [name=id]", "m-7").await;
    window.types("dialog [name=phone]", "+45 11 11 11 11").await;
    window.types("dialog [name=email]", "ann@example.org").await;
    sets(&window, "dialog [name=born]", "1990-05-17").await;
    sets(&window, "dialog [name=language]", "da").await;
    sets(&window, "dialog [name=plan]", "clips").await;
    enters(&window, "dialog [name=clips]", "10").await;
    sets(&window, "dialog [name=valid_until]", "2031-12-31").await;
    window.taps("dialog [name=everywhere]").await;
    window.taps("dialog [name=club][value=north]").await;
    window.taps("dialog [name=everything]").await;
    window.types("dialog [name=categories]", "yoga, spin").await;
    window.taps("dialog .actions .primary").await;
    window.sees_in("dialog [role=alert]", "This number belongs to a member already").await;
    window.types("dialog [name=id]", "m-8").await;
    window.taps("dialog .actions .primary").await;
    window.sees_in("dialog", "10 clips").await;
    let mut expected = json!({
        "id": "m-8", "name": "Ann Lund", "phone": "+45 11 11 11 11", "email": "ann@example.org", "born": "1990-05-17",
        "language": "da",
        "membership": {
            "plan": "clips", "status": "active", "clips": 10, "valid_until": "2031-12-31", "clubs": ["north"],
            "categories": ["yoga", "spin"], "frozen": [],
        },
    });
    assert_eq!(desk.get("/v1/members/m-8").await.body, expected);

    window.taps("dialog [data-action=edit]").await;
    window.sees_in("dialog:last-of-type h2", "Change Ann Lund").await;
    window.types("dialog:last-of-type [name=name]", "Ann Holm").await;
    window.taps("dialog:last-of-type [name=everywhere]").await;
    window.taps_named("Freeze days").await;
    sets(&window, "dialog:last-of-type [name=frozen_from]", "2030-07-01").await;
    sets(&window, "dialog:last-of-type [name=frozen_until]", "2030-07-31").await;
    window.taps("dialog:last-of-type .actions .primary").await;
    window.sees_in("dialog h2", "Ann Holm").await;
    expected["name"] = json!("Ann Holm");
    expected["membership"]["clubs"] = json!("all");
    expected["membership"]["frozen"] = json!([{ "from": "2030-07-01", "until": "2030-07-31" }]);
    assert_eq!(desk.get("/v1/members/m-8").await.body, expected);

    window.taps("dialog [data-action=edit]").await;
    window.taps_named("Erase member").await;
    window.sees_in("dialog:last-of-type", "erased for good").await;
    window.taps("dialog:last-of-type .danger").await;
    window.finds("no dialog left", "return document.querySelector('dialog') === null").await;
    desk.get("/v1/members/m-8").refused("not_found").await;
}

#[tokio::test]
async fn a_number_of_clips_counts_when_somebody_typed_it_and_not_otherwise() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let desk = gym.org.desk();
    let membership = json!({ "plan": "clips", "status": "active", "clips": 5, "clips_revision": "card-1" });
    desk.put("/v1/members/cleo", json!({ "name": "Cleo Moen", "membership": membership })).await;
    let cleo = gym.org.caller("cleo", "member");
    let class = gym.class_in(300, json!({})).await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &desk).await;
    window.taps("#tab-members").await;
    window.types("#members-find", "cleo").await;
    window.taps_named("Open: Cleo Moen").await;
    window.taps("dialog [data-action=edit]").await;
    window.types("dialog:last-of-type [name=email]", "cleo@example.org").await;
    // Meanwhile she books, which takes a clip.
    cleo.books(&class).await;
    window.taps("dialog:last-of-type .actions .primary").await;
    window.sees_in("dialog", "cleo@example.org").await;
    window.sees_in("dialog", "4 clips").await;
    window.taps("dialog [data-action=edit]").await;
    enters(&window, "dialog:last-of-type [name=clips]", "20").await;
    window.taps("dialog:last-of-type .actions .primary").await;
    window.sees_in("dialog", "20 clips").await;
    assert_eq!(desk.standing_of("cleo").await.body["clips"], 20);
}

/// A ledger is answered a line at a time.
const SHORT_PAGES: &str = "
    const ask = window.fetch;
    window.fetch = (url, options) => ask(url.includes('/v1/fees') ? url.replace('limit=200', 'limit=1') : url, options);";

#[tokio::test]
async fn a_ledger_of_many_pages_is_read_to_its_end() {
    let gym = Gym::on("pulsn-dk", json!({ "booking": { "allow_overlap": true } })).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    for title in ["Spin", "Yoga", "Dance"] {
        let class = gym.class_in(70, json!({ "title": title })).await;
        let held = ann.books(&class).await;
        ann.cancels(&held).becoming("late_cancelled").await;
    }
    let window = Window::desktop().await;
    window.begins_with(SHORT_PAGES).await;
    gym.opens(&window, "/", &gym.org.desk()).await;
    window.taps("#tab-fees").await;
    window.sees_in("table", "Ann Lund").await;
    let lines = "return document.querySelectorAll('tbody tr').length";
    assert_eq!(window.runs(lines, vec![]).await, json!(3));
    window.taps("tbody .link").await;
    window.sees_in("dialog", "Cancelled late").await;
    let waives = "return document.querySelectorAll('dialog [aria-label^=Waive]').length";
    assert_eq!(window.runs(waives, vec![]).await, json!(3), "the member's own lines");
}

#[tokio::test]
async fn a_report_draws_those_who_did_not_come() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let (ann, ben) =
        (gym.member("ann", "Ann Lund", "+4511111111").await, gym.member("ben", "Ben Holm", "+4522222222").await);
    let day = 24 * 60;
    gym.clock_goes(-day).await;
    let class = gym.class_in(20 - day, json!({ "capacity": 4 })).await;
    let (came, _) = (ann.books(&class).await, ben.books(&class).await);
    gym.org.desk().act(&format!("/v1/bookings/{}/check-in", came.id())).await;
    gym.world.deletes_clock().await;
    let window = Window::desktop().await;
    gym.opens(&window, "/", &gym.org.desk()).await;
    window.taps("#tab-reports").await;
    window.sees_in(".tiles", "50%").await;
    window.sees_in(".bars", "1 did not come").await;
    window.sees_in("#panel", "Eva Lind").await;
    let drawn = "return [...document.querySelectorAll('.chart rect.bad')].map((bar) => bar.height.baseVal.value > 0)";
    assert_eq!(window.runs(drawn, vec![]).await, json!([true]));
}
