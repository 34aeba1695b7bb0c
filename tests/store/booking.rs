//! book, cancel, preview and accept: every answer and every refusal.

use serde_json::json;

use crate::house::{House, ms};
use crate::said::Said;

async fn refuses_to_book(house: &House, class: &str, member: &str, waitlist: &str, code: &str) -> Said {
    house.refuses("book", &[class, member, "new", waitlist, ""], code).await
}

#[tokio::test]
async fn a_booking_is_made_or_queued_or_answered_as_it_is() {
    let house = House::open(json!({})).await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.members("ann ben cay").await;
    assert_eq!(house.books("ann", "k").await.field("status"), "booked");
    assert_eq!(house.books("ben", "k").await.field("position"), "1");
    assert_eq!(house.books("cay", "k").await.field("position"), "2");
    for (member, status) in [("ann", "booked"), ("ben", "waitlisted")] {
        let again = house.books(member, "k").await;
        assert_eq!((again.tag.as_str(), again.field("status").as_str()), ("REPEATED", status));
    }
    house.has_heard_all("book", "");
    house.is_sound().await;
}

#[tokio::test]
async fn booking_is_refused_for_what_a_member_is() {
    let house =
        House::open(json!({ "attendance": { "strikes": 1 }, "cancel": { "late": "charged", "late_is_strike": true } }))
            .await;
    house.club("other").await;
    house.class("k", json!({ "category": "spin" })).await;
    house.class("kids", json!({ "min_age": 16 })).await;
    house.class("soon", json!({ "starts_at": "2026-03-02T08:30:00Z" })).await;
    for (member, membership, code) in [
        ("gone", json!({ "status": "ended" }), "membership_ended"),
        ("over", json!({ "valid_until": "2026-03-04" }), "membership_ended"),
        ("held", json!({ "status": "blocked" }), "not_entitled"),
        ("early", json!({ "valid_from": "2026-03-06" }), "not_entitled"),
        ("away", json!({ "clubs": ["other"] }), "not_entitled"),
        ("yogi", json!({ "categories": ["yoga"] }), "not_entitled"),
        ("cold", json!({ "frozen": [{ "from": "2026-03-05", "until": "2026-03-20" }] }), "frozen"),
        ("spent", json!({ "plan": "clips", "clips": 0 }), "no_clips"),
        ("none", json!({ "plan": "clips" }), "no_clips"),
    ] {
        house.member(member, membership).await;
        let said = refuses_to_book(&house, "k", member, "1", code).await;
        assert_eq!(said.text(1), if code == "frozen" { "2026-03-20" } else { "" });
    }
    for (member, patch, code) in
        [("unknown-age", json!({}), "too_young"), ("child", json!({ "born": "2010-03-06" }), "too_young")]
    {
        house.person(member, patch).await;
        refuses_to_book(&house, "kids", member, "1", code).await;
    }
    house.person("just16", json!({ "born": "2010-03-05" })).await;
    assert_eq!(house.books("just16", "kids").await.tag, "BOOKED");
    house.members("late").await;
    house.all_book("late", "soon").await;
    assert_eq!(house.cancels("late", "soon").await.field("status"), "late_cancelled");
    let said = refuses_to_book(&house, "k", "late", "1", "banned").await;
    assert_eq!(said.text(1), ms("2026-03-16T08:30:00Z").to_string());
    for (member, membership) in
        [("last-day", json!({ "valid_until": "2026-03-05" })), ("first-day", json!({ "valid_from": "2026-03-05" }))]
    {
        house.class(member, json!({ "capacity": 1 })).await;
        house.member(member, membership).await;
        assert_eq!(house.books(member, member).await.tag, "BOOKED");
    }
    house.has_heard("book", "membership_ended not_entitled frozen no_clips too_young banned");
}

#[tokio::test]
async fn booking_is_refused_for_what_a_member_has_booked() {
    let house = House::open(json!({ "booking": { "daily_limit": 2, "open_limit": 3 } })).await;
    for (class, starts_at) in [
        ("nine", "2026-03-05T09:00:00Z"),
        ("ten", "2026-03-05T10:00:00Z"),
        ("noon", "2026-03-05T12:00:00Z"),
        ("late", "2026-03-05T22:59:00Z"),
        ("next", "2026-03-05T23:00:00Z"),
        ("fri", "2026-03-06T09:00:00Z"),
        ("half", "2026-03-05T09:59:00Z"),
    ] {
        house.class(class, json!({ "starts_at": starts_at, "minutes": if class == "late" { 1 } else { 60 } })).await;
    }
    house.members("ann").await;
    house.all_book("ann", "nine").await;
    refuses_to_book(&house, "half", "ann", "1", "overlap").await;
    house.all_book("ann", "ten").await;
    refuses_to_book(&house, "noon", "ann", "1", "daily_limit").await;
    // The last minute of the local day, and the first of the next.
    refuses_to_book(&house, "late", "ann", "1", "daily_limit").await;
    house.all_book("ann", "next").await;
    refuses_to_book(&house, "fri", "ann", "1", "open_limit").await;
    house.has_heard("book", "overlap daily_limit open_limit");
    house.is_sound().await;
}

