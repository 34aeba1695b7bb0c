use std::collections::BTreeMap;

use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::calendar::day_start;
use crate::domain::instant::{from_ms, parse_instant, with_zone};
use crate::domain::presets::{preset, presets};

/// The names of the hash's fields that the atomic core reads, in the order they are written.
const FIELDS: &str = "zone date starts ends opens_at closes_at cancel_by promote_until decide_at check_in_opens check_in_due \
    check_in_closes quiet daily_limit open_limit allow_overlap late late_fee late_is_strike forgive after_booking_ms waitlist_max \
    mode offer_ms then grace_ms leave_overlapping check_in_fee no_show_fee strikes strike_window_ms ban_ms below_minimum untouched_roster \
    change_notice_ms currency policy";

fn at(text: &str) -> Instant {
    parse_instant(text).unwrap()
}

fn policy(id: &str, patch: serde_json::Value) -> Policy {
    preset(id).unwrap().policy.patched(&patch).unwrap()
}

fn in_zone(id: &str, zone: Tz, patch: serde_json::Value) -> Policy {
    Policy { timezone: zone, ..policy(id, patch) }
}

fn offering() -> Policy {
    policy("pulsn-dk", json!({"waitlist": {"mode": "offer"}}))
}

fn fields(terms: &Terms) -> BTreeMap<&'static str, String> {
    terms.to_fields().into_iter().collect()
}

#[test]
fn a_class_of_pulsn_has_the_instants_its_rules_say() {
    let terms = Terms::of(&policy("pulsn-dk", json!({})), at("2026-07-10T18:00:00+02:00"), 55);
    let written = |instant| with_zone(instant, terms.zone);
    assert_eq!(terms.date.to_string(), "2026-07-10");
    assert_eq!(written(terms.opens_at), "2026-07-03T18:00:00+02:00");
    assert_eq!(written(terms.closes_at), "2026-07-10T18:00:00+02:00");
    assert_eq!(written(terms.cancel_by), "2026-07-10T16:00:00+02:00");
    assert_eq!(written(terms.promote_until), "2026-07-10T15:00:00+02:00");
    assert_eq!(written(terms.decide_at), "2026-07-10T16:00:00+02:00");
    assert_eq!(written(terms.check_in_opens), "2026-07-10T17:00:00+02:00");
    assert_eq!(written(terms.check_in_due), "2026-07-10T17:55:00+02:00");
    assert_eq!(written(terms.starts_at), "2026-07-10T18:00:00+02:00");
    assert_eq!(written(terms.check_in_closes), "2026-07-10T18:10:00+02:00");
    assert_eq!(written(terms.ends_at), "2026-07-10T18:55:00+02:00");
    assert_eq!(terms.quiet, [], "mode auto promotes at any hour");
}

#[test]
fn booking_opens_at_the_same_local_time_across_clock_changes() {
    for (id, start, opens) in [
        ("pulsn-dk", "2026-04-01T18:00:00+02:00", "2026-03-25T18:00:00+01:00"),
        ("pulsn-dk", "2026-10-28T18:00:00+01:00", "2026-10-21T18:00:00+02:00"),
        ("impuls-lt", "2026-04-01T18:00:00+03:00", "2026-03-25T18:00:00+02:00"),
        ("impuls-lt", "2026-10-28T18:00:00+02:00", "2026-10-21T18:00:00+03:00"),
    ] {
        let terms = Terms::of(&policy(id, json!({})), at(start), 60);
        assert_eq!(with_zone(terms.opens_at, terms.zone), opens, "{id} {start}");
    }
}

#[test]
fn booking_opens_at_a_fixed_local_time_some_days_before() {
    let opens = |zone, start: &str, days: u32, clock: &str| {
        let patch = json!({"booking": {"opens": {"before": null, "days": days, "at": clock}}});
        let terms = Terms::of(&in_zone("pulsn-dk", zone, patch), at(start), 60);
        with_zone(terms.opens_at, zone)
    };
    let copenhagen = Tz::Europe__Copenhagen;
    assert_eq!(opens(copenhagen, "2026-07-10T18:00:00+02:00", 2, "08:00"), "2026-07-08T08:00:00+02:00");
    assert_eq!(
        opens(copenhagen, "2026-07-10T00:30:00+02:00", 2, "08:00"),
        "2026-07-08T08:00:00+02:00",
        "the local day"
    );
    assert_eq!(opens(copenhagen, "2026-03-31T18:00:00+02:00", 2, "02:30"), "2026-03-29T03:30:00+02:00", "skipped");
    assert_eq!(opens(copenhagen, "2026-10-27T18:00:00+01:00", 2, "02:30"), "2026-10-25T02:30:00+02:00", "doubled");
    assert_eq!(opens(Tz::Pacific__Apia, "2012-01-01T18:00:00+14:00", 2, "08:00"), "2011-12-31T08:00:00+14:00");
    assert_eq!(opens(Tz::Australia__Lord_Howe, "2026-10-05T18:00:00+11:00", 1, "02:10"), "2026-10-04T02:40:00+11:00");
    assert_eq!(opens(copenhagen, "2026-07-10T07:00:00+02:00", 0, "08:00"), "2026-07-10T08:00:00+02:00");
}

