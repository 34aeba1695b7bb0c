//! What an older release wrote is found, kept and brought into this release's layout while bookings go on, also while the
//! older release still runs beside this one.

use rollcall::domain::series::Edit;
use rollcall::store::classes::ClassQuery;
use rollcall::store::library::BUDGET;
use rollcall::store::series::SeriesChange;
use serde_json::{Value, json};

use crate::house::House;

/// Written by the release dbc61f7: two clubs, eight members, five classes and a series, offers, a spot taken and given
/// up, an erased member, keyed calls.
const WRITTEN: &str = include_str!("data/dbc61f7.ndjson");

/// A command of `redis` with the words of a list.
fn command(name: &str, key: &str, words: impl IntoIterator<Item = String>) -> redis::Cmd {
    let mut command = redis::cmd(name);
    command.arg(key);
    words.into_iter().for_each(|word| _ = command.arg(word));
    command
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(text).collect()
}

/// Puts one key back as the file has it.
async fn put_back(house: &House, line: &Value) {
    let key = line["key"].as_str().expect("a key");
    if let Some(fields) = line["hash"].as_object() {
        let words = fields.iter().flat_map(|(name, value)| [name.clone(), text(value)]);
        let _: redis::Value = house.command(&command("HSET", key, words)).await;
    } else if let Some(entries) = line["zset"].as_array() {
        let words = entries.iter().flat_map(|entry| [text(&entry[1]), text(&entry[0])]);
        let _: redis::Value = house.command(&command("ZADD", key, words)).await;
    } else if let Some(entries) = line["stream"].as_array() {
        for entry in entries {
            let words = [text(&entry[0])].into_iter().chain(texts(&entry[1]));
            let _: redis::Value = house.command(&command("XADD", key, words)).await;
        }
    } else if !line["list"].is_null() {
        let _: redis::Value = house.command(&command("RPUSH", key, texts(&line["list"]))).await;
    } else if !line["set"].is_null() {
        let _: redis::Value = house.command(&command("SADD", key, texts(&line["set"]))).await;
    } else if !line["string"].is_null() {
        let _: redis::Value = house.command(&command("SET", key, [text(&line["string"])])).await;
    }
}

async fn old_house() -> House {
    old_house_with_budget(BUDGET).await
}

async fn old_house_with_budget(budget: u32) -> House {
    let house = House::empty_with_budget(budget).await;
    for line in WRITTEN.lines().skip(1) {
        put_back(&house, &serde_json::from_str(line).expect("JSON")).await;
    }
    house
}

/// The ids of the classes that a listing shows.
async fn listed(house: &House, category: &str, instructor: &str) -> String {
    let category = (!category.is_empty()).then(|| category.to_owned());
    let instructor = (!instructor.is_empty()).then(|| instructor.parse().expect("an id"));
    let mut query = ClassQuery { category, instructor, limit: 50, ..ClassQuery::default() };
    let mut ids = Vec::new();
    loop {
        let page = house.store.classes(&house.org, &query).await.expect("a store").outcome.expect("a page");
        ids.extend(page.items.iter().map(|view| view.class.id.to_string()));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return ids.join(" "),
        }
    }
}

