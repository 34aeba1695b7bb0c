//! Members as the membership system tells of them: taken over, found, frozen, ended and erased.

use serde_json::{Value, json};

use crate::support::api::{Named, Org, World};

/// What the membership system says of clips.
async fn says_clips(org: &Org, clips: Value, revision: Value) -> u64 {
    org.desk().upserts("ann", json!({ "plan": "clips", "clips": clips, "clips_revision": revision })).await;
    org.clips(&org.caller("ann", "member")).await
}

#[tokio::test]
async fn a_member_is_taken_over_in_full_and_read_back() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let body = json!({
        "name": " Ann Ås ", "email": "ann@example.com", "phone": "+45 12-34 (56)", "born": "1990-02-28",
        "language": "da",
        "membership": {
            "plan": "clips", "status": "active", "clips": 10, "clips_revision": 7, "valid_from": "2026-01-01",
            "valid_until": "2026-12-31", "clubs": ["main"], "categories": ["yoga", "pool"],
            "frozen": [{ "from": "2026-07-01", "until": "2026-07-31" }],
        },
    });
    let put = desk.put("/v1/members/ann", body.clone()).await;
    let mut expected = body;
    expected["id"] = json!("ann");
    expected["name"] = json!("Ann Ås");
    expected["phone"] = json!("+45 12-34 (56)");
    expected["membership"]["clips_revision"] = json!("7");
    assert_eq!(put.body, expected);
    assert_eq!(desk.get("/v1/members/ann").await.body, expected);
    assert_eq!(org.caller("ann", "member").get("/v1/me").await.body, expected);
    let cursor = put.cursor.clone();
    let again = desk.put("/v1/members/ann", expected.clone()).await;
    assert_eq!((again.body, again.cursor), (expected, cursor), "what was read can be put back and changes nothing");
}

#[tokio::test]
async fn a_member_needs_only_a_name_and_a_membership() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let put = org
        .desk()
        .put("/v1/members/ann", json!({ "name": "Ann", "membership": { "plan": "unlimited", "status": "active" } }))
        .await;
    let membership =
        json!({ "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all", "frozen": [] });
    assert_eq!(put.body, json!({ "id": "ann", "name": "Ann", "membership": membership }));
}

#[tokio::test]
async fn an_upsert_replaces_everything_but_the_clips() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let membership = json!({ "plan": "clips", "status": "active", "clips": 3, "valid_until": "2026-12-31" });
    desk.put("/v1/members/ann", json!({ "name": "Ann", "phone": "12345678", "membership": membership })).await;
    desk.put("/v1/members/ann", json!({ "name": "Anna", "membership": { "plan": "clips", "status": "active" } })).await;
    let seen = desk.get("/v1/members/ann").await;
    assert_eq!(
        (seen.text("/name"), seen.at("/phone"), seen.at("/membership/valid_until")),
        ("Anna", &json!(null), &json!(null))
    );
    assert_eq!(seen.at("/membership/clips"), &json!(3));
}

#[tokio::test]
async fn a_membership_can_name_only_clubs_there_are() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let refused = org.desk().upserts("ann", json!({ "clubs": ["main", "nowhere"] })).refused("invalid").await;
    assert_eq!((refused.status, refused.pointers()), (422, vec!["/membership/clubs/1".to_owned()]));
    org.desk().get("/v1/members/ann").refused("not_found").await;
}

#[tokio::test]
async fn without_revisions_a_number_of_clips_overwrites() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    assert_eq!(says_clips(&org, json!(5), json!(null)).await, 5);
    assert_eq!(says_clips(&org, json!(2), json!(null)).await, 2);
    assert_eq!(says_clips(&org, json!(null), json!(null)).await, 2);
}

#[tokio::test]
async fn a_revision_is_applied_once() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    assert_eq!(says_clips(&org, json!(5), json!("r1")).await, 5);
    let ann = org.caller("ann", "member");
    ann.books(&org.class(json!({})).await).await;
    assert_eq!(org.clips(&ann).await, 4);
    assert_eq!(says_clips(&org, json!(5), json!("r1")).await, 4, "the same revision again");
    assert_eq!(says_clips(&org, json!(9), json!("r1")).await, 4, "the same revision with another number");
    assert_eq!(says_clips(&org, json!(9), json!("r2")).await, 9);
    assert_eq!(says_clips(&org, json!(3), json!(1)).await, 3, "another revision, not a later one");
    assert_eq!(says_clips(&org, json!(8), json!("1")).await, 3, "a number is its digits");
}

