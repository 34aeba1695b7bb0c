//! What a read looks at has a bound, however much there is; what one HTTP answer or one document needs beyond it is read
//! in bites that fit together.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use futures_util::future::join_all;
use rollcall::domain::ids::{ClassId, MemberId};
use rollcall::store::bookings::{Roster, When};
use rollcall::store::parts::{Part, PartName};
use serde_json::json;

use crate::house::{House, ms};
use crate::said::Said;

/// Stored things one call of a reading function looks at, at most: a page of 200, and whether there is more.
const LOOKED_AT_MAX: u32 = 205;

/// Calls under way at once while a large state is built.
const AT_ONCE: usize = 500;

/// Microseconds no reading function may take, by Redis's own log of slow calls; the machine may be busy with others.
const SLOW_US: u32 = 50_000;

impl House {
    /// A reading call, which is held to the bound.
    async fn looks(&self, function: &str, args: &[&str]) -> Said {
        let said = self.call(function, args).await;
        assert!(said.spent <= LOOKED_AT_MAX, "{function} {args:?} looked at {}", said.spent);
        said
    }

    /// Many calls of a writing function, some hundreds at a time.
    async fn calls_many(&self, function: &str, many: &[Vec<String>]) {
        for batch in many.chunks(AT_ONCE) {
            let calls = batch.iter().enumerate().map(async |(number, args)| {
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let command = format!("{function} {number} {}", args.join(" "));
                self.asks(&command, "as it was", "", function, &args)
                    .await
                    .unwrap_or_else(|error| panic!("{args:?}: {error}"))
            });
            for said in join_all(calls).await {
                assert_ne!(said.tag, "REFUSED", "{function}: {said:?}");
            }
        }
    }

    /// So many members, `m-0000` and on.
    async fn crowd(&self, many: usize) -> Vec<String> {
        let names: Vec<String> = (0..many).map(|number| format!("m-{number:04}")).collect();
        let args = |id: &String| {
            let fields = ["name", "plan", "status", "clubs", "categories", "frozen", "index"];
            let values =
                [id.as_str(), "unlimited", "active", "all", "all", "[]", &format!("[\"{id}\"]")].map(str::to_owned);
            let pairs = fields.into_iter().map(str::to_owned).zip(values);
            [id.clone()].into_iter().chain(pairs.flat_map(|(name, value)| [name, value])).collect()
        };
        self.calls_many("put_member", &names.iter().map(args).collect::<Vec<_>>()).await;
        names
    }

    /// Each of them books the class, in some order.
    async fn all_of_crowd_book(&self, members: &[String], class: &str) {
        let book = |member: &String| {
            [class, member, &format!("{class}-{member}"), "1", ""].into_iter().map(str::to_owned).collect()
        };
        self.calls_many("book", &members.iter().map(book).collect::<Vec<_>>()).await;
    }

    /// Reads parts as the store does, and holds each call to the bound; how many calls it took, and how many lines came.
    async fn gathers(&self, kind: &str, name: &str, detail: &str) -> (usize, usize) {
        let mut asked: VecDeque<(String, String)> = VecDeque::from([(kind.to_owned(), name.to_owned())]);
        let (mut calls, mut lines) = (0, 0);
        while !asked.is_empty() {
            let batch: Vec<_> = asked.drain(..asked.len().min(64)).collect();
            let args: Vec<&str> = batch.iter().flat_map(|(kind, name)| [kind.as_str(), name.as_str()]).collect();
            let said = self.looks("read_parts", &args).await;
            calls += 1;
            for (part, want) in said.payload[2..].iter().zip(batch) {
                match part {
                    redis::Value::BulkString(_) => asked.push_back(want),
                    redis::Value::Array(parts) if want.0 == kind => {
                        for line in parts {
                            match line {
                                redis::Value::BulkString(id) if kind != "day" || id != b"city" => {
                                    asked.push_back((detail.to_owned(), String::from_utf8(id.clone()).unwrap()));
                                }
                                redis::Value::Array(_) => lines += 1,
                                _ => {}
                            }
                        }
                    }
                    redis::Value::Array(parts) => lines += usize::from(!parts.is_empty()),
                    other => panic!("{other:?}"),
                }
            }
        }
        (calls, lines)
    }

    async fn is_never_slow(&self) {
        let slow: Vec<redis::Value> = self.command(redis::cmd("SLOWLOG").arg("GET").arg(20)).await;
        assert!(slow.is_empty(), "{slow:#?}");
    }
}

fn places(roster: &Roster) -> Vec<u32> {
    roster.waitlist.iter().map(|entry| entry.booking.position.expect("a place")).collect()
}

