//! What the service sends: every function gets as many arguments as its head describes, and each is used by somebody.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rollcall::domain::class::ClassChange;
use rollcall::domain::closure::NewClosure;
use rollcall::domain::series::Edit;
use rollcall::store::attendance::Arrival;
use rollcall::store::bookings::{Book, Charge, When};
use rollcall::store::classes::ClassQuery;
use rollcall::store::orgs::OrgChange;
use rollcall::store::parts::PartName;
use rollcall::store::series::SeriesChange;
use serde_json::json;

use crate::house::{House, instant, policy};

/// Everything Redis is told while something is done: the words of each command.
struct Wire {
    lines: BufReader<UnixStream>,
}

impl Wire {
    fn tap(house: &House) -> Wire {
        let url = house.url();
        let mut stream = UnixStream::connect(url.strip_prefix("unix://").expect("a socket")).expect("a connection");
        stream.write_all(b"MONITOR\r\n").expect("a listening server");
        // A server that falls silent fails the test instead of stopping it.
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
        let mut wire = Wire { lines: BufReader::new(stream) };
        assert_eq!(wire.line().trim(), "+OK");
        wire
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        line
    }

    /// The words of each command until this one is heard.
    fn until(&mut self, last: &str) -> Vec<Vec<String>> {
        let mut heard = Vec::new();
        loop {
            let words = words(&self.line());
            if words.iter().any(|word| word == last) {
                return heard;
            }
            heard.push(words);
        }
    }
}

/// The quoted words of a line of MONITOR.
fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line.chars();
    while rest.by_ref().any(|c| c == '"') {
        let mut word = String::new();
        while let Some(c) = rest.next() {
            match c {
                '"' => break,
                '\\' => word.extend(rest.next()),
                c => word.push(c),
            }
        }
        found.push(word);
    }
    found
}

/// Calls everything the store can do, and cares for no answer.
async fn everything(house: &House) {
    let store = &house.store;
    let org = &house.org;
    house.members("ann ben").await;
    house
        .class(
            "k",
            json!({ "minimum": 1, "category": "spin", "room": "2", "instructor": { "id": "ina", "name": "Ina" } }),
        )
        .await;
    let (class, ann, id, club) =
        ("k".parse().unwrap(), "ann".parse().unwrap(), "one".parse().unwrap(), "city".parse().unwrap());
    let (ina, now) = ("ina".parse().unwrap(), instant("2026-03-02T08:00:00Z"));
    let book = Book { class: &class, member: &ann, id: &id, waitlist: true, desk: false };
    let write = || house.write();
    store.book(&write(), &book).await.unwrap();
    store.cancel_preview(org, &id, Some(&ann)).await.unwrap();
    store.cancel(&write(), &id, Some(&ann), Charge::ByTheRules, "ill").await.unwrap();
    store.accept(&write(), &id, &ann).await.unwrap();
    store.excuse(&write(), &id, "ill").await.unwrap();
    store.booking(org, &id, None).await.unwrap();
    store.bookings(org, &ann, When::All, 10, None).await.unwrap();
    store.roster(org, &class, Some(&ina)).await.unwrap();
    store.check_in(&write(), &id, Some(&ina)).await.unwrap();
    store.undo_check_in(&write(), &id, None).await.unwrap();
    store.walk_in(&write(), &class, &ann, &id).await.unwrap();
    for arrival in [Arrival::Member(ann.clone()), Arrival::Phone("+45".to_owned())] {
        store.desk_check_in(&write(), &club, &arrival, true).await.unwrap();
    }
    store.close_class(&write(), &class, true, "taught").await.unwrap();
    store.class(org, &class, Some(&ann)).await.unwrap();
    store.classes(org, &ClassQuery { limit: 10, from: Some(now), ..ClassQuery::default() }).await.unwrap();
    let change = ClassChange::parse(&json!({ "title": "Spin", "starts_at": "2026-03-05T18:00:00Z" })).unwrap();
    store.change_class(&write(), &class, &change, Some(1)).await.unwrap();
    store.cancel_class(&write(), &class, "flooded").await.unwrap();
    store.history(org, &class, 10, None).await.unwrap();
    store.report(org, now, now).await.unwrap();
    store.member(org, &ann).await.unwrap();
    store.members(org, Some("a"), 10, None).await.unwrap();
    // Phones are read in another country, so the index is made again.
    house.founds(&json!({ "timezone": "Europe/Vilnius" })).await;
    store.standing(org, &ann).await.unwrap();
    store.lift_ban(&write(), &ann, "grace").await.unwrap();
    store.erase_member(&write(), &ann).await.unwrap();
    store.fees(org, None, None, 10).await.unwrap();
    store.waive_fee(&write(), "7", "grace").await.unwrap();
    store.events(org, None, 10).await.unwrap();
    store.parts(org, &[PartName::Face(class.clone()), PartName::Me(ann.clone())]).await.unwrap();
    store.org(org).await.unwrap();
    store.migrate(org).await.unwrap();
    later_terms(house).await;
    store.trim(org).await.unwrap();
    store.settle(org).await.unwrap();
    store.check_org(org).await.unwrap();
    recurring(house).await;
}

