//! What is in each topic's document, as JSON. A key without a value is written as null here, which in a patch takes it
//! away; a document itself holds no null.

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::instant::{Instant, with_zone};
use crate::domain::standing::Standing;
use crate::store::parts::{Face, Listed, Mine};

/// What every event of a class tells of it, as the atomic core names it.
pub const COUNTS: [&str; 7] = ["status", "capacity", "booked", "free", "waiting", "checked_in", "needed"];

/// Takes a patch in (RFC 7396).
pub fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(document) = document else { return };
    for (key, change) in patch {
        if change.is_null() {
            document.remove(key);
        } else {
            merge(document.entry(key.as_str()).or_insert(Value::Null), change);
        }
    }
}

/// Makes one patch of two in succession. Every key that either names is named, also one that is as it was before: a
/// client may have come in between.
pub fn compose(first: &mut Value, second: Value) {
    match (first, second) {
        (Value::Object(first), Value::Object(second)) => {
            for (key, change) in second {
                match first.get_mut(&key) {
                    Some(known) => compose(known, change),
                    None => {
                        first.insert(key, change);
                    }
                }
            }
        }
        (first, second) => *first = second,
    }
}

/// The public face of a class.
pub fn face(face: &Face, zone: Tz) -> Value {
    let mut whole = described(face, zone);
    merge(&mut whole, &counts(face));
    whole
}

/// Its counts alone.
fn counts(face: &Face) -> Value {
    json!({
        "status": face.status.as_str(), "capacity": face.capacity, "booked": face.booked, "free": face.free,
        "waiting": face.waiting, "checked_in": face.checked_in, "needed": face.needed,
    })
}

/// What only the club changes; counts come with events.
pub fn described(face: &Face, zone: Tz) -> Value {
    json!({
        "title": face.title, "room": face.room,
        "instructor": face.instructor.as_ref().map(|i| json!({ "id": i.id.as_str(), "name": i.name })),
        "starts_at": with_zone(face.starts_at, zone), "ends_at": with_zone(face.ends_at, zone), "revision": face.revision,
    })
}

/// The counts that an event carries, if it is the last of its class in its call.
pub fn counts_of(data: &Value) -> Option<Value> {
    let class = data.get("class")?.as_object()?;
    let known = COUNTS.iter().filter_map(|name| Some(((*name).to_owned(), class.get(*name)?.clone())));
    Some(Value::Object(known.collect()))
}

/// What `patch` would really change in `document`, one level deep.
pub fn differing(document: &Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let differs = |key: &str, value: &Value| document.get(key).unwrap_or(&Value::Null) != value;
    Value::Object(patch.into_iter().filter(|(key, value)| differs(key, value)).collect())
}

/// A member's own booking, with its class's title, club and times.
pub fn mine(mine: &Mine, position: Option<usize>, zone: Tz) -> Value {
    let Mine { booking, title, club, starts_at, ends_at, .. } = mine;
    let at = |at: Instant| with_zone(at, zone);
    json!({
        "id": booking.id.as_str(), "class": booking.class.as_str(), "member": booking.member.as_str(),
        "status": booking.status.as_str(), "position": position_of(booking, position),
        "offer_expires_at": booking.offer_expires_at.map(at), "paid_with": booking.paid_with.as_str(),
        "late": booking.late, "present": booking.present, "fee": booking.fee,
        "created_at": at(booking.created_at), "updated_at": at(booking.updated_at),
        "title": title, "club": club.as_str(), "starts_at": at(*starts_at), "ends_at": at(*ends_at),
    })
}

/// A line of the roster.
pub fn listed(listed: &Listed, position: Option<usize>) -> Value {
    let Listed { booking, first_time, name } = listed;
    json!({
        "member": booking.member.as_str(), "name": name, "status": booking.status.as_str(),
        "position": position_of(booking, position), "present": booking.present, "late": booking.late,
        "first_time": first_time,
    })
}

/// A place is shown while it is waited in.
fn position_of(booking: &Booking, position: Option<usize>) -> Option<usize> {
    position.filter(|_| booking.status == BookingStatus::Waitlisted)
}

pub fn standing(standing: &Standing, zone: Tz) -> Value {
    let Standing { strikes, banned_until, clips, open_fees, daily_limit, booked, upcoming } = standing;
    let strikes: Vec<Value> = strikes
        .iter()
        .map(|strike| {
            json!({ "booking": strike.booking.as_str(), "class": strike.class.as_str(),
                "at": with_zone(strike.at, zone), "counts_until": with_zone(strike.counts_until, zone) })
        })
        .collect();
    let days: Map<String, Value> = booked.iter().map(|(day, spots)| (day.to_string(), (*spots).into())).collect();
    json!({
        "strikes": strikes, "banned_until": banned_until.map(|at| with_zone(at, zone)), "clips": clips,
        "open_fees": open_fees, "daily_limit": daily_limit, "booked": days, "upcoming": upcoming,
    })
}

/// Nulls for the keys of `known` that `patch` does not name, so that the whole is replaced and not added to.
pub fn replacing(patch: &mut Value, known: Option<&Value>) {
    let (Some(Value::Object(known)), Value::Object(patch)) = (known, patch) else { return };
    for key in known.keys().filter(|key| !key.is_empty()) {
        patch.entry(key.as_str()).or_insert(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_merge_as_the_rfc_says() {
        for (document, patch, after) in [
            (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
            (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
            (json!({ "a": [{ "b": "c" }] }), json!({ "a": [1] }), json!({ "a": [1] })),
            (json!({ "a": { "b": "c" } }), json!({ "a": { "b": "d", "c": null } }), json!({ "a": { "b": "d" } })),
            (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
            (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
        ] {
            let mut merged = document.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, after, "{document} and {patch}");
        }
    }

    #[test]
    fn two_patches_in_one_name_also_what_came_back_to_what_it_was() {
        let mut both = json!({ "booked": 6, "room": null });
        compose(&mut both, json!({ "booked": 5, "waiting": 1 }));
        assert_eq!(both, json!({ "booked": 5, "room": null, "waiting": 1 }));
    }
}
