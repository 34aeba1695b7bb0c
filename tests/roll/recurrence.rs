//! Rules of recurrence: what RFC 5545 allows is published on exactly its days, and nothing else is taken.

use serde_json::{Value, json};

use crate::story::Story;

/// Rules that are refused, and a word of the reason, by what is wrong with them.
const REFUSED: [(&str, &[(&str, &str)]); 7] = [
    (
        "the grammar",
        &[
            ("every monday", "blanks"),
            ("weekly", "each part is a name"),
            ("FREQ", "each part is a name"),
            ("FREQ=", "each part is a name"),
            ("=WEEKLY", "each part is a name"),
            ("FREQ:WEEKLY", "each part is a name"),
            ("FREQ=WEEKLY;", "empty part"),
            (";FREQ=WEEKLY", "empty part"),
            ("FREQ=WEEKLY;;BYDAY=MO", "empty part"),
            ("FREQ=WEEKLY; BYDAY=MO", "blanks"),
            ("FREQ=WEEKLY;BYDAY=MO, WE", "blanks"),
            ("FREQ=WEEKLY;\u{a0}BYDAY=MO", "blanks"),
            ("FREQ=WEEKLY;\r\n BYDAY=MO", "one line"),
            ("FREQ=WEEKLY\r\n", "one line"),
            ("DTSTART:20260302T180000\nRRULE:FREQ=WEEKLY", "one line"),
            ("RRULE:RRULE:FREQ=WEEKLY", "no such part"),
            ("RRULE;X-A=B:FREQ=WEEKLY", "each part is a name"),
            ("EXRULE:FREQ=WEEKLY", "no such part"),
            ("FREQ=WEEKLY,BYDAY=MO", "FREQ is DAILY"),
            ("FREQ=WEEKLY;BYDAY=MO;WE", "each part is a name"),
            ("FREQ=WEEKLY;BYDAY=", "each part is a name"),
            ("FREQ=WEEKLY;BYDAY=MO,", "MO, TU, WE"),
            ("FREQ=WEEKLY;BYDAY=,MO", "MO, TU, WE"),
            ("FREQ=WEEKLY;BYDAY=MO=WE", "MO, TU, WE"),
        ],
    ),
    (
        "parts that are missing, repeated or unknown",
        &[
            ("BYDAY=MO", "must have FREQ"),
            ("INTERVAL=2;COUNT=3", "must have FREQ"),
            ("FREQ=WEEKLY;FREQ=DAILY", "FREQ more than once"),
            ("FREQ=WEEKLY;FREQ=WEEKLY", "FREQ more than once"),
            ("FREQ=WEEKLY;BYDAY=MO;BYDAY=WE", "BYDAY more than once"),
            ("FREQ=WEEKLY;BYDAY=MO;byday=MO", "BYDAY more than once"),
            ("FREQ=DAILY;COUNT=3;INTERVAL=2;COUNT=3", "COUNT more than once"),
            ("FREQ=DAILY;INTERVAL=1;INTERVAL=2", "INTERVAL more than once"),
            ("FREQ=WEEKLY;WKST=MO;WKST=SU", "WKST more than once"),
            ("FREQ=YEARLY;BYMONTH=1;BYMONTH=2", "BYMONTH more than once"),
            ("FREQ=FORTNIGHTLY", "FREQ is DAILY"),
            ("FREQ=WEEK", "FREQ is DAILY"),
            ("FREQ=WEEKLY;BYWEEKDAY=MO", "BYWEEKDAY"),
            ("FREQ=WEEKLY;DAYS=MO", "no such part"),
            ("FREQ=YEARLY;BYEASTER=0", "no such part"),
            ("FREQ=WEEKLY;X-NAME=MO", "no such part"),
            ("FREQ=WEEKLY;DTSTART=20260302", "no such part"),
            ("FREQ=WEEKLY;TZID=Europe/Oslo", "no such part"),
            ("RSCALE=GREGORIAN;FREQ=MONTHLY", "RFC 7529"),
            ("FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD", "RFC 7529"),
            ("FREQ=YEARLY;BYMONTH=5L", "RFC 7529"),
        ],
    ),
    (
        "values",
        &[
            ("FREQ=DAILY;INTERVAL=0", "from 1 to 65535"),
            ("FREQ=DAILY;INTERVAL=-1", "from 1 to 65535"),
            ("FREQ=DAILY;INTERVAL=+1", "from 1 to 65535"),
            ("FREQ=DAILY;INTERVAL=1.5", "from 1 to 65535"),
            ("FREQ=DAILY;INTERVAL=65536", "from 1 to 65535"),
            ("FREQ=DAILY;INTERVAL=99999999999999999999", "from 1 to 65535"),
            ("FREQ=DAILY;COUNT=0", "COUNT"),
            ("FREQ=DAILY;COUNT=-3", "COUNT"),
            ("FREQ=DAILY;COUNT=4294967296", "COUNT"),
            ("FREQ=WEEKLY;BYDAY=XX", "MO, TU, WE"),
            ("FREQ=WEEKLY;BYDAY=M", "MO, TU, WE"),
            ("FREQ=WEEKLY;BYDAY=MON", "MO, TU, WE"),
            ("FREQ=WEEKLY;BYDAY=MONDAY", "MO, TU, WE"),
            ("FREQ=WEEKLY;BYDAY=1", "MO, TU, WE"),
            ("FREQ=WEEKLY;BYDAY=må", "MO, TU, WE"),
            ("FREQ=MONTHLY;BYDAY=0MO", "from 1 to 53"),
            ("FREQ=YEARLY;BYDAY=54MO", "from 1 to 53"),
            ("FREQ=YEARLY;BYDAY=-54MO", "from 1 to 53"),
            ("FREQ=MONTHLY;BYDAY=--1MO", "from 1 to 53"),
            ("FREQ=MONTHLY;BYDAY=MO1", "from 1 to 53"),
            ("FREQ=MONTHLY;BYDAY=001MO", "from 1 to 53"),
            ("FREQ=YEARLY;BYMONTH=0", "from 1 to 12"),
            ("FREQ=YEARLY;BYMONTH=13", "from 1 to 12"),
            ("FREQ=YEARLY;BYMONTH=-1", "from 1 to 12"),
            ("FREQ=YEARLY;BYMONTH=+3", "from 1 to 12"),
            ("FREQ=YEARLY;BYMONTH=MAR", "from 1 to 12"),
            ("FREQ=MONTHLY;BYMONTHDAY=0", "from 1 to 31"),
            ("FREQ=MONTHLY;BYMONTHDAY=32", "from 1 to 31"),
            ("FREQ=MONTHLY;BYMONTHDAY=-32", "from 1 to 31"),
            ("FREQ=MONTHLY;BYMONTHDAY=1-3", "from 1 to 31"),
            ("FREQ=YEARLY;BYYEARDAY=0", "from 1 to 366"),
            ("FREQ=YEARLY;BYYEARDAY=367", "from 1 to 366"),
            ("FREQ=YEARLY;BYWEEKNO=0", "from 1 to 53"),
            ("FREQ=YEARLY;BYWEEKNO=54", "from 1 to 53"),
            ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "from 1 to 366"),
            ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-367", "from 1 to 366"),
            ("FREQ=WEEKLY;WKST=1MO", "WKST"),
            ("FREQ=WEEKLY;WKST=MO,SU", "WKST"),
        ],
    ),
    (
        "parts that do not go together",
        &[
            ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY=2MO"),
            ("FREQ=WEEKLY;BYDAY=-1SU", "BYDAY=-1SU"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=1MO,1WE", "BYDAY=1MO"),
            ("FREQ=WEEKLY;BYDAY=MO,1WE", "BYDAY=1WE"),
            ("FREQ=DAILY;BYDAY=1MO", "BYDAY=1MO"),
            ("FREQ=DAILY;BYMONTH=3;BYDAY=MO,-1FR", "BYDAY=-1FR"),
            ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "BYWEEKNO"),
            ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
            ("FREQ=WEEKLY;BYDAY=MO;BYMONTHDAY=1,2,3", "BYMONTHDAY"),
            ("FREQ=DAILY;BYYEARDAY=100", "BYYEARDAY"),
            ("FREQ=WEEKLY;BYYEARDAY=100", "BYYEARDAY"),
            ("FREQ=MONTHLY;BYYEARDAY=-1", "BYYEARDAY"),
            ("FREQ=DAILY;BYWEEKNO=20", "BYWEEKNO"),
            ("FREQ=WEEKLY;BYWEEKNO=20;BYDAY=MO", "BYWEEKNO"),
            ("FREQ=MONTHLY;BYWEEKNO=20", "BYWEEKNO"),
            ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS alone"),
            ("FREQ=MONTHLY;BYSETPOS=-1", "BYSETPOS alone"),
            ("FREQ=MONTHLY;INTERVAL=2;COUNT=3;WKST=SU;BYSETPOS=1", "BYSETPOS alone"),
        ],
    ),
    (
        "hours",
        &[
            ("FREQ=HOURLY", "local time a day"),
            ("FREQ=MINUTELY;INTERVAL=90", "local time a day"),
            ("FREQ=SECONDLY", "local time a day"),
            ("FREQ=HOURLY;BYDAY=MO", "FREQ=HOURLY"),
            ("FREQ=DAILY;BYHOUR=9", "BYHOUR"),
            ("FREQ=DAILY;BYHOUR=9,17", "BYHOUR"),
            ("FREQ=DAILY;BYHOUR=24", "BYHOUR"),
            ("FREQ=WEEKLY;BYDAY=MO;BYMINUTE=30", "BYMINUTE"),
            ("FREQ=WEEKLY;BYSECOND=0", "BYSECOND"),
            ("FREQ=MONTHLY;BYHOUR=18;BYMINUTE=0;BYSECOND=0", "`time`"),
            ("BYMINUTE=0;FREQ=YEARLY", "`time`"),
        ],
    ),
    (
        "an end in the rule",
        &[
            ("FREQ=WEEKLY;UNTIL=20260401", "`until`"),
            ("FREQ=WEEKLY;UNTIL=20260401T180000", "`until`"),
            ("FREQ=WEEKLY;UNTIL=20260401T160000Z", "`until`"),
            ("FREQ=WEEKLY;UNTIL=2026-04-01", "`until`"),
            ("FREQ=WEEKLY;UNTIL=20260230", "`until`"),
            ("FREQ=WEEKLY;UNTIL=soon", "`until`"),
            ("UNTIL=20260401;FREQ=WEEKLY", "`until`"),
            ("freq=weekly;until=20260401", "`until`"),
            ("FREQ=WEEKLY;UNTIL=20260401;UNTIL=20260501", "UNTIL more than once"),
            ("FREQ=WEEKLY;COUNT=3;UNTIL=20260401", "both COUNT and UNTIL"),
            ("FREQ=WEEKLY;UNTIL=20260401;BYDAY=MO;COUNT=3", "both COUNT and UNTIL"),
        ],
    ),
    (
        "rules that never give a class",
        &[
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "gives no class"),
            ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,31", "gives no class"),
            ("FREQ=MONTHLY;BYMONTH=4,6,9,11;BYMONTHDAY=31", "gives no class"),
            ("FREQ=MONTHLY;BYDAY=6MO", "gives no class"),
            ("FREQ=YEARLY;BYMONTH=3;BYDAY=-6SU,53TU", "gives no class"),
            ("FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=8", "gives no class"),
            ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", "gives no class"),
            ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3", "gives no class"),
            ("FREQ=DAILY;BYDAY=MO;BYSETPOS=2", "gives no class"),
            ("FREQ=YEARLY;BYMONTH=3;BYYEARDAY=1", "gives no class"),
            ("FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1", "gives no class"),
            ("FREQ=YEARLY;BYWEEKNO=1;BYYEARDAY=200", "gives no class"),
            // It counts from March on, by twelve months.
            ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=2", "gives no class"),
            // It counts from 2 March on, a Monday, by weeks.
            ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "gives no class"),
            // It counts from 2026 on, by fours, and leap years lie between.
            ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "gives no class"),
        ],
    ),
];

