use serde_json::{Value, json};

use super::*;
use crate::domain::invalid::pointers;
use crate::domain::presets::preset;

const NULLABLE: [&str; 4] = ["/booking/daily_limit", "/booking/open_limit", "/waitlist/quiet", "/attendance/strikes"];

fn pulsn() -> Policy {
    preset("pulsn-dk").unwrap().policy.clone()
}

/// `pulsn-dk` with another value somewhere, or with none there.
fn pulsn_with(pointer: &str, value: Option<Value>) -> Value {
    let mut policy = pulsn().to_json();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = policy.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.shift_remove(name),
    };
    policy
}

/// Every field of a document, groups and their fields alike.
fn fields_of(value: &Value, pointer: &str) -> Vec<String> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .flat_map(|(name, value)| {
            let pointer = format!("{pointer}/{name}");
            let inner = fields_of(value, &pointer);
            std::iter::once(pointer).chain(inner)
        })
        .collect()
}

#[test]
fn what_a_policy_leaves_out_is_as_in_standard() {
    let standard = preset("standard").unwrap().policy.to_json();
    for pointer in fields_of(&pulsn().to_json(), "") {
        let parsed = Policy::parse(&pulsn_with(&pointer, None));
        // Inside of a setting that has parts, none is left out.
        match pointer.as_str() {
            "/booking/opens/before" => assert_eq!(pointers(parsed), ["/booking/opens"]),
            part @ ("/waitlist/quiet/from" | "/waitlist/quiet/until") => assert_eq!(pointers(parsed), [part]),
            other => assert_eq!(parsed.unwrap().to_json().pointer(other), standard.pointer(other), "without {other}"),
        }
    }
    assert_eq!(Policy::parse(&json!({})).unwrap().to_json(), standard);
}

#[test]
fn a_class_override_that_nulls_a_setting_does_not_get_standards() {
    assert_eq!(pulsn().patched(&json!({"booking": {"daily_limit": null}})).unwrap().booking.daily_limit, None);
    assert_eq!(pointers(pulsn().patched(&json!({"cancel": {"late": null}}))), ["/cancel/late"]);
}

/// What a stored policy says, and where it could not be read.
fn read(value: &Value) -> (Value, Vec<String>) {
    let StoredPolicy { policy, unreadable } = Policy::stored(value).unwrap();
    (policy.to_json(), unreadable.into_iter().map(|error| error.pointer).collect())
}

#[test]
fn a_stored_policy_is_read_whatever_is_wrong_with_it() {
    let (standard, whole) = (preset("standard").unwrap().policy.to_json(), pulsn().to_json());
    assert_eq!(read(&whole), (whole.clone(), vec![]));
    for pointer in fields_of(&whole, "") {
        for (change, told) in [(None, false), (Some(json!({"odd": -1})), true)] {
            let (policy, unreadable) = read(&pulsn_with(&pointer, change.clone()));
            assert_eq!(!unreadable.is_empty(), told || pointer.matches('/').count() > 2, "{pointer}: {unreadable:?}");
            // The setting, or the one that it is a part of, is standard's; all the others are as they were stored.
            let setting = pointer.split('/').take(3).collect::<Vec<_>>().join("/");
            assert_eq!(policy.pointer(&setting), standard.pointer(&setting), "{pointer} {change:?}");
            for other in fields_of(&whole, "").iter().filter(|other| other.matches('/').count() == 2) {
                if !other.starts_with(&setting) {
                    assert_eq!(policy.pointer(other), whole.pointer(other), "{other} beside {pointer}");
                }
            }
        }
    }
    for (odd, at) in [
        (pulsn_with("/colour", Some(json!("red"))), "/colour"),
        (pulsn_with("/booking/colour~1", Some(json!(1))), "/booking/colour~01"),
    ] {
        assert_eq!(read(&odd), (whole.clone(), vec![at.to_owned()]));
    }
    for odd in [json!([]), Value::Null, json!("text")] {
        assert_eq!(read(&odd), (standard.clone(), vec![String::new()]));
    }
}

#[test]
fn of_stored_settings_that_do_not_go_together_the_group_is_standards() {
    // Standard's own due time does not fit a check-in that opens at the start.
    let mut odd = pulsn().to_json();
    odd["attendance"]["check_in_opens"] = json!("PT0S");
    odd["attendance"]["check_in_due"] = json!("PT1H");
    let (policy, unreadable) = read(&odd);
    assert_eq!(policy["attendance"], preset("standard").unwrap().policy.to_json()["attendance"]);
    assert_eq!(policy["waitlist"], odd["waitlist"]);
    assert!(unreadable.iter().all(|pointer| pointer == "/attendance/check_in_due"), "{unreadable:?}");
}

