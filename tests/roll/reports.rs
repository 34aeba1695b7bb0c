//! Reports, from counters kept by the atom; and what retention forgets.

use serde_json::json;

use crate::story::{Story, strict};
use crate::support::api::Named;

#[tokio::test]
async fn a_report_counts_what_happened_per_class_instructor_and_club() {
    let story = Story::under(strict()).await;
    let class = story.org.class(json!({ "capacity": 2, "instructor": { "id": "eva", "name": "Eva" } })).await;
    let (ann, first) = story.booked("ann", &class).await;
    let (_, second) = story.booked("bob", &class).await;
    let (_, waiting) = story.waiting("cid", &class).await;
    story.at("2026-03-02T09:00:00Z").await;
    ann.cancels(&first).await;
    assert_eq!(story.status(&waiting).await, "booked");
    story.at("2026-03-03T11:30:00Z").await;
    story.checks_in(&second).await;
    story.at("2026-03-03T12:10:00Z").await;
    let report =
        story.org.desk().get("/v1/reports/classes?from=2026-03-03T00:00:00Z&to=2026-03-04T00:00:00Z").await.body;
    let counts = &report["items"][0];
    assert_eq!(counts["class"], json!(class.id()));
    for (name, value) in [
        ("fill_rate", json!(1.0)),
        ("no_show_rate", json!(0.5)),
        ("late_cancel_rate", json!(0.0)),
        ("waitlist_to_spot_rate", json!(1.0)),
        ("seconds_to_promotion", json!(3600.0)),
        ("checked_in", json!(1)),
    ] {
        for of in [counts, &report["total"], &report["instructors"][0], &report["clubs"][0]] {
            assert_eq!(of[name], value, "{name} in {of}");
        }
    }
    assert_eq!((&report["instructors"][0]["id"], &report["clubs"][0]["id"]), (&json!("eva"), &json!("main")));
    assert_eq!((&report["instructors"][0]["name"], report["clubs"][0].get("name")), (&json!("Eva"), None));
    let desk = story.org.desk();
    for query in
        ["", "?from=2026-03-03T00:00:00Z", "?from=2026-03-04T00:00:00Z&to=2026-03-03T00:00:00Z", "?from=x&to=y"]
    {
        desk.get(&format!("/v1/reports/classes{query}")).refused("invalid").await;
    }
}
