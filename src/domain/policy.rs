//! A chain's rules, as data.
//!
//! One policy per organisation, overridable per class by a merge patch. The shape is the contract's, field for field, and
//! the presets are written in it. A policy says how long before and how much; which instants follow from it for one class
//! is the business of `terms`, and whether they have come that of the atomic core.

mod parse;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

pub use super::calendar::Quiet;
use super::calendar::write_time;
use super::invalid::{FieldError, Parsed, wrong};
use super::phone::Country;
use super::presets;
use super::span::Span;
use super::words::words;

pub use parse::{Currency, CurrencyError, LanguageError, MINIMUM, parse_language};

/// Everything a chain may decide for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    #[serde(serialize_with = "zone_name")]
    pub timezone: Tz,
    pub currency: Currency,
    /// What mail and screens may be written in, the preferred one first.
    pub languages: Vec<String>,
    pub booking: BookingRules,
    pub cancel: CancelRules,
    pub waitlist: WaitlistRules,
    pub attendance: AttendanceRules,
    /// A change announced later than this before the start lets everyone booked cancel free.
    pub change_notice: Span,
    pub retention: Retention,
    /// Where phone numbers are read; none: in the country of the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_region: Option<Country>,
}

/// When a class can be booked, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BookingRules {
    pub opens: Opens,
    /// Booking ends this long before the start.
    pub closes_before: Span,
    /// Spots a member may hold on one local day.
    pub daily_limit: Option<u32>,
    /// Places, waiting ones included, a member may hold in classes ahead.
    pub open_limit: Option<u32>,
    pub allow_overlap: bool,
}

/// When booking opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opens {
    /// This long before the start.
    Before(Span),
    /// So many local days before the class's day, at a fixed local time.
    Days { days: u32, at: NaiveTime },
}

/// What cancelling costs. Fees are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelRules {
    pub free_until: Span,
    pub late: Late,
    pub late_fee: u32,
    pub late_is_strike: bool,
    /// A late cancel's charge is waived when the spot is taken again.
    pub forgive_if_refilled: bool,
    /// Whoever books once cancelling is no longer free may cancel free for this long: a misclick costs nothing.
    pub after_booking: Span,
}

/// How a freed spot finds its next member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitlistRules {
    pub max: u32,
    pub mode: Mode,
    /// How long an offer stands, quiet hours not counted.
    pub offer_for: Span,
    /// Promotion ends this long before the start.
    pub promote_until: Span,
    pub then: Then,
    /// A promoted member may cancel free for this long.
    pub grace: Span,
    /// Promotion withdraws the member's other waitlist places that overlap.
    pub leave_overlapping: bool,
    /// Local hours in which no offer is made and their clock stands still.
    pub quiet: Option<Quiet>,
}

/// The roll, and what missing it costs. Fees are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttendanceRules {
    /// Before the start.
    pub check_in_opens: Span,
    /// Before the start; later is late.
    pub check_in_due: Span,
    /// After the start; later is a no-show.
    pub check_in_closes: Span,
    pub late_fee: u32,
    pub no_show_fee: u32,
    /// So many no-shows within `strike_window` begin a ban; none are counted where it is null.
    pub strikes: Option<u32>,
    pub strike_window: Span,
    pub ban: Span,
    /// A class with fewer bookings at `decide_before` is not held, or warned about.
    pub minimum: u32,
    pub decide_before: Span,
    pub below_minimum: BelowMinimum,
    pub untouched_roster: UntouchedRoster,
}

/// How long things are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retention {
    pub history: Span,
    pub events: Span,
}

words! {
    /// A cancel after the cutoff.
    Late {
        Refused = "refused",
        Charged = "charged",
    }
}

words! {
    /// Whether a freed spot is given or offered.
    Mode {
        Auto = "auto",
        Offer = "offer",
    }
}

words! {
    /// What a freed spot does once promotion has ended.
    Then {
        FirstCome = "first_come",
        Closed = "closed",
    }
}

words! {
    /// What becomes of a class that too few have booked.
    BelowMinimum {
        Cancel = "cancel",
        Warn = "warn",
    }
}

words! {
    /// What becomes of a roster on which nobody was checked in.
    UntouchedRoster {
        Review = "review",
        Penalise = "penalise",
    }
}

/// What holds for the whole chain, and for no single class otherwise.
const CHAIN_WIDE: [&str; 5] = ["timezone", "currency", "languages", "retention", "phone_region"];

/// The keys of both forms of `opens`.
const OPENS_KEYS: [&str; 3] = ["before", "days", "at"];

/// A stored policy, read leniently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPolicy {
    pub policy: Policy,
    /// What could not be read; what `standard` says stands in its place.
    pub unreadable: Vec<FieldError>,
}

