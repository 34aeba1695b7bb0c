//! A body for each kind of write, as it might be sent. A test holds each to its schema, and sends it.

use serde_json::{Value, json};

use crate::domain::presets;

/// The example of a body, by the name of its schema.
pub(super) fn of(schema: &str) -> Option<Value> {
    Some(match schema {
        "NewOrg" => json!({ "name": "Nord", "preset": "standard" }),
        "Policy" => presets::preset(presets::DEFAULT)?.policy.to_json(),
        "NewClub" => json!({ "name": "City centre" }),
        "NewClosure" => json!({ "from": "2030-12-24", "to": "2030-12-26", "reason": "Christmas" }),
        "NewMember" => json!({
            "name": "Ann Berg", "email": "ann@example.com", "phone": "+47 12 34 56 78", "born": "1990-02-28", "language": "nb",
            "membership": { "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all" },
        }),
        "NewClass" => json!({
            "club": "main", "title": "Yoga", "category": "yoga", "room": "Hall 1", "instructor": { "id": "i-1", "name": "Kim" },
            "starts_at": "2030-01-07T18:00:00+01:00", "minutes": 60, "capacity": 20, "minimum": 3,
            "policy": { "cancel": { "free_until": "PT4H", "after_booking": "PT10M" } },
        }),
        "ClassChange" => json!({ "room": "Hall 2", "capacity": 24, "minimum": null }),
        "NewSeries" => json!({
            "club": "main", "title": "Spin", "starts_on": "2030-01-07", "time": "18:00", "rrule": "FREQ=WEEKLY;BYDAY=MO,WE",
            "minutes": 45, "capacity": 20, "exceptions": ["2030-01-09"], "changes": { "2030-01-14": { "time": "17:00" } },
        }),
        "SeriesChange" => {
            json!({ "reach": "all", "capacity": 24, "until": "2030-06-30", "changes": { "2030-01-14": null } })
        }
        "NewBooking" => json!({ "member": "m-1", "waitlist": true }),
        "Cancel" => json!({ "charge": false, "reason": "The bus did not come" }),
        "CheckIn" => json!({ "club": "main", "phone": "+47 12 34 56 78", "choose": true }),
        "CloseClass" => json!({ "penalties": false, "reason": "The list was on paper" }),
        "Reason" => json!({ "reason": "A doctor's note" }),
        "Clock" => json!({ "now": "2030-01-07T18:00:00+01:00" }),
        _ => return None,
    })
}
