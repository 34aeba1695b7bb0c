use super::*;
use crate::domain::instant::with_zone;

const COPENHAGEN: Tz = Tz::Europe__Copenhagen;

fn body() -> Value {
    json!({"starts_on": "2026-03-23", "time": "18:00", "rrule": "FREQ=WEEKLY;BYDAY=MO,WE", "club": "nord",
           "title": "Spin", "minutes": 45, "capacity": 20})
}

fn starts(body: &Value, from: &str, to: &str) -> Vec<String> {
    let id = SeriesId::parse("spin").unwrap();
    let day = |text: &str| parse_date(text).unwrap();
    let found = Series::parse(body).unwrap().occurrences(&id, day(from), day(to), COPENHAGEN).unwrap();
    found.iter().map(|o| with_zone(o.class.starts_at, COPENHAGEN)).collect()
}

#[test]
fn eighteen_stays_eighteen_when_the_clocks_change() {
    let found = starts(&body(), "2026-03-25", "2026-03-30");
    assert_eq!(found, ["2026-03-25T18:00:00+01:00", "2026-03-30T18:00:00+02:00"]);
}

#[test]
fn days_are_left_out_changed_and_ended() {
    let mut body = body();
    body["exceptions"] = json!(["2026-03-25"]);
    body["changes"] = json!({"2026-03-30": {"time": "17:00", "capacity": 5, "title": "Spin, short"}});
    body["until"] = json!("2026-04-01");
    let found = starts(&body, "2026-03-01", "2026-12-31");
    assert_eq!(found, ["2026-03-23T18:00:00+01:00", "2026-03-30T17:00:00+02:00", "2026-04-01T18:00:00+02:00"]);
    let id = SeriesId::parse("spin").unwrap();
    let day = parse_date("2026-03-30").unwrap();
    let changed = &Series::parse(&body).unwrap().occurrences(&id, day, day, COPENHAGEN).unwrap()[0];
    assert_eq!((changed.class.capacity, changed.class.title.as_str()), (5, "Spin, short"));
    assert_eq!(changed.class.id.as_ref().unwrap().as_str(), "spin~20260330");
}

#[test]
fn a_rule_counts_from_the_first_day_whatever_part_is_looked_at() {
    let mut body = body();
    body["rrule"] = json!("FREQ=DAILY;INTERVAL=3;COUNT=4");
    assert_eq!(starts(&body, "2026-03-27", "2026-12-31").len(), 2);
}

#[test]
fn what_is_wrong_with_a_series_is_said_where_it_is() {
    for (field, value, pointer) in [
        ("rrule", json!("FREQ=HOURLY"), "/rrule"),
        ("rrule", json!("FREQ=WEEKLY;BYHOUR=3"), "/rrule"),
        ("rrule", json!("FREQ=WEEKLY;UNTIL=20260401T000000Z"), "/rrule"),
        ("rrule", json!("every monday"), "/rrule"),
        ("time", json!("25:00"), "/time"),
        ("starts_on", json!("2026-02-30"), "/starts_on"),
        ("minutes", json!(0), "/minutes"),
        ("starts_at", json!("2026-03-23T18:00:00Z"), "/starts_at"),
        ("colour", json!("red"), "/colour"),
        ("id", json!("a".repeat(SERIES_ID_LEN_MAX + 1)), "/id"),
        ("exceptions", json!(["soon"]), "/exceptions/0"),
        ("changes", json!({"2026-03-30": {"rrule": "FREQ=DAILY"}}), "/changes/2026-03-30/rrule"),
        ("changes", json!({"2026-03-30": {"capacity": 0}}), "/changes/2026-03-30/capacity"),
    ] {
        let mut body = body();
        body[field] = value.clone();
        let errors = Series::parse(&body).unwrap_err();
        assert!(errors.iter().any(|error| error.pointer == pointer), "{field}: {value}: {errors:?}");
    }
}

#[test]
fn a_change_is_merged_and_judged_whole() {
    let body = body();
    let fields = body.as_object().unwrap();
    let changed = Series::patched(fields, &json!({"time": "19:00", "room": "Hall 2"})).unwrap();
    assert_eq!(changed.body["room"], "Hall 2");
    assert!(Series::patched(fields, &json!({"title": null})).is_err());
}

