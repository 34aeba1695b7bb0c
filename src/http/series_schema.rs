//! A series as it is sent, for the API's description. It is read by the domain; these types are never made.

#![expect(dead_code, reason = "types that describe a document and are never made")]

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::classes::InstructorDoc;
use super::schema::{DateList, DateText, IdText, ReachWord, RuleText, SeriesIdText, ShortText, TimeText, TitleText};

/// A recurring class: what a class has but its start, and when it recurs.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSeries)]
pub struct NewSeriesDoc {
    #[schema(value_type = Option<SeriesIdText>)]
    id: Option<String>,
    /// The first day it may recur on.
    #[schema(value_type = DateText)]
    starts_on: String,
    #[schema(value_type = TimeText)]
    time: String,
    /// A rule of RFC 5545 by days, weeks, months or years, without UNTIL, BYHOUR, BYMINUTE and BYSECOND.
    #[schema(value_type = RuleText)]
    rrule: String,
    /// The last day.
    #[schema(value_type = Option<DateText>)]
    until: Option<String>,
    #[schema(value_type = Option<DateList>)]
    exceptions: Option<Vec<String>>,
    /// By date, a merge patch over that day's class and its `time`; at most 400.
    #[schema(value_type = Option<BTreeMap<String, Object>>)]
    changes: Option<BTreeMap<String, ()>>,
    #[schema(value_type = IdText)]
    club: String,
    #[schema(value_type = TitleText)]
    title: String,
    #[schema(value_type = Option<ShortText>)]
    category: Option<String>,
    #[schema(value_type = Option<ShortText>)]
    room: Option<String>,
    instructor: Option<InstructorDoc>,
    #[schema(minimum = 1, maximum = 1440)]
    minutes: u32,
    #[schema(minimum = 1, maximum = 5000)]
    capacity: u32,
    #[schema(maximum = 5000)]
    minimum: Option<u32>,
    #[schema(maximum = 120)]
    min_age: Option<u32>,
    /// A merge patch (RFC 7396) over the organisation's policy.
    #[schema(value_type = Option<Object>)]
    policy: Option<()>,
}

/// A change to a series: a merge patch (RFC 7396). What is left out stays, null takes away what may be absent, and a
/// `policy` replaces the one before.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SeriesChange)]
pub struct SeriesChangeDoc {
    /// Whether classes that somebody has booked follow: `unbooked`, if not said, leaves them alone and names them; in those
    /// of `all` a higher capacity promotes, and a moved start frees everyone from charges.
    #[serde(default)]
    #[schema(value_type = ReachWord)]
    reach: String,
    #[serde(default)]
    #[schema(value_type = DateText)]
    starts_on: String,
    #[serde(default)]
    #[schema(value_type = TimeText)]
    time: String,
    #[serde(default)]
    #[schema(value_type = RuleText)]
    rrule: String,
    #[schema(value_type = Option<DateText>)]
    until: Option<String>,
    #[schema(value_type = Option<DateList>)]
    exceptions: Option<Vec<String>>,
    /// By date; null takes a day's changes away.
    #[schema(value_type = Option<BTreeMap<String, Option<Object>>>)]
    changes: Option<BTreeMap<String, ()>>,
    #[serde(default)]
    #[schema(value_type = IdText)]
    club: String,
    #[serde(default)]
    #[schema(value_type = TitleText)]
    title: String,
    #[schema(value_type = Option<ShortText>)]
    category: Option<String>,
    #[schema(value_type = Option<ShortText>)]
    room: Option<String>,
    instructor: Option<InstructorDoc>,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1440)]
    minutes: u32,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 5000)]
    capacity: u32,
    #[schema(maximum = 5000)]
    minimum: Option<u32>,
    #[schema(maximum = 120)]
    min_age: Option<u32>,
    #[schema(value_type = Option<Object>)]
    policy: Option<()>,
}
