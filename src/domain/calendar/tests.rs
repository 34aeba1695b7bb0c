use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;

use super::*;
use crate::domain::instant::{parse_instant, with_zone};

fn at(text: &str) -> Instant {
    parse_instant(text).unwrap()
}

fn span(text: &str) -> Span {
    Span::parse(text).unwrap()
}

fn date(text: &str) -> NaiveDate {
    parse_date(text).unwrap()
}

fn time(text: &str) -> NaiveTime {
    parse_time(text).unwrap()
}

fn quiet(from: &str, until: &str) -> Quiet {
    Quiet { from: time(from), until: time(until) }
}

#[test]
fn days_before_a_class_are_local_and_hours_exact() {
    for (zone, start, before_it, expected) in [
        // Across the clocks going forward, and back: 18:00 stays 18:00.
        (Tz::Europe__Copenhagen, "2026-04-01T18:00:00+02:00", "P7D", "2026-03-25T18:00:00+01:00"),
        (Tz::Europe__Copenhagen, "2026-10-28T18:00:00+01:00", "P7D", "2026-10-21T18:00:00+02:00"),
        (Tz::Europe__Vilnius, "2026-04-01T18:00:00+03:00", "P1W", "2026-03-25T18:00:00+02:00"),
        (Tz::Europe__Vilnius, "2026-10-28T18:00:00+02:00", "P1W", "2026-10-21T18:00:00+03:00"),
        // The same length in hours does not.
        (Tz::Europe__Copenhagen, "2026-04-01T18:00:00+02:00", "PT168H", "2026-03-25T17:00:00+01:00"),
        (Tz::Europe__Copenhagen, "2026-10-28T18:00:00+01:00", "PT168H", "2026-10-21T19:00:00+02:00"),
        // Days first, then hours.
        (Tz::Europe__Copenhagen, "2026-03-30T02:30:00+02:00", "P1DT1H", "2026-03-29T01:30:00+01:00"),
        // To a time that does not exist, and to one that exists twice.
        (Tz::Europe__Copenhagen, "2026-03-30T02:30:00+02:00", "P1D", "2026-03-29T03:30:00+02:00"),
        (Tz::Europe__Copenhagen, "2026-10-26T02:30:00+01:00", "P1D", "2026-10-25T02:30:00+02:00"),
        // A start in the second of two equal hours is not mistaken for the first.
        (Tz::Europe__Copenhagen, "2026-10-25T02:30:00+01:00", "PT10M", "2026-10-25T02:20:00+01:00"),
        (Tz::Europe__Copenhagen, "2026-10-25T02:30:00+01:00", "PT0S", "2026-10-25T02:30:00+01:00"),
        (Tz::Asia__Kathmandu, "2026-07-10T18:00:00+05:45", "P7D", "2026-07-03T18:00:00+05:45"),
        (Tz::Australia__Lord_Howe, "2026-04-06T18:00:00+10:30", "P2D", "2026-04-04T18:00:00+11:00"),
        // The day that Samoa skipped: its 18:00 moved forward by the 24 hours left out.
        (Tz::Pacific__Apia, "2011-12-31T18:00:00+14:00", "P1D", "2011-12-31T18:00:00+14:00"),
        (Tz::Pacific__Apia, "2011-12-31T18:00:00+14:00", "P2D", "2011-12-29T18:00:00-10:00"),
        (Tz::Africa__Casablanca, "2026-02-16T18:00:00+00:00", "P2D", "2026-02-14T18:00:00+01:00"),
    ] {
        let instant = before(at(start), &span(before_it), zone);
        assert_eq!(with_zone(instant, zone), expected, "{before_it} before {start} in {zone}");
    }
}

#[test]
fn days_after_a_class_are_local_too() {
    let zone = Tz::Europe__Copenhagen;
    let closes = after(at("2026-03-28T18:00:00+01:00"), &span("P1DT10M"), zone);
    assert_eq!(with_zone(closes, zone), "2026-03-29T18:10:00+02:00");
}