#[test]
fn the_local_day_of_a_class_is_its_zones() {
    for (zone, date) in
        [(Tz::Asia__Kathmandu, "2026-07-11"), (Tz::America__New_York, "2026-07-10"), (Tz::UTC, "2026-07-10")]
    {
        let terms = Terms::of(&in_zone("standard", zone, json!({})), at("2026-07-10T19:00:00Z"), 60);
        assert_eq!(terms.date.to_string(), date, "{zone}");
    }
}

#[test]
fn quiet_hours_are_listed_while_spots_can_be_offered() {
    let start = at("2026-07-10T18:00:00+02:00");
    let terms = Terms::of(&offering(), start, 60);
    let first = (at("2026-07-03T22:00:00+02:00"), at("2026-07-04T07:00:00+02:00"));
    let last = (at("2026-07-09T22:00:00+02:00"), at("2026-07-10T07:00:00+02:00"));
    assert_eq!((terms.quiet.first(), terms.quiet.last(), terms.quiet.len()), (Some(&first), Some(&last), 7));

    let early = Terms::of(&offering(), at("2026-07-10T09:00:00+02:00"), 60);
    let cut = (at("2026-07-09T22:00:00+02:00"), early.promote_until);
    assert_eq!(early.quiet.last(), Some(&cut), "promotion ends at 06:00, in the night");

    let never = policy("pulsn-dk", json!({"waitlist": {"mode": "offer", "quiet": null}}));
    assert_eq!(Terms::of(&never, start, 60).quiet, []);

    let year = json!({"waitlist": {"mode": "offer"}, "booking": {"opens": {"before": "P366D"}}});
    let nights = Terms::of(&policy("pulsn-dk", year), start, 60).quiet;
    assert!(nights.len() <= 367 && nights[0].0 >= start - QUIET_LISTED);
}

#[test]
fn a_moved_class_keeps_its_own_durations() {
    let session = json!({"booking": {"opens": {"before": "P42D"}}, "cancel": {"free_until": "PT24H"}});
    let terms = Terms::of(&policy("actic-no", session), at("2026-10-24T18:00:00+02:00"), 60);
    let start = at("2026-10-25T18:00:00+01:00");
    let moved = terms.moved(start, 45);
    assert_eq!(moved, Terms::of(&terms.policy, start, 45));
    assert_eq!(with_zone(moved.cancel_by, moved.zone), "2026-10-24T19:00:00+02:00", "24 exact hours");
    assert_eq!(with_zone(moved.opens_at, moved.zone), "2026-09-13T18:00:00+02:00", "42 local days");
    assert_eq!(with_zone(moved.ends_at, moved.zone), "2026-10-25T18:45:00+01:00");
    assert_eq!(moved.date.to_string(), "2026-10-25");
}

#[test]
fn a_class_moved_on_lists_the_quiet_hours_since_it_first_opened() {
    let terms = Terms::of(&offering(), at("2026-07-10T18:00:00+02:00"), 60);
    let moved = terms.moved(at("2026-07-17T18:00:00+02:00"), 60);
    assert_eq!(moved.quiet[0], terms.quiet[0], "booking may have opened then and stays open");
    assert_eq!(moved.quiet.len(), 14);
    let back = terms.moved(at("2026-07-08T18:00:00+02:00"), 60);
    assert_eq!(back.quiet[0].0, at("2026-07-01T22:00:00+02:00"));
}