#[tokio::test]
async fn the_last_revision_survives_upserts_without_one() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    assert_eq!(says_clips(&org, json!(5), json!("r1")).await, 5);
    assert_eq!(says_clips(&org, json!(1), json!(null)).await, 5, "a number without a revision, where one is known");
    assert_eq!(says_clips(&org, json!(null), json!(null)).await, 5);
    assert_eq!(says_clips(&org, json!(7), json!("r1")).await, 5);
    assert_eq!(says_clips(&org, json!(7), json!("r2")).await, 7);
}

#[tokio::test]
async fn a_revision_without_a_number_is_not_yet_applied() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    assert_eq!(says_clips(&org, json!(5), json!("r1")).await, 5);
    assert_eq!(says_clips(&org, json!(null), json!("r2")).await, 5);
}

#[tokio::test]
async fn an_ended_membership_gives_every_place_ahead_back() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "waitlist": { "mode": "offer" } })).await;
    let [ann, bob] = org.members(["ann", "bob"]).await;
    let (first, second) = (
        org.full_class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await,
        org.full_class(json!({ "starts_at": "2026-03-05T12:00:00Z" })).await,
    );
    let class = org.class(json!({ "capacity": 1 })).await;
    let booked = ann.books(&class).await;
    let (offered, waiting) = (ann.queues_for(&first).await, ann.queues_for(&second).await);
    let behind = [bob.queues_for(&class).await, bob.queues_for(&first).await];
    first.frees().await;
    org.finds(&offered, "offered").await;
    org.desk().upserts("ann", json!({ "status": "ended" })).await;
    for booking in [&booked, &offered, &waiting] {
        org.finds(booking, "cancelled").await;
    }
    for place in &behind {
        org.finds(place, "offered").await;
    }
    assert_eq!(ann.standing().await.at("/upcoming"), &json!(0));
    let told = org.told(&class, "booking_cancelled").await;
    assert_eq!((&told[0]["data"]["reason"], &told[0]["by"]["sub"]), (&json!("membership_ended"), &json!("desk")));
}

#[tokio::test]
async fn a_membership_that_ends_on_a_day_gives_back_what_is_after_it() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let on_the_day = ann.books(&org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await).await;
    let after = ann.books(&org.class(json!({ "starts_at": "2026-03-05T12:00:00Z" })).await).await;
    org.desk().upserts("ann", json!({ "valid_until": "2026-03-04" })).await;
    org.finds(&on_the_day, "booked").await;
    org.finds(&after, "cancelled").await;
}

#[tokio::test]
async fn a_new_freeze_gives_back_what_lies_in_it() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let before = ann.books(&org.class(json!({ "starts_at": "2026-03-03T12:00:00Z" })).await).await;
    let within = ann.books(&org.class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await).await;
    let waiting = ann.queues_for(&org.full_class(json!({ "starts_at": "2026-03-05T12:00:00Z" })).await).await;
    let after = ann.books(&org.class(json!({ "starts_at": "2026-03-06T12:00:00Z" })).await).await;
    org.desk().upserts("ann", json!({ "frozen": [{ "from": "2026-03-04", "until": "2026-03-05" }] })).await;
    for (booking, status) in [(&before, "booked"), (&within, "cancelled"), (&waiting, "cancelled"), (&after, "booked")]
    {
        org.finds(booking, status).await;
    }
}

#[tokio::test]
async fn what_the_club_takes_back_is_free_inside_the_cutoff_too() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", json!({ "plan": "clips", "clips": 1 })).await;
    let booking = ann.books(&org.class(json!({})).await).await;
    world.sets_clock("2026-03-03T11:59:59.999Z").await;
    org.desk().upserts("ann", json!({ "plan": "clips", "status": "ended" })).await;
    org.finds(&booking, "cancelled").await;
    assert_eq!(org.clips(&ann).await, 1);
    assert!(org.desk().fees().await.items().is_empty());
}