#[test]
fn what_was_accepted_once_stays_readable() {
    let body = body();
    let stored = Series::stored(&body.to_string());
    assert_eq!(stored.series, Series::parse(&body));
    let mut odd = body.clone();
    odd["minutes"] = json!(100_000);
    odd["colour"] = json!("red");
    let stored = Series::stored(&odd.to_string());
    let told: Vec<String> = stored.series.unwrap_err().into_iter().map(|error| error.pointer).collect();
    assert_eq!((told, &stored.body["title"]), (vec!["/minutes".to_owned(), "/colour".to_owned()], &json!("Spin")));
    let repaired = Series::patched(&stored.body, &json!({"minutes": 45, "colour": null})).unwrap();
    assert_eq!(repaired.body["minutes"], 45);
    for nothing in ["", "[]", "{", "7"] {
        let stored = Series::stored(nothing);
        assert!(stored.body.is_empty() && stored.series.is_err(), "{nothing}");
    }
}

#[test]
fn a_changed_day_is_merged_into_the_parts_of_what_every_day_has() {
    let mut body = body();
    body["instructor"] = json!({"id": "ida", "name": "Ida"});
    body["policy"] = json!({"cancel": {"late_fee": 5, "late": "charged"}});
    body["changes"] = json!({"2026-03-25": {"instructor": {"name": "Ida B."}, "policy": {"cancel": {"late_fee": 7}}},
                             "2026-03-30": {"instructor": null, "policy": null}});
    let id = SeriesId::parse("spin").unwrap();
    let day = |text: &str| parse_date(text).unwrap();
    let series = Series::parse(&body).unwrap();
    let found = series.occurrences(&id, day("2026-03-23"), day("2026-03-30"), COPENHAGEN).unwrap();
    let said: Vec<_> =
        found.iter().map(|o| (o.class.instructor.as_ref().map(|i| i.name.as_str()), o.class.policy.clone())).collect();
    let merged = json!({"cancel": {"late_fee": 7, "late": "charged"}});
    assert_eq!(said[0], (Some("Ida"), Some(body["policy"].clone())));
    assert_eq!(said[1], (Some("Ida B."), Some(merged)));
    assert_eq!(said[2], (None, None));
    for wrong in [json!({"instructor": {"id": null}}), json!({"policy": 7}), json!({"minimum": 21})] {
        body["changes"] = json!({"2026-03-25": wrong});
        assert!(Series::parse(&body).is_err(), "{}", body["changes"]);
    }
}

#[test]
fn a_series_may_leave_out_and_change_so_many_days_and_no_more() {
    let days = |many: usize| body_days(many).into_iter().map(|day| json!(day)).collect::<Vec<_>>();
    let changes =
        |many: usize| body_days(many).into_iter().map(|day| (day, json!({"room": "2"}))).collect::<Map<_, _>>();
    for (name, at, beyond) in [
        ("exceptions", json!(days(EXCEPTIONS_MAX)), json!(days(EXCEPTIONS_MAX + 1))),
        ("changes", json!(changes(EXCEPTIONS_MAX)), json!(changes(EXCEPTIONS_MAX + 1))),
    ] {
        let mut body = body();
        body[name] = at;
        assert!(Series::parse(&body).is_ok(), "{name}");
        body[name] = beyond;
        let errors = Series::parse(&body).unwrap_err();
        assert_eq!(errors[0].pointer, format!("/{name}"));
    }
}

fn body_days(many: usize) -> Vec<String> {
    let first = parse_date("2026-03-23").unwrap();
    first.iter_days().take(many).map(|day| day.to_string()).collect()
}

#[test]
fn a_rule_that_never_comes_true_is_found_out_and_not_looked_for_without_end() {
    let mut body = body();
    body["rrule"] = json!("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30");
    let errors = Series::parse(&body).unwrap_err();
    assert_eq!(errors[0].to_string(), "/rrule gives no class from 2026-03-23 on, however far one looks");
}
