use chrono::NaiveDate;

use super::*;

/// The first days of a rule from a day on, as `1997-09-02 09-04 1998-01-01`: a year is written where it begins.
fn first(starts_on: &str, rule: &str, days: usize) -> String {
    let rule = Rule::parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    let mut year = String::new();
    let mut said = Vec::new();
    for day in rule.days(starts_on.parse().unwrap()).take(days) {
        let day = day.to_string();
        let (of, rest) = day.split_once('-').unwrap();
        said.push(if of == year { rest.to_owned() } else { day.clone() });
        of.clone_into(&mut year);
    }
    said.join(" ")
}

/// The examples of RFC 5545, section 3.8.5.3, that recur by days: what the RFC itself says they give.
const EXAMPLES: [(&str, &str, &str); 33] = [
    ("1997-09-02", "FREQ=DAILY;COUNT=10", "1997-09-02 09-03 09-04 09-05 09-06 09-07 09-08 09-09 09-10 09-11"),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02 09-12 09-22 10-02 10-12"),
    ("1998-01-30", "FREQ=YEARLY;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", "1998-01-30 01-31 1999-01-01"),
    ("1998-01-30", "FREQ=DAILY;BYMONTH=1", "1998-01-30 01-31 1999-01-01"),
    ("1997-09-02", "FREQ=WEEKLY;COUNT=10", "1997-09-02 09-09 09-16 09-23 09-30 10-07 10-14 10-21 10-28 11-04"),
    ("1997-09-02", "FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09-02 09-16 09-30 10-14 10-28 11-11"),
    (
        "1997-09-02",
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 09-04 09-09 09-11 09-16 09-18 09-23 09-25 09-30 10-02",
    ),
    (
        "1997-09-01",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01 09-03 09-05 09-15 09-17 09-19 09-29 10-01",
    ),
    (
        "1997-09-02",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 09-04 09-16 09-18 09-30 10-02 10-14 10-16",
    ),
    (
        "1997-09-05",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05 10-03 11-07 12-05 1998-01-02 02-06 03-06 04-03 05-01 06-05",
    ),
    (
        "1997-09-07",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07 09-28 11-02 11-30 1998-01-04 01-25 03-01 03-29 05-03 05-31",
    ),
    ("1997-09-22", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22 10-20 11-17 12-22 1998-01-19 02-16"),
    ("1997-09-28", "FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28 10-29 11-28 12-29 1998-01-29 02-26"),
    (
        "1997-09-02",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09-02 09-15 10-02 10-15 11-02 11-15 12-02 12-15 1998-01-02 01-15",
    ),
    (
        "1997-09-30",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30 10-01 10-31 11-01 11-30 12-01 12-31 1998-01-01 01-31 02-01",
    ),
    (
        "1997-09-10",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10 09-11 09-12 09-13 09-14 09-15 1999-03-10 03-11 03-12 03-13",
    ),
    (
        "1997-09-02",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-09-02 09-09 09-16 09-23 09-30 11-04 11-11 11-18 11-25 1998-01-06",
    ),
    (
        "1997-06-10",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10 07-10 1998-06-10 07-10 1999-06-10 07-10 2000-06-10 07-10 2001-06-10 07-10",
    ),
    (
        "1997-03-10",
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10 1999-01-10 02-10 03-10 2001-01-10 02-10 03-10 2003-01-10 02-10 03-10",
    ),
    (
        "1997-01-01",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01 04-10 07-19 2000-01-01 04-09 07-18 2003-01-01 04-10 07-19 2006-01-01",
    ),
    ("1997-05-19", "FREQ=YEARLY;BYDAY=20MO", "1997-05-19 1998-05-18 1999-05-17"),
    ("1997-05-12", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12 1998-05-11 1999-05-17"),
    ("1997-03-13", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03-13 03-20 03-27 1998-03-05 03-12 03-19 03-26 1999-03-04"),
    ("1997-08-28", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8", "1997-08-28 1998-06-04 06-11 06-18 06-25 07-02 07-09"),
    ("1997-09-02", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1998-02-13 03-13 11-13 1999-08-13 2000-10-13"),
    (
        "1997-09-13",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13 10-11 11-08 12-13 1998-01-10 02-07 03-07 04-11 05-09 06-13",
    ),
    (
        "1996-11-05",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05 2000-11-07 2004-11-02",
    ),
    ("1997-09-04", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 10-07 11-06"),
    (
        "1997-09-29",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29 10-30 11-27 12-30 1998-01-29 02-26 03-30",
    ),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05 08-10 08-19 08-24"),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05 08-17 08-19 08-31"),
    ("2007-01-15", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15 01-30 02-15 03-15 03-30"),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=2", "1997-09-02 09-04 09-06"),
];

#[test]
fn the_examples_of_the_rfc_give_what_the_rfc_says() {
    for (starts_on, rule, expected) in EXAMPLES {
        assert_eq!(first(starts_on, rule, expected.split(' ').count()), expected, "{rule}");
    }
}

#[test]
fn what_other_readers_lose_is_given() {
    for (starts_on, rule, expected) in [
        // Every Monday and the first Tuesday: crate rrule, dateutil and rrule.js give nothing.
        ("2026-03-02", "FREQ=MONTHLY;BYDAY=MO,1TU", "2026-03-02 03-03 03-09 03-16 03-23 03-30 04-06 04-07 04-13"),
        ("2026-03-02", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1FR,WE", "2026-03-04 03-11 03-18 03-25 03-27 2027-03-03"),
        ("2026-03-02", "FREQ=MONTHLY;BYDAY=SU,1MO;BYSETPOS=-1", "2026-03-29 04-26 05-31"),
        // A number that a month never reaches leaves the rest of the list.
        ("2026-03-02", "FREQ=MONTHLY;BYDAY=TU,6MO", "2026-03-03 03-10"),
        // The weekday is the first day's, as no part says it.
        ("2026-03-05", "FREQ=YEARLY;BYWEEKNO=11,20", "2026-03-12 05-14 2027-03-18 05-20"),
        // 28 December 2026 to 3 January 2027 is week 53, and all of it belongs to 2026.
        (
            "2026-01-01",
            "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO,FR,SU",
            "2026-12-28 2027-01-01 01-03 2032-12-27 12-31 2033-01-02",
        ),
        ("2026-01-01", "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SA", "2027-01-02 2028-01-01 12-30"),
        ("2025-06-02", "FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO,SU", "2027-01-04 01-10 2029-01-01 01-07"),
        // Weeks that begin on Sundays: week 1 of 2026 begins on 4 January, four days of the week before being in 2025.
        ("2026-01-01", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=SU;WKST=SU", "2026-01-04 2027-01-03 2028-01-02 12-31"),
        // 29 February, and the 31st, only where there is one.
        ("2024-02-29", "FREQ=YEARLY", "2024-02-29 2028-02-29 2032-02-29"),
        ("2096-02-29", "FREQ=YEARLY", "2096-02-29 2104-02-29"),
        ("2026-01-31", "FREQ=MONTHLY", "2026-01-31 03-31 05-31 07-31"),
        ("2026-01-31", "FREQ=YEARLY;BYMONTH=1,2,3", "2026-01-31 03-31 2027-01-31"),
        ("2026-03-02", "FREQ=YEARLY;BYYEARDAY=366,-366", "2028-01-01 12-31 2032-01-01"),
        ("2026-03-02", "FREQ=YEARLY;BYMONTHDAY=31;BYDAY=TU", "2026-03-31 2027-08-31"),
    ] {
        assert_eq!(first(starts_on, rule, expected.split(' ').count()), expected, "{rule}");
    }
}

#[test]
fn days_end_with_the_year_that_dates_end_with_and_a_rule_that_never_comes_true_ends_too() {
    assert_eq!(first("2200-12-30", "FREQ=DAILY", 9), "2200-12-30 12-31");
    assert_eq!(first("2199-06-01", "FREQ=YEARLY", 9), "2199-06-01 2200-06-01");
    assert_eq!(first("2200-12-31", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=WE", 9), "2200-12-31");
    assert_eq!(first("1900-01-01", &format!("FREQ=DAILY;INTERVAL={INTERVAL_MAX}"), 9), "1900-01-01 2079-06-06");
    for never in ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;INTERVAL=65535;BYMONTH=4;BYMONTHDAY=31"] {
        assert_eq!(first("1900-01-01", never, 1), "", "{never}");
    }
}

#[test]
fn a_rule_is_read_in_any_case_and_order_with_signs_and_zeros_that_the_grammar_has() {
    let read = |text: &str| Rule::parse(text).unwrap();
    let plain = read("FREQ=MONTHLY;BYDAY=1MO,-2FR;BYMONTH=3,4;INTERVAL=2");
    for same in [
        "rrule:freq=monthly;byday=1mo,-2fr;bymonth=3,4;interval=2",
        "RRULE:INTERVAL=2;BYMONTH=03,04;BYDAY=+1MO,-02FR;FREQ=MONTHLY",
        "BYDAY=01MO,-2FR;FREQ=Monthly;INTERVAL=002;BYMONTH=3,4",
    ] {
        assert_eq!(read(same), plain, "{same}");
    }
    assert_eq!(Rule::parse(&format!("FREQ=DAILY;INTERVAL={INTERVAL_MAX}")).unwrap().interval, INTERVAL_MAX);
    assert!(Rule::parse(&format!("FREQ=DAILY;INTERVAL={}", INTERVAL_MAX + 1)).is_err());
    assert!(read("FREQ=DAILY").days(NaiveDate::MAX).next().is_none());
}