#[tokio::test]
async fn a_class_under_way_is_not_ahead() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let booking = ann.books(&org.class(json!({})).await).await;
    world.sets_clock("2026-03-03T12:00:00Z").await;
    org.desk().upserts("ann", json!({ "status": "ended" })).await;
    org.finds(&booking, "booked").await;
}

#[tokio::test]
async fn a_blocked_member_keeps_what_is_booked() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let booking = ann.books(&org.class(json!({})).await).await;
    let place = ann.queues_for(&org.full_class(json!({ "starts_at": "2026-03-04T12:00:00Z" })).await).await;
    org.desk().upserts("ann", json!({ "status": "blocked" })).await;
    org.finds(&booking, "booked").await;
    org.finds(&place, "waitlisted").await;
    ann.cancels(&booking).becoming("cancelled").await;
}

#[tokio::test]
async fn an_erased_member_is_gone_with_name_and_contact() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let body = json!({
        "name": "Ann Unusual", "email": "ann.unusual@example.com", "phone": "+4599887766", "born": "1990-01-01",
        "membership": { "plan": "unlimited", "status": "active" },
    });
    desk.put("/v1/members/ann", body).await;
    let ann = org.caller("ann", "member");
    let full = org.full_class(json!({})).await;
    let place = ann.queues_for(&full).await;
    let (ahead, bob) =
        (org.class(json!({ "starts_at": "2026-03-04T12:00:00Z", "capacity": 1 })).await, org.member("bob").await);
    let booking = ann.books(&ahead).await;
    let behind = bob.queues_for(&ahead).await;
    desk.erases(&ann).await;
    org.finds(&booking, "cancelled").await;
    org.finds(&place, "cancelled").await;
    org.finds(&behind, "booked").await;
    desk.get("/v1/members/ann").refused("not_found").await;
    ann.get("/v1/me").refused("not_found").await;
    ann.standing().refused("not_found").await;
    ann.books(&full).refused("not_found").await;
    for query in ["ann", "unusual", "%2B4599887766", "Ann"] {
        assert_eq!(desk.get(&format!("/v1/members?query={query}")).await.items().len(), 0, "{query}");
    }
    for path in [
        format!("/v1/classes/{}/history", ahead.id()),
        "/v1/events?limit=200".to_owned(),
        format!("/v1/classes/{}/roster", ahead.id()),
    ] {
        let text = desk.get(&path).await.body.to_string().to_lowercase();
        assert!(!text.contains("unusual") && !text.contains("99887766"), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_past_roster_keeps_an_erased_members_line_without_the_name() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    ann.books(&class).await;
    world.sets_clock("2026-03-03T12:05:00Z").await;
    org.desk().erases(&ann).await;
    let roster = org.desk().roster(&class).await;
    assert_eq!((roster.text("/bookings/0/member"), roster.text("/bookings/0/name")), ("ann", ""));
}

#[tokio::test]
async fn erasing_again_changes_nothing_and_the_unknown_cannot_be_erased() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let first = org.desk().erases(&ann).await;
    let again = org.desk().erases(&ann).await;
    assert_eq!(first.cursor, again.cursor);
    org.desk().erases(&org.caller("nobody", "member")).refused("not_found").await;
}

#[tokio::test]
async fn an_erased_id_can_belong_to_somebody_new() {
    let world = World::new().await;
    let org = world.org("pulsn-dk").await;
    let ann = org.member_with("ann", json!({ "plan": "clips", "clips": 4, "clips_revision": "r1" })).await;
    org.desk().erases(&ann).await;
    org.desk().upserts("ann", json!({ "plan": "clips", "clips": 2, "clips_revision": "r1" })).await;
    assert_eq!(org.clips(&ann).await, 2);
    ann.books(&org.class(json!({})).await).await;
}