/// A class as the older release publishes it: without the lists it does not know, and without noting that it was here.
async fn publishes_as_before(house: &House, id: &str, like: &str, category: &str) {
    let script = "local p, id, like, category = ARGV[1], ARGV[2], ARGV[3], ARGV[4] \
        local c = redis.call('HGETALL', p .. 'class:' .. like) \
        redis.call('HSET', p .. 'class:' .. id, unpack(c)) \
        redis.call('HDEL', p .. 'class:' .. id, 'indexed') \
        redis.call('HSET', p .. 'class:' .. id, 'category', category) \
        local starts, club = unpack(redis.call('HMGET', p .. 'class:' .. id, 'starts', 'club')) \
        redis.call('ZADD', p .. 'classes', starts, id) \
        redis.call('ZADD', p .. 'club:' .. club .. ':classes', starts, id) \
        local opens = redis.call('ZSCORE', p .. 'unopened', like) \
        if opens then redis.call('ZADD', p .. 'unopened', opens, id) end \
        for _, item in ipairs(redis.call('ZRANGE', p .. 'timers', 0, -1, 'WITHSCORES')) do \
          local name = string.gsub(item, ' ' .. like .. '%f[%W]', ' ' .. id) \
          if name ~= item then redis.call('ZADD', p .. 'timers', redis.call('ZSCORE', p .. 'timers', item), name) end \
        end \
        local number = redis.call('HINCRBY', p .. 'org', 'changes', 1) \
        local at = redis.call('HGET', p .. 'org', 'ms') .. '-' .. string.format('%d', number) \
        local line = cjson.encode({ event = 'class_published', at = tonumber(redis.call('HGET', p .. 'org', 'ms')), \
          class = id, sub = 'desk', role = 'staff', data = {} }) \
        redis.call('XADD', p .. 'events', at, 'line', line) \
        redis.call('RPUSH', p .. 'class:' .. id .. ':history', at .. ' ' .. line)";
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(0).arg(house.key("")).arg(id).arg(like).arg(category);
    let _: redis::Value = house.command(&eval).await;
}

#[tokio::test]
async fn everything_an_older_release_wrote_is_found_before_while_and_after_it_is_brought_over() {
    // One class a bite.
    let house = old_house_with_budget(1).await;
    house.is_sound().await;
    let before =
        [listed(&house, "", "ina").await, listed(&house, "swim", "").await, listed(&house, "yoga", "ina").await];
    assert_eq!(before, ["yoga swim far", "swim", "yoga far"]);
    let mut bites = 0;
    while house.store.migrate(&house.org).await.expect("a bite") {
        bites += 1;
        // Bookings go on, and are found by both releases.
        house.class(&format!("new{bites}"), json!({ "category": "yoga", "starts_at": "2026-03-05T07:00:00Z" })).await;
        house.is_sound().await;
        assert!(bites < 50, "it never ends");
    }
    assert!(bites > 5, "{bites} bites");
    assert_eq!(house.field("org", "layout").await, "3");
    house.is_sound().await;
    let after =
        [listed(&house, "", "ina").await, listed(&house, "swim", "").await, listed(&house, "yoga", "ina").await];
    assert_eq!(after, before);
    assert!(listed(&house, "", "ola").await.contains("spin"));
    assert!(!house.store.migrate(&house.org).await.expect("an answer"));
}

#[tokio::test]
async fn a_keyed_call_that_the_older_release_answered_gets_the_same_answer() {
    let house = old_house().await;
    let command = "staff:desk:late";
    let stored: String = house.on("GET", &format!("done:{command}"), &[]).await;
    let stored: Value = serde_json::from_str(&stored).expect("JSON");
    let print = stored["print"].as_str().expect("a fingerprint");
    let again = house.tries_as(command, print, "", "book", &["spin", "dan", "new", "1", "1"]).await.expect("an answer");
    assert_eq!(again.tag, "BOOKED");
    assert_eq!(again.field("id"), stored["reply"][3][1].as_str().expect("an id"));
    let other =
        house.tries_as(command, "another", "", "book", &["spin", "dan", "new", "1", "1"]).await.expect("an answer");
    assert_eq!(other.code(), "idempotency_mismatch");
    house.is_sound().await;
}

