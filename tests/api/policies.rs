//! Organisations and the rules they run by: shipped presets, changes, and when a change takes hold.

use serde_json::{Value, json};

use crate::support::api::{Named, Org, World};

async fn policy_of(org: &Org) -> Value {
    org.desk().get("/v1/org").await.at("/policy").clone()
}

/// Changes the policy at a JSON pointer.
async fn changes_policy(org: &Org, pointer: &str, value: Value) {
    let mut policy = policy_of(org).await;
    *policy.pointer_mut(pointer).unwrap() = value;
    org.admin().put("/v1/org/policy", policy).await;
}

/// `pulsn-dk`, as the contract prints it, with what that leaves out.
fn pulsn() -> Value {
    json!({
        "timezone": "Europe/Copenhagen", "currency": "DKK", "languages": ["da", "en"],
        "booking": {
            "opens": { "before": "P7D" }, "closes_before": "PT0S", "daily_limit": null, "open_limit": null,
            "allow_overlap": false,
        },
        "cancel": {
            "free_until": "PT2H", "late": "charged", "late_fee": 3000, "late_is_strike": false,
            "forgive_if_refilled": false, "after_booking": "PT0S",
        },
        "waitlist": {
            "max": 20, "mode": "auto", "offer_for": "PT30M", "promote_until": "PT3H", "then": "first_come",
            "grace": "PT30M", "leave_overlapping": true, "quiet": { "from": "22:00", "until": "07:00" },
        },
        "attendance": {
            "check_in_opens": "PT60M", "check_in_due": "PT5M", "check_in_closes": "PT10M", "late_fee": 3000,
            "no_show_fee": 3000, "strikes": null, "strike_window": "P14D", "ban": "P14D", "minimum": 3,
            "decide_before": "PT2H", "below_minimum": "cancel", "untouched_roster": "review",
        },
        "change_notice": "PT24H", "retention": { "history": "P400D", "events": "P14D" },
    })
}

/// What `RULES.md` has every other preset take from `pulsn-dk`, before its own column.
fn with_its_own(numbers: &[(&str, Value)], free_until: &str) -> Value {
    let mut policy = pulsn();
    for pointer in ["/cancel/late_fee", "/attendance/late_fee", "/attendance/no_show_fee"] {
        *policy.pointer_mut(pointer).unwrap() = json!(0);
    }
    for pointer in ["/cancel/free_until", "/waitlist/promote_until", "/attendance/decide_before"] {
        *policy.pointer_mut(pointer).unwrap() = json!(free_until);
    }
    for pointer in ["/attendance/check_in_due", "/attendance/check_in_closes", "/waitlist/grace"] {
        *policy.pointer_mut(pointer).unwrap() = json!("PT0S");
    }
    for (pointer, value) in [
        ("/waitlist/quiet", json!(null)),
        ("/cancel/late", json!("refused")),
        ("/attendance/strikes", json!(2)),
        ("/booking/daily_limit", json!(3)),
        ("/attendance/minimum", json!(5)),
    ] {
        *policy.pointer_mut(pointer).unwrap() = value;
    }
    for (pointer, value) in numbers {
        *policy.pointer_mut(pointer).unwrap() = value.clone();
    }
    policy
}

fn norwegian(minimum: u32) -> Vec<(&'static str, Value)> {
    vec![
        ("/timezone", json!("Europe/Oslo")),
        ("/currency", json!("NOK")),
        ("/languages", json!(["nb", "en"])),
        ("/attendance/minimum", json!(minimum)),
    ]
}

#[tokio::test]
async fn the_presets_have_the_numbers_of_the_chains() {
    let vilnius =
        [("/timezone", json!("Europe/Vilnius")), ("/currency", json!("EUR")), ("/languages", json!(["lt", "en"]))];
    let house = [
        ("/currency", json!("EUR")),
        ("/languages", json!(["en"])),
        ("/attendance/check_in_due", json!("PT5M")),
        ("/attendance/check_in_closes", json!("PT10M")),
        ("/attendance/late_fee", json!(400)),
    ];
    let expected = [
        ("standard", with_its_own(&house, "PT60M")),
        ("impuls-lt", with_its_own(&vilnius, "PT60M")),
        ("pulsn-dk", pulsn()),
        ("actic-no", with_its_own(&norwegian(3), "PT2H")),
        ("impulse-no", with_its_own(&norwegian(5), "PT2H")),
        ("bolgen-no", with_its_own(&norwegian(5), "PT2H")),
    ];
    let world = World::new().await;
    let listed = world.operator().get("/v1/presets").await;
    assert_eq!(listed.items().len(), 6);
    for (id, policy) in expected {
        let preset =
            listed.items().iter().find(|preset| preset["id"] == id).unwrap_or_else(|| panic!("no preset {id}"));
        assert_eq!(preset["policy"], policy, "{id}");
        assert!(preset["name"].as_str().is_some_and(|name| !name.is_empty()));
        let org = world.org(id).await;
        assert_eq!(policy_of(&org).await, policy, "an organisation of {id}");
        assert_eq!(org.desk().get("/v1/presets").await.body, listed.body, "the same for everybody");
    }
}

