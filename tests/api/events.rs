//! The event stream: every change, in order, without gaps, and a clear word when it no longer reaches back.

use serde_json::{Value, json};

use crate::support::api::World;

fn number(event: &Value) -> u64 {
    event["cursor"].as_str().unwrap().split_once('-').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn changes_are_numbered_without_gaps_from_the_first() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let full = org.full_class(json!({})).await;
    ann.queues_for(&full).await;
    full.frees().await;
    world.sets_clock("2026-03-03T12:05:00Z").await;
    let all = org.desk().get("/v1/events?limit=200").await;
    let numbers: Vec<u64> = all.items().iter().map(number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let names: Vec<&str> = all.items().iter().filter_map(|event| event["event"].as_str()).collect();
    let expected = [
        "policy_changed",
        "club_changed",
        "member_changed",
        "class_published",
        "member_changed",
        "booking_confirmed",
        "waitlist_joined",
        "booking_cancelled",
        "booking_promoted",
        "class_started",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn after_0_is_the_beginning_as_in_the_ledger() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    assert_eq!(desk.get("/v1/events?after=0").await.body, desk.get("/v1/events").await.body);
    desk.get("/v1/events?after=1").refused("invalid").await;
}

#[tokio::test]
async fn a_line_says_what_happened_to_whom_by_whom_and_when() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let before = org.cursor().await;
    let booking = ann.books(&class).await;
    let told = org.desk().events_after(&before).await;
    let mut line = told.items()[0].clone();
    let data = line.as_object_mut().unwrap().remove("data").unwrap();
    let expected = json!({
        "cursor": booking.cursor, "event": "booking_confirmed", "at": "2026-03-02T09:00:00+01:00",
        "class": class.body["id"], "booking": booking.body["id"], "member": "ann",
        "by": { "sub": "ann", "role": "member" },
    });
    assert_eq!(line, expected);
    assert_eq!(data["status"], "booked");
}

#[tokio::test]
async fn the_stream_is_read_on_from_any_cursor() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.members(["ann", "bob", "cid", "dot"]).await;
    let desk = org.desk();
    let all = desk.get("/v1/events?limit=200").await;
    for (index, event) in all.items().iter().enumerate() {
        let rest = desk.events_after(event["cursor"].as_str().unwrap()).await;
        assert_eq!(rest.items(), &all.items()[index + 1..]);
    }
    assert_eq!(desk.events_after("0-0").await.items(), all.items());
}

#[tokio::test]
async fn pages_of_the_stream_follow_each_other() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.members(["ann", "bob", "cid", "dot"]).await;
    let desk = org.desk();
    let all = desk.get("/v1/events?limit=200").await;
    assert_eq!(all.at("/next"), &json!(null));
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = desk.get(&format!("/v1/events?limit=2{after}")).await;
        found.extend(page.items().to_vec());
        match page.at("/next").as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(found, all.items());
}

#[tokio::test]
async fn a_cursor_the_stream_no_longer_reaches_is_gone() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.members(["ann", "bob", "cid"]).await;
    let desk = org.desk();
    let all = desk.get("/v1/events?limit=200").await;
    let cursor = |index: usize| all.items()[index]["cursor"].as_str().unwrap().to_owned();
    world.redis().tells(&format!("XTRIM rc:{{{}}}:events MAXLEN 2", org.id));
    for gone in ["0-0".to_owned(), cursor(0), cursor(1)] {
        let refused = desk.events_after(&gone).refused("cursor_gone").await;
        assert_eq!(refused.status, 410, "{gone}");
    }
    assert_eq!(desk.events_after(&cursor(3)).await.items().len(), 1);
    assert_eq!(desk.get("/v1/events").await.items().len(), 2, "without a cursor: from the oldest kept");
}