/// From Monday 2 March 2026 on, the days of the first classes: of 75 days that the rules of the house publish ahead.
const PUBLISHED: [(&str, &str); 22] = [
    ("FREQ=MONTHLY;BYDAY=MO,1TU", "0302 0303 0309 0316 0323 0330 0406 0407 0413 0420 0427 0504 0505 0511"),
    ("FREQ=MONTHLY;BYDAY=TU,-1SU", "0303 0310 0317 0324 0329 0331 0407 0414 0421 0426 0428 0505 0512"),
    ("FREQ=YEARLY;BYMONTH=3,4;BYDAY=1WE,FR,-1SA", "0304 0306 0313 0320 0327 0328 0401 0403 0410 0417 0424 0425"),
    ("FREQ=WEEKLY;BYDAY=MO,TH;COUNT=5", "0302 0305 0309 0312 0316"),
    ("RRULE:FREQ=WEEKLY;COUNT=3", "0302 0309 0316"),
    ("freq=weekly;byday=sa;count=2", "0307 0314"),
    ("BYDAY=WE;COUNT=2;FREQ=WEEKLY", "0304 0311"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;COUNT=4", "0302 0315 0316 0329"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO;COUNT=4", "0302 0308 0316 0322"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1", "0306 0313 0320 0327 0403 0410 0417 0424 0501 0508 0515"),
    ("FREQ=WEEKLY;BYMONTH=4;BYDAY=TU", "0407 0414 0421 0428"),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "0331 0430"),
    ("FREQ=MONTHLY;BYMONTHDAY=31", "0331"),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "0313"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1", "0302 0331 0401 0430 0501"),
    ("FREQ=MONTHLY;BYDAY=+2SA,-02SA", "0314 0321 0411 0418 0509"),
    ("FREQ=DAILY;INTERVAL=20", "0302 0322 0411 0501"),
    ("FREQ=DAILY;BYDAY=SA,SU;BYMONTHDAY=28,29", "0328 0329"),
    ("FREQ=YEARLY;BYYEARDAY=100,-256", "0410 0420"),
    ("FREQ=YEARLY;BYWEEKNO=11,-38", "0309 0413"),
    ("FREQ=YEARLY;BYDAY=10MO,15TU", "0309 0414"),
    ("FREQ=YEARLY;INTERVAL=2;BYMONTH=04;BYDAY=-1TH", "0430"),
];