#[tokio::test]
async fn an_organisation_without_a_preset_runs_on_the_standard_one() {
    let world = World::new().await;
    let org = world.org_with(json!({ "name": "Gym" })).await;
    let seen = org.desk().get("/v1/org").await;
    assert_eq!((seen.text("/id"), seen.text("/name")), (org.id.as_str(), "Gym"));
    assert_eq!((seen.text("/timezone"), seen.at("/revision")), ("Europe/Copenhagen", &json!(1)));
    let standard = world.org("standard").await;
    assert_eq!(policy_of(&org).await, policy_of(&standard).await);
}

#[tokio::test]
async fn a_new_name_keeps_the_policy_and_a_new_preset_replaces_it() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let path = format!("/v1/orgs/{}", org.id);
    let renamed = world.operator().put(&path, json!({ "name": "Pulsn" })).await;
    assert_eq!(
        (renamed.text("/name"), renamed.text("/policy/currency"), renamed.at("/revision")),
        ("Pulsn", "DKK", &json!(2))
    );
    let moved = world.operator().put(&path, json!({ "name": "Pulsn", "preset": "impuls-lt" })).await;
    assert_eq!((moved.text("/timezone"), moved.at("/revision")), ("Europe/Vilnius", &json!(3)));
    let same = world.operator().put(&path, json!({ "name": "Pulsn", "preset": "impuls-lt" })).await;
    assert_eq!((same.at("/revision"), &same.cursor), (&json!(3), &moved.cursor));
}

#[tokio::test]
async fn an_organisation_can_bring_a_policy_of_its_own() {
    let world = World::new().await;
    let mut policy = pulsn();
    policy["timezone"] = json!("Asia/Kathmandu");
    policy["booking"]["opens"] = json!({ "days": 3, "at": "07:15" });
    let org = world.org_with(json!({ "name": "Gym", "policy": policy })).await;
    assert_eq!(policy_of(&org).await, policy);
    let class = org.class(json!({ "starts_at": "2026-03-12T12:00:00Z" })).await;
    assert_eq!(class.text("/terms/opens_at"), "2026-03-09T07:15:00+05:45");
}

#[tokio::test]
async fn the_operator_lists_every_organisation_page_by_page() {
    let world = World::new().await;
    let operator = world.operator();
    for id in ["c", "a", "b"] {
        operator.put(&format!("/v1/orgs/{id}"), json!({ "name": id })).await;
    }
    let all = operator.get("/v1/orgs").await;
    assert_eq!((all.ids(), all.at("/next")), (vec!["a", "b", "c"], &json!(null)));
    let first = operator.get("/v1/orgs?limit=2").await;
    assert_eq!(first.ids(), ["a", "b"]);
    let second = operator.get(&format!("/v1/orgs?limit=2&cursor={}", first.text("/next"))).await;
    assert_eq!((second.ids(), second.at("/next")), (vec!["c"], &json!(null)));
}

#[tokio::test]
async fn a_refused_organisation_is_not_there() {
    let world = World::new().await;
    let operator = world.operator();
    operator.put("/v1/orgs/new", json!({ "name": "New", "preset": "nowhere" })).refused("invalid").await;
    operator.put("/v1/orgs/new", json!({ "name": "New" })).if_match(&json!(7)).refused("stale").await;
    assert_eq!(operator.get("/v1/orgs").await.items().len(), 0);
}

#[tokio::test]
async fn a_policy_is_replaced_whole_and_read_back_as_written() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let mut policy = pulsn();
    policy["cancel"]["free_until"] = json!("PT90M");
    policy["change_notice"] = json!("P2W");
    let replaced = org.admin().put("/v1/org/policy", policy.clone()).await;
    assert_eq!((replaced.at("/policy"), replaced.at("/revision")), (&policy, &json!(2)));
    assert_eq!(policy_of(&org).await, policy);
}

