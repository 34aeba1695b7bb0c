//! Members: taken over, erased, found, and what they have.

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn a_member_is_taken_over_found_and_erased() {
    let house = House::open(json!({})).await;
    house.person("ann", json!({ "name": "Ann Nord", "phone": "+45 20 30" })).await;
    house.person("ben", json!({ "name": "Ben" })).await;
    let pairs = [
        "name",
        "Cay",
        "plan",
        "unlimited",
        "status",
        "active",
        "clips",
        "",
        "clips_revision",
        "",
        "index",
        "[\"cay\"]",
        "frozen",
        "[]",
    ];
    let with_clubs = |clubs| [&["cay"], &pairs[..], &["clubs", clubs, "categories", "all"]].concat();
    let said = house.refuses("put_member", &with_clubs("[\"city\",\"nowhere\"]"), "invalid").await;
    assert_eq!(said.text(1), "/membership/clubs/1");
    assert_eq!(house.call("put_member", &with_clubs("[\"city\"]")).await.text(0), "cay");
    let before = house.cursor().await;
    assert_eq!(house.call("put_member", &with_clubs("[\"city\"]")).await.cursor, before);
    let found = async |query: &str| {
        let said = house.call("list_members", &[query, "10", ""]).await;
        said.payload[1..].iter().step_by(2).map(crate::said::text).collect::<Vec<_>>().join(" ")
    };
    for (query, expected) in [("", "ann ben cay"), ("an", "ann"), ("+4520", "ann"), ("ann nord", "ann"), ("zz", "")] {
        assert_eq!(found(query).await, expected, "{query:?}");
    }
    assert_eq!(house.call("list_members", &["", "2", ""]).await.text(0), "ben");
    let otherwise = [&with_clubs("all")[..], &["terms", "[]", "read_at", "7"]].concat();
    let said = house.call("put_member", &otherwise).await;
    assert_eq!((said.tag.as_str(), said.text(0).as_str(), said.text(2).as_str()), ("RETRY", "1", "Europe/Copenhagen"));
    assert_eq!(house.call("list_members", &["4", "10", "", "7", ""]).await.tag, "RETRY");
    for cursor in ["nonsense", "obert\tben", "n1:1:nzoe\tben", "n1:9:nan\tben", "n1:1", "n9999:1:x"] {
        let by = json!({ "alone": [], "words": [["nan"]] }).to_string();
        let said = house.refuses("list_members", &["an", "10", cursor, "", &by], "invalid").await;
        assert_eq!(said.text(1), "/cursor", "{cursor}");
    }
    house.refuses("list_members", &["an", "10", "obert\tben"], "invalid").await;
    house.refuses("read_member", &["nobody"], "not_found").await;
    assert_eq!(house.call("read_member", &["ann"]).await.field("name"), "Ann Nord");
    house.refuses("erase_member", &["nobody"], "not_found").await;
    assert_eq!(house.call("erase_member", &["ann"]).await.tag, "ERASED");
    let before = house.cursor().await;
    assert_eq!(house.call("erase_member", &["ann"]).await.cursor, before);
    house.refuses("read_member", &["ann"], "not_found").await;
    house.refuses("read_standing", &["ann", "", ""], "not_found").await;
    assert_eq!(found("").await, "ben cay");
    assert_eq!(found("an").await, "");
    for (function, refusals) in [
        ("put_member", "invalid"),
        ("read_member", "not_found"),
        ("list_members", "invalid"),
        ("erase_member", "not_found"),
    ] {
        house.has_heard_all(function, refusals);
    }
    house.is_sound().await;
}

#[tokio::test]
async fn one_call_looks_at_200_whom_the_rarest_word_finds_and_goes_on_from_there() {
    let house = House::open(json!({})).await;
    let by = json!({ "alone": [], "words": [["naa"], ["nbb"]] }).to_string();
    for n in 0..201 {
        house.person(&format!("a{n:03}"), json!({ "name": "Aa" })).await;
        house.person(&format!("b{n:03}"), json!({ "name": "Bb" })).await;
        if n < 199 {
            continue;
        }
        let said = house.call("list_members", &["aa bb", "10", "", "", &by]).await;
        let next = said.text(0);
        assert_eq!((said.payload.len(), next.is_empty()), (1, n < 200), "{} of each", n + 1);
        if n == 200 {
            house.person("z", json!({ "name": "Aa Bb" })).await;
            let said = house.call("list_members", &["aa bb", "10", &next, "", &by]).await;
            assert_eq!((said.text(0).as_str(), said.text(1).as_str(), said.payload.len()), ("", "z", 3));
        }
    }
}

#[tokio::test]
async fn nothing_of_an_erased_person_is_left_but_ids() {
    let house = House::open(json!({})).await;
    house
        .person(
            "m-1",
            json!({ "name": "Xanthippe", "email": "xan@example.com", "phone": "+4512345678", "born": "1990-01-01" }),
        )
        .await;
    house.members("ben").await;
    house.class("k", json!({ "capacity": 1 })).await;
    house.all_book("m-1 ben", "k").await;
    house.call("erase_member", &["m-1"]).await;
    assert_eq!(house.statuses("m-1 ben", "k").await, "cancelled booked");
    // A remembered reply may quote the member for as long as it is remembered; it is written over by nothing else.
    let _: i64 = house.command(redis::cmd("EVAL").arg("local n = 0 for _, k in ipairs(redis.call('KEYS', '*done:*')) do n = n + redis.call('DEL', k) end return n").arg(0)).await;
    for (key, content) in house.dump().await {
        let content = String::from_utf8_lossy(&content).into_owned();
        for personal in ["Xanthippe", "xanthippe", "xan@", "4512345678", "1990-01-01"] {
            assert!(!content.contains(personal), "{key} holds {personal}");
        }
    }
    house.is_sound().await;
}