#[tokio::test]
async fn a_cursor_that_never_was_is_gone_and_never_skipped() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let desk = org.desk();
    let last = org.cursor().await;
    let ms = last.split_once('-').unwrap().0;
    for never in [
        format!("{ms}-999"),
        "1-1".to_owned(),
        "99999999999999-1".to_owned(),
        format!("{}-2", ms.parse::<u64>().unwrap() - 1),
    ] {
        desk.events_after(&never).refused("cursor_gone").await;
    }
    for no_cursor in ["x", "1", "-", "1-", "-1", "1-x", "-1-1", "1-1-1", "18446744073709551616-0", "%20"] {
        let refused = desk.events_after(no_cursor).refused("invalid").await;
        assert_eq!(refused.status, 422, "{no_cursor}");
        assert!(refused.pointers().iter().all(|p| p == "/after" || p == "/cursor"), "{:?}", refused.pointers());
    }
}

#[tokio::test]
async fn going_back_in_time_keeps_the_order_of_the_stream() {
    let world = World::new().await;
    let org = world.org("standard").await;
    org.member("ann").await;
    world.sets_clock("2026-03-01T08:00:00Z").await;
    org.member("bob").await;
    let all = org.desk().get("/v1/events?limit=200").await;
    let last = &all.items()[all.items().len() - 1];
    let before = &all.items()[all.items().len() - 2];
    let ms = |event: &Value| event["cursor"].as_str().unwrap().split_once('-').unwrap().0.parse::<u64>().unwrap();
    assert!(ms(last) >= ms(before));
    assert_eq!((number(last), last["at"].as_str()), (number(before) + 1, Some("2026-03-01T09:00:00+01:00")));
}

#[tokio::test]
async fn what_falls_due_is_told_in_due_order_with_its_own_instants() {
    let world = World::new().await;
    let org = world.org("standard").await;
    for (id, starts_at) in
        [("late", "2026-03-10T12:00:00Z"), ("early", "2026-03-10T10:00:00Z"), ("same", "2026-03-10T12:00:00Z")]
    {
        org.class(json!({ "id": id, "starts_at": starts_at, "minutes": 120 })).await;
    }
    let before = org.cursor().await;
    world.sets_clock("2026-03-10T13:00:00Z").await;
    let told = org.desk().events_after(&before).await;
    let lines: Vec<(&str, &str, &str)> = told
        .items()
        .iter()
        .map(|e| (e["event"].as_str().unwrap(), e["class"].as_str().unwrap(), &e["at"].as_str().unwrap()[..16]))
        .collect();
    let expected = [
        ("class_opened", "early", "2026-03-03T11:00"),
        ("class_opened", "late", "2026-03-03T13:00"),
        ("class_opened", "same", "2026-03-03T13:00"),
        ("class_started", "early", "2026-03-10T11:00"),
        ("class_finished", "early", "2026-03-10T13:00"),
        ("class_started", "late", "2026-03-10T13:00"),
        ("class_started", "same", "2026-03-10T13:00"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn only_changes_are_told() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let ann = org.member("ann").await;
    let class = org.class(json!({})).await;
    let booking = ann.books(&class).await;
    let before = org.cursor().await;
    ann.books(&class).again().await;
    ann.previews_cancelling(&booking).await;
    ann.accepts(&booking).refused("not_offered").await;
    org.desk().upserts("ann", json!({})).await;
    org.desk().changes(&class, json!({ "title": "Yoga" })).await;
    org.caller("nobody", "member").books(&class).refused("not_found").await;
    world.sets_clock("2026-03-02T09:00:00Z").await;
    assert_eq!(org.desk().events_after(&before).await.items().len(), 0);
}

#[tokio::test]
async fn organisations_have_streams_of_their_own() {
    let world = World::new().await;
    let (one, two) = (world.org("standard").await, world.org("standard").await);
    one.member("ann").await;
    let of = async |org: &crate::support::api::Org| org.desk().get("/v1/events?limit=200").await.items().len();
    assert_eq!((of(&one).await, of(&two).await), (3, 2));
}