#[tokio::test]
async fn a_policy_seen_before_somebody_elses_change_is_stale() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let admin = org.admin();
    let policy = policy_of(&org).await;
    admin.put("/v1/org/policy", pulsn()).if_match(&json!(1)).await;
    let refused = admin.put("/v1/org/policy", policy.clone()).if_match(&json!(1)).refused("stale").await;
    assert_eq!(refused.status, 412);
    admin.put("/v1/org/policy", policy).if_match(&json!(2)).await;
}

#[tokio::test]
async fn a_new_policy_changes_the_terms_of_classes_not_yet_open() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ahead = org.class(json!({ "starts_at": "2026-03-12T18:00:00+01:00", "minimum": null })).await;
    changes_policy(&org, "/cancel/free_until", json!("PT4H")).await;
    changes_policy(&org, "/attendance/minimum", json!(7)).await;
    changes_policy(&org, "/booking/opens", json!({ "before": "P3D" })).await;
    let seen = org.desk().sees(&ahead).await;
    assert_eq!(seen.text("/terms/cancel_by"), "2026-03-12T14:00:00+01:00");
    assert_eq!(seen.text("/terms/opens_at"), "2026-03-09T18:00:00+01:00");
    assert_eq!((seen.at("/minimum"), seen.at("/revision")), (&json!(7), &json!(4)));
}

#[tokio::test]
async fn the_terms_of_an_open_class_are_frozen() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let open = org.class(json!({ "minimum": null })).await;
    let booking = ann.books(&open).await;
    let before = org.desk().sees(&open).await;
    org.admin().put("/v1/org/policy", pulsn()).await;
    assert_eq!(org.desk().sees(&open).await.body, before.body);
    world.sets_clock("2026-03-03T10:59:59.999Z").await;
    ann.cancels(&booking).becoming("cancelled").await;
    assert_eq!(org.class(json!({})).await.text("/terms/cancel_by"), "2026-03-03T11:00:00+01:00");
}

#[tokio::test]
async fn terms_freeze_at_the_opening_itself() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "starts_at": "2026-03-12T18:00:00+01:00" })).await;
    world.sets_clock("2026-03-05T17:59:59.999+01:00").await;
    changes_policy(&org, "/cancel/free_until", json!("PT4H")).await;
    assert_eq!(org.desk().sees(&class).await.text("/terms/cancel_by"), "2026-03-12T14:00:00+01:00");
    world.sets_clock("2026-03-05T18:00:00+01:00").await;
    changes_policy(&org, "/cancel/free_until", json!("PT6H")).await;
    assert_eq!(org.desk().sees(&class).await.text("/terms/cancel_by"), "2026-03-12T14:00:00+01:00");
}

#[tokio::test]
async fn a_classes_own_departure_outlives_a_change_of_policy() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let own = json!({ "cancel": { "free_until": "P1D" } });
    let class = org.class(json!({ "starts_at": "2026-03-12T18:00:00+01:00", "policy": own, "minimum": 2 })).await;
    changes_policy(&org, "/cancel/free_until", json!("PT4H")).await;
    changes_policy(&org, "/waitlist/max", json!(7)).await;
    let seen = org.desk().sees(&class).await;
    assert_eq!(seen.text("/terms/cancel_by"), "2026-03-11T18:00:00+01:00");
    assert_eq!((seen.at("/terms/waitlist_max"), seen.at("/minimum")), (&json!(7), &json!(2)));
}

#[tokio::test]
async fn a_departure_that_no_longer_fits_leaves_the_class_its_terms() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let own =
        json!({ "booking": { "opens": { "before": "P42D" } }, "cancel": { "late": "charged", "late_fee": 79000 } });
    let class = org.class(json!({ "starts_at": "2026-05-12T18:00:00+02:00", "policy": own, "minimum": 2 })).await;
    let plain = org.class(json!({ "starts_at": "2026-05-12T18:00:00+02:00" })).await;
    changes_policy(&org, "/booking/opens", json!({ "days": 2, "at": "08:00" })).await;
    changes_policy(&org, "/waitlist/max", json!(7)).await;
    assert_eq!(org.desk().sees(&class).await.at("/terms"), class.at("/terms"));
    assert_eq!(org.desk().sees(&plain).await.text("/terms/opens_at"), "2026-05-10T08:00:00+02:00");
    changes_policy(&org, "/booking/opens", json!({ "before": "P9D" })).await;
    let fits_again = org.desk().sees(&class).await;
    assert_eq!(fits_again.text("/terms/opens_at"), class.text("/terms/opens_at"));
    assert_eq!(
        (fits_again.at("/terms/late_cancel_fee"), fits_again.at("/terms/waitlist_max")),
        (&json!(79000), &json!(7))
    );
}

