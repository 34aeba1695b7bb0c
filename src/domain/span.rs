//! Durations as people write them in a policy: `P7D`, `PT2H`, `P1W`.
//!
//! A span has two parts that must not be confused: days, which are local calendar days (23 or 25 hours where the clocks
//! change), and hours, minutes and seconds, which are exact. Which meaning of a day applies is said by whoever uses it; see
//! the section *Time* of `SEMANTICS.md`. It remembers how it was written, because it is echoed so.

use std::fmt;

use serde::{Serialize, Serializer};

/// A day of 24 hours.
pub const DAY_MS: i64 = 24 * HOUR_MS;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const MINUTE_MS: i64 = 60 * SECOND_MS;
const SECOND_MS: i64 = 1_000;

/// The longest number in a span: ten years in seconds have nine digits.
const DIGITS_MAX: usize = 9;

/// The text is no span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an ISO 8601 duration of weeks, days, hours, minutes and seconds in whole numbers, such as P7D or PT90M"
)]
pub struct SpanError;

/// An ISO 8601 duration without years, months, signs and fractions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    text: String,
    days: u32,
    ms: i64,
}

impl Span {
    /// Weeks and days, then after a `T` hours, minutes and seconds, each at most once and in this order.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let (days, ms) = parts(text).ok_or(SpanError)?;
        Ok(Self { text: text.to_owned(), days, ms })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The calendar days of it, weeks included.
    #[must_use]
    pub fn days(&self) -> u32 {
        self.days
    }

    /// The exact part of it: hours, minutes and seconds.
    #[must_use]
    pub fn exact_ms(&self) -> i64 {
        self.ms
    }

    /// All of it, a day counted as 24 hours.
    #[must_use]
    pub fn fixed_ms(&self) -> i64 {
        i64::from(self.days) * DAY_MS + self.ms
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn parts(text: &str) -> Option<(u32, i64)> {
    let text = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
    let (date, time) = match text.split_once('T') {
        None => (text, ""),
        Some((_, "")) => return None,
        Some(both) => both,
    };
    let days = sum(date, &[('W', 7), ('D', 1)])?;
    let ms = sum(time, &[('H', HOUR_MS), ('M', MINUTE_MS), ('S', SECOND_MS)])?;
    Some((u32::try_from(days).ok()?, ms))
}

/// `2H30M` counted in the units given, largest first: none twice, none out of order.
fn sum(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut units = units.iter();
    let mut rest = text;
    let mut total = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(end);
        if number.is_empty() || number.len() > DIGITS_MAX {
            return None;
        }
        let (unit, size) = units.find(|(unit, _)| tail.starts_with(*unit))?;
        total += number.parse::<i64>().ok()? * size;
        rest = tail.strip_prefix(*unit)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_exact_time_are_kept_apart() {
        for (text, days, ms) in [
            ("P7D", 7, 0),
            ("P1W", 7, 0),
            ("P1W2D", 9, 0),
            ("PT0S", 0, 0),
            ("P0D", 0, 0),
            ("PT60M", 0, HOUR_MS),
            ("PT36H", 0, 36 * HOUR_MS),
            ("PT1H2M3S", 0, HOUR_MS + 2 * MINUTE_MS + 3 * SECOND_MS),
            ("P1DT12H", 1, 12 * HOUR_MS),
            ("PT999999999S", 0, 999_999_999 * SECOND_MS),
            ("P007D", 7, 0),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!((span.days(), span.exact_ms()), (days, ms), "{text}");
            assert_eq!(span.fixed_ms(), i64::from(days) * DAY_MS + ms, "{text}");
        }
    }

    #[test]
    fn a_span_is_echoed_as_written() {
        for text in ["PT60M", "PT1H", "P1W", "P7D", "P007D"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
            assert_eq!(serde_json::to_value(Span::parse(text).unwrap()).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for bad in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "P1DT",
            "T1H",
            "P1Y",
            "P1M",
            "P1Y2M",
            "-P1D",
            "+P1D",
            "P-1D",
            "PT1.5H",
            "PT1,5H",
            "P1H",
            "PT1D",
            "PT1W",
            "PD",
            "PTM",
            "P1D1D",
            "P1D1W",
            "PT1S1M",
            "pt1h",
            "P1d",
            " P1D",
            "P1D ",
            "P1 D",
            "PT1HT1M",
            "P1000000000D",
            "P999999999W",
            "P١D",
            "PT1M\0",
            "P1D/PT1H",
        ] {
            assert_eq!(Span::parse(bad), Err(SpanError), "{bad:?}");
        }
    }
}