#[tokio::test]
async fn members_are_found_by_the_beginning_of_id_phone_or_part_of_the_name() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    for (id, name, phone) in [
        ("m-1", "Åse Løkke", "+45 11 22 33 44"),
        ("m-2", "Asta Holm", "22334455"),
        ("m-3", "Bo Åsen", "+4533445566"),
        ("x-1", "ASTRID Ø", "44556677"),
    ] {
        let membership = json!({ "plan": "unlimited", "status": "active" });
        desk.put(&format!("/v1/members/{id}"), json!({ "name": name, "phone": phone, "membership": membership })).await;
    }
    for (query, expected) in [
        ("m-", vec!["m-1", "m-2", "m-3"]),
        ("M-2", vec!["m-2"]),
        ("as", vec!["m-1", "m-2", "m-3", "x-1"]),
        ("AST", vec!["m-2", "x-1"]),
        ("%C3%85se", vec!["m-1", "m-3"]),
        ("%C3%A5SE+l", vec!["m-1"]),
        ("bo", vec!["m-3"]),
        ("holm", vec!["m-2"]),
        ("a", vec!["m-1", "m-2", "m-3", "x-1"]),
        ("%2B45", vec!["m-1", "m-2", "m-3", "x-1"]),
        ("%2B45+11", vec!["m-1"]),
        ("2233", vec!["m-2"]),
        ("44-55", vec!["x-1"]),
        ("44.55/6", vec!["x-1"]),
        ("-", vec![]),
        ("%28", vec![]),
        ("nobody", vec![]),
    ] {
        let mut found: Vec<String> =
            desk.get(&format!("/v1/members?query={query}")).await.ids().into_iter().map(str::to_owned).collect();
        found.sort();
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn who_is_found_twice_is_listed_once() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let membership = json!({ "plan": "unlimited", "status": "active" });
    org.desk().put("/v1/members/ann", json!({ "name": "Ann", "membership": membership })).await;
    assert_eq!(org.desk().get("/v1/members?query=an").await.ids(), ["ann"]);
}

#[tokio::test]
async fn a_changed_name_is_found_and_the_old_one_is_not() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let membership = json!({ "plan": "unlimited", "status": "active" });
    for name in ["Maiden", "Married"] {
        org.desk().put("/v1/members/m1", json!({ "name": name, "membership": membership })).await;
    }
    assert_eq!(org.desk().get("/v1/members?query=maiden").await.items().len(), 0);
    assert_eq!(org.desk().get("/v1/members?query=married").await.ids(), ["m1"]);
}

#[tokio::test]
async fn all_members_come_by_id_page_by_page() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.members(["dot", "ann", "cid", "bob", "eve"]).await;
    let desk = org.desk();
    assert_eq!(desk.get("/v1/members").await.ids(), ["ann", "bob", "cid", "dot", "eve"]);
    for query in ["", "&query=b"] {
        let whole = desk.get(&format!("/v1/members?limit=200{query}")).await;
        let mut found: Vec<String> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = desk.get(&format!("/v1/members?limit=2{query}{cursor}")).await;
            found.extend(page.ids().into_iter().map(str::to_owned));
            match page.at("/next").as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, whole.ids(), "{query}");
    }
}

#[tokio::test]
async fn an_id_may_hold_what_identity_providers_put_into_it() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let id = "auth0|ann.b_c~d@example.com+e-f";
    let written = "auth0%7Cann.b_c~d@example.com+e-f";
    let membership = json!({ "plan": "unlimited", "status": "active" });
    let put = desk.put(&format!("/v1/members/{written}"), json!({ "name": "Ann", "membership": membership })).await;
    assert_eq!(put.id(), id);
    let ann = org.caller(id, "member");
    let class = org.class(json!({ "id": id })).await;
    let booking = ann.books(&written).await;
    assert_eq!((booking.text("/class"), booking.text("/member")), (id, id));
    assert_eq!(ann.get("/v1/me").await.id(), id);
    assert_eq!(ann.get(&format!("/v1/members/{written}/standing")).await.at("/upcoming"), &json!(1));
    assert_eq!(desk.get(&format!("/v1/bookings?member={}", written.replace('+', "%2B"))).await.items().len(), 1);
    assert_eq!(desk.get(&format!("/v1/members?query={}", "AUTH0%7Cann")).await.ids(), [id]);
    assert_eq!(desk.roster(&written).await.at("/class/id"), class.at("/id"));
}