#[tokio::test]
async fn an_earlier_opening_opens_what_should_be_open_by_now() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({ "starts_at": "2026-03-12T18:00:00+01:00" })).await;
    changes_policy(&org, "/booking/opens", json!({ "before": "P30D" })).await;
    let seen = ann.sees(&class).await;
    assert_eq!((seen.text("/status"), seen.at("/can_book/allowed")), ("open", &json!(true)));
    ann.books(&class).await;
}

#[tokio::test]
async fn a_new_zone_moves_the_local_hours_of_classes_not_yet_open() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ahead = org.class(json!({ "starts_at": "2026-04-02T18:00:00+02:00" })).await;
    let open = org.class(json!({})).await;
    changes_policy(&org, "/timezone", json!("America/New_York")).await;
    let (ahead, open) = (org.desk().sees(&ahead).await, org.desk().sees(&open).await);
    // New York changed its clocks on 8 March, so a week before is a week of hours.
    assert_eq!(ahead.text("/terms/opens_at"), "2026-03-26T12:00:00-04:00");
    assert_eq!(
        (ahead.text("/terms/timezone"), open.text("/terms/timezone")),
        ("America/New_York", "Europe/Copenhagen")
    );
    assert_eq!(open.text("/terms/opens_at"), "2026-02-24T07:00:00-05:00", "written with the organisation's offset");
}

#[tokio::test]
async fn policy_changes_are_announced_with_the_classes_they_touch() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let class = org.class(json!({ "starts_at": "2026-03-12T18:00:00+01:00" })).await;
    org.class(json!({})).await;
    let before = org.cursor().await;
    changes_policy(&org, "/cancel/free_until", json!("PT4H")).await;
    let told = org.desk().events_after(&before).await;
    let names: Vec<&str> = told.items().iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(names, ["policy_changed", "class_changed"]);
    assert_eq!(told.items()[1]["class"], class.body["id"]);
    assert_eq!(told.items()[0]["by"], json!({ "sub": "admin", "role": "admin" }));
}

#[tokio::test]
async fn every_wrong_field_of_a_policy_is_told_at_once() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let mut policy = pulsn();
    policy["timezone"] = json!("Europe/Atlantis");
    policy["currency"] = json!("dkk");
    policy["booking"]["opens"] = json!({ "before": "7 days" });
    policy["cancel"]["late_fee"] = json!(-1);
    policy["waitlist"]["quiet"] = json!({ "from": "22:00", "until": "25:00" });
    policy["attendance"]["strikes"] = json!(0);
    policy["colour"] = json!("blue");
    let refused = org.admin().put("/v1/org/policy", policy).refused("invalid").await;
    let expected = [
        "/attendance/strikes",
        "/booking/opens/before",
        "/cancel/late_fee",
        "/colour",
        "/currency",
        "/timezone",
        "/waitlist/quiet/until",
    ];
    assert_eq!(refused.pointers(), expected);
}

#[tokio::test]
async fn clubs_are_put_renamed_and_listed_by_id() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let put = desk.put("/v1/clubs/city", json!({ "name": "City" })).await;
    assert_eq!(put.body, json!({ "id": "city", "name": "City" }));
    desk.put("/v1/clubs/city", json!({ "id": "city", "name": "Centre" })).await;
    desk.put("/v1/clubs/city", json!({ "id": "town", "name": "Centre" })).refused("invalid").await;
    let listed = org.member("ann").await.get("/v1/clubs").await;
    let expected =
        json!({ "items": [{ "id": "city", "name": "Centre" }, { "id": "main", "name": "Main" }], "next": null });
    assert_eq!(listed.body, expected);
    let first = desk.get("/v1/clubs?limit=1").await;
    assert_eq!(desk.get(&format!("/v1/clubs?cursor={}", first.text("/next"))).await.ids(), ["main"]);
}

