//! All the calendar there is: zones, local days and local hours, turned into instants.
//!
//! Two rules decide every doubtful case (*Time* in `SEMANTICS.md`): a local time that does not exist moves forward by the
//! gap, and one that exists twice is the first. It does not know what a time is for, nor what time it is.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use super::instant::Instant;
use super::span::Span;
use super::zones;

/// The years a date may lie in: from the oldest member's birth to the local day of the last instant there is, which east
/// of Greenwich is in the year after.
const DATE_YEARS: RangeInclusive<i32> = 1900..=2200;

/// The text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as 2026-03-29, of the years 1900 to 2200")]
pub struct DateError;

/// The text is no local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a local time such as 08:00")]
pub struct TimeError;

/// The text names no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time zone of the IANA database, such as Europe/Copenhagen")]
pub struct ZoneError;

/// The same local hours of every day: from `from` on, until before `until`, over midnight where `from` is the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    pub from: NaiveTime,
    pub until: NaiveTime,
}

/// A date as `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Result<NaiveDate, DateError> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    // chrono reads `2026-3-9` and `+2026-03-09` as well; one form is enough.
    let exact = date.filter(|date| date.to_string() == text);
    exact.filter(|date| DATE_YEARS.contains(&date.year())).ok_or(DateError)
}

/// A local time as `HH:MM`.
pub fn parse_time(text: &str) -> Result<NaiveTime, TimeError> {
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok();
    time.filter(|time| write_time(*time) == text).ok_or(TimeError)
}

/// A local time as [`parse_time`] reads it.
#[must_use]
pub fn write_time(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

/// A zone by its IANA name.
pub fn parse_zone(name: &str) -> Result<Tz, ZoneError> {
    name.parse().map_err(|_unknown: chrono_tz::ParseError| ZoneError)
}

/// The instant a span before another: its days back at the same local time, then its hours, exactly.
#[must_use]
pub fn before(start: Instant, span: &Span, zone: Tz) -> Instant {
    let days = match span.days() {
        0 => start,
        days => on_day(start, zone, |date| days_back(date, days)),
    };
    exactly(days, -span.exact_ms())
}

/// The instant a span after another: its days on at the same local time, then its hours, exactly.
#[must_use]
pub fn after(start: Instant, span: &Span, zone: Tz) -> Instant {
    let days = match span.days() {
        0 => start,
        days => on_day(start, zone, |date| days_on(date, days)),
    };
    exactly(days, span.exact_ms())
}

/// The instant of a local time: moved forward by the gap where the clocks skip it, the first where they repeat it.
#[must_use]
pub fn local_at(date: NaiveDate, time: NaiveTime, zone: Tz) -> Instant {
    let local = date.and_time(time);
    // Of a skipped time the offset is the one before the gap, and so the instant is later by exactly the gap.
    let seconds = zones::table().reading(local, zone).offset.local_minus_utc();
    exactly(local.and_utc(), -1_000 * i64::from(seconds))
}

/// The local day an instant falls on.
#[must_use]
pub fn local_date(instant: Instant, zone: Tz) -> NaiveDate {
    instant.with_timezone(&zones::table().offset_at(instant, zone)).date_naive()
}

/// The first instant of a local day; of a day the zone skipped, the first instant after it.
#[must_use]
pub fn day_start(date: NaiveDate, zone: Tz) -> Instant {
    let midnight = local_at(date, NaiveTime::MIN, zone);
    let skipped = zones::table().reading(date.and_time(NaiveTime::MIN), zone).skipped;
    let gap_end = zones::table().last_change(midnight, zone).filter(|_| skipped);
    gap_end.unwrap_or(midnight)
}

/// The day so many days earlier.
#[must_use]
pub fn days_back(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN)
}

/// The day so many days later.
#[must_use]
pub fn days_on(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
}

/// The quiet hours between two instants, as half-open intervals: in order, cut to what was asked for, none touching.
#[must_use]
pub fn quiet_intervals(from: Instant, until: Instant, quiet: &Quiet, zone: Tz) -> Vec<(Instant, Instant)> {
    let last = local_date(until, zone);
    let nights = days_back(local_date(from, zone), 1).iter_days().take_while(|date| *date <= last);
    let mut intervals: Vec<(Instant, Instant)> = Vec::new();
    for date in nights {
        let end_date = if quiet.from < quiet.until { date } else { days_on(date, 1) };
        let begin = local_at(date, quiet.from, zone).max(from);
        let end = local_at(end_date, quiet.until, zone).min(until);
        match intervals.last_mut() {
            _ if begin >= end => {}
            // Where clocks go forward, one night's end can move past the next one's beginning.
            Some(previous) if begin <= previous.1 => previous.1 = end.max(previous.1),
            _ => intervals.push((begin, end)),
        }
    }
    intervals
}

impl Serialize for Quiet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = [("from", write_time(self.from)), ("until", write_time(self.until))];
        serializer.collect_map(pair)
    }
}

/// The same local time on another day.
fn on_day(instant: Instant, zone: Tz, other: impl Fn(NaiveDate) -> NaiveDate) -> Instant {
    let there = instant.with_timezone(&zones::table().offset_at(instant, zone));
    local_at(other(there.date_naive()), there.time(), zone)
}

fn exactly(instant: Instant, ms: i64) -> Instant {
    let bound = if ms < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    instant.checked_add_signed(TimeDelta::milliseconds(ms)).unwrap_or(bound)
}

#[cfg(test)]
mod tests;