/// Three thousand with a spot and five hundred who wait.
async fn full_house() -> (House, Vec<String>) {
    let house = House::open(json!({ "waitlist": { "max": 500 }, "booking": { "daily_limit": null } })).await;
    house.class("k", json!({ "capacity": 3_000 })).await;
    let members = house.crowd(3_501).await;
    house.all_of_crowd_book(&members[..3_500], "k").await;
    let threshold = SLOW_US.to_string();
    let _: String = house.command(redis::cmd("CONFIG").arg("SET").arg("slowlog-log-slower-than").arg(threshold)).await;
    let _: String = house.command(redis::cmd("SLOWLOG").arg("RESET")).await;
    (house, members)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_of_thousands_is_read_in_pages_and_is_whole() {
    let (house, members) = full_house().await;
    let (mut skip, mut pages, mut seen) = ("0".to_owned(), 0, 0);
    while !skip.is_empty() {
        let page = house.looks("read_roster", &["k", "", &skip]).await;
        (skip, pages, seen) = (page.text(3), pages + 1, seen + page.payload.len() - 4);
    }
    assert_eq!((pages, seen), (59, 3_500));
    let class: ClassId = "k".parse().unwrap();
    let roster = house.store.roster(&house.org, &class, None).await.unwrap().outcome.unwrap();
    assert_eq!((roster.bookings.len(), roster.waitlist.len()), (3_000, 500));
    assert_eq!(places(&roster), (1..=500).collect::<Vec<_>>());
    let order: Vec<&str> = roster.waitlist.iter().map(|entry| entry.booking.member.as_str()).collect();
    let queue = house.on::<Vec<String>>("ZRANGE", "class:k:queue", &["0", "-1"]).await;
    assert_eq!(order, queue.iter().map(|id| &id[2..]).collect::<Vec<_>>(), "by ticket");
    assert!(roster.bookings.iter().all(|entry| entry.name == entry.booking.member.as_str()));

    // While somebody comes and goes it is read again, and at last as it was seen: nobody twice, no place twice.
    let busy = async {
        for _ in 0..150 {
            house.books(&members[3_500], "k").await;
            house.cancels(&members[3_500], "k").await;
            house.cancels("m-0000", "k").await;
        }
    };
    let reading = async {
        for _ in 0..3 {
            let roster = house.store.roster(&house.org, &class, None).await.unwrap().outcome.unwrap();
            let ids: BTreeSet<_> =
                roster.bookings.iter().chain(&roster.waitlist).map(|e| e.booking.id.clone()).collect();
            assert_eq!(ids.len(), roster.bookings.len() + roster.waitlist.len());
            assert!(places(&roster).into_iter().eq(1..=u32::try_from(roster.waitlist.len()).unwrap()));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::join!(busy, reading);
    house.is_never_slow().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_roster_of_thousands_is_gathered_in_bites_and_every_place_is_of_the_first() {
    let (house, _) = full_house().await;
    let (calls, lines) = house.gathers("roster", "k", "entry").await;
    // The face and the queue come beside the lines.
    assert_eq!(lines, 3_500 + 2);
    assert!(calls > 40, "{calls} calls");
    let class: ClassId = "k".parse().unwrap();
    let moment = house.store.parts(&house.org, &[PartName::Roster(class)]).await.unwrap().unwrap();
    let [Some(Part::Roster { face, lines, queue })] = moment.parts.as_slice() else { panic!("no roster") };
    assert_eq!((face.booked, face.waiting, lines.len(), queue.len()), (3_000, 500, 3_500, 500));
    assert_eq!(moment.cursor, house.cursor().await);
    house.is_never_slow().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_member_has_is_gathered_in_bites_however_much_it_is() {
    let house = House::open(json!({
        "booking": { "daily_limit": null, "allow_overlap": true, "opens": { "before": "P60D" } },
        "waitlist": { "max": 500, "leave_overlapping": false }, "attendance": { "strikes": null },
    }))
    .await;
    let members = house.crowd(101).await;
    // A hundred classes ahead; in twenty of them the member waits behind a hundred others.
    let mut ahead = Vec::new();
    for number in 0..100 {
        let (id, day) = (format!("a-{number:03}"), 3 + number / 5);
        house
            .class(&id, json!({ "starts_at": format!("2026-03-{day:02}T{:02}:00:00Z", 8 + number % 5), "capacity": 1 }))
            .await;
        if number % 5 == 0 {
            house.all_of_crowd_book(&members[..100], &id).await;
        }
        ahead.push(id);
    }
    let me = &members[100];
    let book = |class: &String| {
        [class.as_str(), me, &format!("{class}-{me}"), "1", ""].into_iter().map(str::to_owned).collect()
    };
    house.calls_many("book", &ahead.iter().map(book).collect::<Vec<_>>()).await;
    for (number, class) in ahead.iter().take(60).enumerate() {
        // Struck long ago, each for a booking that is there.
        let id = format!("{class}-{me}");
        let _: i64 = house.on("ZADD", &format!("member:{me}:strikes"), &[&number.to_string(), &id]).await;
    }
    let (calls, lines) = house.gathers("me", me, "mine").await;
    assert_eq!(lines, 100 + 1);
    assert!((3..=12).contains(&calls), "{calls} calls");
    let id: MemberId = me.parse().unwrap();
    let names = [PartName::Me(id.clone()), PartName::Standing(id.clone()), PartName::Me("nobody".parse().unwrap())];
    let moment = house.store.parts(&house.org, &names).await.unwrap().unwrap();
    let [Some(Part::Me(standing, bookings)), Some(Part::Standing(same)), None] = moment.parts.as_slice() else {
        panic!("{:?}", moment.parts)
    };
    assert_eq!(bookings.len(), 100);
    let waiting: Vec<_> = bookings.iter().filter(|mine| !mine.queue.is_empty()).collect();
    assert_eq!(waiting.len(), 20);
    assert!(waiting.iter().all(|mine| mine.queue.len() == 100 && mine.booking.position == Some(100)));
    assert_eq!(standing, same);
    assert_eq!(standing.booked.values().sum::<u32>(), 80);
    assert_eq!((standing.upcoming, standing.strikes.len()), (100, 40));
    assert_eq!(standing.strikes.last().unwrap().at.timestamp_millis(), 59, "the newest");
    assert_eq!(&house.store.standing(&house.org, &id).await.unwrap().outcome.unwrap(), standing);
    house.looks("read_standing", &[me, "", ""]).await;

    for (when, many) in [(When::Upcoming, 100), (When::All, 100), (When::Past, 0)] {
        let page = house.store.bookings(&house.org, &id, when, 200, None).await.unwrap().outcome.unwrap();
        assert_eq!((page.items.len(), page.next), (many, None), "{when:?}");
    }
    let page = house.store.bookings(&house.org, &id, When::Upcoming, 70, None).await.unwrap().outcome.unwrap();
    let rest = house.store.bookings(&house.org, &id, When::Upcoming, 70, page.next.as_deref()).await.unwrap();
    let rest = rest.outcome.unwrap().items;
    let all: BTreeSet<_> = page.items.iter().chain(&rest).map(|booking| booking.id.clone()).collect();
    assert_eq!((page.items.len(), rest.len(), all.len()), (70, 30, 100));
    for when in ["upcoming", "past", ""] {
        house.looks("list_bookings", &[me, when, "200", "", ""]).await;
    }
    for names in [vec!["me", me, "me", "m-0000", "me", "m-0001"], vec!["standing", &format!("{me}  "), "me", me]] {
        house.looks("read_parts", &names).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_classes_are_looked_through_in_bites() {
    let house = House::open(json!({ "booking": { "daily_limit": null } })).await;
    // All at the same instant, so that a cursor has to be found among equals.
    for number in 0..320 {
        house.class(&format!("c-{number:03}"), json!({ "starts_at": "2026-03-05T17:00:00Z" })).await;
    }
    let (from, to) = (ms("2026-03-01T00:00:00Z").to_string(), ms("2026-03-09T00:00:00Z").to_string());
    let (mut found, mut after, mut calls) = (BTreeSet::new(), [String::new(), String::new()], 0);
    loop {
        let said = house.looks("read_report", &[&from, &to, &after[0], &after[1]]).await;
        calls += 1;
        for index in (2..said.payload.len()).step_by(2) {
            assert!(found.insert(said.text(index)), "{} came twice", said.text(index));
        }
        after = [said.text(0), said.text(1)];
        if after[0].is_empty() {
            break;
        }
        // A class that has gone meanwhile is no end.
        let _: i64 = house.on("ZREM", "classes", &[&after[1]]).await;
    }
    assert_eq!((found.len(), calls), (320, 3));
    let (mut after, mut calls) = ([String::new(), String::new()], 0);
    loop {
        let said = house.looks("read_unrest", &[&after[0], &after[1]]).await;
        calls += 1;
        after = [said.text(0), said.text(1)];
        if after[0].is_empty() {
            break;
        }
    }
    assert!(calls >= 8, "{calls} calls for 318 classes");
    let day = format!("city 2026-03-05 {} {}", ms("2026-03-04T10:00:00Z"), ms("2026-03-07T14:00:00Z"));
    assert_eq!(house.gathers("day", &day, "face").await.1, 320);
    let names = [PartName::Day("city".parse().unwrap(), "2026-03-05".parse().unwrap())];
    let moment = house.store.parts(&house.org, &names).await.unwrap().unwrap();
    assert!(matches!(moment.parts.as_slice(), [Some(Part::Day(_, faces))] if faces.len() == 320));

    house.crowd(205).await;
    let said = house.looks("list_members", &["m-", "200", ""]).await;
    assert_eq!(said.payload.len(), 1 + 2 * 200);
    house.looks("list_events", &["", "200"]).await;
}

#[tokio::test]
async fn a_day_is_held_only_where_classes_can_be() {
    let house = House::open(json!({})).await;
    let day = |date: &str| PartName::Day("city".parse().unwrap(), date.parse().unwrap());
    // 400 days and the hours of a day in any zone, around 2 March 2026.
    for (date, there) in [
        ("2025-01-25", true),
        ("2025-01-23", false),
        ("2027-04-06", true),
        ("2027-04-09", false),
        ("1900-01-01", false),
        ("2200-12-31", false),
    ] {
        let moment = house.store.parts(&house.org, &[day(date)]).await.unwrap().unwrap();
        assert_eq!(moment.parts[0].is_some(), there, "{date}");
    }
}