#[test]
fn a_local_time_that_does_not_exist_moves_forward_and_a_doubled_one_is_the_first() {
    for (zone, day, clock, expected) in [
        (Tz::Europe__Copenhagen, "2026-03-29", "01:59", "2026-03-29T01:59:00+01:00"),
        (Tz::Europe__Copenhagen, "2026-03-29", "02:00", "2026-03-29T03:00:00+02:00"),
        (Tz::Europe__Copenhagen, "2026-03-29", "02:30", "2026-03-29T03:30:00+02:00"),
        (Tz::Europe__Copenhagen, "2026-03-29", "03:00", "2026-03-29T03:00:00+02:00"),
        (Tz::Europe__Copenhagen, "2026-10-25", "02:00", "2026-10-25T02:00:00+02:00"),
        (Tz::Europe__Copenhagen, "2026-10-25", "02:30", "2026-10-25T02:30:00+02:00"),
        (Tz::Europe__Copenhagen, "2026-10-25", "03:00", "2026-10-25T03:00:00+01:00"),
        (Tz::Europe__Vilnius, "2026-03-29", "03:30", "2026-03-29T04:30:00+03:00"),
        (Tz::Europe__Vilnius, "2026-10-25", "03:30", "2026-10-25T03:30:00+03:00"),
        // Half an hour, both ways.
        (Tz::Australia__Lord_Howe, "2026-10-04", "02:10", "2026-10-04T02:40:00+11:00"),
        (Tz::Australia__Lord_Howe, "2026-04-05", "01:45", "2026-04-05T01:45:00+11:00"),
        // A whole day.
        (Tz::Pacific__Apia, "2011-12-30", "00:00", "2011-12-31T00:00:00+14:00"),
        (Tz::Pacific__Apia, "2011-12-30", "23:59", "2011-12-31T23:59:00+14:00"),
        // Ramadan: back for a month, then forward again.
        (Tz::Africa__Casablanca, "2026-02-15", "02:30", "2026-02-15T02:30:00+01:00"),
        (Tz::Africa__Casablanca, "2026-03-22", "02:30", "2026-03-22T03:30:00+01:00"),
        (Tz::Asia__Kathmandu, "2026-03-29", "02:30", "2026-03-29T02:30:00+05:45"),
    ] {
        let instant = local_at(date(day), time(clock), zone);
        assert_eq!(with_zone(instant, zone), expected, "{day} {clock} in {zone}");
    }
}

#[test]
fn a_day_begins_with_its_first_instant() {
    for (zone, day, expected) in [
        (Tz::Europe__Copenhagen, "2026-03-29", "2026-03-29T00:00:00+01:00"),
        (Tz::Africa__Cairo, "2026-04-24", "2026-04-24T01:00:00+03:00"),
        (Tz::America__Havana, "2026-11-01", "2026-11-01T00:00:00-04:00"),
        (Tz::Pacific__Apia, "2011-12-30", "2011-12-31T00:00:00+14:00"),
    ] {
        assert_eq!(with_zone(day_start(date(day), zone), zone), expected, "{day} in {zone}");
    }
}

#[test]
fn the_day_of_an_instant_is_the_zones() {
    let instant = at("2026-07-10T22:30:00Z");
    assert_eq!(local_date(instant, Tz::UTC), date("2026-07-10"));
    assert_eq!(local_date(instant, Tz::Europe__Copenhagen), date("2026-07-11"));
    assert_eq!(local_date(instant, Tz::America__New_York), date("2026-07-10"));
}

#[test]
fn quiet_hours_are_half_open_and_cut_to_what_is_asked() {
    let zone = Tz::Europe__Copenhagen;
    let written = |from: &str, until: &str, quiet: &Quiet| -> Vec<String> {
        let intervals = quiet_intervals(at(from), at(until), quiet, zone);
        let clock = |instant| with_zone(instant, zone).get(5..16).unwrap().to_owned();
        intervals.into_iter().map(|(from, until)| format!("{} {}", clock(from), clock(until))).collect()
    };
    let night = quiet("22:00", "07:00");
    assert_eq!(
        written("2026-07-06T10:00:00+02:00", "2026-07-08T03:00:00+02:00", &night),
        ["07-06T22:00 07-07T07:00", "07-07T22:00 07-08T03:00"]
    );
    assert_eq!(
        written("2026-07-06T01:00:00+02:00", "2026-07-06T22:00:00+02:00", &night),
        ["07-06T01:00 07-06T07:00"],
        "a night under way counts, one that begins at the end does not"
    );
    assert_eq!(
        written("2026-07-06T12:30:00+02:00", "2026-07-07T23:00:00+02:00", &quiet("12:00", "14:00")),
        ["07-06T12:30 07-06T14:00", "07-07T12:00 07-07T14:00"]
    );
    assert_eq!(
        written("2026-07-06T12:00:00+02:00", "2026-07-07T12:00:00+02:00", &quiet("00:00", "07:00")),
        ["07-07T00:00 07-07T07:00"]
    );
    assert!(written("2026-07-06T10:00:00+02:00", "2026-07-06T10:00:00+02:00", &night).is_empty());
    assert!(written("2026-07-08T10:00:00+02:00", "2026-07-06T10:00:00+02:00", &night).is_empty());
}