fn series(id: &str, rule: &str) -> Value {
    json!({ "id": id, "club": "main", "title": "Spin", "starts_on": "2026-03-02", "time": "18:00", "rrule": rule,
            "minutes": 45, "capacity": 10 })
}

async fn story() -> Story {
    Story::under(json!({ "booking": { "opens": { "before": "P60D" }, "daily_limit": null } })).await
}

#[tokio::test]
async fn a_rule_that_the_rfc_forbids_or_that_gives_no_class_is_refused_with_the_reason_and_changes_nothing() {
    let story = story().await;
    let desk = story.org.desk();
    desk.post("/v1/series", series("mondays", "FREQ=WEEKLY;BYDAY=MO")).answers(201).await;
    let before = desk.get("/v1/series").await.items().to_vec();
    let classes = desk.get("/v1/classes?limit=200").await.items().len();
    for (kind, rules) in REFUSED {
        assert!(rules.len() >= 10, "{kind}");
        for (rule, word) in rules {
            let refused = desk.post("/v1/series", series("other", rule)).refused("invalid").await;
            let change = Some(json!({ "rrule": rule }));
            let patched = desk.call("PATCH".parse().unwrap(), "/v1/series/mondays", change).refused("invalid").await;
            for errors in [&refused.body["errors"], &patched.body["errors"]] {
                assert_eq!(errors.as_array().unwrap().len(), 1, "{rule}: {errors}");
                assert_eq!(errors[0]["pointer"], "/rrule", "{rule}");
                let detail = errors[0]["detail"].as_str().unwrap();
                assert!(detail.contains(word), "{kind}: {rule:?}: {detail}");
            }
        }
    }
    assert_eq!(desk.get("/v1/series").await.items(), before);
    assert_eq!(desk.get("/v1/classes?limit=200").await.items().len(), classes);
}

