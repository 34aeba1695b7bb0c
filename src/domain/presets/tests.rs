use serde_json::{Value, json};

use super::*;

/// The policy example of the contract, with what it leaves out as in `standard`; it is `pulsn-dk` in full.
const CONTRACT: &str = r#"
{"timezone": "Europe/Copenhagen", "currency": "DKK", "languages": ["da", "en"],
 "booking":    {"opens": {"before": "P7D"}, "closes_before": "PT0S", "daily_limit": null, "open_limit": null, "allow_overlap": false},
 "cancel":     {"free_until": "PT2H", "late": "charged", "late_fee": 3000, "late_is_strike": false, "forgive_if_refilled": false,
                "after_booking": "PT0S"},
 "waitlist":   {"max": 20, "mode": "auto", "offer_for": "PT30M", "promote_until": "PT3H", "then": "first_come",
                "grace": "PT30M", "leave_overlapping": true, "quiet": {"from": "22:00", "until": "07:00"}},
 "attendance": {"check_in_opens": "PT60M", "check_in_due": "PT5M", "check_in_closes": "PT10M", "late_fee": 3000, "no_show_fee": 3000,
                "strikes": null, "strike_window": "P14D", "ban": "P14D",
                "minimum": 3, "decide_before": "PT2H", "below_minimum": "cancel", "untouched_roster": "review"},
 "change_notice": "PT24H", "retention": {"history": "P400D", "events": "P14D"}}"#;

fn contract() -> Value {
    serde_json::from_str(CONTRACT).unwrap()
}

fn shipped(id: &str) -> Value {
    preset(id).unwrap().policy.to_json()
}

/// The contract's example with other values at the pointers given.
fn contract_but(changes: Vec<(&str, Value)>) -> Value {
    let mut policy = contract();
    for (pointer, value) in changes {
        *policy.pointer_mut(pointer).unwrap() = value;
    }
    policy
}

/// What `RULES.md` says of every preset other than `pulsn-dk`.
fn exceptions(free_until: &str) -> Vec<(&str, Value)> {
    vec![
        ("/cancel/late_fee", json!(0)),
        ("/attendance/late_fee", json!(0)),
        ("/attendance/no_show_fee", json!(0)),
        ("/cancel/free_until", json!(free_until)),
        ("/waitlist/promote_until", json!(free_until)),
        ("/attendance/decide_before", json!(free_until)),
        ("/attendance/check_in_due", json!("PT0S")),
        ("/attendance/check_in_closes", json!("PT0S")),
        ("/waitlist/grace", json!("PT0S")),
        ("/waitlist/quiet", json!(null)),
        ("/cancel/late", json!("refused")),
        ("/booking/daily_limit", json!(3)),
        ("/attendance/strikes", json!(2)),
        ("/attendance/strike_window", json!("P14D")),
        ("/attendance/ban", json!("P14D")),
    ]
}

#[test]
fn six_presets_ship_and_the_default_is_one_of_them() {
    let named: Vec<_> = presets().iter().map(|preset| (preset.id, preset.name)).collect();
    assert_eq!(named, FILES.map(|(id, name, _)| (id, name)), "every file is a policy");
    let ids = ["standard", "impuls-lt", "pulsn-dk", "actic-no", "impulse-no", "bolgen-no"];
    assert_eq!(presets().iter().map(|preset| preset.id).collect::<Vec<_>>(), ids);
    assert!(preset(DEFAULT).is_some());
    assert!(preset("pulsn").is_none());
}

#[test]
fn every_file_is_written_in_the_contracts_order() {
    for (id, _, text) in FILES {
        let file: Value = serde_json::from_str(text).unwrap();
        assert_eq!(file.to_string(), shipped(id).to_string(), "{id}");
    }
    assert_eq!(shipped("pulsn-dk").to_string(), contract().to_string());
}

#[test]
fn pulsn_is_the_contracts_example() {
    assert_eq!(shipped("pulsn-dk"), contract());
}

#[test]
fn standard_has_the_owners_numbers() {
    let mut numbers = exceptions("PT60M");
    numbers.extend([
        ("/timezone", json!("Europe/Copenhagen")),
        ("/currency", json!("EUR")),
        ("/languages", json!(["en"])),
        ("/booking/opens", json!({"before": "P7D"})),
        ("/attendance/check_in_due", json!("PT5M")),
        ("/attendance/check_in_closes", json!("PT10M")),
        ("/attendance/late_fee", json!(400)),
        ("/attendance/minimum", json!(5)),
    ]);
    assert_eq!(shipped("standard"), contract_but(numbers));
}

#[test]
fn impuls_has_its_rules_numbers() {
    let mut numbers = exceptions("PT60M");
    numbers.extend([
        ("/timezone", json!("Europe/Vilnius")),
        ("/currency", json!("EUR")),
        ("/languages", json!(["lt", "en"])),
        ("/booking/opens", json!({"before": "P7D"})),
        ("/attendance/minimum", json!(5)),
        ("/change_notice", json!("PT24H")),
    ]);
    assert_eq!(shipped("impuls-lt"), contract_but(numbers));
}

#[test]
fn the_norwegian_chains_have_their_rules_numbers() {
    for (id, minimum) in [("actic-no", 3), ("impulse-no", 5), ("bolgen-no", 5)] {
        let mut numbers = exceptions("PT2H");
        numbers.extend([
            ("/timezone", json!("Europe/Oslo")),
            ("/currency", json!("NOK")),
            ("/languages", json!(["nb", "en"])),
            ("/booking/opens", json!({"before": "P7D"})),
            ("/attendance/minimum", json!(minimum)),
        ]);
        assert_eq!(shipped(id), contract_but(numbers), "{id}");
    }
}

#[test]
fn a_pt_session_of_actic_is_a_class_with_an_override() {
    let session = json!({
        "booking": {"opens": {"before": "P42D"}, "daily_limit": null},
        "cancel": {"free_until": "PT24H", "late": "charged", "late_fee": 79000},
        "attendance": {"minimum": 1, "no_show_fee": 79000},
    });
    let policy = preset("actic-no").unwrap().policy.patched(&session).unwrap();
    let mut expected = shipped("actic-no");
    for (pointer, value) in [
        ("/booking/opens/before", json!("P42D")),
        ("/booking/daily_limit", json!(null)),
        ("/cancel/free_until", json!("PT24H")),
        ("/cancel/late", json!("charged")),
        ("/cancel/late_fee", json!(79000)),
        ("/attendance/minimum", json!(1)),
        ("/attendance/no_show_fee", json!(79000)),
    ] {
        *expected.pointer_mut(pointer).unwrap() = value;
    }
    assert_eq!(policy.to_json(), expected);
}