#[test]
fn a_quiet_night_is_as_long_as_the_clocks_make_it() {
    let hours = |from: &str, until: &str, quiet: &Quiet, zone| -> Vec<i64> {
        let intervals = quiet_intervals(at(from), at(until), quiet, zone);
        intervals.into_iter().map(|(from, until)| (until - from).num_minutes()).collect()
    };
    let night = quiet("22:00", "07:00");
    let copenhagen = Tz::Europe__Copenhagen;
    assert_eq!(hours("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z", &night, copenhagen), [8 * 60]);
    assert_eq!(hours("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z", &night, copenhagen), [10 * 60]);
    // Two nights into one: the day between them did not take place.
    assert_eq!(hours("2011-12-29T22:00:00Z", "2011-12-31T22:00:00Z", &night, Tz::Pacific__Apia), [9 * 60, 9 * 60]);
    // Both ends in the gap keep their distance; an end in the gap can pass the next beginning.
    assert_eq!(hours("2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z", &quiet("02:10", "02:50"), copenhagen), [40]);
    assert_eq!(hours("2026-03-28T02:00:00Z", "2026-03-29T12:00:00Z", &quiet("03:00", "02:30"), copenhagen), [34 * 60]);
}

#[test]
fn dates_times_and_zones_have_one_form_each() {
    for bad in ["", "2026-3-9", "2026-02-29", "+2026-03-09", "26-03-09", "2026-03-09T00:00", "1899-12-31", "2201-01-01"]
    {
        assert_eq!(parse_date(bad), Err(DateError), "{bad:?}");
    }
    assert!(parse_date("1900-01-01").is_ok() && parse_date("2200-12-31").is_ok() && parse_date("2028-02-29").is_ok());
    for bad in ["", "8:00", "24:00", "23:60", "08:00:00", "0800", "+8:00", " 8:00"] {
        assert_eq!(parse_time(bad), Err(TimeError), "{bad:?}");
    }
    assert!(parse_time("00:00").is_ok() && parse_time("23:59").is_ok());
    for bad in ["", "Europe", "Europe/Copenhague", "europe/copenhagen", "+01:00", "CET "] {
        assert_eq!(parse_zone(bad), Err(ZoneError), "{bad:?}");
    }
    assert_eq!(parse_zone("Africa/Casablanca"), Ok(Tz::Africa__Casablanca));
}

fn any_zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(TZ_VARIANTS.to_vec())
}

fn any_date() -> impl Strategy<Value = NaiveDate> {
    (0..73_000_u32).prop_map(|days| days_on(date("2000-01-01"), days))
}

fn any_time() -> impl Strategy<Value = NaiveTime> {
    (0..24_u32, 0..60_u32).prop_map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap())
}

proptest! {
    #[test]
    fn a_local_time_is_itself_or_later_by_a_gap(zone in any_zone(), day in any_date(), clock in any_time()) {
        let local = day.and_time(clock);
        let instant = local_at(day, clock, zone);
        let there = instant.with_timezone(&zones::table().offset_at(instant, zone)).naive_local();
        prop_assert!(there >= local);
        prop_assert_eq!(there == local, !zones::table().reading(local, zone).skipped);
    }

    #[test]
    fn before_its_first_instant_a_day_was_not(zone in any_zone(), day in any_date()) {
        let start = day_start(day, zone);
        prop_assert!(local_date(start, zone) >= day);
        prop_assert!(local_date(exactly(start, -1), zone) < day);
    }

    #[test]
    fn a_zone_without_clock_changes_is_quiet_just_when_its_clock_says_so(
        from in any_time(), until in any_time(), minute in 0..4_320_i64,
    ) {
        prop_assume!(from != until);
        let begin = at("2026-07-06T10:00:00Z");
        let end = at("2026-07-09T10:00:00Z");
        let now = begin + TimeDelta::minutes(minute);
        let clock = now.time();
        let by_clock = if from < until { from <= clock && clock < until } else { from <= clock || clock < until };
        let intervals = quiet_intervals(begin, end, &Quiet { from, until }, Tz::UTC);
        prop_assert_eq!(intervals.iter().any(|(from, until)| *from <= now && now < *until), by_clock);
    }

    #[test]
    fn quiet_hours_are_in_order_and_apart_in_any_zone(
        zone in any_zone(), day in any_date(), from in any_time(), until in any_time(),
    ) {
        prop_assume!(from != until);
        let begin = day_start(day, zone);
        let end = begin + TimeDelta::days(5);
        let intervals = quiet_intervals(begin, end, &Quiet { from, until }, zone);
        let edges: Vec<_> = intervals.iter().flat_map(|(from, until)| [*from, *until]).collect();
        prop_assert!(edges.iter().all(|edge| begin <= *edge && *edge <= end));
        prop_assert!(edges.is_sorted_by(|a, b| a < b));
    }
}