impl Policy {
    /// A new policy, judged strictly: every wrong and unknown field gets its own pointer. What it leaves out is as in
    /// `standard`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut whole = value.clone();
        fill(&mut whole, presets::standard(), true);
        parse::policy(&whole)
    }

    /// A stored policy, whichever version of the service wrote it: what is missing, or would be refused today, is as in
    /// `standard`. First field by field; where two fields do not go together even so, by their group.
    ///
    /// # Errors
    /// Only where `standard` itself cannot be read.
    pub fn stored(value: &Value) -> Parsed<StoredPolicy> {
        let mut whole = if value.is_object() { value.clone() } else { json!({}) };
        let mut unreadable =
            if value.is_object() { Vec::new() } else { vec![FieldError::new("", "must be an object")] };
        fill(&mut whole, presets::standard(), true);
        for depth in [2, 1] {
            match parse::policy(&whole) {
                Ok(policy) => return Ok(StoredPolicy { policy, unreadable }),
                Err(errors) => {
                    for error in &errors {
                        mend(&mut whole, presets::standard(), &error.pointer, depth);
                    }
                    unreadable.extend(errors);
                }
            }
        }
        let policy = parse::policy(&whole).or_else(|_beyond_mending| parse::policy(presets::standard()))?;
        Ok(StoredPolicy { policy, unreadable })
    }

    /// The country in which a number without `+` or `00` is read.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        self.phone_region.or_else(|| Country::of_zone(self.timezone))
    }

    /// This policy under a class's override, a merge patch (RFC 7396), judged like a whole policy.
    ///
    /// A null takes a setting away: a nullable one is then null, any other is missing, and an unknown one stays unknown.
    /// Pointers begin at the patch.
    pub fn patched(&self, patch: &Value) -> Parsed<Self> {
        let Value::Object(patch) = patch else {
            return wrong("must be an object");
        };
        let (chain_wide, patch): (Vec<_>, Vec<_>) =
            patch.iter().partition(|(name, _)| CHAIN_WIDE.contains(&name.as_str()));
        let mut errors: Vec<_> = (chain_wide.into_iter())
            .map(|(name, _)| FieldError::new("", "holds for the whole chain and cannot differ for a class").under(name))
            .collect();
        let mut merged = self.to_json();
        merge_fields(&mut merged, patch);
        drop_nulled_form(merged.pointer_mut("/booking/opens"));
        match parse::policy(&merged).map_err(|more| errors.extend(more)) {
            Ok(policy) if errors.is_empty() => Ok(policy),
            Ok(_) | Err(()) => Err(errors),
        }
    }

    /// The contract's document, whole and in its order; [`Policy::parse`] reads it back to the same policy.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!(self)
    }
}

impl Serialize for Opens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Before(span) => json!({"before": span}).serialize(serializer),
            Self::Days { days, at } => json!({"days": days, "at": write_time(*at)}).serialize(serializer),
        }
    }
}

fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

/// Adds what is left out of a policy, and of each of its groups; a setting that is there is left as it is.
fn fill(value: &mut Value, standard: &Value, groups: bool) {
    let (Value::Object(value), Value::Object(standard)) = (value, standard) else { return };
    for (name, default) in standard {
        match value.get_mut(name) {
            Some(group) if groups => fill(group, default, false),
            Some(_) => {}
            None => {
                value.insert(name.clone(), default.clone());
            }
        }
    }
}

/// Puts what `standard` says in the place of what a pointer names, looked at so many names deep; takes out what it does
/// not have.
fn mend(value: &mut Value, standard: &Value, pointer: &str, depth: usize) {
    let (Some(names), Some(fields)) = (pointer.strip_prefix('/'), value.as_object_mut()) else { return };
    let (name, rest) = names.find('/').map_or((names, ""), |at| names.split_at(at));
    let name = name.replace("~1", "/").replace("~0", "~");
    match (!rest.is_empty(), fields.get_mut(&name), standard.get(&name)) {
        (true, Some(group @ Value::Object(_)), Some(default @ Value::Object(_))) if depth > 1 => {
            mend(group, default, rest, depth - 1);
        }
        (_, _, Some(default)) => {
            fields.insert(name, default.clone());
        }
        (_, _, None) => {
            fields.shift_remove(&name);
        }
    }
}

/// RFC 7396, but for one thing: a null for what was not there stays, so that an unknown field is not taken for a known
/// one that was removed.
fn merge_fields<'p>(target: &mut Value, patch: impl IntoIterator<Item = (&'p String, &'p Value)>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, change) in patch {
        match change {
            Value::Null if target.contains_key(name) => {
                target.remove(name);
            }
            Value::Object(change) => merge_fields(target.entry(name).or_insert(Value::Null), change),
            value => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

/// An override nulls the keys of the form of `opens` it does not use, whether or not the chain's policy uses that form.
fn drop_nulled_form(opens: Option<&mut Value>) {
    if let Some(Value::Object(opens)) = opens {
        opens.retain(|name, value| !(value.is_null() && OPENS_KEYS.contains(&name.as_str())));
    }
}

#[cfg(test)]
mod tests;