#[tokio::test]
async fn a_rule_that_the_rfc_allows_is_published_on_exactly_its_days() {
    let story = story().await;
    for (number, (rule, days)) in PUBLISHED.into_iter().enumerate() {
        let made = story.org.desk().post("/v1/series", series(&format!("s{number}"), rule)).answers(201).await;
        let ids = made.body["published"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
        let found: Vec<&str> = ids.map(|id| id.split_once("~2026").unwrap().1).collect();
        assert_eq!(found.join(" "), days, "{rule}");
        assert_eq!(made.body["rrule"], rule, "as it was written");
    }
}

#[tokio::test]
async fn a_rule_gives_a_class_from_its_first_day_to_its_last_or_is_refused() {
    let story = story().await;
    let desk = story.org.desk();
    for (rule, starts_on, until) in [
        ("FREQ=WEEKLY;BYDAY=SU", "2026-03-02", "2026-03-07"),
        ("FREQ=WEEKLY", "2026-03-02", "2026-03-01"),
        ("FREQ=DAILY", "2026-03-02", "2025-03-02"),
        ("FREQ=DAILY;BYMONTH=4", "2026-03-02", "2026-03-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=1", "2026-03-02", "2026-03-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-04-01", "2026-05-30"),
        ("FREQ=MONTHLY;BYDAY=1MO", "2026-03-03", "2026-04-05"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-03-02", "2028-02-28"),
        ("FREQ=YEARLY;BYYEARDAY=366", "2026-03-02", "2028-12-30"),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO", "2026-03-02", "2026-12-27"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU", "2026-03-02", "2026-03-14"),
    ] {
        let mut body = series("late", rule);
        body["starts_on"] = json!(starts_on);
        body["until"] = json!(until);
        let refused = desk.post("/v1/series", body.clone()).refused("invalid").await;
        let error = &refused.body["errors"][0];
        assert_eq!(error["pointer"], "/rrule", "{rule}: {error}");
        let detail = error["detail"].as_str().unwrap();
        // The reason names the first class there would be, and with it as the last day the series is taken.
        let (_, first) = detail.split_once("its first would be on ").unwrap_or_else(|| panic!("{rule}: {detail}"));
        body["until"] = json!(first);
        body["id"] = Value::Null;
        desk.post("/v1/series", body).answers(201).await;
    }
    // The last day of a stored series may come before its first class no more than that of a new one.
    desk.post("/v1/series", series("mondays", "FREQ=WEEKLY;BYDAY=MO")).answers(201).await;
    let ends = |until: &str| desk.call("PATCH".parse().unwrap(), "/v1/series/mondays", Some(json!({ "until": until })));
    ends("2026-03-01").refused("invalid").await;
    let ended = ends("2026-03-02").answers(200).await;
    assert_eq!(ended.body["cancelled"][0], "mondays~20260309");
}
