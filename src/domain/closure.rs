//! Closing days: a club is closed on some days, for a reason.

use chrono::{NaiveDate, TimeDelta};
use serde_json::Value;

use super::calendar::parse_date;
use super::fields::{Fields, string, text};
use super::ids::ClosureId;
use super::instant::Instant;
use super::invalid::Parsed;

/// Days of one closure: a club that is closed for longer is renovated for a second time.
pub const CLOSURE_DAYS_MAX: i64 = 366;

/// Characters of its reason, which members read.
pub const CLOSURE_REASON_LEN: std::ops::RangeInclusive<usize> = 1..=200;

/// No zone is further from Greenwich than this, so no class of a day starts further from its midnight in UTC.
const ZONE_MAX: TimeDelta = TimeDelta::hours(26);

/// Days on which a club is closed, local and inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    pub id: ClosureId,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub reason: String,
}

/// What is wanted of a new closure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClosure {
    pub id: Option<ClosureId>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub reason: String,
}

impl NewClosure {
    /// `{from, to, reason, id?}`.
    pub fn parse(body: &Value) -> Parsed<Self> {
        let mut f = Fields::of(body)?;
        let id = f.nullable("id", string(ClosureId::parse));
        let from = f.required("from", string(parse_date));
        let to = f.required("to", string(parse_date));
        let reason = f.required("reason", text(CLOSURE_REASON_LEN));
        if let (Some(from), Some(to)) = (from, to) {
            if to < from {
                f.refuse("/to", "must not be before `from`");
            } else if (to - from).num_days() >= CLOSURE_DAYS_MAX {
                f.refuse("/to", format!("must be at most {CLOSURE_DAYS_MAX} days from `from` on"));
            }
        }
        f.finish(|| Some(Self { id: id?, from: from?, to: to?, reason: reason? }))
    }
}

impl Closure {
    /// The instants before and after which no class of these days starts, in any zone.
    #[must_use]
    pub fn reach(&self) -> (Instant, Instant) {
        let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
        (midnight(self.from) - ZONE_MAX, midnight(self.to) + TimeDelta::days(1) + ZONE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::invalid::pointers;

    #[test]
    fn a_closure_is_so_many_days_at_most_and_has_a_reason() {
        let of = |from: &str, to: &str| NewClosure::parse(&json!({ "from": from, "to": to, "reason": "Holidays" }));
        for (from, to, wrong) in [
            ("2026-12-24", "2026-12-24", vec![]),
            ("2026-12-24", "2026-12-26", vec![]),
            ("2028-01-01", "2028-12-31", vec![]),
            ("2027-01-01", "2028-01-01", vec![]),
            ("2027-01-01", "2028-01-02", vec!["/to"]),
            ("2026-12-24", "2026-12-23", vec!["/to"]),
            ("2026-12-32", "2026-12-23", vec!["/from"]),
            ("24.12.2026", "2026-12-32", vec!["/from", "/to"]),
            ("1900-01-01", "2200-12-31", vec!["/to"]),
        ] {
            match of(from, to) {
                Ok(_) => assert!(wrong.is_empty(), "{from} to {to}"),
                refused => assert_eq!(pointers(refused), wrong, "{from} to {to}"),
            }
        }
        let with = |name: &str, value: Value| {
            let mut body = json!({ "from": "2026-12-24", "to": "2026-12-26", "reason": "Christmas" });
            body[name] = value;
            NewClosure::parse(&body)
        };
        let longest = "r".repeat(*CLOSURE_REASON_LEN.end());
        assert!(with("reason", json!(longest)).is_ok());
        for (name, value) in [
            ("reason", json!(longest + "r")),
            ("reason", json!(" ")),
            ("reason", json!(null)),
            ("id", json!("a b")),
            ("id", json!(7)),
            ("club", json!("main")),
        ] {
            assert_eq!(pointers(with(name, value)), [format!("/{name}")]);
        }
    }
}