#[tokio::test]
async fn what_an_older_release_writes_beside_this_one_is_found_at_once() {
    let house = old_house().await;
    while house.store.migrate(&house.org).await.expect("a bite") {}
    publishes_as_before(&house, "beside", "far", "box").await;
    assert_eq!(listed(&house, "box", "").await, "beside");
    house.is_sound().await;
    // Also while the migration is under way, and behind where it has come to.
    let house = old_house_with_budget(1).await;
    house.store.migrate(&house.org).await.expect("a bite");
    publishes_as_before(&house, "beside", "far", "box").await;
    while house.store.migrate(&house.org).await.expect("a bite") {}
    assert_eq!(listed(&house, "box", "").await, "beside");
    house.is_sound().await;
}

#[tokio::test]
async fn where_the_stream_no_longer_tells_what_changed_everything_is_gone_over_again() {
    let house = old_house().await;
    while house.store.migrate(&house.org).await.expect("a bite") {}
    publishes_as_before(&house, "beside", "far", "box").await;
    publishes_as_before(&house, "besides", "far", "box").await;
    let _: i64 = house.on("XTRIM", "events", &["MAXLEN", "1"]).await;
    assert_eq!(listed(&house, "box", "").await, "beside besides", "read the old way again");
    assert_eq!(house.field("org", "layout").await, "");
    while house.store.migrate(&house.org).await.expect("a bite") {}
    assert_eq!(listed(&house, "box", "").await, "beside besides");
    assert_eq!(house.field("org", "layout").await, "3");
}

/// Whom a query finds, by id.
async fn finds(house: &House, query: &str) -> String {
    let page = house.store.members(&house.org, Some(query), 50, None).await.expect("a store").outcome.expect("a page");
    let mut ids: Vec<String> = page.items.iter().map(|member| member.id.to_string()).collect();
    ids.sort();
    ids.join(" ")
}

/// Every member the file tells of is found by these.
const FOUND: [(&str, &str); 18] = [
    ("berg", "ann"),
    ("zydre", "ann"),
    ("aase", "ann"),
    ("20123456", "ann"),
    ("0045 20 12 34 56", "ann"),
    ("holm ben", "ben"),
    ("+4520123457", "ben"),
    ("4520123457", "ben"),
    ("ostergard", "cay"),
    ("oestergaard", "cay"),
    ("20 12 34 58", "cay"),
    ("lukasz", "dan"),
    ("dabrowski", "dan"),
    ("+370 612 34567", "dan"),
    ("lund", "eva"),
    ("eva lund", "eva"),
    ("aero", "auth0|g"),
    ("card", "clip"),
];

/// What the older release does to a member: fields, index and the event, without what it does not know.
async fn writes_member_as_before(house: &House, event: &str, id: &str, fields: &Value, index: &Value) {
    let script = "local p, event, id, fields, index = ARGV[1], ARGV[2], ARGV[3], cjson.decode(ARGV[4]), ARGV[5] \
        local key = p .. 'member:' .. id \
        local was = redis.call('HGET', key, 'index') \
        for _, term in ipairs(was and was ~= '' and cjson.decode(was) or {}) do \
          redis.call('ZREM', p .. 'members:index', term .. '\\t' .. id) \
        end \
        for name, value in pairs(fields) do redis.call('HSET', key, name, value) end \
        redis.call('HSET', key, 'index', index) \
        for _, term in ipairs(index ~= '' and cjson.decode(index) or {}) do \
          redis.call('ZADD', p .. 'members:index', 0, term .. '\\t' .. id) \
        end \
        if event == 'member_erased' then redis.call('ZREM', p .. 'members', id) else redis.call('ZADD', p .. 'members', 0, id) end \
        local number = redis.call('HINCRBY', p .. 'org', 'changes', 1) \
        local ms = redis.call('HGET', p .. 'org', 'ms') \
        local line = cjson.encode({ event = event, at = tonumber(ms), member = id, sub = 'desk', role = 'staff', data = {} }) \
        redis.call('XADD', p .. 'events', ms .. '-' .. string.format('%d', number), 'line', line)";
    let index = if index.is_null() { String::new() } else { index.to_string() };
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(0).arg(house.key("")).arg(event).arg(id).arg(fields.to_string()).arg(index);
    let _: redis::Value = house.command(&eval).await;
}