#[tokio::test]
async fn booking_is_refused_for_what_a_class_is() {
    let house = House::open(json!({ "waitlist": { "max": 1, "promote_until": "PT2H", "then": "closed" }, "booking": { "closes_before": "PT10M" } })).await;
    house.members("ann ben cay dan").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.class("later", json!({ "starts_at": "2026-03-12T17:00:00Z" })).await;
    house.class("off", json!({})).await;
    house.class("brief", json!({ "starts_at": "2026-03-02T09:00:00Z", "minutes": 5 })).await;
    house.call("cancel_class", &["off", "flooded"]).await;
    let said = refuses_to_book(&house, "later", "ann", "1", "not_open").await;
    assert_eq!(said.text(1), ms("2026-03-05T17:00:00Z").to_string());
    refuses_to_book(&house, "off", "ann", "1", "class_cancelled").await;
    refuses_to_book(&house, "nowhere", "ann", "1", "not_found").await;
    refuses_to_book(&house, "k", "nobody", "1", "not_found").await;
    house.all_book("ann ben", "k").await;
    refuses_to_book(&house, "k", "cay", "", "full").await;
    refuses_to_book(&house, "k", "cay", "1", "waitlist_full").await;
    house.at("2026-03-02T08:49:59Z").await;
    assert_eq!(house.books("cay", "brief").await.tag, "BOOKED");
    house.at("2026-03-02T08:50:00Z").await;
    refuses_to_book(&house, "brief", "dan", "1", "closed").await;
    house.at("2026-03-02T09:30:00Z").await;
    refuses_to_book(&house, "brief", "dan", "1", "class_finished").await;
    // Promotion has closed and somebody waits: free spots are the desk's.
    house.at("2026-03-05T15:00:00Z").await;
    house.cancels("ann", "k").await;
    refuses_to_book(&house, "k", "cay", "1", "waitlist_closed").await;
    refuses_to_book(&house, "k", "cay", "", "full").await;
    assert_eq!(house.call("book", &["k", "cay", "by-the-desk", "1", "1"]).await.tag, "BOOKED");
    house.call("erase_member", &["dan"]).await;
    refuses_to_book(&house, "k", "dan", "1", "not_found").await;
    house.has_heard(
        "book",
        "not_open class_cancelled not_found full waitlist_full closed class_finished waitlist_closed",
    );
    house.is_sound().await;
}

#[tokio::test]
async fn a_spot_left_is_free_or_late_or_kept() {
    let house = House::open(json!({ "cancel": { "late": "charged", "late_fee": 3000 } })).await;
    house.members("ann ben cay dan eve").await;
    house.class("k", json!({ "capacity": 2 })).await;
    house.all_book("ann ben cay dan", "k").await;
    house.refuses("cancel", &["nothing", "", "", ""], "not_found").await;
    house.refuses("cancel", &[&house.id("ann", "k"), "ben", "", ""], "not_found").await;
    let preview = house.call("preview_cancel", &[&house.id("ann", "k"), "ann"]).await;
    assert_eq!((preview.text(0).as_str(), preview.text(5)), ("free", ms("2026-03-05T16:00:00Z").to_string()));
    assert_eq!(house.cancels("ann", "k").await.field("status"), "cancelled");
    assert_eq!(house.statuses("ann ben cay dan", "k").await, "cancelled booked booked waitlisted");
    assert_eq!(house.cancels("ann", "k").await.tag, "REPEATED");
    assert_eq!(house.cancels("dan", "k").await.field("status"), "cancelled");
    house.at("2026-03-05T16:00:00Z").await;
    let preview = house.call("preview_cancel", &[&house.id("ben", "k"), ""]).await;
    assert_eq!(
        (preview.text(0).as_str(), preview.text(1).as_str(), preview.text(2).as_str()),
        ("charged", "3000", "EUR")
    );
    let late = house.cancels("ben", "k").await;
    assert_eq!((late.field("status").as_str(), late.field("fee").as_str()), ("late_cancelled", "3000"));
    assert_eq!(house.cancels("ben", "k").await.tag, "REPEATED");
    house.all_book("eve", "k").await;
    house.at("2026-03-05T17:00:00Z").await;
    house.refuses("cancel", &[&house.id("eve", "k"), "eve", "", ""], "cancel_closed").await;
    house.refuses("cancel", &[&house.id("eve", "k"), "", "1", "the desk"], "cancel_closed").await;
    assert_eq!(house.call("preview_cancel", &[&house.id("eve", "k"), ""]).await.text(0), "refused");
    house.refuses("preview_cancel", &[&house.id("eve", "k"), "ann"], "not_found").await;
    house.has_heard_all("cancel", "not_found cancel_closed");
    house.has_heard_all("preview_cancel", "not_found");
    house.is_sound().await;
}