/// A new policy, with a class that is not yet open.
async fn later_terms(house: &House) {
    house.class("far", json!({ "starts_at": "2026-03-20T17:00:00Z" })).await;
    let policy = policy(&json!({ "booking": { "daily_limit": 1 } }));
    let change = OrgChange { policy: Some(&policy), ..OrgChange::default() };
    house.store.put_org(&house.write(), &change).await.unwrap().outcome.unwrap();
}

/// A series that is published, changed and ended, so that its classes are made, brought in line and dropped.
async fn recurring(house: &House) {
    let body = json!({
        "club": "city", "title": "Yoga", "starts_on": "2026-03-03", "time": "18:00", "rrule": "FREQ=WEEKLY",
        "minutes": 60, "capacity": 5,
    });
    let series = rollcall::domain::series::Series::parse(&body).unwrap_or_else(|errors| panic!("{errors:?}"));
    let made = house.store.create_series(&house.write(), series).await.unwrap().outcome.unwrap();
    for change in
        [SeriesChange::Edited(Edit::parse(&json!({ "title": "Slow yoga" })).expect("an edit")), SeriesChange::Ended]
    {
        house.store.change_series(&house.write(), &made.0.id, &change, None).await.unwrap().outcome.unwrap();
    }
    let days = json!({ "from": "2026-04-01", "to": "2026-04-02", "reason": "Holidays" });
    let (club, days) =
        ("city".parse().unwrap(), NewClosure::parse(&days).unwrap_or_else(|errors| panic!("{errors:?}")));
    let closure = house.store.put_closure(&house.write(), &club, days).await.unwrap().outcome.unwrap().0;
    house.store.closures(&house.org, &club).await.unwrap().outcome.unwrap();
    house.store.end_closure(&house.write(), &club, &closure.id).await.unwrap().outcome.unwrap();
    house.store.series_page(&house.org, None, 10).await.unwrap();
    house.store.publish_series(&house.org).await.unwrap();
}

#[tokio::test]
async fn every_function_gets_the_arguments_its_head_describes() {
    let house = House::empty().await;
    let mut wire = Wire::tap(&house);
    house.at("2026-03-02T08:00:00Z").await;
    house.founds(&json!({})).await;
    house.at("2026-03-02T08:01:00Z").await;
    everything(&house).await;
    let _: String = house.command(redis::cmd("ECHO").arg("that was all")).await;
    let mut sent: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for command in wire.until("that was all") {
        if command.first().is_some_and(|word| word == "FCALL") {
            let name = command[1].rsplit_once('_').expect("a hash at the end").0.to_owned();
            assert_eq!((command[2].as_str(), command[3].as_str()), ("1", "rc:{nord}:org"), "KEYS of {name}");
            sent.entry(name).or_default().push(command.len() - 4);
        }
    }
    let mut wrong = Vec::new();
    for (name, head) in house.functions() {
        let counts = sent.remove(name).unwrap_or_default();
        if counts.is_empty() {
            wrong.push(format!("{name} is called by nothing in tests/store/sent.rs"));
        }
        for count in counts {
            let right = if head.many { count + 1 >= head.arguments } else { count == head.arguments };
            if !right {
                wrong.push(format!("{name} was sent {count} arguments, its head describes {}", head.arguments));
            }
        }
    }
    assert!(sent.is_empty(), "called and not there: {sent:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