async fn puts_member_as_before(house: &House, id: &str, name: &str, phone: &str) {
    let fields = json!({
        "name": name, "phone": phone, "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all",
        "frozen": "[]", "erased": "",
    });
    writes_member_as_before(house, "member_changed", id, &fields, &json!([phone, id, name.to_lowercase()])).await;
}

#[tokio::test]
async fn members_of_an_older_release_are_found_by_parts_of_names_and_phones_in_any_form() {
    for budget in [1, BUDGET] {
        let house = old_house_with_budget(budget).await;
        // By what they were found by, until all are brought over.
        for (query, expected) in [("åse berg", "ann"), ("+4520123456", "ann"), ("ben h", "ben"), ("berg", "")] {
            assert_eq!(finds(&house, query).await, expected, "{query} before");
        }
        let mut bites = 0;
        while house.store.migrate(&house.org).await.expect("a bite") {
            house.is_sound().await;
            bites += 1;
            // Members come and change meanwhile, before and behind the place the migration has come to.
            if bites == 8 {
                house.person("aaa", json!({ "name": "Žaneta Aa", "phone": "20 12 34 99" })).await;
                house.person("zzz", json!({ "name": "Žaneta Zz" })).await;
            }
            assert_eq!(finds(&house, "åse berg").await, "ann");
            assert!(bites < 60, "it never ends");
        }
        assert_eq!(house.field("org", "layout").await, "3");
        for (query, expected) in FOUND {
            assert_eq!(finds(&house, query).await, expected, "{query}");
        }
        if budget == 1 {
            assert_eq!(
                (finds(&house, "zaneta").await, finds(&house, "+4520123499").await),
                ("aaa zzz".to_owned(), "aaa".to_owned())
            );
        }
        assert_eq!(finds(&house, "fay").await, "", "who was erased is not found");
        house.is_sound().await;
    }
}

#[tokio::test]
async fn members_whom_an_older_release_changes_beside_this_one_are_found_at_once() {
    let house = old_house().await;
    while house.store.migrate(&house.org).await.expect("a bite") {}
    puts_member_as_before(&house, "ben", "Žydrūnas Ås", "8 612 00000").await;
    puts_member_as_before(&house, "new", "Łucja Nowak", "+4520129999").await;
    for (query, expected) in
        [("zydrunas", "ben"), ("aas", "ann ben"), ("holm", ""), ("nowak", "new"), ("20129999", "new")]
    {
        assert_eq!(finds(&house, query).await, expected, "{query}");
    }
    house.is_sound().await;
    // More than one question's worth.
    for n in 0..100 {
        puts_member_as_before(&house, &format!("m{n:02}"), &format!("Many {n}"), &format!("201300{n:02}")).await;
    }
    house.is_sound().await;
    assert_eq!(finds(&house, "many").await.split(' ').count(), 50);
    assert_eq!(finds(&house, "+45 20 13 00 77").await, "m77");
    // Erased by the older release: no trace of the name is left.
    let blank = json!({ "name": "", "phone": "", "email": "", "born": "", "erased": "1", "status": "ended" });
    writes_member_as_before(&house, "member_erased", "new", &blank, &Value::Null).await;
    assert_eq!((finds(&house, "nowak").await, finds(&house, "20129999").await), (String::new(), String::new()));
    assert_eq!(house.field("member:new", "terms").await, "");
    for (key, content) in house.dump().await {
        let content = String::from_utf8_lossy(&content).to_lowercase();
        assert!(!content.contains("nowak") && !content.contains("20129999"), "{key} names who was erased");
    }
    house.is_sound().await;
}