#[tokio::test]
async fn the_desk_decides_what_a_late_cancel_costs() {
    let house = House::open(json!({ "cancel": { "late": "refused", "late_fee": 500 } })).await;
    house.members("ann ben cay").await;
    house.class("k", json!({ "capacity": 3 })).await;
    house.all_book("ann ben cay", "k").await;
    let id = |member| house.id(member, "k");
    house.at("2026-03-05T16:30:00Z").await;
    house.refuses("cancel", &[&id("ann"), "ann", "", ""], "cancel_closed").await;
    house.refuses("cancel", &[&id("ann"), "", "", ""], "cancel_closed").await;
    let free = house.call("cancel", &[&id("ann"), "", "0", "ill"]).await;
    assert_eq!((free.field("status").as_str(), free.field("fee").as_str()), ("cancelled", ""));
    let late = house.call("cancel", &[&id("ben"), "", "1", "no excuse"]).await;
    assert_eq!((late.field("status").as_str(), late.field("fee").as_str()), ("late_cancelled", "500"));
    house.is_sound().await;
}

#[tokio::test]
async fn an_offer_is_accepted_declined_or_runs_out() {
    let house = House::open(json!({ "waitlist": { "mode": "offer", "offer_for": "PT30M" } })).await;
    house.members("ann ben cay dan").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("ann ben cay dan", "k").await;
    let accepts = async |member: &str| house.call("accept", &[&house.id(member, "k"), member]).await;
    house.refuses("accept", &["nothing", "ben"], "not_found").await;
    house.refuses("accept", &[&house.id("ben", "k"), "cay"], "not_found").await;
    house.refuses("accept", &[&house.id("ben", "k"), "ben"], "not_offered").await;
    house.cancels("ann", "k").await;
    assert_eq!(house.statuses("ben cay dan", "k").await, "offered waitlisted waitlisted");
    house.cancels("ben", "k").await;
    house.refuses("accept", &[&house.id("ben", "k"), "ben"], "not_offered").await;
    assert_eq!(house.statuses("ben cay dan", "k").await, "cancelled offered waitlisted");
    house.member("cay", json!({ "status": "blocked" })).await;
    house.refuses("accept", &[&house.id("cay", "k"), "cay"], "not_entitled").await;
    house.at("2026-03-02T08:29:59Z").await;
    assert_eq!(house.status("cay", "k").await, "offered");
    house.at("2026-03-02T08:30:00Z").await;
    house.refuses("accept", &[&house.id("cay", "k"), "cay"], "offer_expired").await;
    house.refuses("cancel", &[&house.id("cay", "k"), "cay", "", ""], "wrong_status").await;
    house.refuses("preview_cancel", &[&house.id("cay", "k"), "cay"], "wrong_status").await;
    assert_eq!(accepts("dan").await.field("status"), "booked");
    house.refuses("accept", &[&house.id("dan", "k"), "dan"], "not_offered").await;
    house.has_heard_all("accept", "not_found not_offered offer_expired not_entitled");
    house.has_heard("cancel", "wrong_status");
    house.has_heard("preview_cancel", "wrong_status");
    house.is_sound().await;
}

#[tokio::test]
async fn an_offer_does_not_outlive_what_bars_its_holder() {
    let house = House::open(json!({ "waitlist": { "mode": "offer" }, "booking": { "daily_limit": 1 } })).await;
    house.club("other").await;
    let frozen = json!({ "frozen": [{ "from": "2026-03-05", "until": "2026-03-05" }] });
    for (member, change, code) in [
        ("held", json!({ "status": "blocked" }), "not_entitled"),
        ("away", json!({ "clubs": ["other"] }), "not_entitled"),
        ("spent", json!({ "plan": "clips", "clips": 0 }), "no_clips"),
    ] {
        let class = format!("k-{member}");
        house.class(&class, json!({ "capacity": 1 })).await;
        let first = format!("first-{member}");
        house.members(&format!("{first} {member}")).await;
        house.all_book(&format!("{first} {member}"), &class).await;
        house.cancels(&first, &class).await;
        house.member(member, change).await;
        house.refuses("accept", &[&house.id(member, &class), member], code).await;
        assert_eq!(house.status(member, &class).await, "offered");
    }
    // A freeze that reaches the class ends the offer itself.
    house.class("frosty", json!({ "capacity": 1 })).await;
    house.members("one cold").await;
    house.all_book("one cold", "frosty").await;
    house.cancels("one", "frosty").await;
    house.member("cold", frozen).await;
    assert_eq!(house.status("cold", "frosty").await, "cancelled");
    house.is_sound().await;
}