#[test]
fn the_fields_are_those_the_atomic_core_reads() {
    let terms = Terms::of(&offering(), at("2026-07-10T18:00:00+02:00"), 55);
    let names: Vec<_> = terms.to_fields().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, FIELDS.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn the_fields_are_text_that_lua_can_count_with() {
    let patch = json!({"cancel": {"late_is_strike": true, "after_booking": "PT10M"}, "booking": {"open_limit": 8}, "attendance": {"strikes": 2}});
    let fields = fields(&Terms::of(&policy("pulsn-dk", patch), at("2026-07-10T18:00:00+02:00"), 55));
    for (name, value) in [
        ("zone", "Europe/Copenhagen"),
        ("date", "2026-07-10"),
        ("starts", "1783699200000"),
        ("ends", "1783702500000"),
        ("daily_limit", ""),
        ("open_limit", "8"),
        ("allow_overlap", "0"),
        ("late", "charged"),
        ("late_fee", "3000"),
        ("late_is_strike", "1"),
        ("forgive", "0"),
        ("after_booking_ms", "600000"),
        ("waitlist_max", "20"),
        ("mode", "auto"),
        ("offer_ms", "1800000"),
        ("then", "first_come"),
        ("grace_ms", "1800000"),
        ("leave_overlapping", "1"),
        ("quiet", ""),
        ("check_in_fee", "3000"),
        ("no_show_fee", "3000"),
        ("strikes", "2"),
        ("strike_window_ms", "1209600000"),
        ("ban_ms", "1209600000"),
        ("below_minimum", "cancel"),
        ("untouched_roster", "review"),
        ("change_notice_ms", "86400000"),
        ("currency", "DKK"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    let quiet = Terms::of(&offering(), at("2026-07-10T18:00:00+02:00"), 55).to_fields();
    let quiet = quiet.into_iter().find(|(name, _)| *name == "quiet").unwrap().1;
    assert!(quiet.starts_with("[[1783108800000,1783141200000],["), "{quiet}");
}

#[test]
fn a_corrupt_field_is_named() {
    let whole = fields(&Terms::of(&offering(), at("2026-07-10T18:00:00+02:00"), 55));
    let corrupted = |name: &str, value: Option<&str>| {
        let get = |field: &str| if field == name { value } else { whole.get(field).map(String::as_str) };
        Terms::from_fields(get).err().map(|error| error.field)
    };
    let instants =
        "starts ends opens_at closes_at cancel_by promote_until decide_at check_in_opens check_in_due check_in_closes";
    for name in instants.split_whitespace().chain(["zone", "date"]) {
        assert_eq!(corrupted(name, None), Some(name), "without {name}");
        assert_eq!(corrupted(name, Some("[7]")), Some(name));
    }
    assert_eq!(corrupted("starts", Some("9223372036854775807")), Some("starts"));
    assert_eq!(corrupted("none of them", None), None);
}

#[test]
fn a_policy_beside_the_terms_that_cannot_be_read_leaves_the_instants_as_they_are() {
    let terms = Terms::of(&offering(), at("2026-07-10T18:00:00+02:00"), 55);
    let whole = fields(&terms);
    for (name, odd) in
        [("policy", "{"), ("policy", "[7]"), ("policy", r#"{"cancel":{"late":"sometimes"}}"#), ("quiet", "7")]
    {
        let get = |field: &str| if field == name { Some(odd) } else { whole.get(field).map(String::as_str) };
        let read = Terms::from_fields(get).unwrap();
        assert_eq!((read.zone, read.policy.timezone), (terms.zone, terms.zone), "{odd}");
        let quiet = if name == "quiet" { Vec::new() } else { terms.quiet.clone() };
        assert_eq!(read, Terms { policy: read.policy.clone(), quiet, ..terms.clone() }, "{odd}");
    }
}

prop_compose! {
    fn any_terms()(
        preset in prop::sample::select(presets().to_vec()),
        zone in prop::sample::select(TZ_VARIANTS.to_vec()),
        start_min in 15_778_080..120_000_000_i64,
        minutes in 1..=1_440_u32,
        offers in any::<bool>(),
    ) -> Terms {
        let patch = json!({"waitlist": {"mode": if offers { "offer" } else { "auto" }}});
        let policy = Policy { timezone: zone, ..preset.policy.patched(&patch).unwrap() };
        Terms::of(&policy, from_ms(start_min * 60_000).unwrap(), minutes)
    }
}

proptest! {
    #[test]
    fn terms_come_back_from_their_fields(terms in any_terms()) {
        let fields = fields(&terms);
        let read = Terms::from_fields(|name| fields.get(name).map(String::as_str));
        prop_assert_eq!(read, Ok(terms));
    }

    #[test]
    fn a_class_opens_before_it_closes_and_starts_before_it_ends(terms in any_terms()) {
        prop_assert!(terms.opens_at < terms.closes_at);
        prop_assert!(terms.closes_at <= terms.starts_at && terms.starts_at < terms.ends_at);
        prop_assert!(terms.check_in_opens <= terms.check_in_due && terms.check_in_due <= terms.starts_at);
        prop_assert!(terms.starts_at <= terms.check_in_closes);
        prop_assert!(day_start(terms.date, terms.zone) <= terms.starts_at);
    }
}
