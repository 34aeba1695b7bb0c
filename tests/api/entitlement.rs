//! What a membership must be like for a class: in force, on that day, at that club, for that category and age.

use serde_json::{Value, json};

use crate::support::api::World;

/// The day of the default class.
const DAY: &str = "2026-03-03";

/// Books the default class, changed, with a membership that was changed.
async fn books(class: Value, membership: Value) -> (u16, Option<String>, Option<String>) {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.desk().put("/v1/clubs/south", json!({ "name": "South" })).await;
    let ann = org.member_with("ann", membership).await;
    let class = org.class(class).await;
    let can_book = ann.sees(&class).await.at("/can_book").clone();
    let reply = ann.books(&class).send().await;
    let text = |name: &str| reply.body[name].as_str().map(str::to_owned);
    let (code, until) = (text("code"), text("until"));
    assert_eq!(can_book["allowed"], code.is_none(), "{can_book} and {reply:?}");
    assert_eq!(can_book["code"].as_str(), code.as_deref());
    assert_eq!(can_book["until"].as_str(), until.as_deref());
    (reply.status, code, until)
}

async fn may_book(class: Value, membership: Value) {
    assert_eq!(books(class.clone(), membership.clone()).await.0, 201, "{class} {membership}");
}

async fn may_not_book(class: Value, membership: Value, expected: &str) {
    let (status, code, until) = books(class, membership).await;
    assert_eq!((status, code.as_deref(), until), (409, Some(expected), None));
}

#[tokio::test]
async fn an_ended_membership_books_nothing() {
    may_not_book(json!({}), json!({ "status": "ended" }), "membership_ended").await;
}

#[tokio::test]
async fn a_membership_ends_with_its_last_day() {
    may_not_book(json!({}), json!({ "valid_until": "2026-03-02" }), "membership_ended").await;
    may_book(json!({}), json!({ "valid_until": DAY })).await;
}

#[tokio::test]
async fn the_last_day_is_that_of_the_class_and_local() {
    let after_midnight = json!({ "starts_at": "2026-03-04T00:30:00+01:00" });
    may_not_book(after_midnight, json!({ "valid_until": DAY }), "membership_ended").await;
}

#[tokio::test]
async fn a_blocked_membership_books_nothing() {
    may_not_book(json!({}), json!({ "status": "blocked" }), "not_entitled").await;
}

#[tokio::test]
async fn a_membership_begins_with_its_first_day() {
    may_not_book(json!({}), json!({ "valid_from": "2026-03-04" }), "not_entitled").await;
    may_book(json!({}), json!({ "valid_from": DAY })).await;
}

#[tokio::test]
async fn a_membership_covers_the_clubs_it_names() {
    may_not_book(json!({}), json!({ "clubs": ["south"] }), "not_entitled").await;
    may_not_book(json!({}), json!({ "clubs": [] }), "not_entitled").await;
    may_book(json!({}), json!({ "clubs": ["south", "main"] })).await;
}

#[tokio::test]
async fn a_membership_covers_the_categories_it_names() {
    may_not_book(json!({ "category": "pool" }), json!({ "categories": ["yoga"] }), "not_entitled").await;
    may_not_book(json!({ "category": "pool" }), json!({ "categories": [] }), "not_entitled").await;
    may_book(json!({ "category": "pool" }), json!({ "categories": ["yoga", "pool"] })).await;
    may_book(json!({ "category": "pool" }), json!({ "categories": "all" })).await;
}

#[tokio::test]
async fn a_frozen_membership_says_until_when() {
    for (from, until, ends) in [
        ("2026-03-03", "2026-03-03", "2026-03-04T00:00:00+01:00"),
        ("2026-03-01", "2026-03-10", "2026-03-11T00:00:00+01:00"),
        ("2026-03-03", "2026-03-28", "2026-03-29T00:00:00+01:00"),
        ("2026-03-03", "2026-03-29", "2026-03-30T00:00:00+02:00"),
    ] {
        let (status, code, told) = books(json!({}), json!({ "frozen": [{ "from": from, "until": until }] })).await;
        assert_eq!((status, code.as_deref(), told.as_deref()), (409, Some("frozen"), Some(ends)));
    }
}

#[tokio::test]
async fn a_freeze_is_of_its_days_and_no_others() {
    let spans =
        json!([{ "from": "2026-02-01", "until": "2026-03-02" }, { "from": "2026-03-04", "until": "2026-05-01" }]);
    may_book(json!({}), json!({ "frozen": spans })).await;
}

#[tokio::test]
async fn a_class_can_have_a_lowest_age_counted_on_its_day() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "min_age": 16 })).await;
    for (born, old_enough) in [("2010-03-03", true), ("2010-03-04", false), ("2010-01-01", true), ("2026-03-01", false)]
    {
        let membership = json!({ "plan": "unlimited", "status": "active" });
        org.desk().put("/v1/members/kid", json!({ "name": "Kid", "born": born, "membership": membership })).await;
        let kid = org.caller("kid", "member");
        if old_enough {
            kid.cancels(&kid.books(&class).await).await;
        } else {
            kid.books(&class).refused("too_young").await;
            assert_eq!(kid.sees(&class).await.at("/can_book"), &json!({ "allowed": false, "code": "too_young" }));
        }
    }
}