#[tokio::test]
async fn clips_are_applied_once_for_each_revision() {
    let house = House::open(json!({})).await;
    for (membership, expected) in [
        (json!({ "plan": "clips", "clips": 5 }), "5"),
        (json!({ "plan": "clips", "clips": 7 }), "7"),
        (json!({ "plan": "clips" }), "7"),
        (json!({ "plan": "clips", "clips": 9, "clips_revision": "r1" }), "9"),
        (json!({ "plan": "clips", "clips": 3, "clips_revision": "r1" }), "9"),
        (json!({ "plan": "clips", "clips": 3 }), "9"),
        (json!({ "plan": "clips", "clips_revision": "r2" }), "9"),
        (json!({ "plan": "clips", "clips": 4, "clips_revision": "r2" }), "9"),
        (json!({ "plan": "clips", "clips": 4, "clips_revision": 3 }), "4"),
    ] {
        house.member("ann", membership.clone()).await;
        assert_eq!(house.field("member:ann", "clips").await, expected, "{membership}");
    }
    house.is_sound().await;
}

#[tokio::test]
async fn what_a_member_has_is_listed_and_summed_up() {
    let house = House::open(json!({ "booking": { "daily_limit": 3 } })).await;
    house.members("ann").await;
    house.member("clip", json!({ "plan": "clips", "clips": 2 })).await;
    for (id, starts_at) in [("a", "2026-03-03T09:00:00Z"), ("b", "2026-03-04T09:00:00Z"), ("c", "2026-03-04T12:00:00Z")]
    {
        house.class(id, json!({ "starts_at": starts_at })).await;
        house.all_book("ann", id).await;
    }
    house.all_book("clip", "a").await;
    house.refuses("list_bookings", &["nobody", "", "10", "", ""], "not_found").await;
    house.refuses("read_standing", &["nobody", "", ""], "not_found").await;
    house.refuses("read_booking", &["nothing", ""], "not_found").await;
    house.refuses("read_booking", &[&house.id("ann", "a"), "clip"], "not_found").await;
    assert_eq!(house.call("read_booking", &[&house.id("ann", "a"), "ann"]).await.field("class"), "a");
    house.at("2026-03-03T10:00:00Z").await;
    let list = async |when: &str, limit: &str, after: [&str; 2]| {
        let said = house.call("list_bookings", &["ann", when, limit, after[0], after[1]]).await;
        let records = (2..said.payload.len()).map(|index| said.record(index)["class"].clone());
        (records.collect::<Vec<_>>().join(" "), said.text(0))
    };
    assert_eq!(list("upcoming", "10", ["", ""]).await.0, "b c");
    assert_eq!(list("past", "10", ["", ""]).await.0, "a");
    assert_eq!(list("", "10", ["", ""]).await.0, "c b a");
    let (page, next) = list("", "2", ["", ""]).await;
    assert_eq!(page, "c b");
    assert_eq!(list("", "2", [&next, &house.id("ann", "b")]).await.0, "a");
    let standing = house.call("read_standing", &["ann", "", ""]).await;
    assert_eq!(standing.record(0)["upcoming"], "2");
    assert_eq!(
        standing.record(2),
        [("2026-03-03", "1"), ("2026-03-04", "2")].map(|(d, n)| (d.to_owned(), n.to_owned())).into()
    );
    assert_eq!(house.call("read_standing", &["clip", "", ""]).await.record(0)["clips"], "1");
    for (function, refusals) in
        [("list_bookings", "not_found"), ("read_standing", "not_found"), ("read_booking", "not_found")]
    {
        house.has_heard_all(function, refusals);
    }
}

#[tokio::test]
async fn a_membership_that_ends_or_freezes_gives_its_places_back() {
    let house = House::open(json!({})).await;
    house.members("ann ben cay dan").await;
    house.class("thu", json!({ "capacity": 1 })).await;
    house.class("fri", json!({ "capacity": 1, "starts_at": "2026-03-06T17:00:00Z" })).await;
    for class in ["thu", "fri"] {
        house.all_book("ann ben cay", class).await;
    }
    house.member("ann", json!({ "valid_until": "2026-03-05" })).await;
    assert_eq!(house.statuses("ann ben cay", "thu").await, "booked waitlisted waitlisted");
    assert_eq!(house.statuses("ann ben cay", "fri").await, "cancelled booked waitlisted");
    house.member("cay", json!({ "frozen": [{ "from": "2026-03-06", "until": "2026-03-06" }] })).await;
    assert_eq!(house.status("cay", "fri").await, "cancelled");
    assert_eq!(house.status("cay", "thu").await, "waitlisted");
    house.member("ann", json!({ "status": "ended" })).await;
    assert_eq!(house.statuses("ann ben cay", "thu").await, "cancelled booked waitlisted");
    // Blocked: keeps what is booked, and is passed over.
    house.member("cay", json!({ "status": "blocked" })).await;
    house.all_book("dan", "thu").await;
    house.cancels("ben", "thu").await;
    assert_eq!(house.statuses("cay dan", "thu").await, "waitlisted booked");
    house.cancels("dan", "thu").await;
    house.member("cay", json!({})).await;
    assert_eq!(house.status("cay", "thu").await, "booked");
    house.is_sound().await;
}
