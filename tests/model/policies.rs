//! Policies to try: every preset, and presets with some of their rules thrown anew.

use rollcall::domain::presets::presets;
use serde_json::{Value, json};

use crate::dice::Dice;

const SPANS: &[&str] = &["PT0S", "PT30M", "PT60M", "PT2H", "PT3H", "PT24H", "P1D"];

/// A whole policy. `before`: the one it replaces; the currency stays, because the ledger has one, and so does the zone
/// where it is far away: a chain does not move by half a day.
pub fn policy(dice: &mut Dice, before: Option<&Value>) -> Value {
    let mut policy = dice.pick(presets()).policy.to_json();
    // Classes are small, and most are to be held.
    policy["attendance"]["minimum"] = json!(*dice.pick(&[0, 0, 0, 1, 2, 5]));
    if dice.chance(75) {
        throw(dice, &mut policy);
    }
    if let Some(before) = before {
        policy["currency"] = before["currency"].clone();
        let european = |policy: &Value| policy["timezone"].as_str().is_some_and(|zone| zone.starts_with("Europe/"));
        if !(european(before) && european(&policy)) {
            policy["timezone"] = before["timezone"].clone();
        }
    }
    policy
}

fn throw(dice: &mut Dice, policy: &mut Value) {
    let zones = ["Europe/Copenhagen", "Europe/Vilnius", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
    let quiet = [
        Value::Null,
        json!({ "from": "22:00", "until": "07:00" }),
        json!({ "from": "12:00", "until": "14:00" }),
        json!({ "from": "00:00", "until": "06:30" }),
        json!({ "from": "09:00", "until": "21:00" }),
    ];
    let opens = [
        json!({ "before": "P7D" }),
        json!({ "before": "P1D" }),
        json!({ "before": "PT36H" }),
        json!({ "days": 2, "at": "08:00" }),
        json!({ "days": 1, "at": "00:00" }),
    ];
    let limits = [Value::Null, json!(1), json!(2), json!(3)];
    let mut set = |percent: u64, pointer: &str, values: &[Value]| {
        if dice.chance(percent) {
            let value = dice.pick(values).clone();
            *policy.pointer_mut(pointer).expect("a field of every policy") = value;
        }
    };
    set(30, "/timezone", &zones.map(Value::from));
    set(50, "/booking/opens", &opens);
    set(30, "/booking/closes_before", &["PT0S", "PT30M", "PT2H"].map(Value::from));
    set(60, "/booking/daily_limit", &limits);
    set(60, "/booking/open_limit", &[Value::Null, json!(1), json!(2), json!(2)]);
    set(30, "/booking/allow_overlap", &[json!(true), json!(false)]);
    set(50, "/cancel/free_until", &SPANS[1..].iter().map(|&span| json!(span)).collect::<Vec<_>>());
    set(50, "/cancel/late", &["refused", "charged", "charged"].map(Value::from));
    set(50, "/cancel/late_fee", &[json!(0), json!(3000), json!(450)]);
    set(65, "/cancel/late_is_strike", &[json!(true)]);
    set(50, "/attendance/strikes", &[json!(1), json!(1), json!(1), json!(2), Value::Null]);
    set(40, "/attendance/strike_window", &["P1D", "PT12H", "P14D"].map(Value::from));
    set(50, "/attendance/ban", &["PT6H", "P1D", "P2D"].map(Value::from));
    set(50, "/attendance/untouched_roster", &[json!("penalise")]);
    set(50, "/attendance/no_show_fee", &[json!(0), json!(500), json!(3000)]);
    set(50, "/attendance/late_fee", &[json!(0), json!(400), json!(3000)]);
    set(40, "/attendance/check_in_opens", &["PT60M", "PT15M", "PT4H"].map(Value::from));
    set(40, "/attendance/check_in_due", &["PT0S", "PT5M", "PT15M"].map(Value::from));
    set(40, "/attendance/check_in_closes", &["PT0S", "PT10M", "PT45M"].map(Value::from));
    set(40, "/attendance/decide_before", &["PT0S", "PT2H", "PT24H"].map(Value::from));
    set(50, "/attendance/below_minimum", &["cancel", "warn"].map(Value::from));
    set(75, "/cancel/forgive_if_refilled", &[json!(true)]);
    set(60, "/cancel/after_booking", &["PT0S", "PT5M", "PT30M", "PT3H"].map(Value::from));
    set(60, "/waitlist/max", &[json!(1), json!(2), json!(20), json!(0)]);
    set(75, "/waitlist/mode", &["offer", "offer", "auto"].map(Value::from));
    set(50, "/waitlist/offer_for", &["PT10M", "PT30M", "PT2H", "PT26H"].map(Value::from));
    set(60, "/waitlist/promote_until", &SPANS[..6].iter().map(|&span| json!(span)).collect::<Vec<_>>());
    set(60, "/waitlist/then", &["first_come", "closed"].map(Value::from));
    set(50, "/waitlist/grace", &["PT0S", "PT30M", "PT3H"].map(Value::from));
    set(30, "/waitlist/leave_overlapping", &[json!(true), json!(false)]);
    set(50, "/waitlist/quiet", &quiet);
}

/// A class's own rules, as a merge patch; mostly none.
pub fn overrides(dice: &mut Dice) -> Option<Value> {
    let patches = [
        json!({ "booking": { "daily_limit": 1 } }),
        json!({ "booking": { "allow_overlap": true, "daily_limit": null } }),
        json!({ "booking": { "opens": { "before": "P1D", "days": null, "at": null } } }),
        json!({ "cancel": { "free_until": "PT24H", "late": "charged", "late_fee": 79000 } }),
        json!({ "waitlist": { "mode": "offer", "quiet": null, "then": "closed", "max": 1 } }),
        json!({ "waitlist": { "mode": "auto", "promote_until": "PT30M" } }),
        json!({ "waitlist": { "mode": "offer", "promote_until": "PT0S", "quiet": null },
                "cancel": { "free_until": "PT0S" }, "attendance": { "check_in_opens": "PT4H" } }),
    ];
    if dice.chance(45) { Some(dice.pick(&patches).clone()) } else { None }
}
