//! Instants: points on the one line of time, to the millisecond.
//!
//! A zone is only put on when one is written for people to read; what lies between two instants is the calendar's affair.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::zones;

/// A point in time, millisecond precision.
pub type Instant = DateTime<Utc>;

/// The years an instant from outside may lie in: wide enough for any timetable, narrow enough that adding and subtracting
/// every permitted duration stays within the calendar, and that the time zone data mean something.
pub const YEARS: std::ops::RangeInclusive<i32> = 2000..=2199;

/// The text is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 instant with an offset, of the years 2000 to 2199")]
pub struct InstantError;

/// An instant from its milliseconds since 1970, as Redis holds it.
#[must_use]
pub fn from_ms(ms: i64) -> Option<Instant> {
    DateTime::from_timestamp_millis(ms)
}

/// An instant of RFC 3339, cut to the millisecond.
pub fn parse_instant(text: &str) -> Result<Instant, InstantError> {
    let read = DateTime::parse_from_rfc3339(text).ok();
    let instant = read.and_then(|read| from_ms(read.timestamp_millis()));
    instant.filter(|instant| YEARS.contains(&instant.year())).ok_or(InstantError)
}

/// RFC 3339 with the zone's own offset at that instant; fractions of a second only where there are any.
#[must_use]
pub fn with_zone(instant: Instant, zone: Tz) -> String {
    instant.with_timezone(&zones::table().offset_at(instant, zone)).to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_with_the_offset_its_zone_has_then() {
        for (text, zone, written) in [
            ("2026-01-10T17:00:00Z", Tz::Europe__Copenhagen, "2026-01-10T18:00:00+01:00"),
            ("2026-07-10T16:00:00Z", Tz::Europe__Copenhagen, "2026-07-10T18:00:00+02:00"),
            ("2026-07-10T16:00:00.250Z", Tz::Asia__Kathmandu, "2026-07-10T21:45:00.250+05:45"),
            ("2026-07-10T16:00:00.0009Z", Tz::UTC, "2026-07-10T16:00:00+00:00"),
        ] {
            assert_eq!(with_zone(parse_instant(text).unwrap(), zone), written);
        }
    }

    #[test]
    fn an_instant_lies_in_the_years_of_the_calendar() {
        for (text, good) in [
            ("1999-12-31T23:59:59.999Z", false),
            ("2000-01-01T00:00:00Z", true),
            ("2000-01-01T00:00:00+01:00", false),
            ("2199-12-31T23:59:59.999Z", true),
            ("2200-01-01T00:00:00Z", false),
        ] {
            assert_eq!(parse_instant(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn what_has_no_offset_or_is_no_date_is_refused() {
        for bad in [
            "",
            "2026-01-10",
            "2026-01-10T18:00:00",
            "2026-02-30T18:00:00Z",
            "2026-01-10T25:00:00Z",
            "1767978000",
            "2026-01-10T18:00:00Zjunk",
        ] {
            assert_eq!(parse_instant(bad), Err(InstantError), "{bad:?}");
        }
    }

    #[test]
    fn milliseconds_out_of_the_calendar_are_no_instant() {
        assert_eq!(from_ms(i64::MAX), None);
        assert_eq!(from_ms(0).map(|instant| instant.timestamp_millis()), Some(0));
    }
}
