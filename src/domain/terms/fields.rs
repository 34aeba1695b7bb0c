//! Terms as the fields of a class's hash, and back.
//!
//! All values are text: instants and durations in milliseconds, flags `1` and `0`, none an empty text. The limits are
//! written out for the atomic core to count with; read back, they come from the policy that is stored beside them, so no
//! two fields can disagree.

use chrono_tz::Tz;
use serde_json::Value;

use super::Terms;
use crate::domain::calendar::{parse_date, parse_zone};
use crate::domain::instant::{Instant, from_ms};
use crate::domain::policy::Policy;
use crate::domain::span::Span;

/// A stored field that does not say what it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terms' field `{field}` {detail}")]
pub struct CorruptField {
    pub field: &'static str,
    pub detail: String,
}

impl Terms {
    /// Every field, by its name in the hash.
    #[must_use]
    pub fn to_fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = self.instants();
        fields.extend(self.limits());
        fields.push(("policy", self.policy.to_json().to_string()));
        fields
    }

    /// The terms that [`Terms::to_fields`] wrote.
    pub fn from_fields<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, CorruptField> {
        let text = |field| get(field).ok_or_else(|| corrupt(field, "is missing"));
        let at = |field| instant(field, text(field)?);
        let zone = parse_zone(text("zone")?).map_err(|error| corrupt("zone", error))?;
        let date = parse_date(text("date")?).map_err(|error| corrupt("date", error))?;
        Ok(Self {
            policy: policy(text("policy")?, zone)?,
            zone,
            date,
            starts_at: at("starts")?,
            ends_at: at("ends")?,
            opens_at: at("opens_at")?,
            closes_at: at("closes_at")?,
            cancel_by: at("cancel_by")?,
            promote_until: at("promote_until")?,
            decide_at: at("decide_at")?,
            check_in_opens: at("check_in_opens")?,
            check_in_due: at("check_in_due")?,
            check_in_closes: at("check_in_closes")?,
            // Only shown: offers are timed by what the atomic core reads.
            quiet: intervals(text("quiet")?).unwrap_or_default(),
        })
    }

    fn instants(&self) -> Vec<(&'static str, String)> {
        let at = |instant: Instant| instant.timestamp_millis().to_string();
        vec![
            ("zone", self.zone.name().to_owned()),
            ("date", self.date.to_string()),
            ("starts", at(self.starts_at)),
            ("ends", at(self.ends_at)),
            ("opens_at", at(self.opens_at)),
            ("closes_at", at(self.closes_at)),
            ("cancel_by", at(self.cancel_by)),
            ("promote_until", at(self.promote_until)),
            ("decide_at", at(self.decide_at)),
            ("check_in_opens", at(self.check_in_opens)),
            ("check_in_due", at(self.check_in_due)),
            ("check_in_closes", at(self.check_in_closes)),
            ("quiet", written(&self.quiet)),
        ]
    }

    fn limits(&self) -> Vec<(&'static str, String)> {
        let Policy { currency, booking, cancel, waitlist, attendance, change_notice, .. } = &self.policy;
        let flag = |flag: bool| u8::from(flag).to_string();
        let limit = |limit: Option<u32>| limit.map(|limit| limit.to_string()).unwrap_or_default();
        let ms = |span: &Span| span.fixed_ms().to_string();
        vec![
            ("daily_limit", limit(booking.daily_limit)),
            ("open_limit", limit(booking.open_limit)),
            ("allow_overlap", flag(booking.allow_overlap)),
            ("late", cancel.late.to_string()),
            ("late_fee", cancel.late_fee.to_string()),
            ("late_is_strike", flag(cancel.late_is_strike)),
            ("forgive", flag(cancel.forgive_if_refilled)),
            ("after_booking_ms", ms(&cancel.after_booking)),
            ("waitlist_max", waitlist.max.to_string()),
            ("mode", waitlist.mode.to_string()),
            ("offer_ms", ms(&waitlist.offer_for)),
            ("then", waitlist.then.to_string()),
            ("grace_ms", ms(&waitlist.grace)),
            ("leave_overlapping", flag(waitlist.leave_overlapping)),
            ("check_in_fee", attendance.late_fee.to_string()),
            ("no_show_fee", attendance.no_show_fee.to_string()),
            ("strikes", limit(attendance.strikes)),
            ("strike_window_ms", ms(&attendance.strike_window)),
            ("ban_ms", ms(&attendance.ban)),
            ("below_minimum", attendance.below_minimum.to_string()),
            ("untouched_roster", attendance.untouched_roster.to_string()),
            ("change_notice_ms", ms(change_notice)),
            ("currency", currency.to_string()),
        ]
    }
}

fn corrupt(field: &'static str, detail: impl ToString) -> CorruptField {
    CorruptField { field, detail: detail.to_string() }
}

fn instant(field: &'static str, text: &str) -> Result<Instant, CorruptField> {
    let instant = text.parse().ok().and_then(from_ms);
    instant.ok_or_else(|| corrupt(field, "must be an instant in milliseconds"))
}

/// The policy beside the terms, read leniently: a class goes on by its instants and limits, whatever became of the
/// policy they were made from. The zone is the terms'.
fn policy(text: &str, zone: Tz) -> Result<Policy, CorruptField> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let stored = Policy::stored(&value).map_err(|errors| corrupt("policy", format!("{errors:?}")))?;
    Ok(Policy { timezone: zone, ..stored.policy })
}

/// `[[from,until],…]` in milliseconds; empty for none.
fn written(quiet: &[(Instant, Instant)]) -> String {
    if quiet.is_empty() {
        return String::new();
    }
    let pairs = quiet.iter().map(|(from, until)| [from.timestamp_millis(), until.timestamp_millis()]);
    Value::from_iter(pairs.map(|pair| Value::from(pair.to_vec()))).to_string()
}

fn intervals(text: &str) -> Result<Vec<(Instant, Instant)>, CorruptField> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let pairs: Vec<(i64, i64)> = serde_json::from_str(text).map_err(|error| corrupt("quiet", error))?;
    let both = |(from, until)| Some((from_ms(from)?, from_ms(until)?));
    let read: Option<Vec<_>> = pairs.into_iter().map(both).collect();
    read.ok_or_else(|| corrupt("quiet", "must be instants in milliseconds"))
}