#[tokio::test]
async fn what_a_policy_leaves_out_is_as_in_standard() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let standard = rollcall::domain::presets::preset("standard").unwrap().policy.to_json();
    let sent = json!({ "timezone": "Europe/Oslo", "cancel": { "late": "charged" }, "waitlist": { "quiet": null } });
    let mut expected = standard.clone();
    crate::support::api::merge(&mut expected, &json!({ "timezone": "Europe/Oslo", "cancel": { "late": "charged" } }));
    assert_eq!(org.admin().put("/v1/org/policy", sent.clone()).await.at("/policy"), &expected);
    let made = world.operator().put("/v1/orgs/made", json!({ "name": "Made", "policy": sent })).await;
    assert_eq!(made.at("/policy"), &expected);
    // A setting that has parts is whole or not there.
    let refused = org.admin().put("/v1/org/policy", json!({ "waitlist": { "quiet": { "from": "22:00" } } }));
    assert_eq!(refused.refused("invalid").await.pointers(), ["/waitlist/quiet/until"]);
}

#[tokio::test]
async fn stored_settings_that_cannot_be_read_are_named_and_end_no_list() {
    let world = World::new().await;
    let (lacking, odd, lost) = (world.org("pulsn-dk").await, world.org("pulsn-dk").await, world.org("standard").await);
    let sound = world.org("pulsn-dk").await;
    let standard = rollcall::domain::presets::preset("standard").unwrap().policy.to_json();
    let stores = |org: &Org, field: &str, value: &str| {
        let said = world.redis().tells(&format!("HSET rc:{{{}}}:org {field} '{value}'", org.id));
        assert!(said.starts_with(':'), "{said}");
    };
    let mut policy = policy_of(&lacking).await;
    policy["cancel"].as_object_mut().unwrap().remove("late_fee");
    policy.as_object_mut().unwrap().remove("retention");
    stores(&lacking, "policy", &policy.to_string());
    policy["waitlist"]["max"] = json!(9_999);
    policy["colour"] = json!("red");
    stores(&odd, "policy", &policy.to_string());

    let seen = lacking.desk().get("/v1/org").await;
    assert_eq!(seen.at("/policy/cancel/late_fee"), &standard["cancel"]["late_fee"]);
    assert_eq!(seen.at("/policy/cancel/free_until"), &policy["cancel"]["free_until"]);
    assert_eq!(seen.at("/policy/retention"), &standard["retention"]);
    assert!(seen.body.get("unreadable").is_none(), "{seen:?}");
    let seen = odd.desk().get("/v1/org").await;
    assert_eq!(seen.at("/policy/waitlist/max"), &standard["waitlist"]["max"]);
    let why = seen.at("/unreadable").as_str().unwrap();
    assert!(why.contains("/waitlist/max") && why.contains("/colour"), "{why}");
    // Everything else goes on under it, and its instants stay in its zone.
    let class = odd.class(json!({})).await;
    let ann = odd.member("ann").await;
    ann.books(&class).await;
    assert_eq!(ann.standing().await.at("/open_fees/currency"), "DKK");
    // A member and a class that an older version has left behind.
    let said = world.redis().tells(&format!("HSET rc:{{{}}}:member:ann born soon plan gold frozen none", odd.id));
    assert!(said.starts_with(':'), "{said}");
    let seen = odd.desk().get("/v1/members?query=ann").await;
    assert_eq!(seen.items()[0]["unreadable"], "born, plan, frozen");
    let said = world.redis().tells(&format!("HSET rc:{{{}}}:class:{} policy '{{}}' quiet x", odd.id, class.id()));
    assert!(said.starts_with(':'), "{said}");
    assert_eq!(odd.desk().get("/v1/classes").await.items()[0]["id"], json!(class.id()));
    odd.admin().put("/v1/org/policy", pulsn()).await;
    assert!(odd.desk().get("/v1/org").await.body.get("unreadable").is_none());
    odd.desk().upserts("ann", json!({})).await;
    assert!(odd.desk().get("/v1/members/ann").await.body.get("unreadable").is_none());

    stores(&lost, "time", "soon");
    let list = world.operator().get("/v1/orgs").await;
    let named: Vec<(&str, bool)> =
        list.items().iter().map(|org| (org["id"].as_str().unwrap(), org.get("unreadable").is_some())).collect();
    assert_eq!(named, [(&*lacking.id, false), (&*odd.id, false), (&*lost.id, true), (&*sound.id, false)]);
    assert_eq!(world.redis().tells(&format!("HDEL rc:{{{}}}:org time", lost.id)), ":1\r\n");
}