#[tokio::test]
async fn who_was_never_asked_for_a_birthday_counts_as_too_young() {
    may_not_book(json!({ "min_age": 16 }), json!({}), "too_young").await;
    may_book(json!({ "min_age": 0 }), json!({})).await;
}

#[tokio::test]
async fn who_was_born_on_a_leap_day_is_a_year_older_on_the_first_of_march() {
    let world = World::new().await;
    let org = world.org("standard").await;
    world.sets_clock("2026-02-26T08:00:00Z").await;
    let membership = json!({ "plan": "unlimited", "status": "active" });
    org.desk().put("/v1/members/kid", json!({ "name": "Kid", "born": "2008-02-29", "membership": membership })).await;
    let kid = org.caller("kid", "member");
    let of = |starts_at: &str| json!({ "starts_at": starts_at, "min_age": 18 });
    kid.books(&org.class(of("2026-02-28T12:00:00Z")).await).refused("too_young").await;
    kid.books(&org.class(of("2026-03-01T12:00:00Z")).await).await;
}

#[tokio::test]
async fn the_desk_cannot_book_what_the_membership_does_not_cover() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member_with("ann", json!({ "status": "blocked" })).await;
    org.desk().books_for(&ann, &org.class(json!({})).await).refused("not_entitled").await;
}

#[tokio::test]
async fn joining_a_waitlist_needs_the_same_membership() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let full = org.full_class(json!({ "min_age": 0 })).await;
    for (membership, code) in [
        (json!({ "status": "ended" }), "membership_ended"),
        (json!({ "status": "blocked" }), "not_entitled"),
        (json!({ "frozen": [{ "from": DAY, "until": DAY }] }), "frozen"),
        (json!({ "plan": "clips", "clips": 0 }), "no_clips"),
    ] {
        org.member_with("ann", membership).await.books(&full).refused(code).await;
    }
}

/// Everything that can stand in the way of a member at once, taken away in the order in which it is told.
#[tokio::test]
async fn refusals_come_in_their_order() {
    let world = World::new().await;
    let late = json!({ "late": "charged", "late_is_strike": true, "free_until": "PT2H" });
    let patch = json!({
        "cancel": late, "attendance": { "strikes": 1, "ban": "PT14H" }, "waitlist": { "promote_until": "PT20H" },
    });
    let org = world.org_under("standard", patch).await;
    org.desk().put("/v1/clubs/south", json!({ "name": "South" })).await;
    let ann = org.member("ann").await;
    // A strike, and so a ban from 9:00 to 23:00 UTC.
    ann.cancels(&ann.books(&org.class(json!({ "starts_at": "2026-03-02T09:00:00Z" })).await).await).await;
    let full = org.full_class(json!({ "min_age": 16 })).await;
    let mut member = json!({
        "name": "Ann", "born": "2015-01-01", "membership": {
            "plan": "clips", "status": "active", "clips": 0, "valid_until": "2026-03-02", "clubs": ["south"],
            "frozen": [{ "from": DAY, "until": DAY }],
        },
    });
    for (code, pointer, better) in [
        ("membership_ended", "/membership/valid_until", json!(DAY)),
        ("not_entitled", "/membership/clubs", json!("all")),
        ("frozen", "/membership/frozen", json!([])),
        ("too_young", "/born", json!("2010-01-01")),
        ("banned", "", json!(null)),
        ("no_clips", "/membership/clips", json!(1)),
        ("waitlist_closed", "", json!(null)),
    ] {
        org.desk().put("/v1/members/ann", member.clone()).await;
        ann.books(&full).refused(code).await;
        assert_eq!(ann.sees(&full).await.at("/can_book/code"), code);
        match pointer {
            "" => world.sets_clock("2026-03-02T23:00:00Z").await,
            _ => *member.pointer_mut(pointer).unwrap() = better,
        }
    }
}

#[tokio::test]
async fn limits_are_told_before_the_class_being_full() {
    let world = World::new().await;
    let org = world
        .org_under("standard", json!({ "booking": { "daily_limit": 1, "open_limit": 1 }, "waitlist": { "max": 0 } }))
        .await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    let no_queue = json!({ "waitlist": false });
    ann.books(&full).refused("waitlist_full").await;
    ann.books(&full).with_body(no_queue.clone()).refused("full").await;
    let far = ann.books(&org.class(json!({ "starts_at": "2026-03-05T12:00:00Z" })).await).await;
    ann.books(&full).refused("open_limit").await;
    ann.cancels(&far).await;
    let same_day = ann.books(&org.class(json!({ "starts_at": "2026-03-03T08:00:00Z" })).await).await;
    ann.books(&full).refused("daily_limit").await;
    ann.cancels(&same_day).await;
    ann.books(&org.class(json!({ "starts_at": "2026-03-03T12:30:00Z" })).await).await;
    ann.books(&full).refused("overlap").await;
    ann.books(&full).with_body(no_queue).refused("overlap").await;
}