#[test]
fn null_is_for_the_nullable_fields_alone() {
    for pointer in fields_of(&pulsn().to_json(), "") {
        let expected = if NULLABLE.contains(&pointer.as_str()) { vec![] } else { vec![pointer.as_str()] };
        assert_eq!(pointers(Policy::parse(&pulsn_with(&pointer, Some(Value::Null)))), expected, "null at {pointer}");
    }
}

#[test]
fn a_field_of_the_wrong_type_is_named() {
    for pointer in fields_of(&pulsn().to_json(), "") {
        for odd in [json!(1.5), json!("odd\u{0}"), json!(-1)] {
            let policy = pulsn_with(&pointer, Some(odd.clone()));
            assert_eq!(pointers(Policy::parse(&policy)), [pointer.as_str()], "{odd} at {pointer}");
        }
    }
}

#[test]
fn an_unknown_field_is_named_in_every_group() {
    let groups =
        ["", "/booking", "/booking/opens", "/cancel", "/waitlist", "/waitlist/quiet", "/attendance", "/retention"];
    for group in groups {
        let pointer = format!("{group}/colour");
        assert_eq!(pointers(Policy::parse(&pulsn_with(&pointer, Some(json!("red"))))), [pointer.as_str()]);
        assert_eq!(pointers(Policy::parse(&pulsn_with(&pointer, Some(Value::Null)))), [pointer.as_str()]);
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let mut policy = pulsn().to_json();
    policy["timezone"] = json!("Europe/Copenhague");
    policy["booking"]["opens"]["before"] = json!("a week");
    policy["cancel"] = json!([]);
    policy["waitlist"]["max"] = json!(501);
    policy["waitlist"]["colour/~"] = json!("red");
    policy["retention"] = json!({"history": "P1Y"});
    assert_eq!(
        pointers(Policy::parse(&policy)),
        [
            "/timezone",
            "/booking/opens/before",
            "/cancel",
            "/waitlist/max",
            "/waitlist/colour~1~0",
            "/retention/history",
        ]
    );
}

#[test]
fn what_is_not_an_object_is_wrong_as_a_whole() {
    for body in [json!(null), json!([]), json!("pulsn-dk"), json!(7)] {
        assert_eq!(pointers(Policy::parse(&body)), [""], "{body}");
        assert_eq!(pointers(pulsn().patched(&body)), [""], "{body}");
    }
}

#[test]
fn numbers_hold_at_their_limits_and_not_one_past_them() {
    for (pointer, min, max) in [
        ("/booking/daily_limit", 1, 100_i64),
        ("/booking/open_limit", 1, 1_000),
        ("/cancel/late_fee", 0, 100_000_000),
        ("/waitlist/max", 0, 500),
        ("/attendance/late_fee", 0, 100_000_000),
        ("/attendance/no_show_fee", 0, 100_000_000),
        ("/attendance/strikes", 1, 100),
        ("/attendance/minimum", 0, 5_000),
    ] {
        for (value, good) in [(min - 1, false), (min, true), (max, true), (max + 1, false)] {
            let parsed = Policy::parse(&pulsn_with(pointer, Some(json!(value))));
            assert_eq!(parsed.is_ok(), good, "{value} at {pointer}");
        }
    }
    for (days, good) in [(-1, false), (0, true), (366, true), (367, false)] {
        let opens = json!({"days": days, "at": "08:00"});
        assert_eq!(Policy::parse(&pulsn_with("/booking/opens", Some(opens))).is_ok(), good, "{days} days");
    }
}

#[test]
fn spans_hold_at_their_limits_and_not_one_past_them() {
    let year = ["PT0S", "P366D", "P366DT1S"];
    let decade = ["PT0S", "P3660D", "P3660DT1S"];
    for (pointer, [min, max, over]) in [
        ("/cancel/free_until", year),
        ("/cancel/after_booking", year),
        ("/waitlist/offer_for", ["PT1M", "P366D", "PT8784H1S"]),
        ("/waitlist/promote_until", year),
        ("/waitlist/grace", year),
        ("/attendance/check_in_closes", year),
        ("/attendance/check_in_opens", ["PT5M", "P366D", "P366DT1S"]),
        ("/attendance/decide_before", year),
        ("/attendance/strike_window", decade),
        ("/attendance/ban", decade),
        ("/change_notice", year),
        ("/retention/history", ["P1D", "P3660D", "P3660DT1S"]),
        ("/retention/events", ["PT24H", "P366D", "P53W"]),
        ("/booking/opens/before", ["PT1S", "P366D", "P366DT1S"]),
    ] {
        for (value, good) in [(min, true), (max, true), (over, false)] {
            let parsed = Policy::parse(&pulsn_with(pointer, Some(json!(value))));
            assert_eq!(pointers(parsed), if good { vec![] } else { vec![pointer] }, "{value} at {pointer}");
        }
    }
    for (pointer, under) in
        [("/waitlist/offer_for", "PT59S"), ("/retention/history", "PT23H59M59S"), ("/retention/events", "PT23H59M59S")]
    {
        assert_eq!(pointers(Policy::parse(&pulsn_with(pointer, Some(json!(under))))), [pointer], "{under}");
    }
}

#[test]
fn zone_currency_and_languages_are_real_ones() {
    let many = |count: u8| json!((0..count).map(|n| format!("a{}", char::from(b'a' + n))).collect::<Vec<_>>());
    for (pointer, value, expected) in [
        ("/timezone", json!("Pacific/Apia"), vec![]),
        ("/timezone", json!("Mars/Olympus"), vec!["/timezone"]),
        ("/currency", json!("NOK"), vec![]),
        ("/currency", json!("nok"), vec!["/currency"]),
        ("/currency", json!("NOKK"), vec!["/currency"]),
        ("/currency", json!("NØ"), vec!["/currency"]),
        ("/languages", json!(["pt-BR", "zh-Hant-TW", "sgn"]), vec![]),
        ("/languages", many(10), vec![]),
        ("/languages", many(11), vec!["/languages"]),
        ("/languages", json!([]), vec!["/languages"]),
        ("/languages", json!("da"), vec!["/languages"]),
        (
            "/languages",
            json!(["da", "Danish", "e", "en-", "DA", 7]),
            vec!["/languages/1", "/languages/2", "/languages/3", "/languages/4", "/languages/5"],
        ),
        ("/languages", json!(["da", "en", "da"]), vec!["/languages/2"]),
    ] {
        assert_eq!(
            pointers(Policy::parse(&pulsn_with(pointer, Some(value.clone())))),
            expected,
            "{value} at {pointer}"
        );
    }
}

#[test]
fn opens_takes_one_of_its_two_forms() {
    for (opens, expected) in [
        (json!({"before": "P7D"}), vec![]),
        (json!({"days": 2, "at": "08:00"}), vec![]),
        (json!({}), vec!["/booking/opens"]),
        (json!({"days": 2}), vec!["/booking/opens/at"]),
        (json!({"at": "08:00"}), vec!["/booking/opens/days"]),
        (json!({"before": "P7D", "days": 2, "at": "08:00"}), vec!["/booking/opens"]),
        (json!({"before": "P7D", "at": "08:00"}), vec!["/booking/opens"]),
        (json!({"days": 2, "at": "8:00"}), vec!["/booking/opens/at"]),
        (json!({"days": "2", "at": "24:00"}), vec!["/booking/opens/days", "/booking/opens/at"]),
    ] {
        let policy = pulsn_with("/booking/opens", Some(opens.clone()));
        assert_eq!(pointers(Policy::parse(&policy)), expected, "{opens}");
    }
}

#[test]
fn what_could_never_work_is_refused_where_it_stands() {
    let refused = |changes: &[(&str, Value)]| {
        let mut policy = pulsn().to_json();
        for (pointer, value) in changes {
            *policy.pointer_mut(pointer).unwrap() = value.clone();
        }
        pointers(Policy::parse(&policy))
    };
    let closes =
        |opens: Value, span: &str| refused(&[("/booking/opens", opens), ("/booking/closes_before", json!(span))]);
    assert!(closes(json!({"before": "P7D"}), "PT167H59M").is_empty());
    assert_eq!(closes(json!({"before": "P7D"}), "PT168H"), ["/booking/closes_before"]);
    assert_eq!(closes(json!({"before": "PT0S"}), "PT0S"), ["/booking/closes_before"]);
    assert!(closes(json!({"days": 0, "at": "08:00"}), "PT15H59M").is_empty());
    assert_eq!(closes(json!({"days": 0, "at": "08:00"}), "PT16H"), ["/booking/closes_before"]);

    let quiet = |from: &str, until: &str| refused(&[("/waitlist/quiet", json!({"from": from, "until": until}))]);
    assert!(quiet("07:00", "22:00").is_empty());
    assert_eq!(quiet("22:00", "22:00"), ["/waitlist/quiet/until"]);

    let check_in = |opens: &str, due: &str, closes: &str| {
        refused(&[
            ("/attendance/check_in_opens", json!(opens)),
            ("/attendance/check_in_due", json!(due)),
            ("/attendance/check_in_closes", json!(closes)),
        ])
    };
    assert!(check_in("PT5M", "PT5M", "PT0S").is_empty());
    assert!(check_in("PT0S", "PT0S", "PT1S").is_empty());
    assert_eq!(check_in("PT4M", "PT5M", "PT0S"), ["/attendance/check_in_due"]);
    assert_eq!(check_in("PT0S", "PT0S", "PT0S"), ["/attendance/check_in_closes"]);
}

#[test]
fn a_policy_reads_back_as_it_was_written() {
    let odd = json!({
        "booking": {"opens": {"before": null, "days": 2, "at": "06:30"}, "open_limit": 8},
        "cancel": {"free_until": "P1DT12H"},
        "waitlist": {"mode": "offer", "then": "closed", "offer_for": "PT90M"},
        "attendance": {"below_minimum": "warn", "untouched_roster": "penalise", "strike_window": "P2W"},
    });
    let policy = pulsn().patched(&odd).unwrap();
    assert_eq!(policy.booking.opens, Opens::Days { days: 2, at: NaiveTime::from_hms_opt(6, 30, 0).unwrap() });
    let written = policy.to_json();
    assert_eq!(written["cancel"]["free_until"], "P1DT12H");
    assert_eq!(written["attendance"]["strike_window"], "P2W");
    assert_eq!(written["waitlist"]["offer_for"], "PT90M");
    assert_eq!(written["booking"]["opens"], json!({"days": 2, "at": "06:30"}));
    assert_eq!(Policy::parse(&written), Ok(policy));
}

#[test]
fn an_override_changes_what_it_names_and_nothing_else() {
    assert_eq!(pulsn().patched(&json!({})), Ok(pulsn()));
    let patched =
        pulsn().patched(&json!({"cancel": {"late_fee": 0}, "waitlist": {"quiet": {"until": "06:00"}}})).unwrap();
    let mut expected = pulsn();
    expected.cancel.late_fee = 0;
    expected.waitlist.quiet =
        expected.waitlist.quiet.map(|quiet| Quiet { until: NaiveTime::from_hms_opt(6, 0, 0).unwrap(), ..quiet });
    assert_eq!(patched, expected);
}

#[test]
fn an_override_that_nulls_a_nullable_setting_has_none() {
    let standard = preset("standard").unwrap().policy.clone();
    let patch = json!({"booking": {"daily_limit": null, "open_limit": null}, "attendance": {"strikes": null}, "waitlist": {"quiet": null}});
    let patched = standard.patched(&patch).unwrap();
    assert_eq!((patched.booking.daily_limit, patched.attendance.strikes, patched.waitlist.quiet), (None, None, None));
}

#[test]
fn an_override_that_cannot_stand_says_where() {
    for (patch, expected) in [
        (json!({"cancel": {"late": null}}), vec!["/cancel/late"]),
        (json!({"booking": null}), vec!["/booking"]),
        (json!({"booking": 7}), vec!["/booking"]),
        (json!({"colour": null}), vec!["/colour"]),
        (json!({"cancel": {"colour": null}}), vec!["/cancel/colour"]),
        (json!({"colour": {"of": {"doors": null}}}), vec!["/colour"]),
        (json!({"booking": {"closes_before": "P8D"}}), vec!["/booking/closes_before"]),
        (json!({"booking": {"opens": {"days": 2, "at": "08:00"}}}), vec!["/booking/opens"]),
        (json!({"booking": {"opens": {"before": null}}}), vec!["/booking/opens"]),
        (json!({"booking": {"opens": {"before": null, "days": 2}}}), vec!["/booking/opens/at"]),
        (json!({"booking": {"opens": {"colour": null}}}), vec!["/booking/opens/colour"]),
        (json!({"waitlist": {"quiet": {"until": "22:00"}}}), vec!["/waitlist/quiet/until"]),
        (
            json!({"timezone": "Europe/Oslo", "currency": null, "languages": [], "retention": {"history": "P1D"}, "change_notice": 1}),
            vec!["/timezone", "/currency", "/languages", "/retention", "/change_notice"],
        ),
    ] {
        assert_eq!(pointers(pulsn().patched(&patch)), expected, "{patch}");
    }
}

#[test]
fn an_override_of_opens_may_null_the_form_that_is_not_in_use() {
    let patched = pulsn().patched(&json!({"booking": {"opens": {"before": "P3D", "days": null, "at": null}}})).unwrap();
    assert_eq!(patched.to_json()["booking"]["opens"], json!({"before": "P3D"}));
    let both = pulsn().patched(&json!({"booking": {"opens": {"days": 2, "at": "08:00"}}})).unwrap_err();
    assert!(both[0].detail.contains("an opens override must null the other form's keys"), "{}", both[0].detail);
}