#[tokio::test]
async fn a_policy_that_an_older_release_has_put_reads_phones_in_its_country() {
    let house = old_house().await;
    while house.store.migrate(&house.org).await.expect("a bite") {}
    let mut policy: Value = serde_json::from_str(&house.field("org", "policy").await).expect("a policy");
    policy["timezone"] = json!("Europe/Vilnius");
    let script = "local p, policy = ARGV[1], ARGV[2] \
        local revision = redis.call('HINCRBY', p .. 'org', 'revision', 1) \
        redis.call('HSET', p .. 'org', 'policy', policy, 'zone', 'Europe/Vilnius') \
        local number = redis.call('HINCRBY', p .. 'org', 'changes', 1) \
        local ms = redis.call('HGET', p .. 'org', 'ms') \
        local line = cjson.encode({ event = 'policy_changed', at = tonumber(ms), sub = 'desk', role = 'admin', data = { revision = revision } }) \
        redis.call('XADD', p .. 'events', ms .. '-' .. string.format('%d', number), 'line', line)";
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(0).arg(house.key("")).arg(policy.to_string());
    let _: redis::Value = house.command(&eval).await;
    // Found as older layouts find them, until the phones have been read again.
    assert_eq!((finds(&house, "20123457").await, finds(&house, "ben h").await), ("ben".to_owned(), "ben".to_owned()));
    house.is_sound().await;
    while house.store.migrate(&house.org).await.expect("a bite") {}
    assert_eq!(
        (finds(&house, "8 612 34567").await, finds(&house, "+4520123456").await),
        ("dan".to_owned(), "ann".to_owned())
    );
    assert_eq!((finds(&house, "+4520123457").await, finds(&house, "berg").await), (String::new(), "ann".to_owned()));
    // Another revision of the same country costs one question.
    house.founds(&json!({ "timezone": "Europe/Vilnius", "booking": { "daily_limit": 7 } })).await;
    assert_eq!(finds(&house, "8 612 34567").await, "dan");
    house.is_sound().await;
}

#[tokio::test]
async fn members_are_gone_over_again_where_the_stream_no_longer_tells_who_changed() {
    let house = old_house().await;
    while house.store.migrate(&house.org).await.expect("a bite") {}
    puts_member_as_before(&house, "ben", "Žydrūnas Ås", "20125555").await;
    puts_member_as_before(&house, "eva", "Eva Ås", "20126666").await;
    let _: i64 = house.on("XTRIM", "events", &["MAXLEN", "1"]).await;
    assert_eq!(finds(&house, "20126666").await, "eva", "as older layouts have it");
    house.person("new", json!({ "name": "Nýr Maður" })).await;
    while house.store.migrate(&house.org).await.expect("a bite") {}
    for (query, expected) in [("aas", "ann ben eva"), ("holm", ""), ("004520125555", "ben"), ("madur", "new")] {
        assert_eq!(finds(&house, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn what_a_hand_has_changed_in_a_class_that_the_older_release_published_stays() {
    let house = old_house().await;
    let id = "weekly".parse().expect("an id");
    house.change("weekly~20260317", json!({ "room": "Hall", "capacity": 5 })).await;
    let edit = |body: Value| SeriesChange::Edited(Edit::parse(&body).expect("an edit"));
    let seen = async |id: &str| {
        let of = async |name: &str| house.field(&format!("class:{id}"), name).await;
        [of("title").await, of("room").await, of("capacity").await].join(" ")
    };
    for (change, by_hand, other) in [
        (json!({ "title": "Slow" }), "Slow Hall 5", "Slow  12"),
        (json!({ "room": "B", "capacity": 14 }), "Slow Hall 5", "Slow B 14"),
    ] {
        let done = house.store.change_series(&house.write(), &id, &edit(change), None).await.expect("a store");
        assert!(done.outcome.expect("an answer").1.changed.iter().any(|class| class.as_str() == "weekly~20260324"));
        assert_eq!((seen("weekly~20260317").await.as_str(), seen("weekly~20260324").await.as_str()), (by_hand, other));
    }
    house.is_sound().await;
}
